/* SPDX-License-Identifier: MIT */

#include "amnesia-peer-status-private.h"

#include "amnesia-gettext-private.h"

/* With each value that is set the others are behind, most often for less than a millisecond. */
#define BEHIND_AFTER G_TIME_SPAN_SECOND
/* Quicker than this is all the same. */
#define ROUND_TRIP_SHOWN 100

#define MILLISECOND 1000.0

static char *
format_round_trip (gint64 round_trip)
{
  double milliseconds = round_trip / MILLISECOND;

  /* Translators: how long it takes to the peer and back, which is 0.2 ms most often */
  if (round_trip < ROUND_TRIP_SHOWN)
    return g_strdup (_("under 0.1 ms"));
  if (milliseconds < 9.95)
    return g_strdup_printf (_("%.1f ms"), milliseconds);
  if (milliseconds < 999.5)
    return g_strdup_printf (_("%.0f ms"), milliseconds);

  return g_strdup_printf (_("%.1f s"), milliseconds / 1000);
}

static char *
describe_connected (const AmnesiaPeerFacts *facts)
{
  /* Translators: whether the peer has what we have: a value that was set is not there yet */
  const char *sync = facts->in_sync ? _("in sync") : _("behind");
  /* Translators: the way that the value travels: “in sync, by Unix socket” */
  const char *way = facts->way == AMNESIA_WAY_LOCAL ? _("by Unix socket")
                    : facts->way == AMNESIA_WAY_TLS ? _("by TLS") : _("by TCP");
  g_autofree char *round_trip = NULL;

  /* Translators: how things stand, and the way there: “in sync, by TCP” */
  if (facts->round_trip < 0)
    return g_strdup_printf (_("%s, %s"), sync, way);

  round_trip = format_round_trip (facts->round_trip);

  /* Translators: how things stand, how long there and back takes, and the way: “in sync, 0.2 ms, by
   * Unix socket” */
  return g_strdup_printf (_("%s, %s, %s"), sync, round_trip, way);
}

/* Who could not be reached stays away, though it is tried again and again. */
static char *
describe (const AmnesiaPeerFacts *facts)
{
  g_autofree char *text = NULL;

  if (facts->state == AMNESIA_PEER_STATE_CONNECTED)
    text = describe_connected (facts);
  else if (facts->state == AMNESIA_PEER_STATE_CONNECTING && facts->error == NULL)
    /* Translators: the state of a peer */
    text = g_strdup (_("connecting"));
  else
    /* Translators: the state of a peer that there is no connection with */
    text = g_strdup (_("away"));
  if (facts->error == NULL)
    return g_steal_pointer (&text);

  /* Translators: how things stand with somebody, and what is wrong */
  return g_strdelimit (g_strdup_printf (_("%s: %s"), text, facts->error->message), "\r\n", ' ');
}

/* A round trip is never twice the same. */
static gboolean
is_near (gint64 shown,
         gint64 round_trip)
{
  if (shown < 0 || round_trip < 0)
    return shown == round_trip;

  return MAX (shown, round_trip) < 2 * MAX (MIN (shown, round_trip), ROUND_TRIP_SHOWN);
}

static gboolean
is_as_shown (AmnesiaPeerStatus      *self,
             const AmnesiaPeerFacts *facts)
{
  return self->state == facts->state && self->way == facts->way && self->in_sync == facts->in_sync &&
         is_near (self->round_trip, facts->round_trip) &&
         g_strcmp0 (self->error, facts->error != NULL ? facts->error->message : NULL) == 0;
}

/* Whether it is long enough that the peer is what it is. It is looked at with each heartbeat at the
 * latest. */
static gboolean
is_lasting (AmnesiaPeerStatus      *self,
            const AmnesiaPeerFacts *facts,
            gint64                  now)
{
  if (facts->state != AMNESIA_PEER_STATE_CONNECTED || facts->in_sync)
    self->behind_since = 0;
  else if (self->behind_since == 0)
    self->behind_since = now;

  return self->behind_since == 0 || now - self->behind_since >= BEHIND_AFTER;
}

static void
take_over (AmnesiaPeerStatus      *self,
           const AmnesiaPeerFacts *facts)
{
  self->state = facts->state;
  self->way = facts->way;
  self->in_sync = facts->in_sync;
  self->round_trip = facts->round_trip;
  g_free (self->error);
  self->error = facts->error != NULL ? g_strdup (facts->error->message) : NULL;
}

/* Looks at what there is to be said. Returns whether the text is another. */
gboolean
amnesia_peer_status_update (AmnesiaPeerStatus      *self,
                            const AmnesiaPeerFacts *facts,
                            gint64                  now)
{
  g_autofree char *text = NULL;

  if (!is_lasting (self, facts, now) || is_as_shown (self, facts))
    return FALSE;

  take_over (self, facts);
  text = describe (facts);
  if (g_str_equal (self->text, text))
    return FALSE;
  g_free (self->text);
  self->text = g_steal_pointer (&text);

  return TRUE;
}

void
amnesia_peer_status_init (AmnesiaPeerStatus *self)
{
  self->text = g_strdup (_("away"));
  self->round_trip = -1;
}

void
amnesia_peer_status_clear (AmnesiaPeerStatus *self)
{
  g_free (self->text);
  g_free (self->error);
}
