/* SPDX-License-Identifier: MIT */

/* A world of members without sockets and with clocks of its own, which one seed determines. What
 * decides is the library's: replica, clock, frames, streams, links, mesh and transitions. What
 * carries is played: see sim-wire.c for the network and sim-node.c for what a transport does. */

#pragma once

#include "amnesia-transitions-private.h"
#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-stream-private.h"

G_BEGIN_DECLS

#define SIM_MAX_NODES 7
#define SIM_HOST "node"
#define SIM_MS G_TIME_SPAN_MILLISECOND
#define SIM_SECOND G_TIME_SPAN_SECOND
/* A stamp is refused from here on; in microseconds. */
#define SIM_YEAR (365 * G_TIME_SPAN_DAY)
/* One kilobyte is much, as the pipes are narrow. */
#define SIM_MAX_SIZE 4096

typedef enum
{
  SIM_CLOCKS_FROZEN, /* equal, and they stand */
  SIM_CLOCKS_CLOSE,  /* within two seconds */
  SIM_CLOCKS_APART,  /* up to 200 seconds */
  SIM_CLOCKS_DRIFT,  /* up to one per cent */
  SIM_CLOCKS_BEYOND, /* one of them, or two, a year ahead and a little more */
  SIM_N_CLOCKS,
} SimClocks;

/* What kind of world a seed makes. */
typedef struct
{
  guint     n_nodes;
  guint     n_entries;       /* of the configuration; nodes that find none free are guests */
  SimClocks clocks;
  guint     n_ahead;         /* with clocks beyond: how many, the first ones */
  gboolean  step_at_restart; /* a process comes back with its clock behind */
  gboolean  high_counter;    /* the first stamps are near the end of their millisecond's counter */
  gboolean  line;            /* 0 and the others meet at 1 only */
  gboolean  nearby;          /* some nodes are of one machine and user, and have a local way */
  gboolean  alias;           /* one more entry is another name of the first */
  gboolean  keys;
  gboolean  first;           /* it begins with first values, and no whole value is set for a while */
  gboolean  strangers;
  gboolean  faults;
  gboolean  limits;          /* max-size differs from node to node */
  gint64    latency;         /* the greatest, one way */
  guint     bandwidth;       /* bytes per second, 0: no matter */
  gsize     capacity;        /* bytes on their way and unread, per direction */
} SimProfile;

typedef struct _SimNode SimNode;
typedef struct _SimEnd SimEnd;
typedef struct _SimWire SimWire;

/* One side of a connection, and the pipe that leads away from it. */
struct _SimEnd
{
  SimWire      *wire;
  SimEnd       *other;
  SimNode      *node;        /* (nullable) a stranger has none */
  guint         life;        /* of the node when this began */

  gboolean      open;        /* as the kernel sees it */
  gboolean      broken;      /* reset by the other side */
  gboolean      eof;         /* the other side has shut, and all before that has come */
  GByteArray   *inbox;       /* (owned) came, and was not read yet */
  gboolean      due;         /* the node will look at it */

  AmnesiaStream stream;      /* while there is a link */
  AmnesiaLink  *link;        /* (nullable) */
  AmnesiaFrame  slow;        /* being checked */
  gboolean      woken;
  gboolean      full;        /* waits until the pipe has room */
  gboolean      hanging_up;
  gboolean      shut;

  GQueue        segments;    /* on their way */
  gsize         on_the_way;  /* their bytes, and what the other side has not read */
  gint64        last_arrival;
  gint64        heard;       /* when the node last read something */

  gint64        greeted_at;  /* 0: not yet */
  AmnesiaStamp  greeted_stamp; /* the base that we had then */
  guint64       greeted_id;
};

struct _SimWire
{
  SimEnd   ends[2];          /* who dialled, and who accepted */
  gboolean nearby;           /* a Unix socket: no network is between them */
  gboolean mistaken;         /* it is not whom the name says */
  gint64   latency;
  gboolean disturbed;        /* something was done to it, or to one of its nodes */
  gboolean checked;
};

/* Somebody connects to an entry. */
typedef struct
{
  SimNode       *node;
  AmnesiaMember *member; /* (owned) */
  SimEnd        *end;    /* (nullable) NULL: it failed */
  gint64         begun;
} SimDial;

