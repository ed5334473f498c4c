/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

static void
test_third (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  AmnesiaStore *guest;

  g_test_summary ("Who finds no entry free is a guest with one link, and gets and gives values");

  test_wait_linked (a, 1);
  test_set (a, "1");
  guest = test_store (conf);
  g_assert_cmpint (amnesia_store_get_state (guest), ==, AMNESIA_STATE_SYNCED);
  test_assert_data (guest, "1");
  g_assert_null (amnesia_store_get_listening (guest));
  g_assert_cmpuint (test_n_linked (guest), ==, 1);
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (guest)), ==, 2);
  test_until (test_n_connections () == 2);

  test_set (guest, "2");
  test_until (test_has_data (a, "2") && test_has_data (b, "2"));
  test_set (b, "3");
  test_until (test_has_data (a, "3") && test_has_data (guest, "3"));
  test_pass_time (600);
  g_assert_cmpuint (test_n_connections (), ==, 2);

  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (a)) +
                      g_list_model_get_n_items (amnesia_store_get_peers (b)), ==, 3);
  test_close_store (guest);
  test_until (g_list_model_get_n_items (amnesia_store_get_peers (a)) == 1 &&
              g_list_model_get_n_items (amnesia_store_get_peers (b)) == 1);
  test_free_store (a);
  test_free_store (b);
}

static void
test_many (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *stores[6];
  guint i, n_members = 0;

  g_test_summary ("Six who start together with a list of two sort themselves out");

  for (i = 0; i < 6; i++)
    stores[i] = test_new_store (conf);
  for (i = 0; i < 6; i++)
    test_wait_state (stores[i], AMNESIA_STATE_SYNCED);
  for (i = 0; i < 6; i++)
    n_members += amnesia_store_get_listening (stores[i]) != NULL;
  g_assert_cmpuint (n_members, ==, 2);
  for (i = 0; i < 6; i++)
    {
      guint j;

      amnesia_store_set_data (stores[i], g_variant_new_uint32 (i));
      for (j = 0; j < 6; j++)
        test_wait_data (stores[j], g_variant_new_uint32 (i));
    }
  test_until (test_n_connections () == 5);
  for (i = 0; i < 6; i++)
    test_free_store (stores[i]);
}

static void
test_becomes_member (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  AmnesiaStore *guest = test_store (conf);
  g_autofree char *first = g_strdup_printf ("%s:%u", test_host (), test_port (0));

  g_test_summary ("A guest that loses its link takes an entry that has become free");

  g_assert_null (amnesia_store_get_listening (guest));
  test_free_store (a);
  test_until (g_strcmp0 (amnesia_store_get_listening (guest), first) == 0);
  test_wait_linked (guest, 1);
  test_until (test_n_connections () == 1);
  test_set (b, "1");
  test_until (test_has_data (guest, "1"));
  test_wait_state (guest, AMNESIA_STATE_SYNCED);
  test_until (g_list_model_get_n_items (amnesia_store_get_peers (b)) == 1);
  test_free_store (guest);
  test_free_store (b);
}

static void
test_on_purpose (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  g_autoptr (AmnesiaConf) again = test_conf (3);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *guest = amnesia_store_new ();
  AmnesiaStore *b;
  g_autofree char *second = g_strdup_printf ("%s:%u", test_host (), test_port (1));

  g_test_summary ("Who wants to be a guest leaves free entries alone, until it is told otherwise");

  g_assert_false (amnesia_store_get_guest (guest));
  amnesia_store_set_guest (guest, TRUE);
  amnesia_store_set_conf (guest, conf);
  test_set (a, "1");
  test_wait_state (guest, AMNESIA_STATE_SYNCED);
  test_assert_data (guest, "1");
  g_assert_null (amnesia_store_get_listening (guest));
  b = test_store (conf);
  g_assert_cmpstr (amnesia_store_get_listening (b), ==, second);
  test_set (guest, "2");
  test_until (test_has_data (a, "2") && test_has_data (b, "2"));

  test_free_store (b);
  amnesia_store_set_guest (guest, FALSE);
  amnesia_store_set_conf (guest, again);
  test_until (g_strcmp0 (amnesia_store_get_listening (guest), second) == 0);
  amnesia_store_set_guest (guest, TRUE);
  amnesia_store_set_conf (guest, conf);
  test_until (amnesia_store_get_listening (guest) == NULL);
  b = test_store (conf);
  g_assert_cmpstr (amnesia_store_get_listening (b), ==, second);
  test_set (b, "3");
  test_until (test_has_data (guest, "3"));
  test_free_store (guest);
  test_free_store (a);
  test_free_store (b);
}

static void
test_only_guests (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *guest = amnesia_store_new ();

  g_test_summary ("A guest by purpose is alone where nobody is a member, and listens on nothing");

  g_object_set (guest, "guest", TRUE, "conf", conf, NULL);
  test_wait_state (guest, AMNESIA_STATE_ALONE);
  g_assert_null (amnesia_store_get_listening (guest));
  test_set (guest, "1");
  test_assert_data (guest, "1");
  test_free_store (guest);
}

