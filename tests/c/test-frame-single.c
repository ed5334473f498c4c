/* SPDX-License-Identifier: MIT */

/* The header of a write of one value, the whole or one key, which is made and read without GVariant. */

#include "mesh/amnesia-frame-private.h"
#include "mesh/amnesia-limits-private.h"
#include "testlib.h"

#define MAX_SIZE (16 * 1024 * 1024)

static const char *
get_type (const AmnesiaEntry *entry)
{
  return entry->value != NULL ? g_variant_get_type_string (entry->value) : "";
}

static GVariant *
make_header (const AmnesiaEntry *entry)
{
  GVariantBuilder seen;
  guint i;

  g_variant_builder_init (&seen, G_VARIANT_TYPE ("a(tt)"));
  for (i = 0; i < entry->n_seen; i++)
    g_variant_builder_add (&seen, "(tt)", entry->seen[i].id, entry->seen[i].stamp);
  return g_variant_ref_sink (g_variant_new (
    "(tta(tt)@a(sst)@a{sv})", entry->stamp, entry->id, &seen,
    g_variant_new_parsed ("[(%s, %s, %t)]", entry->key, get_type (entry),
                          (guint64) amnesia_entry_get_size (entry)),
    g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));
}

/* A tuple of @n bytes: its type has n + 2 characters; 0: nothing. The key has @key_length bytes, two for
 * each letter. */
static AmnesiaEntry *
make_entry (guint key_length,
            guint n,
            guint n_seen)
{
  AmnesiaSeen seen[AMNESIA_MAX_SEEN];
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);
  g_autoptr (GString) key = g_string_new (key_length % 2 != 0 ? "k" : "");
  guint i;

  while (key->len < key_length)
    g_string_append (key, "ö");

  for (i = 0; i < n_seen; i++)
    seen[i] = (AmnesiaSeen) { .id = i + 1, .stamp = 0x0102030405060708 + i };
  for (i = 0; i < n; i++)
    g_variant_builder_add (&builder, "y", i & 0xff);
  return amnesia_entry_new (key->str, 0x8070605040302010, 0xfedcba9876543210,
                            n > 0 ? g_variant_builder_end (&builder) : NULL, seen, n_seen);
}

static void
check_same (AmnesiaEntry *entry)
{
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  g_autoptr (GVariant) header = make_header (entry);
  g_auto (AmnesiaPacket) packet = { 0 };
  g_auto (AmnesiaFrame) frame = { AMNESIA_FRAME_WRITE };
  gsize size = g_variant_get_size (header);
  const guint8 *head;

  g_ptr_array_add (entries, amnesia_entry_ref (entry));
  amnesia_frame_encode_write (entries, &packet);
  head = g_bytes_get_data (packet.head, NULL);
  g_assert_cmpmem (head + AMNESIA_PREFIX_SIZE, size, g_variant_get_data (header), size);
  g_assert_cmpuint (g_bytes_get_size (packet.head), ==, AMNESIA_PREFIX_SIZE + (size + 7) / 8 * 8);
  g_assert_true (amnesia_frame_read_header (&frame, head + AMNESIA_PREFIX_SIZE, size,
                                            (amnesia_entry_get_size (entry) + 7) / 8 * 8,
                                            MAX_SIZE, NULL));
  g_assert_nonnull (frame.single);
  g_assert_cmpuint (frame.single->stamp, ==, entry->stamp);
  g_assert_cmpuint (frame.single->id, ==, entry->id);
  g_assert_cmpmem (frame.single->seen, frame.single->n_seen * sizeof (AmnesiaSeen),
                   entry->seen, entry->n_seen * sizeof (AmnesiaSeen));
  g_assert_cmpstr (frame.single->key, ==, entry->key);
  g_assert_cmpstr (frame.single->type, ==, get_type (entry));
  g_assert_cmpuint (frame.single->size, ==, amnesia_entry_get_size (entry));
}

static void
test_same (void)
{
  const guint few[] = { 0, 1, 7, 8, 9, 16 };
  guint length, i, j, n_seen;

  g_test_summary ("The header of a single value is byte by byte as GVariant makes it");

  for (length = 0; length <= 253; length++)
    for (n_seen = 0; n_seen <= AMNESIA_MAX_SEEN; n_seen++)
      for (i = 0; i < G_N_ELEMENTS (few) && few[i] <= length; i++)
        for (j = 0; j < 2; j++)
          {
            /* a long type with a short key, and the other way round */
            g_autoptr (AmnesiaEntry) entry = make_entry (j == 0 ? few[i] : length,
                                                         j == 0 ? length : few[i], n_seen);

            check_same (entry);
          }
}

