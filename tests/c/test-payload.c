/* SPDX-License-Identifier: MIT */

/* The memory of payloads: that it grows with what came, is right and aligned at every size, and that
 * the memory of one large value is kept for the next, for a while. */

#include "live-member.h"

#include "mesh/amnesia-limits-private.h"
#include "mesh/amnesia-payload-private.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB ((gsize) 1024)
#define MIB (1024 * KIB)
#define HUGE_PAGE (2 * MIB)

static guint8
pattern (gsize at)
{
  return (guint8) (at * 31 + at / 4096);
}

/* Lets it come in pieces of at most @step bytes, up to @until. */
static void
fill (AmnesiaPayload *payload,
      gsize           until,
      gsize           step)
{
  while (payload->have < until)
    {
      gsize room, i;
      guint8 *where = amnesia_payload_reserve (payload, &room);

      g_assert_nonnull (where);
      g_assert_cmpuint (room, >, 0);
      room = MIN (MIN (room, step), until - payload->have);
      for (i = 0; i < room; i++)
        where[i] = pattern (payload->have + i);
      payload->have += room;
    }
}

static GBytes *
receive (gsize size,
         gsize step)
{
  AmnesiaPayload payload;

  amnesia_payload_init (&payload, size);
  fill (&payload, size, step);
  return amnesia_payload_end (&payload);
}

static void
assert_right (GBytes *bytes,
              gsize   size)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  gsize i;

  g_assert_cmpuint (g_bytes_get_size (bytes), ==, size);
  g_assert_cmpuint (GPOINTER_TO_SIZE (data) % 8, ==, 0);
  for (i = 0; i < size; i++)
    if (data[i] != pattern (i))
      g_error ("byte %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " is wrong", i, size);
}

/* Whether there is memory, or at least an address, of this page. */
static gboolean
is_mapped (const guint8 *data)
{
  const gsize page = (gsize) sysconf (_SC_PAGESIZE);
  guchar resident;

  return mincore ((void *) (data - GPOINTER_TO_SIZE (data) % page), 1, &resident) == 0;
}

static void
test_sizes (void)
{
  static const gsize sizes[] = {
    0, 8, 100 * 8, 64 * KIB - 8, 64 * KIB, 64 * KIB + 8, 500 * KIB, MIB - 8, MIB, MIB + 8, 2 * MIB - 8,
    2 * MIB, 2 * MIB + 8, 3 * MIB - 8, 3 * MIB, 5 * MIB + 8, 17 * MIB + 4096,
  };
  guint i;

  g_test_summary ("What arrives is what is handed out, aligned, whatever its size");

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) whole = receive (sizes[i], G_MAXSIZE);
      g_autoptr (GBytes) pieces = receive (sizes[i], 30011);

      assert_right (whole, sizes[i]);
      assert_right (pieces, sizes[i]);
    }
}

static void
test_small (void)
{
  static const gsize sizes[] = { 8, 16, 1000 * 8, 64 * KIB };
  guint i;

  g_test_summary ("A small value gets as much memory as it has bytes");

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      AmnesiaPayload payload;

      amnesia_payload_init (&payload, sizes[i]);
      fill (&payload, 1, 1);
      g_assert_cmpuint (payload.capacity, ==, sizes[i]);
      amnesia_payload_clear (&payload);
    }
}

static gsize
get_resident (void)
{
  g_autofree char *text = NULL;
  unsigned long pages = 0;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%*u %lu", &pages), ==, 1);
  return pages * (gsize) sysconf (_SC_PAGESIZE);
}

static void
test_arrival (void)
{
  gsize before = get_resident ();
  AmnesiaPayload payload;

  g_test_summary ("A payload of 1 GiB that is announced takes the memory of what has come of it");

  amnesia_payload_init (&payload, 1024 * MIB);
  fill (&payload, 1, 1);
  g_assert_cmpuint (payload.capacity, <=, AMNESIA_PAYLOAD_STEP);
  while (payload.have < 40 * MIB)
    {
      fill (&payload, payload.have + 10007, 10007);
      g_assert_cmpuint (payload.capacity, <=,
                        MAX (2 * payload.have, payload.have <= AMNESIA_PAYLOAD_STEP
                                                 ? AMNESIA_PAYLOAD_STEP : HUGE_PAGE));
    }
  g_assert_cmpuint (get_resident () - before, <, (40 + 4) * MIB * (gsize) live_slack ());
  amnesia_payload_clear (&payload);
  g_assert_cmpuint (get_resident () - before, <, 4 * MIB * (gsize) live_slack ());
}

static void
test_exact (void)
{
  AmnesiaPayload payload;

  g_test_summary ("What is kept of memory is at most half of a huge page more than the value has");

  amnesia_payload_init (&payload, 5 * MIB + 8);
  fill (&payload, payload.size, MIB);
  g_assert_cmpuint (payload.capacity, <=, 6 * MIB);
  amnesia_payload_clear (&payload);
  amnesia_payload_init (&payload, 4 * MIB + 8);
  fill (&payload, payload.size, MIB);
  g_assert_cmpuint (payload.capacity, <=, 4 * MIB + 64 * KIB);
  amnesia_payload_clear (&payload);
}

