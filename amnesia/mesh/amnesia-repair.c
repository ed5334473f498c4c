/* SPDX-License-Identifier: MIT */

#include "amnesia-repair-private.h"

#include "amnesia-error.h"
#include "amnesia-limits-private.h"

#include <string.h>

/* Twice as many keys as a replica has room for. */
#define MAX_DENIED (2 * AMNESIA_MAX_LISTED)

/* An entry without key takes 48 bytes. */
#define MAX_IN_FRAME (AMNESIA_MAX_LIST / 48)

static void
list_item_free (gpointer data)
{
  AmnesiaListItem *item = data;

  g_free (item->key);
  g_free (item);
}

/* A tree, as who sends the keys could choose them so that their hashes collide. */
static GTree *
list_items_new (void)
{
  return g_tree_new_full (amnesia_compare_keys, NULL, NULL, list_item_free);
}

void
amnesia_repair_init (AmnesiaRepair  *self,
                     AmnesiaReplica *replica,
                     guint64         max_size)
{
  self->replica = replica;
  self->max_size = max_size;
  self->wanted = list_items_new ();
  self->withheld = list_items_new ();
  self->denied = list_items_new ();
}

void
amnesia_repair_clear (AmnesiaRepair *self)
{
  g_free (self->from);
  g_free (self->next);
  g_tree_unref (self->wanted);
  g_tree_unref (self->withheld);
  g_tree_unref (self->denied);
}

static void
begin_list (AmnesiaRepair *self,
            gboolean       reply)
{
  g_free (self->from);
  self->from = g_strdup ("");
  self->reply = reply;
}

/* The peer has said hello: each side sends its list, unasked. */
void
amnesia_repair_start (AmnesiaRepair *self,
                      guint64        peer_max_size)
{
  self->peer_max_size = peer_max_size;
  begin_list (self, FALSE);
}

/* Whether a frame of our list is to be sent. */
gboolean
amnesia_repair_is_due (const AmnesiaRepair *self)
{
  return self->from != NULL;
}

void
amnesia_repair_pull (AmnesiaRepair *self,
                     AmnesiaPacket *packet)
{
  g_autofree char *from = g_steal_pointer (&self->from);
  g_autoptr (GPtrArray) entries = amnesia_replica_list_range (self->replica, from, NULL,
                                                              MAX_IN_FRAME + 1);

  self->from = amnesia_frame_encode_list (entries, from, self->reply, packet);
}

/* Forgets what has become useless, up to the first that has not. */
static void
review_wanted (AmnesiaRepair *self)
{
  GTreeNode *node;

  while ((node = g_tree_node_first (self->wanted)) != NULL)
    {
      AmnesiaListItem *item = g_tree_node_value (node);

      if (amnesia_replica_beats (self->replica, item->key, item->stamp, item->id))
        return;
      g_tree_remove (self->wanted, item->key);
    }
}

/* Whether all that the peer listed is here, whoever it came from, or covered. */
gboolean
amnesia_repair_is_complete (AmnesiaRepair *self)
{
  if (!self->listed)
    return FALSE;
  review_wanted (self);
  return g_tree_nnodes (self->wanted) == 0;
}

/* There is no room for what came: it is not waited for. */
void
amnesia_repair_refuse (AmnesiaRepair *self,
                       const char    *key)
{
  g_tree_remove (self->wanted, key);
}

/* Whether that is in force which was too large for the peer. */
static gboolean
is_denied (AmnesiaRepair         *self,
           const AmnesiaListItem *item)
{
  AmnesiaEntry *entry = amnesia_replica_lookup (self->replica, item->key);

  return entry != NULL && entry->stamp == item->stamp && entry->id == item->id;
}

static void
forget_replaced (AmnesiaRepair *self)
{
  g_autoptr (GPtrArray) replaced = g_ptr_array_new ();
  GTreeNode *node;
  guint i;

  for (node = g_tree_node_first (self->denied); node != NULL; node = g_tree_node_next (node))
    if (!is_denied (self, g_tree_node_value (node)))
      g_ptr_array_add (replaced, g_tree_node_key (node));
  for (i = 0; i < replaced->len; i++)
    g_tree_remove (self->denied, g_ptr_array_index (replaced, i));
}

