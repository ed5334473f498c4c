/* SPDX-License-Identifier: MIT */

/* What TCP does: bytes come in order or not at all, late, in pieces of any size; a reset loses what
 * is on its way; a silent cut holds it back, and nobody is told. */

#include "sim.h"

#include <string.h>

typedef struct
{
  gint64      arrival;
  GByteArray *bytes; /* (owned) (nullable) NULL: the end */
} Segment;

static void
segment_free (gpointer data)
{
  Segment *segment = data;

  g_clear_pointer (&segment->bytes, g_byte_array_unref);
  g_free (segment);
}

gint64
sim_latency (void)
{
  return sim_between (SIM_MS, sim.profile.latency);
}

gboolean
sim_is_blocked (SimNode *from,
                SimNode *to)
{
  return from != NULL && to != NULL && sim.blocked[from->index][to->index] != 0;
}

static void
end_init (SimEnd  *end,
          SimWire *wire,
          SimEnd  *other,
          SimNode *node)
{
  end->wire = wire;
  end->other = other;
  end->node = node;
  end->life = node != NULL ? node->life : 0;
  end->open = TRUE;
  end->inbox = g_byte_array_new ();
  g_queue_init (&end->segments);
}

static gboolean
is_asleep (SimNode *node)
{
  return node != NULL && node->frozen_until > sim.now;
}

/* @to: (nullable): a stranger. Who sleeps comes to it when it is old. */
SimWire *
sim_wire_new (SimNode  *from,
              SimNode  *to,
              gboolean  nearby)
{
  SimWire *wire = g_new0 (SimWire, 1);

  end_init (&wire->ends[0], wire, &wire->ends[1], from);
  end_init (&wire->ends[1], wire, &wire->ends[0], to);
  wire->nearby = nearby;
  wire->disturbed = is_asleep (from) || is_asleep (to);
  wire->latency = nearby ? SIM_MS / 10 : sim_latency ();
  g_ptr_array_add (sim.wires, wire);
  return wire;
}

void
sim_wire_free (gpointer data)
{
  SimWire *wire = data;
  guint i;

  for (i = 0; i < 2; i++)
    {
      g_byte_array_unref (wire->ends[i].inbox);
      g_queue_clear_full (&wire->ends[i].segments, segment_free);
    }
  g_free (wire);
}

/* --- on the way --- */

static void
look (gpointer data,
      guint    tag)
{
  SimEnd *end = data;

  end->due = FALSE;
  if (end->node != NULL)
    sim_node_ready (end);
}

/* Who has something to read, or to write, or is to be told of an end, looks at it. */
void
sim_end_notify (SimEnd *end)
{
  if (end->due || end->node == NULL || end->node->life != end->life)
    return;
  end->due = TRUE;
  sim_node_at (end->node, sim.now, look, end, 0);
}

static void
break_later (gpointer data,
             guint    tag)
{
  sim_end_reset (data);
}

/* Whether the network lets nothing through. */
static gboolean
is_held (SimEnd *from,
         SimEnd *to)
{
  return !from->wire->nearby && sim_is_blocked (from->node, to->node);
}

/* What comes to a closed socket is answered by a reset. */
static void
answer_reset (SimEnd *from)
{
  SimEnd *to = from->other;

  g_queue_clear_full (&from->segments, segment_free);
  if (from->open && !is_held (to, from))
    sim_at (sim.now + from->wire->latency, break_later, from, 0);
}

static void
arrive (gpointer data,
        guint    tag)
{
  SimEnd *from = data;
  SimEnd *to = from->other;
  Segment *segment;

  while ((segment = g_queue_peek_head (&from->segments)) != NULL && segment->arrival <= sim.now)
    {
      if (is_held (from, to))
        return;
      if (!to->open)
        {
          answer_reset (from);
          return;
        }
      g_queue_pop_head (&from->segments);
      if (segment->bytes != NULL)
        g_byte_array_append (to->inbox, segment->bytes->data, segment->bytes->len);
      else
        to->eof = TRUE;
      segment_free (segment);
      sim_end_notify (to);
    }
}

static void
send_segment (SimEnd     *end,
              GByteArray *bytes)
{
  Segment *segment = g_new0 (Segment, 1);
  gint64 delay = end->wire->latency;

  if (sim.profile.latency > 100 * SIM_MS)
    delay = sim_between (delay / 2, delay);
  if (bytes != NULL && sim.profile.bandwidth != 0)
    delay += bytes->len * SIM_SECOND / sim.profile.bandwidth;
  segment->bytes = bytes;
  segment->arrival = MAX (end->last_arrival, sim.now + delay);
  end->last_arrival = segment->arrival;
  g_queue_push_tail (&end->segments, segment);
  sim_at (segment->arrival, arrive, end, 0);
}

