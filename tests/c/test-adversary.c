/* SPDX-License-Identifier: MIT */

#define _GNU_SOURCE

/* What somebody found who wanted to break it. */

#include "raw-peer.h"

#include "amnesia-store-private.h"
#include "small-world.h"

#include "mesh/amnesia-dial-private.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- forks --- */

static guint64
get_id (AmnesiaStore *store)
{
  return amnesia_replica_get_id (store->replica);
}

/* Forks, and returns the id of a store that the child makes. */
static guint64
get_child_id (void)
{
  int fds[2];
  guint64 id = 0;
  pid_t pid;

  g_assert_cmpint (pipe (fds), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      id = get_id (amnesia_store_new ());
      _exit (write (fds[1], &id, sizeof id) == sizeof id ? 0 : 1);
    }
  g_assert_cmpint (read (fds[0], &id, sizeof id), ==, sizeof id);
  waitpid (pid, NULL, 0);
  close (fds[0]);
  close (fds[1]);
  return id;
}

static void
test_fork_ids (void)
{
  g_autoptr (AmnesiaStore) before = amnesia_store_new ();
  guint64 first, second;

  g_test_summary ("Workers that were forked from one process do not take each other for themselves");

  first = get_child_id ();
  second = get_child_id ();
  g_assert_cmpuint (first, !=, second);
  g_assert_cmpuint (first, !=, get_id (before));
}

/* --- clocks --- */

static void
test_clock_mended (void)
{
  const gint64 ahead = 730 * G_TIME_SPAN_DAY;

  g_test_summary ("Two of one machine, whose clock was two years ahead when one of them wrote, go on "
                  "sharing when it is set right");

  begin_world (2);
  world.now.wall += ahead;
  run (SECOND);
  write_int (0, 1);
  g_assert_cmpint (read_int (1), ==, 1);
  world.now.wall -= ahead;
  run (10 * SECOND);
  write_int (0, 2);
  run (20 * SECOND);
  g_assert_cmpint (read_int (0), ==, 2);
  g_assert_cmpint (read_int (1), ==, 2);
  write_int (1, 3);
  run (20 * SECOND);
  g_assert_cmpint (read_int (0), ==, 3);
  end_world ();
}

/* The same, if the two do not see one another at that moment, and the writer is gone. */
static void
test_clock_mended_apart (void)
{
  const gint64 ahead = 730 * G_TIME_SPAN_DAY;

  g_test_summary ("Who holds what a third one wrote with a clock two years ahead goes on sharing");

  begin_world (3);
  world.now.wall += ahead;
  run (SECOND);
  write_int (2, 1);
  world.nodes[2].asleep = TRUE;
  run (10 * SECOND);
  world.now.wall -= ahead;
  run (10 * SECOND);
  world.cut = TRUE;
  run (10 * SECOND);
  write_int (0, 2);
  run (10 * SECOND);
  world.cut = FALSE;
  run (20 * SECOND);
  g_assert_cmpint (read_int (0), ==, 2);
  g_assert_cmpint (read_int (1), ==, 2);
  end_world ();
}

/* --- many keys --- */

/* Sixteen letters that say which number it is, and have the same hash (g_str_hash) for each. */
static char *
make_colliding (guint number)
{
  GString *key = g_string_new (NULL);
  int bit;

  for (bit = 15; bit >= 0; bit--)
    g_string_append (key, number & 1u << bit ? "BA" : "Ab");
  return g_string_free (key, FALSE);
}

static AmnesiaLink *
make_link (AmnesiaLocal *local)
{
  AmnesiaHello hello = raw_hello (77, 0);
  g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_HELLO };
  g_auto (AmnesiaReceipt) receipt = { 0, };
  AmnesiaLink *link;

  world.now = (AmnesiaTime) { 1000 * SECOND, 1000000 * SECOND };
  *local = (AmnesiaLocal) {
    .replica = amnesia_replica_new (5), .group = (char *) "", .host = (char *) "",
    .max_size = 1024 * 1024, .linked = g_array_new (FALSE, FALSE, sizeof (guint64)),
  };
  link = amnesia_link_new (local, "host", 1, FALSE, 0, world.now);
  frame.header = g_variant_ref_sink (g_variant_new ("(qqtssqxt@a{sv})", 1, 1, hello.id, "", "", 0,
                                                    world.now.wall, hello.max_size,
                                                    g_variant_new_parsed ("@a{sv} {}")));
  g_assert_true (amnesia_link_receive (link, &frame, world.now, &receipt, NULL));
  return link;
}

