/* SPDX-License-Identifier: MIT */

#include "amnesia-mapping-private.h"

#include "amnesia-convert-private.h"
#include "amnesia-error.h"

void
amnesia_mapping_clear (AmnesiaMapping *self)
{
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  *self = (AmnesiaMapping) { 0 };
}

static void
invert (GValue *value)
{
  g_value_set_boolean (value, !g_value_get_boolean (value));
}

static gboolean
get_plainly (const AmnesiaMapping  *self,
             GVariant              *variant,
             GValue                *value,
             GError               **error)
{
  if (!amnesia_convert_to_value (variant, value, error))
    return FALSE;
  if (self->invert)
    invert (value);
  return TRUE;
}

/* GLib's own check, at least up to 2.74, loses a reference to each value that it finds wrong. */
static gboolean
is_of_variant_type (GParamSpecVariant *property,
                    GVariant          *value)
{
  return value != NULL ? g_variant_is_of_type (value, property->type) : property->default_value == NULL;
}

/* Whether the property takes it as it is: what it would cut, or warn of, is none that fits. */
static gboolean
is_in_range (GParamSpec   *property,
             const GValue *value)
{
  g_auto (GValue) copy = G_VALUE_INIT;

  if (G_IS_PARAM_SPEC_VARIANT (property))
    return is_of_variant_type (G_PARAM_SPEC_VARIANT (property), g_value_get_variant (value));
  g_value_init (&copy, G_VALUE_TYPE (value));
  g_value_copy (value, &copy);
  return !g_param_value_validate (property, &copy);
}

/* Makes of @value, which is what the property has, what it should have. */
gboolean
amnesia_mapping_get (const AmnesiaMapping  *self,
                     GParamSpec            *property,
                     GVariant              *variant,
                     GValue                *value,
                     GError               **error)
{
  const char *why = NULL;

  if (self->get == NULL && !get_plainly (self, variant, value, error))
    return FALSE;
  if (self->get != NULL && !self->get (value, variant, self->user_data))
    why = "its mapping does not";
  else if (!is_in_range (property, value))
    why = "it is out of range";
  if (why != NULL)
    g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_VALUE, why);
  return why == NULL;
}

static GVariant *
set_plainly (const AmnesiaMapping  *self,
             const GValue          *value,
             GVariant              *present,
             GError               **error)
{
  g_auto (GValue) inverted = G_VALUE_INIT;

  if (!self->invert)
    return amnesia_convert_from_value (value, present, error);
  g_value_init (&inverted, G_VALUE_TYPE (value));
  g_value_copy (value, &inverted);
  invert (&inverted);
  return amnesia_convert_from_value (&inverted, present, error);
}

/* Returns a new reference to what the key should have, in the place of @present; or NULL, also without
 * an error. */
GVariant *
amnesia_mapping_set (const AmnesiaMapping  *self,
                     const GValue          *value,
                     GVariant              *present,
                     GError               **error)
{
  GVariant *variant;

  if (self->set == NULL)
    return set_plainly (self, value, present, error);
  variant = self->set (value, self->user_data);
  return variant != NULL ? g_variant_take_ref (variant) : NULL;
}

/* Whether the key has already, if in other words, what the property has. Functions are not asked. */
gboolean
amnesia_mapping_is_said (const AmnesiaMapping *self,
                         GVariant             *present,
                         const GValue         *value)
{
  g_auto (GValue) said = G_VALUE_INIT;

  if (present == NULL || self->get != NULL || self->set != NULL)
    return FALSE;
  g_value_init (&said, G_VALUE_TYPE (value));
  return get_plainly (self, present, &said, NULL) && amnesia_convert_equal (&said, value);
}
