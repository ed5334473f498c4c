/* SPDX-License-Identifier: MIT */

/* What a store remembers of its changes. */

#include "list-mirror.h"
#include "testlib.h"

#include "amnesia-history-private.h"

static char *
print (GVariant *value)
{
  return value != NULL ? g_variant_print (value, FALSE) : g_strdup ("-");
}

/* One change as "KEY: OLD > NEW"; the whole value has the key "*". */
static char *
describe (AmnesiaChange *change)
{
  const char *key = amnesia_change_get_key (change);
  g_autofree char *old_text = print (amnesia_change_get_old (change));
  g_autofree char *new_text = print (amnesia_change_get_new (change));

  return g_strdup_printf ("%s: %s > %s", key != NULL ? key : "*", old_text, new_text);
}

static void
assert_history (AmnesiaStore *store,
                const char   *expected)
{
  GListModel *history = amnesia_store_get_history (store);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (history); i++)
    {
      g_autoptr (AmnesiaChange) change = g_list_model_get_item (history, i);
      g_autofree char *line = describe (change);

      g_string_append_printf (text, "%s%s", i > 0 ? "; " : "", line);
    }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
set_key (AmnesiaStore *store,
         const char   *key,
         const char   *text)
{
  g_autoptr (GVariant) value = test_value (text);
  g_autoptr (GError) error = NULL;

  amnesia_store_set_key (store, key, value, &error);
  g_assert_no_error (error);
}

static AmnesiaStore *
new_store (guint length)
{
  AmnesiaStore *store = amnesia_store_new ();

  amnesia_store_set_history_length (store, length);

  return store;
}

static void
test_off (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  GListModel *history = amnesia_store_get_history (store);
  g_autoptr (GListModel) got = NULL;
  guint length = 1;

  g_test_summary ("Nothing is remembered unless that is asked for; the list is always the same");

  test_set (store, "1");
  g_object_get (store, "history", &got, "history-length", &length, NULL);
  g_assert_true (got == history);
  g_assert_cmpuint (length, ==, 0);
  g_assert_cmpuint (amnesia_store_get_history_length (store), ==, 0);
  g_assert_cmpuint (g_list_model_get_n_items (history), ==, 0);
  g_assert_true (g_list_model_get_item_type (history) == AMNESIA_TYPE_CHANGE);
  g_object_set (store, "history-length", 3, NULL);
  test_set (store, "2");
  assert_history (store, "*: 1 > 2");
  g_assert_true (amnesia_store_get_history (store) == history);
  test_free_store (store);
}

static void
test_whole (void)
{
  AmnesiaStore *store = new_store (10);

  g_test_summary ("A value that is no dictionary, or was none, is one change");

  test_set (store, "1");
  test_set (store, "'x'");
  test_set (store, "'x'");
  test_set (store, "{'a': <1>}");
  test_set (store, "7");
  amnesia_store_set_data (store, NULL);
  assert_history (store, "*: - > 1; *: 1 > 'x'; *: 'x' > {'a': <1>}; *: {'a': <1>} > 7; *: 7 > -");
  test_free_store (store);
}

static void
test_keys (void)
{
  AmnesiaStore *store = new_store (20);
  g_autoptr (GVariant) three = test_value ("{'d': <4>, 'b': <3>, 'a': <2>}");
  g_autoptr (GError) error = NULL;

  g_test_summary ("Of a dictionary each key that is another is a change, in the order of the keys");

  set_key (store, "b", "1");
  set_key (store, "a", "2");
  amnesia_store_set_keys (store, three, &error);
  g_assert_no_error (error);
  amnesia_store_remove_key (store, "a", &error);
  g_assert_no_error (error);
  test_set (store, "{'c': <5>, 'b': <3>}");
  amnesia_store_set_data (store, NULL);
  assert_history (store, "b: - > 1; a: - > 2; b: 1 > 3; d: - > 4; a: 2 > -; c: - > 5; d: 4 > -; "
                         "b: 3 > -; c: 5 > -");
  test_free_store (store);
}

static void
test_no_key (void)
{
  AmnesiaStore *store = new_store (10);

  g_test_summary ("A dictionary without a key that is another is a change all the same");

  test_set (store, "@a{sv} {}");
  test_set (store, "{'': <1>}");
  test_set (store, "{'': <2>}");
  test_set (store, "{'': <3>, 'a': <1>}");
  assert_history (store, "*: - > {}; *: {} > {'': <1>}; *: {'': <1>} > {'': <2>}; "
                         "a: - > 1");
  test_free_store (store);
}

