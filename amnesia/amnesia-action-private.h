/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-store.h"

G_BEGIN_DECLS

#define AMNESIA_TYPE_ACTION (amnesia_action_get_type ())

G_DECLARE_FINAL_TYPE (AmnesiaAction, amnesia_action, AMNESIA, ACTION, GObject)

GAction *amnesia_action_new (AmnesiaStore *store,
                             const char   *key,
                             GVariant     *default_state);

G_END_DECLS
