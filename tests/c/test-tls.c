/* SPDX-License-Identifier: MIT */

#include "local-lib.h"
#include "tls-lib.h"

static void
test_good (void)
{
  AmnesiaStore *a, *b;

  g_test_summary ("Two members with certificates of one authority share a value.");
  a = tls_store ("member", 2);
  b = tls_store ("member", 2);
  test_set (a, "{'a': <1>}");
  local_wait_way (a, 1, AMNESIA_WAY_TLS);
  local_wait_way (b, 0, AMNESIA_WAY_TLS);
  local_assert_shared (a, b);
  test_free_store (a);
  test_free_store (b);
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *alternatives = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  tls_begin ();
  alternatives = g_strdup_printf ("DNS:member.example,IP:%s", test_host ());
  tls_make_authority ("authority");
  tls_make ("member", "authority", alternatives);
  g_test_add_func ("/tls/good", test_good);
  result = g_test_run ();
  tls_end ();
  return result;
}
