/* SPDX-License-Identifier: MIT */

#include "amnesia-convert-private.h"

#include "amnesia-error.h"
#include "amnesia-json-document-private.h"
#include "amnesia-number-private.h"
#include "replica/amnesia-value-private.h"

#include <math.h>

/* No widget shows that many; and whoever writes a value decides how many there are. */
#define MAX_STRINGS 65536

static gboolean
fail (GError     **error,
      const char  *format,
      ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (GError     **error,
      const char  *format,
      ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE, format, args);
  va_end (args);
  return FALSE;
}

static gboolean
fail_type (GVariant  *variant,
           GValue    *value,
           GError   **error)
{
  return fail (error, "a value of type “%s” does not become a %s",
               g_variant_get_type_string (variant), G_VALUE_TYPE_NAME (value));
}

/* Whether there is a value of this type for some GVariants. */
gboolean
amnesia_convert_knows_type (GType type)
{
  switch (G_TYPE_FUNDAMENTAL (type))
    {
    case G_TYPE_BOOLEAN:
    case G_TYPE_STRING:
    case G_TYPE_ENUM:
    case G_TYPE_FLAGS:
    case G_TYPE_VARIANT:
      return TRUE;
    case G_TYPE_BOXED:
      return type == G_TYPE_STRV || type == G_TYPE_BYTES || type == G_TYPE_BYTE_ARRAY;
    default:
      return amnesia_number_is_type (type);
    }
}

/* --- from a GVariant --- */

/* What is in the variants and maybes around a value; NULL for nothing. A loop, as there can be any
 * number of them in each other. */
static GVariant *
unwrap (GVariant *variant)
{
  GVariant *value = g_variant_ref (variant);

  while (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT) ||
         g_variant_is_of_type (value, G_VARIANT_TYPE_MAYBE))
    {
      GVariant *content = g_variant_n_children (value) > 0 ? g_variant_get_child_value (value, 0)
                                                           : NULL;

      g_variant_unref (value);
      if (content == NULL)
        return NULL;
      value = content;
    }
  return value;
}

static gboolean
is_text (GVariant *variant)
{
  return g_variant_is_of_type (variant, G_VARIANT_TYPE_STRING) ||
         g_variant_is_of_type (variant, G_VARIANT_TYPE_OBJECT_PATH) ||
         g_variant_is_of_type (variant, G_VARIANT_TYPE_SIGNATURE);
}

static gboolean
to_number (GVariant  *variant,
           GValue    *value,
           GError   **error)
{
  g_autofree char *shown = NULL;
  AmnesiaNumber number;

  if (!amnesia_number_from_variant (&number, variant))
    return fail_type (variant, value, error);
  if (amnesia_number_to_value (&number, value))
    return TRUE;
  shown = g_variant_print (variant, FALSE);
  return fail (error, "%s is no %s", shown, G_VALUE_TYPE_NAME (value));
}

static gboolean
to_enum (GVariant  *variant,
         GValue    *value,
         GError   **error)
{
  g_autoptr (GTypeClass) class = NULL;
  g_autofree char *shown = NULL;
  const GEnumValue *found;

  if (!is_text (variant))
    return fail_type (variant, value, error);
  class = g_type_class_ref (G_VALUE_TYPE (value));
  found = g_enum_get_value_by_nick (G_ENUM_CLASS (class), g_variant_get_string (variant, NULL));
  if (found != NULL)
    {
      g_value_set_enum (value, found->value);
      return TRUE;
    }
  shown = amnesia_json_quote (g_variant_get_string (variant, NULL));
  return fail (error, "%s is no value of %s", shown, G_VALUE_TYPE_NAME (value));
}

/* Returns the strings of a list of them: an array of strings, or of variants that are some. */
static GStrv
get_strings (GVariant  *variant,
             GValue    *value,
             GError   **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gsize n, i;

  if (!g_variant_is_of_type (variant, G_VARIANT_TYPE ("as")) &&
      !g_variant_is_of_type (variant, G_VARIANT_TYPE ("av")))
    {
      fail_type (variant, value, error);
      return NULL;
    }
  n = g_variant_n_children (variant);
  if (n > MAX_STRINGS)
    {
      fail (error, "a list of %" G_GSIZE_FORMAT " strings is too long, %d are the most", n,
            MAX_STRINGS);
      return NULL;
    }
  for (i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
      g_autoptr (GVariant) text = unwrap (child);

      if (text == NULL || !is_text (text))
        {
          fail (error, "item %" G_GSIZE_FORMAT " of the list is no string", i);
          return NULL;
        }
      g_strv_builder_add (builder, g_variant_get_string (text, NULL));
    }
  return g_strv_builder_end (builder);
}

static gboolean
to_flags (GVariant  *variant,
          GValue    *value,
          GError   **error)
{
  g_autoptr (GTypeClass) class = g_type_class_ref (G_VALUE_TYPE (value));
  g_auto (GStrv) nicks = get_strings (variant, value, error);
  guint flags = 0, i;

  if (nicks == NULL)
    return FALSE;
  for (i = 0; nicks[i] != NULL; i++)
    {
      const GFlagsValue *found = g_flags_get_value_by_nick (G_FLAGS_CLASS (class), nicks[i]);

      if (found == NULL)
        {
          g_autofree char *shown = amnesia_json_quote (nicks[i]);

          return fail (error, "%s is none of %s", shown, G_VALUE_TYPE_NAME (value));
        }
      flags |= found->value;
    }
  g_value_set_flags (value, flags);
  return TRUE;
}

