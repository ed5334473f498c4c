/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

/* A store with raw peers 1 and 2, which are guests. */
typedef struct
{
  AmnesiaStore *store;
  RawPeer      *peers[3];
} Setting;

static void
setting_init (Setting *setting)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  guint i;

  setting->store = test_store (conf);
  for (i = 1; i <= 2; i++)
    {
      setting->peers[i] = raw_peer_connect (0);
      raw_peer_greet (setting->peers[i], i, 0);
      test_wait_linked (setting->store, i);
    }
  test_wait_state (setting->store, AMNESIA_STATE_SYNCED);
  test_pass_time (20);
  for (i = 1; i <= 2; i++)
    g_ptr_array_set_size (setting->peers[i]->frames, 0);
}

static void
setting_clear (Setting *setting)
{
  raw_peer_free (setting->peers[1]);
  raw_peer_free (setting->peers[2]);
  test_free_store (setting->store);
}

static void
test_turn (void)
{
  Setting setting;
  guint i;

  g_test_summary ("The first set of a turn is sent at once, the others as one frame at its end");

  if (test_skip_if_slow ("what is sent at once is what takes less than 5 ms"))
    return;
  setting_init (&setting);
  for (i = 1; i <= 50; i++)
    amnesia_store_set_data (setting.store, g_variant_new_int32 (i));
  /* what has come already, before the loop has turned, is the first */
  g_assert_cmpint (g_socket_get_available_bytes (setting.peers[1]->socket), >, 0);
  g_assert_cmpint (g_socket_get_available_bytes (setting.peers[1]->socket), <, 300);
  raw_peer_wait_write (setting.peers[1], "1");
  raw_peer_wait_write (setting.peers[1], "50");
  raw_peer_wait_write (setting.peers[2], "1");
  raw_peer_wait_write (setting.peers[2], "50");
  test_pass_time (50);
  g_assert_cmpuint (raw_peer_count (setting.peers[1], AMNESIA_FRAME_WRITE), ==, 0);

  test_set (setting.store, "51");
  g_assert_cmpint (g_socket_get_available_bytes (setting.peers[1]->socket), >, 0);
  raw_peer_wait_write (setting.peers[1], "51");
  setting_clear (&setting);
}

static void
test_newest (void)
{
  Setting setting;
  g_autofree char *zeros = g_malloc0 (8 * 1024 * 1024);
  guint i;

  g_test_summary ("Who is slow skips values in between, never the last");

  setting_init (&setting);
  raw_peer_set_reading (setting.peers[1], FALSE);
  amnesia_store_set_data (setting.store,
                          g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, 8 << 20, 1));
  test_until (g_socket_get_available_bytes (setting.peers[1]->socket) > 0); /* it is on its way */
  for (i = 1; i <= 200; i++)
    {
      amnesia_store_set_data (setting.store, g_variant_new_int32 (i));
      g_main_context_iteration (NULL, FALSE);
    }
  raw_peer_set_reading (setting.peers[1], TRUE);
  raw_frame_free (raw_peer_wait_frame (setting.peers[1], AMNESIA_FRAME_WRITE));
  raw_peer_wait_write (setting.peers[1], "200");
  setting_clear (&setting);
}

static void
test_equal_is_sent (void)
{
  Setting setting;

  g_test_summary ("Setting an equal value is a write that is sent");

  setting_init (&setting);
  test_set (setting.store, "1");
  raw_peer_wait_write (setting.peers[1], "1");
  test_drain ();
  test_set (setting.store, "1");
  raw_peer_wait_write (setting.peers[1], "1");
  setting_clear (&setting);
}

static void
set_in_handler_cb (AmnesiaStore *store,
                   GVariant     *old_value,
                   GVariant     *new_value,
                   gboolean      remote,
                   RawPeer      *raw)
{
  if (!remote)
    return;
  test_set (store, "'answer'");
  /* no slow handler holds up a value on its way */
  raw_peer_wait_write (raw, "'answer'");
}

