/* SPDX-License-Identifier: MIT */

#include "testlib.h"

#include "mesh/amnesia-frame-private.h"
#include "mesh/amnesia-limits-private.h"

#include <string.h>

#define MAX_SIZE (1024 * 1024)

/* Turns a packet into the frame that a receiver makes of it. */
static void
receive (AmnesiaPacket *packet,
         gsize          skip,
         AmnesiaFrame  *frame)
{
  gsize size, header_size, payload_size;
  const guint8 *head = g_bytes_get_data (packet->head, &size);
  g_autoptr (GError) error = NULL;

  head += skip;
  g_assert_cmpuint (size % 8, ==, 0);
  g_assert_true (amnesia_frame_check_prefix (head, skip == 0, MAX_SIZE, &frame->kind, &header_size,
                                             &payload_size, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size - skip, ==, AMNESIA_PREFIX_SIZE + (header_size + 7) / 8 * 8);
  amnesia_frame_read_header (frame, head + AMNESIA_PREFIX_SIZE, header_size, payload_size, MAX_SIZE,
                             &error);
  g_assert_no_error (error);
  frame->payload = packet->payload != NULL ? g_bytes_ref (packet->payload) : NULL;
  amnesia_packet_clear (packet);
}

static void
test_hello (void)
{
  AmnesiaHello hello = { 1, 3, 0x8000000000000001, (char *) "group", (char *) "::1", 65535, -5,
                         G_MAXUINT64 };
  g_auto (AmnesiaHello) got = { 0 };
  g_auto (AmnesiaFrame) frame = { 0 };
  AmnesiaPacket packet;

  amnesia_frame_encode_hello (&hello, &packet);
  g_assert_cmpmem (g_bytes_get_data (packet.head, NULL), AMNESIA_PREAMBLE_SIZE,
                   "\0amnesia", AMNESIA_PREAMBLE_SIZE);
  receive (&packet, AMNESIA_PREAMBLE_SIZE, &frame);
  g_assert_cmpint (frame.kind, ==, AMNESIA_FRAME_HELLO);
  amnesia_frame_decode_hello (&frame, &got);
  g_assert_cmpuint (got.version_min, ==, 1);
  g_assert_cmpuint (got.version_max, ==, 3);
  g_assert_cmphex (got.id, ==, hello.id);
  g_assert_cmpstr (got.group, ==, "group");
  g_assert_cmpstr (got.host, ==, "::1");
  g_assert_cmpuint (got.port, ==, 65535);
  g_assert_cmpint (got.wall, ==, -5);
  g_assert_cmphex (got.max_size, ==, G_MAXUINT64);
}

static void
test_bye (void)
{
  g_auto (AmnesiaFrame) frame = { 0 };
  g_autofree char *message = NULL;
  AmnesiaPacket packet;
  AmnesiaBye reason;

  amnesia_frame_encode_bye (AMNESIA_BYE_CLOCK, "two days", &packet);
  receive (&packet, 0, &frame);
  g_assert_cmpint (frame.kind, ==, AMNESIA_FRAME_BYE);
  amnesia_frame_decode_bye (&frame, &reason, &message);
  g_assert_cmpint (reason, ==, AMNESIA_BYE_CLOCK);
  g_assert_cmpstr (message, ==, "two days");
}

static void
test_ack (void)
{
  g_auto (AmnesiaFrame) frame = { 0 };
  AmnesiaPacket packet;

  amnesia_frame_encode_ack (G_MAXUINT64, &packet);
  receive (&packet, 0, &frame);
  g_assert_cmpint (frame.kind, ==, AMNESIA_FRAME_ACK);
  g_assert_cmphex (amnesia_frame_decode_ack (&frame), ==, G_MAXUINT64);
}

static void
test_links (void)
{
  guint n;

  for (n = 0; n <= AMNESIA_MAX_LINKS; n += AMNESIA_MAX_LINKS / 2)
    {
      g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));
      g_autoptr (GArray) got = NULL;
      g_auto (AmnesiaFrame) frame = { 0 };
      AmnesiaPacket packet;
      guint64 id;

      for (id = 1; id <= n; id++)
        g_array_append_val (ids, id);
      amnesia_frame_encode_links (ids, &packet);
      receive (&packet, 0, &frame);
      g_assert_cmpint (frame.kind, ==, AMNESIA_FRAME_LINKS);
      got = amnesia_frame_decode_links (&frame);
      g_assert_cmpmem (got->data, got->len * sizeof (guint64), ids->data, n * sizeof (guint64));
    }
}

