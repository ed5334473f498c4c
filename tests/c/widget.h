/* SPDX-License-Identifier: MIT */

#pragma once

#include "testlib.h"

G_BEGIN_DECLS

/* An object with the properties that widgets have. */
#define TEST_TYPE_WIDGET (test_widget_get_type ())

G_DECLARE_FINAL_TYPE (TestWidget, test_widget, TEST, WIDGET, GObject)

struct _TestWidget
{
  GObject    parent_instance;

  double     value;    /* `value`, -1000 to 1000; what is beyond @least and @most it cuts by itself */
  double     least;
  double     most;
  int        number;   /* `number`, 0 to 100 */
  gboolean   active;   /* `active` */
  char      *text;     /* `text` (owned) (nullable) */
  GVariant  *anything; /* `anything` (owned) (nullable) */
  GDateTime *time;     /* `time` (owned) (nullable): of a type that no value becomes */
  int        hidden;   /* `hidden`, which cannot be read */
  int        born;     /* `born`, which is set at construction only */
  GObject   *partner;  /* `partner` (unowned) (nullable) */
  /* and `fixed`, which cannot be set */
  guint      n_sets;
};

TestWidget *test_widget_new        (void);
void        test_widget_set_value  (TestWidget *self,
                                    double      value);
void        test_widget_set_number (TestWidget *self,
                                    int         number);
void        test_widget_set_active (TestWidget *self,
                                    gboolean    active);
void        test_widget_set_text   (TestWidget *self,
                                    const char *text);

G_END_DECLS
