/* SPDX-License-Identifier: MIT */

/* Too much of what may be sent. Each test is named after a row of the table in tests/README.md. */

#include "live-member.h"
#include "mesh/amnesia-limits-private.h"
#include "wire-bytes.h"

#include <string.h>
#include <sys/resource.h>

#define ID 7
#define MANY 100000

/* --- requests --- */

/* Sends the same bytes again and again, and reads what comes. */
static void
send_many (RawPeer    *raw,
           GByteArray *bytes,
           guint       n)
{
  g_autoptr (GByteArray) chunk = g_byte_array_new ();
  guint i;

  for (i = 0; i < n && !raw->closed; i++)
    {
      g_byte_array_append (chunk, bytes->data, bytes->len);
      if (chunk->len < 64 * 1024 && i + 1 < n)
        continue;
      wire_send (raw, chunk);
      g_byte_array_set_size (chunk, 0);
      test_drain ();
    }
}

/* All that was sent has been dealt with when this has been. */
static void
wait_dealt_with (RawPeer *raw)
{
  g_autoptr (AmnesiaEntry) old = raw_entry (ID, 1, "'old'");

  raw_peer_send_write (raw, old);
  raw_peer_wait_ack (raw);
}

static void
test_requests (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) request = g_byte_array_new ();
  LiveStats before, after;
  gint64 start = g_get_monotonic_time (), turns;
  gsize answered;

  g_test_summary ("100,000 small requests do not make 100,000 large answers");

  g_free (live_member_ask (member, "bytes 1000000"));
  live_member_forget (member);
  before = live_member_look (member);
  raw_peer_greet (raw, ID, 0);
  test_until (raw->n_bytes > 1000000);
  g_ptr_array_set_size (raw->frames, 0);
  answered = raw->n_bytes;
  wire_add_list (request, NULL, TRUE);
  send_many (raw, request, MANY);
  wait_dealt_with (raw);
  turns = (g_get_monotonic_time () - start) / AMNESIA_BEAT_INTERVAL + 1;
  after = live_member_look (member);
  g_test_message ("figure: %u bytes in, %" G_GSIZE_FORMAT " out", MANY * request->len,
                  raw->n_bytes - answered);
  g_assert_cmpuint (raw->n_bytes - answered, <=, turns * 1001000);
  g_assert_cmpint (after.peak - before.rss, <, 8192 * live_slack ());
  live_assert_unblocked (after);
}

/* Half as many keys as there may be; they arrive 4,096 at a time. */
static void
fill (RawPeer *raw)
{
  guint i, n = 0;

  for (i = 0; i < 8; i++)
    {
      g_autoptr (GPtrArray) entries = amnesia_entries_new ();
      AmnesiaPacket packet;
      guint j;

      for (j = 0; j < 4096; j++)
        {
          g_autofree char *key = g_strdup_printf ("%07u", n++);

          g_ptr_array_add (entries, amnesia_entry_new (key, raw_stamp (i), ID,
                                                       g_variant_new_byte (1), NULL, 0));
        }
      amnesia_frame_encode_write (entries, &packet);
      raw_peer_send (raw, &packet);
    }
  while (n > 0)
    n = raw_peer_wait_ack (raw) < 8;
}

/* For who takes no value at all a digest is made by looking at each key. */
static void
flood_costly (GByteArray *beat)
{
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (8, 0);

  hello.max_size = 0;
  raw_peer_send_hello (raw, &hello);
  raw_peer_send_list (raw, NULL, FALSE);
  send_many (raw, beat, 300);
  wait_dealt_with (raw);
}

static void
test_digests (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GByteArray) beat = g_byte_array_new ();
  g_autoptr (GByteArray) list = g_byte_array_new ();
  AmnesiaBeat wrong = { .digest = 1, .wall = g_get_real_time () };
  AmnesiaPacket packet;
  gsize answered;

  g_test_summary ("Where there are 32,768 keys, a flood of digests and lists blocks nobody");

  raw_peer_greet (raw, ID, 0);
  fill (raw);
  live_member_forget (member);
  answered = raw->n_bytes;
  amnesia_frame_encode_beat (&wrong, &packet);
  wire_add_packet (beat, &packet);
  send_many (raw, beat, 3000);
  wire_add_list (list, NULL, FALSE);
  send_many (raw, list, 3000);
  wait_dealt_with (raw);
  g_test_message ("figure: %" G_GSIZE_FORMAT " bytes out", raw->n_bytes - answered);
  flood_costly (beat);
  live_assert_unblocked (live_member_look (member));
  g_assert_cmpuint (raw->n_bytes - answered, <, 8 << 20);
}

