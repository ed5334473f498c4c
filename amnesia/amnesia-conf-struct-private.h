/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-conf.h"
#include "mesh/amnesia-tls-files-private.h"

G_BEGIN_DECLS

/* What the files of the configuration share with one another, and with nobody else. */

struct _AmnesiaConf
{
  GObject parent_instance;

  GPtrArray *peers;    /* (owned) (element-type Endpoint) */
  GPtrArray *allow;    /* (owned) (element-type GInetAddressMask) */
  char *group;         /* (owned) */
  char *listen_host;   /* (owned) (nullable): NULL for the own entry */
  guint listen_port;
  guint64 max_size;
  guint clock_limit;
  gboolean local;
  GTlsCertificate *tls_certificate;  /* (owned) (nullable) */
  GTlsDatabase *tls_database;        /* (owned) (nullable) */
  char **tls_names;                  /* (owned) */
  AmnesiaTlsFiles *tls_files;        /* (owned) (nullable): where both were read from */
  gboolean require_tls;
  gboolean is_frozen;  /* a store uses it: nothing above changes any more */
};

typedef struct
{
  char *host;  /* (owned) */
  guint port;
} Endpoint;

/* the properties of TLS, counted from 0: amnesia-conf-tls.c */
void amnesia_conf_install_tls_properties (GObjectClass *object_class,
                                          guint         first);
void amnesia_conf_get_tls_property       (AmnesiaConf  *self,
                                          guint         which,
                                          GValue       *value,
                                          GParamSpec   *pspec);
void amnesia_conf_set_tls_property       (AmnesiaConf  *self,
                                          guint         which,
                                          const GValue *value,
                                          GParamSpec   *pspec);
void amnesia_conf_init_tls               (AmnesiaConf  *self);
void amnesia_conf_clear_tls              (AmnesiaConf  *self);

G_END_DECLS
