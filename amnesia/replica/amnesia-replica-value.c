/* SPDX-License-Identifier: MIT */

/* The value: what the entries make of it. */

#include "amnesia-replica-struct-private.h"

#include <string.h>

int
amnesia_compare_keys (gconstpointer a,
                      gconstpointer b,
                      gpointer      user_data)
{
  return strcmp (a, b);
}

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

static void
add_ground_members (AmnesiaReplica *self,
                    GTree          *members)
{
  GVariant *ground = get_ground_members (self);
  GVariantIter iter;
  char *key;
  GVariant *value;

  if (ground == NULL)
    return;

  g_variant_iter_init (&iter, ground);
  while (g_variant_iter_next (&iter, "{sv}", &key, &value))
    g_tree_insert (members, key, value);
}

static void
lay_over_keys (AmnesiaReplica *self,
               GTree          *members)
{
  for (GTreeNode *node = g_tree_node_first (self->keys);
       node != NULL;
       node = g_tree_node_next (node))
    {
      const AmnesiaEntry *entry = g_tree_node_value (node);

      if (entry->value != NULL)
        g_tree_insert (members, g_strdup (entry->key), g_variant_ref (entry->value));
      else
        g_tree_remove (members, entry->key);
    }
}

static GVariant *
merge_value (AmnesiaReplica *self)
{
  g_autoptr (GTree) members = g_tree_new_full (amnesia_compare_keys, NULL, g_free,
                                               (GDestroyNotify) g_variant_unref);
  GVariantBuilder builder;

  add_ground_members (self, members);
  lay_over_keys (self, members);

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (GTreeNode *node = g_tree_node_first (members); node != NULL; node = g_tree_node_next (node))
    g_variant_builder_add (&builder, "{sv}", g_tree_node_key (node), g_tree_node_value (node));

  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static GVariant *
make_value (AmnesiaReplica *self)
{
  GVariant *ground = get_ground (self);

  if (g_tree_nnodes (self->keys) > 0)
    return merge_value (self);

  return ground != NULL ? g_variant_ref (ground) : NULL;
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
  self->value_is_current = FALSE;
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
  return g_tree_nnodes (self->keys) > 0 || self->base == NULL || self->base->value == NULL
         || g_variant_is_of_type (self->base->value, G_VARIANT_TYPE_VARDICT);
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
      g_clear_pointer (&self->value, g_variant_unref);
      self->value = make_value (self);
      self->value_is_current = TRUE;
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
