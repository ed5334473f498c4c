/* SPDX-License-Identifier: MIT */

/* The links of a mesh: who is let in, which one stays, what comes of what arrives. */

#include "amnesia-mesh-struct-private.h"

#include "amnesia-error-private.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"

G_GNUC_PRINTF (3, 4)
static void
mesh_log (AmnesiaMesh *self,
          AmnesiaTime  now,
          const char  *format,
          ...)
{
  g_autofree char *message = NULL;
  va_list args;

  if (!amnesia_budget_take (&self->budget, now.mono))
    return;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  self->funcs->log (message, self->user_data);
}

/* For `last-error`, and for the log if it is not what was said before. */
void
amnesia_mesh_note_error (AmnesiaMesh   *self,
                         AmnesiaMember *member,
                         const GError  *error,
                         AmnesiaTime    now)
{
  if (!amnesia_member_set_error (member, error))
    return;
  amnesia_members_touch (&self->members, member);
  if (error != NULL)
    mesh_log (self, now, "%s: %s", member->name, error->message);
}

/* Whether we shall not be linked with the peer of @link any more once that is gone. Those who know it
 * forward to us what is the peer's. */
static gboolean
is_only_link (AmnesiaMesh *self,
              AmnesiaLink *link)
{
  return amnesia_link_is_up (link) &&
         amnesia_links_find_up (&self->links, link->peer_id, link) == NULL;
}

void
amnesia_mesh_leave_link (AmnesiaMesh *self,
                         AmnesiaLink *link,
                         AmnesiaBye   reason,
                         const char  *message)
{
  if (link->state == AMNESIA_LINK_LEAVING)
    return;
  self->linked_changed |= is_only_link (self, link);
  self->moved = TRUE;
  self->links.shape++;
  amnesia_link_leave (link, reason, message);
  self->funcs->hang_up (link, self->user_data);
}

void
amnesia_mesh_wake_links (AmnesiaMesh *self)
{
  guint i;

  for (i = 0; i < self->links.list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (&self->links, i);

      if (amnesia_link_has_news (link))
        self->funcs->wake (link, self->user_data);
    }
}

/* Tells everybody whom we are linked with now. */
void
amnesia_mesh_tell_linked (AmnesiaMesh *self,
                          AmnesiaTime  now)
{
  self->linked_changed = FALSE;
  self->tell_at = 0;
  self->told_at = now.mono;
  amnesia_links_get_ids (&self->links, self->local.linked);
  amnesia_links_mark_linked (&self->links);
  amnesia_mesh_wake_links (self);
}

/* The peer of the new @link is told at once whom we are linked with, the others soon: until they know
 * they may forward to it what it has. Where a hundred start at once, and each told all of each, most
 * of the time would go into that. */
static void
tell_of_link (AmnesiaMesh *self,
              AmnesiaLink *link,
              AmnesiaTime  now)
{
  gint64 n = self->links.list->len;

  if (self->tell_at == 0)
    self->tell_at = self->told_at + MIN (n * n * AMNESIA_TELL_INTERVAL, AMNESIA_TELL_INTERVAL_MAX);
  if (now.mono >= self->tell_at)
    {
      amnesia_mesh_tell_linked (self, now);
      return;
    }
  amnesia_links_get_ids (&self->links, self->local.linked);
  amnesia_link_mark_links (link);
}

AmnesiaLink *
amnesia_mesh_add_link (AmnesiaMesh   *self,
                       AmnesiaMember *member,
                       const char    *host,
                       guint16        port,
                       gboolean       nearby,
                       AmnesiaTime    now)
{
  AmnesiaLink *link = amnesia_links_add (&self->links, &self->local, host, port, member != NULL,
                                         now);

  link->member = member;
  link->nearby = nearby;
  self->moved = TRUE;
  return link;
}

/* The side that dialled the lesser link closes it; the other one waits for that. */
static void
settle_duplicate (AmnesiaMesh *self,
                  AmnesiaLink *link,
                  AmnesiaLink *other)
{
  AmnesiaLink *loser = amnesia_links_choose_loser (link, other);

  if (loser->dialled)
    amnesia_mesh_leave_link (self, loser, AMNESIA_BYE_DUPLICATE, "there is another link");
}

/* There may be more than two: a peer that is listed by two names is dialled twice. */
static void
settle_duplicates (AmnesiaMesh *self,
                   AmnesiaLink *link)
{
  guint i;

  for (i = 0; i < self->links.list->len && amnesia_link_is_up (link); i++)
    {
      AmnesiaLink *other = amnesia_links_get (&self->links, i);

      if (other != link && other->peer_id == link->peer_id && amnesia_link_is_up (other))
        settle_duplicate (self, link, other);
    }
}

