/* SPDX-License-Identifier: MIT */
/* member LABEL CONF [COMMAND]: shares a value, does what it is told, before all else and then on
 * its standard input, one command per line, and writes its history to its standard output:
 *
 *   TIME set VALUE                                      it is going to write this
 *   TIME changed OLD NEW local|remote UPDATED HELD      HELD: what the store has at this moment
 *   TIME state closed|syncing|synced|alone
 *   TIME linked N                                       how many peers are connected
 *   TIME report VALUE UPDATED N-SOURCES                 the answer to “report”
 *   TIME log TEXT
 *
 * A value is LABEL:NUMBER, - for unset; no two are the same in a whole test. TIME is the monotonic
 * clock, which all processes have in common, in microseconds; UPDATED is in milliseconds.
 * Each line is one write (), so that the history of who is killed is whole. */

#include <amnesia.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  const char   *label;
  AmnesiaStore *store;  /* (owned) */
  GMainLoop    *loop;   /* (owned) */
  guint         number; /* of the last value written */
  guint         linked;

  guint         load_id;
  guint         left;   /* to be written, 0: no end */
  gsize         size;
} Member;

G_GNUC_PRINTF (1, 2)
static void
tell (const char *format,
      ...)
{
  g_autoptr (GString) line = g_string_new (NULL);
  va_list args;

  g_string_printf (line, "%" G_GINT64_FORMAT " ", g_get_monotonic_time ());
  va_start (args, format);
  g_string_append_vprintf (line, format, args);
  va_end (args);
  g_string_append_c (line, '\n');
  if (write (STDOUT_FILENO, line->str, line->len) < 0)
    err (EXIT_FAILURE, "cannot write the history");
}

/* --- values --- */

/* A value is a text, a zero, and whatever it takes to be as large as wanted: one block of memory,
 * so that a test can count them. */
static char *
describe (GVariant *value)
{
  const char *bytes;
  gsize size;

  if (value == NULL)
    return g_strdup ("-");
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    return g_strdup_printf ("?%s", g_variant_get_type_string (value));
  bytes = g_variant_get_fixed_array (value, &size, 1);
  return g_strndup (bytes, strnlen (bytes, size));
}

static GVariant *
make_value (Member *self,
            gsize   size)
{
  g_autofree char *text = g_strdup_printf ("%s:%u", self->label, self->number);
  gsize length = strlen (text) + 1;
  char *bytes = g_malloc (MAX (size, length));

  /* pages of zeros would take no memory */
  memset (bytes, 'x', MAX (size, length));
  memcpy (bytes, text, length);
  return g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, bytes,
                                                      MAX (size, length), TRUE, g_free, bytes));
}

static void
set (Member *self,
     gsize   size)
{
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  self->number++;
  value = make_value (self, size);
  tell ("set %s:%u", self->label, self->number);
  if (!amnesia_store_write (self->store, value, &error))
    errx (EXIT_FAILURE, "%s", error->message);
}

static gint64
get_updated (Member *self)
{
  g_autoptr (GDateTime) updated = amnesia_store_get_updated (self->store);

  return updated == NULL ? -1 : g_date_time_to_unix (updated) * 1000 +
                                g_date_time_get_microsecond (updated) / 1000;
}

/* --- what happens --- */

static void
changed_cb (AmnesiaStore *store,
            GVariant     *old_value,
            GVariant     *new_value,
            gboolean      remote,
            Member       *self)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (store);
  g_autofree char *before = describe (old_value);
  g_autofree char *after = describe (new_value);
  g_autofree char *held = describe (data);

  tell ("changed %s %s %s %" G_GINT64_FORMAT " %s", before, after, remote ? "remote" : "local",
        get_updated (self), held);
}

static void
state_cb (AmnesiaStore *store)
{
  static const char *const states[] = { "closed", "syncing", "synced", "alone" };

  tell ("state %s", states[amnesia_store_get_state (store)]);
}

static void
listening_cb (AmnesiaStore *store)
{
  const char *where = amnesia_store_get_listening (store);

  tell ("listening %s", where != NULL ? where : "-");
}

static void
log_cb (AmnesiaStore *store,
        const char   *message)
{
  tell ("log %s", message);
}

static void
count_linked (Member *self)
{
  GListModel *peers = amnesia_store_get_peers (self->store);
  guint i, n = 0;

  for (i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      n += amnesia_peer_get_state (peer) == AMNESIA_PEER_STATE_CONNECTED;
    }
  if (n != self->linked)
    tell ("linked %u", n);
  self->linked = n;
}