/* --- what a process can do to its end --- */

/* Returns how many bytes were taken, 0: there is no room, -1: it is broken. */
gssize
sim_end_send (SimEnd        *end,
              GOutputVector *vectors,
              int            n_vectors)
{
  GByteArray *bytes;
  gsize room = sim.profile.capacity - MIN (end->on_the_way, sim.profile.capacity);
  int i;

  if (end->broken)
    return -1;
  if (sim.profile.faults && end->node != NULL && room > 1 && sim_chance (0.1))
    room = 1 + sim_below ((guint) room - 1);
  if (room == 0)
    return 0;
  bytes = g_byte_array_new ();
  for (i = 0; i < n_vectors && bytes->len < room; i++)
    g_byte_array_append (bytes, vectors[i].buffer,
                         (guint) MIN (vectors[i].size, room - bytes->len));
  end->on_the_way += bytes->len;
  room = bytes->len;
  send_segment (end, bytes);
  return (gssize) room;
}

gsize
sim_end_read (SimEnd *end,
              guint8 *room,
              gsize   size)
{
  size = MIN (size, end->inbox->len);
  if (sim.profile.faults && size > 1 && sim_chance (0.1))
    size = 1 + sim_below ((guint) size - 1);
  memcpy (room, end->inbox->data, size);
  g_byte_array_remove_range (end->inbox, 0, (guint) size);
  end->other->on_the_way -= size;
  if (end->other->full && end->other->on_the_way <= sim.profile.capacity / 2)
    sim_end_notify (end->other);
  if (end->inbox->len > 0 || end->eof)
    sim_end_notify (end);
  return size;
}

void
sim_end_shut (SimEnd *end)
{
  if (!end->shut && !end->broken)
    send_segment (end, NULL);
  end->shut = TRUE;
}

/* @silent: the machine is gone, and nothing is said. */
void
sim_end_close (SimEnd   *end,
               gboolean  silent)
{
  if (!end->open)
    return;
  end->open = FALSE;
  if (end->broken)
    return;
  if (silent)
    g_queue_clear_full (&end->segments, segment_free);
  else if (end->inbox->len > 0)
    sim_at (sim.now + end->wire->latency, break_later, end->other, 0);
  else
    sim_end_shut (end);
}

/* The other side is gone, and what was on its way is lost. */
void
sim_end_reset (SimEnd *end)
{
  if (!end->open || end->broken)
    return;
  end->broken = TRUE;
  g_byte_array_set_size (end->inbox, 0);
  g_queue_clear_full (&end->segments, segment_free);
  sim_end_notify (end);
}

/* --- what the network can do --- */

static gboolean
joins (SimWire *wire,
       SimNode *a,
       SimNode *b)
{
  SimNode *from = wire->ends[0].node, *to = wire->ends[1].node;

  return (from == a && to == b) || (from == b && to == a);
}

/* What is sent from one to the other waits until the way is free again. */
void
sim_block (SimNode *from,
           SimNode *to)
{
  if (sim.blocked[from->index][to->index] == 0)
    sim.blocked[from->index][to->index] = sim.now;
  sim_disturb (from);
}

/* What was held back is sent again, the later the longer it lasted. */
void
sim_unblock (SimNode *from,
             SimNode *to)
{
  gint64 since = sim.blocked[from->index][to->index];
  guint i, side;

  sim.blocked[from->index][to->index] = 0;
  for (i = 0; since != 0 && i < sim.wires->len; i++)
    for (side = 0; side < 2; side++)
      {
        SimEnd *end = &((SimWire *) g_ptr_array_index (sim.wires, i))->ends[side];
        gint64 back_off = MIN (sim.now - since, 30 * SIM_SECOND);

        if (end->node == from && end->other->node == to && !g_queue_is_empty (&end->segments))
          sim_at (sim.now + sim_between (0, back_off), arrive, end, 0);
      }
}

/* All connections between the two are reset. */
void
sim_cut (SimNode *a,
         SimNode *b)
{
  guint i;

  for (i = 0; i < sim.wires->len; i++)
    {
      SimWire *wire = g_ptr_array_index (sim.wires, i);

      if (wire->nearby || !joins (wire, a, b))
        continue;
      wire->disturbed = TRUE;
      sim_end_reset (&wire->ends[0]);
      sim_end_reset (&wire->ends[1]);
    }
}

void
sim_disturb (SimNode *node)
{
  guint i;

  for (i = 0; i < sim.wires->len; i++)
    {
      SimWire *wire = g_ptr_array_index (sim.wires, i);

      if (wire->ends[0].node == node || wire->ends[1].node == node)
        wire->disturbed = TRUE;
    }
}
