/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-tls-private.h"

G_BEGIN_DECLS

/* Keeps a certificate up to date: reads its files again when they change, and tells when it is about
 * to expire. */
typedef struct _AmnesiaRenewal AmnesiaRenewal;

typedef void (*AmnesiaRenewalFunc) (const char *message,
                                    gpointer    user_data);

AmnesiaRenewal *amnesia_renewal_new  (GMainContext       *context,
                                      AmnesiaTls         *tls,
                                      AmnesiaRenewalFunc  log,
                                      gpointer            user_data);
void            amnesia_renewal_free (AmnesiaRenewal     *self);

G_END_DECLS
