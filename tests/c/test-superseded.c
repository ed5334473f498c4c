/* SPDX-License-Identifier: MIT */

/* What a store tells of its writes that were lost against others of the same time. */

#include "testlib.h"

typedef struct
{
  AmnesiaStore *a;
  AmnesiaStore *b;
  GString      *told_a; /* (owned) what `a` told, in order */
  GString      *told_b; /* (owned) */
} Pair;

static void
append_value (GString    *told,
              const char *before,
              GVariant   *value)
{
  g_autofree char *text = value != NULL ? g_variant_print (value, FALSE) : g_strdup ("nothing");

  g_string_append_printf (told, "%s%s", before, text);
}

static void
superseded_cb (AmnesiaStore *store,
               const char   *key,
               GVariant     *lost,
               GVariant     *winner,
               GString      *told)
{
  g_string_append_printf (told, "%s:", key != NULL ? key : "all");
  append_value (told, " ", lost);
  append_value (told, " lost to ", winner);
  g_string_append (told, "; ");
}

static void
changed_cb (AmnesiaStore *store,
            GVariant     *old,
            GVariant     *new,
            gboolean      remote,
            GString      *told)
{
  append_value (told, "changed to ", new);
  g_string_append (told, "; ");
}

/* Two stores that are linked and have the same value. */
static Pair
pair_new (const char *text)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (GVariant) value = test_value (text);
  Pair pair = { test_store (conf), test_store (conf), g_string_new (NULL), g_string_new (NULL) };

  test_wait_linked (pair.a, 1);
  test_wait_linked (pair.b, 1);
  amnesia_store_set_data (pair.a, value);
  test_wait_data (pair.b, value);
  g_signal_connect (pair.a, "superseded", G_CALLBACK (superseded_cb), pair.told_a);
  g_signal_connect (pair.b, "superseded", G_CALLBACK (superseded_cb), pair.told_b);
  return pair;
}

static void
pair_clear (Pair *pair)
{
  test_close_store (pair->a);
  test_close_store (pair->b);
  g_string_free (pair->told_a, TRUE);
  g_string_free (pair->told_b, TRUE);
}

static gboolean
have_same (Pair       *pair,
           const char *text)
{
  return test_has_data (pair->a, text) && test_has_data (pair->b, text);
}

/* Assures that both come to this value, and what `a` told, whose writes were earlier; the winner has
 * lost nothing. */
static void
assert_end (Pair       *pair,
            const char *text,
            const char *told)
{
  test_until (have_same (pair, text));
  /* what would be told once more would come with the next value */
  test_set (pair->b, "'end'");
  test_until (have_same (pair, "'end'"));
  g_assert_cmpstr (pair->told_a->str, ==, told);
  g_assert_cmpstr (pair->told_b->str, ==, "");
}

static void
test_whole (void)
{
  Pair pair = pair_new ("0");

  g_test_summary ("Who wrote the whole value and lost is told once, after `changed`; who won is not");

  g_signal_connect (pair.a, "changed", G_CALLBACK (changed_cb), pair.told_a);
  test_set (pair.a, "1");
  test_let_millisecond_pass ();
  test_set (pair.b, "2");
  test_until (have_same (&pair, "2"));
  g_assert_cmpstr (pair.told_a->str, ==, "changed to 1; changed to 2; all: 1 lost to 2; ");
  g_assert_cmpstr (pair.told_b->str, ==, "");
  pair_clear (&pair);
}

static void
test_key (void)
{
  Pair pair = pair_new ("{'k': <0>}");
  g_autoptr (GString) detail = g_string_new (NULL);
  g_autoptr (GString) other = g_string_new (NULL);

  g_test_summary ("A key that was lost is named, and is the detail of the signal");

  g_signal_connect (pair.a, "superseded::k", G_CALLBACK (superseded_cb), detail);
  g_signal_connect (pair.a, "superseded::other", G_CALLBACK (superseded_cb), other);
  test_set_key (pair.a, "k", "1");
  test_let_millisecond_pass ();
  test_set_key (pair.b, "k", "2");
  assert_end (&pair, "{'k': <2>}", "k: 1 lost to 2; ");
  g_assert_cmpstr (detail->str, ==, pair.told_a->str);
  g_assert_cmpstr (other->str, ==, "");
  pair_clear (&pair);
}

static void
test_different_keys (void)
{
  Pair pair = pair_new ("@a{sv} {}");

  g_test_summary ("Different keys at the same time: nothing is lost");

  test_set_key (pair.a, "a", "1");
  test_let_millisecond_pass ();
  test_set_key (pair.b, "b", "2");
  assert_end (&pair, "{'a': <1>, 'b': <2>}", "");
  pair_clear (&pair);
}

static void
test_seen (void)
{
  Pair pair = pair_new ("{'k': <0>}");

  g_test_summary ("A write whose writer knew what it replaced has beaten nobody");

  test_set_key (pair.a, "k", "1");
  test_until (have_same (&pair, "{'k': <1>}"));
  test_set_key (pair.b, "k", "2");
  test_until (have_same (&pair, "{'k': <2>}"));
  test_set (pair.a, "3");
  test_until (have_same (&pair, "3"));
  test_set (pair.b, "4");
  assert_end (&pair, "4", "");
  pair_clear (&pair);
}

