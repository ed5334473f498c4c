/* SPDX-License-Identifier: MIT */

#include "amnesia-error-private.h"

#include "amnesia-gettext-private.h"

/* An error that a peer is told of is in our user's language and in English: over the wire everything
 * is in English, as nobody knows what the user of the other side reads. GLib has room for that before
 * the error. */
typedef struct
{
  char *english; /* (owned) (nullable) */
} Private;

/* How far from the error, as G_DEFINE_EXTENDED_ERROR does it, which would give the domain another name. */
#define ALIGNMENT (2 * sizeof (gsize))
#define DISTANCE ((sizeof (Private) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

static Private *
get_private (const GError *error)
{
  return (Private *) ((guint8 *) error - DISTANCE);
}

static void
init_error (GError *error)
{
  get_private (error)->english = NULL;
}

static void
copy_error (const GError *error,
            GError       *copy)
{
  get_private (copy)->english = g_strdup (get_private (error)->english);
}

static void
clear_error (GError *error)
{
  g_free (get_private (error)->english);
}

/**
 * amnesia_error_quark:
 *
 * Gets the quark of the error domain; use `AMNESIA_ERROR` instead.
 *
 * Returns: the quark
 *
 * Since: 0.1
 */
GQuark
amnesia_error_quark (void)
{
  static gsize quark = 0;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark, g_error_domain_register_static ("amnesia-error-quark", sizeof (Private),
                                                               init_error, copy_error, clear_error));
  return (GQuark) quark;
}

static void
set_both (GError      **error,
          AmnesiaError  code,
          const char   *english,
          const char   *translated,
          va_list       args)
{
  va_list again;

  if (error == NULL)
    return;
  va_copy (again, args);
  *error = g_error_new_valist (AMNESIA_ERROR, code, translated, args);
  get_private (*error)->english = g_strdup_vprintf (english, again);
  va_end (again);
}

/* Like g_set_error(), with a @format that is not yet translated, for what a peer may be told. */
void
amnesia_set_error (GError      **error,
                   AmnesiaError  code,
                   const char   *format,
                   ...)
{
  va_list args;

  va_start (args, format);
  set_both (error, code, format, amnesia_gettext (format), args);
  va_end (args);
}

/* The same with another format where there are not @n of them, but one. */
void
amnesia_set_error_plural (GError      **error,
                          AmnesiaError  code,
                          const char   *one,
                          const char   *many,
                          guint64       n,
                          ...)
{
  va_list args;

  va_start (args, n);
  set_both (error, code, n == 1 ? one : many, amnesia_ngettext (one, many, n), args);
  va_end (args);
}

/* What a peer may be told of @error. */
const char *
amnesia_error_get_english (const GError *error)
{
  if (error->domain != AMNESIA_ERROR)
    return "something failed";
  return get_private (error)->english != NULL ? get_private (error)->english : error->message;
}