static void
test_beat (void)
{
  AmnesiaBeat beat = { 0xfedcba9876543210, 1, -2, 3, G_MININT64 };
  AmnesiaBeat got;
  g_auto (AmnesiaFrame) frame = { 0 };
  AmnesiaPacket packet;

  amnesia_frame_encode_beat (&beat, &packet);
  receive (&packet, 0, &frame);
  g_assert_cmpint (frame.kind, ==, AMNESIA_FRAME_BEAT);
  amnesia_frame_decode_beat (&frame, &got);
  g_assert_cmpmem (&got, sizeof got, &beat, sizeof beat);
}

/* --- writes --- */

static AmnesiaEntry *
make_entry (const char *key,
            const char *text)
{
  g_autoptr (GVariant) value = text != NULL ? test_value (text) : NULL;
  AmnesiaSeen seen[2] = { { 1, 10 }, { 2, AMNESIA_STAMP_NORMAL } };

  return amnesia_entry_new (key, AMNESIA_STAMP_NORMAL | 5, 9, value, seen, 2);
}

/* Keys and values in turn, ending with NULL; a value "-" is nothing. */
static GPtrArray *
make_entries (const char *key,
              ...)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_entry_unref);
  va_list args;

  va_start (args, key);
  for (; key != NULL; key = va_arg (args, const char *))
    {
      const char *text = va_arg (args, const char *);

      g_ptr_array_add (entries, make_entry (key, g_str_equal (text, "-") ? NULL : text));
    }
  va_end (args);
  return entries;
}

static void
assert_same_entry (AmnesiaEntry *got,
                   AmnesiaEntry *wanted)
{
  guint i;

  g_assert_cmpstr (got->key, ==, wanted->key);
  g_assert_cmphex (got->stamp, ==, wanted->stamp);
  g_assert_cmphex (got->id, ==, wanted->id);
  g_assert_cmpuint (got->n_seen, ==, wanted->n_seen);
  for (i = 0; i < got->n_seen; i++)
    g_assert_true (got->seen[i].id == wanted->seen[i].id &&
                   got->seen[i].stamp == wanted->seen[i].stamp);
  if (wanted->value == NULL)
    g_assert_null (got->value);
  else
    g_assert_cmpvariant (got->value, wanted->value);
}

