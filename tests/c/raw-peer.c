/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

#include "mesh/amnesia-reader-private.h"

#include <string.h>

#define MAX_SIZE (G_GUINT64_CONSTANT (64) * 1024 * 1024)

void
raw_frame_free (AmnesiaFrame *frame)
{
  amnesia_frame_clear (frame);
  g_free (frame);
}

static void
take_frames (RawPeer *peer)
{
  AmnesiaFrame frame = { 0 };

  while (amnesia_reader_next (peer->reader, &frame, peer->error == NULL ? &peer->error : NULL))
    {
      if (frame.kind == AMNESIA_FRAME_HELLO)
        amnesia_reader_set_greeted (peer->reader);
      g_ptr_array_add (peer->frames, g_memdup2 (&frame, sizeof frame));
      memset (&frame, 0, sizeof frame);
    }
}

static gboolean
readable_cb (GSocket      *socket,
             GIOCondition  condition,
             gpointer      user_data)
{
  RawPeer *peer = user_data;
  g_autoptr (GError) error = NULL;
  gsize size;
  guint8 *room = amnesia_reader_reserve (peer->reader, &size);
  gssize got = g_socket_receive (socket, (char *) room, size, NULL, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  if (got <= 0)
    {
      peer->closed = TRUE;
      return G_SOURCE_REMOVE;
    }
  peer->n_bytes += got;
  amnesia_reader_commit (peer->reader, got);
  take_frames (peer);
  return G_SOURCE_CONTINUE;
}

void
raw_peer_set_reading (RawPeer  *peer,
                      gboolean  reading)
{
  if (peer->source != NULL)
    {
      g_source_destroy (peer->source);
      g_clear_pointer (&peer->source, g_source_unref);
    }
  if (!reading)
    return;
  peer->source = g_socket_create_source (peer->socket, G_IO_IN, NULL);
  g_source_set_callback (peer->source, G_SOURCE_FUNC (readable_cb), peer, NULL);
  g_source_attach (peer->source, NULL);
}

/* Takes @socket. */
RawPeer *
raw_peer_new (GSocket *socket)
{
  RawPeer *peer = g_new0 (RawPeer, 1);

  g_socket_set_blocking (socket, FALSE);
  peer->socket = socket;
  peer->reader = amnesia_reader_new (MAX_SIZE);
  peer->frames = g_ptr_array_new_with_free_func ((GDestroyNotify) raw_frame_free);
  raw_peer_set_reading (peer, TRUE);
  return peer;
}

static GSocketAddress *
make_address (guint index)
{
  return g_inet_socket_address_new_from_string (test_host (), test_port (index));
}

static GSocket *
make_socket (void)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_no_error (error);
  return socket;
}

/* Connects to whoever listens at the entry with this index. The kernel accepts by itself, so this
 * does not block. */
RawPeer *
raw_peer_connect (guint index)
{
  g_autoptr (GSocketAddress) address = make_address (index);
  g_autoptr (GError) error = NULL;
  GSocket *socket = make_socket ();

  g_socket_connect (socket, address, NULL, &error);
  g_assert_no_error (error);
  return raw_peer_new (socket);
}

void
raw_peer_free (RawPeer *peer)
{
  raw_peer_set_reading (peer, FALSE);
  g_socket_close (peer->socket, NULL);
  g_object_unref (peer->socket);
  amnesia_reader_free (peer->reader);
  g_ptr_array_unref (peer->frames);
  g_clear_error (&peer->error);
  g_free (peer);
}

/* Iterates the main context while the socket takes no more; gives up quietly when the other side
 * has closed. */
void
raw_peer_send_bytes (RawPeer       *peer,
                     gconstpointer  bytes,
                     gsize          size)
{
  const char *next = bytes;

  while (size > 0 && !peer->closed)
    {
      g_autoptr (GError) error = NULL;
      gssize sent = g_socket_send (peer->socket, next, size, NULL, &error);

      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          test_pass_time (1);
          continue;
        }
      if (sent < 0)
        return;
      next += sent;
      size -= sent;
    }
}

/* Clears @packet. */
void
raw_peer_send (RawPeer       *peer,
               AmnesiaPacket *packet)
{
  static const guint8 zeros[8];
  gsize size;
  gconstpointer bytes = g_bytes_get_data (packet->head, &size);

  raw_peer_send_bytes (peer, bytes, size);
  if (packet->payload != NULL)
    {
      bytes = g_bytes_get_data (packet->payload, &size);
      raw_peer_send_bytes (peer, bytes, size);
      raw_peer_send_bytes (peer, zeros, (8 - size % 8) % 8);
    }
  amnesia_packet_clear (packet);
}

