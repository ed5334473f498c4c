/* SPDX-License-Identifier: MIT */

#include "live-member.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OPTION "--live-member"
#define TICK_MS 5
#define BLOCKED_AT_MOST (100 * G_TIME_SPAN_MILLISECOND)
/* Others use the machine too: only what is far beyond that is a sign of somebody sleeping. */
#define LATE_AT_MOST (1 * G_TIME_SPAN_SECOND)
#define MAX_PRINTED 1000
#define MAX_LINE 1000

/* --- the member --- */

static struct
{
  AmnesiaStore *store;
  GMainLoop    *loop;
  LiveStats     stats;
  gint64        due;   /* when the next tick is */
  gint64        spent; /* the processor's time at the last tick */
  guint         pause; /* ms that a handler takes */
} member;

static gint64
get_cpu (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_TIME_SPAN_SECOND + now.tv_nsec / 1000;
}

/* Notes for how long the loop has not got here. */
static gboolean
tick_cb (gpointer user_data)
{
  gint64 now = g_get_monotonic_time (), cpu = get_cpu ();

  member.stats.late = MAX (member.stats.late, now - member.due);
  member.stats.blocked = MAX (member.stats.blocked, cpu - member.spent);
  member.due = now + TICK_MS * G_TIME_SPAN_MILLISECOND;
  member.spent = cpu;
  return G_SOURCE_CONTINUE;
}

static void
changed_cb (AmnesiaStore *store,
            GVariant     *old_value,
            GVariant     *new_value,
            gboolean      remote)
{
  member.stats.changed++;
  member.stats.remote += remote;
  g_usleep (member.pause * 1000);
}

static void
log_cb (AmnesiaStore *store,
        const char   *message)
{
  gboolean bad = strlen (message) > MAX_LINE || !g_utf8_validate (message, -1, NULL);
  const char *c;

  if (g_getenv ("LIVE_MEMBER_LOG") != NULL)
    g_printerr ("# log: %s\n", message);
  for (c = message; *c != '\0'; c++)
    bad |= g_ascii_iscntrl (*c);
  member.stats.logged++;
  member.stats.bad_logged += bad;
}

static gint64
read_memory (const char *name)
{
  g_autofree char *text = NULL;
  const char *line;

  g_file_get_contents ("/proc/self/status", &text, NULL, NULL);
  line = text != NULL ? strstr (text, name) : NULL;
  return line != NULL ? g_ascii_strtoll (line + strlen (name), NULL, 10) : 0;
}

static char *
look (void)
{
  LiveStats stats;

  tick_cb (NULL);
  stats = member.stats;
  stats.cpu = get_cpu ();
  stats.rss = read_memory ("VmRSS:");
  stats.peak = read_memory ("VmHWM:");
  stats.descriptors = test_n_descriptors ();
  stats.linked = test_n_linked (member.store);
  stats.peers = g_list_model_get_n_items (amnesia_store_get_peers (member.store));
  stats.state = amnesia_store_get_state (member.store);
  return g_base64_encode ((const guchar *) &stats, sizeof stats);
}

/* The peaks begin anew. */
static void
forget (void)
{
  int fd = open ("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

  if (fd >= 0 && write (fd, "5", 1) < 0)
    g_test_message ("the peak of memory is that since the start");
  g_close (fd, NULL);
  member.spent = get_cpu ();
  member.due = g_get_monotonic_time () + TICK_MS * G_TIME_SPAN_MILLISECOND;
  member.stats.late = member.stats.blocked = 0;
}

static char *
print_value (void)
{
  g_autoptr (GVariant) data = amnesia_store_get_data (member.store);

  if (data == NULL)
    return g_strdup ("unset");
  if (g_variant_get_size (data) <= MAX_PRINTED)
    return g_variant_print (data, TRUE);
  return g_strdup_printf ("%s of %" G_GSIZE_FORMAT, g_variant_get_type_string (data),
                          g_variant_get_size (data));
}

/* Somebody wants to know of keys. */
static void
key_changed_cb (AmnesiaStore *store,
                const char   *key,
                GVariant     *old,
                GVariant     *new,
                gboolean      remote)
{
  member.stats.keys++;
}

static char *
answer (const char *line)
{
  if (g_str_equal (line, "look"))
    return look ();
  if (g_str_equal (line, "value"))
    return print_value ();
  if (g_str_equal (line, "forget"))
    forget ();
  else if (g_str_equal (line, "listen"))
    g_signal_connect (member.store, "key-changed", G_CALLBACK (key_changed_cb), NULL);
  else if (g_str_has_prefix (line, "pause "))
    member.pause = (guint) g_ascii_strtoull (line + strlen ("pause "), NULL, 10);
  else if (g_str_has_prefix (line, "bytes "))
    {
      gsize size = g_ascii_strtoull (line + strlen ("bytes "), NULL, 10);
      g_autofree char *zeros = g_malloc0 (size);

      amnesia_store_set_data (member.store,
                              g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, size, 1));
    }
  else
    test_set (member.store, line + strlen ("set "));
  return g_strdup ("ok");
}

