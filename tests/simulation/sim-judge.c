/* SPDX-License-Identifier: MIT */

/* What must be true of every member at every moment. The judge compares with a model of its own: the
 * greatest identity there was of each key, and what is known of every write since the world began. */

#include "sim.h"

#include "replica/amnesia-value-private.h"

#include <string.h>

/* A node has few links and few keys; what grows beyond this grows without bound. */
#define MAX_ENDS 64
#define MAX_DIRTY 64

static gboolean
is_greater (AmnesiaStamp stamp,
            guint64      id,
            SimWrite     than)
{
  return stamp > than.stamp || (stamp == than.stamp && id > than.id);
}

static gint64
get_wall_ms (AmnesiaStamp stamp)
{
  return (gint64) ((stamp & ~AMNESIA_STAMP_NORMAL) >> 16);
}

static gboolean
is_ahead (AmnesiaStamp stamp,
          gint64       wall_ms)
{
  return get_wall_ms (stamp) > wall_ms + SIM_YEAR / 1000;
}

/* A store takes the next id when its clock starts anew. */
gboolean
sim_is_own (SimNode *node,
            guint64  id)
{
  return id - node->id < 1000;
}

/* --- every write there ever was --- */

/* Returns NULL if nobody has made this write; one that is known has one value. */
static SimRecord *
recognise (AmnesiaEntry *entry)
{
  SimRecord *record = sim_history_find_entry (entry);

  if (record == NULL)
    sim_fail ("%u: a write that nobody made", sim_current->index);
  else if (!amnesia_value_equal (record->value, entry->value))
    sim_fail ("one stamp, two values");
  return record;
}

void
sim_judge_clock (AmnesiaTime now)
{
  sim.greatest_wall = MAX (sim.greatest_wall, now.wall / 1000);
}

/* A stranger made it. */
void
sim_judge_foreign (AmnesiaEntry *entry)
{
  sim_history_add (entry, NULL, (entry->stamp & AMNESIA_STAMP_NORMAL) == 0);
  if (!is_ahead (entry->stamp, sim.greatest_wall))
    sim.greatest_wall = MAX (sim.greatest_wall, get_wall_ms (entry->stamp));
}

/* --- one life --- */

void
sim_judge_begin_life (SimNode *node)
{
  node->history = sim_life_new ();
  node->floors = g_hash_table_new (g_str_hash, g_str_equal);
  node->removals = g_hash_table_new (g_str_hash, g_str_equal);
  node->losses = g_array_new (FALSE, FALSE, sizeof (SimLoss));
  node->seen = 0;
  node->rewrote = FALSE;
  node->judged = 0;
  node->view = NULL;
}

void
sim_judge_end_life (SimNode *node)
{
  node->history->over = TRUE;
  g_clear_pointer (&node->floors, g_hash_table_unref);
  g_clear_pointer (&node->removals, g_hash_table_unref);
  g_clear_pointer (&node->losses, g_array_unref);
  g_clear_pointer (&node->view, g_variant_unref);
}

/* The greatest write of this key that there was, unless it is covered. */
SimWrite
sim_get_floor (SimNode    *node,
               const char *key)
{
  SimRecord *floor = g_hash_table_lookup (node->floors, key);

  return floor != NULL ? (SimWrite) { floor->stamp, floor->id } : (SimWrite) { 0, 0 };
}

static gboolean
cover (gpointer key,
       gpointer floor,
       gpointer user_data)
{
  SimNode *node = user_data;
  SimRecord *base = g_hash_table_lookup (node->floors, ""), *lesser = floor;

  if (!sim_record_beats (base, (SimWrite) { lesser->stamp, lesser->id }))
    return FALSE;
  sim_judge_lost (node, lesser, base);
  return TRUE;
}

