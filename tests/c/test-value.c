/* SPDX-License-Identifier: MIT */

#include "amnesia-error.h"
#include "replica/amnesia-value-private.h"

#include <math.h>
#include <string.h>

#define NO_LIMIT G_MAXUINT64

static void
assert_refused (GVariant   *value,
                const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (amnesia_value_check (value, NO_LIMIT, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE);
  if (strstr (error->message, words) == NULL)
    g_error ("'%s' does not say '%s'", error->message, words);
}

static void
assert_accepted (GVariant *value)
{
  g_autoptr (GError) error = NULL;

  amnesia_value_check (value, NO_LIMIT, &error);
  g_assert_no_error (error);
  g_assert_true (amnesia_value_check (value, NO_LIMIT, NULL));
}

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (NULL, text, NULL, NULL, &error);

  g_assert_no_error (error);

  return value;
}

/* The same value from its bytes, as it comes from a peer. */
static GVariant *
reread (GVariant *value)
{
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (value);

  return g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (value), bytes, FALSE));
}

static void
test_types (void)
{
  static const struct
  {
    const char *type;
    const char *words; /* (nullable) NULL: accepted */
  } rows[] = {
    { "s", NULL }, { "a{sv}", NULL }, { "mv", NULL }, { "()", NULL }, { "a{o(asad)}", NULL },
    { "aaaaaay", NULL }, { "(a{sv}v)", NULL },
    { "", "not the type of one" }, { "ii", "not the type of one" }, { "a", "not the type of one" },
    { "(i", "not the type of one" }, { "{vs}", "not the type of one" }, { "k", "not the type" },
    { "\001\377", "“\\001\\377”" },
    { "*", "not definite" }, { "?", "not definite" }, { "r", "not definite" },
    { "a*", "not definite" }, { "(s?)", "not definite" }, { "a{?i}", "not definite" },
    { "h", "handle" }, { "a{sah}", "handle" }, { "(i(mh))", "handle" },
    { "{sv}", "outside of a dictionary" },
  };

  g_test_summary ("A type is one, definite, without handles and no bare dictionary entry.");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean accepted = amnesia_value_check_type (rows[i].type, &error);

      g_test_message ("row %u: %s", i, accepted ? "accepted" : error->message);
      g_assert_cmpint (accepted, ==, rows[i].words == NULL);
      if (accepted)
        continue;
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE);
      g_assert_nonnull (strstr (error->message, rows[i].words));
    }
}

static char *
repeat (const char *left,
        const char *middle,
        const char *right,
        guint       n)
{
  GString *text = g_string_new (middle);

  for (guint i = 0; i < n; i++)
    {
      g_string_prepend (text, left);
      g_string_append (text, right);
    }

  return g_string_free (text, FALSE);
}

static gboolean
is_good_type (const char *left,
              const char *middle,
              const char *right,
              guint       n)
{
  g_autofree char *type = repeat (left, middle, right, n);

  return amnesia_value_check_type (type, NULL);
}

static void
test_type_bounds (void)
{
  g_test_summary ("A type has at most 255 bytes and 64 containers inside each other.");

  {
    g_autofree char *fields = g_strnfill (253, 'i');
    g_autofree char *most = g_strdup_printf ("(%s)", fields);
    g_autofree char *more = g_strdup_printf ("(%si)", fields);

    g_assert_true (amnesia_value_check_type (most, NULL));
    g_assert_false (amnesia_value_check_type (more, NULL));
  }

  g_assert_true (is_good_type ("a", "i", "", 64));
  g_assert_false (is_good_type ("a", "i", "", 65));
  g_assert_true (is_good_type ("a", "v", "", 63));
  g_assert_false (is_good_type ("a", "v", "", 64));
  g_assert_true (is_good_type ("(", "()", ")", 63));
  g_assert_false (is_good_type ("(", "()", ")", 64));
  g_assert_true (is_good_type ("m", "i", "", 64));
  g_assert_false (is_good_type ("m", "i", "", 65));
  g_assert_true (is_good_type ("a{s", "i", "}", 32));
  g_assert_false (is_good_type ("a{s", "i", "}", 33));
  g_assert_false (is_good_type ("(ii", "ai", "i)", 64));
}

static GVariant *
nest (GVariant *inner,
      guint     n)
{
  GVariant *value = inner;

  for (guint i = 0; i < n; i++)
    value = g_variant_new_variant (value);

  return g_variant_ref_sink (value);
}

