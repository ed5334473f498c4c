/* SPDX-License-Identifier: MIT */

/* The first heartbeats of a link: so that the round trip is known soon, and for nothing else. */

#include "lone-link.h"
#include "small-world.h"

#define MS G_TIME_SPAN_MILLISECOND

/* The next frame that is sent, of which only the kind is of interest; 0: there is none. */
static AmnesiaFrameKind
pull_kind (AmnesiaLink *link)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  const guint8 *head;

  if (!amnesia_link_pull (link, world.now, &packet, NULL))
    return 0;
  amnesia_link_sent (link, TRUE, world.now);
  head = g_bytes_get_data (packet.head, NULL);
  return *head != 0 ? *head : head[AMNESIA_PREAMBLE_SIZE];
}

/* The next frame that is sent is a heartbeat, which is taken apart. */
static AmnesiaBeat
pull_beat (AmnesiaLink *link)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  g_auto (AmnesiaFrame) frame = { 0 };
  AmnesiaBeat beat;
  gsize header_size, payload_size;
  const guint8 *head;

  g_assert_true (amnesia_link_pull (link, world.now, &packet, NULL));
  amnesia_link_sent (link, TRUE, world.now);
  head = g_bytes_get_data (packet.head, NULL);
  g_assert_true (amnesia_frame_check_prefix (head, TRUE, 0, &frame.kind, &header_size, &payload_size,
                                             NULL));
  g_assert_cmpint (frame.kind, ==, AMNESIA_FRAME_BEAT);
  g_assert_true (amnesia_frame_read_header (&frame, head + AMNESIA_PREFIX_SIZE, header_size,
                                            payload_size, 0, NULL));
  amnesia_frame_decode_beat (&frame, &beat);
  return beat;
}

/* The peer's heartbeat comes, with a digest that is not ours. */
static void
feed_beat (AmnesiaLink *link,
           gint64       sent,
           gint64       echo)
{
  AmnesiaBeat beat = { .digest = 1, .wall = world.now.wall, .sent = sent, .echo = echo };
  AmnesiaPacket packet;

  amnesia_frame_encode_beat (&beat, &packet);
  g_assert_true (lone_link_feed (link, &packet, NULL, NULL));
}

/* Both have said hello, and what they have. */
static AmnesiaLink *
new_listed (AmnesiaLocal *local)
{
  AmnesiaLink *link = lone_link_new_up (local);
  g_autoptr (GPtrArray) nothing = amnesia_entries_new ();

  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_HELLO);
  lone_link_feed_list (link, nothing);
  return link;
}

static void
test_order (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = new_listed (&local);

  g_test_summary ("The first heartbeat comes before all that could hold it up, the next in two seconds");

  g_assert_cmpint (pull_beat (link).echo, ==, 0);
  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_LIST);
  g_assert_cmpint (pull_kind (link), ==, 0);
  world_pass (2 * SECOND - 1);
  g_assert_cmpint (pull_kind (link), ==, 0);
  world_pass (1);
  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_BEAT);
  g_assert_cmpint (pull_kind (link), ==, 0);
  lone_link_free (link);
}

static void
test_answer (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = new_listed (&local);
  AmnesiaBeat beat;

  g_test_summary ("The peer's first heartbeat is answered at once, and no other");

  pull_beat (link);
  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_LIST);
  world_pass (MS);
  feed_beat (link, 4711, 0);
  world_pass (MS);
  g_assert_true (amnesia_link_is_beat_due (link, world.now));
  beat = pull_beat (link);
  g_assert_cmpint (beat.echo, ==, 4711);
  g_assert_cmpint (beat.held, ==, MS);
  feed_beat (link, 4712, beat.sent);
  feed_beat (link, 4713, beat.sent);
  g_assert_cmpint (pull_kind (link), ==, 0);
  g_assert_cmpint (link->next_beat, ==, world.now.mono + 2 * SECOND);
  lone_link_free (link);
}

static void
test_amid (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = new_listed (&local);
  guint i;

  g_test_summary ("While a frame is half here the answer waits, but no longer than until the next is due");

  pull_beat (link);
  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_LIST);
  feed_beat (link, 4711, 0);
  amnesia_link_arriving (link, 100, TRUE, world.now);
  for (i = 0; i < 2; i++)
    {
      g_assert_false (amnesia_link_is_beat_due (link, world.now));
      g_assert_cmpint (pull_kind (link), ==, 0);
      g_assert_cmpint (amnesia_link_get_deadline (link, world.now), >, world.now.mono);
      world_pass (MS);
    }
  amnesia_link_arriving (link, 100, FALSE, world.now);
  g_assert_cmpint (pull_beat (link).echo, ==, 4711);
  g_assert_cmpint (pull_kind (link), ==, 0);
  lone_link_free (link);

  link = new_listed (&local);
  pull_beat (link);
  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_LIST);
  feed_beat (link, 4711, 0);
  amnesia_link_arriving (link, 100, TRUE, world.now);
  world_pass (2 * SECOND);
  g_assert_cmpint (pull_beat (link).echo, ==, 4711);
  g_assert_cmpint (pull_kind (link), ==, 0);
  lone_link_free (link);
}

