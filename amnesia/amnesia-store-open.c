/* SPDX-License-Identifier: MIT */

#include "amnesia-store-private.h"

#include "amnesia-conf-private.h"
#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "mesh/amnesia-limits-private.h"

/* Opening and closing a store: both go on by themselves, whoever waits for them. */

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* What both sides of a connection have to show; NULL: nothing. */
static AmnesiaTls *
make_tls (AmnesiaConf *conf)
{
  GTlsCertificate *certificate = amnesia_conf_get_tls_certificate (conf);
  const AmnesiaTlsFiles *files = amnesia_conf_get_tls_paths (conf);
  const char *const *names = amnesia_conf_get_tls_names (conf);
  const char *host;
  AmnesiaTls *tls;
  guint i;

  if (certificate == NULL)
    return NULL;
  tls = amnesia_tls_new (certificate, amnesia_conf_get_tls_database (conf));
  for (i = 0; amnesia_conf_get_peer (conf, i, &host, NULL); i++)
    amnesia_tls_add_host (tls, host);
  for (i = 0; names[i] != NULL; i++)
    amnesia_tls_add_name (tls, names[i]);
  if (files != NULL)
    amnesia_tls_set_files (tls, files);
  return tls;
}

static AmnesiaSettings *
make_settings (AmnesiaConf *conf,
               gboolean     guest)
{
  AmnesiaSettings *settings = amnesia_settings_new ();
  const char *host;
  guint i, port;

  for (i = 0; amnesia_conf_get_peer (conf, i, &host, &port); i++)
    amnesia_settings_add_entry (settings, host, (guint16) port);
  settings->group = g_strdup (amnesia_conf_get_group (conf));
  settings->max_size = amnesia_conf_get_max_size (conf);
  settings->clock_limit = amnesia_conf_get_clock_limit (conf) * G_TIME_SPAN_SECOND;
  settings->local = amnesia_conf_get_local (conf);
  settings->guest = guest;
  settings->allow = g_ptr_array_ref (amnesia_conf_get_allow (conf));
  if (amnesia_conf_get_listen (conf, &host, &port))
    {
      settings->listen_host = g_strdup (host);
      settings->listen_port = (guint16) port;
    }
  settings->tls = make_tls (conf);
  return settings;
}

typedef struct
{
  GWeakRef store;
  void   (*func) (AmnesiaStore *self);
} Later;

static void
later_free (gpointer data)
{
  Later *later = data;

  g_weak_ref_clear (&later->store);
  g_free (later);
}

static gboolean
later_cb (gpointer user_data)
{
  Later *later = user_data;
  g_autoptr (AmnesiaStore) self = g_weak_ref_get (&later->store);

  if (self != NULL && !amnesia_transport_is_forked (self->transport))
    later->func (self);
  return G_SOURCE_REMOVE;
}

/* Has @source call @func in the store's context, if the store still lives: its last reference may
 * be dropped by another thread at that very moment. Returns the source. */
static GSource *
call_later (AmnesiaStore *self,
            GSource      *source,
            void        (*func) (AmnesiaStore *self))
{
  Later *later = g_new0 (Later, 1);

  g_weak_ref_init (&later->store, self);
  later->func = func;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, later_cb, later, later_free);
  g_source_attach (source, self->context);
  return source;
}

/* The configuration is not what it should be, which could not be told when it was set. */
static void
refuse (AmnesiaStore *self,
        GError       *error)
{
  amnesia_transport_close (self->transport);
  amnesia_store_set_error (self, error);
  amnesia_store_say (self, error->message);
  amnesia_waiters_finish (&self->openers, error);
  amnesia_store_publish (self);
}

static void
open_now (AmnesiaStore *self)
{
  g_autoptr (GError) error = NULL;

  clear_source (&self->opening);
  if (!amnesia_conf_check_tls (self->conf, &error))
    {
      refuse (self, error);
      return;
    }
  amnesia_store_set_error (self, NULL);
  amnesia_transport_open (self->transport, make_settings (self->conf, self->guest));
}

/* No socket and no signal before the context is next iterated. */
void
amnesia_store_schedule_opening (AmnesiaStore *self)
{
  if (self->opening != NULL)
    return;
  self->opening = call_later (self, g_idle_source_new (), open_now);
}

