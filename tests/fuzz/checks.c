/* SPDX-License-Identifier: MIT */

/* What has to hold of whatever the library has accepted, written down a second time and in
 * another way than the library does it. */

#include "fuzz.h"

#include "amnesia-error.h"
#include "replica/amnesia-value-private.h"

#include <string.h>

void
fuzz_check_error (const GError *error)
{
  g_assert_nonnull (error);
  g_assert_true (error->domain == AMNESIA_ERROR);
  g_assert_cmpstr (error->message, !=, "");
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
check_keys (GVariant *dictionary)
{
  gsize i, n = g_variant_n_children (dictionary);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
                                                       (GDestroyNotify) g_bytes_unref, NULL);

  for (i = 0; i < n; i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (dictionary, i);
      g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);

      g_assert_true (g_hash_table_add (seen, g_variant_get_data_as_bytes (key)));
    }
}

static void
walk (GVariant *value,
      guint     depth)
{
  const char *type = g_variant_get_type_string (value);
  gsize i, n;

  g_assert_true (g_variant_type_is_definite (g_variant_get_type (value)));
  g_assert_null (strchr (type, 'h'));
  g_assert_cmpuint (strlen (type), <=, 255);
  if (!g_variant_is_container (value))
    return;
  g_assert_cmpuint (depth, <, 64);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_DICTIONARY))
    check_keys (value);
  n = g_variant_n_children (value);
  for (i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);

      walk (child, depth + 1);
    }
}

/* @value came through the library's check. */
void
fuzz_check_value (GVariant *value,
                  guint64   max_size)
{
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (value);
  g_autoptr (GVariant) again = NULL;

  g_assert_cmpuint (g_variant_get_size (value), <=, max_size);
  walk (value, 0);
  /* what GLib says of the bytes alone */
  again = g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (value), bytes, FALSE));
  g_assert_true (g_variant_is_normal_form (again));
}

/* --- frames that can be encoded again --- */

static void
check_same (const AmnesiaFrame *frame,
            AmnesiaPacket      *packet,
            gsize               skip)
{
  gsize size = g_bytes_get_size (packet->head);
  const guint8 *head = g_bytes_get_data (packet->head, NULL);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) header = NULL;
  guint32 header_size;

  memcpy (&header_size, head + skip + 4, sizeof header_size);
  g_assert_cmpuint (head[skip], ==, frame->kind);
  g_assert_cmpuint (GUINT32_FROM_LE (header_size), <=, size - skip - AMNESIA_PREFIX_SIZE);
  bytes = g_bytes_new_from_bytes (packet->head, skip + AMNESIA_PREFIX_SIZE,
                                  GUINT32_FROM_LE (header_size));
  header = g_variant_new_from_bytes (g_variant_get_type (frame->header), bytes, FALSE);
  g_variant_ref_sink (header);
  g_assert_true (g_variant_is_normal_form (header));
}

/* All but the extensions, which nobody knows yet. */
static gboolean
has_extensions (GVariant *header)
{
  gsize n = g_variant_n_children (header);
  g_autoptr (GVariant) last = g_variant_get_child_value (header, n - 1);

  return g_variant_is_of_type (last, G_VARIANT_TYPE_VARDICT) && g_variant_n_children (last) > 0;
}

static void
check_again (AmnesiaFrame  *frame,
             AmnesiaPacket *packet,
             gsize          skip)
{
  g_autoptr (GBytes) sent = fuzz_packet_bytes (packet, skip);
  g_autoptr (GVariant) header = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize size = g_variant_get_size (frame->header);

  check_same (frame, packet, skip);
  if (has_extensions (frame->header))
    return;
  /* header types are the same, normal form is unique: so must the bytes be */
  bytes = g_bytes_new_from_bytes (sent, AMNESIA_PREFIX_SIZE, size);
  header = g_variant_new_from_bytes (g_variant_get_type (frame->header), bytes, FALSE);
  g_variant_ref_sink (header);
  g_assert_cmpvariant (header, frame->header);
}

static void
check_hello (AmnesiaFrame *frame)
{
  g_auto (AmnesiaHello) hello = { 0 };
  g_auto (AmnesiaPacket) packet = { 0 };

  amnesia_frame_decode_hello (frame, &hello);
  amnesia_frame_encode_hello (&hello, &packet);
  check_again (frame, &packet, AMNESIA_PREAMBLE_SIZE);
}

static void
check_bye (AmnesiaFrame *frame)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autofree char *message = NULL;
  AmnesiaBye reason;

  amnesia_frame_decode_bye (frame, &reason, &message);
  amnesia_frame_encode_bye (reason, message, &packet);
  check_again (frame, &packet, 0);
}

