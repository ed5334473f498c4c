/* SPDX-License-Identifier: MIT */

/* Frames made of an input, from any bytes to what an honest member sends; and the way through the
 * reader. */

#include "fuzz.h"

#include <string.h>

static void
append_padded (GByteArray *array,
               GBytes     *bytes)
{
  static const guint8 zeros[8];
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  if (size > 0)
    g_byte_array_append (array, data, (guint) size);
  g_byte_array_append (array, zeros, (guint) ((8 - size % 8) % 8));
}

/* A frame whose sizes are right, whatever is in it. */
GBytes *
fuzz_frame (guint8  kind,
            guint8  flags,
            GBytes *header,
            GBytes *payload)
{
  GByteArray *frame = g_byte_array_new ();
  guint8 prefix[AMNESIA_PREFIX_SIZE] = { kind, flags };
  guint32 header_size = GUINT32_TO_LE ((guint32) g_bytes_get_size (header));
  guint64 payload_size = payload != NULL ? g_bytes_get_size (payload) : 0;

  payload_size = GUINT64_TO_LE ((payload_size + 7) & ~(guint64) 7);
  memcpy (prefix + 4, &header_size, sizeof header_size);
  memcpy (prefix + 8, &payload_size, sizeof payload_size);
  g_byte_array_append (frame, prefix, sizeof prefix);
  append_padded (frame, header);
  if (payload != NULL)
    append_padded (frame, payload);
  return g_byte_array_free_to_bytes (frame);
}

/* What a link would send, without its first @skip bytes. */
GBytes *
fuzz_packet_bytes (const AmnesiaPacket *packet,
                   gsize                skip)
{
  GByteArray *all = g_byte_array_new ();
  g_autoptr (GBytes) head = g_bytes_new_from_bytes (packet->head, skip,
                                                    g_bytes_get_size (packet->head) - skip);

  append_padded (all, head);
  if (packet->payload != NULL)
    append_padded (all, packet->payload);
  return g_byte_array_free_to_bytes (all);
}

static const char *const header_types[AMNESIA_N_FRAMES] = {
  NULL, "(qqtssqxta{sv})", "(usa{sv})", "(tta(tt)a(sst)a{sv})", "(t)", "(at)", "(txxxxa{sv})",
  "(ssbba(sttt)a{sv})",
};

static GBytes *
take_hello (FuzzInput *input,
            gint64     wall)
{
  static const char *const groups[] = { "", "", "", "other" };
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autofree char *host = fuzz_take_byte (input) & 1 ? fuzz_take_text (input) : g_strdup ("node");
  AmnesiaHello hello = { AMNESIA_PROTOCOL_MIN, AMNESIA_PROTOCOL_MAX };

  hello.host = host;
  hello.group = (char *) groups[fuzz_take_byte (input) % 4];
  hello.id = fuzz_take_number (input);
  hello.port = (guint16) fuzz_take_number (input);
  hello.wall = wall + (gint8) fuzz_take_byte (input) * 2 * G_TIME_SPAN_HOUR / 3;
  hello.max_size = fuzz_take_byte (input) & 1 ? fuzz_take_number (input) : FUZZ_MAX_SIZE;
  amnesia_frame_encode_hello (&hello, &packet);
  return fuzz_packet_bytes (&packet, AMNESIA_PREAMBLE_SIZE);
}

/* One time in eight a large one, so that what bounds sizes is met. */
static GVariant *
take_value (FuzzInput *input)
{
  guint8 choice = fuzz_take_byte (input);
  g_autofree char *type = NULL;
  g_autofree guint8 *zeros = NULL;
  gsize size;

  if ((choice & 3) == 0)
    return NULL;
  if (choice >= 224)
    {
      size = fuzz_take_fixed (input, 2) % (FUZZ_MAX_SIZE + 2);
      zeros = g_malloc0 (size);
      return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, size, 1);
    }
  type = fuzz_take_type (input, 3);
  return fuzz_take_variant (input, G_VARIANT_TYPE (type), 3);
}

static int
compare_entries (gconstpointer a,
                 gconstpointer b)
{
  return strcmp ((*(AmnesiaEntry **) a)->key, (*(AmnesiaEntry **) b)->key);
}

/* A right one, up to what the values are. */
static GBytes *
take_write (FuzzInput *input,
            gint64     wall)
{
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_auto (AmnesiaPacket) packet = { 0 };
  guint64 stamp = fuzz_take_stamp (input, wall);
  guint64 id = fuzz_take_number (input);
  AmnesiaSeen seen[AMNESIA_MAX_SEEN];
  guint i, n_seen, n = 1 + fuzz_take_byte (input) % 4;

  n_seen = fuzz_take_byte (input) % (AMNESIA_MAX_SEEN + 1);
  for (i = 0; i < n_seen; i++)
    {
      seen[i].id = fuzz_take_number (input);
      seen[i].stamp = fuzz_take_stamp (input, wall);
    }
  for (i = 0; i < n; i++)
    {
      g_autofree char *key = fuzz_take_key (input);

      g_ptr_array_add (entries, amnesia_entry_new (key, stamp, id, take_value (input), seen,
                                                   n_seen));
    }
  g_ptr_array_sort (entries, compare_entries);
  amnesia_frame_encode_write (entries, &packet);
  return fuzz_packet_bytes (&packet, 0);
}

