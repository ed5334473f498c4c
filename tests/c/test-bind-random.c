/* SPDX-License-Identifier: MIT */

/* Bindings of all types of properties, of several objects and members, while anything is written by
 * anybody. When all is quiet, each property has what its key has, if that becomes one. */

#include "amnesia-convert-private.h"
#include "testlib.h"

#include <math.h>

#define N_STORES 2
#define N_GADGETS 2 /* of each store */
#define N_ROUNDS 12
#define N_STEPS 60

/* --- an object that has a property of each type, and takes what its type allows --- */

#define TEST_TYPE_GADGET (test_gadget_get_type ())

G_DECLARE_FINAL_TYPE (TestGadget, test_gadget, TEST, GADGET, GObject)

enum
{
  PROP_RATIO = 1,
  PROP_ANY_REAL,
  PROP_FLOAT,
  PROP_PERCENT,
  PROP_INT64,
  PROP_UINT64,
  PROP_CHAR,
  PROP_BOOLEAN,
  PROP_STRING,
  PROP_ENUM,
  PROP_FLAGS,
  PROP_STRV,
  PROP_BYTES,
  PROP_BYTE_ARRAY,
  PROP_VARIANT,
  PROP_DICTIONARY,
  N_PROPERTIES
};

struct _TestGadget
{
  GObject parent_instance;

