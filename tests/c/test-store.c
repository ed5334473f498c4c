/* SPDX-License-Identifier: MIT */

#include "testlib.h"

/* Returns @depth variants around a number. */
static GVariant *
make_deep (guint depth)
{
  GVariant *value = g_variant_new_int32 (1);
  guint i;

  for (i = 0; i < depth; i++)
    value = g_variant_new_variant (value);
  return value;
}

static GVariant *
make_bytes (gsize size)
{
  g_autofree guint8 *bytes = g_malloc0 (size);

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1);
}

static GVariant *
make_twice (void)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  g_variant_builder_add (&builder, "{sv}", "key", g_variant_new_int32 (1));
  g_variant_builder_add (&builder, "{sv}", "key", g_variant_new_int32 (2));
  return g_variant_builder_end (&builder);
}

static void
test_initial (void)
{
  AmnesiaStore *store = amnesia_store_new ();

  g_test_summary ("A new store is closed, unset and empty");

  test_assert_data (store, NULL);
  g_assert_null (amnesia_store_get_updated (store));
  g_assert_null (amnesia_store_get_conf (store));
  g_assert_null (amnesia_store_get_error (store));
  g_assert_null (amnesia_store_get_listening (store));
  g_assert_cmpint (amnesia_store_get_state (store), ==, AMNESIA_STATE_CLOSED);
  g_assert_cmpuint (amnesia_store_get_close_timeout (store), ==, 5000);
  g_assert_cmpuint (g_list_model_get_n_items (amnesia_store_get_peers (store)), ==, 0);
  test_free_store (store);
}

static void
test_set_before_conf (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (store);

  g_test_summary ("A write is visible at once, without a configuration and without a main loop");

  test_set (store, "1");
  test_assert_data (store, "1");
  test_assert_diary (diary, "changed unset -> 1 local", "data", "updated", NULL);
  amnesia_store_set_data (store, NULL);
  test_assert_data (store, NULL);
  test_assert_diary (diary, "changed 1 -> unset local", "data", "updated", NULL);
  test_free_store (store);
}

static void
test_unset_unset (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (GDateTime) updated = NULL;

  g_test_summary ("To unset what was never set is a write, but no transition");

  amnesia_store_set_data (store, NULL);
  test_assert_diary (diary, "updated", NULL);
  updated = amnesia_store_get_updated (store);
  g_assert_nonnull (updated);
  test_free_store (store);
}

static void
test_equal (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = NULL;
  g_autoptr (GDateTime) before = NULL;
  g_autoptr (GDateTime) after = NULL;

  g_test_summary ("Setting an equal value moves `updated` and nothing else");

  test_set (store, "{'a': <1>, 'b': <{'x': 1, 'y': 2}>}");
  before = amnesia_store_get_updated (store);
  test_pass_time (3);
  diary = test_diary_new (store);
  test_set (store, "{'b': <{'y': 2, 'x': 1}>, 'a': <1>}");
  test_assert_diary (diary, "updated", NULL);
  after = amnesia_store_get_updated (store);
  g_assert_cmpint (g_date_time_compare (before, after), <, 0);
  test_free_store (store);
}

static void
test_updated (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GDateTime) start = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) updated = NULL;

  g_test_summary ("`updated` is the time of the write, in UTC");

  test_set (store, "1");
  updated = amnesia_store_get_updated (store);
  g_assert_cmpint (ABS (g_date_time_difference (updated, start)), <,
                   test_slowness () * G_TIME_SPAN_SECOND);
  g_assert_cmpint (g_date_time_get_utc_offset (updated), ==, 0);
  test_free_store (store);
}

/* Sets @value, which is floating, from both functions: it is refused, consumed, and nothing is
 * changed. */
