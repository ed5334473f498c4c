/* SPDX-License-Identifier: MIT */

#pragma once

#include "mesh/amnesia-stream-private.h"

G_BEGIN_DECLS

/* The decisions of a few meshes in a world without sockets, whose clock is the test's: nothing
 * happens but what a test asks for, and time passes only in world_run () and world_pass (). */

#define WORLD_MAX_NODES 20
#define SECOND G_TIME_SPAN_SECOND

typedef struct _WorldNode WorldNode;
typedef struct _WorldEnd WorldEnd;

/* One end of a connection. */
struct _WorldEnd
{
  WorldNode    *node;
  AmnesiaLink  *link;   /* (unowned) the mesh's */
  AmnesiaStream stream;
  WorldEnd     *other;  /* (unowned) (nullable) NULL: it has gone */
  gboolean      hanging_up;
  GByteArray   *inbox;  /* (owned) what came and was not read yet */
};

/* Its id and its max-size may be set before the world begins. */
struct _WorldNode
{
  AmnesiaMesh *mesh;     /* (owned) */
  guint16      port;
  guint64      id;
  guint64      max_size;
  gint64       armed;
  gboolean     asleep;
  gboolean     seeking;  /* the mesh asked for a free entry */
  GPtrArray   *dialled;  /* (owned) (element-type AmnesiaMember) */
  guint        n_dials;
  guint        n_clock_warnings;
};

typedef struct
{
  AmnesiaTime now;
  WorldNode   nodes[WORLD_MAX_NODES];
  guint       n_nodes;
  GPtrArray  *ends;                       /* (owned) (element-type WorldEnd) */
  gboolean    cut;                        /* what is sent is lost, and nobody is told */
  guint       n_frames[AMNESIA_N_FRAMES]; /* how many of each kind arrived */
} SmallWorld;

extern SmallWorld world;

void        world_begin      (guint          n_nodes);
void        world_end        (void);

void        world_pass       (gint64         span);
void        world_tick       (void);
void        world_run        (gint64         span);
void        world_settle     (void);

WorldEnd   *world_add_end    (WorldNode     *node,
                              AmnesiaMember *member);
void        world_forget_end (WorldEnd      *end);
void        world_join       (WorldNode     *from,
                              AmnesiaMember *member,
                              WorldNode     *to);
GByteArray *world_pull       (WorldEnd      *end);
void        world_deliver    (WorldEnd      *to,
                              GByteArray    *bytes);
gboolean    world_pump       (void);

guint       world_n_up       (guint          i);
guint       world_n_dials    (void);
void        world_write      (guint          i,
                              const char    *key,
                              GVariant      *value);
void        world_write_int  (guint          i,
                              gint64         number);
gint64      world_read_int   (guint          i);

G_END_DECLS
