/* SPDX-License-Identifier: MIT */

/* The lists by which two sides of a link find out what each lacks, when they come in pieces, or as
 * no honest peer would send them. */

#include "testlib.h"

#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-repair-private.h"

#define NOW (G_GINT64_CONSTANT (1700000000) * 1000) /* in milliseconds */
#define OURS 1
#define THEIRS 2

typedef struct
{
  AmnesiaReplica *replica;
  AmnesiaRepair   repair;
} Fixture;

static void
set_up (Fixture       *fixture,
        gconstpointer  data)
{
  fixture->replica = amnesia_replica_new (OURS);
  amnesia_repair_init (&fixture->repair, fixture->replica, 1024);
  amnesia_repair_start (&fixture->repair, 1024);
}

static void
tear_down (Fixture       *fixture,
           gconstpointer  data)
{
  amnesia_repair_clear (&fixture->repair);
  amnesia_replica_free (fixture->replica);
}

static void
write_key (Fixture    *fixture,
           const char *key)
{
  g_autoptr (GVariant) value = test_value ("1");

  amnesia_replica_write (fixture->replica, NOW, key, value);
}

/* @items: in GVariant's notation. The last piece goes to "". */
static GPtrArray *
receive (Fixture     *fixture,
         const char  *from,
         const char  *to,
         GVariant    *items,
         GError     **error)
{
  g_autoptr (GVariant) owned = g_variant_take_ref (items);
  g_autoptr (GVariant) none = test_value ("@a{sv} {}");
  AmnesiaFrame frame = { .kind = AMNESIA_FRAME_LIST };
  GPtrArray *lacking;

  frame.header = g_variant_ref_sink (g_variant_new ("(ssbb@a(sttt)@a{sv})", from, to, *to == '\0',
                                                    FALSE, owned, none));
  lacking = amnesia_repair_receive (&fixture->repair, &frame, 1, NOW * 1000, error);
  g_variant_unref (frame.header);
  return lacking;
}

static void
assert_lacking (Fixture    *fixture,
                const char *from,
                const char *to,
                const char *items,
                const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) lacking = receive (fixture, from, to, test_value (items), &error);
  g_autofree char *got = NULL;

  g_assert_no_error (error);
  g_ptr_array_add (lacking, NULL);
  got = g_strjoinv (" ", (char **) lacking->pdata);
  g_assert_cmpstr (got, ==, expected);
}

static void
assert_refused (Fixture    *fixture,
                const char *from,
                const char *to,
                GVariant   *items,
                int         code,
                const char *pattern)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (receive (fixture, from, to, items, &error));
  g_assert_error (error, AMNESIA_ERROR, code);
  g_assert_nonnull (strstr (error->message, pattern));
}

static GVariant *
no_items (void)
{
  return test_value ("@a(sttt) []");
}

static void
test_pieces (Fixture       *fixture,
             gconstpointer  data)
{
  g_test_summary ("Each piece tells what the peer lacks within its range, and only there");

  write_key (fixture, "a");
  write_key (fixture, "c");
  write_key (fixture, "e");
  write_key (fixture, "g");
  assert_lacking (fixture, "", "d", "@a(sttt) [('aa', 1, 2, 8), ('b', 1, 2, 8), ('c', 1, 2, 8)]",
                  "a c");
  g_assert_false (fixture->repair.listed);
  assert_lacking (fixture, "d", "f", "@a(sttt) [('e', 9334783236920311808, 2, 8)]", "");
  assert_lacking (fixture, "f", "", "@a(sttt) []", "g");
  g_assert_true (fixture->repair.listed);
}

static void
test_out_of_order (Fixture       *fixture,
                   gconstpointer  data)
{
  g_test_summary ("A list begins at the beginning, and each piece where the last one ended");

  assert_refused (fixture, "a", "", no_items (), AMNESIA_ERROR_PROTOCOL, "out of order");
  assert_lacking (fixture, "", "d", "@a(sttt) []", "");
  assert_refused (fixture, "e", "", no_items (), AMNESIA_ERROR_PROTOCOL, "out of order");
}

static void
test_backwards (Fixture       *fixture,
                gconstpointer  data)
{
  g_test_summary ("A piece that ends where it begins, or before, would never end");

  assert_lacking (fixture, "", "d", "@a(sttt) []", "");
  assert_refused (fixture, "d", "d", no_items (), AMNESIA_ERROR_PROTOCOL, "backwards");
  assert_refused (fixture, "d", "c", no_items (), AMNESIA_ERROR_PROTOCOL, "backwards");
}

static void
test_keys_out_of_order (Fixture       *fixture,
                        gconstpointer  data)
{
  g_test_summary ("The keys within a piece rise");

  assert_refused (fixture, "", "", test_value ("@a(sttt) [('b', 1, 2, 8), ('a', 1, 2, 8)]"),
                  AMNESIA_ERROR_PROTOCOL, "key");
}

static GVariant *
make_items (guint first,
            guint n)
{
  GVariantBuilder builder;
  guint i;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sttt)"));
  for (i = first; i < first + n; i++)
    {
      char key[16];

      g_snprintf (key, sizeof key, "k%08u", i);
      g_variant_builder_add (&builder, "(sttt)", key,
                             AMNESIA_STAMP_NORMAL | (guint64) NOW << 16, (guint64) THEIRS,
                             G_GUINT64_CONSTANT (8));
    }
  return g_variant_builder_end (&builder);
}

static void
test_endless (Fixture       *fixture,
              gconstpointer  data)
{
  g_autofree char *from = g_strdup ("");
  guint i, n = AMNESIA_MAX_LISTED / 16;

  g_test_summary ("A list may name so many keys that we lack, and not one more");

  for (i = 0; i < 16; i++)
    {
      g_autofree char *to = g_strdup_printf ("k%08u", (i + 1) * n);
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) lacking = receive (fixture, from, to, make_items (i * n, n), &error);

      g_assert_no_error (error);
      g_free (from);
      from = g_steal_pointer (&to);
    }
  assert_refused (fixture, from, "", make_items (16 * n, 1), AMNESIA_ERROR_TOO_BIG, "without end");
}

static void
test_too_large (Fixture       *fixture,
                gconstpointer  data)
{
  AmnesiaEntry *older;
  guint64 digest;

  g_test_summary ("What is too large for us is not waited for, and our older entry is not compared");

  write_key (fixture, "a");
  write_key (fixture, "b");
  digest = amnesia_repair_get_digest (&fixture->repair);
  assert_lacking (fixture, "", "", "@a(sttt) [('a', 9334783236920311808, 2, 4096)]", "b");
  g_assert_true (amnesia_repair_is_complete (&fixture->repair));
  older = amnesia_replica_lookup (fixture->replica, "a");
  g_assert_cmphex (amnesia_repair_get_digest (&fixture->repair), ==,
                   digest - amnesia_entry_hash (older));
}

int
main (int    argc,
      char **argv)
{
  static const struct
  {
    const char *name;
    void      (*func) (Fixture       *fixture,
                  gconstpointer  data);
  } tests[] = {
    { "/lists/pieces", test_pieces },
    { "/lists/out-of-order", test_out_of_order },
    { "/lists/backwards", test_backwards },
    { "/lists/keys-out-of-order", test_keys_out_of_order },
    { "/lists/endless", test_endless },
    { "/lists/too-large", test_too_large },
  };
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
