/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined (AMNESIA_INSIDE) && !defined (AMNESIA_COMPILATION)
#error "Only <amnesia.h> can be included directly."
#endif

#include "amnesia-version.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define AMNESIA_TYPE_CHANGE (amnesia_change_get_type ())

AMNESIA_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (AmnesiaChange, amnesia_change, AMNESIA, CHANGE, GObject)

AMNESIA_AVAILABLE_IN_0_1
const char *amnesia_change_get_key    (AmnesiaChange *self);
AMNESIA_AVAILABLE_IN_0_1
GVariant   *amnesia_change_get_old    (AmnesiaChange *self);
AMNESIA_AVAILABLE_IN_0_1
GVariant   *amnesia_change_get_new    (AmnesiaChange *self);
AMNESIA_AVAILABLE_IN_0_1
gboolean    amnesia_change_get_remote (AmnesiaChange *self);
AMNESIA_AVAILABLE_IN_0_1
GDateTime  *amnesia_change_get_when   (AmnesiaChange *self);
AMNESIA_AVAILABLE_IN_0_1
const char *amnesia_change_get_writer (AmnesiaChange *self);

G_END_DECLS
