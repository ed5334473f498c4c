/* SPDX-License-Identifier: MIT */

/* Keys, when others or the application's own handlers do what they like. */

#include "live-member.h"

#include "amnesia-store-private.h"
#include "mesh/amnesia-limits-private.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID 7

/* --- what a peer can do --- */

static AmnesiaEntry *
make_entry (const char   *key,
            AmnesiaStamp  stamp,
            GVariant     *value)
{
  return amnesia_entry_new (key, stamp, ID, value, NULL, 0);
}

/* As many keys as there may be; they arrive 4,096 at a time. */
static void
fill (RawPeer *raw)
{
  guint i, j, n = 0;

  for (i = 0; i < AMNESIA_MAX_LISTED / 4096; i++)
    {
      g_autoptr (GPtrArray) entries = amnesia_entries_new ();
      AmnesiaPacket packet;

      for (j = 0; j < 4096; j++)
        {
          g_autofree char *key = g_strdup_printf ("%07u", n++);

          g_ptr_array_add (entries, make_entry (key, raw_stamp (i), g_variant_new_byte (1)));
        }
      amnesia_frame_encode_write (entries, &packet);
      raw_peer_send (raw, &packet);
    }
  while (raw_peer_wait_ack (raw) < AMNESIA_MAX_LISTED / 4096)
    ;
}

static void
send_one (RawPeer    *raw,
          const char *key,
          gint64      ahead,
          GVariant   *value)
{
  g_autoptr (AmnesiaEntry) entry = make_entry (key, raw_stamp (ahead), value);

  raw_peer_send_write (raw, entry);
}

static void
flood (gboolean listening)
{
  g_autoptr (LiveMember) member = live_member_new (1, NULL);
  g_autoptr (RawPeer) raw = raw_peer_connect (0);
  gint64 start;
  guint i;

  if (listening)
    g_free (live_member_ask (member, "listen"));
  raw_peer_greet (raw, ID, 0);
  start = g_get_monotonic_time ();
  fill (raw);
  g_test_message ("figure: filled in %" G_GINT64_FORMAT " us", g_get_monotonic_time () - start);
  live_assert_unblocked (live_member_look (member));

  live_member_forget (member);
  start = g_get_monotonic_time ();
  for (i = 0; i < 100; i++)
    {
      send_one (raw, "0000001", 100 + i, g_variant_new_byte (i % 2));
      raw_peer_wait_ack (raw);
    }
  g_test_message ("figure: 100 single ones in %" G_GINT64_FORMAT " us", g_get_monotonic_time () - start);
  live_assert_unblocked (live_member_look (member));

  live_member_forget (member);
  send_one (raw, "", 1000, g_variant_new_parsed ("{'a': <1>}"));
  raw_peer_wait_ack (raw);
  live_member_assert_has (member, "{'a': <1>}");
  live_assert_unblocked (live_member_look (member));
}

static void
test_flood (void)
{
  g_test_summary ("As many keys as there may be, and a whole value that covers them");
  flood (FALSE);
}

static void
test_flood_listening (void)
{
  g_test_summary ("The same where somebody wants to know of each");
  flood (TRUE);
}

int
main (int   argc,
      char *argv[])
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store-keys-hostile/flood", test_flood);
  g_test_add_func ("/store-keys-hostile/flood-listening", test_flood_listening);
  return g_test_run ();
}