/* The identity of a write. */
typedef struct
{
  AmnesiaStamp stamp;
  guint64      id;
} SimWrite;

/* One life of a process, and what it had seen. */
typedef struct
{
  GHashTable *merged;        /* (owned) (element-type SimRecord) what came to it */
  GHashTable *glimpses;      /* (owned) the greatest stamps of each writer, as they grew */
  guint64     moment;        /* counts what came and what was written */
  gboolean    over;
} SimLife;

/* One write of one key, as it was meant. */
typedef struct
{
  AmnesiaStamp stamp;
  guint64      id;
  char        *key;          /* (owned) */
  GVariant    *value;        /* (owned) (nullable) */
  gboolean     weak;         /* a first value */
  gboolean     withdrawn;    /* it was written from far ahead, and then anew */
  GPtrArray   *siblings;     /* (nullable) (element-type SimRecord) what was written together */
  SimLife     *life;         /* (nullable) NULL: a stranger's */
  guint64      moment;       /* of that life */
  guint        n_writers;    /* of whom something had been seen by then */
} SimRecord;

/* A write went out of force. */
typedef struct
{
  SimRecord *lost;
  SimRecord *winner;
  gboolean   sure;           /* the winner tells of all whose writes had been seen */
} SimLoss;

struct _SimNode
{
  guint          index;
  guint          life;       /* how many it had */
  gboolean       alive;
  gboolean       open;
  gboolean       leaving;
  guint64        id;
  AmnesiaMesh   *mesh;
  AmnesiaReplica *replica;   /* the mesh's */
  guint64        max_size;
  int            entry;      /* the position of its own, or -1 */
  gboolean       guest;      /* it has looked for one in vain */
  gint           removed;    /* the position of an entry that its configuration lacks, or -1 */

  gint64         offset;     /* of the wall clock */
  double         drift;
  gint64         mono_lost;  /* the monotonic clock stood for so long */
  gint64         frozen_until;
  gint64         excused;    /* until then nobody is to blame for silence */
  guint          timer;      /* the serial of the one that is armed */
  gint64         armed;
  gboolean       seek_again;
  gboolean       turn_begun; /* there was a write in this turn */
  AmnesiaTime    now;        /* of the present dispatch */
  GPtrArray     *ends;       /* (element-type SimEnd) those with a link */
  GPtrArray     *woken;      /* (element-type SimEnd) */
  GPtrArray     *dials;      /* (owned) (element-type SimDial) under way */
  guint64        n_dials;

  AmnesiaTransitions transitions;

  /* what the judge remembers of this life */
  SimLife       *history;
  GHashTable    *floors;     /* (owned) (element-type utf8 SimRecord) the greatest there was */
  GHashTable    *removals;   /* (owned) (element-type utf8 SimRecord) what removed a key */
  GArray        *losses;     /* (owned) (element-type SimLoss) what is to be told */
  AmnesiaStamp   seen;       /* the greatest that was not refused */
  gboolean       rewrote;    /* what it had written from far ahead */
  GVariant      *view;       /* (owned) (nullable) where the last `changed` led */
  guint64        judged;     /* the digest that was looked at last */
};

typedef void (*SimFunc) (gpointer data,
                         guint    tag);

typedef struct
{
  guint64     seed;
  guint       n_steps;
  guint       step;          /* the present one; n_steps: the end */
  SimProfile  profile;
  GRand      *rand;
  gint64      now;           /* microseconds */
  GArray     *events;        /* a heap */
  guint64     n_events;
  guint64     trace;         /* a hash over all that happened */
  char       *failure;       /* (nullable) */

  SimNode     nodes[SIM_MAX_NODES];
  gint64      blocked[SIM_MAX_NODES][SIM_MAX_NODES]; /* from, to: since when, 0: not */
  GPtrArray  *wires;         /* (element-type SimWire) */
  GPtrArray  *strangers;     /* (element-type SimEnd) */
  GPtrArray  *recorded;      /* (element-type GBytes) frames with writes that were once sent */

  GHashTable *history;       /* (element-type SimRecord) each write there ever was */
  GPtrArray  *lives;         /* (element-type SimLife) */
  GPtrArray  *groups;        /* (element-type GPtrArray) what was written together */
  GHashTable *newest;        /* (element-type utf8 SimRecord) the greatest of each key */
  guint64     n_losses;      /* that were told */
  guint64     n_unsaid;      /* that were not, as a later write of the same writer had been seen */
  guint64     n_writes;
  guint64     n_lists;       /* frames of lists that were sent */
  gint64      greatest_wall; /* milliseconds, that any clock has shown */
  gint64      serial;        /* makes values differ */
  gboolean    ending;        /* no more faults */
  gboolean    verbose;
} SimWorld;

