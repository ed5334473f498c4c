/* SPDX-License-Identifier: MIT */

#include "amnesia-conf-private.h"
#include "amnesia-conf.h"
#include "amnesia-error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct
{
  const char *given;
  const char *expected;
} Row;

static void
assert_message (GError     *error,
                const char *given,
                const char *expected)
{
  if (error == NULL)
    g_error ("accepted: %.60s", given);
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF);
  if (strstr (error->message, expected) == NULL)
    g_error ("%.60s: got “%s”, expected “%s”", given, error->message, expected);
  g_assert_cmpuint (strlen (error->message), <, 400);
}

static void
assert_refused (const char *json,
                const char *expected)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(AmnesiaConf) conf = amnesia_conf_new_from_json (json, &error);

  g_assert_null (conf);
  assert_message (error, json, expected);
}

static AmnesiaConf *
assert_read (const char *json)
{
  g_autoptr(GError) error = NULL;
  AmnesiaConf *conf = amnesia_conf_new_from_json (json, &error);

  g_assert_no_error (error);
  g_assert_true (AMNESIA_IS_CONF (conf));
  return conf;
}

static void
assert_peer (AmnesiaConf *conf,
             guint        position,
             const char  *expected_host,
             guint        expected_port)
{
  const char *host;
  guint port;

  g_assert_true (amnesia_conf_get_peer (conf, position, &host, &port));
  g_assert_cmpstr (host, ==, expected_host);
  g_assert_cmpuint (port, ==, expected_port);
}

/* `unit`, in which each # is the number, `times` times with commas between. */
static char *
repeat (const char *unit,
        guint       times)
{
  GString *text = g_string_new (NULL);
  g_auto(GStrv) parts = g_strsplit (unit, "#", -1);

  for (guint i = 0; i < times; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i);
      g_autofree char *part = g_strjoinv (number, parts);

      g_string_append_printf (text, "%s%s", i == 0 ? "" : ",", part);
    }
  return g_string_free (text, FALSE);
}

static void
test_short_form (void)
{
  g_autoptr(AmnesiaConf) conf = assert_read ("[{\"host\":\"10.0.1.2\",\"port\":7777},"
                                             "{\"port\":1,\"host\":\"Example.ORG.\"}]");
  const char *host = "x";
  guint port = 5;

  g_test_summary ("The short form is a list of peers; all else has its default.");
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 2);
  assert_peer (conf, 0, "10.0.1.2", 7777);
  assert_peer (conf, 1, "example.org", 1);
  g_assert_true (amnesia_conf_get_peer (conf, 1, NULL, NULL));
  g_assert_false (amnesia_conf_get_peer (conf, 2, &host, &port));
  g_assert_null (host);
  g_assert_cmpuint (port, ==, 0);

  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 16 << 20);
  g_assert_cmpuint (amnesia_conf_get_clock_limit (conf), ==, 86400);
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, 0);
  g_assert_false (amnesia_conf_get_listen (conf, &host, &port));
}

static void
test_long_form (void)
{
  g_autoptr(AmnesiaConf) conf = assert_read (
    "{\"clock-limit\":0,\"listen\":{\"port\":65535,\"host\":\"0.0.0.0\"},\"max-size\":1073741824,"
    "\"peers\":[{\"host\":\"fd00::3\",\"port\":7777},{\"host\":\"a\",\"port\":7778}],"
    "\"allow\":[\"10.0.1.0/24\",\"fd00::1\"],\"group\":\"kitchen ä\"}");
  GInetAddressMask *mask;
  const char *host;
  guint port;

  g_test_summary ("The long form has all members, in any order.");
  assert_peer (conf, 0, "fd00::3", 7777);
  assert_peer (conf, 1, "a", 7778);
  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "kitchen ä");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 1 << 30);
  g_assert_cmpuint (amnesia_conf_get_clock_limit (conf), ==, 0);
  g_assert_true (amnesia_conf_get_listen (conf, &host, &port));
  g_assert_cmpstr (host, ==, "0.0.0.0");
  g_assert_cmpuint (port, ==, 65535);
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, 2);
  mask = g_ptr_array_index (amnesia_conf_get_allow (conf), 0);
  g_assert_cmpuint (g_inet_address_mask_get_length (mask), ==, 24);
}

