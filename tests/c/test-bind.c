/* SPDX-License-Identifier: MIT */

/* Properties that are bound to keys, in one process. */

#include "widget.h"

typedef struct
{
  AmnesiaStore *store;
  TestWidget   *widget;
  TestDiary    *diary;
} Fixture;

static void
set_up (Fixture       *fixture,
        gconstpointer  user_data)
{
  fixture->store = amnesia_store_new ();
  fixture->widget = test_widget_new ();
  fixture->diary = test_diary_new (fixture->store);
}

static void
tear_down (Fixture       *fixture,
           gconstpointer  user_data)
{
  test_diary_free (fixture->diary);
  g_assert_finalize_object (fixture->widget);
  test_free_store (fixture->store);
}

static void
bind (Fixture          *fixture,
      const char       *key,
      const char       *property,
      AmnesiaBindFlags  flags)
{
  amnesia_store_bind (fixture->store, key, fixture->widget, property, flags);
}

/* How often the store was written since the last call. */
static guint
count_writes (Fixture *fixture)
{
  guint n = test_diary_count (fixture->diary, "updated");

  test_diary_clear (fixture->diary);
  return n;
}

/* --- who follows whom --- */

static void
test_initial (Fixture       *fixture,
              gconstpointer  user_data)
{
  g_test_summary ("The property takes the value of the key at once, and nothing is written");

  test_set_key (fixture->store, "k", "0.5");
  test_widget_set_value (fixture->widget, 3);
  count_writes (fixture);
  bind (fixture, "k", "value", AMNESIA_BIND_DEFAULT);
  g_assert_cmpfloat (fixture->widget->value, ==, 0.5);
  g_assert_cmpuint (count_writes (fixture), ==, 0);
}

static void
test_absent (Fixture       *fixture,
             gconstpointer  user_data)
{
  g_test_summary ("Without a key the property stays, and nothing is written until it changes");

  test_widget_set_value (fixture->widget, 3);
  bind (fixture, "k", "value", AMNESIA_BIND_DEFAULT);
  g_assert_cmpfloat (fixture->widget->value, ==, 3);
  g_assert_cmpuint (fixture->widget->n_sets, ==, 0);
  test_assert_key (fixture->store, "k", NULL);
  g_object_notify (G_OBJECT (fixture->widget), "value");
  test_assert_key (fixture->store, "k", NULL);

  test_widget_set_value (fixture->widget, 4);
  test_assert_key (fixture->store, "k", "4.0");
  g_assert_cmpuint (count_writes (fixture), ==, 1);
}

static void
test_both_ways (Fixture       *fixture,
                gconstpointer  user_data)
{
  g_test_summary ("Key and property follow one another; a key that is removed leaves the property");

  bind (fixture, "k", "number", AMNESIA_BIND_DEFAULT);
  test_set_key (fixture->store, "k", "int64 5");
  g_assert_cmpint (fixture->widget->number, ==, 5);
  g_assert_cmpuint (count_writes (fixture), ==, 1);
  test_widget_set_number (fixture->widget, 6);
  test_assert_key (fixture->store, "k", "int64 6");
  test_set_key (fixture->store, "k", "int64 7");
  test_set_key (fixture->store, "other", "int64 8");
  g_assert_cmpint (fixture->widget->number, ==, 7);

  g_assert_true (amnesia_store_remove_key (fixture->store, "k", NULL));
  g_assert_cmpint (fixture->widget->number, ==, 7);
  test_assert_key (fixture->store, "k", NULL);
  test_widget_set_number (fixture->widget, 6);
  test_assert_key (fixture->store, "k", "int64 6");
  test_set (fixture->store, "{'k': <int64 9>}");
  g_assert_cmpint (fixture->widget->number, ==, 9);
}

