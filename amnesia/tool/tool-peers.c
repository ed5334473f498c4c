/* SPDX-License-Identifier: MIT */

#include "tool-asker.h"
#include "tool-session.h"
#include "tool-table.h"
#include "tool-terminal.h"
#include "tool-text.h"

#include <glib/gi18n.h>
#include <unistd.h>

/* How long an entry may take, if the command line does not say it, in milliseconds. */
#define PATIENCE 5000
/* What comes together is shown together, in milliseconds. */
#define REDRAW_AFTER 100

typedef struct
{
  ToolSession session;
  GPtrArray  *askers;    /* (owned) of ToolAsker, in the order of the list */
  GPtrArray  *shown;     /* (owned) what was said of each, for --watch */
  gboolean    json;
  gboolean    watch;
  gboolean    live;      /* on a terminal: what is known is shown at once, over what was there */
  gboolean    timed_out;
  char       *drawn;     /* (owned) (nullable) what is on the terminal */
  guint       redraw;    /* source, or 0 */
  ToolExit    result;
} Peers;

static void
peers_clear (Peers *self)
{
  g_clear_handle_id (&self->redraw, g_source_remove);
  g_clear_pointer (&self->askers, g_ptr_array_unref);
  g_clear_pointer (&self->shown, g_ptr_array_unref);
  g_clear_pointer (&self->drawn, g_free);
  tool_session_clear (&self->session);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Peers, peers_clear)

static ToolAsker *
get_asker (Peers *self,
           guint  position)
{
  return g_ptr_array_index (self->askers, position);
}

/* --- telling --- */

static char *
make_table (Peers *self,
            guint  columns)
{
  const char *const heads[] = { _("ENTRY"), _("STATE"), _("WAY"), _("ROUND TRIP"), _("CLOCK"),
                                _("NOTE"), NULL };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  char *text;

  g_ptr_array_add (rows, g_strdupv ((char **) heads));
  for (guint i = 0; i < self->askers->len; i++)
    g_ptr_array_add (rows, tool_asker_to_cells (get_asker (self, i)));
  text = tool_table_to_text (rows, columns);

  return g_strchomp (text);
}

static char *
make_json (Peers *self)
{
  g_autoptr (GVariant) list = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < self->askers->len; i++)
    {
      g_autoptr (GVariant) row = tool_asker_to_variant (get_asker (self, i));

      g_variant_builder_add_value (&builder, row);
    }
  list = g_variant_ref_sink (g_variant_builder_end (&builder));

  return amnesia_to_json (list, NULL);
}

/* Over what was there. Lines are never longer than the terminal is wide. */
static ToolExit
draw (Peers *self)
{
  g_autofree char *table = make_table (self, tool_terminal_get_columns (STDOUT_FILENO));
  g_autofree char *text = NULL;

  if (g_strcmp0 (table, self->drawn) == 0)
    return TOOL_DONE;
  if (self->drawn != NULL)
    text = g_strdup_printf ("\033[%uA\033[J%s", self->askers->len + 1, table);
  g_free (self->drawn);
  self->drawn = g_steal_pointer (&table);

  return tool_text_show (text != NULL ? text : self->drawn);
}

/* What is a change: the round trip is never twice the same. */
static char *
describe (ToolAsker *asker)
{
  const char *note = tool_asker_get_note (asker);

  return g_strdup_printf ("%d %d %s", tool_asker_is_here (asker),
                          tool_asker_get_way (asker), note != NULL ? note : "");
}

static char *
make_line (Peers     *self,
           ToolAsker *asker)
{
  g_autoptr (GVariant) variant = NULL;
  g_auto (GStrv) cells = NULL;
  g_autoptr (GPtrArray) rows = NULL;

  if (self->json)
    {
      variant = tool_asker_to_variant (asker);
      return amnesia_to_json (variant, NULL);
    }
  cells = tool_asker_to_cells (asker);
  rows = g_ptr_array_new ();
  g_ptr_array_add (rows, cells);

  return g_strchomp (tool_table_to_text (rows, 0));
}

static ToolExit
print_changes (Peers *self)
{
  ToolExit result = TOOL_DONE;

  for (guint i = 0; i < self->askers->len && result == TOOL_DONE; i++)
    {
      char *now = describe (get_asker (self, i));
      g_autofree char *line = make_line (self, get_asker (self, i));
      char **before = (char **) &g_ptr_array_index (self->shown, i);

      if (g_strcmp0 (now, *before) != 0)
        result = self->json ? tool_text_show_json (line) : tool_text_show (line);
      g_free (*before);
      *before = now;
    }

  return result;
}