static void
free_link (AmnesiaLink *link)
{
  AmnesiaLocal *local = link->local;

  amnesia_link_free (link);
  amnesia_replica_free (local->replica);
  g_array_unref (local->linked);
}

/* Takes @packet. */
static gboolean
feed (AmnesiaLink    *link,
      AmnesiaPacket  *packet,
      AmnesiaReceipt *receipt,
      GError        **error)
{
  const guint8 *head = g_bytes_get_data (packet->head, NULL);
  g_auto (AmnesiaFrame) frame = { 0, };
  gsize header_size, payload_size;
  g_autoptr (GBytes) bytes = NULL;

  g_assert_true (amnesia_frame_check_prefix (head, TRUE, link->local->max_size, &frame.kind,
                                             &header_size, &payload_size, NULL));
  bytes = g_bytes_new (head + AMNESIA_PREFIX_SIZE, header_size);
  frame.header = amnesia_frame_check_header (frame.kind, bytes, payload_size,
                                             link->local->max_size, NULL);
  frame.payload = g_steal_pointer (&packet->payload);
  amnesia_packet_clear (packet);
  return amnesia_link_receive (link, &frame, world.now, receipt, error);
}

static void
feed_list (AmnesiaLink *link,
           GPtrArray   *entries)
{
  g_autofree char *from = g_strdup ("");

  while (from != NULL)
    {
      g_auto (AmnesiaReceipt) receipt = { 0, };
      g_autoptr (GError) error = NULL;
      AmnesiaPacket packet;
      char *next = amnesia_frame_encode_list (entries, from, FALSE, &packet);

      g_assert_true (feed (link, &packet, &receipt, &error));
      g_assert_no_error (error);
      g_free (from);
      from = next;
    }
}

#define MANY 60000

static void
test_colliding_keys (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = make_link (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  gint64 start;
  guint i;

  g_test_summary ("Keys that were chosen so that their hashes collide cost no more than others");

  for (i = 0; i < MANY; i++)
    {
      g_autofree char *key = make_colliding (i);

      g_ptr_array_add (entries, amnesia_entry_new (key, AMNESIA_STAMP_NORMAL + 1, 77, NULL, NULL, 0));
    }
  start = g_get_monotonic_time ();
  feed_list (link, entries);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC); /* 0.05 s; it was 14 s */
  free_link (link);
}

static void
test_many_keys (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = make_link (&local);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  gint64 start;
  guint i;

  g_test_summary ("Sending many keys takes time in proportion to their number");

  for (i = 0; i < MANY; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      amnesia_replica_write (local.replica, world.now.wall / 1000, key, g_variant_new_byte (1));
    }
  feed_list (link, none);
  start = g_get_monotonic_time ();
  for (i = 0; i < 1000 + MANY; i++)
    {
      g_auto (AmnesiaPacket) packet = { 0, };

      if (!amnesia_link_pull (link, world.now, &packet, NULL))
        break;
      g_assert_cmpint (g_get_monotonic_time () - start, <, 20 * G_USEC_PER_SEC); /* 1 s; it was 900 s */
    }
  g_assert_cmpuint (link->values_sent, ==, MANY);
  g_assert_cmpint (g_tree_nnodes (link->dirty), ==, 0);
  free_link (link);
}

static void
set_flag (gpointer flag)
{
  *(gboolean *) flag = TRUE;
}

