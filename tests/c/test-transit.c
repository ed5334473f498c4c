/* SPDX-License-Identifier: MIT */

/* How far a large value is on its way: what is decided, and what is seen of a peer that takes and sends
 * slowly. By which way the bytes go is for test-tls-transit. */

#include "bar.h"
#include "raw-peer.h"

#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-transit-private.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define MIB ((gsize) 1024 * 1024)
#define RAW_ID 7

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaFrame, raw_frame_free)

static Bar *
new_bar (AmnesiaStore *store,
         const char   *name)
{
  return bar_new (test_find_peer (store, test_port (1)), name);
}

/* --- what is decided --- */

/* One look after the other. */
static const struct
{
  gint64  at;    /* in milliseconds */
  gsize   done;  /* of 4 MiB, in KiB; 4096: that is the end */
  gdouble shown; /* -1: it stays what it is */
} looks[] = {
  /* quick: nothing is to be seen of it */
  { 1000, 1024, -1 },
  { 1199, 4000, -1 },
  { 1199, 4096, -1 },
  /* the next one: after a fifth of a second, and then each tenth */
  { 1200, 0, -1 },
  { 1210, 1, -1 },
  { 1399, 1000, -1 },
  { 1400, 1024, 0.25 },
  { 1401, 1025, -1 },
  { 1499, 2000, -1 },
  { 1500, 2048, 0.5 },
  /* nothing has come for a while: there is nothing to be said, and no reason to hurry afterwards */
  { 1600, 2048, -1 },
  { 1999, 2048, -1 },
  { 2000, 3072, 0.75 },
  { 2099, 3073, -1 },
  /* the end does not wait */
  { 2099, 4096, 1 },
  { 2100, 100, -1 },
  { 2299, 1024, -1 },
  { 2300, 1024, 0.25 },
  { 2300, 4096, 1 },
};

static void
test_decided (void)
{
  AmnesiaTransit transit;
  gdouble shown = 1;

  g_test_summary ("It is shown after a fifth of a second, each tenth, and at the end");

  amnesia_transit_init (&transit);
  for (guint i = 0; i < G_N_ELEMENTS (looks); i++)
    {
      gboolean news = looks[i].done == 4096
                        ? amnesia_transit_end (&transit)
                        : amnesia_transit_advance (&transit, looks[i].done * 1024, 4 * MIB,
                                                   looks[i].at * MS);

      g_test_message ("at %" G_GINT64_FORMAT, looks[i].at);
      g_assert_cmpint (news, ==, looks[i].shown >= 0);
      if (news)
        shown = looks[i].shown;
      g_assert_cmpfloat (transit.shown, ==, shown);
    }
}

static void
test_small (void)
{
  AmnesiaTransit transit;

  g_test_summary ("A small value is not shown, however long it takes");

  amnesia_transit_init (&transit);
  for (gint64 at = 1; at < 100 * G_TIME_SPAN_SECOND; at += 50 * MS)
    {
      g_assert_false (amnesia_transit_advance (&transit, 1, AMNESIA_LARGE - 1, at));
      g_assert_cmpint (transit.size, ==, 0);
    }
  g_assert_false (amnesia_transit_end (&transit));
}

static void
test_stalled (void)
{
  AmnesiaTransit transit;

  g_test_summary ("What does not get on is shown when it is time, once");

  amnesia_transit_init (&transit);
  g_assert_cmpint (transit.due, ==, 0);
  g_assert_false (amnesia_transit_review (&transit, 500 * MS));
  amnesia_transit_advance (&transit, MIB, 4 * MIB, 1000 * MS);
  g_assert_cmpint (transit.due, ==, 1200 * MS);
  g_assert_false (amnesia_transit_review (&transit, 1199 * MS));
  g_assert_true (amnesia_transit_review (&transit, 1200 * MS));
  g_assert_cmpfloat (transit.shown, ==, 0.25);
  g_assert_cmpint (transit.due, ==, 0);
  g_assert_false (amnesia_transit_review (&transit, 9000 * MS));
  amnesia_transit_end (&transit);
  g_assert_cmpint (transit.due, ==, 0);
}

/* --- from a peer that sends slowly --- */

static GVariant *
make_value (const char *type,
            gsize       size)
{
  guint8 *bytes = g_malloc (size);

  memset (bytes, 'x', size);
  bytes[size - 1] = 0;
  return g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE (type), bytes, size, TRUE, g_free,
                                                      bytes));
}

/* The bytes of a write of the whole value. */
static GByteArray *
make_write (const char *type,
            gsize       size)
{
  g_autoptr (GVariant) value = make_value (type, size);
  g_autoptr (AmnesiaEntry) entry = amnesia_entry_new ("", raw_stamp (0), RAW_ID, value, NULL, 0);
  g_auto (AmnesiaPacket) packet = { NULL };
  GByteArray *bytes = g_byte_array_new ();

  raw_encode_write (entry, &packet);
  g_byte_array_append (bytes, g_bytes_get_data (packet.head, NULL), g_bytes_get_size (packet.head));
  g_byte_array_append (bytes, g_bytes_get_data (packet.payload, NULL),
                       g_bytes_get_size (packet.payload));
  g_byte_array_set_size (bytes, (bytes->len + 7) / 8 * 8);
  return bytes;
}

