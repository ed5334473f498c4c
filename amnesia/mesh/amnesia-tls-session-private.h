/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-tls-private.h"

G_BEGIN_DECLS

/* TLS over one socket. First the handshake, in steps: bytes come and go by itself, but the thinking
 * is done by a thread; who may have one says amnesia_tls_session_start (). Then bytes in and out,
 * without one. */
typedef struct _AmnesiaTlsSession AmnesiaTlsSession;

/* The handshake has ended; see amnesia_tls_session_finish (). */
typedef void (*AmnesiaTlsSessionFunc) (AmnesiaTlsSession *session,
                                       gpointer           user_data);

AmnesiaTlsSession *amnesia_tls_session_new      (AmnesiaTls             *tls,
                                                 const char             *host,
                                                 GSource                *source,
                                                 GError                **error);
void               amnesia_tls_session_set_func (AmnesiaTlsSession      *self,
                                                 AmnesiaTlsSessionFunc   func,
                                                 gpointer                user_data);
void               amnesia_tls_session_free     (AmnesiaTlsSession      *self);

/* the handshake */
gboolean           amnesia_tls_session_is_dial  (AmnesiaTlsSession      *self);
gboolean           amnesia_tls_session_step     (AmnesiaTlsSession      *self,
                                                 int                     fd,
                                                 GError                **error);
gboolean           amnesia_tls_session_can_start (AmnesiaTlsSession     *self);
void               amnesia_tls_session_start    (AmnesiaTlsSession      *self,
                                                 GMainContext           *context);
gboolean           amnesia_tls_session_is_waiting (AmnesiaTlsSession    *self);
gboolean           amnesia_tls_session_takes_more (AmnesiaTlsSession    *self);
gboolean           amnesia_tls_session_finish   (AmnesiaTlsSession      *self,
                                                 GError                **error);

/* after it; as recv () and sendmsg (), and with another errno than EAGAIN there is an error */
gssize             amnesia_tls_session_receive  (AmnesiaTlsSession      *self,
                                                 int                     fd,
                                                 guint8                 *room,
                                                 gsize                   size);
gboolean           amnesia_tls_session_has_more (AmnesiaTlsSession      *self);
gssize             amnesia_tls_session_send     (AmnesiaTlsSession      *self,
                                                 int                     fd,
                                                 const GOutputVector    *vectors,
                                                 int                     n);
gboolean           amnesia_tls_session_flush    (AmnesiaTlsSession      *self,
                                                 int                     fd);
gboolean           amnesia_tls_session_is_pending (AmnesiaTlsSession    *self);
void               amnesia_tls_session_say_bye  (AmnesiaTlsSession      *self);
GError            *amnesia_tls_session_steal_error (AmnesiaTlsSession   *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaTlsSession, amnesia_tls_session_free)

G_END_DECLS