/* @record is in force at @node from now on; @relief: instead of one that counts as if it were not there. */
static void
set_floor (SimNode   *node,
           SimRecord *record,
           gboolean   relief)
{
  SimRecord *before = g_hash_table_lookup (node->floors, record->key);

  if (before != NULL)
    sim_judge_lost (node, before, record);
  if (before != NULL && record->weak && !before->weak && !relief)
    sim_fail ("%u: a first value beats one that was set", node->index);
  g_hash_table_replace (node->floors, record->key, record);
  if (*record->key == '\0')
    g_hash_table_foreach_remove (node->floors, cover, node);
  else if (record->value == NULL)
    g_hash_table_replace (node->removals, record->key, record);
}

/* The clock does not run ahead of all clocks that anybody has shown, but for the counter. */
static void
check_clock (AmnesiaEntry *entry)
{
  if (get_wall_ms (entry->stamp) > sim.greatest_wall + 2 + (gint64) (sim.n_writes >> 16))
    sim_fail ("a stamp that is ahead of every clock");
}

/* @node has just made it; @weak: as a first value. */
SimRecord *
sim_judge_write (SimNode      *node,
                 AmnesiaEntry *entry,
                 gboolean      weak)
{
  SimRecord *record = sim_history_add (entry, node->history, weak);

  sim.n_writes++;
  sim_say ("%u: writes “%s” %" G_GINT64_MODIFIER "x%s%s", node->index, entry->key, entry->stamp,
           entry->value == NULL ? ", nothing" : "", weak ? ", a first value" : "");
  check_clock (entry);
  if (!weak && entry->stamp <= node->seen)
    sim_fail ("%u: its own write is not greater than what it had seen", node->index);
  if (amnesia_replica_lookup (node->replica, entry->key) != entry)
    sim_fail ("%u: its own write is not visible", node->index);
  node->seen = MAX (node->seen, entry->stamp);
  set_floor (node, record, FALSE);
  return record;
}

/* What somebody else wrote a year ahead, and was taken when our clock was wrong too, makes room. */
static gboolean
is_relief (SimNode      *node,
           AmnesiaEntry *entry,
           gint64        wall)
{
  SimWrite floor = sim_get_floor (node, entry->key);

  return floor.stamp != 0 && !sim_is_own (node, floor.id) && is_ahead (floor.stamp, wall) &&
         (amnesia_entry_is_base (entry) ||
          is_greater (entry->stamp, entry->id, sim_get_floor (node, "")));
}

/* The clock starts anew from what is in force. */
static void
forget_seen (SimNode *node)
{
  GHashTableIter iter;
  gpointer floor;

  node->seen = 0;
  g_hash_table_iter_init (&iter, node->floors);
  while (g_hash_table_iter_next (&iter, NULL, &floor))
    node->seen = MAX (node->seen, ((SimRecord *) floor)->stamp);
}

/* @node has just looked at it, and decided. */
void
sim_judge_merge (SimNode      *node,
                 AmnesiaEntry *entry,
                 gint64        wall,
                 AmnesiaMerge  result)
{
  AmnesiaMerge right = AMNESIA_MERGE_OLD;
  SimRecord *record = recognise (entry);
  gboolean relief = is_relief (node, entry, wall);

  if (is_ahead (entry->stamp, wall))
    right = AMNESIA_MERGE_AHEAD;
  else if (relief || (is_greater (entry->stamp, entry->id, sim_get_floor (node, entry->key)) &&
                      is_greater (entry->stamp, entry->id, sim_get_floor (node, ""))))
    right = AMNESIA_MERGE_TAKEN;
  sim_say ("%u: merges “%s” %" G_GINT64_MODIFIER "x: %d", node->index, entry->key, entry->stamp, result);
  if (result != right)
    sim_fail ("%u: a merge ended with %d instead of %d", node->index, result, right);
  if (right == AMNESIA_MERGE_AHEAD || record == NULL)
    return;
  sim_life_note (node->history, record);
  node->seen = MAX (node->seen, entry->stamp);
  if (right == AMNESIA_MERGE_TAKEN)
    set_floor (node, record, relief);
  if (relief)
    forget_seen (node);
}

static gsize
get_size (const SimRecord *record)
{
  return record->value != NULL ? g_variant_get_size (record->value) : 0;
}

