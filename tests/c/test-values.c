/* SPDX-License-Identifier: MIT */

/* What may be set, how often, and who owns it: the rows V of the catalogue. */

#include "raw-peer.h"

#include <string.h>

#define MAX_SIZE 2048
#define SMALL_SIZE 1024
#define MANY 10000
#define SECOND G_TIME_SPAN_SECOND

static GVariant *
make_bytes (gsize size)
{
  g_autofree guint8 *bytes = g_malloc0 (size);

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1);
}

/* Two members that are linked and synced. */
typedef struct
{
  AmnesiaStore *a;
  AmnesiaStore *b;
} Pair;

static void
pair_init (Pair *pair)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);

  pair->a = test_store (conf);
  pair->b = test_store (conf);
  test_wait_linked (pair->a, 1);
  test_wait_state (pair->a, AMNESIA_STATE_SYNCED);
}

static void
pair_clear (Pair *pair)
{
  test_free_store (pair->a);
  test_free_store (pair->b);
}

/* --- V3 --- */

static void
test_sizes (void)
{
  static const struct
  {
    const char *type; /* of as many bytes as the row says */
    gsize       size;
    gboolean    accepted;
  } rows[] = {
    { "ay", 0, TRUE }, { "ay", MAX_SIZE - 1, TRUE }, { "ay", MAX_SIZE, TRUE },
    { "ay", MAX_SIZE + 1, FALSE }, { "s", MAX_SIZE - 1, TRUE }, { "s", MAX_SIZE, TRUE },
    { "s", MAX_SIZE + 1, FALSE }, { "ay", 64 * MAX_SIZE, FALSE },
  };
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = amnesia_store_new ();
  guint i;

  g_test_summary ("A value may have max-size bytes and not one more, whatever its type");

  amnesia_conf_set_max_size (conf, MAX_SIZE);
  amnesia_store_set_conf (store, conf);
  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strnfill (MAX (rows[i].size, 1) - 1, 'x');
      GVariant *value = rows[i].type[0] == 's' ? g_variant_new_string (text)
                                               : make_bytes (rows[i].size);

      g_test_message ("%s of %" G_GSIZE_FORMAT, rows[i].type, rows[i].size);
      g_assert_cmpint (amnesia_store_write (store, value, &error), ==, rows[i].accepted);
      if (!rows[i].accepted)
        g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
    }
  test_free_store (store);
}

static void
test_limits_that_differ (void)
{
  static const gsize sizes[] = { SMALL_SIZE - 1, SMALL_SIZE + 1, SMALL_SIZE, MAX_SIZE, 1 };
  g_autoptr (AmnesiaConf) large = test_conf (2);
  g_autoptr (AmnesiaConf) small = test_conf (2);
  AmnesiaStore *a, *b;
  AmnesiaPeer *peer;
  gsize last = 0;
  guint i;

  g_test_summary ("The smaller member keeps what it had, and takes the next that is small enough");

  amnesia_conf_set_max_size (large, MAX_SIZE);
  amnesia_conf_set_max_size (small, SMALL_SIZE);
  a = test_store (large);
  b = test_store (small);
  test_wait_linked (a, 1);
  peer = test_find_peer (a, test_port (1));
  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      amnesia_store_set_data (a, make_bytes (sizes[i]));
      if (sizes[i] <= SMALL_SIZE)
        last = sizes[i];
      else
        test_until (g_error_matches (amnesia_peer_get_last_error (peer), AMNESIA_ERROR,
                                     AMNESIA_ERROR_TOO_BIG));
      test_wait_data (b, make_bytes (last));
      g_assert_cmpuint (test_n_linked (a), ==, 1);
    }
  test_free_store (a);
  test_free_store (b);
}

