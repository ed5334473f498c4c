/* SPDX-License-Identifier: MIT */

#include "tool-editor.h"

#include "tool-past.h"
#include "tool-terminal.h"
#include "tool-text.h"

#include <glib-unix.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

/* By libedit's own interface, as its imitation of Readline's gives the terminal back after each line:
 * what is pasted meanwhile is echoed, and cut at 4,096 bytes. It asks us for each character, and while
 * there is none the main context runs. */

#define PROMPT L"> "
#define PROMPT_WHEN_OPEN L"| "
#define PROMPT_WIDTH 2

/* Asks the terminal to tell where what is pasted begins and ends, or not to. */
#define TELL_PASTE "\033[?2004h"
#define TELL_NO_PASTE "\033[?2004l"
#define N_REMEMBERED 1000

struct _ToolEditor
{
  ToolInput *input; /* outlives this */
  ToolLineComplete complete;
  gpointer user_data;
  EditLine *edit;      /* (owned) */
  HistoryW *history;   /* (owned) */
  struct termios mode_at_start;
  guint resize_source;
  gboolean is_vi;      /* ~/.editrc wants it: Escape is a key of its own then, and begins no other */
  gboolean is_reading; /* the prompt is on the screen */
  gboolean goes_on;    /* the line is not the first one */
  gboolean is_cancelled;
  gboolean is_pasting;
};

static ToolEditor *
from_edit (EditLine *edit)
{
  ToolEditor *self = NULL;

  el_wget (edit, EL_CLIENTDATA, &self);
  return self;
}

static const wchar_t *
get_prompt (EditLine *edit)
{
  return from_edit (edit)->goes_on ? PROMPT_WHEN_OPEN : PROMPT;
}

/* Adds the width of a character where the line has `at` columns, as libedit shows it. */
static guint
add_width (guint   at,
           wchar_t c,
           guint   n_columns)
{
  int width = c < 0x20 || c == 0x7F ? 2 : wcwidth (c);

  if (c == '\n')
    return (at / n_columns + 1) * n_columns;
  if (width > 1 && at % n_columns + width > n_columns)
    at = (at / n_columns + 1) * n_columns; /* a wide one is not cut in two */
  return at + MAX (width, 0);
}

/* How many rows of the line are above the one with the cursor. */
static guint
n_rows_above (ToolEditor *self)
{
  const LineInfoW *line = el_wline (self->edit);
  guint n_columns = tool_terminal_get_columns (STDOUT_FILENO);
  guint at = PROMPT_WIDTH;

  /* one that is hung up has none */
  n_columns = MAX (n_columns, 1);
  for (const wchar_t *c = line->buffer; c < line->cursor; c++)
    at = add_width (at, *c, n_columns);
  return at / n_columns;
}

/* Takes the prompt and the line off the screen; `show` brings them back. */
static void
hide (ToolEditor *self)
{
  guint n_rows = n_rows_above (self);

  fputc ('\r', stdout);
  if (n_rows > 0)
    fprintf (stdout, "\033[%uA", n_rows);
  fputs ("\033[J", stdout);
}

static void
show (ToolEditor *self)
{
  fflush (stdout);
  el_wset (self->edit, EL_REFRESH);
}

void
tool_editor_say (ToolEditor *self,
                 const char *text)
{
  g_autofree char *shown = tool_text_to_locale (text, NULL);

  if (self->is_reading)
    hide (self);
  fputs (shown != NULL ? shown : "?", stdout);
  fputc ('\n', stdout);
  if (self->is_reading)
    show (self);
  fflush (stdout);
}

static gboolean
on_resized (gpointer user_data)
{
  ToolEditor *self = user_data;

  if (self->is_reading)
    hide (self);
  el_resize (self->edit);
  if (self->is_reading)
    show (self);
  return G_SOURCE_CONTINUE;
}

/* What cannot be shown is not let in: libedit would show it in a way of its own. */
static int
get_char (EditLine *edit,
          wchar_t  *c)
{
  gunichar found;

  if (!tool_input_next_char (from_edit (edit)->input, &found))
    return 0;
  *c = found < 0x80 || wcwidth (found) >= 0 ? (wchar_t) found : 0xFFFD;
  return 1;
}

static unsigned char
on_paste (EditLine *edit,
          int       c)
{
  from_edit (edit)->is_pasting = TRUE;

  return CC_NORM;
}

static unsigned char
on_pasted (EditLine *edit,
           int       c)
{
  from_edit (edit)->is_pasting = FALSE;

  return CC_NORM;
}

