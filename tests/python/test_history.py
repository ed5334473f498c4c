# SPDX-License-Identifier: MIT
"""Who shares, and what has changed, as Python has it: lists that a window can show."""

import unittest

from gi.repository import Gio, GLib, GObject

from support import Amnesia, conf, host, open_store, wait_for


class Line(GObject.Object):
    """A line of a window."""

    __gtype_name__ = "TestLine"

    text = GObject.Property(type=str, default="")


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self.store = Amnesia.Store(history_length=3)

    def history(self):
        return [(change.key, change.old, change.new) for change in self.store.history]

    def test_off(self):
        store = Amnesia.Store(data=1)
        self.assertEqual(store.history_length, 0)
        self.assertIsInstance(store.history, Gio.ListModel)
        self.assertEqual(len(store.history), 0)

    def test_changes(self):
        self.store.data = 5
        self.store.data = {"a": 1}
        self.store["a"] = [2]
        self.assertEqual(
            self.history(), [(None, None, 5), (None, 5, {"a": 1}), ("a", 1, [2])]
        )
        del self.store["a"]
        self.assertEqual(self.history()[-1], ("a", [2], None))
        self.assertEqual(len(self.store.history), 3)
        self.store.history_length = 1
        self.assertEqual(self.history(), [("a", [2], None)])
        self.store.set_history_length(0)
        self.assertEqual(self.store.get_history_length(), 0)
        self.assertIs(self.store.get_history(), self.store.history)
        self.assertEqual(self.history(), [])

    def test_change(self):
        before = GLib.get_real_time() // 1000000
        self.store["a"] = 0.5
        (change,) = self.store.history
        self.assertIsInstance(change, Amnesia.Change)
        self.assertEqual((change.get_key(), change.key), ("a", "a"))
        self.assertIsNone(change.get_old())
        self.assertEqual(change.get_new().get_type_string(), "d")
        self.assertEqual(change.props.new.get_double(), 0.5)
        self.assertFalse(change.remote or change.get_remote())
        self.assertLessEqual(before, change.when.to_unix())
        self.assertTrue(change.get_when().equal(change.when))
        self.assertIsNone(change.writer)
        self.assertIsNone(change.get_writer())
        with self.assertRaises(AttributeError):
            change.new = 5

    def test_list_model(self):
        seen = []
        self.store.history.connect("items-changed", lambda _, *what: seen.append(what))
        self.store["a"] = 1
        self.store["b"] = 1
        self.assertEqual(seen, [(0, 0, 1), (1, 0, 1)])

    def test_who(self):
        entries = conf(2)
        a = open_store(self, conf=entries)
        b = open_store(self, conf=entries, history_length=10)
        a["a"] = 1
        wait_for(lambda: len(b.history) == 1)
        b["b"] = 2
        theirs, ours = b.history
        self.assertEqual((theirs.remote, theirs.writer), (True, f"{host()}:7701"))
        self.assertEqual((ours.remote, ours.writer), (False, f"{host()}:7702"))


class PeersTest(unittest.TestCase):
    def test_name_and_status(self):
        entries = conf(2)
        a = open_store(self, conf=entries)
        (peer,) = a.peers
        line = Line()
        peer.bind_property("status", line, "text", GObject.BindingFlags.SYNC_CREATE)
        self.assertEqual((peer.name, peer.get_name()), (f"{host()}:7702", f"{host()}:7702"))
        away = line.text
        self.assertTrue(away)
        b = open_store(self, conf=entries)
        wait_for(lambda: "TCP" in line.text)
        self.assertEqual(peer.get_status(), line.text)
        b.close_sync()
        wait_for(lambda: "TCP" not in line.text)


if __name__ == "__main__":
    unittest.main()
