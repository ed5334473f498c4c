/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>
#include <sys/stat.h>

G_BEGIN_DECLS

/* A Unix socket that listens, and its name. */
typedef struct
{
  GSocket *socket; /* (owned) */
  char    *path;   /* (owned) */
  dev_t    device; /* of what we have put there */
  ino_t    inode;
  pid_t    pid;    /* of the process that did */
} AmnesiaLocalSocket;

AmnesiaLocalSocket *amnesia_local_socket_new  (const char          *path,
                                               GError             **error);
void                amnesia_local_socket_free (AmnesiaLocalSocket  *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaLocalSocket, amnesia_local_socket_free)

G_END_DECLS
