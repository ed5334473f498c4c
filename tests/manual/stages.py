# SPDX-License-Identifier: MIT
"""What the samples of a page take for granted, being parts of a program."""

C_HEAD = """
#include <amnesia.h>
void on_changed (AmnesiaStore *mem, GVariant *old, GVariant *new, gboolean remote);
gboolean set_result (gpointer user_data);
{kind} part (AmnesiaStore *mem, AmnesiaStore *store, GObject *lamp_switch, GObject *adjustment,
             GError **error_out);
{kind}
part (AmnesiaStore *mem, AmnesiaStore *store, GObject *lamp_switch, GObject *adjustment,
      GError **error_out)
{{
  GError *error = NULL;
  {{
{block}
  }}
  {end}
}}
"""

VALA_HEAD = """
abstract class Samples : Object {
  Amnesia.Store mem;
  Object lamp_switch;
"""
VALA_PART = """
  public void part_{index} () throws Error {{
{block}
  }}
"""

JS_STORE = """
import Amnesia from 'gi://Amnesia?version=1';
import GObject from 'gi://GObject';

const Widget = GObject.registerClass({
    Properties: {
        active: GObject.ParamSpec.boolean('active', '', '', GObject.ParamFlags.READWRITE, false),
    },
}, class Widget extends GObject.Object {});
const mem = new Amnesia.Store();
const lampSwitch = new Widget();
"""
# What comes before the examples of a page in JavaScript, and what has to be true behind them.
JS = {
    "conf.md": (JS_STORE, "mem.conf.get_n_peers() === 2"),
    "faq.md": (JS_STORE, "(mem.set('lamp', true), lampSwitch.active)"),
    "from-node.md": ("", "mem.data.jsontest === 123"),
}


def wrap_c(text):
    if text.startswith("#include"):
        return text
    gives = "return FALSE" in text
    return C_HEAD.format(
        kind="gboolean" if gives else "void", block=text, end="return error != NULL;" if gives else ""
    )


def wrap_vala(texts):
    parts = [VALA_PART.format(index=index, block=text) for index, text in enumerate(texts)]
    return VALA_HEAD + "".join(parts) + "}\n"


def wrap_js(page, texts):
    head, condition = JS[page]
    check = f"if (!({condition}))\n    throw new Error('it is not so: ' + {condition!r});"
    return "\n".join([head, *texts, check, "print('all well');"])
