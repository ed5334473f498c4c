/* SPDX-License-Identifier: MIT */

#include "tool-statement.h"

#include "tool-relaxed.h"
#include "tool-value.h"

#include <amnesia.h>
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#define SPACES " \t\r\n"

typedef struct
{
  const char *line;
  const char *at;
  ToolStatement *statement;
} Reader;

typedef struct
{
  const char *name;
  ToolVerb verb;
} Word;

const char *const tool_statement_words[] = {
  "delete", "get", "help", "history", "mem.", "peers", "quit", "set", "unset", NULL,
};

const char *const tool_statement_members[] = {
  "conf", "data", "history", "peers", "state", "updated", NULL,
};

/* --- what is wrong, and where --- */

/* A place as people count it; lines only where there are several. */
static char *
describe_place (const char *text,
                const char *at)
{
  const char *start = text;
  guint n_line = 1;
  gulong column;

  for (const char *c = text; c < at; c++)
    if (*c == '\n')
      {
        n_line++;
        start = c + 1;
      }
  column = g_utf8_strlen (start, at - start) + 1;
  if (strchr (text, '\n') == NULL)
    return g_strdup_printf (_("column %lu"), column);

  return g_strdup_printf (_("line %u, column %lu"), n_line, column);
}

G_GNUC_PRINTF (4, 5)
static gboolean
fail (Reader      *self,
      const char  *at,
      GError     **error,
      const char  *format,
      ...)
{
  g_autofree char *place = describe_place (self->line, at);
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, AMNESIA_ERROR, AMNESIA_ERROR_FAILED, _("%s: %s"), place, message);

  return FALSE;
}

/* Takes the next number of a message, if it is before @end. */
static gboolean
take_number (const char **message,
             const char  *end,
             guint       *number)
{
  char *rest;

  *message += strcspn (*message, "0123456789");
  if (*message >= end)
    return FALSE;
  *number = strtoul (*message, &rest, 10);
  *message = rest;

  return *number > 0;
}

/* How many characters are before a place. */
static guint
count_before (const char *text,
              guint       n_line,
              guint       column)
{
  const char *start = text;

  for (; n_line > 1 && strchr (start, '\n') != NULL; n_line--)
    start = strchr (start, '\n') + 1;

  return g_utf8_strlen (text, start - text) + column - 1;
}

/* The error of the library begins with line and column, in the language of the user, and a colon. They
 * are those of the value, and as JSON has it: here it is a part of what was typed in another way. */
static gboolean
fail_value (Reader        *self,
            const char    *text,
            const char    *json,
            GArray        *places,
            const GError  *problem,
            GError       **error)
{
  const char *message = problem->message;
  const char *end = strchr (message, ':');
  guint n_line, column, index;

  if (end == NULL || !take_number (&message, end, &n_line) || !take_number (&message, end, &column))
    return fail (self, text, error, "%s", problem->message);

  index = MIN (count_before (json, n_line, column), places->len - 1);
  end++;
  end += strspn (end, " ");

  return fail (self, text + g_array_index (places, guint, index), error, "%s", end);
}

/* --- parts of a line --- */

static void
skip_spaces (Reader *self)
{
  self->at += strspn (self->at, SPACES);
}

static gboolean
take_char (Reader *self,
           char    c)
{
  skip_spaces (self);
  if (*self->at != c)
    return FALSE;
  self->at++;

  return TRUE;
}

/* Takes this word, if it is the next one and what follows is a space, the end, or one of `more`. */
static gboolean
take (Reader     *self,
      const char *word,
      const char *more)
{
  gsize length = strlen (word);

  skip_spaces (self);
  if (strncmp (self->at, word, length) != 0)
    return FALSE;
  if (strchr (SPACES, self->at[length]) == NULL && strchr (more, self->at[length]) == NULL)
    return FALSE;
  self->at += length;

  return TRUE;
}

static gboolean
take_word (Reader     *self,
           const char *word)
{
  return take (self, word, "");
}

static gboolean
take_name (Reader     *self,
           const char *name)
{
  return take (self, name, ".[=");
}

static gboolean
expect_end (Reader  *self,
            GError **error)
{
  skip_spaces (self);
  if (*self->at == '\0')
    return TRUE;

  return fail (self, self->at, error, _("nothing more is expected here"));
}

static gboolean
read_json (Reader    *self,
           GVariant **value,
           GError   **error)
{
  const char *text;
  g_autoptr (GArray) places = NULL;
  g_autofree char *json = NULL;
  g_autoptr (GError) problem = NULL;

  skip_spaces (self);
  text = self->at;
  if (*text == '\0')
    return fail (self, text, error, _("a value is missing, such as 0.4, \"text\" or {\"a\": 1}"));
  json = tool_relaxed_to_json (text, &places);
  if (!tool_value_parse (json, TOOL_FORM_JSON, value, &problem))
    return fail_value (self, text, json, places, problem, error);
  self->at += strlen (text);

  return TRUE;
}

