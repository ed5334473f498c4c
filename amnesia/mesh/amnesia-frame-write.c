/* SPDX-License-Identifier: MIT */

/* The frame that carries values. */

#include "amnesia-frame-parts-private.h"

#include "amnesia-error-private.h"
#include "amnesia-limits-private.h"
#include "replica/amnesia-value-private.h"

#include <string.h>

static GBytes *
entry_bytes (AmnesiaEntry *entry)
{
  return entry->value != NULL ? amnesia_frame_to_little_endian (entry->value)
                              : g_bytes_new_static ("", 0);
}

static GVariant *
write_header (GPtrArray *entries)
{
  AmnesiaEntry *first = g_ptr_array_index (entries, 0);
  GVariantBuilder seen, items;
  guint i;

  g_variant_builder_init (&seen, G_VARIANT_TYPE ("a(tt)"));
  for (i = 0; i < first->n_seen; i++)
    g_variant_builder_add (&seen, "(tt)", first->seen[i].id, first->seen[i].stamp);

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(sst)"));
  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      g_variant_builder_add (&items, "(sst)", entry->key,
                             entry->value != NULL ? g_variant_get_type_string (entry->value) : "",
                             entry->value != NULL ? (guint64) g_variant_get_size (entry->value)
                                                  : G_GUINT64_CONSTANT (0));
    }
  return g_variant_new ("(tta(tt)a(sst)@a{sv})", first->stamp, first->id, &seen, &items,
                        amnesia_frame_no_extensions ());
}

/* NULL: there is no memory. */
static GBytes *
join_payloads (GPtrArray *entries)
{
  gsize total = 0;
  guint8 *joined, *at;
  guint i;

  for (i = 0; i < entries->len; i++)
    total += amnesia_frame_pad (amnesia_entry_get_size (g_ptr_array_index (entries, i)));
  if (total == 0) /* keys that are removed */
    return g_bytes_new_static ("", 0);
  at = joined = g_try_malloc0 (total);
  if (joined == NULL)
    return NULL;
  for (i = 0; i < entries->len; i++)
    {
      g_autoptr (GBytes) bytes = entry_bytes (g_ptr_array_index (entries, i));
      gsize size;
      const guint8 *data = g_bytes_get_data (bytes, &size);

      if (size > 0)
        memcpy (at, data, size);
      at += amnesia_frame_pad (size);
    }
  return g_bytes_new_take (joined, total);
}

/* @entry is all of its write. It is encoded once, however many links it leaves by. */
void
amnesia_frame_encode_entry (AmnesiaEntry  *entry,
                            AmnesiaPacket *packet)
{
  packet->payload = entry_bytes (entry);
  if (entry->wire == NULL)
    entry->wire = amnesia_frame_encode_single_head (entry);
  packet->head = g_bytes_ref (entry->wire);
}

/* @entries are all of one write: one stamp, one writer, in the order of their keys. Returns FALSE if
 * there is no memory for all of them in one piece. */
gboolean
amnesia_frame_encode_write (GPtrArray     *entries,
                            AmnesiaPacket *packet)
{
  if (entries->len == 1)
    {
      amnesia_frame_encode_entry (g_ptr_array_index (entries, 0), packet);
      return TRUE;
    }
  packet->payload = join_payloads (entries);
  if (packet->payload == NULL)
    return FALSE;
  packet->head = amnesia_frame_encode_head (AMNESIA_FRAME_WRITE, write_header (entries),
                                            g_bytes_get_size (packet->payload));
  return TRUE;
}

/* The only value of a write stays in the memory into which it was received. Of several each gets its
 * own: one that is small and stays in force would keep all of them, which nothing bounds. */
static GBytes *
take_bytes (GBytes  *payload,
            gsize    offset,
            gsize    size,
            GError **error)
{
  guint8 *own;

  if (size == g_bytes_get_size (payload))
    return g_bytes_ref (payload);
  if (size == 0 || amnesia_frame_pad (size) == g_bytes_get_size (payload))
    return g_bytes_new_from_bytes (payload, offset, size);
  own = g_try_malloc (size);
  if (own == NULL)
    {
      amnesia_set_error_plural (error, AMNESIA_ERROR_FAILED, "no memory for a value of %zu byte",
                                "no memory for a value of %zu bytes", size, size);
      return NULL;
    }
  memcpy (own, (const guint8 *) g_bytes_get_data (payload, NULL) + offset, size);
  return g_bytes_new_take (own, size);
}

/* The value is checked as something unknown, then made again as something trusted, of the same
 * bytes: GLib looks for each element of an untrusted array from its beginning, so that a reader of
 * a long list would stand still. */
