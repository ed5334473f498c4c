/* SPDX-License-Identifier: MIT */

#include "tool-session.h"

#include "tool-progress.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <math.h>
#include <signal.h>

/* Whether anybody is left who can confirm is looked at so often, in milliseconds, */
#define LOOK_INTERVAL 250
/* and it has to be so for that many looks. */
#define PATIENCE 20
/* Of so many entries it is told why they are not there. */
#define MAX_REASONS 5
/* How long the others may take to hear that we leave, when a signal says so; in milliseconds. */
#define GOODBYE 1000

/* --- signals --- */

static gboolean
end_by (ToolSession *self,
        int          signal)
{
  self->signal = signal;
  g_cancellable_cancel (self->cancellable);

  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer user_data)
{
  return end_by (user_data, SIGINT);
}

static gboolean
on_terminate (gpointer user_data)
{
  return end_by (user_data, SIGTERM);
}

static gboolean
on_hang_up (gpointer user_data)
{
  return end_by (user_data, SIGHUP);
}

/* @guest: whether it leaves the entries of the configuration to others, if the command line does not
 * say anything else. */
void
tool_session_init (ToolSession *self,
                   gboolean     guest)
{
  *self = (ToolSession) {
    .timeout = INFINITY,
    .guest = guest,
    .cancellable = g_cancellable_new (),
  };
}

/* Who waits for room in a pipe has to go on as well. */
static guint
catch_signal (int          number,
              GSourceFunc  func,
              ToolSession *self)
{
  guint source = g_unix_signal_add (number, func, self);
  struct sigaction action;

  sigaction (number, NULL, &action);
  action.sa_flags &= ~SA_RESTART;
  sigaction (number, &action, NULL);

  return source;
}

/* From here on there is something to be left in order. Until then a signal just ends it. */
static void
catch_signals (ToolSession *self)
{
  self->sources[0] = catch_signal (SIGINT, on_interrupt, self);
  self->sources[1] = catch_signal (SIGTERM, on_terminate, self);
  self->sources[2] = catch_signal (SIGHUP, on_hang_up, self);
}

void
tool_session_clear (ToolSession *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->sources); i++)
    g_clear_handle_id (&self->sources[i], g_source_remove);
  g_clear_object (&self->store);
  g_clear_object (&self->conf);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->conf_name, g_free);
}

/* --- progress --- */

/* Of those who take or give a large value the one that has most to do. */
static double
get_least (ToolSession *self,
           double     (*get) (AmnesiaPeer *peer))
{
  GListModel *peers = amnesia_store_get_peers (self->store);
  double least = 1;

  for (guint i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      least = MIN (least, get (peer));
    }

  return least;
}

static double
get_received (gpointer user_data)
{
  return get_least (user_data, amnesia_peer_get_receiving);
}

static double
get_sent (gpointer user_data)
{
  return get_least (user_data, amnesia_peer_get_sending);
}

/* --- joining and leaving --- */

static gboolean
on_deadline (gpointer user_data)
{
  ToolSession *self = user_data;

  self->timed_out = TRUE;
  g_cancellable_cancel (self->cancellable);

  return G_SOURCE_CONTINUE;
}

/* What --timeout allows begins now, for joining or for leaving. */
void
tool_session_renew_deadline (ToolSession *self)
{
  if (self->timeout > 0)
    self->deadline = g_get_monotonic_time () + (gint64) (self->timeout * G_TIME_SPAN_SECOND);
}

/* In milliseconds, rounded up; for ever, if the command line does not say anything. */
guint
tool_session_get_time_left (ToolSession *self)
{
  gint64 left = MAX (self->deadline - g_get_monotonic_time (), 0);

  return self->deadline == 0 ? G_MAXINT : (guint) MIN ((left + 999) / 1000, G_MAXINT);
}

static gboolean
open_store (ToolSession  *self,
            GError      **error)
{
  g_autoptr (ToolProgress) progress = tool_progress_new (_("Joining"), get_received, self);
  guint source = 0;
  gboolean open;

  if (self->deadline != 0)
    source = g_timeout_add (tool_session_get_time_left (self), on_deadline, self);
  open = amnesia_store_open_sync (self->store, self->cancellable, error);
  g_clear_handle_id (&source, g_source_remove);

  return open;
}

/* Not all who are away are not running. */
static void
say_reasons (ToolSession *self)
{
  GListModel *peers = amnesia_store_get_peers (self->store);
  guint n_peers = g_list_model_get_n_items (peers);
  guint n_told = 0;

  for (guint i = 0; i < n_peers && n_told < MAX_REASONS; i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);
      const GError *reason = amnesia_peer_get_last_error (peer);

      if (reason == NULL)
        continue;
      tool_say_error ("%s: %s", amnesia_peer_get_name (peer), reason->message);
      n_told++;
    }
  if (n_told == MAX_REASONS && n_told < n_peers)
    tool_say_error (_("“amnesia peers” tells of the others"));
}

static ToolExit
say_nobody (ToolSession *self)
{
  if (self->timed_out)
    tool_say_error (_("Nobody listed in %s has answered within %g s"), self->conf_name, self->timeout);
  else if (self->guest)
    tool_say_error (_("Nobody listed in %s is there. Start a program that shares by it, or take part in its "
                      "place with “amnesia shell”."), self->conf_name);
  else
    tool_say_error (_("Nobody else listed in %s is there"), self->conf_name);
  say_reasons (self);

  return TOOL_NOBODY;
}

