/* SPDX-License-Identifier: MIT */

#include "tool-place.h"

#include <glib/gi18n.h>

/* Whether the kernel lets us have this address, with @port as well if that is not 0. As nothing
 * listens on it, a program that is started now can have it all the same. */
static gboolean
can_bind (GInetAddress  *address,
          guint          port,
          GError       **error)
{
  g_autoptr (GSocketAddress) place = g_inet_socket_address_new (address, (guint16) port);
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (address),
                                             G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  return socket != NULL && g_socket_bind (socket, place, TRUE, error);
}

static void
try_to_bind (ToolPlace *self)
{
  for (GList *l = self->addresses; l != NULL; l = l->next)
    {
      g_autoptr (GError) error = NULL;

      if (!can_bind (l->data, 0, NULL))
        continue;
      self->is_here = TRUE;
      if (!can_bind (l->data, self->port, &error) &&
          g_error_matches (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
        self->is_taken = TRUE;
    }
}

static void
on_found (GObject      *resolver,
          GAsyncResult *result,
          gpointer      user_data)
{
  ToolPlace *self = user_data;

  self->addresses = g_resolver_lookup_by_name_finish (G_RESOLVER (resolver), result, &self->error);
  try_to_bind (self);
  --*self->n_pending;
}

/* Begins to find out; @n_pending is one less when that is done. */
void
tool_place_look_up (ToolPlace    *self,
                    const char   *host,
                    guint         port,
                    GCancellable *cancellable,
                    guint        *n_pending)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  *self = (ToolPlace) { .host = host, .port = port, .n_pending = n_pending };
  ++*n_pending;
  g_resolver_lookup_by_name_async (resolver, host, cancellable, on_found, self);
}

void
tool_place_clear (ToolPlace *self)
{
  g_clear_list (&self->addresses, g_object_unref);
  g_clear_error (&self->error);
}

/* The addresses of a name; nothing for an address. */
static char *
list_addresses (ToolPlace *self)
{
  GString *text = g_string_new (NULL);

  for (GList *l = self->addresses; l != NULL; l = l->next)
    {
      g_autofree char *address = g_inet_address_to_string (l->data);

      if (!g_str_equal (address, self->host))
        g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", address);
    }
  if (text->len > 0)
    g_string_append (text, ": ");

  return g_string_free (text, FALSE);
}

char *
tool_place_describe (ToolPlace *self)
{
  g_autofree char *addresses = NULL;

  if (self->addresses == NULL)
    return g_strdup (self->error != NULL ? self->error->message : "");
  addresses = list_addresses (self);

  return g_strconcat (addresses,
                      !self->is_here    ? _("another machine")
                      : self->is_taken  ? _("this machine, taken by a program that runs")
                                       : _("this machine, free"),
                      NULL);
}
