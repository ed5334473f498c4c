# SPDX-License-Identifier: MIT
"""The page “The protocol” (protocol.md) is enough to write another implementation from: here is one,
and it shares a variable with the library's.
"""

import os
import pathlib
import random
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from gi.repository import GLib

import second_frames as frames
from pages import SOURCE
from second_member import Member
from second_order import wall_ms
from support import Amnesia, conf, host, wait_for

def text(value):
    return GLib.Variant("s", value)


def let_the_clock_go_on():
    """What is written from now on has a greater stamp, whoever writes it."""
    before = wall_ms()
    wait_for(lambda: wall_ms() > before)


def peek(connection):
    """What has come, and was not read."""
    try:
        return connection.recv(65536, socket.MSG_PEEK)
    except BlockingIOError:
        return b""


class Sharing:
    """What holds by whatever way the two are linked."""

    def make_store(self, n=1, index=0, **properties):
        """A real member that has the entry of that index."""
        peers = conf(n)
        if index:
            peers = peers[index:] + peers[:index]
        store = Amnesia.Store(conf={"peers": peers, **properties})
        self.addCleanup(store.close_sync)
        return store

    def make_second(self, **options):
        second = Member(**options)
        self.addCleanup(self.close_second, second)
        return second

    def close_second(self, second):
        second.leave()
        wait_for(lambda: not second.thread.is_alive())
        self.assertIsNone(second.failure)

    def dial(self, second, address):
        return second.dial(address)

    def join(self, store, **options):
        """A second member that has dialled the store, and has what that has."""
        second = self.make_second(**options)
        wait_for(lambda: store.listening)
        link = self.dial(second, (host(), 7701))
        wait_for(lambda: link.is_synced)
        return second, link

    def test_reads(self):
        store = self.make_store()
        store.data = {"a": 1, "b": [True, None, "x"], "c": b"bytes"}
        second, _ = self.join(store)
        self.assertTrue(Amnesia.pack(store.data).equal(second.get()))
        store["d"] = 2.5
        del store["a"]
        wait_for(lambda: Amnesia.unpack(second.get()) == store.data)
        store.data = "whole"
        wait_for(lambda: Amnesia.unpack(second.get()) == "whole")
        store.data = None
        wait_for(lambda: second.get() is None)

    def test_writes(self):
        store = self.make_store()
        told = []
        store.connect("changed", lambda store, old, new, remote: told.append((store.data, remote)))
        second, link = self.join(store)
        second.set({"": text("from the second")})
        wait_for(lambda: told == [("from the second", True)] and link.is_in_sync)
        second.set({"": GLib.Variant("a{sv}", {})})
        second.set({"x": GLib.Variant("x", 1), "y": GLib.Variant("x", 2)})
        wait_for(lambda: store.data == {"x": 1, "y": 2})
        self.assertNotIn(({"x": 1}, True), told)
        second.set({"x": None})
        wait_for(lambda: store.data == {"y": 2})
        self.assertTrue(Amnesia.pack(store.data).equal(second.get()))

    def test_large_and_empty(self):
        store = self.make_store()
        second, _ = self.join(store)
        second.set({"": GLib.Variant("s", "é" * 1_000_000)})
        wait_for(lambda: store.data == "é" * 1_000_000)
        store.data = b"\0\1" * 1_500_000
        wait_for(lambda: second.get() and Amnesia.unpack(second.get()) == store.data)
        for value in (b"", [], {}, ""):
            store.data = value
            wait_for(lambda: Amnesia.unpack(second.get()) == value)

    def test_who_comes_with_a_value(self):
        """The lists tell each side what it lacks: what is newer on one, and absent on the other."""
        store = self.make_store()
        store.data = {"both": 1, "mine": 2}
        let_the_clock_go_on()
        second = self.make_second()
        second.set({"both": GLib.Variant("x", 3), "theirs": GLib.Variant("x", 4)})
        wait_for(lambda: store.listening)
        link = self.dial(second, (host(), 7701))
        wait_for(lambda: link.is_in_sync and store.data.get("theirs") == 4)
        self.assertEqual(store.data, {"both": 3, "mine": 2, "theirs": 4})
        self.assertEqual(Amnesia.unpack(second.get()), store.data)

    def test_digest_and_beats(self):
        store = self.make_store()
        store.data = {"a": 1}
        store["b"] = 2
        second, link = self.join(store)
        second.set({"c": GLib.Variant("d", 0.5)})
        wait_for(lambda: link.digest == second.replica.digest() != 0)
        wait_for(lambda: link.round_trip is not None and store.peers[0].round_trip >= 0)
        self.assertLess(link.round_trip, 5_000_000)
        self.assertLess(abs(store.peers[0].clock_offset), 5_000_000)
        self.assertTrue(store.peers[0].in_sync)

    def test_what_was_lost_is_found(self):
        """A write that did not come is seen by the digest, and asked for."""
        store = self.make_store()
        second, link = self.join(store)
        second.deaf = True
        store.data = "lost at first"
        wait_for(lambda: link.n_taken == 1)
        self.assertIsNone(second.get())
        second.deaf = False
        wait_for(lambda: second.get() is not None)
        self.assertEqual(second.get().get_string(), "lost at first")

    def test_closing_waits_for_the_acknowledgement(self):
        store = self.make_store()
        second, link = self.join(store)
        store.data = "the last word"
        store.close_sync()
        wait_for(lambda: link in second.ended)
        self.assertEqual(link.bye[0], 0)
        self.assertEqual(second.get().get_string(), "the last word")

    def test_is_forwarded_to(self):
        left = self.make_store(2)
        right = self.make_store(2, index=1)
        wait_for(lambda: left.state == right.state == Amnesia.State.SYNCED)
        second, link = self.join(left)
        right.data = "from who is not linked with the second"
        wait_for(lambda: second.get() is not None)
        wait_for(lambda: len(link.linked) == 2)

    def test_order(self):
        """Of two that do not know of each other's write the later one wins, and tells its loser."""
        store = self.make_store()
        lost = []
        store.connect("superseded", lambda store, key, lost_, winner: lost.append(winner.unpack()))
        store.data = "mine"
        let_the_clock_go_on()
        second = self.make_second()
        second.set({"": text("later, elsewhere")})
        wait_for(lambda: store.listening)
        self.dial(second, (host(), 7701))
        wait_for(lambda: store.data == "later, elsewhere")
        wait_for(lambda: lost == ["later, elsewhere"])
        store.data = "knowing of that"
        wait_for(lambda: second.get().get_string() == "knowing of that")
        second.set({"": text("knowing of that too")})
        wait_for(lambda: store.data == "knowing of that too")
        self.assertEqual(len(lost), 1)

    def test_writes_at_random(self):
        """Two of the library and one that is not end with the same value and the same digest."""
        left, right = self.make_store(2), self.make_store(2, index=1)
        wait_for(lambda: left.state == right.state == Amnesia.State.SYNCED)
        second, link = self.join(left)
        chance = random.Random(1)

        def write():
            key, number = chance.choice("abcdef"), chance.randrange(1000)
            writer = chance.choice((left, right, second))
            if chance.random() < 0.1:
                whole = Amnesia.pack({key: number})
                writer.set({"": whole}) if writer is second else writer.set_data(whole)
            elif writer is second:
                second.set({key: GLib.Variant("x", number) if chance.random() < 0.8 else None})
            elif chance.random() < 0.8:
                writer[key] = number
            else:
                writer.remove_key(key)

        for _ in range(1000):
            write()
            # now and then, so that they write without having seen what the others have
            if chance.random() < 0.1:
                GLib.MainContext.default().iteration(False)
        digest = link.digest
        wait_for(lambda: link.digest not in (digest, None) and link.digest == second.replica.digest())
        wait_for(lambda: left.data == right.data == Amnesia.unpack(second.get()))


