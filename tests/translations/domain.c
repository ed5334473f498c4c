/* SPDX-License-Identifier: MIT */

/* What a program does with gettext itself stays as it is, whenever the library comes in.
 *
 * domain CASE: says, in the language of the environment, what the library says. */

#include "../c/raw-peer.h"

#include "amnesia-error-private.h"
#include "amnesia-gettext-private.h"

#include <locale.h>
#include <stdio.h>

#define DOMAIN "libamnesia"
#define N_THREADS 8

static char *
get_message (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (amnesia_from_json ("01", &error));
  return g_strdup (error->message);
}

static void
say_message (void)
{
  g_autofree char *message = get_message ();

  puts (message);
}

/* Nobody has said anything: the translations that were installed. */
static void
say_folder (void)
{
  say_message ();
  puts (bindtextdomain (DOMAIN, NULL));
  puts (textdomain (NULL));
}

/* A program knows where it has put them. */
static void
bind_before (void)
{
  bindtextdomain (DOMAIN, g_getenv ("AMNESIA_TRANSLATIONS"));
  say_message ();
}

static void
bind_after (void)
{
  say_message ();
  bindtextdomain (DOMAIN, g_getenv ("AMNESIA_TRANSLATIONS"));
  say_message ();
}

/* A program with messages of its own, none of which are in this language. */
static void
own_domain (void)
{
  bindtextdomain (DOMAIN, g_getenv ("AMNESIA_TRANSLATIONS"));
  textdomain ("a-program");
  say_message ();
  puts (textdomain (NULL));
}

static gpointer
run_thread (gpointer data)
{
  int *ready = data;

  g_atomic_int_inc (ready);
  while (g_atomic_int_get (ready) < N_THREADS)
    g_thread_yield ();
  return get_message ();
}

/* All ask for the first message at once. */
static void
threads (void)
{
  GThread *all[N_THREADS];
  int ready = 0;
  guint i;

  bindtextdomain (DOMAIN, g_getenv ("AMNESIA_TRANSLATIONS"));
  for (i = 0; i < N_THREADS; i++)
    all[i] = g_thread_new (NULL, run_thread, &ready);
  for (i = 0; i < N_THREADS; i++)
    {
      g_autofree char *message = g_thread_join (all[i]);

      puts (message);
    }
}

/* An error that is told to a peer keeps its other language when it is copied. */
static void
both (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) copy = NULL;

  bindtextdomain (DOMAIN, g_getenv ("AMNESIA_TRANSLATIONS"));
  amnesia_set_error (&error, AMNESIA_ERROR_FAILED, N_("the file is empty"));
  copy = g_error_copy (error);
  puts (copy->message);
  puts (amnesia_error_get_english (copy));
}

static void
log_cb (AmnesiaStore *store,
        const char   *message,
        gpointer      user_data)
{
  puts (message);
}

/* A peer is told in English what the user here reads in his language. */
static void
wire (void)
{
  g_autoptr (AmnesiaConf) conf = test_conf (1);
  AmnesiaHello hello = raw_hello (7, 0);
  AmnesiaStore *store;
  RawPeer *raw;

  bindtextdomain (DOMAIN, g_getenv ("AMNESIA_TRANSLATIONS"));
  store = test_store (conf);
  g_signal_connect (store, "log", G_CALLBACK (log_cb), NULL);
  raw = raw_peer_connect (0);
  hello.group = "theirs";
  raw_peer_send_hello (raw, &hello);
  raw_peer_wait_bye (raw, AMNESIA_BYE_GROUP, "one side is of group “theirs”, the other of “”");
  raw_peer_free (raw);
  test_free_store (store);
}

static const struct
{
  const char *name;
  void (*run) (void);
} cases[] = {
  { "folder", say_folder }, { "bind-before", bind_before }, { "bind-after", bind_after },
  { "own-domain", own_domain }, { "threads", threads }, { "both", both },
  { "wire", wire },
};

int
main (int    argc,
      char **argv)
{
  guint i;

  setlocale (LC_ALL, "");
  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    if (argc == 2 && g_str_equal (cases[i].name, argv[1]))
      {
        cases[i].run ();
        return 0;
      }
  return 2;
}
