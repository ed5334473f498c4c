/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-members-private.h"

G_BEGIN_DECLS

/* SEARCHING: which entry is ours is not known yet, nobody is dialled. MEMBER: we listen, and dial
 * every other entry. GUEST: no entry is free; one link to any member will do. */
typedef enum
{
  AMNESIA_ROLE_SEARCHING,
  AMNESIA_ROLE_MEMBER,
  AMNESIA_ROLE_GUEST,
} AmnesiaRole;

/* Who is to be dialled, and when. */
typedef struct
{
  AmnesiaRole role;
  /* of a guest */
  guint       next;   /* the position of the member that is dialled next */
  guint       rounds; /* in vain */
  gint64      at;     /* when */
} AmnesiaDialPlan;

void           amnesia_dial_plan_set_role     (AmnesiaDialPlan *self,
                                               AmnesiaRole      role,
                                               AmnesiaTime      now);
void           amnesia_dial_plan_hurry        (AmnesiaDialPlan *self,
                                               AmnesiaTime      now);
void           amnesia_dial_plan_lost         (AmnesiaDialPlan *self,
                                               gboolean         brief,
                                               AmnesiaTime      now);
AmnesiaMember *amnesia_dial_plan_pop          (AmnesiaDialPlan *self,
                                               AmnesiaMembers  *members,
                                               gboolean         linked,
                                               AmnesiaTime      now,
                                               GRand           *rand,
                                               gboolean        *seek);
gint64         amnesia_dial_plan_get_deadline (AmnesiaDialPlan *self,
                                               AmnesiaMembers  *members,
                                               gboolean         linked);

G_END_DECLS
