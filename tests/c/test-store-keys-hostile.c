/* SPDX-License-Identifier: MIT */

/* Keys, when others or the application's own handlers do what they like. */

#include "live-member.h"

#include "amnesia-store-private.h"
#include "mesh/amnesia-limits-private.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID 7

/* --- what a peer can do --- */

static AmnesiaEntry *
make_entry (const char   *key,
            AmnesiaStamp  stamp,
            GVariant     *value)
{
  return amnesia_entry_new (key, stamp, ID, value, NULL, 0);
}

/* As many keys as there may be; they arrive 4,096 at a time. */
static void
fill (RawPeer *raw)
{
  guint i, j, n = 0;

  for (i = 0; i < AMNESIA_MAX_LISTED / 4096; i++)
    {
      g_autoptr (GPtrArray) entries = amnesia_entries_new ();
      AmnesiaPacket packet;

      for (j = 0; j < 4096; j++)
        {
          g_autofree char *key = g_strdup_printf ("%07u", n++);

          g_ptr_array_add (entries, make_entry (key, raw_stamp (i), g_variant_new_byte (1)));
        }
      amnesia_frame_encode_write (entries, &packet);
      raw_peer_send (raw, &packet);
    }
  while (raw_peer_wait_ack (raw) < AMNESIA_MAX_LISTED / 4096)
    ;
}

static void
send_one (RawPeer    *raw,
          const char *key,
          gint64      ahead,
          GVariant   *value)
{
  g_autoptr (AmnesiaEntry) entry = make_entry (key, raw_stamp (ahead), value);

  raw_peer_send_write (raw, entry);
}

/* To tell a handler of each of 65,536 keys that it has gone takes a microsecond or two each. */
static void
assert_told_soon (LiveStats stats)
{
  g_test_message ("blocked for %" G_GINT64_FORMAT " us", stats.blocked);
  g_assert_cmpint (stats.blocked, <=, live_slack () * 400 * G_TIME_SPAN_MILLISECOND);
}

static void
flood (gboolean listening)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  gint64 start;
  guint i;

  if (listening)
    g_free (live_member_ask (member, "listen"));
  raw_peer_greet (raw, ID, 0);
  start = g_get_monotonic_time ();
  fill (raw);
  g_test_message ("figure: filled in %" G_GINT64_FORMAT " us", g_get_monotonic_time () - start);
  live_assert_unblocked (live_member_look (member));

  live_member_forget (member);
  start = g_get_monotonic_time ();
  for (i = 0; i < 100; i++)
    {
      send_one (raw, "0000001", 100 + i, g_variant_new_byte (i % 2));
      raw_peer_wait_ack (raw);
    }
  g_test_message ("figure: 100 single ones in %" G_GINT64_FORMAT " us", g_get_monotonic_time () - start);
  live_assert_unblocked (live_member_look (member));

  live_member_forget (member);
  send_one (raw, "", 1000, g_variant_new_parsed ("{'a': <1>}"));
  raw_peer_wait_ack (raw);
  live_member_assert_has (member, "{'a': <1>}");
  if (listening)
    assert_told_soon (live_member_look (member));
  else
    live_assert_unblocked (live_member_look (member));
}

static void
test_flood (void)
{
  g_test_summary ("As many keys as there may be, and a whole value that covers them");
  flood (FALSE);
}

static void
test_flood_listening (void)
{
  g_test_summary ("The same where somebody wants to know of each");
  flood (TRUE);
}

/* The keys of the next frame with values. */
static char *
wait_keys (RawPeer *raw)
{
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GString) keys = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE);
  guint i;

  entries = amnesia_frame_decode_write (frame, G_MAXUINT32, &error);
  g_assert_no_error (error);
  for (i = 0; i < entries->len; i++)
    g_string_append (keys, ((AmnesiaEntry *) g_ptr_array_index (entries, i))->key);
  raw_frame_free (frame);
  return g_string_free (g_steal_pointer (&keys), FALSE);
}

static void
set_keys (AmnesiaStore *store,
          const char   *text)
{
  g_autoptr (GVariant) keys = test_value (text);
  g_autoptr (GError) error = NULL;

  amnesia_store_set_keys (store, keys, &error);
  g_assert_no_error (error);
}

static void
set_key (AmnesiaStore *store,
         const char   *key,
         GVariant     *value)
{
  g_autoptr (GError) error = NULL;

  amnesia_store_set_key (store, key, value, &error);
  g_assert_no_error (error);
}

static void
test_one_frame (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  g_test_summary ("Keys that are set together are sent together, once");

  raw_peer_greet (raw, ID, 0);
  test_wait_linked (store, 1);
  set_keys (store, "{'a': <1>, 'b': <2>, 'c': <3>}");
  first = wait_keys (raw);
  g_assert_cmpstr (first, ==, "abc");
  test_pass_time (20);
  set_key (store, "d", g_variant_new_int32 (4));
  second = wait_keys (raw);
  g_assert_cmpstr (second, ==, "d");
  test_free_store (store);
}

