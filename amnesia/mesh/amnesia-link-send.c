/* SPDX-License-Identifier: MIT */

/* What goes over a link, built only when there is room for it, so that it is the newest. */

#include "amnesia-link-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"

#include <string.h>

static gboolean
is_empty (AmnesiaReplica *replica)
{
  g_autoptr (GPtrArray) first = amnesia_replica_list_range (replica, "", NULL, 1);

  return first->len == 0;
}

static void
pull_hello (AmnesiaLink   *self,
            AmnesiaTime    now,
            AmnesiaPacket *packet)
{
  AmnesiaLocal *local = self->local;
  AmnesiaHello hello = {
    .version_min = AMNESIA_PROTOCOL_MIN,
    .version_max = AMNESIA_PROTOCOL_MAX,
    .id = amnesia_replica_get_id (local->replica),
    .group = local->group,
    .host = local->host,
    .port = local->port,
    .wall = now.wall,
    .max_size = local->max_size,
    .empty = is_empty (local->replica),
  };

  self->hello_sent = TRUE;
  amnesia_frame_encode_hello (&hello, packet);
}

static void
pull_beat (AmnesiaLink   *self,
           AmnesiaTime    now,
           AmnesiaPacket *packet)
{
  AmnesiaBeat beat = {
    .digest = amnesia_repair_get_digest (&self->repair),
    .wall = now.wall,
    .sent = now.mono,
    .echo = self->beat_received != 0 ? self->beat_echo : 0,
    .held = self->beat_received != 0 ? now.mono - self->beat_received : 0,
  };

  self->next_beat = now.mono + AMNESIA_BEAT_INTERVAL;
  self->answer_due = FALSE;
  amnesia_frame_encode_beat (&beat, packet);
}

static void
list_item_clear (gpointer item)
{
  g_free (((AmnesiaListItem *) item)->key);
}

static int
compare_backwards (gconstpointer a,
                   gconstpointer b)
{
  const AmnesiaListItem *item_a = a;
  const AmnesiaListItem *item_b = b;

  return amnesia_write_compare (item_b->stamp, item_b->id, item_a->stamp, item_a->id);
}

/* Lists what is dirty, once for many pulls and not for each of them. No entries are held: a value
 * that has been replaced is to go. */
static void
make_order (AmnesiaLink *self)
{
  g_autoptr (GPtrArray) covered = g_ptr_array_new ();
  GTreeNode *node;
  guint i;

  self->order = g_array_new (FALSE, FALSE, sizeof (AmnesiaListItem));
  g_array_set_clear_func (self->order, list_item_clear);
  for (node = g_tree_node_first (self->dirty); node != NULL; node = g_tree_node_next (node))
    {
      const char *key = g_tree_node_key (node);
      AmnesiaEntry *entry = amnesia_replica_lookup (self->local->replica, key);
      AmnesiaListItem item;

      if (entry == NULL) /* covered by a base write since */
        {
          g_ptr_array_add (covered, (gpointer) key);
          continue;
        }
      item = (AmnesiaListItem) { g_strdup (key), entry->stamp, entry->id, 0 };
      g_array_append_val (self->order, item);
    }
  for (i = 0; i < covered->len; i++)
    g_tree_remove (self->dirty, g_ptr_array_index (covered, i));
  g_array_sort (self->order, compare_backwards);
}

/* The dirty entry that was written first; NULL if there is none left, or only such as were written
 * since the order was made. */
static AmnesiaEntry *
pop_oldest (AmnesiaLink *self)
{
  AmnesiaEntry *found = NULL;

  if (self->order == NULL)
    make_order (self);
  while (self->order->len > 0 && found == NULL)
    {
      AmnesiaListItem *item = &g_array_index (self->order, AmnesiaListItem, self->order->len - 1);
      AmnesiaEntry *entry = amnesia_replica_lookup (self->local->replica, item->key);

      if (entry != NULL && g_tree_lookup (self->dirty, item->key) != NULL &&
          amnesia_write_compare (entry->stamp, entry->id, item->stamp, item->id) == 0)
        found = entry;
      g_array_set_size (self->order, self->order->len - 1);
    }
  if (found == NULL)
    g_clear_pointer (&self->order, g_array_unref);
  return found;
}

/* The dirty entry that was written first, with all that are of the same write. */
static GPtrArray *
take_oldest (AmnesiaLink *self)
{
  AmnesiaEntry *oldest = pop_oldest (self);
  GPtrArray *write;
  guint i;

  if (oldest == NULL)
    return NULL;
  write = amnesia_replica_list_write (self->local->replica, oldest);
  for (i = 0; i < write->len; i++)
    g_tree_remove (self->dirty, ((AmnesiaEntry *) g_ptr_array_index (write, i))->key);
  return write;
}

