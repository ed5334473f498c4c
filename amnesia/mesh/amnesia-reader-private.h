/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-frame-private.h"

G_BEGIN_DECLS

/* Cuts a stream of bytes into frames. It takes memory for what came, not for what was announced. */
typedef struct _AmnesiaReader AmnesiaReader;

AmnesiaReader *amnesia_reader_new         (guint64         max_size);
void           amnesia_reader_free        (AmnesiaReader  *self);

void           amnesia_reader_set_greeted (AmnesiaReader  *self);
guint8        *amnesia_reader_reserve     (AmnesiaReader  *self,
                                           gsize          *size);
void           amnesia_reader_commit      (AmnesiaReader  *self,
                                           gsize           size);
gboolean       amnesia_reader_next        (AmnesiaReader  *self,
                                           AmnesiaFrame   *frame,
                                           GError        **error);
gboolean       amnesia_reader_is_between  (AmnesiaReader  *self);
gsize          amnesia_reader_get_payload (AmnesiaReader  *self,
                                           gsize          *have);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaReader, amnesia_reader_free)

G_END_DECLS
