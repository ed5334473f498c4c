/* SPDX-License-Identifier: MIT */

/* What is called the name and the status of a peer, without a mesh. */

#include "testlib.h"

#include "amnesia-peer-private.h"
#include "amnesia-peer-status-private.h"

#define MS G_TIME_SPAN_MILLISECOND
#define AWAY AMNESIA_PEER_STATE_AWAY
#define CONNECTING AMNESIA_PEER_STATE_CONNECTING
#define CONNECTED AMNESIA_PEER_STATE_CONNECTED

static const struct
{
  AmnesiaPeerState state;
  AmnesiaWay       way;
  gboolean         in_sync;
  gint64           round_trip;
  const char      *error;   /* (nullable) */
  const char      *text;
} texts[] = {
  { CONNECTING, AMNESIA_WAY_NONE, FALSE, -1, NULL, "connecting" },
  { CONNECTING, AMNESIA_WAY_NONE, FALSE, -1, "refused", "away: refused" },
  { AWAY, AMNESIA_WAY_NONE, FALSE, -1, "refused", "away: refused" },
  { AWAY, AMNESIA_WAY_NONE, FALSE, -1, "two\nlines", "away: two lines" },
  { CONNECTED, AMNESIA_WAY_TCP, TRUE, -1, NULL, "in sync, by TCP" },
  { CONNECTED, AMNESIA_WAY_LOCAL, TRUE, -1, NULL, "in sync, by Unix socket" },
  { CONNECTED, AMNESIA_WAY_TCP, FALSE, -1, NULL, "behind, by TCP" },
  { CONNECTED, AMNESIA_WAY_LOCAL, FALSE, 12 * MS, NULL, "behind, 12 ms, by Unix socket" },
  { CONNECTED, AMNESIA_WAY_LOCAL, TRUE, 0, NULL, "in sync, under 0.1 ms, by Unix socket" },
  { CONNECTED, AMNESIA_WAY_LOCAL, TRUE, 99, NULL, "in sync, under 0.1 ms, by Unix socket" },
  { CONNECTED, AMNESIA_WAY_LOCAL, TRUE, 200, NULL, "in sync, 0.2 ms, by Unix socket" },
  { CONNECTED, AMNESIA_WAY_TCP, TRUE, 9949, NULL, "in sync, 9.9 ms, by TCP" },
  { CONNECTED, AMNESIA_WAY_TCP, TRUE, 9950, NULL, "in sync, 10 ms, by TCP" },
  { CONNECTED, AMNESIA_WAY_TCP, TRUE, 999 * MS, NULL, "in sync, 999 ms, by TCP" },
  { CONNECTED, AMNESIA_WAY_TCP, TRUE, 1500 * MS, NULL, "in sync, 1.5 s, by TCP" },
  { CONNECTED, AMNESIA_WAY_TCP, TRUE, 1 * MS, "too big", "in sync, 1.0 ms, by TCP: too big" },
};

static void
test_texts (void)
{
  g_test_summary ("A status says in a line how things stand");

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      AmnesiaPeerStatus status = { 0 };
      g_autoptr (GError) error = NULL;
      AmnesiaPeerFacts facts = {
        texts[i].state, texts[i].way, texts[i].in_sync, texts[i].round_trip, NULL,
      };

      if (texts[i].error != NULL)
        facts.error = error = g_error_new_literal (AMNESIA_ERROR, AMNESIA_ERROR_FAILED, texts[i].error);
      amnesia_peer_status_init (&status);
      g_assert_cmpstr (status.text, ==, "away");
      amnesia_peer_status_update (&status, &facts, 1);
      /* who is behind has to be so for a while */
      amnesia_peer_status_update (&status, &facts, 1 + G_TIME_SPAN_SECOND);
      g_assert_cmpstr (status.text, ==, texts[i].text);
      amnesia_peer_status_clear (&status);
    }
}

/* One look at a connected peer after the other. */
static const struct
{
  gint64      at;
  gboolean    in_sync;
  gint64      round_trip;
  const char *text;       /* (nullable) NULL: it stays what it is */
} looks[] = {
  /* not yet in sync, for a while; then it is */
  { 0, FALSE, -1, NULL },
  { 500 * MS, FALSE, -1, NULL },
  { 600 * MS, TRUE, -1, "in sync, by TCP" },
  { 650 * MS, TRUE, 50, "in sync, under 0.1 ms, by TCP" },
  { 660 * MS, TRUE, -1, "in sync, by TCP" },
  { 700 * MS, TRUE, 300, "in sync, 0.3 ms, by TCP" },
  /* round trips that are much the same */
  { 2000 * MS, TRUE, 301, NULL },
  { 2100 * MS, TRUE, 599, NULL },
  { 2200 * MS, TRUE, 151, NULL },
  { 2300 * MS, TRUE, 600, "in sync, 0.6 ms, by TCP" },
  { 2400 * MS, TRUE, 310, NULL },
  { 2500 * MS, TRUE, 299, "in sync, 0.3 ms, by TCP" },
  { 2600 * MS, TRUE, 10, "in sync, under 0.1 ms, by TCP" },
  { 2700 * MS, TRUE, 60, NULL },
  { 2800 * MS, TRUE, 199, NULL },
  { 2900 * MS, TRUE, 200, "in sync, 0.2 ms, by TCP" },
  /* values come and go */
  { 3000 * MS, FALSE, 200, NULL },
  { 3001 * MS, TRUE, 200, NULL },
  { 3900 * MS, FALSE, 200, NULL },
  { 4001 * MS, TRUE, 200, NULL },
  { 4002 * MS, FALSE, 200, NULL },
  { 5001 * MS, FALSE, 200, NULL },
  { 5002 * MS, FALSE, 200, "behind, 0.2 ms, by TCP" },
  { 6000 * MS, FALSE, 200, NULL },
  { 6001 * MS, FALSE, 5 * MS, "behind, 5.0 ms, by TCP" },
  { 6002 * MS, TRUE, 5 * MS, "in sync, 5.0 ms, by TCP" },
};

