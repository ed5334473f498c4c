/* SPDX-License-Identifier: MIT */

/* The peers of a store as a model: a list that can be shown, of objects that say what changes. */

#include "list-mirror.h"
#include "local-lib.h"

#include <string.h>

#define RAW_ID 7

/* --- what a peer says of itself --- */

/* A copy of all properties of a peer, kept by what it notifies. */
typedef struct
{
  AmnesiaPeer *peer;   /* (owned) */
  GHashTable  *values; /* (owned) (element-type utf8 utf8) */
  GHashTable  *counts; /* (owned) (element-type utf8 guint) how often each was notified */
} PeerMirror;

static char *
print_property (AmnesiaPeer *peer,
                const char  *name)
{
  g_auto (GValue) value = G_VALUE_INIT;
  const GError *error;

  g_object_get_property (G_OBJECT (peer), name, &value);
  if (!G_VALUE_HOLDS (&value, G_TYPE_ERROR))
    return g_strdup_value_contents (&value);
  error = g_value_get_boxed (&value);

  return error != NULL ? g_strdup_printf ("%u %d %s", error->domain, error->code, error->message)
                       : g_strdup ("none");
}

static void
notify_cb (AmnesiaPeer *peer,
           GParamSpec  *pspec,
           PeerMirror  *self)
{
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, pspec->name));
  g_autofree char *value = print_property (peer, pspec->name);

  if (g_strcmp0 (value, g_hash_table_lookup (self->values, pspec->name)) == 0)
    g_error ("“%s” was notified, but is what it was: %s", pspec->name, value);
  g_hash_table_insert (self->counts, (char *) pspec->name, GUINT_TO_POINTER (count + 1));
  g_hash_table_insert (self->values, (char *) pspec->name, g_steal_pointer (&value));
}

/* Compares the copy with the peer. Returns TRUE, to be used in conditions that are waited for. */
static gboolean
peer_mirror_check (PeerMirror *self)
{
  guint n;
  g_autofree GParamSpec **pspecs =
    g_object_class_list_properties (G_OBJECT_GET_CLASS (self->peer), &n);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *value = print_property (self->peer, pspecs[i]->name);
      const char *told = g_hash_table_lookup (self->values, pspecs[i]->name);

      if (g_strcmp0 (value, told) != 0)
        g_error ("“%s” is %s, but was last told to be %s", pspecs[i]->name, value, told);
    }

  return TRUE;
}

static PeerMirror *
peer_mirror_new (AmnesiaPeer *peer)
{
  PeerMirror *self = g_new0 (PeerMirror, 1);
  guint n;
  g_autofree GParamSpec **pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (peer), &n);

  self->peer = g_object_ref (peer);
  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  self->counts = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n; i++)
    g_hash_table_insert (self->values, (char *) pspecs[i]->name,
                         print_property (peer, pspecs[i]->name));
  g_signal_connect (peer, "notify", G_CALLBACK (notify_cb), self);

  return self;
}

/* To be called before the store goes: no code of the application is run for that. */
static void
peer_mirror_free (PeerMirror *self)
{
  peer_mirror_check (self);
  g_signal_handlers_disconnect_by_data (self->peer, self);
  g_object_unref (self->peer);
  g_hash_table_unref (self->values);
  g_hash_table_unref (self->counts);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PeerMirror, peer_mirror_free)

/* How often this property was notified. */
static guint
count (PeerMirror *self,
       const char *name)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, name));
}

static gboolean
has_status (PeerMirror *self,
            const char *pattern)
{
  peer_mirror_check (self);

  return g_pattern_match_simple (pattern, amnesia_peer_get_status (self->peer));
}

