/* SPDX-License-Identifier: MIT */

/* The test of the test. The linker puts these functions between the parts of the library (see
 * `wraps` in meson.build): there the judge looks on, and there one of twenty-seven mistakes can be made
 * that such libraries have had. None of the library's own code knows of it. */

#include "sim.h"

#include "amnesia-error.h"

#include <string.h>

static const char *names[] = {
  "none",
  "wall-clock-only",        /* stamps know the clock, and not what was seen */
  "last-arrival-wins",
  "changed-for-refused",    /* a value that loses is told all the same */
  "conflation-keeps-oldest",
  "pending-survives",       /* what waited on one link is sent on the next one */
  "receiver-stamps",        /* with its own clock */
  "equal-taken-again",
  "no-anti-entropy",
  "echo-taken-for-remote",
  "clock-ignores-received",
  "counter-wraps",
  "no-digest-at-connect",
  "id-reused",              /* after a restart */
  "refused-remembered",     /* a value from the future counts as seen */
  "digest-of-milliseconds",
  "no-tie-break",
  "way-does-not-matter",    /* to one side of two links, one of which is local */
  "siblings-one-by-one",    /* what was written together */
  "first-as-normal",        /* a first value beats what was set */
  "tombstones-not-kept",    /* by who is told of them */
  "tombstones-not-listed",
  "removed-keys-shown",     /* where the base has them */
  "covered-keys-kept",
  "keys-cover-keys",
  "nobody-was-seen",        /* before a write */
  "all-was-seen",
  "losses-told-again",
};

static guint mistake;
static gboolean merging;
static GVariant *refused_value;  /* (owned) (nullable) */
static gboolean told_echo;
static AmnesiaLink *pulling;
static GHashTable *kept;         /* (owned) (nullable) (element-type utf8 AmnesiaEntry) */
static GHashTable *refused;      /* (owned) (nullable) (element-type utf8) */

const char *
sim_mistake_get_name (guint number)
{
  return number < G_N_ELEMENTS (names) ? names[number] : NULL;
}

void
sim_set_mistake (guint number)
{
  mistake = number;
}

gboolean
sim_has_mistake (const char *name)
{
  return strcmp (names[mistake], name) == 0;
}

void
sim_mistakes_clear (void)
{
  g_clear_pointer (&kept, g_hash_table_unref);
  g_clear_pointer (&refused, g_hash_table_unref);
  g_clear_pointer (&refused_value, g_variant_unref);
  told_echo = FALSE;
  sim_key_mistakes_clear ();
}

static GHashTable *
get_kept (void)
{
  if (kept == NULL)
    kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                  (GDestroyNotify) amnesia_entry_unref);
  return kept;
}

/* --- the clock --- */

AmnesiaStamp __real_amnesia_clock_next    (AmnesiaClock *clock,
                                           gint64        wall,
                                           gboolean      weak);
AmnesiaStamp __wrap_amnesia_clock_next    (AmnesiaClock *clock,
                                           gint64        wall,
                                           gboolean      weak);
void         __real_amnesia_clock_witness (AmnesiaClock *clock,
                                           AmnesiaStamp  stamp);
void         __wrap_amnesia_clock_witness (AmnesiaClock *clock,
                                           AmnesiaStamp  stamp);

AmnesiaStamp
__wrap_amnesia_clock_next (AmnesiaClock *clock,
                           gint64        wall,
                           gboolean      weak)
{
  if (sim_has_mistake ("first-as-normal"))
    weak = FALSE;
  if (sim_has_mistake ("wall-clock-only"))
    clock->last = (guint64) wall << 16;
  else if (sim_has_mistake ("counter-wraps") && clock->last >> 16 >= (guint64) wall &&
           (clock->last & 0xffff) == 0xffff)
    clock->last &= ~(guint64) 0xffff;
  else
    return __real_amnesia_clock_next (clock, wall, weak);
  return clock->last | AMNESIA_STAMP_NORMAL;
}

void
__wrap_amnesia_clock_witness (AmnesiaClock *clock,
                              AmnesiaStamp  stamp)
{
  if (!sim_has_mistake ("clock-ignores-received"))
    __real_amnesia_clock_witness (clock, stamp);
}

/* --- the order --- */

int     __real_amnesia_write_compare (AmnesiaStamp stamp_a, guint64 id_a,
                                      AmnesiaStamp stamp_b, guint64 id_b);
int     __wrap_amnesia_write_compare (AmnesiaStamp stamp_a, guint64 id_a,
                                      AmnesiaStamp stamp_b, guint64 id_b);
guint64 __real_amnesia_entry_hash    (const AmnesiaEntry *entry);
guint64 __wrap_amnesia_entry_hash    (const AmnesiaEntry *entry);

