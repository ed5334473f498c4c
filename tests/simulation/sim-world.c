/* SPDX-License-Identifier: MIT */

#include "sim.h"

#include <string.h>

SimWorld sim;

typedef struct
{
  gint64   when;
  guint64  serial;
  SimFunc  func;
  gpointer data;
  guint    tag;
  SimNode *node; /* (nullable) in whose process it happens */
  guint    life;
} Event;

/* --- a heap of events, the earliest first, in the order in which they were asked for --- */

static Event *
event_at (guint position)
{
  return &g_array_index (sim.events, Event, position);
}

static gboolean
is_before (guint a,
           guint b)
{
  return event_at (a)->when < event_at (b)->when ||
         (event_at (a)->when == event_at (b)->when && event_at (a)->serial < event_at (b)->serial);
}

static void
swap (guint a,
      guint b)
{
  Event event = *event_at (a);

  *event_at (a) = *event_at (b);
  *event_at (b) = event;
}

static void
push (Event event)
{
  guint i = sim.events->len;

  event.serial = sim.n_events++;
  g_array_append_val (sim.events, event);
  while (i > 0 && is_before (i, (i - 1) / 2))
    {
      swap (i, (i - 1) / 2);
      i = (i - 1) / 2;
    }
}

static Event
pop (void)
{
  Event first = *event_at (0);
  guint i = 0;

  *event_at (0) = *event_at (sim.events->len - 1);
  g_array_set_size (sim.events, sim.events->len - 1);
  while (2 * i + 1 < sim.events->len)
    {
      guint child = 2 * i + 1;

      if (child + 1 < sim.events->len && is_before (child + 1, child))
        child++;
      if (!is_before (child, i))
        break;
      swap (i, child);
      i = child;
    }
  return first;
}

void
sim_at (gint64   when,
        SimFunc  func,
        gpointer data,
        guint    tag)
{
  push ((Event) { .when = MAX (when, sim.now), .func = func, .data = data, .tag = tag });
}

/* For a node that has died it does not happen; one that is frozen comes to it later. */
void
sim_node_at (SimNode *node,
             gint64   when,
             SimFunc  func,
             gpointer data,
             guint    tag)
{
  push ((Event) { MAX (when, sim.now), 0, func, data, tag, node, node->life });
}

void
sim_run_until (gint64 when)
{
  while (sim.failure == NULL && sim.events->len > 0 && event_at (0)->when <= when)
    {
      Event event = pop ();

      sim.now = event.when;
      if (event.node != NULL && (event.node->life != event.life || !event.node->alive))
        continue;
      if (event.node != NULL && event.node->frozen_until > sim.now)
        {
          event.when = event.node->frozen_until;
          push (event);
          continue;
        }
      event.func (event.data, event.tag);
    }
  if (sim.failure == NULL)
    sim.now = when;
}

/* --- chance --- */

guint
sim_below (guint n)
{
  return (guint) g_rand_int_range (sim.rand, 0, (gint32) n);
}

/* From @low to @high, where small ones are as frequent as large ones. */
gint64
sim_between (gint64 low,
             gint64 high)
{
  double span = (double) (high - low + 1);

  return low + (gint64) (span * g_rand_double (sim.rand) * g_rand_double (sim.rand));
}

gboolean
sim_chance (double probability)
{
  return g_rand_double (sim.rand) < probability;
}

/* --- what is told --- */

void
sim_trace (guint64 what)
{
  sim.trace = (sim.trace ^ what) * G_GUINT64_CONSTANT (0x100000001b3);
  sim.trace ^= sim.trace >> 29;
}

void
sim_fail (const char *format,
          ...)
{
  g_autofree char *what = NULL;
  va_list args;

  if (sim.failure != NULL)
    return;
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  sim.failure = g_strdup_printf ("at step %u, %.3f s: %s", sim.step, sim.now / 1e6, what);
}

void
sim_say (const char *format,
         ...)
{
  g_autofree char *what = NULL;
  va_list args;

  if (!sim.verbose)
    return;
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_print ("# %9.3f %s\n", sim.now / 1e6, what);
}

/* --- a world --- */

void
sim_begin (guint64 seed,
           guint   n_steps)
{
  guint32 words[] = { (guint32) seed, (guint32) (seed >> 32) };
  gboolean verbose = sim.verbose;

  sim = (SimWorld) { .seed = seed, .n_steps = n_steps, .verbose = verbose };
  sim.rand = g_rand_new_with_seed_array (words, G_N_ELEMENTS (words));
  sim.now = 1000 * SIM_SECOND;
  sim.events = g_array_new (FALSE, FALSE, sizeof (Event));
  sim.wires = g_ptr_array_new_with_free_func (sim_wire_free);
  sim.strangers = g_ptr_array_new ();
  sim.recorded = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  sim_history_begin ();
  sim.trace = seed;
  sim_choose_profile ();
  sim_populate ();
}

void
sim_end (void)
{
  guint i;

  sim_strangers_leave ();
  for (i = 0; i < sim.profile.n_nodes; i++)
    if (sim.nodes[i].alive)
      sim_node_crash (&sim.nodes[i], TRUE);
  g_ptr_array_unref (sim.wires);
  g_ptr_array_unref (sim.strangers);
  g_ptr_array_unref (sim.recorded);
  g_array_unref (sim.events);
  sim_history_end ();
  g_rand_free (sim.rand);
  sim_mistakes_clear ();
}
