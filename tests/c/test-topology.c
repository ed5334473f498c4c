/* SPDX-License-Identifier: MIT */

/* Who is linked with whom: the rows T of the catalogue that need one machine only. */

#define _GNU_SOURCE

#include "raw-peer.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#define DAY_MS (G_GINT64_CONSTANT (24) * 60 * 60 * 1000)
#define SECOND G_TIME_SPAN_SECOND

/* --- T8 --- */

static void
set_port_range (const char *range)
{
  g_assert_true (g_file_set_contents_full ("/proc/sys/net/ipv4/ip_local_port_range", range, -1,
                                           G_FILE_SET_CONTENTS_NONE, 0, NULL));
}

/* Moves this process, which must have one thread, to a network of its own, with a loopback device
 * and nothing else. */
static void
move_to_own_network (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
  g_autoptr (GSocket) socket = NULL;

  g_assert_no_errno (unshare (CLONE_NEWNET));
  socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, 0, NULL);
  g_assert_no_errno (ioctl (g_socket_get_fd (socket), SIOCSIFFLAGS, &request));
}

/* The kernel has no other port to dial from than that of the second entry. */
static void
check_self_connect (void)
{
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  AmnesiaStore *a = amnesia_store_new ();
  AmnesiaStore *b;
  g_autoptr (TestDiary) diary = test_diary_new (a);
  AmnesiaPeer *peer;

  move_to_own_network ();
  set_port_range ("7702 7703");
  amnesia_conf_add_peer (conf, "127.0.0.1", 7701, NULL);
  amnesia_conf_add_peer (conf, "127.0.0.1", 7702, NULL);
  amnesia_store_set_conf (a, conf);
  test_wait_state (a, AMNESIA_STATE_ALONE);
  test_pass_time (1000);
  peer = test_find_peer (a, 7702);
  g_assert_nonnull (peer);
  g_assert_true (g_pattern_match_simple ("*with itself*",
                                         amnesia_peer_get_last_error (peer)->message));
  g_assert_cmpuint (test_n_linked (a), ==, 0);

  set_port_range ("20000 30000");
  b = test_store (conf);
  g_assert_cmpstr (amnesia_store_get_listening (b), ==, "127.0.0.1:7702");
  test_wait_linked (a, 1);
  g_assert_true (test_find_peer (a, 7702) == peer);
  test_set (a, "1");
  test_until (test_has_data (b, "1"));
  test_free_store (a);
  test_free_store (b);
}

static void
test_self_connect (void)
{
  int status = 0;

  g_test_summary ("A port that is connected with itself, as nobody listens there, is not ourselves");

  if (g_test_subprocess ())
    check_self_connect ();
  else if (g_spawn_command_line_sync ("unshare --net true", NULL, NULL, &status, NULL) &&
           status == 0)
    {
      g_test_trap_subprocess (NULL, 30 * SECOND, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
    }
  else
    g_test_skip ("only root may make a network of its own");
}

/* --- T9 --- */

static void
test_groups (void)
{
  g_autoptr (AmnesiaConf) ours = test_conf (2);
  g_autoptr (AmnesiaConf) theirs = test_conf (2);
  AmnesiaStore *a, *b;
  AmnesiaPeer *peers[2];
  guint i;

  g_test_summary ("Two meshes that meet by a wrong port say so on both sides, and nothing is merged");

  amnesia_conf_set_group (theirs, "theirs");
  a = test_store (ours);
  test_set (a, "'ours'");
  b = test_store (theirs);
  test_set (b, "'theirs'");
  peers[0] = test_find_peer (a, test_port (1));
  peers[1] = test_find_peer (b, test_port (0));
  for (i = 0; i < 2; i++)
    test_until (g_error_matches (amnesia_peer_get_last_error (peers[i]), AMNESIA_ERROR,
                                 AMNESIA_ERROR_GROUP));
  test_pass_time (500);
  g_assert_cmpint (amnesia_store_get_state (a), ==, AMNESIA_STATE_ALONE);
  g_assert_cmpint (amnesia_store_get_state (b), ==, AMNESIA_STATE_ALONE);
  test_assert_data (a, "'ours'");
  test_assert_data (b, "'theirs'");
  test_free_store (a);
  test_free_store (b);
}

/* --- T14 --- */

/* A peer comes back with what it wrote @text with a day ago. */
static void
come_back (AmnesiaStore *store,
           guint64       id,
           const char   *text)
{
  g_autoptr (AmnesiaEntry) old = raw_entry (id, raw_stamp (-DAY_MS), text);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (id, 0);

  raw_peer_send_hello (raw, &hello);
  raw_peer_send_list (raw, old, FALSE);
  raw_peer_send_write (raw, old);
  test_wait_linked (store, 1);
  g_assert_cmpuint (raw_peer_wait_ack (raw), ==, 1);
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE));
}