static void
assert_write_survives (GPtrArray *entries)
{
  g_autoptr (GPtrArray) got = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (AmnesiaFrame) frame = { 0 };
  AmnesiaPacket packet;
  guint i;

  amnesia_frame_encode_write (entries, &packet);
  receive (&packet, 0, &frame);
  got = amnesia_frame_decode_write (&frame, MAX_SIZE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (got->len, ==, entries->len);
  for (i = 0; i < got->len; i++)
    assert_same_entry (g_ptr_array_index (got, i), g_ptr_array_index (entries, i));
}

static void
test_write (void)
{
  static const char *const values[] = {
    "-", "true", "byte 1", "int16 2", "3", "int64 4", "5.5", "'s'", "''", "objectpath '/a'",
    "signature 'a{sv}'", "@ay []", "b'bytes'", "[int64 1, 2, 3]", "<1>", "<<<'deep'>>>",
    "('a', byte 2, uint64 3)", "()", "@mi nothing", "just 'x'", "@mv nothing",
    "{'k': <1>, 'l': <'two'>}", "@a{sv} {}", "{uint32 1: 'x'}", "[('a', 1), ('bb', 2)]",
  };
  guint i;

  g_test_summary ("A value of each type arrives as it was sent");

  for (i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (GPtrArray) entries = make_entries ("", values[i], NULL);

      assert_write_survives (entries);
    }
}

static void
test_write_keys (void)
{
  g_autofree char *longest = g_strnfill (255, 'z');
  g_autoptr (GPtrArray) entries =
    make_entries ("", "-", "a", "byte 1", "b", "'a string'", "c", "-", "d", "int64 7", longest,
                  "[1, 2, 3]", NULL);

  g_test_summary ("A write of several keys arrives whole, removed ones included");

  assert_write_survives (entries);
}

static void
test_encoded_once (void)
{
  g_autoptr (GPtrArray) entries = make_entries ("", "'value'", NULL);
  g_auto (AmnesiaPacket) first = { NULL };
  g_auto (AmnesiaPacket) second = { NULL };

  g_test_summary ("An entry is encoded once, and its value is not copied");

  amnesia_frame_encode_write (entries, &first);
  amnesia_frame_encode_write (entries, &second);
  g_assert_true (first.head == second.head);
  g_assert_true (g_bytes_get_data (first.payload, NULL) ==
                 g_variant_get_data (((AmnesiaEntry *) g_ptr_array_index (entries, 0))->value));
}

static void
test_value_stays (void)
{
  g_autoptr (GPtrArray) entries = make_entries ("", "[int64 1, 2, 3]", NULL);
  g_autoptr (GPtrArray) got = NULL;
  g_auto (AmnesiaFrame) frame = { 0 };
  AmnesiaPacket packet;

  g_test_summary ("A received value stays in the memory into which it was read");

  amnesia_frame_encode_write (entries, &packet);
  receive (&packet, 0, &frame);
  got = amnesia_frame_decode_write (&frame, MAX_SIZE, NULL);
  g_assert_true (g_variant_get_data (((AmnesiaEntry *) g_ptr_array_index (got, 0))->value) ==
                 g_bytes_get_data (frame.payload, NULL));
}

/* --- what is refused --- */

/* A write frame made by hand: @items is an a(sst) as text, @seen an a(tt). */
static GPtrArray *
decode_by_hand (const char    *items,
                const char    *seen,
                gconstpointer  payload,
                gsize          size,
                GError       **error)
{
  g_autofree char *text = g_strdup_printf ("@(tta(tt)a(sst)a{sv}) (5, 9, %s, %s, {})", seen, items);
  g_autoptr (GVariant) header = test_value (text);
  g_auto (AmnesiaFrame) frame = { AMNESIA_FRAME_WRITE, NULL, g_bytes_new (payload, size) };

  return amnesia_frame_read_header (&frame, g_variant_get_data (header),
                                    g_variant_get_size (header), size, MAX_SIZE, error)
           ? amnesia_frame_decode_write (&frame, MAX_SIZE, error)
           : NULL;
}

static void
assert_write_refused (const char    *items,
                      const char    *seen,
                      gconstpointer  payload,
                      gsize          size)
{
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GError) error = NULL;

  g_test_message ("%.100s", items);
  entries = decode_by_hand (items, seen, payload, size, &error);
  g_assert_null (entries);
  g_assert_nonnull (error);
  g_assert_true (error->domain == AMNESIA_ERROR);
}

