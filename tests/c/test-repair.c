/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

static AmnesiaStore *
make_store (const char *text)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);

  if (text != NULL)
    test_set (store, text);
  return store;
}

/* Waits for a list of @n entries that is the only frame, and takes its first item. */
static AmnesiaListItem
wait_list (RawPeer  *raw,
           guint     n,
           gboolean *reply)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_LIST);
  g_auto (AmnesiaList) list = { 0 };
  AmnesiaListItem item = { NULL };
  g_autoptr (GError) error = NULL;

  g_assert_true (amnesia_frame_decode_list (frame, &list, &error));
  g_assert_no_error (error);
  raw_frame_free (frame);
  g_assert_cmpstr (list.from, ==, "");
  g_assert_true (list.last);
  g_assert_cmpuint (list.items->len, ==, n);
  if (reply != NULL)
    *reply = list.reply;
  if (n > 0)
    item = g_array_index (list.items, AmnesiaListItem, 0);
  item.key = NULL;
  return item;
}

/* Says hello and lists @entry, which may be NULL. */
static RawPeer *
join (guint64       id,
      AmnesiaEntry *entry)
{
  RawPeer *raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (id, 0);

  raw_peer_send_hello (raw, &hello);
  raw_peer_send_list (raw, entry, FALSE);
  return raw;
}

static gboolean
says_empty (RawPeer *raw)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_HELLO);
  g_auto (AmnesiaHello) hello = { 0 };

  amnesia_frame_decode_hello (frame, &hello);
  raw_frame_free (frame);
  return hello.empty;
}

static void
test_empty (void)
{
  AmnesiaStore *store = make_store (NULL);
  g_autoptr (RawPeer) first = raw_peer_connect (0);
  g_autoptr (RawPeer) second = NULL;
  g_autoptr (AmnesiaEntry) older = raw_entry (7, raw_stamp (-1000), "'older'");
  AmnesiaHello hello = raw_hello (7, 0);

  g_test_summary ("Who says in the hello that it has nothing gets all before it lists that, and once");

  g_assert_true (says_empty (first));
  test_set (store, "'ours'");
  second = raw_peer_connect (0);
  g_assert_false (says_empty (second));
  hello.empty = TRUE;
  raw_peer_send_hello (second, &hello);
  raw_peer_wait_write (second, "'ours'");

  /* when the second is acknowledged, the first was seen */
  raw_peer_send_list (second, NULL, FALSE);
  raw_peer_send_write (second, older);
  test_until (raw_peer_count (second, AMNESIA_FRAME_ACK) > 0);
  g_assert_cmpuint (raw_peer_count (second, AMNESIA_FRAME_WRITE), ==, 0);
  test_set (store, "'next'");
  raw_peer_wait_write (second, "'next'");

  /* later lists are answered as always */
  test_pass_time (2100);
  raw_peer_send_list (second, NULL, FALSE);
  raw_peer_wait_write (second, "'next'");
  test_free_store (store);
}

static void
test_peer_lacks (void)
{
  AmnesiaStore *store = make_store ("'ours'");
  g_autoptr (AmnesiaEntry) older = raw_entry (7, raw_stamp (-1000), "'older'");
  guint i;

  g_test_summary ("A peer that lists nothing, or something older, gets our value");

  for (i = 0; i < 2; i++)
    {
      g_autoptr (RawPeer) raw = join (7, i == 0 ? NULL : older);
      gboolean reply;
      AmnesiaListItem item = wait_list (raw, 1, &reply);

      g_assert_cmpuint (item.size, ==, 5);
      g_assert_cmphex (item.stamp & AMNESIA_STAMP_NORMAL, !=, 0);
      g_assert_false (reply);
      raw_peer_wait_write (raw, "'ours'");
      test_assert_data (store, "'ours'");
    }
  test_free_store (store);
}

static void
test_we_lack (void)
{
  AmnesiaStore *store = make_store ("'ours'");
  g_autoptr (AmnesiaEntry) newer = raw_entry (7, raw_stamp (1000), "'newer'");
  g_autoptr (RawPeer) raw = join (7, newer);

  g_test_summary ("A peer that lists something newer gets nothing; we are synced when we have it");

  wait_list (raw, 1, NULL);
  test_wait_state (store, AMNESIA_STATE_SYNCING);
  test_pass_time (100);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_WRITE), ==, 0);
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_SYNCING);
  raw_peer_send_write (raw, newer);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  test_assert_data (store, "'newer'");
  test_free_store (store);
}

