/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-tls-files-private.h"

G_BEGIN_DECLS

/* What both sides of a connection by TLS show, and what they want to see: the certificate, those who
 * vouch for others, and the names that a certificate may bear. Counted; of one main context. */
typedef struct _AmnesiaTls AmnesiaTls;

AmnesiaTls      *amnesia_tls_new             (GTlsCertificate        *certificate,
                                              GTlsDatabase           *database);
AmnesiaTls      *amnesia_tls_ref             (AmnesiaTls             *self);
void             amnesia_tls_unref           (AmnesiaTls             *self);
void             amnesia_tls_add_host        (AmnesiaTls             *self,
                                              const char             *host);
void             amnesia_tls_add_name        (AmnesiaTls             *self,
                                              const char             *name);
void             amnesia_tls_set_files       (AmnesiaTls             *self,
                                              const AmnesiaTlsFiles  *files);
void             amnesia_tls_adopt           (AmnesiaTls             *self,
                                              AmnesiaTls             *before);
gboolean         amnesia_tls_is_same         (AmnesiaTls             *self,
                                              AmnesiaTls             *other);

const AmnesiaTlsFiles *amnesia_tls_get_files (AmnesiaTls             *self);
GTlsCertificate *amnesia_tls_get_certificate (AmnesiaTls             *self);
GTlsDatabase    *amnesia_tls_get_database    (AmnesiaTls             *self);

gboolean         amnesia_tls_reload          (AmnesiaTls             *self,
                                              GError                **error);
char            *amnesia_tls_describe_doubts (AmnesiaTls             *self);
gboolean         amnesia_tls_check_peer      (AmnesiaTls             *self,
                                              const char             *host,
                                              GTlsCertificate        *certificate,
                                              GTlsCertificateFlags    flaws,
                                              GError                **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmnesiaTls, amnesia_tls_unref)

G_END_DECLS
