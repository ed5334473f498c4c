/* SPDX-License-Identifier: MIT */

#include "tool-change.h"

#include "tool-show.h"
#include "tool-terminal.h"

#include <glib/gi18n.h>

#define ARROW " → "
/* Values are never cut to less. */
#define MIN_COLUMNS 20

static char *
show_value (GVariant   *value,
            const char *key)
{
  if (value == NULL)
    return g_strdup (key != NULL ? _("(none)") : _("(unset)"));

  return tool_show_value (value);
}

/* Gives both the half of the room, and to one what the other does not need. */
static char *
join_values (const char *old_text,
             const char *new_text,
             guint       columns)
{
  guint old_columns = tool_terminal_measure (old_text);
  guint new_columns = tool_terminal_measure (new_text);
  g_autofree char *old_cut = NULL;
  g_autofree char *new_cut = NULL;
  guint half = columns / 2;

  if (old_columns + new_columns <= columns)
    return g_strconcat (old_text, ARROW, new_text, NULL);
  old_cut = tool_terminal_cut (old_text, new_columns < half ? columns - new_columns
                                                            : MIN (old_columns, half));
  new_cut = tool_terminal_cut (new_text, columns - MIN (old_columns, half));

  return g_strconcat (old_cut, ARROW, new_cut, NULL);
}

static char *
show_values (const ToolChange *self,
             guint             columns)
{
  g_autofree char *old_text = show_value (self->old_value, self->key);
  g_autofree char *new_text = show_value (self->new_value, self->key);

  if (self->is_first)
    return tool_terminal_cut (new_text, columns);

  return join_values (old_text, new_text, columns - tool_terminal_measure (ARROW));
}

static char *
show_head (const ToolChange *self)
{
  g_autoptr (GDateTime) when = g_date_time_to_local (self->when);
  g_autofree char *time = g_date_time_format (when, "%H:%M:%S");
  g_autofree char *key = self->key != NULL ? tool_terminal_escape (self->key) : NULL;

  return g_strconcat (time, "  ", key, key != NULL ? "  " : NULL, NULL);
}

static char *
show_tail (const ToolChange *self)
{
  g_autofree char *writer = self->writer != NULL ? tool_terminal_escape (self->writer) : NULL;

  return writer != NULL ? g_strdup_printf ("  (%s)", writer) : g_strdup ("");
}

/* @columns: how wide a line may be; 0: as wide as it is. */
char *
tool_change_to_line (const ToolChange *self,
                     guint             columns)
{
  g_autofree char *head = show_head (self);
  g_autofree char *tail = show_tail (self);
  g_autofree char *values = NULL;
  guint used = tool_terminal_measure (head) + tool_terminal_measure (tail);
  guint room = columns > used + MIN_COLUMNS ? columns - used : MIN_COLUMNS;

  values = show_values (self, columns > 0 ? room : G_MAXINT);

  return g_strconcat (head, values, tail, NULL);
}

static void
add_text (GVariantBuilder *builder,
          const char      *name,
          const char      *text)
{
  g_variant_builder_add (builder, "{sv}", name,
                         text != NULL ? g_variant_new_string (text)
                                      : g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL));
}

/* What has no form in JSON is the text of a GVariant there. */
static void
add_value (GVariantBuilder *builder,
           const char      *name,
           GVariant        *value)
{
  g_autofree char *json = amnesia_to_json (value, NULL);
  g_autofree char *text = json == NULL ? g_variant_print (value, TRUE) : NULL;

  if (text != NULL || value == NULL)
    add_text (builder, name, text);
  else
    g_variant_builder_add (builder, "{sv}", name, value);
}

char *
tool_change_to_json (const ToolChange  *self,
                     GError           **error)
{
  g_autofree char *time = g_date_time_format_iso8601 (self->when);
  g_autoptr (GVariant) line = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_text (&builder, "time", time);
  add_text (&builder, "key", self->key);
  add_value (&builder, "old", self->old_value);
  add_value (&builder, "new", self->new_value);
  add_text (&builder, "writer", self->writer);
  line = g_variant_ref_sink (g_variant_builder_end (&builder));

  return amnesia_to_json (line, error);
}
