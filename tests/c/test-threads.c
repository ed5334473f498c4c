/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

#include "amnesia-store-private.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- another thread --- */

static gpointer
use_from_thread (gpointer user_data)
{
  AmnesiaStore *store = user_data;
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_int32 (2));
  g_autoptr (GVariant) data = NULL;
  g_autoptr (GDateTime) updated = NULL;

  amnesia_store_set_data (store, value);
  g_assert_false (amnesia_store_write (store, value, NULL));
  data = amnesia_store_get_data (store);
  g_assert_null (data);
  updated = amnesia_store_get_updated (store);
  g_assert_null (updated);
  amnesia_store_set_conf (store, NULL);
  g_assert_null (amnesia_store_get_conf (store));
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
  g_assert_null (amnesia_store_get_peers (store));
  amnesia_store_open_async (store, NULL, NULL, NULL);
  amnesia_store_close_async (store, NULL, NULL, NULL);
  amnesia_store_set_close_timeout (store, 1);
  g_assert_null (amnesia_store_get_history (store));
  g_assert_cmpuint (amnesia_store_get_history_length (store), ==, 0);
  amnesia_store_set_history_length (store, 1);
  g_assert_false (amnesia_store_get_guest (store));
  amnesia_store_set_guest (store, TRUE);
  return NULL;
}

static void
expect_criticals (guint n)
{
  guint i;

  for (i = 0; i < n; i++)
    g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*own_context*");
}

static void
test_other_thread (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (TestDiary) diary = test_diary_new (store);

  g_test_summary ("A call while another thread owns the context is a critical and does nothing");

  test_set (store, "1");
  test_diary_clear (diary);
  g_assert_true (g_main_context_acquire (NULL));
  expect_criticals (16);
  g_thread_join (g_thread_new ("other", use_from_thread, store));
  g_test_assert_expected_messages ();
  g_main_context_release (NULL);
  test_drain ();
  test_assert_data (store, "1");
  test_assert_diary (diary, NULL, NULL);
  g_assert_true (amnesia_store_get_conf (store) == conf);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_ALONE);
  g_assert_cmpuint (amnesia_store_get_close_timeout (store), ==, 5000);
  g_assert_cmpuint (amnesia_store_get_history_length (store), ==, 0);
  test_free_store (store);
}

static gpointer
block_in_thread (gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (amnesia_store_open_sync (user_data, NULL, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT);
  g_clear_error (&error);
  g_assert_false (amnesia_store_close_sync (user_data, NULL, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT);
  return NULL;
}

static void
test_block_elsewhere (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);

  g_test_summary ("A blocking call while another thread owns the context fails at once");

  g_assert_true (g_main_context_acquire (NULL));
  g_thread_join (g_thread_new ("other", block_in_thread, store));
  g_main_context_release (NULL);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_ALONE);
  test_free_store (store);
}

static gpointer
set_in_thread (gpointer user_data)
{
  test_set (user_data, "2");
  return NULL;
}

static void
test_idle_context (void)
{
  AmnesiaStore *store = amnesia_store_new ();

  g_test_summary ("Where no thread owns the context, any may call");

  g_thread_join (g_thread_new ("other", set_in_thread, store));
  test_assert_data (store, "2");
  test_free_store (store);
}

/* --- A1 --- */

#define N_THREADS 4
#define N_CALLS 2000

static int n_turned_away;

/* Counts what is to happen here, and is not to end the process. */
static gboolean
is_fatal (const char     *domain,
          GLogLevelFlags  level,
          const char     *message,
          gpointer        user_data)
{
  if (strstr (message, "own_context") == NULL)
    return TRUE;
  g_atomic_int_inc (&n_turned_away);
  return FALSE;
}

static void
swallow (const char     *domain,
         GLogLevelFlags  level,
         const char     *message,
         gpointer        user_data)
{
}

static gpointer
hammer (gpointer user_data)
{
  AmnesiaStore *store = user_data;
  guint i;

  for (i = 0; i < N_CALLS; i++)
    {
      g_autoptr (GVariant) data = NULL;
      g_autoptr (GDateTime) updated = NULL;

      amnesia_store_write (store, g_variant_new_int32 ((gint32) i), NULL);
      data = amnesia_store_get_data (store);
      updated = amnesia_store_get_updated (store);
      amnesia_store_set_data (store, g_variant_new_int32 (-1));
      g_assert_true (data == NULL || g_variant_is_of_type (data, G_VARIANT_TYPE_INT32));
    }
  return NULL;
}

