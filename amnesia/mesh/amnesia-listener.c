/* SPDX-License-Identifier: MIT */

#include "amnesia-listener-private.h"

#include "amnesia-limits-private.h"
#include "amnesia-local-socket-private.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket that somebody may call at. */
typedef struct
{
  GSocket *socket; /* (unowned) */
  gpointer tag;    /* of its descriptor in the source */
} Waiting;

/* GSocketService would do all this, but when descriptors run out it re-arms its source at once
 * and spins a core; so here is its accept loop with a pause. */
struct _AmnesiaListener
{
  GMainContext        *context; /* (owned) */
  AmnesiaListenerFunc  func;
  gpointer             user_data;
  pid_t                pid;     /* of the process that this belongs to */

  GPtrArray           *sockets; /* (owned) (element-type GSocket) that listen */
  GPtrArray           *local;   /* (owned) (element-type AmnesiaLocalSocket) the same addresses, for
                                 * those who are on this machine */
  GSource             *source;  /* (owned) (nullable) for accepting from all of them; none in a pause */
  GArray              *waiting; /* (owned) (element-type Waiting) what it waits for */
  guint                turn;    /* who of them comes first */
  GSource             *pause;   /* (owned) (nullable) */
  guint                pause_ms;
  int                  spare;   /* given up to accept and close one when there is no other */
};

static int
open_spare (void)
{
  return open ("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
destroy_source (gpointer source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

AmnesiaListener *
amnesia_listener_new (GMainContext        *context,
                      AmnesiaListenerFunc  func,
                      gpointer             user_data)
{
  AmnesiaListener *self = g_new0 (AmnesiaListener, 1);

  self->context = g_main_context_ref (context);
  self->func = func;
  self->user_data = user_data;
  self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  self->local =
    g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_local_socket_free);
  self->waiting = g_array_new (FALSE, FALSE, sizeof (Waiting));
  self->spare = -1;
  self->pid = getpid ();
  return self;
}

void
amnesia_listener_free (AmnesiaListener *self)
{
  amnesia_listener_close (self);
  g_array_unref (self->waiting);
  g_ptr_array_unref (self->local);
  g_ptr_array_unref (self->sockets);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
stop_accepting (AmnesiaListener *self)
{
  g_clear_pointer (&self->source, destroy_source);
  g_array_set_size (self->waiting, 0);
}

void
amnesia_listener_close (AmnesiaListener *self)
{
  guint i;

  g_clear_pointer (&self->pause, destroy_source);
  self->pause_ms = 0;
  stop_accepting (self);
  /* the names go while the ports are still ours */
  g_ptr_array_set_size (self->local, 0);
  for (i = 0; i < self->sockets->len; i++)
    g_socket_close (g_ptr_array_index (self->sockets, i), NULL);
  g_ptr_array_set_size (self->sockets, 0);
  if (self->spare >= 0)
    close (self->spare);
  self->spare = -1;
}

gboolean
amnesia_listener_is_open (AmnesiaListener *self)
{
  return self->sockets->len > 0;
}

/* The address that we listen on, of one family; NULL if there is none, or it is a wildcard or
 * loopback, which is of no use as the source of a dial. */
GInetAddress *
amnesia_listener_get_address (AmnesiaListener *self,
                              GSocketFamily    family)
{
  guint i;

  for (i = 0; i < self->sockets->len; i++)
    {
      g_autoptr (GSocketAddress) local =
        g_socket_get_local_address (g_ptr_array_index (self->sockets, i), NULL);
      GInetAddress *address;

      if (local == NULL || g_socket_address_get_family (local) != family)
        continue;
      address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local));
      if (!g_inet_address_get_is_any (address) && !g_inet_address_get_is_loopback (address))
        return g_object_ref (address);
    }
  return NULL;
}

/* Whether this machine has lost the address of @socket. A wildcard is never lost. */
static gboolean
is_gone (GSocket *socket)
{
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);
  GInetAddress *address;

  if (local == NULL)
    return FALSE;
  address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local));
  return !amnesia_is_of_this_machine (address, TRUE);
}

/* Whether we listen on an address that is not this machine's any more. */
gboolean
amnesia_listener_is_stale (AmnesiaListener *self)
{
  guint i;

  for (i = 0; i < self->sockets->len; i++)
    if (is_gone (g_ptr_array_index (self->sockets, i)))
      return TRUE;
  return FALSE;
}

/* Whether this is an address that we listen on. */
gboolean
amnesia_listener_has (AmnesiaListener *self,
                      GInetAddress    *address)
{
  guint i;

  for (i = 0; i < self->sockets->len; i++)
    {
      g_autoptr (GSocketAddress) local =
        g_socket_get_local_address (g_ptr_array_index (self->sockets, i), NULL);

      if (local != NULL &&
          g_inet_address_equal (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local)),
                                address))
        return TRUE;
    }
  return FALSE;
}

