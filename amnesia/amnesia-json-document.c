/* SPDX-License-Identifier: MIT */

#include "amnesia-json-document-private.h"

#include "amnesia-gettext-private.h"

#include <string.h>

/* How many characters of somebody's text a message shows. */
#define SHOWN_LENGTH 40
#define DIGITS "0123456789"

/*
 * AmnesiaJsonDocument:
 *
 * A JSON text that was checked, as json-glib's tree and the numbers as they were written.
 *
 * json-glib 1.6 accepts a lot that is not JSON, changes numbers that it cannot hold and overflows
 * the stack on deep nesting. So a scanner goes over the text first and refuses whatever is not
 * RFC 8259 or would lose something, and it notes where each number begins. Who walks over the
 * tree in document order takes these numbers one by one, each time it meets a number node; what
 * the nodes themselves say of a number is not used.
 */
struct _AmnesiaJsonDocument
{
  const char *text;    /* (unowned) */
  JsonNode *root;      /* (owned) (nullable) */
  GPtrArray *numbers;  /* (owned) (element-type utf8): places in the text, in its order */
  guint n_taken;       /* how many of the numbers were taken */
  AmnesiaError code;   /* of the errors */
};

typedef struct
{
  AmnesiaJsonDocument *document;
  const char *at;
  GPtrArray *open;  /* (element-type GHashTable): per open container its names, NULL for arrays */
  guint max_depth;
} Scanner;

static void
free_names (gpointer names)
{
  if (names != NULL)
    g_hash_table_unref (names);
}

static void
skip_space (Scanner *self)
{
  self->at += strspn (self->at, " \t\n\r");
}

static gboolean
fail_needed (Scanner     *self,
             const char  *needed,
             GError     **error)
{
  gunichar found = g_utf8_get_char (self->at);
  char shown[7] = { 0 };

  /* Translators: in these three %s is what is needed, as “a digit”, and last what is there */
  if (found == 0)
    return amnesia_json_document_fail (self->document, self->at, error,
                                       _("%s is needed, but the text ends"), needed);
  if (!g_unichar_isgraph (found))
    return amnesia_json_document_fail (self->document, self->at, error,
                                       _("%s is needed, not the character U+%04X"), needed, found);
  g_unichar_to_utf8 (found, shown);
  return amnesia_json_document_fail (self->document, self->at, error,
                                     _("%s is needed, not “%s”"), needed, shown);
}

/* The value of four hexadecimal digits, or -1. */
static int
read_hex (const char *at)
{
  int value = 0;

  for (int i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (at[i]);

      if (digit < 0)
        return -1;
      value = value * 16 + digit;
    }
  return value;
}

static gboolean
scan_unicode_escape (Scanner  *self,
                     GString  *decoded,
                     GError  **error)
{
  const char *start = self->at;
  int unit = read_hex (start + 2);

  if (unit < 0)
    return amnesia_json_document_fail (self->document, start, error,
                                       _("four hexadecimal digits are needed after \\u"));
  if (unit == 0)
    return amnesia_json_document_fail (self->document, start, error,
                                       _("a string cannot hold \\u0000; leave it out"));
  self->at += 6;
  if (unit >= 0xD800 && unit <= 0xDBFF && self->at[0] == '\\' && self->at[1] == 'u')
    {
      int low = read_hex (self->at + 2);

      if (low >= 0xDC00 && low <= 0xDFFF)
        {
          unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
          self->at += 6;
        }
    }
  if (unit >= 0xD800 && unit <= 0xDFFF)
    return amnesia_json_document_fail (self->document, start, error,
                                       _("half of a surrogate pair is no character; write both"));
  if (decoded != NULL)
    g_string_append_unichar (decoded, unit);
  return TRUE;
}

