/* SPDX-License-Identifier: MIT */

#pragma once

#include "tool-command.h"

#include <amnesia.h>

G_BEGIN_DECLS

/* A store that is opened for the time of a command, and what the command line says of it. */
typedef struct
{
  char         *conf_name;   /* (owned) (nullable) as the command line has it */
  double        timeout;     /* seconds; 0: for ever */
  gboolean      guest;       /* leaves the entries to others */

  AmnesiaConf  *conf;        /* (owned) (nullable) until it is read */
  AmnesiaStore *store;       /* (owned) (nullable) until it is opened */
  GCancellable *cancellable; /* (owned) cancelled when it is to end */
  gint64        deadline;    /* monotonic, microseconds; 0: none */
  gboolean      timed_out;
  gboolean      stopped;     /* there is nothing more to be waited for */
  int           signal;      /* that ended it, or 0 */
  guint         sources[3];  /* of the signals; 0: not joined yet */

  guint         n_lonely;    /* looks in a row at which nobody was there to confirm, */
  guint         n_in_sync;   /* or all who are there had */
} ToolSession;

void          tool_session_init           (ToolSession        *self,
                                           gboolean            guest);
void          tool_session_clear          (ToolSession        *self);
GOptionGroup *tool_session_new_conf_group (ToolSession        *self,
                                           const GOptionEntry *own);
GOptionGroup *tool_session_new_group      (ToolSession        *self,
                                           const GOptionEntry *own);

ToolExit      tool_session_read_conf      (ToolSession        *self);
ToolExit      tool_session_begin          (ToolSession        *self);
ToolExit      tool_session_join           (ToolSession        *self);
ToolExit      tool_session_join_others    (ToolSession        *self);
void          tool_session_run            (ToolSession        *self);
void          tool_session_stop           (ToolSession        *self);
gboolean      tool_session_is_stopped     (ToolSession        *self);
void          tool_session_renew_deadline (ToolSession        *self);
guint         tool_session_get_time_left  (ToolSession        *self);
ToolExit      tool_session_leave          (ToolSession        *self,
                                           ToolExit            so_far);
ToolExit      tool_session_get_result     (ToolSession        *self,
                                           ToolExit            so_far);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolSession, tool_session_clear)

G_END_DECLS
