/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One key whose value differs; NULL is where it has none. */
typedef void (*AmnesiaKeyChangeFunc) (const char *key,
                                      GVariant   *old_value,
                                      GVariant   *new_value,
                                      gpointer    user_data);

gboolean amnesia_key_changes_foreach (GVariant             *old_value,
                                      GVariant             *new_value,
                                      AmnesiaKeyChangeFunc  func,
                                      gpointer              user_data);

G_END_DECLS
