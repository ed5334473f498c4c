/* SPDX-License-Identifier: MIT */

#include "small-world.h"

#include <string.h>

#define MAX_SIZE (1024 * 1024)

SmallWorld world;

/* --- what a mesh asks for --- */

static void
on_dial (AmnesiaMember *member,
         gpointer       user_data)
{
  WorldNode *node = user_data;

  node->n_dials++;
  g_ptr_array_add (node->dialled, member);
}

static void
on_wake (AmnesiaLink *link,
         gpointer     user_data)
{
}

static void
on_hang_up (AmnesiaLink *link,
            gpointer     user_data)
{
  ((WorldEnd *) link->channel)->hanging_up = TRUE;
}

static void
on_drop (AmnesiaLink *link,
         gpointer     user_data)
{
  world_forget_end (link->channel);
}

static void
on_arm (gint64   mono,
        gpointer user_data)
{
  ((WorldNode *) user_data)->armed = mono;
}

static void
on_seek (gpointer user_data)
{
  ((WorldNode *) user_data)->seeking = TRUE;
}

static void
on_merged (gpointer user_data)
{
}

static void
on_log (const char *message,
        gpointer    user_data)
{
  WorldNode *node = user_data;

  if (strstr (message, "its clock is") != NULL)
    node->n_clock_warnings++;
  g_test_message ("%" G_GINT64_FORMAT " %u: %s", world.now.mono / 1000, node->port, message);
}

/* There is no local way. */
static void
on_shorten (AmnesiaMember *member,
            gpointer       user_data)
{
}

static const AmnesiaMeshFuncs funcs = {
  .dial = on_dial,
  .shorten = on_shorten,
  .wake = on_wake,
  .hang_up = on_hang_up,
  .drop = on_drop,
  .arm = on_arm,
  .seek = on_seek,
  .merged = on_merged,
  .log = on_log,
};

/* --- the beginning and the end --- */

static guint64
get_max_size (WorldNode *node)
{
  return node->max_size > 0 ? node->max_size : MAX_SIZE;
}

static void
open_node (guint i)
{
  g_autoptr (AmnesiaSettings) settings = amnesia_settings_new ();
  WorldNode *node = &world.nodes[i];
  guint j;

  node->port = (guint16) (1 + i);
  node->mesh = amnesia_mesh_new (node->id > 0 ? node->id : 100 + i, &funcs, node, i);
  node->dialled = g_ptr_array_new ();
  settings->group = g_strdup ("");
  settings->max_size = get_max_size (node);
  for (j = 0; j < world.n_nodes; j++)
    amnesia_settings_add_entry (settings, "node", (guint16) (1 + j));
  amnesia_mesh_open (node->mesh, settings, world.now);
  amnesia_mesh_set_own (node->mesh, "node", node->port, FALSE, world.now);
}

/* All of them list one another. */
void
world_begin (guint n_nodes)
{
  guint i;

  world.now = (AmnesiaTime) { 1000 * SECOND, 1000000 * SECOND };
  world.n_nodes = n_nodes;
  world.ends = g_ptr_array_new ();
  world.cut = FALSE;
  memset (world.n_frames, 0, sizeof world.n_frames);
  for (i = 0; i < n_nodes; i++)
    open_node (i);
}

void
world_end (void)
{
  guint i;

  for (i = 0; i < world.n_nodes; i++)
    {
      amnesia_mesh_close (world.nodes[i].mesh);
      amnesia_mesh_free (world.nodes[i].mesh);
      g_ptr_array_unref (world.nodes[i].dialled);
      world.nodes[i] = (WorldNode) { 0 };
    }
  g_ptr_array_unref (world.ends);
}

/* --- connections --- */

/* @member: (nullable): who was dialled. There is no other end yet. */
WorldEnd *
world_add_end (WorldNode     *node,
               AmnesiaMember *member)
{
  WorldEnd *end = g_new0 (WorldEnd, 1);

  end->node = node;
  end->link = amnesia_mesh_add_link (node->mesh, member, "node", 999, FALSE, world.now);
  end->link->channel = end;
  end->inbox = g_byte_array_new ();
  amnesia_stream_init (&end->stream, node->mesh, end->link, get_max_size (node));
  g_ptr_array_add (world.ends, end);
  return end;
}

void
world_forget_end (WorldEnd *end)
{
  if (end->other != NULL)
    end->other->other = NULL;
  amnesia_stream_clear (&end->stream);
  g_byte_array_unref (end->inbox);
  g_ptr_array_remove (world.ends, end);
  g_free (end);
}

/* Makes a connection from one node to another, which it knows as @member. */
void
world_join (WorldNode     *from,
            AmnesiaMember *member,
            WorldNode     *to)
{
  WorldEnd *here = world_add_end (from, member);
  WorldEnd *there = world_add_end (to, NULL);

  here->other = there;
  there->other = here;
}

static void
answer_dials (WorldNode *node)
{
  while (node->dialled->len > 0)
    {
      AmnesiaMember *member = g_ptr_array_steal_index (node->dialled, 0);
      WorldNode *target = &world.nodes[member->port - 1];
      g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no answer");

      if (world.cut)
        amnesia_mesh_dial_failed (node->mesh, member, error, world.now);
      else
        world_join (node, member, target);
    }
}

/* Returns the next frame that an end has to send, as if it were sent; NULL: it has none. */
GByteArray *
world_pull (WorldEnd *end)
{
  GOutputVector vectors[AMNESIA_STREAM_VECTORS];
  GByteArray *bytes;
  gsize size;
  int i, n = amnesia_stream_pull (&end->stream, vectors, &size, world.now);

  if (n == 0)
    return NULL;
  bytes = g_byte_array_new ();
  for (i = 0; i < n; i++)
    g_byte_array_append (bytes, vectors[i].buffer, (guint) vectors[i].size);
  amnesia_stream_sent (&end->stream, size, size, world.now);
  return bytes;
}

