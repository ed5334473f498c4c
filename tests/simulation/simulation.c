/* SPDX-License-Identifier: MIT */

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each of the mistakes has to be found among the seeds of a commit. */
#define N_SEEDS 300
/* Some mistakes show in one of 300 or so. */
#define N_SEEDS_MISTAKE 2000
#define N_STEPS 2000
/* With AMNESIA_LONG, unless the options tell otherwise. */
#define N_SEEDS_LONG 20000
#define N_STEPS_LONG 5000

static int first_seed = 1;
static int n_seeds = N_SEEDS;
static int n_steps = N_STEPS;
static int minutes;
static gboolean only_mistakes;
static char *only_mistake;
static char *one_seed;
static guint64 n_losses, n_unsaid;

static GOptionEntry options[] = {
  { "first", 0, 0, G_OPTION_ARG_INT, &first_seed, "The first seed", "SEED" },
  { "seeds", 0, 0, G_OPTION_ARG_INT, &n_seeds, "How many seeds", "N" },
  { "steps", 0, 0, G_OPTION_ARG_INT, &n_steps, "How many steps each", "N" },
  { "minutes", 0, 0, G_OPTION_ARG_INT, &minutes, "Begin no seed after so long", "N" },
  { "mistakes", 0, 0, G_OPTION_ARG_NONE, &only_mistakes, "Look whether each mistake is found", NULL },
  { "mistake", 0, 0, G_OPTION_ARG_STRING, &only_mistake, "Make this mistake", "NAME" },
  { "seed", 0, 0, G_OPTION_ARG_STRING, &one_seed, "Tell all that happens with this one", "SEED" },
  { NULL }
};

typedef struct
{
  guint64 trace;
  guint   step;
  char   *failure; /* (owned) (nullable) */
} Outcome;

static Outcome
run (guint64 seed,
     guint   steps)
{
  Outcome outcome;

  sim_begin (seed, steps);
  for (sim.step = 0; sim.step < steps && sim.failure == NULL; sim.step++)
    sim_take_step ();
  if (sim.failure == NULL)
    sim_settle ();
  n_losses += sim.n_losses;
  n_unsaid += sim.n_unsaid;
  outcome = (Outcome) { sim.trace, sim.step, sim.failure };
  sim_end ();
  return outcome;
}

/* How few steps are enough. What fails at a step needs all until there; what fails at the end may
 * need less, found by halves. */
static guint
shorten (guint64 seed,
         guint   steps)
{
  guint low = 0, high = steps;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      Outcome outcome = run (seed, middle);

      if (outcome.failure != NULL)
        high = middle;
      else
        low = middle + 1;
      g_free (outcome.failure);
    }
  return high;
}

static void
report (guint64  seed,
        Outcome *outcome)
{
  guint shortest = shorten (seed, MIN (outcome->step, (guint) n_steps));
  Outcome again = run (seed, shortest);

  g_test_message ("seed %" G_GUINT64_FORMAT ": %s", seed, outcome->failure);
  g_test_message ("shortest prefix: --seed %" G_GUINT64_FORMAT " --steps %u: %s", seed, shortest,
                  again.failure);
  g_free (again.failure);
}

/* Every tenth seed twice: the same seed makes the same world. */
static gboolean
try_seed (guint64 seed,
          guint   steps)
{
  Outcome outcome = run (seed, steps);
  gboolean good = outcome.failure == NULL;

  if (!good)
    report (seed, &outcome);
  else if (seed % 10 == 0)
    {
      Outcome again = run (seed, steps);

      good = again.failure == NULL && again.trace == outcome.trace;
      if (!good)
        g_test_message ("seed %" G_GUINT64_FORMAT " is not the same twice", seed);
      g_free (again.failure);
    }
  g_free (outcome.failure);
  return good;
}

static void
test_seeds (void)
{
  gint64 end = g_get_monotonic_time () + minutes * G_TIME_SPAN_MINUTE;
  guint failed = 0;
  int i;

  for (i = 0; i < n_seeds && (minutes == 0 || g_get_monotonic_time () < end); i++)
    failed += !try_seed ((guint64) (first_seed + i), (guint) n_steps);
  g_test_message ("%d seeds of %d steps, %u failed", i, n_steps, failed);
  g_test_message ("%" G_GUINT64_FORMAT " lost writes were told, %" G_GUINT64_FORMAT " were not, as the "
                  "winner had seen a later one of the same writer instead", n_losses, n_unsaid);
  g_assert_cmpuint (failed, ==, 0);
}

/* What once failed: each line a seed and a number of steps. */
static void
test_regressions (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "regressions.txt", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  guint i, failed = 0;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (i = 0; lines[i] != NULL; i++)
    {
      guint64 seed;
      guint steps;

      if (sscanf (lines[i], "%" G_GUINT64_FORMAT " %u", &seed, &steps) == 2)
        failed += !try_seed (seed, steps);
    }
  g_assert_cmpuint (failed, ==, 0);
}

static void
test_mistake (gconstpointer data)
{
  guint mistake = GPOINTER_TO_UINT (data);
  guint64 seed;

  sim_set_mistake (mistake);
  for (seed = 1; seed <= N_SEEDS_MISTAKE; seed++)
    {
      Outcome outcome = run (seed, N_STEPS);
      g_autofree char *failure = outcome.failure;

      if (failure == NULL)
        continue;
      g_test_message ("found by seed %" G_GUINT64_FORMAT ": %s", seed, failure);
      break;
    }
  sim_set_mistake (0);
  g_assert_cmpuint (seed, <=, N_SEEDS_MISTAKE);
}

static void
choose_mistake (void)
{
  guint i;

  for (i = 0; only_mistake != NULL && sim_mistake_get_name (i) != NULL; i++)
    if (strcmp (sim_mistake_get_name (i), only_mistake) == 0)
      sim_set_mistake (i);
}

static int
tell_seed (void)
{
  Outcome outcome;

  sim.verbose = TRUE;
  outcome = run (g_ascii_strtoull (one_seed, NULL, 10), (guint) n_steps);
  g_print ("%s\n", outcome.failure != NULL ? outcome.failure : "nothing is wrong");
  return outcome.failure != NULL ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  guint i;

  if (g_getenv ("AMNESIA_LONG") != NULL)
    {
      n_seeds = N_SEEDS_LONG;
      n_steps = N_STEPS_LONG;
    }
  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_set_ignore_unknown_options (context, TRUE);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  choose_mistake ();
  if (one_seed != NULL)
    return tell_seed ();

  g_test_init (&argc, &argv, NULL);
  if (!only_mistakes)
    {
      g_test_add_func ("/simulation/regressions", test_regressions);
      g_test_add_func ("/simulation/seeds", test_seeds);
    }
  for (i = 1; only_mistakes && sim_mistake_get_name (i) != NULL; i++)
    {
      g_autofree char *path = g_strdup_printf ("/mistakes/%s", sim_mistake_get_name (i));

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_mistake);
    }
  return g_test_run ();
}
