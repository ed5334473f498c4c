/* SPDX-License-Identifier: MIT */

/* The decisions of the mesh, and of a link, in a world whose clock is ours: what becomes of links
 * when time passes. */

#include "lone-link.h"
#include "small-world.h"

#include "amnesia-error.h"

/* --- links --- */

static void
test_one_link_per_pair (void)
{
  world_begin (3);
  world_run (SECOND);
  g_assert_cmpuint (world_n_up (0), ==, 2);
  g_assert_cmpuint (world_n_up (1), ==, 2);
  g_assert_cmpuint (world_n_up (2), ==, 2);
  g_assert_cmpuint (world.ends->len, ==, 6);
  g_assert_cmpint (amnesia_mesh_get_state (world.nodes[0].mesh), ==, AMNESIA_MESH_SYNCED);
  world_write_int (1, 5);
  g_assert_cmpint (world_read_int (0), ==, 5);
  g_assert_cmpint (world_read_int (2), ==, 5);
  world_end ();
}

static void
test_ack_ticks (void)
{
  guint i, n = 0;

  g_test_summary ("An acknowledgement that goes with a value takes no turn of its own");

  world_begin (2);
  world_run (SECOND);
  for (i = 1; i <= 100; i++)
    {
      world_write_int (0, i);
      world_pass (8 * G_TIME_SPAN_MILLISECOND);
      n += world.nodes[1].armed <= world.now.mono;
      world_tick ();
    }
  g_assert_cmpint (world_read_int (1), ==, 100);
  g_assert_cmpuint (world.n_frames[AMNESIA_FRAME_ACK], >=, 40);
  /* one may be a heartbeat's */
  g_assert_cmpuint (n, <=, 2);
  world_end ();
}

