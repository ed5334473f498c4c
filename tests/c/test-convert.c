/* SPDX-License-Identifier: MIT */

/* GVariants and the values of properties: right, or an error. */

#include "amnesia-convert-private.h"
#include "testlib.h"

#include <string.h>

#define TOO_MANY_STRINGS 65537

typedef enum
{
  TEST_MODE_OFF = 3,
  TEST_MODE_HALF_ON,
} TestMode;

static GType
test_mode_get_type (void)
{
  static const GEnumValue values[] = {
    { TEST_MODE_OFF, "TEST_MODE_OFF", "off" },
    { TEST_MODE_HALF_ON, "TEST_MODE_HALF_ON", "half-on" },
    { 0 },
  };
  static GType type;

  if (type == 0)
    type = g_enum_register_static ("TestMode", values);
  return type;
}

static GType
test_parts_get_type (void)
{
  static const GFlagsValue values[] = {
    { 0, "TEST_PARTS_NONE", "none" },
    { 1, "TEST_PARTS_ARM", "arm" },
    { 2, "TEST_PARTS_LEG", "leg" },
    { 0 },
  };
  static GType type;

  if (type == 0)
    type = g_flags_register_static ("TestParts", values);
  return type;
}

/* The types of this test's own, which are no constants. */
#define MODE ((GType) 1)
#define PARTS ((GType) 2)
#define STRV ((GType) 3)
#define BYTES ((GType) 4)
#define BYTE_ARRAY ((GType) 5)

static GType
find_type (GType type)
{
  switch (type)
    {
    case MODE:
      return test_mode_get_type ();
    case PARTS:
      return test_parts_get_type ();
    case STRV:
      return G_TYPE_STRV;
    case BYTES:
      return G_TYPE_BYTES;
    case BYTE_ARRAY:
      return G_TYPE_BYTE_ARRAY;
    default:
      return type;
    }
}

static char *
show_boxed (const GValue *value)
{
  g_autofree char *joined = NULL;
  GByteArray *array;

  if (G_VALUE_HOLDS (value, G_TYPE_STRV))
    {
      joined = g_strjoinv ("|", g_value_get_boxed (value));
      return g_strdup_printf ("(%s)", joined);
    }
  if (G_VALUE_HOLDS (value, G_TYPE_BYTES))
    return g_strdup_printf ("%" G_GSIZE_FORMAT " bytes",
                            g_bytes_get_size (g_value_get_boxed (value)));
  array = g_value_get_boxed (value);
  return g_strdup_printf ("%u bytes, last %u", array->len,
                          array->len > 0 ? array->data[array->len - 1] : 0);
}

/* Without rounding, and by other means than the code that is tested. */
static char *
show (const GValue *value)
{
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value)))
    {
    case G_TYPE_BOOLEAN:
      return g_strdup (g_value_get_boolean (value) ? "true" : "false");
    case G_TYPE_CHAR:
      return g_strdup_printf ("%d", g_value_get_schar (value));
    case G_TYPE_UCHAR:
      return g_strdup_printf ("%u", g_value_get_uchar (value));
    case G_TYPE_INT:
      return g_strdup_printf ("%d", g_value_get_int (value));
    case G_TYPE_UINT:
      return g_strdup_printf ("%u", g_value_get_uint (value));
    case G_TYPE_LONG:
      return g_strdup_printf ("%ld", g_value_get_long (value));
    case G_TYPE_ULONG:
      return g_strdup_printf ("%lu", g_value_get_ulong (value));
    case G_TYPE_INT64:
      return g_strdup_printf ("%" G_GINT64_FORMAT, g_value_get_int64 (value));
    case G_TYPE_UINT64:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, g_value_get_uint64 (value));
    case G_TYPE_FLOAT:
      return g_strdup_printf ("%.9g", (double) g_value_get_float (value));
    case G_TYPE_DOUBLE:
      return g_strdup_printf ("%.17g", g_value_get_double (value));
    case G_TYPE_STRING:
      return g_strdup_printf ("'%s'", g_value_get_string (value));
    case G_TYPE_ENUM:
      return g_strdup_printf ("%d", g_value_get_enum (value));
    case G_TYPE_FLAGS:
      return g_strdup_printf ("%u", g_value_get_flags (value));
    case G_TYPE_VARIANT:
      return g_variant_print (g_value_get_variant (value), TRUE);
    default:
      return show_boxed (value);
    }
}

