/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"
#include "small-world.h"

#include "mesh/amnesia-limits-private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

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

static void
test_simultaneous (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  guint round;

  g_test_summary ("Two who start at the same time end with exactly one link");

  for (round = 0; round < 100; round++)
    {
      AmnesiaStore *a = test_new_store (conf);
      AmnesiaStore *b = test_new_store (conf);

      test_wait_state (a, AMNESIA_STATE_SYNCED);
      test_wait_state (b, AMNESIA_STATE_SYNCED);
      /* dials that are under way come to their end */
      test_pass_time (50);
      test_until (test_n_connections () == 1);
      g_assert_cmpuint (test_n_linked (a), ==, 1);
      g_assert_cmpuint (test_n_linked (b), ==, 1);
      g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (a)), ==, 1);
      g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (b)), ==, 1);
      amnesia_store_set_data (a, g_variant_new_uint32 (round));
      test_wait_data (b, g_variant_new_uint32 (round));
      test_until (test_n_connections () == 1);
      test_free_store (a);
      test_free_store (b);
      test_until (test_n_connections () == 0);
    }
}

static void
test_full_mesh (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (5);
  AmnesiaStore *stores[5];
  guint i;

  g_test_summary ("Five who start at the same time end with ten links");

  for (i = 0; i < 5; i++)
    stores[i] = test_new_store (conf);
  for (i = 0; i < 5; i++)
    test_wait_linked (stores[i], 4);
  test_until (test_n_connections () == 10);
  test_pass_time (100);
  g_assert_cmpuint (test_n_connections (), ==, 10);
  for (i = 0; i < 5; i++)
    test_free_store (stores[i]);
}

static void
test_restarts (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaPeer *peer = test_find_peer (a, test_port (1));
  guint round;

  g_test_summary ("Who restarts on an entry is the same peer, whether it said goodbye or not");

  for (round = 0; round < 10; round++)
    {
      AmnesiaStore *b = test_store (conf);

      test_wait_linked (a, 1);
      g_assert_true (test_find_peer (a, test_port (1)) == peer);
      g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (a)), ==, 1);
      amnesia_store_set_data (b, g_variant_new_uint32 (round));
      test_wait_data (a, g_variant_new_uint32 (round));
      if (round % 2 == 0)
        test_close_store (b);
      else
        test_free_store (b);
      test_wait_linked (a, 0);
      g_assert_cmpint (amnesia_peer_get_state (peer), !=, AMNESIA_PEER_STATE_CONNECTED);
    }
  test_free_store (a);
}

static guint
get_free_port (void)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) got = NULL;
  g_autoptr (GSocket) socket =
    g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  g_assert_true (g_socket_bind (socket, any, FALSE, NULL));
  got = g_socket_get_local_address (socket, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got));
}

static void
test_alias (void)
{
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  guint port = get_free_port ();
  AmnesiaStore *a, *b;
  guint before;

  g_test_summary ("Two names of one entry are one link; a store finds itself under another name");

  amnesia_conf_add_peer (conf, test_host (), test_port (0), NULL);
  amnesia_conf_add_peer (conf, "127.0.0.1", port, NULL);
  amnesia_conf_add_peer (conf, "localhost", port, NULL);
  a = test_store (conf);
  before = test_n_descriptors ();
  b = test_store (conf);
  g_assert_true (g_str_has_prefix (amnesia_store_get_listening (b), "127.0.0.1:"));
  test_wait_linked (a, 2);
  test_until (g_list_model_get_n_items (amnesia_store_get_peers (b)) == 1);
  g_assert_nonnull (test_find_peer (b, test_port (0)));
  test_pass_time (600);
  /* both ends of one connection and what watches them, the listening socket, and the spare descriptor */
  g_assert_cmpuint (test_n_descriptors (), <=, before + 6);
  test_set (b, "1");
  test_until (test_has_data (a, "1"));
  test_free_store (b);
  test_wait_linked (a, 0);
  test_free_store (a);
}

static void
test_self (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store;
  guint n;

  g_test_summary ("Who dials itself by its own entry notices, and leaves that entry alone");

  amnesia_conf_set_listen (conf, test_host (), test_port (0), NULL);
  store = test_store (conf);
  test_until (g_list_model_get_n_items (amnesia_store_get_peers (store)) == 0);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  test_until (test_n_connections () == 0);
  n = test_n_descriptors ();
  test_pass_time (1500);
  g_assert_cmpuint (test_n_connections (), ==, 0);
  g_assert_cmpuint (test_n_descriptors (), <=, n);
  test_free_store (store);
}

