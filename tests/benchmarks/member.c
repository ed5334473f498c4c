/* SPDX-License-Identifier: MIT */
/* The library's side. Roles, of which the first in each line measures:
 *
 *   ping, echo               W1: each sets what it gets, plus one; one key of many (mode key)
 *   writer, receiver         W2 (mode loop, or key-loop), W3 (mode large), W4 (mode small)
 *   spawn, holder, joiner    W5
 *   idle                     W6
 *   probe                    says what the library can do
 */

#include "bench.h"

#include <amnesia.h>
#include <err.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define N_KEYS 100
#define KEY "key 50"

static AmnesiaStore *store;
static GMainLoop *loop;

static int64_t began;
static int64_t number; /* the last one that was set */
static int lap;

static AmnesiaStore *
open_store (GCallback changed_cb)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_json (bench.conf, &error);

  if (conf == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  store = amnesia_store_new ();
  if (changed_cb != NULL)
    g_signal_connect (store, "changed", changed_cb, NULL);
  amnesia_store_set_conf (store, conf);
  return store;
}

static int
run (void)
{
  loop = g_main_loop_new (NULL, FALSE);
  g_main_loop_run (loop);
  return EXIT_SUCCESS;
}

/* --- links --- */

/* @nick: as GObject has it; so this does not have to know which ways there are. */
static gboolean
has_way (AmnesiaPeer *peer,
         const char  *nick)
{
  g_autoptr (GEnumClass) ways = g_type_class_ref (AMNESIA_TYPE_WAY);
  GEnumValue *way = g_enum_get_value (ways, amnesia_peer_get_way (peer));

  return g_str_equal (way->value_nick, nick);
}

static int
count_linked (void)
{
  GListModel *peers = amnesia_store_get_peers (store);
  guint i;
  int n = 0;

  for (i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      n += amnesia_peer_get_state (peer) == AMNESIA_PEER_STATE_CONNECTED &&
           has_way (peer, bench.way);
    }
  return n;
}

static void
wait_linked (void)
{
  while (count_linked () < bench.peers || amnesia_store_get_state (store) != AMNESIA_STATE_SYNCED)
    g_main_context_iteration (NULL, TRUE);
}

/* --- numbers: the whole value, or one key of many --- */

static gboolean
is_of_keys (void)
{
  return g_str_has_prefix (bench.mode, "key");
}

static void
set_number (int64_t new_number)
{
  GVariant *value = g_variant_new_int64 (new_number);

  if (!is_of_keys ())
    amnesia_store_set_data (store, value);
  else if (!amnesia_store_set_key (store, KEY, value, NULL))
    errx (EXIT_FAILURE, "the key cannot be set");
}

/* All of them; what is told of that is not counted. */
static void
set_keys (void)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  int i;

  for (i = 0; i < N_KEYS; i++)
    {
      g_autofree char *key = g_strdup_printf ("key %d", i);

      g_variant_builder_add (&builder, "{sv}", key, g_variant_new_int64 (0));
    }
  if (!amnesia_store_set_keys (store, g_variant_builder_end (&builder), NULL))
    errx (EXIT_FAILURE, "the keys cannot be set");
}

/* --- W1 --- */

static void (*got_number) (int64_t n);

static void
changed_cb (AmnesiaStore *self,
            GVariant     *old_value,
            GVariant     *new_value,
            gboolean      remote)
{
  if (remote)
    got_number (g_variant_get_int64 (new_value));
}

static void
key_changed_cb (AmnesiaStore *self,
                const char   *key,
                GVariant     *old_value,
                GVariant     *new_value,
                gboolean      remote)
{
  if (remote && g_variant_get_int64 (new_value) > 0)
    got_number (g_variant_get_int64 (new_value));
}

static void
open_for_numbers (void (*func) (int64_t n))
{
  got_number = func;
  open_store (is_of_keys () ? NULL : G_CALLBACK (changed_cb));
  if (is_of_keys ())
    g_signal_connect (store, "key-changed::" KEY, G_CALLBACK (key_changed_cb), NULL);
}

static void
send_back (int64_t n)
{
  set_number (n + 1);
}

/* It comes back with one more than we have sent. */
static void
take_back (int64_t n)
{
  int64_t now = bench_now ();

  number = n;
  if (number > 2 * bench.warm)
    bench_lap (began, now);
  if (number == 2 * bench.warm)
    bench_start ();
  if (bench_done ())
    g_main_loop_quit (loop);
  else
    {
      began = number == 2 * bench.warm ? bench_now () : now;
      set_number (number + 1);
    }
}

static int
ping (void)
{
  open_for_numbers (take_back);
  wait_linked ();
  if (is_of_keys ())
    set_keys ();
  set_number (1);
  run ();
  bench_report ();
  return EXIT_SUCCESS;
}

