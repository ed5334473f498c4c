/* SPDX-License-Identifier: MIT */

#include "replica/amnesia-replica-private.h"
#include "replica/amnesia-value-private.h"

#define NOW G_GINT64_CONSTANT (1700000000000)
#define N_NODES 4

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
assert_same_entries (AmnesiaReplica *a,
                     AmnesiaReplica *b)
{
  g_autoptr (GPtrArray) entries_a = amnesia_replica_list (a);
  g_autoptr (GPtrArray) entries_b = amnesia_replica_list (b);

  g_assert_cmpuint (entries_a->len, ==, entries_b->len);
  for (guint i = 0; i < entries_a->len; i++)
    {
      const AmnesiaEntry *entry_a = entries_a->pdata[i];
      const AmnesiaEntry *entry_b = entries_b->pdata[i];

      g_assert_cmpstr (entry_a->key, ==, entry_b->key);
      g_assert_cmpint (amnesia_entry_compare (entry_a, entry_b), ==, 0);
      g_assert_true (amnesia_value_equal (entry_a->value, entry_b->value));
    }

  g_assert_cmphex (amnesia_replica_get_digest (a), ==, amnesia_replica_get_digest (b));
  g_assert_true (amnesia_value_equal (amnesia_replica_get_value (a),
                                      amnesia_replica_get_value (b)));
}

/* Some replicas, all entries ever written, and those still on their way to each replica. */
typedef struct
{
  GRand          *random;
  AmnesiaReplica *nodes[N_NODES];
  gint64          walls[N_NODES];
  GPtrArray      *on_the_way[N_NODES];
  GPtrArray      *all;
  gboolean        clocks_stand;
} World;

static World *
world_new (guint32 seed)
{
  World *world = g_new0 (World, 1);

  world->random = g_rand_new_with_seed (seed);
  world->clocks_stand = seed % 2 == 0;
  world->all = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_entry_unref);
  for (guint i = 0; i < N_NODES; i++)
    {
      world->nodes[i] = amnesia_replica_new (i + 1);
      world->walls[i] = NOW;
      world->on_the_way[i] = g_ptr_array_new ();
    }

  return world;
}

static void
world_free (World *world)
{
  for (guint i = 0; i < N_NODES; i++)
    {
      amnesia_replica_free (world->nodes[i]);
      g_ptr_array_unref (world->on_the_way[i]);
    }
  g_ptr_array_unref (world->all);
  g_rand_free (world->random);
  g_free (world);
}

static GVariant *
world_make_value (World      *world,
                  const char *key)
{
  gint32 number = g_rand_int_range (world->random, 0, 1000);

  if (g_rand_int_range (world->random, 0, 4) == 0)
    return NULL;
  if (key[0] != '\0' || number % 2 == 0)
    return g_variant_new_int32 (number);

  return g_variant_new_parsed ("{'b': <%i>, 'x': <1>}", number);
}

static void
world_write (World *world,
             guint  node)
{
  static const char *const keys[] = { "", "a", "b", "c", "d" };
  AmnesiaReplica *replica = world->nodes[node];
  const char *key = keys[g_rand_int_range (world->random, 0, G_N_ELEMENTS (keys))];
  AmnesiaEntry *newest = amnesia_replica_get_newest (replica);
  g_autoptr (AmnesiaEntry) before = newest != NULL ? amnesia_entry_ref (newest) : NULL;
  AmnesiaEntry *entry = amnesia_replica_write (replica, world->walls[node], key,
                                               world_make_value (world, key));

  g_assert_true (amnesia_replica_get_newest (replica) == entry);
  g_assert_true (before == NULL || amnesia_entry_compare (entry, before) > 0);
  g_assert_cmpint (amnesia_replica_merge (replica, NOW, entry), ==, AMNESIA_MERGE_OLD);
  if (key[0] == '\0')
    g_assert_true (amnesia_replica_get_value (replica) == entry->value);

  g_ptr_array_add (world->all, amnesia_entry_ref (entry));
  for (guint i = 0; i < N_NODES; i++)
    if (i != node)
      g_ptr_array_add (world->on_the_way[i], entry);
}

