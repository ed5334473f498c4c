/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What an entry of a configuration is, seen from this machine. */
typedef struct
{
  const char *host;
  guint       port;
  GList      *addresses;    /* (owned) of GInetAddress; NULL: not found */
  GError     *error;        /* (owned) (nullable) why */
  gboolean    is_here;      /* an address of this machine */
  gboolean    is_taken;     /* somebody here listens there */
  guint      *n_pending;
} ToolPlace;

void  tool_place_look_up  (ToolPlace    *self,
                           const char   *host,
                           guint         port,
                           GCancellable *cancellable,
                           guint        *n_pending);
void  tool_place_clear    (ToolPlace    *self);
char *tool_place_describe (ToolPlace    *self);

G_END_DECLS
