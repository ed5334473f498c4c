/* SPDX-License-Identifier: MIT */

/* The local way: what lies where, and what is done when something else does. */

#include "local-lib.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void
test_way (void)
{
  g_autofree char *directory = NULL;
  g_autofree char *path = NULL;
  struct stat status;
  AmnesiaStore *a, *b;

  g_test_summary ("Members of one machine find each other by Unix socket, and leave no TCP link");

  local_begin ();
  directory = local_directory ();
  a = local_new_store (2, TRUE);
  b = local_new_store (2, TRUE);
  local_wait_way (a, 1, AMNESIA_WAY_LOCAL);
  local_wait_way (b, 0, AMNESIA_WAY_LOCAL);
  local_assert_shared (a, b);
  g_assert_cmpuint (test_n_connections (), ==, 0);
  g_assert_cmpint (g_stat (directory, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0700);
  test_free_store (b);
  test_wait_linked (a, 0);
  test_free_store (a);
  local_end ();
}

static void
test_guest (void)
{
  AmnesiaStore *member, *guest;
  g_autoptr (AmnesiaPeer) peer = NULL;
  TestDiary *diary;

  g_test_summary ("A guest that comes by the local way is known by its process");

  local_begin ();
  member = local_new_store (1, TRUE);
  test_wait_state (member, AMNESIA_STATE_ALONE);
  diary = test_diary_new (member);
  guest = local_new_store (1, TRUE);
  local_wait_way (guest, 0, AMNESIA_WAY_LOCAL);
  test_wait_linked (member, 1);
  peer = g_list_model_get_item (amnesia_store_get_peers (member), 0);
  g_assert_cmpstr (amnesia_peer_get_host (peer), ==, "localhost");
  g_assert_cmpuint (amnesia_peer_get_port (peer), ==, 0);
  g_assert_cmpint (amnesia_peer_get_way (peer), ==, AMNESIA_WAY_LOCAL);
  g_assert_cmpuint (test_diary_count_log (diary, "process * of this machine: connected, a guest"),
                    ==, 1);
  local_assert_shared (member, guest);
  test_diary_free (diary);
  test_free_store (guest);
  test_free_store (member);
  local_end ();
}

static void
test_off (void)
{
  guint i;

  g_test_summary ("\"local\": false on either side, and TCP does it; nothing is put anywhere");

  for (i = 0; i < 3; i++)
    {
      g_autofree char *directory = NULL;
      AmnesiaStore *a, *b;

      local_begin ();
      directory = local_directory ();
      a = local_new_store (2, i == 1);
      b = local_new_store (2, i == 2);
      local_wait_way (a, 1, AMNESIA_WAY_TCP);
      local_wait_way (b, 0, AMNESIA_WAY_TCP);
      local_assert_shared (a, b);
      g_assert_cmpint (local_has_name (0), ==, i == 1);
      g_assert_cmpint (local_has_name (1), ==, i == 2);
      g_assert_cmpint (g_file_test (directory, G_FILE_TEST_EXISTS), ==, i > 0);
      test_free_store (a);
      test_free_store (b);
      local_end ();
    }
}

/* Two members are linked by TCP, and @message is said once by each; NULL: nothing is said of it. */
static void
assert_by_tcp (const char *message)
{
  AmnesiaStore *stores[2];
  TestDiary *diaries[2];
  guint i;

  for (i = 0; i < 2; i++)
    {
      stores[i] = local_new_store (2, TRUE);
      diaries[i] = test_diary_new (stores[i]);
    }
  local_wait_way (stores[0], 1, AMNESIA_WAY_TCP);
  local_assert_shared (stores[0], stores[1]);
  for (i = 0; i < 2; i++)
    {
      g_autofree char *pattern =
        g_strdup_printf ("Members of this machine are linked by TCP: *%s*",
                         message != NULL ? message : "");

      g_assert_cmpuint (test_diary_count_log (diaries[i], pattern), ==, message != NULL);
      test_diary_free (diaries[i]);
    }
  test_free_store (stores[0]);
  test_free_store (stores[1]);
}

static void
test_no_directory (void)
{
  const char *runtime = local_begin ();
  g_autofree char *missing = g_build_filename (runtime, "missing", NULL);
  g_autofree char *file = g_build_filename (runtime, "file", NULL);
  g_autofree char *here = g_get_current_dir ();
  const char *values[] = { NULL, "", ".", missing, file };
  guint i;

  g_test_summary ("Without a runtime directory TCP does it, and nothing is said of it");

  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_cmpint (g_chdir (runtime), ==, 0);
  for (i = 0; i < G_N_ELEMENTS (values); i++)
    {
      if (values[i] == NULL)
        g_unsetenv ("XDG_RUNTIME_DIR");
      else
        g_setenv ("XDG_RUNTIME_DIR", values[i], TRUE);
      g_test_message ("XDG_RUNTIME_DIR is %s", values[i] != NULL ? values[i] : "unset");
      assert_by_tcp (NULL);
      g_assert_false (g_file_test ("amnesia", G_FILE_TEST_EXISTS));
    }
  g_assert_cmpint (g_chdir (here), ==, 0);
  local_end ();
}

static void
test_bad_directory (void)
{
  g_autofree char *elsewhere = NULL;
  g_autofree char *directory = NULL;

  g_test_summary ("A directory that others can write to, or that is none, is not used");

  g_chmod (local_begin (), 0770);
  assert_by_tcp ("others can write to * chmod 700");
  g_chmod (g_getenv ("XDG_RUNTIME_DIR"), 0700);
  directory = local_directory ();
  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  g_chmod (directory, 0702);
  assert_by_tcp ("others can write to *amnesia: chmod 700");
  g_chmod (directory, 0720);
  assert_by_tcp ("others can write to *amnesia: chmod 700");
  g_assert_cmpint (g_rmdir (directory), ==, 0);

  elsewhere = g_strconcat (directory, "-elsewhere", NULL);
  g_assert_cmpint (g_mkdir (elsewhere, 0700), ==, 0);
  g_assert_cmpint (symlink (elsewhere, directory), ==, 0);
  assert_by_tcp ("amnesia is not a directory");
  g_assert_cmpint (g_rmdir (elsewhere), ==, 0);
  g_assert_cmpint (g_unlink (directory), ==, 0);
  g_assert_true (g_file_set_contents (directory, "", 0, NULL));
  assert_by_tcp ("amnesia is not a directory");
  local_end ();
}

static void
test_foreign_directory (void)
{
  g_autofree char *directory = NULL;

  g_test_summary ("A directory of another user is not used");

  if (geteuid () != 0)
    {
      g_test_skip ("only the superuser can give it away");
      return;
    }
  local_begin ();
  directory = local_directory ();
  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  g_assert_cmpint (chown (directory, 1234, 1234), ==, 0);
  assert_by_tcp ("belongs to user 1234, and we are user 0");
  g_assert_cmpint (chown (g_getenv ("XDG_RUNTIME_DIR"), 1234, 1234), ==, 0);
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  assert_by_tcp ("belongs to user 1234, and we are user 0");
  g_assert_false (g_file_test (directory, G_FILE_TEST_EXISTS));
  local_end ();
}

static void
make_stale (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  close (fd);
}

static void
test_stale (void)
{
  g_autofree char *directory = NULL;
  g_autofree char *path = NULL;
  AmnesiaStore *a, *b;

  g_test_summary ("What a process that was killed has left does not matter, and is replaced");

  local_begin ();
  directory = local_directory ();
  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  path = local_path (0);
  make_stale (path);
  g_free (path);
  path = local_path (1);
  make_stale (path);
  *strrchr (path, '@') = '~';
  make_stale (path);
  a = local_new_store (2, TRUE);
  b = local_new_store (2, TRUE);
  local_wait_way (a, 1, AMNESIA_WAY_LOCAL);
  local_wait_way (b, 0, AMNESIA_WAY_LOCAL);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  test_free_store (a);
  test_free_store (b);
  local_end ();
}

static void
put_file (const char *path)
{
  g_assert_true (g_file_set_contents (path, "mine", -1, NULL));
}

static void
put_directory (const char *path)
{
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
}

static void
put_link (const char *path)
{
  g_assert_cmpint (symlink ("somewhere", path), ==, 0);
}

static void
put_fifo (const char *path)
{
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
}

static void
test_in_the_way (void)
{
  void (*const put[]) (const char *) = { put_file, put_directory, put_link, put_fifo };
  guint i;

  g_test_summary ("What is not a socket is left alone, under the name or the temporary one");

  for (i = 0; i < 2 * G_N_ELEMENTS (put); i++)
    {
      g_autofree char *directory = NULL;
      g_autofree char *path = NULL;
      struct stat before, after;
      TestDiary *diary;
      AmnesiaStore *a, *b;

      local_begin ();
      directory = local_directory ();
      g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
      path = local_path (0);
      if (i % 2 == 1)
        *strrchr (path, '@') = '~';
      put[i / 2] (path);
      g_assert_cmpint (lstat (path, &before), ==, 0);
      a = local_new_store (2, TRUE);
      diary = test_diary_new (a);
      test_wait_state (a, AMNESIA_STATE_ALONE);
      b = local_new_store (2, TRUE);
      test_wait_linked (b, 1);
      local_assert_shared (a, b);
      g_assert_cmpuint (test_diary_count_log (diary, "*is in the way, as it is not a socket*"), ==,
                        1);
      test_free_store (a);
      g_assert_cmpint (lstat (path, &after), ==, 0);
      g_assert_cmpuint (after.st_ino, ==, before.st_ino);
      test_diary_free (diary);
      test_free_store (b);
      local_end ();
    }
}

static void
test_long_path (void)
{
  g_autofree char *name = local_begin () != NULL ? local_path (0) : NULL;
  gsize length = strlen (name) - strlen (g_getenv ("XDG_RUNTIME_DIR")), i;

  g_test_summary ("A path of 107 bytes will do, one of 108 is not cut, and TCP does it");

  for (i = 107; i <= 108; i++)
    {
      g_autofree char *filler = g_strnfill (i - length - strlen (g_getenv ("XDG_RUNTIME_DIR")) - 1,
                                            'x');
      g_autofree char *runtime = g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), filler, NULL);
      g_autofree char *before = g_strdup (g_getenv ("XDG_RUNTIME_DIR"));
      g_autofree char *path = g_strconcat (runtime, name + strlen (before), NULL);
      g_autofree char *all = g_build_filename (runtime, "amnesia", NULL);

      g_assert_cmpuint (strlen (path), ==, i);
      g_assert_cmpint (g_mkdir (runtime, 0700), ==, 0);
      g_setenv ("XDG_RUNTIME_DIR", runtime, TRUE);
      if (i == 108)
        {
          g_autoptr (GDir) dir = NULL;

          assert_by_tcp ("has 108 bytes");
          dir = g_dir_open (all, 0, NULL);
          g_assert_null (g_dir_read_name (dir));
        }
      else
        {
          AmnesiaStore *a = local_new_store (2, TRUE);
          AmnesiaStore *b = local_new_store (2, TRUE);

          local_wait_way (a, 1, AMNESIA_WAY_LOCAL);
          g_assert_true (local_is_socket (path));
          test_free_store (a);
          test_free_store (b);
        }
      g_setenv ("XDG_RUNTIME_DIR", before, TRUE);
    }
  local_end ();
}

