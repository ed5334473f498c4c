/* SPDX-License-Identifier: MIT */

#include "amnesia-binding-private.h"

#include "amnesia-convert-private.h"
#include "amnesia-store-private.h"
#include "replica/amnesia-value-private.h"

/* How long a property has to be quiet before it takes what others have written: a slider that somebody
 * drags must not jump back under the hand. Events come every 16 ms from a pointer, and every 30 ms from a
 * key that is held down. */
#define HOLD_TIME (200 * G_TIME_SPAN_MILLISECOND)

/* One property, and the key that it is bound to.
 *
 * It is data of the object, and goes with it. The code that it runs may unbind it, or drop the object:
 * then @object is NULL, and the rest lives as long as a function needs it. Where it is the store itself,
 * whoever calls holds that. */
typedef struct
{
  guint            n_refs;
  AmnesiaStore    *store;            /* (owned), unless it is the object itself */
  gboolean         owns_store;
  GObject         *object;           /* (unowned) (nullable) NULL: no longer bound */
  GParamSpec      *property;         /* (owned) */
  char            *key;              /* (owned) (nullable) NULL: the whole value */
  AmnesiaBindFlags flags;
  AmnesiaMapping   mapping;          /* (owned) */

  gulong           property_handler;
  gulong           key_handler;
  gulong           state_handler;    /* not 0: nothing is written yet */

  guint            n_putting;        /* what the property does now is our doing */
  GValue           shown;            /* what the property had when we looked last, if we have to know */
  gboolean         unwritten;        /* the property is to be written when the store is synced */
  GVariant        *written;          /* (owned) (nullable) ours, until something else comes */
  gint64           written_at;
  GSource         *held;             /* (owned) (nullable) when @property takes what others wrote */

  gboolean         get_told;         /* that the value does not become the property's */
  gboolean         set_told;         /* that the property's does not become one */
} AmnesiaBinding;

static AmnesiaBinding *
binding_ref (AmnesiaBinding *self)
{
  self->n_refs++;
  return self;
}

static void
binding_unref (AmnesiaBinding *self)
{
  if (--self->n_refs > 0)
    return;
  amnesia_mapping_clear (&self->mapping);
  if (G_IS_VALUE (&self->shown))
    g_value_unset (&self->shown);
  g_clear_pointer (&self->written, g_variant_unref);
  g_param_spec_unref (self->property);
  if (self->owns_store)
    g_object_unref (self->store);
  g_free (self->key);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaBinding, binding_unref)

static void
stop_holding (AmnesiaBinding *self)
{
  if (self->held != NULL)
    g_source_destroy (self->held);
  g_clear_pointer (&self->held, g_source_unref);
}

/* Where the object goes, its handlers have gone before. */
static void
disconnect (gpointer  instance,
            gulong   *handler)
{
  if (*handler != 0 && g_signal_handler_is_connected (instance, *handler))
    g_signal_handler_disconnect (instance, *handler);
  *handler = 0;
}

static void
binding_cut (gpointer data)
{
  AmnesiaBinding *self = data;

  disconnect (self->object, &self->property_handler);
  disconnect (self->store, &self->key_handler);
  disconnect (self->store, &self->state_handler);
  stop_holding (self);
  self->object = NULL;
  binding_unref (self);
}

/* @what the property does not, with the key. */
static void
say_once (AmnesiaBinding *self,
          gboolean       *told,
          const char     *what,
          const char     *why)
{
  GType type = self->object != NULL ? G_OBJECT_TYPE (self->object) : self->property->owner_type;
  g_autofree char *key = NULL;
  g_autofree char *message = NULL;

  if (*told)
    return;
  *told = TRUE;
  key = self->key != NULL ? g_strdup_printf ("the key “%s”", self->key) : g_strdup ("the value");
  message = g_strdup_printf ("the property “%s” of a %s %s %s: %s", self->property->name,
                             g_type_name (type), what, key, why);
  amnesia_store_say (self->store, message);
}

static GVariant *
dup_present (AmnesiaBinding *self)
{
  return self->key != NULL ? amnesia_store_get_key (self->store, self->key)
                           : amnesia_store_get_data (self->store);
}

/* --- the property --- */

