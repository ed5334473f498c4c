/* SPDX-License-Identifier: MIT */

/* A world without sockets, whose clocks are ours: that of test-life.c, where each node may have a
 * wall clock and a max-size of its own. */

#pragma once

#include "amnesia-error.h"
#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-mesh-private.h"
#include "mesh/amnesia-reader-private.h"

#include <gio/gio.h>

#define MAX_NODES 3
#define SECOND G_TIME_SPAN_SECOND

typedef struct _Node Node;

/* One end of a connection. What is sent while it is cut is lost, and nobody is told. */
typedef struct _End
{
  Node          *node;
  AmnesiaLink   *link;
  AmnesiaReader *reader;
  struct _End   *other; /* NULL: it has gone */
  gboolean       hanging_up;
} End;

struct _Node
{
  AmnesiaMesh *mesh;
  guint16      port;
  guint64      id;
  guint64      max_size;
  gint64       wall_off; /* what its clock is ahead of that of the world */
  gint64       armed;
  gboolean     asleep;
  GPtrArray   *dialled; /* (element-type AmnesiaMember) */
  guint        n_dials;
  guint        n_merged;
};

static struct
{
  AmnesiaTime now;
  Node        nodes[MAX_NODES];
  guint       n_nodes;
  GPtrArray  *ends; /* (element-type End) */
  gboolean    cut;
  guint       n_frames[AMNESIA_N_FRAMES]; /* how many of each kind arrived */
} world;

/* What its clocks say. */
G_GNUC_UNUSED static AmnesiaTime
node_now (Node *node)
{
  return (AmnesiaTime) { world.now.mono, world.now.wall + node->wall_off };
}

G_GNUC_UNUSED static void
on_dial (AmnesiaMember *member,
         gpointer       user_data)
{
  Node *node = user_data;

  node->n_dials++;
  g_ptr_array_add (node->dialled, member);
}

G_GNUC_UNUSED static void
on_wake (AmnesiaLink *link,
         gpointer     user_data)
{
}

G_GNUC_UNUSED static void
on_hang_up (AmnesiaLink *link,
            gpointer     user_data)
{
  ((End *) link->channel)->hanging_up = TRUE;
}

G_GNUC_UNUSED static void
forget_end (End *end)
{
  if (end->other != NULL)
    end->other->other = NULL;
  amnesia_reader_free (end->reader);
  g_ptr_array_remove (world.ends, end);
  g_free (end);
}

G_GNUC_UNUSED static void
on_drop (AmnesiaLink *link,
         gpointer     user_data)
{
  forget_end (link->channel);
}

G_GNUC_UNUSED static void
on_arm (gint64   mono,
        gpointer user_data)
{
  ((Node *) user_data)->armed = mono;
}

G_GNUC_UNUSED static void
on_seek (gpointer user_data)
{
}

G_GNUC_UNUSED static void
on_merged (gpointer user_data)
{
  ((Node *) user_data)->n_merged++;
}

G_GNUC_UNUSED static void
on_log (const char *message,
        gpointer    user_data)
{
  g_test_message ("%" G_GINT64_FORMAT " %u: %s", world.now.mono / 1000,
                  ((Node *) user_data)->port, message);
}

static const AmnesiaMeshFuncs funcs = {
  on_dial, on_wake, on_hang_up, on_drop, on_arm, on_seek, on_merged, on_log,
};

G_GNUC_UNUSED static void
open_node (guint i)
{
  g_autoptr (AmnesiaSettings) settings = amnesia_settings_new ();
  Node *node = &world.nodes[i];
  guint j;

  node->port = (guint16) (1 + i);
  node->mesh = amnesia_mesh_new (node->id > 0 ? node->id : 100 + i, &funcs, node, i);
  node->dialled = g_ptr_array_new ();
  settings->group = g_strdup ("");
  settings->max_size = node->max_size > 0 ? node->max_size : 1024 * 1024;
  for (j = 0; j < world.n_nodes; j++)
    amnesia_settings_add_entry (settings, "node", (guint16) (1 + j));
  amnesia_mesh_open (node->mesh, settings, node_now (node));
  amnesia_mesh_set_own (node->mesh, "node", node->port, FALSE, node_now (node));
}

G_GNUC_UNUSED static void
begin_world (guint n_nodes)
{
  guint i;

  world.now = (AmnesiaTime) { 1000 * SECOND, 1000000 * SECOND };
  world.n_nodes = n_nodes;
  world.ends = g_ptr_array_new ();
  world.cut = FALSE;
  for (i = 0; i < n_nodes; i++)
    open_node (i);
}

G_GNUC_UNUSED static void
end_world (void)
{
  guint i;

  for (i = 0; i < world.n_nodes; i++)
    {
      amnesia_mesh_close (world.nodes[i].mesh);
      amnesia_mesh_free (world.nodes[i].mesh);
      g_ptr_array_unref (world.nodes[i].dialled);
      world.nodes[i] = (Node) { 0, };
    }
  g_ptr_array_unref (world.ends);
}

G_GNUC_UNUSED static End *
add_end (Node          *node,
         AmnesiaMember *member)
{
  End *end = g_new0 (End, 1);

  end->node = node;
  end->link = amnesia_mesh_add_link (node->mesh, member, "node", 999, node_now (node));
  end->link->channel = end;
  end->reader = amnesia_reader_new (node->max_size > 0 ? node->max_size : 1024 * 1024);
  g_ptr_array_add (world.ends, end);
  return end;
}

