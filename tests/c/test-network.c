/* SPDX-License-Identifier: MIT */

/* Names, addresses and doors, in a network of this process's own: 10.77.0.1 and those after it are
 * addresses of this machine there that are not loopback, and names mean what a test says. */

#define _GNU_SOURCE /* unshare () */

#include "fake-resolver.h"
#include "local-lib.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECOND G_USEC_PER_SEC

static FakeResolver *resolver;

/* --- helpers --- */

static void
name_is (const char *host,
         const char *addresses)
{
  fake_resolver_name (resolver, host, addresses);
}

static AmnesiaConf *
make_conf (const char *first,
           ...)
{
  AmnesiaConf *conf = amnesia_conf_new ();
  const char *host;
  va_list args;

  va_start (args, first);
  for (host = first; host != NULL; host = va_arg (args, const char *))
    {
      g_autoptr (GError) error = NULL;

      amnesia_conf_add_peer (conf, host, test_port (0), &error);
      g_assert_no_error (error);
    }
  va_end (args);
  return conf;
}

static GSocketAddress *
make_address (const char *host,
              guint       port)
{
  return g_inet_socket_address_new_from_string (host, port);
}

/* Somebody who connects from one of our addresses to another. */
static GSocket *
call_from (const char *from,
           const char *to)
{
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) source = make_address (from, 0);
  g_autoptr (GSocketAddress) target = make_address (to, test_port (0));
  g_autoptr (GError) error = NULL;

  g_socket_bind (socket, source, TRUE, &error);
  g_assert_no_error (error);
  g_socket_connect (socket, target, NULL, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

/* Waits for what the other side does: returns how many bytes it has sent, 0 if it hung up. */
static gssize
hear (GSocket *socket)
{
  char buffer[4096];
  g_autoptr (GError) error = NULL;
  gssize size;

  test_until (g_socket_condition_check (socket, G_IO_IN) & G_IO_IN);
  size = g_socket_receive (socket, buffer, sizeof buffer, NULL, &error);
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED) ? 0 : size;
}

static gboolean
run_ip (const char *arguments)
{
  g_autofree char *command = g_strconcat ("ip ", arguments, NULL);
  int status;

  return g_spawn_command_line_sync (command, NULL, NULL, &status, NULL) &&
         g_spawn_check_wait_status (status, NULL);
}

static const GError *
get_peer_error (AmnesiaStore *store)
{
  return amnesia_peer_get_last_error (test_find_peer (store, test_port (0)));
}

/* --- which entry is ours --- */

static void
test_members (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("one", "two", NULL);
  AmnesiaStore *one = test_new_store (conf);
  g_autoptr (TestDiary) diary = test_diary_new (one);
  AmnesiaStore *two;

  g_test_summary ("Members of several addresses know each other by them; plain text is told once");

  name_is ("one", "10.77.0.1");
  name_is ("two", "10.77.0.2");
  test_wait_state (one, AMNESIA_STATE_ALONE);
  two = test_store (conf);
  g_assert_cmpstr (amnesia_store_get_listening (one), ==, "one:7701");
  g_assert_cmpstr (amnesia_store_get_listening (two), ==, "two:7701");
  test_set (two, "2");
  test_until (test_has_data (one, "2"));
  g_assert_cmpuint (test_diary_count_log (diary, "*plain text*"), ==, 1);
  test_free_store (two);
  test_wait_linked (one, 0);
  test_free_store (one);
}

static void
test_loopback_name (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("debian", NULL);
  g_autoptr (GSocket) caller = NULL;
  AmnesiaStore *store = test_new_store (conf);

  g_test_summary ("A name of ours that is loopback only can be reached from elsewhere as well");

  name_is ("debian", "127.0.1.1 127.0.0.1");
  test_until (amnesia_store_get_listening (store) != NULL);
  g_assert_cmpstr (amnesia_store_get_listening (store), ==, "debian:7701");
  caller = call_from ("10.77.0.1", "10.77.0.1");
  g_assert_cmpint (hear (caller), >, 0);
  test_free_store (store);
}

