/* SPDX-License-Identifier: MIT */

/* What somebody found who wanted to break it. */

#include "raw-peer.h"

#include "amnesia-store-private.h"
#include "small-world.h"

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

/* --- clocks --- */

static void
test_clock_mended (void)
{
  const gint64 ahead = 730 * G_TIME_SPAN_DAY;

  g_test_summary ("Two of one machine, whose clock was two years ahead when one of them wrote, go on "
                  "sharing when it is set right");

  begin_world (2);
  world.now.wall += ahead;
  run (SECOND);
  write_int (0, 1);
  g_assert_cmpint (read_int (1), ==, 1);
  world.now.wall -= ahead;
  run (10 * SECOND);
  write_int (0, 2);
  run (20 * SECOND);
  g_assert_cmpint (read_int (0), ==, 2);
  g_assert_cmpint (read_int (1), ==, 2);
  write_int (1, 3);
  run (20 * SECOND);
  g_assert_cmpint (read_int (0), ==, 3);
  end_world ();
}

/* The same, if the two do not see one another at that moment, and the writer is gone. */
static void
test_clock_mended_apart (void)
{
  const gint64 ahead = 730 * G_TIME_SPAN_DAY;

  g_test_summary ("Who holds what a third one wrote with a clock two years ahead goes on sharing");

  begin_world (3);
  world.now.wall += ahead;
  run (SECOND);
  write_int (2, 1);
  world.nodes[2].asleep = TRUE;
  run (10 * SECOND);
  world.now.wall -= ahead;
  run (10 * SECOND);
  world.cut = TRUE;
  run (10 * SECOND);
  write_int (0, 2);
  run (10 * SECOND);
  world.cut = FALSE;
  run (20 * SECOND);
  g_assert_cmpint (read_int (0), ==, 2);
  g_assert_cmpint (read_int (1), ==, 2);
  end_world ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/adversary/fork-ids", test_fork_ids);
  g_test_add_func ("/adversary/clock-mended", test_clock_mended);
  g_test_add_func ("/adversary/clock-mended-apart", test_clock_mended_apart);
  return g_test_run ();
}