static void
test_set_in_handler (void)
{
  Setting setting;
  g_autoptr (AmnesiaEntry) entry = raw_entry (1, raw_stamp (0), "'question'");

  g_test_summary ("Forwarding comes before the handlers, and what they set is sent at once");

  if (test_skip_if_slow ("what is sent at once is what takes less than 5 ms"))
    return;
  setting_init (&setting);
  g_signal_connect (setting.store, "changed", G_CALLBACK (set_in_handler_cb), setting.peers[1]);
  raw_peer_send_write (setting.peers[1], entry);
  raw_peer_wait_write (setting.peers[2], "'question'");
  raw_peer_wait_write (setting.peers[2], "'answer'");
  setting_clear (&setting);
}

static void
test_acks (void)
{
  Setting setting;
  g_autoptr (AmnesiaEntry) newer = raw_entry (1, raw_stamp (0), "2");
  g_autoptr (AmnesiaEntry) older = raw_entry (1, raw_stamp (-1000), "1");
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  g_autoptr (GByteArray) burst = g_byte_array_new ();
  AmnesiaPacket packet;
  static const guint8 zeros[4];
  guint i;

  g_test_summary ("Frames are counted whether they win or not; the count is told once a wake-up");

  setting_init (&setting);
  raw_peer_send_write (setting.peers[1], newer);
  g_assert_cmpuint (raw_peer_wait_ack (setting.peers[1]), ==, 1);
  raw_peer_send_write (setting.peers[1], older);
  g_assert_cmpuint (raw_peer_wait_ack (setting.peers[1]), ==, 2);
  test_assert_data (setting.store, "2");

  g_ptr_array_add (entries, older);
  for (i = 0; i < 5; i++)
    {
      amnesia_frame_encode_write (entries, &packet);
      g_byte_array_append (burst, g_bytes_get_data (packet.head, NULL),
                           g_bytes_get_size (packet.head));
      g_byte_array_append (burst, g_bytes_get_data (packet.payload, NULL), 4);
      g_byte_array_append (burst, zeros, 4);
      amnesia_packet_clear (&packet);
    }
  raw_peer_send_bytes (setting.peers[1], burst->data, burst->len);
  g_assert_cmpuint (raw_peer_wait_ack (setting.peers[1]), ==, 7);
  setting_clear (&setting);
}

static void
test_forwarding (void)
{
  Setting setting;
  g_autoptr (AmnesiaEntry) first = raw_entry (1, raw_stamp (0), "1");
  g_autoptr (AmnesiaEntry) second = raw_entry (1, raw_stamp (1), "2");
  g_autoptr (AmnesiaEntry) third = raw_entry (1, raw_stamp (2), "3");
  AmnesiaFrame *frame;
  g_autoptr (GPtrArray) entries = NULL;
  AmnesiaEntry *entry;

  g_test_summary ("A new entry goes to all but its giver and those who are linked with the giver");

  setting_init (&setting);
  raw_peer_send_write (setting.peers[1], first);
  frame = raw_peer_wait_frame (setting.peers[2], AMNESIA_FRAME_WRITE);
  entries = amnesia_frame_decode_write (frame, G_MAXINT, NULL);
  raw_frame_free (frame);
  /* never stamped anew */
  entry = g_ptr_array_index (entries, 0);
  g_assert_cmphex (entry->stamp, ==, first->stamp);
  g_assert_cmphex (entry->id, ==, 1);

  raw_peer_send_links (setting.peers[2], 1, (guint64) 0);
  test_pass_time (20);
  raw_peer_send_write (setting.peers[1], second);
  test_until (test_has_data (setting.store, "2"));
  raw_peer_send_links (setting.peers[2], (guint64) 0);
  test_pass_time (20);
  raw_peer_send_write (setting.peers[1], third);
  raw_peer_wait_write (setting.peers[2], "3");
  test_pass_time (50);
  g_assert_cmpuint (raw_peer_count (setting.peers[1], AMNESIA_FRAME_WRITE), ==, 0);

  test_set (setting.store, "'own'");
  raw_peer_wait_write (setting.peers[1], "'own'");
  setting_clear (&setting);
}

static void
assert_links (RawPeer *raw,
              guint64  first,
              guint64  second)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_LINKS);
  g_autoptr (GArray) ids = amnesia_frame_decode_links (frame);

  raw_frame_free (frame);
  g_assert_cmpuint (ids->len, ==, second != 0 ? 2 : 1);
  g_assert_cmpuint (g_array_index (ids, guint64, 0), ==, first);
  if (second != 0)
    g_assert_cmpuint (g_array_index (ids, guint64, 1), ==, second);
}

