/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A copy of a list model that is kept by what its items-changed tells, and compared with it each
 * time. A model that tells less or other than what happens fails the test. */
typedef struct _ListMirror ListMirror;

ListMirror *list_mirror_new       (GListModel *model);
void        list_mirror_free      (ListMirror *self);
guint       list_mirror_count     (ListMirror *self);
guint       list_mirror_get_peak  (ListMirror *self);
void        list_mirror_check     (ListMirror *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ListMirror, list_mirror_free)

G_END_DECLS
