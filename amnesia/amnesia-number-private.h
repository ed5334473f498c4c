/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A number of any type, without loss. */
typedef struct
{
  enum
  {
    AMNESIA_NUMBER_WHOLE, /* @bits is a gint64 */
    AMNESIA_NUMBER_LARGE, /* @bits is a guint64, above G_MAXINT64 */
    AMNESIA_NUMBER_REAL,
  } kind;
  guint64 bits;
  double  real;
} AmnesiaNumber;

gboolean  amnesia_number_is_type      (GType          type);
gboolean  amnesia_number_from_variant (AmnesiaNumber *self,
                                       GVariant      *variant);
gboolean  amnesia_number_from_value   (AmnesiaNumber *self,
                                       const GValue  *value);
gboolean  amnesia_number_to_value     (AmnesiaNumber *self,
                                       GValue        *value);
GVariant *amnesia_number_to_variant   (AmnesiaNumber *self,
                                       GVariant      *present);

G_END_DECLS