/* What the writer had seen is sorted at the receiver; only the rest comes back as it was. */
static void
check_write (AmnesiaFrame *frame,
             guint64       max_size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, max_size, &error);
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autoptr (GVariant) items = g_variant_get_child_value (frame->header, 3);
  guint64 total = 0;
  guint i;

  if (entries == NULL)
    {
      fuzz_check_error (error);
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpuint (entries->len, ==, g_variant_n_children (items));
  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      g_assert_cmpuint (strlen (entry->key), <=, 255);
      g_assert_cmpuint (entry->n_seen, <=, AMNESIA_MAX_SEEN);
      total += (amnesia_entry_get_size (entry) + 7) & ~(guint64) 7;
      if (entry->value != NULL)
        fuzz_check_value (entry->value, max_size);
    }
  g_assert_cmpuint (total, ==, g_bytes_get_size (frame->payload));
  amnesia_frame_encode_write (entries, &packet);
  check_same (frame, &packet, 0);
}

static void
check_list (AmnesiaFrame *frame)
{
  g_auto (AmnesiaList) list = { 0 };
  g_autoptr (GError) error = NULL;
  guint i;

  if (!amnesia_frame_decode_list (frame, &list, &error))
    {
      fuzz_check_error (error);
      return;
    }
  for (i = 0; i < list.items->len; i++)
    {
      AmnesiaListItem *item = &g_array_index (list.items, AmnesiaListItem, i);

      g_assert_cmpuint (strlen (item->key), <=, 255);
      if (i > 0)
        g_assert_cmpstr ((item - 1)->key, <, item->key);
    }
}

static void
check_numbers (AmnesiaFrame *frame)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autoptr (GArray) ids = NULL;
  AmnesiaBeat beat;

  if (frame->kind == AMNESIA_FRAME_ACK)
    amnesia_frame_encode_ack (amnesia_frame_decode_ack (frame), &packet);
  else if (frame->kind == AMNESIA_FRAME_LINKS)
    {
      ids = amnesia_frame_decode_links (frame);
      g_assert_cmpuint (ids->len, <=, 512);
      amnesia_frame_encode_links (ids, &packet);
    }
  else
    {
      amnesia_frame_decode_beat (frame, &beat);
      amnesia_frame_encode_beat (&beat, &packet);
    }
  check_again (frame, &packet, 0);
}

/* What was read without GVariant, as GVariant makes it. */
static void
make_header (AmnesiaFrame *frame)
{
  AmnesiaSingle *single = frame->single;
  GVariantBuilder seen;
  guint i;

  if (frame->kind == AMNESIA_FRAME_ACK && frame->header == NULL)
    frame->header = g_variant_ref_sink (g_variant_new ("(t)", frame->numbers[0]));
  if (frame->kind == AMNESIA_FRAME_BEAT && frame->header == NULL)
    frame->header = g_variant_ref_sink (
      g_variant_new ("(txxxx@a{sv})", frame->numbers[0], frame->numbers[1], frame->numbers[2],
                     frame->numbers[3], frame->numbers[4],
                     g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));
  if (single == NULL)
    return;
  g_variant_builder_init (&seen, G_VARIANT_TYPE ("a(tt)"));
  for (i = 0; i < single->n_seen; i++)
    g_variant_builder_add (&seen, "(tt)", single->seen[i].id, single->seen[i].stamp);
  frame->header = g_variant_new ("(tta(tt)@a(sst)@a{sv})", single->stamp, single->id, &seen,
                                 g_variant_new_parsed ("[(%s, %s, %t)]", single->key, single->type,
                                                       single->size),
                                 g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
  g_variant_ref_sink (frame->header);
}

/* @frame came out of the reader: it can be decoded, and encoded again as it was. */
void
fuzz_check_frame (AmnesiaFrame *frame,
                  guint64       max_size)
{
  make_header (frame);
  g_assert_true (g_variant_is_normal_form (frame->header));
  g_assert_true (frame->kind == AMNESIA_FRAME_WRITE || g_bytes_get_size (frame->payload) == 0);
  switch (frame->kind)
    {
    case AMNESIA_FRAME_HELLO:
      check_hello (frame);
      break;
    case AMNESIA_FRAME_BYE:
      check_bye (frame);
      break;
    case AMNESIA_FRAME_WRITE:
      check_write (frame, max_size);
      break;
    case AMNESIA_FRAME_LIST:
      check_list (frame);
      break;
    default:
      check_numbers (frame);
    }
}

/* What keys make, which the library writes and reads as bytes: the same as GLib makes of the members, in
 * the order of their keys. */
void
fuzz_check_dictionary (GVariant *value)
{
  g_autoptr (GVariant) right = NULL;
  GVariantBuilder builder;
  GVariantIter iter;
  GVariant *member;
  const char *key, *previous = NULL;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_iter_init (&iter, value);
  while ((member = g_variant_iter_next_value (&iter)) != NULL)
    {
      g_variant_get_child (member, 0, "&s", &key);
      g_assert_true (previous == NULL || strcmp (previous, key) < 0);
      previous = key;
      g_variant_builder_add_value (&builder, member);
      g_variant_unref (member);
    }
  right = g_variant_ref_sink (g_variant_builder_end (&builder));
  g_assert_cmpmem (g_variant_get_data (value), g_variant_get_size (value),
                   g_variant_get_data (right), g_variant_get_size (right));
}
