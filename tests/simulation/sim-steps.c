/* SPDX-License-Identifier: MIT */

/* What happens: the kind of world, one thing after the other, and how it ends. */

#include "sim.h"

#include "replica/amnesia-value-private.h"

/* --- the kind of world --- */

/* The first seeds of each dozen have the traps of their own, or mistakes would hide behind clocks
 * that are too good. */
void
sim_choose_profile (void)
{
  SimProfile *profile = &sim.profile;

  profile->n_nodes = 2 + sim_below (SIM_MAX_NODES - 1);
  profile->n_entries = sim_chance (0.3) ? 1 + sim_below (profile->n_nodes) : profile->n_nodes;
  profile->clocks = (SimClocks) sim_below (SIM_CLOCKS_BEYOND);
  profile->step_at_restart = sim_chance (0.3);
  profile->high_counter = sim_chance (0.1);
  profile->alias = sim_chance (0.1);
  profile->keys = sim_chance (0.2);
  profile->strangers = sim_chance (0.3);
  profile->faults = sim_chance (0.3);
  profile->limits = sim_chance (0.2);
  profile->latency = sim_chance (0.7) ? 40 * SIM_MS : 1200 * SIM_MS;
  profile->bandwidth = sim_chance (0.3) ? 20000 + sim_below (200000) : 0;
  profile->capacity = (gsize) sim_between (2048, 65536);
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
      node->offset = node->index == 0 ? SIM_YEAR + sim_between (SIM_SECOND, 20 * SIM_SECOND) : 0;
      break;
    case SIM_CLOCKS_FROZEN:
    default:
      break;
    }
}

static GVariant *make_value (SimNode *node);

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

/* --- whom it happens to --- */

static SimNode *
pick (gboolean alive)
{
  guint i = sim_below (sim.profile.n_nodes), n;

  for (n = 0; n < sim.profile.n_nodes; n++, i = (i + 1) % sim.profile.n_nodes)
    if (sim.nodes[i].alive == alive && (!alive || sim.nodes[i].frozen_until <= sim.now))
      return &sim.nodes[i];
  return NULL;
}

static SimNode *
pick_other (SimNode *node)
{
  guint i = sim_below (sim.profile.n_nodes - 1);

  return &sim.nodes[i < node->index ? i : i + 1];
}

static gboolean
is_for_ever (SimNode *a,
             SimNode *b)
{
  return sim.profile.line && a->index != 1 && b->index != 1;
}

/* --- writes --- */

static GVariant *
make_value (SimNode *node)
{
  GVariantDict dict;
  gsize size;

  sim.serial++;
  switch (sim_below (4))
    {
    case 0:
      return g_variant_new_int64 (sim.serial);
    case 1:
      return g_variant_new_take_string (g_strdup_printf ("%" G_GINT64_FORMAT, sim.serial));
    case 2:
      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "serial", "x", sim.serial);
      g_variant_dict_insert (&dict, "node", "u", node->index);
      return g_variant_dict_end (&dict);
    case 3:
    default:
      size = sim_chance (0.2) ? sim_below (SIM_MAX_SIZE + 2) : sim_below (100);
      return g_variant_new_take_string (g_strdup_printf ("%*" G_GINT64_FORMAT, (int) size,
                                                         sim.serial));
    }
}

static const char *
choose_key (void)
{
  static const char *keys[] = { "", "a", "b", "c" };

  return sim.profile.keys ? keys[sim_below (G_N_ELEMENTS (keys))] : "";
}

/* What a store would refuse is not written. */
static void
write_value (SimNode  *node,
             GVariant *value)
{
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;

  if (node != NULL && (owned == NULL || amnesia_value_check (owned, node->max_size, NULL)))
    sim_node_write (node, choose_key (), owned);
}

static void
step_write (void)
{
  SimNode *node = pick (TRUE);
  guint n = sim_chance (1 / 12.0) ? 5 : 1;

  while (node != NULL && n-- > 0)
    write_value (node, make_value (node));
}

static void
step_write_at_once (void)
{
  SimNode *node = pick (TRUE);
  SimNode *other = node != NULL ? pick_other (node) : NULL;

  if (other == NULL || !other->alive || other->frozen_until > sim.now)
    return;
  write_value (node, make_value (node));
  write_value (other, make_value (other));
}

static void
step_unset (void)
{
  write_value (pick (TRUE), NULL);
}

static void
step_write_equal (void)
{
  SimNode *node = pick (TRUE);
  GVariant *value = node != NULL ? amnesia_replica_get_value (node->replica) : NULL;

  if (value != NULL && !sim.profile.keys)
    write_value (node, value);
}

/* A link has no reason to, but may send what it has sent. */
static void
step_send_again (void)
{
  SimNode *node = pick (TRUE);
  SimEnd *end;

  if (node == NULL || node->ends->len == 0 || !sim_node_begin (node))
    return;
  end = g_ptr_array_index (node->ends, sim_below (node->ends->len));
  amnesia_link_mark (end->link, choose_key ());
  sim_node_wake_end (end);
  sim_node_finish (node);
}

/* --- clocks --- */

static void
move_clock (SimNode *node)
{
  gint64 step = sim_between (2 * SIM_SECOND, 3600 * SIM_SECOND);

  if (sim_chance (0.5))
    step = -step;
  if (sim.profile.clocks == SIM_CLOCKS_BEYOND && node->index == 0)
    node->offset = sim_chance (0.3) ? 0 : SIM_YEAR + sim_between (0, 20 * SIM_SECOND);
  else if (sim.profile.clocks != SIM_CLOCKS_BEYOND && ABS (node->offset + step) < G_TIME_SPAN_DAY / 4)
    node->offset += step;
}

