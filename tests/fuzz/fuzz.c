/* SPDX-License-Identifier: MIT */

#include "fuzz.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* No input may keep a member busy for longer. Sanitizers and a fuzzing engine slow down by about
 * as much as this allows. */
#ifndef FUZZ_LIMIT_MS
#define FUZZ_LIMIT_MS 100
#endif

/* --- the watch --- */

static gint64
get_processor_time (void)
{
  struct timespec spent;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &spent);
  return spent.tv_sec * G_USEC_PER_SEC + spent.tv_nsec / 1000;
}

/* GLib traps where something is critical; a fuzzing engine waits for an abort. */
static void
on_trap (int number)
{
  abort ();
}

FuzzWatch
fuzz_begin (void)
{
  signal (SIGTRAP, on_trap);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  return (FuzzWatch) { get_processor_time () };
}

void
fuzz_end (FuzzWatch *watch)
{
  g_assert_cmpint (get_processor_time () - watch->begun, <, FUZZ_LIMIT_MS * 1000);
}

/* --- the input --- */

guint8
fuzz_take_byte (FuzzInput *input)
{
  if (input->size == 0)
    return 0;
  input->size--;
  return *input->data++;
}

guint64
fuzz_take_fixed (FuzzInput *input,
                 guint      n_bytes)
{
  guint64 number = 0;
  guint i;

  for (i = 0; i < n_bytes; i++)
    number |= (guint64) fuzz_take_byte (input) << (8 * i);
  return number;
}

/* Small ones and those at the edges take one byte, so that they are often met. */
guint64
fuzz_take_number (FuzzInput *input)
{
  static const guint64 edges[] = {
    G_MAXUINT64, G_MAXINT64, G_GUINT64_CONSTANT (1) << 63, G_MAXUINT32, G_MAXINT32,
    G_MAXUINT16, 4096, 4097, 65536, G_MAXINT64 / 4,
  };
  guint8 first = fuzz_take_byte (input);

  if (first < 200)
    return first;
  if (first - 200u < G_N_ELEMENTS (edges))
    return edges[first - 200];
  return fuzz_take_fixed (input, 1 + first % 8);
}

GBytes *
fuzz_take_bytes (FuzzInput *input,
                 gsize      size)
{
  GBytes *bytes;

  size = MIN (size, input->size);
  bytes = g_bytes_new (input->data, size);
  input->data += size;
  input->size -= size;
  return bytes;
}

/* Any text that a GVariant can hold. */
char *
fuzz_take_text (FuzzInput *input)
{
  gsize size = fuzz_take_byte (input);
  g_autoptr (GBytes) bytes = fuzz_take_bytes (input, size);
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return size > 0 ? g_utf8_make_valid (data, (gssize) strnlen (data, size)) : g_strdup ("");
}

/* Few, so that they meet; or any. */
char *
fuzz_take_key (FuzzInput *input)
{
  guint8 first = fuzz_take_byte (input);

  if (first == 0)
    return g_strdup ("");
  if (first < 64)
    return g_strdup_printf ("k%u", first % 16);
  if (first == 64)
    return g_strnfill (255, 'k');
  return fuzz_take_text (input);
}

static void
append_type (GString   *type,
             FuzzInput *input,
             guint      depth)
{
  static const char basic[] = "bynqiuxtdsog";
  guint8 choice = fuzz_take_byte (input);
  guint i;

  if (depth == 0 || choice < 128)
    {
      g_string_append_c (type, basic[choice % strlen (basic)]);
      return;
    }
  switch (choice % 6)
    {
    case 0:
      g_string_append_c (type, 'v');
      break;
    case 1:
      g_string_append_c (type, 'm');
      append_type (type, input, depth - 1);
      break;
    case 2:
      g_string_append_c (type, '(');
      for (i = fuzz_take_byte (input) % 5; i > 0; i--)
        append_type (type, input, depth - 1);
      g_string_append_c (type, ')');
      break;
    case 3:
      g_string_append (type, "a{");
      append_type (type, input, 0);
      append_type (type, input, depth - 1);
      g_string_append_c (type, '}');
      break;
    case 4:
      g_string_append (type, "a{sv}");
      break;
    default:
      g_string_append_c (type, 'a');
      append_type (type, input, depth - 1);
    }
}