/* --- connections --- */

static GSocket *
call_from (const char *source)
{
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) from = g_inet_socket_address_new_from_string (source, 0);
  g_autoptr (GSocketAddress) to = g_inet_socket_address_new_from_string (test_host (),
                                                                         test_port (0));
  g_autoptr (GError) error = NULL;

  g_socket_bind (socket, from, FALSE, &error);
  g_assert_no_error (error);
  g_socket_connect (socket, to, NULL, &error);
  g_assert_no_error (error);
  return socket;
}

static void
test_crowd (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (GPtrArray) crowd = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (RawPeer) friend = raw_peer_connect (0);
  LiveStats before = live_member_look (member), after;
  struct rlimit limit;
  guint i;

  g_test_summary ("A thousand silent ones, of one address or of many, take a bounded room; those who "
                  "are linked stay, and good ones get in");

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = MIN (limit.rlim_max, 4096);
  setrlimit (RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 1200)
    {
      g_test_skip ("too few descriptors");
      return;
    }
  raw_peer_greet (friend, ID, 0);
  test_until (live_member_look (member).linked == 1);
  for (i = 0; i < 1000; i++)
    {
      g_autofree char *source = g_strdup_printf ("127.255.%u.%u", i / 250, 1 + i % 250);

      g_ptr_array_add (crowd, call_from (i % 2 ? test_host () : source));
      if (i % 100 != 99)
        continue;
      {
        /* known ones get in while the others throng */
        g_autoptr (RawPeer) good = raw_peer_connect (0);

        raw_peer_greet (good, 1000 + i, 0);
        raw_frame_free (raw_peer_wait_frame (good, AMNESIA_FRAME_WRITE));
        after = live_member_look (member);
        g_assert_cmpint (after.descriptors, <=, before.descriptors + AMNESIA_MAX_GREETING + 4);
      }
    }
  after = live_member_look (member);
  g_assert_cmpint (after.rss - before.rss, <, 8192 * live_slack ());
  g_assert_false (friend->closed);
  g_ptr_array_set_size (crowd, 0);
  g_clear_pointer (&friend, raw_peer_free);
  live_member_assert_well (member);
}

/* --- what costs to look at --- */

static GVariant *
make_fixed (const char *type,
            gsize       size,
            int         fill)
{
  void *bytes = g_malloc (size);
  g_autoptr (GBytes) owned = g_bytes_new_take (bytes, size);

  memset (bytes, fill, size);
  return g_variant_new_from_bytes (G_VARIANT_TYPE (type), owned, TRUE);
}

static GVariant *
make_array (const char *type,
            guint       n)
{
  GVariantBuilder builder;
  guint i;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (type));
  for (i = 0; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i * 2654435761u);

      if (g_str_equal (type, "a{sv}"))
        g_variant_builder_add (&builder, "{sv}", key, g_variant_new_byte (1));
      else if (g_str_equal (type, "a{uy}"))
        g_variant_builder_add (&builder, "{uy}", i * 2654435761u, 1);
      else if (g_str_equal (type, "av"))
        g_variant_builder_add (&builder, "v", g_variant_new_byte (1));
      else
        g_variant_builder_add (&builder, "av", NULL);
    }
  return g_variant_builder_end (&builder);
}

/* Nearly 16 MiB of each, unless to make them takes minutes. What is not right is refused; that takes
 * as long to find out. */
