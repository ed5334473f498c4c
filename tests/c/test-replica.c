/* SPDX-License-Identifier: MIT */

#include "replica/amnesia-replica-private.h"

#include <string.h>

#define NOW G_GINT64_CONSTANT (1700000000000)
#define YEAR (G_GINT64_CONSTANT (365) * 24 * 60 * 60 * 1000)
#define OURS 100

static AmnesiaStamp
at (gint64 offset)
{
  return AMNESIA_STAMP_NORMAL | (guint64) (NOW + offset) << 16;
}

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value;

  if (text == NULL)
    return NULL;
  value = g_variant_parse (NULL, text, NULL, NULL, &error);
  g_assert_no_error (error);

  return value;
}

static AmnesiaEntry *
make (const char   *key,
      AmnesiaStamp  stamp,
      guint64       id,
      const char   *text)
{
  g_autoptr (GVariant) value = parse (text);

  return amnesia_entry_new (key, stamp, id, value, NULL, 0);
}

static AmnesiaMerge
merge (AmnesiaReplica *replica,
       const char     *key,
       AmnesiaStamp    stamp,
       guint64         id,
       const char     *text)
{
  g_autoptr (AmnesiaEntry) entry = make (key, stamp, id, text);

  return amnesia_replica_merge (replica, NOW, entry);
}

static AmnesiaEntry *
write_text (AmnesiaReplica *replica,
            const char     *key,
            const char     *text)
{
  g_autoptr (GVariant) value = parse (text);

  return amnesia_replica_write (replica, NOW, key, value);
}

/* By a clock that is three years fast. */
static void
write_ahead (AmnesiaReplica *replica,
             const char     *key,
             const char     *text)
{
  g_autoptr (GVariant) value = parse (text);

  amnesia_replica_write (replica, NOW + 3 * YEAR, key, value);
}

static void
assert_digest (AmnesiaReplica *replica)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (replica);
  guint64 digest = 0;

  for (guint i = 0; i < entries->len; i++)
    digest += amnesia_entry_hash (entries->pdata[i]);

  g_assert_cmphex (amnesia_replica_get_digest (replica), ==, digest);
}

static void
assert_value (AmnesiaReplica *replica,
              const char     *text)
{
  g_autoptr (GVariant) expected = parse (text);
  GVariant *value = amnesia_replica_get_value (replica);

  assert_digest (replica);
  if (expected == NULL)
    {
      g_assert_null (value);
      return;
    }

  g_assert_nonnull (value);
  g_assert_cmpvariant (value, expected);
  g_assert_false (g_variant_is_floating (value));
}

static void
test_entry (void)
{
  const AmnesiaSeen seen[] = { { 9, 1 }, { G_MAXUINT64, 2 }, { 3, 3 } };
  GVariant *floating = g_variant_new_string ("x");
  AmnesiaEntry *entry = amnesia_entry_new ("key", 5, 6, floating, seen, G_N_ELEMENTS (seen));

  g_test_summary ("An entry owns its value, holds what was seen in order of id, counts refs.");

  g_assert_false (g_variant_is_floating (floating));
  g_assert_true (entry->value == floating);
  g_assert_cmpuint (amnesia_entry_get_size (entry), ==, 2);
  g_assert_cmpuint (entry->n_seen, ==, 3);
  g_assert_cmpuint (entry->seen[0].id, ==, 3);
  g_assert_cmpuint (entry->seen[0].stamp, ==, 3);
  g_assert_cmpuint (entry->seen[1].id, ==, 9);
  g_assert_cmpuint (entry->seen[2].id, ==, G_MAXUINT64);
  g_assert_false (amnesia_entry_is_base (entry));

  g_assert_true (amnesia_entry_ref (entry) == entry);
  entry->wire = g_bytes_new_static ("", 0);
  amnesia_entry_unref (entry);
  g_assert_cmpstr (entry->key, ==, "key");
  amnesia_entry_unref (entry);

  entry = make ("", 1, 1, NULL);
  g_assert_true (amnesia_entry_is_base (entry));
  g_assert_cmpuint (amnesia_entry_get_size (entry), ==, 0);
  amnesia_entry_unref (entry);
}

