/* SPDX-License-Identifier: MIT */

#include "tool-table.h"

#include "tool-terminal.h"

#define GAP "  "

static guint
measure_cells (GPtrArray *rows,
               guint      which)
{
  guint width = 0;

  for (guint i = 0; i < rows->len; i++)
    width = MAX (width, tool_terminal_measure (((char **) g_ptr_array_index (rows, i))[which]));

  return width;
}

static char *
join_cells (char        **cells,
            const guint  *widths)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; cells[i] != NULL; i++)
    {
      g_autofree char *filled = tool_terminal_fill (cells[i], widths[i]);

      g_string_append (line, i > 0 ? GAP : "");
      g_string_append (line, filled);
    }

  return g_strchomp (g_string_free (g_steal_pointer (&line), FALSE));
}

/* Cells below each other. @rows: of lists of strings, all of one length. @columns: how wide a line may
 * be; 0: as wide as it is. */
char *
tool_table_to_text (GPtrArray *rows,
                    guint      columns)
{
  guint n = g_strv_length (g_ptr_array_index (rows, 0));
  g_autofree guint *widths = g_new (guint, n);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    widths[i] = measure_cells (rows, i);
  for (guint i = 0; i < rows->len; i++)
    {
      g_autofree char *line = join_cells (g_ptr_array_index (rows, i), widths);
      g_autofree char *cut = tool_terminal_cut (line, columns > 0 ? columns : G_MAXUINT);

      g_string_append_printf (text, "%s\n", cut);
    }

  return g_string_free (text, FALSE);
}
