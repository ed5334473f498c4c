/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-frame-private.h"

G_BEGIN_DECLS

/* Decodes, off the loop and one after the other, writes that take long to check. */
typedef struct _AmnesiaInspector AmnesiaInspector;

/* One write on its way through the inspector. */
typedef struct _AmnesiaInspection AmnesiaInspection;

AmnesiaInspector  *amnesia_inspector_new     (void);
void               amnesia_inspector_free    (AmnesiaInspector   *self);

gboolean           amnesia_inspector_is_busy (AmnesiaInspector   *self);
AmnesiaInspection *amnesia_inspector_begin   (AmnesiaInspector   *self,
                                              AmnesiaFrame       *frame,
                                              guint64             max_size,
                                              GSource            *source);
gboolean           amnesia_inspection_end    (AmnesiaInspection  *self,
                                              AmnesiaFrame       *frame,
                                              GError            **error);
gboolean           amnesia_inspection_is_done (AmnesiaInspection *self);
void               amnesia_inspection_cancel (AmnesiaInspection  *self);

G_END_DECLS
