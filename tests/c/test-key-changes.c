/* SPDX-License-Identifier: MIT */

/* Which members differ between two values. */

#include "testlib.h"

#include "amnesia-key-changes-private.h"

#include <string.h>
#include <time.h>

#define MOST 65536

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = text != NULL ? g_variant_parse (NULL, text, NULL, NULL, &error) : NULL;

  g_assert_no_error (error);

  return value;
}

/* The same value as it comes from a peer. */
static GVariant *
reread (GVariant *value)
{
  g_autoptr (GBytes) bytes = value != NULL ? g_variant_get_data_as_bytes (value) : NULL;

  if (value == NULL)
    return NULL;

  return g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (value), bytes, FALSE));
}

static char *
print (GVariant *value)
{
  return value != NULL ? g_variant_print (value, FALSE) : g_strdup ("-");
}

static void
write_down_cb (const char *key,
               GVariant   *old_value,
               GVariant   *new_value,
               gpointer    user_data)
{
  g_autofree char *old_text = print (old_value);
  g_autofree char *new_text = print (new_value);

  g_string_append_printf (user_data, "%s: %s > %s; ", key, old_text, new_text);
}

static void
assert_told (GVariant   *old_value,
             GVariant   *new_value,
             const char *expected)
{
  g_autoptr (GString) told = g_string_new (NULL);

  g_assert_true (amnesia_key_changes_foreach (old_value, new_value, write_down_cb, told));
  g_assert_cmpstr (told->str, ==, expected);
}

static const struct
{
  const char *old_text; /* (nullable) */
  const char *new_text; /* (nullable) */
  const char *told;
} rows[] = {
  { NULL, NULL, "" },
  { NULL, "@a{sv} {}", "" },
  { NULL, "{'a': <1>, 'b': <2>}", "a: - > 1; b: - > 2; " },
  { "{'a': <1>, 'b': <2>}", NULL, "a: 1 > -; b: 2 > -; " },
  { "{'a': <1>}", "{'a': <1>}", "" },
  { "{'a': <1>, 'b': <2>, 'c': <3>}", "{'a': <1>, 'b': <4>, 'c': <3>}", "b: 2 > 4; " },
  { "{'b': <1>}", "{'a': <2>, 'b': <1>, 'c': <3>}", "a: - > 2; c: - > 3; " },
  { "{'a': <2>, 'b': <1>, 'c': <3>}", "{'b': <1>}", "a: 2 > -; c: 3 > -; " },
  { "{'a': <1>}", "{'b': <1>}", "a: 1 > -; b: - > 1; " },
  /* whatever their order */
  { "{'c': <1>, 'a': <2>, 'b': <3>}", "{'b': <3>, 'c': <4>, 'a': <5>}", "a: 2 > 5; c: 1 > 4; " },
  { "{'c': <1>, 'a': <2>}", "{'a': <2>, 'c': <1>}", "" },
  /* strcmp's order: bytes, not an alphabet */
  { NULL, "{'ä': <1>, 'b': <2>, 'Z': <3>}", "Z: - > 3; b: - > 2; ä: - > 1; " },
  /* another type is another value; the order of a dictionary is not */
  { "{'a': <1>}", "{'a': <int64 1>}", "a: 1 > 1; " },
  { "{'a': <{'x': <1>, 'y': <2>}>}", "{'a': <{'y': <2>, 'x': <1>}>}", "" },
  { "{'a': <{'x': <1>, 'y': <2>}>}", "{'a': <{'y': <2>, 'x': <3>}>}",
    "a: {'x': <1>, 'y': <2>} > {'y': <2>, 'x': <3>}; " },
  /* all bytes of the one are the first of the other */
  { "{'k': <byte 0x78>}", "{'k': <[byte 0x78, 0x00, 0x79, 0x02]>}",
    "k: 0x78 > [0x78, 0x00, 0x79, 0x02]; " },
  /* one variant is taken off, not two */
  { NULL, "{'a': <<1>>}", "a: - > <1>; " },
  /* what is no a{sv} has no keys */
  { "'text'", "{'a': <1>}", "a: - > 1; " },
  { "{'a': <1>}", "7", "a: 1 > -; " },
  { "{'a': 'x'}", "{'a': 'y'}", "" },
  { "'x'", "'y'", "" },
  /* "" is no key */
  { "{'': <1>, 'a': <1>}", "{'': <2>, 'a': <2>}", "a: 1 > 2; " },
};

static void
test_rows (void)
{
  g_test_summary ("Each key whose value differs is told, in order, from trees and from bytes");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GVariant) old_value = parse (rows[i].old_text);
      g_autoptr (GVariant) new_value = parse (rows[i].new_text);
      g_autoptr (GVariant) old_bytes = reread (old_value);
      g_autoptr (GVariant) new_bytes = reread (new_value);

      g_test_message ("row %u: %s", i, rows[i].told);
      assert_told (old_value, new_value, rows[i].told);
      assert_told (old_bytes, new_bytes, rows[i].told);
      assert_told (old_value, new_bytes, rows[i].told);
    }
}

