/* SPDX-License-Identifier: MIT */

/* Bindings with functions and closures between, and what these may do. */

#include "widget.h"

static AmnesiaStore *store;
static TestWidget *widget;
static TestDiary *diary;

static void
begin (void)
{
  store = amnesia_store_new ();
  widget = test_widget_new ();
  diary = test_diary_new (store);
}

static void
end (void)
{
  test_diary_free (diary);
  if (widget != NULL)
    g_assert_finalize_object (widget);
  test_free_store (store);
}

/* What the functions are called with. */
typedef struct
{
  guint n_gets;
  guint n_sets;
  guint n_destroyed;
} Counts;

static void
count_destroyed (gpointer user_data)
{
  ((Counts *) user_data)->n_destroyed++;
}

/* The key has texts such as "5%". */
static gboolean
from_percent (GValue   *value,
              GVariant *variant,
              gpointer  user_data)
{
  ((Counts *) user_data)->n_gets++;
  if (!g_variant_is_of_type (variant, G_VARIANT_TYPE_STRING))
    return FALSE;
  g_value_set_int (value, (int) g_ascii_strtoll (g_variant_get_string (variant, NULL), NULL, 10));
  return TRUE;
}

static GVariant *
to_percent (const GValue *value,
            gpointer      user_data)
{
  ((Counts *) user_data)->n_sets++;
  if (g_value_get_int (value) == 13)
    return NULL;
  return g_variant_new_printf ("%d%%", g_value_get_int (value));
}

static void
test_functions (void)
{
  Counts counts = { 0 };

  g_test_summary ("Functions make one of the other; what they do not take stays");

  begin ();
  amnesia_store_bind_with_mapping (store, "k", widget, "number", AMNESIA_BIND_DEFAULT, from_percent,
                                   to_percent, &counts, count_destroyed);
  g_assert_cmpuint (counts.n_gets, ==, 0);
  test_widget_set_number (widget, 5);
  test_assert_key (store, "k", "'5%'");
  g_assert_cmpuint (counts.n_gets, ==, 0);
  test_set_key (store, "k", "'6%'");
  g_assert_cmpint (widget->number, ==, 6);
  test_widget_set_number (widget, 13);
  test_assert_key (store, "k", "'6%'");
  g_assert_cmpuint (counts.n_sets, ==, 2);

  test_set_key (store, "k", "int64 7");
  test_set_key (store, "k", "'101%'"); /* beyond the property's range */
  g_assert_cmpint (widget->number, ==, 13);
  g_assert_cmpuint (test_diary_count_log (diary, "*does not take the key “k”: its mapping*"), ==, 1);
  g_assert_cmpuint (test_diary_count_log (diary, "*does not take*"), ==, 1);
  g_assert_cmpuint (counts.n_destroyed, ==, 0);
  amnesia_store_unbind (widget, "number");
  g_assert_cmpuint (counts.n_destroyed, ==, 1);
  end ();
}

static void
test_removed (void)
{
  Counts counts = { 0 };

  g_test_summary ("A key that was removed and is there again is set, also if it is what was written before");

  begin ();
  amnesia_store_bind_with_mapping (store, "k", widget, "number", AMNESIA_BIND_DEFAULT, from_percent,
                                   to_percent, &counts, NULL);
  test_widget_set_number (widget, 5);
  test_widget_set_number (widget, 13); /* which is not written */
  test_assert_key (store, "k", "'5%'");
  g_assert_true (amnesia_store_remove_key (store, "k", NULL));
  g_assert_cmpint (widget->number, ==, 13);
  test_set_key (store, "k", "'5%'");
  g_assert_cmpint (widget->number, ==, 5);
  end ();
}

static void
test_one_function (void)
{
  Counts counts = { 0 };

  g_test_summary ("Where there is no function, values go as they do without");

  begin ();
  amnesia_store_bind_with_mapping (store, "k", widget, "number", AMNESIA_BIND_DEFAULT, from_percent,
                                   NULL, &counts, count_destroyed);
  test_set_key (store, "k", "'6%'");
  g_assert_cmpint (widget->number, ==, 6);
  test_widget_set_number (widget, 7);
  test_assert_key (store, "k", "int64 7");

  amnesia_store_bind_with_mapping (store, "l", widget, "number", AMNESIA_BIND_DEFAULT, NULL, to_percent,
                                   &counts, count_destroyed);
  g_assert_cmpuint (counts.n_destroyed, ==, 1);
  test_widget_set_number (widget, 8);
  test_assert_key (store, "l", "'8%'");
  test_set_key (store, "l", "9.0");
  g_assert_cmpint (widget->number, ==, 9);
  end ();
  g_assert_cmpuint (counts.n_destroyed, ==, 2);
}