static void
test_order (void)
{
  static const AmnesiaSeen rising[] = {
    { 0, 0 }, { 1, 0 }, { G_MAXUINT64, 0 }, { 0, 1 }, { 5, G_MAXINT64 },
    { 4, AMNESIA_STAMP_NORMAL }, { 3, G_MAXUINT64 }, { G_MAXUINT64, G_MAXUINT64 },
  };

  g_test_summary ("Stamp, then id, both without a sign.");

  for (guint i = 0; i < G_N_ELEMENTS (rising); i++)
    for (guint j = 0; j < G_N_ELEMENTS (rising); j++)
      {
        g_autoptr (AmnesiaEntry) a = make ("z", rising[i].stamp, rising[i].id, NULL);
        g_autoptr (AmnesiaEntry) b = make ("a", rising[j].stamp, rising[j].id, "1");

        g_assert_cmpint (amnesia_entry_compare (a, b), ==, (i > j) - (i < j));
        g_assert_cmpint (amnesia_write_compare (a->stamp, a->id, b->stamp, b->id), ==,
                         (i > j) - (i < j));
      }
}

static void
test_hash (void)
{
  g_autoptr (AmnesiaEntry) zero = make ("", 0, 0, "1");
  g_autoptr (AmnesiaEntry) other = make ("", 0, 0, "2");
  g_autoptr (AmnesiaEntry) entry = make ("key", G_GUINT64_CONSTANT (0x8123456789abcdef),
                                         G_GUINT64_CONSTANT (0xfedcba9876543210), NULL);

  g_test_summary ("The hash is what the protocol says, computed elsewhere; the value has no part.");

  g_assert_cmphex (amnesia_entry_hash (zero), ==, G_GUINT64_CONSTANT (0xbf2ed99dd3c945e8));
  g_assert_cmphex (amnesia_entry_hash (other), ==, amnesia_entry_hash (zero));
  g_assert_cmphex (amnesia_entry_hash (entry), ==, G_GUINT64_CONSTANT (0x984e194eb6ff688a));
}

static void
test_empty (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("A new replica is unset.");

  g_assert_cmpuint (amnesia_replica_get_id (replica), ==, OURS);
  g_assert_cmphex (amnesia_replica_get_digest (replica), ==, 0);
  g_assert_null (amnesia_replica_get_newest (replica));
  g_assert_null (amnesia_replica_lookup (replica, ""));
  g_assert_null (amnesia_replica_lookup (replica, "a"));
  g_assert_null (amnesia_replica_rewrite_ahead (replica, NOW));
  g_assert_true (amnesia_replica_beats (replica, "", 0, 0));
  assert_value (replica, NULL);
}

static void
test_write (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (AmnesiaEntry) entry = NULL;

  g_test_summary ("A write is in force at once, stamped by the wall clock, and nothing unsets.");

  entry = amnesia_entry_ref (write_text (replica, "", "1"));
  g_assert_cmphex (entry->stamp, ==, at (0));
  g_assert_cmpuint (entry->id, ==, OURS);
  g_assert_cmpuint (entry->n_seen, ==, 0);
  g_assert_true (amnesia_replica_lookup (replica, "") == entry);
  g_assert_true (amnesia_replica_get_newest (replica) == entry);
  assert_value (replica, "1");

  g_assert_cmpint (amnesia_replica_merge (replica, NOW, entry), ==, AMNESIA_MERGE_OLD);

  g_assert_cmphex (write_text (replica, "", "1")->stamp, ==, at (0) + 1);
  g_assert_cmphex (write_text (replica, "", NULL)->stamp, ==, at (0) + 2);
  assert_value (replica, NULL);
  g_assert_nonnull (amnesia_replica_lookup (replica, ""));
}