/* What was written at once leaves at once, but for what is too large for the peer. */
static void
judge_together (SimNode     *node,
                AmnesiaLink *link,
                GPtrArray   *entries)
{
  SimRecord *first = sim_history_find_entry (g_ptr_array_index (entries, 0));
  guint i, n = 0;

  if (first == NULL || first->siblings == NULL || g_hash_table_lookup (node->floors, first->key) != first)
    return;
  for (i = 0; i < first->siblings->len; i++)
    {
      SimRecord *sibling = g_ptr_array_index (first->siblings, i);

      n += g_hash_table_lookup (node->floors, sibling->key) == sibling &&
           get_size (sibling) <= link->repair.peer_max_size;
    }
  if (n != entries->len)
    sim_fail ("%u: it sends %u of %u keys that were written at once", node->index, entries->len, n);
}

/* It is about to leave: never less than what is held now. */
void
sim_judge_frame (SimNode       *node,
                 AmnesiaLink   *link,
                 GPtrArray     *entries,
                 AmnesiaPacket *packet)
{
  guint i;

  judge_together (node, link, entries);

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);
      SimWrite floor = sim_get_floor (node, entry->key);

      if (is_greater (floor.stamp, floor.id, (SimWrite) { entry->stamp, entry->id }) &&
          !is_ahead (floor.stamp, node->now.wall / 1000))
        sim_fail ("%u: it sends what is older than what it has", node->index);
    }
  if (sim.recorded->len < 64)
    {
      GByteArray *bytes = g_byte_array_new ();
      gsize size;
      const guint8 *data = g_bytes_get_data (packet->head, &size);

      g_byte_array_append (bytes, data, (guint) size);
      data = packet->payload != NULL ? g_bytes_get_data (packet->payload, &size) : NULL;
      if (data != NULL)
        g_byte_array_append (bytes, data, (guint) size);
      g_byte_array_set_size (bytes, (bytes->len + 7) & ~7u);
      g_ptr_array_add (sim.recorded, g_byte_array_free_to_bytes (bytes));
    }
}

/* --- what the application is told --- */

static void
judge_transition (SimNode           *node,
                  AmnesiaTransition *transition,
                  gboolean           local)
{
  AmnesiaEntry *base = amnesia_replica_lookup (node->replica, "");

  sim_say ("%u: changed%s", node->index, transition->remote ? ", remote" : "");

  if (transition->remote == local)
    sim_fail ("%u: `remote` is wrong", node->index);
  if (!amnesia_value_equal (transition->old, node->view))
    sim_fail ("%u: `old` is not what `new` was", node->index);
  if (amnesia_value_equal (transition->old, transition->new))
    sim_fail ("%u: `changed` without a change", node->index);
  if (transition->remote && !sim.profile.keys && base->id == node->id &&
      sim.profile.clocks != SIM_CLOCKS_BEYOND)
    sim_fail ("%u: its own value came as a remote one", node->index);
  g_clear_pointer (&node->view, g_variant_unref);
  node->view = transition->new != NULL ? g_variant_ref (transition->new) : NULL;
}

/* The dispatch is at its end: one `changed` at the most, and it leads to what is held. */
void
sim_judge_changed (SimNode  *node,
                   gboolean  local)
{
  guint n = 0;

  while (amnesia_transitions_any (&node->transitions))
    {
      AmnesiaTransition *transition = amnesia_transitions_pop (&node->transitions);

      judge_transition (node, transition, local);
      amnesia_transitions_done (&node->transitions, transition);
      n++;
    }
  if (n > 1)
    sim_fail ("%u: `changed` %u times", node->index, n);
  if (!amnesia_value_equal (node->view, amnesia_replica_get_value (node->replica)))
    sim_fail ("%u: a change was not told", node->index);
  sim_judge_losses (node);
}

/* --- after each dispatch --- */

/* A store whose clock was set back by a year has written anew what it wrote before, under another id: only
 * then may a lesser stamp follow. What was one write is one again. */
