/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-listener-private.h"
#include "amnesia-names-private.h"
#include "amnesia-settings-private.h"

G_BEGIN_DECLS

/* Which entry of the configuration is ours? FOUND: the one at the position; the listener listens
 * on it. TOLD: the configuration said what to listen on. NONE: no entry is free here. WAIT: the
 * name of an entry is being looked up. FAILED: with an error. */
typedef enum
{
  AMNESIA_SEARCH_FOUND,
  AMNESIA_SEARCH_TOLD,
  AMNESIA_SEARCH_NONE,
  AMNESIA_SEARCH_WAIT,
  AMNESIA_SEARCH_FAILED,
} AmnesiaSearch;

AmnesiaSearch amnesia_search_run (const AmnesiaSettings  *settings,
                                  AmnesiaNames           *names,
                                  AmnesiaListener        *listener,
                                  gboolean                patient,
                                  guint                  *position,
                                  GError                **error);

G_END_DECLS
