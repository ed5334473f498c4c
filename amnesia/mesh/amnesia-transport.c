/* SPDX-License-Identifier: MIT */

#include "amnesia-transport-struct-private.h"

#include "amnesia-context-private.h"
#include "amnesia-fork-private.h"
#include "amnesia-limits-private.h"

gint64
amnesia_transport_get_wall (void)
{
  return g_get_real_time ();
}

static AmnesiaTime
get_now (void)
{
  return (AmnesiaTime) { g_get_monotonic_time (), amnesia_transport_get_wall () };
}

/* In the child of a fork nothing here is ours any more. */
gboolean
amnesia_transport_is_forked (AmnesiaTransport *self)
{
  return self->forks != amnesia_fork_get_count ();
}

/* --- channels --- */

static void
forget_channel (AmnesiaTransport *self,
                AmnesiaChannel   *channel)
{
  amnesia_transport_forget_handshake (self, channel);
  amnesia_channel_get_link (channel)->channel = NULL;
  g_ptr_array_remove_fast (self->woken, channel);
  g_ptr_array_remove (self->unread, channel);
  g_ptr_array_remove_fast (self->channels, channel);
}

void
amnesia_transport_close_channel (AmnesiaTransport *self,
                                 AmnesiaChannel   *channel,
                                 const GError     *error)
{
  AmnesiaLink *link = amnesia_channel_get_link (channel);

  forget_channel (self, channel);
  amnesia_mesh_remove_link (self->mesh, link, error, self->now);
  self->unsettled = TRUE;
}

/* Lets all that have something to send do so; if that takes long, some of them when their sockets
 * take it anyway. */
static void
flush (AmnesiaTransport *self)
{
  gint64 began, clock;

  amnesia_mesh_spread (self->mesh);
  if (self->woken->len == 0)
    return;
  clock = began = g_get_monotonic_time ();
  while (self->woken->len > 0)
    {
      g_autoptr (GError) error = NULL;
      AmnesiaChannel *channel = g_ptr_array_steal_index_fast (self->woken, self->woken->len - 1);

      amnesia_channel_set_woken (channel, FALSE);
      if (amnesia_channel_is_full (channel))
        continue;
      if (clock >= began + AMNESIA_SLICE_TIME)
        amnesia_channel_put_off (channel);
      else if (!amnesia_channel_send (channel, self->now, began + AMNESIA_SLICE_TIME, &error))
        amnesia_transport_close_channel (self, channel, error);
      if (self->woken->len > 0)
        clock = g_get_monotonic_time ();
    }
}

void
amnesia_transport_wake_channel (AmnesiaTransport *self,
                                AmnesiaChannel   *channel)
{
  if (channel != NULL && !amnesia_channel_set_woken (channel, TRUE))
    g_ptr_array_add (self->woken, channel);
}

/* --- each dispatch: begin, what happened, finish --- */

static void discard (AmnesiaTransport *self);

/* Returns the owner, or NULL if there is nothing to be done any more. */
gpointer
amnesia_transport_begin (AmnesiaTransport *self)
{
  gpointer owner;

  if (amnesia_transport_is_forked (self))
    {
      discard (self);
      return NULL;
    }
  owner = g_weak_ref_get (&self->owner);
  if (owner == NULL)
    return NULL;
  g_atomic_rc_box_acquire (self);
  self->now = get_now ();
  self->present = owner;
  amnesia_mesh_wake (self->mesh, self->now);
  return owner;
}

static void transport_unref (AmnesiaTransport *self);

/* The application's code runs in here: nothing of the dispatch may follow. */
void
amnesia_transport_finish (AmnesiaTransport *self,
                          gpointer          owner)
{
  amnesia_transport_review_handshakes (self);
  flush (self);
  amnesia_mesh_update (self->mesh, self->now);
  if (self->seek_again && self->settings != NULL)
    {
      amnesia_transport_seek (self);
      amnesia_mesh_update (self->mesh, self->now);
    }
  self->seek_again = FALSE;
  flush (self);
  self->unsettled = FALSE;
  self->present = NULL;
  amnesia_transport_plan_watch (self);
  self->funcs->settle (owner);
  g_object_unref (owner);
  transport_unref (self);
}