static int
echo (void)
{
  atomic_store (&bench.board->other, getpid ());
  open_for_numbers (send_back);
  return run ();
}

/* --- W2, W3, W4 --- */

static GVariant *
make_large (int64_t number)
{
  guchar *bytes = g_malloc (bench.size);

  bench_fill (bytes, bench.size, number);
  return g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, bytes, bench.size, TRUE, g_free, bytes);
}

static void
set_large (void)
{
  GVariant *value = make_large (++number);

  bench_expect (number);
  began = bench_now ();
  amnesia_store_set_data (store, value);
}

static void
set_small (int64_t n)
{
  bench_expect (number + n);
  began = bench_now ();
  while (n-- > 0)
    set_number (++number);
}

/* A million sets have to leave the memory as it was after the first one. */
static void
set_next (void)
{
  lap++;
  if (g_str_equal (bench.mode, "large"))
    set_large ();
  else if (g_str_has_suffix (bench.mode, "loop") && lap > bench.warm)
    set_small (bench.sets);
  else
    set_small (1);
}

static gboolean
has_cb (int          fd,
        GIOCondition condition,
        gpointer     user_data)
{
  if (!bench_has ())
    return G_SOURCE_CONTINUE;
  if (lap > bench.warm)
    bench_lap (began, atomic_load (&bench.board->end));
  if (lap == bench.warm)
    bench_start ();
  if (bench_done ())
    g_main_loop_quit (loop);
  else
    set_next ();
  return G_SOURCE_CONTINUE;
}

static int
writer (void)
{
  open_store (NULL);
  wait_linked ();
  if (is_of_keys ())
    set_keys ();
  /* the first call is when the others are linked too */
  g_unix_fd_add (bench.event_fd, G_IO_IN, has_cb, NULL);
  run ();
  bench_report ();
  return EXIT_SUCCESS;
}

static void
receive_cb (AmnesiaStore *self,
            GVariant     *old_value,
            GVariant     *new_value,
            gboolean      remote)
{
  g_autoptr (GVariant) part = is_of_keys () ? amnesia_store_get_key (self, KEY) : NULL;
  gsize size;

  if (part != NULL)
    bench_got (g_variant_get_int64 (part));
  else if (g_variant_is_of_type (new_value, G_VARIANT_TYPE_INT64))
    bench_got (g_variant_get_int64 (new_value));
  else
    bench_got (bench_read (g_variant_get_fixed_array (new_value, &size, 1),
                           g_variant_get_size (new_value)));
}

static int
receiver (void)
{
  open_store (G_CALLBACK (receive_cb));
  wait_linked ();
  bench_got (0);
  return run ();
}

/* --- W5 --- */

static int
holder (void)
{
  open_store (NULL);
  amnesia_store_set_data (store, make_large (1));
  while (amnesia_store_get_listening (store) == NULL)
    g_main_context_iteration (NULL, TRUE);
  bench_say ("ready");
  return run ();
}

static void
joined_cb (AmnesiaStore *self,
           GVariant     *old_value,
           GVariant     *new_value,
           gboolean      remote)
{
  receive_cb (self, old_value, new_value, remote);
  _exit (count_linked () > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int
joiner (void)
{
  open_store (G_CALLBACK (joined_cb));
  return run ();
}

/* --- W6 --- */

static int
idle (void)
{
  open_store (NULL);
  wait_linked ();
  bench_say ("linked");
  return run ();
}

/* --- what there is --- */

static int
probe (void)
{
  g_autoptr (GEnumClass) ways = g_type_class_ref (AMNESIA_TYPE_WAY);
  g_autoptr (AmnesiaConf) conf =
    amnesia_conf_new_from_json ("{\"local\": false, \"peers\": []}", NULL);

  printf ("{\"local\": %s, \"tls\": %s, \"can_be_turned_off\": %s}\n",
          g_enum_get_value_by_nick (ways, "local") != NULL ? "true" : "false",
          g_enum_get_value_by_nick (ways, "tls") != NULL &&
              g_tls_backend_supports_tls (g_tls_backend_get_default ()) ? "true" : "false",
          conf != NULL ? "true" : "false");
  return EXIT_SUCCESS;
}

int
main (int    argc,
      char **argv)
{
  static const struct
  {
    const char *name;
    int       (*run) (void);
  } roles[] = {
    { "ping", ping }, { "echo", echo }, { "writer", writer }, { "receiver", receiver },
    { "spawn", bench_spawn }, { "holder", holder }, { "joiner", joiner }, { "idle", idle },
    { "probe", probe },
  };
  gsize i;

  bench_init (argv);
  for (i = 0; i < G_N_ELEMENTS (roles); i++)
    if (g_str_equal (roles[i].name, bench.role))
      return roles[i].run ();
  errx (EXIT_FAILURE, "%s?", bench.role);
}
