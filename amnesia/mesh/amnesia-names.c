/* SPDX-License-Identifier: MIT */

#include "amnesia-names-private.h"

#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-limits-private.h"

/* Lookups share ten threads with all other work that GIO does for the application. */
#define MAX_AT_ONCE 4

struct _AmnesiaNames
{
  GMainContext    *context;   /* (owned) */
  AmnesiaNamesFunc func;
  gpointer         user_data;

  GHashTable      *names;     /* (owned) (element-type utf8 Name) */
  gint64           refreshed;
};

/* One name. Waiting: `pending`, no cancellable. Running: both. */
typedef struct
{
  AmnesiaNames *names;        /* (unowned) (nullable) NULL: nobody waits any more */
  char         *host;         /* (owned) */
  gboolean      literal;      /* a numeric address, never looked up */
  gboolean      pending;
  GCancellable *cancellable;  /* (owned) (nullable) */
  GSource      *deadline;     /* (owned) (nullable) */
  GList        *addresses;    /* (owned) (element-type GInetAddress) the last that were found */
  GError       *error;        /* (owned) (nullable) of the last lookup */
} Name;

static void
name_clear (gpointer data)
{
  Name *name = data;

  g_free (name->host);
  g_clear_object (&name->cancellable);
  g_list_free_full (name->addresses, g_object_unref);
  g_clear_error (&name->error);
}

static void
name_unref (Name *name)
{
  g_rc_box_release_full (name, name_clear);
}

static void
name_stop_deadline (Name *name)
{
  if (name->deadline == NULL)
    return;
  g_source_destroy (name->deadline);
  g_clear_pointer (&name->deadline, g_source_unref);
}

/* Lets go of a name whose lookup may still run: its answer will find nobody. */
static void
name_release (gpointer data)
{
  Name *name = data;

  name->names = NULL;
  name_stop_deadline (name);
  if (name->cancellable != NULL)
    g_cancellable_cancel (name->cancellable);
  name_unref (name);
}

AmnesiaNames *
amnesia_names_new (GMainContext    *context,
                   AmnesiaNamesFunc func,
                   gpointer         user_data)
{
  AmnesiaNames *self = g_new0 (AmnesiaNames, 1);

  self->context = g_main_context_ref (context);
  self->func = func;
  self->user_data = user_data;
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, name_release);
  return self;
}

void
amnesia_names_free (AmnesiaNames *self)
{
  g_hash_table_unref (self->names);
  g_main_context_unref (self->context);
  g_free (self);
}

static Name *
get_name (AmnesiaNames *self,
          const char   *host)
{
  Name *name = g_hash_table_lookup (self->names, host);
  GInetAddress *address;

  if (name != NULL)
    return name;
  name = g_rc_box_new0 (Name);
  name->names = self;
  name->host = g_strdup (host);
  address = g_inet_address_new_from_string (host);
  name->literal = address != NULL;
  if (address != NULL)
    name->addresses = g_list_append (NULL, address);
  g_hash_table_insert (self->names, name->host, name);
  return name;
}

static gboolean
deadline_cb (gpointer user_data)
{
  Name *name = user_data;

  g_cancellable_cancel (name->cancellable);
  return G_SOURCE_REMOVE;
}

static void start_waiting (AmnesiaNames *self);

static void
lookup_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  Name *name = user_data;
  AmnesiaNames *self = name->names;
  g_autoptr (GError) error = NULL;
  GList *addresses = g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &error);

  if (self == NULL)
    {
      g_list_free_full (addresses, g_object_unref);
      name_unref (name);
      return;
    }
  name->pending = FALSE;
  name_stop_deadline (name);
  g_clear_object (&name->cancellable);
  g_clear_error (&name->error);
  if (addresses != NULL)
    {
      g_list_free_full (name->addresses, g_object_unref);
      name->addresses = addresses;
    }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_set_error (&name->error, AMNESIA_ERROR, AMNESIA_ERROR_TIMED_OUT,
                 /* Translators: the name of a host */
                 _("nobody said in time what the address of “%s” is"), name->host);
  else
    name->error = g_steal_pointer (&error);
  start_waiting (self);
  self->func (name->host, self->user_data); /* may free us */
  name_unref (name);
}

