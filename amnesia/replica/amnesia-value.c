/* SPDX-License-Identifier: MIT */

#include "amnesia-value-private.h"

#include "amnesia-dictionary-private.h"
#include "amnesia-error-private.h"
#include "amnesia-gettext-private.h"

#include <string.h>

#define MAX_DEPTH 64
#define MAX_KEY_SHOWN 64
#define BASIC_TYPES "bynqiuxtdsog"
/* Above this a value is compared by its bytes alone: sorting the dictionaries of 16 MiB takes two
 * seconds, and whoever writes decides how often. */
#define MAX_SORTED (256 * 1024)

/* Where a value's bytes are. */
typedef struct
{
  const void *data; /* (nullable) */
  gsize       size;
} Bytes;

/* One entry of a dictionary. */
typedef struct
{
  gsize     index;
  GVariant *key;   /* (owned) (nullable) where the bytes are not the dictionary's own */
  Bytes     bytes; /* the key's */
} Member;

static Bytes
get_bytes (GVariant *value)
{
  return (Bytes) { .data = g_variant_get_data (value), .size = g_variant_get_size (value) };
}

/* The size of a number or boolean of this type; 0 if it is the type of something else. */
static gsize
get_number_size (const char *type_string)
{
  static const guint8 sizes[] = {
    ['b'] = 1, ['y'] = 1, ['n'] = 2, ['q'] = 2, ['i'] = 4, ['u'] = 4, ['x'] = 8, ['t'] = 8, ['d'] = 8,
  };
  guint8 first = (guint8) type_string[0];

  return type_string[0] != '\0' && type_string[1] == '\0' && first < sizeof sizes ? sizes[first] : 0;
}

/* Any total order does, as long as equal bytes are equal; so doubles are compared as bits, where
 * NaN has a place. */
static int
compare_bytes (Bytes a,
               Bytes b)
{
  if (a.size != b.size)
    return a.size < b.size ? -1 : 1;
  if (a.data == NULL || b.data == NULL)
    return a.size > 0 ? (a.data != NULL) - (b.data != NULL) : 0;

  return memcmp (a.data, b.data, a.size);
}

static void
member_clear (gpointer data)
{
  Member *self = data;

  g_clear_pointer (&self->key, g_variant_unref);
}

static int
compare_members (const void *a,
                 const void *b)
{
  const Member *member_a = a;
  const Member *member_b = b;

  return compare_bytes (member_a->bytes, member_b->bytes);
}

/* What is not serialised hands out the same children each time. */
static gboolean
is_tree (GVariant *container)
{
  g_autoptr (GVariant) first = g_variant_get_child_value (container, 0);
  g_autoptr (GVariant) again = g_variant_get_child_value (container, 0);

  return first == again;
}

/* A million entries are held as a million places in the bytes: as GVariants they would take fifty
 * times the memory that they came in. In a tree each key has bytes of its own, and is held, as its
 * entry lets go of it when it is serialised. */
static Member
get_member (GVariant *dictionary,
            gsize     index,
            gboolean  tree)
{
  g_autoptr (GVariant) entry = g_variant_get_child_value (dictionary, index);
  g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
  Bytes bytes = get_bytes (key);

  return (Member) {
    .index = index,
    .key = tree ? g_steal_pointer (&key) : NULL,
    .bytes = bytes,
  };
}

/* Sorted, not hashed: who sends us keys could choose them so that their hashes collide. */
static GArray *
sort_members (GVariant *dictionary)
{
  gsize n = g_variant_n_children (dictionary);
  gboolean tree = n > 0 && is_tree (dictionary);
  GArray *members = g_array_sized_new (FALSE, FALSE, sizeof (Member), n);

  g_array_set_clear_func (members, member_clear);
  for (gsize i = 0; i < n; i++)
    {
      Member member = get_member (dictionary, i, tree);

      g_array_append_val (members, member);
    }
  g_array_sort (members, compare_members);

  return members;
}