static void
test_bad_texts (void)
{
  static const Row rows[] = {
    { "", "line 1, column 1: a JSON value is needed" },
    { "[{\"host\":\"a\",\n\"port\":1},]", "line 2, column 11: a JSON value is needed, not “]”" },
    { "\xEF\xBB\xBF[]", "byte order mark" },
    { "[] // peers", "column 4: the end of the text is needed" },
    { "/* */ []", "not “/”" },
    { "[{'host':'a'}]", "not “'”" },
    { "[] []", "the end of the text" },
    { "[{\"host\":\"a\",\"port\":1,\"port\":2}]", "column 23: an object has the member \"port\"" },
    { "[[[[[[[[[1]]]]]]]]]", "deeper than 8" },
    { "null", "the configuration is null: an array of peers, or an object with" },
    { "7777", "the configuration is 7777: " },
    { "\"conf.json\"", "the configuration is \"conf.json\": " },
    { "true", "the configuration is true: " },
    { "[]", "the configuration is empty: at least one peer" },
    { "{\"peers\":[]}", "peers is empty: at least one peer" },
    { "{}", "peers is missing: an array of objects" },
    { "{\"group\":\"a\"}", "peers is missing" },
    { "{\"peers\":{}}", "peers is an object: an array of objects" },
    { "{\"peers\":5}", "peers is 5: " },
    { "[5]", "[0] is 5: an object with" },
    { "[[]]", "[0] is an array: an object with" },
    { "[{}]", "[0].host is missing: a host name" },
    { "[{\"host\":\"a\"}]", "[0].port is missing: a whole number from 1 to 65535" },
    { "[{\"host\":\"a\",\"port\":1},{\"port\":1}]", "[1].host is missing" },
    { "[{\"host\":\"a\",\"port\":1},{\"host\":\"b\"}]", "[1].port is missing" },
    { "[{\"host\":5,\"port\":1}]", "[0].host is 5: a host name" },
    { "[{\"host\":null,\"port\":1}]", "[0].host is null: a host name" },
    { "{\"peers\":[{\"host\":\"a\",\"port\":1,\"prot\":2}]}",
      "peers[0].prot is not known here; known members are host, port" },
    { "{\"tls\":{}}",
      "tls is not known here; known members are peers, group, allow, max-size, clock-limit, "
      "listen" },
    { "{\"local\":false}", "local is not known here" },
    { "{\"Peers\":[]}", "Peers is not known here" },
    { "{\"group\":5}", "group is 5: a string of at most 255 bytes" },
    { "{\"group\":[]}", "group is an array: a string" },
    { "{\"allow\":\"10.0.1.0/24\"}", "allow is \"10.0.1.0/24\": an array" },
    { "{\"allow\":[\"::/0\",5]}", "allow[1] is 5: a range" },
    { "{\"allow\":[\"::/0\",\"10.0.1.1/24\"]}", "allow[1] is \"10.0.1.1/24\": an address or" },
    { "{\"max-size\":1023}", "max-size is 1023: a whole number of bytes from 1024 to 1073741824" },
    { "{\"max-size\":1073741825}", "max-size is 1073741825: " },
    { "{\"max-size\":\"16M\"}", "max-size is \"16M\": " },
    { "{\"max-size\":1e6}", "max-size is 1e6: " },
    { "{\"clock-limit\":-1}", "clock-limit is -1: a whole number of seconds" },
    { "{\"clock-limit\":4294967296}", "clock-limit is 4294967296: " },
    { "{\"clock-limit\":0.5}", "clock-limit is 0.5: " },
    { "{\"listen\":7777}", "listen is 7777: an object with" },
    { "{\"listen\":{\"host\":\"::\"}}", "listen.port is missing" },
    { "{\"peers\":[{\"host\":\"a\",\"port\":1}],\"listen\":{\"port\":1}}",
      "listen.host is missing" },
    { "{\"listen\":{\"host\":\"example.org\",\"port\":1}}",
      "listen.host is \"example.org\": an address is needed" },
    { "{\"listen\":{\"host\":\"::\",\"port\":0}}", "listen.port is 0: " },
  };
  g_autofree char *slashes = g_strnfill (60000, '/');
  g_autofree char *brackets = g_strnfill (60000, '[');
  g_autofree char *group = g_strnfill (256, 'g');
  g_autofree char *long_group = g_strdup_printf ("{\"group\":\"%s\"}", group);

  g_test_summary ("Wrong texts and members are refused; the message says where and what.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_refused (rows[i].given, rows[i].expected);
  assert_refused (slashes, "line 1, column 1");
  assert_refused (brackets, "deeper than 8");
  assert_refused (long_group, "group is \"ggg");
}

static void
test_ports (void)
{
  static const char *const wrong[] = {
    "65536", "70000", "-1", "0", "-0", "1000000000", "1e9", "1e3", "99999999999999999999",
    "7777.9", "7777.0", "\"7777\"", "true", "null",
  };
  g_autoptr(AmnesiaConf) conf = assert_read ("[{\"host\":\"a\",\"port\":65535}]");

  g_test_summary ("A port is a whole number from 1 to 65535 and nothing else.");
  assert_peer (conf, 0, "a", 65535);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *json = g_strdup_printf (
        "{\"peers\":[{\"host\":\"a\",\"port\":1},{\"port\":%s,\"host\":\"b\"}]}", wrong[i]);
      g_autofree char *expected = g_strdup_printf (
        "peers[1].port is %s: a whole number from 1 to 65535 is needed", wrong[i]);

      assert_refused (json, expected);
    }
  assert_refused ("[{\"host\":\"a\",\"port\":07777}]", "column 21: a number begins with 0");
  assert_refused ("[{\"host\":\"a\",\"port\":[1]}]", "[0].port is an array");
}

