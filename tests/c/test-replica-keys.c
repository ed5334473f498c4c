/* SPDX-License-Identifier: MIT */

/* Keys that are written together, first values, and what was lost, in the replica. */

#include "replica/amnesia-replica-private.h"

#define NOW G_GINT64_CONSTANT (1700000000000)
#define YEAR (G_GINT64_CONSTANT (365) * 24 * 60 * 60 * 1000)
#define OURS 5
#define THEIRS 9

static AmnesiaStamp
at (gint64 milliseconds)
{
  return AMNESIA_STAMP_NORMAL | (guint64) (NOW + milliseconds) << 16;
}

static GVariant *
parse (const char *text)
{
  return g_variant_ref_sink (g_variant_new_parsed (text));
}

static GPtrArray *
write_keys (AmnesiaReplica *replica,
            gint64          wall,
            const char     *text)
{
  g_autoptr (GVariant) keys = parse (text);

  return amnesia_replica_write_keys (replica, wall, keys);
}

static AmnesiaMerge
merge (AmnesiaReplica *replica,
       const char     *key,
       AmnesiaStamp    stamp,
       const char     *text)
{
  g_autoptr (GVariant) value = text != NULL ? parse (text) : NULL;
  g_autoptr (AmnesiaEntry) entry = amnesia_entry_new (key, stamp, THEIRS, value, NULL, 0);

  return amnesia_replica_merge (replica, NOW, entry);
}

static void
assert_value (AmnesiaReplica *replica,
              const char     *text)
{
  g_autofree char *value = g_variant_print (amnesia_replica_get_value (replica), FALSE);

  g_assert_cmpstr (value, ==, text);
}

static void
test_rewrite_together (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (GPtrArray) pair = NULL;
  AmnesiaEntry *a, *b, *c;

  g_test_summary ("What was one write is one write when it is written anew, and the order stays.");

  g_ptr_array_unref (write_keys (replica, NOW + 3 * YEAR, "{'a': <1>, 'c': <1>}"));
  g_ptr_array_unref (write_keys (replica, NOW + 3 * YEAR, "{'b': <2>}"));

  again = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_cmpuint (again->len, ==, 3);
  a = amnesia_replica_lookup (replica, "a");
  b = amnesia_replica_lookup (replica, "b");
  c = amnesia_replica_lookup (replica, "c");
  g_assert_cmphex (a->stamp, ==, at (0));
  g_assert_cmphex (c->stamp, ==, at (0));
  g_assert_cmphex (b->stamp, ==, at (0) + 1);
  pair = amnesia_replica_list_write (replica, c);
  g_assert_cmpuint (pair->len, ==, 2);
  assert_value (replica, "{'a': <1>, 'b': <2>, 'c': <1>}");
}

static void
test_rewrite_first (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (AmnesiaReplica) peer = amnesia_replica_new (THEIRS);
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (GPtrArray) none = NULL;
  AmnesiaEntry *entry;

  g_test_summary ("A first value from far ahead is written anew, though something that was set is greater.");

  amnesia_replica_write_first (replica, NOW + 3 * YEAR, "a", g_variant_new_int32 (1));
  merge (replica, "b", at (1), "2");

  again = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_nonnull (again);
  g_assert_cmpuint (again->len, ==, 1);
  entry = again->pdata[0];
  g_assert_cmpstr (entry->key, ==, "a");
  g_assert_cmphex (entry->stamp & AMNESIA_STAMP_NORMAL, ==, 0);
  g_assert_cmpint (amnesia_replica_merge (peer, NOW, entry), ==, AMNESIA_MERGE_TAKEN);

  none = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_null (none);
}

static void
test_rewrite_over_first (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (GPtrArray) again = NULL;
  AmnesiaEntry *entry;

  g_test_summary ("What is written anew is greater than a weak base, whatever else there is.");

  merge (replica, "", at (500) & ~AMNESIA_STAMP_NORMAL, "{'x': <1>}");
  amnesia_replica_write_first (replica, NOW + 3 * YEAR, "a", g_variant_new_int32 (1));
  merge (replica, "b", at (1), "2");

  again = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_nonnull (again);
  entry = again->pdata[0];
  g_assert_cmpint (amnesia_entry_compare (entry, amnesia_replica_lookup (replica, "")), >, 0);
  g_assert_true (amnesia_replica_lookup (replica, "a") == entry);
}

static guint
count_losses (AmnesiaReplica *replica)
{
  g_autoptr (GPtrArray) losses = amnesia_replica_steal_losses (replica);

  return losses != NULL ? losses->len : 0;
}

/* We write, and they write without having seen it. */
static void
lose (AmnesiaReplica *replica,
      guint           n)
{
  for (guint i = 0; i < n; i++)
    {
      AmnesiaEntry *entry = amnesia_replica_write (replica, NOW, "a", g_variant_new_string ("1234567"));

      g_assert_cmpint (merge (replica, "a", entry->stamp + 1, "'7654321'"), ==, AMNESIA_MERGE_TAKEN);
    }
}

static void
test_losses (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("Each loss is told once; so many as nobody takes are forgotten");

  lose (replica, 3);
  g_assert_cmpuint (count_losses (replica), ==, 3);
  g_assert_cmpuint (count_losses (replica), ==, 0);

  lose (replica, 3 * AMNESIA_MAX_KEYS);
  g_assert_cmpuint (count_losses (replica), ==, 2 * AMNESIA_MAX_KEYS);

  amnesia_replica_set_max_size (replica, 8);
  lose (replica, 100);
  g_assert_cmpuint (count_losses (replica), ==, 8);
  lose (replica, 1);
  g_assert_cmpuint (count_losses (replica), ==, 1);
}

static void
test_covered_losses (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (GString) large = g_string_new ("'");

  g_test_summary ("Of all keys that one whole value covers none is forgotten");

  for (guint i = 0; i < AMNESIA_MAX_KEYS; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      amnesia_replica_write (replica, NOW, key, g_variant_new_byte (1));
    }
  amnesia_replica_set_max_size (replica, 100000);
  while (large->len < 100000)
    g_string_append_c (large, 'x');
  large->str[large->len - 1] = '\'';
  g_assert_cmpint (merge (replica, "", at (1000), large->str), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpuint (count_losses (replica), ==, AMNESIA_MAX_KEYS);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/replica-keys/rewrite-together", test_rewrite_together);
  g_test_add_func ("/replica-keys/rewrite-first", test_rewrite_first);
  g_test_add_func ("/replica-keys/rewrite-over-first", test_rewrite_over_first);
  g_test_add_func ("/replica-keys/losses", test_losses);
  g_test_add_func ("/replica-keys/covered-losses", test_covered_losses);
  return g_test_run ();
}