static void
start (AmnesiaNames *self,
       Name         *name)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  name->cancellable = g_cancellable_new ();
  name->deadline = g_timeout_source_new (AMNESIA_LOOKUP_TIMEOUT / 1000);
  g_source_set_callback (name->deadline, deadline_cb, name, NULL);
  g_source_attach (name->deadline, self->context);

  g_main_context_push_thread_default (self->context);
  g_resolver_lookup_by_name_async (resolver, name->host, name->cancellable, lookup_cb,
                                   g_rc_box_acquire (name));
  g_main_context_pop_thread_default (self->context);
}

static guint
count_running (AmnesiaNames *self)
{
  GHashTableIter iter;
  gpointer name;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->names);
  while (g_hash_table_iter_next (&iter, NULL, &name))
    n += ((Name *) name)->cancellable != NULL;
  return n;
}

static void
start_waiting (AmnesiaNames *self)
{
  GHashTableIter iter;
  gpointer data;

  g_hash_table_iter_init (&iter, self->names);
  while (count_running (self) < MAX_AT_ONCE && g_hash_table_iter_next (&iter, NULL, &data))
    {
      Name *name = data;

      if (name->pending && name->cancellable == NULL)
        start (self, name);
    }
}

static gboolean
is_unlisted (gpointer key,
             gpointer name,
             gpointer settings)
{
  return settings == NULL || !amnesia_settings_has_host (settings, key);
}

/* Drops the names that are not of @settings, NULL: all. Lookups under way are cancelled and answer
 * nobody. */
void
amnesia_names_retain (AmnesiaNames          *self,
                      const AmnesiaSettings *settings)
{
  g_hash_table_foreach_remove (self->names, is_unlisted, (gpointer) settings);
  start_waiting (self);
}

/* Looks the name up, or up again; the function is called when that has ended. A numeric address
 * is known at once, and the function is not called. */
void
amnesia_names_lookup (AmnesiaNames *self,
                      const char   *host)
{
  Name *name = get_name (self, host);

  if (name->literal)
    return;
  name->pending = TRUE;
  start_waiting (self);
}

gboolean
amnesia_names_is_pending (AmnesiaNames *self,
                          const char   *host)
{
  return get_name (self, host)->pending;
}

static gboolean
any_pending (AmnesiaNames *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->names);
  while (g_hash_table_iter_next (&iter, NULL, &name))
    if (((Name *) name)->pending)
      return TRUE;
  return FALSE;
}

GList *
amnesia_names_get (AmnesiaNames *self,
                   const char   *host)
{
  return get_name (self, host)->addresses;
}

const GError *
amnesia_names_get_error (AmnesiaNames *self,
                         const char   *host)
{
  return get_name (self, host)->error;
}

/* Whether some name has this address. */
gboolean
amnesia_names_have (AmnesiaNames *self,
                    GInetAddress *address)
{
  GHashTableIter iter;
  gpointer name;
  GList *l;

  g_hash_table_iter_init (&iter, self->names);
  while (g_hash_table_iter_next (&iter, NULL, &name))
    for (l = ((Name *) name)->addresses; l != NULL; l = l->next)
      if (g_inet_address_equal (l->data, address))
        return TRUE;
  return FALSE;
}

static gboolean
is_loopback (Name *name)
{
  return name->literal ? g_inet_address_get_is_loopback (name->addresses->data)
                       : g_str_equal (name->host, "localhost");
}

/* Whether all are of this machine's loopback, which no change of a network touches. */
gboolean
amnesia_names_are_loopback (AmnesiaNames *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->names);
  while (g_hash_table_iter_next (&iter, NULL, &name))
    if (!is_loopback (name))
      return FALSE;
  return TRUE;
}

/* Looks all names up again, if that has not been done lately. Returns whether an answer is to be
 * expected. */
gboolean
amnesia_names_refresh (AmnesiaNames *self,
                       gint64        now)
{
  GHashTableIter iter;
  gpointer name;

  if (self->refreshed != 0 && now - self->refreshed < AMNESIA_LOOKUP_INTERVAL)
    return any_pending (self);
  self->refreshed = now;
  g_hash_table_iter_init (&iter, self->names);
  while (g_hash_table_iter_next (&iter, NULL, &name))
    if (!((Name *) name)->literal)
      ((Name *) name)->pending = TRUE;
  start_waiting (self);
  return any_pending (self);
}