static void
test_destroyed_by_mistake (void)
{
  Counts counts = { 0 };

  g_test_summary ("What was given is freed also if the property cannot be bound");

  begin ();
  g_test_expect_message ("Amnesia", G_LOG_LEVEL_CRITICAL, "*no property*");
  amnesia_store_bind_with_mapping (store, "k", widget, "none", AMNESIA_BIND_DEFAULT, from_percent,
                                   to_percent, &counts, count_destroyed);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (counts.n_destroyed, ==, 1);
  end ();
}

/* A property of a type that no value becomes by itself, and that cannot be compared. */
static gboolean
to_time (GValue   *value,
         GVariant *variant,
         gpointer  user_data)
{
  ((Counts *) user_data)->n_gets++;
  if (!g_variant_is_of_type (variant, G_VARIANT_TYPE_INT64))
    return FALSE;
  g_value_take_boxed (value, g_date_time_new_from_unix_utc (g_variant_get_int64 (variant)));
  return TRUE;
}

static GVariant *
from_time (const GValue *value,
           gpointer      user_data)
{
  ((Counts *) user_data)->n_sets++;
  return g_value_get_boxed (value) != NULL
           ? g_variant_new_int64 (g_date_time_to_unix (g_value_get_boxed (value))) : NULL;
}

static void
test_other_type (void)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (77);
  Counts counts = { 0 };

  g_test_summary ("With functions any type of property can be bound");

  begin ();
  amnesia_store_bind_with_mapping (store, "k", widget, "time", AMNESIA_BIND_DEFAULT, to_time, from_time,
                                   &counts, NULL);
  g_object_set (widget, "time", time, NULL);
  test_assert_key (store, "k", "int64 77");
  g_assert_cmpuint (counts.n_gets, ==, 0);
  test_set_key (store, "k", "int64 78");
  g_assert_cmpint (g_date_time_to_unix (widget->time), ==, 78);
  test_diary_clear (diary);
  g_object_notify (G_OBJECT (widget), "time");
  g_assert_cmpuint (test_diary_count (diary, "updated"), ==, 0);
  end ();
}

static GVariant *
from_partner (const GValue *value,
              gpointer      user_data)
{
  return g_variant_new_boolean (g_value_get_object (value) != NULL);
}

static void
test_object (void)
{
  TestWidget *partner = test_widget_new ();

  g_test_summary ("A binding does not keep what the property holds");

  begin ();
  g_object_set (widget, "partner", partner, NULL);
  test_set_key (store, "k", "false");
  amnesia_store_bind_with_mapping (store, "k", widget, "partner", AMNESIA_BIND_SET, NULL, from_partner,
                                   NULL, NULL);
  test_assert_key (store, "k", "true");
  g_object_set (widget, "partner", NULL, NULL);
  test_assert_key (store, "k", "false");
  g_object_set (widget, "partner", partner, NULL);
  test_assert_key (store, "k", "true");
  g_assert_finalize_object (partner);
  widget->partner = NULL;
  end ();
}

/* --- closures --- */

static int
get_closure (GVariant *variant,
             Counts   *counts)
{
  counts->n_gets++;
  return g_variant_get_int64 (variant) + 1;
}

static GVariant *
set_closure (int     number,
             Counts *counts)
{
  counts->n_sets++;
  if (number == 13)
    return NULL;
  /* floating or not, both are right */
  return number % 2 ? g_variant_new_int64 (number - 1)
                    : g_variant_ref_sink (g_variant_new_int64 (number - 1));
}

static void
closure_gone (gpointer  counts,
              GClosure *closure)
{
  count_destroyed (counts);
}

static void
bind_closures (const char *property,
               GCallback   get,
               GCallback   set,
               Counts     *counts)
{
  amnesia_store_bind_with_mapping_closures (
    store, "k", G_OBJECT (widget), property, AMNESIA_BIND_DEFAULT,
    get != NULL ? g_cclosure_new (get, counts, closure_gone) : NULL,
    set != NULL ? g_cclosure_new (set, counts, closure_gone) : NULL);
}

static void
test_closures (void)
{
  Counts counts = { 0 };
  int i;

  g_test_summary ("Closures without a marshaller of their own make one of the other");

  begin ();
  bind_closures ("number", G_CALLBACK (get_closure), G_CALLBACK (set_closure), &counts);
  test_set_key (store, "k", "int64 5");
  g_assert_cmpint (widget->number, ==, 6);
  for (i = 10; i < 15; i++)
    test_widget_set_number (widget, i);
  test_assert_key (store, "k", "int64 13");
  test_widget_set_number (widget, 13);
  test_assert_key (store, "k", "int64 13");
  g_assert_cmpuint (counts.n_gets, ==, 1);
  g_assert_cmpuint (counts.n_destroyed, ==, 0);
  end ();
  g_assert_cmpuint (counts.n_destroyed, ==, 2);
}

