/* SPDX-License-Identifier: MIT */

/* The mistakes that are made with keys: see sim-mistakes.c. */

#include "sim.h"

#include "replica/amnesia-replica-struct-private.h"

#include <string.h>

static AmnesiaReplica *told_replica;
static AmnesiaLoss told;         /* (owned) (nullable) */

static void
loss_clear (AmnesiaLoss *loss)
{
  g_clear_pointer (&loss->lost, amnesia_entry_unref);
  g_clear_pointer (&loss->winner, amnesia_entry_unref);
}

void
sim_key_mistakes_clear (void)
{
  loss_clear (&told);
  told_replica = NULL;
}

/* --- what is put in force --- */

static void
drop (AmnesiaReplica *replica,
      AmnesiaEntry   *entry)
{
  g_autoptr (AmnesiaEntry) alive = amnesia_entry_ref (entry);

  replica->digest -= amnesia_entry_hash (alive);
  replica->size -= alive->size;
  g_tree_remove (replica->writes, alive);
  g_tree_remove (replica->keys, alive->key);
  amnesia_replica_forget_value (replica);
}

static void
drop_others (AmnesiaReplica *replica,
             AmnesiaEntry   *entry)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (replica);
  guint i;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *other = g_ptr_array_index (entries, i);

      if (!amnesia_entry_is_base (other) && amnesia_entry_compare (other, entry) < 0)
        drop (replica, other);
    }
}

/* @entry was merged. */
void
sim_mistake_merged (AmnesiaReplica *replica,
                    AmnesiaEntry   *entry,
                    AmnesiaMerge    result)
{
  if (result != AMNESIA_MERGE_TAKEN || amnesia_entry_is_base (entry))
    return;
  if (sim_has_mistake ("keys-cover-keys"))
    drop_others (replica, entry);
  if (sim_has_mistake ("tombstones-not-kept") && entry->value == NULL)
    drop (replica, entry);
}

static gboolean
is_spared (GTree *tree)
{
  return sim_has_mistake ("covered-keys-kept") && sim_current != NULL && sim_current->replica != NULL &&
         tree == sim_current->replica->keys;
}

gboolean __real_g_tree_remove (GTree *tree, gconstpointer key);
gboolean __wrap_g_tree_remove (GTree *tree, gconstpointer key);

gboolean
__wrap_g_tree_remove (GTree         *tree,
                      gconstpointer  key)
{
  return is_spared (tree) || __real_g_tree_remove (tree, key);
}

GVariant *__real_amnesia_replica_get_value (AmnesiaReplica *replica);
GVariant *__wrap_amnesia_replica_get_value (AmnesiaReplica *replica);

/* Takes the removed keys away, or puts them back. */
static void
set_removed (AmnesiaReplica *replica,
             GPtrArray      *entries,
             gboolean        there)
{
  guint i;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      if (amnesia_entry_is_base (entry) || entry->value != NULL)
        continue;
      if (there)
        g_tree_insert (replica->keys, entry->key, entry);
      else
        g_tree_steal (replica->keys, entry->key);
    }
}

GVariant *
__wrap_amnesia_replica_get_value (AmnesiaReplica *replica)
{
  g_autoptr (GPtrArray) entries = NULL;
  GVariant *value;

  if (!sim_has_mistake ("removed-keys-shown"))
    return __real_amnesia_replica_get_value (replica);
  entries = amnesia_replica_list (replica);
  amnesia_replica_forget_value (replica);
  set_removed (replica, entries, FALSE);
  amnesia_replica_forget_value (replica);
  value = __real_amnesia_replica_get_value (replica);
  amnesia_replica_forget_value (replica);
  set_removed (replica, entries, TRUE);
  return value;
}

/* --- what is listed --- */

GPtrArray *__real_amnesia_replica_list_range (AmnesiaReplica *replica, const char *from,
                                              const char *to, guint max);
GPtrArray *__wrap_amnesia_replica_list_range (AmnesiaReplica *replica, const char *from,
                                              const char *to, guint max);

GPtrArray *
__wrap_amnesia_replica_list_range (AmnesiaReplica *replica,
                                   const char     *from,
                                   const char     *to,
                                   guint           max)
{
  GPtrArray *entries = __real_amnesia_replica_list_range (replica, from, to, max);
  guint i;

  for (i = entries->len; sim_has_mistake ("tombstones-not-listed") && i > 0; i--)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i - 1);

      if (!amnesia_entry_is_base (entry) && entry->value == NULL)
        g_ptr_array_remove_index (entries, i - 1);
    }
  return entries;
}

/* --- what is known of others --- */

AmnesiaEntry *__real_amnesia_entry_new (const char *key, AmnesiaStamp stamp, guint64 id, GVariant *value,
                                        const AmnesiaSeen *seen, guint n_seen);
AmnesiaEntry *__wrap_amnesia_entry_new (const char *key, AmnesiaStamp stamp, guint64 id, GVariant *value,
                                        const AmnesiaSeen *seen, guint n_seen);

AmnesiaEntry *
__wrap_amnesia_entry_new (const char        *key,
                          AmnesiaStamp       stamp,
                          guint64            id,
                          GVariant          *value,
                          const AmnesiaSeen *seen,
                          guint              n_seen)
{
  AmnesiaEntry *entry = __real_amnesia_entry_new (key, stamp, id, value, seen, n_seen);
  guint i;

  if (sim_has_mistake ("nobody-was-seen"))
    entry->n_seen = 0;
  for (i = 0; sim_has_mistake ("all-was-seen") && i < entry->n_seen; i++)
    entry->seen[i].stamp = G_MAXUINT64;
  return entry;
}

GPtrArray *__real_amnesia_replica_steal_losses (AmnesiaReplica *replica);
GPtrArray *__wrap_amnesia_replica_steal_losses (AmnesiaReplica *replica);

static void
loss_free (gpointer loss)
{
  loss_clear (loss);
  g_free (loss);
}

/* What was told last by this replica, once more. */
static GPtrArray *
tell_again (void)
{
  GPtrArray *again = g_ptr_array_new_with_free_func (loss_free);

  g_ptr_array_add (again, g_memdup2 (&told, sizeof told));
  told = (AmnesiaLoss) { NULL, NULL };
  return again;
}

GPtrArray *
__wrap_amnesia_replica_steal_losses (AmnesiaReplica *replica)
{
  GPtrArray *losses = __real_amnesia_replica_steal_losses (replica);

  if (!sim_has_mistake ("losses-told-again"))
    return losses;
  if (losses == NULL)
    return told.lost != NULL && told_replica == replica ? tell_again () : NULL;
  loss_clear (&told);
  told = *(AmnesiaLoss *) g_ptr_array_index (losses, 0);
  amnesia_entry_ref (told.lost);
  amnesia_entry_ref (told.winner);
  told_replica = replica;
  return losses;
}
