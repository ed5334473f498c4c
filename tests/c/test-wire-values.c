/* SPDX-License-Identifier: MIT */

/* What can be wrong with values and with those who send them. Each test is named after a row of the
 * table in tests/README.md. */

#include "live-member.h"
#include "wire-bytes.h"

#include <string.h>

#define ID 7

typedef struct
{
  const char *type;
  const char *bytes;
  gsize       size;
} Row;

/* A peer that sends this value is left, and nothing of it is seen. */
static void
be_refused (LiveMember *member,
            const char *type,
            const void *bytes,
            gsize       size)
{
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) write = g_byte_array_new ();

  g_test_message ("type %.40s", type);
  raw_peer_greet (raw, ID, 0);
  wire_add_value (write, raw_stamp (1000), type, bytes, size);
  wire_send (raw, write);
  raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*");
  live_member_assert_has (member, "'kept'");
}

static void
be_all_refused (LiveMember *member,
                const Row  *rows,
                guint       n_rows)
{
  LiveStats before = live_member_look (member), after;
  guint i;

  for (i = 0; i < n_rows; i++)
    be_refused (member, rows[i].type, rows[i].bytes, rows[i].size);
  after = live_member_look (member);
  g_assert_cmpint (after.changed, ==, before.changed);
  live_member_assert_well (member);
}

static void
test_types (void)
{
  static const Row rows[] = {
    { "a*", "1234", 4 }, { "*", "1234", 4 }, { "?", "1", 1 }, { "r", "1234", 4 }, { "ar", "", 0 },
    { "(r)", "1", 1 }, { "m*", "", 0 }, { "a?", "1234", 4 },
    { "ss", "a\0b\0", 4 }, { "{sv}", "a\0b\0", 4 },
    { "a", "", 0 }, { "(", "", 0 }, { ")", "1", 1 }, { "z", "1", 1 }, { "a{vs}", "", 0 },
    { "h", "\0\0\0\0", 4 }, { "ah", "\0\0\0\0", 4 }, { "a{sh}", "", 0 }, { "mh", "", 0 },
    { "v", "\0\0\0\0\0h", 6 }, { "v", "\0\0\0\0\0*", 6 }, { "v", "\0", 1 }, { "v", "a", 1 },
    { "v", "\0a*", 3 }, { "v", "\0\0{sv}", 6 }, { "v", "\0\0ii", 4 }, { "", "1", 1 },
  };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autofree char *long_type = g_strnfill (300, 'a');

  g_test_summary ("A type that is not one, not definite, or holds a handle, is refused");

  long_type[299] = 'y';
  be_refused (member, long_type, "", 0);
  memset (long_type, '(', 300);
  be_refused (member, long_type, "1", 1);
  be_all_refused (member, rows, G_N_ELEMENTS (rows));
}

/* A variant of a tuple with as many bytes as its type has letters. */
static void
test_huge_type (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  gsize n = 5 << 20;
  g_autofree char *bytes = g_malloc0 (2 * n + 3);
  g_autofree char *type = g_strnfill (10 << 20, 'y');
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) write = g_byte_array_new ();
  LiveStats before = live_member_look (member), after;

  g_test_summary ("A type of 10 MiB is refused, in a header or in a variant, and blocks nobody");

  raw_peer_greet (raw, ID, 0);
  wire_add_value (write, raw_stamp (1000), type, "1", 1);
  raw_peer_send_bytes (raw, write->data, 8192);
  raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*where at most*");

  bytes[n + 1] = '(';
  memset (bytes + n + 2, 'y', n);
  bytes[2 * n + 2] = ')';
  be_refused (member, "v", bytes, 2 * n + 3);
  after = live_member_look (member);
  /* eighteen times the bytes, for a moment, and the payload */
  g_assert_cmpint (after.peak - before.rss, <, 20 * 10 * 1024 * live_slack ());
  live_member_assert_well (member);
}

