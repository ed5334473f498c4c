/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

#include "mesh/amnesia-limits-private.h"

#include <string.h>
#include <sys/resource.h>

#define HOUR G_TIME_SPAN_HOUR
#define SECOND G_TIME_SPAN_SECOND

/* A store on entry 0 that holds 'kept'. */
static AmnesiaStore *
make_store (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);

  test_set (store, "'kept'");
  return store;
}

/* Whatever was done to it, the store holds what it did, and lets a good peer in. */
static void
assert_well (AmnesiaStore *store)
{
  g_autoptr (RawPeer) good = raw_peer_connect (0);
  AmnesiaFrame *frame;

  test_assert_data (store, "'kept'");
  raw_peer_greet (good, 1000, 0);
  frame = raw_peer_wait_frame (good, AMNESIA_FRAME_WRITE);
  raw_assert_write (frame, "'kept'");
  raw_frame_free (frame);
}

static void
test_garbage (void)
{
  static const char *const texts[] = {
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", "{\"data\": 1}\n",
    "\x16\x03\x01\x02\x01\x01\xfc\x03\x03",
  };
  AmnesiaStore *store = make_store ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  guint i;

  g_test_summary ("Who begins with something else is turned away, and not more than logged");

  for (i = 0; i < 200; i++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);
      guint32 noise[64];
      guint j;

      for (j = 0; j < G_N_ELEMENTS (noise); j++)
        noise[j] = g_rand_int (random);
      ((guint8 *) noise)[0] |= 1;
      if (i < G_N_ELEMENTS (texts))
        raw_peer_send_bytes (raw, texts[i], strlen (texts[i]));
      else
        raw_peer_send_bytes (raw, noise, sizeof noise);
      raw_peer_wait_closed (raw);
      g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_WRITE), ==, 0);
    }
  test_assert_diary (diary, NULL, NULL);
  g_assert_cmpuint (test_diary_count_log (diary, "*not libamnesia*"), >, 0);
  g_assert_cmpuint (test_diary_count_log (diary, "*"), <=, AMNESIA_LOG_BURST + 10);
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (store)), ==, 0);
  assert_well (store);
  test_free_store (store);
}

static void
set_uint64 (guint8  *where,
            guint64  number)
{
  number = GUINT64_TO_LE (number);
  memcpy (where, &number, sizeof number);
}

/* A prefix and nothing more. */
static void
send_prefix (RawPeer *raw,
             guint8   kind,
             guint8   flags,
             guint32  header,
             guint64  payload)
{
  guint8 prefix[AMNESIA_PREFIX_SIZE] = { kind, flags, };

  set_uint64 (prefix + 4, header);
  set_uint64 (prefix + 8, payload);
  raw_peer_send_bytes (raw, prefix, sizeof prefix);
}

static void
test_sizes (void)
{
  static const struct
  {
    guint8  kind;
    guint8  flags;
    guint32 header;
    guint64 payload;
  } rows[] = {
    { AMNESIA_FRAME_WRITE, 0, 8, 64 * 1024 * 1024 + 1 }, { AMNESIA_FRAME_WRITE, 0, 8, G_MAXUINT32 },
    { AMNESIA_FRAME_WRITE, 0, 8, G_GUINT64_CONSTANT (1) << 63 },
    { AMNESIA_FRAME_WRITE, 0, 8, G_MAXUINT64 }, { AMNESIA_FRAME_WRITE, 0, G_MAXUINT32, 8 },
    { AMNESIA_FRAME_ACK, 0, 8, 8 }, { AMNESIA_FRAME_BEAT, 0, 1025, 0 },
    { AMNESIA_FRAME_LIST, 0, 65537, 0 }, { 0, 0, 0, 0 }, { 0, AMNESIA_FRAME_IGNORABLE, 0, 0 },
    { 99, 0, 0, 0 }, { 99, AMNESIA_FRAME_IGNORABLE, 0, 8 }, { AMNESIA_FRAME_ACK, 2, 8, 0 },
    { AMNESIA_FRAME_ACK, 0, 0, 0 }, { AMNESIA_FRAME_WRITE, 0, 0, 0 },
    { AMNESIA_FRAME_LIST, 0, 0, 0 }, { AMNESIA_FRAME_HELLO, 0, 8, 0 },
  };
  AmnesiaStore *store = make_store ();
  guint n = test_n_descriptors ();
  guint i;

  g_test_summary ("A frame that cannot be right gets a goodbye that says so, and takes no memory");

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);

      g_test_message ("kind %u, %u + %" G_GUINT64_FORMAT, rows[i].kind, rows[i].header,
                      rows[i].payload);
      raw_peer_greet (raw, 7, 0);
      send_prefix (raw, rows[i].kind, rows[i].flags, rows[i].header, rows[i].payload);
      raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*");
    }
  test_until (test_n_descriptors () <= n);
  assert_well (store);
  test_free_store (store);
}

