/* SPDX-License-Identifier: MIT */

/* A dictionary of which some members change. To have GVariant take it apart and build it again costs
 * 500 ns for each member, and 4,096 of them are 2 ms for one that is new. The bytes of the others stay as
 * they are: each member begins at a multiple of 8, and the offsets within it count from there. So all
 * that is done for them is to copy them, as one piece, and to move the offsets of where they end. */

#include "amnesia-dictionary-private.h"

#include <string.h>

#define DIFFERENCE_STEP 256

/* The bytes of an a{sv} that is in normal form, and where its members are in them. */
typedef struct
{
  const guint8 *bytes;
  const guint8 *ends;  /* the offsets: where each member ends */
  gsize         width; /* of each offset */
  gsize         n;
} Dictionary;

static gsize
pad (gsize size)
{
  return (size + 7) & ~(gsize) 7;
}

/* Of how many bytes each offset is in something of this size. */
static gsize
get_width (gsize size)
{
  if (size <= G_MAXUINT8)
    return 1;
  if (size <= G_MAXUINT16)
    return 2;

  return size <= G_MAXUINT32 ? 4 : 8;
}

/* The same, where @n of them stand behind @body bytes. */
static gsize
choose_width (gsize body,
              gsize n)
{
  gsize width = 1;

  while (width < 8 && get_width (body + n * width) > width)
    width *= 2;

  return width;
}

static gsize
get_offset (const guint8 *where,
            gsize         width)
{
  guint16 two;
  guint32 four;
  guint64 eight;

  switch (width)
    {
    case 1:
      return *where;
    case 2:
      memcpy (&two, where, sizeof two);
      return GUINT16_FROM_LE (two);
    case 4:
      memcpy (&four, where, sizeof four);
      return GUINT32_FROM_LE (four);
    default:
      memcpy (&eight, where, sizeof eight);
      return (gsize) GUINT64_FROM_LE (eight);
    }
}

static void
put_offset (guint8 *where,
            gsize   width,
            gsize   offset)
{
  guint64 little = GUINT64_TO_LE ((guint64) offset);

  memcpy (where, &little, width);
}

/* Finds the members of @value, an a{sv}, which has to stay. */
static void
dictionary_init (Dictionary *self,
                 GVariant   *value)
{
  gsize size = g_variant_get_size (value);
  gsize end;

  *self = (Dictionary) { .bytes = g_variant_get_data (value), .width = get_width (size) };
  if (size == 0)
    return;

  end = get_offset (self->bytes + size - self->width, self->width);
  if (end >= size)
    return;
  self->ends = self->bytes + end;
  self->n = (size - end) / self->width;
}

static gsize
get_end (const Dictionary *self,
         gsize             index)
{
  return get_offset (self->ends + index * self->width, self->width);
}

/* Where the member begins; that of number `n` would begin behind the last one. */
static gsize
get_start (const Dictionary *self,
           gsize             index)
{
  return index > 0 ? pad (get_end (self, index - 1)) : 0;
}

/* Finds the member in which this byte is, or which follows on it; `n` if it is behind them. */
static gsize
find_byte (const Dictionary *self,
           gsize             at)
{
  gsize low = 0;
  gsize high = self->n;

  while (low < high)
    {
      gsize middle = low + (high - low) / 2;

      if (get_end (self, middle) <= at)
        low = middle + 1;
      else
        high = middle;
    }

  return low;
}

/* Finds the first member, from @low on, whose key is not less; they are in the order of their keys. */
static gsize
find_key (const Dictionary *self,
          gsize             low,
          const char       *key,
          gboolean         *found)
{
  gsize high = self->n;

  *found = FALSE;
  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      int order = strcmp ((const char *) self->bytes + get_start (self, middle), key);

      *found = *found || order == 0;
      if (order < 0)
        low = middle + 1;
      else
        high = middle;
    }

  return low;
}

/* Finds the first byte that differs; @size if none does. */
static gsize
find_difference (const guint8 *a,
                 const guint8 *b,
                 gsize         size)
{
  gsize at = 0;

  while (at + DIFFERENCE_STEP <= size && memcmp (a + at, b + at, DIFFERENCE_STEP) == 0)
    at += DIFFERENCE_STEP;
  while (at < size && a[at] == b[at])
    at++;

  return at;
}