/* An accepted link whose peer named no entry that we know is a guest's. */
static AmnesiaMember *
identify (AmnesiaMesh    *self,
          AmnesiaLink    *link,
          const char     *host,
          guint16         port,
          AmnesiaTime     now)
{
  AmnesiaMember *member = link->member;

  if (member == NULL && port != 0)
    member = amnesia_members_find (&self->members, host, port);
  /* two machines may both be “127.0.0.1” */
  if (member == NULL || member->self)
    member = amnesia_members_find_id (&self->members, link->peer_id);
  if (member == NULL)
    member = amnesia_members_add_guest (&self->members, link->host, link->port, link->name, now);
  link->member = member;
  amnesia_link_set_name (link, member->name);
  return member;
}

/* Who was at another entry when he was lost is not there any more, as far as we know: it is dialled again. */
static void
forget_place (AmnesiaMesh   *self,
              AmnesiaMember *found)
{
  guint i;

  for (i = 0; i < self->members.list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (&self->members, i);

      if (member != found && member->id == found->id && member->configured && member->link == NULL)
        member->id = 0;
    }
}

static void
show_links (AmnesiaMesh *self,
            guint64      id)
{
  AmnesiaLink *link = amnesia_links_find_up (&self->links, id, NULL);
  guint i;

  for (i = 0; i < self->members.list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (&self->members, i);

      if (member->id != id)
        continue;
      member->link = link;
      amnesia_members_touch (&self->members, member);
    }
}

/* The guest's links, those included that are left and linger, are @heir's now, or nobody's. */
static void
remove_guest (AmnesiaMesh   *self,
              guint          position,
              AmnesiaMember *heir)
{
  AmnesiaMember *guest = amnesia_members_get (&self->members, position);
  guint i;

  for (i = 0; i < self->links.list->len; i++)
    if (amnesia_links_get (&self->links, i)->member == guest)
      amnesia_links_get (&self->links, i)->member = heir;
  amnesia_members_remove (&self->members, position);
}

/* A guest that has become a member, or listens on what its configuration told it to, is known by
 * the entry that it was reached at. */
static void
merge_guests (AmnesiaMesh   *self,
              AmnesiaMember *member)
{
  guint i;

  for (i = self->members.list->len; i > 0; i--)
    {
      AmnesiaMember *guest = amnesia_members_get (&self->members, i - 1);

      if (!guest->configured && guest->id == member->id)
        remove_guest (self, i - 1, member);
    }
}

static void
meet_self (AmnesiaMesh *self,
           AmnesiaLink *link)
{
  AmnesiaMember *member = link->member;

  if (member != NULL)
    {
      member->dialling = FALSE;
      member->tried = TRUE;
      amnesia_member_set_error (member, NULL);
      amnesia_members_set_self (&self->members, member);
    }
  amnesia_mesh_leave_link (self, link, AMNESIA_BYE_SELF, "that is me");
}

/* A guest needs one link only. */
static gboolean
is_spare (AmnesiaMesh *self,
          AmnesiaLink *link)
{
  return self->plan.role == AMNESIA_ROLE_GUEST && amnesia_links_any_up (&self->links, link);
}

static guint
count_guests (AmnesiaMesh *self)
{
  guint i, n = 0;

  for (i = 0; i < self->links.list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (&self->links, i);
      AmnesiaMember *member = link->member;

      n += amnesia_link_is_up (link) && member != NULL && !member->configured;
    }
  return n;
}

/* Sends a guest away that nobody has seen yet. Returns whether there are too many. */
static gboolean
turn_away (AmnesiaMesh   *self,
           AmnesiaLink   *link,
           AmnesiaMember *member)
{
  guint position;

  if (member->configured || member->link != NULL || count_guests (self) <= AMNESIA_MAX_GUESTS)
    return FALSE;
  if (g_ptr_array_find (self->members.list, member, &position))
    remove_guest (self, position, NULL);
  amnesia_mesh_leave_link (self, link, AMNESIA_BYE_PROTOCOL, "too many guests");
  return TRUE;
}

/* Whoever says hello listens by now, and has a name if it is on this machine; it had none when it was
 * dialled, but was about to make it. */
static gboolean
may_be_nearby (AmnesiaLink *link)
{
  AmnesiaMember *member = link->member;

  return link->dialled && !link->nearby && !member->skip_local;
}

