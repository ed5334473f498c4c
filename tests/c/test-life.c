/* SPDX-License-Identifier: MIT */

/* The decisions of the mesh in a world without sockets, whose clocks are ours. */

#include "amnesia-error.h"
#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-mesh-private.h"
#include "mesh/amnesia-reader-private.h"

#include <gio/gio.h>
#include <string.h>

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
  GByteArray    *inbox; /* (owned) what came and was not read yet */
} End;

struct _Node
{
  AmnesiaMesh *mesh;
  guint16      port;
  gint64       armed;
  gboolean     asleep;
  gboolean     seeking; /* the mesh asked for a free entry */
  GPtrArray   *dialled; /* (element-type AmnesiaMember) */
  guint        n_dials;
  guint        n_merged;
  guint        n_clock_warnings;
};

static struct
{
  AmnesiaTime now;
  Node        nodes[MAX_NODES];
  guint       n_nodes;
  GPtrArray  *ends; /* (element-type End) */
  gboolean    cut;
} world;

static void
on_dial (AmnesiaMember *member,
         gpointer       user_data)
{
  Node *node = user_data;

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
  ((End *) link->channel)->hanging_up = TRUE;
}

static void
forget_end (End *end)
{
  if (end->other != NULL)
    end->other->other = NULL;
  amnesia_reader_free (end->reader);
  g_byte_array_unref (end->inbox);
  g_ptr_array_remove (world.ends, end);
  g_free (end);
}

static void
on_drop (AmnesiaLink *link,
         gpointer     user_data)
{
  forget_end (link->channel);
}

static void
on_arm (gint64   mono,
        gpointer user_data)
{
  ((Node *) user_data)->armed = mono;
}

static void
on_seek (gpointer user_data)
{
  ((Node *) user_data)->seeking = TRUE;
}

static void
on_merged (gpointer user_data)
{
  ((Node *) user_data)->n_merged++;
}

static void
on_log (const char *message,
        gpointer    user_data)
{
  if (strstr (message, "its clock is") != NULL)
    ((Node *) user_data)->n_clock_warnings++;
  g_test_message ("%" G_GINT64_FORMAT " %u: %s", world.now.mono / 1000,
                  ((Node *) user_data)->port, message);
}

static const AmnesiaMeshFuncs funcs = {
  on_dial, on_wake, on_hang_up, on_drop, on_arm, on_seek, on_merged, on_log,
};

static void
open_node (guint i)
{
  g_autoptr (AmnesiaSettings) settings = amnesia_settings_new ();
  Node *node = &world.nodes[i];
  guint j;

  node->port = (guint16) (1 + i);
  node->mesh = amnesia_mesh_new (100 + i, &funcs, node, i);
  node->dialled = g_ptr_array_new ();
  settings->group = g_strdup ("");
  settings->max_size = 1024 * 1024;
  for (j = 0; j < world.n_nodes; j++)
    amnesia_settings_add_entry (settings, "node", (guint16) (1 + j));
  amnesia_mesh_open (node->mesh, settings, world.now);
  amnesia_mesh_set_own (node->mesh, "node", node->port, FALSE, world.now);
}

static void
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

static void
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

static End *
add_end (Node          *node,
         AmnesiaMember *member)
{
  End *end = g_new0 (End, 1);

  end->node = node;
  end->link = amnesia_mesh_add_link (node->mesh, member, "node", 999, world.now);
  end->link->channel = end;
  end->reader = amnesia_reader_new (1024 * 1024);
  end->inbox = g_byte_array_new ();
  g_ptr_array_add (world.ends, end);
  return end;
}

static void
answer_dials (Node *node)
{
  while (node->dialled->len > 0)
    {
      AmnesiaMember *member = g_ptr_array_steal_index (node->dialled, 0);
      Node *target = &world.nodes[member->port - 1];
      g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no answer");

      if (world.cut)
        amnesia_mesh_dial_failed (node->mesh, member, error, world.now);
      else
        {
          End *here = add_end (node, member);
          End *there = add_end (target, NULL);

          here->other = there;
          there->other = here;
        }
    }
}