/* @running: whether the context is run meanwhile */
static void
hammer_all (AmnesiaStore *store,
            gboolean      running)
{
  GThread *threads[N_THREADS];
  GLogFunc handler = g_log_set_default_handler (swallow, NULL);
  guint i;

  n_turned_away = 0;
  g_test_log_set_fatal_handler (is_fatal, NULL);
  if (running)
    g_assert_true (g_main_context_acquire (NULL));
  for (i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("hammer", hammer, store);
  if (running)
    test_until (g_atomic_int_get (&n_turned_away) == N_THREADS * N_CALLS * 4);
  for (i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  if (running)
    g_main_context_release (NULL);
  g_log_set_default_handler (handler, NULL);
  g_test_log_set_fatal_handler (NULL, NULL);
}

static void
test_running_context (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("While the context runs, other threads are turned away, and nothing is changed");

  test_set (store, "'kept'");
  diary = test_diary_new (store);
  hammer_all (store, TRUE);
  g_assert_cmpint (n_turned_away, ==, N_THREADS * N_CALLS * 4);
  test_assert_diary (diary, NULL, NULL);
  test_assert_data (store, "'kept'");
  test_free_store (store);
}

typedef struct
{
  GVariant *last; /* (owned) (nullable) */
  int       n_inside;
  guint     n;
} Chain;

static void
chain_cb (AmnesiaStore *store,
          GVariant     *old_value,
          GVariant     *new_value,
          gboolean      remote,
          Chain        *chain)
{
  g_assert_true (g_atomic_int_add (&chain->n_inside, 1) == 0);
  g_assert_true (chain->last == old_value);
  g_clear_pointer (&chain->last, g_variant_unref);
  chain->last = g_variant_ref (new_value);
  chain->n++;
  g_atomic_int_add (&chain->n_inside, -1);
}

static void
test_free_context (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GVariant) data = NULL;
  Chain chain = { 0 };

  g_test_summary ("While nobody runs the context, threads have it in turn, or are turned away");

#ifdef __SANITIZE_THREAD__
  g_test_skip ("the locks of a GLib that is not built for it are nothing to ThreadSanitizer");
  test_free_store (store);
  return;
#endif
  g_signal_connect (store, "changed", G_CALLBACK (chain_cb), &chain);
  hammer_all (store, FALSE);
  g_test_message ("%u transitions, %d calls turned away", chain.n, n_turned_away);
  data = amnesia_store_get_data (store);
  g_assert_true (data == chain.last);
  g_assert_cmpuint (chain.n, >, 0);
  g_assert_cmpint (n_turned_away, <, N_THREADS * N_CALLS * 4);
  g_clear_pointer (&chain.last, g_variant_unref);
  test_free_store (store);
}

static gpointer
unref_in_thread (gpointer user_data)
{
  g_object_unref (user_data);
  return NULL;
}

static void
unref_elsewhere (AmnesiaStore *store)
{
  AmnesiaStore *watched = NULL;

  g_set_weak_pointer (&watched, store);
  g_assert_true (g_main_context_acquire (NULL));
  g_thread_join (g_thread_new ("other", unref_in_thread, store));
  g_main_context_release (NULL);
  g_assert_null (watched);
}

static void
ignore_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  (*(guint *) user_data)++;
}

static void
test_last_unref (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  g_autoptr (RawDoor) silent = raw_door_new (2);
  AmnesiaStore *good = test_new_store (conf);
  guint before, i;

  g_test_summary ("The last reference may be dropped by any thread, whatever is pending");

  test_until (amnesia_store_get_listening (good) != NULL);
  test_wait_state (good, AMNESIA_STATE_ALONE);
  before = test_n_descriptors ();
  for (i = 0; i < 60; i++)
    {
      AmnesiaStore *store = test_new_store (conf);
      guint j;

      if (i % 3 == 1)
        amnesia_store_set_conf (store, NULL);
      amnesia_store_set_data (store, g_variant_new_uint32 (i));
      for (j = 0; j < i; j++)
        g_main_context_iteration (NULL, FALSE);
      if (i % 5 == 0)
        amnesia_store_set_conf (store, NULL);
      unref_elsewhere (store);
    }
  test_wait_linked (good, 0);
  test_until (test_n_descriptors () <= before);
  test_free_store (good);
}

static int letting_go;

/* Of a value that takes its time to go. Who waits for it tells nobody: there is no event to wait for. */
static void
let_go_slowly (gpointer bytes)
{
  g_atomic_int_set (&letting_go, TRUE);
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
}

