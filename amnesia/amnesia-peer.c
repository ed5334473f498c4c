/* SPDX-License-Identifier: MIT */

#include "amnesia-peer-private.h"

#include "amnesia-peer-status-private.h"

/**
 * AmnesiaPeer:
 *
 * One other member of those who share a variable, as an [class@Amnesia.Store] sees it.
 *
 * The peers of a store are the items of [property@Amnesia.Store:peers]: one for each entry of its
 * configuration but its own, and one for each guest while it is connected. Their properties notify,
 * so that a list of participants can be bound to them.
 *
 * A peer belongs to the thread of its store.
 *
 * Since: 0.1
 */
struct _AmnesiaPeer
{
  GObject parent_instance;

  AmnesiaMember    *member; /* (owned) */
  gboolean          gone;   /* the store does not know it any more */

  AmnesiaPeerState  state;
  AmnesiaWay        way;
  gint64            round_trip;
  gint64            clock_offset;
  gboolean          in_sync;
  gdouble           sending;   /* 1.0: no large value is under way */
  gdouble           receiving;
  GError           *last_error; /* (owned) (nullable) */
  AmnesiaPeerStatus status;
};

typedef enum
{
  PROP_NAME = 1,
  PROP_HOST,
  PROP_PORT,
  PROP_STATE,
  PROP_WAY,
  PROP_ROUND_TRIP,
  PROP_CLOCK_OFFSET,
  PROP_IN_SYNC,
  PROP_SENDING,
  PROP_RECEIVING,
  PROP_LAST_ERROR,
  PROP_STATUS,
} AmnesiaPeerProperty;

static GParamSpec *properties[PROP_STATUS + 1];

G_DEFINE_ENUM_TYPE (AmnesiaPeerState, amnesia_peer_state,
                    G_DEFINE_ENUM_VALUE (AMNESIA_PEER_STATE_AWAY, "away"),
                    G_DEFINE_ENUM_VALUE (AMNESIA_PEER_STATE_CONNECTING, "connecting"),
                    G_DEFINE_ENUM_VALUE (AMNESIA_PEER_STATE_CONNECTED, "connected"))

G_DEFINE_ENUM_TYPE (AmnesiaWay, amnesia_way,
                    G_DEFINE_ENUM_VALUE (AMNESIA_WAY_NONE, "none"),
                    G_DEFINE_ENUM_VALUE (AMNESIA_WAY_TCP, "tcp"),
                    G_DEFINE_ENUM_VALUE (AMNESIA_WAY_LOCAL, "local"),
                    G_DEFINE_ENUM_VALUE (AMNESIA_WAY_TLS, "tls"))

G_DEFINE_FINAL_TYPE (AmnesiaPeer, amnesia_peer, G_TYPE_OBJECT)

static void
amnesia_peer_finalize (GObject *object)
{
  AmnesiaPeer *self = AMNESIA_PEER (object);

  if (!self->gone)
    self->member->peer = NULL;
  amnesia_member_unref (self->member);
  g_clear_error (&self->last_error);
  amnesia_peer_status_clear (&self->status);
  G_OBJECT_CLASS (amnesia_peer_parent_class)->finalize (object);
}

