/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean amnesia_context_acquire (GMainContext   *context);
void     amnesia_context_invoke  (GMainContext   *context,
                                  GSourceFunc     function,
                                  gpointer        data,
                                  GDestroyNotify  notify);

G_END_DECLS
