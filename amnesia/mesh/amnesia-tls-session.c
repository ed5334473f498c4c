/* SPDX-License-Identifier: MIT */

#include "amnesia-tls-session-private.h"

#include "amnesia-error.h"
#include "amnesia-fork-private.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"
#include "amnesia-tls-pipe-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What one record of TLS takes; a smaller one costs as many calls. */
#define RECORD (16 * 1024)
/* How a record begins: its type, the version, and how long it is. */
#define RECORD_HEAD 5
#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22
/* What is made of it at once, before the socket is asked whether it takes that. */
#define BURST (4 * RECORD)
/* And in one call: at a byte in a nanosecond, one millisecond. */
#define SEND_SLICE (1024 * 1024)
/* How often the socket is asked for more in one call that finds nothing for the application in it. */
#define MAX_FILLS 4

struct _AmnesiaTlsSession
{
  AmnesiaTls     *tls;        /* (owned) */
  char           *host;       /* (owned) (nullable) who was dialled */
  GTlsConnection *connection; /* (owned) */
  AmnesiaTlsPipe *pipe;       /* (owned) its connection */
  GInputStream   *input;      /* (unowned) the connection's */
  GOutputStream  *output;     /* (unowned) the same */
  AmnesiaTlsSessionFunc func; /* (nullable) NULL: nobody waits any more */
  gpointer        user_data;

  guint           forks;      /* when it was made, to know its process by */
  gboolean        started;
  gboolean        rest;       /* there may be more of what was decrypted */
  gboolean        said_bye;
  GError         *error;      /* (owned) (nullable) of the handshake, or of what followed */
};

static gboolean
accept_certificate (GTlsConnection       *connection,
                    GTlsCertificate      *certificate,
                    GTlsCertificateFlags  flaws,
                    gpointer              user_data)
{
  AmnesiaTlsSession *self = user_data;
  g_autoptr (GError) error = NULL;

  if (amnesia_tls_check_peer (self->tls, self->host, certificate, flaws, &error))
    return TRUE;
  g_clear_error (&self->error);
  self->error = g_steal_pointer (&error);
  return FALSE;
}

/* A connection that is made without its database reads that of the system first, which takes 4.5 ms
 * for nothing; with it, this takes 25 µs. */
static gpointer
make_connection (AmnesiaTlsSession  *self,
                 GError            **error)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  GTlsCertificate *certificate = amnesia_tls_get_certificate (self->tls);
  GTlsDatabase *database = amnesia_tls_get_database (self->tls);
  g_autoptr (GSocketConnectable) identity = NULL;

  if (self->host == NULL)
    return g_initable_new (g_tls_backend_get_server_connection_type (backend), NULL, error,
                           "base-io-stream", self->pipe, "certificate", certificate,
                           "database", database,
                           /* or who shows none comes in */
                           "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
  identity = g_network_address_new (self->host, 1);
  return g_initable_new (g_tls_backend_get_client_connection_type (backend), NULL, error,
                         "base-io-stream", self->pipe, "certificate", certificate,
                         "database", database, "server-identity", identity, NULL);
}

static void
session_clear (gpointer data)
{
  AmnesiaTlsSession *self = data;

  g_clear_object (&self->connection);
  g_clear_object (&self->pipe);
  g_clear_error (&self->error);
  g_free (self->host);
  amnesia_tls_unref (self->tls);
}

static void
session_unref (AmnesiaTlsSession *self)
{
  g_rc_box_release_full (self, session_clear);
}