int
__wrap_amnesia_write_compare (AmnesiaStamp stamp_a,
                              guint64      id_a,
                              AmnesiaStamp stamp_b,
                              guint64      id_b)
{
  int order;

  if (merging && sim_has_mistake ("last-arrival-wins"))
    return 1;
  if (sim_has_mistake ("no-tie-break"))
    id_a = id_b;
  order = __real_amnesia_write_compare (stamp_a, id_a, stamp_b, id_b);
  return merging && order == 0 && sim_has_mistake ("equal-taken-again") ? 1 : order;
}

guint64
__wrap_amnesia_entry_hash (const AmnesiaEntry *entry)
{
  AmnesiaEntry coarse = *entry;

  if (!sim_has_mistake ("digest-of-milliseconds"))
    return __real_amnesia_entry_hash (entry);
  coarse.stamp &= ~(guint64) 0xffff;
  coarse.id = 0;
  return __real_amnesia_entry_hash (&coarse);
}

/* --- the merge --- */

AmnesiaMerge __real_amnesia_replica_merge    (AmnesiaReplica     *replica,
                                              gint64              wall,
                                              AmnesiaEntry       *entry);
AmnesiaMerge __wrap_amnesia_replica_merge    (AmnesiaReplica     *replica,
                                              gint64              wall,
                                              AmnesiaEntry       *entry);
gboolean     __real_amnesia_transitions_note (AmnesiaTransitions *transitions,
                                              GVariant           *value,
                                              gboolean            remote);
gboolean     __wrap_amnesia_transitions_note (AmnesiaTransitions *transitions,
                                              GVariant           *value,
                                              gboolean            remote);

static char *
name_write (AmnesiaEntry *entry)
{
  return g_strdup_printf ("%u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s",
                          sim_current->index, entry->stamp, entry->id, entry->key);
}

static gboolean
is_remembered (AmnesiaEntry *entry)
{
  g_autofree char *name = name_write (entry);

  return refused != NULL && g_hash_table_contains (refused, name);
}

static void
remember (AmnesiaEntry *entry)
{
  if (refused == NULL)
    refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (refused, name_write (entry));
}

static AmnesiaMerge
merge (AmnesiaReplica *replica,
       gint64          wall,
       AmnesiaEntry   *entry)
{
  AmnesiaMerge result;

  merging = TRUE;
  result = __real_amnesia_replica_merge (replica, wall, entry);
  merging = FALSE;
  sim_mistake_merged (replica, entry, result);
  sim_judge_merge (sim_current, entry, wall, result);
  return result;
}

AmnesiaMerge
__wrap_amnesia_replica_merge (AmnesiaReplica *replica,
                              gint64          wall,
                              AmnesiaEntry   *entry)
{
  AmnesiaMerge result;

  if (sim_has_mistake ("receiver-stamps"))
    {
      g_autoptr (AmnesiaEntry) stamped =
        amnesia_entry_new (entry->key, AMNESIA_STAMP_NORMAL | (guint64) wall << 16, entry->id,
                           entry->value, NULL, 0);

      return merge (replica, wall, stamped);
    }
  if (sim_has_mistake ("refused-remembered") && is_remembered (entry))
    return AMNESIA_MERGE_OLD;
  result = merge (replica, wall, entry);
  if (result == AMNESIA_MERGE_AHEAD && sim_has_mistake ("refused-remembered"))
    remember (entry);
  if (result == AMNESIA_MERGE_OLD && sim_has_mistake ("changed-for-refused") && entry->value != NULL)
    {
      g_clear_pointer (&refused_value, g_variant_unref);
      refused_value = g_variant_ref (entry->value);
      return AMNESIA_MERGE_TAKEN;
    }
  if (entry->id == sim_current->id && sim_has_mistake ("echo-taken-for-remote"))
    {
      told_echo = TRUE;
      return AMNESIA_MERGE_TAKEN;
    }
  return result;
}

GPtrArray *__real_amnesia_replica_rewrite_ahead (AmnesiaReplica *replica, gint64 wall);
GPtrArray *__wrap_amnesia_replica_rewrite_ahead (AmnesiaReplica *replica, gint64 wall);

GPtrArray *
__wrap_amnesia_replica_rewrite_ahead (AmnesiaReplica *replica,
                                      gint64          wall)
{
  GPtrArray *entries = __real_amnesia_replica_rewrite_ahead (replica, wall);

  if (entries != NULL)
    sim_judge_rewrite (sim_current, entries);
  return entries;
}

