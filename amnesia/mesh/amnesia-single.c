/* SPDX-License-Identifier: MIT */

#include "amnesia-single-private.h"

#include <string.h>

/* Nearly all frames are a write of one value. GVariant makes fifty pieces of memory of such a header,
 * half of them for its type, and that takes longer than the kernel needs to bring it. Here it is put
 * together, and taken apart, as what it is, a "(tta(tt)a(sst)a{sv})" with one "(sst)" and no more:
 * numbers, texts, and behind each container the ends of its parts. What was taken apart counts only
 * if it gives the same bytes when it is put together again: so it is in normal form. All else goes
 * the long way. */

#define MAX_TEXT 256 /* with its end */

typedef struct
{
  guint8 *bytes;
  gsize   at;
} Writer;

static void
put_number (Writer *self,
            guint64 number)
{
  number = GUINT64_TO_LE (number);
  memcpy (self->bytes + self->at, &number, sizeof number);
  self->at += sizeof number;
}

static void
put_text (Writer     *self,
          const char *text)
{
  gsize size = strlen (text) + 1;

  memcpy (self->bytes + self->at, text, size);
  self->at += size;
}

static void
pad (Writer *self)
{
  while (self->at % 8 != 0)
    self->bytes[self->at++] = 0;
}

/* An end takes one byte, or two where the container with all its ends has more than 255. */
static void
put_ends (Writer *self,
          gsize   size,
          gsize   last,
          gsize   first)
{
  guint n = first > 0 ? 2 : 1;
  gsize width = size + n <= G_MAXUINT8 ? 1 : 2;
  gsize ends[] = { last, first };
  guint i;

  for (i = 0; i < n; i++)
    {
      self->bytes[self->at++] = ends[i] & 0xff;
      if (width == 2)
        self->bytes[self->at++] = (guint8) (ends[i] >> 8);
    }
}

/* Puts it into @bytes, where AMNESIA_SINGLE_MAX have room; returns its size. */
gsize
amnesia_single_encode (const AmnesiaSingle *self,
                       guint8              *bytes)
{
  Writer writer = { bytes, 0 };
  gsize items, key_end, type_end, seen_end;
  guint i;

  put_number (&writer, self->stamp);
  put_number (&writer, self->id);
  for (i = 0; i < self->n_seen; i++)
    {
      put_number (&writer, self->seen[i].id);
      put_number (&writer, self->seen[i].stamp);
    }
  items = seen_end = writer.at;

  put_text (&writer, self->key);
  key_end = writer.at - items;
  put_text (&writer, self->type);
  type_end = writer.at - items;
  pad (&writer);
  put_number (&writer, self->value_size);
  put_ends (&writer, writer.at - items, type_end, key_end);
  put_ends (&writer, writer.at - items, writer.at - items, 0);

  items = writer.at;
  pad (&writer);
  put_ends (&writer, writer.at, items, seen_end);
  return writer.at;
}

static guint64
get_number (const guint8 *bytes)
{
  guint64 number;

  memcpy (&number, bytes, sizeof number);
  return GUINT64_FROM_LE (number);
}

/* The end that is the @nth from behind in a container of that size; 0: it has none there. */
static gsize
get_end (const guint8 *bytes,
         gsize         size,
         guint         nth)
{
  gsize width = size <= G_MAXUINT8 ? 1 : 2;

  if (size < nth * width)
    return 0;
  bytes += size - nth * width;
  return width == 1 ? bytes[0] : bytes[0] | (gsize) bytes[1] << 8;
}

/* The "(sst)": all that is looked at is within its bytes. */
static gboolean
get_item (AmnesiaSingle *self,
          const guint8  *bytes,
          gsize          size)
{
  gsize key_end = get_end (bytes, size, 1);
  gsize type_end = get_end (bytes, size, 2);
  gsize number = (type_end + 7) & ~(gsize) 7;

  if (key_end < 1 || key_end > MAX_TEXT || type_end <= key_end || type_end > key_end + MAX_TEXT ||
      number + sizeof (guint64) > size || bytes[key_end - 1] != 0 || bytes[type_end - 1] != 0)
    return FALSE;
  self->key = (const char *) bytes;
  self->type = (const char *) bytes + key_end;
  self->value_size = get_number (bytes + number);
  return TRUE;
}

static gboolean
get_seen (AmnesiaSingle *self,
          const guint8  *bytes,
          gsize          size)
{
  guint i;

  if (size % sizeof (AmnesiaSeen) != 0 || size > sizeof self->seen)
    return FALSE;
  self->n_seen = (guint) (size / sizeof (AmnesiaSeen));
  for (i = 0; i < self->n_seen; i++)
    {
      self->seen[i].id = get_number (bytes + i * sizeof (AmnesiaSeen));
      self->seen[i].stamp = get_number (bytes + i * sizeof (AmnesiaSeen) + sizeof (guint64));
    }
  return TRUE;
}

static gboolean
take_apart (AmnesiaSingle *self,
            const guint8  *bytes,
            gsize          size)
{
  const gsize seen = 2 * sizeof (guint64);
  gsize seen_end = get_end (bytes, size, 1);
  gsize items_end = get_end (bytes, size, 2);
  gsize item_size;

  if (seen_end < seen || items_end <= seen_end || items_end > size)
    return FALSE;
  item_size = get_end (bytes + seen_end, items_end - seen_end, 1);
  if (item_size > items_end - seen_end)
    return FALSE;
  self->stamp = get_number (bytes);
  self->id = get_number (bytes + sizeof (guint64));
  return get_seen (self, bytes + seen, seen_end - seen) &&
         get_item (self, bytes + seen_end, item_size);
}

/* Takes @bytes apart. NULL: they are something else, or wrong. It is freed with g_free (). */
AmnesiaSingle *
amnesia_single_decode (const guint8 *bytes,
                       gsize         size)
{
  guint8 again[AMNESIA_SINGLE_MAX];
  AmnesiaSingle *self;

  if (size > AMNESIA_SINGLE_MAX)
    return NULL;
  self = g_malloc (sizeof (AmnesiaSingle) + size);
  memcpy (self->bytes, bytes, size);
  if (take_apart (self, self->bytes, size) && amnesia_single_encode (self, again) == size &&
      memcmp (again, bytes, size) == 0 && g_utf8_validate (self->key, -1, NULL) &&
      g_utf8_validate (self->type, -1, NULL))
    return self;
  g_free (self);
  return NULL;
}