static void
test_depth (void)
{
  static const guint counts[] = { 1, 63, 64, 65, 66, 127, 128, 129, 200 };

  g_test_summary ("64 variants inside each other pass, 65 do not, in memory and from bytes.");

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autoptr (GVariant) tree = nest (g_variant_new_int32 (7), counts[i]);
      g_autoptr (GVariant) bytes = NULL;

      g_test_message ("%u variants", counts[i]);
      if (counts[i] <= 64)
        assert_accepted (tree);
      else
        assert_refused (tree, "64 containers");

      /* Now serialised, and still known to be in normal form. */
      bytes = reread (tree);
      if (counts[i] <= 64)
        {
          assert_accepted (tree);
          assert_accepted (bytes);
          continue;
        }
      assert_refused (tree, "64 containers");
      assert_refused (bytes, "64 containers");
    }
}

/* Wraps what the text says in @most variants, which is right, and in one more, which is not. */
static void
assert_most_variants (const char *text,
                      guint       most)
{
  g_autoptr (GVariant) inner = parse (text);
  g_autoptr (GVariant) right = nest (inner, most);
  g_autoptr (GVariant) wrong = nest (inner, most + 1);

  g_test_message ("%s", text);
  assert_accepted (right);
  assert_refused (wrong, "64 containers");
}

static void
test_depth_counts (void)
{
  g_test_summary ("Arrays, tuples, maybes, dictionary entries and variants count one each.");

  assert_most_variants ("1", 64);
  assert_most_variants ("[(@mi 1,)]", 64 - 3);
  assert_most_variants ("{'a': {'b': 1}}", 64 - 4);

  /* {"a": {"b": 1}} as it comes from JSON. */
  assert_most_variants ("{'a': <{'b': <1>}>}", 64 - 6);

  /* An empty array counts as if it were full. */
  assert_most_variants ("@a{s(mav)} {}", 64 - 6);
}

static void
assert_text_refused (const char *text,
                     const char *words)
{
  g_autoptr (GVariant) value = parse (text);

  assert_refused (value, words);
}

static void
test_inside_variants (void)
{
  g_autofree char *fields = repeat ("", "1", ",1", 299);
  g_autofree char *tuple = g_strdup_printf ("<(%s)>", fields);

  g_test_summary ("What is in a variant obeys the same rules, wherever the variant is.");

  assert_text_refused ("<handle 1>", "handle");
  assert_text_refused ("[<1>, <{'a': (true, <@ah []>)}>]", "handle");
  assert_text_refused ("{'a': <{'b', 1}>}", "outside of a dictionary");
  assert_text_refused (tuple, "302 bytes");
}

static void
test_keys (void)
{
  static const struct
  {
    const char *text;
    const char *words; /* (nullable) NULL: accepted */
  } rows[] = {
    { "{'a': 1, 'b': 1, 'aa': 1, '': 1}", NULL },
    { "{'a': <{'a': <1>}>, 'b': <{'a': <1>}>}", NULL },
    { "{1: 1, -1: 1, 256: 1}", NULL },
    { "{0.0: 1, -0.0: 1}", NULL },
    { "@a{sv} {}", NULL },
    { "{'a': 1, 'b': 1, 'a': 1}", "key 'a' twice" },
    { "{1: 1, 2: 1, 1: 1}", "key 1 twice" },
    { "{0.5: 1, 0.5: 1}", "key 0.5 twice" },
    { "{true: 'x', true: 'y'}", "key true twice" },
    { "{objectpath '/a': 1, '/a': 2}", "key '/a' twice" },
    { "{signature 'as': 1, 'as': 2}", "key 'as' twice" },
    { "{'a': {'b': 1, 'b': 2}}", "key 'b' twice" },
    { "{'a': <1>, 'b': <[<({'é\\n': <1>, 'é\\n': <2>},)>]>}", "key 'é\\n' twice" },
    { "[{'a': 1}, {'a': 1, 'a': 1}]", "key 'a' twice" },
    { "(@mv nothing, just {'a': 1, 'a': 1})", "key 'a' twice" },
  };

  g_test_summary ("No dictionary, however deep, has a key twice; keys are compared as bits.");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GVariant) tree = parse (rows[i].text);
      g_autoptr (GVariant) bytes = NULL;

      g_test_message ("%s", rows[i].text);
      for (guint round = 0; round < 2; round++)
        {
          GVariant *value = round == 0 ? tree : (bytes = reread (tree));

          if (rows[i].words == NULL)
            assert_accepted (value);
          else
            assert_refused (value, rows[i].words);
        }
    }
}

