/* SPDX-License-Identifier: MIT */

#include "amnesia-dial-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct _AmnesiaDial
{
  GMainContext   *context;     /* (owned) */
  guint16         port;
  pid_t           pid;         /* of the process that dials */
  AmnesiaDialFunc func;
  gpointer        user_data;

  GList          *addresses;   /* (owned) (element-type GInetAddress) not tried yet */
  const AmnesiaLocalWay *way;  /* (unowned) (nullable) to be tried before TCP */
  GList          *from;        /* (owned) (element-type GInetAddress) our own, one per family */
  GSocket        *socket;      /* (owned) (nullable) of the attempt under way */
  GSource        *source;      /* (owned) (nullable) when that has ended, or could not begin */
  GError         *error;       /* (owned) (nullable) of the last attempt */
  gint64          begun;
};

AmnesiaDial *
amnesia_dial_new (GMainContext    *context,
                  guint16          port,
                  AmnesiaDialFunc  func,
                  gpointer         user_data)
{
  AmnesiaDial *self = g_new0 (AmnesiaDial, 1);

  self->context = g_main_context_ref (context);
  self->port = port;
  self->pid = getpid ();
  self->func = func;
  self->user_data = user_data;
  return self;
}

static void
end_attempt (AmnesiaDial *self)
{
  g_clear_object (&self->socket);
  if (self->source == NULL)
    return;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

/* Ends the attempt; the function is not called any more. */
void
amnesia_dial_free (AmnesiaDial *self)
{
  end_attempt (self);
  g_list_free_full (self->addresses, g_object_unref);
  g_list_free_full (self->from, g_object_unref);
  g_clear_error (&self->error);
  g_main_context_unref (self->context);
  g_free (self);
}

/* Dials come from @from if the family fits, so that the other side knows us by our entry. */
void
amnesia_dial_set_from (AmnesiaDial  *self,
                       GInetAddress *from)
{
  self->from = g_list_prepend (self->from, g_object_ref (from));
}

/* Addresses of this machine are tried by @way first. */
void
amnesia_dial_set_local_way (AmnesiaDial           *self,
                            const AmnesiaLocalWay *way)
{
  self->way = way;
}

/* This machine may have got another address since we began to listen, and then is reached by that. */
static GSocketAddress *
choose_local (AmnesiaDial  *self,
              GInetAddress *target)
{
  GList *l;

  for (l = self->from; l != NULL && !g_inet_address_get_is_loopback (target); l = l->next)
    if (g_inet_address_get_family (l->data) == g_inet_address_get_family (target))
      return amnesia_is_of_this_machine (l->data, FALSE) ? g_inet_socket_address_new (l->data, 0)
                                                         : NULL;
  return NULL;
}

static gboolean
is_with_itself (GSocket *socket)
{
  g_autoptr (GSocketAddress) near = g_socket_get_local_address (socket, NULL);
  g_autoptr (GSocketAddress) far = g_socket_get_remote_address (socket, NULL);

  return G_IS_INET_SOCKET_ADDRESS (near) && G_IS_INET_SOCKET_ADDRESS (far) &&
         g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (near)) ==
           g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (far)) &&
         g_inet_address_equal (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (near)),
                               g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (far)));
}

/* Where nobody listens on a port of this machine, the kernel may choose that very port to dial from,
 * and TCP then connects the socket with itself. It would look as if the entry were our own; and it
 * must go without a trace, as somebody may be about to listen there. */
static gboolean
finish_connect (GSocket  *socket,
                GError  **error)
{
  const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

  if (!g_socket_check_connect_result (socket, error))
    return FALSE;
  if (!is_with_itself (socket))
    return TRUE;
  setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED,
               _("nobody listens there: the port was connected with itself"));
  return FALSE;
}

static void try_next (AmnesiaDial *self);

static gboolean
may_go_on (AmnesiaDial *self)
{
  return self->addresses != NULL &&
         g_get_monotonic_time () < self->begun + AMNESIA_DIAL_BEGIN_BEFORE;
}

static void
wait_for (AmnesiaDial *self,
          GSource     *source,
          GSourceFunc  func)
{
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
  self->source = source;
}

/* May free the dial. */
static void
tell (AmnesiaDial *self,
      gboolean     connected)
{
  g_autoptr (GError) error = g_steal_pointer (&self->error);
  g_autoptr (GSocket) socket = connected ? g_steal_pointer (&self->socket) : NULL;

  end_attempt (self);
  self->func (self, socket, error, self->user_data);
}

