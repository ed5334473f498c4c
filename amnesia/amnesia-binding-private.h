/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-mapping-private.h"

G_BEGIN_DECLS

void            amnesia_binding_attach   (AmnesiaStore         *store,
                                          const char           *key,
                                          GObject              *object,
                                          GParamSpec           *property,
                                          AmnesiaBindFlags      flags,
                                          const AmnesiaMapping *mapping);
AmnesiaStore   *amnesia_binding_get_store (GObject    *object,
                                           GParamSpec *property);
void            amnesia_binding_detach   (GObject              *object,
                                          GParamSpec           *property);

G_END_DECLS
