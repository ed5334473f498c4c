/* SPDX-License-Identifier: MIT */

#include "amnesia-watch-private.h"

#include "amnesia-gettext-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* What is asked for at once; the rest is still there in the next turn. */
#define MAX_EVENTS 64
/* So many are given to the main loop as they are. Where there are more, poll () would go through all of
 * them each time: they get a descriptor of epoll, which takes one call more for what has come. */
#define MAX_DIRECT 4

/* The bits are the same. */
G_STATIC_ASSERT (EPOLLIN == (int) G_IO_IN && EPOLLOUT == (int) G_IO_OUT);
G_STATIC_ASSERT (EPOLLERR == (int) G_IO_ERR && EPOLLHUP == (int) G_IO_HUP);

typedef struct
{
  GSource       source;
  AmnesiaWatch *watch; /* (unowned) */
} WatchSource;

struct _AmnesiaWatched
{
  int          fd;
  gpointer     whose;
  GIOCondition condition;
  gpointer     tag;       /* (nullable) of the descriptor, where it is the main loop's */
};

struct _AmnesiaWatch
{
  GSource                 *source; /* (owned) */
  const AmnesiaWatchFuncs *funcs;
  gpointer                 user_data;
  gint64                   deadline; /* 0: none */

  GPtrArray               *watched; /* (owned) (element-type AmnesiaWatched) */
  int                      fd;     /* of epoll; -1 while there are few */
  gpointer                 tag;    /* of that */
  struct epoll_event       events[MAX_EVENTS]; /* of an AmnesiaWatched each, NULL if it has gone */
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

static GIOCondition
query (AmnesiaWatch *self,
       gpointer      tag)
{
  return tag != NULL ? g_source_query_unix_fd (self->source, tag) : 0;
}

static gboolean
any_ready (AmnesiaWatch *self)
{
  guint i;

  if (self->fd >= 0)
    return query (self, self->tag) != 0;
  for (i = 0; i < self->watched->len; i++)
    if (query (self, ((AmnesiaWatched *) g_ptr_array_index (self->watched, i))->tag) != 0)
      return TRUE;
  return FALSE;
}

static gboolean
watch_source_check (GSource *source)
{
  AmnesiaWatch *self = ((WatchSource *) source)->watch;

  return any_ready (self) || get_timeout (self, g_source_get_time (source)) == 0;
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
  self->watched = g_ptr_array_new_with_free_func (g_free);
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
  g_ptr_array_unref (self->watched);
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

/* Where nothing is waited for, the descriptor is left alone, or its end, which is always told, would
 * spin: poll () does not get it, and epoll tells it once. */
static void
watch_directly (AmnesiaWatch   *self,
                AmnesiaWatched *watched,
                GIOCondition    condition)
{
  watched->condition = condition;
  if (condition == 0 && watched->tag != NULL)
    g_source_remove_unix_fd (self->source, g_steal_pointer (&watched->tag));
  else if (condition != 0 && watched->tag == NULL)
    watched->tag = g_source_add_unix_fd (self->source, watched->fd, condition);
  else if (condition != 0)
    g_source_modify_unix_fd (self->source, watched->tag, condition);
}

static gboolean
watch_by_epoll (AmnesiaWatch   *self,
                AmnesiaWatched *watched,
                GIOCondition    condition,
                int             operation)
{
  struct epoll_event event = { .data.ptr = watched };

  watched->condition = condition;
  event.events = condition != 0 ? (guint32) condition : EPOLLET;
  return epoll_ctl (self->fd, operation, watched->fd, &event) == 0;
}

/* There are too many for the main loop. Those that are there go on being watched whatever happens. */
static gboolean
open_epoll (AmnesiaWatch *self)
{
  guint i;

  self->fd = epoll_create1 (EPOLL_CLOEXEC);
  for (i = 0; self->fd >= 0 && i < self->watched->len; i++)
    {
      AmnesiaWatched *watched = g_ptr_array_index (self->watched, i);

      if (!watch_by_epoll (self, watched, watched->condition, EPOLL_CTL_ADD))
        {
          int saved = errno;

          close (self->fd);
          self->fd = -1;
          errno = saved;
        }
    }
  if (self->fd < 0)
    return FALSE;
  for (i = 0; i < self->watched->len; i++)
    {
      AmnesiaWatched *watched = g_ptr_array_index (self->watched, i);

      if (watched->tag != NULL)
        g_source_remove_unix_fd (self->source, g_steal_pointer (&watched->tag));
    }
  self->tag = g_source_add_unix_fd (self->source, self->fd, G_IO_IN);
  return TRUE;
}

static gboolean
begin (AmnesiaWatch   *self,
       AmnesiaWatched *watched)
{
  if (self->fd < 0 && self->watched->len < MAX_DIRECT)
    {
      watch_directly (self, watched, G_IO_IN);
      return TRUE;
    }
  return (self->fd >= 0 || open_epoll (self)) &&
         watch_by_epoll (self, watched, G_IO_IN, EPOLL_CTL_ADD);
}

/* Waits for something to be read from @fd, which is @whose. */
AmnesiaWatched *
amnesia_watch_add (AmnesiaWatch  *self,
                   int            fd,
                   gpointer       whose,
                   GError       **error)
{
  g_autofree AmnesiaWatched *watched = g_new0 (AmnesiaWatched, 1);

  watched->fd = fd;
  watched->whose = whose;
  if (!begin (self, watched))
    {
      int saved = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved),
                   _("the connection cannot be watched: %s"), g_strerror (saved));
      return NULL;
    }
  g_ptr_array_add (self->watched, watched);
  return g_steal_pointer (&watched);
}

