/* SPDX-License-Identifier: MIT */

#include "amnesia-store-private.h"

#include "amnesia-roster-private.h"

#define MAX_MESSAGES 100
#define MAX_ANSWERS 100

/* Telling the application what happened: what can run its code, comes last in each dispatch. */

/* @written: FALSE if only the default is another. */
static void
note (AmnesiaStore *self,
      gboolean      remote,
      gboolean      written)
{
  gboolean remembered = amnesia_history_get_length (self->history) > 0;
  GVariant *last = self->transitions.value;
  g_autoptr (GVariant) old = remembered && last != NULL ? g_variant_ref (last) : NULL;
  GVariant *new = amnesia_replica_get_value (self->replica);

  if (!amnesia_transitions_note (&self->transitions, new, remote))
    return;
  self->data_moved = TRUE;
  if (remembered)
    amnesia_store_record (self, old, new, written);
}

/* The replica may hold another value now: remembers what is to be told. */
void
amnesia_store_note_transition (AmnesiaStore *self,
                               gboolean      remote)
{
  self->updated_moved = TRUE;
  note (self, remote, TRUE);
}

/* The default is another: no write, but the value may look different. */
void
amnesia_store_note_default (AmnesiaStore *self)
{
  note (self, FALSE, FALSE);
}

static void
emit_notifications (AmnesiaStore *self)
{
  gboolean data = self->data_moved;
  gboolean updated = self->updated_moved;

  self->data_moved = FALSE;
  self->updated_moved = FALSE;
  if (data)
    amnesia_store_notify (self, AMNESIA_STORE_PROP_DATA);
  if (updated)
    amnesia_store_notify (self, AMNESIA_STORE_PROP_UPDATED);
}

static void
queue_message (AmnesiaStore *self,
               const char   *message)
{
  if (g_queue_get_length (&self->messages) < MAX_MESSAGES)
    g_queue_push_tail (&self->messages, g_strdup (message));
}

/* A handler sets in answer to what another member wrote. If there a handler answers in turn, the two
 * go on for ever, as fast as the network is: nothing piles up, but somebody should know. */
void
amnesia_store_count_answer (AmnesiaStore *self)
{
  gint64 now;

  if (!self->answering || self->answers_told)
    return;
  now = g_get_monotonic_time ();
  if (now - self->answers_since > G_TIME_SPAN_SECOND)
    {
      self->answers_since = now;
      self->n_answers = 0;
    }
  if (++self->n_answers < MAX_ANSWERS)
    return;
  self->answers_told = TRUE;
  queue_message (self, "a handler of “changed” has answered a hundred values of others within a "
                       "second: do handlers here and there answer each other?");
}

static void
emit_losses (AmnesiaStore *self)
{
  g_autoptr (GPtrArray) losses = amnesia_replica_steal_losses (self->replica);
  guint i;

  for (i = 0; losses != NULL && i < losses->len; i++)
    {
      const AmnesiaLoss *loss = g_ptr_array_index (losses, i);

      amnesia_store_emit_superseded (self, amnesia_entry_is_base (loss->lost) ? NULL : loss->lost->key,
                                     loss->lost->value, loss->winner->value);
    }
}

/* One emission at a time: what a handler sets is stored and sent at once, but its own `changed`
 * waits here until the present one has ended, so that every handler sees all in order. The history
 * comes first: whoever is told of a change finds it there. */
void
amnesia_store_drain (AmnesiaStore *self)
{
  if (self->emitting)
    return;
  self->emitting = TRUE;
  while (amnesia_transitions_any (&self->transitions) || self->data_moved || self->updated_moved)
    {
      AmnesiaTransition *transition;

      amnesia_history_publish (self->history);
      transition = amnesia_transitions_pop (&self->transitions);
      if (transition == NULL)
        {
          emit_notifications (self);
          emit_losses (self);
          continue;
        }
      self->answering = transition->remote;
      amnesia_store_emit_changed (self, transition);
      amnesia_store_emit_key_changes (self, transition);
      amnesia_transitions_done (&self->transitions, transition);
    }
  self->answering = FALSE;
  self->emitting = FALSE;
}

