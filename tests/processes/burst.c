/* SPDX-License-Identifier: MIT */
/* burst CONF N: joins, sets 1 to N without giving the main loop a chance, and leaves. */

#include <amnesia.h>
#include <err.h>

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_file (argv[1], &error);
  g_autoptr (AmnesiaStore) mem = amnesia_store_new ();
  gint64 n = g_ascii_strtoll (argv[2], NULL, 10);

  if (conf == NULL)
    errx (EXIT_FAILURE, "%s", error->message);
  amnesia_store_set_conf (mem, conf);
  if (!amnesia_store_open_sync (mem, NULL, &error))
    errx (EXIT_FAILURE, "%s", error->message);

  for (gint64 i = 1; i <= n; i++)
    amnesia_store_set_data (mem, g_variant_new_int64 (i));

  if (!amnesia_store_close_sync (mem, NULL, &error))
    errx (EXIT_FAILURE, "%s", error->message);
  return EXIT_SUCCESS;
}