static void
test_local_wildcard (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("debian", NULL);
  g_autoptr (AmnesiaConf) other = make_conf ("10.77.0.1", NULL);
  AmnesiaStore *store, *guest;
  AmnesiaPeer *peer;

  g_test_summary ("Who listens on all addresses is found by any of them, whatever it calls itself");

  local_begin ();
  store = test_new_store (conf);
  name_is ("debian", "127.0.1.1 127.0.0.1");
  test_until (amnesia_store_get_listening (store) != NULL);
  guest = test_new_store (other);
  test_until ((peer = test_find_peer (guest, test_port (0))) != NULL &&
              amnesia_peer_get_way (peer) == AMNESIA_WAY_LOCAL);
  local_assert_shared (store, guest);
  test_free_store (guest);
  test_free_store (store);
  local_end ();
}

static void
test_address_comes (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("10.77.0.9", NULL);
  AmnesiaStore *store = test_store (conf);
  GNetworkMonitor *monitor = g_network_monitor_get_default ();
  guint changed = g_signal_lookup ("network-changed", G_TYPE_NETWORK_MONITOR);

  g_test_summary ("A guest becomes a member when the network has changed and its address is there");

  g_assert_null (amnesia_store_get_listening (store));
  test_until (g_signal_has_handler_pending (monitor, changed, 0, FALSE));
  g_assert_true (run_ip ("address add 10.77.0.9/32 dev lo"));
  g_signal_emit (monitor, changed, 0, TRUE);
  test_until (amnesia_store_get_listening (store) != NULL);
  g_assert_cmpstr (amnesia_store_get_listening (store), ==, "10.77.0.9:7701");
  test_free_store (store);
}

static void
renumber (const char *command,
          const char *first,
          const char *second)
{
  g_autofree char *one = g_strdup_printf ("address %s %s/32 dev lo", command, first);
  g_autofree char *two = g_strdup_printf ("address %s %s/32 dev lo", command, second);

  g_assert_true (run_ip (one));
  g_assert_true (run_ip (two));
}

static void
test_local_address_gone (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("10.77.0.8", NULL);
  AmnesiaStore *before, *guest;

  g_test_summary ("A name whose address this machine has not any more leads nowhere");

  local_begin ();
  g_assert_true (run_ip ("address add 10.77.0.8/32 dev lo"));
  before = test_new_store (conf);
  test_until (amnesia_store_get_listening (before) != NULL);
  g_assert_true (run_ip ("address del 10.77.0.8/32 dev lo"));
  guest = test_new_store (conf);
  test_wait_state (guest, AMNESIA_STATE_ALONE);
  g_assert_cmpuint (test_n_linked (before), ==, 0);
  test_free_store (guest);
  test_free_store (before);
  local_end ();
}

static void
test_renumbered (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("one", "two", NULL);
  AmnesiaStore *one, *two;

  g_test_summary ("Two who both have got other addresses find one another by their names");

  name_is ("one", "10.77.0.1");
  name_is ("two", "10.77.0.2");
  one = test_store (conf);
  two = test_store (conf);
  test_wait_linked (two, 1);

  renumber ("add", "10.77.0.11", "10.77.0.12");
  renumber ("del", "10.77.0.1", "10.77.0.2");
  name_is ("one", "10.77.0.11");
  name_is ("two", "10.77.0.12");
  test_until (test_n_linked (one) == 0 && test_n_linked (two) == 0);
  test_until (test_n_linked (one) == 1 && test_n_linked (two) == 1);
  test_set (one, "'after'");
  test_until (test_has_data (two, "'after'"));
  g_assert_cmpstr (amnesia_store_get_listening (one), ==, "one:7701");
  g_assert_cmpstr (amnesia_store_get_listening (two), ==, "two:7701");
  test_free_store (one);
  test_free_store (two);
  renumber ("add", "10.77.0.1", "10.77.0.2");
  renumber ("del", "10.77.0.11", "10.77.0.12");
}

