# SPDX-License-Identifier: MIT
"""The examples of the README and the tutorial, as programs that a compiler takes."""

import pathlib
import re

SOURCE = pathlib.Path(__file__).parent.parent.parent
README = SOURCE / "README.md"
TUTORIAL = SOURCE / "introspection" / "tutorial.md"

# What the parts of the tutorial take for granted, being parts of one program.
C_HEAD = """
#include <amnesia.h>

void on_changed (AmnesiaStore *mem, GVariant *old, GVariant *new, gboolean remote);
void on_volume (AmnesiaStore *mem, const char *key, GVariant *old, GVariant *new, gboolean remote);
void on_superseded (AmnesiaStore *mem, const char *key, GVariant *lost, GVariant *winner);
void on_opened (GObject *source, GAsyncResult *result, gpointer user_data);
void on_set (GObject *source, GAsyncResult *result, gpointer user_data);
gboolean get_board (GValue *value, GVariant *board, gpointer user_data);
GVariant *set_board (const GValue *value, gpointer user_data);
"""
C_PART = """
void part_{index} (AmnesiaStore *mem, GObject *adjustment, GObject *lamp_switch, GObject *entry,
                   GError *error);
void
part_{index} (AmnesiaStore *mem, GObject *adjustment, GObject *lamp_switch, GObject *entry,
              GError *error)
{{
  {{
{block}
  }}
}}
"""
VALA_HEAD = """
abstract class Tutorial : Object {
  Amnesia.Store mem;
  Object adjustment;
  Object lamp_switch;
  Object entry;

  static bool get_board (Value value, Variant board, void* user_data) { return false; }
  static Variant? set_board (Value value, void* user_data) { return null; }
"""
VALA_PART = """
  public async void part_{index} () throws Error {{
{block}
  }}
"""


def find_blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def make_tutorial(language):
    """All its examples in one file, each in a function of its own."""
    head, part, end = {
        "c": (C_HEAD, C_PART, ""),
        "vala": (VALA_HEAD, VALA_PART, "}\n"),
    }[language]
    blocks = find_blocks(TUTORIAL, language)
    parts = [part.format(index=index, block=block) for index, block in enumerate(blocks)]
    return head + "".join(parts) + end


def find_program(language):
    """The ten lines of the README: the first example that it has of the language."""
    return find_blocks(README, language)[0]
