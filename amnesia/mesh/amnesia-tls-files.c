/* SPDX-License-Identifier: MIT */

#include "amnesia-tls-files-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-tls-rehearsal-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bundle of a whole distribution has 250 KiB. */
#define MAX_LENGTH (1024 * 1024)

#define PKCS11_SCHEME "pkcs11:"
#define PEM_KEY "PRIVATE KEY-----"

AmnesiaTlsFiles *
amnesia_tls_files_new (const char *certificate,
                       const char *private_key,
                       const char *authorities)
{
  AmnesiaTlsFiles *self = g_new0 (AmnesiaTlsFiles, 1);

  self->certificate = g_strdup (certificate);
  self->private_key = g_strdup (private_key);
  self->authorities = g_strdup (authorities);
  return self;
}

void
amnesia_tls_files_free (AmnesiaTlsFiles *self)
{
  g_free (self->certificate);
  g_free (self->private_key);
  g_free (self->authorities);
  g_free (self->state);
  g_free (self);
}

AmnesiaTlsFiles *
amnesia_tls_files_copy (const AmnesiaTlsFiles *self)
{
  AmnesiaTlsFiles *copy =
    amnesia_tls_files_new (self->certificate, self->private_key, self->authorities);

  copy->read_at = self->read_at;
  copy->state = g_strdup (self->state);
  return copy;
}

static void
append_state (GString    *state,
              const char *name)
{
  struct stat status;

  if (name == NULL || amnesia_tls_is_uri (name) || stat (name, &status) < 0)
    g_string_append (state, "none ");
  else
    g_string_append_printf (state, "%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "/%" G_GINT64_FORMAT
                            "/%" G_GINT64_FORMAT ".%ld ", (guint64) status.st_dev,
                            (guint64) status.st_ino, (gint64) status.st_size,
                            (gint64) status.st_mtim.tv_sec, (long) status.st_mtim.tv_nsec);
}

/* What tells one version of the files from another one without reading them. */
static char *
describe_state (const AmnesiaTlsFiles *self)
{
  GString *state = g_string_new (NULL);

  append_state (state, self->certificate);
  append_state (state, self->private_key);
  append_state (state, self->authorities);
  return g_string_free (state, FALSE);
}

/* Whether they are not any more what was read. */
gboolean
amnesia_tls_files_have_changed (const AmnesiaTlsFiles *self)
{
  g_autofree char *state = describe_state (self);

  return g_strcmp0 (state, self->state) != 0;
}

gboolean
amnesia_tls_is_uri (const char *name)
{
  return g_str_has_prefix (name, PKCS11_SCHEME);
}

/* Whether GIO can do it at all: that comes in a package of its own. */
gboolean
amnesia_tls_is_there (GError **error)
{
  if (g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    return TRUE;
  g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
                       _("“tls” needs the package glib-networking, which is not installed"));
  return FALSE;
}

static gboolean
fail (GError     **error,
      const char  *place,
      const char  *name,
      const char  *why)
{
  g_autofree char *shown = g_filename_display_name (name);

  /* Translators: a place in the configuration, the file that it names, and what is wrong with that */
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF, _("%s, %s: %s"), place, shown, why);
  return FALSE;
}

static gboolean
check_regular (int          fd,
               const char  *place,
               const char  *name,
               gsize       *size,
               GError     **error)
{
  struct stat status;

  if (fstat (fd, &status) < 0)
    return fail (error, place, name, g_strerror (errno));
  if (!S_ISREG (status.st_mode))
    return fail (error, place, name, _("a regular file is needed, not a folder, pipe or device"));
  if (status.st_size == 0)
    return fail (error, place, name, _("the file is empty"));
  if (status.st_size > MAX_LENGTH)
    return fail (error, place, name, _("the file is longer than 1 MiB"));
  *size = (gsize) status.st_size;
  return TRUE;
}

/* Whatever is there, nothing is waited for. */
static char *
read_all (int          fd,
          const char  *place,
          const char  *name,
          GError     **error)
{
  g_autofree char *text = NULL;
  gsize size, have = 0;
  gssize got = 1;

  if (!check_regular (fd, place, name, &size, error))
    return NULL;
  text = g_malloc (size + 1);
  while (have < size && got > 0)
    {
      got = read (fd, text + have, size - have);
      if (got < 0 && errno == EINTR)
        got = 1;
      else if (got < 0)
        {
          fail (error, place, name, g_strerror (errno));
          return NULL;
        }
      else
        have += (gsize) got;
    }
  text[have] = '\0';
  return g_steal_pointer (&text);
}

