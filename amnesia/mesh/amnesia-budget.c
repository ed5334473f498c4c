/* SPDX-License-Identifier: MIT */

#include "amnesia-budget-private.h"

#include "amnesia-limits-private.h"

void
amnesia_budget_init (AmnesiaBudget *self,
                     gint64         mono)
{
  self->tokens = AMNESIA_LOG_BURST;
  self->at = mono;
}

/* Returns whether there is one left. */
gboolean
amnesia_budget_take (AmnesiaBudget *self,
                     gint64         mono)
{
  double gained = (double) (mono - self->at) / AMNESIA_SECOND;

  self->tokens = MIN (self->tokens + gained, AMNESIA_LOG_BURST);
  self->at = mono;
  if (self->tokens < 1)
    return FALSE;
  self->tokens -= 1;
  return TRUE;
}
