/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

/* The standard input, read while the default main context runs. Whether it is a terminal, a pipe or a
 * file, nobody waits for it but the main loop. */
typedef struct _ToolInput ToolInput;

ToolInput *tool_input_new         (int        descriptor);
void       tool_input_free        (ToolInput *self);

/* Both run the main context until there is something, and return FALSE or NULL at the end. */
gboolean   tool_input_next_char   (ToolInput *self,
                                   gunichar  *found);
char      *tool_input_next_line   (ToolInput *self);

/* Lets others have their turn, also if all lines are there already. */
void       tool_input_give_turn   (ToolInput *self);

/* Whether more has come than was taken: somebody pastes. */
gboolean   tool_input_has_more    (ToolInput *self);

/* From now on it is at its end; what waits returns. */
void       tool_input_end         (ToolInput *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolInput, tool_input_free)