void
sim_judge_rewrite (SimNode   *node,
                   GPtrArray *entries)
{
  g_autoptr (GHashTable) groups =
    g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  GHashTableIter iter;
  gpointer group;
  guint i;

  node->rewrote = TRUE;
  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);
      SimRecord *before = g_hash_table_lookup (node->floors, entry->key), *record;

      if (before == NULL || !sim_is_own (node, before->id) ||
          !is_ahead (before->stamp, node->now.wall / 1000))
        sim_fail ("%u: it writes anew what need not be", node->index);
      record = sim_history_add (entry, node->history, before != NULL && before->weak);
      set_floor (node, record, FALSE);
      if (before != NULL)
        sim_history_withdraw (before);
      if (before == NULL || before->siblings == NULL)
        continue;
      group = g_hash_table_lookup (groups, before->siblings);
      if (group == NULL)
        g_hash_table_insert (groups, before->siblings, group = g_ptr_array_new ());
      g_ptr_array_add (group, record);
    }
  g_hash_table_iter_init (&iter, groups);
  while (g_hash_table_iter_next (&iter, NULL, &group))
    sim_history_join (group);
  forget_seen (node);
}

static void
judge_entry (SimNode      *node,
             AmnesiaEntry *entry)
{
  SimWrite floor = sim_get_floor (node, entry->key);

  recognise (entry);
  if (floor.stamp != entry->stamp || floor.id != entry->id)
    sim_fail ("%u: what is held is not the greatest", node->index);
}

static void
judge_replica (SimNode *node)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (node->replica);
  GHashTableIter iter;
  gpointer key;
  guint i;

  for (i = 0; i < entries->len; i++)
    judge_entry (node, g_ptr_array_index (entries, i));
  g_hash_table_iter_init (&iter, node->floors);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (amnesia_replica_lookup (node->replica, key) == NULL)
      sim_fail ("%u: an entry is gone, and nothing covers it", node->index);
  if (sim.failure == NULL)
    sim_judge_parts (node);
}

/* Whether the other one has what this entry is about, or may not have it. */
gboolean
sim_has_or_may_not (SimNode      *node,
                    AmnesiaStamp  stamp,
                    guint64       id,
                    const char   *key,
                    gsize         size)
{
  return size > node->max_size || is_ahead (stamp, sim_node_get_time (node).wall / 1000) ||
         !amnesia_replica_beats (node->replica, key, stamp, id);
}

/* Some round trips after both have said hello each has what the other had then. */
static void
check_fresh (gpointer data,
             guint    tag)
{
  SimWire *wire = data;
  guint side;

  for (side = 0; side < 2; side++)
    {
      SimEnd *from = &wire->ends[side], *to = from->other;

      if (wire->disturbed || from->link == NULL || to->link == NULL ||
          !amnesia_link_is_up (from->link) || !amnesia_link_is_up (to->link))
        return;
      if (from->greeted_stamp != 0 &&
          !sim_has_or_may_not (to->node, from->greeted_stamp, from->greeted_id, "", 0))
        sim_fail ("%u: it does not have what %u had when they met", to->node->index,
                  from->node->index);
    }
}

static void
note_greeting (SimEnd *end)
{
  AmnesiaEntry *base = amnesia_replica_lookup (end->node->replica, "");

  end->greeted_at = sim.now;
  end->greeted_stamp = base != NULL ? base->stamp : 0;
  end->greeted_id = base != NULL ? base->id : 0;
  if (end->other->node != NULL && end->other->greeted_at != 0 && sim.profile.bandwidth == 0 &&
      !sim.profile.limits && !sim.profile.faults && sim.profile.clocks != SIM_CLOCKS_BEYOND)
    sim_at (sim.now + 12 * sim.profile.latency + SIM_SECOND / 2, check_fresh, end->wire, 0);
}

/* Who says that the other has all tells the truth, of what is his own at least, and was not
 * refused because of its stamp; what is larger than the other takes is no excuse. */
