/* SPDX-License-Identifier: MIT */

#include "tool-relaxed.h"

#include <string.h>

/* Values as people type them at a prompt: JSON, but that the name of a member needs no quotes if it is one
 * as in JavaScript, and that quotes may be single ones. That is all. Nothing is checked here: what is no
 * JSON stays none, and whoever reads it says so. */

typedef struct
{
  const char *text;
  const char *at;
  GString *json;     /* (owned) */
  GArray *places;    /* (owned) (element-type guint): where each character of `json` was in `text` */
  gboolean expects_name;
} Relaxer;

static gboolean
is_name_char (gunichar c,
              gboolean is_first)
{
  return c == '_' || c == '$' || g_unichar_isalpha (c) || (!is_first && g_unichar_isdigit (c));
}

/* How many bytes of a name there are. */
static gsize
measure_name (const char *text)
{
  const char *end = text;

  while (is_name_char (g_utf8_get_char (end), end == text))
    end = g_utf8_next_char (end);
  return end - text;
}

/* Whether it can stand without quotes. */
gboolean
tool_relaxed_is_name (const char *text)
{
  gsize length = measure_name (text);

  return length > 0 && text[length] == '\0';
}

static void
put (Relaxer  *self,
     gunichar  c)
{
  guint place = self->at - self->text;

  g_string_append_unichar (self->json, c);
  g_array_append_val (self->places, place);
}

static void
take (Relaxer *self)
{
  put (self, g_utf8_get_char (self->at));
  self->at = g_utf8_next_char (self->at);
}

/* Takes a character of a string. A single quote needs no backslash in JSON, and may have none; a double
 * one needs it. */
static void
take_string_char (Relaxer *self)
{
  if (self->at[0] == '\\' && self->at[1] == '\'')
    self->at++;
  else if (self->at[0] == '\\' && self->at[1] != '\0')
    take (self);
  else if (self->at[0] == '"')
    put (self, '\\');
  take (self);
}

static void
take_string (Relaxer *self)
{
  char quote = *self->at;

  put (self, '"');
  self->at++;
  while (*self->at != '\0' && *self->at != quote)
    take_string_char (self);
  if (*self->at == quote)
    {
      put (self, '"');
      self->at++;
    }
}

/* Takes a word: if it is the name of a member, with the quotes that it lacks. */
static void
take_word (Relaxer *self)
{
  const char *end = self->at + measure_name (self->at);
  gboolean is_member = self->expects_name && end[strspn (end, " \t\r\n")] == ':';

  if (is_member)
    put (self, '"');
  while (self->at < end)
    take (self);
  if (is_member)
    put (self, '"');
}

static void
take_next (Relaxer *self)
{
  if (*self->at == '"' || *self->at == '\'')
    take_string (self);
  else if (measure_name (self->at) > 0)
    take_word (self);
  else
    {
      if (strchr (" \t\r\n", *self->at) == NULL)
        self->expects_name = *self->at == '{' || *self->at == ',';
      take (self);
      return;
    }
  self->expects_name = FALSE;
}

/* Returns JSON, if it was meant to be that. Sets @places to where each of its characters was in @text,
 * in bytes, with one more for its end. */
char *
tool_relaxed_to_json (const char  *text,
                      GArray     **places)
{
  Relaxer relaxer = { .text = text, .at = text };
  guint end = strlen (text);

  relaxer.json = g_string_new (NULL);
  relaxer.places = g_array_new (FALSE, FALSE, sizeof (guint));
  while (*relaxer.at != '\0')
    take_next (&relaxer);
  g_array_append_val (relaxer.places, end);
  *places = relaxer.places;

  return g_string_free (relaxer.json, FALSE);
}
