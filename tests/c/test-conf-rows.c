/* SPDX-License-Identifier: MIT */

/* What can be wrong with a configuration. Each test is named after a row of the table in
 * tests/README.md. */

#include "conf-lib.h"
#include "testlib.h"

#include <glib/gstdio.h>
#include <string.h>

static void
refuse_in_file (const char *text,
                const char *expected)
{
  g_autofree char *filename = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("amnesia-XXXXXX.json", &filename, NULL);

  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (filename, text, -1, NULL));
  g_assert_null (amnesia_conf_new_from_file (filename, &error));
  conf_assert_message (error, text, expected);
  g_assert_true (g_str_has_prefix (error->message, filename));
  g_unlink (filename);
}

static char *
nest (const char *unit,
      gsize       times)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < times; i++)
    g_string_append (text, unit);
  return g_string_free (text, FALSE);
}

/* What json-glib 1.6 crashes of, hangs with, takes for nothing, or changes without a word. */
static void
test_texts (void)
{
  static const ConfRow rows[] = {
    { "", "line 1, column 1: a JSON value is needed" },
    { " \n\t ", "line 2, column 3" },
    { "null", "the configuration is null: an array of peers, or an object with" },
    { "[] []", "the end of the text" },
    { "[{\"host\":\"a\",\"port\":1}] [{\"host\":\"b\",\"port\":1}]", "the end of the text" },
    { "{}{}", "the end of the text" },
    { "{\"max-size\":9223372036854775808}", "max-size is 9223372036854775808: " },
    { "{\"max-size\":18446744073709551615}", "max-size is 18446744073709551615: " },
    { "{\"clock-limit\":010}", "a number begins with 0" },
    { "{\"clock-limit\":1e-400}", "1e-400" },
    { "{\"clock-limit\":1e400}", "1e400" },
    { "{\"clock-limit\":0x1F}", "not “x”" },
    { "{\"clock-limit\":.5}", "not “.”" },
    { "{\"clock-limit\":1.}", "a digit is needed" },
    { "{\"clock-limit\":- 1}", "a digit is needed" },
    { "{\"clock-limit\":NaN}", "not “N”" },
    { "{\"group\":\"x\\u0000y\"}", "a string cannot hold \\u0000" },
    { "{\"gro\\u0000up\":\"x\"}", "a string cannot hold \\u0000" },
    { "{\"group\":\"\\uZZZZ\"}", "four hexadecimal digits" },
    { "{\"group\":\"\\q\"}", "after a backslash is needed" },
    { "{\"group\":\"\\ud83d\"}", "half of a surrogate pair" },
    { "{\"group\":\"\xff\"}", "0xff is not UTF-8" },
    { "{\"group\":\"a\nb\"}", "not the character U+000A" },
    { "var x = [];", "not “v”" },
  };
  g_autofree char *slashes = g_strnfill (2 << 20, '/');
  g_autofree char *few_slashes = g_strnfill (60000, '/');
  g_autofree char *digits = g_strnfill (60000, '9');
  g_autofree char *number = g_strdup_printf ("{\"max-size\":%s}", digits);
  g_autofree char *brackets = nest ("[", 100000);
  g_autofree char *few_brackets = nest ("[", 60000);
  g_autofree char *objects = nest ("{\"a\":", 10000);

  g_test_summary ("Texts that are no configuration are refused, however nested or filled.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      conf_assert_refused (rows[i].given, rows[i].expected);
      refuse_in_file (rows[i].given, rows[i].expected);
    }
  conf_assert_refused (brackets, "has 100000 bytes");
  conf_assert_refused (few_brackets, "deeper than 8");
  conf_assert_refused (objects, "deeper than 8");
  conf_assert_refused (slashes, "has 2097152 bytes");
  conf_assert_refused (few_slashes, "line 1, column 1");
  conf_assert_refused (number, "max-size is 999");
  refuse_in_file (few_brackets, "deeper than 8");
  refuse_in_file (slashes, "has 2097152 bytes");
}