/* The hello of the member at the entry with this index, or of a guest if it is 0: the store under
 * test is there. */
AmnesiaHello
raw_hello (guint64 id,
           guint   index)
{
  return (AmnesiaHello) {
    .version_min = AMNESIA_PROTOCOL_MIN,
    .version_max = AMNESIA_PROTOCOL_MAX,
    .id = id,
    .group = (char *) "",
    .host = (char *) (index > 0 ? test_host () : ""),
    .port = (guint16) (index > 0 ? test_port (index) : 0),
    .wall = g_get_real_time (),
    .max_size = MAX_SIZE,
  };
}

void
raw_peer_send_hello (RawPeer      *peer,
                     AmnesiaHello *hello)
{
  AmnesiaPacket packet;

  amnesia_frame_encode_hello (hello, &packet);
  raw_peer_send (peer, &packet);
}

/* @entry: (nullable): all that is listed */
void
raw_encode_list (AmnesiaEntry  *entry,
                 gboolean       reply,
                 AmnesiaPacket *packet)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  g_autofree char *next = NULL;

  if (entry != NULL)
    g_ptr_array_add (entries, entry);
  next = amnesia_frame_encode_list (entries, "", reply, packet);
}

void
raw_encode_write (AmnesiaEntry  *entry,
                  AmnesiaPacket *packet)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();

  g_ptr_array_add (entries, entry);
  amnesia_frame_encode_write (entries, packet);
}

/* @entry: (nullable): all that is listed */
void
raw_peer_send_list (RawPeer      *peer,
                    AmnesiaEntry *entry,
                    gboolean      reply)
{
  AmnesiaPacket packet;

  raw_encode_list (entry, reply, &packet);
  raw_peer_send (peer, &packet);
}

void
raw_peer_send_write (RawPeer      *peer,
                     AmnesiaEntry *entry)
{
  AmnesiaPacket packet;

  raw_encode_write (entry, &packet);
  raw_peer_send (peer, &packet);
}

void
raw_peer_send_ack (RawPeer *peer,
                   guint64  count)
{
  AmnesiaPacket packet;

  amnesia_frame_encode_ack (count, &packet);
  raw_peer_send (peer, &packet);
}

/* The ids end with 0. */
void
raw_peer_send_links (RawPeer *peer,
                     guint64  id,
                     ...)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  AmnesiaPacket packet;
  va_list args;

  va_start (args, id);
  for (; id != 0; id = va_arg (args, guint64))
    g_array_append_val (ids, id);
  va_end (args);
  amnesia_frame_encode_links (ids, &packet);
  raw_peer_send (peer, &packet);
}

/* The one that comes with the hello; the next is two seconds away. */
void
raw_peer_skip_beat (RawPeer *peer)
{
  raw_frame_free (raw_peer_wait_frame (peer, AMNESIA_FRAME_BEAT));
}

void
raw_peer_send_beat (RawPeer *peer,
                    guint64  digest)
{
  AmnesiaBeat beat = { .digest = digest, .wall = g_get_real_time () };
  AmnesiaPacket packet;

  amnesia_frame_encode_beat (&beat, &packet);
  raw_peer_send (peer, &packet);
}

/* Says hello, and that it has nothing. */
void
raw_peer_greet (RawPeer *peer,
                guint64  id,
                guint    index)
{
  AmnesiaHello hello = raw_hello (id, index);

  raw_peer_send_hello (peer, &hello);
  raw_peer_send_list (peer, NULL, FALSE);
}

static const char *
raw_get_bye (AmnesiaFrame *frame)
{
  const char *message;

  g_variant_get (frame->header, "(u&s@a{sv})", NULL, &message, NULL);
  return message;
}

/* Drops all frames before the one that is waited for. */
AmnesiaFrame *
raw_peer_wait_frame (RawPeer          *peer,
                     AmnesiaFrameKind  kind)
{
  for (;;)
    {
      AmnesiaFrame *frame;

      test_until (peer->frames->len > 0 || peer->closed);
      g_assert_no_error (peer->error);
      g_assert_cmpuint (peer->frames->len, >, 0);
      frame = g_ptr_array_steal_index (peer->frames, 0);
      if (frame->kind == kind)
        return frame;
      if (frame->kind == AMNESIA_FRAME_BYE)
        g_test_message ("a goodbye instead: %s", raw_get_bye (frame));
      raw_frame_free (frame);
    }
}