static void
test_small_among_large (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = make_link (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_auto (AmnesiaReceipt) receipt = { 0, };
  g_autofree guint8 *copy = NULL;
  AmnesiaPacket packet;
  gboolean freed = FALSE;
  gsize size;

  g_test_summary ("A small value that came with a large one does not keep the memory of that");

  g_ptr_array_add (entries, amnesia_entry_new ("large", AMNESIA_STAMP_NORMAL + 1, 77,
                                               g_variant_new_string ("as if it were"), NULL, 0));
  g_ptr_array_add (entries, amnesia_entry_new ("small", AMNESIA_STAMP_NORMAL + 1, 77,
                                               g_variant_new_byte (1), NULL, 0));
  amnesia_frame_encode_write (entries, &packet);
  copy = g_memdup2 (g_bytes_get_data (packet.payload, &size), g_bytes_get_size (packet.payload));
  g_bytes_unref (packet.payload);
  packet.payload = g_bytes_new_with_free_func (copy, size, set_flag, &freed);
  g_assert_true (feed (link, &packet, &receipt, NULL));
  g_assert_cmpuint (receipt.taken->len, ==, 2);
  amnesia_receipt_clear (&receipt);
  amnesia_replica_write (local.replica, world.now.wall / 1000, "large", NULL);
  g_assert_true (freed);
  g_assert_nonnull (amnesia_replica_lookup (local.replica, "small"));
  free_link (link);
}

static gboolean
has_members (AmnesiaStore *store,
             gsize         n)
{
  g_autoptr (GVariant) value = amnesia_store_get_data (store);

  return value != NULL && g_variant_n_children (value) == n;
}

static void
test_keys_one_by_one (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) peer = NULL;
  gint64 start;
  guint i;

  g_test_summary ("Who sends many keys one by one does not hold the main loop");

  test_wait_state (store, AMNESIA_STATE_ALONE);
  peer = raw_peer_connect (0);
  raw_peer_greet (peer, 77, 0);
  start = g_get_monotonic_time ();
  for (i = 0; i < 8000; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      g_autoptr (AmnesiaEntry) entry = amnesia_entry_new (key, raw_stamp (0) + i, 77,
                                                          g_variant_new_byte (1), NULL, 0);

      raw_peer_send_write (peer, entry);
    }
  test_until (has_members (store, 8000));
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC); /* 1 s; it was 40 s */
  test_free_store (store);
}

static void
test_colliding_names (void)
{
  GVariantBuilder builder;
  g_autoptr (GVariant) value = NULL;
  g_autofree char *json = NULL;
  gint64 start;
  guint i;

  g_test_summary ("A dictionary whose keys were chosen so that their hashes collide becomes JSON");

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (i = 0; i < MANY; i++)
    {
      g_autofree char *key = make_colliding (i);

      g_variant_builder_add (&builder, "{sv}", key, g_variant_new_boolean (TRUE));
    }
  value = g_variant_ref_sink (g_variant_builder_end (&builder));
  start = g_get_monotonic_time ();
  json = amnesia_to_json (value, NULL);
  g_assert_nonnull (json);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC); /* 0.1 s; it was 13 s */
}

/* --- what is said of it --- */

static void
test_blocked (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = make_link (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_auto (AmnesiaReceipt) receipt = { 0, };
  AmnesiaBeat beat = { .digest = 1 };
  AmnesiaPacket packet;

  g_test_summary ("Who was busy for eleven seconds still waits for what he was told of, and is not synced");

  g_ptr_array_add (entries, amnesia_entry_new ("", AMNESIA_STAMP_NORMAL + 1, 77, NULL, NULL, 0));
  feed_list (link, entries);
  g_assert_false (amnesia_link_is_synced (link));
  pass (11 * SECOND);
  amnesia_link_forgive (link, world.now);
  amnesia_frame_encode_beat (&beat, &packet);
  g_assert_true (feed (link, &packet, &receipt, NULL));
  g_assert_false (amnesia_link_is_synced (link));
  amnesia_receipt_clear (&receipt);
  amnesia_frame_encode_write (entries, &packet);
  g_assert_true (feed (link, &packet, &receipt, NULL));
  g_assert_true (amnesia_link_is_synced (link));
  free_link (link);
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
      pass (SECOND);
      amnesia_link_heard (link, bytes_a_second, world.now);
      alive = amnesia_link_tick (link, world.now, error);
    }
  return alive;
}