static unsigned char
on_cancel (EditLine *edit,
           int       c)
{
  ToolEditor *self = from_edit (edit);
  const LineInfoW *line = el_wline (edit);

  hide (self);
  el_cursor (edit, line->lastchar - line->cursor);
  show (self);
  fputs ("^C\n", stdout);
  fflush (stdout);
  self->is_cancelled = TRUE;
  return CC_NEWLINE;
}

static void
ask_for_pastes (ToolEditor *self,
                gboolean    is_wanted)
{
  if (self->is_vi)
    return;
  fputs (is_wanted ? TELL_PASTE : TELL_NO_PASTE, stdout);
  fflush (stdout);
}

/* Stops until somebody lets it go on. The signal may hit another thread, which stops this one a moment
 * later; and if nobody could let it go on, the kernel does not stop it at all. */
static void
stop (void)
{
  const struct timespec patience = { .tv_nsec = 100000000 };
  sigset_t go_on, before;

  sigemptyset (&go_on);
  sigaddset (&go_on, SIGCONT);
  pthread_sigmask (SIG_BLOCK, &go_on, &before);
  kill (0, SIGTSTP);
  sigtimedwait (&go_on, NULL, &patience);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

/* The terminal does not send the signal itself, as it has to be given back before. */
static unsigned char
on_suspend (EditLine *edit,
            int       c)
{
  ToolEditor *self = from_edit (edit);
  struct termios mode;

  tcgetattr (STDIN_FILENO, &mode);
  ask_for_pastes (self, FALSE);
  tcsetattr (STDIN_FILENO, TCSADRAIN, &self->mode_at_start);
  stop ();
  tcsetattr (STDIN_FILENO, TCSADRAIN, &mode);
  ask_for_pastes (self, TRUE);
  show (self); /* the cursor is somewhere else now */

  return CC_NORM;
}

static char *
text_before_cursor (EditLine *edit)
{
  const LineInfoW *line = el_wline (edit);

  return g_ucs4_to_utf8 ((const gunichar *) line->buffer, line->cursor - line->buffer, NULL, NULL,
                         NULL);
}

/* What all have in common, in bytes. */
static gsize
common_length (char **words)
{
  gsize length = strlen (words[0]);

  for (guint i = 1; words[i] != NULL; i++)
    for (gsize j = 0; j < length; j++)
      if (words[i][j] != words[0][j])
        length = j;
  while (length > 0 && (words[0][length] & 0xC0) == 0x80)
    length--;
  return length;
}

static void
insert (EditLine   *edit,
        const char *text,
        gsize       length)
{
  g_autofree gunichar *wide = g_utf8_to_ucs4_fast (text, length, NULL);

  el_winsertstr (edit, (const wchar_t *) wide);
}

static unsigned char
on_complete (EditLine *edit,
             int       c)
{
  ToolEditor *self = from_edit (edit);
  g_autofree char *before = text_before_cursor (edit);
  g_auto (GStrv) words = NULL;
  gsize start = 0, typed, length;

  /* a tab in what is pasted is no wish; not each terminal tells, but then more comes most often */
  if (self->is_pasting || tool_input_has_more (self->input))
    {
      insert (edit, " ", 1);
      return CC_REFRESH;
    }

  words = self->complete (before, &start, self->user_data);
  if (words == NULL || words[0] == NULL)
    return CC_ERROR;
  typed = strlen (before + start);
  length = common_length (words);
  if (length > typed)
    insert (edit, words[0] + typed, length - typed);
  else if (words[1] != NULL)
    {
      g_autofree char *all = g_strjoinv ("  ", words);

      tool_editor_say (self, all);
    }
  return CC_REFRESH;
}

static void
enter (ToolEditor *self,
       const char *line)
{
  g_autofree gunichar *wide = g_utf8_to_ucs4_fast (line, -1, NULL);
  HistEventW event;

  history_w (self->history, &event, H_ENTER, (const wchar_t *) wide);
}

/* For this session and later ones. */
void
tool_editor_remember (ToolEditor *self,
                      const char *line)
{
  enter (self, line);
  tool_past_add (line);
}

static void
init_history (ToolEditor *self)
{
  g_auto (GStrv) past = tool_past_load ();
  HistEventW event;

  self->history = history_winit ();
  history_w (self->history, &event, H_SETSIZE, N_REMEMBERED);
  history_w (self->history, &event, H_SETUNIQUE, 1);
  for (guint i = 0; past[i] != NULL; i++)
    enter (self, past[i]);
  el_wset (self->edit, EL_HIST, history_w, self->history);
}

/* From ~/.editrc. */
static void
read_preferences (ToolEditor *self)
{
  const wchar_t *editor = NULL;

  el_source (self->edit, NULL);
  el_wget (self->edit, EL_EDITOR, &editor);
  self->is_vi = editor != NULL && wcscmp (editor, L"vi") == 0;
}

static void
bind_keys (ToolEditor *self)
{
  static const wchar_t *const keys[][2] = {
    { L"^C", L"amnesia-cancel" },
    { L"^I", L"amnesia-complete" },
    { L"^Z", L"amnesia-suspend" },
    { L"^R", L"em-inc-search-prev" },
    { L"\\e[200~", L"amnesia-paste" },
    { L"\\e[201~", L"amnesia-pasted" },
    /* Home, End, Delete and the arrows with Ctrl, whatever the database of terminals knows */
    { L"\\e[H", L"ed-move-to-beg" },
    { L"\\e[1~", L"ed-move-to-beg" },
    { L"\\e[F", L"ed-move-to-end" },
    { L"\\e[4~", L"ed-move-to-end" },
    { L"\\e[3~", L"ed-delete-next-char" },
    { L"\\e[1;5C", L"em-next-word" },
    { L"\\e[1;5D", L"ed-prev-word" },
  };

  el_wset (self->edit, EL_ADDFN, L"amnesia-cancel", L"Forget the line", on_cancel);
  el_wset (self->edit, EL_ADDFN, L"amnesia-complete", L"Complete the word", on_complete);
  el_wset (self->edit, EL_ADDFN, L"amnesia-paste", L"What follows is pasted", on_paste);
  el_wset (self->edit, EL_ADDFN, L"amnesia-pasted", L"What follows is typed", on_pasted);
  el_wset (self->edit, EL_ADDFN, L"amnesia-suspend", L"Stop for now", on_suspend);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (!self->is_vi || keys[i][0][0] != '\\')
      el_wset (self->edit, EL_BIND, keys[i][0], keys[i][1], NULL);
}

/* Between two lines the terminal goes on to echo nothing and to cut nothing, and a Ctrl-C that comes
 * then is for the next line. */
static void
set_terminal (ToolEditor *self)
{
  tcgetattr (STDIN_FILENO, &self->mode_at_start);
  el_wset (self->edit, EL_SETTY, L"-d", L"-isig", NULL);
  el_wset (self->edit, EL_SETTY, L"-x", L"-isig", L"-icanon", L"-echo", NULL);
}

/* In the locale C nobody has asked for ASCII: values are UTF-8, and so are terminals. */
static void
init_locale (void)
{
  const char *charset;

  if (!g_get_charset (&charset) && strcmp (charset, "ANSI_X3.4-1968") == 0)
    setlocale (LC_CTYPE, "C.UTF-8");
}

ToolEditor *
tool_editor_new (ToolInput        *input,
                 ToolLineComplete  complete,
                 gpointer          user_data)
{
  ToolEditor *self;
  EditLine *edit;

  init_locale ();
  edit = el_init ("amnesia", stdin, stdout, stderr);
  if (edit == NULL)
    return NULL;
  self = g_new0 (ToolEditor, 1);
  self->input = input;
  self->complete = complete;
  self->user_data = user_data;
  self->edit = edit;
  el_wset (edit, EL_CLIENTDATA, self);
  el_wset (edit, EL_PROMPT, get_prompt);
  el_wset (edit, EL_GETCFN, get_char);
  el_wset (edit, EL_EDITOR, L"emacs");
  init_history (self);
  read_preferences (self);
  bind_keys (self);
  set_terminal (self);
  ask_for_pastes (self, TRUE);
  self->resize_source = g_unix_signal_add (SIGWINCH, on_resized, self);
  return self;
}

/* That a terminal has been hung up is no failure: nobody looks at it any more. */
static void
forget_output (void)
{
  if (!ferror (stdout))
    return;
  __fpurge (stdout);
  clearerr (stdout);
}

void
tool_editor_free (ToolEditor *self)
{
  g_source_remove (self->resize_source);
  ask_for_pastes (self, FALSE);
  el_end (self->edit);
  history_wend (self->history);
  forget_output ();
  g_free (self);
}

gboolean
tool_editor_is_cancelled (ToolEditor *self)
{
  return self->is_cancelled;
}

/* @goes_on: whether the line belongs to the one before. */
char *
tool_editor_read (ToolEditor *self,
                  gboolean    goes_on)
{
  int length = 0;
  const wchar_t *wide;
  char *line;

  self->is_cancelled = FALSE;
  self->goes_on = goes_on;
  self->is_reading = TRUE;
  wide = el_wgets (self->edit, &length);
  self->is_reading = FALSE;
  if (self->is_cancelled)
    return g_strdup ("");
  if (wide == NULL || length <= 0)
    {
      fputc ('\n', stdout);
      return NULL;
    }

  line = g_ucs4_to_utf8 ((const gunichar *) wide, length, NULL, NULL, NULL);
  return line != NULL ? g_strchomp (line) : g_strdup ("");
}
