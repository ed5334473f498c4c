/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-caller-private.h"
#include "amnesia-channel-private.h"
#include "amnesia-door-private.h"
#include "amnesia-listener-private.h"
#include "amnesia-names-private.h"
#include "amnesia-transport-private.h"

G_BEGIN_DECLS

/* What the files of the transport share with one another, and with nobody else. */

/* Closed: no settings. While `seeking` our own entry is looked for, and nobody is dialled. */
struct _AmnesiaTransport
{
  GMainContext    *context;      /* (owned) */
  GWeakRef         owner;
  const AmnesiaTransportFuncs *funcs;
  pid_t            pid;          /* of the process that all this belongs to */
  AmnesiaTime      now;          /* of the present dispatch */
  gint64           until;        /* when it is to begin nothing more */

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

  GPtrArray       *woken;        /* (owned) (element-type AmnesiaChannel) have something to send */
  gboolean         sent_this_turn;
  GSource         *turn;         /* (owned) at the end of a loop turn in which there were writes */
  GSource         *timer;        /* (owned) when the mesh wants a tick */
  GSource         *grace;        /* (owned) when the search for our entry waits no longer */
  GSource         *visits;       /* (owned) when the oldest visitor has waited long enough */

  GNetworkMonitor *monitor;      /* (owned) (nullable) while open */
  gulong           network_changed_id;
};

/* which entry is ours: amnesia-transport-own.c */
void     amnesia_transport_begin_search (AmnesiaTransport *self);
void     amnesia_transport_end_search   (AmnesiaTransport *self,
                                         const char       *host,
                                         guint16           port,
                                         gboolean          guest);
void     amnesia_transport_end_grace    (AmnesiaTransport *self,
                                         gpointer          owner);
void     amnesia_transport_seek         (AmnesiaTransport *self);
void     amnesia_transport_check_own    (AmnesiaTransport *self);
gboolean amnesia_transport_has_moved    (AmnesiaTransport *self);
gboolean amnesia_transport_is_listed    (AmnesiaTransport *self);

/* members of this machine: amnesia-transport-local.c */
void         amnesia_transport_set_local_way (AmnesiaTransport *self);
void         amnesia_transport_listen_nearby (AmnesiaTransport *self);
AmnesiaLink *amnesia_transport_add_nearby    (AmnesiaTransport *self,
                                              AmnesiaMember    *member,
                                              GSocket          *socket);

G_END_DECLS