/* --- accepting --- */

static void start_accepting (AmnesiaListener *self);

static gboolean
pause_over_cb (gpointer user_data)
{
  AmnesiaListener *self = user_data;

  g_clear_pointer (&self->pause, destroy_source);
  start_accepting (self);
  return G_SOURCE_REMOVE;
}

/* Accepting fails, most likely for want of a descriptor: gives up the spare one to send the first
 * caller away, and rests. */
static void
rest (AmnesiaListener *self,
      GSocket         *socket)
{
  g_autoptr (GSocket) accepted = NULL;

  if (self->spare >= 0)
    {
      close (self->spare);
      accepted = g_socket_accept (socket, NULL, NULL);
      g_clear_object (&accepted);
      self->spare = open_spare ();
    }
  self->pause_ms = CLAMP (2 * self->pause_ms, AMNESIA_ACCEPT_PAUSE_MS,
                          AMNESIA_ACCEPT_PAUSE_MAX_MS);
  g_debug ("Not accepting for %u ms", self->pause_ms);
  stop_accepting (self);
  self->pause = g_timeout_source_new (self->pause_ms);
  g_source_set_callback (self->pause, pause_over_cb, self, NULL);
  g_source_attach (self->pause, self->context);
}

/* May free us. */
static void
accept_from (AmnesiaListener *self,
             GSocket         *socket)
{
  g_autoptr (GPtrArray) accepted = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;

  while (accepted->len < AMNESIA_ACCEPTS_PER_WAKE && error == NULL)
    {
      GSocket *one = g_socket_accept (socket, NULL, &error);

      if (one != NULL)
        g_ptr_array_add (accepted, one);
    }
  if (accepted->len > 0)
    self->pause_ms = 0;
  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    rest (self, socket);
  if (accepted->len > 0)
    self->func (accepted, self->user_data);
}

/* One source for all of them, as each costs something in every turn of the loop. */
typedef struct
{
  GSource          source;
  AmnesiaListener *listener; /* (unowned) */
} AcceptSource;

static gboolean
accept_dispatch (GSource     *source,
                 GSourceFunc  callback,
                 gpointer     user_data)
{
  AmnesiaListener *self = ((AcceptSource *) source)->listener;
  guint i;

  /* the child of a fork must not take callers away from its parent */
  if (self->pid != getpid ())
    {
      amnesia_listener_close (self);
      return G_SOURCE_REMOVE;
    }
  for (i = 0; i < self->waiting->len; i++)
    {
      Waiting *waiting = &g_array_index (self->waiting, Waiting,
                                         self->turn++ % self->waiting->len);

      if (g_source_query_unix_fd (source, waiting->tag) == 0)
        continue;
      accept_from (self, waiting->socket);
      break;
    }
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs accept_funcs = { .dispatch = accept_dispatch };

static void
wait_at (AmnesiaListener *self,
         GSocket         *socket)
{
  Waiting waiting = { socket };

  waiting.tag = g_source_add_unix_fd (self->source, g_socket_get_fd (socket), G_IO_IN);
  g_array_append_val (self->waiting, waiting);
}

static void
start_accepting (AmnesiaListener *self)
{
  guint i;

  stop_accepting (self);
  if (self->sockets->len == 0)
    return;
  self->source = g_source_new (&accept_funcs, sizeof (AcceptSource));
  ((AcceptSource *) self->source)->listener = self;
  g_source_set_static_name (self->source, "[amnesia] accept");
  g_source_set_can_recurse (self->source, TRUE);
  for (i = 0; i < self->sockets->len; i++)
    wait_at (self, g_ptr_array_index (self->sockets, i));
  for (i = 0; i < self->local->len; i++)
    wait_at (self, ((AmnesiaLocalSocket *) g_ptr_array_index (self->local, i))->socket);
  g_source_attach (self->source, self->context);
}

/* --- binding --- */

/* Returns the error number. To have one of GIO's that an address is in use, which is a matter of course
 * for all but the first of several members, would take longer than to look for it. */
static int
bind_to (GSocket        *socket,
         GSocketAddress *where)
{
  struct sockaddr_storage native;

  if (!g_socket_address_to_native (where, &native, sizeof native, NULL))
    return EINVAL;
  g_socket_set_option (socket, SOL_SOCKET, SO_REUSEADDR, 1, NULL);
  return bind (g_socket_get_fd (socket), (struct sockaddr *) &native,
               (socklen_t) g_socket_address_get_native_size (where)) == 0 ? 0 : errno;
}

/* Binds and listens: two sockets may both bind before one of them listens. */
static AmnesiaBind
listen_on (AmnesiaListener  *self,
           GInetAddress     *address,
           guint16           port,
           GError          **error)
{
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new (address, port);
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (address),
                                             G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                             &local_error);
  int failure;

  if (socket == NULL)
    {
      /* no descriptor is an error, no such family is not */
      if (!g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES))
        return AMNESIA_BIND_ELSEWHERE;
      g_propagate_error (error, g_steal_pointer (&local_error));
      return AMNESIA_BIND_FAILED;
    }
  /* or [::] would be in the way of 0.0.0.0 */
  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6)
    g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, 1, NULL);
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_listen_backlog (socket, AMNESIA_LISTEN_BACKLOG);
  failure = bind_to (socket, where);
  if (failure != 0)
    return failure == EADDRINUSE ? AMNESIA_BIND_IN_USE : AMNESIA_BIND_ELSEWHERE;
  if (!g_socket_listen (socket, &local_error))
    return AMNESIA_BIND_IN_USE;
  g_ptr_array_add (self->sockets, g_steal_pointer (&socket));
  return AMNESIA_BIND_OURS;
}

