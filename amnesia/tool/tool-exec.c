/* SPDX-License-Identifier: MIT */

#include "tool-exec.h"

#include "tool-command.h"
#include "tool-text.h"
#include "tool-value.h"

#include <glib/gi18n.h>

#define KEY_VARIABLE "AMNESIA_KEY"

/* A change that waits for the command. */
typedef struct
{
  char     *key;      /* (owned) (nullable) NULL: the whole value */
  GVariant *value;    /* (owned) (nullable) */
  gboolean  is_known; /* there was a value before, of which the command has heard */
} Job;

/* Runs a command of the shell for each change, one at a time. What is changed again before its turn
 * has come is one job, with the newest value; what comes and goes before that is none, as there may be
 * any number of such keys. */
struct _ToolExec
{
  char        *command; /* (owned) */
  GQueue       waiting; /* (owned) of Job */
  GSubprocess *running; /* (owned) (nullable) */
};

static void
job_free (gpointer data)
{
  Job *job = data;

  g_free (job->key);
  g_clear_pointer (&job->value, g_variant_unref);
  g_free (job);
}

ToolExec *
tool_exec_new (const char *command)
{
  ToolExec *self = g_new0 (ToolExec, 1);

  self->command = g_strdup (command);
  g_queue_init (&self->waiting);

  return self;
}

/* Only when it is idle, or the main loop does not run any more. */
void
tool_exec_free (ToolExec *self)
{
  g_queue_clear_full (&self->waiting, job_free);
  g_clear_object (&self->running);
  g_free (self->command);
  g_free (self);
}

/* What the command reads: nothing, if there is no value any more. */
static GBytes *
make_input (GVariant *value)
{
  g_autofree char *json = NULL;
  char *line;

  if (value == NULL)
    return g_bytes_new_static ("", 0);
  json = tool_value_show (value);
  line = g_strconcat (json, "\n", NULL);

  return g_bytes_new_take (line, strlen (line));
}

static GSubprocess *
start (ToolExec    *self,
       const char  *key,
       GError     **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
    g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE);
  g_autofree char *name = key != NULL ? tool_text_to_locale (key, NULL) : NULL;

  /* as UTF-8, if the locale cannot write it: nobody is to miss a change */
  if (key != NULL)
    g_subprocess_launcher_setenv (launcher, KEY_VARIABLE, name != NULL ? name : key, TRUE);
  else
    g_subprocess_launcher_unsetenv (launcher, KEY_VARIABLE);

  return g_subprocess_launcher_spawn (launcher, error, "/bin/sh", "-c", self->command, NULL);
}

static void
say_how_it_ended (ToolExec    *self,
                  GSubprocess *process)
{
  if (g_subprocess_get_if_signaled (process))
    tool_say_error (_("“%s” was ended by signal %d"), self->command,
                    g_subprocess_get_term_sig (process));
  else if (g_subprocess_get_exit_status (process) != 0)
    tool_say_error (_("“%s” ended with code %d"), self->command,
                    g_subprocess_get_exit_status (process));
}

static void run_next (ToolExec *self);

static void
on_end (GObject      *source,
        GAsyncResult *result,
        gpointer      user_data)
{
  ToolExec *self = user_data;

  g_subprocess_wait_finish (self->running, result, NULL);
  say_how_it_ended (self, self->running);
  g_clear_object (&self->running);
  run_next (self);
}

/* A command need not read what it is given. */
static void
on_written (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  ToolExec *self = user_data;

  g_subprocess_communicate_finish (self->running, result, NULL, NULL, NULL);
  g_subprocess_wait_async (self->running, NULL, on_end, self);
}

static void
run (ToolExec  *self,
     const Job *job)
{
  g_autoptr (GBytes) input = make_input (job->value);
  g_autoptr (GError) error = NULL;

  self->running = start (self, job->key, &error);
  if (self->running != NULL)
    g_subprocess_communicate_async (self->running, input, NULL, on_written, self);
  else
    tool_say_error (_("“%s” cannot be run: %s"), self->command, error->message);
}

static void
run_next (ToolExec *self)
{
  while (self->running == NULL && !g_queue_is_empty (&self->waiting))
    {
      Job *job = g_queue_pop_head (&self->waiting);

      run (self, job);
      job_free (job);
    }
}

static int
compare_key (gconstpointer job,
             gconstpointer key)
{
  return g_strcmp0 (((const Job *) job)->key, key);
}

/* Takes a job that waits for this key out of the queue. Returns whether it is of a value of which the
 * command has heard, or without a job @is_known. */
static gboolean
drop_waiting (ToolExec   *self,
              const char *key,
              gboolean    is_known)
{
  GList *waiting = g_queue_find_custom (&self->waiting, key, compare_key);

  if (waiting == NULL)
    return is_known;
  is_known = ((Job *) waiting->data)->is_known;
  job_free (waiting->data);
  g_queue_delete_link (&self->waiting, waiting);

  return is_known;
}

/* Has the command run for what @key, or the whole value, has become. */
void
tool_exec_push (ToolExec         *self,
                const ToolChange *change)
{
  gboolean is_known = drop_waiting (self, change->key, change->old_value != NULL);
  Job *job;

  if (!is_known && change->new_value == NULL)
    return;
  /* the newest comes last, so that who follows all ends with what there is */
  job = g_new0 (Job, 1);
  job->key = g_strdup (change->key);
  job->value = change->new_value != NULL ? g_variant_ref (change->new_value) : NULL;
  job->is_known = is_known;
  g_queue_push_tail (&self->waiting, job);
  run_next (self);
}

gboolean
tool_exec_is_idle (ToolExec *self)
{
  return self->running == NULL;
}

/* Forgets what waits, and hands the signal on to what runs. */
void
tool_exec_stop (ToolExec *self,
                int       signal)
{
  g_queue_clear_full (&self->waiting, job_free);
  if (self->running != NULL)
    g_subprocess_send_signal (self->running, signal);
}
