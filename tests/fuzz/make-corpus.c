/* SPDX-License-Identifier: MIT */

/* Writes what the targets begin with: make-corpus FOLDER makes FOLDER/TARGET/seed-*. What was
 * found later lies beside them under other names, and stays. */

#include "fuzz.h"

#include "amnesia-error.h"

#include <string.h>

#define WALL (1000 * G_TIME_SPAN_HOUR)
#define STAMP (AMNESIA_STAMP_NORMAL | ((guint64) (WALL / 1000) << 16))

static const char *folder;

/* The first byte of an input, and the rest. */
static void
save (const char *target,
      const char *name,
      int         mode,
      GBytes     *bytes)
{
  g_autofree char *base = g_strconcat ("seed-", name, NULL);
  g_autofree char *dir = g_build_filename (folder, target, NULL);
  g_autofree char *path = g_build_filename (dir, base, NULL);
  g_autoptr (GByteArray) all = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  guint8 first = (guint8) mode;

  if (mode >= 0)
    g_byte_array_append (all, &first, 1);
  g_byte_array_append (all, g_bytes_get_data (bytes, NULL), (guint) g_bytes_get_size (bytes));
  g_mkdir_with_parents (dir, 0755);
  g_file_set_contents (path, (char *) all->data, (gssize) all->len, &error);
  g_assert_no_error (error);
}

static void
save_text (const char *target,
           const char *name,
           const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  save (target, name, -1, bytes);
}

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (NULL, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

/* --- frames --- */

/* A frame under the name of what is in it; takes the packet. The target `hello` gets it as it is,
 * `frame` without the preamble, in pieces and in one. */
static void
save_frame (const char    *name,
            AmnesiaPacket *packet,
            gboolean       hello)
{
  g_autoptr (GBytes) bytes = fuzz_packet_bytes (packet, hello ? AMNESIA_PREAMBLE_SIZE : 0);
  g_autoptr (GBytes) whole = fuzz_packet_bytes (packet, 0);

  if (hello || strcmp (name, "bye") == 0)
    save ("hello", name, 0, whole);
  save ("frame", name, 6, bytes);
  amnesia_packet_clear (packet);
}

static GByteArray *stream;

static void
add_to_stream (AmnesiaPacket *packet,
               gsize          skip)
{
  g_autoptr (GBytes) bytes = fuzz_packet_bytes (packet, skip);

  g_byte_array_append (stream, g_bytes_get_data (bytes, NULL), (guint) g_bytes_get_size (bytes));
}

static GPtrArray *
make_entries (void)
{
  const AmnesiaSeen seen[] = { { 3, STAMP - 1 }, { 4, STAMP - 2 } };
  g_autoptr (GVariant) base = parse ("{'a': <1>}");
  g_autoptr (GVariant) one = parse ("'one'");
  GPtrArray *entries = amnesia_entries_new ();

  g_ptr_array_add (entries, amnesia_entry_new ("", STAMP, 9, base, seen, 2));
  g_ptr_array_add (entries, amnesia_entry_new ("k1", STAMP, 9, one, seen, 2));
  g_ptr_array_add (entries, amnesia_entry_new ("k2", STAMP, 9, NULL, seen, 2));
  return entries;
}

static void
make_frames (void)
{
  const guint64 ids[] = { 2, 3, 4 };
  AmnesiaHello hello = { 1, 1, 9, (char *) "", (char *) "node", 2, WALL, FUZZ_MAX_SIZE };
  AmnesiaBeat beat = { 1, WALL, 2, 3, 4 };
  g_autoptr (GPtrArray) entries = make_entries ();
  g_autoptr (GPtrArray) none = amnesia_entries_new ();
  g_autoptr (GArray) links = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GBytes) all = NULL;
  AmnesiaPacket packet = { 0 };

  stream = g_byte_array_new ();
  g_array_append_vals (links, ids, G_N_ELEMENTS (ids));

  amnesia_frame_encode_hello (&hello, &packet);
  add_to_stream (&packet, AMNESIA_PREAMBLE_SIZE);
  save_frame ("hello", &packet, TRUE);
  amnesia_frame_encode_links (links, &packet);
  add_to_stream (&packet, 0);
  save_frame ("links", &packet, FALSE);
  g_free (amnesia_frame_encode_list (none, "", FALSE, &packet));
  add_to_stream (&packet, 0);
  save_frame ("list-empty", &packet, FALSE);
  g_free (amnesia_frame_encode_list (entries, "", TRUE, &packet));
  add_to_stream (&packet, 0);
  save_frame ("list", &packet, FALSE);
  amnesia_frame_encode_write (entries, &packet);
  add_to_stream (&packet, 0);
  save_frame ("write", &packet, FALSE);
  amnesia_frame_encode_ack (1, &packet);
  add_to_stream (&packet, 0);
  save_frame ("ack", &packet, FALSE);
  amnesia_frame_encode_beat (&beat, &packet);
  add_to_stream (&packet, 0);
  save_frame ("beat", &packet, FALSE);
  amnesia_frame_encode_bye (AMNESIA_BYE_LEAVING, "leaving", &packet);
  add_to_stream (&packet, 0);
  save_frame ("bye", &packet, FALSE);

  all = g_byte_array_free_to_bytes (g_steal_pointer (&stream));
  save ("frame", "stream", 254, all);
}

