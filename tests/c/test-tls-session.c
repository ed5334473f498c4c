/* SPDX-License-Identifier: MIT */

/* One connection by TLS, with somebody who belongs, but means no good. */

#include "mesh/amnesia-tls-session-private.h"
#include "tls-lib.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB (1024 * 1024)
#define TICKETS "60000"
#define ENOUGH (8 * MIB)

/* Between the session and the other side. */
typedef struct
{
  int         near;     /* (owned) the session's end */
  int         far;      /* (owned) ours */
  GSocket    *peer;     /* (owned) */
  GByteArray *kept;     /* (owned) what the other side has said since it is kept */
  gint        n_passed; /* of that */
} Relay;

static void
relay_init (Relay *self)
{
  g_autoptr (GSocketAddress) address =
    g_inet_socket_address_new_from_string (test_host (), test_port (0));
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (ends[0], TRUE, NULL));
  *self = (Relay) { ends[0], ends[1], .kept = g_byte_array_new () };
  /* it takes a while until it listens */
  for (;;)
    {
      self->peer = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
      if (g_socket_connect (self->peer, address, NULL, NULL))
        break;
      g_object_unref (self->peer);
      test_pass_time (10);
    }
}

static void
relay_clear (Relay *self)
{
  close (self->near);
  close (self->far);
  g_object_unref (self->peer);
  g_byte_array_unref (self->kept);
}

/* Whether something came. */
static gboolean
pass (int from,
      int to)
{
  guint8 bytes[4096];
  gssize got = recv (from, bytes, sizeof bytes, MSG_DONTWAIT);

  if (got > 0)
    g_assert_cmpint (send (to, bytes, (gsize) got, MSG_NOSIGNAL), ==, got);
  return got > 0;
}

static void
shaken_cb (AmnesiaTlsSession *session,
           gpointer           user_data)
{
  *(gboolean *) user_data = TRUE;
}

static AmnesiaTlsSession *
shake (Relay      *relay,
       AmnesiaTls *tls)
{
  g_autoptr (GError) error = NULL;
  AmnesiaTlsSession *session = amnesia_tls_session_new (tls, test_host (), NULL, &error);
  gboolean shaken = FALSE;

  g_assert_no_error (error);
  amnesia_tls_session_set_func (session, shaken_cb, &shaken);
  amnesia_tls_session_start (session, g_main_context_default ());
  while (!shaken)
    {
      amnesia_tls_session_step (session, relay->near, &error);
      g_assert_no_error (error);
      pass (relay->far, g_socket_get_fd (relay->peer));
      pass (g_socket_get_fd (relay->peer), relay->far);
      g_main_context_iteration (NULL, FALSE);
    }
  amnesia_tls_session_finish (session, &error);
  g_assert_no_error (error);
  while (amnesia_tls_session_is_pending (session))
    amnesia_tls_session_flush (session, relay->near);
  while (pass (relay->far, g_socket_get_fd (relay->peer)))
    ;
  return session;
}

static void
keep (Relay *relay)
{
  guint8 bytes[16 * 1024];
  gssize got = 1;

  while (got > 0 && relay->kept->len < ENOUGH)
    {
      got = recv (g_socket_get_fd (relay->peer), bytes, sizeof bytes, 0);
      if (got < 0 && errno == EAGAIN)
        got = 1;
      else if (got > 0)
        g_byte_array_append (relay->kept, bytes, (guint) got);
    }
  g_assert_cmpuint (relay->kept->len, >=, ENOUGH);
}

static gpointer
pour (gpointer data)
{
  Relay *relay = data;
  gssize sent = 1;

  while (sent > 0 && (guint) relay->n_passed < relay->kept->len)
    {
      sent = send (relay->far, relay->kept->data + relay->n_passed,
                   MIN (relay->kept->len - relay->n_passed, 64 * 1024), MSG_NOSIGNAL);
      if (sent > 0)
        g_atomic_int_add (&relay->n_passed, (gint) sent);
    }
  return NULL;
}

static void
test_talk (void)
{
  g_autofree char *accept = g_strdup_printf ("%s:%u", test_host (), test_port (0));
  g_autofree char *path = tls_path ("member.pem");
  const char *arguments[] = { "openssl", "s_server", "-tls1_3", "-quiet", "-num_tickets", TICKETS,
                              "-cert", path, "-accept", accept, NULL };
  g_autoptr (GSubprocess) server =
    g_subprocess_newv (arguments, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                                  G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL);
  g_autofree char *authorities = tls_path ("authority.pem");
  g_autoptr (GTlsDatabase) database = (GTlsDatabase *) g_tls_file_database_new (authorities, NULL);
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_file (path, NULL);
  g_autoptr (AmnesiaTls) tls = amnesia_tls_new (certificate, database);
  AmnesiaTlsSession *session;
  guint8 room[1024];
  gint most = 0;
  Relay relay;
  GThread *thread;

  g_test_summary ("Who says much that is not for us, and faster than it is read, gets a slice at a time");
  relay_init (&relay);
  session = shake (&relay, tls);
  keep (&relay);
  thread = g_thread_new ("pour", pour, &relay);
  while ((guint) g_atomic_int_get (&relay.n_passed) < relay.kept->len)
    {
      gint before = g_atomic_int_get (&relay.n_passed);

      g_assert_cmpint (amnesia_tls_session_receive (session, relay.near, room, sizeof room), ==, -1);
      g_assert_cmpint (errno, ==, EAGAIN);
      most = MAX (most, g_atomic_int_get (&relay.n_passed) - before);
    }
  g_test_message ("%d bytes at most", most);
  g_assert_cmpint (most, <, 2 * MIB);
  g_thread_join (thread);
  amnesia_tls_session_free (session);
  relay_clear (&relay);
  g_subprocess_force_exit (server);
  g_assert_true (g_subprocess_wait (server, NULL, NULL));
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *alternatives = NULL;
  int result;

  if (tls_skip_all ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  tls_begin ();
  alternatives = g_strdup_printf ("IP:%s", test_host ());
  tls_make_authority ("authority");
  tls_make ("member", "authority", alternatives);
  g_test_add_func ("/tls-session/talk", test_talk);
  result = g_test_run ();
  tls_end ();
  return result;
}