static void
test_get_only (Fixture       *fixture,
               gconstpointer  user_data)
{
  g_test_summary ("With GET the property follows, and is written nowhere");

  bind (fixture, "k", "number", AMNESIA_BIND_GET);
  test_widget_set_number (fixture->widget, 3);
  test_assert_key (fixture->store, "k", NULL);
  test_set_key (fixture->store, "k", "int64 5");
  g_assert_cmpint (fixture->widget->number, ==, 5);
  test_widget_set_number (fixture->widget, 3);
  test_assert_key (fixture->store, "k", "int64 5");
  g_assert_true (amnesia_store_remove_key (fixture->store, "k", NULL));
  test_set_key (fixture->store, "k", "int64 5");
  g_assert_cmpint (fixture->widget->number, ==, 5);
}

static void
test_set_only (Fixture       *fixture,
               gconstpointer  user_data)
{
  g_test_summary ("With SET a key takes the value of the property at once, if it is there; "
                  "the property none");

  test_set_key (fixture->store, "k", "int64 5");
  test_widget_set_number (fixture->widget, 3);
  bind (fixture, "k", "number", AMNESIA_BIND_SET);
  test_assert_key (fixture->store, "k", "int64 3");
  test_set_key (fixture->store, "k", "int64 6");
  g_assert_cmpint (fixture->widget->number, ==, 3);
  test_widget_set_number (fixture->widget, 4);
  test_assert_key (fixture->store, "k", "int64 4");
  test_set_key (fixture->store, "k", "int64 8");
  bind (fixture, "absent", "number", AMNESIA_BIND_SET);
  test_assert_key (fixture->store, "absent", NULL);
  test_widget_set_number (fixture->widget, 5);
  test_assert_key (fixture->store, "absent", "int64 5");
  test_assert_key (fixture->store, "k", "int64 8");
}

static void
test_no_changes (Fixture       *fixture,
                 gconstpointer  user_data)
{
  g_test_summary ("With GET_NO_CHANGES the property takes the first value only");

  test_set_key (fixture->store, "k", "int64 5");
  bind (fixture, "k", "number", AMNESIA_BIND_GET | AMNESIA_BIND_SET | AMNESIA_BIND_GET_NO_CHANGES);
  g_assert_cmpint (fixture->widget->number, ==, 5);
  test_set_key (fixture->store, "k", "int64 6");
  g_assert_cmpint (fixture->widget->number, ==, 5);
  test_widget_set_number (fixture->widget, 7);
  test_assert_key (fixture->store, "k", "int64 7");
}

static void
test_invert (Fixture       *fixture,
             gconstpointer  user_data)
{
  g_test_summary ("With INVERT_BOOLEAN one is the opposite of the other");

  test_set_key (fixture->store, "k", "false");
  bind (fixture, "k", "active", AMNESIA_BIND_INVERT_BOOLEAN);
  g_assert_true (fixture->widget->active);
  test_widget_set_active (fixture->widget, FALSE);
  test_assert_key (fixture->store, "k", "true");
  test_set_key (fixture->store, "k", "'x'");
  g_assert_false (fixture->widget->active);
  test_set_key (fixture->store, "k", "false");
  g_assert_true (fixture->widget->active);
}

static void
test_whole (Fixture       *fixture,
            gconstpointer  user_data)
{
  g_test_summary ("Without a key a property is bound to the whole value");

  test_set (fixture->store, "'a'");
  bind (fixture, NULL, "text", AMNESIA_BIND_DEFAULT);
  g_assert_cmpstr (fixture->widget->text, ==, "a");
  test_widget_set_text (fixture->widget, "b");
  test_assert_data (fixture->store, "'b'");
  test_set (fixture->store, "'c'");
  g_assert_cmpstr (fixture->widget->text, ==, "c");
  amnesia_store_set_data (fixture->store, NULL);
  g_assert_cmpstr (fixture->widget->text, ==, "c");

  bind (fixture, NULL, "anything", AMNESIA_BIND_DEFAULT);
  test_set (fixture->store, "{'a': <5>}");
  g_assert_nonnull (fixture->widget->anything);
  test_assert_data (fixture->store, "{'a': <5>}");
  g_object_set (fixture->widget, "anything", g_variant_new ("(is)", 1, "x"), NULL);
  test_assert_data (fixture->store, "(1, 'x')");
  test_diary_clear (fixture->diary);
  g_object_set (fixture->widget, "anything", NULL, NULL);
  test_assert_data (fixture->store, "(1, 'x')");
  g_assert_cmpuint (test_diary_count_log (fixture->diary, "*is not written to the value:*NULL*"), ==, 1);
}

