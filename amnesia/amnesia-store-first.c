/* SPDX-License-Identifier: MIT */

/* First values: what a store has if nobody has written anything. */

#include "amnesia-store-private.h"

#include "replica/amnesia-value-private.h"

typedef struct
{
  char     *key;   /* (owned) "" for the whole value */
  GVariant *value; /* (owned) */
} First;

static void
first_free (gpointer data)
{
  First *first = data;

  g_free (first->key);
  g_variant_unref (first->value);
  g_free (first);
}

static gboolean
check_first (AmnesiaStore  *self,
             const First   *first,
             GError       **error)
{
  if (first->key[0] != '\0')
    return amnesia_store_check_key_write (self, first->key, first->value, error);
  return amnesia_store_check_not_forked (self, error) &&
         amnesia_value_check (first->value, amnesia_store_get_max_size (self), error);
}

/* Returns whether the value is in force. May run the application's code. */
static gboolean
write_first (AmnesiaStore *self,
             const First  *first)
{
  gint64 wall = amnesia_transport_get_wall ();
  AmnesiaEntry *written = amnesia_replica_write_first (self->replica, wall / 1000, first->key,
                                                       first->value);
  g_autoptr (AmnesiaEntry) entry = written != NULL ? amnesia_entry_ref (written) : NULL;

  if (entry == NULL)
    return FALSE;
  amnesia_transport_written (self->transport, entry, wall);
  amnesia_store_finish_write (self);
  return amnesia_replica_lookup (self->replica, first->key) == entry;
}

static void
opened_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  AmnesiaStore *self = AMNESIA_STORE (source);
  g_autoptr (GTask) task = user_data;
  const First *first = g_task_get_task_data (task);
  GError *error = NULL;

  /* it may have become a value without keys, for one */
  if (!amnesia_store_open_finish (self, result, &error) || !check_first (self, first, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  /* who cancels from now on, in a handler, is too late */
  g_task_set_check_cancellable (task, FALSE);
  g_task_return_boolean (task, write_first (self, first));
}

/* Takes @task. */
static void
begin_first (AmnesiaStore *self,
             GTask        *task,
             const char   *key,
             GVariant     *value)
{
  First *first = g_new (First, 1);
  GError *error = NULL;

  *first = (First) { g_strdup (key), g_variant_ref (value) };
  g_task_set_task_data (task, first, first_free);
  if (!check_first (self, first, &error))
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  amnesia_store_open_async (self, g_task_get_cancellable (task), opened_cb, task);
}

/**
 * amnesia_store_set_if_unset_async:
 * @self: a store
 * @value: the first value; a floating one is consumed
 * @cancellable: (nullable): ends the waiting, and then nothing is set
 * @callback: (scope async): called when it is set, or another value is there
 * @user_data: for @callback
 *
 * Sets the shared value if nobody has ever written it: waits until the store is synced or alone, opening
 * it if need be as [method@Amnesia.Store.open_async] does, and sets the value if there is none then.
 *
 * Of all first values that are written somewhere at the same time the last one wins; any value that is
 * set otherwise beats them all, also if it was set before, by somebody who could not be reached. That
 * the value was unset on purpose counts as having been written; for a default that is never sent see
 * [property@Amnesia.Store:default-data].
 *
 * Errors: those of [method@Amnesia.Store.open_async] and [method@Amnesia.Store.write].
 *
 * Since: 0.1
 */
void
amnesia_store_set_if_unset_async (AmnesiaStore        *self,
                                  GVariant            *value,
                                  GCancellable        *cancellable,
                                  GAsyncReadyCallback  callback,
                                  gpointer             user_data)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (value != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  begin_first (self, amnesia_store_new_task (self, cancellable, callback, user_data,
                                             amnesia_store_set_if_unset_async), "", owned);
}

/**
 * amnesia_store_set_if_unset_finish:
 * @self: a store
 * @result: what the callback got
 * @error: return location for an error
 *
 * Ends [method@Amnesia.Store.set_if_unset_async].
 *
 * Returns: whether the value is in force here. `FALSE` without an error means that another was there.
 *
 * Since: 0.1
 */
gboolean
amnesia_store_set_if_unset_finish (AmnesiaStore  *self,
                                   GAsyncResult  *result,
                                   GError       **error)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * amnesia_store_set_key_if_unset_async:
 * @self: a store
 * @key: 1 to 255 bytes of UTF-8
 * @value: the first value of the key; a floating one is consumed
 * @cancellable: (nullable): ends the waiting, and then nothing is set
 * @callback: (scope async): called when it is set, or another value is there
 * @user_data: for @callback
 *
 * Sets a part of the shared value if nobody has ever written it, as
 * [method@Amnesia.Store.set_if_unset_async] does with the whole. A key that was removed counts as
 * written, and so do all keys once the value was set as a whole.
 *
 * Errors: those of [method@Amnesia.Store.open_async] and [method@Amnesia.Store.set_key].
 *
 * Since: 0.1
 */
void
amnesia_store_set_key_if_unset_async (AmnesiaStore        *self,
                                      const char          *key,
                                      GVariant            *value,
                                      GCancellable        *cancellable,
                                      GAsyncReadyCallback  callback,
                                      gpointer             user_data)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (key != NULL);
  g_return_if_fail (value != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  task = amnesia_store_new_task (self, cancellable, callback, user_data,
                                 amnesia_store_set_key_if_unset_async);
  if (amnesia_store_check_key (key, &error))
    begin_first (self, g_steal_pointer (&task), key, owned);
  else
    g_task_return_error (task, error);
}

/**
 * amnesia_store_set_key_if_unset_finish:
 * @self: a store
 * @result: what the callback got
 * @error: return location for an error
 *
 * Ends [method@Amnesia.Store.set_key_if_unset_async].
 *
 * Returns: whether the value is in force here. `FALSE` without an error means that another was there.
 *
 * Since: 0.1
 */
gboolean
amnesia_store_set_key_if_unset_finish (AmnesiaStore  *self,
                                       GAsyncResult  *result,
                                       GError       **error)
{
  return amnesia_store_set_if_unset_finish (self, result, error);
}
