/* SPDX-License-Identifier: MIT */

#include "bench.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUANTILES 100
#define PATIENCE_MS (60 * 1000)
/* No measurement goes on for longer, however slow it is. */
#define LIMIT_NS INT64_C (10000000000)

Bench bench;

static struct
{
  int64_t *laps;
  int      n_laps;
  int64_t  began;
  int64_t  ended;     /* the last lap */
  int64_t  cpu;       /* of the writer, when it began */
  int64_t  other_cpu;
  long     rss;       /* in kB */
} meter;

/* --- arguments --- */

static const char *
find_argument (char       **argv,
               const char  *name,
               const char  *fallback)
{
  size_t length = strlen (name);

  for (; *argv != NULL && strcmp (*argv, "--") != 0; argv++)
    if (strncmp (*argv, name, length) == 0 && (*argv)[length] == '=')
      return *argv + length + 1;
  return fallback;
}

static int
find_number (char       **argv,
             const char  *name,
             const char  *fallback)
{
  return atoi (find_argument (argv, name, fallback));
}

static char **
find_rest (char **argv)
{
  while (*argv != NULL && strcmp (*argv, "--") != 0)
    argv++;
  return *argv != NULL ? argv + 1 : argv;
}

static void
map_board (void)
{
  bench.board = mmap (NULL, sizeof *bench.board, PROT_READ | PROT_WRITE, MAP_SHARED, bench.board_fd, 0);
  if (bench.board == MAP_FAILED)
    err (EXIT_FAILURE, "the board");
}

/* PROGRAM ROLE NAME=VALUE... [-- WORDS...] */
void
bench_init (char **argv)
{
  if (argv[1] == NULL)
    errx (EXIT_FAILURE, "tests/benchmarks/run runs this");
  bench.role = argv[1];
  bench.host = find_argument (argv, "host", "127.0.0.1");
  bench.way = find_argument (argv, "way", "tcp");
  bench.path = find_argument (argv, "path", "");
  bench.conf = find_argument (argv, "conf", "");
  bench.mode = find_argument (argv, "mode", "");
  bench.port = find_number (argv, "port", "0");
  bench.peers = find_number (argv, "peers", "1");
  bench.count = find_number (argv, "count", "1");
  bench.warm = find_number (argv, "warm", "0");
  bench.sets = find_number (argv, "sets", "1");
  bench.size = strtoul (find_argument (argv, "size", "0"), NULL, 10);
  bench.board_fd = find_number (argv, "board", "-1");
  bench.event_fd = find_number (argv, "event", "-1");
  bench.rest = find_rest (argv);
  if (bench.board_fd >= 0)
    map_board ();
}

/* --- clocks --- */

static int64_t
read_clock (clockid_t clock)
{
  struct timespec now;

  if (clock_gettime (clock, &now) < 0)
    err (EXIT_FAILURE, "clock");
  return now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
}

int64_t
bench_now (void)
{
  return read_clock (CLOCK_MONOTONIC);
}

/* What a process has had of the processors, all its threads together. @pid: 0: ourselves */
int64_t
bench_cpu (pid_t pid)
{
  clockid_t clock;

  if (clock_getcpuclockid (pid, &clock) != 0)
    errx (EXIT_FAILURE, "process %d is gone", pid);
  return read_clock (clock);
}

/* To who has started us. */
void
bench_say (const char *word)
{
  puts (word);
  fflush (stdout);
}

/* --- large values: a number, whatever, and the number again at the end --- */

void
bench_fill (uint8_t *bytes,
            size_t   size,
            int64_t  number)
{
  memset (bytes, (int) number | 1, size);
  memcpy (bytes, &number, sizeof number);
  memcpy (bytes + size - sizeof number, &number, sizeof number);
}

int64_t
bench_read (const uint8_t *bytes,
            size_t         size)
{
  int64_t first, last;

  memcpy (&first, bytes, sizeof first);
  memcpy (&last, bytes + size - sizeof last, sizeof last);
  if (size != bench.size || first != last)
    errx (EXIT_FAILURE, "not the whole value");
  return first;
}

/* --- the board --- */

/* Before the value is set. */
void
bench_expect (int64_t goal)
{
  atomic_store (&bench.board->have, 0);
  atomic_store (&bench.board->n, (unsigned) bench.peers);
  atomic_store (&bench.board->goal, goal);
}

