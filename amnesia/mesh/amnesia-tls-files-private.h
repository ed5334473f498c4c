/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where a certificate and those who vouch for others are read from: names of files, absolute, or
 * URIs of PKCS #11. */
typedef struct
{
  char *certificate; /* (owned) */
  char *private_key; /* (owned) (nullable) NULL: where the certificate is */
  char *authorities; /* (owned) never a URI */

  gint64 read_at;    /* when; 0: not yet */
  char  *state;      /* (owned) (nullable) what the file system had of them then */
} AmnesiaTlsFiles;

AmnesiaTlsFiles *amnesia_tls_files_new  (const char             *certificate,
                                         const char             *private_key,
                                         const char             *authorities);
void             amnesia_tls_files_free (AmnesiaTlsFiles        *self);
AmnesiaTlsFiles *amnesia_tls_files_copy (const AmnesiaTlsFiles  *self);
gboolean         amnesia_tls_files_have_changed (const AmnesiaTlsFiles *self);
gboolean         amnesia_tls_files_load (AmnesiaTlsFiles        *self,
                                         GTlsCertificate       **certificate,
                                         GTlsDatabase          **database,
                                         GError                **error);

gboolean         amnesia_tls_is_uri        (const char          *name);
gboolean         amnesia_tls_is_there      (GError             **error);
gboolean         amnesia_tls_check         (GTlsCertificate     *certificate,
                                            const char          *place,
                                            GError             **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaTlsFiles, amnesia_tls_files_free)

G_END_DECLS
