/* SPDX-License-Identifier: MIT */

#include "testlib.h"

#include <string.h>

#define LARGE_STRING (10 * 1024 * 1024)
#define LARGE_BYTES (1024 * 1024)
#define DEFAULT_MAX_SIZE (16 * 1024 * 1024)

/* What the manual's page on values says of C and JSON, row by row. */
typedef struct
{
  const char *row;
  const char *text; /* in GVariant's notation */
  const char *json; /* (nullable): NULL if it has no JSON form */
  gboolean    back; /* whether the JSON becomes the same value again */
} Case;

static const Case cases[] = {
  { "null-member", "{'a': <@mv nothing>}", "{\"a\":null}", TRUE },
  { "null-member", "[<@mv nothing>]", "[null]", TRUE },
  { "bool", "true", "true", TRUE },
  { "bool", "false", "false", TRUE },
  { "int", "int64 0", "0", TRUE },
  { "int", "int64 -5", "-5", TRUE },
  { "int64-limits", "int64 9223372036854775807", "9223372036854775807", TRUE },
  { "int64-limits", "int64 -9223372036854775808", "-9223372036854775808", TRUE },
  { "uint64", "uint64 9223372036854775808", "9223372036854775808", TRUE },
  { "uint64", "uint64 18446744073709551615", "18446744073709551615", TRUE },
  { "double", "1.0", "1.0", TRUE },
  { "double", "0.1", "0.1", TRUE },
  { "double-special", "inf", NULL },
  { "double-special", "-inf", NULL },
  { "double-special", "nan", NULL },
  { "string", "'Grüße, 𝄞'", "\"Grüße, 𝄞\"", TRUE },
  { "empty-string", "''", "\"\"", TRUE },
  { "bytes", "[byte 0x61, 0x00, 0xff]", "\"YQD/\"" },
  { "empty-bytes", "@ay []", "\"\"" },
  { "list", "[<int64 1>, <2.0>, <'a'>, <true>, <@av []>]", "[1,2.0,\"a\",true,[]]", TRUE },
  { "empty-list", "@av []", "[]", TRUE },
  { "dict", "{'b': <int64 1>, '': <{'ä': <[<2.0>]>}>}", "{\"b\":1,\"\":{\"ä\":[2.0]}}", TRUE },
  { "empty-dict", "@a{sv} {}", "{}", TRUE },
  { "tuple", "(1, 'a', ('b', @mb nothing))", "[1,\"a\",[\"b\",null]]" },
  { "tuple", "()", "[]" },
  { "maybe", "@mi 5", "5" },
  { "maybe", "@mmi just nothing", "null" },
  { "other-ints", "byte 0xff", "255" },
  { "other-ints", "int16 -32768", "-32768" },
  { "other-ints", "uint16 65535", "65535" },
  { "other-ints", "-2147483648", "-2147483648" },
  { "other-ints", "uint32 4294967295", "4294967295" },
  { "object-path", "objectpath '/a/b'", "\"/a/b\"" },
  { "object-path", "signature 'a{sv}'", "\"a{sv}\"" },
  { "typed-list", "['a', '']", "[\"a\",\"\"]" },
  { "typed-list", "[1.0, 2.0]", "[1.0,2.0]" },
  { "typed-list", "@ai []", "[]" },
  { "typed-dict", "{'a': 1.0}", "{\"a\":1.0}" },
  { "other-keys", "{int64 1: 'a'}", "{\"1\":\"a\"}" },
  { "variant", "<<5.0>>", "5.0" },
};

typedef struct
{
  const char *row;
  const char *text;
  const char *reason; /* part of the message */
} Refused;

static const Refused refused[] = {
  { "handle", "handle 1", "“h”" },
  { "handle", "{'a': <[<handle 1>]>}", "“h”" },
  { "key-twice", "{'a': <1>, 'a': <2>}", "twice" },
  { "key-twice", "[<{1: 2, 1: 3}>]", "twice" },
};

/* Sets @value in one store and assures that another has the same then. Takes a floating @value. */
static void
check_travels (GVariant *value)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (GVariant) owned = g_variant_ref_sink (value);
  g_autoptr (GVariant) data = NULL;
  AmnesiaStore *writer = test_store (conf);
  AmnesiaStore *reader = test_store (conf);

  amnesia_store_set_data (writer, owned);
  test_wait_data (reader, owned);
  data = amnesia_store_get_data (reader);
  g_assert_cmpvariant (data, owned);
  g_assert_cmpstr (g_variant_get_type_string (data), ==, g_variant_get_type_string (owned));
  test_free_store (writer);
  test_free_store (reader);
}

static void
check_json (const Case *row,
            GVariant   *value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *json = amnesia_to_json (value, &error);
  g_autoptr (GVariant) back = NULL;

  g_assert_cmpstr (json, ==, row->json);
  if (json == NULL)
    {
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_JSON);
      return;
    }
  back = amnesia_from_json (json, &error);
  g_assert_no_error (error);
  g_assert_true ((back != NULL && g_variant_equal (back, value)) == row->back);
}

