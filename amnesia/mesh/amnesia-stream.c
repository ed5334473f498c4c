/* SPDX-License-Identifier: MIT */

#include "amnesia-stream-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"

void
amnesia_stream_init (AmnesiaStream *self,
                     AmnesiaMesh   *mesh,
                     AmnesiaLink   *link,
                     guint64        max_size)
{
  *self = (AmnesiaStream) { .mesh = mesh, .link = link, .reader = amnesia_reader_new (max_size) };
}

static void
clear_packets (AmnesiaStream *self)
{
  guint i;

  for (i = 0; i < self->n_packets; i++)
    amnesia_packet_clear (&self->packets[i]);
  self->n_packets = 0;
  self->offset = 0;
}

void
amnesia_stream_clear (AmnesiaStream *self)
{
  clear_packets (self);
  amnesia_frame_clear (&self->slow);
  g_clear_pointer (&self->reader, amnesia_reader_free);
}

/* --- in --- */

/* Returns where the next bytes go, and how many have room there; NULL if there is no memory. */
guint8 *
amnesia_stream_reserve (AmnesiaStream *self,
                        gsize         *size)
{
  return amnesia_reader_reserve (self->reader, size);
}

/* @size bytes were put where amnesia_stream_reserve () said. */
void
amnesia_stream_commit (AmnesiaStream *self,
                       gsize          size,
                       AmnesiaTime    now)
{
  amnesia_link_heard (self->link, size, now);
  if (self->deaf)
    return;
  amnesia_reader_commit (self->reader, size);
  self->arrived += size;
  self->more = TRUE;
}

static void
fail (AmnesiaStream *self,
      const GError  *error,
      AmnesiaTime    now)
{
  self->deaf = TRUE;
  self->more = FALSE;
  amnesia_mesh_fail_link (self->mesh, self->link, error, now);
}

/* Takes the next frame; returns whether there may be another one. */
gboolean
amnesia_stream_take (AmnesiaStream *self,
                     AmnesiaTime    now)
{
  g_auto (AmnesiaFrame) frame = { 0 };
  g_autoptr (GError) error = NULL;

  if (!self->more || self->checking)
    return FALSE;
  self->more = amnesia_reader_next (self->reader, &frame, &error);
  if (error != NULL)
    fail (self, error, now);
  if (!self->more)
    return FALSE;
  if (frame.kind == AMNESIA_FRAME_HELLO)
    amnesia_reader_set_greeted (self->reader);
  if (amnesia_frame_is_slow (&frame))
    {
      self->slow = frame;
      self->checking = TRUE;
      frame = (AmnesiaFrame) { 0 };
    }
  else
    amnesia_mesh_receive (self->mesh, self->link, &frame, now);
  if (!self->checking && amnesia_reader_is_between (self->reader))
    self->more = FALSE;
  return self->more && !self->checking;
}

/* There is more to come of a frame. */
static void
note_coming (AmnesiaStream *self,
             AmnesiaTime    now)
{
  gsize done = 0;
  gsize size = amnesia_reader_get_payload (self->reader, &done);

  if (amnesia_link_coming (self->link, done, size, now))
    amnesia_mesh_touch_link (self->mesh, self->link);
}

/* That was all for now: what is left waits for us, or we for the rest of a frame. */
void
amnesia_stream_rest (AmnesiaStream *self,
                     AmnesiaTime    now)
{
  gboolean amid = !self->deaf && !self->more && !amnesia_reader_is_between (self->reader);

  amnesia_link_set_busy (self->link, self->more, now);
  amnesia_link_arriving (self->link, self->arrived, amid, now);
  if (amid)
    note_coming (self, now);
  amnesia_mesh_plan_link (self->mesh, self->link, now);
  self->arrived = 0;
}

/* Returns whether there is a frame that takes long to check, and hands it out: nothing goes on until
 * it is back, so that what follows it waits its turn. */
