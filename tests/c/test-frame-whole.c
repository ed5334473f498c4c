/* SPDX-License-Identifier: MIT */

/* The header of a write of the whole value, which is made and read without GVariant. */

#include "mesh/amnesia-frame-private.h"
#include "mesh/amnesia-limits-private.h"
#include "testlib.h"

#define MAX_SIZE (16 * 1024 * 1024)

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
    g_variant_new_parsed ("[('', %s, %t)]", g_variant_get_type_string (entry->value),
                          (guint64) g_variant_get_size (entry->value)),
    g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));
}

/* A tuple of @n bytes: its type has n + 2 characters. */
static AmnesiaEntry *
make_entry (guint n,
            guint n_seen)
{
  AmnesiaSeen seen[AMNESIA_MAX_SEEN];
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);
  guint i;

  for (i = 0; i < n_seen; i++)
    seen[i] = (AmnesiaSeen) { .id = i + 1, .stamp = 0x0102030405060708 + i };
  for (i = 0; i < n; i++)
    g_variant_builder_add (&builder, "y", i & 0xff);
  return amnesia_entry_new ("", 0x8070605040302010, 0xfedcba9876543210,
                            n > 0 ? g_variant_builder_end (&builder) : g_variant_new_string ("x"),
                            seen, n_seen);
}

static void
test_same (void)
{
  guint n, n_seen;

  g_test_summary ("The header of a whole value is byte by byte as GVariant makes it");

  for (n = 0; n <= 253; n++)
    for (n_seen = 0; n_seen <= AMNESIA_MAX_SEEN; n_seen++)
      {
        g_autoptr (AmnesiaEntry) entry = make_entry (n, n_seen);
        g_autoptr (GPtrArray) entries = amnesia_entries_new ();
        g_autoptr (GVariant) header = make_header (entry);
        g_auto (AmnesiaPacket) packet = { 0, };
        g_auto (AmnesiaFrame) frame = { AMNESIA_FRAME_WRITE };
        gsize size = g_variant_get_size (header);
        const guint8 *head;

        g_ptr_array_add (entries, amnesia_entry_ref (entry));
        amnesia_frame_encode_write (entries, &packet);
        head = g_bytes_get_data (packet.head, NULL);
        g_assert_cmpmem (head + AMNESIA_PREFIX_SIZE, size, g_variant_get_data (header), size);
        g_assert_cmpuint (g_bytes_get_size (packet.head), ==,
                          AMNESIA_PREFIX_SIZE + (size + 7) / 8 * 8);
        g_assert_true (amnesia_frame_read_header (&frame, head + AMNESIA_PREFIX_SIZE, size,
                                                  (amnesia_entry_get_size (entry) + 7) / 8 * 8,
                                                  MAX_SIZE, NULL));
        g_assert_nonnull (frame.whole);
        g_assert_cmpuint (frame.whole->stamp, ==, entry->stamp);
        g_assert_cmpuint (frame.whole->id, ==, entry->id);
        g_assert_cmpmem (frame.whole->seen, frame.whole->n_seen * sizeof (AmnesiaSeen),
                         entry->seen, n_seen * sizeof (AmnesiaSeen));
        g_assert_cmpstr (frame.whole->type, ==, g_variant_get_type_string (entry->value));
        g_assert_cmpuint (frame.whole->size, ==, amnesia_entry_get_size (entry));
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
      frame.whole == NULL)
    return;
  header = g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE ("(tta(tt)a(sst)a{sv})"),
                                                        bytes, size, FALSE, NULL, NULL));
  g_assert_true (g_variant_is_normal_form (header));
  g_variant_get (header, "(tta(tt)@a(sst)@a{sv})", &stamp, &id, NULL, &items, &more);
  g_assert_cmpuint (g_variant_n_children (more), ==, 0);
  g_assert_cmpuint (g_variant_n_children (items), ==, 1);
  g_variant_get_child (items, 0, "(&s&st)", &key, &type, &item_size);
  g_assert_cmpstr (key, ==, "");
  g_assert_cmpstr (type, ==, frame.whole->type);
  g_assert_cmpuint (item_size, ==, frame.whole->size);
  g_assert_cmpuint (stamp, ==, frame.whole->stamp);
  g_assert_cmpuint (id, ==, frame.whole->id);
}

static void
test_changed (void)
{
  const guint lengths[] = { 0, 1, 3, 100, 228, 229, 230, 253 };
  guint i, n_seen, value;
  gsize j;

  g_test_summary ("A header of a whole value with any one byte changed, or cut, is read right or not");

  for (i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (n_seen = 0; n_seen <= AMNESIA_MAX_SEEN; n_seen += 8)
      {
        g_autoptr (AmnesiaEntry) entry = make_entry (lengths[i], n_seen);
        g_autoptr (GVariant) header = make_header (entry);
        gsize size = g_variant_get_size (header);
        gsize payload_size = (amnesia_entry_get_size (entry) + 7) / 8 * 8;
        /* one more: where a header ends within padding, GLib looks at the byte behind it */
        g_autofree guint8 *bytes = g_malloc0 (size + 1);

        g_variant_store (header, bytes);
        for (j = 0; j < size; j++)
          {
            guint8 before = bytes[j];

            for (value = 0; value < 256; value += j < 16 + n_seen * 16 ? 85 : 1)
              {
                bytes[j] = (guint8) value;
                check_right (bytes, size, payload_size);
              }
            bytes[j] = before;
            check_right (bytes, j, payload_size);
          }
      }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/frame-whole/same", test_same);
  g_test_add_func ("/frame-whole/changed", test_changed);

  return g_test_run ();
}
