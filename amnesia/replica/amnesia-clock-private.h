/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A stamp: one bit that is set for a normal write and clear for a weak one, 47 bits of Unix
 * milliseconds, 16 bits of counter. Unsigned order is the order of writes. */
typedef guint64 AmnesiaStamp;

#define AMNESIA_STAMP_NORMAL (G_GUINT64_CONSTANT (1) << 63)

/* A hybrid logical clock. It only goes forward. */
typedef struct
{
  guint64 last; /* the greatest time, without the top bit, that was issued or seen */
} AmnesiaClock;

AmnesiaStamp amnesia_clock_next      (AmnesiaClock *clock,
                                      gint64        wall,
                                      gboolean      weak);
void         amnesia_clock_witness   (AmnesiaClock *clock,
                                      AmnesiaStamp  stamp);
gint64       amnesia_stamp_get_wall  (AmnesiaStamp  stamp);
gboolean     amnesia_stamp_is_ahead  (AmnesiaStamp  stamp,
                                      gint64        wall);

G_END_DECLS
