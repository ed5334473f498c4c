/* SPDX-License-Identifier: MIT */

#include "amnesia-member-private.h"

#include "amnesia-limits-private.h"

AmnesiaMember *
amnesia_member_new (const char  *host,
                    guint16      port,
                    gboolean     configured,
                    AmnesiaTime  now)
{
  AmnesiaMember *self = g_atomic_rc_box_new0 (AmnesiaMember);

  self->host = g_strdup (host);
  self->port = port;
  self->name = amnesia_format_address (host, port);
  self->configured = configured;
  self->missing_since = now.mono;
  self->redial_at = now.mono;
  self->changed = TRUE;
  return self;
}

AmnesiaMember *
amnesia_member_ref (AmnesiaMember *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
amnesia_member_clear (gpointer data)
{
  AmnesiaMember *self = data;

  g_free (self->host);
  g_free (self->name);
  g_clear_error (&self->error);
}

void
amnesia_member_unref (AmnesiaMember *self)
{
  g_atomic_rc_box_release_full (self, amnesia_member_clear);
}

gboolean
amnesia_member_is (const AmnesiaMember *self,
                   const char          *host,
                   guint16              port)
{
  return self->port == port && g_str_equal (self->host, host);
}

/* Whether it is one whom a member dials. */
gboolean
amnesia_member_is_remote (const AmnesiaMember *self)
{
  return self->configured && !self->self;
}

/* Returns whether this is news. */
gboolean
amnesia_member_set_error (AmnesiaMember *self,
                          const GError  *error)
{
  gboolean same = error == NULL ? self->error == NULL
                                : self->error != NULL && self->error->domain == error->domain &&
                                    self->error->code == error->code &&
                                    g_str_equal (self->error->message, error->message);

  self->denied = FALSE;
  if (same)
    return FALSE;
  g_clear_error (&self->error);
  self->error = error != NULL ? g_error_copy (error) : NULL;
  self->changed = TRUE;
  return TRUE;
}

/* There is reason to think that it can be reached now. */
void
amnesia_member_reset (AmnesiaMember *self,
                      AmnesiaTime    now)
{
  self->failures = 0;
  self->missing_since = now.mono;
  self->redial_at = now.mono;
}

/* So that those who lost one another together do not dial together. */
gint64
amnesia_jitter (gint64  delay,
                GRand  *rand)
{
  return (gint64) (delay * g_rand_double_range (rand, 1 - AMNESIA_REDIAL_JITTER,
                                                1 + AMNESIA_REDIAL_JITTER));
}

/* A dial failed, or the link was lost: sets when to try again. */
void
amnesia_member_back_off (AmnesiaMember *self,
                         AmnesiaTime    now,
                         GRand         *rand)
{
  gboolean long_gone = now.mono - self->missing_since >= AMNESIA_REDIAL_LATER_AFTER;
  gint64 cap = long_gone ? AMNESIA_REDIAL_CAP_LATER : AMNESIA_REDIAL_CAP;
  guint failures = MAX (self->failures, self->n_brief > 0 ? self->n_brief - 1 : 0);
  gint64 delay = MIN (AMNESIA_REDIAL_FIRST << MIN (failures, 16), cap);

  self->failures++;
  self->redial_at = now.mono + amnesia_jitter (delay, rand);
}