/* Makes a store on entry 0 with a raw peer on entry 1, on a link that the store dialled; then a
 * second connection comes in from the same peer. */
static void
meet_twice (guint64   id,
            RawPeer **dialled,
            RawPeer **accepted,
            RawDoor **door)
{
  *accepted = raw_peer_connect (0);
  *dialled = raw_door_accept (*door);
  raw_peer_greet (*dialled, id, 1);
  raw_peer_greet (*accepted, id, 1);
}

static void
test_greater_dials (void)
{
  guint i;

  g_test_summary ("The link that the greater id dialled stays, the other is closed by its dialler");

  for (i = 0; i < 2; i++)
    {
      g_autoptr (AmnesiaConf) conf = test_conf (2);
      g_autoptr (RawDoor) door = raw_door_new (1);
      g_autoptr (RawPeer) dialled = NULL;
      g_autoptr (RawPeer) accepted = NULL;
      AmnesiaStore *store = test_new_store (conf);

      test_until (amnesia_store_get_listening (store) != NULL);
      /* the store's own id is somewhere in between */
      meet_twice (i == 0 ? 1 : G_MAXUINT64, &dialled, &accepted, &door);
      if (i == 0)
        {
          test_wait_state (store, AMNESIA_STATE_SYNCED);
          test_pass_time (200);
          g_assert_false (dialled->closed);
          g_assert_false (accepted->closed);
        }
      else
        {
          raw_peer_wait_bye (dialled, AMNESIA_BYE_DUPLICATE, "*");
          g_assert_false (accepted->closed);
        }
      g_assert_cmpuint (test_n_linked (store), ==, 1);
      g_assert_false (raw_door_is_knocked (door));
      test_free_store (store);
    }
}

static void
test_single_stays (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) accepted = raw_peer_connect (0);
  g_autoptr (RawDoor) door = NULL;

  g_test_summary ("A single link stays whoever dialled it, and stops further dialling");

  raw_peer_greet (accepted, 1, 1);
  test_wait_linked (store, 1);
  door = raw_door_new (1);
  test_pass_time (2500);
  g_assert_false (raw_door_is_knocked (door));
  raw_peer_send_beat (accepted, 0);
  g_assert_false (accepted->closed);
  test_free_store (store);
}

static void
test_inbound_resets (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawDoor) door = NULL;
  g_autoptr (RawPeer) again = NULL;
  gint64 start;

  g_test_summary ("A lost peer is dialled again within a second after it had been there");

  test_pass_time (2500);
  {
    g_autoptr (RawPeer) raw = raw_peer_connect (0);

    raw_peer_greet (raw, 7, 1);
    test_wait_linked (store, 1);
  }
  door = raw_door_new (1);
  start = g_get_monotonic_time ();
  again = raw_door_accept (door);
  g_assert_cmpint (g_get_monotonic_time () - start, <, test_slowness () * G_TIME_SPAN_SECOND);
  test_free_store (store);
}

static void
test_chain (void)
{
  g_autoptr (AmnesiaConf) conf_a = make_conf (0, 1, -1);
  g_autoptr (AmnesiaConf) conf_b = make_conf (0, 1, 2, -1);
  g_autoptr (AmnesiaConf) conf_c = make_conf (1, 2, -1);
  AmnesiaStore *a = test_store (conf_a);
  AmnesiaStore *b = test_store (conf_b);
  AmnesiaStore *c = test_store (conf_c);
  g_autoptr (TestDiary) diary = NULL;
  guint i;

  g_test_summary ("In a chain A-B-C values reach both ends");

  test_wait_linked (b, 2);
  test_until (test_n_connections () == 2);
  diary = test_diary_new (c);
  for (i = 0; i < 20; i++)
    {
      amnesia_store_set_data (a, g_variant_new_uint32 (i));
      test_wait_data (c, g_variant_new_uint32 (i));
      test_wait_data (b, g_variant_new_uint32 (i));
      amnesia_store_set_data (c, g_variant_new_int32 (i));
      test_wait_data (a, g_variant_new_int32 (i));
    }
  g_assert_cmpuint (test_diary_count (diary, "changed*remote"), ==, 20);
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 40);
  g_assert_cmpuint (test_n_connections (), ==, 2);
  test_free_store (a);
  test_free_store (b);
  test_free_store (c);
}