static void
test_before_hello (void)
{
  static const guint8 kinds[] = { AMNESIA_FRAME_WRITE, AMNESIA_FRAME_ACK, AMNESIA_FRAME_LINKS,
                                  AMNESIA_FRAME_BEAT, AMNESIA_FRAME_LIST, 0, 99 };
  AmnesiaStore *store = make_store ();
  guint i;

  g_test_summary ("Only a hello or a goodbye may come first, and no hello of more than 4 KiB");

  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);

      raw_peer_send_bytes (raw, AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
      send_prefix (raw, kinds[i], AMNESIA_FRAME_IGNORABLE, 8, 0);
      raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*");
    }
  {
    g_autoptr (RawPeer) raw = raw_peer_connect (0);

    raw_peer_send_bytes (raw, AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
    send_prefix (raw, AMNESIA_FRAME_HELLO, 0, 4097, 0);
    raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*4096*");
  }
  assert_well (store);
  test_free_store (store);
}

static void
test_second_hello (void)
{
  AmnesiaStore *store = make_store ();
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (7, 0);
  g_auto (AmnesiaPacket) packet = { NULL, };

  g_test_summary ("A second hello is an error");

  raw_peer_greet (raw, 7, 0);
  test_wait_linked (store, 1);
  amnesia_frame_encode_hello (&hello, &packet);
  raw_peer_send_bytes (raw,
                       (const guint8 *) g_bytes_get_data (packet.head, NULL) +
                         AMNESIA_PREAMBLE_SIZE,
                       g_bytes_get_size (packet.head) - AMNESIA_PREAMBLE_SIZE);
  raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*second hello*");
  assert_well (store);
  test_free_store (store);
}

static void
test_counts (void)
{
  AmnesiaStore *store = make_store ();
  g_autoptr (RawPeer) acks = raw_peer_connect (0);
  g_autoptr (RawPeer) nobody = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (0, 0);

  g_test_summary ("An acknowledgement of more than was sent is an error, and so is the id 0");

  raw_peer_greet (acks, 7, 0);
  raw_frame_free (raw_peer_wait_frame (acks, AMNESIA_FRAME_WRITE));
  raw_peer_send_ack (acks, 2);
  raw_peer_wait_bye (acks, AMNESIA_BYE_PROTOCOL, "*acknowledgement*");
  raw_peer_send_hello (nobody, &hello);
  raw_peer_wait_bye (nobody, AMNESIA_BYE_PROTOCOL, "*id*");
  assert_well (store);
  test_free_store (store);
}

/* A write of one item with these bytes, which need not fit its type. */
static void
send_bad_write (RawPeer    *raw,
                const char *type,
                const char *bytes,
                gsize       size)
{
  g_autoptr (GVariant) header = g_variant_ref_sink (
    g_variant_new_parsed ("(%t, %t, @a(tt) [], [('', %s, %t)], @a{sv} {})", raw_stamp (0),
                          G_GUINT64_CONSTANT (7), type, (guint64) size));
  gsize header_size = g_variant_get_size (header);
  g_autofree guint8 *padded = g_malloc0 (header_size + 8);
  guint8 payload[16] = { 0, };

  g_variant_store (header, padded);
  memcpy (payload, bytes, size);
  send_prefix (raw, AMNESIA_FRAME_WRITE, 0, header_size, (size + 7) / 8 * 8);
  raw_peer_send_bytes (raw, padded, (header_size + 7) / 8 * 8);
  raw_peer_send_bytes (raw, payload, (size + 7) / 8 * 8);
}