static gboolean
scan_escape (Scanner  *self,
             GString  *decoded,
             GError  **error)
{
  static const char letters[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  const char *letter;

  if (self->at[1] == 'u')
    return scan_unicode_escape (self, decoded, error);

  self->at++;
  letter = *self->at != '\0' ? strchr (letters, *self->at) : NULL;
  if (letter == NULL)
    return fail_needed (self, _("one of \" \\ / b f n r t u after a backslash"), error);
  if (decoded != NULL)
    g_string_append_c (decoded, meanings[letter - letters]);
  self->at++;
  return TRUE;
}

static gboolean
scan_string (Scanner  *self,
             GString  *decoded,
             GError  **error)
{
  self->at++;
  while (*self->at != '"')
    {
      const char *start = self->at;

      while ((guchar) *self->at >= 0x20 && *self->at != '"' && *self->at != '\\')
        self->at++;
      if (decoded != NULL)
        g_string_append_len (decoded, start, self->at - start);

      if (*self->at == '\\' && !scan_escape (self, decoded, error))
        return FALSE;
      if ((guchar) *self->at < 0x20)
        return fail_needed (self, _("a closing quotation mark or an escaped character"), error);
    }
  self->at++;
  return TRUE;
}

static gboolean
scan_digits (Scanner  *self,
             GError  **error)
{
  gsize n = strspn (self->at, DIGITS);

  if (n == 0)
    return fail_needed (self, _("a digit"), error);
  self->at += n;
  return TRUE;
}

static gboolean
scan_number (Scanner  *self,
             GError  **error)
{
  const char *start = self->at;
  const char *first;

  self->at += *self->at == '-';
  first = self->at;
  if (!scan_digits (self, error))
    return FALSE;
  if (*first == '0' && self->at - first > 1)
    return amnesia_json_document_fail (self->document, start, error,
                                       _("a number begins with 0; leave out the leading zeros"));
  if (*self->at == '.')
    {
      self->at++;
      if (!scan_digits (self, error))
        return FALSE;
    }
  if (*self->at == 'e' || *self->at == 'E')
    {
      self->at++;
      self->at += *self->at == '+' || *self->at == '-';
      if (!scan_digits (self, error))
        return FALSE;
    }
  g_ptr_array_add (self->document->numbers, (gpointer) start);
  return TRUE;
}

static gboolean
scan_word (Scanner  *self,
           GError  **error)
{
  static const char *const words[] = { "true", "false", "null" };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (self->at, words[i]))
      {
        self->at += strlen (words[i]);
        return TRUE;
      }
  return fail_needed (self, _("a JSON value"), error);
}

static gboolean
scan_name (Scanner  *self,
           GError  **error)
{
  GHashTable *names = g_ptr_array_index (self->open, self->open->len - 1);
  g_autoptr (GString) name = g_string_new (NULL);
  const char *start;

  skip_space (self);
  start = self->at;
  if (*self->at != '"')
    return fail_needed (self, _("a member's name in double quotes"), error);
  if (!scan_string (self, name, error))
    return FALSE;
  if (!g_hash_table_add (names, g_strdup (name->str)))
    {
      g_autofree char *shown = amnesia_json_quote (name->str);

      return amnesia_json_document_fail (self->document, start, error,
                                         _("an object has the member %s twice; keep one"), shown);
    }
  skip_space (self);
  if (*self->at != ':')
    return fail_needed (self, "“:”", error);
  self->at++;
  return TRUE;
}

static void
close_container (Scanner *self)
{
  g_ptr_array_set_size (self->open, self->open->len - 1);
  self->at++;
}

static gboolean
open_container (Scanner   *self,
                gboolean  *has_content,
                GError   **error)
{
  gboolean is_object = *self->at == '{';

  if (self->open->len == self->max_depth)
    return amnesia_json_document_fail (self->document, self->at, error,
                                       _("arrays and objects lie in each other deeper than %u"),
                                       self->max_depth);
  g_ptr_array_add (self->open, is_object
                                 ? g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) : NULL);
  self->at++;
  skip_space (self);
  *has_content = *self->at != (is_object ? '}' : ']');
  if (!*has_content)
    close_container (self);
  return !*has_content || !is_object || scan_name (self, error);
}

/* Scans a value; of a container with content only what comes before its first value. */
static gboolean
scan_value (Scanner   *self,
            gboolean  *has_content,
            GError   **error)
{
  *has_content = FALSE;
  skip_space (self);
  if (*self->at == '{' || *self->at == '[')
    return open_container (self, has_content, error);
  if (*self->at == '"')
    return scan_string (self, NULL, error);
  if (*self->at == '-' || g_ascii_isdigit (*self->at))
    return scan_number (self, error);
  return scan_word (self, error);
}

/* Scans from the end of a value to the next one, or to the end of the text. */
static gboolean
scan_after_value (Scanner   *self,
                  gboolean  *at_end,
                  GError   **error)
{
  *at_end = FALSE;
  for (skip_space (self); self->open->len > 0; skip_space (self))
    {
      gboolean is_object = g_ptr_array_index (self->open, self->open->len - 1) != NULL;

      if (*self->at == ',')
        {
          self->at++;
          return !is_object || scan_name (self, error);
        }
      if (*self->at != (is_object ? '}' : ']'))
        return fail_needed (self, is_object ? _("“,” or “}”") : _("“,” or “]”"), error);
      close_container (self);
    }
  if (*self->at != '\0')
    return fail_needed (self, _("the end of the text"), error);
  *at_end = TRUE;
  return TRUE;
}