static void
test_silence (void)
{
  g_test_summary ("A link is dead after six seconds of silence, not before, and is dialled again");

  world_begin (2);
  world_run (SECOND);
  world.cut = TRUE;
  world_run (3900 * G_TIME_SPAN_MILLISECOND); /* the last heartbeat may be two seconds old */
  g_assert_cmpuint (world_n_up (0), ==, 1);
  world_run (2200 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (world_n_up (0), ==, 0);
  g_assert_cmpuint (world_n_up (1), ==, 0);
  g_assert_cmpint (amnesia_mesh_get_state (world.nodes[0].mesh), ==, AMNESIA_MESH_ALONE);
  world_write_int (0, 1);
  world_write_int (1, 2);
  world.cut = FALSE;
  world_run (3 * SECOND);
  g_assert_cmpuint (world_n_up (0), ==, 1);
  g_assert_cmpint (world_read_int (0), ==, 2);
  g_assert_cmpint (world_read_int (1), ==, 2);
  world_end ();
}

static void
test_late_timer (void)
{
  g_test_summary ("Who was asleep blames nobody for the silence");

  world_begin (2);
  world_run (SECOND);
  world.nodes[0].asleep = world.nodes[1].asleep = TRUE;
  world_pass (60 * SECOND);
  world.nodes[0].asleep = world.nodes[1].asleep = FALSE;
  world_tick ();
  world_run (SECOND);
  g_assert_cmpuint (world_n_up (0), ==, 1);
  g_assert_cmpuint (world_n_dials (), ==, 2);
  world_end ();
}

static void
test_blocked (void)
{
  guint i;

  g_test_summary ("Whose loop stood still for ten seconds blames nobody, and has the newest at once");

  world_begin (3);
  world_run (SECOND);
  world.nodes[0].asleep = TRUE;
  for (i = 0; i < 10; i++)
    {
      world_write_int (1, i);
      world_run (SECOND);
    }
  g_assert_cmpuint (world_n_up (1), ==, 1); /* the others have given it up */
  g_assert_cmpint (world_read_int (2), ==, 9);
  world.nodes[0].asleep = FALSE;
  world_run (3 * SECOND);
  for (i = 0; i < 3; i++)
    {
      g_assert_cmpuint (world_n_up (i), ==, 2);
      g_assert_cmpint (world_read_int (i), ==, 9);
    }
  world_end ();
}

static void
test_suspend (void)
{
  guint n_dials;

  g_test_summary ("While all machines sleep one clock stands still and one jumps: no link is lost");

  world_begin (2);
  world_run (SECOND);
  n_dials = world_n_dials ();
  world.now.wall += 8 * G_TIME_SPAN_HOUR;
  world_run (5 * SECOND);
  world.now.wall -= 8 * G_TIME_SPAN_HOUR;
  world_run (5 * SECOND);
  g_assert_cmpuint (world_n_up (0), ==, 1);
  g_assert_cmpuint (world_n_up (1), ==, 1);
  g_assert_cmpuint (world_n_dials (), ==, n_dials);
  world_write_int (0, 5);
  world_write_int (1, 6);
  g_assert_cmpint (world_read_int (0), ==, 6);
  world_end ();
}

static void
test_back_off (void)
{
  guint quick, later;

  g_test_summary ("Dials go every two seconds for ten minutes, then every thirty");

  world_begin (2);
  world.cut = TRUE;
  world_run (60 * SECOND);
  quick = world.nodes[0].n_dials;
  g_assert_cmpuint (quick, >=, 26);
  g_assert_cmpuint (quick, <=, 45);
  world_run (600 * SECOND);
  later = world.nodes[0].n_dials;
  world_run (600 * SECOND);
  g_assert_cmpuint (world.nodes[0].n_dials - later, >=, 14);
  g_assert_cmpuint (world.nodes[0].n_dials - later, <=, 30);

  amnesia_mesh_network_changed (world.nodes[0].mesh, world.now);
  later = world.nodes[0].n_dials;
  world_settle ();
  g_assert_cmpuint (world.nodes[0].n_dials, ==, later + 1);
  world_end ();
}

static void
test_guest_back_off (void)
{
  guint quick, later;

  g_test_summary ("A guest whom nobody answers takes a breath after each round, longer and longer");

  world_begin (2);
  world.cut = TRUE;
  amnesia_mesh_set_own (world.nodes[1].mesh, NULL, 0, TRUE, world.now);
  world_run (60 * SECOND);
  quick = world.nodes[1].n_dials;
  g_assert_cmpuint (quick, >=, 40);
  g_assert_cmpuint (quick, <=, 90);
  world_run (900 * SECOND);
  later = world.nodes[1].n_dials;
  world_run (600 * SECOND);
  g_assert_cmpuint (world.nodes[1].n_dials - later, <=, 60);

  amnesia_mesh_network_changed (world.nodes[1].mesh, world.now);
  later = world.nodes[1].n_dials;
  world_run (20 * SECOND);
  g_assert_cmpuint (world.nodes[1].n_dials - later, >=, 12);
  world_end ();
}

static void
test_leaving_guest (void)
{
  g_test_summary ("Who leaves looks for no entry any more, whatever the network does");

  world_begin (2);
  amnesia_mesh_set_own (world.nodes[1].mesh, NULL, 0, TRUE, world.now);
  world_run (SECOND);
  amnesia_mesh_leave (world.nodes[1].mesh);
  world.nodes[1].seeking = FALSE;
  amnesia_mesh_network_changed (world.nodes[1].mesh, world.now);
  g_assert_false (world.nodes[1].seeking);
  world_end ();
}

static void
test_resume (void)
{
  guint before;

  g_test_summary ("After a sleep of the machine those who are missing are dialled at once");

  world_begin (2);
  world.cut = TRUE;
  world_run (1200 * SECOND);
  before = world.nodes[0].n_dials;
  world.now.wall += 3600 * SECOND;
  amnesia_mesh_wake (world.nodes[0].mesh, world.now);
  world_settle ();
  g_assert_cmpuint (world.nodes[0].n_dials, ==, before + 1);
  world_end ();
}

static void
test_heartbeats (void)
{
  AmnesiaLink *link;

  g_test_summary ("Heartbeats measure the round trip and the offset of the clocks, and are rare");

  world_begin (2);
  world_run (5 * SECOND);
  link = amnesia_members_get (amnesia_mesh_get_members (world.nodes[0].mesh), 1)->link;
  g_assert_cmpint (link->round_trip, ==, 0);
  g_assert_cmpint (link->clock_offset, ==, 0);
  g_assert_cmpint (amnesia_link_get_deadline (link, world.now) - world.now.mono, >, 0);
  g_assert_cmpint (amnesia_link_get_deadline (link, world.now) - world.now.mono, <=, 2 * SECOND);
  world_end ();
}

static void
test_held_up (void)
{
  g_autoptr (GByteArray) beat = NULL;
  AmnesiaLink *link;
  WorldEnd *end;

  g_test_summary ("A heartbeat that was held up on its way is not taken for a clock that is wrong");

  world_begin (2);
  world_run (5 * SECOND);
  link = amnesia_members_get (amnesia_mesh_get_members (world.nodes[1].mesh), 0)->link;
  world_pass (link->next_beat - world.now.mono);
  end = link->channel;
  beat = world_pull (end);
  g_assert_nonnull (beat);
  world_pass (3 * SECOND);
  world_deliver (end->other, beat);
  world_settle ();
  g_assert_cmpuint (world.nodes[0].n_clock_warnings, ==, 0);
  world_end ();
}

static void
test_member_becomes_guest (void)
{
  AmnesiaMembers *members;
  guint i, serial, n_dialled = 0;

  g_test_summary ("Who is a member no more keeps one link, to somebody whom it dialled");

  world_begin (3);
  world_run (SECOND);
  g_assert_cmpuint (world_n_up (2), ==, 2);
  members = amnesia_mesh_get_members (world.nodes[2].mesh);
  serial = members->serial;
  /* its entry by another name */
  amnesia_members_set_self (members, amnesia_members_get (members, 0));
  amnesia_mesh_set_own (world.nodes[2].mesh, NULL, 0, TRUE, world.now);
  /* none of the entries is its own now, and all are to be shown */
  for (i = 0; i < members->list->len; i++)
    g_assert_false (amnesia_members_get (members, i)->self);
  g_assert_cmpuint (members->serial, >, serial + 1);
  world_run (2 * SECOND);
  for (i = 0; i < members->list->len; i++)
    if (amnesia_members_get (members, i)->link != NULL)
      n_dialled += amnesia_members_get (members, i)->link->dialled;
  g_assert_cmpuint (world_n_up (2), ==, 1);
  g_assert_cmpuint (n_dialled, ==, 1);
  world_write_int (1, 5);
  world_run (SECOND);
  g_assert_cmpint (world_read_int (2), ==, 5);
  world_end ();
}

/* --- clocks that were wrong --- */

static void
test_clock_set_back (void)
{
  g_test_summary ("What was written with a clock two years ahead is written anew");

  world_begin (2);
  world_run (SECOND);
  world.cut = TRUE;
  world_run (10 * SECOND);
  world.now.wall += 730 * G_TIME_SPAN_DAY;
  world_write_int (0, 7);
  world.now.wall -= 730 * G_TIME_SPAN_DAY;
  world.cut = FALSE;
  world_run (10 * SECOND);
  g_assert_cmpint (world_read_int (1), ==, 7);
  world_write_int (1, 8);
  g_assert_cmpint (world_read_int (0), ==, 8);
  world_end ();
}

static void
test_clock_mended (void)
{
  const gint64 ahead = 730 * G_TIME_SPAN_DAY;

  g_test_summary ("Two of one machine, whose clock was two years ahead when one of them wrote, go on "
                  "sharing when it is set right");

  world_begin (2);
  world.now.wall += ahead;
  world_run (SECOND);
  world_write_int (0, 1);
  g_assert_cmpint (world_read_int (1), ==, 1);
  world.now.wall -= ahead;
  world_run (10 * SECOND);
  world_write_int (0, 2);
  world_run (20 * SECOND);
  g_assert_cmpint (world_read_int (0), ==, 2);
  g_assert_cmpint (world_read_int (1), ==, 2);
  world_write_int (1, 3);
  world_run (20 * SECOND);
  g_assert_cmpint (world_read_int (0), ==, 3);
  world_end ();
}

/* The same, if the two do not see one another at that moment, and the writer is gone. */
static void
test_clock_mended_apart (void)
{
  const gint64 ahead = 730 * G_TIME_SPAN_DAY;

  g_test_summary ("Who holds what a third one wrote with a clock two years ahead goes on sharing");

  world_begin (3);
  world.now.wall += ahead;
  world_run (SECOND);
  world_write_int (2, 1);
  world.nodes[2].asleep = TRUE;
  world_run (10 * SECOND);
  world.now.wall -= ahead;
  world_run (10 * SECOND);
  world.cut = TRUE;
  world_run (10 * SECOND);
  world_write_int (0, 2);
  world_run (10 * SECOND);
  world.cut = FALSE;
  world_run (20 * SECOND);
  g_assert_cmpint (world_read_int (0), ==, 2);
  g_assert_cmpint (world_read_int (1), ==, 2);
  world_end ();
}

/* --- what a link waits for --- */

static void
test_no_list (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GError) error = NULL;

  g_test_summary ("Who talks, but never says what it has, is given up after ten seconds");

  world_pass (9 * SECOND);
  g_assert_true (lone_link_feed_beat (link, &error));
  world_pass (SECOND);
  g_assert_false (lone_link_feed_beat (link, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL);
  lone_link_free (link);
}

static void
test_listed_not_sent (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();

  g_test_summary ("Who lists what it does not send is waited for ten seconds");

  g_ptr_array_add (entries, amnesia_entry_new ("", AMNESIA_STAMP_NORMAL + 1, 77, NULL, NULL, 0));
  lone_link_feed_list (link, entries);
  world_pass (9 * SECOND);
  g_assert_true (lone_link_feed_beat (link, NULL));
  g_assert_false (amnesia_link_is_synced (link));
  world_pass (SECOND);
  g_assert_true (lone_link_feed_beat (link, NULL));
  g_assert_true (amnesia_link_is_synced (link));
  lone_link_free (link);
}

static void
test_busy (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  AmnesiaPacket packet;

  g_test_summary ("Who was busy for eleven seconds still waits for what he was told of, and is not "
                  "synced");

  g_ptr_array_add (entries, amnesia_entry_new ("", AMNESIA_STAMP_NORMAL + 1, 77, NULL, NULL, 0));
  lone_link_feed_list (link, entries);
  g_assert_false (amnesia_link_is_synced (link));
  world_pass (11 * SECOND);
  amnesia_link_forgive (link, world.now);
  g_assert_true (lone_link_feed_beat (link, NULL));
  g_assert_false (amnesia_link_is_synced (link));
  amnesia_frame_encode_write (entries, &packet);
  g_assert_true (lone_link_feed (link, &packet, NULL, NULL));
  g_assert_true (amnesia_link_is_synced (link));
  lone_link_free (link);
}

/* Lets time pass, in which bytes trickle in. Returns whether the link lived. */
static gboolean
trickle (AmnesiaLink  *link,
         gint64        span,
         gsize         bytes_a_second,
         GError      **error)
{
  gboolean alive = TRUE;

  for (; span > 0 && alive; span -= SECOND)
    {
      world_pass (SECOND);
      amnesia_link_heard (link, bytes_a_second, world.now);
      alive = amnesia_link_tick (link, world.now, error);
    }
  return alive;
}

static void
test_trickle (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_autoptr (GError) error = NULL;

  g_test_summary ("Who sends a byte now and then, and no list, is not waited for; a slow line is");

  g_assert_true (trickle (link, 60 * SECOND, 1024, &error));
  g_assert_no_error (error);
  g_assert_false (trickle (link, 25 * SECOND, 10, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL);
  lone_link_free (link);

  link = lone_link_new_up (&local);
  g_ptr_array_add (entries, amnesia_entry_new ("", AMNESIA_STAMP_NORMAL + 1, 77, NULL, NULL, 0));
  lone_link_feed_list (link, entries);
  g_clear_error (&error);
  g_assert_true (trickle (link, 60 * SECOND, 1024, &error));
  g_assert_false (amnesia_link_is_synced (link));
  g_assert_true (trickle (link, 25 * SECOND, 10, &error));
  g_assert_true (amnesia_link_is_synced (link));
  lone_link_free (link);
}

static void
test_late_hello (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new (&local, "ours");
  g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_WRITE };
  g_auto (AmnesiaReceipt) receipt = { 0 };

  g_test_summary ("Whose hello comes when the link is left is not judged, and writes nothing");

  amnesia_link_leave (link, AMNESIA_BYE_LEAVING, "leaving");
  lone_link_greet (link, "another");
  frame.header = g_variant_ref_sink (g_variant_new_parsed (
    "(%t, uint64 77, @a(tt) [], [('', 's', uint64 2)], @a{sv} {})", AMNESIA_STAMP_NORMAL + 1));
  frame.payload = g_bytes_new_static ("x\0\0\0\0\0\0", 8);
  g_assert_true (amnesia_link_receive (link, &frame, world.now, &receipt, NULL));
  g_assert_null (amnesia_replica_get_newest (local.replica));
  lone_link_free (link);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/life/one-link-per-pair", test_one_link_per_pair);
  g_test_add_func ("/life/ack-ticks", test_ack_ticks);
  g_test_add_func ("/life/silence", test_silence);
  g_test_add_func ("/life/P4-late-timer", test_late_timer);
  g_test_add_func ("/life/P4-blocked", test_blocked);
  g_test_add_func ("/life/K7-suspend", test_suspend);
  g_test_add_func ("/life/back-off", test_back_off);
  g_test_add_func ("/life/guest-back-off", test_guest_back_off);
  g_test_add_func ("/life/leaving-guest", test_leaving_guest);
  g_test_add_func ("/life/K7-resume", test_resume);
  g_test_add_func ("/life/heartbeats", test_heartbeats);
  g_test_add_func ("/life/held-up", test_held_up);
  g_test_add_func ("/life/member-becomes-guest", test_member_becomes_guest);
  g_test_add_func ("/life/clock-set-back", test_clock_set_back);
  g_test_add_func ("/life/clock-mended", test_clock_mended);
  g_test_add_func ("/life/clock-mended-apart", test_clock_mended_apart);
  g_test_add_func ("/life/no-list", test_no_list);
  g_test_add_func ("/life/listed-not-sent", test_listed_not_sent);
  g_test_add_func ("/life/busy", test_busy);
  g_test_add_func ("/life/trickle", test_trickle);
  g_test_add_func ("/life/late-hello", test_late_hello);
  return g_test_run ();
}
