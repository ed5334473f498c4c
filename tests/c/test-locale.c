/* SPDX-License-Identifier: MIT */

/* A11: what a program does to its surroundings changes nothing: locale, environment, directory. */

#include "testlib.h"

#include "amnesia-error.h"

#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

static const char *const locales[] = { "de_DE.UTF-8", "tr_TR.UTF-8" };

/* FALSE: the system has no such locale. */
static gboolean
set_locale (const char *name)
{
  if (setlocale (LC_ALL, name) != NULL)
    {
      g_assert_cmpstr (localeconv ()->decimal_point, ==, ",");
      return TRUE;
    }
  g_test_skip ("this locale is not here");
  return FALSE;
}

static void
assert_json (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = amnesia_from_json (text, &error);
  g_autofree char *again = NULL;

  g_assert_no_error (error);
  again = amnesia_to_json (value, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again, ==, text);
}

static void
check_json (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) half = amnesia_from_json ("1.5", &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (g_variant_get_double (half), ==, 1.5);
  assert_json ("1.5");
  assert_json ("[0.1,-1.0,1e+300,5e-324,1234567.25]");
  assert_json ("{\"I\":1,\"İ\":[2.5],\"ı\":\"i\"}");
  g_assert_null (amnesia_from_json ("1,5", &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_JSON);
}

static void
check_conf (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = NULL;
  g_autoptr (AmnesiaConf) bad = NULL;
  const char *host;
  guint port;

  /* in Turkish the small letter of I is ı, and the capital of i is İ */
  conf = amnesia_conf_new_from_json ("{\"peers\": [{\"host\": \"LOCALHOST\", \"port\": 7701}, "
                                     "{\"host\": \"I.EXAMPLE\", \"port\": 7702}], "
                                     "\"clock-limit\": 60, \"max-size\": 2048}", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), ==, 2048);
  g_assert_true (amnesia_conf_get_peer (conf, 0, &host, &port));
  g_assert_cmpstr (host, ==, "localhost");
  g_assert_cmpuint (port, ==, 7701);
  g_assert_true (amnesia_conf_get_peer (conf, 1, &host, &port));
  g_assert_cmpstr (host, ==, "i.example");

  bad = amnesia_conf_new_from_json ("[{\"host\": \"::1\", \"port\": 7777.9}]", &error);
  g_assert_null (bad);
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF);
  g_assert_nonnull (strstr (error->message, "[0].port"));
}

static void
check_store (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  g_autofree char *address = g_strdup_printf ("%s:%u", test_host (), test_port (0));

  g_assert_cmpstr (amnesia_store_get_listening (a), ==, address);
  test_wait_linked (a, 1);
  test_set (a, "{'x': <1.5>, 'I': <1234567>}");
  test_until (test_has_data (b, "{'x': <1.5>, 'I': <1234567>}"));
  g_assert_cmpstr (amnesia_peer_get_host (test_find_peer (b, test_port (0))), ==, test_host ());
  test_until (test_n_connections () == 1);
  test_free_store (a);
  test_free_store (b);
}

static void
test_locale (gconstpointer name)
{
  if (!set_locale (name))
    return;
  check_json ();
  check_conf ();
  check_store ();
  setlocale (LC_ALL, "C.UTF-8");
}

static void
test_in_between (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  guint i;

  g_test_summary ("Locale, environment and directory may change while stores are open");

  test_wait_linked (a, 1);
  for (i = 0; i < 10; i++)
    {
      g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_double (i + 0.5));

      setlocale (LC_ALL, i % 3 < 2 ? locales[i % 3] : "C");
      g_setenv ("http_proxy", "http://127.0.0.1:1", TRUE);
      g_setenv ("TZ", i % 2 ? "Asia/Kathmandu" : "UTC", TRUE);
      g_assert_cmpint (chdir (i % 2 ? "/" : "/tmp"), ==, 0);
      amnesia_store_set_data (i % 2 ? a : b, value);
      test_wait_data (i % 2 ? b : a, value);
      if (i % 4 == 3)
        {
          test_free_store (b);
          b = test_store (conf);
          test_wait_data (b, value);
        }
    }
  setlocale (LC_ALL, "C.UTF-8");
  test_free_store (a);
  test_free_store (b);
}

static void
test_relative_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("amnesia-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "conf.json", NULL);
  g_autoptr (AmnesiaConf) conf = NULL;
  g_autoptr (GError) error = NULL;
  AmnesiaStore *store;

  g_test_summary ("A configuration is read when it is made: where the program goes later is no matter");

  g_assert_true (g_file_set_contents (path, "[{\"host\": \"127.0.0.1\", \"port\": 65500}]", -1,
                                      NULL));
  g_assert_cmpint (chdir (folder), ==, 0);
  conf = amnesia_conf_new_from_file ("conf.json", &error);
  g_assert_no_error (error);
  g_assert_cmpint (chdir ("/"), ==, 0);
  g_remove (path);
  g_rmdir (folder);
  store = amnesia_store_new ();
  amnesia_store_set_conf (store, conf);
  g_assert_cmpuint (amnesia_conf_get_n_peers (amnesia_store_get_conf (store)), ==, 1);
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (locales); i++)
    {
      g_autofree char *path = g_strdup_printf ("/locale/A11-%.2s", locales[i]);

      g_test_add_data_func (path, locales[i], test_locale);
    }
  g_test_add_func ("/locale/A11-in-between", test_in_between);
  g_test_add_func ("/locale/A11-relative-file", test_relative_file);
  return g_test_run ();
}