/* --- closing --- */

static void
end_close (AmnesiaStore *self)
{
  g_autoptr (GError) error = g_steal_pointer (&self->close_error);
  g_autoptr (GError) closed = g_error_new_literal (AMNESIA_ERROR, AMNESIA_ERROR_CLOSED,
                                                   _("The store was closed"));

  clear_source (&self->deadline);
  self->closing = CLOSE_NONE;
  amnesia_transport_close (self->transport);
  if (self->reopen && self->conf != NULL)
    amnesia_store_schedule_opening (self);
  self->reopen = FALSE;
  amnesia_store_publish (self);
  if (self->opening == NULL)
    amnesia_waiters_finish (&self->openers, closed);
  amnesia_waiters_finish (&self->closers, error);
}

static void
leave (AmnesiaStore *self,
       guint         linger)
{
  self->closing = CLOSE_LEAVING;
  clear_source (&self->deadline);
  self->deadline = call_later (self, g_timeout_source_new (linger), end_close);
  amnesia_transport_leave (self->transport);
}

/* Who has confirmed all that it takes is not waited for, but may lack something all the same. */
static void
blame_denied (AmnesiaStore *self)
{
  g_autofree char *denied = amnesia_mesh_list_denied (self->mesh);

  if (denied != NULL)
    g_set_error (&self->close_error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC,
                 /* Translators: the names of members follow, each with how much it takes:
                  * “10.0.1.2:7777 (max-size 2000)” */
                 _("Closed, but there is a value that is larger than these take: %s"), denied);
}

static void
lose_patience (AmnesiaStore *self)
{
  g_autofree char *behind = amnesia_mesh_list_behind (self->mesh);

  if (behind != NULL)
    g_set_error (&self->close_error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC,
                 _("Closed before these had confirmed the newest value: %s"), behind);
  else
    blame_denied (self);
  leave (self, 0);
}

void
amnesia_store_proceed_with_close (AmnesiaStore *self)
{
  if (self->closing == CLOSE_WAITING && self->opening == NULL &&
      self->state != AMNESIA_STATE_SYNCING)
    {
      g_autofree char *behind = amnesia_mesh_list_behind (self->mesh);

      if (behind == NULL)
        {
          blame_denied (self);
          leave (self, AMNESIA_LINGER / 1000);
        }
    }
  if (self->closing == CLOSE_LEAVING && amnesia_mesh_is_empty (self->mesh))
    end_close (self);
}

gboolean
amnesia_store_is_open (AmnesiaStore *self)
{
  return self->opening != NULL || amnesia_store_get_mesh_state (self) != AMNESIA_STATE_CLOSED;
}

void
amnesia_store_begin_close (AmnesiaStore *self)
{
  if (self->closing != CLOSE_NONE || !amnesia_store_is_open (self))
    return;
  self->closing = CLOSE_WAITING;
  amnesia_mesh_forgive_lost (self->mesh);
  self->deadline = call_later (self, g_timeout_source_new (self->close_timeout), lose_patience);
  /* all may be in sync already; but not a signal more before the caller is back */
  g_source_unref (call_later (self, g_idle_source_new (), amnesia_store_proceed_with_close));
}

/* There is no configuration any more: what the next iteration of the context would have opened
 * stays closed. */
void
amnesia_store_cancel_opening (AmnesiaStore *self)
{
  g_autoptr (GError) closed = g_error_new_literal (AMNESIA_ERROR, AMNESIA_ERROR_CLOSED,
                                                   _("The store was closed"));

  clear_source (&self->opening);
  if (!amnesia_store_is_open (self))
    amnesia_waiters_finish (&self->openers, closed);
}

void
amnesia_store_init_open (AmnesiaStore *self)
{
  amnesia_waiters_init (&self->openers);
  amnesia_waiters_init (&self->closers);
}

void
amnesia_store_clear_open (AmnesiaStore *self)
{
  clear_source (&self->opening);
  clear_source (&self->deadline);
  amnesia_waiters_clear (&self->openers);
  amnesia_waiters_clear (&self->closers);
  g_clear_error (&self->close_error);
}

