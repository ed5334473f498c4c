/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-conf.h"

G_BEGIN_DECLS

gboolean amnesia_conf_read_json (AmnesiaConf  *conf,
                                 const char   *text,
                                 gsize         length,
                                 const char   *directory,
                                 GError      **error);
gboolean amnesia_conf_read_file (AmnesiaConf  *conf,
                                 const char   *filename,
                                 GError      **error);

G_END_DECLS
