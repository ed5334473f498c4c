/* SPDX-License-Identifier: MIT */

/* First values: a default of this process, and what is set if nobody has set anything. */

#include "testlib.h"

static void
set_default (AmnesiaStore *store,
             const char   *text)
{
  g_autoptr (GVariant) value = text != NULL ? test_value (text) : NULL;

  amnesia_store_set_default_data (store, value);
}

/* --- default-data --- */

static void
test_default (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new_with_keys (store);

  g_test_summary ("A default stands in for the value while that is unset, and was not written");

  set_default (store, "{'a': <1>}");
  test_assert_diary (diary, "default-data", "changed unset -> {'a': <1>} local",
                     "key a: unset -> 1 local", "data", NULL);
  g_assert_null (amnesia_store_get_updated (store));
  set_default (store, "{'a': <1>}");
  test_assert_diary (diary, NULL, NULL);
  set_default (store, "5");
  test_assert_diary (diary, "default-data", "changed {'a': <1>} -> 5 local",
                     "key a: 1 -> unset local", "data", NULL);
  test_set (store, "6");
  test_assert_diary (diary, "changed 5 -> 6 local", "data", "updated", NULL);
  set_default (store, "7");
  test_assert_diary (diary, "default-data", NULL);
  test_assert_data (store, "6");
  amnesia_store_set_data (store, NULL);
  test_assert_diary (diary, "changed 6 -> 7 local", "data", "updated", NULL);
  set_default (store, NULL);
  test_assert_diary (diary, "default-data", "changed 7 -> unset local", "data", NULL);
  test_free_store (store);
}

static void
test_default_keys (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GVariant) value = NULL;

  g_test_summary ("Keys are laid over a default that is a dictionary; one that is none gives way");

  set_default (store, "{'a': <1>, 'b': <2>}");
  test_set_key (store, "b", "3");
  test_assert_data (store, "{'a': <1>, 'b': <3>}");
  value = amnesia_store_get_key (store, "a");
  g_assert_cmpint (g_variant_get_int32 (value), ==, 1);
  test_remove_key (store, "a");
  test_assert_data (store, "{'b': <3>}");
  set_default (store, "{'a': <4>, 'c': <5>}");
  test_assert_data (store, "{'b': <3>, 'c': <5>}");
  set_default (store, "6");
  test_assert_data (store, "{'b': <3>}");
  test_set (store, "{'d': <7>}");
  set_default (store, "{'e': <8>}");
  test_assert_data (store, "{'d': <7>}");
  test_free_store (store);
}

static void
test_default_property (void)
{
  g_autoptr (GVariant) text = g_variant_ref_sink (g_variant_new_string ("a"));
  AmnesiaStore *store = g_object_new (AMNESIA_TYPE_STORE, "default-data", text, NULL);
  g_autoptr (GVariant) got = NULL;
  g_autoptr (GVariant) again = amnesia_store_get_default_data (store);

  g_test_summary ("It is a property, also at construction; a floating value is consumed");

  test_assert_data (store, "'a'");
  g_object_get (store, "default-data", &got, NULL);
  g_assert_true (got == text);
  g_assert_true (again == text);
  g_object_set (store, "default-data", g_variant_new_int32 (5), NULL);
  test_assert_data (store, "5");
  amnesia_store_set_default_data (store, g_variant_new_int32 (5));
  amnesia_store_set_default_data (store, NULL);
  g_assert_null (amnesia_store_get_default_data (store));
  test_free_store (store);
}

static void
test_default_is_not_sent (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);

  g_test_summary ("A default is this process's own: others have theirs, or none");

  test_wait_linked (a, 1);
  set_default (a, "{'a': <1>}");
  set_default (b, "{'a': <2>}");
  test_set_key (a, "k", "3");
  test_until (test_has_data (b, "{'a': <2>, 'k': <3>}"));
  test_assert_data (a, "{'a': <1>, 'k': <3>}");
  test_set (b, "4");
  test_until (test_has_data (a, "4"));
  amnesia_store_set_data (b, NULL);
  test_until (test_has_data (a, "{'a': <1>}"));
  test_assert_data (b, "{'a': <2>}");
  test_close_store (a);
  test_close_store (b);
}

/* --- first writes --- */

typedef struct
{
  gboolean  done;
  gboolean  in_force;
  GError   *error; /* (owned) (nullable) */
} Outcome;

static void
whole_cb (GObject      *source,
          GAsyncResult *result,
          gpointer      user_data)
{
  Outcome *outcome = user_data;

  outcome->in_force = amnesia_store_set_if_unset_finish (AMNESIA_STORE (source), result,
                                                         &outcome->error);
  outcome->done = TRUE;
}

