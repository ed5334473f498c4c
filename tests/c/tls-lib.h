/* SPDX-License-Identifier: MIT */

#pragma once

#include "testlib.h"

G_BEGIN_DECLS

gboolean      tls_skip_all    (void);

/* Certificates of the test's own, in a folder of its own, made by openssl. */
const char   *tls_begin       (void);
void          tls_end         (void);
char         *tls_path        (const char   *name);
void          tls_make_authority (const char *name);
void          tls_set_days    (guint         days);
void          tls_make        (const char   *name,
                               const char   *authority,
                               const char   *alternatives);
void          tls_make_dated  (const char   *name,
                               const char   *authority,
                               const char   *from,
                               const char   *until);

/* Entries of the test's host, with the certificate @name, and no local way. */
AmnesiaConf  *tls_conf        (const char   *name,
                               guint         n_entries);
AmnesiaStore *tls_store       (const char   *name,
                               guint         n_entries);
void          tls_copy        (const char   *from,
                               const char   *to);

G_END_DECLS
