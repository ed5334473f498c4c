/* SPDX-License-Identifier: MIT */

#include "amnesia-action-private.h"

#include "amnesia-bind.h"
#include "amnesia-store-private.h"
#include "replica/amnesia-value-private.h"

/* A key as a GAction. What it is, it reads from the store; it keeps what it has told, to see what is
 * new. */
struct _AmnesiaAction
{
  GObject       parent_instance;

  AmnesiaStore *store;         /* (owned) */
  char         *key;           /* (owned) */
  GVariant     *default_state; /* (owned) its type is that of the state */
  gulong        handler;

  GVariant     *told_state;    /* (owned) */
  gboolean      told_enabled;
};

typedef enum
{
  PROP_NAME = 1,
  PROP_PARAMETER_TYPE,
  PROP_ENABLED,
  PROP_STATE_TYPE,
  PROP_STATE,
} AmnesiaActionProperty;

static void amnesia_action_iface_init (GActionInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmnesiaAction, amnesia_action, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ACTION, amnesia_action_iface_init))

static const char *
amnesia_action_get_name (GAction *action)
{
  return AMNESIA_ACTION (action)->key;
}

static const GVariantType *
amnesia_action_get_state_type (GAction *action)
{
  return g_variant_get_type (AMNESIA_ACTION (action)->default_state);
}

static gboolean
is_switch (AmnesiaAction *self)
{
  return g_variant_is_of_type (self->default_state, G_VARIANT_TYPE_BOOLEAN);
}

static gboolean
is_of_state_type (AmnesiaAction *self,
                  GVariant      *value)
{
  return g_variant_is_of_type (value, g_variant_get_type (self->default_state));
}

/* A switch is activated without an argument. */
static const GVariantType *
amnesia_action_get_parameter_type (GAction *action)
{
  return is_switch (AMNESIA_ACTION (action)) ? NULL : amnesia_action_get_state_type (action);
}

static gboolean
amnesia_action_get_enabled (GAction *action)
{
  AmnesiaAction *self = AMNESIA_ACTION (action);
  g_autoptr (GVariant) present = amnesia_store_get_key (self->store, self->key);

  return present == NULL || is_of_state_type (self, present);
}

static GVariant *
amnesia_action_get_state (GAction *action)
{
  AmnesiaAction *self = AMNESIA_ACTION (action);
  g_autoptr (GVariant) present = amnesia_store_get_key (self->store, self->key);

  if (present != NULL && is_of_state_type (self, present))
    return g_steal_pointer (&present);
  return g_variant_ref (self->default_state);
}

static GVariant *
amnesia_action_get_state_hint (GAction *action)
{
  return NULL;
}

/* Others decide what the key is: where it has another type, there is nothing to be changed. */
static void
amnesia_action_change_state (GAction  *action,
                             GVariant *value)
{
  AmnesiaAction *self = AMNESIA_ACTION (action);
  g_autoptr (GVariant) owned = g_variant_ref_sink (value);
  g_autoptr (GAction) alive = g_object_ref (action);
  g_autoptr (GError) error = NULL;

  if (!is_of_state_type (self, owned) || !amnesia_action_get_enabled (action))
    return;
  if (!amnesia_store_set_key (self->store, self->key, owned, &error) && error != NULL)
    amnesia_store_say (self->store, error->message);
}

static void
amnesia_action_activate (GAction  *action,
                         GVariant *parameter)
{
  AmnesiaAction *self = AMNESIA_ACTION (action);
  g_autoptr (GVariant) owned = parameter != NULL ? g_variant_ref_sink (parameter) : NULL;
  g_autoptr (GVariant) state = NULL;

  if ((owned != NULL) == is_switch (self))
    return;
  if (owned == NULL)
    {
      state = amnesia_action_get_state (action);
      owned = g_variant_ref_sink (g_variant_new_boolean (!g_variant_get_boolean (state)));
    }
  amnesia_action_change_state (action, owned);
}

static void
amnesia_action_iface_init (GActionInterface *iface)
{
  iface->get_name = amnesia_action_get_name;
  iface->get_parameter_type = amnesia_action_get_parameter_type;
  iface->get_state_type = amnesia_action_get_state_type;
  iface->get_state_hint = amnesia_action_get_state_hint;
  iface->get_enabled = amnesia_action_get_enabled;
  iface->get_state = amnesia_action_get_state;
  iface->change_state = amnesia_action_change_state;
  iface->activate = amnesia_action_activate;
}

/* --- the object --- */

