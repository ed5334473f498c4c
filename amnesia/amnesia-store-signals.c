/* SPDX-License-Identifier: MIT */

/* What a store emits. */

#include "amnesia-store-private.h"

#include "amnesia-key-changes-private.h"
#include "amnesia-marshal.h"

typedef enum
{
  SIGNAL_CHANGED,
  SIGNAL_KEY_CHANGED,
  SIGNAL_SUPERSEDED,
  SIGNAL_LOG,
} AmnesiaStoreSignal;

static guint signals[SIGNAL_LOG + 1];

static void
init_value_signals (void)
{
  /**
   * AmnesiaStore::changed:
   * @self: the store
   * @old: (nullable): the value before
   * @new: (nullable): the value now
   * @remote: whether another process wrote it
   *
   * Emitted once for each transition of the value as this process sees it, after it was stored.
   *
   * For a value that is set here it is emitted before the setter returns; for all others, from the
   * store's main context. What a handler sets takes effect and is sent at once; its own `changed`
   * follows when the present emission has ended. Setting an equal value is no transition.
   * (Dictionaries are equal whatever their order, in values of up to 256 KiB; larger ones only with
   * the same bytes.)
   *
   * Since: 0.1
   */
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", AMNESIA_TYPE_STORE, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL,
                                          _amnesia_marshal_VOID__VARIANT_VARIANT_BOOLEAN,
                                          G_TYPE_NONE, 3,
                                          G_TYPE_VARIANT | G_SIGNAL_TYPE_STATIC_SCOPE,
                                          G_TYPE_VARIANT | G_SIGNAL_TYPE_STATIC_SCOPE,
                                          G_TYPE_BOOLEAN);
  g_signal_set_va_marshaller (signals[SIGNAL_CHANGED], AMNESIA_TYPE_STORE,
                              _amnesia_marshal_VOID__VARIANT_VARIANT_BOOLEANv);

  /**
   * AmnesiaStore::log:
   * @self: the store
   * @message: what is happening, in a sentence
   *
   * Emitted for those who want to know what the store is doing. The same lines go to the GLib log
   * at debug level, in the domain `Amnesia`.
   *
   * A line is in English, whatever the language of the user, so that it can be searched for; an error
   * that it repeats is as the user sees it.
   *
   * Since: 0.1
   */
  signals[SIGNAL_LOG] = g_signal_new ("log", AMNESIA_TYPE_STORE, G_SIGNAL_RUN_LAST, 0,
                                      NULL, NULL, NULL, G_TYPE_NONE, 1,
                                      G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
init_key_signals (void)
{
  /**
   * AmnesiaStore::key-changed:
   * @self: the store
   * @key: the key
   * @old: (nullable): what was there, or `NULL`
   * @new: (nullable): what is there, or `NULL` if it was removed
   * @remote: whether another process wrote it
   *
   * Emitted after [signal@Amnesia.Store::changed], for each key under which the value is another, in
   * the order of the keys; also where the value was set as a whole, if it is a dictionary (`a{sv}`).
   *
   * The key is the detail: `key-changed::volume` tells of that key only. Members whose name is no key
   * (see [method@Amnesia.Store.set_key]) are passed over, and so are values of more than 65,536 members:
   * what follows on them is compared with what was before.
   *
   * Since: 0.1
   */
  signals[SIGNAL_KEY_CHANGED] = g_signal_new ("key-changed", AMNESIA_TYPE_STORE,
                                              G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0,
                                              NULL, NULL, NULL, G_TYPE_NONE, 4,
                                              G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE,
                                              G_TYPE_VARIANT | G_SIGNAL_TYPE_STATIC_SCOPE,
                                              G_TYPE_VARIANT | G_SIGNAL_TYPE_STATIC_SCOPE,
                                              G_TYPE_BOOLEAN);

  /**
   * AmnesiaStore::superseded:
   * @self: the store
   * @key: (nullable): the key that was written, or `NULL` for the whole value
   * @lost: (nullable): what this process had written; `NULL` if it had unset or removed it
   * @winner: (nullable): what the other had written in its place
   *
   * Emitted when a write of this process has lost against one that was made at the same time: by
   * somebody who had not seen it. One that replaces a value that its writer knew is no such case.
   *
   * It is told once for each write, after [signal@Amnesia.Store::changed], and after the fact: the value
   * is the winner's, here and everywhere. A program may show it, merge the two, or set its own once
   * more. The key is the detail of the signal. Where a key was lost because somebody set the whole value,
   * @winner is that whole value.
   *
   * A writer tells of the 16 others that it heard of last: among more than that it may be unknown
   * whether it had seen a write, and then nothing is emitted.
   *
   * Since: 0.1
   */
  signals[SIGNAL_SUPERSEDED] = g_signal_new ("superseded", AMNESIA_TYPE_STORE,
                                             G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0,
                                             NULL, NULL, NULL, G_TYPE_NONE, 3,
                                             G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE,
                                             G_TYPE_VARIANT | G_SIGNAL_TYPE_STATIC_SCOPE,
                                             G_TYPE_VARIANT | G_SIGNAL_TYPE_STATIC_SCOPE);
}

void
amnesia_store_init_signals (void)
{
  init_value_signals ();
  init_key_signals ();
}

void
amnesia_store_emit_changed (AmnesiaStore            *self,
                            const AmnesiaTransition *transition)
{
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0, transition->old, transition->new,
                 transition->remote);
}

