/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The tasks of all who wait for the same thing. Cancelling ends the waiting of one of them. */
typedef struct
{
  GPtrArray *list;   /* (owned) (element-type Waiter) in the order in which they came */
  guint64    serial; /* of the last one */
} AmnesiaWaiters;

void     amnesia_waiters_init   (AmnesiaWaiters *self);
void     amnesia_waiters_clear  (AmnesiaWaiters *self);
void     amnesia_waiters_add    (AmnesiaWaiters *self,
                                 GTask          *task);
void     amnesia_waiters_finish (AmnesiaWaiters *self,
                                 const GError   *error);

G_END_DECLS
