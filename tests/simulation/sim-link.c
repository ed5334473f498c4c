/* SPDX-License-Identifier: MIT */

/* What a process does with its sockets: see amnesia-channel.c and amnesia-caller.c. */

#include "sim.h"

void
sim_link_forget (SimEnd   *end,
                 gboolean  silent)
{
  end->link->channel = NULL;
  end->link = NULL;
  g_ptr_array_remove_fast (end->node->woken, end);
  g_ptr_array_remove_fast (end->node->ends, end);
  amnesia_stream_clear (&end->stream);
  amnesia_frame_clear (&end->slow);
  sim_end_close (end, silent);
}

static void
close_end (SimEnd       *end,
           const GError *error)
{
  AmnesiaLink *link = end->link;

  sim_link_forget (end, FALSE);
  amnesia_mesh_remove_link (end->node->mesh, link, error, end->node->now);
}

void
sim_node_wake_end (SimEnd *end)
{
  if (end == NULL || end->woken)
    return;
  end->woken = TRUE;
  g_ptr_array_add (end->node->woken, end);
}

/* FALSE: it is broken. */
static gboolean
send_all (SimEnd *end)
{
  GOutputVector vectors[AMNESIA_STREAM_VECTORS];
  AmnesiaTime now = end->node->now;
  gsize size;
  int n;

  end->full = FALSE;
  while (!end->shut && (n = amnesia_stream_pull (&end->stream, vectors, &size, now)) > 0)
    {
      gssize sent = sim_end_send (end, vectors, n);

      if (sent < 0)
        return FALSE;
      if (sent > 0)
        amnesia_stream_sent (&end->stream, (gsize) sent, size, now);
      end->full = sent < (gssize) size;
      if (end->full)
        return TRUE;
    }
  if (end->hanging_up)
    sim_end_shut (end);
  return TRUE;
}

void
sim_node_flush (SimNode *node)
{
  amnesia_mesh_spread (node->mesh);
  while (node->woken->len > 0)
    {
      SimEnd *end = g_ptr_array_steal_index_fast (node->woken, node->woken->len - 1);

      end->woken = FALSE;
      if (!send_all (end))
        close_end (end, NULL);
    }
}

/* --- links --- */

SimEnd *sim_receiving;

static void take_frames (SimEnd *end);

static void
end_check (gpointer data,
           guint    tag)
{
  SimEnd *end = data;
  g_auto (AmnesiaFrame) frame = end->slow;
  g_autoptr (GError) error = NULL;

  end->slow = (AmnesiaFrame) { 0 };
  if (end->link == NULL || !sim_node_begin (end->node))
    return;
  frame.entries = amnesia_frame_decode_write (&frame, end->node->max_size, &error);
  amnesia_stream_checked (&end->stream, &frame, error, end->node->now);
  take_frames (end);
  sim_node_finish (end->node);
}

/* Where there are faults, what has come may be too much for one turn. */
static void
take_frames (SimEnd *end)
{
  sim_receiving = end;
  while (amnesia_stream_take (&end->stream, end->node->now) &&
         !(sim.profile.faults && sim_chance (0.05)))
    ;
  sim_receiving = NULL;
  if (amnesia_stream_pop_slow (&end->stream, &end->slow))
    sim_node_at (end->node, sim.now + sim_between (SIM_MS, 300 * SIM_MS), end_check, end, 0);
  else if (end->stream.more && !end->stream.checking)
    sim_end_notify (end);
  amnesia_stream_rest (&end->stream, end->node->now);
  if (!end->stream.more && (end->inbox->len > 0 || end->eof || end->broken))
    sim_end_notify (end);
}

