/* SPDX-License-Identifier: MIT */

#include "amnesia-progress-private.h"

#include "amnesia-limits-private.h"

void
amnesia_progress_open (AmnesiaProgress *self,
                       gint64           mono)
{
  self->state = AMNESIA_MESH_SYNCING;
  self->opened_at = mono;
  self->synced_at = 0;
}

/* Nobody waits longer than needed: “synced” when one peer's entries are in and no first dial is
 * open, or soon after; “alone” when all of them were in vain, or after a while. */
void
amnesia_progress_update (AmnesiaProgress       *self,
                         const AmnesiaStanding *standing,
                         gint64                 mono)
{
  if (self->state == AMNESIA_MESH_CLOSED)
    return;
  if (!standing->any_up)
    {
      if (self->state == AMNESIA_MESH_SYNCED || standing->all_tried ||
          mono >= self->opened_at + AMNESIA_ALONE_AFTER)
        self->state = AMNESIA_MESH_ALONE;
      return;
    }
  if (self->state == AMNESIA_MESH_ALONE)
    {
      self->state = AMNESIA_MESH_SYNCING;
      self->synced_at = 0;
    }
  if (self->state != AMNESIA_MESH_SYNCING || !standing->any_synced)
    return;
  if (self->synced_at == 0)
    self->synced_at = mono;
  if (standing->all_tried || mono >= self->synced_at + AMNESIA_SYNCED_AFTER)
    self->state = AMNESIA_MESH_SYNCED;
}

/* When time alone may change something, 0: never. */
gint64
amnesia_progress_get_deadline (const AmnesiaProgress *self,
                               gint64                 mono)
{
  gint64 deadline = self->synced_at != 0 ? self->synced_at + AMNESIA_SYNCED_AFTER
                                         : self->opened_at + AMNESIA_ALONE_AFTER;

  return self->state == AMNESIA_MESH_SYNCING && deadline > mono ? deadline : 0;
}
