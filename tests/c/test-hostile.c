/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

#include <string.h>

#define HOUR G_TIME_SPAN_HOUR
#define SECOND G_TIME_SPAN_SECOND

/* A store on entry 0 that holds 'kept'. */
static AmnesiaStore *
make_store (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);

  test_set (store, "'kept'");
  return store;
}

/* Whatever was done to it, the store holds what it did, and lets a good peer in. */
static void
assert_well (AmnesiaStore *store)
{
  g_autoptr (RawPeer) good = raw_peer_connect (0);

  test_assert_data (store, "'kept'");
  raw_peer_greet (good, 1000, 0);
  raw_peer_wait_write (good, "'kept'");
}

static void
test_counts (void)
{
  AmnesiaStore *store = make_store ();
  g_autoptr (RawPeer) acks = raw_peer_connect (0);
  g_autoptr (RawPeer) nobody = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (0, 0);

  g_test_summary ("An acknowledgement of more than was sent is an error, and so is the id 0");

  raw_peer_greet (acks, 7, 0);
  raw_frame_free (raw_peer_wait_frame (acks, AMNESIA_FRAME_WRITE));
  raw_peer_send_ack (acks, 2);
  raw_peer_wait_bye (acks, AMNESIA_BYE_PROTOCOL, "*acknowledgement*");
  raw_peer_send_hello (nobody, &hello);
  raw_peer_wait_bye (nobody, AMNESIA_BYE_PROTOCOL, "*id*");
  assert_well (store);
  test_free_store (store);
}

/* --- who does not fit --- */

/* Lets a store dial a raw peer that says @hello; the peer is refused. Returns the last error. */
static GError *
get_refused (AmnesiaHello *hello,
             AmnesiaBye    reason,
             const char   *pattern)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = test_new_store (conf);
  GError *error;

  raw = raw_door_accept (door);
  raw_peer_send_hello (raw, hello);
  raw_peer_wait_bye (raw, reason, pattern);
  test_until (amnesia_peer_get_last_error (test_find_peer (store, test_port (1))) != NULL);
  g_assert_cmpuint (test_n_linked (store), ==, 0);
  error = g_error_copy (amnesia_peer_get_last_error (test_find_peer (store, test_port (1))));
  test_free_store (store);
  return error;
}

static void
test_version (void)
{
  AmnesiaHello hello = raw_hello (7, 1);
  g_autoptr (GError) error = NULL;

  g_test_summary ("Another version is refused with a goodbye that names both");

  hello.version_min = 8;
  hello.version_max = 9;
  error = get_refused (&hello, AMNESIA_BYE_VERSION, "*8 to 9*1 to 1*");
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_VERSION);
}

static void
test_newer_version (void)
{
  AmnesiaStore *store = make_store ();
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (7, 0);

  g_test_summary ("Who speaks our version and later ones is welcome");

  hello.version_max = 99;
  raw_peer_send_hello (raw, &hello);
  test_wait_linked (store, 1);
  test_free_store (store);
}

static void
test_no_hammering (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  gint64 end = g_get_monotonic_time () + 4 * SECOND;
  guint n = 0;

  g_test_summary ("Who was refused is dialled again with growing pauses");

  while (g_get_monotonic_time () < end)
    {
      AmnesiaHello hello = raw_hello (7, 1);

      g_autoptr (RawPeer) raw = NULL;

      test_pass_time (20);
      if (!raw_door_is_knocked (door))
        continue;
      raw = raw_door_accept (door);
      hello.version_min = hello.version_max = 9;
      raw_peer_send_hello (raw, &hello);
      raw_peer_wait_closed (raw);
      n++;
    }
  g_assert_cmpuint (n, >=, 3);
  g_assert_cmpuint (n, <=, 8);
  test_free_store (store);
}

static void
test_group (void)
{
  AmnesiaHello hello = raw_hello (7, 1);
  g_autoptr (GError) error = NULL;

  g_test_summary ("Another group is refused, and its name escaped and cut in the message");

  hello.group = (char *) "the\nothers";
  error = get_refused (&hello, AMNESIA_BYE_GROUP, "*the\\nothers*");
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_GROUP);
}

static void
test_clock (void)
{
  static const gint64 offsets[] = { 25 * HOUR, -25 * HOUR, G_MAXINT64 / 2 };
  guint i;

  g_test_summary ("A clock more than 24 hours off is refused, with an error that says so");

  for (i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      AmnesiaHello hello = raw_hello (7, 1);
      g_autoptr (GError) error = NULL;

      hello.wall += offsets[i];
      error = get_refused (&hello, AMNESIA_BYE_CLOCK, "*clock*hours*clock-limit*");
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_CLOCK);
      g_assert_true (i == 2 || strstr (error->message, "25 hours") != NULL ||
                     strstr (error->message, "24 hours") != NULL);
    }
}

