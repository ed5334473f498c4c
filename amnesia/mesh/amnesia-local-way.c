/* SPDX-License-Identifier: MIT */

#include "amnesia-local-way-private.h"

#include "amnesia-error.h"
#include "amnesia-link-private.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define OVERFLOW_UID "/proc/sys/kernel/overflowuid"
#define NETWORK_NAMESPACE "/proc/self/ns/net"
#define DIRECTORY "amnesia"

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError     **error,
        const char  *format,
        ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (AMNESIA_ERROR, AMNESIA_ERROR_REFUSED, format, args);
  va_end (args);
  return FALSE;
}

/* --- who --- */

/* What a user namespace shows for everybody whom it does not know, root included. */
static guint64
get_overflow_uid (void)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (OVERFLOW_UID, &text, NULL, NULL) ? g_ascii_strtoull (text, NULL, 10)
                                                               : 65534;
}

/* Who runs as that one cannot tell himself from others. */
static gboolean
check_own_uid (GError **error)
{
  if (geteuid () != get_overflow_uid ())
    return TRUE;
  return refuse (error, "we run as user %u, which others seem to be as well that this user "
                        "namespace does not know", (guint) geteuid ());
}

gboolean
amnesia_is_local_socket (GSocket *socket)
{
  return g_socket_get_family (socket) == G_SOCKET_FAMILY_UNIX;
}

/* GCredentials would do this, but it tells no user of a process outside of our pid namespace, which
 * has the number 0 here. */
static gboolean
get_credentials (GSocket       *socket,
                 struct ucred  *credentials,
                 GError       **error)
{
  socklen_t size = sizeof *credentials;

  return getsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_PEERCRED, credentials, &size) == 0 ||
         refuse (error, "the system does not say whose process it is: %s", g_strerror (errno));
}

/* Whether the other end of a connection is the same user's. The superuser is nobody special. */
gboolean
amnesia_local_socket_is_ours (GSocket  *socket,
                              GError  **error)
{
  struct ucred credentials;

  if (!check_own_uid (error) || !get_credentials (socket, &credentials, error))
    return FALSE;
  return credentials.uid == geteuid () ||
         refuse (error, "it is a process of user %u, and this is one of user %u",
                 (guint) credentials.uid, (guint) geteuid ());
}

/* Who that is, for the log and for those who see a guest. */
char *
amnesia_local_socket_describe (GSocket *socket)
{
  struct ucred credentials;

  if (!get_credentials (socket, &credentials, NULL) || credentials.pid == 0)
    return g_strdup ("a process of this machine");
  return g_strdup_printf ("process %d of this machine", (int) credentials.pid);
}

/* --- where --- */

/* Others could put a socket of theirs in the place of ours, or take ours away. */
static gboolean
check_directory (const char         *path,
                 const struct stat  *status,
                 GError            **error)
{
  g_autofree char *name = g_filename_display_name (path);

  if (!S_ISDIR (status->st_mode))
    return refuse (error, "%s is not a directory: remove it", name);
  if (status->st_uid != geteuid ())
    return refuse (error, "%s belongs to user %u, and we are user %u", name,
                   (guint) status->st_uid, (guint) geteuid ());
  if (status->st_mode & (S_IWGRP | S_IWOTH))
    return refuse (error, "others can write to %s: chmod 700 it", name);
  return TRUE;
}

/* GLib would fall back to the cache directory, which may lie on another machine. A variable that
 * says nothing of use is not worth a word. */
static char *
get_runtime_directory (GError **error)
{
  const char *path = g_getenv ("XDG_RUNTIME_DIR");
  struct stat status;

  if (path == NULL || !g_path_is_absolute (path) || stat (path, &status) != 0 ||
      !S_ISDIR (status.st_mode))
    return NULL;
  return check_directory (path, &status, error) ? g_strdup (path) : NULL;
}

