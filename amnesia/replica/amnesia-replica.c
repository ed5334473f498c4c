/* SPDX-License-Identifier: MIT */

/* The entries: what is taken, what is dropped, the digest. */

#include "amnesia-replica-struct-private.h"

#include "amnesia-value-private.h"

#include <string.h>

#define MAX_ENTRIES 65536
#define MAX_SIZE_DEFAULT (16 * 1024 * 1024)

/* Whether we wrote what bears this id, now or before the clock started anew. */
static gboolean
is_own (AmnesiaReplica *self,
        guint64         id)
{
  return id - self->id <= self->writer - self->id;
}

/* Forgets what the clock was told while it was far ahead, but for what @past was told. It will
 * come by the stamps that it has issued then once more: from now on our writes bear another id, or
 * there would be two of one stamp and writer. */
static void
start_clock_anew (AmnesiaReplica     *self,
                  const AmnesiaClock *past)
{
  self->clock = *past;
  self->writer++;
}

/* Those of one write stand together, in the order of their keys. */
static int
compare_writes (gconstpointer a,
                gconstpointer b,
                gpointer      user_data)
{
  const AmnesiaEntry *entry_a = a;
  const AmnesiaEntry *entry_b = b;
  int order = amnesia_entry_compare (entry_a, entry_b);

  return order != 0 ? order : strcmp (entry_a->key, entry_b->key);
}

static void
count_in (AmnesiaReplica *self,
          AmnesiaEntry   *entry)
{
  self->size += amnesia_entry_get_size (entry);
  if (amnesia_entry_is_base (entry))
    return;
  g_tree_insert (self->writes, entry, entry);
  self->digest += amnesia_entry_hash (entry);
}

static void
count_out (AmnesiaReplica *self,
           AmnesiaEntry   *entry)
{
  self->size -= amnesia_entry_get_size (entry);
  if (amnesia_entry_is_base (entry))
    return;
  g_tree_remove (self->writes, entry);
  self->digest -= amnesia_entry_hash (entry);
}

/* Lists the key entries that a base write covers: those that are not greater, and so also one of
 * the same writer and moment, as a replica that got the base first takes no such entry. */
static GPtrArray *
list_covered (AmnesiaReplica     *self,
              const AmnesiaEntry *base)
{
  GPtrArray *covered = amnesia_entries_new ();

  for (GTreeNode *node = g_tree_node_first (self->writes);
       node != NULL && amnesia_entry_compare (g_tree_node_value (node), base) <= 0;
       node = g_tree_node_next (node))
    g_ptr_array_add (covered, amnesia_entry_ref (g_tree_node_value (node)));

  return covered;
}

static void
drop_covered (AmnesiaReplica *self,
              AmnesiaEntry   *base)
{
  g_autoptr (GPtrArray) covered = list_covered (self, base);

  for (guint i = 0; i < covered->len; i++)
    {
      AmnesiaEntry *lesser = covered->pdata[i];

      amnesia_replica_note_loss (self, lesser, base);
      count_out (self, lesser);
      g_tree_remove (self->keys, lesser->key);
    }
}

static void
set_base (AmnesiaReplica *self,
          AmnesiaEntry   *entry)
{
  if (g_tree_nnodes (self->keys) > 0)
    drop_covered (self, entry);

  g_clear_pointer (&self->base, amnesia_entry_unref);
  self->base = amnesia_entry_ref (entry);
}

static void
put_in_force (AmnesiaReplica *self,
              AmnesiaEntry   *entry)
{
  AmnesiaEntry *old = amnesia_replica_lookup (self, entry->key);

  if (old != NULL)
    {
      amnesia_replica_note_loss (self, old, entry);
      count_out (self, old);
    }
  count_in (self, entry);

  if (amnesia_entry_is_base (entry))
    set_base (self, entry);
  else
    g_tree_replace (self->keys, entry->key, amnesia_entry_ref (entry));

  amnesia_replica_note_change (self, entry);
}

static guint
count_entries (AmnesiaReplica *self)
{
  return g_tree_nnodes (self->keys) + (self->base != NULL ? 1 : 0);
}

/* Whether there may be so many entries, of so many bytes. What does not grow is always let in, or a full
 * replica could never be emptied. */
static gboolean
is_room (AmnesiaReplica *self,
         guint           count,
         guint64         size)
{
  return (count <= MAX_ENTRIES || count <= count_entries (self)) &&
         (size <= AMNESIA_MAX_SIZES_IN_ALL * self->max_size || size <= self->size);
}

