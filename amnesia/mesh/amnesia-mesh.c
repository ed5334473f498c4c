/* SPDX-License-Identifier: MIT */

#include "amnesia-mesh-private.h"

#include "amnesia-error.h"
#include "amnesia-limits-private.h"

/* SEARCHING: which entry is ours is not known yet, nobody is dialled. MEMBER: we listen, and dial
 * every other entry. GUEST: no entry is free; one link to any member will do. */
typedef enum
{
  ROLE_SEARCHING,
  ROLE_MEMBER,
  ROLE_GUEST,
} Role;

struct _AmnesiaMesh
{
  const AmnesiaMeshFuncs *funcs;
  gpointer         user_data;
  GRand           *rand;        /* (owned) */

  AmnesiaLocal     local;
  GPtrArray       *members;     /* (owned) (element-type AmnesiaMember) in order of configuration */
  GPtrArray       *links;       /* (owned) (element-type AmnesiaLink) */
  guint64          next_serial;

  AmnesiaMeshState state;
  Role             role;
  gboolean         leaving;
  gint64           opened_at;
  gint64           synced_at;   /* when the first peer's entries were in, 0 if not yet */

  guint            guest_next;  /* the member that a guest dials next */
  guint            guest_rounds;
  gint64           guest_at;

  gint64           armed;       /* when the next tick is due, 0: never */
  gint64           skew;        /* wall - mono, to notice that the machine slept */

  gboolean         changed;     /* some member changed */
  guint            serial;      /* another one whenever there are other members */
  double           log_tokens;
  gint64           logged_at;
};

/* --- settings --- */

static void
address_clear (gpointer address)
{
  g_free (((AmnesiaAddress *) address)->host);
}

AmnesiaSettings *
amnesia_settings_new (void)
{
  AmnesiaSettings *settings = g_new0 (AmnesiaSettings, 1);

  settings->entries = g_array_new (FALSE, FALSE, sizeof (AmnesiaAddress));
  g_array_set_clear_func (settings->entries, address_clear);
  return settings;
}

void
amnesia_settings_free (AmnesiaSettings *settings)
{
  g_array_unref (settings->entries);
  g_clear_pointer (&settings->allow, g_ptr_array_unref);
  g_free (settings->group);
  g_free (settings->listen_host);
  g_free (settings);
}

void
amnesia_settings_add_entry (AmnesiaSettings *settings,
                            const char      *host,
                            guint16          port)
{
  AmnesiaAddress address = { g_strdup (host), port };

  g_array_append_val (settings->entries, address);
}

/* --- log --- */

/* What others do must not flood the log. */
static gboolean
may_log (AmnesiaMesh *self,
         AmnesiaTime  now)
{
  double gained = (double) (now.mono - self->logged_at) / AMNESIA_SECOND;

  self->log_tokens = MIN (self->log_tokens + gained, AMNESIA_LOG_BURST);
  self->logged_at = now.mono;
  if (self->log_tokens < 1)
    return FALSE;
  self->log_tokens -= 1;
  return TRUE;
}

static void G_GNUC_PRINTF (3, 4)
mesh_log (AmnesiaMesh *self,
          AmnesiaTime  now,
          const char  *format,
          ...)
{
  g_autofree char *message = NULL;
  va_list args;

  if (!may_log (self, now))
    return;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  self->funcs->log (message, self->user_data);
}

/* --- members --- */

static void
member_changed (AmnesiaMesh   *self,
                AmnesiaMember *member)
{
  member->changed = TRUE;
  self->changed = TRUE;
}

/* For `last-error`, and for the log if it is not what was said before. */
static void
note_error (AmnesiaMesh   *self,
            AmnesiaMember *member,
            const GError  *error,
            AmnesiaTime    now)
{
  if (!amnesia_member_set_error (member, error))
    return;
  self->changed = TRUE;
  if (error != NULL)
    mesh_log (self, now, "%s: %s", member->name, error->message);
}