typedef struct
{
  const char *text;     /* in GVariant's notation */
  GType       type;
  const char *expected; /* (nullable): NULL if it is refused */
} Row;

static const Row to_value[] = {
  { "true", G_TYPE_BOOLEAN, "true" },
  { "false", G_TYPE_BOOLEAN, "false" },
  { "1", G_TYPE_BOOLEAN },
  { "true", G_TYPE_INT },
  { "true", G_TYPE_DOUBLE },
  { "true", G_TYPE_STRING },

  /* each type of number has two ends */
  { "int64 -128", G_TYPE_CHAR, "-128" },
  { "int64 -129", G_TYPE_CHAR },
  { "int64 127", G_TYPE_CHAR, "127" },
  { "int64 128", G_TYPE_CHAR },
  { "byte 0xff", G_TYPE_CHAR },
  { "byte 0xff", G_TYPE_UCHAR, "255" },
  { "int64 256", G_TYPE_UCHAR },
  { "int64 -1", G_TYPE_UCHAR },
  { "int64 -2147483648", G_TYPE_INT, "-2147483648" },
  { "int64 -2147483649", G_TYPE_INT },
  { "int64 2147483647", G_TYPE_INT, "2147483647" },
  { "int64 2147483648", G_TYPE_INT },
  { "uint64 18446744073709551615", G_TYPE_INT },
  { "int64 4294967295", G_TYPE_UINT, "4294967295" },
  { "int64 4294967296", G_TYPE_UINT },
  { "-1", G_TYPE_UINT },
  { "int16 -32768", G_TYPE_LONG, "-32768" },
  { "uint64 9223372036854775807", G_TYPE_LONG, "9223372036854775807" },
  { "uint64 9223372036854775808", G_TYPE_LONG },
  { "uint64 18446744073709551615", G_TYPE_ULONG, "18446744073709551615" },
  { "int64 -1", G_TYPE_ULONG },
  { "int64 -9223372036854775808", G_TYPE_INT64, "-9223372036854775808" },
  { "uint64 9223372036854775808", G_TYPE_INT64 },
  { "uint64 18446744073709551615", G_TYPE_UINT64, "18446744073709551615" },
  { "uint16 65535", G_TYPE_UINT64, "65535" },
  { "uint32 4294967295", G_TYPE_UINT64, "4294967295" },
  { "int64 -1", G_TYPE_UINT64 },

  /* a double that is whole is one, a fraction is not */
  { "3.0", G_TYPE_INT, "3" },
  { "-3.0", G_TYPE_INT, "-3" },
  { "-0.0", G_TYPE_UINT, "0" },
  { "3.5", G_TYPE_INT },
  { "-0.5", G_TYPE_UINT },
  { "1e10", G_TYPE_INT },
  { "1e300", G_TYPE_INT64 },
  { "9223372036854775807.0", G_TYPE_INT64 }, /* which is 2^63 */
  { "9223372036854774784.0", G_TYPE_INT64, "9223372036854774784" },
  { "-9223372036854775808.0", G_TYPE_INT64, "-9223372036854775808" },
  { "-9223372036854777856.0", G_TYPE_INT64 },
  { "9223372036854775808.0", G_TYPE_UINT64, "9223372036854775808" },
  { "18446744073709551616.0", G_TYPE_UINT64 },
  { "-1.0", G_TYPE_UINT64 },
  { "nan", G_TYPE_INT },
  { "inf", G_TYPE_INT64 },
  { "-inf", G_TYPE_UINT64 },

  /* no digit of a whole number gets lost */
  { "int64 9007199254740992", G_TYPE_DOUBLE, "9007199254740992" },
  { "int64 9007199254740993", G_TYPE_DOUBLE },
  { "int64 -9007199254740993", G_TYPE_DOUBLE },
  { "int64 9007199254740994", G_TYPE_DOUBLE, "9007199254740994" },
  { "int64 9223372036854775807", G_TYPE_DOUBLE },
  { "int64 -9223372036854775808", G_TYPE_DOUBLE, "-9.2233720368547758e+18" },
  { "uint64 9223372036854775808", G_TYPE_DOUBLE, "9.2233720368547758e+18" },
  { "uint64 18446744073709551615", G_TYPE_DOUBLE },
  { "int64 16777216", G_TYPE_FLOAT, "16777216" },
  { "int64 16777217", G_TYPE_FLOAT },
  { "uint64 18446744073709551615", G_TYPE_FLOAT },
  { "0.1", G_TYPE_DOUBLE, "0.10000000000000001" },
  { "0.1", G_TYPE_FLOAT, "0.100000001" },
  { "16777217.0", G_TYPE_FLOAT, "16777216" },
  { "3.4028234e38", G_TYPE_FLOAT, "3.40282347e+38" },
  { "3.5e38", G_TYPE_FLOAT },
  { "-1e300", G_TYPE_FLOAT },
  { "1e-300", G_TYPE_FLOAT },
  { "0.0", G_TYPE_FLOAT, "0" },
  { "inf", G_TYPE_FLOAT, "inf" },
  { "inf", G_TYPE_DOUBLE, "inf" },
  { "nan", G_TYPE_DOUBLE, "nan" },
  { "'5'", G_TYPE_INT },
  { "'5'", G_TYPE_DOUBLE },
  { "[5]", G_TYPE_INT },
  { "handle 1", G_TYPE_INT },

  { "'Grüße'", G_TYPE_STRING, "'Grüße'" },
  { "''", G_TYPE_STRING, "''" },
  { "objectpath '/a'", G_TYPE_STRING, "'/a'" },
  { "signature 'as'", G_TYPE_STRING, "'as'" },
  { "5", G_TYPE_STRING },
  { "b'abc'", G_TYPE_STRING },

  { "'half-on'", MODE, "4" },
  { "'TEST_MODE_OFF'", MODE },
  { "'on'", MODE },
  { "''", MODE },
  { "3", MODE },
  { "['leg', 'arm', 'leg']", PARTS, "3" },
  { "[<'arm'>]", PARTS, "1" },
  { "@as []", PARTS, "0" },
  { "['none']", PARTS, "0" },
  { "['head', 'arm']", PARTS },
  { "'arm'", PARTS },
  { "3", PARTS },

  { "['a', '', 'b']", STRV, "(a||b)" },
  { "@as []", STRV, "()" },
  { "@av []", STRV, "()" },
  { "[<'a'>, <<'b'>>]", STRV, "(a|b)" },
  { "[<'a'>, <5>]", STRV },
  { "[<'a'>, <@mv nothing>]", STRV },
  { "'a'", STRV },
  { "@ai []", STRV },
  { "[byte 1, 0, 7]", BYTES, "3 bytes" },
  { "@ay []", BYTES, "0 bytes" },
  { "[1, 2]", BYTES },
  { "[byte 1, 0, 7]", BYTE_ARRAY, "3 bytes, last 7" },
  { "@ay []", BYTE_ARRAY, "0 bytes, last 0" },
  { "'a'", BYTE_ARRAY },

  /* what is in boxes; nothing is nothing */
  { "<int64 5>", G_TYPE_INT, "5" },
  { "<<@mmi 5>>", G_TYPE_INT, "5" },
  { "@mv <'a'>", G_TYPE_STRING, "'a'" },
  { "@mv nothing", G_TYPE_STRING },
  { "@mmi just nothing", G_TYPE_INT },
  { "@mv nothing", STRV },
  { "@mv nothing", BYTES },
  { "@mv nothing", G_TYPE_VARIANT, "@mv nothing" },
  { "{'a': <(1, 'b')>}", G_TYPE_VARIANT, "{'a': <(1, 'b')>}" },
  { "<5>", G_TYPE_VARIANT, "<5>" },
};

