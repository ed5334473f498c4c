/* SPDX-License-Identifier: MIT */

#include "amnesia-dial-plan-private.h"

#include "amnesia-limits-private.h"

/* Begins anew, with the first round. */
void
amnesia_dial_plan_set_role (AmnesiaDialPlan *self,
                            AmnesiaRole      role,
                            AmnesiaTime      now)
{
  *self = (AmnesiaDialPlan) { .role = role, .at = now.mono };
}

/* A guest's dial failed: the next one need not wait. */
void
amnesia_dial_plan_hurry (AmnesiaDialPlan *self,
                         AmnesiaTime      now)
{
  if (self->next > 0)
    self->at = now.mono;
}

/* A guest lost its link: first of all it looks whether an entry has become free. @brief: the link did
 * not serve, so that there is no reason to hurry. */
void
amnesia_dial_plan_lost (AmnesiaDialPlan *self,
                        gboolean         brief,
                        AmnesiaTime      now)
{
  self->at = now.mono + AMNESIA_GUEST_STEP;
  self->next = G_MAXUINT;
  if (!brief)
    self->rounds = 0;
}

static gboolean
may_dial (AmnesiaMember *member)
{
  return amnesia_member_is_remote (member) && !member->dialling && member->link == NULL;
}

static AmnesiaMember *
pop_as_member (AmnesiaMembers *members,
               AmnesiaTime     now)
{
  guint i;

  for (i = 0; i < members->list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (members, i);

      if (may_dial (member) && now.mono >= member->redial_at)
        return member;
    }
  return NULL;
}

/* A guest dials one after the other until one says hello. After each round it looks whether an
 * entry has become free, and takes a longer breath. */
static AmnesiaMember *
pop_as_guest (AmnesiaDialPlan *self,
              AmnesiaMembers  *members,
              AmnesiaTime      now,
              GRand           *rand,
              gboolean        *seek)
{
  gint64 cap = self->rounds > AMNESIA_GUEST_ROUNDS_LATER ? AMNESIA_REDIAL_CAP_LATER
                                                         : AMNESIA_REDIAL_CAP;
  gint64 breath = MIN (AMNESIA_GUEST_STEP << MIN (self->rounds, 16), cap);

  if (now.mono < self->at)
    return NULL;
  while (self->next < members->list->len)
    {
      AmnesiaMember *member = amnesia_members_get (members, self->next++);

      if (!may_dial (member))
        continue;
      self->at = now.mono + AMNESIA_GUEST_STEP;
      return member;
    }
  self->next = 0;
  self->at = now.mono + amnesia_jitter (breath, rand);
  self->rounds++;
  *seek = TRUE;
  return NULL;
}

/* Returns who is to be dialled now, NULL if nobody. @linked: whether any link is up. */
AmnesiaMember *
amnesia_dial_plan_pop (AmnesiaDialPlan *self,
                       AmnesiaMembers  *members,
                       gboolean         linked,
                       AmnesiaTime      now,
                       GRand           *rand,
                       gboolean        *seek)
{
  if (self->role == AMNESIA_ROLE_MEMBER)
    return pop_as_member (members, now);
  if (self->role == AMNESIA_ROLE_GUEST && !linked)
    return pop_as_guest (self, members, now, rand, seek);
  return NULL;
}

/* When to ask again; 0: not before something happens. */
gint64
amnesia_dial_plan_get_deadline (AmnesiaDialPlan *self,
                                AmnesiaMembers  *members,
                                gboolean         linked)
{
  gint64 deadline = 0;
  guint i;

  if (self->role == AMNESIA_ROLE_GUEST)
    return linked ? 0 : self->at;
  for (i = 0; self->role == AMNESIA_ROLE_MEMBER && i < members->list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (members, i);

      if (may_dial (member))
        deadline = amnesia_earlier (deadline, member->redial_at);
    }
  return deadline;
}
