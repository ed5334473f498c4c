/* SPDX-License-Identifier: MIT */

/* Dictionaries as bytes: what is written is what GLib makes of the same members. */

#include "replica/amnesia-dictionary-private.h"

#include <string.h>

static GVariant *
make_value (guint i,
            gsize size)
{
  g_autofree char *bytes = g_strnfill (size, 'x');

  switch (i % 6)
    {
    case 0:
      return g_variant_new_byte ((guint8) i);
    case 1:
      return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1);
    case 2:
      return g_variant_new_string (bytes);
    case 3:
      return g_variant_new_parsed ("{'x': <%u>, 'y': <[1.5, 2.5]>}", i);
    case 4:
      return g_variant_new_tuple (NULL, 0);
    default:
      return g_variant_new_maybe (G_VARIANT_TYPE_INT64, NULL);
    }
}

static void
assert_same (GVariant *a,
             GVariant *b)
{
  g_assert_cmpmem (g_variant_get_data (a), g_variant_get_size (a), g_variant_get_data (b), g_variant_get_size (b));
  g_assert_true (g_variant_is_normal_form (a));
}

/* Reads what there is, and writes it once more. */
static GVariant *
copy (GVariant *dictionary)
{
  AmnesiaDictionaryReader reader;
  AmnesiaDictionaryWriter writer;

  amnesia_dictionary_reader_init (&reader, dictionary);
  amnesia_dictionary_writer_init (&writer, 0);
  g_assert_cmpuint (reader.n_members, ==, g_variant_n_children (dictionary));
  for (gsize i = 0; i < reader.n_members; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (dictionary, i);
      gsize size;
      const char *member = amnesia_dictionary_reader_get (&reader, i, &size);

      g_assert_cmpmem (member, size, g_variant_get_data (child), g_variant_get_size (child));
      amnesia_dictionary_writer_add_member (&writer, member, size);
    }

  return amnesia_dictionary_writer_end (&writer);
}

static void
check (guint n,
       gsize size)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  g_autoptr (GVariant) right = NULL, written = NULL, again = NULL;
  AmnesiaDictionaryWriter writer;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  amnesia_dictionary_writer_init (&writer, n);
  for (guint i = 0; i < n; i++)
    {
      char *key = g_strdup_printf ("%0*u", 1 + (int) (i % 11), i);
      GVariant *value = g_variant_ref_sink (make_value (i, size));

      g_ptr_array_add (keys, key);
      g_ptr_array_add (values, value);
      g_variant_builder_add (&builder, "{sv}", key, value);
      amnesia_dictionary_writer_add (&writer, key, value);
    }
  right = g_variant_ref_sink (g_variant_builder_end (&builder));
  written = amnesia_dictionary_writer_end (&writer);
  again = copy (written);
  assert_same (written, right);
  assert_same (again, right);
  g_assert_true (g_variant_equal (written, right));
}

static void
test_small (void)
{
  g_test_summary ("Of any number of members, and with offsets of one byte and of two");

  for (guint n = 0; n < 30; n++)
    for (gsize size = 0; size < 300; size += 1 + size / 8)
      check (n, size);
}

static void
test_large (void)
{
  g_test_summary ("With offsets of two bytes and of four, also where it just becomes more");

  for (gsize size = 65300; size < 65560; size++)
    check (2, size);
  check (20000, 3);
  check (12, 100000);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dictionary/small", test_small);
  g_test_add_func ("/dictionary/large", test_large);
  return g_test_run ();
}