/* The peer said hello. */
static void
admit (AmnesiaMesh    *self,
       AmnesiaLink    *link,
       AmnesiaReceipt *receipt,
       AmnesiaTime     now)
{
  AmnesiaMember *member;
  AmnesiaLink *other;
  gboolean shorten;

  if (link->peer_id == amnesia_replica_get_id (self->local.replica))
    {
      meet_self (self, link);
      return;
    }
  member = identify (self, link, receipt->host, receipt->port, now);
  if (turn_away (self, link, member))
    return;
  member->id = link->peer_id;
  member->tried = TRUE;
  shorten = may_be_nearby (link);
  if (link->dialled)
    member->dialling = member->skip_local = FALSE;
  else
    amnesia_member_reset (member, now);
  amnesia_mesh_note_error (self, member, NULL, now);
  other = amnesia_links_find_up (&self->links, link->peer_id, link);
  if (other == NULL)
    mesh_log (self, now, "%s: connected%s", member->name, member->configured ? "" : ", a guest");

  if (other != NULL)
    settle_duplicates (self, link);
  else if (is_spare (self, link))
    amnesia_mesh_leave_link (self, link, AMNESIA_BYE_DUPLICATE, "a guest needs one link only");
  if (member->configured)
    merge_guests (self, member);
  forget_place (self, member);
  show_links (self, link->peer_id);
  tell_of_link (self, link, now);
  /* not over a link that is about to go */
  if (receipt->empty && amnesia_link_is_up (link))
    amnesia_link_give_all (link, now);
  if (shorten && amnesia_link_is_up (link))
    self->funcs->shorten (member, self->user_data);
}

/* Once for each peer: who writes with a clock that is ahead wins where he should not. The offset is
 * known but for half of the round trip: a heartbeat that was held up on its way is no wrong clock. */
static void
warn_of_clock (AmnesiaMesh *self,
               AmnesiaLink *link,
               AmnesiaTime  now)
{
  AmnesiaMember *member = link->member;
  gint64 doubt = MAX (link->round_trip, 0) / 2;

  if (member == NULL || member->offset_warned ||
      ABS (link->clock_offset) < AMNESIA_CLOCK_WARN + doubt)
    return;
  member->offset_warned = TRUE;
  mesh_log (self, now, "%s: its clock is %.1f s %s ours", member->name,
            ABS (link->clock_offset) / (double) AMNESIA_SECOND,
            link->clock_offset > 0 ? "ahead of" : "behind");
}

/* A dial by the local way came to nothing: now by TCP, whatever was wrong. */
static void
fall_back (AmnesiaMesh  *self,
           AmnesiaLink  *link,
           const GError *error,
           AmnesiaTime   now)
{
  AmnesiaMember *member = link->member;

  link->member = NULL;
  if (error != NULL)
    mesh_log (self, now, "%s: not by its local socket: %s", member->name, error->message);
  if (self->leaving || self->plan.role == AMNESIA_ROLE_SEARCHING || member->link != NULL ||
      is_spare (self, link))
    {
      amnesia_mesh_dial_failed (self, member, NULL, now);
      return;
    }
  member->skip_local = TRUE;
  self->funcs->dial (member, self->user_data);
}

/* Whether the peer was dialled, and has not said a hello that was good. */
static gboolean
is_dial (AmnesiaLink *link)
{
  return link->dialled && link->peer_id == 0 && link->member != NULL;
}

static void
fail (AmnesiaMesh  *self,
      AmnesiaLink  *link,
      AmnesiaBye    reason,
      const GError *error,
      AmnesiaTime   now)
{
  if (link->state == AMNESIA_LINK_LEAVING)
    return;
  link->refused = TRUE;
  if (link->nearby && is_dial (link))
    fall_back (self, link, error, now);
  else if (link->member != NULL)
    amnesia_mesh_note_error (self, link->member, error, now);
  else
    mesh_log (self, now, "%s: %s", link->name, error->message);
  amnesia_mesh_leave_link (self, link, reason, amnesia_error_get_english (error));
}

/* The peer did what it must not, or cannot be had: tells it why, and closes. */
void
amnesia_mesh_fail_link (AmnesiaMesh  *self,
                        AmnesiaLink  *link,
                        const GError *error,
                        AmnesiaTime   now)
{
  fail (self, link, amnesia_link_get_bye (error), error, now);
}

/* What comes and goes over one link may have it looked at sooner, most often for an acknowledgement that
 * is not due yet: that needs a tick, but not a look at all links. To be called when all that has come is
 * dealt with, or waits. What is due already goes with the next pull. */