/* A task whose callback runs in the store's context, whoever's this is. */
GTask *
amnesia_store_new_task (AmnesiaStore        *self,
                        GCancellable        *cancellable,
                        GAsyncReadyCallback  callback,
                        gpointer             user_data,
                        gpointer             source_tag)
{
  GTask *task;

  g_main_context_push_thread_default (self->context);
  task = g_task_new (self, cancellable, callback, user_data);
  g_main_context_pop_thread_default (self->context);
  g_task_set_source_tag (task, source_tag);
  return task;
}

static gboolean
check_can_open (AmnesiaStore  *self,
                GError       **error)
{
  if (!amnesia_store_check_not_forked (self, error))
    return FALSE;
  if (self->conf == NULL)
    g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_CONFIGURED,
                         _("The store has no configuration: set “conf” first"));
  else if (self->closing != CLOSE_NONE && !self->reopen)
    g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_CLOSED,
                         _("The store is being closed: wait for the end of that"));
  else
    return TRUE;
  return FALSE;
}

/**
 * amnesia_store_open_async:
 * @self: a store
 * @cancellable: (nullable): ends the waiting, not the opening
 * @callback: (scope async): called when the store is synced or alone
 * @user_data: for @callback
 *
 * Opens the store, or joins an opening that is under way, and waits until it is synced or alone.
 *
 * Errors: `AMNESIA_ERROR_NOT_CONFIGURED`, if there is no configuration; `AMNESIA_ERROR_CLOSED`, if
 * it is closed meanwhile; `AMNESIA_ERROR_FORKED`; `AMNESIA_ERROR_FAILED` and those of GIO, if it
 * cannot listen.
 *
 * Since: 0.1
 */
void
amnesia_store_open_async (AmnesiaStore        *self,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  task = amnesia_store_new_task (self, cancellable, callback, user_data, amnesia_store_open_async);

  if (!check_can_open (self, &error))
    g_task_return_error (task, g_steal_pointer (&error));
  else if (self->opening == NULL && self->closing == CLOSE_NONE &&
           (self->state == AMNESIA_STATE_SYNCED || self->state == AMNESIA_STATE_ALONE))
    g_task_return_boolean (task, TRUE);
  else
    {
      amnesia_waiters_add (&self->openers, g_steal_pointer (&task));
      if (!amnesia_store_is_open (self))
        amnesia_store_schedule_opening (self);
    }
}

/**
 * amnesia_store_open_finish:
 * @self: a store
 * @result: what the callback got
 * @error: return location for an error
 *
 * Ends [method@Amnesia.Store.open_async].
 *
 * Returns: whether the store is open, synced or alone
 *
 * Since: 0.1
 */
gboolean
amnesia_store_open_finish (AmnesiaStore  *self,
                           GAsyncResult  *result,
                           GError       **error)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * amnesia_store_close_async:
 * @self: a store
 * @cancellable: (nullable): ends the waiting, not the closing
 * @callback: (scope async): called when the store is closed
 * @user_data: for @callback
 *
 * Closes the store, when all who are connected have confirmed the newest value.
 *
 * An opening that is under way is let to its end first, so that a value that was set a moment ago
 * is not lost; and who is listed and loses its connection meanwhile, before it has confirmed, is
 * waited for as well, unless it has left in order. After [property@Amnesia.Store:close-timeout] it
 * closes all the same, and the error names those who have not confirmed. The value stays; a store
 * that is opened again sends what was set in between.
 *
 * A member of the configuration that goes without a value because it is larger than its
 * [property@Amnesia.Conf:max-size] is not waited for, but it is an error all the same, and is named with its
 * limit. Of a guest it is not: who takes little may be there only to look.
 *
 * Errors: `AMNESIA_ERROR_NOT_IN_SYNC`; `AMNESIA_ERROR_FORKED`.
 *
 * Since: 0.1
 */
