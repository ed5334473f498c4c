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

/* How many keys a writer may make, removed ones counted. */
#define AMNESIA_MAX_KEYS 4096
/* All entries together, in times the largest one. */
#define AMNESIA_MAX_SIZES_IN_ALL 4

/* A write of ours that another one replaced or covered whose writer had not seen it. */
typedef struct
{
  AmnesiaEntry *lost;   /* (owned) */
  AmnesiaEntry *winner; /* (owned) */
} AmnesiaLoss;

/* What there is, or would be with some more keys. */
typedef struct
{
  guint   n_keys;
  guint64 size;  /* of the values of all entries */
} AmnesiaRoom;

AmnesiaReplica *amnesia_replica_new          (guint64          id);
void            amnesia_replica_free         (AmnesiaReplica  *self);

guint64         amnesia_replica_get_id       (AmnesiaReplica  *self);
void            amnesia_replica_set_max_size (AmnesiaReplica  *self,
                                              guint64          max_size);

void            amnesia_replica_set_default  (AmnesiaReplica  *self,
                                              GVariant        *value);
GVariant       *amnesia_replica_get_default  (AmnesiaReplica  *self);
gboolean        amnesia_replica_takes_keys   (AmnesiaReplica  *self);
AmnesiaRoom     amnesia_replica_get_room     (AmnesiaReplica  *self);
void            amnesia_replica_count_key    (AmnesiaReplica  *self,
                                              AmnesiaRoom     *room,
                                              const char      *key,
                                              GVariant        *value);

GVariant       *amnesia_replica_get_value    (AmnesiaReplica  *self);
GVariant       *amnesia_replica_dup_member   (AmnesiaReplica  *self,
                                              const char      *key);
AmnesiaEntry   *amnesia_replica_get_newest   (AmnesiaReplica  *self);
AmnesiaEntry   *amnesia_replica_lookup       (AmnesiaReplica  *self,
                                              const char      *key);
gboolean        amnesia_replica_wrote        (AmnesiaReplica     *self,
                                              const AmnesiaEntry *entry);
gboolean        amnesia_replica_beats        (AmnesiaReplica  *self,
                                              const char      *key,
                                              AmnesiaStamp     stamp,
                                              guint64          id);
GPtrArray      *amnesia_replica_list         (AmnesiaReplica  *self);
GPtrArray      *amnesia_replica_list_range   (AmnesiaReplica  *self,
                                              const char      *from,
                                              const char      *to,
                                              guint            max);
GPtrArray      *amnesia_replica_list_write   (AmnesiaReplica  *self,
                                              AmnesiaEntry    *entry);

AmnesiaEntry   *amnesia_replica_write        (AmnesiaReplica  *self,
                                              gint64           wall,
                                              const char      *key,
                                              GVariant        *value);
GPtrArray      *amnesia_replica_write_keys   (AmnesiaReplica  *self,
                                              gint64           wall,
                                              GVariant        *keys);
AmnesiaEntry   *amnesia_replica_write_first  (AmnesiaReplica  *self,
                                              gint64           wall,
                                              const char      *key,
                                              GVariant        *value);
gboolean        amnesia_replica_begin_merge  (AmnesiaReplica  *self,
                                              gint64           wall,
                                              GPtrArray       *entries);
void            amnesia_replica_end_merge    (AmnesiaReplica  *self);
AmnesiaMerge    amnesia_replica_merge        (AmnesiaReplica  *self,
                                              gint64           wall,
                                              AmnesiaEntry    *entry);
GPtrArray      *amnesia_replica_rewrite_ahead (AmnesiaReplica *self,
                                               gint64          wall);

GPtrArray      *amnesia_replica_steal_losses (AmnesiaReplica  *self);

guint64         amnesia_replica_get_digest   (AmnesiaReplica  *self);
guint64         amnesia_replica_get_size     (AmnesiaReplica  *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaReplica, amnesia_replica_free)

G_END_DECLS
