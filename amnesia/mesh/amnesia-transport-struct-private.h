/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-caller-private.h"
#include "amnesia-channel-private.h"
#include "amnesia-door-private.h"
#include "amnesia-handshakes-private.h"
#include "amnesia-listener-private.h"
#include "amnesia-names-private.h"
#include "amnesia-renewal-private.h"
#include "amnesia-transport-private.h"
#include "amnesia-watch-private.h"

G_BEGIN_DECLS

/* What the files of the transport share with one another, and with nobody else. */

/* TICK: the mesh wants one. GRACE: the search for our entry waits no longer. VISITS: the oldest visitor
 * has waited long enough. HANDSHAKES: one of them has had its thread for long enough. */
typedef enum
{
  AMNESIA_DEADLINE_TICK,
  AMNESIA_DEADLINE_GRACE,
  AMNESIA_DEADLINE_VISITS,
  AMNESIA_DEADLINE_HANDSHAKES,
} AmnesiaDeadline;

#define AMNESIA_N_DEADLINES (AMNESIA_DEADLINE_HANDSHAKES + 1)

/* Closed: no settings. While `seeking` our own entry is looked for, and nobody is dialled. */
struct _AmnesiaTransport
{
  GMainContext    *context;      /* (owned) */
  GWeakRef         owner;
  const AmnesiaTransportFuncs *funcs;
  guint            forks;        /* when it was made, to know its process by */
  gpointer         present;      /* (unowned) (nullable) the owner, in a dispatch */
  AmnesiaTime      now;          /* of the present dispatch */

  AmnesiaMesh     *mesh;         /* (owned) */
  AmnesiaNames    *names;        /* (owned) */
  AmnesiaListener *listener;     /* (owned) */
  AmnesiaLocalWay  way;          /* to and from members of this machine */
  AmnesiaSettings *settings;     /* (owned) (nullable) */
  GPtrArray       *channels;     /* (owned) (element-type AmnesiaChannel) */
  AmnesiaCaller   *caller;       /* (owned) */
  AmnesiaInspector *inspector;   /* (owned) */
  AmnesiaDoor      door;
  AmnesiaHandshakes handshakes;
  AmnesiaRenewal  *renewal;      /* (owned) (nullable) of the files of the certificate */

  gboolean         seeking;
  gboolean         seek_again;   /* the mesh asked for it */
  gboolean         grace_over;
  char            *listening;    /* (owned) (nullable) what we listen on */
  char            *own_host;     /* (owned) (nullable) the entry that is ours */
  guint16          own_port;
  GError          *error;        /* (owned) (nullable) why there is nothing to be opened */
  gboolean         exposed;      /* the plain text was warned about */
  gboolean         discarding;   /* nothing is to be said to the other sides */

  AmnesiaWatch    *watch;        /* (owned) of all channels */
  GPtrArray       *woken;        /* (owned) (element-type AmnesiaChannel) have something to send */
  GPtrArray       *unread;       /* (owned) (element-type AmnesiaChannel) have more than one turn took */
  gboolean         sent_this_turn;
  gboolean         unsettled;    /* something happened outside of a dispatch */
  gint64           deadlines[AMNESIA_N_DEADLINES]; /* 0: none */

  gboolean         abroad;       /* not all who are listed are on this machine's loopback */
  GSource         *network;      /* (owned) (nullable) when the network is to be watched, or has
                                  * changed; once there was somebody abroad */
  GNetworkMonitor *monitor;      /* (owned) (nullable) while it is watched */
  gulong           network_changed_id;
};

void     amnesia_transport_set_deadline (AmnesiaTransport *self,
                                         AmnesiaDeadline   which,
                                         gint64            mono);

/* each dispatch: amnesia-transport.c */
gpointer amnesia_transport_begin         (AmnesiaTransport *self);
void     amnesia_transport_finish        (AmnesiaTransport *self,
                                          gpointer          owner);
void     amnesia_transport_serve         (AmnesiaTransport *self,
                                          AmnesiaChannel   *channel,
                                          GIOCondition      condition,
                                          gint64           *clock);
void     amnesia_transport_wake_channel  (AmnesiaTransport *self,
                                          AmnesiaChannel   *channel);
void     amnesia_transport_close_channel (AmnesiaTransport *self,
                                          AmnesiaChannel   *channel,
                                          const GError     *error);
void     amnesia_transport_channel_expired (AmnesiaChannel *channel,
                                            gpointer        user_data);

/* who is connected: amnesia-transport-links.c */
void     amnesia_transport_called        (AmnesiaMember    *member,
                                          GSocket          *socket,
                                          const GError     *error,
                                          gpointer          user_data);
void     amnesia_transport_accepted      (GPtrArray        *accepted,
                                          gpointer          user_data);
void     amnesia_transport_review_visitors (AmnesiaTransport *self,
                                            gpointer          owner);

/* connections by TLS: amnesia-transport-tls.c */
AmnesiaTlsSession *amnesia_transport_new_session (AmnesiaTransport  *self,
                                                  AmnesiaLink       *link,
                                                  GError           **error);
void     amnesia_transport_begin_handshake (AmnesiaTransport  *self,
                                            AmnesiaChannel    *channel,
                                            AmnesiaTlsSession *session);
void     amnesia_transport_shake         (AmnesiaTransport *self,
                                          AmnesiaChannel   *channel);
void     amnesia_transport_review_handshakes (AmnesiaTransport *self);
void     amnesia_transport_forget_handshake (AmnesiaTransport *self,
                                             AmnesiaChannel   *channel);
void     amnesia_transport_set_tls       (AmnesiaTransport *self,
                                          AmnesiaTls       *tls);

/* which entry is ours: amnesia-transport-own.c */
void     amnesia_transport_begin_search (AmnesiaTransport *self);
void     amnesia_transport_end_search   (AmnesiaTransport *self,
                                         const char       *host,
                                         guint16           port,
                                         gboolean          guest);
void     amnesia_transport_end_grace    (AmnesiaTransport *self);
void     amnesia_transport_seek         (AmnesiaTransport *self);
void     amnesia_transport_check_own    (AmnesiaTransport *self);
gboolean amnesia_transport_has_moved    (AmnesiaTransport *self);
gboolean amnesia_transport_is_listed    (AmnesiaTransport *self);

/* whether the network has changed: amnesia-transport-network.c */
GSource *amnesia_transport_network_source_new (AmnesiaTransport *self,
                                               GSourceFunc       func);
void     amnesia_transport_plan_watch   (AmnesiaTransport *self);
void     amnesia_transport_begin_watch  (AmnesiaTransport *self);
void     amnesia_transport_end_watch    (AmnesiaTransport *self);

/* members of this machine: amnesia-transport-local.c */
void         amnesia_transport_set_local_way (AmnesiaTransport *self);
void         amnesia_transport_listen_nearby (AmnesiaTransport *self);
AmnesiaLink *amnesia_transport_add_nearby    (AmnesiaTransport *self,
                                              AmnesiaMember    *member,
                                              GSocket          *socket);

G_END_DECLS
