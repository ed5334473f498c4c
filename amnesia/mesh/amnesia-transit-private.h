/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How much of a large value has gone or come over a link, as it is shown: of small values, and of large
 * ones that are quick, there is nothing to be seen, and else no more than somebody can follow. */
typedef struct
{
  gsize   size;  /* 0: none is under way */
  gdouble done;  /* of it, from 0 to 1 */
  gdouble shown; /* the same, as it is to be seen; 1: none is under way */
  gint64  next;  /* when it may be shown, or another part of it */
  gint64  due;   /* the same if there is something else to be shown; 0: there is not */
} AmnesiaTransit;

void     amnesia_transit_init    (AmnesiaTransit *self);
gboolean amnesia_transit_advance (AmnesiaTransit *self,
                                  gsize           done,
                                  gsize           size,
                                  gint64          mono);
gboolean amnesia_transit_review  (AmnesiaTransit *self,
                                  gint64          mono);
gboolean amnesia_transit_end     (AmnesiaTransit *self);

G_END_DECLS