static GVariant *
make_many (guint n)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      g_variant_builder_add (&builder, "{sv}", key, g_variant_new_uint32 (i));
    }

  return g_variant_builder_end (&builder);
}

static void
test_many_keys (void)
{
  AmnesiaStore *store = new_store (10);
  GListModel *history = amnesia_store_get_history (store);
  g_autoptr (ListMirror) mirror = list_mirror_new (history);
  g_autoptr (AmnesiaChange) last = NULL;
  gint64 start = g_get_monotonic_time ();

  g_test_summary ("As many keys as there may be leave the last ones; more are one change");

  amnesia_store_set_data (store, make_many (65536));
  g_test_message ("%" G_GINT64_FORMAT " us", g_get_monotonic_time () - start);
  g_assert_cmpuint (list_mirror_count (mirror), ==, 1);
  g_assert_cmpuint (g_list_model_get_n_items (history), ==, 10);
  last = g_list_model_get_item (history, 9);
  g_assert_cmpstr (amnesia_change_get_key (last), ==, "9999");
  amnesia_store_set_data (store, make_many (65537));
  g_clear_object (&last);
  last = g_list_model_get_item (history, 9);
  g_assert_null (amnesia_change_get_key (last));
  test_free_store (store);
}

static void
test_length (void)
{
  AmnesiaStore *store = new_store (3);
  g_autoptr (ListMirror) mirror = list_mirror_new (amnesia_store_get_history (store));
  g_autoptr (TestDiary) diary = test_diary_new (store);

  g_test_summary ("The oldest go; another length lets more in, or less; 0 empties the list");

  for (guint i = 1; i <= 40; i++)
    amnesia_store_set_data (store, g_variant_new_uint32 (i));
  assert_history (store, "*: 37 > 38; *: 38 > 39; *: 39 > 40");
  amnesia_store_set_history_length (store, 4);
  test_set (store, "1");
  assert_history (store, "*: 37 > 38; *: 38 > 39; *: 39 > 40; *: 40 > 1");
  list_mirror_count (mirror);
  amnesia_store_set_history_length (store, 2);
  g_assert_cmpuint (list_mirror_count (mirror), ==, 1);
  assert_history (store, "*: 39 > 40; *: 40 > 1");
  amnesia_store_set_history_length (store, 0);
  assert_history (store, "");
  test_set (store, "2");
  assert_history (store, "");
  g_assert_cmpuint (test_diary_count (diary, "history-length"), ==, 3);
  amnesia_store_set_history_length (store, 0);
  g_assert_cmpuint (test_diary_count (diary, "history-length"), ==, 3);
  amnesia_store_set_history_length (store, 2);
  test_set (store, "3");
  assert_history (store, "*: 2 > 3");
  test_free_store (store);
}

static void
test_ring (void)
{
  AmnesiaStore *store = new_store (16);
  GListModel *history = amnesia_store_get_history (store);
  g_autoptr (ListMirror) mirror = list_mirror_new (history);

  g_test_summary ("A list that has gone round is in order when it becomes longer");

  for (guint i = 1; i <= 40; i++)
    {
      g_autoptr (AmnesiaChange) oldest = NULL;

      amnesia_store_set_history_length (store, i <= 20 ? 16 : 100);
      amnesia_store_set_data (store, g_variant_new_uint32 (i));
      oldest = g_list_model_get_item (history, 0);
      g_assert_cmpuint (g_variant_get_uint32 (amnesia_change_get_new (oldest)), ==,
                        i <= 16 ? 1 : MIN (i, 20) - 15);
    }
  g_assert_cmpuint (g_list_model_get_n_items (history), ==, 36);
  test_free_store (store);
}

