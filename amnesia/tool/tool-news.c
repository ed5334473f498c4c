/* SPDX-License-Identifier: MIT */

#include "tool-news.h"

#include "tool-show.h"
#include "tool-terminal.h"

#include <glib/gi18n.h>
#include <unistd.h>

/* Somebody may set thousands of values in a second: a person gets the newest of each key, ten times. */
#define INTERVAL_MS 100

/* Of more keys than that it is told how many there are. */
#define MAX_LINES 8

#define MAX_ROWS 3

/* Larger values are not shown without being asked for. */
#define MAX_SIZE 4096

struct _ToolNews
{
  AmnesiaStore *store; /* (owned) */
  ToolLine *line;      /* outlives this */
  GHashTable *peers;   /* (owned) (element-type AmnesiaPeer gboolean): all, and whether they are here */

  gboolean by_keys;    /* the change that is being told is one of keys */
  gboolean is_whole;   /* the value is another as a whole, so that keys need not be told */
  GPtrArray *keys;     /* (owned) (element-type utf8): which of them are others, in the order of that */
  GHashTable *known;   /* (owned) (element-type utf8): the same */
  guint source;
};

/* --- values --- */

/* Who has written a key last, as far as that is known. */
static char *
find_writer (ToolNews   *self,
             const char *key)
{
  GListModel *history = amnesia_store_get_history (self->store);

  for (guint i = g_list_model_get_n_items (history); i > 0; i--)
    {
      g_autoptr (AmnesiaChange) change = g_list_model_get_item (history, i - 1);

      /* a value that has become a dictionary is remembered by its keys */
      if (key == NULL || g_strcmp0 (amnesia_change_get_key (change), key) == 0)
        return g_strdup (amnesia_change_get_writer (change));
    }

  return NULL;
}

static GVariant *
get_value (ToolNews   *self,
           const char *key)
{
  GVariant *data = amnesia_store_get_data (self->store);

  if (key != NULL)
    return amnesia_store_get_key (self->store, key);

  return data != NULL ? g_variant_ref (data) : NULL;
}

static char *
describe_value (ToolNews   *self,
                const char *key)
{
  g_autoptr (GVariant) value = get_value (self, key);
  gsize n_bytes = value != NULL ? g_variant_get_size (value) : 0;
  g_autofree char *path = NULL;
  g_autofree char *size = NULL;

  if (n_bytes <= MAX_SIZE)
    return tool_show_cut (tool_show_assignment (key, value), MAX_ROWS,
                          tool_terminal_get_columns (STDOUT_FILENO));
  path = tool_show_path (key);
  size = g_format_size (n_bytes);

  return g_strdup_printf ("%s = … (%s)", path, size);
}

static void
say_value (ToolNews   *self,
           const char *key)
{
  g_autofree char *value = describe_value (self, key);
  g_autofree char *writer = find_writer (self, key);
  g_autofree char *name = writer != NULL ? tool_terminal_escape (writer) : NULL;
  g_autofree char *by = name != NULL ? g_strdup_printf ("  (%s)", name) : g_strdup ("");
  g_autofree char *dim = tool_show_dim (by);
  g_autofree char *text = g_strconcat (value, name != NULL ? dim : NULL, NULL);

  tool_line_say (self->line, text);
}

static void
say_dim (ToolNews   *self,
         const char *text)
{
  g_autofree char *dim = tool_show_dim (text);

  tool_line_say (self->line, dim);
}

static void
forget_keys (ToolNews *self)
{
  g_hash_table_remove_all (self->known);
  g_ptr_array_set_size (self->keys, 0);
}

static void
say_keys (ToolNews *self)
{
  guint n_more = self->keys->len > MAX_LINES ? self->keys->len - MAX_LINES : 0;
  g_autofree char *rest = NULL;

  for (guint i = 0; i < self->keys->len - n_more; i++)
    say_value (self, self->keys->pdata[i]);
  if (n_more == 0)
    return;
  rest = g_strdup_printf (ngettext ("… and %u more key", "… and %u more keys", n_more), n_more);
  say_dim (self, rest);
}

static gboolean
on_time (gpointer user_data)
{
  ToolNews *self = user_data;

  if (!self->is_whole && self->keys->len == 0)
    {
      self->source = 0;
      return G_SOURCE_REMOVE;
    }
  if (self->is_whole)
    say_value (self, NULL);
  else
    say_keys (self);
  self->is_whole = FALSE;
  forget_keys (self);

  return G_SOURCE_CONTINUE;
}

/* The first is told at once; then there is a pause. */
static gboolean
on_first (gpointer user_data)
{
  ToolNews *self = user_data;

  self->source = g_timeout_add (INTERVAL_MS, on_time, self);
  on_time (self);

  return G_SOURCE_REMOVE;
}

static void
tell_soon (ToolNews *self)
{
  if (self->source == 0)
    self->source = g_idle_add (on_first, self);
}

static gboolean
is_dictionary (GVariant *value)
{
  return value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT);
}

static void
on_changed (AmnesiaStore *store,
            GVariant     *old_value,
            GVariant     *new_value,
            gboolean      remote,
            gpointer      user_data)
{
  ToolNews *self = user_data;

  self->by_keys = is_dictionary (old_value) && is_dictionary (new_value);
  if (self->by_keys)
    return;
  self->is_whole = remote;
  if (remote)
    tell_soon (self);
  else
    forget_keys (self); /* what is written here is no news, and covers what was */
}

static void
note_key (ToolNews   *self,
          const char *key)
{
  char *kept = g_strdup (key);

  g_ptr_array_add (self->keys, kept);
  g_hash_table_add (self->known, kept);
  tell_soon (self);
}

