/* SPDX-License-Identifier: MIT */

/* The local way: what becomes of a dial whose socket is somebody else's, and which link stays. */

#include "local-lib.h"

#include "amnesia-peer-private.h"
#include "lone-link.h"

#include <unistd.h>

/* The socket of entry 1 is a squatter's, who does @misbehave; the member of that entry answers by
 * TCP. Neither was an error of the member's. */
static void
assert_falls_back (void (*misbehave) (RawPeer *squatter))
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  RawDoor *squat;
  RawPeer *squatter, *member;
  AmnesiaStore *store;
  AmnesiaPeer *peer;
  TestDiary *diary;

  local_begin ();
  squat = local_door_new (1);
  store = local_new_store (2, TRUE);
  diary = test_diary_new (store);
  squatter = raw_door_accept (squat);
  g_assert_false (raw_door_is_knocked (door));
  if (misbehave != NULL)
    misbehave (squatter);
  else
    g_clear_pointer (&squatter, raw_peer_free);
  member = raw_door_accept (door);
  peer = test_find_peer (store, test_port (1));
  g_assert_no_error (amnesia_peer_get_last_error (peer));
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  g_assert_cmpuint (test_diary_count_log (diary, "*: not by its local socket: *"), ==, 1);
  g_assert_false (raw_door_is_knocked (squat));

  /* the next one may be better */
  raw_peer_free (member);
  g_clear_pointer (&squatter, raw_peer_free);
  squatter = raw_door_accept (squat);
  raw_peer_greet (squatter, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (squatter);
  raw_door_free (squat);
  test_diary_free (diary);
  test_free_store (store);
  local_end ();
}

static void
say_other_port (RawPeer *squatter)
{
  raw_peer_greet (squatter, 8, 2);
}

static void
say_other_host (RawPeer *squatter)
{
  AmnesiaHello hello = raw_hello (8, 1);

  hello.host = (char *) "127.0.0.1";
  raw_peer_send_hello (squatter, &hello);
}

static void
say_other_group (RawPeer *squatter)
{
  AmnesiaHello hello = raw_hello (8, 1);

  hello.group = (char *) "other";
  raw_peer_send_hello (squatter, &hello);
}

static void
say_garbage (RawPeer *squatter)
{
  raw_peer_send_bytes (squatter, "GET / HTTP/1.0\r\n\r\n", 18);
}

static void
say_part (RawPeer *squatter)
{
  raw_peer_send_bytes (squatter, "\0amnesia\1", 9);
}

static void
say_goodbye (RawPeer *squatter)
{
  AmnesiaPacket packet;

  raw_peer_send_bytes (squatter, "\0amnesia", 8);
  amnesia_frame_encode_bye (AMNESIA_BYE_PROTOCOL, "I do not like you", &packet);
  raw_peer_send (squatter, &packet);
}

static void
say_nothing (RawPeer *squatter)
{
}

static void
test_squatter (void)
{
  void (*const misbehave[]) (RawPeer *) = {
    NULL, say_other_port, say_other_host, say_other_group, say_garbage, say_part, say_goodbye,
    say_nothing,
  };
  guint i;

  g_test_summary ("Whoever has the name, the member is reached by TCP at once");

  for (i = 0; i < G_N_ELEMENTS (misbehave); i++)
    {
      g_test_message ("case %u", i);
      assert_falls_back (misbehave[i]);
    }
}

static void
test_own_socket (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autofree char *mine = NULL;
  g_autofree char *theirs = NULL;
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *store;
  RawPeer *member;

  g_test_summary ("Who finds his own socket under another's name does not take that one for himself");

  local_begin ();
  mine = local_path (0);
  theirs = local_path (1);
  store = local_new_store (1, TRUE);
  test_until (local_has_name (0));
  g_assert_cmpint (symlink (mine, theirs), ==, 0);
  amnesia_store_set_conf (store, conf);
  member = raw_door_accept (door);
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  raw_peer_free (member);
  test_free_store (store);
  local_end ();
}

static void
test_dead_link (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaHello hello = raw_hello (7, 1);
  RawDoor *squat;
  RawPeer *squatter, *member;
  AmnesiaStore *store;
  guint i;

  g_test_summary ("After two local links in a row that did not serve the next dial is by TCP");

  local_begin ();
  squat = local_door_new (1);
  store = local_new_store (2, TRUE);
  for (i = 0; i < 2; i++)
    {
      squatter = raw_door_accept (squat);
      raw_peer_send_hello (squatter, &hello);
      test_wait_linked (store, 1);
      raw_peer_free (squatter);
      test_wait_linked (store, 0);
    }
  member = raw_door_accept (door);
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  g_assert_false (raw_door_is_knocked (squat));
  raw_peer_free (member);
  raw_door_free (squat);
  test_free_store (store);
  local_end ();
}

