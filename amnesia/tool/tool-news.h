/* SPDX-License-Identifier: MIT */

#pragma once

#include "tool-line.h"

#include <amnesia.h>

G_BEGIN_DECLS

/* What others do, told above the prompt. */
typedef struct _ToolNews ToolNews;

ToolNews *tool_news_new  (AmnesiaStore *store,
                          ToolLine     *line);
void      tool_news_free (ToolNews     *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolNews, tool_news_free)

G_END_DECLS
