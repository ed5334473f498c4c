# SPDX-License-Identifier: MIT
"""Parts of the value, as Python has them: a store is used like a dictionary."""

import collections
import unittest

from gi.repository import GLib, GObject

from support import Amnesia, conf, open_store, wait_for

N_WRITES = 200


class KeysTest(unittest.TestCase):
    def setUp(self):
        self.store = Amnesia.Store()

    def assert_refused(self, code, call, *arguments):
        with self.assertRaises(GLib.Error) as caught:
            call(*arguments)
        self.assertTrue(caught.exception.matches(Amnesia.error_quark(), code), caught.exception)

    def set(self, key, value):
        self.store[key] = value

    def test_set(self):
        self.store["volume"] = 0.4
        self.assertEqual(self.store["volume"], 0.4)
        self.assertEqual(self.store.data, {"volume": 0.4})
        self.store["volume"] = 1
        self.store["ünder"] = {"a": [1]}
        self.assertEqual(self.store.data, {"volume": 1, "ünder": {"a": [1]}})
        self.assertEqual(self.store["ünder"]["a"], [1])

    def test_set_rest_stays(self):
        self.store.data = {"a": 1, "b": 2}
        self.store["b"] = 3
        self.assertEqual(self.store.data, {"a": 1, "b": 3})
        self.store.data = {"c": 4}
        self.assertEqual(list(self.store), ["c"])

    def test_none_is_a_value(self):
        self.store["a"] = None
        self.assertIn("a", self.store)
        self.assertIsNone(self.store["a"])
        self.assertIsNone(self.store.get("a", 5))
        self.assertEqual(self.store.get_key("a").get_type_string(), "mv")

    def test_variant(self):
        self.store["a"] = GLib.Variant("u", 5)
        self.assertEqual(self.store.get_key("a").get_type_string(), "u")
        self.assertEqual(self.store["a"], 5)

    def test_absent(self):
        for data in (None, 5, {}, {"b": 1}, {"": 1}, {"k" * 256: 1}):
            self.store.data = data
            for key in ("a", "", "k" * 256, "b\0", "\ud800"):
                with self.subTest(data=data, key=key):
                    self.assertNotIn(key, self.store)
                    self.assertIsNone(self.store.get(key))
                    self.assertEqual(self.store.get(key, 7), 7)
                    with self.assertRaises(KeyError) as caught:
                        self.store[key]
                    self.assertEqual(caught.exception.args, (key,))
                    with self.assertRaises(KeyError):
                        del self.store[key]

    def test_delete(self):
        self.store.data = {"a": 1, "b": 2}
        del self.store["a"]
        self.assertEqual(self.store.data, {"b": 2})
        del self.store["b"]
        self.assertEqual(self.store.data, {})
        with self.assertRaises(KeyError):
            del self.store["b"]

    def test_iteration(self):
        self.store.data = {"b": 1, "a": [2], "": 3, "k" * 256: 4}
        self.assertEqual(list(self.store), ["a", "b"])
        self.assertEqual(len(self.store), 2)
        self.assertEqual(list(self.store.keys()), ["a", "b"])
        self.assertEqual(list(self.store.values()), [[2], 1])
        self.assertEqual(list(self.store.items()), [("a", [2]), ("b", 1)])
        self.assertEqual(dict(self.store), {"a": [2], "b": 1})

    def test_iteration_while_it_changes(self):
        self.store.data = {"a": 1, "b": 2}
        for key in self.store:
            del self.store[key]
        self.store.data = {"a": 1, "b": 2}
        for key, _ in self.store.items():
            self.store.data = None
            self.store[key + "x"] = 1
        self.assertEqual(list(self.store), ["bx"])

    def test_empty_and_true(self):
        for data in (None, 5, {}):
            self.store.data = data
            self.assertEqual(len(self.store), 0)
            self.assertEqual(list(self.store.items()), [])
            self.assertTrue(self.store)

    def test_update(self):
        seen = []
        self.store.connect("changed", lambda store, *_: seen.append(store.data))
        self.store.update({"a": 1, "b": None}, c=[2])
        self.store.update([("a", 4)])
        self.store.update(d=5)
        self.store.update(GLib.Variant("a{sv}", {"e": GLib.Variant("u", 6)}))
        self.assertEqual(
            seen,
            [
                {"a": 1, "b": None, "c": [2]},
                {"a": 4, "b": None, "c": [2]},
                {"a": 4, "b": None, "c": [2], "d": 5},
                {"a": 4, "b": None, "c": [2], "d": 5, "e": 6},
            ],
        )
        self.assertEqual(self.store.get_key("e").get_type_string(), "u")
        self.store.update()
        self.assertEqual(len(seen), 4)

    def test_update_all_or_nothing(self):
        self.store.data = {"a": 1}
        code = Amnesia.Error.INVALID_KEY
        self.assert_refused(code, self.store.update, {"a": 2, "b" * 256: 3})
        self.assert_refused(
            Amnesia.Error.INVALID_VALUE, self.store.update, {"a": 2, "b": GLib.Variant("h", 0)}
        )
        with self.assertRaisesRegex(TypeError, r"data\['b'\] is of type object"):
            self.store.update({"a": 2, "b": object()})
        with self.assertRaisesRegex(TypeError, "the key of data"):
            self.store.update({1: 2})
        for wrong in (GLib.Variant("i", 1), GLib.Variant("a{ss}", {"a": "b"})):
            with self.assertRaisesRegex(TypeError, r"a\{sv\}"):
                self.store.update(wrong)
        self.assertEqual(self.store.data, {"a": 1})

    def test_wrong_keys(self):
        for key in (5, None, b"a", ("a",)):
            with self.subTest(key=key):
                for call in (
                    self.store.__getitem__,
                    self.store.__delitem__,
                    self.store.__contains__,
                    self.store.get,
                    lambda key: self.set(key, 1),
                ):
                    with self.assertRaisesRegex(TypeError, "a key is of type"):
                        call(key)
        for key in ("", "k" * 256, "ä" * 128):
            self.assert_refused(Amnesia.Error.INVALID_KEY, self.set, key, 1)
        for key in ("a\0b", "\ud800"):
            self.assertRaisesRegex(ValueError, "^the key has ", self.set, key, 1)
        self.set("ä" * 127 + "a", 1)
        self.assertEqual(len(self.store), 1)

    def test_refused(self):
        self.assert_refused(Amnesia.Error.INVALID_VALUE, self.set, "a", GLib.Variant("h", 0))
        self.assert_refused(Amnesia.Error.TOO_BIG, self.set, "a", bytes((16 << 20) + 1))
        self.assertRaisesRegex(TypeError, r"^data\['a'\] is of type", self.set, "a", object())
        self.assertRaisesRegex(TypeError, r"^data\['a'\]\[1\] is", self.set, "a", [0, object()])
        self.assertRaisesRegex(OverflowError, r"^data\['a'\] is 1844", self.set, "a", 2**64)
        self.assertRaisesRegex(ValueError, r"^data\['a'\] has the", self.set, "a", "\0")
        self.assertIsNone(self.store.data)

    def test_not_a_dictionary(self):
        self.store.data = 5
        self.assert_refused(Amnesia.Error.NOT_A_DICTIONARY, self.set, "a", 1)
        self.assert_refused(Amnesia.Error.NOT_A_DICTIONARY, self.store.update, {"a": 1})
        self.assert_refused(Amnesia.Error.NOT_A_DICTIONARY, self.store.remove_key, "a")
        self.assertEqual(self.store.data, 5)
        self.store.data = None
        self.set("a", 1)

    def test_too_many(self):
        self.store.update({f"k{i}": i for i in range(4096)})
        self.assertEqual(len(self.store), 4096)
        self.assertEqual(self.store["k4095"], 4095)
        self.assert_refused(Amnesia.Error.TOO_MANY_KEYS, self.set, "one more", 1)
        del self.store["k0"]
        self.assert_refused(Amnesia.Error.TOO_MANY_KEYS, self.set, "one more", 1)
        self.store.data = dict(self.store)
        self.set("one more", 1)

    def test_accessors(self):
        self.assertTrue(self.store.set_key("a", GLib.Variant("i", 1)))
        self.assertTrue(self.store.has_key("a"))
        self.assertEqual(self.store.get_key("a").get_int32(), 1)
        self.assertTrue(self.store.set_keys(GLib.Variant("a{sv}", {"b": GLib.Variant("i", 2)})))
        self.assertEqual(self.store.list_keys(), ["a", "b"])
        self.assertTrue(self.store.remove_key("a"))
        self.assertTrue(self.store.remove_key("a"))
        self.assertIsNone(self.store.get_key("a"))
        self.assertFalse(self.store.has_key("a"))
        self.assertEqual(self.store.list_keys(), ["b"])

    def test_derived(self):
        class Named(Amnesia.Store):
            __gtype_name__ = "TestNamed"

            def __getitem__(self, key):
                return super().__getitem__("name-" + key)

        store = Named(data={"name-a": 1})
        self.assertEqual(store["a"], 1)
        self.assertEqual(store.get("name-a"), 1)

    def test_mapping_is_copied(self):
        self.store["a"] = collections.OrderedDict(b=[1])
        self.store["a"]["b"] = 2
        self.assertEqual(self.store["a"], {"b": [1]})


