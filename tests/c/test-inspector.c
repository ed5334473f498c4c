/* SPDX-License-Identifier: MIT */

/* Values that are checked off the loop: what happens meanwhile. */

#include "raw-peer.h"
#include "wire-bytes.h"

#include "mesh/amnesia-inspector-private.h"

#include <sys/socket.h>

#define ID 7

static guint
n_slow (void)
{
  return 200000 / test_slowness ();
}

/* Takes a tenth of a second to check. */
static GVariant *
make_slow (void)
{
  GVariantBuilder builder;
  guint i, n = n_slow ();

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{uy}"));
  for (i = 0; i < n; i++)
    g_variant_builder_add (&builder, "{uy}", i * 2654435761u, 1);
  return g_variant_builder_end (&builder);
}

static AmnesiaEntry *
make_slow_entry (gint64 ahead_ms)
{
  return amnesia_entry_new ("", raw_stamp (ahead_ms), ID, make_slow (), NULL, 0);
}

/* With one key twice, at the end. */
static void
add_wrong (GByteArray *bytes)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (make_slow ());
  gsize size = g_variant_get_size (value);
  g_autofree guint8 *data = g_memdup2 (g_variant_get_data (value), size);

  for (gsize i = 0; i < sizeof (guint32); i++)
    data[i] = data[8 + i];
  wire_add_value (bytes, raw_stamp (100), "a{uy}", data, size);
}

static void
test_order (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (TestDiary) diary = NULL;
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) bytes = wire_hello (ID);
  g_autoptr (AmnesiaEntry) slow = make_slow_entry (10);
  g_autoptr (AmnesiaEntry) quick = raw_entry (ID, raw_stamp (20), "'quick'");

  g_test_summary ("What comes behind a slow value is taken after it, and the link lives");

  wire_add_list (bytes, NULL, FALSE);
  wire_add_entry (bytes, slow);
  wire_add_entry (bytes, quick);
  diary = test_diary_new (store);
  wire_send (raw, bytes);
  g_assert_cmpuint (raw_peer_wait_ack (raw), >=, 1);
  test_until (test_has_data (store, "'quick'"));
  g_assert_false (raw->closed);
  test_free_store (store);
}

static void
test_failure_behind (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) bytes = wire_hello (ID);
  g_autoptr (AmnesiaEntry) slow = make_slow_entry (10);
  g_autoptr (GVariant) data = NULL;

  g_test_summary ("What is wrong behind a slow value does not keep it from being taken");

  wire_add_list (bytes, NULL, FALSE);
  wire_add_entry (bytes, slow);
  wire_add_prefix (bytes, 99, 0, 0, 0);
  wire_send (raw, bytes);
  raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*kind 99*");
  data = amnesia_store_get_data (store);
  g_assert_nonnull (data);
  g_assert_cmpuint (g_variant_n_children (data), ==, n_slow ());
  test_free_store (store);
}

static void
test_wrong (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) bytes = wire_hello (ID);
  g_autoptr (AmnesiaEntry) next = raw_entry (ID, raw_stamp (200), "'next'");

  g_test_summary ("What is wrong with a slow value is said, and nothing behind it counts");

  test_set (store, "'kept'");
  wire_add_list (bytes, NULL, FALSE);
  add_wrong (bytes);
  wire_add_entry (bytes, next);
  wire_send (raw, bytes);
  raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*has the key*twice*");
  test_assert_data (store, "'kept'");
  test_free_store (store);
}

/* Several peers: their values wait for each other, others do not. */
static void
test_several (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  RawPeer *peers[4];
  g_autoptr (AmnesiaEntry) slow = make_slow_entry (10);
  g_autoptr (AmnesiaEntry) quick = raw_entry (ID, raw_stamp (5), "'quick'");
  gint64 start;
  guint i;

  g_test_summary ("Slow values of several peers are all taken; a quick one does not wait for them");

  for (i = 0; i < 4; i++)
    {
      peers[i] = raw_peer_connect (0);
      raw_peer_greet (peers[i], ID + i, 0);
      test_wait_linked (store, i + 1);
    }
  for (i = 0; i < 3; i++)
    raw_peer_send_write (peers[i], slow);
  start = g_get_monotonic_time ();
  raw_peer_send_write (peers[3], quick);
  g_assert_cmpuint (raw_peer_wait_ack (peers[3]), ==, 1);
  g_test_message ("the quick one took %" G_GINT64_FORMAT " us", g_get_monotonic_time () - start);
  for (i = 0; i < 3; i++)
    g_assert_cmpuint (raw_peer_wait_ack (peers[i]), ==, 1);
  for (i = 0; i < 4; i++)
    raw_peer_free (peers[i]);
  test_free_store (store);
}