static void
test_good_hosts (void)
{
  static const Row rows[] = {
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
      g_autoptr(AmnesiaConf) conf = amnesia_conf_new ();
      g_autoptr(GError) error = NULL;

      g_assert_true (amnesia_conf_add_peer (conf, rows[i].given, 7777, &error));
      g_assert_no_error (error);
      assert_peer (conf, 0, rows[i].expected, 7777);
    }
}

static void
test_bad_hosts (void)
{
  static const Row rows[] = {
    { "", "a host name or an address is needed" },
    { "a b", "without spaces" },
    { " a", "without spaces" },
    { "a\n", "without spaces" },
    { "a\xc2\xa0", "without spaces" },
    { "a\xe2\x80\x8b", "without spaces" },
    { "a\xff", "UTF-8" },
    { "[::1]", "without brackets" },
    { "[::1]:80", "without brackets" },
    { "127.0.0.1:80", "the port is a member of its own" },
    { "example.org:80", "the port is a member of its own" },
    { "http://example.org", "a colon" },
    { "1::2::3", "a colon" },
    { "fe80::1%", "a colon" },
    { "fe80::1%a/b", "a colon" },
    { "fe80::1%eth0", "a colon" },
    { "10.0.1.2%eth0", "letters" },
    { "*", "letters" },
    { "a/b", "letters" },
    { "a@b", "letters" },
    { "-a", "letters" },
    { "a..b", "letters" },
    { "a..", "letters" },
    { ".", "letters" },
    { ".a", "letters" },
    { "0.0.0.0", "not the wildcard" },
    { "::", "not the wildcard" },
    { "::ffff:0.0.0.0", "not the wildcard" },
    { "224.0.0.1", "not a multicast" },
    { "ff02::1", "not a multicast" },
    { "::ffff:239.1.2.3", "not a multicast" },
    { "255.255.255.255", "not the broadcast" },
    { "010.0.1.2", "four decimal numbers" },
    { "127.1", "four decimal numbers" },
    { "0x7f.1", "four decimal numbers" },
    { "1.0x7F", "four decimal numbers" },
    { "2130706433", "four decimal numbers" },
    { "0x7f000001", "four decimal numbers" },
    { "256.0.0.1", "four decimal numbers" },
    { "1.2.3.4.5", "four decimal numbers" },
    { "10.0.1.2.", "four decimal numbers" },
  };
  g_autofree char *label = g_strnfill (64, 'a');
  g_autofree char *name = g_strnfill (254, 'a');
  g_autofree char *huge = g_strnfill (100000, 'a');
  g_autoptr(AmnesiaConf) conf = amnesia_conf_new ();

  g_test_summary ("What cannot be dialled is refused when it is read.");
  for (guint i = 63; i < 254; i += 64)
    name[i] = '.';
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (amnesia_conf_add_peer (conf, rows[i].given, 7777, &error));
      assert_message (error, rows[i].given, rows[i].expected);
      g_assert_true (g_str_has_prefix (error->message, "peers[0].host is \""));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
  g_assert_false (amnesia_conf_add_peer (conf, label, 7777, NULL));
  g_assert_false (amnesia_conf_add_peer (conf, name, 7777, NULL));
  g_assert_false (amnesia_conf_add_peer (conf, huge, 7777, NULL));
  g_assert_false (amnesia_conf_add_peer (conf, "a", 0, NULL));
  g_assert_false (amnesia_conf_add_peer (conf, "a", 65536, NULL));
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 0);

  name[253] = '\0';
  label[63] = '\0';
  g_assert_true (amnesia_conf_add_peer (conf, label, 7777, NULL));
  g_assert_true (amnesia_conf_add_peer (conf, name, 7777, NULL));
}

