/* SPDX-License-Identifier: MIT */

#include "tool-session.h"

#include <glib/gi18n.h>

static int
run (int    argc,
     char **argv)
{
  g_auto (ToolSession) session = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;
  ToolExit result;

  tool_session_init (&session, TRUE);
  if (!tool_parse (&tool_unset_command, tool_session_new_group (&session, NULL), argc, argv, 0, 1,
                   &arguments))
    return TOOL_USAGE;
  result = tool_session_join_others (&session);
  if (result != TOOL_DONE)
    return result;
  if (arguments[0] != NULL ? amnesia_store_remove_key (session.store, arguments[0], &error)
                           : amnesia_store_write (session.store, NULL, &error))
    return tool_session_leave (&session, TOOL_DONE);
  tool_say_error ("%s", error->message);

  return tool_session_leave (&session, TOOL_FAILED);
}

const ToolCommand tool_unset_command = {
  .name = "unset",
  .arguments = N_("[KEY]"),
  .summary = N_("Unset the value, or remove a key"),
  .description = N_("What is not there may be unset as well."),
  .run = run,
};
