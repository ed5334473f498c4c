/* SPDX-License-Identifier: MIT */

/* Digests and lists, the hostile way and the honest way. The input fills two replicas; one of them
 * gets whatever lists and heartbeats come, too. In the end the two compare what they have as two
 * members do, and then they must have the same. */

#include "fuzz.h"

#include "amnesia-error.h"
#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-repair-private.h"
#include "replica/amnesia-value-private.h"

#include <string.h>

#define WALL (1000 * G_TIME_SPAN_HOUR)
#define LARGE (1024 * 1024 * 1024)

typedef struct
{
  AmnesiaReplica *replica;
  AmnesiaRepair   repair;
  AmnesiaReader  *reader; /* (owned) (nullable) */
  gint64          mono;
  gboolean        large; /* has so many entries that looking at all of them takes its time */
} Side;

static void
side_init (Side   *side,
           guint64 id)
{
  side->replica = amnesia_replica_new (id);
  amnesia_replica_set_max_size (side->replica, FUZZ_MAX_SIZE);
  side->mono = 1000 * G_TIME_SPAN_SECOND;
  amnesia_repair_init (&side->repair, side->replica, FUZZ_MAX_SIZE);
  amnesia_repair_start (&side->repair, FUZZ_MAX_SIZE);
}

static void
side_clear (Side *side)
{
  g_clear_pointer (&side->reader, amnesia_reader_free);
  amnesia_repair_clear (&side->repair);
  amnesia_replica_free (side->replica);
}

static void
check_side (Side *side)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (side->replica);
  AmnesiaEntry *base = amnesia_replica_lookup (side->replica, "");
  guint64 digest = 0;
  guint i;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      digest += amnesia_entry_hash (entry);
      g_assert_true (amnesia_replica_lookup (side->replica, entry->key) == entry);
      g_assert_true (entry == base || base == NULL || amnesia_entry_compare (entry, base) > 0);
    }
  g_assert_cmpuint (digest, ==, amnesia_replica_get_digest (side->replica));
}

static void
take_write (Side         *side,
            AmnesiaFrame *frame)
{
  g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, FUZZ_MAX_SIZE, NULL);
  guint i;

  for (i = 0; entries != NULL && i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);
      guint64 digest = amnesia_replica_get_digest (side->replica);
      gboolean beats = amnesia_replica_beats (side->replica, entry->key, entry->stamp, entry->id);
      AmnesiaMerge result = amnesia_replica_merge (side->replica, WALL / 1000, entry);

      g_assert_true (result != AMNESIA_MERGE_TAKEN || beats);
      g_assert_true (result != AMNESIA_MERGE_OLD || !beats);
      if (result == AMNESIA_MERGE_TAKEN)
        g_assert_true (amnesia_replica_lookup (side->replica, entry->key) == entry);
      else
        g_assert_cmpuint (digest, ==, amnesia_replica_get_digest (side->replica));
    }
}

static void
take_list (Side         *side,
           AmnesiaFrame *frame)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) lacking = amnesia_repair_receive (&side->repair, frame, side->mono, WALL,
                                                          &error);
  guint i;

  g_assert_true ((lacking == NULL) == (error != NULL));
  if (lacking == NULL)
    fuzz_check_error (error);
  for (i = 0; lacking != NULL && i < lacking->len; i++)
    {
      g_assert_nonnull (amnesia_replica_lookup (side->replica, lacking->pdata[i]));
      if (i > 0)
        g_assert_cmpstr (lacking->pdata[i - 1], <, lacking->pdata[i]);
    }
}

static void
on_frame (AmnesiaFrame *frame,
          gpointer      user_data)
{
  Side *side = user_data;
  AmnesiaBeat beat;

  switch (frame->kind)
    {
    case AMNESIA_FRAME_WRITE:
      take_write (side, frame);
      break;
    case AMNESIA_FRAME_LIST:
      take_list (side, frame);
      break;
    case AMNESIA_FRAME_BEAT:
      amnesia_frame_decode_beat (frame, &beat);
      amnesia_repair_compare (&side->repair, beat.digest, side->mono);
      break;
    default:
      break;
    }
}

static void
give (Side   *side,
      GBytes *bytes)
{
  static const char preamble[] = AMNESIA_PREAMBLE;
  g_autoptr (GBytes) first = NULL;

  if (side->reader == NULL)
    {
      side->reader = amnesia_reader_new (LARGE);
      amnesia_reader_set_greeted (side->reader);
      first = g_bytes_new_static (preamble, AMNESIA_PREAMBLE_SIZE);
      fuzz_feed (side->reader, first, 0, on_frame, side, NULL);
    }
  /* what is wrong ends a connection; there will be another one */
  if (!fuzz_feed (side->reader, bytes, 0, on_frame, side, NULL))
    g_clear_pointer (&side->reader, amnesia_reader_free);
}

static void
write_own (Side      *side,
           FuzzInput *input)
{
  g_autofree char *key = fuzz_take_key (input);
  g_autofree char *type = fuzz_take_type (input, 2);
  g_autoptr (GVariant) value = g_variant_ref_sink (fuzz_take_variant (input,
                                                                      G_VARIANT_TYPE (type), 2));

  if (strlen (key) > 255 || !amnesia_value_check (value, FUZZ_MAX_SIZE, NULL))
    return;
  amnesia_replica_write (side->replica, WALL / 1000, key, value);
}

