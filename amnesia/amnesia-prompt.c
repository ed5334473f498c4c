/* SPDX-License-Identifier: MIT */

#include "amnesia-prompt.h"

#include <dlfcn.h>

/* A source that is always ready must not keep the user from typing. */
#define MAX_ITERATIONS 100

static int
iterate (void)
{
  guint i;

  /* a prompt that runs a main loop of its own needs no help */
  for (i = 0; g_main_depth () == 0 && i < MAX_ITERATIONS; i++)
    if (!g_main_context_iteration (NULL, FALSE))
      break;
  return 0;
}

/* Whether the interpreter has this hook and it is ours now; somebody else's is left alone. */
static gboolean
take_hook (const char *name)
{
  int (**hook) (void) = dlsym (RTLD_DEFAULT, name);

  if (hook == NULL || (*hook != NULL && *hook != iterate))
    return FALSE;
  *hook = iterate;
  return TRUE;
}

/**
 * amnesia_enable_prompt:
 *
 * Lets stores live on while an interpreter waits for a line.
 *
 * An interactive prompt that is made with GNU Readline blocks its thread until the user has typed
 * a line; meanwhile no main loop runs, and a store would neither follow the others nor answer
 * them. After this call the default main context is iterated ten times a second while Readline
 * waits. The overrides for JavaScript and Python call it by themselves.
 *
 * To be called in the thread that shows the prompt. It does nothing if the process has no
 * Readline, or if somebody else uses the hook.
 *
 * Returns: whether a hook is set
 *
 * Since: 0.1
 */
gboolean
amnesia_enable_prompt (void)
{
  /* Python keeps Readline to itself and has a hook of its own instead */
  if (take_hook ("PyOS_InputHook"))
    return TRUE;

  /* the other one has no turn while keys come fast, as from a paste: so each line begins with one */
  take_hook ("rl_startup_hook");
  return take_hook ("rl_event_hook");
}