/* Initialises @value with what the property has. */
static void
read_property (AmnesiaBinding *self,
               GValue         *value)
{
  g_value_init (value, self->property->value_type);
  if (self->property->flags & G_PARAM_READABLE)
    g_object_get_property (self->object, self->property->name, value);
  else
    g_param_value_set_default (self->property, value);
}

/* Only to tell what is new of it. Of an object no reference is kept: it might be one that keeps ours. */
static gboolean
has_to_know (AmnesiaBinding *self)
{
  return (self->flags & AMNESIA_BIND_SET) && amnesia_convert_knows_type (self->property->value_type);
}

static void
remember_shown (AmnesiaBinding *self,
                const GValue   *value)
{
  if (!has_to_know (self))
    return;
  if (!G_IS_VALUE (&self->shown))
    g_value_init (&self->shown, G_VALUE_TYPE (value));
  g_value_copy (value, &self->shown);
}

static void
look_at_property (AmnesiaBinding *self)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (self->object == NULL || !has_to_know (self))
    return;
  read_property (self, &value);
  remember_shown (self, &value);
}

/* --- from the key to the property --- */

/* Makes of @value, which is the property's present one, the one that it should have. May run the
 * application's code. */
static gboolean
map_to_property (AmnesiaBinding *self,
                 GVariant       *variant,
                 GValue         *value)
{
  g_autoptr (GError) error = NULL;

  if (amnesia_mapping_get (&self->mapping, self->property, variant, value, &error))
    {
      self->get_told = FALSE;
      return TRUE;
    }
  say_once (self, &self->get_told, "does not take", error->message);
  return FALSE;
}

/* What the property does with it is its own affair: nothing of that is written, or two of them that
 * cut it differently would go on for ever. */
static void
set_property (AmnesiaBinding *self,
              const GValue   *value)
{
  self->n_putting++;
  g_object_set_property (self->object, self->property->name, value);
  self->n_putting--;
  look_at_property (self);
}

/* Lets the property have the key's value. */
static void
put (AmnesiaBinding *self,
     GVariant       *variant)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (GValue) before = G_VALUE_INIT;

  stop_holding (self);
  g_clear_pointer (&self->written, g_variant_unref);
  self->unwritten = FALSE;
  if (self->object == NULL)
    return;
  read_property (self, &value);
  g_value_init (&before, G_VALUE_TYPE (&value));
  g_value_copy (&value, &before);
  if (!map_to_property (self, variant, &value) || self->object == NULL)
    return;
  if ((self->property->flags & G_PARAM_READABLE) && amnesia_convert_equal (&value, &before))
    remember_shown (self, &before);
  else
    set_property (self, &value);
}

static gboolean
hold_cb (gpointer user_data)
{
  g_autoptr (AmnesiaBinding) self = binding_ref (user_data);
  g_autoptr (AmnesiaStore) alive = g_object_ref (self->store);
  g_autoptr (GVariant) present = dup_present (self);

  stop_holding (self);
  if (present != NULL && !amnesia_value_equal (present, self->written))
    put (self, present);
  return G_SOURCE_REMOVE;
}

static int
hold_dispatch (GSource     *source,
               GSourceFunc  callback,
               gpointer     user_data)
{
  return callback (user_data);
}

static GSourceFuncs hold_funcs = { .dispatch = hold_dispatch };

/* Whether somebody is just changing the property. */
static gboolean
is_busy (AmnesiaBinding *self)
{
  return self->written_at != 0 && g_get_monotonic_time () < self->written_at + HOLD_TIME;
}

static void
hold (AmnesiaBinding *self)
{
  if (self->held == NULL)
    {
      self->held = g_source_new (&hold_funcs, sizeof (GSource));
      g_source_set_static_name (self->held, "amnesia binding");
      g_source_set_callback (self->held, hold_cb, self, NULL);
      g_source_attach (self->held, self->store->context);
    }
  g_source_set_ready_time (self->held, self->written_at + HOLD_TIME);
}

/* The key has another value, if only for a moment: what counts is what it has now. That which we have
 * written ourselves comes back here as well, also late, when another emission was under way. */
