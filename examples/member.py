#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shares a value: sets what it reads, one JSON text per line, and prints each change."""

import signal
import sys

import gi

gi.require_version("Amnesia", "1")
from gi.repository import Amnesia, Gio, GLib

loop = GLib.MainLoop()


def on_changed(mem, old, new, remote):
    time = mem.props.updated.to_local().format("%T")
    who = "remote" if remote else "local"
    print(f"{time} {who} {Amnesia.to_json(old)} -> {Amnesia.to_json(new)}", flush=True)


def on_state(mem, _property):
    entry = mem.props.listening
    print(f"* {mem.props.state.value_nick}" + (f" as {entry}" if entry else ""), flush=True)


def on_line(lines, result, mem):
    try:
        line, _length = lines.read_line_finish_utf8(result)
        if line is None:
            loop.quit()
            return
        if line:
            mem.data = Amnesia.from_json(line)
    except GLib.Error as error:
        print(f"member.py: {error.message}", file=sys.stderr)
    lines.read_line_async(GLib.PRIORITY_DEFAULT, None, on_line, mem)


mem = Amnesia.Store()
mem.connect("changed", on_changed)
mem.connect("notify::state", on_state)
lines = Gio.DataInputStream.new(Gio.UnixInputStream.new(sys.stdin.fileno(), False))
for number in signal.SIGINT, signal.SIGTERM:
    signal.signal(number, lambda _number, _frame: loop.quit())

try:
    mem.conf = sys.argv[1] if len(sys.argv) > 1 else "conf.json"
    lines.read_line_async(GLib.PRIORITY_DEFAULT, None, on_line, mem)
    loop.run()
    mem.close_sync()
except GLib.Error as error:
    sys.exit(f"member.py: {error.message}")
