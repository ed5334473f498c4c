/* SPDX-License-Identifier: MIT */

#include "tool-change.h"
#include "tool-exec.h"
#include "tool-session.h"
#include "tool-terminal.h"
#include "tool-text.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <unistd.h>

/* More than can change at once. */
#define HISTORY_LENGTH 10000
/* Who is back before that, in milliseconds, was not away. */
#define AWAY_AFTER 1000

typedef struct
{
  ToolSession session;
  char      **keys;     /* (owned) those to be followed; none: all */
  char       *command;  /* (owned) (nullable) */
  ToolExec   *exec;     /* (owned) (nullable) */
  gboolean    json;
  gboolean    initial;
  gint64      count;    /* how many changes are still to come */
  ToolExit    result;
  guint       broken_pipe; /* source */
  guint       away;     /* source: nobody is there since a moment, or 0 */
  gboolean    told;     /* that nobody is there */
} Watch;

static void
watch_clear (Watch *self)
{
  g_clear_handle_id (&self->broken_pipe, g_source_remove);
  g_clear_handle_id (&self->away, g_source_remove);
  g_clear_pointer (&self->exec, tool_exec_free);
  g_clear_pointer (&self->keys, g_strfreev);
  g_clear_pointer (&self->command, g_free);
  tool_session_clear (&self->session);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Watch, watch_clear)

static void
stop (Watch    *self,
      ToolExit  result)
{
  self->result = result;
  tool_session_stop (&self->session);
}

/* --- changes --- */

static ToolExit
print (Watch            *self,
       const ToolChange *change)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;

  if (!self->json)
    {
      line = tool_change_to_line (change, tool_terminal_get_columns (STDOUT_FILENO));
      return tool_text_show (line);
    }
  line = tool_change_to_json (change, &error);
  if (line != NULL)
    return tool_text_show_json (line);
  tool_say_error ("%s", error->message);

  return TOOL_FAILED;
}

static void
take (Watch            *self,
      const ToolChange *change)
{
  ToolExit result = TOOL_DONE;

  if (tool_session_is_stopped (&self->session))
    return;
  if (self->exec != NULL)
    tool_exec_push (self->exec, change);
  else
    result = print (self, change);
  if (result != TOOL_DONE || --self->count == 0)
    stop (self, result);
}