static int
compare_texts (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char **) a, *(const char **) b);
}

/* A list that is right, or nearly so. */
static GBytes *
take_list (FuzzInput *input,
           gint64     wall)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GVariant) header = NULL;
  g_autoptr (GBytes) bytes = NULL;
  guint8 flags = fuzz_take_byte (input);
  g_autofree char *from = flags & 4 ? fuzz_take_key (input) : g_strdup ("");
  g_autofree char *to = flags & 1 ? g_strdup ("") : fuzz_take_key (input);
  GVariantBuilder items;
  guint i;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(sttt)"));
  for (i = fuzz_take_byte (input) % 32; i > 0; i--)
    g_ptr_array_add (keys, fuzz_take_key (input));
  for (i = flags & 16 ? (guint) fuzz_take_fixed (input, 2) % 1400 : 0; i > 0; i--)
    g_ptr_array_add (keys, g_strdup_printf ("l%05u", i));
  if (!(flags & 8))
    g_ptr_array_sort (keys, compare_texts);
  for (i = 0; i < keys->len; i++)
    {
      guint64 stamp = fuzz_take_stamp (input, wall);
      guint64 id = fuzz_take_number (input);

      g_variant_builder_add (&items, "(sttt)", keys->pdata[i], stamp, id,
                             fuzz_take_number (input));
    }
  header = g_variant_ref_sink (g_variant_new ("(ssbba(sttt)@a{sv})", from, to, (flags & 1) != 0,
                                              (flags & 2) != 0, &items,
                                              g_variant_new_array (G_VARIANT_TYPE ("{sv}"),
                                                                   NULL, 0)));
  bytes = g_variant_get_data_as_bytes (header);
  return fuzz_frame (AMNESIA_FRAME_LIST, 0, bytes, NULL);
}

/* Kind, flags, and bytes for the header and the payload; only the sizes are right. */
GBytes *
fuzz_take_raw_frame (FuzzInput *input)
{
  guint8 kind = fuzz_take_byte (input);
  guint8 flags = fuzz_take_byte (input);
  gsize header_size = fuzz_take_fixed (input, 2);
  gsize payload_size = fuzz_take_fixed (input, 2);
  g_autoptr (GBytes) header = fuzz_take_bytes (input, header_size);
  g_autoptr (GBytes) payload = fuzz_take_bytes (input, payload_size);

  return fuzz_frame (kind, flags, header, payload);
}

/* A header of the right type, with anything in it. */
static GBytes *
take_typed_frame (FuzzInput *input,
                  guint8     kind)
{
  g_autoptr (GVariant) header =
    g_variant_ref_sink (fuzz_take_variant (input, G_VARIANT_TYPE (header_types[kind]), 3));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (header);

  return fuzz_frame (kind, 0, bytes, NULL);
}

/* One frame: its first byte says how far it is right. */
GBytes *
fuzz_take_frame (FuzzInput *input,
                 gint64     wall)
{
  guint8 choice = fuzz_take_byte (input) % 16;

  if (choice == 0)
    return fuzz_take_raw_frame (input);
  if (choice < AMNESIA_N_FRAMES)
    return take_typed_frame (input, choice);
  if (choice == AMNESIA_N_FRAMES)
    return take_hello (input, wall);
  return choice < 13 ? take_write (input, wall) : take_list (input, wall);
}

/* Gives the reader all of @bytes, @step at a time (0: as many as it has room for), and hands out
 * the frames. FALSE with an error if the stream is wrong. */
gboolean
fuzz_feed (AmnesiaReader  *reader,
           GBytes         *bytes,
           gsize           step,
           FuzzFrameFunc   func,
           gpointer        user_data,
           GError        **error)
{
  gsize size, done = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  while (done < size)
    {
      g_autoptr (GError) local_error = NULL;
      gsize n;
      guint8 *room = amnesia_reader_reserve (reader, &n);

      g_assert (room != NULL && n > 0);
      n = MIN (n, size - done);
      n = step > 0 ? MIN (n, step) : n;
      memcpy (room, data + done, n);
      amnesia_reader_commit (reader, n);
      done += n;
      while (TRUE)
        {
          g_auto (AmnesiaFrame) frame = { 0 };

          if (!amnesia_reader_next (reader, &frame, &local_error))
            break;
          g_assert_no_error (local_error);
          if (frame.kind == AMNESIA_FRAME_HELLO)
            amnesia_reader_set_greeted (reader);
          func (&frame, user_data);
        }
      if (local_error != NULL)
        {
          fuzz_check_error (local_error);
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
    }
  return TRUE;
}
