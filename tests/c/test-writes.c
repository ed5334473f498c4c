/* SPDX-License-Identifier: MIT */

/* Several keys that are written at once: they travel together, and are taken together. */

#include "lone-link.h"
#include "mesh/amnesia-links-private.h"
#include "mesh/amnesia-limits-private.h"
#include "raw-peer.h"
#include "small-world.h"

#include <string.h>

#define WALL (world.now.wall / 1000)
#define STAMP(later) (AMNESIA_STAMP_NORMAL | (guint64) (WALL + (later)) << 16)
#define PEER_SIZE (1024 * 1024) /* of a lone link */

static char *
join_keys (GPtrArray *entries)
{
  g_autoptr (GString) keys = g_string_new (NULL);
  guint i;

  for (i = 0; i < entries->len; i++)
    g_string_append_printf (keys, "%s%s", i > 0 ? " " : "",
                            ((AmnesiaEntry *) g_ptr_array_index (entries, i))->key);
  return g_string_free (g_steal_pointer (&keys), FALSE);
}

/* Which keys the frame brings, as "a b c", and what the receiver says of the limits. */
static char *
describe (const AmnesiaPacket *packet,
          guint64              max_size)
{
  const guint8 *head = g_bytes_get_data (packet->head, NULL);
  g_auto (AmnesiaFrame) frame = { 0 };
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GError) error = NULL;
  gsize header_size, payload_size;

  amnesia_frame_check_prefix (head, TRUE, max_size, &frame.kind, &header_size, &payload_size, &error);
  g_assert_no_error (error);
  amnesia_frame_read_header (&frame, head + AMNESIA_PREFIX_SIZE, header_size, payload_size, max_size,
                             &error);
  g_assert_no_error (error);
  frame.payload = g_bytes_ref (packet->payload);
  entries = amnesia_frame_decode_write (&frame, max_size, &error);
  g_assert_no_error (error);
  return join_keys (entries);
}

/* Takes the next value that the link has to send, and what else comes before it. */
static gboolean
pull_value (AmnesiaLink    *link,
            AmnesiaPacket  *packet,
            GError        **notice)
{
  while (amnesia_link_pull (link, world.now, packet, notice))
    {
      amnesia_link_sent (link, TRUE, world.now);
      if (packet->payload != NULL)
        return TRUE;
      amnesia_packet_clear (packet);
    }
  return FALSE;
}

/* The next value has these keys; NULL: there is none. */
static void
assert_sends (AmnesiaLink *link,
              const char  *expected)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autofree char *keys = NULL;

  if (pull_value (link, &packet, NULL))
    keys = describe (&packet, PEER_SIZE);
  g_assert_cmpstr (keys, ==, expected);
}

static GPtrArray *
write_keys (AmnesiaReplica *replica,
            const char     *text)
{
  g_autoptr (GVariant) keys = test_value (text);

  return amnesia_replica_write_keys (replica, WALL, keys);
}

static void
mark_all (AmnesiaLink *link,
          GPtrArray   *entries)
{
  guint i;

  for (i = 0; i < entries->len; i++)
    amnesia_link_mark (link, ((AmnesiaEntry *) g_ptr_array_index (entries, i))->key);
}

static void
test_together (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = write_keys (local.replica, "{'c': <1>, 'a': <2>, 'b': <'x'>}");

  g_test_summary ("Keys that were written at once leave as one frame, without those that were replaced");

  mark_all (link, entries);
  assert_sends (link, "a b c");
  assert_sends (link, NULL);

  /* one mark is enough */
  amnesia_link_mark (link, "b");
  assert_sends (link, "a b c");

  mark_all (link, entries);
  amnesia_replica_write (local.replica, WALL, "b", NULL);
  assert_sends (link, "a c");
  assert_sends (link, "b");
  assert_sends (link, NULL);

  mark_all (link, entries);
  amnesia_replica_write (local.replica, WALL, "", NULL);
  assert_sends (link, NULL);
  lone_link_free (link);
}

static void
test_repair (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = write_keys (local.replica, "{'a': <1>, 'b': <2>, 'c': <3>}");

  g_test_summary ("Who lacks one of them gets all");

  g_ptr_array_remove (entries, amnesia_replica_lookup (local.replica, "b"));
  lone_link_feed_list (link, entries);
  assert_sends (link, "a b c");
  assert_sends (link, NULL);
  lone_link_free (link);
}