static void
test_bad_values (void)
{
  static const struct
  {
    const char *type;
    const char *bytes;
    gsize       size;
  } rows[] = {
    { "a*", "1234", 4 }, { "r", "1234", 4 }, { "ss", "a\0b\0", 4 }, { "{sv}", "a\0b\0", 4 },
    { "h", "\0\0\0\0", 4 }, { "ah", "\0\0\0\0", 4 }, { "v", "\0\0\0\0\0h", 6 },
    { "ai", "12345", 5 }, { "b", "\2", 1 }, { "s", "a\xff", 3 }, { "s", "ab", 2 },
    { "o", "a", 2 }, { "", "1", 1 },
    { "a{yy}", "\1\2\1\3", 4 },
  };
  AmnesiaStore *store = make_store ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  guint i;

  g_test_summary ("A value of a bad type, or not in normal form, is never taken");

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);

      g_test_message ("type %s", rows[i].type);
      raw_peer_greet (raw, 7, 0);
      send_bad_write (raw, rows[i].type, rows[i].bytes, rows[i].size);
      raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "*");
    }
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 0);
  assert_well (store);
  test_free_store (store);
}

/* A whole session, from the preamble to a value. */
static GByteArray *
make_session (void)
{
  GByteArray *session = g_byte_array_new ();
  AmnesiaHello hello = raw_hello (7, 0);
  g_autoptr (AmnesiaEntry) entry = raw_entry (7, raw_stamp (0), "'a value of some length'");
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  g_auto (AmnesiaPacket) first = { NULL, };
  g_auto (AmnesiaPacket) list = { NULL, };
  g_auto (AmnesiaPacket) write = { NULL, };
  GBytes *parts[4];
  static const guint8 zeros[8];
  guint i;

  amnesia_frame_encode_hello (&hello, &first);
  g_assert_null (amnesia_frame_encode_list (entries, "", FALSE, &list));
  g_ptr_array_add (entries, entry);
  amnesia_frame_encode_write (entries, &write);
  parts[0] = first.head;
  parts[1] = list.head;
  parts[2] = write.head;
  parts[3] = write.payload;
  for (i = 0; i < 4; i++)
    g_byte_array_append (session, g_bytes_get_data (parts[i], NULL), g_bytes_get_size (parts[i]));
  g_byte_array_append (session, zeros, (8 - session->len % 8) % 8);
  return session;
}

static void
test_cut_off (void)
{
  AmnesiaStore *store = make_store ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (GByteArray) session = make_session ();
  guint n = test_n_descriptors ();
  gsize size;

  g_test_summary ("Who closes in the middle leaves nothing behind, wherever that was");

  for (size = 0; size < session->len; size++)
    {
      RawPeer *raw = raw_peer_connect (0);

      raw_peer_send_bytes (raw, session->data, size);
      g_socket_shutdown (raw->socket, FALSE, TRUE, NULL);
      raw_peer_wait_closed (raw);
      raw_peer_free (raw);
    }
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 0);
  test_until (test_n_descriptors () <= n);
  assert_well (store);
  test_free_store (store);
}

static void
test_flipped (void)
{
  AmnesiaStore *store = make_store ();
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  guint i;

  g_test_summary ("A session with flipped bits does no harm");

  for (i = 0; i < 400; i++)
    {
      g_autoptr (GByteArray) session = make_session ();
      RawPeer *raw = raw_peer_connect (0);
      guint n = g_rand_int_range (random, 1, 4);

      for (; n > 0; n--)
        session->data[g_rand_int_range (random, 8, session->len)] ^=
          1 << g_rand_int_range (random, 0, 8);
      raw_peer_send_bytes (raw, session->data, session->len);
      g_socket_shutdown (raw->socket, FALSE, TRUE, NULL);
      raw_peer_wait_closed (raw);
      raw_peer_free (raw);
    }
  test_set (store, "'kept'");
  assert_well (store);
  test_free_store (store);
}

static void
test_replay (void)
{
  AmnesiaStore *store = make_store ();
  g_autoptr (TestDiary) diary = NULL;
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (RawPeer) other = raw_peer_connect (0);
  g_autoptr (AmnesiaEntry) entry = raw_entry (7, raw_stamp (10), "'kept'");
  guint64 acked = 0;
  guint i;

  g_test_summary ("A frame that comes 3,000 times is counted, told once and forwarded once");

  raw_peer_greet (raw, 7, 0);
  raw_peer_greet (other, 8, 0);
  test_wait_linked (store, 2);
  raw_frame_free (raw_peer_wait_frame (other, AMNESIA_FRAME_WRITE));
  diary = test_diary_new (store);
  for (i = 0; i < 3000; i++)
    raw_peer_send_write (raw, entry);
  while (acked < 3000)
    {
      AmnesiaFrame *frame = raw_peer_wait_frame (raw, AMNESIA_FRAME_ACK);

      acked = amnesia_frame_decode_ack (frame);
      raw_frame_free (frame);
    }
  test_pass_time (50);
  test_assert_diary (diary, "updated", NULL);
  g_assert_cmpuint (raw_peer_count (other, AMNESIA_FRAME_WRITE), ==, 1);
  test_free_store (store);
}

