/* SPDX-License-Identifier: MIT */

/* Limits that differ: who has a smaller max-size than what others write, or than what it holds. */

#include "small-world.h"

#include <string.h>

static void
write_text (guint       i,
            const char *key,
            gsize       length)
{
  g_autofree char *text = g_strnfill (length, 'x');

  world_write (i, key, g_variant_new_string (text));
}

static void
assert_quiet (void)
{
  guint before;

  world_run (12 * SECOND);
  before = world.n_frames[AMNESIA_FRAME_LIST];
  world_run (20 * SECOND);
  g_assert_cmpuint (world.n_frames[AMNESIA_FRAME_LIST], ==, before);
}

static gsize
get_text_length (guint       i,
                 const char *key)
{
  AmnesiaReplica *replica = amnesia_mesh_get_replica (world.nodes[i].mesh);
  AmnesiaEntry *entry = amnesia_replica_lookup (replica, key);

  return entry != NULL && entry->value != NULL ? strlen (g_variant_get_string (entry->value, NULL)) : 0;
}

static void
test_above_own_limit (void)
{
  g_test_summary ("Who has a value above his own limit, as that was set later, does not exchange lists "
                  "for ever");

  world.nodes[0].max_size = 1024;
  world_begin (2);
  world_run (SECOND);
  write_text (0, "", 2000);
  assert_quiet ();
  world_end ();
}

static void
test_withheld_base (void)
{
  g_test_summary ("A value that is too large for the peer and covers a key of his is no mismatch");

  world.nodes[1].max_size = 1024;
  world_begin (2);
  world_run (SECOND);
  world.cut = TRUE;
  world_run (10 * SECOND);
  write_text (1, "key", 10);
  world_run (SECOND);
  write_text (0, "", 2000);
  world.cut = FALSE;
  assert_quiet ();
  world_end ();
}

static void
test_no_room (void)
{
  guint i, dials;

  g_test_summary ("Who has no room for all keys has the newest of those that fit, over one link");

  world.nodes[1].max_size = 1024;
  world_begin (2);
  world_run (SECOND);
  for (i = 0; i < 6; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      write_text (0, key, 900);
    }
  world_run (SECOND);
  dials = world_n_dials ();
  write_text (0, "0", 10);
  world_run (20 * SECOND);
  g_test_message ("%u dials, %u lists, %u writes", world_n_dials () - dials,
                  world.n_frames[AMNESIA_FRAME_LIST], world.n_frames[AMNESIA_FRAME_WRITE]);
  g_assert_cmpuint (get_text_length (1, "0"), ==, 10);
  g_assert_cmpuint (world_n_dials (), ==, dials);
  world_end ();
}

static void
test_write_too_big (void)
{
  AmnesiaReplica *replica;
  g_autofree char *text = g_strnfill (900, 'x');
  AmnesiaStamp stamp = AMNESIA_STAMP_NORMAL | G_GUINT64_CONSTANT (1000000000) << 16;
  guint i;

  g_test_summary ("A write whose values are together too large for the peer stands in nobody's way");

  world.nodes[1].max_size = 1024;
  world_begin (2);
  replica = amnesia_mesh_get_replica (world.nodes[0].mesh);
  for (i = 0; i < 6; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      g_autoptr (AmnesiaEntry) entry = amnesia_entry_new (key, stamp, 999, g_variant_new_string (text),
                                                          NULL, 0);

      g_assert_cmpint (amnesia_replica_merge (replica, world.now.wall / 1000, entry), ==,
                       AMNESIA_MERGE_TAKEN);
    }
  world_run (SECOND);
  write_text (0, "0", 10);
  world_run (10 * SECOND);
  g_assert_cmpuint (get_text_length (1, "0"), ==, 10);
  g_assert_cmpuint (world_n_dials (), ==, 2);
  world_end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/limits/above-own-limit", test_above_own_limit);
  g_test_add_func ("/limits/withheld-base", test_withheld_base);
  g_test_add_func ("/limits/no-room", test_no_room);
  g_test_add_func ("/limits/write-too-big", test_write_too_big);
  return g_test_run ();
}