static void
test_trickle (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = make_link (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_autoptr (GError) error = NULL;

  g_test_summary ("Who sends a byte now and then, and no list, is not waited for; a slow line is");

  g_assert_true (trickle (link, 60 * SECOND, 1024, &error));
  g_assert_no_error (error);
  g_assert_false (trickle (link, 25 * SECOND, 10, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL);
  free_link (link);

  link = make_link (&local);
  g_ptr_array_add (entries, amnesia_entry_new ("", AMNESIA_STAMP_NORMAL + 1, 77, NULL, NULL, 0));
  feed_list (link, entries);
  g_clear_error (&error);
  g_assert_true (trickle (link, 60 * SECOND, 1024, &error));
  g_assert_false (amnesia_link_is_synced (link));
  g_assert_true (trickle (link, 25 * SECOND, 10, &error));
  g_assert_true (amnesia_link_is_synced (link));
  free_link (link);
}

static void
closed_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  GError **error = user_data;

  g_assert_true (amnesia_store_close_finish (AMNESIA_STORE (source), result, error) || *error != NULL);
  if (*error == NULL)
    *error = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_CLOSED, "closed, and all had it");
}

static void
test_lost_while_closing (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (RawPeer) peer = raw_door_accept (door);
  g_autoptr (GError) error = NULL;
  AmnesiaFrame *frame;

  g_test_summary ("Whose link ends while the store is closed is named, if he has not confirmed the value");

  raw_peer_greet (peer, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  amnesia_store_set_close_timeout (store, 1000);
  test_set (store, "1");
  amnesia_store_close_async (store, NULL, closed_cb, &error);
  frame = raw_peer_wait_frame (peer, AMNESIA_FRAME_WRITE);
  raw_frame_free (frame);
  g_clear_pointer (&peer, raw_peer_free);
  g_clear_pointer (&door, raw_door_free);
  test_until (error != NULL);
  g_test_message ("%s", error->message);
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_IN_SYNC);
  test_free_store (store);
}

static void
test_cut_while_closing (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  g_autoptr (RawPeer) peer = raw_door_accept (door);
  g_autoptr (GError) error = NULL;
  AmnesiaFrame *frame;

  g_test_summary ("A link that is cut while the store is closed comes back, and the value arrives");

  raw_peer_greet (peer, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  test_set (store, "1");
  amnesia_store_close_async (store, NULL, closed_cb, &error);
  g_clear_pointer (&peer, raw_peer_free);
  peer = raw_door_accept (door);
  raw_peer_greet (peer, 7, 1);
  frame = raw_peer_wait_frame (peer, AMNESIA_FRAME_WRITE);
  raw_frame_free (frame);
  raw_peer_send_ack (peer, 1);
  raw_peer_wait_bye (peer, AMNESIA_BYE_LEAVING, "*");
  g_clear_pointer (&peer, raw_peer_free);
  test_until (error != NULL);
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_CLOSED);
  test_free_store (store);
}

/* --- digests --- */

static void
write_text (guint       i,
            const char *key,
            gsize       length)
{
  AmnesiaMesh *mesh = world.nodes[i].mesh;
  g_autofree char *text = g_strnfill (length, 'x');

  amnesia_mesh_written (mesh, amnesia_replica_write (amnesia_mesh_get_replica (mesh),
                                                     node_now (&world.nodes[i]).wall / 1000, key,
                                                     g_variant_new_string (text)));
  settle ();
}

static void
assert_quiet (void)
{
  guint before;

  run (12 * SECOND);
  before = world.n_frames[AMNESIA_FRAME_LIST];
  run (20 * SECOND);
  g_assert_cmpuint (world.n_frames[AMNESIA_FRAME_LIST], ==, before);
}

static void
test_above_own_limit (void)
{
  g_test_summary ("Who has a value above his own limit, as that was set later, does not exchange lists "
                  "for ever");

  world.nodes[0].max_size = 1024;
  begin_world (2);
  run (SECOND);
  write_text (0, "", 2000);
  assert_quiet ();
  end_world ();
}

