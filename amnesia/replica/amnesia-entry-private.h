/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-clock-private.h"

G_BEGIN_DECLS

#define AMNESIA_MAX_SEEN 16

/* The greatest stamp that was seen of one writer. */
typedef struct
{
  guint64      id;
  AmnesiaStamp stamp;
} AmnesiaSeen;

/* One write of one key: immutable, shared by all who hold it. (key, stamp, id) is its identity. */
typedef struct
{
  gatomicrefcount ref_count;

  char         *key;   /* "" for the base entry, the whole value; in the memory of the entry itself */
  AmnesiaStamp  stamp;
  guint64       id;    /* the writer */
  GVariant     *value; /* (owned) (nullable) NULL: unset, or for a key: removed */
  gsize         size;  /* of that, serialised */

  AmnesiaSeen   seen[AMNESIA_MAX_SEEN]; /* what the writer had seen of others, in order of id */
  guint         n_seen;

  GBytes       *wire;  /* (owned) (nullable) left here by the codec, so that it encodes once */
} AmnesiaEntry;

AmnesiaEntry *amnesia_entry_new      (const char         *key,
                                      AmnesiaStamp        stamp,
                                      guint64             id,
                                      GVariant           *value,
                                      const AmnesiaSeen  *seen,
                                      guint               n_seen);
GPtrArray    *amnesia_entries_new    (void);
AmnesiaEntry *amnesia_entry_ref      (AmnesiaEntry       *self);
void          amnesia_entry_unref    (AmnesiaEntry       *self);
gboolean      amnesia_entry_is_base  (const AmnesiaEntry *self);
int           amnesia_entry_compare  (const AmnesiaEntry *a,
                                      const AmnesiaEntry *b);
int           amnesia_write_compare  (AmnesiaStamp        stamp_a,
                                      guint64             id_a,
                                      AmnesiaStamp        stamp_b,
                                      guint64             id_b);
int           amnesia_compare_keys   (gconstpointer       a,
                                      gconstpointer       b,
                                      gpointer            user_data);
guint64       amnesia_entry_hash     (const AmnesiaEntry *self);
gsize         amnesia_entry_get_size (const AmnesiaEntry *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaEntry, amnesia_entry_unref)

G_END_DECLS
