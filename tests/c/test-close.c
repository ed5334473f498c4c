/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

static void
test_at_once (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  guint i;

  g_test_summary ("`conf = ...; data = n; close ()` never loses the n");

  for (i = 0; i < 20; i++)
    {
      AmnesiaStore *b = test_new_store (conf);
      g_autofree char *text = g_strdup_printf ("%u", i);
      g_autoptr (GError) error = NULL;

      test_let_millisecond_pass ();
      test_set (b, text);
      amnesia_store_close_sync (b, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (amnesia_store_get_state (b), ==, AMNESIA_STATE_CLOSED);
      test_free_store (b);
      test_assert_data (a, text);
      /* who has not seen this one is newer only from the next millisecond on */
      test_pass_time (2);
    }
  test_free_store (a);
}

static void
test_last_of_many (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  AmnesiaStore *c = test_store (conf);
  guint i;

  g_test_summary ("The last of many values is with all when close ends");

  test_wait_linked (c, 2);
  for (i = 0; i < 1000; i++)
    amnesia_store_set_data (c, g_variant_new_uint32 (i));
  test_close_store (c);
  test_assert_data (a, "uint32 999");
  test_assert_data (b, "uint32 999");
  test_free_store (a);
  test_free_store (b);
}

static GVariant *
make_large (void)
{
  gsize i, size = 4 * 1024 * 1024;
  guint8 *bytes = g_malloc (size);

  for (i = 0; i < size; i++)
    bytes[i] = (guint8) (i * 31 + i / 4096);
  return g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, bytes, size, TRUE, g_free, bytes);
}

static void
test_large (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  g_autoptr (GVariant) large = g_variant_ref_sink (make_large ());
  g_autoptr (GVariant) got = NULL;

  g_test_summary ("4 MiB on their way when the store is closed arrive whole");

  test_wait_linked (b, 1);
  amnesia_store_set_data (b, large);
  test_close_store (b);
  got = amnesia_store_get_data (a);
  g_assert_cmpvariant (got, large);
  test_free_store (a);
}

static void
test_not_in_sync (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("*%s:%u*", test_host (), test_port (1));
  gint64 start = g_get_monotonic_time ();
  gint64 took;

  g_test_summary ("Who does not acknowledge is named after close-timeout, and the store is closed");

  amnesia_store_set_close_timeout (store, 300);
  test_set (store, "1");
  g_assert_false (amnesia_store_close_sync (store, NULL, &error));
  took = g_get_monotonic_time () - start;
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC);
  g_assert_true (g_pattern_match_simple (name, error->message));
  g_assert_cmpint (took, >=, 290 * 1000);
  g_assert_cmpint (took, <, test_slowness () * 1500 * 1000);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
  raw_peer_wait_closed (raw);
  test_free_store (store);
}

static void
test_too_large (void)
{
  g_autoptr (AmnesiaConf) large = test_conf (2);
  g_autoptr (AmnesiaConf) small = test_conf (2);
  AmnesiaStore *a = test_store (large);
  AmnesiaStore *b;
  g_autofree char *name = g_strdup_printf ("*%s:%u (max-size 1024)", test_host (), test_port (1));
  g_autoptr (GError) error = NULL;
  gint64 start;

  g_test_summary ("Who takes no value so large is named at once, and not waited for");

  amnesia_conf_set_max_size (small, 1024);
  b = test_store (small);
  test_wait_linked (a, 1);
  test_set (a, "1");
  amnesia_store_set_data (a, make_large ());
  start = g_get_monotonic_time ();
  g_assert_false (amnesia_store_close_sync (a, NULL, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC);
  g_assert_true (g_pattern_match_simple (name, error->message));
  /* close-timeout is five seconds */
  g_assert_cmpint (g_get_monotonic_time () - start, <, test_slowness () * 3 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (amnesia_store_get_state (a), ==, AMNESIA_STATE_CLOSED);
  test_free_store (b);
  test_free_store (a);
}

static void
test_small_guest (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (7, 0);
  g_autoptr (GError) error = NULL;

  g_test_summary ("A guest that takes little is not in sync, but no reason to fail");

  hello.max_size = 1024;
  raw_peer_send_hello (raw, &hello);
  raw_peer_send_list (raw, NULL, FALSE);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  amnesia_store_set_data (store, make_large ());
  test_drain ();
  {
    g_autoptr (AmnesiaPeer) guest = g_list_model_get_item (amnesia_store_get_peers (store), 0);

    g_assert_false (amnesia_peer_get_in_sync (guest));
    g_assert_error (amnesia_peer_get_last_error (guest), AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
  }
  g_assert_true (amnesia_store_close_sync (store, NULL, &error));
  g_assert_no_error (error);
  test_free_store (store);
}

static void
test_acknowledged (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  TestOutcome outcome = { 0 };

  g_test_summary ("Closing waits for the acknowledgement, then says goodbye and reads to the end");

  test_set (store, "1");
  amnesia_store_close_async (store, NULL, test_closed_cb, &outcome);
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE));
  test_pass_time (200);
  g_assert_cmpuint (outcome.n_done, ==, 0);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_BYE), ==, 0);
  raw_peer_send_ack (raw, 1);
  raw_peer_wait_bye (raw, AMNESIA_BYE_LEAVING, "*");
  g_assert_cmpuint (outcome.n_done, ==, 0);
  raw_peer_set_reading (raw, FALSE);
  g_socket_close (raw->socket, NULL);
  test_until (outcome.n_done == 1);
  g_assert_no_error (outcome.error);
  test_free_store (store);
}

