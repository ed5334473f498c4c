/* SPDX-License-Identifier: MIT */

/* Bindings of two members that share a value: whose widget shows what, and who writes. */

#include "widget.h"

#define HOLD_TIME (200 * G_TIME_SPAN_MILLISECOND)
#define FRAME_MS 16
#define N_FRAMES 40

/* One member, and its widget, whose `value` is to be bound to the key `k`. */
typedef struct
{
  AmnesiaStore *store;
  TestWidget   *widget;
  TestDiary    *diary;
  double        step;    /* by which it is dragged */
  guint         n_moves; /* how often it was */
  gint64        moved_at;
  gint64        longest; /* from one time to the next */
  gint64        set_at;  /* when the widget changed last */
} Member;

static void
value_notify_cb (TestWidget *widget,
                 GParamSpec *pspec,
                 Member     *member)
{
  member->set_at = g_get_monotonic_time ();
}

static void
member_init (Member      *member,
             AmnesiaConf *conf)
{
  *member = (Member) {
    .store = test_new_store (conf),
    .widget = test_widget_new (),
    .step = 1,
  };
  member->diary = test_diary_new (member->store);
  g_signal_connect (member->widget, "notify::value", G_CALLBACK (value_notify_cb), member);
}

static void
member_clear (Member *member)
{
  test_diary_free (member->diary);
  g_assert_finalize_object (member->widget);
  test_free_store (member->store);
}

static void
member_bind (Member           *member,
             AmnesiaBindFlags  flags)
{
  amnesia_store_bind (member->store, "k", member->widget, "value", flags);
}

static guint
count_writes (Member *member)
{
  guint n = test_diary_count (member->diary, "updated");

  test_diary_clear (member->diary);
  return n;
}

/* Two members that are synced, with their widgets bound. */
static void
pair_init (Member members[2])
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  guint i;

  for (i = 0; i < 2; i++)
    member_init (&members[i], conf);
  for (i = 0; i < 2; i++)
    {
      test_wait_state (members[i].store, AMNESIA_STATE_SYNCED);
      member_bind (&members[i], AMNESIA_BIND_DEFAULT);
    }
}

static void
pair_clear (Member members[2])
{
  member_clear (&members[0]);
  member_clear (&members[1]);
}

/* --- the first value --- */

static void
test_after_sync_present (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  Member here, there;

  g_test_summary ("With AFTER_SYNC the property takes what there is, whatever it was changed to before");

  member_init (&here, conf);
  test_wait_state (here.store, AMNESIA_STATE_ALONE);
  test_set_key (here.store, "k", "5.0");
  count_writes (&here);

  member_init (&there, conf);
  member_bind (&there, AMNESIA_BIND_AFTER_SYNC);
  test_widget_set_value (there.widget, 3);
  test_assert_key (there.store, "k", NULL);
  test_wait_state (there.store, AMNESIA_STATE_SYNCED);
  g_assert_cmpfloat (there.widget->value, ==, 5);
  test_widget_set_value (there.widget, 6);
  test_until (test_has_key (here.store, "k", "6.0"));
  g_assert_cmpuint (count_writes (&here), ==, 1);
  member_clear (&here);
  member_clear (&there);
}

static void
test_after_sync_once (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  Member here, there;

  g_test_summary ("With AFTER_SYNC and GET_NO_CHANGES the value that is there then is the first one");

  member_init (&here, conf);
  test_wait_state (here.store, AMNESIA_STATE_ALONE);
  test_set_key (here.store, "k", "5.0");
  member_init (&there, conf);
  member_bind (&there, AMNESIA_BIND_GET | AMNESIA_BIND_SET | AMNESIA_BIND_GET_NO_CHANGES |
                         AMNESIA_BIND_AFTER_SYNC);
  test_widget_set_value (there.widget, 3);
  test_wait_state (there.store, AMNESIA_STATE_SYNCED);
  g_assert_cmpfloat (there.widget->value, ==, 5);
  test_set_key (here.store, "k", "6.0");
  test_until (test_has_key (there.store, "k", "6.0"));
  g_assert_cmpfloat (there.widget->value, ==, 5);
  member_clear (&here);
  member_clear (&there);
}