static void
test_row (gconstpointer user_data)
{
  const Case *row = user_data;
  const char *name = row->row;

  for (; row < cases + G_N_ELEMENTS (cases) && strcmp (row->row, name) == 0; row++)
    {
      g_autoptr (GVariant) value = test_value (row->text);

      check_travels (value);
      check_json (row, value);
    }
}

static void
test_unset (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (GError) error = NULL;
  g_autofree char *json = amnesia_to_json (NULL, &error);
  AmnesiaStore *writer = test_store (conf);
  AmnesiaStore *reader = test_store (conf);

  amnesia_store_set_data (writer, g_variant_new_boolean (FALSE));
  test_wait_data (reader, g_variant_new_boolean (FALSE));
  amnesia_store_set_data (writer, NULL);
  test_wait_data (reader, NULL);
  g_assert_cmpstr (json, ==, "null");
  g_assert_null (amnesia_from_json ("null", &error));
  g_assert_no_error (error);
  test_free_store (writer);
  test_free_store (reader);
}

static void
test_large_string (void)
{
  g_autofree char *text = g_malloc (LARGE_STRING + 1);

  memset (text, 'a', LARGE_STRING);
  text[LARGE_STRING] = '\0';
  check_travels (g_variant_new_string (text));
}

/* Trusted: GVariant prints others to compare them, half a second for each MiB. */
static GVariant *
make_bytes (gsize size)
{
  g_autoptr (GBytes) bytes = NULL;
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) (i * 7);
  bytes = g_bytes_new_take (data, size);
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static void
test_large_bytes (void)
{
  check_travels (make_bytes (LARGE_BYTES));
}

/* Takes a floating @value. */
static void
check_refused (GVariant     *value,
               AmnesiaError  code,
               const char   *reason)
{
  g_autoptr (AmnesiaStore) store = amnesia_store_new ();
  g_autoptr (GError) error = NULL;

  amnesia_store_set_data (store, g_variant_new_string ("before"));
  g_assert_false (amnesia_store_write (store, value, &error));
  g_assert_error (error, AMNESIA_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, reason));
  test_assert_data (store, "'before'");
}

static void
test_refused (gconstpointer user_data)
{
  const Refused *row = user_data;
  const char *name = row->row;

  for (; row < refused + G_N_ELEMENTS (refused) && strcmp (row->row, name) == 0; row++)
    {
      g_autoptr (GVariant) value = test_value (row->text);

      check_refused (value, AMNESIA_ERROR_INVALID_VALUE, row->reason);
    }
}

static GVariant *
nest (guint n_arrays)
{
  GVariant *value = g_variant_new_int64 (1);

  for (; n_arrays > 0; n_arrays--)
    {
      value = g_variant_new_variant (value);
      value = g_variant_new_array (NULL, &value, 1);
    }
  return value;
}

static void
test_deep (void)
{
  check_travels (nest (32));
  check_refused (nest (33), AMNESIA_ERROR_INVALID_VALUE, "64 containers");
}

static void
test_too_big (void)
{
  check_travels (make_bytes (DEFAULT_MAX_SIZE));
  check_refused (make_bytes (DEFAULT_MAX_SIZE + 1), AMNESIA_ERROR_TOO_BIG, "16777217");
}

/* --- keys --- */

static gboolean
has_key (AmnesiaStore *store,
         const char   *key,
         GVariant     *value)
{
  g_autoptr (GVariant) got = amnesia_store_get_key (store, key);

  return got != NULL && value != NULL ? g_variant_equal (got, value) : got == value;
}

static gboolean
both_have_key (AmnesiaStore *a,
               AmnesiaStore *b,
               const char   *key,
               GVariant     *value)
{
  return has_key (a, key, value) && has_key (b, key, value);
}

/* Sets the value of a key in one store and assures that another has the same then. */
static void
check_key (AmnesiaStore *writer,
           AmnesiaStore *reader,
           const char   *text)
{
  g_autoptr (GVariant) value = test_value (text);
  g_autoptr (GVariant) got = NULL;
  g_autoptr (GError) error = NULL;

  amnesia_store_set_key (writer, text, value, &error);
  g_assert_no_error (error);
  test_until (both_have_key (writer, reader, text, value));
  got = amnesia_store_get_key (reader, text);
  g_assert_cmpstr (g_variant_get_type_string (got), ==, g_variant_get_type_string (value));
}

static void
test_key (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *writer = test_store (conf);
  AmnesiaStore *reader = test_store (conf);
  const Case *row;

  for (row = cases; row < cases + G_N_ELEMENTS (cases); row++)
    if (!g_str_equal (row->text, "nan")) /* which is equal to nothing */
      check_key (writer, reader, row->text);
  test_free_store (writer);
  test_free_store (reader);
}

static void
test_key_null (void)
{
  AmnesiaStore *store = amnesia_store_new ();

  amnesia_store_set_key (store, "key", g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL), NULL);
  test_assert_data (store, "{'key': <@mv nothing>}");
  g_assert_true (amnesia_store_has_key (store, "key"));
  test_free_store (store);
}