static void
key_changed_cb (AmnesiaStore  *store,
                const char    *key,
                GVariant      *old_value,
                GVariant      *new_value,
                gboolean       remote,
                AmnesiaAction *self)
{
  g_autoptr (AmnesiaAction) alive = g_object_ref (self);
  GVariant *state = amnesia_action_get_state (G_ACTION (self));
  gboolean enabled = amnesia_action_get_enabled (G_ACTION (self));
  gboolean is_other_state = !amnesia_value_equal (state, self->told_state);
  gboolean is_other_enabled = enabled != self->told_enabled;

  g_variant_unref (self->told_state);
  self->told_state = state;
  self->told_enabled = enabled;
  if (is_other_enabled)
    g_object_notify (G_OBJECT (self), "enabled");
  if (is_other_state)
    g_object_notify (G_OBJECT (self), "state");
}

static void
amnesia_action_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  GAction *action = G_ACTION (object);

  switch ((AmnesiaActionProperty) prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, amnesia_action_get_name (action));
      break;
    case PROP_PARAMETER_TYPE:
      g_value_set_boxed (value, amnesia_action_get_parameter_type (action));
      break;
    case PROP_ENABLED:
      g_value_set_boolean (value, amnesia_action_get_enabled (action));
      break;
    case PROP_STATE_TYPE:
      g_value_set_boxed (value, amnesia_action_get_state_type (action));
      break;
    case PROP_STATE:
      g_value_take_variant (value, amnesia_action_get_state (action));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
amnesia_action_finalize (GObject *object)
{
  AmnesiaAction *self = AMNESIA_ACTION (object);

  g_signal_handler_disconnect (self->store, self->handler);
  g_object_unref (self->store);
  g_variant_unref (self->default_state);
  g_variant_unref (self->told_state);
  g_free (self->key);
  G_OBJECT_CLASS (amnesia_action_parent_class)->finalize (object);
}

static void
amnesia_action_class_init (AmnesiaActionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = amnesia_action_get_property;
  object_class->finalize = amnesia_action_finalize;
  g_object_class_override_property (object_class, PROP_NAME, "name");
  g_object_class_override_property (object_class, PROP_PARAMETER_TYPE, "parameter-type");
  g_object_class_override_property (object_class, PROP_ENABLED, "enabled");
  g_object_class_override_property (object_class, PROP_STATE_TYPE, "state-type");
  g_object_class_override_property (object_class, PROP_STATE, "state");
}

static void
amnesia_action_init (AmnesiaAction *self)
{
}

GAction *
amnesia_action_new (AmnesiaStore *store,
                    const char   *key,
                    GVariant     *default_state)
{
  AmnesiaAction *self = g_object_new (AMNESIA_TYPE_ACTION, NULL);
  g_autofree char *signal = g_strconcat ("key-changed::", key, NULL);

  self->store = g_object_ref (store);
  self->key = g_strdup (key);
  self->default_state = g_variant_ref (default_state);
  self->told_state = amnesia_action_get_state (G_ACTION (self));
  self->told_enabled = amnesia_action_get_enabled (G_ACTION (self));
  self->handler = g_signal_connect (store, signal, G_CALLBACK (key_changed_cb), self);
  return G_ACTION (self);
}

/**
 * amnesia_store_create_action:
 * @self: a store
 * @key: a key: 1 to 255 bytes of UTF-8; it is the name of the action
 * @default_state: the state while there is no such key, which fixes its type; a floating one is consumed
 *
 * Makes a [iface@Gio.Action] of a part of the shared value, for menus and buttons, as
 * [method@Gio.Settings.create_action] does of a setting.
 *
 * Only a key that is a name for an action ([func@Gio.Action.name_is_valid]: letters, digits, `-` and `.`)
 * can be named in a menu.
 *
 * Its state is the value of the key. Where the state is a boolean, activating it toggles the key;
 * otherwise activating it sets the key to the parameter, which is of the type of the state. Changing
 * its state sets the key.
 *
 * The action is enabled while the key is absent, or of the type of the state. While it is of another
 * type, the state is the default, and nothing can be changed by the action. A key that cannot be set
 * stays as it is; [signal@Amnesia.Store::log] tells why.
 *
 * The action keeps the store. Use it in the thread of the store only, where it is to be dropped as well.
 *
 * Returns: (transfer full): an action
 *
 * Since: 0.1
 */
GAction *
amnesia_store_create_action (AmnesiaStore *self,
                             const char   *key,
                             GVariant     *default_state)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (GVariant) owned = default_state != NULL ? g_variant_ref_sink (default_state) : NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (key != NULL && amnesia_value_is_key (key), NULL);
  g_return_val_if_fail (owned != NULL, NULL);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), NULL);

  return amnesia_action_new (self, key, owned);
}
