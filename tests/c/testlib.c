/* SPDX-License-Identifier: MIT */

#include "testlib.h"

#include <arpa/inet.h>
#include <unistd.h>

#define PATIENCE_S (20 * test_slowness ())

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
        g_error ("%s:%d: waited %u s in vain for %s", file, line, PATIENCE_S, what);
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

/* A store that has seen nothing yet and writes in the same millisecond as another one did is not
 * later: which of the two wins is chance. */
void
test_let_millisecond_pass (void)
{
  gint64 now = g_get_real_time () / 1000;

  while (g_get_real_time () / 1000 == now)
    g_thread_yield ();
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

/* How many connections there are to the ports of this process's address, each counted once. */
guint
test_n_connections (void)
{
  g_autofree char *text = NULL;
  g_autofree char *pattern = NULL;
  g_auto (GStrv) lines = NULL;
  guint i, n = 0;

  /* number, local address and port, remote ones, state 1: established */
  pattern = g_strdup_printf ("*: %08X:1E?? * 01 *", inet_addr (test_host ()));
  g_file_get_contents ("/proc/self/net/tcp", &text, NULL, NULL);
  lines = g_strsplit (text, "\n", -1);
  for (i = 0; lines[i] != NULL; i++)
    n += g_pattern_match_simple (pattern, lines[i]);
  return n;
}

TestPatience
test_patience_new (const char *what,
                   const char *file,
                   int         line)
{
  return (TestPatience) { what, file, line,
                         g_get_monotonic_time () + PATIENCE_S * G_TIME_SPAN_SECOND };
}

static gboolean
wake_cb (gpointer user_data)
{
  return G_SOURCE_REMOVE;
}

/* Iterates the default main context once, unless what is waited for is @done. */
gboolean
test_patience_goes_on (TestPatience *patience,
                       gboolean      done)
{
  guint id;

  if (done)
    return FALSE;
  if (g_get_monotonic_time () > patience->end)
    g_error ("%s:%d: waited %u s in vain for %s", patience->file, patience->line, PATIENCE_S,
             patience->what);
  id = g_timeout_add (50, wake_cb, NULL);
  g_main_context_iteration (NULL, TRUE);
  if (g_main_context_find_source_by_id (NULL, id) != NULL)
    g_source_remove (id);
  return TRUE;
}

/* --- the diary --- */

struct _TestDiary
{
  AmnesiaStore *store;   /* (unowned) (nullable) weak */
  GPtrArray    *entries; /* (owned) (element-type utf8) */
  GPtrArray    *log;     /* (owned) (element-type utf8) */
};

static char *
print_value (GVariant *value)
{
  return value != NULL ? g_variant_print (value, TRUE) : g_strdup ("unset");
}

static void
diary_changed_cb (AmnesiaStore *store,
                  GVariant     *old_value,
                  GVariant     *new_value,
                  gboolean      remote,
                  TestDiary    *diary)
{
  g_autofree char *before = print_value (old_value);
  g_autofree char *after = print_value (new_value);

  g_ptr_array_add (diary->entries, g_strdup_printf ("changed %s -> %s %s", before, after,
                                                    remote ? "remote" : "local"));
}

static void
diary_notify_cb (AmnesiaStore *store,
                 GParamSpec   *pspec,
                 TestDiary    *diary)
{
  static const char *const states[] = { "closed", "syncing", "synced", "alone" };
  char *entry;

  if (g_str_equal (pspec->name, "state"))
    entry = g_strdup_printf ("state %s", states[amnesia_store_get_state (store)]);
  else if (g_str_equal (pspec->name, "listening"))
    entry = g_strdup_printf ("listening %s", amnesia_store_get_listening (store));
  else
    entry = g_strdup (pspec->name);
  g_ptr_array_add (diary->entries, entry);
}

static void
diary_log_cb (AmnesiaStore *store,
              const char   *message,
              TestDiary    *diary)
{
  g_test_message ("log: %s", message);
  g_ptr_array_add (diary->log, g_strdup (message));
}

TestDiary *
test_diary_new (AmnesiaStore *store)
{
  TestDiary *diary = g_new0 (TestDiary, 1);

  diary->entries = g_ptr_array_new_with_free_func (g_free);
  diary->log = g_ptr_array_new_with_free_func (g_free);
  g_set_weak_pointer (&diary->store, store);
  g_signal_connect (store, "changed", G_CALLBACK (diary_changed_cb), diary);
  g_signal_connect (store, "notify", G_CALLBACK (diary_notify_cb), diary);
  g_signal_connect (store, "log", G_CALLBACK (diary_log_cb), diary);
  return diary;
}

static void
diary_key_changed_cb (AmnesiaStore *store,
                      const char   *key,
                      GVariant     *old,
                      GVariant     *new,
                      gboolean      remote,
                      TestDiary    *diary)
{
  g_autofree char *before = print_value (old);
  g_autofree char *after = print_value (new);

  g_ptr_array_add (diary->entries, g_strdup_printf ("key %s: %s -> %s %s", key, before, after,
                                                    remote ? "remote" : "local"));
}

static void
diary_superseded_cb (AmnesiaStore *store,
                     const char   *key,
                     GVariant     *lost,
                     GVariant     *winner,
                     TestDiary    *diary)
{
  g_autofree char *before = print_value (lost);
  g_autofree char *after = print_value (winner);

  g_ptr_array_add (diary->entries, g_strdup_printf ("superseded %s: %s by %s",
                                                    key != NULL ? key : "all", before, after));
}

/* A diary that has "key KEY: OLD -> NEW local" and "superseded KEY: LOST by WINNER" as well. */
TestDiary *
test_diary_new_with_keys (AmnesiaStore *store)
{
  TestDiary *diary = test_diary_new (store);

  g_signal_connect (store, "key-changed", G_CALLBACK (diary_key_changed_cb), diary);
  g_signal_connect (store, "superseded", G_CALLBACK (diary_superseded_cb), diary);
  return diary;
}

void
test_diary_free (TestDiary *diary)
{
  if (diary->store != NULL)
    g_signal_handlers_disconnect_by_data (diary->store, diary);
  g_clear_weak_pointer (&diary->store);
  g_ptr_array_unref (diary->entries);
  g_ptr_array_unref (diary->log);
  g_free (diary);
}

void
test_diary_clear (TestDiary *diary)
{
  g_ptr_array_set_size (diary->entries, 0);
  g_ptr_array_set_size (diary->log, 0);
}

/* The entries since the last clearing are these and no others; they are cleared. */
void
test_assert_diary (TestDiary  *diary,
                   const char *first,
                   ...)
{
  g_autoptr (GString) wanted = g_string_new (NULL);
  g_autoptr (GString) got = g_string_new (NULL);
  const char *entry;
  va_list args;
  guint i;

  va_start (args, first);
  for (entry = first; entry != NULL; entry = va_arg (args, const char *))
    g_string_append_printf (wanted, "%s\n", entry);
  va_end (args);
  for (i = 0; i < diary->entries->len; i++)
    g_string_append_printf (got, "%s\n", (char *) g_ptr_array_index (diary->entries, i));
  g_assert_cmpstr (got->str, ==, wanted->str);
  g_ptr_array_set_size (diary->entries, 0);
}

static guint
count_matches (GPtrArray  *lines,
               const char *pattern)
{
  guint i, n = 0;

  for (i = 0; i < lines->len; i++)
    n += g_pattern_match_simple (pattern, g_ptr_array_index (lines, i));
  return n;
}

gboolean
test_diary_has (TestDiary  *diary,
                const char *entry)
{
  return g_ptr_array_find_with_equal_func (diary->entries, entry, g_str_equal, NULL);
}

guint
test_diary_count (TestDiary  *diary,
                  const char *pattern)
{
  return count_matches (diary->entries, pattern);
}

guint
test_diary_count_log (TestDiary  *diary,
                      const char *pattern)
{
  return count_matches (diary->log, pattern);
}

/* --- stores --- */

/* Returns the peer that the configuration names with this port, NULL if there is none. It lives as
 * long as the list does. */
AmnesiaPeer *
test_find_peer (AmnesiaStore *store,
                guint         port)
{
  GListModel *peers = amnesia_store_get_peers (store);
  guint i;

  for (i = 0; i < g_list_model_get_n_items (peers); i++)
    {
      g_autoptr (AmnesiaPeer) peer = g_list_model_get_item (peers, i);

      if (amnesia_peer_get_port (peer) == port)
        return peer;
    }
  return NULL;
}

/* Returns a store that is to open when the main context is iterated. */
AmnesiaStore *
test_new_store (AmnesiaConf *conf)
{
  AmnesiaStore *store = amnesia_store_new ();

  amnesia_store_set_conf (store, conf);
  return store;
}

/* Closes in an orderly way, and drops the last reference. */
void
test_close_store (AmnesiaStore *store)
{
  g_autoptr (GError) error = NULL;

  amnesia_store_close_sync (store, NULL, &error);
  g_assert_no_error (error);
  test_free_store (store);
}

/* @text: in GVariant's notation. */
void
test_set (AmnesiaStore *store,
          const char   *text)
{
  g_autoptr (GVariant) value = test_value (text);

  amnesia_store_set_data (store, value);
}

/* Runs what is ready, and waits for nothing. */
void
test_drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

gboolean
test_has_data (AmnesiaStore *store,
               const char   *text)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (store);
  g_autofree char *got = data != NULL ? g_variant_print (data, TRUE) : NULL;

  return g_strcmp0 (got, text) == 0;
}

