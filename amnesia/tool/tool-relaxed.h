/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean tool_relaxed_is_name (const char  *text);
char    *tool_relaxed_to_json (const char  *text,
                               GArray     **places);

G_END_DECLS