static GVariant *
make_costly (guint i)
{
  const gsize size = (16 * 1024 * 1024 / test_slowness () - 64) / 64 * 64;

  switch (i)
    {
    case 0:
      return make_fixed ("ab", size, 1);
    case 1:
      return make_fixed ("a(yy)", size, 1);
    case 2:
      return make_fixed ("a(b)", size, 1);
    case 3:
      return make_fixed ("a{yy}", size, 1);
    case 4:
      return make_array ("a{sv}", size / 32);
    case 5:
      return make_array ("a{uy}", size / 9);
    case 6:
      return make_array ("av", size / 13);
    case 7:
      return make_array ("aav", size / 5);
    default:
      return NULL;
    }
}

static void
test_costly (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  LiveStats before = live_member_look (member);
  gint64 peak = 0;
  guint i;

  g_test_summary ("Values of 16 MiB that take a second to check block nobody, and do not swell");

  for (i = 0;; i++)
    {
      g_autoptr (GVariant) value = make_costly (i);
      g_autoptr (AmnesiaEntry) entry = NULL;
      g_autoptr (RawPeer) raw = NULL;
      g_autofree char *description = NULL;
      LiveStats after;

      if (value == NULL)
        break;
      description = g_strdup_printf ("%s of %" G_GSIZE_FORMAT, g_variant_get_type_string (value),
                                     g_variant_get_size (value));
      entry = amnesia_entry_new ("", raw_stamp (1000 + i), ID, value, NULL, 0);
      g_steal_pointer (&value);
      g_variant_get_data (entry->value);
      raw = raw_peer_connect (0);
      live_member_forget (member);
      raw_peer_greet (raw, ID, 0);
      raw_peer_send_write (raw, entry);
      test_until (raw->closed || raw_peer_count (raw, AMNESIA_FRAME_ACK) > 0);
      g_assert_true (raw->closed == (i == 3));
      if (!raw->closed)
        live_member_assert_has (member, description);
      after = live_member_look (member);
      peak = MAX (peak, after.peak);
      g_test_message ("figure: %s: blocked %" G_GINT64_FORMAT " us, peak %" G_GINT64_FORMAT
                      " MiB", description, after.blocked,
                      (after.peak - before.rss) / 1024);
      live_assert_unblocked (after);
    }
  /* the value that is in force, the one that comes, and what the check takes */
  g_assert_cmpint (peak - before.rss, <, 256 * 1024 * live_slack ());
}

/* Two dictionaries that differ only in their order: to see that they are equal, both are sorted. */
static void
test_reordered (void)
{
  const guint sizes[] = { 250 * 1024 / 9, 15 * 1024 * 1024 / 9 / test_slowness () };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  guint i, turn;

  g_test_summary ("Dictionaries in another order are compared as far as it blocks nobody");

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (turn = 0; turn < 2; turn++)
      {
        GVariantBuilder builder;
        g_autoptr (AmnesiaEntry) entry = NULL;
        g_autoptr (RawPeer) raw = NULL;
        LiveStats before = live_member_look (member);
        guint j;

        g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{uy}"));
        for (j = 0; j < sizes[i]; j++)
          g_variant_builder_add (&builder, "{uy}", (turn ? j : sizes[i] - 1 - j) * 2654435761u, 1);
        entry = amnesia_entry_new ("", raw_stamp (1000 + 2 * i + turn), ID,
                                   g_variant_builder_end (&builder), NULL, 0);
        /* to serialise it takes long, while a peer that is linked must not be silent */
        g_variant_get_data (entry->value);
        raw = raw_peer_connect (0);
        raw_peer_greet (raw, ID, 0);
        raw_peer_send_write (raw, entry);
        raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_ACK));
        g_assert_cmpint (live_member_look (member).changed - before.changed, ==,
                         i == 0 && turn == 1 ? 0 : 1);
      }
  live_assert_unblocked (live_member_look (member));
}

