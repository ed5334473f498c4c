/* SPDX-License-Identifier: MIT */

#include "amnesia-channel-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"
#include "amnesia-stream-private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

G_STATIC_ASSERT (sizeof (GOutputVector) == sizeof (struct iovec));

struct _AmnesiaChannel
{
  GSocket           *socket;  /* (owned) */
  AmnesiaTlsSession *tls;     /* (owned) (nullable) what encrypts it */
  gboolean           shaking; /* its handshake has not ended */
  AmnesiaStream      stream;  /* its link is the mesh's, and outlives the channel */
  guint64            max_size;
  AmnesiaInspector  *inspector;  /* (unowned) the transport's */
  AmnesiaInspection *inspection; /* (owned) (nullable) of a frame that takes long to check */

  AmnesiaWatch      *watch;   /* (unowned) the transport's */
  AmnesiaWatched    *watched; /* (unowned) the watch's, of our socket */
  GIOCondition       waits_for;
  GSource           *linger;  /* (owned) (nullable) since the hang-up */
  AmnesiaChannelFunc expired;
  gpointer           user_data;

  gboolean           hanging_up;
  gboolean           shut;    /* the write side is closed */
  gboolean           ample;   /* the kernel may take much of what is in flight */
  GError            *broken;  /* (owned) (nullable) nothing can be sent, but what has come is still to
                               * be dealt with */
  gboolean           woken;   /* the transport knows that there is something to send */
};

