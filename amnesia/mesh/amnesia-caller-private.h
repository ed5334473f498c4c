/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-listener-private.h"
#include "amnesia-member-private.h"
#include "amnesia-names-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Dials members: looks a name up, then tries its addresses. */
typedef struct _AmnesiaCaller AmnesiaCaller;

/* Either a socket that is connected, or an error. */
typedef void (*AmnesiaCallerFunc) (AmnesiaMember     *member,
                                   GSocket           *socket,
                                   const GError      *error,
                                   gpointer           user_data);

AmnesiaCaller *amnesia_caller_new        (GMainContext          *context,
                                          AmnesiaNames          *names,
                                          AmnesiaListener       *listener,
                                          const AmnesiaLocalWay *way,
                                          AmnesiaCallerFunc      func,
                                          gpointer               user_data);
void           amnesia_caller_free       (AmnesiaCaller     *self);

void           amnesia_caller_call       (AmnesiaCaller     *self,
                                          AmnesiaMember     *member);
void           amnesia_caller_call_nearby (AmnesiaCaller    *self,
                                           AmnesiaMember    *member);
void           amnesia_caller_name_known (AmnesiaCaller     *self,
                                          const char        *host);
void           amnesia_caller_retain     (AmnesiaCaller     *self,
                                          GPtrArray         *members);
void           amnesia_caller_hang_up    (AmnesiaCaller     *self);

G_END_DECLS