/* The peer goes without @entry, which is too large for it, until something else is in its place. */
void
amnesia_repair_deny (AmnesiaRepair      *self,
                     const AmnesiaEntry *entry)
{
  AmnesiaListItem *item = g_new (AmnesiaListItem, 1);

  /* others may write large keys and cover them, again and again */
  if (g_tree_nnodes (self->denied) >= MAX_DENIED)
    forget_replaced (self);
  *item = (AmnesiaListItem) { g_strdup (entry->key), entry->stamp, entry->id, 0 };
  g_tree_replace (self->denied, item->key, item);
}

/* Whether there is something of that kind. Forgets what has been replaced, up to the first that has
 * not. */
gboolean
amnesia_repair_is_denying (AmnesiaRepair *self)
{
  GTreeNode *node;

  while ((node = g_tree_node_first (self->denied)) != NULL)
    {
      AmnesiaListItem *item = g_tree_node_value (node);

      if (is_denied (self, item))
        return TRUE;
      g_tree_remove (self->denied, item->key);
    }
  return FALSE;
}

/* The peer talks, but not about what is wanted. It may have been covered since; if not, the digest
 * will tell. Who never lists is no peer. */
gboolean
amnesia_repair_give_up (AmnesiaRepair  *self,
                        GError        **error)
{
  g_tree_remove_all (self->wanted);
  if (!self->listed)
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "it does not say what it has");
  return self->listed;
}

/* --- the digest --- */

static gboolean
is_less (const AmnesiaEntry    *entry,
         const AmnesiaListItem *item)
{
  return item != NULL &&
         amnesia_write_compare (entry->stamp, entry->id, item->stamp, item->id) < 0;
}

/* Whether the peer has a newer entry of that key, or a newer base, that is too large for us. */
static gboolean
is_withheld (AmnesiaRepair      *self,
             const AmnesiaEntry *entry)
{
  return is_less (entry, g_tree_lookup (self->withheld, entry->key)) ||
         is_less (entry, g_tree_lookup (self->withheld, ""));
}

/* The digest over what both sides can have: an entry that is too large for one of them is left
 * out, and so is the older one that it stands in front of, or covers. */
guint64
amnesia_repair_get_digest (AmnesiaRepair *self)
{
  guint64 digest = amnesia_replica_get_digest (self->replica);
  guint64 max_size = MIN (self->max_size, self->peer_max_size);
  g_autoptr (GPtrArray) entries = NULL;
  guint i;

  if (g_tree_nnodes (self->withheld) == 0 && amnesia_replica_get_size (self->replica) <= max_size)
    return digest;
  entries = amnesia_replica_list (self->replica);
  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      if (amnesia_entry_get_size (entry) > max_size || is_withheld (self, entry))
        digest -= amnesia_entry_hash (entry);
    }
  return digest;
}

/* One mismatch may be a value on its way; two in a row begin an exchange of lists. */
void
amnesia_repair_compare (AmnesiaRepair *self,
                        guint64        digest,
                        gint64         mono)
{
  if (!self->listed)
    return;
  if (digest == amnesia_repair_get_digest (self))
    {
      self->mismatches = 0;
      g_tree_remove_all (self->wanted);
      return;
    }
  self->mismatches++;
  if (self->mismatches < AMNESIA_EXCHANGE_AFTER || self->from != NULL ||
      (self->last_exchange != 0 && mono - self->last_exchange < AMNESIA_EXCHANGE_INTERVAL))
    return;
  self->last_exchange = mono;
  begin_list (self, TRUE);
}

/* --- the peer's list --- */

/* A list that comes sooner than an honest peer would send one is passed over: a byte in must not
 * make a megabyte go out. The first frame begins at "", each other one where the last ended. */
static gboolean
check_order (AmnesiaRepair      *self,
             const AmnesiaList  *list,
             gint64              mono,
             GError            **error)
{
  if (*list->from == '\0')
    {
      self->ignored = self->begun != 0 && mono - self->begun < AMNESIA_BEAT_INTERVAL;
      if (!self->ignored)
        self->begun = mono;
    }
  else if (g_strcmp0 (list->from, self->next) != 0)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "a list that is out of order");
      return FALSE;
    }
  if (!list->last && strcmp (list->to, list->from) <= 0)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "a list that goes backwards");
      return FALSE;
    }
  g_free (self->next);
  self->next = list->last ? NULL : g_strdup (list->to);
  return TRUE;
}

