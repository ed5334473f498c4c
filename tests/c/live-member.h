/* SPDX-License-Identifier: MIT */

#pragma once

#include "raw-peer.h"

G_BEGIN_DECLS

/* A member in a process of its own, which raw peers treat as they like: so its memory, its
 * descriptors and the time that it is blocked can be told from the test's. It is on entry 0; the
 * raw peers can be on the others. */
typedef struct _LiveMember LiveMember;

/* What a member knows of itself. `late`, `blocked` and `peak` are since it was to forget them. */
typedef struct
{
  gint64 late;        /* µs, by how much a timer came late at most */
  gint64 blocked;     /* µs of the processor that were used between two turns of the loop at most */
  gint64 cpu;         /* µs of the processor since the start */
  gint64 rss;         /* KiB of memory */
  gint64 peak;        /* KiB, its maximum */
  gint64 descriptors;
  gint64 linked;      /* peers that are connected */
  gint64 peers;
  gint64 state;
  gint64 changed;     /* how often since the start */
  gint64 remote;      /* how many of them were remote */
  gint64 keys;        /* how often key-changed, since it was to listen to it */
  gint64 logged;
  gint64 bad_logged;  /* with control characters, or too long */
} LiveStats;

gboolean    live_member_is_wanted   (int          argc,
                                     char       **argv);
int         live_member_run         (char       **argv);

LiveMember *live_member_new         (guint        n_entries,
                                     const char  *members);
LiveMember *live_member_new_by      (const char  *command,
                                     guint        n_entries,
                                     const char  *members);
void        live_member_free        (LiveMember  *self);
void        live_member_kill        (LiveMember  *self);
char       *live_member_ask         (LiveMember  *self,
                                     const char  *format,
                                     ...) G_GNUC_PRINTF (2, 3);
gboolean    live_member_has         (LiveMember  *self,
                                     const char  *text);
void        live_member_assert_has  (LiveMember  *self,
                                     const char  *text);
void        live_member_set         (LiveMember  *self,
                                     const char  *text);
LiveStats   live_member_look        (LiveMember  *self);
void        live_member_forget      (LiveMember  *self);
void        live_member_assert_well (LiveMember  *self);

gint64      live_slack              (void);
void        live_assert_unblocked   (LiveStats    stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LiveMember, live_member_free)

G_END_DECLS
