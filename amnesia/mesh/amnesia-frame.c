/* SPDX-License-Identifier: MIT */

#include "amnesia-frame-parts-private.h"

#include "amnesia-error.h"
#include "amnesia-limits-private.h"
#include "replica/amnesia-value-private.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *type;
  gsize       max_header;
  guint       n_numbers; /* of 64 bits, of which the header consists, apart from a dictionary */
} FrameKind;

/* The type of each header. Part of the protocol; what grows later, grows in the a{sv}. */
static const FrameKind kinds[AMNESIA_N_FRAMES] = {
  [AMNESIA_FRAME_HELLO] = { "hello", "(qqtssqxta{sv})", AMNESIA_MAX_HELLO },
  [AMNESIA_FRAME_BYE] = { "bye", "(usa{sv})", AMNESIA_MAX_CONTROL },
  [AMNESIA_FRAME_WRITE] = { "write", "(tta(tt)a(sst)a{sv})", AMNESIA_MAX_WRITE_HEADER },
  [AMNESIA_FRAME_ACK] = { "ack", "(t)", AMNESIA_MAX_CONTROL, 1 },
  [AMNESIA_FRAME_LINKS] = { "links", "(at)", AMNESIA_MAX_LINKS * sizeof (guint64) },
  [AMNESIA_FRAME_BEAT] = { "beat", "(txxxxa{sv})", AMNESIA_MAX_CONTROL, 5 },
  [AMNESIA_FRAME_LIST] = { "list", "(ssbba(sttt)a{sv})", AMNESIA_MAX_LIST },
};

#define MAX_WRITE_ENTRIES 4097 /* 4,096 keys and the base */

/* The wire is little-endian. Only what was found to be in normal form may be swapped. */
GVariant *
amnesia_frame_from_little_endian (GVariant *value)
{
#if G_BYTE_ORDER == G_BIG_ENDIAN
  GVariant *swapped = g_variant_byteswap (value);

  g_variant_unref (value);
  return swapped;
#else
  return value;
#endif
}

GBytes *
amnesia_frame_to_little_endian (GVariant *value)
{
#if G_BYTE_ORDER == G_BIG_ENDIAN
  g_autoptr (GVariant) swapped = g_variant_byteswap (value);

  return g_variant_get_data_as_bytes (swapped);
#else
  return g_variant_get_data_as_bytes (value);
#endif
}

/* @prefix is zeros. */
void
amnesia_frame_put_prefix (guint8           *prefix,
                          AmnesiaFrameKind  kind,
                          gsize             header_size,
                          guint64           payload_size)
{
  guint32 size = GUINT32_TO_LE ((guint32) header_size);

  payload_size = GUINT64_TO_LE (payload_size);
  prefix[0] = (guint8) kind;
  memcpy (prefix + 4, &size, sizeof size);
  memcpy (prefix + 8, &payload_size, sizeof payload_size);
}

/* Takes a floating header. */
GBytes *
amnesia_frame_encode_head (AmnesiaFrameKind  kind,
                           GVariant         *header,
                           guint64           payload_size)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (header);
  g_autoptr (GBytes) bytes = amnesia_frame_to_little_endian (owned);
  gsize size = g_bytes_get_size (bytes);
  gsize total = AMNESIA_PREFIX_SIZE + amnesia_frame_pad (size);
  guint8 *head = g_malloc0 (total);

  amnesia_frame_put_prefix (head, kind, size, payload_size);
  if (size > 0)
    memcpy (head + AMNESIA_PREFIX_SIZE, g_bytes_get_data (bytes, NULL), size);
  return g_bytes_new_take (head, total);
}

static void
set_head (AmnesiaPacket   *packet,
          AmnesiaFrameKind kind,
          GVariant        *header)
{
  packet->head = amnesia_frame_encode_head (kind, header, 0);
  packet->payload = NULL;
}

GVariant *
amnesia_frame_no_extensions (void)
{
  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0);
}