static gboolean
linger_cb (gpointer user_data)
{
  AmnesiaChannel *self = user_data;

  self->expired (self, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
set_tcp_option (GSocket *socket,
                int      option,
                int      value)
{
  /* all of these are belt and braces: the heartbeat decides */
  g_socket_set_option (socket, IPPROTO_TCP, option, value, NULL);
}

static void
set_options (GSocket *socket)
{
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_timeout (socket, 0);
  if (g_socket_get_protocol (socket) != G_SOCKET_PROTOCOL_TCP)
    return;
  /* g_socket_set_keepalive () would warn if it fails */
  g_socket_set_option (socket, SOL_SOCKET, SO_KEEPALIVE, 1, NULL);
  set_tcp_option (socket, TCP_NODELAY, 1);
  set_tcp_option (socket, TCP_KEEPIDLE, 5);
  set_tcp_option (socket, TCP_KEEPINTVL, 2);
  set_tcp_option (socket, TCP_KEEPCNT, 3);
  /* or the kernel queues values that are stale when they leave */
  set_tcp_option (socket, TCP_NOTSENT_LOWAT, AMNESIA_NOTSENT_LOWAT);
}

/* @expired is told when after a hang-up the peer has not closed in time. NULL: no descriptor. */
AmnesiaChannel *
amnesia_channel_new (GSocket            *socket,
                     AmnesiaMesh        *mesh,
                     AmnesiaLink        *link,
                     AmnesiaInspector   *inspector,
                     guint64             max_size,
                     AmnesiaWatch       *watch,
                     AmnesiaChannelFunc  expired,
                     gpointer            user_data,
                     GError            **error)
{
  AmnesiaChannel *self = g_new0 (AmnesiaChannel, 1);

  self->watched = amnesia_watch_add (watch, g_socket_get_fd (socket), self, error);
  if (self->watched == NULL)
    {
      g_free (self);
      return NULL;
    }
  self->socket = g_object_ref (socket);
  amnesia_stream_init (&self->stream, mesh, link, max_size);
  self->max_size = max_size;
  self->inspector = inspector;
  self->watch = watch;
  self->waits_for = G_IO_IN;
  self->expired = expired;
  self->user_data = user_data;
  set_options (self->socket);
  return self;
}

void
amnesia_channel_free (AmnesiaChannel *self)
{
  g_clear_pointer (&self->inspection, amnesia_inspection_cancel);
  g_clear_pointer (&self->tls, amnesia_tls_session_free);
  amnesia_watch_remove (self->watch, self->watched);
  if (self->linger != NULL)
    {
      g_source_destroy (self->linger);
      g_source_unref (self->linger);
    }
  amnesia_stream_clear (&self->stream);
  g_socket_close (self->socket, NULL);
  g_clear_error (&self->broken);
  g_object_unref (self->socket);
  g_free (self);
}

AmnesiaLink *
amnesia_channel_get_link (AmnesiaChannel *self)
{
  return self->stream.link;
}

/* Returns what it was. */
gboolean
amnesia_channel_set_woken (AmnesiaChannel *self,
                           gboolean        woken)
{
  gboolean was = self->woken;

  self->woken = woken;
  return was;
}

static void
wait_for (AmnesiaChannel *self,
          GIOCondition    condition)
{
  if (self->waits_for == condition)
    return;
  self->waits_for = condition;
  amnesia_watch_change (self->watch, self->watched, condition);
}

static void
set_reading (AmnesiaChannel *self,
             gboolean        reading)
{
  wait_for (self, (self->waits_for & G_IO_OUT) | (reading ? G_IO_IN : 0));
}

static void
set_writing (AmnesiaChannel *self,
             gboolean        writing)
{
  wait_for (self, (self->waits_for & G_IO_IN) | (writing ? G_IO_OUT : 0));
}

/* Whether it is to be told when the socket takes more. */
gboolean
amnesia_channel_is_full (AmnesiaChannel *self)
{
  return (self->waits_for & G_IO_OUT) != 0 || self->shaking;
}

/* Whether something that was read can be taken now, although nothing may come. */
gboolean
amnesia_channel_has_more (AmnesiaChannel *self)
{
  if (self->shaking)
    return FALSE;
  if (self->stream.more)
    return self->inspection == NULL || amnesia_inspection_is_done (self->inspection);
  return self->tls != NULL && amnesia_tls_session_has_more (self->tls);
}

/* --- TLS --- */

/* Takes @session. Nothing of the link is sent or taken before its handshake has ended. */
void
amnesia_channel_set_tls (AmnesiaChannel    *self,
                         AmnesiaTlsSession *session)
{
  self->tls = session;
  self->shaking = TRUE;
}

AmnesiaTlsSession *
amnesia_channel_get_tls (AmnesiaChannel *self)
{
  return self->tls;
}

gboolean
amnesia_channel_is_shaking (AmnesiaChannel *self)
{
  return self->shaking;
}

/* Gets on with the handshake, as far as the socket is concerned. */
gboolean
amnesia_channel_shake (AmnesiaChannel  *self,
                       GError         **error)
{
  if (!amnesia_tls_session_step (self->tls, g_socket_get_fd (self->socket), error))
    return FALSE;
  set_reading (self, amnesia_tls_session_takes_more (self->tls));
  set_writing (self, amnesia_tls_session_is_pending (self->tls));
  return TRUE;
}

/* The handshake has ended. FALSE: not well. */
gboolean
amnesia_channel_shaken (AmnesiaChannel  *self,
                        GError         **error)
{
  /* what may have gone wrong is told to the other side */
  amnesia_tls_session_flush (self->tls, g_socket_get_fd (self->socket));
  if (!amnesia_tls_session_finish (self->tls, error))
    return FALSE;
  self->shaking = FALSE;
  set_reading (self, TRUE);
  return TRUE;
}

/* Whether the rest is for the next turn. */
static gboolean
is_late (gint64 until)
{
  return g_get_monotonic_time () >= until;
}

/* --- in --- */

/* Takes what has come, one frame at least, but no longer than others can wait: the rest in the next
 * turn of the loop. */
static void
take_frames (AmnesiaChannel *self,
             AmnesiaTime     now,
             gint64          until)
{
  AmnesiaFrame slow;

  while (amnesia_stream_take (&self->stream, now) && !is_late (until))
    ;
  if (amnesia_stream_pop_slow (&self->stream, &slow))
    self->inspection = amnesia_inspector_begin (self->inspector, &slow, self->max_size,
                                                amnesia_watch_get_source (self->watch));
  set_reading (self, !self->stream.more);
  amnesia_stream_rest (&self->stream, now);
}

/* Goes on with what was read before. */
static void
resume (AmnesiaChannel *self,
        AmnesiaTime     now,
        gint64          until)
{
  g_auto (AmnesiaFrame) frame = { 0 };
  g_autoptr (GError) error = NULL;

  if (self->inspection != NULL && !amnesia_inspection_is_done (self->inspection))
    return;
  if (self->inspection != NULL)
    {
      amnesia_inspection_end (g_steal_pointer (&self->inspection), &frame, &error);
      amnesia_stream_checked (&self->stream, &frame, error, now);
    }
  take_frames (self, now, until);
}

/* GSocket's own calls look after blocking, time-outs and cancelling first, of which there is nothing
 * here, and make an error with a translated text of it that nothing has come. */
static gssize
receive_bytes (AmnesiaChannel *self,
               guint8         *room,
               gsize           size)
{
  gssize got;

  if (self->tls != NULL)
    return amnesia_tls_session_receive (self->tls, g_socket_get_fd (self->socket), room, size);
  do
    got = recv (g_socket_get_fd (self->socket), room, size, 0);
  while (got < 0 && errno == EINTR);
  return got;
}

static gssize
send_vectors (AmnesiaChannel *self,
              GOutputVector  *vectors,
              int             n)
{
  struct msghdr message = { .msg_iov = (struct iovec *) vectors, .msg_iovlen = (gsize) n };
  gssize sent;

  if (self->tls != NULL)
    return amnesia_tls_session_send (self->tls, g_socket_get_fd (self->socket), vectors, n);
  do
    sent = sendmsg (g_socket_get_fd (self->socket), &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

static void
set_errno (AmnesiaChannel  *self,
           GError         **error)
{
  int saved = errno;
  GError *known = self->tls != NULL ? amnesia_tls_session_steal_error (self->tls) : NULL;

  if (known != NULL)
    g_propagate_error (error, known);
  else
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (saved), g_strerror (saved));
}

/* One receive. @full: there may be more, as all the room was needed. */
static gboolean
receive_once (AmnesiaChannel  *self,
              AmnesiaTime      now,
              gint64           until,
              gboolean        *full,
              GError         **error)
{
  gsize size;
  guint8 *room = amnesia_stream_reserve (&self->stream, &size);
  gssize got;

  if (room == NULL)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_FAILED, _("no memory for what the peer sends"));
      return FALSE;
    }
  size = MIN (size, AMNESIA_SLICE);
  got = receive_bytes (self, room, size);
  *full = self->tls != NULL ? got > 0 && amnesia_tls_session_has_more (self->tls)
                            : got == (gssize) size;
  if (got < 0 && errno == EAGAIN)
    return TRUE;
  if (got > 0)
    {
      amnesia_stream_commit (&self->stream, (gsize) got, now);
      take_frames (self, now, until);
    }
  else if (got == 0)
    amnesia_stream_end (&self->stream, error);
  else
    set_errno (self, error);
  return got > 0;
}

/* Takes what has come before the application is told of it: whose handlers are slow sees the newest
 * next, not what queued up in the kernel. That is one receive, if not more has come than its buffer
 * takes. FALSE: the connection is at its end, with an error or without. */
gboolean
amnesia_channel_receive (AmnesiaChannel  *self,
                         AmnesiaTime      now,
                         gint64           until,
                         GError         **error)
{
  gboolean full = TRUE;

  if (self->stream.more)
    resume (self, now, until);
  while (full && !self->stream.more)
    {
      if (!receive_once (self, now, until, &full, error))
        return FALSE;
      if (full && is_late (until))
        break;
    }
  if (self->broken == NULL || full || self->stream.more)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->broken));
  return FALSE;
}