static void
test_links (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) one = raw_peer_connect (0);
  RawPeer *two;

  g_test_summary ("Each peer is told with whom we are linked, whenever that changes");

  raw_peer_greet (one, 1, 0);
  assert_links (one, 1, 0);
  two = raw_peer_connect (0);
  raw_peer_greet (two, 2, 0);
  assert_links (one, 1, 2);
  assert_links (two, 1, 2);
  raw_peer_free (two);
  assert_links (one, 1, 0);
  test_free_store (store);
}

static void
test_hello (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store;
  g_autoptr (RawPeer) raw = NULL;
  g_auto (AmnesiaHello) hello = { 0 };
  AmnesiaFrame *frame;

  g_test_summary ("The hello says who, which entry, which group, what time, and max-size");

  amnesia_conf_set_group (conf, "friends");
  amnesia_conf_set_max_size (conf, 4096);
  store = test_store (conf);
  raw = raw_peer_connect (0);
  frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_HELLO);
  amnesia_frame_decode_hello (frame, &hello);
  raw_frame_free (frame);
  g_assert_cmphex (hello.id, !=, 0);
  g_assert_cmpstr (hello.host, ==, test_host ());
  g_assert_cmpuint (hello.port, ==, test_port (0));
  g_assert_cmpstr (hello.group, ==, "friends");
  g_assert_cmpuint (hello.max_size, ==, 4096);
  g_assert_cmpint (ABS (hello.wall - g_get_real_time ()), <,
                   test_slowness () * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_LIST), ==, 0);
  test_free_store (store);
}

static void
test_beats (void)
{
  Setting setting;
  gint64 last = 0, pause;
  guint i;

  g_test_summary ("A heartbeat goes every 2 s whatever else is sent, and gives back what came");

  setting_init (&setting);
  raw_peer_send_beat (setting.peers[1], 0);
  for (i = 0; i < 2; i++)
    {
      AmnesiaFrame *frame;
      AmnesiaBeat beat;

      while (raw_peer_count (setting.peers[1], AMNESIA_FRAME_BEAT) == 0)
        {
          amnesia_store_set_data (setting.store, g_variant_new_int32 (i));
          test_pass_time (10);
        }
      frame = raw_peer_wait_frame (setting.peers[1], AMNESIA_FRAME_BEAT);
      amnesia_frame_decode_beat (frame, &beat);
      raw_frame_free (frame);
      g_assert_cmpint (ABS (beat.wall - g_get_real_time ()), <,
                       test_slowness () * G_TIME_SPAN_SECOND);
      pause = beat.sent - last;
      if (last != 0)
        g_assert_cmpint (ABS (pause - 2 * G_TIME_SPAN_SECOND), <,
                         test_slowness () * G_TIME_SPAN_SECOND / 2);
      last = beat.sent;
    }
  {
    AmnesiaBeat beat = { .wall = g_get_real_time (), .sent = 4711 };
    AmnesiaFrame *frame;
    AmnesiaPacket packet;

    amnesia_frame_encode_beat (&beat, &packet);
    raw_peer_send (setting.peers[1], &packet);
    frame = raw_peer_wait_frame (setting.peers[1], AMNESIA_FRAME_BEAT);
    amnesia_frame_decode_beat (frame, &beat);
    raw_frame_free (frame);
    g_assert_cmpint (beat.echo, ==, 4711);
    g_assert_cmpint (ABS (beat.held - 2 * G_TIME_SPAN_SECOND), <,
                     test_slowness () * G_TIME_SPAN_SECOND / 2);
  }
  setting_clear (&setting);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/traffic/turn", test_turn);
  g_test_add_func ("/traffic/newest", test_newest);
  g_test_add_func ("/traffic/equal-is-sent", test_equal_is_sent);
  g_test_add_func ("/traffic/set-in-handler", test_set_in_handler);
  g_test_add_func ("/traffic/acks", test_acks);
  g_test_add_func ("/traffic/forwarding", test_forwarding);
  g_test_add_func ("/traffic/links", test_links);
  g_test_add_func ("/traffic/hello", test_hello);
  g_test_add_func ("/traffic/beats", test_beats);
  return g_test_run ();
}