/* Reads the value of a SET. Under a key null is a value like any other; alone it is none. */
static gboolean
read_value (Reader  *self,
            GError **error)
{
  ToolStatement *statement = self->statement;

  if (!read_json (self, &statement->value, error))
    return FALSE;
  if (statement->value == NULL && statement->key != NULL)
    statement->value = tool_value_as_part (NULL);

  return TRUE;
}

/* How many bytes a string has with its quotes, of either kind; 0: it does not end. */
static gsize
measure_string (const char *text)
{
  const char *end = text + 1;

  while (*end != '\0' && *end != *text)
    end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;

  return *end != '\0' ? end + 1 - text : 0;
}

static gboolean
read_quoted_key (Reader  *self,
                 GError **error)
{
  gsize length = measure_string (self->at);
  g_autofree char *text = g_strndup (self->at, length);
  g_autoptr (GArray) places = NULL;
  g_autofree char *json = tool_relaxed_to_json (text, &places);
  g_autoptr (GError) problem = NULL;
  g_autoptr (GVariant) key = NULL;

  if (length == 0)
    return fail (self, self->at, error, _("the string does not end"));
  key = amnesia_from_json (json, &problem);
  if (key == NULL)
    return fail_value (self, self->at, json, places, problem, error);
  self->statement->key = g_variant_dup_string (key, NULL);
  self->at += length;

  return TRUE;
}

/* Reads a key that is a word or a string. */
static gboolean
read_key (Reader  *self,
          GError **error)
{
  gsize length;

  skip_spaces (self);
  if (*self->at == '"' || *self->at == '\'')
    return read_quoted_key (self, error);
  length = strcspn (self->at, SPACES);
  self->statement->key = g_strndup (self->at, length);
  self->at += length;

  return TRUE;
}

static gboolean
read_name (Reader  *self,
           GError **error)
{
  g_autofree char *name = g_strndup (self->at, strcspn (self->at, SPACES ".[=;(){},:\"'"));

  if (!tool_relaxed_is_name (name))
    return fail (self, self->at, error, _("a name is expected after the point; other keys are written "
                                          "as in mem.data[\"on-air\"]"));
  self->at += strlen (name);
  self->statement->key = g_steal_pointer (&name);

  return TRUE;
}

/* Reads `["key"]`, of which the bracket is taken. */
static gboolean
read_index (Reader  *self,
            GError **error)
{
  skip_spaces (self);
  if (*self->at != '"' && *self->at != '\'')
    return fail (self, self->at, error, _("a key in quotes is expected"));
  if (!read_quoted_key (self, error))
    return FALSE;
  if (!take_char (self, ']'))
    return fail (self, self->at, error, _("“%s” is expected"), "]");

  return TRUE;
}

/* --- lines as the original has them --- */

/* Reads what may follow `mem.data`: a key, and what shall be done with it. */
static gboolean
read_data (Reader   *self,
           ToolVerb  verb,
           GError  **error)
{
  if (take_char (self, '.') ? !read_name (self, error)
                            : take_char (self, '[') && !read_index (self, error))
    return FALSE;
  skip_spaces (self);
  if (*self->at == '.' || *self->at == '[')
    return fail (self, self->at, error, _("a key is shared as a whole: there is no part of it"));
  self->statement->verb = verb;
  if (verb == TOOL_VERB_GET && take_char (self, '='))
    {
      self->statement->verb = TOOL_VERB_SET;
      return read_value (self, error);
    }

  return expect_end (self, error);
}

static gboolean
read_conf (Reader  *self,
           GError **error)
{
  g_autoptr (GArray) places = NULL;
  g_autoptr (GVariant) value = NULL;
  const char *text;

  self->statement->verb = TOOL_VERB_CONF;
  if (!take_char (self, '='))
    return expect_end (self, error);
  self->statement->verb = TOOL_VERB_SET_CONF;
  skip_spaces (self);
  text = self->at;
  if (!read_json (self, &value, error))
    return FALSE;
  self->statement->json = tool_relaxed_to_json (text, &places);

  return TRUE;
}

