/* SPDX-License-Identifier: MIT */

#include "amnesia-door-private.h"

#include <string.h>

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

  if (remote == NULL)
    return AMNESIA_DOOR_REFUSE;
  if (is_own (socket, remote) || is_allowed (settings->allow, remote) ||
      amnesia_names_have (names, remote))
    return AMNESIA_DOOR_ADMIT;
  /* a host may have got another address since its name was looked up */
  return amnesia_names_refresh (names, now) ? AMNESIA_DOOR_WAIT : AMNESIA_DOOR_REFUSE;
}
