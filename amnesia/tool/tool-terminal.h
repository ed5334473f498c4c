/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

guint  tool_terminal_get_columns (int         fd);
gboolean tool_terminal_is_able   (int         fd);
char  *tool_terminal_escape      (const char *text);
char  *tool_terminal_escape_all  (const char *text);
char  *tool_terminal_escape_but  (const char *text,
                                  const char *kept);
guint  tool_terminal_measure     (const char *text);
char  *tool_terminal_cut         (const char *text,
                                  guint       columns);
char  *tool_terminal_fill        (const char *text,
                                  guint       columns);

G_END_DECLS
