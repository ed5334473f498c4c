/* SPDX-License-Identifier: MIT */

#include "amnesia-conf-reader-private.h"

#include "amnesia-conf-private.h"
#include "amnesia-error.h"
#include "amnesia-gettext-private.h"
#include "amnesia-json-document-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LENGTH (64 * 1024)
#define MAX_DEPTH 8

/* Members are read in the order of the text, as the document hands out its numbers. */
typedef struct
{
  AmnesiaConf *conf;
  AmnesiaJsonDocument *document;
  const char *host;  /* (nullable): of the endpoint that is being read */
  guint port;        /* the same */
  const char *directory;    /* (nullable): that names of files are relative to; NULL for here */
  const char *certificate;  /* (nullable): of "tls", while that is read, as the others are */
  const char *private_key;  /* (nullable) */
  const char *authorities;  /* (nullable) */
} Reader;

typedef struct _Member Member;

typedef gboolean (*MemberFunc) (Reader        *self,
                                const Member  *member,
                                const char    *place,
                                JsonNode      *node,
                                GError       **error);

struct _Member
{
  const char *name;
  const char *needed;  /* what would be right, for messages; not yet translated */
  gboolean is_required;
  MemberFunc read;
};

static char *
describe_node (Reader   *self,
               JsonNode *node)
{
  gsize length;
  const char *number;

  if (JSON_NODE_HOLDS_ARRAY (node))
    /* Translators: what there is at a place of the configuration: “peers[0].host is an array: …” */
    return g_strdup (_("an array"));
  if (JSON_NODE_HOLDS_OBJECT (node))
    return g_strdup (_("an object"));
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return amnesia_json_quote (json_node_get_string (node));
  if (!amnesia_json_node_is_number (node))
    return json_to_string (node, FALSE);
  number = amnesia_json_document_take_number (self->document, &length);
  return amnesia_json_cut (number, length);
}

static gboolean
fail (GError     **error,
      const char  *place,
      const char  *found,
      const char  *needed)
{
  /* Translators: a place in the configuration, what is there, and what should be: “peers[0].port is
   * "x": a whole number from 1 to 65535 is needed” */
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF, _("%s is %s: %s is needed"),
               *place != '\0' ? place : _("the configuration"), found, needed);
  return FALSE;
}

static gboolean
fail_node (Reader      *self,
           const char  *needed,
           const char  *place,
           JsonNode    *node,
           GError     **error)
{
  g_autofree char *found = describe_node (self, node);

  return fail (error, place, found, needed);
}

static gboolean
read_whole (Reader        *self,
            const Member  *member,
            const char    *place,
            JsonNode      *node,
            guint64        min,
            guint64        max,
            guint64       *whole,
            GError       **error)
{
  g_autofree char *found = describe_node (self, node);

  if (amnesia_json_node_is_number (node) &&
      g_ascii_string_to_unsigned (found, 10, min, max, whole, NULL))
    return TRUE;
  return fail (error, place, found, _(member->needed));
}

static char *
join_place (const char *place,
            const char *name)
{
  g_autofree char *shown = amnesia_json_cut (name, strlen (name));

  return g_strconcat (place, *place != '\0' ? "." : "", shown, NULL);
}

static gboolean
fail_unknown (const Member  *members,
              const char    *place,
              GError       **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (const Member *member = members; member->name != NULL; member++)
    g_string_append_printf (known, "%s%s", member == members ? "" : ", ", member->name);
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
               /* Translators: a place in the configuration, and a list of names */
               _("%s is not known here; known members are %s"), place, known->str);
  return FALSE;
}

static gboolean
read_member (Reader        *self,
             const Member  *members,
             const char    *place,
             const char    *name,
             JsonNode      *node,
             GError       **error)
{
  g_autofree char *member_place = join_place (place, name);

  for (const Member *member = members; member->name != NULL; member++)
    if (g_str_equal (member->name, name))
      return member->read (self, member, member_place, node, error);
  return fail_unknown (members, member_place, error);
}

