# SPDX-License-Identifier: MIT
"""The same as keys.c, in Python."""

import sys
import time

import gi

gi.require_version("Amnesia", "1")
from gi.repository import Amnesia, GLib  # noqa: E402


class Member:
    def __init__(self, path, role, name, rounds):
        self.role, self.name, self.rounds = role, name, int(rounds)
        self.round = self.n_changed = self.n_faults = 0
        self.loop = GLib.MainLoop()
        self.store = Amnesia.Store()
        self.store.connect("changed", self.look)
        self.store.conf = Amnesia.Conf.new_from_file(path)
        self.store.open_sync()
        print("ready", flush=True)

    def write(self):
        value = GLib.Variant("x", self.round)
        if self.role == "keys":
            for index in range(10):
                self.store.set_key(f"{self.name}{index}", value)
        elif self.role == "base":
            self.store.write(GLib.Variant("a{sv}", {self.name: value}))
        else:
            self.store.set_keys(GLib.Variant("a{sv}", {self.name: value, 2 * self.name: value}))

    def work(self):
        self.round += 1
        self.write()
        if self.round % self.rounds:
            return GLib.SOURCE_CONTINUE
        print("done", int((time.monotonic() - self.begun) * 1e6), flush=True)
        return GLib.SOURCE_REMOVE

    def look(self, store, old, new, remote):
        self.n_changed += 1
        if self.role == "pairs":
            pair = new.lookup_value(self.name, None), new.lookup_value(2 * self.name, None)
            self.n_faults += None in pair or not pair[0].equal(pair[1])

    def obey(self, channel, condition):
        command = channel.readline().strip()
        if command == "go":
            self.begun = time.monotonic()
            GLib.idle_add(self.work)
        elif command == "show":
            print("value", Amnesia.to_json(self.store.get_data()), flush=True)
        elif command == "faults":
            print(f"faults {self.n_faults} of {self.n_changed}", flush=True)
        else:
            self.loop.quit()
            return GLib.SOURCE_REMOVE
        return GLib.SOURCE_CONTINUE

    def run(self):
        channel = GLib.IOChannel.unix_new(sys.stdin.fileno())
        GLib.io_add_watch(channel, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, self.obey)
        self.loop.run()
        self.store.close_sync()


if __name__ == "__main__":
    Member(*sys.argv[1:]).run()
