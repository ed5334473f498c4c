/* SPDX-License-Identifier: MIT */

/* What a program may do at the wrong time, in the wrong place or with the wrong things: the rows A of
 * the catalogue, and those of P that one process can show. */

#include "raw-peer.h"

#include <errno.h>
#include <signal.h>

#define SECOND G_TIME_SPAN_SECOND
#define LARGE (8 * 1024 * 1024)

static GVariant *
make_large (void)
{
  g_autofree guint8 *zeros = g_malloc0 (LARGE);

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, LARGE, 1);
}

/* --- A2 --- */

static gpointer
make_store_and_end (gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  AmnesiaStore *store;

  g_main_context_push_thread_default (context);
  store = test_new_store (user_data);
  g_main_context_pop_thread_default (context);
  return store;
}

static void
test_no_loop (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = g_thread_join (g_thread_new ("brief", make_store_and_end, conf));
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (GError) error = NULL;

  g_test_summary ("A store of a context that nobody runs stays closed; a blocking call runs it");

  test_set (store, "1");
  test_pass_time (100);
  test_assert_diary (diary, "changed unset -> 1 local", "data", "updated", NULL);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
  g_assert_true (amnesia_store_open_sync (store, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_ALONE);
  g_assert_true (amnesia_store_close_sync (store, NULL, &error));
  g_assert_no_error (error);
  test_free_store (store);
}

/* --- A3 --- */

static void
count_cb (AmnesiaStore *store,
          GVariant     *old_value,
          GVariant     *new_value,
          gboolean      remote,
          guint        *count)
{
  g_assert_false (remote);
  (*count)++;
}

static void
test_during_close (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  TestOutcome outcome = { 0 };
  guint count = 0;

  g_test_summary ("What is set while closing is told here, and is with the others when it has ended");

  test_wait_linked (a, 1);
  g_signal_connect (b, "changed", G_CALLBACK (count_cb), &count);
  amnesia_store_set_data (b, make_large ());
  amnesia_store_close_async (b, NULL, test_closed_cb, &outcome);
  test_set (b, "'during'");
  g_assert_cmpuint (count, ==, 2);
  test_until (outcome.n_done == 1);
  g_assert_no_error (outcome.error);
  test_assert_data (a, "'during'");
  test_set (b, "'after'");
  test_assert_data (b, "'after'");
  test_free_store (a);
  test_free_store (b);
}

static GObjectClass *parent_class;
static guint n_disposed;

/* Does all that a careless program may do there. */
static void
careless_dispose (GObject *object)
{
  AmnesiaStore *store = AMNESIA_STORE (object);
  g_autoptr (GVariant) data = NULL;

  n_disposed++;
  test_set (store, "'in dispose'");
  test_assert_data (store, "'in dispose'");
  amnesia_store_set_conf (store, NULL);
  amnesia_store_set_close_timeout (store, n_disposed);
  data = amnesia_store_get_data (store);
  parent_class->dispose (object);
  test_set (store, "'after dispose'");
}

static void
careless_class_init (gpointer klass,
                     gpointer data)
{
  parent_class = g_type_class_peek_parent (klass);
  G_OBJECT_CLASS (klass)->dispose = careless_dispose;
}

static GType
careless_get_type (void)
{
  static GType type;
  GTypeQuery query;

  if (type != 0)
    return type;
  g_type_query (AMNESIA_TYPE_STORE, &query);
  type = g_type_register_static_simple (AMNESIA_TYPE_STORE, "CarelessStore", query.class_size,
                                        careless_class_init, query.instance_size, NULL, 0);
  return type;
}

static void
test_in_dispose (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *other = test_store (conf);
  guint before = test_n_descriptors ();
  guint round;

  g_test_summary ("A store that is set and closed in dispose, open or not, ends all the same");

  for (round = 0; round < 2; round++)
    {
      AmnesiaStore *store = g_object_new (careless_get_type (), NULL);
      AmnesiaStore *watched = NULL;
      g_autoptr (GError) error = NULL;

      if (round == 1)
        {
          amnesia_store_set_conf (store, conf);
          g_assert_true (amnesia_store_open_sync (store, NULL, &error));
        }
      g_set_weak_pointer (&watched, store);
      n_disposed = 0;
      g_object_unref (store);
      g_assert_null (watched);
      g_assert_cmpuint (n_disposed, ==, 1);
      test_drain ();
    }
  test_wait_linked (other, 0);
  test_until (test_n_descriptors () <= before);
  test_free_store (other);
}

/* --- A4 --- */

typedef void (*Call) (gpointer self);

/* clang-format off */
static void call_get_data (gpointer self) { g_assert_null (amnesia_store_get_data (self)); }
static void call_set_data (gpointer self) { amnesia_store_set_data (self, NULL); }
static void call_write (gpointer self) { g_assert_false (amnesia_store_write (self, NULL, NULL)); }
static void call_get_updated (gpointer self) { g_assert_null (amnesia_store_get_updated (self)); }
static void call_get_conf (gpointer self) { g_assert_null (amnesia_store_get_conf (self)); }
static void call_set_conf (gpointer self) { amnesia_store_set_conf (self, NULL); }
static void call_get_state (gpointer self) { amnesia_store_get_state (self); }
static void call_get_error (gpointer self) { g_assert_null (amnesia_store_get_error (self)); }
static void call_get_peers (gpointer self) { g_assert_null (amnesia_store_get_peers (self)); }
static void call_listening (gpointer self) { g_assert_null (amnesia_store_get_listening (self)); }
static void call_get_timeout (gpointer self) { amnesia_store_get_close_timeout (self); }
static void call_set_timeout (gpointer self) { amnesia_store_set_close_timeout (self, 1); }
static void call_open (gpointer self) { amnesia_store_open_async (self, NULL, NULL, NULL); }
static void call_open_finish (gpointer self) { amnesia_store_open_finish (self, NULL, NULL); }
static void call_open_sync (gpointer self) { amnesia_store_open_sync (self, NULL, NULL); }
static void call_close (gpointer self) { amnesia_store_close_async (self, NULL, NULL, NULL); }
static void call_close_finish (gpointer self) { amnesia_store_close_finish (self, NULL, NULL); }
static void call_close_sync (gpointer self) { amnesia_store_close_sync (self, NULL, NULL); }
static void call_history (gpointer self) { g_assert_null (amnesia_store_get_history (self)); }
static void call_get_length (gpointer self) { amnesia_store_get_history_length (self); }
static void call_set_length (gpointer self) { amnesia_store_set_history_length (self, 1); }
static void call_change_key (gpointer self) { g_assert_null (amnesia_change_get_key (self)); }
static void call_change_old (gpointer self) { g_assert_null (amnesia_change_get_old (self)); }
static void call_change_new (gpointer self) { g_assert_null (amnesia_change_get_new (self)); }
static void call_change_remote (gpointer self) { amnesia_change_get_remote (self); }
static void call_change_when (gpointer self) { g_assert_null (amnesia_change_get_when (self)); }
static void call_change_writer (gpointer self) { g_assert_null (amnesia_change_get_writer (self)); }
static void call_peer_name (gpointer self) { g_assert_null (amnesia_peer_get_name (self)); }
static void call_peer_status (gpointer self) { g_assert_null (amnesia_peer_get_status (self)); }
static void call_peer_host (gpointer self) { g_assert_null (amnesia_peer_get_host (self)); }
static void call_peer_port (gpointer self) { amnesia_peer_get_port (self); }
static void call_peer_state (gpointer self) { amnesia_peer_get_state (self); }
static void call_peer_way (gpointer self) { amnesia_peer_get_way (self); }
static void call_peer_trip (gpointer self) { amnesia_peer_get_round_trip (self); }
static void call_peer_offset (gpointer self) { amnesia_peer_get_clock_offset (self); }
static void call_peer_sync (gpointer self) { amnesia_peer_get_in_sync (self); }
static void call_peer_sending (gpointer self) { amnesia_peer_get_sending (self); }
static void call_peer_receiving (gpointer self) { amnesia_peer_get_receiving (self); }
static void call_peer_error (gpointer self) { g_assert_null (amnesia_peer_get_last_error (self)); }
static void call_conf_n (gpointer self) { amnesia_conf_get_n_peers (self); }
static void call_conf_add (gpointer self) { amnesia_conf_add_peer (self, "x", 1, NULL); }
static void call_conf_group (gpointer self) { amnesia_conf_set_group (self, "x"); }
/* clang-format on */

static void
test_wrong_self (void)
{
  static const Call calls[] = {
    call_get_data, call_set_data, call_write, call_get_updated, call_get_conf, call_set_conf,
    call_get_state, call_get_error, call_get_peers, call_listening, call_get_timeout,
    call_set_timeout, call_open, call_open_finish, call_open_sync, call_close, call_close_finish,
    call_close_sync, call_peer_host, call_peer_port, call_peer_state, call_peer_way, call_peer_trip,
    call_peer_offset, call_peer_sync, call_peer_error, call_conf_n, call_conf_add, call_conf_group,
    call_history, call_get_length, call_set_length, call_change_key, call_change_old, call_change_new,
    call_change_remote, call_change_when, call_change_writer, call_peer_name, call_peer_status,
    call_peer_sending, call_peer_receiving,
  };
  g_autoptr (GObject) other = g_object_new (G_TYPE_OBJECT, NULL);
  guint i, j;

  g_test_summary ("NULL, or an object of another type, is a critical from each function");

  for (i = 0; i < G_N_ELEMENTS (calls); i++)
    for (j = 0; j < 2; j++)
      {
        g_test_message ("call %u", i);
        g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*AMNESIA_IS_*");
        calls[i] (j == 0 ? NULL : other);
        g_test_assert_expected_messages ();
      }
}

static void
test_wrong_arguments (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  gpointer wrong = store;
  g_autoptr (GTask) foreign = g_task_new (NULL, NULL, NULL, NULL);
  GError *full = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_FAILED, "before");

  g_test_summary ("Arguments that are of no use are criticals, and change nothing");

  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*G_IS_CANCELLABLE*");
  amnesia_store_open_async (store, wrong, NULL, NULL);
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*G_IS_CANCELLABLE*");
  amnesia_store_close_async (store, wrong, NULL, NULL);
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*g_task_is_valid*");
  amnesia_store_open_finish (store, G_ASYNC_RESULT (foreign), NULL);
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*g_task_is_valid*");
  amnesia_store_close_finish (store, G_ASYNC_RESULT (foreign), NULL);
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*error == NULL*");
  g_assert_false (amnesia_store_write (store, NULL, &full));
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*milliseconds*");
  amnesia_store_set_close_timeout (store, G_MAXUINT);
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*AMNESIA_MAX_HISTORY*");
  amnesia_store_set_history_length (store, 10001);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (amnesia_store_get_history_length (store), ==, 0);
  g_assert_cmpuint (amnesia_store_get_close_timeout (store), ==, 5000);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
  g_task_return_boolean (foreign, TRUE);
  test_drain ();
  g_error_free (full);
  test_free_store (store);
}

