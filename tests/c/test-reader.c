/* SPDX-License-Identifier: MIT */

#include "testlib.h"

#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-reader-private.h"

#include <string.h>

#define MAX_SIZE (1024 * 1024)

static void
append (GByteArray    *stream,
        AmnesiaPacket *packet)
{
  static const guint8 zeros[8];
  gsize size;
  const guint8 *bytes = g_bytes_get_data (packet->head, &size);

  g_byte_array_append (stream, bytes, size);
  if (packet->payload != NULL)
    {
      bytes = g_bytes_get_data (packet->payload, &size);
      g_byte_array_append (stream, bytes, size);
      g_byte_array_append (stream, zeros, (8 - size % 8) % 8);
    }
  amnesia_packet_clear (packet);
}

static void
append_hello (GByteArray *stream)
{
  AmnesiaHello hello = { 1, 1, 7, (char *) "g", (char *) "h", 1, 2, 3 };
  AmnesiaPacket packet;

  amnesia_frame_encode_hello (&hello, &packet);
  append (stream, &packet);
}

static void
append_write (GByteArray *stream,
              const char *text)
{
  g_autoptr (GVariant) value = test_value (text);
  g_autoptr (AmnesiaEntry) entry = amnesia_entry_new ("", 1, 2, value, NULL, 0);
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  AmnesiaPacket packet;

  g_ptr_array_add (entries, entry);
  amnesia_frame_encode_write (entries, &packet);
  append (stream, &packet);
}

/* A frame of a kind that nobody knows. */
static void
append_unknown (GByteArray *stream,
                guint8      flags)
{
  guint8 frame[AMNESIA_PREFIX_SIZE + 8] = { 200, flags, 0, 0, 5 };

  memset (frame + AMNESIA_PREFIX_SIZE, 'u', 5);
  g_byte_array_append (stream, frame, sizeof frame);
}

static void
append_ack (GByteArray *stream,
            guint64     count)
{
  AmnesiaPacket packet;

  amnesia_frame_encode_ack (count, &packet);
  append (stream, &packet);
}

/* A session in which every kind of frame occurs. */
static GByteArray *
make_session (void)
{
  GByteArray *stream = g_byte_array_new ();
  AmnesiaBeat beat = { 1, 2, 3, 4, 5 };
  g_autoptr (GArray) ids = g_array_new (FALSE, TRUE, sizeof (guint64));
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  AmnesiaPacket packet;

  append_hello (stream);
  amnesia_frame_encode_list (entries, "", FALSE, &packet);
  append (stream, &packet);
  append_write (stream, "'a string'");
  append_unknown (stream, AMNESIA_FRAME_IGNORABLE);
  append_ack (stream, 1);
  g_array_set_size (ids, 3);
  amnesia_frame_encode_links (ids, &packet);
  append (stream, &packet);
  amnesia_frame_encode_beat (&beat, &packet);
  append (stream, &packet);
  append_write (stream, "[int64 1, 2, 3]");
  append_write (stream, "@ay []");
  amnesia_frame_encode_bye (AMNESIA_BYE_LEAVING, "bye", &packet);
  append (stream, &packet);
  return stream;
}

static char *
describe_header (const AmnesiaFrame *frame)
{
  if (frame->header != NULL)
    return g_variant_print (frame->header, TRUE);
  if (frame->single == NULL)
    return g_strdup_printf ("%" G_GUINT64_FORMAT, frame->numbers[0]);
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %u %s %s %" G_GUINT64_FORMAT,
                          frame->single->stamp, frame->single->id, frame->single->n_seen,
                          frame->single->key, frame->single->type, frame->single->size);
}

/* Feeds at most @step bytes at a time; returns what came of it. Stops at an error. */
static char *
read_in_steps (const guint8  *bytes,
               gsize          size,
               gsize          step,
               gboolean      *between,
               GError       **error)
{
  g_autoptr (AmnesiaReader) reader = amnesia_reader_new (MAX_SIZE);
  g_autoptr (GString) result = g_string_new (NULL);
  g_autoptr (GError) local_error = NULL;
  gsize done = 0;

  while (done < size && local_error == NULL)
    {
      gsize room;
      guint8 *where = amnesia_reader_reserve (reader, &room);
      gsize n = MIN (MIN (room, step), size - done);
      AmnesiaFrame frame = { 0 };

      g_assert_cmpuint (room, >, 0);
      memcpy (where, bytes + done, n);
      amnesia_reader_commit (reader, n);
      done += n;
      while (amnesia_reader_next (reader, &frame, &local_error))
        {
          g_autofree char *header = describe_header (&frame);
          g_autofree char *payload =
            frame.payload != NULL && g_bytes_get_size (frame.payload) > 0
              ? g_base64_encode (g_bytes_get_data (frame.payload, NULL),
                                 g_bytes_get_size (frame.payload))
              : g_strdup ("");

          g_string_append_printf (result, "%d %s %s\n", frame.kind, header, payload);
          if (frame.kind == AMNESIA_FRAME_HELLO)
            amnesia_reader_set_greeted (reader);
          amnesia_frame_clear (&frame);
        }
    }
  if (between != NULL)
    *between = amnesia_reader_is_between (reader);
  if (local_error != NULL)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return g_string_free (g_steal_pointer (&result), FALSE);
}

