/* SPDX-License-Identifier: MIT */

/* How it ends. */

#include "sim.h"

/* --- the end: all is well again, and nobody writes any more --- */

static void
heal (void)
{
  guint i, j;

  sim_say ("all is well again");
  sim.ending = TRUE;
  sim_strangers_leave ();
  for (i = 0; i < sim.profile.n_nodes; i++)
    for (j = 0; j < sim.profile.n_nodes; j++)
      if (i != j && !sim_is_for_ever (&sim.nodes[i], &sim.nodes[j]))
        sim_unblock (&sim.nodes[i], &sim.nodes[j]);
  for (i = 0; i < sim.profile.n_nodes; i++)
    {
      SimNode *node = &sim.nodes[i];
      gboolean complete = node->removed < 0;

      node->removed = -1;
      if (!node->alive)
        sim_node_start (node);
      else if (!complete || !node->open || node->leaving)
        sim_node_open (node);
    }
}

/* Of one entry by one node in ten heartbeats: every two seconds, 25 % more or less. */
#define MAX_DIALS 16

/* How far a stamp is ahead of what somebody would take. */
static gint64
get_wait (void)
{
  gint64 wait = 0;
  guint i;

  for (i = 0; i < sim.profile.n_nodes; i++)
    {
      SimNode *node = &sim.nodes[i];
      SimWrite greatest = sim_get_greatest ();
      gint64 wall = (gint64) ((greatest.stamp & ~AMNESIA_STAMP_NORMAL) >> 16) * SIM_MS;

      wait = MAX (wait, wall - SIM_YEAR - sim_node_get_time (node).wall);
      wait = MAX (wait, node->frozen_until - sim.now);
    }
  return wait;
}

/* A link is dead after 6 s, a dial after 3 s, and the next one comes after 2.5 s, or 37.5 s for who
 * was away for ten minutes; then two heartbeats tell of what was missed, twice if the first exchange
 * came too soon. */
static gint64
get_patience (void)
{
  gint64 patience = AMNESIA_DEAD_AFTER + AMNESIA_DIAL_TIMEOUT_S * SIM_SECOND + 20 * SIM_SECOND +
                    20 * sim.profile.latency + get_wait ();

  if (sim.now > 600 * SIM_SECOND)
    patience += 38 * SIM_SECOND;
  if (sim.profile.bandwidth != 0)
    patience += (gint64) sim.profile.n_nodes * SIM_MAX_SIZE * 8 * SIM_SECOND / sim.profile.bandwidth;
  return patience;
}

static guint64
count_dials (void)
{
  guint64 sum = 0;
  guint i;

  for (i = 0; i < sim.profile.n_nodes; i++)
    sum += sim.nodes[i].n_dials;
  return sum;
}

/* Whether an entry is nobody's, as the guest that could have it is content with its link: then the
 * members go on to dial it. */
static gboolean
is_any_entry_free (void)
{
  guint i, n = 0;

  for (i = 0; i < sim.profile.n_nodes; i++)
    n += sim.nodes[i].entry >= 0;
  return n < sim.profile.n_entries;
}

/* When what was on its way has come, there are heartbeats, and nothing else. */
static void
check_quiet (void)
{
  g_autofree char *why = NULL;
  guint64 values, dials;

  sim_run_until (sim.now + 5 * SIM_SECOND + 10 * sim.profile.latency);
  values = sim_count_values ();
  dials = count_dials ();
  sim_run_until (sim.now + 10 * AMNESIA_BEAT_INTERVAL);
  if (sim.failure != NULL)
    return;
  if (!sim_is_converged (&why))
    sim_fail ("it does not last: %s", why);
  else if (sim_count_values () != values && sim.profile.clocks != SIM_CLOCKS_BEYOND)
    sim_fail ("values or lists are sent that nobody needs");
  else if (count_dials () != dials && !sim.profile.line && !is_any_entry_free ())
    sim_fail ("who is linked dials");
  else if (count_dials () - dials > MAX_DIALS * sim.profile.n_nodes * sim.profile.n_entries)
    sim_fail ("dials are too many");
}

