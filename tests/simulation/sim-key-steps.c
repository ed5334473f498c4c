/* SPDX-License-Identifier: MIT */

/* What happens to keys. What a store would refuse is not done. */

#include "sim.h"

#include "mesh/amnesia-mesh-private.h"
#include "replica/amnesia-value-private.h"

/* With the whole value there is room for them, however large they are. */
static const char *keys[] = { "a", "b", "c" };

static const char *
choose_key (void)
{
  return keys[sim_below (G_N_ELEMENTS (keys))];
}

/* Then no whole value is set, as it would be the end of all first values. */
gboolean
sim_begins_with_first (void)
{
  return sim.profile.first && sim.step < 500;
}

/* Then nothing is set at all. */
gboolean
sim_has_only_first (void)
{
  return sim.profile.first && sim.step < 100;
}

static SimNode *
pick_for_keys (void)
{
  SimNode *node = sim_has_only_first () ? NULL : sim_pick (TRUE);

  return node != NULL && sim_takes_keys (node) ? node : NULL;
}

/* Some or all of the keys. */
static GVariant *
make_keys (SimNode *node,
           guint    least)
{
  GVariantDict dict;
  guint i, n = 0;

  g_variant_dict_init (&dict, NULL);
  for (i = sim_below (G_N_ELEMENTS (keys)); n < least || sim_chance (0.4); i++, n++)
    {
      g_autoptr (GVariant) value = g_variant_ref_sink (sim_make_value (node));

      if (amnesia_value_check (value, node->max_size, NULL))
        g_variant_dict_insert_value (&dict, keys[i % G_N_ELEMENTS (keys)], value);
    }
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

void
sim_step_write_keys (void)
{
  SimNode *node = pick_for_keys ();
  g_autoptr (GVariant) written = node != NULL ? make_keys (node, 2) : NULL;

  if (written != NULL && g_variant_n_children (written) > 0)
    sim_node_write_keys (node, written);
}

void
sim_step_remove_key (void)
{
  SimNode *node = pick_for_keys ();

  if (node != NULL)
    sim_node_write (node, choose_key (), NULL);
}

/* A whole value that has keys. */
void
sim_step_write_dictionary (void)
{
  SimNode *node = sim_begins_with_first () ? NULL : sim_pick (TRUE);
  g_autoptr (GVariant) value = node != NULL ? make_keys (node, 0) : NULL;

  if (value != NULL && amnesia_value_check (value, node->max_size, NULL))
    sim_node_write (node, "", value);
}

static gboolean
may_write_first (SimNode    *node,
                 const char *key)
{
  AmnesiaMeshState state = amnesia_mesh_get_state (node->mesh);

  return (state == AMNESIA_MESH_SYNCED || state == AMNESIA_MESH_ALONE) &&
         (*key == '\0' || sim_takes_keys (node));
}

void
sim_step_first (void)
{
  SimNode *node = sim_pick (TRUE);
  const char *key = sim_chance (0.2) ? "" : choose_key ();
  g_autoptr (GVariant) value = NULL;

  if (node == NULL || !may_write_first (node, key))
    return;
  value = *key == '\0' ? make_keys (node, 1) : g_variant_ref_sink (sim_make_value (node));
  if (amnesia_value_check (value, node->max_size, NULL))
    sim_node_write_first (node, key, value);
}