/* A definite type without handles. It may be longer than a value's may be. */
char *
fuzz_take_type (FuzzInput *input,
                guint      depth)
{
  GString *type = g_string_new (NULL);

  append_type (type, input, depth);
  return g_string_free (type, FALSE);
}

static GVariant *
take_basic (FuzzInput *input,
            char       type)
{
  g_autofree char *text = NULL;
  guint64 bits;
  double number;

  switch (type)
    {
    case 'b':
      return g_variant_new_boolean (fuzz_take_byte (input) & 1);
    case 'y':
      return g_variant_new_byte (fuzz_take_byte (input));
    case 'n':
      return g_variant_new_int16 ((gint16) fuzz_take_number (input));
    case 'q':
      return g_variant_new_uint16 ((guint16) fuzz_take_number (input));
    case 'i':
      return g_variant_new_int32 ((gint32) fuzz_take_number (input));
    case 'u':
      return g_variant_new_uint32 ((guint32) fuzz_take_number (input));
    case 'x':
      return g_variant_new_int64 ((gint64) fuzz_take_number (input));
    case 't':
      return g_variant_new_uint64 (fuzz_take_number (input));
    case 'd':
      bits = fuzz_take_byte (input) & 1 ? fuzz_take_fixed (input, 8) : 0;
      memcpy (&number, &bits, sizeof number);
      return g_variant_new_double (bits != 0 ? number : (gint64) fuzz_take_number (input) / 8.0);
    case 's':
      return g_variant_new_take_string (fuzz_take_text (input));
    case 'o':
      text = g_strdup_printf ("/o%u", fuzz_take_byte (input));
      return g_variant_new_object_path (text);
    case 'g':
      text = fuzz_take_type (input, 3);
      return g_variant_new_signature (g_variant_is_signature (text) ? text : "");
    default:
      g_assert_not_reached ();
    }
}

static GVariant *
take_children (FuzzInput          *input,
               const GVariantType *type,
               guint               depth)
{
  GVariantBuilder builder;
  const GVariantType *item;
  guint n;

  g_variant_builder_init (&builder, type);
  if (g_variant_type_is_array (type))
    for (n = fuzz_take_byte (input) % 32; n > 0 && input->size > 0; n--)
      g_variant_builder_add_value (&builder, fuzz_take_variant (input,
                                                                g_variant_type_element (type),
                                                                depth));
  else
    for (item = g_variant_type_first (type); item != NULL; item = g_variant_type_next (item))
      g_variant_builder_add_value (&builder, fuzz_take_variant (input, item, depth));
  return g_variant_builder_end (&builder);
}

/* A floating value of this type, in normal form. @depth bounds how many variants lie in one
 * another, so that it is not serialised deeper than GVariant can. */
GVariant *
fuzz_take_variant (FuzzInput          *input,
                   const GVariantType *type,
                   guint               depth)
{
  g_autofree char *inner = NULL;

  if (g_variant_type_is_basic (type))
    return take_basic (input, *g_variant_type_peek_string (type));
  if (g_variant_type_is_variant (type))
    {
      inner = fuzz_take_type (input, depth > 0 ? 3 : 0);
      return g_variant_new_variant (fuzz_take_variant (input, G_VARIANT_TYPE (inner),
                                                       depth > 0 ? depth - 1 : 0));
    }
  if (g_variant_type_is_maybe (type))
    return g_variant_new_maybe (g_variant_type_element (type),
                                fuzz_take_byte (input) & 1
                                  ? fuzz_take_variant (input, g_variant_type_element (type), depth)
                                  : NULL);
  return take_children (input, type, depth);
}

/* Stamps near one another, around the wall clock, and far away. */
guint64
fuzz_take_stamp (FuzzInput *input,
                 gint64     wall)
{
  guint8 first = fuzz_take_byte (input);
  guint64 stamp = (guint64) (wall / 1000) << 16;

  if (first < 128)
    return AMNESIA_STAMP_NORMAL | (stamp + first);
  if (first < 160)
    return stamp + first;
  if (first < 192)
    return AMNESIA_STAMP_NORMAL | (stamp + ((guint64) fuzz_take_fixed (input, 3) << 32));
  if (first < 208)
    return AMNESIA_STAMP_NORMAL | (stamp - ((guint64) fuzz_take_fixed (input, 3) << 16));
  return fuzz_take_number (input);
}
