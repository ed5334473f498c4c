/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What others have written, for the eyes of somebody at a terminal. */

char *tool_show_value (GVariant   *value);
char *tool_show_key   (const char *key);
char *tool_show_path  (const char *key);
char *tool_show_assignment (const char *key,
                            GVariant   *value);
char *tool_show_dim   (const char *text);
char *tool_show_cut   (char       *text,
                       guint       n_rows,
                       guint       n_columns);

G_END_DECLS