static AmnesiaMember *
find_member (AmnesiaMesh *self,
             const char  *host,
             guint16      port)
{
  guint i;

  for (i = 0; i < self->members->len; i++)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, i);

      if (member->configured && amnesia_member_is (member, host, port))
        return member;
    }
  return NULL;
}

static AmnesiaLink *
find_up (AmnesiaMesh       *self,
         guint64            id,
         const AmnesiaLink *except)
{
  guint i;

  for (i = 0; i < self->links->len; i++)
    {
      AmnesiaLink *link = g_ptr_array_index (self->links, i);

      if (link != except && amnesia_link_is_up (link) && link->peer_id == id)
        return link;
    }
  return NULL;
}

static gboolean
is_linked (AmnesiaMesh   *self,
           AmnesiaMember *member)
{
  return member->link != NULL || (member->id != 0 && find_up (self, member->id, NULL) != NULL);
}

/* Whom a mesh of members dials, or a guest would. */
static gboolean
is_remote (AmnesiaMember *member)
{
  return member->configured && !member->self;
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
  self->members = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_member_unref);
  self->links = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_link_free);
  self->local.replica = amnesia_replica_new (id);
  self->local.group = g_strdup ("");
  self->local.host = g_strdup ("");
  self->local.linked = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->log_tokens = AMNESIA_LOG_BURST;
  return self;
}

void
amnesia_mesh_free (AmnesiaMesh *self)
{
  g_ptr_array_unref (self->links);
  g_ptr_array_unref (self->members);
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
  return self->state;
}

GPtrArray *
amnesia_mesh_get_members (AmnesiaMesh *self)
{
  return self->members;
}

gboolean
amnesia_mesh_is_empty (AmnesiaMesh *self)
{
  return self->links->len == 0;
}

/* Another number means that members came, went, or turned out to be ourselves. */
guint
amnesia_mesh_get_serial (AmnesiaMesh *self)
{
  return self->serial;
}

/* Returns the next member of which something changed, and clears its mark. */
AmnesiaMember *
amnesia_mesh_pop_changed (AmnesiaMesh *self)
{
  guint i;

  if (!self->changed)
    return NULL;
  for (i = 0; i < self->members->len; i++)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, i);

      if (!member->changed)
        continue;
      member->changed = FALSE;
      return member;
    }
  self->changed = FALSE;
  return NULL;
}

/* The names of the connected peers that lack something, NULL if none does. */
char *
amnesia_mesh_list_behind (AmnesiaMesh *self)
{
  g_autoptr (GString) names = g_string_new (NULL);
  guint i;

  for (i = 0; i < self->links->len; i++)
    {
      AmnesiaLink *link = g_ptr_array_index (self->links, i);
      AmnesiaMember *member = link->member;

      if (amnesia_link_is_up (link) && !amnesia_link_is_in_sync (link))
        g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "",
                                member != NULL ? member->name : link->name);
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
  amnesia_link_leave (link, reason, message);
  self->funcs->hang_up (link, self->user_data);
}

/* Tells everybody whom we are linked with now. */
static void
update_linked (AmnesiaMesh *self)
{
  guint i;

  g_array_set_size (self->local.linked, 0);
  for (i = 0; i < self->links->len; i++)
    {
      AmnesiaLink *link = g_ptr_array_index (self->links, i);

      if (amnesia_link_is_up (link))
        g_array_append_val (self->local.linked, link->peer_id);
    }
  for (i = 0; i < self->links->len; i++)
    {
      AmnesiaLink *link = g_ptr_array_index (self->links, i);

      if (!amnesia_link_is_up (link))
        continue;
      amnesia_link_mark_links (link);
      self->funcs->wake (link, self->user_data);
    }
}

AmnesiaLink *
amnesia_mesh_add_link (AmnesiaMesh   *self,
                       AmnesiaMember *member,
                       const char    *host,
                       guint16        port,
                       AmnesiaTime    now)
{
  AmnesiaLink *link = amnesia_link_new (&self->local, host, port, member != NULL,
                                        self->next_serial++, now);

  link->member = member;
  g_ptr_array_add (self->links, link);
  return link;
}