static void
test_withheld_base (void)
{
  g_test_summary ("A value that is too large for the peer and covers a key of his is no mismatch");

  world.nodes[1].max_size = 1024;
  begin_world (2);
  run (SECOND);
  world.cut = TRUE;
  run (10 * SECOND);
  write_text (1, "key", 10);
  run (SECOND);
  write_text (0, "", 2000);
  world.cut = FALSE;
  assert_quiet ();
  end_world ();
}

/* --- links --- */

/* Makes a link from one node to another, as if it had been dialled. */
static void
join (guint from,
      guint to,
      guint position)
{
  AmnesiaMembers *members = amnesia_mesh_get_members (world.nodes[from].mesh);
  AmnesiaMember *member = amnesia_members_get (members, position);
  End *here = add_end (&world.nodes[from], member);
  End *there = add_end (&world.nodes[to], NULL);

  member->dialling = TRUE;
  here->other = there;
  there->other = here;
}

static void
test_three_links (void)
{
  g_test_summary ("Of three links, as the other one is listed by two names, one stays");

  /* the lesser id dials first; then the greater one dials both names */
  world.nodes[0].id = 300;
  begin_world (2);
  join (1, 0, 0);
  join (0, 1, 1);
  join (0, 1, 1);
  while (pump_all ())
    ;
  run (SECOND);
  g_assert_cmpuint (world.ends->len, ==, 2);
  end_world ();
}

static gsize
get_text_length (guint       i,
                 const char *key)
{
  AmnesiaReplica *replica = amnesia_mesh_get_replica (world.nodes[i].mesh);
  AmnesiaEntry *entry = amnesia_replica_lookup (replica, key);

  return entry != NULL && entry->value != NULL ? strlen (g_variant_get_string (entry->value, NULL)) : 0;
}

static void
test_no_room (void)
{
  guint i, dials;

  g_test_summary ("Who has no room for all keys has the newest of those that fit, over one link");

  world.nodes[1].max_size = 1024;
  begin_world (2);
  run (SECOND);
  for (i = 0; i < 6; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      write_text (0, key, 900);
    }
  run (SECOND);
  dials = world.nodes[0].n_dials + world.nodes[1].n_dials;
  write_text (0, "0", 10);
  run (20 * SECOND);
  g_test_message ("%u dials, %u lists, %u writes", world.nodes[0].n_dials + world.nodes[1].n_dials - dials,
                  world.n_frames[AMNESIA_FRAME_LIST], world.n_frames[AMNESIA_FRAME_WRITE]);
  g_assert_cmpuint (get_text_length (1, "0"), ==, 10);
  g_assert_cmpuint (world.nodes[0].n_dials + world.nodes[1].n_dials, ==, dials);
  end_world ();
}

static void
test_write_too_big (void)
{
  AmnesiaReplica *replica;
  g_autofree char *text = g_strnfill (900, 'x');
  AmnesiaStamp stamp = AMNESIA_STAMP_NORMAL | G_GUINT64_CONSTANT (1000000000) << 16;
  guint i;

  g_test_summary ("A write whose values are together too large for the peer stands in nobody's way");

  world.nodes[1].max_size = 1024;
  begin_world (2);
  replica = amnesia_mesh_get_replica (world.nodes[0].mesh);
  for (i = 0; i < 6; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      g_autoptr (AmnesiaEntry) entry = amnesia_entry_new (key, stamp, 999, g_variant_new_string (text),
                                                          NULL, 0);

      g_assert_cmpint (amnesia_replica_merge (replica, world.now.wall / 1000, entry), ==,
                       AMNESIA_MERGE_TAKEN);
    }
  run (SECOND);
  write_text (0, "0", 10);
  run (10 * SECOND);
  g_assert_cmpuint (get_text_length (1, "0"), ==, 10);
  g_assert_cmpuint (world.nodes[0].n_dials + world.nodes[1].n_dials, ==, 2);
  end_world ();
}

