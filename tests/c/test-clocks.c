/* SPDX-License-Identifier: MIT */

/* Clocks that disagree, stand still, jump or lie: the rows K of the catalogue. */

#include "raw-peer.h"

#include "replica/amnesia-replica-private.h"

#define NOW G_GINT64_CONSTANT (1700000000000)
#define MINUTE_MS G_GINT64_CONSTANT (60000)
#define HOUR_MS (60 * MINUTE_MS)
#define YEAR_MS (365 * 24 * HOUR_MS)

static gint32
get_number (AmnesiaReplica *replica)
{
  return g_variant_get_int32 (amnesia_replica_get_value (replica));
}

/* A write at @wall by the writer's clock, which @other, by its own, takes or not. */
static AmnesiaMerge
write_and_send (AmnesiaReplica *writer,
                gint64          wall,
                gint32          number,
                AmnesiaReplica *other,
                gint64          other_wall)
{
  AmnesiaEntry *entry = amnesia_replica_write (writer, wall, "", g_variant_new_int32 (number));

  return amnesia_replica_merge (other, other_wall, entry);
}

static void
test_turns (void)
{
  static const gint64 offsets[] = { 10 * MINUTE_MS, -10 * MINUTE_MS, 0, YEAR_MS - HOUR_MS };
  guint i;

  g_test_summary ("Whatever the clocks say, who has seen a write beats it: 100 turns");

  for (i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (AmnesiaReplica) a = amnesia_replica_new (1);
      g_autoptr (AmnesiaReplica) b = amnesia_replica_new (2);
      AmnesiaReplica *replicas[2] = { a, b };
      gint32 turn;

      for (turn = 0; turn < 100; turn++)
        {
          gint64 walls[2] = { NOW + turn * 500, NOW + turn * 500 + offsets[i] };
          guint writer = turn % 2;

          g_assert_cmpint (write_and_send (replicas[writer], walls[writer], turn,
                                           replicas[!writer], walls[!writer]), ==,
                           AMNESIA_MERGE_TAKEN);
          g_assert_cmpint (get_number (replicas[0]), ==, turn);
          g_assert_cmpint (get_number (replicas[1]), ==, turn);
        }
    }
}

static void
test_same_moment (void)
{
  g_autoptr (AmnesiaReplica) a = amnesia_replica_new (1);
  g_autoptr (AmnesiaReplica) b = amnesia_replica_new (2);
  gint32 i;

  g_test_summary ("Two frozen clocks, all stamps alike: the id decides, and both sides agree");

  for (i = 0; i < 1000; i++)
    {
      g_autoptr (AmnesiaEntry) one = NULL;
      g_autoptr (AmnesiaEntry) two = NULL;

      one = amnesia_entry_ref (amnesia_replica_write (a, NOW, "", g_variant_new_int32 (2 * i)));
      two = amnesia_entry_ref (amnesia_replica_write (b, NOW, "", g_variant_new_int32 (2 * i + 1)));
      g_assert_cmphex (one->stamp, ==, two->stamp);
      g_assert_cmpint (amnesia_replica_merge (b, NOW, one), ==, AMNESIA_MERGE_OLD);
      g_assert_cmpint (amnesia_replica_merge (a, NOW, two), ==, AMNESIA_MERGE_TAKEN);
      g_assert_cmpint (get_number (a), ==, 2 * i + 1);
      g_assert_cmpint (get_number (b), ==, 2 * i + 1);
    }
}

/* A store on entry 0 with a raw peer that holds @entry. */
static RawPeer *
join_with (AmnesiaEntry *entry)
{
  RawPeer *raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (entry->id, 0);

  raw_peer_send_hello (raw, &hello);
  raw_peer_send_list (raw, entry, FALSE);
  raw_peer_send_write (raw, entry);
  return raw;
}

static void
test_restart (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (AmnesiaEntry) before = raw_entry (7, raw_stamp (HOUR_MS), "'before'");
  g_autoptr (RawPeer) raw = NULL;

  g_test_summary ("Restarted an hour behind: a write before the sync may lose, and that is told; "
                  "after it all writes win");

  test_set (store, "'too early'");
  amnesia_store_set_conf (store, conf);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  raw = join_with (before);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  test_assert_data (store, "'before'");
  g_assert_true (test_diary_has (diary, "changed 'too early' -> 'before' remote"));

  test_set (store, "'after'");
  {
    AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE);
    g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, G_MAXINT, NULL);
    AmnesiaEntry *entry = g_ptr_array_index (entries, 0);

    g_assert_cmpint (amnesia_entry_compare (entry, before), >, 0);
    raw_frame_free (frame);
  }
  raw_peer_send_write (raw, before);
  test_pass_time (50);
  test_assert_data (store, "'after'");
  test_free_store (store);
}