/* Two links to one peer: keeps the one that the greater id dialled, then the older. */
static AmnesiaLink *
choose_loser (AmnesiaMesh *self,
              AmnesiaLink *a,
              AmnesiaLink *b)
{
  gboolean ours_greater = amnesia_replica_get_id (self->local.replica) > a->peer_id;

  if (a->dialled != b->dialled)
    return a->dialled == ours_greater ? b : a;
  return a->serial < b->serial ? b : a;
}

/* The side that dialled the lesser link closes it; the other one waits for that. */
static void
settle_duplicate (AmnesiaMesh *self,
                  AmnesiaLink *link,
                  AmnesiaLink *other)
{
  AmnesiaLink *loser = choose_loser (self, link, other);

  if (loser->dialled)
    leave_link (self, loser, AMNESIA_BYE_DUPLICATE, "there is another link");
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
    member = find_member (self, host, port);
  /* two machines may both be “127.0.0.1” */
  if (member == NULL || member->self)
    {
      member = amnesia_member_new (link->host, link->port, FALSE, now);
      g_ptr_array_add (self->members, member);
      self->serial++;
    }
  link->member = member;
  return member;
}

static void
show_links (AmnesiaMesh *self,
            guint64      id)
{
  AmnesiaLink *link = find_up (self, id, NULL);
  guint i;

  for (i = 0; i < self->members->len; i++)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, i);

      if (member->id != id || (!member->configured && member->link != NULL))
        continue;
      member->link = link;
      member_changed (self, member);
    }
}

static void
meet_self (AmnesiaMesh *self,
           AmnesiaLink *link)
{
  AmnesiaMember *member = link->member;

  if (member != NULL)
    {
      member->self = TRUE;
      self->serial++;
      member->dialling = FALSE;
      member->tried = TRUE;
      amnesia_member_set_error (member, NULL);
      member_changed (self, member);
    }
  leave_link (self, link, AMNESIA_BYE_SELF, "that is me");
}

/* A guest needs one link only. */
static gboolean
is_spare (AmnesiaMesh *self,
          AmnesiaLink *link)
{
  guint i;

  for (i = 0; self->role == ROLE_GUEST && i < self->links->len; i++)
    {
      AmnesiaLink *other = g_ptr_array_index (self->links, i);

      if (other != link && amnesia_link_is_up (other))
        return TRUE;
    }
  return FALSE;
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
  member->id = link->peer_id;
  member->tried = TRUE;
  if (link->dialled)
    member->dialling = FALSE;
  amnesia_member_reset (member, now);
  note_error (self, member, NULL, now);
  mesh_log (self, now, "%s: connected%s", member->name, member->configured ? "" : ", a guest");

  other = find_up (self, link->peer_id, link);
  if (other != NULL)
    settle_duplicate (self, link, other);
  else if (is_spare (self, link))
    leave_link (self, link, AMNESIA_BYE_DUPLICATE, "a guest needs one link only");
  if (!member->configured)
    member->link = link;
  show_links (self, link->peer_id);
  update_linked (self);
}

/* Once for each peer: who writes with a clock that is ahead wins where he should not. */
static void
warn_of_clock (AmnesiaMesh *self,
               AmnesiaLink *link,
               AmnesiaTime  now)
{
  AmnesiaMember *member = link->member;

  if (member == NULL || member->offset_warned || ABS (link->clock_offset) < AMNESIA_CLOCK_WARN)
    return;
  member->offset_warned = TRUE;
  mesh_log (self, now, "%s: its clock is %.1f s %s ours", member->name,
            ABS (link->clock_offset) / (double) AMNESIA_SECOND,
            link->clock_offset > 0 ? "ahead of" : "behind");
}

