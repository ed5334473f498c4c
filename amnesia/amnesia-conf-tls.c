/* SPDX-License-Identifier: MIT */

#include "amnesia-conf-private.h"
#include "amnesia-conf-struct-private.h"
#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-host-private.h"
#include "amnesia-json-document-private.h"

#include <string.h>

#define MAX_NAMES 256

typedef enum
{
  PROP_TLS_CERTIFICATE,
  PROP_TLS_DATABASE,
  PROP_TLS_NAMES,
  PROP_REQUIRE_TLS,
} AmnesiaConfTlsProperty;

static GParamSpec *properties[PROP_REQUIRE_TLS + 1];

void
amnesia_conf_init_tls (AmnesiaConf *self)
{
  self->tls_names = g_new0 (char *, 1);
}

void
amnesia_conf_clear_tls (AmnesiaConf *self)
{
  g_clear_object (&self->tls_certificate);
  g_clear_object (&self->tls_database);
  g_clear_pointer (&self->tls_names, g_strfreev);
  g_clear_pointer (&self->tls_files, amnesia_tls_files_free);
}

void
amnesia_conf_get_tls_property (AmnesiaConf *self,
                               guint        which,
                               GValue      *value,
                               GParamSpec  *pspec)
{
  switch ((AmnesiaConfTlsProperty) which)
    {
    case PROP_TLS_CERTIFICATE:
      g_value_set_object (value, self->tls_certificate);
      break;
    case PROP_TLS_DATABASE:
      g_value_set_object (value, self->tls_database);
      break;
    case PROP_TLS_NAMES:
      g_value_set_boxed (value, self->tls_names);
      break;
    case PROP_REQUIRE_TLS:
      g_value_set_boolean (value, self->require_tls);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (self, which, pspec);
    }
}

void
amnesia_conf_set_tls_property (AmnesiaConf  *self,
                               guint         which,
                               const GValue *value,
                               GParamSpec   *pspec)
{
  switch ((AmnesiaConfTlsProperty) which)
    {
    case PROP_TLS_CERTIFICATE:
      amnesia_conf_set_tls_certificate (self, g_value_get_object (value));
      break;
    case PROP_TLS_DATABASE:
      amnesia_conf_set_tls_database (self, g_value_get_object (value));
      break;
    case PROP_TLS_NAMES:
      amnesia_conf_set_tls_names (self, g_value_get_boxed (value));
      break;
    case PROP_REQUIRE_TLS:
      amnesia_conf_set_require_tls (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (self, which, pspec);
    }
}

void
amnesia_conf_install_tls_properties (GObjectClass *object_class,
                                     guint         first)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  /**
   * AmnesiaConf:tls-certificate: (getter get_tls_certificate) (setter set_tls_certificate)
   *
   * The certificate of this member, with its private key, which the others get to see. With it and
   * [property@Amnesia.Conf:tls-database] every connection by TCP is one by TLS, whoever began it,
   * and no other is made or taken.
   *
   * Whether it has its key and is valid is looked at when the store opens.
   *
   * Since: 0.1
   */
  properties[PROP_TLS_CERTIFICATE] = g_param_spec_object ("tls-certificate", NULL, NULL,
                                                          G_TYPE_TLS_CERTIFICATE, flags);

  /**
   * AmnesiaConf:tls-database: (getter get_tls_database) (setter set_tls_database)
   *
   * The authorities that vouch for the others: only who has a certificate of theirs, with the name
   * of one of the peers or one of [property@Amnesia.Conf:tls-names], is connected to. Most often
   * this is a [iface@Gio.TlsFileDatabase].
   *
   * Since: 0.1
   */
  properties[PROP_TLS_DATABASE] = g_param_spec_object ("tls-database", NULL, NULL,
                                                       G_TYPE_TLS_DATABASE, flags);

  /**
   * AmnesiaConf:tls-names: (getter get_tls_names) (setter set_tls_names)
   *
   * What the certificates of the others may bear for a name, besides the hosts of the peers: those
   * of guests, or one name that all have.
   *
   * Since: 0.1
   */
  properties[PROP_TLS_NAMES] = g_param_spec_boxed ("tls-names", NULL, NULL, G_TYPE_STRV, flags);

  /**
   * AmnesiaConf:require-tls: (getter get_require_tls) (setter set_require_tls)
   *
   * Whether a configuration without a certificate is refused that has anybody on another machine.
   *
   * Since: 0.1
   */
  properties[PROP_REQUIRE_TLS] = g_param_spec_boolean ("require-tls", NULL, NULL, FALSE, flags);

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    g_object_class_install_property (object_class, first + i, properties[i]);
}

static void
notify (AmnesiaConf            *self,
        AmnesiaConfTlsProperty  which)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[which]);
}

/* --- for the store and the reader --- */

/* Where certificate and authorities were read from; NULL if they were set as objects. */
const AmnesiaTlsFiles *
amnesia_conf_get_tls_paths (AmnesiaConf *self)
{
  return self->tls_files;
}

