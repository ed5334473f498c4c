/* SPDX-License-Identifier: MIT */

/* Where values come and go the mesh does not go through all of its links each time: that it wakes in
 * time all the same, and is told. One node, with peers of which there is nothing but their frames. */

#include "small-world.h"

#include "mesh/amnesia-limits-private.h"
#include "testlib.h"

#include <string.h>

static void
begin (void)
{
  world_begin (1);
  amnesia_mesh_update (world.nodes[0].mesh, world.now);
}

static void
append (GByteArray    *bytes,
        AmnesiaPacket *packet)
{
  static const guint8 zeros[8];

  g_byte_array_append (bytes, g_bytes_get_data (packet->head, NULL),
                       (guint) g_bytes_get_size (packet->head));
  if (packet->payload != NULL)
    {
      gsize size;
      const guint8 *data = g_bytes_get_data (packet->payload, &size);

      g_byte_array_append (bytes, data, (guint) size);
      g_byte_array_append (bytes, zeros, (guint) ((8 - size % 8) % 8));
    }
  amnesia_packet_clear (packet);
}

/* The bytes come, and @n_frames of them are dealt with. */
static void
feed (WorldEnd   *end,
      GByteArray *bytes,
      guint       n_frames)
{
  gsize size;
  guint8 *room = amnesia_stream_reserve (&end->stream, &size);

  g_assert_cmpuint (bytes->len, <=, size);
  memcpy (room, bytes->data, bytes->len);
  amnesia_stream_commit (&end->stream, bytes->len, world.now);
  while (n_frames-- > 0)
    amnesia_stream_take (&end->stream, world.now);
  amnesia_stream_rest (&end->stream, world.now);
  g_byte_array_set_size (bytes, 0);
}

static void
feed_packet (WorldEnd      *end,
             AmnesiaPacket *packet)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  append (bytes, packet);
  feed (end, bytes, 2);
}

/* A peer that has said hello, but has not listed what it has. */
static WorldEnd *
greet (WorldEnd *end,
       guint64   id)
{
  const AmnesiaHello hello = {
    .version_min = AMNESIA_PROTOCOL_MIN, .version_max = AMNESIA_PROTOCOL_MAX, .id = id, .group = (char *) "",
    .host = (char *) "", .wall = world.now.wall, .max_size = 1024,
  };
  AmnesiaPacket packet = { 0 };

  amnesia_frame_encode_hello (&hello, &packet);
  feed_packet (end, &packet);
  g_assert_true (amnesia_link_is_up (end->link));
  return end;
}

static WorldEnd *
add_peer (guint64 id)
{
  return greet (world_add_end (&world.nodes[0], NULL), id);
}

static void
feed_list (WorldEnd  *end,
           GPtrArray *entries)
{
  AmnesiaPacket packet = { 0 };

  g_assert_null (amnesia_frame_encode_list (entries, "", FALSE, &packet));
  feed_packet (end, &packet);
}

static void
feed_entry (WorldEnd     *end,
            AmnesiaEntry *entry)
{
  AmnesiaPacket packet = { 0 };

  amnesia_frame_encode_entry (entry, &packet);
  feed_packet (end, &packet);
}

static AmnesiaEntry *
make_entry (const char *key,
            guint       number)
{
  AmnesiaStamp stamp = AMNESIA_STAMP_NORMAL | ((guint64) world.now.wall / 1000) << 16;

  return amnesia_entry_new (key, stamp + number, 7, g_variant_new_uint32 (number), NULL, 0);
}

static void
update (void)
{
  amnesia_mesh_update (world.nodes[0].mesh, world.now);
}

/* Sends all that is to be sent now. */
static void
send_all (WorldEnd *end)
{
  GByteArray *bytes;

  while ((bytes = world_pull (end)) != NULL)
    g_byte_array_unref (bytes);
}

static void
test_ack (void)
{
  g_autoptr (AmnesiaEntry) first = make_entry ("", 1);
  g_autoptr (AmnesiaEntry) second = make_entry ("", 2);
  g_autoptr (GPtrArray) nothing = g_ptr_array_new ();
  GOutputVector vectors[AMNESIA_STREAM_VECTORS];
  WorldEnd *end;
  gsize size;

  g_test_summary ("A value that came while the socket took nothing is acknowledged in time");

  begin ();
  end = add_peer (7);
  feed_list (end, nothing);
  feed_entry (end, first);
  send_all (end);
  update ();

  amnesia_link_mark (end->link, "");
  g_assert_cmpint (amnesia_stream_pull (&end->stream, vectors, &size, world.now), >, 0);
  feed_entry (end, second);
  update ();
  amnesia_stream_sent (&end->stream, size, size, world.now);
  send_all (end);
  update ();
  g_assert_cmpuint (end->link->values_told, <, end->link->values_taken);
  g_assert_cmpint (world.nodes[0].armed, <=, world.now.mono + 2 * AMNESIA_ACK_INTERVAL);
  world_end ();
}

