/* SPDX-License-Identifier: MIT */

/* What must be true of keys: what the value is, what was written together, what was lost. */

#include "sim.h"

#include "replica/amnesia-value-private.h"

#include <string.h>

/* An entry names so many writers. */
#define MAX_WRITERS 16

static SimWrite
get_write (const SimRecord *record)
{
  return (SimWrite) { record->stamp, record->id };
}

static gboolean
is_dictionary (GVariant *value)
{
  return value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT);
}

/* --- what was lost --- */

/* @lost goes out of force at @node. If it is its own, and who wrote @winner did not know of it, its
 * application is told. */
void
sim_judge_lost (SimNode   *node,
                SimRecord *lost,
                SimRecord *winner)
{
  const SimLoss loss = { lost, winner, winner->n_writers < MAX_WRITERS };

  if (!sim_is_own (node, lost->id) || sim_is_own (node, winner->id))
    return;
  if (!sim_record_had_seen (winner, lost))
    g_array_append_val (node->losses, loss);
  else if (!sim_life_knows (winner->life, lost))
    sim.n_unsaid++;
}

static gboolean
take_loss (SimNode           *node,
           const AmnesiaLoss *told)
{
  guint i;

  for (i = 0; i < node->losses->len; i++)
    {
      SimLoss *loss = &g_array_index (node->losses, SimLoss, i);

      if (loss->lost != sim_history_find_entry (told->lost) ||
          loss->winner != sim_history_find_entry (told->winner))
        continue;
      g_array_remove_index (node->losses, i);
      return TRUE;
    }
  return FALSE;
}

/* Each of them is told, once, and nothing else. */
void
sim_judge_losses (SimNode *node)
{
  g_autoptr (GPtrArray) losses = amnesia_replica_steal_losses (node->replica);
  guint i;

  for (i = 0; losses != NULL && i < losses->len; i++)
    {
      const AmnesiaLoss *loss = g_ptr_array_index (losses, i);

      sim.n_losses++;
      sim_say ("%u: has lost “%s” %" G_GINT64_MODIFIER "x", node->index, loss->lost->key, loss->lost->stamp);
      if (!take_loss (node, loss))
        sim_fail ("%u: a loss is told that is none, or was told before", node->index);
    }
  for (i = 0; i < node->losses->len; i++)
    if (g_array_index (node->losses, SimLoss, i).sure)
      sim_fail ("%u: a loss is not told", node->index);
  g_array_set_size (node->losses, 0);
}

/* --- what the value is --- */

/* Whether this key, or with "" anything, was ever written, as far as the node knows. */
gboolean
sim_was_written (SimNode    *node,
                 const char *key)
{
  SimRecord *base = g_hash_table_lookup (node->floors, "");

  if (*key == '\0')
    return g_hash_table_size (node->floors) > 0;
  if (g_hash_table_contains (node->floors, key))
    return TRUE;
  return base != NULL && (!base->weak || !is_dictionary (base->value) ||
                          g_variant_lookup (base->value, key, "*", NULL));
}

/* Whether a store would take keys now. */
gboolean
sim_takes_keys (SimNode *node)
{
  GVariant *value = amnesia_replica_get_value (node->replica);

  return value == NULL || is_dictionary (value);
}

