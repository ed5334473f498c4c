/* SPDX-License-Identifier: MIT */

/* All descriptors of a store as one source: a few as they are, more of them by epoll. */

#include "testlib.h"

#include "mesh/amnesia-watch-private.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS 150

/* One that is watched, and the other end. */
typedef struct
{
  int             near;
  int             far;
  AmnesiaWatched *watched; /* (nullable) */
  GIOCondition    seen;
  guint           n_seen;
} Pair;

typedef struct
{
  GMainContext *context;
  AmnesiaWatch *watch;
  Pair          pairs[MAX_PAIRS];
  guint         n;
  guint         n_ready;
  gboolean      wanted;   /* what the beginning of a turn says */
  Pair         *removing; /* (nullable) goes when anything has come */
} Setting;

static gboolean
on_turn (gpointer user_data)
{
  return ((Setting *) user_data)->wanted;
}

static void
drop_pair (Setting *setting,
           Pair    *pair)
{
  amnesia_watch_remove (setting->watch, g_steal_pointer (&pair->watched));
  close (pair->near);
}

/* Reads a byte, if one has come. */
static void
on_ready (gpointer user_data)
{
  Setting *setting = user_data;
  GIOCondition condition;
  Pair *pair;
  char byte;

  setting->n_ready++;
  setting->wanted = FALSE;
  amnesia_watch_collect (setting->watch);
  while ((pair = amnesia_watch_pop (setting->watch, &condition)) != NULL)
    {
      g_assert_nonnull (pair->watched);
      pair->seen = condition;
      pair->n_seen++;
      if (condition & G_IO_IN)
        g_assert_cmpint (recv (pair->near, &byte, 1, MSG_DONTWAIT), >=, 0);
      if (setting->removing != NULL && setting->removing != pair)
        drop_pair (setting, g_steal_pointer (&setting->removing));
    }
}

static const AmnesiaWatchFuncs funcs = { on_turn, on_ready };

static gboolean
add (Setting  *setting,
     GError  **error)
{
  Pair *pair = &setting->pairs[setting->n];
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
  *pair = (Pair) { fds[0], fds[1] };
  pair->watched = amnesia_watch_add (setting->watch, pair->near, pair, error);
  if (pair->watched != NULL)
    setting->n++;
  return pair->watched != NULL;
}

static void
begin (Setting *setting,
       guint    n)
{
  *setting = (Setting) { .context = g_main_context_new () };
  setting->watch = amnesia_watch_new (setting->context, &funcs, setting);
  while (n-- > 0)
    g_assert_true (add (setting, NULL));
}

static void
end (Setting *setting)
{
  guint i;

  for (i = 0; i < setting->n; i++)
    {
      if (setting->pairs[i].watched != NULL)
        drop_pair (setting, &setting->pairs[i]);
      if (setting->pairs[i].far >= 0)
        close (setting->pairs[i].far);
    }
  amnesia_watch_free (setting->watch);
  g_main_context_unref (setting->context);
}

static void
hang_up (Pair *pair)
{
  close (pair->far);
  pair->far = -1;
}

/* Until the loop has nothing to do; returns how many turns that took. */
static guint
settle (Setting *setting)
{
  guint n = 0;

  while (g_main_context_iteration (setting->context, FALSE))
    g_assert_cmpuint (++n, <, 100);
  return n;
}

/* Sends a byte to each that is watched, and looks whether it comes. */
static void
assert_heard (Setting *setting)
{
  guint i;

  for (i = 0; i < setting->n; i++)
    {
      setting->pairs[i].n_seen = 0;
      if (setting->pairs[i].watched != NULL)
        g_assert_cmpint (send (setting->pairs[i].far, "x", 1, 0), ==, 1);
    }
  settle (setting);
  for (i = 0; i < setting->n; i++)
    g_assert_cmpuint (setting->pairs[i].n_seen, ==, setting->pairs[i].watched != NULL ? 1 : 0);
}

static void
test_crossing (void)
{
  Setting setting;
  guint i, round;

  g_test_summary ("Whoever is watched is heard, however many there are, and were");

  begin (&setting, 0);
  for (round = 0; round < 2; round++)
    {
      guint first = setting.n;

      for (i = 0; i < 8; i++)
        {
          g_assert_true (add (&setting, NULL));
          assert_heard (&setting);
        }
      for (i = first; i < setting.n; i++)
        {
          drop_pair (&setting, &setting.pairs[i]);
          assert_heard (&setting);
        }
    }
  end (&setting);
}

static void
test_many (void)
{
  Setting setting;

  g_test_summary ("More than are asked for at once are all served");

  begin (&setting, MAX_PAIRS);
  assert_heard (&setting);
  end (&setting);
}