static void
test_key_several (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GVariant) keys = test_value ("{'b': <@mv nothing>, 'c': <1.5>}");

  test_set (store, "{'a': <0>, 'b': <0>}");
  g_assert_true (amnesia_store_set_keys (store, keys, NULL));
  test_assert_data (store, "{'a': <0>, 'b': <@mv nothing>, 'c': <1.5>}");
  test_free_store (store);
}

static void
test_key_absent (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autofree char *too_long = g_strnfill (256, 'k');

  g_assert_true (has_key (store, "a", NULL));
  test_set (store, "{'a': <1>, '': <2>}");
  g_assert_true (has_key (store, "b", NULL));
  g_assert_true (has_key (store, "", NULL));
  g_assert_true (has_key (store, too_long, NULL));
  test_free_store (store);
}

static void
test_key_removed (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *writer = test_store (conf);
  AmnesiaStore *reader = test_store (conf);

  test_set (writer, "{'other': <1>, 'key': <2>}");
  test_until (amnesia_store_has_key (reader, "key"));
  g_assert_true (amnesia_store_remove_key (writer, "key", NULL));
  test_until (!amnesia_store_has_key (reader, "key"));
  test_assert_data (reader, "{'other': <1>}");
  test_free_store (writer);
  test_free_store (reader);
}

static void
test_key_order (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_auto (GStrv) keys = NULL;
  g_autofree char *joined = NULL;

  test_set (store, "{'b': <1>, 'ä': <2>, 'B': <3>, 'aa': <4>, 'a': <5>}");
  keys = amnesia_store_list_keys (store);
  joined = g_strjoinv (" ", keys);
  g_assert_cmpstr (joined, ==, "B a aa b ä");
  test_free_store (store);
}

static void
check_key_refused (const char   *text,
                   const char   *key,
                   AmnesiaError  code)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GError) error = NULL;

  test_set (store, text);
  g_assert_false (amnesia_store_set_key (store, key, g_variant_new_int32 (1), &error));
  g_assert_error (error, AMNESIA_ERROR, (int) code);
  test_assert_data (store, text);
  test_free_store (store);
}

static void
test_key_name (void)
{
  g_autofree char *too_long = g_strnfill (256, 'k');

  check_key_refused ("@a{sv} {}", "", AMNESIA_ERROR_INVALID_KEY);
  check_key_refused ("@a{sv} {}", too_long, AMNESIA_ERROR_INVALID_KEY);
  check_key_refused ("@a{sv} {}", "\xff", AMNESIA_ERROR_INVALID_KEY);
}

static void
test_key_nowhere (void)
{
  check_key_refused ("5", "a", AMNESIA_ERROR_NOT_A_DICTIONARY);
  check_key_refused ("{'a': 1}", "a", AMNESIA_ERROR_NOT_A_DICTIONARY);
}

static void
test_key_too_many (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  GVariantDict keys;
  g_autoptr (GError) error = NULL;
  guint i;

  g_variant_dict_init (&keys, NULL);
  for (i = 0; i < 4096; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      g_variant_dict_insert (&keys, key, "u", i);
    }
  g_assert_true (amnesia_store_set_keys (store, g_variant_dict_end (&keys), NULL));
  g_assert_false (amnesia_store_set_key (store, "new", g_variant_new_int32 (1), &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_MANY_KEYS);
  test_free_store (store);
}

static void
add_keys (void)
{
  g_test_add_func ("/mapping/key", test_key);
  g_test_add_func ("/mapping/key-null", test_key_null);
  g_test_add_func ("/mapping/key-several", test_key_several);
  g_test_add_func ("/mapping/key-absent", test_key_absent);
  g_test_add_func ("/mapping/key-removed", test_key_removed);
  g_test_add_func ("/mapping/key-order", test_key_order);
  g_test_add_func ("/mapping/key-name", test_key_name);
  g_test_add_func ("/mapping/key-nowhere", test_key_nowhere);
  g_test_add_func ("/mapping/key-too-many", test_key_too_many);
}

static void
add_row (const char    *row,
         gconstpointer  user_data,
         GTestDataFunc  func)
{
  g_autofree char *path = g_strconcat ("/mapping/", row, NULL);

  g_test_add_data_func (path, user_data, func);
}

static void
add_rows (void)
{
  const Case *row;
  const Refused *wrong;

  for (row = cases; row < cases + G_N_ELEMENTS (cases); row++)
    if (row == cases || strcmp (row->row, row[-1].row) != 0)
      add_row (row->row, row, test_row);
  for (wrong = refused; wrong < refused + G_N_ELEMENTS (refused); wrong++)
    if (wrong == refused || strcmp (wrong->row, wrong[-1].row) != 0)
      add_row (wrong->row, wrong, test_refused);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_rows ();
  add_keys ();
  g_test_add_func ("/mapping/unset", test_unset);
  g_test_add_func ("/mapping/large-string", test_large_string);
  g_test_add_func ("/mapping/bytes/large", test_large_bytes);
  g_test_add_func ("/mapping/deep", test_deep);
  g_test_add_func ("/mapping/too-big", test_too_big);
  return g_test_run ();
}