static gboolean
check_kind (guint8    kind,
            guint8    flags,
            gboolean  greeted,
            GError  **error)
{
  gboolean known = kind < AMNESIA_N_FRAMES;

  if (kind == 0 || (flags & ~AMNESIA_FRAME_IGNORABLE) != 0 ||
      (!known && !(flags & AMNESIA_FRAME_IGNORABLE)))
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                   "a frame of unknown kind %u with flags %u", kind, flags);
      return FALSE;
    }
  if (greeted ? kind == AMNESIA_FRAME_HELLO
              : kind != AMNESIA_FRAME_HELLO && kind != AMNESIA_FRAME_BYE)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                   greeted ? "a second hello" : "a frame of kind %u before the hello", kind);
      return FALSE;
    }
  return TRUE;
}

/* Reads a prefix, before there is memory for what it announces. A kind that is unknown but may be
 * skipped is returned as it is. */
gboolean
amnesia_frame_check_prefix (const guint8     *prefix,
                            gboolean          greeted,
                            guint64           max_size,
                            AmnesiaFrameKind *kind,
                            gsize            *header_size,
                            gsize            *payload_size,
                            GError          **error)
{
  guint32 header;
  guint64 payload, max_payload = 0;
  gsize max_header = AMNESIA_MAX_CONTROL;

  memcpy (&header, prefix + 4, sizeof header);
  memcpy (&payload, prefix + 8, sizeof payload);
  header = GUINT32_FROM_LE (header);
  payload = GUINT64_FROM_LE (payload);

  if (!check_kind (prefix[0], prefix[1], greeted, error))
    return FALSE;
  if (prefix[2] != 0 || prefix[3] != 0)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL, "bytes that must be zero are not");
      return FALSE;
    }

  if (prefix[0] < AMNESIA_N_FRAMES)
    max_header = kinds[prefix[0]].max_header;
  if (prefix[0] == AMNESIA_FRAME_WRITE)
    max_payload = max_size * AMNESIA_MAX_WRITE_FACTOR;
  if (header > max_header || payload > max_payload)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG,
                   "a frame of %" G_GUINT32_FORMAT " + %" G_GUINT64_FORMAT " bytes, where at most "
                   "%" G_GSIZE_FORMAT " + %" G_GUINT64_FORMAT " are right",
                   header, payload, max_header, max_payload);
      return FALSE;
    }

  *kind = prefix[0];
  *header_size = header;
  *payload_size = (gsize) payload;
  return TRUE;
}

/* The room in a write's header is for many keys; for what has been seen, and for extensions, there is
 * as much as elsewhere. Their sizes can be told before it is known whether they are right, and 4 MiB
 * of a type that is slow to check need not be looked at. */
static gboolean
check_write_parts (GVariant  *header,
                   GError   **error)
{
  static const struct
  {
    gsize index;
    gsize max_size;
  } parts[] = {
    { 2, AMNESIA_MAX_SEEN * sizeof (AmnesiaSeen) }, { 4, AMNESIA_MAX_CONTROL },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autoptr (GVariant) part = g_variant_get_child_value (header, parts[i].index);

      if (g_variant_get_size (part) <= parts[i].max_size)
        continue;
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                   "a write with %" G_GSIZE_FORMAT " bytes where at most %" G_GSIZE_FORMAT
                   " are right", g_variant_get_size (part), parts[i].max_size);
      return FALSE;
    }
  return TRUE;
}

/* The sizes that a write announces for its values must fill its payload. */
static gboolean
check_write_sizes (GVariant *header,
                   gsize     payload_size,
                   guint64   max_size,
                   GError  **error)
{
  g_autoptr (GVariant) items = g_variant_get_child_value (header, 3);
  gsize i, n = g_variant_n_children (items);
  guint64 total = 0;

  for (i = 0; i < n && n <= MAX_WRITE_ENTRIES; i++)
    {
      guint64 size;

      g_variant_get_child (items, i, "(sst)", NULL, NULL, &size);
      if (size > max_size)
        {
          g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG,
                       "a value of %" G_GUINT64_FORMAT " bytes, where max-size is "
                       "%" G_GUINT64_FORMAT, size, max_size);
          return FALSE;
        }
      total += amnesia_frame_pad (size);
    }
  if (n == 0 || n > MAX_WRITE_ENTRIES || total != payload_size)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                   "a write of %" G_GSIZE_FORMAT " values of %" G_GUINT64_FORMAT " bytes in "
                   "%" G_GSIZE_FORMAT, n, total, payload_size);
      return FALSE;
    }
  return TRUE;
}

