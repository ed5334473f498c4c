/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-frame-private.h"

G_BEGIN_DECLS

/* What the files of the frames share with one another, and with nobody else. */

static inline gsize
amnesia_frame_pad (gsize size)
{
  return (size + 7) & ~(gsize) 7;
}

GVariant *amnesia_frame_from_little_endian (GVariant          *value);
GBytes   *amnesia_frame_to_little_endian   (GVariant          *value);
GVariant *amnesia_frame_no_extensions      (void);
GBytes   *amnesia_frame_encode_head        (AmnesiaFrameKind   kind,
                                            GVariant          *header,
                                            guint64            payload_size);
void      amnesia_frame_put_prefix         (guint8            *prefix,
                                            AmnesiaFrameKind   kind,
                                            gsize              header_size,
                                            guint64            payload_size);
GBytes   *amnesia_frame_encode_single_head (const AmnesiaEntry *entry);
AmnesiaSingle *amnesia_frame_read_single   (const guint8      *bytes,
                                            gsize              size,
                                            gsize              payload_size,
                                            guint64            max_size);
gboolean  amnesia_frame_check_key          (const char        *key,
                                            const char        *previous,
                                            GError           **error);

G_END_DECLS
