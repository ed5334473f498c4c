/* SPDX-License-Identifier: MIT */

#include "wire-bytes.h"

#include <string.h>

void
wire_add_padded (GByteArray    *bytes,
                 gconstpointer  data,
                 gsize          size)
{
  static const guint8 zeros[8];

  g_byte_array_append (bytes, data, size);
  g_byte_array_append (bytes, zeros, (8 - size % 8) % 8);
}

/* Clears @packet. */
void
wire_add_packet (GByteArray    *bytes,
                 AmnesiaPacket *packet)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (packet->head, &size);

  g_byte_array_append (bytes, data, size);
  if (packet->payload != NULL)
    {
      data = g_bytes_get_data (packet->payload, &size);
      wire_add_padded (bytes, data, size);
    }
  amnesia_packet_clear (packet);
}

/* The preamble and the hello of a guest. */
GByteArray *
wire_hello (guint64 id)
{
  GByteArray *bytes = g_byte_array_new ();
  AmnesiaHello hello = raw_hello (id, 0);
  AmnesiaPacket packet;

  amnesia_frame_encode_hello (&hello, &packet);
  wire_add_packet (bytes, &packet);
  return bytes;
}

/* @entry: (nullable): all that is listed */
void
wire_add_list (GByteArray   *bytes,
               AmnesiaEntry *entry,
               gboolean      reply)
{
  AmnesiaPacket packet;

  raw_encode_list (entry, reply, &packet);
  wire_add_packet (bytes, &packet);
}

void
wire_add_entry (GByteArray   *bytes,
                AmnesiaEntry *entry)
{
  AmnesiaPacket packet;

  raw_encode_write (entry, &packet);
  wire_add_packet (bytes, &packet);
}

void
wire_add_prefix (GByteArray *bytes,
                 guint8      kind,
                 guint8      flags,
                 guint32     header,
                 guint64     payload)
{
  guint8 prefix[AMNESIA_PREFIX_SIZE] = { kind, flags };

  header = GUINT32_TO_LE (header);
  payload = GUINT64_TO_LE (payload);
  memcpy (prefix + 4, &header, sizeof header);
  memcpy (prefix + 8, &payload, sizeof payload);
  g_byte_array_append (bytes, prefix, sizeof prefix);
}

/* A write of the whole value with these bytes, which need not fit its type. */
void
wire_add_value (GByteArray    *bytes,
                AmnesiaStamp   stamp,
                const char    *type,
                gconstpointer  data,
                gsize          size)
{
  g_autoptr (GVariant) header = g_variant_ref_sink (
    g_variant_new_parsed ("(%t, %t, @a(tt) [], [('', %s, %t)], @a{sv} {})", stamp,
                          G_GUINT64_CONSTANT (7), type, (guint64) size));
  g_autoptr (GBytes) header_bytes = g_variant_get_data_as_bytes (header);
  gsize header_size = g_bytes_get_size (header_bytes);

  wire_add_prefix (bytes, AMNESIA_FRAME_WRITE, 0, header_size, (size + 7) / 8 * 8);
  wire_add_padded (bytes, g_bytes_get_data (header_bytes, NULL), header_size);
  wire_add_padded (bytes, data, size);
}

void
wire_send (RawPeer    *raw,
           GByteArray *bytes)
{
  raw_peer_send_bytes (raw, bytes->data, bytes->len);
}