static void
test_first_answers (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = new_listed (&local);

  g_test_summary ("Where the peer's first one has come before ours has gone, ours is the answer");

  feed_beat (link, 4711, 0);
  g_assert_cmpint (pull_beat (link).echo, ==, 4711);
  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_LIST);
  g_assert_cmpint (pull_kind (link), ==, 0);
  lone_link_free (link);
}

static void
test_late (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = new_listed (&local);
  gint64 sent = pull_beat (link).sent;

  g_test_summary ("Who sends none before two seconds are over is answered then, and has answered");

  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_LIST);
  world_pass (1900 * MS);
  feed_beat (link, 4711, sent);
  g_assert_cmpint (link->round_trip, ==, 1900 * MS);
  g_assert_cmpint (pull_beat (link).echo, ==, 4711);
  g_assert_cmpint (pull_kind (link), ==, 0);
  lone_link_free (link);
}

static void
test_digests (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = new_listed (&local);
  gint64 sent;

  g_test_summary ("The digests of the first one and of the first answer begin no exchange, and hide none");

  pull_beat (link);
  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_LIST);
  feed_beat (link, 4711, 0);
  sent = pull_beat (link).sent;
  feed_beat (link, 4712, sent);
  g_assert_cmpuint (link->repair.mismatches, ==, 0);
  g_assert_cmpint (pull_kind (link), ==, 0);
  feed_beat (link, 4713, sent);
  g_assert_cmpint (pull_kind (link), ==, 0);
  feed_beat (link, 4714, sent);
  g_assert_cmpint (pull_kind (link), ==, AMNESIA_FRAME_LIST);
  lone_link_free (link);
}

static void
test_offset (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = new_listed (&local);
  gint64 sent = pull_beat (link).sent;
  AmnesiaBeat beat = { .wall = world.now.wall, .sent = 4711 };
  AmnesiaPacket packet;

  g_test_summary ("A first heartbeat that was held up on its way says nothing of the clocks");

  world_pass (3 * SECOND);
  amnesia_frame_encode_beat (&beat, &packet);
  g_assert_true (lone_link_feed (link, &packet, NULL, NULL));
  g_assert_cmpint (link->clock_offset, ==, 0);
  g_assert_cmpint (link->round_trip, ==, -1);
  feed_beat (link, 4712, sent);
  g_assert_cmpint (link->round_trip, ==, 3 * SECOND);
  g_assert_cmpint (link->clock_offset, ==, 1500 * MS);
  lone_link_free (link);
}

static AmnesiaLink *
find_link (guint i,
           guint j)
{
  return amnesia_members_get (amnesia_mesh_get_members (world.nodes[i].mesh), j)->link;
}

static void
test_mesh (void)
{
  guint n, i;

  g_test_summary ("Both know the round trip before any time has gone by, and after that all is quiet");

  world_begin (2);
  world_settle ();
  g_assert_cmpint (find_link (0, 1)->round_trip, ==, 0);
  g_assert_cmpint (find_link (1, 0)->round_trip, ==, 0);
  n = world.n_frames[AMNESIA_FRAME_BEAT];
  world_run (1900 * MS);
  g_assert_cmpuint (world.n_frames[AMNESIA_FRAME_BEAT], ==, n);
  for (i = 1; i <= 5; i++)
    {
      world_run (2 * SECOND);
      g_assert_cmpuint (world.n_frames[AMNESIA_FRAME_BEAT], ==, n + 2 * i);
    }
  world_end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/beats/order", test_order);
  g_test_add_func ("/beats/answer", test_answer);
  g_test_add_func ("/beats/amid", test_amid);
  g_test_add_func ("/beats/first-answers", test_first_answers);
  g_test_add_func ("/beats/late", test_late);
  g_test_add_func ("/beats/digests", test_digests);
  g_test_add_func ("/beats/offset", test_offset);
  g_test_add_func ("/beats/mesh", test_mesh);
  return g_test_run ();
}