static void
test_own_write_beats_what_was_seen (void)
{
  static const gint64 walls[] = { G_MININT64, 0, NOW - YEAR, NOW, G_MAXINT64 };

  g_test_summary ("Our write beats all that was taken or refused as old, whatever the clocks say.");

  for (guint i = 0; i < G_N_ELEMENTS (walls); i++)
    {
      g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
      const AmnesiaEntry *entry;

      merge (replica, "", at (YEAR - 1), G_MAXUINT64, "1");
      merge (replica, "a", at (YEAR), G_MAXUINT64, "2");
      g_assert_cmpint (merge (replica, "a", at (YEAR), 1, "3"), ==, AMNESIA_MERGE_OLD);

      entry = amnesia_replica_write (replica, walls[i], "", g_variant_new_int32 (4));
      g_assert_cmphex (entry->stamp, >, at (YEAR));
      assert_value (replica, "4");
    }
}

static void
test_old_moves_the_clock (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("An entry that is covered when it comes is still beaten by our next write.");

  merge (replica, "", at (10), 7, "1");
  g_assert_cmpint (merge (replica, "a", at (9), 8, "2"), ==, AMNESIA_MERGE_OLD);
  merge (replica, "b", at (30), 7, NULL);
  g_assert_cmpint (merge (replica, "b", at (20), 7, NULL), ==, AMNESIA_MERGE_OLD);
  g_assert_cmphex (write_text (replica, "c", "3")->stamp, ==, at (30) + 1);
}

static void
test_frozen_clock (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_int32 (1));
  AmnesiaStamp last = 0;

  g_test_summary ("200,000 writes in one frozen millisecond strictly rise.");

  for (guint i = 0; i < 200000; i++)
    {
      const AmnesiaEntry *entry = amnesia_replica_write (replica, NOW, i % 2 ? "k" : "", value);

      g_assert_cmphex (entry->stamp, >, last);
      last = entry->stamp;
    }
  g_assert_cmphex (last, ==, at (0) + 199999);
  assert_digest (replica);
}