class Tcp(Sharing, unittest.TestCase):
    def test_listed_member(self):
        """It has an entry, both sides dial, and one link stays."""
        store = self.make_store(2)
        second = self.make_second(listen=(host(), 7702))
        wait_for(lambda: store.listening)
        first = self.dial(second, (host(), 7701))
        wait_for(lambda: second.n_links > 1 or first.is_synced)
        (peer,) = store.peers
        wait_for(lambda: peer.state == Amnesia.PeerState.CONNECTED and len(second.links) == 1)
        second.set({"": text("by the link that stayed")})
        wait_for(lambda: store.data == "by the link that stayed")
        self.assertEqual((peer.host, peer.port), (host(), 7702))

    def test_dialled_by_the_library(self):
        second = self.make_second(listen=(host(), 7702))
        second.set({"": text("was here before")})
        store = self.make_store(2)
        wait_for(lambda: store.data == "was here before")
        wait_for(lambda: store.state == Amnesia.State.SYNCED)

    def test_forwards(self):
        """Between two members that do not know each other."""
        left, right = self.make_store(), Amnesia.Store(conf=conf(2)[1:])
        self.addCleanup(right.close_sync)
        second, _ = self.join(left)
        wait_for(lambda: right.listening)
        self.dial(second, (host(), 7702))
        left.data = "through the second"
        wait_for(lambda: right.data == "through the second")
        right.data = "and back"
        wait_for(lambda: left.data == "and back")
        self.assertEqual([link.n_repairs for link in second.links], [0, 0])

    def test_what_is_covered(self):
        """A key that comes after the whole was set, and was written before, is not taken."""
        store = self.make_store()
        store.data = {"a": 1}
        second, link = self.join(store)
        with second.lock:  # it reads nothing meanwhile
            store["b"] = 2
            wait_for(lambda: b"b\0x\0" in peek(link.socket))
            let_the_clock_go_on()
            second.set({"": GLib.Variant("a{sv}", {})})
        wait_for(lambda: store.data == {} and link.n_taken == 2)
        self.assertEqual(Amnesia.unpack(second.get()), {})

    def test_local_socket(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        before = os.environ["XDG_RUNTIME_DIR"]
        self.addCleanup(os.environ.__setitem__, "XDG_RUNTIME_DIR", before)
        os.environ["XDG_RUNTIME_DIR"] = folder.name
        GLib.setenv("XDG_RUNTIME_DIR", folder.name, True)
        self.addCleanup(GLib.setenv, "XDG_RUNTIME_DIR", before, True)
        store = self.make_store()
        store.data = "near"
        wait_for(lambda: store.listening)
        network = os.stat("/proc/self/ns/net").st_ino
        path = pathlib.Path(folder.name, "amnesia", f"{host()}:7701@{network}")
        second = self.make_second()
        link = second.dial(str(path))
        wait_for(lambda: link.is_synced)
        self.assertEqual(second.get().get_string(), "near")
        self.assertEqual(store.peers[0].way, Amnesia.Way.LOCAL)


class Tls(Sharing, unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        script = SOURCE / "examples/tls/make-certificates"
        subprocess.run([script, cls.folder, host(), "laptop"], check=True, capture_output=True)
        cls.context = ssl.create_default_context(cafile=cls.folder / "authority.pem")
        cls.context.load_cert_chain(cls.folder / "laptop.pem")

    def make_store(self, n=1, index=0, **properties):
        tls = {
            "certificate": str(self.folder / f"{host()}.pem"),
            "authorities": str(self.folder / "authority.pem"),
            "names": ["laptop"],
        }
        return super().make_store(n, index, tls=tls, **properties)

    def dial(self, second, address):
        """In a thread, as the store's loop has to run for a handshake."""
        links = []
        dialling = threading.Thread(target=lambda: links.append(second.dial(address, self.context)))
        dialling.start()
        wait_for(lambda: not dialling.is_alive())
        return links[0]

    def test_way(self):
        store = self.make_store()
        self.join(store)
        self.assertEqual(store.peers[0].way, Amnesia.Way.TLS)

    def test_plain_text(self):
        """It is answered with an alert, which is what another member knows it by."""
        store = self.make_store()
        wait_for(lambda: store.listening)
        connection = socket.create_connection((host(), 7701))
        self.addCleanup(connection.close)
        connection.sendall(frames.PREAMBLE)
        connection.setblocking(False)
        wait_for(lambda: peek(connection))
        self.assertEqual(connection.recv(100), bytes.fromhex("15 03 03 00 02 02 0a"))


if __name__ == "__main__":
    unittest.main()