static void
test_duplicates (void)
{
  g_autoptr(AmnesiaConf) conf = assert_read ("[{\"host\":\"localhost\",\"port\":1},"
                                             "{\"host\":\"127.0.0.1\",\"port\":1},"
                                             "{\"host\":\"localhost\",\"port\":2}]");
  g_autoptr(GError) error = NULL;

  g_test_summary ("The same host and port twice is refused, however the host is written.");
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 3);
  assert_refused ("{\"peers\":[{\"host\":\"a\",\"port\":1},{\"host\":\"localhost\",\"port\":1},"
                  "{\"host\":\"LOCALHOST.\",\"port\":1}]}",
                  "peers[2] is host \"localhost\" and port 1, as peers[1] is");
  assert_refused ("[{\"host\":\"127.0.0.1\",\"port\":1},{\"host\":\"::ffff:127.0.0.1\","
                  "\"port\":1}]", "[1] is host \"127.0.0.1\" and port 1, as [0] is");
  assert_refused ("[{\"host\":\"FD00::1\",\"port\":1},{\"host\":\"fd00:0::1\",\"port\":1}]",
                  "[1] is host");
  assert_refused ("[{\"host\":\"bücher.example\",\"port\":1},"
                  "{\"host\":\"xn--bcher-kva.example\",\"port\":1}]", "[1] is host");

  g_assert_false (amnesia_conf_add_peer (conf, "127.0.0.1", 1, &error));
  assert_message (error, "127.0.0.1", "peers[3] is host \"127.0.0.1\" and port 1, as peers[1]");
}

static void
test_limits (void)
{
  g_autofree char *fits = repeat ("{\"host\":\"host-#.example\",\"port\":7777}", 256);
  g_autofree char *too_many = repeat ("{\"host\":\"host-#.example\",\"port\":7777}", 1000);
  g_autofree char *ranges = repeat ("\"10.0.#.0/24\"", 64);
  g_autofree char *full = g_strdup_printf ("{\"allow\":[%s],\"peers\":[%s]}", ranges, fits);
  g_autofree char *many = g_strdup_printf ("[%s]", too_many);
  g_autofree char *many_ranges = g_strdup_printf ("{\"allow\":[%s,\"::/0\"]}", ranges);
  g_autoptr(AmnesiaConf) conf = assert_read (full);
  g_autofree char *spaces = g_strnfill (65536 - strlen (full), ' ');
  g_autofree char *largest = g_strconcat (full, spaces, NULL);
  g_autofree char *too_large = g_strconcat (largest, " ", NULL);
  g_autoptr(AmnesiaConf) large = assert_read (largest);

  g_test_summary ("256 peers, 64 ranges and 64 KiB are possible, one more is not.");
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 256);
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, 64);
  g_assert_cmpuint (amnesia_conf_get_n_peers (large), ==, 256);
  assert_refused (many, "[256] is one too many: at most 256");
  assert_refused (many_ranges, "allow[64] is one too many: at most 64");
  assert_refused (too_large, "the configuration has 65537 bytes: at most 65536");
}

static void
test_allow (void)
{
  static const char *const wrong[] = {
    "", "example.org", "10.0.1.0/33", "10.0.1.0/", "10.0.1.0/ 24", "10.0.1.0/+24", "10.0.1.5/24",
    "10.0.1/24", "010.0.0.0/8", "::1/129", "*", "::ffff:10.0.1.0/120",
  };
  static const char *const right[] = { "10.0.1.0/24", "10.0.1.5", "0.0.0.0/0", "fd00::/64" };
  g_autoptr(AmnesiaConf) conf = amnesia_conf_new ();

  g_test_summary ("Ranges are addresses, alone or with the length of a prefix.");
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (amnesia_conf_add_allow (conf, wrong[i], &error));
      assert_message (error, wrong[i], "allow[0] is \"");
    }
  for (gsize i = 0; i < G_N_ELEMENTS (right); i++)
    g_assert_true (amnesia_conf_add_allow (conf, right[i], NULL));
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, G_N_ELEMENTS (right));
}

