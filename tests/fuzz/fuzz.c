/* SPDX-License-Identifier: MIT */

#include "fuzz.h"

#include "amnesia-error.h"

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

/* --- bytes as they travel --- */

static void
append_padded (GByteArray *array,
               GBytes     *bytes)
{
  static const guint8 zeros[8];
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  if (size > 0)
    g_byte_array_append (array, data, (guint) size);
  g_byte_array_append (array, zeros, (guint) ((8 - size % 8) % 8));
}

/* A frame whose sizes are right, whatever is in it. */
GBytes *
fuzz_frame (guint8  kind,
            guint8  flags,
            GBytes *header,
            GBytes *payload)
{
  GByteArray *frame = g_byte_array_new ();
  guint8 prefix[AMNESIA_PREFIX_SIZE] = { kind, flags };
  guint32 header_size = GUINT32_TO_LE ((guint32) g_bytes_get_size (header));
  guint64 payload_size = payload != NULL ? g_bytes_get_size (payload) : 0;

  payload_size = GUINT64_TO_LE ((payload_size + 7) & ~(guint64) 7);
  memcpy (prefix + 4, &header_size, sizeof header_size);
  memcpy (prefix + 8, &payload_size, sizeof payload_size);
  g_byte_array_append (frame, prefix, sizeof prefix);
  append_padded (frame, header);
  if (payload != NULL)
    append_padded (frame, payload);
  return g_byte_array_free_to_bytes (frame);
}

/* What a link would send, without its first @skip bytes. */
GBytes *
fuzz_packet_bytes (const AmnesiaPacket *packet,
                   gsize                skip)
{
  GByteArray *all = g_byte_array_new ();
  g_autoptr (GBytes) head = g_bytes_new_from_bytes (packet->head, skip,
                                                    g_bytes_get_size (packet->head) - skip);

  append_padded (all, head);
  if (packet->payload != NULL)
    append_padded (all, packet->payload);
  return g_byte_array_free_to_bytes (all);
}

static const char *const header_types[AMNESIA_N_FRAMES] = {
  NULL, "(qqtssqxta{sv})", "(usa{sv})", "(tta(tt)a(sst)a{sv})", "(t)", "(at)", "(txxxxa{sv})",
  "(ssbba(sttt)a{sv})",
};

static GBytes *
take_hello (FuzzInput *input,
            gint64     wall)
{
  static const char *const groups[] = { "", "", "", "other" };
  g_auto (AmnesiaPacket) packet = { 0, };
  g_autofree char *host = fuzz_take_byte (input) & 1 ? fuzz_take_text (input) : g_strdup ("node");
  AmnesiaHello hello = { AMNESIA_PROTOCOL_MIN, AMNESIA_PROTOCOL_MAX };

  hello.host = host;
  hello.group = (char *) groups[fuzz_take_byte (input) % 4];
  hello.id = fuzz_take_number (input);
  hello.port = (guint16) fuzz_take_number (input);
  hello.wall = wall + (gint8) fuzz_take_byte (input) * 2 * G_TIME_SPAN_HOUR / 3;
  hello.max_size = fuzz_take_byte (input) & 1 ? fuzz_take_number (input) : FUZZ_MAX_SIZE;
  amnesia_frame_encode_hello (&hello, &packet);
  return fuzz_packet_bytes (&packet, AMNESIA_PREAMBLE_SIZE);
}

/* One time in eight a large one, so that what bounds sizes is met. */
static GVariant *
take_value (FuzzInput *input)
{
  guint8 choice = fuzz_take_byte (input);
  g_autofree char *type = NULL;
  g_autofree guint8 *zeros = NULL;
  gsize size;

  if ((choice & 3) == 0)
    return NULL;
  if (choice >= 224)
    {
      size = fuzz_take_fixed (input, 2) % (FUZZ_MAX_SIZE + 2);
      zeros = g_malloc0 (size);
      return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, size, 1);
    }
  type = fuzz_take_type (input, 3);
  return fuzz_take_variant (input, G_VARIANT_TYPE (type), 3);
}

static int
compare_entries (gconstpointer a,
                 gconstpointer b)
{
  return strcmp ((*(AmnesiaEntry **) a)->key, (*(AmnesiaEntry **) b)->key);
}

/* A right one, up to what the values are. */
static GBytes *
take_write (FuzzInput *input,
            gint64     wall)
{
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_auto (AmnesiaPacket) packet = { 0, };
  guint64 stamp = fuzz_take_stamp (input, wall);
  guint64 id = fuzz_take_number (input);
  AmnesiaSeen seen[AMNESIA_MAX_SEEN];
  guint i, n_seen, n = 1 + fuzz_take_byte (input) % 4;

  n_seen = fuzz_take_byte (input) % (AMNESIA_MAX_SEEN + 1);
  for (i = 0; i < n_seen; i++)
    {
      seen[i].id = fuzz_take_number (input);
      seen[i].stamp = fuzz_take_stamp (input, wall);
    }
  for (i = 0; i < n; i++)
    {
      g_autofree char *key = fuzz_take_key (input);

      g_ptr_array_add (entries, amnesia_entry_new (key, stamp, id, take_value (input), seen,
                                                   n_seen));
    }
  g_ptr_array_sort (entries, compare_entries);
  amnesia_frame_encode_write (entries, &packet);
  return fuzz_packet_bytes (&packet, 0);
}

