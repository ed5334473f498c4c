/* SPDX-License-Identifier: MIT */

#include "amnesia-settings-private.h"

static void
address_clear (gpointer address)
{
  g_free (((AmnesiaAddress *) address)->host);
}

AmnesiaSettings *
amnesia_settings_new (void)
{
  AmnesiaSettings *settings = g_new0 (AmnesiaSettings, 1);

  settings->entries = g_array_new (FALSE, FALSE, sizeof (AmnesiaAddress));
  g_array_set_clear_func (settings->entries, address_clear);
  return settings;
}

void
amnesia_settings_free (AmnesiaSettings *settings)
{
  g_array_unref (settings->entries);
  g_clear_pointer (&settings->allow, g_ptr_array_unref);
  g_clear_pointer (&settings->tls, amnesia_tls_unref);
  g_free (settings->group);
  g_free (settings->listen_host);
  g_free (settings);
}

void
amnesia_settings_add_entry (AmnesiaSettings *settings,
                            const char      *host,
                            guint16          port)
{
  AmnesiaAddress address = { g_strdup (host), port };

  g_array_append_val (settings->entries, address);
}

/* Whether this is one of the entries. */
gboolean
amnesia_settings_list (const AmnesiaSettings *settings,
                       const char            *host,
                       guint16                port)
{
  guint i;

  for (i = 0; i < settings->entries->len; i++)
    {
      AmnesiaAddress *entry = &g_array_index (settings->entries, AmnesiaAddress, i);

      if (entry->port == port && g_str_equal (entry->host, host))
        return TRUE;
    }
  return FALSE;
}

/* Whether some entry is of this host. */
gboolean
amnesia_settings_has_host (const AmnesiaSettings *settings,
                           const char            *host)
{
  guint i;

  for (i = 0; i < settings->entries->len; i++)
    if (g_str_equal (g_array_index (settings->entries, AmnesiaAddress, i).host, host))
      return TRUE;
  return FALSE;
}
