/* SPDX-License-Identifier: MIT */

#include "amnesia-store-private.h"

#include "amnesia-conf-private.h"
#include "amnesia-error.h"
#include "amnesia-key-changes-private.h"
#include "amnesia-marshal.h"
#include "amnesia-peer.h"
#include "amnesia-roster-private.h"

#include <glib/gi18n-lib.h>

/**
 * AmnesiaStore:
 *
 * A variable that is shared with other processes and machines.
 *
 * A program creates a store, gives it the list of those who share, and sets
 * [property@Amnesia.Store:data]; all others have the new value and get
 * [signal@Amnesia.Store::changed]. There is nothing to define and no server to run; the same
 * configuration does for everybody.
 *
 * ```c
 * g_autoptr (AmnesiaStore) mem = amnesia_store_new ();
 * g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_file ("conf.json", &error);
 *
 * amnesia_store_set_conf (mem, conf);
 * g_signal_connect (mem, "changed", G_CALLBACK (on_changed), NULL);
 * amnesia_store_set_data (mem, g_variant_new_string ("hello"));
 * ```
 *
 * Reading is local and immediate, and so is writing: the writer sees its own value at once, online
 * or not. When messages stop, all who are connected hold the same value: the one that was written
 * last. What is shared is a state, not a stream of events: who is slower than the writer may skip
 * values in between, never the last.
 *
 * A store belongs to the thread-default main context at its construction. Its functions are to be
 * called where no other thread runs that context, and its signals are emitted there; only the last
 * reference may be dropped by any thread. The context must be iterated for anything to travel.
 *
 * With the first socket GLib has the signal `SIGPIPE` ignored, in the whole process. A store does
 * well without that: a program may set it to what it needs afterwards.
 *
 * After `fork()` a store is of no use in the child: what would write, open or close gives
 * `AMNESIA_ERROR_FORKED`.
 *
 * Since: 0.1
 */

#define DEFAULT_CLOSE_TIMEOUT 5000

static GParamSpec *properties[AMNESIA_STORE_PROP_CLOSE_TIMEOUT + 1];

typedef enum
{
  SIGNAL_CHANGED,
  SIGNAL_KEY_CHANGED,
  SIGNAL_SUPERSEDED,
  SIGNAL_LOG,
} AmnesiaStoreSignal;

static guint signals[SIGNAL_LOG + 1];

G_DEFINE_ENUM_TYPE (AmnesiaState, amnesia_state,
                    G_DEFINE_ENUM_VALUE (AMNESIA_STATE_CLOSED, "closed"),
                    G_DEFINE_ENUM_VALUE (AMNESIA_STATE_SYNCING, "syncing"),
                    G_DEFINE_ENUM_VALUE (AMNESIA_STATE_SYNCED, "synced"),
                    G_DEFINE_ENUM_VALUE (AMNESIA_STATE_ALONE, "alone"))

/* Declared final, so that C sees an opaque type; but Python and JavaScript may derive from it. */
G_DEFINE_TYPE (AmnesiaStore, amnesia_store, G_TYPE_OBJECT)

/* Whether this thread may touch the store: it runs the context, or nobody does. In the second case
 * it has the context until @turn is cleared, so that two threads do not come together. */
gboolean
amnesia_store_enter_own_context (AmnesiaStore *self,
                                 AmnesiaTurn  *turn)
{
  if (g_main_context_is_owner (self->context))
    return TRUE;
  if (!g_main_context_acquire (self->context))
    return FALSE;
  *turn = g_main_context_ref (self->context);
  return TRUE;
}

void
amnesia_turn_end (AmnesiaTurn *turn)
{
  if (*turn == NULL)
    return;
  g_main_context_release (*turn);
  g_main_context_unref (*turn);
}

/* For what only looks. */
static gboolean
is_own_context (AmnesiaStore *self)
{
  g_auto (AmnesiaTurn) turn = NULL;

  return amnesia_store_enter_own_context (self, &turn);
}

gboolean
amnesia_store_check_not_forked (AmnesiaStore  *self,
                                GError       **error)
{
  if (!amnesia_transport_is_forked (self->transport))
    return TRUE;
  g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_FORKED,
                       _("The store belongs to the process that this one was forked from: create "
                         "another one here"));
  return FALSE;
}