static void
test_cuts (void)
{
  static const gsize steps[] = { 1, 2, 3, 7, 8, 13, 64, 100, 1000 };
  g_autoptr (GByteArray) session = make_session ();
  g_autoptr (GError) error = NULL;
  g_autofree char *whole = read_in_steps (session->data, session->len, G_MAXSIZE, NULL, &error);
  guint i;

  g_test_summary ("It is all the same in which pieces the bytes come");

  g_assert_no_error (error);
  for (i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      gboolean between = FALSE;
      g_autofree char *got = read_in_steps (session->data, session->len, steps[i], &between,
                                            &error);

      g_assert_no_error (error);
      g_assert_cmpstr (got, ==, whole);
      g_assert_true (between);
    }
}

static void
test_truncated (void)
{
  g_autoptr (GByteArray) session = make_session ();
  g_autofree char *whole = read_in_steps (session->data, session->len, G_MAXSIZE, NULL, NULL);
  gsize size, n_between = 0;

  g_test_summary ("A stream that ends early gives the frames that were whole, and says so");

  for (size = 0; size < session->len; size++)
    {
      g_autoptr (GError) error = NULL;
      gboolean between;
      g_autofree char *got = read_in_steps (session->data, size, G_MAXSIZE, &between, &error);

      g_assert_no_error (error);
      g_assert_true (g_str_has_prefix (whole, got));
      n_between += between;
    }
  /* before the first byte, after the preamble, and after each of ten frames but the last */
  g_assert_cmpuint (n_between, ==, 11);
}

static void
test_skipped (void)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *got = NULL;

  g_test_summary ("An unknown frame is skipped if it may be, and what follows is read");

  append_hello (stream);
  append_unknown (stream, AMNESIA_FRAME_IGNORABLE);
  append_ack (stream, 5);
  got = read_in_steps (stream->data, stream->len, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_suffix (got, "\n4 5 \n"));
}

static void
assert_refused (GByteArray   *stream,
                AmnesiaError  code)
{
  gsize step;

  for (step = 1; step <= 4096; step *= 64)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *got = read_in_steps (stream->data, stream->len, step, NULL, &error);

      g_assert_error (error, AMNESIA_ERROR, (int) code);
    }
}

static void
test_refused (void)
{
  g_autoptr (GByteArray) unknown = g_byte_array_new ();
  g_autoptr (GByteArray) twice = g_byte_array_new ();
  g_autoptr (GByteArray) early = g_byte_array_new ();
  g_autoptr (GByteArray) early_unknown = g_byte_array_new ();

  g_test_summary ("An unknown frame, a second hello, and anything before the hello are refused");

  append_hello (unknown);
  append_unknown (unknown, 0);
  assert_refused (unknown, AMNESIA_ERROR_PROTOCOL);

  append_hello (twice);
  {
    g_autoptr (GByteArray) second = g_byte_array_new ();

    append_hello (second);
    g_byte_array_append (twice, second->data + AMNESIA_PREAMBLE_SIZE,
                         second->len - AMNESIA_PREAMBLE_SIZE);
  }
  assert_refused (twice, AMNESIA_ERROR_PROTOCOL);

  g_byte_array_append (early, (const guint8 *) AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  append_write (early, "1");
  assert_refused (early, AMNESIA_ERROR_PROTOCOL);

  g_byte_array_append (early_unknown, (const guint8 *) AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  append_unknown (early_unknown, AMNESIA_FRAME_IGNORABLE);
  assert_refused (early_unknown, AMNESIA_ERROR_PROTOCOL);
}

static void
test_other_protocols (void)
{
  static const char *const texts[] = {
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", "{\"data\": 1}\n", "[1]",
    "\x16\x03\x01\x02", "x",
  };
  guint i;

  g_test_summary ("Another protocol is told apart by its first byte");

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GByteArray) stream = g_byte_array_new ();

      g_byte_array_append (stream, (const guint8 *) texts[i], strlen (texts[i]));
      assert_refused (stream, AMNESIA_ERROR_PROTOCOL);
      g_byte_array_set_size (stream, 1);
      assert_refused (stream, AMNESIA_ERROR_PROTOCOL);
    }
}

static void
test_too_big (void)
{
  static const guint64 sizes[] = { 4 * MAX_SIZE + 8, G_MAXUINT32, G_GUINT64_CONSTANT (1) << 63,
                                   G_MAXUINT64 };
  guint i;

  g_test_summary ("A frame that announces too much is refused with its prefix");

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GByteArray) stream = g_byte_array_new ();
      guint8 prefix[AMNESIA_PREFIX_SIZE] = { AMNESIA_FRAME_WRITE, 0, 0, 0, 8 };
      guint64 size = GUINT64_TO_LE (sizes[i]);

      append_hello (stream);
      memcpy (prefix + 8, &size, sizeof size);
      g_byte_array_append (stream, prefix, sizeof prefix);
      assert_refused (stream, AMNESIA_ERROR_TOO_BIG);
    }
}

