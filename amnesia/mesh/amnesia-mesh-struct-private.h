/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-budget-private.h"
#include "amnesia-dial-plan-private.h"
#include "amnesia-links-private.h"
#include "amnesia-mesh-private.h"

G_BEGIN_DECLS

/* What the files of the mesh share with one another, and with nobody else. */
struct _AmnesiaMesh
{
  const AmnesiaMeshFuncs *funcs;
  gpointer                user_data;
  GRand                  *rand; /* (owned) */

  AmnesiaLocal     local;
  AmnesiaMembers   members;
  AmnesiaLinks     links;

  AmnesiaProgress  progress;
  AmnesiaDialPlan  plan;
  gboolean         leaving;
  gboolean         linked_changed; /* the others do not know yet that a link has gone */
  gint64           tell_at;        /* when they are told of new links, 0: they know them */
  gint64           told_at;        /* when they were told last whom we are linked with */
  gboolean         moved;          /* something happened that may change what is to be done, and when */
  gboolean         base_written;   /* and no link knows of it yet */
  GTree           *written;        /* (owned) (element-type utf8) keys, the same */
  gboolean         denying;        /* the error of some member is that something was too large for it */
  gint64           armed;          /* when the next tick is due, 0: never */
  gint64           skew;           /* wall - mono, to notice that the machine slept */

  AmnesiaBudget    budget;         /* of log lines */
};

void amnesia_mesh_note_error     (AmnesiaMesh   *self,
                                  AmnesiaMember *member,
                                  const GError  *error,
                                  AmnesiaTime    now);
void amnesia_mesh_note_denial    (AmnesiaMesh   *self,
                                  AmnesiaLink   *link,
                                  const GError  *notice,
                                  AmnesiaTime    now);
void amnesia_mesh_review_denial  (AmnesiaMesh   *self,
                                  AmnesiaMember *member,
                                  AmnesiaTime    now);
void amnesia_mesh_review_denials (AmnesiaMesh   *self,
                                  AmnesiaTime    now);
void amnesia_mesh_leave_link  (AmnesiaMesh  *self,
                               AmnesiaLink  *link,
                               AmnesiaBye    reason,
                               const char   *message);
void amnesia_mesh_kill_link   (AmnesiaMesh  *self,
                               AmnesiaLink  *link,
                               const GError *error,
                               AmnesiaTime   now);
void amnesia_mesh_wake_links  (AmnesiaMesh  *self);
void amnesia_mesh_tell_linked (AmnesiaMesh  *self,
                               AmnesiaTime   now);

G_END_DECLS