static void
test_default (Fixture       *fixture,
              gconstpointer  user_data)
{
  g_autoptr (GVariant) five = test_value ("{'k': <int64 5>}");
  g_autoptr (GVariant) six = test_value ("{'k': <int64 6>}");

  g_test_summary ("A default is a value like others");

  amnesia_store_set_default_data (fixture->store, five);
  bind (fixture, "k", "number", AMNESIA_BIND_DEFAULT);
  g_assert_cmpint (fixture->widget->number, ==, 5);
  amnesia_store_set_default_data (fixture->store, six);
  g_assert_cmpint (fixture->widget->number, ==, 6);
}

static void
test_two (Fixture       *fixture,
          gconstpointer  user_data)
{
  TestWidget *other = test_widget_new ();

  g_test_summary ("Two widgets of one key follow one another at once, also while one is dragged");

  other->most = 10;
  bind (fixture, "k", "value", AMNESIA_BIND_DEFAULT);
  amnesia_store_bind (fixture->store, "k", other, "value", AMNESIA_BIND_DEFAULT);
  test_widget_set_value (fixture->widget, 5);
  g_assert_cmpfloat (other->value, ==, 5);
  test_widget_set_value (other, 6);
  g_assert_cmpfloat (fixture->widget->value, ==, 6);
  test_widget_set_value (fixture->widget, 7);
  g_assert_cmpfloat (other->value, ==, 7);
  test_widget_set_value (fixture->widget, 20);
  g_assert_cmpfloat (other->value, ==, 10);
  g_assert_cmpfloat (fixture->widget->value, ==, 20);
  test_assert_key (fixture->store, "k", "20.0");
  g_assert_cmpuint (count_writes (fixture), ==, 4);
  g_assert_finalize_object (other);
}

/* --- no echo --- */

static void
test_clamp (Fixture       *fixture,
            gconstpointer  user_data)
{
  g_test_summary ("What a widget makes of a value is not written; what somebody makes of it is");

  fixture->widget->most = 10;
  bind (fixture, "k", "value", AMNESIA_BIND_DEFAULT);
  test_set_key (fixture->store, "k", "20.0");
  g_assert_cmpfloat (fixture->widget->value, ==, 10);
  g_object_notify (G_OBJECT (fixture->widget), "value");
  test_assert_key (fixture->store, "k", "20.0");
  g_assert_cmpuint (count_writes (fixture), ==, 1);

  test_widget_set_value (fixture->widget, 9);
  test_assert_key (fixture->store, "k", "9.0");
  test_widget_set_value (fixture->widget, 10);
  test_assert_key (fixture->store, "k", "10.0");
  g_assert_cmpuint (count_writes (fixture), ==, 2);
}

static void
test_late (Fixture       *fixture,
           gconstpointer  user_data)
{
  g_test_summary ("A notification that comes late is not taken for a change");

  fixture->widget->most = 10;
  bind (fixture, "k", "value", AMNESIA_BIND_DEFAULT);
  g_object_freeze_notify (G_OBJECT (fixture->widget));
  test_set_key (fixture->store, "k", "20.0");
  g_object_thaw_notify (G_OBJECT (fixture->widget));
  test_assert_key (fixture->store, "k", "20.0");
  g_assert_cmpuint (count_writes (fixture), ==, 1);
}

static void
test_reset (Fixture       *fixture,
            gconstpointer  user_data)
{
  guint i;

  g_test_summary ("A program may set a property back each time that it was told of the key");

  bind (fixture, "k", "active", AMNESIA_BIND_DEFAULT);
  for (i = 0; i < 100; i++)
    {
      test_set_key (fixture->store, "k", "true");
      g_assert_true (fixture->widget->active);
      test_widget_set_active (fixture->widget, FALSE);
      test_assert_key (fixture->store, "k", "false");
    }
}

