/* SPDX-License-Identifier: MIT */

#pragma once

#include "testlib.h"

G_BEGIN_DECLS

/* Looks at AmnesiaPeer:sending or :receiving as a progress bar would: what is told has to be news, and to
 * go up, and not to be told too often. */
typedef struct
{
  AmnesiaPeer *peer;    /* (owned) */
  const char  *name;    /* of the property */
  gdouble      shown;   /* what was told last */
  gint64       since;   /* when we began to look */
  guint        n_parts; /* how often less than 1 was told */
  guint        n_ends;  /* how often 1 was */
} Bar;

Bar     *bar_new   (AmnesiaPeer *peer,
                    const char  *name);
void     bar_free  (Bar         *self);
gboolean bar_check (Bar         *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bar, bar_free)

G_END_DECLS
