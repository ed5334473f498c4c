/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What can be said in a line of `amnesia shell`. */
typedef enum
{
  TOOL_VERB_NOTHING,
  TOOL_VERB_GET,      /* `mem.data`, `mem.data.key`, `get`, `get key` */
  TOOL_VERB_SET,      /* `mem.data = JSON`, `mem.data.key = JSON`, `set JSON`, `set key JSON` */
  TOOL_VERB_UNSET,    /* `delete mem.data`, `delete mem.data.key`, `unset`, `unset key` */
  TOOL_VERB_CONF,     /* `mem.conf` */
  TOOL_VERB_SET_CONF, /* `mem.conf = JSON` */
  TOOL_VERB_PEERS,
  TOOL_VERB_STATE,
  TOOL_VERB_UPDATED,
  TOOL_VERB_HISTORY,
  TOOL_VERB_HELP,
  TOOL_VERB_QUIT,
} ToolVerb;

typedef struct
{
  ToolVerb  verb;
  char     *key;   /* (owned) (nullable) */
  GVariant *value; /* (owned) (nullable) of a SET; NULL: unset */
  char     *json;  /* (owned) (nullable) of a SET_CONF */
} ToolStatement;

gboolean tool_statement_parse (ToolStatement  *self,
                               const char     *line,
                               GError        **error);
void     tool_statement_clear (ToolStatement  *self);

gboolean tool_statement_is_open (const char *text);

/* The words that a line can begin with, and what can follow `mem.`. */
extern const char *const tool_statement_words[];
extern const char *const tool_statement_members[];

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolStatement, tool_statement_clear)

G_END_DECLS
