/* SPDX-License-Identifier: MIT */

#include "tool-text.h"

#include "tool-terminal.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <limits.h>
#include <signal.h>
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

/* It is a signal that ends this, or an error. */
static gboolean
wait_for_room (void)
{
  GPollFD output = { .fd = STDOUT_FILENO, .events = G_IO_OUT };

  return g_poll (&output, 1, -1) > 0;
}

/* A signal has to get through while nobody reads: so no more is written at once than there is room for,
 * and by the kernel's own call, as stdio would try once more at the end. Also somebody else who has the
 * same pipe may have made it one that does not wait. */
static gboolean
write_all (const char *text,
           gsize       length)
{
  while (length > 0)
    {
      gssize n = wait_for_room () ? write (STDOUT_FILENO, text, MIN (length, PIPE_BUF)) : -1;

      if (n < 0 && errno != EAGAIN)
        return FALSE;
      text += MAX (n, 0);
      length -= MAX (n, 0);
    }

  return TRUE;
}

/* Writes a line at once. Who reads may have gone: that is the end, as by a signal,
 * but nothing to be told. */
static ToolExit
put_line (const char *text)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  if (write_all (line, strlen (line)))
    return TOOL_DONE;
  if (errno == EPIPE)
    return TOOL_SIGNAL + SIGPIPE;
  if (errno == EINTR)
    return TOOL_SIGNAL;
  tool_say_error (_("The result cannot be written: %s"), g_strerror (errno));

  return TOOL_FAILED;
}

/* Writes what has to be exact. */
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

/* Writes what people read, or JSON: what the locale has not is in ASCII, as JSON can always say it. */
ToolExit
tool_text_show (const char *text)
{
  g_autofree char *shown = tool_text_to_locale (text, NULL);
  g_autofree char *ascii = shown == NULL ? tool_terminal_escape_all (text) : NULL;

  return put_line (shown != NULL ? shown : ascii);
}

/* What is not to be seen has a form in JSON that does nothing to a terminal. */
ToolExit
tool_text_show_json (const char *json)
{
  g_autofree char *safe = isatty (STDOUT_FILENO) ? tool_terminal_escape (json) : NULL;

  return tool_text_show (safe != NULL ? safe : json);
}
