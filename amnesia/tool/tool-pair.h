/* SPDX-License-Identifier: MIT */

#pragma once

#include "tool-command.h"

#include <amnesia.h>

G_BEGIN_DECLS

/* Two members that nobody else knows of: this process, and a second one that answers. */
typedef struct
{
  AmnesiaConf  *conf;     /* (owned) */
  AmnesiaStore *store;    /* (owned) */
  GSubprocess  *other;    /* (owned) */
  guint64       number;   /* of the last question */
  gboolean      answered;
  gboolean      ended;    /* the other one has */
  gint64        began;    /* what is waited for */
  guint         tick;     /* source */
} ToolPair;

gboolean tool_pair_begin  (ToolPair    *self,
                           AmnesiaWay   way,
                           GError     **error);
gboolean tool_pair_ask    (ToolPair    *self,
                           gsize        size,
                           GError     **error);
void     tool_pair_end    (ToolPair    *self);
ToolExit tool_pair_answer (const char  *json);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolPair, tool_pair_end)

G_END_DECLS
