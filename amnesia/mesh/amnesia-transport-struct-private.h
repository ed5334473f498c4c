/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-caller-private.h"
#include "amnesia-channel-private.h"
#include "amnesia-door-private.h"
#include "amnesia-listener-private.h"
#include "amnesia-names-private.h"
#include "amnesia-transport-private.h"
#include "amnesia-watch-private.h"

G_BEGIN_DECLS

/* What the files of the transport share with one another, and with nobody else. */

/* TICK: the mesh wants one. GRACE: the search for our entry waits no longer. VISITS: the oldest visitor
 * has waited long enough. */
typedef enum
{
  AMNESIA_DEADLINE_TICK,
  AMNESIA_DEADLINE_GRACE,
  AMNESIA_DEADLINE_VISITS,
} AmnesiaDeadline;

#define AMNESIA_N_DEADLINES (AMNESIA_DEADLINE_VISITS + 1)

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
