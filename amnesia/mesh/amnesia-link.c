/* SPDX-License-Identifier: MIT */

#include "amnesia-link-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
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

  return g_strescape (cut, "\"");
}

char *
amnesia_format_address (const char *host,
                        guint16     port)
{
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
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
  amnesia_transit_init (&self->going);
  amnesia_transit_init (&self->coming);
  self->peer_linked = g_array_new (FALSE, FALSE, sizeof (guint64));
  /* a tree, as who sends the keys could choose them so that their hashes collide */
  self->dirty = g_tree_new_full (amnesia_compare_keys, NULL, g_free, NULL);
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

/* Whether the peer has confirmed all that it takes. */
gboolean
amnesia_link_is_confirmed (AmnesiaLink *self)
{
  return amnesia_link_is_synced (self) && amnesia_link_count_marks (self) == 0 &&
         self->values_acked == self->values_sent;
}

/* Whether it goes without something that is too large for it: to wait does not help. */
gboolean
amnesia_link_is_denying (AmnesiaLink *self)
{
  return amnesia_repair_is_denying (&self->repair);
}

/* Whether the peer has all that we have. */
gboolean
amnesia_link_is_in_sync (AmnesiaLink *self)
{
  return amnesia_link_is_confirmed (self) && !amnesia_link_is_denying (self);
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
  if (self->state != AMNESIA_LINK_UP || amnesia_link_is_marked (self, key))
    return;
  if (*key == '\0')
    {
      self->base_dirty = TRUE;
      return;
    }
  /* While the peer takes nothing, others may write keys and cover them, again and again. */
  if (g_tree_nnodes (self->dirty) >= MAX_DIRTY)
    forget_covered (self);
  /* Not in the order that is at hand, but in the next: most often it is the newest. To make an order
   * for each mark would take a second for each forty, where there are as many keys as may be. */
  g_tree_insert (self->dirty, g_strdup (key), self);
}

gboolean
amnesia_link_is_marked (AmnesiaLink *self,
                        const char  *key)
{
  return *key == '\0' ? self->base_dirty : g_tree_lookup (self->dirty, key) != NULL;
}

guint
amnesia_link_count_marks (AmnesiaLink *self)
{
  return (guint) g_tree_nnodes (self->dirty) + (self->base_dirty ? 1 : 0);
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
    {
      g_tree_remove_all (self->dirty);
      self->base_dirty = FALSE;
    }
  self->state = AMNESIA_LINK_LEAVING;
  self->bye = reason;
  self->bye_message = cut_text (message, MAX_BYE_LENGTH);
}

/* --- life --- */

/* Bytes came, of whatever kind. */
void
amnesia_link_heard (AmnesiaLink *self,
                    gsize        n_bytes,
                    AmnesiaTime  now)
{
  self->heard = now.mono;
  self->n_bytes += n_bytes;
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
  if (self->busy || busy)
    {
      self->counted = now.mono;
      self->n_bytes = 0;
    }
  self->busy = busy;
  self->heard = now.mono;
}

/* A peer that trickles: whatever it is sending, it will not be waited for. */
static gboolean
review_trickle (AmnesiaLink *self,
                AmnesiaTime  now,
                GError     **error)
{
  gboolean enough = self->n_bytes >= AMNESIA_TRICKLE;

  if (self->state != AMNESIA_LINK_UP || self->busy ||
      now.mono - self->counted < AMNESIA_GIVE_UP_AFTER ||
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

/* A peer that is at checking a value takes nothing until that is done; only that it has it all is
 * known here. */
static gint64
get_stall_time (AmnesiaLink *self)
{
  return self->progress + AMNESIA_STALL_AFTER + (gint64) self->unacked * AMNESIA_CHECK_TIME;
}

/* When the link has to be looked at, if nothing happens. A heartbeat that is due while the socket
 * takes nothing goes out as soon as it does. */
gint64
amnesia_link_get_deadline (AmnesiaLink *self,
                           AmnesiaTime  now)
{
  gint64 deadline;

  if (self->peer_id == 0)
    return self->born + AMNESIA_HELLO_DEADLINE;
  deadline = self->busy ? 0 : self->heard + AMNESIA_DEAD_AFTER;
  if (self->pace != 0)
    deadline = amnesia_earlier (amnesia_earlier (deadline, self->pace + AMNESIA_PACE_AFTER),
                                self->coming.due);
  if (self->in_flight)
    deadline = amnesia_earlier (amnesia_earlier (deadline, get_stall_time (self)),
                                self->going.due);
  else
    deadline = amnesia_earlier (deadline, amnesia_link_get_ack_time (self));
  if (self->bye_sent || (self->in_flight && now.mono >= self->next_beat))
    return deadline;
  return amnesia_earlier (deadline, self->next_beat);
}

/* A part of what was pulled is gone; a value is the end of what is @left. Returns whether something else is
 * to be seen of what is under way. */
gboolean
amnesia_link_going (AmnesiaLink *self,
                    gsize        left,
                    AmnesiaTime  now)
{
  return amnesia_transit_advance (&self->going, self->sending - MIN (left, self->sending),
                                  self->sending, now.mono);
}

/* All of it is gone. Returns the same. */
gboolean
amnesia_link_gone (AmnesiaLink *self)
{
  return amnesia_transit_end (&self->going);
}

/* So much of the payload of a frame has come. Returns the same. */
gboolean
amnesia_link_coming (AmnesiaLink *self,
                     gsize        done,
                     gsize        size,
                     AmnesiaTime  now)
{
  return amnesia_transit_advance (&self->coming, done, size, now.mono);
}

/* It is here, and dealt with. Returns the same. */
gboolean
amnesia_link_come (AmnesiaLink *self)
{
  return amnesia_transit_end (&self->coming);
}

/* Time has gone by. Returns the same. */
gboolean
amnesia_link_review_transits (AmnesiaLink *self,
                              AmnesiaTime  now)
{
  gboolean going = self->in_flight && amnesia_transit_review (&self->going, now.mono);
  gboolean coming = self->pace != 0 && amnesia_transit_review (&self->coming, now.mono);

  return going || coming;
}

/* FALSE with an error: the link is dead. */
gboolean
amnesia_link_tick (AmnesiaLink *self,
                   AmnesiaTime  now,
                   GError     **error)
{
  const char *why = NULL;

  if (self->peer_id == 0 && now.mono >= self->born + AMNESIA_HELLO_DEADLINE)
    why = _("it said no hello");
  else if (self->peer_id != 0 && !self->busy && now.mono >= self->heard + AMNESIA_DEAD_AFTER)
    why = _("it gave no sign of life");
  else if (self->peer_id != 0 && self->pace != 0 &&
           now.mono >= self->pace + AMNESIA_PACE_AFTER)
    why = _("it sends, but gets nowhere");
  else if (self->in_flight && now.mono >= get_stall_time (self))
    why = _("it takes nothing");

  if (why != NULL)
    g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_TIMED_OUT, why);
  return why == NULL && review_trickle (self, now, error);
}
