/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-mesh-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The mesh of one store on real sockets and clocks. It may outlive its owner for a moment, when
 * the last reference was dropped by another thread. */
typedef struct _AmnesiaTransport AmnesiaTransport;

/* All are called in the context. Only @settle may run code of the application; it comes last in
 * each dispatch. */
typedef struct
{
  void (*merged) (gpointer owner);
  void (*log)    (gpointer owner, const char *message);
  void (*settle) (gpointer owner);
} AmnesiaTransportFuncs;

AmnesiaTransport *amnesia_transport_new           (GMainContext                *context,
                                                   const AmnesiaTransportFuncs *funcs,
                                                   GObject                     *owner);
void              amnesia_transport_free          (AmnesiaTransport            *self);

AmnesiaMesh      *amnesia_transport_get_mesh      (AmnesiaTransport            *self);
gboolean          amnesia_transport_is_forked     (AmnesiaTransport            *self);

void              amnesia_transport_open          (AmnesiaTransport            *self,
                                                   AmnesiaSettings             *settings);
void              amnesia_transport_leave         (AmnesiaTransport            *self);
void              amnesia_transport_close         (AmnesiaTransport            *self);
const char       *amnesia_transport_get_listening (AmnesiaTransport            *self);
const GError     *amnesia_transport_get_error     (AmnesiaTransport            *self);

void              amnesia_transport_written       (AmnesiaTransport            *self,
                                                   AmnesiaEntry                *entry,
                                                   gint64                       wall);
void              amnesia_transport_written_all   (AmnesiaTransport            *self,
                                                   GPtrArray                   *entries,
                                                   gint64                       wall);

gint64            amnesia_transport_get_wall      (void);

G_END_DECLS
