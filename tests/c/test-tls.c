/* SPDX-License-Identifier: MIT */

/* Members with certificates of one authority, and what comes to them that has none. */

#include "local-lib.h"
#include "raw-peer.h"
#include "tls-lib.h"

#include <string.h>

#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
/* What is measured is what the library costs, not what looks for its faults. */
#define PATIENCE 10
#else
#define PATIENCE 1
#endif

#define N_STALLED 50
#define N_DRIBBLING 10

static void
test_good (void)
{
  AmnesiaStore *a = tls_store ("member", 2);
  AmnesiaStore *b = tls_store ("other", 2);
  g_autofree char *status = NULL;

  g_test_summary ("Two members with certificates of one authority share a value");
  test_set (a, "{'a': <1>}");
  local_wait_way (a, 1, AMNESIA_WAY_TLS);
  local_wait_way (b, 0, AMNESIA_WAY_TLS);
  local_assert_shared (a, b);
  g_object_get (test_find_peer (a, test_port (1)), "status", &status, NULL);
  g_assert_nonnull (strstr (status, "by TLS"));
  test_close_store (a);
  test_close_store (b);
}

static void
test_close (void)
{
  AmnesiaStore *a = tls_store ("member", 2);
  AmnesiaStore *b = tls_store ("other", 2);
  g_autoptr (GError) error = NULL;
  TestDiary *diary;

  g_test_summary ("What was set right before the closing arrives, and the end is one in order");
  local_wait_way (b, 0, AMNESIA_WAY_TLS);
  diary = test_diary_new (b);
  test_set (a, "'last'");
  g_assert_true (amnesia_store_close_sync (a, NULL, &error));
  g_assert_no_error (error);
  test_until (test_has_data (b, "'last'"));
  test_until (test_n_linked (b) == 0);
  g_assert_cmpuint (test_diary_count_log (diary, "*disconnected"), ==, 1);
  g_assert_cmpuint (test_diary_count_log (diary, "*disconnected, *"), ==, 0);
  test_diary_free (diary);
  test_free_store (a);
  test_close_store (b);
}

/* --- large values --- */

static GVariant *
make_large (guint8 seed)
{
  gsize size = 15 * 1024 * 1024 + 7, i;
  guint8 *bytes = g_malloc (size);

  for (i = 0; i < size; i++)
    bytes[i] = (guint8) (seed + i * 7 + (i >> 8));
  return g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE ("ay"), bytes, size, TRUE,
                                                      g_free, bytes));
}

static gboolean
has_large (AmnesiaStore *store,
           GVariant     *value)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (store);

  return data != NULL && g_variant_equal (data, value);
}

static void
test_large (void)
{
  AmnesiaStore *a = tls_store ("member", 2);
  AmnesiaStore *b = tls_store ("other", 2);
  g_autoptr (GVariant) first = make_large (1);
  g_autoptr (GVariant) second = make_large (2);

  g_test_summary ("Values of many records arrive whole, in both directions, also at the same time");
  local_wait_way (a, 1, AMNESIA_WAY_TLS);
  amnesia_store_set_data (a, first);
  test_until (has_large (b, first));
  amnesia_store_set_data (b, second);
  test_until (has_large (a, second));
  amnesia_store_set_data (b, first);
  test_let_millisecond_pass ();
  amnesia_store_set_data (a, second);
  test_until (has_large (b, second) && has_large (a, second));
  test_close_store (a);
  test_close_store (b);
}

/* --- who does not mean it --- */

/* What a client says first, of TLS 1.3, as another one has said it. */
static GBytes *
record_client_hello (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store;
  g_autoptr (AmnesiaConf) conf = tls_conf ("member", 2);
  guint8 bytes[2048];
  gssize got;
  GSocket *socket = NULL;

  store = test_new_store (conf);
  while (socket == NULL)
    {
      g_main_context_iteration (NULL, FALSE);
      g_socket_set_blocking (door->socket, FALSE);
      socket = g_socket_accept (door->socket, NULL, NULL);
    }
  g_socket_set_blocking (socket, FALSE);
  while ((got = g_socket_receive (socket, (char *) bytes, sizeof bytes, NULL, NULL)) <= 0)
    g_main_context_iteration (NULL, FALSE);
  g_object_unref (socket);
  test_free_store (store);
  g_assert_cmpint (bytes[0], ==, 22);
  return g_bytes_new (bytes, (gsize) got);
}

typedef struct
{
  GPtrArray *peers; /* (owned) (element-type RawPeer) */
  GBytes    *hello; /* (owned) */
  gsize      sent;  /* by those who dribble */
} Crowd;

static gboolean
dribble_cb (gpointer user_data)
{
  Crowd *crowd = user_data;
  const guint8 *bytes = g_bytes_get_data (crowd->hello, NULL);
  guint i;

  for (i = N_STALLED; i < N_STALLED + N_DRIBBLING; i++)
    g_socket_send (((RawPeer *) g_ptr_array_index (crowd->peers, i))->socket,
                   (const char *) bytes + crowd->sent, 1, NULL, NULL);
  crowd->sent++;
  return G_SOURCE_CONTINUE;
}

static guint
count_closed (Crowd *crowd)
{
  guint i, n = 0;

  for (i = 0; i < crowd->peers->len; i++)
    n += ((RawPeer *) g_ptr_array_index (crowd->peers, i))->closed;
  return n;
}

typedef struct
{
  gint64 begun;
  gint64 took;
} Query;

