/* SPDX-License-Identifier: MIT */

/* The local way: who is let in by it, and what becomes of a dial whose socket is somebody else's. */

#define _GNU_SOURCE /* setresuid () */

#include "local-lib.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_USER 1234

/* The socket of entry 1 is a squatter's, who does @misbehave; the member of that entry answers by
 * TCP. Neither was an error of the member's. */
static void
assert_falls_back (void (*misbehave) (RawPeer *squatter))
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  RawDoor *squat;
  RawPeer *squatter, *member;
  AmnesiaStore *store;
  AmnesiaPeer *peer;
  TestDiary *diary;

  local_begin ();
  squat = local_door_new (1);
  store = local_new_store (2, TRUE);
  diary = test_diary_new (store);
  squatter = raw_door_accept (squat);
  g_assert_false (raw_door_is_knocked (door));
  if (misbehave != NULL)
    misbehave (squatter);
  else
    g_clear_pointer (&squatter, raw_peer_free);
  member = raw_door_accept (door);
  peer = test_find_peer (store, test_port (1));
  g_assert_no_error (amnesia_peer_get_last_error (peer));
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  g_assert_cmpuint (test_diary_count_log (diary, "*: not by its local socket: *"), ==, 1);
  g_assert_false (raw_door_is_knocked (squat));

  /* the next one may be better */
  raw_peer_free (member);
  g_clear_pointer (&squatter, raw_peer_free);
  squatter = raw_door_accept (squat);
  raw_peer_greet (squatter, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (squatter);
  raw_door_free (squat);
  test_diary_free (diary);
  test_free_store (store);
  local_end ();
}

static void
say_other_port (RawPeer *squatter)
{
  raw_peer_greet (squatter, 8, 2);
}

static void
say_other_host (RawPeer *squatter)
{
  AmnesiaHello hello = raw_hello (8, 1);

  hello.host = (char *) "127.0.0.1";
  raw_peer_send_hello (squatter, &hello);
}

static void
say_other_group (RawPeer *squatter)
{
  AmnesiaHello hello = raw_hello (8, 1);

  hello.group = (char *) "other";
  raw_peer_send_hello (squatter, &hello);
}

static void
say_garbage (RawPeer *squatter)
{
  raw_peer_send_bytes (squatter, "GET / HTTP/1.0\r\n\r\n", 18);
}

static void
say_part (RawPeer *squatter)
{
  raw_peer_send_bytes (squatter, "\0amnesia\1", 9);
}

static void
say_goodbye (RawPeer *squatter)
{
  AmnesiaPacket packet;

  raw_peer_send_bytes (squatter, "\0amnesia", 8);
  amnesia_frame_encode_bye (AMNESIA_BYE_PROTOCOL, "I do not like you", &packet);
  raw_peer_send (squatter, &packet);
}

static void
say_nothing (RawPeer *squatter)
{
}

static void
test_squatter (void)
{
  void (*const misbehave[]) (RawPeer *) = {
    NULL, say_other_port, say_other_host, say_other_group, say_garbage, say_part, say_goodbye,
    say_nothing,
  };
  guint i;

  g_test_summary ("Whoever has the name, the member is reached by TCP at once");

  for (i = 0; i < G_N_ELEMENTS (misbehave); i++)
    {
      g_test_message ("case %u", i);
      assert_falls_back (misbehave[i]);
    }
}

static void
test_own_socket (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autofree char *mine = NULL;
  g_autofree char *theirs = NULL;
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *store;
  RawPeer *member;

  g_test_summary ("Who finds his own socket under another's name does not take that one for himself");

  local_begin ();
  mine = local_path (0);
  theirs = local_path (1);
  store = local_new_store (1, TRUE);
  test_until (local_has_name (0));
  g_assert_cmpint (symlink (mine, theirs), ==, 0);
  amnesia_store_set_conf (store, conf);
  member = raw_door_accept (door);
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  raw_peer_free (member);
  test_free_store (store);
  local_end ();
}