static void
test_to_value (void)
{
  guint i;

  g_test_summary ("Each GVariant becomes the value of a property that is the same, or an error");

  for (i = 0; i < G_N_ELEMENTS (to_value); i++)
    {
      const Row *row = &to_value[i];
      g_autoptr (GVariant) variant = test_value (row->text);
      g_autoptr (GError) error = NULL;
      g_autofree char *got = NULL;
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, find_type (row->type));
      g_test_message ("%s as %s", row->text, G_VALUE_TYPE_NAME (&value));
      g_assert_true (amnesia_convert_knows_type (G_VALUE_TYPE (&value)));
      if (amnesia_convert_to_value (variant, &value, &error))
        got = show (&value);
      g_assert_cmpstr (got, ==, row->expected);
      if (row->expected == NULL)
        g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE);
      else
        g_assert_no_error (error);
    }
}

/* --- from the value of a property --- */

typedef struct
{
  GType       type;
  const char *value;    /* the property's, as a GVariant that becomes it */
  const char *present;  /* (nullable) of the key */
  const char *expected; /* (nullable) */
} BackRow;

static const BackRow from_value[] = {
  { G_TYPE_BOOLEAN, "true", NULL, "true" },
  { G_TYPE_BOOLEAN, "false", "5", "false" },
  { G_TYPE_CHAR, "-5", NULL, "int64 -5" },
  { G_TYPE_UCHAR, "200", NULL, "int64 200" },
  { G_TYPE_INT, "-5", NULL, "int64 -5" },
  { G_TYPE_UINT, "uint32 4294967295", NULL, "int64 4294967295" },
  { G_TYPE_LONG, "-5", NULL, "int64 -5" },
  { G_TYPE_ULONG, "5", NULL, "int64 5" },
  { G_TYPE_INT64, "int64 -9223372036854775808", NULL, "int64 -9223372036854775808" },
  { G_TYPE_UINT64, "uint64 9223372036854775807", NULL, "int64 9223372036854775807" },
  { G_TYPE_UINT64, "uint64 9223372036854775808", NULL, "uint64 9223372036854775808" },
  { G_TYPE_DOUBLE, "3.0", NULL, "3.0" },
  { G_TYPE_FLOAT, "0.5", NULL, "0.5" },

  /* a number keeps the type that the key has, if it fits */
  { G_TYPE_INT, "7", "byte 0x01", "byte 0x07" },
  { G_TYPE_INT, "256", "byte 0x01", "int64 256" },
  { G_TYPE_INT, "-1", "byte 0x01", "int64 -1" },
  { G_TYPE_INT, "-32768", "int16 1", "int16 -32768" },
  { G_TYPE_INT, "32768", "int16 1", "int64 32768" },
  { G_TYPE_INT, "65535", "uint16 1", "uint16 65535" },
  { G_TYPE_INT, "65536", "uint16 1", "int64 65536" },
  { G_TYPE_INT, "7", "1", "7" },
  { G_TYPE_INT64, "int64 2147483648", "1", "int64 2147483648" },
  { G_TYPE_INT64, "int64 4294967295", "uint32 1", "uint32 4294967295" },
  { G_TYPE_INT64, "int64 4294967296", "uint32 1", "int64 4294967296" },
  { G_TYPE_INT, "7", "uint64 1", "uint64 7" },
  { G_TYPE_INT, "-7", "uint64 1", "int64 -7" },
  { G_TYPE_UINT64, "uint64 18446744073709551615", "int64 1", "uint64 18446744073709551615" },
  { G_TYPE_INT, "7", "0.5", "7.0" },
  { G_TYPE_INT64, "int64 9007199254740993", "0.5", "int64 9007199254740993" },
  { G_TYPE_DOUBLE, "3.0", "int64 1", "int64 3" },
  { G_TYPE_DOUBLE, "3.5", "int64 1", "3.5" },
  { G_TYPE_DOUBLE, "1e22", "int64 1", "1e+22" },
  { G_TYPE_DOUBLE, "nan", "int64 1", "nan" },
  { G_TYPE_DOUBLE, "3.0", "byte 0x01", "byte 0x03" },
  { G_TYPE_FLOAT, "3.0", "int64 1", "int64 3" },
  { G_TYPE_INT, "7", "<byte 0x01>", "byte 0x07" },
  { G_TYPE_INT, "7", "true", "int64 7" },
  { G_TYPE_INT, "7", "'a'", "int64 7" },
  { G_TYPE_INT, "7", "@mv nothing", "int64 7" },
  { G_TYPE_INT, "7", "handle 1", "int64 7" },

  { G_TYPE_STRING, "'ä'", NULL, "'ä'" },
  { G_TYPE_STRING, "'/a'", "objectpath '/b'", "'/a'" },
  { MODE, "'half-on'", "'off'", "'half-on'" },
  { PARTS, "['leg', 'arm']", NULL, "['arm', 'leg']" },
  { PARTS, "['leg', 'arm']", "[<5>]", "[<'arm'>, <'leg'>]" },
  { PARTS, "@as []", NULL, "@as []" },
  { PARTS, "@as []", "@av []", "@av []" },
  { STRV, "['b', 'a']", NULL, "['b', 'a']" },
  { STRV, "['b', 'a']", "@av []", "[<'b'>, <'a'>]" },
  { STRV, "['b', 'a']", "5", "['b', 'a']" },
  { STRV, "@as []", NULL, "@as []" },
  { BYTES, "[byte 1, 0, 2]", NULL, "[byte 0x01, 0x00, 0x02]" },
  { BYTES, "@ay []", "5", "@ay []" },
  { BYTE_ARRAY, "[byte 1, 0, 2]", NULL, "[byte 0x01, 0x00, 0x02]" },
  { BYTE_ARRAY, "@ay []", NULL, "@ay []" },
  { G_TYPE_VARIANT, "(1, 'a')", "5", "(1, 'a')" },
};

