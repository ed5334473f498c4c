/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-error.h"

G_BEGIN_DECLS

void        amnesia_set_error         (GError       **error,
                                       AmnesiaError   code,
                                       const char    *format,
                                       ...) G_GNUC_PRINTF (3, 4);
void        amnesia_set_error_plural  (GError       **error,
                                       AmnesiaError   code,
                                       const char    *one,
                                       const char    *many,
                                       guint64        n,
                                       ...) G_GNUC_PRINTF (3, 6) G_GNUC_PRINTF (4, 6);
const char *amnesia_error_get_english (const GError  *error);

G_END_DECLS
