/* SPDX-License-Identifier: MIT */

#include "amnesia-watch-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* What is asked for at once; the rest is still there in the next turn. */
#define MAX_EVENTS 64

/* The bits are the same. */
G_STATIC_ASSERT (EPOLLIN == (int) G_IO_IN && EPOLLOUT == (int) G_IO_OUT);
G_STATIC_ASSERT (EPOLLERR == (int) G_IO_ERR && EPOLLHUP == (int) G_IO_HUP);

typedef struct
{
  GSource       source;
  AmnesiaWatch *watch; /* (unowned) */
} WatchSource;

struct _AmnesiaWatch
{
  GSource                 *source; /* (owned) */
  const AmnesiaWatchFuncs *funcs;
  gpointer                 user_data;
  gint64                   deadline; /* 0: none */

  int                      fd;     /* of epoll; -1 while there is nothing to be watched */
  gpointer                 tag;    /* of that */
  guint                    n_watched;
  struct epoll_event       events[MAX_EVENTS];
  int                      n_events;
  int                      next;   /* which of them comes next */
};

/* In milliseconds, as poll () has it; the last one is begun. */
static int
get_timeout (AmnesiaWatch *self,
             gint64        now)
{
  gint64 left = MAX (self->deadline - now, 0);

  return self->deadline != 0 ? (int) MIN ((left + 999) / 1000, G_MAXINT) : -1;
}

static gboolean
watch_source_prepare (GSource *source,
                      int     *timeout)
{
  AmnesiaWatch *self = ((WatchSource *) source)->watch;

  *timeout = get_timeout (self, g_source_get_time (source));
  return self->funcs->turn (self->user_data) || *timeout == 0;
}

static gboolean
watch_source_check (GSource *source)
{
  AmnesiaWatch *self = ((WatchSource *) source)->watch;

  return (self->tag != NULL && g_source_query_unix_fd (source, self->tag) != 0) ||
         get_timeout (self, g_source_get_time (source)) == 0;
}

static gboolean
watch_source_dispatch (GSource     *source,
                       GSourceFunc  callback,
                       gpointer     user_data)
{
  AmnesiaWatch *self = ((WatchSource *) source)->watch;

  /* by a thread that has something for us */
  if (g_source_get_ready_time (source) != -1)
    g_source_set_ready_time (source, -1);
  /* may free us, and run nested main loops: nothing follows */
  self->funcs->ready (self->user_data);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs watch_source_funcs = {
  .prepare = watch_source_prepare,
  .check = watch_source_check,
  .dispatch = watch_source_dispatch,
};

AmnesiaWatch *
amnesia_watch_new (GMainContext            *context,
                   const AmnesiaWatchFuncs *funcs,
                   gpointer                 user_data)
{
  AmnesiaWatch *self = g_new0 (AmnesiaWatch, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  self->fd = -1;
  self->source = g_source_new (&watch_source_funcs, sizeof (WatchSource));
  ((WatchSource *) self->source)->watch = self;
  g_source_set_static_name (self->source, "[amnesia] links");
  /* a handler of the application may run a nested loop, in which the links live on */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, context);
  return self;
}

/* Closes the descriptor, and no more: what it watches is the other process's as well, and goes on
 * being watched there. */
void
amnesia_watch_disown (AmnesiaWatch *self)
{
  if (self->fd < 0)
    return;
  g_source_remove_unix_fd (self->source, g_steal_pointer (&self->tag));
  close (self->fd);
  self->fd = -1;
}

void
amnesia_watch_free (AmnesiaWatch *self)
{
  amnesia_watch_disown (self);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_free (self);
}

/* We are called when it has come. That is not g_source_set_ready_time (), which wakes a loop even where
 * its own thread sets it: what comes with each value would cost one more turn. */
void
amnesia_watch_set_deadline (AmnesiaWatch *self,
                            gint64        mono)
{
  self->deadline = mono;
}

/* For another thread to make ready, when it has something to be looked at. */
GSource *
amnesia_watch_get_source (AmnesiaWatch *self)
{
  return self->source;
}

static gboolean
open_epoll (AmnesiaWatch *self)
{
  if (self->fd >= 0)
    return TRUE;
  self->fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->fd >= 0)
    self->tag = g_source_add_unix_fd (self->source, self->fd, G_IO_IN);
  return self->fd >= 0;
}

/* Waits for something to be read from @fd, which is @whose. */
gboolean
amnesia_watch_add (AmnesiaWatch  *self,
                   int            fd,
                   gpointer       whose,
                   GError       **error)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = whose };
  int saved;

  if (open_epoll (self) && epoll_ctl (self->fd, EPOLL_CTL_ADD, fd, &event) == 0)
    {
      self->n_watched++;
      return TRUE;
    }
  saved = errno;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved),
               "the connection cannot be watched: %s", g_strerror (saved));
  return FALSE;
}

/* Its end is always told; where nothing is waited for, only once, or it would spin. */
void
amnesia_watch_change (AmnesiaWatch *self,
                      int           fd,
                      gpointer      whose,
                      GIOCondition  condition)
{
  struct epoll_event event = { .data.ptr = whose };

  event.events = condition != 0 ? (guint32) condition : EPOLLET;
  epoll_ctl (self->fd, EPOLL_CTL_MOD, fd, &event);
}

/* To be called before @fd is closed. */
void
amnesia_watch_remove (AmnesiaWatch *self,
                      int           fd,
                      gpointer      whose)
{
  int i;

  if (self->fd >= 0)
    epoll_ctl (self->fd, EPOLL_CTL_DEL, fd, NULL);
  if (--self->n_watched == 0)
    amnesia_watch_disown (self);
  for (i = self->next; i < self->n_events; i++)
    if (self->events[i].data.ptr == whose)
      self->events[i].data.ptr = NULL;
}

/* Asks what has come. Returns whether anything has. */
gboolean
amnesia_watch_collect (AmnesiaWatch *self)
{
  self->next = 0;
  self->n_events = self->fd >= 0 ? epoll_wait (self->fd, self->events, MAX_EVENTS, 0) : 0;
  return self->n_events > 0;
}

/* Returns whose turn it is, NULL if there is nobody left. */
gpointer
amnesia_watch_pop (AmnesiaWatch *self,
                   GIOCondition *condition)
{
  while (self->next < self->n_events)
    {
      struct epoll_event *event = &self->events[self->next++];

      *condition = event->events;
      if (event->data.ptr != NULL)
        return event->data.ptr;
    }
  return NULL;
}
