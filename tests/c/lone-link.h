/* SPDX-License-Identifier: MIT */

#pragma once

#include "mesh/amnesia-link-private.h"

G_BEGIN_DECLS

/* A link without a mesh, at the time of the small world, and what its peer sends to it. */

AmnesiaLink *lone_link_new       (AmnesiaLocal   *local,
                                  const char     *group);
AmnesiaLink *lone_link_new_up    (AmnesiaLocal   *local);
void         lone_link_free      (AmnesiaLink    *link);

void         lone_link_greet     (AmnesiaLink    *link,
                                  const char     *group);
gboolean     lone_link_feed      (AmnesiaLink    *link,
                                  AmnesiaPacket  *packet,
                                  AmnesiaReceipt *receipt,
                                  GError        **error);
void         lone_link_feed_list (AmnesiaLink    *link,
                                  GPtrArray      *entries);
gboolean     lone_link_feed_beat (AmnesiaLink    *link,
                                  GError        **error);

G_END_DECLS