/* --- time --- */

/* Has the watch wake us at @mono; 0: no more. */
void
amnesia_transport_set_deadline (AmnesiaTransport *self,
                                AmnesiaDeadline   which,
                                gint64            mono)
{
  gint64 first = 0;
  guint i;

  self->deadlines[which] = mono;
  for (i = 0; i < AMNESIA_N_DEADLINES; i++)
    first = amnesia_earlier (first, self->deadlines[i]);
  amnesia_watch_set_deadline (self->watch, first);
}

static gboolean
pop_due (AmnesiaTransport *self,
         AmnesiaDeadline   which)
{
  if (self->deadlines[which] == 0 || self->now.mono < self->deadlines[which])
    return FALSE;
  amnesia_transport_set_deadline (self, which, 0);
  return TRUE;
}

static void
keep_deadlines (AmnesiaTransport *self,
                gpointer          owner)
{
  if (pop_due (self, AMNESIA_DEADLINE_TICK))
    amnesia_mesh_tick (self->mesh, self->now);
  if (pop_due (self, AMNESIA_DEADLINE_GRACE))
    amnesia_transport_end_grace (self);
  if (pop_due (self, AMNESIA_DEADLINE_VISITS))
    amnesia_transport_review_visitors (self, owner);
  pop_due (self, AMNESIA_DEADLINE_HANDSHAKES);
}

/* --- what has come --- */

/* It may have more than one turn took. */
static void
review_unread (AmnesiaTransport *self,
               AmnesiaChannel   *channel)
{
  if (amnesia_channel_has_more (channel) && !g_ptr_array_find (self->unread, channel, NULL))
    g_ptr_array_add (self->unread, channel);
}

/* What has come over one link, and what it could not send before. @clock: now; moves on. */
void
amnesia_transport_serve (AmnesiaTransport *self,
                         AmnesiaChannel   *channel,
                         GIOCondition      condition,
                         gint64           *clock)
{
  gint64 slice = MIN (AMNESIA_TURN_TIME / MAX (self->channels->len, 1), AMNESIA_SLICE_TIME);
  g_autoptr (GError) error = NULL;
  gboolean alive = TRUE;

  if (amnesia_channel_is_shaking (channel))
    {
      amnesia_transport_shake (self, channel);
      return;
    }
  if (condition & ~G_IO_OUT)
    alive = amnesia_channel_receive (channel, self->now, *clock + slice, &error);
  *clock = g_get_monotonic_time ();
  /* who sends as fast as he can gets something all the same */
  if (alive && (condition & G_IO_OUT))
    {
      alive = amnesia_channel_send (channel, self->now, *clock + slice, &error);
      *clock = g_get_monotonic_time ();
    }
  if (!alive)
    amnesia_transport_close_channel (self, channel, error);
  else
    review_unread (self, channel);
}

/* A thread may have checked what some of them wait for. */
static void
review_inspections (AmnesiaTransport *self)
{
  guint i;

  for (i = 0; i < self->channels->len; i++)
    review_unread (self, g_ptr_array_index (self->channels, i));
}

/* Those of which something was left behind, then those of which something has come: each half of the
 * turn, as the first may never come to an end. Who is not served now is there again in the next one. */
static void
serve_all (AmnesiaTransport *self)
{
  gint64 clock = self->now.mono;
  AmnesiaChannel *channel;
  GIOCondition condition;
  guint n;

  for (n = self->unread->len; n > 0 && self->unread->len > 0; n--)
    {
      amnesia_transport_serve (self, g_ptr_array_steal_index (self->unread, 0), G_IO_IN, &clock);
      if (clock >= self->now.mono + AMNESIA_TURN_TIME / 2)
        break;
    }
  amnesia_watch_collect (self->watch);
  while (clock < self->now.mono + AMNESIA_TURN_TIME &&
         (channel = amnesia_watch_pop (self->watch, &condition)) != NULL)
    amnesia_transport_serve (self, channel, condition, &clock);
  amnesia_watch_clear (self->watch);
}

static void
watch_ready (gpointer user_data)
{
  AmnesiaTransport *self = user_data;
  gpointer owner = amnesia_transport_begin (self);

  if (owner == NULL)
    return;
  keep_deadlines (self, owner);
  serve_all (self);
  amnesia_transport_finish (self, owner);
}

