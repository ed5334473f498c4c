/* SPDX-License-Identifier: MIT */

#include "amnesia-conf.h"

#include "amnesia-conf-private.h"
#include "amnesia-conf-reader-private.h"
#include "amnesia-conf-struct-private.h"
#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-host-private.h"
#include "amnesia-json-document-private.h"

#include <string.h>

#define MAX_PEERS 256
#define MAX_ALLOW 64
#define DEFAULT_MAX_SIZE (G_GUINT64_CONSTANT (16) << 20)
#define DEFAULT_CLOCK_LIMIT (24 * 60 * 60)

typedef enum
{
  PROP_GROUP = 1,
  PROP_MAX_SIZE,
  PROP_CLOCK_LIMIT,
  PROP_LOCAL,
  N_OWN_PROPERTIES, /* those of TLS follow */
} AmnesiaConfProperty;

static GParamSpec *properties[N_OWN_PROPERTIES];

/**
 * AmnesiaConf:
 *
 * Who shares, and within what limits.
 *
 * The configuration is the same for all who share: a list of hosts and ports. Which of them a
 * process is, it finds out by itself. It can be read from a file or a JSON text:
 *
 * ```json
 * [
 *   { "host": "10.0.1.2", "port": 7777 },
 *   { "host": "server.example.org", "port": 7777 }
 * ]
 * ```
 *
 * or, with everything that can be said (all but `peers` may be left out):
 *
 * ```json
 * {
 *   "peers": [
 *     { "host": "10.0.1.2", "port": 7777 },
 *     { "host": "fd00::3", "port": 7777 }
 *   ],
 *   "group": "kitchen",
 *   "allow": ["10.0.1.0/24", "fd00::/64"],
 *   "max-size": 16777216,
 *   "clock-limit": 86400,
 *   "local": true,
 *   "listen": { "host": "0.0.0.0", "port": 7777 },
 *   "tls": {
 *     "certificate": "this-host.pem",
 *     "private-key": "this-host.key",
 *     "authorities": "authority.pem",
 *     "names": ["laptop"]
 *   },
 *   "require-tls": true
 * }
 * ```
 *
 * The text is at most 64 KiB. It has to be JSON as RFC 8259 has it, without comments; members that
 * are not known are an error. It can also be built in code:
 *
 * ```c
 * g_autoptr(AmnesiaConf) conf = amnesia_conf_new ();
 *
 * if (!amnesia_conf_add_peer (conf, "10.0.1.2", 7777, &error)
 *     || !amnesia_conf_add_peer (conf, "10.0.1.3", 7777, &error))
 *   return FALSE;
 * amnesia_store_set_conf (store, conf);
 * ```
 *
 * A configuration that was given to a store does not change any more: make a new one instead. From
 * then on it may be read from any thread, before only from the one that fills it.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (AmnesiaConf, amnesia_conf, G_TYPE_OBJECT)

static void
endpoint_free (gpointer data)
{
  Endpoint *endpoint = data;

  g_free (endpoint->host);
  g_free (endpoint);
}

static gboolean
fail_text (GError     **error,
           const char  *place,
           const char  *text,
           const char  *needed)
{
  g_autofree char *shown = amnesia_json_quote (text);

  /* Translators: a place in the configuration, what is there, and a sentence on what should be:
   * “peers[0].host is "": a host name or an address is needed” */
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF, _("%s is %s: %s"), place, shown,
               needed);
  return FALSE;
}

static gboolean
check_port (const char  *place,
            guint        port,
            GError     **error)
{
  if (port >= 1 && port <= G_MAXUINT16)
    return TRUE;
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
               /* Translators: a place in the configuration: “peers[0].port is 0” */
               _("%s.port is %u: a whole number from 1 to 65535 is needed"), place, port);
  return FALSE;
}

