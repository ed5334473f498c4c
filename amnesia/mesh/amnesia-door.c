/* SPDX-License-Identifier: MIT */

#include "amnesia-door-private.h"

#include "amnesia-limits-private.h"
#include "amnesia-link-private.h"
#include "amnesia-local-way-private.h"

#include <string.h>

/* Someone who was accepted, and whose address may turn out to be a configured one. */
typedef struct
{
  GSocket *socket; /* (owned) */
  gint64   deadline;
} Visitor;

/* ::ffff:10.0.1.2 is 10.0.1.2. */
static GInetAddress *
normalise (GInetAddress *address)
{
  static const guint8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
  const guint8 *bytes = g_inet_address_to_bytes (address);

  if (g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6 ||
      memcmp (bytes, mapped, sizeof mapped) != 0)
    return g_object_ref (address);
  return g_inet_address_new_from_bytes (bytes + sizeof mapped, G_SOCKET_FAMILY_IPV4);
}

static GInetAddress *
get_inet_address (GSocketAddress *address,
                  guint16        *port)
{
  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return NULL;
  if (port != NULL)
    *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  return normalise (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

/* Where a connection comes from; NULL if it has gone already. */
GInetAddress *
amnesia_door_get_remote (GSocket *socket,
                         guint16 *port)
{
  g_autoptr (GSocketAddress) address = g_socket_get_remote_address (socket, NULL);

  return get_inet_address (address, port);
}

/* Who that is, for the log. */
char *
amnesia_door_describe (GSocket *socket)
{
  guint16 port = 0;
  g_autoptr (GInetAddress) remote = amnesia_door_get_remote (socket, &port);
  g_autofree char *host = remote != NULL ? g_inet_address_to_string (remote) : g_strdup ("?");

  if (amnesia_is_local_socket (socket))
    return amnesia_local_socket_describe (socket);
  return amnesia_format_address (host, port);
}

/* Why it may have been refused. */
char *
amnesia_door_explain (GSocket *socket)
{
  g_autoptr (GError) error = NULL;

  if (!amnesia_is_local_socket (socket))
    return g_strdup ("it is neither in “peers” nor in “allow”, or there are too many connections");
  if (!amnesia_local_socket_is_ours (socket, &error))
    return g_strdup (error->message);
  return g_strdup ("there are too many connections");
}

/* Our own addresses always pass: who connects from here has the address that it connects to. */
static gboolean
is_own (GSocket      *socket,
        GInetAddress *remote)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (socket, NULL);
  g_autoptr (GInetAddress) local = get_inet_address (address, NULL);

  return g_inet_address_get_is_loopback (remote) ||
         (local != NULL && g_inet_address_equal (local, remote));
}

static gboolean
is_allowed (GPtrArray    *allow,
            GInetAddress *remote)
{
  guint i;

  for (i = 0; allow != NULL && i < allow->len; i++)
    if (g_inet_address_mask_matches (g_ptr_array_index (allow, i), remote))
      return TRUE;
  return FALSE;
}

AmnesiaVerdict
amnesia_door_judge (GSocket               *socket,
                    const AmnesiaSettings *settings,
                    AmnesiaNames          *names,
                    gint64                 now)
{
  g_autoptr (GInetAddress) remote = amnesia_door_get_remote (socket, NULL);

  if (amnesia_is_local_socket (socket))
    return amnesia_local_socket_is_ours (socket, NULL) ? AMNESIA_DOOR_ADMIT : AMNESIA_DOOR_REFUSE;
  if (remote == NULL)
    return AMNESIA_DOOR_REFUSE;
  /* the certificate tells who it is, wherever it comes from */
  if (settings->tls != NULL)
    return AMNESIA_DOOR_ADMIT;
  if (is_own (socket, remote) || is_allowed (settings->allow, remote) ||
      amnesia_names_have (names, remote))
    return AMNESIA_DOOR_ADMIT;
  /* a host may have got another address since its name was looked up */
  return amnesia_names_refresh (names, now) ? AMNESIA_DOOR_WAIT : AMNESIA_DOOR_REFUSE;
}

static void
visitor_free (gpointer data)
{
  Visitor *visitor = data;

  g_object_unref (visitor->socket);
  g_free (visitor);
}

void
amnesia_door_init (AmnesiaDoor *self)
{
  self->visitors = g_ptr_array_new_with_free_func (visitor_free);
}

void
amnesia_door_clear (AmnesiaDoor *self)
{
  g_clear_pointer (&self->visitors, g_ptr_array_unref);
}

/* Sends all who wait away. */
void
amnesia_door_close (AmnesiaDoor *self)
{
  g_ptr_array_set_size (self->visitors, 0);
}

/* Lets @socket wait, at most as long as it would have for its hello. */
void
amnesia_door_keep (AmnesiaDoor *self,
                   GSocket     *socket,
                   gint64       now)
{
  Visitor *visitor = g_new0 (Visitor, 1);

  if (self->visitors->len >= AMNESIA_MAX_GREETING)
    g_ptr_array_remove_index (self->visitors, 0);
  visitor->socket = g_object_ref (socket);
  visitor->deadline = now + AMNESIA_HELLO_DEADLINE;
  g_ptr_array_add (self->visitors, visitor);
}

/* Returns the next one whose wait is over, and what became of it; NULL if all have to go on. */
GSocket *
amnesia_door_pop (AmnesiaDoor           *self,
                  const AmnesiaSettings *settings,
                  AmnesiaNames          *names,
                  gint64                 now,
                  AmnesiaVerdict        *verdict)
{
  guint i;

  for (i = 0; i < self->visitors->len; i++)
    {
      Visitor *visitor = g_ptr_array_index (self->visitors, i);
      GSocket *socket;

      *verdict = amnesia_door_judge (visitor->socket, settings, names, now);
      if (*verdict == AMNESIA_DOOR_WAIT && now >= visitor->deadline)
        *verdict = AMNESIA_DOOR_REFUSE;
      if (*verdict == AMNESIA_DOOR_WAIT)
        continue;
      socket = g_object_ref (visitor->socket);
      g_ptr_array_remove_index (self->visitors, i);
      return socket;
    }
  return NULL;
}

/* When the first of them has waited long enough; 0 if nobody waits. */
gint64
amnesia_door_get_deadline (AmnesiaDoor *self)
{
  Visitor *first = self->visitors->len > 0 ? g_ptr_array_index (self->visitors, 0) : NULL;

  return first != NULL ? first->deadline : 0;
}