static GVariant *
make_bytes (gsize size)
{
  g_autofree guint8 *bytes = g_malloc0 (size);

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1);
}

static void
count_cb (GObject    *object,
          GParamSpec *pspec,
          guint      *count)
{
  (*count)++;
}

static void
test_max_size (void)
{
  g_autoptr (AmnesiaConf) large = test_conf (2);
  g_autoptr (AmnesiaConf) small = test_conf (2);
  AmnesiaStore *a = test_store (large);
  AmnesiaStore *b;
  AmnesiaPeer *peer;
  guint n_errors = 0;

  g_test_summary ("A value above the peer's max-size is not sent; the link stays for smaller ones");

  amnesia_conf_set_max_size (small, 1024);
  b = test_store (small);
  test_wait_linked (a, 1);
  test_set (a, "1");
  test_until (test_has_data (b, "1"));
  peer = test_find_peer (a, test_port (1));
  g_assert_no_error (amnesia_peer_get_last_error (peer));
  g_signal_connect (peer, "notify::last-error", G_CALLBACK (count_cb), &n_errors);
  amnesia_store_set_data (a, make_bytes (2000));
  test_until (amnesia_peer_get_last_error (peer) != NULL);
  g_assert_error (amnesia_peer_get_last_error (peer), AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
  test_pass_time (50);
  g_assert_false (amnesia_peer_get_in_sync (peer));
  test_assert_data (b, "1");
  amnesia_store_set_data (a, make_bytes (1024));
  test_wait_data (b, make_bytes (1024));
  test_until (n_errors == 2);
  g_assert_no_error (amnesia_peer_get_last_error (peer));
  test_until (amnesia_peer_get_in_sync (peer));
  g_assert_cmpuint (test_n_linked (a), ==, 1);
  g_assert_cmpuint (test_n_connections (), ==, 1);
  test_close_store (a);
  test_free_store (b);
}

static void
test_denied_no_more (void)
{
  g_autoptr (AmnesiaConf) large = test_conf (3);
  g_autoptr (AmnesiaConf) small = test_conf (3);
  AmnesiaStore *a = test_store (large);
  AmnesiaStore *b, *c;
  AmnesiaPeer *peer = test_find_peer (a, test_port (1));

  g_test_summary ("What was too large for a peer is forgotten when somebody else has replaced it");

  amnesia_conf_set_max_size (small, 1024);
  b = test_store (small);
  c = test_store (large);
  test_wait_linked (a, 2);
  test_wait_linked (b, 2);
  amnesia_store_set_data (a, make_bytes (2000));
  test_wait_data (c, make_bytes (2000));
  test_until (amnesia_peer_get_last_error (peer) != NULL);
  test_pass_time (50);
  test_set (c, "1");
  test_until (test_has_data (a, "1"));
  /* at once: not when there is something to be sent to the peer */
  g_assert_no_error (amnesia_peer_get_last_error (peer));
  g_assert_true (amnesia_peer_get_in_sync (peer));
  test_free_store (a);
  test_free_store (b);
  test_free_store (c);
}

/* How many connected TCP sockets this process has, and how many of them have the options. */
static void
count_sockets (guint *n_connected,
               guint *n_optioned)
{
  int fd;

  *n_connected = *n_optioned = 0;
  for (fd = 3; fd < 64; fd++)
    {
      int protocol = 0, no_delay = 0, keep_alive = 0;
      struct sockaddr_storage peer;
      socklen_t size = sizeof (int), peer_size = sizeof peer;

      if (getsockopt (fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0 ||
          protocol != IPPROTO_TCP || getpeername (fd, (struct sockaddr *) &peer, &peer_size) != 0)
        continue;
      getsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
      getsockopt (fd, SOL_SOCKET, SO_KEEPALIVE, &keep_alive, &size);
      (*n_connected)++;
      *n_optioned += no_delay && keep_alive;
    }
}

static void
test_options (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  guint n_connected, n_optioned;

  g_test_summary ("Who dialled and who was dialled: neither waits to fill a packet, both keep alive");

  test_wait_linked (a, 1);
  count_sockets (&n_connected, &n_optioned);
  g_assert_cmpuint (n_connected, ==, 2);
  g_assert_cmpuint (n_optioned, ==, 2);
  test_free_store (a);
  test_free_store (b);
}

static void
test_peer (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b;
  AmnesiaPeer *peer = test_find_peer (a, test_port (1));
  g_autoptr (AmnesiaPeer) kept = g_object_ref (peer);
  guint n_states = 0;
  gint64 round_trip, clock_offset;

  g_test_summary ("A peer shows host, port, state, way, round trip, clock offset and in-sync");

  g_assert_cmpstr (amnesia_peer_get_host (peer), ==, test_host ());
  g_assert_cmpuint (amnesia_peer_get_port (peer), ==, test_port (1));
  g_assert_cmpint (amnesia_peer_get_state (peer), !=, AMNESIA_PEER_STATE_CONNECTED);
  g_assert_cmpint (amnesia_peer_get_way (peer), ==, AMNESIA_WAY_NONE);
  g_assert_false (amnesia_peer_get_in_sync (peer));
  g_assert_nonnull (amnesia_peer_get_last_error (peer));
  g_signal_connect (peer, "notify::state", G_CALLBACK (count_cb), &n_states);
  b = test_store (conf);
  test_wait_linked (a, 1);
  g_assert_cmpuint (n_states, >=, 1);
  g_assert_cmpint (amnesia_peer_get_way (peer), ==, AMNESIA_WAY_TCP);
  g_assert_no_error (amnesia_peer_get_last_error (peer));
  test_until (amnesia_peer_get_in_sync (peer));
  test_set (a, "1");
  test_until (amnesia_peer_get_round_trip (peer) > 0 && amnesia_peer_get_in_sync (peer));
  g_assert_cmpint (amnesia_peer_get_round_trip (peer), <, test_slowness () * G_TIME_SPAN_SECOND);
  g_assert_cmpint (ABS (amnesia_peer_get_clock_offset (peer)), <,
                   test_slowness () * G_TIME_SPAN_SECOND);
  g_object_get (peer, "round-trip", &round_trip, "clock-offset", &clock_offset, NULL);
  g_assert_cmpint (round_trip, ==, amnesia_peer_get_round_trip (peer));
  g_assert_cmpint (clock_offset, ==, amnesia_peer_get_clock_offset (peer));
  g_assert_true (amnesia_peer_get_in_sync (peer));
  test_free_store (b);
  test_wait_linked (a, 0);
  g_assert_false (amnesia_peer_get_in_sync (peer));
  g_assert_cmpint (amnesia_peer_get_way (peer), ==, AMNESIA_WAY_NONE);
  test_free_store (a);
  g_assert_cmpstr (amnesia_peer_get_host (kept), ==, test_host ());
}

static void
test_closed_before_hello (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  AmnesiaPeer *peer;

  g_test_summary ("A link that is closed before its hello says so, with the likely cause");

  raw_peer_free (raw_door_accept (door));
  test_until (amnesia_store_get_state (store) == AMNESIA_STATE_ALONE);
  peer = test_find_peer (store, test_port (1));
  g_assert_error (amnesia_peer_get_last_error (peer), AMNESIA_ERROR, AMNESIA_ERROR_REFUSED);
  g_assert_true (g_pattern_match_simple ("*hello*configuration*",
                                         amnesia_peer_get_last_error (peer)->message));
  test_free_store (store);
}

/* --- in a world without sockets --- */

/* Makes a link from one node to another, as if it had been dialled. */
static void
join (guint from,
      guint to,
      guint position)
{
  AmnesiaMembers *members = amnesia_mesh_get_members (world.nodes[from].mesh);
  AmnesiaMember *member = amnesia_members_get (members, position);

  member->dialling = TRUE;
  world_join (&world.nodes[from], member, &world.nodes[to]);
}

static void
test_three_links (void)
{
  g_test_summary ("Of three links, as the other one is listed by two names, one stays");

  /* the lesser id dials first; then the greater one dials both names */
  world.nodes[0].id = 300;
  world_begin (2);
  join (1, 0, 0);
  join (0, 1, 1);
  join (0, 1, 1);
  while (world_pump ())
    ;
  world_run (SECOND);
  g_assert_cmpuint (world.ends->len, ==, 2);
  world_end ();
}

static void
test_no_storm (void)
{
  guint i, dials;

  g_test_summary ("Two whose links end soon after the hello dial one another at the longest interval");

  world_begin (2);
  for (i = 0; i < 600; i++)
    {
      AmnesiaLink *link = amnesia_members_get (amnesia_mesh_get_members (world.nodes[0].mesh), 1)->link;
      g_autoptr (GError) error = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "not you");

      if (link != NULL)
        amnesia_mesh_fail_link (world.nodes[0].mesh, link, error, world.now);
      world_run (100 * G_TIME_SPAN_MILLISECOND);
    }
  dials = world_n_dials ();
  g_assert_cmpuint (dials, >=, 30);
  g_assert_cmpuint (dials, <=, 90); /* one each two seconds from each side; it was 4 or 5 a second */
  world_end ();
}

static void
test_no_storm_of_guest (void)
{
  AmnesiaMesh *hub;
  guint i;

  g_test_summary ("A guest whose links end soon after the hello takes longer and longer breaths");

  world_begin (2);
  hub = world.nodes[0].mesh;
  amnesia_members_get (amnesia_mesh_get_members (hub), 1)->self = TRUE; /* so that it is not dialled */
  amnesia_mesh_set_own (world.nodes[1].mesh, NULL, 0, TRUE, world.now);
  for (i = 0; i < 600; i++)
    {
      AmnesiaMembers *members = amnesia_mesh_get_members (hub);
      g_autoptr (GError) error = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "not you");

      if (members->list->len > 2 && amnesia_members_get (members, 2)->link != NULL)
        amnesia_mesh_fail_link (hub, amnesia_members_get (members, 2)->link, error, world.now);
      world_run (100 * G_TIME_SPAN_MILLISECOND);
    }
  g_assert_cmpuint (world.nodes[1].n_dials, >=, 15);
  g_assert_cmpuint (world.nodes[1].n_dials, <=, 45);
  world_end ();
}

