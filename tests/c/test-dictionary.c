/* SPDX-License-Identifier: MIT */

/* A dictionary whose members change, byte by byte as GVariant makes it. */

#include "replica/amnesia-dictionary-private.h"
#include "replica/amnesia-replica-private.h"
#include "replica/amnesia-value-private.h"
#include "testlib.h"

#include <string.h>

#define N_STEPS (3000 / test_slowness ())

static int
compare_keys (gconstpointer a,
              gconstpointer b,
              gpointer      user_data)
{
  return strcmp (a, b);
}

static GTree *
members_new (void)
{
  return g_tree_new_full (compare_keys, NULL, g_free, (GDestroyNotify) g_variant_unref);
}

/* What GVariant makes of these members. */
static GVariant *
build (GTree *members)
{
  GVariantBuilder builder;
  GTreeNode *node;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (node = g_tree_node_first (members); node != NULL; node = g_tree_node_next (node))
    g_variant_builder_add (&builder, "{sv}", g_tree_node_key (node), g_tree_node_value (node));
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static char *
make_key (void)
{
  char *key = g_strdup_printf ("%d", g_test_rand_int_range (0, 60));
  g_autofree char *long_key = NULL;

  if (g_test_rand_int_range (0, 4) > 0)
    return key;
  long_key = g_strnfill (g_test_rand_int_range (1, 255), key[0]);
  g_free (key);
  return g_steal_pointer (&long_key);
}

/* Of any alignment, and of sizes for which an offset has one, two or four bytes. */
static GVariant *
make_value (void)
{
  static const int sizes[] = { 0, 1, 200, 250, 300, 30000, 70000 };
  g_autofree char *text = NULL;

  switch (g_test_rand_int_range (0, 7))
    {
    case 0:
      return g_variant_new_byte (7);
    case 1:
      return g_variant_new_double (g_test_rand_double ());
    case 2:
      return g_variant_new_parsed ("{'b': <1>, 'a': <'x'>}");
    case 3:
      return g_variant_new ("(nvs)", 5, g_variant_new_string ("inner"), "tuple");
    case 4:
      return g_variant_new_tuple (NULL, 0);
    default:
      text = g_strnfill (sizes[g_test_rand_int_range (0, g_test_rand_bit () ? 7 : 5)], 'x');
      return g_variant_new_string (text);
    }
}

static int
compare_entries (gconstpointer a,
                 gconstpointer b)
{
  return strcmp ((*(AmnesiaEntry **) a)->key, (*(AmnesiaEntry **) b)->key);
}

/* Changes @members, and says how. */
static GPtrArray *
make_changes (GTree *members)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *entries = amnesia_entries_new ();
  int i, n = g_test_rand_int_range (0, g_test_rand_bit () ? 2 : 20);

  for (i = 0; i < n; i++)
    {
      g_autofree char *key = make_key ();
      GVariant *value = g_test_rand_int_range (0, 3) > 0 ? make_value () : NULL;
      AmnesiaEntry *entry = amnesia_entry_new (key, AMNESIA_STAMP_NORMAL, 1, value, NULL, 0);

      if (g_hash_table_contains (seen, key))
        {
          amnesia_entry_unref (entry);
          continue;
        }
      g_hash_table_add (seen, entry->key);
      g_ptr_array_add (entries, entry);
      if (value != NULL)
        g_tree_replace (members, g_strdup (key), g_variant_ref (value));
      else
        g_tree_remove (members, key);
    }
  g_ptr_array_sort (entries, compare_entries);
  return entries;
}

static void
assert_same_bytes (GVariant *a,
                   GVariant *b)
{
  g_assert_cmpmem (g_variant_get_data (a), g_variant_get_size (a),
                   g_variant_get_data (b), g_variant_get_size (b));
}

static void
clear (GTree     *members,
       GVariant **dictionary)
{
  g_tree_remove_all (members);
  g_variant_unref (*dictionary);
  *dictionary = build (members);
}

