/* SPDX-License-Identifier: MIT */

#include "amnesia-channel-private.h"

#include "amnesia-error.h"
#include "amnesia-limits-private.h"
#include "amnesia-reader-private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

struct _AmnesiaChannel
{
  GSocketConnection *connection; /* (owned) closes the socket when it goes */
  GSocket           *socket;  /* (unowned) its */
  AmnesiaMesh       *mesh;    /* (unowned) */
  AmnesiaLink       *link;    /* (unowned) the mesh's; outlives the channel */
  AmnesiaReader     *reader;  /* (owned) */
  guint64            max_size;
  AmnesiaInspector  *inspector;  /* (unowned) the transport's */
  AmnesiaInspection *inspection; /* (owned) (nullable) of a frame that takes long to check */
  gboolean           more;    /* frames may have come that are not taken yet; nothing is read */

  GSource           *source;  /* (owned) */
  gpointer           tag;     /* (nullable) while it waits for nothing */
  GIOCondition       waits_for;
  GSource           *linger;  /* (owned) (nullable) since the hang-up */
  AmnesiaChannelFunc func;
  gpointer           user_data;

  AmnesiaPacket      packet;  /* in flight */
  gsize              offset;  /* how much of it the socket has taken */

  gboolean           hanging_up;
  gboolean           shut;    /* the write side is closed */
  gboolean           woken;   /* the transport knows that there is something to send */
  gboolean           deaf;    /* what comes is not understood: it is read and thrown away */
};

typedef struct
{
  GSource         source;
  AmnesiaChannel *channel;
} ChannelSource;

static gboolean
channel_source_dispatch (GSource     *source,
                         GSourceFunc  callback,
                         gpointer     user_data)
{
  AmnesiaChannel *self = ((ChannelSource *) source)->channel;
  GIOCondition condition = 0;

  g_source_set_ready_time (source, -1);
  if (self->tag != NULL)
    condition = g_source_query_unix_fd (source, self->tag);
  if (self->more)
    condition |= G_IO_IN;
  /* may free the channel, and run nested main loops: nothing follows */
  self->func (self, condition, self->user_data);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs channel_source_funcs = { .dispatch = channel_source_dispatch };

static gboolean
linger_cb (gpointer user_data)
{
  AmnesiaChannel *self = user_data;

  self->func (self, G_IO_HUP, self->user_data);
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
  g_socket_set_keepalive (socket, TRUE);
  set_tcp_option (socket, TCP_NODELAY, 1);
  set_tcp_option (socket, TCP_KEEPIDLE, 5);
  set_tcp_option (socket, TCP_KEEPINTVL, 2);
  set_tcp_option (socket, TCP_KEEPCNT, 3);
  set_tcp_option (socket, TCP_USER_TIMEOUT, (int) (AMNESIA_DEAD_AFTER / 1000));
  /* or the kernel queues values that are stale when they leave */
  set_tcp_option (socket, TCP_NOTSENT_LOWAT, AMNESIA_NOTSENT_LOWAT);
}

/* @func is told when the socket can be read or written, and, with G_IO_HUP, when after a hang-up
 * the peer has not closed in time. */
AmnesiaChannel *
amnesia_channel_new (GSocketConnection  *connection,
                     AmnesiaMesh        *mesh,
                     AmnesiaLink        *link,
                     AmnesiaInspector   *inspector,
                     guint64             max_size,
                     GMainContext       *context,
                     AmnesiaChannelFunc  func,
                     gpointer            user_data)
{
  AmnesiaChannel *self = g_new0 (AmnesiaChannel, 1);

  self->connection = g_object_ref (connection);
  self->socket = g_socket_connection_get_socket (connection);
  self->mesh = mesh;
  self->link = link;
  self->reader = amnesia_reader_new (max_size);
  self->max_size = max_size;
  self->inspector = inspector;
  self->func = func;
  self->user_data = user_data;
  set_options (self->socket);

  self->waits_for = G_IO_IN;
  self->source = g_source_new (&channel_source_funcs, sizeof (ChannelSource));
  ((ChannelSource *) self->source)->channel = self;
  self->tag = g_source_add_unix_fd (self->source, g_socket_get_fd (self->socket),
                                    self->waits_for);
  g_source_set_static_name (self->source, "[amnesia] channel");
  /* a handler of the application may run a nested loop, in which the link lives on */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, context);
  return self;
}

