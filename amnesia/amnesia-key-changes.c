/* SPDX-License-Identifier: MIT */

#include "amnesia-key-changes-private.h"

#include "replica/amnesia-dictionary-private.h"
#include "replica/amnesia-value-private.h"

#include <string.h>

/* Whoever writes decides how many members there are, and all are looked at for each change. */
#define MAX_MEMBERS 65536

/* One member of a dictionary, as places in the dictionary's bytes. */
typedef struct
{
  const char    *key;
  gconstpointer  data; /* of the whole entry */
  gsize          size;
  gsize          index;
} Member;

/* A dictionary whose members are looked at in the order of their keys. */
typedef struct
{
  GVariant *dictionary; /* (owned) (nullable) */
  GArray   *members;    /* (owned) (element-type Member) */
} Members;

static void
members_clear (Members *self)
{
  g_clear_pointer (&self->members, g_array_unref);
  g_clear_pointer (&self->dictionary, g_variant_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Members, members_clear)

/* The same dictionary as bytes that are known to be right: of others GLib 2.74 checks all offsets up
 * to a member whenever it reads one. Returns NULL for what is no dictionary. */
static GVariant *
get_dictionary (GVariant *value)
{
  g_autoptr (GBytes) bytes = NULL;

  if (value == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT) ||
      !g_variant_is_normal_form (value))
    return NULL;

  bytes = g_variant_get_data_as_bytes (value);

  return g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, TRUE));
}

static int
compare_members (gconstpointer a,
                 gconstpointer b)
{
  const Member *member_a = a;
  const Member *member_b = b;

  return strcmp (member_a->key, member_b->key);
}

static Member
get_member (GVariant *dictionary,
            gsize     index)
{
  g_autoptr (GVariant) entry = g_variant_get_child_value (dictionary, index);
  Member member = { .index = index, .size = g_variant_get_size (entry) };

  member.data = g_variant_get_data (entry);
  g_variant_get_child (entry, 0, "&s", &member.key);

  return member;
}

static gsize
count_members (Members *self)
{
  return self->dictionary != NULL ? g_variant_n_children (self->dictionary) : 0;
}

/* Lists those from @first on, but for the @n_last last ones. Most dictionaries have their keys in order
 * already, as each that was merged has. */
static void
list_members (Members *self,
              gsize    first,
              gsize    n_last)
{
  gsize end = count_members (self) - n_last;
  gboolean sorted = TRUE;

  self->members = g_array_sized_new (FALSE, FALSE, sizeof (Member), end - first);
  for (gsize i = first; i < end; i++)
    {
      Member member = get_member (self->dictionary, i);

      sorted = sorted && (i == first ||
                          compare_members (&g_array_index (self->members, Member, i - first - 1),
                                           &member) < 0);
      g_array_append_val (self->members, member);
    }
  if (!sorted)
    g_array_sort (self->members, compare_members);
}

/* Lists what may differ: most often one of many has changed, and what both begin and end with need not
 * be looked at one by one. Returns FALSE if there are too many. */
static gboolean
list_both (Members *a,
           Members *b)
{
  gsize first = 0;
  gsize n_last = 0;

  if (count_members (a) > MAX_MEMBERS || count_members (b) > MAX_MEMBERS)
    return FALSE;

  if (a->dictionary != NULL && b->dictionary != NULL)
    amnesia_dictionary_compare (a->dictionary, b->dictionary, &first, &n_last);
  list_members (a, first, n_last);
  list_members (b, first, n_last);

  return TRUE;
}

static const Member *
peek_member (Members *self,
             guint    position)
{
  return position < self->members->len ? &g_array_index (self->members, Member, position) : NULL;
}

/* Which of two members comes first; what is none comes last. */
static int
compare_heads (const Member *a,
               const Member *b)
{
  if (a == NULL || b == NULL)
    return (a == NULL) - (b == NULL);

  return compare_members (a, b);
}

static gboolean
have_same_bytes (const Member *a,
                 const Member *b)
{
  return a->size == b->size && memcmp (a->data, b->data, a->size) == 0;
}

static GVariant *
get_value (Members      *self,
           const Member *member)
{
  g_autoptr (GVariant) entry = g_variant_get_child_value (self->dictionary, member->index);
  g_autoptr (GVariant) variant = g_variant_get_child_value (entry, 1);

  return g_variant_get_variant (variant);
}

/* Walks the members of two values in the order of their keys, that of strcmp, and calls @func for
 * each key whose value differs. What is no a{sv} has no members, and those whose name is no valid key
 * ("", or over 255 bytes) are passed over. Returns FALSE, and calls nothing, if there are too many.
 *
 * @func may run any code. What it is given is a part of the memory of the whole dictionary, and keeps
 * that alive. */
gboolean
amnesia_key_changes_foreach (GVariant             *old_value,
                             GVariant             *new_value,
                             AmnesiaKeyChangeFunc  func,
                             gpointer              user_data)
{
  g_auto (Members) old_members = { get_dictionary (old_value), NULL };
  g_auto (Members) new_members = { get_dictionary (new_value), NULL };
  guint i = 0;
  guint j = 0;

  g_return_val_if_fail (func != NULL, FALSE);

  if (!list_both (&old_members, &new_members))
    return FALSE;

  while (i < old_members.members->len || j < new_members.members->len)
    {
      const Member *old_member = peek_member (&old_members, i);
      const Member *new_member = peek_member (&new_members, j);
      int order = compare_heads (old_member, new_member);
      const char *key = order <= 0 ? old_member->key : new_member->key;
      g_autoptr (GVariant) old_part = NULL;
      g_autoptr (GVariant) new_part = NULL;

      i += order <= 0;
      j += order >= 0;
      if (!amnesia_value_is_key (key) || (order == 0 && have_same_bytes (old_member, new_member)))
        continue;

      old_part = order <= 0 ? get_value (&old_members, old_member) : NULL;
      new_part = order >= 0 ? get_value (&new_members, new_member) : NULL;
      if (!amnesia_value_equal (old_part, new_part))
        func (key, old_part, new_part, user_data);
    }

  return TRUE;
}
