/* SPDX-License-Identifier: MIT */
/* Sockets as one would use them by hand: non-blocking, without delay, all in one epoll descriptor; one
 * send for each message, one receive for each wake-up. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct
{
  uint64_t size;   /* of what follows */
  int64_t  number; /* of the value: all that there is of a small one */
} Message;

#define PLAIN_BATCH 4096

typedef struct
{
  int            fd;
  bool           closed;   /* by the other side */
  bool           blocked;  /* epoll tells when it can be written to again */

  Message        messages[PLAIN_BATCH];
  size_t         n_in;     /* bytes of them */
  uint8_t       *large;    /* (owned) what a large value is received into */
  size_t         n_large;
  bool           in_large;

  Message        head;     /* of a large value on its way out */
  const uint8_t *body;
  size_t         n_out;    /* bytes of both that have left */
} Link;

typedef void (*PlainFunc) (Link *link, int64_t number);

int  plain_listen   (void);
int  plain_connect  (void);
int  plain_accept   (int            listener);
void plain_no_block (int            fd);

bool plain_send     (Link          *link,
                     int64_t        number);
void plain_send_now (Link          *link,
                     int64_t        number);
bool plain_push     (Link          *link);
void plain_receive  (Link          *link,
                     PlainFunc      got);
