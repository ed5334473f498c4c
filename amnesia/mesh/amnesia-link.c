/* SPDX-License-Identifier: MIT */

#include "amnesia-link-private.h"

#include "amnesia-error.h"
#include "amnesia-limits-private.h"

#include <string.h>

/* So that it fits into the frame, whatever it quotes. */
#define MAX_BYE_LENGTH 200

/* Twice as many keys as a replica has room for. */
#define MAX_DIRTY (2 * AMNESIA_MAX_LISTED)

static char *
cut_text (const char *text,
          glong       length)
{
  return g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), length));
}

/* What others wrote, fit for a log line: short, one line, no escape codes. */
char *
amnesia_escape_text (const char *text)
{
  g_autofree char *cut = cut_text (text, AMNESIA_LOG_TEXT);

  return g_strescape (cut, NULL);
}

char *
amnesia_format_address (const char *host,
                        guint16     port)
{
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

static int
compare_keys (gconstpointer a,
              gconstpointer b,
              gpointer      user_data)
{
  return strcmp (a, b);
}

AmnesiaLink *
amnesia_link_new (AmnesiaLocal *local,
                  const char   *host,
                  guint16       port,
                  gboolean      dialled,
                  guint64       serial,
                  AmnesiaTime   now)
{
  AmnesiaLink *self = g_new0 (AmnesiaLink, 1);

  self->local = local;
  self->host = g_strdup (host);
  self->port = port;
  self->name = amnesia_format_address (host, port);
  self->dialled = dialled;
  self->serial = serial;
  self->born = self->heard = self->progress = now.mono;
  self->round_trip = -1;
  self->peer_linked = g_array_new (FALSE, FALSE, sizeof (guint64));
  /* a tree, as who sends the keys could choose them so that their hashes collide */
  self->dirty = g_tree_new_full (compare_keys, NULL, g_free, NULL);
  amnesia_repair_init (&self->repair, local->replica, local->max_size);
  return self;
}

void
amnesia_link_free (AmnesiaLink *self)
{
  g_free (self->host);
  g_free (self->name);
  g_free (self->bye_message);
  g_array_unref (self->peer_linked);
  amnesia_repair_clear (&self->repair);
  g_clear_pointer (&self->order, g_array_unref);
  g_tree_unref (self->dirty);
  g_free (self);
}

/* It is known now whose link this is. */
void
amnesia_link_set_name (AmnesiaLink *self,
                       const char  *name)
{
  g_free (self->name);
  self->name = g_strdup (name);
}

gboolean
amnesia_link_is_up (AmnesiaLink *self)
{
  return self->state == AMNESIA_LINK_UP;
}

/* Whether all that the peer had when the link began is here. */
gboolean
amnesia_link_is_synced (AmnesiaLink *self)
{
  return self->state != AMNESIA_LINK_GREETING && amnesia_repair_is_complete (&self->repair);
}

/* Whether the peer has all that we have. */
gboolean
amnesia_link_is_in_sync (AmnesiaLink *self)
{
  return amnesia_link_is_synced (self) && g_tree_nnodes (self->dirty) == 0 &&
         self->values_acked == self->values_sent;
}

gboolean
amnesia_link_is_linked_with (AmnesiaLink *self,
                             guint64      id)
{
  guint i;

  for (i = 0; i < self->peer_linked->len; i++)
    if (g_array_index (self->peer_linked, guint64, i) == id)
      return TRUE;
  return FALSE;
}

static void
forget_covered (AmnesiaLink *self)
{
  g_autoptr (GPtrArray) covered = g_ptr_array_new ();
  GTreeNode *node;
  guint i;

  for (node = g_tree_node_first (self->dirty); node != NULL; node = g_tree_node_next (node))
    if (amnesia_replica_lookup (self->local->replica, g_tree_node_key (node)) == NULL)
      g_ptr_array_add (covered, g_tree_node_key (node));
  for (i = 0; i < covered->len; i++)
    g_tree_remove (self->dirty, g_ptr_array_index (covered, i));
}

void
amnesia_link_mark (AmnesiaLink *self,
                   const char  *key)
{
  /* Before the hello there is no need to: the lists will tell what the peer lacks. */
  if (self->state != AMNESIA_LINK_UP || g_tree_lookup (self->dirty, key) != NULL)
    return;
  /* While the peer takes nothing, others may write keys and cover them, again and again. */
  if (g_tree_nnodes (self->dirty) >= MAX_DIRTY)
    forget_covered (self);
  g_tree_insert (self->dirty, g_strdup (key), self);
  g_clear_pointer (&self->order, g_array_unref);
}

void
amnesia_link_mark_links (AmnesiaLink *self)
{
  if (self->state == AMNESIA_LINK_UP)
    self->links_due = TRUE;
}

/* Sends what is due, then a bye with the reason; the transport then closes. */
void
amnesia_link_leave (AmnesiaLink *self,
                    AmnesiaBye   reason,
                    const char  *message)
{
  if (self->state == AMNESIA_LINK_LEAVING)
    return;
  if (reason != AMNESIA_BYE_LEAVING && reason != AMNESIA_BYE_DUPLICATE)
    g_tree_remove_all (self->dirty);
  self->state = AMNESIA_LINK_LEAVING;
  self->bye = reason;
  self->bye_message = cut_text (message, MAX_BYE_LENGTH);
}

/* --- what comes --- */

/* Peers can say any number. */
static gint64
difference (gint64 theirs,
            gint64 ours)
{
  return CLAMP (theirs, 0, G_MAXINT64 / 4) - ours;
}

static gboolean
check_version (const AmnesiaHello *hello,
               GError            **error)
{
  if (hello->version_min <= AMNESIA_PROTOCOL_MAX && hello->version_max >= AMNESIA_PROTOCOL_MIN)
    return TRUE;
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_VERSION,
               "one side speaks version %u to %u of the protocol, the other %u to %u: "
               "update the older one",
               hello->version_min, hello->version_max,
               AMNESIA_PROTOCOL_MIN, AMNESIA_PROTOCOL_MAX);
  return FALSE;
}