static void
test_equal (Fixture       *fixture,
            gconstpointer  user_data)
{
  g_test_summary ("A value that the key has already is neither written nor set again");

  test_set_key (fixture->store, "k", "5");
  bind (fixture, "k", "value", AMNESIA_BIND_GET | AMNESIA_BIND_SET | AMNESIA_BIND_GET_NO_CHANGES);
  test_widget_set_value (fixture->widget, 6);
  test_assert_key (fixture->store, "k", "6");
  test_set_key (fixture->store, "k", "7");
  count_writes (fixture);
  test_widget_set_value (fixture->widget, 7);
  g_assert_cmpuint (count_writes (fixture), ==, 0);
  test_assert_key (fixture->store, "k", "7");

  fixture->widget->n_sets = 0;
  bind (fixture, "k", "value", AMNESIA_BIND_DEFAULT);
  test_set_key (fixture->store, "k", "7.0");
  g_assert_cmpuint (fixture->widget->n_sets, ==, 0);

  /* also not in other words */
  bind (fixture, "t", "text", AMNESIA_BIND_GET | AMNESIA_BIND_SET | AMNESIA_BIND_GET_NO_CHANGES);
  test_set_key (fixture->store, "t", "objectpath '/a'");
  test_widget_set_text (fixture->widget, "/a");
  test_assert_key (fixture->store, "t", "objectpath '/a'");
}

static void
test_type_kept (Fixture       *fixture,
                gconstpointer  user_data)
{
  g_test_summary ("A number keeps the type that the key has, as long as that can hold it");

  test_set_key (fixture->store, "k", "uint16 5");
  bind (fixture, "k", "value", AMNESIA_BIND_DEFAULT);
  test_widget_set_value (fixture->widget, 6);
  test_assert_key (fixture->store, "k", "uint16 6");
  test_widget_set_value (fixture->widget, 6.5);
  test_assert_key (fixture->store, "k", "6.5");
  test_widget_set_value (fixture->widget, 7);
  test_assert_key (fixture->store, "k", "7.0");
}

static void
answer_cb (AmnesiaStore *store,
           GVariant     *old_value,
           GVariant     *new_value,
           gboolean      remote,
           Fixture      *fixture)
{
  g_signal_handlers_disconnect_by_func (store, answer_cb, fixture);
  test_widget_set_number (fixture->widget, 50);
  test_widget_set_number (fixture->widget, 51);
}

static void
test_in_handler (Fixture       *fixture,
                 gconstpointer  user_data)
{
  g_test_summary ("A property that changes while another change is told is written, and does not go back");

  bind (fixture, "k", "number", AMNESIA_BIND_DEFAULT);
  g_signal_connect (fixture->store, "changed", G_CALLBACK (answer_cb), fixture);
  fixture->widget->n_sets = 0;
  test_set_key (fixture->store, "k", "int64 5");
  g_assert_cmpint (fixture->widget->number, ==, 51);
  test_assert_key (fixture->store, "k", "int64 51");
  g_assert_cmpuint (fixture->widget->n_sets, ==, 0);
}

/* --- what does not go --- */

static void
test_misfits (Fixture       *fixture,
              gconstpointer  user_data)
{
  static const char *const misfits[] = { "int64 101", "int64 -1", "5.5", "'x'", "@mv nothing", "nan" };
  guint i;

  g_test_summary ("A value that is none for the property leaves it, and is logged until one is");

  bind (fixture, "k", "number", AMNESIA_BIND_DEFAULT);
  test_set_key (fixture->store, "k", "int64 5");
  for (i = 0; i < G_N_ELEMENTS (misfits); i++)
    {
      test_set_key (fixture->store, "k", misfits[i]);
      g_assert_cmpint (fixture->widget->number, ==, 5);
    }
  g_assert_cmpuint (test_diary_count_log (fixture->diary, "the property “number” of a TestWidget "
                                                          "does not take the key “k”: *"), ==, 1);
  test_set_key (fixture->store, "k", "6.0");
  g_assert_cmpint (fixture->widget->number, ==, 6);
  test_set_key (fixture->store, "k", "int64 101");
  g_assert_cmpuint (test_diary_count_log (fixture->diary, "*does not take the key “k”: *range*"), ==, 2);
  test_widget_set_number (fixture->widget, 7);
  test_assert_key (fixture->store, "k", "int64 7");
}

