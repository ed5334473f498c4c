/* SPDX-License-Identifier: MIT */

/* The header of a write of one value, which is put together and taken apart by hand: it has to be the
 * one that GVariant makes, byte for byte, and nothing else may pass for one. */

#include "testlib.h"

#include "mesh/amnesia-frame-private.h"

#include <string.h>

#define MAX_SIZE 1000000

static AmnesiaSingle *
make_single (gsize key_length,
             gsize type_length,
             guint n_seen)
{
  AmnesiaSingle *single = g_new0 (AmnesiaSingle, 1);
  guint i;

  single->stamp = G_GUINT64_CONSTANT (0x8123456789abcdef);
  single->id = 7;
  single->key = g_strnfill (key_length, 'k');
  single->type = g_strnfill (type_length, 'a');
  single->value_size = 300000;
  single->n_seen = n_seen;
  for (i = 0; i < n_seen; i++)
    single->seen[i] = (AmnesiaSeen) { i + 1, 1000 + i };
  return single;
}

static void
free_single (AmnesiaSingle *single)
{
  g_free ((char *) single->key);
  g_free ((char *) single->type);
  g_free (single);
}

/* Swapped where need be: the wire is little-endian. */
static GBytes *
encode_with_glib (const AmnesiaSingle *single)
{
  GVariantBuilder seen;
  g_autoptr (GVariant) header = NULL;
  guint i;

  g_variant_builder_init (&seen, G_VARIANT_TYPE ("a(tt)"));
  for (i = 0; i < single->n_seen; i++)
    g_variant_builder_add (&seen, "(tt)", single->seen[i].id, single->seen[i].stamp);
  header = g_variant_ref_sink (
    g_variant_new ("(tta(tt)@a(sst)@a{sv})", single->stamp, single->id, &seen,
                   g_variant_new_parsed ("[(%s, %s, %t)]", single->key, single->type,
                                         single->value_size),
                   g_variant_new_parsed ("@a{sv} {}")));
#if G_BYTE_ORDER == G_BIG_ENDIAN
  {
    g_autoptr (GVariant) swapped = g_variant_byteswap (header);

    return g_variant_get_data_as_bytes (swapped);
  }
#else
  return g_variant_get_data_as_bytes (header);
#endif
}

static void
assert_same (const AmnesiaSingle *a,
             const AmnesiaSingle *b)
{
  g_assert_cmphex (a->stamp, ==, b->stamp);
  g_assert_cmphex (a->id, ==, b->id);
  g_assert_cmpstr (a->key, ==, b->key);
  g_assert_cmpstr (a->type, ==, b->type);
  g_assert_cmpuint (a->value_size, ==, b->value_size);
  g_assert_cmpmem (a->seen, a->n_seen * sizeof *a->seen, b->seen, b->n_seen * sizeof *b->seen);
}

static void
check_there_and_back (gsize key_length,
                      gsize type_length,
                      guint n_seen)
{
  AmnesiaSingle *single = make_single (key_length, type_length, n_seen);
  g_autoptr (GBytes) right = encode_with_glib (single);
  guint8 bytes[AMNESIA_SINGLE_MAX];
  gsize size = amnesia_single_encode (single, bytes);
  g_autofree AmnesiaSingle *got = amnesia_single_decode (bytes, size);

  g_assert_cmpmem (bytes, size, g_bytes_get_data (right, NULL), g_bytes_get_size (right));
  g_assert_nonnull (got);
  assert_same (got, single);
  free_single (single);
}

static void
test_same (void)
{
  static const gsize types[] = { 0, 1, 2, 5, 100, 254, 255 };
  static const guint seen[] = { 0, 1, 2, 10, 16 };
  gsize key;
  guint i, j;

  g_test_summary ("The header is the one that GVariant makes, whatever its texts and numbers");

  for (key = 0; key <= 255; key++)
    for (i = 0; i < G_N_ELEMENTS (types); i++)
      for (j = 0; j < G_N_ELEMENTS (seen); j++)
        check_there_and_back (key, types[i], seen[j]);
}

/* What GVariant has of the same bytes, or NULL. */
static GVariant *
check_with_glib (const guint8 *bytes,
                 gsize         size,
                 guint64       value_size)
{
  g_autoptr (GBytes) copy = g_bytes_new (bytes, size);

  return amnesia_frame_check_header (AMNESIA_FRAME_WRITE, copy, (value_size + 7) / 8 * 8, MAX_SIZE,
                                     NULL);
}