static void
line_cb (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  GDataInputStream *input = G_DATA_INPUT_STREAM (source);
  g_autofree char *line = g_data_input_stream_read_line_finish (input, result, NULL, NULL);
  g_autofree char *said = NULL;

  if (line == NULL)
    {
      g_main_loop_quit (member.loop);
      return;
    }
  said = answer (line);
  puts (said);
  fflush (stdout);
  g_data_input_stream_read_line_async (input, 0, NULL, line_cb, NULL);
}

gboolean
live_member_is_wanted (int    argc,
                       char **argv)
{
  return argc == 3 && g_str_equal (argv[1], OPTION);
}

/* What the process does that live_member_new () starts. */
int
live_member_run (char **argv)
{
  g_autoptr (GInputStream) bytes = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmnesiaConf) conf = amnesia_conf_new_from_json (argv[2], &error);

  g_assert_no_error (error);
  member.loop = g_main_loop_new (NULL, FALSE);
  member.store = amnesia_store_new ();
  g_signal_connect (member.store, "changed", G_CALLBACK (changed_cb), NULL);
  g_signal_connect (member.store, "log", G_CALLBACK (log_cb), NULL);
  amnesia_store_set_conf (member.store, conf);
  g_data_input_stream_read_line_async (input, 0, NULL, line_cb, NULL);
  member.due = g_get_monotonic_time () + TICK_MS * G_TIME_SPAN_MILLISECOND;
  member.spent = get_cpu ();
  g_timeout_add (TICK_MS, tick_cb, NULL);
  g_main_loop_run (member.loop);
  test_free_store (member.store);
  g_main_loop_unref (member.loop);
  return 0;
}

/* --- the test's side --- */

struct _LiveMember
{
  GSubprocess      *process; /* (owned) */
  GDataInputStream *output;  /* (owned) */
  gint64            descriptors; /* when nobody is linked */
};

static char *
make_conf (guint       n_entries,
           const char *members)
{
  g_autoptr (GString) peers = g_string_new (NULL);
  guint i;

  for (i = 0; i < n_entries; i++)
    g_string_append_printf (peers, "%s{\"host\": \"%s\", \"port\": %u}", i > 0 ? ", " : "",
                            test_host (), test_port (i));
  return g_strdup_printf ("{%s\"peers\": [%s]}", members != NULL ? members : "", peers->str);
}

/* @command: (nullable): what starts it, as another user for example. */
static GSubprocess *
start (const char *command,
       const char *conf)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = g_strsplit (command != NULL ? command : "", " ", -1);
  g_autofree char *exe = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) argv = NULL;
  GSubprocess *process;

  g_strv_builder_addv (builder, (const char **) words);
  g_strv_builder_add_many (builder, exe, OPTION, conf, NULL);
  argv = g_strv_builder_end (builder);
  process = g_subprocess_newv ((const char *const *) argv, G_SUBPROCESS_FLAGS_STDIN_PIPE |
                               G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
  g_assert_no_error (error);
  return process;
}

/* Starts a member that holds 'kept'. @members: (nullable): of its configuration, with a comma
 * behind. It is waited for until it listens, and for nothing more if there are other entries. */
LiveMember *
live_member_new (guint       n_entries,
                 const char *members)
{
  return live_member_new_by (NULL, n_entries, members);
}