static void
test_too_big_all_the_same (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store;
  gsize size;

  g_test_summary ("Who sends more than the hello allows breaks the protocol; up to it he does not");

  amnesia_conf_set_max_size (conf, SMALL_SIZE);
  store = test_store (conf);
  for (size = SMALL_SIZE - 1; size <= SMALL_SIZE + 1; size++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);
      g_autoptr (GVariant) value = g_variant_ref_sink (make_bytes (size));
      g_autoptr (AmnesiaEntry) entry = amnesia_entry_new ("", raw_stamp (0), size, value, NULL, 0);

      raw_peer_greet (raw, size, 0);
      raw_peer_send_write (raw, entry);
      if (size > SMALL_SIZE)
        raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*");
      else
        test_wait_data (store, make_bytes (size));
      test_pass_time (2);
    }
  test_wait_data (store, make_bytes (SMALL_SIZE));
  test_free_store (store);
}

/* --- V5 and V8: who lives how long --- */

/* How many values are alive that make_counted() has made. */
static guint n_alive;
static guint most_alive;

static void
counted_free (gpointer bytes)
{
  n_alive--;
  g_free (bytes);
}

/* Returns a floating value of type `ay`. */
static GVariant *
make_counted (guint number,
              gsize size)
{
  guint8 *bytes = g_malloc0 (size);

  memcpy (bytes, &number, sizeof number);
  n_alive++;
  most_alive = MAX (most_alive, n_alive);
  return g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, bytes, size, TRUE, counted_free,
                                  bytes);
}

static void
test_floating (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GVariant) same = NULL;

  g_test_summary ("A floating value is sunk on every path, and goes when the next one comes");

  g_assert_cmpuint (n_alive, ==, 0);
  amnesia_store_set_data (store, make_counted (1, 8));
  g_assert_cmpuint (n_alive, ==, 1);
  g_object_set (store, "data", make_counted (2, 8), NULL);
  g_assert_cmpuint (n_alive, ==, 1);
  g_assert_true (amnesia_store_write (store, make_counted (3, 8), NULL));
  g_assert_cmpuint (n_alive, ==, 1);
  g_assert_false (amnesia_store_write (store, make_counted (4, 17 * 1024 * 1024), NULL));
  amnesia_store_set_data (store, make_counted (5, 17 * 1024 * 1024));
  g_assert_cmpuint (n_alive, ==, 1);

  same = g_variant_ref_sink (make_counted (6, 8));
  amnesia_store_set_data (store, same);
  amnesia_store_set_data (store, same);
  g_assert_cmpuint (n_alive, ==, 1);
  amnesia_store_set_data (store, NULL);
  g_clear_pointer (&same, g_variant_unref);
  g_assert_cmpuint (n_alive, ==, 0);

  amnesia_store_set_data (store, make_counted (7, 8));
  test_free_store (store);
  g_assert_cmpuint (n_alive, ==, 0);
}

static void
test_equal_everywhere (void)
{
  Pair pair;
  g_autoptr (TestDiary) diary = NULL;
  g_autoptr (GDateTime) here = NULL;
  g_autoptr (GDateTime) there = NULL;

  g_test_summary ("Setting an equal value moves `updated` everywhere, and nothing else");

  pair_init (&pair);
  test_set (pair.a, "'x'");
  test_until (test_has_data (pair.b, "'x'"));
  test_drain ();
  diary = test_diary_new (pair.b);
  test_pass_time (3);
  test_set (pair.a, "'x'");
  test_until (test_diary_has (diary, "updated"));
  test_assert_diary (diary, "updated", NULL);
  here = amnesia_store_get_updated (pair.a);
  there = amnesia_store_get_updated (pair.b);
  g_assert_true (g_date_time_equal (here, there));
  pair_clear (&pair);
}

static void
count_cb (AmnesiaStore *store,
          GVariant     *old_value,
          GVariant     *new_value,
          gboolean      remote,
          guint        *count)
{
  (*count)++;
}

static guint32
get_number (AmnesiaStore *store)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (store);
  guint32 number = 0;

  if (data != NULL)
    memcpy (&number, g_variant_get_data (data), sizeof number);
  return number;
}