static gboolean
has_room (AmnesiaReplica     *self,
          const AmnesiaEntry *entry)
{
  const AmnesiaEntry *old = amnesia_replica_lookup (self, entry->key);
  guint count = count_entries (self) + (old == NULL ? 1 : 0);
  guint64 size = self->size + amnesia_entry_get_size (entry);

  if (old != NULL)
    size -= amnesia_entry_get_size (old);
  if (amnesia_entry_is_base (entry) && g_tree_nnodes (self->keys) > 0)
    {
      g_autoptr (GPtrArray) covered = list_covered (self, entry);

      count -= covered->len;
      for (guint i = 0; i < covered->len; i++)
        size -= amnesia_entry_get_size (covered->pdata[i]);
    }

  return is_room (self, count, size);
}

/* Finds where to note a stamp of this writer: its place, a free one, or that of the oldest. */
static AmnesiaSeen *
find_seen (AmnesiaReplica *self,
           guint64         id)
{
  AmnesiaSeen *oldest = &self->seen[0];

  for (guint i = 0; i < self->n_seen; i++)
    {
      AmnesiaSeen *seen = &self->seen[i];

      if (seen->id == id)
        return seen;
      if (amnesia_write_compare (seen->stamp, seen->id, oldest->stamp, oldest->id) < 0)
        oldest = seen;
    }

  return self->n_seen < AMNESIA_MAX_SEEN ? &self->seen[self->n_seen++] : oldest;
}

/* Only the newest are kept, as only they are sent: a writer that was dropped was older than all
 * that stayed, and it stays so until it writes again. */
static void
note_seen (AmnesiaReplica     *self,
           const AmnesiaEntry *entry)
{
  AmnesiaSeen *seen;

  if (is_own (self, entry->id))
    return;

  seen = find_seen (self, entry->id);
  if (amnesia_write_compare (entry->stamp, entry->id, seen->stamp, seen->id) > 0)
    *seen = (AmnesiaSeen) { .id = entry->id, .stamp = entry->stamp };
}

/* A write must beat what it replaces. The clock is behind that only where it was set back by
 * amnesia_replica_rewrite_ahead while a key entry of somebody else is ahead too. */
static void
witness_replaced (AmnesiaReplica *self,
                  const char     *key)
{
  const AmnesiaEntry *replaced = key[0] != '\0' ? amnesia_replica_lookup (self, key)
                                                : amnesia_replica_get_newest (self);

  if (replaced != NULL)
    amnesia_clock_witness (&self->clock, replaced->stamp);
}

static AmnesiaEntry *
put_write (AmnesiaReplica *self,
           AmnesiaStamp    stamp,
           const char     *key,
           GVariant       *value)
{
  g_autoptr (AmnesiaEntry) entry = amnesia_entry_new (key, stamp, self->writer, value,
                                                      self->seen, self->n_seen);

  put_in_force (self, entry);

  return entry;
}

/* Weak entries are less than all others, whenever they were written. */
static const AmnesiaEntry *
get_newest_weak_key (AmnesiaReplica *self)
{
  const AmnesiaEntry bound = { .key = (char *) "", .stamp = AMNESIA_STAMP_NORMAL };
  GTreeNode *normal = g_tree_lower_bound (self->writes, &bound);
  GTreeNode *node = normal != NULL ? g_tree_node_previous (normal) : g_tree_node_last (self->writes);

  return node != NULL ? g_tree_node_value (node) : NULL;
}

static gboolean
is_ahead (const AmnesiaEntry *entry,
          gint64              wall)
{
  return entry != NULL && amnesia_stamp_is_ahead (entry->stamp, wall);
}

static void
sort_out_ahead (AmnesiaReplica *self,
                gint64          wall,
                AmnesiaEntry   *entry,
                GPtrArray      *own,
                AmnesiaClock   *past)
{
  if (!is_ahead (entry, wall))
    amnesia_clock_witness (past, entry->stamp);
  else if (is_own (self, entry->id))
    g_ptr_array_add (own, amnesia_entry_ref (entry));
}

/* Lists our own entries that are ahead: the base first, then those of each write together. @past is
 * told of all that are not ahead. */
static GPtrArray *
list_own_ahead (AmnesiaReplica *self,
                gint64          wall,
                AmnesiaClock   *past)
{
  GPtrArray *own = amnesia_entries_new ();

  if (self->base != NULL)
    sort_out_ahead (self, wall, self->base, own, past);
  for (GTreeNode *node = g_tree_node_first (self->writes); node != NULL; node = g_tree_node_next (node))
    sort_out_ahead (self, wall, g_tree_node_value (node), own, past);

  return own;
}