static char *
get_text (GVariant *variant,
          Counts   *counts)
{
  return g_variant_print (variant, FALSE);
}

static void
test_closures_text (void)
{
  Counts counts = { 0 };

  g_test_summary ("A closure's string is taken over");

  begin ();
  bind_closures ("text", G_CALLBACK (get_text), NULL, &counts);
  test_set_key (store, "k", "int64 5");
  test_set_key (store, "k", "int64 6");
  g_assert_cmpstr (widget->text, ==, "6");
  test_widget_set_text (widget, "7");
  test_assert_key (store, "k", "'7'");
  end ();
  g_assert_cmpuint (counts.n_destroyed, ==, 1);
}

static void
leave (GClosure     *closure,
       GValue       *result,
       guint         n_parameters,
       const GValue *parameters,
       gpointer      hint,
       gpointer      data)
{
  g_assert_cmpuint (n_parameters, ==, 1);
}

static void
test_closures_raise (void)
{
  GClosure *get = g_closure_new_simple (sizeof (GClosure), NULL);
  GClosure *set = g_closure_new_simple (sizeof (GClosure), NULL);

  g_test_summary ("A closure that returns nothing, as by an exception, changes nothing");

  begin ();
  g_closure_set_marshal (get, leave);
  g_closure_set_marshal (set, leave);
  test_widget_set_text (widget, "before");
  amnesia_store_bind_with_mapping_closures (store, "k", G_OBJECT (widget), "text", AMNESIA_BIND_DEFAULT,
                                            get, set);
  test_set_key (store, "k", "'x'");
  g_assert_cmpstr (widget->text, ==, "before");
  g_assert_cmpuint (widget->n_sets, ==, 0);
  test_widget_set_text (widget, "y");
  test_assert_key (store, "k", "'x'");
  end ();
}

/* --- what they may do --- */

static gboolean
unbinding_get (GValue   *value,
               GVariant *variant,
               gpointer  user_data)
{
  guint n_destroyed = ((Counts *) user_data)->n_destroyed;

  amnesia_store_unbind (widget, "number");
  g_assert_cmpuint (((Counts *) user_data)->n_destroyed, ==, n_destroyed);
  g_value_set_int (value, 77);
  return TRUE;
}

static GVariant *
unbinding_set (const GValue *value,
               gpointer      user_data)
{
  amnesia_store_unbind (widget, "number");
  return g_variant_new_int64 (g_value_get_int (value));
}

static GVariant *
dropping_set (const GValue *value,
              gpointer      user_data)
{
  g_clear_object (&widget);
  return g_variant_new_int64 (g_value_get_int (value));
}

static void
test_unbind_inside (void)
{
  Counts counts = { 0 };

  g_test_summary ("A function may unbind its own binding: then nothing is set or written any more");

  begin ();
  amnesia_store_bind_with_mapping (store, "k", widget, "number", AMNESIA_BIND_DEFAULT, unbinding_get,
                                   unbinding_set, &counts, count_destroyed);
  test_set_key (store, "k", "int64 5");
  g_assert_cmpint (widget->number, ==, 0);
  g_assert_cmpuint (counts.n_destroyed, ==, 1);

  amnesia_store_bind_with_mapping (store, "l", widget, "number", AMNESIA_BIND_DEFAULT, unbinding_get,
                                   unbinding_set, &counts, count_destroyed);
  test_widget_set_number (widget, 5);
  test_assert_key (store, "l", NULL);
  g_assert_cmpuint (counts.n_destroyed, ==, 2);

  /* in the first moment */
  amnesia_store_bind_with_mapping (store, "k", widget, "number", AMNESIA_BIND_DEFAULT, unbinding_get,
                                   unbinding_set, &counts, count_destroyed);
  g_assert_cmpint (widget->number, ==, 5);
  test_set_key (store, "l", "int64 1");
  amnesia_store_bind_with_mapping (store, "l", widget, "number", AMNESIA_BIND_SET, unbinding_get,
                                   unbinding_set, &counts, count_destroyed);
  test_assert_key (store, "l", "int64 1");
  g_assert_cmpuint (counts.n_destroyed, ==, 4);
  end ();
}