/* So many that a list of them is more than one frame. */
static void
write_many (Side      *side,
            FuzzInput *input)
{
  guint n = (guint) fuzz_take_fixed (input, 2) % 260;

  side->large = TRUE;
  for (; n > 0; n--)
    {
      g_autofree char *key = g_strdup_printf ("m%0250u", n);

      amnesia_replica_write (side->replica, WALL / 1000, key, NULL);
    }
}

/* Our list, frame by frame: it ends, and each frame is right. */
static void
pull_lists (Side *from,
            Side *to)
{
  guint i;

  for (i = 0; amnesia_repair_is_due (&from->repair); i++)
    {
      g_auto (AmnesiaPacket) packet = { 0 };
      g_autoptr (GBytes) bytes = NULL;

      g_assert_cmpuint (i, <, 1000);
      amnesia_repair_pull (&from->repair, &packet);
      bytes = fuzz_packet_bytes (&packet, 0);
      g_assert_cmpuint (g_bytes_get_size (bytes), <=, AMNESIA_MAX_LIST + AMNESIA_PREFIX_SIZE + 8);
      if (to != NULL)
        give (to, bytes);
    }
}

static void
run_step (Side      *sides,
          FuzzInput *input)
{
  guint8 choice = fuzz_take_byte (input);
  Side *side = &sides[choice & 1];
  g_autoptr (GBytes) frame = NULL;

  switch (choice >> 5)
    {
    case 0:
      if (choice & 16)
        write_many (side, input);
      else
        write_own (side, input);
      break;
    case 1:
      side->mono += fuzz_take_byte (input) * G_TIME_SPAN_SECOND / 8;
      break;
    case 2:
      pull_lists (side, NULL);
      break;
    case 3:
      amnesia_repair_give_up (&side->repair, NULL);
      break;
    case 4:
      amnesia_repair_compare (&side->repair, choice & 2
                              ? amnesia_repair_get_digest (&side->repair) : 1, side->mono);
      break;
    default:
      frame = fuzz_take_frame (input, WALL);
      give (side, frame);
    }
  amnesia_repair_is_complete (&side->repair);
  if (!side->large)
    check_side (side);
}

/* --- two honest sides --- */

/* All that the other side lacks, by what it says it has. */
static GPtrArray *
find_lacking (Side *from,
              Side *to)
{
  GPtrArray *lacking = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *key = g_strdup ("");
  g_autoptr (GPtrArray) entries = amnesia_replica_list (to->replica);

  while (key != NULL)
    {
      g_auto (AmnesiaPacket) packet = { 0 };
      g_auto (AmnesiaFrame) frame = { .kind = AMNESIA_FRAME_LIST };
      g_autoptr (GPtrArray) some = NULL;
      g_autoptr (GError) error = NULL;
      char *next = amnesia_frame_encode_list (entries, key, FALSE, &packet);
      const guint8 *head = g_bytes_get_data (packet.head, NULL);
      guint32 size;

      memcpy (&size, head + 4, sizeof size);
      amnesia_frame_read_header (&frame, head + AMNESIA_PREFIX_SIZE, GUINT32_FROM_LE (size), 0,
                                 LARGE, &error);
      g_assert_no_error (error);
      some = amnesia_repair_receive (&from->repair, &frame, from->mono, WALL, &error);
      g_assert_no_error (error);
      g_ptr_array_extend_and_steal (lacking, g_steal_pointer (&some));
      g_free (key);
      key = next;
    }
  return lacking;
}

static void
send_lacking (Side      *from,
              Side      *to,
              GPtrArray *lacking)
{
  guint i;

  for (i = 0; i < lacking->len; i++)
    {
      g_auto (AmnesiaPacket) packet = { 0 };
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GPtrArray) write = NULL;
      AmnesiaEntry *entry = amnesia_replica_lookup (from->replica, lacking->pdata[i]);

      if (entry == NULL)
        continue;
      write = amnesia_replica_list_write (from->replica, entry);
      amnesia_frame_encode_write (write, &packet);
      bytes = fuzz_packet_bytes (&packet, 0);
      give (to, bytes);
    }
}

static void
begin_anew (Side *side)
{
  amnesia_repair_clear (&side->repair);
  memset (&side->repair, 0, sizeof side->repair);
  amnesia_replica_set_max_size (side->replica, LARGE);
  amnesia_repair_init (&side->repair, side->replica, LARGE);
  amnesia_repair_start (&side->repair, LARGE);
}

static void
heal (Side *a,
      Side *b)
{
  g_autoptr (GPtrArray) lacking_a = NULL;
  g_autoptr (GPtrArray) lacking_b = NULL;

  begin_anew (a);
  begin_anew (b);
  lacking_b = find_lacking (a, b);
  lacking_a = find_lacking (b, a);
  send_lacking (a, b, lacking_b);
  send_lacking (b, a, lacking_a);
  check_side (a);
  check_side (b);
  g_assert_cmpuint (amnesia_replica_get_digest (a->replica), ==,
                    amnesia_replica_get_digest (b->replica));
  g_assert_true (amnesia_repair_is_complete (&a->repair));
  g_assert_true (amnesia_repair_is_complete (&b->repair));
  g_assert_cmpuint (amnesia_repair_get_digest (&a->repair), ==,
                    amnesia_repair_get_digest (&b->repair));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  G_GNUC_UNUSED g_auto (FuzzWatch) watch = fuzz_begin ();
  FuzzInput input = { data, size };
  Side sides[2];

  memset (sides, 0, sizeof sides);
  side_init (&sides[0], 7);
  side_init (&sides[1], 8);
  while (input.size > 0)
    run_step (sides, &input);
  heal (&sides[0], &sides[1]);
  side_clear (&sides[0]);
  side_clear (&sides[1]);
  return 0;
}
