/* SPDX-License-Identifier: MIT */

/* What comes over a link. */

#include "amnesia-link-private.h"

#include "amnesia-error-private.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"

#include <gio/gio.h>

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
  amnesia_set_error (error, AMNESIA_ERROR_VERSION,
                     N_("one side speaks version %u to %u of the protocol, the other %u to %u: "
                        "update the older one"),
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
  amnesia_set_error (error, AMNESIA_ERROR_GROUP, N_("one side is of group “%s”, the other of “%s”"),
                     theirs, self->local->group);
  return FALSE;
}

static gboolean
check_clock (AmnesiaLink        *self,
             const AmnesiaHello *hello,
             AmnesiaTime         now,
             GError            **error)
{
  gint64 offset = difference (hello->wall, now.wall);
  gint64 hours = ABS (offset) / G_TIME_SPAN_HOUR;

  if (self->local->clock_limit == 0 || ABS (offset) <= self->local->clock_limit)
    return TRUE;
  amnesia_set_error_plural (error, AMNESIA_ERROR_CLOCK,
                            "the clocks are %d hour apart: set the wrong one, or \"clock-limit\": 0 "
                            "in the configuration",
                            "the clocks are %d hours apart: set the wrong one, or \"clock-limit\": 0 "
                            "in the configuration", (guint64) hours, (int) hours);
  return FALSE;
}

/* Two hosts may be one, if they are names; two addresses are not. */
static gboolean
is_host (const char *a,
         const char *b)
{
  g_autoptr (GInetAddress) first = g_inet_address_new_from_string (a);
  g_autoptr (GInetAddress) second = g_inet_address_new_from_string (b);

  return first == NULL || second == NULL || g_inet_address_equal (first, second);
}

/* Who listens on an address has the name of it; but a name is only a file. Who has no entry was told
 * where to listen. */
static gboolean
check_entry (AmnesiaLink        *self,
             const AmnesiaHello *hello,
             GError            **error)
{
  g_autofree char *host = NULL;
  g_autofree char *theirs = NULL;

  if (!self->nearby || !self->dialled || hello->port == 0 ||
      (hello->port == self->port && is_host (hello->host, self->host)))
    return TRUE;
  host = amnesia_escape_text (hello->host);
  theirs = amnesia_format_address (host, hello->port);
  amnesia_set_error (error, AMNESIA_ERROR_REFUSED,
                     /* Translators: two members of the configuration: “the socket of 10.0.1.2:7701
                      * belongs to 10.0.1.2:7702” */
                     N_("the socket of %s belongs to %s"), self->name, theirs);
  return FALSE;
}

static gboolean
receive_hello (AmnesiaLink        *self,
               const AmnesiaFrame *frame,
               AmnesiaTime         now,
               AmnesiaReceipt     *receipt,
               GError            **error)
{
  g_auto (AmnesiaHello) hello = { 0 };

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
      !check_clock (self, &hello, now, error) || !check_entry (self, &hello, error))
    return FALSE;

  self->peer_id = hello.id;
  self->clock_offset = difference (hello.wall, now.wall);
  self->next_beat = now.mono; /* so that the round trip is known soon */
  self->state = AMNESIA_LINK_UP;
  self->told = self->counted = now.mono;
  amnesia_repair_start (&self->repair, hello.max_size);
  receipt->greeted = TRUE;
  receipt->host = g_steal_pointer (&hello.host);
  receipt->port = hello.port;
  receipt->empty = hello.empty;
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
      (error != NULL && error->domain != G_TLS_ERROR &&
       !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED)))
    return error;
  /* who dials is through with the handshake before the other side has seen its certificate */
  if (self->encrypted && error != NULL)
    g_set_error (made, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                 _("it closed the connection before it said hello: it may not accept the certificate "
                   "of this store: %s"), error->message);
  else if (self->encrypted)
    g_set_error (made, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                 _("it closed the connection before it said hello: it may not accept the certificate "
                   "of this store"));
  else
    g_set_error (made, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                 _("it closed the connection before it said hello: it may not have this host in its "
                   "configuration, or be another program"));
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
  self->left |= reason == AMNESIA_BYE_LEAVING;
  /* a peer that leaves closes after what it still has to say */
  if (reason == AMNESIA_BYE_LEAVING || reason == AMNESIA_BYE_DUPLICATE)
    return TRUE;
  if (reason < G_N_ELEMENTS (bye_codes))
    code = bye_codes[reason];
  escaped = amnesia_escape_text (message);
  /* Translators: what follows is in English: the peer does not know our language */
  g_set_error (error, AMNESIA_ERROR, code, _("the peer refused: %s"), escaped);
  return FALSE;
}

static void
refuse_ahead (AmnesiaReceipt *receipt)
{
  if (receipt->notice != NULL)
    return;
  g_set_error (&receipt->notice, AMNESIA_ERROR, AMNESIA_ERROR_CLOCK,
               _("a value that was written more than a year in the future was not taken: "
                 "see to the clock of its writer"));
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
                 _("a value was not taken: there are more keys than there is room for"));
}