/* --- who may come in --- */

static void
test_stranger (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("one", "two", NULL);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (GSocket) first = NULL;
  g_autoptr (GSocket) second = NULL;

  g_test_summary ("Who is not configured is sent away without a byte, and it is told");

  name_is ("one", "10.77.0.1");
  name_is ("two", "10.77.0.2");
  test_wait_state (store, AMNESIA_STATE_ALONE);
  first = call_from ("10.77.0.3", "10.77.0.1");
  g_assert_cmpint (hear (first), ==, 0);
  second = call_from ("10.77.0.3", "10.77.0.1");
  g_assert_cmpint (hear (second), ==, 0);
  test_until (test_diary_count_log (diary, "10.77.0.3*refused*") > 0);
  test_free_store (store);
}

static void
test_allowed (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("10.77.0.1", NULL);
  g_autoptr (GSocket) caller = NULL;
  g_autoptr (GError) error = NULL;
  AmnesiaStore *store;

  g_test_summary ("Who is in “allow” may come in");

  amnesia_conf_add_allow (conf, "10.77.0.0/29", &error);
  g_assert_no_error (error);
  store = test_store (conf);
  caller = call_from ("10.77.0.3", "10.77.0.1");
  g_assert_cmpint (hear (caller), >, 0);
  test_free_store (store);
}

static void
test_moved (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("one", "two", NULL);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (GSocket) caller = NULL;
  guint n_asked;

  g_test_summary ("Who comes from an address that his name has got meanwhile waits, and may come in");

  name_is ("one", "10.77.0.1");
  name_is ("two", "10.77.0.2");
  test_wait_state (store, AMNESIA_STATE_ALONE);
  name_is ("two", "10.77.0.4");
  n_asked = resolver->n_asked;
  caller = call_from ("10.77.0.4", "10.77.0.1");
  g_assert_cmpint (hear (caller), >, 0);
  g_assert_cmpuint (resolver->n_asked, >, n_asked);
  test_free_store (store);
}

/* --- names that are not known --- */

static void
test_unknown_name (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("nobody", NULL);
  AmnesiaStore *store = test_new_store (conf);

  g_test_summary ("A name that is not known is the peer's last error, and keeps nobody waiting");

  name_is ("nobody", "");
  test_wait_state (store, AMNESIA_STATE_ALONE);
  g_assert_error (get_peer_error (store), G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);
  name_is ("nobody", "10.77.0.1");
  test_until (amnesia_store_get_listening (store) != NULL);
  test_free_store (store);
}

static void
test_no_answer (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("silent", "10.77.0.1", NULL);
  AmnesiaStore *store = test_new_store (conf);
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GSocket) caller = NULL;

  g_test_summary ("A name server that is silent delays the own entry by 1 s, a stranger's end by 5 s");

  name_is ("silent", NULL);
  test_until (amnesia_store_get_listening (store) != NULL);
  g_assert_cmpstr (amnesia_store_get_listening (store), ==, "10.77.0.1:7701");
  g_assert_cmpint (ABS (g_get_monotonic_time () - start - SECOND), <,
                   test_slowness () * SECOND / 2);
  caller = call_from ("10.77.0.3", "10.77.0.1");
  g_assert_cmpint (hear (caller), ==, 0);
  g_assert_cmpint (g_get_monotonic_time () - start, >, 4 * SECOND);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  test_until (get_peer_error (store) != NULL);
  g_assert_error (get_peer_error (store), AMNESIA_ERROR, AMNESIA_ERROR_TIMED_OUT);
  test_free_store (store);
}

static void
test_many_names (void)
{
  static const char *const hosts[] = { "n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7" };
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  AmnesiaStore *store;
  guint i;

  g_test_summary ("Four names are looked up at once, not more: others need the same threads");

  for (i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      amnesia_conf_add_peer (conf, hosts[i], test_port (0), NULL);
      name_is (hosts[i], "");
    }
  resolver->n_most = 0;
  store = test_store (conf);
  g_assert_cmpuint (resolver->n_most, ==, 4);
  test_free_store (store);
}

