/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char    *tool_text_from_locale (const char  *text,
                                GError     **error);
char    *tool_text_to_locale   (const char  *text,
                                GError     **error);
gboolean tool_text_write       (const char  *text);
gboolean tool_text_write_json  (const char  *json);

G_END_DECLS
