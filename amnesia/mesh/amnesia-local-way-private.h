/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where the Unix sockets lie by which the members of one machine and one user find each other. */
typedef struct
{
  char    *directory; /* (owned) (nullable) NULL: there is no local way */
  guint64  network;   /* members of another network namespace may share the directory, and have the
                       * same addresses */
} AmnesiaLocalWay;

gboolean  amnesia_local_way_find        (AmnesiaLocalWay  *self,
                                         GError          **error);
void      amnesia_local_way_clear       (AmnesiaLocalWay  *self);

char     *amnesia_local_way_get_path    (const AmnesiaLocalWay *self,
                                         GInetAddress          *address,
                                         guint16                port,
                                         GError               **error);
GSocket  *amnesia_local_way_connect     (const AmnesiaLocalWay *self,
                                         GInetAddress          *address,
                                         guint16                port);

gboolean  amnesia_is_local_socket       (GSocket          *socket);
gboolean  amnesia_local_socket_is_ours  (GSocket          *socket,
                                         GError          **error);
char     *amnesia_local_socket_describe (GSocket          *socket);

gboolean  amnesia_is_of_this_machine    (GInetAddress     *address,
                                         gboolean          otherwise);

G_END_DECLS
