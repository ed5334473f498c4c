/* SPDX-License-Identifier: MIT */

/* What was lost: writes of ours that others beat without having seen them. */

#include "amnesia-replica-struct-private.h"

/* More than can be lost at once, of which there are AMNESIA_MAX_SIZES_IN_ALL. */
#define MAX_LOSSES (2 * AMNESIA_MAX_KEYS)
#define MAX_LOSSES_SIZES 16

static void
loss_free (gpointer data)
{
  AmnesiaLoss *loss = data;

  amnesia_entry_unref (loss->lost);
  amnesia_entry_unref (loss->winner);
  g_free (loss);
}

/* Whether the writer of @entry had seen @other, or a later write of the same writer. Entries tell of the
 * newest writers only: one that is older than all of a full list may have been seen. */
static gboolean
has_seen (const AmnesiaEntry *entry,
          const AmnesiaEntry *other)
{
  gboolean older = entry->n_seen == AMNESIA_MAX_SEEN;

  for (guint i = 0; i < entry->n_seen; i++)
    {
      const AmnesiaSeen *seen = &entry->seen[i];

      if (seen->id == other->id)
        return seen->stamp >= other->stamp;
      older = older && amnesia_write_compare (seen->stamp, seen->id, other->stamp, other->id) > 0;
    }

  return older;
}

/* Counts a loss, and returns whether there is room for it: while a handler runs, others may write, and
 * nobody takes what is noted. A whole value that covers many keys is counted once. */
static gboolean
count_loss (AmnesiaReplica *self,
            AmnesiaEntry   *lost,
            AmnesiaEntry   *winner)
{
  const AmnesiaLoss *last;

  if (self->losses == NULL)
    {
      self->losses = g_ptr_array_new_with_free_func (loss_free);
      self->losses_size = 0;
    }
  last = self->losses->len > 0 ? self->losses->pdata[self->losses->len - 1] : NULL;
  self->losses_size += amnesia_entry_get_size (lost);
  if (last == NULL || last->winner != winner)
    self->losses_size += amnesia_entry_get_size (winner);

  return last == NULL ||
         (self->losses->len < MAX_LOSSES &&
          self->losses_size <= MAX_LOSSES_SIZES * self->max_size);
}

/* @lost goes out of force because of @winner. */
void
amnesia_replica_note_loss (AmnesiaReplica *self,
                           AmnesiaEntry   *lost,
                           AmnesiaEntry   *winner)
{
  AmnesiaLoss *loss;

  if (!amnesia_replica_wrote (self, lost) || amnesia_replica_wrote (self, winner) ||
      has_seen (winner, lost) || !count_loss (self, lost, winner))
    return;

  loss = g_new (AmnesiaLoss, 1);
  loss->lost = amnesia_entry_ref (lost);
  loss->winner = amnesia_entry_ref (winner);
  g_ptr_array_add (self->losses, loss);
}

/* Returns the writes of ours that were lost since this was last asked, or NULL. */
GPtrArray *
amnesia_replica_steal_losses (AmnesiaReplica *self)
{
  return g_steal_pointer (&self->losses);
}
