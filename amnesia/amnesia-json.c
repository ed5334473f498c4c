/* SPDX-License-Identifier: MIT */

#include "amnesia-json.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-json-document-private.h"

#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct
{
  GString *out;   /* (owned) */
  GString *path;  /* (owned): where a value is that has no JSON form, once there is one */
} Writer;

static GVariant *
fail_number (AmnesiaJsonDocument  *document,
             const char           *at,
             gsize                 length,
             const char           *problem,
             GError              **error)
{
  g_autofree char *shown = amnesia_json_cut (at, length);

  /* Translators: a number, and what is wrong with it */
  amnesia_json_document_fail (document, at, error, _("%s: %s"), shown, problem);
  return NULL;
}

static GVariant *
whole_from_text (AmnesiaJsonDocument  *document,
                 const char           *at,
                 gsize                 length,
                 GError              **error)
{
  gint64 whole;
  guint64 large;

  errno = 0;
  whole = g_ascii_strtoll (at, NULL, 10);
  if (errno == 0)
    return g_variant_new_int64 (whole);

  errno = 0;
  large = g_ascii_strtoull (at, NULL, 10);
  if (errno == 0 && *at != '-')
    return g_variant_new_uint64 (large);
  return fail_number (document, at, length,
                      _("a whole number is from -9223372036854775808 to 18446744073709551615"),
                      error);
}

static GVariant *
number_from_document (AmnesiaJsonDocument  *document,
                      GError              **error)
{
  gsize length;
  const char *at = amnesia_json_document_take_number (document, &length);
  double number;

  if (strspn (at, "-0123456789") == length)
    return whole_from_text (document, at, length, error);

  number = g_ascii_strtod (at, NULL);
  if (isinf (number))
    return fail_number (document, at, length, _("the largest number is about 1.8e308"), error);
  if (number == 0 && g_ascii_isdigit (at[strspn (at, "-0.")]))
    return fail_number (document, at, length,
                        _("the smallest number other than 0 is about 4.9e-324"), error);
  return g_variant_new_double (number);
}

static GVariant *
scalar_from_node (AmnesiaJsonDocument  *document,
                  JsonNode             *node,
                  GError              **error)
{
  if (JSON_NODE_HOLDS_NULL (node))
    return g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return g_variant_new_boolean (json_node_get_boolean (node));
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_variant_new_string (json_node_get_string (node));
  return number_from_document (document, error);
}

/* The depth of the recursion is bounded by that of the document. */
static GVariant *
value_from_node (AmnesiaJsonDocument  *document,
                 JsonNode             *node,
                 GError              **error)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));
      JsonArray *array = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (array); i++)
        {
          GVariant *child = value_from_node (document, json_array_get_element (array, i), error);

          if (child == NULL)
            return NULL;
          g_variant_builder_add_value (&builder, g_variant_new_variant (child));
        }
      return g_variant_builder_end (&builder);
    }
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
      JsonObjectIter iter;
      const char *name;
      JsonNode *member;

      json_object_iter_init_ordered (&iter, json_node_get_object (node));
      while (json_object_iter_next_ordered (&iter, &name, &member))
        {
          GVariant *child = value_from_node (document, member, error);

          if (child == NULL)
            return NULL;
          g_variant_builder_add (&builder, "{sv}", name, child);
        }
      return g_variant_builder_end (&builder);
    }
  return scalar_from_node (document, node, error);
}

static gboolean
fail_form (GError     **error,
           const char  *problem)
{
  g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_JSON, problem);
  return FALSE;
}

static gboolean
append_double (GString  *out,
               double    number,
               GError  **error)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  char format[8];
  /* 15 digits never show more than was there, except below the normal numbers, which have less. */
  int precision = isnormal (number) ? DBL_DIG : 1;

  if (!isfinite (number))
    return fail_form (error, _("JSON has neither infinity nor “not a number”; use null"));
  do
    {
      g_snprintf (format, sizeof format, "%%.%dg", precision++);
      g_ascii_formatd (text, sizeof text, format, number);
    }
  while (g_ascii_strtod (text, NULL) != number);

  g_string_append (out, text);
  if (strpbrk (text, ".e") == NULL)
    g_string_append (out, ".0");
  return TRUE;
}