static void
test_steady (void)
{
  AmnesiaPeerStatus status = { 0 };
  const char *shown = "away";

  g_test_summary ("A status changes no more often than one can read it");

  amnesia_peer_status_init (&status);
  for (guint i = 0; i < G_N_ELEMENTS (looks); i++)
    {
      const AmnesiaPeerFacts facts = {
        CONNECTED, AMNESIA_WAY_TCP, looks[i].in_sync, looks[i].round_trip, NULL,
      };
      gboolean changed = amnesia_peer_status_update (&status, &facts, 1 + looks[i].at);

      g_test_message ("look %u: %s", i, status.text);
      if (looks[i].text != NULL)
        shown = looks[i].text;
      g_assert_cmpint (changed, ==, looks[i].text != NULL);
      g_assert_cmpstr (status.text, ==, shown);
    }
  amnesia_peer_status_clear (&status);
}

static void
test_error (void)
{
  AmnesiaPeerStatus status = { 0 };
  g_autoptr (GError) refused = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_FAILED, "refused");
  g_autoptr (GError) unknown = g_error_new (AMNESIA_ERROR, AMNESIA_ERROR_FAILED, "unknown");
  AmnesiaPeerFacts facts = { CONNECTING, AMNESIA_WAY_NONE, FALSE, -1, NULL };

  g_test_summary ("Another reason is another status; that it is tried once more is none");

  amnesia_peer_status_init (&status);
  g_assert_true (amnesia_peer_status_update (&status, &facts, 1));
  facts.error = refused;
  facts.state = AWAY;
  g_assert_true (amnesia_peer_status_update (&status, &facts, 2));
  facts.state = CONNECTING;
  g_assert_false (amnesia_peer_status_update (&status, &facts, 3));
  facts.error = unknown;
  g_assert_true (amnesia_peer_status_update (&status, &facts, 4));
  g_assert_cmpstr (status.text, ==, "away: unknown");
  facts.error = NULL;
  g_assert_true (amnesia_peer_status_update (&status, &facts, 5));
  g_assert_cmpstr (status.text, ==, "connecting");
  amnesia_peer_status_clear (&status);
}

static void
test_way (void)
{
  AmnesiaPeerStatus status = { 0 };
  AmnesiaPeerFacts facts = { CONNECTED, AMNESIA_WAY_TCP, TRUE, -1, NULL };

  g_test_summary ("Another way is another status");

  amnesia_peer_status_init (&status);
  g_assert_true (amnesia_peer_status_update (&status, &facts, 1));
  facts.way = AMNESIA_WAY_LOCAL;
  g_assert_true (amnesia_peer_status_update (&status, &facts, 2));
  g_assert_cmpstr (status.text, ==, "in sync, by Unix socket");
  amnesia_peer_status_clear (&status);
}

static void
assert_name (const char *host,
             guint16     port,
             const char *name)
{
  AmnesiaTime never = { 0, 0 };
  AmnesiaMember *member = amnesia_member_new (host, port, TRUE, never);
  g_autoptr (AmnesiaPeer) peer = amnesia_peer_new (member);
  g_autofree char *got = NULL;
  g_autofree char *status = NULL;

  g_object_get (peer, "name", &got, "status", &status, NULL);
  g_assert_cmpstr (got, ==, name);
  g_assert_cmpstr (amnesia_peer_get_name (peer), ==, name);
  g_assert_cmpstr (status, ==, "away");
  g_assert_cmpstr (amnesia_peer_get_status (peer), ==, "away");
  amnesia_peer_detach (peer);
  amnesia_member_unref (member);
}

static void
test_name (void)
{
  g_test_summary ("A peer's name is host and port, an IPv6 address in brackets");

  assert_name ("10.0.1.2", 7777, "10.0.1.2:7777");
  assert_name ("studio.example", 1, "studio.example:1");
  assert_name ("fe80::1", 65535, "[fe80::1]:65535");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/peer-status/texts", test_texts);
  g_test_add_func ("/peer-status/steady", test_steady);
  g_test_add_func ("/peer-status/error", test_error);
  g_test_add_func ("/peer-status/way", test_way);
  g_test_add_func ("/peer-status/name", test_name);

  return g_test_run ();
}
