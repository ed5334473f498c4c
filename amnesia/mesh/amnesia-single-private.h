/* SPDX-License-Identifier: MIT */

#pragma once

#include "replica/amnesia-entry-private.h"

G_BEGIN_DECLS

/* The header of a write of one value, as nearly all are. */
typedef struct
{
  guint64     stamp;
  guint64     id;
  const char *key;
  const char *type;   /* "": unset */
  guint64     value_size;
  AmnesiaSeen seen[AMNESIA_MAX_SEEN];
  guint       n_seen;
  guint8      bytes[]; /* that it was taken out of, with the texts */
} AmnesiaSingle;

/* With a key and a type of 255 bytes, and all that may have been seen. */
#define AMNESIA_SINGLE_MAX 1024

gsize          amnesia_single_encode (const AmnesiaSingle *self,
                                      guint8              *bytes);
AmnesiaSingle *amnesia_single_decode (const guint8        *bytes,
                                      gsize                size);

G_END_DECLS