static gboolean
append_basic (GString   *out,
              GVariant  *value,
              GError   **error)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_BOOLEAN:
      g_string_append (out, g_variant_get_boolean (value) ? "true" : "false");
      return TRUE;
    case G_VARIANT_CLASS_BYTE:
      g_string_append_printf (out, "%u", g_variant_get_byte (value));
      return TRUE;
    case G_VARIANT_CLASS_INT16:
      g_string_append_printf (out, "%d", g_variant_get_int16 (value));
      return TRUE;
    case G_VARIANT_CLASS_UINT16:
      g_string_append_printf (out, "%u", g_variant_get_uint16 (value));
      return TRUE;
    case G_VARIANT_CLASS_INT32:
      g_string_append_printf (out, "%" G_GINT32_FORMAT, g_variant_get_int32 (value));
      return TRUE;
    case G_VARIANT_CLASS_UINT32:
      g_string_append_printf (out, "%" G_GUINT32_FORMAT, g_variant_get_uint32 (value));
      return TRUE;
    case G_VARIANT_CLASS_INT64:
      g_string_append_printf (out, "%" G_GINT64_FORMAT, g_variant_get_int64 (value));
      return TRUE;
    case G_VARIANT_CLASS_UINT64:
      g_string_append_printf (out, "%" G_GUINT64_FORMAT, g_variant_get_uint64 (value));
      return TRUE;
    case G_VARIANT_CLASS_DOUBLE:
      return append_double (out, g_variant_get_double (value), error);
    case G_VARIANT_CLASS_HANDLE:
      return fail_form (error, _("a handle (h) has no JSON form; leave it out"));
    default:
      amnesia_json_append_string (out, g_variant_get_string (value, NULL));
      return TRUE;
    }
}

static void
append_base64 (GString  *out,
               GVariant *bytes)
{
  gsize length;
  const guchar *data = g_variant_get_fixed_array (bytes, &length, 1);
  g_autofree char *text = g_base64_encode (data, length);

  g_string_append_printf (out, "\"%s\"", text);
}

/* The text of a dictionary's key. */
static char *
key_to_text (GVariant  *key,
             GError   **error)
{
  g_autoptr (GString) text = NULL;

  if (g_variant_is_of_type (key, G_VARIANT_TYPE_STRING) ||
      g_variant_is_of_type (key, G_VARIANT_TYPE_OBJECT_PATH) ||
      g_variant_is_of_type (key, G_VARIANT_TYPE_SIGNATURE))
    return g_variant_dup_string (key, NULL);
  if (g_variant_is_of_type (key, G_VARIANT_TYPE_DOUBLE))
    {
      fail_form (error, _("the key of a dictionary is a double; use strings, whole numbers "
                          "or booleans"));
      return NULL;
    }
  text = g_string_new (NULL);
  if (!append_basic (text, key, error))
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* For a tree, as others may have chosen the names so that their hashes collide. */
static int
compare_names (gconstpointer a,
               gconstpointer b,
               gpointer      user_data)
{
  return strcmp (a, b);
}

static gboolean
append_key (GString     *out,
            GVariant    *entry,
            GTree       *names,
            GError     **error)
{
  g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
  g_autofree char *name = key_to_text (key, error);

  if (name == NULL)
    return FALSE;
  amnesia_json_append_string (out, name);
  g_string_append_c (out, ':');
  if (g_tree_lookup (names, name) != NULL)
    {
      g_autofree char *shown = amnesia_json_quote (name);

      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_JSON,
                   _("a dictionary has the key %s twice; keep one"), shown);
      return FALSE;
    }
  g_tree_insert (names, g_strdup (name), names);
  return TRUE;
}

static GVariant *
take_content (GVariant *box)
{
  g_autoptr (GVariant) content = g_variant_get_child_value (box, 0);

  g_variant_unref (box);
  return g_steal_pointer (&content);
}

/* What is in the variants and maybes around a value, or NULL for nothing. A loop, as there can be
 * any number of variants in each other. */
static GVariant *
unwrap (GVariant *value)
{
  g_variant_ref (value);
  while (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT) ||
         g_variant_is_of_type (value, G_VARIANT_TYPE_MAYBE))
    {
      if (g_variant_n_children (value) == 0)
        {
          g_variant_unref (value);
          return NULL;
        }
      value = take_content (value);
    }
  return value;
}

static gboolean write_value (Writer    *self,
                             GVariant  *boxed,
                             guint      depth,
                             GError   **error);

static gboolean
write_container (Writer    *self,
                 GVariant  *value,
                 guint      depth,
                 GError   **error)
{
  gsize n_children = g_variant_n_children (value);
  g_autoptr (GTree) names = NULL;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_DICTIONARY))
    names = g_tree_new_full (compare_names, NULL, g_free, NULL);
  g_string_append_c (self->out, names != NULL ? '{' : '[');
  for (gsize i = 0; i < n_children; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
      g_autoptr (GVariant) content = names != NULL ? g_variant_get_child_value (child, 1)
                                                   : g_variant_ref (child);

      if (i > 0)
        g_string_append_c (self->out, ',');
      if ((names != NULL && !append_key (self->out, child, names, error)) ||
          !write_value (self, content, depth + 1, error))
        {
          g_autofree char *step = g_strdup_printf ("[%" G_GSIZE_FORMAT "]", i);

          g_string_prepend (self->path, step);
          return FALSE;
        }
    }
  g_string_append_c (self->out, names != NULL ? '}' : ']');
  return TRUE;
}