/* What is between these parts of it, in so many pieces, one each 20 ms. */
static void
trickle (RawPeer    *peer,
         GByteArray *bytes,
         gdouble     from,
         gdouble     to,
         guint       n)
{
  gsize start = (gsize) (bytes->len * from), size = (gsize) (bytes->len * to) - start;

  for (guint i = 0; i < n; i++)
    {
      gsize begin = size * i / n, end = size * (i + 1) / n;

      raw_peer_send_bytes (peer, bytes->data + start + begin, end - begin);
      test_pass_time (20);
    }
}

static gsize
get_size (AmnesiaStore *store)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (store);

  return data != NULL ? g_variant_get_size (data) : 0;
}

/* The end was not that of the link. */
static void
assert_connected (Bar *bar)
{
  g_assert_cmpint (amnesia_peer_get_state (bar->peer), ==, AMNESIA_PEER_STATE_CONNECTED);
}

/* What the bar said when there was another value. */
static void
data_cb (AmnesiaStore *store,
         GParamSpec   *pspec,
         Bar          *bar)
{
  g_assert_cmpuint (bar->n_ends, ==, 0);
}

static void
test_receiving (gconstpointer type)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (Bar) bar = new_bar (store, "receiving");
  g_autoptr (Bar) other = new_bar (store, "sending");
  g_autoptr (GByteArray) bytes = make_write (type, 4 * MIB);

  g_test_summary ("What comes slowly is seen to come, until it is there");

  g_signal_connect (store, "notify::data", G_CALLBACK (data_cb), bar);
  trickle (raw, bytes, 0, 0.5, 20);
  g_assert_cmpfloat (bar->shown, >=, 0.2);
  g_assert_cmpfloat (bar->shown, <=, 0.5);
  trickle (raw, bytes, 0.5, 0.99, 20);
  g_assert_cmpfloat (bar->shown, >=, 0.6);
  g_assert_cmpuint (bar->n_ends, ==, 0);
  g_assert_cmpuint (bar->n_parts, >=, 5);
  g_assert_cmpuint (get_size (store), ==, 0);
  trickle (raw, bytes, 0.99, 1, 1);
  test_until (bar_check (bar) && bar->n_ends == 1);
  assert_connected (bar);
  g_assert_cmpuint (get_size (store), ==, 4 * MIB);
  g_assert_cmpuint (other->n_parts + other->n_ends, ==, 0);
  g_clear_pointer (&bar, bar_free);
  g_clear_pointer (&other, bar_free);
  test_free_store (store);
}

static void
test_receiving_stalls (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (Bar) bar = new_bar (store, "receiving");
  g_autoptr (GByteArray) bytes = make_write ("ay", 4 * MIB);
  gint64 begun = g_get_monotonic_time ();
  gdouble shown;

  g_test_summary ("What stops coming is seen to be half there; when the peer goes, nothing comes");

  trickle (raw, bytes, 0, 0.5, 1);
  test_until (bar->shown < 1);
  /* by itself, and not with the next heartbeat */
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 1500 * MS * test_slowness ());
  test_until (bar->shown > 0.49);
  g_assert_cmpfloat (bar->shown, <=, 0.5);
  test_pass_time (300);
  g_assert_cmpuint (bar->n_parts, <=, 2);
  /* a single piece is seen at once, though another one may never come */
  shown = bar->shown;
  begun = g_get_monotonic_time ();
  raw_peer_send_bytes (raw, bytes->data + bytes->len / 2, 8);
  test_until (bar->shown > shown);
  g_assert_cmpfloat (bar->shown, <, 0.51);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 1000 * MS * test_slowness ());
  g_clear_pointer (&raw, raw_peer_free);
  test_until (bar_check (bar) && bar->n_ends == 1);
  g_assert_cmpint (amnesia_peer_get_state (bar->peer), !=, AMNESIA_PEER_STATE_CONNECTED);
  g_clear_pointer (&bar, bar_free);
  test_free_store (store);
}

static void
test_receiving_small (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (Bar) bar = new_bar (store, "receiving");
  g_autoptr (GByteArray) bytes = make_write ("ay", MIB - 8);

  g_test_summary ("A small value is not seen to come, though it takes half a second");

  trickle (raw, bytes, 0, 1, 25);
  test_until (get_size (store) == MIB - 8);
  g_assert_cmpuint (bar->n_parts + bar->n_ends, ==, 0);
  g_clear_pointer (&bar, bar_free);
  test_free_store (store);
}

static void
test_store_goes (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (AmnesiaPeer) peer = g_object_ref (test_find_peer (store, test_port (1)));
  g_autoptr (GByteArray) bytes = make_write ("ay", 4 * MIB);

  g_test_summary ("Who still holds a peer when the store goes sees nothing come");

  trickle (raw, bytes, 0, 0.5, 1);
  test_until (amnesia_peer_get_receiving (peer) < 1);
  test_free_store (store);
  g_assert_cmpfloat (amnesia_peer_get_receiving (peer), ==, 1);
}

