/* SPDX-License-Identifier: MIT */

/* By whom and when the changes were made that a store remembers. */

#include "list-mirror.h"
#include "raw-peer.h"

/* That of the peer of raw_door_open_store (). */
#define RAW_ID 7

static AmnesiaStore *
open_store (AmnesiaConf *conf)
{
  AmnesiaStore *store = test_new_store (conf);

  amnesia_store_set_history_length (store, 100);

  return store;
}

static void
set_key (AmnesiaStore *store,
         const char   *key,
         const char   *text)
{
  g_autoptr (GVariant) value = test_value (text);
  g_autoptr (GError) error = NULL;

  amnesia_store_set_key (store, key, value, &error);
  g_assert_no_error (error);
}

static guint
count (AmnesiaStore *store)
{
  return g_list_model_get_n_items (amnesia_store_get_history (store));
}

static AmnesiaChange *
dup_last (AmnesiaStore *store)
{
  g_assert_cmpuint (count (store), >, 0);

  return g_list_model_get_item (amnesia_store_get_history (store), count (store) - 1);
}

/* What the last change is about, and who made it; NULL as @writer: not known. */
static void
assert_last (AmnesiaStore *store,
             const char   *key,
             gboolean      remote,
             const char   *writer)
{
  g_autoptr (AmnesiaChange) change = dup_last (store);

  g_assert_cmpstr (amnesia_change_get_key (change), ==, key);
  g_assert_cmpint (amnesia_change_get_remote (change), ==, remote);
  g_assert_cmpstr (amnesia_change_get_writer (change), ==, writer);
}

static void
assert_when (AmnesiaStore *store,
             guint         position,
             AmnesiaStamp  stamp)
{
  g_autoptr (AmnesiaChange) change = g_list_model_get_item (amnesia_store_get_history (store),
                                                            position);
  GDateTime *when = amnesia_change_get_when (change);

  g_assert_cmpint (g_date_time_to_unix (when) * 1000 + g_date_time_get_microsecond (when) / 1000, ==,
                   amnesia_stamp_get_wall (stamp));
}

static guint
n_peers (AmnesiaStore *store)
{
  return g_list_model_get_n_items (amnesia_store_get_peers (store));
}

static AmnesiaPeer *
dup_guest (AmnesiaStore *store)
{
  return g_list_model_get_item (amnesia_store_get_peers (store), n_peers (store) - 1);
}

static void
assert_last_when (AmnesiaStore *store,
                  AmnesiaStamp  stamp)
{
  assert_when (store, count (store) - 1, stamp);
}

static void
test_members (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = open_store (conf);
  AmnesiaStore *b, *guest, *hub, *other;
  g_autoptr (AmnesiaPeer) peer = NULL;

  g_test_summary ("Members and guests write: each store knows who it was");

  test_until (amnesia_store_get_listening (a) != NULL);
  b = open_store (conf);
  test_wait_state (b, AMNESIA_STATE_SYNCED);
  guest = open_store (conf);
  test_wait_state (guest, AMNESIA_STATE_SYNCED);
  /* one of them is the one that it is linked with */
  test_until (n_peers (a) + n_peers (b) == 3);
  hub = n_peers (a) == 2 ? a : b;
  other = hub == a ? b : a;

  set_key (a, "x", "1");
  test_until (count (b) == 1 && count (guest) == 1);
  assert_last (a, "x", FALSE, amnesia_store_get_listening (a));
  assert_last (b, "x", TRUE, amnesia_store_get_listening (a));
  assert_last (guest, "x", TRUE, amnesia_store_get_listening (a));

  set_key (guest, "y", "1");
  test_until (count (a) == 2 && count (b) == 2);
  assert_last (guest, "y", FALSE, NULL);
  peer = dup_guest (hub);
  assert_last (hub, "y", TRUE, amnesia_peer_get_name (peer));
  assert_last (other, "y", TRUE, NULL);
  test_free_store (guest);
  test_free_store (b);
  test_free_store (a);
}

static void
send_key (RawPeer      *raw,
          const char   *key,
          AmnesiaStamp  stamp,
          guint64       id,
          const char   *text)
{
  g_autoptr (GVariant) value = text != NULL ? test_value (text) : NULL;
  g_autoptr (AmnesiaEntry) entry = amnesia_entry_new (key, stamp, id, value, NULL, 0);

  raw_peer_send_write (raw, entry);
}