static gboolean
check_group (AmnesiaLink        *self,
             const AmnesiaHello *hello,
             GError            **error)
{
  g_autofree char *theirs = NULL;

  if (g_str_equal (hello->group, self->local->group))
    return TRUE;
  theirs = amnesia_escape_text (hello->group);
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_GROUP,
               "one side is of group “%s”, the other of “%s”", theirs, self->local->group);
  return FALSE;
}

static gboolean
check_clock (AmnesiaLink        *self,
             const AmnesiaHello *hello,
             AmnesiaTime         now,
             GError            **error)
{
  gint64 offset = difference (hello->wall, now.wall);

  if (self->local->clock_limit == 0 || ABS (offset) <= self->local->clock_limit)
    return TRUE;
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_CLOCK,
               "the clocks are %" G_GINT64_FORMAT " hours apart: set the wrong one, or "
               "\"clock-limit\": 0 in the configuration", ABS (offset) / G_TIME_SPAN_HOUR);
  return FALSE;
}

static gboolean
receive_hello (AmnesiaLink        *self,
               const AmnesiaFrame *frame,
               AmnesiaTime         now,
               AmnesiaReceipt     *receipt,
               GError            **error)
{
  g_auto (AmnesiaHello) hello = { 0, };

  /* it comes too late to be judged: nothing of this peer counts */
  if (self->state == AMNESIA_LINK_LEAVING)
    {
      self->refused = TRUE;
      return TRUE;
    }
  amnesia_frame_decode_hello (frame, &hello);
  if (hello.id == 0)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "a hello without an id");
      return FALSE;
    }
  if (!check_version (&hello, error) || !check_group (self, &hello, error) ||
      !check_clock (self, &hello, now, error))
    return FALSE;

  self->peer_id = hello.id;
  self->clock_offset = difference (hello.wall, now.wall);
  self->next_beat = now.mono + AMNESIA_BEAT_INTERVAL;
  self->state = AMNESIA_LINK_UP;
  self->told = self->counted = now.mono;
  amnesia_repair_start (&self->repair, hello.max_size);
  receipt->greeted = TRUE;
  receipt->host = g_steal_pointer (&hello.host);
  receipt->port = hello.port;
  return TRUE;
}

