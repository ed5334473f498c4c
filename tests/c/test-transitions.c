/* SPDX-License-Identifier: MIT */

#include "raw-peer.h"

#include "amnesia-transitions-private.h"

#define MANY 150

typedef struct
{
  AmnesiaStore *store;
  guint         until;   /* a handler sets one more, up to this */
  guint         at_once; /* or all of these in its first call */
  gboolean      seen_at_once;
} Setter;

static gint32
get_number (GVariant *value)
{
  return value != NULL ? g_variant_get_int32 (value) : 0;
}

static void
set_in_handler_cb (AmnesiaStore *store,
                   GVariant     *old_value,
                   GVariant     *new_value,
                   gboolean      remote,
                   Setter       *setter)
{
  gint32 number = get_number (new_value);
  g_autofree char *text = g_strdup_printf ("%d", number + 1);

  if (number >= (gint32) setter->until)
    return;
  test_set (store, text);
  setter->seen_at_once = test_has_data (store, text);
}

static void
test_order (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  Setter setter = { store, .until = 3 };
  g_autoptr (TestDiary) first = test_diary_new (store);
  g_autoptr (TestDiary) last = NULL;

  g_test_summary ("Every handler sees each transition once and in order, whoever sets in between");

  g_signal_connect (store, "changed", G_CALLBACK (set_in_handler_cb), &setter);
  last = test_diary_new (store);
  test_set (store, "1");
  g_assert_true (setter.seen_at_once);
  test_assert_data (store, "3");
  test_assert_diary (first, "changed unset -> 1 local", "changed 1 -> 2 local",
                     "changed 2 -> 3 local", "data", "updated", NULL);
  test_assert_diary (last, "changed unset -> 1 local", "changed 1 -> 2 local",
                     "changed 2 -> 3 local", "data", "updated", NULL);
  test_free_store (store);
}

static void
set_in_notify_cb (AmnesiaStore *store,
                  GParamSpec   *pspec,
                  gpointer      user_data)
{
  if (!test_has_data (store, "2"))
    test_set (store, "2");
}

static void
test_set_in_notify (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (store);

  g_test_summary ("What a handler of notify::data sets is told before the setter returns");

  g_signal_connect (store, "notify::data", G_CALLBACK (set_in_notify_cb), NULL);
  test_set (store, "1");
  test_assert_data (store, "2");
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 2);
  g_assert_cmpuint (test_diary_count (diary, "data"), ==, 2);
  g_assert_true (test_diary_has (diary, "changed 1 -> 2 local"));
  test_free_store (store);
}

static void
set_many_cb (AmnesiaStore *store,
             GVariant     *old_value,
             GVariant     *new_value,
             gboolean      remote,
             Setter       *setter)
{
  guint i, n = setter->at_once;

  setter->at_once = 0;
  for (i = 0; i < n; i++)
    amnesia_store_set_data (store, g_variant_new_int32 (100 + (gint32) i));
}

static void
test_many (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  Setter setter = { store, .at_once = 100 };

  g_test_summary ("A hundred local sets wait their turn; more are joined, with one warning");

  g_signal_connect (store, "changed", G_CALLBACK (set_many_cb), &setter);
  test_set (store, "1");
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 101);

  test_diary_clear (diary);
  setter.at_once = MANY;
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_WARNING, "*100 times*joined*");
  test_set (store, "2");
  g_test_assert_expected_messages ();
  g_assert_cmpuint (test_diary_count (diary, "changed*"), ==, 101);
  g_assert_cmpuint (test_diary_count (diary, "data"), ==, 1);
  g_assert_true (test_diary_has (diary, "changed 197 -> 198 local"));
  g_assert_true (test_diary_has (diary, "changed 198 -> 249 local"));

  setter.at_once = MANY;
  test_set (store, "3");
  test_assert_data (store, "249");
  test_free_store (store);
}

typedef struct
{
  AmnesiaStore *a;
  AmnesiaStore *b;
  guint         rounds;
} Pair;

