/* SPDX-License-Identifier: MIT */

#pragma once

#include <amnesia.h>

G_BEGIN_DECLS

/* An address of the loopback network that no other test process uses: so no port can be taken. */
const char   *test_host          (void);
guint         test_port          (guint         index);

AmnesiaConf  *test_conf          (guint         n_entries);
AmnesiaStore *test_store         (AmnesiaConf  *conf);
void          test_wait_state    (AmnesiaStore *store,
                                  AmnesiaState  state);
void          test_wait_data     (AmnesiaStore *store,
                                  GVariant     *value);
void          test_wait_linked   (AmnesiaStore *store,
                                  guint         n);
guint         test_n_linked      (AmnesiaStore *store);
void          test_assert_data   (AmnesiaStore *store,
                                  const char   *text);
GVariant     *test_value         (const char   *text);
void          test_free_store    (AmnesiaStore *store);
guint         test_n_descriptors (void);

typedef gboolean (*TestCondition) (gpointer user_data);

/* Iterates the default main context until the condition holds; fails the test after 20 s. */
#define test_wait(condition, user_data) \
  test_wait_for (G_STRINGIFY (condition), __FILE__, __LINE__, (condition), (user_data))

void          test_wait_for      (const char   *what,
                                  const char   *file,
                                  int           line,
                                  TestCondition condition,
                                  gpointer      user_data);
void          test_pass_time     (guint         milliseconds);

G_END_DECLS