static GVariant *
lookup (GVariant   *value,
        const char *key)
{
  if (value == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
    return NULL;

  return g_variant_lookup_value (value, key, NULL);
}

/* The whole value is another, and was or is no dictionary: what that is for a key. */
static void
take_part (Watch            *self,
           const ToolChange *whole,
           const char       *key)
{
  g_autoptr (GVariant) old_value = lookup (whole->old_value, key);
  g_autoptr (GVariant) new_value = lookup (whole->new_value, key);
  ToolChange change = *whole;

  if (old_value == NULL && new_value == NULL)
    return;
  change.key = key;
  change.old_value = old_value;
  change.new_value = new_value;
  take (self, &change);
}

static void
take_wanted (Watch            *self,
             const ToolChange *change)
{
  if (self->keys[0] == NULL ||
      (change->key != NULL && g_strv_contains ((const char *const *) self->keys, change->key)))
    take (self, change);
  else if (change->key == NULL)
    for (guint i = 0; self->keys[i] != NULL; i++)
      take_part (self, change, self->keys[i]);
}

static void
on_changes (GListModel *history,
            guint       position,
            guint       n_removed,
            guint       n_added,
            Watch      *self)
{
  for (guint i = position; i < position + n_added; i++)
    {
      g_autoptr (AmnesiaChange) item = g_list_model_get_item (history, i);
      const ToolChange change = {
        .key = amnesia_change_get_key (item),
        .old_value = amnesia_change_get_old (item),
        .new_value = amnesia_change_get_new (item),
        .when = amnesia_change_get_when (item),
        .writer = amnesia_change_get_writer (item),
      };

      take_wanted (self, &change);
    }
}

/* What is there already, key by key if it has keys. */
static void
show_present (Watch *self)
{
  AmnesiaStore *store = self->session.store;
  g_auto (GStrv) keys = amnesia_store_list_keys (store);
  ToolChange change = { .when = amnesia_store_get_updated (store), .is_first = TRUE };

  if (keys[0] == NULL && amnesia_store_get_data (store) != NULL)
    {
      change.new_value = amnesia_store_get_data (store);
      take_wanted (self, &change);
    }
  for (guint i = 0; keys[i] != NULL; i++)
    {
      g_autoptr (GVariant) value = amnesia_store_get_key (store, keys[i]);

      change.key = keys[i];
      change.new_value = value;
      take_wanted (self, &change);
    }
}

/* --- who is there --- */

static gboolean
on_away (gpointer user_data)
{
  Watch *self = user_data;

  self->away = 0;
  self->told = TRUE;
  tool_say_error (_("Nobody is there any more; waiting for somebody to come back"));

  return G_SOURCE_REMOVE;
}

static void
on_state (Watch *self)
{
  AmnesiaState state = amnesia_store_get_state (self->session.store);

  if (state == AMNESIA_STATE_SYNCED)
    {
      g_clear_handle_id (&self->away, g_source_remove);
      if (self->told)
        tool_say_error (_("Somebody is there again"));
      self->told = FALSE;
    }
  else if (self->away == 0 && !self->told)
    self->away = g_timeout_add (AWAY_AFTER, on_away, self);
}

/* Who reads has gone: nothing has to be printed to notice it. */
static gboolean
on_broken_pipe (int          fd,
                GIOCondition condition,
                gpointer     user_data)
{
  Watch *self = user_data;

  self->broken_pipe = 0;
  stop (self, TOOL_SIGNAL + SIGPIPE);

  return G_SOURCE_REMOVE;
}

/* --- the command --- */

static void
follow (Watch *self)
{
  AmnesiaStore *store = self->session.store;

  self->broken_pipe = g_unix_fd_add (STDOUT_FILENO, G_IO_ERR, on_broken_pipe, self);
  if (self->initial)
    show_present (self);
  amnesia_store_set_history_length (store, HISTORY_LENGTH);
  g_signal_connect (amnesia_store_get_history (store), "items-changed", G_CALLBACK (on_changes), self);
  g_signal_connect_swapped (store, "notify::state", G_CALLBACK (on_state), self);
  tool_session_run (&self->session);
  g_signal_handlers_disconnect_by_data (amnesia_store_get_history (store), self);
  g_signal_handlers_disconnect_by_data (store, self);
}

/* A command that runs is let to its end, unless a signal ends us. */
static void
finish_commands (Watch *self)
{
  while (self->session.signal == 0 && !tool_exec_is_idle (self->exec))
    g_main_context_iteration (NULL, TRUE);
  if (self->session.signal != 0)
    tool_exec_stop (self->exec, self->session.signal);
}

static int
watch (Watch *self)
{
  ToolExit result = tool_session_join (&self->session);

  if (result != TOOL_DONE)
    return result;
  if (self->command != NULL)
    self->exec = tool_exec_new (self->command);
  follow (self);
  if (self->exec != NULL)
    finish_commands (self);

  return tool_session_leave (&self->session, self->result);
}

static int
run (int    argc,
     char **argv)
{
  g_auto (Watch) self = { .count = G_MAXINT64 };
  const GOptionEntry entries[] = {
    { "json", 'j', 0, G_OPTION_ARG_NONE, &self.json, N_("Print an object of JSON per change"), NULL },
    { "exec", 'e', 0, G_OPTION_ARG_FILENAME, &self.command,
      N_("Run a command of the shell per change, instead of printing it"), N_("COMMAND") },
    { "initial", 'i', 0, G_OPTION_ARG_NONE, &self.initial, N_("Begin with what is there"), NULL },
    { "count", 'n', 0, G_OPTION_ARG_INT64, &self.count, N_("End after so many changes"), N_("N") },
    { NULL },
  };

  tool_session_init (&self.session, TRUE);
  if (!tool_parse (&tool_watch_command, tool_session_new_group (&self.session, entries), argc, argv, 0,
                   G_MAXUINT, &self.keys))
    return TOOL_USAGE;
  if (self.count < 1)
    {
      tool_usage_error (&tool_watch_command, _("--count has to be positive"));
      return TOOL_USAGE;
    }

  return watch (&self);
}

const ToolCommand tool_watch_command = {
  .name = "watch",
  .arguments = N_("[KEY…]"),
  .summary = N_("Print each change, or run a command for it"),
  .description =
    N_("The command that --exec runs finds the key in AMNESIA_KEY, and the new value as JSON on its "
       "standard input, or nothing there if it was removed. One command runs at a time; what changes "
       "several times meanwhile is one change for the next."),
  .run = run,
};
