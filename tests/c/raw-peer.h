/* SPDX-License-Identifier: MIT */

#pragma once

#include "testlib.h"

#include "mesh/amnesia-frame-private.h"

G_BEGIN_DECLS

/* One end of a connection that speaks the protocol as a test wants it, rightly or wrongly. It
 * reads in the default main context and answers nothing by itself. */
typedef struct
{
  GSocket   *socket;  /* (owned) */
  GSource   *source;  /* (owned) (nullable) */
  gpointer   reader;  /* (owned) an AmnesiaReader */
  GPtrArray *frames;  /* (owned) (element-type AmnesiaFrame) what came and was not taken yet */
  gsize      n_bytes; /* how many came */
  gboolean   closed;  /* by the other side */
  GError    *error;   /* (owned) (nullable) the other side sent what is not right */
} RawPeer;

RawPeer      *raw_peer_new         (GSocket      *socket);
RawPeer      *raw_peer_connect     (guint         index);
void          raw_peer_free        (RawPeer      *peer);
void          raw_peer_set_reading (RawPeer      *peer,
                                    gboolean      reading);

void          raw_peer_send_bytes  (RawPeer      *peer,
                                    gconstpointer bytes,
                                    gsize         size);
void          raw_peer_send        (RawPeer       *peer,
                                    AmnesiaPacket *packet);

AmnesiaHello  raw_hello            (guint64       id,
                                    guint         index);
void          raw_peer_send_hello  (RawPeer      *peer,
                                    AmnesiaHello *hello);
void          raw_peer_send_list   (RawPeer      *peer,
                                    AmnesiaEntry *entry,
                                    gboolean      reply);
void          raw_peer_send_write  (RawPeer      *peer,
                                    AmnesiaEntry *entry);
void          raw_peer_send_ack    (RawPeer      *peer,
                                    guint64       count);
void          raw_peer_send_links  (RawPeer      *peer,
                                    guint64       id,
                                    ...);
void          raw_peer_skip_beat   (RawPeer      *peer);
void          raw_peer_send_beat   (RawPeer      *peer,
                                    guint64       digest);
void          raw_peer_greet       (RawPeer      *peer,
                                    guint64       id,
                                    guint         index);

AmnesiaFrame *raw_peer_wait_frame  (RawPeer          *peer,
                                    AmnesiaFrameKind  kind);
guint64       raw_peer_wait_ack    (RawPeer      *peer);
void          raw_peer_wait_write  (RawPeer      *peer,
                                    const char   *text);
guint         raw_peer_count       (RawPeer          *peer,
                                    AmnesiaFrameKind  kind);
void          raw_peer_wait_closed (RawPeer      *peer);
void          raw_peer_wait_bye    (RawPeer      *peer,
                                    AmnesiaBye    reason,
                                    const char   *pattern);
void          raw_frame_free       (AmnesiaFrame *frame);
void          raw_assert_write     (AmnesiaFrame *frame,
                                    const char   *text);

void          raw_encode_list      (AmnesiaEntry  *entry,
                                    gboolean       reply,
                                    AmnesiaPacket *packet);
void          raw_encode_write     (AmnesiaEntry  *entry,
                                    AmnesiaPacket *packet);

AmnesiaEntry *raw_entry            (guint64       id,
                                    AmnesiaStamp  stamp,
                                    const char   *text);
AmnesiaStamp  raw_stamp            (gint64        ahead_ms);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawPeer, raw_peer_free)

/* Listens where a member would. */
typedef struct
{
  GSocket *socket; /* (owned) */
} RawDoor;

RawDoor      *raw_door_new         (guint         index);
void          raw_door_free        (RawDoor      *door);
RawPeer      *raw_door_accept      (RawDoor      *door);
gboolean      raw_door_is_knocked  (RawDoor      *door);
AmnesiaStore *raw_door_open_store  (RawPeer     **peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawDoor, raw_door_free)

G_END_DECLS
