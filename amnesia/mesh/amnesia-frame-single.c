/* SPDX-License-Identifier: MIT */

/* The header of a write of one value, the whole or one key, byte by byte: such frames are most of all,
 * and to have GVariant build and take apart a tuple of tuples for each costs several times what the rest
 * does. What is read is right if writing it again gives the same bytes; all else is left to GVariant. */

#include "amnesia-frame-parts-private.h"

#include <string.h>

/* Where the parts of a serialised "(tta(tt)a(sst)a{sv})" are that has one item, and an empty
 * dictionary. */
typedef struct
{
  gsize seen_end;    /* of the a(tt), which begins at 16 */
  gsize type;        /* in the item, which begins with its key */
  gsize type_end;
  gsize number;      /* in the item: where its size is */
  gsize item_size;   /* with the two offsets of its strings */
  gsize item_width;  /* of those offsets */
  gsize items_end;   /* of the a(sst), with the one offset of its item */
  gsize items_width; /* of that offset */
  gsize size;        /* of all, with the two offsets of the arrays */
  gsize width;       /* of those offsets */
} Layout;

#define SEEN_START 16
#define MAX_HEADER \
  (SEEN_START + AMNESIA_MAX_SEEN * sizeof (AmnesiaSeen) + AMNESIA_MAX_KEY + AMNESIA_MAX_TYPE + 64)

/* Of how many bytes each of @n offsets is that stand behind @body bytes. */
static gsize
get_width (gsize body,
           gsize n)
{
  return body + n <= G_MAXUINT8 ? 1 : 2;
}

static Layout
lay_out (guint n_seen,
         gsize key_length,
         gsize type_length)
{
  Layout self;
  gsize body;

  self.seen_end = SEEN_START + n_seen * sizeof (AmnesiaSeen);
  /* the key and the type, each with its zero */
  self.type = key_length + 1;
  self.type_end = self.type + type_length + 1;
  self.number = amnesia_frame_pad (self.type_end);
  body = self.number + sizeof (guint64);
  self.item_width = get_width (body, 2);
  self.item_size = body + 2 * self.item_width;
  self.items_width = get_width (self.item_size, 1);
  self.items_end = self.seen_end + self.item_size + self.items_width;
  body = amnesia_frame_pad (self.items_end);
  self.width = get_width (body, 2);
  self.size = body + 2 * self.width;
  return self;
}

static void
put_number (guint8  *where,
            guint64  number)
{
  number = GUINT64_TO_LE (number);
  memcpy (where, &number, sizeof number);
}

static guint64
get_number (const guint8 *where)
{
  guint64 number;

  memcpy (&number, where, sizeof number);
  return GUINT64_FROM_LE (number);
}

static void
put_offset (guint8 *where,
            gsize   width,
            gsize   offset)
{
  where[0] = (guint8) offset;
  if (width > 1)
    where[1] = (guint8) (offset >> 8);
}

static gsize
get_offset (const guint8 *where,
            gsize         width)
{
  return width > 1 ? where[0] | (gsize) where[1] << 8 : where[0];
}

/* @bytes are zeros. */
static void
put_header (guint8             *bytes,
            const Layout       *layout,
            AmnesiaStamp        stamp,
            guint64             id,
            const AmnesiaSeen  *seen,
            guint               n_seen,
            const char         *key,
            const char         *type,
            guint64             size)
{
  guint8 *item = bytes + layout->seen_end;
  guint8 *offsets;
  guint i;

  put_number (bytes, stamp);
  put_number (bytes + 8, id);
  for (i = 0; i < n_seen; i++)
    {
      put_number (bytes + SEEN_START + i * sizeof *seen, seen[i].id);
      put_number (bytes + SEEN_START + i * sizeof *seen + 8, seen[i].stamp);
    }

  strcpy ((char *) item, key);
  strcpy ((char *) item + layout->type, type);
  put_number (item + layout->number, size);
  offsets = item + layout->number + sizeof (guint64);
  put_offset (offsets, layout->item_width, layout->type_end);
  put_offset (offsets + layout->item_width, layout->item_width, layout->type);
  put_offset (item + layout->item_size, layout->items_width, layout->item_size);

  offsets = bytes + layout->size - 2 * layout->width;
  put_offset (offsets, layout->width, layout->items_end);
  put_offset (offsets + layout->width, layout->width, layout->seen_end);
}

