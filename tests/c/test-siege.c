/* SPDX-License-Identifier: MIT */

/* What a second adversary found: see the summaries. */

#include "live-member.h"
#include "mesh/amnesia-inspector-private.h"
#include "mesh/amnesia-link-private.h"
#include "wire-bytes.h"

#define ID 7

/* --- a blocking call in a handler --- */

typedef struct
{
  AmnesiaStore *peer;
  GCancellable *cancellable;
  GError       *open_error, *close_error;
} Handler;

/* So that the test ends. */
static gboolean
give_up_cb (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static void
block_cb (AmnesiaStore *store,
          GVariant     *old_value,
          GVariant     *new_value,
          gboolean      remote,
          Handler      *handler)
{
  if (remote || handler->open_error != NULL)
    return;
  test_let_millisecond_pass ();
  test_set (handler->peer, "2");
  amnesia_store_open_sync (store, handler->cancellable, &handler->open_error);
  g_cancellable_reset (handler->cancellable);
  amnesia_store_close_sync (store, handler->cancellable, &handler->close_error);
}

static void
test_block_in_handler (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Handler handler = { test_store (conf), cancellable, NULL, NULL };
  AmnesiaStore *store = test_new_store (conf);
  guint end;

  g_test_summary ("Blocking in a handler, outside of any dispatch, fails at once: what it would wait "
                  "for is told after the transitions that wait for the handler");

  end = g_timeout_add (8000, give_up_cb, cancellable);
  g_signal_connect (store, "changed", G_CALLBACK (block_cb), &handler);
  test_set (store, "1");
  g_assert_error (handler.open_error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT);
  g_assert_error (handler.close_error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT);
  g_source_remove (end);
  g_clear_error (&handler.open_error);
  g_clear_error (&handler.close_error);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  test_free_store (store);
  test_free_store (handler.peer);
}

/* --- keys that are written while others wait --- */

#define MANY 60000

static gint64
pull_one (AmnesiaLink *link,
          AmnesiaTime  now)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  gint64 start = g_get_monotonic_time ();

  g_assert_true (amnesia_link_pull (link, now, &packet, NULL));
  return g_get_monotonic_time () - start;
}

static void
write_key (AmnesiaLink *link,
           AmnesiaTime  now,
           guint        i)
{
  g_autofree char *key = g_strdup_printf ("%u", i);

  amnesia_replica_write (link->local->replica, now.wall / 1000, key, g_variant_new_byte (1));
  amnesia_link_mark (link, key);
}

static void
test_written_meanwhile (void)
{
  AmnesiaLocal local = { .replica = amnesia_replica_new (5), .max_size = 1 << 20 };
  AmnesiaTime now = { 1000 * G_TIME_SPAN_SECOND, g_get_real_time () };
  AmnesiaLink *link = amnesia_link_new (&local, "host", 1, FALSE, 0, now);
  gint64 first, others = 0;
  guint i;

  g_test_summary ("Each key that is written while many wait does not have all of them sorted anew");

  link->state = AMNESIA_LINK_UP;
  link->hello_sent = TRUE;
  link->peer_id = ID;
  link->next_beat = G_MAXINT64;
  link->repair.peer_max_size = local.max_size;
  link->repair.listed = TRUE;
  for (i = 0; i < MANY; i++)
    write_key (link, now, i);
  first = pull_one (link, now);
  for (i = 0; i < 200; i++)
    {
      write_key (link, now, i % 2 ? i : MANY + i);
      others += pull_one (link, now);
    }
  g_test_message ("figure: the first %" G_GINT64_FORMAT " us, 200 others %" G_GINT64_FORMAT " us",
                  first, others);
  g_assert_cmpint (others, <, 10 * first); /* it was 200 */
  for (; amnesia_link_count_marks (link) > 0; i++)
    pull_one (link, now);
  g_assert_cmpuint (link->values_sent, >=, MANY);
  amnesia_link_free (link);
  amnesia_replica_free (local.replica);
}