static void
test_ten_thousand (void)
{
  Pair pair;
  guint n_here = 0, n_there = 0, i;

  g_test_summary ("10,000 sets in one turn: each is told here, peers get the newest, and none stays");

  pair_init (&pair);
  g_signal_connect (pair.a, "changed", G_CALLBACK (count_cb), &n_here);
  g_signal_connect (pair.b, "changed", G_CALLBACK (count_cb), &n_there);
  most_alive = 0;
  for (i = 1; i <= MANY; i++)
    amnesia_store_set_data (pair.a, make_counted (i, 64 * 1024));
  g_assert_cmpuint (n_here, ==, MANY);
  /* the present one, the one in flight, and one of each in the making */
  g_assert_cmpuint (most_alive, <=, 4);
  test_until (get_number (pair.b) == MANY);
  g_assert_cmpuint (n_there, <=, 2);
  g_assert_cmpuint (n_here, ==, MANY);
  pair_clear (&pair);
  g_assert_cmpuint (n_alive, ==, 0);
}

/* --- V6 --- */

static void
test_memory_that_changes (void)
{
  static char memory[] = "before";
  g_autoptr (GBytes) bytes = g_bytes_new_static (memory, sizeof memory);
  Pair pair;

  g_test_summary ("Who changes the memory of a value does not change what others have got");

  pair_init (&pair);
  amnesia_store_set_data (pair.a, g_variant_new_from_bytes (G_VARIANT_TYPE_STRING, bytes, FALSE));
  test_until (test_has_data (pair.b, "'before'"));
  memcpy (memory, "misuse", sizeof memory);
  test_pass_time (2500); /* longer than from one heartbeat to the next */
  test_assert_data (pair.b, "'before'");
  g_assert_cmpuint (test_n_linked (pair.a), ==, 1);

  test_set (pair.a, "'after'");
  test_until (test_has_data (pair.b, "'after'"));
  pair_clear (&pair);
}

/* --- V7 --- */

static void
test_unset_against_set (void)
{
  Pair pair;
  guint round, n_unset = 0;

  g_test_summary ("Of an unset and a set at the same moment one wins, and the same on both sides");

  pair_init (&pair);
  for (round = 0; round < 60; round++)
    {
      g_autofree char *text = g_strdup_printf ("uint32 %u", round);
      g_autoptr (GDateTime) here = NULL;
      g_autoptr (GDateTime) there = NULL;

      test_set (pair.a, "'between'");
      test_until (test_has_data (pair.b, "'between'"));
      amnesia_store_set_data (round % 2 ? pair.a : pair.b, NULL);
      test_set (round % 2 ? pair.b : pair.a, text);
      test_until (amnesia_peer_get_in_sync (test_find_peer (pair.a, test_port (1))) &&
                  amnesia_peer_get_in_sync (test_find_peer (pair.b, test_port (0))));
      test_drain ();
      g_assert_true (test_has_data (pair.a, NULL) || test_has_data (pair.a, text));
      g_assert_cmpint (test_has_data (pair.a, NULL), ==, test_has_data (pair.b, NULL));
      here = amnesia_store_get_updated (pair.a);
      there = amnesia_store_get_updated (pair.b);
      g_assert_true (g_date_time_equal (here, there));
      n_unset += test_has_data (pair.a, NULL);
    }
  g_test_message ("%u of %u times it was unset", n_unset, round);
  pair_clear (&pair);
}

/* --- V10 --- */

typedef struct
{
  GVariant *least; /* (owned) what the handler will have */
  guint     n;
} Clamp;

static void
clamp_cb (AmnesiaStore *store,
          GVariant     *old_value,
          GVariant     *new_value,
          gboolean      remote,
          Clamp        *clamp)
{
  if (g_variant_equal (new_value, clamp->least))
    return;
  clamp->n++;
  amnesia_store_set_data (store, clamp->least);
}

static gboolean
tick_cb (gpointer user_data)
{
  (*(guint *) user_data)++;
  return G_SOURCE_CONTINUE;
}