/* --- values --- */

static void
make_values (void)
{
  static const char *const texts[] = {
    "true", "byte 7", "@n -1", "@q 1", "@i -5", "@u 5", "@x 123", "@t 18446744073709551615",
    "1.5", "'text'", "objectpath '/a/b'", "signature 'a{sv}'", "[byte 1, 2, 3]", "b'bytes'",
    "@ax [1, 2, 3]", "['a', 'b']", "(1, 'two', 3.0)", "@mi nothing", "just 'x'", "<<'x'>>",
    "{'jsontest': <123>}", "{1: 'one', 2: 'two'}", "{'a': <{'b': <[<1>, <'x'>]>}>}",
    "[(1, true), (2, false)]", "@a(sv) [('a', <1>)]", "@a{sv} {}", "@mmi just nothing", "()",
    "[{'a': 1}, {'b': 2}]",
    /* what is refused */
    "handle 3", "[handle 0]", "<handle 1>", "{'a': <1>, 'a': <2>}", "{1: 'one', 1: 'two'}",
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GVariant) value = parse (texts[i]);
      g_autofree char *name = g_strdup_printf ("%02u", i);
      const char *type = g_variant_get_type_string (value);
      g_autoptr (GByteArray) all = g_byte_array_new ();
      g_autoptr (GBytes) bytes = NULL;

      g_byte_array_append (all, (const guint8 *) type, (guint) strlen (type));
      g_byte_array_append (all, g_variant_get_data (value), (guint) g_variant_get_size (value));
      bytes = g_byte_array_free_to_bytes (g_steal_pointer (&all));
      save ("value", name, (int) strlen (type), bytes);
    }
}