void
amnesia_store_say (AmnesiaStore *self,
                   const char   *message)
{
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_DEBUG, "MESSAGE", "%s", message);
  amnesia_store_emit_log (self, message);
}

static void
publish_messages (AmnesiaStore *self)
{
  char *message;

  while ((message = g_queue_pop_head (&self->messages)) != NULL)
    {
      amnesia_store_say (self, message);
      g_free (message);
    }
}

static void
publish_listening (AmnesiaStore *self)
{
  const char *listening = amnesia_transport_get_listening (self->transport);

  if (g_strcmp0 (self->listening, listening) == 0)
    return;
  g_free (self->listening);
  self->listening = g_strdup (listening);
  amnesia_store_notify (self, AMNESIA_STORE_PROP_LISTENING);
}

AmnesiaState
amnesia_store_get_mesh_state (AmnesiaStore *self)
{
  static const AmnesiaState states[] = {
    [AMNESIA_MESH_CLOSED] = AMNESIA_STATE_CLOSED,
    [AMNESIA_MESH_SYNCING] = AMNESIA_STATE_SYNCING,
    [AMNESIA_MESH_SYNCED] = AMNESIA_STATE_SYNCED,
    [AMNESIA_MESH_ALONE] = AMNESIA_STATE_ALONE,
  };

  return states[amnesia_mesh_get_state (self->mesh)];
}

static void
publish_state (AmnesiaStore *self)
{
  AmnesiaState state = amnesia_store_get_mesh_state (self);

  if (self->state != state)
    {
      self->state = state;
      amnesia_store_notify (self, AMNESIA_STORE_PROP_STATE);
    }
  if ((state == AMNESIA_STATE_SYNCED || state == AMNESIA_STATE_ALONE) && self->opening == NULL)
    amnesia_waiters_finish (&self->openers, NULL);
}

void
amnesia_store_set_error (AmnesiaStore *self,
                         const GError *error)
{
  if (self->error == NULL && error == NULL)
    return;
  g_clear_error (&self->error);
  self->error = error != NULL ? g_error_copy (error) : NULL;
  amnesia_store_notify (self, AMNESIA_STORE_PROP_ERROR);
}

/* There is nothing to be opened, for want of descriptors, or because the configuration names what
 * is not here. */
static void
publish_failure (AmnesiaStore *self)
{
  const GError *failure = amnesia_transport_get_error (self->transport);
  g_autoptr (GError) error = NULL;

  if (failure == NULL || amnesia_store_get_mesh_state (self) == AMNESIA_STATE_CLOSED)
    return;
  error = g_error_copy (failure);
  amnesia_transport_close (self->transport);
  publish_state (self);
  amnesia_store_set_error (self, error);
  amnesia_store_say (self, error->message);
  amnesia_waiters_finish (&self->openers, error);
}

/* Tells what is new, one thing after the other; each may run code of the application, which may
 * change the rest. Only when all transitions are emitted, so that who is told “synced” has seen
 * the value. */
void
amnesia_store_publish (AmnesiaStore *self)
{
  self->unpublished = amnesia_transitions_any (&self->transitions);
  if (self->unpublished)
    return;
  publish_messages (self);
  publish_failure (self);
  publish_listening (self);
  amnesia_roster_update (self->peers, self->mesh, &self->roster);
  publish_state (self);
  amnesia_store_proceed_with_close (self);
}

/* The value is made anew once for all that came in a dispatch, not for each frame: who sends many
 * keys one by one would have us make it as many times. */
static void
transport_merged (gpointer owner)
{
  ((AmnesiaStore *) owner)->merged = TRUE;
}

static void
transport_log (gpointer    owner,
               const char *message)
{
  queue_message (owner, message);
}

static void
transport_settle (gpointer owner)
{
  AmnesiaStore *self = owner;

  if (self->merged)
    {
      self->merged = FALSE;
      amnesia_store_note_transition (self, TRUE);
    }
  amnesia_store_drain (owner);
  amnesia_store_publish (owner);
}

const AmnesiaTransportFuncs amnesia_store_transport_funcs = {
  .merged = transport_merged,
  .log = transport_log,
  .settle = transport_settle,
};
