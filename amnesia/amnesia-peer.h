/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined (AMNESIA_INSIDE) && !defined (AMNESIA_COMPILATION)
#error "Only <amnesia.h> can be included directly."
#endif

#include "amnesia-version.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmnesiaPeerState:
 * @AMNESIA_PEER_STATE_AWAY: there is no connection; it is tried again from time to time
 * @AMNESIA_PEER_STATE_CONNECTING: a connection is being made
 * @AMNESIA_PEER_STATE_CONNECTED: connected, both sides have said hello
 *
 * How things stand with an [class@Amnesia.Peer].
 *
 * Since: 0.1
 */
typedef enum
{
  AMNESIA_PEER_STATE_AWAY,
  AMNESIA_PEER_STATE_CONNECTING,
  AMNESIA_PEER_STATE_CONNECTED,
} AmnesiaPeerState;

AMNESIA_AVAILABLE_IN_0_1
GType amnesia_peer_state_get_type (void);

/**
 * AMNESIA_TYPE_PEER_STATE:
 *
 * The type of [enum@Amnesia.PeerState].
 *
 * Since: 0.1
 */
#define AMNESIA_TYPE_PEER_STATE (amnesia_peer_state_get_type ())

/**
 * AmnesiaWay:
 * @AMNESIA_WAY_NONE: not connected
 * @AMNESIA_WAY_TCP: by plain TCP
 * @AMNESIA_WAY_LOCAL: by a Unix socket, as it is on this machine and of the same user
 * @AMNESIA_WAY_TLS: by TCP, encrypted, and after both have shown their certificates
 *
 * How the bytes travel to an [class@Amnesia.Peer].
 *
 * Since: 0.1
 */
typedef enum
{
  AMNESIA_WAY_NONE,
  AMNESIA_WAY_TCP,
  AMNESIA_WAY_LOCAL,
  AMNESIA_WAY_TLS,
} AmnesiaWay;

AMNESIA_AVAILABLE_IN_0_1
GType amnesia_way_get_type (void);

/**
 * AMNESIA_TYPE_WAY:
 *
 * The type of [enum@Amnesia.Way].
 *
 * Since: 0.1
 */
#define AMNESIA_TYPE_WAY (amnesia_way_get_type ())

#define AMNESIA_TYPE_PEER (amnesia_peer_get_type ())

AMNESIA_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (AmnesiaPeer, amnesia_peer, AMNESIA, PEER, GObject)

AMNESIA_AVAILABLE_IN_0_1
const char       *amnesia_peer_get_name         (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
const char       *amnesia_peer_get_host         (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
guint             amnesia_peer_get_port         (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
AmnesiaPeerState  amnesia_peer_get_state        (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
AmnesiaWay        amnesia_peer_get_way          (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
gint64            amnesia_peer_get_round_trip   (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
gint64            amnesia_peer_get_clock_offset (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
gboolean          amnesia_peer_get_in_sync      (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
gdouble           amnesia_peer_get_sending      (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
gdouble           amnesia_peer_get_receiving    (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
const GError     *amnesia_peer_get_last_error   (AmnesiaPeer *self);
AMNESIA_AVAILABLE_IN_0_1
const char       *amnesia_peer_get_status       (AmnesiaPeer *self);

G_END_DECLS
