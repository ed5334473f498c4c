/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ToolProgress ToolProgress;

/* Says how far what is waited for has come: from 0 to 1; 1: that is not known. */
typedef double (*ToolProgressFunc) (gpointer user_data);

ToolProgress *tool_progress_new  (const char       *what,
                                  ToolProgressFunc  func,
                                  gpointer          user_data);
void          tool_progress_free (ToolProgress     *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolProgress, tool_progress_free)

G_END_DECLS