static void
test_no_storm (void)
{
  guint i, dials;

  g_test_summary ("Two whose links end soon after the hello dial one another at the longest interval");

  begin_world (2);
  for (i = 0; i < 600; i++)
    {
      AmnesiaLink *link = amnesia_members_get (amnesia_mesh_get_members (world.nodes[0].mesh), 1)->link;
      g_autoptr (GError) error = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "not you");

      if (link != NULL)
        amnesia_mesh_fail_link (world.nodes[0].mesh, link, error, world.now);
      run (100 * G_TIME_SPAN_MILLISECOND);
    }
  dials = world.nodes[0].n_dials + world.nodes[1].n_dials;
  g_assert_cmpuint (dials, >=, 30);
  g_assert_cmpuint (dials, <=, 90); /* one each two seconds from each side; it was 4 or 5 a second */
  end_world ();
}

static void
test_no_storm_of_guest (void)
{
  AmnesiaMesh *hub;
  guint i;

  g_test_summary ("A guest whose links end soon after the hello takes longer and longer breaths");

  begin_world (2);
  hub = world.nodes[0].mesh;
  amnesia_members_get (amnesia_mesh_get_members (hub), 1)->self = TRUE; /* so that it is not dialled */
  amnesia_mesh_set_own (world.nodes[1].mesh, NULL, 0, TRUE, world.now);
  for (i = 0; i < 600; i++)
    {
      AmnesiaMembers *members = amnesia_mesh_get_members (hub);
      g_autoptr (GError) error = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "not you");

      if (members->list->len > 2 && amnesia_members_get (members, 2)->link != NULL)
        amnesia_mesh_fail_link (hub, amnesia_members_get (members, 2)->link, error, world.now);
      run (100 * G_TIME_SPAN_MILLISECOND);
    }
  g_assert_cmpuint (world.nodes[1].n_dials, >=, 15);
  g_assert_cmpuint (world.nodes[1].n_dials, <=, 45);
  end_world ();
}

static void
test_many_guests (void)
{
  AmnesiaMembers *members;
  AmnesiaMesh *hub;
  guint i, n = 0;

  g_test_summary ("However many guests say hello, there is room for those who are listed");

  begin_world (2);
  hub = world.nodes[0].mesh;
  members = amnesia_mesh_get_members (hub);
  for (i = 0; i < AMNESIA_MAX_LINKS && amnesia_mesh_make_room (hub, world.now); i++)
    {
      End *end = add_end (&world.nodes[0], NULL);
      g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_HELLO };

      frame.header = g_variant_ref_sink (g_variant_new (
        "(qqtssqxt@a{sv})", 1, 1, (guint64) 1000 + i, "", "", 0, world.now.wall, (guint64) 1024,
        g_variant_new_parsed ("@a{sv} {}")));
      amnesia_mesh_receive (hub, end->link, &frame, world.now);
      if (end->hanging_up)
        {
          AmnesiaLink *link = end->link;

          forget_end (end);
          amnesia_mesh_remove_link (hub, link, NULL, world.now);
        }
    }
  g_assert_true (amnesia_mesh_make_room (hub, world.now));
  for (i = 0; i < members->list->len; i++)
    n += !amnesia_members_get (members, i)->configured;
  g_assert_cmpuint (n, ==, AMNESIA_MAX_GUESTS);
  end_world ();
}

/* --- addresses --- */

/* An address of this machine that is not loopback, or NULL. */
static GInetAddress *
find_outer_address (void)
{
  struct ifaddrs *all, *one;
  GInetAddress *found = NULL;

  g_assert_cmpint (getifaddrs (&all), ==, 0);
  for (one = all; one != NULL && found == NULL; one = one->ifa_next)
    if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET &&
        !(one->ifa_flags & IFF_LOOPBACK))
      found = g_inet_address_new_from_bytes (
        (const guint8 *) &((struct sockaddr_in *) one->ifa_addr)->sin_addr, G_SOCKET_FAMILY_IPV4);
  freeifaddrs (all);
  return found;
}

typedef struct
{
  gboolean ended;
  gboolean connected;
} Outcome;

static void
dialled_cb (AmnesiaDial       *dial,
            GSocketConnection *connection,
            const GError      *error,
            gpointer           user_data)
{
  Outcome *outcome = user_data;

  if (error != NULL)
    g_test_message ("%s", error->message);
  outcome->ended = TRUE;
  outcome->connected = connection != NULL;
}