static void
test_ends_without_peer (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  g_test_summary ("A peer that does not close its side holds the closing up for a bounded time");

  g_assert_true (amnesia_store_close_sync (store, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_get_monotonic_time () - start, <, test_slowness () * 4 * G_TIME_SPAN_SECOND);
  test_free_store (store);
}

static void
test_twice (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  TestOutcome outcome = { 0 };

  g_test_summary ("Two closings at a time end together; one of a closed store ends at once");

  amnesia_store_close_async (b, NULL, test_closed_cb, &outcome);
  amnesia_store_close_async (b, NULL, test_closed_cb, &outcome);
  test_until (outcome.n_done == 2);
  g_assert_no_error (outcome.error);
  amnesia_store_close_async (b, NULL, test_closed_cb, &outcome);
  g_assert_cmpuint (outcome.n_done, ==, 2);
  test_until (outcome.n_done == 3);
  g_assert_no_error (outcome.error);
  test_free_store (a);
  test_free_store (b);
}

static void
test_cancel (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  TestOutcome cancelled = { 0 }, patient = { 0 };

  g_test_summary ("Cancelling ends one waiting, not the closing");

  amnesia_store_set_close_timeout (store, 400);
  test_set (store, "1");
  amnesia_store_close_async (store, cancellable, test_closed_cb, &cancelled);
  amnesia_store_close_async (store, NULL, test_closed_cb, &patient);
  g_cancellable_cancel (cancellable);
  test_until (cancelled.n_done == 1);
  g_assert_error (cancelled.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (patient.n_done, ==, 0);
  test_until (patient.n_done == 1);
  g_assert_error (patient.error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC);
  g_assert_cmpuint (cancelled.n_done, ==, 1);
  g_clear_error (&cancelled.error);
  g_clear_error (&patient.error);
  test_free_store (store);
}

static void
test_open_meanwhile (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  TestOutcome closing = { 0 }, opening = { 0 };

  g_test_summary ("Opening while closing is an error; a configuration that is set opens again");

  amnesia_store_close_async (store, NULL, test_closed_cb, &closing);
  amnesia_store_open_async (store, NULL, test_opened_cb, &opening);
  test_until (closing.n_done == 1 && opening.n_done == 1);
  g_assert_error (opening.error, AMNESIA_ERROR, AMNESIA_ERROR_CLOSED);
  g_assert_no_error (closing.error);
  test_pass_time (20);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);

  amnesia_store_open_async (store, NULL, test_opened_cb, &opening);
  test_until (opening.n_done == 2);
  g_assert_no_error (opening.error);
  amnesia_store_close_async (store, NULL, test_closed_cb, &closing);
  amnesia_store_set_conf (store, conf);
  amnesia_store_open_async (store, NULL, test_opened_cb, &opening);
  test_until (closing.n_done == 2 && opening.n_done == 3);
  g_assert_no_error (opening.error);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_ALONE);
  test_free_store (store);
}

static void
test_close_ends_opening (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) silent = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  TestOutcome closing = { 0 }, opening = { 0 };

  g_test_summary ("Closing lets an opening come to its end, but not longer than close-timeout");

  amnesia_store_set_close_timeout (store, 300);
  amnesia_store_open_async (store, NULL, test_opened_cb, &opening);
  amnesia_store_close_async (store, NULL, test_closed_cb, &closing);
  test_wait_state (store, AMNESIA_STATE_SYNCING);
  test_until (closing.n_done == 1 && opening.n_done == 1);
  g_assert_error (opening.error, AMNESIA_ERROR, AMNESIA_ERROR_CLOSED);
  g_clear_error (&opening.error);
  g_assert_no_error (closing.error);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
  test_free_store (store);
}

static void
test_nothing_left (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  guint before;

  g_test_summary ("After close the port is free and no descriptor is left");

  test_close_store (b);
  test_wait_linked (a, 0);
  before = test_n_descriptors ();
  b = test_store (conf);
  test_wait_linked (a, 1);
  g_assert_cmpuint (test_n_descriptors (), >, before + 2);
  amnesia_store_close_sync (b, NULL, NULL);
  test_wait_linked (a, 0);
  test_until (test_n_descriptors () == before);
  {
    g_autoptr (RawDoor) free_port = raw_door_new (1);

    g_assert_nonnull (free_port);
  }
  g_assert_null (amnesia_store_get_listening (b));
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (b)), ==, 0);
  test_free_store (a);
  test_free_store (b);
}

