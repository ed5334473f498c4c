/* SPDX-License-Identifier: MIT */

/* Properties that are bound to parts of a store's value: what an application sees of it. */

#include "amnesia-bind.h"

#include "amnesia-binding-private.h"
#include "amnesia-convert-private.h"
#include "amnesia-store-private.h"
#include "replica/amnesia-value-private.h"

G_DEFINE_FLAGS_TYPE (AmnesiaBindFlags, amnesia_bind_flags,
                     G_DEFINE_ENUM_VALUE (AMNESIA_BIND_DEFAULT, "default"),
                     G_DEFINE_ENUM_VALUE (AMNESIA_BIND_GET, "get"),
                     G_DEFINE_ENUM_VALUE (AMNESIA_BIND_SET, "set"),
                     G_DEFINE_ENUM_VALUE (AMNESIA_BIND_GET_NO_CHANGES, "get-no-changes"),
                     G_DEFINE_ENUM_VALUE (AMNESIA_BIND_INVERT_BOOLEAN, "invert-boolean"),
                     G_DEFINE_ENUM_VALUE (AMNESIA_BIND_AFTER_SYNC, "after-sync"))

/* Nothing but the program can be wrong here: the property is what it is. */
static gboolean
check_access (GObject          *object,
              GParamSpec       *property,
              AmnesiaBindFlags  flags)
{
  if ((flags & AMNESIA_BIND_GET) &&
      (!(property->flags & G_PARAM_WRITABLE) || (property->flags & G_PARAM_CONSTRUCT_ONLY)))
    {
      g_critical ("amnesia_store_bind: property '%s' of class '%s' is not writable", property->name,
                  G_OBJECT_TYPE_NAME (object));
      return FALSE;
    }
  if ((flags & AMNESIA_BIND_SET) && !(property->flags & G_PARAM_READABLE))
    {
      g_critical ("amnesia_store_bind: property '%s' of class '%s' is not readable", property->name,
                  G_OBJECT_TYPE_NAME (object));
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_type (GObject              *object,
            GParamSpec           *property,
            AmnesiaBindFlags      flags,
            const AmnesiaMapping *mapping)
{
  gboolean plain = ((flags & AMNESIA_BIND_GET) && mapping->get == NULL) ||
                   ((flags & AMNESIA_BIND_SET) && mapping->set == NULL);

  if ((flags & AMNESIA_BIND_INVERT_BOOLEAN) && property->value_type != G_TYPE_BOOLEAN)
    {
      g_critical ("amnesia_store_bind: AMNESIA_BIND_INVERT_BOOLEAN is for booleans, but property '%s' of "
                  "class '%s' is a '%s'", property->name, G_OBJECT_TYPE_NAME (object),
                  g_type_name (property->value_type));
      return FALSE;
    }
  if (plain && !amnesia_convert_knows_type (property->value_type))
    {
      g_critical ("amnesia_store_bind: property '%s' of class '%s' is a '%s', which no value becomes "
                  "without a mapping", property->name, G_OBJECT_TYPE_NAME (object),
                  g_type_name (property->value_type));
      return FALSE;
    }
  return TRUE;
}

/* Takes the content of @mapping. */
static void
bind (AmnesiaStore     *self,
      const char       *key,
      GObject          *object,
      const char       *name,
      AmnesiaBindFlags  flags,
      AmnesiaMapping   *mapping)
{
  GParamSpec *property = g_object_class_find_property (G_OBJECT_GET_CLASS (object), name);

  if (!(flags & (AMNESIA_BIND_GET | AMNESIA_BIND_SET)))
    flags |= AMNESIA_BIND_GET | AMNESIA_BIND_SET;
  if (property == NULL)
    g_critical ("amnesia_store_bind: there is no property '%s' of class '%s'", name,
                G_OBJECT_TYPE_NAME (object));
  if (property != NULL && check_access (object, property, flags) &&
      check_type (object, property, flags, mapping))
    amnesia_binding_attach (self, key, object, property, flags, mapping);
  else
    amnesia_mapping_clear (mapping);
}

/**
 * amnesia_store_bind:
 * @self: a store
 * @key: (nullable): a key: 1 to 255 bytes of UTF-8; or `NULL` for the whole value
 * @object: (type GObject.Object): an object
 * @property: the name of one of its properties
 * @flags: what follows what
 *
 * Binds a property to a part of the shared value, as [method@Gio.Settings.bind] does with a setting:
 * a switch *is* the key from now on, here and for all who share it.
 *
 * ```c
 * amnesia_store_bind (mem, "volume", adjustment, "value", AMNESIA_BIND_DEFAULT);
 * ```
 *
 * The property takes the value of the key at once, if there is one; with `SET` alone the key takes that
 * of the property. If there is no such key, the property stays as it is, and nothing is written until it
 * changes. A key that is removed leaves the property as it is.
 *
 * The binding lives as long as the object, or until [func@Amnesia.Store.unbind]; so long it keeps the
 * store. There is one binding for a property: another one takes its place.
 *
 * | property | value of the key | written as |
 * | --- | --- | --- |
 * | boolean | `b` | `b` |
 * | number | any number, if the property's type can hold it | the type that the key has, if that can hold it; else `x`, `t` beyond it, or `d` |
 * | string | `s`, `o`, `g` | `s` |
 * | enumeration | `s`: the nick | `s` |
 * | flags | `as` or `av`: the nicks | `as`, or `av` if the key has that |
 * | `GStrv` | `as` or `av` of up to 65,536 strings | `as`, or `av` if the key has that |
 * | `GBytes`, `GByteArray` | `ay` | `ay` |
 * | `GVariant` | any | as it is |
 *
 * No number is rounded to fit, except a double for a property of type `float`: 3.0 becomes an integer,
 * 3.5 does not. A value that does not become the property's, or is out of its range, leaves it as it is;
 * [signal@Amnesia.Store::log] says so, once, until another value does. So it is with what cannot be
 * written: a string that is `NULL`, or a key while the value is not a dictionary.
 *
 * What is set on the property on behalf of the key is not written back, even if the object makes
 * something else of it at once. (Later, in an idle callback, it changes the property as somebody would.)
 * What others write while the property is just being changed here is set when it has been quiet for
 * 200 ms; so a slider does not jump back under the hand. What is written in this process, by another
 * binding or by [method@Amnesia.Store.set_key], is set at once.
 *
 * With `AFTER_SYNC` nothing is written before the store is synced or alone for the first time. If there
 * is a value then, the property takes it, or with `SET` alone the key that of the property; if not, the
 * property is written if it has changed.
 *
 * Values of more than 65,536 members tell of no keys ([signal@Amnesia.Store::key-changed]), so that the
 * property stays as it is meanwhile.
 *
 * Use the object in the thread of the store only, where it is to be dropped as well. A property that
 * there is not, that cannot be read or written as @flags have it, or whose type no value becomes, is a
 * mistake of the program, and a critical message.
 *
 * Since: 0.1
 */
void
amnesia_store_bind (AmnesiaStore     *self,
                    const char       *key,
                    gpointer          object,
                    const char       *property,
                    AmnesiaBindFlags  flags)
{
  g_auto (AmnesiaTurn) turn = NULL;
  AmnesiaMapping mapping = { .invert = (flags & AMNESIA_BIND_INVERT_BOOLEAN) != 0 };

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (key == NULL || amnesia_value_is_key (key));
  g_return_if_fail (G_IS_OBJECT (object));
  g_return_if_fail (property != NULL);
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  bind (self, key, object, property, flags, &mapping);
}

/**
 * amnesia_store_bind_with_mapping: (skip)
 * @self: a store
 * @key: (nullable): a key: 1 to 255 bytes of UTF-8; or `NULL` for the whole value
 * @object: (type GObject.Object): an object
 * @property: the name of one of its properties
 * @flags: what follows what; not `INVERT_BOOLEAN`
 * @get_mapping: (nullable): makes the property's value of the key's; `NULL`: as
 *   [method@Amnesia.Store.bind] does
 * @set_mapping: (nullable): makes the key's value of the property's; `NULL`: as
 *   [method@Amnesia.Store.bind] does
 * @user_data: what the two get
 * @destroy: (nullable): frees @user_data when the binding goes
 *
 * Binds a property to a part of the shared value, as [method@Amnesia.Store.bind] does, by functions
 * that make one of the other. Other languages have
 * [method@Amnesia.Store.bind_with_mapping_closures].
 *
 * @get_mapping is not called while there is no value.
 *
 * Since: 0.1
 */
void
amnesia_store_bind_with_mapping (AmnesiaStore          *self,
                                 const char            *key,
                                 gpointer               object,
                                 const char            *property,
                                 AmnesiaBindFlags       flags,
                                 AmnesiaBindGetMapping  get_mapping,
                                 AmnesiaBindSetMapping  set_mapping,
                                 gpointer               user_data,
                                 GDestroyNotify         destroy)
{
  g_auto (AmnesiaTurn) turn = NULL;
  AmnesiaMapping mapping = { get_mapping, set_mapping, user_data, destroy };

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (key == NULL || amnesia_value_is_key (key));
  g_return_if_fail (G_IS_OBJECT (object));
  g_return_if_fail (property != NULL);
  g_return_if_fail (!(flags & AMNESIA_BIND_INVERT_BOOLEAN));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  bind (self, key, object, property, flags, &mapping);
}

/* --- closures --- */

typedef struct
{
  GClosure *get; /* (owned) (nullable) */
  GClosure *set; /* (owned) (nullable) */
} Closures;

static GClosure *
own_closure (GClosure *closure)
{
  if (closure == NULL)
    return NULL;
  g_closure_ref (closure);
  g_closure_sink (closure);
  if (G_CLOSURE_NEEDS_MARSHAL (closure))
    g_closure_set_marshal (closure, g_cclosure_marshal_generic);
  return closure;
}

static void
closures_free (gpointer data)
{
  Closures *self = data;

  g_clear_pointer (&self->get, g_closure_unref);
  g_clear_pointer (&self->set, g_closure_unref);
  g_free (self);
}

static gboolean
closures_get (GValue   *value,
              GVariant *variant,
              gpointer  user_data)
{
  Closures *self = user_data;
  g_auto (GValue) parameter = G_VALUE_INIT;

  g_value_init (&parameter, G_TYPE_VARIANT);
  g_value_set_variant (&parameter, variant);
  g_closure_invoke (self->get, value, 1, &parameter, NULL);
  return TRUE;
}

static GVariant *
closures_set (const GValue *value,
              gpointer      user_data)
{
  Closures *self = user_data;
  g_auto (GValue) result = G_VALUE_INIT;

  g_value_init (&result, G_TYPE_VARIANT);
  g_closure_invoke (self->set, &result, 1, value, NULL);
  return g_value_dup_variant (&result);
}

/**
 * amnesia_store_bind_with_mapping_closures: (rename-to amnesia_store_bind_with_mapping)
 * @self: a store
 * @key: (nullable): a key: 1 to 255 bytes of UTF-8; or `NULL` for the whole value
 * @object: an object
 * @property: the name of one of its properties
 * @flags: what follows what; not `INVERT_BOOLEAN`
 * @get_mapping: (nullable): makes the property's value of the key's; `NULL`: as
 *   [method@Amnesia.Store.bind] does
 * @set_mapping: (nullable): makes the key's value of the property's; `NULL`: as
 *   [method@Amnesia.Store.bind] does
 *
 * Binds a property to a part of the shared value, as [method@Amnesia.Store.bind] does, by closures
 * that make one of the other.
 *
 * @get_mapping is called with the value of the key, a [type@GLib.Variant], and returns the value of the
 * property. If it ends with an exception, the property stays as it is. It is not called while there is
 * no value.
 *
 * @set_mapping is called with the value of the property, and returns a [type@GLib.Variant]; or `NULL`,
 * or ends with an exception: then nothing is written.
 *
 * The binding keeps both as long as it lives; a closure that holds the object itself keeps it alive, until
 * [func@Amnesia.Store.unbind].
 *
 * A closure of C has its arguments by value and its result with a reference:
 * `GVariant *set (int value, gpointer user_data)`.
 *
 * Since: 0.1
 */
void
amnesia_store_bind_with_mapping_closures (AmnesiaStore     *self,
                                          const char       *key,
                                          GObject          *object,
                                          const char       *property,
                                          AmnesiaBindFlags  flags,
                                          GClosure         *get_mapping,
                                          GClosure         *set_mapping)
{
  g_auto (AmnesiaTurn) turn = NULL;
  AmnesiaMapping mapping = { 0 };
  Closures *closures;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (key == NULL || amnesia_value_is_key (key));
  g_return_if_fail (G_IS_OBJECT (object));
  g_return_if_fail (property != NULL);
  g_return_if_fail (!(flags & AMNESIA_BIND_INVERT_BOOLEAN));
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  closures = g_new (Closures, 1);
  *closures = (Closures) { own_closure (get_mapping), own_closure (set_mapping) };
  mapping.get = get_mapping != NULL ? closures_get : NULL;
  mapping.set = set_mapping != NULL ? closures_set : NULL;
  mapping.user_data = closures;
  mapping.destroy = closures_free;
  bind (self, key, object, property, flags, &mapping);
}

/**
 * amnesia_store_unbind:
 * @object: (type GObject.Object): an object
 * @property: the name of one of its properties
 *
 * Ends the binding of a property. The property and the key stay as they are. If there is none, nothing
 * happens.
 *
 * Since: 0.1
 */
void
amnesia_store_unbind (gpointer    object,
                      const char *property)
{
  g_auto (AmnesiaTurn) turn = NULL;
  GParamSpec *pspec;
  g_autoptr (AmnesiaStore) store = NULL;

  g_return_if_fail (G_IS_OBJECT (object));
  g_return_if_fail (property != NULL);

  pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (object), property);
  if (pspec == NULL || !g_set_object (&store, amnesia_binding_get_store (object, pspec)))
    return;
  g_return_if_fail (amnesia_store_enter_own_context (store, &turn));
  amnesia_binding_detach (object, pspec);
}
