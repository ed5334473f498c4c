/* SPDX-License-Identifier: MIT */

/* A live mesh in a world without sockets, whose peers, clocks and owner do as the input says: each
 * step is a byte for what happens, and what it needs. */

#include "world.h"

#include "amnesia-error.h"
#include "mesh/amnesia-limits-private.h"
#include "replica/amnesia-value-private.h"

#include <string.h>

#define MAX_ENDS 68 /* more than may be without a hello */
#define TIME_MASK (~AMNESIA_STAMP_NORMAL)

/* --- frames to the mesh --- */

/* What a write does to the clock: nothing, if it is refused or from more than a year ahead. */
static guint64
get_greatest_time (AmnesiaFrame *frame,
                   AmnesiaLink  *link)
{
  g_autoptr (GPtrArray) entries = NULL;
  AmnesiaEntry *first;

  if (frame->kind != AMNESIA_FRAME_WRITE || link->refused)
    return 0;
  entries = amnesia_frame_decode_write (frame, world.max_size, NULL);
  if (entries == NULL)
    return 0;
  first = g_ptr_array_index (entries, 0); /* all are of one stamp */
  if (amnesia_stamp_is_ahead (first->stamp, world.now.wall / 1000))
    return 0;
  return first->stamp & TIME_MASK;
}

static void
on_frame (AmnesiaFrame *frame,
          gpointer      user_data)
{
  End *end = user_data;
  guint64 time = get_greatest_time (frame, end->link);

  amnesia_mesh_receive (world.mesh, end->link, frame, world.now);
  world.clock_max = MAX (world.clock_max, time);
  if (!end->link->refused)
    world.clock_min = MAX (world.clock_min, time);
}

/* While something is held that is more than a year ahead, the clock may start anew at any time. */
static void
forget_clock (void)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (amnesia_mesh_get_replica (world.mesh));
  guint i;

  for (i = 0; i < entries->len; i++)
    if (amnesia_stamp_is_ahead (((AmnesiaEntry *) g_ptr_array_index (entries, i))->stamp,
                                world.now.wall / 1000))
      world.clock_min = 0;
}

static void
give (End    *end,
      GBytes *bytes)
{
  g_autoptr (GError) error = NULL;

  forget_clock ();
  amnesia_link_heard (end->link, g_bytes_get_size (bytes), world.now);
  if (end->deaf || fuzz_feed (end->reader, bytes, 0, on_frame, end, &error))
    return;
  end->deaf = TRUE;
  amnesia_mesh_fail_link (world.mesh, end->link, error, world.now);
}

static End *
add_end (AmnesiaMember *member)
{
  g_autoptr (GBytes) preamble = g_bytes_new_static (AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  End *end = world_add_end (member);

  give (end, preamble);
  return end;
}

static End *
take_end (FuzzInput *input)
{
  guint8 choice = fuzz_take_byte (input);

  if (world.ends->len == 0)
    return add_end (NULL);
  return g_ptr_array_index (world.ends, choice % world.ends->len);
}

static void
give_hello (End       *end,
            FuzzInput *input)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autoptr (GBytes) bytes = NULL;
  guint8 choice = fuzz_take_byte (input);
  AmnesiaHello hello = {
    .version_min = AMNESIA_PROTOCOL_MIN,
    .version_max = AMNESIA_PROTOCOL_MAX,
    .id = 1 + choice % 8,
    .group = (char *) "",
    .host = (char *) (choice & 8 ? "node" : ""),
    .port = choice & 8 ? 1 + choice / 16 % 4 : 0,
    .wall = world.now.wall,
    .max_size = choice & 128 ? 16 : world.max_size,
  };

  amnesia_frame_encode_hello (&hello, &packet);
  bytes = fuzz_packet_bytes (&packet, AMNESIA_PREAMBLE_SIZE);
  give (end, bytes);
}

static void
give_digest (End *end)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autoptr (GBytes) bytes = NULL;
  AmnesiaBeat beat = {
    .digest = amnesia_repair_get_digest (&end->link->repair),
    .wall = world.now.wall,
    .sent = world.now.mono,
    .echo = world.now.mono - 1000,
  };

  amnesia_frame_encode_beat (&beat, &packet);
  bytes = fuzz_packet_bytes (&packet, 0);
  give (end, bytes);
}

static void
give_ack (End *end)
{
  g_auto (AmnesiaPacket) packet = { 0 };
  g_autoptr (GBytes) bytes = NULL;

  amnesia_frame_encode_ack (end->link->values_sent, &packet);
  bytes = fuzz_packet_bytes (&packet, 0);
  give (end, bytes);
}

static void
give_any (End       *end,
          FuzzInput *input,
          gboolean   framed)
{
  gsize size = framed ? 0 : fuzz_take_byte (input);
  g_autoptr (GBytes) bytes = framed ? fuzz_take_frame (input, world.now.wall)
                                    : fuzz_take_bytes (input, size);

  give (end, bytes);
}