/* Makes a header of the bytes that arrived, or refuses them; for a write, before its payload. */
static GVariant *
check_header (AmnesiaFrameKind   kind,
              GBytes            *bytes,
              gsize              payload_size,
              guint64            max_size,
              GError           **error)
{
  g_autoptr (GVariant) header = NULL;

  header = g_variant_new_from_bytes (G_VARIANT_TYPE (kinds[kind].type), bytes, FALSE);
  g_variant_ref_sink (header);
  if (kind == AMNESIA_FRAME_WRITE && !check_write_parts (header, error))
    return NULL;
  if (!g_variant_is_normal_form (header))
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                   "the header of a frame of kind %s is malformed", kinds[kind].name);
      return NULL;
    }
  header = amnesia_frame_from_little_endian (g_steal_pointer (&header));
  if (kind == AMNESIA_FRAME_WRITE && !check_write_sizes (header, payload_size, max_size, error))
    return NULL;
  return g_steal_pointer (&header);
}

/* A header of numbers alone is nothing but these; an empty dictionary behind them has no bytes. */
static gboolean
read_numbers (AmnesiaFrame *frame,
              const guint8 *bytes,
              gsize         size)
{
  guint i;

  if (size != kinds[frame->kind].n_numbers * sizeof (guint64) || size == 0)
    return FALSE;
  memcpy (frame->numbers, bytes, size);
  for (i = 0; i < kinds[frame->kind].n_numbers; i++)
    frame->numbers[i] = GUINT64_FROM_LE (frame->numbers[i]);
  return TRUE;
}

/* The headers of which there are most need no GVariant. */
static gboolean
read_plain_header (AmnesiaFrame *frame,
                   const guint8 *bytes,
                   gsize         size,
                   gsize         payload_size,
                   guint64       max_size)
{
  if (frame->kind == AMNESIA_FRAME_WRITE)
    frame->single = amnesia_frame_read_single (bytes, size, payload_size, max_size);
  return frame->single != NULL || read_numbers (frame, bytes, size);
}

/* A beat of a later version may have more in it. */
static void
take_numbers (AmnesiaFrame *frame)
{
  guint i;

  for (i = 0; i < kinds[frame->kind].n_numbers; i++)
    {
      g_autoptr (GVariant) number = g_variant_get_child_value (frame->header, i);

      memcpy (&frame->numbers[i], g_variant_get_data (number), sizeof (guint64));
    }
}

/* Reads the header of @frame, whose kind is known, or refuses it; for a write, before its payload. */
gboolean
amnesia_frame_read_header (AmnesiaFrame  *frame,
                           const guint8  *bytes,
                           gsize          size,
                           gsize          payload_size,
                           guint64        max_size,
                           GError       **error)
{
  g_autoptr (GBytes) copy = NULL;

  g_assert (frame->kind > 0 && frame->kind < AMNESIA_N_FRAMES);

  if (read_plain_header (frame, bytes, size, payload_size, max_size))
    return TRUE;
  copy = g_bytes_new (bytes, size);
  frame->header = check_header (frame->kind, copy, payload_size, max_size, error);
  if (frame->header != NULL)
    take_numbers (frame);
  return frame->header != NULL;
}

/* Keys come in order, by their bytes, none twice. */
gboolean
amnesia_frame_check_key (const char  *key,
                         const char  *previous,
                         GError     **error)
{
  if (strlen (key) > AMNESIA_MAX_KEY || (previous != NULL && strcmp (previous, key) >= 0))
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL,
                   "keys that are too long or out of order");
      return FALSE;
    }
  return TRUE;
}