void
amnesia_mesh_plan_link (AmnesiaMesh *self,
                        AmnesiaLink *link,
                        AmnesiaTime  now)
{
  gint64 at = amnesia_link_get_deadline (link, now);

  if (at <= now.mono || (self->armed != 0 && self->armed <= at))
    return;
  self->armed = at;
  self->funcs->arm (at, self->user_data);
}

/* Something else is to be seen of it. */
void
amnesia_mesh_touch_link (AmnesiaMesh *self,
                         AmnesiaLink *link)
{
  if (link->member != NULL)
    amnesia_members_touch (&self->members, link->member);
}

/* The @n entries came over a link and are in force now. */
static void
take (AmnesiaMesh   *self,
      AmnesiaLink   *giver,
      AmnesiaEntry **entries,
      guint          n,
      AmnesiaTime    now)
{
  /* they may be all that was still wanted from another peer */
  self->moved |= self->progress.state == AMNESIA_MESH_SYNCING;
  amnesia_mesh_review_denials (self, now);
  if (amnesia_links_forward (&self->links, giver, entries, n))
    amnesia_mesh_wake_links (self);
  self->funcs->merged (self->user_data);
}

void
amnesia_mesh_receive (AmnesiaMesh        *self,
                      AmnesiaLink        *link,
                      const AmnesiaFrame *frame,
                      AmnesiaTime         now)
{
  g_auto (AmnesiaReceipt) receipt = { 0 };
  g_autoptr (GError) error = NULL;
  AmnesiaMember *member;
  gboolean synced = amnesia_link_is_synced (link);
  gboolean same, come;

  if (!amnesia_link_receive (link, frame, now, &receipt, &error))
    fail (self, link, frame->kind == AMNESIA_FRAME_BYE ? AMNESIA_BYE_LEAVING
                                                       : amnesia_link_get_bye (error), error, now);
  else if (receipt.greeted)
    admit (self, link, &receipt, now);
  if (frame->kind == AMNESIA_FRAME_HELLO || frame->kind == AMNESIA_FRAME_BYE ||
      frame->kind == AMNESIA_FRAME_LINKS)
    self->links.shape++;
  same = synced == amnesia_link_is_synced (link);
  self->moved |= error != NULL || !same ||
                 (frame->kind != AMNESIA_FRAME_WRITE && frame->kind != AMNESIA_FRAME_ACK);
  if (receipt.single != NULL)
    take (self, link, &receipt.single, 1, now);
  else if (receipt.taken != NULL && receipt.taken->len > 0)
    take (self, link, (AmnesiaEntry **) receipt.taken->pdata, receipt.taken->len, now);
  member = link->member;
  if (member == NULL || error != NULL)
    return;
  if (receipt.notice != NULL)
    amnesia_mesh_note_error (self, member, receipt.notice, now);
  warn_of_clock (self, link, now);
  come = link->coming.size != 0 && amnesia_link_come (link);
  if (frame->kind != AMNESIA_FRAME_WRITE || !same || come)
    amnesia_members_touch (&self->members, member);
  if (amnesia_link_wants_to_send (link, now))
    self->funcs->wake (link, self->user_data);
}

gboolean
amnesia_mesh_pull (AmnesiaMesh   *self,
                   AmnesiaLink   *link,
                   AmnesiaTime    now,
                   AmnesiaPacket *packet)
{
  g_autoptr (GError) notice = NULL;
  gint64 ack_time = amnesia_link_get_ack_time (link);
  gboolean any;

  /* a heartbeat that goes now had to wait, or the next one is to be asked for */
  self->moved |= amnesia_link_is_beat_due (link, now);
  any = amnesia_link_pull (link, now, packet, &notice);
  if (!any)
    amnesia_mesh_plan_link (self, link, now);
  /* an acknowledgement that has gone with a value leaves nothing for the tick that was asked for it */
  self->moved |= ack_time != 0 && ack_time == self->armed &&
                 amnesia_link_get_ack_time (link) == 0;
  if (link->member == NULL)
    return any;
  if (packet->payload != NULL)
    amnesia_members_touch (&self->members, link->member);
  if (notice != NULL)
    amnesia_mesh_note_denial (self, link, notice, now);
  else
    amnesia_mesh_review_denial (self, link->member, now);
  return any;
}

/* @error: (nullable) if the reason is known already. */
void
amnesia_mesh_dial_failed (AmnesiaMesh   *self,
                          AmnesiaMember *member,
                          const GError  *error,
                          AmnesiaTime    now)
{
  self->moved = TRUE;
  member->dialling = member->skip_local = FALSE;
  member->tried = TRUE;
  amnesia_members_touch (&self->members, member);
  amnesia_member_back_off (member, now, self->rand);
  if (error != NULL && member->link == NULL)
    amnesia_mesh_note_error (self, member, error, now);
  amnesia_dial_plan_hurry (&self->plan, now);
}

