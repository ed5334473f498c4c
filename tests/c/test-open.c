/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

#include "mesh/amnesia-limits-private.h"

#define SECOND G_TIME_SPAN_SECOND

/* What came of an asynchronous call. */
typedef struct
{
  gboolean done;
  gboolean success;
  GError  *error;
} Outcome;

static void
opened_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  Outcome *outcome = user_data;

  g_assert_false (outcome->done);
  outcome->done = TRUE;
  outcome->success = amnesia_store_open_finish (AMNESIA_STORE (source), result, &outcome->error);
}

static gboolean
can_connect (guint index)
{
  g_autoptr (GSocketAddress) address =
    g_inet_socket_address_new_from_string (test_host (), test_port (index));
  g_autoptr (GSocket) socket =
    g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  return g_socket_connect (socket, address, NULL, NULL);
}

static void
test_background (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  guint n = test_n_descriptors ();

  g_test_summary ("No socket and no signal before the context is iterated");

  amnesia_store_set_conf (store, conf);
  g_assert_true (amnesia_store_get_conf (store) == conf);
  g_usleep (20 * 1000); /* nothing is to happen, so there is no event to wait for */
  test_assert_diary (diary, "conf", NULL);
  g_assert_cmpuint (test_diary_count_log (diary, "*"), ==, 0);
  g_assert_cmpuint (test_n_descriptors (), ==, n);
  g_assert_false (can_connect (0));
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);

  test_wait_state (store, AMNESIA_STATE_ALONE);
  g_assert_true (can_connect (0));
  test_free_store (store);
}

static void
test_not_configured (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GError) error = NULL;
  Outcome outcome = { 0 };

  g_test_summary ("Opening without a configuration is an error");

  g_assert_false (amnesia_store_open_sync (store, NULL, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_CONFIGURED);
  amnesia_store_open_async (store, NULL, opened_cb, &outcome);
  g_assert_false (outcome.done);
  test_until (outcome.done);
  g_assert_error (outcome.error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_CONFIGURED);
  g_clear_error (&outcome.error);
  test_free_store (store);
}

static void
test_join (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_new_store (conf);
  Outcome outcomes[3] = { { 0 } };

  g_test_summary ("open_async joins an opening under way, and answers at once when it is open");

  amnesia_store_open_async (store, NULL, opened_cb, &outcomes[0]);
  amnesia_store_open_async (store, NULL, opened_cb, &outcomes[1]);
  test_until (outcomes[0].done && outcomes[1].done);
  g_assert_true (outcomes[0].success && outcomes[1].success);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_ALONE);
  amnesia_store_open_async (store, NULL, opened_cb, &outcomes[2]);
  g_assert_false (outcomes[2].done);
  test_until (outcomes[2].done);
  g_assert_true (outcomes[2].success);
  g_assert_true (amnesia_store_open_sync (store, NULL, NULL));
  test_free_store (store);
}

static void
test_cancel (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (RawDoor) silent = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  Outcome cancelled = { 0 }, patient = { 0 };

  g_test_summary ("Cancelling ends one waiting, not the opening");

  amnesia_store_open_async (store, cancellable, opened_cb, &cancelled);
  amnesia_store_open_async (store, NULL, opened_cb, &patient);
  test_wait_state (store, AMNESIA_STATE_SYNCING);
  g_cancellable_cancel (cancellable);
  test_until (cancelled.done);
  g_assert_error (cancelled.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&cancelled.error);
  g_assert_false (patient.done);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_SYNCING);
  g_clear_pointer (&silent, raw_door_free);
  test_until (patient.done);
  g_assert_true (patient.success);
  test_free_store (store);
}

