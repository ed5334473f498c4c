/* SPDX-License-Identifier: MIT */

/* The messages of the library in the user's language. An error of a configuration can come before
 * there is a store, so each message sees to it that they are found. */

#include "amnesia-gettext-private.h"

/* No catalogue has this name, so it tells where those are that nobody has bound. */
#define UNBOUND GETTEXT_PACKAGE "-unbound"

/* A program that carries the library along may have said where its messages are: it knows better. */
static gboolean
is_bound (void)
{
  g_autofree char *folder = g_strdup (bindtextdomain (GETTEXT_PACKAGE, NULL));

  return g_strcmp0 (folder, bindtextdomain (UNBOUND, NULL)) != 0;
}

/* The domain that is bound is the library's own: that of the program stays what it is. */
static void
ensure_bound (void)
{
  static gsize bound = 0;

  if (!g_once_init_enter (&bound))
    return;
  if (!is_bound ())
    bindtextdomain (GETTEXT_PACKAGE, LOCALE_DIR);
  /* messages are UTF-8, whatever the terminal shows */
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  g_once_init_leave (&bound, 1);
}

/* As GLib does it: a program that has its own messages, but none in this language, is not answered in
 * two of them. */
const char *
amnesia_gettext (const char *text)
{
  ensure_bound ();
  return g_dgettext (GETTEXT_PACKAGE, text);
}

/* Where a long has 32 bits, the last digits still decide which form it is. */
static gulong
fold (guint64 n)
{
  return (gulong) (n <= 1000000 ? n : 1000000 + n % 1000000);
}

const char *
amnesia_ngettext (const char *one,
                  const char *many,
                  guint64     n)
{
  ensure_bound ();
  return g_dngettext (GETTEXT_PACKAGE, one, many, fold (n));
}