static void
test_merge_order (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("Only what is greater is taken: the stamp decides, then the id.");

  g_assert_cmpint (merge (replica, "", at (0), 5, "1"), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpint (merge (replica, "", at (0), 5, "1"), ==, AMNESIA_MERGE_OLD);
  g_assert_cmpint (merge (replica, "", at (0), 4, "2"), ==, AMNESIA_MERGE_OLD);
  g_assert_cmpint (merge (replica, "", at (-1), 9, "3"), ==, AMNESIA_MERGE_OLD);
  assert_value (replica, "1");
  g_assert_cmpint (merge (replica, "", at (0), 6, "4"), ==, AMNESIA_MERGE_TAKEN);
  assert_value (replica, "4");
  g_assert_cmpint (merge (replica, "", at (1), 1, "5"), ==, AMNESIA_MERGE_TAKEN);
  assert_value (replica, "5");
}

static void
test_weak (void)
{
  const AmnesiaStamp weak = at (YEAR) & ~AMNESIA_STAMP_NORMAL;
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("A weak write gives the first value, and loses to any normal one, even unset.");

  g_assert_cmpint (merge (replica, "", weak, 5, "1"), ==, AMNESIA_MERGE_TAKEN);
  assert_value (replica, "1");
  g_assert_cmpint (merge (replica, "", AMNESIA_STAMP_NORMAL, 5, NULL), ==, AMNESIA_MERGE_TAKEN);
  assert_value (replica, NULL);
  g_assert_cmpint (merge (replica, "", weak, 6, "2"), ==, AMNESIA_MERGE_OLD);
  assert_value (replica, NULL);
}

static void
test_keys (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (GPtrArray) entries = NULL;

  g_test_summary ("Keys lie over the base in strcmp order; a removed one is gone, not forgotten.");

  write_text (replica, "", "{'z': <1>, 'b': <2>, 'é': <3>}");
  assert_value (replica, "{'z': <1>, 'b': <2>, 'é': <3>}");
  write_text (replica, "b", "20");
  assert_value (replica, "{'b': <20>, 'z': <1>, 'é': <3>}");
  write_text (replica, "Z", "4");
  write_text (replica, "é", NULL);
  write_text (replica, "none", NULL);
  assert_value (replica, "{'Z': <4>, 'b': <20>, 'z': <1>}");

  entries = amnesia_replica_list (replica);
  g_assert_cmpuint (entries->len, ==, 5);
  g_assert_cmpstr (((AmnesiaEntry *) entries->pdata[0])->key, ==, "");
  g_assert_cmpstr (((AmnesiaEntry *) entries->pdata[1])->key, ==, "Z");
  g_assert_cmpstr (((AmnesiaEntry *) entries->pdata[2])->key, ==, "b");
  g_assert_cmpstr (((AmnesiaEntry *) entries->pdata[3])->key, ==, "none");
  g_assert_cmpstr (((AmnesiaEntry *) entries->pdata[4])->key, ==, "é");
  g_assert_true (amnesia_replica_lookup (replica, "b") == entries->pdata[2]);
  g_assert_true (amnesia_replica_get_newest (replica) == entries->pdata[3]);
}

static void
test_keys_without_dictionary (void)
{
  static const char *const bases[] = { "1", "'s'", "@a{ss} {'k': 'v'}", NULL };

  g_test_summary ("Over what is no dictionary, keys lie over the empty one.");

  for (guint i = 0; i < G_N_ELEMENTS (bases); i++)
    {
      g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

      write_text (replica, "", bases[i]);
      assert_value (replica, bases[i]);
      write_text (replica, "a", NULL);
      assert_value (replica, "@a{sv} {}");
      write_text (replica, "b", "1");
      assert_value (replica, "{'b': <1>}");
      write_text (replica, "", bases[i]);
      assert_value (replica, bases[i]);
    }
}

static void
test_covering (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (GPtrArray) entries = NULL;

  g_test_summary ("A base write drops each lesser key entry at once, and no greater one.");

  merge (replica, "a", at (1), 1, "1");
  merge (replica, "b", at (2), 1, NULL);
  merge (replica, "c", at (2), 3, "3");
  merge (replica, "d", at (9), 1, "4");
  g_assert_cmpint (merge (replica, "", at (2), 2, "{'b': <0>}"), ==, AMNESIA_MERGE_TAKEN);

  assert_value (replica, "{'b': <0>, 'c': <3>, 'd': <4>}");
  entries = amnesia_replica_list (replica);
  g_assert_cmpuint (entries->len, ==, 3);
  g_assert_null (amnesia_replica_lookup (replica, "a"));

  g_assert_nonnull (amnesia_replica_lookup (replica, "c"));
  write_text (replica, "", "5");
  assert_value (replica, "5");
  g_assert_null (amnesia_replica_lookup (replica, "c"));
  g_assert_null (amnesia_replica_lookup (replica, "d"));
}

static void
test_no_resurrection (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("What was covered, removed or unset does not come back.");

  merge (replica, "a", at (1), 1, "1");
  merge (replica, "", at (2), 1, "{'x': <1>}");
  g_assert_cmpint (merge (replica, "a", at (1), 1, "1"), ==, AMNESIA_MERGE_OLD);
  g_assert_cmpint (merge (replica, "a", at (2), 0, "1"), ==, AMNESIA_MERGE_OLD);
  assert_value (replica, "{'x': <1>}");

  merge (replica, "a", at (3), 1, NULL);
  g_assert_cmpint (merge (replica, "a", at (2), 9, "1"), ==, AMNESIA_MERGE_OLD);
  g_assert_cmpint (merge (replica, "", at (2), 0, "2"), ==, AMNESIA_MERGE_OLD);
  assert_value (replica, "{'x': <1>}");

  merge (replica, "", at (4), 1, NULL);
  g_assert_cmpint (merge (replica, "x", at (4), 0, "1"), ==, AMNESIA_MERGE_OLD);
  g_assert_cmpint (merge (replica, "", at (2), 1, "{'x': <1>}"), ==, AMNESIA_MERGE_OLD);
  assert_value (replica, NULL);
}

static void
test_beats (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("What would be taken is what is greater than the key's entry and the base.");

  merge (replica, "", at (5), 5, "{'x': <1>}");
  merge (replica, "a", at (7), 5, "1");

  g_assert_true (amnesia_replica_beats (replica, "a", at (7), 6));
  g_assert_false (amnesia_replica_beats (replica, "a", at (7), 5));
  g_assert_false (amnesia_replica_beats (replica, "a", at (6), 9));
  g_assert_true (amnesia_replica_beats (replica, "b", at (5), 6));
  g_assert_false (amnesia_replica_beats (replica, "b", at (5), 5));
  g_assert_true (amnesia_replica_beats (replica, "", at (5), 6));
  g_assert_false (amnesia_replica_beats (replica, "", at (5), 5));
}

static void
test_ahead (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  const AmnesiaEntry *entry;

  g_test_summary ("An entry from more than a year ahead leaves no trace; in its time it is taken.");

  g_assert_cmpint (merge (replica, "", at (YEAR + 1), 5, "1"), ==, AMNESIA_MERGE_AHEAD);
  g_assert_cmpint (merge (replica, "a", G_MAXUINT64, 5, "1"), ==, AMNESIA_MERGE_AHEAD);
  assert_value (replica, NULL);
  g_assert_cmphex (amnesia_replica_get_digest (replica), ==, 0);

  entry = write_text (replica, "", "2");
  g_assert_cmphex (entry->stamp, ==, at (0));
  g_assert_cmpuint (entry->n_seen, ==, 0);

  g_assert_cmpint (merge (replica, "", at (YEAR), 5, "3"), ==, AMNESIA_MERGE_TAKEN);
  assert_value (replica, "3");
}

static void
test_seen (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  const AmnesiaEntry *entry;

  g_test_summary ("A write tells the greatest stamp seen of each other writer, in force or not.");

  merge (replica, "", at (5), 9, "1");
  merge (replica, "a", at (7), 3, "1");
  merge (replica, "a", at (2), 9, "1");
  merge (replica, "a", at (4), 4, "1");
  merge (replica, "b", at (6), OURS, "1");

  entry = write_text (replica, "a", "1");
  g_assert_cmpuint (entry->n_seen, ==, 3);
  g_assert_cmpuint (entry->seen[0].id, ==, 3);
  g_assert_cmphex (entry->seen[0].stamp, ==, at (7));
  g_assert_cmpuint (entry->seen[1].id, ==, 4);
  g_assert_cmphex (entry->seen[1].stamp, ==, at (4));
  g_assert_cmpuint (entry->seen[2].id, ==, 9);
  g_assert_cmphex (entry->seen[2].stamp, ==, at (5));
}

static void
test_seen_is_bounded (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (GRand) random = g_rand_new_with_seed (16);
  AmnesiaStamp newest[40] = { 0 };
  const AmnesiaEntry *entry;

  g_test_summary ("Of many writers the 16 newest are told, in whatever order they came.");

  for (guint i = 0; i < 2000; i++)
    {
      guint id = g_rand_int_range (random, 0, G_N_ELEMENTS (newest));
      AmnesiaStamp stamp = at (g_rand_int_range (random, 0, 1000000));

      newest[id] = MAX (newest[id], stamp);
      merge (replica, "", stamp, id, NULL);
    }

  entry = write_text (replica, "", NULL);
  g_assert_cmpuint (entry->n_seen, ==, AMNESIA_MAX_SEEN);
  for (guint i = 0; i < entry->n_seen; i++)
    {
      guint newer = 0;

      g_assert_cmphex (entry->seen[i].stamp, ==, newest[entry->seen[i].id]);
      for (guint id = 0; id < G_N_ELEMENTS (newest); id++)
        newer += newest[id] > entry->seen[i].stamp;
      g_assert_cmpuint (newer, <, AMNESIA_MAX_SEEN);
      g_assert_true (i == 0 || entry->seen[i].id > entry->seen[i - 1].id);
    }
}

static void
test_full_of_entries (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("65,536 entries are the most that come in; what is there can still change.");

  for (guint i = 0; i < 65536; i++)
    {
      char key[16];

      g_snprintf (key, sizeof key, "%u", i);
      g_assert_cmpint (merge (replica, key, at (1), 1, NULL), ==, AMNESIA_MERGE_TAKEN);
    }

  g_assert_cmpint (merge (replica, "one more", at (2), 1, NULL), ==, AMNESIA_MERGE_FULL);
  g_assert_null (amnesia_replica_lookup (replica, "one more"));
  g_assert_cmpint (merge (replica, "", at (0), 1, NULL), ==, AMNESIA_MERGE_FULL);
  g_assert_cmpint (merge (replica, "77", at (2), 1, "1"), ==, AMNESIA_MERGE_TAKEN);

  write_text (replica, "our own", "2");
  g_assert_cmpint (merge (replica, "78", at (2), 1, "3"), ==, AMNESIA_MERGE_TAKEN);
  assert_value (replica, "{'77': <1>, '78': <3>, 'our own': <2>}");

  g_assert_cmpint (merge (replica, "", at (1), 2, NULL), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpint (merge (replica, "one more", at (2), 1, NULL), ==, AMNESIA_MERGE_TAKEN);
  assert_value (replica, "{'77': <1>, '78': <3>, 'our own': <2>}");
}

static void
test_full_of_bytes (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

  g_test_summary ("All values together have at most four times max-size; less is always let in.");

  amnesia_replica_set_max_size (replica, 8);
  g_assert_cmpint (merge (replica, "a", at (1), 1, "'1234567'"), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpint (merge (replica, "b", at (1), 1, "'1234567'"), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpint (merge (replica, "c", at (1), 1, "'1234567'"), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpint (merge (replica, "d", at (1), 1, "'12345678'"), ==, AMNESIA_MERGE_FULL);
  g_assert_cmpint (merge (replica, "d", at (1), 1, "'1234567'"), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpint (merge (replica, "e", at (1), 1, "''"), ==, AMNESIA_MERGE_FULL);
  g_assert_cmpint (merge (replica, "e", at (1), 1, NULL), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpint (merge (replica, "a", at (2), 1, "'12345678'"), ==, AMNESIA_MERGE_FULL);

  amnesia_replica_set_max_size (replica, 1);
  g_assert_cmpint (merge (replica, "a", at (2), 1, "'7654321'"), ==, AMNESIA_MERGE_TAKEN);
  g_assert_cmpint (merge (replica, "", at (1), 2, "'1234567'"), ==, AMNESIA_MERGE_TAKEN);
  assert_value (replica, "{'a': <'7654321'>}");
}

static void
test_rewrite_ahead (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (AmnesiaReplica) peer = amnesia_replica_new (7);
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (GPtrArray) none = NULL;

  g_test_summary ("What we wrote far ahead is written anew, with a stamp that others take.");

  merge (replica, "", at (0), 7, "{'x': <1>}");
  merge (peer, "", at (0), 7, "{'x': <1>}");
  merge (replica, "b", at (50), 7, "2");
  amnesia_replica_write (replica, NOW + 3 * YEAR, "a", g_variant_new_int32 (3));
  amnesia_replica_write (replica, NOW + 3 * YEAR, "x", NULL);

  again = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_cmpuint (again->len, ==, 2);
  for (guint i = 0; i < again->len; i++)
    {
      AmnesiaEntry *entry = again->pdata[i];

      g_assert_cmphex (entry->stamp, ==, at (50) + 1 + i);
      g_assert_true (amnesia_replica_lookup (replica, entry->key) == entry);
      g_assert_cmpint (amnesia_replica_merge (peer, NOW, entry), ==, AMNESIA_MERGE_TAKEN);
    }
  assert_value (replica, "{'a': <3>, 'b': <2>}");
  assert_value (peer, "{'a': <3>}");

  none = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_null (none);
  g_assert_cmphex (write_text (replica, "a", "4")->stamp, ==, at (50) + 3);
}

static void
test_clock_anew (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (AmnesiaEntry) theirs = make ("", at (2 * YEAR), 7, "1");
  g_autoptr (AmnesiaEntry) first = NULL;
  g_autoptr (GPtrArray) again = NULL;
  const AmnesiaEntry *second;

  g_test_summary ("A clock that starts anew comes by its stamps again: what it stamps has another id.");

  amnesia_replica_merge (replica, NOW + 2 * YEAR, theirs);
  first = amnesia_entry_ref (amnesia_replica_write (replica, NOW + 2 * YEAR, "", NULL));
  again = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_nonnull (again);

  g_assert_cmpint (amnesia_replica_merge (replica, NOW + 2 * YEAR, theirs), ==,
                   AMNESIA_MERGE_TAKEN);
  second = write_text (replica, "", "2");
  g_assert_cmphex (second->stamp, ==, first->stamp);
  g_assert_cmphex (second->id, !=, first->id);

  /* both are our own */
  g_assert_cmpuint (second->n_seen, ==, 1);
}

static void
test_rewrite_base_ahead (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (GPtrArray) again = NULL;

  g_test_summary ("A base that was far ahead is written anew, and keys stay above it.");

  write_ahead (replica, "", "{'x': <1>}");
  write_ahead (replica, "a", "2");

  again = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_cmpuint (again->len, ==, 2);
  g_assert_cmphex (((AmnesiaEntry *) again->pdata[0])->stamp, ==, at (0));
  g_assert_cmphex (((AmnesiaEntry *) again->pdata[1])->stamp, ==, at (0) + 1);
  assert_value (replica, "{'a': <2>, 'x': <1>}");
}

static void
test_rewrite_beside_others (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (AmnesiaEntry) theirs = make ("b", at (3 * YEAR), 7, "1");
  g_autoptr (AmnesiaEntry) base = make ("", at (3 * YEAR + 1), 7, "{'x': <1>}");
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (GPtrArray) none = NULL;

  g_test_summary ("Entries of others that are ahead stay; our writes are in force all the same.");

  amnesia_replica_merge (replica, NOW + 3 * YEAR, theirs);
  write_ahead (replica, "a", "2");
  again = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_cmpuint (again->len, ==, 1);
  assert_value (replica, "{'a': <2>, 'b': <1>}");
  g_assert_cmphex (write_text (replica, "b", "3")->stamp, >, theirs->stamp);
  assert_value (replica, "{'a': <2>, 'b': <3>}");

  amnesia_replica_merge (replica, NOW + 3 * YEAR, base);
  write_ahead (replica, "a", "4");
  none = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_null (none);
  write_text (replica, "c", "5");
  assert_value (replica, "{'a': <4>, 'c': <5>, 'x': <1>}");
  write_text (replica, "", "6");
  assert_value (replica, "6");
}

static void
test_rewrite_and_cover (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);
  g_autoptr (AmnesiaEntry) theirs = make ("b", at (3 * YEAR), 7, "1");
  g_autoptr (GPtrArray) again = NULL;

  g_test_summary ("A base write covers also the entries of others that are ahead.");

  amnesia_replica_merge (replica, NOW + 3 * YEAR, theirs);
  write_ahead (replica, "a", "2");
  again = amnesia_replica_rewrite_ahead (replica, NOW);
  g_assert_cmpuint (again->len, ==, 1);
  write_text (replica, "", "3");
  assert_value (replica, "3");
}

/* All orders in which five entries can come, each once and then all again. */
static void
merge_permutation (AmnesiaReplica *replica,
                   AmnesiaEntry  **entries,
                   guint           number)
{
  guint order[] = { 0, 1, 2, 3, 4 };

  for (guint left = G_N_ELEMENTS (order); left > 0; left--)
    {
      guint pick = number % left;

      number /= left;
      amnesia_replica_merge (replica, NOW, entries[order[pick]]);
      memmove (&order[pick], &order[pick + 1], (left - pick - 1) * sizeof order[0]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    g_assert_cmpint (amnesia_replica_merge (replica, NOW, entries[i]), ==, AMNESIA_MERGE_OLD);
}

static void
test_any_order (void)
{
  AmnesiaEntry *entries[] = {
    make ("", at (2), 1, "{'a': <1>, 'b': <2>}"), make ("", at (1), 1, "7"),
    make ("a", at (3), 1, NULL), make ("a", at (2), 0, "5"), make ("c", at (2), 2, "6"),
  };

  g_test_summary ("Merging commutes, associates and repeats without effect.");

  for (guint i = 0; i < 120; i++)
    {
      g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (OURS);

      merge_permutation (replica, entries, i);
      assert_value (replica, "{'b': <2>, 'c': <6>}");
      g_assert_cmphex (amnesia_replica_get_digest (replica), ==,
                       amnesia_entry_hash (entries[0]) + amnesia_entry_hash (entries[2]) +
                         amnesia_entry_hash (entries[4]));
    }

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    amnesia_entry_unref (entries[i]);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/entry/entry", test_entry);
  g_test_add_func ("/entry/order", test_order);
  g_test_add_func ("/entry/hash", test_hash);
  g_test_add_func ("/replica/empty", test_empty);
  g_test_add_func ("/replica/write", test_write);
  g_test_add_func ("/replica/own-write-beats-what-was-seen", test_own_write_beats_what_was_seen);
  g_test_add_func ("/replica/old-moves-the-clock", test_old_moves_the_clock);
  g_test_add_func ("/replica/K6-frozen-clock", test_frozen_clock);
  g_test_add_func ("/replica/K8-merge-order", test_merge_order);
  g_test_add_func ("/replica/weak", test_weak);
  g_test_add_func ("/replica/keys", test_keys);
  g_test_add_func ("/replica/keys-without-dictionary", test_keys_without_dictionary);
  g_test_add_func ("/replica/covering", test_covering);
  g_test_add_func ("/replica/no-resurrection", test_no_resurrection);
  g_test_add_func ("/replica/beats", test_beats);
  g_test_add_func ("/replica/ahead", test_ahead);
  g_test_add_func ("/replica/seen", test_seen);
  g_test_add_func ("/replica/seen-is-bounded", test_seen_is_bounded);
  g_test_add_func ("/replica/full-of-entries", test_full_of_entries);
  g_test_add_func ("/replica/full-of-bytes", test_full_of_bytes);
  g_test_add_func ("/replica/rewrite-ahead", test_rewrite_ahead);
  g_test_add_func ("/replica/clock-anew", test_clock_anew);
  g_test_add_func ("/replica/rewrite-base-ahead", test_rewrite_base_ahead);
  g_test_add_func ("/replica/rewrite-beside-others", test_rewrite_beside_others);
  g_test_add_func ("/replica/rewrite-and-cover", test_rewrite_and_cover);
  g_test_add_func ("/replica/any-order", test_any_order);

  return g_test_run ();
}