static char *
read_text (const char  *place,
           const char  *name,
           GError     **error)
{
  int fd = g_open (name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  char *text;

  if (fd < 0)
    {
      fail (error, place, name, g_strerror (errno));
      return NULL;
    }
  text = read_all (fd, place, name, error);
  close (fd);
  return text;
}

/* --- dates --- */

static gboolean
is_before (GDateTime *a,
           GDateTime *b)
{
  return a != NULL && b != NULL && g_date_time_compare (a, b) < 0;
}

static gboolean
fail_date (GError     **error,
           const char  *place,
           const char  *format,
           GDateTime   *date)
{
  g_autofree char *shown = g_date_time_format (date, "%F %R UTC");

  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF, format, place, shown);
  return FALSE;
}

static gboolean
check_dates (GTlsCertificate  *certificate,
             const char       *place,
             GError          **error)
{
  g_autoptr (GDateTime) from = g_tls_certificate_get_not_valid_before (certificate);
  g_autoptr (GDateTime) until = g_tls_certificate_get_not_valid_after (certificate);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  if (is_before (until, now))
    return fail_date (error, place, _("%s: the certificate has expired on %s"), until);
  if (is_before (now, from))
    return fail_date (error, place, _("%s: the certificate is not valid before %s"), from);
  return TRUE;
}

/* Whether @certificate is good today, and has the key that belongs to it. */
gboolean
amnesia_tls_check (GTlsCertificate  *certificate,
                   const char       *place,
                   GError          **error)
{
  g_autoptr (GError) why = NULL;

  if (!amnesia_tls_is_there (error) || !check_dates (certificate, place, error))
    return FALSE;
  if (amnesia_tls_rehearse (certificate, &why))
    return TRUE;
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
               _("%s: the certificate and its private key do not fit: %s"), place, why->message);
  return FALSE;
}

/* --- a certificate and its key --- */

static GTlsCertificate *
load_token (const AmnesiaTlsFiles  *self,
            GError                **error)
{
  g_autoptr (GError) why = NULL;
  GTlsCertificate *certificate;

  if (!amnesia_tls_is_uri (self->certificate) ||
      (self->private_key != NULL && !amnesia_tls_is_uri (self->private_key)))
    {
      fail (error, "tls.private-key", self->private_key,
            _("certificate and key have to be both in files, or both on a token"));
      return NULL;
    }
  certificate = g_tls_certificate_new_from_pkcs11_uris (self->certificate, self->private_key, &why);
  if (certificate == NULL)
    fail (error, "tls.certificate", self->certificate, why->message);
  return certificate;
}

static gboolean
check_has_key (const AmnesiaTlsFiles  *self,
               const char             *text,
               GError                **error)
{
  if (strstr (text, PEM_KEY) != NULL)
    return TRUE;
  if (self->private_key == NULL)
    return fail (error, "tls.certificate", self->certificate,
                 _("the file has no private key, and there is no “private-key”"));
  return fail (error, "tls.private-key", self->private_key, _("the file has no private key"));
}

/* The parser takes both from one text, whatever comes first. */
static GTlsCertificate *
load_pem (const AmnesiaTlsFiles  *self,
          GError                **error)
{
  g_autofree char *certificate = read_text ("tls.certificate", self->certificate, error);
  g_autofree char *key = NULL, *both = NULL;
  g_autoptr (GError) why = NULL;
  GTlsCertificate *parsed;

  if (certificate == NULL)
    return NULL;
  if (strstr (certificate, "-----BEGIN CERTIFICATE-----") == NULL)
    {
      fail (error, "tls.certificate", self->certificate, _("the file has no certificate as PEM"));
      return NULL;
    }
  if (self->private_key != NULL)
    key = read_text ("tls.private-key", self->private_key, error);
  if ((self->private_key != NULL && key == NULL) ||
      !check_has_key (self, key != NULL ? key : certificate, error))
    return NULL;
  both = g_strconcat (key != NULL ? key : "", "\n", certificate, NULL);
  parsed = g_tls_certificate_new_from_pem (both, -1, &why);
  if (parsed == NULL)
    fail (error, "tls.certificate", self->certificate, why->message);
  return parsed;
}