static void
test_synced (void)
{
  g_autoptr (AmnesiaEntry) base = make_entry ("", 1);
  g_autoptr (AmnesiaEntry) key = make_entry ("key", 2);
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  AmnesiaMesh *mesh;
  WorldEnd *ends[2];

  g_test_summary ("Synced at once with who has nothing else any more than what another one gave");

  begin ();
  mesh = world.nodes[0].mesh;
  ends[0] = add_peer (7);
  ends[1] = add_peer (8);
  g_ptr_array_add (entries, base);
  feed_list (ends[1], entries);
  g_ptr_array_add (entries, key);
  feed_list (ends[0], entries);
  update ();
  g_assert_cmpint (amnesia_mesh_get_state (mesh), ==, AMNESIA_MESH_SYNCING);
  feed_entry (ends[0], base);
  update ();
  g_assert_false (amnesia_link_is_synced (ends[0]->link));
  g_assert_true (amnesia_link_is_synced (ends[1]->link));
  g_assert_cmpint (amnesia_mesh_get_state (mesh), ==, AMNESIA_MESH_SYNCED);
  world_end ();
}

static void
test_synced_by_set (void)
{
  g_autoptr (AmnesiaEntry) base = make_entry ("", 1);
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  AmnesiaMesh *mesh;
  WorldEnd *end;

  g_test_summary ("Synced with the next thing that happens, if what was wanted was covered by a set");

  begin ();
  mesh = world.nodes[0].mesh;
  end = add_peer (7);
  g_ptr_array_add (entries, base);
  feed_list (end, entries);
  update ();
  g_assert_cmpint (amnesia_mesh_get_state (mesh), ==, AMNESIA_MESH_SYNCING);
  world_pass (SECOND);
  amnesia_mesh_written (mesh, amnesia_replica_write (amnesia_mesh_get_replica (mesh),
                                                     world.now.wall / 1000, "", NULL));
  update ();
  g_assert_cmpint (amnesia_mesh_get_state (mesh), ==, AMNESIA_MESH_SYNCED);
  world_end ();
}

static void
test_busy (void)
{
  g_autoptr (AmnesiaEntry) entry = make_entry ("", 1);
  g_autoptr (GPtrArray) nothing = g_ptr_array_new ();
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  GOutputVector vectors[AMNESIA_STREAM_VECTORS];
  AmnesiaPacket packet = { 0 };
  WorldEnd *end;
  gsize size;
  guint i;

  g_test_summary ("Once all is dealt with that a peer has sent, its silence counts");

  begin ();
  end = add_peer (7);
  feed_list (end, nothing);
  update ();
  /* the socket takes nothing */
  g_assert_cmpint (amnesia_stream_pull (&end->stream, vectors, &size, world.now), >, 0);
  for (i = 0; i < 2; i++)
    {
      amnesia_frame_encode_entry (entry, &packet);
      append (bytes, &packet);
    }
  feed (end, bytes, 1);
  g_assert_true (end->link->busy);
  world_pass (3 * SECOND);
  amnesia_mesh_tick (world.nodes[0].mesh, world.now);
  update ();

  while (amnesia_stream_take (&end->stream, world.now))
    ;
  amnesia_stream_rest (&end->stream, world.now);
  update ();
  g_assert_false (end->link->busy);
  g_assert_cmpint (world.nodes[0].armed, <=, world.now.mono + AMNESIA_DEAD_AFTER);
  world_end ();
}

static void
test_lost (void)
{
  g_autoptr (GPtrArray) nothing = g_ptr_array_new ();
  g_autofree char *behind = NULL;
  AmnesiaMesh *mesh;
  AmnesiaLink *link;
  WorldEnd *end;

  g_test_summary ("Who is lost just after a set, which no link knows of yet, is behind");

  world_begin (2);
  mesh = world.nodes[0].mesh;
  end = greet (world_add_end (&world.nodes[0],
                              amnesia_members_find (amnesia_mesh_get_members (mesh), "node", 2)), 7);
  feed_list (end, nothing);
  send_all (end);
  update ();
  g_assert_null (amnesia_mesh_list_behind (mesh));
  amnesia_mesh_written (mesh, amnesia_replica_write (amnesia_mesh_get_replica (mesh),
                                                     world.now.wall / 1000, "", NULL));
  link = end->link;
  world_forget_end (end);
  amnesia_mesh_remove_link (mesh, link, NULL, world.now);
  behind = amnesia_mesh_list_behind (mesh);
  g_assert_cmpstr (behind, ==, "node:2");
  world_end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/deadlines/ack", test_ack);
  g_test_add_func ("/deadlines/synced", test_synced);
  g_test_add_func ("/deadlines/synced-by-set", test_synced_by_set);
  g_test_add_func ("/deadlines/busy", test_busy);
  g_test_add_func ("/deadlines/lost", test_lost);
  return g_test_run ();
}
