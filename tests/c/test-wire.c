/* SPDX-License-Identifier: MIT */

/* What can be wrong with frames. Each test is named after a row of the table in tests/README.md. */

#include "live-member.h"
#include "wire-bytes.h"

#include <string.h>

#define SEEDS 200

static GByteArray *
random_bytes (GRand *random,
              gsize  size)
{
  GByteArray *bytes = g_byte_array_new ();
  gsize i;

  g_byte_array_set_size (bytes, size);
  for (i = 0; i < size; i++)
    bytes->data[i] = g_rand_int (random);
  bytes->data[0] |= 1;
  return bytes;
}

static void
be_turned_away (const void *bytes,
                gsize       size)
{
  g_autoptr (RawPeer) raw = raw_peer_connect (0);

  raw_peer_send_bytes (raw, bytes, size);
  raw_peer_wait_closed (raw);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_WRITE), ==, 0);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_LIST), ==, 0);
}

static void
test_garbage (void)
{
  static const char *const texts[] = {
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", "{\"data\": 1}\n",
    "\x16\x03\x01\x02\x01\x01\xfc\x03\x03",
  };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  LiveStats before = live_member_look (member), after;
  guint i;

  g_test_summary ("Who begins with something else is turned away, and not more than logged");

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    be_turned_away (texts[i], strlen (texts[i]));
  for (i = 0; i < SEEDS; i++)
    {
      g_autoptr (GByteArray) noise = random_bytes (random, i % 50 == 0 ? 1 << 20 : 256);

      be_turned_away (noise->data, noise->len);
    }
  after = live_member_look (member);
  g_assert_cmpint (after.changed, ==, before.changed);
  g_assert_cmpint (after.peers, ==, 0);
  g_assert_cmpint (after.logged, >, before.logged);
  g_assert_cmpint (after.logged - before.logged, <=, 30 + 20);
  g_assert_cmpint (after.bad_logged, ==, 0);
  g_assert_cmpint (after.rss - before.rss, <, 2048 * live_slack ());
  live_member_assert_well (member);
}

/* A whole session of values that are each told apart, in frames of all kinds. */
static GByteArray *
make_session (void)
{
  GByteArray *session = wire_hello (7);
  g_autoptr (AmnesiaEntry) first = raw_entry (7, raw_stamp (10), "'first'");
  g_autoptr (AmnesiaEntry) last = raw_entry (7, raw_stamp (20), "[('the last', <@av [<1>]>)]");
  AmnesiaBeat beat = { .wall = g_get_real_time () };
  AmnesiaPacket packet;

  wire_add_list (session, NULL, FALSE);
  wire_add_entry (session, first);
  amnesia_frame_encode_beat (&beat, &packet);
  wire_add_packet (session, &packet);
  wire_add_prefix (session, 99, AMNESIA_FRAME_IGNORABLE, 3, 0);
  wire_add_padded (session, "abc", 3);
  wire_add_entry (session, last);
  return session;
}

#define LAST "[('the last', <[<1>]>)]"

static void
wait_acked (RawPeer *raw,
            guint64  count)
{
  guint64 acked = 0;

  while (acked < count)
    acked = raw_peer_wait_ack (raw);
  g_assert_cmpuint (acked, ==, count);
}

static void
test_byte_by_byte (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) session = make_session ();
  gsize i;

  g_test_summary ("A session that comes byte by byte is as good as one in one piece");

  g_socket_set_option (raw->socket, 6 /* TCP */, 1 /* NODELAY */, 1, NULL);
  for (i = 0; i < session->len; i++)
    raw_peer_send_bytes (raw, session->data + i, 1);
  wait_acked (raw, 2);
  live_member_assert_has (member, LAST);
  live_assert_unblocked (live_member_look (member));
}

static void
test_coalesced (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) session = make_session ();
  g_autoptr (AmnesiaEntry) entry = raw_entry (7, raw_stamp (30), "'half'");
  guint whole = session->len;

  g_test_summary ("Of a session and half a frame in one piece all is taken, and the half waits");

  wire_add_entry (session, entry);
  raw_peer_send_bytes (raw, session->data, whole + 30);
  wait_acked (raw, 2);
  live_member_assert_has (member, LAST);
  raw_peer_send_bytes (raw, session->data + whole + 30, session->len - whole - 30);
  wait_acked (raw, 3);
  live_member_assert_has (member, "'half'");
  live_assert_unblocked (live_member_look (member));
}

/* A peer that has said hello sends @bytes, and is told why it is left. */
static void
be_left (GByteArray *bytes,
         const char *why)
{
  g_autoptr (RawPeer) raw = raw_peer_connect (0);

  raw_peer_greet (raw, 7, 0);
  wire_send (raw, bytes);
  raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, why);
}