static GTlsCertificate *
load_certificate (const AmnesiaTlsFiles  *self,
                  GError                **error)
{
  if (amnesia_tls_is_uri (self->certificate) ||
      (self->private_key != NULL && amnesia_tls_is_uri (self->private_key)))
    return load_token (self, error);
  return load_pem (self, error);
}

/* --- the authorities --- */

/* A data base with nothing in it is one as well: it would refuse everybody. */
static gboolean
check_bundle (const AmnesiaTlsFiles  *self,
              const char             *copy,
              GError                **error)
{
  g_autolist (GTlsCertificate) list = NULL;
  g_autoptr (GError) why = NULL;

  list = g_tls_certificate_list_new_from_file (copy, &why);
  if (why != NULL)
    return fail (error, "tls.authorities", self->authorities, why->message);
  if (list == NULL)
    return fail (error, "tls.authorities", self->authorities,
                 _("the file has no certificate as PEM"));
  return TRUE;
}

typedef struct
{
  int fd;
} Copy;

static void
copy_free (gpointer data)
{
  Copy *copy = data;

  close (copy->fd);
  g_free (copy);
}

/* GIO's file of authorities is read again for each connection, and with one that has become wrong
 * there would be none; so it gets a copy, which nobody changes. NULL: there can be none. */
static Copy *
make_copy (const char *text)
{
  gsize length = strlen (text);
  int fd = memfd_create ("amnesia-authorities", MFD_CLOEXEC);
  Copy *copy;

  if (fd < 0)
    return NULL;
  copy = g_new (Copy, 1);
  copy->fd = fd;
  if (write (fd, text, length) == (gssize) length)
    return copy;
  copy_free (copy);
  return NULL;
}

static char *
name_copy (const AmnesiaTlsFiles *self,
           Copy                  *copy)
{
  g_autofree char *name = copy != NULL ? g_strdup_printf ("/proc/self/fd/%d", copy->fd) : NULL;

  if (name != NULL && g_access (name, R_OK) == 0)
    return g_steal_pointer (&name);
  return g_strdup (self->authorities);
}

static GTlsDatabase *
load_database (const AmnesiaTlsFiles  *self,
               GError                **error)
{
  g_autofree char *text = read_text ("tls.authorities", self->authorities, error);
  g_autofree char *name = NULL;
  g_autoptr (GError) why = NULL;
  GTlsDatabase *database = NULL;
  Copy *copy;

  if (text == NULL)
    return NULL;
  copy = make_copy (text);
  name = name_copy (self, copy);
  if (check_bundle (self, name, error))
    {
      database = g_tls_file_database_new (name, &why);
      if (database == NULL)
        fail (error, "tls.authorities", self->authorities, why->message);
    }
  if (database != NULL && copy != NULL)
    g_object_set_data_full (G_OBJECT (database), "amnesia-copy", copy, copy_free);
  else if (copy != NULL)
    copy_free (copy);
  return database;
}

/* Reads both, and checks what can be checked without a peer. */
gboolean
amnesia_tls_files_load (AmnesiaTlsFiles  *self,
                        GTlsCertificate **certificate,
                        GTlsDatabase    **database,
                        GError          **error)
{
  /* before: what changes while they are read will not be missed */
  g_autofree char *state = describe_state (self);
  g_autoptr (GTlsCertificate) ours = NULL;
  g_autoptr (GTlsDatabase) theirs = NULL;
  g_autofree char *place = NULL;

  if (!amnesia_tls_is_there (error))
    return FALSE;
  ours = load_certificate (self, error);
  if (ours == NULL)
    return FALSE;
  place = g_strdup_printf ("tls.certificate, %s", self->certificate);
  if (!amnesia_tls_check (ours, place, error))
    return FALSE;
  theirs = load_database (self, error);
  if (theirs == NULL)
    return FALSE;
  g_free (self->state);
  self->state = g_steal_pointer (&state);
  self->read_at = g_get_monotonic_time ();
  *certificate = g_steal_pointer (&ours);
  *database = (GTlsDatabase *) g_steal_pointer (&theirs);
  return TRUE;
}