static void
test_cancelled_before (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (GError) error = NULL;

  g_test_summary ("A call that was cancelled before opens in the background all the same");

  g_cancellable_cancel (cancellable);
  g_assert_false (amnesia_store_open_sync (store, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  test_free_store (store);
}

static void
test_alone (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (4);
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autofree char *listening = g_strdup_printf ("listening %s:%u", test_host (), test_port (0));
  gint64 start = g_get_monotonic_time ();

  g_test_summary ("Alone at once when every dial is refused");

  amnesia_store_set_conf (store, conf);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  g_assert_cmpint (g_get_monotonic_time () - start, <, test_slowness () * SECOND / 2);
  test_assert_diary (diary, "conf", listening, "state syncing", "state alone", NULL);
  g_assert_cmpstr (amnesia_store_get_listening (store), ==, listening + 10);
  test_free_store (store);
}

static void
test_synced (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (b);
  g_autoptr (TestDiary) diary_a = NULL;
  g_autofree char *listening = g_strdup_printf ("listening %s:%u", test_host (), test_port (1));
  gint64 start;

  g_test_summary ("Synced is told after the value, at once if every first dial has ended");

  test_set (a, "'kept'");
  diary_a = test_diary_new (a);
  start = g_get_monotonic_time ();
  amnesia_store_set_conf (b, conf);
  test_wait_state (b, AMNESIA_STATE_SYNCED);
  g_assert_cmpint (g_get_monotonic_time () - start, <, test_slowness () * SECOND / 2);
  test_assert_diary (diary, "conf", listening, "state syncing",
                     "changed unset -> 'kept' remote", "data", "updated", "state synced", NULL);
  test_until (test_diary_has (diary_a, "state synced"));
  test_assert_diary (diary_a, "state syncing", "state synced", NULL);
  test_free_store (a);
  test_free_store (b);
}

static void
test_newest_wins (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = amnesia_store_new ();
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("What was written before opening wins if it is newer, and loses if it is older");

  test_set (b, "'older'");
  test_pass_time (3);
  test_set (a, "'middle'");
  amnesia_store_set_conf (b, conf);
  diary = test_diary_new (b);
  test_wait_state (b, AMNESIA_STATE_SYNCED);
  test_assert_data (b, "'middle'");
  g_assert_true (test_diary_has (diary, "changed 'older' -> 'middle' remote"));
  test_close_store (b);

  b = amnesia_store_new ();
  test_pass_time (3);
  test_set (b, "'newer'");
  amnesia_store_set_conf (b, conf);
  test_wait_state (b, AMNESIA_STATE_SYNCED);
  test_assert_data (b, "'newer'");
  test_until (test_has_data (a, "'newer'"));
  test_free_store (a);
  test_free_store (b);
}

/* Opens a store on entry 0 while entry 1 accepts and says nothing; returns how long it took. */
static gint64
time_with_silent (guint          n_entries,
                  AmnesiaState   wanted,
                  AmnesiaStore **good)
{
  g_autoptr (AmnesiaConf) conf = test_conf (n_entries);
  g_autoptr (RawDoor) silent = raw_door_new (1);
  g_autoptr (RawPeer) peer = NULL;
  g_autoptr (RawPeer) of_good = NULL;
  AmnesiaStore *store;
  gint64 start;

  if (good != NULL)
    {
      g_autoptr (AmnesiaConf) reversed = amnesia_conf_new ();
      guint i;

      for (i = n_entries; i > 0; i--)
        amnesia_conf_add_peer (reversed, test_host (), test_port (i - 1), NULL);
      *good = test_new_store (reversed);
      of_good = raw_door_accept (silent);
    }
  start = g_get_monotonic_time ();
  store = test_new_store (conf);
  peer = raw_door_accept (silent);
  test_wait_state (store, wanted);
  start = g_get_monotonic_time () - start;
  test_free_store (store);
  return start;
}

static void
test_silent_and_good (void)
{
  AmnesiaStore *good = NULL;
  gint64 time = time_with_silent (3, AMNESIA_STATE_SYNCED, &good);

  g_test_summary ("A silent peer holds up “synced” for a second, if another one has the value");

  g_assert_cmpint (time, >, SECOND * 9 / 10);
  g_assert_cmpint (time, <, test_slowness () * SECOND * 2);
  test_free_store (good);
}

static void
test_silent_only (void)
{
  gint64 time = time_with_silent (2, AMNESIA_STATE_ALONE, NULL);

  g_test_summary ("A peer that says nothing holds up “alone” for five seconds");

  g_assert_cmpint (time, >, SECOND * 9 / 2);
  g_assert_cmpint (time, <, test_slowness () * SECOND * 6);
}

static void
test_lost (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  AmnesiaStore *c;
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("Last link lost: alone; the next link: syncing, synced; a further one: nothing");

  test_wait_state (a, AMNESIA_STATE_SYNCED);
  diary = test_diary_new (a);
  c = test_store (conf);
  test_wait_linked (a, 2);
  test_wait_linked (b, 2);
  test_pass_time (50);
  test_assert_diary (diary, NULL, NULL);
  test_free_store (c);
  test_wait_linked (a, 1);
  test_assert_diary (diary, NULL, NULL);
  test_free_store (b);
  test_wait_state (a, AMNESIA_STATE_ALONE);
  test_assert_diary (diary, "state alone", NULL);
  b = test_store (conf);
  test_wait_state (a, AMNESIA_STATE_SYNCED);
  test_assert_diary (diary, "state syncing", "state synced", NULL);
  test_free_store (a);
  test_free_store (b);
}

static void
set_listen (AmnesiaConf *conf,
            const char  *host,
            guint        port)
{
  g_autoptr (GError) error = NULL;

  amnesia_conf_set_listen (conf, host, port, &error);
  g_assert_no_error (error);
}

static void
test_listen (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store;
  g_autofree char *wanted = g_strdup_printf ("%s:%u", test_host (), test_port (5));

  g_test_summary ("`listen` says where, whatever the entries are");

  set_listen (conf, test_host (), test_port (5));
  store = test_store (conf);
  g_assert_cmpstr (amnesia_store_get_listening (store), ==, wanted);
  g_assert_true (can_connect (5));
  g_assert_false (can_connect (0));
  test_free_store (store);
}

/* The opening of @store fails, and says so in all places. */
static void
assert_failure (AmnesiaStore *store,
                AmnesiaConf  *conf,
                const char   *pattern)
{
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (GError) error = NULL;

  amnesia_store_set_conf (store, conf);
  test_until (amnesia_store_get_error (store) != NULL);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
  g_assert_true (g_pattern_match_simple (pattern, amnesia_store_get_error (store)->message));
  test_assert_diary (diary, "conf", "error", NULL);
  test_drain ();
  g_assert_cmpuint (test_diary_count_log (diary, pattern), ==, 1);

  g_assert_false (amnesia_store_open_sync (store, NULL, &error));
  g_assert_cmpstr (error->message, ==, amnesia_store_get_error (store)->message);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
}

static void
test_failing_listen (void)
{
  g_autoptr (AmnesiaConf) taken = test_conf (1);
  g_autoptr (AmnesiaConf) elsewhere = test_conf (1);
  g_autoptr (AmnesiaConf) good = test_conf (1);
  g_autoptr (RawDoor) door = raw_door_new (5);
  AmnesiaStore *a = amnesia_store_new ();
  AmnesiaStore *b = amnesia_store_new ();
  g_autofree char *port = g_strdup_printf ("*%u*another program*", test_port (5));

  g_test_summary ("If `listen` cannot be had the store stays closed, and says why");

  set_listen (taken, test_host (), test_port (5));
  assert_failure (a, taken, port);
  set_listen (elsewhere, "203.0.113.1", test_port (5));
  assert_failure (b, elsewhere, "*203.0.113.1*");
  amnesia_store_set_conf (a, good);
  test_wait_state (a, AMNESIA_STATE_ALONE);
  g_assert_null (amnesia_store_get_error (a));
  test_free_store (a);
  test_free_store (b);
}

static void
test_next_entry (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  g_autoptr (RawDoor) taken = raw_door_new (0);
  AmnesiaStore *first, *second, *guest;
  g_autofree char *one = g_strdup_printf ("%s:%u", test_host (), test_port (1));
  g_autofree char *two = g_strdup_printf ("%s:%u", test_host (), test_port (2));

  g_test_summary ("An entry that is in use is passed over; when none is left, it is a guest");

  first = test_new_store (conf);
  test_until (amnesia_store_get_listening (first) != NULL);
  g_assert_cmpstr (amnesia_store_get_listening (first), ==, one);
  second = test_new_store (conf);
  test_until (amnesia_store_get_listening (second) != NULL);
  g_assert_cmpstr (amnesia_store_get_listening (second), ==, two);
  guest = test_new_store (conf);
  test_wait_linked (guest, 1);
  g_assert_null (amnesia_store_get_listening (guest));
  test_free_store (guest);
  test_free_store (first);
  test_free_store (second);
}

static void
test_elsewhere (void)
{
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  AmnesiaStore *store;
  g_autofree char *wanted = g_strdup_printf ("%s:%u", test_host (), test_port (0));

  g_test_summary ("Entries of other machines are passed over, and shown as peers");

  amnesia_conf_add_peer (conf, "203.0.113.1", 7777, NULL);
  amnesia_conf_add_peer (conf, test_host (), test_port (0), NULL);
  store = test_new_store (conf);
  test_until (amnesia_store_get_listening (store) != NULL);
  g_assert_cmpstr (amnesia_store_get_listening (store), ==, wanted);
  g_assert_nonnull (test_find_peer (store, 7777));
  g_assert_null (test_find_peer (store, test_port (0)));
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (store)), ==, 1);
  test_free_store (store);
}