/* A peer with a smaller limit goes without what is above it; the link stays. */
static gboolean
is_too_big (AmnesiaLink        *self,
            const AmnesiaEntry *entry,
            GError            **notice)
{
  gsize size = amnesia_entry_get_size (entry);
  g_autofree char *limit = NULL;

  if (size <= self->repair.peer_max_size)
    return FALSE;
  amnesia_repair_deny (&self->repair, entry);
  g_clear_error (notice);
  limit = g_strdup_printf ("%" G_GUINT64_FORMAT, self->repair.peer_max_size);
  g_set_error (notice, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG,
               ngettext ("a value of %zu byte was not sent: the peer's max-size is %s",
                         "a value of %zu bytes was not sent: the peer's max-size is %s", size),
               size, limit);
  return TRUE;
}

static void
remove_too_big (AmnesiaLink *self,
                GPtrArray   *write,
                GError     **notice)
{
  guint i;

  for (i = write->len; i > 0; i--)
    if (is_too_big (self, g_ptr_array_index (write, i - 1), notice))
      g_ptr_array_remove_index (write, i - 1);
}

/* The same for all of one write: what is left of it has room in one frame. */
static void
cut_to_fit (AmnesiaLink *self,
            GPtrArray   *write,
            GError     **notice)
{
  guint64 room = AMNESIA_MAX_WRITE_FACTOR * MIN (self->repair.peer_max_size, G_MAXUINT32);
  guint i = 0;

  while (i < write->len)
    {
      /* each is padded to 8 bytes */
      guint64 size = (amnesia_entry_get_size (g_ptr_array_index (write, i)) + 7) / 8 * 8;

      if (size <= room)
        {
          room -= size;
          i++;
          continue;
        }
      if (notice != NULL && *notice == NULL)
        g_set_error (notice, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG,
                     ngettext ("a write was not sent whole: it is more than %d time the peer's max-size",
                               "a write was not sent whole: it is more than %d times the peer's "
                               "max-size", AMNESIA_MAX_WRITE_FACTOR), AMNESIA_MAX_WRITE_FACTOR);
      amnesia_repair_deny (&self->repair, g_ptr_array_index (write, i));
      g_ptr_array_remove_index (write, i);
    }
}

static void
begin_value (AmnesiaLink         *self,
             const AmnesiaPacket *packet)
{
  self->values_sent++;
  self->sending = packet->payload != NULL ? g_bytes_get_size (packet->payload) : 0;
}

/* The whole value, if it is dirty. It comes first: no key in force was written before it. */
static gboolean
pull_base (AmnesiaLink   *self,
           AmnesiaPacket *packet,
           GError       **notice)
{
  AmnesiaEntry *base = amnesia_replica_lookup (self->local->replica, "");

  if (!self->base_dirty)
    return FALSE;
  self->base_dirty = FALSE;
  if (base == NULL || is_too_big (self, base, notice))
    return FALSE;
  amnesia_frame_encode_entry (base, packet);
  begin_value (self, packet);
  return TRUE;
}

/* The memory of the last write is not needed any more, or not for so long. */
void
amnesia_local_forget_write (AmnesiaLocal *self)
{
  g_clear_pointer (&self->write, g_ptr_array_unref);
  amnesia_packet_clear (&self->write_packet);
}

static gboolean
is_last_write (AmnesiaLocal *local,
               GPtrArray    *write)
{
  return local->write != NULL && local->write->len == write->len &&
         memcmp (local->write->pdata, write->pdata, write->len * sizeof (gpointer)) == 0;
}

/* Several values are copied into one piece of memory: once, for all links that send them now. */
static gboolean
encode_write (AmnesiaLocal  *local,
              GPtrArray     *write,
              AmnesiaPacket *packet,
              GError       **notice)
{
  if (write->len > 1 && is_last_write (local, write))
    {
      packet->head = g_bytes_ref (local->write_packet.head);
      packet->payload = g_bytes_ref (local->write_packet.payload);
      return TRUE;
    }
  if (!amnesia_frame_encode_write (write, packet))
    {
      g_clear_error (notice);
      g_set_error (notice, AMNESIA_ERROR, AMNESIA_ERROR_FAILED,
                   ngettext ("no memory to send %u value at once", "no memory to send %u values at once",
                             write->len), write->len);
      return FALSE;
    }
  if (write->len > 1)
    {
      amnesia_local_forget_write (local);
      local->write = g_ptr_array_ref (write);
      local->write_packet = (AmnesiaPacket) { g_bytes_ref (packet->head), g_bytes_ref (packet->payload) };
    }
  return TRUE;
}

