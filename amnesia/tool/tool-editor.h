/* SPDX-License-Identifier: MIT */

#pragma once

#include "tool-input.h"
#include "tool-line.h"

/* The editor of a line on a terminal, by libedit; without it there is none. */
typedef struct _ToolEditor ToolEditor;

ToolEditor *tool_editor_new  (ToolInput        *input,
                              ToolLineComplete  complete,
                              gpointer          user_data);
void        tool_editor_free (ToolEditor       *self);
char       *tool_editor_read (ToolEditor       *self,
                              gboolean          goes_on);
gboolean    tool_editor_is_cancelled (ToolEditor *self);
void        tool_editor_remember (ToolEditor *self,
                                  const char *line);
void        tool_editor_say  (ToolEditor       *self,
                              const char       *text);