/* What a bye of that reason means to who gets it. */
static const AmnesiaError bye_codes[] = {
  [AMNESIA_BYE_LEAVING] = AMNESIA_ERROR_REFUSED,
  [AMNESIA_BYE_DUPLICATE] = AMNESIA_ERROR_REFUSED,
  [AMNESIA_BYE_VERSION] = AMNESIA_ERROR_VERSION,
  [AMNESIA_BYE_GROUP] = AMNESIA_ERROR_GROUP,
  [AMNESIA_BYE_CLOCK] = AMNESIA_ERROR_CLOCK,
  [AMNESIA_BYE_SELF] = AMNESIA_ERROR_REFUSED,
  [AMNESIA_BYE_PROTOCOL] = AMNESIA_ERROR_PROTOCOL,
};

/* The reason for which a link is left after @error. */
AmnesiaBye
amnesia_link_get_bye (const GError *error)
{
  guint i;

  for (i = AMNESIA_BYE_VERSION; i < G_N_ELEMENTS (bye_codes); i++)
    if (g_error_matches (error, AMNESIA_ERROR, bye_codes[i]) && i != AMNESIA_BYE_SELF)
      return i;
  return AMNESIA_BYE_PROTOCOL;
}

/* Why a link may have ended that ended without a word. */
const GError *
amnesia_link_explain (AmnesiaLink  *self,
                      const GError *error,
                      GError      **made)
{
  if (self->peer_id != 0 || self->state == AMNESIA_LINK_LEAVING ||
      (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED)))
    return error;
  g_set_error (made, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
               "it closed the connection before it said hello: it may not have this host in its "
               "configuration, or be another program");
  return *made;
}

static gboolean
receive_bye (AmnesiaLink        *self,
             const AmnesiaFrame *frame,
             GError            **error)
{
  g_autofree char *message = NULL;
  g_autofree char *escaped = NULL;
  AmnesiaBye reason;
  AmnesiaError code = AMNESIA_ERROR_REFUSED;

  amnesia_frame_decode_bye (frame, &reason, &message);
  /* a peer that leaves closes after what it still has to say */
  if (reason == AMNESIA_BYE_LEAVING || reason == AMNESIA_BYE_DUPLICATE)
    return TRUE;
  if (reason < G_N_ELEMENTS (bye_codes))
    code = bye_codes[reason];
  escaped = amnesia_escape_text (message);
  g_set_error (error, AMNESIA_ERROR, code, "the peer refused: %s", escaped);
  return FALSE;
}

static void
refuse_ahead (AmnesiaReceipt *receipt)
{
  if (receipt->notice != NULL)
    return;
  g_set_error (&receipt->notice, AMNESIA_ERROR, AMNESIA_ERROR_CLOCK,
               "a value that was written more than a year in the future was not taken: "
               "see to the clock of its writer");
}

/* The rest goes on being shared, and the digest tries again. */
static void
refuse_full (AmnesiaLink        *self,
             const AmnesiaEntry *entry,
             AmnesiaReceipt     *receipt)
{
  amnesia_repair_refuse (&self->repair, entry->key);
  if (receipt->notice == NULL)
    g_set_error (&receipt->notice, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG,
                 "a value was not taken: there are more keys than there is room for");
}