static void
test_after_sync_absent (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  Member here, there;

  g_test_summary ("With AFTER_SYNC, if there is nothing, what was changed before is written then");

  member_init (&here, conf);
  test_wait_state (here.store, AMNESIA_STATE_ALONE);
  member_init (&there, conf);
  member_bind (&there, AMNESIA_BIND_AFTER_SYNC);
  amnesia_store_bind (there.store, "number", there.widget, "number", AMNESIA_BIND_AFTER_SYNC);
  test_widget_set_value (there.widget, 3);
  test_widget_set_value (there.widget, 4);
  test_assert_key (there.store, "k", NULL);
  test_until (test_has_key (here.store, "k", "4.0"));
  test_assert_key (there.store, "number", NULL); /* this one was not changed */
  g_assert_cmpuint (count_writes (&there), ==, 1);
  member_clear (&here);
  member_clear (&there);
}

static void
test_after_sync_set (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  Member here, there;

  g_test_summary ("With AFTER_SYNC and SET the key takes the property's value then");

  member_init (&here, conf);
  test_wait_state (here.store, AMNESIA_STATE_ALONE);
  test_set_key (here.store, "k", "5.0");
  member_init (&there, conf);
  test_widget_set_value (there.widget, 3);
  member_bind (&there, AMNESIA_BIND_SET | AMNESIA_BIND_AFTER_SYNC);
  test_assert_key (there.store, "k", NULL);
  test_until (test_has_key (here.store, "k", "3.0"));
  g_assert_cmpfloat (there.widget->value, ==, 3);
  member_clear (&here);
  member_clear (&there);
}

static void
test_after_sync_alone (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *closed = amnesia_store_new ();
  Member member;

  g_test_summary ("With AFTER_SYNC it is written when the store is alone; not while it is closed");

  member_init (&member, conf);
  member_bind (&member, AMNESIA_BIND_AFTER_SYNC);
  test_widget_set_value (member.widget, 3);
  test_assert_key (member.store, "k", NULL);
  test_wait_state (member.store, AMNESIA_STATE_ALONE);
  test_assert_key (member.store, "k", "3.0");
  amnesia_store_bind (member.store, "l", member.widget, "value", AMNESIA_BIND_AFTER_SYNC);
  test_widget_set_value (member.widget, 4);
  test_assert_key (member.store, "l", "4.0");

  amnesia_store_bind (closed, "k", member.widget, "value", AMNESIA_BIND_AFTER_SYNC);
  test_widget_set_value (member.widget, 5);
  test_drain ();
  test_assert_key (closed, "k", NULL);
  amnesia_store_unbind (member.widget, "value");
  test_free_store (closed);
  member_clear (&member);
}

/* --- two widgets that differ --- */

static void
test_ping_pong (void)
{
  Member members[2];

  g_test_summary ("Two widgets that cut a value differently do not answer each other");

  pair_init (members);
  members[0].widget->most = 10;
  members[1].widget->least = 15;
  test_set_key (members[0].store, "k", "12.0");
  test_until (members[1].widget->value == 15);
  g_assert_cmpfloat (members[0].widget->value, ==, 10);
  test_pass_time (300);
  g_assert_cmpuint (count_writes (&members[0]), ==, 1);
  g_assert_cmpuint (count_writes (&members[1]), ==, 1);

  test_widget_set_value (members[0].widget, 5);
  test_until (test_has_key (members[1].store, "k", "5.0"));
  test_widget_set_value (members[1].widget, 30);
  test_until (members[0].widget->value == 10);
  test_assert_key (members[0].store, "k", "30.0");
  test_pass_time (300);
  g_assert_cmpfloat (members[1].widget->value, ==, 30);
  g_assert_cmpuint (count_writes (&members[0]), ==, 2);
  g_assert_cmpuint (count_writes (&members[1]), ==, 2);
  pair_clear (members);
}