void
amnesia_channel_free (AmnesiaChannel *self)
{
  g_clear_pointer (&self->inspection, amnesia_inspection_cancel);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  if (self->linger != NULL)
    {
      g_source_destroy (self->linger);
      g_source_unref (self->linger);
    }
  amnesia_packet_clear (&self->packet);
  amnesia_reader_free (self->reader);
  g_socket_close (self->socket, NULL);
  g_object_unref (self->connection);
  g_free (self);
}

AmnesiaLink *
amnesia_channel_get_link (AmnesiaChannel *self)
{
  return self->link;
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

/* Without a condition the descriptor is left alone, or its end, which is always told, would spin. */
static void
wait_for (AmnesiaChannel *self,
          GIOCondition    condition)
{
  if (self->waits_for == condition)
    return;
  if (condition == 0)
    g_source_remove_unix_fd (self->source, g_steal_pointer (&self->tag));
  else if (self->tag == NULL)
    self->tag = g_source_add_unix_fd (self->source, g_socket_get_fd (self->socket), condition);
  else
    g_source_modify_unix_fd (self->source, self->tag, condition);
  self->waits_for = condition;
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

/* Whether the dispatch that began @now has taken so long that the rest is for the next turn. */
static gboolean
is_late (AmnesiaTime now)
{
  return g_get_monotonic_time () >= now.mono + AMNESIA_SLICE_TIME;
}

/* --- in --- */

static void
fail (AmnesiaChannel *self,
      const GError   *error,
      AmnesiaTime     now)
{
  self->deaf = TRUE;
  amnesia_mesh_fail_link (self->mesh, self->link, error, now);
}

/* Nothing is read until the frame is checked, so that what follows it waits its turn. */
static void
begin_inspection (AmnesiaChannel *self,
                  AmnesiaFrame   *frame)
{
  self->inspection = amnesia_inspector_begin (self->inspector, frame, self->max_size, self->source);
}

static void
end_inspection (AmnesiaChannel *self,
                AmnesiaTime     now)
{
  g_auto (AmnesiaFrame) frame = { 0, };
  g_autoptr (GError) error = NULL;

  if (amnesia_inspection_end (g_steal_pointer (&self->inspection), &frame, &error))
    amnesia_mesh_receive (self->mesh, self->link, &frame, now);
  else
    fail (self, error, now);
}

static gboolean
take_frame (AmnesiaChannel  *self,
            AmnesiaTime      now,
            GError         **error)
{
  g_auto (AmnesiaFrame) frame = { 0, };

  if (!amnesia_reader_next (self->reader, &frame, error))
    return FALSE;
  if (frame.kind == AMNESIA_FRAME_HELLO)
    amnesia_reader_set_greeted (self->reader);
  if (amnesia_frame_is_slow (&frame))
    begin_inspection (self, &frame);
  else
    amnesia_mesh_receive (self->mesh, self->link, &frame, now);
  return TRUE;
}

/* Takes what has come, but no longer than others can wait: the rest in the next turn of the loop. */
static void
take_frames (AmnesiaChannel *self,
             AmnesiaTime     now)
{
  g_autoptr (GError) error = NULL;

  self->more = TRUE;
  while (self->more && !self->deaf && self->inspection == NULL && !is_late (now))
    self->more = take_frame (self, now, &error);
  if (error != NULL)
    fail (self, error, now);
  self->more &= !self->deaf;
  if (self->more && self->inspection == NULL)
    g_source_set_ready_time (self->source, 0);
  set_reading (self, !self->more);
  amnesia_link_set_busy (self->link, self->more, now);
}

/* Goes on with what was read before. */
static void
resume (AmnesiaChannel *self,
        AmnesiaTime     now)
{
  if (self->inspection != NULL && !amnesia_inspection_is_done (self->inspection))
    return;
  if (self->inspection != NULL)
    end_inspection (self, now);
  take_frames (self, now);
}

/* Whether the peer owes us the rest of a frame. */
static gboolean
is_amid (AmnesiaChannel *self)
{
  return !self->deaf && !self->more && !amnesia_reader_is_between (self->reader);
}

static gboolean
take_end (AmnesiaChannel  *self,
          GError         **error)
{
  if (!self->deaf && !amnesia_reader_is_between (self->reader))
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                 "the connection ended in the middle of a frame");
  return FALSE;
}

static void
take_bytes (AmnesiaChannel *self,
            gsize           size,
            AmnesiaTime     now)
{
  amnesia_link_heard (self->link, now);
  if (self->deaf)
    return;
  amnesia_reader_commit (self->reader, size);
  take_frames (self, now);
  amnesia_link_arriving (self->link, size, is_amid (self), now);
}

/* One receive. @full: there may be more, as all the room was needed. */
static gboolean
receive_once (AmnesiaChannel  *self,
              AmnesiaTime      now,
              gboolean        *full,
              GError         **error)
{
  g_autoptr (GError) local_error = NULL;
  guint8 scrap[4096];
  gsize size = sizeof scrap;
  guint8 *room = self->deaf ? scrap : amnesia_reader_reserve (self->reader, &size);
  gssize got;

  if (room == NULL)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_FAILED, "no memory for what the peer sends");
      return FALSE;
    }
  size = MIN (size, AMNESIA_SLICE);
  got = g_socket_receive (self->socket, (char *) room, size, NULL, &local_error);
  *full = got == (gssize) size;
  if (got > 0)
    take_bytes (self, (gsize) got, now);
  else if (got == 0)
    return take_end (self, error);
  else if (!g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    g_propagate_error (error, g_steal_pointer (&local_error));
  return got >= 0 || local_error != NULL;
}

