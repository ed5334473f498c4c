/* SPDX-License-Identifier: MIT */

/* What happens, one thing after the other. */

#include "sim.h"

#include "replica/amnesia-value-private.h"

/* --- whom it happens to --- */

SimNode *
sim_pick (gboolean alive)
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

gboolean
sim_is_for_ever (SimNode *a,
                 SimNode *b)
{
  return sim.profile.line && a->index != 1 && b->index != 1;
}

/* --- writes --- */

GVariant *
sim_make_value (SimNode *node)
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
      size = sim_chance (sim.profile.limits ? 0.5 : 0.2) ? sim_below (SIM_MAX_SIZE + 2) : sim_below (100);
      return g_variant_new_take_string (g_strdup_printf ("%*" G_GINT64_FORMAT, (int) size,
                                                         sim.serial));
    }
}

static const char *
choose_key (void)
{
  static const char *keys[] = { "", "a", "b", "c" };
  guint first = sim_begins_with_first () ? 1 : 0;

  return sim.profile.keys ? keys[first + sim_below (G_N_ELEMENTS (keys) - first)] : "";
}

/* What a store would refuse is not written. */
void
sim_write_value (SimNode  *node,
                 GVariant *value)
{
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;

  if (sim_has_only_first ())
    sim_step_first ();
  else if (node != NULL && (owned == NULL || amnesia_value_check (owned, node->max_size, NULL)))
    sim_node_write (node, choose_key (), owned);
}

static void
step_write (void)
{
  SimNode *node = sim_pick (TRUE);
  guint n = sim_chance (1 / 12.0) ? 5 : 1;

  while (node != NULL && n-- > 0)
    sim_write_value (node, sim_make_value (node));
}

static void
step_write_at_once (void)
{
  SimNode *node = sim_pick (TRUE);
  SimNode *other = node != NULL ? pick_other (node) : NULL;

  if (other == NULL || !other->alive || other->frozen_until > sim.now)
    return;
  sim_write_value (node, sim_make_value (node));
  sim_write_value (other, sim_make_value (other));
}

static void
step_unset (void)
{
  sim_write_value (sim_pick (TRUE), NULL);
}

static void
step_write_equal (void)
{
  SimNode *node = sim_pick (TRUE);
  GVariant *value = node != NULL ? amnesia_replica_get_value (node->replica) : NULL;

  if (value != NULL && !sim.profile.keys)
    sim_write_value (node, value);
}

/* A link has no reason to, but may send what it has sent. */
static void
step_send_again (void)
{
  SimNode *node = sim_pick (TRUE);
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

  /* it looks at its clock at the next heartbeat at the latest */
  node->excused = sim.now + AMNESIA_BEAT_INTERVAL;
  if (sim_chance (0.5))
    step = -step;
  if (sim.profile.clocks == SIM_CLOCKS_BEYOND && node->index < sim.profile.n_ahead)
    node->offset = sim_chance (0.3) ? 0 : SIM_YEAR + sim_between (0, 20 * SIM_SECOND);
  else if (sim.profile.clocks != SIM_CLOCKS_BEYOND && ABS (node->offset + step) < G_TIME_SPAN_DAY / 4)
    node->offset += step;
}

static void
step_clock (void)
{
  SimNode *node = sim_pick (TRUE);

  if (node != NULL && sim.profile.clocks != SIM_CLOCKS_FROZEN)
    move_clock (node);
}

/* The machine sleeps: its monotonic clock stands. */
static void
step_suspend (void)
{
  SimNode *node = sim_pick (TRUE);
  gint64 span = sim_between (SIM_SECOND, 120 * SIM_SECOND);

  if (node == NULL)
    return;
  sim_say ("%u: its machine sleeps", node->index);
  sim_disturb (node);
  node->frozen_until = sim.now + span;
  node->excused = node->frozen_until + AMNESIA_BEAT_INTERVAL;
  node->mono_lost += span;
}

static void
step_freeze (void)
{
  SimNode *node = sim_pick (TRUE);

  if (node == NULL)
    return;
  sim_say ("%u: freezes", node->index);
  sim_disturb (node);
  node->frozen_until = node->excused = sim.now + sim_between (0, 800 * SIM_MS);
}

/* --- the network --- */

static void
step_cut (void)
{
  SimNode *a = &sim.nodes[sim_below (sim.profile.n_nodes)], *b = pick_other (a);

  sim_say ("%u and %u: cut", a->index, b->index);
  if (sim_chance (0.5))
    sim_cut (a, b);
  if (sim_chance (0.5) && !sim_is_for_ever (a, b))
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
  if (!sim_is_for_ever (a, b))
    sim_block (a, b);
}

static void
step_unblock (void)
{
  SimNode *a = &sim.nodes[sim_below (sim.profile.n_nodes)], *b = pick_other (a);

  if (sim_is_for_ever (a, b))
    return;
  sim_unblock (a, b);
  sim_unblock (b, a);
}

static void
step_redial (void)
{
  SimNode *node = sim_pick (TRUE);
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
  SimNode *node = sim_pick (TRUE);

  if (node != NULL)
    sim_node_crash (node, sim_chance (0.3));
}

static void
step_restart (void)
{
  SimNode *node = sim_pick (FALSE);

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
  SimNode *node = sim_pick (TRUE);

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
  SimNode *node = sim_pick (TRUE);

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
  guint    weight;
  void   (*take) (void);
  gboolean keys;         /* only where there are keys */
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
  { 2, step_reconfigure },
  { 4, step_stranger },
  { 8, sim_step_write_keys, TRUE },
  { 5, sim_step_remove_key, TRUE },
  { 5, sim_step_first, TRUE },
  { 3, sim_step_write_dictionary, TRUE },
};

void
sim_take_step (void)
{
  guint i, sum = 0, chosen;

  for (i = 0; i < G_N_ELEMENTS (steps); i++)
    if (!steps[i].keys || sim.profile.keys)
      sum += steps[i].weight;
  chosen = sim_below (sum);
  for (i = 0; chosen >= steps[i].weight; i++)
    chosen -= steps[i].weight;
  steps[i].take ();
  sim_run_until (sim.now + sim_between (0, 5 * SIM_MS));
}