static gboolean
read_object (Reader        *self,
             const Member  *members,
             const char    *place,
             JsonObject    *object,
             GError       **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    if (!read_member (self, members, place, name, node, error))
      return FALSE;

  for (const Member *member = members; member->name != NULL; member++)
    if (member->is_required && !json_object_has_member (object, member->name))
      {
        g_autofree char *member_place = join_place (place, member->name);

        /* Translators: “peers[0].host is missing: …” */
        return fail (error, member_place, _("missing"), _(member->needed));
      }
  return TRUE;
}

static gboolean
read_host (Reader        *self,
           const Member  *member,
           const char    *place,
           JsonNode      *node,
           GError       **error)
{
  if (json_node_get_value_type (node) != G_TYPE_STRING)
    return fail_node (self, _(member->needed), place, node, error);
  self->host = json_node_get_string (node);
  return TRUE;
}

static gboolean
read_port (Reader        *self,
           const Member  *member,
           const char    *place,
           JsonNode      *node,
           GError       **error)
{
  guint64 port;

  if (!read_whole (self, member, place, node, 1, G_MAXUINT16, &port, error))
    return FALSE;
  self->port = port;
  return TRUE;
}

static const Member endpoint_members[] = {
  /* Translators: these end a sentence: “peers[0].host is 7: … is needed” */
  { "host", N_("a host name or an address as a string"), TRUE, read_host },
  { "port", N_("a whole number from 1 to 65535"), TRUE, read_port },
  { NULL },
};

static gboolean
read_endpoint (Reader      *self,
               const char  *place,
               JsonNode    *node,
               GError     **error)
{
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return fail_node (self, _("an object with “host” and “port”"), place, node, error);
  return read_object (self, endpoint_members, place, json_node_get_object (node), error);
}