static gboolean
to_boxed (GVariant  *variant,
          GValue    *value,
          GError   **error)
{
  GStrv strings;

  if (G_VALUE_HOLDS (value, G_TYPE_STRV))
    {
      strings = get_strings (variant, value, error);
      if (strings == NULL)
        return FALSE;
      g_value_take_boxed (value, strings);
      return TRUE;
    }
  if (!g_variant_is_of_type (variant, G_VARIANT_TYPE_BYTESTRING))
    return fail_type (variant, value, error);
  if (G_VALUE_HOLDS (value, G_TYPE_BYTES))
    {
      g_value_take_boxed (value, g_variant_get_data_as_bytes (variant));
      return TRUE;
    }
  g_value_take_boxed (value, g_byte_array_append (g_byte_array_new (),
                                                  g_variant_get_data (variant),
                                                  g_variant_get_size (variant)));
  return TRUE;
}

static gboolean
to_plain (GVariant  *variant,
          GValue    *value,
          GError   **error)
{
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value)))
    {
    case G_TYPE_BOOLEAN:
      if (!g_variant_is_of_type (variant, G_VARIANT_TYPE_BOOLEAN))
        return fail_type (variant, value, error);
      g_value_set_boolean (value, g_variant_get_boolean (variant));
      return TRUE;
    case G_TYPE_STRING:
      if (!is_text (variant))
        return fail_type (variant, value, error);
      g_value_set_string (value, g_variant_get_string (variant, NULL));
      return TRUE;
    case G_TYPE_ENUM:
      return to_enum (variant, value, error);
    case G_TYPE_FLAGS:
      return to_flags (variant, value, error);
    case G_TYPE_BOXED:
      return to_boxed (variant, value, error);
    default:
      return to_number (variant, value, error);
    }
}

/* Sets @value, which has the type of a property, that amnesia_convert_knows_type (). "Nothing" does
 * not become a string: many a setter takes NULL for a mistake of the program. */
gboolean
amnesia_convert_to_value (GVariant  *variant,
                          GValue    *value,
                          GError   **error)
{
  g_autoptr (GVariant) content = NULL;

  if (G_VALUE_HOLDS_VARIANT (value))
    {
      g_value_set_variant (value, variant);
      return TRUE;
    }
  content = unwrap (variant);
  if (content == NULL)
    return fail (error, "nothing does not become a %s", G_VALUE_TYPE_NAME (value));
  return to_plain (content, value, error);
}

/* --- to a GVariant --- */

static GVariant *
fail_null (const GValue  *value,
           GError       **error)
{
  fail (error, "a %s that is NULL has no form", G_VALUE_TYPE_NAME (value));
  return NULL;
}

static GVariant *
from_string (const GValue  *value,
             GError       **error)
{
  const char *text = g_value_get_string (value);

  if (text == NULL)
    return fail_null (value, error);
  if (g_utf8_validate (text, -1, NULL))
    return g_variant_new_string (text);
  fail (error, "a string is not UTF-8");
  return NULL;
}

static GVariant *
from_enum (const GValue  *value,
           GError       **error)
{
  g_autoptr (GTypeClass) class = g_type_class_ref (G_VALUE_TYPE (value));
  const GEnumValue *found = g_enum_get_value (G_ENUM_CLASS (class), g_value_get_enum (value));

  if (found != NULL)
    return g_variant_new_string (found->value_nick);
  fail (error, "%d is no value of %s", g_value_get_enum (value), G_VALUE_TYPE_NAME (value));
  return NULL;
}

/* Keeps the type that the list of strings has. */
static GVariant *
new_strings (const char *const *strings,
             GVariant          *present)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));
  guint i;

  if (present == NULL || !g_variant_is_of_type (present, G_VARIANT_TYPE ("av")))
    return g_variant_new_strv (strings, -1);
  for (i = 0; strings[i] != NULL; i++)
    g_variant_builder_add (&builder, "v", g_variant_new_string (strings[i]));
  return g_variant_builder_end (&builder);
}

static GVariant *
from_flags (const GValue  *value,
            GVariant      *present,
            GError       **error)
{
  g_autoptr (GTypeClass) class = g_type_class_ref (G_VALUE_TYPE (value));
  g_autoptr (GPtrArray) nicks = g_ptr_array_new ();
  guint flags = g_value_get_flags (value);

  while (flags != 0)
    {
      const GFlagsValue *found = g_flags_get_first_value (G_FLAGS_CLASS (class), flags);

      if (found == NULL)
        {
          fail (error, "0x%x is none of %s", flags, G_VALUE_TYPE_NAME (value));
          return NULL;
        }
      g_ptr_array_add (nicks, (char *) found->value_nick);
      flags &= ~found->value;
    }
  g_ptr_array_add (nicks, NULL);
  return new_strings ((const char *const *) nicks->pdata, present);
}