static void
test_notify (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  g_autoptr (PeerMirror) mirror = peer_mirror_new (test_find_peer (a, test_port (1)));
  g_autofree char *name = g_strdup_printf ("%s:%u", test_host (), test_port (1));
  AmnesiaStore *b;

  g_test_summary ("All that can change about a member is notified, and nothing that did not");

  g_assert_cmpstr (amnesia_peer_get_name (mirror->peer), ==, name);
  test_until (has_status (mirror, "away: *"));
  b = test_new_store (conf);
  test_until (has_status (mirror, "in sync*by TCP"));
  test_until (amnesia_peer_get_in_sync (mirror->peer));
  for (guint i = 0; i < 50; i++)
    {
      amnesia_store_set_data (a, g_variant_new_uint32 (i));
      test_until (peer_mirror_check (mirror) && amnesia_peer_get_in_sync (mirror->peer));
    }
  g_assert_cmpuint (count (mirror, "in-sync"), >=, 1 + 2 * 50);
  test_until (peer_mirror_check (mirror) && amnesia_peer_get_round_trip (mirror->peer) >= 0);
  g_assert_true (has_status (mirror, "in sync, *ms, by TCP"));
  /* in sync, and the first round trip: the values are none of its business */
  g_assert_cmpuint (count (mirror, "status"), <=, 4 * test_slowness ());
  test_free_store (b);
  test_until (has_status (mirror, "away*"));
  g_assert_cmpint (amnesia_peer_get_way (mirror->peer), ==, AMNESIA_WAY_NONE);
  test_until (has_status (mirror, "away: *") && amnesia_peer_get_last_error (mirror->peer) != NULL);
  g_assert_cmpuint (count (mirror, "state"), >=, 2);
  g_assert_cmpuint (count (mirror, "way"), ==, 2);
  g_assert_cmpuint (count (mirror, "round-trip"), >=, 2);
  g_assert_cmpuint (count (mirror, "clock-offset"), >=, 2);
  g_assert_cmpuint (count (mirror, "last-error"), >=, 2);
  g_assert_cmpuint (count (mirror, "status"), >=, 3);
  g_assert_cmpuint (count (mirror, "name") + count (mirror, "host") + count (mirror, "port"), ==, 0);
  g_clear_pointer (&mirror, peer_mirror_free);
  test_free_store (a);
}

static void
test_behind (void)
{
  g_autoptr (RawPeer) raw = NULL;
  AmnesiaStore *store = raw_door_open_store (&raw);
  g_autoptr (PeerMirror) mirror = peer_mirror_new (test_find_peer (store, test_port (1)));
  guint n;

  g_test_summary ("Who confirms nothing is behind, after a second and at the next heartbeat");

  test_until (has_status (mirror, "in sync, by TCP"));
  test_set (store, "1");
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_WRITE));
  g_assert_false (amnesia_peer_get_in_sync (mirror->peer));
  g_assert_true (has_status (mirror, "in sync, by TCP"));
  n = count (mirror, "status");
  raw_frame_free (raw_peer_wait_frame (raw, AMNESIA_FRAME_BEAT));
  test_pass_time (1100);
  raw_peer_send_beat (raw, 0);
  test_until (has_status (mirror, "behind, *by TCP"));
  raw_peer_send_ack (raw, 1);
  test_until (has_status (mirror, "in sync, *by TCP"));
  g_assert_cmpuint (count (mirror, "status"), ==, n + 2);
  g_clear_pointer (&mirror, peer_mirror_free);
  test_free_store (store);
}

static void
test_way (void)
{
  g_autoptr (PeerMirror) mirror = NULL;
  AmnesiaStore *a, *b;

  g_test_summary ("A member of this machine is in sync by a Unix socket");

  local_begin ();
  a = local_new_store (2, TRUE);
  test_wait_state (a, AMNESIA_STATE_ALONE);
  mirror = peer_mirror_new (test_find_peer (a, test_port (1)));
  b = local_new_store (2, TRUE);
  test_until (has_status (mirror, "in sync*by Unix socket"));
  g_assert_cmpint (amnesia_peer_get_way (mirror->peer), ==, AMNESIA_WAY_LOCAL);
  g_assert_cmpuint (count (mirror, "way"), >=, 1);
  test_free_store (b);
  test_until (has_status (mirror, "away*"));
  g_clear_pointer (&mirror, peer_mirror_free);
  test_free_store (a);
  local_end ();
}

static void
test_store_goes (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = test_store (conf);
  AmnesiaPeer *peer = test_find_peer (a, test_port (1));
  g_autoptr (AmnesiaPeer) kept = g_object_ref (peer);

  g_test_summary ("Who still holds a peer when the store goes sees it as away");

  test_wait_linked (a, 1);
  test_until (g_str_has_prefix (amnesia_peer_get_status (kept), "in sync"));
  test_free_store (a);
  g_assert_cmpstr (amnesia_peer_get_status (kept), ==, "away");
  test_free_store (b);
}

/* --- the list --- */

static guint
n_items (AmnesiaStore *store)
{
  return g_list_model_get_n_items (amnesia_store_get_peers (store));
}