/* @host: (nullable) who is dialled. @source is made ready when a thread has something for the socket. */
AmnesiaTlsSession *
amnesia_tls_session_new (AmnesiaTls  *tls,
                         const char  *host,
                         GSource     *source,
                         GError     **error)
{
  AmnesiaTlsSession *self = g_rc_box_new0 (AmnesiaTlsSession);
  GIOStream *connection;

  self->forks = amnesia_fork_get_count ();
  self->tls = amnesia_tls_ref (tls);
  self->host = g_strdup (host);
  self->pipe = amnesia_tls_pipe_new (source);
  amnesia_tls_pipe_set_patient (self->pipe, TRUE);
  connection = make_connection (self, error);
  if (connection == NULL)
    {
      session_unref (self);
      return NULL;
    }
  self->connection = G_TLS_CONNECTION (connection);
  self->input = g_io_stream_get_input_stream (connection);
  self->output = g_io_stream_get_output_stream (connection);
  g_signal_connect (self->connection, "accept-certificate", G_CALLBACK (accept_certificate), self);
  return self;
}

void
amnesia_tls_session_set_func (AmnesiaTlsSession     *self,
                              AmnesiaTlsSessionFunc  func,
                              gpointer               user_data)
{
  self->func = func;
  self->user_data = user_data;
}

/* A thread that is at it goes home by itself. In the child of a fork it does not exist, and may have
 * held what is needed to free anything. */
void
amnesia_tls_session_free (AmnesiaTlsSession *self)
{
  if (self->forks != amnesia_fork_get_count ())
    return;
  self->func = NULL;
  amnesia_tls_pipe_abort (self->pipe);
  g_signal_handlers_disconnect_by_data (self->connection, self);
  session_unref (self);
}

/* --- the handshake --- */

gboolean
amnesia_tls_session_is_dial (AmnesiaTlsSession *self)
{
  return self->host != NULL;
}

/* Whether it looks as if the other side used TLS. FALSE with an error that says what it does. */
static gboolean
check_start (AmnesiaTlsSession  *self,
             GError            **error)
{
  int first = amnesia_tls_pipe_get_first (self->pipe);

  if (first < 0 || first == RECORD_HANDSHAKE || (first == RECORD_ALERT && self->host != NULL))
    return TRUE;
  g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                       first == 0 ? _("it does not use TLS, and this store does: both need “tls” in "
                                      "the configuration")
                                  : _("what speaks there is not libamnesia with TLS"));
  return FALSE;
}

/* In the words of TLS, which the other side may know when it sees them. */
static void
refuse (AmnesiaTlsSession *self,
        int                fd)
{
  static const guint8 alert[] = { RECORD_ALERT, 3, 3, 0, 2, 2, 10 };

  if (self->host == NULL)
    send (fd, alert, sizeof alert, MSG_NOSIGNAL);
}

/* Bytes in and out, as long as there are any. FALSE: there is no connection any more. */
gboolean
amnesia_tls_session_step (AmnesiaTlsSession  *self,
                          int                 fd,
                          GError            **error)
{
  gssize got;
  int saved = 0;

  if (!amnesia_tls_pipe_flush (self->pipe, fd))
    saved = errno;
  got = saved == 0 ? amnesia_tls_pipe_fill (self->pipe, fd) : -1;
  if (saved == 0 && got < 0 && errno != EAGAIN)
    saved = errno;
  if (!self->started && !check_start (self, error))
    {
      refuse (self, fd);
      return FALSE;
    }
  if (got > 0 || (got < 0 && saved == 0))
    return TRUE;
  amnesia_tls_pipe_end (self->pipe);
  if (self->started)
    return TRUE;
  g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                       _("it closed the connection before it said anything"));
  return FALSE;
}

/* Whether a thread would find something to do. A record that has not come whole is no reason for one:
 * it would wait, and be missed elsewhere. */
gboolean
amnesia_tls_session_can_start (AmnesiaTlsSession *self)
{
  guint8 head[RECORD_HEAD];
  gsize have;

  if (self->started)
    return FALSE;
  if (self->host != NULL)
    return TRUE;
  have = amnesia_tls_pipe_peek (self->pipe, head, sizeof head);
  return have >= RECORD_HEAD && have >= RECORD_HEAD + (gsize) head[3] * 256 + head[4];
}

