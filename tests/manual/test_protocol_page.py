# SPDX-License-Identifier: MIT
"""What protocol.md says in bytes and numbers, and of whom the library does not want to be linked with."""

import re
import socket
import unittest

from gi.repository import GLib

import second_frames as frames
from pages import INTROSPECTION, SOURCE
from second_order import NORMAL, Entry, hash_write
from support import Amnesia, conf, host, wait_for


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
