/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AMNESIA_MESH_CLOSED,
  AMNESIA_MESH_SYNCING,
  AMNESIA_MESH_SYNCED,
  AMNESIA_MESH_ALONE,
} AmnesiaMeshState;

/* From closed to synced or alone, and on. */
typedef struct
{
  AmnesiaMeshState state;
  gint64           opened_at;
  gint64           synced_at; /* when the first peer's entries were in, 0 if not yet */
} AmnesiaProgress;

/* What there is to judge by. */
typedef struct
{
  gboolean any_up;     /* some peer has said hello */
  gboolean any_synced; /* all that some peer had is here */
  gboolean all_tried;  /* every first dial has ended, in vain or with all that the peer had */
} AmnesiaStanding;

void   amnesia_progress_open         (AmnesiaProgress        *self,
                                      gint64                  mono);
void   amnesia_progress_update       (AmnesiaProgress        *self,
                                      const AmnesiaStanding  *standing,
                                      gint64                  mono);
gint64 amnesia_progress_get_deadline (const AmnesiaProgress  *self,
                                      gint64                  mono);

G_END_DECLS
