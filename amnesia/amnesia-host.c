/* SPDX-License-Identifier: MIT */

#include "amnesia-host-private.h"

#include "amnesia-gettext-private.h"

#include <string.h>

/* What DNS can carry; in Unicode a name may be longer, but not four times as long. */
#define MAX_NAME_LENGTH 253
/* How many bytes stand before an IPv4 address in an IPv6 one. */
#define MAPPED_PREFIX 12
#define MAX_LABEL_LENGTH 63
#define DIGITS "0123456789"
#define LABEL DIGITS "abcdefghijklmnopqrstuvwxyz_-"

/* What is wrong with the characters of `host`, whatever it is; NULL if nothing is. */
static const char *
find_character_fault (const char *host)
{
  if (*host == '\0')
    return _("a host name or an address is needed");
  if (!g_utf8_validate (host, -1, NULL))
    return _("UTF-8 text is needed");
  if (strlen (host) > 4 * MAX_NAME_LENGTH)
    return _("a name of at most 253 characters is needed");
  for (const char *c = host; *c != '\0'; c = g_utf8_next_char (c))
    if (!g_unichar_isgraph (g_utf8_get_char (c)))
      return _("a host without spaces and control characters is needed");
  return NULL;
}

/* Whether this is an IPv6 address with an IPv4 address in it. */
static gboolean
is_mapped (GInetAddress *address)
{
  static const guint8 prefix[MAPPED_PREFIX] = { [10] = 0xff, [11] = 0xff };

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 &&
         memcmp (g_inet_address_to_bytes (address), prefix, MAPPED_PREFIX) == 0;
}

static GInetAddress *
parse_address (const char *text)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  if (address == NULL || !is_mapped (address))
    return g_steal_pointer (&address);
  return g_inet_address_new_from_bytes (g_inet_address_to_bytes (address) + MAPPED_PREFIX,
                                        G_SOCKET_FAMILY_IPV4);
}

/* The address in its canonical text, or NULL if `text` is no address. One with a scope
 * (`fe80::1%eth0`) is none: GInetAddress would lose it, and nobody could be reached by the rest. */
static char *
canonicalize_address (const char    *text,
                      GInetAddress **address)
{
  *address = strchr (text, '%') == NULL ? parse_address (text) : NULL;
  return *address != NULL ? g_inet_address_to_string (*address) : NULL;
}

static const char *
find_address_fault (GInetAddress *address,
                    const char   *canonical)
{
  if (g_inet_address_get_is_multicast (address))
    return _("the address of one host is needed, not a multicast one");
  if (g_str_equal (canonical, "255.255.255.255"))
    return _("the address of one host is needed, not the broadcast one");
  return NULL;
}

/* Whether the last part is a number, behind which a dot may stand. Some resolvers read that as an
 * address, each in its own way. */
static gboolean
ends_with_number (const char *host)
{
  g_auto (GStrv) labels = g_strsplit (host, ".", -1);
  guint n = g_strv_length (labels);
  const char *last = n > 1 && *labels[n - 1] == '\0' ? labels[n - 2] : labels[n - 1];

  if (g_ascii_strncasecmp (last, "0x", 2) == 0)
    return last[2 + strspn (last + 2, DIGITS "abcdefABCDEF")] == '\0';
  return *last != '\0' && last[strspn (last, DIGITS)] == '\0';
}

static gboolean
is_label (const char *label)
{
  gsize length = strlen (label);

  return length >= 1 && length <= MAX_LABEL_LENGTH && strspn (label, LABEL) == length &&
         label[0] != '-' && label[length - 1] != '-';
}

/* Regular expressions would be shorter, but to compile them takes longer than all else that is done
 * with a configuration. */
static gboolean
has_labels_only (const char *name)
{
  g_auto (GStrv) labels = g_strsplit (name, ".", -1);
  guint i;

  for (i = 0; labels[i] != NULL; i++)
    if (!is_label (labels[i]))
      return FALSE;
  return i > 0;
}

