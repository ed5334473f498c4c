/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-error.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* How many arrays and objects of a value, as JSON text, may lie in each other. */
#define AMNESIA_JSON_MAX_DEPTH 64

typedef struct _AmnesiaJsonDocument AmnesiaJsonDocument;

AmnesiaJsonDocument *amnesia_json_document_new         (const char           *text,
                                                        gsize                 length,
                                                        guint                 max_depth,
                                                        AmnesiaError          code,
                                                        GError              **error);
void                 amnesia_json_document_free        (AmnesiaJsonDocument  *self);

JsonNode            *amnesia_json_document_get_root    (AmnesiaJsonDocument  *self);
const char          *amnesia_json_document_take_number (AmnesiaJsonDocument  *self,
                                                        gsize                *length);
gboolean             amnesia_json_document_fail        (AmnesiaJsonDocument  *self,
                                                        const char           *at,
                                                        GError              **error,
                                                        const char           *format,
                                                        ...) G_GNUC_PRINTF (4, 5);

gboolean             amnesia_json_node_is_number       (JsonNode             *node);
void                 amnesia_json_append_string        (GString              *out,
                                                        const char           *string);
char                *amnesia_json_cut                  (const char           *text,
                                                        gsize                 length);
char                *amnesia_json_quote                (const char           *string);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaJsonDocument, amnesia_json_document_free)

G_END_DECLS
