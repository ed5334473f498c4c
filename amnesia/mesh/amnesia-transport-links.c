/* SPDX-License-Identifier: MIT */

/* Who is connected, and who may come in. */

#include "amnesia-transport-struct-private.h"

/* --- links come up --- */

/* Once, that everybody between here and there can read along. */
static void
warn_of_plain_text (AmnesiaTransport *self,
                    GInetAddress     *remote,
                    gpointer          owner)
{
  if (self->exposed || self->settings->tls != NULL || g_inet_address_get_is_loopback (remote))
    return;
  self->exposed = TRUE;
  self->funcs->log (owner, "The value travels as plain text: the network can read it");
}

/* Returns NULL if it has gone already. */
static AmnesiaLink *
add_link (AmnesiaTransport *self,
          AmnesiaMember    *member,
          GSocket          *socket,
          gpointer          owner)
{
  guint16 port = 0;
  g_autoptr (GInetAddress) remote = amnesia_door_get_remote (socket, &port);
  g_autofree char *host = remote != NULL ? g_inet_address_to_string (remote) : NULL;
  AmnesiaLink *link;

  if (amnesia_is_local_socket (socket))
    return amnesia_transport_add_nearby (self, member, socket);
  if (remote == NULL)
    return NULL;
  warn_of_plain_text (self, remote, owner);
  link = amnesia_mesh_add_link (self->mesh, member, host, port, FALSE, self->now);
  link->encrypted = self->settings->tls != NULL;
  return link;
}

/* What carries the bytes of @link; NULL with an error if nothing can. */
static AmnesiaChannel *
add_channel (AmnesiaTransport  *self,
             AmnesiaLink       *link,
             GSocket           *socket,
             GError           **error)
{
  g_autoptr (AmnesiaTlsSession) session = NULL;
  AmnesiaChannel *channel;

  if (link->nearby && !amnesia_local_socket_is_ours (socket, error))
    return NULL;
  if (link->encrypted)
    {
      session = amnesia_transport_new_session (self, link, error);
      if (session == NULL)
        return NULL;
    }
  channel = amnesia_channel_new (socket, self->mesh, link, self->inspector, self->settings->max_size,
                                 self->watch, amnesia_transport_channel_expired, self, error);
  if (channel == NULL)
    return NULL;
  g_ptr_array_add (self->channels, channel);
  link->channel = channel;
  if (session != NULL)
    amnesia_transport_begin_handshake (self, channel, g_steal_pointer (&session));
  return channel;
}

static gboolean
connect_link (AmnesiaTransport  *self,
              AmnesiaMember     *member,
              GSocket           *socket,
              gpointer           owner)
{
  AmnesiaLink *link = add_link (self, member, socket, owner);
  g_autoptr (GError) error = NULL;

  if (link == NULL)
    return FALSE;
  if (add_channel (self, link, socket, &error) != NULL)
    amnesia_transport_wake_channel (self, link->channel);
  else
    amnesia_mesh_remove_link (self->mesh, link, error, self->now);
  return TRUE;
}

void
amnesia_transport_called (AmnesiaMember *member,
                          GSocket       *socket,
                          const GError  *error,
                          gpointer       user_data)
{
  AmnesiaTransport *self = user_data;
  gpointer owner = amnesia_transport_begin (self);

  if (owner == NULL)
    return;
  if (socket == NULL || !connect_link (self, member, socket, owner))
    amnesia_mesh_dial_failed (self->mesh, member, error, self->now);
  amnesia_transport_finish (self, owner);
}

/* --- the door --- */

static void
let_in (AmnesiaTransport *self,
        GSocket          *socket,
        AmnesiaVerdict    verdict,
        gpointer          owner)
{
  if (verdict == AMNESIA_DOOR_REFUSE || !amnesia_mesh_make_room (self->mesh, self->now))
    {
      g_autofree char *name = amnesia_door_describe (socket);
      g_autofree char *why = amnesia_door_explain (socket);

      amnesia_mesh_note_refusal (self->mesh, name, why, self->now);
      g_socket_close (socket, NULL);
      return;
    }
  connect_link (self, NULL, socket, owner);
}

/* Lets those in whose names have become known. */
void
amnesia_transport_review_visitors (AmnesiaTransport *self,
                                   gpointer          owner)
{
  AmnesiaVerdict verdict;
  GSocket *socket;

  while (self->settings != NULL &&
         (socket = amnesia_door_pop (&self->door, self->settings, self->names, self->now.mono,
                                     &verdict)) != NULL)
    {
      let_in (self, socket, verdict, owner);
      g_object_unref (socket);
    }
  amnesia_transport_set_deadline (self, AMNESIA_DEADLINE_VISITS,
                                  amnesia_door_get_deadline (&self->door));
}

void
amnesia_transport_accepted (GPtrArray *accepted,
                            gpointer   user_data)
{
  AmnesiaTransport *self = user_data;
  gpointer owner = amnesia_transport_begin (self);
  guint i;

  if (owner == NULL)
    return;
  for (i = 0; i < accepted->len; i++)
    {
      GSocket *socket = g_ptr_array_index (accepted, i);
      AmnesiaVerdict verdict = amnesia_door_judge (socket, self->settings, self->names,
                                                   self->now.mono);

      if (verdict == AMNESIA_DOOR_WAIT)
        amnesia_door_keep (&self->door, socket, self->now.mono);
      else
        let_in (self, socket, verdict, owner);
    }
  amnesia_transport_set_deadline (self, AMNESIA_DEADLINE_VISITS,
                                  amnesia_door_get_deadline (&self->door));
  amnesia_transport_finish (self, owner);
}
