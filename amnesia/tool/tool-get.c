/* SPDX-License-Identifier: MIT */

#include "tool-session.h"
#include "tool-terminal.h"
#include "tool-text.h"

#include <glib/gi18n.h>
#include <unistd.h>

typedef struct
{
  gboolean gvariant;
  gboolean raw;
  gboolean keys;
} Options;

/* Programs get it as it is, and people what they can look at. */
static ToolExit
print_text (const char *text,
            const char *kept)
{
  g_autofree char *safe = isatty (STDOUT_FILENO) ? tool_terminal_escape_but (text, kept) : NULL;

  return tool_text_write (safe != NULL ? safe : text);
}

static ToolExit
print_keys (AmnesiaStore *store)
{
  g_auto (GStrv) keys = amnesia_store_list_keys (store);
  ToolExit result = TOOL_DONE;

  for (guint i = 0; keys[i] != NULL && result == TOOL_DONE; i++)
    result = print_text (keys[i], "");

  return result;
}

static ToolExit
print_json (GVariant *value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *json = amnesia_to_json (value, &error);

  if (json != NULL)
    return tool_text_show_json (json);
  tool_say_error (_("%s. Use --gvariant."), error->message);

  return TOOL_FAILED;
}

static ToolExit
print_value (GVariant      *value,
             const Options *options)
{
  g_autofree char *text = NULL;

  if (options->raw && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return print_text (g_variant_get_string (value, NULL), "\n\t");
  if (!options->gvariant)
    return print_json (value);
  text = g_variant_print (value, TRUE);

  return tool_text_write (text);
}

static ToolExit
get (AmnesiaStore  *store,
     const char    *key,
     const Options *options)
{
  g_autoptr (GVariant) value = NULL;

  if (options->keys)
    return print_keys (store);
  if (key != NULL)
    value = amnesia_store_get_key (store, key);
  else if (amnesia_store_get_data (store) != NULL)
    value = g_variant_ref (amnesia_store_get_data (store));
  if (value != NULL)
    return print_value (value, options);
  if (key != NULL)
    tool_say_error (_("There is no key “%s”"), key);
  else
    tool_say_error (_("The value is not set"));

  return TOOL_NO_VALUE;
}

static gboolean
check_options (const Options *options,
               const char    *key)
{
  if (options->gvariant + options->raw + options->keys > 1)
    tool_usage_error (&tool_get_command, _("--gvariant, --raw and --keys exclude each other"));
  else if (options->keys && key != NULL)
    tool_usage_error (&tool_get_command, _("“%s” is one argument too many"), key);
  else
    return TRUE;

  return FALSE;
}

static int
run (int    argc,
     char **argv)
{
  g_auto (ToolSession) session = { 0 };
  g_auto (GStrv) arguments = NULL;
  Options options = { 0 };
  const GOptionEntry entries[] = {
    { "gvariant", 0, 0, G_OPTION_ARG_NONE, &options.gvariant,
      N_("Print the value with its types, as GVariant text"), NULL },
    { "raw", 'r', 0, G_OPTION_ARG_NONE, &options.raw, N_("Print a string without quotes"), NULL },
    { "keys", 'k', 0, G_OPTION_ARG_NONE, &options.keys, N_("Print the keys, one per line"), NULL },
    { NULL },
  };
  ToolExit result;

  tool_session_init (&session, TRUE);
  if (!tool_parse (&tool_get_command, tool_session_new_group (&session, entries), argc, argv, 0, 1,
                   &arguments))
    return TOOL_USAGE;
  if (!check_options (&options, arguments[0]))
    return TOOL_USAGE;
  result = tool_session_join_others (&session);
  if (result != TOOL_DONE)
    return result;

  return tool_session_leave (&session, get (session.store, arguments[0], &options));
}

const ToolCommand tool_get_command = {
  .name = "get",
  .arguments = N_("[KEY]"),
  .summary = N_("Print the value, or what it has under a key"),
  .description = N_("The value is printed as JSON. Exits with 5 if it is not set or has no such key."),
  .run = run,
};
