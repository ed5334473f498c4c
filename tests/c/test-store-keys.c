/* SPDX-License-Identifier: MIT */

#include "testlib.h"

#include <string.h>

static void
set_keys (AmnesiaStore *store,
          const char   *text)
{
  g_autoptr (GVariant) keys = test_value (text);
  g_autoptr (GError) error = NULL;

  g_assert_true (amnesia_store_set_keys (store, keys, &error));
  g_assert_no_error (error);
}

static void
assert_key (AmnesiaStore *store,
            const char   *key,
            const char   *text)
{
  g_autoptr (GVariant) value = amnesia_store_get_key (store, key);
  g_autoptr (GVariant) expected = text != NULL ? test_value (text) : NULL;

  g_assert_cmpint (amnesia_store_has_key (store, key), ==, text != NULL);
  if (text != NULL)
    {
      g_assert_nonnull (value);
      g_assert_cmpvariant (value, expected);
    }
  else
    g_assert_null (value);
}

static void
assert_keys (AmnesiaStore *store,
             const char   *joined)
{
  g_auto (GStrv) keys = amnesia_store_list_keys (store);
  g_autofree char *got = g_strjoinv (" ", keys);

  g_assert_cmpstr (got, ==, joined);
}

static void
test_keys (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new_with_keys (store);

  g_test_summary ("Keys make a dictionary of what was unset; each is told by its own name");

  assert_keys (store, "");
  assert_key (store, "b", NULL);
  test_set_key (store, "b", "1");
  test_assert_diary (diary, "changed unset -> {'b': <1>} local", "key b: unset -> 1 local", "data",
                     "updated", NULL);
  test_set_key (store, "a", "'x'");
  test_assert_diary (diary, "changed {'b': <1>} -> {'a': <'x'>, 'b': <1>} local",
                     "key a: unset -> 'x' local", "data", "updated", NULL);
  assert_key (store, "b", "1");
  assert_key (store, "a", "'x'");
  assert_keys (store, "a b");
  test_assert_data (store, "{'a': <'x'>, 'b': <1>}");

  test_set_key (store, "b", "1");
  test_assert_diary (diary, "updated", NULL);
  test_remove_key (store, "b");
  test_assert_diary (diary, "changed {'a': <'x'>, 'b': <1>} -> {'a': <'x'>} local",
                     "key b: 1 -> unset local", "data", "updated", NULL);
  test_remove_key (store, "b");
  test_assert_diary (diary, "updated", NULL);
  assert_key (store, "b", NULL);
  test_remove_key (store, "a");
  test_assert_data (store, "@a{sv} {}");
  test_free_store (store);
}

static void
test_base (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("Keys are laid over the whole value, and it covers them; key-changed tells of both");

  test_set (store, "{'c': <3>, 'a': <1>, '': <0>}");
  assert_keys (store, "a c");
  assert_key (store, "", NULL);
  diary = test_diary_new_with_keys (store);
  test_set_key (store, "b", "2");
  test_assert_data (store, "{'': <0>, 'a': <1>, 'b': <2>, 'c': <3>}");
  test_diary_clear (diary);

  test_set (store, "{'d': <4>, 'c': <3>, 'a': <7>, '': <1>}");
  test_assert_diary (diary, "changed {'': <0>, 'a': <1>, 'b': <2>, 'c': <3>} -> "
                            "{'d': <4>, 'c': <3>, 'a': <7>, '': <1>} local",
                     "key a: 1 -> 7 local", "key b: 2 -> unset local", "key d: unset -> 4 local",
                     "data", "updated", NULL);
  test_set (store, "5");
  test_assert_diary (diary, "changed {'d': <4>, 'c': <3>, 'a': <7>, '': <1>} -> 5 local",
                     "key a: 7 -> unset local", "key c: 3 -> unset local",
                     "key d: 4 -> unset local", "data", "updated", NULL);
  assert_keys (store, "");
  assert_key (store, "a", NULL);
  test_free_store (store);
}