static gboolean
is_loopback_only (GList *addresses)
{
  GList *l;

  for (l = addresses; l != NULL; l = l->next)
    if (!g_inet_address_get_is_loopback (l->data))
      return FALSE;
  return addresses != NULL;
}

/* Debian gives a machine's own name 127.0.1.1, where no other machine can reach it: such a name
 * listens on the wildcard. */
static GList *
choose_addresses (const char *host,
                  GList      *addresses)
{
  g_autoptr (GInetAddress) literal = g_inet_address_new_from_string (host);
  GList *chosen = NULL, *l;
  gboolean seen[2] = { FALSE, FALSE };

  if (literal != NULL || g_str_equal (host, "localhost") || !is_loopback_only (addresses))
    return g_list_copy_deep (addresses, (GCopyFunc) (void *) g_object_ref, NULL);
  for (l = addresses; l != NULL; l = l->next)
    {
      GSocketFamily family = g_inet_address_get_family (l->data);
      gboolean *done = &seen[family == G_SOCKET_FAMILY_IPV6];

      if (!*done)
        chosen = g_list_append (chosen, g_inet_address_new_any (family));
      *done = TRUE;
    }
  return chosen;
}

/* An entry is ours if at least one of its addresses can be had and none is in use. */
AmnesiaBind
amnesia_listener_bind (AmnesiaListener  *self,
                       const char       *host,
                       GList            *addresses,
                       guint16           port,
                       GError          **error)
{
  g_autolist (GInetAddress) chosen = choose_addresses (host, addresses);
  AmnesiaBind result = AMNESIA_BIND_ELSEWHERE;
  GList *l;

  amnesia_listener_close (self);
  for (l = chosen; l != NULL; l = l->next)
    {
      AmnesiaBind one = listen_on (self, l->data, port, error);

      if (one == AMNESIA_BIND_IN_USE || one == AMNESIA_BIND_FAILED)
        {
          amnesia_listener_close (self);
          return one;
        }
      if (one == AMNESIA_BIND_OURS)
        result = AMNESIA_BIND_OURS;
    }
  if (result == AMNESIA_BIND_OURS)
    {
      self->spare = open_spare ();
      start_accepting (self);
    }
  return result;
}

/* --- the local way --- */

static gboolean
add_local (AmnesiaListener        *self,
           const AmnesiaLocalWay  *way,
           GSocket                *socket,
           GError                **error)
{
  g_autoptr (GSocketAddress) where = g_socket_get_local_address (socket, error);
  g_autofree char *path = NULL;
  GInetSocketAddress *inet;
  AmnesiaLocalSocket *local;

  if (where == NULL)
    return FALSE;
  inet = G_INET_SOCKET_ADDRESS (where);
  path = amnesia_local_way_get_path (way, g_inet_socket_address_get_address (inet),
                                     g_inet_socket_address_get_port (inet), error);
  local = path != NULL ? amnesia_local_socket_new (path, error) : NULL;
  if (local != NULL)
    g_ptr_array_add (self->local, local);
  return local != NULL;
}

/* Listens on a Unix socket for each address, or, where @way leads nowhere, on none. FALSE with an
 * error: on none. */
gboolean
amnesia_listener_set_local (AmnesiaListener        *self,
                            const AmnesiaLocalWay  *way,
                            GError                **error)
{
  gboolean done = TRUE;
  guint i;

  if (way->directory != NULL && self->local->len > 0)
    return TRUE;
  stop_accepting (self);
  g_ptr_array_set_size (self->local, 0);
  for (i = 0; way->directory != NULL && done && i < self->sockets->len; i++)
    done = add_local (self, way, g_ptr_array_index (self->sockets, i), error);
  if (!done)
    g_ptr_array_set_size (self->local, 0);
  if (self->pause == NULL)
    start_accepting (self);
  return done;
}