/* --- frames from the mesh --- */

static void
on_sent (AmnesiaFrame *frame,
         gpointer      user_data)
{
  End *end = user_data;
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GError) error = NULL;
  guint i;

  if (frame->kind != AMNESIA_FRAME_WRITE)
    return;
  entries = amnesia_frame_decode_write (frame, 1024 * 1024, &error);
  g_assert_no_error (error);
  for (i = 0; i < entries->len; i++)
    g_assert_cmpuint (amnesia_entry_get_size (g_ptr_array_index (entries, i)), <=,
                      end->link->repair.peer_max_size);
}

static void
pull (End      *end,
      guint     n,
      gboolean  all)
{
  if (end->mirror == NULL)
    end->mirror = amnesia_reader_new (1024 * 1024);
  for (; n > 0; n--)
    {
      g_auto (AmnesiaPacket) packet = { 0 };
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;

      if (!amnesia_mesh_pull (world.mesh, end->link, world.now, &packet))
        return;
      bytes = fuzz_packet_bytes (&packet, 0);
      fuzz_feed (end->mirror, bytes, 0, on_sent, end, &error);
      g_assert_no_error (error);
      g_assert_true (amnesia_reader_is_between (end->mirror));
      amnesia_link_sent (end->link, all, world.now);
    }
}

static void
pull_many (End       *end,
           FuzzInput *input)
{
  pull (end, 1 + fuzz_take_byte (input) % 64, TRUE);
}

static void
lose (End       *end,
      FuzzInput *input)
{
  g_autoptr (GError) error = NULL;
  AmnesiaLink *link = end->link;

  if (fuzz_take_byte (input) & 1)
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "reset");
  world_forget_end (end);
  amnesia_mesh_remove_link (world.mesh, link, error, world.now);
}

/* --- what else happens --- */

static void
tick (void)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (amnesia_mesh_get_replica (world.mesh));

  if (world.armed == 0 || world.armed > world.now.mono)
    return;
  forget_clock ();
  amnesia_mesh_tick (world.mesh, world.now);
  world.clock_max += entries->len + 1;
  world.clock_max = MAX (world.clock_max, (guint64) (world.now.wall / 1000 + 1) << 16);
}

static void
pass_time (FuzzInput *input)
{
  guint8 choice = fuzz_take_byte (input);
  gint64 span = (choice & 15) * (choice & 16 ? G_TIME_SPAN_SECOND : 100 * G_TIME_SPAN_MILLISECOND);
  gint64 leap = choice & 32 ? (gint64) fuzz_take_fixed (input, 2) * G_TIME_SPAN_HOUR : 0;

  world.now.mono += span;
  world.now.wall += span + (choice & 64 ? -leap : leap);
  world.now.wall = CLAMP (world.now.wall, 0, G_MAXINT64 / 8);
}

/* Together with another one, if its name begins so. */
static GPtrArray *
write_together (AmnesiaReplica *replica,
                const char     *key,
                GVariant       *value)
{
  g_autoptr (GVariant) keys = NULL;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, key, value);
  g_variant_dict_insert_value (&dict, "a", value);
  keys = g_variant_ref_sink (g_variant_dict_end (&dict));
  return amnesia_replica_write_keys (replica, world.now.wall / 1000, keys);
}

/* What kind of write it is, the first letter of the key decides. */
static GPtrArray *
write_key (AmnesiaReplica *replica,
           const char     *key,
           GVariant       *value)
{
  GPtrArray *entries;
  AmnesiaEntry *entry;

  if (key[0] == '+')
    return write_together (replica, key, value);
  if (key[0] == '?')
    entry = amnesia_replica_write_first (replica, world.now.wall / 1000, key, value);
  else
    entry = amnesia_replica_write (replica, world.now.wall / 1000, key, key[0] == '-' ? NULL : value);
  entries = amnesia_entries_new ();
  if (entry != NULL)
    g_ptr_array_add (entries, amnesia_entry_ref (entry));
  return entries;
}

/* Nothing that was refused has moved the clock, and all that was taken has. */
static void
check_stamp (AmnesiaEntry *entry)
{
  guint64 wall = (guint64) (world.now.wall / 1000) << 16;
  guint64 time = entry->stamp & TIME_MASK;

  g_assert_cmpuint (time, >, world.clock_min);
  g_assert_cmpuint (time, <=, MAX (world.clock_max + 1, wall));
  world.clock_min = world.clock_max = time;
}