static void
test_many_guests (void)
{
  AmnesiaMembers *members;
  AmnesiaMesh *hub;
  guint i, n = 0;

  g_test_summary ("However many guests say hello, there is room for those who are listed");

  world_begin (2);
  hub = world.nodes[0].mesh;
  members = amnesia_mesh_get_members (hub);
  for (i = 0; i < AMNESIA_MAX_LINKS && amnesia_mesh_make_room (hub, world.now); i++)
    {
      WorldEnd *end = world_add_end (&world.nodes[0], NULL);
      g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_HELLO };

      frame.header = g_variant_ref_sink (g_variant_new (
        "(qqtssqxt@a{sv})", 1, 1, (guint64) 1000 + i, "", "", 0, world.now.wall, (guint64) 1024,
        g_variant_new_parsed ("@a{sv} {}")));
      amnesia_mesh_receive (hub, end->link, &frame, world.now);
      if (end->hanging_up)
        {
          AmnesiaLink *link = end->link;

          world_forget_end (end);
          amnesia_mesh_remove_link (hub, link, NULL, world.now);
        }
    }
  g_assert_true (amnesia_mesh_make_room (hub, world.now));
  for (i = 0; i < members->list->len; i++)
    n += !amnesia_members_get (members, i)->configured;
  g_assert_cmpuint (n, ==, AMNESIA_MAX_GUESTS);
  world_end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/links/T1-simultaneous", test_simultaneous);
  g_test_add_func ("/links/full-mesh", test_full_mesh);
  g_test_add_func ("/links/restarts", test_restarts);
  g_test_add_func ("/links/T8-alias", test_alias);
  g_test_add_func ("/links/T8-self", test_self);
  g_test_add_func ("/links/greater-dials", test_greater_dials);
  g_test_add_func ("/links/single-stays", test_single_stays);
  g_test_add_func ("/links/inbound-resets", test_inbound_resets);
  g_test_add_func ("/links/chain", test_chain);
  g_test_add_func ("/links/V3-max-size", test_max_size);
  g_test_add_func ("/links/V3-denied-no-more", test_denied_no_more);
  g_test_add_func ("/links/options", test_options);
  g_test_add_func ("/links/peer", test_peer);
  g_test_add_func ("/links/closed-before-hello", test_closed_before_hello);
  g_test_add_func ("/links/three-links", test_three_links);
  g_test_add_func ("/links/no-storm", test_no_storm);
  g_test_add_func ("/links/no-storm-of-guest", test_no_storm_of_guest);
  g_test_add_func ("/links/many-guests", test_many_guests);
  return g_test_run ();
}