/* Makes an array in normal form quick to read. Of bytes that it was not told to trust GLib 2.74
 * checks all offsets up to an element each time that it reads one, also when they have been found
 * in normal form: 100,000 elements take 2.5 s. The same bytes, trusted, take 20 ms. A tree is quick,
 * and stays as it is. */
static GVariant *
trust (GVariant *value)
{
  g_autoptr (GBytes) bytes = NULL;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_ARRAY) || g_variant_n_children (value) == 0 ||
      is_tree (value))
    return g_variant_ref (value);

  bytes = g_variant_get_data_as_bytes (value);

  return g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (value), bytes, TRUE));
}

static gboolean
is_dictionary (GVariant *value)
{
  return g_str_has_prefix (g_variant_get_type_string (value), "a{");
}

/* Without variants and dictionaries the type and the bytes say all. */
static gboolean
has_variant_or_dictionary (const char *type_string)
{
  return strpbrk (type_string, "v{") != NULL;
}

static guint
get_type_depth (const GVariantType *type)
{
  guint depth = 0;

  if (g_variant_type_is_basic (type))
    return 0;
  if (g_variant_type_is_variant (type))
    return 1;
  if (g_variant_type_is_array (type) || g_variant_type_is_maybe (type))
    return 1 + get_type_depth (g_variant_type_element (type));

  for (const GVariantType *item = g_variant_type_first (type);
       item != NULL;
       item = g_variant_type_next (item))
    {
      guint item_depth = get_type_depth (item);

      depth = MAX (depth, item_depth);
    }

  return 1 + depth;
}

static gboolean
check_depth (const GVariantType  *type,
             guint                depth,
             GError             **error)
{
  if (depth + get_type_depth (type) <= MAX_DEPTH)
    return TRUE;

  amnesia_set_error_plural (error, AMNESIA_ERROR_INVALID_VALUE,
                            "the value has more than %d container inside each other",
                            "the value has more than %d containers inside each other", MAX_DEPTH,
                            MAX_DEPTH);
  return FALSE;
}

/* What is wrong with a type, for a message; not yet translated. NULL: nothing is. */
static const char *
find_type_fault (const char *type_string)
{
  /* Translators: the type is that of a GVariant, in its letters: “a{sv}” */
  if (!g_variant_type_string_is_valid (type_string))
    return N_("the type “%s” is not the type of one GVariant");
  if (!g_variant_type_is_definite (G_VARIANT_TYPE (type_string)))
    return N_("the type “%s” is not definite: it has “*”, “?” or “r” in it");
  if (strchr (type_string, 'h') != NULL)
    return N_("the type “%s” holds a handle (“h”), which means nothing in another process");
  if (g_variant_type_is_dict_entry (G_VARIANT_TYPE (type_string)))
    return N_("the type “%s” is a dictionary entry outside of a dictionary");
  return NULL;
}

/* Checks the type of a value that has @depth containers around it. */
static gboolean
check_type (const char  *type_string,
            guint        depth,
            GError     **error)
{
  const char *fault;
  g_autofree char *shown = NULL;

  if (type_string[0] != '\0' && type_string[1] == '\0' && strchr (BASIC_TYPES, type_string[0]))
    return TRUE;
  if (strlen (type_string) > AMNESIA_MAX_TYPE)
    {
      amnesia_set_error_plural (error, AMNESIA_ERROR_INVALID_VALUE,
                                "a type has %zu byte, %d are the most",
                                "a type has %zu bytes, %d are the most", strlen (type_string),
                                strlen (type_string), AMNESIA_MAX_TYPE);
      return FALSE;
    }

  fault = find_type_fault (type_string);
  if (fault == NULL)
    return check_depth (G_VARIANT_TYPE (type_string), depth, error);
  shown = g_strescape (type_string, NULL);
  amnesia_set_error (error, AMNESIA_ERROR_INVALID_VALUE, fault, shown);
  return FALSE;
}

/* GVariant looks at each element, 20 ns for each byte of `ay`. Where any bytes make an element the
 * size tells as much: there are no children if it is not a multiple of the element's. */
