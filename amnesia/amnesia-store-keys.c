/* SPDX-License-Identifier: MIT */

/* Parts of a store's value. */

#include "amnesia-store-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "replica/amnesia-value-private.h"

#include <stdlib.h>
#include <string.h>

gboolean
amnesia_store_check_key (const char  *key,
                         GError     **error)
{
  if (amnesia_value_is_key (key))
    return TRUE;
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_KEY,
               ngettext ("A key has 1 to %d byte of UTF-8", "A key has 1 to %d bytes of UTF-8",
                         AMNESIA_MAX_KEY), AMNESIA_MAX_KEY);
  return FALSE;
}

/* Whether keys can be written now, whichever. */
static gboolean
check_takes_keys (AmnesiaStore  *self,
                  GError       **error)
{
  if (!amnesia_store_check_not_forked (self, error))
    return FALSE;
  if (amnesia_replica_takes_keys (self->replica))
    return TRUE;
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_A_DICTIONARY,
               _("The shared value is of type “%s” and has no keys: set it to a dictionary (“a{sv}”), "
                 "or unset it, first"),
               g_variant_get_type_string (amnesia_replica_get_value (self->replica)));
  return FALSE;
}

/* Whether the others would take it: what is removed must be kept as well, or it would come back. */
static gboolean
check_room (AmnesiaStore       *self,
            const AmnesiaRoom  *room,
            GError            **error)
{
  const AmnesiaRoom now = amnesia_replica_get_room (self->replica);
  guint64 max_size = AMNESIA_MAX_SIZES_IN_ALL * amnesia_store_get_max_size (self);

  if (room->n_keys > AMNESIA_MAX_KEYS && room->n_keys > now.n_keys)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_MANY_KEYS,
                   ngettext ("There would be more than %d key, with those that were removed: set the "
                             "whole value once, and these are forgotten",
                             "There would be more than %d keys, with those that were removed: set the "
                             "whole value once, and these are forgotten", AMNESIA_MAX_KEYS),
                   AMNESIA_MAX_KEYS);
      return FALSE;
    }
  if (room->size > max_size && room->size > now.size)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG,
                   ngettext ("All keys together would have %zu byte, at most %zu are allowed",
                             "All keys together would have %zu bytes, at most %zu are allowed",
                             room->size), (gsize) room->size, (gsize) max_size);
      return FALSE;
    }
  return TRUE;
}

/* Whether this key can be written, whatever there is now; counts it. */
static gboolean
check_write (AmnesiaStore  *self,
             const char    *key,
             GVariant      *value,
             AmnesiaRoom   *room,
             GError       **error)
{
  if (!amnesia_store_check_key (key, error))
    return FALSE;
  if (value != NULL && !amnesia_value_check_member (value, amnesia_store_get_max_size (self), error))
    {
      g_prefix_error (error, "%s: ", key);
      return FALSE;
    }
  amnesia_replica_count_key (self->replica, room, key, value);
  return TRUE;
}

gboolean
amnesia_store_check_key_write (AmnesiaStore  *self,
                               const char    *key,
                               GVariant      *value,
                               GError       **error)
{
  AmnesiaRoom room = amnesia_replica_get_room (self->replica);

  return check_takes_keys (self, error) && check_write (self, key, value, &room, error) &&
         check_room (self, &room, error);
}

/* May run the application's code. */
static gboolean
write_key (AmnesiaStore  *self,
           const char    *key,
           GVariant      *value,
           GError       **error)
{
  gint64 wall = amnesia_transport_get_wall ();

  if (!amnesia_store_check_key_write (self, key, value, error))
    return FALSE;
  amnesia_transport_written (self->transport,
                             amnesia_replica_write (self->replica, wall / 1000, key, value), wall);
  amnesia_store_finish_write (self);
  return TRUE;
}

/**
 * amnesia_store_get_key:
 * @self: a store
 * @key: a key
 *
 * Gets a part of the shared value: what [property@Amnesia.Store:data], if it is a dictionary
 * (`a{sv}`), has under this key.
 *
 * Returns: (transfer full) (nullable): the value of the key, or `NULL` if there is none
 *
 * Since: 0.1
 */
GVariant *
amnesia_store_get_key (AmnesiaStore *self,
                       const char   *key)
{
  g_auto (AmnesiaTurn) turn = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), NULL);

  return amnesia_value_is_key (key) ? amnesia_replica_dup_member (self->replica, key) : NULL;
}

/**
 * amnesia_store_has_key:
 * @self: a store
 * @key: a key
 *
 * Tells whether the shared value has something under this key.
 *
 * Returns: whether [method@Amnesia.Store.get_key] would give a value
 *
 * Since: 0.1
 */
gboolean
amnesia_store_has_key (AmnesiaStore *self,
                       const char   *key)
{
  g_autoptr (GVariant) value = amnesia_store_get_key (self, key);

  return value != NULL;
}

