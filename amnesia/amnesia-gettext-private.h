/* SPDX-License-Identifier: MIT */

#pragma once

/* Instead of <glib/gi18n-lib.h>, whose _() finds nothing before somebody has bound the domain. */

#include <glib.h>
#include <libintl.h>

G_BEGIN_DECLS

const char *amnesia_gettext  (const char *text) G_GNUC_FORMAT (1);
const char *amnesia_ngettext (const char *one,
                              const char *many,
                              guint64     n) G_GNUC_FORMAT (1) G_GNUC_FORMAT (2);

#define _(text) amnesia_gettext (text)
#define N_(text) (text)
#undef ngettext
#define ngettext(one, many, n) amnesia_ngettext (one, many, n)

G_END_DECLS