static void
test_drop_inside (void)
{
  TestWidget *gone = NULL;

  g_test_summary ("A function may drop the last reference to the object");

  begin ();
  g_set_weak_pointer (&gone, widget);
  amnesia_store_bind_with_mapping (store, "k", widget, "number", AMNESIA_BIND_DEFAULT, NULL, dropping_set,
                                   NULL, NULL);
  test_widget_set_number (widget, 5);
  g_assert_null (widget);
  g_assert_null (gone);
  test_set_key (store, "k", "int64 6");
  end ();
}

static void
drop_cb (TestWidget *dropped,
         GParamSpec *pspec,
         gpointer    user_data)
{
  g_clear_object (&widget);
}

static void
rebind_cb (TestWidget *bound,
           GParamSpec *pspec,
           gpointer    user_data)
{
  amnesia_store_bind (store, "l", bound, "number", AMNESIA_BIND_DEFAULT);
}

static void
test_drop_in_notify (void)
{
  g_test_summary ("Who is told of the property may drop the object, or bind it anew");

  begin ();
  amnesia_store_bind (store, "k", widget, "number", AMNESIA_BIND_DEFAULT);
  g_signal_connect (widget, "notify::number", G_CALLBACK (drop_cb), NULL);
  test_set_key (store, "k", "int64 5");
  g_assert_null (widget);
  end ();

  begin ();
  g_signal_connect (widget, "notify::number", G_CALLBACK (rebind_cb), NULL);
  test_set_key (store, "l", "int64 8");
  amnesia_store_bind (store, "k", widget, "number", AMNESIA_BIND_DEFAULT);
  test_set_key (store, "k", "int64 5");
  g_assert_cmpint (widget->number, ==, 8);
  test_assert_key (store, "k", "int64 5");
  test_set_key (store, "k", "int64 6");
  g_assert_cmpint (widget->number, ==, 8);
  end ();
}

static void
set_another_cb (TestWidget *bound,
                GParamSpec *pspec,
                gpointer    user_data)
{
  if (bound->number == 5)
    test_set_key (store, "k", "int64 6");
}

static void
test_set_in_notify (void)
{
  g_test_summary ("Who is told of the property may set the key to something else");

  begin ();
  amnesia_store_bind (store, "k", widget, "number", AMNESIA_BIND_DEFAULT);
  g_signal_connect (widget, "notify::number", G_CALLBACK (set_another_cb), NULL);
  test_set_key (store, "k", "int64 5");
  g_assert_cmpint (widget->number, ==, 6);
  test_assert_key (store, "k", "int64 6");
  test_widget_set_number (widget, 5);
  g_assert_cmpint (widget->number, ==, 6);
  test_assert_key (store, "k", "int64 6");
  end ();
}

static void
unbind_log_cb (AmnesiaStore *logging,
               const char   *message,
               gpointer      user_data)
{
  amnesia_store_unbind (widget, "number");
}

static void
test_unbind_in_log (void)
{
  g_test_summary ("Who hears that a value does not fit may unbind");

  begin ();
  amnesia_store_bind (store, "k", widget, "number", AMNESIA_BIND_DEFAULT);
  g_signal_connect (store, "log", G_CALLBACK (unbind_log_cb), NULL);
  test_set_key (store, "k", "'x'");
  test_set_key (store, "k", "int64 5");
  g_assert_cmpint (widget->number, ==, 0);
  amnesia_store_bind (store, "k", widget, "number", AMNESIA_BIND_DEFAULT);
  test_set (store, "5");
  test_widget_set_number (widget, 8);
  amnesia_store_set_data (store, NULL);
  test_set_key (store, "k", "int64 9");
  g_assert_cmpint (widget->number, ==, 8);
  end ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bind-mapping/functions", test_functions);
  g_test_add_func ("/bind-mapping/removed", test_removed);
  g_test_add_func ("/bind-mapping/one-function", test_one_function);
  g_test_add_func ("/bind-mapping/destroyed-by-mistake", test_destroyed_by_mistake);
  g_test_add_func ("/bind-mapping/other-type", test_other_type);
  g_test_add_func ("/bind-mapping/object", test_object);
  g_test_add_func ("/bind-mapping/closures", test_closures);
  g_test_add_func ("/bind-mapping/closures-text", test_closures_text);
  g_test_add_func ("/bind-mapping/closures-raise", test_closures_raise);
  g_test_add_func ("/bind-mapping/unbind-inside", test_unbind_inside);
  g_test_add_func ("/bind-mapping/drop-inside", test_drop_inside);
  g_test_add_func ("/bind-mapping/drop-in-notify", test_drop_in_notify);
  g_test_add_func ("/bind-mapping/set-in-notify", test_set_in_notify);
  g_test_add_func ("/bind-mapping/unbind-in-log", test_unbind_in_log);
  return g_test_run ();
}
