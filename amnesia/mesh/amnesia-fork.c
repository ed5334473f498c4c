/* SPDX-License-Identifier: MIT */

#include "amnesia-fork-private.h"

#include <pthread.h>

/* In a child it is another one than in its parent. */
static guint count;

static void
count_fork (void)
{
  count++;
}

/* How often this process and those it descends from were forked since they used a store: who notes
 * the number knows later whether he is still in the same process. It is asked for with each value
 * that is set or comes, where getpid () would cost as much as the rest. */
guint
amnesia_fork_get_count (void)
{
  static gsize initialized;

  if (g_once_init_enter (&initialized))
    {
      pthread_atfork (NULL, NULL, count_fork);
      g_once_init_leave (&initialized, 1);
    }
  return count;
}
