/* SPDX-License-Identifier: MIT */

#pragma once

#include "live-member.h"

G_BEGIN_DECLS

/* A runtime directory of the test's own, so that the members of this process find the local way. */
const char   *local_begin     (void);
void          local_end       (void);

char         *local_directory (void);
char         *local_path      (guint         index);
gboolean      local_has_name  (guint         index);
gboolean      local_is_socket (const char   *path);

RawDoor      *local_door_new  (guint         index);
RawPeer      *local_connect   (guint         index);

AmnesiaStore *local_new_store (guint         n_entries,
                               gboolean      local);
void          local_wait_way  (AmnesiaStore *store,
                               guint         index,
                               AmnesiaWay    way);
void          local_assert_shared (AmnesiaStore *a,
                                   AmnesiaStore *b);

void          local_end_child        (int           result) G_GNUC_NORETURN;
void          local_assert_child     (int           status);

G_END_DECLS
