/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* GVariants and the values of properties, from one to the other: right, or an error. Pure. */

gboolean  amnesia_convert_knows_type (GType          type);
gboolean  amnesia_convert_to_value   (GVariant      *variant,
                                      GValue        *value,
                                      GError       **error);
GVariant *amnesia_convert_from_value (const GValue  *value,
                                      GVariant      *present,
                                      GError       **error);
gboolean  amnesia_convert_equal      (const GValue  *a,
                                      const GValue  *b);

G_END_DECLS