static char *
canonicalize_name (const char  *name,
                   guint        position,
                   GError     **error)
{
  const char *fault;
  char *canonical = amnesia_host_canonicalize (name, &fault);
  g_autofree char *shown = NULL;

  if (canonical != NULL)
    return canonical;
  shown = amnesia_json_quote (name);
  /* Translators: what is there, and a sentence on what should be */
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF, _("tls.names[%u] is %s: %s"),
               position, shown, fault);
  return NULL;
}

gboolean
amnesia_conf_append_tls_name (AmnesiaConf  *self,
                              const char   *name,
                              GError      **error)
{
  guint n = g_strv_length (self->tls_names);
  char *canonical;

  if (n == MAX_NAMES)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
                   ngettext ("tls.names[%u] is one too many: at most %d name is possible",
                             "tls.names[%u] is one too many: at most %d names are possible",
                             MAX_NAMES), n, MAX_NAMES);
      return FALSE;
    }
  canonical = canonicalize_name (name, n, error);
  if (canonical == NULL)
    return FALSE;
  self->tls_names = g_renew (char *, self->tls_names, n + 2);
  self->tls_names[n] = canonical;
  self->tls_names[n + 1] = NULL;
  return TRUE;
}

static gboolean
is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return address != NULL ? g_inet_address_get_is_loopback (address)
                         : g_str_equal (host, "localhost");
}

static const char *
find_abroad (AmnesiaConf *self)
{
  for (guint i = 0; i < self->peers->len; i++)
    {
      const Endpoint *peer = g_ptr_array_index (self->peers, i);

      if (!is_loopback (peer->host))
        return peer->host;
    }
  return self->listen_host != NULL && !is_loopback (self->listen_host) ? self->listen_host : NULL;
}

/* Whether a store can be opened with this: not half of what TLS needs, and not none of it where it
 * is required. */
gboolean
amnesia_conf_check_tls (AmnesiaConf  *self,
                        GError      **error)
{
  const char *abroad = find_abroad (self);

  if ((self->tls_certificate != NULL) != (self->tls_database != NULL))
    /* Translators: two names of properties */
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF, _("%s is set, but not %s"),
                 self->tls_certificate != NULL ? "tls-certificate" : "tls-database",
                 self->tls_certificate != NULL ? "tls-database" : "tls-certificate");
  else if (self->require_tls && self->tls_certificate == NULL && abroad != NULL)
    g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
                 /* Translators: what is quoted are names in the configuration, the last one a host */
                 _("“require-tls” is set, but there is no “tls”, and “%s” is not on this machine "
                   "only"), abroad);
  else
    /* what came from files was looked at when it was read */
    return self->tls_certificate == NULL || self->tls_files != NULL ||
           amnesia_tls_check (self->tls_certificate, "tls-certificate", error);
  return FALSE;
}

/* --- for all --- */

/**
 * amnesia_conf_set_tls_files:
 * @self: a configuration
 * @certificate: (type filename): a file with the certificate of this member as PEM, and those
 *   between it and the authority, or a `pkcs11:` URI
 * @private_key: (type filename) (nullable): a file with its private key as PEM, without a password,
 *   or a `pkcs11:` URI; `NULL` if it is where the certificate is
 * @authorities: (type filename): a file with the certificates as PEM of those who vouch for the others
 * @error: return location for an error, or `NULL`
 *
 * Has all connections by TCP be by TLS, with a certificate that is read from files.
 *
 * This sets [property@Amnesia.Conf:tls-certificate] and [property@Amnesia.Conf:tls-database]. The
 * files are read now, and again whenever they change while a store uses them: new connections use
 * what is new, those that are there stay. Files that have become wrong change nothing.
 *
 * A file that is missing, empty, longer than 1 MiB or no PEM, a certificate that has expired, is
 * not yet valid or does not fit the key, and a GLib that has no TLS, for want of the package
 * glib-networking, are errors of code [error@Amnesia.Error.INVALID_CONF]; the configuration then
 * stays as it was. Calling this after the configuration was given to a store is a programmer error.
 *
 * Returns: whether the files are what they should be
 *
 * Since: 0.1
 */
gboolean
amnesia_conf_set_tls_files (AmnesiaConf  *self,
                            const char   *certificate,
                            const char   *private_key,
                            const char   *authorities,
                            GError      **error)
{
  g_autoptr (AmnesiaTlsFiles) files = NULL;
  g_autoptr (GTlsCertificate) ours = NULL;
  g_autoptr (GTlsDatabase) theirs = NULL;

  g_return_val_if_fail (AMNESIA_IS_CONF (self), FALSE);
  g_return_val_if_fail (!self->is_frozen, FALSE);
  g_return_val_if_fail (certificate != NULL && authorities != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  files = amnesia_tls_files_new (certificate, private_key, authorities);
  if (!amnesia_tls_files_load (files, &ours, &theirs, error))
    return FALSE;
  amnesia_conf_set_tls_certificate (self, ours);
  amnesia_conf_set_tls_database (self, theirs);
  self->tls_files = g_steal_pointer (&files);
  return TRUE;
}

/**
 * amnesia_conf_get_tls_certificate: (get-property tls-certificate)
 * @self: a configuration
 *
 * Gets the certificate of this member.
 *
 * Returns: (transfer none) (nullable): the certificate, or `NULL` if there is none
 *
 * Since: 0.1
 */
GTlsCertificate *
amnesia_conf_get_tls_certificate (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), NULL);

  return self->tls_certificate;
}