static void
assert_becomes (const GValue *value,
                const char   *present_text,
                const char   *expected)
{
  g_autoptr (GVariant) present = present_text != NULL ? test_value (present_text) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) variant = amnesia_convert_from_value (value, present, &error);
  g_autofree char *got = variant != NULL ? g_variant_print (variant, TRUE) : NULL;

  g_assert_cmpstr (got, ==, expected);
  g_assert_true (variant == NULL || !g_variant_is_floating (variant));
  if (expected == NULL)
    g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE);
  else
    g_assert_no_error (error);
}

static void
test_from_value (void)
{
  guint i;

  g_test_summary ("A property's value becomes a GVariant: a number of the type that was there, if it "
                  "fits, else of the one that all languages use");

  for (i = 0; i < G_N_ELEMENTS (from_value); i++)
    {
      const BackRow *row = &from_value[i];
      g_autoptr (GVariant) variant = test_value (row->value);
      g_auto (GValue) value = G_VALUE_INIT;
      g_autoptr (GError) error = NULL;

      g_value_init (&value, find_type (row->type));
      g_test_message ("%s %s over %s", G_VALUE_TYPE_NAME (&value), row->value, row->present);
      amnesia_convert_to_value (variant, &value, &error);
      g_assert_no_error (error);
      assert_becomes (&value, row->present, row->expected);
    }
}

