/* SPDX-License-Identifier: MIT */

#include "tool-line.h"
#include "tool-news.h"
#include "tool-session.h"
#include "tool-show.h"
#include "tool-statement.h"
#include "tool-terminal.h"
#include "tool-text.h"
#include "tool-value.h"
#include "tool-words.h"

#include <glib/gi18n.h>
#include <unistd.h>

/* How many changes `history` knows. */
#define N_CHANGES 100

/* Of a value that is asked for. */
#define MAX_ROWS 20

typedef struct
{
  ToolSession session;
  AmnesiaStore *store;    /* of the session */
  ToolLine *line;         /* (owned) */
  guint n_lines;
  gboolean has_failed;    /* a line was wrong, or could not be done */
  gboolean is_ended;
} Shell;

static void
shell_clear (Shell *self)
{
  tool_session_clear (&self->session);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Shell, shell_clear)

static char **
complete (const char *before,
          gsize      *start,
          gpointer    user_data)
{
  Shell *self = user_data;

  return tool_words_complete (self->store, before, start);
}

/* --- what a line asks for --- */

/* Takes the text. Programs that read it get all of it, and people so many rows. */
static void
print_cut (Shell *self,
           char  *text,
           guint  n_rows)
{
  guint n_columns = tool_terminal_get_columns (STDOUT_FILENO);
  g_autofree char *shown = n_columns > 0 ? tool_show_cut (text, n_rows, n_columns) : text;

  tool_line_say (self->line, shown);
}

static void
print_value (Shell    *self,
             GVariant *value)
{
  print_cut (self, tool_show_value (value), MAX_ROWS);
}

static gboolean
get (Shell       *self,
     const char  *key,
     GError     **error)
{
  g_autoptr (GVariant) value = NULL;
  g_autofree char *path = NULL;

  if (key == NULL)
    {
      print_value (self, amnesia_store_get_data (self->store));
      return TRUE;
    }
  value = amnesia_store_get_key (self->store, key);
  if (value != NULL)
    {
      print_value (self, value);
      return TRUE;
    }
  path = tool_show_path (key);
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_KEY, _("there is no %s"), path);

  return FALSE;
}

static gboolean
set (Shell       *self,
     const char  *key,
     GVariant    *value,
     GError     **error)
{
  g_autoptr (GVariant) present = key != NULL ? amnesia_store_get_key (self->store, key) : NULL;
  g_autoptr (GVariant) adapted = NULL;

  if (value != NULL)
    adapted = tool_value_adapt (value, key != NULL ? present : amnesia_store_get_data (self->store));
  if (key != NULL)
    return amnesia_store_set_key (self->store, key, adapted, error);

  return amnesia_store_write (self->store, adapted, error);
}

static gboolean
unset (Shell       *self,
       const char  *key,
       GError     **error)
{
  if (key != NULL)
    return amnesia_store_remove_key (self->store, key, error);

  return amnesia_store_write (self->store, NULL, error);
}

static void
print_conf (Shell *self)
{
  AmnesiaConf *conf = amnesia_store_get_conf (self->store);

  for (guint i = 0; i < amnesia_conf_get_n_peers (conf); i++)
    {
      const char *host;
      guint port;
      g_autofree char *shown = NULL;
      g_autofree char *text = NULL;

      amnesia_conf_get_peer (conf, i, &host, &port);
      shown = tool_terminal_escape (host);
      text = g_strdup_printf ("%s %u", shown, port);
      tool_line_say (self->line, text);
    }
}

static gboolean
set_conf (Shell       *self,
          const char  *json,
          GError     **error)
{
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_json (json, error);

  if (conf != NULL)
    amnesia_store_set_conf (self->store, conf);

  return conf != NULL;
}

static void
print_peers (Shell *self)
{
  GListModel *peers = amnesia_store_get_peers (self->store);

  for (guint i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);
      g_autofree char *text = g_strdup_printf ("%-23s %s", amnesia_peer_get_name (peer),
                                               amnesia_peer_get_status (peer));
      g_autofree char *shown = tool_terminal_escape (text);

      tool_line_say (self->line, shown);
    }
}