static void
test_after_a_day (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("Who comes back after a day with an old value, or an old unset, gets the new one");

  test_set (store, "'new'");
  diary = test_diary_new (store);
  come_back (store, 7, "'old'");
  test_wait_linked (store, 0);
  come_back (store, 8, NULL);
  test_wait_linked (store, 0);
  test_assert_data (store, "'new'");

  amnesia_store_set_data (store, NULL);
  come_back (store, 9, "'old'");
  test_assert_data (store, NULL);
  g_assert_cmpuint (test_diary_count (diary, "changed*remote"), ==, 0);
  test_free_store (store);
}

static gboolean
is_entry_linked (AmnesiaStore *store,
                 guint         index)
{
  return amnesia_peer_get_state (test_find_peer (store, test_port (index))) == AMNESIA_PEER_STATE_CONNECTED;
}

static void
test_another_entry (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  AmnesiaStore *store = test_store (conf);
  RawPeer *raw = raw_peer_connect (0);

  g_test_summary ("Who comes back by another entry is not taken to be at the first one as well");

  raw_peer_greet (raw, 7, 1);
  test_wait_linked (store, 1);
  g_assert_true (is_entry_linked (store, 1));
  raw_peer_free (raw);
  test_wait_linked (store, 0);

  raw = raw_peer_connect (0);
  raw_peer_greet (raw, 7, 2);
  test_until (is_entry_linked (store, 2));
  g_assert_false (is_entry_linked (store, 1));
  raw_peer_free (raw);
  test_free_store (store);
}

/* --- T15 --- */

static void
test_late_peer (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) silent = raw_door_new (1);
  g_autoptr (RawPeer) late = NULL;
  g_autoptr (AmnesiaEntry) newer = NULL;
  AmnesiaStore *store = test_new_store (conf);
  gint64 start = g_get_monotonic_time ();

  g_test_summary ("Whom nobody answers is alone after 5 s, and takes what a later peer has newer");

  test_set (store, "'own'");
  test_wait_state (store, AMNESIA_STATE_ALONE);
  g_assert_cmpint (g_get_monotonic_time () - start, <, test_slowness () * 6 * SECOND);
  test_assert_data (store, "'own'");

  newer = raw_entry (7, raw_stamp (0), "'newer'");
  late = raw_peer_connect (0);
  {
    AmnesiaHello hello = raw_hello (7, 1);

    raw_peer_send_hello (late, &hello);
  }
  raw_peer_send_list (late, newer, FALSE);
  raw_peer_send_write (late, newer);
  test_until (test_has_data (store, "'newer'"));
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/topology/T8-self-connect", test_self_connect);
  g_test_add_func ("/topology/T9-groups", test_groups);
  g_test_add_func ("/topology/T14-after-a-day", test_after_a_day);
  g_test_add_func ("/topology/T14-another-entry", test_another_entry);
  g_test_add_func ("/topology/T15-late-peer", test_late_peer);
  return g_test_run ();
}