static void
test_dead_link (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  RawDoor *squat;
  RawPeer *squatter, *member;
  AmnesiaStore *store;

  g_test_summary ("After a local link that did not serve the next dial is by TCP");

  local_begin ();
  squat = local_door_new (1);
  store = local_new_store (2, TRUE);
  squatter = raw_door_accept (squat);
  raw_peer_send_hello (squatter, &(AmnesiaHello) {
    .version_min = AMNESIA_PROTOCOL_MIN, .version_max = AMNESIA_PROTOCOL_MAX, .id = 7,
    .group = (char *) "", .host = (char *) test_host (), .port = (guint16) test_port (1),
    .wall = g_get_real_time (), .max_size = 1024,
  });
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (squatter);
  member = raw_door_accept (door);
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  g_assert_false (raw_door_is_knocked (squat));
  raw_peer_free (member);
  raw_door_free (squat);
  test_free_store (store);
  local_end ();
}

static void
test_better_dialled (void)
{
  RawDoor *door;
  RawPeer *tcp, *local;
  AmnesiaStore *store;

  g_test_summary ("A local link that a lesser id has dialled stays, and not the older one by TCP");

  local_begin ();
  door = raw_door_new (1);
  store = local_new_store (2, TRUE);
  tcp = raw_door_accept (door);
  raw_peer_greet (tcp, 1, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  local = local_connect (0);
  raw_peer_greet (local, 1, 1);
  raw_peer_wait_bye (tcp, AMNESIA_BYE_DUPLICATE, "*");
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (tcp);
  raw_peer_free (local);
  raw_door_free (door);
  test_free_store (store);
  local_end ();
}

static void
test_late_name (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  RawDoor *squat;
  RawPeer *tcp, *local;
  AmnesiaStore *store;

  g_test_summary ("Who has no name yet when it is dialled is linked by the local way all the same");

  local_begin ();
  store = local_new_store (2, TRUE);
  tcp = raw_door_accept (door);
  squat = local_door_new (1);
  raw_peer_greet (tcp, G_MAXUINT64, 1);
  local = raw_door_accept (squat);
  raw_peer_greet (local, G_MAXUINT64, 1);
  raw_peer_wait_bye (tcp, AMNESIA_BYE_DUPLICATE, "*");
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (tcp);
  raw_peer_free (local);
  raw_door_free (squat);
  test_free_store (store);
  local_end ();
}

static void
test_worse_accepted (void)
{
  RawDoor *squat;
  RawPeer *tcp, *local;
  AmnesiaStore *store;

  g_test_summary ("A local link is not left for one by TCP that a greater id has dialled");

  local_begin ();
  squat = local_door_new (1);
  store = local_new_store (2, TRUE);
  local = raw_door_accept (squat);
  raw_peer_greet (local, G_MAXUINT64, 1);
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  tcp = raw_peer_connect (0);
  raw_peer_greet (tcp, G_MAXUINT64, 1);
  raw_frame_free (raw_peer_wait_frame (tcp, AMNESIA_FRAME_LINKS));
  test_pass_time (50);
  g_assert_cmpuint (raw_peer_count (local, AMNESIA_FRAME_BYE), ==, 0);
  g_assert_cmpuint (raw_peer_count (tcp, AMNESIA_FRAME_BYE), ==, 0);
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (tcp);
  raw_peer_free (local);
  raw_door_free (squat);
  test_free_store (store);
  local_end ();
}

/* --- other users --- */

/* As another user, in a process of its own: connects, and returns how many bytes came. */
static int
count_bytes_as (uid_t uid,
                guint index)
{
  RawPeer *peer;
  gsize n;

  if (setresuid (uid, uid, uid) != 0)
    return 255;
  peer = local_connect (index);
  raw_peer_greet (peer, 8, 1);
  test_until (peer->closed);
  n = peer->n_bytes;
  return (int) MIN (n, 254);
}

static void
open_to_all (guint index)
{
  g_autofree char *directory = local_directory ();
  g_autofree char *path = local_path (index);

  g_chmod (g_getenv ("XDG_RUNTIME_DIR"), 0755);
  g_chmod (directory, 0755);
  g_chmod (path, 0777);
}

static gboolean
has_ended (pid_t  pid,
           int   *status)
{
  return waitpid (pid, status, WNOHANG) == pid;
}

static gboolean
skip_if_not_root (void)
{
  if (geteuid () == 0)
    return FALSE;
  g_test_skip ("only the superuser can be another one");
  return TRUE;
}

static void
test_other_user (void)
{
  AmnesiaStore *store;
  TestDiary *diary;
  int status;
  pid_t pid;

  g_test_summary ("A process of another user gets no byte");

  if (skip_if_not_root ())
    return;
  local_begin ();
  store = local_new_store (2, TRUE);
  diary = test_diary_new (store);
  test_until (local_has_name (0));
  open_to_all (0);
  pid = fork ();
  if (pid == 0)
    _exit (count_bytes_as (OTHER_USER, 0));
  test_until (has_ended (pid, &status));
  g_assert_cmpint (status, ==, 0);
  test_until (test_diary_count_log (diary, "process * of this machine: refused: it is a process of "
                                    "user 1234, and this is one of user 0*") == 1);
  test_diary_free (diary);
  test_free_store (store);
  local_end ();
}

/* In a process of its own: has the name of entry 1 as another user. Returns how many bytes came. */
static int
squat_as (uid_t uid)
{
  RawDoor *door = local_door_new (1);
  RawPeer *peer;

  /* what counts is who began to listen */
  if (setresuid (uid, uid, uid) != 0 || !g_socket_listen (door->socket, NULL))
    return 255;
  puts ("# squatting");
  fflush (stdout);
  peer = raw_door_accept (door);
  raw_peer_greet (peer, 7, 1);
  test_until (peer->closed);
  return (int) MIN (peer->n_bytes, 254);
}

static void
test_other_users_socket (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  RawPeer *member;
  AmnesiaStore *store;
  TestDiary *diary;
  int status;
  pid_t pid;

  g_test_summary ("A socket of another user gets no byte, and TCP does it");

  if (skip_if_not_root ())
    return;
  local_begin ();
  pid = fork ();
  if (pid == 0)
    _exit (squat_as (OTHER_USER));
  test_until (local_has_name (1));
  test_pass_time (200);
  store = local_new_store (2, TRUE);
  diary = test_diary_new (store);
  member = raw_door_accept (door);
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  g_assert_cmpuint (test_diary_count_log (diary, "*: not by its local socket: it is a process of user "
                                          "1234, and this is one of user 0"), ==, 1);
  test_until (has_ended (pid, &status));
  g_assert_cmpint (status, ==, 0);
  raw_peer_free (member);
  test_diary_free (diary);
  test_free_store (store);
  local_end ();
}

/* The runtime directory and the program are another user's as well. */
static LiveMember *
start_as_other (const char *command)
{
  if (chown (g_getenv ("XDG_RUNTIME_DIR"), OTHER_USER, OTHER_USER) != 0)
    g_assert_not_reached ();
  return live_member_new_by (command, 1, NULL);
}

static gboolean
can_run (const char *command)
{
  g_autofree char *line = g_strdup_printf ("%s true", command);
  int status;

  return g_spawn_command_line_sync (line, NULL, NULL, &status, NULL) && status == 0;
}

static void
test_superuser (void)
{
  g_autofree char *exe = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *command = g_strdup_printf ("setpriv --reuid=%d --clear-groups", OTHER_USER);
  g_autofree char *read = g_strdup_printf ("%s test -x %s -a", command, exe);
  LiveMember *member;
  RawPeer *root;

  g_test_summary ("The superuser is another user as well");

  if (skip_if_not_root ())
    return;
  if (!can_run (read))
    {
      g_test_skip ("another user cannot run this program");
      return;
    }
  local_begin ();
  member = start_as_other (command);
  root = local_connect (0);
  raw_peer_greet (root, 8, 0);
  raw_peer_wait_closed (root);
  g_assert_cmpuint (root->n_bytes, ==, 0);
  raw_peer_free (root);
  live_member_assert_well (member);
  live_member_free (member);
  local_end ();
}

/* --- namespaces --- */

/* Starts the member of entry 0 by @command and looks by which way another one is linked with it. */
static void
assert_way (const char *command,
            AmnesiaWay  way)
{
  LiveMember *member;
  AmnesiaStore *store;

  if (!can_run (command))
    {
      g_test_skip ("there are no such namespaces here");
      return;
    }
  local_begin ();
  member = live_member_new_by (command, 1, NULL);
  g_assert_cmpint (local_has_name (0), ==, way == AMNESIA_WAY_LOCAL);
  store = local_new_store (2, TRUE);
  local_wait_way (store, 0, way);
  test_until (test_has_data (store, "'kept'"));
  test_set (store, "'new'");
  test_until (live_member_has (member, "'new'"));
  test_free_store (store);
  live_member_free (member);
  local_end ();
}

static void
test_overflow_uid (void)
{
  g_test_summary ("Who is nobody in his user namespace, as all strangers are, takes no local way");

  assert_way ("unshare --user --map-user=65534", AMNESIA_WAY_TCP);
}

static void
test_containers (void)
{
  g_test_summary ("A member in another pid and mount namespace is linked by the shared directory");

  assert_way (geteuid () == 0 ? "unshare --pid --fork --mount-proc"
                              : "unshare --user --map-current-user --pid --fork --mount-proc",
              AMNESIA_WAY_LOCAL);
}

static void
test_user_namespace (void)
{
  g_test_summary ("So is one in a user namespace, where it is called what it is here");

  assert_way ("unshare --user --map-current-user", AMNESIA_WAY_LOCAL);
}

static void
test_network_namespace (void)
{
  /* its words are parted by spaces */
  const char *command = "unshare --net sh -c ip\tlink\tset\tlo\tup&&\"$@\" sh";
  LiveMember *inside;
  AmnesiaStore *store;
  g_autofree char *path = NULL;

  g_test_summary ("Members of two networks may share the directory, and have one address");

  if (!can_run ("unshare --net sh -c 'ip link set lo up'"))
    {
      g_test_skip ("there are no such namespaces here");
      return;
    }
  local_begin ();
  path = local_path (0);
  inside = live_member_new_by (command, 1, NULL);
  g_assert_false (local_has_name (0));
  store = local_new_store (1, TRUE);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  g_assert_true (local_has_name (0));
  g_assert_null (amnesia_store_get_data (store));
  test_free_store (store);
  live_member_free (inside);
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

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/local-peers/squatter", test_squatter);
  g_test_add_func ("/local-peers/own-socket", test_own_socket);
  g_test_add_func ("/local-peers/dead-link", test_dead_link);
  g_test_add_func ("/local-peers/better-dialled", test_better_dialled);
  g_test_add_func ("/local-peers/worse-accepted", test_worse_accepted);
  g_test_add_func ("/local-peers/late-name", test_late_name);
  g_test_add_func ("/local-peers/killed", test_killed);
  g_test_add_func ("/local-peers/L1-other-user", test_other_user);
  g_test_add_func ("/local-peers/L1-other-users-socket", test_other_users_socket);
  g_test_add_func ("/local-peers/L1-superuser", test_superuser);
  g_test_add_func ("/local-peers/L2-overflow-uid", test_overflow_uid);
  g_test_add_func ("/local-peers/L13-containers", test_containers);
  g_test_add_func ("/local-peers/L13-user-namespace", test_user_namespace);
  g_test_add_func ("/local-peers/L13-network-namespace", test_network_namespace);
  return g_test_run ();
}