/* With @n there is one mode or the other. */
static void
assert_left_alone (guint n)
{
  Setting setting;
  Pair *pair = &setting.pairs[0];

  begin (&setting, n);
  amnesia_watch_change (setting.watch, pair->watched, 0);
  g_assert_cmpint (send (pair->far, "x", 1, 0), ==, 1);
  hang_up (pair);
  g_assert_cmpuint (settle (&setting), <=, 2);
  g_assert_cmpuint (pair->n_seen, <=, 1);
  if (n == 4)
    {
      /* the other mode begins while one is left alone */
      g_assert_true (add (&setting, NULL));
      g_assert_cmpuint (settle (&setting), <=, 2);
    }
  amnesia_watch_change (setting.watch, pair->watched, G_IO_IN);
  g_main_context_iteration (setting.context, FALSE);
  g_assert_true (pair->seen & G_IO_IN);
  drop_pair (&setting, pair);
  g_assert_cmpuint (settle (&setting), ==, 0);
  end (&setting);
}

static void
test_left_alone (void)
{
  g_test_summary ("Where nothing is waited for, an end does not spin; it is told when it is asked for");

  assert_left_alone (1);
  assert_left_alone (4);
  assert_left_alone (6);
}

static void
test_conditions (void)
{
  const guint ns[] = { 4, 6 };
  guint i;

  g_test_summary ("Who waits for room is told of room only, and no more when he does not wait");

  for (i = 0; i < G_N_ELEMENTS (ns); i++)
    {
      Setting setting;
      Pair *pair = &setting.pairs[1];

      begin (&setting, ns[i]);
      amnesia_watch_change (setting.watch, pair->watched, G_IO_OUT);
      g_assert_cmpint (send (pair->far, "x", 1, 0), ==, 1);
      g_assert_true (g_main_context_iteration (setting.context, FALSE));
      g_assert_cmpint (pair->seen, ==, G_IO_OUT);
      amnesia_watch_change (setting.watch, pair->watched, G_IO_IN);
      g_assert_cmpuint (settle (&setting), ==, 1);
      g_assert_cmpint (pair->seen, ==, G_IO_IN);
      end (&setting);
    }
}

/* Who is closed by what came for another one is not served any more, though something had come. */
static void
test_removed (void)
{
  const guint ns[] = { 2, 4, 6 };
  guint i, j;

  for (i = 0; i < G_N_ELEMENTS (ns); i++)
    for (j = 0; j < ns[i]; j++)
      {
        Setting setting;
        guint k;

        begin (&setting, ns[i]);
        for (k = 0; k < ns[i]; k++)
          g_assert_cmpint (send (setting.pairs[k].far, "x", 1, 0), ==, 1);
        setting.removing = &setting.pairs[j];
        settle (&setting);
        g_assert_null (setting.pairs[j].watched);
        for (k = 0; k < ns[i]; k++)
          g_assert_cmpuint (setting.pairs[k].n_seen, <=, 1);
        assert_heard (&setting);
        end (&setting);
      }
}

static void
test_no_descriptor (void)
{
  g_autoptr (GError) error = NULL;
  struct rlimit before, few;
  Setting setting;
  int lowest;

  g_test_summary ("Without a descriptor for epoll one more is an error, and the others go on");

  begin (&setting, 4);
  lowest = dup (0);
  close (lowest);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  few = before;
  few.rlim_cur = (rlim_t) lowest + 2;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &few), ==, 0);
  g_assert_false (add (&setting, &error));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  close (setting.pairs[4].near);
  close (setting.pairs[4].far);
  assert_heard (&setting);
  g_assert_true (add (&setting, NULL));
  assert_heard (&setting);
  end (&setting);
}

static void
test_deadline (void)
{
  Setting setting;
  gint64 start = g_get_monotonic_time ();

  g_test_summary ("The deadline wakes once it has come, also one that is set in a turn; none does not");

  begin (&setting, 1);
  amnesia_watch_set_deadline (setting.watch, start + 20 * G_TIME_SPAN_MILLISECOND);
  while (setting.n_ready == 0)
    g_main_context_iteration (setting.context, TRUE);
  g_assert_cmpint (g_get_monotonic_time (), >=, start + 20 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (setting.n_ready, ==, 1);
  amnesia_watch_set_deadline (setting.watch, 0);
  g_assert_cmpuint (settle (&setting), ==, 0);
  setting.wanted = TRUE;
  g_assert_cmpuint (settle (&setting), ==, 1);
  end (&setting);
}

static gpointer
wake (gpointer user_data)
{
  g_source_set_ready_time (amnesia_watch_get_source (((Setting *) user_data)->watch), 0);
  return NULL;
}

static void
test_woken (void)
{
  Setting setting;
  guint i;

  g_test_summary ("Another thread wakes the loop, each time once");

  begin (&setting, 1);
  for (i = 1; i <= 200; i++)
    {
      GThread *thread = g_thread_new ("waker", wake, &setting);

      while (setting.n_ready < i)
        g_main_context_iteration (setting.context, TRUE);
      g_thread_join (thread);
      g_assert_cmpuint (settle (&setting), ==, 0);
    }
  end (&setting);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/watch/crossing", test_crossing);
  g_test_add_func ("/watch/many", test_many);
  g_test_add_func ("/watch/left-alone", test_left_alone);
  g_test_add_func ("/watch/conditions", test_conditions);
  g_test_add_func ("/watch/removed", test_removed);
  g_test_add_func ("/watch/no-descriptor", test_no_descriptor);
  g_test_add_func ("/watch/deadline", test_deadline);
  g_test_add_func ("/watch/woken", test_woken);
  return g_test_run ();
}
