/* SPDX-License-Identifier: MIT */

/* Values so large that they take their time: nobody waits for them, or for their memory. */

#include "live-member.h"
#include "wire-bytes.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define MIB (1024 * 1024)
#define MAX_SIZE (64 * MIB)
#define N_VALUES 16
#define MEMBERS "\"max-size\": 67108864, "

/* --- peers in threads of their own, as fast as the kernel lets them be --- */

typedef struct
{
  RawPeer *peer;
  GThread *thread;
  GBytes  *payloads[2]; /* (owned) (nullable) what is sent, by turns */
  int      done;     /* atomic */
  gsize    n_bytes;  /* atomic: that came */
} Busy;

static gboolean
wait_for (Busy  *self,
          short  events)
{
  struct pollfd fd = { g_socket_get_fd (self->peer->socket), events, 0 };

  while (g_atomic_int_get (&self->done) == 0)
    if (poll (&fd, 1, 50) > 0)
      return TRUE;
  return FALSE;
}

static void
send_all (Busy         *self,
          const guint8 *bytes,
          gsize         size)
{
  while (size > 0 && wait_for (self, POLLOUT))
    {
      ssize_t sent = send (g_socket_get_fd (self->peer->socket), bytes, size, MSG_NOSIGNAL);

      g_assert_cmpint (sent, >, 0);
      bytes += sent;
      size -= (gsize) sent;
    }
}

static gpointer
send_thread (gpointer user_data)
{
  Busy *self = user_data;
  guint i;

  for (i = 0; i < N_VALUES; i++)
    {
      g_autoptr (GVariant) value =
        g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE ("ay"), self->payloads[i % 2],
                                                      TRUE));
      g_autoptr (AmnesiaEntry) entry = amnesia_entry_new ("", raw_stamp (i), 7, value, NULL, 0);
      g_auto (AmnesiaPacket) packet = { NULL };
      gsize size;
      const guint8 *bytes;

      raw_encode_write (entry, &packet);
      bytes = g_bytes_get_data (packet.head, &size);
      send_all (self, bytes, size);
      bytes = g_bytes_get_data (packet.payload, &size);
      send_all (self, bytes, size);
    }
  g_atomic_int_set (&self->done, 1);
  return NULL;
}

static gpointer
receive_thread (gpointer user_data)
{
  Busy *self = user_data;
  g_autofree char *scrap = g_malloc (MIB);

  while (wait_for (self, POLLIN))
    {
      ssize_t got = recv (g_socket_get_fd (self->peer->socket), scrap, MIB, 0);

      g_assert_cmpint (got, >, 0);
      g_atomic_pointer_add (&self->n_bytes, got);
    }
  return NULL;
}

static RawPeer *
connect_peer (LiveMember *member,
              guint64     id,
              guint64     max_size)
{
  RawPeer *peer = raw_peer_connect (0);
  AmnesiaHello hello = raw_hello (id, 0);
  gint64 linked = live_member_look (member).linked;

  hello.max_size = max_size;
  raw_peer_send_hello (peer, &hello);
  raw_peer_send_list (peer, NULL, FALSE);
  test_until (live_member_look (member).linked == linked + 1);
  return peer;
}

/* How long the member needs to tell @peer that it has one more of its writes, which are old. */
static gint64
time_write (RawPeer *peer,
            guint    n)
{
  g_autoptr (AmnesiaEntry) old = raw_entry (9, n + 1, "'small'");
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gint64 start = g_get_monotonic_time ();

  wire_add_entry (bytes, old);
  wire_send (peer, bytes); /* in one piece, which Nagle does not hold back */
  while (raw_peer_wait_ack (peer) < n + 1)
    ;
  return g_get_monotonic_time () - start;
}

static void
test_others_go_on (void)
{
  g_autoptr (LiveMember) member = live_member_new (1, MEMBERS);
  const gsize size = MAX_SIZE / test_slowness () / 8 * 8;
  g_autofree char *description = g_strdup_printf ("ay of %" G_GSIZE_FORMAT, size);
  Busy giver = { .peer = connect_peer (member, 7, MAX_SIZE) };
  Busy taker = { .peer = connect_peer (member, 8, MAX_SIZE) };
  g_autoptr (RawPeer) small = connect_peer (member, 9, 1024);
  gint64 worst = 0;
  LiveStats after;
  guint i, n = 0;

  g_test_summary ("While values of 64 MiB come from one and go to another, a third has his answers");

  raw_peer_set_reading (taker.peer, FALSE);
  for (i = 0; i < G_N_ELEMENTS (giver.payloads); i++)
    giver.payloads[i] = g_bytes_new_take (memset (g_malloc (size), (int) i, size), size);
  live_member_forget (member);
  giver.thread = g_thread_new ("giver", send_thread, &giver);
  taker.thread = g_thread_new ("taker", receive_thread, &taker);
  while (g_atomic_int_get (&giver.done) == 0)
    worst = MAX (worst, time_write (small, n++));
  g_thread_join (giver.thread);
  test_until (live_member_has (member, description));
  test_until ((gsize) g_atomic_pointer_get (&taker.n_bytes) >= size);
  after = live_member_look (member);
  g_test_message ("figure: %u answers, the slowest after %" G_GINT64_FORMAT " us, peak %"
                  G_GINT64_FORMAT " MiB", n, worst, after.peak / 1024);
  g_assert_cmpint (after.linked, ==, 3);
  g_assert_cmpuint (n, >=, N_VALUES);
  g_assert_cmpint (worst, <, 500 * 1000 * live_slack ());
  live_assert_unblocked (after);
  g_atomic_int_set (&taker.done, 1);
  g_thread_join (taker.thread);
  raw_peer_free (giver.peer);
  raw_peer_free (taker.peer);
  for (i = 0; i < G_N_ELEMENTS (giver.payloads); i++)
    g_bytes_unref (giver.payloads[i]);
}

int
main (int    argc,
      char **argv)
{
  if (live_member_is_wanted (argc, argv))
    return live_member_run (argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/large/others-go-on", test_others_go_on);
  return g_test_run ();
}