extern SimWorld sim;

/* --- sim-world.c: time, chance, failure --- */

void      sim_begin            (guint64         seed,
                                guint           n_steps);
void      sim_end              (void);
void      sim_at               (gint64          when,
                                SimFunc         func,
                                gpointer        data,
                                guint           tag);
void      sim_node_at          (SimNode        *node,
                                gint64          when,
                                SimFunc         func,
                                gpointer        data,
                                guint           tag);
void      sim_run_until        (gint64          when);
guint     sim_below            (guint           n);
gint64    sim_between          (gint64          low,
                                gint64          high);
gboolean  sim_chance           (double          probability);
void      sim_trace            (guint64         what);
void      sim_fail             (const char     *format,
                                ...) G_GNUC_PRINTF (1, 2);
void      sim_say              (const char     *format,
                                ...) G_GNUC_PRINTF (1, 2);

/* --- sim-wire.c: the network --- */

SimWire  *sim_wire_new         (SimNode        *from,
                                SimNode        *to,
                                gboolean        nearby);
void      sim_wire_free        (gpointer        wire);
gssize    sim_end_send         (SimEnd         *end,
                                GOutputVector  *vectors,
                                int             n_vectors);
gsize     sim_end_read         (SimEnd         *end,
                                guint8         *room,
                                gsize           size);
void      sim_end_notify       (SimEnd         *end);
void      sim_end_shut         (SimEnd         *end);
void      sim_end_close        (SimEnd         *end,
                                gboolean        silent);
void      sim_end_reset        (SimEnd         *end);
gboolean  sim_is_blocked       (SimNode        *from,
                                SimNode        *to);
void      sim_block            (SimNode        *from,
                                SimNode        *to);
void      sim_unblock          (SimNode        *from,
                                SimNode        *to);
void      sim_cut              (SimNode        *a,
                                SimNode        *b);
void      sim_disturb          (SimNode        *node);
gint64    sim_latency          (void);

/* --- sim-node.c: processes --- */

void      sim_node_start       (SimNode        *node);
void      sim_node_crash       (SimNode        *node,
                                gboolean        silent);
void      sim_node_open        (SimNode        *node);
void      sim_node_leave       (SimNode        *node);
AmnesiaTime sim_node_get_time  (SimNode        *node);
gboolean  sim_node_begin       (SimNode        *node);
void      sim_node_finish      (SimNode        *node);
void      sim_node_write       (SimNode        *node,
                                const char     *key,
                                GVariant       *value);
void      sim_node_write_keys  (SimNode        *node,
                                GVariant       *keys);
void      sim_node_write_first (SimNode        *node,
                                const char     *key,
                                GVariant       *value);
void      sim_node_network_changed (SimNode    *node);

/* --- sim-link.c: their sockets --- */

void      sim_node_accept      (SimEnd         *end);
void      sim_node_ready       (SimEnd         *end);
void      sim_node_wake_end    (SimEnd         *end);
void      sim_node_flush       (SimNode        *node);
void      sim_node_dial        (AmnesiaMember  *member,
                                gpointer        user_data);
void      sim_node_shorten     (AmnesiaMember  *member,
                                gpointer        user_data);
void      sim_node_hang_up     (AmnesiaLink    *link,
                                gpointer        user_data);
void      sim_link_forget      (SimEnd         *end,
                                gboolean        silent);
void      sim_dial_free        (gpointer        data);
SimNode  *sim_find_owner       (guint           entry);

/* --- sim-judge.c: what must be true --- */

void      sim_judge_begin_life (SimNode        *node);
void      sim_judge_end_life   (SimNode        *node);
void      sim_judge_clock      (AmnesiaTime     now);
SimRecord *sim_judge_write     (SimNode        *node,
                                AmnesiaEntry   *entry,
                                gboolean        weak);
