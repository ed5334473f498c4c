/* SPDX-License-Identifier: MIT */

#include "amnesia-inspector-private.h"

/* To check 16 MiB of `a{sv}` takes a second, which the application's loop must not stand still for.
 * One thread for all links of a store: what one check takes for a moment, up to 18 times the bytes
 * for type strings inside variants, is taken once. The thread is our own, as those that GLib shares
 * are for the application, and do not exist any more in the child of a fork. */
struct _AmnesiaInspector
{
  GThreadPool *pool; /* (owned) (nullable) from the first write on that is slow */
  guint        n_begun; /* and not ended or cancelled */
};

/* Shared by the loop and the thread: `state` says whose turn it is. */
struct _AmnesiaInspection
{
  AmnesiaInspector *inspector; /* (unowned) for the loop only: it may be gone while the thread is at it */
  int           ref_count; /* atomic */
  int           state;     /* atomic */
  AmnesiaFrame  frame;
  guint64       max_size;
  GSource      *source;   /* (owned) made ready when it is done */
  GMainContext *context;  /* (owned) the source's, so that it is there then */
  GPtrArray    *entries;  /* (owned) (nullable) */
  GError       *error;    /* (owned) (nullable) */
};

enum
{
  STATE_WAITING,
  STATE_RUNNING,
  STATE_CANCELLED,
  STATE_DONE,
};

static void
inspection_unref (AmnesiaInspection *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  amnesia_frame_clear (&self->frame);
  g_clear_pointer (&self->entries, g_ptr_array_unref);
  g_clear_error (&self->error);
  g_source_unref (self->source);
  g_main_context_unref (self->context);
  g_free (self);
}

/* In the thread. */
static void
inspect (gpointer data,
         gpointer user_data)
{
  AmnesiaInspection *self = data;

  if (g_atomic_int_compare_and_exchange (&self->state, STATE_WAITING, STATE_RUNNING))
    {
      self->entries = amnesia_frame_decode_write (&self->frame, self->max_size, &self->error);
      if (g_atomic_int_compare_and_exchange (&self->state, STATE_RUNNING, STATE_DONE))
        g_source_set_ready_time (self->source, 0);
    }
  inspection_unref (self);
}

AmnesiaInspector *
amnesia_inspector_new (void)
{
  return g_new0 (AmnesiaInspector, 1);
}

/* All inspections have ended or were cancelled; a thread that is at one still ends by itself. */
void
amnesia_inspector_free (AmnesiaInspector *self)
{
  if (self->pool != NULL)
    g_thread_pool_free (self->pool, FALSE, FALSE);
  g_free (self);
}

/* Where no thread can be had, for want of memory, the loop has to do it. */
static void
push (AmnesiaInspector  *self,
      AmnesiaInspection *inspection)
{
  g_autoptr (GError) error = NULL;

  if (self->pool == NULL)
    self->pool = g_thread_pool_new (inspect, NULL, 1, TRUE, &error);
  if (error != NULL)
    {
      g_thread_pool_free (g_steal_pointer (&self->pool), TRUE, FALSE);
      inspect (inspection, NULL);
    }
  else
    g_thread_pool_push (self->pool, inspection, NULL);
}

/* Takes what is in @frame. @source gets ready when the inspection is done. */
AmnesiaInspection *
amnesia_inspector_begin (AmnesiaInspector *self,
                         AmnesiaFrame     *frame,
                         guint64           max_size,
                         GSource          *source)
{
  AmnesiaInspection *inspection = g_new0 (AmnesiaInspection, 1);

  self->n_begun++;
  inspection->inspector = self;
  inspection->ref_count = 2; /* the caller's and the thread's */
  inspection->frame = *frame;
  *frame = (AmnesiaFrame) { 0 };
  inspection->max_size = max_size;
  inspection->source = g_source_ref (source);
  inspection->context = g_main_context_ref (g_source_get_context (source));
  g_atomic_int_set (&inspection->state, STATE_WAITING);
  push (self, inspection);
  return inspection;
}

/* Whether somebody waits for an inspection. */
gboolean
amnesia_inspector_is_busy (AmnesiaInspector *self)
{
  return self->n_begun > 0;
}

gboolean
amnesia_inspection_is_done (AmnesiaInspection *self)
{
  return g_atomic_int_get (&self->state) == STATE_DONE;
}

/* Of one that is done: gives the frame back, decoded, or says what is wrong with it. */
gboolean
amnesia_inspection_end (AmnesiaInspection  *self,
                        AmnesiaFrame       *frame,
                        GError            **error)
{
  gboolean right = self->error == NULL;

  self->inspector->n_begun--;
  if (right)
    {
      *frame = self->frame;
      self->frame = (AmnesiaFrame) { 0 };
      frame->entries = g_steal_pointer (&self->entries);
    }
  else
    g_propagate_error (error, g_steal_pointer (&self->error));
  inspection_unref (self);
  return right;
}

/* Nobody wants to know any more. The frame does not wait for its turn to be freed: who comes back
 * again and again could leave many of them there, while the thread is at one. */
void
amnesia_inspection_cancel (AmnesiaInspection *self)
{
  self->inspector->n_begun--;
  if (g_atomic_int_compare_and_exchange (&self->state, STATE_WAITING, STATE_CANCELLED))
    amnesia_frame_clear (&self->frame);
  else
    g_atomic_int_compare_and_exchange (&self->state, STATE_RUNNING, STATE_CANCELLED);
  inspection_unref (self);
}
