/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined (AMNESIA_INSIDE) && !defined (AMNESIA_COMPILATION)
#error "Only <amnesia.h> can be included directly."
#endif

#include "amnesia-version.h"

#include <gio/gio.h>

G_BEGIN_DECLS

AMNESIA_AVAILABLE_IN_0_1
char     *amnesia_to_json   (GVariant    *value,
                             GError     **error);
AMNESIA_AVAILABLE_IN_0_1
GVariant *amnesia_from_json (const char  *json,
                             GError     **error);

G_END_DECLS