static void
test_misfit (void)
{
  Member members[2];

  g_test_summary ("What others write and does not fit is no reason for a warning");

  pair_init (members);
  test_widget_set_value (members[0].widget, 5);
  test_until (members[1].widget->value == 5);
  test_set_key (members[1].store, "k", "'x'");
  test_set_key (members[1].store, "k", "1e9");
  test_until (test_has_key (members[0].store, "k", "1000000000.0"));
  test_until (test_diary_count_log (members[0].diary, "*does not take*") == 1);
  g_assert_cmpfloat (members[0].widget->value, ==, 5);
  test_set_key (members[1].store, "k", "int64 6");
  test_until (members[0].widget->value == 6);
  pair_clear (members);
}

/* --- while somebody drags --- */

static gboolean
drag_cb (gpointer user_data)
{
  Member *member = user_data;

  gint64 now = g_get_monotonic_time ();

  if (member->moved_at != 0)
    member->longest = MAX (member->longest, now - member->moved_at);
  member->moved_at = now;
  test_widget_set_value (member->widget, member->widget->value + member->step);
  return ++member->n_moves < N_FRAMES;
}

/* Whether the machine had time for it: who is not dragged for that long is quiet. */
static gboolean
was_dragged_smoothly (Member members[2])
{
  gint64 longest = MAX (members[0].longest, members[1].longest);

  if (longest < HOLD_TIME)
    return TRUE;
  g_test_skip ("the machine was busy with something else");
  return FALSE;
}

static void
arrive_cb (AmnesiaStore *store,
           const char   *key,
           GVariant     *old_value,
           GVariant     *new_value,
           gboolean      remote,
           gint64       *at)
{
  if (remote)
    *at = g_get_monotonic_time ();
}

static void
test_hold (void)
{
  Member members[2];
  gint64 written_at, arrived_at = 0;

  g_test_summary ("What others write while a property is being changed waits until it is quiet; then "
                  "the newest counts");

  pair_init (members);
  g_signal_connect (members[0].store, "key-changed::k", G_CALLBACK (arrive_cb), &arrived_at);
  written_at = g_get_monotonic_time ();
  test_widget_set_value (members[0].widget, 5);
  test_until (members[1].widget->value == 5);
  members[0].widget->n_sets = 0;
  test_set_key (members[1].store, "k", "1.0");
  test_until (test_has_key (members[0].store, "k", "1.0"));
  test_set_key (members[1].store, "k", "2.0");
  test_until (test_has_key (members[0].store, "k", "2.0"));
  test_until (members[0].widget->value == 2);
  g_assert_cmpint (members[0].set_at - written_at, >=, HOLD_TIME);
  g_test_message ("arrived after %" G_GINT64_FORMAT " µs, set after %" G_GINT64_FORMAT,
                  arrived_at - written_at, members[0].set_at - written_at);
  if (arrived_at - written_at < HOLD_TIME)
    g_assert_cmpuint (members[0].widget->n_sets, ==, 1);
  test_pass_time (250);
  test_assert_key (members[0].store, "k", "2.0");
  pair_clear (members);
}

static GVariant *
all_but_thirteen (const GValue *value,
                  gpointer      user_data)
{
  return g_value_get_double (value) != 13 ? g_variant_new_double (g_value_get_double (value)) : NULL;
}

static void
test_hold_longer (void)
{
  Member members[2];
  gint64 moved_at;

  g_test_summary ("It waits until the property is quiet, also where nothing more is written of it");

  if (test_skip_if_slow ("it may have waited before the property is changed again"))
    return;
  pair_init (members);
  amnesia_store_bind_with_mapping (members[0].store, "k", members[0].widget, "value", AMNESIA_BIND_DEFAULT,
                                   NULL, all_but_thirteen, NULL, NULL);
  test_widget_set_value (members[0].widget, 5);
  test_until (members[1].widget->value == 5);
  test_set_key (members[1].store, "k", "1.0");
  test_until (test_has_key (members[0].store, "k", "1.0"));
  test_pass_time (100);
  moved_at = g_get_monotonic_time ();
  if (members[0].widget->value == 5) /* if not, the machine was busy with something else */
    test_widget_set_value (members[0].widget, 13);
  else
    moved_at -= HOLD_TIME;
  test_until (members[0].widget->value == 1);
  g_assert_cmpint (members[0].set_at - moved_at, >=, HOLD_TIME);
  pair_clear (members);
}

