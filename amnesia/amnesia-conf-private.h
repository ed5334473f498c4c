/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-conf.h"

G_BEGIN_DECLS

#define AMNESIA_CONF_MAX_GROUP 255
#define AMNESIA_CONF_MIN_MAX_SIZE (G_GUINT64_CONSTANT (1) << 10)
#define AMNESIA_CONF_MAX_MAX_SIZE (G_GUINT64_CONSTANT (1) << 30)

/* From now on the configuration does not change: a store uses it. */
void                amnesia_conf_freeze      (AmnesiaConf  *self);

/* As amnesia_conf_add_peer(); `list` is its name in messages: "peers", or "" if it is alone. */
gboolean            amnesia_conf_append_peer (AmnesiaConf  *self,
                                              const char   *list,
                                              const char   *host,
                                              guint         port,
                                              GError      **error);

/* (transfer none) (element-type GInetAddressMask) */
GPtrArray          *amnesia_conf_get_allow   (AmnesiaConf  *self);
gboolean            amnesia_conf_get_listen  (AmnesiaConf  *self,
                                              const char  **host,
                                              guint        *port);

G_END_DECLS
