/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined (AMNESIA_INSIDE) && !defined (AMNESIA_COMPILATION)
#error "Only <amnesia.h> can be included directly."
#endif

#include "amnesia-conf.h"
#include "amnesia-version.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmnesiaState:
 * @AMNESIA_STATE_CLOSED: not open: the value is this process's own
 * @AMNESIA_STATE_SYNCING: looking for the newest value
 * @AMNESIA_STATE_SYNCED: has the newest value that any peer has that answered in time
 * @AMNESIA_STATE_ALONE: no peer can be reached at present
 *
 * How an [class@Amnesia.Store] stands with those who share.
 *
 * Since: 0.1
 */
typedef enum
{
  AMNESIA_STATE_CLOSED,
  AMNESIA_STATE_SYNCING,
  AMNESIA_STATE_SYNCED,
  AMNESIA_STATE_ALONE,
} AmnesiaState;

AMNESIA_AVAILABLE_IN_0_1
GType amnesia_state_get_type (void);

/**
 * AMNESIA_TYPE_STATE:
 *
 * The type of [enum@Amnesia.State].
 *
 * Since: 0.1
 */
#define AMNESIA_TYPE_STATE (amnesia_state_get_type ())

#define AMNESIA_TYPE_STORE (amnesia_store_get_type ())

AMNESIA_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (AmnesiaStore, amnesia_store, AMNESIA, STORE, GObject)

AMNESIA_AVAILABLE_IN_0_1
AmnesiaStore *amnesia_store_new               (void);

AMNESIA_AVAILABLE_IN_0_1
GVariant     *amnesia_store_get_data          (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_set_data          (AmnesiaStore         *self,
                                               GVariant             *value);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_write             (AmnesiaStore         *self,
                                               GVariant             *value,
                                               GError              **error);
AMNESIA_AVAILABLE_IN_0_1
GDateTime    *amnesia_store_get_updated       (AmnesiaStore         *self);

AMNESIA_AVAILABLE_IN_0_1
GVariant     *amnesia_store_get_key           (AmnesiaStore         *self,
                                               const char           *key);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_has_key           (AmnesiaStore         *self,
                                               const char           *key);
AMNESIA_AVAILABLE_IN_0_1
char        **amnesia_store_list_keys         (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_set_key           (AmnesiaStore         *self,
                                               const char           *key,
                                               GVariant             *value,
                                               GError              **error);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_set_keys          (AmnesiaStore         *self,
                                               GVariant             *keys,
                                               GError              **error);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_remove_key        (AmnesiaStore         *self,
                                               const char           *key,
                                               GError              **error);

AMNESIA_AVAILABLE_IN_0_1
GVariant     *amnesia_store_get_default_data  (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_set_default_data  (AmnesiaStore         *self,
                                               GVariant             *value);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_set_if_unset_async       (AmnesiaStore         *self,
                                                      GVariant             *value,
                                                      GCancellable         *cancellable,
                                                      GAsyncReadyCallback   callback,
                                                      gpointer              user_data);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_set_if_unset_finish      (AmnesiaStore         *self,
                                                      GAsyncResult         *result,
                                                      GError              **error);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_set_key_if_unset_async   (AmnesiaStore         *self,
                                                      const char           *key,
                                                      GVariant             *value,
                                                      GCancellable         *cancellable,
                                                      GAsyncReadyCallback   callback,
                                                      gpointer              user_data);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_set_key_if_unset_finish  (AmnesiaStore         *self,
                                                      GAsyncResult         *result,
                                                      GError              **error);

AMNESIA_AVAILABLE_IN_0_1
AmnesiaConf  *amnesia_store_get_conf          (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_set_conf          (AmnesiaStore         *self,
                                               AmnesiaConf          *conf);
AMNESIA_AVAILABLE_IN_0_1
AmnesiaState  amnesia_store_get_state         (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
const GError *amnesia_store_get_error         (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
GListModel   *amnesia_store_get_peers         (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
GListModel   *amnesia_store_get_history       (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
guint         amnesia_store_get_history_length (AmnesiaStore        *self);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_set_history_length (AmnesiaStore *self,
                                                guint         length);
AMNESIA_AVAILABLE_IN_0_1
const char   *amnesia_store_get_listening     (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_get_guest         (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_set_guest         (AmnesiaStore         *self,
                                               gboolean              guest);
AMNESIA_AVAILABLE_IN_0_1
guint         amnesia_store_get_close_timeout (AmnesiaStore         *self);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_set_close_timeout (AmnesiaStore         *self,
                                               guint                 milliseconds);

AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_open_async        (AmnesiaStore         *self,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_open_finish       (AmnesiaStore         *self,
                                               GAsyncResult         *result,
                                               GError              **error);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_open_sync         (AmnesiaStore         *self,
                                               GCancellable         *cancellable,
                                               GError              **error);
AMNESIA_AVAILABLE_IN_0_1
void          amnesia_store_close_async       (AmnesiaStore         *self,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_close_finish      (AmnesiaStore         *self,
                                               GAsyncResult         *result,
                                               GError              **error);
AMNESIA_AVAILABLE_IN_0_1
gboolean      amnesia_store_close_sync        (AmnesiaStore         *self,
                                               GCancellable         *cancellable,
                                               GError              **error);

G_END_DECLS