static void
test_gone_meanwhile (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("silent", NULL);
  AmnesiaStore *store;
  guint i;

  g_test_summary ("A lookup whose store has gone, or has got another configuration, finds nobody");

  name_is ("silent", NULL);
  for (i = 0; i < 2; i++)
    {
      store = test_new_store (conf);
      test_until (resolver->n_running == 1);
      if (i == 0)
        amnesia_store_set_conf (store, NULL);
      else
        g_clear_pointer (&store, test_free_store);
      test_until (resolver->n_running == 0);
      g_clear_pointer (&store, test_free_store);
    }
}

/* --- no descriptor --- */

static guint
get_lowest_descriptor (void)
{
  int fd = dup (0);

  close (fd);
  return (guint) fd;
}

static void
test_no_descriptor (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf ("10.77.0.1", NULL);
  g_autoptr (GSocket) first = NULL;
  g_autoptr (GSocket) second = NULL;
  g_autoptr (GSocket) late = NULL;
  AmnesiaStore *store;
  struct rlimit limit, low;
  gint64 start;

  if (g_getenv ("AMNESIA_VALGRIND") != NULL)
    {
      g_test_skip ("valgrind accepts for itself whom the process has no descriptor for");
      return;
    }
  g_test_summary ("When descriptors run out callers are sent away, one for each pause");

  store = test_store (conf);
  first = call_from ("10.77.0.1", "10.77.0.1");
  second = call_from ("10.77.0.1", "10.77.0.1");
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  low = limit;
  low.rlim_cur = get_lowest_descriptor ();
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  g_assert_cmpint (hear (first), ==, 0);
  start = g_get_monotonic_time ();
  g_assert_cmpint (hear (second), ==, 0);
  g_assert_cmpint (g_get_monotonic_time () - start, >, SECOND / 20);

  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  late = call_from ("10.77.0.1", "10.77.0.1");
  g_assert_cmpint (hear (late), >, 0);
  test_free_store (store);
}

/* --- the network --- */

/* Returns why there is none, or NULL. */
static const char *
make_network (void)
{
  static const char command[] = "sh -c 'set -e; ip link set lo up; for i in 1 2 3 4; do "
                                "ip address add 10.77.0.$i/32 dev lo; done'";
  int status = -1;

  if (unshare (CLONE_NEWNET) != 0)
    return g_strerror (errno);
  if (!g_spawn_command_line_sync (command, NULL, NULL, &status, NULL) || status != 0)
    return "ip does not do it";
  return NULL;
}

typedef struct
{
  const char *name;
  void      (*func) (void);
} Test;

static const char *no_network;

static void
run (gconstpointer data)
{
  const Test *test = data;

  if (no_network != NULL)
    g_test_skip_printf ("It takes a network namespace of its own: %s", no_network);
  else
    test->func ();
}

static const Test tests[] = {
  { "/network/members", test_members },
  { "/network/loopback-name", test_loopback_name },
  { "/network/local-wildcard", test_local_wildcard },
  { "/network/address-comes", test_address_comes },
  { "/network/local-address-gone", test_local_address_gone },
  { "/network/renumbered", test_renumbered },
  { "/network/stranger", test_stranger },
  { "/network/allowed", test_allowed },
  { "/network/moved", test_moved },
  { "/network/unknown-name", test_unknown_name },
  { "/network/no-answer", test_no_answer },
  { "/network/many-names", test_many_names },
  { "/network/gone-meanwhile", test_gone_meanwhile },
  { "/network/no-descriptor", test_no_descriptor },
};

int
main (int    argc,
      char **argv)
{
  guint i;
  int status;

  no_network = make_network ();
  g_test_init (&argc, &argv, NULL);
  resolver = fake_resolver_new ();
  g_resolver_set_default (G_RESOLVER (resolver));
  for (i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_data_func (tests[i].name, &tests[i], run);
  status = g_test_run ();
  g_object_unref (resolver);
  return status;
}