static void
test_lengths (void)
{
  static const struct
  {
    guint8  kind;
    guint32 header;
    guint64 payload;
  } rows[] = {
    { AMNESIA_FRAME_WRITE, 8, 64 * 1024 * 1024 + 1 }, { AMNESIA_FRAME_WRITE, 8, G_MAXUINT32 },
    { AMNESIA_FRAME_WRITE, 8, G_GUINT64_CONSTANT (1) << 63 },
    { AMNESIA_FRAME_WRITE, 8, G_MAXUINT64 }, { AMNESIA_FRAME_WRITE, 8, G_MAXUINT64 - 15 },
    { AMNESIA_FRAME_WRITE, G_MAXUINT32, 8 }, { AMNESIA_FRAME_WRITE, G_MAXUINT32, G_MAXUINT64 },
    { AMNESIA_FRAME_WRITE, 4 * 1024 * 1024 + 1, 8 },
    { AMNESIA_FRAME_ACK, 8, 8 }, { AMNESIA_FRAME_ACK, 1025, 0 }, { AMNESIA_FRAME_BEAT, 1025, 0 },
    { AMNESIA_FRAME_BYE, 1025, 0 }, { AMNESIA_FRAME_LINKS, 4097, 0 },
    { AMNESIA_FRAME_LIST, 65537, 0 }, { AMNESIA_FRAME_LIST, 8, G_MAXUINT64 },
  };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  LiveStats before = live_member_look (member), after;
  guint i;

  g_test_summary ("A frame that is too large gets a goodbye that says so, and takes no memory");

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) bytes = g_byte_array_new ();

      g_test_message ("kind %u, %u + %" G_GUINT64_FORMAT, rows[i].kind, rows[i].header,
                      rows[i].payload);
      wire_add_prefix (bytes, rows[i].kind, 0, rows[i].header, rows[i].payload);
      be_left (bytes, "*bytes, where at most*");
    }
  after = live_member_look (member);
  g_assert_cmpint (after.peak - before.rss, <, 2048 * live_slack ());
  live_member_assert_well (member);
}

/* Announced as large as may be, and then nothing comes. */
static void
test_announced (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (GByteArray) bytes = wire_hello (7);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  gsize head;
  LiveStats before, after;
  g_autofree guint8 *zeros = g_malloc0 (16 << 20);

  g_test_summary ("What is only announced takes no memory");

  wire_add_list (bytes, NULL, FALSE);
  head = bytes->len;
  wire_add_value (bytes, raw_stamp (0), "ay", zeros, 16 << 20);
  raw_peer_send_bytes (raw, bytes->data, head);
  test_until (live_member_look (member).linked == 1);
  live_member_forget (member);
  before = live_member_look (member);
  raw_peer_send_bytes (raw, bytes->data + head, 1000);
  test_pass_time (200);
  after = live_member_look (member);
  g_assert_cmpint (after.linked, ==, 1);
  g_assert_cmpint (after.peak - before.rss, <, 1024 * live_slack ());
}

static void
test_unknown (void)
{
  static const struct
  {
    guint8 kind;
    guint8 flags;
    guint8 third;
    guint  header;
    guint  payload;
  } rows[] = {
    { 0, 0, 0, 0, 0 }, { 0, AMNESIA_FRAME_IGNORABLE, 0, 0, 0 }, { 99, 0, 0, 0, 0 },
    { 99, AMNESIA_FRAME_IGNORABLE, 0, 0, 8 }, { 99, AMNESIA_FRAME_IGNORABLE, 0, 1025, 0 },
    { AMNESIA_FRAME_ACK, 2, 0, 8, 0 }, { AMNESIA_FRAME_ACK, 0x80, 0, 8, 0 },
    { AMNESIA_FRAME_ACK, 0, 1, 8, 0 }, { AMNESIA_FRAME_ACK, 0, 0, 0, 0 },
    { AMNESIA_FRAME_WRITE, 0, 0, 0, 0 }, { AMNESIA_FRAME_WRITE, 0, 0, 0, 8 },
    { AMNESIA_FRAME_LIST, 0, 0, 0, 0 }, { AMNESIA_FRAME_BEAT, 0, 0, 0, 0 },
    { AMNESIA_FRAME_BYE, 0, 0, 0, 0 },
  };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  guint i;

  g_test_summary ("Size zero, an unknown kind or flag, and bytes that must be zero, are errors");

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) bytes = g_byte_array_new ();

      wire_add_prefix (bytes, rows[i].kind, rows[i].flags, rows[i].header, rows[i].payload);
      bytes->data[2] = rows[i].third;
      g_byte_array_set_size (bytes, bytes->len + 8);
      memset (bytes->data + bytes->len - 8, 0, 8);
      g_test_message ("row %u", i);
      be_left (bytes, "*");
    }
  live_member_assert_well (member);
}

/* @text, in GVariant's notation, as the header of a frame without payload. */
static void
add_header (GByteArray       *bytes,
            AmnesiaFrameKind  kind,
            guint8            flags,
            GVariant         *header)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (header);

  wire_add_prefix (bytes, kind, flags, g_variant_get_size (owned), 0);
  wire_add_padded (bytes, g_variant_get_data (owned), g_variant_get_size (owned));
}