AmnesiaReplica *
amnesia_replica_new (guint64 id)
{
  AmnesiaReplica *self = g_new0 (AmnesiaReplica, 1);

  self->id = self->writer = id;
  self->max_size = MAX_SIZE_DEFAULT;
  self->keys = g_tree_new_full (amnesia_compare_keys, NULL, NULL, (GDestroyNotify) amnesia_entry_unref);
  self->writes = g_tree_new_full (compare_writes, NULL, NULL, NULL);
  self->changed = g_ptr_array_new_with_free_func (g_free);

  return self;
}

void
amnesia_replica_free (AmnesiaReplica *self)
{
  g_clear_pointer (&self->writes, g_tree_unref);
  g_clear_pointer (&self->base, amnesia_entry_unref);
  g_clear_pointer (&self->keys, g_tree_unref);
  g_clear_pointer (&self->value, g_variant_unref);
  g_clear_pointer (&self->changed, g_ptr_array_unref);
  g_clear_pointer (&self->default_value, g_variant_unref);
  g_clear_pointer (&self->losses, g_ptr_array_unref);
  g_free (self);
}

guint64
amnesia_replica_get_id (AmnesiaReplica *self)
{
  return self->id;
}

/* Sets what bounds the entries that arrive; what is in force stays, however large. */
void
amnesia_replica_set_max_size (AmnesiaReplica *self,
                              guint64         max_size)
{
  self->max_size = max_size;
}

/* Gets the greatest entry in force, or NULL. */
AmnesiaEntry *
amnesia_replica_get_newest (AmnesiaReplica *self)
{
  GTreeNode *last = g_tree_node_last (self->writes);

  return last != NULL ? g_tree_node_value (last) : self->base;
}

/* Gets the entry of this key that is in force, or NULL; "" is the base. */
AmnesiaEntry *
amnesia_replica_lookup (AmnesiaReplica *self,
                        const char     *key)
{
  return key[0] != '\0' ? g_tree_lookup (self->keys, key) : self->base;
}

/* Tells whether an entry is a write of ours. */
gboolean
amnesia_replica_wrote (AmnesiaReplica     *self,
                       const AmnesiaEntry *entry)
{
  return is_own (self, entry->id);
}

/* Tells whether an entry with this identity would be taken, as far as the order decides. */
gboolean
amnesia_replica_beats (AmnesiaReplica *self,
                       const char     *key,
                       AmnesiaStamp    stamp,
                       guint64         id)
{
  const AmnesiaEntry *entry = amnesia_replica_lookup (self, key);
  const AmnesiaEntry *base = self->base;

  return (entry == NULL || amnesia_write_compare (stamp, id, entry->stamp, entry->id) > 0) &&
         (base == NULL || amnesia_write_compare (stamp, id, base->stamp, base->id) > 0);
}

/* Lists all entries in force in the order of their keys, the base first. The array is the
 * caller's and holds references. */
GPtrArray *
amnesia_replica_list (AmnesiaReplica *self)
{
  GPtrArray *entries = amnesia_entries_new ();

  if (self->base != NULL)
    g_ptr_array_add (entries, amnesia_entry_ref (self->base));
  for (GTreeNode *node = g_tree_node_first (self->keys);
       node != NULL;
       node = g_tree_node_next (node))
    g_ptr_array_add (entries, amnesia_entry_ref (g_tree_node_value (node)));

  return entries;
}

/* Lists those in force whose keys are not less than @from, in the order of their keys: @max at most,
 * and, unless @to is NULL, only those whose keys are less. */
GPtrArray *
amnesia_replica_list_range (AmnesiaReplica *self,
                            const char     *from,
                            const char     *to,
                            guint           max)
{
  GPtrArray *entries = amnesia_entries_new ();

  if (*from == '\0' && self->base != NULL)
    g_ptr_array_add (entries, amnesia_entry_ref (self->base));
  for (GTreeNode *node = g_tree_lower_bound (self->keys, from);
       node != NULL && entries->len < max && (to == NULL || strcmp (g_tree_node_key (node), to) < 0);
       node = g_tree_node_next (node))
    g_ptr_array_add (entries, amnesia_entry_ref (g_tree_node_value (node)));

  return entries;
}

/* Lists those in force that were written together with @entry, itself included, in the order of
 * their keys. */
