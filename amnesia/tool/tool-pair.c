/* SPDX-License-Identifier: MIT */

#include "tool-pair.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* Nothing takes so long, in seconds, unless something is wrong. */
#define PATIENCE 30
#define MAX_SIZE (64 << 20)

/* A question is an array of bytes which begins with a number; the answer is the next number. */
#define QUESTION "ay"
#define ANSWER "t"

/* --- the one who answers --- */

static void
on_question (AmnesiaStore *store,
             GVariant     *old_value,
             GVariant     *new_value)
{
  guint64 number;

  if (new_value == NULL || !g_variant_is_of_type (new_value, G_VARIANT_TYPE (QUESTION)))
    return;
  memcpy (&number, g_variant_get_data (new_value), sizeof number);
  amnesia_store_set_data (store, g_variant_new_uint64 (number + 1));
}

/* Who has begun the measurement has gone, whatever has become of it. */
static gboolean
on_end (int          fd,
        GIOCondition condition,
        gpointer     user_data)
{
  gboolean *ended = user_data;

  *ended = TRUE;

  return G_SOURCE_REMOVE;
}

/* Takes part and answers, until the standard input ends. */
ToolExit
tool_pair_answer (const char *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_json (json, &error);
  g_autoptr (AmnesiaStore) store = amnesia_store_new ();
  gboolean ended = FALSE;

  if (conf == NULL)
    {
      tool_say_error ("%s", error->message);
      return TOOL_FAILED;
    }
  g_signal_connect (store, "changed", G_CALLBACK (on_question), NULL);
  amnesia_store_set_conf (store, conf);
  g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_end, &ended);
  while (!ended)
    g_main_context_iteration (NULL, TRUE);
  amnesia_store_set_close_timeout (store, 0);
  amnesia_store_close_sync (store, NULL, NULL);

  return TOOL_DONE;
}

/* --- the one who asks --- */

/* A port that is free at this moment: of an address that nobody else has, it stays so. */
static guint16
find_port (const char  *host,
           GError     **error)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_TCP, error);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string (host, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  if (socket == NULL || !g_socket_bind (socket, any, TRUE, error))
    return 0;
  bound = g_socket_get_local_address (socket, error);

  return bound != NULL ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)) : 0;
}

static char *
make_json (AmnesiaWay   way,
           GError     **error)
{
  g_autofree char *host = g_strdup_printf ("127.%d.%d.%d", g_random_int_range (1, 255),
                                           g_random_int_range (1, 255), g_random_int_range (1, 255));
  guint port = find_port (host, error);
  guint other_port = port != 0 ? find_port (host, error) : 0;

  if (port == other_port && port != 0)
    other_port = port != G_MAXUINT16 ? port + 1 : port - 1;
  if (other_port == 0)
    return NULL;

  return g_strdup_printf ("{\"peers\":[{\"host\":\"%s\",\"port\":%u},{\"host\":\"%s\",\"port\":%u}],"
                          "\"max-size\":%d,\"local\":%s}",
                          host, port, host, other_port, MAX_SIZE,
                          way == AMNESIA_WAY_LOCAL ? "true" : "false");
}

static void
on_changed (AmnesiaStore *store,
            GVariant     *old_value,
            GVariant     *new_value,
            gboolean      remote,
            ToolPair     *self)
{
  self->answered |= new_value != NULL && g_variant_is_of_type (new_value, G_VARIANT_TYPE (ANSWER)) &&
                    g_variant_get_uint64 (new_value) == self->number + 1;
}

static void
on_other_ended (GObject      *other,
                GAsyncResult *result,
                gpointer      user_data)
{
  ToolPair *self = user_data;

  g_subprocess_wait_finish (G_SUBPROCESS (other), result, NULL);
  self->ended = TRUE;
}

/* Who gives no answer for so long gives none any more. */
static gboolean
on_tick (gpointer user_data)
{
  ToolPair *self = user_data;

  if (g_get_monotonic_time () - self->began > PATIENCE * G_TIME_SPAN_SECOND)
    g_subprocess_force_exit (self->other);

  return G_SOURCE_CONTINUE;
}

static gboolean
start_other (ToolPair    *self,
             const char  *json,
             GError     **error)
{
  g_autofree char *argument = g_strconcat ("--answer=", json, NULL);

  self->other = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE, error, "/proc/self/exe", "bench",
                                  argument, NULL);
  if (self->other == NULL)
    return FALSE;
  g_subprocess_wait_async (self->other, NULL, on_other_ended, self);
  self->began = g_get_monotonic_time ();
  self->tick = g_timeout_add (1000, on_tick, self);

  return TRUE;
}

static AmnesiaWay
get_way (ToolPair *self)
{
  g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (amnesia_store_get_peers (self->store), 0);

  return peer != NULL ? amnesia_peer_get_way (peer) : AMNESIA_WAY_NONE;
}

/* Whether the two are linked, and as they should be. */
static gboolean
wait_for_other (ToolPair    *self,
                AmnesiaWay   way,
                GError     **error)
{
  while (get_way (self) == AMNESIA_WAY_NONE && !self->ended)
    g_main_context_iteration (NULL, TRUE);
  if (self->ended)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, _("The second process has ended"));
  else if (get_way (self) != way)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                 _("Here is no local way: it needs a folder in XDG_RUNTIME_DIR"));
  else
    return TRUE;

  return FALSE;
}

/* Starts the second process, and waits until it is there. */
gboolean
tool_pair_begin (ToolPair    *self,
                 AmnesiaWay   way,
                 GError     **error)
{
  g_autofree char *json = make_json (way, error);

  *self = (ToolPair) { 0 };
  if (json == NULL)
    return FALSE;
  self->conf = amnesia_conf_new_from_json (json, error);
  if (self->conf == NULL)
    return FALSE;
  self->store = amnesia_store_new ();
  g_signal_connect (self->store, "changed", G_CALLBACK (on_changed), self);
  amnesia_store_set_conf (self->store, self->conf);
  /* so that the first entry is ours by now */
  if (!amnesia_store_open_sync (self->store, NULL, error))
    return FALSE;

  return start_other (self, json, error) && wait_for_other (self, way, error);
}

static GVariant *
make_question (ToolPair *self,
               gsize     size)
{
  guint64 *bytes = g_malloc0 (size);

  *bytes = self->number;

  return g_variant_new_from_data (G_VARIANT_TYPE (QUESTION), bytes, size, TRUE, g_free, bytes);
}

/* Sends so many bytes, 8 at least, and waits for the answer. */
gboolean
tool_pair_ask (ToolPair  *self,
               gsize      size,
               GError   **error)
{
  self->number += 2;
  self->answered = FALSE;
  self->began = g_get_monotonic_time ();
  if (!amnesia_store_write (self->store, make_question (self, size), error))
    return FALSE;
  while (!self->answered && !self->ended)
    g_main_context_iteration (NULL, TRUE);
  if (!self->answered)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, _("The second process has ended"));

  return self->answered;
}

/* Lets the second process end. */
void
tool_pair_end (ToolPair *self)
{
  if (self->other != NULL)
    {
      self->began = g_get_monotonic_time ();
      g_output_stream_close (g_subprocess_get_stdin_pipe (self->other), NULL, NULL);
      while (!self->ended)
        g_main_context_iteration (NULL, TRUE);
    }
  g_clear_handle_id (&self->tick, g_source_remove);
  if (self->store != NULL)
    amnesia_store_close_sync (self->store, NULL, NULL);
  g_clear_object (&self->store);
  g_clear_object (&self->other);
  g_clear_object (&self->conf);
}