static void
check_in_sync (SimEnd *end)
{
  AmnesiaEntry *base = amnesia_replica_lookup (end->node->replica, "");
  SimEnd *other = end->other;

  amnesia_mesh_spread (end->node->mesh);
  if (sim.profile.clocks == SIM_CLOCKS_BEYOND || base == NULL ||
      base->id != end->node->id || other->node == NULL ||
      other->node->life != other->life || !other->node->open ||
      !amnesia_link_is_in_sync (end->link))
    return;
  if (!sim_has_or_may_not (other->node, base->stamp, base->id, "", 0))
    sim_fail ("%u: it takes %u to be in sync", end->node->index, other->node->index);
}

/* Who is synced with somebody has what he had when they met, unless that has given way to what may
 * not be had. */
static void
check_synced (SimEnd *end)
{
  SimEnd *other = end->other;

  if (sim.profile.clocks == SIM_CLOCKS_BEYOND || sim.profile.limits ||
      other->greeted_stamp == 0 || !amnesia_link_is_synced (end->link))
    return;
  if (amnesia_replica_beats (end->node->replica, "", other->greeted_stamp, other->greeted_id))
    sim_fail ("%u: it is synced with %u, and lacks what he had", end->node->index,
              other->node->index);
}

/* Silence of six seconds is the end of a link, unless our own clocks jumped or our timers are late. */
static void
check_alive (SimEnd *end)
{
  if (!sim.profile.faults &&
      sim.now - MAX (end->heard, end->node->excused) > AMNESIA_DEAD_AFTER + SIM_SECOND)
    sim_fail ("%u: it takes a silent link to be alive", end->node->index);
}

static void
judge_end (SimEnd *end)
{
  AmnesiaLink *link = end->link;

  if (amnesia_link_count_marks (link) > MAX_DIRTY + 1 ||
      (guint) g_tree_nnodes (link->repair.wanted) > MAX_DIRTY)
    sim_fail ("%u: too much is remembered of a link", end->node->index);
  if (!amnesia_link_is_up (link))
    return;
  if (end->node->guest && !link->dialled)
    sim_fail ("%u: it is a guest, and has guests of its own", end->node->index);
  if (end->greeted_at == 0)
    note_greeting (end);
  check_alive (end);
  check_in_sync (end);
  check_synced (end);
}

void
sim_judge_node (SimNode *node)
{
  guint64 digest = amnesia_replica_get_digest (node->replica);
  guint i;

  sim_trace ((guint64) sim.now);
  sim_trace (digest + node->index);
  if (digest != node->judged)
    judge_replica (node);
  node->judged = digest;
  if (node->ends->len > MAX_ENDS)
    sim_fail ("%u: too many links", node->index);
  for (i = 0; i < node->ends->len; i++)
    judge_end (g_ptr_array_index (node->ends, i));
}

/* For another one to the same peer; a guest is content with a link to somebody else. */
static gboolean
is_left (SimEnd *end)
{
  return end->link != NULL && end->link->state == AMNESIA_LINK_LEAVING &&
         g_strcmp0 (end->link->bye_message, "there is another link") == 0;
}

/* Of several links between two nodes both keep the same one: none is left while the other side has left
 * the only one that would stay. Where a node sleeps, or where a local socket is not whom its name says, and
 * is refused when the other side has taken it for the better link, it may be so for a moment. */
void
sim_judge_hang_up (SimEnd *end)
{
  guint i, n_others = 0;

  if (!is_left (end) || end->other->node == NULL || end->wire->disturbed || sim.profile.alias)
    return;
  for (i = 0; i < 2 * sim.wires->len; i++)
    {
      SimEnd *other = &((SimWire *) g_ptr_array_index (sim.wires, i / 2))->ends[i % 2];

      if (other == end || other->node != end->node || other->other->node != end->other->node)
        continue;
      if (other->wire->mistaken)
        return;
      if (!other->open || other->broken)
        continue;
      if (!is_left (other) && !is_left (other->other))
        return;
      n_others += other->link != NULL && amnesia_link_is_up (other->link);
    }
  if (n_others > 0)
    sim_fail ("%u leaves the last link to %u", end->node->index, end->other->node->index);
}
