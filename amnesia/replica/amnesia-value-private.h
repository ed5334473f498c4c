/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean amnesia_value_check_type (const char  *type_string,
                                   GError     **error);
gboolean amnesia_value_is_quick   (const char  *type_string);
gboolean amnesia_value_check      (GVariant    *value,
                                   guint64      max_size,
                                   GError     **error);
gboolean amnesia_value_equal      (GVariant    *a,
                                   GVariant    *b);

G_END_DECLS