G_GNUC_UNUSED static void
answer_dials (Node *node)
{
  while (node->dialled->len > 0)
    {
      AmnesiaMember *member = g_ptr_array_steal_index (node->dialled, 0);
      Node *target = &world.nodes[member->port - 1];
      g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no answer");

      if (world.cut)
        amnesia_mesh_dial_failed (node->mesh, member, error, node_now (node));
      else
        {
          End *here = add_end (node, member);
          End *there = add_end (target, NULL);

          here->other = there;
          there->other = here;
        }
    }
}

G_GNUC_UNUSED static void
deliver (End           *to,
         AmnesiaPacket *packet)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  static const guint8 zeros[8];
  gsize done = 0, size;
  gconstpointer data = g_bytes_get_data (packet->head, &size);

  g_byte_array_append (bytes, data, (guint) size);
  if (packet->payload != NULL)
    {
      data = g_bytes_get_data (packet->payload, &size);
      g_byte_array_append (bytes, data, (guint) size);
      g_byte_array_append (bytes, zeros, (guint) ((8 - size % 8) % 8));
    }
  amnesia_link_heard (to->link, bytes->len, node_now (to->node));
  while (done < bytes->len)
    {
      guint8 *room = amnesia_reader_reserve (to->reader, &size);
      g_autoptr (GError) error = NULL;

      size = MIN (size, bytes->len - done);
      memcpy (room, bytes->data + done, size);
      amnesia_reader_commit (to->reader, size);
      done += size;
      while (TRUE)
        {
          g_auto (AmnesiaFrame) frame = { 0, };

          if (!amnesia_reader_next (to->reader, &frame, &error))
            break;
          if (frame.kind == AMNESIA_FRAME_HELLO)
            amnesia_reader_set_greeted (to->reader);
          world.n_frames[frame.kind]++;
          amnesia_mesh_receive (to->node->mesh, to->link, &frame, node_now (to->node));
        }
      g_assert_no_error (error);
    }
}

/* Returns whether anything happened. */
G_GNUC_UNUSED static gboolean
pump_end (End *end)
{
  g_auto (AmnesiaPacket) packet = { 0, };

  if (end->other == NULL && !world.cut)
    {
      AmnesiaMesh *mesh = end->node->mesh;
      AmnesiaLink *link = end->link;
      Node *node = end->node;

      forget_end (end);
      amnesia_mesh_remove_link (mesh, link, NULL, node_now (node));
      return TRUE;
    }
  if (end->node->asleep)
    return FALSE;
  if (!amnesia_mesh_pull (end->node->mesh, end->link, node_now (end->node), &packet))
    {
      if (end->hanging_up && end->other != NULL)
        end->other->other = NULL, end->other = NULL;
      return FALSE;
    }
  amnesia_link_sent (end->link, TRUE, node_now (end->node));
  if (!world.cut && end->other != NULL && !end->other->node->asleep)
    deliver (end->other, &packet);
  return TRUE;
}

G_GNUC_UNUSED static gboolean
pump_all (void)
{
  g_autoptr (GPtrArray) ends = g_ptr_array_copy (world.ends, NULL, NULL);
  gboolean any = FALSE;
  guint i;

  for (i = 0; i < ends->len; i++)
    if (g_ptr_array_find (world.ends, ends->pdata[i], NULL))
      any |= pump_end (ends->pdata[i]);
  return any;
}

G_GNUC_UNUSED static void
settle (void)
{
  gboolean any = TRUE;
  guint i;

  while (any)
    {
      for (i = 0; i < world.n_nodes; i++)
        {
          if (world.nodes[i].asleep)
            continue;
          amnesia_mesh_update (world.nodes[i].mesh, node_now (&world.nodes[i]));
          answer_dials (&world.nodes[i]);
        }
      any = pump_all ();
    }
}

G_GNUC_UNUSED static void
pass (gint64 span)
{
  world.now.mono += span;
  world.now.wall += span;
}

G_GNUC_UNUSED static void
tick_due (void)
{
  guint i;

  for (i = 0; i < world.n_nodes; i++)
    {
      Node *node = &world.nodes[i];

      if (node->asleep || node->armed == 0 || node->armed > world.now.mono)
        continue;
      amnesia_mesh_wake (node->mesh, node_now (node));
      amnesia_mesh_tick (node->mesh, node_now (node));
    }
  settle ();
}

/* Lets time pass in small steps, as long as timers are kept. */
G_GNUC_UNUSED static void
run (gint64 span)
{
  gint64 end = world.now.mono + span;

  settle ();
  while (world.now.mono < end)
    {
      pass (10 * G_TIME_SPAN_MILLISECOND);
      tick_due ();
    }
}

G_GNUC_UNUSED static guint
n_up (guint i)
{
  AmnesiaMembers *members = amnesia_mesh_get_members (world.nodes[i].mesh);
  guint j, n = 0;

  for (j = 0; j < members->list->len; j++)
    n += amnesia_members_get (members, j)->link != NULL;
  return n;
}

G_GNUC_UNUSED static void
write_int (guint  i,
           gint64 number)
{
  AmnesiaMesh *mesh = world.nodes[i].mesh;
  AmnesiaReplica *replica = amnesia_mesh_get_replica (mesh);

  amnesia_mesh_written (mesh, amnesia_replica_write (replica, node_now (&world.nodes[i]).wall / 1000, "",
                                                     g_variant_new_int64 (number)));
  settle ();
}

G_GNUC_UNUSED static gint64
read_int (guint i)
{
  GVariant *value = amnesia_replica_get_value (amnesia_mesh_get_replica (world.nodes[i].mesh));

  return value != NULL ? g_variant_get_int64 (value) : -1;
}

