/* SPDX-License-Identifier: MIT */

#include "tool-past.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

/* The file is cut to half of that when it has more. */
#define MAX_LINES 2000

/* What is longer was not typed, and would make the file large. */
#define MAX_LENGTH 16384

static char *
get_path (void)
{
  return g_build_filename (g_get_user_state_dir (), "amnesia", "history", NULL);
}

/* The last lines, oldest first. */
static char **
keep_last (char  **lines,
           guint   n_kept)
{
  guint n_lines = g_strv_length (lines);
  char **kept;

  if (n_lines <= n_kept)
    return lines;
  kept = g_strdupv (lines + n_lines - n_kept);
  g_strfreev (lines);
  return kept;
}

static void
write_again (const char  *path,
             char       **lines)
{
  g_autofree char *text = g_strjoinv ("\n", lines);
  g_autofree char *whole = g_strconcat (text, "\n", NULL);

  g_file_set_contents_full (path, whole, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

char **
tool_past_load (void)
{
  g_autofree char *path = get_path ();
  g_autofree char *text = NULL;
  char **lines;

  if (!g_file_get_contents (path, &text, NULL, NULL) || !g_utf8_validate (text, -1, NULL))
    return g_new0 (char *, 1);
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  if (g_strv_length (lines) > MAX_LINES)
    {
      lines = keep_last (lines, MAX_LINES / 2);
      write_again (path, lines);
    }
  return lines;
}

/* Each line is added at once, so that what several sessions enter is in it, and a session that is killed
 * loses none. A file that cannot be written is no reason to stop somebody's work. */
void
tool_past_add (const char *line)
{
  g_autofree char *path = get_path ();
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *text = g_strconcat (line, "\n", NULL);
  int descriptor;

  if (strlen (line) > MAX_LENGTH || g_mkdir_with_parents (folder, 0700) != 0)
    return;
  descriptor = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return;
  if (write (descriptor, text, strlen (text)) < 0)
    g_debug ("%s cannot be written", path);
  close (descriptor);
}
