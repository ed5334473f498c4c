/* SPDX-License-Identifier: MIT */

#include "amnesia-tls-pipe-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Four records of TLS; one is never cut. */
#define ROOM (66 * 1024)

/* Bytes from `start` to `end`. */
typedef struct
{
  guint8 *data;     /* (owned) (nullable) while there are none */
  gsize   capacity;
  gsize   start;
  gsize   end;
} Buffer;

struct _AmnesiaTlsPipe
{
  GIOStream      parent_instance;

  GInputStream  *input;   /* (owned) */
  GOutputStream *output;  /* (owned) */
  GSource       *source;  /* (owned) (nullable) of the main loop, to be made ready when a thread has
                           * written something, or has read what was in the way of more */

  GMutex         mutex;
  GCond          cond;    /* something has come, or nothing will */
  /* with the mutex: */
  Buffer         in;
  Buffer         out;
  gboolean       more;    /* the socket gave all that was asked for: there may be more in it */
  gboolean       patient; /* who reads waits for bytes */
  gboolean       ended;   /* nothing more will come */
  int            first;   /* the very first byte that came; -1: none has */
  gboolean       aborted;
  gint64         waiting; /* since when a thread does; 0: none does */
};

/* The two streams differ in nothing but their class. */
typedef struct
{
  GInputStream    parent_instance;
  AmnesiaTlsPipe *pipe; /* (unowned) it owns this */
} AmnesiaTlsInput;

typedef struct
{
  GOutputStream   parent_instance;
  AmnesiaTlsPipe *pipe; /* (unowned) it owns this */
} AmnesiaTlsOutput;

typedef GInputStreamClass AmnesiaTlsInputClass;
typedef GOutputStreamClass AmnesiaTlsOutputClass;

static void amnesia_tls_input_iface_init (GPollableInputStreamInterface *iface);
static void amnesia_tls_output_iface_init (GPollableOutputStreamInterface *iface);

static GType amnesia_tls_input_get_type (void);
static GType amnesia_tls_output_get_type (void);

G_DEFINE_TYPE_WITH_CODE (AmnesiaTlsInput, amnesia_tls_input, G_TYPE_INPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                amnesia_tls_input_iface_init))
G_DEFINE_TYPE_WITH_CODE (AmnesiaTlsOutput, amnesia_tls_output, G_TYPE_OUTPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                amnesia_tls_output_iface_init))
G_DEFINE_FINAL_TYPE (AmnesiaTlsPipe, amnesia_tls_pipe, G_TYPE_IO_STREAM)

/* --- buffers --- */

static gsize
buffer_get_size (const Buffer *buffer)
{
  return buffer->end - buffer->start;
}

static void
buffer_clear (Buffer *buffer)
{
  g_free (buffer->data);
  *buffer = (Buffer) { NULL };
}

static void
buffer_skip (Buffer *buffer,
             gsize   size)
{
  buffer->start += size;
  if (buffer->start == buffer->end)
    buffer->start = buffer->end = 0;
}

/* Returns where @size more bytes have room. */
static guint8 *
buffer_reserve (Buffer *buffer,
                gsize   size)
{
  if (buffer->start > 0 && buffer->capacity - buffer->end < size)
    {
      memmove (buffer->data, buffer->data + buffer->start, buffer_get_size (buffer));
      buffer->end -= buffer->start;
      buffer->start = 0;
    }
  if (buffer->capacity - buffer->end < size)
    {
      buffer->capacity = MAX (buffer->end + size, ROOM);
      buffer->data = g_realloc (buffer->data, buffer->capacity);
    }
  return buffer->data + buffer->end;
}

static gsize
buffer_take (Buffer *buffer,
             guint8 *data,
             gsize   size)
{
  size = MIN (size, buffer_get_size (buffer));
  memcpy (data, buffer->data + buffer->start, size);
  buffer_skip (buffer, size);
  return size;
}

static void
buffer_add (Buffer       *buffer,
            const guint8 *data,
            gsize         size)
{
  memcpy (buffer_reserve (buffer, size), data, size);
  buffer->end += size;
}

