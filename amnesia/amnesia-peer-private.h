/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-peer.h"
#include "mesh/amnesia-member-private.h"

G_BEGIN_DECLS

AmnesiaPeer         *amnesia_peer_new        (AmnesiaMember *member);
const AmnesiaMember *amnesia_peer_get_member (AmnesiaPeer   *self);
void                 amnesia_peer_update     (AmnesiaPeer   *self);
void                 amnesia_peer_detach     (AmnesiaPeer   *self);
void                 amnesia_peer_orphan     (AmnesiaPeer   *self);

G_END_DECLS
