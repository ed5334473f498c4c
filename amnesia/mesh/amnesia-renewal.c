/* SPDX-License-Identifier: MIT */

#include "amnesia-renewal-private.h"

#include "amnesia-limits-private.h"

/* Certificate and key are most often written one after the other; each alone is wrong. */
#define SETTLE_MS 500

struct _AmnesiaRenewal
{
  GMainContext      *context;  /* (owned) */
  AmnesiaTls        *tls;      /* (owned) */
  AmnesiaRenewalFunc log;
  gpointer           user_data;
  GPtrArray         *monitors; /* (owned) (element-type GFileMonitor) */
  GSource           *settle;   /* (owned) (nullable) a file has changed */
  GSource           *reminder; /* (owned) once a day */
};

static GSource *
call_in (AmnesiaRenewal *self,
         GSource        *source,
         GSourceFunc     func)
{
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static void
destroy_source (gpointer source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

static void
tell_doubts (AmnesiaRenewal *self)
{
  g_autofree char *doubts = amnesia_tls_describe_doubts (self->tls);

  if (doubts != NULL)
    self->log (doubts, self->user_data);
}

static gboolean
remind_cb (gpointer user_data)
{
  tell_doubts (user_data);
  return G_SOURCE_CONTINUE;
}

static void
reload (AmnesiaRenewal *self)
{
  g_autoptr (GError) error = NULL;

  if (amnesia_tls_reload (self->tls, &error))
    {
      self->log ("The certificate and its authorities were read again: new connections use them",
                 self->user_data);
      tell_doubts (self);
    }
  else
    {
      g_autofree char *message =
        g_strdup_printf ("The certificate or its authorities have changed, but what was read before "
                         "stays in use: %s", error->message);

      self->log (message, self->user_data);
    }
}

static gboolean
settle_cb (gpointer user_data)
{
  AmnesiaRenewal *self = user_data;

  g_clear_pointer (&self->settle, destroy_source);
  reload (self);
  return G_SOURCE_REMOVE;
}

static void
changed_cb (AmnesiaRenewal *self)
{
  g_clear_pointer (&self->settle, destroy_source);
  self->settle = call_in (self, g_timeout_source_new (SETTLE_MS), settle_cb);
}

static void
watch_file (AmnesiaRenewal *self,
            const char     *name)
{
  g_autoptr (GFile) file = NULL;
  GFileMonitor *monitor;

  if (name == NULL || amnesia_tls_is_uri (name))
    return;
  file = g_file_new_for_path (name);
  monitor = g_file_monitor_file (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
  if (monitor == NULL)
    return;
  g_signal_connect_swapped (monitor, "changed", G_CALLBACK (changed_cb), self);
  g_ptr_array_add (self->monitors, monitor);
}

static void
monitor_free (gpointer monitor)
{
  g_file_monitor_cancel (monitor);
  g_object_unref (monitor);
}

AmnesiaRenewal *
amnesia_renewal_new (GMainContext       *context,
                     AmnesiaTls         *tls,
                     AmnesiaRenewalFunc  log,
                     gpointer            user_data)
{
  AmnesiaRenewal *self = g_new0 (AmnesiaRenewal, 1);
  const AmnesiaTlsFiles *files = amnesia_tls_get_files (tls);

  self->context = g_main_context_ref (context);
  self->tls = amnesia_tls_ref (tls);
  self->log = log;
  self->user_data = user_data;
  self->monitors = g_ptr_array_new_with_free_func (monitor_free);
  self->reminder = call_in (self, g_timeout_source_new_seconds (AMNESIA_CERTIFICATE_REMIND /
                                                                AMNESIA_SECOND), remind_cb);
  g_main_context_push_thread_default (context);
  if (files != NULL)
    {
      watch_file (self, files->certificate);
      watch_file (self, files->private_key);
      watch_file (self, files->authorities);
    }
  g_main_context_pop_thread_default (context);
  /* nobody has watched them since they were read */
  if (files != NULL && amnesia_tls_files_have_changed (files))
    reload (self);
  else
    tell_doubts (self);
  return self;
}

void
amnesia_renewal_free (AmnesiaRenewal *self)
{
  guint i;

  for (i = 0; i < self->monitors->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->monitors, i), self);
  g_ptr_array_unref (self->monitors);
  g_clear_pointer (&self->settle, destroy_source);
  destroy_source (self->reminder);
  amnesia_tls_unref (self->tls);
  g_main_context_unref (self->context);
  g_free (self);
}