static gboolean
pull_write (AmnesiaLink   *self,
            AmnesiaPacket *packet,
            GError       **notice)
{
  if (pull_base (self, packet, notice))
    return TRUE;
  while (g_tree_nnodes (self->dirty) > 0)
    {
      g_autoptr (GPtrArray) write = take_oldest (self);

      if (write != NULL)
        {
          remove_too_big (self, write, notice);
          cut_to_fit (self, write, notice);
        }
      /* what there is no memory for the digest finds missing */
      if (write == NULL || write->len == 0 || !encode_write (self->local, write, packet, notice))
        continue;
      begin_value (self, packet);
      return TRUE;
    }
  return FALSE;
}

/* When the peer has to be told that its values have come, whatever happens until then; 0: it was. */
gint64
amnesia_link_get_ack_time (AmnesiaLink *self)
{
  if (self->values_told == self->values_taken || self->bye_sent)
    return 0;
  return self->told_at + 2 * AMNESIA_ACK_INTERVAL;
}

/* Most often it can be told when the next value comes, which takes no turn of its own. */
static gboolean
is_ack_due (AmnesiaLink *self,
            AmnesiaTime  now)
{
  return self->values_told != self->values_taken && !self->bye_sent &&
         (self->state == AMNESIA_LINK_LEAVING ||
          now.mono >= self->told_at + AMNESIA_ACK_INTERVAL);
}

/* Who sends something while a large frame comes has the kernel put off that it has come, for it expects
 * more of that: on one processor a value of 1 MiB then took three times as long. */
static gboolean
is_beat_due (AmnesiaLink *self,
             AmnesiaTime  now)
{
  return now.mono >= self->next_beat || (self->answer_due && self->pace == 0);
}

static gboolean
pull_greeted (AmnesiaLink   *self,
              AmnesiaTime    now,
              AmnesiaPacket *packet,
              GError       **notice)
{
  if (is_ack_due (self, now))
    {
      self->values_told = self->values_taken;
      self->told_at = now.mono;
      amnesia_frame_encode_ack (self->values_told, packet);
      return TRUE;
    }
  if (self->links_due)
    {
      self->links_due = FALSE;
      amnesia_frame_encode_links (self->local->linked, packet);
      return TRUE;
    }
  if (is_beat_due (self, now))
    {
      pull_beat (self, now, packet);
      return TRUE;
    }
  if (amnesia_repair_is_due (&self->repair))
    {
      amnesia_repair_pull (&self->repair, packet);
      return TRUE;
    }
  return pull_write (self, packet, notice);
}

/* What to send next, built only now that there is room for it, so that it is the newest. */
gboolean
amnesia_link_pull (AmnesiaLink   *self,
                   AmnesiaTime    now,
                   AmnesiaPacket *packet,
                   GError       **notice)
{
  gboolean any = TRUE;

  if (self->bye_sent)
    return FALSE;
  if (!self->hello_sent)
    pull_hello (self, now, packet);
  else if (self->peer_id != 0 && pull_greeted (self, now, packet, notice))
    any = TRUE;
  else if (self->state == AMNESIA_LINK_LEAVING)
    {
      self->bye_sent = TRUE;
      amnesia_frame_encode_bye (self->bye, self->bye_message, packet);
    }
  else
    any = FALSE;

  if (any)
    {
      self->in_flight = TRUE;
      self->progress = now.mono;
    }
  return any;
}

gboolean
amnesia_link_is_beat_due (AmnesiaLink *self,
                          AmnesiaTime  now)
{
  return self->peer_id != 0 && !self->bye_sent && is_beat_due (self, now);
}

void
amnesia_link_hasten_beat (AmnesiaLink *self,
                          AmnesiaTime  now)
{
  if (self->next_beat - AMNESIA_BEAT_SLACK <= now.mono)
    self->next_beat = MIN (self->next_beat, now.mono);
}

/* Whether a pull would bring something that is not only due for its time. */
gboolean
amnesia_link_has_news (AmnesiaLink *self)
{
  if (!self->hello_sent)
    return TRUE;
  if (self->state == AMNESIA_LINK_LEAVING && !self->bye_sent)
    return TRUE;
  return self->peer_id != 0 && !self->bye_sent &&
         (self->links_due || amnesia_repair_is_due (&self->repair) ||
          amnesia_link_count_marks (self) > 0);
}

/* The same, or what is due now. */
gboolean
amnesia_link_wants_to_send (AmnesiaLink *self,
                            AmnesiaTime  now)
{
  return amnesia_link_has_news (self) || is_ack_due (self, now) ||
         amnesia_link_is_beat_due (self, now);
}

/* The socket took a part of what was pulled, or @all of it. */
void
amnesia_link_sent (AmnesiaLink *self,
                   gboolean     all,
                   AmnesiaTime  now)
{
  self->progress = now.mono;
  self->in_flight = !all;
  if (!all)
    return;
  if (self->sending > AMNESIA_MAX_QUICK)
    self->unacked = MAX (self->unacked, self->sending);
  self->sending = 0;
}
