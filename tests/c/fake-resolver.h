/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A resolver that says what it is told to. */
typedef struct
{
  GResolver   parent_instance;

  GHashTable *names;     /* (owned) (element-type utf8 utf8) */
  guint       n_running;
  guint       n_most;
  guint       n_asked;
} FakeResolver;

FakeResolver *fake_resolver_new  (void);
void          fake_resolver_name (FakeResolver *self,
                                  const char   *host,
                                  const char   *addresses);

G_END_DECLS
