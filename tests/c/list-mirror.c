/* SPDX-License-Identifier: MIT */

#include "list-mirror.h"

struct _ListMirror
{
  GListModel *model;     /* (owned) */
  GPtrArray  *items;     /* (owned) (element-type GObject) */
  gulong      handler;
  guint       n_changes; /* how often the model told of one */
  guint       peak;      /* how many items there were at most */
};

/* Compares the copy with the model. */
void
list_mirror_check (ListMirror *self)
{
  g_autoptr (GObject) beyond = g_list_model_get_item (self->model, self->items->len);

  g_assert_cmpuint (g_list_model_get_n_items (self->model), ==, self->items->len);
  g_assert_null (beyond);
  for (guint i = 0; i < self->items->len; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_item (self->model, i);

      g_assert_true (item == self->items->pdata[i]);
      g_assert_true (g_type_is_a (G_OBJECT_TYPE (item), g_list_model_get_item_type (self->model)));
    }
}

static void
items_changed_cb (GListModel *model,
                  guint       position,
                  guint       removed,
                  guint       added,
                  ListMirror *self)
{
  g_assert_cmpuint (removed + added, >, 0);
  g_assert_cmpuint (position + removed, <=, self->items->len);
  if (removed > 0)
    g_ptr_array_remove_range (self->items, position, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (self->items, (int) (position + i),
                        g_list_model_get_item (model, position + i));
  self->n_changes++;
  self->peak = MAX (self->peak, self->items->len);
  list_mirror_check (self);
}

ListMirror *
list_mirror_new (GListModel *model)
{
  ListMirror *self = g_new0 (ListMirror, 1);

  self->model = g_object_ref (model);
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < g_list_model_get_n_items (model); i++)
    g_ptr_array_add (self->items, g_list_model_get_item (model, i));
  self->handler = g_signal_connect (model, "items-changed", G_CALLBACK (items_changed_cb), self);

  return self;
}

void
list_mirror_free (ListMirror *self)
{
  list_mirror_check (self);
  g_signal_handler_disconnect (self->model, self->handler);
  g_ptr_array_unref (self->items);
  g_object_unref (self->model);
  g_free (self);
}

/* How many items there were at most when the model told of a change. */
guint
list_mirror_get_peak (ListMirror *self)
{
  return self->peak;
}

/* How often the model has told of a change since the last time that this was asked. */
guint
list_mirror_count (ListMirror *self)
{
  guint n = self->n_changes;

  self->n_changes = 0;

  return n;
}
