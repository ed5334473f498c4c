/* SPDX-License-Identifier: MIT */
/* Shares a value: sets what it reads, one JSON text per line, and prints each change. */

#include <amnesia.h>
#include <err.h>
#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <stdio.h>

static GMainLoop *loop;

static void
on_changed (AmnesiaStore *mem, GVariant *old, GVariant *new, gboolean remote)
{
  g_autoptr (GDateTime) updated = amnesia_store_get_updated (mem);
  g_autoptr (GDateTime) local = g_date_time_to_local (updated);
  g_autofree char *time = g_date_time_format (local, "%T");
  g_autofree char *before = amnesia_to_json (old, NULL);
  g_autofree char *now = amnesia_to_json (new, NULL);

  printf ("%s %s %s -> %s\n", time, remote ? "remote" : "local", before, now);
}

static void
on_state (AmnesiaStore *mem)
{
  static const char *const states[] = { "closed", "syncing", "synced", "alone" };
  const char *entry = amnesia_store_get_listening (mem);

  printf ("* %s", states[amnesia_store_get_state (mem)]);
  printf (entry != NULL ? " as %s\n" : "\n", entry);
}

static gboolean
on_end (gpointer user_data)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static void
on_line (GObject *input, GAsyncResult *result, gpointer mem)
{
  GDataInputStream *lines = G_DATA_INPUT_STREAM (input);
  g_autofree char *line = g_data_input_stream_read_line_finish (lines, result, NULL, NULL);
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  if (line == NULL)
    {
      on_end (NULL);
      return;
    }
  if (*line != '\0')
    value = amnesia_from_json (line, &error);
  if (*line != '\0' && error == NULL)
    amnesia_store_write (mem, value, &error);
  if (error != NULL)
    warnx ("%s", error->message);
  g_data_input_stream_read_line_async (lines, G_PRIORITY_DEFAULT, NULL, on_line, mem);
}

int
main (int argc, char **argv)
{
  const char *file = argc > 1 ? argv[1] : "conf.json";
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_file (file, &error);
  g_autoptr (AmnesiaStore) mem = amnesia_store_new ();
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (input);

  if (conf == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  setlinebuf (stdout);
  loop = g_main_loop_new (NULL, FALSE);

  g_signal_connect (mem, "changed", G_CALLBACK (on_changed), NULL);
  g_signal_connect (mem, "notify::state", G_CALLBACK (on_state), NULL);
  amnesia_store_set_conf (mem, conf);
  g_data_input_stream_read_line_async (lines, G_PRIORITY_DEFAULT, NULL, on_line, mem);
  g_unix_signal_add (SIGINT, on_end, NULL);
  g_unix_signal_add (SIGTERM, on_end, NULL);
  g_main_loop_run (loop);

  if (!amnesia_store_close_sync (mem, NULL, &error))
    errx (EXIT_FAILURE, "%s", error->message);
  return EXIT_SUCCESS;
}
