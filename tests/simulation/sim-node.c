/* SPDX-License-Identifier: MIT */

/* A process: what amnesia-transport.c does with sockets and sources is done here with wires and
 * events, in the same order. */

#include "sim.h"

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

static void seek (SimNode *node);

void
sim_node_finish (SimNode *node)
{
  sim_node_flush (node);
  amnesia_mesh_update (node->mesh, node->now);
  if (node->seek_again)
    {
      seek (node);
      amnesia_mesh_update (node->mesh, node->now);
    }
  node->seek_again = FALSE;
  sim_node_flush (node);
  sim_judge_changed (node, FALSE);
  sim_judge_node (node);
}

/* --- what else the mesh asks for --- */

static void
on_wake (AmnesiaLink *link,
         gpointer     user_data)
{
  sim_node_wake_end (link->channel);
}

static gboolean crashing_silently;

static void
on_drop (AmnesiaLink *link,
         gpointer     user_data)
{
  if (link->channel != NULL)
    sim_link_forget (link->channel, crashing_silently);
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
  sim_node_dial, sim_node_shorten, on_wake, sim_node_hang_up, on_drop, on_arm, on_seek, on_merged, on_log,
};

/* --- life --- */

/* The first entry of the configuration that nobody listens on is ours. */
static void
seek (SimNode *node)
{
  guint i;

  node->guest = FALSE;
  if (node->entry >= 0)
    return;
  for (i = 0; i < sim.profile.n_entries && node->entry < 0; i++)
    if (sim_find_owner (i) == NULL && (int) i != node->removed)
      node->entry = (int) i;
  if (node->entry >= 0)
    amnesia_mesh_set_own (node->mesh, SIM_HOST, (guint16) (node->entry + 1), FALSE, node->now);
  else
    {
      amnesia_mesh_set_own (node->mesh, NULL, 0, TRUE, node->now);
      node->guest = TRUE;
    }
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
      amnesia_settings_add_entry (settings, SIM_HOST, (guint16) (1 + i));
  if (sim.profile.alias)
    amnesia_settings_add_entry (settings, SIM_HOST, (guint16) (1 + sim.profile.n_entries));
  sim_current = node;
  node->open = TRUE;
  node->guest = FALSE;
  node->leaving = FALSE;
  sim_say ("%u: opens", node->index);
  node->now = sim_node_get_time (node);
  if (was_open)
    amnesia_mesh_wake (node->mesh, node->now);
  amnesia_mesh_open (node->mesh, settings, node->now);
  if (node->entry >= 0 && node->entry != node->removed)
    amnesia_mesh_set_own (node->mesh, SIM_HOST, (guint16) (node->entry + 1), FALSE, node->now);
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
  node->frozen_until = node->excused = 0;
  node->armed = 0;
  node->mesh = amnesia_mesh_new (node->id, &funcs, node, g_rand_int (sim.rand));
  node->replica = amnesia_mesh_get_replica (node->mesh);
  node->turn_begun = FALSE;
  node->ends = g_ptr_array_new ();
  node->woken = g_ptr_array_new ();
  node->dials = g_ptr_array_new_with_free_func (sim_dial_free);
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

/* The first write of a loop turn is sent at once. */
static void
begin_write (SimNode *node)
{
  sim_current = node;
  node->now = sim_node_get_time (node);
}

static void
finish_write (SimNode *node)
{
  if (node->open && !node->turn_begun)
    {
      node->turn_begun = TRUE;
      sim_node_flush (node);
      sim_node_at (node, sim.now, end_turn, node, 0);
    }
  amnesia_transitions_note (&node->transitions, amnesia_replica_get_value (node->replica), FALSE);
  sim_judge_changed (node, TRUE);
  sim_judge_node (node);
}

/* As amnesia_store_write () and amnesia_store_set_key () do. */
void
sim_node_write (SimNode    *node,
                const char *key,
                GVariant   *value)
{
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  AmnesiaEntry *entry;

  begin_write (node);
  entry = amnesia_replica_write (node->replica, node->now.wall / 1000, key, owned);
  sim_judge_write (node, entry, FALSE);
  amnesia_mesh_written (node->mesh, entry);
  finish_write (node);
}

/* As amnesia_store_set_keys () does. */
void
sim_node_write_keys (SimNode  *node,
                     GVariant *keys)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new ();
  g_autoptr (GPtrArray) entries = NULL;
  AmnesiaStamp seen = node->seen;
  guint i;

  begin_write (node);
  entries = amnesia_replica_write_keys (node->replica, node->now.wall / 1000, keys);
  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      node->seen = seen; /* all have one stamp */
      g_ptr_array_add (records, sim_judge_write (node, entry, FALSE));
      amnesia_mesh_written (node->mesh, entry);
    }
  sim_history_join (records);
  finish_write (node);
}

/* As amnesia_store_set_if_unset_async () does in the end. */
void
sim_node_write_first (SimNode    *node,
                      const char *key,
                      GVariant   *value)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (value);
  gboolean was_written = sim_was_written (node, key);
  AmnesiaEntry *entry;

  begin_write (node);
  entry = amnesia_replica_write_first (node->replica, node->now.wall / 1000, key, owned);
  if ((entry == NULL) != was_written)
    sim_fail ("%u: a first value %s", node->index,
              was_written ? "of what was written before" : "is not taken");
  if (entry == NULL || sim.failure != NULL)
    return;
  sim_judge_write (node, entry, TRUE);
  amnesia_mesh_written (node->mesh, entry);
  finish_write (node);
}

void
sim_node_network_changed (SimNode *node)
{
  if (!sim_node_begin (node))
    return;
  amnesia_mesh_network_changed (node->mesh, node->now);
  sim_node_finish (node);
}
