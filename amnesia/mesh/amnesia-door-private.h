/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-names-private.h"
#include "amnesia-settings-private.h"

G_BEGIN_DECLS

/* Who may come in: judged by address, or by user over a Unix socket, before a byte is read or sent. */
typedef enum
{
  AMNESIA_DOOR_ADMIT,
  AMNESIA_DOOR_REFUSE,
  AMNESIA_DOOR_WAIT, /* for a name that is being looked up */
} AmnesiaVerdict;

typedef struct
{
  GPtrArray *visitors; /* (owned) (element-type Visitor) who have to wait, the first first */
} AmnesiaDoor;

void           amnesia_door_init         (AmnesiaDoor           *self);
void           amnesia_door_clear        (AmnesiaDoor           *self);

AmnesiaVerdict amnesia_door_judge        (GSocket               *socket,
                                          const AmnesiaSettings *settings,
                                          AmnesiaNames          *names,
                                          gint64                 now);
void           amnesia_door_keep         (AmnesiaDoor           *self,
                                          GSocket               *socket,
                                          gint64                 now);
GSocket       *amnesia_door_pop          (AmnesiaDoor           *self,
                                          const AmnesiaSettings *settings,
                                          AmnesiaNames          *names,
                                          gint64                 now,
                                          AmnesiaVerdict        *verdict);
gint64         amnesia_door_get_deadline (AmnesiaDoor           *self);
void           amnesia_door_close        (AmnesiaDoor           *self);

char          *amnesia_door_describe     (GSocket               *socket);
char          *amnesia_door_explain      (GSocket               *socket);
GInetAddress  *amnesia_door_get_remote   (GSocket               *socket,
                                          guint16               *port);

G_END_DECLS