/* A link that has served was lost: that is no failure. One that ended right after the hello is; and
 * where they all end soon, neither a hello nor a list is reason to hurry. */
static void
redial (AmnesiaMesh   *self,
        AmnesiaMember *member,
        AmnesiaLink   *link,
        AmnesiaTime    now)
{
  gboolean nearby = link->nearby && link->dialled;

  member->n_brief = now.mono - link->born < AMNESIA_BRIEF ? member->n_brief + 1 : 0;
  if (amnesia_link_is_synced (link))
    amnesia_member_reset (member, now);
  else /* a process that was killed may have ended one of them */
    member->skip_local = nearby && (link->refused || member->n_brief > 1);
  amnesia_member_back_off (member, now, self->rand);
}

/* Whoever was seen through this link is seen through another one now, or not at all. */
static void
hide_link (AmnesiaMesh *self,
           AmnesiaLink *link,
           AmnesiaTime  now)
{
  guint i;

  for (i = self->members.list->len; i > 0; i--)
    {
      AmnesiaMember *member = amnesia_members_get (&self->members, i - 1);

      /* a guest whose link was left at its hello was never seen through it */
      if (member->link != link &&
          (member->configured || member->link != NULL || member != link->member))
        continue;
      member->unconfirmed = !link->left &&
                            (amnesia_mesh_is_spreading (self) || !amnesia_link_is_confirmed (link));
      member->link = amnesia_links_find_up (&self->links, member->id, link);
      amnesia_members_touch (&self->members, member);
      if (member->link == NULL && !member->configured)
        remove_guest (self, i - 1, NULL);
      else if (member->link == NULL)
        redial (self, member, link, now);
    }
}

/* The link is gone; the transport has nothing of it any more. */
void
amnesia_mesh_remove_link (AmnesiaMesh  *self,
                          AmnesiaLink  *link,
                          const GError *error,
                          AmnesiaTime   now)
{
  g_autoptr (GError) made = NULL;
  AmnesiaMember *member = link->member;
  gboolean lost = member != NULL && member->link == link &&
                  amnesia_links_find_up (&self->links, link->peer_id, link) == NULL;

  error = amnesia_link_explain (link, error, &made);
  if (is_dial (link) && link->nearby && link->state != AMNESIA_LINK_LEAVING)
    fall_back (self, link, error, now);
  else if (is_dial (link))
    amnesia_mesh_dial_failed (self, member, error, now);
  else if (member == NULL && error != NULL)
    mesh_log (self, now, "%s: %s", link->name, error->message);
  if (lost && !self->leaving)
    mesh_log (self, now, "%s: disconnected%s%s", member->name, error != NULL ? ", " : "",
              error != NULL ? error->message : "");
  if (lost && error != NULL)
    amnesia_member_set_error (member, error);
  if (lost)
    amnesia_dial_plan_lost (&self->plan, now.mono - link->born < AMNESIA_BRIEF, now);

  self->linked_changed |= is_only_link (self, link);
  self->moved = TRUE;
  self->links.shape++;
  hide_link (self, link, now);
  amnesia_local_forget_write (&self->local);
  g_ptr_array_remove (self->links.list, link);
}

void
amnesia_mesh_kill_link (AmnesiaMesh  *self,
                        AmnesiaLink  *link,
                        const GError *error,
                        AmnesiaTime   now)
{
  self->funcs->drop (link, self->user_data);
  amnesia_mesh_remove_link (self, link, error, now);
}

/* Whether one more stranger may come in. Among those who have not said hello, the oldest has to
 * go for a new one. */
gboolean
amnesia_mesh_make_room (AmnesiaMesh *self,
                        AmnesiaTime  now)
{
  g_autoptr (GError) error = NULL;
  AmnesiaLink *oldest;

  if (self->leaving || self->links.list->len >= AMNESIA_MAX_LINKS)
    return FALSE;
  if (amnesia_links_count_greeting (&self->links, &oldest) < AMNESIA_MAX_GREETING)
    return TRUE;
  g_set_error (&error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED, _("too many who said no hello"));
  amnesia_mesh_kill_link (self, oldest, error, now);
  return TRUE;
}

/* Somebody was sent away at the door. */
void
amnesia_mesh_note_refusal (AmnesiaMesh *self,
                           const char  *name,
                           const char  *why,
                           AmnesiaTime  now)
{
  mesh_log (self, now, "%s: refused: %s", name, why);
}
