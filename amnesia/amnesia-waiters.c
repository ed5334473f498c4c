/* SPDX-License-Identifier: MIT */

#include "amnesia-waiters-private.h"

typedef struct
{
  AmnesiaWaiters *waiters;   /* (unowned) */
  guint64         serial;
  GTask          *task;      /* (owned) */
  GSource        *cancelled; /* (owned) (nullable) */
} Waiter;

static void
waiter_free (gpointer data)
{
  Waiter *waiter = data;

  if (waiter->cancelled != NULL)
    {
      g_source_destroy (waiter->cancelled);
      g_source_unref (waiter->cancelled);
    }
  g_object_unref (waiter->task);
  g_free (waiter);
}

void
amnesia_waiters_init (AmnesiaWaiters *self)
{
  self->list = g_ptr_array_new_with_free_func (waiter_free);
}

void
amnesia_waiters_clear (AmnesiaWaiters *self)
{
  g_clear_pointer (&self->list, g_ptr_array_unref);
}

static gboolean
cancelled_cb (GCancellable *cancellable,
              gpointer      user_data)
{
  Waiter *waiter = user_data;
  g_autoptr (GTask) task = g_object_ref (waiter->task);

  g_ptr_array_remove (waiter->waiters->list, waiter);
  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

/* Takes @task. */
void
amnesia_waiters_add (AmnesiaWaiters *self,
                     GTask          *task)
{
  Waiter *waiter = g_new0 (Waiter, 1);
  GCancellable *cancellable = g_task_get_cancellable (task);

  waiter->waiters = self;
  waiter->serial = ++self->serial;
  waiter->task = task;
  g_ptr_array_add (self->list, waiter);
  if (cancellable == NULL)
    return;
  waiter->cancelled = g_cancellable_source_new (cancellable);
  g_source_set_callback (waiter->cancelled, G_SOURCE_FUNC (cancelled_cb), waiter, NULL);
  g_source_attach (waiter->cancelled, g_task_get_context (task));
}

/* Ends the waiting of all, with an error or without; not of those who begin to wait meanwhile. */
void
amnesia_waiters_finish (AmnesiaWaiters *self,
                        const GError   *error)
{
  guint64 last = self->serial;

  while (self->list->len > 0)
    {
      Waiter *waiter = g_ptr_array_index (self->list, 0);
      g_autoptr (GTask) task = g_object_ref (waiter->task);

      if (waiter->serial > last)
        break;
      g_ptr_array_remove_index (self->list, 0);
      if (error != NULL)
        g_task_return_error (task, g_error_copy (error));
      else
        g_task_return_boolean (task, TRUE);
    }
}