gboolean
amnesia_stream_pop_slow (AmnesiaStream *self,
                         AmnesiaFrame  *frame)
{
  if (self->slow.kind == 0)
    return FALSE;
  *frame = self->slow;
  self->slow = (AmnesiaFrame) { 0 };
  return TRUE;
}

/* The frame is back, decoded, or there is something wrong with it. */
void
amnesia_stream_checked (AmnesiaStream *self,
                        AmnesiaFrame  *frame,
                        const GError  *error,
                        AmnesiaTime    now)
{
  self->checking = FALSE;
  if (error != NULL)
    fail (self, error, now);
  else
    amnesia_mesh_receive (self->mesh, self->link, frame, now);
}

/* No more will come; an error tells that something is missing. */
void
amnesia_stream_end (AmnesiaStream  *self,
                    GError        **error)
{
  if (!self->deaf && !amnesia_reader_is_between (self->reader))
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                 _("the connection ended in the middle of a frame"));
}

/* --- out --- */

/* An acknowledgement and a value that answers it wake the other side once, and not twice. */
static void
fill_packets (AmnesiaStream *self,
              AmnesiaTime    now)
{
  gboolean more = TRUE;

  while (more && self->n_packets < AMNESIA_STREAM_PACKETS)
    {
      AmnesiaPacket *packet = &self->packets[self->n_packets];

      if (!amnesia_mesh_pull (self->mesh, self->link, now, packet))
        return;
      self->n_packets++;
      more = packet->payload == NULL && g_bytes_get_size (packet->head) <= AMNESIA_MAX_CONTROL;
    }
}

/* Of a packet what is behind the first @skip bytes; returns how many vectors it takes. */
static int
get_vectors (const AmnesiaPacket *packet,
             gsize               *skip,
             GOutputVector       *vectors,
             gsize               *sum)
{
  static const guint8 zeros[8];
  GOutputVector whole[3] = { 0 };
  guint i;
  int n = 0;

  whole[0].buffer = g_bytes_get_data (packet->head, &whole[0].size);
  if (packet->payload != NULL)
    whole[1].buffer = g_bytes_get_data (packet->payload, &whole[1].size);
  whole[2] = (GOutputVector) { zeros, (8 - whole[1].size % 8) % 8 };
  for (i = 0; i < G_N_ELEMENTS (whole); i++)
    {
      gsize gone = MIN (*skip, whole[i].size);

      *skip -= gone;
      if (whole[i].size == gone)
        continue;
      vectors[n++] = (GOutputVector) { (const guint8 *) whole[i].buffer + gone,
                                      whole[i].size - gone };
      *sum += whole[i].size - gone;
    }
  return n;
}

/* What is to be sent next, of the frames in flight or of new ones; 0: nothing. @size is the sum. */
int
amnesia_stream_pull (AmnesiaStream *self,
                     GOutputVector *vectors,
                     gsize         *size,
                     AmnesiaTime    now)
{
  gsize skip = self->offset;
  guint i;
  int n = 0;

  if (self->n_packets == 0)
    fill_packets (self, now);
  *size = 0;
  for (i = 0; i < self->n_packets; i++)
    n += get_vectors (&self->packets[i], &skip, vectors + n, size);
  return n;
}

static void
sent_part (AmnesiaStream *self,
           gsize          left,
           AmnesiaTime    now)
{
  amnesia_link_sent (self->link, FALSE, now);
  if (amnesia_link_going (self->link, left, now))
    amnesia_mesh_touch_link (self->mesh, self->link);
  amnesia_mesh_plan_link (self->mesh, self->link, now);
}

/* @size bytes @of those that were pulled are gone. */
void
amnesia_stream_sent (AmnesiaStream *self,
                     gsize          size,
                     gsize          of,
                     AmnesiaTime    now)
{
  self->offset += size;
  if (size < of)
    {
      sent_part (self, of - size, now);
      return;
    }
  amnesia_link_sent (self->link, TRUE, now);
  if (self->link->going.size != 0 && amnesia_link_gone (self->link))
    amnesia_mesh_touch_link (self->mesh, self->link);
  clear_packets (self);
}