static char *
make_directory (GError **error)
{
  g_autofree char *runtime = get_runtime_directory (error);
  g_autofree char *path = runtime != NULL ? g_build_filename (runtime, DIRECTORY, NULL) : NULL;
  struct stat status;

  if (path == NULL)
    return NULL;
  if ((g_mkdir (path, 0700) != 0 && errno != EEXIST) || lstat (path, &status) != 0)
    {
      const char *why = g_strerror (errno);
      g_autofree char *name = g_filename_display_name (path);

      refuse (error, "%s cannot be made: %s", name, why);
      return NULL;
    }
  return check_directory (path, &status, error) ? g_steal_pointer (&path) : NULL;
}

/* Without an error, if there is no such place, and nothing wrong with that. */
gboolean
amnesia_local_way_find (AmnesiaLocalWay  *self,
                        GError          **error)
{
  g_autofree char *directory = NULL;
  struct stat network;

  amnesia_local_way_clear (self);
  if (stat (NETWORK_NAMESPACE, &network) != 0)
    return FALSE;
  directory = make_directory (error);
  if (directory == NULL || !check_own_uid (error))
    return FALSE;
  self->directory = g_steal_pointer (&directory);
  self->network = network.st_ino;
  return TRUE;
}

void
amnesia_local_way_clear (AmnesiaLocalWay *self)
{
  g_clear_pointer (&self->directory, g_free);
}

/* GLib cuts a path that is too long, and two that are alike up to there would be one socket. */
char *
amnesia_local_way_get_path (const AmnesiaLocalWay *self,
                            GInetAddress          *address,
                            guint16                port,
                            GError               **error)
{
  g_autofree char *host = g_inet_address_to_string (address);
  g_autofree char *where = amnesia_format_address (host, port);
  g_autofree char *path = g_strdup_printf ("%s/%s@%" G_GUINT64_FORMAT, self->directory, where,
                                           self->network);
  g_autofree char *name = g_filename_display_name (path);

  if (strlen (path) < sizeof ((struct sockaddr_un *) NULL)->sun_path)
    return g_steal_pointer (&path);
  refuse (error, "%s has %zu bytes, and a socket's path has 107 at most: set a shorter "
                 "XDG_RUNTIME_DIR", name, strlen (path));
  return NULL;
}

/* Whether this machine has the address; @otherwise, if that cannot be found out. */
gboolean
amnesia_is_of_this_machine (GInetAddress *address,
                            gboolean      otherwise)
{
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new (address, 0);
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (address),
                                             G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  return socket != NULL ? g_socket_bind (socket, where, FALSE, NULL) : otherwise;
}

/* @name: the address itself, or any. What lies there may be of a time at which the address was
 * this machine's. */
static GSocket *
connect_to (const AmnesiaLocalWay *self,
            GInetAddress          *address,
            GInetAddress          *name,
            guint16                port)
{
  g_autofree char *path = amnesia_local_way_get_path (self, name, port, NULL);
  g_autoptr (GSocketAddress) where = NULL;
  g_autoptr (GSocket) socket = NULL;

  /* most often there is none, and nothing else has to be looked at */
  if (path == NULL || g_access (path, F_OK) != 0 || !amnesia_is_of_this_machine (address, FALSE))
    return NULL;
  where = g_unix_socket_address_new (path);
  socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
                         NULL);
  if (socket == NULL)
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  return g_socket_connect (socket, where, NULL, NULL) ? g_steal_pointer (&socket) : NULL;
}

/* Connects, which takes no time: who listens on that address is there, or is not. Who listens on all
 * of them has one name for all. */
GSocket *
amnesia_local_way_connect (const AmnesiaLocalWay *self,
                           GInetAddress          *address,
                           guint16                port)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_any (g_inet_address_get_family (address));
  GSocket *socket;

  if (self->directory == NULL)
    return NULL;
  socket = connect_to (self, address, address, port);
  return socket != NULL ? socket : connect_to (self, address, any, port);
}