static void
describe (void)
{
  guint i, j;

  for (i = 0; i < sim.profile.n_nodes; i++)
    {
      SimNode *node = &sim.nodes[i];
      GPtrArray *members = amnesia_mesh_get_members (node->mesh)->list;

      for (j = 0; j < members->len; j++)
        {
          AmnesiaMember *member = g_ptr_array_index (members, j);

          sim_say ("%u: %s%s%s%s%s, redial in %.3f s", i, member->name,
                   member->configured ? "" : ", a guest", member->self ? ", self" : "",
                   member->dialling ? ", dialling" : "", member->link != NULL ? ", linked" : "",
                   (member->redial_at - sim_node_get_time (node).mono) / 1e6);
        }
      for (j = 0; j < node->ends->len; j++)
        {
          SimEnd *end = g_ptr_array_index (node->ends, j);

          sim_say ("%u: a link%s to %s, state %d, to node %d", i, end->link->dialled ? " dialled" : "",
                   end->link->name, end->link->state,
                   end->other->node != NULL ? (int) end->other->node->index : -1);
        }
    }
}

/* In peace a small value is everywhere at once, also where it has to be handed on: no heartbeat is
 * needed for it. Who may not have the value that the others have does not know its stamp, and may
 * write what is older. */
static void
check_prompt (void)
{
  SimNode *node = sim_pick (TRUE);
  AmnesiaEntry *entry;
  guint i;

  if (sim.profile.clocks == SIM_CLOCKS_BEYOND || sim.profile.limits)
    return;
  sim_node_write (node, "", g_variant_new_int64 (++sim.serial));
  sim_run_until (sim.now + 8 * sim.profile.latency + 200 * SIM_MS);
  entry = amnesia_replica_lookup (node->replica, "");
  for (i = 0; i < sim.profile.n_nodes && sim.failure == NULL; i++)
    if (amnesia_replica_beats (sim.nodes[i].replica, "", entry->stamp, entry->id))
      sim_fail ("%u does not hear at once what %u says", i, node->index);
}

/* All must find together in time, and then keep quiet. */
static void
heal_and_check (void)
{
  g_autofree char *why = NULL;
  SimWrite greatest = sim_get_greatest (), last;
  gint64 end;

  heal ();
  end = sim.now + get_patience ();
  while (sim.failure == NULL && !sim_is_converged (&why) && sim.now < end)
    sim_run_until (sim.now + 100 * SIM_MS);
  if (sim.failure != NULL)
    return;
  if (!sim_is_converged (&why))
    {
      describe ();
      sim_fail ("in the end %s", why);
    }
  last = sim_get_greatest ();
  if (last.stamp < greatest.stamp && sim.profile.clocks != SIM_CLOCKS_BEYOND)
    sim_fail ("the newest value was lost");
  if (sim.profile.clocks != SIM_CLOCKS_BEYOND)
    sim_judge_history ();
  check_quiet ();
  if (sim.failure == NULL)
    check_prompt ();
}

/* Somebody writes and dies before all have it: who has it gives it to the others, though they were
 * linked with him as well. */
static void
say_last_words (void)
{
  SimNode *node = sim_pick (TRUE);

  sim_say ("%u: last words", node->index);
  sim_write_value (node, sim_make_value (node));
  sim_run_until (sim.now + sim_between (0, sim.profile.latency / 3));
  sim_node_crash (node, TRUE);
}

void
sim_settle (void)
{
  guint i;

  for (i = 0; i < sim.profile.n_nodes; i++)
    if (sim.nodes[i].alive)
      sim_run_until (MAX (sim.now, sim.nodes[i].frozen_until));
  heal_and_check ();
  if (sim.failure != NULL || sim.seed / 12 % 2 == 0)
    return;
  say_last_words ();
  heal_and_check ();
}
