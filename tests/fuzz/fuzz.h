/* SPDX-License-Identifier: MIT */

#pragma once

#include "mesh/amnesia-reader-private.h"

#include <gio/gio.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What all targets share. Each target is one function, as libFuzzer wants it; without a fuzzing
 * engine driver.c feeds it the files of its corpus. */
int LLVMFuzzerTestOneInput (const uint8_t *data,
                            size_t         size);

/* What a target accepts as `max-size`: small, so that bounds are met. */
#define FUZZ_MAX_SIZE 4096

/* A guard over one input, `g_auto (FuzzWatch) watch = fuzz_begin ()`: whatever is critical is a
 * crash, and so is an input that takes too much of the processor. */
typedef struct
{
  gint64 begun; /* microseconds of the thread's processor time */
} FuzzWatch;

FuzzWatch  fuzz_begin        (void);
void       fuzz_end          (FuzzWatch *watch);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FuzzWatch, fuzz_end)

/* The input of a target, eaten from its beginning; past its end come zeros. Never take twice in one
 * list of arguments: each compiler has its own order. */
typedef struct
{
  const guint8 *data;
  gsize         size;
} FuzzInput;

guint8     fuzz_take_byte    (FuzzInput *input);
guint64    fuzz_take_fixed   (FuzzInput *input,
                              guint      n_bytes);
guint64    fuzz_take_number  (FuzzInput *input);
GBytes    *fuzz_take_bytes   (FuzzInput *input,
                              gsize      size);
char      *fuzz_take_text    (FuzzInput *input);
char      *fuzz_take_key     (FuzzInput *input);
char      *fuzz_take_type    (FuzzInput *input,
                              guint      depth);
GVariant  *fuzz_take_variant (FuzzInput          *input,
                              const GVariantType *type,
                              guint               depth);
guint64    fuzz_take_stamp   (FuzzInput *input,
                              gint64     wall);

/* bytes as they travel */
GBytes    *fuzz_frame        (guint8     kind,
                              guint8     flags,
                              GBytes    *header,
                              GBytes    *payload);
GBytes    *fuzz_packet_bytes (const AmnesiaPacket *packet,
                              gsize                skip);
GBytes    *fuzz_take_raw_frame (FuzzInput *input);
GBytes    *fuzz_take_frame   (FuzzInput *input,
                              gint64     wall);

typedef void (*FuzzFrameFunc) (AmnesiaFrame *frame,
                               gpointer      user_data);

gboolean   fuzz_feed         (AmnesiaReader  *reader,
                              GBytes         *bytes,
                              gsize           step,
                              FuzzFrameFunc   func,
                              gpointer        user_data,
                              GError        **error);

/* what has to hold of whatever was accepted */
void       fuzz_check_value  (GVariant     *value,
                              guint64       max_size);
void       fuzz_check_dictionary (GVariant *value);
void       fuzz_check_error  (const GError *error);
void       fuzz_check_frame  (AmnesiaFrame *frame,
                              guint64       max_size);

G_END_DECLS
