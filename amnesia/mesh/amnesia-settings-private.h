/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-tls-private.h"

G_BEGIN_DECLS

typedef struct
{
  char    *host; /* (owned) */
  guint16  port;
} AmnesiaAddress;

/* What the mesh needs to know of a configuration. */
typedef struct
{
  GArray    *entries;     /* (owned) (element-type AmnesiaAddress) */
  char      *group;       /* (owned) */
  guint64    max_size;    /* bytes */
  gint64     clock_limit; /* microseconds, 0: none */
  GPtrArray *allow;       /* (owned) (element-type GInetAddressMask) guests from elsewhere */
  gboolean   local;       /* members of this machine are linked with by Unix sockets */
  gboolean   guest;       /* none of the entries is to be ours */
  char      *listen_host; /* (owned) (nullable) instead of our own entry */
  guint16    listen_port;
  AmnesiaTls *tls;        /* (owned) (nullable) NULL: connections by TCP are plain ones */
} AmnesiaSettings;

AmnesiaSettings *amnesia_settings_new       (void);
void             amnesia_settings_free      (AmnesiaSettings       *settings);
void             amnesia_settings_add_entry (AmnesiaSettings       *settings,
                                             const char            *host,
                                             guint16                port);
gboolean         amnesia_settings_list      (const AmnesiaSettings *settings,
                                             const char            *host,
                                             guint16                port);
gboolean         amnesia_settings_has_host  (const AmnesiaSettings *settings,
                                             const char            *host);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaSettings, amnesia_settings_free)

G_END_DECLS
