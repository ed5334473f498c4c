/* SPDX-License-Identifier: MIT */

/* The true history: every write there ever was, and what each process had seen, and when. It is noted as
 * it happens, and knows nothing of what the library makes of it. */

#include "sim.h"

/* The greatest stamp of one writer, from some moment of a life on. */
typedef struct
{
  AmnesiaStamp stamp;
  guint64      moment;
} Glimpse;

/* --- lives --- */

static void
life_free (gpointer data)
{
  SimLife *life = data;

  g_hash_table_unref (life->merged);
  g_hash_table_unref (life->glimpses);
  g_free (life);
}

SimLife *
sim_life_new (void)
{
  SimLife *life = g_new0 (SimLife, 1);

  life->merged = g_hash_table_new (NULL, NULL);
  life->glimpses = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                          (GDestroyNotify) g_array_unref);
  g_ptr_array_add (sim.lives, life);
  return life;
}

/* What came to it was looked at, whether or not it was taken. */
void
sim_life_note (SimLife         *life,
               const SimRecord *record)
{
  GArray *glimpses = g_hash_table_lookup (life->glimpses, &record->id);
  Glimpse glimpse = { record->stamp, ++life->moment };

  if (record->life != life)
    g_hash_table_add (life->merged, (gpointer) record);
  if (glimpses == NULL)
    {
      glimpses = g_array_new (FALSE, FALSE, sizeof (Glimpse));
      g_hash_table_insert (life->glimpses, g_memdup2 (&record->id, sizeof record->id), glimpses);
    }
  if (glimpses->len == 0 || g_array_index (glimpses, Glimpse, glimpses->len - 1).stamp < record->stamp)
    g_array_append_val (glimpses, glimpse);
}

gboolean
sim_life_knows (SimLife         *life,
                const SimRecord *record)
{
  return record->life == life || g_hash_table_contains (life->merged, record);
}

/* --- writes --- */

static guint
record_hash (gconstpointer data)
{
  const SimRecord *record = data;

  return (guint) (record->stamp ^ record->stamp >> 32 ^ record->id) ^ g_str_hash (record->key);
}

static gboolean
record_equal (gconstpointer a,
              gconstpointer b)
{
  const SimRecord *first = a, *second = b;

  return first->stamp == second->stamp && first->id == second->id &&
         g_str_equal (first->key, second->key);
}

static void
record_free (gpointer data)
{
  SimRecord *record = data;

  g_clear_pointer (&record->value, g_variant_unref);
  g_free (record->key);
  g_free (record);
}

void
sim_history_begin (void)
{
  sim.history = g_hash_table_new_full (record_hash, record_equal, record_free, NULL);
  sim.lives = g_ptr_array_new_with_free_func (life_free);
  sim.groups = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  sim.newest = g_hash_table_new (g_str_hash, g_str_equal);
}

void
sim_history_end (void)
{
  g_hash_table_unref (sim.newest);
  g_ptr_array_unref (sim.groups);
  g_hash_table_unref (sim.history);
  g_ptr_array_unref (sim.lives);
}

/* NULL: nobody has made this write. */
SimRecord *
sim_history_find (const char *key,
                  SimWrite    write)
{
  const SimRecord record = { .stamp = write.stamp, .id = write.id, .key = (char *) key };

  return g_hash_table_lookup (sim.history, &record);
}

SimRecord *
sim_history_find_entry (const AmnesiaEntry *entry)
{
  return sim_history_find (entry->key, (SimWrite) { entry->stamp, entry->id });
}

gboolean
sim_record_beats (const SimRecord *record,
                  SimWrite         than)
{
  return record->stamp > than.stamp || (record->stamp == than.stamp && record->id > than.id);
}

/* What has just been written: by @life, or by a stranger. */
SimRecord *
sim_history_add (const AmnesiaEntry *entry,
                 SimLife            *life,
                 gboolean            weak)
{
  SimRecord *record = g_new0 (SimRecord, 1), *newest;

  record->stamp = entry->stamp;
  record->id = entry->id;
  record->key = g_strdup (entry->key);
  record->value = entry->value != NULL ? g_variant_ref (entry->value) : NULL;
  record->weak = weak;
  record->life = life;
  if (g_hash_table_contains (sim.history, record))
    {
      sim_fail ("one stamp, two values");
      record_free (record);
      return sim_history_find_entry (entry);
    }
  g_hash_table_add (sim.history, record);
  newest = g_hash_table_lookup (sim.newest, record->key);
  if (life == NULL && amnesia_stamp_is_ahead (record->stamp, sim.greatest_wall))
    return record; /* nobody will take it */
  if (newest == NULL || sim_record_beats (record, (SimWrite) { newest->stamp, newest->id }))
    g_hash_table_replace (sim.newest, record->key, record);
  if (life == NULL)
    return record;
  record->moment = ++life->moment;
  record->n_writers = g_hash_table_size (life->glimpses);
  return record;
}

/* These were written together. */
void
sim_history_join (GPtrArray *records)
{
  guint i;

  if (records->len < 2)
    return;
  g_ptr_array_add (sim.groups, g_ptr_array_ref (records));
  for (i = 0; i < records->len; i++)
    ((SimRecord *) g_ptr_array_index (records, i))->siblings = records;
}

/* Who wrote @before from far ahead has written it anew. */
void
sim_history_withdraw (SimRecord *before)
{
  SimRecord *newest = NULL;
  GHashTableIter iter;
  gpointer data;

  before->withdrawn = TRUE;
  g_hash_table_iter_init (&iter, sim.history);
  while (g_hash_table_iter_next (&iter, &data, NULL))
    {
      SimRecord *record = data;

      if (!record->withdrawn && g_str_equal (record->key, before->key) &&
          (newest == NULL || sim_record_beats (record, (SimWrite) { newest->stamp, newest->id })))
        newest = record;
    }
  if (newest != NULL)
    g_hash_table_replace (sim.newest, newest->key, newest);
}

/* --- who knew of what --- */

/* Whether the writer of @record had seen @other, or what its writer wrote with a greater stamp: an entry
 * tells one stamp of each writer. A stranger has seen nothing. */
gboolean
sim_record_had_seen (const SimRecord *record,
                     const SimRecord *other)
{
  GArray *glimpses = record->life != NULL ? g_hash_table_lookup (record->life->glimpses, &other->id) : NULL;
  guint i;

  for (i = 0; glimpses != NULL && i < glimpses->len; i++)
    {
      Glimpse *glimpse = &g_array_index (glimpses, Glimpse, i);

      if (glimpse->moment < record->moment && glimpse->stamp >= other->stamp)
        return TRUE;
    }
  return FALSE;
}