/* A turn of the loop begins. What was written in the last one, after the first, leaves in this one as
 * one frame with the newest value. */
static gboolean
watch_turn (gpointer user_data)
{
  AmnesiaTransport *self = user_data;

  self->sent_this_turn = FALSE;
  if (amnesia_inspector_is_busy (self->inspector))
    review_inspections (self);
  return self->unsettled || self->woken->len > 0 || self->unread->len > 0 ||
         amnesia_mesh_is_spreading (self->mesh);
}

static const AmnesiaWatchFuncs watch_funcs = {
  .turn = watch_turn,
  .ready = watch_ready,
};

/* After a hang-up the peer has not closed in time. */
void
amnesia_transport_channel_expired (AmnesiaChannel *channel,
                                   gpointer        user_data)
{
  AmnesiaTransport *self = user_data;
  gpointer owner = amnesia_transport_begin (self);

  if (owner == NULL)
    return;
  amnesia_transport_close_channel (self, channel, NULL);
  amnesia_transport_finish (self, owner);
}

/* --- names --- */

static void
name_cb (const char *host,
         gpointer    user_data)
{
  AmnesiaTransport *self = user_data;
  gpointer owner = amnesia_transport_begin (self);

  if (owner == NULL)
    return;
  if (self->seeking || (g_strcmp0 (host, self->own_host) == 0 && amnesia_transport_has_moved (self)))
    amnesia_transport_seek (self);
  amnesia_caller_name_known (self->caller, host);
  amnesia_transport_review_visitors (self, owner);
  amnesia_transport_finish (self, owner);
}

static gboolean
network_due (gpointer user_data)
{
  AmnesiaTransport *self = user_data;
  gpointer owner = amnesia_transport_begin (self);

  if (owner == NULL)
    return G_SOURCE_CONTINUE;
  if (self->monitor != NULL)
    amnesia_mesh_network_changed (self->mesh, self->now);
  amnesia_transport_begin_watch (self);
  amnesia_transport_finish (self, owner);
  return G_SOURCE_CONTINUE;
}

/* --- what the mesh asks for --- */

static void
mesh_dial (AmnesiaMember *member,
           gpointer       user_data)
{
  AmnesiaTransport *self = user_data;

  /* not at the first dial: we have just begun to listen */
  if (member->tried)
    amnesia_transport_check_own (self);
  amnesia_caller_call (self->caller, member);
}

static void
mesh_shorten (AmnesiaMember *member,
              gpointer       user_data)
{
  amnesia_caller_call_nearby (((AmnesiaTransport *) user_data)->caller, member);
}

static void
mesh_wake (AmnesiaLink *link,
           gpointer     user_data)
{
  amnesia_transport_wake_channel (user_data, link->channel);
}

static void
mesh_hang_up (AmnesiaLink *link,
              gpointer     user_data)
{
  if (link->channel == NULL)
    return;
  amnesia_channel_hang_up (link->channel);
  amnesia_transport_wake_channel (user_data, link->channel);
}

static void
mesh_drop (AmnesiaLink *link,
           gpointer     user_data)
{
  AmnesiaTransport *self = user_data;

  if (link->channel == NULL)
    return;
  if (!self->discarding)
    amnesia_channel_reset (link->channel);
  forget_channel (self, link->channel);
}

static void
mesh_arm (gint64   mono,
          gpointer user_data)
{
  AmnesiaTransport *self = user_data;

  amnesia_transport_set_deadline (self, AMNESIA_DEADLINE_TICK, mono);
}

static void
mesh_seek (gpointer user_data)
{
  ((AmnesiaTransport *) user_data)->seek_again = TRUE;
}

static void
mesh_merged (gpointer user_data)
{
  AmnesiaTransport *self = user_data;

  if (self->present != NULL)
    self->funcs->merged (self->present);
}

static void
mesh_log (const char *message,
          gpointer    user_data)
{
  AmnesiaTransport *self = user_data;
  g_autoptr (GObject) owner = g_weak_ref_get (&self->owner);

  if (owner != NULL)
    self->funcs->log (owner, message);
}

