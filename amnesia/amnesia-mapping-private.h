/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-bind.h"

G_BEGIN_DECLS

/* How values go from a key to a property, and back; without functions as amnesia-convert has it. */
typedef struct
{
  AmnesiaBindGetMapping get;       /* (nullable) */
  AmnesiaBindSetMapping set;       /* (nullable) */
  gpointer              user_data; /* (owned) (nullable) */
  GDestroyNotify        destroy;   /* (nullable) of @user_data */
  gboolean              invert;    /* without functions: the opposite of a boolean */
} AmnesiaMapping;

void      amnesia_mapping_clear   (AmnesiaMapping        *self);

gboolean  amnesia_mapping_get     (const AmnesiaMapping  *self,
                                   GParamSpec            *property,
                                   GVariant              *variant,
                                   GValue                *value,
                                   GError               **error);
GVariant *amnesia_mapping_set     (const AmnesiaMapping  *self,
                                   const GValue          *value,
                                   GVariant              *present,
                                   GError               **error);
gboolean  amnesia_mapping_is_said (const AmnesiaMapping  *self,
                                   GVariant              *present,
                                   const GValue          *value);

G_END_DECLS
