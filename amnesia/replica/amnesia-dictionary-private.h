/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-entry-private.h"

G_BEGIN_DECLS

gsize     amnesia_dictionary_count_same (GVariant  *a,
                                         GVariant  *b);
gboolean  amnesia_dictionary_differs    (GVariant  *a,
                                         GVariant  *b);
void      amnesia_dictionary_compare    (GVariant  *a,
                                         GVariant  *b,
                                         gsize     *first,
                                         gsize     *n_last);
GVariant *amnesia_dictionary_change     (GVariant  *dictionary,
                                         GPtrArray *entries);

G_END_DECLS
