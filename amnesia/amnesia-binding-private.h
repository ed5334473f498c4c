/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-bind.h"

G_BEGIN_DECLS

/* How values go from one side to the other; NULL: as amnesia-convert has it. */
typedef struct
{
  AmnesiaBindGetMapping get;       /* (nullable) */
  AmnesiaBindSetMapping set;       /* (nullable) */
  gpointer              user_data; /* (owned) (nullable) */
  GDestroyNotify        destroy;   /* (nullable) of @user_data */
} AmnesiaMapping;

void            amnesia_mapping_clear    (AmnesiaMapping       *self);

void            amnesia_binding_attach   (AmnesiaStore         *store,
                                          const char           *key,
                                          GObject              *object,
                                          GParamSpec           *property,
                                          AmnesiaBindFlags      flags,
                                          const AmnesiaMapping *mapping);
AmnesiaStore   *amnesia_binding_get_store (GObject             *object,
                                          GParamSpec           *property);
void            amnesia_binding_detach   (GObject              *object,
                                          GParamSpec           *property);

G_END_DECLS