/* Another link of the same member. */
static AmnesiaLink *
add_link (AmnesiaLinks *links,
          AmnesiaLocal *local,
          guint64       id)
{
  AmnesiaLink *link = amnesia_links_add (links, local, "host", 2, FALSE, world.now);

  lone_link_greet (link, "");
  link->peer_id = id;
  assert_sends (link, NULL);
  return link;
}

static GPtrArray *
make_write (const char *first_key,
            ...)
{
  GPtrArray *entries = amnesia_entries_new ();
  const char *key;
  va_list keys;

  va_start (keys, first_key);
  for (key = first_key; key != NULL; key = va_arg (keys, const char *))
    g_ptr_array_add (entries, amnesia_entry_new (key, STAMP (0), 77, g_variant_new_string (key), NULL, 0));
  va_end (keys);
  return entries;
}

static void
test_forward (void)
{
  AmnesiaLocal local;
  AmnesiaLink *giver = lone_link_new_up (&local);
  AmnesiaLinks links;
  AmnesiaLink *others[2];
  AmnesiaPacket packets[2] = { { 0 } };
  g_autoptr (GPtrArray) entries = make_write ("a", "b", "c", NULL);
  g_autoptr (GPtrArray) own = NULL;
  g_auto (AmnesiaReceipt) receipt = { 0 };
  AmnesiaPacket packet;
  guint i;

  g_test_summary ("They are forwarded as they came, in one piece of memory for all links");

  amnesia_links_init (&links);
  for (i = 0; i < 2; i++)
    others[i] = add_link (&links, &local, 100 + i);
  amnesia_frame_encode_write (entries, &packet);
  g_assert_true (lone_link_feed (giver, &packet, &receipt, NULL));
  g_assert_cmpuint (receipt.taken->len, ==, 3);
  g_assert_true (amnesia_links_forward (&links, giver, (AmnesiaEntry **) receipt.taken->pdata,
                                        receipt.taken->len));
  for (i = 0; i < 2; i++)
    {
      g_autofree char *keys = NULL;

      g_assert_true (pull_value (others[i], &packets[i], NULL));
      keys = describe (&packets[i], PEER_SIZE);
      g_assert_cmpstr (keys, ==, "a b c");
      assert_sends (others[i], NULL);
    }
  g_assert_true (packets[0].payload == packets[1].payload);
  g_assert_true (packets[0].head == packets[1].head);

  for (i = 0; i < 2; i++)
    amnesia_packet_clear (&packets[i]);

  /* what is kept is what was sent last */
  amnesia_replica_write (local.replica, WALL, "b", NULL);
  amnesia_link_mark (others[0], "a");
  assert_sends (others[0], "a c");
  own = write_keys (local.replica, "{'x': <1>, 'y': <2>}");
  mark_all (others[0], own);
  assert_sends (others[0], "x y");
  amnesia_links_clear (&links);
  lone_link_free (giver);
}

static void
test_removed (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_auto (AmnesiaReceipt) receipt = { 0 };
  AmnesiaPacket packet;

  g_test_summary ("Several that were removed at once have no bytes, and are taken");

  g_ptr_array_add (entries, amnesia_entry_new ("a", STAMP (0), 77, NULL, NULL, 0));
  g_ptr_array_add (entries, amnesia_entry_new ("b", STAMP (0), 77, NULL, NULL, 0));
  g_assert_true (amnesia_frame_encode_write (entries, &packet));
  g_assert_cmpuint (g_bytes_get_size (packet.payload), ==, 0);
  g_assert_true (lone_link_feed (link, &packet, &receipt, NULL));
  g_assert_cmpuint (receipt.taken->len, ==, 2);
  lone_link_free (link);
}

static void
set_flag (gpointer flag)
{
  *(gboolean *) flag = TRUE;
}

static void
test_memory (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GVariant) keys = test_value ("{'b': <1>}");
  g_autoptr (GPtrArray) entries = NULL;
  g_autofree char *text = g_strnfill (1000, 'x');
  g_autofree guint8 *copy = NULL;
  g_autoptr (GVariantDict) dict = g_variant_dict_new (keys);
  gboolean freed = FALSE;
  gsize size;

  g_test_summary ("A small one does not keep the memory of a large one that it was written with");

  g_variant_dict_insert (dict, "a", "s", text);
  g_variant_unref (keys);
  keys = g_variant_ref_sink (g_variant_dict_end (dict));
  size = g_variant_get_size (keys);
  copy = g_memdup2 (g_variant_get_data (keys), size);
  g_variant_unref (keys);
  keys = g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, copy, size, TRUE, set_flag,
                                                      &freed));
  entries = amnesia_replica_write_keys (local.replica, WALL, keys);
  amnesia_replica_get_value (local.replica);
  mark_all (link, entries);
  assert_sends (link, "a b");
  g_clear_pointer (&keys, g_variant_unref);
  g_ptr_array_set_size (entries, 0);
  amnesia_replica_write (local.replica, WALL, "a", NULL);
  g_assert_false (freed);
  /* the mesh does so with each tick */
  amnesia_local_forget_write (&local);
  g_assert_true (freed);
  lone_link_free (link);
}

