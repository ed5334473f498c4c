/* SPDX-License-Identifier: MIT */

/* Keys as actions. */

#include "widget.h"

static AmnesiaStore *store;
static TestDiary *diary;
static GString *told;

static void
notify_cb (GAction    *action,
           GParamSpec *pspec,
           gpointer    user_data)
{
  g_string_append_printf (told, "%s ", pspec->name);
}

static GAction *
begin (const char *key,
       GVariant   *default_state)
{
  GAction *action;

  store = amnesia_store_new ();
  diary = test_diary_new (store);
  told = g_string_new (NULL);
  action = amnesia_store_create_action (store, key, default_state);
  g_signal_connect (action, "notify", G_CALLBACK (notify_cb), NULL);
  return action;
}

static void
end (GAction *action)
{
  test_diary_free (diary);
  g_assert_finalize_object (action);
  test_free_store (store);
  g_string_free (told, TRUE);
}

static void
assert_state (GAction    *action,
              const char *expected)
{
  g_autoptr (GVariant) state = g_action_get_state (action);
  g_autofree char *got = g_variant_print (state, TRUE);

  g_assert_cmpstr (got, ==, expected);
}

/* What it notified since the last call. */
static void
assert_told (const char *expected)
{
  g_assert_cmpstr (told->str, ==, expected);
  g_string_truncate (told, 0);
}

static void
test_switch (void)
{
  GAction *action;

  g_test_summary ("An action whose state is a boolean toggles the key");

  action = begin ("lamp", g_variant_new_boolean (TRUE));
  g_assert_cmpstr (g_action_get_name (action), ==, "lamp");
  g_assert_null (g_action_get_parameter_type (action));
  g_assert_true (g_variant_type_equal (g_action_get_state_type (action), G_VARIANT_TYPE_BOOLEAN));
  g_assert_null (g_action_get_state_hint (action));
  g_assert_true (g_action_get_enabled (action));
  assert_state (action, "true");
  test_assert_key (store, "lamp", NULL);

  g_action_activate (action, NULL);
  test_assert_key (store, "lamp", "false");
  assert_state (action, "false");
  assert_told ("state ");
  g_action_activate (action, NULL);
  test_assert_key (store, "lamp", "true");
  assert_told ("state ");
  g_action_activate (action, g_variant_new_boolean (FALSE));
  test_assert_key (store, "lamp", "true");
  g_action_change_state (action, g_variant_new_boolean (FALSE));
  test_assert_key (store, "lamp", "false");
  assert_told ("state ");
  end (action);
}

static void
test_choice (void)
{
  GAction *action;

  g_test_summary ("Any other action sets the key to its parameter");

  action = begin ("mode", g_variant_new_string ("auto"));
  g_assert_true (g_variant_type_equal (g_action_get_parameter_type (action), G_VARIANT_TYPE_STRING));
  g_action_activate (action, NULL);
  g_action_activate (action, g_variant_new_int32 (5));
  test_assert_key (store, "mode", NULL);
  g_action_activate (action, g_variant_new_string ("manual"));
  test_assert_key (store, "mode", "'manual'");
  assert_told ("state ");
  g_action_activate (action, g_variant_new_string ("manual"));
  assert_told ("");
  end (action);
}

static void
test_follows (void)
{
  GAction *action;

  g_test_summary ("An action follows its key, and is off while that is of another type");

  action = begin ("n", g_variant_new_int64 (7));
  test_set_key (store, "n", "int64 5");
  assert_state (action, "int64 5");
  assert_told ("state ");
  test_set_key (store, "other", "int64 6");
  assert_told ("");

  test_set_key (store, "n", "5");
  g_assert_false (g_action_get_enabled (action));
  assert_state (action, "int64 7");
  assert_told ("enabled state ");
  g_action_activate (action, g_variant_new_int64 (6));
  g_action_change_state (action, g_variant_new_int64 (6));
  test_assert_key (store, "n", "5");

  g_assert_true (amnesia_store_remove_key (store, "n", NULL));
  g_assert_true (g_action_get_enabled (action));
  assert_state (action, "int64 7");
  assert_told ("enabled ");
  test_set (store, "{'n': <int64 8>}");
  assert_state (action, "int64 8");
  assert_told ("state ");
  end (action);
}

