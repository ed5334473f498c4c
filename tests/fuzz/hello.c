/* SPDX-License-Identifier: MIT */

/* What a stranger can do before, and with, its hello. The first byte says how: bit 0: what follows
 * is a hello of the right type made of the rest, else bytes as they come; the others: in pieces of
 * how many bytes. */

#include "fuzz.h"

#include "amnesia-error.h"
#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-link-private.h"

typedef struct
{
  AmnesiaLink *link;
  AmnesiaTime  now;
  guint        n_frames;
  gboolean     failed;
} Door;

static void
on_frame (AmnesiaFrame *frame,
          gpointer      user_data)
{
  Door *door = user_data;
  g_auto (AmnesiaReceipt) receipt = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (door->n_frames > 0 || frame->kind == AMNESIA_FRAME_HELLO ||
                 frame->kind == AMNESIA_FRAME_BYE);
  door->n_frames++;
  fuzz_check_frame (frame, FUZZ_MAX_SIZE);
  if (door->failed)
    return;
  door->failed = !amnesia_link_receive (door->link, frame, door->now, &receipt, &error);
  g_assert_true (door->failed == (error != NULL));
  if (error != NULL)
    {
      fuzz_check_error (error);
      amnesia_link_leave (door->link, amnesia_link_get_bye (error), error->message);
    }
  if (!receipt.greeted)
    return;
  g_assert_cmpuint (door->link->peer_id, !=, 0);
  g_assert_nonnull (receipt.host);
  g_assert_cmpint (ABS (door->link->clock_offset), <=, door->link->local->clock_limit);
}

static void
on_answer (AmnesiaFrame *frame,
           gpointer      user_data)
{
  fuzz_check_frame (frame, FUZZ_MAX_SIZE);
}

/* Whatever came, there is an answer of frames that are right. */
static void
check_answers (Door *door)
{
  g_autoptr (AmnesiaReader) reader = amnesia_reader_new (FUZZ_MAX_SIZE);
  guint i;

  for (i = 0; i < 100; i++)
    {
      g_auto (AmnesiaPacket) packet = { 0 };
      g_autoptr (GError) notice = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = NULL;

      /* a notice tells that a value is too large for the peer: that is as it should be */
      if (!amnesia_link_pull (door->link, door->now, &packet, &notice))
        return;
      bytes = fuzz_packet_bytes (&packet, 0);
      g_assert_true (fuzz_feed (reader, bytes, 0, on_answer, NULL, &error));
      g_assert_no_error (error);
      g_assert_true (amnesia_reader_is_between (reader));
    }
  g_assert_not_reached ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  G_GNUC_UNUSED g_auto (FuzzWatch) watch = fuzz_begin ();
  FuzzInput input = { data, size };
  guint8 mode = fuzz_take_byte (&input);
  AmnesiaLocal local = { .group = (char *) "", .host = (char *) "node", .port = 1,
                         .max_size = FUZZ_MAX_SIZE, .clock_limit = 24 * G_TIME_SPAN_HOUR };
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (7);
  g_autoptr (GArray) linked = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (AmnesiaReader) reader = amnesia_reader_new (FUZZ_MAX_SIZE);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  Door door = { .now = { 1000 * G_TIME_SPAN_SECOND, 1000 * G_TIME_SPAN_HOUR } };
  gsize room;

  local.replica = replica;
  local.linked = linked;
  door.link = amnesia_link_new (&local, "node", 999, FALSE, 1, door.now);
  if (mode & 1)
    {
      g_autoptr (GBytes) preamble = g_bytes_new_static (AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);

      fuzz_feed (reader, preamble, 0, on_frame, &door, NULL);
      while (input.size > 0 && error == NULL)
        {
          g_clear_pointer (&bytes, g_bytes_unref);
          bytes = fuzz_take_frame (&input, door.now.wall);
          fuzz_feed (reader, bytes, mode >> 1, on_frame, &door, &error);
        }
    }
  else
    {
      bytes = fuzz_take_bytes (&input, input.size);
      fuzz_feed (reader, bytes, mode >> 1, on_frame, &door, &error);
    }
  /* before its hello nobody gets more of our memory than this */
  if (door.n_frames == 0 && error == NULL)
    {
      amnesia_reader_reserve (reader, &room);
      g_assert_cmpuint (room, <=, AMNESIA_READ_BUFFER);
    }
  if (error != NULL)
    amnesia_link_leave (door.link, amnesia_link_get_bye (error), error->message);
  check_answers (&door);
  amnesia_link_free (door.link);
  amnesia_local_forget_write (&local);
  return 0;
}