static void
test_hold_ends (void)
{
  Member members[2];

  g_test_summary ("What waits is forgotten if the key is removed, or written here, in the meantime");

  pair_init (members);
  test_widget_set_value (members[0].widget, 5);
  test_until (members[1].widget->value == 5);
  members[0].widget->n_sets = 0;
  test_set_key (members[1].store, "k", "1.0");
  test_until (test_has_key (members[0].store, "k", "1.0"));
  amnesia_store_remove_key (members[0].store, "k", NULL);
  test_pass_time (250);
  if (members[0].widget->n_sets == 0) /* if not, all that took longer than it waits */
    g_assert_cmpfloat (members[0].widget->value, ==, 5);

  test_widget_set_value (members[0].widget, 6);
  test_until (members[1].widget->value == 6);
  test_set_key (members[1].store, "k", "1.0");
  test_until (test_has_key (members[0].store, "k", "1.0"));
  test_set_key (members[0].store, "k", "7.0");
  g_assert_cmpfloat (members[0].widget->value, ==, 7);

  test_widget_set_value (members[0].widget, 8);
  test_until (members[1].widget->value == 8);
  test_set_key (members[1].store, "k", "1.0");
  test_until (test_has_key (members[0].store, "k", "1.0"));
  pair_clear (members); /* and it goes with the object */
}

static void
test_hold_back_again (void)
{
  Member members[2];
  gint64 written_at;

  g_test_summary ("What others write again after we had it from them counts, also if it was ours before");

  if (test_skip_if_slow ("it may have waited before the property is changed again"))
    return;
  pair_init (members);
  written_at = g_get_monotonic_time ();
  test_widget_set_value (members[0].widget, 3);
  test_until (members[1].widget->value == 3);
  test_set_key (members[1].store, "k", "4.0");
  test_until (test_has_key (members[0].store, "k", "4.0"));
  test_widget_set_value (members[0].widget, 4);
  test_set_key (members[1].store, "k", "3.0");
  test_until (test_has_key (members[0].store, "k", "3.0"));
  if (g_get_monotonic_time () - written_at >= HOLD_TIME)
    g_test_skip ("the machine was busy with something else");
  test_until (members[0].widget->value == 3);
  test_pass_time (250);
  test_assert_key (members[0].store, "k", "3.0");
  test_assert_key (members[1].store, "k", "3.0");
  pair_clear (members);
}

static void
test_drag (void)
{
  Member members[2];

  g_test_summary ("A slider that is dragged moves the other one, and is moved by nothing else");

  if (test_skip_if_slow ("frames may be further apart than a binding waits"))
    return;
  pair_init (members);
  test_widget_set_value (members[0].widget, 1);
  test_until (members[1].widget->value == 1);
  members[0].widget->n_sets = 0;
  g_timeout_add (FRAME_MS, drag_cb, &members[0]);
  test_until (members[0].n_moves == N_FRAMES / 2);
  test_set_key (members[1].store, "k", "-500.0");
  test_until (members[0].n_moves == N_FRAMES);
  if (was_dragged_smoothly (members))
    {
      g_assert_cmpfloat (members[0].widget->value, ==, 1 + N_FRAMES);
      g_assert_cmpuint (members[0].widget->n_sets, ==, 0);
      test_until (members[1].widget->value == 1 + N_FRAMES);
      g_assert_cmpuint (members[1].widget->n_sets, >=, N_FRAMES / 2);
    }
  pair_clear (members);
}

