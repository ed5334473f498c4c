/* SPDX-License-Identifier: MIT */

#include "amnesia-store.h"

#include "amnesia-conf-private.h"
#include "amnesia-error.h"
#include "amnesia-peer.h"
#include "amnesia-roster-private.h"
#include "amnesia-transitions-private.h"
#include "amnesia-waiters-private.h"
#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-transport-private.h"
#include "replica/amnesia-value-private.h"

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
 * After `fork()` a store is of no use in the child: what would write, open or close gives
 * `AMNESIA_ERROR_FORKED`.
 *
 * Since: 0.1
 */

#define DEFAULT_MAX_SIZE (16 * 1024 * 1024)
#define DEFAULT_CLOSE_TIMEOUT 5000
#define MAX_MESSAGES 100

/* How a close goes: it waits until all is in sync, at most close-timeout; then it leaves, and
 * waits until the links have ended. */
typedef enum
{
  CLOSE_NONE,
  CLOSE_WAITING,
  CLOSE_LEAVING,
} CloseStage;

struct _AmnesiaStore
{
  GObject            parent_instance;

  GMainContext      *context;     /* (owned) */
  AmnesiaTransport  *transport;   /* (owned) */
  AmnesiaMesh       *mesh;        /* (unowned) the transport's */
  AmnesiaReplica    *replica;     /* (unowned) the mesh's */

  AmnesiaConf       *conf;        /* (owned) (nullable) */
  guint              close_timeout;

  /* told to the outside */
  AmnesiaState       state;
  char              *listening;   /* (owned) (nullable) */
  GError            *error;       /* (owned) (nullable) */
  GListStore        *peers;       /* (owned) (element-type AmnesiaPeer) */
  guint              roster;      /* the serial of the members that @peers shows */

  /* to be told */
  GVariant          *value;       /* (owned) (nullable) to which the last transition leads */
  AmnesiaTransitions transitions;
  gboolean           emitting;
  gboolean           data_moved;
  gboolean           updated_moved;
  GQueue             messages;    /* (element-type utf8) */
  guint              publishing;

  GSource           *opening;     /* (owned) (nullable) set until the context gets to it */
  AmnesiaWaiters     openers;
  CloseStage         closing;
  AmnesiaWaiters     closers;
  GSource           *deadline;    /* (owned) (nullable) of the present stage of closing */
  GError            *close_error; /* (owned) (nullable) */
  gboolean           reopen;      /* a conf was set while closing */
};

typedef enum
{
  PROP_DATA = 1,
  PROP_UPDATED,
  PROP_CONF,
  PROP_STATE,
  PROP_ERROR,
  PROP_PEERS,
  PROP_LISTENING,
  PROP_CLOSE_TIMEOUT,
} AmnesiaStoreProperty;

static GParamSpec *properties[PROP_CLOSE_TIMEOUT + 1];

typedef enum
{
  SIGNAL_CHANGED,
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

/* Whether this thread may touch the store: it runs the context, or nobody does. */
static gboolean
is_own_context (AmnesiaStore *self)
{
  if (g_main_context_is_owner (self->context))
    return TRUE;
  if (!g_main_context_acquire (self->context))
    return FALSE;
  g_main_context_release (self->context);
  return TRUE;
}

static gboolean
check_not_forked (AmnesiaStore  *self,
                  GError       **error)
{
  if (!amnesia_transport_is_forked (self->transport))
    return TRUE;
  g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_FORKED,
                       _("The store belongs to the process that this one was forked from: create "
                         "another one here"));
  return FALSE;
}

