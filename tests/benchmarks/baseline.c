/* SPDX-License-Identifier: MIT */
/* The other side, to compare with: the same jobs with nothing but sockets. The roles are those of
 * member.c; the one that measures listens, the others connect. Modes of a writer besides loop, large and
 * small: newest, a loop of which only the newest value is sent. */

#include "bench.h"
#include "plain.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static int epoll_fd;
static Link *links;
static bool over;

static int64_t began;
static int64_t number; /* the last one that was set */
static int lap;
static uint8_t *large; /* (owned) what is sent */

static bool
is_mode (const char *mode)
{
  return strcmp (bench.mode, mode) == 0;
}

static void
watch (int    fd,
       Link  *link)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = link };

  if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
    err (EXIT_FAILURE, "epoll_ctl");
}

static void
watch_writable (Link *link,
                bool  writable)
{
  struct epoll_event event = { .events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = link };

  if (writable == link->blocked)
    return;
  link->blocked = writable;
  if (epoll_ctl (epoll_fd, EPOLL_CTL_MOD, link->fd, &event) < 0)
    err (EXIT_FAILURE, "epoll_ctl");
}

static void
push (Link *link)
{
  watch_writable (link, !plain_push (link));
}

static void
add_link (Link *link,
          int   fd)
{
  link->fd = fd;
  watch (fd, link);
}

static void
accept_all (void)
{
  int listener = plain_listen ();
  int i;

  bench_say ("ready");
  for (i = 0; i < bench.peers; i++)
    add_link (&links[i], plain_accept (listener));
}

/* @got: what to do with a value that came; @all_have: when all have ours, in writers */
static void
run (PlainFunc  got,
     void     (*all_have) (void))
{
  struct epoll_event events[64];
  int i, n;

  while (!over)
    {
      n = epoll_wait (epoll_fd, events, 64, -1);
      for (i = 0; i < n; i++)
        {
          Link *link = events[i].data.ptr;

          if (link == NULL)
            all_have ();
          else if (events[i].events & EPOLLOUT)
            push (link);
          else
            plain_receive (link, got);
          over = over || (link != NULL && link->closed);
        }
    }
}

/* --- W1 --- */

static void
echo_cb (Link    *link,
         int64_t  got)
{
  plain_send (link, got + 1);
}

static void
ping_cb (Link    *link,
         int64_t  got)
{
  int64_t now = bench_now ();

  if (got > 2 * bench.warm)
    bench_lap (began, now);
  if (got == 2 * bench.warm)
    bench_start ();
  if (bench_done ())
    {
      over = true;
      return;
    }
  began = got == 2 * bench.warm ? bench_now () : now;
  plain_send (link, got + 1);
}

static int
ping (void)
{
  accept_all ();
  plain_send (links, 1);
  run (ping_cb, NULL);
  bench_report ();
  return EXIT_SUCCESS;
}

static int
echo (void)
{
  atomic_store (&bench.board->other, getpid ());
  add_link (links, plain_connect ());
  run (echo_cb, NULL);
  return EXIT_SUCCESS;
}

/* --- W2, W3, W4 --- */

static void
set_large (void)
{
  int i;

  bench_fill (large, bench.size, ++number);
  bench_expect (number);
  began = bench_now ();
  for (i = 0; i < bench.peers; i++)
    {
      links[i].head = (Message) { bench.size, number };
      links[i].body = large;
      links[i].n_out = 0;
      push (&links[i]);
    }
}

static void
set_small (int64_t n)
{
  int i;

  bench_expect (number + n);
  began = bench_now ();
  while (n-- > 0)
    {
      number++;
      for (i = 0; i < bench.peers; i++)
        plain_send_now (&links[i], number);
    }
}

/* What one would have to do for it: keep the value, and see whether it has to be sent now. */
static void __attribute__ ((noinline))
keep_newest (int64_t  value,
             int64_t *kept,
             bool    *dirty)
{
  *kept = value;
  if (*dirty)
    return;
  *dirty = true;
  plain_send_now (links, value);
  /* clang-format off */
  __asm__ volatile ("" ::: "memory");
  /* clang-format on */
}

/* The first is sent at once, and at the end the newest. */
static void
set_newest (int64_t n)
{
  bool dirty = false;
  int64_t first = number + 1, kept = first;

  bench_expect (number + n);
  began = bench_now ();
  while (n-- > 0)
    keep_newest (++number, &kept, &dirty);
  if (kept > first)
    plain_send_now (links, kept);
}

static void
set_next (void)
{
  lap++;
  if (is_mode ("large") || is_mode ("fresh"))
    set_large ();
  else if (is_mode ("newest"))
    set_newest (lap > bench.warm ? bench.sets : 1);
  else if (is_mode ("loop"))
    set_small (lap > bench.warm ? bench.sets : 1);
  else
    set_small (1);
}

static void
has_cb (void)
{
  if (!bench_has ())
    return;
  if (lap > bench.warm)
    bench_lap (began, atomic_load (&bench.board->end));
  if (lap == bench.warm)
    bench_start ();
  over = bench_done ();
  if (!over)
    set_next ();
}

static int
writer (void)
{
  if (bench.size > 0)
    large = malloc (bench.size);
  accept_all ();
  /* the first event is when the others are linked too */
  watch (bench.event_fd, NULL);
  run (NULL, has_cb);
  bench_report ();
  return EXIT_SUCCESS;
}

static void
receive_cb (Link    *link,
            int64_t  got)
{
  bench_got (got);
}

static int
receiver (void)
{
  add_link (links, plain_connect ());
  bench_got (0);
  run (receive_cb, NULL);
  return EXIT_SUCCESS;
}

/* --- W5 --- */

/* Somebody asks for the value. */
static void
asked_cb (Link    *link,
          int64_t  got)
{
  link->head = (Message) { bench.size, 1 };
  link->body = large;
  link->n_out = 0;
  push (link);
}

static int
holder (void)
{
  int listener = plain_listen ();

  large = malloc (bench.size);
  bench_fill (large, bench.size, 1);
  bench_say ("ready");
  for (; listener >= 0; close (links->fd))
    {
      *links = (Link) { 0 };
      add_link (links, plain_accept (listener));
      over = false;
      run (asked_cb, NULL);
    }
  return EXIT_FAILURE;
}

static void
joined_cb (Link    *link,
           int64_t  got)
{
  bench_got (got);
  _exit (EXIT_SUCCESS);
}

static int
joiner (void)
{
  add_link (links, plain_connect ());
  plain_send (links, 0);
  run (joined_cb, NULL);
  return EXIT_SUCCESS;
}

/* --- W6 --- */

static int
idle (void)
{
  accept_all ();
  bench_say ("linked");
  run (receive_cb, NULL);
  return EXIT_SUCCESS;
}

int
main (int    argc,
      char **argv)
{
  static const struct
  {
    const char *name;
    int       (*run) (void);
  } roles[] = {
    { "ping", ping }, { "echo", echo }, { "writer", writer }, { "receiver", receiver },
    { "spawn", bench_spawn }, { "holder", holder }, { "joiner", joiner }, { "idle", idle },
  };
  size_t i;

  bench_init (argv);
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  links = calloc (bench.peers, sizeof *links);
  for (i = 0; i < sizeof roles / sizeof *roles; i++)
    if (strcmp (roles[i].name, bench.role) == 0)
      return roles[i].run ();
  errx (EXIT_FAILURE, "%s?", bench.role);
}
