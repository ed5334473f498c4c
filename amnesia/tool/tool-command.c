/* SPDX-License-Identifier: MIT */

#include "tool-command.h"

#include "tool-terminal.h"
#include "tool-text.h"

#include <glib/gi18n.h>

/* What all commands do with their command line. */

static void
say_error (const char *format,
           va_list     arguments)
{
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  g_autofree char *shown = tool_terminal_escape_but (message, "\n");

  g_printerr ("amnesia: %s\n", shown);
}

/* Errors go where results do not. They may have in them what others wrote. */
void
tool_say_error (const char *format,
                ...)
{
  va_list arguments;

  va_start (arguments, format);
  say_error (format, arguments);
  va_end (arguments);
}

void
tool_usage_error (const ToolCommand *command,
                  const char        *format,
                  ...)
{
  va_list arguments;

  va_start (arguments, format);
  say_error (format, arguments);
  va_end (arguments);
  g_printerr (_("Try “amnesia %s --help”.\n"), command->name);
}

static GOptionContext *
make_context (const ToolCommand *command,
              GOptionGroup      *group)
{
  GOptionContext *context = g_option_context_new (command->arguments != NULL ? _(command->arguments)
                                                                             : NULL);

  g_option_context_set_summary (context, _(command->summary));
  if (command->description != NULL)
    g_option_context_set_description (context, _(command->description));
  g_option_context_set_main_group (context, group);
  /* negative numbers are values */
  g_option_context_set_ignore_unknown_options (context, TRUE);

  return context;
}

static gboolean
is_option (const char *text)
{
  return text[0] == '-' && text[1] != '\0' && !g_ascii_isdigit (text[1]) && text[1] != '.';
}

/* Takes what is left when the options are gone. NULL: something looks like an option and is none. */
static char **
take_arguments (const ToolCommand  *command,
                char              **left)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  gboolean literal = FALSE;

  for (guint i = 1; left[i] != NULL; i++)
    if (!literal && g_str_equal (left[i], "--"))
      literal = TRUE;
    else if (!literal && is_option (left[i]))
      {
        tool_usage_error (command, _("“%s” is not an option of “%s”"), left[i], command->name);
        return NULL;
      }
    else
      g_ptr_array_add (found, g_strdup (left[i]));
  g_ptr_array_add (found, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&found), FALSE);
}

static gboolean
check_count (const ToolCommand *command,
             char             **arguments,
             guint              min,
             guint              max)
{
  guint n = g_strv_length (arguments);

  if (n > max)
    tool_usage_error (command, _("“%s” is one argument too many"), arguments[max]);
  else if (n < min)
    tool_usage_error (command, _("An argument is missing: %s %s"), command->name,
                      _(command->arguments));
  else
    return TRUE;

  return FALSE;
}

/* Every argument as UTF-8, however the locale has it. */
static gboolean
convert (char **arguments)
{
  for (; *arguments != NULL; arguments++)
    {
      g_autoptr (GError) error = NULL;
      char *text = tool_text_from_locale (*arguments, &error);

      if (text == NULL)
        {
          tool_say_error ("%s", error->message);
          return FALSE;
        }
      g_free (*arguments);
      *arguments = text;
    }

  return TRUE;
}

/* Reads the command line; takes @group. Sets @arguments to what is no option, in UTF-8. Returns
 * FALSE when it has said what is wrong. */
gboolean
tool_parse (const ToolCommand   *command,
            GOptionGroup        *group,
            int                  argc,
            char               **argv,
            guint                min,
            guint                max,
            char              ***arguments)
{
  g_autoptr (GOptionContext) context = make_context (command, group);
  g_auto (GStrv) left = g_strdupv (argv);
  g_auto (GStrv) found = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_option_context_parse_strv (context, &left, &error))
    {
      tool_usage_error (command, "%s", error->message);
      return FALSE;
    }
  found = take_arguments (command, left);
  if (found == NULL || !check_count (command, found, min, max) || !convert (found))
    return FALSE;
  *arguments = g_steal_pointer (&found);

  return TRUE;
}
