/* SPDX-License-Identifier: MIT */

#include "conf-lib.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static void
test_short_form (void)
{
  g_autoptr (AmnesiaConf) conf = conf_assert_read ("[{\"host\":\"10.0.1.2\",\"port\":7777},"
                                                   "{\"port\":1,\"host\":\"Example.ORG.\"}]");
  const char *host = "x";
  guint port = 5;

  g_test_summary ("The short form is a list of peers; all else has its default.");
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 2);
  conf_assert_peer (conf, 0, "10.0.1.2", 7777);
  conf_assert_peer (conf, 1, "example.org", 1);
  g_assert_true (amnesia_conf_get_peer (conf, 1, NULL, NULL));
  g_assert_false (amnesia_conf_get_peer (conf, 2, &host, &port));
  g_assert_null (host);
  g_assert_cmpuint (port, ==, 0);

  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 16 << 20);
  g_assert_cmpuint (amnesia_conf_get_clock_limit (conf), ==, 86400);
  g_assert_true (amnesia_conf_get_local (conf));
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, 0);
  g_assert_false (amnesia_conf_get_listen (conf, &host, &port));
}

static void
test_long_form (void)
{
  g_autoptr (AmnesiaConf) conf = conf_assert_read (
    "{\"clock-limit\":0,\"listen\":{\"port\":65535,\"host\":\"0.0.0.0\"},\"max-size\":1073741824,"
    "\"peers\":[{\"host\":\"fd00::3\",\"port\":7777},{\"host\":\"a\",\"port\":7778}],"
    "\"allow\":[\"10.0.1.0/24\",\"fd00::1\"],\"group\":\"kitchen ä\",\"local\":false}");
  GInetAddressMask *mask;
  const char *host;
  guint port;

  g_test_summary ("The long form has all members, in any order.");
  conf_assert_peer (conf, 0, "fd00::3", 7777);
  conf_assert_peer (conf, 1, "a", 7778);
  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "kitchen ä");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 1 << 30);
  g_assert_cmpuint (amnesia_conf_get_clock_limit (conf), ==, 0);
  g_assert_false (amnesia_conf_get_local (conf));
  g_assert_true (amnesia_conf_get_listen (conf, &host, &port));
  g_assert_cmpstr (host, ==, "0.0.0.0");
  g_assert_cmpuint (port, ==, 65535);
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, 2);
  mask = g_ptr_array_index (amnesia_conf_get_allow (conf), 0);
  g_assert_cmpuint (g_inet_address_mask_get_length (mask), ==, 24);
}

static void
test_good_hosts (void)
{
  static const ConfRow rows[] = {
    { "10.0.1.2", "10.0.1.2" },
    { "::1", "::1" },
    { "FD00:0:0::00A", "fd00::a" },
    { "::ffff:10.0.1.2", "10.0.1.2" },
    { "::FFFF:0a00:0102", "10.0.1.2" },
    { "fe80::1", "fe80::1" },
    { "localhost", "localhost" },
    { "LOCALHOST.", "localhost" },
    { "my_host-1.example.org", "my_host-1.example.org" },
    { "4ever.example", "4ever.example" },
    { "0xcafe.example", "0xcafe.example" },
    { "BÜCHER.example", "xn--bcher-kva.example" },
  };

  g_test_summary ("Hosts are kept in one spelling.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
      g_autoptr (GError) error = NULL;

      g_assert_true (amnesia_conf_add_peer (conf, rows[i].given, 7777, &error));
      g_assert_no_error (error);
      conf_assert_peer (conf, 0, rows[i].expected, 7777);
    }
}

static void
test_allow (void)
{
  static const char *const wrong[] = {
    "", "example.org", "10.0.1.0/33", "10.0.1.0/", "10.0.1.0/ 24", "10.0.1.0/+24", "10.0.1.5/24",
    "10.0.1/24", "010.0.0.0/8", "::1/129", "*", "::ffff:10.0.1.0/120",
  };
  static const char *const right[] = { "10.0.1.0/24", "10.0.1.5", "0.0.0.0/0", "fd00::/64" };
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();

  g_test_summary ("Ranges are addresses, alone or with the length of a prefix.");
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (amnesia_conf_add_allow (conf, wrong[i], &error));
      conf_assert_message (error, wrong[i], "allow[0] is \"");
    }
  for (gsize i = 0; i < G_N_ELEMENTS (right); i++)
    g_assert_true (amnesia_conf_add_allow (conf, right[i], NULL));
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, G_N_ELEMENTS (right));
}