/* A newly accepted entry goes to all but those who have it from where we have it. */
static void
forward (AmnesiaMesh *self,
         AmnesiaLink *giver,
         GPtrArray   *entries)
{
  guint i, j;

  for (i = 0; i < self->links->len; i++)
    {
      AmnesiaLink *link = g_ptr_array_index (self->links, i);

      if (link == giver || !amnesia_link_is_up (link) || link->peer_id == giver->peer_id ||
          amnesia_link_is_linked_with (link, giver->peer_id))
        continue;
      for (j = 0; j < entries->len; j++)
        amnesia_link_mark (link, ((AmnesiaEntry *) g_ptr_array_index (entries, j))->key);
      self->funcs->wake (link, self->user_data);
    }
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
    {
      amnesia_mesh_fail_link (self, link, error, now);
      return;
    }
  if (receipt.greeted)
    admit (self, link, &receipt, now);
  if (receipt.taken != NULL && receipt.taken->len > 0)
    {
      forward (self, link, receipt.taken);
      self->funcs->merged (self->user_data);
    }
  member = link->member;
  if (member == NULL)
    return;
  if (receipt.notice != NULL)
    note_error (self, member, receipt.notice, now);
  warn_of_clock (self, link, now);
  member_changed (self, member);
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
      member_changed (self, link->member);
      if (notice != NULL)
        note_error (self, link->member, notice, now);
    }
  return any;
}

/* The peer did what it must not, or cannot be had: tells it why, and closes. */
void
amnesia_mesh_fail_link (AmnesiaMesh  *self,
                        AmnesiaLink  *link,
                        const GError *error,
                        AmnesiaTime   now)
{
  AmnesiaBye reason = AMNESIA_BYE_PROTOCOL;

  if (link->state == AMNESIA_LINK_LEAVING)
    return;
  if (g_error_matches (error, AMNESIA_ERROR, AMNESIA_ERROR_VERSION))
    reason = AMNESIA_BYE_VERSION;
  else if (g_error_matches (error, AMNESIA_ERROR, AMNESIA_ERROR_GROUP))
    reason = AMNESIA_BYE_GROUP;
  else if (g_error_matches (error, AMNESIA_ERROR, AMNESIA_ERROR_CLOCK))
    reason = AMNESIA_BYE_CLOCK;

  if (link->member != NULL)
    note_error (self, link->member, error, now);
  else
    mesh_log (self, now, "%s: %s", link->name, error->message);
  leave_link (self, link, reason, error->message);
}

static void
end_dial (AmnesiaMesh   *self,
          AmnesiaMember *member,
          const GError  *error,
          AmnesiaTime    now)
{
  member->dialling = FALSE;
  member->tried = TRUE;
  member_changed (self, member);
  amnesia_member_back_off (member, now, self->rand);
  if (error != NULL && !is_linked (self, member))
    note_error (self, member, error, now);
  if (self->role == ROLE_GUEST && self->guest_next > 0)
    self->guest_at = now.mono;
}

void
amnesia_mesh_dial_failed (AmnesiaMesh   *self,
                          AmnesiaMember *member,
                          const GError  *error,
                          AmnesiaTime    now)
{
  end_dial (self, member, error, now);
}

static const GError *
explain (AmnesiaLink  *link,
         const GError *error,
         GError      **made)
{
  if (link->peer_id != 0 || link->state == AMNESIA_LINK_LEAVING ||
      (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED)))
    return error;
  g_set_error (made, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
               "it closed the connection before it said hello: it may not have this host in its "
               "configuration, or be another program");
  return *made;
}