void
amnesia_store_close_async (AmnesiaStore        *self,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  task = amnesia_store_new_task (self, cancellable, callback, user_data, amnesia_store_close_async);

  if (!amnesia_store_check_not_forked (self, &error))
    g_task_return_error (task, g_steal_pointer (&error));
  else if (!amnesia_store_is_open (self))
    g_task_return_boolean (task, TRUE);
  else
    {
      self->reopen = FALSE;
      amnesia_waiters_add (&self->closers, g_steal_pointer (&task));
      amnesia_store_begin_close (self);
    }
}

/**
 * amnesia_store_close_finish:
 * @self: a store
 * @result: what the callback got
 * @error: return location for an error
 *
 * Ends [method@Amnesia.Store.close_async]. Unless it was cancelled, or in the child of
 * a fork, the store is closed whatever this returns.
 *
 * Returns: whether all who were connected have the newest value
 *
 * Since: 0.1
 */
gboolean
amnesia_store_close_finish (AmnesiaStore  *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
sync_cb (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  GAsyncResult **slot = user_data;

  *slot = g_object_ref (result);
}

/* Iterating a context inside one of its own dispatches would run the application's sources where
 * it does not expect them. In a handler of a transition it would never end: that a store is synced or
 * closed is told when all transitions have been, and those that come wait for the handler. */
static gboolean
check_can_block (AmnesiaStore  *self,
                 AmnesiaTurn   *turn,
                 GError       **error)
{
  if (!amnesia_store_check_not_forked (self, error))
    return FALSE;
  if (self->emitting)
    {
      g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT,
                           _("A blocking call in a handler of the store: use the asynchronous one"));
      return FALSE;
    }
  if (g_main_depth () == 0 && amnesia_store_enter_own_context (self, turn))
    return TRUE;
  g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT,
                       _("A blocking call where a main loop is running: use the asynchronous one"));
  return FALSE;
}

typedef void (*AsyncFunc) (AmnesiaStore        *self,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data);

/* Iterates the store's own context, never another, until @func has ended. */
static GAsyncResult *
run_sync (AmnesiaStore  *self,
          AsyncFunc      func,
          GCancellable  *cancellable,
          GError       **error)
{
  g_auto (AmnesiaTurn) turn = NULL;
  GAsyncResult *result = NULL;

  if (!check_can_block (self, &turn, error))
    return NULL;
  g_main_context_push_thread_default (self->context);
  func (self, cancellable, sync_cb, &result);
  while (result == NULL)
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
  return result;
}

/**
 * amnesia_store_open_sync:
 * @self: a store
 * @cancellable: (nullable): ends the waiting, not the opening
 * @error: return location for an error
 *
 * Opens the store and blocks until it is synced or alone, for programs that run no main loop.
 *
 * Meanwhile the store's own main context is iterated: other sources on it run. See
 * [method@Amnesia.Store.open_async] for more, and for its errors; in addition
 * `AMNESIA_ERROR_WRONG_CONTEXT`, if a main loop is running in this thread, another thread runs the
 * context, or this is called by a handler of [signal@Amnesia.Store::changed].
 *
 * Returns: whether the store is open, synced or alone
 *
 * Since: 0.1
 */
gboolean
amnesia_store_open_sync (AmnesiaStore  *self,
                         GCancellable  *cancellable,
                         GError       **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  result = run_sync (self, amnesia_store_open_async, cancellable, error);
  return result != NULL && amnesia_store_open_finish (self, result, error);
}

/**
 * amnesia_store_close_sync:
 * @self: a store
 * @cancellable: (nullable): ends the waiting, not the closing
 * @error: return location for an error
 *
 * Closes the store and blocks until that is done, for programs that run no main loop.
 *
 * Meanwhile the store's own main context is iterated: other sources on it run. See
 * [method@Amnesia.Store.close_async] for more, and for its errors; in addition
 * `AMNESIA_ERROR_WRONG_CONTEXT`, if a main loop is running in this thread, another thread runs the
 * context, or this is called by a handler of [signal@Amnesia.Store::changed].
 *
 * Returns: whether all who were connected have the newest value
 *
 * Since: 0.1
 */
gboolean
amnesia_store_close_sync (AmnesiaStore  *self,
                          GCancellable  *cancellable,
                          GError       **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  result = run_sync (self, amnesia_store_close_async, cancellable, error);
  return result != NULL && amnesia_store_close_finish (self, result, error);
}