static void
test_refused (Fixture       *fixture,
              gconstpointer  user_data)
{
  guint i;

  g_test_summary ("What cannot be written is logged once, and the property stays");

  bind (fixture, "k", "number", AMNESIA_BIND_DEFAULT);
  test_set (fixture->store, "'no dictionary'");
  for (i = 1; i < 5; i++)
    test_widget_set_number (fixture->widget, (int) i);
  g_assert_cmpint (fixture->widget->number, ==, 4);
  g_assert_cmpuint (test_diary_count_log (fixture->diary, "*is not written to the key “k”: *"), ==, 1);
  test_assert_data (fixture->store, "'no dictionary'");
  amnesia_store_set_data (fixture->store, NULL);
  test_widget_set_number (fixture->widget, 6);
  test_assert_key (fixture->store, "k", "int64 6");
  test_set (fixture->store, "5");
  test_widget_set_number (fixture->widget, 7);
  g_assert_cmpuint (test_diary_count_log (fixture->diary, "*is not written to the key “k”: *"), ==, 2);
}

static void
test_null (Fixture       *fixture,
           gconstpointer  user_data)
{
  g_test_summary ("A string that is NULL, or no UTF-8, is not written");

  bind (fixture, "k", "text", AMNESIA_BIND_DEFAULT);
  test_widget_set_text (fixture->widget, "a");
  test_widget_set_text (fixture->widget, NULL);
  test_widget_set_text (fixture->widget, "\xff");
  test_assert_key (fixture->store, "k", "'a'");
  g_assert_cmpuint (test_diary_count_log (fixture->diary, "*is not written to the key “k”: *NULL*"), ==, 1);
  test_widget_set_text (fixture->widget, "b");
  test_assert_key (fixture->store, "k", "'b'");
}

static void
test_mistakes (Fixture       *fixture,
               gconstpointer  user_data)
{
  static const struct
  {
    const char      *property;
    AmnesiaBindFlags flags;
    const char      *pattern;
  } rows[] = {
    { "none", AMNESIA_BIND_DEFAULT, "*no property 'none' of class 'TestWidget'*" },
    { "fixed", AMNESIA_BIND_DEFAULT, "*'fixed'*not writable*" },
    { "fixed", AMNESIA_BIND_GET, "*'fixed'*not writable*" },
    { "born", AMNESIA_BIND_GET, "*'born'*not writable*" },
    { "hidden", AMNESIA_BIND_DEFAULT, "*'hidden'*not readable*" },
    { "hidden", AMNESIA_BIND_SET, "*'hidden'*not readable*" },
    { "partner", AMNESIA_BIND_GET, "*'partner'*'GObject'*mapping*" },
    { "time", AMNESIA_BIND_SET, "*'time'*'GDateTime'*mapping*" },
    { "number", AMNESIA_BIND_INVERT_BOOLEAN, "*'number'*'gint'*" },
  };
  guint i;

  g_test_summary ("A property that cannot be bound is a mistake of the program");

  test_set_key (fixture->store, "k", "int64 5");
  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, rows[i].pattern);
      bind (fixture, "k", rows[i].property, rows[i].flags);
      g_test_assert_expected_messages ();
    }
  g_assert_cmpuint (fixture->widget->n_sets, ==, 0);

  bind (fixture, "k", "hidden", AMNESIA_BIND_GET);
  g_assert_cmpint (fixture->widget->hidden, ==, 5);
  test_set_key (fixture->store, "k", "int64 6");
  g_assert_cmpint (fixture->widget->hidden, ==, 6);
  test_set_key (fixture->store, "fixed", "int64 6");
  bind (fixture, "fixed", "fixed", AMNESIA_BIND_SET);
  test_assert_key (fixture->store, "fixed", "int64 7");
}

