/* SPDX-License-Identifier: MIT */

/* Which entry of the configuration is ours: see amnesia-search.c. */

#include "amnesia-transport-struct-private.h"

#include "amnesia-limits-private.h"
#include "amnesia-search-private.h"

void
amnesia_transport_end_search (AmnesiaTransport *self,
                              const char       *host,
                              guint16           port,
                              gboolean          guest)
{
  self->seeking = FALSE;
  amnesia_transport_set_deadline (self, AMNESIA_DEADLINE_GRACE, 0);
  amnesia_mesh_set_own (self->mesh, host, port, guest, self->now);
  if (host == self->own_host)
    return;
  g_free (self->own_host);
  self->own_host = g_strdup (host);
  self->own_port = port;
}

static void
set_listening (AmnesiaTransport *self,
               const char       *host,
               guint16           port)
{
  g_free (self->listening);
  self->listening = host != NULL ? amnesia_format_address (host, port) : NULL;
  amnesia_transport_listen_nearby (self);
}

void
amnesia_transport_seek (AmnesiaTransport *self)
{
  AmnesiaSettings *settings = self->settings;
  g_autoptr (GError) error = NULL;
  AmnesiaAddress *entry;
  guint position = 0;
  gboolean first = self->seeking;

  switch (amnesia_search_run (settings, self->names, self->listener, first && !self->grace_over,
                              &position, &error))
    {
    case AMNESIA_SEARCH_FOUND:
      entry = &g_array_index (settings->entries, AmnesiaAddress, position);
      set_listening (self, entry->host, entry->port);
      amnesia_transport_end_search (self, entry->host, entry->port, FALSE);
      break;
    case AMNESIA_SEARCH_TOLD:
      set_listening (self, settings->listen_host, settings->listen_port);
      amnesia_transport_end_search (self, NULL, 0, FALSE);
      break;
    case AMNESIA_SEARCH_NONE:
      set_listening (self, NULL, 0);
      amnesia_transport_end_search (self, NULL, 0, TRUE);
      break;
    case AMNESIA_SEARCH_FAILED:
      self->seeking = FALSE;
      /* a guest goes on being one */
      if (first)
        self->error = g_steal_pointer (&error);
      break;
    case AMNESIA_SEARCH_WAIT:
    default:
      break;
    }
}

void
amnesia_transport_end_grace (AmnesiaTransport *self)
{
  self->grace_over = TRUE;
  if (self->seeking)
    amnesia_transport_seek (self);
}

/* Whether the name of our own entry is another address now, and the one that we listen on is not this
 * machine's any more (DHCP). One that is only away for a moment is waited for. */
gboolean
amnesia_transport_has_moved (AmnesiaTransport *self)
{
  GList *l;

  if (!amnesia_listener_is_stale (self->listener))
    return FALSE;
  for (l = amnesia_names_get (self->names, self->own_host); l != NULL; l = l->next)
    if (!amnesia_listener_has (self->listener, l->data))
      return TRUE;
  return FALSE;
}

/* Somebody is missing: it may be us who cannot be reached. */
void
amnesia_transport_check_own (AmnesiaTransport *self)
{
  if (!self->seeking && self->own_host != NULL && amnesia_listener_is_stale (self->listener))
    amnesia_names_lookup (self->names, self->own_host);
}

gboolean
amnesia_transport_is_listed (AmnesiaTransport *self)
{
  return self->own_host != NULL && !self->settings->guest && self->settings->listen_host == NULL &&
         amnesia_settings_list (self->settings, self->own_host, self->own_port);
}

void
amnesia_transport_begin_search (AmnesiaTransport *self)
{
  self->seeking = TRUE;
  self->grace_over = FALSE;
  amnesia_transport_set_deadline (self, AMNESIA_DEADLINE_GRACE,
                                  self->now.mono + AMNESIA_LOOKUP_GRACE);
  amnesia_transport_seek (self);
}
