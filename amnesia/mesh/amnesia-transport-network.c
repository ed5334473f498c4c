/* SPDX-License-Identifier: MIT */

/* GIO's network monitor loads modules, starts a thread and asks the system bus, and waits for the
 * answers: as long as all else that happens between the start of a program and its first value. So
 * it is asked for only when that is there, and not at all where no network can change anything. */

#include "amnesia-transport-struct-private.h"

static gboolean
is_needed (AmnesiaTransport *self)
{
  AmnesiaMeshState state = amnesia_mesh_get_state (self->mesh);

  return self->abroad && self->monitor == NULL &&
         (state == AMNESIA_MESH_SYNCED || state == AMNESIA_MESH_ALONE);
}

/* Has the network watched from the next turn of the loop on in which there is nothing else to do. */
void
amnesia_transport_plan_watch (AmnesiaTransport *self)
{
  if (is_needed (self))
    g_source_set_ready_time (self->network, 0);
}

static gboolean
network_source_dispatch (GSource     *source,
                         GSourceFunc  callback,
                         gpointer     user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs network_source_funcs = { .dispatch = network_source_dispatch };

/* A source that calls @func when the network is to be watched, or has changed. */
GSource *
amnesia_transport_network_source_new (AmnesiaTransport *self,
                                      GSourceFunc       func)
{
  GSource *source = g_source_new (&network_source_funcs, sizeof (GSource));

  g_source_set_static_name (source, "[amnesia] network");
  g_source_set_priority (source, G_PRIORITY_DEFAULT_IDLE);
  g_source_set_can_recurse (source, TRUE);
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static void
release_source (gpointer  source,
                GClosure *closure)
{
  g_source_unref (source);
}

/* May come in another thread: the monitor is the process's. */
static void
network_changed_cb (GNetworkMonitor *monitor,
                    gboolean         available,
                    gpointer         source)
{
  g_source_set_ready_time (source, 0);
}

void
amnesia_transport_begin_watch (AmnesiaTransport *self)
{
  if (!is_needed (self))
    return;
  self->monitor = g_object_ref (g_network_monitor_get_default ());
  self->network_changed_id =
    g_signal_connect_data (self->monitor, "network-changed", G_CALLBACK (network_changed_cb),
                           g_source_ref (self->network), release_source, 0);
}

void
amnesia_transport_end_watch (AmnesiaTransport *self)
{
  if (self->network != NULL)
    g_source_set_ready_time (self->network, -1);
  g_clear_signal_handler (&self->network_changed_id, self->monitor);
  g_clear_object (&self->monitor);
}
