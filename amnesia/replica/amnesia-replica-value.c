/* SPDX-License-Identifier: MIT */

/* The value: what the entries make of it. */

#include "amnesia-replica-struct-private.h"

#include "amnesia-dictionary-private.h"

#include <string.h>

/* What the keys are laid over, or NULL. */
static GVariant *
get_ground (AmnesiaReplica *self)
{
  return self->base != NULL && self->base->value != NULL ? self->base->value : self->default_value;
}

/* The same, if it has members. */
static GVariant *
get_ground_members (AmnesiaReplica *self)
{
  GVariant *ground = get_ground (self);

  return ground != NULL && g_variant_is_of_type (ground, G_VARIANT_TYPE_VARDICT) ? ground : NULL;
}

static GVariant *
new_empty (void)
{
  return g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
}

/* The members of the ground in the order of their keys. */
static GVariant *
sort_ground (AmnesiaReplica *self)
{
  GVariant *ground = get_ground_members (self);
  g_autoptr (GTree) members = NULL;
  GVariantBuilder builder;
  GVariantIter iter;
  char *key;
  GVariant *value;

  if (ground == NULL)
    return new_empty ();

  members = g_tree_new_full (amnesia_compare_keys, NULL, g_free, (GDestroyNotify) g_variant_unref);
  g_variant_iter_init (&iter, ground);
  while (g_variant_iter_next (&iter, "{sv}", &key, &value))
    g_tree_insert (members, key, value);

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (GTreeNode *node = g_tree_node_first (members); node != NULL; node = g_tree_node_next (node))
    g_variant_builder_add (&builder, "{sv}", g_tree_node_key (node), g_tree_node_value (node));

  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static int
compare_changed (gconstpointer a,
                 gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The entries of the keys that have changed, each one once. */
static GPtrArray *
list_changed (AmnesiaReplica *self)
{
  GPtrArray *entries = g_ptr_array_sized_new (self->changed->len);

  g_ptr_array_sort (self->changed, compare_changed);
  for (guint i = 0; i < self->changed->len; i++)
    if (i == 0 || strcmp (self->changed->pdata[i - 1], self->changed->pdata[i]) != 0)
      g_ptr_array_add (entries, g_tree_lookup (self->keys, self->changed->pdata[i]));

  return entries;
}

static GPtrArray *
list_keys (AmnesiaReplica *self)
{
  GPtrArray *entries = g_ptr_array_sized_new (g_tree_nnodes (self->keys));

  for (GTreeNode *node = g_tree_node_first (self->keys);
       node != NULL;
       node = g_tree_node_next (node))
    g_ptr_array_add (entries, g_tree_node_value (node));

  return entries;
}

static GVariant *
merge_value (AmnesiaReplica *self)
{
  g_autoptr (GVariant) ground = self->value_is_merged ? g_variant_ref (self->value)
                                                      : sort_ground (self);
  g_autoptr (GPtrArray) entries = self->value_is_merged ? list_changed (self) : list_keys (self);

  self->value_is_merged = TRUE;

  return amnesia_dictionary_change (ground, entries);
}

static GVariant *
make_value (AmnesiaReplica *self)
{
  GVariant *ground = get_ground (self);

  if (g_tree_nnodes (self->keys) > 0)
    return merge_value (self);

  return ground != NULL ? g_variant_ref (ground) : NULL;
}

/* The value is made of all that there is when it is asked for. */
void
amnesia_replica_forget_value (AmnesiaReplica *self)
{
  self->value_is_current = self->value_is_merged = FALSE;
  g_ptr_array_set_size (self->changed, 0);
}

/* @entry is in force now. Of a value that has keys already only that which is new is laid over it, unless
 * that is a good part of it. */
void
amnesia_replica_note_change (AmnesiaReplica     *self,
                             const AmnesiaEntry *entry)
{
  self->value_is_current = FALSE;
  if (amnesia_entry_is_base (entry) ||
      self->changed->len > 16 + (guint) g_tree_nnodes (self->keys) / 4)
    amnesia_replica_forget_value (self);
  else if (self->value_is_merged)
    g_ptr_array_add (self->changed, g_strdup (entry->key));
}

/* Sets what stands in for a base that has no value. It is known here only. */
void
amnesia_replica_set_default (AmnesiaReplica *self,
                             GVariant       *value)
{
  if (value != NULL)
    g_variant_ref_sink (value);
  g_clear_pointer (&self->default_value, g_variant_unref);
  self->default_value = value;
  amnesia_replica_forget_value (self);
}

GVariant *
amnesia_replica_get_default (AmnesiaReplica *self)
{
  return self->default_value;
}

/* Whether the value is one that keys can be written of: a dictionary, or unset. */
gboolean
amnesia_replica_takes_keys (AmnesiaReplica *self)
{
  return g_tree_nnodes (self->keys) > 0 || self->base == NULL || self->base->value == NULL ||
         g_variant_is_of_type (self->base->value, G_VARIANT_TYPE_VARDICT);
}

/* Gets what there is now. */
AmnesiaRoom
amnesia_replica_get_room (AmnesiaReplica *self)
{
  return (AmnesiaRoom) { .n_keys = g_tree_nnodes (self->keys), .size = self->size };
}

/* Counts what there would be if this key were written too. */
void
amnesia_replica_count_key (AmnesiaReplica *self,
                           AmnesiaRoom    *room,
                           const char     *key,
                           GVariant       *value)
{
  const AmnesiaEntry *old = amnesia_replica_lookup (self, key);

  if (old == NULL)
    room->n_keys++;
  else
    room->size -= amnesia_entry_get_size (old);
  if (value != NULL)
    room->size += g_variant_get_size (value);
}

/* Gets the value, a pure function of the entries in force and the default: the base, or the default
 * where that has no value, if it is a{sv} or there are no key entries, else the empty dictionary; with
 * the key entries laid over it. NULL is unset. */
GVariant *
amnesia_replica_get_value (AmnesiaReplica *self)
{
  if (!self->value_is_current)
    {
      g_autoptr (GVariant) old = self->value;

      self->value = make_value (self);
      self->value_is_current = TRUE;
      g_ptr_array_set_size (self->changed, 0);
    }

  return self->value;
}

/* Gets what the value has under this key, which is not "", or NULL. The caller owns it. */
GVariant *
amnesia_replica_dup_member (AmnesiaReplica *self,
                            const char     *key)
{
  const AmnesiaEntry *entry = g_tree_lookup (self->keys, key);
  GVariant *ground;

  if (entry != NULL)
    return entry->value != NULL ? g_variant_ref (entry->value) : NULL;
  ground = get_ground_members (self);

  return ground != NULL ? g_variant_lookup_value (ground, key, NULL) : NULL;
}