static void
test_by_hand (void)
{
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("What the next tests spoil is right to begin with");

  entries = decode_by_hand ("[('', 's', 4), ('k', 'ay', 1)]", "[(1, 2)]",
                            "abc\0\0\0\0\0x\0\0\0\0\0\0\0", 16, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (entries->len, ==, 2);
}

static void
test_types (void)
{
  static const char *const types[] = {
    "a*", "r", "*", "?", "a?", "(r)", "ss", "{sv}", "h", "ah", "(sh)", "mh", "a{sh}", "a", "(", "z",
    "a{vs}", "s ", " s", "&s", "@s", "{s}",
  };
  guint8 payload[8] = { 0 };
  g_autofree char *longest = g_strnfill (300, 's');
  g_autofree char *tuple = g_strdup_printf ("[('', '(%s)', 8)]", longest);
  g_autofree char *huge = g_strnfill (1024 * 1024, 'a');
  g_autofree char *deep = g_strdup_printf ("[('', '%ss', 8)]", huge);
  guint i;

  g_test_summary ("A type string that no value can have here is refused by our own check");

  for (i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *items = g_strdup_printf ("[('', '%s', 8)]", types[i]);

      assert_write_refused (items, "[]", payload, sizeof payload);
    }
  assert_write_refused (tuple, "[]", payload, sizeof payload);
  assert_write_refused (deep, "[]", payload, sizeof payload);
  assert_write_refused ("[('', '', 8)]", "[]", payload, sizeof payload);
}

static void
test_not_normal (void)
{
  static const struct
  {
    const char *type;
    gsize       size;
    const char  bytes[17];
  } rows[] = {
    { "ai", 6, "\1\0\0\0\2\0\0\0" }, { "i", 3, "\1\0\0\0\0\0\0\0" }, { "b", 1, "\2\0\0\0\0\0\0\0" },
    { "ab", 2, "\1\2\0\0\0\0\0\0" }, { "s", 3, "a\xff\0\0\0\0\0\0" }, { "s", 2, "ab\0\0\0\0\0\0" },
    { "s", 0, "" }, { "o", 2, "a\0\0\0\0\0\0\0" }, { "g", 2, "z\0\0\0\0\0\0\0" },
    { "as", 4, "ab\0\x09\0\0\0\0" }, { "v", 3, "\1\0*\0\0\0\0\0" }, { "v", 1, "\1\0\0\0\0\0\0\0" },
    { "(yi)", 8, "\1\1\1\1\1\0\0\0" }, { "a{sv}", 3, "\1\2\3\0\0\0\0\0" }, { "()", 1, "\1" },
    { "mi", 1, "\1" }, { "(ss)", 4, "a\0b\7\0\0\0\0" }, { "x", 0, "" }, { "a()", 1, "\1" },
  };
  guint i;

  g_test_summary ("Bytes that are not in normal form are refused, whatever the type");

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *items = g_strdup_printf ("[('', '%s', %" G_GSIZE_FORMAT ")]", rows[i].type,
                                                rows[i].size);

      assert_write_refused (items, "[]", rows[i].bytes, (rows[i].size + 7) / 8 * 8);
    }
}

static void
test_value_refused (void)
{
  g_autoptr (GString) nested = g_string_new ("int64 1");
  g_autoptr (GVariant) handle = test_value ("<handle 0>");
  g_autofree char *items = g_strdup_printf ("[('', 'v', %" G_GSIZE_FORMAT ")]",
                                            g_variant_get_size (handle));
  guint8 payload[16] = { 0 };
  guint i;

  g_test_summary ("A handle in a variant is refused, and what is too deep, or has a key twice");

  g_variant_store (handle, payload);
  assert_write_refused (items, "[]", payload, 8);
  for (i = 0; i < 65; i++)
    {
      g_string_prepend_c (nested, '<');
      g_string_append_c (nested, '>');
    }
  {
    g_autoptr (GVariant) deep = test_value (nested->str);
    g_autofree char *deep_items = g_strdup_printf ("[('', 'v', %" G_GSIZE_FORMAT ")]",
                                                   g_variant_get_size (deep));
    gsize size = (g_variant_get_size (deep) + 7) / 8 * 8;
    g_autofree guint8 *bytes = g_malloc0 (size);

    g_variant_store (deep, bytes);
    assert_write_refused (deep_items, "[]", bytes, size);
  }
  /* {byte 1: byte 2, byte 1: byte 3} */
  assert_write_refused ("[('', 'a{yy}', 4)]", "[]", "\1\2\1\3\0\0\0\0", 8);
}

static void
test_write_sizes (void)
{
  static const guint8 payload[64];

  g_test_summary ("The sizes in a header must fill the payload, and stay within max-size");

  assert_write_refused ("[]", "[]", payload, 0);
  assert_write_refused ("[('', 'x', 8)]", "[]", payload, 0);
  assert_write_refused ("[('', 'x', 8)]", "[]", payload, 16);
  assert_write_refused ("[('', 'x', 8), ('k', 'x', 8)]", "[]", payload, 8);
  assert_write_refused ("[('', 'ay', 1048577)]", "[]", payload, 8);
  assert_write_refused ("[('', 'ay', 0xffffffffffffffff)]", "[]", payload, 0);
  assert_write_refused ("[('', 'ay', 0xfffffffffffffff8), ('k', 'ay', 16)]", "[]", payload, 8);
  assert_write_refused ("[('', '', 1)]", "[]", payload, 8);
}

