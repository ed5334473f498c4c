/* SPDX-License-Identifier: MIT */
/* tls-member CONF: shares a value, sets what it reads, one JSON text per line, and tells what comes
 * of its peers:
 *
 *   state closed|syncing|synced|alone
 *   listening HOST:PORT
 *   value JSON
 *   peer NAME STATE WAY
 *   error NAME TEXT            its last-error
 *   log TEXT
 *   late MICROSECONDS          the answer to the line “late”: for how long at most a small
 *                              operation of GIO's own threads was waited for since the last one */

#include <amnesia.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#define QUERY_MS 10

static GMainLoop *loop;
static gint64 latest;  /* µs that an operation took at most */
static gint64 pending; /* since when one is on its way, 0: none */

/* --- what the application does besides --- */

static void
queried_cb (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFileInfo) info = g_file_query_info_finish (G_FILE (source), result, &error);

  if (info == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  latest = MAX (latest, g_get_monotonic_time () - pending);
  pending = 0;
}

static gboolean
query_cb (gpointer user_data)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");

  if (pending != 0)
    return G_SOURCE_CONTINUE;
  pending = g_get_monotonic_time ();
  g_file_query_info_async (file, G_FILE_ATTRIBUTE_STANDARD_TYPE, G_FILE_QUERY_INFO_NONE,
                           G_PRIORITY_DEFAULT, NULL, queried_cb, NULL);
  return G_SOURCE_CONTINUE;
}

static void
tell_late (void)
{
  gint64 waiting = pending != 0 ? g_get_monotonic_time () - pending : 0;

  printf ("late %" G_GINT64_FORMAT "\n", MAX (latest, waiting));
  latest = 0;
}

/* --- what happens --- */

static void
changed_cb (AmnesiaStore *store,
            GVariant     *old_value,
            GVariant     *new_value)
{
  g_autofree char *text = amnesia_to_json (new_value, NULL);

  printf ("value %s\n", text != NULL ? text : "?");
}

static void
state_cb (AmnesiaStore *store)
{
  static const char *const states[] = { "closed", "syncing", "synced", "alone" };

  printf ("state %s\n", states[amnesia_store_get_state (store)]);
}

static void
listening_cb (AmnesiaStore *store)
{
  const char *where = amnesia_store_get_listening (store);

  printf ("listening %s\n", where != NULL ? where : "-");
}

static void
log_cb (AmnesiaStore *store,
        const char   *message)
{
  printf ("log %s\n", message);
}

static const char *
get_nick (GType type,
          int   value)
{
  g_autoptr (GEnumClass) values = g_type_class_ref (type);

  return g_enum_get_value (values, value)->value_nick;
}

static void
peer_cb (AmnesiaPeer *peer)
{
  printf ("peer %s %s %s\n", amnesia_peer_get_name (peer),
          get_nick (AMNESIA_TYPE_PEER_STATE, amnesia_peer_get_state (peer)),
          get_nick (AMNESIA_TYPE_WAY, amnesia_peer_get_way (peer)));
}

static void
error_cb (AmnesiaPeer *peer)
{
  const GError *error = amnesia_peer_get_last_error (peer);

  if (error != NULL)
    printf ("error %s %s\n", amnesia_peer_get_name (peer), error->message);
}

static void
peers_cb (GListModel *peers,
          guint       position,
          guint       removed,
          guint       added)
{
  guint i;

  for (i = position; i < position + added; i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      g_signal_connect (peer, "notify::state", G_CALLBACK (peer_cb), NULL);
      g_signal_connect (peer, "notify::last-error", G_CALLBACK (error_cb), NULL);
      peer_cb (peer);
      error_cb (peer);
    }
}

static gboolean
line_cb (GIOChannel   *input,
         GIOCondition  condition,
         gpointer      store)
{
  g_autofree char *line = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = NULL;

  if (g_io_channel_read_line (input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL)
    {
      g_main_loop_quit (loop);
      return G_SOURCE_REMOVE;
    }
  if (g_str_equal (line, "late\n"))
    {
      tell_late ();
      return G_SOURCE_CONTINUE;
    }
  value = amnesia_from_json (line, &error);
  if (error == NULL)
    amnesia_store_write (store, value, &error);
  if (error != NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  return G_SOURCE_CONTINUE;
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_file (argv[1], &error);
  g_autoptr (AmnesiaStore) store = amnesia_store_new ();
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (STDIN_FILENO);

  setvbuf (stdout, NULL, _IOLBF, 0);
  if (conf == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  loop = g_main_loop_new (NULL, FALSE);
  g_signal_connect (store, "changed", G_CALLBACK (changed_cb), NULL);
  g_signal_connect (store, "notify::state", G_CALLBACK (state_cb), NULL);
  g_signal_connect (store, "notify::listening", G_CALLBACK (listening_cb), NULL);
  g_signal_connect (store, "log", G_CALLBACK (log_cb), NULL);
  g_signal_connect (amnesia_store_get_peers (store), "items-changed", G_CALLBACK (peers_cb), NULL);
  amnesia_store_set_conf (store, conf);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, line_cb, store);
  g_timeout_add (QUERY_MS, query_cb, NULL);
  g_main_loop_run (loop);
  amnesia_store_close_sync (store, NULL, NULL);
  g_clear_pointer (&loop, g_main_loop_unref);
  return EXIT_SUCCESS;
}
