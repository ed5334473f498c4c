/* SPDX-License-Identifier: MIT */

/* Connections by TLS: their handshakes, and the certificate. */

#include "amnesia-transport-struct-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"

static void
log_cb (const char *message,
        gpointer    user_data)
{
  AmnesiaTransport *self = user_data;
  g_autoptr (GObject) owner = g_weak_ref_get (&self->owner);

  if (owner != NULL)
    self->funcs->log (owner, message);
}

static gboolean
is_same (AmnesiaTls *a,
         AmnesiaTls *b)
{
  return a == NULL || b == NULL ? a == b : amnesia_tls_is_same (a, b);
}

/* Who is connected in a way that is not the right one any more has to come again. */
static void
drop_links (AmnesiaTransport *self)
{
  g_autoptr (GError) error = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                                          _("the configuration has another “tls”"));
  guint i;

  for (i = self->channels->len; i > 0; i--)
    {
      AmnesiaChannel *channel = g_ptr_array_index (self->channels, i - 1);

      if (!amnesia_channel_get_link (channel)->nearby)
        amnesia_transport_close_channel (self, channel, error);
    }
}

/* The configuration is another. @tls: (nullable) what it has for TLS now. */
void
amnesia_transport_set_tls (AmnesiaTransport *self,
                           AmnesiaTls       *tls)
{
  AmnesiaTls *before = self->settings != NULL ? self->settings->tls : NULL;

  if (tls != NULL && before != NULL)
    amnesia_tls_adopt (tls, before);
  if (self->settings != NULL && !is_same (before, tls))
    drop_links (self);
  g_clear_pointer (&self->renewal, amnesia_renewal_free);
  if (tls != NULL)
    self->renewal = amnesia_renewal_new (self->context, tls, log_cb, self);
}

AmnesiaTlsSession *
amnesia_transport_new_session (AmnesiaTransport  *self,
                               AmnesiaLink       *link,
                               GError           **error)
{
  AmnesiaMember *member = link->member;

  return amnesia_tls_session_new (self->settings->tls, link->dialled ? member->host : NULL,
                                  amnesia_watch_get_source (self->watch), error);
}

static AmnesiaChannel *
find_channel (AmnesiaTransport  *self,
              AmnesiaTlsSession *session)
{
  guint i;

  for (i = 0; i < self->channels->len; i++)
    if (amnesia_channel_get_tls (g_ptr_array_index (self->channels, i)) == session)
      return g_ptr_array_index (self->channels, i);
  return NULL;
}

static void
shaken_cb (AmnesiaTlsSession *session,
           gpointer           user_data)
{
  AmnesiaTransport *self = user_data;
  gpointer owner = amnesia_transport_begin (self);
  AmnesiaChannel *channel;
  g_autoptr (GError) error = NULL;
  gint64 clock;

  if (owner == NULL)
    return;
  clock = self->now.mono;
  channel = find_channel (self, session);
  amnesia_handshakes_remove (&self->handshakes, session);
  if (channel != NULL && amnesia_channel_shaken (channel, &error))
    amnesia_transport_serve (self, channel, G_IO_IN | G_IO_OUT, &clock);
  else if (channel != NULL)
    amnesia_transport_close_channel (self, channel, error);
  amnesia_transport_finish (self, owner);
}

/* Takes @session. */
void
amnesia_transport_begin_handshake (AmnesiaTransport  *self,
                                   AmnesiaChannel    *channel,
                                   AmnesiaTlsSession *session)
{
  amnesia_tls_session_set_func (session, shaken_cb, self);
  amnesia_channel_set_tls (channel, session);
  if (amnesia_tls_session_can_start (session))
    amnesia_handshakes_add (&self->handshakes, session);
}

/* The channel is going. */
void
amnesia_transport_forget_handshake (AmnesiaTransport *self,
                                    AmnesiaChannel   *channel)
{
  if (amnesia_channel_is_shaking (channel))
    amnesia_handshakes_remove (&self->handshakes, amnesia_channel_get_tls (channel));
}

/* Its socket has something, or takes something. */
void
amnesia_transport_shake (AmnesiaTransport *self,
                         AmnesiaChannel   *channel)
{
  AmnesiaTlsSession *session = amnesia_channel_get_tls (channel);
  g_autoptr (GError) error = NULL;

  if (!amnesia_channel_shake (channel, &error))
    amnesia_transport_close_channel (self, channel, error);
  else if (amnesia_tls_session_can_start (session))
    amnesia_handshakes_add (&self->handshakes, session);
}

static gboolean
is_any_shaking (AmnesiaTransport *self)
{
  return self->handshakes.asking.running->len > 0 || self->handshakes.asking.waiting->len > 0 ||
         self->handshakes.answering.running->len > 0 || self->handshakes.answering.waiting->len > 0;
}

static void
give_up_idle (AmnesiaTransport *self)
{
  AmnesiaTlsSession *idle;

  while ((idle = amnesia_handshakes_get_idle (&self->handshakes, self->now.mono)) != NULL)
    {
      g_autoptr (GError) error = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_TIMED_OUT,
                                              _("its handshake took too long, and others waited"));

      amnesia_transport_close_channel (self, find_channel (self, idle), error);
    }
}

/* Their threads may have something for their sockets; and who waits may get a thread. */
void
amnesia_transport_review_handshakes (AmnesiaTransport *self)
{
  guint i;

  if (!is_any_shaking (self))
    return;
  for (i = self->channels->len; i > 0; i--)
    {
      AmnesiaChannel *channel = g_ptr_array_index (self->channels, i - 1);

      if (amnesia_channel_is_shaking (channel))
        amnesia_transport_shake (self, channel);
    }
  give_up_idle (self);
  amnesia_handshakes_start (&self->handshakes, self->context, self->now.mono);
  amnesia_transport_set_deadline (self, AMNESIA_DEADLINE_HANDSHAKES,
                                  amnesia_handshakes_get_deadline (&self->handshakes,
                                                                   self->now.mono));
}