/* A receiver has this value. */
void
bench_got (int64_t number)
{
  uint64_t one = 1;

  if (number != atomic_load (&bench.board->goal) ||
      atomic_fetch_add (&bench.board->have, 1) + 1 != atomic_load (&bench.board->n))
    return;
  atomic_store (&bench.board->end, bench_now ());
  if (write (bench.event_fd, &one, sizeof one) < 0)
    err (EXIT_FAILURE, "eventfd");
}

/* All have what was expected. */
bool
bench_has (void)
{
  uint64_t n;

  return read (bench.event_fd, &n, sizeof n) > 0;
}

/* For those without a loop. */
void
bench_wait (void)
{
  struct pollfd event = { bench.event_fd, POLLIN };

  while (!bench_has ())
    if (poll (&event, 1, PATIENCE_MS) == 0)
      errx (EXIT_FAILURE, "waited in vain");
}

/* --- measuring --- */

static long
read_status (const char *name)
{
  char line[256];
  long value = 0;
  FILE *file = fopen ("/proc/self/status", "re");

  while (file != NULL && fgets (line, sizeof line, file) != NULL)
    if (strncmp (line, name, strlen (name)) == 0)
      value = atol (line + strlen (name));
  if (file != NULL)
    fclose (file);
  return value;
}

/* The peak of the memory begins anew. */
static void
forget_peak (void)
{
  FILE *file = fopen ("/proc/self/clear_refs", "we");

  if (file == NULL)
    return;
  fputs ("5", file);
  fclose (file);
}

/* What was warmed up is warm. */
void
bench_start (void)
{
  pid_t other = atomic_load (&bench.board->other);

  meter.laps = malloc (sizeof (int64_t) * bench.count);
  memset (meter.laps, 0, sizeof (int64_t) * bench.count);
  forget_peak ();
  meter.rss = read_status ("VmRSS:");
  meter.other_cpu = other > 0 ? bench_cpu (other) : 0;
  meter.cpu = bench_cpu (0);
  meter.began = meter.ended = bench_now ();
}

void
bench_lap (int64_t began,
           int64_t ended)
{
  meter.laps[meter.n_laps++] = ended - began;
  meter.ended = ended;
}

bool
bench_done (void)
{
  return meter.n_laps == bench.count || meter.ended - meter.began > LIMIT_NS;
}

static int
compare_laps (const void *a,
              const void *b)
{
  int64_t one = *(const int64_t *) a, other = *(const int64_t *) b;

  return one < other ? -1 : one > other;
}

/* Times are in ns, for each lap; memory is in kB. */
void
bench_report (void)
{
  int64_t elapsed = bench_now () - meter.began, cpu = bench_cpu (0) - meter.cpu;
  pid_t other = atomic_load (&bench.board->other);
  int64_t other_cpu = other > 0 ? bench_cpu (other) - meter.other_cpu : 0;
  double n = meter.n_laps;
  int i;

  printf ("{\"laps\": %d, \"mean\": %.0f, \"cpu\": %.0f, \"cpu_both\": %.0f, \"goal\": %" PRId64
          ", \"grown\": %ld, \"quantiles\": [", meter.n_laps, elapsed / n, cpu / n,
          (cpu + other_cpu) / n, atomic_load (&bench.board->goal), read_status ("VmHWM:") - meter.rss);
  qsort (meter.laps, meter.n_laps, sizeof (int64_t), compare_laps);
  for (i = 0; i <= QUANTILES; i++)
    printf ("%s%" PRId64, i > 0 ? ", " : "", meter.laps[(meter.n_laps - 1) * i / QUANTILES]);
  bench_say ("]}");
}

/* --- W5: programs that start --- */

extern char **environ;

static void
spawn_one (bool counts)
{
  int64_t began;
  pid_t pid;
  int status;

  bench_expect (1);
  began = bench_now ();
  if (posix_spawn (&pid, bench.rest[0], NULL, NULL, bench.rest, environ) != 0)
    errx (EXIT_FAILURE, "cannot start %s", bench.rest[0]);
  bench_wait ();
  if (counts)
    bench_lap (began, atomic_load (&bench.board->end));
  if (waitpid (pid, &status, 0) < 0 || status != 0)
    errx (EXIT_FAILURE, "it has not come as it should have");
}

int
bench_spawn (void)
{
  int i;

  for (i = 0; i < bench.warm; i++)
    spawn_one (false);
  bench_start ();
  while (!bench_done ())
    spawn_one (true);
  bench_report ();
  return EXIT_SUCCESS;
}