static void
forget_key (ToolNews   *self,
            const char *key)
{
  char *kept = g_hash_table_lookup (self->known, key);

  if (kept == NULL)
    return;
  g_hash_table_remove (self->known, kept);
  g_ptr_array_remove (self->keys, kept);
}

static void
on_key_changed (AmnesiaStore *store,
                const char   *key,
                GVariant     *old_value,
                GVariant     *new_value,
                gboolean      remote,
                gpointer      user_data)
{
  ToolNews *self = user_data;

  if (!remote)
    forget_key (self, key);
  else if (self->by_keys && !self->is_whole && !g_hash_table_contains (self->known, key))
    note_key (self, key);
}

static void
on_superseded (AmnesiaStore *store,
               const char   *key,
               GVariant     *lost,
               GVariant     *winner,
               gpointer      user_data)
{
  ToolNews *self = user_data;
  g_autofree char *path = tool_show_path (key);
  /* TRANSLATORS: a key or the value */
  g_autofree char *text = g_strdup_printf (_("What you wrote to %s has lost: somebody else has "
                                             "written it at the same time."), path);

  say_dim (self, text);
}

/* --- people --- */

static gboolean
is_here (AmnesiaPeer *peer)
{
  return amnesia_peer_get_state (peer) == AMNESIA_PEER_STATE_CONNECTED;
}

static void
say_peer (ToolNews    *self,
          AmnesiaPeer *peer,
          gboolean     here)
{
  g_autofree char *name = tool_terminal_escape (amnesia_peer_get_name (peer));
  g_autofree char *text = here ? g_strdup_printf (_("%s is here"), name)
                               : g_strdup_printf (_("%s has gone"), name);

  say_dim (self, text);
}

static void
on_peer_state (AmnesiaPeer *peer,
               GParamSpec  *pspec,
               gpointer     user_data)
{
  ToolNews *self = user_data;
  gboolean here = is_here (peer);

  if (here == GPOINTER_TO_INT (g_hash_table_lookup (self->peers, peer)))
    return;
  g_hash_table_insert (self->peers, g_object_ref (peer), GINT_TO_POINTER (here));
  say_peer (self, peer, here);
}

/* Who is there already when this begins is no news. */
static void
add_peer (ToolNews    *self,
          AmnesiaPeer *peer,
          gboolean     is_news)
{
  if (g_hash_table_contains (self->peers, peer))
    return;
  g_signal_connect (peer, "notify::state", G_CALLBACK (on_peer_state), self);
  g_hash_table_insert (self->peers, g_object_ref (peer), GINT_TO_POINTER (is_here (peer)));
  if (is_news && is_here (peer))
    say_peer (self, peer, TRUE);
}

/* Guests are in the list as long as they are connected. */
static void
drop_peer (ToolNews    *self,
           AmnesiaPeer *peer)
{
  if (GPOINTER_TO_INT (g_hash_table_lookup (self->peers, peer)))
    say_peer (self, peer, FALSE);
  g_signal_handlers_disconnect_by_data (peer, self);
  g_hash_table_remove (self->peers, peer);
}

static void
drop_unlisted (ToolNews   *self,
               GListModel *peers)
{
  g_autoptr (GHashTable) listed = g_hash_table_new (NULL, NULL);
  g_autoptr (GList) known = g_hash_table_get_keys (self->peers);

  for (guint i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      g_hash_table_add (listed, peer);
    }
  for (GList *l = known; l != NULL; l = l->next)
    if (!g_hash_table_contains (listed, l->data))
      drop_peer (self, l->data);
}

static void
on_peers_changed (GListModel *peers,
                  guint       position,
                  guint       n_removed,
                  guint       n_added,
                  gpointer    user_data)
{
  ToolNews *self = user_data;

  if (n_removed > 0)
    drop_unlisted (self, peers);
  for (guint i = position; i < position + n_added; i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      add_peer (self, peer, TRUE);
    }
}

static void
init_peers (ToolNews *self)
{
  GListModel *peers = amnesia_store_get_peers (self->store);

  for (guint i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      add_peer (self, peer, FALSE);
    }
  g_signal_connect (peers, "items-changed", G_CALLBACK (on_peers_changed), self);
}

ToolNews *
tool_news_new (AmnesiaStore *store,
               ToolLine     *line)
{
  ToolNews *self = g_new0 (ToolNews, 1);

  self->store = g_object_ref (store);
  self->line = line;
  self->peers = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
  self->keys = g_ptr_array_new_with_free_func (g_free);
  self->known = g_hash_table_new (g_str_hash, g_str_equal);
  g_signal_connect (store, "changed", G_CALLBACK (on_changed), self);
  g_signal_connect (store, "key-changed", G_CALLBACK (on_key_changed), self);
  g_signal_connect (store, "superseded", G_CALLBACK (on_superseded), self);
  init_peers (self);

  return self;
}

void
tool_news_free (ToolNews *self)
{
  GHashTableIter iter;
  gpointer peer;

  g_hash_table_iter_init (&iter, self->peers);
  while (g_hash_table_iter_next (&iter, &peer, NULL))
    g_signal_handlers_disconnect_by_data (peer, self);
  g_signal_handlers_disconnect_by_data (amnesia_store_get_peers (self->store), self);
  g_signal_handlers_disconnect_by_data (self->store, self);
  g_clear_handle_id (&self->source, g_source_remove);
  g_hash_table_unref (self->peers);
  g_hash_table_unref (self->known);
  g_ptr_array_unref (self->keys);
  g_object_unref (self->store);
  g_free (self);
}
