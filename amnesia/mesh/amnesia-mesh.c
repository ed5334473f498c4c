/* SPDX-License-Identifier: MIT */

#include "amnesia-mesh-private.h"

#include "amnesia-budget-private.h"
#include "amnesia-dial-plan-private.h"
#include "amnesia-error.h"
#include "amnesia-limits-private.h"
#include "amnesia-links-private.h"

struct _AmnesiaMesh
{
  const AmnesiaMeshFuncs *funcs;
  gpointer         user_data;
  GRand           *rand;        /* (owned) */

  AmnesiaLocal     local;
  AmnesiaMembers   members;
  AmnesiaLinks     links;

  AmnesiaProgress  progress;
  AmnesiaDialPlan  plan;
  gboolean         leaving;
  gboolean         linked_changed; /* the others do not know yet whom we are linked with */
  gint64           armed;       /* when the next tick is due, 0: never */
  gint64           skew;        /* wall - mono, to notice that the machine slept */

  AmnesiaBudget    budget;      /* of log lines */
};

/* --- log --- */

static void G_GNUC_PRINTF (3, 4)
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

/* --- members --- */

/* For `last-error`, and for the log if it is not what was said before. */
static void
note_error (AmnesiaMesh   *self,
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

AmnesiaMesh *
amnesia_mesh_new (guint64                 id,
                  const AmnesiaMeshFuncs *funcs,
                  gpointer                user_data,
                  guint32                 seed)
{
  AmnesiaMesh *self = g_new0 (AmnesiaMesh, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  self->rand = g_rand_new_with_seed (seed);
  amnesia_members_init (&self->members);
  amnesia_links_init (&self->links);
  self->local.replica = amnesia_replica_new (id);
  self->local.group = g_strdup ("");
  self->local.host = g_strdup ("");
  self->local.linked = g_array_new (FALSE, FALSE, sizeof (guint64));
  amnesia_budget_init (&self->budget, 0);
  return self;
}

void
amnesia_mesh_free (AmnesiaMesh *self)
{
  amnesia_links_clear (&self->links);
  amnesia_members_clear (&self->members);
  g_array_unref (self->local.linked);
  g_free (self->local.host);
  g_free (self->local.group);
  amnesia_replica_free (self->local.replica);
  g_rand_free (self->rand);
  g_free (self);
}

AmnesiaReplica *
amnesia_mesh_get_replica (AmnesiaMesh *self)
{
  return self->local.replica;
}

AmnesiaMeshState
amnesia_mesh_get_state (AmnesiaMesh *self)
{
  return self->progress.state;
}

AmnesiaMembers *
amnesia_mesh_get_members (AmnesiaMesh *self)
{
  return &self->members;
}

gboolean
amnesia_mesh_is_empty (AmnesiaMesh *self)
{
  return self->links.list->len == 0;
}

/* From now on nobody counts as behind who is not connected. */
void
amnesia_mesh_forgive_lost (AmnesiaMesh *self)
{
  guint i;

  for (i = 0; i < self->members.list->len; i++)
    amnesia_members_get (&self->members, i)->unconfirmed = FALSE;
}

/* The names of those who lack something, NULL if none does: of the connected peers, and of those who
 * were lost since the last amnesia_mesh_forgive_lost () and have not come back. */
char *
amnesia_mesh_list_behind (AmnesiaMesh *self)
{
  g_autofree char *connected = amnesia_links_list_behind (&self->links);
  g_autoptr (GString) names = g_string_new (connected);
  guint i;

  for (i = 0; i < self->members.list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (&self->members, i);

      if (member->unconfirmed && member->link == NULL)
        g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", member->name);
    }
  return names->len > 0 ? g_string_free (g_steal_pointer (&names), FALSE) : NULL;
}

/* --- links --- */

static void
leave_link (AmnesiaMesh *self,
            AmnesiaLink *link,
            AmnesiaBye   reason,
            const char  *message)
{
  if (link->state == AMNESIA_LINK_LEAVING)
    return;
  self->linked_changed |= amnesia_link_is_up (link);
  amnesia_link_leave (link, reason, message);
  self->funcs->hang_up (link, self->user_data);
}

static void
wake_all (AmnesiaMesh *self)
{
  guint i;

  for (i = 0; i < self->links.list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (&self->links, i);

      if (amnesia_link_wants_to_send (link))
        self->funcs->wake (link, self->user_data);
    }
}

/* Tells everybody whom we are linked with now. */
static void
update_linked (AmnesiaMesh *self)
{
  self->linked_changed = FALSE;
  amnesia_links_get_ids (&self->links, self->local.linked);
  amnesia_links_mark_linked (&self->links);
  wake_all (self);
}

AmnesiaLink *
amnesia_mesh_add_link (AmnesiaMesh   *self,
                       AmnesiaMember *member,
                       const char    *host,
                       guint16        port,
                       AmnesiaTime    now)
{
  AmnesiaLink *link = amnesia_links_add (&self->links, &self->local, host, port, member != NULL,
                                         now);

  link->member = member;
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
    leave_link (self, loser, AMNESIA_BYE_DUPLICATE, "there is another link");
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
    member = amnesia_members_add_guest (&self->members, link->host, link->port, now);
  link->member = member;
  amnesia_link_set_name (link, member->name);
  return member;
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
  leave_link (self, link, AMNESIA_BYE_SELF, "that is me");
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
  link->member = NULL;
  if (g_ptr_array_find (self->members.list, member, &position))
    amnesia_members_remove (&self->members, position);
  leave_link (self, link, AMNESIA_BYE_PROTOCOL, "too many guests");
  return TRUE;
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
  if (link->dialled)
    member->dialling = FALSE;
  else
    amnesia_member_reset (member, now);
  note_error (self, member, NULL, now);
  other = amnesia_links_find_up (&self->links, link->peer_id, link);
  if (other == NULL)
    mesh_log (self, now, "%s: connected%s", member->name, member->configured ? "" : ", a guest");

  if (other != NULL)
    settle_duplicates (self, link);
  else if (is_spare (self, link))
    leave_link (self, link, AMNESIA_BYE_DUPLICATE, "a guest needs one link only");
  if (member->configured)
    merge_guests (self, member);
  show_links (self, link->peer_id);
  self->linked_changed = TRUE;
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
  if (link->member != NULL)
    note_error (self, link->member, error, now);
  else
    mesh_log (self, now, "%s: %s", link->name, error->message);
  leave_link (self, link, reason, error->message);
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

void
amnesia_mesh_receive (AmnesiaMesh        *self,
                      AmnesiaLink        *link,
                      const AmnesiaFrame *frame,
                      AmnesiaTime         now)
{
  g_auto (AmnesiaReceipt) receipt = { 0, };
  g_autoptr (GError) error = NULL;
  AmnesiaMember *member;

  if (!amnesia_link_receive (link, frame, now, &receipt, &error))
    fail (self, link, frame->kind == AMNESIA_FRAME_BYE ? AMNESIA_BYE_LEAVING
                                                       : amnesia_link_get_bye (error), error, now);
  else if (receipt.greeted)
    admit (self, link, &receipt, now);
  if (receipt.taken != NULL && receipt.taken->len > 0)
    {
      amnesia_links_forward (&self->links, link, receipt.taken);
      wake_all (self);
      self->funcs->merged (self->user_data);
    }
  member = link->member;
  if (member == NULL || error != NULL)
    return;
  if (receipt.notice != NULL)
    note_error (self, member, receipt.notice, now);
  warn_of_clock (self, link, now);
  amnesia_members_touch (&self->members, member);
  if (amnesia_link_wants_to_send (link))
    self->funcs->wake (link, self->user_data);
}

gboolean
amnesia_mesh_pull (AmnesiaMesh   *self,
                   AmnesiaLink   *link,
                   AmnesiaTime    now,
                   AmnesiaPacket *packet)
{
  g_autoptr (GError) notice = NULL;
  gboolean any = amnesia_link_pull (link, now, packet, &notice);

  if (link->member != NULL)
    {
      amnesia_members_touch (&self->members, link->member);
      if (notice != NULL)
        note_error (self, link->member, notice, now);
    }
  return any;
}

/* @error: (nullable) if the reason is known already. */
void
amnesia_mesh_dial_failed (AmnesiaMesh   *self,
                          AmnesiaMember *member,
                          const GError  *error,
                          AmnesiaTime    now)
{
  member->dialling = FALSE;
  member->tried = TRUE;
  amnesia_members_touch (&self->members, member);
  amnesia_member_back_off (member, now, self->rand);
  if (error != NULL && member->link == NULL)
    note_error (self, member, error, now);
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
  if (amnesia_link_is_synced (link))
    amnesia_member_reset (member, now);
  member->n_brief = now.mono - link->born < AMNESIA_BRIEF ? member->n_brief + 1 : 0;
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
      member->unconfirmed = !amnesia_link_is_in_sync (link);
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
  if (member != NULL && link->dialled && link->peer_id == 0)
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

  self->linked_changed |= amnesia_link_is_up (link);
  hide_link (self, link, now);
  g_ptr_array_remove (self->links.list, link);
}

static void
kill_link (AmnesiaMesh  *self,
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
  g_set_error (&error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED, "too many who said no hello");
  kill_link (self, oldest, error, now);
  return TRUE;
}

/* Somebody was sent away at the door. */
void
amnesia_mesh_note_refusal (AmnesiaMesh *self,
                           const char  *name,
                           AmnesiaTime  now)
{
  mesh_log (self, now, "%s: refused: it is neither in “peers” nor in “allow”, or there are too many "
            "connections", name);
}

/* --- opening and leaving --- */

/* Links to those who are not listed any more are flushed and closed. */
static void
leave_removed (AmnesiaMesh *self,
               GPtrArray   *removed)
{
  guint i;

  for (i = 0; i < self->links.list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (&self->links, i);

      if (link->member == NULL || !g_ptr_array_find (removed, link->member, NULL))
        continue;
      leave_link (self, link, AMNESIA_BYE_LEAVING, "not in my configuration any more");
      link->member = NULL;
    }
}

static gboolean
set_terms (AmnesiaMesh           *self,
           const AmnesiaSettings *settings)
{
  AmnesiaLocal *local = &self->local;

  if (g_str_equal (local->group, settings->group) && local->max_size == settings->max_size &&
      local->clock_limit == settings->clock_limit)
    return FALSE;
  g_free (local->group);
  local->group = g_strdup (settings->group);
  local->max_size = settings->max_size;
  local->clock_limit = settings->clock_limit;
  amnesia_replica_set_max_size (local->replica, settings->max_size);
  return TRUE;
}

/* Opens, or goes on with another configuration: the links to those who are still listed stay,
 * unless what was said in the hello does not hold any more. */
void
amnesia_mesh_open (AmnesiaMesh           *self,
                   const AmnesiaSettings *settings,
                   AmnesiaTime            now)
{
  g_autoptr (GPtrArray) removed = amnesia_members_set_listed (&self->members, settings, now);
  guint i;

  leave_removed (self, removed);
  if (set_terms (self, settings))
    for (i = 0; i < self->links.list->len; i++)
      leave_link (self, amnesia_links_get (&self->links, i), AMNESIA_BYE_LEAVING,
                  "my configuration changed");
  self->leaving = FALSE;
  amnesia_dial_plan_set_role (&self->plan, AMNESIA_ROLE_SEARCHING, now);
  self->skew = now.wall - now.mono;
  /* with nobody left who was linked, all begins anew */
  if (self->progress.state == AMNESIA_MESH_CLOSED ||
      !amnesia_links_any_up (&self->links, NULL))
    amnesia_progress_open (&self->progress, now.mono);
}

/* A guest needs one link, to a member. Whoever has come to us while we were one must find another,
 * or guests that are content with one another would be cut off from the rest. */
static void
keep_one_link (AmnesiaMesh *self)
{
  AmnesiaLink *kept = amnesia_links_find_dialled (&self->links);
  guint i;

  for (i = 0; i < self->links.list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (&self->links, i);

      if (link != kept && (!link->dialled || amnesia_link_is_up (link)))
        leave_link (self, link, AMNESIA_BYE_LEAVING, "not a member any more");
    }
}

/* The search for our own entry has ended: @host is what others know us by, NULL if nothing. */
void
amnesia_mesh_set_own (AmnesiaMesh *self,
                      const char  *host,
                      guint16      port,
                      gboolean     guest,
                      AmnesiaTime  now)
{
  AmnesiaMember *own = host != NULL ? amnesia_members_find (&self->members, host, port) : NULL;
  AmnesiaMember *before = amnesia_members_find (&self->members, self->local.host, self->local.port);

  /* it may be another one's from now on */
  if (before != NULL && before != own)
    before->self = FALSE;
  g_free (self->local.host);
  self->local.host = g_strdup (own != NULL ? host : "");
  self->local.port = own != NULL ? port : 0;
  amnesia_dial_plan_set_role (&self->plan, guest ? AMNESIA_ROLE_GUEST : AMNESIA_ROLE_MEMBER, now);
  if (own != NULL)
    amnesia_members_set_self (&self->members, own);
  if (guest)
    keep_one_link (self);
}

void
amnesia_mesh_leave (AmnesiaMesh *self)
{
  guint i;

  self->leaving = TRUE;
  for (i = 0; i < self->links.list->len; i++)
    leave_link (self, amnesia_links_get (&self->links, i), AMNESIA_BYE_LEAVING, "leaving");
}

/* Drops what is left, and forgets everybody; the value stays. */
void
amnesia_mesh_close (AmnesiaMesh *self)
{
  guint i;

  for (i = 0; i < self->links.list->len; i++)
    self->funcs->drop (amnesia_links_get (&self->links, i), self->user_data);
  g_ptr_array_set_size (self->links.list, 0);
  amnesia_members_forget (&self->members);
  g_array_set_size (self->local.linked, 0);
  self->progress.state = AMNESIA_MESH_CLOSED;
  self->armed = 0;
}

/* A write of our own. */
void
amnesia_mesh_written (AmnesiaMesh  *self,
                      AmnesiaEntry *entry)
{
  amnesia_links_mark (&self->links, entry->key);
  wake_all (self);
}

/* --- time --- */

static void
dial_all (AmnesiaMesh *self,
          AmnesiaTime  now)
{
  gboolean linked = amnesia_links_any_up (&self->links, NULL);
  gboolean seek = FALSE;
  AmnesiaMember *member;

  while ((member = amnesia_dial_plan_pop (&self->plan, &self->members, linked, now,
                                          self->rand, &seek)) != NULL)
    {
      member->dialling = TRUE;
      amnesia_members_touch (&self->members, member);
      self->funcs->dial (member, self->user_data);
    }
  if (seek)
    self->funcs->seek (self->user_data);
}

/* Whether every first dial has ended; a guest needs one only. */
static gboolean
all_tried (AmnesiaMesh *self)
{
  if (self->plan.role == AMNESIA_ROLE_SEARCHING)
    return FALSE;
  return (self->plan.role == AMNESIA_ROLE_GUEST && amnesia_links_any_up (&self->links, NULL)) ||
         amnesia_members_all_tried (&self->members);
}

static void
update_progress (AmnesiaMesh *self,
                 AmnesiaTime  now)
{
  const AmnesiaStanding standing = {
    .any_up = amnesia_links_any_up (&self->links, NULL),
    .any_synced = amnesia_links_any_synced (&self->links),
    .all_tried = all_tried (self),
  };

  if (!self->leaving)
    amnesia_progress_update (&self->progress, &standing, now.mono);
}

static gint64
get_deadline (AmnesiaMesh *self,
              AmnesiaTime  now)
{
  gint64 deadline = amnesia_links_get_deadline (&self->links);
  gboolean linked = amnesia_links_any_up (&self->links, NULL);

  if (self->leaving)
    return deadline;
  deadline = amnesia_earlier (deadline, amnesia_dial_plan_get_deadline (&self->plan,
                                                                        &self->members, linked));
  return amnesia_earlier (deadline, amnesia_progress_get_deadline (&self->progress, now.mono));
}

/* A clock that was set back by more than a year has left our own entries in the far future, where
 * nobody takes them. */
static void
rewrite_ahead (AmnesiaMesh *self,
               AmnesiaTime  now)
{
  g_autoptr (GPtrArray) entries =
    amnesia_replica_rewrite_ahead (self->local.replica, now.wall / 1000);
  guint i;

  for (i = 0; entries != NULL && i < entries->len; i++)
    amnesia_mesh_written (self, g_ptr_array_index (entries, i));
  if (entries != NULL)
    self->funcs->merged (self->user_data);
}

void
amnesia_mesh_network_changed (AmnesiaMesh *self,
                              AmnesiaTime  now)
{
  guint i;

  for (i = 0; i < self->members.list->len; i++)
    amnesia_member_reset (amnesia_members_get (&self->members, i), now);
  if (self->plan.role != AMNESIA_ROLE_GUEST)
    return;
  amnesia_dial_plan_set_role (&self->plan, AMNESIA_ROLE_GUEST, now);
  self->funcs->seek (self->user_data);
}

/* To be called first whenever something happens: if our own timer is late, or the machine slept,
 * nobody is declared dead for it. */
void
amnesia_mesh_wake (AmnesiaMesh *self,
                   AmnesiaTime  now)
{
  gint64 skew = now.wall - now.mono;
  gboolean slept = skew - self->skew > AMNESIA_RESUME;
  guint i;

  if (self->progress.state == AMNESIA_MESH_CLOSED)
    return;
  self->skew = skew;
  if (slept || (self->armed != 0 && now.mono > self->armed + AMNESIA_LATE))
    for (i = 0; i < self->links.list->len; i++)
      amnesia_link_forgive (amnesia_links_get (&self->links, i), now);
  if (slept)
    amnesia_mesh_network_changed (self, now);
}

/* To be called last whenever something happened. */
void
amnesia_mesh_update (AmnesiaMesh *self,
                     AmnesiaTime  now)
{
  gint64 deadline;

  if (self->progress.state == AMNESIA_MESH_CLOSED)
    return;
  if (self->linked_changed)
    update_linked (self);
  if (!self->leaving)
    dial_all (self, now);
  update_progress (self, now);

  deadline = get_deadline (self, now);
  if (deadline == self->armed)
    return;
  self->armed = deadline;
  self->funcs->arm (deadline, self->user_data);
}

/* The time has come that was asked for. */
void
amnesia_mesh_tick (AmnesiaMesh *self,
                   AmnesiaTime  now)
{
  guint i;

  self->armed = 0;
  rewrite_ahead (self, now);
  for (i = self->links.list->len; i > 0; i--)
    {
      g_autoptr (GError) error = NULL;
      AmnesiaLink *link = amnesia_links_get (&self->links, i - 1);

      if (!amnesia_link_tick (link, now, &error))
        kill_link (self, link, error, now);
      else if (link->peer_id != 0 && now.mono >= link->next_beat)
        self->funcs->wake (link, self->user_data);
    }
}