static void
test_drag_both (void)
{
  Member members[2];

  g_test_summary ("Two sliders that are dragged at once do not jump; in the end they agree");

  if (test_skip_if_slow ("frames may be further apart than a binding waits"))
    return;
  pair_init (members);
  members[1].step = -1;
  g_timeout_add (FRAME_MS, drag_cb, &members[0]);
  g_timeout_add (FRAME_MS, drag_cb, &members[1]);
  test_until (members[0].n_moves == N_FRAMES && members[1].n_moves == N_FRAMES);
  if (was_dragged_smoothly (members))
    {
      g_assert_cmpfloat (members[0].widget->value, ==, N_FRAMES);
      g_assert_cmpfloat (members[1].widget->value, ==, -N_FRAMES);
      g_assert_cmpuint (members[0].widget->n_sets + members[1].widget->n_sets, ==, 0);
    }
  test_until (members[0].widget->value == members[1].widget->value);
  test_pass_time (250);
  g_assert_cmpfloat (members[0].widget->value, ==, members[1].widget->value);
  pair_clear (members);
}

static void
superseded_cb (AmnesiaStore *store,
               const char   *key,
               GVariant     *lost,
               GVariant     *winner,
               guint        *n)
{
  ++*n;
}

static void
test_drag_apart (void)
{
  Member members[2];
  TestWidget *others[2];
  guint i, n_superseded = 0;

  g_test_summary ("Two sliders of different keys that are dragged at once: nothing is lost of either, also "
                  "as the signals tell it");

  pair_init (members);
  for (i = 0; i < 2; i++)
    {
      others[i] = test_widget_new ();
      g_signal_connect (members[i].store, "superseded", G_CALLBACK (superseded_cb), &n_superseded);
    }
  amnesia_store_bind (members[1].store, "l", members[1].widget, "value", AMNESIA_BIND_DEFAULT);
  amnesia_store_bind (members[0].store, "l", others[0], "value", AMNESIA_BIND_DEFAULT);
  amnesia_store_bind (members[1].store, "k", others[1], "value", AMNESIA_BIND_DEFAULT);
  members[1].step = -1;
  g_timeout_add (FRAME_MS, drag_cb, &members[0]);
  g_timeout_add (FRAME_MS, drag_cb, &members[1]);
  test_until (members[0].n_moves == N_FRAMES && members[1].n_moves == N_FRAMES);
  test_until (others[0]->value == -N_FRAMES && others[1]->value == N_FRAMES);
  test_pass_time (250);
  g_assert_cmpfloat (members[0].widget->value, ==, N_FRAMES);
  g_assert_cmpfloat (members[1].widget->value, ==, -N_FRAMES);
  for (i = 0; i < 2; i++)
    {
      test_assert_key (members[i].store, "k", G_STRINGIFY (N_FRAMES) ".0");
      test_assert_key (members[i].store, "l", "-" G_STRINGIFY (N_FRAMES) ".0");
      g_assert_cmpuint (count_writes (&members[i]), >=, N_FRAMES);
    }
  g_assert_cmpuint (n_superseded, ==, 0);
  for (i = 0; i < 2; i++)
    g_assert_finalize_object (others[i]);
  pair_clear (members);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bind-peers/after-sync-present", test_after_sync_present);
  g_test_add_func ("/bind-peers/after-sync-once", test_after_sync_once);
  g_test_add_func ("/bind-peers/after-sync-absent", test_after_sync_absent);
  g_test_add_func ("/bind-peers/after-sync-set", test_after_sync_set);
  g_test_add_func ("/bind-peers/after-sync-alone", test_after_sync_alone);
  g_test_add_func ("/bind-peers/ping-pong", test_ping_pong);
  g_test_add_func ("/bind-peers/misfit", test_misfit);
  g_test_add_func ("/bind-peers/hold", test_hold);
  g_test_add_func ("/bind-peers/hold-longer", test_hold_longer);
  g_test_add_func ("/bind-peers/hold-ends", test_hold_ends);
  g_test_add_func ("/bind-peers/hold-back-again", test_hold_back_again);
  g_test_add_func ("/bind-peers/drag", test_drag);
  g_test_add_func ("/bind-peers/drag-both", test_drag_both);
  g_test_add_func ("/bind-peers/drag-apart", test_drag_apart);
  return g_test_run ();
}