/* --- out --- */

/* Whether something that was sent waits for the socket. */
static gboolean
is_pending (AmnesiaChannel *self)
{
  return self->tls != NULL && amnesia_tls_session_is_pending (self->tls);
}

/* After TLS has said that nothing is missing. */
static gboolean
say_bye (AmnesiaChannel *self)
{
  if (self->tls == NULL || self->shaking)
    return TRUE;
  amnesia_tls_session_say_bye (self->tls);
  return !amnesia_tls_session_flush (self->tls, g_socket_get_fd (self->socket)) ||
         !amnesia_tls_session_is_pending (self->tls);
}

/* All is sent: after a hang-up nothing more will come from here. */
static gboolean
end_sending (AmnesiaChannel *self)
{
  set_writing (self, FALSE);
  if (!self->hanging_up || self->shut || self->broken != NULL)
    return TRUE;
  if (!say_bye (self))
    {
      set_writing (self, TRUE);
      return TRUE;
    }
  self->shut = TRUE;
  /* if it fails there is nobody any more, which is no reason for anything: why we leave is known */
  return g_socket_shutdown (self->socket, FALSE, TRUE, NULL);
}

/* What has come is not thrown away because the peer is not there any more: it may be the only one who had
 * it. When that is done, the end is read, which the loop tells. */
