/* SPDX-License-Identifier: MIT */

/* What kind of world a seed makes. */

#include "sim.h"

/* The first seeds of each dozen have the traps of their own, or mistakes would hide behind clocks
 * that are too good. */
void
sim_choose_profile (void)
{
  SimProfile *profile = &sim.profile;

  profile->n_nodes = 2 + sim_below (SIM_MAX_NODES - 1);
  profile->n_entries = sim_chance (0.4) ? 1 + sim_below (profile->n_nodes) : profile->n_nodes;
  profile->clocks = (SimClocks) sim_below (SIM_CLOCKS_BEYOND);
  profile->step_at_restart = sim_chance (0.3);
  profile->high_counter = sim_chance (0.1);
  profile->alias = sim_chance (0.1);
  profile->keys = sim_chance (0.2);
  profile->strangers = sim_chance (0.3);
  profile->faults = sim_chance (0.3);
  profile->limits = sim_chance (0.3);
  profile->keys |= profile->limits && sim_chance (0.5);
  profile->latency = sim_chance (0.7) ? 40 * SIM_MS : 1200 * SIM_MS;
  profile->bandwidth = sim_chance (0.3) ? 20000 + sim_below (200000) : 0;
  profile->capacity = (gsize) sim_between (2048, 65536);
  /* keys are too much for clocks that are years apart: the value may differ until it is written anew */
  profile->n_ahead = !profile->keys && profile->n_nodes > 2 && sim_chance (0.5) ? 2 : 1;
  switch (sim.seed % 12)
    {
    case 0:
      profile->clocks = SIM_CLOCKS_FROZEN;
      break;
    case 1:
      profile->step_at_restart = TRUE;
      profile->clocks = SIM_CLOCKS_CLOSE;
      break;
    case 2:
      profile->high_counter = TRUE;
      profile->clocks = SIM_CLOCKS_FROZEN;
      break;
    case 3:
      profile->clocks = SIM_CLOCKS_BEYOND;
      break;
    case 4:
      profile->line = TRUE;
      profile->n_nodes = profile->n_entries = 3;
      break;
    default:
      break;
    }
  /* by no chance, so that the other seeds go on meaning what they did */
  profile->nearby = !profile->line && (sim.seed % 5 == 1 || sim.seed % 5 == 3);
  profile->keys |= sim.seed % 4 < 2;
  profile->first = profile->keys && sim.seed % 3 == 0;
}

static void
set_clock (SimNode *node)
{
  switch (sim.profile.clocks)
    {
    case SIM_CLOCKS_CLOSE:
      node->offset = g_rand_int_range (sim.rand, -2000, 2000) * SIM_MS;
      break;
    case SIM_CLOCKS_APART:
      node->offset = g_rand_int_range (sim.rand, -200000, 200000) * SIM_MS;
      break;
    case SIM_CLOCKS_DRIFT:
      node->drift = g_rand_double_range (sim.rand, -0.01, 0.01);
      break;
    case SIM_CLOCKS_BEYOND:
      node->offset = node->index < sim.profile.n_ahead
                       ? SIM_YEAR + sim_between (SIM_SECOND, 20 * SIM_SECOND)
                       : 0;
      break;
    case SIM_CLOCKS_FROZEN:
    default:
      break;
    }
}

/* One write, all of whose followers in the same millisecond soon need a carry. */
static void
write_high_counter (SimNode *node)
{
  g_autoptr (AmnesiaEntry) entry = NULL;
  AmnesiaTime now = sim_node_get_time (node);
  AmnesiaStamp stamp = AMNESIA_STAMP_NORMAL | (guint64) (now.wall / 1000) << 16 | 0xfff0;

  entry = amnesia_entry_new ("", stamp, 1, g_variant_new_int64 (0), NULL, 0);
  sim_judge_foreign (entry);
  sim_current = node;
  amnesia_replica_merge (node->replica, now.wall / 1000, entry);
  amnesia_transitions_note (&node->transitions, amnesia_replica_get_value (node->replica), TRUE);
  sim_judge_changed (node, FALSE);
  sim_judge_node (node);
}

void
sim_populate (void)
{
  guint i;

  for (i = 0; i < sim.profile.n_nodes; i++)
    {
      SimNode *node = &sim.nodes[i];

      node->index = i;
      node->removed = -1;
      node->max_size = sim.profile.limits ? 64 << sim_below (7) : SIM_MAX_SIZE;
      set_clock (node);
      sim_node_start (node);
    }
  if (sim.profile.line)
    {
      sim_block (&sim.nodes[0], &sim.nodes[2]);
      sim_block (&sim.nodes[2], &sim.nodes[0]);
    }
  if (sim.profile.high_counter)
    write_high_counter (&sim.nodes[0]);
}