/* The frame is a write of one whole value; @text: in GVariant's notation */
void
raw_assert_write (AmnesiaFrame *frame,
                  const char   *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, MAX_SIZE, &error);
  g_autofree char *got = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (entries->len, ==, 1);
  got = g_variant_print (((AmnesiaEntry *) g_ptr_array_index (entries, 0))->value, TRUE);
  g_assert_cmpstr (got, ==, text);
}

/* Waits for an acknowledgement; returns its count. */
guint64
raw_peer_wait_ack (RawPeer *peer)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (peer, AMNESIA_FRAME_ACK);
  guint64 count = amnesia_frame_decode_ack (frame);

  raw_frame_free (frame);
  return count;
}

/* Waits for a write of one whole value; @text: in GVariant's notation */
void
raw_peer_wait_write (RawPeer    *peer,
                     const char *text)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (peer, AMNESIA_FRAME_WRITE);

  raw_assert_write (frame, text);
  raw_frame_free (frame);
}

/* How many frames of a kind have come and were not taken. */
guint
raw_peer_count (RawPeer          *peer,
                AmnesiaFrameKind  kind)
{
  guint i, n = 0;

  for (i = 0; i < peer->frames->len; i++)
    n += ((AmnesiaFrame *) g_ptr_array_index (peer->frames, i))->kind == kind;
  return n;
}

void
raw_peer_wait_closed (RawPeer *peer)
{
  test_until (peer->closed);
}

/* Waits until the other side says goodbye, for this reason and with such a message. */
void
raw_peer_wait_bye (RawPeer    *peer,
                   AmnesiaBye  reason,
                   const char *pattern)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (peer, AMNESIA_FRAME_BYE);
  g_autofree char *message = NULL;
  AmnesiaBye got;

  amnesia_frame_decode_bye (frame, &got, &message);
  raw_frame_free (frame);
  g_test_message ("bye: %s", message);
  g_assert_cmpint (got, ==, reason);
  g_assert_true (g_pattern_match_simple (pattern, message));
  raw_peer_wait_closed (peer);
}

/* A write of the whole value; @text: (nullable): in GVariant's notation */
AmnesiaEntry *
raw_entry (guint64       id,
           AmnesiaStamp  stamp,
           const char   *text)
{
  g_autoptr (GVariant) value = text != NULL ? test_value (text) : NULL;

  return amnesia_entry_new ("", stamp, id, value, NULL, 0);
}

/* The stamp of a write that is made in so many milliseconds. */
AmnesiaStamp
raw_stamp (gint64 ahead_ms)
{
  return AMNESIA_STAMP_NORMAL | (guint64) (g_get_real_time () / 1000 + ahead_ms) << 16;
}

/* --- the door --- */

RawDoor *
raw_door_new (guint index)
{
  RawDoor *door = g_new0 (RawDoor, 1);
  g_autoptr (GSocketAddress) address = make_address (index);
  g_autoptr (GError) error = NULL;

  door->socket = make_socket ();
  g_socket_set_blocking (door->socket, FALSE);
  g_socket_bind (door->socket, address, TRUE, &error);
  g_assert_no_error (error);
  g_socket_listen (door->socket, &error);
  g_assert_no_error (error);
  return door;
}

void
raw_door_free (RawDoor *door)
{
  g_socket_close (door->socket, NULL);
  g_object_unref (door->socket);
  g_free (door);
}

/* Whether somebody waits to be accepted. */
gboolean
raw_door_is_knocked (RawDoor *door)
{
  return g_socket_condition_check (door->socket, G_IO_IN) & G_IO_IN;
}

RawPeer *
raw_door_accept (RawDoor *door)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket;

  test_until (raw_door_is_knocked (door));
  socket = g_socket_accept (door->socket, NULL, &error);
  g_assert_no_error (error);
  return raw_peer_new (socket);
}

/* Opens a store that is linked with a raw peer, which has greeted it. */
AmnesiaStore *
raw_door_open_store (RawPeer **peer)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);

  *peer = raw_door_accept (door);
  raw_peer_greet (*peer, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  return store;
}