/* --- checks that nobody waits for --- */

static AmnesiaInspection *
begin_check (AmnesiaInspector *inspector,
             GSource          *source,
             guint             n,
             GDestroyNotify    gone,
             gpointer          data)
{
  g_autoptr (GVariant) header = g_variant_ref_sink (g_variant_new_parsed (
    "(uint64 1, uint64 7, @a(tt) [], [('', 'ab', %t)], @a{sv} {})", (guint64) n));
  guint8 *bytes = g_malloc0 (n);
  AmnesiaFrame frame = { .kind = AMNESIA_FRAME_WRITE };

  g_object_set_data_full (data, "bytes", bytes, g_free);
  frame.header = g_variant_ref (header);
  frame.payload = g_bytes_new_with_free_func (bytes, n, gone, data);
  return amnesia_inspector_begin (inspector, &frame, n, source);
}

static void
count_gone (gpointer data)
{
  g_object_set_data (data, "gone", GINT_TO_POINTER (TRUE));
}

static gboolean
is_gone (GObject *object)
{
  return g_object_get_data (object, "gone") != NULL;
}

static void
test_cancelled_in_line (void)
{
  AmnesiaInspector *inspector = amnesia_inspector_new ();
  GSource *source = g_timeout_source_new (1000000);
  g_autoptr (GObject) first = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GObject) second = g_object_new (G_TYPE_OBJECT, NULL);
  AmnesiaInspection *checks[2];

  g_test_summary ("A value that waits for its check, and whose link has gone, takes no memory");

  g_source_attach (source, NULL);
  checks[0] = begin_check (inspector, source, 64 << 20, count_gone, first);
  checks[1] = begin_check (inspector, source, 1 << 20, count_gone, second);
  amnesia_inspection_cancel (checks[1]);
  g_assert_true (is_gone (second));
  g_assert_false (is_gone (first));
  amnesia_inspection_cancel (checks[0]);
  test_until (is_gone (first));
  g_source_destroy (source);
  g_source_unref (source);
  amnesia_inspector_free (inspector);
}

/* --- a peer that checks for long --- */

static gboolean
set_ab (AmnesiaStore *store,
        gsize         size)
{
  guint8 *bytes = g_malloc0 (size);
  g_autoptr (GBytes) owned = g_bytes_new_take (bytes, size);

  return amnesia_store_write (store, g_variant_new_from_bytes (G_VARIANT_TYPE ("ab"), owned, TRUE),
                              NULL);
}

/* Talks, and reads nothing, for so long. */
static void
be_busy (RawPeer *raw,
         guint    seconds)
{
  guint i;

  raw_peer_set_reading (raw, FALSE);
  for (i = 0; i < 2 * seconds; i++)
    {
      raw_peer_send_beat (raw, 0);
      test_pass_time (500);
    }
}

static void
test_slow_check (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);

  g_test_summary ("A peer that has a large value is not cut while it checks that and takes no other; "
                  "one that takes nothing all the same is");

  raw_peer_greet (raw, ID, 0);
  test_wait_linked (store, 1);
  set_ab (store, 3 << 20);
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE));
  raw_peer_set_reading (raw, FALSE);
  set_ab (store, 15 << 20);
  be_busy (raw, 11);
  g_assert_cmpuint (test_n_linked (store), ==, 1);
  raw_peer_send_ack (raw, 1);
  be_busy (raw, 3);
  g_assert_cmpuint (test_n_linked (store), ==, 1);
  raw_peer_set_reading (raw, TRUE);
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE));
  g_assert_false (raw->closed);
  test_free_store (store);
}