static void
test_bad_link (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaHello hello = raw_hello (7, 1);
  RawDoor *squat;
  RawPeer *squatter, *member;
  AmnesiaStore *store;

  g_test_summary ("After a local link that broke the protocol the next dial is by TCP");

  local_begin ();
  squat = local_door_new (1);
  store = local_new_store (2, TRUE);
  squatter = raw_door_accept (squat);
  raw_peer_send_hello (squatter, &hello);
  raw_peer_send_hello (squatter, &hello);
  raw_peer_wait_bye (squatter, AMNESIA_BYE_PROTOCOL, "*");
  raw_peer_free (squatter);
  member = raw_door_accept (door);
  raw_peer_greet (member, 7, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  g_assert_false (raw_door_is_knocked (squat));
  raw_peer_free (member);
  raw_door_free (squat);
  test_free_store (store);
  local_end ();
}

static void
test_better_dialled (void)
{
  RawDoor *door;
  RawPeer *tcp, *local;
  AmnesiaStore *store;

  g_test_summary ("A local link that a lesser id has dialled stays, and not the older one by TCP");

  local_begin ();
  door = raw_door_new (1);
  store = local_new_store (2, TRUE);
  tcp = raw_door_accept (door);
  raw_peer_greet (tcp, 1, 1);
  local_wait_way (store, 1, AMNESIA_WAY_TCP);
  local = local_connect (0);
  raw_peer_greet (local, 1, 1);
  raw_peer_wait_bye (tcp, AMNESIA_BYE_DUPLICATE, "*");
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (tcp);
  raw_peer_free (local);
  raw_door_free (door);
  test_free_store (store);
  local_end ();
}

static void
test_late_name (void)
{
  g_autoptr (RawDoor) door = raw_door_new (1);
  RawDoor *squat;
  RawPeer *tcp, *local;
  AmnesiaStore *store;

  g_test_summary ("Who has no name yet when it is dialled is linked by the local way all the same");

  local_begin ();
  store = local_new_store (2, TRUE);
  tcp = raw_door_accept (door);
  squat = local_door_new (1);
  raw_peer_greet (tcp, G_MAXUINT64, 1);
  local = raw_door_accept (squat);
  raw_peer_greet (local, G_MAXUINT64, 1);
  raw_peer_wait_bye (tcp, AMNESIA_BYE_DUPLICATE, "*");
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (tcp);
  raw_peer_free (local);
  raw_door_free (squat);
  test_free_store (store);
  local_end ();
}

static void
test_worse_accepted (void)
{
  RawDoor *squat;
  RawPeer *tcp, *local;
  AmnesiaStore *store;

  g_test_summary ("A local link is not left for one by TCP that a greater id has dialled");

  local_begin ();
  squat = local_door_new (1);
  store = local_new_store (2, TRUE);
  local = raw_door_accept (squat);
  raw_peer_greet (local, G_MAXUINT64, 1);
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  tcp = raw_peer_connect (0);
  raw_peer_greet (tcp, G_MAXUINT64, 1);
  raw_frame_free (raw_peer_wait_frame (tcp, AMNESIA_FRAME_LINKS));
  test_pass_time (50);
  g_assert_cmpuint (raw_peer_count (local, AMNESIA_FRAME_BYE), ==, 0);
  g_assert_cmpuint (raw_peer_count (tcp, AMNESIA_FRAME_BYE), ==, 0);
  local_wait_way (store, 1, AMNESIA_WAY_LOCAL);
  raw_peer_free (tcp);
  raw_peer_free (local);
  raw_door_free (squat);
  test_free_store (store);
  local_end ();
}

static void
test_last_words (void)
{
  g_autoptr (AmnesiaEntry) entry = raw_entry (7, raw_stamp (60 * 1000), "'last words'");
  AmnesiaStore *store;
  RawPeer *peer;

  g_test_summary ("What a peer wrote before it went is taken, though something was set meanwhile");

  local_begin ();
  store = local_new_store (1, TRUE);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  peer = local_connect (0);
  raw_peer_greet (peer, 7, 0);
  test_wait_linked (store, 1);
  raw_peer_send_write (peer, entry);
  raw_peer_free (peer);
  test_set (store, "'set'");
  test_until (test_has_data (store, "'last words'"));
  test_wait_linked (store, 0);
  test_free_store (store);
  local_end ();
}

static void
test_shown (void)
{
  AmnesiaLocal local;
  AmnesiaLink *tcp = lone_link_new_up (&local);
  AmnesiaLink near = *tcp;
  AmnesiaMember *member = amnesia_member_new ("node", 1, TRUE, (AmnesiaTime) { 0 });
  AmnesiaPeer *peer;

  g_test_summary ("The way of a peer is that of its link, also where nothing else is new of another one");

  member->link = tcp;
  peer = amnesia_peer_new (member);
  amnesia_peer_update (peer);
  g_assert_cmpint (amnesia_peer_get_way (peer), ==, AMNESIA_WAY_TCP);
  near.nearby = TRUE;
  member->link = &near;
  amnesia_peer_update (peer);
  g_assert_cmpint (amnesia_peer_get_way (peer), ==, AMNESIA_WAY_LOCAL);
  member->link = NULL;
  amnesia_peer_update (peer);
  g_assert_cmpint (amnesia_peer_get_way (peer), ==, AMNESIA_WAY_NONE);
  amnesia_peer_detach (peer);
  g_object_unref (peer);
  amnesia_member_unref (member);
  lone_link_free (tcp);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/local-peers/squatter", test_squatter);
  g_test_add_func ("/local-peers/own-socket", test_own_socket);
  g_test_add_func ("/local-peers/dead-link", test_dead_link);
  g_test_add_func ("/local-peers/bad-link", test_bad_link);
  g_test_add_func ("/local-peers/better-dialled", test_better_dialled);
  g_test_add_func ("/local-peers/worse-accepted", test_worse_accepted);
  g_test_add_func ("/local-peers/late-name", test_late_name);
  g_test_add_func ("/local-peers/last-words", test_last_words);
  g_test_add_func ("/local-peers/shown", test_shown);
  return g_test_run ();
}
