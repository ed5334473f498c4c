/* SPDX-License-Identifier: MIT */

#pragma once

#include <amnesia.h>

G_BEGIN_DECLS

/* A guest of one entry of a configuration, which finds out how that is. */
typedef struct
{
  AmnesiaStore *store; /* (owned) */
  AmnesiaPeer  *peer;  /* (owned) (nullable) until the store is open */
  char         *host;  /* (owned) */
  guint         port;
  void        (*on_news) (gpointer user_data);
  gpointer      user_data;
} ToolAsker;

ToolAsker    *tool_asker_new        (AmnesiaConf  *conf,
                                     guint         position);
void          tool_asker_free       (ToolAsker    *self);
AmnesiaWay    tool_asker_get_way    (ToolAsker    *self);
gboolean      tool_asker_is_settled (ToolAsker    *self);
gboolean      tool_asker_is_here    (ToolAsker    *self);
const char   *tool_asker_get_note   (ToolAsker    *self);
char        **tool_asker_to_cells   (ToolAsker    *self);
GVariant     *tool_asker_to_variant (ToolAsker    *self);

G_END_DECLS
