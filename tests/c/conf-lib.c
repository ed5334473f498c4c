/* SPDX-License-Identifier: MIT */

#include "conf-lib.h"

#include <string.h>

void
conf_assert_message (GError     *error,
                     const char *given,
                     const char *expected)
{
  if (error == NULL)
    g_error ("accepted: %.60s", given);
  g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF);
  if (strstr (error->message, expected) == NULL)
    g_error ("%.60s: got “%s”, expected “%s”", given, error->message, expected);
  g_assert_cmpuint (strlen (error->message), <, 400);
}

void
conf_assert_refused (const char *json,
                     const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_json (json, &error);

  g_assert_null (conf);
  conf_assert_message (error, json, expected);
}

AmnesiaConf *
conf_assert_read (const char *json)
{
  g_autoptr (GError) error = NULL;
  AmnesiaConf *conf = amnesia_conf_new_from_json (json, &error);

  g_assert_no_error (error);
  g_assert_true (AMNESIA_IS_CONF (conf));
  return conf;
}

void
conf_assert_peer (AmnesiaConf *conf,
                  guint        position,
                  const char  *expected_host,
                  guint        expected_port)
{
  const char *host;
  guint port;

  g_assert_true (amnesia_conf_get_peer (conf, position, &host, &port));
  g_assert_cmpstr (host, ==, expected_host);
  g_assert_cmpuint (port, ==, expected_port);
}

/* `unit`, in which each # is the number, `times` times with commas between. */
char *
conf_repeat (const char *unit,
             guint       times)
{
  GString *text = g_string_new (NULL);
  g_auto (GStrv) parts = g_strsplit (unit, "#", -1);

  for (guint i = 0; i < times; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i);
      g_autofree char *part = g_strjoinv (number, parts);

      g_string_append_printf (text, "%s%s", i == 0 ? "" : ",", part);
    }
  return g_string_free (text, FALSE);
}
