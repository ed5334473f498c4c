/* SPDX-License-Identifier: MIT */

/* What must be true of all of them in the end. */

#include "sim.h"

#include "replica/amnesia-value-private.h"

SimWrite
sim_get_greatest (void)
{
  SimWrite greatest = { 0, 0 };
  guint i;

  for (i = 0; i < sim.profile.n_nodes; i++)
    {
      SimNode *node = &sim.nodes[i];
      AmnesiaEntry *base = node->alive ? amnesia_replica_lookup (node->replica, "") : NULL;

      if (base != NULL && (base->stamp > greatest.stamp ||
                           (base->stamp == greatest.stamp && base->id > greatest.id)))
        greatest = (SimWrite) { base->stamp, base->id };
    }
  return greatest;
}

/* --- what the history gives --- */

/* The greatest of this key that anybody holds; what is covered somewhere is not looked for here. */
static SimWrite
find_greatest (const char *key)
{
  SimWrite greatest = { 0, 0 };
  guint i;

  for (i = 0; i < sim.profile.n_nodes; i++)
    {
      SimRecord *floor = g_hash_table_lookup (sim.nodes[i].floors, key);

      if (floor != NULL && sim_record_beats (floor, greatest))
        greatest = (SimWrite) { floor->stamp, floor->id };
    }
  return greatest;
}

/* Whether somebody who lives has written it or was told of it. */
static gboolean
is_remembered (SimRecord *record)
{
  guint i;

  for (i = 0; i < sim.profile.n_nodes; i++)
    if (sim_life_knows (sim.nodes[i].history, record))
      return TRUE;
  return FALSE;
}

/* No write is lost but for a greater one of its key or of the whole: with that, and as each value is what
 * the greatest make of it, and all are equal, the value is what all writes that anybody who lives ever
 * knew of make of it. */
void
sim_judge_history (void)
{
  SimWrite base = find_greatest ("");
  GHashTableIter iter;
  gpointer data;

  g_hash_table_iter_init (&iter, sim.history);
  while (g_hash_table_iter_next (&iter, &data, NULL))
    {
      SimRecord *record = data;

      if (sim_record_beats (record, find_greatest (record->key)) && sim_record_beats (record, base) &&
          is_remembered (record))
        sim_fail ("a write of “%s” is lost, and nothing took its place", record->key);
    }
}

/* How many frames with values have been sent over the links that are up, and how many lists. */
guint64
sim_count_values (void)
{
  guint64 sum = sim.n_lists;
  guint i, j;

  for (i = 0; i < sim.profile.n_nodes; i++)
    for (j = 0; sim.nodes[i].alive && j < sim.nodes[i].ends->len; j++)
      sum += ((SimEnd *) g_ptr_array_index (sim.nodes[i].ends, j))->link->values_sent;
  return sum;
}

static gboolean
has_all_of (SimNode *node,
            SimNode *other)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (other->replica);
  guint i;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      if (!sim_has_or_may_not (node, entry->stamp, entry->id, entry->key,
                               amnesia_entry_get_size (entry)))
        return FALSE;
    }
  return TRUE;
}

/* How many links there are from @node to @other that both sides hold to be up. */
static guint
count_links (SimNode *node,
             SimNode *other)
{
  guint i, n = 0;

  for (i = 0; i < node->ends->len; i++)
    {
      SimEnd *end = g_ptr_array_index (node->ends, i);

      if (end->other->node == other && end->other->link != NULL &&
          amnesia_link_is_up (end->link) && amnesia_link_is_up (end->other->link))
        n++;
    }
  return n;
}

static char *
find_fault_of_pair (SimNode *a,
                    SimNode *b)
{
  gboolean members = a->entry >= 0 && b->entry >= 0;
  guint n = count_links (a, b);

  if (n == 0 && members && !sim_is_blocked (a, b))
    return g_strdup_printf ("%u and %u are not linked", a->index, b->index);
  if (n > 1)
    return g_strdup_printf ("%u and %u have %u links", a->index, b->index, n);
  if (n == 1 && (!has_all_of (a, b) || !has_all_of (b, a)))
    return g_strdup_printf ("%u and %u are linked and differ", a->index, b->index);
  if (!sim.profile.limits &&
      !amnesia_value_equal (amnesia_replica_get_value (a->replica),
                            amnesia_replica_get_value (b->replica)))
    return g_strdup_printf ("%u and %u have other values", a->index, b->index);
  return NULL;
}

/* What it wrote when its clock was a year ahead, and nobody else takes. */
static gboolean
is_mute (SimNode *node)
{
  AmnesiaEntry *base = amnesia_replica_lookup (node->replica, "");

  return base != NULL && sim_is_own (node, base->id) &&
         amnesia_stamp_is_ahead (base->stamp, sim_node_get_time (node).wall / 1000);
}

/* Whether it knows one peer by his entry and as a guest. */
static gboolean
knows_twice (SimNode *node)
{
  GPtrArray *members = amnesia_mesh_get_members (node->mesh)->list;
  guint i, j;

  for (i = 0; i < members->len; i++)
    for (j = 0; j < members->len; j++)
      {
        AmnesiaMember *member = g_ptr_array_index (members, i);
        AmnesiaMember *guest = g_ptr_array_index (members, j);

        if (amnesia_member_is_remote (member) && !guest->configured && member->link != NULL &&
            member->id == guest->id)
          return TRUE;
      }
  return FALSE;
}

static char *
find_fault_of_node (SimNode *node)
{
  guint i;

  if (knows_twice (node))
    return g_strdup_printf ("%u knows a member as a guest, too", node->index);
  if (is_mute (node))
    return g_strdup_printf ("%u holds its own value in the future", node->index);

  if (node->entry < 0 && node->ends->len != 1)
    return g_strdup_printf ("the guest %u has %u links", node->index, node->ends->len);
  for (i = 0; i < node->ends->len; i++)
    {
      SimEnd *end = g_ptr_array_index (node->ends, i);

      if (!amnesia_link_is_up (end->link) || end->other->link == NULL)
        return g_strdup_printf ("%u has a link that is no good", node->index);
      if (!amnesia_link_is_synced (end->link))
        return g_strdup_printf ("%u has a link that is not synced", node->index);
    }
  return NULL;
}

/* Each pair of members has one link, each guest one, and nobody lacks what a neighbour could
 * give. */
gboolean
sim_is_converged (char **why)
{
  guint i, j;

  g_clear_pointer (why, g_free);
  for (i = 0; i < sim.profile.n_nodes && *why == NULL; i++)
    {
      *why = find_fault_of_node (&sim.nodes[i]);
      for (j = i + 1; j < sim.profile.n_nodes && *why == NULL; j++)
        *why = find_fault_of_pair (&sim.nodes[i], &sim.nodes[j]);
    }
  return *why == NULL;
}
