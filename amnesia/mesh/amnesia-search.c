/* SPDX-License-Identifier: MIT */

#include "amnesia-search-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"

/* The configuration says what to listen on: anything else would not do. */
static AmnesiaSearch
listen_as_told (const AmnesiaSettings  *settings,
                AmnesiaNames           *names,
                AmnesiaListener        *listener,
                GError                **error)
{
  const char *host = settings->listen_host;
  GList *addresses = amnesia_names_get (names, host);

  switch (amnesia_listener_bind (listener, host, addresses, settings->listen_port, error))
    {
    case AMNESIA_BIND_OURS:
      return AMNESIA_SEARCH_TOLD;
    case AMNESIA_BIND_IN_USE:
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_FAILED,
                   /* Translators: “listen” is a member of the configuration, %s an address */
                   _("“listen” names %s, port %u, which another program uses"), host,
                   settings->listen_port);
      return AMNESIA_SEARCH_FAILED;
    case AMNESIA_BIND_ELSEWHERE:
      g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_FAILED,
                   /* Translators: “listen” is a member of the configuration, %s an address */
                   _("“listen” names %s, port %u, on which this machine cannot listen"), host,
                   settings->listen_port);
      return AMNESIA_SEARCH_FAILED;
    case AMNESIA_BIND_FAILED:
    default:
      return AMNESIA_SEARCH_FAILED;
    }
}

/* Binds each entry in order: the kernel knows which are ours. @patient: waits for names. */
AmnesiaSearch
amnesia_search_run (const AmnesiaSettings  *settings,
                    AmnesiaNames           *names,
                    AmnesiaListener        *listener,
                    gboolean                patient,
                    guint                  *position,
                    GError                **error)
{
  guint i;

  if (settings->guest)
    {
      amnesia_listener_close (listener);
      return AMNESIA_SEARCH_NONE;
    }
  if (settings->listen_host != NULL)
    return listen_as_told (settings, names, listener, error);
  for (i = 0; i < settings->entries->len; i++)
    {
      AmnesiaAddress *entry = &g_array_index (settings->entries, AmnesiaAddress, i);
      AmnesiaBind bind;

      if (patient && amnesia_names_is_pending (names, entry->host))
        return AMNESIA_SEARCH_WAIT;
      bind = amnesia_listener_bind (listener, entry->host, amnesia_names_get (names, entry->host),
                                    entry->port, error);
      *position = i;
      if (bind == AMNESIA_BIND_OURS)
        return AMNESIA_SEARCH_FOUND;
      if (bind == AMNESIA_BIND_FAILED)
        return AMNESIA_SEARCH_FAILED;
    }
  return AMNESIA_SEARCH_NONE;
}
