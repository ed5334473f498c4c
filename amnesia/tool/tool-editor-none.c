/* SPDX-License-Identifier: MIT */

#include "tool-editor.h"

/* In place of tool-editor.c where libedit is missing: lines come as they are. */

ToolEditor *
tool_editor_new (ToolInput        *input,
                 ToolLineComplete  complete,
                 gpointer          user_data)
{
  return NULL;
}

void
tool_editor_free (ToolEditor *self)
{
}

char *
tool_editor_read (ToolEditor *self,
                  gboolean    goes_on)
{
  return NULL;
}

gboolean
tool_editor_is_cancelled (ToolEditor *self)
{
  return FALSE;
}

void
tool_editor_remember (ToolEditor *self,
                      const char *line)
{
}

void
tool_editor_say (ToolEditor *self,
                 const char *text)
{
}