static gboolean
is_normal_form (GVariant *value)
{
  if (amnesia_value_is_quick (g_variant_get_type_string (value)))
    return g_variant_n_children (value) > 0 || g_variant_get_size (value) == 0;

  return g_variant_is_normal_form (value);
}

/* Shows a key in a message; a string may be as long as the value, so it is cut. */
static char *
show_key (GVariant *key)
{
  g_autofree char *cut = NULL;
  g_autoptr (GVariant) shown = NULL;
  const char *text;
  gsize length;

  if (strchr ("sog", g_variant_get_type_string (key)[0]) == NULL)
    return g_variant_print (key, FALSE);

  text = g_variant_get_string (key, &length);
  cut = g_utf8_make_valid (text, MIN (length, MAX_KEY_SHOWN));
  shown = g_variant_ref_sink (g_variant_new_string (cut));

  return g_variant_print (shown, FALSE);
}

/* How many keys of this type there are. Eight million entries with one byte as a key need not be
 * sorted to see that there is one twice. */
static gsize
count_possible_keys (GVariant *dictionary)
{
  switch (g_variant_get_type_string (dictionary)[strlen ("a{")])
    {
    case 'b':
      return 2;
    case 'y':
      return G_MAXUINT8 + 1;
    case 'n':
    case 'q':
      return G_MAXUINT16 + 1;
    default:
      return G_MAXSIZE;
    }
}

static gboolean
check_keys (GVariant  *dictionary,
            GError   **error)
{
  g_autoptr (GArray) members = NULL;

  if (g_variant_n_children (dictionary) > count_possible_keys (dictionary))
    {
      amnesia_set_error (error, AMNESIA_ERROR_INVALID_VALUE,
                         N_("a dictionary has more entries than there are keys, each may be there "
                            "once"));
      return FALSE;
    }

  members = sort_members (dictionary);
  for (guint i = 1; i < members->len; i++)
    {
      const Member *member = &g_array_index (members, Member, i);
      g_autoptr (GVariant) entry = NULL;
      g_autoptr (GVariant) key = NULL;
      g_autofree char *shown = NULL;

      if (compare_members (member - 1, member) != 0)
        continue;

      entry = g_variant_get_child_value (dictionary, member->index);
      key = g_variant_get_child_value (entry, 0);
      shown = show_key (key);
      amnesia_set_error (error, AMNESIA_ERROR_INVALID_VALUE,
                         N_("a dictionary has the key %s twice, each may be there once"), shown);
      return FALSE;
    }

  return TRUE;
}

/* Whether this can name a part of the value. */
gboolean
amnesia_value_is_key (const char *text)
{
  gsize length = strlen (text);

  return length > 0 && length <= AMNESIA_MAX_KEY && g_utf8_validate (text, (gssize) length, NULL);
}

/* Checks what the type of @value, which is right and has @depth containers around it, does not
 * say. No deeper than MAX_DEPTH, as no variant is entered before its type was found right. */
static gboolean
check_content (GVariant  *value,
               guint      depth,
               GError   **error)
{
  const char *type = g_variant_get_type_string (value);
  g_autoptr (GVariant) trusted = NULL;
  gboolean is_variant;
  gsize n;

  if (!has_variant_or_dictionary (type))
    return TRUE;

  is_variant = g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT);
  trusted = trust (value);
  if (is_dictionary (trusted))
    {
      if (!check_keys (trusted, error))
        return FALSE;
      if (!has_variant_or_dictionary (type + strlen ("a{")))
        return TRUE;
    }

  n = g_variant_n_children (trusted);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (trusted, i);

      if (is_variant && !check_type (g_variant_get_type_string (child), depth + 1, error))
        return FALSE;
      if (!check_content (child, depth + 1, error))
        return FALSE;
    }

  return TRUE;
}

static GVariant *
get_member_value (GVariant     *dictionary,
                  const Member *member)
{
  g_autoptr (GVariant) entry = g_variant_get_child_value (dictionary, member->index);

  return g_variant_get_child_value (entry, 1);
}