/* Whoever was seen through this link is seen through another one now, or not at all. */
static void
hide_link (AmnesiaMesh *self,
           AmnesiaLink *link,
           AmnesiaTime  now)
{
  guint i;

  for (i = self->members->len; i > 0; i--)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, i - 1);

      if (member->link != link)
        continue;
      member->link = find_up (self, member->id, link);
      member_changed (self, member);
      if (member->link == NULL && !member->configured)
        {
          g_ptr_array_remove_index (self->members, i - 1);
          self->serial++;
        }
      else if (member->link == NULL)
        {
          member->missing_since = now.mono;
          member->failures = 0;
          amnesia_member_back_off (member, now, self->rand);
        }
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
  gboolean shown = member != NULL && member->link == link;

  error = explain (link, error, &made);
  if (member != NULL && link->dialled && link->peer_id == 0)
    end_dial (self, member, error, now);
  else if (member == NULL && error != NULL)
    mesh_log (self, now, "%s: %s", link->name, error->message);
  if (shown && !self->leaving)
    mesh_log (self, now, "%s: disconnected%s%s", member->name, error != NULL ? ", " : "",
              error != NULL ? error->message : "");
  if (shown && error != NULL)
    amnesia_member_set_error (member, error);
  if (self->role == ROLE_GUEST && shown)
    self->guest_at = now.mono + AMNESIA_GUEST_STEP;

  hide_link (self, link, now);
  g_ptr_array_remove (self->links, link);
  if (shown)
    update_linked (self);
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
  AmnesiaLink *oldest = NULL;
  guint i, greeting = 0;

  if (self->leaving || self->links->len >= AMNESIA_MAX_LINKS)
    return FALSE;
  for (i = 0; i < self->links->len; i++)
    {
      AmnesiaLink *link = g_ptr_array_index (self->links, i);

      if (link->peer_id != 0 || link->dialled)
        continue;
      greeting++;
      if (oldest == NULL || link->serial < oldest->serial)
        oldest = link;
    }
  if (greeting < AMNESIA_MAX_GREETING)
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
  mesh_log (self, now, "%s: refused, it is not in the configuration", name);
}

/* --- opening and leaving --- */

static gboolean
is_listed (const AmnesiaSettings *settings,
           const AmnesiaMember   *member)
{
  guint i;

  for (i = 0; i < settings->entries->len; i++)
    {
      AmnesiaAddress *entry = &g_array_index (settings->entries, AmnesiaAddress, i);

      if (amnesia_member_is (member, entry->host, entry->port))
        return TRUE;
    }
  return FALSE;
}

/* Links to those who are not listed any more are flushed and closed. */
static void
remove_members (AmnesiaMesh           *self,
                const AmnesiaSettings *settings)
{
  guint i, j;

  for (i = self->members->len; i > 0; i--)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, i - 1);

      member->self = FALSE;
      if (!member->configured || is_listed (settings, member))
        continue;
      for (j = 0; j < self->links->len; j++)
        {
          AmnesiaLink *link = g_ptr_array_index (self->links, j);

          if (link->member != member)
            continue;
          leave_link (self, link, AMNESIA_BYE_LEAVING, "not in my configuration any more");
          link->member = NULL;
        }
      g_ptr_array_remove_index (self->members, i - 1);
    }
}

