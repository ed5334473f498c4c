/* SPDX-License-Identifier: MIT */

#include "widget.h"

typedef enum
{
  PROP_VALUE = 1,
  PROP_NUMBER,
  PROP_ACTIVE,
  PROP_TEXT,
  PROP_ANYTHING,
  PROP_TIME,
  PROP_HIDDEN,
  PROP_BORN,
  PROP_FIXED,
  PROP_PARTNER,
} TestWidgetProperty;

static GParamSpec *properties[PROP_PARTNER + 1];

G_DEFINE_TYPE (TestWidget, test_widget, G_TYPE_OBJECT)

static void
notify (TestWidget         *self,
        TestWidgetProperty  property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

void
test_widget_set_value (TestWidget *self,
                       double      value)
{
  value = CLAMP (value, self->least, self->most);
  if (self->value == value)
    return;
  self->value = value;
  notify (self, PROP_VALUE);
}

void
test_widget_set_number (TestWidget *self,
                        int         number)
{
  if (self->number == number)
    return;
  self->number = number;
  notify (self, PROP_NUMBER);
}

void
test_widget_set_active (TestWidget *self,
                        gboolean    active)
{
  if (self->active == active)
    return;
  self->active = active;
  notify (self, PROP_ACTIVE);
}

void
test_widget_set_text (TestWidget *self,
                      const char *text)
{
  if (g_strcmp0 (self->text, text) == 0)
    return;
  g_free (self->text);
  self->text = g_strdup (text);
  notify (self, PROP_TEXT);
}

static void
set_anything (TestWidget *self,
              GVariant   *anything)
{
  g_clear_pointer (&self->anything, g_variant_unref);
  self->anything = anything;
  notify (self, PROP_ANYTHING);
}

static void
set_time (TestWidget *self,
          GDateTime  *time)
{
  g_clear_pointer (&self->time, g_date_time_unref);
  self->time = time;
  notify (self, PROP_TIME);
}

static void
test_widget_set_property (GObject      *object,
                          guint         prop_id,
                          const GValue *value,
                          GParamSpec   *pspec)
{
  TestWidget *self = TEST_WIDGET (object);

  self->n_sets++;
  switch ((TestWidgetProperty) prop_id)
    {
    case PROP_VALUE:
      test_widget_set_value (self, g_value_get_double (value));
      break;
    case PROP_NUMBER:
      test_widget_set_number (self, g_value_get_int (value));
      break;
    case PROP_ACTIVE:
      test_widget_set_active (self, g_value_get_boolean (value));
      break;
    case PROP_TEXT:
      test_widget_set_text (self, g_value_get_string (value));
      break;
    case PROP_ANYTHING:
      set_anything (self, g_value_dup_variant (value));
      break;
    case PROP_TIME:
      set_time (self, g_value_dup_boxed (value));
      break;
    case PROP_HIDDEN:
      self->hidden = g_value_get_int (value);
      break;
    case PROP_BORN:
      self->born = g_value_get_int (value);
      break;
    case PROP_PARTNER:
      self->partner = g_value_get_object (value);
      notify (self, PROP_PARTNER);
      break;
    case PROP_FIXED:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
test_widget_get_property (GObject    *object,
                          guint       prop_id,
                          GValue     *value,
                          GParamSpec *pspec)
{
  TestWidget *self = TEST_WIDGET (object);

  switch ((TestWidgetProperty) prop_id)
    {
    case PROP_VALUE:
      g_value_set_double (value, self->value);
      break;
    case PROP_NUMBER:
      g_value_set_int (value, self->number);
      break;
    case PROP_ACTIVE:
      g_value_set_boolean (value, self->active);
      break;
    case PROP_TEXT:
      g_value_set_string (value, self->text);
      break;
    case PROP_ANYTHING:
      g_value_set_variant (value, self->anything);
      break;
    case PROP_TIME:
      g_value_set_boxed (value, self->time);
      break;
    case PROP_BORN:
      g_value_set_int (value, self->born);
      break;
    case PROP_FIXED:
      g_value_set_int (value, 7);
      break;
    case PROP_PARTNER:
      g_value_set_object (value, self->partner);
      break;
    case PROP_HIDDEN:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
test_widget_finalize (GObject *object)
{
  TestWidget *self = TEST_WIDGET (object);

  g_free (self->text);
  g_clear_pointer (&self->anything, g_variant_unref);
  g_clear_pointer (&self->time, g_date_time_unref);
  G_OBJECT_CLASS (test_widget_parent_class)->finalize (object);
}

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY)

static void
test_widget_class_init (TestWidgetClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = test_widget_set_property;
  object_class->get_property = test_widget_get_property;
  object_class->finalize = test_widget_finalize;
  properties[PROP_VALUE] = g_param_spec_double ("value", NULL, NULL, -1000, 1000, 0, FLAGS);
  properties[PROP_NUMBER] = g_param_spec_int ("number", NULL, NULL, 0, 100, 0, FLAGS);
  properties[PROP_ACTIVE] = g_param_spec_boolean ("active", NULL, NULL, FALSE, FLAGS);
  properties[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, FLAGS);
  properties[PROP_ANYTHING] = g_param_spec_variant ("anything", NULL, NULL, G_VARIANT_TYPE_ANY, NULL,
                                                    FLAGS);
  properties[PROP_TIME] = g_param_spec_boxed ("time", NULL, NULL, G_TYPE_DATE_TIME, FLAGS);
  properties[PROP_HIDDEN] = g_param_spec_int ("hidden", NULL, NULL, 0, 100, 0,
                                              FLAGS & ~G_PARAM_READABLE);
  properties[PROP_BORN] = g_param_spec_int ("born", NULL, NULL, 0, 100, 0,
                                            FLAGS | G_PARAM_CONSTRUCT_ONLY);
  properties[PROP_FIXED] = g_param_spec_int ("fixed", NULL, NULL, 0, 100, 0,
                                             FLAGS & ~G_PARAM_WRITABLE);
  properties[PROP_PARTNER] = g_param_spec_object ("partner", NULL, NULL, G_TYPE_OBJECT, FLAGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
test_widget_init (TestWidget *self)
{
  self->least = -1000;
  self->most = 1000;
}

TestWidget *
test_widget_new (void)
{
  TestWidget *self = g_object_new (TEST_TYPE_WIDGET, NULL);

  self->n_sets = 0;
  return self;
}
