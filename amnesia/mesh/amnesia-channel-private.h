/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-inspector-private.h"
#include "amnesia-mesh-private.h"
#include "amnesia-tls-session-private.h"
#include "amnesia-watch-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The socket of one link: bytes in, bytes out, nothing decided. */
typedef struct _AmnesiaChannel AmnesiaChannel;

typedef void (*AmnesiaChannelFunc) (AmnesiaChannel *channel,
                                    gpointer        user_data);

AmnesiaChannel *amnesia_channel_new        (GSocket             *socket,
                                            AmnesiaMesh         *mesh,
                                            AmnesiaLink         *link,
                                            AmnesiaInspector    *inspector,
                                            guint64              max_size,
                                            AmnesiaWatch        *watch,
                                            AmnesiaChannelFunc   expired,
                                            gpointer             user_data,
                                            GError             **error);
void            amnesia_channel_free       (AmnesiaChannel      *self);

AmnesiaLink    *amnesia_channel_get_link   (AmnesiaChannel      *self);

void            amnesia_channel_set_tls    (AmnesiaChannel      *self,
                                            AmnesiaTlsSession   *session);
AmnesiaTlsSession *amnesia_channel_get_tls (AmnesiaChannel      *self);
gboolean        amnesia_channel_is_shaking (AmnesiaChannel      *self);
gboolean        amnesia_channel_shake      (AmnesiaChannel      *self,
                                            GError             **error);
gboolean        amnesia_channel_shaken     (AmnesiaChannel      *self,
                                            GError             **error);

gboolean        amnesia_channel_receive    (AmnesiaChannel      *self,
                                            AmnesiaTime          now,
                                            gint64               until,
                                            GError             **error);
gboolean        amnesia_channel_send       (AmnesiaChannel      *self,
                                            AmnesiaTime          now,
                                            gint64               until,
                                            GError             **error);
void            amnesia_channel_put_off    (AmnesiaChannel      *self);
void            amnesia_channel_hang_up    (AmnesiaChannel      *self);
void            amnesia_channel_reset      (AmnesiaChannel      *self);
gboolean        amnesia_channel_is_full    (AmnesiaChannel      *self);
gboolean        amnesia_channel_has_more   (AmnesiaChannel      *self);
gboolean        amnesia_channel_set_woken  (AmnesiaChannel      *self,
                                            gboolean             woken);

G_END_DECLS