static void
test_write_keys_refused (void)
{
  g_autofree char *too_long = g_strnfill (256, 'k');
  g_autofree char *items = g_strdup_printf ("[('%s', '', 0)]", too_long);
  g_autoptr (GString) seen = g_string_new ("[(1, 1)");
  guint i;

  g_test_summary ("Keys out of order, twice or too long are refused, and more than 16 seen");

  assert_write_refused ("[('b', '', 0), ('a', '', 0)]", "[]", "", 0);
  assert_write_refused ("[('a', '', 0), ('a', '', 0)]", "[]", "", 0);
  assert_write_refused ("[('a', '', 0), ('', '', 0)]", "[]", "", 0);
  assert_write_refused (items, "[]", "", 0);
  for (i = 2; i <= 17; i++)
    g_string_append_printf (seen, ", (%u, 1)", i);
  g_string_append_c (seen, ']');
  assert_write_refused ("[('', '', 0)]", seen->str, "", 0);
}

static void
test_too_many_keys (void)
{
  g_autoptr (GString) items = g_string_new ("[");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = NULL;
  guint i;

  g_test_summary ("A write has at most 4,096 keys and the base");

  for (i = 0; i < 4097; i++)
    g_string_append_printf (items, "%s('%05u', '', 0)", i > 0 ? ", " : "", i);
  {
    g_autofree char *right = g_strdup_printf ("%s]", items->str);

    entries = decode_by_hand (right, "[]", "", 0, &error);
    g_assert_no_error (error);
  }
  g_string_append (items, ", ('99999', '', 0)]");
  assert_write_refused (items->str, "[]", "", 0);
}

/* --- prefixes and headers --- */

static gboolean
check_prefix (guint8    kind,
              guint8    flags,
              guint16   zero,
              guint32   header,
              guint64   payload,
              gboolean  greeted,
              GError  **error)
{
  guint8 prefix[AMNESIA_PREFIX_SIZE] = { kind, flags, zero & 255, zero >> 8 };
  AmnesiaFrameKind got_kind;
  gsize got_header, got_payload;

  header = GUINT32_TO_LE (header);
  payload = GUINT64_TO_LE (payload);
  memcpy (prefix + 4, &header, sizeof header);
  memcpy (prefix + 8, &payload, sizeof payload);
  return amnesia_frame_check_prefix (prefix, greeted, MAX_SIZE, &got_kind, &got_header,
                                     &got_payload, error);
}

static void
test_sizes (void)
{
  static const struct
  {
    guint8   kind;
    gboolean greeted;
    guint32  header;
    guint64  payload;
  } limits[] = {
    { AMNESIA_FRAME_HELLO, FALSE, 4096, 0 }, { AMNESIA_FRAME_BYE, TRUE, 1024, 0 },
    { AMNESIA_FRAME_BYE, FALSE, 1024, 0 }, { AMNESIA_FRAME_WRITE, TRUE, 4 << 20, 4 * MAX_SIZE },
    { AMNESIA_FRAME_ACK, TRUE, 1024, 0 }, { AMNESIA_FRAME_LINKS, TRUE, 4096, 0 },
    { AMNESIA_FRAME_BEAT, TRUE, 1024, 0 }, { AMNESIA_FRAME_LIST, TRUE, 65536, 0 },
  };
  guint i;

  g_test_summary ("No kind of frame may announce more than its limit, nor a size that wraps");

  for (i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      guint8 kind = limits[i].kind;
      gboolean greeted = limits[i].greeted;
      guint64 payload = limits[i].payload;
      guint64 wrong[] = { payload + 1, G_MAXUINT32, G_GUINT64_CONSTANT (1) << 63,
                          G_MAXUINT64 - 15, G_MAXUINT64 };
      guint j;

      g_assert_true (check_prefix (kind, 0, 0, limits[i].header, payload, greeted, NULL));
      for (j = 0; j < G_N_ELEMENTS (wrong); j++)
        {
          g_autoptr (GError) error = NULL;

          g_assert_false (check_prefix (kind, 0, 0, 0, wrong[j], greeted, &error));
          g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
        }
      g_assert_false (check_prefix (kind, 0, 0, limits[i].header + 1, 0, greeted, NULL));
      g_assert_false (check_prefix (kind, 0, 0, G_MAXUINT32, 0, greeted, NULL));
    }
}

