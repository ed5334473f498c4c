/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The memory into which a payload is received, and in which it stays as a value. It grows with what
 * arrives. */
typedef struct
{
  guint8 *data;     /* (owned) (nullable) */
  gsize   capacity;
  gsize   have;
  gsize   size;     /* that was announced */
} AmnesiaPayload;

void      amnesia_payload_init          (AmnesiaPayload *self,
                                         gsize           size);
void      amnesia_payload_clear         (AmnesiaPayload *self);
guint8   *amnesia_payload_reserve       (AmnesiaPayload *self,
                                         gsize          *room);
GBytes   *amnesia_payload_end           (AmnesiaPayload *self);

void      amnesia_payload_hold_spare    (void);
void      amnesia_payload_release_spare (void);
void      amnesia_payload_trim_spare    (gint64          age);

G_END_DECLS
