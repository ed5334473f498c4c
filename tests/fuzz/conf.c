/* SPDX-License-Identifier: MIT */

/* conf.json: what is accepted can be used, and written down again means the same. */

#include "fuzz.h"

#include "amnesia-conf-private.h"
#include "amnesia-error.h"
#include "amnesia-json-document-private.h"

#include <string.h>

static void
append_endpoint (GString    *text,
                 const char *host,
                 guint       port)
{
  g_string_append (text, "{\"host\":");
  amnesia_json_append_string (text, host);
  g_string_append_printf (text, ",\"port\":%u}", port);
}

/* The configuration, in the one form that has everything. */
static char *
write_conf (AmnesiaConf *conf)
{
  GString *text = g_string_new ("{\"peers\":[");
  GPtrArray *allow = amnesia_conf_get_allow (conf);
  const char *host;
  guint i, port;

  for (i = 0; i < amnesia_conf_get_n_peers (conf); i++)
    {
      g_string_append (text, i > 0 ? "," : "");
      g_assert_true (amnesia_conf_get_peer (conf, i, &host, &port));
      append_endpoint (text, host, port);
    }
  g_string_append (text, "],\"group\":");
  amnesia_json_append_string (text, amnesia_conf_get_group (conf));
  g_string_append_printf (text, ",\"max-size\":%" G_GUINT64_FORMAT ",\"clock-limit\":%u",
                          amnesia_conf_get_max_size (conf), amnesia_conf_get_clock_limit (conf));
  g_string_append_printf (text, ",\"local\":%s",
                          amnesia_conf_get_local (conf) ? "true" : "false");
  g_string_append (text, ",\"allow\":[");
  for (i = 0; i < allow->len; i++)
    {
      g_autofree char *range = g_inet_address_mask_to_string (g_ptr_array_index (allow, i));

      g_string_append (text, i > 0 ? "," : "");
      amnesia_json_append_string (text, range);
    }
  g_string_append (text, "]");
  if (amnesia_conf_get_listen (conf, &host, &port))
    {
      g_string_append (text, ",\"listen\":");
      append_endpoint (text, host, port);
    }
  g_string_append (text, "}");
  return g_string_free (text, FALSE);
}

static void
check_accepted (AmnesiaConf *conf)
{
  g_autofree char *text = write_conf (conf);
  g_autofree char *again = NULL;
  g_autoptr (AmnesiaConf) read = NULL;
  g_autoptr (GError) error = NULL;
  const char *host;
  guint i, port;

  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), >, 0);
  g_assert_cmpuint (amnesia_conf_get_n_peers (conf), <=, 256);
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), >=, AMNESIA_CONF_MIN_MAX_SIZE);
  g_assert_cmpuint (amnesia_conf_get_max_size (conf), <=, AMNESIA_CONF_MAX_MAX_SIZE);
  g_assert_cmpuint (strlen (amnesia_conf_get_group (conf)), <=, AMNESIA_CONF_MAX_GROUP);
  for (i = 0; i < amnesia_conf_get_n_peers (conf); i++)
    {
      g_autoptr (GSocketConnectable) address = NULL;

      amnesia_conf_get_peer (conf, i, &host, &port);
      g_assert_cmpstr (host, !=, "");
      g_assert_cmpuint (port, >, 0);
      g_assert_cmpuint (port, <=, G_MAXUINT16);
      address = g_network_address_new (host, (guint16) port);
    }

  read = amnesia_conf_new_from_json (text, &error);
  if (g_error_matches (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF) && strlen (text) > 65536)
    return;
  g_assert_no_error (error);
  again = write_conf (read);
  g_assert_cmpstr (again, ==, text);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  G_GNUC_UNUSED g_auto (FuzzWatch) watch = fuzz_begin ();
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_json (text, &error);

  g_assert_true ((conf == NULL) == (error != NULL));
  if (conf != NULL)
    check_accepted (conf);
  else
    {
      fuzz_check_error (error);
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF);
    }
  return 0;
}