static void
test_unref_beside (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  AmnesiaStore *other = amnesia_store_new ();
  GVariant *value;
  g_autoptr (GThread) thread = NULL;

  g_test_summary ("That another thread lets go of a store is no reason why calls of the own one should fail");

  test_set (store, "1");
  value = g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, "", 1, TRUE, let_go_slowly, NULL);
  g_assert_true (amnesia_store_set_key (other, "key", value, NULL));
  thread = g_thread_new ("other", unref_in_thread, other);
  /* nobody runs the context, so the other thread has it until it is done */
  while (!g_atomic_int_get (&letting_go))
    g_thread_yield ();
  test_assert_data (store, "1");
  g_thread_join (g_steal_pointer (&thread));
  test_free_store (store);
}

static void
test_unref_with_task (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) silent = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  AmnesiaStore *watched = NULL;
  guint n_done = 0;

  g_test_summary ("Who waits for an opening keeps the store until that has ended");

  amnesia_store_open_async (store, NULL, ignore_cb, &n_done);
  test_wait_state (store, AMNESIA_STATE_SYNCING);
  g_set_weak_pointer (&watched, store);
  g_object_unref (store);
  g_assert_nonnull (watched);
  g_clear_pointer (&silent, raw_door_free);
  test_until (n_done == 1);
  test_until (watched == NULL);
}

/* --- a store of a worker thread --- */

typedef struct
{
  AmnesiaConf *conf;
  gboolean     wrong_thread;
  gint32       got;
  GThread     *thread;
} Worker;

static void
worker_changed_cb (AmnesiaStore *store,
                   GVariant     *old_value,
                   GVariant     *new_value,
                   gboolean      remote,
                   Worker       *worker)
{
  worker->wrong_thread |= g_thread_self () != worker->thread;
  worker->got = g_variant_get_int32 (new_value);
}

