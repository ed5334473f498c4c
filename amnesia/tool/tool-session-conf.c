/* SPDX-License-Identifier: MIT */

#include "tool-session.h"

#include <glib/gi18n.h>

#define CONF_NAME "amnesia.json"
/* Longer than this, in seconds, is for ever. */
#define MAX_TIMEOUT 1000000.0

/* --- the command line --- */

/* What is no positive number is a mistake, and what nobody lives to see is for ever. */
static gboolean
check_timeout (GOptionContext  *context,
               GOptionGroup    *group,
               gpointer         user_data,
               GError         **error)
{
  ToolSession *self = user_data;

  if (!(self->timeout > 0))
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           _("--timeout has to be positive"));
      return FALSE;
    }
  if (self->timeout > MAX_TIMEOUT)
    self->timeout = 0;

  return TRUE;
}

/* The options of a command that has a configuration: its own (nullable), and those that all of them
 * have, which point into @self. */
GOptionGroup *
tool_session_new_conf_group (ToolSession        *self,
                             const GOptionEntry *own)
{
  const GOptionEntry entries[] = {
    { "conf", 'c', 0, G_OPTION_ARG_FILENAME, &self->conf_name,
      N_("The configuration (default: amnesia.json here, then in the user’s configuration folder)"),
      N_("FILE") },
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &self->timeout,
      N_("How long joining and confirming may take"), N_("SECONDS") },
    { NULL },
  };
  GOptionGroup *group = g_option_group_new ("main", NULL, NULL, self, NULL);

  g_option_group_set_parse_hooks (group, NULL, check_timeout);
  if (own != NULL)
    g_option_group_add_entries (group, own);
  g_option_group_add_entries (group, entries);
  g_option_group_set_translation_domain (group, GETTEXT_PACKAGE);

  return group;
}

/* The same for one that joins as who the user likes. */
GOptionGroup *
tool_session_new_group (ToolSession        *self,
                        const GOptionEntry *own)
{
  const GOptionEntry entries[] = {
    { "member", 'm', G_OPTION_FLAG_REVERSE, G_OPTION_ARG_NONE, &self->guest,
      N_("Take an entry of the list, as programs do"), NULL },
    { NULL },
  };
  GOptionGroup *group = tool_session_new_conf_group (self, own);

  g_option_group_add_entries (group, entries);

  return group;
}

/* --- the configuration --- */

/* The first that is there, or NULL. */
static char *
find_conf (void)
{
  g_autofree char *users = g_build_filename (g_get_user_config_dir (), CONF_NAME, NULL);

  /* a link to nothing is there too: to take another configuration instead would be worse */
  if (g_file_test (CONF_NAME, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK))
    return g_strdup (CONF_NAME);
  if (g_file_test (users, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&users);
  tool_say_error (_("There is no configuration: neither ./%s nor %s is there. "
                    "Name one with --conf FILE."), CONF_NAME, users);

  return NULL;
}

/* Reads the configuration, if that has not been done. */
ToolExit
tool_session_read_conf (ToolSession *self)
{
  g_autoptr (GError) error = NULL;

  if (self->conf != NULL)
    return TOOL_DONE;
  if (self->conf_name == NULL)
    self->conf_name = find_conf ();
  if (self->conf_name == NULL)
    return TOOL_FAILED;
  self->conf = amnesia_conf_new_from_file (self->conf_name, &error);
  if (self->conf != NULL)
    return TOOL_DONE;
  tool_say_error ("%s", error->message);

  return TOOL_FAILED;
}