/* Counts the members with which both, each an a{sv}, begin, and which have the same bytes in both. They
 * are in the same places there. */
gsize
amnesia_dictionary_count_same (GVariant *a,
                               GVariant *b)
{
  Dictionary dictionary_a, dictionary_b;
  gsize n, n_same, size;

  dictionary_init (&dictionary_a, a);
  dictionary_init (&dictionary_b, b);
  n = MIN (dictionary_a.n, dictionary_b.n);
  if (n == 0 || dictionary_a.width != dictionary_b.width)
    return 0;

  size = (gsize) MIN (dictionary_a.ends - dictionary_a.bytes, dictionary_b.ends - dictionary_b.bytes);
  n_same = find_byte (&dictionary_a, find_difference (dictionary_a.bytes, dictionary_b.bytes, size));
  n = MIN (n, n_same);

  return find_difference (dictionary_a.ends, dictionary_b.ends, n * dictionary_a.width) /
         dictionary_a.width;
}

/* Finds the type of a member's value, which ends @size bytes behind its beginning, and returns its length;
 * 0 if there is none. */
static gsize
find_type (const guint8  *member,
           gsize          size,
           const guint8 **type)
{
  gsize end = size - MIN (get_width (size), size);
  const guint8 *before = end > 0 ? memrchr (member, '\0', end) : NULL;

  if (before == NULL)
    return 0;
  *type = before + 1;

  return (gsize) (member + end - *type);
}

/* Finds the bytes of a member; FALSE if they are not where they should be. */
static gboolean
find_member (const Dictionary *self,
             gsize             index,
             const guint8    **member,
             gsize            *size)
{
  gsize start = get_start (self, index);
  gsize end = get_end (self, index);

  *member = self->bytes + start;
  *size = end - start;

  return start < end && end <= (gsize) (self->ends - self->bytes) &&
         memchr (*member, '\0', *size) != NULL;
}

/* Whether the bytes alone tell that two dictionaries, each an a{sv}, are not equal: the first member that
 * is not the same in both is of one key, and has values of one type in which nothing can have an order
 * of its own. Most often it is so, where they are not. */
gboolean
amnesia_dictionary_differs (GVariant *a,
                            GVariant *b)
{
  gsize first = amnesia_dictionary_count_same (a, b);
  Dictionary dictionary_a, dictionary_b;
  const guint8 *member_a, *member_b;
  const guint8 *type_a, *type_b;
  gsize size_a, size_b, length;

  dictionary_init (&dictionary_a, a);
  dictionary_init (&dictionary_b, b);
  if (first >= dictionary_a.n || first >= dictionary_b.n ||
      !find_member (&dictionary_a, first, &member_a, &size_a) ||
      !find_member (&dictionary_b, first, &member_b, &size_b) ||
      strcmp ((const char *) member_a, (const char *) member_b) != 0)
    return FALSE;

  length = find_type (member_a, size_a, &type_a);

  return length > 0 && find_type (member_b, size_b, &type_b) == length &&
         memcmp (type_a, type_b, length) == 0 &&
         memchr (type_a, 'v', length) == NULL && memchr (type_a, '{', length) == NULL &&
         (size_a != size_b || memcmp (member_a, member_b, size_a) != 0);
}

static gboolean
is_same_member (const Dictionary *a,
                gsize             index_a,
                const Dictionary *b,
                gsize             index_b)
{
  gsize start_a = get_start (a, index_a);
  gsize start_b = get_start (b, index_b);
  gsize size = get_end (a, index_a) - start_a;

  return get_end (b, index_b) - start_b == size &&
         memcmp (a->bytes + start_a, b->bytes + start_b, size) == 0;
}

/* Finds where two dictionaries, each an a{sv} in normal form, differ: the members before @first are the
 * same in both, and so are the @n_last last ones. */
void
amnesia_dictionary_compare (GVariant *a,
                            GVariant *b,
                            gsize    *first,
                            gsize    *n_last)
{
  Dictionary dictionary_a, dictionary_b;
  gsize n;

  dictionary_init (&dictionary_a, a);
  dictionary_init (&dictionary_b, b);
  *first = amnesia_dictionary_count_same (a, b);
  n = MIN (dictionary_a.n, dictionary_b.n) - *first;
  *n_last = 0;
  while (*n_last < n &&
         is_same_member (&dictionary_a, dictionary_a.n - 1 - *n_last,
                         &dictionary_b, dictionary_b.n - 1 - *n_last))
    ++*n_last;
}