static void
notify (AmnesiaStore         *self,
        AmnesiaStoreProperty  property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* --- telling the application --- */

/* The replica may hold another value now: remembers what is to be told. */
static void
note_transition (AmnesiaStore *self,
                 gboolean      remote)
{
  GVariant *value = amnesia_replica_get_value (self->replica);

  self->updated_moved = TRUE;
  if (amnesia_value_equal (self->value, value))
    return;
  amnesia_transitions_push (&self->transitions, self->value, value, remote);
  self->data_moved = TRUE;
  g_clear_pointer (&self->value, g_variant_unref);
  self->value = value != NULL ? g_variant_ref (value) : NULL;
}

static void
emit_notifications (AmnesiaStore *self)
{
  gboolean data = self->data_moved;
  gboolean updated = self->updated_moved;

  self->data_moved = FALSE;
  self->updated_moved = FALSE;
  if (data)
    notify (self, PROP_DATA);
  if (updated)
    notify (self, PROP_UPDATED);
}

/* One emission at a time: what a handler sets is stored and sent at once, but its own `changed`
 * waits here until the present one has ended, so that every handler sees all in order. */
static void
drain (AmnesiaStore *self)
{
  if (self->emitting)
    return;
  self->emitting = TRUE;
  while (amnesia_transitions_any (&self->transitions) || self->data_moved || self->updated_moved)
    {
      g_autoptr (AmnesiaTransition) transition = amnesia_transitions_pop (&self->transitions);

      if (transition != NULL)
        g_signal_emit (self, signals[SIGNAL_CHANGED], 0, transition->old, transition->new,
                       transition->remote);
      else
        emit_notifications (self);
    }
  self->emitting = FALSE;
}

static void
say (AmnesiaStore *self,
     const char   *message)
{
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_DEBUG, "MESSAGE", "%s", message);
  g_signal_emit (self, signals[SIGNAL_LOG], 0, message);
}

static void
publish_messages (AmnesiaStore *self)
{
  char *message;

  while ((message = g_queue_pop_head (&self->messages)) != NULL)
    {
      say (self, message);
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
  notify (self, PROP_LISTENING);
}

static AmnesiaState
get_mesh_state (AmnesiaStore *self)
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
  AmnesiaState state = get_mesh_state (self);

  if (self->state != state)
    {
      self->state = state;
      notify (self, PROP_STATE);
    }
  if ((state == AMNESIA_STATE_SYNCED || state == AMNESIA_STATE_ALONE) && self->opening == NULL)
    amnesia_waiters_finish (&self->openers, NULL);
}

static void
set_error (AmnesiaStore *self,
           const GError *error)
{
  if (self->error == NULL && error == NULL)
    return;
  g_clear_error (&self->error);
  self->error = error != NULL ? g_error_copy (error) : NULL;
  notify (self, PROP_ERROR);
}

/* There is nothing to be opened, for want of descriptors, or because the configuration names what
 * is not here. */
static void
publish_failure (AmnesiaStore *self)
{
  const GError *failure = amnesia_transport_get_error (self->transport);
  g_autoptr (GError) error = NULL;

  if (failure == NULL || get_mesh_state (self) == AMNESIA_STATE_CLOSED)
    return;
  error = g_error_copy (failure);
  amnesia_transport_close (self->transport);
  publish_state (self);
  set_error (self, error);
  say (self, error->message);
  amnesia_waiters_finish (&self->openers, error);
}

static void proceed_with_close (AmnesiaStore *self);

/* Tells what is new, one thing after the other; each may run code of the application, which may
 * change the rest. Only when all transitions are emitted, so that who is told “synced” has seen
 * the value. */
static void
publish (AmnesiaStore *self)
{
  if (amnesia_transitions_any (&self->transitions))
    return;
  publish_messages (self);
  publish_failure (self);
  publish_listening (self);
  amnesia_roster_update (self->peers, self->mesh, &self->roster);
  publish_state (self);
  proceed_with_close (self);
}

static void
transport_merged (gpointer owner)
{
  note_transition (owner, TRUE);
}

static void
transport_log (gpointer    owner,
               const char *message)
{
  AmnesiaStore *self = owner;

  if (g_queue_get_length (&self->messages) < MAX_MESSAGES)
    g_queue_push_tail (&self->messages, g_strdup (message));
}

static void
transport_settle (gpointer owner)
{
  drain (owner);
  publish (owner);
}

static const AmnesiaTransportFuncs transport_funcs = {
  .merged = transport_merged,
  .log = transport_log,
  .settle = transport_settle,
};