/* Who this is, and how it stands with the others. */
static char *
describe_state (Shell *self)
{
  const char *entry = amnesia_store_get_listening (self->store);
  AmnesiaState state = amnesia_store_get_state (self->store);
  const char *name = state == AMNESIA_STATE_SYNCED    ? _("synced")
                     : state == AMNESIA_STATE_SYNCING ? _("syncing")
                     : state == AMNESIA_STATE_ALONE   ? _("alone")
                                                      : _("closed");

  /* TRANSLATORS: an entry of the configuration such as 10.0.1.2:7777, and “synced” or “alone” */
  return entry != NULL ? g_strdup_printf (_("%s, %s"), entry, name)
                       : g_strdup_printf (_("a guest, %s"), name);
}

static void
print_state (Shell *self)
{
  g_autofree char *text = describe_state (self);

  tool_line_say (self->line, text);
}

static void
print_updated (Shell *self)
{
  g_autoptr (GDateTime) updated = amnesia_store_get_updated (self->store);
  g_autoptr (GDateTime) local = updated != NULL ? g_date_time_to_local (updated) : NULL;
  g_autofree char *text = local != NULL ? g_date_time_format_iso8601 (local) : g_strdup ("null");

  tool_line_say (self->line, text);
}

static void
print_change (Shell         *self,
              AmnesiaChange *change)
{
  g_autoptr (GDateTime) local = g_date_time_to_local (amnesia_change_get_when (change));
  g_autofree char *when = g_date_time_format (local, "%F %T");
  g_autofree char *what = tool_show_assignment (amnesia_change_get_key (change),
                                                amnesia_change_get_new (change));
  const char *writer = amnesia_change_get_writer (change);
  g_autofree char *name = tool_terminal_escape (writer != NULL ? writer : "?");

  print_cut (self, g_strdup_printf ("%s  %s  %s", when, name, what), 3);
}

static void
print_history (Shell *self)
{
  GListModel *history = amnesia_store_get_history (self->store);

  for (guint i = 0; i < g_list_model_get_n_items (history); i++)
    {
      g_autoptr (AmnesiaChange) change = g_list_model_get_item (history, i);

      print_change (self, change);
    }
}

static void
print_help (Shell *self)
{
  tool_line_say (self->line,
                 _("mem.data                 the value; also: get\n"
                   "mem.data = {a: 1}        set it; also: set {a: 1}\n"
                   "mem.data.volume          what it has under a key; also: get volume\n"
                   "mem.data[\"on-air\"] = 1   set a key; also: set on-air 1\n"
                   "delete mem.data.volume   remove a key; also: unset volume\n"
                   "mem.updated              when the value was written, by its writer’s clock\n"
                   "peers, history           who takes part; what has changed, and by whom\n"
                   "mem.state, mem.conf      how it stands; who may take part\n"
                   "quit, or Ctrl-D          leave, when all have what was set here\n"
                   "Values are JSON; quotes of names may be left out, and others be single ones."));
}

static gboolean
do_statement (Shell          *self,
              ToolStatement  *statement,
              GError        **error)
{
  switch (statement->verb)
    {
    case TOOL_VERB_NOTHING:
      return TRUE;
    case TOOL_VERB_GET:
      return get (self, statement->key, error);
    case TOOL_VERB_SET:
      return set (self, statement->key, statement->value, error);
    case TOOL_VERB_UNSET:
      return unset (self, statement->key, error);
    case TOOL_VERB_SET_CONF:
      return set_conf (self, statement->json, error);
    case TOOL_VERB_CONF:
      print_conf (self);
      return TRUE;
    case TOOL_VERB_PEERS:
      print_peers (self);
      return TRUE;
    case TOOL_VERB_STATE:
      print_state (self);
      return TRUE;
    case TOOL_VERB_UPDATED:
      print_updated (self);
      return TRUE;
    case TOOL_VERB_HISTORY:
      print_history (self);
      return TRUE;
    case TOOL_VERB_HELP:
      print_help (self);
      return TRUE;
    case TOOL_VERB_QUIT:
      self->is_ended = TRUE;
      return TRUE;
    }

  g_assert_not_reached ();
}

/* --- lines --- */

/* Who typed it knows which line it was, and has seen that it failed. */
static void
say_error (Shell        *self,
           const GError *error)
{
  g_autofree char *text = tool_terminal_escape (error->message);

  if (tool_line_is_terminal (self->line))
    {
      tool_line_say (self->line, text);
      return;
    }
  self->has_failed = TRUE;
  tool_say_error (_("line %u: %s"), self->n_lines, text);
}

