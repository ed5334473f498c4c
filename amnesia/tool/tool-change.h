/* SPDX-License-Identifier: MIT */

#pragma once

#include <amnesia.h>

G_BEGIN_DECLS

/* A change as a line, for people and for programs. */
typedef struct
{
  const char *key;       /* (nullable) NULL: the whole value */
  GVariant   *old_value; /* (nullable) */
  GVariant   *new_value; /* (nullable) */
  GDateTime  *when;
  const char *writer;    /* (nullable) */
  gboolean    is_first;  /* no change: what is there already */
} ToolChange;

char *tool_change_to_line (const ToolChange  *self,
                           guint              columns);
char *tool_change_to_json (const ToolChange  *self,
                           GError           **error);

G_END_DECLS
