/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the command says with its exit code; 128 and the number of a signal, if that ended it. As long as
 * it is not known which one that is, it is 128 alone. */
typedef enum
{
  TOOL_DONE = 0,
  TOOL_FAILED = 1,      /* a value, a configuration, ... is not what it should be */
  TOOL_USAGE = 2,       /* the command line is not */
  TOOL_NOBODY = 3,      /* nobody in the list is there */
  TOOL_UNCONFIRMED = 4, /* nobody has confirmed the write */
  TOOL_NO_VALUE = 5,    /* there is none, or no such key */
  TOOL_SIGNAL = 128,
} ToolExit;

typedef struct
{
  const char *name;
  const char *arguments;   /* (nullable) (translatable) */
  const char *summary;     /* (translatable) one line, for the list of commands as well */
  const char *description; /* (nullable) (translatable) what stands below the options */
  int       (*run) (int argc, char **argv);
} ToolCommand;

extern const ToolCommand tool_bench_command;
extern const ToolCommand tool_check_conf_command;
extern const ToolCommand tool_get_command;
extern const ToolCommand tool_peers_command;
extern const ToolCommand tool_set_command;
extern const ToolCommand tool_shell_command;
extern const ToolCommand tool_unset_command;
extern const ToolCommand tool_watch_command;

void     tool_say_error   (const char         *format,
                           ...) G_GNUC_PRINTF (1, 2);
void     tool_usage_error (const ToolCommand  *command,
                           const char         *format,
                           ...) G_GNUC_PRINTF (2, 3);
gboolean tool_parse       (const ToolCommand  *command,
                           GOptionGroup       *group,
                           int                 argc,
                           char              **argv,
                           guint               min,
                           guint               max,
                           char             ***arguments);

G_END_DECLS
