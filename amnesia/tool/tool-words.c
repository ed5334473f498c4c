/* SPDX-License-Identifier: MIT */

#include "tool-words.h"

#include "tool-relaxed.h"
#include "tool-show.h"
#include "tool-statement.h"

#include <string.h>

/* What a line of `amnesia shell` may go on with. */

static void
add (GPtrArray  *words,
     const char *word,
     const char *typed)
{
  if (g_str_has_prefix (word, typed))
    g_ptr_array_add (words, g_strdup (word));
}

static void
add_all (GPtrArray         *words,
         const char *const *list,
         const char        *start,
         const char        *typed)
{
  for (guint i = 0; list[i] != NULL; i++)
    {
      g_autofree char *word = g_strconcat (start, list[i], NULL);

      add (words, word, typed);
    }
}

static void
add_paths (GPtrArray    *words,
           AmnesiaStore *store,
           const char   *typed)
{
  g_auto (GStrv) keys = amnesia_store_list_keys (store);

  for (guint i = 0; keys[i] != NULL; i++)
    {
      g_autofree char *path = tool_show_path (keys[i]);

      add (words, path, typed);
    }
}

/* A key that is no name may have spaces, and begin with what looks like an option. */
static void
add_keys (GPtrArray    *words,
          AmnesiaStore *store,
          const char   *typed)
{
  g_auto (GStrv) keys = amnesia_store_list_keys (store);

  for (guint i = 0; keys[i] != NULL; i++)
    {
      g_autofree char *quoted = tool_show_key (keys[i]);

      add (words, tool_relaxed_is_name (keys[i]) ? keys[i] : quoted, typed);
    }
}

static gboolean
takes_key (const char *before)
{
  return g_str_has_prefix (before, "get ") || g_str_has_prefix (before, "set ") ||
         g_str_has_prefix (before, "unset ");
}

/* Where the word begins that is being typed: behind the last space, if that is not in a key. */
static const char *
find_word (const char *before)
{
  const char *key = strstr (before, "mem.data[");
  const char *space = strrchr (before, ' ');

  if (key != NULL && strchr (key, ']') == NULL)
    return key;
  if (takes_key (before))
    {
      key = strchr (before, ' ') + 1;
      if (*key == '"' && (key[1] == '\0' || strchr (key + 1, '"') == NULL))
        return key;
    }

  return space != NULL ? space + 1 : before;
}

char **
tool_words_complete (AmnesiaStore *store,
                     const char   *before,
                     gsize        *start)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  const char *typed = find_word (before);

  *start = typed - before;
  if (g_str_has_prefix (typed, "mem.data.") || g_str_has_prefix (typed, "mem.data["))
    add_paths (words, store, typed);
  else if (g_str_has_prefix (typed, "mem."))
    add_all (words, tool_statement_members, "mem.", typed);
  else if (typed == before)
    add_all (words, tool_statement_words, "", typed);
  else if (g_str_equal (before, "delete ") || g_str_has_prefix (before, "delete m"))
    add (words, "mem.data", typed);
  else if (takes_key (before) && strchr (before, ' ') + 1 == typed)
    add_keys (words, store, typed);
  g_ptr_array_add (words, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}
