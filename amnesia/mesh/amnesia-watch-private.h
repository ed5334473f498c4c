/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* All links of one store in the main loop, as one source: with one each, every turn of the loop would
 * go through all of them, many times over. */
typedef struct _AmnesiaWatch AmnesiaWatch;

/* One descriptor that is watched. */
typedef struct _AmnesiaWatched AmnesiaWatched;

/* @turn begins a turn of the loop, and tells whether there is something to do in it whether or not
 * anything comes; @ready is told that there is, or that something has come. */
typedef struct
{
  gboolean (*turn)  (gpointer user_data);
  void     (*ready) (gpointer user_data);
} AmnesiaWatchFuncs;

AmnesiaWatch *amnesia_watch_new        (GMainContext            *context,
                                        const AmnesiaWatchFuncs *funcs,
                                        gpointer                 user_data);
void          amnesia_watch_free       (AmnesiaWatch            *self);
void          amnesia_watch_disown     (AmnesiaWatch            *self);

GSource      *amnesia_watch_get_source (AmnesiaWatch            *self);
void          amnesia_watch_set_deadline (AmnesiaWatch          *self,
                                          gint64                 mono);
AmnesiaWatched *amnesia_watch_add      (AmnesiaWatch            *self,
                                        int                      fd,
                                        gpointer                 whose,
                                        GError                 **error);
void          amnesia_watch_change     (AmnesiaWatch            *self,
                                        AmnesiaWatched          *watched,
                                        GIOCondition             condition);
void          amnesia_watch_remove     (AmnesiaWatch            *self,
                                        AmnesiaWatched          *watched);

void          amnesia_watch_collect    (AmnesiaWatch            *self);
gpointer      amnesia_watch_pop        (AmnesiaWatch            *self,
                                        GIOCondition            *condition);
void          amnesia_watch_clear      (AmnesiaWatch            *self);

G_END_DECLS
