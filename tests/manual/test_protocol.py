# SPDX-License-Identifier: MIT
"""The page “The protocol” (protocol.md) is enough to write another implementation from: here is one,
and it shares a variable with the library's.
"""

import os
import pathlib
import random
import re
import socket
import tempfile
import unittest

from gi.repository import GLib

import second_frames as frames
from pages import INTROSPECTION, SOURCE
from second_member import Member
from second_order import NORMAL, Entry, hash_write, wall_ms
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


class Protocol(unittest.TestCase):
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

    def join(self, store, **options):
        """A second member that has dialled the store, and has what that has."""
        second = self.make_second(**options)
        wait_for(lambda: store.listening)
        link = second.dial((host(), 7701))
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
        link = second.dial((host(), 7701))
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

    def test_listed_member(self):
        """It has an entry, both sides dial, and one link stays."""
        store = self.make_store(2)
        second = self.make_second(listen=(host(), 7702))
        wait_for(lambda: store.listening)
        first = second.dial((host(), 7701))
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
        second.dial((host(), 7702))
        left.data = "through the second"
        wait_for(lambda: right.data == "through the second")
        right.data = "and back"
        wait_for(lambda: left.data == "and back")
        self.assertEqual([link.n_repairs for link in second.links], [0, 0])

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
        second.dial((host(), 7701))
        wait_for(lambda: store.data == "later, elsewhere")
        wait_for(lambda: lost == ["later, elsewhere"])
        store.data = "knowing of that"
        wait_for(lambda: second.get().get_string() == "knowing of that")
        second.set({"": text("knowing of that too")})
        wait_for(lambda: store.data == "knowing of that too")
        self.assertEqual(len(lost), 1)

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


class Refusals(unittest.TestCase):
    """What the page says of a hello that is wrong, and of one that does not come."""

    @classmethod
    def setUpClass(cls):
        cls.store = Amnesia.Store(conf={"peers": conf(1), "group": "kitchen"})
        cls.store.open_sync()

    @classmethod
    def tearDownClass(cls):
        cls.store.close_sync()

    def make_hello(self, low=1, high=1, ident=7, group="kitchen", ahead=0):
        wall = GLib.get_real_time() + ahead
        header = low, high, ident, group, "", 0, wall, 1 << 20, {}
        return frames.PREAMBLE + frames.encode(frames.HELLO, header)

    def talk(self, data, end=False):
        """Sends that, and returns all frames until the other side closes or says bye."""
        connection = socket.create_connection((host(), 7701))
        self.addCleanup(connection.close)
        connection.sendall(data)
        if end:
            connection.shutdown(socket.SHUT_WR)
        connection.setblocking(False)
        reader, got = frames.Reader(), []

        def read():
            try:
                data = connection.recv(65536)
            except BlockingIOError:
                return False
            except ConnectionError:
                data = b""
            got.extend(reader.feed(data))
            return not data or any(kind == frames.BYE for kind, _, _ in got)

        wait_for(read)
        return got

    def assert_bye(self, data, reason):
        frames_ = self.talk(data)
        byes = [header[0] for kind, header, _ in frames_ if kind == frames.BYE]
        self.assertEqual(byes, [reason])

    def test_hello_comes_unasked(self):
        (kind, header, _), *_ = self.talk(self.make_hello(group="another"))
        self.assertEqual((kind, header[:2]), (frames.HELLO, (1, 1)))
        self.assertEqual(header[3:6], ("kitchen", host(), 7701))

    def test_byes(self):
        self.assert_bye(self.make_hello(low=2, high=3), 2)
        self.assert_bye(self.make_hello(group="cellar"), 3)
        self.assert_bye(self.make_hello(ahead=25 * 3600 * 1_000_000), 4)
        self.assert_bye(self.make_hello(ident=0), 6)
        (_, header, _), *_ = self.talk(self.make_hello(ident=0))
        self.assert_bye(self.make_hello(ident=header[2]), 5)

    def test_what_must_not_be(self):
        hello = self.make_hello()
        self.assert_bye(hello + frames.encode(frames.ACK, (1,)), 6)
        self.assert_bye(hello + hello[8:], 6)
        self.assert_bye(hello + frames.PREFIX.pack(99, 0, 0, 0, 0), 6)
        self.assert_bye(hello + frames.PREFIX.pack(frames.LINKS, 0, 1, 0, 0), 6)

    def test_ignorable(self):
        """What may be skipped is, and all goes on behind it."""
        skipped = frames.PREFIX.pack(99, frames.IGNORABLE, 0, 5, 0) + bytes(8)
        leaving = frames.encode(frames.BYE, (0, "", {}))
        got = self.talk(self.make_hello() + skipped + leaving, end=True)
        kinds = {kind for kind, _, _ in got}
        self.assertLessEqual({frames.HELLO, frames.LIST}, kinds)
        self.assertNotIn(frames.BYE, kinds)
        self.assert_bye(self.make_hello() + skipped + frames.encode(frames.ACK, (1,)), 6)

    def test_no_hello(self):
        self.assertEqual([kind for kind, _, _ in self.talk(frames.PREAMBLE)], [frames.HELLO])