static void
assert_refused (AmnesiaStore *store,
                GVariant     *value,
                AmnesiaError  code)
{
  g_autoptr (GVariant) kept = g_variant_ref (value);
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (GDateTime) before = amnesia_store_get_updated (store);
  g_autoptr (GDateTime) after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_variant_is_floating (value));
  g_assert_false (amnesia_store_write (store, value, &error));
  g_assert_error (error, AMNESIA_ERROR, (int) code);
  g_assert_false (g_variant_is_floating (kept));
  test_assert_diary (diary, NULL, NULL);
  g_assert_cmpuint (test_diary_count_log (diary, "*"), ==, 0);

  amnesia_store_set_data (store, kept);
  test_assert_diary (diary, "data", NULL);
  g_assert_cmpuint (test_diary_count_log (diary, error->message), ==, 1);
  test_assert_data (store, "'kept'");
  after = amnesia_store_get_updated (store);
  g_assert_true (g_date_time_equal (before, after));
}

static void
test_refused (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (AmnesiaConf) conf = test_conf (1);

  g_test_summary ("A value that no receiver would take is refused, and nothing is changed");

  amnesia_conf_set_max_size (conf, 1024);
  amnesia_store_set_conf (store, conf);
  test_set (store, "'kept'");
  assert_refused (store, g_variant_new_handle (1), AMNESIA_ERROR_INVALID_VALUE);
  assert_refused (store, g_variant_new_variant (g_variant_new_handle (1)),
                  AMNESIA_ERROR_INVALID_VALUE);
  assert_refused (store, g_variant_new_array (G_VARIANT_TYPE_HANDLE, NULL, 0),
                  AMNESIA_ERROR_INVALID_VALUE);
  assert_refused (store, g_variant_new_maybe (G_VARIANT_TYPE ("a{sh}"), NULL),
                  AMNESIA_ERROR_INVALID_VALUE);
  assert_refused (store, make_deep (65), AMNESIA_ERROR_INVALID_VALUE);
  assert_refused (store, make_twice (), AMNESIA_ERROR_INVALID_VALUE);
  assert_refused (store, make_bytes (1025), AMNESIA_ERROR_TOO_BIG);
  test_free_store (store);
}

static void
test_accepted (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (GError) error = NULL;

  g_test_summary ("What is just within the bounds is accepted, and a floating value consumed");

  amnesia_conf_set_max_size (conf, 1024);
  amnesia_store_set_conf (store, conf);
  {
    GVariant *value = make_deep (64);
    g_autoptr (GVariant) kept = g_variant_ref (value);

    g_assert_true (amnesia_store_write (store, value, &error));
    g_assert_no_error (error);
    g_assert_false (g_variant_is_floating (kept));
    g_assert_true (amnesia_store_write (store, kept, &error));
    g_assert_no_error (error);
  }
  g_assert_true (amnesia_store_write (store, make_bytes (1024), &error));
  g_assert_no_error (error);
  g_assert_true (amnesia_store_write (store, NULL, NULL));
  test_free_store (store);
}

static void
test_default_max_size (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (GError) error = NULL;

  g_test_summary ("Without a configuration the limit is 16 MiB");

  g_assert_true (amnesia_store_write (store, make_bytes (16 * 1024 * 1024), &error));
  g_assert_no_error (error);
  g_assert_false (amnesia_store_write (store, make_bytes (16 * 1024 * 1024 + 1), &error));
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_TOO_BIG);
  test_free_store (store);
}

static void
test_property (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (GVariant) data = NULL;
  g_autoptr (GDateTime) updated = NULL;
  g_autoptr (GListModel) peers = NULL;
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (AmnesiaConf) got = NULL;
  AmnesiaState state = AMNESIA_STATE_ALONE;

  g_test_summary ("The value is a property like others");

  g_object_set (store, "data", g_variant_new_int32 (5), NULL);
  g_object_set (store, "close-timeout", 100, NULL);
  g_object_get (store, "data", &data, "updated", &updated, "peers", &peers, "state", &state, NULL);
  g_assert_cmpint (g_variant_get_int32 (data), ==, 5);
  g_assert_nonnull (updated);
  g_assert_true (peers == amnesia_store_get_peers (store));
  g_assert_true (g_list_model_get_item_type (peers) == AMNESIA_TYPE_PEER);
  g_assert_cmpint (state, ==, AMNESIA_STATE_CLOSED);
  g_assert_cmpuint (amnesia_store_get_close_timeout (store), ==, 100);
  g_assert_true (test_diary_has (diary, "changed unset -> 5 local"));
  g_assert_cmpuint (test_diary_count (diary, "data"), ==, 1);
  g_assert_cmpuint (test_diary_count (diary, "close-timeout"), ==, 1);
  test_diary_clear (diary);
  amnesia_store_set_close_timeout (store, 100);
  test_assert_diary (diary, NULL, NULL);
  g_object_set (store, "conf", conf, NULL);
  g_object_get (store, "conf", &got, NULL);
  g_assert_true (got == conf);
  test_assert_diary (diary, "conf", NULL);
  test_free_store (store);
}