void
amnesia_watch_change (AmnesiaWatch   *self,
                      AmnesiaWatched *watched,
                      GIOCondition    condition)
{
  if (self->fd >= 0)
    watch_by_epoll (self, watched, condition, EPOLL_CTL_MOD);
  else
    watch_directly (self, watched, condition);
}

/* To be called before its descriptor is closed. */
void
amnesia_watch_remove (AmnesiaWatch   *self,
                      AmnesiaWatched *watched)
{
  int i;

  if (self->fd >= 0)
    watch_by_epoll (self, watched, 0, EPOLL_CTL_DEL);
  else
    watch_directly (self, watched, 0);
  for (i = self->next; i < self->n_events; i++)
    if (self->events[i].data.ptr == watched)
      self->events[i].data.ptr = NULL;
  g_ptr_array_remove_fast (self->watched, watched);
  if (self->watched->len == 0)
    amnesia_watch_disown (self);
}

/* Asks what has come. */
void
amnesia_watch_collect (AmnesiaWatch *self)
{
  guint i;

  self->next = 0;
  self->n_events = self->fd >= 0 ? epoll_wait (self->fd, self->events, MAX_EVENTS, 0) : 0;
  for (i = 0; self->fd < 0 && i < self->watched->len; i++)
    {
      AmnesiaWatched *watched = g_ptr_array_index (self->watched, i);
      GIOCondition condition = query (self, watched->tag);

      if (condition != 0)
        self->events[self->n_events++] = (struct epoll_event) {
          .events = condition, .data.ptr = watched,
        };
    }
}

/* Returns whose turn it is, NULL if there is nobody left. */
gpointer
amnesia_watch_pop (AmnesiaWatch *self,
                   GIOCondition *condition)
{
  while (self->next < self->n_events)
    {
      struct epoll_event *event = &self->events[self->next++];
      AmnesiaWatched *watched = event->data.ptr;

      *condition = event->events;
      if (watched != NULL)
        return watched->whose;
    }
  return NULL;
}

/* Forgets what has come; it is told again. */
void
amnesia_watch_clear (AmnesiaWatch *self)
{
  self->next = self->n_events = 0;
}
