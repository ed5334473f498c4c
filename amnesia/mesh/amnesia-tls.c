/* SPDX-License-Identifier: MIT */

#include "amnesia-tls-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"

#include <string.h>

/* A name in a certificate can be of any length. */
#define MAX_SHOWN 160

struct _AmnesiaTls
{
  GTlsCertificate *certificate; /* (owned) */
  GTlsDatabase    *database;    /* (owned) */
  GPtrArray       *hosts;       /* (owned) (element-type utf8) of the configuration */
  GPtrArray       *names;       /* (owned) (element-type utf8) others that are good as well */
  AmnesiaTlsFiles *files;       /* (owned) (nullable) where the first two come from */
};

AmnesiaTls *
amnesia_tls_new (GTlsCertificate *certificate,
                 GTlsDatabase    *database)
{
  AmnesiaTls *self = g_rc_box_new0 (AmnesiaTls);

  self->certificate = g_object_ref (certificate);
  self->database = g_object_ref (database);
  self->hosts = g_ptr_array_new_with_free_func (g_free);
  self->names = g_ptr_array_new_with_free_func (g_free);
  return self;
}

AmnesiaTls *
amnesia_tls_ref (AmnesiaTls *self)
{
  return g_rc_box_acquire (self);
}

static void
tls_clear (gpointer data)
{
  AmnesiaTls *self = data;

  g_object_unref (self->certificate);
  g_object_unref (self->database);
  g_ptr_array_unref (self->hosts);
  g_ptr_array_unref (self->names);
  g_clear_pointer (&self->files, amnesia_tls_files_free);
}

void
amnesia_tls_unref (AmnesiaTls *self)
{
  g_rc_box_release_full (self, tls_clear);
}

void
amnesia_tls_add_host (AmnesiaTls *self,
                      const char *host)
{
  g_ptr_array_add (self->hosts, g_strdup (host));
}

void
amnesia_tls_add_name (AmnesiaTls *self,
                      const char *name)
{
  g_ptr_array_add (self->names, g_strdup (name));
}

void
amnesia_tls_set_files (AmnesiaTls            *self,
                       const AmnesiaTlsFiles *files)
{
  self->files = amnesia_tls_files_copy (files);
}

const AmnesiaTlsFiles *
amnesia_tls_get_files (AmnesiaTls *self)
{
  return self->files;
}

GTlsCertificate *
amnesia_tls_get_certificate (AmnesiaTls *self)
{
  return self->certificate;
}

GTlsDatabase *
amnesia_tls_get_database (AmnesiaTls *self)
{
  return self->database;
}

static gboolean
lists_are_equal (GPtrArray *a,
                 GPtrArray *b)
{
  guint i;

  for (i = 0; i < a->len && a->len == b->len; i++)
    if (!g_str_equal (g_ptr_array_index (a, i), g_ptr_array_index (b, i)))
      return FALSE;
  return a->len == b->len;
}

/* What was read from the same files, and has been renewed since, is not to be older again; nor does it
 * stay where it has changed, and was read because of that. */
void
amnesia_tls_adopt (AmnesiaTls *self,
                   AmnesiaTls *before)
{
  const AmnesiaTlsFiles *a = self->files, *b = before->files;

  if (a == NULL || b == NULL || !g_str_equal (a->certificate, b->certificate) ||
      g_strcmp0 (a->private_key, b->private_key) != 0 ||
      !g_str_equal (a->authorities, b->authorities) ||
      (a->read_at > b->read_at && g_strcmp0 (a->state, b->state) != 0))
    return;
  g_set_object (&self->certificate, before->certificate);
  g_set_object (&self->database, before->database);
  amnesia_tls_files_free (self->files);
  self->files = amnesia_tls_files_copy (b);
}

/* Whether who was let in by the one would have been let in by the other. */
gboolean
amnesia_tls_is_same (AmnesiaTls *self,
                     AmnesiaTls *other)
{
  return self->database == other->database &&
         g_tls_certificate_is_same (self->certificate, other->certificate) &&
         lists_are_equal (self->hosts, other->hosts) && lists_are_equal (self->names, other->names);
}

/* Reads the files again. With an error, what was read before stays. */
gboolean
amnesia_tls_reload (AmnesiaTls  *self,
                    GError     **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GTlsDatabase) database = NULL;

  if (!amnesia_tls_files_load (self->files, &certificate, &database, error))
    return FALSE;
  g_set_object (&self->certificate, certificate);
  g_set_object (&self->database, database);
  return TRUE;
}

/* --- names --- */

static GSocketConnectable *
make_identity (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  if (address != NULL)
    return G_SOCKET_CONNECTABLE (g_inet_socket_address_new (address, 1));
  return g_network_address_new (host, 1);
}

static gboolean
bears (GTlsCertificate *certificate,
       const char      *host)
{
  g_autoptr (GSocketConnectable) identity = make_identity (host);

  return (g_tls_certificate_verify (certificate, identity, NULL) &
          G_TLS_CERTIFICATE_BAD_IDENTITY) == 0;
}

