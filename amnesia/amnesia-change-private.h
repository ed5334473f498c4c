/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-change.h"

G_BEGIN_DECLS

AmnesiaChange *amnesia_change_new      (const char    *key,
                                        GVariant      *old_value,
                                        GVariant      *new_value,
                                        gboolean       remote,
                                        GDateTime     *when,
                                        const char    *writer);
gsize          amnesia_change_get_size (AmnesiaChange *self);

G_END_DECLS
