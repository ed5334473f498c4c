/* SPDX-License-Identifier: MIT */

#include "fake-resolver.h"
#include "raw-peer.h"

#include "mesh/amnesia-dial-private.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Addresses that belong to nobody else: so it can be seen that a dial leaves nothing behind. */
typedef struct
{
  AmnesiaDial *dial;
  GList       *addresses;
  gboolean     done;
  gboolean     connected;
  GError      *error;
} Call;

static void
dial_cb (AmnesiaDial       *dial,
         GSocket           *socket,
         const GError      *error,
         gpointer           user_data)
{
  Call *call = user_data;

  g_assert_true (dial == call->dial);
  g_assert_false (call->done);
  g_assert_true ((socket != NULL) != (error != NULL));
  call->done = TRUE;
  call->connected = socket != NULL;
  call->error = error != NULL ? g_error_copy (error) : NULL;
}

/* @hosts: separated by spaces. */
static Call *
call_new (const char *hosts,
          guint       port)
{
  Call *call = g_new0 (Call, 1);
  g_auto (GStrv) list = g_strsplit (hosts, " ", 0);
  guint i;

  for (i = 0; list[i] != NULL; i++)
    call->addresses = g_list_append (call->addresses, g_inet_address_new_from_string (list[i]));
  call->dial = amnesia_dial_new (g_main_context_default (), (guint16) port, dial_cb, call);
  return call;
}

static void
call_start (Call         *call,
            const GError *error)
{
  amnesia_dial_start (call->dial, call->addresses, error);
  g_assert_false (call->done);
}

static void
call_free (Call *call)
{
  GList *l;

  g_clear_pointer (&call->dial, amnesia_dial_free);
  test_drain ();
  for (l = call->addresses; l != NULL; l = l->next)
    g_assert_finalize_object (l->data);
  g_list_free (call->addresses);
  g_clear_error (&call->error);
  g_free (call);
}

static void
test_next_address (void)
{
  g_autoptr (RawDoor) door = raw_door_new (0);
  g_autofree char *hosts = g_strdup_printf ("127.0.0.1 %s", test_host ());
  Call *call = call_new (hosts, test_port (0));

  g_test_summary ("When an address refuses, the next one is tried");

  call_start (call, NULL);
  test_until (call->done);
  g_assert_true (call->connected);
  g_assert_true (raw_door_is_knocked (door));
  call_free (call);
}

static void
test_refused (void)
{
  Call *call = call_new (test_host (), test_port (0));

  g_test_summary ("When all have refused, the last error is told");

  call_start (call, NULL);
  test_until (call->done);
  g_assert_error (call->error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  call_free (call);
}

static void
test_no_address (void)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no such name");
  const GError *reasons[] = { error, NULL };
  guint i;

  g_test_summary ("Without an address it fails from the loop, for the reason that is known");

  for (i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      Call *call = call_new ("", 1);

      g_clear_list (&call->addresses, NULL);
      call_start (call, reasons[i]);
      test_until (call->done);
      if (reasons[i] != NULL)
        g_assert_error (call->error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
      else
        g_assert_error (call->error, AMNESIA_ERROR, AMNESIA_ERROR_FAILED);
      call_free (call);
    }
}

/* A door that says nothing to whoever comes: its queue is full. Returns who fill it. */
static GPtrArray *
crowd_door (GSocket *door)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (door, NULL);
  GPtrArray *crowd = g_ptr_array_new_with_free_func (g_object_unref);

  g_assert_cmpint (listen (g_socket_get_fd (door), 0), ==, 0);
  while (crowd->len < 4)
    {
      GSocket *one = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
                                   G_SOCKET_PROTOCOL_TCP, NULL);

      g_socket_set_blocking (one, FALSE);
      g_socket_connect (one, address, NULL, NULL);
      g_ptr_array_add (crowd, one);
    }
  return crowd;
}