  GValue  values[N_PROPERTIES];
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_TYPE (TestGadget, test_gadget, G_TYPE_OBJECT)

static void
test_gadget_get_property (GObject    *object,
                          guint       prop_id,
                          GValue     *value,
                          GParamSpec *pspec)
{
  g_value_copy (&TEST_GADGET (object)->values[prop_id], value);
}

static void
test_gadget_set_property (GObject      *object,
                          guint         prop_id,
                          const GValue *value,
                          GParamSpec   *pspec)
{
  g_value_copy (value, &TEST_GADGET (object)->values[prop_id]);
}

static void
test_gadget_finalize (GObject *object)
{
  guint i;

  for (i = 1; i < N_PROPERTIES; i++)
    g_value_unset (&TEST_GADGET (object)->values[i]);
  G_OBJECT_CLASS (test_gadget_parent_class)->finalize (object);
}

static void
test_gadget_class_init (TestGadgetClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = test_gadget_get_property;
  object_class->set_property = test_gadget_set_property;
  object_class->finalize = test_gadget_finalize;
  properties[PROP_RATIO] = g_param_spec_double ("ratio", NULL, NULL, -10, 10, 0, flags);
  properties[PROP_ANY_REAL] = g_param_spec_double ("any-real", NULL, NULL, -INFINITY, INFINITY, 0, flags);
  properties[PROP_FLOAT] = g_param_spec_float ("float", NULL, NULL, -G_MAXFLOAT, G_MAXFLOAT, 0, flags);
  properties[PROP_PERCENT] = g_param_spec_int ("percent", NULL, NULL, 0, 100, 0, flags);
  properties[PROP_INT64] = g_param_spec_int64 ("int64", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
  properties[PROP_UINT64] = g_param_spec_uint64 ("uint64", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_CHAR] = g_param_spec_char ("char", NULL, NULL, -5, 5, 0, flags);
  properties[PROP_BOOLEAN] = g_param_spec_boolean ("boolean", NULL, NULL, FALSE, flags);
  properties[PROP_STRING] = g_param_spec_string ("string", NULL, NULL, "", flags);
  properties[PROP_ENUM] = g_param_spec_enum ("enum", NULL, NULL, AMNESIA_TYPE_STATE, 0, flags);
  properties[PROP_FLAGS] = g_param_spec_flags ("flags", NULL, NULL, AMNESIA_TYPE_BIND_FLAGS, 0, flags);
  properties[PROP_STRV] = g_param_spec_boxed ("strv", NULL, NULL, G_TYPE_STRV, flags);
  properties[PROP_BYTES] = g_param_spec_boxed ("bytes", NULL, NULL, G_TYPE_BYTES, flags);
  properties[PROP_BYTE_ARRAY] = g_param_spec_boxed ("byte-array", NULL, NULL, G_TYPE_BYTE_ARRAY, flags);
  properties[PROP_VARIANT] = g_param_spec_variant ("variant", NULL, NULL, G_VARIANT_TYPE_ANY, NULL, flags);
  properties[PROP_DICTIONARY] = g_param_spec_variant ("dictionary", NULL, NULL, G_VARIANT_TYPE_VARDICT,
                                                      NULL, flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
test_gadget_init (TestGadget *self)
{
  guint i;

  for (i = 1; i < N_PROPERTIES; i++)
    {
      g_value_init (&self->values[i], properties[i]->value_type);
      g_param_value_set_default (properties[i], &self->values[i]);
    }
}

/* --- any values --- */

static double
make_real (void)
{
  static const double reals[] = {
    0.0, -0.0, 1, 3, -5, 0.1, 100, 1e300, -1e-310, 1e39, 9007199254740993.0, 18446744073709551616.0,
    INFINITY, -INFINITY, NAN,
  };

  return reals[g_test_rand_int_range (0, G_N_ELEMENTS (reals))];
}

static gint64
make_whole (void)
{
  static const gint64 wholes[] = {
    0, 1, 3, -5, 100, 101, -129, 65536, G_MAXINT, G_MININT, G_MAXINT64, G_MININT64, 9007199254740993,
  };

  return wholes[g_test_rand_int_range (0, G_N_ELEMENTS (wholes))];
}

static GVariant *
make_any (guint depth)
{
  static const char *const texts[] = {
    "", "a", "alone", "synced", "\xef\xbf\xbd", "get", "set", "default", "no such nick", "%s%n", "<b>&",
  };
  static const char *const parsed[] = {
    "@as []", "['get', 'set']", "@av []", "[<'get'>, <'after-sync'>]", "[<'a'>, <1>]", "@ay []", "b''",
    "b'bytes'", "@mv nothing", "just <just 'alone'>", "@ms nothing", "@a{sv} {}", "{'a': <1>, 'b': <nan>}",
    "()", "('a', 1)", "{1: 'x'}", "[true]", "objectpath '/synced'", "signature 'as'", "[@ms nothing]",
  };
  const char *text = texts[g_test_rand_int_range (0, G_N_ELEMENTS (texts))];

  switch (g_test_rand_int_range (0, depth < 4 ? 14 : 12))
    {
    case 0:
      return g_variant_new_boolean (g_test_rand_bit ());
    case 1:
      return g_variant_new_byte ((guchar) make_whole ());
    case 2:
      return g_variant_new_int16 ((gint16) make_whole ());
    case 3:
      return g_variant_new_int32 ((gint32) make_whole ());
    case 4:
      return g_variant_new_uint32 ((guint32) make_whole ());
    case 5:
      return g_variant_new_int64 (make_whole ());
    case 6:
      return g_variant_new_uint64 ((guint64) make_whole ());
    case 7:
    case 8:
      return g_variant_new_double (make_real ());
    case 9:
      return g_variant_new_string (text);
    case 12:
      return g_variant_new_variant (make_any (depth + 1));
    case 13:
      return g_variant_new_maybe (NULL, make_any (depth + 1));
    default:
      return g_variant_new_parsed (parsed[g_test_rand_int_range (0, G_N_ELEMENTS (parsed))]);
    }
}

/* --- the world --- */

typedef struct
{
  AmnesiaStore *stores[N_STORES];
  TestGadget   *gadgets[N_STORES][N_GADGETS];
} World;

/* Not 0: this property only, so that the same few values come again and again. */
static guint focus;

static GParamSpec *
choose_property (void)
{
  return properties[focus != 0 ? (int) focus : g_test_rand_int_range (1, N_PROPERTIES)];
}

static const char *
make_key (void)
{
  return choose_property ()->name;
}

static GVariant *
make_dictionary (void)
{
  GVariantBuilder builder;
  guint i;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (i = 1; i < N_PROPERTIES; i++)
    if (g_test_rand_int_range (0, 3) == 0)
      g_variant_builder_add (&builder, "{sv}", properties[i]->name, make_any (0));
  return g_variant_builder_end (&builder);
}

/* GLib's own check loses a reference to each GVariant of another type. */
static gboolean
does_fit (GParamSpec *property,
          GVariant   *variant,
          GValue     *value)
{
  if (G_IS_PARAM_SPEC_VARIANT (property) &&
      !g_variant_is_of_type (variant, G_PARAM_SPEC_VARIANT (property)->type))
    return FALSE;
  return amnesia_convert_to_value (variant, value, NULL) && !g_param_value_validate (property, value);
}

/* Makes what a property may have. */
static GVariant *
make_fit (GParamSpec *property,
          GValue     *value)
{
  g_value_init (value, property->value_type);
  for (;;)
    {
      g_autoptr (GVariant) variant = g_variant_ref_sink (make_any (0));

      if (does_fit (property, variant, value))
        return g_steal_pointer (&variant);
    }
}

static void
set_property (TestGadget *gadget)
{
  GParamSpec *property = choose_property ();
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GVariant) variant = make_fit (property, &value);

  g_object_set_property (G_OBJECT (gadget), property->name, &value);
}

static void
set_key (AmnesiaStore *store)
{
  GParamSpec *property = choose_property ();
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GVariant) variant = make_fit (property, &value);

  amnesia_store_set_key (store, property->name, variant, NULL);
}

static void
bind (AmnesiaStore *store,
      TestGadget   *gadget,
      guint         property)
{
  const char *name = properties[property]->name;

  amnesia_store_bind (store, name, gadget, name, AMNESIA_BIND_DEFAULT);
}

static void
write_something (AmnesiaStore *store)
{
  switch (g_test_rand_int_range (0, 30))
    {
    case 0:
      g_assert_true (amnesia_store_write (store, NULL, NULL));
      break;
    case 1:
      g_assert_true (amnesia_store_write (store, make_any (0), NULL));
      break;
    case 2:
    case 3:
      g_assert_true (amnesia_store_write (store, make_dictionary (), NULL));
      break;
    case 4:
      amnesia_store_set_default_data (store, g_test_rand_bit () ? make_dictionary () : NULL);
      break;
    case 5:
      amnesia_store_set_keys (store, make_dictionary (), NULL);
      break;
    case 6:
    case 7:
      amnesia_store_remove_key (store, make_key (), NULL);
      break;
    case 8:
    case 9:
    case 10:
      amnesia_store_set_key (store, make_key (), make_any (0), NULL);
      break;
    default:
      set_key (store);
    }
}

static void
do_something (World *world)
{
  guint i = g_test_rand_int_range (0, N_STORES);
  TestGadget *gadget = world->gadgets[i][g_test_rand_int_range (0, N_GADGETS)];

  switch (g_test_rand_int_range (0, 20))
    {
    case 0:
      bind (world->stores[i], gadget, g_test_rand_int_range (1, N_PROPERTIES));
      break;
    case 1:
      test_pass_time (g_test_rand_int_range (1, 20));
      break;
    case 2:
    case 3:
    case 4:
    case 5:
      g_main_context_iteration (NULL, FALSE);
      break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      write_something (world->stores[i]);
      break;
    default:
      set_property (gadget);
    }
}

static void
check_gadget (AmnesiaStore *store,
              TestGadget   *gadget)
{
  guint i;

  for (i = 1; i < N_PROPERTIES; i++)
    {
      const char *name = properties[i]->name;
      g_autoptr (GVariant) variant = amnesia_store_get_key (store, name);
      g_autofree char *has = g_strdup_value_contents (&gadget->values[i]);
      g_autofree char *shared = variant != NULL ? g_variant_print (variant, TRUE) : NULL;
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, properties[i]->value_type);
      g_test_message ("%s: %s, %s", name, has, shared);
      if (variant != NULL && amnesia_convert_to_value (variant, &value, NULL) &&
          !g_param_value_validate (properties[i], &value))
        g_assert_true (amnesia_convert_equal (&value, &gadget->values[i]));
    }
}

static gboolean
agree (World *world)
{
  g_autoptr (GVariant) a = amnesia_store_get_data (world->stores[0]);
  g_autoptr (GVariant) b = amnesia_store_get_data (world->stores[1]);

  return a == b || (a != NULL && b != NULL && g_variant_equal (a, b));
}

static void
play (World *world)
{
  static const guint focuses[] = { 0, PROP_BOOLEAN, PROP_ENUM, PROP_CHAR };
  const guint n_steps = g_test_rand_int_range (5, N_STEPS);
  guint i, j;

  focus = focuses[g_test_rand_int_range (0, G_N_ELEMENTS (focuses))];
  for (i = 0; i < n_steps; i++)
    do_something (world);
  for (i = 0; i < N_STORES; i++)
    amnesia_store_set_default_data (world->stores[i], NULL);
  test_until (agree (world));
  test_pass_time (250);
  for (i = 0; i < N_STORES; i++)
    for (j = 0; j < N_GADGETS; j++)
      check_gadget (world->stores[i], world->gadgets[i][j]);
  g_assert_true (agree (world));
}

static void
test_random (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (N_STORES);
  World world;
  guint i, j, property;

  g_test_summary ("Whatever is written by whom, properties have what their keys have when all is quiet");

  for (i = 0; i < N_STORES; i++)
    world.stores[i] = test_new_store (conf);
  for (i = 0; i < N_STORES; i++)
    test_wait_state (world.stores[i], AMNESIA_STATE_SYNCED);
  for (i = 0; i < N_STORES; i++)
    for (j = 0; j < N_GADGETS; j++)
      {
        world.gadgets[i][j] = g_object_new (TEST_TYPE_GADGET, NULL);
        for (property = 1; property < N_PROPERTIES; property++)
          bind (world.stores[i], world.gadgets[i][j], property);
      }
  for (i = 0; i < N_ROUNDS; i++)
    play (&world);
  for (i = 0; i < N_STORES; i++)
    {
      for (j = 0; j < N_GADGETS; j++)
        g_assert_finalize_object (world.gadgets[i][j]);
      test_free_store (world.stores[i]);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bind-random/random", test_random);
  return g_test_run ();
}
