/* SPDX-License-Identifier: MIT */
/* Shares a value: sets what it reads, one JSON text per line, and prints each change. */
#include <amnesia.h>
#include <err.h>
#include <glib-unix.h>
#include <locale.h>

static void
on_changed (AmnesiaStore *mem, GVariant *old, GVariant *new, gboolean remote)
{
  g_autoptr (GDateTime) updated = amnesia_store_get_updated (mem);
  g_autoptr (GDateTime) local = g_date_time_to_local (updated);
  g_autofree char *time = g_date_time_format (local, "%T");
  g_autofree char *before = amnesia_to_json (old, NULL), *now = amnesia_to_json (new, NULL);
  g_print ("%s %s %s -> %s\n", time, remote ? "remote" : "local", before, now);
}

static void
on_state (AmnesiaStore *mem)
{
  const char *states[] = { "closed", "syncing", "synced", "alone" };
  const char *entry = amnesia_store_get_listening (mem);
  g_print (entry ? "* %s as %s\n" : "* %s\n", states[amnesia_store_get_state (mem)], entry);
}

static gboolean
on_line (GIOChannel *input, GIOCondition condition, gpointer mem)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;
  if (g_io_channel_read_line (input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL)
    return raise (SIGINT); /* 0: no more lines */
  g_autoptr (GVariant) value = amnesia_from_json (line, &error);
  if (error == NULL)
    amnesia_store_write (mem, value, &error);
  if (error != NULL && *line != '\n')
    warnx ("%s", error->message);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_file (argv[1] ?: "conf.json", &error);
  g_autoptr (AmnesiaStore) mem = amnesia_store_new ();
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (STDIN_FILENO);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  setlocale (LC_ALL, "");
  if (conf == NULL)
    errx (1, "%s", error->message);
  g_signal_connect (mem, "changed", G_CALLBACK (on_changed), NULL);
  g_signal_connect (mem, "notify::state", G_CALLBACK (on_state), NULL);
  amnesia_store_set_conf (mem, conf);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, on_line, mem);
  g_unix_signal_add (SIGINT, G_SOURCE_FUNC (g_main_loop_quit), loop);
  g_main_loop_run (loop);
  return amnesia_store_close_sync (mem, NULL, &error) ? 0 : (warnx ("%s", error->message), 1);
}
