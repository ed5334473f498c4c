/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ToolExec ToolExec;

ToolExec *tool_exec_new     (const char *command);
void      tool_exec_free    (ToolExec   *self);
void      tool_exec_push    (ToolExec   *self,
                             const char *key,
                             GVariant   *value);
gboolean  tool_exec_is_idle (ToolExec   *self);
void      tool_exec_stop    (ToolExec   *self,
                             int         signal);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolExec, tool_exec_free)

G_END_DECLS