static const AmnesiaMeshFuncs mesh_funcs = {
  .dial = mesh_dial,
  .shorten = mesh_shorten,
  .wake = mesh_wake,
  .hang_up = mesh_hang_up,
  .drop = mesh_drop,
  .arm = mesh_arm,
  .seek = mesh_seek,
  .merged = mesh_merged,
  .log = mesh_log,
};

/* --- life --- */

/* Of random numbers of its own: those that GLib has for the whole process go on alike in all who
 * were forked from it, and two stores with one id would each take the other for itself. */
static AmnesiaMesh *
new_mesh (AmnesiaTransport *self)
{
  GRand *rand = g_rand_new ();
  guint64 id = 0;
  AmnesiaMesh *mesh;

  while (id == 0)
    id = ((guint64) g_rand_int (rand) << 32) | g_rand_int (rand);
  mesh = amnesia_mesh_new (id, &mesh_funcs, self, g_rand_int (rand));
  g_rand_free (rand);
  return mesh;
}

AmnesiaTransport *
amnesia_transport_new (GMainContext                *context,
                       const AmnesiaTransportFuncs *funcs,
                       GObject                     *owner)
{
  AmnesiaTransport *self = g_atomic_rc_box_new0 (AmnesiaTransport);

  self->context = g_main_context_ref (context);
  self->funcs = funcs;
  self->forks = amnesia_fork_get_count ();
  g_weak_ref_init (&self->owner, owner);
  self->mesh = new_mesh (self);
  self->names = amnesia_names_new (context, name_cb, self);
  self->listener = amnesia_listener_new (context, amnesia_transport_accepted, self);
  self->channels = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_channel_free);
  self->caller = amnesia_caller_new (context, self->names, self->listener, &self->way,
                                     amnesia_transport_called, self);
  self->inspector = amnesia_inspector_new ();
  amnesia_door_init (&self->door);
  amnesia_handshakes_init (&self->handshakes);
  self->watch = amnesia_watch_new (context, &watch_funcs, self);
  self->woken = g_ptr_array_new ();
  self->unread = g_ptr_array_new ();
  return self;
}

static void
transport_clear (gpointer data)
{
  AmnesiaTransport *self = data;

  g_ptr_array_unref (self->woken);
  g_ptr_array_unref (self->unread);
  amnesia_door_clear (&self->door);
  amnesia_caller_free (self->caller);
  g_ptr_array_unref (self->channels);
  amnesia_handshakes_clear (&self->handshakes);
  amnesia_watch_free (self->watch);
  amnesia_inspector_free (self->inspector);
  amnesia_listener_free (self->listener);
  amnesia_local_way_clear (&self->way);
  amnesia_names_free (self->names);
  amnesia_mesh_free (self->mesh);
  g_clear_error (&self->error);
  g_weak_ref_clear (&self->owner);
  g_main_context_unref (self->context);
}

static void
transport_unref (AmnesiaTransport *self)
{
  g_atomic_rc_box_release_full (self, transport_clear);
}

/* Closes the descriptors of this process, without a word to the other side. */
static void
discard (AmnesiaTransport *self)
{
  guint i;

  amnesia_door_close (&self->door);
  amnesia_caller_hang_up (self->caller);
  amnesia_listener_close (self->listener);
  amnesia_names_retain (self->names, NULL);
  if (amnesia_transport_is_forked (self))
    {
      amnesia_watch_disown (self->watch);
      /* nothing is told here: it would be asked for again and again */
      self->unsettled = FALSE;
    }
  self->discarding = TRUE;
  amnesia_mesh_close (self->mesh);
  self->discarding = FALSE;
  for (i = 0; i < AMNESIA_N_DEADLINES; i++)
    amnesia_transport_set_deadline (self, i, 0);
  amnesia_transport_end_watch (self);
  g_clear_pointer (&self->renewal, amnesia_renewal_free);
  g_clear_pointer (&self->settings, amnesia_settings_free);
  g_clear_pointer (&self->listening, g_free);
  g_clear_pointer (&self->own_host, g_free);
  self->seeking = FALSE;
}

