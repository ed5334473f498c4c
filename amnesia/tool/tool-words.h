/* SPDX-License-Identifier: MIT */

#pragma once

#include <amnesia.h>

G_BEGIN_DECLS

char **tool_words_complete (AmnesiaStore *store,
                            const char   *before,
                            gsize        *start);

G_END_DECLS