class KeyChangedTest(unittest.TestCase):
    def setUp(self):
        self.store = Amnesia.Store()
        self.seen = []

    def see(self, store, key, old, new, remote):
        self.seen.append((key, Amnesia.unpack(old), Amnesia.unpack(new), remote))

    def test_all(self):
        self.store.connect("key-changed", self.see)
        self.store.update(b=1, a=2)
        self.store["a"] = 2
        del self.store["a"]
        self.store.data = {"b": 3}
        expected = [
            ("a", None, 2, False),
            ("b", None, 1, False),
            ("a", 2, None, False),
            ("b", 1, 3, False),
        ]
        self.assertEqual(self.seen, expected)

    def test_detail(self):
        self.store.connect("key-changed::volume", self.see)
        self.store["other"] = 1
        self.store["volume"] = 2
        self.assertEqual(self.seen, [("volume", None, 2, False)])

    def test_after_changed(self):
        order = []
        self.store.connect("key-changed", lambda *_: order.append("key"))
        self.store.connect("changed", lambda *_: order.append("changed"))
        self.store["a"] = 1
        self.assertEqual(order, ["changed", "key"])

    def test_remote(self):
        entries = conf(2)
        a, b = open_store(self, conf=entries), open_store(self, conf=entries)
        b.connect("key-changed::a", self.see)
        a.update(a=1, b=2)
        wait_for(lambda: b.data == {"a": 1, "b": 2})
        self.assertEqual(self.seen, [("a", None, 1, True)])


