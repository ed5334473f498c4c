/* SPDX-License-Identifier: MIT */

#include "tool-relaxed.h"
#include "tool-show.h"
#include "tool-statement.h"
#include "tool-words.h"

#include <string.h>

/* What `amnesia shell` reads, and what it offers and shows; without a terminal and without a store that is
 * open. */

typedef struct
{
  const char *typed;
  const char *expected;
} Row;

static const char *const verbs[] = {
  "nothing", "get", "set", "unset", "conf", "set-conf", "peers", "state", "updated", "history", "help",
  "quit",
};

static char *
describe (const ToolStatement *statement)
{
  GString *text = g_string_new (verbs[statement->verb]);
  g_autofree char *value = statement->value != NULL ? g_variant_print (statement->value, TRUE) : NULL;

  if (statement->key != NULL)
    g_string_append_printf (text, " <%s>", statement->key);
  if (value != NULL)
    g_string_append_printf (text, " %s", value);
  if (statement->json != NULL)
    g_string_append_printf (text, " %s", statement->json);

  return g_string_free (text, FALSE);
}

static void
assert_rows (const Row *rows,
             gsize      n_rows)
{
  for (gsize i = 0; i < n_rows; i++)
    {
      g_auto (ToolStatement) statement = { 0 };
      g_autoptr (GError) error = NULL;
      g_autofree char *found = NULL;

      if (!tool_statement_parse (&statement, rows[i].typed, &error))
        g_error ("“%s”: %s", rows[i].typed, error->message);
      found = describe (&statement);
      if (!g_str_equal (found, rows[i].expected))
        g_error ("“%s” is read as “%s”, not “%s”", rows[i].typed, found, rows[i].expected);
    }
}