/* Returns whether @entry is in force now. */
static gboolean
merge (AmnesiaLink    *self,
       AmnesiaEntry   *entry,
       AmnesiaTime     now,
       AmnesiaReceipt *receipt)
{
  AmnesiaMerge result = amnesia_replica_merge (self->local->replica, now.wall / 1000, entry);

  if (result == AMNESIA_MERGE_AHEAD)
    refuse_ahead (receipt);
  else if (result == AMNESIA_MERGE_FULL)
    refuse_full (self, entry, receipt);
  return result == AMNESIA_MERGE_TAKEN;
}

/* The commonest one: one entry, for which no list is made. */
static gboolean
receive_single (AmnesiaLink        *self,
                const AmnesiaFrame *frame,
                AmnesiaTime         now,
                AmnesiaReceipt     *receipt,
                GError            **error)
{
  g_autoptr (AmnesiaEntry) entry = amnesia_frame_decode_single (frame, self->local->max_size, error);

  if (entry == NULL)
    return FALSE;
  self->values_taken++;
  if (merge (self, entry, now, receipt))
    receipt->single = g_steal_pointer (&entry);
  return TRUE;
}

/* Takes all that is new, or, where there is no room for that, nothing: it was written at once. What was
 * not taken is put out of @entries. */
static void
merge_all (AmnesiaLink    *self,
           GPtrArray      *entries,
           AmnesiaTime     now,
           AmnesiaReceipt *receipt)
{
  AmnesiaReplica *replica = self->local->replica;
  gboolean room = amnesia_replica_begin_merge (replica, now.wall / 1000, entries);
  guint i, n_taken = 0;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      if (!room)
        refuse_full (self, entry, receipt);
      else if (merge (self, entry, now, receipt))
        {
          entries->pdata[i] = entries->pdata[n_taken];
          entries->pdata[n_taken++] = entry;
        }
    }
  amnesia_replica_end_merge (replica);
  g_ptr_array_set_size (entries, (int) n_taken);
}

static gboolean
receive_write (AmnesiaLink        *self,
               const AmnesiaFrame *frame,
               AmnesiaTime         now,
               AmnesiaReceipt     *receipt,
               GError            **error)
{
  g_autoptr (GPtrArray) entries = NULL;

  if (frame->single != NULL && frame->entries == NULL)
    return receive_single (self, frame, now, receipt, error);
  entries = amnesia_frame_decode_write (frame, self->local->max_size, error);
  if (entries == NULL)
    return FALSE;
  self->values_taken++;
  merge_all (self, entries, now, receipt);
  receipt->taken = g_steal_pointer (&entries);
  return TRUE;
}

static gboolean
receive_ack (AmnesiaLink        *self,
             const AmnesiaFrame *frame,
             AmnesiaTime         now,
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
  /* what it was at is done: now it has to take what is in flight */
  if (count > self->values_acked)
    self->progress = now.mono;
  if (count == self->values_sent)
    self->unacked = 0;
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

/* Returns whether @beat answers one of ours. One that does not says no more of the clocks than the hello
 * did, as nobody knows how long it was on its way. */
static gboolean
measure (AmnesiaLink       *self,
         const AmnesiaBeat *beat,
         AmnesiaTime        now)
{
  if (beat->echo <= 0 || beat->echo > now.mono || beat->held < 0 ||
      beat->held > now.mono - beat->echo)
    return FALSE;
  self->round_trip = now.mono - beat->echo - beat->held;
  self->clock_offset = difference (beat->wall, now.wall) + self->round_trip / 2;
  return TRUE;
}

/* The first one is answered as soon as no frame is half here, by our own first one if that has not gone, so
 * that the peer has its round trip. It and the first answer come while that is on its way which the lists
 * have told to be lacking, and their digests are passed over: two that differ are to be two seconds apart. */
static void
receive_beat (AmnesiaLink        *self,
              const AmnesiaFrame *frame,
              AmnesiaTime         now)
{
  gboolean first = self->beat_received == 0;
  gboolean measured = self->round_trip >= 0;
  gboolean answers;
  AmnesiaBeat beat;

  amnesia_frame_decode_beat (frame, &beat);
  if (first)
    self->answer_due = TRUE;
  self->beat_received = now.mono;
  self->beat_echo = beat.sent;
  answers = measure (self, &beat, now);
  if (!first && (measured || !answers))
    amnesia_repair_compare (&self->repair, beat.digest, now.mono);
}

static void
mark_all (AmnesiaLink *self,
          GPtrArray   *keys)
{
  guint i;

  for (i = 0; i < keys->len; i++)
    amnesia_link_mark (self, g_ptr_array_index (keys, i));
}

/* The peer has nothing: it need not say so once more before it is given all that there is. */
void
amnesia_link_give_all (AmnesiaLink *self,
                       AmnesiaTime  now)
{
  g_autoptr (GPtrArray) lacking = amnesia_repair_assume_empty (&self->repair, now.wall);

  mark_all (self, lacking);
}

static gboolean
receive_list (AmnesiaLink        *self,
              const AmnesiaFrame *frame,
              AmnesiaTime         now,
              GError            **error)
{
  g_autoptr (GPtrArray) lacking = amnesia_repair_receive (&self->repair, frame, now.mono, now.wall,
                                                          error);

  if (lacking != NULL)
    mark_all (self, lacking);
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
      return receive_ack (self, frame, now, error);
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
  g_clear_pointer (&receipt->single, amnesia_entry_unref);
  g_clear_pointer (&receipt->taken, g_ptr_array_unref);
  g_clear_error (&receipt->notice);
}
