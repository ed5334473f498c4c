/* SPDX-License-Identifier: MIT */

/* Whom a certificate is for, and who may join with it. */

#include "mesh/amnesia-tls-private.h"
#include "tls-lib.h"

#include <string.h>

#define GOOD 0
#define NO_HOST NULL

/* @alternatives: of the certificate. @host: who was dialled; NULL: who calls. @refused: NULL if it
 * may join. */
typedef struct
{
  const char           *alternatives;
  const char           *host;
  GTlsCertificateFlags  flaws;
  const char           *refused;
} Row;

static const Row rows[] = {
  { "DNS:a.example", "a.example", GOOD, NULL },
  { "DNS:A.Example", "a.example", GOOD, NULL },
  { "DNS:*.b.example", "a.b.example", GOOD, NULL },
  { "DNS:*.b.example", "a.a.b.example", GOOD, "is for *.b.example, not for a.a.b.example" },
  { "DNS:a.example", "b.example", GOOD, "is for a.example, not for b.example" },
  { "DNS:a.example", "10.0.1.2", GOOD, "not for 10.0.1.2" },
  { "IP:10.0.1.2", "10.0.1.2", GOOD, NULL },
  { "IP:10.0.1.3", "10.0.1.2", GOOD, "is for 10.0.1.3, not for 10.0.1.2" },
  { "DNS:10.0.1.2", "10.0.1.2", GOOD, "not for 10.0.1.2" },
  { "IP:fd00::3", "fd00::3", GOOD, NULL },
  { "IP:fd00::3,DNS:x.example", "a.example", GOOD, "is for x.example, fd00::3, not for" },
  { "URI:http://a.example", "a.example", GOOD, "is for no host at all" },
  /* one that goes on after a zero byte */
  { "DER:30:0d:82:0b:61:2e:65:78:61:6d:70:6c:65:00:78", "a.example", GOOD, "not for a.example" },
  { "DER:30:0d:82:0b:61:2e:65:78:61:6d:70:6c:65:00:78", NO_HOST, GOOD,
    "who is not in the configuration" },
  /* GIO says that the name is another one; one of the extra names is good all the same */
  { "DNS:laptop", "a.example", G_TLS_CERTIFICATE_BAD_IDENTITY, NULL },
  { "DNS:laptop", NO_HOST, GOOD, NULL },
  { "DNS:a.example", NO_HOST, GOOD, NULL },
  { "IP:10.0.1.2", NO_HOST, GOOD, NULL },
  { "DNS:c.example", NO_HOST, GOOD, "is for c.example, who is not in the configuration" },
  { "DNS:a.example", NO_HOST, G_TLS_CERTIFICATE_UNKNOWN_CA, "none of the authorities" },
  { "DNS:a.example", "a.example", G_TLS_CERTIFICATE_EXPIRED, "has expired" },
  { "DNS:a.example", "a.example", G_TLS_CERTIFICATE_NOT_ACTIVATED, "not valid yet" },
  { "DNS:a.example", "a.example", G_TLS_CERTIFICATE_REVOKED, "was revoked" },
  { "DNS:a.example", "a.example", G_TLS_CERTIFICATE_INSECURE, "not secure" },
  { "DNS:a.example", "a.example", G_TLS_CERTIFICATE_GENERIC_ERROR, "is not valid" },
};

static AmnesiaTls *
make_tls (GTlsCertificate *certificate)
{
  g_autofree char *path = tls_path ("authority.pem");
  g_autoptr (GTlsDatabase) database = (GTlsDatabase *) g_tls_file_database_new (path, NULL);
  AmnesiaTls *tls = amnesia_tls_new (certificate, database);

  amnesia_tls_add_host (tls, "a.example");
  amnesia_tls_add_host (tls, "10.0.1.2");
  amnesia_tls_add_host (tls, "fd00::3");
  amnesia_tls_add_name (tls, "laptop");
  return tls;
}

