/* SPDX-License-Identifier: MIT */

#include "amnesia-transitions-private.h"

#include "replica/amnesia-value-private.h"

/* A handler that sets in answer to its own set would go on for ever. */
#define MAX_LOCAL 100
/* Remote changes may come between the local ones, from nested main loops. */
#define MAX_WAITING (2 * MAX_LOCAL)

void
amnesia_transitions_init (AmnesiaTransitions *self)
{
  g_queue_init (&self->queue);
}

void
amnesia_transitions_clear (AmnesiaTransitions *self)
{
  AmnesiaTransition *transition;

  while ((transition = amnesia_transitions_pop (self)) != NULL)
    amnesia_transitions_done (self, transition);
  g_clear_pointer (&self->spare, g_free);
  g_clear_pointer (&self->value, g_variant_unref);
}

gboolean
amnesia_transitions_any (AmnesiaTransitions *self)
{
  return !g_queue_is_empty (&self->queue);
}

/* @transition, which was popped, is not needed any more; but most often another one soon is. */
void
amnesia_transitions_done (AmnesiaTransitions *self,
                          AmnesiaTransition  *transition)
{
  g_clear_pointer (&transition->old, g_variant_unref);
  g_clear_pointer (&transition->new, g_variant_unref);
  g_free (self->spare);
  self->spare = transition;
}

static GVariant *
ref_or_null (GVariant *value)
{
  return value != NULL ? g_variant_ref (value) : NULL;
}

static void
drop_last (AmnesiaTransitions *self)
{
  AmnesiaTransition *last = g_queue_pop_tail_link (&self->queue)->data;

  if (!last->remote)
    self->n_local--;
  amnesia_transitions_done (self, last);
}

/* Makes one of the last and the new one; none, if together they lead nowhere. */
static void
join (AmnesiaTransitions *self,
      GVariant           *new,
      gboolean            remote)
{
  AmnesiaTransition *last = g_queue_peek_tail (&self->queue);

  if (amnesia_value_equal (last->old, new))
    {
      drop_last (self);
      return;
    }
  g_clear_pointer (&last->new, g_variant_unref);
  last->new = ref_or_null (new);
  if (last->remote && !remote)
    self->n_local++;
  last->remote = last->remote && remote;
}

static gboolean
is_full (AmnesiaTransitions *self)
{
  if (self->n_local < MAX_LOCAL && g_queue_get_length (&self->queue) < MAX_WAITING)
    return FALSE;
  if (!self->warned)
    g_warning ("A handler of “changed” has set the value %d times in one emission; from now on "
               "these changes are joined", MAX_LOCAL);
  self->warned = TRUE;
  return TRUE;
}

/* Remote changes that wait are joined: only the newest counts. Local ones are kept apart, as long
 * as there are not too many. Takes @old_value. */
static void
push (AmnesiaTransitions *self,
      GVariant           *old_value,
      GVariant           *new,
      gboolean            remote)
{
  g_autoptr (GVariant) old = old_value;
  AmnesiaTransition *last = g_queue_peek_tail (&self->queue);
  AmnesiaTransition *transition;

  if (last != NULL && ((last->remote && remote) || is_full (self)))
    {
      join (self, new, remote);
      return;
    }
  transition = self->spare != NULL ? g_steal_pointer (&self->spare) : g_new (AmnesiaTransition, 1);
  *transition = (AmnesiaTransition) {
    .link = { .data = transition },
    .old = g_steal_pointer (&old),
    .new = ref_or_null (new),
    .remote = remote,
  };
  if (!remote)
    self->n_local++;
  g_queue_push_tail_link (&self->queue, &transition->link);
}

/* The value may be another now; returns whether it is. */
gboolean
amnesia_transitions_note (AmnesiaTransitions *self,
                          GVariant           *value,
                          gboolean            remote)
{
  if (amnesia_value_equal (self->value, value))
    return FALSE;
  push (self, g_steal_pointer (&self->value), value, remote);
  self->value = ref_or_null (value);
  return TRUE;
}

/* Returns the next one, or NULL; the caller gives it back with amnesia_transitions_done (). */
AmnesiaTransition *
amnesia_transitions_pop (AmnesiaTransitions *self)
{
  GList *link = g_queue_pop_head_link (&self->queue);
  AmnesiaTransition *first = link != NULL ? link->data : NULL;

  if (first != NULL && !first->remote)
    self->n_local--;
  return first;
}
