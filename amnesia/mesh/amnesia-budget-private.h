/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* So many at once, then one a second: what others do must not flood the log. */
typedef struct
{
  double tokens;
  gint64 at;
} AmnesiaBudget;

void     amnesia_budget_init (AmnesiaBudget *self,
                              gint64         mono);
gboolean amnesia_budget_take (AmnesiaBudget *self,
                              gint64         mono);

G_END_DECLS
