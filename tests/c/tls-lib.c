/* SPDX-License-Identifier: MIT */

#include "tls-lib.h"

#include <glib/gstdio.h>

static char *directory; /* (owned) (nullable) */
static guint validity = 30;

#ifdef __SANITIZE_ADDRESS__
/* What loads the modules of PKCS #11 for GnuTLS loses the list of their folders, once. */
const char *__lsan_default_suppressions (void);

const char *
__lsan_default_suppressions (void)
{
  return "leak:__argz_add_sep\n";
}
#endif

static void
run (const char *format,
     ...) G_GNUC_PRINTF (1, 2);

static void
run (const char *format,
     ...)
{
  g_autofree char *command = NULL, *output = NULL;
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;
  va_list args;
  int status;

  va_start (args, format);
  command = g_strdup_vprintf (format, args);
  va_end (args);
  g_assert_true (g_shell_parse_argv (command, NULL, &arguments, NULL));
  g_spawn_sync (directory, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &output, &status,
                &error);
  g_assert_no_error (error);
  if (status != 0)
    g_error ("%s: %s", command, output);
}

/* Returns the folder. */
const char *
tls_begin (void)
{
  g_autoptr (GError) error = NULL;

  directory = g_dir_make_tmp ("amnesia-tls-XXXXXX", &error);
  g_assert_no_error (error);
  return directory;
}

static gboolean
any_pool_thread (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/task", name, "comm", NULL);
      g_autofree char *comm = NULL;

      if (g_file_get_contents (path, &comm, NULL, NULL) && g_str_has_prefix (comm, "pool"))
        return TRUE;
    }
  return FALSE;
}

/* What looks for leaks (gcc 12) does not find its way in what the threads keep that GIO ran handshakes
 * in. */
static void
end_threads (void)
{
  gint64 end = g_get_monotonic_time () + 5 * G_TIME_SPAN_SECOND;

  g_thread_pool_stop_unused_threads ();
  while (any_pool_thread () && g_get_monotonic_time () < end)
    g_thread_yield ();
}

void
tls_end (void)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = tls_path (name);

      g_remove (path);
    }
  g_rmdir (directory);
  end_threads ();
  g_clear_pointer (&directory, g_free);
}

char *
tls_path (const char *name)
{
  return g_build_filename (directory, name, NULL);
}

/* NAME.pem and NAME.key. */
void
tls_make_authority (const char *name)
{
  run ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
       "-subj '/CN=authority %s' -keyout %s.key -out %s.pem", name, name, name);
}

/* How long those are valid that are made from now on. */
void
tls_set_days (guint days)
{
  validity = days;
}

static void
join_key (const char *name)
{
  g_autofree char *pem_name = g_strconcat (name, ".pem", NULL);
  g_autofree char *key_name = g_strconcat (name, ".key", NULL);
  g_autofree char *pem = tls_path (pem_name), *key = tls_path (key_name);
  g_autofree char *certificate = NULL, *private_key = NULL, *both = NULL;

  g_assert_true (g_file_get_contents (pem, &certificate, NULL, NULL));
  g_assert_true (g_file_get_contents (key, &private_key, NULL, NULL));
  both = g_strconcat (certificate, private_key, NULL);
  g_assert_true (g_file_set_contents (pem, both, -1, NULL));
}

/* Whether all tests are skipped: a handshake is handed to a thread and back by locks and queues of GLib,
 * and the sanitizer for threads sees neither. */
gboolean
tls_skip_all (void)
{
#ifdef __SANITIZE_THREAD__
  g_print ("1..0 # SKIP The sanitizer for threads does not see GLib's locks, by which handshakes go\n");
  return TRUE;
#else
  return FALSE;
#endif
}

/* NAME.pem, which has its key as well. @alternatives: as openssl has them, "DNS:a,IP:127.0.0.1". */
void
tls_make (const char *name,
          const char *authority,
          const char *alternatives)
{
  g_autofree char *extensions = g_strconcat (name, ".ext", NULL);
  g_autofree char *path = tls_path (extensions);
  g_autofree char *text = g_strdup_printf ("subjectAltName=%s\n", alternatives);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  run ("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/O=test' "
       "-keyout %s.key -out %s.csr", name, name);
  run ("openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial -days %u "
       "-extfile %s.ext -out %s.pem", name, authority, authority, validity, name, name);
  join_key (name);
}

/* The same for the test's host, and for other days, which openssl cannot do before its 3.4. */
void
tls_make_dated (const char *name,
                const char *authority,
                const char *from,
                const char *until)
{
  g_autofree char *template = g_strconcat (name, ".template", NULL);
  g_autofree char *path = tls_path (template);
  g_autofree char *text =
    g_strdup_printf ("organization = test\nip_address = %s\nactivation_date = \"%s\"\n"
                     "expiration_date = \"%s\"\n", test_host (), from, until);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  run ("certtool --generate-privkey --key-type ecdsa --outfile %s.key", name);
  run ("certtool --generate-certificate --load-privkey %s.key --load-ca-certificate %s.pem "
       "--load-ca-privkey %s.key --template %s --outfile %s.pem", name, authority, authority,
       template, name);
  join_key (name);
}

AmnesiaConf *
tls_conf (const char *name,
          guint       n_entries)
{
  AmnesiaConf *conf = test_conf (n_entries);
  g_autofree char *file = g_strconcat (name, ".pem", NULL);
  g_autofree char *certificate = tls_path (file);
  g_autofree char *authorities = tls_path ("authority.pem");
  g_autoptr (GError) error = NULL;

  amnesia_conf_set_local (conf, FALSE);
  amnesia_conf_set_tls_files (conf, certificate, NULL, authorities, &error);
  g_assert_no_error (error);
  return conf;
}

/* Returns a store that is open. */
AmnesiaStore *
tls_store (const char *name,
           guint       n_entries)
{
  g_autoptr (AmnesiaConf) conf = tls_conf (name, n_entries);

  return test_store (conf);
}

/* As an editor or a script does it: the new file takes the place of the old one. */
void
tls_copy (const char *from,
          const char *to)
{
  g_autofree char *source = tls_path (from);
  g_autofree char *target = tls_path (to);
  g_autofree char *text = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (source, &text, &size, NULL));
  g_assert_true (g_file_set_contents (target, text, (gssize) size, NULL));
}