static void
test_amplification (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (RawPeer) raw = NULL;
  g_autofree char *zeros = g_malloc0 (100 * 1000);
  guint i;

  g_test_summary ("A thousand small requests do not make a thousand large answers");

  amnesia_store_set_data (store, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, 100000, 1));
  amnesia_store_set_conf (store, conf);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  raw = raw_peer_connect (0);
  raw_peer_greet (raw, 7, 0);
  for (i = 0; i < 1000; i++)
    {
      raw_peer_send_list (raw, NULL, TRUE);
      if (i % 50 == 0)
        test_pass_time (1);
    }
  test_pass_time (200);
  g_assert_false (raw->closed);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_WRITE), <=, 2);
  g_assert_cmpuint (raw_peer_count (raw, AMNESIA_FRAME_LIST), <=, 3);
  test_free_store (store);
}

static void
test_crowd (void)
{
  AmnesiaStore *store = make_store ();
  GSocket *crowd[1000];
  g_autoptr (GSocketAddress) address =
    g_inet_socket_address_new_from_string (test_host (), test_port (0));
  struct rlimit limit;
  guint n = test_n_descriptors ();
  guint i;

  g_test_summary ("A thousand silent ones take a bounded number of descriptors, good ones get in");

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = MIN (limit.rlim_max, 4096);
  setrlimit (RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 1200)
    {
      g_test_skip ("too few descriptors");
      test_free_store (store);
      return;
    }
  for (i = 0; i < G_N_ELEMENTS (crowd); i++)
    {
      g_autoptr (GError) error = NULL;

      crowd[i] = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                               NULL);
      g_socket_connect (crowd[i], address, NULL, &error);
      g_assert_no_error (error);
      test_drain ();
    }
  g_assert_cmpuint (test_n_descriptors (), <=, n + G_N_ELEMENTS (crowd) + AMNESIA_MAX_GREETING);
  assert_well (store);
  for (i = 0; i < G_N_ELEMENTS (crowd); i++)
    g_object_unref (crowd[i]);
  test_free_store (store);
}

/* --- who does not fit --- */

/* Lets a store dial a raw peer that says @hello; the peer is refused. Returns the last error. */
static GError *
get_refused (AmnesiaHello *hello,
             AmnesiaBye    reason,
             const char   *pattern)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = test_new_store (conf);
  GError *error;

  raw = raw_door_accept (door);
  raw_peer_send_hello (raw, hello);
  raw_peer_wait_bye (raw, reason, pattern);
  test_until (amnesia_peer_get_last_error (test_find_peer (store, test_port (1))) != NULL);
  g_assert_cmpuint (test_n_linked (store), ==, 0);
  error = g_error_copy (amnesia_peer_get_last_error (test_find_peer (store, test_port (1))));
  test_free_store (store);
  return error;
}

static void
test_version (void)
{
  AmnesiaHello hello = raw_hello (7, 1);
  g_autoptr (GError) error = NULL;

  g_test_summary ("Another version is refused with a goodbye that names both");

  hello.version_min = 8;
  hello.version_max = 9;
  error = get_refused (&hello, AMNESIA_BYE_VERSION, "*8 to 9*1 to 1*");
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_VERSION);
}

static void
test_newer_version (void)
{
  AmnesiaStore *store = make_store ();
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (7, 0);

  g_test_summary ("Who speaks our version and later ones is welcome");

  hello.version_max = 99;
  raw_peer_send_hello (raw, &hello);
  test_wait_linked (store, 1);
  test_free_store (store);
}

static void
test_no_hammering (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  AmnesiaStore *store = test_new_store (conf);
  gint64 end = g_get_monotonic_time () + 4 * SECOND;
  guint n = 0;

  g_test_summary ("Who was refused is dialled again with growing pauses");

  while (g_get_monotonic_time () < end)
    {
      AmnesiaHello hello = raw_hello (7, 1);

      g_autoptr (RawPeer) raw = NULL;

      test_pass_time (20);
      if (!raw_door_is_knocked (door))
        continue;
      raw = raw_door_accept (door);
      hello.version_min = hello.version_max = 9;
      raw_peer_send_hello (raw, &hello);
      raw_peer_wait_closed (raw);
      n++;
    }
  g_assert_cmpuint (n, >=, 3);
  g_assert_cmpuint (n, <=, 8);
  test_free_store (store);
}

