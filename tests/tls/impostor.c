/* SPDX-License-Identifier: MIT */
/* impostor dial|listen HOST PORT FILE: shows a certificate whose key it has not got, but another one,
 * which OpenSSL would not do. Prints each byte that it is told as two digits, then why it ended. As who
 * listens, it prints “listening”, and hears one peer. */

#include <err.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_S 20

static GSocketConnection *
dial (GSocketConnectable *where,
      GError            **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  g_socket_client_set_timeout (client, PATIENCE_S);
  return g_socket_client_connect (client, where, NULL, error);
}

static GSocketConnection *
wait_for_one (GSocketAddress *where,
              GError        **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();

  if (!g_socket_listener_add_address (listener, where, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, NULL, error))
    return NULL;
  puts ("listening");
  return g_socket_listener_accept (listener, NULL, NULL, error);
}

static gboolean
accept_any_cb (void)
{
  return TRUE;
}

static GIOStream *
make_tls (GIOStream        *base,
          gboolean          server,
          GTlsCertificate  *certificate,
          GError          **error)
{
  GIOStream *tls = server ? g_tls_server_connection_new (base, certificate, error)
                          : g_tls_client_connection_new (base, NULL, error);

  if (tls == NULL)
    return NULL;
  g_tls_connection_set_certificate (G_TLS_CONNECTION (tls), certificate);
  g_signal_connect (tls, "accept-certificate", G_CALLBACK (accept_any_cb), NULL);
  return tls;
}

/* Prints what comes until the end, which is an error in most cases. */
static void
hear (GIOStream *tls,
      GError   **error)
{
  guint8 byte;

  while (g_input_stream_read (g_io_stream_get_input_stream (tls), &byte, 1, NULL, error) == 1)
    printf ("%02x", byte);
  putchar ('\n');
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string (argv[2], atoi (argv[3]));
  gboolean server = g_str_equal (argv[1], "listen");
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_file (argv[4], &error);
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GIOStream) tls = NULL;

  setvbuf (stdout, NULL, _IOLBF, 0);
  if (certificate == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  connection = server ? wait_for_one (where, &error) : dial (G_SOCKET_CONNECTABLE (where), &error);
  if (connection == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  g_socket_set_timeout (g_socket_connection_get_socket (connection), PATIENCE_S);
  tls = make_tls (G_IO_STREAM (connection), server, certificate, &error);
  if (tls != NULL && g_tls_connection_handshake (G_TLS_CONNECTION (tls), NULL, &error))
    hear (tls, &error);
  else
    putchar ('\n');
  printf ("%s\n", error != NULL ? error->message : "closed");
  return EXIT_SUCCESS;
}