/* The order of members is the order of the configuration; guests come last. */
static void
add_members (AmnesiaMesh           *self,
             const AmnesiaSettings *settings,
             AmnesiaTime            now)
{
  guint i;

  for (i = 0; i < settings->entries->len; i++)
    {
      AmnesiaAddress *entry = &g_array_index (settings->entries, AmnesiaAddress, i);
      AmnesiaMember *member = find_member (self, entry->host, entry->port);
      guint position = 0;

      if (member == NULL)
        member = amnesia_member_new (entry->host, entry->port, TRUE, now);
      else if (g_ptr_array_find (self->members, member, &position))
        g_ptr_array_steal_index (self->members, position);
      g_ptr_array_insert (self->members, i, member);
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
  guint i;

  remove_members (self, settings);
  add_members (self, settings, now);
  if (set_terms (self, settings))
    for (i = 0; i < self->links->len; i++)
      leave_link (self, g_ptr_array_index (self->links, i), AMNESIA_BYE_LEAVING,
                  "my configuration changed");
  self->changed = TRUE;
  self->serial++;
  self->leaving = FALSE;
  self->role = ROLE_SEARCHING;
  self->skew = now.wall - now.mono;
  if (self->state == AMNESIA_MESH_CLOSED)
    {
      self->state = AMNESIA_MESH_SYNCING;
      self->opened_at = now.mono;
      self->synced_at = 0;
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
  AmnesiaMember *own = host != NULL ? find_member (self, host, port) : NULL;

  g_free (self->local.host);
  self->local.host = g_strdup (own != NULL ? host : "");
  self->local.port = own != NULL ? port : 0;
  self->role = guest ? ROLE_GUEST : ROLE_MEMBER;
  self->guest_at = now.mono;
  if (own != NULL)
    {
      own->self = TRUE;
      self->serial++;
      member_changed (self, own);
    }
}

void
amnesia_mesh_leave (AmnesiaMesh *self)
{
  guint i;

  self->leaving = TRUE;
  for (i = 0; i < self->links->len; i++)
    leave_link (self, g_ptr_array_index (self->links, i), AMNESIA_BYE_LEAVING, "leaving");
}

/* Drops what is left, and forgets everybody; the value stays. */
void
amnesia_mesh_close (AmnesiaMesh *self)
{
  guint i;

  for (i = 0; i < self->links->len; i++)
    self->funcs->drop (g_ptr_array_index (self->links, i), self->user_data);
  for (i = 0; i < self->members->len; i++)
    ((AmnesiaMember *) g_ptr_array_index (self->members, i))->link = NULL;
  g_ptr_array_set_size (self->links, 0);
  g_ptr_array_set_size (self->members, 0);
  self->serial++;
  g_array_set_size (self->local.linked, 0);
  self->state = AMNESIA_MESH_CLOSED;
  self->armed = 0;
  self->changed = TRUE;
}

/* A write of our own. */
void
amnesia_mesh_written (AmnesiaMesh  *self,
                      AmnesiaEntry *entry)
{
  guint i;

  for (i = 0; i < self->links->len; i++)
    {
      AmnesiaLink *link = g_ptr_array_index (self->links, i);

      if (!amnesia_link_is_up (link))
        continue;
      amnesia_link_mark (link, entry->key);
      self->funcs->wake (link, self->user_data);
    }
}

/* --- time --- */

static void
dial (AmnesiaMesh   *self,
      AmnesiaMember *member)
{
  member->dialling = TRUE;
  member_changed (self, member);
  self->funcs->dial (member, self->user_data);
}

static gboolean
may_dial (AmnesiaMesh   *self,
          AmnesiaMember *member)
{
  return is_remote (member) && !member->dialling && !is_linked (self, member);
}

static void
dial_members (AmnesiaMesh *self,
              AmnesiaTime  now)
{
  guint i;

  for (i = 0; i < self->members->len; i++)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, i);

      if (may_dial (self, member) && now.mono >= member->redial_at)
        dial (self, member);
    }
}

static gboolean
any_up (AmnesiaMesh *self)
{
  guint i;

  for (i = 0; i < self->links->len; i++)
    if (amnesia_link_is_up (g_ptr_array_index (self->links, i)))
      return TRUE;
  return FALSE;
}

/* A guest dials one after the other until one says hello. After each round it looks whether an
 * entry has become free, and takes a longer breath. */
static void
dial_as_guest (AmnesiaMesh *self,
               AmnesiaTime  now)
{
  if (any_up (self) || now.mono < self->guest_at)
    return;

  while (self->guest_next < self->members->len)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, self->guest_next++);

      if (!may_dial (self, member))
        continue;
      dial (self, member);
      self->guest_at = now.mono + AMNESIA_GUEST_STEP;
      return;
    }
  self->guest_next = 0;
  self->guest_at = now.mono + MIN (AMNESIA_GUEST_STEP << MIN (self->guest_rounds, 16),
                                   AMNESIA_REDIAL_CAP);
  self->guest_rounds++;
  self->funcs->seek (self->user_data);
}

/* Whether every first dial has ended, one way or the other. */
static gboolean
all_tried (AmnesiaMesh *self)
{
  guint i;

  if (self->role == ROLE_SEARCHING)
    return FALSE;
  if (self->role == ROLE_GUEST && any_up (self))
    return TRUE;
  for (i = 0; i < self->members->len; i++)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, i);

      if (is_remote (member) && !member->tried && !is_linked (self, member))
        return FALSE;
    }
  return TRUE;
}

