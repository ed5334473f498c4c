/* SPDX-License-Identifier: MIT */

/* Keys that somebody has chosen so that their hashes collide take no longer than others. */

#include "amnesia-json.h"

#include <string.h>
#include <time.h>

#define BITS 14

/* "Ba" and "C@" have the same hash, as g_str_hash sees it, and so has every row of them. */
static GVariant *
make_dictionary (const char *one,
                 const char *other)
{
  GVariantBuilder builder;
  guint i, j;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (i = 0; i < 1u << BITS; i++)
    {
      char key[2 * BITS + 1] = "";

      for (j = 0; j < BITS; j++)
        memcpy (key + 2 * j, (i >> j) & 1 ? one : other, 2);
      g_variant_builder_add (&builder, "{sv}", key, g_variant_new_boolean (TRUE));
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static double
measure (const char *one,
         const char *other)
{
  g_autoptr (GVariant) value = make_dictionary (one, other);
  g_autoptr (GError) error = NULL;
  clock_t begun = clock ();
  g_autofree char *text = amnesia_to_json (value, &error);
  double spent = (clock () - begun) / (double) CLOCKS_PER_SEC;

  g_assert_no_error (error);
  g_assert_cmpuint (strlen (text), >, (2 * BITS) << BITS);
  return spent;
}

static void
test_collisions (void)
{
  double other = measure ("Ba", "xy");
  double colliding = measure ("Ba", "C@");

  g_assert_cmpuint (g_str_hash ("Ba"), ==, g_str_hash ("C@"));
  g_test_message ("%.3f s, and %.3f s where hashes collide", other, colliding);
  g_assert_cmpfloat (colliding, <, 10 * other + 0.1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/collisions", test_collisions);
  return g_test_run ();
}