static void
test_change (void)
{
  g_autoptr (GTree) members = members_new ();
  g_autoptr (GVariant) dictionary = build (members);
  int i;

  g_test_summary ("A dictionary that is changed is byte by byte as if it had been built");

  for (i = 0; i < (int) N_STEPS; i++)
    {
      g_autoptr (GPtrArray) changes = NULL;
      g_autoptr (GVariant) built = NULL;
      GVariant *changed;

      if (i % 200 == 0)
        clear (members, &dictionary);
      changes = make_changes (members);
      changed = amnesia_dictionary_change (dictionary, changes);
      g_variant_unref (dictionary);
      dictionary = changed;
      built = build (members);
      g_assert_cmpuint (g_variant_n_children (changed), ==, g_tree_nnodes (members));
      assert_same_bytes (changed, built);
    }
}

/* Whether both have the same keys with equal values, found out one by one. */
static gboolean
is_equal (GVariant *a,
          GVariant *b)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  if (g_variant_n_children (a) != g_variant_n_children (b))
    return FALSE;
  g_variant_iter_init (&iter, a);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      g_autoptr (GVariant) owned = value;
      g_autoptr (GVariant) other = g_variant_lookup_value (b, key, NULL);

      if (other == NULL || !amnesia_value_equal (owned, other))
        return FALSE;
    }
  return TRUE;
}

static void
test_equal (void)
{
  g_autoptr (GTree) members = members_new ();
  g_autoptr (GVariant) dictionary = build (members);
  int i, n_equal = 0;

  g_test_summary ("Where two dictionaries begin alike, what follows decides whether they are equal");

  for (i = 0; i < (int) N_STEPS; i++)
    {
      g_autoptr (GPtrArray) changes = NULL;
      g_autoptr (GVariant) other = NULL;
      GVariant *changed;

      if (i % 10 == 0)
        clear (members, &dictionary);
      changes = make_changes (members);
      changed = amnesia_dictionary_change (dictionary, changes);

      /* a value that is equal but has other bytes may be before one that is not */
      if (changes->len > 0 && g_test_rand_bit ())
        {
          AmnesiaEntry *first = g_ptr_array_index (changes, 0);

          g_ptr_array_insert (changes, 0, amnesia_entry_new (
            first->key, AMNESIA_STAMP_NORMAL, 1, g_variant_new_parsed ("{'a': <'x'>, 'b': <1>}"), NULL, 0));
          g_ptr_array_remove_index (changes, 1);
          if (g_test_rand_bit ())
            g_ptr_array_set_size (changes, 1);
        }
      other = amnesia_dictionary_change (changed, changes);
      if (g_variant_get_size (changed) < 200000 && g_variant_get_size (other) < 200000)
        {
          gboolean equal = amnesia_value_equal (changed, other);

          n_equal += equal && g_variant_get_size (changed) != g_variant_get_size (other);
          g_assert_cmpint (equal, ==, is_equal (changed, other));
        }
      g_variant_unref (dictionary);
      dictionary = changed;
    }
  g_assert_cmpint (n_equal, >, 0);
}

static void
test_count_same (void)
{
  g_autoptr (GVariant) a = g_variant_ref_sink (g_variant_new_parsed ("{'a': <1>, 'b': <2>, 'c': <3>}"));
  g_autoptr (GVariant) b = g_variant_ref_sink (g_variant_new_parsed ("{'a': <1>, 'b': <9>, 'c': <3>}"));
  g_autoptr (GVariant) c = g_variant_ref_sink (g_variant_new_parsed ("{'a': <1>, 'b': <2>}"));
  g_autoptr (GVariant) d = g_variant_ref_sink (g_variant_new_parsed ("{'x': <1>}"));
  g_autoptr (GVariant) none = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));

  g_test_summary ("With how many members two dictionaries begin alike");

  g_assert_cmpuint (amnesia_dictionary_count_same (a, a), ==, 3);
  g_assert_cmpuint (amnesia_dictionary_count_same (a, b), ==, 1);
  g_assert_cmpuint (amnesia_dictionary_count_same (a, c), ==, 2);
  g_assert_cmpuint (amnesia_dictionary_count_same (a, d), ==, 0);
  g_assert_cmpuint (amnesia_dictionary_count_same (a, none), ==, 0);
  g_assert_cmpuint (amnesia_dictionary_count_same (none, none), ==, 0);
}

