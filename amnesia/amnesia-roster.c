/* SPDX-License-Identifier: MIT */

#include "amnesia-roster-private.h"

#include "amnesia-peer-private.h"

static gboolean
is_shown (AmnesiaMesh         *mesh,
          const AmnesiaMember *member)
{
  return !member->self && g_ptr_array_find (amnesia_mesh_get_members (mesh)->list, member, NULL);
}

static void
remove_gone (GListStore  *peers,
             AmnesiaMesh *mesh)
{
  guint i = 0;

  while (i < g_list_model_get_n_items (G_LIST_MODEL (peers)))
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (G_LIST_MODEL (peers), i);

      if (is_shown (mesh, amnesia_peer_get_member (peer)))
        {
          i++;
          continue;
        }
      g_list_store_remove (peers, i);
      amnesia_peer_detach (peer);
    }
}

static GPtrArray *
list_shown (AmnesiaMesh *mesh)
{
  GPtrArray *members = amnesia_mesh_get_members (mesh)->list;
  GPtrArray *shown = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_member_unref);
  guint i;

  for (i = 0; i < members->len; i++)
    {
      AmnesiaMember *member = g_ptr_array_index (members, i);

      if (!member->self)
        g_ptr_array_add (shown, amnesia_member_ref (member));
    }
  return shown;
}

/* Puts each peer where its member stands. Handlers may run meanwhile: once they have changed the
 * members, the list is out of date. */
static void
place_all (GListStore     *peers,
           GPtrArray      *shown,
           AmnesiaMembers *members)
{
  guint serial = members->serial;
  guint i;

  for (i = 0; i < shown->len && members->serial == serial; i++)
    {
      AmnesiaMember *member = g_ptr_array_index (shown, i);
      g_autoptr (AmnesiaPeer) peer = member->peer != NULL ? g_object_ref (member->peer)
                                                          : amnesia_peer_new (member);
      guint position;

      if (g_list_store_find (peers, peer, &position))
        {
          if (position == i)
            continue;
          g_list_store_remove (peers, position);
        }
      g_list_store_insert (peers, MIN (i, g_list_model_get_n_items (G_LIST_MODEL (peers))), peer);
    }
}

/* @serial is what it was at the last update. */
void
amnesia_roster_update (GListStore  *peers,
                       AmnesiaMesh *mesh,
                       guint       *serial)
{
  AmnesiaMembers *members = amnesia_mesh_get_members (mesh);
  AmnesiaMember *changed;

  if (!members->changed && *serial == members->serial)
    return;
  amnesia_mesh_spread (mesh);
  while ((changed = amnesia_members_pop_changed (members)) != NULL)
    if (changed->peer != NULL)
      {
        g_autoptr (AmnesiaPeer) peer = g_object_ref (changed->peer);

        amnesia_peer_update (peer);
      }

  while (*serial != members->serial)
    {
      g_autoptr (GPtrArray) shown = list_shown (mesh);

      *serial = members->serial;
      remove_gone (peers, mesh);
      place_all (peers, shown, members);
    }
}

/* The store has gone; who still holds one of them sees it as away. */
void
amnesia_roster_orphan (GListStore *peers)
{
  guint i;

  for (i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (peers)); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (G_LIST_MODEL (peers), i);

      amnesia_peer_orphan (peer);
    }
}