static void
key_cb (GObject      *source,
        GAsyncResult *result,
        gpointer      user_data)
{
  Outcome *outcome = user_data;

  outcome->in_force = amnesia_store_set_key_if_unset_finish (AMNESIA_STORE (source), result,
                                                             &outcome->error);
  outcome->done = TRUE;
}

/* @key: (nullable): NULL for the whole value. */
static void
begin_first (AmnesiaStore *store,
             const char   *key,
             const char   *text,
             GCancellable *cancellable,
             Outcome      *outcome)
{
  g_autoptr (GVariant) value = test_value (text);

  if (key != NULL)
    amnesia_store_set_key_if_unset_async (store, key, value, cancellable, key_cb, outcome);
  else
    amnesia_store_set_if_unset_async (store, value, cancellable, whole_cb, outcome);
  g_assert_false (outcome->done);
}

static gboolean
set_first (AmnesiaStore *store,
           const char   *key,
           const char   *text)
{
  Outcome outcome = { 0 };

  begin_first (store, key, text, NULL, &outcome);
  test_until (outcome.done);
  g_assert_no_error (outcome.error);
  return outcome.in_force;
}

static void
assert_error (AmnesiaStore *store,
              const char   *key,
              const char   *text,
              AmnesiaError  code)
{
  Outcome outcome = { 0 };

  begin_first (store, key, text, NULL, &outcome);
  test_until (outcome.done);
  g_assert_false (outcome.in_force);
  g_assert_error (outcome.error, AMNESIA_ERROR, (int) code);
  g_clear_error (&outcome.error);
}

/* Returns a store that has a configuration, and has not been opened yet. */
static AmnesiaStore *
new_store (guint n)
{
  g_autoptr (AmnesiaConf) conf = test_conf (n);

  return test_new_store (conf);
}

static void
test_alone (void)
{
  AmnesiaStore *store = new_store (1);
  g_autoptr (GDateTime) updated = NULL;

  g_test_summary ("It opens the store, and sets what nobody has set; once");

  g_assert_true (set_first (store, NULL, "1"));
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_ALONE);
  test_assert_data (store, "1");
  updated = amnesia_store_get_updated (store);
  g_assert_nonnull (updated);
  g_assert_false (set_first (store, NULL, "2"));
  test_assert_data (store, "1");
  amnesia_store_set_data (store, NULL);
  g_assert_false (set_first (store, NULL, "2"));
  test_assert_data (store, NULL);
  test_close_store (store);
}

static void
test_key (void)
{
  AmnesiaStore *store = new_store (1);

  g_test_summary ("So with each key; one that was removed, or covered, was written");

  g_assert_true (set_first (store, "a", "1"));
  g_assert_false (set_first (store, "a", "2"));
  g_assert_true (set_first (store, "b", "3"));
  test_assert_data (store, "{'a': <1>, 'b': <3>}");
  test_remove_key (store, "b");
  g_assert_false (set_first (store, "b", "4"));
  test_assert_data (store, "{'a': <1>}");
  test_set (store, "@a{sv} {}");
  g_assert_false (set_first (store, "c", "5"));
  test_assert_data (store, "@a{sv} {}");
  test_close_store (store);
}

static void
test_default_is_unset (void)
{
  AmnesiaStore *store = new_store (1);

  g_test_summary ("A default does not count as written");

  set_default (store, "{'a': <1>, 'b': <2>}");
  g_assert_true (set_first (store, "a", "3"));
  test_assert_data (store, "{'a': <3>, 'b': <2>}");
  test_close_store (store);
}

static void
test_newcomer (void)
{
  AmnesiaStore *first = new_store (2);
  AmnesiaStore *late = NULL;

  g_test_summary ("Who comes late waits for what the others have, and sets only what they have not");

  g_assert_true (set_first (first, "a", "1"));
  late = new_store (2);
  g_assert_false (set_first (late, "a", "2"));
  g_assert_cmpint (amnesia_store_get_state (late), ==, AMNESIA_STATE_SYNCED);
  g_assert_true (set_first (late, "b", "3"));
  test_until (test_has_data (first, "{'a': <1>, 'b': <3>}"));
  test_assert_data (late, "{'a': <1>, 'b': <3>}");
  test_close_store (first);
  test_close_store (late);
}

static void
test_normal_wins (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *earlier = amnesia_store_new ();
  AmnesiaStore *store = NULL;

  g_test_summary ("Any other value beats it, also one that was set before by somebody out of reach");

  test_set (earlier, "'set'");
  test_let_millisecond_pass ();
  store = new_store (2);
  g_assert_true (set_first (store, NULL, "'first'"));
  amnesia_store_set_conf (earlier, conf);
  test_until (test_has_data (store, "'set'"));
  test_assert_data (earlier, "'set'");
  test_close_store (earlier);
  test_close_store (store);
}

