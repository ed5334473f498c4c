/* SPDX-License-Identifier: MIT */

#include "tool-line.h"

#include "tool-editor.h"
#include "tool-terminal.h"
#include "tool-text.h"

#include <unistd.h>

struct _ToolLine
{
  ToolInput *input;   /* (owned) */
  ToolEditor *editor; /* (owned) (nullable): lines come as they are without it */
  ToolExit result;    /* TOOL_DONE as long as what is said gets out */
};

ToolLine *
tool_line_new (ToolLineComplete complete,
               gpointer         user_data)
{
  ToolLine *self = g_new0 (ToolLine, 1);

  self->input = tool_input_new (STDIN_FILENO);
  if (isatty (STDIN_FILENO) && tool_terminal_is_able (STDOUT_FILENO))
    self->editor = tool_editor_new (self->input, complete, user_data);
  return self;
}

void
tool_line_free (ToolLine *self)
{
  g_clear_pointer (&self->editor, tool_editor_free);
  tool_input_free (self->input);
  g_free (self);
}

void
tool_line_end (ToolLine *self)
{
  tool_input_end (self->input);
}

gboolean
tool_line_is_terminal (ToolLine *self)
{
  return self->editor != NULL;
}

char *
tool_line_read (ToolLine *self,
                gboolean  goes_on)
{
  tool_input_give_turn (self->input);
  if (self->editor != NULL)
    return tool_editor_read (self->editor, goes_on);
  return tool_input_next_line (self->input);
}

gboolean
tool_line_is_cancelled (ToolLine *self)
{
  return self->editor != NULL && tool_editor_is_cancelled (self->editor);
}

void
tool_line_remember (ToolLine   *self,
                    const char *line)
{
  if (self->editor != NULL)
    tool_editor_remember (self->editor, line);
}

void
tool_line_say (ToolLine   *self,
               const char *text)
{
  if (self->editor != NULL)
    tool_editor_say (self->editor, text);
  else if (self->result == TOOL_DONE)
    self->result = tool_text_show (text);
  if (self->result != TOOL_DONE)
    tool_line_end (self);
}

ToolExit
tool_line_get_result (ToolLine *self)
{
  return self->result;
}