static void
test_listen (void)
{
  static const char *const wrong[] = { "", "localhost", "224.0.0.1", "255.255.255.255", "[::]" };
  g_autoptr(AmnesiaConf) conf = amnesia_conf_new ();
  const char *host;
  guint port;

  g_test_summary ("Listening is possible on addresses, wildcards included.");
  g_assert_true (amnesia_conf_set_listen (conf, "::FFFF:10.0.1.2", 7777, NULL));
  g_assert_true (amnesia_conf_set_listen (conf, "::0", 7778, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (amnesia_conf_set_listen (conf, wrong[i], 1, &error));
      assert_message (error, wrong[i], "listen.host is \"");
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
  g_autoptr(AmnesiaConf) conf = amnesia_conf_new ();
  g_autofree char *group = NULL;
  guint64 max_size;
  guint clock_limit;
  guint n_notified = 0;

  g_test_summary ("Properties and their functions are the same; only changes are notified.");
  g_signal_connect_swapped (conf, "notify", G_CALLBACK (count), &n_notified);
  g_object_set (conf, "group", "", "max-size", (guint64) 16 << 20, "clock-limit", 86400, NULL);
  g_assert_cmpuint (n_notified, ==, 0);
  g_object_set (conf, "group", "a", "max-size", (guint64) 1024, "clock-limit", 1, NULL);
  g_assert_cmpuint (n_notified, ==, 3);
  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "a");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 1024);
  g_assert_cmpuint (amnesia_conf_get_clock_limit (conf), ==, 1);

  amnesia_conf_set_group (conf, "b");
  amnesia_conf_set_max_size (conf, 1 << 30);
  amnesia_conf_set_clock_limit (conf, G_MAXUINT);
  g_object_get (conf, "group", &group, "max-size", &max_size, "clock-limit", &clock_limit, NULL);
  g_assert_cmpstr (group, ==, "b");
  g_assert_cmpuint (max_size, ==, 1 << 30);
  g_assert_cmpuint (clock_limit, ==, G_MAXUINT);
  g_assert_cmpuint (n_notified, ==, 6);
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
  g_autoptr(AmnesiaConf) conf = amnesia_conf_new ();
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
  g_autoptr(AmnesiaConf) conf = assert_read ("[{\"host\":\"a\",\"port\":1}]");
  const char *host;
  guint port;

  g_test_summary ("A configuration that a store uses does not change.");
  amnesia_conf_freeze (conf);
  for (guint i = 0; i < 6; i++)
    expect_critical ("is_frozen");
  amnesia_conf_set_group (conf, "b");
  amnesia_conf_set_max_size (conf, 1024);
  g_object_set (conf, "clock-limit", 1, NULL);
  g_assert_false (amnesia_conf_add_peer (conf, "b", 2, NULL));
  g_assert_false (amnesia_conf_add_allow (conf, "::/0", NULL));
  g_assert_false (amnesia_conf_set_listen (conf, "::", 1, NULL));
  g_test_assert_expected_messages ();

  g_assert_cmpstr (amnesia_conf_get_group (conf), ==, "");
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 16 << 20);
  g_assert_cmpuint (amnesia_conf_get_clock_limit (conf), ==, 86400);
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 1);
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, 0);
  g_assert_false (amnesia_conf_get_listen (conf, &host, &port));
}

static void
assert_file_refused (const char *filename,
                     const char *expected)
{
  g_autoptr(GError) error = NULL;

  g_assert_null (amnesia_conf_new_from_file (filename, &error));
  assert_message (error, filename, expected);
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
  g_autoptr(AmnesiaConf) conf = NULL;
  g_autoptr(GError) error = NULL;

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
  assert_peer (conf, 0, "a", 1);
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
  g_test_add_func ("/conf/json/bad-texts", test_bad_texts);
  g_test_add_func ("/conf/json/ports", test_ports);
  g_test_add_func ("/conf/json/duplicates", test_duplicates);
  g_test_add_func ("/conf/json/limits", test_limits);
  g_test_add_func ("/conf/hosts/good", test_good_hosts);
  g_test_add_func ("/conf/hosts/bad", test_bad_hosts);
  g_test_add_func ("/conf/allow", test_allow);
  g_test_add_func ("/conf/listen", test_listen);
  g_test_add_func ("/conf/properties", test_properties);
  g_test_add_func ("/conf/misuse", test_misuse);
  g_test_add_func ("/conf/freeze", test_freeze);
  g_test_add_func ("/conf/file", test_file);
  return g_test_run ();
}