static void
test_binding (void)
{
  AmnesiaStore *a = amnesia_store_new ();
  AmnesiaStore *b = amnesia_store_new ();

  g_test_summary ("A binding carries the value both ways; a refused one goes back");

  g_object_bind_property (a, "data", b, "data", G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  test_set (a, "1");
  test_assert_data (b, "1");
  test_set (b, "2");
  test_assert_data (a, "2");
  amnesia_store_set_data (a, g_variant_new_handle (1));
  test_assert_data (a, "2");
  test_assert_data (b, "2");
  test_free_store (a);
  test_free_store (b);
}

static gboolean
state_to_name (GBinding     *binding,
               const GValue *from,
               GValue       *to,
               gpointer      user_data)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (AMNESIA_TYPE_STATE);

  g_value_set_string (to, g_enum_get_value (states, g_value_get_enum (from))->value_nick);
  return TRUE;
}

static void
test_binding_others (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (2);
  /* stands in for a window, as it has properties of a text and a boolean */
  g_autoptr (AmnesiaConf) shown = amnesia_conf_new ();
  AmnesiaStore *a = test_store (conf);
  AmnesiaStore *b = NULL;
  AmnesiaPeer *peer = test_find_peer (a, test_port (1));

  g_test_summary ("What tells how a store and its peers stand can be bound, too");

  g_object_bind_property_full (a, "state", shown, "group", G_BINDING_SYNC_CREATE, state_to_name, NULL,
                               NULL, NULL);
  g_object_bind_property (peer, "in-sync", shown, "local", G_BINDING_SYNC_CREATE);
  g_assert_cmpstr (amnesia_conf_get_group (shown), ==, "alone");
  g_assert_false (amnesia_conf_get_local (shown));
  b = test_store (conf);
  test_until (amnesia_conf_get_local (shown));
  test_until (g_str_equal (amnesia_conf_get_group (shown), "synced"));
  test_close_store (b);
  test_until (!amnesia_conf_get_local (shown));
  test_until (g_str_equal (amnesia_conf_get_group (shown), "alone"));
  test_close_store (a);
}

static GType
derived_get_type (void)
{
  static GType type;
  GTypeQuery query;

  if (type != 0)
    return type;
  g_type_query (AMNESIA_TYPE_STORE, &query);
  type = g_type_register_static_simple (AMNESIA_TYPE_STORE, "DerivedStore", query.class_size, NULL,
                                        query.instance_size, NULL, 0);
  return type;
}

static void
test_subclass (void)
{
  AmnesiaStore *store = g_object_new (derived_get_type (), NULL);
  g_autoptr (TestDiary) diary = test_diary_new (store);
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  g_autoptr (GError) error = NULL;

  g_test_summary ("The type can be derived from, as Python and JavaScript do");

  g_assert_false (G_TYPE_IS_FINAL (AMNESIA_TYPE_STORE));
  test_set (store, "1");
  test_assert_diary (diary, "changed unset -> 1 local", "data", "updated", NULL);
  amnesia_store_set_conf (store, conf);
  g_assert_true (amnesia_store_open_sync (store, NULL, &error));
  g_assert_no_error (error);
  test_free_store (store);
}

static void
drop_cb (AmnesiaStore **store)
{
  g_clear_object (store);
}

/* The handler of @signal drops the last reference while @set is being called. */
static void
drop_in (const char *signal,
         GVariant   *value)
{
  AmnesiaStore *store = amnesia_store_new ();
  AmnesiaStore *watched = NULL;

  g_set_weak_pointer (&watched, store);
  g_signal_connect_swapped (store, signal, G_CALLBACK (drop_cb), &store);
  amnesia_store_set_data (store, value);
  g_assert_null (watched);
  test_drain ();
}

