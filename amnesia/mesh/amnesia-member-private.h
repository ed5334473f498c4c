/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-link-private.h"

G_BEGIN_DECLS

/* One other member as the mesh knows it: an entry of the configuration, or a guest. */
typedef struct
{
  char        *host;       /* (owned) */
  guint16      port;
  char        *name;       /* (owned) both, for messages */
  gboolean     configured; /* FALSE: a guest, known as long as it is linked */
  gboolean     self;       /* it is us, by whatever name */

  guint64      id;         /* 0: not known */
  AmnesiaLink *link;       /* (unowned) (nullable) the one that said hello */

  gboolean     dialling;   /* from the dial to its failure or the hello */
  gboolean     skip_local; /* the local way did not serve: the next dial is by TCP */
  gboolean     tried;      /* the first dial has ended */
  guint        failures;   /* in a row */
  guint        n_brief;    /* links in a row that ended soon */
  gint64       redial_at;
  gint64       missing_since;

  gboolean     unconfirmed; /* its link was lost before it had confirmed all */
  gboolean     offset_warned;
  GError      *error;      /* (owned) (nullable) the last one */
  gboolean     denied;     /* it is that something was too large for this one */
  gboolean     changed;    /* since the last amnesia_members_pop_changed () */
  gpointer     peer;       /* (unowned) (nullable) who shows it to the user */
} AmnesiaMember;

AmnesiaMember *amnesia_member_new       (const char          *host,
                                         guint16              port,
                                         gboolean             configured,
                                         AmnesiaTime          now);
AmnesiaMember *amnesia_member_ref       (AmnesiaMember       *self);
void           amnesia_member_unref     (AmnesiaMember       *self);

gboolean       amnesia_member_is        (const AmnesiaMember *self,
                                         const char          *host,
                                         guint16              port);
gboolean       amnesia_member_is_remote (const AmnesiaMember *self);
gboolean       amnesia_member_set_error (AmnesiaMember       *self,
                                         const GError        *error);
void           amnesia_member_reset     (AmnesiaMember       *self,
                                         AmnesiaTime          now);
gint64         amnesia_jitter           (gint64               delay,
                                         GRand               *rand);
void           amnesia_member_back_off  (AmnesiaMember       *self,
                                         AmnesiaTime          now,
                                         GRand               *rand);

G_END_DECLS
