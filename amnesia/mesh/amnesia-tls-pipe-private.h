/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define AMNESIA_TYPE_TLS_PIPE (amnesia_tls_pipe_get_type ())

/* What a GTlsConnection takes for its connection: bytes that have come and bytes that are to go, in
 * memory. So all that is done with the socket is done by the main loop, and never waits. The
 * handshake runs in a thread, which does wait here. */
G_DECLARE_FINAL_TYPE (AmnesiaTlsPipe, amnesia_tls_pipe, AMNESIA, TLS_PIPE, GIOStream)

AmnesiaTlsPipe *amnesia_tls_pipe_new           (GSource         *source);

gssize          amnesia_tls_pipe_fill          (AmnesiaTlsPipe  *self,
                                                int              fd);
gboolean        amnesia_tls_pipe_flush         (AmnesiaTlsPipe  *self,
                                                int              fd);
void            amnesia_tls_pipe_pass          (AmnesiaTlsPipe  *self,
                                                AmnesiaTlsPipe  *other);

gsize           amnesia_tls_pipe_peek          (AmnesiaTlsPipe  *self,
                                                guint8          *start,
                                                gsize            size);
int             amnesia_tls_pipe_get_first     (AmnesiaTlsPipe  *self);
gboolean        amnesia_tls_pipe_has_more      (AmnesiaTlsPipe  *self);
gboolean        amnesia_tls_pipe_is_full       (AmnesiaTlsPipe  *self);
gboolean        amnesia_tls_pipe_is_pending    (AmnesiaTlsPipe  *self);
gint64          amnesia_tls_pipe_get_waiting   (AmnesiaTlsPipe  *self);
void            amnesia_tls_pipe_set_patient   (AmnesiaTlsPipe  *self,
                                                gboolean         patient);
void            amnesia_tls_pipe_end           (AmnesiaTlsPipe  *self);
void            amnesia_tls_pipe_abort         (AmnesiaTlsPipe  *self);

G_END_DECLS