/* --- what GTlsConnection calls, in whatever thread --- */

static void
stir (AmnesiaTlsPipe *self)
{
  if (self->source != NULL && self->patient)
    g_source_set_ready_time (self->source, 0);
}

static void
wait_for_bytes (AmnesiaTlsPipe *self)
{
  while (self->patient && !self->ended && !self->aborted && buffer_get_size (&self->in) == 0)
    {
      if (self->waiting == 0)
        self->waiting = g_get_monotonic_time ();
      g_cond_wait (&self->cond, &self->mutex);
    }
  self->waiting = 0;
}

static gssize
pipe_read (AmnesiaTlsPipe  *self,
           void            *data,
           gsize            size,
           gboolean         blocking,
           GError         **error)
{
  gssize got = 0;

  g_mutex_lock (&self->mutex);
  if (blocking)
    wait_for_bytes (self);
  if (self->aborted)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "nobody waits any more");
      got = -1;
    }
  else if (buffer_get_size (&self->in) > 0)
    {
      gboolean full = buffer_get_size (&self->in) >= ROOM;

      got = (gssize) buffer_take (&self->in, data, size);
      if (full)
        stir (self);
    }
  else if (!self->ended)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "nothing has come");
      got = -1;
    }
  g_mutex_unlock (&self->mutex);
  return got;
}

static gssize
amnesia_tls_input_read (GInputStream  *stream,
                        void          *data,
                        gsize          size,
                        GCancellable  *cancellable,
                        GError       **error)
{
  return pipe_read (((AmnesiaTlsInput *) stream)->pipe, data, size, TRUE, error);
}

static gssize
amnesia_tls_input_read_nonblocking (GPollableInputStream  *stream,
                                    void                  *data,
                                    gsize                  size,
                                    GError               **error)
{
  return pipe_read (((AmnesiaTlsInput *) stream)->pipe, data, size, FALSE, error);
}

static gboolean
amnesia_tls_input_is_readable (GPollableInputStream *stream)
{
  AmnesiaTlsPipe *self = ((AmnesiaTlsInput *) stream)->pipe;
  gboolean readable;

  g_mutex_lock (&self->mutex);
  readable = self->ended || self->aborted || buffer_get_size (&self->in) > 0;
  g_mutex_unlock (&self->mutex);
  return readable;
}

/* The interface wants one. Nobody asks for it: we know ourselves when something has come. */
static GSource *
amnesia_tls_input_create_source (GPollableInputStream *stream,
                                 GCancellable         *cancellable)
{
  g_autoptr (GSource) timer = g_timeout_source_new (10);

  return g_pollable_source_new_full (stream, timer, cancellable);
}

/* There is always room: what is written at once is bounded by who writes. */
static gssize
amnesia_tls_output_write (GOutputStream  *stream,
                          const void     *data,
                          gsize           size,
                          GCancellable   *cancellable,
                          GError        **error)
{
  AmnesiaTlsPipe *self = ((AmnesiaTlsOutput *) stream)->pipe;

  g_mutex_lock (&self->mutex);
  buffer_add (&self->out, data, size);
  stir (self);
  g_mutex_unlock (&self->mutex);
  return (gssize) size;
}

static gssize
amnesia_tls_output_write_nonblocking (GPollableOutputStream  *stream,
                                      const void             *data,
                                      gsize                   size,
                                      GError                **error)
{
  return amnesia_tls_output_write (G_OUTPUT_STREAM (stream), data, size, NULL, error);
}

static gboolean
amnesia_tls_output_is_writable (GPollableOutputStream *stream)
{
  return TRUE;
}

static GSource *
amnesia_tls_output_create_source (GPollableOutputStream *stream,
                                  GCancellable          *cancellable)
{
  g_autoptr (GSource) now = g_timeout_source_new (0);

  return g_pollable_source_new_full (stream, now, cancellable);
}

static void
amnesia_tls_input_init (AmnesiaTlsInput *self)
{
}

static void
amnesia_tls_input_class_init (AmnesiaTlsInputClass *klass)
{
  klass->read_fn = amnesia_tls_input_read;
}

