/* SPDX-License-Identifier: MIT */

/* Who is slow, silent, or gone. Each test is named after a row of the table in tests/README.md. */

#include "live-member.h"
#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-link-private.h"
#include "wire-bytes.h"

#include <sys/socket.h>

#define SECOND G_TIME_SPAN_SECOND
#define ID 7
#define MIB (1024 * 1024)

/* --- one byte now and then --- */

typedef struct
{
  RawPeer    *raw;
  GByteArray *bytes;
  gsize       sent;
  gint64      closed_after; /* 0: it is not */
} Dribbler;

static void
dribble (Dribbler *self,
         gsize     size,
         gint64    start)
{
  if (self->raw->closed && self->closed_after == 0)
    self->closed_after = g_get_monotonic_time () - start;
  size = MIN (size, self->bytes->len - self->sent);
  raw_peer_send_bytes (self->raw, self->bytes->data + self->sent, size);
  self->sent += size;
}

static void
dribbler_clear (Dribbler *self)
{
  raw_peer_free (self->raw);
  g_byte_array_unref (self->bytes);
}

/* 0 dribbles its hello, 1 what comes after it, 2 a large value; 3 brings 16 KiB of one in 4 s, which is
 * slow, but gets on. */
static void
test_dribble (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  Dribbler all[4];
  gint64 start;
  g_autofree guint8 *zeros = g_malloc0 (MIB);
  guint i;

  g_test_summary ("A byte now and then keeps neither a hello nor a frame waiting for ever");

  for (i = 0; i < 4; i++)
    {
      all[i] = (Dribbler) { raw_peer_connect (0), wire_hello (ID + i), 0, 0 };
      if (i > 0)
        raw_peer_send_bytes (all[i].raw, all[i].bytes->data, all[i].bytes->len);
      if (i > 0)
        all[i].sent = all[i].bytes->len;
      if (i > 1)
        wire_add_list (all[i].bytes, NULL, FALSE);
      wire_add_value (all[i].bytes, raw_stamp (0), "ay", zeros, MIB);
      if (i > 1)
        dribble (&all[i], 200, 0);
    }
  start = g_get_monotonic_time ();
  while (g_get_monotonic_time () - start < 13 * SECOND)
    {
      for (i = 0; i < 4; i++)
        dribble (&all[i], i == 3 ? 820 : 1, start);
      test_pass_time (200);
    }
  for (i = 0; i < 4; i++)
    g_test_message ("figure: %u: %.1f s", i, all[i].closed_after / (double) SECOND);
  g_assert_cmpint (ABS (all[0].closed_after - AMNESIA_HELLO_DEADLINE), <,
                   test_slowness () * SECOND);
  g_assert_cmpint (ABS (all[1].closed_after - AMNESIA_PACE_AFTER), <,
                   test_slowness () * 2 * SECOND);
  g_assert_cmpint (ABS (all[2].closed_after - AMNESIA_PACE_AFTER), <,
                   test_slowness () * 2 * SECOND);
  g_assert_cmpint (all[3].closed_after, ==, 0);
  for (i = 0; i < 4; i++)
    dribbler_clear (&all[i]);
  live_member_assert_well (member);
}

static AmnesiaLink *
make_link (AmnesiaLocal *local,
           AmnesiaTime   now)
{
  AmnesiaHello hello = raw_hello (ID, 0);
  g_autoptr (GVariant) header = NULL;
  g_auto (AmnesiaReceipt) receipt = { 0 };
  g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_HELLO };
  AmnesiaLink *link;

  *local = (AmnesiaLocal) { .replica = amnesia_replica_new (5), .group = (char *) "",
                            .host = (char *) "", .max_size = MIB };
  link = amnesia_link_new (local, "host", 1, FALSE, 0, now);
  frame.header = g_variant_ref_sink (
    g_variant_new_parsed ("(uint16 1, uint16 1, uint64 7, '', '', uint16 0, %x, uint64 1000, "
                          "@a{sv} {})", hello.wall));
  g_assert_true (amnesia_link_receive (link, &frame, now, &receipt, NULL));
  return link;
}

