/* SPDX-License-Identifier: MIT */

#include "world.h"

#include "mesh/amnesia-limits-private.h"

#include <string.h>

World world;

/* --- what the mesh asks for --- */

static void
on_dial (AmnesiaMember *member,
         gpointer       user_data)
{
  g_ptr_array_add (world.dialled, amnesia_member_ref (member));
}

static void
on_link (AmnesiaLink *link,
         gpointer     user_data)
{
  g_assert_true (g_ptr_array_find (world.ends, link->channel, NULL));
}

void
world_forget_end (End *end)
{
  g_assert_true (g_ptr_array_remove_fast (world.ends, end));
  amnesia_reader_free (end->reader);
  g_clear_pointer (&end->mirror, amnesia_reader_free);
  g_free (end);
}

static void
on_drop (AmnesiaLink *link,
         gpointer     user_data)
{
  world_forget_end (link->channel);
}

static void
on_arm (gint64   mono,
        gpointer user_data)
{
  world.armed = mono;
}

static void
on_nothing (gpointer user_data)
{
}

static void
on_log (const char *message,
        gpointer    user_data)
{
  g_assert_true (g_utf8_validate (message, -1, NULL));
  g_assert_null (strpbrk (message, "\n\r\033"));
}

static void
on_shorten (AmnesiaMember *member,
            gpointer       user_data)
{
}

static const AmnesiaMeshFuncs funcs = {
  .dial = on_dial,
  .shorten = on_shorten,
  .wake = on_link,
  .hang_up = on_link,
  .drop = on_drop,
  .arm = on_arm,
  .seek = on_nothing,
  .merged = on_nothing,
  .log = on_log,
};

/* --- what has to hold --- */

static void
check_replica (AmnesiaReplica *replica)
{
  g_autoptr (GPtrArray) entries = amnesia_replica_list (replica);
  AmnesiaEntry *base = amnesia_replica_lookup (replica, "");
  guint64 digest = 0, size = 0;
  guint i;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      digest += amnesia_entry_hash (entry);
      size += amnesia_entry_get_size (entry);
      g_assert_true (entry == base || base == NULL || amnesia_entry_compare (entry, base) > 0);
    }
  g_assert_cmpuint (digest, ==, amnesia_replica_get_digest (replica));
  g_assert_cmpuint (size, <=, world.room);
}

static void
check_members (AmnesiaMembers *members)
{
  guint i, n_guests = 0;

  for (i = 0; i < members->list->len; i++)
    {
      AmnesiaMember *member = amnesia_members_get (members, i);

      n_guests += !member->configured;
      if (member->link != NULL)
        g_assert_true (g_ptr_array_find (world.ends, member->link->channel, NULL));
    }
  g_assert_cmpuint (n_guests, <=, world.ends->len);
}

static void
check_links (void)
{
  guint i;

  for (i = 0; i < world.ends->len; i++)
    {
      AmnesiaLink *link = ((End *) world.ends->pdata[i])->link;

      g_assert_cmpuint (link->values_acked, <=, link->values_sent);
      g_assert_cmpuint (link->values_told, <=, link->values_taken);
      g_assert_cmpuint (link->peer_linked->len, <=, AMNESIA_MAX_LINKS);
      amnesia_link_is_in_sync (link);
    }
}

void
world_check (void)
{
  G_GNUC_UNUSED g_autofree char *behind = amnesia_mesh_list_behind (world.mesh);
  AmnesiaMembers *members = amnesia_mesh_get_members (world.mesh);

  check_replica (amnesia_mesh_get_replica (world.mesh));
  check_members (members);
  check_links ();
  while (amnesia_members_pop_changed (members) != NULL)
    ;
}

/* Values that were taken are right, however they came together. */
void
world_check_values (void)
{
  AmnesiaReplica *replica = amnesia_mesh_get_replica (world.mesh);
  g_autoptr (GPtrArray) entries = amnesia_replica_list (replica);
  GVariant *value = amnesia_replica_get_value (replica);
  guint i;

  for (i = 0; i < entries->len; i++)
    {
      AmnesiaEntry *entry = g_ptr_array_index (entries, i);

      if (entry->value != NULL)
        fuzz_check_value (entry->value, 1024 * 1024);
    }
  if (value != NULL && entries->len > 1)
    fuzz_check_dictionary (value);
}

/* --- life --- */

void
world_begin (void)
{
  world.now = (AmnesiaTime) { 1000 * G_TIME_SPAN_SECOND, 450000 * G_TIME_SPAN_HOUR };
  world.ends = g_ptr_array_new ();
  world.dialled = g_ptr_array_new_with_free_func ((GDestroyNotify) amnesia_member_unref);
  world.armed = 0;
  world.clock_min = world.clock_max = 0;
  world.room = AMNESIA_MAX_WRITE_FACTOR * FUZZ_MAX_SIZE;
  world.mesh = amnesia_mesh_new (WORLD_OWN_ID, &funcs, NULL, 1);
}

void
world_end (void)
{
  amnesia_mesh_close (world.mesh);
  g_assert_cmpuint (world.ends->len, ==, 0);
  amnesia_mesh_free (world.mesh);
  g_ptr_array_unref (world.ends);
  g_ptr_array_unref (world.dialled);
}

End *
world_add_end (AmnesiaMember *member)
{
  End *end = g_new0 (End, 1);

  end->link = amnesia_mesh_add_link (world.mesh, member, "10.0.0.9",
                                     (guint16) (40000 + world.ends->len), FALSE, world.now);
  end->link->channel = end;
  end->reader = amnesia_reader_new (world.max_size);
  g_ptr_array_add (world.ends, end);
  return end;
}
