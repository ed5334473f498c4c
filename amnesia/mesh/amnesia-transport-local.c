/* SPDX-License-Identifier: MIT */

/* The short way to and from members of this machine: see amnesia-local-way.c. Nobody needs it, so
 * that what is wrong with it is told, and no error. */

#include "amnesia-transport-struct-private.h"

static void
log_no_local_way (AmnesiaTransport *self,
                  const GError     *error)
{
  g_autoptr (GObject) owner = g_weak_ref_get (&self->owner);
  g_autofree char *message = NULL;

  if (owner == NULL || error == NULL)
    return;
  message = g_strdup_printf ("Members of this machine are linked by TCP: %s", error->message);
  self->funcs->log (owner, message);
}

void
amnesia_transport_set_local_way (AmnesiaTransport *self)
{
  g_autoptr (GError) error = NULL;

  amnesia_local_way_clear (&self->way);
  if (self->settings->local && !amnesia_local_way_find (&self->way, &error))
    log_no_local_way (self, error);
}

/* To be called whenever we listen anew, or the local way is another one. */
void
amnesia_transport_listen_nearby (AmnesiaTransport *self)
{
  g_autoptr (GError) error = NULL;

  if (!amnesia_listener_set_local (self->listener, &self->way, &error))
    log_no_local_way (self, error);
}

/* @member: (nullable) who was dialled. */
AmnesiaLink *
amnesia_transport_add_nearby (AmnesiaTransport *self,
                              AmnesiaMember    *member,
                              GSocket          *socket)
{
  g_autofree char *name = amnesia_local_socket_describe (socket);
  AmnesiaLink *link;

  if (member != NULL)
    return amnesia_mesh_add_link (self->mesh, member, member->host, member->port, TRUE, self->now);
  link = amnesia_mesh_add_link (self->mesh, NULL, "localhost", 0, TRUE, self->now);
  amnesia_link_set_name (link, name);
  return link;
}
