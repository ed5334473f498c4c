/* SPDX-License-Identifier: MIT */

#include "amnesia-number-private.h"

#include <math.h>

/* The numbers of GVariant and of GObject, from one to the other: right, or not at all. */

/* The first one that a gint64 and a guint64 cannot hold; as doubles they are exact. */
#define ABOVE_INT64 9223372036854775808.0
#define ABOVE_UINT64 18446744073709551616.0

typedef struct
{
  gint64  least;
  guint64 most;
} Range;

static Range
get_type_range (GType fundamental)
{
  switch (fundamental)
    {
    case G_TYPE_CHAR:
      return (Range) { G_MININT8, G_MAXINT8 };
    case G_TYPE_UCHAR:
      return (Range) { 0, G_MAXUINT8 };
    case G_TYPE_INT:
      return (Range) { G_MININT, G_MAXINT };
    case G_TYPE_UINT:
      return (Range) { 0, G_MAXUINT };
    case G_TYPE_LONG:
      return (Range) { G_MINLONG, G_MAXLONG };
    case G_TYPE_ULONG:
      return (Range) { 0, G_MAXULONG };
    case G_TYPE_INT64:
      return (Range) { G_MININT64, G_MAXINT64 };
    default:
      return (Range) { 0, G_MAXUINT64 };
    }
}

static Range
get_class_range (GVariantClass class)
{
  switch (class)
    {
    case G_VARIANT_CLASS_BYTE:
      return (Range) { 0, G_MAXUINT8 };
    case G_VARIANT_CLASS_INT16:
      return (Range) { G_MININT16, G_MAXINT16 };
    case G_VARIANT_CLASS_UINT16:
      return (Range) { 0, G_MAXUINT16 };
    case G_VARIANT_CLASS_INT32:
      return (Range) { G_MININT32, G_MAXINT32 };
    case G_VARIANT_CLASS_UINT32:
      return (Range) { 0, G_MAXUINT32 };
    case G_VARIANT_CLASS_INT64:
      return (Range) { G_MININT64, G_MAXINT64 };
    default:
      return (Range) { 0, G_MAXUINT64 };
    }
}

gboolean
amnesia_number_is_type (GType type)
{
  switch (G_TYPE_FUNDAMENTAL (type))
    {
    case G_TYPE_CHAR:
    case G_TYPE_UCHAR:
    case G_TYPE_INT:
    case G_TYPE_UINT:
    case G_TYPE_LONG:
    case G_TYPE_ULONG:
    case G_TYPE_INT64:
    case G_TYPE_UINT64:
    case G_TYPE_FLOAT:
    case G_TYPE_DOUBLE:
      return TRUE;
    default:
      return FALSE;
    }
}

static AmnesiaNumber
make_whole (gint64 whole)
{
  return (AmnesiaNumber) { AMNESIA_NUMBER_WHOLE, .bits = (guint64) whole };
}

static AmnesiaNumber
make_unsigned (guint64 whole)
{
  return (AmnesiaNumber) {
    whole > G_MAXINT64 ? AMNESIA_NUMBER_LARGE : AMNESIA_NUMBER_WHOLE,
    .bits = whole,
  };
}

static AmnesiaNumber
make_real (double real)
{
  return (AmnesiaNumber) { AMNESIA_NUMBER_REAL, .real = real };
}

/* Returns whether @variant is one; a boolean and a handle are none. */
gboolean
amnesia_number_from_variant (AmnesiaNumber *self,
                             GVariant      *variant)
{
  switch (g_variant_classify (variant))
    {
    case G_VARIANT_CLASS_BYTE:
      *self = make_whole (g_variant_get_byte (variant));
      return TRUE;
    case G_VARIANT_CLASS_INT16:
      *self = make_whole (g_variant_get_int16 (variant));
      return TRUE;
    case G_VARIANT_CLASS_UINT16:
      *self = make_whole (g_variant_get_uint16 (variant));
      return TRUE;
    case G_VARIANT_CLASS_INT32:
      *self = make_whole (g_variant_get_int32 (variant));
      return TRUE;
    case G_VARIANT_CLASS_UINT32:
      *self = make_whole (g_variant_get_uint32 (variant));
      return TRUE;
    case G_VARIANT_CLASS_INT64:
      *self = make_whole (g_variant_get_int64 (variant));
      return TRUE;
    case G_VARIANT_CLASS_UINT64:
      *self = make_unsigned (g_variant_get_uint64 (variant));
      return TRUE;
    case G_VARIANT_CLASS_DOUBLE:
      *self = make_real (g_variant_get_double (variant));
      return TRUE;
    default:
      return FALSE;
    }
}

/* Returns whether @value is one. */
gboolean
amnesia_number_from_value (AmnesiaNumber *self,
                           const GValue  *value)
{
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value)))
    {
    case G_TYPE_CHAR:
      *self = make_whole (g_value_get_schar (value));
      return TRUE;
    case G_TYPE_UCHAR:
      *self = make_whole (g_value_get_uchar (value));
      return TRUE;
    case G_TYPE_INT:
      *self = make_whole (g_value_get_int (value));
      return TRUE;
    case G_TYPE_UINT:
      *self = make_whole (g_value_get_uint (value));
      return TRUE;
    case G_TYPE_LONG:
      *self = make_whole (g_value_get_long (value));
      return TRUE;
    case G_TYPE_ULONG:
      *self = make_unsigned (g_value_get_ulong (value));
      return TRUE;
    case G_TYPE_INT64:
      *self = make_whole (g_value_get_int64 (value));
      return TRUE;
    case G_TYPE_UINT64:
      *self = make_unsigned (g_value_get_uint64 (value));
      return TRUE;
    case G_TYPE_FLOAT:
      *self = make_real (g_value_get_float (value));
      return TRUE;
    case G_TYPE_DOUBLE:
      *self = make_real (g_value_get_double (value));
      return TRUE;
    default:
      return FALSE;
    }
}