void
amnesia_store_notify (AmnesiaStore         *self,
                      AmnesiaStoreProperty  property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
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

/* --- the object --- */

static gboolean
orphan_peers_cb (gpointer peers)
{
  amnesia_roster_orphan (peers);
  return G_SOURCE_REMOVE;
}

static void
amnesia_store_finalize (GObject *object)
{
  AmnesiaStore *self = AMNESIA_STORE (object);

  g_main_context_invoke_full (self->context, G_PRIORITY_DEFAULT, orphan_peers_cb, self->peers,
                              g_object_unref);
  amnesia_transport_free (self->transport);
  amnesia_store_clear_open (self);
  amnesia_transitions_clear (&self->transitions);
  g_object_unref (self->history);
  g_clear_pointer (&self->told, g_variant_unref);
  g_queue_clear_full (&self->messages, g_free);
  g_clear_object (&self->conf);
  g_clear_error (&self->error);
  g_free (self->listening);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (amnesia_store_parent_class)->finalize (object);
}

static void
amnesia_store_get_property (GObject    *object,
                            guint       prop_id,
                            GValue     *value,
                            GParamSpec *pspec)
{
  AmnesiaStore *self = AMNESIA_STORE (object);

  switch ((AmnesiaStoreProperty) prop_id)
    {
    case AMNESIA_STORE_PROP_DATA:
      g_value_take_variant (value, amnesia_store_get_data (self));
      break;
    case AMNESIA_STORE_PROP_DEFAULT_DATA:
      g_value_take_variant (value, amnesia_store_get_default_data (self));
      break;
    case AMNESIA_STORE_PROP_UPDATED:
      g_value_take_boxed (value, amnesia_store_get_updated (self));
      break;
    case AMNESIA_STORE_PROP_CONF:
      g_value_set_object (value, amnesia_store_get_conf (self));
      break;
    case AMNESIA_STORE_PROP_STATE:
      g_value_set_enum (value, amnesia_store_get_state (self));
      break;
    case AMNESIA_STORE_PROP_ERROR:
      g_value_set_boxed (value, amnesia_store_get_error (self));
      break;
    case AMNESIA_STORE_PROP_PEERS:
      g_value_set_object (value, amnesia_store_get_peers (self));
      break;
    case AMNESIA_STORE_PROP_HISTORY:
      g_value_set_object (value, amnesia_store_get_history (self));
      break;
    case AMNESIA_STORE_PROP_HISTORY_LENGTH:
      g_value_set_uint (value, amnesia_store_get_history_length (self));
      break;
    case AMNESIA_STORE_PROP_LISTENING:
      g_value_set_string (value, amnesia_store_get_listening (self));
      break;
    case AMNESIA_STORE_PROP_CLOSE_TIMEOUT:
      g_value_set_uint (value, amnesia_store_get_close_timeout (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
amnesia_store_set_property (GObject      *object,
                            guint         prop_id,
                            const GValue *value,
                            GParamSpec   *pspec)
{
  AmnesiaStore *self = AMNESIA_STORE (object);

  switch ((AmnesiaStoreProperty) prop_id)
    {
    case AMNESIA_STORE_PROP_DATA:
      amnesia_store_set_data (self, g_value_get_variant (value));
      break;
    case AMNESIA_STORE_PROP_DEFAULT_DATA:
      amnesia_store_set_default_data (self, g_value_get_variant (value));
      break;
    case AMNESIA_STORE_PROP_CONF:
      amnesia_store_set_conf (self, g_value_get_object (value));
      break;
    case AMNESIA_STORE_PROP_HISTORY_LENGTH:
      amnesia_store_set_history_length (self, g_value_get_uint (value));
      break;
    case AMNESIA_STORE_PROP_CLOSE_TIMEOUT:
      amnesia_store_set_close_timeout (self, g_value_get_uint (value));
      break;
    case AMNESIA_STORE_PROP_UPDATED:
    case AMNESIA_STORE_PROP_STATE:
    case AMNESIA_STORE_PROP_ERROR:
    case AMNESIA_STORE_PROP_PEERS:
    case AMNESIA_STORE_PROP_HISTORY:
    case AMNESIA_STORE_PROP_LISTENING:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY)
#define WRITABLE (READABLE | G_PARAM_WRITABLE)

static void
init_value_properties (void)
{
  /**
   * AmnesiaStore:data: (getter get_data) (setter set_data)
   *
   * The shared value, or `NULL` while it is unset.
   *
   * Reading it costs nothing. Setting it is seen at once here, and travels to all others.
   *
   * A value that cannot be shared is refused: [signal@Amnesia.Store::log] tells why, and the
   * property notifies, so that what is bound to it goes back. [method@Amnesia.Store.write] does
   * the same with a [type@GLib.Error].
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_DATA] =
    g_param_spec_variant ("data", NULL, NULL, G_VARIANT_TYPE_ANY, NULL, WRITABLE);

  /**
   * AmnesiaStore:default-data: (getter get_default_data) (setter set_default_data)
   *
   * What [property@Amnesia.Store:data] is while it is unset; `NULL` for nothing.
   *
   * It is this process's own and is never sent. Where the value consists of keys, they are laid over
   * it, if it is a dictionary (`a{sv}`); a value that is set as a whole takes its place.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_DEFAULT_DATA] =
    g_param_spec_variant ("default-data", NULL, NULL, G_VARIANT_TYPE_ANY, NULL, WRITABLE);

  /**
   * AmnesiaStore:updated: (getter get_updated)
   *
   * When the present value was written, by the clock of its writer; `NULL` if it never was.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_UPDATED] =
    g_param_spec_boxed ("updated", NULL, NULL, G_TYPE_DATE_TIME, READABLE);
}

static void
init_history_properties (void)
{
  /**
   * AmnesiaStore:history: (getter get_history)
   *
   * What has changed, a [iface@Gio.ListModel] of [class@Amnesia.Change], the newest last; as many as
   * [property@Amnesia.Store:history-length] says.
   *
   * A change is in the list before [signal@Amnesia.Store::changed] tells of it. Each one is there,
   * also where `changed` tells of several at once.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_HISTORY] =
    g_param_spec_object ("history", NULL, NULL, G_TYPE_LIST_MODEL, READABLE);

  /**
   * AmnesiaStore:history-length: (getter get_history_length) (setter set_history_length)
   *
   * How many changes are remembered in [property@Amnesia.Store:history]; 0, the default, for none.
   *
   * They are this process's own: nothing of them is sent or written down. Each holds the value before
   * and after, that of one key or the whole. If these have more than 64 MiB together, fewer changes are
   * remembered; the newest always is.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_HISTORY_LENGTH] =
    g_param_spec_uint ("history-length", NULL, NULL, 0, AMNESIA_MAX_HISTORY, 0, WRITABLE);
}

static void
init_state_properties (void)
{
  /**
   * AmnesiaStore:conf: (getter get_conf) (setter set_conf)
   *
   * Who shares the value. Setting it opens the store, the next time that its main context is
   * iterated; setting `NULL` closes it.
   *
   * Another configuration may be set at any time: the value and the links to those who are listed
   * in both stay.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_CONF] =
    g_param_spec_object ("conf", NULL, NULL, AMNESIA_TYPE_CONF, WRITABLE);

  /**
   * AmnesiaStore:state: (getter get_state)
   *
   * How the store stands with the others. That it is synced or alone is told after all that was
   * received has been told.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, AMNESIA_TYPE_STATE, AMNESIA_STATE_CLOSED, READABLE);

  /**
   * AmnesiaStore:error: (getter get_error)
   *
   * Why the store could not be opened; `NULL` if it could, or was not asked to.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_ERROR] =
    g_param_spec_boxed ("error", NULL, NULL, G_TYPE_ERROR, READABLE);

  /**
   * AmnesiaStore:peers: (getter get_peers)
   *
   * The others, a [iface@Gio.ListModel] of [class@Amnesia.Peer]: one for each entry of the
   * configuration except our own, and one for each guest while it is connected.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_PEERS] =
    g_param_spec_object ("peers", NULL, NULL, G_TYPE_LIST_MODEL, READABLE);

  /**
   * AmnesiaStore:listening: (getter get_listening)
   *
   * What the store listens on, as `host:port`: the entry of the configuration that is its own;
   * `NULL` while it is closed, or a guest because no entry is free.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_LISTENING] =
    g_param_spec_string ("listening", NULL, NULL, NULL, READABLE);

  /**
   * AmnesiaStore:close-timeout: (getter get_close_timeout) (setter set_close_timeout)
   *
   * How long closing waits for those who have not confirmed the newest value, in milliseconds.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_CLOSE_TIMEOUT] =
    g_param_spec_uint ("close-timeout", NULL, NULL, 0, G_MAXINT, DEFAULT_CLOSE_TIMEOUT, WRITABLE);
}

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

static void
amnesia_store_class_init (AmnesiaStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  bindtextdomain (GETTEXT_PACKAGE, LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");

  object_class->finalize = amnesia_store_finalize;
  object_class->get_property = amnesia_store_get_property;
  object_class->set_property = amnesia_store_set_property;
  init_value_properties ();
  init_history_properties ();
  init_state_properties ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);

  init_value_signals ();
  init_key_signals ();
}

static void
amnesia_store_init (AmnesiaStore *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->transport = amnesia_transport_new (self->context, &amnesia_store_transport_funcs,
                                           G_OBJECT (self));
  self->mesh = amnesia_transport_get_mesh (self->transport);
  self->replica = amnesia_mesh_get_replica (self->mesh);
  self->peers = g_list_store_new (AMNESIA_TYPE_PEER);
  self->history = amnesia_history_new ();
  self->close_timeout = DEFAULT_CLOSE_TIMEOUT;
  amnesia_transitions_init (&self->transitions);
  amnesia_store_init_open (self);
  g_queue_init (&self->messages);
}

/**
 * amnesia_store_new:
 *
 * Creates a store. It belongs to the thread-default main context of the calling thread.
 *
 * Returns: (transfer full): a store
 *
 * Since: 0.1
 */
AmnesiaStore *
amnesia_store_new (void)
{
  return g_object_new (AMNESIA_TYPE_STORE, NULL);
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
 * Returns: (transfer none) (nullable): `host:port`, or `NULL` while the store is closed, or a
 *   guest because no entry of the configuration is free
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
