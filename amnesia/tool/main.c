/* SPDX-License-Identifier: MIT */

/* amnesia: the shared variable for the command line. One file per command; this one finds it. */

#include "tool-command.h"
#include "tool-standard.h"

#include <amnesia.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <string.h>

static const ToolCommand *const commands[] = {
  &tool_get_command,
  &tool_set_command,
  &tool_unset_command,
  &tool_watch_command,
  &tool_peers_command,
  &tool_shell_command,
  &tool_check_conf_command,
  &tool_bench_command,
  NULL,
};

static const ToolCommand *
find_command (const char *name)
{
  for (guint i = 0; commands[i] != NULL; i++)
    if (g_str_equal (commands[i]->name, name))
      return commands[i];

  return NULL;
}

/* How many letters have to be put in, taken out or made others (Levenshtein). */
static guint
measure_distance (const char *a,
                  const char *b)
{
  gsize length = strlen (b);
  g_autofree guint *row = g_new (guint, length + 1);

  for (gsize i = 0; i <= length; i++)
    row[i] = i;
  for (; *a != '\0'; a++)
    {
      guint corner = row[0]++;

      for (gsize i = 1; i <= length; i++)
        {
          guint here = MIN (MIN (row[i], row[i - 1]) + 1, corner + (*a != b[i - 1]));

          corner = row[i];
          row[i] = here;
        }
    }

  return row[length];
}

/* What may have been meant, or NULL. */
static const char *
find_nearest (const char *name)
{
  const char *nearest = NULL;
  guint least = 3;

  if (strlen (name) > 20)
    return NULL;
  for (guint i = 0; commands[i] != NULL; i++)
    {
      guint distance = measure_distance (name, commands[i]->name);

      if (distance < least && distance < strlen (commands[i]->name))
        {
          least = distance;
          nearest = commands[i]->name;
        }
    }

  return nearest;
}

static char *
describe_usage (void)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%s\n  amnesia %s\n  amnesia help [%s]\n  amnesia --version\n\n%s\n",
                          _("Usage:"), _("COMMAND [OPTION…] [ARGUMENT…]"), _("COMMAND"),
                          _("Commands:"));
  for (guint i = 0; commands[i] != NULL; i++)
    g_string_append_printf (text, "  %-12s%s\n", commands[i]->name, _(commands[i]->summary));
  g_string_append_printf (text, "\n%s\n", _("“amnesia help COMMAND” tells more of one."));

  return g_string_free (text, FALSE);
}

static int
run_command (const char  *name,
             int          argc,
             char       **argv)
{
  const ToolCommand *command = find_command (name);
  const char *nearest;
  g_autofree char *program = NULL;

  if (command == NULL)
    {
      nearest = find_nearest (name);
      tool_say_error (nearest != NULL ? _("There is no command “%s”; did you mean “%s”?")
                                      : _("There is no command “%s”. “amnesia help” lists them."),
                      name, nearest);
      return TOOL_USAGE;
    }
  program = g_strconcat ("amnesia ", name, NULL);
  g_set_prgname (program);

  return command->run (argc, argv);
}

/* Says what is one argument too many, if there is. */
static gboolean
expect_no_more (const char *argument)
{
  if (argument != NULL)
    tool_say_error (_("“%s” is one argument too many"), argument);

  return argument == NULL;
}

static int
help (const char *name)
{
  g_autofree char *usage = NULL;
  char *arguments[] = { (char *) name, (char *) "--help", NULL };

  if (name != NULL)
    return run_command (name, 2, arguments);
  usage = describe_usage ();
  g_print ("%s", usage);

  return TOOL_DONE;
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *usage = NULL;

  tool_standard_init ();
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_prgname ("amnesia");

  if (argc < 2)
    {
      usage = describe_usage ();
      g_printerr ("%s", usage);
      return TOOL_USAGE;
    }
  if (g_str_equal (argv[1], "--version"))
    {
      if (!expect_no_more (argv[2]))
        return TOOL_USAGE;
      g_print ("amnesia %s\n", AMNESIA_VERSION_STRING);
      return TOOL_DONE;
    }
  if (g_str_equal (argv[1], "help") || g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h"))
    return argc == 2 || expect_no_more (argv[3]) ? help (argv[2]) : TOOL_USAGE;

  return run_command (argv[1], argc - 1, argv + 1);
}