static gboolean
receive_write (AmnesiaLink        *self,
               const AmnesiaFrame *frame,
               AmnesiaTime         now,
               AmnesiaReceipt     *receipt,
               GError            **error)
{
  g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, self->local->max_size, error);
  guint i;

  if (entries == NULL)
    return FALSE;
  self->values_taken++;
  receipt->taken = amnesia_entries_new ();
  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      switch (amnesia_replica_merge (self->local->replica, now.wall / 1000, entry))
        {
        case AMNESIA_MERGE_TAKEN:
          g_ptr_array_add (receipt->taken, amnesia_entry_ref (entry));
          break;
        case AMNESIA_MERGE_AHEAD:
          refuse_ahead (receipt);
          break;
        case AMNESIA_MERGE_FULL:
          refuse_full (self, entry, receipt);
          break;
        case AMNESIA_MERGE_OLD:
        default:
          break;
        }
    }
  return TRUE;
}

static gboolean
receive_ack (AmnesiaLink        *self,
             const AmnesiaFrame *frame,
             GError            **error)
{
  guint64 count = amnesia_frame_decode_ack (frame);

  if (count < self->values_acked || count > self->values_sent)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                   "an acknowledgement of %" G_GUINT64_FORMAT " values of %" G_GUINT64_FORMAT,
                   count, self->values_sent);
      return FALSE;
    }
  self->values_acked = count;
  return TRUE;
}

static void
receive_links (AmnesiaLink        *self,
               const AmnesiaFrame *frame)
{
  g_array_unref (self->peer_linked);
  self->peer_linked = amnesia_frame_decode_links (frame);
}

static void
receive_beat (AmnesiaLink        *self,
              const AmnesiaFrame *frame,
              AmnesiaTime         now)
{
  AmnesiaBeat beat;

  amnesia_frame_decode_beat (frame, &beat);
  if (beat.echo > 0 && beat.echo <= now.mono && beat.held >= 0 &&
      beat.held <= now.mono - beat.echo)
    self->round_trip = now.mono - beat.echo - beat.held;
  self->clock_offset = difference (beat.wall, now.wall) + MAX (self->round_trip, 0) / 2;
  self->beat_received = now.mono;
  self->beat_echo = beat.sent;
  amnesia_repair_compare (&self->repair, beat.digest, now.mono);
}

static gboolean
receive_list (AmnesiaLink        *self,
              const AmnesiaFrame *frame,
              AmnesiaTime         now,
              GError            **error)
{
  g_autoptr (GPtrArray) lacking = amnesia_repair_receive (&self->repair, frame, now.mono, now.wall,
                                                          error);
  guint i;

  for (i = 0; lacking != NULL && i < lacking->len; i++)
    amnesia_link_mark (self, g_ptr_array_index (lacking, i));
  return lacking != NULL;
}

static gboolean
dispatch (AmnesiaLink        *self,
          const AmnesiaFrame *frame,
          AmnesiaTime         now,
          AmnesiaReceipt     *receipt,
          GError            **error)
{
  switch (frame->kind)
    {
    case AMNESIA_FRAME_HELLO:
      return receive_hello (self, frame, now, receipt, error);
    case AMNESIA_FRAME_BYE:
      return receive_bye (self, frame, error);
    case AMNESIA_FRAME_WRITE:
      return receive_write (self, frame, now, receipt, error);
    case AMNESIA_FRAME_ACK:
      return receive_ack (self, frame, error);
    case AMNESIA_FRAME_LINKS:
      receive_links (self, frame);
      return TRUE;
    case AMNESIA_FRAME_BEAT:
      receive_beat (self, frame, now);
      return TRUE;
    case AMNESIA_FRAME_LIST:
      return receive_list (self, frame, now, error);
    default:
      g_assert_not_reached ();
    }
}