static void
run_line (Shell      *self,
          const char *typed)
{
  g_autoptr (GError) error = NULL;
  g_auto (ToolStatement) statement = { 0 };
  g_autofree char *line = tool_text_from_locale (typed, &error);

  if (line == NULL || !tool_statement_parse (&statement, line, &error) ||
      !do_statement (self, &statement, &error))
    say_error (self, error);
}

/* On a terminal a line goes on as long as it has an open bracket, as what is pasted may have; an empty
 * line ends it all the same. Takes @line; returns NULL, if it was given up. */
static char *
read_rest (Shell *self,
           char  *line)
{
  while (tool_line_is_terminal (self->line) && tool_statement_is_open (line))
    {
      g_autofree char *first = line;
      g_autofree char *more = tool_line_read (self->line, TRUE);

      if (more == NULL || tool_line_is_cancelled (self->line))
        return NULL;
      if (*more == '\0')
        return g_steal_pointer (&first);
      line = g_strjoin ("\n", first, more, NULL);
    }

  return line;
}

static void
remember (Shell      *self,
          const char *line)
{
  g_autofree char *one = g_strdelimit (g_strdup (line), "\n", ' ');

  if (*one != '\0')
    tool_line_remember (self->line, one);
}

static void
run_lines (Shell *self)
{
  char *first;

  while (!self->is_ended && (first = tool_line_read (self->line, FALSE)) != NULL)
    {
      g_autofree char *line = read_rest (self, first);

      self->n_lines++;
      if (line == NULL)
        continue;
      remember (self, line);
      run_line (self, line);
    }
}

/* By a signal. */
static void
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  Shell *self = user_data;

  tool_line_end (self->line);
}

static void
greet (Shell *self)
{
  g_autofree char *state = describe_state (self);
  g_autofree char *text = g_strdup_printf (_("%s. “help” tells what can be said."), state);
  g_autofree char *dim = tool_show_dim (text);

  tool_line_say (self->line, dim);
}

static ToolExit
run_session (Shell *self)
{
  g_autoptr (ToolNews) news = NULL;
  ToolExit result;
  gulong handler;

  self->store = self->session.store;
  amnesia_store_set_history_length (self->store, N_CHANGES);
  self->line = tool_line_new (complete, self);
  handler = g_cancellable_connect (self->session.cancellable, G_CALLBACK (on_cancelled), self, NULL);
  if (tool_line_is_terminal (self->line))
    {
      greet (self);
      news = tool_news_new (self->store, self->line);
    }
  run_lines (self);

  g_clear_pointer (&news, tool_news_free);
  g_cancellable_disconnect (self->session.cancellable, handler);
  result = tool_line_get_result (self->line);
  g_clear_pointer (&self->line, tool_line_free);

  return result == TOOL_DONE && self->has_failed ? TOOL_FAILED : result;
}

/* --- the command --- */

static void
say_example (void)
{
  g_printerr (_("In amnesia.json is who shares, the same for all. For two on this machine:\n%s\n"),
              "  [{\"host\": \"127.0.0.1\", \"port\": 7777},\n"
              "   {\"host\": \"127.0.0.1\", \"port\": 7778}]");
}

static int
run (int    argc,
     char **argv)
{
  g_auto (Shell) self = { 0 };
  ToolSession *session = &self.session;
  g_auto (GStrv) arguments = NULL;
  const GOptionEntry entries[] = {
    { "guest", 0, 0, G_OPTION_ARG_NONE, &session->guest,
      N_("Leave the entries of the list to others"), NULL },
    { NULL },
  };
  ToolExit result;

  tool_session_init (session, FALSE);
  if (!tool_parse (&tool_shell_command, tool_session_new_group (session, entries), argc, argv, 0, 0,
                   &arguments))
    return TOOL_USAGE;
  result = tool_session_join (session);
  if (result != TOOL_DONE)
    {
      if (session->conf_name == NULL)
        say_example ();
      return result;
    }

  result = run_session (&self);
  tool_session_renew_deadline (session);

  return tool_session_leave (session, result);
}

const ToolCommand tool_shell_command = {
  .name = "shell",
  .arguments = NULL,
  .summary = N_("Read and set the value at a prompt"),
  .description = N_("Changes of others appear above the prompt; “help” there tells what can be said. "
                    "Lines can also come from a pipe or a file: then the exit code is 1 if one of "
                    "them was wrong."),
  .run = run,
};