/* --- the spare one --- */

static void
test_spare (void)
{
  GBytes *bytes;
  const guint8 *first, *again;

  g_test_summary ("The memory of a large value that is gone is taken by the next one, cut or grown");

  amnesia_payload_hold_spare ();
  bytes = receive (8 * MIB, MIB);
  first = g_bytes_get_data (bytes, NULL);
  g_bytes_unref (bytes);

  bytes = receive (6 * MIB, MIB);
  again = g_bytes_get_data (bytes, NULL);
  g_assert_true (again == first);
  g_assert_true (is_mapped (first + 6 * MIB - 1));
  g_assert_false (is_mapped (first + 6 * MIB));
  assert_right (bytes, 6 * MIB);
  g_bytes_unref (bytes);

  bytes = receive (20 * MIB, MIB);
  assert_right (bytes, 20 * MIB);
  again = g_bytes_get_data (bytes, NULL);
  g_assert_true (again == first || !is_mapped (first));
  g_bytes_unref (bytes);
  amnesia_payload_release_spare ();
  g_assert_false (is_mapped (again));
}

static void
test_one_spare (void)
{
  GBytes *bytes[3];
  const guint8 *data[3];
  guint i, n = 0;

  g_test_summary ("There is one spare at most, for a while, and none where there is no link");

  for (i = 0; i < 3; i++)
    {
      bytes[i] = receive (2 * MIB, MIB);
      data[i] = g_bytes_get_data (bytes[i], NULL);
    }
  g_bytes_unref (bytes[0]);
  g_assert_false (is_mapped (data[0]));

  amnesia_payload_hold_spare ();
  g_bytes_unref (bytes[1]);
  g_bytes_unref (bytes[2]);
  for (i = 0; i < 3; i++)
    n += is_mapped (data[i]);
  g_assert_cmpuint (n, ==, 1);
  amnesia_payload_trim_spare (G_MAXINT64);
  g_assert_true (is_mapped (data[2]));
  amnesia_payload_trim_spare (0);
  g_assert_false (is_mapped (data[2]));
  amnesia_payload_trim_spare (0);
  amnesia_payload_release_spare ();
}

/* A payload that began with the spare, and does not come whole. */
static void
test_torn (void)
{
  AmnesiaPayload payload;
  GBytes *bytes;
  const guint8 *data;

  g_test_summary ("What does not come whole gives its memory back");

  amnesia_payload_hold_spare ();
  bytes = receive (4 * MIB, MIB);
  data = g_bytes_get_data (bytes, NULL);
  g_bytes_unref (bytes);
  amnesia_payload_init (&payload, 4 * MIB);
  fill (&payload, 1, 1);
  g_assert_true (payload.data == data);
  amnesia_payload_clear (&payload);
  g_assert_false (is_mapped (data));
  amnesia_payload_release_spare ();
}

/* In a process of its own. Returns whether what had come is still there when no more can. */
static gboolean
grow_to_limit (void)
{
  const struct rlimit limit = { get_resident () + 24 * MIB, get_resident () + 24 * MIB };
  AmnesiaPayload payload;
  gsize room, i;

  amnesia_payload_init (&payload, 1024 * MIB);
  fill (&payload, 4 * MIB, MIB);
  if (setrlimit (RLIMIT_DATA, &limit) != 0)
    return FALSE;
  while (amnesia_payload_reserve (&payload, &room) != NULL)
    payload.have += room;
  for (i = 0; i < 4 * MIB; i++)
    if (payload.data[i] != pattern (i))
      return FALSE;
  i = payload.have;
  amnesia_payload_clear (&payload);
  return i >= 4 * MIB && i <= 32 * MIB;
}

static void
test_limit (void)
{
  int status;
  pid_t pid;

  g_test_summary ("Where there is no memory for more, what has come stays as it is");

#ifdef __SANITIZE_THREAD__
  g_test_skip ("The sanitizer for threads needs memory of its own, which the limit takes away");
  return;
#endif
  pid = fork ();
  if (pid == 0)
    {
      if (grow_to_limit ())
        kill (getpid (), SIGKILL);
      _exit (1);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static gpointer
use_spare (gpointer user_data)
{
  guint i;

  for (i = 0; i < 300; i++)
    {
      amnesia_payload_hold_spare ();
      g_bytes_unref (receive (2 * MIB - 4096 * (i % 8), 2 * MIB));
      amnesia_payload_trim_spare (i % 3);
      amnesia_payload_release_spare ();
    }
  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[2];
  guint i;

  g_test_summary ("Stores in several threads share the spare, and values are dropped in any of them");

  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("payload", use_spare, NULL);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/payload/W13-sizes", test_sizes);
  g_test_add_func ("/payload/small", test_small);
  g_test_add_func ("/payload/W5-arrival", test_arrival);
  g_test_add_func ("/payload/exact", test_exact);
  g_test_add_func ("/payload/spare", test_spare);
  g_test_add_func ("/payload/one-spare", test_one_spare);
  g_test_add_func ("/payload/torn", test_torn);
  g_test_add_func ("/payload/limit", test_limit);
  g_test_add_func ("/payload/threads", test_threads);
  return g_test_run ();
}
