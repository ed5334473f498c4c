/* SPDX-License-Identifier: MIT */

#include "tool-value.h"

#include "tool-text.h"

#include <amnesia.h>
#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* Up to here every whole number is a double. */
#define MAX_EXACT (G_GINT64_CONSTANT (1) << 53)

/* Of the text of a value there is no more than so many times its size, as with \u0041 and indents. */
#define MAX_TEXT 16
#define CHUNK 65536
/* What is longer is not shown again to say where it is wrong. */
#define MAX_CONTEXT 400

/* --- in --- */

/* Stops when there is more than @max. NULL: it cannot be read. */
static GByteArray *
read_most (guint64   max,
           GError  **error)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 chunk[CHUNK];
  gssize n;

  do
    {
      n = g_input_stream_read (input, chunk, sizeof chunk, NULL, error);
      if (n < 0)
        return NULL;
      g_byte_array_append (bytes, chunk, n);
    }
  while (n > 0 && bytes->len <= max);

  return g_steal_pointer (&bytes);
}

static void
set_too_much (guint64   max_size,
              GError  **error)
{
  g_autofree char *size = g_format_size_full (max_size, G_FORMAT_SIZE_IEC_UNITS);

  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG,
               /* TRANSLATORS: a size such as 16.0 MiB */
               _("The standard input is too long for a value: max-size is %s"), size);
}

/* All that is on the standard input, as UTF-8, but for the line feed that ends the last line. Values may
 * have @max_size bytes. */
char *
tool_value_read_input (guint64   max_size,
                       GError  **error)
{
  guint64 max = MIN (max_size * MAX_TEXT, G_MAXINT);
  g_autoptr (GByteArray) bytes = read_most (max, error);
  g_autofree char *text = NULL;
  gsize length;

  if (bytes == NULL)
    {
      g_prefix_error (error, "%s: ", _("The standard input cannot be read"));
      return NULL;
    }
  if (bytes->len > max)
    {
      set_too_much (max_size, error);
      return NULL;
    }
  length = bytes->len;
  g_byte_array_append (bytes, (const guint8 *) "", 1);
  text = (char *) g_byte_array_free (g_steal_pointer (&bytes), FALSE);
  if (strlen (text) != length)
    {
      g_set_error_literal (error, G_CONVERT_ERROR, G_CONVERT_ERROR_EMBEDDED_NUL,
                           _("The standard input has a zero byte, which is no text"));
      return NULL;
    }
  if (length > 0 && text[length - 1] == '\n')
    text[length - 1] = '\0';

  return tool_text_from_locale (text, error);
}

static GVariant *
parse_gvariant (const char  *text,
                GError     **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *place = NULL;
  GVariant *value = g_variant_parse (NULL, text, NULL, NULL, &cause);

  if (value != NULL)
    return value;
  if (strlen (text) <= MAX_CONTEXT)
    place = g_variant_parse_error_print_context (cause, text);
  g_set_error (error, G_VARIANT_PARSE_ERROR, cause->code, _("Not the text of a GVariant: %s"),
               place != NULL ? g_strchomp (place) : cause->message);

  return NULL;
}

/* Sets @value to what @text says, or to NULL for the null of JSON. */
gboolean
tool_value_parse (const char  *text,
                  ToolForm     form,
                  GVariant   **value,
                  GError     **error)
{
  g_autoptr (GError) fault = NULL;
  g_autoptr (GVariant) found = NULL;

  switch (form)
    {
    case TOOL_FORM_GVARIANT:
      found = parse_gvariant (text, &fault);
      break;
    case TOOL_FORM_STRING:
      found = g_variant_new_string (text);
      break;
    case TOOL_FORM_JSON:
    default:
      found = amnesia_from_json (text, &fault);
      break;
    }
  if (found != NULL)
    g_variant_take_ref (found);
  if (fault != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&fault));
      return FALSE;
    }
  *value = g_steal_pointer (&found);

  return TRUE;
}

/* --- what stays a double --- */

static GVariant *
unbox (GVariant *value)
{
  while (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT))
    {
      GVariant *inner = g_variant_get_variant (value);

      g_variant_unref (value);
      value = inner;
    }

  return value;
}

/* What a dictionary with names has: once, as to look each up in it would take ever longer. */
static GHashTable *
list_members (GVariant *dictionary)
{
  GHashTable *members = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                               (GDestroyNotify) g_variant_unref);

  for (gsize i = 0; i < g_variant_n_children (dictionary); i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (dictionary, i);
      g_autoptr (GVariant) name = g_variant_get_child_value (entry, 0);

      g_hash_table_replace (members, g_variant_dup_string (name, NULL),
                            unbox (g_variant_get_child_value (entry, 1)));
    }

  return members;
}

static GVariant *
adapt_member (GVariant *box,
              GVariant *present)
{
  g_autoptr (GVariant) value = g_variant_get_variant (box);
  g_autoptr (GVariant) adapted = tool_value_adapt (value, present);

  return g_variant_new_variant (adapted);
}

static GVariant *
adapt_dictionary (GVariant *value,
                  GVariant *present)
{
  g_autoptr (GHashTable) members = list_members (present);
  GVariantBuilder builder;
  GVariantIter iter;
  const char *name;
  GVariant *box;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_iter_init (&iter, value);
  while (g_variant_iter_loop (&iter, "{&s@v}", &name, &box))
    g_variant_builder_add (&builder, "{s@v}", name,
                           adapt_member (box, g_hash_table_lookup (members, name)));

  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static GVariant *
adapt_list (GVariant *value,
            GVariant *present)
{
  GVariantBuilder builder;
  gsize n = g_variant_n_children (present);

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("av"));
  for (gsize i = 0; i < g_variant_n_children (value); i++)
    {
      g_autoptr (GVariant) box = g_variant_get_child_value (value, i);
      g_autoptr (GVariant) there = i < n ? unbox (g_variant_get_child_value (present, i)) : NULL;

      g_variant_builder_add_value (&builder, adapt_member (box, there));
    }

  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static gboolean
is_exact (gint64 number)
{
  return number >= -MAX_EXACT && number <= MAX_EXACT;
}

/* JSON does not tell 1.0 from 1: what others wrote as a double remains one. Takes the place of
 * @present, which may be NULL; returns a reference. */
GVariant *
tool_value_adapt (GVariant *value,
                  GVariant *present)
{
  if (present == NULL)
    return g_variant_ref (value);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_INT64) &&
      g_variant_is_of_type (present, G_VARIANT_TYPE_DOUBLE) && is_exact (g_variant_get_int64 (value)))
    return g_variant_ref_sink (g_variant_new_double (g_variant_get_int64 (value)));
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT) &&
      g_variant_is_of_type (present, G_VARIANT_TYPE ("a{s*}")))
    return adapt_dictionary (value, present);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE ("av")) &&
      !g_variant_is_of_type (present, G_VARIANT_TYPE_DICTIONARY) &&
      (g_variant_is_of_type (present, G_VARIANT_TYPE_ARRAY) ||
       g_variant_is_of_type (present, G_VARIANT_TYPE_TUPLE)))
    return adapt_list (value, present);

  return g_variant_ref (value);
}

/* The null of JSON unsets the whole value; inside of one it is a value. */
GVariant *
tool_value_as_part (GVariant *value)
{
  return g_variant_ref_sink (value != NULL ? value
                                           : g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL));
}

/* --- out --- */

/* As JSON, or where that cannot be as GVariant text: for who reads it. */
char *
tool_value_show (GVariant *value)
{
  char *json = amnesia_to_json (value, NULL);

  return json != NULL ? json : g_variant_print (value, TRUE);
}
