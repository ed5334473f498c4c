/* SPDX-License-Identifier: MIT */

/* The header of a write of the whole value, byte by byte: such frames are most of all, and to have
 * GVariant build and take apart a tuple of tuples for each costs several times what the rest does.
 * What is read is right if writing it again gives the same bytes; all else is left to GVariant. */

#include "amnesia-frame-parts-private.h"

#include <string.h>

/* Where the parts of a serialised "(tta(tt)a(sst)a{sv})" are that has one item, with the key "", and
 * an empty dictionary. */
typedef struct
{
  gsize seen_end;    /* of the a(tt), which begins at 16 */
  gsize number;      /* in the item: where its size is */
  gsize item_size;   /* with the two offsets of its strings */
  gsize item_width;  /* of those offsets */
  gsize items_end;   /* of the a(sst), with the one offset of its item */
  gsize items_width; /* of that offset */
  gsize size;        /* of all, with the two offsets of the arrays */
  gsize width;       /* of those offsets */
} Layout;

#define SEEN_START 16
#define MAX_HEADER (SEEN_START + AMNESIA_MAX_SEEN * sizeof (AmnesiaSeen) + AMNESIA_MAX_TYPE + 64)

/* Of how many bytes each of @n offsets is that stand behind @body bytes. */
static gsize
get_width (gsize body,
           gsize n)
{
  return body + n <= G_MAXUINT8 ? 1 : 2;
}

static Layout
lay_out (guint n_seen,
         gsize type_length)
{
  Layout self;
  gsize body;

  self.seen_end = SEEN_START + n_seen * sizeof (AmnesiaSeen);
  /* the key and the type, each with its zero */
  self.number = amnesia_frame_pad (1 + type_length + 1);
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

  strcpy ((char *) item + 1, type);
  put_number (item + layout->number, size);
  offsets = item + layout->number + sizeof (guint64);
  put_offset (offsets, layout->item_width, 1 + strlen (type) + 1);
  put_offset (offsets + layout->item_width, layout->item_width, 1);
  put_offset (item + layout->item_size, layout->items_width, layout->item_size);

  offsets = bytes + layout->size - 2 * layout->width;
  put_offset (offsets, layout->width, layout->items_end);
  put_offset (offsets + layout->width, layout->width, layout->seen_end);
}

/* The prefix and the header of a write of @entry, which is the whole value. */
GBytes *
amnesia_frame_encode_whole_head (const AmnesiaEntry *entry)
{
  const char *type = entry->value != NULL ? g_variant_get_type_string (entry->value) : "";
  gsize size = amnesia_entry_get_size (entry);
  Layout layout = lay_out (entry->n_seen, strlen (type));
  gsize total = AMNESIA_PREFIX_SIZE + amnesia_frame_pad (layout.size);
  guint8 *head = g_malloc0 (total);

  amnesia_frame_put_prefix (head, AMNESIA_FRAME_WRITE, layout.size, amnesia_frame_pad (size));
  put_header (head + AMNESIA_PREFIX_SIZE, &layout, entry->stamp, entry->id, entry->seen,
              entry->n_seen, type, size);
  return g_bytes_new_take (head, total);
}

/* Finds what the header would say if it were one of a whole value. */
static gboolean
guess (const guint8 *bytes,
       gsize         size,
       AmnesiaWhole *whole)
{
  gsize width = size <= G_MAXUINT8 ? 1 : 2;
  gsize seen_end, type_length;
  const guint8 *type;
  guint i;

  if (size < SEEN_START + 2 * width || size > MAX_HEADER)
    return FALSE;
  seen_end = get_offset (bytes + size - width, width);
  if (seen_end < SEEN_START || seen_end + 1 >= size ||
      (seen_end - SEEN_START) / sizeof (AmnesiaSeen) > AMNESIA_MAX_SEEN)
    return FALSE;
  type = bytes + seen_end + 1;
  type_length = strnlen ((const char *) type, bytes + size - type);
  if (type_length > AMNESIA_MAX_TYPE ||
      type + amnesia_frame_pad (type_length + 2) - 1 + sizeof (guint64) > bytes + size)
    return FALSE;

  whole->stamp = get_number (bytes);
  whole->id = get_number (bytes + 8);
  whole->n_seen = (seen_end - SEEN_START) / sizeof (AmnesiaSeen);
  for (i = 0; i < whole->n_seen; i++)
    {
      whole->seen[i].id = get_number (bytes + SEEN_START + i * sizeof (AmnesiaSeen));
      whole->seen[i].stamp = get_number (bytes + SEEN_START + i * sizeof (AmnesiaSeen) + 8);
    }
  for (i = 0; i < type_length; i++)
    {
      if (type[i] > G_MAXINT8)
        return FALSE;
      whole->type[i] = (char) type[i];
    }
  whole->type[type_length] = '\0';
  whole->size = get_number (bytes + seen_end + amnesia_frame_pad (type_length + 2));
  return TRUE;
}

/* Reads a header in which nothing is wrong, and which is of a whole value; NULL: it is not. */
AmnesiaWhole *
amnesia_frame_read_whole (const guint8 *bytes,
                          gsize         size,
                          gsize         payload_size,
                          guint64       max_size)
{
  g_autofree AmnesiaWhole *whole = g_new (AmnesiaWhole, 1);
  guint8 again[MAX_HEADER];
  Layout layout;

  if (!guess (bytes, size, whole))
    return NULL;
  layout = lay_out (whole->n_seen, strlen (whole->type));
  if (layout.size != size || whole->size > max_size ||
      amnesia_frame_pad (whole->size) != payload_size ||
      (whole->type[0] == '\0' && whole->size > 0))
    return NULL;
  memset (again, 0, size);
  put_header (again, &layout, whole->stamp, whole->id, whole->seen, whole->n_seen, whole->type,
              whole->size);
  return memcmp (again, bytes, size) == 0 ? g_steal_pointer (&whole) : NULL;
}
