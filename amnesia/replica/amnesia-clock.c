/* SPDX-License-Identifier: MIT */

#include "amnesia-clock-private.h"

#define COUNTER_BITS 16
#define MAX_TIME (AMNESIA_STAMP_NORMAL - 1)
#define MAX_WALL ((gint64) (MAX_TIME >> COUNTER_BITS))
#define YEAR (G_GINT64_CONSTANT (365) * 24 * 60 * 60 * 1000)

static guint64
stamp_get_time (AmnesiaStamp stamp)
{
  return stamp & ~AMNESIA_STAMP_NORMAL;
}

/* Makes the stamp of a write. It is greater than all that was issued or seen, whatever the wall
 * clock says: the counter runs over into the milliseconds. At the end of time, in the year 6429,
 * it stays where it is, as a small stamp after a great one would lose every write. */
AmnesiaStamp
amnesia_clock_next (AmnesiaClock *clock,
                    gint64        wall,
                    gboolean      weak)
{
  guint64 now = (guint64) CLAMP (wall, 0, MAX_WALL) << COUNTER_BITS;
  guint64 next = clock->last < MAX_TIME ? clock->last + 1 : MAX_TIME;

  clock->last = MAX (now, next);

  return weak ? clock->last : clock->last | AMNESIA_STAMP_NORMAL;
}

/* Notes a stamp that was seen, so that the next one is greater. */
void
amnesia_clock_witness (AmnesiaClock *clock,
                       AmnesiaStamp  stamp)
{
  clock->last = MAX (clock->last, stamp_get_time (stamp));
}

/* Gets when the write was made by its writer's clock, in milliseconds since 1970. */
gint64
amnesia_stamp_get_wall (AmnesiaStamp stamp)
{
  return stamp_get_time (stamp) >> COUNTER_BITS;
}

/* Tells whether the write seems to come from more than a year ahead. The counter has no say. */
gboolean
amnesia_stamp_is_ahead (AmnesiaStamp stamp,
                        gint64       wall)
{
  return amnesia_stamp_get_wall (stamp) > CLAMP (wall, 0, MAX_WALL) + YEAR;
}
