/* SPDX-License-Identifier: MIT */

#include "testlib.h"

static void
test_two (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b;

  g_test_summary ("Two members share a value, both ways");

  g_assert_cmpint (amnesia_store_get_state (a), ==, AMNESIA_STATE_ALONE);
  amnesia_store_set_data (a, g_variant_new_int64 (1));
  b = test_store (conf);
  g_assert_cmpint (amnesia_store_get_state (b), ==, AMNESIA_STATE_SYNCED);
  test_assert_data (b, "int64 1");
  amnesia_store_set_data (b, g_variant_new_int64 (2));
  test_wait_data (a, g_variant_new_int64 (2));
  g_assert_cmpuint (test_n_linked (a), ==, 1);
  g_assert_cmpuint (test_n_linked (b), ==, 1);
  test_free_store (a);
  test_free_store (b);
}

static void
test_four (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (4);
  AmnesiaStore *stores[4];
  guint i;

  for (i = 0; i < 4; i++)
    {
      stores[i] = amnesia_store_new ();
      amnesia_store_set_conf (stores[i], conf);
    }
  amnesia_store_set_data (stores[2], g_variant_new_int64 (2));
  for (i = 0; i < 4; i++)
    test_wait_state (stores[i], AMNESIA_STATE_SYNCED);
  for (i = 0; i < 4; i++)
    {
      test_wait_linked (stores[i], 3);
      test_wait_data (stores[i], g_variant_new_int64 (2));
      g_test_message ("%s", amnesia_store_get_listening (stores[i]));
    }
  for (i = 0; i < 4; i++)
    test_free_store (stores[i]);
}

static void
test_newest (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  guint i;

  g_test_summary ("Who is synced has the newest value, though another one answered first");

  for (i = 0; i < 20; i++)
    {
      AmnesiaStore *empty = test_store (conf);
      AmnesiaStore *full = test_store (conf);
      AmnesiaStore *late;

      amnesia_store_set_data (full, g_variant_new_int64 (i));
      late = test_store (conf);
      g_assert_cmpint (amnesia_store_get_state (late), ==, AMNESIA_STATE_SYNCED);
      {
        g_autoptr (GVariant) data = amnesia_store_get_data (late);

        g_assert_nonnull (data);
        g_assert_cmpint (g_variant_get_int64 (data), ==, i);
      }
      test_free_store (empty);
      test_free_store (full);
      test_free_store (late);
    }
}

static void
test_close (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (GError) error = NULL;
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = amnesia_store_new ();

  amnesia_store_set_conf (b, conf);
  amnesia_store_set_data (b, g_variant_new_int64 (1));
  amnesia_store_close_sync (b, NULL, &error);
  g_assert_no_error (error);
  test_assert_data (a, "int64 1");
  test_free_store (a);
  test_free_store (b);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mesh/P10-two", test_two);
  g_test_add_func ("/mesh/four", test_four);
  g_test_add_func ("/mesh/newest", test_newest);
  g_test_add_func ("/mesh/close", test_close);
  return g_test_run ();
}