/* --- what handlers can do --- */

static void
drop_cb (AmnesiaStore **store)
{
  g_clear_object (store);
}

static void
test_drop (void)
{
  static const char *const signals[] = { "changed", "key-changed", "key-changed::a", "notify::data" };
  guint i;

  g_test_summary ("A handler may drop the last reference in the middle of a set");

  for (i = 0; i < 3 * G_N_ELEMENTS (signals); i++)
    {
      AmnesiaStore *store = amnesia_store_new ();
      gpointer weak = store;

      g_object_add_weak_pointer (G_OBJECT (store), &weak);
      g_signal_connect_swapped (store, signals[i / 3], G_CALLBACK (drop_cb), &store);
      if (i % 3 == 0)
        set_key (store, "a", g_variant_new_int32 (1));
      else if (i % 3 == 1)
        set_keys (store, "{'a': <1>, 'b': <2>}");
      else
        amnesia_store_set_default_data (store, g_variant_new_parsed ("{'a': <1>}"));
      g_assert_null (store);
      g_assert_null (weak);
    }
}

/* All that can be called, in the middle of what is told. */
static void
do_all_cb (AmnesiaStore *store,
           const char   *key,
           GVariant     *old,
           GVariant     *new,
           gboolean      remote,
           guint        *n_calls)
{
  g_auto (GStrv) keys = amnesia_store_list_keys (store);
  g_autoptr (GVariant) value = amnesia_store_get_key (store, key);

  if (++*n_calls > 3)
    return;
  set_key (store, "new", g_variant_new_uint32 (*n_calls));
  set_keys (store, *n_calls % 2 ? "{'a': <'x'>, 'z': <1>}" : "{'a': <'y'>}");
  amnesia_store_remove_key (store, key, NULL);
  amnesia_store_set_default_data (store, *n_calls % 2 ? g_variant_new_int32 (5)
                                                      : g_variant_new_parsed ("{'default': <true>}"));
  amnesia_store_set_data (store, *n_calls % 2 ? g_variant_new_parsed ("{'whole': <1>}") : NULL);
  amnesia_store_set_default_data (store, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_reentrant (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new_with_keys (store);
  guint n_calls = 0;

  g_test_summary ("A handler of key-changed may do all that there is to do");

  g_signal_connect (store, "key-changed", G_CALLBACK (do_all_cb), &n_calls);
  set_key (store, "a", g_variant_new_int32 (1));
  g_assert_cmpuint (n_calls, >, 3);
  test_assert_data (store, "{'whole': <1>}");
  test_free_store (store);
}

typedef struct
{
  GCancellable *cancellable;
  gboolean      done;
  gboolean      in_force;
  GError       *error;
} First;

static void
first_cb (GObject      *source,
          GAsyncResult *result,
          gpointer      user_data)
{
  First *first = user_data;

  first->done = TRUE;
  first->in_force = amnesia_store_set_if_unset_finish (AMNESIA_STORE (source), result, &first->error);
}

static void
test_cancelled_in_handler (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_new_store (conf);
  First first = { g_cancellable_new () };

  g_test_summary ("Who cancels a first value when it has been set is not told that it has not");

  g_signal_connect_swapped (store, "changed", G_CALLBACK (g_cancellable_cancel), first.cancellable);
  amnesia_store_set_if_unset_async (store, g_variant_new_int32 (1), first.cancellable, first_cb, &first);
  test_until (first.done);
  g_assert_no_error (first.error);
  g_assert_true (first.in_force);
  test_assert_data (store, "1");
  g_object_unref (first.cancellable);
  test_free_store (store);
}

/* --- what was lost --- */

static void
superseded_cb (AmnesiaStore *store,
               const char   *key,
               GVariant     *lost,
               GVariant     *winner,
               guint        *n_calls)
{
  g_assert_cmpstr (key, ==, "a");
  g_assert_cmpint (g_variant_get_int32 (lost), ==, 1);
  g_assert_cmpint (g_variant_get_int32 (winner), ==, 2);
  (*n_calls)++;
  set_key (store, "a", g_variant_new_int32 (3));
  amnesia_store_set_default_data (store, g_variant_new_int32 (4));
}

static void
test_set_again (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  guint n_calls = 0;

  g_test_summary ("Who has lost may set his own once more, which is told once");

  raw_peer_greet (raw, ID, 0);
  g_signal_connect (store, "superseded::a", G_CALLBACK (superseded_cb), &n_calls);
  set_key (store, "a", g_variant_new_int32 (1));
  send_one (raw, "a", 1000, g_variant_new_int32 (2));
  test_until (test_has_data (store, "{'a': <3>}"));
  send_one (raw, "a", 500, g_variant_new_int32 (5));
  raw_peer_wait_ack (raw);
  g_assert_cmpuint (n_calls, ==, 1);
  test_free_store (store);
}

static void
drop_loser_cb (AmnesiaStore  *self,
               const char    *key,
               GVariant      *lost,
               GVariant      *winner,
               AmnesiaStore **store)
{
  g_clear_object (store);
}

static void
test_drop_loser (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);

  g_test_summary ("A handler of superseded may drop the store, though there is more to tell");

  raw_peer_greet (raw, ID, 0);
  g_signal_connect (store, "superseded", G_CALLBACK (drop_loser_cb), &store);
  set_keys (store, "{'a': <1>, 'b': <2>}");
  send_one (raw, "", 1000, g_variant_new_int32 (2));
  test_until (store == NULL);
}

/* --- what is refused --- */

static void
assert_default (AmnesiaStore *store,
                GVariant     *value)
{
  g_autoptr (GVariant) present = NULL;

  g_object_get (store, "default-data", &present, NULL);
  g_assert_true (present == value || g_variant_equal (present, value));
}

static void
test_default (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GVariant) good = test_value ("{'a': <1>}");
  static const guint8 garbage[] = { 'a', 0, 0, 0, 9, 9, 9, 200 };
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("What could not be shared is no default");

  amnesia_store_set_default_data (store, good);
  diary = test_diary_new (store);
  amnesia_store_set_default_data (store, g_variant_new_handle (1));
  amnesia_store_set_default_data (store, g_variant_new_parsed ("{'a': <1>, 'a': <2>}"));
  amnesia_store_set_default_data (store, g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, garbage,
                                                                  sizeof garbage, FALSE, NULL, NULL));
  assert_default (store, good);
  g_assert_cmpuint (test_diary_count_log (diary, "*"), ==, 3);
  set_key (store, "b", g_variant_new_int32 (2));
  test_assert_data (store, "{'a': <1>, 'b': <2>}");
  test_free_store (store);
}