static AmnesiaEntry *
make_entry (const char *key,
            gint64      later,
            gsize       size)
{
  g_autofree char *text = g_strnfill (size - 1, 'x');

  return amnesia_entry_new (key, STAMP (later), 77, g_variant_new_string (text), NULL, 0);
}

/* What a peer with this max-size gets of keys whose values have so many bytes, and what is said. */
static void
check_smaller_peer (guint64     max_size,
                    const char *expected,
                    const char *said,
                    gsize       first_size,
                    ...)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  char key[] = "a";
  gsize size;
  va_list sizes;
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autofree char *got = NULL;
  g_autoptr (GError) notice = NULL;

  va_start (sizes, first_size);
  for (size = first_size; size > 0; size = va_arg (sizes, gsize))
    {
      g_autoptr (AmnesiaEntry) entry = make_entry (key, 0, size);

      amnesia_replica_merge (local.replica, WALL, entry);
      amnesia_link_mark (link, key);
      key[0]++;
    }
  va_end (sizes);
  link->repair.peer_max_size = max_size;
  if (pull_value (link, &packet, &notice))
    got = describe (&packet, max_size);
  g_assert_cmpstr (got, ==, expected);
  if (said == NULL)
    g_assert_no_error (notice);
  else
    {
      g_assert_error (notice, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
      g_assert_nonnull (strstr (notice->message, said));
    }
  assert_sends (link, NULL);
  lone_link_free (link);
}

static void
test_smaller_peer (void)
{
  const gsize none = 0;
  const gsize some = 101; /* 104 with what is between them */

  g_test_summary ("A peer with a smaller max-size goes without what is above it, and has the rest as one");

  check_smaller_peer (50, "b d", "of 101 bytes was not sent", some, (gsize) 6, some, (gsize) 2, none);
  check_smaller_peer (5, "d", "was not sent", some, (gsize) 6, some, (gsize) 2, none);
  check_smaller_peer (1, NULL, "was not sent", some, (gsize) 6, some, (gsize) 2, none);
  check_smaller_peer (104, "a b c d", NULL, some, some, some, some, none);
  check_smaller_peer (103, "a b c e", "was not sent whole", some, some, some, some, (gsize) 95, none);
}

/* The keys that are longest, with values whose types are. */
static GPtrArray *
make_most (void)
{
  GPtrArray *entries = amnesia_entries_new ();
  guint i, j;

  for (i = 0; i < 4096; i++)
    {
      g_autofree char *number = g_strdup_printf ("%05u", i);
      g_autofree char *rest = g_strnfill (250, 'k');
      g_autofree char *key = g_strconcat (number, rest, NULL);
      g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);

      for (j = 0; j < 253; j++)
        g_variant_builder_add (&builder, "y", 1);
      g_ptr_array_add (entries, amnesia_entry_new (key, STAMP (0), 77, g_variant_builder_end (&builder),
                                                   NULL, 0));
    }
  return entries;
}

static void
test_most (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_autoptr (GPtrArray) entries = make_most ();
  g_auto (AmnesiaReceipt) receipt = { 0 };
  g_autoptr (GError) error = NULL;
  AmnesiaPacket packet;

  g_test_summary ("As many keys as there may be, as long as they may be, have room in one frame");

  amnesia_frame_encode_write (entries, &packet);
  g_assert_cmpuint (g_bytes_get_size (packet.head), <, AMNESIA_MAX_WRITE_HEADER);
  g_assert_true (lone_link_feed (link, &packet, &receipt, &error));
  g_assert_no_error (error);
  g_assert_no_error (receipt.notice);
  g_assert_cmpuint (receipt.taken->len, ==, 4096);
  lone_link_free (link);
}