static void
test_drop (void)
{
  g_test_summary ("A handler may drop the last reference in the middle of a set");

  drop_in ("changed", g_variant_new_int32 (1));
  drop_in ("notify::data", g_variant_new_int32 (1));
  drop_in ("notify::updated", g_variant_new_int32 (1));
  drop_in ("log", g_variant_new_handle (1));
}

static void
disconnect_cb (AmnesiaStore *store,
               GVariant     *old_value,
               GVariant     *new_value,
               gboolean      remote,
               guint        *count)
{
  (*count)++;
  g_signal_handlers_disconnect_by_func (store, disconnect_cb, count);
}

static void
test_disconnect (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  g_autoptr (TestDiary) diary = NULL;
  guint count = 0;

  g_test_summary ("A handler may disconnect itself; the others are called all the same");

  g_signal_connect (store, "changed", G_CALLBACK (disconnect_cb), &count);
  diary = test_diary_new (store);
  test_set (store, "1");
  test_set (store, "2");
  g_assert_cmpuint (count, ==, 1);
  test_assert_diary (diary, "changed unset -> 1 local", "data", "updated",
                     "changed 1 -> 2 local", "data", "updated", NULL);
  test_free_store (store);
}

static void
test_misuse (void)
{
  AmnesiaStore *store = amnesia_store_new ();
  GVariant *value = g_variant_new_int32 (1);
  g_autoptr (GVariant) kept = g_variant_ref (value);

  g_test_summary ("A programmer's error is a critical and changes nothing");

  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*AMNESIA_IS_STORE*");
  amnesia_store_set_data (NULL, value);
  g_test_assert_expected_messages ();
  g_assert_false (g_variant_is_floating (kept));
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*AMNESIA_IS_CONF*");
  amnesia_store_set_conf (store, (AmnesiaConf *) store);
  g_test_assert_expected_messages ();
  g_assert_null (amnesia_store_get_conf (store));
  test_free_store (store);
}

static GLogWriterOutput
writer_cb (GLogLevelFlags   level,
           const GLogField *fields,
           gsize            n_fields,
           gpointer         user_data)
{
  gboolean ours = FALSE;
  gsize i;

  for (i = 0; i < n_fields; i++)
    ours |= g_str_equal (fields[i].key, "GLIB_DOMAIN") &&
            g_strcmp0 (fields[i].value, "Amnesia") == 0;
  for (i = 0; ours && level == G_LOG_LEVEL_DEBUG && i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      g_ptr_array_add (user_data, g_strdup (fields[i].value));
  return G_LOG_WRITER_HANDLED;
}

static void
test_log (void)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  AmnesiaStore *store;

  g_test_summary ("What `log` says is in the GLib log too, at debug level");

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }
  g_log_set_writer_func (writer_cb, lines, NULL);
  store = amnesia_store_new ();
  g_assert_false (amnesia_store_write (store, g_variant_new_handle (1), &error));
  g_assert_cmpuint (lines->len, ==, 0);
  amnesia_store_set_data (store, g_variant_new_handle (1));
  g_assert_cmpuint (lines->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (lines, 0), ==, error->message);
  test_free_store (store);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/initial", test_initial);
  g_test_add_func ("/store/A3-set-before-conf", test_set_before_conf);
  g_test_add_func ("/store/unset-unset", test_unset_unset);
  g_test_add_func ("/store/V5-equal", test_equal);
  g_test_add_func ("/store/K9-updated", test_updated);
  g_test_add_func ("/store/V4-refused", test_refused);
  g_test_add_func ("/store/V5-accepted", test_accepted);
  g_test_add_func ("/store/default-max-size", test_default_max_size);
  g_test_add_func ("/store/A4-property", test_property);
  g_test_add_func ("/store/binding", test_binding);
  g_test_add_func ("/store/binding-others", test_binding_others);
  g_test_add_func ("/store/subclass", test_subclass);
  g_test_add_func ("/store/V9-drop", test_drop);
  g_test_add_func ("/store/V9-disconnect", test_disconnect);
  g_test_add_func ("/store/A4-misuse", test_misuse);
  g_test_add_func ("/store/log", test_log);
  return g_test_run ();
}