/* A detail is never interned for what came from elsewhere: quarks are not freed. A handler that is
 * connected to a key has interned it. */
static GQuark
get_detail (const char *key)
{
  return key != NULL ? g_quark_try_string (key) : 0;
}

/* Also one that a derived class has, which counts as pending. */
static gboolean
has_handler (AmnesiaStore       *self,
             AmnesiaStoreSignal  signal)
{
  return g_signal_handler_find (self, G_SIGNAL_MATCH_ID, signals[signal], 0, NULL, NULL, NULL) != 0 ||
         g_signal_has_handler_pending (self, signals[signal], 0, FALSE);
}

typedef struct
{
  AmnesiaStore *store;
  gboolean      remote;
} KeyChanges;

static void
emit_key_changed (const char *key,
                  GVariant   *old,
                  GVariant   *new,
                  gpointer    user_data)
{
  const KeyChanges *changes = user_data;

  g_signal_emit (changes->store, signals[SIGNAL_KEY_CHANGED], get_detail (key), key, old, new,
                 changes->remote);
}

/* Most values are none, and that is seen sooner by one letter. */
static gboolean
has_members (GVariant *value)
{
  return value != NULL && g_variant_get_type_string (value)[0] == 'a' &&
         g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT);
}

static void
remember_told (AmnesiaStore *self,
               gboolean      untold,
               GVariant     *told)
{
  g_clear_pointer (&self->told, g_variant_unref);
  self->untold = untold;
  self->told = told != NULL ? g_variant_ref (told) : NULL;
}

/* Looking for the keys that have changed takes a walk through all of them: only for who listens. After a
 * value that had too many, what has changed since the one before it; or else who follows a key would not
 * hear of what it is now. */
void
amnesia_store_emit_key_changes (AmnesiaStore            *self,
                                const AmnesiaTransition *transition)
{
  KeyChanges changes = { self, transition->remote };
  g_autoptr (GVariant) told = NULL;

  if (!self->untold && !has_members (transition->old) && !has_members (transition->new))
    return;
  if (self->untold ? self->told != NULL : transition->old != NULL)
    told = g_variant_ref (self->untold ? self->told : transition->old);
  if (!has_handler (self, SIGNAL_KEY_CHANGED) ||
      amnesia_key_changes_foreach (told, transition->new, emit_key_changed, &changes) ||
      amnesia_key_changes_foreach (NULL, transition->new, emit_key_changed, &changes))
    remember_told (self, FALSE, NULL);
  else
    remember_told (self, TRUE, told);
}

void
amnesia_store_emit_superseded (AmnesiaStore *self,
                               const char   *key,
                               GVariant     *lost,
                               GVariant     *winner)
{
  g_signal_emit (self, signals[SIGNAL_SUPERSEDED], get_detail (key), key, lost, winner);
}

void
amnesia_store_emit_log (AmnesiaStore *self,
                        const char   *message)
{
  g_signal_emit (self, signals[SIGNAL_LOG], 0, message);
}
