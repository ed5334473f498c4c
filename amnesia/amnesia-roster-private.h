/* SPDX-License-Identifier: MIT */

#pragma once

#include "mesh/amnesia-mesh-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Keeps a list of AmnesiaPeer in step with the members of a mesh. */
void amnesia_roster_update (GListStore  *peers,
                            AmnesiaMesh *mesh,
                            guint       *serial);
void amnesia_roster_orphan (GListStore  *peers);

G_END_DECLS