/* What is right in every way, but comes in a header of 4 MiB. */
static void
test_costly_header (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autoptr (GVariant) bits = g_variant_ref_sink (make_fixed ("a(b)", 4000000, 1));
  g_autoptr (GVariant) header = g_variant_ref_sink (g_variant_new_parsed (
    "(uint64 1, uint64 7, @a(tt) [], [('', 'y', uint64 1)], {'new': <%v>})", bits));
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  g_test_summary ("The header of a write has room for keys, not for other things");

  raw_peer_greet (raw, ID, 0);
  wire_add_prefix (bytes, AMNESIA_FRAME_WRITE, 0, g_variant_get_size (header), 8);
  wire_add_padded (bytes, g_variant_get_data (header), g_variant_get_size (header));
  wire_add_padded (bytes, "\1", 1);
  wire_send (raw, bytes);
  raw_peer_wait_bye (raw, AMNESIA_BYE_PROTOCOL, "a write with 4000* bytes where at most 1024*");
  live_member_assert_well (member);
}

/* --- what is said of it --- */

static void
test_log (void)
{
  static const char *const groups[] = {
    "%n%n%s%s%d", "\x1b[2J\x1b]0;title\x07", "line\nanother", "\xe2\x80\xae" "backwards", "tab\t\r",
  };
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autofree char *long_group = g_strnfill (3000, '%');
  LiveStats before = live_member_look (member), after;
  gint64 start = g_get_monotonic_time ();
  guint i;

  g_test_summary ("What strangers say is logged rarely, short, and without what a terminal obeys");

  for (i = 0; i < 500; i++)
    {
      g_autoptr (RawPeer) raw = raw_peer_connect (0);
      AmnesiaHello hello = raw_hello (ID, 0);
      AmnesiaPacket packet;

      hello.group = (char *) (i % 6 < 5 ? groups[i % 6] : long_group);
      raw_peer_send_hello (raw, &hello);
      if (i % 7 == 0)
        {
          amnesia_frame_encode_bye (AMNESIA_BYE_GROUP, groups[i % 5], &packet);
          raw_peer_send (raw, &packet);
        }
      raw_peer_wait_closed (raw);
    }
  after = live_member_look (member);
  g_assert_cmpint (after.bad_logged, ==, 0);
  g_assert_cmpint (after.logged, >, before.logged);
  g_assert_cmpint (after.logged - before.logged, <=,
                   AMNESIA_LOG_BURST + 1 + (g_get_monotonic_time () - start) / AMNESIA_SECOND);
  live_member_assert_well (member);
}

/* --- who is slow --- */

static void
test_slow_handler (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  g_autofree char *text = g_strnfill (60000, 'x');
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  LiveStats before, after;
  guint i;

  g_test_summary ("A handler that takes long sees the newest next, not a thousand old ones");

  g_free (live_member_ask (member, "pause 50"));
  live_member_forget (member);
  before = live_member_look (member);
  raw_peer_greet (raw, ID, 0);
  for (i = 0; i < 1000; i++)
    {
      g_autoptr (AmnesiaEntry) entry = NULL;

      memcpy (text, "number", 6);
      g_snprintf (text, 12, "%05u", i);
      text[5] = ' ';
      entry = amnesia_entry_new ("", raw_stamp (1000 + i), ID, g_variant_new_string (text), NULL, 0);
      g_byte_array_set_size (bytes, 0);
      wire_add_entry (bytes, entry);
      wire_send (raw, bytes);
      test_drain ();
    }
  {
    g_autoptr (AmnesiaEntry) last = raw_entry (ID, raw_stamp (5000), "'last'");

    raw_peer_send_write (raw, last);
  }
  test_until (live_member_has (member, "'last'"));
  after = live_member_look (member);
  g_test_message ("figure: %" G_GINT64_FORMAT " emissions of 1,001 values",
                  after.changed - before.changed);
  g_assert_cmpint (after.changed - before.changed, <, 500);
  g_assert_cmpint (after.peak - before.rss, <, 16 * 1024 * live_slack ());
}

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/W18-requests", test_requests);
  g_test_add_func ("/wire/W18-digests", test_digests);
  g_test_add_func ("/resources/R3-crowd", test_crowd);
  g_test_add_func ("/resources/R8-costly-values", test_costly);
  g_test_add_func ("/resources/R8-reordered", test_reordered);
  g_test_add_func ("/resources/R8-costly-header", test_costly_header);
  g_test_add_func ("/resources/R9-log", test_log);
  g_test_add_func ("/resources/R12-slow-handler", test_slow_handler);
  return g_test_run ();
}
