/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-conf-private.h"
#include "amnesia-conf.h"
#include "amnesia-error.h"

G_BEGIN_DECLS

/* A configuration's text or part, and what is to be said of it. */
typedef struct
{
  const char *given;
  const char *expected;
} ConfRow;

void         conf_assert_message (GError      *error,
                                  const char  *given,
                                  const char  *expected);
void         conf_assert_refused (const char  *json,
                                  const char  *expected);
AmnesiaConf *conf_assert_read    (const char  *json);
void         conf_assert_peer    (AmnesiaConf *conf,
                                  guint        position,
                                  const char  *expected_host,
                                  guint        expected_port);
char        *conf_repeat         (const char  *unit,
                                  guint        times);

G_END_DECLS
