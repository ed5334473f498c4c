/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined (AMNESIA_INSIDE) && !defined (AMNESIA_COMPILATION)
#error "Only <amnesia.h> can be included directly."
#endif

#include "amnesia-store.h"
#include "amnesia-version.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmnesiaBindFlags:
 * @AMNESIA_BIND_DEFAULT: the same as `GET` and `SET` together
 * @AMNESIA_BIND_GET: the property follows the key
 * @AMNESIA_BIND_SET: the key follows the property
 * @AMNESIA_BIND_GET_NO_CHANGES: with `GET`: the property takes the value that the key has at first,
 *   and follows no changes
 * @AMNESIA_BIND_INVERT_BOOLEAN: both are booleans, and one is the opposite of the other
 * @AMNESIA_BIND_AFTER_SYNC: nothing is written before the store is synced, or alone
 *
 * How a property is bound to a part of the value of an [class@Amnesia.Store]; see
 * [method@Amnesia.Store.bind].
 *
 * Since: 0.1
 */
typedef enum /*< flags >*/
{
  AMNESIA_BIND_DEFAULT = 0,
  AMNESIA_BIND_GET = 1 << 0,
  AMNESIA_BIND_SET = 1 << 1,
  AMNESIA_BIND_GET_NO_CHANGES = 1 << 2,
  AMNESIA_BIND_INVERT_BOOLEAN = 1 << 3,
  AMNESIA_BIND_AFTER_SYNC = 1 << 4,
} AmnesiaBindFlags;

AMNESIA_AVAILABLE_IN_0_1
GType amnesia_bind_flags_get_type (void);

/**
 * AMNESIA_TYPE_BIND_FLAGS:
 *
 * The type of [flags@Amnesia.BindFlags].
 *
 * Since: 0.1
 */
#define AMNESIA_TYPE_BIND_FLAGS (amnesia_bind_flags_get_type ())

/**
 * AmnesiaBindGetMapping:
 * @value: where the value for the property goes: it is of the property's type, and holds what the
 *   property has, or its default if it cannot be read
 * @variant: the value of the key
 * @user_data: what was given to `amnesia_store_bind_with_mapping ()`
 *
 * Makes the value of a property of that of a key.
 *
 * Returns: whether it could; if not, the property stays as it is, and
 *   [signal@Amnesia.Store::log] says so
 *
 * Since: 0.1
 */
typedef gboolean (*AmnesiaBindGetMapping) (GValue       *value,
                                           GVariant     *variant,
                                           gpointer      user_data);

/**
 * AmnesiaBindSetMapping:
 * @value: the value of the property
 * @user_data: what was given to `amnesia_store_bind_with_mapping ()`
 *
 * Makes the value of a key of that of a property.
 *
 * Returns: (transfer full) (nullable): the value, which may be floating; `NULL`: nothing is written
 *
 * Since: 0.1
 */
typedef GVariant *(*AmnesiaBindSetMapping) (const GValue *value,
                                            gpointer      user_data);

AMNESIA_AVAILABLE_IN_0_1
void     amnesia_store_bind                       (AmnesiaStore           *self,
                                                   const char             *key,
                                                   gpointer                object,
                                                   const char             *property,
                                                   AmnesiaBindFlags        flags);
AMNESIA_AVAILABLE_IN_0_1
void     amnesia_store_bind_with_mapping          (AmnesiaStore           *self,
                                                   const char             *key,
                                                   gpointer                object,
                                                   const char             *property,
                                                   AmnesiaBindFlags        flags,
                                                   AmnesiaBindGetMapping   get_mapping,
                                                   AmnesiaBindSetMapping   set_mapping,
                                                   gpointer                user_data,
                                                   GDestroyNotify          destroy);
AMNESIA_AVAILABLE_IN_0_1
void     amnesia_store_bind_with_mapping_closures (AmnesiaStore           *self,
                                                   const char             *key,
                                                   GObject                *object,
                                                   const char             *property,
                                                   AmnesiaBindFlags        flags,
                                                   GClosure               *get_mapping,
                                                   GClosure               *set_mapping);
AMNESIA_AVAILABLE_IN_0_1
void     amnesia_store_unbind                     (gpointer                object,
                                                   const char             *property);

AMNESIA_AVAILABLE_IN_0_1
GAction *amnesia_store_create_action              (AmnesiaStore           *self,
                                                   const char             *key,
                                                   GVariant               *default_state);

G_END_DECLS
