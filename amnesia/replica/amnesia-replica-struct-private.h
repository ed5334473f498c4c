/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-replica-private.h"

G_BEGIN_DECLS

/* Each key entry in force is greater than the base. `writes` has all of them in the order in which
 * they were written; `digest` is a sum over them, `size` over them and the base. With as many keys as
 * there may be nothing that is done for each entry or frame may look at all of them; and where there
 * are none, a write costs no more than it must. */
struct _AmnesiaReplica
{
  guint64       id;
  guint64       writer;           /* the id that our writes bear: see start_clock_anew () */
  guint64       max_size;
  AmnesiaClock  clock;

  AmnesiaEntry *base;             /* (owned) (nullable) */
  GTree        *keys;             /* (owned) (element-type utf8 AmnesiaEntry), the key's is its */
  GTree        *writes;           /* (owned) (element-type AmnesiaEntry), unowned ones, no base */
  guint64       digest;
  guint64       size;
  gboolean      has_room;         /* for all that is merged now */

  AmnesiaSeen   seen[AMNESIA_MAX_SEEN]; /* the newest of each other writer */
  guint         n_seen;

  GPtrArray    *losses;           /* (owned) (nullable) (element-type AmnesiaLoss) */
  guint64       losses_size;

  GVariant     *default_value;    /* (owned) (nullable) stands in for a base that has no value */
  GVariant     *value;            /* (owned) (nullable) */
  gboolean      value_is_current; /* else it is made anew when it is asked for */
  gboolean      value_is_merged;  /* it has keys laid over it, and is made of what it was */
  GPtrArray    *changed;          /* (owned) (element-type utf8) the keys that were written since */
};

void amnesia_replica_forget_value       (AmnesiaReplica     *self);
void amnesia_replica_note_change        (AmnesiaReplica     *self,
                                         const AmnesiaEntry *entry);
void amnesia_replica_note_loss          (AmnesiaReplica     *self,
                                         AmnesiaEntry       *lost,
                                         AmnesiaEntry       *winner);

G_END_DECLS