static GVariant *
make_one (const char *key,
          gint32      number)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, key, "i", number);

  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static void
test_length (void)
{
  g_autofree char *longest = g_strnfill (255, 'k');
  g_autofree char *too_long = g_strnfill (256, 'k');
  g_autofree char *expected = g_strdup_printf ("%s: - > 1; ", longest);
  g_autoptr (GVariant) with_longest = make_one (longest, 1);
  g_autoptr (GVariant) with_too_long = make_one (too_long, 1);

  g_test_summary ("A key has 255 bytes at most");

  assert_told (NULL, with_longest, expected);
  assert_told (NULL, with_too_long, "");
}

/* Keys that are in order if there are as many digits, and not if there are not. */
static GVariant *
make_many (guint       n,
           const char *format)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf (format, i);

      g_variant_builder_add (&builder, "{sv}", key, g_variant_new_uint32 (i));
    }

  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

typedef struct
{
  guint n_told;
  char  last[16];
} Counter;

static void
count_cb (const char *key,
          GVariant   *old_value,
          GVariant   *new_value,
          gpointer    user_data)
{
  Counter *counter = user_data;

  g_assert_cmpint (strcmp (counter->last, key), <, 0);
  g_strlcpy (counter->last, key, sizeof counter->last);
  counter->n_told++;
}

/* Of the processor. */
static double
get_seconds (void)
{
  return clock () / (double) CLOCKS_PER_SEC;
}

/* Returns how long it took. */
static double
count_all (GVariant *value)
{
  double start = get_seconds ();
  Counter counter = { 0 };

  g_assert_true (amnesia_key_changes_foreach (NULL, value, count_cb, &counter));
  g_assert_cmpuint (counter.n_told, ==, MOST);

  return get_seconds () - start;
}

static void
test_most (void)
{
  static const char *const formats[] = { "%u", "%05u" };

  g_test_summary ("65,536 members are told in order, as quickly as they are made");

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      double start = get_seconds ();
      g_autoptr (GVariant) tree = make_many (MOST, formats[i]);
      g_autoptr (GVariant) bytes = reread (tree);
      double making = get_seconds () - start;
      double of_tree = count_all (tree);
      double of_bytes = count_all (bytes);
      Counter counter = { 0 };

      g_test_message ("%s: %.3f s, made in %.3f s", formats[i], of_bytes, making);
      g_assert_cmpfloat (of_tree, <, 4 * making + 0.1);
      g_assert_cmpfloat (of_bytes, <, 4 * making + 0.1); /* or it is a second more */
      g_assert_true (amnesia_key_changes_foreach (tree, bytes, count_cb, &counter));
      g_assert_cmpuint (counter.n_told, ==, 0);
    }
}

static void
test_too_many (void)
{
  g_autoptr (GVariant) too_many = make_many (MOST + 1, "%u");
  g_autoptr (GVariant) few = make_many (2, "%u");
  Counter counter = { 0 };

  g_test_summary ("With more members, before or after, nothing is told");

  g_assert_false (amnesia_key_changes_foreach (NULL, too_many, count_cb, &counter));
  g_assert_false (amnesia_key_changes_foreach (too_many, few, count_cb, &counter));
  g_assert_cmpuint (counter.n_told, ==, 0);
}

static void
test_wrong_bytes (void)
{
  g_autoptr (GVariant) good = make_one ("k", 1);
  g_autofree guint8 *copy = g_memdup2 (g_variant_get_data (good), g_variant_get_size (good));
  g_autoptr (GVariant) wrong = NULL;

  g_test_summary ("Bytes that are not in normal form have no keys");

  copy[strlen ("k")] = 'x';
  wrong = g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, copy,
                                                       g_variant_get_size (good), FALSE, NULL,
                                                       NULL));
  assert_told (wrong, NULL, "");
}

static void
drop_cb (const char *key,
         GVariant   *old_value,
         GVariant   *new_value,
         gpointer    user_data)
{
  g_clear_pointer ((GVariant **) user_data, g_variant_unref);
}

static void
test_dropped_meanwhile (void)
{
  GVariant *value = make_many (3, "%u");

  g_test_summary ("The value may go while its members are told");

  g_assert_true (amnesia_key_changes_foreach (NULL, value, drop_cb, &value));
  g_assert_null (value);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/key-changes/rows", test_rows);
  g_test_add_func ("/key-changes/length", test_length);
  g_test_add_func ("/key-changes/most", test_most);
  g_test_add_func ("/key-changes/too-many", test_too_many);
  g_test_add_func ("/key-changes/wrong-bytes", test_wrong_bytes);
  g_test_add_func ("/key-changes/dropped-meanwhile", test_dropped_meanwhile);

  return g_test_run ();
}