/* Feeds two keys of one write; returns how many are taken. */
static guint
feed_two (AmnesiaLink    *link,
          AmnesiaReceipt *receipt,
          gint64          later,
          gsize           a,
          gsize           b)
{
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  AmnesiaPacket packet;

  g_ptr_array_add (entries, make_entry ("a", later, a));
  g_ptr_array_add (entries, make_entry ("b", later, b));
  amnesia_frame_encode_write (entries, &packet);
  g_assert_true (lone_link_feed (link, &packet, receipt, NULL));
  return receipt->taken->len;
}

static void
test_room (void)
{
  AmnesiaLocal local;
  AmnesiaLink *link = lone_link_new_up (&local);
  g_auto (AmnesiaReceipt) first = { 0 };
  g_auto (AmnesiaReceipt) second = { 0 };
  g_auto (AmnesiaReceipt) third = { 0 };
  g_autoptr (AmnesiaEntry) c = make_entry ("c", 5, 10);

  g_test_summary ("Where there is no room for all of a write none is taken; only what there is in the end "
                  "counts");

  amnesia_replica_set_max_size (local.replica, 1000);
  g_assert_cmpuint (feed_two (link, &first, 0, 100, 3900), ==, 2);
  /* the first grows before the second shrinks */
  g_assert_cmpuint (feed_two (link, &second, 1, 3900, 100), ==, 2);
  g_assert_no_error (second.notice);
  /* that there was room was true of that write only */
  g_assert_cmpint (amnesia_replica_merge (local.replica, WALL, c), ==, AMNESIA_MERGE_FULL);

  g_assert_cmpuint (feed_two (link, &third, 2, 50, 3951), ==, 0);
  g_assert_error (third.notice, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
  g_assert_cmpuint (amnesia_replica_get_size (local.replica), ==, 4000);
  lone_link_free (link);
}

static void
test_rewritten (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (5);
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (GPtrArray) write = NULL;
  const gint64 years = G_GINT64_CONSTANT (3) * 365 * 24 * 60 * 60 * 1000;

  g_test_summary ("What was written at once with a clock that was wrong is written anew at once");

  world.now.wall = 1000 * SECOND + years * 1000;
  entries = write_keys (replica, "{'a': <1>, 'c': <2>, 'd': <3>}");
  amnesia_replica_write (replica, WALL, "b", g_variant_new_byte (4));
  amnesia_replica_write (replica, WALL, "c", g_variant_new_byte (5));
  again = amnesia_replica_rewrite_ahead (replica, 1000);
  g_assert_cmpuint (again->len, ==, 4);
  write = amnesia_replica_list_write (replica, amnesia_replica_lookup (replica, "a"));
  g_assert_cmpuint (write->len, ==, 2);
  g_assert_true (g_ptr_array_index (write, 1) == amnesia_replica_lookup (replica, "d"));
  g_assert_true (amnesia_replica_get_newest (replica) == amnesia_replica_lookup (replica, "c"));
}

/* Waits for the next value that the peer gets. */
static void
raw_assert_keys (RawPeer    *peer,
                 const char *expected)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (peer, AMNESIA_FRAME_WRITE);
  g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, PEER_SIZE, NULL);
  g_autofree char *keys = NULL;

  g_assert_nonnull (entries);
  keys = join_keys (entries);
  g_assert_cmpstr (keys, ==, expected);
  raw_frame_free (frame);
}

static void
test_set_keys (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (RawPeer) peer = NULL;
  g_autoptr (GVariant) keys = test_value ("{'a': <1>, 'b': <2>, 'c': <3>}");

  g_test_summary ("A store sends the keys that are set at once in one frame, once");

  test_wait_state (store, AMNESIA_STATE_ALONE);
  peer = raw_peer_connect (0);
  raw_peer_greet (peer, 77, 0);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  g_assert_true (amnesia_store_set_keys (store, keys, NULL));
  raw_assert_keys (peer, "a b c");
  /* what is sent next is something else */
  g_assert_true (amnesia_store_set_key (store, "z", g_variant_new_byte (4), NULL));
  raw_assert_keys (peer, "z");
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/writes/together", test_together);
  g_test_add_func ("/writes/repair", test_repair);
  g_test_add_func ("/writes/forward", test_forward);
  g_test_add_func ("/writes/removed", test_removed);
  g_test_add_func ("/writes/memory", test_memory);
  g_test_add_func ("/writes/smaller-peer", test_smaller_peer);
  g_test_add_func ("/writes/most", test_most);
  g_test_add_func ("/writes/room", test_room);
  g_test_add_func ("/writes/rewritten", test_rewritten);
  g_test_add_func ("/writes/set-keys", test_set_keys);
  return g_test_run ();
}