class Page(unittest.TestCase):
    """What the page says in bytes and numbers."""

    @classmethod
    def setUpClass(cls):
        cls.page = (INTROSPECTION / "protocol.md").read_text()
        dumps = re.findall(r"^```text\n((?:[0-9a-f]{2}[ \n])+)```", cls.page, re.MULTILINE)
        cls.hello, cls.write, cls.ack = map(bytes.fromhex, dumps)

    def test_hello(self):
        empty = {"empty": GLib.Variant("b", True)}
        wall = 1_700_000_000_000_000
        header = 1, 1, 0x0102030405060708, "kitchen", "10.0.1.2", 7777, wall, 16 << 20, empty
        self.assertEqual(frames.PREAMBLE + frames.encode(frames.HELLO, header), self.hello)

    def test_write(self):
        stamp = NORMAL | 1_700_000_000_000 << 16 | 3
        seen = ((0x1112131415161718, NORMAL | 1_699_999_999_000 << 16),)
        entry = Entry("lamp", stamp, 0x0102030405060708, seen, "b", b"\1")
        self.assertEqual(frames.encode_write([entry]), self.write)
        self.assertIn(f"`{stamp:#x}`", self.page)
        digest = hash_write(entry.key, entry.stamp, entry.id)
        self.assertIn(f"`{digest:#018x}`", self.page)

    def test_ack(self):
        self.assertEqual(frames.encode(frames.ACK, (1,)), self.ack)

    def test_the_library_takes_it(self):
        """Word for word, but for the clock."""
        store = Amnesia.Store(conf={"peers": conf(1), "group": "kitchen", "clock-limit": 0})
        self.addCleanup(store.close_sync)
        wait_for(lambda: store.listening)
        connection = socket.create_connection((host(), 7701))
        self.addCleanup(connection.close)
        connection.sendall(self.hello + self.write)
        wait_for(lambda: store.data == {"lamp": True})

        connection.setblocking(False)
        reader, kinds = frames.Reader(), []

        def read():
            try:
                kinds.extend(frame[:2] for frame in reader.feed(connection.recv(65536)))
            except BlockingIOError:
                pass
            return (frames.ACK, (1,)) in kinds

        wait_for(read)

    def test_limits(self):
        """The table says what the header has."""
        header = (SOURCE / "amnesia/mesh/amnesia-limits-private.h").read_text()
        table = self.page.split("## Times and limits")[1]
        for words, name, unit in (
            ("hello, from the connect or accept on", "HELLO_DEADLINE", "s"),
            ("between two beats", "BEAT_INTERVAL", "s"),
            ("without a byte: the link is dead", "DEAD_AFTER", "s"),
            ("a frame in flight of which nothing is taken", "STALL_AFTER", "s"),
            ("a frame that has begun brings 16384 bytes, or its end", "PACE_AFTER", "s"),
            ("a peer that talks but does not list", "GIVE_UP_AFTER", "s"),
            ("from the bye until the other side closes", "LINGER", "s"),
            ("between two exchanges of lists", "EXCHANGE_INTERVAL", "s"),
            ("largest list frame", "MAX_LIST", " bytes"),
            ("entries in a list", "MAX_LISTED", ""),
            ("ids in a links frame", "MAX_LINKS", ""),
            ("guests of a member", "MAX_GUESTS", ""),
            ("connections that have not said hello; the oldest goes for a new one", "MAX_GREETING", ""),
        ):
            value = re.search(rf"define AMNESIA_{name} (.*)", header)[1]
            number = eval(re.sub(r"AMNESIA_SECOND", "1", value))
            with self.subTest(limit=name):
                self.assertRegex(table, rf"\| {re.escape(words)} \| {number} ?{unit.strip()}[ ,|]")


if __name__ == "__main__":
    unittest.main()