/* Not for a fraction, infinity, "not a number", and what is beyond 64 bits. */
static gboolean
real_to_whole (double         real,
               AmnesiaNumber *whole)
{
  if (!(real >= -ABOVE_INT64 && real < ABOVE_UINT64))
    return FALSE;
  if (real < 0)
    {
      *whole = make_whole ((gint64) real);
      return (double) (gint64) real == real;
    }
  *whole = make_unsigned ((guint64) real);
  return (double) (guint64) real == real;
}

static gboolean
to_range (const AmnesiaNumber *self,
          Range                range,
          guint64             *bits)
{
  AmnesiaNumber whole = *self;

  if (self->kind == AMNESIA_NUMBER_REAL && !real_to_whole (self->real, &whole))
    return FALSE;
  *bits = whole.bits;
  if (whole.kind == AMNESIA_NUMBER_WHOLE && (gint64) whole.bits < 0)
    return (gint64) whole.bits >= range.least;
  return whole.bits <= range.most;
}

/* A whole number only if none of its digits gets lost. */
static gboolean
to_double (const AmnesiaNumber *self,
           double              *real)
{
  AmnesiaNumber back;

  if (self->kind == AMNESIA_NUMBER_REAL)
    {
      *real = self->real;
      return TRUE;
    }
  *real = self->kind == AMNESIA_NUMBER_LARGE ? (double) self->bits : (double) (gint64) self->bits;
  return real_to_whole (*real, &back) && back.kind == self->kind && back.bits == self->bits;
}

/* A double is rounded, but does not become infinite or nothing by that. */
static gboolean
to_float (const AmnesiaNumber *self,
          float               *rounded)
{
  double real;

  if (!to_double (self, &real))
    return FALSE;
  *rounded = (float) real;
  if (self->kind != AMNESIA_NUMBER_REAL)
    return *rounded == real;
  return !isfinite (real) || (isfinite (*rounded) && (*rounded != 0 || real == 0));
}

static void
set_whole (GValue  *value,
           guint64  bits)
{
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value)))
    {
    case G_TYPE_CHAR:
      g_value_set_schar (value, (gint8) bits);
      break;
    case G_TYPE_UCHAR:
      g_value_set_uchar (value, (guchar) bits);
      break;
    case G_TYPE_INT:
      g_value_set_int (value, (int) bits);
      break;
    case G_TYPE_UINT:
      g_value_set_uint (value, (guint) bits);
      break;
    case G_TYPE_LONG:
      g_value_set_long (value, (glong) bits);
      break;
    case G_TYPE_ULONG:
      g_value_set_ulong (value, (gulong) bits);
      break;
    case G_TYPE_INT64:
      g_value_set_int64 (value, (gint64) bits);
      break;
    default:
      g_value_set_uint64 (value, bits);
    }
}

/* Returns whether the number is one of the type of @value, which is a number's. */
gboolean
amnesia_number_to_value (AmnesiaNumber *self,
                         GValue        *value)
{
  GType fundamental = G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value));
  guint64 bits;
  double real;
  float rounded;

  if (fundamental == G_TYPE_DOUBLE)
    {
      if (!to_double (self, &real))
        return FALSE;
      g_value_set_double (value, real);
      return TRUE;
    }
  if (fundamental == G_TYPE_FLOAT)
    {
      if (!to_float (self, &rounded))
        return FALSE;
      g_value_set_float (value, rounded);
      return TRUE;
    }
  if (!to_range (self, get_type_range (fundamental), &bits))
    return FALSE;
  set_whole (value, bits);
  return TRUE;
}

static GVariant *
new_whole (GVariantClass class,
           guint64       bits)
{
  switch (class)
    {
    case G_VARIANT_CLASS_BYTE:
      return g_variant_new_byte ((guchar) bits);
    case G_VARIANT_CLASS_INT16:
      return g_variant_new_int16 ((gint16) bits);
    case G_VARIANT_CLASS_UINT16:
      return g_variant_new_uint16 ((guint16) bits);
    case G_VARIANT_CLASS_INT32:
      return g_variant_new_int32 ((gint32) bits);
    case G_VARIANT_CLASS_UINT32:
      return g_variant_new_uint32 ((guint32) bits);
    case G_VARIANT_CLASS_INT64:
      return g_variant_new_int64 ((gint64) bits);
    default:
      return g_variant_new_uint64 (bits);
    }
}

/* Returns a floating value: of the type of @present, if that is a number's and can hold this one;
 * else of the type that all languages use. */
GVariant *
amnesia_number_to_variant (AmnesiaNumber *self,
                           GVariant      *present)
{
  AmnesiaNumber other;
  guint64 bits;
  double real;

  if (present != NULL && amnesia_number_from_variant (&other, present))
    {
      GVariantClass class = g_variant_classify (present);

      if (class == G_VARIANT_CLASS_DOUBLE && to_double (self, &real))
        return g_variant_new_double (real);
      if (class != G_VARIANT_CLASS_DOUBLE && to_range (self, get_class_range (class), &bits))
        return new_whole (class, bits);
    }
  switch (self->kind)
    {
    case AMNESIA_NUMBER_WHOLE:
      return g_variant_new_int64 ((gint64) self->bits);
    case AMNESIA_NUMBER_LARGE:
      return g_variant_new_uint64 (self->bits);
    case AMNESIA_NUMBER_REAL:
    default:
      return g_variant_new_double (self->real);
    }
}
