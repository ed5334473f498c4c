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
gboolean  amnesia_frame_check_key          (const char        *key,
                                            const char        *previous,
                                            GError           **error);

G_END_DECLS