static GVariant *
make_deep (guint depth)
{
  GVariant *value = g_variant_new_int32 (1);

  while (depth-- > 0)
    value = g_variant_new_variant (value);
  return value;
}

static void
test_depth (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GVariant) data = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("What is seen of the whole can be written as a whole");

  set_key (store, "a", make_deep (61));
  g_assert_false (amnesia_store_set_key (store, "a", make_deep (62), &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE);
  g_clear_error (&error);
  data = amnesia_store_get_data (store);
  amnesia_store_write (store, data, &error);
  g_assert_no_error (error);
  test_free_store (store);
}

/* Returns 0 if all is refused as it must be. */
static int
try_in_child (AmnesiaStore *store)
{
  g_autoptr (GError) set = NULL;
  g_autoptr (GError) several = NULL;
  g_autoptr (GError) removed = NULL;

  amnesia_store_set_key (store, "a", g_variant_new_int32 (2), &set);
  amnesia_store_set_keys (store, g_variant_new_parsed ("{'a': <2>}"), &several);
  amnesia_store_remove_key (store, "a", &removed);
  return !g_error_matches (set, AMNESIA_ERROR, AMNESIA_ERROR_FORKED) ||
         !g_error_matches (several, AMNESIA_ERROR, AMNESIA_ERROR_FORKED) ||
         !g_error_matches (removed, AMNESIA_ERROR, AMNESIA_ERROR_FORKED) ||
         !amnesia_store_has_key (store, "a");
}

static void
test_fork (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  int status = -1;
  pid_t pid;

  g_test_summary ("In the child of a fork no key can be set or removed");

  set_key (store, "a", g_variant_new_int32 (1));
  pid = fork ();
  if (pid == 0)
    _exit (try_in_child (store));
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  test_free_store (store);
}

int
main (int   argc,
      char *argv[])
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store-keys-hostile/one-frame", test_one_frame);
  g_test_add_func ("/store-keys-hostile/V9-drop", test_drop);
  g_test_add_func ("/store-keys-hostile/V9-reentrant", test_reentrant);
  g_test_add_func ("/store-keys-hostile/A8-cancelled-in-handler", test_cancelled_in_handler);
  g_test_add_func ("/store-keys-hostile/V9-set-again", test_set_again);
  g_test_add_func ("/store-keys-hostile/V9-drop-loser", test_drop_loser);
  g_test_add_func ("/store-keys-hostile/V4-default", test_default);
  g_test_add_func ("/store-keys-hostile/depth", test_depth);
  g_test_add_func ("/store-keys-hostile/P7-fork", test_fork);
  g_test_add_func ("/store-keys-hostile/R13-flood", test_flood);
  g_test_add_func ("/store-keys-hostile/R13-flood-listening", test_flood_listening);
  return g_test_run ();
}