static gboolean
connect_cb (GSocket      *socket,
            GIOCondition  condition,
            gpointer      user_data)
{
  AmnesiaDial *self = user_data;
  gboolean connected;

  if (self->pid != getpid ())
    {
      g_debug ("A dial of the parent process ends here");
      return G_SOURCE_REMOVE;
    }
  g_clear_error (&self->error);
  connected = finish_connect (socket, &self->error);
  if (!connected && may_go_on (self))
    {
      end_attempt (self);
      try_next (self);
    }
  else
    tell (self, connected);
  return G_SOURCE_REMOVE;
}

static gboolean
fail_cb (gpointer user_data)
{
  tell (user_data, FALSE);
  return G_SOURCE_REMOVE;
}

static GSocket *
make_socket (AmnesiaDial   *self,
             GInetAddress  *target,
             GError       **error)
{
  g_autoptr (GSocketAddress) local = choose_local (self, target);
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (target),
                                             G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  if (socket == NULL)
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_timeout (socket, AMNESIA_DIAL_TIMEOUT_S);
#ifdef IP_BIND_ADDRESS_NO_PORT
  /* or binding takes a port that no other connection can have meanwhile */
  g_socket_set_option (socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, NULL);
#endif
  if (local != NULL && !g_socket_bind (socket, local, FALSE, error))
    return NULL;
  return g_steal_pointer (&socket);
}

/* A Unix socket is connected at once, or not at all. */
static gboolean
try_local_way (AmnesiaDial  *self,
               GInetAddress *address)
{
  if (self->way != NULL)
    self->socket = amnesia_local_way_connect (self->way, address, self->port);
  if (self->socket != NULL)
    wait_for (self, g_socket_create_source (self->socket, G_IO_OUT, NULL),
              G_SOURCE_FUNC (connect_cb));
  return self->socket != NULL;
}

/* Begins to connect with the next address. */
static gboolean
begin_attempt (AmnesiaDial *self)
{
  g_autoptr (GInetAddress) address = self->addresses->data;
  g_autoptr (GSocketAddress) target = g_inet_socket_address_new (address, self->port);
  g_autoptr (GSocket) socket = NULL;

  self->addresses = g_list_delete_link (self->addresses, self->addresses);
  g_clear_error (&self->error);
  if (try_local_way (self, address))
    return TRUE;
  socket = make_socket (self, address, &self->error);
  if (socket == NULL || (!g_socket_connect (socket, target, NULL, &self->error) &&
                         !g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_PENDING)))
    return FALSE;
  wait_for (self, g_socket_create_source (socket, G_IO_OUT, NULL), G_SOURCE_FUNC (connect_cb));
  self->socket = g_steal_pointer (&socket);
  return TRUE;
}

/* GSocketClient would do this, but up to GLib 2.74 at least each attempt that fails later than after
 * 250 ms leaks its task: a member whose machine is off would cost some megabytes a day. And with the
 * first task GLib starts a thread, which takes as long as all else that a connection needs. */
static void
try_next (AmnesiaDial *self)
{
  while (may_go_on (self))
    if (begin_attempt (self))
      return;
  wait_for (self, g_idle_source_new (), fail_cb);
}

/* Tries the local way only. FALSE: there is none, and the function is not called. */
gboolean
amnesia_dial_start_nearby (AmnesiaDial *self,
                           GList       *addresses)
{
  GList *l;

  for (l = addresses; l != NULL; l = l->next)
    if (try_local_way (self, l->data))
      return TRUE;
  return FALSE;
}

/* Tries one of @addresses after the other, as long as that does not take too long; if there is none,
 * fails with @error. The function is called later. */
void
amnesia_dial_start (AmnesiaDial  *self,
                    GList        *addresses,
                    const GError *error)
{
  self->begun = g_get_monotonic_time ();
  if (addresses != NULL)
    {
      self->addresses = g_list_copy_deep (addresses, (GCopyFunc) (void *) g_object_ref, NULL);
      try_next (self);
      return;
    }
  self->error = error != NULL ? g_error_copy (error)
                              : g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_FAILED, _("no address"));
  wait_for (self, g_idle_source_new (), fail_cb);
}
