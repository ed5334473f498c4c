/* SPDX-License-Identifier: MIT */

/* The local way: what comes and goes while members live. */

#include "local-lib.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_CALLERS 60

static void
test_directory_goes (void)
{
  g_autofree char *directory = NULL;
  g_autofree char *path = NULL;
  AmnesiaStore *a, *b;

  g_test_summary ("When the directory goes, links stay, and the next ones are by TCP");

  local_begin ();
  directory = local_directory ();
  a = local_new_store (3, TRUE);
  b = local_new_store (3, TRUE);
  local_wait_way (a, 1, AMNESIA_WAY_LOCAL);
  path = local_path (0);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_free (path);
  path = local_path (1);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  local_assert_shared (a, b);
  test_free_store (b);
  b = local_new_store (3, FALSE);
  local_wait_way (b, 0, AMNESIA_WAY_TCP);
  local_assert_shared (a, b);
  test_free_store (a);
  test_free_store (b);
  local_end ();
}

static void
test_toggled (void)
{
  g_autoptr (AmnesiaConf) with = test_conf (2);
  g_autoptr (AmnesiaConf) without = test_conf (2);
  g_autofree char *path = NULL;
  struct stat first, second;
  AmnesiaStore *store;

  g_test_summary ("With another configuration the name comes or goes, or stays what it is");

  local_begin ();
  path = local_path (0);
  amnesia_conf_set_local (without, FALSE);
  store = local_new_store (2, TRUE);
  test_until (local_has_name (0));
  g_assert_cmpint (lstat (path, &first), ==, 0);
  amnesia_store_set_conf (store, with);
  test_drain ();
  g_assert_cmpint (lstat (path, &second), ==, 0);
  g_assert_cmpuint (first.st_ino, ==, second.st_ino);
  amnesia_store_set_conf (store, without);
  test_until (!local_has_name (0));
  amnesia_store_set_conf (store, with);
  test_until (local_has_name (0));
  raw_peer_free (local_connect (0));
  amnesia_store_set_conf (store, NULL);
  test_until (!local_has_name (0));
  test_free_store (store);
  local_end ();
}

static void
test_fork (void)
{
  AmnesiaStore *a, *b;
  int status;
  pid_t pid;

  g_test_summary ("The child of a fork takes neither the name nor callers away");

  local_begin ();
  a = local_new_store (2, TRUE);
  test_until (local_has_name (0));
  pid = fork ();
  if (pid == 0)
    {
      raw_peer_free (local_connect (0));
      test_pass_time (100);
      g_object_unref (a);
      local_end_child (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  local_assert_child (status);
  g_assert_true (local_has_name (0));
  b = local_new_store (2, TRUE);
  local_wait_way (b, 0, AMNESIA_WAY_LOCAL);
  local_assert_shared (a, b);
  test_free_store (a);
  test_free_store (b);
  local_end ();
}

static void
test_killed (void)
{
  LiveMember *member;
  AmnesiaStore *store;

  g_test_summary ("A member that was killed comes back, and the name leads to the new one");

  local_begin ();
  member = live_member_new (1, NULL);
  store = local_new_store (2, TRUE);
  local_wait_way (store, 0, AMNESIA_WAY_LOCAL);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  live_member_kill (member);
  test_wait_linked (store, 0);
  g_assert_true (local_has_name (0));
  member = live_member_new (1, NULL);
  local_wait_way (store, 0, AMNESIA_WAY_LOCAL);
  live_member_free (member);
  test_wait_linked (store, 0);
  g_assert_false (local_has_name (0));
  test_free_store (store);
  local_end ();
}

/* In a process of its own: calls, and stays on the line. */
static pid_t
start_callers (void)
{
  pid_t pid = fork ();
  guint i;

  if (pid != 0)
    return pid;
  for (i = 0; i < N_CALLERS; i++)
    local_connect (0);
  pause ();
  local_end_child (0);
}

static void
test_no_descriptor (void)
{
  struct rlimit before, few;
  AmnesiaStore *a, *b;
  clock_t spent;
  pid_t pid;

  g_test_summary ("Callers for whom there is no descriptor are sent away slowly, and a good one is let in");

  if (g_getenv ("AMNESIA_VALGRIND") != NULL)
    {
      g_test_skip ("valgrind accepts for itself whom the process has no descriptor for");
      return;
    }
  local_begin ();
  a = local_new_store (2, TRUE);
  test_until (local_has_name (0));
  pid = start_callers ();
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  few = before;
  few.rlim_cur = test_n_descriptors () + 2;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &few), ==, 0);
  spent = clock ();
  test_pass_time (2000);
  spent = clock () - spent;
  g_test_message ("%.3f s of the processor", spent / (double) CLOCKS_PER_SEC);
  g_assert_cmpint (spent, <, test_slowness () * CLOCKS_PER_SEC / 2);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  b = local_new_store (2, TRUE);
  local_wait_way (b, 0, AMNESIA_WAY_LOCAL);
  local_assert_shared (a, b);
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  test_free_store (a);
  test_free_store (b);
  local_end ();
}

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/local-life/directory-goes", test_directory_goes);
  g_test_add_func ("/local-life/toggled", test_toggled);
  g_test_add_func ("/local-life/killed", test_killed);
  g_test_add_func ("/local-life/P7-fork", test_fork);
  g_test_add_func ("/local-life/R1-no-descriptor", test_no_descriptor);
  return g_test_run ();
}