static void
test_several (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new_with_keys (store);
  g_autoptr (GVariant) none = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  g_autoptr (GError) error = NULL;

  g_test_summary ("Several keys are one write, and one transition");

  set_keys (store, "{'b': <2>, 'a': <1>}");
  test_assert_diary (diary, "changed unset -> {'a': <1>, 'b': <2>} local", "key a: unset -> 1 local",
                     "key b: unset -> 2 local", "data", "updated", NULL);
  g_assert_true (amnesia_store_set_keys (store, none, &error));
  g_assert_no_error (error);
  test_assert_diary (diary, NULL, NULL);
  test_free_store (store);
}

typedef struct
{
  GString *told;
  char    *remove; /* (nullable) */
} Listener;

static void
key_changed_cb (AmnesiaStore *store,
                const char   *key,
                GVariant     *old,
                GVariant     *new,
                gboolean      remote,
                Listener     *listener)
{
  g_autofree char *now = new != NULL ? g_variant_print (new, FALSE) : g_strdup ("unset");
  g_autofree char *remove = g_steal_pointer (&listener->remove);

  g_string_append_printf (listener->told, "%s=%s ", key, now);
  if (remove != NULL)
    test_remove_key (store, remove);
}

static void
test_detail (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  Listener listener = { g_string_new (NULL), NULL };

  g_test_summary ("Who listens to one key hears of that one only, also where a key looks like a detail");

  g_signal_connect (store, "key-changed::b", G_CALLBACK (key_changed_cb), &listener);
  g_signal_connect (store, "key-changed::x::y", G_CALLBACK (key_changed_cb), &listener);
  set_keys (store, "{'b': <2>, 'a': <1>, 'x': <3>, 'x::y': <4>}");
  test_set (store, "{'a': <2>}");
  g_assert_cmpstr (listener.told->str, ==, "b=2 x::y=4 b=unset x::y=unset ");
  g_assert_cmpuint (g_quark_try_string ("nobody listens to this key"), ==, 0);
  test_set_key (store, "nobody listens to this key", "1");
  g_assert_cmpuint (g_quark_try_string ("nobody listens to this key"), ==, 0);
  test_free_store (store);
  g_string_free (listener.told, TRUE);
}

static void
test_in_handler (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  Listener first = { g_string_new (NULL), g_strdup ("b") };
  Listener second = { g_string_new (NULL), NULL };

  g_test_summary ("What a handler removes is gone at once, and told when all have heard of what was");

  g_signal_connect (store, "key-changed", G_CALLBACK (key_changed_cb), &first);
  g_signal_connect (store, "key-changed", G_CALLBACK (key_changed_cb), &second);
  set_keys (store, "{'b': <2>, 'a': <1>}");
  g_assert_cmpstr (first.told->str, ==, "a=1 b=2 b=unset ");
  g_assert_cmpstr (second.told->str, ==, first.told->str);
  assert_keys (store, "a");
  test_free_store (store);
  g_string_free (first.told, TRUE);
  g_string_free (second.told, TRUE);
}

static void
assert_refused (AmnesiaStore *store,
                const char   *key,
                GVariant     *value,
                AmnesiaError  code)
{
  g_autoptr (GVariant) kept = g_variant_ref_sink (value);
  g_autoptr (GVariant) keys = g_variant_ref_sink (g_variant_new_parsed ("{%s: <%v>, 'z': <1>}",
                                                                        key, kept));
  g_autoptr (TestDiary) diary = test_diary_new_with_keys (store);
  g_autoptr (GVariant) before = amnesia_store_get_data (store);
  g_autoptr (GVariant) after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (amnesia_store_set_key (store, key, kept, &error));
  g_assert_error (error, AMNESIA_ERROR, (int) code);
  g_clear_error (&error);
  g_assert_false (amnesia_store_set_keys (store, keys, &error));
  g_assert_error (error, AMNESIA_ERROR, (int) code);
  test_assert_diary (diary, NULL, NULL);
  after = amnesia_store_get_data (store);
  g_assert_true (before == after);
}