static void
test_own_address_gone (void)
{
  g_autoptr (GInetAddress) here = find_outer_address ();
  g_autoptr (GInetAddress) gone = g_inet_address_new_from_string ("198.51.100.77");
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress) where = NULL, bound = NULL;
  g_autoptr (GError) error = NULL;
  g_autolist (GInetAddress) addresses = NULL;
  Outcome outcome = { 0, };
  AmnesiaDial *dial;

  g_test_summary ("Who has another address than when he began to listen still reaches the others");

  if (here == NULL)
    {
      g_test_skip ("this machine has loopback addresses only");
      return;
    }
  where = g_inet_socket_address_new (here, 0);
  g_socket_listener_add_address (listener, where, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                 &bound, &error);
  g_assert_no_error (error);
  addresses = g_list_append (NULL, g_object_ref (here));
  dial = amnesia_dial_new (g_main_context_default (),
                           g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)),
                           dialled_cb, &outcome);
  amnesia_dial_set_from (dial, gone);
  amnesia_dial_start (dial, addresses, NULL);
  test_until (outcome.ended);
  g_assert_true (outcome.connected);
  amnesia_dial_free (dial);
}

/* A resolver that knows what we tell it. */

typedef GResolver FakeResolver;
typedef GResolverClass FakeResolverClass;

static const char *fake_addresses[2]; /* of “nodea” and “nodeb”, with spaces between them */

static GType fake_resolver_get_type (void);
G_DEFINE_TYPE (FakeResolver, fake_resolver, G_TYPE_RESOLVER)

static void
fake_lookup_async (GResolver           *self,
                   const gchar         *host,
                   GCancellable        *cancellable,
                   GAsyncReadyCallback  callback,
                   gpointer             user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_auto (GStrv) texts = g_strsplit (fake_addresses[g_str_equal (host, "nodeb")], " ", -1);
  GList *addresses = NULL;
  guint i;

  for (i = 0; texts[i] != NULL; i++)
    addresses = g_list_append (addresses, g_inet_address_new_from_string (texts[i]));
  g_task_return_pointer (task, addresses, (GDestroyNotify) g_resolver_free_addresses);
}

static GList *
fake_lookup_finish (GResolver     *self,
                    GAsyncResult  *result,
                    GError       **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fake_resolver_class_init (FakeResolverClass *klass)
{
  klass->lookup_by_name_async = fake_lookup_async;
  klass->lookup_by_name_finish = fake_lookup_finish;
}

static void
fake_resolver_init (FakeResolver *self)
{
}

static gboolean
turn_away_cb (GSocketService    *service,
              GSocketConnection *connection,
              GObject           *source,
              gpointer           user_data)
{
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return TRUE;
}

static void
test_second_address (void)
{
  g_autoptr (GResolver) before = g_resolver_get_default ();
  g_autoptr (GResolver) resolver = g_object_new (fake_resolver_get_type (), NULL);
  g_autoptr (GSocketService) service = g_socket_service_new ();
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string ("127.0.0.1", test_port (1));
  g_autoptr (AmnesiaConf) conf_a = amnesia_conf_new ();
  g_autofree char *addresses = g_strdup_printf ("127.0.0.1 %s", test_host ());
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) peer = NULL;
  AmnesiaStore *a;

  g_test_summary ("Who is turned away at one address of a host tries the next one");

  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (service), where, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, NULL, NULL))
    {
      g_test_skip ("127.0.0.1 is in use");
      return;
    }
  g_signal_connect (service, "incoming", G_CALLBACK (turn_away_cb), NULL);
  fake_addresses[0] = test_host ();
  fake_addresses[1] = addresses;
  g_resolver_set_default (resolver);
  amnesia_conf_add_peer (conf_a, test_host (), test_port (0), NULL);
  amnesia_conf_add_peer (conf_a, "nodeb", test_port (1), NULL);
  a = test_store (conf_a);
  peer = raw_door_accept (door);
  raw_peer_greet (peer, 7, 0);
  test_until (test_n_linked (a) == 1);
  test_free_store (a);
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
  g_resolver_set_default (before);
}

