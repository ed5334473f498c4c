/* SPDX-License-Identifier: MIT */

#include "amnesia-local-socket-private.h"

#include "amnesia-error.h"
#include "amnesia-limits-private.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static gboolean
fail (const char  *path,
      const char  *why,
      GError     **error)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_FAILED, "%s %s", name, why);
  return FALSE;
}

/* Only a socket of ours may go: whatever else lies there was meant by somebody. */
static gboolean
is_free (const char  *path,
         GError     **error)
{
  struct stat status;

  if (lstat (path, &status) != 0)
    return errno == ENOENT || fail (path, g_strerror (errno), error);
  if (!S_ISSOCK (status.st_mode))
    return fail (path, "is in the way, as it is not a socket: remove it", error);
  return status.st_uid == geteuid () || fail (path, "is another user's: remove it", error);
}

/* As long as the name itself; nobody looks for it. */
static char *
make_temporary_name (const char *path)
{
  char *temporary = g_strdup (path);

  *strrchr (temporary, '@') = '~';
  return temporary;
}

static gboolean
listen_at (GSocket     *socket,
           const char  *path,
           GError     **error)
{
  g_autoptr (GSocketAddress) where = g_unix_socket_address_new (path);

  g_socket_set_blocking (socket, FALSE);
  g_socket_set_listen_backlog (socket, AMNESIA_LISTEN_BACKLOG);
  return g_socket_bind (socket, where, FALSE, error) && g_socket_listen (socket, error);
}

/* Whoever finds the name finds somebody who listens: so the socket gets it when it does. */
static gboolean
put_in_place (AmnesiaLocalSocket  *self,
              const char          *temporary,
              GError             **error)
{
  struct stat status;

  if (!listen_at (self->socket, temporary, error))
    return FALSE;
  if (lstat (temporary, &status) != 0 || !is_free (self->path, error) ||
      g_rename (temporary, self->path) != 0)
    {
      if (error == NULL || *error == NULL)
        fail (self->path, g_strerror (errno), error);
      g_unlink (temporary);
      return FALSE;
    }
  self->device = status.st_dev;
  self->inode = status.st_ino;
  return TRUE;
}

/* Listens on @path; what a process that was killed has left there is replaced. Two processes would
 * not do that at the same time: the name is of an address and port, and only who listens there by
 * TCP makes it. */
AmnesiaLocalSocket *
amnesia_local_socket_new (const char  *path,
                          GError     **error)
{
  g_autoptr (AmnesiaLocalSocket) self = g_new0 (AmnesiaLocalSocket, 1);
  g_autofree char *temporary = make_temporary_name (path);

  self->path = g_strdup (path);
  self->pid = getpid ();
  self->socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                               G_SOCKET_PROTOCOL_DEFAULT, error);
  if (self->socket == NULL || !is_free (path, error) || !is_free (temporary, error))
    return NULL;
  g_unlink (temporary);
  return put_in_place (self, temporary, error) ? g_steal_pointer (&self) : NULL;
}

/* Somebody else may have the name by now; and the child of a fork leaves its parent's alone. */
static gboolean
has_name (AmnesiaLocalSocket *self)
{
  struct stat status;

  return self->inode != 0 && self->pid == getpid () && lstat (self->path, &status) == 0 &&
         status.st_dev == self->device && status.st_ino == self->inode;
}

/* To be called as long as we listen by TCP: so nobody makes the name anew meanwhile. */
void
amnesia_local_socket_free (AmnesiaLocalSocket *self)
{
  if (has_name (self))
    g_unlink (self->path);
  if (self->socket != NULL)
    g_socket_close (self->socket, NULL);
  g_clear_object (&self->socket);
  g_free (self->path);
  g_free (self);
}
