/* SPDX-License-Identifier: MIT */

/* Certificates in the configuration: what is refused, what is read again, what changes the links. */

#include "conf-lib.h"
#include "local-lib.h"
#include "tls-lib.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* --- files --- */

typedef struct
{
  const char *certificate;
  const char *private_key; /* (nullable) */
  const char *authorities;
  const char *expected;
} Row;

static const Row rows[] = {
  { "missing.pem", NULL, "authority.pem", "tls.certificate, *missing.pem: No such file" },
  { "empty.pem", NULL, "authority.pem", "tls.certificate, *empty.pem: the file is empty" },
  { "garbage.pem", NULL, "authority.pem", "tls.certificate, *garbage.pem: the file has no cert" },
  { "member.key", NULL, "authority.pem", "tls.certificate, *member.key: the file has no cert" },
  { "broken.pem", NULL, "authority.pem", "tls.certificate, *broken.pem: " },
  { "folder", NULL, "authority.pem", "tls.certificate, *folder: a regular file" },
  { "pipe", NULL, "authority.pem", "tls.certificate, *pipe: a regular file" },
  { "bare.pem", NULL, "authority.pem", "tls.certificate, *bare.pem: the file has no private key" },
  { "bare.pem", "missing.key", "authority.pem", "tls.private-key, *missing.key: No such file" },
  { "bare.pem", "garbage.pem", "authority.pem", "tls.private-key, *garbage.pem: the file has no p" },
  { "bare.pem", "other.key", "authority.pem", "tls.certificate, *bare.pem: *do not fit" },
  { "expired.pem", NULL, "authority.pem", "tls.certificate, *expired.pem: *has expired on 2" },
  { "early.pem", NULL, "authority.pem", "tls.certificate, *early.pem: *is not valid before 2" },
  { "member.pem", NULL, "missing.pem", "tls.authorities, *missing.pem: No such file" },
  { "member.pem", NULL, "empty.pem", "tls.authorities, *empty.pem: the file is empty" },
  { "member.pem", NULL, "garbage.pem", "tls.authorities, *garbage.pem: " },
  { "member.pem", NULL, "broken.pem", "tls.authorities, *broken.pem: " },
  { "pkcs11:object=a", "member.key", "authority.pem", "tls.private-key, *both on a token" },
  { "member.pem", "pkcs11:object=a", "authority.pem", "tls.private-key, *both on a token" },
};

static char *
find (const char *name)
{
  return g_str_has_prefix (name, "pkcs11:") ? g_strdup (name) : tls_path (name);
}

static void
assert_refused (const Row *row)
{
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  g_autofree char *certificate = find (row->certificate);
  g_autofree char *private_key = row->private_key != NULL ? find (row->private_key) : NULL;
  g_autofree char *authorities = find (row->authorities);
  g_autofree char *pattern = g_strconcat (row->expected, "*", NULL);
  g_autoptr (GError) error = NULL;

  if (amnesia_conf_set_tls_files (conf, certificate, private_key, authorities, &error))
    g_error ("%s, %s: accepted", row->certificate, row->authorities);
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF);
  if (!g_pattern_match_simple (pattern, error->message))
    g_error ("%s: got “%s”, expected “%s”", row->certificate, error->message, pattern);
  g_assert_null (amnesia_conf_get_tls_certificate (conf));
  g_assert_null (amnesia_conf_get_tls_database (conf));
}

static void
test_refused (void)
{
  gsize i;

  g_test_summary ("Whatever is wrong with a file is told at once, with its member and its name");
  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_refused (&rows[i]);
}

static void
test_accepted (void)
{
  g_autofree char *path = tls_path ("conf.json");
  g_autofree char *text = g_strdup (
    "{\"peers\":[{\"host\":\"a.example\",\"port\":1}],\"require-tls\":true,"
    "\"tls\":{\"certificate\":\"bare.pem\",\"private-key\":\"member.key\","
    "\"authorities\":\"authority.pem\",\"names\":[\"Laptop\",\"::ffff:10.0.1.2\"]}}");
  g_autoptr (AmnesiaConf) conf = NULL;
  g_autoptr (GError) error = NULL;
  const char *const *names;

  g_test_summary ("Names of files are relative to the configuration; other names are hosts");
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  conf = amnesia_conf_new_from_file (path, &error);
  g_assert_no_error (error);
  g_assert_nonnull (amnesia_conf_get_tls_certificate (conf));
  g_assert_nonnull (amnesia_conf_get_tls_database (conf));
  g_assert_true (amnesia_conf_get_require_tls (conf));
  names = amnesia_conf_get_tls_names (conf);
  g_assert_cmpstr (names[0], ==, "laptop");
  g_assert_cmpstr (names[1], ==, "10.0.1.2");
  g_assert_null (names[2]);
}

/* --- objects --- */