/* Where in the list this host and port are already, or -1. */
static int
find_peer (AmnesiaConf *self,
           const char  *host,
           guint        port)
{
  for (guint i = 0; i < self->peers->len; i++)
    {
      const Endpoint *peer = g_ptr_array_index (self->peers, i);

      if (peer->port == port && g_str_equal (peer->host, host))
        return i;
    }
  return -1;
}

static gboolean
check_new_peer (AmnesiaConf  *self,
                const char   *list,
                const char   *host,
                guint         port,
                GError      **error)
{
  int same = find_peer (self, host, port);

  if (same < 0)
    return TRUE;
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
               /* Translators: “peers[2] is host "::1" and port 7701, as peers[0] is” */
               _("%s[%u] is host \"%s\" and port %u, as %s[%d] is: each is needed once"),
               list, self->peers->len, host, port, list, same);
  return FALSE;
}

gboolean
amnesia_conf_append_peer (AmnesiaConf  *self,
                          const char   *list,
                          const char   *host,
                          guint         port,
                          GError      **error)
{
  g_autofree char *place = g_strdup_printf ("%s[%u]", list, self->peers->len);
  g_autofree char *host_place = g_strconcat (place, ".host", NULL);
  g_autofree char *canonical = NULL;
  const char *fault;
  Endpoint *peer;

  if (self->peers->len == MAX_PEERS)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
                   /* Translators: a place in the configuration: “peers[256] is one too many” */
                   ngettext ("%s is one too many: at most %d entry is possible",
                             "%s is one too many: at most %d entries are possible", MAX_PEERS),
                   place, MAX_PEERS);
      return FALSE;
    }
  canonical = amnesia_host_canonicalize (host, &fault);
  if (canonical == NULL)
    return fail_text (error, host_place, host, fault);
  if (!check_port (place, port, error) || !check_new_peer (self, list, canonical, port, error))
    return FALSE;

  peer = g_new (Endpoint, 1);
  *peer = (Endpoint) { g_steal_pointer (&canonical), port };
  g_ptr_array_add (self->peers, peer);
  return TRUE;
}

GPtrArray *
amnesia_conf_get_allow (AmnesiaConf *self)
{
  return self->allow;
}

gboolean
amnesia_conf_get_listen (AmnesiaConf  *self,
                         const char  **host,
                         guint        *port)
{
  *host = self->listen_host;
  *port = self->listen_port;
  return self->listen_host != NULL;
}

void
amnesia_conf_freeze (AmnesiaConf *self)
{
  self->is_frozen = TRUE;
}

static void
amnesia_conf_get_property (GObject    *object,
                           guint       id,
                           GValue     *value,
                           GParamSpec *pspec)
{
  AmnesiaConf *self = AMNESIA_CONF (object);

  switch (id)
    {
    case PROP_GROUP:
      g_value_set_string (value, self->group);
      break;
    case PROP_MAX_SIZE:
      g_value_set_uint64 (value, self->max_size);
      break;
    case PROP_CLOCK_LIMIT:
      g_value_set_uint (value, self->clock_limit);
      break;
    case PROP_LOCAL:
      g_value_set_boolean (value, self->local);
      break;
    default:
      amnesia_conf_get_tls_property (self, id - N_OWN_PROPERTIES, value, pspec);
    }
}

static void
amnesia_conf_set_property (GObject      *object,
                           guint         id,
                           const GValue *value,
                           GParamSpec   *pspec)
{
  AmnesiaConf *self = AMNESIA_CONF (object);

  switch (id)
    {
    case PROP_GROUP:
      amnesia_conf_set_group (self, g_value_get_string (value));
      break;
    case PROP_MAX_SIZE:
      amnesia_conf_set_max_size (self, g_value_get_uint64 (value));
      break;
    case PROP_CLOCK_LIMIT:
      amnesia_conf_set_clock_limit (self, g_value_get_uint (value));
      break;
    case PROP_LOCAL:
      amnesia_conf_set_local (self, g_value_get_boolean (value));
      break;
    default:
      amnesia_conf_set_tls_property (self, id - N_OWN_PROPERTIES, value, pspec);
    }
}