static void
test_flags (void)
{
  guint bit;

  g_test_summary ("Flags and bytes that mean nothing yet must be zero");

  g_assert_true (check_prefix (AMNESIA_FRAME_ACK, AMNESIA_FRAME_IGNORABLE, 0, 8, 0, TRUE, NULL));
  for (bit = 1; bit < 8; bit++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (check_prefix (AMNESIA_FRAME_ACK, 1 << bit, 0, 8, 0, TRUE, &error));
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL);
    }
  for (bit = 0; bit < 16; bit++)
    g_assert_false (check_prefix (AMNESIA_FRAME_ACK, 0, 1 << bit, 8, 0, TRUE, NULL));
}

static void
test_kinds (void)
{
  guint kind;

  g_test_summary ("An unknown kind may be skipped if it says so, else it is refused");

  for (kind = 0; kind < 256; kind++)
    {
      gboolean known = kind >= AMNESIA_FRAME_BYE && kind <= AMNESIA_FRAME_LIST;
      gboolean early = kind == AMNESIA_FRAME_HELLO || kind == AMNESIA_FRAME_BYE;

      g_assert_cmpint (check_prefix (kind, 0, 0, 8, 0, TRUE, NULL), ==, known);
      g_assert_cmpint (check_prefix (kind, AMNESIA_FRAME_IGNORABLE, 0, 8, 0, TRUE, NULL), ==,
                       kind != 0 && kind != AMNESIA_FRAME_HELLO);
      g_assert_cmpint (check_prefix (kind, 0, 0, 8, 0, FALSE, NULL), ==, early);
      g_assert_cmpint (check_prefix (kind, AMNESIA_FRAME_IGNORABLE, 0, 8, 0, FALSE, NULL), ==,
                       early);
    }
}

static void
test_headers (void)
{
  guint kind;

  g_test_summary ("A header that is not in normal form is refused, of any kind and any length");

  for (kind = AMNESIA_FRAME_HELLO; kind < AMNESIA_N_FRAMES; kind++)
    {
      gsize size;

      for (size = 0; size < 64; size++)
        {
          /* one more: where a header ends within padding, GLib looks at the byte behind it */
          g_autofree guint8 *raw = g_malloc0 (size + 1);
          g_auto (AmnesiaFrame) frame = { kind };
          g_autoptr (GError) error = NULL;

          /* numbers, which any bytes are */
          if ((kind == AMNESIA_FRAME_ACK && size == 8) ||
              (kind == AMNESIA_FRAME_LINKS && size % 8 == 0) ||
              (kind == AMNESIA_FRAME_BEAT && size == 40))
            continue;
          memset (raw, 0xfe, size);
          g_assert_false (amnesia_frame_read_header (&frame, raw, size, 0, MAX_SIZE, &error));
          g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL);
        }
    }
}

/* --- lists --- */

static GPtrArray *
make_keys (guint n)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_entry_unref);
  guint i;

  for (i = 0; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u-%0*u", i, (int) (i % 200) + 1, 0);

      g_ptr_array_add (entries, amnesia_entry_new (key, i, i + 1, NULL, NULL, 0));
    }
  return entries;
}

