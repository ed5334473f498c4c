/* SPDX-License-Identifier: MIT */

#include "amnesia-store-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-peer.h"
#include "amnesia-roster-private.h"
#include "mesh/amnesia-context-private.h"

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
  if (!amnesia_context_acquire (self->context))
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

  amnesia_context_invoke (self->context, orphan_peers_cb, self->peers, g_object_unref);
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
    case AMNESIA_STORE_PROP_GUEST:
      g_value_set_boolean (value, amnesia_store_get_guest (self));
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
    case AMNESIA_STORE_PROP_GUEST:
      amnesia_store_set_guest (self, g_value_get_boolean (value));
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
}

static void
init_opening_properties (void)
{
  /**
   * AmnesiaStore:listening: (getter get_listening)
   *
   * What the store listens on, as `host:port`: the entry of the configuration that is its own;
   * `NULL` while it is closed, or a guest.
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_LISTENING] =
    g_param_spec_string ("listening", NULL, NULL, NULL, READABLE);

  /**
   * AmnesiaStore:guest: (getter get_guest) (setter set_guest)
   *
   * Whether the store takes part as a guest in any case, and leaves the entries of the configuration
   * to others.
   *
   * A store takes the first entry that is of this machine and free, and is a guest if there is none.
   * A guest listens on nothing; it is linked with one member, by which it gets and gives values. So
   * it needs somebody who is a member. This is for programs that come and go, and should not be in
   * the place of those that stay.
   *
   * It holds from the next configuration on: set it before [property@Amnesia.Store:conf].
   *
   * Since: 0.1
   */
  properties[AMNESIA_STORE_PROP_GUEST] =
    g_param_spec_boolean ("guest", NULL, NULL, FALSE, WRITABLE);

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
amnesia_store_class_init (AmnesiaStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = amnesia_store_finalize;
  object_class->get_property = amnesia_store_get_property;
  object_class->set_property = amnesia_store_set_property;
  init_value_properties ();
  init_history_properties ();
  init_state_properties ();
  init_opening_properties ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);

  amnesia_store_init_signals ();
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