static gboolean
on_redraw (gpointer user_data)
{
  Peers *self = user_data;

  self->redraw = 0;
  self->result = self->live ? draw (self) : print_changes (self);
  if (self->result != TOOL_DONE)
    tool_session_stop (&self->session);

  return G_SOURCE_REMOVE;
}

static void
on_news (gpointer user_data)
{
  Peers *self = user_data;

  if (self->redraw == 0)
    self->redraw = g_timeout_add (REDRAW_AFTER, on_redraw, self);
}

/* --- asking --- */

static gboolean
on_patience (gpointer user_data)
{
  Peers *self = user_data;

  self->timed_out = TRUE;

  return G_SOURCE_CONTINUE;
}

static gboolean
are_settled (Peers *self)
{
  for (guint i = 0; i < self->askers->len; i++)
    if (!tool_asker_is_settled (get_asker (self, i)))
      return FALSE;

  return TRUE;
}

/* Who has news has them shown from now on. */
static void
listen (Peers *self)
{
  for (guint i = 0; i < self->askers->len; i++)
    {
      get_asker (self, i)->on_news = on_news;
      get_asker (self, i)->user_data = self;
    }
}

static void
ask (Peers *self)
{
  guint time = self->session.timeout > 0 ? tool_session_get_time_left (&self->session) : PATIENCE;
  guint source = g_timeout_add (time, on_patience, self);

  for (guint i = 0; i < amnesia_conf_get_n_peers (self->session.conf); i++)
    g_ptr_array_add (self->askers, tool_asker_new (self->session.conf, i));
  if (self->live)
    listen (self);
  while (!self->timed_out && !are_settled (self) && !tool_session_is_stopped (&self->session))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
}

static ToolExit
show_once (Peers *self)
{
  g_autofree char *text = NULL;

  if (self->live)
    return draw (self);
  text = self->json ? make_json (self) : make_table (self, 0);

  return self->json ? tool_text_show_json (text) : tool_text_show (text);
}

static void
follow (Peers *self)
{
  g_ptr_array_set_size (self->shown, self->askers->len);
  listen (self);
  on_redraw (self);
  tool_session_run (&self->session);
}

static void
on_closed (GObject      *store,
           GAsyncResult *result,
           gpointer      user_data)
{
  guint *n_open = user_data;

  amnesia_store_close_finish (AMNESIA_STORE (store), result, NULL);
  --*n_open;
}

/* Nothing was written, so there is nothing to wait for but that it is said. */
static void
leave (Peers *self)
{
  guint n_open = self->askers->len;

  for (guint i = 0; i < self->askers->len; i++)
    {
      get_asker (self, i)->on_news = NULL;
      amnesia_store_set_close_timeout (get_asker (self, i)->store, 0);
      amnesia_store_close_async (get_asker (self, i)->store, NULL, on_closed, &n_open);
    }
  while (n_open > 0)
    g_main_context_iteration (NULL, TRUE);
}

/* --- the command --- */

static gboolean
is_anybody_here (Peers *self)
{
  for (guint i = 0; i < self->askers->len; i++)
    if (tool_asker_is_here (get_asker (self, i)))
      return TRUE;

  return FALSE;
}

static int
peers (Peers *self)
{
  self->result = tool_session_begin (&self->session);
  if (self->result != TOOL_DONE)
    return self->result;
  self->live = !self->json && tool_terminal_is_able (STDOUT_FILENO);
  ask (self);
  if (self->watch)
    follow (self);
  else if (self->session.signal == 0)
    self->result = show_once (self);
  if (self->result == TOOL_DONE && !is_anybody_here (self))
    self->result = TOOL_NOBODY;
  leave (self);

  return tool_session_get_result (&self->session, self->result);
}

static int
run (int    argc,
     char **argv)
{
  g_auto (Peers) self = { 0 };
  g_auto (GStrv) arguments = NULL;
  const GOptionEntry entries[] = {
    { "json", 'j', 0, G_OPTION_ARG_NONE, &self.json, N_("Print JSON"), NULL },
    { "watch", 'w', 0, G_OPTION_ARG_NONE, &self.watch, N_("Go on, and show what changes"), NULL },
    { NULL },
  };

  self.askers = g_ptr_array_new_with_free_func ((GDestroyNotify) tool_asker_free);
  self.shown = g_ptr_array_new_with_free_func (g_free);
  tool_session_init (&self.session, TRUE);
  if (!tool_parse (&tool_peers_command, tool_session_new_conf_group (&self.session, entries), argc,
                   argv, 0, 0, &arguments))
    return TOOL_USAGE;

  return peers (&self);
}

const ToolCommand tool_peers_command = {
  .name = "peers",
  .summary = N_("Show who in the list is there"),
  .description = N_("Each entry is asked for itself. Exits with 3 if nobody is there."),
  .run = run,
};
