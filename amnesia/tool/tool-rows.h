/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Rows of two cells, for tool_table_to_text(), and lines below them. */

void tool_rows_add    (GPtrArray  *rows,
                       const char *name,
                       const char *text);
void tool_rows_remark (GPtrArray  *remarks,
                       const char *format,
                       ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS
