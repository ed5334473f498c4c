/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-conf.h"
#include "mesh/amnesia-tls-files-private.h"

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

/* amnesia-conf-tls.c */
gboolean            amnesia_conf_append_tls_name (AmnesiaConf  *self,
                                                  const char   *name,
                                                  GError      **error);
gboolean            amnesia_conf_check_tls       (AmnesiaConf  *self,
                                                  GError      **error);
const AmnesiaTlsFiles *amnesia_conf_get_tls_paths (AmnesiaConf *self);

G_END_DECLS
