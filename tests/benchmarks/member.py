# SPDX-License-Identifier: MIT
"""A member in Python: ping CONF COUNT WARM, echo CONF, or writer CONF SETS; see jobs.py."""

import json
import pathlib
import re
import sys

import gi

gi.require_version("Amnesia", "1")
from gi.repository import Amnesia, GLib  # noqa: E402

role, conf, *numbers = sys.argv[1:]
numbers = [int(number) for number in numbers]
mem = Amnesia.Store()
mem.conf = Amnesia.Conf.new_from_json(conf)
loop = GLib.MainLoop()


def say(text):
    print(text, flush=True)


def wait_linked():
    while not any(p.get_state() == Amnesia.PeerState.CONNECTED for p in mem.peers) or (
        mem.state != Amnesia.State.SYNCED
    ):
        GLib.MainContext.default().iteration(True)


def read_peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1])


def echo():
    def changed(_mem, _old, new, remote):
        if remote:
            mem.data = new.get_int64() + 1

    mem.connect("changed", changed)
    loop.run()


def ping(count, warm):
    laps = []
    began = 0

    def changed(_mem, _old, new, remote):
        nonlocal began
        if not remote:
            return
        number = new.get_int64()
        now = GLib.get_monotonic_time()
        if number > 2 * warm:
            laps.append(now - began)
        elif number == 2 * warm:
            say("began")
            now = GLib.get_monotonic_time()
        if len(laps) == count:
            loop.quit()
            return
        began = now
        mem.data = number + 1

    mem.connect("changed", changed)
    wait_linked()
    mem.data = 1
    loop.run()
    say("ended")
    say(json.dumps(laps))


def writer(sets):
    wait_linked()

    def set_all():
        peak = read_peak()
        say(GLib.get_monotonic_time())
        for number in range(1, sets + 1):
            mem.data = number
        say(read_peak() - peak)

    GLib.idle_add(set_all)
    loop.run()


{"echo": echo, "ping": ping, "writer": writer}[role](*numbers)
