/* SPDX-License-Identifier: MIT */

#include "tool-pair.h"
#include "tool-progress.h"
#include "tool-rows.h"
#include "tool-table.h"
#include "tool-terminal.h"
#include "tool-text.h"

#include <glib/gi18n.h>
#include <unistd.h>

#define SMALL 8
#define MEBIBYTE (1 << 20)
#define MICROSECONDS 1000000.0
/* Before anything is measured. */
#define N_WARM_UPS 100
/* How often the clock is looked at, in sets. */
#define SETS_PER_LOOK 64
#define MAX_JOINS 100

typedef enum
{
  ROUND_TRIP,
  ROUND_TRIP_99,
  SETS,
  ONE_MEBIBYTE,
  MANY_MEBIBYTES,
  JOIN,
  N_FIGURES,
} Figure;

/* How the figures are called, by programs and by people. */
static const struct
{
  const char *name;
  const char *title; /* (translatable) */
} figures[N_FIGURES] = {
  [ROUND_TRIP] = { "round-trip", N_("a small value there and back") },
  [ROUND_TRIP_99] = { "round-trip-99", N_("99 of 100 within") },
  [SETS] = { "sets-per-second", N_("sets per second in a loop") },
  [ONE_MEBIBYTE] = { "1-mebibyte", N_("1 MiB there, and an answer") },
  [MANY_MEBIBYTES] = { "16-mebibytes", N_("16 MiB there, and an answer") },
  [JOIN] = { "join", N_("until a guest has the value") },
};

static const struct
{
  AmnesiaWay  way;
  const char *name;
} ways[] = {
  { AMNESIA_WAY_TCP, "tcp" },
  { AMNESIA_WAY_LOCAL, "local" },
};

typedef struct
{
  double      seconds;  /* that each measurement takes */
  char       *way_name; /* (owned) (nullable) the only one */
  char       *answer;   /* (owned) (nullable) the configuration, for the second process */
  gboolean    json;
  guint       n_done;   /* measurements */
  guint       n_all;
  gboolean    measured[G_N_ELEMENTS (ways)];
  double      results[G_N_ELEMENTS (ways)][N_FIGURES];
} Bench;