/* Runs a nested main loop in which the other store writes twice. */
static void
nested_cb (AmnesiaStore *store,
           GVariant     *old_value,
           GVariant     *new_value,
           gboolean      remote,
           Pair         *pair)
{
  if (pair->rounds++ > 0)
    return;
  test_until (test_has_data (pair->b, "1"));
  test_set (pair->b, "2");
  test_until (test_has_data (pair->a, "2"));
  test_set (pair->b, "3");
  test_until (test_has_data (pair->a, "3"));
}

static void
test_nested (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  Pair pair = { test_store (conf), test_store (conf), 0 };
  g_autoptr (TestDiary) first = NULL;
  g_autoptr (TestDiary) last = NULL;

  g_test_summary ("Remote values go on coming in a nested loop of a handler, and are told as one");

  test_wait_state (pair.a, AMNESIA_STATE_SYNCED);
  first = test_diary_new (pair.a);
  g_signal_connect (pair.a, "changed", G_CALLBACK (nested_cb), &pair);
  last = test_diary_new (pair.a);
  test_set (pair.a, "1");
  test_assert_diary (first, "changed unset -> 1 local", "changed 1 -> 3 remote", "data", "updated",
                     NULL);
  test_assert_diary (last, "changed unset -> 1 local", "changed 1 -> 3 remote", "data", "updated",
                     NULL);
  test_free_store (pair.a);
  test_free_store (pair.b);
}

static void
close_in_nested_cb (AmnesiaStore *store,
                    GVariant     *old_value,
                    GVariant     *new_value,
                    gboolean      remote,
                    Pair         *pair)
{
  if (pair->rounds++ > 0)
    return;
  test_until (test_has_data (pair->b, "1"));
  test_set (pair->b, "2");
  test_until (test_has_data (pair->a, "2"));
  amnesia_store_set_conf (store, NULL);
  test_pass_time (2500); /* more than leaving takes at most */
}

static void
test_close_in_nested (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  Pair pair = { test_store (conf), test_store (conf), 0 };
  g_autoptr (TestDiary) diary = NULL;

  g_test_summary ("What happens while transitions wait is told when they have been told");

  test_wait_state (pair.a, AMNESIA_STATE_SYNCED);
  diary = test_diary_new (pair.a);
  g_signal_connect (pair.a, "changed", G_CALLBACK (close_in_nested_cb), &pair);
  test_set (pair.a, "1");
  test_until (amnesia_store_get_state (pair.a) == AMNESIA_STATE_CLOSED);
  g_assert_true (test_diary_has (diary, "changed 1 -> 2 remote"));
  g_assert_true (test_diary_has (diary, "state closed"));
  g_assert_null (amnesia_store_get_listening (pair.a));
  test_free_store (pair.a);
  test_free_store (pair.b);
}

static void
sync_in_nested_cb (AmnesiaStore *store,
                   GVariant     *old_value,
                   GVariant     *new_value,
                   gboolean      remote,
                   Pair         *pair)
{
  if (pair->rounds++ > 0)
    return;
  test_let_millisecond_pass ();
  test_set (pair->b, "'newer'");
  test_until (test_has_data (pair->a, "'newer'"));
  test_pass_time (100);
}

static void
test_sync_in_nested (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  Pair pair = { amnesia_store_new (), test_store (conf), 0 };
  g_autoptr (TestDiary) diary = test_diary_new (pair.a);
  g_autofree char *listening = g_strdup_printf ("listening %s:%u", test_host (), test_port (1));

  g_test_summary ("Synced is not told before the transition that it has led to");

  g_signal_connect (pair.a, "changed", G_CALLBACK (sync_in_nested_cb), &pair);
  amnesia_store_set_conf (pair.a, conf);
  test_set (pair.a, "'older'");
  test_assert_diary (diary, "conf", "changed unset -> 'older' local", listening, "state syncing",
                     "changed 'older' -> 'newer' remote", "data", "updated", "state synced", NULL);
  test_free_store (pair.a);
  test_free_store (pair.b);
}