static void
test_null_closes (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("A NULL configuration closes; one that is set and taken back opens nothing");

  test_wait_state (a, AMNESIA_STATE_SYNCED);
  diary = test_diary_new (a);
  amnesia_store_set_conf (a, NULL);
  test_assert_diary (diary, "conf", NULL);
  test_wait_state (a, AMNESIA_STATE_CLOSED);
  g_assert_false (can_connect (0));
  g_assert_null (amnesia_store_get_listening (a));
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (a)), ==, 0);
  test_wait_state (b, AMNESIA_STATE_ALONE);

  test_diary_clear (diary);
  amnesia_store_set_conf (a, conf);
  amnesia_store_set_conf (a, NULL);
  test_pass_time (50);
  test_assert_diary (diary, "conf", "conf", NULL);
  test_free_store (a);
  test_free_store (b);
}

static void
test_null_ends_waiting (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_new_store (conf);
  Outcome outcome = { 0 };

  g_test_summary ("Who waits for an opening that is taken back gets an error");

  amnesia_store_open_async (store, NULL, opened_cb, &outcome);
  amnesia_store_set_conf (store, NULL);
  test_until (outcome.done);
  g_assert_error (outcome.error, AMNESIA_ERROR, AMNESIA_ERROR_CLOSED);
  g_clear_error (&outcome.error);
  test_free_store (store);
}