static gboolean
write_value (Writer    *self,
             GVariant  *boxed,
             guint      depth,
             GError   **error)
{
  g_autoptr (GVariant) value = unwrap (boxed);

  if (value == NULL)
    {
      g_string_append (self->out, "null");
      return TRUE;
    }
  if (!g_variant_is_container (value))
    return append_basic (self->out, value, error);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    {
      append_base64 (self->out, value);
      return TRUE;
    }
  if (depth == AMNESIA_JSON_MAX_DEPTH)
    return fail_form (error, _("the containers lie in each other deeper than 64"));
  return write_container (self, value, depth, error);
}

/**
 * amnesia_to_json:
 * @value: (nullable) (transfer none): a value, or `NULL` for *unset*; a floating one is consumed
 * @error: return location for an error, or `NULL`
 *
 * Writes a value as JSON text, without spaces and line breaks.
 *
 * - Whole numbers of all sizes become digits; doubles the shortest decimal form that reads back
 *   as the same double, with a point or an exponent, so that it stays one.
 * - Strings, object paths and signatures become strings; an array of bytes (`ay`) a string with
 *   its base64 form.
 * - Tuples, all other arrays and a dictionary entry outside a dictionary become arrays.
 * - Dictionaries become objects with the members in the same order; keys that are whole numbers
 *   or booleans become their text.
 * - A variant becomes its content; a maybe its content or `null`; `NULL` becomes `null`.
 *
 * What [func@Amnesia.from_json] made comes back from it the same. It is an error of code
 * [error@Amnesia.Error.INVALID_JSON] if a part of the value has no JSON form: infinity and “not a
 * number”, a handle, a dictionary whose keys are doubles or which has a key twice, and more than
 * 64 containers in each other. The message says where that part is, by positions counted from 0.
 *
 * May be called from any thread.
 *
 * Returns: (transfer full): JSON text
 *
 * Since: 0.1
 */
char *
amnesia_to_json (GVariant  *value,
                 GError   **error)
{
  g_autoptr (GVariant) held = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GString) path = g_string_new (NULL);
  Writer writer = { out, path };

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (held == NULL)
    return g_strdup ("null");
  if (!write_value (&writer, held, 0, error))
    {
      if (path->len > 0)
        /* Translators: comes before what is wrong there: “at [2]["key"] of the value: …” */
        g_prefix_error (error, _("at %s of the value: "), path->str);
      return NULL;
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/**
 * amnesia_from_json:
 * @json: JSON text
 * @error: return location for an error, or `NULL`
 *
 * Reads JSON text as a value.
 *
 * | JSON | type of the value |
 * | --- | --- |
 * | `true`, `false` | `b` |
 * | number without a point and an exponent | `x`; `t` if it is too large for that |
 * | any other number | `d` |
 * | string | `s` |
 * | array | `av` |
 * | object | `a{sv}` |
 * | `null` in an array or object | `mv`, nothing |
 * | `null` alone | `NULL`, which is *unset* |
 *
 * The text has to be JSON as RFC 8259 has it, and nothing in it may get lost: it is an error of
 * code [error@Amnesia.Error.INVALID_JSON] if an object has a member twice, if a number is outside
 * the range of its type, if a string has the character U+0000 or half of a surrogate pair, and if
 * more than 64 arrays and objects lie in each other. The message begins with line and column.
 *
 * A store takes values of up to 64 GVariant containers in each other, of which a JSON array with
 * something in it is two (`av` and its variants) and an object three.
 *
 * As `NULL` is also the value of `null`, look at @error to tell them apart.
 *
 * May be called from any thread.
 *
 * Returns: (transfer full) (nullable): a value, which is not floating, or `NULL`
 *
 * Since: 0.1
 */
GVariant *
amnesia_from_json (const char  *json,
                   GError     **error)
{
  g_autoptr (AmnesiaJsonDocument) document = NULL;
  GVariant *value;
  JsonNode *root;

  g_return_val_if_fail (json != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  document = amnesia_json_document_new (json, strlen (json), AMNESIA_JSON_MAX_DEPTH,
                                        AMNESIA_ERROR_INVALID_JSON, error);
  if (document == NULL)
    return NULL;
  root = amnesia_json_document_get_root (document);
  if (JSON_NODE_HOLDS_NULL (root))
    return NULL;
  value = value_from_node (document, root, error);
  return value != NULL ? g_variant_ref_sink (value) : NULL;
}