static void
amnesia_tls_input_iface_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = amnesia_tls_input_is_readable;
  iface->create_source = amnesia_tls_input_create_source;
  iface->read_nonblocking = amnesia_tls_input_read_nonblocking;
}

static void
amnesia_tls_output_init (AmnesiaTlsOutput *self)
{
}

static void
amnesia_tls_output_class_init (AmnesiaTlsOutputClass *klass)
{
  klass->write_fn = amnesia_tls_output_write;
}

static void
amnesia_tls_output_iface_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = amnesia_tls_output_is_writable;
  iface->create_source = amnesia_tls_output_create_source;
  iface->write_nonblocking = amnesia_tls_output_write_nonblocking;
}

/* --- the pipe --- */

static GInputStream *
amnesia_tls_pipe_get_input_stream (GIOStream *stream)
{
  return AMNESIA_TLS_PIPE (stream)->input;
}

static GOutputStream *
amnesia_tls_pipe_get_output_stream (GIOStream *stream)
{
  return AMNESIA_TLS_PIPE (stream)->output;
}

static void
amnesia_tls_pipe_finalize (GObject *object)
{
  AmnesiaTlsPipe *self = AMNESIA_TLS_PIPE (object);

  g_object_unref (self->input);
  g_object_unref (self->output);
  g_clear_pointer (&self->source, g_source_unref);
  buffer_clear (&self->in);
  buffer_clear (&self->out);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (amnesia_tls_pipe_parent_class)->finalize (object);
}

static void
amnesia_tls_pipe_class_init (AmnesiaTlsPipeClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amnesia_tls_pipe_finalize;
  G_IO_STREAM_CLASS (klass)->get_input_stream = amnesia_tls_pipe_get_input_stream;
  G_IO_STREAM_CLASS (klass)->get_output_stream = amnesia_tls_pipe_get_output_stream;
}

static void
amnesia_tls_pipe_init (AmnesiaTlsPipe *self)
{
  self->first = -1;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->input = g_object_new (amnesia_tls_input_get_type (), NULL);
  ((AmnesiaTlsInput *) self->input)->pipe = self;
  self->output = g_object_new (amnesia_tls_output_get_type (), NULL);
  ((AmnesiaTlsOutput *) self->output)->pipe = self;
}

/* @source: (nullable) to be made ready by the thread of a handshake. */
AmnesiaTlsPipe *
amnesia_tls_pipe_new (GSource *source)
{
  AmnesiaTlsPipe *self = g_object_new (AMNESIA_TYPE_TLS_PIPE, NULL);

  if (source != NULL)
    self->source = g_source_ref (source);
  return self;
}

/* Takes what has come from a socket, as far as there is room. Returns as recv () does, and that
 * nothing has come if there is none. */
gssize
amnesia_tls_pipe_fill (AmnesiaTlsPipe *self,
                       int             fd)
{
  gssize got = -1;
  gsize size = 0;
  int saved = EAGAIN;

  g_mutex_lock (&self->mutex);
  if (buffer_get_size (&self->in) < ROOM)
    {
      size = ROOM - buffer_get_size (&self->in);
      do
        got = recv (fd, buffer_reserve (&self->in, size), size, 0);
      while (got < 0 && errno == EINTR);
      saved = errno;
    }
  self->more = got == (gssize) size;
  if (got > 0 && self->first < 0)
    self->first = self->in.data[self->in.end];
  if (got > 0)
    self->in.end += (gsize) got;
  if (got > 0)
    g_cond_broadcast (&self->cond);
  else if (buffer_get_size (&self->in) == 0)
    buffer_clear (&self->in);
  g_mutex_unlock (&self->mutex);
  errno = saved;
  return got;
}