static void
test_longest (void)
{
  AmnesiaStore *store = new_store (AMNESIA_MAX_HISTORY);
  GListModel *history = amnesia_store_get_history (store);
  guint n = 25000;
  gint64 start = g_get_monotonic_time ();

  g_test_summary ("The longest list is as quick as a short one, and has the last changes in order");

  for (guint i = 1; i <= n; i++)
    amnesia_store_set_data (store, g_variant_new_uint32 (i));
  g_test_message ("%.2f us for each", (g_get_monotonic_time () - start) / (double) n);
  g_assert_cmpuint (g_list_model_get_n_items (history), ==, AMNESIA_MAX_HISTORY);
  for (guint i = 0; i < AMNESIA_MAX_HISTORY; i++)
    {
      g_autoptr (AmnesiaChange) change = g_list_model_get_item (history, i);

      g_assert_cmpuint (g_variant_get_uint32 (amnesia_change_get_new (change)), ==,
                        n - AMNESIA_MAX_HISTORY + 1 + i);
    }
  g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * test_slowness () * G_USEC_PER_SEC);
  test_free_store (store);
}

static void
expect_last_cb (AmnesiaStore *store,
                GVariant     *old_value,
                GVariant     *new_value,
                gboolean      remote,
                guint        *n)
{
  GListModel *history = amnesia_store_get_history (store);
  g_autoptr (AmnesiaChange) last = g_list_model_get_item (history,
                                                          g_list_model_get_n_items (history) - 1);

  g_assert_nonnull (last);
  g_assert_true (amnesia_change_get_new (last) == new_value);
  g_assert_true (amnesia_change_get_old (last) == old_value);
  ++*n;
}

static void
test_before_changed (void)
{
  AmnesiaStore *store = new_store (3);
  guint n = 0;

  g_test_summary ("Who is told of a change finds it in the list");

  g_signal_connect (store, "changed", G_CALLBACK (expect_last_cb), &n);
  for (guint i = 1; i <= 5; i++)
    amnesia_store_set_data (store, g_variant_new_uint32 (i));
  g_assert_cmpuint (n, ==, 5);
  test_free_store (store);
}

static void
cut_once_cb (GListModel   *model,
             guint         position,
             guint         removed,
             guint         added,
             AmnesiaStore *store)
{
  amnesia_store_set_history_length (store, 1);
}

static void
test_cut_while_cutting (void)
{
  AmnesiaStore *store = new_store (5);
  g_autoptr (ListMirror) mirror = NULL;

  g_test_summary ("A handler that is told of a cut may cut once more");

  for (guint i = 1; i <= 5; i++)
    amnesia_store_set_data (store, g_variant_new_int32 ((gint32) i));
  mirror = list_mirror_new (amnesia_store_get_history (store));
  g_signal_connect (amnesia_store_get_history (store), "items-changed", G_CALLBACK (cut_once_cb),
                    store);
  amnesia_store_set_history_length (store, 3);
  assert_history (store, "*: 4 > 5");
  test_free_store (store);
}

typedef struct
{
  AmnesiaStore *store;
  guint         rounds;
  guint         length;
} Meddler;

/* Changes the value, and the list itself, while the list tells of a change. */
static void
meddle_cb (GListModel *model,
           guint       position,
           guint       removed,
           guint       added,
           Meddler    *meddler)
{
  if (meddler->rounds == 0)
    return;
  meddler->rounds--;
  amnesia_store_set_data (meddler->store, g_variant_new_int32 (100 + (gint32) meddler->rounds));
  if (meddler->rounds == 0)
    amnesia_store_set_history_length (meddler->store, meddler->length);
}

static void
test_meddling (void)
{
  AmnesiaStore *store = new_store (4);
  Meddler meddler = { store, .rounds = 3, .length = 2 };
  g_autoptr (ListMirror) first = list_mirror_new (amnesia_store_get_history (store));
  g_autoptr (ListMirror) last = NULL;
  g_autoptr (TestDiary) diary = test_diary_new (store);

  g_test_summary ("A handler of items-changed may set, and cut the list: all hear of all in order");

  g_signal_connect (amnesia_store_get_history (store), "items-changed", G_CALLBACK (meddle_cb),
                    &meddler);
  last = list_mirror_new (amnesia_store_get_history (store));
  test_set (store, "1");
  assert_history (store, "*: 102 > 101; *: 101 > 100");
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 4);
  g_assert_true (test_diary_has (diary, "changed 101 -> 100 local"));

  meddler = (Meddler) { store, .rounds = 1, .length = 0 };
  test_set (store, "2");
  assert_history (store, "");
  g_assert_cmpuint (list_mirror_get_peak (first), ==, 3);
  test_free_store (store);
}