/* Changes one key, and checks what becomes of it. */
static void
check_change (GVariant  **dictionary,
              GTree      *members,
              const char *key,
              GVariant   *value)
{
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  AmnesiaEntry *entry = amnesia_entry_new (key, AMNESIA_STAMP_NORMAL, 1, value, NULL, 0);
  GVariant *changed;
  g_autoptr (GVariant) built = NULL;

  g_ptr_array_add (entries, entry);
  if (value != NULL)
    g_tree_replace (members, g_strdup (key), g_variant_ref (value));
  else
    g_tree_remove (members, key);
  changed = amnesia_dictionary_change (*dictionary, entries);
  g_variant_unref (*dictionary);
  *dictionary = changed;
  built = build (members);
  assert_same_bytes (changed, built);
}

/* A string, alone or with others of another alignment. */
static GVariant *
make_of_length (gsize    length,
                gboolean alone)
{
  g_autofree char *text = g_strnfill (length, 'x');

  return alone ? g_variant_new_string (text) : g_variant_new ("(sys)", "first", 5, text);
}

static void
check_around (gsize    boundary,
              guint    n_others,
              gboolean alone)
{
  g_autoptr (GTree) members = members_new ();
  g_autoptr (GVariant) dictionary = build (members);
  gsize begin, length;
  guint i;

  for (i = 0; i < n_others; i++)
    {
      g_autofree char *key = g_strdup_printf ("%c%u", i % 2 == 0 ? 'z' : 'a', i);

      check_change (&dictionary, members, key, g_variant_new_int64 (i));
    }
  begin = boundary - MIN (boundary, g_variant_get_size (dictionary) + 50);
  for (length = begin; length < begin + 70; length++)
    {
      check_change (&dictionary, members, "m", make_of_length (length, alone));
      check_change (&dictionary, members, "b", g_variant_new_byte (7));
      check_change (&dictionary, members, "b", NULL);
    }
  check_change (&dictionary, members, "m", NULL);
}

static void
test_boundaries (void)
{
  guint n_others;

  g_test_summary ("So it is at each size around those from which on an offset has more bytes");

  for (n_others = 0; n_others < 5; n_others++)
    {
      check_around (G_MAXUINT8, n_others, TRUE);
      check_around (G_MAXUINT8, n_others, FALSE);
      check_around (G_MAXUINT16, n_others, TRUE);
      check_around (G_MAXUINT16, n_others, FALSE);
    }
}

static gboolean
is_same_member (GVariant *a,
                gsize     index_a,
                GVariant *b,
                gsize     index_b)
{
  g_autoptr (GVariant) member_a = g_variant_get_child_value (a, index_a);
  g_autoptr (GVariant) member_b = g_variant_get_child_value (b, index_b);

  return g_variant_equal (member_a, member_b);
}

static void
check_compare (GVariant *a,
               GVariant *b)
{
  gsize n_a = g_variant_n_children (a);
  gsize n_b = g_variant_n_children (b);
  gsize i, first, n_last;

  amnesia_dictionary_compare (a, b, &first, &n_last);
  g_assert_cmpuint (first + n_last, <=, MIN (n_a, n_b));
  for (i = 0; i < first; i++)
    g_assert_true (is_same_member (a, i, b, i));
  for (i = 1; i <= n_last; i++)
    g_assert_true (is_same_member (a, n_a - i, b, n_b - i));
  if (first + n_last < MIN (n_a, n_b))
    g_assert_false (is_same_member (a, n_a - 1 - n_last, b, n_b - 1 - n_last));
}

static void
test_compare (void)
{
  g_autoptr (GTree) members = members_new ();
  g_autoptr (GVariant) dictionary = build (members);
  int i;

  g_test_summary ("What two dictionaries begin and end with is the same in both");

  for (i = 0; i < (int) N_STEPS / 3; i++)
    {
      g_autoptr (GPtrArray) changes = NULL;
      GVariant *changed;

      if (i % 100 == 0)
        clear (members, &dictionary);
      changes = make_changes (members);
      changed = amnesia_dictionary_change (dictionary, changes);
      check_compare (dictionary, changed);
      check_compare (changed, dictionary);
      check_compare (changed, changed);
      g_variant_unref (dictionary);
      dictionary = changed;
    }
}