static GVariant *
from_strv (const GValue  *value,
           GVariant      *present,
           GError       **error)
{
  const char *const *strings = g_value_get_boxed (value);
  guint i;

  if (strings == NULL)
    return fail_null (value, error);
  for (i = 0; strings[i] != NULL; i++)
    if (!g_utf8_validate (strings[i], -1, NULL))
      {
        fail (error, "a string is not UTF-8");
        return NULL;
      }
  return new_strings (strings, present);
}

static GVariant *
from_boxed (const GValue  *value,
            GVariant      *present,
            GError       **error)
{
  GByteArray *array;

  if (G_VALUE_HOLDS (value, G_TYPE_STRV))
    return from_strv (value, present, error);
  if (g_value_get_boxed (value) == NULL)
    return fail_null (value, error);
  if (G_VALUE_HOLDS (value, G_TYPE_BYTES))
    return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, g_value_get_boxed (value), TRUE);
  array = g_value_get_boxed (value);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, array->data, array->len, 1);
}

static GVariant *
from_number (const GValue  *value,
             GVariant      *present,
             GError       **error)
{
  AmnesiaNumber number;

  if (amnesia_number_from_value (&number, value))
    return amnesia_number_to_variant (&number, present);
  fail (error, "a %s has no form", G_VALUE_TYPE_NAME (value));
  return NULL;
}

static GVariant *
from_plain (const GValue  *value,
            GVariant      *present,
            GError       **error)
{
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value)))
    {
    case G_TYPE_BOOLEAN:
      return g_variant_new_boolean (g_value_get_boolean (value));
    case G_TYPE_STRING:
      return from_string (value, error);
    case G_TYPE_ENUM:
      return from_enum (value, error);
    case G_TYPE_FLAGS:
      return from_flags (value, present, error);
    case G_TYPE_BOXED:
      return from_boxed (value, present, error);
    case G_TYPE_VARIANT:
      return g_value_get_variant (value) != NULL ? g_value_get_variant (value)
                                                 : fail_null (value, error);
    default:
      return from_number (value, present, error);
    }
}

/* Returns a new reference, or NULL with an error. @present is what @value is to replace, or NULL:
 * a number keeps its type if it fits into it, so that languages do not flip it to and fro. */
GVariant *
amnesia_convert_from_value (const GValue  *value,
                            GVariant      *present,
                            GError       **error)
{
  g_autoptr (GVariant) content = present != NULL ? unwrap (present) : NULL;
  GVariant *variant = from_plain (value, content, error);

  return variant != NULL ? g_variant_ref_sink (variant) : NULL;
}

/* --- comparing --- */

static gboolean
equal_reals (double a,
             double b)
{
  return a == b || (isnan (a) && isnan (b));
}

static gboolean
equal_boxed (const GValue *a,
             const GValue *b)
{
  const GByteArray *array_a, *array_b;

  if (g_value_get_boxed (a) == g_value_get_boxed (b))
    return TRUE;
  if (g_value_get_boxed (a) == NULL || g_value_get_boxed (b) == NULL)
    return FALSE;
  if (G_VALUE_HOLDS (a, G_TYPE_STRV))
    return g_strv_equal (g_value_get_boxed (a), g_value_get_boxed (b));
  if (G_VALUE_HOLDS (a, G_TYPE_BYTES))
    return g_bytes_equal (g_value_get_boxed (a), g_value_get_boxed (b));
  if (!G_VALUE_HOLDS (a, G_TYPE_BYTE_ARRAY))
    return FALSE;
  array_a = g_value_get_boxed (a);
  array_b = g_value_get_boxed (b);
  return array_a->len == array_b->len &&
         (array_a->len == 0 || memcmp (array_a->data, array_b->data, array_a->len) == 0);
}

/* Whether two values of one type are the same; FALSE also where that cannot be told. */
gboolean
amnesia_convert_equal (const GValue *a,
                       const GValue *b)
{
  AmnesiaNumber number_a, number_b;

  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (a)))
    {
    case G_TYPE_BOOLEAN:
      return !g_value_get_boolean (a) == !g_value_get_boolean (b);
    case G_TYPE_STRING:
      return g_strcmp0 (g_value_get_string (a), g_value_get_string (b)) == 0;
    case G_TYPE_ENUM:
      return g_value_get_enum (a) == g_value_get_enum (b);
    case G_TYPE_FLAGS:
      return g_value_get_flags (a) == g_value_get_flags (b);
    case G_TYPE_BOXED:
      return equal_boxed (a, b);
    case G_TYPE_VARIANT:
      return amnesia_value_equal (g_value_get_variant (a), g_value_get_variant (b));
    case G_TYPE_OBJECT:
      return g_value_get_object (a) == g_value_get_object (b);
    default:
      return amnesia_number_from_value (&number_a, a) && amnesia_number_from_value (&number_b, b) &&
             number_a.kind == number_b.kind && number_a.bits == number_b.bits &&
             equal_reals (number_a.real, number_b.real);
    }
}