static void
test_no_answer (void)
{
  g_autoptr (RawDoor) door = raw_door_new (0);
  g_autoptr (GPtrArray) crowd = crowd_door (door->socket);
  Call *call = call_new (test_host (), test_port (0));
  gint64 start = g_get_monotonic_time ();
  gint64 passed;

  g_test_summary ("Without an answer an address is given up after 3 s, and nothing is left of it");

  call_start (call, NULL);
  test_until (call->done);
  g_assert_error (call->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  passed = g_get_monotonic_time () - start;
  g_assert_cmpint (passed, >, 2 * G_USEC_PER_SEC);
  g_assert_cmpint (passed, <, test_slowness () * 5 * G_USEC_PER_SEC);
  call_free (call);
}

static void
test_many_addresses (void)
{
  g_autoptr (RawDoor) door = raw_door_new (0);
  g_autoptr (GPtrArray) crowd = crowd_door (door->socket);
  g_autofree char *hosts = g_strjoin (" ", test_host (), test_host (), test_host (), test_host (),
                                      test_host (), test_host (), NULL);
  Call *call = call_new (hosts, test_port (0));
  gint64 start = g_get_monotonic_time ();

  g_test_summary ("A name with many addresses of which none answers does not hold up the next attempt");

  call_start (call, NULL);
  test_until (call->done);
  g_assert_error (call->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpint (g_get_monotonic_time () - start, >, 5 * G_USEC_PER_SEC);
  g_assert_cmpint (g_get_monotonic_time () - start, <, test_slowness () * 12 * G_USEC_PER_SEC);
  call_free (call);
}

static void
test_given_up (void)
{
  g_autoptr (RawDoor) door = raw_door_new (0);
  g_autoptr (GPtrArray) crowd = crowd_door (door->socket);
  guint before = test_n_descriptors ();
  guint milliseconds;

  g_test_summary ("Who frees a dial hears nothing of it any more, and its socket goes");

  for (milliseconds = 0; milliseconds <= 400; milliseconds += 200)
    {
      Call *call = call_new (test_host (), test_port (0));

      call_start (call, NULL);
      test_pass_time (milliseconds);
      g_assert_cmpuint (test_n_descriptors (), ==, before + 1);
      g_clear_pointer (&call->dial, amnesia_dial_free);
      test_until (test_n_descriptors () == before);
      g_assert_false (call->done);
      call_free (call);
    }
}

static void
test_no_descriptor (void)
{
  Call *call = call_new ("127.0.0.1 127.0.0.1", 1);
  struct rlimit limit, none;

  g_test_summary ("Without a descriptor it fails as otherwise, from the loop");

  getrlimit (RLIMIT_NOFILE, &limit);
  none = limit;
  none.rlim_cur = 0;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  call_start (call, NULL);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  test_until (call->done);
  g_assert_error (call->error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  call_free (call);
}

/* An address of this machine that is not loopback, or NULL. */
static GInetAddress *
find_outer_address (void)
{
  struct ifaddrs *all, *one;
  GInetAddress *found = NULL;

  g_assert_cmpint (getifaddrs (&all), ==, 0);
  for (one = all; one != NULL && found == NULL; one = one->ifa_next)
    if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET &&
        !(one->ifa_flags & IFF_LOOPBACK))
      found = g_inet_address_new_from_bytes (
        (const guint8 *) &((struct sockaddr_in *) one->ifa_addr)->sin_addr, G_SOCKET_FAMILY_IPV4);
  freeifaddrs (all);
  return found;
}

static void
test_own_address_gone (void)
{
  g_autoptr (GInetAddress) here = find_outer_address ();
  g_autoptr (GInetAddress) gone = g_inet_address_new_from_string ("198.51.100.77");
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress) where = NULL, bound = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *host = NULL;
  Call *call;

  g_test_summary ("Who has another address than when he began to listen still reaches the others");

  if (here == NULL)
    {
      g_test_skip ("this machine has loopback addresses only");
      return;
    }
  where = g_inet_socket_address_new (here, 0);
  g_socket_listener_add_address (listener, where, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                 &bound, &error);
  g_assert_no_error (error);
  host = g_inet_address_to_string (here);
  call = call_new (host, g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  amnesia_dial_set_from (call->dial, gone);
  call_start (call, NULL);
  test_until (call->done);
  g_assert_no_error (call->error);
  g_assert_true (call->connected);
  call_free (call);
}

static gboolean
turn_away_cb (GSocketService    *service,
              GSocketConnection *connection,
              GObject           *source,
              gpointer           user_data)
{
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return TRUE;
}

static void
test_second_address (void)
{
  g_autoptr (GResolver) before = g_resolver_get_default ();
  FakeResolver *resolver = fake_resolver_new ();
  g_autoptr (GSocketService) service = g_socket_service_new ();
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string ("127.0.0.1", test_port (1));
  g_autoptr (AmnesiaConf) conf_a = amnesia_conf_new ();
  g_autofree char *addresses = g_strdup_printf ("127.0.0.1 %s", test_host ());
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) peer = NULL;
  AmnesiaStore *a;

  g_test_summary ("Who is turned away at one address of a host tries the next one");

  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (service), where, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, NULL, NULL))
    {
      g_test_skip ("127.0.0.1 is in use");
      g_object_unref (resolver);
      return;
    }
  g_signal_connect (service, "incoming", G_CALLBACK (turn_away_cb), NULL);
  fake_resolver_name (resolver, test_host (), test_host ());
  fake_resolver_name (resolver, "nodeb", addresses);
  g_resolver_set_default (G_RESOLVER (resolver));
  amnesia_conf_add_peer (conf_a, test_host (), test_port (0), NULL);
  amnesia_conf_add_peer (conf_a, "nodeb", test_port (1), NULL);
  a = test_store (conf_a);
  peer = raw_door_accept (door);
  raw_peer_greet (peer, 7, 0);
  test_until (test_n_linked (a) == 1);
  test_free_store (a);
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
  g_resolver_set_default (before);
  g_object_unref (resolver);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dial/next-address", test_next_address);
  g_test_add_func ("/dial/refused", test_refused);
  g_test_add_func ("/dial/no-address", test_no_address);
  g_test_add_func ("/dial/no-answer", test_no_answer);
  g_test_add_func ("/dial/many-addresses", test_many_addresses);
  g_test_add_func ("/dial/given-up", test_given_up);
  g_test_add_func ("/dial/no-descriptor", test_no_descriptor);
  g_test_add_func ("/dial/own-address-gone", test_own_address_gone);
  g_test_add_func ("/dial/second-address", test_second_address);
  return g_test_run ();
}