static void
amnesia_peer_get_property (GObject    *object,
                           guint       prop_id,
                           GValue     *value,
                           GParamSpec *pspec)
{
  AmnesiaPeer *self = AMNESIA_PEER (object);

  switch ((AmnesiaPeerProperty) prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, amnesia_peer_get_name (self));
      break;
    case PROP_HOST:
      g_value_set_string (value, amnesia_peer_get_host (self));
      break;
    case PROP_PORT:
      g_value_set_uint (value, amnesia_peer_get_port (self));
      break;
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_WAY:
      g_value_set_enum (value, self->way);
      break;
    case PROP_ROUND_TRIP:
      g_value_set_int64 (value, self->round_trip);
      break;
    case PROP_CLOCK_OFFSET:
      g_value_set_int64 (value, self->clock_offset);
      break;
    case PROP_IN_SYNC:
      g_value_set_boolean (value, self->in_sync);
      break;
    case PROP_SENDING:
      g_value_set_double (value, self->sending);
      break;
    case PROP_RECEIVING:
      g_value_set_double (value, self->receiving);
      break;
    case PROP_LAST_ERROR:
      g_value_set_boxed (value, self->last_error);
      break;
    case PROP_STATUS:
      g_value_set_string (value, self->status.text);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

#define FLAGS (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY)

static void
init_who_properties (void)
{
  /**
   * AmnesiaPeer:name: (getter get_name)
   *
   * What to call it: `host:port`, an IPv6 address in brackets; for a guest the address and port that it
   * comes from, or which process of this machine it is.
   *
   * It is the same as long as there is the peer: a guest that becomes a member is another peer.
   *
   * Since: 0.1
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, FLAGS);

  /**
   * AmnesiaPeer:host: (getter get_host)
   *
   * The host, as the configuration has it; for a guest the address that it comes from, or
   * `localhost`, if it comes by a Unix socket.
   *
   * Since: 0.1
   */
  properties[PROP_HOST] = g_param_spec_string ("host", NULL, NULL, NULL, FLAGS);

  /**
   * AmnesiaPeer:port: (getter get_port)
   *
   * The port; for a guest the one that it comes from, or 0, if it comes by a Unix socket.
   *
   * Since: 0.1
   */
  properties[PROP_PORT] = g_param_spec_uint ("port", NULL, NULL, 0, G_MAXUINT16, 0, FLAGS);

  /**
   * AmnesiaPeer:state: (getter get_state)
   *
   * Whether it is connected.
   *
   * Since: 0.1
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, AMNESIA_TYPE_PEER_STATE,
                                              AMNESIA_PEER_STATE_AWAY, FLAGS);

  /**
   * AmnesiaPeer:way: (getter get_way)
   *
   * How the bytes travel.
   *
   * Since: 0.1
   */
  properties[PROP_WAY] = g_param_spec_enum ("way", NULL, NULL, AMNESIA_TYPE_WAY,
                                            AMNESIA_WAY_NONE, FLAGS);
}

static void
init_how_properties (void)
{
  /**
   * AmnesiaPeer:round-trip: (getter get_round_trip)
   *
   * How long a message and its answer take, in microseconds, by the last heartbeat; -1 as long as
   * that is not known.
   *
   * Since: 0.1
   */
  properties[PROP_ROUND_TRIP] = g_param_spec_int64 ("round-trip", NULL, NULL, -1, G_MAXINT64, -1,
                                                    FLAGS);

  /**
   * AmnesiaPeer:clock-offset: (getter get_clock_offset)
   *
   * How far its clock is ahead of ours, in microseconds; negative, if it is behind; 0 as long as
   * it is not connected.
   *
   * Since: 0.1
   */
  properties[PROP_CLOCK_OFFSET] = g_param_spec_int64 ("clock-offset", NULL, NULL, G_MININT64,
                                                      G_MAXINT64, 0, FLAGS);

  /**
   * AmnesiaPeer:in-sync: (getter get_in_sync)
   *
   * Whether it is connected and has confirmed all that we have. Who goes without a value because it is
   * larger than its [property@Amnesia.Conf:max-size] is not in sync until a smaller one has replaced that.
   *
   * With each value that is set it is not, until it has confirmed that: most often for less than a
   * millisecond, but that may be when a window is drawn. What is shown to people is better bound to
   * [property@Amnesia.Peer:status] or [property@Amnesia.Peer:state].
   *
   * Since: 0.1
   */
  properties[PROP_IN_SYNC] = g_param_spec_boolean ("in-sync", NULL, NULL, FALSE, FLAGS);

  /**
   * AmnesiaPeer:last-error: (getter get_last_error)
   *
   * The last thing that went wrong with it; `NULL`, if nothing did since it was last connected.
   *
   * That a value is larger than the peer takes is told here as long as there is such a value.
   *
   * Since: 0.1
   */
  properties[PROP_LAST_ERROR] = g_param_spec_boxed ("last-error", NULL, NULL, G_TYPE_ERROR, FLAGS);

  /**
   * AmnesiaPeer:status: (getter get_status)
   *
   * How things stand with it, in a line of the user's language, as a list of participants may show it:
   * “connecting”, “in sync, 0.2 ms, by Unix socket”, “behind, 12 ms, by TCP”, or “away” with the
   * reason.
   *
   * It does not follow each heartbeat and value: the round trip is another where it has doubled or
   * halved, and a peer is behind when it has been so for a second. Whoever could not be reached stays
   * away while it is tried again.
   *
   * Since: 0.1
   */
  properties[PROP_STATUS] = g_param_spec_string ("status", NULL, NULL, NULL, FLAGS);
}

static void
init_transit_properties (void)
{
  /**
   * AmnesiaPeer:sending: (getter get_sending)
   *
   * How much of a large value that is on its way to it has gone, from 0.0 to 1.0; 1.0, if there is none.
   *
   * It is made to be bound to `GtkProgressBar:fraction`. Large is what has 1 MiB or more, and only what
   * takes longer than a fifth of a second is shown: then the property notifies at most ten times a
   * second, and with 1.0 at the end, or when the peer is not connected any more. Small values never
   * make it notify.
   *
   * What has gone is with the operating system, and may take a moment more until it is there: see
   * [property@Amnesia.Peer:in-sync].
   *
   * Since: 0.1
   */
  properties[PROP_SENDING] = g_param_spec_double ("sending", NULL, NULL, 0.0, 1.0, 1.0, FLAGS);

  /**
   * AmnesiaPeer:receiving: (getter get_receiving)
   *
   * How much of a large value that is on its way from it has come, from 0.0 to 1.0; 1.0, if there is
   * none.
   *
   * It notifies as [property@Amnesia.Peer:sending] does. With 1.0 at the end it does when the value is
   * checked and taken, and [property@Amnesia.Store:data] is it, if it is the newest.
   *
   * Since: 0.1
   */
  properties[PROP_RECEIVING] = g_param_spec_double ("receiving", NULL, NULL, 0.0, 1.0, 1.0, FLAGS);
}

static void
amnesia_peer_class_init (AmnesiaPeerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = amnesia_peer_finalize;
  object_class->get_property = amnesia_peer_get_property;
  init_who_properties ();
  init_how_properties ();
  init_transit_properties ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
amnesia_peer_init (AmnesiaPeer *self)
{
  AmnesiaTime never = { 0, 0 };

  /* languages can make a peer that is nobody */
  self->member = amnesia_member_new ("", 0, FALSE, never);
  self->gone = TRUE;
  self->round_trip = -1;
  self->sending = self->receiving = 1;
  amnesia_peer_status_init (&self->status);
}

AmnesiaPeer *
amnesia_peer_new (AmnesiaMember *member)
{
  AmnesiaPeer *self = g_object_new (AMNESIA_TYPE_PEER, NULL);

  amnesia_member_unref (self->member);
  self->member = amnesia_member_ref (member);
  self->gone = FALSE;
  member->peer = self;
  amnesia_peer_update (self);
  return self;
}

const AmnesiaMember *
amnesia_peer_get_member (AmnesiaPeer *self)
{
  return self->member;
}

static void
notify (AmnesiaPeer         *self,
        AmnesiaPeerProperty  property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
set_state (AmnesiaPeer      *self,
           AmnesiaPeerState  state,
           AmnesiaWay        way)
{
  if (self->state != state)
    {
      self->state = state;
      notify (self, PROP_STATE);
    }
  if (self->way != way)
    {
      self->way = way;
      notify (self, PROP_WAY);
    }
}

static void
set_times (AmnesiaPeer *self,
           gint64       round_trip,
           gint64       clock_offset)
{
  if (self->round_trip != round_trip)
    {
      self->round_trip = round_trip;
      notify (self, PROP_ROUND_TRIP);
    }
  if (self->clock_offset != clock_offset)
    {
      self->clock_offset = clock_offset;
      notify (self, PROP_CLOCK_OFFSET);
    }
}

static void
set_in_sync (AmnesiaPeer *self,
             gboolean     in_sync)
{
  if (self->in_sync == in_sync)
    return;
  self->in_sync = in_sync;
  notify (self, PROP_IN_SYNC);
}

static void
set_transits (AmnesiaPeer *self,
              gdouble      sending,
              gdouble      receiving)
{
  if (self->sending != sending)
    {
      self->sending = sending;
      notify (self, PROP_SENDING);
    }
  if (self->receiving != receiving)
    {
      self->receiving = receiving;
      notify (self, PROP_RECEIVING);
    }
}

static gboolean
is_last_error (AmnesiaPeer  *self,
               const GError *error)
{
  if (self->last_error == NULL || error == NULL)
    return self->last_error == error;
  return g_error_matches (error, self->last_error->domain, self->last_error->code) &&
         g_str_equal (error->message, self->last_error->message);
}

static void
set_last_error (AmnesiaPeer  *self,
                const GError *error)
{
  if (is_last_error (self, error))
    return;
  g_clear_error (&self->last_error);
  self->last_error = error != NULL ? g_error_copy (error) : NULL;
  notify (self, PROP_LAST_ERROR);
}

/* Returns whether it is another. */
static gboolean
make_status (AmnesiaPeer *self)
{
  const AmnesiaPeerFacts facts = {
    .state = self->state,
    .way = self->way,
    .in_sync = self->in_sync,
    .round_trip = self->round_trip,
    .error = self->last_error,
  };

  return amnesia_peer_status_update (&self->status, &facts, g_get_monotonic_time ());
}

static void
set_status (AmnesiaPeer *self)
{
  if (make_status (self))
    notify (self, PROP_STATUS);
}

/* Whether nothing has changed that anybody could see, but for `in-sync`; most often values came and
 * went. */
static gboolean
is_current (AmnesiaPeer      *self,
            AmnesiaPeerState  state,
            AmnesiaWay        way,
            AmnesiaLink      *link)
{
  return self->state == state && self->way == way &&
         (link == NULL || (self->round_trip == link->round_trip &&
                           self->clock_offset == link->clock_offset &&
                           self->sending == link->going.shown &&
                           self->receiving == link->coming.shown)) &&
         is_last_error (self, self->member->error);
}

/* Takes over what the mesh knows of it now. */
void
amnesia_peer_update (AmnesiaPeer *self)
{
  AmnesiaMember *member = self->member;
  AmnesiaLink *link = self->gone ? NULL : member->link;
  AmnesiaPeerState state = AMNESIA_PEER_STATE_AWAY;
  AmnesiaWay way = AMNESIA_WAY_NONE;

  if (link != NULL)
    {
      state = AMNESIA_PEER_STATE_CONNECTED;
      way = link->nearby      ? AMNESIA_WAY_LOCAL
            : link->encrypted ? AMNESIA_WAY_TLS : AMNESIA_WAY_TCP;
    }
  else if (member->dialling && !self->gone)
    state = AMNESIA_PEER_STATE_CONNECTING;

  if (is_current (self, state, way, link))
    {
      set_in_sync (self, link != NULL && amnesia_link_is_in_sync (link));
      set_status (self);
      return;
    }
  g_object_freeze_notify (G_OBJECT (self));
  set_state (self, state, way);
  set_times (self, link != NULL ? link->round_trip : -1, link != NULL ? link->clock_offset : 0);
  set_in_sync (self, link != NULL && amnesia_link_is_in_sync (link));
  set_transits (self, link != NULL ? link->going.shown : 1, link != NULL ? link->coming.shown : 1);
  set_last_error (self, member->error);
  set_status (self);
  g_object_thaw_notify (G_OBJECT (self));
}

/* The store does not know it any more; who still holds it sees it as away. */
void
amnesia_peer_detach (AmnesiaPeer *self)
{
  self->gone = TRUE;
  self->member->peer = NULL;
  amnesia_peer_update (self);
}

/* The store has gone: the same, but no code of the application is run for it. */
void
amnesia_peer_orphan (AmnesiaPeer *self)
{
  self->gone = TRUE;
  self->member->peer = NULL;
  self->state = AMNESIA_PEER_STATE_AWAY;
  self->way = AMNESIA_WAY_NONE;
  self->round_trip = -1;
  self->clock_offset = 0;
  self->in_sync = FALSE;
  self->sending = self->receiving = 1;
  make_status (self);
}

/**
 * amnesia_peer_get_name: (get-property name)
 * @self: a peer
 *
 * Gets what to call it: `host:port`, an IPv6 address in brackets; for a guest the address and port that
 * it comes from, or which process of this machine it is.
 *
 * Returns: (transfer none): the name
 *
 * Since: 0.1
 */
const char *
amnesia_peer_get_name (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), NULL);

  return self->member->name;
}

/**
 * amnesia_peer_get_host: (get-property host)
 * @self: a peer
 *
 * Gets the host, as the configuration has it; for a guest the address that it comes from, or
 * `localhost`, if it comes by a Unix socket.
 *
 * Returns: (transfer none): the host
 *
 * Since: 0.1
 */
const char *
amnesia_peer_get_host (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), NULL);

  return self->member->host;
}