static void
test_not_normal (void)
{
  static const Row rows[] = {
    { "ai", "12345", 5 }, { "ax", "1234567", 7 }, { "a(yi)", "12345678901", 11 }, { "i", "123", 3 },
    { "i", "12345", 5 }, { "b", "\2", 1 }, { "b", "\377", 1 }, { "ab", "\1\0\2", 3 },
    { "b", "", 0 }, { "s", "a\xff", 3 }, { "s", "\xc0\x80", 3 }, { "s", "ab", 2 }, { "s", "", 0 },
    { "s", "a\0b", 4 }, { "s", "\xed\xa0\x80", 4 },
    { "o", "a", 2 }, { "o", "/a/", 4 }, { "g", "z", 2 }, { "g", "(", 2 },
    { "as", "a\0b\0\2\5", 6 }, { "as", "ab\0\4", 4 }, { "as", "ab\0\0", 4 }, { "as", "a\0\2\2", 4 },
    { "my", "12", 2 }, { "(yi)", "\1\1\1\1\2\2\2\2", 8 }, { "(sy)", "a\0\1\1", 4 },
    { "(sas)", "\0\0\1\377", 4 }, { "a{yy}", "\1\2\1\3", 4 }, { "a{sv}", "x", 1 },
    { "()", "\1", 1 }, { "(i)", "", 0 },
  };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);

  g_test_summary ("Bytes that are not in normal form, or have a key twice, are refused");

  be_all_refused (member, rows, G_N_ELEMENTS (rows));
}

/* --- whichever way round --- */

static void
test_little_endian (void)
{
  /* the bytes are spelled out, so this holds on big-endian machines as well */
  static const struct
  {
    Row         row;
    const char *text;
  } rows[] = {
    { { "n", "\xfe\xff", 2 }, "int16 -2" }, { { "q", "\1\2", 2 }, "uint16 513" },
    { { "i", "\1\0\0\0", 4 }, "1" }, { { "u", "\1\2\3\4", 4 }, "uint32 67305985" },
    { { "x", "\1\0\0\0\0\0\0\0", 8 }, "int64 1" },
    { { "t", "\0\0\0\0\0\0\0\x80", 8 }, "uint64 9223372036854775808" },
    { { "d", "\0\0\0\0\0\0\xf0\x3f", 8 }, "1.0" }, { { "y", "\7", 1 }, "byte 0x07" },
    { { "b", "\1", 1 }, "true" }, { { "s", "a\xc3\xa4", 4 }, "'a\xc3\xa4'" },
    { { "an", "\1\0\2\0", 4 }, "[int16 1, 2]" }, { { "ax", "", 0 }, "@ax []" },
    { { "mi", "\1\0\0\0", 4 }, "@mi 1" }, { { "mx", "", 0 }, "@mx nothing" },
    { { "(yi)", "\1\0\0\0\2\0\0\0", 8 }, "(byte 0x01, 2)" },
    { { "v", "\1\0\0\0\0i", 6 }, "<1>" },
    { { "as", "a\0b\0\2\4", 6 }, "['a', 'b']" },
    { { "a{sv}", "a\0\0\0\0\0\0\0\1\0\0\0\0i\2\17", 16 }, "{'a': <1>}" },
    { { "a{qu}", "\1\0\0\0\2\0\0\0", 8 }, "{uint16 1: uint32 2}" },
  };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  guint i;

  g_test_summary ("Values of all types are little-endian on the wire");

  raw_peer_greet (raw, ID, 0);
  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) write = g_byte_array_new ();

      wire_add_value (write, raw_stamp (100 + i), rows[i].row.type, rows[i].row.bytes,
                      rows[i].row.size);
      wire_send (raw, write);
      test_until (live_member_has (member, rows[i].text));
    }
  g_assert_false (raw->closed);
}

/* A hello as a member would send it that does not swap: its header, its sizes, or both. */
static void
test_big_endian (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  guint i;

  g_test_summary ("Who speaks with the bytes the other way round is refused, with a reason");

  for (i = 1; i < 4; i++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);
      g_autoptr (GVariant) header = g_variant_ref_sink (g_variant_new_parsed (
        "(uint16 1, uint16 1, uint64 7, '', '', uint16 0, %x, uint64 1000000, @a{sv} {})",
        g_get_real_time ()));
      g_autoptr (GVariant) swapped = g_variant_byteswap (header);
      GVariant *sent = i & 1 ? swapped : header;
      guint32 size = g_variant_get_size (sent);
      g_autoptr (GByteArray) bytes = g_byte_array_new ();

      g_byte_array_append (bytes, (const guint8 *) AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
      wire_add_prefix (bytes, AMNESIA_FRAME_HELLO, 0, i & 2 ? GUINT32_SWAP_LE_BE (size) : size, 0);
      wire_add_padded (bytes, g_variant_get_data (sent), size);
      wire_send (raw, bytes);
      raw_peer_wait_bye (raw, i & 2 ? AMNESIA_BYE_PROTOCOL : AMNESIA_BYE_VERSION,
                         i & 2 ? "*where at most*" : "*256 to 256*");
    }
  live_member_assert_well (member);
}

/* Values of sizes that are no multiple of 8, one behind the other, and behind a frame that is
 * skipped. */
