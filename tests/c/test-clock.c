/* SPDX-License-Identifier: MIT */

#include "replica/amnesia-clock-private.h"

#define NOW G_GINT64_CONSTANT (1700000000000)
#define YEAR (G_GINT64_CONSTANT (365) * 24 * 60 * 60 * 1000)
#define MAX_WALL ((G_GINT64_CONSTANT (1) << 47) - 1)
#define NORMAL AMNESIA_STAMP_NORMAL

static AmnesiaStamp
make_stamp (gint64  wall,
            guint16 counter)
{
  return NORMAL | (guint64) wall << 16 | counter;
}

static void
test_layout (void)
{
  AmnesiaClock clock = { 0 };

  g_test_summary ("A stamp is the normal bit, 47 bits of milliseconds, 16 of counter.");

  g_assert_cmphex (amnesia_clock_next (&clock, NOW, FALSE), ==, make_stamp (NOW, 0));
  g_assert_cmphex (amnesia_clock_next (&clock, NOW, FALSE), ==, make_stamp (NOW, 1));
  g_assert_cmphex (amnesia_clock_next (&clock, NOW, TRUE), ==, make_stamp (NOW, 2) & ~NORMAL);
  g_assert_cmphex (amnesia_clock_next (&clock, NOW + 1, FALSE), ==, make_stamp (NOW + 1, 0));
  g_assert_cmpint (amnesia_stamp_get_wall (make_stamp (NOW, 65535)), ==, NOW);
  g_assert_cmpint (amnesia_stamp_get_wall (make_stamp (NOW, 7) & ~NORMAL), ==, NOW);
}

static void
test_weak (void)
{
  AmnesiaClock clock = { 0 };
  AmnesiaStamp normal = amnesia_clock_next (&clock, 0, FALSE);
  AmnesiaStamp weak = amnesia_clock_next (&clock, MAX_WALL, TRUE);

  g_test_summary ("Any normal write is greater than any weak one.");

  g_assert_cmphex (weak, <, normal);
}

static void
test_backwards (void)
{
  AmnesiaClock clock = { 0 };
  AmnesiaStamp before = amnesia_clock_next (&clock, NOW, FALSE);

  g_test_summary ("A wall clock that goes back does not take the stamps along.");

  g_assert_cmphex (amnesia_clock_next (&clock, NOW - YEAR, FALSE), ==, before + 1);
  g_assert_cmphex (amnesia_clock_next (&clock, G_MININT64, FALSE), ==, before + 2);
}

static void
test_witness (void)
{
  AmnesiaClock clock = { 0 };

  g_test_summary ("What was seen is beaten, weak or normal; what is older changes nothing.");

  amnesia_clock_witness (&clock, make_stamp (NOW + 500, 9));
  g_assert_cmphex (amnesia_clock_next (&clock, NOW, FALSE), ==, make_stamp (NOW + 500, 10));
  amnesia_clock_witness (&clock, make_stamp (NOW, 0));
  g_assert_cmphex (amnesia_clock_next (&clock, NOW, FALSE), ==, make_stamp (NOW + 500, 11));
  amnesia_clock_witness (&clock, make_stamp (NOW + 600, 0) & ~NORMAL);
  g_assert_cmphex (amnesia_clock_next (&clock, NOW, FALSE), ==, make_stamp (NOW + 600, 1));
}

static void
test_frozen (void)
{
  AmnesiaClock clock = { 0 };
  AmnesiaStamp last = 0;

  g_test_summary ("A million writes in one millisecond strictly rise: the counter carries.");

  for (guint i = 0; i < 1000000; i++)
    {
      AmnesiaStamp stamp = amnesia_clock_next (&clock, NOW, FALSE);

      g_assert_cmphex (stamp, >, last);
      last = stamp;
    }

  g_assert_cmphex (last, ==, make_stamp (NOW, 0) + 999999);
  g_assert_cmpint (amnesia_stamp_get_wall (last), ==, NOW + 999999 / 65536);
}

static void
test_ends (void)
{
  AmnesiaClock clock = { 0 };

  g_test_summary ("Walls out of range count as the nearest in range; the end is never passed.");

  g_assert_cmphex (amnesia_clock_next (&clock, -1, FALSE), ==, NORMAL | 1);
  g_assert_cmphex (amnesia_clock_next (&clock, G_MAXINT64, FALSE), ==, make_stamp (MAX_WALL, 0));

  amnesia_clock_witness (&clock, G_MAXUINT64 - 1);
  g_assert_cmphex (amnesia_clock_next (&clock, NOW, FALSE), ==, G_MAXUINT64);
  g_assert_cmphex (amnesia_clock_next (&clock, NOW, FALSE), ==, G_MAXUINT64);
  g_assert_cmphex (amnesia_clock_next (&clock, NOW, TRUE), ==, G_MAXUINT64 & ~NORMAL);
}

static void
test_ahead (void)
{
  g_test_summary ("Ahead is more than 365 days of milliseconds, whatever the counter says.");

  g_assert_false (amnesia_stamp_is_ahead (make_stamp (NOW, 0), NOW));
  g_assert_false (amnesia_stamp_is_ahead (make_stamp (NOW + YEAR, 65535), NOW));
  g_assert_true (amnesia_stamp_is_ahead (make_stamp (NOW + YEAR + 1, 0), NOW));
  g_assert_true (amnesia_stamp_is_ahead (make_stamp (NOW + YEAR + 1, 0) & ~NORMAL, NOW));
  g_assert_false (amnesia_stamp_is_ahead (0, NOW));
  g_assert_true (amnesia_stamp_is_ahead (G_MAXUINT64, NOW));

  g_assert_false (amnesia_stamp_is_ahead (make_stamp (YEAR, 0), G_MININT64));
  g_assert_true (amnesia_stamp_is_ahead (make_stamp (YEAR + 1, 0), G_MININT64));
  g_assert_false (amnesia_stamp_is_ahead (G_MAXUINT64, G_MAXINT64));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/clock/layout", test_layout);
  g_test_add_func ("/clock/weak", test_weak);
  g_test_add_func ("/clock/backwards", test_backwards);
  g_test_add_func ("/clock/witness", test_witness);
  g_test_add_func ("/clock/K6-frozen", test_frozen);
  g_test_add_func ("/clock/K5-ends", test_ends);
  g_test_add_func ("/clock/ahead", test_ahead);

  return g_test_run ();
}
