/* SPDX-License-Identifier: MIT */

#pragma once

#include "tool-command.h"

G_BEGIN_DECLS

char    *tool_text_from_locale (const char  *text,
                                GError     **error);
char    *tool_text_to_locale   (const char  *text,
                                GError     **error);
char    *tool_text_join_place  (const char  *host,
                                guint        port);
ToolExit tool_text_write       (const char  *text);
ToolExit tool_text_show         (const char  *text);
ToolExit tool_text_show_json    (const char  *json);

G_END_DECLS
