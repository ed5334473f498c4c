/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

guint amnesia_fork_get_count (void);

G_END_DECLS
