/* SPDX-License-Identifier: MIT */

#include "bar.h"

static gdouble
get (Bar *self)
{
  gdouble value;

  g_object_get (self->peer, self->name, &value, NULL);
  return value;
}

static void
notify_cb (AmnesiaPeer *peer,
           GParamSpec  *pspec,
           Bar         *self)
{
  gdouble value = get (self);

  g_test_message ("%s %.3f", self->name, value);
  g_assert_cmpfloat (value, >=, 0);
  g_assert_cmpfloat (value, <=, 1);
  g_assert_cmpfloat (value, !=, self->shown);
  if (self->shown < 1)
    g_assert_cmpfloat (value, >, self->shown);
  self->shown = value;
  if (value < 1)
    self->n_parts++;
  else
    self->n_ends++;
}

Bar *
bar_new (AmnesiaPeer *peer,
         const char  *name)
{
  Bar *self = g_new0 (Bar, 1);
  g_autofree char *signal = g_strconcat ("notify::", name, NULL);

  self->peer = g_object_ref (peer);
  self->name = name;
  self->since = g_get_monotonic_time ();
  self->shown = 1;
  g_assert_cmpfloat (get (self), ==, 1);
  g_signal_connect (self->peer, signal, G_CALLBACK (notify_cb), self);
  return self;
}

void
bar_free (Bar *self)
{
  bar_check (self);
  g_signal_handlers_disconnect_by_data (self->peer, self);
  g_object_unref (self->peer);
  g_free (self);
}

/* Returns TRUE, to be used in conditions that are waited for. */
gboolean
bar_check (Bar *self)
{
  gint64 tenths = (g_get_monotonic_time () - self->since) / (100 * G_TIME_SPAN_MILLISECOND);

  g_assert_cmpfloat (get (self), ==, self->shown);
  /* two more, as a turn of the loop is told late, and the next one is not */
  g_assert_cmpint (self->n_parts + self->n_ends, <=, tenths + 2);
  return TRUE;
}