static void
test_shifted (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_autofree char *zs = g_strnfill (30, 'z');
  AmnesiaPacket packet;
  guint i;

  g_test_summary ("Values are read as they are, wherever the bytes before them end");

  raw_peer_greet (raw, ID, 0);
  for (i = 1; i < 8; i++)
    {
      wire_add_prefix (bytes, 99, AMNESIA_FRAME_IGNORABLE, i, 0);
      wire_add_padded (bytes, "1234567", i);
      wire_add_value (bytes, raw_stamp (10 + i), "s", zs + 31 - i, i);
    }
  for (i = 1; i < 9; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);

      g_ptr_array_add (entries, amnesia_entry_new (key, raw_stamp (100), ID,
                                                   i % 2 ? g_variant_new_string (zs + 31 - i)
                                                         : g_variant_new_uint64 (i), NULL, 0));
    }
  amnesia_frame_encode_write (entries, &packet);
  wire_add_packet (bytes, &packet);
  wire_send (raw, bytes);
  test_until (live_member_has (member, "{'k1': <''>, 'k2': <uint64 2>, 'k3': <'zz'>, "
                                       "'k4': <uint64 4>, 'k5': <'zzzz'>, 'k6': <uint64 6>, "
                                       "'k7': <'zzzzzz'>, 'k8': <uint64 8>}"));
  g_assert_false (raw->closed);
}

/* --- who lies --- */

static void
send_flipped (GByteArray *write,
              guint       bit)
{
  g_autoptr (GByteArray) bytes = wire_hello (ID);
  RawPeer *raw = raw_peer_connect (0);

  wire_add_list (bytes, NULL, FALSE);
  write->data[bit / 8] ^= 1 << bit % 8;
  g_byte_array_append (bytes, write->data, write->len);
  write->data[bit / 8] ^= 1 << bit % 8;
  wire_send (raw, bytes);
  g_socket_shutdown (raw->socket, FALSE, TRUE, NULL);
  raw_peer_wait_closed (raw);
  raw_peer_free (raw);
}

static void
test_flipped (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (GByteArray) write = g_byte_array_new ();
  g_autoptr (AmnesiaEntry) entry =
    raw_entry (ID, raw_stamp (10), "{'a': <[(1, 'x')]>, 'b': <'a value of some length, so that the "
                                   "frame has about two hundred bytes, as it is to be'>}");
  guint step = live_slack () > 1 ? 7 : 1;
  guint bit;

  g_test_summary ("Whichever bit of a frame is wrong, nobody dies; a flipped value may be taken");

  wire_add_entry (write, entry);
  g_test_message ("%u bytes", write->len);
  g_assert_cmpuint (write->len, >=, 180);
  for (bit = 0; bit < write->len * 8; bit += step)
    send_flipped (write, bit);
  /* whatever was taken, and however far ahead its stamp, what is written here is newer */
  live_member_set (member, "'kept'");
  live_member_assert_well (member);
}

static void
test_replayed (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (RawPeer) other = raw_peer_connect (0);
  g_autoptr (AmnesiaEntry) older = raw_entry (ID, raw_stamp (-10000), "'older'");
  g_autoptr (AmnesiaEntry) entry = raw_entry (ID, raw_stamp (10), "'kept'");
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  LiveStats before, after;
  guint64 acked = 0;
  guint i;

  g_test_summary ("Frames that come 10,000 times are counted; nothing is told, one is forwarded");

  raw_peer_greet (raw, ID, 0);
  raw_peer_greet (other, 8, 0);
  raw_frame_free (raw_peer_wait_frame (other, AMNESIA_FRAME_WRITE));
  test_until (live_member_look (member).linked == 2);
  before = live_member_look (member);
  for (i = 0; i < 5000; i++)
    {
      wire_add_entry (bytes, older);
      wire_add_entry (bytes, entry);
    }
  wire_send (raw, bytes);
  while (acked < 10000)
    acked = raw_peer_wait_ack (raw);
  test_pass_time (50);
  after = live_member_look (member);
  g_assert_cmpint (after.changed, ==, before.changed);
  g_assert_cmpuint (raw_peer_count (other, AMNESIA_FRAME_WRITE), ==, 1);
  g_assert_cmpint (after.peak - before.rss, <, 4096 * live_slack ());
  g_clear_pointer (&raw, raw_peer_free);
  g_clear_pointer (&other, raw_peer_free);
  live_member_assert_well (member);
}

static guint64
get_id (RawPeer *raw)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_HELLO);
  g_auto (AmnesiaHello) hello = { 0 };

  amnesia_frame_decode_hello (frame, &hello);
  raw_frame_free (frame);
  return hello.id;
}

