/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined (AMNESIA_INSIDE) && !defined (AMNESIA_COMPILATION)
#error "Only <amnesia.h> can be included directly."
#endif

#include "amnesia-version.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define AMNESIA_TYPE_CONF (amnesia_conf_get_type ())

AMNESIA_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (AmnesiaConf, amnesia_conf, AMNESIA, CONF, GObject)

AMNESIA_AVAILABLE_IN_0_1
AmnesiaConf *amnesia_conf_new             (void);
AMNESIA_AVAILABLE_IN_0_1
AmnesiaConf *amnesia_conf_new_from_file   (const char   *filename,
                                           GError      **error);
AMNESIA_AVAILABLE_IN_0_1
AmnesiaConf *amnesia_conf_new_from_json   (const char   *json,
                                           GError      **error);

AMNESIA_AVAILABLE_IN_0_1
gboolean     amnesia_conf_add_peer        (AmnesiaConf  *self,
                                           const char   *host,
                                           guint         port,
                                           GError      **error);
AMNESIA_AVAILABLE_IN_0_1
guint        amnesia_conf_get_n_peers     (AmnesiaConf  *self);
AMNESIA_AVAILABLE_IN_0_1
gboolean     amnesia_conf_get_peer        (AmnesiaConf  *self,
                                           guint         position,
                                           const char  **host,
                                           guint        *port);

AMNESIA_AVAILABLE_IN_0_1
gboolean     amnesia_conf_add_allow       (AmnesiaConf  *self,
                                           const char   *range,
                                           GError      **error);

AMNESIA_AVAILABLE_IN_0_1
gboolean     amnesia_conf_set_listen      (AmnesiaConf  *self,
                                           const char   *host,
                                           guint         port,
                                           GError      **error);

AMNESIA_AVAILABLE_IN_0_1
gboolean     amnesia_conf_set_tls_files   (AmnesiaConf  *self,
                                           const char   *certificate,
                                           const char   *private_key,
                                           const char   *authorities,
                                           GError      **error);
AMNESIA_AVAILABLE_IN_0_1
GTlsCertificate *amnesia_conf_get_tls_certificate (AmnesiaConf     *self);
AMNESIA_AVAILABLE_IN_0_1
void         amnesia_conf_set_tls_certificate (AmnesiaConf     *self,
                                               GTlsCertificate *certificate);
AMNESIA_AVAILABLE_IN_0_1
GTlsDatabase *amnesia_conf_get_tls_database (AmnesiaConf  *self);
AMNESIA_AVAILABLE_IN_0_1
void         amnesia_conf_set_tls_database (AmnesiaConf  *self,
                                            GTlsDatabase *database);
AMNESIA_AVAILABLE_IN_0_1
const char *const *amnesia_conf_get_tls_names (AmnesiaConf *self);
AMNESIA_AVAILABLE_IN_0_1
void         amnesia_conf_set_tls_names   (AmnesiaConf        *self,
                                           const char *const *names);
AMNESIA_AVAILABLE_IN_0_1
gboolean     amnesia_conf_get_require_tls (AmnesiaConf  *self);
AMNESIA_AVAILABLE_IN_0_1
void         amnesia_conf_set_require_tls (AmnesiaConf  *self,
                                           gboolean      require_tls);

AMNESIA_AVAILABLE_IN_0_1
const char  *amnesia_conf_get_group       (AmnesiaConf  *self);
AMNESIA_AVAILABLE_IN_0_1
void         amnesia_conf_set_group       (AmnesiaConf  *self,
                                           const char   *group);
AMNESIA_AVAILABLE_IN_0_1
guint64      amnesia_conf_get_max_size    (AmnesiaConf  *self);
AMNESIA_AVAILABLE_IN_0_1
void         amnesia_conf_set_max_size    (AmnesiaConf  *self,
                                           guint64       max_size);
AMNESIA_AVAILABLE_IN_0_1
guint        amnesia_conf_get_clock_limit (AmnesiaConf  *self);
AMNESIA_AVAILABLE_IN_0_1
void         amnesia_conf_set_clock_limit (AmnesiaConf  *self,
                                           guint         clock_limit);
AMNESIA_AVAILABLE_IN_0_1
gboolean     amnesia_conf_get_local       (AmnesiaConf  *self);
AMNESIA_AVAILABLE_IN_0_1
void         amnesia_conf_set_local       (AmnesiaConf  *self,
                                           gboolean      local);

G_END_DECLS