static void
test_next_hub (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  g_autoptr (RawDoor) first = raw_door_new (0);
  g_autoptr (RawDoor) second = raw_door_new (1);
  g_autoptr (RawDoor) third = raw_door_new (2);
  AmnesiaStore *guest = test_new_store (conf);
  g_autoptr (RawPeer) one = NULL;
  g_autoptr (RawPeer) two = NULL;
  gint64 start;

  g_test_summary ("A guest dials one after the other, 250 ms apart, and keeps the first hello");

  one = raw_door_accept (first);
  start = g_get_monotonic_time ();
  g_assert_false (raw_door_is_knocked (second));
  two = raw_door_accept (second);
  g_assert_cmpint (g_get_monotonic_time () - start, >, 150 * 1000);
  g_assert_false (raw_door_is_knocked (third));
  raw_peer_greet (two, 2, 1);
  test_wait_state (guest, AMNESIA_STATE_SYNCED);
  g_assert_cmpuint (test_n_linked (guest), ==, 1);

  raw_peer_greet (one, 1, 0);
  raw_peer_wait_bye (one, AMNESIA_BYE_DUPLICATE, "*guest*");
  test_pass_time (600);
  g_assert_false (raw_door_is_knocked (third));
  g_assert_false (two->closed);

  g_clear_pointer (&two, raw_peer_free);
  g_clear_pointer (&second, raw_door_free);
  g_clear_pointer (&one, raw_peer_free);
  test_until (raw_door_is_knocked (first) || raw_door_is_knocked (third));
  test_free_store (guest);
}

static void
test_alone (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (RawDoor) taken = raw_door_new (0);
  AmnesiaStore *guest = test_new_store (conf);
  g_autoptr (RawPeer) silent = raw_door_accept (taken);
  g_autofree char *own = g_strdup_printf ("%s:%u", test_host (), test_port (0));

  g_test_summary ("A guest whom nobody answers goes on trying, and becomes a member in the end");

  g_clear_pointer (&silent, raw_peer_free);
  test_wait_state (guest, AMNESIA_STATE_ALONE);
  silent = raw_door_accept (taken);
  g_clear_pointer (&silent, raw_peer_free);
  g_clear_pointer (&taken, raw_door_free);
  test_until (g_strcmp0 (amnesia_store_get_listening (guest), own) == 0);
  test_free_store (guest);
}

static void
test_in_sync (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (RawDoor) taken = raw_door_new (0);
  AmnesiaStore *guest = test_new_store (conf);
  g_autoptr (RawPeer) hub = raw_door_accept (taken);
  g_auto (AmnesiaHello) hello = { 0 };
  AmnesiaFrame *frame = raw_peer_wait_frame (hub, AMNESIA_FRAME_HELLO);
  g_autoptr (GError) error = NULL;

  g_test_summary ("A guest names no entry in its hello; in sync means that its hub has the value");

  amnesia_frame_decode_hello (frame, &hello);
  raw_frame_free (frame);
  g_assert_cmpstr (hello.host, ==, "");
  g_assert_cmpuint (hello.port, ==, 0);
  raw_peer_greet (hub, 7, 0);
  test_wait_linked (guest, 1);
  test_set (guest, "1");
  raw_frame_free (raw_peer_wait_frame (hub, AMNESIA_FRAME_WRITE));
  g_assert_false (amnesia_peer_get_in_sync (test_find_peer (guest, test_port (0))));
  raw_peer_send_ack (hub, 1);
  test_until (amnesia_peer_get_in_sync (test_find_peer (guest, test_port (0))));
  amnesia_store_close_sync (guest, NULL, &error);
  g_assert_no_error (error);
  test_free_store (guest);
}

static void
test_lingering (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  GListModel *peers = amnesia_store_get_peers (store);
  g_autoptr (RawPeer) lingers = raw_peer_connect (0);
  RawPeer *again = NULL;

  g_test_summary ("A guest that came again and went is forgotten, though its first link lingers");

  raw_peer_greet (lingers, 7, 0);
  test_wait_linked (store, 1);
  raw_peer_send_ack (lingers, 100);
  /* it is left, but does not close for its part; that is waited for */
  raw_frame_free (raw_peer_wait_frame (lingers, AMNESIA_FRAME_BYE));
  again = raw_peer_connect (0);
  raw_peer_greet (again, 7, 0);
  test_wait_linked (store, 1);
  raw_peer_free (again);
  test_until (g_list_model_get_n_items (peers) == 0);
  g_socket_shutdown (lingers->socket, FALSE, TRUE, NULL);
  test_drain ();
  test_pass_time (50);
  g_assert_cmpuint (g_list_model_get_n_items (peers), ==, 0);
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guests/third", test_third);
  g_test_add_func ("/guests/many", test_many);
  g_test_add_func ("/guests/on-purpose", test_on_purpose);
  g_test_add_func ("/guests/only-guests", test_only_guests);
  g_test_add_func ("/guests/becomes-member", test_becomes_member);
  g_test_add_func ("/guests/next-hub", test_next_hub);
  g_test_add_func ("/guests/alone", test_alone);
  g_test_add_func ("/guests/in-sync", test_in_sync);
  g_test_add_func ("/guests/lingering", test_lingering);
  return g_test_run ();
}