/* What it says is not for our standard output, which is TAP. */
static gboolean
run_ip (const char *arguments)
{
  g_autofree char *command = g_strconcat ("ip ", arguments, NULL);
  g_autofree char *said = NULL;
  int status;

  return g_spawn_command_line_sync (command, &said, NULL, &status, NULL) &&
         g_spawn_check_wait_status (status, NULL);
}

/* In a network namespace of its own. */
static void
renumber (void)
{
  g_autoptr (GResolver) resolver = g_object_new (fake_resolver_get_type (), NULL);
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new ();
  AmnesiaStore *a, *b;

  g_assert_true (run_ip ("link set lo up") && run_ip ("addr add 10.77.0.1/32 dev lo") &&
                 run_ip ("addr add 10.77.0.2/32 dev lo"));
  fake_addresses[0] = "10.77.0.1";
  fake_addresses[1] = "10.77.0.2";
  g_resolver_set_default (resolver);
  amnesia_conf_add_peer (conf, "nodea", 7777, NULL);
  amnesia_conf_add_peer (conf, "nodeb", 7777, NULL);
  a = test_store (conf);
  b = test_store (conf);
  test_wait_linked (b, 1);

  g_assert_true (run_ip ("addr add 10.77.0.11/32 dev lo") && run_ip ("addr add 10.77.0.12/32 dev lo") &&
                 run_ip ("addr del 10.77.0.1/32 dev lo") && run_ip ("addr del 10.77.0.2/32 dev lo"));
  fake_addresses[0] = "10.77.0.11";
  fake_addresses[1] = "10.77.0.12";
  test_until (test_n_linked (a) == 0 && test_n_linked (b) == 0);
  test_until (test_n_linked (a) == 1 && test_n_linked (b) == 1);
  test_set (a, "'after'");
  test_until (test_has_data (b, "'after'"));
  g_assert_cmpstr (amnesia_store_get_listening (a), ==, "nodea:7777");
  g_assert_cmpstr (amnesia_store_get_listening (b), ==, "nodeb:7777");
  test_free_store (a);
  test_free_store (b);
}

static void
test_renumbered (void)
{
  g_test_summary ("Two who both have got other addresses find one another by their names");

  if (g_test_subprocess ())
    {
      if (unshare (CLONE_NEWNET) == 0)
        renumber ();
      return;
    }
  if (geteuid () != 0 || !run_ip ("-V"))
    {
      g_test_skip ("network namespaces need root, and the program “ip”");
      return;
    }
  g_test_trap_subprocess (NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/adversary/fork-ids", test_fork_ids);
  g_test_add_func ("/adversary/clock-mended", test_clock_mended);
  g_test_add_func ("/adversary/clock-mended-apart", test_clock_mended_apart);
  g_test_add_func ("/adversary/colliding-keys", test_colliding_keys);
  g_test_add_func ("/adversary/many-keys", test_many_keys);
  g_test_add_func ("/adversary/small-among-large", test_small_among_large);
  g_test_add_func ("/adversary/keys-one-by-one", test_keys_one_by_one);
  g_test_add_func ("/adversary/colliding-names", test_colliding_names);
  g_test_add_func ("/adversary/blocked", test_blocked);
  g_test_add_func ("/adversary/trickle", test_trickle);
  g_test_add_func ("/adversary/lost-while-closing", test_lost_while_closing);
  g_test_add_func ("/adversary/cut-while-closing", test_cut_while_closing);
  g_test_add_func ("/adversary/above-own-limit", test_above_own_limit);
  g_test_add_func ("/adversary/withheld-base", test_withheld_base);
  g_test_add_func ("/adversary/three-links", test_three_links);
  g_test_add_func ("/adversary/no-room", test_no_room);
  g_test_add_func ("/adversary/write-too-big", test_write_too_big);
  g_test_add_func ("/adversary/no-storm", test_no_storm);
  g_test_add_func ("/adversary/no-storm-of-guest", test_no_storm_of_guest);
  g_test_add_func ("/adversary/many-guests", test_many_guests);
  g_test_add_func ("/adversary/own-address-gone", test_own_address_gone);
  g_test_add_func ("/adversary/second-address", test_second_address);
  g_test_add_func ("/adversary/renumbered", test_renumbered);
  return g_test_run ();
}
