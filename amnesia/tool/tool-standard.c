/* SPDX-License-Identifier: MIT */

#include "tool-standard.h"

#include "tool-command.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A standard file that was closed would be the next one that is opened: a result would go to somebody
 * at the other end of a socket. Instead there is one that refuses what it is for. */
static void
fill_gaps (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && errno == EBADF)
      open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Help is a result as well, and g_print() does not tell that it could not be written. */
static void
check_output (void)
{
  gboolean failed = ferror (stdout) != 0;

  if (fflush (stdout) == 0 && !failed)
    return;
  tool_say_error (_("The result cannot be written: %s"), g_strerror (errno));
  _exit (TOOL_FAILED);
}

void
tool_standard_init (void)
{
  fill_gaps ();
  atexit (check_output);
}
