/* SPDX-License-Identifier: MIT */

#include "tool-check-tls.h"
#include "tool-place.h"
#include "tool-rows.h"
#include "tool-session.h"
#include "tool-table.h"
#include "tool-terminal.h"
#include "tool-text.h"

#include <glib/gi18n.h>
#include <unistd.h>

/* How long the names may take, if the command line does not say it; in seconds. */
#define PATIENCE 5

typedef struct
{
  ToolSession  session;
  AmnesiaConf *conf;    /* that of the session */
  ToolPlace   *places;  /* (owned) one per entry */
  guint        n_places;
  GPtrArray   *rows;    /* (owned) */
  GPtrArray   *remarks; /* (owned) */
} Check;

static void
check_clear (Check *self)
{
  for (guint i = 0; i < self->n_places; i++)
    tool_place_clear (&self->places[i]);
  g_clear_pointer (&self->places, g_free);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->remarks, g_ptr_array_unref);
  tool_session_clear (&self->session);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Check, check_clear)

/* --- the list --- */

static gboolean
on_patience (gpointer user_data)
{
  g_cancellable_cancel (user_data);

  return G_SOURCE_CONTINUE;
}

/* All names at once. */
static void
look_up (Check *self)
{
  double patience = self->session.timeout > 0 ? self->session.timeout : PATIENCE;
  guint n_pending = 0;
  guint source = g_timeout_add ((guint) (patience * 1000), on_patience, self->session.cancellable);

  self->n_places = amnesia_conf_get_n_peers (self->conf);
  self->places = g_new0 (ToolPlace, self->n_places);
  for (guint i = 0; i < self->n_places; i++)
    {
      const char *host;
      guint port;

      amnesia_conf_get_peer (self->conf, i, &host, &port);
      tool_place_look_up (&self->places[i], host, port, self->session.cancellable, &n_pending);
    }
  while (n_pending > 0)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
}

static void
add_place (Check *self,
           guint  position)
{
  ToolPlace *place = &self->places[position];
  g_autofree char *name = tool_text_join_place (place->host, place->port);
  g_autofree char *what = tool_place_describe (place);

  tool_rows_add (self->rows, name, what);
  if (place->addresses == NULL)
    tool_rows_remark (self->remarks, _("%s cannot be found by its name"), name);
}

static void
check_list (Check *self)
{
  guint n_here = 0, n_free = 0;

  look_up (self);
  for (guint i = 0; i < self->n_places; i++)
    {
      add_place (self, i);
      n_here += self->places[i].is_here;
      n_free += self->places[i].is_here && !self->places[i].is_taken;
    }
  if (n_here == 0)
    tool_rows_remark (self->remarks, _("No entry is of this machine: programs here take part as guests"));
  else if (n_free == 0)
    tool_rows_remark (self->remarks, _("All entries of this machine are taken: a further program here "
                                       "takes part as a guest"));
}

/* --- all else --- */

/* What the configuration itself does not tell: it is JSON, as we know by now. */
static GVariant *
read_members (Check *self)
{
  g_autofree char *text = NULL;
  GVariant *value;

  if (!g_file_get_contents (self->session.conf_name, &text, NULL, NULL))
    return NULL;
  value = amnesia_from_json (text, NULL);
  if (value != NULL && !g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
    g_clear_pointer (&value, g_variant_unref);

  return value;
}

static void
add_allow (Check    *self,
           GVariant *members)
{
  g_autoptr (GVariant) ranges = g_variant_lookup_value (members, "allow", G_VARIANT_TYPE ("av"));
  GString *text = g_string_new (NULL);
  g_autofree char *list = NULL;
  GVariantIter iter;
  GVariant *box;

  if (ranges != NULL)
    {
      g_variant_iter_init (&iter, ranges);
      while (g_variant_iter_loop (&iter, "v", &box))
        g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "",
                                g_variant_get_string (box, NULL));
    }
  list = g_string_free (text, FALSE);
  if (*list != '\0')
    tool_rows_add (self->rows, _("guests from"), list);
}

static void
add_listen (Check    *self,
            GVariant *members)
{
  g_autoptr (GVariant) listen = g_variant_lookup_value (members, "listen", G_VARIANT_TYPE_VARDICT);
  g_autofree char *text = NULL;
  const char *host;
  gint64 port;

  if (listen == NULL || !g_variant_lookup (listen, "host", "&s", &host) ||
      !g_variant_lookup (listen, "port", "x", &port))
    return;
  text = tool_text_join_place (host, (guint) port);
  tool_rows_add (self->rows, _("listens on"), text);
}

static void
add_limits (Check *self)
{
  g_autofree char *size = g_format_size_full (amnesia_conf_get_max_size (self->conf),
                                              G_FORMAT_SIZE_IEC_UNITS);
  guint limit = amnesia_conf_get_clock_limit (self->conf);
  g_autofree char *clocks = g_strdup_printf (_("%u s apart at most"), limit);

  tool_rows_add (self->rows, _("largest value"), size);
  tool_rows_add (self->rows, _("clocks"), limit > 0 ? clocks : _("as they like"));
  if (!amnesia_conf_get_local (self->conf))
    tool_rows_add (self->rows, _("Unix sockets"), _("not used"));
}

static void
check_rest (Check *self)
{
  g_autoptr (GVariant) members = read_members (self);
  const char *group = amnesia_conf_get_group (self->conf);

  if (*group != '\0')
    tool_rows_add (self->rows, _("group"), group);
  if (members != NULL)
    {
      add_allow (self, members);
      add_listen (self, members);
    }
  add_limits (self);
  tool_rows_add (self->rows, _("TLS"), amnesia_conf_get_tls_certificate (self->conf) != NULL
                                       ? _("between machines") : _("none: all can be read on the way"));
  tool_check_tls (self->conf, self->rows, self->remarks);
}

/* --- the command --- */

static ToolExit
print (Check *self)
{
  g_autofree char *table = tool_table_to_text (self->rows, tool_terminal_get_columns (STDOUT_FILENO));
  ToolExit result = tool_text_show (g_strchomp (table));

  for (guint i = 0; i < self->remarks->len && result == TOOL_DONE; i++)
    result = tool_text_show (g_ptr_array_index (self->remarks, i));

  return result == TOOL_DONE ? tool_text_show (_("ok")) : result;
}

static int
check (Check *self)
{
  ToolExit result = tool_session_begin (&self->session);

  if (result != TOOL_DONE)
    return result;
  self->conf = self->session.conf;
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  self->remarks = g_ptr_array_new_with_free_func (g_free);
  check_list (self);
  check_rest (self);
  result = print (self);

  return tool_session_get_result (&self->session, result);
}

static int
run (int    argc,
     char **argv)
{
  g_auto (Check) self = { 0 };
  g_auto (GStrv) arguments = NULL;

  tool_session_init (&self.session, TRUE);
  if (!tool_parse (&tool_check_conf_command, tool_session_new_conf_group (&self.session, NULL), argc,
                   argv, 0, 1, &arguments))
    return TOOL_USAGE;
  if (arguments[0] != NULL)
    {
      g_free (self.session.conf_name);
      self.session.conf_name = tool_text_to_locale (arguments[0], NULL);
    }

  return check (&self);
}

const ToolCommand tool_check_conf_command = {
  .name = "check-conf",
  .arguments = N_("[FILE]"),
  .summary = N_("Check a configuration, and say what is in it"),
  .description = N_("Exits with 1 if it is wrong, and says where."),
  .run = run,
};