/**
 * amnesia_peer_get_port: (get-property port)
 * @self: a peer
 *
 * Gets the port; for a guest the one that it comes from, or 0, if it comes by a Unix socket.
 *
 * Returns: the port, from 1 to 65535, or 0
 *
 * Since: 0.1
 */
guint
amnesia_peer_get_port (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), 0);

  return self->member->port;
}

/**
 * amnesia_peer_get_state: (get-property state)
 * @self: a peer
 *
 * Gets whether it is connected.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
AmnesiaPeerState
amnesia_peer_get_state (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), AMNESIA_PEER_STATE_AWAY);

  return self->state;
}

/**
 * amnesia_peer_get_way: (get-property way)
 * @self: a peer
 *
 * Gets how the bytes travel.
 *
 * Returns: the way
 *
 * Since: 0.1
 */
AmnesiaWay
amnesia_peer_get_way (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), AMNESIA_WAY_NONE);

  return self->way;
}

/**
 * amnesia_peer_get_round_trip: (get-property round-trip)
 * @self: a peer
 *
 * Gets how long a message and its answer take, by the last heartbeat. That is known soon after the
 * peer was connected, most often in the same instant.
 *
 * Returns: microseconds, or -1 as long as it is not known
 *
 * Since: 0.1
 */
gint64
amnesia_peer_get_round_trip (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), -1);

  return self->round_trip;
}

