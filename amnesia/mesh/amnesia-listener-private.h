/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-local-way-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Finds out by binding whether an entry is ours, and accepts. */
typedef struct _AmnesiaListener AmnesiaListener;

/* @accepted: (element-type GSocket) */
typedef void (*AmnesiaListenerFunc) (GPtrArray *accepted,
                                     gpointer   user_data);

/* OURS: it listens. IN_USE: it is ours, but another process has it. ELSEWHERE: no address of it
 * is of this machine. FAILED: with an error. */
typedef enum
{
  AMNESIA_BIND_OURS,
  AMNESIA_BIND_IN_USE,
  AMNESIA_BIND_ELSEWHERE,
  AMNESIA_BIND_FAILED,
} AmnesiaBind;

AmnesiaListener *amnesia_listener_new         (GMainContext         *context,
                                               AmnesiaListenerFunc   func,
                                               gpointer              user_data);
void             amnesia_listener_free        (AmnesiaListener      *self);

AmnesiaBind      amnesia_listener_bind        (AmnesiaListener      *self,
                                               const char           *host,
                                               GList                *addresses,
                                               guint16               port,
                                               GError              **error);
GInetAddress    *amnesia_listener_get_address (AmnesiaListener      *self,
                                               GSocketFamily         family);
gboolean         amnesia_listener_is_stale    (AmnesiaListener      *self);
gboolean         amnesia_listener_has         (AmnesiaListener      *self,
                                               GInetAddress         *address);
gboolean         amnesia_listener_is_open     (AmnesiaListener      *self);
gboolean         amnesia_listener_set_local   (AmnesiaListener        *self,
                                               const AmnesiaLocalWay  *way,
                                               GError                **error);
void             amnesia_listener_close       (AmnesiaListener      *self);

G_END_DECLS