/* --- asynchronous calls --- */

void
test_opened_cb (GObject      *source,
                GAsyncResult *result,
                gpointer      user_data)
{
  TestOutcome *outcome = user_data;

  outcome->n_done++;
  g_clear_error (&outcome->error);
  amnesia_store_open_finish (AMNESIA_STORE (source), result, &outcome->error);
}

void
test_closed_cb (GObject      *source,
                GAsyncResult *result,
                gpointer      user_data)
{
  TestOutcome *outcome = user_data;

  outcome->n_done++;
  g_clear_error (&outcome->error);
  amnesia_store_close_finish (AMNESIA_STORE (source), result, &outcome->error);
}

/* --- keys --- */

void
test_set_key (AmnesiaStore *store,
              const char   *key,
              const char   *text)
{
  g_autoptr (GVariant) value = test_value (text);
  g_autoptr (GError) error = NULL;

  g_assert_true (amnesia_store_set_key (store, key, value, &error));
  g_assert_no_error (error);
}

void
test_remove_key (AmnesiaStore *store,
                 const char   *key)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (amnesia_store_remove_key (store, key, &error));
  g_assert_no_error (error);
}

static char *
show_key (AmnesiaStore *store,
          const char   *key)
{
  g_autoptr (GVariant) value = amnesia_store_get_key (store, key);

  return value != NULL ? g_variant_print (value, TRUE) : NULL;
}

gboolean
test_has_key (AmnesiaStore *store,
              const char   *key,
              const char   *text)
{
  g_autofree char *got = show_key (store, key);

  return g_strcmp0 (got, text) == 0;
}

void
test_assert_key (AmnesiaStore *store,
                 const char   *key,
                 const char   *text)
{
  g_autofree char *got = show_key (store, key);

  g_assert_cmpstr (got, ==, text);
}
