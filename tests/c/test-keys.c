/* SPDX-License-Identifier: MIT */

/* Many keys, however they were chosen: what they cost. */

#include "lone-link.h"
#include "raw-peer.h"
#include "small-world.h"

#define MANY (60000 / test_slowness ())
#define ONE_BY_ONE (8000 / test_slowness ())

/* Sixteen letters that say which number it is, and have the same hash (g_str_hash) for each. */
static char *
make_colliding (guint number)
{
  GString *key = g_string_new (NULL);
  int bit;

  for (bit = 15; bit >= 0; bit--)
    g_string_append (key, number & 1u << bit ? "BA" : "Ab");
  return g_string_free (key, FALSE);
}

static void
test_colliding_keys (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  gint64 start;
  guint i;

  g_test_summary ("Keys that were chosen so that their hashes collide cost no more than others");

  for (i = 0; i < MANY; i++)
    {
      g_autofree char *key = make_colliding (i);

      g_ptr_array_add (entries, amnesia_entry_new (key, AMNESIA_STAMP_NORMAL + 1, 77, NULL, NULL, 0));
    }
  start = g_get_monotonic_time ();
  lone_link_feed_list (link, entries);
  g_assert_cmpint (g_get_monotonic_time () - start, <,
                   5 * test_slowness () * G_USEC_PER_SEC); /* 0.05 s; it was 14 s */
  lone_link_free (link);
}

static void
test_many_keys (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  gint64 start;
  guint i;

  g_test_summary ("Sending many keys takes time in proportion to their number");

  for (i = 0; i < MANY; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      amnesia_replica_write (local.replica, world.now.wall / 1000, key, g_variant_new_byte (1));
    }
  lone_link_feed_list (link, none);
  start = g_get_monotonic_time ();
  for (i = 0; i < 1000 + MANY; i++)
    {
      g_auto (AmnesiaPacket) packet = { 0 };

      if (!amnesia_link_pull (link, world.now, &packet, NULL))
        break;
      g_assert_cmpint (g_get_monotonic_time () - start, <,
                       20 * test_slowness () * G_USEC_PER_SEC); /* 1 s; it was 900 s */
    }
  g_assert_cmpuint (link->values_sent, ==, MANY);
  g_assert_cmpuint (amnesia_link_count_marks (link), ==, 0);
  lone_link_free (link);
}

static void
set_flag (gpointer flag)
{
  *(gboolean *) flag = TRUE;
}

static void
test_small_among_large (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_auto (AmnesiaReceipt) receipt = { 0 };
  g_autofree guint8 *copy = NULL;
  AmnesiaPacket packet;
  gboolean freed = FALSE;
  gsize size;

  g_test_summary ("A small value that came with a large one does not keep the memory of that");

  g_ptr_array_add (entries, amnesia_entry_new ("large", AMNESIA_STAMP_NORMAL + 1, 77,
                                               g_variant_new_string ("as if it were"), NULL, 0));
  g_ptr_array_add (entries, amnesia_entry_new ("small", AMNESIA_STAMP_NORMAL + 1, 77,
                                               g_variant_new_byte (1), NULL, 0));
  amnesia_frame_encode_write (entries, &packet);
  copy = g_memdup2 (g_bytes_get_data (packet.payload, &size), g_bytes_get_size (packet.payload));
  g_bytes_unref (packet.payload);
  packet.payload = g_bytes_new_with_free_func (copy, size, set_flag, &freed);
  g_assert_true (lone_link_feed (link, &packet, &receipt, NULL));
  g_assert_cmpuint (receipt.taken->len, ==, 2);
  amnesia_receipt_clear (&receipt);
  amnesia_replica_write (local.replica, world.now.wall / 1000, "large", NULL);
  g_assert_true (freed);
  g_assert_nonnull (amnesia_replica_lookup (local.replica, "small"));
  lone_link_free (link);
}

static gboolean
has_members (AmnesiaStore *store,
             gsize         n)
{
  g_autoptr (GVariant) value = amnesia_store_get_data (store);

  return value != NULL && g_variant_n_children (value) == n;
}

static void
test_keys_one_by_one (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) peer = NULL;
  gint64 start;
  guint i;

  g_test_summary ("Who sends many keys one by one does not hold the main loop");

  test_wait_state (store, AMNESIA_STATE_ALONE);
  peer = raw_peer_connect (0);
  raw_peer_greet (peer, 77, 0);
  start = g_get_monotonic_time ();
  for (i = 0; i < ONE_BY_ONE; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      g_autoptr (AmnesiaEntry) entry = amnesia_entry_new (key, raw_stamp (0) + i, 77,
                                                          g_variant_new_byte (1), NULL, 0);

      raw_peer_send_write (peer, entry);
    }
  test_until (has_members (store, ONE_BY_ONE));
  g_assert_cmpint (g_get_monotonic_time () - start, <,
                   10 * test_slowness () * G_USEC_PER_SEC); /* 1 s; it was 40 s */
  test_free_store (store);
}

static void
test_colliding_names (void)
{
  GVariantBuilder builder;
  g_autoptr (GVariant) value = NULL;
  g_autofree char *json = NULL;
  gint64 start;
  guint i;

  g_test_summary ("A dictionary whose keys were chosen so that their hashes collide becomes JSON");

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (i = 0; i < MANY; i++)
    {
      g_autofree char *key = make_colliding (i);

      g_variant_builder_add (&builder, "{sv}", key, g_variant_new_boolean (TRUE));
    }
  value = g_variant_ref_sink (g_variant_builder_end (&builder));
  start = g_get_monotonic_time ();
  json = amnesia_to_json (value, NULL);
  g_assert_nonnull (json);
  g_assert_cmpint (g_get_monotonic_time () - start, <,
                   5 * test_slowness () * G_USEC_PER_SEC); /* 0.1 s; it was 13 s */
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keys/colliding", test_colliding_keys);
  g_test_add_func ("/keys/sent", test_many_keys);
  g_test_add_func ("/keys/small-among-large", test_small_among_large);
  g_test_add_func ("/keys/one-by-one", test_keys_one_by_one);
  g_test_add_func ("/keys/colliding-names", test_colliding_names);
  return g_test_run ();
}
