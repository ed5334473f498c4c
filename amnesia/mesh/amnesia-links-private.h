/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-link-private.h"

G_BEGIN_DECLS

/* All links of one store, in no order. */
typedef struct
{
  GPtrArray *list;   /* (owned) (element-type AmnesiaLink) */
  guint64    serial; /* of the next */
  guint      shape;  /* another one whenever a link or what a peer is linked with may have changed */
} AmnesiaLinks;

void         amnesia_links_init         (AmnesiaLinks *self);
void         amnesia_links_clear        (AmnesiaLinks *self);

AmnesiaLink *amnesia_links_get          (AmnesiaLinks *self,
                                         guint         position);
AmnesiaLink *amnesia_links_add          (AmnesiaLinks *self,
                                         AmnesiaLocal *local,
                                         const char   *host,
                                         guint16       port,
                                         gboolean      dialled,
                                         AmnesiaTime   now);
AmnesiaLink *amnesia_links_find_up      (AmnesiaLinks      *self,
                                         guint64            id,
                                         const AmnesiaLink *except);
gboolean     amnesia_links_any_up       (AmnesiaLinks      *self,
                                         const AmnesiaLink *except);
AmnesiaLink *amnesia_links_find_dialled (AmnesiaLinks      *self);
AmnesiaLink *amnesia_links_choose_loser (AmnesiaLink       *a,
                                         AmnesiaLink       *b);
gboolean     amnesia_links_any_synced   (AmnesiaLinks *self);
guint        amnesia_links_count_greeting (AmnesiaLinks  *self,
                                           AmnesiaLink  **oldest);
char        *amnesia_links_list_behind  (AmnesiaLinks *self);
void         amnesia_links_get_ids      (AmnesiaLinks *self,
                                         GArray       *ids);
void         amnesia_links_mark_linked  (AmnesiaLinks *self);
void         amnesia_links_mark         (AmnesiaLinks *self,
                                         const char   *key);
gboolean     amnesia_links_forward      (AmnesiaLinks  *self,
                                         AmnesiaLink   *giver,
                                         AmnesiaEntry **entries,
                                         guint          n);
gint64       amnesia_links_get_deadline (AmnesiaLinks *self,
                                         AmnesiaTime   now);

G_END_DECLS