GPtrArray *
amnesia_replica_list_write (AmnesiaReplica *self,
                            AmnesiaEntry   *entry)
{
  const AmnesiaEntry first = { .key = (char *) "", .stamp = entry->stamp, .id = entry->id };
  GPtrArray *entries = amnesia_entries_new ();

  if (amnesia_entry_is_base (entry))
    g_ptr_array_add (entries, amnesia_entry_ref (entry));
  for (GTreeNode *node = g_tree_lower_bound (self->writes, &first);
       node != NULL && amnesia_entry_compare (g_tree_node_value (node), entry) == 0;
       node = g_tree_node_next (node))
    g_ptr_array_add (entries, amnesia_entry_ref (g_tree_node_value (node)));

  return entries;
}

/* Whether an entry of somebody else is held that is ahead: it was taken when our own clock was wrong
 * too. Its writer writes it anew, with a lesser stamp; it would stand in front of that for years. Our
 * own ones are left to amnesia_replica_rewrite_ahead. */
static gboolean
is_stranded (AmnesiaReplica     *self,
             const AmnesiaEntry *held,
             gint64              wall)
{
  return held != NULL && !is_own (self, held->id) && amnesia_stamp_is_ahead (held->stamp, wall);
}

/* @entry, which is not ahead itself, takes the place of a stranded one: nobody who joins later would
 * take that. Key entries stay greater than the base. */
static gboolean
is_relief (AmnesiaReplica     *self,
           const AmnesiaEntry *entry,
           gint64              wall)
{
  return is_stranded (self, amnesia_replica_lookup (self, entry->key), wall) &&
         (amnesia_entry_is_base (entry) || self->base == NULL ||
          amnesia_entry_compare (entry, self->base) > 0);
}

/* A stamp from far ahead is not in force any more: the clock starts anew from those that are. */
static void
rewind_clock (AmnesiaReplica *self)
{
  const AmnesiaEntry *in_force[] = {
    amnesia_replica_get_newest (self), get_newest_weak_key (self), self->base,
  };
  AmnesiaClock past = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (in_force); i++)
    if (in_force[i] != NULL)
      amnesia_clock_witness (&past, in_force[i]->stamp);
  start_clock_anew (self, &past);
}

/* Makes a write of ours, which beats all that was seen, and returns its entry. NULL unsets the
 * value, or removes the key. Whether the value can be shared is for the caller to check. */
AmnesiaEntry *
amnesia_replica_write (AmnesiaReplica *self,
                       gint64          wall,
                       const char     *key,
                       GVariant       *value)
{
  witness_replaced (self, key);

  return put_write (self, amnesia_clock_next (&self->clock, wall, FALSE), key, value);
}

/* A member of @keys, which are made of one piece of memory: what is small does not keep all of that for
 * as long as it is in force. */
static GVariant *
take_own (GVariant *value,
          GVariant *keys)
{
  return g_variant_get_size (value) > g_variant_get_size (keys) / 2 ? g_variant_ref (value)
                                                                    : amnesia_value_copy (value);
}

/* Writes all members of @keys, an a{sv}, as keys of one moment. Returns their entries. */
GPtrArray *
amnesia_replica_write_keys (AmnesiaReplica *self,
                            gint64          wall,
                            GVariant       *keys)
{
  GPtrArray *entries = amnesia_entries_new ();
  AmnesiaStamp stamp;
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, keys);
  while (g_variant_iter_next (&iter, "{&sv}", &key, NULL))
    witness_replaced (self, key);

  stamp = amnesia_clock_next (&self->clock, wall, FALSE);
  g_variant_iter_init (&iter, keys);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    {
      g_autoptr (GVariant) own = take_own (value, keys);

      g_ptr_array_add (entries, amnesia_entry_ref (put_write (self, stamp, key, own)));
    }

  return entries;
}

/* Whether this key, or with "" the value, was never written, neither set nor removed. */
static gboolean
was_never_written (AmnesiaReplica *self,
                   const char     *key)
{
  if (key[0] == '\0')
    return self->base == NULL && g_tree_nnodes (self->keys) == 0;
  if (g_tree_lookup (self->keys, key) != NULL)
    return FALSE;
  if (self->base == NULL)
    return TRUE;

  return (self->base->stamp & AMNESIA_STAMP_NORMAL) == 0 && self->base->value != NULL &&
         g_variant_is_of_type (self->base->value, G_VARIANT_TYPE_VARDICT) &&
         !g_variant_lookup (self->base->value, key, "*", NULL);
}

/* Makes a first value of ours: a weak write, which any normal one beats, also of somebody who has not
 * seen it. Returns its entry, or NULL if something was written already. */
AmnesiaEntry *
amnesia_replica_write_first (AmnesiaReplica *self,
                             gint64          wall,
                             const char     *key,
                             GVariant       *value)
{
  if (!was_never_written (self, key))
    return NULL;

  return put_write (self, amnesia_clock_next (&self->clock, wall, TRUE), key, value);
}