/* The prefix and the header of a write of @entry alone. */
GBytes *
amnesia_frame_encode_single_head (const AmnesiaEntry *entry)
{
  const char *type = entry->value != NULL ? g_variant_get_type_string (entry->value) : "";
  gsize size = amnesia_entry_get_size (entry);
  Layout layout = lay_out (entry->n_seen, strlen (entry->key), strlen (type));
  gsize total = AMNESIA_PREFIX_SIZE + amnesia_frame_pad (layout.size);
  guint8 *head = g_malloc0 (total);

  amnesia_frame_put_prefix (head, AMNESIA_FRAME_WRITE, layout.size, amnesia_frame_pad (size));
  put_header (head + AMNESIA_PREFIX_SIZE, &layout, entry->stamp, entry->id, entry->seen,
              entry->n_seen, entry->key, type, size);
  return g_bytes_new_take (head, total);
}

/* Copies the string that ends before @end. Returns what stands behind it, NULL if there is none, or one
 * that is too long. */
static const guint8 *
take_string (const guint8 *from,
             const guint8 *end,
             char         *string,
             gsize         max_length)
{
  gsize length = strnlen ((const char *) from, (gsize) (end - from));

  if (length > max_length || from + length == end)
    return NULL;
  memcpy (string, from, length + 1);
  return from + length + 1;
}

/* Finds what the item of the header would say if it were the only one. */
static gboolean
guess_item (const guint8  *item,
            const guint8  *end,
            AmnesiaSingle *single)
{
  const guint8 *at = take_string (item, end, single->key, AMNESIA_MAX_KEY);
  gsize number;

  if (at != NULL)
    at = take_string (at, end, single->type, AMNESIA_MAX_TYPE);
  if (at == NULL)
    return FALSE;
  number = amnesia_frame_pad ((gsize) (at - item));
  if (number + sizeof (guint64) > (gsize) (end - item))
    return FALSE;
  single->size = get_number (item + number);
  return TRUE;
}

/* Finds what the header would say if it were one of a single value. */
static gboolean
guess (const guint8  *bytes,
       gsize          size,
       AmnesiaSingle *single)
{
  gsize width = size <= G_MAXUINT8 ? 1 : 2;
  gsize seen_end;
  guint i;

  if (size < SEEN_START + 2 * width || size > MAX_HEADER)
    return FALSE;
  seen_end = get_offset (bytes + size - width, width);
  if (seen_end < SEEN_START || seen_end >= size ||
      (seen_end - SEEN_START) / sizeof (AmnesiaSeen) > AMNESIA_MAX_SEEN)
    return FALSE;

  single->stamp = get_number (bytes);
  single->id = get_number (bytes + 8);
  single->n_seen = (seen_end - SEEN_START) / sizeof (AmnesiaSeen);
  for (i = 0; i < single->n_seen; i++)
    {
      single->seen[i].id = get_number (bytes + SEEN_START + i * sizeof (AmnesiaSeen));
      single->seen[i].stamp = get_number (bytes + SEEN_START + i * sizeof (AmnesiaSeen) + 8);
    }
  return guess_item (bytes + seen_end, bytes + size, single);
}

/* Reads a header in which nothing is wrong, and which is of a single value; NULL: it is not. */
AmnesiaSingle *
amnesia_frame_read_single (const guint8 *bytes,
                           gsize         size,
                           gsize         payload_size,
                           guint64       max_size)
{
  g_autofree AmnesiaSingle *single = g_new (AmnesiaSingle, 1);
  guint8 again[MAX_HEADER];
  Layout layout;

  if (!guess (bytes, size, single))
    return NULL;
  layout = lay_out (single->n_seen, strlen (single->key), strlen (single->type));
  if (layout.size != size || single->size > max_size ||
      amnesia_frame_pad (single->size) != payload_size ||
      (single->type[0] == '\0' && single->size > 0) ||
      !g_utf8_validate (single->key, -1, NULL) || !g_str_is_ascii (single->type))
    return NULL;
  memset (again, 0, size);
  put_header (again, &layout, single->stamp, single->id, single->seen, single->n_seen, single->key,
              single->type, single->size);
  return memcmp (again, bytes, size) == 0 ? g_steal_pointer (&single) : NULL;
}
