/* SPDX-License-Identifier: MIT */

#include "testlib.h"

#include <unistd.h>

#define PATIENCE_S 20

const char *
test_host (void)
{
  static char host[32];
  guint pid = (guint) getpid ();

  if (host[0] == '\0')
    g_snprintf (host, sizeof host, "127.%u.%u.%u", 1 + (pid >> 16) % 250, (pid >> 8) & 255,
                pid & 255);
  return host;
}

guint
test_port (guint index)
{
  return 7701 + index;
}

AmnesiaConf *
test_conf (guint n_entries)
{
  AmnesiaConf *conf = amnesia_conf_new ();
  guint i;

  for (i = 0; i < n_entries; i++)
    {
      g_autoptr (GError) error = NULL;

      amnesia_conf_add_peer (conf, test_host (), test_port (i), &error);
      g_assert_no_error (error);
    }
  return conf;
}

/* Returns a store that is open. */
AmnesiaStore *
test_store (AmnesiaConf *conf)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GError) error = NULL;

  amnesia_store_set_conf (store, conf);
  amnesia_store_open_sync (store, NULL, &error);
  g_assert_no_error (error);
  return store;
}

GVariant *
test_value (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (NULL, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

static gboolean
expire_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

void
test_wait_for (const char    *what,
               const char    *file,
               int            line,
               TestCondition  condition,
               gpointer       user_data)
{
  gboolean expired = FALSE;
  guint id = g_timeout_add_seconds (PATIENCE_S, expire_cb, &expired);

  while (!condition (user_data))
    {
      if (expired)
        g_error ("%s:%d: waited %d s in vain for %s", file, line, PATIENCE_S, what);
      g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (id);
}

/* Lets things happen that must not: there is no event to wait for. */
void
test_pass_time (guint milliseconds)
{
  gboolean expired = FALSE;

  g_timeout_add (milliseconds, expire_cb, &expired);
  while (!expired)
    g_main_context_iteration (NULL, TRUE);
}

typedef struct
{
  AmnesiaStore *store;
  AmnesiaState  state;
  GVariant     *value;
  guint         n;
} Expected;

static gboolean
has_state (gpointer user_data)
{
  Expected *expected = user_data;

  return amnesia_store_get_state (expected->store) == expected->state;
}

void
test_wait_state (AmnesiaStore *store,
                 AmnesiaState  state)
{
  Expected expected = { store, .state = state };

  test_wait (has_state, &expected);
}

static gboolean
has_value (gpointer user_data)
{
  Expected *expected = user_data;
  g_autoptr (GVariant) data = amnesia_store_get_data (expected->store);

  if (data == NULL || expected->value == NULL)
    return data == expected->value;
  return g_variant_equal (data, expected->value);
}

/* Takes a floating @value. */
void
test_wait_data (AmnesiaStore *store,
                GVariant     *value)
{
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  Expected expected = { store, .value = owned };

  test_wait (has_value, &expected);
}

guint
test_n_linked (AmnesiaStore *store)
{
  GListModel *peers = amnesia_store_get_peers (store);
  guint i, n = 0;

  for (i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      n += amnesia_peer_get_state (peer) == AMNESIA_PEER_STATE_CONNECTED;
    }
  return n;
}

static gboolean
has_links (gpointer user_data)
{
  Expected *expected = user_data;

  return test_n_linked (expected->store) == expected->n;
}

/* Waits until @n peers are connected. */
void
test_wait_linked (AmnesiaStore *store,
                  guint         n)
{
  Expected expected = { store, .n = n };

  test_wait (has_links, &expected);
}

/* @text: in GVariant's notation; NULL: unset. */
void
test_assert_data (AmnesiaStore *store,
                  const char   *text)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (store);
  g_autofree char *got = data != NULL ? g_variant_print (data, TRUE) : NULL;

  g_assert_cmpstr (got, ==, text);
}

/* Drops the last reference, and sees to it that it is. */
void
test_free_store (AmnesiaStore *store)
{
  g_assert_finalize_object (store);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

guint
test_n_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}