/* Compares two entries. FALSE in @same_key: these are of different keys. */
static gboolean
equal_entries (GVariant *a,
               GVariant *b,
               gboolean *same_key)
{
  g_autoptr (GVariant) key_a = NULL, key_b = NULL, value_a = NULL, value_b = NULL;

  *same_key = TRUE;
  if (compare_bytes (get_bytes (a), get_bytes (b)) == 0)
    return TRUE;

  key_a = g_variant_get_child_value (a, 0);
  key_b = g_variant_get_child_value (b, 0);
  *same_key = compare_bytes (get_bytes (key_a), get_bytes (key_b)) == 0;
  if (!*same_key)
    return FALSE;

  value_a = g_variant_get_child_value (a, 1);
  value_b = g_variant_get_child_value (b, 1);

  return amnesia_value_equal (value_a, value_b);
}

/* Most often both have the same keys in the same order, so that there is nothing to sort. Returns
 * whether that decided it. */
static gboolean
compare_in_order (GVariant *a,
                  GVariant *b,
                  gboolean *equal)
{
  gsize n = g_variant_n_children (a);
  gboolean same_key = TRUE;
  gsize first = g_variant_is_of_type (a, G_VARIANT_TYPE_VARDICT)
                  ? amnesia_dictionary_count_same (a, b) : 0;

  *equal = TRUE;
  for (gsize i = first; i < n && *equal; i++)
    {
      g_autoptr (GVariant) entry_a = g_variant_get_child_value (a, i);
      g_autoptr (GVariant) entry_b = g_variant_get_child_value (b, i);

      *equal = equal_entries (entry_a, entry_b, &same_key);
    }

  return same_key;
}

static gboolean
equal_sorted (GVariant *a,
              GVariant *b)
{
  g_autoptr (GArray) members_a = sort_members (a);
  g_autoptr (GArray) members_b = sort_members (b);

  for (guint i = 0; i < members_a->len; i++)
    {
      const Member *member_a = &g_array_index (members_a, Member, i);
      const Member *member_b = &g_array_index (members_b, Member, i);
      g_autoptr (GVariant) value_a = NULL;
      g_autoptr (GVariant) value_b = NULL;

      if (compare_members (member_a, member_b) != 0)
        return FALSE;

      value_a = get_member_value (a, member_a);
      value_b = get_member_value (b, member_b);
      if (!amnesia_value_equal (value_a, value_b))
        return FALSE;
    }

  return TRUE;
}

static gboolean
equal_dictionaries (GVariant *a,
                    GVariant *b)
{
  gboolean equal;

  return compare_in_order (a, b, &equal) ? equal : equal_sorted (a, b);
}

static gboolean
equal_children (GVariant *a,
                GVariant *b)
{
  gsize n = g_variant_n_children (a);

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child_a = g_variant_get_child_value (a, i);
      g_autoptr (GVariant) child_b = g_variant_get_child_value (b, i);

      if (!amnesia_value_equal (child_a, child_b))
        return FALSE;
    }

  return TRUE;
}

/* Tells whether a value of this type is checked in no time, however large it is. */
gboolean
amnesia_value_is_quick (const char *type_string)
{
  return strlen (type_string) == 2 && type_string[0] == 'a' &&
         strchr ("ynqiuxtd", type_string[1]) != NULL;
}

/* Whether any @size bytes are a value of this type: a number, or an array of them. */
gboolean
amnesia_value_is_any (const char *type_string,
                      gsize       size)
{
  if (amnesia_value_is_quick (type_string))
    return size % get_number_size (type_string + 1) == 0;

  return type_string[0] != 'b' && size > 0 && size == get_number_size (type_string);
}

/* Checks whether a value may be of this type: one valid, definite type of at most 255 bytes and 64
 * containers inside each other, without handles, and no dictionary entry alone. */
