/* SPDX-License-Identifier: MIT */

#include "amnesia-error.h"
#include "amnesia-json.h"
#include "testlib.h"

#include <math.h>
#include <string.h>

typedef struct
{
  const char *json;
  const char *expected;
} Row;

static void
assert_refused (const char *json,
                const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = amnesia_from_json (json, &error);

  g_assert_null (value);
  if (error == NULL)
    g_error ("accepted: %.60s", json);
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_JSON);
  if (!g_str_has_prefix (error->message, "line ") || strstr (error->message, expected) == NULL)
    g_error ("%.60s: got “%s”, expected “%s”", json, error->message, expected);
  g_assert_cmpuint (strlen (error->message), <, 300);
}

static GVariant *
assert_read (const char *json)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = amnesia_from_json (json, &error);

  g_assert_no_error (error);
  g_assert_nonnull (value);
  g_assert_false (g_variant_is_floating (value));
  return value;
}

/* `value` is consumed if it is floating. */
static void
assert_written (GVariant   *value,
                const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *json = amnesia_to_json (value, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (json, ==, expected);
}

static void
assert_not_written (GVariant   *value,
                    const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *json = amnesia_to_json (value, &error);

  g_assert_null (json);
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_JSON);
  if (strstr (error->message, expected) == NULL)
    g_error ("got “%s”, expected “%s”", error->message, expected);
}

static char *
repeat (const char *unit,
        guint       times)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < times; i++)
    g_string_append (text, unit);
  return g_string_free (text, FALSE);
}

static void
test_read_types (void)
{
  static const Row rows[] = {
    { "true", "true" },
    { "false", "false" },
    { "7", "int64 7" },
    { "-0", "int64 0" },
    { "9223372036854775807", "int64 9223372036854775807" },
    { "-9223372036854775808", "int64 -9223372036854775808" },
    { "9223372036854775808", "uint64 9223372036854775808" },
    { "18446744073709551615", "uint64 18446744073709551615" },
    { "1.0", "1.0" },
    { "0.5", "0.5" },
    { "1e3", "1000.0" },
    { "1E+3", "1000.0" },
    { "12e-1", "1.2" },
    { "0e5", "0.0" },
    { "0.000e-999", "0.0" },
    { "\"\"", "''" },
    { "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\"", "'a\"\\\\/\\b\\f\\n\\r\\tAä'" },
    { "\"\\ud83d\\ude00\\uD83D\\uDE00\"", "'😀😀'" },
    { "\"// /* 'ä'\"", "\"// /* 'ä'\"" },
    { "[]", "@av []" },
    { "{}", "@a{sv} {}" },
    { " [ 1 , 2.5 , \"x\" , [ ] , { } ]\r\n\t",
      "[<int64 1>, <2.5>, <'x'>, <@av []>, <@a{sv} {}>]" },
    { "{\"z\":1,\"\":{\"b\":true},\"a\":null}",
      "{'z': <int64 1>, '': <{'b': <true>}>, 'a': <@mv nothing>}" },
    { "[null]", "[<@mv nothing>]" },
    { "[1,18446744073709551615,-1.5,{\"a\":2,\"b\":[3]},4]",
      "[<int64 1>, <uint64 18446744073709551615>, <-1.5>, "
      "<{'a': <int64 2>, 'b': <[<int64 3>]>}>, <int64 4>]" },
  };

  g_test_summary ("Each kind of JSON value becomes the type that the manual says.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GVariant) value = assert_read (rows[i].json);
      g_autofree char *text = g_variant_print (value, TRUE);

      g_assert_cmpstr (text, ==, rows[i].expected);
    }
}

static void
test_read_null (void)
{
  g_autoptr (GError) error = NULL;

  g_test_summary ("A null alone is unset: no value and no error.");
  g_assert_null (amnesia_from_json (" null ", &error));
  g_assert_no_error (error);
}