static gboolean
read_peers (Reader        *self,
            const Member  *member,
            const char    *list,
            JsonNode      *node,
            GError       **error)
{
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return fail_node (self, _(member->needed), list, node, error);
  array = json_node_get_array (node);
  if (json_array_get_length (array) == 0)
    /* Translators: “peers is empty: …” */
    return fail (error, list, _("empty"), _("at least one peer with “host” and “port”"));

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *place = g_strdup_printf ("%s[%u]", list, i);

      if (!read_endpoint (self, place, json_array_get_element (array, i), error) ||
          !amnesia_conf_append_peer (self->conf, list, self->host, self->port, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_group (Reader        *self,
            const Member  *member,
            const char    *place,
            JsonNode      *node,
            GError       **error)
{
  if (json_node_get_value_type (node) != G_TYPE_STRING ||
      strlen (json_node_get_string (node)) > AMNESIA_CONF_MAX_GROUP)
    return fail_node (self, _(member->needed), place, node, error);
  amnesia_conf_set_group (self->conf, json_node_get_string (node));
  return TRUE;
}

typedef gboolean (*AddText) (AmnesiaConf  *conf,
                             const char   *text,
                             GError      **error);

/* A list of strings. @needed: what each should be, as fail_node () has it. */
static gboolean
read_texts (Reader        *self,
            const Member  *member,
            const char    *list,
            JsonNode      *node,
            const char    *needed,
            AddText        add,
            GError       **error)
{
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return fail_node (self, _(member->needed), list, node, error);
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *place = g_strdup_printf ("%s[%u]", list, i);
      JsonNode *text = json_array_get_element (array, i);

      if (json_node_get_value_type (text) != G_TYPE_STRING)
        return fail_node (self, needed, place, text, error);
      if (!add (self->conf, json_node_get_string (text), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_allow (Reader        *self,
            const Member  *member,
            const char    *list,
            JsonNode      *node,
            GError       **error)
{
  return read_texts (self, member, list, node, _("a range of addresses as a string"),
                     amnesia_conf_add_allow, error);
}

static gboolean
read_max_size (Reader        *self,
               const Member  *member,
               const char    *place,
               JsonNode      *node,
               GError       **error)
{
  guint64 max_size;

  if (!read_whole (self, member, place, node, AMNESIA_CONF_MIN_MAX_SIZE,
                   AMNESIA_CONF_MAX_MAX_SIZE, &max_size, error))
    return FALSE;
  amnesia_conf_set_max_size (self->conf, max_size);
  return TRUE;
}

static gboolean
read_clock_limit (Reader        *self,
                  const Member  *member,
                  const char    *place,
                  JsonNode      *node,
                  GError       **error)
{
  guint64 clock_limit;

  if (!read_whole (self, member, place, node, 0, G_MAXUINT32, &clock_limit, error))
    return FALSE;
  amnesia_conf_set_clock_limit (self->conf, clock_limit);
  return TRUE;
}

static gboolean
read_local (Reader        *self,
            const Member  *member,
            const char    *place,
            JsonNode      *node,
            GError       **error)
{
  if (json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return fail_node (self, _(member->needed), place, node, error);
  amnesia_conf_set_local (self->conf, json_node_get_boolean (node));
  return TRUE;
}

static gboolean
read_listen (Reader        *self,
             const Member  *member,
             const char    *place,
             JsonNode      *node,
             GError       **error)
{
  return read_endpoint (self, place, node, error) &&
         amnesia_conf_set_listen (self->conf, self->host, self->port, error);
}

static gboolean
read_name_of_file (Reader        *self,
                   const Member  *member,
                   const char    *place,
                   JsonNode      *node,
                   GError       **error)
{
  const char **slot = g_str_equal (member->name, "certificate")   ? &self->certificate
                      : g_str_equal (member->name, "private-key") ? &self->private_key
                                                                  : &self->authorities;

  if (json_node_get_value_type (node) != G_TYPE_STRING || *json_node_get_string (node) == '\0')
    return fail_node (self, _(member->needed), place, node, error);
  *slot = json_node_get_string (node);
  return TRUE;
}

static gboolean
read_names (Reader        *self,
            const Member  *member,
            const char    *list,
            JsonNode      *node,
            GError       **error)
{
  return read_texts (self, member, list, node, _("a host name or an address as a string"),
                     amnesia_conf_append_tls_name, error);
}

static const Member tls_members[] = {
  /* Translators: these end a sentence: “tls.certificate is 7: … is needed” */
  { "certificate", N_("the name of a file, or a URI of PKCS #11, as a string"), TRUE,
    read_name_of_file },
  { "private-key", N_("the name of a file, or a URI of PKCS #11, as a string"), FALSE,
    read_name_of_file },
  { "authorities", N_("the name of a file as a string"), TRUE, read_name_of_file },
  { "names", N_("an array of host names or addresses"), FALSE, read_names },
  { NULL },
};

static char *
resolve (Reader     *self,
         const char *name)
{
  if (name == NULL || amnesia_tls_is_uri (name))
    return g_strdup (name);
  return g_canonicalize_filename (name, self->directory);
}

static gboolean
read_tls (Reader        *self,
          const Member  *member,
          const char    *place,
          JsonNode      *node,
          GError       **error)
{
  g_autofree char *certificate = NULL, *private_key = NULL, *authorities = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return fail_node (self, _(member->needed), place, node, error);
  if (!read_object (self, tls_members, place, json_node_get_object (node), error))
    return FALSE;
  certificate = resolve (self, self->certificate);
  private_key = resolve (self, self->private_key);
  authorities = resolve (self, self->authorities);
  return amnesia_conf_set_tls_files (self->conf, certificate, private_key, authorities, error);
}

static gboolean
read_require_tls (Reader        *self,
                  const Member  *member,
                  const char    *place,
                  JsonNode      *node,
                  GError       **error)
{
  if (json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return fail_node (self, _(member->needed), place, node, error);
  amnesia_conf_set_require_tls (self->conf, json_node_get_boolean (node));
  return TRUE;
}

static const Member conf_members[] = {
  /* Translators: these end a sentence: “peers is 7: … is needed” */
  { "peers", N_("an array of objects with “host” and “port”"), TRUE, read_peers },
  { "group", N_("a string of at most 255 bytes"), FALSE, read_group },
  { "allow", N_("an array of ranges of addresses"), FALSE, read_allow },
  { "max-size", N_("a whole number of bytes from 1024 to 1073741824"), FALSE, read_max_size },
  { "clock-limit", N_("a whole number of seconds from 0 to 4294967295"), FALSE,
    read_clock_limit },
  { "local", N_("true or false"), FALSE, read_local },
  { "listen", NULL, FALSE, read_listen },
  { "tls", N_("an object with “certificate” and “authorities”"), FALSE, read_tls },
  { "require-tls", N_("true or false"), FALSE, read_require_tls },
  { NULL },
};

static gboolean
check_length (guint64   length,
              GError  **error)
{
  g_autofree char *shown = NULL;

  if (length <= MAX_LENGTH)
    return TRUE;
  shown = g_strdup_printf ("%" G_GUINT64_FORMAT, length);
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
               ngettext ("the configuration has %s byte: at most %d are possible",
                         "the configuration has %s bytes: at most %d are possible", length),
               shown, MAX_LENGTH);
  return FALSE;
}

/* Fills `conf` from a text which ends with a NUL after `length` bytes. Names of files are relative to
 * `directory`, or to the present one if that is NULL. */
gboolean
amnesia_conf_read_json (AmnesiaConf  *conf,
                        const char   *text,
                        gsize         length,
                        const char   *directory,
                        GError      **error)
{
  g_autoptr (AmnesiaJsonDocument) document = NULL;
  Reader reader = { conf, .directory = directory };
  JsonNode *root;

  if (!check_length (length, error))
    return FALSE;
  document = amnesia_json_document_new (text, length, MAX_DEPTH, AMNESIA_ERROR_INVALID_CONF,
                                        error);
  if (document == NULL)
    return FALSE;

  reader.document = document;
  root = amnesia_json_document_get_root (document);
  if (JSON_NODE_HOLDS_ARRAY (root))
    return read_peers (&reader, &conf_members[0], "", root, error);
  if (JSON_NODE_HOLDS_OBJECT (root))
    return read_object (&reader, conf_members, "", json_node_get_object (root), error) &&
           amnesia_conf_check_tls (conf, error);
  return fail_node (&reader, _("an array of peers, or an object with “peers”"), "", root, error);
}

static gboolean
fail_errno (GError **error)
{
  int code = errno;

  g_set_error_literal (error, G_FILE_ERROR, g_file_error_from_errno (code), g_strerror (code));
  return FALSE;
}

/* Whether this is a file that is not too long; nothing else is to be waited for. */
static gboolean
check_regular (int      fd,
               GError **error)
{
  struct stat status;

  if (fstat (fd, &status) < 0)
    return fail_errno (error);
  if (S_ISREG (status.st_mode))
    return check_length (status.st_size, error);
  g_set_error_literal (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_CONF,
                       _("a regular file is needed, not a folder, pipe or device"));
  return FALSE;
}

static gboolean
read_open_file (AmnesiaConf  *conf,
                FILE         *file,
                const char   *directory,
                GError      **error)
{
  /* One more for a file that has grown since, and one for the NUL. */
  g_autofree char *text = g_malloc (MAX_LENGTH + 2);
  gsize n_read;

  if (!check_regular (fileno (file), error))
    return FALSE;
  n_read = fread (text, 1, MAX_LENGTH + 1, file);
  if (ferror (file))
    return fail_errno (error);
  text[n_read] = '\0';
  return amnesia_conf_read_json (conf, text, n_read, directory, error);
}

/* With streams of GIO this would take as long as to read what is in the file. */
static gboolean
read_file (AmnesiaConf  *conf,
           const char   *filename,
           GError      **error)
{
  int fd = g_open (filename, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  FILE *file = fd >= 0 ? fdopen (fd, "r") : NULL;
  g_autofree char *directory = g_path_get_dirname (filename);
  g_autofree char *absolute = g_canonicalize_filename (directory, NULL);
  gboolean success;

  if (file == NULL)
    {
      fail_errno (error);
      if (fd >= 0)
        close (fd);
      return FALSE;
    }
  success = read_open_file (conf, file, absolute, error);
  fclose (file);
  return success;
}

/* Fills `conf` from a file. */
gboolean
amnesia_conf_read_file (AmnesiaConf  *conf,
                        const char   *filename,
                        GError      **error)
{
  g_autofree char *name = g_filename_display_name (filename);

  if (read_file (conf, filename, error))
    return TRUE;
  g_prefix_error (error, "%s: ", name);
  return FALSE;
}
