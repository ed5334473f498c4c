/* SPDX-License-Identifier: MIT */

#include "tool-input.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 4096

/* A source that is always ready must not keep the user from typing. */
#define MAX_ITERATIONS 100

struct _ToolInput
{
  int descriptor;
  GByteArray *bytes;  /* (owned): what has come and not been taken begins at `taken` */
  guint taken;
  gboolean is_ended;  /* there is no more than `bytes` */
  gboolean is_closed; /* nobody wants that either */
};

ToolInput *
tool_input_new (int descriptor)
{
  ToolInput *self = g_new0 (ToolInput, 1);

  self->descriptor = descriptor;
  self->bytes = g_byte_array_new ();
  return self;
}

void
tool_input_free (ToolInput *self)
{
  g_byte_array_unref (self->bytes);
  g_free (self);
}

void
tool_input_end (ToolInput *self)
{
  self->is_ended = TRUE;
  self->is_closed = TRUE;
  g_main_context_wakeup (NULL);
}

static guint
n_left (ToolInput *self)
{
  return self->is_closed ? 0 : self->bytes->len - self->taken;
}

gboolean
tool_input_has_more (ToolInput *self)
{
  return n_left (self) > 0;
}

static const char *
left (ToolInput *self)
{
  return (const char *) self->bytes->data + self->taken;
}

static gboolean
on_ready (int          descriptor,
          GIOCondition condition,
          gpointer     user_data)
{
  ToolInput *self = user_data;
  guint8 chunk[CHUNK];
  gssize n_read = read (descriptor, chunk, sizeof chunk);

  if (n_read > 0)
    g_byte_array_append (self->bytes, chunk, n_read);
  else if (n_read == 0 || (errno != EAGAIN && errno != EINTR))
    self->is_ended = TRUE;
  return G_SOURCE_CONTINUE;
}

/* Runs the main context until more has come. Read is only what is wanted now: the rest of a long paste
 * waits in the kernel, and not here. */
static gboolean
wait_for_more (ToolInput *self)
{
  guint before, source;

  g_byte_array_remove_range (self->bytes, 0, self->taken);
  self->taken = 0;
  before = self->bytes->len;

  source = g_unix_fd_add (self->descriptor, G_IO_IN | G_IO_HUP | G_IO_ERR, on_ready, self);
  while (self->bytes->len == before && !self->is_ended)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
  return self->bytes->len > before;
}

void
tool_input_give_turn (ToolInput *self)
{
  for (guint i = 0; i < MAX_ITERATIONS; i++)
    if (!g_main_context_iteration (NULL, FALSE))
      break;
}

/* Whether the next character is there whole; (gunichar) -1 if it is none. */
static gboolean
look (ToolInput *self,
      gunichar  *found)
{
  *found = g_utf8_get_char_validated (left (self), n_left (self));
  return *found != (gunichar) -2;
}

gboolean
tool_input_next_char (ToolInput *self,
                      gunichar  *found)
{
  while (n_left (self) == 0 || !look (self, found))
    if (!wait_for_more (self))
      {
        if (n_left (self) == 0)
          return FALSE;
        *found = (gunichar) -1; /* the end in the middle of a character */
        break;
      }

  if (*found == (gunichar) -1)
    {
      self->taken++;
      *found = 0xFFFD;
    }
  else
    self->taken += g_unichar_to_utf8 (*found, NULL);
  return TRUE;
}

/* A zero byte would hide what follows; the other one is no text either, and is told of. */
static char *
take_line (ToolInput *self,
           gsize      length)
{
  char *line = g_malloc (length + 1);

  memcpy (line, left (self), length);
  line[length] = '\0';
  for (gsize i = 0; i < length; i++)
    if (line[i] == '\0')
      line[i] = '\xFF';

  self->taken += MIN (length + 1, n_left (self));
  return line;
}

char *
tool_input_next_line (ToolInput *self)
{
  gsize seen = 0;

  for (;;)
    {
      const char *end = n_left (self) > seen ? memchr (left (self) + seen, '\n', n_left (self) - seen)
                                             : NULL;

      if (end != NULL)
        return take_line (self, end - left (self));
      seen = n_left (self);
      if (!wait_for_more (self))
        return n_left (self) > 0 ? take_line (self, n_left (self)) : NULL;
    }
}