static void
test_remote_burst (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store;
  g_autoptr (RawPeer) raw = NULL;
  g_autoptr (TestDiary) diary = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint i;

  g_test_summary ("What comes in one dispatch is told as one transition, with one notify::data");

  if (test_skip_if_slow ("a dispatch ends after 5 ms"))
    return;

  store = test_store (conf);
  raw = raw_peer_connect (0);
  raw_peer_greet (raw, 7, 0);
  test_until (amnesia_store_get_state (store) == AMNESIA_STATE_SYNCED);
  for (i = 1; i <= 3; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);
      g_autoptr (AmnesiaEntry) entry = raw_entry (7, raw_stamp (i), text);
      g_autoptr (GPtrArray) entries = g_ptr_array_new ();
      g_auto (AmnesiaPacket) packet = { NULL };
      static const guint8 zeros[4];

      g_ptr_array_add (entries, entry);
      amnesia_frame_encode_write (entries, &packet);
      g_byte_array_append (bytes, g_bytes_get_data (packet.head, NULL),
                           g_bytes_get_size (packet.head));
      g_byte_array_append (bytes, g_bytes_get_data (packet.payload, NULL), 4);
      g_byte_array_append (bytes, zeros, 4);
    }
  diary = test_diary_new (store);
  raw_peer_send_bytes (raw, bytes->data, bytes->len);
  test_until (test_has_data (store, "3"));
  test_drain ();
  test_assert_diary (diary, "changed unset -> 3 remote", "data", "updated", NULL);
  test_free_store (store);
}

static void
assert_next (AmnesiaTransitions *transitions,
             const char         *wanted)
{
  AmnesiaTransition *next = amnesia_transitions_pop (transitions);
  g_autofree char *got = next == NULL ? NULL
                                      : g_strdup_printf ("%d %d %s", get_number (next->old),
                                                         get_number (next->new),
                                                         next->remote ? "remote" : "local");

  if (next != NULL)
    amnesia_transitions_done (transitions, next);
  g_assert_cmpstr (got, ==, wanted);
}

static gboolean
note (AmnesiaTransitions *transitions,
      gint32              number,
      gboolean            remote)
{
  g_autoptr (GVariant) value =
    number != 0 ? g_variant_ref_sink (g_variant_new_int32 (number)) : NULL;

  return amnesia_transitions_note (transitions, value, remote);
}

static void
test_queue (void)
{
  AmnesiaTransitions transitions = { 0 };

  g_test_summary ("Waiting remote transitions are joined, local ones and the order are kept");

  amnesia_transitions_init (&transitions);
  g_assert_false (amnesia_transitions_any (&transitions));
  g_assert_true (note (&transitions, 1, TRUE));
  g_assert_true (note (&transitions, 2, TRUE));
  g_assert_true (note (&transitions, 3, FALSE));
  g_assert_true (note (&transitions, 4, FALSE));
  g_assert_true (note (&transitions, 5, TRUE));
  g_assert_true (note (&transitions, 4, TRUE));
  g_assert_true (note (&transitions, 0, TRUE));
  g_assert_true (amnesia_transitions_any (&transitions));
  assert_next (&transitions, "0 2 remote");
  assert_next (&transitions, "2 3 local");
  assert_next (&transitions, "3 4 local");
  assert_next (&transitions, "4 0 remote");
  assert_next (&transitions, NULL);

  g_assert_false (note (&transitions, 0, TRUE));
  g_assert_false (amnesia_transitions_any (&transitions));
  g_assert_true (note (&transitions, 2, TRUE));
  g_assert_true (note (&transitions, 0, TRUE));
  g_assert_false (amnesia_transitions_any (&transitions));
  g_assert_true (note (&transitions, 2, TRUE));
  amnesia_transitions_clear (&transitions);
  g_assert_false (amnesia_transitions_any (&transitions));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transitions/V9-order", test_order);
  g_test_add_func ("/transitions/set-in-notify", test_set_in_notify);
  g_test_add_func ("/transitions/V9-many", test_many);
  g_test_add_func ("/transitions/V9-nested", test_nested);
  g_test_add_func ("/transitions/V9-close-in-nested", test_close_in_nested);
  g_test_add_func ("/transitions/V9-sync-in-nested", test_sync_in_nested);
  g_test_add_func ("/transitions/remote-burst", test_remote_burst);
  g_test_add_func ("/transitions/queue", test_queue);
  return g_test_run ();
}
