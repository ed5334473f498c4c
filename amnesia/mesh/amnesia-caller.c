/* SPDX-License-Identifier: MIT */

#include "amnesia-caller-private.h"

#include "amnesia-dial-private.h"

struct _AmnesiaCaller
{
  GMainContext     *context;  /* (owned) */
  AmnesiaNames     *names;    /* (unowned) */
  AmnesiaListener  *listener; /* (unowned) */
  const AmnesiaLocalWay *way; /* (unowned) */
  AmnesiaCallerFunc func;
  gpointer          user_data;

  GPtrArray        *calls;    /* (owned) (element-type Call) */
};

/* A member that is being dialled: its name is looked up (no dial yet), or it is connected to. */
typedef struct
{
  AmnesiaCaller *caller; /* (unowned) */
  AmnesiaMember *member; /* (owned) */
  AmnesiaDial   *dial;   /* (owned) (nullable) */
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->dial, amnesia_dial_free);
  amnesia_member_unref (call->member);
  g_free (call);
}

AmnesiaCaller *
amnesia_caller_new (GMainContext          *context,
                    AmnesiaNames          *names,
                    AmnesiaListener       *listener,
                    const AmnesiaLocalWay *way,
                    AmnesiaCallerFunc      func,
                    gpointer               user_data)
{
  AmnesiaCaller *self = g_new0 (AmnesiaCaller, 1);

  self->context = g_main_context_ref (context);
  self->names = names;
  self->listener = listener;
  self->way = way;
  self->func = func;
  self->user_data = user_data;
  self->calls = g_ptr_array_new_with_free_func (call_free);
  return self;
}

void
amnesia_caller_free (AmnesiaCaller *self)
{
  g_ptr_array_unref (self->calls);
  g_main_context_unref (self->context);
  g_free (self);
}

/* Ends all calls, without a word to anybody. */
void
amnesia_caller_hang_up (AmnesiaCaller *self)
{
  g_ptr_array_set_size (self->calls, 0);
}

/* Ends the calls to those who are not among @members any more. */
void
amnesia_caller_retain (AmnesiaCaller *self,
                       GPtrArray     *members)
{
  guint i;

  for (i = self->calls->len; i > 0; i--)
    {
      Call *call = g_ptr_array_index (self->calls, i - 1);

      if (!g_ptr_array_find (members, call->member, NULL))
        g_ptr_array_remove_index (self->calls, i - 1);
    }
}

static void
dial_cb (AmnesiaDial       *dial,
         GSocket           *socket,
         const GError      *error,
         gpointer           user_data)
{
  Call *call = user_data;
  AmnesiaCaller *self = call->caller;
  AmnesiaMember *member = amnesia_member_ref (call->member);

  g_ptr_array_remove_fast (self->calls, call);
  self->func (member, socket, error, self->user_data); /* may free us */
  amnesia_member_unref (member);
}

/* Begins with another address after each failure: the first may lead to a connection that the other
 * side refuses, as by that way we come from an address that it does not know us by. */
static GList *
rotate (GList *addresses,
        guint  failures)
{
  GList *rotated = g_list_copy (addresses);

  for (failures %= MAX (g_list_length (rotated), 1); failures > 0; failures--)
    {
      GList *first = rotated;

      rotated = g_list_remove_link (rotated, first);
      rotated = g_list_concat (rotated, first);
    }
  return rotated;
}

/* A name that is not known has the dial fail; so the function is always called from the loop. */
static void
dial (AmnesiaCaller *self,
      Call          *call)
{
  const char *host = call->member->host;
  const GSocketFamily families[] = { G_SOCKET_FAMILY_IPV4, G_SOCKET_FAMILY_IPV6 };
  g_autoptr (GList) addresses = rotate (amnesia_names_get (self->names, host),
                                        call->member->failures);
  guint i;

  call->dial = amnesia_dial_new (self->context, call->member->port, dial_cb, call);
  if (!call->member->skip_local)
    amnesia_dial_set_local_way (call->dial, self->way);
  for (i = 0; i < G_N_ELEMENTS (families); i++)
    {
      g_autoptr (GInetAddress) own = amnesia_listener_get_address (self->listener, families[i]);

      if (own != NULL)
        amnesia_dial_set_from (call->dial, own);
    }
  amnesia_dial_start (call->dial, addresses, amnesia_names_get_error (self->names, host));
}

static Call *
add_call (AmnesiaCaller *self,
          AmnesiaMember *member)
{
  Call *call = g_new0 (Call, 1);

  call->caller = self;
  call->member = amnesia_member_ref (member);
  g_ptr_array_add (self->calls, call);
  return call;
}

/* Connects to @member by the local way; if that leads nowhere, nothing comes of it. */
void
amnesia_caller_call_nearby (AmnesiaCaller *self,
                            AmnesiaMember *member)
{
  Call *call;

  if (self->way->directory == NULL)
    return;
  call = add_call (self, member);
  call->dial = amnesia_dial_new (self->context, member->port, dial_cb, call);
  amnesia_dial_set_local_way (call->dial, self->way);
  if (!amnesia_dial_start_nearby (call->dial, amnesia_names_get (self->names, member->host)))
    g_ptr_array_remove_fast (self->calls, call);
}

/* Dials @member; its name is looked up anew each time. */
void
amnesia_caller_call (AmnesiaCaller *self,
                     AmnesiaMember *member)
{
  Call *call = add_call (self, member);

  amnesia_names_lookup (self->names, member->host);
  if (!amnesia_names_is_pending (self->names, member->host))
    dial (self, call);
}

/* The lookup of @host has ended. */
void
amnesia_caller_name_known (AmnesiaCaller *self,
                           const char    *host)
{
  guint i;

  for (i = 0; i < self->calls->len; i++)
    {
      Call *call = g_ptr_array_index (self->calls, i);

      if (call->dial == NULL && g_str_equal (call->member->host, host))
        dial (self, call);
    }
}
