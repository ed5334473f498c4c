/* SPDX-License-Identifier: MIT */

#pragma once

#include "fuzz.h"
#include "mesh/amnesia-mesh-private.h"

G_BEGIN_DECLS

/* The world of one mesh: what it asks for is noted, and whatever happens, what must hold is looked
 * at. There is one at a time. */

#define WORLD_OWN_ID 7

/* One connection, with the other side played by the input. */
typedef struct
{
  AmnesiaLink   *link;
  AmnesiaReader *reader; /* what the mesh gets */
  AmnesiaReader *mirror; /* (nullable) what the mesh sends */
  gboolean       deaf;
} End;

typedef struct
{
  AmnesiaMesh *mesh;
  AmnesiaTime  now;
  GPtrArray   *ends;      /* (owned) (element-type End) */
  GPtrArray   *dialled;   /* (owned) (element-type AmnesiaMember) */
  gint64       armed;
  guint64      max_size;
  guint64      clock_min; /* between what the replica's clock must have seen, and what it can */
  guint64      clock_max;
  guint64      room;      /* bytes that the replica may hold */
} World;

extern World world;

void  world_begin        (void);
void  world_end          (void);
void  world_check        (void);
void  world_check_values (void);

End  *world_add_end      (AmnesiaMember *member);
void  world_forget_end   (End           *end);

G_END_DECLS