static void
test_same (void)
{
  AmnesiaStore *store = make_store (NULL);
  g_autoptr (AmnesiaEntry) entry = raw_entry (7, raw_stamp (0), "'same'");
  g_autoptr (RawPeer) first = join (7, NULL);
  g_autoptr (RawPeer) second = NULL;

  g_test_summary ("A peer that has the same gets nothing");

  wait_list (first, 0, NULL);
  raw_peer_send_write (first, entry);
  test_until (test_has_data (store, "'same'"));
  second = join (8, entry);
  wait_list (second, 1, NULL);
  test_pass_time (100);
  g_assert_cmpuint (raw_peer_count (second, AMNESIA_FRAME_WRITE), ==, 0);
  g_assert_cmpuint (raw_peer_count (first, AMNESIA_FRAME_WRITE), ==, 0);
  test_free_store (store);
}

static void
test_tie (void)
{
  AmnesiaStore *store = make_store (NULL);
  AmnesiaStamp stamp = raw_stamp (0);
  g_autoptr (AmnesiaEntry) lesser = raw_entry (7, stamp, "'lesser'");
  g_autoptr (AmnesiaEntry) greater = raw_entry (G_MAXUINT64, stamp, "'greater'");
  g_autoptr (AmnesiaEntry) weak = raw_entry (9, raw_stamp (1000) & ~AMNESIA_STAMP_NORMAL, "'weak'");
  g_autoptr (RawPeer) raw = join (7, NULL);

  g_test_summary ("With one stamp the greater id wins; a weak write loses to any normal one");

  raw_peer_send_write (raw, lesser);
  raw_peer_send_write (raw, greater);
  raw_peer_send_write (raw, lesser);
  raw_peer_send_write (raw, weak);
  test_until (test_has_data (store, "'greater'"));
  test_pass_time (20);
  test_assert_data (store, "'greater'");
  test_free_store (store);
}

static void
test_beats_what_was_seen (void)
{
  AmnesiaStore *store = make_store (NULL);
  g_autoptr (AmnesiaEntry) ahead = raw_entry (7, raw_stamp (86400 * 1000), "'ahead'");
  g_autoptr (RawPeer) raw = join (7, NULL);
  g_autoptr (GPtrArray) entries = NULL;
  AmnesiaFrame *frame;
  AmnesiaEntry *entry;
  guint i;
  gboolean seen = FALSE;

  g_test_summary ("A local write beats what was seen, whatever the clocks say, and says so");

  raw_peer_send_write (raw, ahead);
  test_until (test_has_data (store, "'ahead'"));
  test_set (store, "'after'");
  frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE);
  entries = amnesia_frame_decode_write (frame, G_MAXINT, NULL);
  raw_frame_free (frame);
  entry = g_ptr_array_index (entries, 0);
  g_assert_cmpuint (entry->stamp, >, ahead->stamp);
  for (i = 0; i < entry->n_seen; i++)
    seen |= entry->seen[i].id == 7 && entry->seen[i].stamp == ahead->stamp;
  g_assert_true (seen);
  test_free_store (store);
}

static guint64
get_digest (RawPeer *raw)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_BEAT);
  AmnesiaBeat beat;

  amnesia_frame_decode_beat (frame, &beat);
  raw_frame_free (frame);
  return beat.digest;
}

static void
test_digest (void)
{
  AmnesiaStore *store = make_store (NULL);
  g_autoptr (AmnesiaEntry) entry = raw_entry (7, raw_stamp (0), "'value'");
  g_autoptr (AmnesiaEntry) twin = raw_entry (7, entry->stamp, "'other bytes'");
  g_autoptr (RawPeer) raw = join (7, NULL);

  g_test_summary ("The digest in a heartbeat is over key, stamp and id");

  raw_peer_skip_beat (raw);
  raw_peer_send_write (raw, entry);
  test_until (test_has_data (store, "'value'"));
  g_assert_cmphex (get_digest (raw), ==, amnesia_entry_hash (entry));
  g_assert_cmphex (amnesia_entry_hash (twin), ==, amnesia_entry_hash (entry));
  test_free_store (store);
}

static void
test_small_peer (void)
{
  AmnesiaStore *store = make_store (NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (7, 0);
  g_autofree char *zeros = g_malloc0 (2000);
  guint i;

  g_test_summary ("What is above the peer's max-size is left out of its digest, and not sent");

  hello.max_size = 1024;
  raw_peer_send_hello (raw, &hello);
  raw_peer_send_list (raw, NULL, FALSE);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  raw_peer_skip_beat (raw);
  amnesia_store_set_data (store, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, 2000, 1));
  wait_list (raw, 0, NULL);
  g_assert_cmphex (get_digest (raw), ==, 0);
  for (i = 0; i < 3; i++)
    raw_peer_send_beat (raw, 0);
  test_pass_time (100);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_LIST), ==, 0);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_WRITE), ==, 0);
  test_free_store (store);
}

