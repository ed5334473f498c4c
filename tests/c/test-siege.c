/* SPDX-License-Identifier: MIT */

/* What a second adversary found. */

#include "raw-peer.h"

/* --- a blocking call in a handler --- */

typedef struct
{
  AmnesiaStore *peer;
  GCancellable *cancellable;
  GError       *open_error, *close_error;
} Handler;

/* So that the test ends. */
static gboolean
give_up_cb (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static void
block_cb (AmnesiaStore *store,
          GVariant     *old_value,
          GVariant     *new_value,
          gboolean      remote,
          Handler      *handler)
{
  if (remote || handler->open_error != NULL)
    return;
  g_usleep (3000); /* so that it is newer */
  test_set (handler->peer, "2");
  amnesia_store_open_sync (store, handler->cancellable, &handler->open_error);
  g_cancellable_reset (handler->cancellable);
  amnesia_store_close_sync (store, handler->cancellable, &handler->close_error);
}

static void
test_block_in_handler (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Handler handler = { test_store (conf), cancellable, NULL, NULL };
  AmnesiaStore *store = test_new_store (conf);
  guint end;

  g_test_summary ("Blocking in a handler, outside of any dispatch, fails at once: what it would wait "
                  "for is told after the transitions that wait for the handler");

  end = g_timeout_add (8000, give_up_cb, cancellable);
  g_signal_connect (store, "changed", G_CALLBACK (block_cb), &handler);
  test_set (store, "1");
  g_assert_error (handler.open_error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT);
  g_assert_error (handler.close_error, AMNESIA_ERROR, AMNESIA_ERROR_WRONG_CONTEXT);
  g_source_remove (end);
  g_clear_error (&handler.open_error);
  g_clear_error (&handler.close_error);
  test_wait_state (store, AMNESIA_STATE_SYNCED);
  test_free_store (store);
  test_free_store (handler.peer);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/siege/block-in-handler", test_block_in_handler);
  return g_test_run ();
}