/* --- to a peer that takes slowly --- */

static void
set_large (AmnesiaStore *store,
           gsize         size)
{
  g_autoptr (GVariant) value = make_value ("ay", size);

  amnesia_store_set_data (store, value);
}

/* Of the 15 MiB the kernel takes some at once; the rest waits. */
static AmnesiaStore *
begin_sending (RawPeer **raw,
               Bar     **bar)
{
  AmnesiaStore *store = raw_door_open_store (raw);
  gint64 begun;

  *bar = new_bar (store, "sending");
  raw_peer_set_reading (*raw, FALSE);
  begun = g_get_monotonic_time ();
  set_large (store, 15 * MIB);
  g_assert_cmpuint ((*bar)->n_parts, ==, 0);
  test_until ((*bar)->shown < 1);
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, 200 * MS);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 1500 * MS * test_slowness ());
  return store;
}

/* Takes a little of what has come. */
static gsize
sip (RawPeer *raw,
     char    *cup)
{
  gssize got = g_socket_receive (raw->socket, cup, 512 * 1024, NULL, NULL);

  return (gsize) MAX (got, 0);
}

static void
test_sending (void)
{
  g_autofree char *cup = g_malloc (512 * 1024);
  g_autoptr (RawPeer) raw = NULL;
  g_autoptr (Bar) bar = NULL;
  AmnesiaStore *store = begin_sending (&raw, &bar);
  gsize taken = 0;

  g_test_summary ("What is taken slowly is seen to go, and at the end it is gone");

  while (taken < 15 * MIB)
    {
      taken += sip (raw, cup);
      test_pass_time (10);
      bar_check (bar);
    }
  g_assert_cmpuint (bar->n_parts, >=, 2);
  test_until (bar_check (bar) && bar->n_ends == 1);
  assert_connected (bar);
  g_clear_pointer (&bar, bar_free);
  test_free_store (store);
}

static void
test_sending_cut (void)
{
  g_autoptr (RawPeer) raw = NULL;
  g_autoptr (Bar) bar = NULL;
  AmnesiaStore *store = begin_sending (&raw, &bar);

  g_test_summary ("When the peer goes, nothing is on its way to it");

  g_clear_pointer (&raw, raw_peer_free);
  test_until (bar_check (bar) && bar->n_ends == 1);
  g_assert_cmpint (amnesia_peer_get_state (bar->peer), !=, AMNESIA_PEER_STATE_CONNECTED);
  g_clear_pointer (&bar, bar_free);
  test_free_store (store);
}

static gboolean
has_come (RawPeer *raw,
          gsize    size)
{
  g_autoptr (AmnesiaFrame) last = NULL;

  if (raw_peer_count (raw, AMNESIA_FRAME_WRITE) == 0)
    return FALSE;
  last = raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE);
  return g_bytes_get_size (last->payload) == size;
}

static void
test_sending_small (void)
{
  const gsize size = MIB / 2;
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (Bar) bar = new_bar (store, "sending");

  g_test_summary ("Small values are not seen to go, though the peer takes none of them");

  raw_peer_set_reading (raw, FALSE);
  /* as many as the kernel takes, and more */
  for (guint i = 0; i < 30; i++)
    {
      set_large (store, size);
      test_pass_time (5);
    }
  set_large (store, size + 8);
  test_pass_time (400);
  raw_peer_set_reading (raw, TRUE);
  test_until (has_come (raw, size + 8));
  g_assert_cmpuint (bar->n_parts + bar->n_ends, ==, 0);
  g_clear_pointer (&bar, bar_free);
  test_free_store (store);
}

static void
test_nobody (void)
{
  g_autoptr (AmnesiaPeer) peer = g_object_new (AMNESIA_TYPE_PEER, NULL);

  g_test_summary ("To a peer that is nobody nothing goes");

  g_assert_cmpfloat (amnesia_peer_get_sending (peer), ==, 1);
  g_assert_cmpfloat (amnesia_peer_get_receiving (peer), ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transit/decided", test_decided);
  g_test_add_func ("/transit/small", test_small);
  g_test_add_func ("/transit/stalled", test_stalled);
  g_test_add_func ("/transit/nobody", test_nobody);
  g_test_add_data_func ("/transit/receiving", "ay", test_receiving);
  g_test_add_data_func ("/transit/receiving-checked", "s", test_receiving);
  g_test_add_func ("/transit/receiving-stalls", test_receiving_stalls);
  g_test_add_func ("/transit/receiving-small", test_receiving_small);
  g_test_add_func ("/transit/store-goes", test_store_goes);
  g_test_add_func ("/transit/sending", test_sending);
  g_test_add_func ("/transit/sending-cut", test_sending_cut);
  g_test_add_func ("/transit/sending-small", test_sending_small);
  return g_test_run ();
}
