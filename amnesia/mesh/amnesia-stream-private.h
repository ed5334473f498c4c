/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-mesh-private.h"
#include "amnesia-reader-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* What is sent at once: a few frames, of which only the last one has values, as what follows it has
 * to be the newest when it leaves. */
#define AMNESIA_STREAM_PACKETS 4
/* Head, payload and padding. */
#define AMNESIA_STREAM_VECTORS (3 * AMNESIA_STREAM_PACKETS)

/* The bytes of one link, without a socket: what arrives becomes frames for the mesh, what the link
 * has to say becomes bytes, built only when there is room for them. */
typedef struct
{
  AmnesiaMesh   *mesh;     /* (unowned) */
  AmnesiaLink   *link;     /* (unowned) the mesh's */
  AmnesiaReader *reader;   /* (owned) */
  gboolean       deaf;     /* what comes is not understood: it is read and thrown away */
  gboolean       more;     /* frames may have come that are not taken yet; nothing is to be read */
  AmnesiaFrame   slow;     /* if it has a header: to be checked elsewhere before anything goes on */
  gboolean       checking; /* somebody is at that */
  AmnesiaPacket  packets[AMNESIA_STREAM_PACKETS]; /* in flight */
  guint          n_packets;
  gsize          offset;   /* how much of them is gone */
  gsize          arrived;  /* since the last rest */
} AmnesiaStream;

void      amnesia_stream_init    (AmnesiaStream  *self,
                                  AmnesiaMesh    *mesh,
                                  AmnesiaLink    *link,
                                  guint64         max_size);
void      amnesia_stream_clear   (AmnesiaStream  *self);

guint8   *amnesia_stream_reserve (AmnesiaStream  *self,
                                  gsize          *size);
void      amnesia_stream_commit  (AmnesiaStream  *self,
                                  gsize           size,
                                  AmnesiaTime     now);
gboolean  amnesia_stream_take    (AmnesiaStream  *self,
                                  AmnesiaTime     now);
void      amnesia_stream_rest    (AmnesiaStream  *self,
                                  AmnesiaTime     now);
gboolean  amnesia_stream_pop_slow (AmnesiaStream *self,
                                   AmnesiaFrame  *frame);
void      amnesia_stream_checked (AmnesiaStream  *self,
                                  AmnesiaFrame   *frame,
                                  const GError   *error,
                                  AmnesiaTime     now);
void      amnesia_stream_end     (AmnesiaStream  *self,
                                  GError        **error);

int       amnesia_stream_pull    (AmnesiaStream  *self,
                                  GOutputVector  *vectors,
                                  gsize          *size,
                                  AmnesiaTime     now);
void      amnesia_stream_sent    (AmnesiaStream  *self,
                                  gsize           size,
                                  gsize           of,
                                  AmnesiaTime     now);

G_END_DECLS