static gboolean
scan (AmnesiaJsonDocument  *document,
      guint                 max_depth,
      GError              **error)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new_with_free_func (free_names);
  Scanner scanner = { document, document->text, open, max_depth };
  gboolean at_end = FALSE;

  while (!at_end)
    {
      gboolean has_content;

      if (!scan_value (&scanner, &has_content, error))
        return FALSE;
      if (!has_content && !scan_after_value (&scanner, &at_end, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_characters (AmnesiaJsonDocument  *document,
                  gsize                 length,
                  GError              **error)
{
  const char *text = document->text;
  const char *wrong;

  if (!g_utf8_validate_len (text, length, &wrong))
    return amnesia_json_document_fail (document, wrong, error,
                                       _("the byte 0x%02x is not UTF-8 text"), (guchar) *wrong);
  if (g_str_has_prefix (text, "\xEF\xBB\xBF"))
    return amnesia_json_document_fail (document, text, error,
                                       _("a byte order mark comes first; leave it out"));
  return TRUE;
}

static gboolean
parse (AmnesiaJsonDocument  *self,
       gsize                 length,
       GError              **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) problem = NULL;

  if (!json_parser_load_from_data (parser, self->text, length, &problem))
    {
      g_set_error_literal (error, AMNESIA_ERROR, self->code, problem->message);
      return FALSE;
    }
  self->root = json_parser_steal_root (parser);
  return TRUE;
}

/* Checks and parses `text`, which ends with a NUL after `length` bytes and outlives the result.
 * All errors are of `code` and say line and column. */
AmnesiaJsonDocument *
amnesia_json_document_new (const char    *text,
                           gsize          length,
                           guint          max_depth,
                           AmnesiaError   code,
                           GError       **error)
{
  g_autoptr (AmnesiaJsonDocument) self = g_new0 (AmnesiaJsonDocument, 1);

  self->text = text;
  self->code = code;
  self->numbers = g_ptr_array_new ();
  if (!check_characters (self, length, error) || !scan (self, max_depth, error) ||
      !parse (self, length, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
amnesia_json_document_free (AmnesiaJsonDocument *self)
{
  g_clear_pointer (&self->root, json_node_unref);
  g_ptr_array_unref (self->numbers);
  g_free (self);
}

JsonNode *
amnesia_json_document_get_root (AmnesiaJsonDocument *self)
{
  return self->root;
}

/* The text of the next number in document order; what follows it there is no part of a number. */
const char *
amnesia_json_document_take_number (AmnesiaJsonDocument *self,
                                   gsize               *length)
{
  const char *at;

  g_assert (self->n_taken < self->numbers->len);

  at = g_ptr_array_index (self->numbers, self->n_taken++);
  *length = strspn (at, DIGITS "+-.eE");
  return at;
}

/* Sets an error that begins with the line and the column of `at`; always FALSE. */
gboolean
amnesia_json_document_fail (AmnesiaJsonDocument  *self,
                            const char           *at,
                            GError              **error,
                            const char           *format,
                            ...)
{
  const char *line_start = self->text;
  g_autofree char *message = NULL;
  guint line = 1;
  va_list arguments;

  for (const char *c = self->text; c < at; c++)
    if (*c == '\n')
      {
        line++;
        line_start = c + 1;
      }
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  /* Translators: line and column have to stay in this order, and before a colon: the command looks
   * for them there */
  g_set_error (error, AMNESIA_ERROR, self->code, _("line %u, column %lu: %s"), line,
               g_utf8_strlen (line_start, at - line_start) + 1, message);
  return FALSE;
}

gboolean
amnesia_json_node_is_number (JsonNode *node)
{
  GType type = json_node_get_value_type (node);

  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

/* Appends `string` as JSON text, in quotation marks. */
void
amnesia_json_append_string (GString    *out,
                            const char *string)
{
  static const char short_forms[] = "\b\f\n\r\t";
  static const char short_letters[] = "bfnrt";

  g_string_append_c (out, '"');
  for (const char *start = string; *string != '\0'; start = ++string)
    {
      const char *short_form;

      while ((guchar) *string >= 0x20 && *string != '"' && *string != '\\')
        string++;
      g_string_append_len (out, start, string - start);
      if (*string == '\0')
        break;
      short_form = strchr (short_forms, *string);
      if (*string == '"' || *string == '\\')
        g_string_append_printf (out, "\\%c", *string);
      else if (short_form != NULL)
        g_string_append_printf (out, "\\%c", short_letters[short_form - short_forms]);
      else
        g_string_append_printf (out, "\\u%04x", (guint) *string);
    }
  g_string_append_c (out, '"');
}

/* The beginning of `text` that fits in a message. */
char *
amnesia_json_cut (const char *text,
                  gsize       length)
{
  g_autofree char *valid = g_utf8_make_valid (text, MIN (length, 4 * SHOWN_LENGTH + 4));
  g_autofree char *start = NULL;

  if (g_utf8_strlen (valid, -1) <= SHOWN_LENGTH)
    return g_steal_pointer (&valid);
  start = g_utf8_substring (valid, 0, SHOWN_LENGTH);
  return g_strconcat (start, "…", NULL);
}

/* The beginning of `string`, as JSON text, for a message. */
char *
amnesia_json_quote (const char *string)
{
  g_autofree char *start = amnesia_json_cut (string, strlen (string));
  GString *quoted = g_string_new (NULL);

  amnesia_json_append_string (quoted, start);
  return g_string_free (quoted, FALSE);
}
