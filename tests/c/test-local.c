/* SPDX-License-Identifier: MIT */

#include "local-lib.h"

static void
assert_shared (AmnesiaStore *a,
               AmnesiaStore *b)
{
  test_set (a, "'from a'");
  test_until (test_has_data (b, "'from a'"));
  test_set (b, "'from b'");
  test_until (test_has_data (a, "'from b'"));
}

static void
test_way (void)
{
  AmnesiaStore *a, *b;

  g_test_summary ("Members of one machine find each other by Unix socket, and leave no TCP link");

  local_begin ();
  a = local_new_store (2, TRUE);
  b = local_new_store (2, TRUE);
  local_wait_way (a, 1, AMNESIA_WAY_LOCAL);
  local_wait_way (b, 0, AMNESIA_WAY_LOCAL);
  assert_shared (a, b);
  g_assert_cmpuint (test_n_connections (), ==, 0);
  test_free_store (b);
  test_wait_linked (a, 0);
  test_free_store (a);
  local_end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/local/way", test_way);
  return g_test_run ();
}