static void
test_nan_key (void)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{db}"));
  g_autoptr (GVariant) value = NULL;

  g_test_summary ("NaN is a key like others, between which it hides no pair.");

  g_variant_builder_add (&builder, "{db}", 1.0, TRUE);
  g_variant_builder_add (&builder, "{db}", (double) NAN, TRUE);
  g_variant_builder_add (&builder, "{db}", 2.0, TRUE);
  g_variant_builder_add (&builder, "{db}", (double) NAN, TRUE);
  value = g_variant_ref_sink (g_variant_builder_end (&builder));

  assert_refused (value, "nan twice");
}

static void
test_long_key (void)
{
  g_autofree char *key = g_strnfill (1024 * 1024, 'k');
  g_autofree char *text = g_strdup_printf ("{'%s': 1, '%s': 2}", key, key);
  g_autoptr (GVariant) value = parse (text);
  g_autoptr (GError) error = NULL;

  g_test_summary ("A message shows the beginning of a long key.");

  g_assert_false (amnesia_value_check (value, NO_LIMIT, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE);
  g_assert_nonnull (strstr (error->message, "'kkkk"));
  g_assert_cmpuint (strlen (error->message), <, 200);
}

static void
test_size (void)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_bytestring ("123456789"));
  g_autoptr (GError) error = NULL;

  g_test_summary ("A value may have as many bytes as max-size, not one more.");

  g_assert_true (amnesia_value_check (value, 11, &error));
  g_assert_no_error (error);
  g_assert_true (amnesia_value_check (value, 10, &error));
  g_assert_no_error (error);
  g_assert_false (amnesia_value_check (value, 9, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
  g_assert_cmpstr (error->message, ==, "the value has 10 bytes, max-size is 9");
}

static void
assert_bytes (const char *type,
              gsize       size,
              guint8      fill,
              gboolean    accepted)
{
  g_autofree guint8 *data = g_malloc (size + 1);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) value = NULL;

  memset (data, fill, size);
  bytes = g_bytes_new (data, size);
  value = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE));

  g_test_message ("%s, %" G_GSIZE_FORMAT " bytes %u", type, size, fill);
  if (accepted)
    assert_accepted (value);
  else
    assert_refused (value, "normal form");
}

static void
test_normal_form (void)
{
  g_test_summary ("Bytes that are not in normal form are refused, and at once.");

  assert_bytes ("ay", 3, 255, TRUE);
  assert_bytes ("ax", 16, 255, TRUE);
  assert_bytes ("ad", 0, 0, TRUE);
  assert_bytes ("ax", 15, 255, FALSE);
  assert_bytes ("au", 1, 255, FALSE);
  assert_bytes ("ab", 2, 1, TRUE);
  assert_bytes ("ab", 2, 2, FALSE);
  assert_bytes ("s", 2, 'a', FALSE);
  assert_bytes ("i", 3, 0, FALSE);
  assert_bytes ("a(vvvvvvvvvvvvvvvvvvvvvvvv)", 1024 * 1024, 0, FALSE);
  assert_bytes ("a{sv}", 1024 * 1024, 0, FALSE);
}

static void
test_checking_keeps_the_tree (void)
{
  g_autoptr (GVariant) leaf = g_variant_ref_sink (g_variant_new_string ("leaf"));
  g_autoptr (GVariant) tree = nest (leaf, 3);

  g_test_summary ("The check neither serialises a value nor sinks it.");

  assert_accepted (tree);
  {
    g_autoptr (GVariant) child = g_variant_get_variant (tree);
    g_autoptr (GVariant) grandchild = g_variant_get_variant (child);
    g_autoptr (GVariant) found = g_variant_get_variant (grandchild);

    g_assert_true (found == leaf);
  }

  {
    GVariant *floating = g_variant_new_variant (leaf);

    assert_accepted (floating);
    g_assert_true (g_variant_is_floating (floating));
    g_variant_unref (g_variant_ref_sink (floating));
  }
}

