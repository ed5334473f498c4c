/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

/* The lines of former sessions, in $XDG_STATE_HOME/amnesia/history. */

char **tool_past_load (void);
void   tool_past_add  (const char *line);