static void
test_present (void)
{
  GAction *action, *other;

  g_test_summary ("The value that the key has counts from the beginning");

  action = begin ("n", g_variant_new_int64 (7));
  test_set_key (store, "n", "'text'");
  other = amnesia_store_create_action (store, "n", g_variant_new_string (""));
  assert_state (other, "'text'");
  g_assert_true (g_action_get_enabled (other));
  g_assert_false (g_action_get_enabled (action));
  g_assert_finalize_object (other);
  end (action);
}

static void
test_properties (void)
{
  GAction *action;
  g_autofree char *name = NULL;
  g_autoptr (GVariantType) parameter_type = NULL;
  g_autoptr (GVariantType) state_type = NULL;
  g_autoptr (GVariant) state = NULL;
  gboolean enabled;

  g_test_summary ("The properties of an action are those of each other");

  action = begin ("n", g_variant_new_int64 (7));
  g_object_get (action, "name", &name, "parameter-type", &parameter_type, "state-type", &state_type,
                "enabled", &enabled, "state", &state, NULL);
  g_assert_cmpstr (name, ==, "n");
  g_assert_true (g_variant_type_equal (parameter_type, G_VARIANT_TYPE_INT64));
  g_assert_true (g_variant_type_equal (state_type, G_VARIANT_TYPE_INT64));
  g_assert_true (enabled);
  g_assert_cmpint (g_variant_get_int64 (state), ==, 7);
  end (action);
}

static void
test_refused (void)
{
  GAction *action;

  g_test_summary ("A key that cannot be set is logged");

  action = begin ("n", g_variant_new_int64 (7));
  test_set (store, "'no dictionary'");
  g_action_activate (action, g_variant_new_int64 (5));
  g_assert_cmpuint (test_diary_count_log (diary, "*no keys*"), ==, 1);
  assert_state (action, "int64 7");
  end (action);
}

static void
test_wrong_state (void)
{
  g_autoptr (GVariant) five = g_variant_ref_sink (g_variant_new_int32 (5));
  GAction *action;

  g_test_summary ("A state of another type is a mistake that changes nothing");

  action = begin ("n", g_variant_new_int64 (7));
  g_test_expect_message ("GLib-GIO", G_LOG_LEVEL_CRITICAL, "*");
  g_action_change_state (action, five);
  g_test_assert_expected_messages ();
  G_ACTION_GET_IFACE (action)->change_state (action, g_variant_new_int32 (5));
  test_assert_key (store, "n", NULL);
  end (action);
}

static void
test_lives (void)
{
  GAction *action;
  AmnesiaStore *kept = amnesia_store_new ();
  AmnesiaStore *weak = NULL;

  g_test_summary ("An action keeps the store, and follows no more when it is gone");

  action = begin ("n", g_variant_new_int64 (7));
  end (action);

  g_set_weak_pointer (&weak, kept);
  action = amnesia_store_create_action (kept, "n", g_variant_new_int64 (7));
  g_object_unref (kept);
  g_assert_nonnull (weak);
  g_object_ref (weak);
  g_assert_finalize_object (action);
  test_set_key (weak, "n", "int64 5");
  test_free_store (weak);
  g_assert_null (weak);
}

static void
test_guards (void)
{
  g_autoptr (GVariant) seven = g_variant_ref_sink (g_variant_new_int64 (7));
  AmnesiaStore *guarded = amnesia_store_new ();

  g_test_summary ("What is no key is a mistake of the program");

  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*key*");
  g_assert_null (amnesia_store_create_action (guarded, "", seven));
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*key*");
  g_assert_null (amnesia_store_create_action (guarded, NULL, seven));
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*");
  g_assert_null (amnesia_store_create_action (guarded, "n", NULL));
  g_test_assert_expected_messages ();
  test_free_store (guarded);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/action/switch", test_switch);
  g_test_add_func ("/action/choice", test_choice);
  g_test_add_func ("/action/follows", test_follows);
  g_test_add_func ("/action/present", test_present);
  g_test_add_func ("/action/properties", test_properties);
  g_test_add_func ("/action/refused", test_refused);
  g_test_add_func ("/action/wrong-state", test_wrong_state);
  g_test_add_func ("/action/lives", test_lives);
  g_test_add_func ("/action/guards", test_guards);
  return g_test_run ();
}