/* What only a link can know: for how long. */
static void
test_stall_time (void)
{
  AmnesiaLocal local = { .replica = amnesia_replica_new (5), .max_size = 8 << 20 };
  AmnesiaTime now = { 1000 * G_TIME_SPAN_SECOND, g_get_real_time () };
  AmnesiaLink *link = amnesia_link_new (&local, "host", 1, FALSE, 0, now);
  guint i;

  g_test_summary ("It is waited for ten seconds, and one for each MiB that it has not acknowledged");

  link->state = AMNESIA_LINK_UP;
  link->hello_sent = TRUE;
  link->peer_id = ID;
  link->next_beat = G_MAXINT64;
  link->repair.peer_max_size = local.max_size;
  link->repair.listed = TRUE;
  for (i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (4 << 20), 4 << 20);

      amnesia_replica_write (local.replica, now.wall / 1000, "",
                             g_variant_new_from_bytes (G_VARIANT_TYPE ("ay"), bytes, TRUE));
      amnesia_link_mark (link, "");
      pull_one (link, now);
      amnesia_link_sent (link, i == 0, now);
    }
  now.mono += 13 * G_TIME_SPAN_SECOND;
  amnesia_link_heard (link, 1, now);
  g_assert_true (amnesia_link_tick (link, now, NULL));
  g_assert_cmpint (amnesia_link_get_deadline (link, now), >, now.mono);
  now.mono += 2 * G_TIME_SPAN_SECOND;
  amnesia_link_heard (link, 1, now);
  g_assert_false (amnesia_link_tick (link, now, NULL));
  amnesia_link_free (link);
  amnesia_replica_free (local.replica);
}

/* --- many who send as fast as they can --- */

#define N_FLOODS 60

typedef struct
{
  RawPeer    *peers[N_FLOODS];
  gsize       at[N_FLOODS];
  GByteArray *bytes;
  int         stop; /* atomic */
} Flood;

static gpointer
flood_thread (gpointer user_data)
{
  Flood *flood = user_data;
  guint i;

  while (!g_atomic_int_get (&flood->stop))
    for (i = 0; i < N_FLOODS; i++)
      {
        gsize at = flood->at[i];
        gssize sent = g_socket_send (flood->peers[i]->socket, (char *) flood->bytes->data + at,
                                     flood->bytes->len - at, NULL, NULL);

        flood->at[i] = (at + (gsize) MAX (sent, 0)) % flood->bytes->len;
      }
  return NULL;
}

static gboolean
all_are_answered (Flood *flood)
{
  guint i;

  for (i = 0; i < N_FLOODS; i++)
    if (raw_peer_count (flood->peers[i], AMNESIA_FRAME_ACK) < 2)
      return FALSE;
  return TRUE;
}

static void
test_many_floods (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (AmnesiaEntry) entry = raw_entry (ID, 1, "'old'");
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  Flood flood = { .bytes = bytes };
  LiveStats stats;
  GThread *thread;
  guint i;

  g_test_summary ("Many who send as fast as they can share one slice of each turn of the loop");

  for (i = 0; i < 4000; i++)
    wire_add_entry (bytes, entry);
  for (i = 0; i < N_FLOODS; i++)
    {
      flood.peers[i] = raw_peer_connect (0);
      raw_peer_greet (flood.peers[i], ID + i, 0);
    }
  test_until (live_member_look (member).linked == N_FLOODS);
  live_member_forget (member);
  thread = g_thread_new ("flood", flood_thread, &flood);
  test_pass_time (2000);
  test_until (all_are_answered (&flood));
  stats = live_member_look (member);
  g_atomic_int_set (&flood.stop, TRUE);
  g_thread_join (thread);
  g_test_message ("figure: blocked %" G_GINT64_FORMAT " us at most", stats.blocked);
  for (i = 0; i < N_FLOODS; i++)
    raw_peer_free (flood.peers[i]);
  live_assert_unblocked (stats);
}

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/siege/block-in-handler", test_block_in_handler);
  g_test_add_func ("/siege/written-meanwhile", test_written_meanwhile);
  g_test_add_func ("/siege/cancelled-in-line", test_cancelled_in_line);
  g_test_add_func ("/siege/slow-check", test_slow_check);
  g_test_add_func ("/siege/stall-time", test_stall_time);
  g_test_add_func ("/siege/many-floods", test_many_floods);
  return g_test_run ();
}