/**
 * amnesia_peer_get_clock_offset: (get-property clock-offset)
 * @self: a peer
 *
 * Gets how far its clock is ahead of ours.
 *
 * Returns: microseconds, negative if it is behind; 0 as long as it is not connected
 *
 * Since: 0.1
 */
gint64
amnesia_peer_get_clock_offset (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), 0);

  return self->clock_offset;
}

/**
 * amnesia_peer_get_in_sync: (get-property in-sync)
 * @self: a peer
 *
 * Gets whether it is connected and has confirmed all that we have, and nothing of that is larger than it
 * takes. A guest has it when the member that it is linked with has it.
 *
 * Returns: whether it is in sync
 *
 * Since: 0.1
 */
gboolean
amnesia_peer_get_in_sync (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), FALSE);

  return self->in_sync;
}

/**
 * amnesia_peer_get_sending: (get-property sending)
 * @self: a peer
 *
 * Gets how much of a large value that is on its way to it has gone.
 *
 * Returns: the fraction, from 0.0 to 1.0; 1.0, if there is none
 *
 * Since: 0.1
 */
gdouble
amnesia_peer_get_sending (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), 1.0);

  return self->sending;
}

/**
 * amnesia_peer_get_receiving: (get-property receiving)
 * @self: a peer
 *
 * Gets how much of a large value that is on its way from it has come.
 *
 * Returns: the fraction, from 0.0 to 1.0; 1.0, if there is none
 *
 * Since: 0.1
 */
gdouble
amnesia_peer_get_receiving (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), 1.0);

  return self->receiving;
}

/**
 * amnesia_peer_get_last_error: (get-property last-error)
 * @self: a peer
 *
 * Gets the last thing that went wrong with it, in the [error@Amnesia.Error] domain or that of GIO.
 *
 * Returns: (transfer none) (nullable): the error, or `NULL` if nothing went wrong since it was last
 *   connected
 *
 * Since: 0.1
 */
const GError *
amnesia_peer_get_last_error (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), NULL);

  return self->last_error;
}

/**
 * amnesia_peer_get_status: (get-property status)
 * @self: a peer
 *
 * Gets how things stand with it, in a line of the user's language.
 *
 * Returns: (transfer none): the status
 *
 * Since: 0.1
 */
const char *
amnesia_peer_get_status (AmnesiaPeer *self)
{
  g_return_val_if_fail (AMNESIA_IS_PEER (self), NULL);

  return self->status.text;
}
