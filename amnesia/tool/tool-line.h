/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

/* Lines that somebody types. On a terminal, and if there is libedit, with a prompt, editing and a
 * history; else just as they come. While it waits, the default main context runs. */
typedef struct _ToolLine ToolLine;

/* What the text before the cursor may end with instead of what it has from `start` on. */
typedef char **(*ToolLineComplete) (const char *before,
                                    gsize      *start,
                                    gpointer    user_data);

ToolLine *tool_line_new         (ToolLineComplete  complete,
                                 gpointer          user_data);
void      tool_line_free        (ToolLine         *self);

/* The next line without its end, or NULL: there is none. @goes_on: it belongs to the one before. */
char     *tool_line_read        (ToolLine         *self,
                                 gboolean          goes_on);

/* Whether the last line was given up. */
gboolean  tool_line_is_cancelled (ToolLine        *self);

/* For later: it can be had again. */
void      tool_line_remember    (ToolLine         *self,
                                 const char       *line);

/* There are no more lines from now on, also if one waits. */
void      tool_line_end         (ToolLine         *self);

/* Whether somebody sits there. */
gboolean  tool_line_is_terminal (ToolLine         *self);

/* Prints one or more lines; above the prompt, and what was typed stays as it is. */
void      tool_line_say         (ToolLine         *self,
                                 const char       *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolLine, tool_line_free)
