# SPDX-License-Identifier: MIT
"""What a store remembers, and what its peers say of themselves, as Python has it."""

import datetime
import unittest

from gi.repository import Gio, GLib

from support import Amnesia, conf, host, open_store, pass_time, wait_for


class HistoryTest(unittest.TestCase):
    def test_off(self):
        store = Amnesia.Store()
        self.assertEqual(store.history_length, 0)
        self.assertIsInstance(store.history, Gio.ListModel)
        store.data = 1
        self.assertEqual(len(store.history), 0)

    def test_local(self):
        before = datetime.datetime.now(datetime.timezone.utc).timestamp()
        store = Amnesia.Store(history_length=3)
        store.data = 1
        store.data = {"a": 1, "b": [2]}
        store.data = {"a": 3}
        first, second, third = store.history
        self.assertIsInstance(first, Amnesia.Change)
        self.assertEqual((first.key, first.old, first.new), (None, 1, {"a": 1, "b": [2]}))
        self.assertEqual((second.key, second.old, second.new), ("a", 1, 3))
        self.assertEqual((third.key, third.old, third.new), ("b", [2], None))
        self.assertEqual((third.remote, third.writer), (False, None))
        self.assertGreaterEqual(third.when.to_unix(), int(before))
        self.assertEqual(third.get_old().unpack(), [2])
        self.assertEqual(third.get_key(), "b")
        self.assertIsNone(third.get_new())
        self.assertEqual((third.get_remote(), third.get_writer()), (False, None))
        self.assertEqual(third.get_when().to_unix(), third.when.to_unix())

    def test_items_changed(self):
        store = Amnesia.Store(history_length=2)
        seen = []
        store.history.connect("items-changed", lambda model, *change: seen.append(change))
        for number in range(3):
            store.data = number
        self.assertEqual(seen, [(0, 0, 1), (1, 0, 1), (0, 1, 0), (1, 0, 1)])
        store.history_length = 0
        self.assertEqual(seen[-1], (0, 2, 0))
        store.set_history_length(5)
        self.assertEqual(store.get_history_length(), 5)
        self.assertIs(store.get_history(), store.history)

    def test_too_long(self):
        store = Amnesia.Store()
        with self.assertRaises(OverflowError):
            store.history_length = -1
        self.assertEqual(store.history_length, 0)

    def test_by_hand(self):
        change = Amnesia.Change(key="k", new=GLib.Variant("i", 5), remote=True, writer="a:1")
        self.assertEqual((change.key, change.old, change.new), ("k", None, 5))
        self.assertEqual((change.remote, change.writer), (True, "a:1"))

    def test_remote(self):
        a = open_store(self, conf=conf(2))
        b = open_store(self, conf=conf(2), history_length=10)
        a.data = "hello"
        wait_for(lambda: len(b.history))
        (change,) = b.history
        self.assertEqual((change.new, change.remote), ("hello", True))
        self.assertEqual(change.writer, f"{host()}:7701")


class PeerTest(unittest.TestCase):
    def test_name_and_status(self):
        a = open_store(self, conf=conf(2))
        (peer,) = a.peers
        statuses = []
        peer.connect("notify::status", lambda *_: statuses.append(peer.status))
        self.assertEqual(peer.name, f"{host()}:7702")
        self.assertEqual(peer.get_name(), peer.name)
        b = open_store(self, conf=conf(2))
        wait_for(lambda: peer.status.startswith("in sync"))
        self.assertEqual(statuses[-1], peer.get_status())
        b.close_sync()
        wait_for(lambda: peer.status.startswith("away"))

    def test_sending_and_receiving(self):
        a = open_store(self, conf=conf(1))
        # a guest, who turns when we say so
        slow = GLib.MainContext.new()
        slow.push_thread_default()
        b = Amnesia.Store(conf=conf(1))
        slow.pop_thread_default()
        self.addCleanup(b.close_sync)

        def turn(condition):
            slow.iteration(False)
            return condition()

        wait_for(lambda: turn(lambda: len(a.peers) and a.peers[0].in_sync and b.peers[0].in_sync))
        (peer, other) = (a.peers[0], b.peers[0])
        gone, come = [], []
        self.assertEqual((peer.sending, other.receiving), (1, 1))
        peer.connect("notify::sending", lambda *_: gone.append(peer.sending))
        other.connect("notify::receiving", lambda *_: come.append(other.get_receiving()))
        a.data = bytes(15 * 1024 * 1024)
        wait_for(lambda: 0 < peer.sending < 1)
        self.assertEqual(gone[-1], peer.get_sending())
        while b.data is None:
            slow.iteration(False)
            pass_time(250)
        wait_for(lambda: turn(lambda: peer.in_sync))
        for seen in (gone, come):
            self.assertGreater(len(seen), 1)
            self.assertEqual(seen, sorted(seen))
            self.assertEqual(seen[-1], 1)


if __name__ == "__main__":
    unittest.main()