static AmnesiaEntry *
wait_entry (RawPeer *raw)
{
  AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE);
  g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, G_MAXINT, NULL);

  raw_frame_free (frame);
  return amnesia_entry_ref (g_ptr_array_index (entries, 0));
}

static void
test_own_id (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (RawPeer) other = raw_peer_connect (0);
  guint64 id = get_id (raw);
  g_autoptr (AmnesiaEntry) kept = NULL;
  g_autoptr (AmnesiaEntry) forged = NULL;
  g_autoptr (AmnesiaEntry) twin = NULL;
  g_autoptr (AmnesiaEntry) own = NULL;
  LiveStats before, after;

  g_test_summary ("What is said to be ours and is not is taken by its stamp, told as remote, and "
                  "beaten by what we write; our own that comes back changes nothing");

  raw_peer_greet (raw, ID, 0);
  raw_peer_greet (other, 8, 0);
  kept = wait_entry (raw);
  g_assert_cmphex (kept->id, ==, id);
  before = live_member_look (member);

  /* our own, back again; and with other bytes: the first holds */
  raw_peer_send_write (raw, kept);
  twin = raw_entry (id, kept->stamp, "'twin'");
  raw_peer_send_write (raw, twin);
  test_until (raw_peer_count (raw, AMNESIA_FRAME_ACK) > 0);
  live_member_assert_has (member, "'kept'");
  g_assert_cmpint (live_member_look (member).changed, ==, before.changed);

  /* one that we never issued, an hour ahead */
  forged = raw_entry (id, raw_stamp (3600000), "'forged'");
  raw_peer_send_write (raw, forged);
  test_until (live_member_has (member, "'forged'"));
  after = live_member_look (member);
  g_assert_cmpint (after.changed, ==, before.changed + 1);
  g_assert_cmpint (after.remote, ==, before.remote + 1);
  /* it goes on to the others, or they would never agree */
  raw_frame_free (raw_peer_wait_frame (other, AMNESIA_FRAME_WRITE));
  raw_frame_free (raw_peer_wait_frame (other, AMNESIA_FRAME_WRITE));

  live_member_set (member, "'ours'");
  own = wait_entry (raw);
  g_assert_cmphex (own->id, ==, id);
  g_assert_cmphex (own->stamp, >, forged->stamp);
  g_assert_false (raw->closed);
}

static void
test_same_stamp (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (RawPeer) other = raw_peer_connect (0);
  AmnesiaStamp stamp = raw_stamp (10);
  g_autoptr (AmnesiaEntry) one = raw_entry (ID, stamp, "'one'");
  g_autoptr (AmnesiaEntry) two = raw_entry (ID, stamp, "'two'");
  LiveStats before, after;

  g_test_summary ("Of two values under one stamp the first stays, and there is no storm");

  raw_peer_greet (raw, ID, 0);
  raw_peer_greet (other, 8, 0);
  raw_frame_free (raw_peer_wait_frame (other, AMNESIA_FRAME_WRITE));
  raw_peer_send_write (raw, one);
  test_until (live_member_has (member, "'one'"));
  raw_frame_free (raw_peer_wait_frame (other, AMNESIA_FRAME_WRITE));
  before = live_member_look (member);
  raw_peer_send_write (other, two);
  raw_frame_free (raw_peer_wait_frame (other, AMNESIA_FRAME_ACK));
  raw_peer_send_beat (other, amnesia_entry_hash (two));
  raw_peer_send_beat (other, amnesia_entry_hash (two));
  raw_peer_send_beat (other, amnesia_entry_hash (two));
  test_pass_time (100);
  after = live_member_look (member);
  live_member_assert_has (member, "'one'");
  g_assert_cmpint (after.changed, ==, before.changed);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_WRITE), <=, 1);
  g_assert_cmpuint (raw_peer_count (other, AMNESIA_FRAME_WRITE), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/W10-types", test_types);
  g_test_add_func ("/wire/W10-huge-type", test_huge_type);
  g_test_add_func ("/wire/W11-not-normal", test_not_normal);
  g_test_add_func ("/wire/W12-little-endian", test_little_endian);
  g_test_add_func ("/wire/W12-big-endian", test_big_endian);
  g_test_add_func ("/wire/W13-shifted", test_shifted);
  g_test_add_func ("/wire/W14-flipped", test_flipped);
  g_test_add_func ("/wire/W15-replayed", test_replayed);
  g_test_add_func ("/wire/W16-own-id", test_own_id);
  g_test_add_func ("/wire/W17-same-stamp", test_same_stamp);
  return g_test_run ();
}
