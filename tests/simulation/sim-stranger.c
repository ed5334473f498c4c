/* SPDX-License-Identifier: MIT */

/* Who has been let in, and says what he likes. Only what is a valid frame may change anything. */

#include "sim.h"

#define MAX_STRANGERS 3

/* All of it or nothing: bytes of two frames in one would be another value under the same stamp. */
static void
say_vectors (SimEnd        *end,
             GOutputVector *vectors,
             int            n_vectors)
{
  gsize size = 0;
  int i;

  for (i = 0; i < n_vectors; i++)
    size += vectors[i].size;
  if (end->on_the_way + size <= sim.profile.capacity)
    sim_end_send (end, vectors, n_vectors);
}

static void
say (SimEnd        *end,
     gconstpointer  bytes,
     gsize          size)
{
  GOutputVector vector = { bytes, size };

  say_vectors (end, &vector, 1);
}

static void
say_packet (SimEnd        *end,
            AmnesiaPacket *packet)
{
  static const guint8 zeros[8];
  GOutputVector vectors[AMNESIA_STREAM_VECTORS] = { 0 };

  vectors[0].buffer = g_bytes_get_data (packet->head, &vectors[0].size);
  if (packet->payload != NULL)
    vectors[1].buffer = g_bytes_get_data (packet->payload, &vectors[1].size);
  vectors[2] = (GOutputVector) { zeros, (8 - vectors[1].size % 8) % 8 };
  say_vectors (end, vectors, AMNESIA_STREAM_VECTORS);
  amnesia_packet_clear (packet);
}

static void
enter (SimNode *node)
{
  AmnesiaHello hello = {
    .version_min = AMNESIA_PROTOCOL_MIN, .version_max = AMNESIA_PROTOCOL_MAX,
    .id = g_rand_int (sim.rand) | 1, .group = (char *) "", .host = (char *) "",
    .wall = sim_node_get_time (node).wall, .max_size = SIM_MAX_SIZE,
  };
  SimWire *wire = sim_wire_new (NULL, node, FALSE);
  AmnesiaPacket packet = { 0 };

  g_ptr_array_add (sim.strangers, &wire->ends[0]);
  sim_node_accept (&wire->ends[1]);
  amnesia_frame_encode_hello (&hello, &packet);
  say_packet (&wire->ends[0], &packet);
}

static AmnesiaStamp
make_stamp (void)
{
  gint64 wall = sim.greatest_wall - sim_between (0, 100000);

  if (sim_chance (0.2))
    wall += sim_between (0, 10000);
  else if (sim_chance (0.2))
    wall += 2 * SIM_YEAR / 1000;
  return (sim_chance (0.2) ? 0 : AMNESIA_STAMP_NORMAL) | (guint64) wall << 16 | sim_below (65536);
}

static AmnesiaEntry *
make_entry (void)
{
  const AmnesiaSeen seen = { g_rand_int (sim.rand), make_stamp () };

  sim.serial++;
  return amnesia_entry_new (sim.profile.keys && sim_chance (0.5) ? "b" : "", make_stamp (),
                            (guint64) g_rand_int (sim.rand) << 32 | (guint64) sim.serial,
                            g_variant_new_int64 (-sim.serial), &seen, 1);
}

static void
say_write (SimEnd *end)
{
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  AmnesiaPacket packet = { 0 };

  g_ptr_array_add (entries, make_entry ());
  sim_judge_foreign (g_ptr_array_index (entries, 0));
  amnesia_frame_encode_write (entries, &packet);
  say_packet (end, &packet);
}

static void
say_list (SimEnd *end)
{
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_autofree char *next = NULL;
  AmnesiaPacket packet = { 0 };

  if (sim_chance (0.7))
    g_ptr_array_add (entries, make_entry ());
  next = amnesia_frame_encode_list (entries, "", sim_chance (0.5), &packet);
  say_packet (end, &packet);
}

static void
say_beat (SimEnd *end)
{
  AmnesiaBeat beat = { g_rand_int (sim.rand), sim.greatest_wall * 1000, g_rand_int (sim.rand), 0, 0 };
  AmnesiaPacket packet = { 0 };

  amnesia_frame_encode_beat (&beat, &packet);
  say_packet (end, &packet);
}

static void
say_links (SimEnd *end)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  SimNode *other = &sim.nodes[sim_below (sim.profile.n_nodes)];
  AmnesiaPacket packet = { 0 };

  g_array_append_val (ids, other->id);
  amnesia_frame_encode_links (ids, &packet);
  say_packet (end, &packet);
}

static void
say_ack (SimEnd *end)
{
  AmnesiaPacket packet = { 0 };

  amnesia_frame_encode_ack (sim_below (5), &packet);
  say_packet (end, &packet);
}

/* What somebody has sent before. */
static void
say_again (SimEnd *end)
{
  gsize size;
  gconstpointer bytes;

  if (sim.recorded->len == 0)
    return;
  bytes = g_bytes_get_data (g_ptr_array_index (sim.recorded, sim_below (sim.recorded->len)), &size);
  say (end, bytes, size);
}

static void
say_nonsense (SimEnd *end)
{
  guint8 bytes[64];
  guint i, n = 1 + sim_below (sizeof bytes);

  for (i = 0; i < n; i++)
    bytes[i] = (guint8) sim_below (256);
  say (end, bytes, n);
}

static void (*const sayings[]) (SimEnd *end) = {
  say_write, say_write, say_list, say_beat, say_links, say_ack, say_again, say_again, say_nonsense,
};

static void
leave (guint position)
{
  sim_end_close (g_ptr_array_index (sim.strangers, position), sim_chance (0.3));
  g_ptr_array_remove_index_fast (sim.strangers, position);
}

/* He reads what comes, and forgets it. */
static void
listen_to (SimEnd *end)
{
  g_autofree guint8 *bytes = g_malloc (end->inbox->len + 1);

  while (end->inbox->len > 0)
    sim_end_read (end, bytes, end->inbox->len);
}

void
sim_stranger_step (void)
{
  SimNode *node = &sim.nodes[sim_below (sim.profile.n_nodes)];
  guint position, n;

  if (sim.strangers->len < MAX_STRANGERS && node->alive && node->open && node->entry >= 0)
    enter (node);
  if (sim.strangers->len == 0)
    return;
  position = sim_below (sim.strangers->len);
  if (sim_chance (0.1))
    {
      leave (position);
      return;
    }
  if (sim_chance (0.8))
    listen_to (g_ptr_array_index (sim.strangers, position));
  for (n = sim_below (4); n > 0; n--)
    sayings[sim_below (G_N_ELEMENTS (sayings))] (g_ptr_array_index (sim.strangers, position));
}

void
sim_strangers_leave (void)
{
  while (sim.strangers->len > 0)
    leave (0);
}