static void
bench_clear (Bench *self)
{
  g_clear_pointer (&self->way_name, g_free);
  g_clear_pointer (&self->answer, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

/* --- measuring --- */

static double
get_seconds_since (gint64 began)
{
  return (g_get_monotonic_time () - began) / MICROSECONDS;
}

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return (left > right) - (left < right);
}

static double
get_quantile (GArray *laps,
              double  quantile)
{
  return g_array_index (laps, double, (guint) ((laps->len - 1) * quantile));
}

static gboolean
ask (ToolPair  *pair,
     gsize      size,
     GArray    *laps,
     GError   **error)
{
  gint64 began = g_get_monotonic_time ();
  double lap;

  if (!tool_pair_ask (pair, size, error))
    return FALSE;
  lap = get_seconds_since (began);
  g_array_append_val (laps, lap);

  return TRUE;
}

/* Asks for as long as it may take, and once at least. NULL: it failed. */
static GArray *
ask_for_a_while (Bench     *self,
                 ToolPair  *pair,
                 gsize      size,
                 GError   **error)
{
  g_autoptr (GArray) laps = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 began = g_get_monotonic_time ();

  do
    if (!ask (pair, size, laps, error))
      return NULL;
  while (get_seconds_since (began) < self->seconds);
  g_array_sort (laps, compare_doubles);
  self->n_done++;

  return g_steal_pointer (&laps);
}

static gboolean
measure_round_trip (Bench     *self,
                    ToolPair  *pair,
                    double    *results,
                    GError   **error)
{
  g_autoptr (GArray) laps = ask_for_a_while (self, pair, SMALL, error);

  if (laps == NULL)
    return FALSE;
  results[ROUND_TRIP] = get_quantile (laps, 0.5);
  results[ROUND_TRIP_99] = get_quantile (laps, 0.99);

  return TRUE;
}

static gboolean
measure_large (Bench     *self,
               ToolPair  *pair,
               gsize      size,
               double    *result,
               GError   **error)
{
  g_autoptr (GArray) laps = ask_for_a_while (self, pair, size, error);

  if (laps == NULL)
    return FALSE;
  *result = get_quantile (laps, 0.5);

  return TRUE;
}

/* Until the other one has the last. */
static gboolean
measure_sets (Bench     *self,
              ToolPair  *pair,
              double    *result,
              GError   **error)
{
  gint64 began = g_get_monotonic_time ();
  gint64 n = 0;

  do
    for (guint i = 0; i < SETS_PER_LOOK; i++)
      amnesia_store_set_data (pair->store, g_variant_new_int64 (n++));
  while (get_seconds_since (began) < self->seconds);
  if (!tool_pair_ask (pair, SMALL, error))
    return FALSE;
  *result = n / get_seconds_since (began);
  self->n_done++;

  return TRUE;
}

static gboolean
join (ToolPair  *pair,
      GArray    *laps,
      GError   **error)
{
  g_autoptr (AmnesiaStore) store = NULL;
  gint64 began = g_get_monotonic_time ();
  double lap;

  store = g_object_new (AMNESIA_TYPE_STORE, "guest", TRUE, "conf", pair->conf, NULL);
  if (!amnesia_store_open_sync (store, NULL, error))
    return FALSE;
  lap = get_seconds_since (began);
  g_array_append_val (laps, lap);

  return amnesia_store_close_sync (store, NULL, error);
}

static gboolean
measure_join (Bench     *self,
              ToolPair  *pair,
              double    *result,
              GError   **error)
{
  g_autoptr (GArray) laps = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 began = g_get_monotonic_time ();

  do
    if (!join (pair, laps, error))
      return FALSE;
  while (laps->len < MAX_JOINS && get_seconds_since (began) < self->seconds);
  g_array_sort (laps, compare_doubles);
  *result = get_quantile (laps, 0.5);
  self->n_done++;

  return TRUE;
}

static gboolean
warm_up (ToolPair  *pair,
         GError   **error)
{
  for (guint i = 0; i < N_WARM_UPS; i++)
    if (!tool_pair_ask (pair, SMALL, error))
      return FALSE;

  return TRUE;
}

static gboolean
measure_way (Bench       *self,
             AmnesiaWay   way,
             double      *results,
             GError     **error)
{
  g_auto (ToolPair) pair = { 0 };

  return tool_pair_begin (&pair, way, error) && warm_up (&pair, error) &&
         measure_round_trip (self, &pair, results, error) &&
         measure_join (self, &pair, &results[JOIN], error) &&
         measure_sets (self, &pair, &results[SETS], error) &&
         measure_large (self, &pair, MEBIBYTE, &results[ONE_MEBIBYTE], error) &&
         measure_large (self, &pair, 16 * MEBIBYTE, &results[MANY_MEBIBYTES], error);
}

static double
get_progress (gpointer user_data)
{
  Bench *self = user_data;

  return (double) self->n_done / self->n_all;
}

static gboolean
is_wanted (Bench *self,
           guint  which)
{
  return self->way_name == NULL || g_str_equal (self->way_name, ways[which].name);
}

/* That there is no local way is a failure only for who asks for it. */
static gboolean
measure (Bench   *self,
         GError **error)
{
  g_autoptr (ToolProgress) progress = tool_progress_new (_("Measuring"), get_progress, self);

  self->n_all = 5 * (self->way_name != NULL ? 1 : G_N_ELEMENTS (ways));
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (GError) fault = NULL;

      self->measured[i] = is_wanted (self, i) &&
                          measure_way (self, ways[i].way, self->results[i], &fault);
      if (fault == NULL ||
          (self->way_name == NULL && g_error_matches (fault, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)))
        continue;
      g_propagate_error (error, g_steal_pointer (&fault));
      return FALSE;
    }

  return TRUE;
}

/* --- telling --- */

