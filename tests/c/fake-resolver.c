/* SPDX-License-Identifier: MIT */

#include "fake-resolver.h"

typedef GResolverClass FakeResolverClass;

GType fake_resolver_get_type (void);
G_DEFINE_TYPE (FakeResolver, fake_resolver, G_TYPE_RESOLVER)

/* Looks again and again, for as long as there is no answer. */
static gboolean
answer_cb (gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  FakeResolver *self = g_task_get_source_object (task);
  const char *text = g_hash_table_lookup (self->names, g_task_get_task_data (task));
  g_auto (GStrv) list = NULL;
  GList *addresses = NULL;
  guint i;

  if (text == NULL && !g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    {
      g_steal_pointer (&task);
      return G_SOURCE_CONTINUE;
    }
  self->n_running--;
  list = g_strsplit (text != NULL ? text : "", " ", 0);
  for (i = 0; list[i] != NULL; i++)
    addresses = g_list_append (addresses, g_inet_address_new_from_string (list[i]));
  if (addresses != NULL)
    g_task_return_pointer (task, addresses, (GDestroyNotify) g_resolver_free_addresses);
  else
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no such name");
  return G_SOURCE_REMOVE;
}

static void
fake_resolver_lookup_async (GResolver           *object,
                            const char          *host,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  FakeResolver *self = (FakeResolver *) object;
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GSource) source = g_timeout_source_new (20);

  self->n_asked++;
  self->n_running++;
  self->n_most = MAX (self->n_most, self->n_running);
  g_task_set_task_data (task, g_strdup (host), g_free);
  g_source_set_callback (source, answer_cb, task, NULL);
  g_source_attach (source, g_task_get_context (task));
}

static GList *
fake_resolver_lookup_finish (GResolver     *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fake_resolver_finalize (GObject *object)
{
  g_hash_table_unref (((FakeResolver *) object)->names);
  G_OBJECT_CLASS (fake_resolver_parent_class)->finalize (object);
}

static void
fake_resolver_class_init (FakeResolverClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_resolver_finalize;
  klass->lookup_by_name_async = fake_resolver_lookup_async;
  klass->lookup_by_name_finish = fake_resolver_lookup_finish;
}

static void
fake_resolver_init (FakeResolver *self)
{
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

FakeResolver *
fake_resolver_new (void)
{
  return g_object_new (fake_resolver_get_type (), NULL);
}

/* @addresses: (nullable): with spaces between them; "": there are none; NULL: no answer comes */
void
fake_resolver_name (FakeResolver *self,
                    const char   *host,
                    const char   *addresses)
{
  g_hash_table_insert (self->names, g_strdup (host), g_strdup (addresses));
}
