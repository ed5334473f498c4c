# SPDX-License-Identifier: MIT
"""V12: a peer whose handler is slow, as PyGObject is with large arrays, is not taken for dead."""

import json
import subprocess
import sys
import time
import unittest

from gi.repository import GLib

from support import Amnesia, conf, open_store, wait_for

# As long as unpack() took for 1 MiB where that was measured: longer than from one heartbeat to the
# next. With what a busy machine adds it is less than the six seconds after which the silent are given up.
SLOW_S = 2.4
SIZE = 1 << 20
PIECE = 16 << 10


def make_bytes(data):
    return GLib.Variant.new_from_bytes(GLib.VariantType("ay"), GLib.Bytes.new(data), True)


def unpack_slowly(value):
    """Holds the loop, and the interpreter's lock, for that long on any machine."""
    start = time.monotonic()
    piece = make_bytes(Amnesia.unpack(value)[:PIECE])
    while time.monotonic() - start < SLOW_S:
        piece.unpack()
    return time.monotonic() - start


def run_peer(entries):
    """The slow one: unpacks all that it is told of, and says how long that took and how it stands."""
    store = Amnesia.Store(conf=entries)
    states = []

    def be_slow(store, old, new, remote):
        if new.get_type_string() == "ay":
            print("took", unpack_slowly(new), flush=True)

    store.open_sync()
    store.connect("notify::state", lambda *_: states.append(store.state.value_nick))
    store.connect("changed", be_slow)
    while store.data != "end":
        GLib.MainContext.default().iteration(True)
    print("states", *states, flush=True)
    store.close_sync()


class SlowTest(unittest.TestCase):
    def test_V12_slow_unpack(self):
        entries = conf(2)
        store = open_store(self, conf=entries)
        lines = []
        store.connect("log", lambda _, line: lines.append(line))
        process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(entries)], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for(lambda: store.state == Amnesia.State.SYNCED)
        (peer,) = store.peers
        states = []
        peer.connect("notify::state", lambda *_: states.append(peer.state))

        store.write(make_bytes(bytes(SIZE)))
        word, took = process_line(process)
        self.assertEqual(word, "took")
        self.assertGreaterEqual(float(took), SLOW_S)
        store.data = "end"
        wait_for(lambda: peer.in_sync)
        self.assertEqual((states, store.state), ([], Amnesia.State.SYNCED), lines)
        wait_for(lambda: process.poll() is not None)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(process.stdout.read().split("\n")[-2].strip(), "states")


def process_line(process):
    """Waits for a line of the process, while the loop runs here."""
    lines = []

    def read(*_):
        lines.append(process.stdout.readline())
        return GLib.SOURCE_REMOVE

    GLib.io_add_watch(process.stdout.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN, read)
    wait_for(lambda: lines)
    return lines[0].split()


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].startswith("["):
        run_peer(json.loads(sys.argv[1]))
    else:
        unittest.main()
