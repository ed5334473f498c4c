/* SPDX-License-Identifier: MIT */

#pragma once

#include "raw-peer.h"

G_BEGIN_DECLS

/* Bytes of the protocol as a test wants them, rightly or wrongly. */

GByteArray *wire_hello         (guint64           id);
void        wire_add_packet    (GByteArray       *bytes,
                                AmnesiaPacket    *packet);
void        wire_add_list      (GByteArray       *bytes,
                                AmnesiaEntry     *entry,
                                gboolean          reply);
void        wire_add_entry     (GByteArray       *bytes,
                                AmnesiaEntry     *entry);
void        wire_add_prefix    (GByteArray       *bytes,
                                guint8            kind,
                                guint8            flags,
                                guint32           header,
                                guint64           payload);
void        wire_add_padded    (GByteArray       *bytes,
                                gconstpointer     data,
                                gsize             size);
void        wire_add_value     (GByteArray       *bytes,
                                AmnesiaStamp      stamp,
                                const char       *type,
                                gconstpointer     data,
                                gsize             size);
void        wire_send          (RawPeer          *raw,
                                GByteArray       *bytes);

G_END_DECLS