static GVariant *
make_garbage (const char *type)
{
  gsize i, size = (gsize) g_test_rand_int_range (0, g_test_rand_bit () ? 80 : 10);
  guint8 *bytes = g_malloc (size + 1);

  for (i = 0; i < size; i++)
    bytes[i] = (guint8) (g_test_rand_bit () ? g_test_rand_int_range (0, (int) size + 1) : "ab\0isv{"[i % 7]);
  return g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE (type), bytes, size, FALSE, g_free,
                                                      bytes));
}

/* What a property has that is bound is not checked before it is compared. */
static void
test_garbage (void)
{
  static const char *const types[] = { "a{sv}", "d", "b", "s", "v", "(yd)", "ad", "a{us}", "mx", "()" };
  int i;

  g_test_summary ("To compare values of any bytes does no harm");

  for (i = 0; i < 20 * (int) N_STEPS; i++)
    {
      const char *type = types[g_test_rand_bit () ? 0 : g_test_rand_int_range (0, G_N_ELEMENTS (types))];
      g_autoptr (GVariant) a = make_garbage (type);
      g_autoptr (GVariant) b = make_garbage (type);

      amnesia_value_equal (a, b);
      g_assert_true (amnesia_value_equal (a, a));
    }
}

/* A dictionary whose members are in no order. */
static GVariant *
make_ground (void)
{
  return g_variant_new_parsed ("{'9': <1>, 'c': <'x'>, '10': <true>, '': <2>, '5': <{'y': <3>}>}");
}

static void
write_something (AmnesiaReplica *replica)
{
  g_autofree char *key = make_key ();
  int choice = g_test_rand_int_range (0, 200);

  if (choice == 0)
    amnesia_replica_write (replica, 1000, "", NULL);
  else if (choice == 1)
    amnesia_replica_write (replica, 1000, "", g_variant_new_int32 (5));
  else if (choice < 5)
    amnesia_replica_write (replica, 1000, "", make_ground ());
  else
    amnesia_replica_write (replica, 1000, key, choice < 60 ? NULL : make_value ());
}

/* A replica that has the same entries, of which nobody has asked the value yet. */
static AmnesiaReplica *
copy_replica (AmnesiaReplica *replica)
{
  AmnesiaReplica *copy = amnesia_replica_new (2);
  g_autoptr (GPtrArray) entries = amnesia_replica_list (replica);
  guint i;

  amnesia_replica_set_default (copy, amnesia_replica_get_default (replica));
  for (i = 0; i < entries->len; i++)
    g_assert_cmpint (amnesia_replica_merge (copy, 1000, g_ptr_array_index (entries, i)), ==,
                     AMNESIA_MERGE_TAKEN);
  return copy;
}

static void
test_replica_value (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (1);
  int i;

  g_test_summary ("The value is the same, whether it was asked for after each write or once");

  amnesia_replica_set_max_size (replica, G_MAXINT32);
  for (i = 0; i < (int) N_STEPS; i++)
    {
      g_autoptr (AmnesiaReplica) copy = NULL;
      GVariant *value;

      if (g_test_rand_int_range (0, 300) == 0)
        amnesia_replica_set_default (replica, g_test_rand_bit () ? make_ground () : NULL);
      write_something (replica);
      if (g_test_rand_int_range (0, 3) == 0)
        continue;
      value = amnesia_replica_get_value (replica);
      if (value == NULL || i % 10 != 0)
        continue;
      copy = copy_replica (replica);
      assert_same_bytes (value, amnesia_replica_get_value (copy));
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/dictionary/change", test_change);
  g_test_add_func ("/dictionary/boundaries", test_boundaries);
  g_test_add_func ("/dictionary/equal", test_equal);
  g_test_add_func ("/dictionary/count-same", test_count_same);
  g_test_add_func ("/dictionary/compare", test_compare);
  g_test_add_func ("/dictionary/garbage", test_garbage);
  g_test_add_func ("/dictionary/value", test_replica_value);

  return g_test_run ();
}