static int
compare_texts (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char **) a, *(const char **) b);
}

/* A list that is right, or nearly so. */
static GBytes *
take_list (FuzzInput *input,
           gint64     wall)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GVariant) header = NULL;
  g_autoptr (GBytes) bytes = NULL;
  guint8 flags = fuzz_take_byte (input);
  g_autofree char *from = flags & 4 ? fuzz_take_key (input) : g_strdup ("");
  g_autofree char *to = flags & 1 ? g_strdup ("") : fuzz_take_key (input);
  GVariantBuilder items;
  guint i;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(sttt)"));
  for (i = fuzz_take_byte (input) % 32; i > 0; i--)
    g_ptr_array_add (keys, fuzz_take_key (input));
  for (i = flags & 16 ? (guint) fuzz_take_fixed (input, 2) % 1400 : 0; i > 0; i--)
    g_ptr_array_add (keys, g_strdup_printf ("l%05u", i));
  if (!(flags & 8))
    g_ptr_array_sort (keys, compare_texts);
  for (i = 0; i < keys->len; i++)
    {
      guint64 stamp = fuzz_take_stamp (input, wall);
      guint64 id = fuzz_take_number (input);

      g_variant_builder_add (&items, "(sttt)", keys->pdata[i], stamp, id,
                             fuzz_take_number (input));
    }
  header = g_variant_ref_sink (g_variant_new ("(ssbba(sttt)@a{sv})", from, to, (flags & 1) != 0,
                                              (flags & 2) != 0, &items,
                                              g_variant_new_array (G_VARIANT_TYPE ("{sv}"),
                                                                   NULL, 0)));
  bytes = g_variant_get_data_as_bytes (header);
  return fuzz_frame (AMNESIA_FRAME_LIST, 0, bytes, NULL);
}

/* Kind, flags, and bytes for the header and the payload; only the sizes are right. */
GBytes *
fuzz_take_raw_frame (FuzzInput *input)
{
  guint8 kind = fuzz_take_byte (input);
  guint8 flags = fuzz_take_byte (input);
  gsize header_size = fuzz_take_fixed (input, 2);
  gsize payload_size = fuzz_take_fixed (input, 2);
  g_autoptr (GBytes) header = fuzz_take_bytes (input, header_size);
  g_autoptr (GBytes) payload = fuzz_take_bytes (input, payload_size);

  return fuzz_frame (kind, flags, header, payload);
}

/* A header of the right type, with anything in it. */
static GBytes *
take_typed_frame (FuzzInput *input,
                  guint8     kind)
{
  g_autoptr (GVariant) header =
    g_variant_ref_sink (fuzz_take_variant (input, G_VARIANT_TYPE (header_types[kind]), 3));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (header);

  return fuzz_frame (kind, 0, bytes, NULL);
}

/* One frame: its first byte says how far it is right. */
GBytes *
fuzz_take_frame (FuzzInput *input,
                 gint64     wall)
{
  guint8 choice = fuzz_take_byte (input) % 16;

  if (choice == 0)
    return fuzz_take_raw_frame (input);
  if (choice < AMNESIA_N_FRAMES)
    return take_typed_frame (input, choice);
  if (choice == AMNESIA_N_FRAMES)
    return take_hello (input, wall);
  return choice < 13 ? take_write (input, wall) : take_list (input, wall);
}

/* Gives the reader all of @bytes, @step at a time (0: as many as it has room for), and hands out
 * the frames. FALSE with an error if the stream is wrong. */
gboolean
fuzz_feed (AmnesiaReader  *reader,
           GBytes         *bytes,
           gsize           step,
           FuzzFrameFunc   func,
           gpointer        user_data,
           GError        **error)
{
  gsize size, done = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  while (done < size)
    {
      g_autoptr (GError) local_error = NULL;
      gsize n;
      guint8 *room = amnesia_reader_reserve (reader, &n);

      g_assert (room != NULL && n > 0);
      n = MIN (n, size - done);
      n = step > 0 ? MIN (n, step) : n;
      memcpy (room, data + done, n);
      amnesia_reader_commit (reader, n);
      done += n;
      while (TRUE)
        {
          g_auto (AmnesiaFrame) frame = { 0, };

          if (!amnesia_reader_next (reader, &frame, &local_error))
            break;
          g_assert_no_error (local_error);
          if (frame.kind == AMNESIA_FRAME_HELLO)
            amnesia_reader_set_greeted (reader);
          func (&frame, user_data);
        }
      if (local_error != NULL)
        {
          fuzz_check_error (local_error);
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
    }
  return TRUE;
}