/* 0: the peer goes; 1: the configuration is taken back; 2: the last reference is dropped. */
static void
test_abandoned (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  guint n = test_n_descriptors ();
  guint way;

  g_test_summary ("A check under way can be left by the peer, the configuration and the store");

  for (way = 0; way < 3; way++)
    {
      AmnesiaStore *store = test_store (conf);
      RawPeer *raw = raw_peer_connect (0);
      g_autoptr (AmnesiaEntry) slow = make_slow_entry (10);

      raw_peer_greet (raw, ID, 0);
      test_wait_linked (store, 1);
      raw_peer_send_write (raw, slow);
      test_pass_time (2);
      if (way == 1)
        amnesia_store_set_conf (store, NULL);
      if (way < 2)
        g_clear_pointer (&raw, raw_peer_free);
      if (way == 0)
        test_wait_linked (store, 0);
      if (way == 1)
        test_wait_state (store, AMNESIA_STATE_CLOSED);
      test_free_store (store);
      g_clear_pointer (&raw, raw_peer_free);
    }
  test_until (test_n_descriptors () <= n + 1);
}

static void
test_closing (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (AmnesiaEntry) slow = make_slow_entry (10);
  g_autoptr (GVariant) data = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Who closes has what was listed, though it takes long to check");

  {
    AmnesiaHello hello = raw_hello (ID, 0);

    raw_peer_send_hello (raw, &hello);
  }
  raw_peer_send_list (raw, slow, FALSE);
  raw_peer_send_write (raw, slow);
  test_wait_linked (store, 1);
  amnesia_store_close_sync (store, NULL, &error);
  g_assert_no_error (error);
  data = amnesia_store_get_data (store);
  g_assert_nonnull (data);
  g_assert_cmpstr (g_variant_get_type_string (data), ==, "a{uy}");
  test_free_store (store);
}

/* --- the inspector alone --- */

static gboolean
done_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_CONTINUE;
}

static void
test_alone (void)
{
  AmnesiaInspector *inspector = amnesia_inspector_new ();
  g_autoptr (GSource) source = g_timeout_source_new (G_MAXINT);
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  g_autoptr (AmnesiaEntry) slow = make_slow_entry (0);
  g_auto (AmnesiaPacket) packet = { NULL };
  g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_WRITE };
  g_auto (AmnesiaFrame) got = { 0 };
  AmnesiaInspection *inspection, *left;
  gboolean done = FALSE;

  g_test_summary ("An inspection gives the frame back, decoded; one that was left gives nothing");

  g_source_set_callback (source, done_cb, &done, NULL);
  g_source_attach (source, NULL);
  g_ptr_array_add (entries, slow);
  amnesia_frame_encode_write (entries, &packet);
  frame.header = g_variant_ref_sink (
    g_variant_new_parsed ("(%t, uint64 7, @a(tt) [], [('', 'a{uy}', %t)], @a{sv} {})", slow->stamp,
                          (guint64) amnesia_entry_get_size (slow)));
  frame.payload = g_bytes_ref (packet.payload);
  g_assert_true (amnesia_frame_is_slow (&frame));
  got = (AmnesiaFrame) { frame.kind, g_variant_ref (frame.header), g_bytes_ref (frame.payload) };

  inspection = amnesia_inspector_begin (inspector, &frame, G_MAXINT, source);
  left = amnesia_inspector_begin (inspector, &got, G_MAXINT, source);
  amnesia_inspection_cancel (left);
  g_assert_null (frame.header);
  test_until (amnesia_inspection_is_done (inspection));
  test_until (done);
  g_assert_true (amnesia_inspection_end (inspection, &frame, NULL));
  g_assert_cmpuint (frame.entries->len, ==, 1);
  g_assert_cmpint (amnesia_entry_compare (g_ptr_array_index (frame.entries, 0), slow), ==, 0);
  g_source_destroy (source);
  amnesia_inspector_free (inspector);
}

static void
test_peer_gone (void)
{
  const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) bytes = wire_hello (ID);
  g_autoptr (AmnesiaEntry) slow = make_slow_entry (60000);
  guint i;

  g_test_summary ("A value that has come whole is taken, even if its sender has gone while it is "
                  "checked, and something is sent to it");

  wire_add_list (bytes, NULL, FALSE);
  wire_add_entry (bytes, slow);
  wire_send (raw, bytes);
  test_wait_linked (store, 1);
  test_pass_time (20);
  setsockopt (g_socket_get_fd (raw->socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  g_clear_pointer (&raw, raw_peer_free);
  for (i = 0; i < 3; i++)
    {
      test_set (store, "1");
      test_pass_time (1);
    }
  test_until (test_n_linked (store) == 0);
  {
    g_autoptr (GVariant) data = amnesia_store_get_data (store);

    g_assert_true (g_variant_equal (data, slow->value));
  }
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspector/order", test_order);
  g_test_add_func ("/inspector/failure-behind", test_failure_behind);
  g_test_add_func ("/inspector/wrong", test_wrong);
  g_test_add_func ("/inspector/several", test_several);
  g_test_add_func ("/inspector/abandoned", test_abandoned);
  g_test_add_func ("/inspector/closing", test_closing);
  g_test_add_func ("/inspector/alone", test_alone);
  g_test_add_func ("/inspector/peer-gone", test_peer_gone);
  return g_test_run ();
}
