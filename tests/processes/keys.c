/* SPDX-License-Identifier: MIT */
/* keys CONF ROLE NAME ROUNDS: shares a value, and does what it is told on its standard input:
 *
 *   go       works: ROUNDS turns more of its loop, in each of which it sets
 *              keys   NAME0 to NAME9, one after the other
 *              base   the whole value, to a dictionary with NAME
 *              pairs  two keys, NAME and NAMENAME, at once
 *            and then prints “done MICROSECONDS”
 *   show     prints “value JSON”, of what it has now
 *   faults   prints “faults N of M”: how many of the values that it was told of had half a pair
 *
 * It prints “ready” when it is synced or alone, and leaves at the end of its input. */

#include <amnesia.h>
#include <err.h>
#include <stdio.h>
#include <unistd.h>

#define N_KEYS 10

typedef struct
{
  AmnesiaStore *store;  /* (owned) */
  GMainLoop    *loop;   /* (owned) */
  const char   *role;
  const char   *name;
  gint64        rounds;
  gint64        round;
  gint64        begun;
  guint         n_changed;
  guint         n_faults;
} Member;

static void
tell (const char *text)
{
  puts (text);
  fflush (stdout);
}

/* --- what it writes --- */

static void
write_keys (Member *self)
{
  g_autoptr (GError) error = NULL;
  guint i;

  for (i = 0; i < N_KEYS; i++)
    {
      g_autofree char *key = g_strdup_printf ("%s%u", self->name, i);

      if (!amnesia_store_set_key (self->store, key, g_variant_new_int64 (self->round), &error))
        errx (EXIT_FAILURE, "%s", error->message);
    }
}

static void
write_base (Member *self)
{
  g_autoptr (GError) error = NULL;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, self->name, "x", self->round);
  if (!amnesia_store_write (self->store, g_variant_dict_end (&dict), &error))
    errx (EXIT_FAILURE, "%s", error->message);
}

static void
write_pair (Member *self)
{
  g_autofree char *twice = g_strconcat (self->name, self->name, NULL);
  g_autoptr (GError) error = NULL;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, self->name, "x", self->round);
  g_variant_dict_insert (&dict, twice, "x", self->round);
  if (!amnesia_store_set_keys (self->store, g_variant_dict_end (&dict), &error))
    errx (EXIT_FAILURE, "%s", error->message);
}

static gboolean
work_cb (gpointer user_data)
{
  Member *self = user_data;
  g_autofree char *line = NULL;

  self->round++;
  if (g_str_equal (self->role, "keys"))
    write_keys (self);
  else if (g_str_equal (self->role, "base"))
    write_base (self);
  else
    write_pair (self);
  if (self->round % self->rounds != 0)
    return G_SOURCE_CONTINUE;
  line = g_strdup_printf ("done %" G_GINT64_FORMAT, g_get_monotonic_time () - self->begun);
  tell (line);
  return G_SOURCE_REMOVE;
}

/* --- what it sees --- */

static void
changed_cb (AmnesiaStore *store,
            GVariant     *old_value,
            GVariant     *new_value,
            gboolean      remote,
            gpointer      user_data)
{
  Member *self = user_data;
  g_autofree char *twice = g_strconcat (self->name, self->name, NULL);
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) second = NULL;

  self->n_changed++;
  if (new_value == NULL || !g_variant_is_of_type (new_value, G_VARIANT_TYPE_VARDICT))
    return;
  first = g_variant_lookup_value (new_value, self->name, NULL);
  second = g_variant_lookup_value (new_value, twice, NULL);
  if (g_str_equal (self->role, "pairs") &&
      (first == NULL || second == NULL || !g_variant_equal (first, second)))
    self->n_faults++;
}

static void
show (Member *self)
{
  g_autoptr (GVariant) value = amnesia_store_get_data (self->store);
  g_autofree char *json = amnesia_to_json (value, NULL);
  g_autofree char *line = g_strconcat ("value ", json, NULL);

  tell (line);
}

/* --- what it is told --- */

static void
obey (Member     *self,
      const char *command)
{
  g_autofree char *line = NULL;

  if (g_str_equal (command, "go"))
    {
      self->begun = g_get_monotonic_time ();
      g_idle_add (work_cb, self);
    }
  else if (g_str_equal (command, "show"))
    {
      show (self);
    }
  else
    {
      line = g_strdup_printf ("faults %u of %u", self->n_faults, self->n_changed);
      tell (line);
    }
}

static gboolean
line_cb (GIOChannel   *channel,
         GIOCondition  condition,
         gpointer      user_data)
{
  Member *self = user_data;
  g_autofree char *line = NULL;

  if (g_io_channel_read_line (channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL)
    {
      g_main_loop_quit (self->loop);
      return G_SOURCE_REMOVE;
    }
  obey (self, g_strchomp (line));
  return G_SOURCE_CONTINUE;
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_file (argv[1], &error);
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (STDIN_FILENO);
  Member self = { .role = argv[2], .name = argv[3], .rounds = g_ascii_strtoll (argv[4], NULL, 10) };

  if (conf == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  self.store = amnesia_store_new ();
  self.loop = g_main_loop_new (NULL, FALSE);
  g_signal_connect (self.store, "changed", G_CALLBACK (changed_cb), &self);
  amnesia_store_set_conf (self.store, conf);
  if (!amnesia_store_open_sync (self.store, NULL, &error))
    errx (EXIT_FAILURE, "%s", error->message);
  tell ("ready");

  g_io_add_watch (input, G_IO_IN | G_IO_HUP, line_cb, &self);
  g_main_loop_run (self.loop);
  if (!amnesia_store_close_sync (self.store, NULL, &error))
    errx (EXIT_FAILURE, "%s", error->message);
  g_main_loop_unref (self.loop);
  g_object_unref (self.store);
  return EXIT_SUCCESS;
}
