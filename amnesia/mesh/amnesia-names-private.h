/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-settings-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the names of the configuration resolve to: looked up a few at a time, with a deadline. */
typedef struct _AmnesiaNames AmnesiaNames;

typedef void (*AmnesiaNamesFunc) (const char *host,
                                  gpointer    user_data);

AmnesiaNames *amnesia_names_new        (GMainContext      *context,
                                        AmnesiaNamesFunc   func,
                                        gpointer           user_data);
void          amnesia_names_free       (AmnesiaNames      *self);

void          amnesia_names_lookup     (AmnesiaNames      *self,
                                        const char        *host);
gboolean      amnesia_names_is_pending (AmnesiaNames      *self,
                                        const char        *host);
GList        *amnesia_names_get        (AmnesiaNames      *self,
                                        const char        *host);
const GError *amnesia_names_get_error  (AmnesiaNames      *self,
                                        const char        *host);
gboolean      amnesia_names_have       (AmnesiaNames      *self,
                                        GInetAddress      *address);
gboolean      amnesia_names_are_loopback (AmnesiaNames    *self);
gboolean      amnesia_names_refresh    (AmnesiaNames      *self,
                                        gint64             now);
void          amnesia_names_retain     (AmnesiaNames          *self,
                                        const AmnesiaSettings *settings);

G_END_DECLS