/* What is sent to who is asleep waits, as it does in the kernel. */
void
world_deliver (WorldEnd   *to,
               GByteArray *bytes)
{
  gboolean first = memcmp (bytes->data, AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE) == 0;

  world.n_frames[bytes->data[first ? AMNESIA_PREAMBLE_SIZE : 0]]++;
  g_byte_array_append (to->inbox, bytes->data, bytes->len);
}

/* Nobody here breaks the protocol, or sends what takes long to check. */
static void
take_frames (WorldEnd *end)
{
  while (amnesia_stream_take (&end->stream, world.now))
    ;
  g_assert_false (end->stream.deaf);
  g_assert_false (end->stream.checking);
  amnesia_stream_rest (&end->stream, world.now);
}

static void
take_inbox (WorldEnd *end)
{
  while (end->inbox->len > 0)
    {
      gsize size;
      guint8 *room = amnesia_stream_reserve (&end->stream, &size);

      size = MIN (size, end->inbox->len);
      memcpy (room, end->inbox->data, size);
      g_byte_array_remove_range (end->inbox, 0, (guint) size);
      amnesia_stream_commit (&end->stream, size, world.now);
      take_frames (end);
    }
}

static void
remove_end (WorldEnd *end)
{
  AmnesiaMesh *mesh = end->node->mesh;
  AmnesiaLink *link = end->link;

  world_forget_end (end);
  amnesia_mesh_remove_link (mesh, link, NULL, world.now);
}

static gboolean
send_next (WorldEnd *end)
{
  g_autoptr (GByteArray) bytes = world_pull (end);

  if (bytes != NULL && !world.cut && end->other != NULL)
    world_deliver (end->other, bytes);
  if (bytes == NULL && end->hanging_up && end->other != NULL)
    end->other->other = NULL, end->other = NULL;
  return bytes != NULL;
}

/* Returns whether anything happened. */
static gboolean
pump_end (WorldEnd *end)
{
  if (!end->node->asleep && end->inbox->len > 0)
    take_inbox (end);
  else if (end->other == NULL && !world.cut)
    remove_end (end);
  else
    return !end->node->asleep && send_next (end);
  return TRUE;
}

/* Lets each end do one thing; returns whether anything happened. */
gboolean
world_pump (void)
{
  g_autoptr (GPtrArray) ends = g_ptr_array_copy (world.ends, NULL, NULL);
  gboolean any = FALSE;
  guint i;

  for (i = 0; i < ends->len; i++)
    if (g_ptr_array_find (world.ends, ends->pdata[i], NULL))
      any |= pump_end (ends->pdata[i]);
  return any;
}

/* --- time --- */

/* No entry ever gets free. */
static void
update (WorldNode *node)
{
  amnesia_mesh_spread (node->mesh);
  amnesia_mesh_update (node->mesh, world.now);
  if (!node->seeking)
    return;
  node->seeking = FALSE;
  amnesia_mesh_set_own (node->mesh, NULL, 0, TRUE, world.now);
  amnesia_mesh_update (node->mesh, world.now);
}

/* Lets all happen that does not take time. */
void
world_settle (void)
{
  gboolean any = TRUE;
  guint i;

  while (any)
    {
      for (i = 0; i < world.n_nodes; i++)
        {
          if (world.nodes[i].asleep)
            continue;
          update (&world.nodes[i]);
          answer_dials (&world.nodes[i]);
        }
      any = world_pump ();
    }
}

/* Lets time pass in which nobody does anything. */
void
world_pass (gint64 span)
{
  world.now.mono += span;
  world.now.wall += span;
}

/* Lets those go on whose timers are due. */
void
world_tick (void)
{
  guint i;

  for (i = 0; i < world.n_nodes; i++)
    {
      WorldNode *node = &world.nodes[i];

      if (node->asleep || node->armed == 0 || node->armed > world.now.mono)
        continue;
      amnesia_mesh_wake (node->mesh, world.now);
      amnesia_mesh_tick (node->mesh, world.now);
    }
  world_settle ();
}

/* Lets time pass in small steps, in which timers are kept. */
void
world_run (gint64 span)
{
  gint64 end = world.now.mono + span;

  world_settle ();
  while (world.now.mono < end)
    {
      world_pass (10 * G_TIME_SPAN_MILLISECOND);
      world_tick ();
    }
}

/* --- what a node has --- */

guint
world_n_up (guint i)
{
  AmnesiaMembers *members = amnesia_mesh_get_members (world.nodes[i].mesh);
  guint j, n = 0;

  for (j = 0; j < members->list->len; j++)
    n += amnesia_members_get (members, j)->link != NULL;
  return n;
}

/* How often all of them dialled. */
guint
world_n_dials (void)
{
  guint i, n = 0;

  for (i = 0; i < world.n_nodes; i++)
    n += world.nodes[i].n_dials;
  return n;
}

void
world_write (guint       i,
             const char *key,
             GVariant   *value)
{
  AmnesiaMesh *mesh = world.nodes[i].mesh;
  AmnesiaReplica *replica = amnesia_mesh_get_replica (mesh);

  amnesia_mesh_written (mesh, amnesia_replica_write (replica, world.now.wall / 1000, key, value));
  world_settle ();
}

void
world_write_int (guint  i,
                 gint64 number)
{
  world_write (i, "", g_variant_new_int64 (number));
}

gint64
world_read_int (guint i)
{
  GVariant *value = amnesia_replica_get_value (amnesia_mesh_get_replica (world.nodes[i].mesh));

  return value != NULL ? g_variant_get_int64 (value) : -1;
}