static void
test_listen (void)
{
  static const char *const wrong[] = { "", "localhost", "224.0.0.1", "255.255.255.255", "[::]" };
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  const char *host;
  guint port;

  g_test_summary ("Listening is possible on addresses, wildcards included.");
  g_assert_true (amnesia_conf_set_listen (conf, "::FFFF:10.0.1.2", 7777, NULL));
  g_assert_true (amnesia_conf_set_listen (conf, "::0", 7778, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (amnesia_conf_set_listen (conf, wrong[i], 1, &error));
      conf_assert_message (error, wrong[i], "listen.host is \"");
    }
  g_assert_false (amnesia_conf_set_listen (conf, "::1", 0, NULL));
  g_assert_false (amnesia_conf_set_listen (conf, "::1", 65536, NULL));
  g_assert_true (amnesia_conf_get_listen (conf, &host, &port));
  g_assert_cmpstr (host, ==, "::");
  g_assert_cmpuint (port, ==, 7778);
}

static void
count (guint *n)
{
  (*n)++;
}

static void
test_properties (void)
{
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  g_autofree char *group = NULL;
  guint64 max_size;
  guint clock_limit;
  gboolean local;
  guint n_notified = 0;

  g_test_summary ("Properties and their functions are the same; only changes are notified.");
  g_signal_connect_swapped (conf, "notify", G_CALLBACK (count), &n_notified);
  g_object_set (conf, "group", "", "max-size", (guint64) 16 << 20, "clock-limit", 86400,
                "local", TRUE, NULL);
  g_assert_cmpuint (n_notified, ==, 0);
  g_object_set (conf, "group", "a", "max-size", (guint64) 1024, "clock-limit", 1, "local", FALSE,
                NULL);
  g_assert_cmpuint (n_notified, ==, 4);
  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "a");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 1024);
  g_assert_cmpuint (amnesia_conf_get_clock_limit (conf), ==, 1);
  g_assert_false (amnesia_conf_get_local (conf));

  amnesia_conf_set_group (conf, "b");
  amnesia_conf_set_max_size (conf, 1 << 30);
  amnesia_conf_set_clock_limit (conf, G_MAXUINT);
  amnesia_conf_set_local (conf, 2);
  g_object_get (conf, "group", &group, "max-size", &max_size, "clock-limit", &clock_limit, "local",
                &local, NULL);
  g_assert_cmpstr (group, ==, "b");
  g_assert_cmpuint (max_size, ==, 1 << 30);
  g_assert_cmpuint (clock_limit, ==, G_MAXUINT);
  g_assert_true (local);
  g_assert_cmpuint (n_notified, ==, 8);
}

static void
expect_critical (const char *condition)
{
  g_autofree char *pattern = g_strdup_printf ("*assertion*%s*failed*", condition);

  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, pattern);
}

static void
test_misuse (void)
{
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  g_autofree char *group = g_strnfill (256, 'g');

  g_test_summary ("Values out of range are programmer errors and change nothing.");
  expect_critical ("group");
  amnesia_conf_set_group (conf, group);
  expect_critical ("group");
  amnesia_conf_set_group (conf, NULL);
  expect_critical ("max_size");
  amnesia_conf_set_max_size (conf, 1023);
  expect_critical ("max_size");
  amnesia_conf_set_max_size (conf, (1 << 30) + 1);
  expect_critical ("host");
  g_assert_false (amnesia_conf_add_peer (conf, NULL, 1, NULL));
  expect_critical ("json");
  g_assert_null (amnesia_conf_new_from_json (NULL, NULL));
  g_test_assert_expected_messages ();

  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 16 << 20);
  group[255] = '\0';
  amnesia_conf_set_group (conf, group);
  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, group);
}