static void
step_clock (void)
{
  SimNode *node = pick (TRUE);

  if (node != NULL && sim.profile.clocks != SIM_CLOCKS_FROZEN)
    move_clock (node);
}

/* The machine sleeps: its monotonic clock stands. */
static void
step_suspend (void)
{
  SimNode *node = pick (TRUE);
  gint64 span = sim_between (SIM_SECOND, 120 * SIM_SECOND);

  if (node == NULL)
    return;
  sim_say ("%u: its machine sleeps", node->index);
  sim_disturb (node);
  node->frozen_until = sim.now + span;
  node->mono_lost += span;
}

static void
step_freeze (void)
{
  SimNode *node = pick (TRUE);

  if (node == NULL)
    return;
  sim_say ("%u: freezes", node->index);
  sim_disturb (node);
  node->frozen_until = sim.now + sim_between (0, 800 * SIM_MS);
}

/* --- the network --- */

static void
step_cut (void)
{
  SimNode *a = &sim.nodes[sim_below (sim.profile.n_nodes)], *b = pick_other (a);

  sim_say ("%u and %u: cut", a->index, b->index);
  if (sim_chance (0.5))
    sim_cut (a, b);
  if (sim_chance (0.5) && !is_for_ever (a, b))
    {
      sim_block (a, b);
      sim_block (b, a);
    }
}

static void
step_cut_one_way (void)
{
  SimNode *a = &sim.nodes[sim_below (sim.profile.n_nodes)], *b = pick_other (a);

  sim_say ("%u to %u: blocked", a->index, b->index);
  if (!is_for_ever (a, b))
    sim_block (a, b);
}

static void
step_unblock (void)
{
  SimNode *a = &sim.nodes[sim_below (sim.profile.n_nodes)], *b = pick_other (a);

  if (is_for_ever (a, b))
    return;
  sim_unblock (a, b);
  sim_unblock (b, a);
}

static void
step_redial (void)
{
  SimNode *node = pick (TRUE);
  guint i;

  if (node == NULL)
    return;
  for (i = 0; i < sim.profile.n_nodes; i++)
    if (i != node->index)
      sim_cut (node, &sim.nodes[i]);
  sim_node_network_changed (node);
}

/* --- processes --- */

static void
step_crash (void)
{
  SimNode *node = pick (TRUE);

  if (node != NULL)
    sim_node_crash (node, sim_chance (0.3));
}

static void
step_restart (void)
{
  SimNode *node = pick (FALSE);

  if (node == NULL)
    return;
  if (sim.profile.step_at_restart && sim.profile.clocks != SIM_CLOCKS_BEYOND)
    node->offset -= sim_between (0, 3600 * SIM_SECOND);
  node->offset = MAX (node->offset, -G_TIME_SPAN_DAY / 4);
  sim_node_start (node);
}

static void
step_close_or_open (void)
{
  SimNode *node = pick (TRUE);

  if (node == NULL)
    return;
  if (!node->open)
    sim_node_open (node);
  else if (!node->leaving)
    sim_node_leave (node);
}

static void
step_reconfigure (void)
{
  SimNode *node = pick (TRUE);

  if (node == NULL || !node->open || node->leaving || sim.profile.n_entries < 2)
    return;
  sim_disturb (node);
  node->removed = node->removed < 0 ? (int) sim_below (sim.profile.n_entries) : -1;
  sim_node_open (node);
}

static void
step_pass (void)
{
  sim_run_until (sim.now + sim_between (SIM_MS, 1500 * SIM_MS));
}

static void
step_stranger (void)
{
  if (sim.profile.strangers)
    sim_stranger_step ();
}

static const struct
{
  guint weight;
  void (*take) (void);
} steps[] = {
  { 30, step_pass },
  { 28, step_write },
  { 4, step_write_at_once },
  { 2, step_unset },
  { 2, step_write_equal },
  { 3, step_send_again },
  { 4, step_clock },
  { 1, step_suspend },
  { 2, step_freeze },
  { 6, step_cut },
  { 2, step_cut_one_way },
  { 8, step_unblock },
  { 3, step_redial },
  { 2, step_crash },
  { 6, step_restart },
  { 1, step_close_or_open },
  { 1, step_reconfigure },
  { 4, step_stranger },
};

void
sim_take_step (void)
{
  guint i, sum = 0, chosen;

  for (i = 0; i < G_N_ELEMENTS (steps); i++)
    sum += steps[i].weight;
  chosen = sim_below (sum);
  for (i = 0; chosen >= steps[i].weight; i++)
    chosen -= steps[i].weight;
  steps[i].take ();
  sim_run_until (sim.now + sim_between (0, 5 * SIM_MS));
}

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
      if (i != j && !is_for_ever (&sim.nodes[i], &sim.nodes[j]))
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
    sim_fail ("values are sent that nobody needs");
  else if (count_dials () != dials && !sim.profile.line && !is_any_entry_free ())
    sim_fail ("who is linked dials");
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
  check_quiet ();
}

/* Somebody writes and dies before all have it: who has it gives it to the others, though they were
 * linked with him as well. */
static void
say_last_words (void)
{
  SimNode *node = pick (TRUE);

  sim_say ("%u: last words", node->index);
  write_value (node, make_value (node));
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