static void
test_group (void)
{
  AmnesiaHello hello = raw_hello (7, 1);
  g_autoptr (GError) error = NULL;

  g_test_summary ("Another group is refused, and its name escaped and cut in the message");

  hello.group = (char *) "the\nothers";
  error = get_refused (&hello, AMNESIA_BYE_GROUP, "*the\\nothers*");
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_GROUP);
}

static void
test_clock (void)
{
  static const gint64 offsets[] = { 25 * HOUR, -25 * HOUR, G_MAXINT64 / 2 };
  guint i;

  g_test_summary ("A clock more than 24 hours off is refused, with an error that says so");

  for (i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      AmnesiaHello hello = raw_hello (7, 1);
      g_autoptr (GError) error = NULL;

      hello.wall += offsets[i];
      error = get_refused (&hello, AMNESIA_BYE_CLOCK, "*clock*hours*clock-limit*");
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_CLOCK);
      g_assert_true (i == 2 || strstr (error->message, "25 hours") != NULL ||
                     strstr (error->message, "24 hours") != NULL);
    }
}

static void
test_refused_by_peer (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = test_new_store (conf);
  AmnesiaPacket packet;
  const GError *error;

  g_test_summary ("When the peer refuses, the error says why, with its text escaped");

  raw = raw_door_accept (door);
  raw_peer_send_bytes (raw, AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  amnesia_frame_encode_bye (AMNESIA_BYE_CLOCK, "your clock\x1b[2J", &packet);
  raw_peer_send (raw, &packet);
  test_until (amnesia_peer_get_last_error (test_find_peer (store, test_port (1))) != NULL);
  error = amnesia_peer_get_last_error (test_find_peer (store, test_port (1)));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_CLOCK);
  g_assert_nonnull (strstr (error->message, "your clock\\033[2J"));
  test_free_store (store);
}

static void
test_clock_limit (void)
{
  static const gint64 offsets[] = { 23 * HOUR, 48 * HOUR };
  guint i;

  g_test_summary ("23 hours are allowed, and any offset with \"clock-limit\": 0; both are shown");

  for (i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (AmnesiaConf) conf = test_conf (2);
      g_autoptr (RawDoor) door = raw_door_new (1);
      g_autoptr (RawPeer) raw = NULL;
      AmnesiaHello hello = raw_hello (7, 1);
      AmnesiaStore *store = amnesia_store_new ();
      g_autoptr (TestDiary) diary = test_diary_new (store);
      gint64 offset;

      if (i == 1)
        amnesia_conf_set_clock_limit (conf, 0);
      amnesia_store_set_conf (store, conf);
      raw = raw_door_accept (door);
      hello.wall = g_get_real_time () + offsets[i];
      raw_peer_send_hello (raw, &hello);
      test_wait_linked (store, 1);
      offset = amnesia_peer_get_clock_offset (test_find_peer (store, test_port (1)));
      g_assert_cmpint (ABS (offset - offsets[i]), <, SECOND);
      test_until (test_diary_count_log (diary, "*clock*ahead*") == 1);
      test_free_store (store);
    }
}

static void
test_ahead (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (RawDoor) door = raw_door_new (1);
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = test_new_store (conf);
  gint64 year = 365 * G_GINT64_CONSTANT (86400000);
  g_autoptr (AmnesiaEntry) far = raw_entry (7, raw_stamp (2 * year), "'far'");
  g_autoptr (AmnesiaEntry) near = raw_entry (7, raw_stamp (year / 2), "'near'");
  g_autoptr (GDateTime) updated = NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  AmnesiaPeer *peer;

  g_test_summary ("A stamp two years ahead is refused, the link stays; half a year is taken");

  test_set (store, "'kept'");
  raw = raw_door_accept (door);
  raw_peer_greet (raw, 7, 1);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  peer = test_find_peer (store, test_port (1));
  raw_peer_send_write (raw, far);
  test_until (amnesia_peer_get_last_error (peer) != NULL);
  g_assert_error (amnesia_peer_get_last_error (peer), AMNESIA_ERROR, AMNESIA_ERROR_CLOCK);
  g_assert_nonnull (strstr (amnesia_peer_get_last_error (peer)->message, "year"));
  test_assert_data (store, "'kept'");
  test_set (store, "'own'");
  updated = amnesia_store_get_updated (store);
  g_assert_cmpint (g_date_time_difference (updated, now), <, G_TIME_SPAN_MINUTE);

  raw_peer_send_write (raw, near);
  test_until (test_has_data (store, "'near'"));
  g_assert_false (raw->closed);
  test_set (store, "'own again'");
  test_assert_data (store, "'own again'");
  test_free_store (store);
}

