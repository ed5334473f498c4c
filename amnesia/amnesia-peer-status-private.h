/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-peer.h"

G_BEGIN_DECLS

/* What there is to be said of a peer. */
typedef struct
{
  AmnesiaPeerState  state;
  AmnesiaWay        way;
  gboolean          in_sync;
  gint64            round_trip; /* microseconds, -1: not known */
  const GError     *error;      /* (nullable) */
} AmnesiaPeerFacts;

/* That in a line, which changes no more often than somebody could read it. */
typedef struct
{
  char             *text;         /* (owned) */
  AmnesiaPeerState  state;        /* what it was made of */
  AmnesiaWay        way;
  gboolean          in_sync;
  gint64            round_trip;
  char             *error;        /* (owned) (nullable) */
  gint64            behind_since; /* when it fell behind, 0: it has not */
} AmnesiaPeerStatus;

void     amnesia_peer_status_init   (AmnesiaPeerStatus      *self);
void     amnesia_peer_status_clear  (AmnesiaPeerStatus      *self);
gboolean amnesia_peer_status_update (AmnesiaPeerStatus      *self,
                                     const AmnesiaPeerFacts *facts,
                                     gint64                  now);

G_END_DECLS
