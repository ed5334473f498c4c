/* SPDX-License-Identifier: MIT */

#include "plain.h"
#include "bench.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* --- addresses --- */

typedef union
{
  struct sockaddr    any;
  struct sockaddr_in tcp;
  struct sockaddr_un local;
} Address;

static bool
is_local (void)
{
  return strcmp (bench.way, "unix") == 0;
}

static socklen_t
get_address (Address *address)
{
  memset (address, 0, sizeof *address);
  if (is_local ())
    {
      address->local.sun_family = AF_UNIX;
      strncpy (address->local.sun_path, bench.path, sizeof address->local.sun_path - 1);
      return sizeof address->local;
    }
  address->tcp.sin_family = AF_INET;
  address->tcp.sin_port = htons (bench.port);
  inet_pton (AF_INET, bench.host, &address->tcp.sin_addr);
  return sizeof address->tcp;
}

static int
make_socket (void)
{
  int fd = socket (is_local () ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    err (EXIT_FAILURE, "socket");
  return fd;
}

static void
set_option (int level,
            int option,
            int fd)
{
  int yes = 1;

  if (setsockopt (fd, level, option, &yes, sizeof yes) < 0)
    err (EXIT_FAILURE, "setsockopt");
}

void
plain_no_block (int fd)
{
  if (!is_local ())
    set_option (IPPROTO_TCP, TCP_NODELAY, fd);
  if (fcntl (fd, F_SETFL, O_NONBLOCK) < 0)
    err (EXIT_FAILURE, "fcntl");
}

int
plain_listen (void)
{
  Address address;
  socklen_t size = get_address (&address);
  int fd = make_socket ();

  if (!is_local ())
    set_option (SOL_SOCKET, SO_REUSEADDR, fd);
  if (bind (fd, &address.any, size) < 0 || listen (fd, 512) < 0)
    err (EXIT_FAILURE, "listen");
  return fd;
}

int
plain_accept (int listener)
{
  int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);

  if (fd < 0)
    err (EXIT_FAILURE, "accept");
  plain_no_block (fd);
  return fd;
}

int
plain_connect (void)
{
  Address address;
  socklen_t size = get_address (&address);
  int fd = make_socket ();

  if (connect (fd, &address.any, size) < 0)
    err (EXIT_FAILURE, "connect");
  plain_no_block (fd);
  return fd;
}

/* --- sending --- */

static bool
is_full (void)
{
  if (errno != EAGAIN)
    err (EXIT_FAILURE, "send");
  return true;
}

static void
wait_writable (Link *link)
{
  struct pollfd event = { link->fd, POLLOUT };

  poll (&event, 1, -1);
}

/* A part of it has gone, as the buffer is full: then the rest has to follow. */
static void
send_rest (Link          *link,
           const uint8_t *bytes,
           size_t         size)
{
  while (size > 0)
    {
      ssize_t n = send (link->fd, bytes, size, MSG_NOSIGNAL);

      if (n < 0 && is_full ())
        wait_writable (link);
      else
        bytes += n, size -= n;
    }
}

/* Returns false if the socket takes nothing now. */
bool
plain_send (Link    *link,
            int64_t  number)
{
  Message message = { 0, number };
  ssize_t n = send (link->fd, &message, sizeof message, MSG_NOSIGNAL);

  if (n < 0)
    return !is_full ();
  send_rest (link, (uint8_t *) &message + n, sizeof message - n);
  return true;
}

/* Waits until it does. */
void
plain_send_now (Link    *link,
                int64_t  number)
{
  while (!plain_send (link, number))
    wait_writable (link);
}

/* Sends of a large value what the socket takes; returns whether that was all. */
bool
plain_push (Link *link)
{
  size_t total = sizeof link->head + link->head.size;
  size_t head = link->n_out < sizeof link->head ? sizeof link->head - link->n_out : 0;
  struct iovec parts[2] = {
    { (uint8_t *) &link->head + sizeof link->head - head, head },
    { (uint8_t *) link->body + (head > 0 ? 0 : link->n_out - sizeof link->head), 0 },
  };
  struct msghdr message = { .msg_iov = head > 0 ? parts : parts + 1, .msg_iovlen = head > 0 ? 2 : 1 };
  ssize_t n;

  parts[1].iov_len = total - link->n_out - head;
  n = sendmsg (link->fd, &message, MSG_NOSIGNAL);
  if (n < 0)
    return !is_full ();
  link->n_out += n;
  return link->n_out == total;
}

/* --- receiving --- */

static size_t
read_some (Link   *link,
           void   *bytes,
           size_t  size)
{
  ssize_t n = recv (link->fd, bytes, size, 0);

  link->closed = n == 0 || (n < 0 && errno == ECONNRESET);
  if (n < 0 && !link->closed)
    is_full ();
  return n < 0 ? 0 : n;
}

/* The buffer is as large as the value from the start, and stays; or is a new one for each value. */
static void
begin_large (Link *link)
{
  if (link->large == NULL)
    link->large = malloc (bench.size);
  link->in_large = true;
  link->n_large = 0;
}

static void
end_large (Link      *link,
           PlainFunc  got)
{
  int64_t number = bench_read (link->large, link->n_large);

  link->in_large = false;
  got (link, number);
  if (strcmp (bench.mode, "fresh") == 0)
    {
      free (link->large);
      link->large = NULL;
    }
}

static void
receive_large (Link      *link,
               PlainFunc  got)
{
  link->n_large += read_some (link, link->large + link->n_large, bench.size - link->n_large);
  if (link->n_large == bench.size)
    end_large (link, got);
}

/* What a wake-up brings of small messages, and the head of a large one alone, as the bytes behind it
 * are to go where they stay. */
static void
receive_small (Link      *link,
               PlainFunc  got)
{
  size_t room = bench.size > 0 ? sizeof (Message) : sizeof link->messages;
  size_t i, n, n_messages;

  n = read_some (link, (uint8_t *) link->messages + link->n_in, room - link->n_in);
  link->n_in += n;
  n_messages = link->n_in / sizeof (Message);
  for (i = 0; i < n_messages; i++)
    if (link->messages[i].size > 0)
      begin_large (link);
    else
      got (link, link->messages[i].number);
  link->n_in -= n_messages * sizeof (Message);
  memmove (link->messages, link->messages + n_messages, link->n_in);
  if (link->in_large)
    receive_large (link, got);
}

void
plain_receive (Link      *link,
               PlainFunc  got)
{
  if (link->in_large)
    receive_large (link, got);
  else
    receive_small (link, got);
}
