/* SPDX-License-Identifier: MIT */

/* Under valgrind all takes twenty times as long: what a test may expect then. */

#include "testlib.h"

#define SLOWNESS 10

/* By how much a test's own bound on a time is to be stretched. */
guint
test_slowness (void)
{
  return g_getenv ("AMNESIA_VALGRIND") != NULL ? SLOWNESS : 1;
}

/* Skips a test of what the library does only as long as its own times have not passed, which are
 * not stretched: after 5 ms of work, say, it leaves the rest for later. Returns whether to leave. */
gboolean
test_skip_if_slow (const char *reason)
{
  g_autofree char *text = g_strconcat ("too slow under valgrind: ", reason, NULL);

  if (test_slowness () == 1)
    return FALSE;
  g_test_skip (text);
  return TRUE;
}
