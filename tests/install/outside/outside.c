/* SPDX-License-Identifier: MIT */

#include <amnesia.h>

int
main (void)
{
  g_autoptr (AmnesiaStore) mem = amnesia_store_new ();
  g_autoptr (GVariant) data = NULL;
  g_autofree char *json = NULL;

  amnesia_store_set_data (mem, g_variant_new_string ("outside"));
  data = amnesia_store_get_data (mem);
  json = amnesia_to_json (data, NULL);
  g_print ("%s %d\n", json, AMNESIA_MAJOR_VERSION);
  return 0;
}
