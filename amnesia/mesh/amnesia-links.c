/* SPDX-License-Identifier: MIT */

#include "amnesia-links-private.h"

#include "amnesia-limits-private.h"

void
amnesia_links_init (AmnesiaLinks *self)
{
  self->list = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_link_free);
  self->shape = 1;
}

void
amnesia_links_clear (AmnesiaLinks *self)
{
  g_clear_pointer (&self->list, g_ptr_array_unref);
}

AmnesiaLink *
amnesia_links_get (AmnesiaLinks *self,
                   guint         position)
{
  return g_ptr_array_index (self->list, position);
}

AmnesiaLink *
amnesia_links_add (AmnesiaLinks *self,
                   AmnesiaLocal *local,
                   const char   *host,
                   guint16       port,
                   gboolean      dialled,
                   AmnesiaTime   now)
{
  AmnesiaLink *link = amnesia_link_new (local, host, port, dialled, self->serial++, now);

  g_ptr_array_add (self->list, link);
  self->shape++;
  return link;
}

/* Returns a link over which that peer has said hello. */
AmnesiaLink *
amnesia_links_find_up (AmnesiaLinks      *self,
                       guint64            id,
                       const AmnesiaLink *except)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (self, i);

      if (link != except && amnesia_link_is_up (link) && link->peer_id == id)
        return link;
    }
  return NULL;
}

/* Returns a link that we have dialled and over which the peer has said hello. */
AmnesiaLink *
amnesia_links_find_dialled (AmnesiaLinks *self)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (self, i);

      if (link->dialled && amnesia_link_is_up (link))
        return link;
    }
  return NULL;
}

gboolean
amnesia_links_any_up (AmnesiaLinks      *self,
                      const AmnesiaLink *except)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    if (amnesia_links_get (self, i) != except && amnesia_link_is_up (amnesia_links_get (self, i)))
      return TRUE;
  return FALSE;
}

gboolean
amnesia_links_any_synced (AmnesiaLinks *self)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    if (amnesia_link_is_synced (amnesia_links_get (self, i)))
      return TRUE;
  return FALSE;
}

/* Two links to one peer: keeps the one that stays on this machine, then the one that the greater id
 * dialled, then the older. */
AmnesiaLink *
amnesia_links_choose_loser (AmnesiaLink *a,
                            AmnesiaLink *b)
{
  gboolean ours_greater = amnesia_replica_get_id (a->local->replica) > a->peer_id;

  if (a->nearby != b->nearby)
    return a->nearby ? b : a;
  if (a->dialled != b->dialled)
    return a->dialled == ours_greater ? b : a;
  return a->serial < b->serial ? b : a;
}

/* How many were accepted and have not said hello, and which of them waits longest. */
guint
amnesia_links_count_greeting (AmnesiaLinks  *self,
                              AmnesiaLink  **oldest)
{
  guint i, n = 0;

  *oldest = NULL;
  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (self, i);

      if (link->peer_id != 0 || link->dialled)
        continue;
      n++;
      if (*oldest == NULL || link->serial < (*oldest)->serial)
        *oldest = link;
    }
  return n;
}

/* The names of the peers that have not confirmed all that they take, NULL if all have. */
char *
amnesia_links_list_behind (AmnesiaLinks *self)
{
  g_autoptr (GString) names = g_string_new (NULL);
  guint i;

  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (self, i);

      if (amnesia_link_is_up (link) && !amnesia_link_is_confirmed (link))
        g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", link->name);
    }
  return names->len > 0 ? g_string_free (g_steal_pointer (&names), FALSE) : NULL;
}

static gboolean
has_id (GArray  *ids,
        guint64  id)
{
  guint i;

  for (i = 0; i < ids->len; i++)
    if (g_array_index (ids, guint64, i) == id)
      return TRUE;
  return FALSE;
}

/* Puts into @ids whom we are linked with, each one once. */
void
amnesia_links_get_ids (AmnesiaLinks *self,
                       GArray       *ids)
{
  guint i;

  g_array_set_size (ids, 0);
  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (self, i);

      if (amnesia_link_is_up (link) && ids->len < AMNESIA_MAX_LINKS &&
          !has_id (ids, link->peer_id))
        g_array_append_val (ids, link->peer_id);
    }
}

/* All are to be told whom we are linked with. */
void
amnesia_links_mark_linked (AmnesiaLinks *self)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    amnesia_link_mark_links (amnesia_links_get (self, i));
}

/* The entry of @key is to be sent to all. */
void
amnesia_links_mark (AmnesiaLinks *self,
                    const char   *key)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    amnesia_link_mark (amnesia_links_get (self, i), key);
}

/* The @n entries that @giver gave are to be sent to all but those who have them from the same peer.
 * Returns whether there is any: in a whole mesh there is none, which need not be found out for each
 * value. */
gboolean
amnesia_links_forward (AmnesiaLinks  *self,
                       AmnesiaLink   *giver,
                       AmnesiaEntry **entries,
                       guint          n)
{
  gboolean any = FALSE;
  guint i, j;

  if (giver->all_have_it == self->shape)
    return FALSE;
  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaLink *link = amnesia_links_get (self, i);

      if (link->peer_id == giver->peer_id || amnesia_link_is_linked_with (link, giver->peer_id))
        continue;
      any = TRUE;
      for (j = 0; j < n; j++)
        amnesia_link_mark (link, entries[j]->key);
    }
  if (!any)
    giver->all_have_it = self->shape;
  return any;
}

/* When the first of them has to be looked at, 0 if there is none. */
gint64
amnesia_links_get_deadline (AmnesiaLinks *self,
                            AmnesiaTime   now)
{
  gint64 deadline = 0;
  guint i;

  for (i = 0; i < self->list->len; i++)
    deadline = amnesia_earlier (deadline,
                                amnesia_link_get_deadline (amnesia_links_get (self, i), now));
  return deadline;
}