static gboolean
fail_sending (AmnesiaChannel *self)
{
  set_errno (self, &self->broken);
  return end_sending (self);
}

static void
set_ample (AmnesiaChannel *self,
           gboolean        ample)
{
  if (self->ample == ample || g_socket_get_protocol (self->socket) != G_SOCKET_PROTOCOL_TCP)
    return;
  self->ample = ample;
  set_tcp_option (self->socket, TCP_NOTSENT_LOWAT,
                  ample ? AMNESIA_NOTSENT_LARGE : AMNESIA_NOTSENT_LOWAT);
}

/* The kernel copies for as long as the reader keeps up: it gets no more at once than others can wait
 * for. Returns how much is left of @size. */
static gsize
cut_vectors (GOutputVector *vectors,
             int           *n,
             gsize          size)
{
  gsize room = AMNESIA_SEND_SLICE;
  int i;

  if (size <= room)
    return size;
  for (i = 0; room > 0; i++)
    {
      vectors[i].size = MIN (vectors[i].size, room);
      room -= vectors[i].size;
    }
  *n = i;
  return AMNESIA_SEND_SLICE;
}

/* Has the rest sent when the socket is found to take it, in another turn. */
void
amnesia_channel_put_off (AmnesiaChannel *self)
{
  set_writing (self, TRUE);
}

/* Sends until nothing is left, the socket takes no more, or others have waited long enough. Behind a
 * large frame that has waited in the kernel: what comes next is made when that is gone. */
gboolean
amnesia_channel_send (AmnesiaChannel  *self,
                      AmnesiaTime      now,
                      gint64           until,
                      GError         **error)
{
  gboolean full = FALSE, begun = FALSE;

  if (is_pending (self) && !amnesia_tls_session_flush (self->tls, g_socket_get_fd (self->socket)))
    return fail_sending (self);
  full = is_pending (self);
  while (!self->shut && self->broken == NULL && !full)
    {
      GOutputVector vectors[AMNESIA_STREAM_VECTORS];
      gsize size, slice;
      gssize sent;
      int n;

      full = begun && is_late (until);
      begun = TRUE;
      n = full ? 0 : amnesia_stream_pull (&self->stream, vectors, &size, now);
      if (n == 0)
        break;
      slice = cut_vectors (vectors, &n, size);
      if (size > AMNESIA_SLICE)
        set_ample (self, TRUE);
      sent = send_vectors (self, vectors, n);
      if (sent < 0 && errno != EAGAIN)
        return fail_sending (self);
      if (sent >= 0)
        amnesia_stream_sent (&self->stream, (gsize) sent, size, now);
      full = sent < (gssize) slice;
      if (self->ample && sent == (gssize) size)
        {
          set_ample (self, FALSE);
          full = TRUE;
        }
    }
  if (!full && !is_pending (self))
    return end_sending (self);
  set_writing (self, TRUE);
  return TRUE;
}

/* The link leaves: when its bye is out the write side is shut, then the rest is read: closing with
 * bytes unread would make the kernel throw away what the peer has not read yet. */
void
amnesia_channel_hang_up (AmnesiaChannel *self)
{
  if (self->hanging_up)
    return;
  self->hanging_up = TRUE;
  /* Not before: this also counts while a peer that lives has no room, as it checks a large value. */
  if (g_socket_get_protocol (self->socket) == G_SOCKET_PROTOCOL_TCP)
    set_tcp_option (self->socket, TCP_USER_TIMEOUT, (int) (AMNESIA_DEAD_AFTER / 1000));
  self->linger = g_timeout_source_new (self->shaking ? 0 : AMNESIA_LINGER / 1000);
  g_source_set_callback (self->linger, linger_cb, self, NULL);
  g_source_attach (self->linger,
                   g_source_get_context (amnesia_watch_get_source (self->watch)));
}

/* The link is dead. A FIN would wait in the kernel behind what the peer does not acknowledge, and
 * what waits there takes memory; a reset is gone at once, and tells a peer that hears us, but is
 * not heard, that this link is no more. */
void
amnesia_channel_reset (AmnesiaChannel *self)
{
  const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

  setsockopt (g_socket_get_fd (self->socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}
