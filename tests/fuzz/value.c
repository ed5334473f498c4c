/* SPDX-License-Identifier: MIT */

/* Values of any type. The first byte: 0 to 127: the length of a type string, which follows, then
 * the value's bytes; above: a type and a value in normal form made of the rest, checked as a tree
 * first, as a value of our own is. */

#include "fuzz.h"

#include "amnesia-error.h"
#include "amnesia-json.h"
#include "amnesia-key-changes-private.h"
#include "replica/amnesia-replica-private.h"
#include "replica/amnesia-value-private.h"

#include <string.h>

#define STAMP (AMNESIA_STAMP_NORMAL | (G_GUINT64_CONSTANT (1000) << 16))

/* A frame as another member would send it, whatever the value is. */
static GBytes *
make_frame (const char *type,
            GBytes     *payload)
{
  GVariantBuilder items;
  g_autoptr (GVariant) header = NULL;
  g_autoptr (GBytes) bytes = NULL;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(sst)"));
  g_variant_builder_add (&items, "(sst)", "", type, (guint64) g_bytes_get_size (payload));
  header = g_variant_ref_sink (g_variant_new ("(tt@a(tt)a(sst)@a{sv})", STAMP, (guint64) 9,
                                              g_variant_new_array (G_VARIANT_TYPE ("(tt)"),
                                                                   NULL, 0), &items,
                                              g_variant_new_array (G_VARIANT_TYPE ("{sv}"),
                                                                   NULL, 0)));
  bytes = g_variant_get_data_as_bytes (header);
  return fuzz_frame (AMNESIA_FRAME_WRITE, 0, bytes, payload);
}

static void
take_entry (AmnesiaFrame *frame,
            gpointer      user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = amnesia_frame_decode_write (frame, FUZZ_MAX_SIZE, &error);

  if (entries != NULL)
    *(AmnesiaEntry **) user_data = amnesia_entry_ref (g_ptr_array_index (entries, 0));
  else
    fuzz_check_error (error);
}

/* Returns what a receiver makes of it, NULL if it refuses it. */
static AmnesiaEntry *
receive (GBytes *frame)
{
  g_autoptr (AmnesiaReader) reader = amnesia_reader_new (FUZZ_MAX_SIZE);
  g_autoptr (GBytes) preamble = g_bytes_new_static (AMNESIA_PREAMBLE, AMNESIA_PREAMBLE_SIZE);
  g_autoptr (GError) error = NULL;
  AmnesiaEntry *entry = NULL;

  amnesia_reader_set_greeted (reader);
  fuzz_feed (reader, preamble, 0, take_entry, &entry, &error);
  fuzz_feed (reader, frame, 0, take_entry, &entry, &error);
  return entry;
}

/* JSON that we write is JSON that we read, and says the same. */
static void
check_json (GVariant *value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = amnesia_to_json (value, &error);
  g_autofree char *again = NULL;
  g_autoptr (GVariant) read = NULL;

  if (text == NULL)
    {
      fuzz_check_error (error);
      return;
    }
  g_assert_no_error (error);
  read = amnesia_from_json (text, &error);
  g_assert_no_error (error);
  again = amnesia_to_json (read, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again, ==, text);
}

static void
check_reversed (GVariant *value)
{
  g_autoptr (GVariant) reversed = NULL;
  GVariantBuilder builder;
  gsize i;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_DICTIONARY))
    return;
  g_variant_builder_init (&builder, g_variant_get_type (value));
  for (i = g_variant_n_children (value); i > 0; i--)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (value, i - 1);

      g_variant_builder_add_value (&builder, entry);
    }
  reversed = g_variant_ref_sink (g_variant_builder_end (&builder));
  g_assert_true (amnesia_value_equal (value, reversed));
}

static void
note_change (const char *key,
             GVariant   *old_value,
             GVariant   *new_value,
             gpointer    user_data)
{
  char **previous = user_data;

  g_assert_true (amnesia_value_is_key (key));
  g_assert_false (amnesia_value_equal (old_value, new_value));
  g_assert_true (*previous == NULL || strcmp (*previous, key) < 0);
  g_free (*previous);
  *previous = g_strdup (key);
}

