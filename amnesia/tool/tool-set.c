/* SPDX-License-Identifier: MIT */

#include "tool-session.h"
#include "tool-value.h"

#include <glib/gi18n.h>

typedef struct
{
  gboolean gvariant;
  gboolean string;
} Options;

/* What is to be set, or the error is said. NULL is a value as well. */
static gboolean
read_value (ToolSession   *session,
            const char    *text,
            const Options *options,
            GVariant     **value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *input = NULL;
  ToolForm form = options->gvariant ? TOOL_FORM_GVARIANT
                  : options->string ? TOOL_FORM_STRING : TOOL_FORM_JSON;

  if (g_str_equal (text, "-"))
    text = input = tool_value_read_input (amnesia_conf_get_max_size (session->conf), &error);
  if (text != NULL && tool_value_parse (text, form, value, &error))
    return TRUE;
  tool_say_error ("%s", error->message);
  /* a shell takes the quotes away that a string of JSON has */
  if (form == TOOL_FORM_JSON && input == NULL && text != NULL && g_ascii_isalpha (*text))
    tool_say_error (_("For the text as it is, use --string"));

  return FALSE;
}

static gboolean
write_key (AmnesiaStore  *store,
           const char    *key,
           GVariant      *value,
           gboolean       typed,
           GError       **error)
{
  g_autoptr (GVariant) part = tool_value_as_part (value);
  g_autoptr (GVariant) present = typed ? NULL : amnesia_store_get_key (store, key);
  g_autoptr (GVariant) adapted = tool_value_adapt (part, present);

  return amnesia_store_set_key (store, key, adapted, error);
}

static gboolean
write_whole (AmnesiaStore  *store,
             GVariant      *value,
             gboolean       typed,
             GError       **error)
{
  g_autoptr (GVariant) adapted = NULL;

  if (value != NULL)
    adapted = tool_value_adapt (value, typed ? NULL : amnesia_store_get_data (store));

  return amnesia_store_write (store, adapted, error);
}

static ToolExit
set (ToolSession *session,
     const char  *key,
     GVariant    *value,
     gboolean     typed)
{
  g_autoptr (GError) error = NULL;
  ToolExit result = tool_session_join_others (session);

  if (result != TOOL_DONE)
    return result;
  if (key != NULL ? write_key (session->store, key, value, typed, &error)
                  : write_whole (session->store, value, typed, &error))
    return tool_session_leave (session, TOOL_DONE);
  tool_say_error ("%s", error->message);

  return tool_session_leave (session, TOOL_FAILED);
}

static int
run (int    argc,
     char **argv)
{
  g_auto (ToolSession) session = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GVariant) value = NULL;
  Options options = { 0 };
  const GOptionEntry entries[] = {
    { "gvariant", 0, 0, G_OPTION_ARG_NONE, &options.gvariant,
      N_("VALUE is the text of a GVariant, with its types"), NULL },
    { "string", 's', 0, G_OPTION_ARG_NONE, &options.string, N_("VALUE is a string as it is"), NULL },
    { NULL },
  };
  const char *key, *text;

  tool_session_init (&session, TRUE);
  if (!tool_parse (&tool_set_command, tool_session_new_group (&session, entries), argc, argv, 1, 2,
                   &arguments))
    return TOOL_USAGE;
  if (options.gvariant && options.string)
    {
      tool_usage_error (&tool_set_command, _("--gvariant and --string exclude each other"));
      return TOOL_USAGE;
    }
  key = arguments[1] != NULL ? arguments[0] : NULL;
  text = arguments[1] != NULL ? arguments[1] : arguments[0];
  if (tool_session_read_conf (&session) != TOOL_DONE || !read_value (&session, text, &options, &value))
    return TOOL_FAILED;

  return set (&session, key, value, options.gvariant);
}

const ToolCommand tool_set_command = {
  .name = "set",
  .arguments = N_("[KEY] VALUE"),
  .summary = N_("Set the value, or what it has under a key"),
  .description = N_("VALUE is JSON; “-” reads it from the standard input. It is set when this command "
                    "ends with 0: somebody else has it then."),
  .run = run,
};