gboolean
__wrap_amnesia_transitions_note (AmnesiaTransitions *transitions,
                                 GVariant           *value,
                                 gboolean            remote)
{
  g_autoptr (GVariant) other = g_steal_pointer (&refused_value);

  if (told_echo)
    {
      AmnesiaTransition *echo = g_new0 (AmnesiaTransition, 1);

      echo->old = value != NULL ? g_variant_ref (value) : NULL;
      echo->new = value != NULL ? g_variant_ref (value) : NULL;
      echo->remote = TRUE;
      echo->link.data = echo;
      g_queue_push_tail_link (&transitions->queue, &echo->link);
      told_echo = FALSE;
    }
  return __real_amnesia_transitions_note (transitions, other != NULL ? other : value, remote);
}

/* --- repair --- */

void       __real_amnesia_repair_pull    (AmnesiaRepair *repair, AmnesiaPacket *packet);
void       __wrap_amnesia_repair_pull    (AmnesiaRepair *repair, AmnesiaPacket *packet);
AmnesiaBye __real_amnesia_link_get_bye   (const GError *error);
AmnesiaBye __wrap_amnesia_link_get_bye   (const GError *error);

GPtrArray *__real_amnesia_repair_receive (AmnesiaRepair *repair, const AmnesiaFrame *frame,
                                          gint64 mono, gint64 wall, GError **error);
GPtrArray *__wrap_amnesia_repair_receive (AmnesiaRepair *repair, const AmnesiaFrame *frame,
                                          gint64 mono, gint64 wall, GError **error);

GPtrArray *
__wrap_amnesia_repair_receive (AmnesiaRepair       *repair,
                               const AmnesiaFrame  *frame,
                               gint64               mono,
                               gint64               wall,
                               GError             **error)
{
  gboolean first = !repair->listed;
  GPtrArray *lacking = __real_amnesia_repair_receive (repair, frame, mono, wall, error);

  if (lacking != NULL && (sim_has_mistake ("no-anti-entropy") ||
                          (first && sim_has_mistake ("no-digest-at-connect"))))
    g_ptr_array_set_size (lacking, 0);
  return lacking;
}

void
__wrap_amnesia_repair_pull (AmnesiaRepair *repair,
                            AmnesiaPacket *packet)
{
  sim.n_lists++;
  __real_amnesia_repair_pull (repair, packet);
}

/* What a member sends another one understands. */
AmnesiaBye
__wrap_amnesia_link_get_bye (const GError *error)
{
  if (sim_receiving != NULL && sim_receiving->other->node != NULL &&
      g_error_matches (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL))
    sim_fail ("%u: %s", sim_receiving->node->index, error->message);
  return __real_amnesia_link_get_bye (error);
}

/* --- which link stays --- */

AmnesiaLink *__real_amnesia_links_choose_loser (AmnesiaLink *a, AmnesiaLink *b);
AmnesiaLink *__wrap_amnesia_links_choose_loser (AmnesiaLink *a, AmnesiaLink *b);

AmnesiaLink *
__wrap_amnesia_links_choose_loser (AmnesiaLink *a,
                                   AmnesiaLink *b)
{
  gboolean ways[] = { a->nearby, b->nearby };
  AmnesiaLink *loser;

  if (sim_has_mistake ("way-does-not-matter") && sim_current->index % 2 == 0)
    a->nearby = b->nearby = FALSE;
  loser = __real_amnesia_links_choose_loser (a, b);
  a->nearby = ways[0];
  b->nearby = ways[1];
  return loser;
}

/* --- what waits for a link --- */

void       __real_amnesia_link_mark          (AmnesiaLink *link, const char *key);
void       __wrap_amnesia_link_mark          (AmnesiaLink *link, const char *key);
void       __real_amnesia_link_free          (AmnesiaLink *link);
void       __wrap_amnesia_link_free          (AmnesiaLink *link);
gboolean   __real_amnesia_link_pull          (AmnesiaLink *link, AmnesiaTime now,
                                              AmnesiaPacket *packet, GError **notice);
gboolean   __wrap_amnesia_link_pull          (AmnesiaLink *link, AmnesiaTime now,
                                              AmnesiaPacket *packet, GError **notice);
GPtrArray *__real_amnesia_replica_list_write (AmnesiaReplica *replica, AmnesiaEntry *entry);
GPtrArray *__wrap_amnesia_replica_list_write (AmnesiaReplica *replica, AmnesiaEntry *entry);
void       __real_amnesia_frame_encode_entry (AmnesiaEntry *entry, AmnesiaPacket *packet);
void       __wrap_amnesia_frame_encode_entry (AmnesiaEntry *entry, AmnesiaPacket *packet);
gboolean   __real_amnesia_frame_encode_write (GPtrArray *entries, AmnesiaPacket *packet);
gboolean   __wrap_amnesia_frame_encode_write (GPtrArray *entries, AmnesiaPacket *packet);

