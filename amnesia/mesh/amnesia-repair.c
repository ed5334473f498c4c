/* SPDX-License-Identifier: MIT */

#include "amnesia-repair-private.h"

#include "amnesia-error.h"
#include "amnesia-limits-private.h"

#include <string.h>

static void
list_item_free (gpointer data)
{
  AmnesiaListItem *item = data;

  g_free (item->key);
  g_free (item);
}

static GHashTable *
list_items_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, NULL, list_item_free);
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
}

void
amnesia_repair_clear (AmnesiaRepair *self)
{
  g_free (self->from);
  g_free (self->next);
  g_hash_table_unref (self->wanted);
  g_hash_table_unref (self->withheld);
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
  g_autoptr (GPtrArray) entries = amnesia_replica_list (self->replica);
  g_autofree char *from = g_steal_pointer (&self->from);

  self->from = amnesia_frame_encode_list (entries, from, self->reply, packet);
}

static gboolean
is_useless (gpointer key,
            gpointer data,
            gpointer replica)
{
  AmnesiaListItem *item = data;

  return !amnesia_replica_beats (replica, item->key, item->stamp, item->id);
}

/* Whether all that the peer listed is here, whoever it came from, or covered. */
gboolean
amnesia_repair_is_complete (AmnesiaRepair *self)
{
  guint64 digest = amnesia_replica_get_digest (self->replica);

  if (digest != self->reviewed)
    g_hash_table_foreach_remove (self->wanted, is_useless, self->replica);
  self->reviewed = digest;
  return self->listed && g_hash_table_size (self->wanted) == 0;
}

/* The peer talks, but not about what is wanted. It may have been covered since; if not, the digest
 * will tell. Who never lists is no peer. */
gboolean
amnesia_repair_give_up (AmnesiaRepair  *self,
                        GError        **error)
{
  g_hash_table_remove_all (self->wanted);
  if (!self->listed)
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "it does not say what it has");
  return self->listed;
}

/* --- the digest --- */

static gboolean
is_withheld (AmnesiaRepair      *self,
             const AmnesiaEntry *entry)
{
  AmnesiaListItem *item = g_hash_table_lookup (self->withheld, entry->key);

  return item != NULL &&
         amnesia_write_compare (entry->stamp, entry->id, item->stamp, item->id) < 0;
}

/* The digest over what both sides can have: an entry that is too large for one of them is left
 * out, and so is the older one that it stands in front of. */
guint64
amnesia_repair_get_digest (AmnesiaRepair *self)
{
  guint64 digest = amnesia_replica_get_digest (self->replica);
  g_autoptr (GPtrArray) entries = NULL;
  guint i;

  if (g_hash_table_size (self->withheld) == 0 &&
      amnesia_replica_get_size (self->replica) <= self->peer_max_size)
    return digest;
  entries = amnesia_replica_list (self->replica);
  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      if (amnesia_entry_get_size (entry) > self->peer_max_size ||
          is_withheld (self, entry))
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
      g_hash_table_remove_all (self->wanted);
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
  g_hash_table_replace (item->size > self->max_size ? self->withheld : self->wanted, copy->key,
                        copy);
}

static gboolean
take_items (AmnesiaRepair      *self,
            const AmnesiaList  *list,
            gint64              wall,
            GError            **error)
{
  guint i;

  if (*list->from == '\0')
    {
      g_hash_table_remove_all (self->wanted);
      g_hash_table_remove_all (self->withheld);
    }
  if (g_hash_table_size (self->wanted) + g_hash_table_size (self->withheld) + list->items->len >
      AMNESIA_MAX_LISTED)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG, "a list without end");
      return FALSE;
    }
  for (i = 0; i < list->items->len; i++)
    take_item (self, &g_array_index (list->items, AmnesiaListItem, i), wall);
  return TRUE;
}

static gboolean
is_in_range (const AmnesiaList  *list,
             const AmnesiaEntry *entry)
{
  return strcmp (entry->key, list->from) >= 0 &&
         (list->last || strcmp (entry->key, list->to) < 0);
}

/* What is newer here, or absent there. Both lists are in order of keys. */
static GPtrArray *
find_lacking (AmnesiaRepair     *self,
              const AmnesiaList *list)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (self->replica);
  GPtrArray *keys = g_ptr_array_new_with_free_func (g_free);
  guint i, j = 0;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);
      AmnesiaListItem *item = NULL;

      if (!is_in_range (list, entry))
        continue;
      while (j < list->items->len &&
             strcmp (g_array_index (list->items, AmnesiaListItem, j).key, entry->key) < 0)
        j++;
      if (j < list->items->len)
        item = &g_array_index (list->items, AmnesiaListItem, j);
      if (item == NULL || !g_str_equal (item->key, entry->key) ||
          amnesia_write_compare (entry->stamp, entry->id, item->stamp, item->id) > 0)
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
  g_auto (AmnesiaList) list = { 0, };

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
  return find_lacking (self, &list);
}