static gboolean
block_cb (gpointer user_data)
{
  AmnesiaStore **store = user_data;
  g_autoptr (GError) error = NULL;

  g_assert_false (amnesia_store_open_sync (*store, NULL, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT);
  g_clear_error (&error);
  g_assert_false (amnesia_store_close_sync (*store, NULL, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT);
  g_clear_object (store);
  return G_SOURCE_REMOVE;
}

static void
test_block_in_dispatch (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_new_store (conf);

  g_test_summary ("Blocking inside a dispatch fails at once");

  g_idle_add_full (G_PRIORITY_HIGH, block_cb, &store, NULL);
  test_until (store == NULL);
}

static void
hold_cb (GObject    *source,
         GParamSpec *pspec,
         gpointer    user_data)
{
  AmnesiaStore **store = user_data;

  if (*store != NULL && amnesia_store_get_state (*store) == AMNESIA_STATE_SYNCED)
    g_clear_object (store);
}

static void
test_drop_in_state (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_new_store (conf);

  g_test_summary ("The last reference may be dropped by who is told that it is synced");

  g_signal_connect (b, "notify::state", G_CALLBACK (hold_cb), &b);
  test_until (b == NULL);
  test_wait_state (a, AMNESIA_STATE_ALONE);
  test_free_store (a);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/open/background", test_background);
  g_test_add_func ("/open/not-configured", test_not_configured);
  g_test_add_func ("/open/join", test_join);
  g_test_add_func ("/open/A8-cancel", test_cancel);
  g_test_add_func ("/open/A8-cancelled-before", test_cancelled_before);
  g_test_add_func ("/open/alone", test_alone);
  g_test_add_func ("/open/synced", test_synced);
  g_test_add_func ("/open/newest-wins", test_newest_wins);
  g_test_add_func ("/open/silent-and-good", test_silent_and_good);
  g_test_add_func ("/open/T15-silent-only", test_silent_only);
  g_test_add_func ("/open/lost", test_lost);
  g_test_add_func ("/open/listen", test_listen);
  g_test_add_func ("/open/P10-failing-listen", test_failing_listen);
  g_test_add_func ("/open/C6-P10-next-entry", test_next_entry);
  g_test_add_func ("/open/C6-elsewhere", test_elsewhere);
  g_test_add_func ("/open/null-closes", test_null_closes);
  g_test_add_func ("/open/null-ends-waiting", test_null_ends_waiting);
  g_test_add_func ("/open/A2-block-in-dispatch", test_block_in_dispatch);
  g_test_add_func ("/open/drop-in-state", test_drop_in_state);
  return g_test_run ();
}
