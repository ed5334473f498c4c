/* SPDX-License-Identifier: MIT */

/* The value: what the entries make of it. */

#include "amnesia-replica-struct-private.h"

#include "amnesia-dictionary-private.h"

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

/* A member of the ground. */
typedef struct
{
  const char *bytes; /* its key comes first */
  gsize       size;
} Member;

static int
compare_members (gconstpointer a,
                 gconstpointer b)
{
  return strcmp (((const Member *) a)->bytes, ((const Member *) b)->bytes);
}

/* In the order of their keys, which most dictionaries have already. */
static GArray *
list_ground_members (AmnesiaReplica *self)
{
  GVariant *ground = get_ground_members (self);
  AmnesiaDictionaryReader reader = { NULL };
  GArray *members;
  gboolean sorted = TRUE;

  if (ground != NULL)
    amnesia_dictionary_reader_init (&reader, ground);
  members = g_array_sized_new (FALSE, FALSE, sizeof (Member), (guint) reader.n_members);
  for (gsize i = 0; i < reader.n_members; i++)
    {
      Member member;

      member.bytes = amnesia_dictionary_reader_get (&reader, i, &member.size);
      sorted = sorted && (i == 0 || compare_members (&g_array_index (members, Member, i - 1), &member) < 0);
      g_array_append_val (members, member);
    }
  if (!sorted)
    g_array_sort (members, compare_members);

  return members;
}

/* The members of the ground, and over them the keys; both are in the order of keys. */
static GVariant *
merge_value (AmnesiaReplica *self)
{
  g_autoptr (GArray) ground = list_ground_members (self);
  AmnesiaDictionaryWriter writer;
  GTreeNode *node = g_tree_node_first (self->keys);
  guint i = 0;

  amnesia_dictionary_writer_init (&writer, ground->len + (guint) g_tree_nnodes (self->keys));
  while (i < ground->len || node != NULL)
    {
      const Member *member = i < ground->len ? &g_array_index (ground, Member, i) : NULL;
      const AmnesiaEntry *entry = node != NULL ? g_tree_node_value (node) : NULL;
      int order = member != NULL && entry != NULL ? strcmp (member->bytes, entry->key)
                                                  : (entry != NULL) - (member != NULL);

      if (order < 0)
        amnesia_dictionary_writer_add_member (&writer, member->bytes, member->size);
      else if (entry->value != NULL)
        amnesia_dictionary_writer_add (&writer, entry->key, entry->value);
      i += order <= 0;
      node = order >= 0 ? g_tree_node_next (node) : node;
    }

  return amnesia_dictionary_writer_end (&writer);
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
