/* SPDX-License-Identifier: MIT */

/* Neither GIO nor what is behind it looks whether a key fits its certificate, before a peer finds out
 * that it does not: so here it is shown to ourselves. */

#include "amnesia-tls-rehearsal-private.h"

#include "amnesia-tls-pipe-private.h"

typedef struct
{
  GSource         source;
  AmnesiaTlsPipe *near; /* (owned) */
  AmnesiaTlsPipe *far;  /* (owned) */
} Pump;

typedef struct
{
  Pump   *pump;    /* (owned) what one side has said the other one gets */
  guint   n_going; /* how many sides have not ended */
  GError *error;   /* (owned) (nullable) of the first that failed */
} Rehearsal;

/* The threads make it ready. */
static gboolean
pump_dispatch (GSource     *source,
               GSourceFunc  callback,
               gpointer     user_data)
{
  Pump *pump = (Pump *) source;

  g_source_set_ready_time (source, -1);
  amnesia_tls_pipe_pass (pump->near, pump->far);
  amnesia_tls_pipe_pass (pump->far, pump->near);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs pump_funcs = { .dispatch = pump_dispatch };

static Pump *
pump_new (GMainContext *context)
{
  GSource *source = g_source_new (&pump_funcs, sizeof (Pump));
  Pump *pump = (Pump *) source;

  g_source_set_static_name (source, "[amnesia] rehearsal");
  pump->near = amnesia_tls_pipe_new (source);
  pump->far = amnesia_tls_pipe_new (source);
  amnesia_tls_pipe_set_patient (pump->near, TRUE);
  amnesia_tls_pipe_set_patient (pump->far, TRUE);
  g_source_attach (source, context);
  return pump;
}

/* Each of the pipes holds the source. */
static void
pump_free (Pump *pump)
{
  g_source_destroy ((GSource *) pump);
  g_object_unref (pump->near);
  g_object_unref (pump->far);
  g_source_unref ((GSource *) pump);
}

static void
ended_cb (GObject      *source,
          GAsyncResult *result,
          gpointer      user_data)
{
  Rehearsal *self = user_data;
  g_autoptr (GError) error = NULL;

  self->n_going--;
  pump_dispatch ((GSource *) self->pump, NULL, NULL);
  if (g_tls_connection_handshake_finish (G_TLS_CONNECTION (source), result, &error))
    return;
  if (self->error == NULL)
    self->error = g_steal_pointer (&error);
  amnesia_tls_pipe_end (self->pump->near);
  amnesia_tls_pipe_end (self->pump->far);
}

static gboolean
accept_cb (void)
{
  return TRUE;
}

static void
begin (Rehearsal *self,
       GIOStream *connection)
{
  self->n_going++;
  g_signal_connect (connection, "accept-certificate", G_CALLBACK (accept_cb), NULL);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (connection), G_PRIORITY_DEFAULT, NULL, ended_cb,
                                    self);
}

static void
run (Rehearsal        *self,
     GMainContext     *context,
     GTlsCertificate  *certificate)
{
  g_autoptr (GIOStream) server =
    g_tls_server_connection_new (G_IO_STREAM (self->pump->far), certificate, &self->error);
  g_autoptr (GIOStream) client = NULL;

  if (server == NULL)
    return;
  client = g_tls_client_connection_new (G_IO_STREAM (self->pump->near), NULL, &self->error);
  if (client == NULL)
    return;
  begin (self, server);
  begin (self, client);
  while (self->n_going > 0)
    g_main_context_iteration (context, TRUE);
}

/* Whether somebody who takes any certificate would take this one. */
gboolean
amnesia_tls_rehearse (GTlsCertificate  *certificate,
                      GError          **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Rehearsal self = { pump_new (context) };

  g_main_context_push_thread_default (context);
  run (&self, context, certificate);
  g_main_context_pop_thread_default (context);
  pump_free (self.pump);
  if (self.error == NULL)
    return TRUE;
  g_propagate_error (error, self.error);
  return FALSE;
}