static void
amnesia_conf_finalize (GObject *object)
{
  AmnesiaConf *self = AMNESIA_CONF (object);

  g_ptr_array_unref (self->peers);
  g_ptr_array_unref (self->allow);
  g_free (self->group);
  g_free (self->listen_host);
  amnesia_conf_clear_tls (self);
  G_OBJECT_CLASS (amnesia_conf_parent_class)->finalize (object);
}

static void
amnesia_conf_class_init (AmnesiaConfClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = amnesia_conf_get_property;
  object_class->set_property = amnesia_conf_set_property;
  object_class->finalize = amnesia_conf_finalize;

  /**
   * AmnesiaConf:group: (getter get_group) (setter set_group)
   *
   * The name of the group, at most 255 bytes. Only stores with the same name share; so several
   * variables can have the same hosts, and a mistaken entry in a list joins nothing.
   *
   * Since: 0.1
   */
  properties[PROP_GROUP] = g_param_spec_string ("group", NULL, NULL, "", flags);

  /**
   * AmnesiaConf:max-size: (getter get_max_size) (setter set_max_size)
   *
   * The largest value, in bytes as it is sent: from 1024 (1 KiB) to 1073741824 (1 GiB).
   *
   * Since: 0.1
   */
  properties[PROP_MAX_SIZE] = g_param_spec_uint64 ("max-size", NULL, NULL,
                                                   AMNESIA_CONF_MIN_MAX_SIZE,
                                                   AMNESIA_CONF_MAX_MAX_SIZE,
                                                   DEFAULT_MAX_SIZE, flags);

  /**
   * AmnesiaConf:clock-limit: (getter get_clock_limit) (setter set_clock_limit)
   *
   * How many seconds the clock of a peer may be off before its connection is refused; 0 for any.
   *
   * Since: 0.1
   */
  properties[PROP_CLOCK_LIMIT] = g_param_spec_uint ("clock-limit", NULL, NULL, 0, G_MAXUINT,
                                                    DEFAULT_CLOCK_LIMIT, flags);

  /**
   * AmnesiaConf:local: (getter get_local) (setter set_local)
   *
   * Whether members of one machine and one user are linked by Unix sockets, which are faster than
   * TCP. They find one another by themselves, in `$XDG_RUNTIME_DIR`; where there is no such way,
   * TCP does all.
   *
   * Since: 0.1
   */
  properties[PROP_LOCAL] = g_param_spec_boolean ("local", NULL, NULL, TRUE, flags);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
  amnesia_conf_install_tls_properties (object_class, N_OWN_PROPERTIES);
}

static void
amnesia_conf_init (AmnesiaConf *self)
{
  self->peers = g_ptr_array_new_with_free_func (endpoint_free);
  self->allow = g_ptr_array_new_with_free_func (g_object_unref);
  self->group = g_strdup ("");
  self->max_size = DEFAULT_MAX_SIZE;
  self->clock_limit = DEFAULT_CLOCK_LIMIT;
  self->local = TRUE;
  amnesia_conf_init_tls (self);
}

/**
 * amnesia_conf_new:
 *
 * Makes a configuration without peers.
 *
 * Returns: (transfer full): a new configuration
 *
 * Since: 0.1
 */
AmnesiaConf *
amnesia_conf_new (void)
{
  return g_object_new (AMNESIA_TYPE_CONF, NULL);
}

/**
 * amnesia_conf_new_from_file:
 * @filename: (type filename): the name of a file
 * @error: return location for an error, or `NULL`
 *
 * Makes a configuration from a file with the JSON text that [class@Amnesia.Conf] shows.
 *
 * The file has to be a regular file of at most 64 KiB. Errors are those of
 * [ctor@Amnesia.Conf.new_from_json], and those of [error@GLib.FileError] and
 * [error@Gio.IOErrorEnum] if the file cannot be opened or read. All messages begin with the file's
 * name.
 *
 * Returns: (transfer full): a new configuration
 *
 * Since: 0.1
 */
