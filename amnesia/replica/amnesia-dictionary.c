/* SPDX-License-Identifier: MIT */

#include "amnesia-dictionary-private.h"

#include <string.h>

/* Of all containers that hold a variant. */
#define ALIGNMENT 8

typedef struct
{
  const char *key;   /* without a value: the bytes of the whole member */
  gsize       size;  /* of the member */
  GVariant   *value; /* (unowned) (nullable) */
} Part;

static gsize
align (gsize size)
{
  return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* How many bytes each offset has at the end of a container with so many of them. */
static gsize
get_offset_size (gsize body,
                 gsize n_offsets)
{
  if (body + n_offsets <= G_MAXUINT8)
    return 1;
  if (body + 2 * n_offsets <= G_MAXUINT16)
    return 2;
  if (body + 4 * n_offsets <= G_MAXUINT32)
    return 4;

  return 8;
}

static void
write_offset (guint8 *bytes,
              gsize   offset,
              gsize   offset_size)
{
  guint64 little = GUINT64_TO_LE ((guint64) offset);

  memcpy (bytes, &little, offset_size);
}

/* A member is the key, padded, and a variant: the value, a zero and its type. It ends with where the key
 * ends. */
static gsize
get_body_size (const Part *part)
{
  return align (strlen (part->key) + 1) + g_variant_get_size (part->value) + 1
         + strlen (g_variant_get_type_string (part->value));
}

static void
write_value (const Part *part,
             guint8     *bytes)
{
  const char *type = g_variant_get_type_string (part->value);
  gsize key_size = strlen (part->key) + 1;
  gsize value_size = g_variant_get_size (part->value);
  gsize body = get_body_size (part);
  guint8 *variant = bytes + align (key_size);

  memcpy (bytes, part->key, key_size);
  memset (bytes + key_size, 0, align (key_size) - key_size);
  g_variant_store (part->value, variant);
  variant[value_size] = '\0';
  memcpy (variant + value_size + 1, type, strlen (type));
  write_offset (bytes + body, key_size, get_offset_size (body, 1));
}

static void
write_part (const Part *part,
            guint8     *bytes)
{
  if (part->value != NULL)
    write_value (part, bytes);
  else
    memcpy (bytes, part->key, part->size);
}

static gsize
read_offset (const guint8 *bytes,
             gsize         offset_size)
{
  guint64 little = 0;

  memcpy (&little, bytes, offset_size);

  return (gsize) GUINT64_FROM_LE (little);
}

void
amnesia_dictionary_reader_init (AmnesiaDictionaryReader *self,
                                GVariant                *dictionary)
{
  gsize size = g_variant_get_size (dictionary);

  *self = (AmnesiaDictionaryReader) { .data = g_variant_get_data (dictionary) };
  if (size == 0)
    return;
  self->offset_size = get_offset_size (size, 0);
  self->body = read_offset (self->data + size - self->offset_size, self->offset_size);
  self->n_members = (size - self->body) / self->offset_size;
}

/* Returns the bytes of a member, which begin with its key. */
const char *
amnesia_dictionary_reader_get (AmnesiaDictionaryReader *self,
                               gsize                    position,
                               gsize                   *size)
{
  const guint8 *offset = self->data + self->body + position * self->offset_size;
  gsize start = position > 0 ? align (read_offset (offset - self->offset_size, self->offset_size)) : 0;

  *size = read_offset (offset, self->offset_size) - start;

  return (const char *) self->data + start;
}

void
amnesia_dictionary_writer_init (AmnesiaDictionaryWriter *self,
                                guint                    n_reserved)
{
  self->parts = g_array_sized_new (FALSE, FALSE, sizeof (Part), n_reserved);
}

/* @member is one of another dictionary, which has to live until the end, as the others have to. */
void
amnesia_dictionary_writer_add_member (AmnesiaDictionaryWriter *self,
                                      const char              *member,
                                      gsize                    size)
{
  const Part part = { member, size, NULL };

  g_array_append_val (self->parts, part);
}

void
amnesia_dictionary_writer_add (AmnesiaDictionaryWriter *self,
                               const char              *key,
                               GVariant                *value)
{
  Part part = { key, 0, value };
  gsize body = get_body_size (&part);

  part.size = body + get_offset_size (body, 1);
  g_array_append_val (self->parts, part);
}

/* Returns what has been added, in that order. An array is its members, each aligned, and then where each
 * of them ends. */
GVariant *
amnesia_dictionary_writer_end (AmnesiaDictionaryWriter *self)
{
  g_autoptr (GArray) owned = g_steal_pointer (&self->parts);
  const Part *parts = (const Part *) (gpointer) owned->data;
  g_autoptr (GBytes) bytes = NULL;
  gsize body = 0, end = 0, offset_size;
  guint8 *data;

  for (guint i = 0; i < owned->len; i++)
    body = align (body) + parts[i].size;
  offset_size = get_offset_size (body, owned->len);
  data = g_malloc (body + offset_size * owned->len);

  for (guint i = 0; i < owned->len; i++)
    {
      memset (data + end, 0, align (end) - end);
      write_part (&parts[i], data + align (end));
      end = align (end) + parts[i].size;
      write_offset (data + body + i * offset_size, end, offset_size);
    }
  bytes = g_bytes_new_take (data, body + offset_size * owned->len);

  return g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, TRUE));
}
