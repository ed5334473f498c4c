/* SPDX-License-Identifier: MIT */

#include "tool-asker.h"

#include "tool-terminal.h"
#include "tool-text.h"

#include <glib/gi18n.h>

/* The value is not what is asked for: a large one does not come. */
#define MAX_SIZE 1024

#define MILLISECOND 1000.0
#define SECOND 1000000.0

static void
copy_property (GObject    *from,
               GObject    *to,
               GParamSpec *pspec)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_object_get_property (from, pspec->name, &value);
  g_object_set_property (to, pspec->name, &value);
}

/* The same configuration with one entry only. */
static AmnesiaConf *
make_conf (AmnesiaConf *conf,
           const char  *host,
           guint        port)
{
  AmnesiaConf *copy = amnesia_conf_new ();
  g_autofree GParamSpec **properties = NULL;
  guint n;

  properties = g_object_class_list_properties (G_OBJECT_GET_CLASS (conf), &n);
  for (guint i = 0; i < n; i++)
    copy_property (G_OBJECT (conf), G_OBJECT (copy), properties[i]);
  amnesia_conf_set_max_size (copy, MAX_SIZE);
  amnesia_conf_add_peer (copy, host, port, NULL);

  return copy;
}

static void
on_notify (ToolAsker *self)
{
  if (self->on_news != NULL)
    self->on_news (self->user_data);
}

static void
take_peer (ToolAsker *self)
{
  if (self->peer != NULL)
    g_signal_handlers_disconnect_by_data (self->peer, self);
  g_clear_object (&self->peer);
  self->peer = g_list_model_get_item (amnesia_store_get_peers (self->store), 0);
  if (self->peer != NULL)
    g_signal_connect_swapped (self->peer, "notify", G_CALLBACK (on_notify), self);
}

/* Begins to ask: the main loop does the rest. */
ToolAsker *
tool_asker_new (AmnesiaConf *conf,
                guint        position)
{
  g_autoptr (AmnesiaConf) copy = NULL;
  ToolAsker *self = g_new0 (ToolAsker, 1);
  const char *host;

  amnesia_conf_get_peer (conf, position, &host, &self->port);
  self->host = g_strdup (host);
  copy = make_conf (conf, host, self->port);
  self->store = g_object_new (AMNESIA_TYPE_STORE, "guest", TRUE, "conf", copy, NULL);
  g_signal_connect_swapped (amnesia_store_get_peers (self->store), "items-changed",
                            G_CALLBACK (take_peer), self);

  return self;
}

void
tool_asker_free (ToolAsker *self)
{
  if (self->peer != NULL)
    g_signal_handlers_disconnect_by_data (self->peer, self);
  g_signal_handlers_disconnect_by_data (amnesia_store_get_peers (self->store), self);
  g_clear_object (&self->peer);
  g_clear_object (&self->store);
  g_free (self->host);
  g_free (self);
}

gboolean
tool_asker_is_here (ToolAsker *self)
{
  return self->peer != NULL && amnesia_peer_get_state (self->peer) == AMNESIA_PEER_STATE_CONNECTED;
}

AmnesiaWay
tool_asker_get_way (ToolAsker *self)
{
  return self->peer != NULL ? amnesia_peer_get_way (self->peer) : AMNESIA_WAY_NONE;
}

/* Whether all is known that will be. */
gboolean
tool_asker_is_settled (ToolAsker *self)
{
  if (tool_asker_is_here (self))
    return amnesia_peer_get_round_trip (self->peer) >= 0;

  return amnesia_store_get_state (self->store) == AMNESIA_STATE_ALONE;
}

/* What there is to be said, or NULL. */
const char *
tool_asker_get_note (ToolAsker *self)
{
  const GError *error = self->peer != NULL ? amnesia_peer_get_last_error (self->peer)
                                           : amnesia_store_get_error (self->store);

  return error != NULL ? error->message : NULL;
}

static char *
show_span (gint64 microseconds)
{
  if (ABS (microseconds) < 10 * MILLISECOND)
    return g_strdup_printf (_("%.2f ms"), microseconds / MILLISECOND);
  if (ABS (microseconds) < SECOND)
    return g_strdup_printf (_("%.0f ms"), microseconds / MILLISECOND);

  return g_strdup_printf (_("%.1f s"), microseconds / SECOND);
}

static const char *
name_state (ToolAsker *self)
{
  if (tool_asker_is_here (self))
    return _("here");

  return tool_asker_is_settled (self) ? _("away") : "…";
}

static const char *
name_way (AmnesiaWay way)
{
  switch (way)
    {
    case AMNESIA_WAY_TCP:
      return "TCP";
    case AMNESIA_WAY_LOCAL:
      return _("local");
    case AMNESIA_WAY_TLS:
      return "TLS";
    case AMNESIA_WAY_NONE:
    default:
      return "";
    }
}

static char *
show_note (ToolAsker *self)
{
  const char *note = tool_asker_get_note (self);
  g_autofree char *line = g_strdelimit (g_strdup (note != NULL ? note : ""), "\r\n", ' ');

  return tool_terminal_escape (line);
}

/* A row of the table. */
char **
tool_asker_to_cells (ToolAsker *self)
{
  gboolean here = tool_asker_is_here (self);
  gint64 round_trip = here ? amnesia_peer_get_round_trip (self->peer) : -1;
  g_autofree char *place = tool_text_join_place (self->host, self->port);
  char **cells = g_new0 (char *, 7);

  cells[0] = tool_terminal_escape (place);
  cells[1] = g_strdup (name_state (self));
  cells[2] = g_strdup (name_way (tool_asker_get_way (self)));
  cells[3] = round_trip >= 0 ? show_span (round_trip) : g_strdup ("");
  cells[4] = round_trip >= 0 ? show_span (amnesia_peer_get_clock_offset (self->peer)) : g_strdup ("");
  cells[5] = show_note (self);

  return cells;
}

static void
add_text (GVariantBuilder *builder,
          const char      *name,
          const char      *text)
{
  if (text != NULL)
    g_variant_builder_add (builder, "{sv}", name, g_variant_new_string (text));
}

static void
add_seconds (GVariantBuilder *builder,
             const char      *name,
             gint64           microseconds)
{
  g_variant_builder_add (builder, "{sv}", name, g_variant_new_double (microseconds / SECOND));
}

/* The same for programs: what is not known is left out. */
GVariant *
tool_asker_to_variant (ToolAsker *self)
{
  static const char *const ways[] = { NULL, "tcp", "local", "tls" };
  gboolean here = tool_asker_is_here (self);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_text (&builder, "host", self->host);
  g_variant_builder_add (&builder, "{sv}", "port", g_variant_new_uint32 (self->port));
  add_text (&builder, "state", here ? "here" : "away");
  add_text (&builder, "way", ways[tool_asker_get_way (self)]);
  /* before the first one it is a guess */
  if (here && amnesia_peer_get_round_trip (self->peer) >= 0)
    {
      add_seconds (&builder, "round-trip", amnesia_peer_get_round_trip (self->peer));
      add_seconds (&builder, "clock-offset", amnesia_peer_get_clock_offset (self->peer));
    }
  add_text (&builder, "note", tool_asker_get_note (self));

  return g_variant_ref_sink (g_variant_builder_end (&builder));
}
