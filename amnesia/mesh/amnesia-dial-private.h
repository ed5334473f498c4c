/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-local-way-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* One attempt to reach a host by one of its addresses. */
typedef struct _AmnesiaDial AmnesiaDial;

/* Either a socket that is connected, or an error. */
typedef void (*AmnesiaDialFunc) (AmnesiaDial       *dial,
                                 GSocket           *socket,
                                 const GError      *error,
                                 gpointer           user_data);

AmnesiaDial *amnesia_dial_new     (GMainContext      *context,
                                   guint16            port,
                                   AmnesiaDialFunc    func,
                                   gpointer           user_data);
void         amnesia_dial_free    (AmnesiaDial       *self);

void         amnesia_dial_set_from (AmnesiaDial      *self,
                                    GInetAddress     *from);
void         amnesia_dial_set_local_way (AmnesiaDial           *self,
                                         const AmnesiaLocalWay *way);
gboolean     amnesia_dial_start_nearby (AmnesiaDial  *self,
                                        GList        *addresses);
void         amnesia_dial_start   (AmnesiaDial       *self,
                                   GList             *addresses,
                                   const GError      *error);

G_END_DECLS
