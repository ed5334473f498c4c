/* SPDX-License-Identifier: MIT */

#define _GNU_SOURCE /* nftw () */

#include "local-lib.h"

#include <ftw.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *directory;

const char *
local_begin (void)
{
  g_autoptr (GError) error = NULL;

  directory = g_dir_make_tmp ("amnesia-XXXXXX", &error);
  g_assert_no_error (error);
  g_setenv ("XDG_RUNTIME_DIR", directory, TRUE);
  return directory;
}

static int
remove_cb (const char        *path,
           const struct stat *status,
           int                kind,
           struct FTW        *walk)
{
  return remove (path);
}

void
local_end (void)
{
  g_unsetenv ("XDG_RUNTIME_DIR");
  g_assert_cmpint (nftw (directory, remove_cb, 8, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_clear_pointer (&directory, g_free);
}

/* What a member makes in it. */
char *
local_directory (void)
{
  return g_build_filename (directory, "amnesia", NULL);
}

/* The name that the manual gives to the socket of that entry. */
char *
local_path (guint index)
{
  struct stat network;

  g_assert_cmpint (stat ("/proc/self/ns/net", &network), ==, 0);
  return g_strdup_printf ("%s/amnesia/%s:%u@%lu", directory, test_host (), test_port (index),
                          (gulong) network.st_ino);
}

gboolean
local_is_socket (const char *path)
{
  struct stat status;

  return lstat (path, &status) == 0 && S_ISSOCK (status.st_mode);
}

gboolean
local_has_name (guint index)
{
  g_autofree char *path = local_path (index);

  return local_is_socket (path);
}

static GSocket *
make_socket (void)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, &error);

  g_assert_no_error (error);
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

/* Somebody has the name of that entry. */
RawDoor *
local_door_new (guint index)
{
  RawDoor *door = g_new0 (RawDoor, 1);
  g_autofree char *path = local_path (index);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  door->socket = make_socket ();
  g_socket_bind (door->socket, address, FALSE, &error);
  g_assert_no_error (error);
  g_socket_listen (door->socket, &error);
  g_assert_no_error (error);
  return door;
}

RawPeer *
local_connect (guint index)
{
  g_autofree char *path = local_path (index);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GError) error = NULL;
  GSocket *socket = make_socket ();

  g_socket_connect (socket, address, NULL, &error);
  g_assert_no_error (error);
  return raw_peer_new (socket);
}

AmnesiaStore *
local_new_store (guint    n_entries,
                 gboolean local)
{
  g_autoptr (AmnesiaConf) conf = test_conf (n_entries);

  amnesia_conf_set_local (conf, local);
  return test_new_store (conf);
}

static gboolean
has_way (AmnesiaStore *store,
         guint         index,
         AmnesiaWay    way)
{
  AmnesiaPeer *peer = test_find_peer (store, test_port (index));

  return peer != NULL && amnesia_peer_get_way (peer) == way;
}

/* Waits for a link by that way to the member of that entry; what was tried before is no error. */
void
local_wait_way (AmnesiaStore *store,
                guint         index,
                AmnesiaWay    way)
{
  test_until (has_way (store, index, way));
  g_assert_no_error (amnesia_peer_get_last_error (test_find_peer (store, test_port (index))));
}

void
local_assert_shared (AmnesiaStore *a,
                     AmnesiaStore *b)
{
  test_set (a, "'from a'");
  test_until (test_has_data (b, "'from a'"));
  test_set (b, "'from b'");
  test_until (test_has_data (a, "'from b'"));
}

/* In the child of a fork. Who is content is killed, so that nothing is looked for that it has not freed. */
void
local_end_child (int result)
{
  if (result == 0)
    kill (getpid (), SIGKILL);
  _exit (result);
}

void
local_assert_child (int status)
{
  if (WIFEXITED (status))
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}