/* Takes one frame off a list; returns where the next one is to begin. */
static char *
check_list_frame (GPtrArray  *entries,
                  const char *from,
                  guint      *position)
{
  g_auto (AmnesiaFrame) frame = { 0 };
  g_auto (AmnesiaList) list = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *next = NULL;
  AmnesiaPacket packet;
  guint i;

  next = amnesia_frame_encode_list (entries, from, TRUE, &packet);
  g_assert_cmpuint (g_bytes_get_size (packet.head), <=, AMNESIA_MAX_LIST);
  receive (&packet, 0, &frame);
  g_assert_true (amnesia_frame_decode_list (&frame, &list, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (list.from, ==, from);
  g_assert_cmpstr (list.to, ==, next != NULL ? next : "");
  g_assert_cmpint (list.last, ==, next == NULL);
  g_assert_true (list.reply);
  for (i = 0; i < list.items->len; i++)
    {
      AmnesiaListItem *item = &g_array_index (list.items, AmnesiaListItem, i);
      AmnesiaEntry *entry = g_ptr_array_index (entries, (*position)++);

      g_assert_cmpstr (item->key, ==, entry->key);
      g_assert_cmphex (item->stamp, ==, entry->stamp);
      g_assert_cmphex (item->id, ==, entry->id);
      g_assert_cmpuint (item->size, ==, amnesia_entry_get_size (entry));
    }
  return g_steal_pointer (&next);
}

static void
test_list (void)
{
  static const guint sizes[] = { 0, 1, 300, 5000 };
  guint i;

  g_test_summary ("A list is cut into frames of at most 64 KiB that name their ranges");

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GPtrArray) entries = make_keys (sizes[i]);
      char *from = g_strdup ("");
      guint position = 0, n_frames = 0;

      while (from != NULL)
        {
          char *next = check_list_frame (entries, from, &position);

          g_free (from);
          from = next;
          n_frames++;
        }
      g_assert_cmpuint (position, ==, sizes[i]);
      g_assert_true (n_frames == 1 || sizes[i] == 5000);
      g_assert_true (n_frames >= 10 || sizes[i] < 5000);
    }
}

static void
test_list_refused (void)
{
  static const char *const texts[] = {
    "('', '', true, false, [('b', 1, 1, 0), ('a', 1, 1, 0)], {})",
    "('', '', true, false, [('a', 1, 1, 0), ('a', 2, 1, 0)], {})",
    NULL,
  };
  g_autofree char *long_key = g_strnfill (256, 'k');
  guint i;

  g_test_summary ("A list with keys out of order, twice or too long is refused");

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = g_strdup_printf ("@(ssbba(sttt)a{sv}) %s", texts[i]);
      g_autofree char *too_long =
        g_strdup_printf ("@(ssbba(sttt)a{sv}) ('', '', true, false, [('%s', 1, 1, 0)], {})",
                         long_key);
      g_auto (AmnesiaFrame) frame = { AMNESIA_FRAME_LIST, NULL, NULL };
      g_auto (AmnesiaList) list = { 0 };
      g_autoptr (GError) error = NULL;

      frame.header = test_value (texts[i] != NULL ? text : too_long);
      g_assert_false (amnesia_frame_decode_list (&frame, &list, &error));
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/hello", test_hello);
  g_test_add_func ("/frame/bye", test_bye);
  g_test_add_func ("/frame/ack", test_ack);
  g_test_add_func ("/frame/links", test_links);
  g_test_add_func ("/frame/beat", test_beat);
  g_test_add_func ("/frame/write", test_write);
  g_test_add_func ("/frame/write-keys", test_write_keys);
  g_test_add_func ("/frame/encoded-once", test_encoded_once);
  g_test_add_func ("/frame/value-stays", test_value_stays);
  g_test_add_func ("/frame/by-hand", test_by_hand);
  g_test_add_func ("/frame/W10-types", test_types);
  g_test_add_func ("/frame/W11-not-normal", test_not_normal);
  g_test_add_func ("/frame/value-refused", test_value_refused);
  g_test_add_func ("/frame/write-sizes", test_write_sizes);
  g_test_add_func ("/frame/write-keys-refused", test_write_keys_refused);
  g_test_add_func ("/frame/too-many-keys", test_too_many_keys);
  g_test_add_func ("/frame/W5-sizes", test_sizes);
  g_test_add_func ("/frame/flags", test_flags);
  g_test_add_func ("/frame/kinds", test_kinds);
  g_test_add_func ("/frame/headers", test_headers);
  g_test_add_func ("/frame/list", test_list);
  g_test_add_func ("/frame/list-refused", test_list_refused);
  return g_test_run ();
}
