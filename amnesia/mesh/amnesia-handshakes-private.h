/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-tls-session-private.h"

G_BEGIN_DECLS

/* Which handshakes have a thread, and which wait for one; those who dial and those who were let in
 * apart, so that the others cannot keep us from dialling. */
typedef struct
{
  GPtrArray *waiting; /* (owned) (element-type AmnesiaTlsSession) the newest last */
  GArray    *running; /* (owned) the oldest first */
  guint      max;
} AmnesiaLane;

typedef struct
{
  AmnesiaLane asking;
  AmnesiaLane answering;
} AmnesiaHandshakes;

void               amnesia_handshakes_init     (AmnesiaHandshakes *self);
void               amnesia_handshakes_clear    (AmnesiaHandshakes *self);
void               amnesia_handshakes_add      (AmnesiaHandshakes *self,
                                                AmnesiaTlsSession *session);
void               amnesia_handshakes_remove   (AmnesiaHandshakes *self,
                                                AmnesiaTlsSession *session);
void               amnesia_handshakes_start    (AmnesiaHandshakes *self,
                                                GMainContext      *context,
                                                gint64             now);
AmnesiaTlsSession *amnesia_handshakes_get_idle (AmnesiaHandshakes *self,
                                                gint64             now);
gint64             amnesia_handshakes_get_deadline (AmnesiaHandshakes *self,
                                                    gint64             now);

G_END_DECLS