static void
queried_cb (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  Query *query = user_data;
  g_autoptr (GFileInfo) info = g_file_query_info_finish (G_FILE (source), result, NULL);

  g_assert_nonnull (info);
  query->took = g_get_monotonic_time () - query->begun;
}

static void
begin_query (Query *query)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");

  *query = (Query) { .begun = g_get_monotonic_time () };
  g_file_query_info_async (file, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE,
                           G_PRIORITY_DEFAULT, NULL, queried_cb, query);
}

/* @n_silent: how many say what a client of TLS says, and no more, so that a thread waits for them. */
static void
besiege (guint n_stalled,
         guint n_dribbling,
         guint n_silent)
{
  Crowd crowd = { g_ptr_array_new_with_free_func ((GDestroyNotify) raw_peer_free),
                  record_client_hello () };
  AmnesiaStore *a = tls_store ("member", 1), *b;
  /* a guest, as who is listed would be dialled */
  g_autoptr (AmnesiaConf) conf = tls_conf ("other", 1);
  gsize size;
  const void *bytes = g_bytes_get_data (crowd.hello, &size);
  guint i, id;
  gint64 begun;
  Query query;

  test_set (a, "'there'");
  for (i = 0; i < n_stalled + n_dribbling + n_silent; i++)
    g_ptr_array_add (crowd.peers, raw_peer_connect (0));
  for (i = n_stalled + n_dribbling; i < crowd.peers->len; i++)
    raw_peer_send_bytes (g_ptr_array_index (crowd.peers, i), bytes, size);
  id = n_dribbling > 0 ? g_timeout_add (50, dribble_cb, &crowd) : 0;
  test_pass_time (300);
  begun = g_get_monotonic_time ();
  begin_query (&query);
  b = test_store (conf);
  test_until (test_has_data (b, "'there'"));
  g_test_message ("synced after %.0f ms, %u have gone",
                  (g_get_monotonic_time () - begun) / 1000.0, count_closed (&crowd));
  g_assert_cmpint (g_get_monotonic_time () - begun, <,
                   2 * G_TIME_SPAN_SECOND * PATIENCE * test_slowness ());
  test_until (query.took > 0);
  g_test_message ("query after %.0f ms", query.took / 1000.0);
  g_assert_cmpint (query.took, <,
                   200 * G_TIME_SPAN_MILLISECOND * PATIENCE * test_slowness ());
  test_until (count_closed (&crowd) == crowd.peers->len);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 8 * G_TIME_SPAN_SECOND * test_slowness ());
  g_assert_cmpuint (test_n_linked (a), ==, 1);
  if (id != 0)
    g_source_remove (id);
  g_ptr_array_unref (crowd.peers);
  g_bytes_unref (crowd.hello);
  test_close_store (b);
  test_close_store (a);
}

static void
test_stalled (void)
{
  g_test_summary ("Who says nothing, or a byte now and then, keeps nobody out, and is sent away");
  besiege (N_STALLED, N_DRIBBLING, 0);
}

static void
test_silent (void)
{
  g_test_summary ("Who begins a handshake, and says no more, keeps nobody out either");
  besiege (0, 0, N_STALLED);
}

/* --- plain text --- */

static char *
get_last_error (AmnesiaStore *store,
                guint         index)
{
  const GError *error = amnesia_peer_get_last_error (test_find_peer (store, test_port (index)));

  return error != NULL ? g_strdup (error->message) : g_strdup ("");
}

static gboolean
says (AmnesiaStore *store,
      guint         index,
      const char   *text)
{
  g_autofree char *message = get_last_error (store, index);

  return strstr (message, text) != NULL;
}

static void
test_plain (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *encrypted = tls_store ("member", 2), *plain;

  g_test_summary ("A member with TLS and one without refuse each other, and both say why");
  amnesia_conf_set_local (conf, FALSE);
  plain = test_store (conf);
  test_set (encrypted, "'secret'");
  test_set (plain, "'plain'");
  test_until (says (plain, 0, "it uses TLS, and this store does not"));
  test_until (says (encrypted, 1, "it does not use TLS, and this store does"));
  test_assert_data (plain, "'plain'");
  test_assert_data (encrypted, "'secret'");
  test_close_store (plain);
  test_close_store (encrypted);
}

/* All that is sent to who speaks plain text is that this is no way to talk. */
static void
test_nothing_leaks (void)
{
  AmnesiaStore *store = tls_store ("member", 2);
  RawPeer *peer;

  g_test_summary ("Who speaks plain text gets an alert, and not a byte of the value");
  test_set (store, "'secret'");
  peer = raw_peer_connect (0);
  raw_peer_greet (peer, 7, 1);
  raw_peer_wait_closed (peer);
  g_assert_cmpuint (peer->n_bytes, ==, 7);
  raw_peer_free (peer);
  test_close_store (store);
}

/* --- main --- */

static void
make_certificates (void)
{
  g_autofree char *alternatives = g_strdup_printf ("DNS:member.example,IP:%s", test_host ());

  tls_make_authority ("authority");
  tls_make ("member", "authority", alternatives);
  tls_make ("other", "authority", alternatives);
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
  make_certificates ();
  g_test_add_func ("/tls/good", test_good);
  g_test_add_func ("/tls/close", test_close);
  g_test_add_func ("/tls/large", test_large);
  g_test_add_func ("/tls/stalled", test_stalled);
  g_test_add_func ("/tls/silent", test_silent);
  g_test_add_func ("/tls/plain", test_plain);
  g_test_add_func ("/tls/nothing-leaks", test_nothing_leaks);
  result = g_test_run ();
  tls_end ();
  return result;
}
