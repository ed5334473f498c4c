/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

/* A configuration of these entries, ending with -1. */
static AmnesiaConf *
make_conf (int index,
           ...)
{
  AmnesiaConf *conf = amnesia_conf_new ();
  va_list args;

  va_start (args, index);
  for (; index >= 0; index = va_arg (args, int))
    amnesia_conf_add_peer (conf, test_host (), test_port ((guint) index), NULL);
  va_end (args);
  return conf;
}

/* A store on entry 0 that is linked with raw peers on entries 1 and 2. */
typedef struct
{
  AmnesiaStore *store;
  RawDoor      *doors[3];
  RawPeer      *peers[3];
} Setting;

static void
setting_init (Setting *setting)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  guint i;

  for (i = 1; i <= 2; i++)
    setting->doors[i] = raw_door_new (i);
  setting->store = test_new_store (conf);
  for (i = 1; i <= 2; i++)
    {
      setting->peers[i] = raw_door_accept (setting->doors[i]);
      raw_peer_greet (setting->peers[i], i, i);
      raw_peer_skip_beat (setting->peers[i]);
    }
  test_wait_linked (setting->store, 2);
  test_wait_state (setting->store, AMNESIA_STATE_SYNCED);
}

static void
setting_clear (Setting *setting)
{
  guint i;

  for (i = 1; i <= 2; i++)
    {
      raw_peer_free (setting->peers[i]);
      raw_door_free (setting->doors[i]);
    }
  test_free_store (setting->store);
}

/* Waits for this value; what was set before is sent, too, if there was time. */
static void
wait_last_write (RawPeer    *raw,
                 const char *text)
{
  g_autofree char *got = NULL;

  while (g_strcmp0 (got, text) != 0)
    {
      AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE);
      g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, G_MAXINT, NULL);

      g_clear_pointer (&got, g_free);
      got = g_variant_print (((AmnesiaEntry *) g_ptr_array_index (entries, 0))->value, TRUE);
      raw_frame_free (frame);
    }
}

/* The link with this peer is still there and alive. */
static void
assert_linked (Setting *setting,
               guint    index)
{
  raw_frame_free (raw_peer_wait_frame (setting->peers[index], AMNESIA_FRAME_BEAT));
  g_assert_false (setting->peers[index]->closed);
  g_assert_false (raw_door_is_knocked (setting->doors[index]));
}

static void
test_removed (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf (0, 2, -1);
  Setting setting = { NULL };
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("Who is not listed any more gets what is due, then a goodbye; the others stay");

  setting_init (&setting);
  test_set (setting.store, "1");
  diary = test_diary_new (setting.store);
  test_set (setting.store, "2");
  amnesia_store_set_conf (setting.store, conf);
  wait_last_write (setting.peers[1], "2");
  raw_peer_wait_bye (setting.peers[1], AMNESIA_BYE_LEAVING, "*");
  g_assert_false (raw_door_is_knocked (setting.doors[1]));
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (setting.store)), ==, 1);
  g_assert_nonnull (test_find_peer (setting.store, test_port (2)));
  assert_linked (&setting, 2);
  test_assert_diary (diary, "changed 1 -> 2 local", "data", "updated", "conf", NULL);
  setting_clear (&setting);
}

static void
test_kept (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf (3, 2, 1, 0, -1);
  Setting setting = { NULL };
  g_autoptr (TestDiary) diary = NULL;
  g_autofree char *listening = NULL;
  AmnesiaPeer *peer;

  g_test_summary ("A new order and one more entry: links, peers, own entry and value are the same");

  setting_init (&setting);
  test_set (setting.store, "1");
  listening = g_strdup (amnesia_store_get_listening (setting.store));
  peer = test_find_peer (setting.store, test_port (1));
  diary = test_diary_new (setting.store);
  amnesia_store_set_conf (setting.store, conf);
  test_until (test_find_peer (setting.store, test_port (3)) != NULL);
  assert_linked (&setting, 1);
  assert_linked (&setting, 2);
  g_assert_true (test_find_peer (setting.store, test_port (1)) == peer);
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (setting.store)), ==, 3);
  g_assert_cmpstr (amnesia_store_get_listening (setting.store), ==, listening);
  test_assert_data (setting.store, "1");
  test_assert_diary (diary, "conf", NULL);
  setting_clear (&setting);
}

static void
test_moved (void)
{
  g_autoptr (AmnesiaConf) conf = make_conf (0, 3, 2, -1);
  RawDoor *door = raw_door_new (3);
  Setting setting = { NULL };
  g_autoptr (RawPeer) moved = NULL;

  g_test_summary ("Who has moved to another port is left at the old one, and dialled at the new one");

  setting_init (&setting);
  test_set (setting.store, "1");
  amnesia_store_set_conf (setting.store, conf);
  raw_peer_wait_bye (setting.peers[1], AMNESIA_BYE_LEAVING, "*");
  moved = raw_door_accept (door);
  raw_peer_greet (moved, 1, 3);
  raw_peer_wait_write (moved, "1");
  test_until (amnesia_peer_get_state (test_find_peer (setting.store, test_port (3))) ==
              AMNESIA_PEER_STATE_CONNECTED);
  assert_linked (&setting, 2);
  setting_clear (&setting);
  raw_door_free (door);
}