LiveMember *
live_member_new_by (const char *command,
                    guint       n_entries,
                    const char *members)
{
  LiveMember *self = g_new0 (LiveMember, 1);
  g_autofree char *conf = make_conf (n_entries, members);

  self->process = start (command, conf);
  self->output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  live_member_set (self, "'kept'");
  if (n_entries == 1)
    test_until (live_member_look (self).state == AMNESIA_STATE_ALONE);
  self->descriptors = live_member_look (self).descriptors;
  live_member_forget (self);
  return self;
}

/* It ends by itself, and well. */
void
live_member_free (LiveMember *self)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_close (g_subprocess_get_stdin_pipe (self->process), NULL, &error);
  g_assert_no_error (error);
  g_subprocess_wait_check (self->process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (self->output);
  g_object_unref (self->process);
  g_free (self);
}

/* Frees it; its process ends without a chance to do anything. */
void
live_member_kill (LiveMember *self)
{
  g_subprocess_force_exit (self->process);
  g_subprocess_wait (self->process, NULL, NULL);
  g_object_unref (self->output);
  g_object_unref (self->process);
  g_free (self);
}

char *
live_member_ask (LiveMember *self,
                 const char *format,
                 ...)
{
  g_autofree char *line = NULL;
  g_autoptr (GError) error = NULL;
  char *said;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  g_output_stream_printf (g_subprocess_get_stdin_pipe (self->process), NULL, NULL, &error, "%s\n",
                          line);
  g_assert_no_error (error);
  said = g_data_input_stream_read_line (self->output, NULL, NULL, &error);
  g_assert_no_error (error);
  if (said == NULL) /* it has written why */
    g_error ("the member has died of “%.100s”", line);
  return said;
}

/* @text: in GVariant's notation; "unset"; or type and size, if it is large */
gboolean
live_member_has (LiveMember *self,
                 const char *text)
{
  g_autofree char *value = live_member_ask (self, "value");

  return g_str_equal (value, text);
}

void
live_member_assert_has (LiveMember *self,
                        const char *text)
{
  g_autofree char *value = live_member_ask (self, "value");

  g_assert_cmpstr (value, ==, text);
}

void
live_member_set (LiveMember *self,
                 const char *text)
{
  g_free (live_member_ask (self, "set %s", text));
}

LiveStats
live_member_look (LiveMember *self)
{
  g_autofree char *text = live_member_ask (self, "look");
  gsize size;
  g_autofree guchar *bytes = g_base64_decode (text, &size);
  LiveStats stats;

  g_assert_cmpuint (size, ==, sizeof stats);
  memcpy (&stats, bytes, size);
  return stats;
}

/* From now on its peaks count. */
void
live_member_forget (LiveMember *self)
{
  g_free (live_member_ask (self, "forget"));
}

/* Whatever was done to it, it holds what it did, was never blocked, has no more descriptors than at
 * first, and lets a good peer in. */
void
live_member_assert_well (LiveMember *self)
{
  RawPeer *good = raw_peer_connect (0);

  live_assert_unblocked (live_member_look (self));
  live_member_assert_has (self, "'kept'");
  raw_peer_greet (good, 1000, 0);
  raw_peer_wait_write (good, "'kept'");
  raw_peer_free (good);
  test_until (live_member_look (self).descriptors <= self->descriptors);
}

/* How much slower all is than it was built for. */
gint64
live_slack (void)
{
  const char *preload = g_getenv ("LD_PRELOAD");

  if (preload != NULL && strstr (preload, "vgpreload") != NULL)
    return 50;
#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
  /* what is freed stays for a while */
  return 50;
#elif !defined (__OPTIMIZE__)
  return 4;
#else
  return 1;
#endif
}

void
live_assert_unblocked (LiveStats stats)
{
  g_test_message ("blocked for %" G_GINT64_FORMAT " us, late by %" G_GINT64_FORMAT " us",
                  stats.blocked, stats.late);
  g_assert_cmpint (stats.blocked, <=, live_slack () * BLOCKED_AT_MOST);
  g_assert_cmpint (stats.late, <=, live_slack () * LATE_AT_MOST);
}