static GVariant *
decode_value (const char *type,
              GBytes     *payload,
              gsize       offset,
              gsize       size,
              guint64     max_size,
              GError    **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) value = NULL;

  if (!amnesia_value_check_type (type, error))
    return NULL;
  bytes = take_bytes (payload, offset, size, error);
  if (bytes == NULL)
    return NULL;
  if (!amnesia_value_is_any (type, size) || size > max_size)
    {
      value = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE));
      if (!amnesia_value_check (value, max_size, error))
        return NULL;
      g_variant_unref (value);
    }
  value = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, TRUE));
  return amnesia_frame_from_little_endian (g_steal_pointer (&value));
}

static gboolean
decode_seen (GVariant    *header,
             AmnesiaSeen *seen,
             guint       *n_seen,
             GError     **error)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (header, 2);
  gsize i, n = g_variant_n_children (list);

  if (n > AMNESIA_MAX_SEEN)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                   "a write that has seen %" G_GSIZE_FORMAT " writers", n);
      return FALSE;
    }
  for (i = 0; i < n; i++)
    g_variant_get_child (list, i, "(tt)", &seen[i].id, &seen[i].stamp);
  *n_seen = (guint) n;
  return TRUE;
}

/* Whether it may take milliseconds to check what is in there. */
gboolean
amnesia_frame_is_slow (const AmnesiaFrame *frame)
{
  g_autoptr (GVariantIter) iter = NULL;
  guint64 size, slow = 0;
  const char *type;

  if (frame->kind != AMNESIA_FRAME_WRITE || g_bytes_get_size (frame->payload) <= AMNESIA_MAX_QUICK)
    return FALSE;
  if (frame->single != NULL)
    return !amnesia_value_is_quick (frame->single->type) && frame->single->size > AMNESIA_MAX_QUICK;
  g_variant_get_child (frame->header, 3, "a(sst)", &iter);
  while (g_variant_iter_next (iter, "(&s&st)", NULL, &type, &size))
    if (!amnesia_value_is_quick (type))
      slow += size;
  return slow > AMNESIA_MAX_QUICK;
}

/* The entry of a write of one value. */
AmnesiaEntry *
amnesia_frame_decode_single (const AmnesiaFrame  *frame,
                             guint64              max_size,
                             GError             **error)
{
  const AmnesiaSingle *single = frame->single;
  g_autoptr (GVariant) value = NULL;

  if (single->type[0] != '\0')
    {
      value = decode_value (single->type, frame->payload, 0, single->size, max_size, error);
      if (value == NULL)
        return NULL;
    }
  return amnesia_entry_new (single->key, single->stamp, single->id, value, single->seen,
                            single->n_seen);
}

static GPtrArray *
list_single (const AmnesiaFrame  *frame,
             guint64              max_size,
             GError             **error)
{
  AmnesiaEntry *entry = amnesia_frame_decode_single (frame, max_size, error);
  GPtrArray *entries;

  if (entry == NULL)
    return NULL;
  entries = amnesia_entries_new ();
  g_ptr_array_add (entries, entry);
  return entries;
}

/* Returns the entries of a write, or refuses it whole. */
GPtrArray *
amnesia_frame_decode_write (const AmnesiaFrame  *frame,
                            guint64              max_size,
                            GError             **error)
{
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_autoptr (GVariant) items = NULL;
  AmnesiaSeen seen[AMNESIA_MAX_SEEN];
  guint64 stamp, id, size;
  guint n_seen;
  const char *key, *type, *previous = NULL;
  gsize i, offset = 0;

  if (frame->entries != NULL)
    return g_ptr_array_ref (frame->entries);
  if (frame->single != NULL)
    return list_single (frame, max_size, error);
  items = g_variant_get_child_value (frame->header, 3);
  g_variant_get_child (frame->header, 0, "t", &stamp);
  g_variant_get_child (frame->header, 1, "t", &id);
  if (!decode_seen (frame->header, seen, &n_seen, error))
    return NULL;

  for (i = 0; i < g_variant_n_children (items); i++)
    {
      g_autoptr (GVariant) value = NULL;

      g_variant_get_child (items, i, "(&s&st)", &key, &type, &size);
      if (!amnesia_frame_check_key (key, previous, error))
        return NULL;
      if (*type == '\0' && size > 0)
        {
          g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "nothing, with a size");
          return NULL;
        }
      if (*type != '\0')
        {
          value = decode_value (type, frame->payload, offset, size, max_size, error);
          if (value == NULL)
            return NULL;
        }
      g_ptr_array_add (entries, amnesia_entry_new (key, stamp, id, value, seen, n_seen));
      offset += amnesia_frame_pad (size);
      previous = key;
    }
  return g_steal_pointer (&entries);
}
