/* SPDX-License-Identifier: MIT */

/* A process: what amnesia-transport.c and amnesia-channel.c do with sockets and sources is done here
 * with wires and events, in the same order. */

#include "sim.h"

#define HOST "node"

SimNode *sim_current;

/* The monotonic clocks of no two machines agree. */
static gint64
get_mono (SimNode *node)
{
  return sim.now + (node->index + 1) * 1000 * SIM_SECOND - node->mono_lost;
}

AmnesiaTime
sim_node_get_time (SimNode *node)
{
  gint64 passed = sim.profile.clocks == SIM_CLOCKS_FROZEN ? 0 : sim.now;
  AmnesiaTime now = {
    .mono = get_mono (node),
    .wall = 1700000000 * SIM_SECOND + passed + node->offset + (gint64) (node->drift * passed),
  };

  sim_judge_clock (now);
  return now;
}

/* --- each dispatch --- */

gboolean
sim_node_begin (SimNode *node)
{
  if (!node->open || sim.failure != NULL)
    return FALSE;
  sim_current = node;
  node->now = sim_node_get_time (node);
  amnesia_mesh_wake (node->mesh, node->now);
  return TRUE;
}

static void
forget_end (SimEnd   *end,
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

  forget_end (end, FALSE);
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

static void
flush (SimNode *node)
{
  while (node->woken->len > 0)
    {
      SimEnd *end = g_ptr_array_steal_index_fast (node->woken, node->woken->len - 1);

      end->woken = FALSE;
      if (!send_all (end))
        close_end (end, NULL);
    }
}

static void seek (SimNode *node);

void
sim_node_finish (SimNode *node)
{
  flush (node);
  amnesia_mesh_update (node->mesh, node->now);
  if (node->seek_again)
    {
      seek (node);
      amnesia_mesh_update (node->mesh, node->now);
    }
  node->seek_again = FALSE;
  flush (node);
  sim_judge_changed (node, FALSE);
  sim_judge_node (node);
}

/* --- links --- */

static void take_frames (SimEnd *end);

static void
end_check (gpointer data,
           guint    tag)
{
  SimEnd *end = data;
  g_auto (AmnesiaFrame) frame = end->slow;
  g_autoptr (GError) error = NULL;

  end->slow = (AmnesiaFrame) { 0, };
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
  while (amnesia_stream_take (&end->stream, end->node->now) &&
         !(sim.profile.faults && sim_chance (0.05)))
    ;
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

  end->link = amnesia_mesh_add_link (node->mesh, member, HOST, 999, node->now);
  end->link->channel = end;
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

static void
dial_free (gpointer data)
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

static SimNode *
find_owner (guint entry)
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
  SimNode *target = find_owner ((guint) (dial->member->port - 1) % sim.profile.n_entries);
  gint64 back = sim.now + sim_latency ();

  if (target != NULL && (sim_is_blocked (dial->node, target) ||
                         sim_is_blocked (target, dial->node)))
    back = dial->begun + AMNESIA_DIAL_TIMEOUT_S * SIM_SECOND;
  else if (target != NULL)
    {
      SimWire *wire = sim_wire_new (dial->node, target);

      dial->end = &wire->ends[0];
      sim_node_accept (&wire->ends[1]);
    }
  sim_node_at (dial->node, back, end_dial, dial, 0);
}

static void
on_dial (AmnesiaMember *member,
         gpointer       user_data)
{
  SimNode *node = user_data;
  SimDial *dial = g_new0 (SimDial, 1);

  sim_say ("%u: dials %s", node->index, member->name);
  node->n_dials++;
  dial->node = node;
  dial->member = amnesia_member_ref (member);
  dial->begun = sim.now;
  g_ptr_array_add (node->dials, dial);
  sim_node_at (node, sim.now + sim_latency (), reach, dial, 0);
}

/* --- what else the mesh asks for --- */

static void
on_wake (AmnesiaLink *link,
         gpointer     user_data)
{
  sim_node_wake_end (link->channel);
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

static void
on_hang_up (AmnesiaLink *link,
            gpointer     user_data)
{
  SimEnd *end = link->channel;

  if (end == NULL)
    return;
  if (!end->hanging_up)
    sim_node_at (user_data, sim.now + AMNESIA_LINGER, linger, end, 0);
  end->hanging_up = TRUE;
  sim_node_wake_end (end);
}

static gboolean crashing_silently;

static void
on_drop (AmnesiaLink *link,
         gpointer     user_data)
{
  if (link->channel != NULL)
    forget_end (link->channel, crashing_silently);
}

static void
tick (gpointer data,
      guint    tag)
{
  SimNode *node = data;

  if (tag != node->timer || node->armed == 0)
    return;
  if (get_mono (node) < node->armed)
    {
      sim_node_at (node, sim.now + node->armed - get_mono (node), tick, node, tag);
      return;
    }
  node->armed = 0;
  if (!sim_node_begin (node))
    return;
  amnesia_mesh_tick (node->mesh, node->now);
  sim_node_finish (node);
}

static void
on_arm (gint64   mono,
        gpointer user_data)
{
  SimNode *node = user_data;
  gint64 late = sim_between (0, 2 * SIM_MS);

  if (sim.profile.faults && !sim.ending && sim_chance (0.005))
    late = sim_between (0, 3 * SIM_SECOND);
  node->armed = mono;
  if (mono != 0)
    sim_node_at (node, sim.now + MAX (0, mono - get_mono (node)) + late, tick, node,
                 ++node->timer);
}

static void
on_seek (gpointer user_data)
{
  ((SimNode *) user_data)->seek_again = TRUE;
}

static void
on_merged (gpointer user_data)
{
  SimNode *node = user_data;

  amnesia_transitions_note (&node->transitions, amnesia_replica_get_value (node->replica), TRUE);
}

static void
on_log (const char *message,
        gpointer    user_data)
{
  sim_say ("%u: %s", ((SimNode *) user_data)->index, message);
}

static const AmnesiaMeshFuncs funcs = {
  on_dial, on_wake, on_hang_up, on_drop, on_arm, on_seek, on_merged, on_log,
};

/* --- life --- */

/* The first entry of the configuration that nobody listens on is ours. */
static void
seek (SimNode *node)
{
  guint i;

  if (node->entry >= 0)
    return;
  for (i = 0; i < sim.profile.n_entries && node->entry < 0; i++)
    if (find_owner (i) == NULL && (int) i != node->removed)
      node->entry = (int) i;
  if (node->entry >= 0)
    amnesia_mesh_set_own (node->mesh, HOST, (guint16) (node->entry + 1), FALSE, node->now);
  else
    amnesia_mesh_set_own (node->mesh, NULL, 0, TRUE, node->now);
  sim_say ("%u: is %s %d", node->index, node->entry >= 0 ? "entry" : "a guest", node->entry);
}

static void
search (gpointer data,
        guint    tag)
{
  SimNode *node = data;

  if (!sim_node_begin (node))
    return;
  seek (node);
  sim_node_finish (node);
}

static void
close_mesh (SimNode  *node,
            gboolean  silent)
{
  guint i;

  crashing_silently = silent;
  amnesia_mesh_close (node->mesh);
  crashing_silently = FALSE;
  /* accepted by the kernel, or dialled, and not looked at yet */
  for (i = 0; i < 2 * sim.wires->len; i++)
    {
      SimEnd *end = &((SimWire *) g_ptr_array_index (sim.wires, i / 2))->ends[i % 2];

      if (end->node == node && end->open)
        sim_end_close (end, silent);
    }
  node->open = FALSE;
  node->leaving = FALSE;
  node->entry = -1;
}

/* Opens, or goes on with another configuration; a close that is under way ends first. */
void
sim_node_open (SimNode *node)
{
  g_autoptr (AmnesiaSettings) settings = amnesia_settings_new ();
  gboolean was_open;
  guint i;

  if (node->leaving)
    close_mesh (node, FALSE);
  was_open = node->open;
  settings->group = g_strdup ("");
  settings->max_size = node->max_size;
  settings->clock_limit = sim.profile.clocks == SIM_CLOCKS_BEYOND ? 0 : G_TIME_SPAN_DAY;
  for (i = 0; i < sim.profile.n_entries; i++)
    if ((int) i != node->removed)
      amnesia_settings_add_entry (settings, HOST, (guint16) (1 + i));
  if (sim.profile.alias)
    amnesia_settings_add_entry (settings, HOST, (guint16) (1 + sim.profile.n_entries));
  sim_current = node;
  node->open = TRUE;
  node->leaving = FALSE;
  sim_say ("%u: opens", node->index);
  node->now = sim_node_get_time (node);
  if (was_open)
    amnesia_mesh_wake (node->mesh, node->now);
  amnesia_mesh_open (node->mesh, settings, node->now);
  if (node->entry >= 0 && node->entry != node->removed)
    amnesia_mesh_set_own (node->mesh, HOST, (guint16) (node->entry + 1), FALSE, node->now);
  else
    {
      node->entry = -1;
      sim_node_at (node, sim.now + sim_between (0, 20 * SIM_MS), search, node, 0);
    }
  sim_node_finish (node);
}

void
sim_node_start (SimNode *node)
{
  node->life++;
  node->alive = TRUE;
  if (node->life == 1 || !sim_has_mistake ("id-reused"))
    node->id = ((guint64) g_rand_int (sim.rand) << 32) | g_rand_int (sim.rand) | 1;
  node->entry = -1;
  node->frozen_until = 0;
  node->armed = 0;
  node->mesh = amnesia_mesh_new (node->id, &funcs, node, g_rand_int (sim.rand));
  node->replica = amnesia_mesh_get_replica (node->mesh);
  node->turn_begun = FALSE;
  node->ends = g_ptr_array_new ();
  node->woken = g_ptr_array_new ();
  node->dials = g_ptr_array_new_with_free_func (dial_free);
  amnesia_transitions_init (&node->transitions);
  sim_judge_begin_life (node);
  sim_node_open (node);
}

/* @silent: the whole machine. */
void
sim_node_crash (SimNode  *node,
                gboolean  silent)
{
  sim_say ("%u: dies", node->index);
  sim_disturb (node);
  close_mesh (node, silent);
  amnesia_mesh_free (node->mesh);
  node->alive = FALSE;
  node->mesh = NULL;
  g_ptr_array_unref (node->ends);
  g_ptr_array_unref (node->woken);
  g_ptr_array_unref (node->dials);
  amnesia_transitions_clear (&node->transitions);
  sim_judge_end_life (node);
}

static void
end_leaving (gpointer data,
             guint    tag)
{
  SimNode *node = data;

  if (node->leaving)
    close_mesh (node, FALSE);
}

/* Closes in order; the value stays. */
void
sim_node_leave (SimNode *node)
{
  if (!sim_node_begin (node))
    return;
  sim_say ("%u: leaves", node->index);
  sim_disturb (node);
  node->leaving = TRUE;
  node->entry = -1;
  amnesia_mesh_leave (node->mesh);
  sim_node_finish (node);
  sim_node_at (node, sim.now + AMNESIA_LINGER, end_leaving, node, 0);
}

static void
end_turn (gpointer data,
          guint    tag)
{
  SimNode *node = data;

  node->turn_begun = FALSE;
  if (sim_node_begin (node))
    sim_node_finish (node);
}

/* As amnesia_store_write () does: the first of a loop turn is sent at once. */
void
sim_node_write (SimNode    *node,
                const char *key,
                GVariant   *value)
{
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  AmnesiaEntry *entry;

  sim_current = node;
  node->now = sim_node_get_time (node);
  entry = amnesia_replica_write (node->replica, node->now.wall / 1000, key, owned);
  sim_judge_write (node, entry);
  amnesia_mesh_written (node->mesh, entry);
  if (node->open && !node->turn_begun)
    {
      node->turn_begun = TRUE;
      flush (node);
      sim_node_at (node, sim.now, end_turn, node, 0);
    }
  amnesia_transitions_note (&node->transitions, amnesia_replica_get_value (node->replica), FALSE);
  sim_judge_changed (node, TRUE);
  sim_judge_node (node);
}

void
sim_node_network_changed (SimNode *node)
{
  if (!sim_node_begin (node))
    return;
  amnesia_mesh_network_changed (node->mesh, node->now);
  sim_node_finish (node);
}
