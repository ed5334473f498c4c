/* SPDX-License-Identifier: MIT */

/* What a member needs until it has the value: no thread, no module, no time. */

#include "live-member.h"

static guint
count_threads (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, &error);
  guint n = 0;

  g_assert_no_error (error);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* Without timers of the test's own. */
static void
iterate_until (AmnesiaStore *store,
               AmnesiaState  state)
{
  while (amnesia_store_get_state (store) != state)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_no_thread (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  guint n_threads = count_threads ();
  AmnesiaStore *one, *two;

  g_test_summary ("With numeric addresses of this machine nobody needs a thread or the network monitor");

  one = test_new_store (conf);
  iterate_until (one, AMNESIA_STATE_ALONE);
  test_set (one, "'here'");
  two = test_new_store (conf);
  iterate_until (two, AMNESIA_STATE_SYNCED);
  test_assert_data (two, "'here'");
  /* what waits for a turn in which nothing else is to be done */
  test_pass_time (100);
  g_assert_cmpuint (count_threads (), ==, n_threads);
  g_assert_cmpuint (g_type_from_name ("GNetworkMonitorBase"), ==, 0);
  test_free_store (two);
  test_free_store (one);
}

static guint n_waits;

/* Counts how often nothing happened but that a time had come. */
static int
poll_cb (GPollFD *fds,
         guint    n_fds,
         int      timeout)
{
  int n_ready = g_poll (fds, n_fds, timeout);

  n_waits += n_ready == 0 && timeout > 0;
  return n_ready;
}

static void
test_no_wait (void)
{
  g_autoptr (LiveMember) member = live_member_new (3, NULL);
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  AmnesiaStore *store;

  g_test_summary ("Who has an answer of all that can be reached is synced, and waits for no time to pass");

  live_member_set (member, "'here'");
  store = test_new_store (conf);
  n_waits = 0;
  g_main_context_set_poll_func (NULL, poll_cb);
  iterate_until (store, AMNESIA_STATE_SYNCED);
  g_main_context_set_poll_func (NULL, NULL);
  test_assert_data (store, "'here'");
  g_assert_cmpuint (n_waits, ==, 0);
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  /* first, as with another process GLib starts a thread */
  g_test_add_func ("/start/no-thread", test_no_thread);
  g_test_add_func ("/start/no-wait", test_no_wait);
  return g_test_run ();
}
