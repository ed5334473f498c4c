/* SPDX-License-Identifier: MIT */
/* What the programs of both sides share, so that both are measured in the same way.
 *
 * One process writes and measures, the others receive. They have a board in common, a piece of shared
 * memory: on it the writer puts up the number of the value that is waited for, its goal. Each receiver
 * that has it counts itself in, and the last one notes the time and wakes the writer through an eventfd.
 * So the time ends where the value is, and not where somebody has heard of it; and the links are not
 * disturbed by it. The number 0 is for the start: a receiver has it when it is linked with all. */

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct
{
  _Atomic int64_t goal;
  _Atomic int64_t end;   /* when the last one had it, in ns */
  atomic_uint     have;  /* how many have it */
  atomic_uint     n;     /* how many must */
  atomic_int      other; /* the process that a round trip goes to */
} BenchBoard;

typedef struct
{
  const char *role;
  const char *host;
  const char *way;   /* tcp, local, unix */
  const char *path;  /* of Unix sockets */
  const char *conf;
  const char *mode;
  int         port;
  int         peers; /* how many others there are */
  int         count; /* how often */
  int         warm;  /* and before that, without counting */
  int         sets;  /* in a loop */
  size_t      size;  /* of a large value */
  int         board_fd;
  int         event_fd;
  char      **rest;  /* the arguments after "--" */
  BenchBoard *board;
} Bench;

extern Bench bench;

void     bench_init   (char         **argv);
int64_t  bench_now    (void);
int64_t  bench_cpu    (pid_t          pid);
void     bench_say    (const char    *word);
void     bench_fill   (uint8_t       *bytes,
                       size_t         size,
                       int64_t        number);
int64_t  bench_read   (const uint8_t *bytes,
                       size_t         size);

void     bench_expect (int64_t        goal);
void     bench_got    (int64_t        number);
bool     bench_has    (void);
void     bench_wait   (void);

/* What a writer measures: it calls bench_start (), bench_lap () once for each, and bench_report (). */
void     bench_start  (void);
void     bench_lap    (int64_t        began,
                       int64_t        ended);
bool     bench_done   (void);
void     bench_report (void);

int      bench_spawn  (void);