static void
test_read_doubles (void)
{
  g_autoptr (GVariant) smallest = assert_read ("5e-324");
  g_autoptr (GVariant) largest = assert_read ("1.7976931348623157e308");
  g_autoptr (GVariant) tenth = assert_read ("0.1");
  g_autoptr (GVariant) zero = assert_read ("-0.0");

  g_test_summary ("Doubles are read to the last bit.");
  g_assert_true (g_variant_get_double (smallest) == 5e-324);
  g_assert_true (g_variant_get_double (largest) == G_MAXDOUBLE);
  g_assert_true (g_variant_get_double (tenth) == 0.1);
  g_assert_true (g_variant_get_double (zero) == 0 && signbit (g_variant_get_double (zero)));
}

static void
test_refuse_numbers (void)
{
  static const Row rows[] = {
    { "18446744073709551616", "column 1: 18446744073709551616" },
    { "-9223372036854775809", "from -9223372036854775808 to 18446744073709551615" },
    { "[1,\n 99999999999999999999]", "line 2, column 2: 99999999999999999999" },
    { "1e400", "1e400: the largest" },
    { "-1e400", "the largest" },
    { "1e-400", "1e-400: the smallest" },
    { "-0.01e-400", "the smallest" },
    { "010", "leading zeros" },
    { "-01", "leading zeros" },
    { "00", "leading zeros" },
    { "0x1F", "not “x”" },
    { "0b1", "not “b”" },
    { ".5", "not “.”" },
    { "1.", "a digit is needed" },
    { "1.e5", "a digit is needed" },
    { "1e", "a digit is needed" },
    { "1e+", "a digit is needed" },
    { "- 1", "a digit is needed" },
    { "-", "a digit is needed" },
    { "+1", "not “+”" },
    { "1-2", "not “-”" },
    { "NaN", "not “N”" },
    { "Infinity", "not “I”" },
    { "-Infinity", "a digit is needed" },
  };
  g_autofree char *digits = repeat ("9", 1 << 20);

  g_test_summary ("Numbers that are no JSON or would change are refused, and the place is said.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_refused (rows[i].json, rows[i].expected);
  assert_refused (digits, "999…: a whole number is from");
}

static void
test_refuse_texts (void)
{
  static const Row rows[] = {
    { "", "line 1, column 1: a JSON value is needed, but the text ends" },
    { " \n ", "line 2, column 2" },
    { "'a'", "not “'”" },
    { "[1] // end", "column 5: the end of the text is needed, not “/”" },
    { "/* a */ 1", "not “/”" },
    { "# a", "not “#”" },
    { "var x = 1;", "not “v”" },
    { "nul", "a JSON value is needed" },
    { "nulls", "not “s”" },
    { "True", "not “T”" },
    { "[1] [2]", "line 1, column 5: the end" },
    { "1 2", "the end of the text" },
    { "{}{}", "the end of the text" },
    { "\xEF\xBB\xBF[]", "byte order mark" },
    { "[1,]", "not “]”" },
    { "[,1]", "not “,”" },
    { "[1 2]", "“,” or “]” is needed, not “2”" },
    { "[1", "but the text ends" },
    { "[", "but the text ends" },
    { "]", "not “]”" },
    { "[1}", "“,” or “]” is needed, not “}”" },
    { "{\"a\":1]", "“,” or “}” is needed, not “]”" },
    { "{\"a\":1,}", "name in double quotes is needed, not “}”" },
    { "{a:1}", "not “a”" },
    { "{1:1}", "not “1”" },
    { "{\"a\"}", "“:” is needed, not “}”" },
    { "{\"a\" 1}", "“:” is needed" },
    { "{\"a\":}", "a JSON value is needed" },
    { "{\"a\"=1}", "“:” is needed" },
    { "{", "name in double quotes is needed, but the text ends" },
    { "[1\v]", "U+000B" },
  };
  g_autofree char *slashes = repeat ("/", 2 << 20);
  g_autofree char *spaces = repeat (" ", 2 << 20);

  g_test_summary ("Texts that are not JSON are refused with line and column.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_refused (rows[i].json, rows[i].expected);
  assert_refused (slashes, "line 1, column 1: a JSON value is needed, not “/”");
  assert_refused (spaces, "column 2097153: ");
}

static void
test_refuse_strings (void)
{
  static const Row rows[] = {
    { "\"a", "closing quotation mark or an escaped character is needed, but the text ends" },
    { "\"a\nb\"", "not the character U+000A" },
    { "\"a\x01\"", "not the character U+0001" },
    { "\"\\q\"", "after a backslash is needed, not “q”" },
    { "\"\\", "after a backslash is needed, but the text ends" },
    { "\"\\x41\"", "not “x”" },
    { "\"ä\\u0000\"", "column 3: a string cannot hold \\u0000" },
    { "{\"x\\u0000y\":1}", "a string cannot hold \\u0000" },
    { "\"\\uZZZZ\"", "four hexadecimal digits" },
    { "\"\\u12\"", "four hexadecimal digits" },
    { "\"\\u", "four hexadecimal digits" },
    { "\"\\ud83d\"", "half of a surrogate pair" },
    { "\"\\ud83dx\"", "half of a surrogate pair" },
    { "\"\\ud83d\\u0041\"", "half of a surrogate pair" },
    { "\"\\ud83d\\ud83d\"", "half of a surrogate pair" },
    { "\"\\ude00\"", "half of a surrogate pair" },
    { "\"\xff\"", "column 2: the byte 0xff is not UTF-8" },
    { "\"\xc0\xaf\"", "0xc0 is not UTF-8" },
    { "\"\xed\xa0\xbd\"", "0xed is not UTF-8" },
    { "\"\xe4\"", "0xe4 is not UTF-8" },
  };

  g_test_summary ("Strings that are no JSON or that a GVariant cannot hold are refused.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_refused (rows[i].json, rows[i].expected);
}

static void
test_refuse_duplicates (void)
{
  g_autoptr (GVariant) apart = assert_read ("[{\"a\":1},{\"a\":{\"a\":2}},{\"A\":1,\"a\":2},"
                                            "{\"n\":1,\"\\n\":2,\"\\\\n\":3}]");

  g_test_summary ("A member twice in one object is refused, however its name is written.");
  assert_refused ("{\"a\":1,\"a\":2}", "column 8: an object has the member \"a\" twice");
  assert_refused ("{\"a\":1,\"\\u0061\":2}", "column 8: an object has the member \"a\" twice");
  assert_refused ("{\"\":1,\"\":2}", "\"\" twice");
  assert_refused ("{\"\\n\":1,\"\\u000a\":2}", "\"\\n\" twice");
  assert_refused ("[{\"a\":{\"b\":1},\n\"b\":{},\"a\":2}]", "line 2, column 8");
}

static void
test_depth (void)
{
  g_autofree char *opened = repeat ("[", 100000);
  g_autofree char *objects = repeat ("{\"a\":", 100000);
  g_autofree char *closed = repeat ("]", 100000);
  g_autofree char *nested = g_strconcat (opened, closed, NULL);
  g_autofree char *fits = g_strdup (nested + 100000 - 64);
  g_autofree char *too_deep = g_strdup (nested + 100000 - 65);
  g_autofree char *objects_open = repeat ("{\"a\":", 64);
  g_autofree char *objects_close = repeat ("}", 64);
  g_autofree char *objects_fit = g_strconcat (objects_open, "1", objects_close, NULL);
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GVariant) objects_value = NULL;

  g_test_summary ("64 containers in each other are fine, 65 and 100,000 an error.");
  fits[128] = '\0';
  too_deep[130] = '\0';
  assert_refused (too_deep, "line 1, column 65: arrays and objects lie in each other deeper than");
  assert_refused (opened, "column 65");
  assert_refused (nested, "column 65");
  assert_refused (objects, "deeper than 64");

  value = assert_read (fits);
  g_assert_cmpuint (g_variant_get_size (value), >, 0);
  assert_written (value, fits);
  objects_value = assert_read (objects_fit);
  g_assert_cmpuint (g_variant_get_size (objects_value), >, 0);
  assert_written (objects_value, objects_fit);
}

static void
test_large (void)
{
  g_autoptr (GString) json = g_string_new ("[0");
  g_autoptr (GVariant) value = NULL;
  g_autofree char *written = NULL;
  guint n = 1000000 / test_slowness ();
  double seconds;

  g_test_summary ("A million numbers take time in proportion.");
  for (guint i = 1; i < n; i++)
    g_string_append_printf (json, ",%u", i);
  g_string_append_c (json, ']');

  g_test_timer_start ();
  value = assert_read (json->str);
  written = amnesia_to_json (value, NULL);
  seconds = g_test_timer_elapsed ();
  g_test_message ("%.2f s", seconds);
  g_assert_cmpuint (g_variant_n_children (value), ==, n);
  g_assert_cmpstr (written, ==, json->str);
  g_assert_cmpfloat (seconds, <, 600); /* under valgrind, on a busy machine */
}

static void
test_write_types (void)
{
  static const Row rows[] = {
    { "true", "true" },
    { "byte 255", "255" },
    { "int16 -32768", "-32768" },
    { "uint16 65535", "65535" },
    { "-2147483648", "-2147483648" },
    { "uint32 4294967295", "4294967295" },
    { "int64 -9223372036854775808", "-9223372036854775808" },
    { "uint64 18446744073709551615", "18446744073709551615" },
    { "'a\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007fä😀'",
      "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7fä😀\"" },
    { "objectpath '/a/b'", "\"/a/b\"" },
    { "signature 'a{sv}'", "\"a{sv}\"" },
    { "b'abc'", "\"YWJjAA==\"" },
    { "@ay []", "\"\"" },
    { "[true, false]", "[true,false]" },
    { "@ai []", "[]" },
    { "@a{sv} {}", "{}" },
    { "()", "[]" },
    { "(1, 'x', [1.5])", "[1,\"x\",[1.5]]" },
    { "@mi 5", "5" },
    { "@mi nothing", "null" },
    { "@mmi just nothing", "null" },
    { "@mv nothing", "null" },
    { "<<<'x'>>>", "\"x\"" },
    { "[<1>, <[<@mv nothing>]>]", "[1,[null]]" },
    { "{'b': 2, 'a': 1}", "{\"b\":2,\"a\":1}" },
    { "{'\"': <b'x'>}", "{\"\\\"\":\"eAA=\"}" },
    { "{1: 'a', -2: 'b'}", "{\"1\":\"a\",\"-2\":\"b\"}" },
    { "{uint64 18446744073709551615: 1}", "{\"18446744073709551615\":1}" },
    { "{true: 1, false: 0}", "{\"true\":1,\"false\":0}" },
    { "{objectpath '/': 1}", "{\"/\":1}" },
    { "@{sv} {'a', <1>}", "[\"a\",1]" },
    { "[{'a': {'b': 1}}]", "[{\"a\":{\"b\":1}}]" },
  };

  g_test_summary ("Each type is written as the manual says.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = g_variant_parse (NULL, rows[i].json, NULL, NULL, &error);

      g_assert_no_error (error);
      assert_written (value, rows[i].expected);
    }
  assert_written (NULL, "null");
}

static void
test_write_doubles (void)
{
  static const struct
  {
    double number;
    const char *expected;
  } rows[] = {
    { 0, "0.0" },
    { -0.0, "-0.0" },
    { 1, "1.0" },
    { 10, "10.0" },
    { -100000, "-100000.0" },
    { 0.1, "0.1" },
    { 0.30000000000000004, "0.30000000000000004" },
    { 1.0 / 3, "0.3333333333333333" },
    { 9007199254740993, "9007199254740992.0" },
    { 1e300, "1e+300" },
    { 1e-7, "1e-07" },
    { 5e-324, "5e-324" },
    { G_MINDOUBLE, "2.2250738585072014e-308" },
    { G_MAXDOUBLE, "1.7976931348623157e+308" },
  };

  g_test_summary ("Doubles are written short, as doubles, and to the last bit.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_written (g_variant_new_double (rows[i].number), rows[i].expected);
}

static void
test_refuse_values (void)
{
  GVariant *deep = g_variant_new_int32 (1);
  GVariant *boxed = g_variant_new_int32 (1);

  g_test_summary ("What has no JSON form is refused, and the place is said.");
  assert_not_written (g_variant_new_double (NAN), "infinity");
  assert_not_written (g_variant_new_double (INFINITY), "infinity");
  assert_not_written (g_variant_new_parsed ("{'a': <[1.0, %d]>}", -INFINITY),
                      "at [0][1] of the value: ");
  assert_not_written (g_variant_new_handle (0), "handle");
  assert_not_written (g_variant_new_parsed ("[{handle 1: 1}]"), "at [0][0] of the value: a handle");
  assert_not_written (g_variant_new_parsed ("{1.5: 1}"), "is a double");
  assert_not_written (g_variant_new_parsed ("{'b': 1, 'a': 2, 'b': 3}"),
                      "at [2] of the value: a dictionary has the key \"b\" twice");
  assert_not_written (g_variant_new_parsed ("{true: 1, true: 1}"), "\"true\" twice");

  for (guint i = 0; i < 65; i++)
    deep = g_variant_new_tuple (&deep, 1);
  assert_not_written (deep, "deeper than 64");
  for (guint i = 0; i < 1000; i++)
    boxed = g_variant_new_variant (boxed);
  assert_written (boxed, "1");
}

static void
test_floating (void)
{
  GVariant *value = g_variant_new_int32 (5);
  GVariant *held = g_variant_ref_sink (g_variant_new_int32 (5));
  g_autofree char *json = NULL;

  g_test_summary ("A floating value is consumed, another one is left to its owner.");
  g_variant_ref (value);
  json = amnesia_to_json (value, NULL);
  g_assert_false (g_variant_is_floating (value));
  g_variant_unref (value);

  assert_written (held, "5");
  assert_written (held, "5");
  g_variant_unref (held);
}

static double
random_double (void)
{
  union
  {
    guint32 words[2];
    double number;
  } bits;

  do
    {
      bits.words[0] = g_test_rand_int ();
      bits.words[1] = g_test_rand_int ();
    }
  while (!isfinite (bits.number));
  return g_test_rand_bit () ? bits.number : g_test_rand_int_range (-1000, 1000) / 8.0;
}

static char *
random_string (void)
{
  static const char *const parts[] = { "a", "\"", "\\", "\n", "\x01", "ä", "😀", "/", "\x7f" };
  GString *string = g_string_new (NULL);

  for (int n = g_test_rand_int_range (0, 8); n > 0; n--)
    g_string_append (string, parts[g_test_rand_int_range (0, G_N_ELEMENTS (parts))]);
  return g_string_free (string, FALSE);
}

static GVariant *
random_scalar (void)
{
  guint64 bits = (guint64) (guint32) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();

  switch (g_test_rand_int_range (0, 6))
    {
    case 0:
      return g_variant_new_boolean (g_test_rand_bit ());
    case 1:
      return g_variant_new_int64 (bits >> g_test_rand_int_range (0, 64));
    case 2:
      return g_variant_new_uint64 (bits | G_GUINT64_CONSTANT (1) << 63);
    case 3:
      return g_variant_new_double (random_double ());
    case 4:
      return g_variant_new_take_string (random_string ());
    default:
      return g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
    }
}

static GVariant *
random_value (guint depth)
{
  GVariantBuilder builder;
  gboolean is_array = g_test_rand_bit ();

  if (depth == 0 || g_test_rand_int_range (0, 3) == 0)
    return random_scalar ();
  g_variant_builder_init (&builder, is_array ? G_VARIANT_TYPE ("av") : G_VARIANT_TYPE_VARDICT);
  for (int n = g_test_rand_int_range (0, 6); n > 0; n--)
    {
      g_autofree char *string = random_string ();
      g_autofree char *name = g_strdup_printf ("%s%d", string, n);

      if (is_array)
        g_variant_builder_add (&builder, "v", random_value (depth - 1));
      else
        g_variant_builder_add (&builder, "{sv}", name, random_value (depth - 1));
    }
  return g_variant_builder_end (&builder);
}

static void
test_round_trip (void)
{
  g_test_summary ("What was read from JSON is the same after it was written and read again.");
  for (int i = 0; i < 2000; i++)
    {
      GVariant *boxed[] = { g_variant_new_variant (random_value (5)) };
      g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_array (NULL, boxed, 1));
      g_autoptr (GError) error = NULL;
      g_autofree char *json = amnesia_to_json (value, &error);
      g_autoptr (GVariant) again = NULL;
      g_autofree char *json_again = NULL;

      g_assert_no_error (error);
      again = assert_read (json);
      g_assert_cmpvariant (value, again);
      json_again = amnesia_to_json (again, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (json, ==, json_again);
    }
}

/* Whatever happens to a text, the answer is a value that can be written again, or an error. */
static void
test_damaged (void)
{
  static const char text[] =
    "{\"a\":[1,-2.5e+3,18446744073709551615,true,null],\"\\u00e4\\ud83d\\ude00\":\"x\\n\","
    "\"c\":{\"d\":[[],{}],\"e\":0}}";
  static const char bytes[] = "{}[]\",:\\u0123456789eE+-. ntf\n/'\xc3\x01";
  guint n_read = 0;

  g_test_summary ("Damaged texts never do more than give an error.");
  for (int i = 0; i < 20000; i++)
    {
      g_autofree char *damaged = g_strdup (text);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = NULL;

      for (int n = g_test_rand_int_range (1, 4); n > 0; n--)
        damaged[g_test_rand_int_range (0, sizeof text - 1)] =
          bytes[g_test_rand_int_range (0, sizeof bytes - 1)];
      value = amnesia_from_json (damaged, &error);
      g_assert_true ((value != NULL) != (error != NULL));
      if (value != NULL)
        {
          g_autofree char *json = amnesia_to_json (value, &error);
          g_autoptr (GVariant) again = assert_read (json);

          g_assert_no_error (error);
          g_assert_cmpvariant (value, again);
          n_read++;
        }
    }
  g_assert_cmpuint (n_read, >, 100);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/read/types", test_read_types);
  g_test_add_func ("/json/read/null", test_read_null);
  g_test_add_func ("/json/read/doubles", test_read_doubles);
  g_test_add_func ("/json/read/bad-numbers", test_refuse_numbers);
  g_test_add_func ("/json/read/bad-texts", test_refuse_texts);
  g_test_add_func ("/json/read/bad-strings", test_refuse_strings);
  g_test_add_func ("/json/read/duplicates", test_refuse_duplicates);
  g_test_add_func ("/json/read/depth", test_depth);
  g_test_add_func ("/json/read/large", test_large);
  g_test_add_func ("/json/read/damaged", test_damaged);
  g_test_add_func ("/json/write/types", test_write_types);
  g_test_add_func ("/json/write/doubles", test_write_doubles);
  g_test_add_func ("/json/write/no-form", test_refuse_values);
  g_test_add_func ("/json/write/floating", test_floating);
  g_test_add_func ("/json/round-trip", test_round_trip);
  return g_test_run ();
}
