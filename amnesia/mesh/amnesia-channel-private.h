/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-inspector-private.h"
#include "amnesia-mesh-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The socket of one link: bytes in, bytes out, nothing decided. */
typedef struct _AmnesiaChannel AmnesiaChannel;

typedef void (*AmnesiaChannelFunc) (AmnesiaChannel *channel,
                                    GIOCondition    condition,
                                    gpointer        user_data);

AmnesiaChannel *amnesia_channel_new        (GSocketConnection   *connection,
                                            AmnesiaMesh         *mesh,
                                            AmnesiaLink         *link,
                                            AmnesiaInspector    *inspector,
                                            guint64              max_size,
                                            GMainContext        *context,
                                            AmnesiaChannelFunc   func,
                                            gpointer             user_data);
void            amnesia_channel_free       (AmnesiaChannel      *self);

AmnesiaLink    *amnesia_channel_get_link   (AmnesiaChannel      *self);
gboolean        amnesia_channel_receive    (AmnesiaChannel      *self,
                                            AmnesiaTime          now,
                                            gint64               until,
                                            GError             **error);
gboolean        amnesia_channel_send       (AmnesiaChannel      *self,
                                            AmnesiaTime          now,
                                            gint64               until,
                                            GError             **error);
void            amnesia_channel_hang_up    (AmnesiaChannel      *self);
void            amnesia_channel_reset      (AmnesiaChannel      *self);
gboolean        amnesia_channel_set_woken  (AmnesiaChannel      *self,
                                            gboolean             woken);

G_END_DECLS
