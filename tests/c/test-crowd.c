/* SPDX-License-Identifier: MIT */

/* Many members that start at once, in a world whose clock is ours. */

#include "small-world.h"

#define N 20
#define MS G_TIME_SPAN_MILLISECOND

static WorldEnd *
find_end (guint from,
          guint to)
{
  guint i;

  for (i = 0; i < world.ends->len; i++)
    {
      WorldEnd *end = g_ptr_array_index (world.ends, i);

      if (end->node == &world.nodes[from] && end->other != NULL &&
          end->other->node == &world.nodes[to])
        return end;
    }
  return NULL;
}

static guint64
get_id (guint i)
{
  return amnesia_replica_get_id (amnesia_mesh_get_replica (world.nodes[i].mesh));
}

/* Whether @teller has told all the others that it is linked with @i. */
static gboolean
have_all_been_told (guint teller,
                    guint i)
{
  guint j;

  for (j = 0; j < N; j++)
    if (j != teller && j != i &&
        !amnesia_link_is_linked_with (find_end (j, teller)->link, get_id (i)))
      return FALSE;
  return TRUE;
}

/* They begin a millisecond apart. */
static void
start (void)
{
  guint i;

  world_begin (N);
  for (i = 0; i < N; i++)
    world.nodes[i].asleep = TRUE;
  for (i = 0; i < N; i++)
    {
      world.nodes[i].asleep = FALSE;
      world_pass (MS);
      world_tick ();
    }
}

static void
test_told (void)
{
  guint i, j;

  g_test_summary ("To tell all peers of new links does not take a frame for each and each");

  start ();
  world_run (100 * MS);
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++)
      g_assert_true (i == j || have_all_been_told (i, j));
  g_assert_cmpuint (world.n_frames[AMNESIA_FRAME_LINKS], <, 4 * N * (N - 1));
  world_end ();
}

static void
test_newcomer (void)
{
  guint j;

  g_test_summary ("A new peer is told at once whom we are linked with");

  start ();
  for (j = 0; j < N - 2; j++)
    g_assert_true (amnesia_link_is_linked_with (find_end (N - 1, j)->link, get_id (N - 2)));
  world_end ();
}

static void
test_lost (void)
{
  WorldEnd *end;
  guint j;

  g_test_summary ("All peers are told at once that a link is lost: they forward what came by it");

  start ();
  world_run (100 * MS);
  end = find_end (0, 1);
  end->other->other = NULL;
  end->other = NULL;
  world_settle ();
  for (j = 2; j < N; j++)
    {
      g_assert_false (amnesia_link_is_linked_with (find_end (j, 0)->link, get_id (1)));
      g_assert_false (amnesia_link_is_linked_with (find_end (j, 1)->link, get_id (0)));
    }
  world_end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crowd/told", test_told);
  g_test_add_func ("/crowd/newcomer", test_newcomer);
  g_test_add_func ("/crowd/lost", test_lost);
  return g_test_run ();
}