static GTlsCertificate *
make_certificate (const char *alternatives)
{
  g_autofree char *path = tls_path ("one.pem");
  g_autoptr (GError) error = NULL;
  GTlsCertificate *certificate;

  tls_make ("one", "authority", alternatives);
  certificate = g_tls_certificate_new_from_file (path, &error);
  g_assert_no_error (error);
  return certificate;
}

static void
test_rows (void)
{
  gsize i;

  g_test_summary ("Names are those of the dialled host, or of any that is configured");
  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GTlsCertificate) certificate = make_certificate (rows[i].alternatives);
      g_autoptr (AmnesiaTls) tls = make_tls (certificate);
      g_autoptr (GError) error = NULL;
      gboolean joins = amnesia_tls_check_peer (tls, rows[i].host, certificate, rows[i].flaws, &error);

      if (joins != (rows[i].refused == NULL))
        g_error ("row %" G_GSIZE_FORMAT ", %s: %s", i, rows[i].alternatives,
                 joins ? "may join" : error->message);
      if (joins)
        continue;
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED);
      if (strstr (error->message, rows[i].refused) == NULL)
        g_error ("row %" G_GSIZE_FORMAT ": %s", i, error->message);
    }
}

static void
test_none (void)
{
  g_autoptr (GTlsCertificate) certificate = make_certificate ("DNS:a.example");
  g_autoptr (AmnesiaTls) tls = make_tls (certificate);
  g_autoptr (GError) error = NULL;

  g_test_summary ("Who shows no certificate does not join");
  g_assert_false (amnesia_tls_check_peer (tls, NULL, NULL, 0, &error));
  g_assert_nonnull (strstr (error->message, "no certificate"));
}

/* What others put into their certificates ends in a log line. */
static void
test_long_names (void)
{
  GString *alternatives = g_string_new ("DNS:x\\n.example");
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (AmnesiaTls) tls = NULL;
  g_autoptr (GError) error = NULL;
  int i;

  g_test_summary ("A certificate with many names, and one that is none, is described in one short line");
  for (i = 0; i < 100; i++)
    g_string_append_printf (alternatives, ",DNS:name%d.example", i);
  certificate = make_certificate (alternatives->str);
  tls = make_tls (certificate);
  g_assert_false (amnesia_tls_check_peer (tls, NULL, certificate, 0, &error));
  g_assert_cmpuint (strlen (error->message), <, 400);
  g_assert_null (strchr (error->message, '\n'));
  g_string_free (alternatives, TRUE);
}

static void
assert_doubt (const char *alternatives,
              const char *authority,
              const char *expected)
{
  g_autofree char *doubts = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autofree char *path = tls_path ("one.pem");
  AmnesiaTls *tls;

  tls_make ("one", authority, alternatives);
  certificate = g_tls_certificate_new_from_file (path, NULL);
  tls = make_tls (certificate);
  doubts = amnesia_tls_describe_doubts (tls);
  if (expected == NULL)
    g_assert_null (doubts);
  else
    g_assert_nonnull (strstr (doubts, expected));
  amnesia_tls_unref (tls);
}

static void
test_doubts (void)
{
  g_test_summary ("What will have our own certificate refused is known before it is");
  assert_doubt ("DNS:a.example", "authority", NULL);
  assert_doubt ("DNS:laptop", "authority", NULL);
  assert_doubt ("DNS:c.example", "authority", "is for c.example, who is not in its configuration");
  assert_doubt ("DNS:a.example", "rogue", "is of none of its own authorities");
  tls_set_days (13);
  assert_doubt ("DNS:a.example", "authority", "expires on ");
  tls_set_days (15);
  assert_doubt ("DNS:a.example", "authority", NULL);
}

int
main (int    argc,
      char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  tls_begin ();
  tls_make_authority ("authority");
  tls_make_authority ("rogue");
  g_test_add_func ("/tls-names/rows", test_rows);
  g_test_add_func ("/tls-names/none", test_none);
  g_test_add_func ("/tls-names/long", test_long_names);
  g_test_add_func ("/tls-names/doubts", test_doubts);
  result = g_test_run ();
  tls_end ();
  return result;
}
