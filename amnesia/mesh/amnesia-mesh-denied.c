/* SPDX-License-Identifier: MIT */

/* The peers of a mesh that go without something because it is larger than they take. */

#include "amnesia-mesh-struct-private.h"

/* The peer of @link goes without something; or there was no memory to send it. */
void
amnesia_mesh_note_denial (AmnesiaMesh  *self,
                          AmnesiaLink  *link,
                          const GError *notice,
                          AmnesiaTime   now)
{
  AmnesiaMember *member = link->member;

  amnesia_mesh_note_error (self, member, notice, now);
  member->denied = amnesia_link_is_denying (link);
  self->denying |= member->denied;
  amnesia_members_touch (&self->members, member);
}

/* What was too large may have been replaced by something that is not: then nothing is wrong any more. */
void
amnesia_mesh_review_denial (AmnesiaMesh   *self,
                            AmnesiaMember *member,
                            AmnesiaTime    now)
{
  if (member->denied && member->link != NULL && !amnesia_link_is_denying (member->link))
    amnesia_mesh_note_error (self, member, NULL, now);
}

/* The same for all: something else has come. */
void
amnesia_mesh_review_denials (AmnesiaMesh *self,
                             AmnesiaTime  now)
{
  guint i;

  if (!self->denying)
    return;
  self->denying = FALSE;
  for (i = 0; i < self->members.list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (&self->members, i);

      amnesia_mesh_review_denial (self, member, now);
      self->denying |= member->denied;
    }
}

/* The names of those of the list who go without something, NULL if there is none. A guest that takes little
 * has asked for no more: most often it is somebody who only looks. */
char *
amnesia_mesh_list_denied (AmnesiaMesh *self)
{
  g_autoptr (GString) names = g_string_new (NULL);
  guint i;

  for (i = 0; i < self->members.list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (&self->members, i);

      if (member->configured && member->link != NULL && amnesia_link_is_denying (member->link))
        g_string_append_printf (names, "%s%s (max-size %" G_GUINT64_FORMAT ")",
                                names->len > 0 ? ", " : "", member->name,
                                member->link->repair.peer_max_size);
    }
  return names->len > 0 ? g_string_free (g_steal_pointer (&names), FALSE) : NULL;
}
