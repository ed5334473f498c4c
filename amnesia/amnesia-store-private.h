/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-history-private.h"
#include "amnesia-store.h"
#include "amnesia-transitions-private.h"
#include "amnesia-waiters-private.h"
#include "mesh/amnesia-transport-private.h"

G_BEGIN_DECLS

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
  gboolean           guest;       /* in any case */
  guint              close_timeout;

  /* told to the outside */
  AmnesiaState       state;
  char              *listening;   /* (owned) (nullable) */
  GError            *error;       /* (owned) (nullable) */
  GListStore        *peers;       /* (owned) (element-type AmnesiaPeer) */
  guint              roster;      /* the serial of the members that @peers shows */
  AmnesiaHistory    *history;     /* (owned) */

  /* to be told */
  AmnesiaTransitions transitions;
  gboolean           merged;      /* others have written; not looked at yet */
  gboolean           emitting;
  gboolean           untold;      /* the keys of the last value, which has too many */
  GVariant          *told;        /* (owned) (nullable) then: that whose keys were told last */
  gboolean           answering;   /* what is being told comes from elsewhere */
  guint              n_answers;   /* how often that was set in, since @answers_since */
  gint64             answers_since;
  gboolean           answers_told;
  gboolean           data_moved;
  gboolean           updated_moved;
  gboolean           unpublished; /* the rest waits for the transitions */
  GQueue             messages;    /* (element-type utf8) */

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
  AMNESIA_STORE_PROP_DATA = 1,
  AMNESIA_STORE_PROP_DEFAULT_DATA,
  AMNESIA_STORE_PROP_UPDATED,
  AMNESIA_STORE_PROP_CONF,
  AMNESIA_STORE_PROP_STATE,
  AMNESIA_STORE_PROP_ERROR,
  AMNESIA_STORE_PROP_PEERS,
  AMNESIA_STORE_PROP_HISTORY,
  AMNESIA_STORE_PROP_HISTORY_LENGTH,
  AMNESIA_STORE_PROP_LISTENING,
  AMNESIA_STORE_PROP_GUEST,
  AMNESIA_STORE_PROP_CLOSE_TIMEOUT,
} AmnesiaStoreProperty;

/* The right of one thread to touch the store, while nobody runs its context. */
typedef GMainContext *AmnesiaTurn;

gboolean     amnesia_store_enter_own_context (AmnesiaStore  *self,
                                              AmnesiaTurn   *turn);
void         amnesia_turn_end                (AmnesiaTurn   *turn);
gboolean     amnesia_store_check_not_forked  (AmnesiaStore  *self,
                                              GError       **error);
void         amnesia_store_notify            (AmnesiaStore         *self,
                                              AmnesiaStoreProperty  property);

/* what is emitted: amnesia-store-signals.c */
void         amnesia_store_init_signals      (void);
void         amnesia_store_emit_changed      (AmnesiaStore            *self,
                                              const AmnesiaTransition *transition);
void         amnesia_store_emit_key_changes  (AmnesiaStore            *self,
                                              const AmnesiaTransition *transition);
void         amnesia_store_emit_superseded   (AmnesiaStore  *self,
                                              const char    *key,
                                              GVariant      *lost,
                                              GVariant      *winner);
void         amnesia_store_emit_log          (AmnesiaStore  *self,
                                              const char    *message);

/* telling the application: amnesia-store-publish.c */
extern const AmnesiaTransportFuncs amnesia_store_transport_funcs;

AmnesiaState amnesia_store_get_mesh_state    (AmnesiaStore  *self);
void         amnesia_store_note_transition   (AmnesiaStore  *self,
                                              gboolean       remote);
void         amnesia_store_note_default      (AmnesiaStore  *self);
void         amnesia_store_count_answer      (AmnesiaStore  *self);
void         amnesia_store_drain             (AmnesiaStore  *self);
void         amnesia_store_say               (AmnesiaStore  *self,
                                              const char    *message);
void         amnesia_store_set_error         (AmnesiaStore  *self,
                                              const GError  *error);
void         amnesia_store_publish           (AmnesiaStore  *self);

/* writing: amnesia-store-value.c */
GDateTime   *amnesia_store_read_stamp        (AmnesiaStamp   stamp);
guint64      amnesia_store_get_max_size      (AmnesiaStore  *self);
void         amnesia_store_finish_write      (AmnesiaStore  *self);

/* the same, of keys: amnesia-store-keys.c */
gboolean     amnesia_store_check_key         (const char    *key,
                                              GError       **error);
gboolean     amnesia_store_check_key_write   (AmnesiaStore  *self,
                                              const char    *key,
                                              GVariant      *value,
                                              GError       **error);

/* what is remembered: amnesia-store-history.c */
void         amnesia_store_record            (AmnesiaStore  *self,
                                              GVariant      *old_value,
                                              GVariant      *new_value,
                                              gboolean       written);

/* opening and closing: amnesia-store-open.c */
GTask       *amnesia_store_new_task          (AmnesiaStore        *self,
                                              GCancellable        *cancellable,
                                              GAsyncReadyCallback  callback,
                                              gpointer             user_data,
                                              gpointer             source_tag);
void         amnesia_store_init_open         (AmnesiaStore  *self);
void         amnesia_store_clear_open        (AmnesiaStore  *self);
gboolean     amnesia_store_is_open           (AmnesiaStore  *self);
void         amnesia_store_schedule_opening  (AmnesiaStore  *self);
void         amnesia_store_cancel_opening    (AmnesiaStore  *self);
void         amnesia_store_begin_close       (AmnesiaStore  *self);
void         amnesia_store_proceed_with_close (AmnesiaStore *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmnesiaTurn, amnesia_turn_end)

G_END_DECLS
