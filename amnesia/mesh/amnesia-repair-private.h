/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-frame-private.h"
#include "replica/amnesia-replica-private.h"

G_BEGIN_DECLS

/* How the two sides of a link find out what each lacks: by lists when it begins, and again when
 * the digests in the heartbeats say that something was missed. */
typedef struct
{
  AmnesiaReplica *replica;       /* (unowned) */
  guint64         max_size;
  guint64         peer_max_size;

  /* our list */
  char           *from;          /* (owned) (nullable) where its next frame begins */
  gboolean        reply;         /* the peer is to answer with its own */
  gint64          last_exchange;
  guint           mismatches;    /* digests in a row that were not ours */

  /* the peer's list */
  gboolean        listed;        /* one has come to its end */
  gboolean        ignored;       /* the present one came too soon */
  gboolean        given;         /* what the first one says to be lacking was sent before it */
  char           *next;          /* (owned) (nullable) where its next frame has to begin */
  gint64          begun;
  GTree          *wanted;        /* (owned) (element-type utf8 AmnesiaListItem) newer than ours */
  GTree          *withheld;      /* (owned) (element-type utf8 AmnesiaListItem) too large for us */
  GTree          *denied;        /* (owned) (element-type utf8 AmnesiaListItem) too large for the peer */
} AmnesiaRepair;

void       amnesia_repair_init        (AmnesiaRepair       *self,
                                       AmnesiaReplica      *replica,
                                       guint64              max_size);
void       amnesia_repair_clear       (AmnesiaRepair       *self);

void       amnesia_repair_start       (AmnesiaRepair       *self,
                                       guint64              peer_max_size);
GPtrArray *amnesia_repair_assume_empty (AmnesiaRepair *self,
                                        gint64         wall);
GPtrArray *amnesia_repair_receive     (AmnesiaRepair       *self,
                                       const AmnesiaFrame  *frame,
                                       gint64               mono,
                                       gint64               wall,
                                       GError             **error);
void       amnesia_repair_pull        (AmnesiaRepair       *self,
                                       AmnesiaPacket       *packet);
void       amnesia_repair_refuse      (AmnesiaRepair       *self,
                                       const char          *key);
void       amnesia_repair_deny        (AmnesiaRepair       *self,
                                       const AmnesiaEntry  *entry);
gboolean   amnesia_repair_is_denying  (AmnesiaRepair       *self);
gboolean   amnesia_repair_give_up     (AmnesiaRepair       *self,
                                       GError             **error);
guint64    amnesia_repair_get_digest  (AmnesiaRepair       *self);
void       amnesia_repair_compare     (AmnesiaRepair       *self,
                                       guint64              digest,
                                       gint64               mono);
gboolean   amnesia_repair_is_due      (const AmnesiaRepair *self);
gboolean   amnesia_repair_is_complete (AmnesiaRepair       *self);

G_END_DECLS
