/* SPDX-License-Identifier: MIT */

/* Where no fuzzing engine is: runs a target on each file of the folders and files that are named,
 * as a test for each; -v shows what is run. */

#include "fuzz.h"

#include <errno.h>
#include <string.h>

static void
run_file (gconstpointer user_data)
{
  const char *name = user_data;
  g_autofree char *content = NULL;
  g_autofree guint8 *exact = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  g_file_get_contents (name, &content, &size, &error);
  g_assert_no_error (error);
  /* without the NUL that GLib puts behind, so that a sanitizer sees who reads too far */
  exact = g_memdup2 (content, size);
  LLVMFuzzerTestOneInput (exact, size);
}

static int
compare_texts (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char **) a, *(const char **) b);
}

static void
add_folder (GPtrArray  *files,
            const char *name)
{
  GDir *dir = g_dir_open (name, 0, NULL);
  const char *entry;

  if (dir == NULL)
    {
      g_ptr_array_add (files, g_strdup (name));
      return;
    }
  while ((entry = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (files, g_build_filename (name, entry, NULL));
  g_dir_close (dir);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  int i, status;
  guint j;

  g_test_init (&argc, &argv, NULL);
  for (i = 1; i < argc; i++)
    add_folder (files, argv[i]);
  g_ptr_array_sort (files, compare_texts);
  for (j = 0; j < files->len; j++)
    {
      g_autofree char *base = g_path_get_basename (files->pdata[j]);
      g_autofree char *path = g_strconcat ("/", base, NULL);

      g_test_add_data_func (path, files->pdata[j], run_file);
    }
  g_assert_cmpuint (files->len, >, 0);
  status = g_test_run ();
  return status;
}
