/* SPDX-License-Identifier: MIT */

#include "amnesia-entry-private.h"

#include <stdlib.h>
#include <string.h>

#define FNV_BASIS G_GUINT64_CONSTANT (0xcbf29ce484222325)
#define FNV_PRIME G_GUINT64_CONSTANT (0x00000100000001b3)

static int
compare_numbers (guint64 a,
                 guint64 b)
{
  return (a > b) - (a < b);
}

static int
compare_seen (const void *a,
              const void *b)
{
  const AmnesiaSeen *seen_a = a;
  const AmnesiaSeen *seen_b = b;

  return compare_numbers (seen_a->id, seen_b->id);
}

static guint64
fnv_add (guint64       hash,
         gconstpointer data,
         gsize         size)
{
  const guint8 *bytes = data;

  for (gsize i = 0; i < size; i++)
    hash = (hash ^ bytes[i]) * FNV_PRIME;

  return hash;
}

static guint64
fnv_add_number (guint64 hash,
                guint64 number)
{
  guint64 little = GUINT64_TO_LE (number);

  return fnv_add (hash, &little, sizeof little);
}

/* Makes an entry. A floating @value becomes the entry's; @seen is copied and may be in any order,
 * but names each writer once. */
AmnesiaEntry *
amnesia_entry_new (const char        *key,
                   AmnesiaStamp       stamp,
                   guint64            id,
                   GVariant          *value,
                   const AmnesiaSeen *seen,
                   guint              n_seen)
{
  AmnesiaEntry *self;

  g_return_val_if_fail (key != NULL, NULL);
  g_return_val_if_fail (seen != NULL || n_seen == 0, NULL);
  g_return_val_if_fail (n_seen <= AMNESIA_MAX_SEEN, NULL);

  self = g_malloc (sizeof (AmnesiaEntry) + strlen (key) + 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->key = strcpy ((char *) (self + 1), key);
  self->wire = NULL;
  self->stamp = stamp;
  self->id = id;
  self->value = value != NULL ? g_variant_ref_sink (value) : NULL;
  self->size = value != NULL ? g_variant_get_size (value) : 0;

  for (guint i = 0; i < n_seen; i++)
    self->seen[i] = seen[i];
  self->n_seen = n_seen;
  if (n_seen > 1)
    qsort (self->seen, n_seen, sizeof self->seen[0], compare_seen);

  return self;
}

/* Returns an array that owns the entries that are put into it. */
GPtrArray *
amnesia_entries_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_entry_unref);
}

AmnesiaEntry *
amnesia_entry_ref (AmnesiaEntry *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

void
amnesia_entry_unref (AmnesiaEntry *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_clear_pointer (&self->value, g_variant_unref);
  g_clear_pointer (&self->wire, g_bytes_unref);
  g_free (self);
}

gboolean
amnesia_entry_is_base (const AmnesiaEntry *self)
{
  return self->key[0] == '\0';
}

/* Compares two writes, whatever their keys; 0 only where both are of one writer and one moment. */
int
amnesia_entry_compare (const AmnesiaEntry *a,
                       const AmnesiaEntry *b)
{
  return amnesia_write_compare (a->stamp, a->id, b->stamp, b->id);
}

/* The one order of all writes: the stamp, then the writer's id, both without a sign. */
int
amnesia_write_compare (AmnesiaStamp stamp_a,
                       guint64      id_a,
                       AmnesiaStamp stamp_b,
                       guint64      id_b)
{
  int order = compare_numbers (stamp_a, stamp_b);

  return order != 0 ? order : compare_numbers (id_a, id_b);
}

/* The order of keys, for trees of them. */
int
amnesia_compare_keys (gconstpointer a,
                      gconstpointer b,
                      gpointer      user_data)
{
  return strcmp (a, b);
}

/* The hash of the identity (key, stamp, id), which digests add up; it is the same everywhere.
 *
 * FNV-1a with 64 bits runs over the bytes of the key, one byte 0, the 8 bytes of the stamp and the
 * 8 bytes of the id, both little-endian. Then, as sums of plain FNV hashes would cancel too easily,
 * the result h is mixed as splitmix64 ends, modulo 2^64:
 *
 *   h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9
 *   h = (h ^ (h >> 27)) * 0x94d049bb133111eb
 *   h =  h ^ (h >> 31)
 */
guint64
amnesia_entry_hash (const AmnesiaEntry *self)
{
  guint64 hash = fnv_add (FNV_BASIS, self->key, strlen (self->key) + 1);

  hash = fnv_add_number (hash, self->stamp);
  hash = fnv_add_number (hash, self->id);
  hash = (hash ^ (hash >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  hash = (hash ^ (hash >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);

  return hash ^ (hash >> 31);
}

/* Gets how many bytes the serialised value has: what `max-size` bounds. The key is not counted. */
gsize
amnesia_entry_get_size (const AmnesiaEntry *self)
{
  return self->size;
}
