/* SPDX-License-Identifier: MIT */

/* Who shares, and how a store stands with them. */

#include "amnesia-store-private.h"

#include "amnesia-conf-private.h"

/* For what only looks. */
static gboolean
is_own_context (AmnesiaStore *self)
{
  g_auto (AmnesiaTurn) turn = NULL;

  return amnesia_store_enter_own_context (self, &turn);
}

/**
 * amnesia_store_get_conf: (get-property conf)
 * @self: a store
 *
 * Gets who shares the value.
 *
 * Returns: (transfer none) (nullable): the configuration
 *
 * Since: 0.1
 */
AmnesiaConf *
amnesia_store_get_conf (AmnesiaStore *self)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (is_own_context (self), NULL);

  return self->conf;
}

/**
 * amnesia_store_set_conf: (set-property conf)
 * @self: a store
 * @conf: (nullable): a configuration, which cannot be changed any more; or `NULL` to close
 *
 * Sets who shares the value, and opens the store: in the background, the next time that its main
 * context is iterated. [method@Amnesia.Store.open_async] tells when that is done.
 *
 * On a store that is open, the links to those who are listed in both configurations stay; the
 * others are closed when they have sent what they have to.
 *
 * If the opening fails, [property@Amnesia.Store:error] tells why.
 *
 * Since: 0.1
 */
void
amnesia_store_set_conf (AmnesiaStore *self,
                        AmnesiaConf  *conf)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (AmnesiaStore) alive = NULL;
  g_autoptr (GError) error = NULL;
  gboolean news;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (conf == NULL || AMNESIA_IS_CONF (conf));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  if (!amnesia_store_check_not_forked (self, &error))
    {
      amnesia_store_say (self, error->message);
      return;
    }
  alive = g_object_ref (self);
  if (conf != NULL)
    amnesia_conf_freeze (conf);
  news = g_set_object (&self->conf, conf);
  if (conf == NULL)
    {
      amnesia_store_cancel_opening (self);
      amnesia_store_begin_close (self);
    }
  else if (self->closing != CLOSE_NONE)
    self->reopen = TRUE;
  else if (news || !amnesia_store_is_open (self))
    amnesia_store_schedule_opening (self);
  if (news)
    amnesia_store_notify (self, AMNESIA_STORE_PROP_CONF);
}

/**
 * amnesia_store_get_state: (get-property state)
 * @self: a store
 *
 * Gets how the store stands with the others.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
AmnesiaState
amnesia_store_get_state (AmnesiaStore *self)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), AMNESIA_STATE_CLOSED);
  g_return_val_if_fail (is_own_context (self), AMNESIA_STATE_CLOSED);

  return self->state;
}

/**
 * amnesia_store_get_error: (get-property error)
 * @self: a store
 *
 * Gets why the store could not be opened.
 *
 * Returns: (transfer none) (nullable): the error, or `NULL`
 *
 * Since: 0.1
 */
const GError *
amnesia_store_get_error (AmnesiaStore *self)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (is_own_context (self), NULL);

  return self->error;
}

/**
 * amnesia_store_get_peers: (get-property peers)
 * @self: a store
 *
 * Gets the others. The list is always the same object.
 *
 * Returns: (transfer none): a list model of [class@Amnesia.Peer]
 *
 * Since: 0.1
 */
GListModel *
amnesia_store_get_peers (AmnesiaStore *self)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (is_own_context (self), NULL);

  return G_LIST_MODEL (self->peers);
}

/**
 * amnesia_store_get_listening: (get-property listening)
 * @self: a store
 *
 * Gets what the store listens on.
 *
 * Returns: (transfer none) (nullable): `host:port`, or `NULL` while the store is closed, or a guest
 *
 * Since: 0.1
 */
const char *
amnesia_store_get_listening (AmnesiaStore *self)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (is_own_context (self), NULL);

  return self->listening;
}

/**
 * amnesia_store_get_guest: (get-property guest)
 * @self: a store
 *
 * Gets whether the store takes part as a guest in any case. One that found no entry free is a guest
 * without that: [property@Amnesia.Store:listening] tells.
 *
 * Returns: whether it leaves the entries of the configuration to others
 *
 * Since: 0.1
 */
gboolean
amnesia_store_get_guest (AmnesiaStore *self)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (is_own_context (self), FALSE);

  return self->guest;
}

/**
 * amnesia_store_set_guest: (set-property guest)
 * @self: a store
 * @guest: whether to leave the entries of the configuration to others
 *
 * Sets whether the store takes part as a guest in any case. It holds from
 * the next configuration, or opening, on.
 *
 * Since: 0.1
 */
void
amnesia_store_set_guest (AmnesiaStore *self,
                         gboolean      guest)
{
  g_auto (AmnesiaTurn) turn = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  if (self->guest == !!guest)
    return;
  self->guest = !!guest;
  amnesia_store_notify (self, AMNESIA_STORE_PROP_GUEST);
}

/**
 * amnesia_store_get_close_timeout: (get-property close-timeout)
 * @self: a store
 *
 * Gets how long closing waits for those who have not confirmed the newest value.
 *
 * Returns: milliseconds
 *
 * Since: 0.1
 */
guint
amnesia_store_get_close_timeout (AmnesiaStore *self)
{
  g_return_val_if_fail (AMNESIA_IS_STORE (self), 0);
  g_return_val_if_fail (is_own_context (self), 0);

  return self->close_timeout;
}

/**
 * amnesia_store_set_close_timeout: (set-property close-timeout)
 * @self: a store
 * @milliseconds: how long; 0 does not wait at all
 *
 * Sets how long closing waits for those who have not confirmed the newest value. It holds for a
 * close that begins later.
 *
 * Since: 0.1
 */
void
amnesia_store_set_close_timeout (AmnesiaStore *self,
                                 guint         milliseconds)
{
  g_auto (AmnesiaTurn) turn = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (milliseconds <= G_MAXINT);
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  if (self->close_timeout == milliseconds)
    return;
  self->close_timeout = milliseconds;
  amnesia_store_notify (self, AMNESIA_STORE_PROP_CLOSE_TIMEOUT);
}
