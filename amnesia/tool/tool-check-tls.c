/* SPDX-License-Identifier: MIT */

#include "tool-check-tls.h"

#include "tool-rows.h"

#include <glib/gi18n.h>

/* Who has not got a new certificate by now should. */
#define SOON (30 * G_TIME_SPAN_DAY)

static char *
list_names (GTlsCertificate *certificate)
{
  g_autoptr (GPtrArray) names = g_tls_certificate_get_dns_names (certificate);
  g_autoptr (GPtrArray) addresses = g_tls_certificate_get_ip_addresses (certificate);
  GString *text = g_string_new (NULL);

  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      GBytes *name = g_ptr_array_index (names, i);

      g_string_append_printf (text, "%s%.*s", text->len > 0 ? ", " : "",
                              (int) g_bytes_get_size (name),
                              (const char *) g_bytes_get_data (name, NULL));
    }
  for (guint i = 0; addresses != NULL && i < addresses->len; i++)
    {
      g_autofree char *address = g_inet_address_to_string (g_ptr_array_index (addresses, i));

      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", address);
    }

  return g_string_free (text, FALSE);
}

static gboolean
is_named (GTlsCertificate *certificate,
          const char      *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);
  g_autoptr (GSocketConnectable) identity = NULL;

  identity = address != NULL ? G_SOCKET_CONNECTABLE (g_inet_socket_address_new (address, 0))
                             : g_network_address_new (host, 0);

  return (g_tls_certificate_verify (certificate, identity, NULL) & G_TLS_CERTIFICATE_BAD_IDENTITY) == 0;
}

/* Whether it has a name that the others will look for. */
static gboolean
is_listed (AmnesiaConf     *conf,
           GTlsCertificate *certificate)
{
  const char *const *names = amnesia_conf_get_tls_names (conf);
  const char *host;

  for (guint i = 0; amnesia_conf_get_peer (conf, i, &host, NULL); i++)
    if (is_named (certificate, host))
      return TRUE;
  for (guint i = 0; names[i] != NULL; i++)
    if (is_named (certificate, names[i]))
      return TRUE;

  return FALSE;
}

static gboolean
is_vouched_for (AmnesiaConf     *conf,
                GTlsCertificate *certificate,
                const char      *purpose)
{
  return g_tls_database_verify_chain (amnesia_conf_get_tls_database (conf), certificate, purpose, NULL,
                                      NULL, G_TLS_DATABASE_VERIFY_NONE, NULL, NULL) == 0;
}

static void
check_chain (AmnesiaConf     *conf,
             GTlsCertificate *certificate,
             GPtrArray       *remarks)
{
  if (!is_vouched_for (conf, certificate, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER) ||
      !is_vouched_for (conf, certificate, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT))
    tool_rows_remark (remarks, _("None of the authorities vouches for the certificate: who has the "
                                 "same ones refuses it"));
  if (!is_listed (conf, certificate))
    tool_rows_remark (remarks, _("The certificate has no name of the list, nor of tls.names: the "
                                 "others refuse it"));
}

static void
check_time (GTlsCertificate *certificate,
            GPtrArray       *rows,
            GPtrArray       *remarks)
{
  g_autoptr (GDateTime) end = g_tls_certificate_get_not_valid_after (certificate);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *text = end != NULL ? g_date_time_format (end, "%F") : NULL;

  if (end == NULL)
    return;
  tool_rows_add (rows, _("valid until"), text);
  if (g_date_time_difference (end, now) < SOON)
    tool_rows_remark (remarks, _("The certificate is valid until %s only"), text);
}

/* Says what the certificate is, and whether the others will take it. */
void
tool_check_tls (AmnesiaConf *conf,
                GPtrArray   *rows,
                GPtrArray   *remarks)
{
  GTlsCertificate *certificate = amnesia_conf_get_tls_certificate (conf);
  g_autofree char *subject = NULL;
  g_autofree char *names = NULL;

  if (certificate == NULL)
    return;
  subject = g_tls_certificate_get_subject_name (certificate);
  names = list_names (certificate);
  tool_rows_add (rows, _("certificate"), subject != NULL ? subject : "");
  tool_rows_add (rows, _("its names"), names);
  check_time (certificate, rows, remarks);
  check_chain (conf, certificate, remarks);
}
