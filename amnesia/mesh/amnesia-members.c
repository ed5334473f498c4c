/* SPDX-License-Identifier: MIT */

#include "amnesia-members-private.h"

void
amnesia_members_init (AmnesiaMembers *self)
{
  self->list = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_member_unref);
}

void
amnesia_members_clear (AmnesiaMembers *self)
{
  g_clear_pointer (&self->list, g_ptr_array_unref);
}

AmnesiaMember *
amnesia_members_get (AmnesiaMembers *self,
                     guint           position)
{
  return g_ptr_array_index (self->list, position);
}

/* Returns the member of that entry of the configuration, or NULL. */
AmnesiaMember *
amnesia_members_find (AmnesiaMembers *self,
                      const char     *host,
                      guint16         port)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (self, i);

      if (member->configured && amnesia_member_is (member, host, port))
        return member;
    }
  return NULL;
}

/* Returns a member that has answered with @id, or NULL; we are not among them. */
AmnesiaMember *
amnesia_members_find_id (AmnesiaMembers *self,
                         guint64         id)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (self, i);

      if (member->id == id && !member->self)
        return member;
    }
  return NULL;
}

/* Something about @member is not as it was. */
void
amnesia_members_touch (AmnesiaMembers *self,
                       AmnesiaMember  *member)
{
  member->changed = TRUE;
  self->changed = TRUE;
}

AmnesiaMember *
amnesia_members_add_guest (AmnesiaMembers *self,
                           const char     *host,
                           guint16         port,
                           const char     *name,
                           AmnesiaTime     now)
{
  AmnesiaMember *member = amnesia_member_new (host, port, FALSE, now);

  g_free (member->name);
  member->name = g_strdup (name);
  g_ptr_array_add (self->list, member);
  self->serial++;
  return member;
}

/* It turned out to be ourselves. */
void
amnesia_members_set_self (AmnesiaMembers *self,
                          AmnesiaMember  *member)
{
  member->self = TRUE;
  self->serial++;
  amnesia_members_touch (self, member);
}

/* None of them is ourselves, as far as is known. */
void
amnesia_members_clear_self (AmnesiaMembers *self)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    amnesia_members_get (self, i)->self = FALSE;
  self->serial++;
}

void
amnesia_members_remove (AmnesiaMembers *self,
                        guint           position)
{
  amnesia_members_get (self, position)->link = NULL;
  g_ptr_array_remove_index (self->list, position);
  self->serial++;
}

/* Forgets all of them; who still holds one must not look for its link. */
void
amnesia_members_forget (AmnesiaMembers *self)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    amnesia_members_get (self, i)->link = NULL;
  g_ptr_array_set_size (self->list, 0);
  self->serial++;
}

static GPtrArray *
remove_unlisted (AmnesiaMembers        *self,
                 const AmnesiaSettings *settings)
{
  GPtrArray *removed = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_member_unref);
  guint i;

  for (i = self->list->len; i > 0; i--)
    {
      AmnesiaMember *member = amnesia_members_get (self, i - 1);

      if (!member->configured || amnesia_settings_list (settings, member->host, member->port))
        continue;
      g_ptr_array_add (removed, amnesia_member_ref (member));
      amnesia_members_remove (self, i - 1);
    }
  return removed;
}

/* Takes the entries of another configuration; who is listed in both stays what it is. Returns
 * those who are not listed any more. */
GPtrArray *
amnesia_members_set_listed (AmnesiaMembers        *self,
                            const AmnesiaSettings *settings,
                            AmnesiaTime            now)
{
  GPtrArray *removed = remove_unlisted (self, settings);
  guint i;

  for (i = 0; i < settings->entries->len; i++)
    {
      AmnesiaAddress *entry = &g_array_index (settings->entries, AmnesiaAddress, i);
      AmnesiaMember *member = amnesia_members_find (self, entry->host, entry->port);
      guint position = 0;

      if (member == NULL)
        member = amnesia_member_new (entry->host, entry->port, TRUE, now);
      else if (g_ptr_array_find (self->list, member, &position))
        g_ptr_array_steal_index (self->list, position);
      member->self = FALSE;
      g_ptr_array_insert (self->list, (int) i, member);
    }
  self->serial++;
  self->changed = TRUE;
  return removed;
}

/* Returns the next member of which something changed, and clears its mark. It looks on from where it
 * was: a value that goes out is news of all of them. */
AmnesiaMember *
amnesia_members_pop_changed (AmnesiaMembers *self)
{
  guint i;

  if (!self->changed)
    return NULL;
  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaMember *member;

      if (self->next_changed >= self->list->len)
        self->next_changed = 0;
      member = amnesia_members_get (self, self->next_changed++);
      if (!member->changed)
        continue;
      member->changed = FALSE;
      return member;
    }
  self->changed = FALSE;
  return NULL;
}

/* Whether every first dial has ended: in vain, or with all that the other one had. Who has only
 * said hello may be the one with the newest value. */
gboolean
amnesia_members_all_tried (AmnesiaMembers *self)
{
  guint i;

  for (i = 0; i < self->list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (self, i);

      if (!amnesia_member_is_remote (member))
        continue;
      if (member->link != NULL ? !amnesia_link_is_synced (member->link) : !member->tried)
        return FALSE;
    }
  return TRUE;
}
