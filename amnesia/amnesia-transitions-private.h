/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One change of the value as this process sees it. */
typedef struct
{
  GList     link;   /* in the queue */
  GVariant *old;    /* (owned) (nullable) */
  GVariant *new;    /* (owned) (nullable) */
  gboolean  remote;
} AmnesiaTransition;

/* Those that wait to be emitted, each beginning where the one before it ends. */
typedef struct
{
  GQueue    queue;   /* (element-type AmnesiaTransition) */
  guint     n_local;
  gboolean  warned;
  GVariant *value;   /* (owned) (nullable) to which the last one led */
  AmnesiaTransition *spare; /* (owned) (nullable) the last one that was done with */
} AmnesiaTransitions;

void               amnesia_transitions_init  (AmnesiaTransitions *self);
void               amnesia_transitions_clear (AmnesiaTransitions *self);

gboolean           amnesia_transitions_note  (AmnesiaTransitions *self,
                                              GVariant           *value,
                                              gboolean            remote);
AmnesiaTransition *amnesia_transitions_pop   (AmnesiaTransitions *self);
gboolean           amnesia_transitions_any   (AmnesiaTransitions *self);
void               amnesia_transitions_done  (AmnesiaTransitions *self,
                                              AmnesiaTransition  *transition);

G_END_DECLS
