/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-mesh-private.h"
#include "amnesia-names-private.h"

G_BEGIN_DECLS

/* Who may come in over plain TCP: judged by address, before a byte is read or sent. */
typedef enum
{
  AMNESIA_DOOR_ADMIT,
  AMNESIA_DOOR_REFUSE,
  AMNESIA_DOOR_WAIT, /* for a name that is being looked up */
} AmnesiaVerdict;

AmnesiaVerdict amnesia_door_judge (GSocket               *socket,
                                   const AmnesiaSettings *settings,
                                   AmnesiaNames          *names,
                                   gint64                 now);
GInetAddress  *amnesia_door_get_remote (GSocket          *socket,
                                        guint16          *port);

G_END_DECLS
