/* SPDX-License-Identifier: MIT */

#include "amnesia-mesh-struct-private.h"

#include "amnesia-limits-private.h"

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
  self->written = g_tree_new_full (amnesia_compare_keys, NULL, g_free, NULL);
  amnesia_budget_init (&self->budget, 0);
  return self;
}

void
amnesia_mesh_free (AmnesiaMesh *self)
{
  amnesia_links_clear (&self->links);
  amnesia_members_clear (&self->members);
  g_tree_unref (self->written);
  amnesia_local_forget_write (&self->local);
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

/* The names of those who have not confirmed all that they take, NULL if all have: of the connected peers,
 * and of those who were lost since the last amnesia_mesh_forgive_lost () and have not come back. */
char *
amnesia_mesh_list_behind (AmnesiaMesh *self)
{
  g_autofree char *connected = NULL;
  g_autoptr (GString) names = NULL;
  guint i;

  amnesia_mesh_spread (self);
  connected = amnesia_links_list_behind (&self->links);
  names = g_string_new (connected);
  for (i = 0; i < self->members.list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (&self->members, i);

      if (member->unconfirmed && member->link == NULL)
        g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", member->name);
    }
  return names->len > 0 ? g_string_free (g_steal_pointer (&names), FALSE) : NULL;
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
      amnesia_mesh_leave_link (self, link, AMNESIA_BYE_LEAVING, "not in my configuration any more");
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

  self->moved = TRUE;
  leave_removed (self, removed);
  if (set_terms (self, settings))
    for (i = 0; i < self->links.list->len; i++)
      amnesia_mesh_leave_link (self, amnesia_links_get (&self->links, i), AMNESIA_BYE_LEAVING,
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
        amnesia_mesh_leave_link (self, link, AMNESIA_BYE_LEAVING, "not a member any more");
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
  AmnesiaRole role = guest ? AMNESIA_ROLE_GUEST : AMNESIA_ROLE_MEMBER;

  self->moved = TRUE;
  /* what was ours may be another one's from now on */
  if (before != own)
    amnesia_members_clear_self (&self->members);
  g_free (self->local.host);
  self->local.host = g_strdup (own != NULL ? host : "");
  self->local.port = own != NULL ? port : 0;
  /* who looked for an entry after a round, and goes on being a guest, goes on with its breath */
  if (self->plan.role != role)
    amnesia_dial_plan_set_role (&self->plan, role, now);
  if (own != NULL)
    amnesia_members_set_self (&self->members, own);
  if (guest)
    keep_one_link (self);
}

void
amnesia_mesh_leave (AmnesiaMesh *self)
{
  guint i;

  self->leaving = self->moved = TRUE;
  for (i = 0; i < self->links.list->len; i++)
    amnesia_mesh_leave_link (self, amnesia_links_get (&self->links, i), AMNESIA_BYE_LEAVING,
                             "leaving");
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
  g_tree_remove_all (self->written);
  self->base_written = FALSE;
  self->progress.state = AMNESIA_MESH_CLOSED;
  self->armed = self->tell_at = 0;
}

/* A write of our own. That costs no more for many links than for one, until they are asked to send:
 * who writes again and again before that only has the newest sent. The whole value covers all keys that
 * were written before, and they need not be kept. */
void
amnesia_mesh_written (AmnesiaMesh  *self,
                      AmnesiaEntry *entry)
{
  if (self->links.list->len == 0)
    return;
  /* it may cover all that was still wanted from a peer */
  self->moved |= self->progress.state == AMNESIA_MESH_SYNCING;
  if (amnesia_entry_is_base (entry))
    {
      self->base_written = TRUE;
      g_tree_remove_all (self->written);
    }
  else if (g_tree_lookup_node (self->written, entry->key) == NULL)
    g_tree_insert (self->written, g_strdup (entry->key), NULL);
}

/* Whether there is something that no link knows of. */
gboolean
amnesia_mesh_is_spreading (AmnesiaMesh *self)
{
  return self->base_written || g_tree_nnodes (self->written) > 0;
}

/* Has all links send what was written. */
void
amnesia_mesh_spread (AmnesiaMesh *self)
{
  GTreeNode *node;

  if (!amnesia_mesh_is_spreading (self))
    return;
  if (self->base_written)
    amnesia_links_mark (&self->links, "");
  self->base_written = FALSE;
  for (node = g_tree_node_first (self->written); node != NULL; node = g_tree_node_next (node))
    amnesia_links_mark (&self->links, g_tree_node_key (node));
  g_tree_remove_all (self->written);
  amnesia_mesh_wake_links (self);
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
  gint64 deadline = amnesia_links_get_deadline (&self->links, now);
  gboolean linked = amnesia_links_any_up (&self->links, NULL);

  if (self->leaving)
    return deadline;
  deadline = amnesia_earlier (deadline, self->tell_at);
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

  self->moved = TRUE;
  for (i = 0; i < self->members.list->len; i++)
    amnesia_member_reset (amnesia_members_get (&self->members, i), now);
  if (self->plan.role != AMNESIA_ROLE_GUEST || self->leaving)
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

/* To be called last whenever something happened. Where values come and go, and nothing else, there
 * is nothing to be done, and the tick that was asked for comes in time: this goes through all links
 * and members. */
void
amnesia_mesh_update (AmnesiaMesh *self,
                     AmnesiaTime  now)
{
  gint64 deadline;

  if (self->progress.state == AMNESIA_MESH_CLOSED || !self->moved)
    return;
  self->moved = FALSE;
  if (self->linked_changed || (self->tell_at != 0 && now.mono >= self->tell_at))
    amnesia_mesh_tell_linked (self, now);
  if (!self->leaving)
    dial_all (self, now);
  update_progress (self, now);

  deadline = get_deadline (self, now);
  if (deadline == self->armed)
    return;
  self->armed = deadline;
  self->funcs->arm (deadline, self->user_data);
}

/* If a heartbeat is due, those that soon are go with it. */
static void
gather_beats (AmnesiaMesh *self,
              AmnesiaTime  now)
{
  gboolean due = FALSE;
  guint i;

  for (i = 0; i < self->links.list->len && !due; i++)
    due = amnesia_link_is_beat_due (amnesia_links_get (&self->links, i), now);
  for (i = 0; i < self->links.list->len && due; i++)
    amnesia_link_hasten_beat (amnesia_links_get (&self->links, i), now);
}

/* The time has come that was asked for. */
void
amnesia_mesh_tick (AmnesiaMesh *self,
                   AmnesiaTime  now)
{
  guint i;

  self->armed = 0;
  self->moved = TRUE;
  amnesia_local_forget_write (&self->local);
  rewrite_ahead (self, now);
  gather_beats (self, now);
  for (i = self->links.list->len; i > 0; i--)
    {
      g_autoptr (GError) error = NULL;
      AmnesiaLink *link = amnesia_links_get (&self->links, i - 1);

      if (!amnesia_link_tick (link, now, &error))
        {
          amnesia_mesh_kill_link (self, link, error, now);
          continue;
        }
      if (amnesia_link_review_transits (link, now))
        amnesia_mesh_touch_link (self, link);
      if (amnesia_link_wants_to_send (link, now))
        self->funcs->wake (link, self->user_data);
    }
}