/* Takes what has come before the application is told of it: whose handlers are slow sees the newest
 * next, not what queued up in the kernel. That is one receive, if not more has come than its buffer
 * takes. FALSE: the connection is at its end, with an error or without. */
gboolean
amnesia_channel_receive (AmnesiaChannel  *self,
                         AmnesiaTime      now,
                         GError         **error)
{
  gboolean full = TRUE;

  if (self->more)
    resume (self, now);
  while (full && !self->more && !is_late (now))
    if (!receive_once (self, now, &full, error))
      return FALSE;
  return TRUE;
}

/* --- out --- */

/* The head, the payload and the zeros behind it, less what is gone already. */
static int
get_vectors (AmnesiaChannel *self,
             GOutputVector  *vectors)
{
  static const guint8 zeros[8];
  gsize head_size, payload_size = 0, skip = self->offset;
  const guint8 *head = g_bytes_get_data (self->packet.head, &head_size);
  const guint8 *payload = NULL;
  int i, kept = 0;

  if (self->packet.payload != NULL)
    payload = g_bytes_get_data (self->packet.payload, &payload_size);
  vectors[0] = (GOutputVector) { head, head_size };
  vectors[1] = (GOutputVector) { payload, payload_size };
  vectors[2] = (GOutputVector) { zeros, (8 - payload_size % 8) % 8 };
  for (i = 0; i < 3; i++)
    {
      gsize gone = MIN (skip, vectors[i].size);

      skip -= gone;
      if (vectors[i].size > gone)
        vectors[kept++] = (GOutputVector) { (const guint8 *) vectors[i].buffer + gone,
                                            vectors[i].size - gone };
    }
  return kept;
}

/* FALSE with an error, or without: the socket takes no more for now. */
static gboolean
send_packet (AmnesiaChannel  *self,
             AmnesiaTime      now,
             GError         **error)
{
  g_autoptr (GError) local_error = NULL;
  GOutputVector vectors[3];
  int i, n = get_vectors (self, vectors);
  gsize left = 0;
  gssize sent;

  for (i = 0; i < n; i++)
    left += vectors[i].size;
  sent = g_socket_send_message (self->socket, NULL, vectors, n, NULL, 0, 0, NULL, &local_error);
  if (sent < 0)
    {
      if (!g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  self->offset += (gsize) sent;
  amnesia_link_sent (self->link, (gsize) sent == left, now);
  if ((gsize) sent < left)
    return FALSE;
  amnesia_packet_clear (&self->packet);
  self->offset = 0;
  return TRUE;
}

/* Sends until nothing is left, the socket takes no more, or others have waited long enough. */
gboolean
amnesia_channel_send (AmnesiaChannel  *self,
                      AmnesiaTime      now,
                      GError         **error)
{
  g_autoptr (GError) local_error = NULL;

  while (!self->shut)
    {
      gboolean late = is_late (now);

      if (!late && self->packet.head == NULL &&
          !amnesia_mesh_pull (self->mesh, self->link, now, &self->packet))
        break;
      if (!late && send_packet (self, now, &local_error))
        continue;
      if (local_error != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      set_writing (self, TRUE);
      return TRUE;
    }
  set_writing (self, FALSE);
  if (self->hanging_up && !self->shut)
    {
      self->shut = TRUE;
      return g_socket_shutdown (self->socket, FALSE, TRUE, error);
    }
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
  self->linger = g_timeout_source_new (AMNESIA_LINGER / 1000);
  g_source_set_callback (self->linger, linger_cb, self, NULL);
  g_source_attach (self->linger, g_source_get_context (self->source));
}
