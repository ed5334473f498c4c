/* SPDX-License-Identifier: MIT */

#include "tool-terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What people look at: how wide it is, and what must not get there. */

#define DEFAULT_COLUMNS 80
/* Characters. No script puts more marks on a letter, and somebody might put a million. */
#define MAX_PER_COLUMN 8

/* 0, if it is no terminal: then there is nothing to fit in. */
guint
tool_terminal_get_columns (int fd)
{
  struct winsize size = { 0 };

  if (!isatty (fd))
    return 0;
  if (ioctl (fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return DEFAULT_COLUMNS;

  return size.ws_col;
}

/* Whether it is a terminal whose cursor can be moved, and whose lines can be cleared. */
gboolean
tool_terminal_is_able (int fd)
{
  const char *name = g_getenv ("TERM");

  return isatty (fd) && name != NULL && *name != '\0' && !g_str_equal (name, "dumb");
}

static void
append_escaped (GString  *out,
                gunichar  c)
{
  if (c < 0x10000)
    g_string_append_printf (out, "\\u%04x", c);
  else
    g_string_append_printf (out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                            0xdc00 + (c & 0x3ff));
}

/* The same for text that goes on in further lines: @kept is ASCII, and stays as it is. */
char *
tool_terminal_escape_but (const char *text,
                          const char *kept)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_new (NULL);

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (g_unichar_isprint (c) || (c < 0x80 && strchr (kept, (int) c) != NULL))
        g_string_append_unichar (out, c);
      else
        append_escaped (out, c);
    }

  return g_string_free (out, FALSE);
}

/* All that is not to be seen as JSON writes it in a string: others chose it, and it could tell the
 * terminal what to do. */
char *
tool_terminal_escape (const char *text)
{
  return tool_terminal_escape_but (text, "");
}

/* All that is not ASCII; line feeds stay. */
char *
tool_terminal_escape_all (const char *text)
{
  GString *out = g_string_new (NULL);

  for (; *text != '\0'; text = g_utf8_next_char (text))
    if ((guchar) *text < 0x80)
      g_string_append_c (out, *text);
    else
      append_escaped (out, g_utf8_get_char (text));

  return g_string_free (out, FALSE);
}

static guint
measure_character (gunichar c)
{
  return g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
}

guint
tool_terminal_measure (const char *text)
{
  guint columns = 0, n = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text), n++)
    columns += measure_character (g_utf8_get_char (text));

  return MAX (columns, n / MAX_PER_COLUMN);
}

/* As much of the text as has room, with … if it is not all. */
char *
tool_terminal_cut (const char *text,
                   guint       columns)
{
  const char *end = text;
  const char *all = text;
  guint used = 0, n = 0;

  for (; *all != '\0'; all = g_utf8_next_char (all))
    {
      used += measure_character (g_utf8_get_char (all));
      if (used > columns || n++ / MAX_PER_COLUMN > columns)
        break;
      /* so that the … has a place */
      if (used < columns)
        end = g_utf8_next_char (all);
    }
  if (*all == '\0')
    return g_strdup (text);

  return g_strdup_printf ("%.*s…", (int) (end - text), text);
}

/* The text with spaces behind it, for a table. */
char *
tool_terminal_fill (const char *text,
                    guint       columns)
{
  guint used = tool_terminal_measure (text);

  return g_strdup_printf ("%s%*s", text, used < columns ? (int) (columns - used) : 0, "");
}