AmnesiaConf *
amnesia_conf_new_from_file (const char  *filename,
                            GError     **error)
{
  g_autoptr (AmnesiaConf) self = NULL;

  g_return_val_if_fail (filename != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = amnesia_conf_new ();
  return amnesia_conf_read_file (self, filename, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * amnesia_conf_new_from_json:
 * @json: JSON text
 * @error: return location for an error, or `NULL`
 *
 * Makes a configuration from a JSON text as [class@Amnesia.Conf] shows it.
 *
 * Whatever is not as it should be is an error of code [error@Amnesia.Error.INVALID_CONF]. The
 * message names the member and its place, as in `peers[2].port`, or line and column if the text is
 * not JSON.
 *
 * Returns: (transfer full): a new configuration
 *
 * Since: 0.1
 */
AmnesiaConf *
amnesia_conf_new_from_json (const char  *json,
                            GError     **error)
{
  g_autoptr (AmnesiaConf) self = NULL;

  g_return_val_if_fail (json != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = amnesia_conf_new ();
  if (!amnesia_conf_read_json (self, json, strlen (json), NULL, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * amnesia_conf_add_peer:
 * @self: a configuration
 * @host: a host name, an IPv4 or an IPv6 address
 * @port: a port, from 1 to 65535
 * @error: return location for an error, or `NULL`
 *
 * Adds one of those who share to the end of the list, of at most 256.
 *
 * An IPv6 address has no brackets and no scope (`%eth0`). An IPv4 address has four decimal numbers
 * without leading zeros; the forms that some resolvers read as an address as well, `127.1` or
 * `0x7f000001`, are refused. So are wildcard, multicast and broadcast addresses.
 *
 * Each host is kept in one spelling: addresses in their canonical text, IPv4 addresses inside IPv6
 * ones (`::ffff:10.0.1.2`) as the IPv4 address; names in lower case, without a dot at the end and,
 * if they have other letters than ASCII, as DNS has them (`xn--…`). An entry with the same host and
 * port as an earlier one is an error. A name and its address count as different.
 *
 * All errors are of code [error@Amnesia.Error.INVALID_CONF]; the configuration then stays as it
 * was. Calling this after the configuration was given to a store is a programmer error.
 *
 * Returns: whether the peer was added
 *
 * Since: 0.1
 */
gboolean
amnesia_conf_add_peer (AmnesiaConf  *self,
                       const char   *host,
                       guint         port,
                       GError      **error)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), FALSE);
  g_return_val_if_fail (!self->is_frozen, FALSE);
  g_return_val_if_fail (host != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return amnesia_conf_append_peer (self, "peers", host, port, error);
}

/**
 * amnesia_conf_get_n_peers:
 * @self: a configuration
 *
 * Gets how many peers the list has, the own entry included.
 *
 * Returns: the number of peers
 *
 * Since: 0.1
 */
guint
amnesia_conf_get_n_peers (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), 0);

  return self->peers->len;
}

/**
 * amnesia_conf_get_peer:
 * @self: a configuration
 * @position: a position in the list, from 0
 * @host: (out) (optional) (nullable) (transfer none): return location for the host
 * @port: (out) (optional): return location for the port
 *
 * Gets a peer, its host in the spelling that [method@Amnesia.Conf.add_peer] describes.
 *
 * Beyond the end of the list @host becomes `NULL` and @port 0.
 *
 * Returns: whether there is a peer at @position
 *
 * Since: 0.1
 */
gboolean
amnesia_conf_get_peer (AmnesiaConf  *self,
                       guint         position,
                       const char  **host,
                       guint        *port)
{
  static const Endpoint none = { NULL, 0 };
  const Endpoint *peer = &none;

  g_return_val_if_fail (AMNESIA_IS_CONF (self), FALSE);

  if (position < self->peers->len)
    peer = g_ptr_array_index (self->peers, position);
  if (host != NULL)
    *host = peer->host;
  if (port != NULL)
    *port = peer->port;
  return peer != &none;
}

/**
 * amnesia_conf_add_allow:
 * @self: a configuration
 * @range: addresses, as `10.0.1.0/24` or `fd00::/64`, or one address
 * @error: return location for an error, or `NULL`
 *
 * Lets hosts connect that are not in the list of peers.
 *
 * At most 64 ranges are possible. The bits behind the prefix have to be 0, and IPv4 addresses are
 * not to be written as IPv6 ones. All errors are of code [error@Amnesia.Error.INVALID_CONF].
 * Calling this after the configuration was given to a store is a programmer error.
 *
 * Returns: whether the range was added
 *
 * Since: 0.1
 */
gboolean
amnesia_conf_add_allow (AmnesiaConf  *self,
                        const char   *range,
                        GError      **error)
{
  g_autofree char *place = NULL;
  g_autoptr (GInetAddressMask) mask = NULL;
  const char *fault;

  g_return_val_if_fail (AMNESIA_IS_CONF (self), FALSE);
  g_return_val_if_fail (!self->is_frozen, FALSE);
  g_return_val_if_fail (range != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  place = g_strdup_printf ("allow[%u]", self->allow->len);
  if (self->allow->len == MAX_ALLOW)
    {
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
                   /* Translators: “allow[64] is one too many”; ranges are ranges of addresses */
                   ngettext ("%s is one too many: at most %d range is possible",
                             "%s is one too many: at most %d ranges are possible", MAX_ALLOW),
                   place, MAX_ALLOW);
      return FALSE;
    }
  mask = amnesia_host_parse_range (range, &fault);
  if (mask == NULL)
    return fail_text (error, place, range, fault);
  g_ptr_array_add (self->allow, g_steal_pointer (&mask));
  return TRUE;
}

/**
 * amnesia_conf_set_listen:
 * @self: a configuration
 * @host: an IPv4 or IPv6 address; `0.0.0.0` or `::` for all of this host
 * @port: a port, from 1 to 65535
 * @error: return location for an error, or `NULL`
 *
 * Says where to listen, if that is not where the own entry in the list says.
 *
 * That is so in a container or behind a router which hands on the port. All errors are of code
 * [error@Amnesia.Error.INVALID_CONF]; the configuration then stays as it was. Calling this after
 * the configuration was given to a store is a programmer error.
 *
 * Returns: whether the address can be one to listen on
 *
 * Since: 0.1
 */
gboolean
amnesia_conf_set_listen (AmnesiaConf  *self,
                         const char   *host,
                         guint         port,
                         GError      **error)
{
  g_autofree char *canonical = NULL;
  const char *fault;

  g_return_val_if_fail (AMNESIA_IS_CONF (self), FALSE);
  g_return_val_if_fail (!self->is_frozen, FALSE);
  g_return_val_if_fail (host != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  canonical = amnesia_host_canonicalize_address (host, &fault);
  if (canonical == NULL)
    return fail_text (error, "listen.host", host, fault);
  if (!check_port ("listen", port, error))
    return FALSE;
  g_free (self->listen_host);
  self->listen_host = g_steal_pointer (&canonical);
  self->listen_port = port;
  return TRUE;
}

/**
 * amnesia_conf_get_group: (get-property group)
 * @self: a configuration
 *
 * Gets the name of the group.
 *
 * Returns: (transfer none): the name, which may be empty
 *
 * Since: 0.1
 */
const char *
amnesia_conf_get_group (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), NULL);

  return self->group;
}

/**
 * amnesia_conf_set_group: (set-property group)
 * @self: a configuration
 * @group: a name of at most 255 bytes
 *
 * Sets the name of the group.
 *
 * Calling this after the configuration was given to a store is a programmer error.
 *
 * Since: 0.1
 */
void
amnesia_conf_set_group (AmnesiaConf *self,
                        const char  *group)
{
  g_return_if_fail (AMNESIA_IS_CONF (self));
  g_return_if_fail (!self->is_frozen);
  g_return_if_fail (group != NULL && strlen (group) <= AMNESIA_CONF_MAX_GROUP);
  g_return_if_fail (g_utf8_validate (group, -1, NULL));

  if (g_str_equal (group, self->group))
    return;
  g_free (self->group);
  self->group = g_strdup (group);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_GROUP]);
}