gboolean
amnesia_value_check_type (const char  *type_string,
                          GError     **error)
{
  g_return_val_if_fail (type_string != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return check_type (type_string, 0, error);
}

/* Checks whether a value can be shared: its type and the type of each variant in it, its normal
 * form, its dictionaries, its depth, its size.
 *
 * The depth is counted as GVariant counts it: each array, tuple, maybe, dictionary entry and
 * variant is one container. So {"a": {"b": 1}}, which is a{sv} in a{sv}, has six inside each other.
 *
 * The order matters. A value that was built in memory is walked as it is, before anything
 * serialises it, as GVariant reads what lies deeper than 128 in serialised data as a default value
 * and its own recursion in g_variant_get_size has no bound. Bytes are walked only when they are
 * known to be in normal form, as others can stand for far more elements than they have bytes. */
static gboolean
check_at_depth (GVariant  *value,
                guint      depth,
                guint64    max_size,
                GError   **error)
{
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_type (g_variant_get_type_string (value), depth, error))
    return FALSE;
  if (!is_normal_form (value))
    {
      amnesia_set_error_plural (error, AMNESIA_ERROR_INVALID_VALUE,
                                "the value's bytes are not in the normal form of GVariant, or have "
                                "more than %d container inside each other",
                                "the value's bytes are not in the normal form of GVariant, or have "
                                "more than %d containers inside each other", MAX_DEPTH, MAX_DEPTH);
      return FALSE;
    }
  if (!check_content (value, depth, error))
    return FALSE;
  if (g_variant_get_size (value) > max_size)
    {
      amnesia_set_error_plural (error, AMNESIA_ERROR_TOO_BIG,
                                "the value has %zu byte, max-size is %zu",
                                "the value has %zu bytes, max-size is %zu",
                                g_variant_get_size (value), g_variant_get_size (value),
                                (gsize) max_size);
      return FALSE;
    }

  return TRUE;
}

/* Checks whether a value can be shared. */
gboolean
amnesia_value_check (GVariant  *value,
                     guint64    max_size,
                     GError   **error)
{
  return check_at_depth (value, 0, max_size, error);
}

/* The same for what becomes a member of the shared value, with three containers around it: what is seen
 * of the whole can be written as a whole. */
gboolean
amnesia_value_check_member (GVariant  *value,
                            guint64    max_size,
                            GError   **error)
{
  return check_at_depth (value, 3, max_size, error);
}

/* Compares two values that passed the check: same type, same content, where the order of a
 * dictionary means nothing, however deep it lies, up to a size of MAX_SORTED. Doubles are equal if
 * their bits are, so NaN equals itself and 0.0 is not -0.0. For others, which need not be in normal form,
 * the answer may be wrong, but that is all. */
gboolean
amnesia_value_equal (GVariant *a,
                     GVariant *b)
{
  g_autoptr (GVariant) trusted_a = NULL;
  g_autoptr (GVariant) trusted_b = NULL;

  if (a == b)
    return TRUE;
  if (a == NULL || b == NULL ||
      !g_str_equal (g_variant_get_type_string (a), g_variant_get_type_string (b)))
    return FALSE;
  if (compare_bytes (get_bytes (a), get_bytes (b)) == 0)
    return TRUE;
  if (!has_variant_or_dictionary (g_variant_get_type_string (a)) ||
      g_variant_get_size (a) > MAX_SORTED || g_variant_get_size (b) > MAX_SORTED ||
      g_variant_n_children (a) != g_variant_n_children (b) ||
      (g_variant_is_of_type (a, G_VARIANT_TYPE_VARDICT) && amnesia_dictionary_differs (a, b)))
    return FALSE;

  trusted_a = trust (a);
  trusted_b = trust (b);

  return is_dictionary (a) ? equal_dictionaries (trusted_a, trusted_b)
                           : equal_children (trusted_a, trusted_b);
}

/* Copies a part of a value, which holds on to the memory of the whole: that may be a thousand times as
 * large. The part is in normal form. */
GVariant *
amnesia_value_copy (GVariant *part)
{
  g_autoptr (GBytes) bytes = g_bytes_new (g_variant_get_data (part), g_variant_get_size (part));

  return g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (part), bytes, TRUE));
}