static void
test_same (void)
{
  Setting setting = { NULL };
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("Setting the same configuration again does nothing");

  setting_init (&setting);
  diary = test_diary_new (setting.store);
  amnesia_store_set_conf (setting.store, amnesia_store_get_conf (setting.store));
  test_drain ();
  test_assert_diary (diary, NULL, NULL);
  assert_linked (&setting, 1);
  setting_clear (&setting);
}

static void
test_group (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  Setting setting = { NULL };
  g_autoptr (RawPeer) again = NULL;
  g_auto (AmnesiaHello) hello = { 0 };
  AmnesiaFrame *frame;

  g_test_summary ("Another group closes all links, and the next hello names it");

  setting_init (&setting);
  amnesia_conf_set_group (conf, "other");
  amnesia_store_set_conf (setting.store, conf);
  raw_peer_wait_bye (setting.peers[1], AMNESIA_BYE_LEAVING, "*");
  raw_peer_wait_bye (setting.peers[2], AMNESIA_BYE_LEAVING, "*");
  again = raw_door_accept (setting.doors[1]);
  frame = raw_peer_wait_frame (again, AMNESIA_FRAME_HELLO);
  amnesia_frame_decode_hello (frame, &hello);
  g_assert_cmpstr (hello.group, ==, "other");
  raw_frame_free (frame);
  setting_clear (&setting);
}

static void
test_id_stays (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (AmnesiaConf) other = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  guint64 ids[2];
  guint i;

  g_test_summary ("A store has the same id under every configuration");

  amnesia_conf_set_group (other, "other");
  for (i = 0; i < 2; i++)
    {
      g_autoptr (RawPeer) raw = raw_door_accept (door);
      g_auto (AmnesiaHello) hello = { 0 };
      AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_HELLO);

      amnesia_frame_decode_hello (frame, &hello);
      raw_frame_free (frame);
      ids[i] = hello.id;
      amnesia_store_set_conf (store, other);
    }
  g_assert_cmphex (ids[0], ==, ids[1]);
  test_free_store (store);
}

static void
test_own_gone (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (AmnesiaConf) without = make_conf (1, 2, -1);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  g_autofree char *two = g_strdup_printf ("%s:%u", test_host (), test_port (2));

  g_test_summary ("Only if its own entry has gone does a store look for another one");

  test_wait_linked (a, 1);
  amnesia_store_set_conf (a, without);
  test_until (g_strcmp0 (amnesia_store_get_listening (a), two) == 0);
  {
    g_autoptr (RawDoor) free_port = raw_door_new (0);

    g_assert_nonnull (free_port);
  }
  test_set (b, "1");
  test_until (test_has_data (a, "1"));
  test_free_store (a);
  test_free_store (b);
}

static void
test_max_size (void)
{
  g_autoptr (AmnesiaConf) small = test_conf (1);
  AmnesiaStore *store = amnesia_store_new ();
  g_autofree guint8 *zeros = g_malloc0 (2000);
  g_autoptr (GVariant) large = g_variant_ref_sink (
    g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, 2000, 1));
  g_autoptr (GVariant) data = NULL;

  g_test_summary ("A smaller max-size holds for the next set; the value that is there stays");

  amnesia_conf_set_max_size (small, 1024);
  amnesia_store_set_data (store, large);
  amnesia_store_set_conf (store, small);
  data = amnesia_store_get_data (store);
  g_assert_cmpvariant (data, large);
  g_assert_false (amnesia_store_write (store, large, NULL));
  test_free_store (store);
}

static void
test_while_opening (void)
{
  g_autoptr (AmnesiaConf) first = test_conf (2);
  g_autoptr (AmnesiaConf) second = make_conf (3, 4, -1);
  g_autoptr (RawDoor) silent = raw_door_new (1);
  AmnesiaStore *store = test_new_store (first);
  g_autofree char *three = g_strdup_printf ("%s:%u", test_host (), test_port (3));
  g_autoptr (GError) error = NULL;

  g_test_summary ("A configuration set while opening is the one that counts");

  test_wait_state (store, AMNESIA_STATE_SYNCING);
  amnesia_store_set_conf (store, second);
  g_assert_true (amnesia_store_open_sync (store, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (amnesia_store_get_listening (store), ==, three);
  g_assert_nonnull (test_find_peer (store, test_port (4)));
  g_assert_null (test_find_peer (store, test_port (1)));
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conf-change/C8-removed", test_removed);
  g_test_add_func ("/conf-change/C8-kept", test_kept);
  g_test_add_func ("/conf-change/C8-moved", test_moved);
  g_test_add_func ("/conf-change/same", test_same);
  g_test_add_func ("/conf-change/group", test_group);
  g_test_add_func ("/conf-change/id-stays", test_id_stays);
  g_test_add_func ("/conf-change/own-gone", test_own_gone);
  g_test_add_func ("/conf-change/max-size", test_max_size);
  g_test_add_func ("/conf-change/while-opening", test_while_opening);
  return g_test_run ();
}
