/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

char             *amnesia_host_canonicalize         (const char  *host,
                                                     const char **fault);
char             *amnesia_host_canonicalize_address (const char  *address,
                                                     const char **fault);
GInetAddressMask *amnesia_host_parse_range          (const char  *range,
                                                     const char **fault);

G_END_DECLS