/* Bytes that are not in normal form, types that are none. */
static void
make_bad_values (void)
{
  static const struct
  {
    const char *type;
    const char *bytes;
    gsize       size;
  } bad[] = {
    { "b", "\2", 1 }, { "s", "text", 4 }, { "s", "\377", 2 }, { "o", "no", 3 }, { "i", "123", 3 },
    { "as", "a\0b\0\4\2", 6 }, { "(ss)", "a\0b\0\3", 5 }, { "v", "\0\1\0h", 4 }, { "mb", "\2\0", 2 },
    { "v", "\1\0*", 3 }, { "*", "", 0 }, { "r", "", 0 }, { "{sv}", "", 0 }, { "ii", "", 0 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *name = g_strdup_printf ("bad-%02u", i);
      g_autoptr (GByteArray) all = g_byte_array_new ();
      g_autoptr (GBytes) bytes = NULL;
      guint length = (guint) strlen (bad[i].type);

      g_byte_array_append (all, (const guint8 *) bad[i].type, length);
      g_byte_array_append (all, (const guint8 *) bad[i].bytes, (guint) bad[i].size);
      bytes = g_byte_array_free_to_bytes (g_steal_pointer (&all));
      save ("value", name, (int) length, bytes);
    }
}

/* Variants and tuples in one another: as many as may be, and more. */
static void
make_deep_values (void)
{
  static const guint8 step[] = { 0x80, 0x01, 0x80, 0x01, 0x84 }; /* ((v)), see append_type */
  guint n;

  for (n = 20; n < 24; n++)
    {
      g_autofree char *name = g_strdup_printf ("deep-%u", n);
      g_autoptr (GByteArray) all = g_byte_array_new ();
      g_autoptr (GBytes) bytes = NULL;
      guint i;

      for (i = 0; i < n; i++)
        g_byte_array_append (all, step, sizeof step);
      bytes = g_byte_array_free_to_bytes (g_steal_pointer (&all));
      save ("value", name, 0x80, bytes);
    }
}

static void
make_json (void)
{
  static const char *const texts[] = {
    "null", "true", " [1, 2.5, -3e2, \"x\"] ", "{\"jsontest\":123}",
    "{\"a\":{\"b\":[null,false,{\"c\":\"\\u00e9\\ud83d\\ude00\\n\"}]}}",
    "18446744073709551615", "-9223372036854775808", "1e308", "5e-324", "0.1", "0.30000000000000004",
    "\"\\\"\\\\\\/\"",
    "[[[[[[[[]]]]]]]]", "{\"a\":1,\"a\":2}", "[1,]", "01", "nul", "\"\\ud800\"",
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *name = g_strdup_printf ("%02u", i);

      save_text ("json", name, texts[i]);
    }
}

static void
make_confs (void)
{
  static const char *const texts[] = {
    "[{\"host\": \"10.0.1.2\", \"port\": 7777}, {\"host\": \"10.0.1.3\", \"port\": 7777}]",
    "{\"peers\": [{\"host\": \"fd00::3\", \"port\": 1}], \"group\": \"kitchen\","
    " \"allow\": [\"10.0.1.0/24\", \"fd00::/64\"], \"max-size\": 1024, \"clock-limit\": 0,"
    " \"local\": false,"
    " \"listen\": {\"host\": \"0.0.0.0\", \"port\": 7777}}",
    "[{\"host\": \"LocalHost.\", \"port\": 65535}]",
    "[{\"host\": \"b\\u00fccher.example\", \"port\": 1}]",
    "[{\"host\": \"::ffff:127.0.0.1\", \"port\": 7777}]",
    "[]", "{}", "[{\"host\": \"224.0.0.1\", \"port\": 1}]", "[{\"host\": \"a\", \"port\": 65536}]",
    "[{\"host\": \"a\", \"port\": 7.5}]", "{\"peers\": [{\"host\": \"a\", \"port\": 1}], \"x\": 1}",
    "[{\"host\": \"a\", \"port\": 1}, {\"host\": \"A\", \"port\": 1}]",
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *name = g_strdup_printf ("%02u", i);

      save_text ("conf", name, texts[i]);
    }
}

/* --- inputs that are read step by step --- */

typedef struct
{
  const char *target;
  const char *name;
  const char *hex;
} Steps;

/* What each byte says is to be seen in mesh.c, repair.c and fuzz.c. */
static const Steps steps[] = {
  /* hello: frames whose sizes are right */
  { "hello", "typed", "01 01 0100 0100 05 00 00 00 00 00" },
  { "hello", "made", "01 08 00 00 09 02 00 00" },
  { "hello", "made-other", "03 08 01 04 6e6f6465 03 09 02 05 01 c8" },
  { "frame", "made", "09 08 00 00 09 02 00 00 09 05 09 00 02 01 00 21 03 41" },
  { "frame", "list-unsorted", "09 08 00 00 09 02 00 00 0e 09 02 02 01 05 09 01 05 09 01" },
  /* value: as a tree */
  { "value", "tree-variant", "80 84 02" },
  { "value", "tree-dict", "81 80 03 01 61 02 01 62 03" },
  { "value", "tree-array", "82 83 82 03 02 01 02 02 05 07" },
  /* repair: own writes on both sides, then frames */
  { "repair", "writes", "00 01 05 01 01 02 06 02 00 00 02 03" },
  { "repair", "frames", "a0 09 05 09 00 00 01 01 05 07 a1 0e 03 02 01 05 09 01" },
  { "repair", "list", "a0 0e 01 03 01 02 03 10 09 01 11 09 01 12 09 01 40 80 80 20 40 81 81" },
  { "repair", "both", "00 00 80 00 01 00 81 00 a0 09 05 09 00 03 01 01 05 07 02 01 05 08 41 60" },
  { "repair", "many", "10 d0 07 11 20 01 a0 0e 11 00 14 05 80 82 40" },
  /* mesh: a peer that says hello, writes, lists, goes */
  { "mesh", "hello", "02 00 0a 08 00 20 10" },
  { "mesh", "member", "0d 00 02 00 0a 08 00 10 18 00 09 05 09 00 00 01 01 05 07 08 00 10 05 00" },
  { "mesh", "list", "02 00 0a 18 00 0e 01 02 01 02 10 09 01 11 09 01 08 00 10 11 12 0f 04 00" },
  { "mesh", "two", "02 00 0a 01 02 01 0b 0b 00 02 05 08 00 10 08 01 10 05 00 05 01 07 00 01" },
  { "mesh", "duplicate", "0d 00 02 00 0a 01 02 01 0a 08 00 20 08 01 20 07 00 01 07 00 00" },
  { "mesh", "time", "02 00 0a 0a 00 11 1f 0f 11 1f 0f 11 1f 0f 08 00 01" },
  { "mesh", "reopen", "02 00 0a 0b 00 05 05 13 03 08 00 10 13 4c 08 00 10 15 00 14 08 00 10" },
  { "mesh", "guest", "13 60 0d 00 02 00 0b 08 00 10 0d 00 02 01 0c 08 01 10 16 11 9f 0f" },
  { "mesh", "rewrite", "11 3f ff ff 0b 00 05 05 11 7f ff ff 11 10 0f 02 00 0a 08 00 10" },
  /* two links of one guest: one fails, the other is lost, the first is pulled */
  { "mesh", "guest-outlived", "00 02 00 02 02 01 02 07 00 01 08 00 10" },
  /* who names our own entry comes twice, and leaves once */
  { "mesh", "many-guests", "00 0a 00 0a 07 01 00" },
  /* a second peer of a guest comes and goes */
  { "mesh", "spare-guest", "13 60 00 40 00 07 07 01 00" },
  { "mesh", "crowd", "02 00 0a 17 4f 17 4f 11 1f 0f" },
  { "mesh", "full", "02 00 0a 18 00 09 05 09 03 00 01 e1 00 10 02 e1 00 10 03 e1 00 10 04 e1 00 10"
                    " 18 00 09 06 09 00 00 05 e1 00 10" },
  { "mesh", "small-peer", "02 00 8a 08 00 10 0b 01 83 01 1f 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e"
                          " 0f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 08 00 10" },
  /* a write from far ahead, and a weak one that comes too late; then one of our own */
  { "mesh", "ahead", "02 00 0a 18 00 09 a0 00 00 ff 09 00 00 01 01 05 07 0b 01 05 05" },
  { "mesh", "weak", "02 00 0a 18 00 09 05 09 00 00 00 01 05 07 18 00 09 9f 09 00 00 00 01 05 07"
                    " 0b 01 05 05" },
  { "mesh", "ack-too-many", "02 00 0a 18 00 04 09" },
};

static void
make_steps (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autoptr (GByteArray) all = g_byte_array_new ();
      g_autoptr (GBytes) bytes = NULL;
      const char *c;

      for (c = steps[i].hex; *c != '\0'; c += *c == ' ' ? 1 : 2)
        {
          guint8 byte;

          if (*c == ' ')
            continue;
          byte = (guint8) (g_ascii_xdigit_value (c[0]) * 16 + g_ascii_xdigit_value (c[1]));
          g_byte_array_append (all, &byte, 1);
        }
      bytes = g_byte_array_free_to_bytes (g_steal_pointer (&all));
      save (steps[i].target, steps[i].name, -1, bytes);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  return 0;
}

int
main (int    argc,
      char **argv)
{
  if (argc != 2)
    {
      g_printerr ("Usage: make-corpus FOLDER\n");
      return 2;
    }
  folder = argv[1];
  make_frames ();
  make_values ();
  make_bad_values ();
  make_deep_values ();
  make_json ();
  make_confs ();
  make_steps ();
  return 0;
}