static void
write_own (FuzzInput *input)
{
  AmnesiaReplica *replica = amnesia_mesh_get_replica (world.mesh);
  g_autofree char *key = fuzz_take_key (input);
  g_autofree char *type = fuzz_take_type (input, 2);
  g_autoptr (GVariant) value = g_variant_ref_sink (fuzz_take_variant (input,
                                                                      G_VARIANT_TYPE (type), 2));
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) losses = NULL;
  guint i;

  if (strlen (key) > 255 || !amnesia_value_check (value, world.max_size, NULL))
    return;
  entries = write_key (replica, key, value);
  if (entries->len > 0)
    check_stamp (g_ptr_array_index (entries, 0));
  for (i = 0; i < entries->len; i++)
    {
      world.room += g_variant_get_size (value);
      amnesia_mesh_written (world.mesh, g_ptr_array_index (entries, i));
    }
  amnesia_mesh_spread (world.mesh);
  losses = amnesia_replica_steal_losses (replica);
}

static void
open_mesh (guint8 choice)
{
  g_autoptr (AmnesiaSettings) settings = amnesia_settings_new ();
  guint i;

  settings->group = g_strdup ("");
  settings->max_size = choice & 8 ? 1024 : FUZZ_MAX_SIZE;
  settings->clock_limit = choice & 16 ? 0 : 24 * G_TIME_SPAN_HOUR;
  for (i = 0; i < 4; i++)
    if (i == 0 || !(choice & (1 << (i - 1))))
      amnesia_settings_add_entry (settings, "node", (guint16) (1 + i));
  world.max_size = settings->max_size;
  amnesia_mesh_open (world.mesh, settings, world.now);
  for (i = world.dialled->len; i > 0; i--)
    if (!g_ptr_array_find (amnesia_mesh_get_members (world.mesh)->list,
                           world.dialled->pdata[i - 1], NULL))
      g_ptr_array_remove_index (world.dialled, i - 1);
  amnesia_mesh_set_own (world.mesh, choice & 32 ? NULL : "node", 1, (choice & 64) != 0, world.now);
}

static void
close_mesh (FuzzInput *input)
{
  amnesia_mesh_close (world.mesh);
  g_ptr_array_set_size (world.dialled, 0);
  world.armed = 0;
  g_assert_cmpuint (world.ends->len, ==, 0);
  world_check ();
  open_mesh (fuzz_take_byte (input));
}

static void
answer_dial (FuzzInput *input)
{
  guint8 choice = fuzz_take_byte (input);
  AmnesiaMember *member;
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no answer");

  if (world.dialled->len == 0)
    return;
  member = g_ptr_array_steal_index (world.dialled, choice % world.dialled->len);
  if (choice & 128 || world.ends->len >= MAX_ENDS)
    amnesia_mesh_dial_failed (world.mesh, member, error, world.now);
  else
    add_end (member);
  amnesia_member_unref (member);
}

/* Strangers who say nothing. */
static void
crowd (FuzzInput *input)
{
  guint n = fuzz_take_byte (input) % MAX_ENDS;

  for (; n > 0; n--)
    if (amnesia_mesh_make_room (world.mesh, world.now) && world.ends->len < MAX_ENDS)
      add_end (NULL);
}

static void
happen (FuzzInput *input)
{
  guint8 choice = fuzz_take_byte (input) % 32;

  switch (choice)
    {
    case 0:
      if (amnesia_mesh_make_room (world.mesh, world.now) && world.ends->len < MAX_ENDS)
        give_hello (add_end (NULL), input);
      break;
    case 1:
      if (world.ends->len < MAX_ENDS)
        add_end (NULL);
      break;
    case 2:
    case 3:
      give_hello (take_end (input), input);
      break;
    case 4:
      give_digest (take_end (input));
      break;
    case 5:
      give_ack (take_end (input));
      break;
    case 6:
      give_any (take_end (input), input, FALSE);
      break;
    case 7:
      lose (take_end (input), input);
      break;
    case 8:
    case 9:
      pull_many (take_end (input), input);
      break;
    case 10:
      pull (take_end (input), 1, FALSE);
      break;
    case 11:
    case 12:
      write_own (input);
      break;
    case 13:
    case 14:
      answer_dial (input);
      break;
    case 15:
    case 16:
      tick ();
      break;
    case 17:
    case 18:
      pass_time (input);
      break;
    case 19:
      open_mesh (fuzz_take_byte (input));
      break;
    case 20:
      amnesia_mesh_leave (world.mesh);
      break;
    case 21:
      close_mesh (input);
      break;
    case 22:
      amnesia_mesh_network_changed (world.mesh, world.now);
      amnesia_mesh_note_refusal (world.mesh, "10.0.0.1", "why", world.now);
      break;
    case 23:
      crowd (input);
      break;
    default:
      give_any (take_end (input), input, TRUE);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  G_GNUC_UNUSED g_auto (FuzzWatch) watch = fuzz_begin ();
  FuzzInput input = { data, size };

  world_begin ();
  open_mesh (0);
  amnesia_mesh_update (world.mesh, world.now);
  while (input.size > 0)
    {
      amnesia_mesh_wake (world.mesh, world.now);
      happen (&input);
      amnesia_mesh_update (world.mesh, world.now);
      world_check ();
    }
  world_check_values ();
  world_end ();
  return 0;
}