void      sim_judge_rewrite    (SimNode        *node,
                                GPtrArray      *entries);
SimWrite  sim_get_floor        (SimNode        *node,
                                const char     *key);
void      sim_judge_foreign    (AmnesiaEntry   *entry);
void      sim_judge_merge      (SimNode        *node,
                                AmnesiaEntry   *entry,
                                gint64          wall,
                                AmnesiaMerge    result);
void      sim_judge_frame      (SimNode        *node,
                                AmnesiaLink    *link,
                                GPtrArray      *entries,
                                AmnesiaPacket  *packet);
void      sim_judge_changed    (SimNode        *node,
                                gboolean        local);
void      sim_judge_node       (SimNode        *node);
void      sim_judge_hang_up    (SimEnd         *end);
gboolean  sim_is_own           (SimNode        *node,
                                guint64         id);
gboolean  sim_has_or_may_not   (SimNode        *node,
                                AmnesiaStamp    stamp,
                                guint64         id,
                                const char     *key,
                                gsize           size);

/* --- sim-judge-keys.c: what must be true of keys --- */

void      sim_judge_lost       (SimNode        *node,
                                SimRecord      *lost,
                                SimRecord      *winner);
void      sim_judge_losses     (SimNode        *node);
void      sim_judge_parts      (SimNode        *node);
gboolean  sim_was_written      (SimNode        *node,
                                const char     *key);
gboolean  sim_takes_keys       (SimNode        *node);

/* --- sim-history.c: what was written, and who had seen it --- */

void      sim_history_begin    (void);
void      sim_history_end      (void);
SimLife  *sim_life_new         (void);
void      sim_life_note        (SimLife         *life,
                                const SimRecord *record);
gboolean  sim_life_knows       (SimLife         *life,
                                const SimRecord *record);
SimRecord *sim_history_find    (const char     *key,
                                SimWrite        write);
SimRecord *sim_history_find_entry (const AmnesiaEntry *entry);
SimRecord *sim_history_add     (const AmnesiaEntry *entry,
                                SimLife            *life,
                                gboolean            weak);
void      sim_history_join     (GPtrArray      *records);
void      sim_history_withdraw (SimRecord      *before);
gboolean  sim_record_beats     (const SimRecord *record,
                                SimWrite         than);
gboolean  sim_record_had_seen  (const SimRecord *record,
                                const SimRecord *other);

/* --- sim-verdict.c: what must be true in the end --- */

gboolean  sim_is_converged     (char          **why);
SimWrite  sim_get_greatest     (void);
guint64   sim_count_values     (void);
void      sim_judge_history    (void);

/* --- sim-profile.c: the kind of world --- */

void      sim_choose_profile   (void);
void      sim_populate         (void);

/* --- sim-steps.c: what happens --- */

void      sim_take_step        (void);
GVariant *sim_make_value       (SimNode        *node);
void      sim_write_value      (SimNode        *node,
                                GVariant       *value);
SimNode  *sim_pick             (gboolean        alive);
gboolean  sim_is_for_ever      (SimNode        *a,
                                SimNode        *b);

/* --- sim-key-steps.c: what happens to keys --- */

gboolean  sim_begins_with_first (void);
gboolean  sim_has_only_first   (void);
void      sim_step_first       (void);
void      sim_step_write_keys  (void);
void      sim_step_remove_key  (void);
void      sim_step_write_dictionary (void);

/* --- sim-end.c: how it ends --- */

void      sim_settle           (void);

/* --- sim-stranger.c: who speaks, but is no member --- */

void      sim_stranger_step    (void);
void      sim_strangers_leave  (void);

/* --- sim-mistakes.c: what the library is made to do wrong --- */

const char *sim_mistake_get_name (guint         mistake);
void      sim_set_mistake      (guint           mistake);
gboolean  sim_has_mistake      (const char     *name);
void      sim_mistakes_clear   (void);
void      sim_key_mistakes_clear (void);
void      sim_mistake_merged   (AmnesiaReplica *replica,
                                AmnesiaEntry   *entry,
                                AmnesiaMerge    result);
extern SimNode *sim_current;   /* whose code runs */
extern SimEnd *sim_receiving;  /* what it takes from */

G_END_DECLS
