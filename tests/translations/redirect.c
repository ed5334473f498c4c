/* SPDX-License-Identifier: MIT */

/* To be preloaded: the command finds the translations of the build, and not those that are installed. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef char *(*Bind) (const char *, const char *);

char *bindtextdomain (const char *domain, const char *folder);

char *
bindtextdomain (const char *domain,
                const char *folder)
{
  Bind next = (Bind) dlsym (RTLD_NEXT, "bindtextdomain");

  if (folder != NULL && strcmp (domain, "libamnesia") == 0)
    folder = getenv ("AMNESIA_TRANSLATIONS");
  return next (domain, folder);
}
