/* SPDX-License-Identifier: MIT */

/* What a link holds for a peer that takes nothing is bounded, whatever the others do. */

#include "small-world.h"

#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-mesh-struct-private.h"

#define WALL (1000 * G_TIME_SPAN_HOUR)

static const AmnesiaTime now = { 1000 * G_TIME_SPAN_SECOND, WALL };

static void
greet (AmnesiaLink *link)
{
  g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_HELLO };
  g_auto (AmnesiaReceipt) receipt = { 0 };
  g_autoptr (GError) error = NULL;

  frame.header = g_variant_ref_sink (g_variant_new_parsed ("(@q 1, @q 1, @t 9, '', '', @q 0, %x, "
                                                           "@t 4096, @a{sv} {})", now.wall));
  amnesia_link_receive (link, &frame, now, &receipt, &error);
  g_assert_no_error (error);
  g_assert_true (amnesia_link_is_up (link));
}

/* Many keys, then a value that covers them. */
static void
write_and_cover (AmnesiaReplica *replica,
                 AmnesiaLink    *link,
                 guint           round)
{
  guint i;

  for (i = 0; i < AMNESIA_MAX_LISTED / 2; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u-%u", round, i);

      amnesia_replica_write (replica, WALL / 1000, key, NULL);
      amnesia_link_mark (link, key);
    }
  amnesia_replica_write (replica, WALL / 1000, "", g_variant_new_uint32 (round));
  amnesia_link_mark (link, "");
}

static guint
count_marks (AmnesiaLink *link)
{
  return amnesia_link_count_marks (link);
}

static void
test_bounded (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (1);
  g_autoptr (GArray) linked = g_array_new (FALSE, FALSE, sizeof (guint64));
  AmnesiaLocal local = { .replica = replica, .group = (char *) "", .host = (char *) "",
                         .max_size = 4096, .linked = linked };
  AmnesiaLink *link = amnesia_link_new (&local, "host", 1, FALSE, 0, now);
  guint round;

  greet (link);
  for (round = 0; round < 10; round++)
    {
      write_and_cover (replica, link, round);
      g_assert_cmpuint (count_marks (link), <=, 2 * AMNESIA_MAX_LISTED + 1);
      g_assert_false (amnesia_link_is_in_sync (link));
    }
  amnesia_link_free (link);
}

static void
write_key (AmnesiaReplica *replica,
           AmnesiaLink    *link,
           guint           i)
{
  g_autofree char *key = g_strdup_printf ("%u", i);

  amnesia_replica_write (replica, WALL / 1000, key, NULL);
  amnesia_link_mark (link, key);
}

/* What waits is put in order with a look at all of it, which must not be done for each write. */
static void
test_order (void)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (1);
  g_autoptr (GArray) linked = g_array_new (FALSE, FALSE, sizeof (guint64));
  AmnesiaLocal local = { .replica = replica, .group = (char *) "", .host = (char *) "",
                         .max_size = 4096, .linked = linked };
  AmnesiaLink *link = amnesia_link_new (&local, "host", 1, FALSE, 0, now);
  AmnesiaPacket packet = { NULL, NULL };
  guint i, n_orders = 0, n_writes = 0;

  g_test_summary ("What is written while much waits for a peer does not have all of it sorted anew");

  greet (link);
  for (i = 0; i < 100; i++)
    write_key (replica, link, i);
  while (amnesia_link_pull (link, now, &packet, NULL))
    {
      GArray *order = link->order;

      amnesia_packet_clear (&packet);
      if (order == NULL)
        continue;
      n_writes++;
      if (i < 150)
        write_key (replica, link, i++);
      n_orders += link->order != order;
    }
  g_assert_cmpuint (n_orders, ==, 0);
  g_assert_cmpuint (n_writes, ==, 150);
  g_assert_cmpuint (count_marks (link), ==, 0);
  amnesia_link_free (link);
}

static void
write_in_turn (const char *key)
{
  AmnesiaMesh *mesh = world.nodes[0].mesh;

  amnesia_mesh_written (mesh, amnesia_replica_write (amnesia_mesh_get_replica (mesh), WALL / 1000,
                                                     key, NULL));
}

static void
test_written (void)
{
  guint i;

  g_test_summary ("Of keys that are written and covered in one turn nothing is kept");

  world_begin (1);
  world_add_end (&world.nodes[0], NULL);
  for (i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      write_in_turn (key);
      if (i % 10 == 8)
        write_in_turn ("");
    }
  g_assert_cmpint (g_tree_nnodes (world.nodes[0].mesh->written), ==, 1);
  g_assert_true (world.nodes[0].mesh->base_written);
  world_end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/marks/bounded", test_bounded);
  g_test_add_func ("/marks/order", test_order);
  g_test_add_func ("/marks/written", test_written);
  return g_test_run ();
}
