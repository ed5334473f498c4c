/* SPDX-License-Identifier: MIT */

/* Limits that differ: who has a smaller max-size than what others write, or than what it holds. */

#include "small-world.h"

#include "amnesia-error.h"
#include "mesh/amnesia-limits-private.h"

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

static AmnesiaMember *
find_member (guint i,
             guint j)
{
  return amnesia_members_get (amnesia_mesh_get_members (world.nodes[i].mesh), j);
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
  /* one of the others would make it too much */
  g_assert_false (amnesia_link_is_in_sync (find_member (0, 1)->link));
  world_end ();
}

/* --- what is shown --- */

/* What node 0 shows of node 1, whom nobody waits for. */
static void
assert_denied (gboolean denied)
{
  AmnesiaMember *member = find_member (0, 1);
  g_autofree char *behind = NULL;
  g_autofree char *names = NULL;

  world_settle ();
  world_run (100 * G_TIME_SPAN_MILLISECOND);
  behind = amnesia_mesh_list_behind (world.nodes[0].mesh);
  g_assert_cmpstr (behind, ==, NULL);
  names = amnesia_mesh_list_denied (world.nodes[0].mesh);
  g_assert_cmpstr (names, ==, denied ? "node:2 (max-size 1024)" : NULL);
  g_assert_cmpint (amnesia_link_is_in_sync (member->link), ==, !denied);
  if (denied)
    g_assert_error (member->error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
  else
    g_assert_no_error (member->error);
}

static void
begin_denied (guint n_nodes)
{
  world.nodes[1].max_size = 1024;
  world_begin (n_nodes);
  world_run (SECOND);
  assert_denied (FALSE);
  write_text (0, "", 2000);
  assert_denied (TRUE);
}

static void
test_denied (void)
{
  g_test_summary ("Who takes no value so large is not in sync, and why is shown, until a smaller one comes");

  begin_denied (2);
  write_text (0, "", 2000);
  assert_denied (TRUE);
  world_run (20 * SECOND);
  assert_denied (TRUE);
  write_text (0, "", 10);
  assert_denied (FALSE);
  world_end ();
}

static void
test_denied_keys (void)
{
  g_test_summary ("Several keys may be too large: until the last of them is replaced, that is shown");

  begin_denied (2);
  write_text (0, "a", 2000);
  write_text (0, "b", 10);
  write_text (0, "c", 3000);
  assert_denied (TRUE);
  write_text (0, "c", 10);
  assert_denied (TRUE);
  /* covers all */
  write_text (0, "", 10);
  assert_denied (FALSE);
  write_text (0, "a", 2000);
  write_text (0, "c", 2000);
  assert_denied (TRUE);
  write_text (0, "a", 10);
  assert_denied (TRUE);
  world_write (0, "c", NULL);
  assert_denied (FALSE);
  world_end ();
}

static void
test_denied_replaced (void)
{
  guint i;

  g_test_summary ("It may be replaced by the small one itself, or by somebody else, who tells it that");

  for (i = 1; i <= 2; i++)
    {
      begin_denied (3);
      write_text (i, "", 10);
      world_settle ();
      g_assert_no_error (find_member (0, 1)->error);
      assert_denied (FALSE);
      world_end ();
    }
}

static void
test_denied_anew (void)
{
  g_test_summary ("Who comes back is told of anew, and of what was replaced meanwhile nothing is left");

  begin_denied (2);
  world.cut = TRUE;
  world_run (10 * SECOND);
  world.cut = FALSE;
  world_run (5 * SECOND);
  assert_denied (TRUE);
  world.cut = TRUE;
  world_run (10 * SECOND);
  write_text (0, "", 10);
  world.cut = FALSE;
  world_run (5 * SECOND);
  assert_denied (FALSE);
  world_end ();
}

static void
test_denied_lost (void)
{
  g_autofree char *behind = NULL;

  g_test_summary ("Who is lost, and lacked only what is too large, is not waited for");

  begin_denied (2);
  amnesia_mesh_forgive_lost (world.nodes[0].mesh);
  world.cut = TRUE;
  world_run (10 * SECOND);
  g_assert_null (find_member (0, 1)->link);
  behind = amnesia_mesh_list_behind (world.nodes[0].mesh);
  g_assert_cmpstr (behind, ==, NULL);
  world_end ();
}

static void
test_other_error (void)
{
  g_autoptr (GError) error = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG, "another");

  g_test_summary ("Another error that has come since stays");

  begin_denied (2);
  amnesia_member_set_error (find_member (0, 1), error);
  write_text (0, "", 10);
  world_run (SECOND);
  g_assert_error (find_member (0, 1)->error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
  g_assert_cmpstr (find_member (0, 1)->error->message, ==, "another");
  world_end ();
}

static void
test_denied_bound (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (1);
  AmnesiaRepair repair = { 0 };
  AmnesiaEntry *base = amnesia_replica_write (replica, 1000, "", NULL);
  guint i;

  g_test_summary ("Of what was denied and is covered no more is remembered than there may be keys");

  amnesia_repair_init (&repair, replica, 1024);
  amnesia_repair_deny (&repair, base);
  for (i = 0; i < 5 * AMNESIA_MAX_LISTED; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      g_autoptr (AmnesiaEntry) entry = amnesia_entry_new (key, 1, 1, NULL, NULL, 0);

      amnesia_repair_deny (&repair, entry);
      g_assert_cmpint (g_tree_nnodes (repair.denied), <=, 2 * AMNESIA_MAX_LISTED);
    }
  g_assert_true (amnesia_repair_is_denying (&repair));
  amnesia_replica_write (replica, 1001, "", NULL);
  g_assert_false (amnesia_repair_is_denying (&repair));
  g_assert_cmpint (g_tree_nnodes (repair.denied), ==, 0);
  amnesia_repair_clear (&repair);
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
  g_test_add_func ("/limits/denied", test_denied);
  g_test_add_func ("/limits/denied-keys", test_denied_keys);
  g_test_add_func ("/limits/denied-replaced", test_denied_replaced);
  g_test_add_func ("/limits/denied-anew", test_denied_anew);
  g_test_add_func ("/limits/denied-lost", test_denied_lost);
  g_test_add_func ("/limits/other-error", test_other_error);
  g_test_add_func ("/limits/denied-bound", test_denied_bound);
  return g_test_run ();
}