/* One frame arrived. With an error the link is to be left. */
gboolean
amnesia_link_receive (AmnesiaLink        *self,
                      const AmnesiaFrame *frame,
                      AmnesiaTime         now,
                      AmnesiaReceipt     *receipt,
                      GError            **error)
{
  if (self->refused)
    return TRUE;
  self->pace = 0;
  if (!dispatch (self, frame, now, receipt, error))
    return FALSE;
  if (frame->kind == AMNESIA_FRAME_WRITE || frame->kind == AMNESIA_FRAME_LIST)
    {
      self->told = self->counted = now.mono;
      self->n_bytes = 0;
    }
  else if (self->state == AMNESIA_LINK_UP && now.mono - self->told >= AMNESIA_GIVE_UP_AFTER)
    return amnesia_repair_give_up (&self->repair, error);
  return TRUE;
}

void
amnesia_receipt_clear (AmnesiaReceipt *receipt)
{
  g_clear_pointer (&receipt->host, g_free);
  g_clear_pointer (&receipt->taken, g_ptr_array_unref);
  g_clear_error (&receipt->notice);
}

/* --- what goes --- */

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
static void
remove_too_big (AmnesiaLink *self,
                GPtrArray   *write,
                GError     **notice)
{
  guint i;

  for (i = write->len; i > 0; i--)
    {
      gsize size = amnesia_entry_get_size (g_ptr_array_index (write, i - 1));

      if (size <= self->repair.peer_max_size)
        continue;
      g_clear_error (notice);
      g_set_error (notice, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG,
                   "a value of %" G_GSIZE_FORMAT " bytes was not sent: the peer's max-size is "
                   "%" G_GUINT64_FORMAT, size, self->repair.peer_max_size);
      g_ptr_array_remove_index (write, i - 1);
    }
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
                     "a write was not sent whole: it is more than %d times the peer's max-size",
                     AMNESIA_MAX_WRITE_FACTOR);
      g_ptr_array_remove_index (write, i);
    }
}

static gboolean
pull_write (AmnesiaLink   *self,
            AmnesiaPacket *packet,
            GError       **notice)
{
  while (g_tree_nnodes (self->dirty) > 0)
    {
      g_autoptr (GPtrArray) write = take_oldest (self);

      if (write != NULL)
        {
          remove_too_big (self, write, notice);
          cut_to_fit (self, write, notice);
        }
      if (write == NULL || write->len == 0)
        continue;
      self->values_sent++;
      amnesia_frame_encode_write (write, packet);
      return TRUE;
    }
  return FALSE;
}