static void
test_removed (void)
{
  g_autofree char *path = NULL;
  AmnesiaStore *store;

  g_test_summary ("At the end the name is gone, if it is still ours");

  local_begin ();
  path = local_path (0);
  store = local_new_store (1, TRUE);
  test_until (local_has_name (0));
  test_free_store (store);
  g_assert_false (local_has_name (0));

  store = local_new_store (1, TRUE);
  test_until (local_has_name (0));
  g_assert_cmpint (g_unlink (path), ==, 0);
  make_stale (path);
  test_close_store (store);
  g_assert_true (local_has_name (0));
  local_end ();
}

static void
test_abstract (void)
{
  g_autofree char *text = NULL;
  g_autofree char *path = NULL;
  g_auto (GStrv) lines = NULL;
  AmnesiaStore *a, *b;
  guint i, n = 0;

  g_test_summary ("No socket has an abstract name, which no file system guards");

  local_begin ();
  path = local_path (0);
  a = local_new_store (2, TRUE);
  b = local_new_store (2, TRUE);
  local_wait_way (a, 1, AMNESIA_WAY_LOCAL);
  g_assert_true (g_file_get_contents ("/proc/self/net/unix", &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (i = 0; lines[i] != NULL; i++)
    {
      const char *ours = strstr (lines[i], g_getenv ("XDG_RUNTIME_DIR"));

      /* an abstract one begins with @ */
      n += ours != NULL;
      g_assert_false (ours != NULL && ours[-1] != ' ');
    }
  g_assert_cmpuint (n, >=, 2);
  test_free_store (a);
  test_free_store (b);
  local_end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/local/way", test_way);
  g_test_add_func ("/local/guest", test_guest);
  g_test_add_func ("/local/off", test_off);
  g_test_add_func ("/local/no-directory", test_no_directory);
  g_test_add_func ("/local/L8-bad-directory", test_bad_directory);
  g_test_add_func ("/local/L8-foreign-directory", test_foreign_directory);
  g_test_add_func ("/local/L8-stale", test_stale);
  g_test_add_func ("/local/L8-in-the-way", test_in_the_way);
  g_test_add_func ("/local/L7-long-path", test_long_path);
  g_test_add_func ("/local/L9-removed", test_removed);
  g_test_add_func ("/local/L10-not-abstract", test_abstract);
  return g_test_run ();
}