/* Whatever passes is right, and means the same. */
static gboolean
check_bytes (const guint8 *bytes,
             gsize         size)
{
  g_autofree AmnesiaSingle *single = amnesia_single_decode (bytes, size);
  g_autoptr (GVariant) header = NULL;
  g_autoptr (GVariant) seen = NULL;
  const char *key, *type;
  guint64 stamp, id, value_size;

  if (single == NULL || single->value_size > MAX_SIZE)
    return FALSE;
  header = check_with_glib (bytes, size, single->value_size);
  g_assert_nonnull (header);
  g_variant_get (header, "(tt@a(tt)@a(sst)@a{sv})", &stamp, &id, &seen, NULL, NULL);
  g_assert_cmphex (stamp, ==, single->stamp);
  g_assert_cmphex (id, ==, single->id);
  g_assert_cmpuint (g_variant_n_children (seen), ==, single->n_seen);
  {
    g_autoptr (GVariant) items = g_variant_get_child_value (header, 3);

    g_assert_cmpuint (g_variant_n_children (items), ==, 1);
    g_variant_get_child (items, 0, "(&s&st)", &key, &type, &value_size);
    g_assert_cmpstr (key, ==, single->key);
    g_assert_cmpstr (type, ==, single->type);
    g_assert_cmpuint (value_size, ==, single->value_size);
  }
  return TRUE;
}

static void
test_mutated (void)
{
  static const struct
  {
    gsize key;
    gsize type;
    guint seen;
  } shapes[] = { { 0, 1, 0 }, { 3, 2, 2 }, { 120, 90, 3 }, { 255, 255, 16 } };
  guint i;

  g_test_summary ("What is taken apart is right for GVariant too, whichever byte is another");

  for (i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      AmnesiaSingle *single = make_single (shapes[i].key, shapes[i].type, shapes[i].seen);
      guint8 bytes[AMNESIA_SINGLE_MAX + 1];
      gsize size = amnesia_single_encode (single, bytes), at;
      guint n = 0;

      for (at = 0; at < size; at++)
        {
          guint8 was = bytes[at];
          guint value;

          for (value = 0; value < 256; value += i < 3 ? 1 : 17)
            {
              bytes[at] = (guint8) value;
              n += check_bytes (bytes, size);
            }
          bytes[at] = was;
        }
      g_test_message ("%u of them are right", n);
      for (at = 0; at < size; at++)
        g_assert_false (check_bytes (bytes, at));
      bytes[size] = 0;
      g_assert_false (check_bytes (bytes, size + 1));
      free_single (single);
    }
}

static void
test_random (void)
{
  guint i, n = g_test_slow () ? 10000000 : 200000;

  g_test_summary ("Bytes of any kind are taken apart without harm");

  for (i = 0; i < n; i++)
    {
      gsize size = (gsize) g_test_rand_int_range (0, 80), at;
      g_autofree guint8 *bytes = g_malloc (size + 1);

      for (at = 0; at < size; at++)
        bytes[at] = (guint8) g_test_rand_int_range (0, at + 4 > size ? (gint32) size + 2 : 256);
      check_bytes (bytes, size);
    }
}

static void
test_other (void)
{
  static const char *const headers[] = {
    "@(tta(tt)a(sst)a{sv}) (5, 9, [], [], {})",
    "@(tta(tt)a(sst)a{sv}) (5, 9, [], [('', 'y', 1), ('k', 'y', 1)], {})",
    "@(tta(tt)a(sst)a{sv}) (5, 9, [], [('', 'y', 1)], {'later': <1>})",
    "@(tta(tt)a(sst)a{sv}) (5, 9, [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), "
    "(9, 1), (10, 1), (11, 1), (12, 1), (13, 1), (14, 1), (15, 1), (16, 1), (17, 1)], "
    "[('', 'y', 1)], {})",
  };
  guint i;

  g_test_summary ("Writes of none or several values, or with what is added later, go the long way");

  for (i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      g_autoptr (GVariant) header = test_value (headers[i]);

      g_assert_null (amnesia_single_decode (g_variant_get_data (header),
                                            g_variant_get_size (header)));
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/single/same", test_same);
  g_test_add_func ("/single/mutated", test_mutated);
  g_test_add_func ("/single/random", test_random);
  g_test_add_func ("/single/other", test_other);
  return g_test_run ();
}