static void
test_stays (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  g_autoptr (TestDiary) diary = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("After close data stays, sets are local, and opening again sends them");

  test_set (a, "1");
  test_until (test_has_data (b, "1"));
  amnesia_store_close_sync (b, NULL, &error);
  g_assert_no_error (error);
  diary = test_diary_new (b);
  test_assert_data (b, "1");
  test_set (b, "2");
  test_set (b, "3");
  test_assert_diary (diary, "changed 1 -> 2 local", "data", "updated", "changed 2 -> 3 local",
                     "data", "updated", NULL);
  test_pass_time (50);
  test_assert_data (a, "1");
  amnesia_store_open_sync (b, NULL, &error);
  g_assert_no_error (error);
  test_until (test_has_data (a, "3"));
  test_assert_data (b, "3");
  test_free_store (a);
  test_free_store (b);
}

static void
test_states (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  g_autoptr (TestDiary) diary = test_diary_new (b);

  g_test_summary ("A closing tells one change of state, and an empty `listening`");

  amnesia_store_close_sync (b, NULL, NULL);
  test_assert_diary (diary, "listening (null)", "state closed", NULL);
  test_free_store (a);
  test_free_store (b);
}

static void
test_lost_while_closing (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (RawPeer) peer = raw_door_accept (door);
  TestOutcome outcome = { 0 };

  g_test_summary ("Whose link ends while the store is closed is named, if he has not confirmed the "
                  "value");

  raw_peer_greet (peer, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  amnesia_store_set_close_timeout (store, 1000);
  test_set (store, "1");
  amnesia_store_close_async (store, NULL, test_closed_cb, &outcome);
  raw_frame_free (raw_peer_wait_frame (peer, AMNESIA_FRAME_WRITE));
  g_clear_pointer (&peer, raw_peer_free);
  g_clear_pointer (&door, raw_door_free);
  test_until (outcome.n_done == 1);
  g_assert_error (outcome.error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC);
  g_clear_error (&outcome.error);
  test_free_store (store);
}

static void
test_left_while_closing (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (RawPeer) peer = raw_door_accept (door);
  AmnesiaPacket packet = { 0 };
  TestOutcome outcome = { 0 };

  g_test_summary ("Who leaves in order while the store is closed is not waited for");

  raw_peer_greet (peer, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  amnesia_store_set_close_timeout (store, G_MAXINT);
  test_set (store, "1");
  amnesia_store_close_async (store, NULL, test_closed_cb, &outcome);
  raw_frame_free (raw_peer_wait_frame (peer, AMNESIA_FRAME_WRITE));
  amnesia_frame_encode_bye (AMNESIA_BYE_LEAVING, "leaving", &packet);
  raw_peer_send (peer, &packet);
  g_clear_pointer (&peer, raw_peer_free);
  g_clear_pointer (&door, raw_door_free);
  test_until (outcome.n_done == 1);
  g_assert_no_error (outcome.error);
  test_free_store (store);
}

static void
test_cut_while_closing (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (RawPeer) peer = raw_door_accept (door);
  TestOutcome outcome = { 0 };

  g_test_summary ("A link that is cut while the store is closed comes back, and the value arrives");

  raw_peer_greet (peer, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  test_set (store, "1");
  amnesia_store_close_async (store, NULL, test_closed_cb, &outcome);
  g_clear_pointer (&peer, raw_peer_free);
  peer = raw_door_accept (door);
  raw_peer_greet (peer, 7, 1);
  raw_frame_free (raw_peer_wait_frame (peer, AMNESIA_FRAME_WRITE));
  raw_peer_send_ack (peer, 1);
  raw_peer_wait_bye (peer, AMNESIA_BYE_LEAVING, "*");
  g_clear_pointer (&peer, raw_peer_free);
  test_until (outcome.n_done == 1);
  g_assert_no_error (outcome.error);
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/close/at-once", test_at_once);
  g_test_add_func ("/close/last-of-many", test_last_of_many);
  g_test_add_func ("/close/large", test_large);
  g_test_add_func ("/close/not-in-sync", test_not_in_sync);
  g_test_add_func ("/close/too-large", test_too_large);
  g_test_add_func ("/close/small-guest", test_small_guest);
  g_test_add_func ("/close/acknowledged", test_acknowledged);
  g_test_add_func ("/close/ends-without-peer", test_ends_without_peer);
  g_test_add_func ("/close/A8-twice", test_twice);
  g_test_add_func ("/close/A8-cancel", test_cancel);
  g_test_add_func ("/close/open-meanwhile", test_open_meanwhile);
  g_test_add_func ("/close/close-ends-opening", test_close_ends_opening);
  g_test_add_func ("/close/P11-nothing-left", test_nothing_left);
  g_test_add_func ("/close/A3-stays", test_stays);
  g_test_add_func ("/close/states", test_states);
  g_test_add_func ("/close/lost-meanwhile", test_lost_while_closing);
  g_test_add_func ("/close/left-meanwhile", test_left_while_closing);
  g_test_add_func ("/close/cut-meanwhile", test_cut_while_closing);
  return g_test_run ();
}
