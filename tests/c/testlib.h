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
guint         test_n_connections (void);
guint         test_slowness      (void);
gboolean      test_skip_if_slow  (const char   *reason);

typedef gboolean (*TestCondition) (gpointer user_data);

/* Iterates the default main context until the condition holds; fails the test after 20 s, which
 * valgrind stretches. */
#define test_wait(condition, user_data) \
  test_wait_for (G_STRINGIFY (condition), __FILE__, __LINE__, (condition), (user_data))

void          test_wait_for      (const char   *what,
                                  const char   *file,
                                  int           line,
                                  TestCondition condition,
                                  gpointer      user_data);
void          test_pass_time     (guint         milliseconds);
void          test_let_millisecond_pass (void);

/* The same for an expression. */
#define test_until(condition) \
  G_STMT_START \
    { \
      TestPatience patience = test_patience_new (#condition, __FILE__, __LINE__); \
      while (test_patience_goes_on (&patience, (condition))) \
        ; \
    } \
  G_STMT_END

typedef struct
{
  const char *what;
  const char *file;
  int         line;
  gint64      end;
} TestPatience;

TestPatience  test_patience_new     (const char   *what,
                                     const char   *file,
                                     int           line);
gboolean      test_patience_goes_on (TestPatience *patience,
                                     gboolean      done);

/* What a store tells, in order: "changed OLD -> NEW local", "state synced", "data", "updated",
 * "error", "listening 127.0.0.1:7701", "conf". Log lines are kept apart. */
typedef struct _TestDiary TestDiary;

TestDiary    *test_diary_new        (AmnesiaStore *store);
TestDiary    *test_diary_new_with_keys (AmnesiaStore *store);
void          test_diary_free       (TestDiary    *diary);
void          test_diary_clear      (TestDiary    *diary);
void          test_assert_diary     (TestDiary    *diary,
                                     const char   *first,
                                     ...) G_GNUC_NULL_TERMINATED;
gboolean      test_diary_has        (TestDiary    *diary,
                                     const char   *entry);
guint         test_diary_count      (TestDiary    *diary,
                                     const char   *pattern);
guint         test_diary_count_log  (TestDiary    *diary,
                                     const char   *pattern);

AmnesiaPeer  *test_find_peer        (AmnesiaStore *store,
                                     guint         port);
void          test_close_store      (AmnesiaStore *store);
AmnesiaStore *test_new_store        (AmnesiaConf  *conf);
void          test_set              (AmnesiaStore *store,
                                     const char   *text);
void          test_drain            (void);
gboolean      test_has_data         (AmnesiaStore *store,
                                     const char   *text);

/* For keys: @text is in GVariant's notation; NULL: there is none. */
void          test_set_key          (AmnesiaStore *store,
                                     const char   *key,
                                     const char   *text);
void          test_remove_key       (AmnesiaStore *store,
                                     const char   *key);
gboolean      test_has_key          (AmnesiaStore *store,
                                     const char   *key,
                                     const char   *text);
void          test_assert_key       (AmnesiaStore *store,
                                     const char   *key,
                                     const char   *text);

/* What came of one or more openings or closings: how many have ended, and how the last one did. */
typedef struct
{
  guint   n_done;
  GError *error; /* (owned) (nullable) */
} TestOutcome;

void          test_opened_cb        (GObject      *source,
                                     GAsyncResult *result,
                                     gpointer      user_data);
void          test_closed_cb        (GObject      *source,
                                     GAsyncResult *result,
                                     gpointer      user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestDiary, test_diary_free)

G_END_DECLS