/* Reads the configuration. From now on signals and the time are looked at. */
ToolExit
tool_session_begin (ToolSession *self)
{
  ToolExit result = tool_session_read_conf (self);

  if (result != TOOL_DONE)
    return result;
  tool_session_renew_deadline (self);
  catch_signals (self);

  return TOOL_DONE;
}

/* Reads the configuration and waits until the newest value is here. With --member it is no failure
 * to be alone; the state of the store tells. */
ToolExit
tool_session_join (ToolSession *self)
{
  g_autoptr (GError) error = NULL;
  ToolExit result = tool_session_begin (self);

  if (result != TOOL_DONE)
    return result;
  self->store = g_object_new (AMNESIA_TYPE_STORE, "guest", self->guest, "conf", self->conf, NULL);
  if (!open_store (self, &error))
    {
      if (self->signal != 0)
        return tool_session_leave (self, TOOL_DONE);
      if (self->timed_out)
        return tool_session_leave (self, say_nobody (self));
      tool_say_error ("%s", error->message);
      return TOOL_FAILED;
    }
  if (self->guest && amnesia_store_get_state (self->store) == AMNESIA_STATE_ALONE)
    return tool_session_leave (self, say_nobody (self));

  return TOOL_DONE;
}

/* As tool_session_join(), but to be alone is a failure for a member as well. */
ToolExit
tool_session_join_others (ToolSession *self)
{
  ToolExit result = tool_session_join (self);

  if (result == TOOL_DONE && amnesia_store_get_state (self->store) == AMNESIA_STATE_ALONE)
    return tool_session_leave (self, say_nobody (self));

  return result;
}

/* Follows the others until tool_session_stop(), or a signal. */
void
tool_session_run (ToolSession *self)
{
  while (!tool_session_is_stopped (self))
    g_main_context_iteration (NULL, TRUE);
  tool_session_renew_deadline (self);
}

void
tool_session_stop (ToolSession *self)
{
  self->stopped = TRUE;
}

gboolean
tool_session_is_stopped (ToolSession *self)
{
  return self->stopped || self->signal != 0;
}

/* --- confirming --- */

static void
count_peers (ToolSession *self,
             guint       *n_connected,
             guint       *n_in_sync)
{
  GListModel *peers = amnesia_store_get_peers (self->store);

  for (guint i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      *n_connected += amnesia_peer_get_state (peer) == AMNESIA_PEER_STATE_CONNECTED;
      *n_in_sync += amnesia_peer_get_in_sync (peer);
    }
}

/* The store waits for who was lost before it had confirmed, as long as it is let. Here that is too
 * much if nobody comes back; and if others have it all, it is not lost. */
static gboolean
look_who_confirms (gpointer user_data)
{
  ToolSession *self = user_data;
  guint n_connected = 0, n_in_sync = 0;

  count_peers (self, &n_connected, &n_in_sync);
  self->n_lonely = n_connected == 0 ? self->n_lonely + 1 : 0;
  self->n_in_sync = n_connected > 0 && n_in_sync == n_connected ? self->n_in_sync + 1 : 0;
  if (self->n_lonely == PATIENCE || self->n_in_sync == PATIENCE)
    g_cancellable_cancel (self->cancellable);

  return G_SOURCE_CONTINUE;
}

static ToolExit
say_unconfirmed (ToolSession  *self,
                 const GError *error)
{
  if (self->n_in_sync == PATIENCE)
    return TOOL_DONE;
  if (self->n_lonely == PATIENCE)
    tool_say_error (_("The connection was lost before anybody had confirmed"));
  else
    tool_say_error ("%s", error->message);

  return TOOL_UNCONFIRMED;
}

static gboolean
close_store (ToolSession  *self,
             GError      **error)
{
  g_autoptr (ToolProgress) progress = tool_progress_new (_("Confirming"), get_sent, self);
  gboolean hurry = g_cancellable_is_cancelled (self->cancellable);
  gboolean joined = amnesia_store_get_state (self->store) == AMNESIA_STATE_SYNCED;
  guint source = hurry ? 0 : g_timeout_add (LOOK_INTERVAL, look_who_confirms, self);
  gboolean closed;

  if (hurry)
    amnesia_store_set_close_timeout (self->store, joined ? GOODBYE : 0);
  else
    amnesia_store_set_close_timeout (self->store, tool_session_get_time_left (self));
  closed = amnesia_store_close_sync (self->store, hurry ? NULL : self->cancellable, error);
  g_clear_handle_id (&source, g_source_remove);

  return closed;
}

/* Returns the exit code of the command, which is @so_far if no signal has ended it. */
ToolExit
tool_session_get_result (ToolSession *self,
                         ToolExit     so_far)
{
  while (so_far == TOOL_SIGNAL && self->signal == 0)
    g_main_context_iteration (NULL, TRUE);

  return self->signal != 0 ? (ToolExit) (TOOL_SIGNAL + self->signal) : so_far;
}

/* Leaves when what was written is confirmed. Returns the exit code of the command, which is @so_far
 * if all goes well. */
ToolExit
tool_session_leave (ToolSession *self,
                    ToolExit     so_far)
{
  g_autoptr (GError) error = NULL;

  if (!close_store (self, &error) && self->signal == 0 && so_far == TOOL_DONE)
    so_far = say_unconfirmed (self, error);

  return tool_session_get_result (self, so_far);
}
