/* SPDX-License-Identifier: MIT */

#include "tool-progress.h"

#include "tool-terminal.h"

#include <glib/gi18n.h>
#include <unistd.h>

/* What takes longer is shown, in milliseconds, */
#define SHOW_AFTER 1000
/* and so often. */
#define INTERVAL 200
#define MAX_BAR 40
#define MIN_BAR 10

/* A line on the standard error, if that is a terminal, which goes away when it is over. */
struct _ToolProgress
{
  char             *what;      /* (owned) */
  ToolProgressFunc  func;      /* (nullable) */
  gpointer          user_data;
  gint64            began;
  guint             source;
  gboolean          is_shown;
};

static char *
draw_bar (double fraction,
          guint  columns)
{
  GString *bar = g_string_new ("[");
  guint filled = (guint) (fraction * columns);

  for (guint i = 0; i < columns; i++)
    g_string_append_c (bar, i < filled ? '#' : '.');
  g_string_append_printf (bar, "] %3d %%", (int) (fraction * 100));

  return g_string_free (bar, FALSE);
}

/* How far it is, or how long it has taken. */
static char *
draw_rest (ToolProgress *self,
           guint         columns)
{
  double fraction = self->func != NULL ? self->func (self->user_data) : 1;
  guint used = tool_terminal_measure (self->what) + 9;
  guint room = columns > used ? columns - used : 0;

  if (fraction < 1 && room >= MIN_BAR)
    return draw_bar (fraction, MIN (room, MAX_BAR));

  return g_strdup_printf (_("%d s"), (int) ((g_get_monotonic_time () - self->began) / G_TIME_SPAN_SECOND));
}

static gboolean
draw (gpointer user_data)
{
  ToolProgress *self = user_data;
  guint columns = tool_terminal_get_columns (STDERR_FILENO) - 1;
  g_autofree char *rest = draw_rest (self, columns);
  g_autofree char *line = g_strconcat (self->what, " ", rest, NULL);
  g_autofree char *cut = tool_terminal_cut (line, columns);

  g_printerr ("\r\033[K%s", cut);
  self->is_shown = TRUE;

  return G_SOURCE_CONTINUE;
}

static gboolean
begin (gpointer user_data)
{
  ToolProgress *self = user_data;

  self->source = g_timeout_add (INTERVAL, draw, self);
  draw (self);

  return G_SOURCE_REMOVE;
}

/* @func may be NULL, if nothing is known but that it takes its time. The main loop has to run. */
ToolProgress *
tool_progress_new (const char       *what,
                   ToolProgressFunc  func,
                   gpointer          user_data)
{
  ToolProgress *self = g_new0 (ToolProgress, 1);

  self->what = g_strdup (what);
  self->func = func;
  self->user_data = user_data;
  self->began = g_get_monotonic_time ();
  if (tool_terminal_is_able (STDERR_FILENO))
    self->source = g_timeout_add (SHOW_AFTER, begin, self);

  return self;
}

void
tool_progress_free (ToolProgress *self)
{
  g_clear_handle_id (&self->source, g_source_remove);
  if (self->is_shown)
    g_printerr ("\r\033[K");
  g_free (self->what);
  g_free (self);
}
