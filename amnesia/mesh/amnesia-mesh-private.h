/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-members-private.h"
#include "amnesia-progress-private.h"

G_BEGIN_DECLS

/* Whom a store shares with, and what to do about it: the decisions, without a socket and with the
 * clocks as arguments. The transport carries them out and tells what came of it. */
typedef struct _AmnesiaMesh AmnesiaMesh;

/* What the mesh asks for. None of these may call back into the mesh before it returns. */
typedef struct
{
  void (*dial)    (AmnesiaMember *member, gpointer user_data); /* see its skip_local */
  void (*shorten) (AmnesiaMember *member, gpointer user_data); /* by the local way, if there is one */
  void (*wake)    (AmnesiaLink *link, gpointer user_data);    /* it has something to send */
  void (*hang_up) (AmnesiaLink *link, gpointer user_data);    /* once its bye is sent */
  void (*drop)    (AmnesiaLink *link, gpointer user_data);    /* at once */
  void (*arm)     (gint64 mono, gpointer user_data);          /* tick then, or earlier */
  void (*seek)    (gpointer user_data);                       /* try to become a member */
  void (*merged)  (gpointer user_data);                       /* the value may be another */
  void (*log)     (const char *message, gpointer user_data);
} AmnesiaMeshFuncs;

AmnesiaMesh      *amnesia_mesh_new              (guint64                 id,
                                                 const AmnesiaMeshFuncs *funcs,
                                                 gpointer                user_data,
                                                 guint32                 seed);
void              amnesia_mesh_free             (AmnesiaMesh            *self);
AmnesiaReplica   *amnesia_mesh_get_replica      (AmnesiaMesh            *self);

/* opening and leaving */
void              amnesia_mesh_open             (AmnesiaMesh            *self,
                                                 const AmnesiaSettings  *settings,
                                                 AmnesiaTime             now);
void              amnesia_mesh_set_own          (AmnesiaMesh            *self,
                                                 const char             *host,
                                                 guint16                 port,
                                                 gboolean                guest,
                                                 AmnesiaTime             now);
void              amnesia_mesh_leave            (AmnesiaMesh            *self);
void              amnesia_mesh_close            (AmnesiaMesh            *self);
AmnesiaMeshState  amnesia_mesh_get_state        (AmnesiaMesh            *self);
gboolean          amnesia_mesh_is_empty         (AmnesiaMesh            *self);

/* what happens */
void              amnesia_mesh_written          (AmnesiaMesh            *self,
                                                 AmnesiaEntry           *entry);
gboolean          amnesia_mesh_is_spreading     (AmnesiaMesh            *self);
void              amnesia_mesh_spread           (AmnesiaMesh            *self);
gboolean          amnesia_mesh_make_room        (AmnesiaMesh            *self,
                                                 AmnesiaTime             now);
void              amnesia_mesh_note_refusal     (AmnesiaMesh            *self,
                                                 const char             *name,
                                                 const char             *why,
                                                 AmnesiaTime             now);
AmnesiaLink      *amnesia_mesh_add_link         (AmnesiaMesh            *self,
                                                 AmnesiaMember          *member,
                                                 const char             *host,
                                                 guint16                 port,
                                                 gboolean                nearby,
                                                 AmnesiaTime             now);
void              amnesia_mesh_receive          (AmnesiaMesh            *self,
                                                 AmnesiaLink            *link,
                                                 const AmnesiaFrame     *frame,
                                                 AmnesiaTime             now);
void              amnesia_mesh_plan_link        (AmnesiaMesh            *self,
                                                 AmnesiaLink            *link,
                                                 AmnesiaTime             now);
void              amnesia_mesh_touch_link       (AmnesiaMesh            *self,
                                                 AmnesiaLink            *link);
void              amnesia_mesh_fail_link        (AmnesiaMesh            *self,
                                                 AmnesiaLink            *link,
                                                 const GError           *error,
                                                 AmnesiaTime             now);
void              amnesia_mesh_remove_link      (AmnesiaMesh            *self,
                                                 AmnesiaLink            *link,
                                                 const GError           *error,
                                                 AmnesiaTime             now);
gboolean          amnesia_mesh_pull             (AmnesiaMesh            *self,
                                                 AmnesiaLink            *link,
                                                 AmnesiaTime             now,
                                                 AmnesiaPacket          *packet);
void              amnesia_mesh_dial_failed      (AmnesiaMesh            *self,
                                                 AmnesiaMember          *member,
                                                 const GError           *error,
                                                 AmnesiaTime             now);
void              amnesia_mesh_wake             (AmnesiaMesh            *self,
                                                 AmnesiaTime             now);
void              amnesia_mesh_network_changed  (AmnesiaMesh            *self,
                                                 AmnesiaTime             now);
void              amnesia_mesh_tick             (AmnesiaMesh            *self,
                                                 AmnesiaTime             now);
void              amnesia_mesh_update           (AmnesiaMesh            *self,
                                                 AmnesiaTime             now);

/* what there is to see */
AmnesiaMembers   *amnesia_mesh_get_members      (AmnesiaMesh            *self);
void              amnesia_mesh_forgive_lost     (AmnesiaMesh            *self);
char             *amnesia_mesh_list_behind      (AmnesiaMesh            *self);
char             *amnesia_mesh_list_denied      (AmnesiaMesh            *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaMesh, amnesia_mesh_free)

G_END_DECLS
