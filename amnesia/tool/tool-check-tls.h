/* SPDX-License-Identifier: MIT */

#pragma once

#include <amnesia.h>

G_BEGIN_DECLS

void tool_check_tls (AmnesiaConf *conf,
                     GPtrArray   *rows,
                     GPtrArray   *remarks);

G_END_DECLS