static gboolean
check_handshake (AmnesiaTlsSession  *self,
                 GError            **error)
{
  GTlsProtocolVersion version = g_tls_connection_get_protocol_version (self->connection);

  /* GIO leaves it to the system, and some of them still take what is known to be broken */
  if (version < G_TLS_PROTOCOL_VERSION_TLS_1_2 && version != G_TLS_PROTOCOL_VERSION_UNKNOWN)
    {
      g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                           _("refused: it has no TLS 1.2 or later"));
      return FALSE;
    }
  /* where the name was right, and nothing else was wrong, GIO has not asked; it takes a name from
   * elsewhere in the certificate */
  return amnesia_tls_check_peer (self->tls, self->host,
                                 g_tls_connection_get_peer_certificate (self->connection),
                                 g_tls_connection_get_peer_certificate_errors (self->connection),
                                 error);
}

static void
handshake_cb (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  AmnesiaTlsSession *self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean done = g_tls_connection_handshake_finish (G_TLS_CONNECTION (source), result, &error);

  amnesia_tls_pipe_set_patient (self->pipe, FALSE);
  if (done && self->error == NULL && check_handshake (self, &error))
    self->rest = TRUE;
  else if (self->error == NULL)
    self->error = g_steal_pointer (&error);
  if (self->func != NULL)
    self->func (self, self->user_data);
  session_unref (self);
}

/* GIO runs each handshake in a thread, even where it is called in one, and has ten of them for all that
 * the program does with files and names: so not all may start at once. */
void
amnesia_tls_session_start (AmnesiaTlsSession *self,
                           GMainContext      *context)
{
  self->started = TRUE;
  g_main_context_push_thread_default (context);
  g_tls_connection_handshake_async (self->connection, G_PRIORITY_DEFAULT, NULL, handshake_cb,
                                    g_rc_box_acquire (self));
  g_main_context_pop_thread_default (context);
}

/* Whether a thread waits for the other side. */
gboolean
amnesia_tls_session_is_waiting (AmnesiaTlsSession *self)
{
  return self->started && amnesia_tls_pipe_get_waiting (self->pipe) != 0;
}

/* Whether there is room for what comes. */
gboolean
amnesia_tls_session_takes_more (AmnesiaTlsSession *self)
{
  return !amnesia_tls_pipe_is_full (self->pipe);
}

/* Whether all went well; after amnesia_tls_session_set_func () was told that it has ended. */
gboolean
amnesia_tls_session_finish (AmnesiaTlsSession  *self,
                            GError            **error)
{
  if (self->error == NULL)
    return TRUE;
  /* a thread had begun before anything came */
  if (!check_start (self, error))
    return FALSE;
  if (self->error->domain == AMNESIA_ERROR)
    g_propagate_error (error, g_steal_pointer (&self->error));
  else
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED, _("no connection by TLS: %s"),
                 self->error->message);
  return FALSE;
}

/* --- bytes in --- */

static void
take_error (AmnesiaTlsSession *self,
            GError            *error)
{
  g_clear_error (&self->error);
  self->error = error;
}

/* What was not said with an errno. */
GError *
amnesia_tls_session_steal_error (AmnesiaTlsSession *self)
{
  return g_steal_pointer (&self->error);
}

static gboolean
is_would_block (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

gssize
amnesia_tls_session_receive (AmnesiaTlsSession *self,
                             int                fd,
                             guint8            *room,
                             gsize              size)
{
  g_autoptr (GError) error = NULL;
  gssize got, filled = 1;
  guint n_fills;

  /* to be told by GIO that there is nothing takes longer than to look for it */
  if (!self->rest && !amnesia_tls_pipe_has_more (self->pipe))
    filled = amnesia_tls_pipe_fill (self->pipe, fd);
  for (n_fills = 0; filled > 0 && n_fills < MAX_FILLS; n_fills++)
    {
      g_clear_error (&error);
      got = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (self->input), room,
                                                      size, NULL, &error);
      self->rest = got == (gssize) size;
      if (got >= 0)
        return got;
      if (!is_would_block (error))
        {
          take_error (self, g_steal_pointer (&error));
          errno = EPROTO;
          return -1;
        }
      filled = amnesia_tls_pipe_fill (self->pipe, fd);
    }
  if (filled > 0)
    {
      /* who says much that is only for TLS is read on in the next turn */
      self->rest = TRUE;
      errno = EAGAIN;
    }
  if (filled != 0)
    return -1;
  /* an end that was not announced is none: somebody may have cut the rest off */
  take_error (self, g_error_new (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                                 _("the connection was cut off")));
  errno = EPROTO;
  return -1;
}