static void
test_later_version (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  guint i;

  g_test_summary ("Members and frames that a later version may have are passed over");

  g_byte_array_append (bytes, (const guint8 *) AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  add_header (bytes, AMNESIA_FRAME_HELLO, 0, g_variant_new_parsed (
    "(uint16 1, uint16 9, uint64 7, '', '', uint16 0, %x, uint64 1000000, {'new': <[1, 2]>})",
    g_get_real_time ()));
  add_header (bytes, AMNESIA_FRAME_LIST, 0, g_variant_new_parsed (
    "('', '', true, false, @a(sttt) [], {'new': <'thing'>})"));
  for (i = 8; i < 256; i += 13)
    {
      static const guint8 zeros[256];

      wire_add_prefix (bytes, i, AMNESIA_FRAME_IGNORABLE, i, 0);
      wire_add_padded (bytes, zeros, i);
    }
  add_header (bytes, AMNESIA_FRAME_BEAT, 0, g_variant_new_parsed (
    "(uint64 0, %x, int64 0, int64 0, int64 0, {'new': <0.5>})", g_get_real_time ()));
  {
    g_autoptr (GVariant) header = g_variant_ref_sink (g_variant_new_parsed (
      "(%t, uint64 7, @a(tt) [], [('', 's', uint64 4)], {'new': <[('x', 1)]>})", raw_stamp (10)));

    wire_add_prefix (bytes, AMNESIA_FRAME_WRITE, 0, g_variant_get_size (header), 8);
    wire_add_padded (bytes, g_variant_get_data (header), g_variant_get_size (header));
    wire_add_padded (bytes, "new", 4);
  }
  wire_send (raw, bytes);
  wait_acked (raw, 1);
  live_member_assert_has (member, "'new'");
  live_assert_unblocked (live_member_look (member));
}

/* --- the order --- */

/* h: hello, v: value, d: digest; all orders of three. */
static void
send_letter (GByteArray *bytes,
             char        letter)
{
  g_autoptr (AmnesiaEntry) entry = raw_entry (7, raw_stamp (1000), "'forged'");
  g_autoptr (GByteArray) hello = wire_hello (7);
  AmnesiaBeat beat = { .wall = g_get_real_time () };
  AmnesiaPacket packet;

  if (letter == 'h')
    g_byte_array_append (bytes, hello->data + AMNESIA_PREAMBLE_SIZE,
                         hello->len - AMNESIA_PREAMBLE_SIZE);
  else if (letter == 'v')
    wire_add_entry (bytes, entry);
  else
    {
      amnesia_frame_encode_beat (&beat, &packet);
      wire_add_packet (bytes, &packet);
    }
}

static void
test_order (void)
{
  static const char *const orders[] = {
    "vhd", "vdh", "dvh", "dhv", "hh", "hdh", "hhv", "hhd", "v", "d",
  };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  guint i;

  g_test_summary ("Nothing counts before the hello, which comes first, and once");

  for (i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      const char *letter;

      g_test_message ("%s", orders[i]);
      g_byte_array_append (bytes, (const guint8 *) AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
      for (letter = orders[i]; *letter != '\0'; letter++)
        send_letter (bytes, *letter);
      wire_send (raw, bytes);
      raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL,
                         orders[i][0] == 'h' ? "*second hello*" : "*before the hello*");
      live_member_assert_has (member, "'kept'");
    }
  live_member_assert_well (member);
}

static void
test_large_hello (void)
{
  static const guint sizes[] = { 4097, 8192, G_MAXUINT32 };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  guint i;

  g_test_summary ("No hello has more than 4 KiB, and no frame that is unknown comes before it");

  for (i = 0; i < G_N_ELEMENTS (sizes) + 1; i++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);
      g_autoptr (GByteArray) bytes = g_byte_array_new ();

      g_byte_array_append (bytes, (const guint8 *) AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
      if (i < G_N_ELEMENTS (sizes))
        wire_add_prefix (bytes, AMNESIA_FRAME_HELLO, 0, sizes[i], 0);
      else
        wire_add_prefix (bytes, 99, AMNESIA_FRAME_IGNORABLE, 8, 0);
      wire_send (raw, bytes);
      raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL,
                         i < G_N_ELEMENTS (sizes) ? "*4096*" : "*before the hello*");
    }
  live_member_assert_well (member);
}

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/W1-garbage", test_garbage);
  g_test_add_func ("/wire/W2-byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/wire/W3-coalesced", test_coalesced);
  g_test_add_func ("/wire/W5-lengths", test_lengths);
  g_test_add_func ("/wire/W5-announced", test_announced);
  g_test_add_func ("/wire/W6-unknown", test_unknown);
  g_test_add_func ("/wire/W6-later-version", test_later_version);
  g_test_add_func ("/wire/W7-order", test_order);
  g_test_add_func ("/wire/W7-large-hello", test_large_hello);
  return g_test_run ();
}