static void
test_last_first_wins (void)
{
  g_autoptr (AmnesiaConf) both = test_conf (2);
  AmnesiaStore *a = new_store (1);
  AmnesiaStore *b = NULL;

  g_test_summary ("Of several first values that did not know of each other, the last one wins");

  g_assert_true (set_first (a, NULL, "1"));
  amnesia_store_set_conf (a, NULL);
  test_wait_state (a, AMNESIA_STATE_CLOSED);
  test_let_millisecond_pass ();
  b = new_store (2);
  g_assert_true (set_first (b, NULL, "2"));
  amnesia_store_set_conf (a, both);
  test_until (test_has_data (a, "2"));
  test_assert_data (b, "2");
  test_close_store (a);
  test_close_store (b);
}

static void
set_cb (AmnesiaStore *store)
{
  g_signal_handlers_disconnect_by_func (store, set_cb, NULL);
  test_set (store, "'handler'");
}

static void
test_handler (void)
{
  AmnesiaStore *store = new_store (1);

  g_test_summary ("A handler that sets another value at once: ours is not in force");

  g_signal_connect (store, "changed", G_CALLBACK (set_cb), NULL);
  g_assert_false (set_first (store, NULL, "1"));
  test_assert_data (store, "'handler'");
  test_close_store (store);
}

static void
test_errors (void)
{
  AmnesiaStore *unconfigured = amnesia_store_new ();
  AmnesiaStore *store = new_store (1);
  g_autofree char *long_key = g_strnfill (256, 'k');

  g_test_summary ("What cannot be written is an error, and nothing is set");

  assert_error (unconfigured, NULL, "1", AMNESIA_ERROR_NOT_CONFIGURED);
  assert_error (store, NULL, "handle 1", AMNESIA_ERROR_INVALID_VALUE);
  assert_error (store, "a", "handle 1", AMNESIA_ERROR_INVALID_VALUE);
  assert_error (store, "", "1", AMNESIA_ERROR_INVALID_KEY);
  assert_error (store, long_key, "1", AMNESIA_ERROR_INVALID_KEY);
  test_assert_data (store, NULL);
  test_set (store, "5");
  assert_error (store, "a", "1", AMNESIA_ERROR_NOT_A_DICTIONARY);
  test_assert_data (store, "5");
  test_close_store (store);
  test_free_store (unconfigured);
}

static void
test_error_meanwhile (void)
{
  AmnesiaStore *store = new_store (1);
  Outcome outcome = { 0 };

  g_test_summary ("The value may become one without keys while the store is being opened");

  begin_first (store, "a", "1", NULL, &outcome);
  test_set (store, "5");
  test_until (outcome.done);
  g_assert_error (outcome.error, AMNESIA_ERROR, AMNESIA_ERROR_NOT_A_DICTIONARY);
  g_clear_error (&outcome.error);
  test_assert_data (store, "5");
  test_close_store (store);
}

static void
test_cancelled (void)
{
  AmnesiaStore *store = new_store (2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Outcome outcome = { 0 };

  g_test_summary ("Cancelling ends the waiting, and nothing is set");

  begin_first (store, NULL, "1", cancellable, &outcome);
  g_cancellable_cancel (cancellable);
  test_until (outcome.done);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&outcome.error);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  test_assert_data (store, NULL);
  test_close_store (store);
}

static void
test_closed_meanwhile (void)
{
  AmnesiaStore *store = new_store (2);
  Outcome outcome = { 0 };

  g_test_summary ("So does closing, with an error");

  begin_first (store, "a", "1", NULL, &outcome);
  amnesia_store_set_conf (store, NULL);
  test_until (outcome.done);
  g_assert_error (outcome.error, AMNESIA_ERROR, AMNESIA_ERROR_CLOSED);
  g_clear_error (&outcome.error);
  test_assert_data (store, NULL);
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/first/default", test_default);
  g_test_add_func ("/first/default-keys", test_default_keys);
  g_test_add_func ("/first/default-property", test_default_property);
  g_test_add_func ("/first/default-is-not-sent", test_default_is_not_sent);
  g_test_add_func ("/first/alone", test_alone);
  g_test_add_func ("/first/key", test_key);
  g_test_add_func ("/first/default-is-unset", test_default_is_unset);
  g_test_add_func ("/first/newcomer", test_newcomer);
  g_test_add_func ("/first/normal-wins", test_normal_wins);
  g_test_add_func ("/first/last-first-wins", test_last_first_wins);
  g_test_add_func ("/first/handler", test_handler);
  g_test_add_func ("/first/errors", test_errors);
  g_test_add_func ("/first/error-meanwhile", test_error_meanwhile);
  g_test_add_func ("/first/cancelled", test_cancelled);
  g_test_add_func ("/first/closed-meanwhile", test_closed_meanwhile);
  return g_test_run ();
}