static void
test_guards (Fixture       *fixture,
             gconstpointer  user_data)
{
  g_autofree char *long_key = g_strnfill (256, 'x');
  const char *const keys[] = { "", "\xff", long_key };
  guint i;

  g_test_summary ("What is no key, no object or no property name is a mistake of the program");

  for (i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*key*");
      bind (fixture, keys[i], "number", AMNESIA_BIND_DEFAULT);
    }
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*G_IS_OBJECT*");
  amnesia_store_bind (fixture->store, "k", NULL, "number", AMNESIA_BIND_DEFAULT);
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*property != NULL*");
  bind (fixture, "k", NULL, AMNESIA_BIND_DEFAULT);
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*INVERT_BOOLEAN*");
  amnesia_store_bind_with_mapping (fixture->store, "k", fixture->widget, "active",
                                   AMNESIA_BIND_INVERT_BOOLEAN, NULL, NULL, NULL, NULL);
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*G_IS_OBJECT*");
  amnesia_store_unbind (NULL, "number");
  g_test_assert_expected_messages ();
  amnesia_store_unbind (fixture->widget, "number");
  amnesia_store_unbind (fixture->widget, "none");
}

static gpointer
use_from_thread (gpointer user_data)
{
  Fixture *fixture = user_data;

  bind (fixture, "l", "text", AMNESIA_BIND_DEFAULT);
  amnesia_store_bind_with_mapping (fixture->store, "l", fixture->widget, "text", AMNESIA_BIND_DEFAULT,
                                   NULL, NULL, NULL, NULL);
  amnesia_store_bind_with_mapping_closures (fixture->store, "l", G_OBJECT (fixture->widget), "text",
                                            AMNESIA_BIND_DEFAULT, NULL, NULL);
  g_assert_null (amnesia_store_create_action (fixture->store, "k", g_variant_new_int64 (5)));
  test_widget_set_number (fixture->widget, 6);
  amnesia_store_unbind (fixture->widget, "number");
  return NULL;
}

static void
test_other_thread (Fixture       *fixture,
                   gconstpointer  user_data)
{
  guint i;

  g_test_summary ("What is done while another thread owns the context is a critical and does nothing");

  bind (fixture, "k", "number", AMNESIA_BIND_DEFAULT);
  test_set_key (fixture->store, "l", "'x'");
  g_assert_true (g_main_context_acquire (NULL));
  for (i = 0; i < 6; i++)
    g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*own_context*");
  g_thread_join (g_thread_new ("other", use_from_thread, fixture));
  g_test_assert_expected_messages ();
  g_main_context_release (NULL);
  test_assert_key (fixture->store, "k", NULL);
  g_assert_null (fixture->widget->text);
  test_widget_set_number (fixture->widget, 7);
  test_assert_key (fixture->store, "k", "int64 7");
}

/* --- how long it lives --- */

static void
test_unbind (Fixture       *fixture,
             gconstpointer  user_data)
{
  g_test_summary ("Whoever is unbound follows no more, and nothing else happens");

  bind (fixture, "k", "number", AMNESIA_BIND_DEFAULT);
  bind (fixture, "v", "value", AMNESIA_BIND_DEFAULT);
  test_widget_set_number (fixture->widget, 5);
  amnesia_store_unbind (fixture->widget, "number");
  g_assert_cmpint (fixture->widget->number, ==, 5);
  test_widget_set_number (fixture->widget, 6);
  test_assert_key (fixture->store, "k", "int64 5");
  test_set_key (fixture->store, "k", "int64 7");
  g_assert_cmpint (fixture->widget->number, ==, 6);
  test_set_key (fixture->store, "v", "0.5");
  g_assert_cmpfloat (fixture->widget->value, ==, 0.5);
}