void
amnesia_frame_clear (AmnesiaFrame *frame)
{
  g_clear_pointer (&frame->header, g_variant_unref);
  g_clear_pointer (&frame->payload, g_bytes_unref);
  g_clear_pointer (&frame->entries, g_ptr_array_unref);
  g_clear_pointer (&frame->single, g_free);
}

void
amnesia_packet_clear (AmnesiaPacket *packet)
{
  g_clear_pointer (&packet->head, g_bytes_unref);
  g_clear_pointer (&packet->payload, g_bytes_unref);
}

static GVariant *
hello_extensions (const AmnesiaHello *hello)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (hello->empty)
    g_variant_builder_add (&builder, "{sv}", "empty", g_variant_new_boolean (TRUE));
  return g_variant_builder_end (&builder);
}

/* The first packet of a connection: the preamble stands before the frame. */
void
amnesia_frame_encode_hello (const AmnesiaHello *hello,
                            AmnesiaPacket      *packet)
{
  GVariant *header = g_variant_new ("(qqtssqxt@a{sv})",
                                    hello->version_min, hello->version_max, hello->id,
                                    hello->group, hello->host, hello->port, hello->wall,
                                    hello->max_size, hello_extensions (hello));
  g_autoptr (GBytes) head = amnesia_frame_encode_head (AMNESIA_FRAME_HELLO, header, 0);
  GByteArray *all = g_byte_array_new ();

  g_byte_array_append (all, (const guint8 *) AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  g_byte_array_append (all, g_bytes_get_data (head, NULL), (guint) g_bytes_get_size (head));
  packet->head = g_byte_array_free_to_bytes (all);
  packet->payload = NULL;
}

void
amnesia_frame_decode_hello (const AmnesiaFrame *frame,
                            AmnesiaHello       *hello)
{
  g_autoptr (GVariant) extensions = NULL;

  g_variant_get (frame->header, "(qqtssqxt@a{sv})",
                 &hello->version_min, &hello->version_max, &hello->id, &hello->group,
                 &hello->host, &hello->port, &hello->wall, &hello->max_size, &extensions);
  hello->empty = FALSE;
  g_variant_lookup (extensions, "empty", "b", &hello->empty);
}

void
amnesia_hello_clear (AmnesiaHello *hello)
{
  g_clear_pointer (&hello->group, g_free);
  g_clear_pointer (&hello->host, g_free);
}

void
amnesia_frame_encode_bye (AmnesiaBye     reason,
                          const char    *message,
                          AmnesiaPacket *packet)
{
  set_head (packet, AMNESIA_FRAME_BYE,
            g_variant_new ("(us@a{sv})", (guint32) reason, message, amnesia_frame_no_extensions ()));
}

void
amnesia_frame_decode_bye (const AmnesiaFrame *frame,
                          AmnesiaBye         *reason,
                          char              **message)
{
  guint32 number;

  g_variant_get (frame->header, "(us@a{sv})", &number, message, NULL);
  *reason = (AmnesiaBye) number;
}

static void
set_numbers (AmnesiaPacket    *packet,
             AmnesiaFrameKind  kind,
             const guint64    *numbers)
{
  gsize size = kinds[kind].n_numbers * sizeof (guint64);
  guint8 *head = g_malloc0 (AMNESIA_PREFIX_SIZE + size);
  guint i;

  amnesia_frame_put_prefix (head, kind, size, 0);
  for (i = 0; i < kinds[kind].n_numbers; i++)
    {
      guint64 number = GUINT64_TO_LE (numbers[i]);

      memcpy (head + AMNESIA_PREFIX_SIZE + i * sizeof number, &number, sizeof number);
    }
  packet->head = g_bytes_new_take (head, AMNESIA_PREFIX_SIZE + size);
  packet->payload = NULL;
}

void
amnesia_frame_encode_ack (guint64        count,
                          AmnesiaPacket *packet)
{
  set_numbers (packet, AMNESIA_FRAME_ACK, &count);
}

guint64
amnesia_frame_decode_ack (const AmnesiaFrame *frame)
{
  return frame->numbers[0];
}

void
amnesia_frame_encode_links (GArray        *ids,
                            AmnesiaPacket *packet)
{
  GVariant *list = g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, ids->data, ids->len,
                                              sizeof (guint64));

  set_head (packet, AMNESIA_FRAME_LINKS, g_variant_new ("(@at)", list));
}