static gboolean
any_synced (AmnesiaMesh *self)
{
  guint i;

  for (i = 0; i < self->links->len; i++)
    if (amnesia_link_is_synced (g_ptr_array_index (self->links, i)))
      return TRUE;
  return FALSE;
}

static void
update_state (AmnesiaMesh *self,
              AmnesiaTime  now)
{
  if (self->state == AMNESIA_MESH_CLOSED || self->leaving)
    return;
  if (!any_up (self))
    {
      if (self->state == AMNESIA_MESH_SYNCED || all_tried (self) ||
          now.mono >= self->opened_at + AMNESIA_ALONE_AFTER)
        self->state = AMNESIA_MESH_ALONE;
      return;
    }
  if (self->state == AMNESIA_MESH_ALONE)
    self->state = AMNESIA_MESH_SYNCING;
  if (self->state != AMNESIA_MESH_SYNCING || !any_synced (self))
    return;
  if (self->synced_at == 0)
    self->synced_at = now.mono;
  if (all_tried (self) || now.mono >= self->synced_at + AMNESIA_SYNCED_AFTER)
    self->state = AMNESIA_MESH_SYNCED;
}

static gint64
earlier (gint64 a,
         gint64 b)
{
  return a == 0 ? b : MIN (a, b);
}

static gint64
get_deadline (AmnesiaMesh *self)
{
  gint64 deadline = 0;
  guint i;

  for (i = 0; i < self->links->len; i++)
    deadline = earlier (deadline, amnesia_link_get_deadline (g_ptr_array_index (self->links, i)));
  if (self->leaving)
    return deadline;
  for (i = 0; self->role == ROLE_MEMBER && i < self->members->len; i++)
    {
      AmnesiaMember *member = g_ptr_array_index (self->members, i);

      if (may_dial (self, member))
        deadline = earlier (deadline, member->redial_at);
    }
  if (self->role == ROLE_GUEST && !any_up (self))
    deadline = earlier (deadline, self->guest_at);
  if (self->state == AMNESIA_MESH_SYNCING)
    deadline = earlier (deadline, self->synced_at != 0 ? self->synced_at + AMNESIA_SYNCED_AFTER
                                                       : self->opened_at + AMNESIA_ALONE_AFTER);
  return deadline;
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

  for (i = 0; i < self->members->len; i++)
    amnesia_member_reset (g_ptr_array_index (self->members, i), now);
  if (self->role != ROLE_GUEST)
    return;
  self->guest_at = now.mono;
  self->guest_rounds = 0;
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

  if (self->state == AMNESIA_MESH_CLOSED)
    return;
  self->skew = skew;
  if (slept || (self->armed != 0 && now.mono > self->armed + AMNESIA_LATE))
    for (i = 0; i < self->links->len; i++)
      amnesia_link_forgive (g_ptr_array_index (self->links, i), now);
  if (slept)
    amnesia_mesh_network_changed (self, now);
}

/* To be called last whenever something happened. */
void
amnesia_mesh_update (AmnesiaMesh *self,
                     AmnesiaTime  now)
{
  gint64 deadline;

  if (self->state == AMNESIA_MESH_CLOSED)
    return;
  if (!self->leaving && self->role == ROLE_MEMBER)
    dial_members (self, now);
  else if (!self->leaving && self->role == ROLE_GUEST)
    dial_as_guest (self, now);
  update_state (self, now);

  deadline = get_deadline (self);
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

  rewrite_ahead (self, now);
  for (i = self->links->len; i > 0; i--)
    {
      g_autoptr (GError) error = NULL;
      AmnesiaLink *link = g_ptr_array_index (self->links, i - 1);

      if (!amnesia_link_tick (link, now, &error))
        kill_link (self, link, error, now);
      else if (link->peer_id != 0 && now.mono >= link->next_beat)
        self->funcs->wake (link, self->user_data);
    }
}