static void
test_missed (void)
{
  AmnesiaStore *store = make_store (NULL);
  g_autoptr (AmnesiaEntry) entry = raw_entry (1, raw_stamp (0), "'missed'");
  g_autoptr (RawPeer) one = join (1, NULL);
  g_autoptr (RawPeer) two = join (2, NULL);
  gboolean reply;

  g_test_summary ("What was not forwarded, for a stale list of links, comes with the digests");

  test_wait_linked (store, 2);
  wait_list (two, 0, NULL);
  raw_peer_send_links (two, 1, (guint64) 0);
  test_pass_time (20);
  raw_peer_send_write (one, entry);
  test_until (test_has_data (store, "'missed'"));
  test_pass_time (100);
  g_assert_cmpuint (raw_peer_count (two, AMNESIA_FRAME_WRITE), ==, 0);

  /* the first one does not count */
  raw_peer_send_beat (two, 0);
  raw_peer_send_beat (two, 0);
  test_pass_time (100);
  g_assert_cmpuint (raw_peer_count (two, AMNESIA_FRAME_LIST), ==, 0);
  raw_peer_send_beat (two, 0);
  wait_list (two, 1, &reply);
  g_assert_true (reply);
  test_pass_time (2000);
  raw_peer_send_list (two, NULL, FALSE);
  raw_peer_wait_write (two, "'missed'");
  test_free_store (store);
}

static void
test_exchange_rate (void)
{
  AmnesiaStore *store = make_store ("'ours'");
  g_autoptr (RawPeer) raw = join (1, NULL);
  gint64 start = g_get_monotonic_time ();
  guint i;

  g_test_summary ("However many digests differ, lists go at most once per 4 s");

  wait_list (raw, 1, NULL);
  for (i = 0; i < 20; i++)
    raw_peer_send_beat (raw, 0);
  wait_list (raw, 1, NULL);
  while (raw_peer_count (raw, AMNESIA_FRAME_LIST) == 0)
    {
      raw_peer_send_beat (raw, 0);
      test_pass_time (100);
    }
  g_assert_cmpint (g_get_monotonic_time () - start, >, 3900 * 1000);
  g_assert_cmpint (g_get_monotonic_time () - start, <, test_slowness () * 6000 * 1000);
  test_free_store (store);
}

static void
test_reply (void)
{
  AmnesiaStore *store = make_store ("'ours'");
  g_autoptr (RawPeer) raw = join (1, NULL);
  g_autoptr (AmnesiaEntry) newer = raw_entry (1, raw_stamp (1000), "'newer'");
  gboolean reply;

  g_test_summary ("A list that asks for a reply gets ours, which asks for none");

  wait_list (raw, 1, NULL);
  raw_peer_wait_write (raw, "'ours'");
  test_pass_time (2000);
  raw_peer_send_list (raw, newer, TRUE);
  wait_list (raw, 1, &reply);
  g_assert_false (reply);
  raw_peer_send_write (raw, newer);
  test_until (test_has_data (store, "'newer'"));
  test_free_store (store);
}

static void
test_both_directions (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = amnesia_store_new ();
  guint round;

  g_test_summary ("Whichever side has the newer value when a link begins, both have it then");

  for (round = 0; round < 6; round++)
    {
      test_set (round % 2 == 0 ? a : b, "'older'");
      test_pass_time (3);
      test_set (round % 2 == 0 ? b : a, "'newer'");
      amnesia_store_set_conf (b, conf);
      test_wait_state (b, AMNESIA_STATE_SYNCED);
      test_assert_data (b, "'newer'");
      test_until (test_has_data (a, "'newer'"));
      amnesia_store_close_sync (b, NULL, NULL);
      amnesia_store_set_conf (b, NULL);
      test_wait_state (a, AMNESIA_STATE_ALONE);
    }
  test_free_store (a);
  test_free_store (b);
}

static void
test_unset_is_newer (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = amnesia_store_new ();

  g_test_summary ("Unset is a write like any other: an older value does not come back");

  test_set (b, "'older'");
  test_pass_time (3);
  amnesia_store_set_data (a, NULL);
  amnesia_store_set_conf (b, conf);
  test_wait_state (b, AMNESIA_STATE_SYNCED);
  test_assert_data (b, NULL);
  test_assert_data (a, NULL);
  test_free_store (a);
  test_free_store (b);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/repair/empty", test_empty);
  g_test_add_func ("/repair/peer-lacks", test_peer_lacks);
  g_test_add_func ("/repair/we-lack", test_we_lack);
  g_test_add_func ("/repair/same", test_same);
  g_test_add_func ("/repair/K8-tie", test_tie);
  g_test_add_func ("/repair/beats-what-was-seen", test_beats_what_was_seen);
  g_test_add_func ("/repair/digest", test_digest);
  g_test_add_func ("/repair/small-peer", test_small_peer);
  g_test_add_func ("/repair/missed", test_missed);
  g_test_add_func ("/repair/exchange-rate", test_exchange_rate);
  g_test_add_func ("/repair/reply", test_reply);
  g_test_add_func ("/repair/both-directions", test_both_directions);
  g_test_add_func ("/repair/V7-unset-is-newer", test_unset_is_newer);
  return g_test_run ();
}
