/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean amnesia_tls_rehearse (GTlsCertificate  *certificate,
                               GError          **error);

G_END_DECLS