/* What is sent to who is asleep waits, as it does in the kernel. */
static void
deliver (End           *to,
         AmnesiaPacket *packet)
{
  static const guint8 zeros[8];
  gsize size;
  gconstpointer data = g_bytes_get_data (packet->head, &size);

  g_byte_array_append (to->inbox, data, (guint) size);
  if (packet->payload == NULL)
    return;
  data = g_bytes_get_data (packet->payload, &size);
  g_byte_array_append (to->inbox, data, (guint) size);
  g_byte_array_append (to->inbox, zeros, (guint) ((8 - size % 8) % 8));
}

static void
take_frames (End *end)
{
  while (TRUE)
    {
      g_auto (AmnesiaFrame) frame = { 0, };
      g_autoptr (GError) error = NULL;

      if (!amnesia_reader_next (end->reader, &frame, &error))
        {
          g_assert_no_error (error);
          return;
        }
      if (frame.kind == AMNESIA_FRAME_HELLO)
        amnesia_reader_set_greeted (end->reader);
      amnesia_mesh_receive (end->node->mesh, end->link, &frame, world.now);
    }
}

static void
take_inbox (End *end)
{
  g_autoptr (GByteArray) bytes = g_steal_pointer (&end->inbox);
  gsize done = 0, size;

  end->inbox = g_byte_array_new ();
  amnesia_link_heard (end->link, bytes->len, world.now);
  while (done < bytes->len)
    {
      guint8 *room = amnesia_reader_reserve (end->reader, &size);

      size = MIN (size, bytes->len - done);
      memcpy (room, bytes->data + done, size);
      amnesia_reader_commit (end->reader, size);
      done += size;
      take_frames (end);
    }
}

/* Returns whether anything happened. */
static gboolean
pump_end (End *end)
{
  g_auto (AmnesiaPacket) packet = { 0, };

  if (!end->node->asleep && end->inbox->len > 0)
    {
      take_inbox (end);
      return TRUE;
    }
  if (end->other == NULL && !world.cut)
    {
      AmnesiaMesh *mesh = end->node->mesh;
      AmnesiaLink *link = end->link;

      forget_end (end);
      amnesia_mesh_remove_link (mesh, link, NULL, world.now);
      return TRUE;
    }
  if (end->node->asleep)
    return FALSE;
  if (!amnesia_mesh_pull (end->node->mesh, end->link, world.now, &packet))
    {
      if (end->hanging_up && end->other != NULL)
        end->other->other = NULL, end->other = NULL;
      return FALSE;
    }
  amnesia_link_sent (end->link, TRUE, world.now);
  if (!world.cut && end->other != NULL)
    deliver (end->other, &packet);
  return TRUE;
}

static gboolean
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

/* No entry ever gets free. */
static void
update (Node *node)
{
  amnesia_mesh_update (node->mesh, world.now);
  if (!node->seeking)
    return;
  node->seeking = FALSE;
  amnesia_mesh_set_own (node->mesh, NULL, 0, TRUE, world.now);
  amnesia_mesh_update (node->mesh, world.now);
}

static void
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
          update (&world.nodes[i]);
          answer_dials (&world.nodes[i]);
        }
      any = pump_all ();
    }
}

static void
pass (gint64 span)
{
  world.now.mono += span;
  world.now.wall += span;
}

static void
tick_due (void)
{
  guint i;

  for (i = 0; i < world.n_nodes; i++)
    {
      Node *node = &world.nodes[i];

      if (node->asleep || node->armed == 0 || node->armed > world.now.mono)
        continue;
      amnesia_mesh_wake (node->mesh, world.now);
      amnesia_mesh_tick (node->mesh, world.now);
    }
  settle ();
}

/* Lets time pass in small steps, as long as timers are kept. */
static void
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

static guint
n_up (guint i)
{
  AmnesiaMembers *members = amnesia_mesh_get_members (world.nodes[i].mesh);
  guint j, n = 0;

  for (j = 0; j < members->list->len; j++)
    n += amnesia_members_get (members, j)->link != NULL;
  return n;
}

static void
write_int (guint  i,
           gint64 number)
{
  AmnesiaMesh *mesh = world.nodes[i].mesh;
  AmnesiaReplica *replica = amnesia_mesh_get_replica (mesh);

  amnesia_mesh_written (mesh, amnesia_replica_write (replica, world.now.wall / 1000, "",
                                                     g_variant_new_int64 (number)));
  settle ();
}