static void
test_probe (void)
{
  static const AmnesiaStamp refused[] = {
    G_MAXUINT64, G_MAXUINT64 - 1, AMNESIA_STAMP_NORMAL | (AMNESIA_STAMP_NORMAL - 65536),
    AMNESIA_STAMP_NORMAL - 1,
  };
  static const AmnesiaStamp old[] = { 0, 1, 65535, AMNESIA_STAMP_NORMAL, AMNESIA_STAMP_NORMAL + 1 };
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (TestDiary) diary = NULL;
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GDateTime) updated = NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  AmnesiaPeer *peer;
  guint i;

  g_test_summary ("Stamps at the ends: the last are refused and move no clock, the first just lose");

  test_set (store, "'kept'");
  diary = test_diary_new (store);
  raw_peer_greet (raw, 7, 0);
  test_wait_linked (store, 1);
  for (i = 0; i < G_N_ELEMENTS (refused) + G_N_ELEMENTS (old); i++)
    {
      g_autoptr (AmnesiaEntry) entry =
        raw_entry (G_MAXUINT64 - i, i < G_N_ELEMENTS (refused) ? refused[i]
                                                 : old[i - G_N_ELEMENTS (refused)], "'wrong'");

      raw_peer_send_write (raw, entry);
    }
  peer = g_list_model_get_item (amnesia_store_get_peers (store), 0);
  test_until (g_error_matches (amnesia_peer_get_last_error (peer), AMNESIA_ERROR,
                               AMNESIA_ERROR_CLOCK));
  test_pass_time (50);
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 0);
  g_assert_cmpuint (test_diary_count (diary, "updated"), ==, 0);
  g_assert_false (raw->closed);
  g_object_unref (peer);

  test_set (store, "'own'");
  updated = amnesia_store_get_updated (store);
  g_assert_cmpint (g_date_time_difference (updated, now), <, G_TIME_SPAN_MINUTE);
  test_free_store (store);
}

static void
test_first_stamp (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (AmnesiaEntry) first = raw_entry (7, 0, "'first'");
  g_autoptr (RawPeer) raw = join_with (first);
  g_autoptr (GDateTime) updated = NULL;

  g_test_summary ("The stamp 0, a weak write of 1970, is a first value: the past is never refused");

  test_until (test_has_data (store, "'first'"));
  updated = amnesia_store_get_updated (store);
  g_assert_cmpint (g_date_time_to_unix (updated), ==, 0);
  test_set (store, "'own'");
  test_assert_data (store, "'own'");
  test_free_store (store);
}

static void
test_updated (void)
{
  static const gint64 offsets[] = { -YEAR_MS, 0, HOUR_MS, YEAR_MS - HOUR_MS, 2 * YEAR_MS };
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  guint i;

  g_test_summary ("`updated` is the time in the stamp, and never more than a year ahead");

  for (i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (AmnesiaEntry) entry = raw_entry (7 + i, raw_stamp (offsets[i]) + 77, "'x'");
      g_autoptr (RawPeer) raw = join_with (entry);
      g_autoptr (GDateTime) updated = NULL;
      gint64 wall = amnesia_stamp_get_wall (entry->stamp), told;

      raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_ACK));
      test_drain ();
      updated = amnesia_store_get_updated (store);
      told = g_date_time_to_unix (updated) * 1000 + g_date_time_get_microsecond (updated) / 1000;
      if (offsets[i] <= YEAR_MS)
        g_assert_cmpint (told, ==, wall);
      g_assert_cmpint (told, <=, g_get_real_time () / 1000 + YEAR_MS);
    }
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clocks/K1-turns", test_turns);
  g_test_add_func ("/clocks/K3-restart", test_restart);
  g_test_add_func ("/clocks/K5-probe", test_probe);
  g_test_add_func ("/clocks/K5-first-stamp", test_first_stamp);
  g_test_add_func ("/clocks/K8-same-moment", test_same_moment);
  g_test_add_func ("/clocks/K9-updated", test_updated);
  return g_test_run ();
}