/* What is read is right by GVariant's measure, and says the same there. */
static void
check_right (const guint8 *bytes,
             gsize         size,
             gsize         payload_size)
{
  g_auto (AmnesiaFrame) frame = { AMNESIA_FRAME_WRITE };
  g_autoptr (GVariant) header = NULL;
  g_autoptr (GVariant) items = NULL;
  g_autoptr (GVariant) more = NULL;
  guint64 stamp, id, item_size;
  const char *key, *type;

  if (!amnesia_frame_read_header (&frame, bytes, size, payload_size, MAX_SIZE, NULL) ||
      frame.single == NULL)
    return;
  header = g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE ("(tta(tt)a(sst)a{sv})"),
                                                        bytes, size, FALSE, NULL, NULL));
  g_assert_true (g_variant_is_normal_form (header));
  g_variant_get (header, "(tta(tt)@a(sst)@a{sv})", &stamp, &id, NULL, &items, &more);
  g_assert_cmpuint (g_variant_n_children (more), ==, 0);
  g_assert_cmpuint (g_variant_n_children (items), ==, 1);
  g_variant_get_child (items, 0, "(&s&st)", &key, &type, &item_size);
  g_assert_cmpstr (key, ==, frame.single->key);
  g_assert_cmpstr (type, ==, frame.single->type);
  g_assert_cmpuint (item_size, ==, frame.single->size);
  g_assert_cmpuint (stamp, ==, frame.single->stamp);
  g_assert_cmpuint (id, ==, frame.single->id);
}

static void
check_changed (const AmnesiaEntry *entry)
{
  g_autoptr (GVariant) header = make_header (entry);
  gsize i, size = g_variant_get_size (header);
  gsize payload_size = (amnesia_entry_get_size (entry) + 7) / 8 * 8;
  /* one more: where a header ends within padding, GLib looks at the byte behind it */
  g_autofree guint8 *bytes = g_malloc0 (size + 1);
  guint value;

  g_variant_store (header, bytes);
  for (i = 0; i < size; i++)
    {
      guint8 before = bytes[i];

      for (value = 0; value < 256; value += i < 16 + entry->n_seen * 16 ? 85 : 1)
        {
          bytes[i] = (guint8) value;
          check_right (bytes, size, payload_size);
        }
      bytes[i] = before;
      check_right (bytes, i, payload_size);
    }
}

static void
test_changed (void)
{
  const struct
  {
    guint key_length;
    guint n;
  } cases[] = {
    { 0, 0 }, { 0, 1 }, { 0, 3 }, { 0, 100 }, { 0, 228 }, { 0, 229 }, { 0, 230 }, { 0, 253 },
    { 1, 0 }, { 6, 1 }, { 229, 1 }, { 255, 253 },
  };
  guint i, n_seen;

  g_test_summary ("A header of a single value with any one byte changed, or cut, is read right or not");

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    for (n_seen = 0; n_seen <= AMNESIA_MAX_SEEN; n_seen += 8)
      {
        g_autoptr (AmnesiaEntry) entry = make_entry (cases[i].key_length, cases[i].n, n_seen);

        check_changed (entry);
      }
}

static void
test_long_keys (void)
{
  g_autoptr (AmnesiaEntry) longest = make_entry (255, 0, 0);
  g_autoptr (AmnesiaEntry) longer = make_entry (256, 0, 0);
  g_autoptr (GVariant) header = make_header (longer);
  g_auto (AmnesiaFrame) frame = { AMNESIA_FRAME_WRITE };
  g_autoptr (GError) error = NULL;

  g_test_summary ("A key of 255 bytes is the longest, however the header is read");

  check_same (longest);
  g_assert_true (amnesia_frame_read_header (&frame, g_variant_get_data (header),
                                            g_variant_get_size (header), 0, MAX_SIZE, NULL));
  g_assert_null (frame.single);
  frame.payload = g_bytes_new (NULL, 0);
  g_assert_null (amnesia_frame_decode_write (&frame, MAX_SIZE, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/frame-single/same", test_same);
  g_test_add_func ("/frame-single/changed", test_changed);
  g_test_add_func ("/frame-single/long-keys", test_long_keys);

  return g_test_run ();
}
