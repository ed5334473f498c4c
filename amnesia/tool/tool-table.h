/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *tool_table_to_text (GPtrArray *rows,
                          guint      columns);

G_END_DECLS
