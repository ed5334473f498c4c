/* SPDX-License-Identifier: MIT */

/* What somebody found who wanted to break it. */

#include "raw-peer.h"

#include "amnesia-store-private.h"

#include <sys/wait.h>
#include <unistd.h>

/* --- forks --- */

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
  g_test_add_func ("/adversary/fork-ids", test_fork_ids);
  return g_test_run ();
}