/**
 * amnesia_conf_set_tls_certificate: (set-property tls-certificate)
 * @self: a configuration
 * @certificate: (nullable): a certificate with its private key
 *
 * Sets the certificate of this member.
 *
 * Calling this after the configuration was given to a store is a programmer error.
 *
 * Since: 0.1
 */
void
amnesia_conf_set_tls_certificate (AmnesiaConf     *self,
                                  GTlsCertificate *certificate)
{
  g_return_if_fail (AMNESIA_IS_CONF (self));
  g_return_if_fail (!self->is_frozen);
  g_return_if_fail (certificate == NULL || G_IS_TLS_CERTIFICATE (certificate));

  g_clear_pointer (&self->tls_files, amnesia_tls_files_free);
  if (g_set_object (&self->tls_certificate, certificate))
    notify (self, PROP_TLS_CERTIFICATE);
}

/**
 * amnesia_conf_get_tls_database: (get-property tls-database)
 * @self: a configuration
 *
 * Gets the authorities that vouch for the others.
 *
 * Returns: (transfer none) (nullable): the authorities, or `NULL` if there are none
 *
 * Since: 0.1
 */
GTlsDatabase *
amnesia_conf_get_tls_database (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), NULL);

  return self->tls_database;
}

/**
 * amnesia_conf_set_tls_database: (set-property tls-database)
 * @self: a configuration
 * @database: (nullable): the authorities that vouch for the others
 *
 * Sets the authorities that vouch for the others.
 *
 * Calling this after the configuration was given to a store is a programmer error.
 *
 * Since: 0.1
 */
void
amnesia_conf_set_tls_database (AmnesiaConf  *self,
                               GTlsDatabase *database)
{
  g_return_if_fail (AMNESIA_IS_CONF (self));
  g_return_if_fail (!self->is_frozen);
  g_return_if_fail (database == NULL || G_IS_TLS_DATABASE (database));

  g_clear_pointer (&self->tls_files, amnesia_tls_files_free);
  if (g_set_object (&self->tls_database, database))
    notify (self, PROP_TLS_DATABASE);
}

/**
 * amnesia_conf_get_tls_names: (get-property tls-names)
 * @self: a configuration
 *
 * Gets what the certificates of the others may bear for a name, besides the hosts of the peers.
 *
 * Returns: (transfer none) (array zero-terminated=1): the names, of which there may be none
 *
 * Since: 0.1
 */
const char *const *
amnesia_conf_get_tls_names (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), NULL);

  return (const char *const *) self->tls_names;
}

/**
 * amnesia_conf_set_tls_names: (set-property tls-names)
 * @self: a configuration
 * @names: (nullable) (array zero-terminated=1): host names and addresses, at most 256
 *
 * Sets what the certificates of the others may bear for a name, besides the hosts of the peers.
 *
 * A name has to be a host as [method@Amnesia.Conf.add_peer] takes it. Anything else, and calling
 * this after the configuration was given to a store, is a programmer error.
 *
 * Since: 0.1
 */
void
amnesia_conf_set_tls_names (AmnesiaConf        *self,
                            const char *const *names)
{
  g_auto (GStrv) before = NULL;

  g_return_if_fail (AMNESIA_IS_CONF (self));
  g_return_if_fail (!self->is_frozen);

  before = g_steal_pointer (&self->tls_names);
  self->tls_names = g_new0 (char *, 1);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!amnesia_conf_append_tls_name (self, names[i], &error))
        g_critical ("%s", error->message);
    }
  if (!g_strv_equal ((const char *const *) before, (const char *const *) self->tls_names))
    notify (self, PROP_TLS_NAMES);
}

/**
 * amnesia_conf_get_require_tls: (get-property require-tls)
 * @self: a configuration
 *
 * Gets whether a configuration without a certificate is refused that has anybody on another machine.
 *
 * Returns: whether it is
 *
 * Since: 0.1
 */
gboolean
amnesia_conf_get_require_tls (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), FALSE);

  return self->require_tls;
}

/**
 * amnesia_conf_set_require_tls: (set-property require-tls)
 * @self: a configuration
 * @require_tls: whether it is
 *
 * Sets whether a configuration without a certificate is refused that has anybody on another machine.
 *
 * It is refused when it is read from JSON, with code [error@Amnesia.Error.INVALID_CONF], or when a
 * store is opened with it. Calling this after the configuration was given to a store is a
 * programmer error.
 *
 * Since: 0.1
 */
void
amnesia_conf_set_require_tls (AmnesiaConf *self,
                              gboolean     require_tls)
{
  g_return_if_fail (AMNESIA_IS_CONF (self));
  g_return_if_fail (!self->is_frozen);

  require_tls = require_tls != FALSE;
  if (require_tls == self->require_tls)
    return;
  self->require_tls = require_tls;
  notify (self, PROP_REQUIRE_TLS);
}