GArray *
amnesia_frame_decode_links (const AmnesiaFrame *frame)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (frame->header, 0);
  gsize n;
  const guint64 *ids = g_variant_get_fixed_array (list, &n, sizeof (guint64));
  GArray *links = g_array_new (FALSE, FALSE, sizeof (guint64));

  g_array_append_vals (links, ids, n);
  return links;
}

void
amnesia_frame_encode_beat (const AmnesiaBeat *beat,
                           AmnesiaPacket     *packet)
{
  const guint64 numbers[AMNESIA_FRAME_NUMBERS] = {
    beat->digest, (guint64) beat->wall, (guint64) beat->sent, (guint64) beat->echo,
    (guint64) beat->held,
  };

  set_numbers (packet, AMNESIA_FRAME_BEAT, numbers);
}

void
amnesia_frame_decode_beat (const AmnesiaFrame *frame,
                           AmnesiaBeat        *beat)
{
  *beat = (AmnesiaBeat) {
    .digest = frame->numbers[0],
    .wall = (gint64) frame->numbers[1],
    .sent = (gint64) frame->numbers[2],
    .echo = (gint64) frame->numbers[3],
    .held = (gint64) frame->numbers[4],
  };
}

/* Encodes as many of @entries, which are in the order of their keys, as fit into one frame, from
 * the key @from on. Returns the key with which the next frame begins, NULL if this is the last. */
char *
amnesia_frame_encode_list (GPtrArray     *entries,
                           const char    *from,
                           gboolean       reply,
                           AmnesiaPacket *packet)
{
  GVariantBuilder items;
  const char *to = NULL;
  gsize used = 0;
  guint i;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(sttt)"));
  for (i = 0; i < entries->len && to == NULL; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      if (strcmp (entry->key, from) < 0)
        continue;
      /* the key, three numbers, padding and two offsets */
      used += strlen (entry->key) + 48;
      if (used > AMNESIA_MAX_LIST - AMNESIA_MAX_CONTROL)
        to = entry->key;
      else
        g_variant_builder_add (&items, "(sttt)", entry->key, entry->stamp, entry->id,
                               (guint64) amnesia_entry_get_size (entry));
    }
  set_head (packet, AMNESIA_FRAME_LIST,
            g_variant_new ("(ssbba(sttt)@a{sv})", from, to != NULL ? to : "", to == NULL, reply,
                           &items, amnesia_frame_no_extensions ()));
  return g_strdup (to);
}

static void
list_item_clear (gpointer item)
{
  g_free (((AmnesiaListItem *) item)->key);
}

gboolean
amnesia_frame_decode_list (const AmnesiaFrame *frame,
                           AmnesiaList        *list,
                           GError            **error)
{
  g_autoptr (GVariantIter) iter = NULL;
  AmnesiaListItem item;
  const char *previous = NULL;

  g_variant_get (frame->header, "(ssbba(sttt)@a{sv})", &list->from, &list->to, &list->last,
                 &list->reply, &iter, NULL);
  list->items = g_array_new (FALSE, FALSE, sizeof (AmnesiaListItem));
  g_array_set_clear_func (list->items, list_item_clear);
  while (g_variant_iter_next (iter, "(sttt)", &item.key, &item.stamp, &item.id, &item.size))
    {
      g_array_append_val (list->items, item);
      if (!amnesia_frame_check_key (item.key, previous, error))
        return FALSE;
      previous = item.key;
    }
  return TRUE;
}

void
amnesia_list_clear (AmnesiaList *list)
{
  g_clear_pointer (&list->from, g_free);
  g_clear_pointer (&list->to, g_free);
  g_clear_pointer (&list->items, g_array_unref);
}