static gboolean
receive (SimEnd *end)
{
  gsize size;
  guint8 *room;

  if (end->broken)
    return FALSE;
  if (end->stream.checking)
    return TRUE;
  if (end->stream.more)
    {
      take_frames (end);
      return TRUE;
    }
  room = amnesia_stream_reserve (&end->stream, &size);
  if (room == NULL)
    return FALSE;
  if (end->inbox->len > 0)
    {
      size = sim_end_read (end, room, size);
      end->heard = sim.now;
      amnesia_stream_commit (&end->stream, size, end->node->now);
      take_frames (end);
    }
  else if (end->eof)
    return FALSE;
  return TRUE;
}

/* Something can be read or written. */
void
sim_node_ready (SimEnd *end)
{
  g_autoptr (GError) error = NULL;

  if (end->link == NULL || !sim_node_begin (end->node))
    return;
  if (!receive (end))
    {
      if (!end->broken && end->inbox->len == 0)
        amnesia_stream_end (&end->stream, &error);
      close_end (end, error);
    }
  else if (end->full)
    sim_node_wake_end (end);
  sim_node_finish (end->node);
}

static void
add_link (SimEnd        *end,
          AmnesiaMember *member)
{
  SimNode *node = end->node;
  guint16 port = end->wire->nearby && member != NULL ? member->port : 999;

  end->link = amnesia_mesh_add_link (node->mesh, member, SIM_HOST, port, end->wire->nearby,
                                     node->now);
  end->link->channel = end;
  end->heard = sim.now;
  g_ptr_array_add (node->ends, end);
  amnesia_stream_init (&end->stream, node->mesh, end->link, node->max_size);
  sim_node_wake_end (end);
}

static void
accept_end (gpointer data,
            guint    tag)
{
  SimEnd *end = data;
  SimNode *node = end->node;

  if (!end->open || end->broken)
    return;
  if (!sim_node_begin (node))
    {
      sim_end_close (end, FALSE);
      return;
    }
  if ((sim.profile.faults && !sim.ending && sim_chance (0.05)) ||
      !amnesia_mesh_make_room (node->mesh, node->now))
    sim_end_close (end, FALSE);
  else
    add_link (end, NULL);
  sim_node_finish (node);
  if (end->inbox->len > 0 || end->eof)
    sim_node_ready (end);
}

/* The kernel has let it in; the process comes to it when it runs. */
void
sim_node_accept (SimEnd *end)
{
  sim_node_at (end->node, sim.now, accept_end, end, 0);
}

/* --- dials --- */

void
sim_dial_free (gpointer data)
{
  SimDial *dial = data;

  amnesia_member_unref (dial->member);
  g_free (dial);
}

static gboolean
is_wanted (SimDial *dial)
{
  return dial->node->open && !dial->node->leaving &&
         g_ptr_array_find (amnesia_mesh_get_members (dial->node->mesh)->list, dial->member, NULL);
}

static void
end_dial (gpointer data,
          guint    tag)
{
  SimDial *dial = data;
  SimNode *node = dial->node;
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no answer");

  if (is_wanted (dial) && sim_node_begin (node))
    {
      if (dial->end != NULL && !dial->end->broken)
        add_link (dial->end, dial->member);
      else
        amnesia_mesh_dial_failed (node->mesh, dial->member, error, node->now);
      sim_node_finish (node);
      if (dial->end != NULL && dial->end->link != NULL && dial->end->inbox->len > 0)
        sim_node_ready (dial->end);
    }
  else if (dial->end != NULL)
    sim_end_close (dial->end, FALSE);
  g_ptr_array_remove_fast (node->dials, dial);
}

SimNode *
sim_find_owner (guint entry)
{
  guint i;

  for (i = 0; i < sim.profile.n_nodes; i++)
    if (sim.nodes[i].alive && sim.nodes[i].open && !sim.nodes[i].leaving &&
        sim.nodes[i].entry == (int) entry)
      return &sim.nodes[i];
  return NULL;
}

