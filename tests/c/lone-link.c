/* SPDX-License-Identifier: MIT */

#include "lone-link.h"

#include "small-world.h"

#define PEER_ID 77
#define MAX_SIZE (1024 * 1024)

/* Fills @local, which is empty; the link hears what is fed to it, at the beginning of time. */
AmnesiaLink *
lone_link_new (AmnesiaLocal *local,
               const char   *group)
{
  world.now = (AmnesiaTime) { 1000 * SECOND, 1000000 * SECOND };
  *local = (AmnesiaLocal) {
    .replica = amnesia_replica_new (5),
    .group = (char *) group,
    .host = (char *) "",
    .max_size = MAX_SIZE,
    .linked = g_array_new (FALSE, FALSE, sizeof (guint64)),
  };
  return amnesia_link_new (local, "host", 1, FALSE, 0, world.now);
}

/* The peer has said hello. */
AmnesiaLink *
lone_link_new_up (AmnesiaLocal *local)
{
  AmnesiaLink *link = lone_link_new (local, "");

  lone_link_greet (link, "");
  g_assert_true (amnesia_link_is_up (link));
  return link;
}

void
lone_link_free (AmnesiaLink *link)
{
  AmnesiaLocal *local = link->local;

  amnesia_link_free (link);
  amnesia_local_forget_write (local);
  amnesia_replica_free (local->replica);
  g_array_unref (local->linked);
}

/* The peer says hello, and that it is of this group. */
void
lone_link_greet (AmnesiaLink *link,
                 const char  *group)
{
  AmnesiaHello hello = {
    1, 1, PEER_ID, (char *) group, (char *) "", 0, world.now.wall, MAX_SIZE,
  };
  g_autoptr (GError) error = NULL;
  AmnesiaPacket packet;

  amnesia_frame_encode_hello (&hello, &packet);
  g_assert_true (lone_link_feed (link, &packet, NULL, &error));
  g_assert_no_error (error);
}

/* Clears @packet. @receipt: (nullable) (out): to be cleared */
gboolean
lone_link_feed (AmnesiaLink    *link,
                AmnesiaPacket  *packet,
                AmnesiaReceipt *receipt,
                GError        **error)
{
  gboolean greeted = link->peer_id != 0;
  const guint8 *head = g_bytes_get_data (packet->head, NULL);
  g_auto (AmnesiaReceipt) own_receipt = { 0 };
  g_auto (AmnesiaFrame) frame = { 0 };
  gsize header_size, payload_size;

  if (!greeted)
    head += AMNESIA_PREAMBLE_SIZE; /* only a hello has one */
  g_assert_true (amnesia_frame_check_prefix (head, greeted, link->local->max_size, &frame.kind,
                                             &header_size, &payload_size, NULL));
  g_assert_true (amnesia_frame_read_header (&frame, head + AMNESIA_PREFIX_SIZE, header_size,
                                            payload_size, link->local->max_size, NULL));
  frame.payload = g_steal_pointer (&packet->payload);
  amnesia_packet_clear (packet);
  return amnesia_link_receive (link, &frame, world.now, receipt != NULL ? receipt : &own_receipt,
                               error);
}

/* The peer says what it has, in as many pieces as it takes. */
void
lone_link_feed_list (AmnesiaLink *link,
                     GPtrArray   *entries)
{
  g_autofree char *from = g_strdup ("");

  while (from != NULL)
    {
      g_autoptr (GError) error = NULL;
      AmnesiaPacket packet;
      char *next = amnesia_frame_encode_list (entries, from, FALSE, &packet);

      g_assert_true (lone_link_feed (link, &packet, NULL, &error));
      g_assert_no_error (error);
      g_free (from);
      from = next;
    }
}

gboolean
lone_link_feed_beat (AmnesiaLink  *link,
                     GError      **error)
{
  AmnesiaBeat beat = { .digest = 1 };
  AmnesiaPacket packet;

  amnesia_frame_encode_beat (&beat, &packet);
  return lone_link_feed (link, &packet, NULL, error);
}