/* How many bytes a member may have, with what is between it and the next one. */
static gsize
get_max_member (const AmnesiaEntry *entry)
{
  gsize type = entry->value != NULL ? strlen (g_variant_get_type_string (entry->value)) : 0;

  return pad (strlen (entry->key) + 1) + amnesia_entry_get_size (entry) + 1 + type + 2 * 8;
}

/* What is being made: the members one after the other; the ends apart from them, as only in the end it
 * is known how wide they are. */
typedef struct
{
  guint8 *bytes; /* (owned) */
  gsize   size;
  gsize  *ends;  /* (owned) */
  gsize   n;
} Draft;

static void
draft_pad (Draft *self)
{
  while (self->size % 8 != 0)
    self->bytes[self->size++] = 0;
}

static void
draft_append (Draft         *self,
              gconstpointer  bytes,
              gsize          size)
{
  if (size > 0)
    memcpy (self->bytes + self->size, bytes, size);
  self->size += size;
}

/* The members from @from to before @to, which go on as they were. */
static void
draft_append_run (Draft            *self,
                  const Dictionary *dictionary,
                  gsize             from,
                  gsize             to)
{
  gsize start = get_start (dictionary, from);

  if (from == to)
    return;

  draft_pad (self);
  for (gsize i = from; i < to; i++)
    self->ends[self->n++] = get_end (dictionary, i) - start + self->size;
  draft_append (self, dictionary->bytes + start, get_end (dictionary, to - 1) - start);
}

/* A member "{sv}": the key, the value, a zero, its type, and where the key ends. */
static void
draft_append_member (Draft              *self,
                     const AmnesiaEntry *entry)
{
  const char *type = g_variant_get_type_string (entry->value);
  gsize key_size = strlen (entry->key) + 1;
  gsize start, width;

  draft_pad (self);
  start = self->size;
  draft_append (self, entry->key, key_size);
  draft_pad (self);
  draft_append (self, g_variant_get_data (entry->value), amnesia_entry_get_size (entry));
  self->bytes[self->size++] = 0;
  draft_append (self, type, strlen (type));

  width = choose_width (self->size - start, 1);
  put_offset (self->bytes + self->size, width, key_size);
  self->size += width;
  self->ends[self->n++] = self->size;
}

static GVariant *
draft_end (Draft *self)
{
  gsize width = choose_width (self->size, self->n);
  g_autofree gsize *ends = self->ends;
  g_autoptr (GBytes) bytes = NULL;

  for (gsize i = 0; i < self->n; i++)
    put_offset (self->bytes + self->size + i * width, width, ends[i]);
  self->size += self->n * width;
  bytes = g_bytes_new_take (g_realloc (self->bytes, self->size), self->size);

  return g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, TRUE));
}

static void
draft_init (Draft            *self,
            const Dictionary *dictionary,
            GPtrArray        *entries)
{
  gsize size = get_start (dictionary, dictionary->n);
  gsize n = dictionary->n + entries->len;

  for (guint i = 0; i < entries->len; i++)
    size += get_max_member (entries->pdata[i]);

  *self = (Draft) { .bytes = g_malloc (size + n * 8 + 1), .ends = g_new (gsize, n) };
}

/* Returns what becomes of @dictionary, an a{sv} whose members are in the order of their keys, each one
 * once, when @entries, in the same order, are laid over it: what has no value is taken out. It is in
 * normal form, as the values are. */
GVariant *
amnesia_dictionary_change (GVariant  *dictionary,
                           GPtrArray *entries)
{
  Dictionary old;
  Draft draft;
  gsize done = 0;

  dictionary_init (&old, dictionary);
  draft_init (&draft, &old, entries);
  for (guint i = 0; i < entries->len; i++)
    {
      const AmnesiaEntry *entry = entries->pdata[i];
      gboolean found;
      gsize index = find_key (&old, done, entry->key, &found);

      draft_append_run (&draft, &old, done, index);
      if (entry->value != NULL)
        draft_append_member (&draft, entry);
      done = index + (found ? 1 : 0);
    }
  draft_append_run (&draft, &old, done, old.n);

  return draft_end (&draft);
}