static char *
show_figure (Figure  which,
             double  value)
{
  if (which == SETS)
    return g_strdup_printf ("%.0f", value);

  return g_strdup_printf (value < 0.01 ? _("%.3f ms") : _("%.1f ms"), value * 1000);
}

static char **
make_row (Bench  *self,
          Figure  which)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new ();

  g_ptr_array_add (cells, g_strdup (_(figures[which].title)));
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    if (self->measured[i])
      g_ptr_array_add (cells, show_figure (which, self->results[i][which]));
  g_ptr_array_add (cells, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&cells), FALSE);
}

static char **
make_heads (Bench *self)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new ();

  g_ptr_array_add (cells, g_strdup (""));
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    if (self->measured[i])
      g_ptr_array_add (cells, g_strdup (ways[i].way == AMNESIA_WAY_TCP ? "TCP" : _("local")));
  g_ptr_array_add (cells, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&cells), FALSE);
}

static ToolExit
print_table (Bench *self)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *text = NULL;

  g_ptr_array_add (rows, make_heads (self));
  for (guint i = 0; i < N_FIGURES; i++)
    g_ptr_array_add (rows, make_row (self, i));
  text = tool_table_to_text (rows, 0);

  return tool_text_show (g_strchomp (text));
}

static GVariant *
make_object (const double *results)
{
  GVariantDict object;

  g_variant_dict_init (&object, NULL);
  for (guint i = 0; i < N_FIGURES; i++)
    g_variant_dict_insert (&object, figures[i].name, "d", results[i]);

  return g_variant_dict_end (&object);
}

static ToolExit
print_json (Bench *self)
{
  g_autoptr (GVariant) all = NULL;
  g_autofree char *json = NULL;
  GVariantDict object;

  g_variant_dict_init (&object, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    if (self->measured[i])
      g_variant_dict_insert_value (&object, ways[i].name, make_object (self->results[i]));
  all = g_variant_ref_sink (g_variant_dict_end (&object));
  json = amnesia_to_json (all, NULL);

  return tool_text_show_json (json);
}

/* --- the command --- */

static gboolean
check (Bench *self)
{
  if (!(self->seconds > 0 && self->seconds <= 3600))
    tool_usage_error (&tool_bench_command, _("--seconds has to be positive, and 3600 at most"));
  else if (self->way_name != NULL && !is_wanted (self, 0) && !is_wanted (self, 1))
    tool_usage_error (&tool_bench_command, _("--way is “tcp” or “local”"));
  else
    return TRUE;

  return FALSE;
}

static int
run (int    argc,
     char **argv)
{
  g_auto (Bench) self = { .seconds = 1 };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "way", 'w', 0, G_OPTION_ARG_STRING, &self.way_name, N_("Only by this way: tcp or local"),
      N_("WAY") },
    { "seconds", 's', 0, G_OPTION_ARG_DOUBLE, &self.seconds,
      N_("How long each measurement takes (default: 1)"), N_("SECONDS") },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &self.json, N_("Print JSON; times are in seconds"), NULL },
    { "answer", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &self.answer, NULL, NULL },
    { NULL },
  };
  GOptionGroup *group = g_option_group_new ("main", NULL, NULL, NULL, NULL);

  g_option_group_add_entries (group, entries);
  g_option_group_set_translation_domain (group, GETTEXT_PACKAGE);
  if (!tool_parse (&tool_bench_command, group, argc, argv, 0, 0, &arguments) || !check (&self))
    return TOOL_USAGE;
  if (self.answer != NULL)
    return tool_pair_answer (self.answer);
  if (measure (&self, &error))
    return self.json ? print_json (&self) : print_table (&self);
  tool_say_error ("%s", error->message);

  return TOOL_FAILED;
}

const ToolCommand tool_bench_command = {
  .name = "bench",
  .summary = N_("Measure how fast it is on this machine"),
  .description = N_("Two processes share a variable that nobody else knows of. No configuration is "
                    "needed, and none is touched."),
  .run = run,
};
