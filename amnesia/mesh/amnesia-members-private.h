/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-member-private.h"
#include "amnesia-settings-private.h"

G_BEGIN_DECLS

/* All other members, in the order of the configuration; guests come last. */
typedef struct
{
  GPtrArray *list;         /* (owned) (element-type AmnesiaMember) */
  guint      serial;       /* another one whenever members came, went, or turned out to be us or not */
  gboolean   changed;      /* some member changed */
  guint      next_changed; /* where to look for it first */
} AmnesiaMembers;

void           amnesia_members_init        (AmnesiaMembers        *self);
void           amnesia_members_clear       (AmnesiaMembers        *self);

AmnesiaMember *amnesia_members_get         (AmnesiaMembers        *self,
                                            guint                  position);
AmnesiaMember *amnesia_members_find        (AmnesiaMembers        *self,
                                            const char            *host,
                                            guint16                port);
AmnesiaMember *amnesia_members_find_id     (AmnesiaMembers        *self,
                                            guint64                id);
AmnesiaMember *amnesia_members_add_guest   (AmnesiaMembers        *self,
                                            const char            *host,
                                            guint16                port,
                                            const char            *name,
                                            AmnesiaTime            now);
GPtrArray     *amnesia_members_set_listed  (AmnesiaMembers        *self,
                                            const AmnesiaSettings *settings,
                                            AmnesiaTime            now);
void           amnesia_members_set_self    (AmnesiaMembers        *self,
                                            AmnesiaMember         *member);
void           amnesia_members_clear_self  (AmnesiaMembers        *self);
void           amnesia_members_remove      (AmnesiaMembers        *self,
                                            guint                  position);
void           amnesia_members_forget      (AmnesiaMembers        *self);

void           amnesia_members_touch       (AmnesiaMembers        *self,
                                            AmnesiaMember         *member);
AmnesiaMember *amnesia_members_pop_changed (AmnesiaMembers        *self);
gboolean       amnesia_members_all_tried   (AmnesiaMembers        *self);

G_END_DECLS