/* What is newer at the peer is wanted. */
static void
take_item (AmnesiaRepair         *self,
           const AmnesiaListItem *item,
           gint64                 wall)
{
  AmnesiaListItem *copy;

  if (amnesia_stamp_is_ahead (item->stamp, wall / 1000) ||
      !amnesia_replica_beats (self->replica, item->key, item->stamp, item->id))
    return;
  copy = g_memdup2 (item, sizeof *item);
  copy->key = g_strdup (item->key);
  g_tree_replace (item->size > self->max_size ? self->withheld : self->wanted, copy->key, copy);
}

static gboolean
take_items (AmnesiaRepair      *self,
            const AmnesiaList  *list,
            gint64              wall,
            GError            **error)
{
  guint n, i;

  if (*list->from == '\0')
    {
      g_tree_remove_all (self->wanted);
      g_tree_remove_all (self->withheld);
    }
  n = (guint) g_tree_nnodes (self->wanted) + (guint) g_tree_nnodes (self->withheld);
  if (n + list->items->len > AMNESIA_MAX_LISTED)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG, "a list without end");
      return FALSE;
    }
  for (i = 0; i < list->items->len; i++)
    take_item (self, &g_array_index (list->items, AmnesiaListItem, i), wall);
  return TRUE;
}

/* Whether ours is to be sent: it is newer, or theirs is from so far ahead that it is nothing to us. */
static gboolean
is_better (const AmnesiaEntry    *entry,
           const AmnesiaListItem *item,
           gint64                 wall)
{
  if (amnesia_stamp_is_ahead (item->stamp, wall / 1000) &&
      !amnesia_stamp_is_ahead (entry->stamp, wall / 1000))
    return TRUE;
  return amnesia_write_compare (entry->stamp, entry->id, item->stamp, item->id) > 0;
}

/* What is newer here, or absent there, but for what the peer's base covers. Both lists are in order
 * of keys. */
static GPtrArray *
find_lacking (AmnesiaRepair     *self,
              const AmnesiaList *list,
              gint64             wall)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list_range (self->replica, list->from,
                                                              list->last ? NULL : list->to,
                                                              G_MAXUINT);
  GPtrArray *keys = g_ptr_array_new_with_free_func (g_free);
  guint i, j = 0;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);
      AmnesiaListItem *item = NULL;

      if (is_withheld (self, entry) || is_less (entry, g_tree_lookup (self->wanted, "")))
        continue;
      while (j < list->items->len &&
             strcmp (g_array_index (list->items, AmnesiaListItem, j).key, entry->key) < 0)
        j++;
      if (j < list->items->len)
        item = &g_array_index (list->items, AmnesiaListItem, j);
      if (item == NULL || !g_str_equal (item->key, entry->key) || is_better (entry, item, wall))
        g_ptr_array_add (keys, g_strdup (entry->key));
    }
  return keys;
}

/* A frame of the peer's list came: returns the keys of what it lacks, NULL with an error if it is
 * not right. */
GPtrArray *
amnesia_repair_receive (AmnesiaRepair       *self,
                        const AmnesiaFrame  *frame,
                        gint64               mono,
                        gint64               wall,
                        GError             **error)
{
  g_auto (AmnesiaList) list = { 0 };

  if (!amnesia_frame_decode_list (frame, &list, error) || !check_order (self, &list, mono, error))
    return NULL;
  if (self->ignored)
    return g_ptr_array_new ();
  if (!take_items (self, &list, wall, error))
    return NULL;
  if (list.last)
    self->listed = TRUE;
  if (list.last && list.reply && self->from == NULL)
    begin_list (self, FALSE);
  if (!self->given)
    return find_lacking (self, &list, wall);
  self->given = !list.last;
  return g_ptr_array_new ();
}

/* The peer has said that it has nothing: what it lacks is known before it lists that. Returns the keys
 * of all that there is; what comes later is sent as it comes. */
GPtrArray *
amnesia_repair_assume_empty (AmnesiaRepair *self,
                             gint64         wall)
{
  g_autoptr (GArray) nothing = g_array_new (FALSE, FALSE, sizeof (AmnesiaListItem));
  const AmnesiaList list = { .from = (char *) "", .last = TRUE, .items = nothing };

  self->given = TRUE;
  return find_lacking (self, &list, wall);
}
