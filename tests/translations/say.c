/* SPDX-License-Identifier: MIT */

/* Says what users read, in the language of the environment: a line per message, with its name and a
 * tab before it. say.py and say.js say the same, but what no program outside can reach. */

#include "../c/testlib.h"

#include "amnesia-peer-status-private.h"
#include "replica/amnesia-value-private.h"

#include <libintl.h>
#include <locale.h>
#include <stdio.h>

#define N_ENTRIES 257

static void
say (const char *name,
     const char *message)
{
  g_assert_true (g_utf8_validate (message, -1, NULL));
  printf ("%s\t%s\n", name, message);
}

static void
say_error (const char *name,
           GError     *error)
{
  g_assert_nonnull (error);
  say (name, error->message);
  g_error_free (error);
}

static void
say_conf (const char *name,
          const char *json)
{
  GError *error = NULL;

  g_assert_null (amnesia_conf_new_from_json (json, &error));
  say_error (name, error);
}

static void
say_conf_errors (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (N_ENTRIES - 1);
  GError *error = NULL;

  say_conf ("conf-port", "[{\"host\": \"::1\", \"port\": 0}]");
  say_conf ("conf-missing", "[{\"host\": \"::1\", \"port\": 1}, {\"port\": 2}]");
  say_conf ("conf-host", "[{\"host\": \"[::1]\", \"port\": 1}]");
  g_assert_false (amnesia_conf_add_peer (conf, test_host (), 1, &error));
  say_error ("conf-full", error);
}

static void
say_json_errors (void)
{
  g_autoptr (GVariant) infinite = g_variant_ref_sink (g_variant_new_double (G_MAXDOUBLE * 10));
  GError *error = NULL;

  g_assert_null (amnesia_from_json ("[1,\n 2 3]", &error));
  say_error ("json-place", error);
  error = NULL;
  g_assert_null (amnesia_from_json ("01", &error));
  say_error ("json-zero", error);
  error = NULL;
  g_assert_null (amnesia_to_json (infinite, &error));
  say_error ("json-infinite", error);
}

static void
say_value_errors (void)
{
  g_autoptr (AmnesiaStore) store = amnesia_store_new ();
  GError *error = NULL;

  g_assert_false (amnesia_store_write (store, g_variant_new_handle (0), &error));
  say_error ("value-handle", error);
  error = NULL;
  g_assert_false (amnesia_store_set_key (store, "", g_variant_new_int32 (1), &error));
  say_error ("key-length", error);
  error = NULL;
  g_assert_false (amnesia_store_open_sync (store, NULL, &error));
  say_error ("store-without-conf", error);
}

/* Numbers in their forms; with one there is nothing that a program could set. */
static void
say_sizes (void)
{
  g_autoptr (GVariant) byte = g_variant_ref_sink (g_variant_new_byte (1));
  g_autoptr (GVariant) word = g_variant_ref_sink (g_variant_new_int16 (1));
  GError *error = NULL;

  g_assert_false (amnesia_value_check (byte, 0, &error));
  say_error ("size-1", error);
  error = NULL;
  g_assert_false (amnesia_value_check (word, 1, &error));
  say_error ("size-2", error);
}

static void
say_status (const char *name,
            AmnesiaWay  way,
            gint64      round_trip)
{
  AmnesiaPeerFacts facts = { AMNESIA_PEER_STATE_CONNECTED, way, TRUE, round_trip, NULL };
  AmnesiaPeerStatus status = { NULL };

  amnesia_peer_status_init (&status);
  g_assert_true (amnesia_peer_status_update (&status, &facts, 1));
  say (name, status.text);
  amnesia_peer_status_clear (&status);
}

static void
say_away (void)
{
  g_autoptr (GError) error = g_error_new_literal (AMNESIA_ERROR, AMNESIA_ERROR_FAILED, "x");
  AmnesiaPeerFacts facts = { AMNESIA_PEER_STATE_AWAY, AMNESIA_WAY_TCP, FALSE, -1, error };
  AmnesiaPeerStatus status = { NULL };

  amnesia_peer_status_init (&status);
  g_assert_true (amnesia_peer_status_update (&status, &facts, 1));
  say ("away", status.text);
  amnesia_peer_status_clear (&status);
}

/* How things stand, how long it takes, and the way: with the first heartbeat all is known. */
static gboolean
says_all (AmnesiaPeer *peer)
{
  g_auto (GStrv) parts = g_strsplit (amnesia_peer_get_status (peer), ", ", -1);

  return g_strv_length (parts) == 3;
}

/* Two that are linked indeed. */
static void
say_linked (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);

  test_wait_linked (a, 1);
  test_set (a, "{'x': <1>}");
  test_until (test_has_data (b, "{'x': <1>}"));
  test_until (says_all (test_find_peer (a, test_port (1))));
  say ("linked", amnesia_peer_get_status (test_find_peer (a, test_port (1))));
  test_free_store (a);
  test_free_store (b);
}

int
main (void)
{
  setlocale (LC_ALL, "");
  bindtextdomain ("libamnesia", g_getenv ("AMNESIA_TRANSLATIONS"));
  say_conf_errors ();
  say_json_errors ();
  say_value_errors ();
  say_sizes ();
  say_status ("status-quick", AMNESIA_WAY_LOCAL, 20);
  say_status ("status-tenths", AMNESIA_WAY_TLS, 230);
  say_status ("status-whole", AMNESIA_WAY_TCP, 12345);
  say_status ("status-seconds", AMNESIA_WAY_TCP, 1500000);
  say_away ();
  say_linked ();
  return 0;
}