static void
assert_not_opened (AmnesiaConf *conf,
                   const char  *expected)
{
  g_autoptr (AmnesiaStore) store = amnesia_store_new ();
  g_autoptr (GError) error = NULL;

  amnesia_store_set_conf (store, conf);
  g_assert_false (amnesia_store_open_sync (store, NULL, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF);
  if (strstr (error->message, expected) == NULL)
    g_error ("%s", error->message);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
}

static AmnesiaConf *
conf_with (const char *certificate,
           const char *authorities)
{
  AmnesiaConf *conf = test_conf (2);
  g_autofree char *certificate_path = certificate != NULL ? tls_path (certificate) : NULL;
  g_autofree char *authorities_path = authorities != NULL ? tls_path (authorities) : NULL;
  g_autoptr (GTlsCertificate) ours = NULL;
  g_autoptr (GTlsDatabase) theirs = NULL;

  amnesia_conf_set_local (conf, FALSE);
  if (certificate != NULL)
    ours = g_tls_certificate_new_from_file (certificate_path, NULL);
  if (authorities != NULL)
    theirs = (GTlsDatabase *) g_tls_file_database_new (authorities_path, NULL);
  g_object_set (conf, "tls-certificate", ours, "tls-database", theirs, NULL);
  return conf;
}

static void
test_setters (void)
{
  g_autoptr (AmnesiaConf) good = conf_with ("member.pem", "authority.pem");
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  const char *names[] = { "laptop.example", "192.0.2.1", NULL };

  g_test_summary ("What is set is what is got, and can be taken back");
  amnesia_conf_set_tls_certificate (conf, amnesia_conf_get_tls_certificate (good));
  amnesia_conf_set_tls_database (conf, amnesia_conf_get_tls_database (good));
  amnesia_conf_set_tls_names (conf, names);
  g_assert_true (amnesia_conf_get_tls_certificate (conf) == amnesia_conf_get_tls_certificate (good));
  g_assert_true (amnesia_conf_get_tls_database (conf) == amnesia_conf_get_tls_database (good));
  g_assert_true (g_strv_equal (amnesia_conf_get_tls_names (conf), names));
  amnesia_conf_set_tls_certificate (conf, NULL);
  amnesia_conf_set_tls_database (conf, NULL);
  amnesia_conf_set_tls_names (conf, NULL);
  g_assert_null (amnesia_conf_get_tls_certificate (conf));
  g_assert_null (amnesia_conf_get_tls_database (conf));
  g_assert_cmpuint (g_strv_length ((char **) amnesia_conf_get_tls_names (conf)), ==, 0);
}

static void
test_objects (void)
{
  g_autoptr (AmnesiaConf) half = conf_with ("member.pem", NULL);
  g_autoptr (AmnesiaConf) other_half = conf_with (NULL, "authority.pem");
  g_autoptr (AmnesiaConf) bare = conf_with ("bare.pem", "authority.pem");
  g_autoptr (AmnesiaConf) expired = conf_with ("expired.pem", "authority.pem");
  g_autoptr (AmnesiaConf) good = conf_with ("member.pem", "authority.pem");
  AmnesiaStore *a, *b;

  g_test_summary ("Certificates and authorities as objects are looked at when the store opens");
  assert_not_opened (half, "tls-certificate is set, but not tls-database");
  assert_not_opened (other_half, "tls-database is set, but not tls-certificate");
  assert_not_opened (bare, "tls-certificate: ");
  assert_not_opened (expired, "tls-certificate: the certificate has expired");
  a = test_store (good);
  b = test_store (good);
  local_wait_way (a, 1, AMNESIA_WAY_TLS);
  test_close_store (a);
  test_close_store (b);
}

static void
test_required (void)
{
  g_autoptr (AmnesiaConf) abroad = amnesia_conf_new ();
  g_autoptr (AmnesiaConf) here = test_conf (1);
  AmnesiaStore *store;

  g_test_summary ("Without a certificate, and with “require-tls”, there is nothing but this machine");
  g_assert_true (amnesia_conf_add_peer (abroad, "192.0.2.1", 7777, NULL));
  amnesia_conf_set_require_tls (abroad, TRUE);
  assert_not_opened (abroad, "“require-tls” is set, but there is no “tls”, and “192.0.2.1”");
  amnesia_conf_set_require_tls (here, TRUE);
  store = test_store (here);
  test_close_store (store);
}

/* --- while it is open --- */

static gboolean
was_renewed (TestDiary *diary,
             guint      times)
{
  return test_diary_count_log (diary, "*were read again*") == times;
}

/* A peer comes with what is in the files now. */
static gboolean
joins (const char *name)
{
  AmnesiaStore *peer = tls_store (name, 2);
  gboolean joined = test_n_linked (peer) > 0;

  test_close_store (peer);
  return joined;
}

static void
test_renewal (void)
{
  AmnesiaStore *store;
  TestDiary *diary;

  g_test_summary ("Files are read again when they change: new connections use them, and broken ones "
                  "change nothing");
  tls_copy ("member.pem", "live.pem");
  store = tls_store ("live", 2);
  diary = test_diary_new (store);
  g_assert_true (joins ("member"));
  /* the authority that vouches for the new certificate is one that no peer knows */
  tls_copy ("stranger.pem", "live.pem");
  test_until (was_renewed (diary, 1));
  g_assert_cmpuint (test_diary_count_log (diary, "*of none of its own authorities*"), ==, 1);
  g_assert_false (joins ("member"));
  tls_copy ("garbage.pem", "live.pem");
  test_until (test_diary_count_log (diary, "*stays in use*garbage*") > 0 ||
              test_diary_count_log (diary, "*stays in use*live.pem*") > 0);
  tls_copy ("member.pem", "live.pem");
  test_until (was_renewed (diary, 2));
  g_assert_true (joins ("member"));
  test_diary_free (diary);
  test_close_store (store);
}

static void
test_again (void)
{
  AmnesiaStore *store = tls_store ("member", 2);
  int i;

  g_test_summary ("Who was connected by TLS before is let in again, as often as it comes");
  for (i = 0; i < 5; i++)
    g_assert_true (joins ("other"));
  test_close_store (store);
}

/* Whoever changes the files, and then has the configuration read again, means both. */
static void
test_read_anew (void)
{
  g_autoptr (AmnesiaConf) conf = NULL;
  AmnesiaStore *store;

  g_test_summary ("A configuration that was read later than the one before it has the newer files");
  tls_copy ("member.pem", "live.pem");
  store = tls_store ("live", 2);
  g_assert_true (joins ("member"));
  tls_copy ("stranger.pem", "live.pem");
  conf = tls_conf ("live", 2);
  amnesia_store_set_conf (store, conf);
  test_until (amnesia_store_get_state (store) == AMNESIA_STATE_ALONE);
  g_assert_false (joins ("member"));
  test_close_store (store);
}

static void
test_stale (void)
{
  g_autoptr (AmnesiaConf) conf = NULL;
  AmnesiaStore *store;

  g_test_summary ("What changed between the reading of a configuration and the opening is not missed");
  tls_copy ("member.pem", "live.pem");
  conf = tls_conf ("live", 2);
  tls_copy ("stranger.pem", "live.pem");
  store = test_store (conf);
  g_assert_false (joins ("member"));
  test_close_store (store);
}

static void
test_change (void)
{
  g_autoptr (AmnesiaConf) plain = test_conf (2);
  g_autoptr (AmnesiaConf) encrypted = tls_conf ("member", 2);
  AmnesiaStore *a, *b;

  g_test_summary ("A new configuration with TLS ends plain connections, and the other way round");
  amnesia_conf_set_local (plain, FALSE);
  a = test_store (plain);
  b = test_store (plain);
  local_wait_way (a, 1, AMNESIA_WAY_TCP);
  amnesia_store_set_conf (a, encrypted);
  test_until (test_n_linked (b) == 0);
  amnesia_store_set_conf (b, encrypted);
  local_wait_way (a, 1, AMNESIA_WAY_TLS);
  local_assert_shared (a, b);
  amnesia_store_set_conf (a, plain);
  amnesia_store_set_conf (b, plain);
  local_wait_way (a, 1, AMNESIA_WAY_TCP);
  test_close_store (a);
  test_close_store (b);
}

/* --- main --- */

static void
write_file (const char *name,
            const char *text)
{
  g_autofree char *path = tls_path (name);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* The certificate without its key. */
static void
make_bare (void)
{
  g_autofree char *path = tls_path ("member.pem");
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  *strstr (text, "-----BEGIN PRIVATE") = '\0';
  write_file ("bare.pem", text);
}

static void
make_files (void)
{
  g_autofree char *alternatives = g_strdup_printf ("DNS:member.example,IP:%s", test_host ());
  g_autofree char *folder = tls_path ("folder"), *pipe = tls_path ("pipe");

  tls_make_authority ("authority");
  tls_make_authority ("unknown");
  tls_make ("member", "authority", alternatives);
  tls_make ("other", "authority", alternatives);
  tls_make ("stranger", "unknown", alternatives);
  tls_make_dated ("expired", "authority", "2020-01-01 00:00:00", "2021-01-01 00:00:00");
  tls_make_dated ("early", "authority", "2098-01-01 00:00:00", "2099-01-01 00:00:00");
  make_bare ();
  write_file ("empty.pem", "");
  write_file ("garbage.pem", "this is no certificate\n");
  write_file ("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  int result;

  if (tls_skip_all ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  tls_begin ();
  make_files ();
  g_test_add_func ("/tls-conf/refused", test_refused);
  g_test_add_func ("/tls-conf/accepted", test_accepted);
  g_test_add_func ("/tls-conf/setters", test_setters);
  g_test_add_func ("/tls-conf/objects", test_objects);
  g_test_add_func ("/tls-conf/required", test_required);
  g_test_add_func ("/tls-conf/renewal", test_renewal);
  g_test_add_func ("/tls-conf/again", test_again);
  g_test_add_func ("/tls-conf/read-anew", test_read_anew);
  g_test_add_func ("/tls-conf/stale", test_stale);
  g_test_add_func ("/tls-conf/change", test_change);
  result = g_test_run ();
  tls_end ();
  return result;
}