static gboolean
read_member (Reader  *self,
             GError **error)
{
  const Word members[] = {
    { "peers", TOOL_VERB_PEERS },
    { "state", TOOL_VERB_STATE },
    { "updated", TOOL_VERB_UPDATED },
    { "history", TOOL_VERB_HISTORY },
  };

  if (!take_char (self, '.'))
    return fail (self, self->at, error, _("“%s” is expected, as in mem.data"), ".");
  if (take_name (self, "data"))
    return read_data (self, TOOL_VERB_GET, error);
  if (take_name (self, "conf"))
    return read_conf (self, error);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (take_name (self, members[i].name))
      {
        self->statement->verb = members[i].verb;
        skip_spaces (self);
        if (*self->at == '=')
          return fail (self, self->at, error, _("it can only be read"));
        return expect_end (self, error);
      }

  return fail (self, self->at, error, _("mem has data, conf, peers, state, updated and history"));
}

static gboolean
read_delete (Reader  *self,
             GError **error)
{
  if (!take_name (self, "mem") || !take_char (self, '.') || !take_name (self, "data"))
    return fail (self, self->at, error, _("“%s” is expected, as in mem.data"), "mem.data");

  return read_data (self, TOOL_VERB_UNSET, error);
}

/* --- short words --- */

static gboolean
read_get (Reader   *self,
          ToolVerb  verb,
          GError  **error)
{
  self->statement->verb = verb;
  skip_spaces (self);
  if (*self->at != '\0' && !read_key (self, error))
    return FALSE;

  return expect_end (self, error);
}

/* Whether one thing is there, and that is the value; else a key comes first. */
static gboolean
has_no_key (const char *text)
{
  gsize length = strcspn (text, SPACES);

  if (*text == '{' || *text == '[')
    return TRUE;
  if (*text == '"' || *text == '\'')
    length = measure_string (text);

  return length == 0 || text[length + strspn (text + length, SPACES)] == '\0';
}

static gboolean
read_set (Reader  *self,
          GError **error)
{
  self->statement->verb = TOOL_VERB_SET;
  skip_spaces (self);
  if (!has_no_key (self->at) && !read_key (self, error))
    return FALSE;

  return read_value (self, error);
}

static gboolean
read_word (Reader  *self,
           GError **error)
{
  const Word words[] = {
    { "peers", TOOL_VERB_PEERS }, { "history", TOOL_VERB_HISTORY }, { "state", TOOL_VERB_STATE },
    { "help", TOOL_VERB_HELP },   { "quit", TOOL_VERB_QUIT },       { "exit", TOOL_VERB_QUIT },
  };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (take_word (self, words[i].name))
      {
        self->statement->verb = words[i].verb;
        return expect_end (self, error);
      }

  return fail (self, self->at, error, _("this is no command; “help” lists them"));
}

static gboolean
read_statement (Reader  *self,
                GError **error)
{
  skip_spaces (self);
  if (*self->at == '\0')
    return TRUE;
  if (take_name (self, "mem"))
    return read_member (self, error);
  if (take_word (self, "delete"))
    return read_delete (self, error);
  if (take_word (self, "get"))
    return read_get (self, TOOL_VERB_GET, error);
  if (take_word (self, "unset"))
    return read_get (self, TOOL_VERB_UNSET, error);
  if (take_word (self, "set"))
    return read_set (self, error);

  return read_word (self, error);
}

/* Whether a bracket is open at the end, so that somebody who types will go on in the next line. */
gboolean
tool_statement_is_open (const char *text)
{
  guint n_open = 0;

  while (*text != '\0')
    if (*text == '"' || *text == '\'')
      {
        gsize length = measure_string (text);

        if (length == 0)
          return FALSE;
        text += length;
      }
    else
      {
        if (*text == '{' || *text == '[')
          n_open++;
        else if ((*text == '}' || *text == ']') && n_open > 0)
          n_open--;
        text++;
      }

  return n_open > 0;
}

/* Semicolons at the end are a habit of some languages. */
static char *
without_end (const char *line)
{
  char *text = g_strdup (line);

  for (gsize length = strlen (text); length > 0 && strchr (SPACES ";", text[length - 1]) != NULL;)
    text[--length] = '\0';

  return text;
}

/* Reads a line, which is UTF-8. Of one that is wrong the error says where; it stands for nothing then. */
gboolean
tool_statement_parse (ToolStatement  *self,
                      const char     *line,
                      GError        **error)
{
  g_autofree char *text = without_end (line);
  Reader reader = { .line = text, .at = text, .statement = self };

  *self = (ToolStatement) { .verb = TOOL_VERB_NOTHING };
  if (read_statement (&reader, error))
    return TRUE;
  tool_statement_clear (self);

  return FALSE;
}

void
tool_statement_clear (ToolStatement *self)
{
  self->verb = TOOL_VERB_NOTHING;
  g_clear_pointer (&self->key, g_free);
  g_clear_pointer (&self->value, g_variant_unref);
  g_clear_pointer (&self->json, g_free);
}