/* --- A8 --- */

static void
test_each_ends_once (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *other = test_store (conf);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  TestOutcome outcomes[8] = { 0 };
  guint i;

  g_test_summary ("Openings, closings and cancelled ones in one turn: each ends exactly once");

  g_cancellable_cancel (cancelled);
  for (i = 0; i < 2; i++)
    {
      amnesia_store_open_async (store, NULL, test_opened_cb, &outcomes[i]);
      amnesia_store_close_async (store, NULL, test_closed_cb, &outcomes[2 + i]);
      amnesia_store_open_async (store, cancelled, test_opened_cb, &outcomes[4 + i]);
      amnesia_store_close_async (store, cancelled, test_closed_cb, &outcomes[6 + i]);
    }
  for (i = 0; i < 8; i++)
    g_assert_cmpuint (outcomes[i].n_done, ==, 0);
  for (i = 0; i < 8; i++)
    test_until (outcomes[i].n_done == 1);
  test_pass_time (100);
  for (i = 0; i < 8; i++)
    {
      g_assert_cmpuint (outcomes[i].n_done, ==, 1);
      if (i == 2 || i == 3)
        g_assert_no_error (outcomes[i].error);
      if (i >= 6)
        g_assert_error (outcomes[i].error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&outcomes[i].error);
    }
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
  test_free_store (store);
  test_free_store (other);
}