/* --- opening --- */

static AmnesiaSettings *
make_settings (AmnesiaConf *conf)
{
  AmnesiaSettings *settings = amnesia_settings_new ();
  const char *host;
  guint i, port;

  for (i = 0; amnesia_conf_get_peer (conf, i, &host, &port); i++)
    amnesia_settings_add_entry (settings, host, (guint16) port);
  settings->group = g_strdup (amnesia_conf_get_group (conf));
  settings->max_size = amnesia_conf_get_max_size (conf);
  settings->clock_limit = amnesia_conf_get_clock_limit (conf) * G_TIME_SPAN_SECOND;
  settings->allow = g_ptr_array_ref (amnesia_conf_get_allow (conf));
  if (amnesia_conf_get_listen (conf, &host, &port))
    {
      settings->listen_host = g_strdup (host);
      settings->listen_port = (guint16) port;
    }
  return settings;
}

static gboolean
opening_cb (gpointer user_data)
{
  g_autoptr (AmnesiaStore) self = g_object_ref (user_data);

  clear_source (&self->opening);
  set_error (self, NULL);
  amnesia_transport_open (self->transport, make_settings (self->conf));
  return G_SOURCE_REMOVE;
}

/* No socket and no signal before the context is next iterated. */
static void
schedule_opening (AmnesiaStore *self)
{
  if (self->opening != NULL)
    return;
  self->opening = g_idle_source_new ();
  g_source_set_priority (self->opening, G_PRIORITY_DEFAULT);
  g_source_set_callback (self->opening, opening_cb, self, NULL);
  g_source_set_static_name (self->opening, "[amnesia] opening");
  g_source_attach (self->opening, self->context);
}

/* --- closing --- */

static void
set_deadline (AmnesiaStore *self,
              guint         milliseconds,
              GSourceFunc   func)
{
  clear_source (&self->deadline);
  self->deadline = g_timeout_source_new (milliseconds);
  g_source_set_callback (self->deadline, func, self, NULL);
  g_source_attach (self->deadline, self->context);
}

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
    schedule_opening (self);
  self->reopen = FALSE;
  publish (self);
  if (self->opening == NULL)
    amnesia_waiters_finish (&self->openers, closed);
  amnesia_waiters_finish (&self->closers, error);
}

static gboolean
linger_over_cb (gpointer user_data)
{
  g_autoptr (AmnesiaStore) self = g_object_ref (user_data);

  end_close (self);
  return G_SOURCE_REMOVE;
}

static void
leave (AmnesiaStore *self,
       guint         linger)
{
  self->closing = CLOSE_LEAVING;
  set_deadline (self, linger, linger_over_cb);
  amnesia_transport_leave (self->transport);
}

static gboolean
patience_over_cb (gpointer user_data)
{
  g_autoptr (AmnesiaStore) self = g_object_ref (user_data);
  g_autofree char *behind = amnesia_mesh_list_behind (self->mesh);

  if (behind != NULL)
    g_set_error (&self->close_error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC,
                 _("Closed before these had confirmed the newest value: %s"), behind);
  leave (self, 0);
  return G_SOURCE_REMOVE;
}

static void
proceed_with_close (AmnesiaStore *self)
{
  if (self->closing == CLOSE_WAITING && self->opening == NULL &&
      self->state != AMNESIA_STATE_SYNCING)
    {
      g_autofree char *behind = amnesia_mesh_list_behind (self->mesh);

      if (behind == NULL)
        leave (self, AMNESIA_LINGER / 1000);
    }
  if (self->closing == CLOSE_LEAVING && amnesia_mesh_is_empty (self->mesh))
    end_close (self);
}

static gboolean
is_open (AmnesiaStore *self)
{
  return self->opening != NULL || get_mesh_state (self) != AMNESIA_STATE_CLOSED;
}

static gboolean
proceed_cb (gpointer user_data)
{
  g_autoptr (AmnesiaStore) self = user_data;

  proceed_with_close (self);
  return G_SOURCE_REMOVE;
}

