/* SPDX-License-Identifier: MIT */

#include "tool-rows.h"

#include "tool-terminal.h"

/* What the files of others say is shown, not obeyed. */
void
tool_rows_add (GPtrArray  *rows,
               const char *name,
               const char *text)
{
  char **row = g_new0 (char *, 3);

  row[0] = tool_terminal_escape (name);
  row[1] = tool_terminal_escape (text);
  g_ptr_array_add (rows, row);
}

void
tool_rows_remark (GPtrArray  *remarks,
                  const char *format,
                  ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (remarks, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}