/* --- patience --- */

static void
test_patience (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autofree char *zeros = g_malloc0 (15 * 1024 * 1024);
  RawPeer *peers[5];
  gint64 closed_after[5] = { 0, };
  gint64 start = g_get_monotonic_time ();
  guint i, n_dribbled = 0;

  g_test_summary ("Silent, dribbling, dead and stalled peers are given up in time, good ones not");

  amnesia_store_set_conf (store, conf);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  for (i = 0; i < 5; i++)
    peers[i] = raw_peer_connect (0);
  for (i = 2; i < 5; i++)
    raw_peer_greet (peers[i], i, 0);
  test_wait_linked (store, 3);
  raw_peer_set_reading (peers[3], FALSE);
  amnesia_store_set_data (store, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros,
                                                            15 * 1024 * 1024, 1));
  while (g_get_monotonic_time () < start + 13 * SECOND)
    {
      gint64 passed = g_get_monotonic_time () - start;

      /* 1 dribbles a right preamble, 3 takes nothing, 2 says nothing any more */
      if (n_dribbled < AMNESIA_PREAMBLE_SIZE && passed >= n_dribbled * SECOND)
        raw_peer_send_bytes (peers[1], AMNESIA_PREAMBLE + n_dribbled++, 1);
      raw_peer_send_beat (peers[3], 0);
      raw_peer_send_beat (peers[4], 0);
      test_pass_time (200);
      for (i = 0; i < 5; i++)
        {
          gboolean gone = peers[i]->closed ||
                          (i == 3 && test_n_linked (store) == 1 && closed_after[2] != 0);

          if (closed_after[i] == 0 && gone)
            closed_after[i] = g_get_monotonic_time () - start;
        }
    }
  for (i = 0; i < 5; i++)
    g_test_message ("%u: %.1f s", i, closed_after[i] / (double) SECOND);
  g_assert_cmpint (ABS (closed_after[0] - 5 * SECOND), <, SECOND);
  g_assert_cmpint (ABS (closed_after[1] - 5 * SECOND), <, SECOND);
  g_assert_cmpint (ABS (closed_after[2] - 6 * SECOND), <, SECOND);
  /* here the kernel may be quicker */
  g_assert_cmpint (closed_after[3], >, 5 * SECOND);
  g_assert_cmpint (closed_after[3], <, 12 * SECOND);
  g_assert_cmpint (closed_after[4], ==, 0);
  for (i = 0; i < 5; i++)
    raw_peer_free (peers[i]);
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostile/garbage", test_garbage);
  g_test_add_func ("/hostile/sizes", test_sizes);
  g_test_add_func ("/hostile/before-hello", test_before_hello);
  g_test_add_func ("/hostile/second-hello", test_second_hello);
  g_test_add_func ("/hostile/counts", test_counts);
  g_test_add_func ("/hostile/bad-values", test_bad_values);
  g_test_add_func ("/hostile/cut-off", test_cut_off);
  g_test_add_func ("/hostile/flipped", test_flipped);
  g_test_add_func ("/hostile/replay", test_replay);
  g_test_add_func ("/hostile/amplification", test_amplification);
  g_test_add_func ("/hostile/crowd", test_crowd);
  g_test_add_func ("/hostile/version", test_version);
  g_test_add_func ("/hostile/newer-version", test_newer_version);
  g_test_add_func ("/hostile/no-hammering", test_no_hammering);
  g_test_add_func ("/hostile/group", test_group);
  g_test_add_func ("/hostile/clock", test_clock);
  g_test_add_func ("/hostile/refused-by-peer", test_refused_by_peer);
  g_test_add_func ("/hostile/clock-limit", test_clock_limit);
  g_test_add_func ("/hostile/ahead", test_ahead);
  g_test_add_func ("/hostile/patience", test_patience);
  return g_test_run ();
}
