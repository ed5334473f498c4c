/* SPDX-License-Identifier: MIT */
/* Shares a value: sets what it reads, one JSON text per line, and prints each change. */

#include <amnesia.h>
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
  g_autofree char *before = amnesia_to_json (old, NULL), *now = amnesia_to_json (new, NULL);

  printf ("%s %s %s -> %s\n", time, remote ? "remote" : "local", before, now);
}

static void
on_state (AmnesiaStore *mem)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (AMNESIA_TYPE_STATE);
  const char *state = g_enum_get_value (states, amnesia_store_get_state (mem))->value_nick;
  const char *listening = amnesia_store_get_listening (mem);

  printf (listening != NULL ? "* %s as %s\n" : "* %s\n", state, listening);
}

static void
on_line (GObject *input, GAsyncResult *result, gpointer mem)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (input),
                                                                result, NULL, NULL);
  if (line == NULL)
    {
      g_main_loop_quit (loop);
      return;
    }
  if (*line != '\0')
    {
      g_autoptr (GVariant) value = amnesia_from_json (line, &error);

      if (error != NULL || !amnesia_store_write (mem, value, &error))
        fprintf (stderr, "%s\n", error->message);
    }
  g_data_input_stream_read_line_async (G_DATA_INPUT_STREAM (input), 0, NULL, on_line, mem);
}