class ShareTest(unittest.TestCase):
    def setUp(self):
        entries = conf(2)
        self.a, self.b = open_store(self, conf=entries), open_store(self, conf=entries)

    def both(self, expected):
        wait_for(lambda: self.a.data == self.b.data == expected)

    def test_both_at_once(self):
        self.a["a"] = 1
        self.b["b"] = 2
        self.both({"a": 1, "b": 2})
        del self.a["b"]
        self.b["a"] = 3
        self.both({"a": 3})

    def test_many_at_once(self):
        for i in range(N_WRITES):
            self.a[f"a{i % 10}"] = i
            self.b[f"b{i % 10}"] = i
            GLib.MainContext.default().iteration(False)
        self.both({f"{name}{i % 10}": i for name in "ab" for i in range(N_WRITES - 10, N_WRITES)})

    def test_whole_value_covers(self):
        self.a["a"] = 1
        self.both({"a": 1})
        self.b.data = {"c": 3}
        self.both({"c": 3})

    def test_superseded(self):
        lost = []
        for store in (self.a, self.b):
            store.connect("superseded", lambda _, *what: lost.append(what))
        self.a["k"] = "a"
        self.b["k"] = "b"
        wait_for(lambda: lost)
        ((key, mine, winner),) = lost
        self.assertEqual(key, "k")
        self.assertEqual({Amnesia.unpack(mine), Amnesia.unpack(winner)}, {"a", "b"})
        self.both({"k": Amnesia.unpack(winner)})

    def test_superseded_whole(self):
        lost = []
        for store in (self.a, self.b):
            store.connect("superseded", lambda _, *what: lost.append(what))
        self.a.data = 1
        self.b.data = 2
        wait_for(lambda: lost)
        ((key, mine, winner),) = lost
        self.assertIsNone(key)
        self.assertEqual({mine.unpack(), winner.unpack()}, {1, 2})

    def test_not_superseded(self):
        lost = []
        self.a.connect("superseded::k", lambda _, *what: lost.append(what))
        self.a["k"] = 1
        self.both({"k": 1})
        self.b["k"] = 2
        self.both({"k": 2})
        self.assertEqual(lost, [])


class Label(GObject.Object):
    """Something of an application, whose properties are bound."""

    __gtype_name__ = "TestLabel"

    text = GObject.Property(type=str, default="")
    data = GObject.Property(type=GObject.TYPE_VARIANT)
    on = GObject.Property(type=bool, default=False)
    state = GObject.Property(type=Amnesia.State, default=Amnesia.State.CLOSED)


class PropertyBindingTest(unittest.TestCase):
    """Bindings of GObject itself, from and to the properties of a store."""

    def test_data(self):
        store = Amnesia.Store(data={"a": 1})
        label = Label()
        flags = GObject.BindingFlags.SYNC_CREATE | GObject.BindingFlags.BIDIRECTIONAL
        store.bind_property("data", label, "data", flags)
        self.assertEqual(label.data.unpack(), {"a": 1})
        store["a"] = 2
        self.assertEqual(label.data.unpack(), {"a": 2})
        label.data = Amnesia.pack({"b": 3})
        self.assertEqual(store.data, {"b": 3})
        label.data = GLib.Variant("h", 0)
        self.assertEqual(store.data, {"b": 3})

    def test_data_transformed(self):
        store = Amnesia.Store(data={"volume": 0.4})
        label = Label()
        store.bind_property(
            "data", label, "text", GObject.BindingFlags.SYNC_CREATE,
            lambda _, data: f"{Amnesia.unpack(data)['volume']:.0%}",
        )  # fmt: skip
        self.assertEqual(label.text, "40%")
        store["volume"] = 0.5
        self.assertEqual(label.text, "50%")

    def test_state(self):
        store = Amnesia.Store(conf=conf(1))
        self.addCleanup(store.close_sync)
        label = Label()
        store.bind_property("state", label, "state", GObject.BindingFlags.SYNC_CREATE)
        self.assertEqual(label.state, Amnesia.State.CLOSED)
        store.open_sync()
        self.assertEqual(label.state, Amnesia.State.ALONE)

    def test_peer(self):
        entries = conf(2)
        a, b = open_store(self, conf=entries), open_store(self, conf=entries)
        label = Label()
        peer = a.peers[0]
        peer.bind_property("in-sync", label, "on", GObject.BindingFlags.SYNC_CREATE)
        wait_for(lambda: label.on)
        b.close_sync()
        wait_for(lambda: not label.on)


if __name__ == "__main__":
    unittest.main()