static gint64
read_int (guint i)
{
  GVariant *value = amnesia_replica_get_value (amnesia_mesh_get_replica (world.nodes[i].mesh));

  return value != NULL ? g_variant_get_int64 (value) : -1;
}

static void
test_one_link_per_pair (void)
{
  begin_world (3);
  run (SECOND);
  g_assert_cmpuint (n_up (0), ==, 2);
  g_assert_cmpuint (n_up (1), ==, 2);
  g_assert_cmpuint (n_up (2), ==, 2);
  g_assert_cmpuint (world.ends->len, ==, 6);
  g_assert_cmpint (amnesia_mesh_get_state (world.nodes[0].mesh), ==, AMNESIA_MESH_SYNCED);
  write_int (1, 5);
  g_assert_cmpint (read_int (0), ==, 5);
  g_assert_cmpint (read_int (2), ==, 5);
  end_world ();
}

static void
test_silence (void)
{
  g_test_summary ("A link is dead after six seconds of silence, not before, and is dialled again");

  begin_world (2);
  run (SECOND);
  world.cut = TRUE;
  run (3900 * G_TIME_SPAN_MILLISECOND); /* the last heartbeat may be two seconds old */
  g_assert_cmpuint (n_up (0), ==, 1);
  run (2200 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (n_up (0), ==, 0);
  g_assert_cmpuint (n_up (1), ==, 0);
  g_assert_cmpint (amnesia_mesh_get_state (world.nodes[0].mesh), ==, AMNESIA_MESH_ALONE);
  write_int (0, 1);
  write_int (1, 2);
  world.cut = FALSE;
  run (3 * SECOND);
  g_assert_cmpuint (n_up (0), ==, 1);
  g_assert_cmpint (read_int (0), ==, 2);
  g_assert_cmpint (read_int (1), ==, 2);
  end_world ();
}

static void
test_late_timer (void)
{
  g_test_summary ("Who was asleep blames nobody for the silence");

  begin_world (2);
  run (SECOND);
  world.nodes[0].asleep = world.nodes[1].asleep = TRUE;
  pass (60 * SECOND);
  world.nodes[0].asleep = world.nodes[1].asleep = FALSE;
  tick_due ();
  run (SECOND);
  g_assert_cmpuint (n_up (0), ==, 1);
  g_assert_cmpuint (world.nodes[0].n_dials + world.nodes[1].n_dials, ==, 2);
  end_world ();
}

static void
test_blocked (void)
{
  guint i;

  g_test_summary ("Whose loop stood still for ten seconds blames nobody, and has the newest at once");

  begin_world (3);
  run (SECOND);
  world.nodes[0].asleep = TRUE;
  for (i = 0; i < 10; i++)
    {
      write_int (1, i);
      run (SECOND);
    }
  g_assert_cmpuint (n_up (1), ==, 1); /* the others have given it up */
  g_assert_cmpint (read_int (2), ==, 9);
  world.nodes[0].asleep = FALSE;
  run (3 * SECOND);
  for (i = 0; i < 3; i++)
    {
      g_assert_cmpuint (n_up (i), ==, 2);
      g_assert_cmpint (read_int (i), ==, 9);
    }
  end_world ();
}

static void
test_suspend (void)
{
  guint n_dials;

  g_test_summary ("While all machines sleep one clock stands still and one jumps: no link is lost");

  begin_world (2);
  run (SECOND);
  n_dials = world.nodes[0].n_dials + world.nodes[1].n_dials;
  world.now.wall += 8 * G_TIME_SPAN_HOUR;
  run (5 * SECOND);
  world.now.wall -= 8 * G_TIME_SPAN_HOUR;
  run (5 * SECOND);
  g_assert_cmpuint (n_up (0), ==, 1);
  g_assert_cmpuint (n_up (1), ==, 1);
  g_assert_cmpuint (world.nodes[0].n_dials + world.nodes[1].n_dials, ==, n_dials);
  write_int (0, 5);
  write_int (1, 6);
  g_assert_cmpint (read_int (0), ==, 6);
  end_world ();
}

static void
test_back_off (void)
{
  guint quick, later;

  g_test_summary ("Dials go every two seconds for ten minutes, then every thirty");

  begin_world (2);
  world.cut = TRUE;
  run (60 * SECOND);
  quick = world.nodes[0].n_dials;
  g_assert_cmpuint (quick, >=, 26);
  g_assert_cmpuint (quick, <=, 45);
  run (600 * SECOND);
  later = world.nodes[0].n_dials;
  run (600 * SECOND);
  g_assert_cmpuint (world.nodes[0].n_dials - later, >=, 14);
  g_assert_cmpuint (world.nodes[0].n_dials - later, <=, 30);

  amnesia_mesh_network_changed (world.nodes[0].mesh, world.now);
  later = world.nodes[0].n_dials;
  settle ();
  g_assert_cmpuint (world.nodes[0].n_dials, ==, later + 1);
  end_world ();
}

static void
test_guest_back_off (void)
{
  guint quick, later;

  g_test_summary ("A guest whom nobody answers takes a breath after each round, longer and longer");

  begin_world (2);
  world.cut = TRUE;
  amnesia_mesh_set_own (world.nodes[1].mesh, NULL, 0, TRUE, world.now);
  run (60 * SECOND);
  quick = world.nodes[1].n_dials;
  g_assert_cmpuint (quick, >=, 40);
  g_assert_cmpuint (quick, <=, 90);
  run (900 * SECOND);
  later = world.nodes[1].n_dials;
  run (600 * SECOND);
  g_assert_cmpuint (world.nodes[1].n_dials - later, <=, 60);

  amnesia_mesh_network_changed (world.nodes[1].mesh, world.now);
  later = world.nodes[1].n_dials;
  run (20 * SECOND);
  g_assert_cmpuint (world.nodes[1].n_dials - later, >=, 12);
  end_world ();
}

static void
test_leaving_guest (void)
{
  g_test_summary ("Who leaves looks for no entry any more, whatever the network does");

  begin_world (2);
  amnesia_mesh_set_own (world.nodes[1].mesh, NULL, 0, TRUE, world.now);
  run (SECOND);
  amnesia_mesh_leave (world.nodes[1].mesh);
  world.nodes[1].seeking = FALSE;
  amnesia_mesh_network_changed (world.nodes[1].mesh, world.now);
  g_assert_false (world.nodes[1].seeking);
  end_world ();
}

static void
test_resume (void)
{
  guint before;

  g_test_summary ("After a sleep of the machine those who are missing are dialled at once");

  begin_world (2);
  world.cut = TRUE;
  run (1200 * SECOND);
  before = world.nodes[0].n_dials;
  world.now.wall += 3600 * SECOND;
  amnesia_mesh_wake (world.nodes[0].mesh, world.now);
  settle ();
  g_assert_cmpuint (world.nodes[0].n_dials, ==, before + 1);
  end_world ();
}

static void
test_heartbeats (void)
{
  AmnesiaLink *link;

  g_test_summary ("Heartbeats measure the round trip and the offset of the clocks, and are rare");

  begin_world (2);
  run (5 * SECOND);
  link = amnesia_members_get (amnesia_mesh_get_members (world.nodes[0].mesh), 1)->link;
  g_assert_cmpint (link->round_trip, ==, 0);
  g_assert_cmpint (link->clock_offset, ==, 0);
  g_assert_cmpint (amnesia_link_get_deadline (link) - world.now.mono, >, 0);
  g_assert_cmpint (amnesia_link_get_deadline (link) - world.now.mono, <=, 2 * SECOND);
  end_world ();
}

static void
test_held_up (void)
{
  g_auto (AmnesiaPacket) packet = { 0, };
  AmnesiaLink *link;

  g_test_summary ("A heartbeat that was held up on its way is not taken for a clock that is wrong");

  begin_world (2);
  run (5 * SECOND);
  link = amnesia_members_get (amnesia_mesh_get_members (world.nodes[1].mesh), 0)->link;
  pass (link->next_beat - world.now.mono);
  g_assert_true (amnesia_mesh_pull (world.nodes[1].mesh, link, world.now, &packet));
  amnesia_link_sent (link, TRUE, world.now);
  pass (3 * SECOND);
  deliver (((End *) link->channel)->other, &packet);
  g_assert_cmpuint (world.nodes[0].n_clock_warnings, ==, 0);
  end_world ();
}

static void
test_clock_set_back (void)
{
  g_test_summary ("What was written with a clock two years ahead is written anew");

  begin_world (2);
  run (SECOND);
  world.cut = TRUE;
  run (10 * SECOND);
  world.now.wall += 730 * G_TIME_SPAN_DAY;
  write_int (0, 7);
  world.now.wall -= 730 * G_TIME_SPAN_DAY;
  world.cut = FALSE;
  run (10 * SECOND);
  g_assert_cmpint (read_int (1), ==, 7);
  write_int (1, 8);
  g_assert_cmpint (read_int (0), ==, 8);
  end_world ();
}

static gboolean
feed (AmnesiaLink    *link,
      AmnesiaPacket  *packet,
      GError        **error)
{
  g_autoptr (AmnesiaReader) reader = amnesia_reader_new (1024);
  g_auto (AmnesiaFrame) frame = { 0, };
  g_auto (AmnesiaReceipt) receipt = { 0, };
  gsize size, room;
  gconstpointer bytes = g_bytes_get_data (packet->head, &size);

  /* only a hello brings its own preamble */
  if (link->peer_id != 0)
    {
      memcpy (amnesia_reader_reserve (reader, &room), AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
      amnesia_reader_commit (reader, AMNESIA_PREAMBLE_SIZE);
      amnesia_reader_set_greeted (reader);
    }
  memcpy (amnesia_reader_reserve (reader, &room), bytes, size);
  amnesia_reader_commit (reader, size);
  g_assert_true (amnesia_reader_next (reader, &frame, NULL));
  amnesia_packet_clear (packet);
  return amnesia_link_receive (link, &frame, world.now, &receipt, error);
}

static AmnesiaLink *
make_link (AmnesiaLocal *local)
{
  AmnesiaHello hello = { 1, 1, 77, (char *) "", (char *) "", 0, 0, 1024 };
  AmnesiaLink *link;
  AmnesiaPacket packet;

  local->replica = amnesia_replica_new (5);
  local->group = local->host = (char *) "";
  local->max_size = 1024;
  local->linked = g_array_new (FALSE, FALSE, sizeof (guint64));
  link = amnesia_link_new (local, "host", 1, FALSE, 0, world.now);
  amnesia_frame_encode_hello (&hello, &packet);
  g_assert_true (feed (link, &packet, NULL));
  g_assert_true (amnesia_link_is_up (link));
  return link;
}

static void
free_link (AmnesiaLink *link)
{
  AmnesiaLocal *local = link->local;

  amnesia_link_free (link);
  amnesia_replica_free (local->replica);
  g_array_unref (local->linked);
}

static gboolean
feed_beat (AmnesiaLink  *link,
           GError      **error)
{
  AmnesiaBeat beat = { .digest = 1 };
  AmnesiaPacket packet;

  amnesia_frame_encode_beat (&beat, &packet);
  return feed (link, &packet, error);
}

static void
test_no_list (void)
{
  AmnesiaLocal local = { 0, };
  AmnesiaLink *link = make_link (&local);
  g_autoptr (GError) error = NULL;

  g_test_summary ("Who talks, but never says what it has, is given up after ten seconds");

  pass (9 * SECOND);
  g_assert_true (feed_beat (link, &error));
  pass (SECOND);
  g_assert_false (feed_beat (link, &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_PROTOCOL);
  free_link (link);
}

static void
test_listed_not_sent (void)
{
  AmnesiaLocal local = { 0, };
  AmnesiaLink *link = make_link (&local);
  g_autoptr (GPtrArray) entries = amnesia_entries_new ();
  AmnesiaPacket packet;

  g_test_summary ("Who lists what it does not send is waited for ten seconds");

  g_ptr_array_add (entries, amnesia_entry_new ("", AMNESIA_STAMP_NORMAL + 1, 77, NULL, NULL, 0));
  g_assert_null (amnesia_frame_encode_list (entries, "", FALSE, &packet));
  g_assert_true (feed (link, &packet, NULL));
  pass (9 * SECOND);
  g_assert_true (feed_beat (link, NULL));
  g_assert_false (amnesia_link_is_synced (link));
  pass (SECOND);
  g_assert_true (feed_beat (link, NULL));
  g_assert_true (amnesia_link_is_synced (link));
  free_link (link);
}

static void
test_late_hello (void)
{
  AmnesiaLocal local = {
    .replica = amnesia_replica_new (5), .group = (char *) "ours", .host = (char *) "",
    .max_size = 1024, .linked = g_array_new (FALSE, FALSE, sizeof (guint64)),
  };
  AmnesiaHello hello = { 1, 1, 77, (char *) "another", (char *) "", 0, 0, 1024 };
  AmnesiaLink *link = amnesia_link_new (&local, "host", 1, FALSE, 0, world.now);
  g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_WRITE };
  g_auto (AmnesiaReceipt) receipt = { 0, };
  AmnesiaPacket packet;

  g_test_summary ("Whose hello comes when the link is left is not judged, and writes nothing");

  amnesia_link_leave (link, AMNESIA_BYE_LEAVING, "leaving");
  amnesia_frame_encode_hello (&hello, &packet);
  g_assert_true (feed (link, &packet, NULL));

  frame.header = g_variant_ref_sink (g_variant_new_parsed (
    "(%t, uint64 77, @a(tt) [], [('', 's', uint64 2)], @a{sv} {})", AMNESIA_STAMP_NORMAL + 1));
  frame.payload = g_bytes_new_static ("x\0\0\0\0\0\0", 8);
  g_assert_true (amnesia_link_receive (link, &frame, world.now, &receipt, NULL));
  g_assert_null (amnesia_replica_get_newest (local.replica));
  free_link (link);
}

static void
test_member_becomes_guest (void)
{
  AmnesiaMembers *members;
  guint i, serial, n_dialled = 0;

  g_test_summary ("Who is a member no more keeps one link, to somebody whom it dialled");

  begin_world (3);
  run (SECOND);
  g_assert_cmpuint (n_up (2), ==, 2);
  members = amnesia_mesh_get_members (world.nodes[2].mesh);
  serial = members->serial;
  /* its entry by another name */
  amnesia_members_set_self (members, amnesia_members_get (members, 0));
  amnesia_mesh_set_own (world.nodes[2].mesh, NULL, 0, TRUE, world.now);
  /* none of the entries is its own now, and all are to be shown */
  for (i = 0; i < members->list->len; i++)
    g_assert_false (amnesia_members_get (members, i)->self);
  g_assert_cmpuint (members->serial, >, serial + 1);
  run (2 * SECOND);
  for (i = 0; i < members->list->len; i++)
    if (amnesia_members_get (members, i)->link != NULL)
      n_dialled += amnesia_members_get (members, i)->link->dialled;
  g_assert_cmpuint (n_up (2), ==, 1);
  g_assert_cmpuint (n_dialled, ==, 1);
  write_int (1, 5);
  run (SECOND);
  g_assert_cmpint (read_int (2), ==, 5);
  end_world ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/life/one-link-per-pair", test_one_link_per_pair);
  g_test_add_func ("/life/silence", test_silence);
  g_test_add_func ("/life/P4-late-timer", test_late_timer);
  g_test_add_func ("/life/P4-blocked", test_blocked);
  g_test_add_func ("/life/K7-suspend", test_suspend);
  g_test_add_func ("/life/back-off", test_back_off);
  g_test_add_func ("/life/guest-back-off", test_guest_back_off);
  g_test_add_func ("/life/leaving-guest", test_leaving_guest);
  g_test_add_func ("/life/K7-resume", test_resume);
  g_test_add_func ("/life/heartbeats", test_heartbeats);
  g_test_add_func ("/life/held-up", test_held_up);
  g_test_add_func ("/life/clock-set-back", test_clock_set_back);
  g_test_add_func ("/life/no-list", test_no_list);
  g_test_add_func ("/life/listed-not-sent", test_listed_not_sent);
  g_test_add_func ("/life/late-hello", test_late_hello);
  g_test_add_func ("/life/member-becomes-guest", test_member_becomes_guest);
  return g_test_run ();
}