static void
test_covered (void)
{
  Pair pair = pair_new ("{'k': <0>}");

  g_test_summary ("A whole value covers the keys that its writer had not seen");

  test_set_key (pair.a, "k", "1");
  test_set_key (pair.a, "l", "2");
  test_let_millisecond_pass ();
  test_set (pair.b, "{'m': <3>}");
  assert_end (&pair, "{'m': <3>}", "k: 1 lost to {'m': <3>}; l: 2 lost to {'m': <3>}; ");
  pair_clear (&pair);
}

static void
test_laid_over (void)
{
  Pair pair = pair_new ("{'k': <0>}");

  g_test_summary ("A key that is laid over a whole value of the same time has not beaten it");

  test_set (pair.a, "{'k': <1>, 'l': <1>}");
  test_let_millisecond_pass ();
  test_set_key (pair.b, "k", "2");
  assert_end (&pair, "{'k': <2>, 'l': <1>}", "");
  pair_clear (&pair);
}

static void
test_removed (void)
{
  Pair pair = pair_new ("{'k': <0>, 'l': <0>}");

  g_test_summary ("A removal can be lost, and can win");

  test_remove_key (pair.a, "k");
  test_set_key (pair.a, "l", "1");
  test_let_millisecond_pass ();
  test_set_key (pair.b, "k", "2");
  test_remove_key (pair.b, "l");
  assert_end (&pair, "{'k': <2>}", "k: nothing lost to 2; l: 1 lost to nothing; ");
  pair_clear (&pair);
}

static void
test_unset (void)
{
  Pair pair = pair_new ("0");

  g_test_summary ("So can unsetting the whole value");

  amnesia_store_set_data (pair.a, NULL);
  test_let_millisecond_pass ();
  test_set (pair.b, "2");
  test_until (have_same (&pair, "2"));
  test_set (pair.a, "3");
  test_let_millisecond_pass ();
  amnesia_store_set_data (pair.b, NULL);
  assert_end (&pair, NULL, "all: nothing lost to 2; all: 3 lost to nothing; ");
  pair_clear (&pair);
}

static void
test_last_of_several (void)
{
  Pair pair = pair_new ("0");

  g_test_summary ("What was replaced by its own writer was not lost");

  test_set (pair.a, "1");
  test_set (pair.a, "2");
  test_let_millisecond_pass ();
  test_set (pair.b, "3");
  assert_end (&pair, "3", "all: 2 lost to 3; ");
  pair_clear (&pair);
}

static void
test_apart (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  g_autoptr (GString) told = g_string_new (NULL);

  g_test_summary ("What two wrote while they were apart is told when they meet again");

  test_wait_linked (a, 1);
  test_set_key (a, "k", "0");
  test_until (test_has_data (b, "{'k': <0>}"));
  amnesia_store_set_conf (b, NULL);
  test_wait_linked (a, 0);
  g_signal_connect (a, "superseded", G_CALLBACK (superseded_cb), told);
  g_signal_connect (b, "superseded", G_CALLBACK (superseded_cb), told);
  test_set_key (b, "k", "1");
  test_set_key (b, "l", "1");
  test_let_millisecond_pass ();
  test_set_key (a, "k", "2");
  amnesia_store_set_conf (b, conf);
  test_until (test_has_data (b, "{'k': <2>, 'l': <1>}"));
  g_assert_cmpstr (told->str, ==, "k: 1 lost to 2; ");
  test_until (test_has_data (a, "{'k': <2>, 'l': <1>}"));
  g_assert_cmpstr (told->str, ==, "k: 1 lost to 2; ");
  test_close_store (a);
  test_close_store (b);
}

static void
set_again_cb (AmnesiaStore *store,
              const char   *key,
              GVariant     *lost,
              GVariant     *winner,
              gpointer      user_data)
{
  g_signal_handlers_disconnect_by_func (store, set_again_cb, NULL);
  g_assert_true (amnesia_store_set_key (store, key, lost, NULL));
}

static void
test_set_again (void)
{
  Pair pair = pair_new ("{'k': <0>}");

  g_test_summary ("A handler may set its own value once more, which then stays");

  g_signal_connect (pair.a, "superseded", G_CALLBACK (set_again_cb), NULL);
  test_set_key (pair.a, "k", "1");
  test_let_millisecond_pass ();
  test_set_key (pair.b, "k", "2");
  assert_end (&pair, "{'k': <1>}", "k: 1 lost to 2; ");
  pair_clear (&pair);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/superseded/whole", test_whole);
  g_test_add_func ("/superseded/key", test_key);
  g_test_add_func ("/superseded/different-keys", test_different_keys);
  g_test_add_func ("/superseded/seen", test_seen);
  g_test_add_func ("/superseded/covered", test_covered);
  g_test_add_func ("/superseded/laid-over", test_laid_over);
  g_test_add_func ("/superseded/removed", test_removed);
  g_test_add_func ("/superseded/unset", test_unset);
  g_test_add_func ("/superseded/last-of-several", test_last_of_several);
  g_test_add_func ("/superseded/apart", test_apart);
  g_test_add_func ("/superseded/set-again", test_set_again);
  return g_test_run ();
}