static gboolean
pull_greeted (AmnesiaLink   *self,
              AmnesiaTime    now,
              AmnesiaPacket *packet,
              GError       **notice)
{
  if (self->values_told != self->values_taken)
    {
      self->values_told = self->values_taken;
      amnesia_frame_encode_ack (self->values_told, packet);
      return TRUE;
    }
  if (self->links_due)
    {
      self->links_due = FALSE;
      amnesia_frame_encode_links (self->local->linked, packet);
      return TRUE;
    }
  if (now.mono >= self->next_beat)
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

/* Whether a pull would bring something, apart from a heartbeat. */
gboolean
amnesia_link_wants_to_send (AmnesiaLink *self)
{
  if (!self->hello_sent)
    return TRUE;
  if (self->state == AMNESIA_LINK_LEAVING && !self->bye_sent)
    return TRUE;
  return self->peer_id != 0 && !self->bye_sent &&
         (self->values_told != self->values_taken || self->links_due ||
          amnesia_repair_is_due (&self->repair) || g_tree_nnodes (self->dirty) > 0);
}

/* The socket took a part of what was pulled, or @all of it. */
void
amnesia_link_sent (AmnesiaLink *self,
                   gboolean     all,
                   AmnesiaTime  now)
{
  self->progress = now.mono;
  self->in_flight = !all;
}

/* --- life --- */

/* Bytes came, of whatever kind. */
void
amnesia_link_heard (AmnesiaLink *self,
                    AmnesiaTime  now)
{
  self->heard = now.mono;
}

/* So many bytes came; @amid a frame that is not whole yet, which has to get on: a byte now and then
 * is a sign of life, but would hold up all that waits for the frame. */
void
amnesia_link_arriving (AmnesiaLink *self,
                       gsize        size,
                       gboolean     amid,
                       AmnesiaTime  now)
{
  self->paced += size;
  if (!amid)
    self->pace = 0;
  else if (self->pace == 0 || self->paced >= AMNESIA_PACE)
    {
      self->pace = now.mono;
      self->paced = 0;
    }
}

/* What the peer has sent takes us a while: until that is done nothing is read. */
void
amnesia_link_set_busy (AmnesiaLink *self,
                       gboolean     busy,
                       AmnesiaTime  now)
{
  self->busy = busy;
  self->heard = now.mono;
  if (!busy)
    return;
  self->counted = now.mono;
  self->n_bytes = 0;
}

/* How many bytes came: so many that a value may be on its way, or too few. */
void
amnesia_link_count (AmnesiaLink *self,
                    gsize        n_bytes)
{
  self->n_bytes += n_bytes;
}

/* A peer that trickles: whatever it is sending, it will not be waited for. */
static gboolean
review_trickle (AmnesiaLink *self,
                AmnesiaTime  now,
                GError     **error)
{
  gboolean enough = self->n_bytes >= AMNESIA_TRICKLE;

  if (self->state != AMNESIA_LINK_UP || now.mono - self->counted < AMNESIA_GIVE_UP_AFTER ||
      amnesia_repair_is_complete (&self->repair))
    return TRUE;
  self->counted = now.mono;
  self->n_bytes = 0;
  return enough || amnesia_repair_give_up (&self->repair, error);
}

/* We were asleep, or our loop was blocked: nobody is to blame for silence. */
void
amnesia_link_forgive (AmnesiaLink *self,
                      AmnesiaTime  now)
{
  self->heard = now.mono;
  self->progress = now.mono;
  self->told = self->counted = now.mono;
  if (self->pace != 0)
    self->pace = now.mono;
  if (self->state == AMNESIA_LINK_GREETING)
    self->born = now.mono;
}

/* When the link has to be looked at, if nothing happens. A heartbeat that is due while the socket
 * takes nothing goes out as soon as it does. */
gint64
amnesia_link_get_deadline (AmnesiaLink *self)
{
  gint64 deadline;

  if (self->peer_id == 0)
    return self->born + AMNESIA_HELLO_DEADLINE;
  deadline = self->busy ? 0 : self->heard + AMNESIA_DEAD_AFTER;
  if (self->pace != 0)
    deadline = amnesia_earlier (deadline, self->pace + AMNESIA_PACE_AFTER);
  if (self->in_flight)
    return amnesia_earlier (deadline, self->progress + AMNESIA_STALL_AFTER);
  return self->bye_sent ? deadline : amnesia_earlier (deadline, self->next_beat);
}

/* FALSE with an error: the link is dead. */
gboolean
amnesia_link_tick (AmnesiaLink *self,
                   AmnesiaTime  now,
                   GError     **error)
{
  const char *why = NULL;

  if (self->peer_id == 0 && now.mono >= self->born + AMNESIA_HELLO_DEADLINE)
    why = "it said no hello";
  else if (self->peer_id != 0 && !self->busy && now.mono >= self->heard + AMNESIA_DEAD_AFTER)
    why = "it gave no sign of life";
  else if (self->peer_id != 0 && self->pace != 0 &&
           now.mono >= self->pace + AMNESIA_PACE_AFTER)
    why = "it sends, but gets nowhere";
  else if (self->in_flight && now.mono >= self->progress + AMNESIA_STALL_AFTER)
    why = "it takes nothing";

  if (why != NULL)
    g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_TIMED_OUT, why);
  return why == NULL && review_trickle (self, now, error);
}
