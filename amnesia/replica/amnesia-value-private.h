/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of a type string. */
#define AMNESIA_MAX_TYPE 255
/* Bytes of a key. */
#define AMNESIA_MAX_KEY 255

gboolean amnesia_value_check_type (const char  *type_string,
                                   GError     **error);
gboolean amnesia_value_is_quick   (const char  *type_string);
gboolean amnesia_value_is_any     (const char  *type_string,
                                   gsize        size);
gboolean amnesia_value_is_key     (const char  *text);
gboolean amnesia_value_check      (GVariant    *value,
                                   guint64      max_size,
                                   GError     **error);
gboolean amnesia_value_check_member (GVariant  *value,
                                     guint64    max_size,
                                     GError   **error);
gboolean amnesia_value_equal      (GVariant    *a,
                                   GVariant    *b);
GVariant *amnesia_value_copy      (GVariant    *part);

G_END_DECLS
