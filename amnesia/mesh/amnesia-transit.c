/* SPDX-License-Identifier: MIT */

#include "amnesia-transit-private.h"

#include "amnesia-limits-private.h"

void
amnesia_transit_init (AmnesiaTransit *self)
{
  *self = (AmnesiaTransit) { .shown = 1 };
}

/* So much of a value is done. Returns whether something else is to be seen now. */
gboolean
amnesia_transit_advance (AmnesiaTransit *self,
                         gsize           done,
                         gsize           size,
                         gint64          mono)
{
  if (size < AMNESIA_LARGE)
    return FALSE;
  if (self->size == 0)
    self->next = mono + AMNESIA_TRANSIT_AFTER;
  self->size = size;
  self->done = (gdouble) done / (gdouble) size;
  self->due = self->done != self->shown ? self->next : 0;
  return amnesia_transit_review (self, mono);
}

/* The same as time goes by. */
gboolean
amnesia_transit_review (AmnesiaTransit *self,
                        gint64          mono)
{
  if (self->due == 0 || mono < self->due)
    return FALSE;
  self->shown = self->done;
  self->next = mono + AMNESIA_TRANSIT_INTERVAL;
  self->due = 0;
  return TRUE;
}

/* All of it is done. Returns whether something else is to be seen now. */
gboolean
amnesia_transit_end (AmnesiaTransit *self)
{
  gboolean was_shown = self->shown != 1;

  amnesia_transit_init (self);
  return was_shown;
}
