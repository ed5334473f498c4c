/* SPDX-License-Identifier: MIT */

/* A whole stream, cut into frames. The first byte says how: bit 0: frames whose sizes are right,
 * else bytes as they come, a preamble first; the others: in pieces of how many bytes. However the
 * stream is cut, the same comes of it. */

#include "fuzz.h"

#include <string.h>

typedef struct
{
  GChecksum *sum;
  guint      n_frames;
} Seen;

static void
on_frame (AmnesiaFrame *frame,
          gpointer      user_data)
{
  Seen *seen = user_data;
  gsize size;
  const guchar *payload = g_bytes_get_data (frame->payload, &size);
  g_autoptr (GBytes) header = g_variant_get_data_as_bytes (frame->header);

  seen->n_frames++;
  fuzz_check_frame (frame, FUZZ_MAX_SIZE);
  if (size > 0)
    g_checksum_update (seen->sum, payload, (gssize) size);
  payload = g_bytes_get_data (header, &size);
  if (size > 0)
    g_checksum_update (seen->sum, payload, (gssize) size);
}

static GBytes *
take_stream (FuzzInput *input,
             gboolean   framed)
{
  GByteArray *stream = g_byte_array_new ();

  g_byte_array_append (stream, (const guint8 *) AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  if (!framed)
    {
      g_byte_array_append (stream, input->data, (guint) input->size);
      input->size = 0;
    }
  while (input->size > 0)
    {
      g_autoptr (GBytes) frame = fuzz_take_frame (input, 1000 * G_TIME_SPAN_HOUR);

      g_byte_array_append (stream, g_bytes_get_data (frame, NULL),
                           (guint) g_bytes_get_size (frame));
    }
  return g_byte_array_free_to_bytes (stream);
}

static char *
read_stream (GBytes *stream,
             gsize   step,
             guint  *n_frames)
{
  g_autoptr (AmnesiaReader) reader = amnesia_reader_new (FUZZ_MAX_SIZE);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_MD5);
  g_autoptr (GError) error = NULL;
  Seen seen = { sum, 0 };

  fuzz_feed (reader, stream, step, on_frame, &seen, &error);
  *n_frames = seen.n_frames;
  return g_strdup_printf ("%s %s", g_checksum_get_string (sum),
                          error != NULL ? error->message : "");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  G_GNUC_UNUSED g_auto (FuzzWatch) watch = fuzz_begin ();
  FuzzInput input = { data, size };
  guint8 mode = fuzz_take_byte (&input);
  g_autoptr (GBytes) stream = take_stream (&input, mode & 1);
  g_autofree char *whole = NULL;
  g_autofree char *cut = NULL;
  guint n_whole, n_cut;

  whole = read_stream (stream, 0, &n_whole);
  cut = read_stream (stream, 1 + mode / 2, &n_cut);
  g_assert_cmpuint (n_whole, ==, n_cut);
  g_assert_cmpstr (whole, ==, cut);
  return 0;
}