static gpointer
work (gpointer user_data)
{
  Worker *worker = user_data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  AmnesiaStore *store;
  g_autoptr (GError) error = NULL;

  worker->thread = g_thread_self ();
  g_main_context_push_thread_default (context);
  store = amnesia_store_new ();
  g_signal_connect (store, "changed", G_CALLBACK (worker_changed_cb), worker);
  amnesia_store_set_conf (store, worker->conf);
  g_assert_true (amnesia_store_open_sync (store, NULL, &error));
  g_assert_no_error (error);
  while (worker->got != 2)
    g_main_context_iteration (context, TRUE);
  test_set (store, "3");
  g_assert_true (amnesia_store_close_sync (store, NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (store);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_worker (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *store = test_store (conf);
  Worker worker = { .conf = conf };
  GThread *thread = g_thread_new ("worker", work, &worker);

  g_test_summary ("A store belongs to the context of its thread, and emits there");

  test_wait_linked (store, 1);
  test_set (store, "2");
  test_until (test_has_data (store, "3"));
  test_wait_linked (store, 0);
  g_thread_join (thread);
  g_assert_false (worker.wrong_thread);
  test_free_store (store);
}

/* --- fork --- */

/* Only what is safe in the child of a process with threads; the number says what went wrong. */
static int
use_in_child (AmnesiaStore *store)
{
  g_autoptr (GError) error = NULL;
  int i;

  if (amnesia_store_write (store, NULL, &error) ||
      !g_error_matches (error, AMNESIA_ERROR, AMNESIA_ERROR_FORKED))
    return 1;
  g_clear_error (&error);
  if (amnesia_store_open_sync (store, NULL, &error) ||
      !g_error_matches (error, AMNESIA_ERROR, AMNESIA_ERROR_FORKED))
    return 2;
  g_clear_error (&error);
  if (amnesia_store_close_sync (store, NULL, &error) ||
      !g_error_matches (error, AMNESIA_ERROR, AMNESIA_ERROR_FORKED))
    return 3;
  amnesia_store_set_conf (store, NULL);
  if (amnesia_store_get_conf (store) == NULL)
    return 4;
  amnesia_store_set_data (store, g_variant_new_int32 (9));
  if (!test_has_data (store, "1"))
    return 5;
  for (i = 0; i < 50; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
  g_object_unref (store);
  return 0;
}

/* Runs the child while this process stands still. A child that did well is killed rather than that
 * it exits: a checker of leaks would then complain of all that the parent still holds. */
static void
run_child (AmnesiaStore *store)
{
  pid_t pid = fork ();
  int wrong, status;

  if (pid == 0)
    {
      wrong = use_in_child (store);
      if (wrong == 0)
        kill (getpid (), SIGKILL);
      _exit (wrong);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (WIFEXITED (status))
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static void
test_fork (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = test_new_store (conf);
  gsize n_bytes;

  g_test_summary ("In the child of a fork calls are errors; no byte is sent, the link lives on");

  raw = raw_door_accept (door);
  raw_peer_greet (raw, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  test_set (store, "1");
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE));
  raw_peer_send_ack (raw, 1);
  test_pass_time (50);
  n_bytes = raw->n_bytes;

  run_child (store);
  g_assert_cmpint (g_socket_get_available_bytes (raw->socket), ==, 0);
  g_assert_cmpuint (raw->n_bytes, ==, n_bytes);

  test_set (store, "2");
  raw_peer_wait_write (raw, "2");
  g_assert_false (raw->closed);
  g_assert_cmpuint (test_n_linked (store), ==, 1);
  test_free_store (store);
}

static void
test_fork_at_the_door (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = test_store (conf);

  g_test_summary ("The child takes no caller away from its parent");

  test_set (store, "1");
  raw = raw_peer_connect (0);
  run_child (store);
  raw_peer_greet (raw, 7, 0);
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_HELLO));
  test_wait_linked (store, 1);
  test_free_store (store);
}

static void
test_fork_many (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  RawPeer *peers[6];
  guint i;

  g_test_summary ("Where there are many links, the parent goes on hearing all of them");

  for (i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      peers[i] = raw_peer_connect (0);
      raw_peer_greet (peers[i], 7 + i, 0);
      test_wait_linked (store, i + 1);
    }
  test_set (store, "1");
  run_child (store);
  for (i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", 2 + i);
      g_autoptr (AmnesiaEntry) entry = raw_entry (7 + i, raw_stamp (1000 + i), text);

      raw_peer_send_write (peers[i], entry);
      test_until (test_has_data (store, text));
    }
  for (i = 0; i < G_N_ELEMENTS (peers); i++)
    raw_peer_free (peers[i]);
  test_free_store (store);
}

/* In the child: whether the loop comes to rest. */
static gboolean
comes_to_rest (void)
{
  guint i;

  for (i = 0; i < 1000; i++)
    if (!g_main_context_iteration (NULL, FALSE))
      return TRUE;
  return FALSE;
}

static void
test_fork_ended (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  RawPeer *raw = raw_peer_connect (0);
  const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
  int status;
  pid_t pid;

  g_test_summary ("The child comes to rest where a link ended just before the fork");

  raw_peer_greet (raw, 7, 0);
  test_wait_linked (store, 1);
  raw_peer_set_reading (raw, FALSE);
  setsockopt (g_socket_get_fd (raw->socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  g_socket_close (raw->socket, NULL);
  test_set (store, "1");
  pid = fork ();
  if (pid == 0)
    {
      if (comes_to_rest ())
        kill (getpid (), SIGKILL);
      _exit (1);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
  g_assert_true (comes_to_rest ());
  g_assert_cmpuint (test_n_linked (store), ==, 0);
  raw_peer_free (raw);
  test_free_store (store);
}

static guint64
get_id (AmnesiaStore *store)
{
  return amnesia_replica_get_id (store->replica);
}

/* Forks, and returns the id of a store that the child makes. */
static guint64
get_child_id (void)
{
  int fds[2];
  guint64 id = 0;
  pid_t pid;

  g_assert_cmpint (pipe (fds), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      id = get_id (amnesia_store_new ());
      _exit (write (fds[1], &id, sizeof id) == sizeof id ? 0 : 1);
    }
  g_assert_cmpint (read (fds[0], &id, sizeof id), ==, sizeof id);
  waitpid (pid, NULL, 0);
  close (fds[0]);
  close (fds[1]);
  return id;
}

static void
test_fork_ids (void)
{
  g_autoptr (AmnesiaStore) before = amnesia_store_new ();
  guint64 first, second;

  g_test_summary ("Workers that were forked from one process do not take each other for themselves");

  first = get_child_id ();
  second = get_child_id ();
  g_assert_cmpuint (first, !=, second);
  g_assert_cmpuint (first, !=, get_id (before));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threads/A1-other-thread", test_other_thread);
  g_test_add_func ("/threads/A2-block-elsewhere", test_block_elsewhere);
  g_test_add_func ("/threads/idle-context", test_idle_context);
  g_test_add_func ("/threads/A1-running-context", test_running_context);
  g_test_add_func ("/threads/A1-free-context", test_free_context);
  g_test_add_func ("/threads/last-unref", test_last_unref);
  g_test_add_func ("/threads/unref-beside", test_unref_beside);
  g_test_add_func ("/threads/unref-with-task", test_unref_with_task);
  g_test_add_func ("/threads/A2-worker", test_worker);
  g_test_add_func ("/threads/P7-fork", test_fork);
  g_test_add_func ("/threads/P7-fork-at-the-door", test_fork_at_the_door);
  g_test_add_func ("/threads/P7-fork-many", test_fork_many);
  g_test_add_func ("/threads/P7-fork-ended", test_fork_ended);
  g_test_add_func ("/threads/P7-fork-ids", test_fork_ids);
  return g_test_run ();
}