static void
world_deliver (World *world,
               guint  node)
{
  GPtrArray *waiting = world->on_the_way[node];
  AmnesiaReplica *replica = world->nodes[node];
  AmnesiaEntry *entry;
  gboolean beats;
  guint pick;

  if (waiting->len == 0)
    return;

  pick = g_rand_int_range (world->random, 0, waiting->len);
  entry = waiting->pdata[pick];
  beats = amnesia_replica_beats (replica, entry->key, entry->stamp, entry->id);
  g_assert_cmpint (amnesia_replica_merge (replica, NOW, entry), ==,
                   beats ? AMNESIA_MERGE_TAKEN : AMNESIA_MERGE_OLD);
  if (g_rand_int_range (world->random, 0, 4) > 0)
    g_ptr_array_remove_index_fast (waiting, pick);
}

static void
world_step (World *world)
{
  guint node = g_rand_int_range (world->random, 0, N_NODES);

  if (!world->clocks_stand)
    world->walls[node] += g_rand_int_range (world->random, -1000, 1100);
  if (g_rand_int_range (world->random, 0, 3) == 0)
    world_write (world, node);
  else
    world_deliver (world, node);

  assert_digest (world->nodes[node]);
}

/* What must be in force, found from all that was ever written and not by merging. */
static gboolean
world_expects (World              *world,
               const AmnesiaEntry *entry)
{
  for (guint i = 0; i < world->all->len; i++)
    {
      const AmnesiaEntry *other = world->all->pdata[i];

      if ((amnesia_entry_is_base (other) || g_str_equal (other->key, entry->key)) &&
          amnesia_entry_compare (other, entry) > 0)
        return FALSE;
    }

  return TRUE;
}

static void
world_check_end (World *world)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (world->nodes[0]);
  guint expected = 0;

  for (guint i = 0; i < world->all->len; i++)
    {
      AmnesiaEntry *entry = world->all->pdata[i];

      if (!world_expects (world, entry))
        continue;
      expected++;
      g_assert_true (g_ptr_array_find (entries, entry, NULL));
    }
  g_assert_cmpuint (entries->len, ==, expected);

  for (guint i = 1; i < N_NODES; i++)
    assert_same_entries (world->nodes[0], world->nodes[i]);
}

/* Repair: each gets what the others hold now, and nothing that was dropped. */
static void
world_exchange (World *world)
{
  for (guint from = 0; from < N_NODES; from++)
    for (guint to = 0; to < N_NODES; to++)
      {
        g_autoptr (GPtrArray) entries = amnesia_replica_list (world->nodes[from]);

        for (guint i = 0; i < entries->len; i++)
          amnesia_replica_merge (world->nodes[to], NOW, entries->pdata[i]);
      }
}

static void
run_worlds (guint32 first,
            void (*finish) (World *world))
{
  for (guint32 seed = first; seed < first + 60; seed++)
    {
      World *world = world_new (seed);

      g_test_message ("seed %u", seed);
      for (guint step = 0; step < 300; step++)
        world_step (world);
      finish (world);
      world_check_end (world);
      world_free (world);
    }
}

static void
world_deliver_all (World *world)
{
  for (guint i = 0; i < N_NODES; i++)
    while (world->on_the_way[i]->len > 0)
      world_deliver (world, i);
}

static void
test_convergence (void)
{
  g_test_summary ("In whatever order and how often entries come, all replicas end the same.");

  run_worlds (1, world_deliver_all);
  run_worlds (g_test_rand_int () / 2, world_deliver_all);
}

static void
test_repair (void)
{
  g_test_summary ("Exchanging what is in force heals whatever was lost on the way.");

  run_worlds (1000, world_exchange);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/convergence/messages", test_convergence);
  g_test_add_func ("/convergence/repair", test_repair);

  return g_test_run ();
}
