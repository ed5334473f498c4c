/* SPDX-License-Identifier: MIT */

/* What ends with the last reference ends in the context that it belongs to, whichever thread lets go of
 * it. While nobody runs that context, GLib does it at once, and has the context for that moment. The
 * thread that the context is meant for is not to find it taken then: so it waits. */

#include "amnesia-context-private.h"

/* Recursive, as what is let go of may let go of more. */
static GRecMutex invoking;

/* As g_main_context_acquire(), but what amnesia_context_invoke() is doing is waited for. */
gboolean
amnesia_context_acquire (GMainContext *context)
{
  gboolean acquired = g_main_context_acquire (context);

  if (acquired)
    return TRUE;
  g_rec_mutex_lock (&invoking);
  acquired = g_main_context_acquire (context);
  g_rec_mutex_unlock (&invoking);

  return acquired;
}

/* As g_main_context_invoke_full(), with the default priority. */
void
amnesia_context_invoke (GMainContext   *context,
                        GSourceFunc     function,
                        gpointer        data,
                        GDestroyNotify  notify)
{
  g_rec_mutex_lock (&invoking);
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, function, data, notify);
  g_rec_mutex_unlock (&invoking);
}