static void
test_refused (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autofree char *longest = g_strnfill (255, 'k');
  g_autofree char *too_long = g_strnfill (256, 'k');
  g_autoptr (GError) error = NULL;

  g_test_summary ("What cannot be written changes nothing, of several keys none");

  amnesia_conf_set_max_size (conf, 1024);
  amnesia_store_set_conf (store, conf);
  test_set_key (store, longest, "1");
  assert_key (store, longest, "1");
  assert_key (store, too_long, NULL);
  assert_refused (store, "", g_variant_new_int32 (1), AMNESIA_ERROR_INVALID_KEY);
  assert_refused (store, too_long, g_variant_new_int32 (1), AMNESIA_ERROR_INVALID_KEY);
  assert_refused (store, "h", g_variant_new_handle (1), AMNESIA_ERROR_INVALID_VALUE);
  assert_refused (store, "big", g_variant_new_take_string (g_strnfill (1025, 's')),
                  AMNESIA_ERROR_TOO_BIG);
  g_assert_false (amnesia_store_set_key (store, "\xff", g_variant_new_int32 (1), &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_KEY);
  g_clear_error (&error);
  g_assert_false (amnesia_store_remove_key (store, "", &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_KEY);
  g_clear_error (&error);

  test_set (store, "5");
  assert_refused (store, "a", g_variant_new_int32 (1), AMNESIA_ERROR_NOT_A_DICTIONARY);
  g_assert_false (amnesia_store_remove_key (store, "a", &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_A_DICTIONARY);
  amnesia_store_set_data (store, NULL);
  test_set_key (store, "a", "1");
  test_assert_data (store, "{'a': <1>}");
  test_free_store (store);
}

static void
test_too_many (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  GVariantDict dict;
  g_autoptr (GError) error = NULL;
  guint i;

  g_test_summary ("There are 4,096 keys at most, removed ones counted, until the whole value is set");

  g_variant_dict_init (&dict, NULL);
  for (i = 0; i < 4096; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      g_variant_dict_insert (&dict, key, "u", i);
    }
  g_assert_true (amnesia_store_set_keys (store, g_variant_dict_end (&dict), &error));
  g_assert_no_error (error);
  test_remove_key (store, "0");
  g_assert_false (amnesia_store_set_key (store, "new", g_variant_new_int32 (1), &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_MANY_KEYS);
  g_clear_error (&error);
  g_assert_false (amnesia_store_remove_key (store, "another", &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_MANY_KEYS);
  test_set_key (store, "0", "1");
  test_set_key (store, "1", "1");
  test_set (store, "{'whole': <1>}");
  test_set_key (store, "new", "1");
  assert_keys (store, "new whole");
  test_free_store (store);
}

static void
test_too_big_together (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_take_string (g_strnfill (1023, 's')));
  g_autoptr (GError) error = NULL;

  g_test_summary ("All keys together have four times the size of the largest value at most");

  amnesia_conf_set_max_size (conf, 1024);
  amnesia_store_set_conf (store, conf);
  g_assert_true (amnesia_store_set_key (store, "a", value, NULL));
  g_assert_true (amnesia_store_set_key (store, "b", value, NULL));
  g_assert_true (amnesia_store_set_key (store, "c", value, NULL));
  g_assert_true (amnesia_store_set_key (store, "d", value, NULL));
  g_assert_false (amnesia_store_set_key (store, "e", g_variant_new_byte (1), &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
  g_assert_true (amnesia_store_set_key (store, "a", value, NULL));
  test_remove_key (store, "b");
  test_set_key (store, "e", "1");
  test_free_store (store);
}

/* --- two stores --- */

static gboolean
has_key (AmnesiaStore *store,
         const char   *key,
         const char   *text)
{
  g_autoptr (GVariant) value = amnesia_store_get_key (store, key);
  g_autoptr (GVariant) expected = test_value (text);

  return value != NULL && g_variant_equal (value, expected);
}

static void
test_shared (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("Both keep what they write at the same time under different keys");

  test_wait_linked (a, 1);
  test_wait_linked (b, 1);
  test_set_key (a, "a", "1");
  test_set_key (b, "b", "2");
  test_wait_data (a, g_variant_new_parsed ("{'a': <1>, 'b': <2>}"));
  test_wait_data (b, g_variant_new_parsed ("{'a': <1>, 'b': <2>}"));

  diary = test_diary_new_with_keys (b);
  set_keys (a, "{'c': <3>, 'a': <4>}");
  test_until (has_key (b, "c", "3"));
  test_assert_diary (diary, "changed {'a': <1>, 'b': <2>} -> {'a': <4>, 'b': <2>, 'c': <3>} remote",
                     "key a: 1 -> 4 remote", "key c: unset -> 3 remote", "data", "updated", NULL);
  test_remove_key (a, "b");
  test_until (!amnesia_store_has_key (b, "b"));
  test_assert_diary (diary, "changed {'a': <4>, 'b': <2>, 'c': <3>} -> {'a': <4>, 'c': <3>} remote",
                     "key b: 2 -> unset remote", "data", "updated", NULL);
  test_close_store (a);
  test_close_store (b);
}

#define MOST_MEMBERS 65536

/* {'a': <first>, '0': <0>, '1': <0>, ...} */
static GVariant *
make_many (guint n,
           int   first)
{
  GVariantBuilder builder;
  guint i;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "a", g_variant_new_int32 (first));
  for (i = 1; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      g_variant_builder_add (&builder, "{sv}", key, g_variant_new_byte (0));
    }
  return g_variant_builder_end (&builder);
}

static void
note_key_cb (AmnesiaStore *store,
             const char   *key,
             GVariant     *old,
             GVariant     *new,
             gboolean      remote,
             GString      *told)
{
  g_autofree char *old_text = old != NULL ? g_variant_print (old, FALSE) : g_strdup ("unset");
  g_autofree char *new_text = new != NULL ? g_variant_print (new, FALSE) : g_strdup ("unset");

  g_string_append_printf (told, "%s: %s -> %s; ", key, old_text, new_text);
}

static void
assert_told (GString    *told,
             const char *text)
{
  g_assert_cmpstr (told->str, ==, text);
  g_string_truncate (told, 0);
}

static void
test_too_many_to_tell (void)
{
  g_autoptr (AmnesiaStore) store = amnesia_store_new ();
  g_autoptr (GString) told = g_string_new (NULL);
  gulong handler;

  g_test_summary ("After a value of too many members the keys are told that differ from the one before");

  handler = g_signal_connect (store, "key-changed", G_CALLBACK (note_key_cb), told);
  test_set (store, "{'a': <1>, 'b': <2>, 'c': <3>}");
  assert_told (told, "a: unset -> 1; b: unset -> 2; c: unset -> 3; ");
  amnesia_store_set_data (store, make_many (MOST_MEMBERS + 1, 7));
  amnesia_store_set_data (store, make_many (MOST_MEMBERS + 2, 8));
  assert_told (told, "");
  test_set (store, "{'a': <9>, 'b': <2>}");
  assert_told (told, "a: 1 -> 9; c: 3 -> unset; ");
  test_set (store, "{'a': <9>, 'b': <3>}");
  assert_told (told, "b: 2 -> 3; ");

  amnesia_store_set_data (store, make_many (MOST_MEMBERS + 1, 7));
  test_set (store, "5");
  assert_told (told, "a: 9 -> unset; b: 3 -> unset; ");

  g_signal_handler_disconnect (store, handler);
  amnesia_store_set_data (store, make_many (MOST_MEMBERS + 1, 7));
  g_signal_connect (store, "key-changed", G_CALLBACK (note_key_cb), told);
  amnesia_store_set_data (store, make_many (MOST_MEMBERS + 2, 7));
  test_set (store, "{'a': <9>}");
  assert_told (told, "a: unset -> 9; ");
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/store-keys/set", test_keys);
  g_test_add_func ("/store-keys/base", test_base);
  g_test_add_func ("/store-keys/several", test_several);
  g_test_add_func ("/store-keys/detail", test_detail);
  g_test_add_func ("/store-keys/in-handler", test_in_handler);
  g_test_add_func ("/store-keys/refused", test_refused);
  g_test_add_func ("/store-keys/too-many", test_too_many);
  g_test_add_func ("/store-keys/too-big-together", test_too_big_together);
  g_test_add_func ("/store-keys/too-many-to-tell", test_too_many_to_tell);
  g_test_add_func ("/store-keys/shared", test_shared);

  return g_test_run ();
}