static void
test_original (void)
{
  static const Row rows[] = {
    { "mem.data", "get" },
    { "mem.data;", "get" },
    { " mem . data ; ; ", "get" },
    { "mem.data = {jsontest: 123}", "set {'jsontest': <int64 123>}" },
    { "mem.data={\"jsontest\":123};", "set {'jsontest': <int64 123>}" },
    { "mem.data = null", "set" },
    { "mem.data.volume", "get <volume>" },
    { "mem.data.größe_2$", "get <größe_2$>" },
    { "mem.data[\"on-air\"]", "get <on-air>" },
    { "mem.data['on-air'] = true", "set <on-air> true" },
    { "mem.data[ \"a]b\\u00e9\" ]", "get <a]bé>" },
    { "mem.data.volume = 0.4", "set <volume> 0.40000000000000002" },
    { "mem.data.volume = null", "set <volume> @mv nothing" },
    { "delete mem.data", "unset" },
    { "delete mem.data.volume;", "unset <volume>" },
    { "mem.conf", "conf" },
    { "mem.conf = [{host: '10.0.1.2', port: 7777}]",
      "set-conf [{\"host\": \"10.0.1.2\", \"port\": 7777}]" },
    { "mem.peers", "peers" },
    { "mem.state", "state" },
    { "mem.updated", "updated" },
    { "mem.history", "history" },
  };

  assert_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_words (void)
{
  static const Row rows[] = {
    { "", "nothing" },
    { " ; ", "nothing" },
    { "get", "get" },
    { "get volume", "get <volume>" },
    { "get on-air", "get <on-air>" },
    { "get \"two words\"", "get <two words>" },
    { "set 0.5", "set 0.5" },
    { "set \"text; and more;\"", "set 'text; and more;'" },
    { "set {a: 1, b: [2]}", "set {'a': <int64 1>, 'b': <[<int64 2>]>}" },
    { "set [1, 2]", "set [<int64 1>, <int64 2>]" },
    { "set volume 0.5", "set <volume> 0.5" },
    { "set on-air {a: 1}", "set <on-air> {'a': <int64 1>}" },
    { "set 'two words' 'x'", "set <two words> 'x'" },
    { "set true 1", "set <true> int64 1" },
    { "unset", "unset" },
    { "unset volume", "unset <volume>" },
    { "peers", "peers" },
    { "history", "history" },
    { "help", "help" },
    { "quit", "quit" },
    { "exit", "quit" },
  };

  assert_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_wrong (void)
{
  static const Row rows[] = {
    { "foo", "column 1: this is no command" },
    { "  foo", "column 3: this is no command" },
    { "getvolume", "column 1: this is no command" },
    { "get.volume", "column 1: this is no command" },
    { "mem", "column 4: “.” is expected" },
    { "mem.dat", "column 5: mem has data" },
    { "mem.database", "column 5: mem has data" },
    { "mem.data volume", "column 10: nothing more" },
    { "mem.data.", "column 10: a name is expected" },
    { "mem.data.on-air = 1", "column 10: a name is expected" },
    { "mem.data[volume]", "column 10: a key in quotes" },
    { "mem.data['volume'", "column 18: “]” is expected" },
    { "mem.data['volume", "column 10: the string does not end" },
    { "mem.data.a.b", "column 11: a key is shared as a whole" },
    { "mem.data = ", "column 11: a value is missing" },
    { "mem.data =", "column 11: a value is missing" },
    { "mem.data = tru", "column 12: a JSON value is needed" },
    { "mem.data = {a: 1, b: x}", "column 22: a JSON value is needed" },
    { "mem.data = {'größe': 1, b: 'x', c: y}", "column 36: a JSON value is needed" },
    { "mem.data = {a: 1", "column 17: " },
    { "mem.data = {a b: 1}", "column 13: " },
    { "mem.data = [01]", "column 13: " },
    { "mem.data = 1 2", "column 14: " },
    { "mem.data = {a: 1, a: 2}", "column 19: an object has the member \"a\" twice" },
    { "mem.peers = 1", "column 11: it can only be read" },
    { "mem.conf = [", "column 13: " },
    { "delete mem.peers", "column 12: “mem.data” is expected" },
    { "delete volume", "column 8: “mem.data” is expected" },
    { "delete mem.data.volume = 1", "column 24: nothing more" },
    { "get a b", "column 7: nothing more" },
    { "set", "column 4: a value is missing" },
    { "set volume", "column 5: a JSON value is needed" },
    { "set volume x", "column 12: a JSON value is needed" },
    { "help me", "column 6: nothing more" },
    { "mem.data = {\na: 1,\nb: x\n}", "line 3, column 4: a JSON value is needed" },
    { "mem.data = {\na: 1\n", "line 2, column 5: " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      ToolStatement statement;
      g_autoptr (GError) error = NULL;

      if (tool_statement_parse (&statement, rows[i].typed, &error))
        g_error ("“%s” is read", rows[i].typed);
      if (!g_str_has_prefix (error->message, rows[i].expected))
        g_error ("“%s”: “%s”, not “%s”", rows[i].typed, error->message, rows[i].expected);
      g_assert_cmpint (statement.verb, ==, TOOL_VERB_NOTHING);
      g_assert_null (statement.key);
      g_assert_null (statement.value);
    }
}

static void
test_open (void)
{
  static const char *const open[] = {
    "{", "mem.data = {a: [1, 2]", "mem.data = [\n", "mem.data[", "{a: '}'", "{}{", "}{", "'\\'' {",
  };
  static const char *const not_open[] = {
    "", "mem.data", "{}", "[{}]", "'{'", "\"[\"", "'{", "{ 'a", "}", "\"\\\"{\"",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (open); i++)
    g_assert_true (tool_statement_is_open (open[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (not_open); i++)
    g_assert_false (tool_statement_is_open (not_open[i]));
}

static void
test_relaxed (void)
{
  static const Row rows[] = {
    { "", "" },
    { "{a: 1}", "{\"a\": 1}" },
    { "{a:1,_b :2, $c\n: {d:3}}", "{\"a\":1,\"_b\" :2, \"$c\"\n: {\"d\":3}}" },
    { "[true, null, x]", "[true, null, x]" },
    { "{true: true}", "{\"true\": true}" },
    { "{a b: 1}", "{a b: 1}" },
    { "{1a: 1}", "{1a: 1}" },
    { "a: 1", "a: 1" },
    { "{größe: 1}", "{\"größe\": 1}" },
    { "'it'", "\"it\"" },
    { "'it\\'s \"x\" \\\" \\n'", "\"it's \\\"x\\\" \\\" \\n\"" },
    { "\"it's {a: 1}\"", "\"it's {a: 1}\"" },
    { "'{a: 1}'", "\"{a: 1}\"" },
    { "'open", "\"open" },
    { "'open\\", "\"open\\" },
    { "\"open\\", "\"open\\" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GArray) places = NULL;
      g_autofree char *json = tool_relaxed_to_json (rows[i].typed, &places);

      g_assert_cmpstr (json, ==, rows[i].expected);
      g_assert_cmpuint (places->len, ==, g_utf8_strlen (json, -1) + 1);
      for (guint j = 0; j < places->len; j++)
        g_assert_cmpuint (g_array_index (places, guint, j), <=, strlen (rows[i].typed));
    }
}

/* What is JSON already is left as it is. */
static void
test_strict (void)
{
  static const char *const texts[] = {
    "{\"a\": [1, -2.5e3, true, false, null, \"b \\\" \\\\ \\u00e9 ' {c: 1}\"], \"d\": {}}",
    "[[], {\"\": \"\"}]", "\"\"", "0",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GArray) places = NULL;
      g_autofree char *json = tool_relaxed_to_json (texts[i], &places);

      g_assert_cmpstr (json, ==, texts[i]);
    }
}

static void
assert_completed (AmnesiaStore *store,
                  const char   *before,
                  gsize         expected_start,
                  const char   *expected)
{
  gsize start;
  g_auto (GStrv) words = tool_words_complete (store, before, &start);
  g_autofree char *all = g_strjoinv (" | ", words);

  if (!g_str_equal (all, expected))
    g_error ("“%s” is completed by “%s”, not “%s”", before, all, expected);
  if (*words != NULL)
    g_assert_cmpuint (start, ==, expected_start);
}

static void
test_complete (void)
{
  g_autoptr (AmnesiaStore) store = amnesia_store_new ();

  amnesia_store_set_data (store, amnesia_from_json ("{\"on-air\": 1, \"vol\": 2, \"volume\": 3, "
                                                    "\"two \\u009b words\": 4}", NULL));
  assert_completed (store, "", 0, "delete | get | help | history | mem. | peers | quit | set | unset");
  assert_completed (store, "h", 0, "help | history");
  assert_completed (store, "mem.", 0,
                    "mem.conf | mem.data | mem.history | mem.peers | mem.state | mem.updated");
  assert_completed (store, "mem.data.", 0, "mem.data.vol | mem.data.volume");
  assert_completed (store, "mem.data.volu", 0, "mem.data.volume");
  assert_completed (store, "mem.data[", 0, "mem.data[\"on-air\"] | mem.data[\"two \\u009b words\"]");
  assert_completed (store, "mem.data[\"two ", 0, "mem.data[\"two \\u009b words\"]");
  assert_completed (store, "mem.data.volume = ", 18, "");
  assert_completed (store, "delete ", 7, "mem.data");
  assert_completed (store, "delete mem.data.vol", 7, "mem.data.vol | mem.data.volume");
  assert_completed (store, "get v", 4, "vol | volume");
  assert_completed (store, "set \"two ", 4, "\"two \\u009b words\"");
  assert_completed (store, "set vol v", 8, "");
  assert_completed (store, "x", 0, "");
}

/* What others chose never commands the terminal. */
static void
test_show (void)
{
  const char *hostile = "\033[2J\x07\x7F\xC2\x9B" "31m\xE2\x80\xAE\xE2\x81\xA6\xEF\xBB\xBF\r\n";
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_string (hostile));
  g_autofree char *shown = tool_show_value (value);
  g_autofree char *path = tool_show_path (hostile);
  g_autoptr (GVariant) infinity = g_variant_ref_sink (g_variant_new_double (1.0 / 0.0));
  g_autofree char *odd = tool_show_value (infinity);

  g_assert_cmpstr (shown, ==, "\"\\u001b[2J\\u0007\\u007f\\u009b31m\\u202e\\u2066\\ufeff\\r\\n\"");
  g_assert_true (g_str_has_prefix (path, "mem.data[\"\\u001b[2J"));
  g_assert_cmpstr (odd, ==, "inf");
}

static void
test_cut (void)
{
  g_autofree char *whole = tool_show_cut (g_strdup ("12345678"), 2, 4);
  g_autofree char *cut = tool_show_cut (g_strdup ("123456789"), 2, 4);
  g_autofree char *wide = tool_show_cut (g_strdup ("日本日本"), 1, 5);

  g_assert_cmpstr (whole, ==, "12345678");
  g_assert_cmpstr (cut, ==, "12345678\n… (9 bytes in all)");
  g_assert_cmpstr (wide, ==, "日本\n… (12 bytes in all)");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("NO_COLOR", "1", TRUE);
  g_test_add_func ("/statement/original", test_original);
  g_test_add_func ("/statement/words", test_words);
  g_test_add_func ("/statement/wrong", test_wrong);
  g_test_add_func ("/statement/open", test_open);
  g_test_add_func ("/relaxed/rows", test_relaxed);
  g_test_add_func ("/relaxed/strict", test_strict);
  g_test_add_func ("/words/complete", test_complete);
  g_test_add_func ("/show/hostile", test_show);
  g_test_add_func ("/show/cut", test_cut);

  return g_test_run ();
}