/* Whether there may be more than the socket tells of. */
gboolean
amnesia_tls_session_has_more (AmnesiaTlsSession *self)
{
  return self->rest || amnesia_tls_pipe_has_more (self->pipe);
}

/* --- bytes out --- */

gboolean
amnesia_tls_session_flush (AmnesiaTlsSession *self,
                           int                fd)
{
  return amnesia_tls_pipe_flush (self->pipe, fd);
}

/* Whether something that was sent has not left. */
gboolean
amnesia_tls_session_is_pending (AmnesiaTlsSession *self)
{
  return amnesia_tls_pipe_is_pending (self->pipe);
}

static gboolean
write_record (AmnesiaTlsSession *self,
              const guint8      *data,
              gsize              size)
{
  g_autoptr (GError) error = NULL;
  gssize sent = g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (self->output),
                                                            data, size, NULL, &error);

  if (sent == (gssize) size)
    return TRUE;
  if (error == NULL)
    g_set_error_literal (&error, AMNESIA_ERROR, AMNESIA_ERROR_FAILED,
                         _("a part of a record was sent"));
  take_error (self, g_steal_pointer (&error));
  errno = EPROTO;
  return FALSE;
}

/* Where we are in what is to be sent. */
typedef struct
{
  const GOutputVector *vectors;
  int                  n;
  gsize                skip; /* of the first one */
} Cursor;

/* The next record: where that is possible without a copy. Returns how much it is. */
static gsize
next_record (Cursor        *cursor,
             guint8        *scratch,
             const guint8 **data)
{
  gsize size = 0;

  *data = scratch;
  while (cursor->n > 0 && size < RECORD)
    {
      const guint8 *rest = (const guint8 *) cursor->vectors->buffer + cursor->skip;
      gsize left = cursor->vectors->size - cursor->skip;
      gsize now = MIN (left, RECORD - size);

      if (now == RECORD)
        *data = rest;
      else
        memcpy (scratch + size, rest, now);
      size += now;
      cursor->skip += now;
      if (now < left)
        break;
      cursor->vectors++;
      cursor->n--;
      cursor->skip = 0;
    }
  return size;
}

/* Returns how much was taken, of which the last bytes may wait for the socket; see is_pending (). */
gssize
amnesia_tls_session_send (AmnesiaTlsSession   *self,
                          int                  fd,
                          const GOutputVector *vectors,
                          int                  n)
{
  Cursor cursor = { vectors, n };
  gsize sum = 0, burst = 0;

  if (!amnesia_tls_pipe_flush (self->pipe, fd))
    return -1;
  while (cursor.n > 0 && sum < SEND_SLICE && !(burst == 0 && amnesia_tls_session_is_pending (self)))
    {
      guint8 scratch[RECORD];
      const guint8 *data;
      gsize size = next_record (&cursor, scratch, &data);

      if (!write_record (self, data, size))
        return -1;
      sum += size;
      burst += size;
      if (burst < BURST && cursor.n > 0)
        continue;
      burst = 0;
      if (!amnesia_tls_pipe_flush (self->pipe, fd))
        return -1;
    }
  if (sum == 0 && n > 0)
    {
      errno = EAGAIN;
      return -1;
    }
  return (gssize) sum;
}

/* The last word, which tells the other side that nothing is missing. */
void
amnesia_tls_session_say_bye (AmnesiaTlsSession *self)
{
  if (self->said_bye)
    return;
  self->said_bye = TRUE;
  g_output_stream_close (self->output, NULL, NULL);
}