static void
test_guests (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaStore *store = test_store (conf);
  g_autoptr (ListMirror) list = list_mirror_new (amnesia_store_get_peers (store));
  g_autoptr (PeerMirror) mirror = NULL;
  g_autofree char *name = NULL;
  AmnesiaStore *guests[3];

  g_test_summary ("Guests come and go: the list says so, and each of them what becomes of it");

  for (guint i = 0; i < G_N_ELEMENTS (guests); i++)
    {
      guests[i] = test_new_store (conf);
      test_until (n_items (store) == i + 1);
    }
  g_assert_cmpuint (list_mirror_count (list), ==, 3);
  {
    g_autoptr (AmnesiaPeer) second = g_list_model_get_item (amnesia_store_get_peers (store), 1);

    mirror = peer_mirror_new (second);
  }
  name = g_strdup_printf ("%s:%u", amnesia_peer_get_host (mirror->peer),
                          amnesia_peer_get_port (mirror->peer));
  g_assert_cmpstr (amnesia_peer_get_name (mirror->peer), ==, name);
  test_until (has_status (mirror, "in sync*by TCP"));
  test_free_store (guests[1]);
  test_until (n_items (store) == 2);
  g_assert_true (has_status (mirror, "away*"));
  g_assert_cmpint (amnesia_peer_get_state (mirror->peer), ==, AMNESIA_PEER_STATE_AWAY);
  test_free_store (guests[0]);
  test_free_store (guests[2]);
  test_until (n_items (store) == 0);
  test_free_store (store);
}

static void
test_local_guest (void)
{
  AmnesiaStore *store, *guest;
  g_autoptr (ListMirror) list = NULL;
  g_autoptr (AmnesiaPeer) peer = NULL;
  g_autofree char *name = g_strdup_printf ("process %d of this machine", (int) getpid ());

  g_test_summary ("A guest of this machine is called by its process");

  local_begin ();
  store = local_new_store (1, TRUE);
  test_wait_state (store, AMNESIA_STATE_ALONE);
  list = list_mirror_new (amnesia_store_get_peers (store));
  guest = local_new_store (1, TRUE);
  test_until (n_items (store) == 1);
  peer = g_list_model_get_item (amnesia_store_get_peers (store), 0);
  g_assert_cmpstr (amnesia_peer_get_name (peer), ==, name);
  test_free_store (guest);
  test_until (n_items (store) == 0);
  test_free_store (store);
  local_end ();
}

static void
test_conf_changes (void)
{
  g_autoptr (AmnesiaConf) three = test_conf (3);
  g_autoptr (AmnesiaConf) two = test_conf (2);
  AmnesiaStore *store = test_store (three);
  g_autoptr (ListMirror) list = list_mirror_new (amnesia_store_get_peers (store));
  g_autoptr (PeerMirror) stays = peer_mirror_new (test_find_peer (store, test_port (1)));
  g_autoptr (PeerMirror) goes = peer_mirror_new (test_find_peer (store, test_port (2)));

  g_test_summary ("Another configuration takes out those who are not in it, and lets the others be");

  g_assert_cmpuint (n_items (store), ==, 2);
  amnesia_store_set_conf (store, two);
  test_until (n_items (store) == 1 && peer_mirror_check (stays) && peer_mirror_check (goes));
  g_assert_true (test_find_peer (store, test_port (1)) == stays->peer);
  amnesia_store_set_conf (store, three);
  test_until (n_items (store) == 2);
  g_assert_true (test_find_peer (store, test_port (2)) != goes->peer);
  amnesia_store_set_conf (store, NULL);
  test_until (amnesia_store_get_state (store) == AMNESIA_STATE_CLOSED);
  test_until (n_items (store) == 0 && peer_mirror_check (stays));
  test_free_store (store);
}

static void
test_guest_becomes_member (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  AmnesiaStore *first = test_store (conf);
  AmnesiaStore *second = test_store (conf);
  AmnesiaStore *guest = test_store (conf);
  g_autoptr (ListMirror) list = list_mirror_new (amnesia_store_get_peers (second));
  g_autoptr (PeerMirror) mirror = peer_mirror_new (test_find_peer (second, test_port (0)));

  g_test_summary ("A guest that becomes a member is seen as that member, and as no guest");

  test_until (has_status (mirror, "in sync*by TCP"));
  g_assert_null (amnesia_store_get_listening (guest));
  test_free_store (first);
  test_until (peer_mirror_check (mirror) && amnesia_store_get_listening (guest) != NULL);
  test_until (has_status (mirror, "in sync*by TCP") && n_items (second) == 1);
  g_assert_true (test_find_peer (second, test_port (0)) == mirror->peer);
  test_free_store (guest);
  g_clear_pointer (&mirror, peer_mirror_free);
  test_free_store (second);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/peers/notify", test_notify);
  g_test_add_func ("/peers/behind", test_behind);
  g_test_add_func ("/peers/way", test_way);
  g_test_add_func ("/peers/store-goes", test_store_goes);
  g_test_add_func ("/peers/guests", test_guests);
  g_test_add_func ("/peers/local-guest", test_local_guest);
  g_test_add_func ("/peers/conf-changes", test_conf_changes);
  g_test_add_func ("/peers/guest-becomes-member", test_guest_becomes_member);

  return g_test_run ();
}