static void
test_ping_pong (void)
{
  Pair pair;
  g_autoptr (GVariant) one = g_variant_ref_sink (g_variant_new_int32 (1));
  g_autoptr (GVariant) two = g_variant_ref_sink (g_variant_new_int32 (2));
  Clamp clamps[2] = { { one, 0 }, { two, 0 } };
  g_autoptr (TestDiary) here = NULL;
  g_autoptr (TestDiary) there = NULL;
  guint n_ticks = 0, id;

  g_test_summary ("Two handlers that answer each other: one answer each, one warning, others live on");

  if (test_skip_if_slow ("the warning comes after 100 answers within a second"))
    return;
  pair_init (&pair);
  here = test_diary_new (pair.a);
  there = test_diary_new (pair.b);
  g_signal_connect (pair.a, "changed", G_CALLBACK (clamp_cb), &clamps[0]);
  g_signal_connect (pair.b, "changed", G_CALLBACK (clamp_cb), &clamps[1]);
  id = g_timeout_add (10, tick_cb, &n_ticks);
  test_set (pair.a, "1");
  test_pass_time (1500);
  g_test_message ("%u and %u answers in 1.5 s, %u ticks", clamps[0].n, clamps[1].n, n_ticks);
  g_assert_cmpuint (clamps[0].n, >, 100);
  g_assert_cmpint (ABS ((int) clamps[0].n - (int) clamps[1].n), <=, 1);
  g_assert_cmpuint (n_ticks, >, 5); /* of 150, on a machine that has more to do */
  g_assert_cmpuint (test_diary_count_log (here, "*“changed”*"), ==, 1);
  g_assert_cmpuint (test_diary_count_log (there, "*“changed”*"), ==, 1);

  g_signal_handlers_disconnect_by_func (pair.b, clamp_cb, &clamps[1]);
  test_set (pair.a, "1");
  test_until (test_has_data (pair.b, "1"));
  g_source_remove (id);
  pair_clear (&pair);
}

/* --- V11 --- */

static void
test_types (void)
{
  static const char *const texts[] = {
    "1", "'s'", "{'a': <1>}", "{'a': 1}", "@ay []", "[<1>]", "<<@mv nothing>>", "1.5", NULL,
    "(1, 's')", "@mi nothing", "int64 1", "true", "()", "objectpath '/a'", "@a{sv} {}", "byte 0x01",
  };
  Pair pair;
  guint i;

  g_test_summary ("The type may change from write to write, and is the same everywhere");

  pair_init (&pair);
  for (i = 0; i < 3 * G_N_ELEMENTS (texts); i++)
    {
      const char *text = texts[i * 5 % G_N_ELEMENTS (texts)];
      g_autoptr (GVariant) value = text != NULL ? test_value (text) : NULL;
      g_autoptr (GVariant) got = NULL;

      amnesia_store_set_data (i % 2 ? pair.a : pair.b, value);
      test_wait_data (i % 2 ? pair.b : pair.a, value);
      got = amnesia_store_get_data (i % 2 ? pair.b : pair.a);
      if (value != NULL)
        g_assert_cmpstr (g_variant_get_type_string (got), ==, g_variant_get_type_string (value));
    }
  pair_clear (&pair);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/values/V3-sizes", test_sizes);
  g_test_add_func ("/values/V3-limits-that-differ", test_limits_that_differ);
  g_test_add_func ("/values/V3-too-big-all-the-same", test_too_big_all_the_same);
  g_test_add_func ("/values/V5-floating", test_floating);
  g_test_add_func ("/values/V5-equal-everywhere", test_equal_everywhere);
  g_test_add_func ("/values/V6-memory-that-changes", test_memory_that_changes);
  g_test_add_func ("/values/V7-unset-against-set", test_unset_against_set);
  g_test_add_func ("/values/V8-ten-thousand", test_ten_thousand);
  g_test_add_func ("/values/V10-ping-pong", test_ping_pong);
  g_test_add_func ("/values/V11-types", test_types);
  return g_test_run ();
}
