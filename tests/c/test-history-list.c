/* SPDX-License-Identifier: MIT */

/* The list of changes by itself. */

#include "list-mirror.h"

#include "amnesia-history-private.h"

#define MIB (1024 * 1024)

static void
test_made_by_hand (void)
{
  g_autoptr (AmnesiaChange) empty = g_object_new (AMNESIA_TYPE_CHANGE, NULL);
  g_autoptr (AmnesiaChange) change = g_object_new (AMNESIA_TYPE_CHANGE,
                                                   "key", "k",
                                                   "new", g_variant_new_int32 (1),
                                                   "writer", "a:1",
                                                   NULL);

  g_test_summary ("A change can be made without a store, for a list to be tried out with");

  g_assert_nonnull (amnesia_change_get_when (empty));
  g_assert_null (amnesia_change_get_key (empty));
  g_assert_cmpstr (amnesia_change_get_key (change), ==, "k");
  g_assert_null (amnesia_change_get_old (change));
  g_assert_cmpint (g_variant_get_int32 (amnesia_change_get_new (change)), ==, 1);
  g_assert_cmpstr (amnesia_change_get_writer (change), ==, "a:1");
}

static void
note_large (AmnesiaHistory *history,
            gsize           size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);
  GVariant *value = g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
  g_autoptr (AmnesiaChange) change = amnesia_change_new (NULL, NULL, value, FALSE, NULL, NULL);

  amnesia_history_note (history, change);
}

static void
test_large (void)
{
  g_autoptr (AmnesiaHistory) history = amnesia_history_new ();
  GListModel *list = G_LIST_MODEL (history);
  g_autoptr (ListMirror) mirror = list_mirror_new (list);

  g_test_summary ("Values of more than 64 MiB together are not kept, but for the newest");

  amnesia_history_set_length (history, 100);
  for (guint i = 0; i < 10; i++)
    note_large (history, 15 * MIB);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 0);
  amnesia_history_publish (history);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 4);
  note_large (history, 1);
  amnesia_history_publish (history);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 5);
  note_large (history, 15 * MIB);
  amnesia_history_publish (history);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 5);
  g_assert_cmpuint (list_mirror_get_peak (mirror), ==, 5);
  note_large (history, 65 * MIB);
  amnesia_history_publish (history);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 1);
  note_large (history, 1);
  amnesia_history_publish (history);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 1);
}

static void
test_cut_noted (void)
{
  g_autoptr (AmnesiaHistory) history = amnesia_history_new ();
  g_autoptr (ListMirror) mirror = list_mirror_new (G_LIST_MODEL (history));

  g_test_summary ("What was noted and not shown yet counts when the list is cut");

  amnesia_history_set_length (history, 10);
  for (guint i = 0; i < 5; i++)
    note_large (history, 1);
  amnesia_history_set_length (history, 2);
  g_assert_cmpuint (list_mirror_get_peak (mirror), ==, 2);
  note_large (history, 1);
  amnesia_history_set_length (history, 0);
  g_assert_cmpuint (list_mirror_get_peak (mirror), ==, 2);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (history)), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/history-list/made-by-hand", test_made_by_hand);
  g_test_add_func ("/history-list/large", test_large);
  g_test_add_func ("/history-list/cut-noted", test_cut_noted);

  return g_test_run ();
}