static void
test_refused_by_peer (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = test_new_store (conf);
  AmnesiaPacket packet;
  const GError *error;

  g_test_summary ("When the peer refuses, the error says why, with its text escaped");

  raw = raw_door_accept (door);
  raw_peer_send_bytes (raw, AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  amnesia_frame_encode_bye (AMNESIA_BYE_CLOCK, "the clocks are 25 hours apart: set the wrong one, or "
                                               "\"clock-limit\": 0 in the configuration\x1b[2J", &packet);
  raw_peer_send (raw, &packet);
  test_until (amnesia_peer_get_last_error (test_find_peer (store, test_port (1))) != NULL);
  error = amnesia_peer_get_last_error (test_find_peer (store, test_port (1)));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_CLOCK);
  g_assert_nonnull (strstr (error->message, "or \"clock-limit\": 0 in the configuration\\033[2J"));
  test_free_store (store);
}

static void
test_clock_limit (void)
{
  static const gint64 offsets[] = { 23 * HOUR, 48 * HOUR };
  guint i;

  g_test_summary ("23 hours are allowed, and any offset with \"clock-limit\": 0; both are shown");

  for (i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (AmnesiaConf) conf = test_conf (2);
      g_autoptr (RawDoor) door = raw_door_new (1);
      g_autoptr (RawPeer) raw = NULL;
      AmnesiaHello hello = raw_hello (7, 1);
      AmnesiaStore *store = amnesia_store_new ();
      g_autoptr (TestDiary) diary = test_diary_new (store);
      gint64 offset;

      if (i == 1)
        amnesia_conf_set_clock_limit (conf, 0);
      amnesia_store_set_conf (store, conf);
      raw = raw_door_accept (door);
      hello.wall = g_get_real_time () + offsets[i];
      raw_peer_send_hello (raw, &hello);
      test_wait_linked (store, 1);
      offset = amnesia_peer_get_clock_offset (test_find_peer (store, test_port (1)));
      g_assert_cmpint (ABS (offset - offsets[i]), <, SECOND);
      test_until (test_diary_count_log (diary, "*clock*ahead*") == 1);
      test_free_store (store);
    }
}

static void
test_ahead (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = test_new_store (conf);
  gint64 year = 365 * G_GINT64_CONSTANT (86400000);
  g_autoptr (AmnesiaEntry) far = raw_entry (7, raw_stamp (2 * year), "'far'");
  g_autoptr (AmnesiaEntry) near = raw_entry (7, raw_stamp (year / 2), "'near'");
  g_autoptr (GDateTime) updated = NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  AmnesiaPeer *peer;

  g_test_summary ("A stamp two years ahead is refused, the link stays; half a year is taken");

  test_set (store, "'kept'");
  raw = raw_door_accept (door);
  raw_peer_greet (raw, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  peer = test_find_peer (store, test_port (1));
  raw_peer_send_write (raw, far);
  test_until (amnesia_peer_get_last_error (peer) != NULL);
  g_assert_error (amnesia_peer_get_last_error (peer), AMNESIA_ERROR, AMNESIA_ERROR_CLOCK);
  g_assert_nonnull (strstr (amnesia_peer_get_last_error (peer)->message, "year"));
  test_assert_data (store, "'kept'");
  test_set (store, "'own'");
  updated = amnesia_store_get_updated (store);
  g_assert_cmpint (g_date_time_difference (updated, now), <, G_TIME_SPAN_MINUTE);

  raw_peer_send_write (raw, near);
  test_until (test_has_data (store, "'near'"));
  g_assert_false (raw->closed);
  test_set (store, "'own again'");
  test_assert_data (store, "'own again'");
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostile/counts", test_counts);
  g_test_add_func ("/wire/W8-version", test_version);
  g_test_add_func ("/wire/W8-newer-version", test_newer_version);
  g_test_add_func ("/wire/W8-no-hammering", test_no_hammering);
  g_test_add_func ("/hostile/group", test_group);
  g_test_add_func ("/hostile/clock", test_clock);
  g_test_add_func ("/hostile/refused-by-peer", test_refused_by_peer);
  g_test_add_func ("/hostile/clock-limit", test_clock_limit);
  g_test_add_func ("/hostile/ahead", test_ahead);
  return g_test_run ();
}
