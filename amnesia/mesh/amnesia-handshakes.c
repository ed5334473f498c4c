/* SPDX-License-Identifier: MIT */

#include "amnesia-handshakes-private.h"

#include "amnesia-limits-private.h"

typedef struct
{
  AmnesiaTlsSession *session; /* (unowned) */
  gint64             since;
} Running;

static void
lane_init (AmnesiaLane *lane,
           guint        max)
{
  lane->waiting = g_ptr_array_new ();
  lane->running = g_array_new (FALSE, FALSE, sizeof (Running));
  lane->max = max;
}

static void
lane_clear (AmnesiaLane *lane)
{
  g_ptr_array_unref (lane->waiting);
  g_array_unref (lane->running);
}

void
amnesia_handshakes_init (AmnesiaHandshakes *self)
{
  lane_init (&self->asking, AMNESIA_MAX_ASKING);
  lane_init (&self->answering, AMNESIA_MAX_ANSWERING);
}

void
amnesia_handshakes_clear (AmnesiaHandshakes *self)
{
  lane_clear (&self->asking);
  lane_clear (&self->answering);
}

static AmnesiaLane *
get_lane (AmnesiaHandshakes *self,
          AmnesiaTlsSession *session)
{
  return amnesia_tls_session_is_dial (session) ? &self->asking : &self->answering;
}

/* It has something to think about. */
void
amnesia_handshakes_add (AmnesiaHandshakes *self,
                        AmnesiaTlsSession *session)
{
  AmnesiaLane *lane = get_lane (self, session);

  if (!g_ptr_array_find (lane->waiting, session, NULL))
    g_ptr_array_add (lane->waiting, session);
}

/* It has ended, or is given up. */
void
amnesia_handshakes_remove (AmnesiaHandshakes *self,
                           AmnesiaTlsSession *session)
{
  AmnesiaLane *lane = get_lane (self, session);
  guint i;

  g_ptr_array_remove (lane->waiting, session);
  for (i = lane->running->len; i > 0; i--)
    if (g_array_index (lane->running, Running, i - 1).session == session)
      g_array_remove_index (lane->running, i - 1);
}

/* The newest first: where more come than can be served, those who have waited longest are the most
 * likely to be gone, or never to have meant it. */
static void
lane_start (AmnesiaLane  *lane,
            GMainContext *context,
            gint64        now)
{
  while (lane->waiting->len > 0 && lane->running->len < lane->max)
    {
      Running running = { g_ptr_array_steal_index (lane->waiting, lane->waiting->len - 1), now };

      g_array_append_val (lane->running, running);
      amnesia_tls_session_start (running.session, context);
    }
}

void
amnesia_handshakes_start (AmnesiaHandshakes *self,
                          GMainContext      *context,
                          gint64             now)
{
  lane_start (&self->asking, context, now);
  lane_start (&self->answering, context, now);
}

static AmnesiaTlsSession *
lane_get_idle (AmnesiaLane *lane,
               gint64       now)
{
  guint i;

  for (i = 0; i < lane->running->len && lane->waiting->len > 0; i++)
    {
      Running *running = &g_array_index (lane->running, Running, i);

      if (now >= running->since + AMNESIA_HANDSHAKE_TURN &&
          amnesia_tls_session_is_waiting (running->session))
        return running->session;
    }
  return NULL;
}

/* Returns one that has a thread for nothing, while another one waits; NULL if there is none. */
AmnesiaTlsSession *
amnesia_handshakes_get_idle (AmnesiaHandshakes *self,
                             gint64             now)
{
  AmnesiaTlsSession *idle = lane_get_idle (&self->asking, now);

  return idle != NULL ? idle : lane_get_idle (&self->answering, now);
}

/* One that has had its time may be thinking: then it is looked at again. */
static gint64
lane_get_deadline (AmnesiaLane *lane,
                   gint64       now)
{
  if (lane->waiting->len == 0 || lane->running->len == 0)
    return 0;
  return MAX (g_array_index (lane->running, Running, 0).since + AMNESIA_HANDSHAKE_TURN,
              now + AMNESIA_HANDSHAKE_TURN / 10);
}

/* When there may be such a one; 0: not before something happens. */
gint64
amnesia_handshakes_get_deadline (AmnesiaHandshakes *self,
                                 gint64             now)
{
  return amnesia_earlier (lane_get_deadline (&self->asking, now),
                          lane_get_deadline (&self->answering, now));
}