static void
test_equal (void)
{
  static const struct
  {
    const char *a;
    const char *b;
    gboolean equal;
  } rows[] = {
    { "1", "1", TRUE }, { "1", "2", FALSE }, { "1", "int64 1", FALSE }, { "'a'", "'b'", FALSE },
    { "[1, 2]", "[1, 2]", TRUE }, { "[1, 2]", "[2, 1]", FALSE }, { "[1, 2]", "[1]", FALSE },
    { "[<1>, <2>]", "[<2>, <1>]", FALSE }, { "[<1>, <2>]", "[<1>]", FALSE },
    { "{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", TRUE },
    { "{'a': 1, 'b': 2}", "{'b': 1, 'a': 2}", FALSE },
    { "{'a': 1, 'b': 2}", "{'a': 1}", FALSE },
    { "{'a': 1, 'b': 2}", "{'a': 1, 'c': 2}", FALSE },
    { "{1: 'x', -2: 'yy'}", "{-2: 'yy', 1: 'x'}", TRUE },
    { "{0.0: 1, -0.0: 2}", "{-0.0: 2, 0.0: 1}", TRUE },
    { "{'a': <int64 1>, 'bb': <'s'>}", "{'bb': <'s'>, 'a': <int64 1>}", TRUE },
    { "{'a': <1>, 'b': <2>}", "{'b': <2>, 'a': <int64 1>}", FALSE },
    { "[<{'a': <{'b': 1, 'c': 2}>}>]", "[<{'a': <{'c': 2, 'b': 1}>}>]", TRUE },
    { "[<{'a': <{'b': 1, 'c': 2}>}>]", "[<{'a': <{'c': 1, 'b': 2}>}>]", FALSE },
    { "('x', just {'a': 1, 'b': 2})", "('x', just {'b': 2, 'a': 1})", TRUE },
    { "(@m{sa{si}} nothing, 1)", "(@m{sa{si}} nothing, 1)", TRUE },
    { "(@ma{si} nothing, 1)", "(@ma{si} {}, 1)", FALSE },
    { "<1>", "<int64 1>", FALSE }, { "<<{'a': 1, 'b': 2}>>", "<<{'b': 2, 'a': 1}>>", TRUE },
    { "@a{sv} {}", "@a{sv} {}", TRUE }, { "@a{sv} {}", "@a{ss} {}", FALSE },
    { "{'a': {'x': 1, 'y': 2}, 'b': {'z': 3}}", "{'b': {'z': 3}, 'a': {'y': 2, 'x': 1}}", TRUE },
    { "0.0", "-0.0", FALSE }, { "0.5", "0.5", TRUE }, { "<0.0>", "<-0.0>", FALSE },
  };

  g_test_summary ("Equal is same type and content, where the order of a dictionary means nothing.");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GVariant) a = parse (rows[i].a);
      g_autoptr (GVariant) b = parse (rows[i].b);
      g_autoptr (GVariant) b_bytes = NULL;

      g_test_message ("%s, %s", rows[i].a, rows[i].b);
      g_assert_cmpint (amnesia_value_equal (a, b), ==, rows[i].equal);
      g_assert_cmpint (amnesia_value_equal (b, a), ==, rows[i].equal);
      g_assert_true (amnesia_value_equal (a, a));

      b_bytes = reread (b);
      g_assert_cmpint (amnesia_value_equal (a, b_bytes), ==, rows[i].equal);
    }
}

static void
test_equal_null_and_nan (void)
{
  g_autoptr (GVariant) set = parse ("@mv nothing");
  g_autoptr (GVariant) a = g_variant_ref_sink (g_variant_new_double (NAN));
  g_autoptr (GVariant) b = g_variant_ref_sink (g_variant_new_double (NAN));

  g_test_summary ("Unset equals unset only; NaN equals itself.");

  g_assert_true (amnesia_value_equal (NULL, NULL));
  g_assert_false (amnesia_value_equal (set, NULL));
  g_assert_false (amnesia_value_equal (NULL, set));
  g_assert_true (amnesia_value_equal (a, b));
}

static GVariant *
make_large (guint    n,
            gboolean backwards)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  for (guint i = 0; i < n; i++)
    {
      guint number = backwards ? n - 1 - i : i;
      char key[16];

      g_snprintf (key, sizeof key, "k%u", number);
      g_variant_builder_add (&builder, "{sv}", key, g_variant_new_uint32 (number));
    }

  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* Untouched values each time, as reading them may make them quicker to read. */