static void
check_key_changes (GVariant *old_value,
                   GVariant *new_value)
{
  g_autofree char *last = NULL;
  g_autofree char *none = NULL;

  amnesia_key_changes_foreach (old_value, new_value, note_change, &last);
  amnesia_key_changes_foreach (new_value, new_value, note_change, &none);
  g_assert_null (none);
}

/* What a store does with a value that it took: it is in force, and sent on. */
static void
check_replica (AmnesiaEntry *entry)
{
  g_autoptr (AmnesiaReplica) replica = amnesia_replica_new (1);
  g_autoptr (GPtrArray) write = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (AmnesiaEntry) again = NULL;
  g_auto (AmnesiaPacket) packet = { 0 };
  AmnesiaEntry *key = NULL;
  GVariant *value;

  g_assert_cmpint (amnesia_replica_merge (replica, 1000, entry), ==, AMNESIA_MERGE_TAKEN);
  g_assert_true (amnesia_replica_get_value (replica) == entry->value);
  write = amnesia_replica_list_write (replica, entry);
  amnesia_frame_encode_write (write, &packet);
  bytes = fuzz_packet_bytes (&packet, 0);
  again = receive (bytes);
  g_assert_nonnull (again);
  g_assert_true (amnesia_value_equal (again->value, entry->value));

  key = amnesia_replica_write (replica, 1000, "key", entry->value);
  g_assert_nonnull (key);
  value = amnesia_replica_get_value (replica);
  g_assert_true (g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT));
  fuzz_check_dictionary (value);
  check_key_changes (entry->value, value);
}

static void
check_accepted (AmnesiaEntry *entry)
{
  g_autofree char *printed = NULL;

  fuzz_check_value (entry->value, FUZZ_MAX_SIZE);
  printed = g_variant_print (entry->value, TRUE);
  g_assert_true (g_utf8_validate (printed, -1, NULL));
  check_json (entry->value);
  check_reversed (entry->value);
  check_replica (entry);
}

static void
try_bytes (FuzzInput *input,
           gsize      length)
{
  g_autoptr (GBytes) type_bytes = fuzz_take_bytes (input, length);
  g_autoptr (GBytes) payload = fuzz_take_bytes (input, input->size);
  g_autofree char *type = g_bytes_get_size (type_bytes) > 0
                            ? g_strndup (g_bytes_get_data (type_bytes, NULL),
                                         g_bytes_get_size (type_bytes)) : g_strdup ("");
  g_autoptr (GBytes) frame = NULL;
  g_autoptr (AmnesiaEntry) entry = NULL;

  amnesia_value_check_type (type, NULL);
  if (!g_utf8_validate (type, -1, NULL)) /* no header can hold it */
    return;
  frame = make_frame (type, payload);
  entry = receive (frame);
  if (entry != NULL && entry->value != NULL)
    check_accepted (entry);
}

/* A member refuses at once what the others would refuse, and nothing else. */
static void
try_tree (FuzzInput *input)
{
  g_autofree char *type = fuzz_take_type (input, 8);
  g_autoptr (GVariant) value =
    g_variant_ref_sink (fuzz_take_variant (input, G_VARIANT_TYPE (type), 30));
  g_autoptr (GError) error = NULL;
  gboolean right = amnesia_value_check (value, FUZZ_MAX_SIZE, &error);
  g_autoptr (GBytes) payload = g_variant_get_data_as_bytes (value);
  g_autoptr (GBytes) frame = make_frame (type, payload);
  g_autoptr (AmnesiaEntry) entry = receive (frame);

  g_assert_true (right == (entry != NULL));
  if (!right)
    {
      fuzz_check_error (error);
      return;
    }
  g_assert_true (amnesia_value_equal (value, entry->value));
  check_accepted (entry);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  G_GNUC_UNUSED g_auto (FuzzWatch) watch = fuzz_begin ();
  FuzzInput input = { data, size };
  guint8 mode = fuzz_take_byte (&input);

  if (mode < 128)
    try_bytes (&input, mode);
  else
    try_tree (&input);
  return 0;
}