static void
test_no_form (void)
{
  static const GType nulls[] = { G_TYPE_STRING, STRV, BYTES, BYTE_ARRAY, G_TYPE_VARIANT };
  static const char *const broken[] = { "a", "\xff", NULL };
  g_auto (GValue) value = G_VALUE_INIT;
  guint i;

  g_test_summary ("NULL, what is not UTF-8, and what an enumeration has not, do not become GVariants");

  for (i = 0; i < G_N_ELEMENTS (nulls); i++)
    {
      g_value_init (&value, find_type (nulls[i]));
      assert_becomes (&value, NULL, NULL);
      assert_becomes (&value, "5", NULL);
      g_value_unset (&value);
    }
  g_value_init (&value, G_TYPE_STRING);
  g_value_set_static_string (&value, "\xff");
  assert_becomes (&value, NULL, NULL);
  g_value_unset (&value);

  g_value_init (&value, G_TYPE_STRV);
  g_value_set_static_boxed (&value, broken);
  assert_becomes (&value, NULL, NULL);
  g_value_unset (&value);

  g_value_init (&value, test_mode_get_type ());
  g_value_set_enum (&value, 77);
  assert_becomes (&value, NULL, NULL);
  g_value_unset (&value);

  g_value_init (&value, test_parts_get_type ());
  g_value_set_flags (&value, 1 | 64);
  assert_becomes (&value, NULL, NULL);
}

static void
test_many_strings (void)
{
  g_autoptr (GVariant) many = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("as"));
  g_auto (GValue) value = G_VALUE_INIT;
  guint i;

  g_test_summary ("A list of strings that is too long for any widget costs nothing");

  for (i = 0; i < TOO_MANY_STRINGS; i++)
    g_variant_builder_add (&builder, "s", "");
  many = g_variant_ref_sink (g_variant_builder_end (&builder));
  g_value_init (&value, G_TYPE_STRV);
  g_assert_false (amnesia_convert_to_value (many, &value, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE);
  g_assert_null (g_value_get_boxed (&value));
}