static int
compare_strings (const void *a,
                 const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/**
 * amnesia_store_list_keys:
 * @self: a store
 *
 * Lists the keys that the shared value has, in the order of their bytes (`strcmp()`). Members of
 * [property@Amnesia.Store:data] whose name is no key (see [method@Amnesia.Store.set_key]) are left
 * out.
 *
 * Returns: (transfer full) (array zero-terminated=1): the keys; none, if the value is unset or no
 *   dictionary
 *
 * Since: 0.1
 */
char **
amnesia_store_list_keys (AmnesiaStore *self)
{
  g_auto (AmnesiaTurn) turn = NULL;
  GPtrArray *keys;
  GVariantIter iter;
  GVariant *value;
  const char *key;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), NULL);

  keys = g_ptr_array_new ();
  value = amnesia_replica_get_value (self->replica);
  if (value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
    {
      g_variant_iter_init (&iter, value);
      while (g_variant_iter_next (&iter, "{&sv}", &key, NULL))
        if (amnesia_value_is_key (key))
          g_ptr_array_add (keys, g_strdup (key));
    }
  if (keys->len > 0)
    qsort (keys->pdata, keys->len, sizeof keys->pdata[0], compare_strings);
  g_ptr_array_add (keys, NULL);
  return (char **) g_ptr_array_free (keys, FALSE);
}

/**
 * amnesia_store_set_key:
 * @self: a store
 * @key: 1 to 255 bytes of UTF-8
 * @value: the new value of the key; a floating one is consumed
 * @error: return location for an error
 *
 * Sets a part of the shared value, for all who share it. The rest stays as it is, and so does what others
 * set at the same time under other keys; only of two writes of the same key one is lost. What is set as
 * a whole, by [method@Amnesia.Store.write], takes the place of all keys that were written before.
 *
 * The value must be a dictionary (`a{sv}`) or unset. It is seen here at once, and
 * [signal@Amnesia.Store::changed] and [signal@Amnesia.Store::key-changed] have been emitted when this
 * returns, unless this is called by one of their handlers.
 *
 * Errors: `AMNESIA_ERROR_INVALID_KEY`; `AMNESIA_ERROR_NOT_A_DICTIONARY` if the shared value is neither a
 * dictionary nor unset; `AMNESIA_ERROR_TOO_MANY_KEYS` if there would be more than 4,096, counting those
 * that were removed since the value was last set as a whole; `AMNESIA_ERROR_INVALID_VALUE` as in
 * [method@Amnesia.Store.write]; `AMNESIA_ERROR_TOO_BIG` for more than [property@Amnesia.Conf:max-size], or
 * four times that in all keys; `AMNESIA_ERROR_FORKED`.
 *
 * Returns: whether the key was set
 *
 * Since: 0.1
 */
gboolean
amnesia_store_set_key (AmnesiaStore  *self,
                       const char    *key,
                       GVariant      *value,
                       GError       **error)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (AmnesiaStore) alive = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), FALSE);

  alive = g_object_ref (self);
  return write_key (self, key, owned, error);
}

/**
 * amnesia_store_remove_key:
 * @self: a store
 * @key: 1 to 255 bytes of UTF-8
 * @error: return location for an error
 *
 * Removes a part of the shared value, for all who share it. To remove what is not there is right, too.
 *
 * That it was removed is remembered, so that it does not come back from somebody who was away.
 *
 * Errors: as [method@Amnesia.Store.set_key], except those of the value.
 *
 * Returns: whether the key was removed
 *
 * Since: 0.1
 */
gboolean
amnesia_store_remove_key (AmnesiaStore  *self,
                          const char    *key,
                          GError       **error)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (AmnesiaStore) alive = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), FALSE);

  alive = g_object_ref (self);
  return write_key (self, key, NULL, error);
}

static gboolean
check_keys (AmnesiaStore  *self,
            GVariant      *keys,
            GError       **error)
{
  AmnesiaRoom room = amnesia_replica_get_room (self->replica);
  GVariantIter iter;
  const char *key;
  GVariant *value;

  if (!check_takes_keys (self, error) ||
      !amnesia_value_check (keys, AMNESIA_MAX_SIZES_IN_ALL * amnesia_store_get_max_size (self), error))
    return FALSE;
  g_variant_iter_init (&iter, keys);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      g_autoptr (GVariant) owned = value;

      if (!check_write (self, key, value, &room, error))
        return FALSE;
    }
  return check_room (self, &room, error);
}

static gboolean
write_keys (AmnesiaStore  *self,
            GVariant      *keys,
            GError       **error)
{
  gint64 wall = amnesia_transport_get_wall ();
  g_autoptr (GPtrArray) entries = NULL;

  if (!check_keys (self, keys, error))
    return FALSE;
  if (g_variant_n_children (keys) == 0)
    return TRUE;
  entries = amnesia_replica_write_keys (self->replica, wall / 1000, keys);
  amnesia_transport_written_all (self->transport, entries, wall);
  amnesia_store_finish_write (self);
  return TRUE;
}

/**
 * amnesia_store_set_keys:
 * @self: a store
 * @keys: a dictionary (`a{sv}`) of keys and their new values; a floating one is consumed
 * @error: return location for an error
 *
 * Sets several parts of the shared value at once: all who share it see all of them or none, and
 * [signal@Amnesia.Store::changed] is emitted once for all. The rest stays as it is, and so does what
 * others set at the same time under other keys.
 *
 * If one of them cannot be set, none is. Errors: as [method@Amnesia.Store.set_key].
 *
 * Returns: whether the keys were set
 *
 * Since: 0.1
 */
gboolean
amnesia_store_set_keys (AmnesiaStore  *self,
                        GVariant      *keys,
                        GError       **error)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GVariant) owned = keys != NULL ? g_variant_ref_sink (keys) : NULL;
  g_autoptr (AmnesiaStore) alive = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (keys != NULL, FALSE);
  g_return_val_if_fail (g_variant_is_of_type (keys, G_VARIANT_TYPE_VARDICT), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), FALSE);

  alive = g_object_ref (self);
  return write_keys (self, owned, error);
}
