/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-entry-private.h"

G_BEGIN_DECLS

/* What the value is: the entries, the merge rule, the digest. It knows no socket, no main loop and
 * no clock: the wall clock is an argument, in milliseconds since 1970. */
typedef struct _AmnesiaReplica AmnesiaReplica;

/* What became of an entry that arrived.
 * TAKEN: it is in force now. OLD: what is here is as new or newer. AHEAD: it is stamped more than
 * a year ahead; nothing was changed or remembered. FULL: there is no room for one more key. */
typedef enum
{
  AMNESIA_MERGE_TAKEN,
  AMNESIA_MERGE_OLD,
  AMNESIA_MERGE_AHEAD,
  AMNESIA_MERGE_FULL,
} AmnesiaMerge;

AmnesiaReplica *amnesia_replica_new          (guint64          id);
void            amnesia_replica_free         (AmnesiaReplica  *self);

guint64         amnesia_replica_get_id       (AmnesiaReplica  *self);
void            amnesia_replica_set_max_size (AmnesiaReplica  *self,
                                              guint64          max_size);

GVariant       *amnesia_replica_get_value    (AmnesiaReplica  *self);
AmnesiaEntry   *amnesia_replica_get_newest   (AmnesiaReplica  *self);
AmnesiaEntry   *amnesia_replica_lookup       (AmnesiaReplica  *self,
                                              const char      *key);
gboolean        amnesia_replica_beats        (AmnesiaReplica  *self,
                                              const char      *key,
                                              AmnesiaStamp     stamp,
                                              guint64          id);
GPtrArray      *amnesia_replica_list         (AmnesiaReplica  *self);
GPtrArray      *amnesia_replica_list_write   (AmnesiaReplica  *self,
                                              AmnesiaEntry    *entry);

AmnesiaEntry   *amnesia_replica_write        (AmnesiaReplica  *self,
                                              gint64           wall,
                                              const char      *key,
                                              GVariant        *value);
AmnesiaMerge    amnesia_replica_merge        (AmnesiaReplica  *self,
                                              gint64           wall,
                                              AmnesiaEntry    *entry);
GPtrArray      *amnesia_replica_rewrite_ahead (AmnesiaReplica *self,
                                              gint64           wall);

guint64         amnesia_replica_get_size     (AmnesiaReplica  *self);
guint64         amnesia_replica_get_digest   (AmnesiaReplica  *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaReplica, amnesia_replica_free)

G_END_DECLS