static void
test_what_is_told (void)
{
  AmnesiaStore *store = new_store (10);
  gint64 before = g_get_real_time ();
  g_autoptr (AmnesiaChange) change = NULL;
  g_autoptr (GVariant) old_value = NULL, new_value = NULL;
  g_autoptr (GDateTime) when = NULL;
  g_autofree char *key = NULL, *writer = NULL;
  gboolean remote = TRUE;

  g_test_summary ("A change tells key, old, new, remote, when and writer");

  set_key (store, "k", "1");
  set_key (store, "k", "2");
  change = g_list_model_get_item (amnesia_store_get_history (store), 1);
  g_object_get (change, "key", &key, "old", &old_value, "new", &new_value, "remote", &remote,
                "when", &when, "writer", &writer, NULL);
  g_assert_cmpstr (key, ==, "k");
  g_assert_cmpint (g_variant_get_int32 (old_value), ==, 1);
  g_assert_cmpint (g_variant_get_int32 (new_value), ==, 2);
  g_assert_false (remote);
  g_assert_false (amnesia_change_get_remote (change));
  g_assert_true (when == amnesia_change_get_when (change));
  g_assert_cmpint (g_date_time_to_unix (when), >=, before / G_USEC_PER_SEC);
  g_assert_cmpint (g_date_time_to_unix (when), <=, g_get_real_time () / G_USEC_PER_SEC);
  g_assert_null (writer);
  g_assert_null (amnesia_change_get_writer (change));
  test_free_store (store);
}

static void
test_default (void)
{
  AmnesiaStore *store = new_store (10);
  g_autoptr (GVariant) value = test_value ("{'b': <2>}");
  g_autoptr (AmnesiaChange) change = NULL;

  g_test_summary ("Another default is a change of this process's own");

  test_set (store, "{'a': <1>}");
  amnesia_store_set_data (store, NULL);
  test_let_millisecond_pass ();
  amnesia_store_set_default_data (store, value);
  assert_history (store, "a: - > 1; a: 1 > -; b: - > 2");
  change = g_list_model_get_item (amnesia_store_get_history (store), 2);
  g_assert_false (amnesia_change_get_remote (change));
  {
    g_autoptr (GDateTime) updated = amnesia_store_get_updated (store);

    g_assert_cmpint (g_date_time_compare (amnesia_change_get_when (change), updated), >, 0);
  }
  test_free_store (store);
}

static void
freed_cb (gpointer data)
{
  *(gboolean *) data = TRUE;
}

static void
test_no_waste (void)
{
  AmnesiaStore *store = new_store (1000);
  gboolean freed = FALSE;
  g_autoptr (GVariant) made = g_variant_ref_sink (make_many (100));
  GVariant *value;

  g_test_summary ("The change of a key does not hold on to the whole dictionary");

  value = g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, g_variant_get_data (made),
                                   g_variant_get_size (made), TRUE, freed_cb, &freed);
  amnesia_store_set_data (store, value);
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_history (store)), ==, 100);
  g_assert_false (freed);
  test_set (store, "{'99': <0>}");
  test_set (store, "{'99': <1>}");
  g_assert_true (freed);
  test_free_store (store);
}

static void
test_outlives (void)
{
  AmnesiaStore *store = new_store (3);
  g_autoptr (GListModel) history = g_object_ref (amnesia_store_get_history (store));

  g_test_summary ("The list can be kept when the store goes");

  test_set (store, "1");
  test_free_store (store);
  g_assert_cmpuint (g_list_model_get_n_items (history), ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/history/off", test_off);
  g_test_add_func ("/history/whole", test_whole);
  g_test_add_func ("/history/keys", test_keys);
  g_test_add_func ("/history/no-key", test_no_key);
  g_test_add_func ("/history/many-keys", test_many_keys);
  g_test_add_func ("/history/length", test_length);
  g_test_add_func ("/history/ring", test_ring);
  g_test_add_func ("/history/longest", test_longest);
  g_test_add_func ("/history/before-changed", test_before_changed);
  g_test_add_func ("/history/cut-while-cutting", test_cut_while_cutting);
  g_test_add_func ("/history/meddling", test_meddling);
  g_test_add_func ("/history/what-is-told", test_what_is_told);
  g_test_add_func ("/history/default", test_default);
  g_test_add_func ("/history/no-waste", test_no_waste);
  g_test_add_func ("/history/outlives", test_outlives);

  return g_test_run ();
}
