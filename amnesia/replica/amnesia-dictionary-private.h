/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-entry-private.h"

G_BEGIN_DECLS

gsize     amnesia_dictionary_count_same (GVariant  *a,
                                         GVariant  *b);
GVariant *amnesia_dictionary_change     (GVariant  *dictionary,
                                         GPtrArray *entries);

G_END_DECLS