/* The first packet comes to the machine of that entry. */
static void
reach (gpointer data,
       guint    tag)
{
  SimDial *dial = data;
  SimNode *target = sim_find_owner ((guint) (dial->member->port - 1) % sim.profile.n_entries);
  gint64 back = sim.now + sim_latency ();

  if (target != NULL && (sim_is_blocked (dial->node, target) ||
                         sim_is_blocked (target, dial->node)))
    back = dial->begun + AMNESIA_DIAL_TIMEOUT_S * SIM_SECOND;
  else if (target != NULL)
    {
      SimWire *wire = sim_wire_new (dial->node, target, FALSE);

      dial->end = &wire->ends[0];
      sim_node_accept (&wire->ends[1]);
    }
  sim_node_at (dial->node, back, end_dial, dial, 0);
}

static gboolean
is_nearby (SimNode *a,
           SimNode *b)
{
  return b != NULL && a != b && (sim.seed % 2 == 0 || a->index / 2 == b->index / 2);
}

/* Whose socket lies under the name of the member: most often his own, but it may be of another one of
 * that machine, or of somebody who says nothing. Connecting takes no time. FALSE: there is none. */
static gboolean
find_local_way (SimDial *dial)
{
  SimNode *target = sim_find_owner ((guint) (dial->member->port - 1) % sim.profile.n_entries);
  gboolean mistaken = !sim.ending && sim_chance (0.15);
  SimNode *other = mistaken ? &sim.nodes[sim_below (sim.profile.n_nodes)] : target;
  SimWire *wire;

  if (!is_nearby (dial->node, target) || sim_chance (0.3))
    return FALSE;
  if (mistaken && (!other->open || other->entry < 0 || !is_nearby (dial->node, other)))
    other = NULL;
  sim_say ("%u: has a local way to %s, which is %s", dial->node->index, dial->member->name,
           other == target ? "its own" : other != NULL ? "another's" : "silent");
  wire = sim_wire_new (dial->node, other, TRUE);
  wire->mistaken = other != target;
  dial->end = &wire->ends[0];
  if (other != NULL)
    sim_node_accept (&wire->ends[1]);
  sim_node_at (dial->node, sim.now, end_dial, dial, 0);
  return TRUE;
}

static SimDial *
add_dial (SimNode       *node,
          AmnesiaMember *member)
{
  SimDial *dial = g_new0 (SimDial, 1);

  node->n_dials++;
  dial->node = node;
  dial->member = amnesia_member_ref (member);
  dial->begun = sim.now;
  g_ptr_array_add (node->dials, dial);
  return dial;
}

void
sim_node_shorten (AmnesiaMember *member,
                  gpointer       user_data)
{
  SimNode *node = user_data;
  SimDial *dial;

  if (!sim.profile.nearby)
    return;
  dial = add_dial (node, member);
  if (!find_local_way (dial))
    g_ptr_array_remove_fast (node->dials, dial);
}

void
sim_node_dial (AmnesiaMember *member,
               gpointer       user_data)
{
  SimNode *node = user_data;
  SimDial *dial = add_dial (node, member);

  sim_say ("%u: dials %s", node->index, member->name);
  if (sim.profile.nearby && !member->skip_local && find_local_way (dial))
    return;
  sim_node_at (node, sim.now + sim_latency (), reach, dial, 0);
}

static void
linger (gpointer data,
        guint    tag)
{
  SimEnd *end = data;

  if (end->link == NULL || !sim_node_begin (end->node))
    return;
  close_end (end, NULL);
  sim_node_finish (end->node);
}

void
sim_node_hang_up (AmnesiaLink *link,
                  gpointer     user_data)
{
  SimEnd *end = link->channel;

  if (end == NULL)
    return;
  if (!end->hanging_up)
    sim_judge_hang_up (end);
  if (!end->hanging_up)
    sim_node_at (user_data, sim.now + AMNESIA_LINGER, linger, end, 0);
  end->hanging_up = TRUE;
  sim_node_wake_end (end);
}
