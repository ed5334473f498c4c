/* SPDX-License-Identifier: MIT */

#include "tool-line.h"

#include "tool-editor.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const int ends[] = { SIGHUP, SIGINT, SIGTERM };

struct _ToolLine
{
  ToolInput *input;   /* (owned) */
  ToolEditor *editor; /* (owned) (nullable): lines come as they are without it */
  guint sources[G_N_ELEMENTS (ends)];
};

static gboolean
on_end (gpointer user_data)
{
  ToolLine *self = user_data;

  tool_input_end (self->input);
  return G_SOURCE_CONTINUE;
}

/* A terminal that can neither move its cursor nor clear a line is no place for an editor. */
static gboolean
is_able (void)
{
  const char *terminal = g_getenv ("TERM");

  return isatty (STDIN_FILENO) && isatty (STDOUT_FILENO) && terminal != NULL && *terminal != '\0'
         && strcmp (terminal, "dumb") != 0;
}

ToolLine *
tool_line_new (ToolLineComplete complete,
               gpointer         user_data)
{
  ToolLine *self = g_new0 (ToolLine, 1);

  self->input = tool_input_new (STDIN_FILENO);
  if (is_able ())
    self->editor = tool_editor_new (self->input, complete, user_data);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    self->sources[i] = g_unix_signal_add (ends[i], on_end, self);
  return self;
}

void
tool_line_free (ToolLine *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    g_source_remove (self->sources[i]);
  g_clear_pointer (&self->editor, tool_editor_free);
  tool_input_free (self->input);
  g_free (self);
}

gboolean
tool_line_is_terminal (ToolLine *self)
{
  return self->editor != NULL;
}

char *
tool_line_read (ToolLine *self)
{
  tool_input_give_turn (self->input);
  if (self->editor != NULL)
    return tool_editor_read (self->editor);
  return tool_input_next_line (self->input);
}

void
tool_line_say (ToolLine   *self,
               const char *text)
{
  if (self->editor != NULL)
    tool_editor_say (self->editor, text);
  else
    {
      puts (text);
      fflush (stdout);
    }
}

void
tool_line_get_size (ToolLine *self,
                    guint    *n_rows,
                    guint    *n_columns)
{
  struct winsize size = { 0 };
  gboolean is_known = ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;

  *n_rows = is_known ? size.ws_row : 24;
  *n_columns = is_known ? size.ws_col : 80;
}
