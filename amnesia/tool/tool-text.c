/* SPDX-License-Identifier: MIT */

#include "tool-text.h"

#include "tool-terminal.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Values in the character set of the locale. Where that is ASCII, as in the locale C, it is UTF-8 all
 * the same: it is not asked for there, but a value must not be lost. */

static gboolean
is_utf8 (void)
{
  const char *charset;

  return g_get_charset (&charset) || strstr (charset, "ASCII") != NULL ||
         strstr (charset, "ANSI_X3.4") != NULL;
}

char *
tool_text_from_locale (const char  *text,
                       GError     **error)
{
  if (!is_utf8 ())
    return g_locale_to_utf8 (text, -1, NULL, NULL, error);
  if (g_utf8_validate (text, -1, NULL))
    return g_strdup (text);
  g_set_error_literal (error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE,
                       _("The text is not UTF-8"));

  return NULL;
}

char *
tool_text_to_locale (const char  *text,
                     GError     **error)
{
  return is_utf8 () ? g_strdup (text) : g_locale_from_utf8 (text, -1, NULL, NULL, error);
}

/* As the library names its peers. */
char *
tool_text_join_place (const char *host,
                      guint       port)
{
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

/* Writes a line at once. Who reads may have gone: that is the end, as by a signal,
 * but nothing to be told. */
static ToolExit
put_line (const char *text)
{
  if (fputs (text, stdout) >= 0 && fputc ('\n', stdout) >= 0 && fflush (stdout) == 0)
    return TOOL_DONE;
  if (errno == EPIPE)
    return TOOL_SIGNAL + SIGPIPE;
  tool_say_error (_("The result cannot be written: %s"), g_strerror (errno));

  return TOOL_FAILED;
}

ToolExit
tool_text_write (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *shown = tool_text_to_locale (text, &error);

  if (shown != NULL)
    return put_line (shown);
  tool_say_error (_("The value has characters that the locale has not: %s"), error->message);

  return TOOL_FAILED;
}

/* All but ASCII as JSON can always say it. */
static char *
escape_json (const char *json)
{
  GString *out = g_string_new (NULL);

  for (; *json != '\0'; json = g_utf8_next_char (json))
    {
      gunichar c = g_utf8_get_char (json);

      if (c < 0x80)
        g_string_append_c (out, (char) c);
      else if (c < 0x10000)
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_printf (out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                                0xdc00 + (c & 0x3ff));
    }

  return g_string_free (out, FALSE);
}

/* What is not to be seen has a form in JSON that does nothing to a terminal. */
ToolExit
tool_text_write_json (const char *json)
{
  g_autofree char *safe = isatty (STDOUT_FILENO) ? tool_terminal_escape (json) : NULL;
  g_autofree char *shown = tool_text_to_locale (safe != NULL ? safe : json, NULL);
  g_autofree char *escaped = shown == NULL ? escape_json (json) : NULL;

  return put_line (shown != NULL ? shown : escaped);
}
