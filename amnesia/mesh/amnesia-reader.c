/* SPDX-License-Identifier: MIT */

#include "amnesia-reader-private.h"

#include "amnesia-error-private.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"
#include "amnesia-payload-private.h"

#include <string.h>

/* What is being read. PREAMBLE, PREFIX and HEADER are taken from the buffer; PAYLOAD goes into
 * memory of its own, which becomes the value. */
typedef enum
{
  STEP_PREAMBLE,
  STEP_PREFIX,
  STEP_HEADER,
  STEP_PAYLOAD,
} Step;

struct _AmnesiaReader
{
  guint64   max_size;
  gboolean  greeted;

  guint8   *buffer;   /* (owned) (nullable) while nothing is in it */
  gsize     capacity;
  gsize     start;    /* the first byte that is not taken yet */
  gsize     end;

  Step      step;
  gsize     header_size;
  gsize     payload_size;

  AmnesiaFrame frame; /* without its payload; from STEP_HEADER on its kind is known */
  AmnesiaPayload payload; /* in STEP_PAYLOAD */
};

/* Most links wait for a frame to begin, most of the time, and need no buffer then: the last one that
 * was done with is taken by who reads next. */
static guint8 *spare_buffer; /* (owned) (nullable) atomic */

static gsize
padded (gsize size)
{
  return (size + 7) & ~(gsize) 7;
}

AmnesiaReader *
amnesia_reader_new (guint64 max_size)
{
  AmnesiaReader *self = g_new0 (AmnesiaReader, 1);

  self->max_size = max_size;
  amnesia_payload_hold_spare ();
  return self;
}

static void
take_buffer (AmnesiaReader *self)
{
  self->buffer = g_atomic_pointer_exchange (&spare_buffer, NULL);
  if (self->buffer == NULL)
    self->buffer = g_malloc (AMNESIA_READ_BUFFER);
  self->capacity = AMNESIA_READ_BUFFER;
}

static void
leave_buffer (AmnesiaReader *self)
{
  guint8 *buffer = g_steal_pointer (&self->buffer);

  self->start = self->end = 0;
  if (self->capacity == AMNESIA_READ_BUFFER)
    buffer = g_atomic_pointer_exchange (&spare_buffer, buffer);
  self->capacity = 0;
  g_free (buffer);
}

void
amnesia_reader_free (AmnesiaReader *self)
{
  amnesia_frame_clear (&self->frame);
  amnesia_payload_clear (&self->payload);
  amnesia_payload_release_spare ();
  g_free (self->buffer);
  g_free (self);
}

/* The other side has said hello: from now on it may send more. */
void
amnesia_reader_set_greeted (AmnesiaReader *self)
{
  self->greeted = TRUE;
}

/* Whether the stream could end here without loss. */
gboolean
amnesia_reader_is_between (AmnesiaReader *self)
{
  return self->step <= STEP_PREFIX && self->start == self->end;
}

/* Returns how large the payload is that is coming, 0 if none is, and how much of it is here. */
gsize
amnesia_reader_get_payload (AmnesiaReader *self,
                            gsize         *have)
{
  if (self->step != STEP_PAYLOAD)
    return 0;
  *have = self->payload.have;
  return self->payload_size;
}

/* Returns where the next bytes go, and how many have room there; NULL if there is no memory. */
guint8 *
amnesia_reader_reserve (AmnesiaReader *self,
                        gsize         *size)
{
  if (self->step == STEP_PAYLOAD && self->start == self->end)
    return amnesia_payload_reserve (&self->payload, size);

  if (self->buffer == NULL)
    take_buffer (self);
  if (self->start > 0)
    {
      memmove (self->buffer, self->buffer + self->start, self->end - self->start);
      self->end -= self->start;
      self->start = 0;
    }
  if (self->end == self->capacity)
    {
      guint8 *grown = g_try_realloc (self->buffer, 2 * self->capacity);

      if (grown == NULL)
        return NULL;
      self->buffer = grown;
      self->capacity *= 2;
    }
  *size = self->capacity - self->end;
  return self->buffer + self->end;
}

/* @size bytes were put where [reserve] said. */
void
amnesia_reader_commit (AmnesiaReader *self,
                       gsize          size)
{
  if (self->step == STEP_PAYLOAD && self->start == self->end)
    self->payload.have += size;
  else
    self->end += size;
}

static gsize
available (AmnesiaReader *self)
{
  return self->end - self->start;
}

