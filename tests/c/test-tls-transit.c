/* SPDX-License-Identifier: MIT */

/* How far a large value is on its way, by each of the ways, between a member and a guest, who is slow: his
 * main context is one of his own, which turns when the test wants it. The member dials nobody, so that
 * there is no second link that could take the place of the first. */

#include "bar.h"
#include "local-lib.h"
#include "tls-lib.h"

#define MIB ((gsize) 1024 * 1024)
#define MAX_SIZE (48 * MIB)
#define STEP_MS 60

typedef AmnesiaConf *(*ConfFunc) (const char *name);

static GMainContext *slow; /* of the guest */

static AmnesiaConf *
make_plain (const char *name)
{
  AmnesiaConf *conf = test_conf (1);

  amnesia_conf_set_local (conf, FALSE);
  return conf;
}

static AmnesiaConf *
make_local (const char *name)
{
  AmnesiaConf *conf = test_conf (1);

  amnesia_conf_set_local (conf, TRUE);
  return conf;
}

static AmnesiaConf *
make_tls (const char *name)
{
  return tls_conf (name, 1);
}

static AmnesiaStore *
new_store (ConfFunc    func,
           const char *name)
{
  g_autoptr (AmnesiaConf) conf = func (name);

  amnesia_conf_set_max_size (conf, MAX_SIZE);
  return test_new_store (conf);
}

static AmnesiaStore *
new_slow_store (ConfFunc func)
{
  AmnesiaStore *store;

  slow = g_main_context_new ();
  g_main_context_push_thread_default (slow);
  store = new_store (func, "other");
  g_main_context_pop_thread_default (slow);
  return store;
}

static void
free_slow_store (AmnesiaStore *store)
{
  g_main_context_push_thread_default (slow);
  g_assert_finalize_object (store);
  while (g_main_context_iteration (slow, FALSE))
    ;
  g_main_context_pop_thread_default (slow);
  g_clear_pointer (&slow, g_main_context_unref);
}

static gboolean
turn_slow (void)
{
  g_main_context_iteration (slow, FALSE);
  return TRUE;
}

static AmnesiaPeer *
get_peer (AmnesiaStore *store)
{
  g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (amnesia_store_get_peers (store), 0);

  return peer;
}

static gboolean
has_way (AmnesiaStore *store,
         AmnesiaWay    way)
{
  AmnesiaPeer *peer = get_peer (store);

  return peer != NULL && amnesia_peer_get_way (peer) == way && amnesia_peer_get_in_sync (peer);
}

static void
set_large (AmnesiaStore *store,
           gsize         size)
{
  guint8 *bytes = g_malloc0 (size);

  amnesia_store_set_data (store, g_variant_new_from_data (G_VARIANT_TYPE ("ay"), bytes, size, TRUE,
                                                          g_free, bytes));
}

static gboolean
has_large (AmnesiaStore *store,
           gsize         size)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (store);

  return data != NULL && g_variant_get_size (data) == size;
}

static void
run_way (ConfFunc   func,
         AmnesiaWay way,
         gsize      size)
{
  AmnesiaStore *a = new_store (func, "member");
  AmnesiaStore *b;
  g_autoptr (Bar) sending = NULL;
  g_autoptr (Bar) receiving = NULL;

  /* the first entry is taken */
  test_wait_state (a, AMNESIA_STATE_ALONE);
  b = new_slow_store (func);

  test_until (turn_slow () && has_way (a, way) && has_way (b, way));
  sending = bar_new (get_peer (a), "sending");
  receiving = bar_new (get_peer (b), "receiving");
  set_large (a, size);
  while (!has_large (b, size))
    {
      test_pass_time (STEP_MS);
      turn_slow ();
      bar_check (sending);
      bar_check (receiving);
    }
  test_until (turn_slow () && bar_check (sending) && bar_check (receiving) && has_way (a, way));
  g_assert_cmpuint (sending->n_parts, >=, 1);
  g_assert_cmpuint (receiving->n_parts, >=, 1);
  g_assert_cmpuint (sending->n_ends, ==, 1);
  g_assert_cmpuint (receiving->n_ends, ==, 1);
  g_clear_pointer (&sending, bar_free);
  g_clear_pointer (&receiving, bar_free);
  free_slow_store (b);
  test_free_store (a);
}

static void
test_tcp (void)
{
  g_test_summary ("By TCP it is seen how far a large value is on its way, on both sides");
  run_way (make_plain, AMNESIA_WAY_TCP, MAX_SIZE);
}

static void
test_local (void)
{
  g_test_summary ("By a Unix socket it is; the kernel has room for 200 KiB there");
  local_begin ();
  run_way (make_local, AMNESIA_WAY_LOCAL, 4 * MIB);
  local_end ();
}

static void
test_tls (void)
{
  g_autofree char *alternatives = NULL;

  g_test_summary ("By TLS it is");
  alternatives = g_strdup_printf ("IP:%s", test_host ());
  tls_begin ();
  tls_make_authority ("authority");
  tls_make ("member", "authority", alternatives);
  tls_make ("other", "authority", alternatives);
  run_way (make_tls, AMNESIA_WAY_TLS, MAX_SIZE);
  tls_end ();
}

int
main (int    argc,
      char **argv)
{
  if (tls_skip_all ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transit/tcp", test_tcp);
  g_test_add_func ("/transit/local", test_local);
  g_test_add_func ("/transit/tls", test_tls);
  return g_test_run ();
}