/* Gives a socket what is to go, as far as it takes it. FALSE with errno: it takes nothing any more. */
gboolean
amnesia_tls_pipe_flush (AmnesiaTlsPipe *self,
                        int             fd)
{
  gssize sent = 0;
  int saved = 0;

  g_mutex_lock (&self->mutex);
  while (buffer_get_size (&self->out) > 0 && sent >= 0)
    {
      sent = send (fd, self->out.data + self->out.start, buffer_get_size (&self->out),
                   MSG_NOSIGNAL);
      saved = errno;
      if (sent > 0)
        buffer_skip (&self->out, (gsize) sent);
      else if (sent < 0 && saved == EINTR)
        sent = 0;
    }
  if (buffer_get_size (&self->out) == 0)
    buffer_clear (&self->out);
  g_mutex_unlock (&self->mutex);
  errno = saved;
  return sent >= 0 || saved == EAGAIN;
}

/* What is to go from here has come there. */
void
amnesia_tls_pipe_pass (AmnesiaTlsPipe *self,
                       AmnesiaTlsPipe *other)
{
  Buffer gone;

  g_mutex_lock (&self->mutex);
  gone = self->out;
  self->out = (Buffer) { NULL };
  g_mutex_unlock (&self->mutex);
  if (buffer_get_size (&gone) > 0)
    {
      g_mutex_lock (&other->mutex);
      buffer_add (&other->in, gone.data + gone.start, buffer_get_size (&gone));
      g_cond_broadcast (&other->cond);
      g_mutex_unlock (&other->mutex);
    }
  buffer_clear (&gone);
}

/* Returns how much has come, and copies the first bytes of it. */
gsize
amnesia_tls_pipe_peek (AmnesiaTlsPipe *self,
                       guint8         *start,
                       gsize           size)
{
  gsize have;

  g_mutex_lock (&self->mutex);
  have = buffer_get_size (&self->in);
  if (have > 0)
    memcpy (start, self->in.data + self->in.start, MIN (size, have));
  g_mutex_unlock (&self->mutex);
  return have;
}

/* What came from a socket began with this byte; -1: nothing has come. */
int
amnesia_tls_pipe_get_first (AmnesiaTlsPipe *self)
{
  int first;

  g_mutex_lock (&self->mutex);
  first = self->first;
  g_mutex_unlock (&self->mutex);
  return first;
}

/* Whether there is something to be read, here or in the socket. */
gboolean
amnesia_tls_pipe_has_more (AmnesiaTlsPipe *self)
{
  gboolean more;

  g_mutex_lock (&self->mutex);
  more = self->more || buffer_get_size (&self->in) > 0;
  g_mutex_unlock (&self->mutex);
  return more;
}

gboolean
amnesia_tls_pipe_is_full (AmnesiaTlsPipe *self)
{
  gboolean full;

  g_mutex_lock (&self->mutex);
  full = self->ended || buffer_get_size (&self->in) >= ROOM;
  g_mutex_unlock (&self->mutex);
  return full;
}

/* Whether something is to go. */
gboolean
amnesia_tls_pipe_is_pending (AmnesiaTlsPipe *self)
{
  gboolean pending;

  g_mutex_lock (&self->mutex);
  pending = buffer_get_size (&self->out) > 0;
  g_mutex_unlock (&self->mutex);
  return pending;
}

/* Since when a thread waits for something to come; 0: none does. */
gint64
amnesia_tls_pipe_get_waiting (AmnesiaTlsPipe *self)
{
  gint64 waiting;

  g_mutex_lock (&self->mutex);
  waiting = self->waiting;
  g_mutex_unlock (&self->mutex);
  return waiting;
}

/* Whether who reads, and may wait, does so. */
void
amnesia_tls_pipe_set_patient (AmnesiaTlsPipe *self,
                              gboolean        patient)
{
  g_mutex_lock (&self->mutex);
  self->patient = patient;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/* After what has come there will be nothing. */
void
amnesia_tls_pipe_end (AmnesiaTlsPipe *self)
{
  g_mutex_lock (&self->mutex);
  self->ended = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/* Sends the thread home. It does not touch the source any more, whose main context may go. */
void
amnesia_tls_pipe_abort (AmnesiaTlsPipe *self)
{
  g_mutex_lock (&self->mutex);
  self->aborted = TRUE;
  self->patient = FALSE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}