static gboolean
bears_one_of (GTlsCertificate *certificate,
              GPtrArray       *hosts)
{
  guint i;

  for (i = 0; i < hosts->len; i++)
    if (bears (certificate, g_ptr_array_index (hosts, i)))
      return TRUE;
  return FALSE;
}

static void
append_name (GString    *text,
             const char *name,
             gssize      length)
{
  g_autofree char *valid = g_utf8_make_valid (name, length);
  g_autofree char *escaped = g_strescape (valid, NULL);

  if (text->len < MAX_SHOWN)
    g_string_append_printf (text, "%s%.*s", text->len > 0 ? ", " : "", AMNESIA_LOG_TEXT, escaped);
}

static char *
list_names (GTlsCertificate *certificate)
{
  g_autoptr (GPtrArray) names = g_tls_certificate_get_dns_names (certificate);
  g_autoptr (GPtrArray) addresses = g_tls_certificate_get_ip_addresses (certificate);
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; names != NULL && i < names->len; i++)
    {
      gsize size;
      const char *name = g_bytes_get_data (g_ptr_array_index (names, i), &size);

      append_name (text, name, (gssize) size);
    }
  for (i = 0; addresses != NULL && i < addresses->len; i++)
    {
      g_autofree char *address = g_inet_address_to_string (g_ptr_array_index (addresses, i));

      append_name (text, address, -1);
    }
  return g_string_free (text, FALSE);
}

/* --- who may join --- */

static const char *
describe_flaws (GTlsCertificateFlags flaws)
{
  if (flaws & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return _("refused: its certificate is of none of the authorities of this store");
  if (flaws & G_TLS_CERTIFICATE_EXPIRED)
    return _("refused: its certificate has expired");
  if (flaws & G_TLS_CERTIFICATE_NOT_ACTIVATED)
    return _("refused: its certificate is not valid yet");
  if (flaws & G_TLS_CERTIFICATE_REVOKED)
    return _("refused: its certificate was revoked");
  if (flaws & G_TLS_CERTIFICATE_INSECURE)
    return _("refused: its certificate is signed in a way that is not secure any more");
  return _("refused: its certificate is not valid");
}

static gboolean
check_name (AmnesiaTls       *self,
            const char       *host,
            GTlsCertificate  *certificate,
            GError          **error)
{
  g_autofree char *names = NULL;

  if (host != NULL ? bears (certificate, host) : bears_one_of (certificate, self->hosts))
    return TRUE;
  if (bears_one_of (certificate, self->names))
    return TRUE;
  names = list_names (certificate);
  if (*names == '\0')
    g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                         _("refused: its certificate is for no host at all"));
  else if (host != NULL)
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                 /* Translators: the hosts of the certificate, and the one that was dialled */
                 _("refused: its certificate is for %s, not for %s"), names, host);
  else
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                 _("refused: its certificate is for %s, who is not in the configuration"), names);
  return FALSE;
}

/* Whether who shows this certificate may join. @host: (nullable) who was dialled. @flaws: what GIO found
 * when it looked who has signed it; a name that is not the one of @host is looked at here. */
gboolean
amnesia_tls_check_peer (AmnesiaTls            *self,
                        const char            *host,
                        GTlsCertificate       *certificate,
                        GTlsCertificateFlags   flaws,
                        GError               **error)
{
  if (certificate == NULL)
    g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED,
                         _("refused: it has shown no certificate"));
  else if ((flaws & ~G_TLS_CERTIFICATE_BAD_IDENTITY) != 0)
    g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_REFUSED, describe_flaws (flaws));
  else
    return check_name (self, host, certificate, error);
  return FALSE;
}

/* --- what the user should know of our own --- */

static char *
describe_end (GTlsCertificate *certificate)
{
  g_autoptr (GDateTime) end = g_tls_certificate_get_not_valid_after (certificate);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *date = NULL;
  GTimeSpan left;

  if (end == NULL)
    return NULL;
  left = g_date_time_difference (end, now);
  if (left >= AMNESIA_CERTIFICATE_WARN)
    return NULL;
  date = g_date_time_format (end, "%F %R UTC");
  if (left < 0)
    return g_strdup_printf ("The certificate of this store has expired on %s: nobody lets it in any "
                            "more", date);
  return g_strdup_printf ("The certificate of this store expires on %s: it is to be renewed", date);
}

/* What will have our own certificate refused, by the others or soon; NULL: nothing is known of. */
char *
amnesia_tls_describe_doubts (AmnesiaTls *self)
{
  GTlsCertificateFlags flaws =
    g_tls_database_verify_chain (self->database, self->certificate,
                                 G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, NULL, NULL,
                                 G_TLS_DATABASE_VERIFY_NONE, NULL, NULL);
  g_autofree char *names = NULL;

  if (flaws & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return g_strdup ("The certificate of this store is of none of its own authorities: the others may "
                     "refuse it");
  if (!bears_one_of (self->certificate, self->hosts) && !bears_one_of (self->certificate, self->names))
    {
      names = list_names (self->certificate);
      return g_strdup_printf ("The certificate of this store is for %s, who is not in its "
                              "configuration: the others may refuse it",
                              *names != '\0' ? names : "no host at all");
    }
  return describe_end (self->certificate);
}