static void
key_has_changed (AmnesiaBinding *binding,
                 gboolean        remote)
{
  g_autoptr (AmnesiaBinding) self = binding_ref (binding);
  g_autoptr (GVariant) present = dup_present (self);

  if (present == NULL)
    g_clear_pointer (&self->written, g_variant_unref);
  else if (amnesia_value_equal (present, self->written))
    stop_holding (self);
  else if (remote && is_busy (self))
    hold (self);
  else
    put (self, present);
}

static void
key_changed_cb (AmnesiaStore *store,
                const char   *key,
                GVariant     *old_value,
                GVariant     *new_value,
                gboolean      remote,
                gpointer      user_data)
{
  key_has_changed (user_data, remote);
}

static void
changed_cb (AmnesiaStore *store,
            GVariant     *old_value,
            GVariant     *new_value,
            gboolean      remote,
            gpointer      user_data)
{
  key_has_changed (user_data, remote);
}

/* --- from the property to the key --- */

static GVariant *
map_to_key (AmnesiaBinding *self,
            GVariant       *present,
            const GValue   *value)
{
  g_autoptr (GError) error = NULL;
  GVariant *variant = amnesia_mapping_set (&self->mapping, value, present, &error);

  if (error != NULL)
    say_once (self, &self->set_told, "is not written to", error->message);
  return variant;
}

/* @variant is what the property says now: when it comes from the key, there is nothing to be done. */
static void
remember_written (AmnesiaBinding *self,
                  GVariant       *variant)
{
  g_variant_ref (variant);
  g_clear_pointer (&self->written, g_variant_unref);
  self->written = variant;
}

/* @variant is held by who calls. */
static void
write_variant (AmnesiaBinding *self,
               GVariant       *variant)
{
  g_autoptr (GError) error = NULL;
  gboolean written;

  remember_written (self, variant);
  if (self->key != NULL)
    written = amnesia_store_set_key (self->store, self->key, variant, &error);
  else
    written = amnesia_store_write (self->store, variant, &error);
  if (written)
    {
      self->set_told = FALSE;
      return;
    }
  g_clear_pointer (&self->written, g_variant_unref);
  say_once (self, &self->set_told, "is not written to", error->message);
}

/* Writes what the property has: @value, which is changed. May run the application's code. */
static void
write_value (AmnesiaBinding *self,
             const GValue   *value)
{
  g_autoptr (GVariant) present = dup_present (self);
  g_autoptr (GVariant) variant = NULL;

  self->unwritten = FALSE;
  self->written_at = g_get_monotonic_time ();
  if (self->held != NULL)
    hold (self);
  if (amnesia_mapping_is_said (&self->mapping, present, value))
    {
      remember_written (self, present);
      return;
    }
  variant = map_to_key (self, present, value);
  if (variant == NULL || self->object == NULL)
    return;
  if (amnesia_value_equal (variant, present))
    remember_written (self, present);
  else
    write_variant (self, variant);
}

static void
write_property (AmnesiaBinding *self)
{
  g_auto (GValue) value = G_VALUE_INIT;

  read_property (self, &value);
  if (self->object == NULL)
    return;
  remember_shown (self, &value);
  write_value (self, &value);
}

/* A widget may notify later of what was put on it, or without that anything is new. */
static void
property_notify_cb (GObject    *object,
                    GParamSpec *pspec,
                    gpointer    user_data)
{
  g_autoptr (AmnesiaBinding) self = binding_ref (user_data);
  g_auto (AmnesiaTurn) turn = NULL;
  g_auto (GValue) value = G_VALUE_INIT;

  g_return_if_fail (amnesia_store_enter_own_context (self->store, &turn));

  if (self->n_putting > 0)
    return;
  read_property (self, &value);
  if (self->object == NULL || (G_IS_VALUE (&self->shown) && amnesia_convert_equal (&value, &self->shown)))
    return;
  remember_shown (self, &value);
  if (self->state_handler == 0)
    write_value (self, &value);
  else
    self->unwritten = TRUE;
}

/* --- the beginning --- */

static gboolean
is_settled (AmnesiaStore *store)
{
  AmnesiaState state = amnesia_store_get_state (store);

  return state == AMNESIA_STATE_SYNCED || state == AMNESIA_STATE_ALONE;
}