static char *
name_slot (AmnesiaLink *link,
           const char  *key)
{
  guint64 serial = sim_has_mistake ("pending-survives") ? 0 : link->serial;

  return g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s",
                          amnesia_replica_get_id (link->local->replica), link->peer_id, serial, key);
}

/* Keeps the value of now, if none is kept. */
static void
keep (AmnesiaLink *link,
      const char  *key)
{
  AmnesiaEntry *entry = amnesia_replica_lookup (link->local->replica, key);
  char *slot = name_slot (link, key);

  if (entry == NULL || g_hash_table_contains (get_kept (), slot))
    g_free (slot);
  else
    g_hash_table_insert (get_kept (), slot, amnesia_entry_ref (entry));
}

void
__wrap_amnesia_link_mark (AmnesiaLink *link,
                          const char  *key)
{
  __real_amnesia_link_mark (link, key);
  if (sim_has_mistake ("conflation-keeps-oldest") && amnesia_link_is_marked (link, key))
    keep (link, key);
}

void
__wrap_amnesia_link_free (AmnesiaLink *link)
{
  GTreeNode *node = g_tree_node_first (link->dirty);

  if (sim_has_mistake ("pending-survives") && amnesia_link_is_marked (link, ""))
    keep (link, "");
  for (; sim_has_mistake ("pending-survives") && node != NULL; node = g_tree_node_next (node))
    keep (link, g_tree_node_key (node));
  __real_amnesia_link_free (link);
}

gboolean
__wrap_amnesia_link_pull (AmnesiaLink    *link,
                          AmnesiaTime     now,
                          AmnesiaPacket  *packet,
                          GError        **notice)
{
  gboolean any;

  pulling = link;
  any = __real_amnesia_link_pull (link, now, packet, notice);
  pulling = NULL;
  return any;
}

/* Returns, owned, what is sent instead of @present: what was kept, and is kept no more, or itself. */
static AmnesiaEntry *
take_kept (AmnesiaEntry *present)
{
  g_autofree char *slot = name_slot (pulling, present->key);
  AmnesiaEntry *old = kept != NULL ? g_hash_table_lookup (kept, slot) : NULL;
  AmnesiaEntry *taken = amnesia_entry_ref (old != NULL ? old : present);

  if (old != NULL)
    g_hash_table_remove (kept, slot);
  return taken;
}

GPtrArray *
__wrap_amnesia_replica_list_write (AmnesiaReplica *replica,
                                   AmnesiaEntry   *entry)
{
  GPtrArray *write = __real_amnesia_replica_list_write (replica, entry);
  guint i;

  for (i = write->len; sim_has_mistake ("siblings-one-by-one") && i > 0; i--)
    if (g_ptr_array_index (write, i - 1) != entry)
      g_ptr_array_remove_index (write, i - 1);

  for (i = 0; pulling != NULL && i < write->len; i++)
    {
      AmnesiaEntry *present = g_ptr_array_index (write, i);

      write->pdata[i] = take_kept (present);
      amnesia_entry_unref (present);
    }
  return write;
}

/* The whole value goes by itself. */
void
__wrap_amnesia_frame_encode_entry (AmnesiaEntry  *entry,
                                   AmnesiaPacket *packet)
{
  g_autoptr (GPtrArray) entries =
    g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_entry_unref);

  g_ptr_array_add (entries, pulling != NULL ? take_kept (entry) : amnesia_entry_ref (entry));
  __real_amnesia_frame_encode_entry (g_ptr_array_index (entries, 0), packet);
  if (pulling != NULL)
    sim_judge_frame (sim_current, pulling, entries, packet);
}

gboolean
__wrap_amnesia_frame_encode_write (GPtrArray     *entries,
                                   AmnesiaPacket *packet)
{
  if (!__real_amnesia_frame_encode_write (entries, packet))
    return FALSE;
  if (pulling != NULL)
    sim_judge_frame (sim_current, pulling, entries, packet);
  return TRUE;
}

/* --- faults --- */

gboolean __real_amnesia_frame_is_slow (const AmnesiaFrame *frame);
gboolean __wrap_amnesia_frame_is_slow (const AmnesiaFrame *frame);

/* Values here are small: chance makes some of them slow to check. */
gboolean
__wrap_amnesia_frame_is_slow (const AmnesiaFrame *frame)
{
  return frame->kind == AMNESIA_FRAME_WRITE && sim.profile.faults && sim_chance (0.1);
}

gpointer __real_g_try_realloc (gpointer memory, gsize size);
gpointer __wrap_g_try_realloc (gpointer memory, gsize size);

gpointer
__wrap_g_try_realloc (gpointer memory,
                      gsize    size)
{
  if (sim.profile.faults && !sim.ending && size > 0 && sim_chance (0.001))
    return NULL;
  return __real_g_try_realloc (memory, size);
}