static gboolean
free_cb (gpointer user_data)
{
  AmnesiaTransport *self = user_data;

  discard (self);
  g_source_destroy (amnesia_watch_get_source (self->watch));
  if (self->network != NULL)
    {
      g_source_destroy (self->network);
      g_clear_pointer (&self->network, g_source_unref);
    }
  transport_unref (self);
  return G_SOURCE_REMOVE;
}

/* The owner is going. Whichever thread this is, the sockets go in their own context. */
void
amnesia_transport_free (AmnesiaTransport *self)
{
  g_weak_ref_set (&self->owner, NULL);
  amnesia_context_invoke (self->context, free_cb, self, NULL);
}

AmnesiaMesh *
amnesia_transport_get_mesh (AmnesiaTransport *self)
{
  return self->mesh;
}

const char *
amnesia_transport_get_listening (AmnesiaTransport *self)
{
  return self->listening;
}

/* Why it could not be opened; it is to be closed then. */
const GError *
amnesia_transport_get_error (AmnesiaTransport *self)
{
  return self->error;
}

/* Opens, or goes on with other settings. Takes @settings. */
void
amnesia_transport_open (AmnesiaTransport *self,
                        AmnesiaSettings  *settings)
{
  gpointer owner = amnesia_transport_begin (self);
  guint i;

  if (owner == NULL)
    {
      amnesia_settings_free (settings);
      return;
    }
  amnesia_transport_set_tls (self, settings->tls);
  g_clear_pointer (&self->settings, amnesia_settings_free);
  self->settings = settings;
  g_clear_error (&self->error);
  amnesia_names_retain (self->names, settings);
  for (i = 0; i < settings->entries->len; i++)
    amnesia_names_lookup (self->names, g_array_index (settings->entries, AmnesiaAddress, i).host);
  self->abroad = !amnesia_names_are_loopback (self->names);
  if (self->abroad && self->network == NULL)
    self->network = amnesia_transport_network_source_new (self, network_due);
  amnesia_mesh_open (self->mesh, settings, self->now);
  amnesia_caller_retain (self->caller, amnesia_mesh_get_members (self->mesh)->list);
  amnesia_transport_set_local_way (self);
  if (amnesia_transport_is_listed (self) && amnesia_listener_is_open (self->listener))
    {
      amnesia_transport_listen_nearby (self);
      amnesia_transport_end_search (self, self->own_host, self->own_port, FALSE);
    }
  else
    amnesia_transport_begin_search (self);
  amnesia_transport_finish (self, owner);
}

/* Flushes and closes every link, and lets nobody in any more. */
void
amnesia_transport_leave (AmnesiaTransport *self)
{
  self->now = get_now ();
  self->seeking = FALSE;
  amnesia_transport_set_deadline (self, AMNESIA_DEADLINE_GRACE, 0);
  amnesia_door_close (&self->door);
  amnesia_caller_hang_up (self->caller);
  amnesia_listener_close (self->listener);
  g_clear_pointer (&self->listening, g_free);
  amnesia_mesh_leave (self->mesh);
  flush (self);
}

/* Closes what is left. */
void
amnesia_transport_close (AmnesiaTransport *self)
{
  discard (self);
}

/* The first write of a loop turn is sent at once; what is written after it costs nothing before the
 * next one. */
static void
send_first (AmnesiaTransport *self,
            gint64            wall)
{
  if (self->sent_this_turn || self->channels->len == 0)
    return;
  self->sent_this_turn = TRUE;
  self->now = (AmnesiaTime) { g_get_monotonic_time (), wall };
  flush (self);
}

/* An entry of ours was written. */
void
amnesia_transport_written (AmnesiaTransport *self,
                           AmnesiaEntry     *entry,
                           gint64            wall)
{
  amnesia_mesh_written (self->mesh, entry);
  send_first (self, wall);
}

/* All entries of one write of ours, which are in force: they leave as one frame. */
void
amnesia_transport_written_all (AmnesiaTransport *self,
                               GPtrArray        *entries,
                               gint64            wall)
{
  guint i;

  for (i = 0; i < entries->len; i++)
    amnesia_mesh_written (self->mesh, g_ptr_array_index (entries, i));
  if (entries->len > 0)
    send_first (self, wall);
}