static void
test_freeze (void)
{
  g_autoptr (AmnesiaConf) conf = conf_assert_read ("[{\"host\":\"a\",\"port\":1}]");
  const char *host;
  guint port;

  g_test_summary ("A configuration that a store uses does not change.");
  amnesia_conf_freeze (conf);
  for (guint i = 0; i < 7; i++)
    expect_critical ("is_frozen");
  amnesia_conf_set_group (conf, "b");
  amnesia_conf_set_max_size (conf, 1024);
  g_object_set (conf, "clock-limit", 1, NULL);
  amnesia_conf_set_local (conf, FALSE);
  g_assert_false (amnesia_conf_add_peer (conf, "b", 2, NULL));
  g_assert_false (amnesia_conf_add_allow (conf, "::/0", NULL));
  g_assert_false (amnesia_conf_set_listen (conf, "::", 1, NULL));
  g_test_assert_expected_messages ();

  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 16 << 20);
  g_assert_cmpuint (amnesia_conf_get_clock_limit (conf), ==, 86400);
  g_assert_true (amnesia_conf_get_local (conf));
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 1);
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, 0);
  g_assert_false (amnesia_conf_get_listen (conf, &host, &port));
}

static void
assert_file_refused (const char *filename,
                     const char *expected)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (amnesia_conf_new_from_file (filename, &error));
  conf_assert_message (error, filename, expected);
  g_assert_true (g_str_has_prefix (error->message, filename));
}

static void
test_file (void)
{
  static const char good[] = "[{\"host\":\"a\",\"port\":1}]";
  static const char with_nul[] = "[{\"host\":\"a\",\"port\":1}]\0";
  g_autofree char *folder = g_dir_make_tmp (NULL, NULL);
  g_autofree char *filename = g_build_filename (folder, "conf.json", NULL);
  g_autofree char *huge = g_strnfill (10 << 20, ' ');
  g_autoptr (AmnesiaConf) conf = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("A file is read, whatever else has that name is refused at once.");
  g_assert_null (amnesia_conf_new_from_file (filename, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_true (g_str_has_prefix (error->message, filename));
  g_clear_error (&error);
  assert_file_refused (folder, ": a regular file is needed");
  g_assert_cmpint (mkfifo (filename, 0600), ==, 0);
  assert_file_refused (filename, ": a regular file is needed");
  g_remove (filename);

  g_assert_true (g_file_set_contents (filename, huge, 10 << 20, NULL));
  assert_file_refused (filename, ": the configuration has 10485760 bytes: at most 65536");
  g_assert_true (g_file_set_contents (filename, "", 0, NULL));
  assert_file_refused (filename, ": line 1, column 1: a JSON value");
  g_assert_true (g_file_set_contents (filename, with_nul, sizeof with_nul - 1, NULL));
  assert_file_refused (filename, ": line 1, column 24: the byte 0x00");
  g_assert_true (g_file_set_contents (filename, "[{\"host\":\"a\",\"port\":0}]", -1, NULL));
  assert_file_refused (filename, ": [0].port is 0: a whole number from 1 to 65535 is needed");

  g_assert_true (g_file_set_contents (filename, good, -1, NULL));
  conf = amnesia_conf_new_from_file (filename, &error);
  g_assert_no_error (error);
  conf_assert_peer (conf, 0, "a", 1);
  g_remove (filename);
  g_rmdir (folder);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conf/json/short-form", test_short_form);
  g_test_add_func ("/conf/json/long-form", test_long_form);
  g_test_add_func ("/conf/hosts/good", test_good_hosts);
  g_test_add_func ("/conf/allow", test_allow);
  g_test_add_func ("/conf/listen", test_listen);
  g_test_add_func ("/conf/properties", test_properties);
  g_test_add_func ("/conf/misuse", test_misuse);
  g_test_add_func ("/conf/freeze", test_freeze);
  g_test_add_func ("/conf/file", test_file);
  return g_test_run ();
}