/* The same without sockets, by clocks that are ours. */
static void
test_pace (void)
{
  AmnesiaLocal local;
  AmnesiaTime now = { 1000 * SECOND, 1000000 * SECOND };
  AmnesiaLink *link = make_link (&local, now);
  g_autoptr (GError) error = NULL;
  guint i;

  g_test_summary ("A frame gets on by 16 KiB in 10 s, or the link is dead; not if we were asleep, or "
                  "are at what came");

  /* 16 KiB in 9.6 s, again and again */
  for (i = 0; i < 100; i++)
    {
      now.mono += 600 * AMNESIA_MS;
      amnesia_link_heard (link, 4096, now);
      amnesia_link_arriving (link, 1024, TRUE, now);
      g_assert_true (amnesia_link_tick (link, now, NULL));
    }
  /* between frames there is no hurry */
  amnesia_link_arriving (link, 10, FALSE, now);
  now.mono += 5 * SECOND;
  amnesia_link_heard (link, 4096, now);
  amnesia_link_arriving (link, 1, TRUE, now);
  now.mono += 5 * SECOND;
  amnesia_link_heard (link, 4096, now);
  g_assert_true (amnesia_link_tick (link, now, NULL));
  /* a sleep is forgiven */
  now.mono += 60 * SECOND;
  amnesia_link_forgive (link, now);
  g_assert_true (amnesia_link_tick (link, now, NULL));
  /* while we are at what came nobody is to blame */
  amnesia_link_arriving (link, 0, FALSE, now);
  amnesia_link_set_busy (link, TRUE, now);
  now.mono += 60 * SECOND;
  g_assert_true (amnesia_link_tick (link, now, NULL));
  amnesia_link_set_busy (link, FALSE, now);
  g_assert_true (amnesia_link_tick (link, now, NULL));

  for (i = 0; i < 49; i++)
    {
      amnesia_link_heard (link, 4096, now);
      amnesia_link_arriving (link, 1, TRUE, now);
      g_assert_true (amnesia_link_tick (link, now, &error));
      g_assert_cmpint (amnesia_link_get_deadline (link, now), >, now.mono - AMNESIA_BEAT_INTERVAL * 100);
      now.mono += 200 * AMNESIA_MS;
    }
  now.mono += 200 * AMNESIA_MS;
  amnesia_link_heard (link, 4096, now);
  g_assert_false (amnesia_link_tick (link, now, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TIMED_OUT);
  amnesia_link_free (link);
  amnesia_replica_free (local.replica);
}

/* --- who goes in the middle --- */

/* 0: closes its side, then all; 1: closes at once; 2: resets the connection. */
static void
cut_off (GByteArray *session,
         gsize       size,
         guint       way)
{
  RawPeer *raw = raw_peer_connect (0);
  const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

  raw_peer_send_bytes (raw, session->data, size);
  if (way == 0)
    {
      g_socket_shutdown (raw->socket, FALSE, TRUE, NULL);
      raw_peer_wait_closed (raw);
    }
  else if (way == 2)
    setsockopt (g_socket_get_fd (raw->socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  raw_peer_free (raw);
}

static void
test_cuts (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (GByteArray) session = wire_hello (ID);
  g_autoptr (AmnesiaEntry) entry = raw_entry (ID, raw_stamp (10), "'a value of some length'");
  LiveStats before = live_member_look (member), after;
  gsize size;
  guint way;

  g_test_summary ("Who goes in the middle leaves nothing behind, wherever that is, and however");

  wire_add_list (session, NULL, FALSE);
  wire_add_entry (session, entry);
  for (way = 0; way < 3; way++)
    for (size = 0; size < session->len; size += way == 0 ? 1 : 3)
      cut_off (session, size, way);
  after = live_member_look (member);
  g_assert_cmpint (after.changed, ==, before.changed);
  live_member_assert_well (member);
}

static void
test_cut_dialled (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (LiveMember) member = live_member_new (2, NULL);
  g_autoptr (GByteArray) session = wire_hello (ID);
  g_autoptr (AmnesiaEntry) entry = raw_entry (ID, raw_stamp (0), "'half'");
  const gsize sizes[] = { 0, 5, AMNESIA_PREAMBLE_SIZE, 50, session->len, session->len + 40 };
  RawPeer *raw;
  guint i;

  g_test_summary ("Whom it dials and who goes in the middle is dialled again");

  wire_add_entry (session, entry);
  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      raw = raw_door_accept (door);
      raw_peer_send_bytes (raw, session->data, sizes[i]);
      raw_peer_free (raw);
    }
  raw = raw_door_accept (door);
  live_member_assert_has (member, "'kept'");
  raw_peer_greet (raw, ID, 1);
  test_until (live_member_look (member).linked == 1);
  raw_peer_free (raw);
  live_assert_unblocked (live_member_look (member));
}

/* --- who reads nothing --- */

/* Lets a good peer take a new value @n times; returns how long the slowest took. */
static gint64
time_values (LiveMember *member,
             RawPeer    *good,
             guint       n)
{
  gint64 worst = 0;
  guint i;

  for (i = 0; i < n; i++)
    {
      g_autofree char *text = g_strdup_printf ("'value %u'", i);
      gint64 start = g_get_monotonic_time ();
      AmnesiaFrame *frame;

      live_member_set (member, text);
      frame = raw_peer_wait_frame (good, AMNESIA_FRAME_WRITE);
      worst = MAX (worst, g_get_monotonic_time () - start);
      raw_assert_write (frame, text);
      raw_frame_free (frame);
    }
  return worst;
}

static void
send_beats (RawPeer **peers,
            guint     n)
{
  guint i;

  for (i = 0; i < n; i++)
    raw_peer_send_beat (peers[i], 0);
}

/* Three read nothing, each with 8 MiB in flight; they are closed in time, and meanwhile cost no more
 * than the value, and nobody else any time. */
static void
test_no_readers (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  RawPeer *peers[4];
  LiveStats before, after;
  gint64 start, worst = 0;
  guint i;

  g_test_summary ("Who reads nothing costs one frame, slows nobody down, and is given up in time");

  for (i = 0; i < 4; i++)
    {
      peers[i] = raw_peer_connect (0);
      raw_peer_greet (peers[i], ID + i, 0);
      if (i < 3)
        raw_peer_set_reading (peers[i], FALSE);
      test_until (live_member_look (member).linked == i + 1);
    }
  raw_frame_free (raw_peer_wait_frame (peers[3], AMNESIA_FRAME_WRITE));
  before = live_member_look (member);
  live_member_forget (member);
  g_free (live_member_ask (member, "bytes %u", 8 * MIB));
  raw_frame_free (raw_peer_wait_frame (peers[3], AMNESIA_FRAME_WRITE));
  start = g_get_monotonic_time ();
  do
    {
      worst = MAX (worst, time_values (member, peers[3], 10));
      send_beats (peers, 4);
      test_pass_time (200);
      after = live_member_look (member);
    }
  while (after.linked > 1 && g_get_monotonic_time () - start < 14 * SECOND);
  g_test_message ("figure: given up after %.1f s, a good one waited %" G_GINT64_FORMAT " us at most, "
                  "peak %" G_GINT64_FORMAT " KiB",
                  (g_get_monotonic_time () - start) / (double) SECOND, worst,
                  after.peak - before.rss);
  g_assert_cmpint (after.linked, ==, 1);
  g_assert_cmpint (g_get_monotonic_time () - start, >, 5 * SECOND);
  g_assert_cmpint (after.peak - before.rss, <, 3 * 8 * 1024 * live_slack ());
  g_assert_cmpint (worst, <, 500 * AMNESIA_MS * live_slack ());
  live_assert_unblocked (after);
  for (i = 0; i < 4; i++)
    raw_peer_free (peers[i]);
  live_member_set (member, "'kept'");
  live_member_assert_well (member);
}

/* Where the kernel does not give up first. */
static void
test_stall (void)
{
  AmnesiaLocal local;
  AmnesiaTime now = { 1000 * SECOND, 1000000 * SECOND };
  AmnesiaLink *link = make_link (&local, now);
  g_autoptr (GError) error = NULL;
  AmnesiaPacket packet;
  guint i;

  g_test_summary ("A peer that talks, but takes no byte of a frame for 10 s, is given up");

  g_assert_true (amnesia_link_pull (link, now, &packet, NULL));
  amnesia_packet_clear (&packet);
  for (i = 0; i < 3; i++)
    {
      amnesia_link_sent (link, FALSE, now);
      now.mono += 9 * SECOND;
      amnesia_link_heard (link, 4096, now);
      g_assert_true (amnesia_link_tick (link, now, NULL));
    }
  now.mono += SECOND;
  g_assert_false (amnesia_link_tick (link, now, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TIMED_OUT);
  amnesia_link_free (link);
  amnesia_replica_free (local.replica);
}

/* Three read, but slowly: 64 KiB each 50 ms of values of 1 MiB. */
static void
test_slow_readers (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  RawPeer *peers[4];
  gint64 start = g_get_monotonic_time (), worst = 0;
  LiveStats before, after;
  guint i, turn;

  g_test_summary ("One good peer among slow ones sees no delay");

  for (i = 0; i < 4; i++)
    {
      peers[i] = raw_peer_connect (0);
      raw_peer_greet (peers[i], ID + i, 0);
      raw_peer_set_reading (peers[i], i == 3);
      test_until (live_member_look (member).linked == i + 1);
    }
  raw_frame_free (raw_peer_wait_frame (peers[3], AMNESIA_FRAME_WRITE));
  before = live_member_look (member);
  live_member_forget (member);
  for (turn = 0; turn < 60; turn++)
    {
      char scrap[64 * 1024];

      g_free (live_member_ask (member, "bytes %u", MIB));
      raw_frame_free (raw_peer_wait_frame (peers[3], AMNESIA_FRAME_WRITE));
      worst = MAX (worst, time_values (member, peers[3], 2));
      for (i = 0; i < 3; i++)
        g_socket_receive (peers[i]->socket, scrap, sizeof scrap, NULL, NULL);
      if (turn % 10 == 0)
        send_beats (peers, 4);
      test_pass_time (50);
    }
  after = live_member_look (member);
  g_test_message ("figure: waited %" G_GINT64_FORMAT " us at most in %.1f s, peak %" G_GINT64_FORMAT
                  " KiB", worst, (g_get_monotonic_time () - start) / (double) SECOND,
                  after.peak - before.rss);
  g_assert_cmpint (after.linked, ==, 4);
  g_assert_cmpint (worst, <, 500 * AMNESIA_MS * live_slack ());
  g_assert_cmpint (after.peak - before.rss, <, 12 * 1024 * live_slack ());
  live_assert_unblocked (after);
  for (i = 0; i < 4; i++)
    raw_peer_free (peers[i]);
}

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/W19-dribble", test_dribble);
  g_test_add_func ("/wire/W19-pace", test_pace);
  g_test_add_func ("/wire/W20-cuts", test_cuts);
  g_test_add_func ("/wire/W20-cut-dialled", test_cut_dialled);
  g_test_add_func ("/resources/R4-no-readers", test_no_readers);
  g_test_add_func ("/resources/R4-stall", test_stall);
  g_test_add_func ("/resources/R5-slow-readers", test_slow_readers);
  return g_test_run ();
}
