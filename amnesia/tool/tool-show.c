/* SPDX-License-Identifier: MIT */

#include "tool-show.h"

#include "tool-relaxed.h"
#include "tool-terminal.h"
#include "tool-value.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* Returns the value as JSON, or where that cannot be as GVariant text, without what would do something
 * to the terminal: JSON stays JSON that means the same. */
char *
tool_show_value (GVariant *value)
{
  g_autofree char *text = tool_value_show (value);

  return tool_terminal_escape (text);
}

/* Returns a key in quotes. */
char *
tool_show_key (const char *key)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_string (key));

  return tool_show_value (value);
}

/* Returns how a key is called, or with NULL the whole value. */
char *
tool_show_path (const char *key)
{
  g_autofree char *quoted = NULL;

  if (key == NULL)
    return g_strdup ("mem.data");
  if (tool_relaxed_is_name (key))
    return g_strconcat ("mem.data.", key, NULL);
  quoted = tool_show_key (key);

  return g_strdup_printf ("mem.data[%s]", quoted);
}

/* Returns what somebody would type to make it so. */
char *
tool_show_assignment (const char *key,
                      GVariant   *value)
{
  g_autofree char *path = tool_show_path (key);
  g_autofree char *shown = value != NULL ? tool_show_value (value) : NULL;

  return value != NULL ? g_strdup_printf ("%s = %s", path, shown) : g_strconcat ("delete ", path, NULL);
}

/* Returns the text as something less important, where that is wanted (see no-color.org). */
char *
tool_show_dim (const char *text)
{
  const char *no_color = g_getenv ("NO_COLOR");

  if ((no_color != NULL && *no_color != '\0') || !tool_terminal_is_able (STDOUT_FILENO))
    return g_strdup (text);

  return g_strconcat ("\033[2m", text, "\033[0m", NULL);
}

/* Where the text ends that has so many columns, or NULL: all of it has. Each character counts, also those
 * that a terminal puts on the one before, as there may be a million of them. */
static const char *
find_end (const char *text,
          guint       n_columns)
{
  guint used = 0;
  const char *end = text;

  for (; *end != '\0'; end = g_utf8_next_char (end))
    {
      used += g_unichar_iswide (g_utf8_get_char (end)) ? 2 : 1;
      if (used > n_columns)
        return end;
    }

  return NULL;
}

/* Takes @text and returns what goes into so many rows, with a note if that is not all. */
char *
tool_show_cut (char  *text,
               guint  n_rows,
               guint  n_columns)
{
  g_autofree char *whole = text;
  const char *end = find_end (text, n_rows * n_columns);
  g_autofree char *size = NULL;
  g_autofree char *start = NULL;
  g_autofree char *note = NULL;
  g_autofree char *dim = NULL;

  if (end == NULL)
    return g_steal_pointer (&whole);

  size = g_format_size (strlen (text));
  start = g_strndup (text, end - text);
  /* TRANSLATORS: a size, such as 16.8 MB */
  note = g_strdup_printf (_("… (%s in all)"), size);
  dim = tool_show_dim (note);

  return g_strconcat (start, "\n", dim, NULL);
}