static void
test_unknown_types (void)
{
  static const GType unknown[] = { G_TYPE_OBJECT, G_TYPE_POINTER, G_TYPE_PARAM, G_TYPE_NONE };
  guint i;

  g_test_summary ("Some types can never be mapped");

  for (i = 0; i < G_N_ELEMENTS (unknown); i++)
    g_assert_false (amnesia_convert_knows_type (unknown[i]));
  g_assert_false (amnesia_convert_knows_type (G_TYPE_DATE_TIME));
}

static void
test_messages (void)
{
  g_autofree char *long_text = g_strnfill (100000, 'x');
  g_autoptr (GVariant) nick = g_variant_ref_sink (g_variant_new_string (long_text));
  g_autoptr (GError) error = NULL;
  g_auto (GValue) value = G_VALUE_INIT;

  g_test_summary ("A message shows only the beginning of what came from elsewhere");

  g_value_init (&value, test_mode_get_type ());
  g_assert_false (amnesia_convert_to_value (nick, &value, &error));
  g_assert_cmpuint (strlen (error->message), <, 300);
}

/* --- comparing --- */

static const struct
{
  GType       type;
  const char *a;
  const char *b;
  gboolean    equal;
} compared[] = {
  { G_TYPE_BOOLEAN, "true", "true", TRUE },
  { G_TYPE_BOOLEAN, "true", "false", FALSE },
  { G_TYPE_INT, "5", "5", TRUE },
  { G_TYPE_INT, "5", "6", FALSE },
  { G_TYPE_UINT64, "uint64 18446744073709551615", "uint64 18446744073709551614", FALSE },
  { G_TYPE_DOUBLE, "1e-300", "0.0", FALSE },
  { G_TYPE_DOUBLE, "nan", "nan", TRUE },
  { G_TYPE_DOUBLE, "nan", "1.0", FALSE },
  { G_TYPE_FLOAT, "0.5", "0.5", TRUE },
  { G_TYPE_STRING, "'a'", "'a'", TRUE },
  { G_TYPE_STRING, "'a'", "'b'", FALSE },
  { MODE, "'off'", "'half-on'", FALSE },
  { MODE, "'off'", "'off'", TRUE },
  { PARTS, "['arm', 'leg']", "['leg', 'arm']", TRUE },
  { PARTS, "['arm']", "['leg']", FALSE },
  { STRV, "['a', 'b']", "['a', 'b']", TRUE },
  { STRV, "['a', 'b']", "['a']", FALSE },
  { BYTES, "[byte 1]", "[byte 1]", TRUE },
  { BYTES, "[byte 1]", "[byte 2]", FALSE },
  { BYTE_ARRAY, "[byte 1, 2]", "[byte 1, 2]", TRUE },
  { BYTE_ARRAY, "[byte 1, 2]", "[byte 1, 3]", FALSE },
  { BYTE_ARRAY, "[byte 1, 2]", "[byte 1]", FALSE },
  { G_TYPE_VARIANT, "{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", TRUE },
  { G_TYPE_VARIANT, "1", "int64 1", FALSE },
};

static void
test_equal (void)
{
  guint i;

  g_test_summary ("Two values of a property are compared by what they hold");

  for (i = 0; i < G_N_ELEMENTS (compared); i++)
    {
      g_autoptr (GVariant) variant_a = test_value (compared[i].a);
      g_autoptr (GVariant) variant_b = test_value (compared[i].b);
      g_auto (GValue) a = G_VALUE_INIT;
      g_auto (GValue) b = G_VALUE_INIT;

      g_value_init (&a, find_type (compared[i].type));
      g_value_init (&b, find_type (compared[i].type));
      g_test_message ("%s and %s", compared[i].a, compared[i].b);
      g_assert_true (amnesia_convert_to_value (variant_a, &a, NULL));
      g_assert_cmpint (amnesia_convert_equal (&a, &b), ==, FALSE);
      g_assert_true (amnesia_convert_to_value (variant_b, &b, NULL));
      g_assert_cmpint (amnesia_convert_equal (&a, &b), ==, compared[i].equal);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/convert/to-value", test_to_value);
  g_test_add_func ("/convert/from-value", test_from_value);
  g_test_add_func ("/convert/no-form", test_no_form);
  g_test_add_func ("/convert/many-strings", test_many_strings);
  g_test_add_func ("/convert/unknown-types", test_unknown_types);
  g_test_add_func ("/convert/messages", test_messages);
  g_test_add_func ("/convert/equal", test_equal);
  return g_test_run ();
}