/* What is wrong with a host that is no address and its form in ASCII. */
static const char *
find_name_fault (const char *host,
                 const char *name)
{
  if (*host == '[')
    return _("an IPv6 address without brackets is needed, as ::1");
  if (strchr (host, ':') != NULL)
    return _("a host alone is needed, an IPv6 address or one without a colon; "
             "the port is a member of its own");
  if (ends_with_number (host))
    return _("an IPv4 address of four decimal numbers is needed, as 10.0.1.2");
  if (name == NULL || strlen (name) > MAX_NAME_LENGTH)
    return _("a name of at most 253 characters, 63 between two dots, is needed");
  if (!has_labels_only (name))
    return _("a name of letters, digits, hyphens and single dots is needed, 63 characters at "
             "most between two dots");
  return NULL;
}

/* The same in every locale: in a Turkish one g_hostname_to_ascii() makes an ı of an I, and the others
 * would not know our entry by that name. */
static char *
to_lower (const char *name)
{
  GString *lower = g_string_new (NULL);

  for (; *name != '\0'; name = g_utf8_next_char (name))
    g_string_append_unichar (lower, g_unichar_tolower (g_utf8_get_char (name)));
  return g_string_free (lower, FALSE);
}

static char *
canonicalize_name (const char  *host,
                   const char **fault)
{
  g_autofree char *lower = to_lower (host);
  g_autofree char *name = g_hostname_to_ascii (lower);

  if (name != NULL && g_str_has_suffix (name, "."))
    name[strlen (name) - 1] = '\0';
  *fault = find_name_fault (host, name);
  return *fault == NULL ? g_steal_pointer (&name) : NULL;
}

/* The one spelling of a host that can be dialled: an address in its canonical text, or a name in
 * lower case, in ASCII and without a dot at its end. NULL with a translated `fault`, what would
 * be right, if it is no such host. */
char *
amnesia_host_canonicalize (const char  *host,
                           const char **fault)
{
  g_autoptr (GInetAddress) address = NULL;
  g_autofree char *canonical = NULL;

  *fault = find_character_fault (host);
  if (*fault != NULL)
    return NULL;
  canonical = canonicalize_address (host, &address);
  if (canonical == NULL)
    return canonicalize_name (host, fault);

  *fault = g_inet_address_get_is_any (address)
             ? _("the address of one host is needed, not the wildcard")
             : find_address_fault (address, canonical);
  return *fault == NULL ? g_steal_pointer (&canonical) : NULL;
}

/* The same for what can be listened on: addresses only, wildcards as well. */
char *
amnesia_host_canonicalize_address (const char  *address,
                                   const char **fault)
{
  g_autoptr (GInetAddress) parsed = NULL;
  g_autofree char *canonical = NULL;

  *fault = find_character_fault (address);
  if (*fault != NULL)
    return NULL;
  canonical = canonicalize_address (address, &parsed);
  *fault = canonical == NULL ? _("an address is needed, as 10.0.1.2, 0.0.0.0, fd00::2 or ::")
                             : find_address_fault (parsed, canonical);
  return *fault == NULL ? g_steal_pointer (&canonical) : NULL;
}

/* A range of addresses; NULL with a translated `fault` if it is none. */
GInetAddressMask *
amnesia_host_parse_range (const char  *range,
                          const char **fault)
{
  g_autoptr (GInetAddressMask) mask = NULL;

  /* GLib alone takes spaces and signs before the length, and warns of one above 128. */
  if (g_regex_match_simple ("^[0-9a-f.:]+(/(12[0-8]|1[01][0-9]|[0-9]{1,2}))?$", range,
                            G_REGEX_CASELESS | G_REGEX_DOLLAR_ENDONLY, 0))
    mask = g_inet_address_mask_new_from_string (range, NULL);
  if (mask == NULL)
    *fault = _("an address or a range is needed, as 10.0.1.0/24 or fd00::/64, with zeros behind "
               "the prefix");
  else if (is_mapped (g_inet_address_mask_get_address (mask)))
    *fault = _("IPv4 addresses are needed as such, not inside IPv6 ones");
  else
    return g_steal_pointer (&mask);
  return NULL;
}