/* Says what speaks there, to judge by how it begins: a handshake or an alert of TLS has its type and
 * the version first. */
static void
fail_stranger (const guint8 *start,
               gsize         size,
               GError      **error)
{
  if (size >= 2 && (start[0] == 21 || start[0] == 22) && start[1] == 3)
    amnesia_set_error (error, AMNESIA_ERROR_PROTOCOL,
                       N_("it uses TLS, and this store does not: both need “tls” in the configuration"));
  else
    amnesia_set_error (error, AMNESIA_ERROR_PROTOCOL, N_("what speaks there is not libamnesia"));
}

static gboolean
take_preamble (AmnesiaReader  *self,
               GError        **error)
{
  gsize size = MIN (available (self), AMNESIA_PREAMBLE_SIZE);

  if (memcmp (self->buffer + self->start, AMNESIA_PREAMBLE, size) != 0)
    {
      fail_stranger (self->buffer + self->start, available (self), error);
      return FALSE;
    }
  if (size < AMNESIA_PREAMBLE_SIZE)
    return FALSE;
  self->start += AMNESIA_PREAMBLE_SIZE;
  self->step = STEP_PREFIX;
  return TRUE;
}

static gboolean
take_prefix (AmnesiaReader  *self,
             GError        **error)
{
  if (available (self) < AMNESIA_PREFIX_SIZE)
    return FALSE;
  if (!amnesia_frame_check_prefix (self->buffer + self->start, self->greeted, self->max_size,
                                   &self->frame.kind, &self->header_size, &self->payload_size, error))
    return FALSE;
  self->start += AMNESIA_PREFIX_SIZE;
  self->step = STEP_HEADER;
  return TRUE;
}

static gboolean
take_header (AmnesiaReader  *self,
             GError        **error)
{
  if (available (self) < padded (self->header_size))
    return FALSE;
  if (self->frame.kind >= AMNESIA_N_FRAMES)
    {
      self->start += padded (self->header_size);
      self->step = STEP_PREFIX;
      return TRUE;
    }
  if (!amnesia_frame_read_header (&self->frame, self->buffer + self->start, self->header_size,
                                  self->payload_size, self->max_size, error))
    return FALSE;
  self->start += padded (self->header_size);
  amnesia_payload_init (&self->payload, self->payload_size);
  self->step = STEP_PAYLOAD;
  return TRUE;
}

/* What came behind the header in the buffer belongs to the payload. */
static gboolean
fill_payload (AmnesiaReader  *self,
              GError        **error)
{
  while (available (self) > 0 && self->payload.have < self->payload_size)
    {
      gsize size;
      guint8 *room = amnesia_payload_reserve (&self->payload, &size);

      if (room == NULL)
        {
          amnesia_set_error_plural (error, AMNESIA_ERROR_FAILED, "no memory for a value of %zu byte",
                                    "no memory for a value of %zu bytes", self->payload_size,
                                    self->payload_size);
          return FALSE;
        }
      size = MIN (size, available (self));
      memcpy (room, self->buffer + self->start, size);
      self->payload.have += size;
      self->start += size;
    }
  return self->payload.have == self->payload_size;
}

static void
hand_over (AmnesiaReader *self,
           AmnesiaFrame  *frame)
{
  *frame = self->frame;
  self->frame = (AmnesiaFrame) { 0 };
  frame->payload = amnesia_payload_end (&self->payload);
  self->step = STEP_PREFIX;
}

static gboolean
take_next (AmnesiaReader  *self,
           AmnesiaFrame   *frame,
           GError        **error)
{
  gboolean more = TRUE;

  while (more)
    {
      switch (self->step)
        {
        case STEP_PREAMBLE:
          more = take_preamble (self, error);
          break;
        case STEP_PREFIX:
          more = take_prefix (self, error);
          break;
        case STEP_HEADER:
          more = take_header (self, error);
          break;
        case STEP_PAYLOAD:
        default:
          more = fill_payload (self, error);
          if (more)
            hand_over (self, frame);
          return more;
        }
    }
  return FALSE;
}

/* Takes one frame out of what arrived. FALSE without an error: more bytes are needed. */
gboolean
amnesia_reader_next (AmnesiaReader  *self,
                     AmnesiaFrame   *frame,
                     GError        **error)
{
  gboolean any = take_next (self, frame, error);

  if (self->buffer != NULL && self->start == self->end)
    leave_buffer (self);
  amnesia_payload_trim_spare (AMNESIA_SPARE_TIME);
  return any;
}