/**
 * amnesia_conf_get_max_size: (get-property max-size)
 * @self: a configuration
 *
 * Gets the size of the largest value.
 *
 * Returns: a number of bytes
 *
 * Since: 0.1
 */
guint64
amnesia_conf_get_max_size (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), 0);

  return self->max_size;
}

/**
 * amnesia_conf_set_max_size: (set-property max-size)
 * @self: a configuration
 * @max_size: a number of bytes, from 1 KiB to 1 GiB
 *
 * Sets the size of the largest value.
 *
 * Calling this after the configuration was given to a store is a programmer error.
 *
 * Since: 0.1
 */
void
amnesia_conf_set_max_size (AmnesiaConf *self,
                           guint64      max_size)
{
  g_return_if_fail (AMNESIA_IS_CONF (self));
  g_return_if_fail (!self->is_frozen);
  g_return_if_fail (max_size >= AMNESIA_CONF_MIN_MAX_SIZE &&
                    max_size <= AMNESIA_CONF_MAX_MAX_SIZE);

  if (max_size == self->max_size)
    return;
  self->max_size = max_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_SIZE]);
}

/**
 * amnesia_conf_get_clock_limit: (get-property clock-limit)
 * @self: a configuration
 *
 * Gets how far the clock of a peer may be off.
 *
 * Returns: a number of seconds, or 0 for any
 *
 * Since: 0.1
 */