static int
compare_keys (gconstpointer a,
              gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
lay_over (GVariantDict *dict,
          GHashTable   *floors)
{
  GHashTableIter iter;
  gpointer key, data;

  g_hash_table_iter_init (&iter, floors);
  while (g_hash_table_iter_next (&iter, &key, &data))
    {
      SimRecord *record = data;

      if (*record->key == '\0')
        continue;
      g_variant_dict_remove (dict, record->key);
      if (record->value != NULL)
        g_variant_dict_insert_value (dict, record->key, record->value);
    }
}

/* What all writes in force make of it. */
static GVariant *
make_value (SimNode *node)
{
  SimRecord *base = g_hash_table_lookup (node->floors, "");
  GVariant *ground = base != NULL ? base->value : NULL;
  GVariantDict dict;

  if (g_hash_table_size (node->floors) == (base != NULL ? 1 : 0))
    return ground != NULL ? g_variant_ref (ground) : NULL;
  g_variant_dict_init (&dict, is_dictionary (ground) ? ground : NULL);
  lay_over (&dict, node->floors);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static void
judge_order (SimNode  *node,
             GVariant *value)
{
  const char *key, *previous = NULL;
  GVariantIter iter;

  g_variant_iter_init (&iter, value);
  while (g_variant_iter_next (&iter, "{&sv}", &key, NULL))
    {
      if (previous != NULL && compare_keys (&previous, &key) >= 0)
        sim_fail ("%u: keys out of order", node->index);
      previous = key;
    }
}

static void
judge_value (SimNode *node)
{
  g_autoptr (GVariant) right = make_value (node);
  GVariant *value = amnesia_replica_get_value (node->replica);

  if (!amnesia_value_equal (value, right))
    sim_fail ("%u: the value is not what was written", node->index);
  else if (g_hash_table_size (node->floors) > 1 && is_dictionary (value))
    judge_order (node, value);
}

/* --- what was removed --- */

/* What wrote the member that is seen, or NULL. */
static SimRecord *
find_source (SimNode    *node,
             const char *key)
{
  g_autoptr (GVariant) part = NULL;
  GVariant *value = amnesia_replica_get_value (node->replica);
  SimRecord *source = g_hash_table_lookup (node->floors, key);

  part = is_dictionary (value) ? g_variant_lookup_value (value, key, NULL) : NULL;
  if (part == NULL)
    return NULL;
  return source != NULL ? source : g_hash_table_lookup (node->floors, "");
}

/* A key that was removed here is seen again only if something newer wrote it. */
static void
judge_removals (SimNode *node)
{
  GHashTableIter iter;
  gpointer key, removal;

  g_hash_table_iter_init (&iter, node->removals);
  while (g_hash_table_iter_next (&iter, &key, &removal))
    {
      SimRecord *source = find_source (node, key);

      if (source != NULL && !sim_record_beats (source, get_write (removal)) &&
          sim.profile.clocks != SIM_CLOCKS_BEYOND)
        sim_fail ("%u: a key has come back", node->index);
    }
}

/* --- what was written together --- */

/* Whether somebody has written something since that takes its place, so that it may be missing here. */
static gboolean
is_out_of_force (SimRecord *record)
{
  SimRecord *newer = g_hash_table_lookup (sim.newest, record->key);
  SimRecord *base = g_hash_table_lookup (sim.newest, "");

  return sim_record_beats (newer, get_write (record)) ||
         (base != NULL && sim_record_beats (base, get_write (record)));
}

/* Where limits differ somebody may go without a part, and so do those who have it from him. */
static gboolean
fits_everywhere (GPtrArray *siblings)
{
  guint i, j;

  for (i = 0; i < sim.profile.n_nodes; i++)
    for (j = 0; j < siblings->len; j++)
      {
        SimRecord *record = g_ptr_array_index (siblings, j);

        if (record->value != NULL && g_variant_get_size (record->value) > sim.nodes[i].max_size)
          return FALSE;
      }
  return TRUE;
}

static void
judge_siblings (SimNode   *node,
                SimRecord *record)
{
  guint i;

  for (i = 0; i < record->siblings->len; i++)
    {
      SimRecord *sibling = g_ptr_array_index (record->siblings, i);
      SimRecord *held = g_hash_table_lookup (node->floors, sibling->key);

      if (held != sibling && (held == NULL || !sim_record_beats (held, get_write (sibling))) &&
          !is_out_of_force (sibling) && fits_everywhere (record->siblings))
        sim_fail ("%u: it has “%s” %" G_GINT64_MODIFIER "x, and not “%s”, written together", node->index,
                  record->key, record->stamp, sibling->key);
    }
}

/* After each dispatch. Who has written anew with lesser stamps what was far ahead may have refused what
 * beats that now, and has it again at the next exchange. */
void
sim_judge_parts (SimNode *node)
{
  GHashTableIter iter;
  gpointer record;

  judge_value (node);
  judge_removals (node);
  g_hash_table_iter_init (&iter, node->floors);
  while (g_hash_table_iter_next (&iter, NULL, &record))
    if (((SimRecord *) record)->siblings != NULL && !node->rewrote)
      judge_siblings (node, record);
}