static void
test_big_header (void)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autoptr (GPtrArray) entries =
    g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_entry_unref);
  g_autoptr (GError) error = NULL;
  g_autofree char *got = NULL;
  AmnesiaPacket packet;
  guint i;

  g_test_summary ("A header that is larger than the buffer is read, and what follows");

  for (i = 0; i < 4096; i++)
    {
      char key[64];

      g_snprintf (key, sizeof key, "%060u", i);
      g_ptr_array_add (entries, amnesia_entry_new (key, 1, 1, NULL, NULL, 0));
    }
  append_hello (stream);
  amnesia_frame_encode_write (entries, &packet);
  append (stream, &packet);
  append_ack (stream, 5);
  got = read_in_steps (stream->data, stream->len, 5000, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_suffix (got, "\n4 5 \n"));
}

/* The write that comes next is @size bytes of type `ay`. */
static GByteArray *
announce (gsize size)
{
  GByteArray *stream = g_byte_array_new ();
  g_autofree char *zeros = g_malloc0 (size);
  g_autoptr (GVariant) value =
    g_variant_ref_sink (g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, size, 1));
  g_autoptr (AmnesiaEntry) entry = amnesia_entry_new ("", 1, 2, value, NULL, 0);
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  AmnesiaPacket packet;

  append_hello (stream);
  g_ptr_array_add (entries, entry);
  amnesia_frame_encode_write (entries, &packet);
  g_clear_pointer (&packet.payload, g_bytes_unref);
  append (stream, &packet);
  return stream;
}

static void
test_memory (void)
{
  const gsize size = MAX_SIZE / 2;
  g_autoptr (AmnesiaReader) reader = amnesia_reader_new (MAX_SIZE);
  g_autoptr (GByteArray) stream = announce (size);
  g_auto (AmnesiaFrame) frame = { 0 };
  gsize room, arrived = 0;
  guint8 *where = amnesia_reader_reserve (reader, &room);

  g_test_summary ("Memory grows with the bytes that arrived, not with the size announced");

  g_assert_cmpuint (room, >=, stream->len);
  memcpy (where, stream->data, stream->len);
  amnesia_reader_commit (reader, stream->len);
  g_assert_true (amnesia_reader_next (reader, &frame, NULL));
  amnesia_reader_set_greeted (reader);
  amnesia_frame_clear (&frame);
  g_assert_false (amnesia_reader_next (reader, &frame, NULL));

  while (arrived < size)
    {
      where = amnesia_reader_reserve (reader, &room);
      g_assert_cmpuint (room, >, 0);
      g_assert_cmpuint (room, <=, MAX (AMNESIA_PAYLOAD_STEP, arrived));
      memset (where, 0, room);
      amnesia_reader_commit (reader, room);
      arrived += room;
      g_assert_cmpint (amnesia_reader_next (reader, &frame, NULL), ==, arrived == size);
    }
  g_assert_cmpuint (g_bytes_get_size (frame.payload), ==, size);
  amnesia_reader_reserve (reader, &room);
  g_assert_cmpuint (room, <=, AMNESIA_READ_BUFFER);
}

static void
test_aligned (void)
{
  gsize step;

  g_test_summary ("A value is aligned in memory, wherever the bytes before it ended");

  for (step = 1; step <= 17; step++)
    {
      g_autoptr (AmnesiaReader) reader = amnesia_reader_new (MAX_SIZE);
      g_autoptr (GByteArray) stream = g_byte_array_new ();
      gsize done = 0;

      append_hello (stream);
      append_write (stream, "[int64 1, 2, 3]");
      while (done < stream->len)
        {
          g_auto (AmnesiaFrame) frame = { 0 };
          gsize room;
          guint8 *where = amnesia_reader_reserve (reader, &room);
          gsize n = MIN (MIN (room, step), stream->len - done);

          memcpy (where, stream->data + done, n);
          amnesia_reader_commit (reader, n);
          done += n;
          if (!amnesia_reader_next (reader, &frame, NULL))
            continue;
          amnesia_reader_set_greeted (reader);
          g_assert_cmpuint (GPOINTER_TO_SIZE (g_bytes_get_data (frame.payload, NULL)) % 8, ==, 0);
        }
      g_assert_true (amnesia_reader_is_between (reader));
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reader/W2-W3-cuts", test_cuts);
  g_test_add_func ("/reader/W20-truncated", test_truncated);
  g_test_add_func ("/reader/skipped", test_skipped);
  g_test_add_func ("/reader/refused", test_refused);
  g_test_add_func ("/reader/W1-other-protocols", test_other_protocols);
  g_test_add_func ("/reader/too-big", test_too_big);
  g_test_add_func ("/reader/big-header", test_big_header);
  g_test_add_func ("/reader/W5-memory", test_memory);
  g_test_add_func ("/reader/W13-aligned", test_aligned);
  return g_test_run ();
}
