/* SPDX-License-Identifier: MIT */

/* The local way: who is let in by it, and who is not; users and namespaces. */

#define _GNU_SOURCE /* setresuid () */

#include "local-lib.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_USER 1234

/* All that a member would say, and a value that is newer than any. */
static void
greet_and_write (RawPeer *peer,
                 guint64  id,
                 guint    index)
{
  g_autoptr (AmnesiaEntry) entry = raw_entry (id, raw_stamp (1000), "'foreign'");

  raw_peer_greet (peer, id, index);
  raw_peer_send_write (peer, entry);
}

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
  greet_and_write (peer, 8, 1);
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

  g_test_summary ("A process of another user gets no byte, and sets no value");

  if (skip_if_not_root ())
    return;
  local_begin ();
  store = local_new_store (2, TRUE);
  diary = test_diary_new (store);
  test_until (local_has_name (0));
  open_to_all (0);
  pid = fork ();
  if (pid == 0)
    local_end_child (count_bytes_as (OTHER_USER, 0));
  test_until (has_ended (pid, &status));
  local_assert_child (status);
  test_until (test_diary_count_log (diary, "process * of this machine: refused: it is a process of "
                                           "user 1234, and this is one of user 0") == 1);
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 0);
  test_set (store, "'ours'");
  test_drain ();
  test_assert_data (store, "'ours'");
  test_diary_free (diary);
  test_free_store (store);
  local_end ();
}

/* In a process of its own: has the name of entry 1 as another user. Returns how many bytes came. */
static int
squat_as (uid_t uid)
{
  RawDoor *door = local_door_new (2);
  g_autofree char *before = local_path (2);
  g_autofree char *path = local_path (1);
  RawPeer *peer;

  /* what counts is who listens, and not whose the file is */
  if (setresuid (-1, uid, -1) != 0 || !g_socket_listen (door->socket, NULL) ||
      setresuid (-1, 0, -1) != 0 || g_rename (before, path) != 0)
    return 255;
  peer = raw_door_accept (door);
  greet_and_write (peer, 7, 1);
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

  g_test_summary ("A socket of another user gets no byte, and sets no value; TCP does it");

  if (skip_if_not_root ())
    return;
  local_begin ();
  pid = fork ();
  if (pid == 0)
    local_end_child (squat_as (OTHER_USER));
  test_until (local_has_name (1));
  store = local_new_store (2, TRUE);
  diary = test_diary_new (store);
  member = raw_door_accept (door);
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 0);
  g_assert_cmpuint (test_diary_count_log (diary, "*: not by its local socket: it is a process of user "
                                                 "1234, and this is one of user 0"), ==, 1);
  test_until (has_ended (pid, &status));
  local_assert_child (status);
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

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/local-users/L1-other-user", test_other_user);
  g_test_add_func ("/local-users/L1-other-users-socket", test_other_users_socket);
  g_test_add_func ("/local-users/L1-superuser", test_superuser);
  g_test_add_func ("/local-users/L2-overflow-uid", test_overflow_uid);
  g_test_add_func ("/local-users/L13-containers", test_containers);
  g_test_add_func ("/local-users/L13-user-namespace", test_user_namespace);
  g_test_add_func ("/local-users/L13-network-namespace", test_network_namespace);
  return g_test_run ();
}
