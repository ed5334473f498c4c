/* SPDX-License-Identifier: MIT */

/* What a store remembers of its changes. */

#include "amnesia-store-private.h"

#include "amnesia-key-changes-private.h"
#include "replica/amnesia-value-private.h"

/* What the changes of one transition have in common. */
typedef struct
{
  AmnesiaStore       *store;
  gboolean            written; /* FALSE: the default has become another */
  gboolean            any;
  const AmnesiaEntry *entry;   /* (nullable) the last that was looked at; most often all are of one */
  GDateTime          *when;    /* (owned) (nullable) the time of that */
} Recorder;

/* An entry may be none, where the default shows: that is our own. */
static gboolean
is_own (AmnesiaStore       *self,
        const AmnesiaEntry *entry)
{
  return entry == NULL || amnesia_replica_wrote (self->replica, entry);
}

static const char *
get_writer (AmnesiaStore       *self,
            const AmnesiaEntry *entry)
{
  const AmnesiaMember *member;

  if (is_own (self, entry))
    return amnesia_transport_get_listening (self->transport);
  if (entry->id == 0)
    return NULL;
  member = amnesia_members_find_id (amnesia_mesh_get_members (self->mesh), entry->id);

  return member != NULL ? member->name : NULL;
}

/* Looks for the write that made the value, or what it has under @key, what it is. */
static const AmnesiaEntry *
find_entry (Recorder   *self,
            const char *key)
{
  AmnesiaReplica *replica = self->store->replica;
  const AmnesiaEntry *entry;

  if (!self->written)
    return NULL;
  if (key == NULL)
    return amnesia_replica_get_newest (replica);
  entry = amnesia_replica_lookup (replica, key);

  return entry != NULL ? entry : amnesia_replica_lookup (replica, "");
}

static GDateTime *
get_time (Recorder           *self,
          const AmnesiaEntry *entry)
{
  if (self->when != NULL && self->entry == entry)
    return self->when;
  g_clear_pointer (&self->when, g_date_time_unref);
  self->entry = entry;
  self->when = entry != NULL ? amnesia_store_read_stamp (entry->stamp) : g_date_time_new_now_utc ();

  return self->when;
}

static void
record (Recorder   *self,
        const char *key,
        GVariant   *old_value,
        GVariant   *new_value)
{
  const AmnesiaEntry *entry = find_entry (self, key);
  g_autoptr (AmnesiaChange) change =
    amnesia_change_new (key, old_value, new_value, !is_own (self->store, entry),
                        get_time (self, entry), get_writer (self->store, entry));

  amnesia_history_note (self->store->history, change);
  self->any = TRUE;
}

static void
record_key (const char *key,
            GVariant   *old_value,
            GVariant   *new_value,
            gpointer    user_data)
{
  g_autoptr (GVariant) old_copy = old_value != NULL ? amnesia_value_copy (old_value) : NULL;
  g_autoptr (GVariant) new_copy = new_value != NULL ? amnesia_value_copy (new_value) : NULL;

  record (user_data, key, old_copy, new_copy);
}

static gboolean
may_have_keys (GVariant *value)
{
  return value == NULL || g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT);
}

/* Remembers what has become of the value: each key that is another, where it was and is a dictionary,
 * or the whole. Runs no code of the application: it is shown when that is told. */
void
amnesia_store_record (AmnesiaStore *self,
                      GVariant     *old_value,
                      GVariant     *new_value,
                      gboolean      written)
{
  Recorder recorder = { .store = self, .written = written };

  if (may_have_keys (old_value) && may_have_keys (new_value))
    amnesia_key_changes_foreach (old_value, new_value, record_key, &recorder);
  if (!recorder.any)
    record (&recorder, NULL, old_value, new_value);
  g_clear_pointer (&recorder.when, g_date_time_unref);
}

/**
 * amnesia_store_get_history: (get-property history)
 * @self: a store
 *
 * Gets what the store remembers of its changes. The list is always the same object.
 *
 * Returns: (transfer none): a list model of [class@Amnesia.Change], the newest last
 *
 * Since: 0.1
 */
GListModel *
amnesia_store_get_history (AmnesiaStore *self)
{
  g_auto (AmnesiaTurn) turn = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), NULL);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), NULL);

  return G_LIST_MODEL (self->history);
}

/**
 * amnesia_store_get_history_length: (get-property history-length)
 * @self: a store
 *
 * Gets how many changes the store remembers.
 *
 * Returns: how many at most; 0 if none
 *
 * Since: 0.1
 */
guint
amnesia_store_get_history_length (AmnesiaStore *self)
{
  g_auto (AmnesiaTurn) turn = NULL;

  g_return_val_if_fail (AMNESIA_IS_STORE (self), 0);
  g_return_val_if_fail (amnesia_store_enter_own_context (self, &turn), 0);

  return amnesia_history_get_length (self->history);
}

/**
 * amnesia_store_set_history_length: (set-property history-length)
 * @self: a store
 * @length: how many at most, up to 10,000; 0 for none
 *
 * Sets how many changes the store remembers, from now on. If there are more, the oldest are forgotten.
 *
 * Since: 0.1
 */
void
amnesia_store_set_history_length (AmnesiaStore *self,
                                  guint         length)
{
  g_auto (AmnesiaTurn) turn = NULL;
  g_autoptr (AmnesiaStore) alive = NULL;

  g_return_if_fail (AMNESIA_IS_STORE (self));
  g_return_if_fail (length <= AMNESIA_MAX_HISTORY);
  g_return_if_fail (amnesia_store_enter_own_context (self, &turn));

  if (amnesia_history_get_length (self->history) == length)
    return;
  alive = g_object_ref (self);
  amnesia_history_set_length (self->history, length);
  amnesia_store_notify (self, AMNESIA_STORE_PROP_HISTORY_LENGTH);
}