/* --- A9 --- */

static void
test_half_a_frame (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (GError) error = NULL;

  g_test_summary ("A frame of which half is out is never followed by another one on that link");

  raw_peer_set_reading (raw, FALSE);
  amnesia_store_set_close_timeout (store, 0);
  amnesia_store_set_data (store, make_large ());
  test_set (store, "'next'");
  test_drain ();
  g_assert_false (amnesia_store_close_sync (store, NULL, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC);
  raw_peer_set_reading (raw, TRUE);
  raw_peer_wait_closed (raw);
  g_assert_cmpuint (raw->n_bytes, <, LARGE);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_WRITE), ==, 0);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_BYE), ==, 0);
  test_free_store (store);
}

/* --- A10 --- */

static void
peer_notify_cb (AmnesiaPeer *peer,
                GParamSpec  *pspec,
                guint       *count)
{
  g_assert_cmpuint (amnesia_peer_get_port (peer), ==, test_port (1));
  (*count)++;
}

static void
test_peer_goes (void)
{
  g_autoptr (AmnesiaConf) two = test_conf (2);
  g_autoptr (AmnesiaConf) one = test_conf (1);
  AmnesiaStore *a = test_store (two);
  AmnesiaStore *b = test_store (two);
  AmnesiaPeer *peer, *watched = NULL;
  g_autoptr (AmnesiaPeer) kept = NULL;
  guint count = 0, kept_count = 0;

  g_test_summary ("Peers to which handlers are connected may go, or outlive list and store");

  test_wait_linked (a, 1);
  peer = test_find_peer (a, test_port (1));
  g_set_weak_pointer (&watched, peer);
  g_signal_connect (peer, "notify", G_CALLBACK (peer_notify_cb), &count);
  amnesia_store_set_conf (a, one);
  test_until (watched == NULL);
  g_assert_cmpuint (count, >, 0);

  amnesia_store_set_conf (a, two);
  test_wait_linked (a, 1);
  kept = g_object_ref (test_find_peer (a, test_port (1)));
  g_signal_connect (kept, "notify", G_CALLBACK (peer_notify_cb), &kept_count);
  test_free_store (a);
  test_free_store (b);
  g_assert_cmpuint (amnesia_peer_get_port (kept), ==, test_port (1));
  g_assert_cmpint (amnesia_peer_get_state (kept), !=, AMNESIA_PEER_STATE_CONNECTED);
  g_object_notify (G_OBJECT (kept), "state");
  g_assert_cmpuint (kept_count, >, 0);
}