static void
test_members (void)
{
  static const ConfRow rows[] = {
    { "[{\"host\":\"a\",\n\"port\":1},]", "line 2, column 11: a JSON value is needed, not “]”" },
    { "\xEF\xBB\xBF[]", "byte order mark" },
    { "[] // peers", "column 4: the end of the text is needed" },
    { "/* */ []", "not “/”" },
    { "[{'host':'a'}]", "not “'”" },
    { "[{\"host\":\"a\",\"port\":1,\"port\":2}]", "column 23: an object has the member \"port\"" },
    { "[[[[[[[[[1]]]]]]]]]", "deeper than 8" },
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
    { "{\"lts\":{}}",
      "lts is not known here; known members are peers, group, allow, max-size, clock-limit, "
      "local, listen, tls, require-tls" },
    { "{\"tls\":true}", "tls is true: an object with “certificate” and “authorities” is needed" },
    { "{\"tls\":{}}", "tls.certificate is missing: " },
    { "{\"tls\":{\"certificate\":\"a\"}}", "tls.authorities is missing: " },
    { "{\"tls\":{\"certificate\":\"\",\"authorities\":\"b\"}}", "tls.certificate is \"\": " },
    { "{\"tls\":{\"certificate\":1,\"authorities\":\"b\"}}", "tls.certificate is 1: " },
    { "{\"tls\":{\"names\":[\"a b\"]}}", "tls.names[0] is \"a b\": " },
    { "{\"tls\":{\"names\":[3]}}", "tls.names[0] is 3: " },
    { "{\"tls\":{\"names\":\"a\"}}", "tls.names is \"a\": " },
    { "{\"tls\":{\"key\":\"a\"}}", "tls.key is not known here; known members are certificate, " },
    { "{\"require-tls\":1}", "require-tls is 1: true or false" },
    { "{\"require-tls\":true,\"peers\":[{\"host\":\"10.0.1.2\",\"port\":1}]}",
      "“require-tls” is set, but there is no “tls”, and “10.0.1.2” is not on this machine only" },
    { "{\"local\":0}", "local is 0: true or false" },
    { "{\"local\":\"false\"}", "local is \"false\": true or false" },
    { "{\"local\":null}", "local is null: true or false" },
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
  g_autofree char *group = g_strnfill (256, 'g');
  g_autofree char *long_group = g_strdup_printf ("{\"group\":\"%s\"}", group);

  g_test_summary ("Wrong texts and members are refused; the message says where and what.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    conf_assert_refused (rows[i].given, rows[i].expected);
  conf_assert_refused (long_group, "group is \"ggg");
}

static void
test_ports (void)
{
  static const char *const wrong[] = {
    "65536", "70000", "-1", "0", "-0", "1000000000", "1e9", "1e3", "99999999999999999999",
    "7777.9", "7777.0", "\"7777\"", "true", "null",
  };
  g_autoptr (AmnesiaConf) conf = conf_assert_read ("[{\"host\":\"a\",\"port\":65535}]");

  g_test_summary ("A port is a whole number from 1 to 65535 and nothing else.");
  conf_assert_peer (conf, 0, "a", 65535);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *json = g_strdup_printf (
        "{\"peers\":[{\"host\":\"a\",\"port\":1},{\"port\":%s,\"host\":\"b\"}]}", wrong[i]);
      g_autofree char *expected = g_strdup_printf (
        "peers[1].port is %s: a whole number from 1 to 65535 is needed", wrong[i]);

      conf_assert_refused (json, expected);
    }
  conf_assert_refused ("[{\"host\":\"a\",\"port\":07777}]", "column 21: a number begins with 0");
  conf_assert_refused ("[{\"host\":\"a\",\"port\":[1]}]", "[0].port is an array");
}

static void
test_bad_hosts (void)
{
  static const ConfRow rows[] = {
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
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();

  g_test_summary ("What cannot be dialled is refused when it is read.");
  for (guint i = 63; i < 254; i += 64)
    name[i] = '.';
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (amnesia_conf_add_peer (conf, rows[i].given, 7777, &error));
      conf_assert_message (error, rows[i].given, rows[i].expected);
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
  g_autoptr (AmnesiaConf) conf = conf_assert_read ("[{\"host\":\"localhost\",\"port\":1},"
                                                   "{\"host\":\"127.0.0.1\",\"port\":1},"
                                                   "{\"host\":\"localhost\",\"port\":2}]");
  g_autoptr (GError) error = NULL;

  g_test_summary ("The same host and port twice is refused, however the host is written.");
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 3);
  conf_assert_refused ("{\"peers\":[{\"host\":\"a\",\"port\":1},"
                       "{\"host\":\"localhost\",\"port\":1},{\"host\":\"LOCALHOST.\",\"port\":1}]}",
                       "peers[2] is host \"localhost\" and port 1, as peers[1] is");
  conf_assert_refused ("[{\"host\":\"127.0.0.1\",\"port\":1},{\"host\":\"::ffff:127.0.0.1\","
                       "\"port\":1}]", "[1] is host \"127.0.0.1\" and port 1, as [0] is");
  conf_assert_refused ("[{\"host\":\"FD00::1\",\"port\":1},{\"host\":\"fd00:0::1\",\"port\":1}]",
                       "[1] is host");
  conf_assert_refused ("[{\"host\":\"bücher.example\",\"port\":1},"
                       "{\"host\":\"xn--bcher-kva.example\",\"port\":1}]", "[1] is host");

  g_assert_false (amnesia_conf_add_peer (conf, "127.0.0.1", 1, &error));
  conf_assert_message (error, "127.0.0.1",
                       "peers[3] is host \"127.0.0.1\" and port 1, as peers[1]");
}

static void
test_limits (void)
{
  g_autofree char *fits = conf_repeat ("{\"host\":\"host-#.example\",\"port\":7777}", 256);
  g_autofree char *too_many = conf_repeat ("{\"host\":\"host-#.example\",\"port\":7777}", 1000);
  g_autofree char *ranges = conf_repeat ("\"10.0.#.0/24\"", 64);
  g_autofree char *full = g_strdup_printf ("{\"allow\":[%s],\"peers\":[%s]}", ranges, fits);
  g_autofree char *many = g_strdup_printf ("[%s]", too_many);
  g_autofree char *many_ranges = g_strdup_printf ("{\"allow\":[%s,\"::/0\"]}", ranges);
  g_autoptr (AmnesiaConf) conf = conf_assert_read (full);
  g_autofree char *spaces = g_strnfill (65536 - strlen (full), ' ');
  g_autofree char *largest = g_strconcat (full, spaces, NULL);
  g_autofree char *too_large = g_strconcat (largest, " ", NULL);
  g_autoptr (AmnesiaConf) large = conf_assert_read (largest);

  g_test_summary ("256 peers, 64 ranges and 64 KiB are possible, one more is not.");
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), ==, 256);
  g_assert_cmpuint (amnesia_conf_get_allow (conf)->len, ==, 64);
  g_assert_cmpuint (amnesia_conf_get_n_peers (large), ==, 256);
  conf_assert_refused (many, "[256] is one too many: at most 256");
  conf_assert_refused (many_ranges, "allow[64] is one too many: at most 64");
  conf_assert_refused (too_large, "the configuration has 65537 bytes: at most 65536");
}

/* As many entries as there may be are dialled, whoever is there. */
static void
test_largest (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (256);
  AmnesiaStore *store = test_store (conf);

  g_test_summary ("A member with 256 entries opens, finds its own, and links with who is there.");
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_ALONE);
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (store)), ==, 255);
  {
    AmnesiaStore *other = test_store (conf);

    test_wait_linked (store, 1);
    test_set (store, "'seen'");
    test_until (test_has_data (other, "'seen'"));
    test_free_store (other);
  }
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conf/C1-texts", test_texts);
  g_test_add_func ("/conf/C2-ports", test_ports);
  g_test_add_func ("/conf/C3-hosts", test_bad_hosts);
  g_test_add_func ("/conf/C4-duplicates", test_duplicates);
  g_test_add_func ("/conf/C5-members", test_members);
  g_test_add_func ("/conf/C9-limits", test_limits);
  g_test_add_func ("/conf/C9-largest", test_largest);
  return g_test_run ();
}