static double
time_large (guint n)
{
  g_autoptr (GVariant) a = make_large (n, FALSE);
  g_autoptr (GVariant) b = make_large (n, TRUE);
  g_autoptr (GVariant) a_bytes = reread (a);
  g_autoptr (GVariant) b_bytes = reread (b);
  g_autoptr (GVariant) c_bytes = reread (b);
  g_autoptr (GTimer) timer = g_timer_new ();

  g_assert_true (amnesia_value_check (a, NO_LIMIT, NULL));
  g_assert_true (amnesia_value_check (a_bytes, NO_LIMIT, NULL));
  g_assert_true (amnesia_value_equal (a, b));
  g_assert_true (amnesia_value_equal (b_bytes, a));
  g_assert_true (amnesia_value_equal (a_bytes, c_bytes));

  return g_timer_elapsed (timer, NULL);
}

static void
test_large (void)
{
  double tenth = time_large (1000);
  double whole = time_large (10000);

  g_test_summary ("10,000 keys take about ten times as long as 1,000, not a hundred times.");

  g_test_message ("%.3f s, %.3f s", tenth, whole);
  g_assert_cmpfloat (whole / tenth, <, 40);
}

static void
test_large_order (void)
{
  g_autoptr (GVariant) a = make_large (20000, FALSE);
  g_autoptr (GVariant) b = make_large (20000, TRUE);
  g_autoptr (GVariant) a_bytes = reread (a);

  g_test_summary ("Above 256 KiB no dictionary is sorted: the same order is equal, another is not.");

  g_assert_cmpuint (g_variant_get_size (a), >, 256 * 1024);
  g_assert_true (amnesia_value_equal (a, a_bytes));
  g_assert_false (amnesia_value_equal (a, b));
}

/* Two bytes each, all alike: what they would take as GVariants is a hundred times as much. */
static void
test_few_keys (void)
{
  static const char *const types[] = { "a{by}", "a{yy}", "a{nn}", "a{qv}", "a{yv}" };

  g_test_summary ("More entries than there can be keys are refused without sorting them.");

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      GVariantBuilder builder;
      g_autoptr (GVariant) value = NULL;
      g_autoptr (GError) error = NULL;
      const GVariantType *type = G_VARIANT_TYPE (types[i]);
      g_autoptr (GVariant) entry = NULL;

      entry = types[i][3] == 'v'
                ? g_variant_new_dict_entry (types[i][2] == 'y' ? g_variant_new_byte (1)
                                                               : g_variant_new_uint16 (1),
                                            g_variant_new_variant (g_variant_new_byte (1)))
                : g_variant_new_from_data (g_variant_type_element (type), "\1\1\1\1",
                                           types[i][2] == 'n' ? 4 : 2, TRUE, NULL, NULL);
      g_variant_ref_sink (entry);
      g_variant_builder_init (&builder, type);
      for (guint n = 0; n < 65537; n++)
        g_variant_builder_add_value (&builder, entry);
      value = g_variant_ref_sink (g_variant_builder_end (&builder));
      g_assert_false (amnesia_value_check (value, NO_LIMIT, &error));
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE);
      g_assert_nonnull (strstr (error->message, "more entries than there are keys"));
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/value/types", test_types);
  g_test_add_func ("/value/type-bounds", test_type_bounds);
  g_test_add_func ("/value/depth", test_depth);
  g_test_add_func ("/value/depth-counts", test_depth_counts);
  g_test_add_func ("/value/inside-variants", test_inside_variants);
  g_test_add_func ("/value/keys", test_keys);
  g_test_add_func ("/value/nan-key", test_nan_key);
  g_test_add_func ("/value/long-key", test_long_key);
  g_test_add_func ("/value/size", test_size);
  g_test_add_func ("/value/normal-form", test_normal_form);
  g_test_add_func ("/value/checking-keeps-the-tree", test_checking_keeps_the_tree);
  g_test_add_func ("/value/equal", test_equal);
  g_test_add_func ("/value/equal-null-and-nan", test_equal_null_and_nan);
  g_test_add_func ("/value/large", test_large);
  g_test_add_func ("/value/large-order", test_large_order);
  g_test_add_func ("/value/few-keys", test_few_keys);

  return g_test_run ();
}