/* --- P4 --- */

static void
test_blocked_loop (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);

  g_test_summary ("Whose loop was blocked for longer than silence is borne blames nobody for it");

  g_usleep (6500 * 1000); /* a handler that takes its time: there is no event to wait for */
  test_pass_time (500);
  g_assert_false (raw->closed);
  g_assert_cmpuint (test_n_linked (store), ==, 1);
  test_set (store, "1");
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE));
  test_free_store (store);
}

/* --- P9 --- */

static void
break_pipes (void)
{
  struct sigaction action;
  int i;

  /* GLib sets it with the first socket, and not again */
  {
    g_autoptr (RawDoor) first = raw_door_new (9);

    g_assert_no_errno (sigaction (SIGPIPE, NULL, &action));
    g_assert_true (action.sa_handler == SIG_IGN);
  }
  signal (SIGPIPE, SIG_DFL);
  for (i = 0; i < 20; i++)
    {
      RawPeer *raw = NULL;
      AmnesiaStore *store = raw_door_open_store (&raw);

      raw_peer_set_reading (raw, FALSE);
      amnesia_store_set_data (store, make_large ());
      /* with bytes unread it resets the connection */
      raw_peer_free (raw);
      test_set (store, "1");
      test_set (store, "2");
      test_wait_linked (store, 0);
      test_free_store (store);
    }
  g_assert_no_errno (sigaction (SIGPIPE, NULL, &action));
  g_assert_true (action.sa_handler == SIG_DFL);
}

static void
test_sigpipe (void)
{
  g_test_summary ("A program that wants SIGPIPE does not die of a peer that has gone");

  if (g_test_subprocess ())
    return break_pipes ();
  g_test_trap_subprocess (NULL, 30 * SECOND, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/misuse/A2-no-loop", test_no_loop);
  g_test_add_func ("/misuse/A3-during-close", test_during_close);
  g_test_add_func ("/misuse/A3-in-dispose", test_in_dispose);
  g_test_add_func ("/misuse/A4-wrong-self", test_wrong_self);
  g_test_add_func ("/misuse/A4-wrong-arguments", test_wrong_arguments);
  g_test_add_func ("/misuse/A8-each-ends-once", test_each_ends_once);
  g_test_add_func ("/misuse/A9-half-a-frame", test_half_a_frame);
  g_test_add_func ("/misuse/A10-peer-goes", test_peer_goes);
  g_test_add_func ("/misuse/P4-blocked-loop", test_blocked_loop);
  g_test_add_func ("/misuse/P9-sigpipe", test_sigpipe);
  return g_test_run ();
}