/* Entries of one write are about to be merged: tells whether there is room for all that are new. They
 * are taken then, even if the first of them grow and only the last of them shrink. */
gboolean
amnesia_replica_begin_merge (AmnesiaReplica *self,
                             gint64          wall,
                             GPtrArray      *entries)
{
  AmnesiaRoom room = amnesia_replica_get_room (self);

  for (guint i = 0; i < entries->len; i++)
    {
      const AmnesiaEntry *entry = entries->pdata[i];

      /* it covers others: each is looked at by itself */
      if (amnesia_entry_is_base (entry))
        return TRUE;
      if (!amnesia_stamp_is_ahead (entry->stamp, wall) &&
          (is_relief (self, entry, wall) ||
           amnesia_replica_beats (self, entry->key, entry->stamp, entry->id)))
        amnesia_replica_count_key (self, &room, entry->key, entry->value);
    }
  self->has_room = is_room (self, room.n_keys + (self->base != NULL ? 1 : 0), room.size);

  return self->has_room;
}

void
amnesia_replica_end_merge (AmnesiaReplica *self)
{
  self->has_room = FALSE;
}

/* Takes an entry that arrived, if it is greater than what it would replace, or that is stranded. An
 * entry from more than a year ahead is as if it had not come; any other moves the clock, whether
 * taken or not. */
AmnesiaMerge
amnesia_replica_merge (AmnesiaReplica *self,
                       gint64          wall,
                       AmnesiaEntry   *entry)
{
  gboolean relief;

  if (amnesia_stamp_is_ahead (entry->stamp, wall))
    return AMNESIA_MERGE_AHEAD;

  amnesia_clock_witness (&self->clock, entry->stamp);
  note_seen (self, entry);

  relief = is_relief (self, entry, wall);
  if (!relief && !amnesia_replica_beats (self, entry->key, entry->stamp, entry->id))
    return AMNESIA_MERGE_OLD;
  if (!self->has_room && !has_room (self, entry))
    return AMNESIA_MERGE_FULL;

  put_in_force (self, entry);
  if (relief)
    rewind_clock (self);

  return AMNESIA_MERGE_TAKEN;
}

/* The base comes first among them, so that the keys become greater than it again; what was one
 * write stays one. */
static GPtrArray *
write_anew (AmnesiaReplica *self,
            gint64          wall,
            GPtrArray      *old_entries)
{
  GPtrArray *entries = amnesia_entries_new ();
  AmnesiaStamp stamp = 0;

  for (guint i = 0; i < old_entries->len; i++)
    {
      const AmnesiaEntry *old = old_entries->pdata[i];
      gboolean weak = (old->stamp & AMNESIA_STAMP_NORMAL) == 0;

      if (i == 0 || amnesia_entry_is_base (old_entries->pdata[i - 1]) ||
          amnesia_entry_compare (old, old_entries->pdata[i - 1]) != 0)
        stamp = amnesia_clock_next (&self->clock, wall, weak);
      g_ptr_array_add (entries, amnesia_entry_ref (put_write (self, stamp, old->key, old->value)));
    }

  return entries;
}

/* Writes anew what we wrote while our clock was more than a year ahead, as nobody whose clock is
 * right takes it. Returns the new entries, or NULL if there was nothing to do.
 *
 * Under a base of somebody else that is ahead too no key can be written anew: the new entry would
 * be lesser than that base, and so not in force. */
GPtrArray *
amnesia_replica_rewrite_ahead (AmnesiaReplica *self,
                               gint64          wall)
{
  AmnesiaClock past = { 0 };
  g_autoptr (GPtrArray) ahead = NULL;

  if (!is_ahead (amnesia_replica_get_newest (self), wall) &&
      !is_ahead (get_newest_weak_key (self), wall) && !is_ahead (self->base, wall))
    return NULL;

  ahead = list_own_ahead (self, wall, &past);
  if (ahead->len == 0 ||
      (is_ahead (self->base, wall) && !is_own (self, self->base->id)))
    return NULL;

  start_clock_anew (self, &past);

  return write_anew (self, wall, ahead);
}

/* Gets how many bytes the values of all entries in force have. */
guint64
amnesia_replica_get_size (AmnesiaReplica *self)
{
  return self->size;
}

/* Gets the sum, modulo 2^64, of the hashes of all entries in force. */
guint64
amnesia_replica_get_digest (AmnesiaReplica *self)
{
  return self->digest + (self->base != NULL ? amnesia_entry_hash (self->base) : 0);
}
