/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-change-private.h"

G_BEGIN_DECLS

/* How many changes can be asked for. */
#define AMNESIA_MAX_HISTORY 10000

#define AMNESIA_TYPE_HISTORY (amnesia_history_get_type ())

G_DECLARE_FINAL_TYPE (AmnesiaHistory, amnesia_history, AMNESIA, HISTORY, GObject)

AmnesiaHistory *amnesia_history_new        (void);
guint           amnesia_history_get_length (AmnesiaHistory *self);
void            amnesia_history_set_length (AmnesiaHistory *self,
                                            guint           length);
void            amnesia_history_note       (AmnesiaHistory *self,
                                            AmnesiaChange  *change);
void            amnesia_history_publish    (AmnesiaHistory *self);

G_END_DECLS