static void
peers_cb (GListModel *peers,
          guint       position,
          guint       removed,
          guint       added,
          Member     *self)
{
  guint i;

  for (i = position; i < position + added; i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      g_signal_connect_swapped (peer, "notify::state", G_CALLBACK (count_linked), self);
    }
  count_linked (self);
}

/* --- commands --- */

static gboolean
load_cb (gpointer user_data)
{
  Member *self = user_data;

  set (self, self->size);
  if (self->left == 0 || --self->left > 0)
    return G_SOURCE_CONTINUE;
  self->load_id = 0;
  tell ("loaded");
  return G_SOURCE_REMOVE;
}

static void
rest (Member *self)
{
  g_clear_handle_id (&self->load_id, g_source_remove);
}

/* load COUNT SIZE MILLISECONDS */
static void
load (Member      *self,
      const char  *arguments)
{
  guint milliseconds;

  rest (self);
  if (sscanf (arguments, "%u %zu %u", &self->left, &self->size, &milliseconds) != 3)
    errx (EXIT_FAILURE, "load %s?", arguments);
  self->load_id = g_timeout_add (milliseconds, load_cb, self);
}

/* Those of the default context, which are all that there are. */
static guint
count_sources (void)
{
  guint id, n = 0, last = g_timeout_add (G_MAXUINT, load_cb, NULL);

  for (id = 1; id < last; id++)
    n += g_main_context_find_source_by_id (NULL, id) != NULL;
  g_source_remove (last);
  return n;
}

static void
report (Member *self)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (self->store);
  g_autofree char *value = describe (data);

  tell ("report %s %" G_GINT64_FORMAT " %u", value, get_updated (self), count_sources ());
}

/* Lets the last reference go in the midst of everything; what was pending ends by itself. */
static void
drop (Member *self)
{
  GWeakRef ref;
  gpointer left;

  rest (self);
  g_weak_ref_init (&ref, self->store);
  g_signal_handlers_disconnect_by_data (amnesia_store_get_peers (self->store), self);
  g_clear_object (&self->store);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  left = g_weak_ref_get (&ref);
  tell ("dropped %s %u", left != NULL ? "leaked" : "gone", count_sources ());
}

static void
do_command (Member     *self,
            const char *command,
            const char *arguments)
{
  if (g_str_equal (command, "drop"))
    drop (self);
  else if (self->store == NULL)
    return;
  else if (g_str_equal (command, "set"))
    set (self, g_ascii_strtoull (arguments, NULL, 10));
  else if (g_str_equal (command, "load"))
    load (self, arguments);
  else if (g_str_equal (command, "rest"))
    rest (self);
  else if (g_str_equal (command, "report"))
    report (self);
  else if (g_str_equal (command, "close"))
    g_main_loop_quit (self->loop);
  else
    errx (EXIT_FAILURE, "%s?", command);
}

static void
do_line (Member     *self,
         const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 2);

  do_command (self, words[0], words[1] != NULL ? words[1] : "");
}

static gboolean
line_cb (GIOChannel   *input,
         GIOCondition  condition,
         gpointer      user_data)
{
  g_autofree char *line = NULL;

  /* who drives us is gone */
  if (g_io_channel_read_line (input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL)
    _exit (EXIT_SUCCESS);
  do_line (user_data, g_strchomp (line));
  return G_SOURCE_CONTINUE;
}

static void
close_store (Member *self)
{
  g_autoptr (GError) error = NULL;

  rest (self);
  /* networks are slow here on purpose */
  amnesia_store_set_close_timeout (self->store, 25 * 1000);
  if (!amnesia_store_close_sync (self->store, NULL, &error))
    tell ("error %s", error->message);
}

static void
connect_signals (Member *self)
{
  g_signal_connect (self->store, "changed", G_CALLBACK (changed_cb), self);
  g_signal_connect (self->store, "notify::state", G_CALLBACK (state_cb), NULL);
  g_signal_connect (self->store, "notify::listening", G_CALLBACK (listening_cb), NULL);
  g_signal_connect (self->store, "log", G_CALLBACK (log_cb), NULL);
  g_signal_connect (amnesia_store_get_peers (self->store), "items-changed",
                    G_CALLBACK (peers_cb), self);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_file (argv[2], &error);
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (STDIN_FILENO);
  Member self = { .label = argv[1], .store = amnesia_store_new () };

  if (conf == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  self.loop = g_main_loop_new (NULL, FALSE);
  connect_signals (&self);
  amnesia_store_set_conf (self.store, conf);
  if (argc > 3)
    do_line (&self, argv[3]);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, line_cb, &self);
  g_main_loop_run (self.loop);
  close_store (&self);
  g_clear_object (&self.store);
  g_main_loop_unref (self.loop);
  tell ("end");
  return EXIT_SUCCESS;
}
