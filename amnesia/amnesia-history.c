/* SPDX-License-Identifier: MIT */

#include "amnesia-history-private.h"

/* Bytes of values. Others decide how large those are that they write. */
#define MAX_SIZE (64 * 1024 * 1024)

/* Changes in the order in which they came; how many bytes their values have is kept. */
typedef struct
{
  AmnesiaChange **ring; /* (owned) */
  guint           capacity;
  guint           first;
  guint           n;
  gsize           size;
} Changes;

/* The last changes, as a list model. What is noted is shown later, when code of the application may
 * run; nothing else changes what is shown. */
struct _AmnesiaHistory
{
  GObject  parent_instance;

  guint    length;   /* that may be shown */
  Changes  shown;
  Changes  noted;    /* still to be shown; no more than may be */
  gboolean telling;  /* a handler of items-changed is running */
};

static AmnesiaChange *
changes_peek (const Changes *self,
              guint          position)
{
  return self->ring[(self->first + position) % self->capacity];
}

static void
changes_grow (Changes *self)
{
  guint capacity = MAX (2 * self->capacity, 16);
  AmnesiaChange **ring = g_new (AmnesiaChange *, capacity);

  for (guint i = 0; i < self->n; i++)
    ring[i] = changes_peek (self, i);
  g_free (self->ring);
  self->ring = ring;
  self->capacity = capacity;
  self->first = 0;
}

static void
changes_append (Changes       *self,
                AmnesiaChange *change)
{
  if (self->n == self->capacity)
    changes_grow (self);
  self->ring[(self->first + self->n) % self->capacity] = g_object_ref (change);
  self->n++;
  self->size += amnesia_change_get_size (change);
}

static void
changes_drop_first (Changes *self)
{
  g_autoptr (AmnesiaChange) change = changes_peek (self, 0);

  self->first = (self->first + 1) % self->capacity;
  self->n--;
  self->size -= amnesia_change_get_size (change);
}

static void
changes_clear (Changes *self)
{
  while (self->n > 0)
    changes_drop_first (self);
  g_clear_pointer (&self->ring, g_free);
  self->capacity = 0;
}

static GType
get_item_type (GListModel *model)
{
  return AMNESIA_TYPE_CHANGE;
}

static guint
get_n_items (GListModel *model)
{
  return AMNESIA_HISTORY (model)->shown.n;
}

static gpointer
get_item (GListModel *model,
          guint       position)
{
  AmnesiaHistory *self = AMNESIA_HISTORY (model);

  return position < self->shown.n ? g_object_ref (changes_peek (&self->shown, position)) : NULL;
}

static void
init_list_model (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (AmnesiaHistory, amnesia_history, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, init_list_model))

static void
amnesia_history_finalize (GObject *object)
{
  AmnesiaHistory *self = AMNESIA_HISTORY (object);

  changes_clear (&self->shown);
  changes_clear (&self->noted);
  G_OBJECT_CLASS (amnesia_history_parent_class)->finalize (object);
}

static void
amnesia_history_class_init (AmnesiaHistoryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amnesia_history_finalize;
}

static void
amnesia_history_init (AmnesiaHistory *self)
{
}

AmnesiaHistory *
amnesia_history_new (void)
{
  return g_object_new (AMNESIA_TYPE_HISTORY, NULL);
}

guint
amnesia_history_get_length (AmnesiaHistory *self)
{
  return self->length;
}

/* The newest is kept, however large. */
static gboolean
is_too_much (AmnesiaHistory *self,
             guint           n,
             gsize           size)
{
  return n > self->length || (n > 1 && size > MAX_SIZE);
}

static void
trim_noted (AmnesiaHistory *self)
{
  while (is_too_much (self, self->noted.n, self->noted.size))
    changes_drop_first (&self->noted);
}

/* Makes room for what was noted. Returns whether there is more to do then. */
static gboolean
show_drop (AmnesiaHistory *self)
{
  guint n = self->shown.n;

  while (self->shown.n > 0 && is_too_much (self, self->shown.n + self->noted.n,
                                           self->shown.size + self->noted.size))
    changes_drop_first (&self->shown);
  if (self->shown.n == n)
    return FALSE;
  g_list_model_items_changed (G_LIST_MODEL (self), 0, n - self->shown.n, 0);

  return TRUE;
}

static gboolean
show_noted (AmnesiaHistory *self)
{
  guint before = self->shown.n;
  guint n = self->noted.n;

  if (n == 0)
    return FALSE;
  for (; self->noted.n > 0; changes_drop_first (&self->noted))
    changes_append (&self->shown, changes_peek (&self->noted, 0));
  g_list_model_items_changed (G_LIST_MODEL (self), before, 0, n);

  return TRUE;
}

/* Sets how many there may be; 0 turns it off. Runs code of the application. */
void
amnesia_history_set_length (AmnesiaHistory *self,
                            guint           length)
{
  self->length = length;
  trim_noted (self);
  amnesia_history_publish (self);
}

/* Remembers a change, but does not show it yet. */
void
amnesia_history_note (AmnesiaHistory *self,
                      AmnesiaChange  *change)
{
  changes_append (&self->noted, change);
  trim_noted (self);
}

/* Shows what was noted. Runs code of the application, which may note more, or set the length: that
 * waits until all handlers have heard of what is shown now. */
void
amnesia_history_publish (AmnesiaHistory *self)
{
  if (self->telling)
    return;

  self->telling = TRUE;
  while (show_drop (self) || show_noted (self))
    ;
  self->telling = FALSE;
}