static void
test_when (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autofree char *name = g_strdup_printf ("%s:%u", test_host (), test_port (1));
  AmnesiaStamp past = raw_stamp (-5000);
  AmnesiaStamp ahead = raw_stamp (10000);

  g_test_summary ("When it was is what the clock of the writer said, also for what is covered");

  amnesia_store_set_history_length (store, 100);
  send_key (raw, "a", past, RAW_ID, "1");
  test_until (count (store) == 1);
  assert_last (store, "a", TRUE, name);
  assert_last_when (store, past);
  send_key (raw, "b", ahead, RAW_ID, "2");
  test_until (count (store) == 2);
  assert_last (store, "b", TRUE, name);
  assert_last_when (store, ahead);
  /* a key that is removed, and one that a whole value covers */
  send_key (raw, "b", ahead + 1, RAW_ID, NULL);
  test_until (count (store) == 3);
  assert_last (store, "b", TRUE, name);
  send_key (raw, "", ahead + (5000 << 16), RAW_ID, "@a{sv} {}");
  test_until (count (store) == 4);
  assert_last (store, "a", TRUE, name);
  assert_last_when (store, ahead + (5000 << 16));
  /* two that come in one go */
  send_key (raw, "c", ahead + (7000 << 16), RAW_ID, "1");
  send_key (raw, "d", ahead + (6000 << 16), RAW_ID, "1");
  test_until (count (store) == 6);
  assert_when (store, 4, ahead + (7000 << 16));
  assert_when (store, 5, ahead + (6000 << 16));
  test_free_store (store);
}

static void
test_whole_by_key (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autofree char *name = g_strdup_printf ("%s:%u", test_host (), test_port (1));
  AmnesiaStamp stamp = raw_stamp (10000);

  g_test_summary ("A key can replace a whole value that is no dictionary: then it made the change");

  amnesia_store_set_history_length (store, 100);
  test_set (store, "'text'");
  assert_last (store, NULL, FALSE, amnesia_store_get_listening (store));
  send_key (raw, "a", stamp, RAW_ID, "1");
  test_until (count (store) == 2);
  test_assert_data (store, "{'a': <1>}");
  assert_last (store, NULL, TRUE, name);
  assert_last_when (store, stamp);
  test_free_store (store);
}

static void
test_unknown (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (3);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (RawPeer) raw = raw_door_accept (door);

  g_test_summary ("Who wrote what others pass on is not known, if there was never a link with it");

  raw_peer_greet (raw, RAW_ID, 1);
  test_wait_linked (store, 1);
  amnesia_store_set_history_length (store, 100);
  send_key (raw, "a", raw_stamp (10000), 99, "1");
  test_until (count (store) == 1);
  assert_last (store, "a", TRUE, NULL);
  /* not the member of entry 2, whose id is not known */
  send_key (raw, "b", raw_stamp (10000), 0, "1");
  test_until (count (store) == 2);
  assert_last (store, "b", TRUE, NULL);
  test_free_store (store);
}

typedef struct
{
  RawPeer *raw;
  guint    rounds;
} Nester;

/* Takes two values of the other side in a nested main loop. */
static void
nested_cb (AmnesiaStore *store,
           GVariant     *old_value,
           GVariant     *new_value,
           gboolean      remote,
           Nester       *nester)
{
  if (nester->rounds++ > 0)
    return;
  send_key (nester->raw, "", raw_stamp (10000), RAW_ID, "2");
  test_until (test_has_data (store, "2"));
  send_key (nester->raw, "", raw_stamp (20000), RAW_ID, "3");
  test_until (test_has_data (store, "3"));
  g_assert_cmpuint (count (store), ==, 1);
}

static void
test_joined (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (ListMirror) mirror = list_mirror_new (amnesia_store_get_history (store));
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (AmnesiaChange) second = NULL;
  Nester nester = { raw, 0 };

  g_test_summary ("Changes that are told as one are remembered one by one, and shown when told");

  amnesia_store_set_history_length (store, 100);
  g_signal_connect (store, "changed", G_CALLBACK (nested_cb), &nester);
  test_set (store, "1");
  g_assert_true (test_diary_has (diary, "changed 1 -> 3 remote"));
  g_assert_cmpuint (count (store), ==, 3);
  second = g_list_model_get_item (amnesia_store_get_history (store), 1);
  g_assert_cmpint (g_variant_get_int32 (amnesia_change_get_new (second)), ==, 2);
  assert_last (store, NULL, TRUE, amnesia_change_get_writer (second));
  g_assert_nonnull (amnesia_change_get_writer (second));
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/history-writers/members", test_members);
  g_test_add_func ("/history-writers/when", test_when);
  g_test_add_func ("/history-writers/whole-by-key", test_whole_by_key);
  g_test_add_func ("/history-writers/unknown", test_unknown);
  g_test_add_func ("/history-writers/joined", test_joined);

  return g_test_run ();
}