/* Returns whether there was a value that the property was to take. */
static gboolean
take_present (AmnesiaBinding *self)
{
  g_autoptr (GVariant) present = NULL;

  if (!(self->flags & AMNESIA_BIND_GET))
    return FALSE;
  present = dup_present (self);
  if (present != NULL)
    put (self, present);
  return present != NULL;
}

/* With SET alone the key has what the property has from the first, if there is one. Where there is none
 * the property may well be what it is by default. */
static gboolean
is_to_follow (AmnesiaBinding *self)
{
  g_autoptr (GVariant) present = NULL;

  if ((self->flags & AMNESIA_BIND_GET) || self->object == NULL)
    return FALSE;
  present = dup_present (self);
  return present != NULL;
}

static void
state_notify_cb (AmnesiaStore *store,
                 GParamSpec   *pspec,
                 gpointer      user_data)
{
  g_autoptr (AmnesiaBinding) self = binding_ref (user_data);

  if (!is_settled (store))
    return;
  disconnect (store, &self->state_handler);
  if (!take_present (self) && (self->unwritten || is_to_follow (self)))
    write_property (self);
}

static gulong
connect_key (AmnesiaBinding *self)
{
  guint signal;
  GClosure *closure;

  if (self->key == NULL)
    return g_signal_connect (self->store, "changed", G_CALLBACK (changed_cb), self);
  signal = g_signal_lookup ("key-changed", AMNESIA_TYPE_STORE);
  closure = g_cclosure_new (G_CALLBACK (key_changed_cb), self, NULL);
  return g_signal_connect_closure_by_id (self->store, signal, g_quark_from_string (self->key), closure,
                                         FALSE);
}

static void
connect_all (AmnesiaBinding *self)
{
  g_autofree char *notify = g_strconcat ("notify::", self->property->name, NULL);

  if (self->flags & AMNESIA_BIND_SET)
    self->property_handler = g_signal_connect (self->object, notify, G_CALLBACK (property_notify_cb),
                                               self);
  if ((self->flags & AMNESIA_BIND_GET) && !(self->flags & AMNESIA_BIND_GET_NO_CHANGES))
    self->key_handler = connect_key (self);
  if ((self->flags & AMNESIA_BIND_AFTER_SYNC) && !is_settled (self->store))
    self->state_handler = g_signal_connect (self->store, "notify::state",
                                            G_CALLBACK (state_notify_cb), self);
}

static void
begin (AmnesiaBinding *self)
{
  look_at_property (self);
  if (!take_present (self) && self->state_handler == 0 && is_to_follow (self))
    write_property (self);
}

static GQuark
get_quark (GParamSpec *property)
{
  g_autofree char *name = g_strconcat ("amnesia-binding-", property->name, NULL);

  return g_quark_from_string (name);
}

/* Takes the content of @mapping. @flags say what follows what. May run the application's code. */
void
amnesia_binding_attach (AmnesiaStore         *store,
                        const char           *key,
                        GObject              *object,
                        GParamSpec           *property,
                        AmnesiaBindFlags      flags,
                        const AmnesiaMapping *mapping)
{
  g_autoptr (AmnesiaStore) alive = g_object_ref (store);
  g_autoptr (AmnesiaBinding) self = g_new0 (AmnesiaBinding, 1);

  self->n_refs = 1;
  self->store = store;
  self->owns_store = G_OBJECT (store) != object;
  if (self->owns_store)
    g_object_ref (store);
  self->object = object;
  self->property = g_param_spec_ref (property);
  self->key = g_strdup (key);
  self->flags = flags;
  self->mapping = *mapping;

  amnesia_binding_detach (object, property);
  g_object_set_qdata_full (object, get_quark (property), binding_ref (self), binding_cut);
  connect_all (self);
  begin (self);
}

/* Returns the store that the property is bound to, or NULL. */
AmnesiaStore *
amnesia_binding_get_store (GObject    *object,
                           GParamSpec *property)
{
  AmnesiaBinding *self = g_object_get_qdata (object, get_quark (property));

  return self != NULL ? self->store : NULL;
}

void
amnesia_binding_detach (GObject    *object,
                        GParamSpec *property)
{
  g_object_set_qdata (object, get_quark (property), NULL);
}