static void
begin_close (AmnesiaStore *self)
{
  GSource *source;

  if (self->closing != CLOSE_NONE || !is_open (self))
    return;
  self->closing = CLOSE_WAITING;
  set_deadline (self, self->close_timeout, patience_over_cb);
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, proceed_cb, g_object_ref (self), NULL);
  g_source_attach (source, self->context);
  g_source_unref (source);
}

/* --- the object --- */

static void
amnesia_store_constructed (GObject *object)
{
  AmnesiaStore *self = AMNESIA_STORE (object);

  G_OBJECT_CLASS (amnesia_store_parent_class)->constructed (object);
  g_assert (self->transport != NULL);
}

static void
amnesia_store_dispose (GObject *object)
{
  AmnesiaStore *self = AMNESIA_STORE (object);

  clear_source (&self->opening);
  clear_source (&self->deadline);
  G_OBJECT_CLASS (amnesia_store_parent_class)->dispose (object);
}

static void
amnesia_store_finalize (GObject *object)
{
  AmnesiaStore *self = AMNESIA_STORE (object);

  amnesia_transport_free (self->transport);
  amnesia_waiters_clear (&self->openers);
  amnesia_waiters_clear (&self->closers);
  amnesia_transitions_clear (&self->transitions);
  g_queue_clear_full (&self->messages, g_free);
  g_clear_object (&self->conf);
  g_clear_object (&self->peers);
  g_clear_error (&self->error);
  g_clear_error (&self->close_error);
  g_clear_pointer (&self->value, g_variant_unref);
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
    case PROP_DATA:
      g_value_take_variant (value, amnesia_store_get_data (self));
      break;
    case PROP_UPDATED:
      g_value_take_boxed (value, amnesia_store_get_updated (self));
      break;
    case PROP_CONF:
      g_value_set_object (value, amnesia_store_get_conf (self));
      break;
    case PROP_STATE:
      g_value_set_enum (value, amnesia_store_get_state (self));
      break;
    case PROP_ERROR:
      g_value_set_boxed (value, amnesia_store_get_error (self));
      break;
    case PROP_PEERS:
      g_value_set_object (value, amnesia_store_get_peers (self));
      break;
    case PROP_LISTENING:
      g_value_set_string (value, amnesia_store_get_listening (self));
      break;
    case PROP_CLOSE_TIMEOUT:
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
    case PROP_DATA:
      amnesia_store_set_data (self, g_value_get_variant (value));
      break;
    case PROP_CONF:
      amnesia_store_set_conf (self, g_value_get_object (value));
      break;
    case PROP_CLOSE_TIMEOUT:
      amnesia_store_set_close_timeout (self, g_value_get_uint (value));
      break;
    case PROP_UPDATED:
    case PROP_STATE:
    case PROP_ERROR:
    case PROP_PEERS:
    case PROP_LISTENING:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags writable = readable | G_PARAM_WRITABLE;

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
  properties[PROP_DATA] = g_param_spec_variant ("data", NULL, NULL, G_VARIANT_TYPE_ANY, NULL,
                                                writable);

  /**
   * AmnesiaStore:updated: (getter get_updated)
   *
   * When the present value was written, by the clock of its writer; `NULL` if it never was.
   *
   * Since: 0.1
   */
  properties[PROP_UPDATED] = g_param_spec_boxed ("updated", NULL, NULL, G_TYPE_DATE_TIME, readable);

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
  properties[PROP_CONF] = g_param_spec_object ("conf", NULL, NULL, AMNESIA_TYPE_CONF, writable);

  /**
   * AmnesiaStore:state: (getter get_state)
   *
   * How the store stands with the others. That it is synced or alone is told after all that was
   * received has been told.
   *
   * Since: 0.1
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, AMNESIA_TYPE_STATE,
                                              AMNESIA_STATE_CLOSED, readable);

  /**
   * AmnesiaStore:error: (getter get_error)
   *
   * Why the store could not be opened; `NULL` if it could, or was not asked to.
   *
   * Since: 0.1
   */
  properties[PROP_ERROR] = g_param_spec_boxed ("error", NULL, NULL, G_TYPE_ERROR, readable);

  /**
   * AmnesiaStore:peers: (getter get_peers)
   *
   * The others, a [iface@Gio.ListModel] of [class@Amnesia.Peer]: one for each entry of the
   * configuration except our own, and one for each guest while it is connected.
   *
   * Since: 0.1
   */
  properties[PROP_PEERS] = g_param_spec_object ("peers", NULL, NULL, G_TYPE_LIST_MODEL, readable);

  /**
   * AmnesiaStore:listening: (getter get_listening)
   *
   * What the store listens on, as `host:port`: the entry of the configuration that is its own;
   * `NULL` while it is closed, or a guest because no entry is free.
   *
   * Since: 0.1
   */
  properties[PROP_LISTENING] = g_param_spec_string ("listening", NULL, NULL, NULL, readable);

  /**
   * AmnesiaStore:close-timeout: (getter get_close_timeout) (setter set_close_timeout)
   *
   * How long closing waits for those who have not confirmed the newest value, in milliseconds.
   *
   * Since: 0.1
   */
  properties[PROP_CLOSE_TIMEOUT] = g_param_spec_uint ("close-timeout", NULL, NULL, 0, G_MAXINT,
                                                      DEFAULT_CLOSE_TIMEOUT, writable);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
amnesia_store_class_init (AmnesiaStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  bindtextdomain (GETTEXT_PACKAGE, LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");

  object_class->constructed = amnesia_store_constructed;
  object_class->dispose = amnesia_store_dispose;
  object_class->finalize = amnesia_store_finalize;
  object_class->get_property = amnesia_store_get_property;
  object_class->set_property = amnesia_store_set_property;
  install_properties (object_class);

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
   *
   * Since: 0.1
   */
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", AMNESIA_TYPE_STORE, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 3,
                                          G_TYPE_VARIANT, G_TYPE_VARIANT, G_TYPE_BOOLEAN);

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
amnesia_store_init (AmnesiaStore *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->transport = amnesia_transport_new (self->context, &transport_funcs, G_OBJECT (self));
  self->mesh = amnesia_transport_get_mesh (self->transport);
  self->replica = amnesia_mesh_get_replica (self->mesh);
  self->peers = g_list_store_new (AMNESIA_TYPE_PEER);
  self->close_timeout = DEFAULT_CLOSE_TIMEOUT;
  amnesia_transitions_init (&self->transitions);
  amnesia_waiters_init (&self->openers);
  amnesia_waiters_init (&self->closers);
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
  GVariant *value;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (is_own_context (self), NULL);

  value = amnesia_replica_get_value (self->replica);
  return value != NULL ? g_variant_ref (value) : NULL;
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
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (is_own_context (self));

  if (amnesia_store_write (self, owned, &error))
    return;
  say (self, error->message);
  notify (self, PROP_DATA);
}

/**
 * amnesia_store_write:
 * @self: a store
 * @value: (nullable): the new value, or `NULL` to unset it; a floating one is consumed
 * @error: return location for an error
 *
 * Sets the shared value, for all who share it, or says why it cannot be shared.
 *
 * Any type of value will do except those that hold a handle (`h`). The value is seen here at once,
 * whether or not the store is open, and [signal@Amnesia.Store::changed] has been emitted when this
 * returns, unless this is called by one of its handlers.
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
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (AmnesiaStore) alive = NULL;
  guint64 max_size;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (is_own_context (self), FALSE);

  if (!check_not_forked (self, error))
    return FALSE;
  max_size = self->conf != NULL ? amnesia_conf_get_max_size (self->conf) : DEFAULT_MAX_SIZE;
  if (owned != NULL && !amnesia_value_check (owned, max_size, error))
    return FALSE;

  alive = g_object_ref (self);
  amnesia_transport_written (self->transport,
                             amnesia_replica_write (self->replica,
                                                    amnesia_transport_get_wall () / 1000, "", owned));
  note_transition (self, FALSE);
  drain (self);
  return TRUE;
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
  g_autoptr (GDateTime) seconds = NULL;
  AmnesiaEntry *newest;
  gint64 wall;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (is_own_context (self), NULL);

  newest = amnesia_replica_get_newest (self->replica);
  if (newest == NULL)
    return NULL;
  wall = amnesia_stamp_get_wall (newest->stamp);
  seconds = g_date_time_new_from_unix_utc (wall / 1000);
  return g_date_time_add (seconds, wall % 1000 * G_TIME_SPAN_MILLISECOND);
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
  gboolean news;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (conf == NULL || AMNESIA_IS_CONF (conf));
  g_return_if_fail (is_own_context (self));

  if (!check_not_forked (self, NULL))
    return;
  if (conf != NULL)
    amnesia_conf_freeze (conf);
  news = g_set_object (&self->conf, conf);
  if (conf == NULL)
    {
      if (self->opening != NULL)
        clear_source (&self->opening);
      begin_close (self);
    }
  else if (self->closing != CLOSE_NONE)
    self->reopen = TRUE;
  else if (news || !is_open (self))
    schedule_opening (self);
  if (news)
    notify (self, PROP_CONF);
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
  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (milliseconds <= G_MAXINT);
  g_return_if_fail (is_own_context (self));

  if (self->close_timeout == milliseconds)
    return;
  self->close_timeout = milliseconds;
  notify (self, PROP_CLOSE_TIMEOUT);
}

static gboolean
check_can_open (AmnesiaStore  *self,
                GError       **error)
{
  if (!check_not_forked (self, error))
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
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));
  g_return_if_fail (is_own_context (self));

  g_main_context_push_thread_default (self->context);
  task = g_task_new (self, cancellable, callback, user_data);
  g_main_context_pop_thread_default (self->context);
  g_task_set_source_tag (task, amnesia_store_open_async);

  if (!check_can_open (self, &error))
    g_task_return_error (task, g_steal_pointer (&error));
  else if (self->opening == NULL && self->closing == CLOSE_NONE &&
           (self->state == AMNESIA_STATE_SYNCED || self->state == AMNESIA_STATE_ALONE))
    g_task_return_boolean (task, TRUE);
  else
    {
      amnesia_waiters_add (&self->openers, g_steal_pointer (&task));
      if (!is_open (self))
        schedule_opening (self);
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
 * is not lost. After [property@Amnesia.Store:close-timeout] it closes all the same, and the error
 * names those who have not confirmed. The value stays; a store that is opened again sends what was
 * set in between.
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
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));
  g_return_if_fail (is_own_context (self));

  g_main_context_push_thread_default (self->context);
  task = g_task_new (self, cancellable, callback, user_data);
  g_main_context_pop_thread_default (self->context);
  g_task_set_source_tag (task, amnesia_store_close_async);

  if (!check_not_forked (self, &error))
    g_task_return_error (task, g_steal_pointer (&error));
  else if (!is_open (self))
    g_task_return_boolean (task, TRUE);
  else
    {
      self->reopen = FALSE;
      amnesia_waiters_add (&self->closers, g_steal_pointer (&task));
      begin_close (self);
    }
}

/**
 * amnesia_store_close_finish:
 * @self: a store
 * @result: what the callback got
 * @error: return location for an error
 *
 * Ends [method@Amnesia.Store.close_async]. Whatever this returns, the store is closed.
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
 * it does not expect them. */
static gboolean
check_can_block (AmnesiaStore  *self,
                 GError       **error)
{
  if (!check_not_forked (self, error))
    return FALSE;
  if (g_main_depth () == 0 && is_own_context (self))
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
  GAsyncResult *result = NULL;

  if (!check_can_block (self, error))
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
 * `AMNESIA_ERROR_WRONG_CONTEXT`, if a main loop is running in this thread, or another thread runs
 * the context.
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
 * `AMNESIA_ERROR_WRONG_CONTEXT`, if a main loop is running in this thread, or another thread runs
 * the context.
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