guint
amnesia_conf_get_clock_limit (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), 0);

  return self->clock_limit;
}

/**
 * amnesia_conf_set_clock_limit: (set-property clock-limit)
 * @self: a configuration
 * @clock_limit: a number of seconds, or 0 for any
 *
 * Sets how far the clock of a peer may be off before its connection is refused.
 *
 * Calling this after the configuration was given to a store is a programmer error.
 *
 * Since: 0.1
 */
void
amnesia_conf_set_clock_limit (AmnesiaConf *self,
                              guint        clock_limit)
{
  g_return_if_fail (AMNESIA_IS_CONF (self));
  g_return_if_fail (!self->is_frozen);

  if (clock_limit == self->clock_limit)
    return;
  self->clock_limit = clock_limit;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CLOCK_LIMIT]);
}

/**
 * amnesia_conf_get_local: (get-property local)
 * @self: a configuration
 *
 * Gets whether members of one machine and one user are linked by Unix sockets.
 *
 * Returns: whether they are, where that is possible
 *
 * Since: 0.1
 */
gboolean
amnesia_conf_get_local (AmnesiaConf *self)
{
  g_return_val_if_fail (AMNESIA_IS_CONF (self), FALSE);

  return self->local;
}

/**
 * amnesia_conf_set_local: (set-property local)
 * @self: a configuration
 * @local: whether they are, where that is possible
 *
 * Sets whether members of one machine and one user are linked by Unix sockets.
 *
 * Calling this after the configuration was given to a store is a programmer error.
 *
 * Since: 0.1
 */
void
amnesia_conf_set_local (AmnesiaConf *self,
                        gboolean     local)
{
  g_return_if_fail (AMNESIA_IS_CONF (self));
  g_return_if_fail (!self->is_frozen);

  local = local != FALSE;
  if (local == self->local)
    return;
  self->local = local;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LOCAL]);
}
