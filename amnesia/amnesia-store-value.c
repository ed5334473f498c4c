/* SPDX-License-Identifier: MIT */

/* The value of a store as a whole. */

#include "amnesia-store-private.h"

#include "amnesia-conf-private.h"
#include "amnesia-roster-private.h"
#include "replica/amnesia-value-private.h"

#define DEFAULT_MAX_SIZE (16 * 1024 * 1024)

/**
 * amnesia_store_get_data: (get-property data)
 * @self: a store
 *
 * Gets the shared value.
 *
 * Returns: (transfer full) (nullable): the value, or `NULL` while it is unset
 *
 * Since: 0.1
 */
GVariant *
amnesia_store_get_data (AmnesiaStore *self)
{
  g_auto (AmnesiaTurn) turn = NULL;
  GVariant *value;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), NULL);

  value = amnesia_replica_get_value (self->replica);
  return value != NULL ? g_variant_ref (value) : NULL;
}

/* The time at which a write was made, by the clock of its writer. */
GDateTime *
amnesia_store_read_stamp (AmnesiaStamp stamp)
{
  gint64 wall = amnesia_stamp_get_wall (stamp);
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (wall / 1000);

  return g_date_time_add (seconds, wall % 1000 * G_TIME_SPAN_MILLISECOND);
}

/* How large an entry may be. */
guint64
amnesia_store_get_max_size (AmnesiaStore *self)
{
  return self->conf != NULL ? amnesia_conf_get_max_size (self->conf) : DEFAULT_MAX_SIZE;
}

/* Something was written, and is on its way. May run the application's code. */
void
amnesia_store_finish_write (AmnesiaStore *self)
{
  amnesia_store_count_answer (self);
  amnesia_store_note_transition (self, FALSE);
  amnesia_store_drain (self);
  /* a handler may have run a main loop */
  if (self->unpublished)
    amnesia_store_publish (self);
  else if (!self->emitting)
    amnesia_roster_update (self->peers, self->mesh, &self->roster);
}

static gboolean
write_value (AmnesiaStore  *self,
             GVariant      *value,
             GError       **error)
{
  gint64 wall = amnesia_transport_get_wall ();

  if (!amnesia_store_check_not_forked (self, error))
    return FALSE;
  if (value != NULL && !amnesia_value_check (value, amnesia_store_get_max_size (self), error))
    return FALSE;

  amnesia_transport_written (self->transport,
                             amnesia_replica_write (self->replica, wall / 1000, "", value), wall);
  amnesia_store_finish_write (self);
  return TRUE;
}

/**
 * amnesia_store_set_data: (set-property data)
 * @self: a store
 * @value: (nullable): the new value, or `NULL` to unset it; a floating one is consumed
 *
 * Sets the shared value, for all who share it.
 *
 * A value that cannot be shared changes nothing: [signal@Amnesia.Store::log] tells why, and
 * [property@Amnesia.Store:data] notifies. Use [method@Amnesia.Store.write] to get an error.
 *
 * Since: 0.1
 */
void
amnesia_store_set_data (AmnesiaStore *self,
                        GVariant     *value)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (AmnesiaStore) alive = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  alive = g_object_ref (self);
  if (write_value (self, owned, &error))
    return;
  amnesia_store_say (self, error->message);
  amnesia_store_notify (self, AMNESIA_STORE_PROP_DATA);
}

/**
 * amnesia_store_write:
 * @self: a store
 * @value: (nullable): the new value, or `NULL` to unset it; a floating one is consumed
 * @error: return location for an error
 *
 * Sets the shared value, for all who share it, or says why it cannot be shared.
 *
 * Any type of value will do except those that hold a handle (`h`). The value is not copied: memory
 * that it was made of, as with [ctor@GLib.Variant.new_from_bytes], must not be changed any more. It
 * is seen here at once, whether or not the store is open, and [signal@Amnesia.Store::changed] has
 * been emitted when this returns, unless this is called by one of its handlers.
 *
 * Errors: `AMNESIA_ERROR_INVALID_VALUE` for a handle, more than 64 containers in one another, or a
 * dictionary with a key twice; `AMNESIA_ERROR_TOO_BIG` for more than
 * [property@Amnesia.Conf:max-size]; `AMNESIA_ERROR_FORKED`.
 *
 * Returns: whether the value was set
 *
 * Since: 0.1
 */
gboolean
amnesia_store_write (AmnesiaStore  *self,
                     GVariant      *value,
                     GError       **error)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (AmnesiaStore) alive = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), FALSE);

  alive = g_object_ref (self);
  return write_value (self, owned, error);
}

/**
 * amnesia_store_get_default_data: (get-property default-data)
 * @self: a store
 *
 * Gets what stands in for the shared value while that is unset.
 *
 * Returns: (transfer full) (nullable): the default
 *
 * Since: 0.1
 */
GVariant *
amnesia_store_get_default_data (AmnesiaStore *self)
{
  g_auto (AmnesiaTurn) turn = NULL;
  GVariant *value;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), NULL);

  value = amnesia_replica_get_default (self->replica);
  return value != NULL ? g_variant_ref (value) : NULL;
}

/**
 * amnesia_store_set_default_data: (set-property default-data)
 * @self: a store
 * @value: (nullable): the default; a floating one is consumed
 *
 * Sets what stands in for the shared value while that is unset. It is never sent, so it beats nobody's
 * value. Where it changes what [property@Amnesia.Store:data] is,
 * [signal@Amnesia.Store::changed] is emitted as for a value that is set here.
 *
 * A value that could not be shared, such as one with a handle, changes nothing either, as in
 * [method@Amnesia.Store.set_data]; but it may be larger than [property@Amnesia.Conf:max-size].
 *
 * To have a first value that all share, use [method@Amnesia.Store.set_if_unset_async].
 *
 * Since: 0.1
 */
void
amnesia_store_set_default_data (AmnesiaStore *self,
                                GVariant     *value)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (AmnesiaStore) alive = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  alive = g_object_ref (self);
  if (owned != NULL && !amnesia_value_check (owned, G_MAXUINT64, &error))
    {
      amnesia_store_say (self, error->message);
      amnesia_store_notify (self, AMNESIA_STORE_PROP_DEFAULT_DATA);
      return;
    }
  if (amnesia_value_equal (amnesia_replica_get_default (self->replica), owned))
    return;
  amnesia_replica_set_default (self->replica, owned);
  amnesia_store_note_default (self);
  amnesia_store_notify (self, AMNESIA_STORE_PROP_DEFAULT_DATA);
  amnesia_store_drain (self);
  if (self->unpublished)
    amnesia_store_publish (self);
}

/**
 * amnesia_store_get_updated: (get-property updated)
 * @self: a store
 *
 * Gets when the present value was written, by the clock of its writer.
 *
 * Returns: (transfer full) (nullable): the time in UTC, or `NULL` if nothing was ever written
 *
 * Since: 0.1
 */
GDateTime *
amnesia_store_get_updated (AmnesiaStore *self)
{
  g_auto (AmnesiaTurn) turn = NULL;
  AmnesiaEntry *newest;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), NULL);

  newest = amnesia_replica_get_newest (self->replica);
  return newest != NULL ? amnesia_store_read_stamp (newest->stamp) : NULL;
}