static void
test_replace (Fixture       *fixture,
              gconstpointer  user_data)
{
  AmnesiaStore *other = amnesia_store_new ();

  g_test_summary ("A property has one binding: the last one");

  bind (fixture, "k", "number", AMNESIA_BIND_DEFAULT);
  test_set_key (other, "l", "int64 8");
  amnesia_store_bind (other, "l", fixture->widget, "number", AMNESIA_BIND_DEFAULT);
  g_assert_cmpint (fixture->widget->number, ==, 8);
  test_assert_key (fixture->store, "k", NULL);
  test_set_key (fixture->store, "k", "int64 5");
  g_assert_cmpint (fixture->widget->number, ==, 8);
  test_widget_set_number (fixture->widget, 9);
  test_assert_key (other, "l", "int64 9");
  test_assert_key (fixture->store, "k", "int64 5");

  /* a mistake leaves the one that there is */
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*");
  bind (fixture, "k", "number", AMNESIA_BIND_INVERT_BOOLEAN);
  g_test_assert_expected_messages ();
  test_set_key (other, "l", "int64 10");
  g_assert_cmpint (fixture->widget->number, ==, 10);
  amnesia_store_unbind (fixture->widget, "number");
  test_free_store (other);
}

static void
test_lives (Fixture       *fixture,
            gconstpointer  user_data)
{
  AmnesiaStore *store = amnesia_store_new ();
  TestWidget *widget = test_widget_new ();
  AmnesiaStore *weak = NULL;

  g_test_summary ("A binding keeps the store, and goes with the object");

  g_set_weak_pointer (&weak, store);
  amnesia_store_bind (store, "k", widget, "number", AMNESIA_BIND_DEFAULT);
  amnesia_store_bind (store, "v", widget, "value", AMNESIA_BIND_SET);
  g_object_unref (store);
  g_assert_nonnull (weak);
  test_set_key (weak, "k", "int64 5");
  g_assert_cmpint (widget->number, ==, 5);
  g_assert_finalize_object (widget);
  g_assert_null (weak);
}

static void
test_itself (Fixture       *fixture,
             gconstpointer  user_data)
{
  AmnesiaStore *store = amnesia_store_new ();

  g_test_summary ("A property of the store itself can be bound, and keeps it from nothing");

  amnesia_store_bind (store, "length", store, "history-length", AMNESIA_BIND_DEFAULT);
  test_set_key (store, "length", "5");
  g_assert_cmpuint (amnesia_store_get_history_length (store), ==, 5);
  amnesia_store_set_history_length (store, 7);
  test_assert_key (store, "length", "7");
  g_assert_finalize_object (store);
}

int
main (int    argc,
      char **argv)
{
  static const struct
  {
    const char *path;
    void      (*func) (Fixture       *fixture,
                  gconstpointer  user_data);
  } tests[] = {
    { "/bind/initial", test_initial },
    { "/bind/absent", test_absent },
    { "/bind/both-ways", test_both_ways },
    { "/bind/get-only", test_get_only },
    { "/bind/set-only", test_set_only },
    { "/bind/no-changes", test_no_changes },
    { "/bind/invert", test_invert },
    { "/bind/whole", test_whole },
    { "/bind/default", test_default },
    { "/bind/two", test_two },
    { "/bind/clamp", test_clamp },
    { "/bind/late", test_late },
    { "/bind/reset", test_reset },
    { "/bind/equal", test_equal },
    { "/bind/type-kept", test_type_kept },
    { "/bind/in-handler", test_in_handler },
    { "/bind/misfits", test_misfits },
    { "/bind/refused", test_refused },
    { "/bind/null", test_null },
    { "/bind/mistakes", test_mistakes },
    { "/bind/guards", test_guards },
    { "/bind/other-thread", test_other_thread },
    { "/bind/unbind", test_unbind },
    { "/bind/replace", test_replace },
    { "/bind/lives", test_lives },
    { "/bind/itself", test_itself },
  };
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
