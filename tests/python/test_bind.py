# SPDX-License-Identifier: MIT
"""Keys bound to properties, and keys as actions, as Python has them."""

import gc
import sys
import unittest

from gi.repository import Gio, GLib, GObject

from support import Amnesia, conf, open_store, wait_for

GET = Amnesia.BindFlags.GET
SET = Amnesia.BindFlags.SET


class Widget(GObject.Object):
    """Something of an application, whose properties are bound."""

    __gtype_name__ = "TestWidget"

    on = GObject.Property(type=bool, default=False)
    number = GObject.Property(type=int, default=0)
    level = GObject.Property(type=float, default=0.0)
    text = GObject.Property(type=str, default="")
    data = GObject.Property(type=GObject.TYPE_VARIANT)


class BindTest(unittest.TestCase):
    def setUp(self):
        self.store = Amnesia.Store()
        self.widget = Widget()

    def test_both_ways(self):
        self.store["volume"] = 0.4
        self.store.bind("volume", self.widget, "level")
        self.assertEqual(self.widget.level, 0.4)
        self.store["volume"] = 0.5
        self.assertEqual(self.widget.level, 0.5)
        self.widget.level = 0.75
        self.assertEqual(self.store.data, {"volume": 0.75})
        del self.store["volume"]
        self.assertEqual(self.widget.level, 0.75)

    def test_absent(self):
        self.widget.text = "mine"
        self.store.bind("name", self.widget, "text")
        self.assertIsNone(self.store.data)
        self.assertEqual(self.widget.text, "mine")
        self.widget.text = "typed"
        self.assertEqual(self.store.data, {"name": "typed"})

    def test_type_is_kept(self):
        self.store["level"] = 1
        self.store.bind("level", self.widget, "level")
        self.assertEqual(self.widget.level, 1.0)
        self.widget.level = 2
        self.assertEqual(self.store.get_key("level").get_type_string(), "x")

    def test_flags(self):
        self.store["on"] = True
        self.store.bind("on", self.widget, "on", GET | Amnesia.BindFlags.INVERT_BOOLEAN)
        self.assertFalse(self.widget.on)
        self.store["on"] = False
        self.assertTrue(self.widget.on)
        self.widget.on = False
        self.assertIs(self.store["on"], False)
        self.widget.number = 5
        self.store.bind("number", self.widget, "number", SET)
        self.assertEqual(self.store["number"], 5)
        self.store["number"] = 6
        self.assertEqual(self.widget.number, 5)
        self.store["text"] = "a"
        self.store.bind("text", self.widget, "text", Amnesia.BindFlags.GET_NO_CHANGES | GET)
        self.store["text"] = "b"
        self.assertEqual(self.widget.text, "a")

    def test_whole_value(self):
        self.store.data = 5
        self.store.bind(None, self.widget, "number")
        self.assertEqual(self.widget.number, 5)
        self.widget.number = 6
        self.assertEqual(self.store.data, 6)
        self.store.bind(None, self.widget, "data", GET)
        self.assertEqual(self.widget.data.unpack(), 6)

    def test_does_not_fit(self):
        lines = []
        self.store.connect("log", lambda _, line: lines.append(line))
        self.store["number"] = 3.5
        self.widget.number = 7
        self.store.bind("number", self.widget, "number")
        self.assertEqual(self.widget.number, 7)
        self.assertEqual(len(lines), 1)
        self.store["number"] = 8
        self.assertEqual(self.widget.number, 8)

    def test_unbind(self):
        self.store.bind("number", self.widget, "number")
        Amnesia.Store.unbind(self.widget, "number")
        Amnesia.Store.unbind(self.widget, "number")
        self.store["number"] = 5
        self.widget.number = 6
        self.assertEqual(self.store.data, {"number": 5})

    def test_lifetime(self):
        ended = []
        self.store.weak_ref(ended.append, "store")
        self.store.bind_with_mapping("number", self.widget, "number", GET, lambda value: value)
        self.store = None
        gc.collect()
        self.assertEqual(ended, [])
        self.widget = None
        gc.collect()
        self.assertEqual(ended, ["store"])

    def test_wrong_arguments(self):
        for call in (
            lambda: self.store.bind(5, self.widget, "number"),
            lambda: self.store.bind_with_mapping(5, self.widget, "number"),
            lambda: self.store.create_action(5, True),
            lambda: self.store.bind("number", 5, "number"),
        ):
            self.assertRaises(TypeError, call)

    def test_shared(self):
        entries = conf(2)
        a, b = open_store(self, conf=entries), open_store(self, conf=entries)
        other = Widget()
        a.bind("text", self.widget, "text")
        b.bind("text", other, "text")
        self.widget.text = "a"
        wait_for(lambda: other.text == "a")
        other.text = "b"
        wait_for(lambda: self.widget.text == "b")

    def test_after_sync(self):
        entries = conf(2)
        open_store(self, conf=entries)["number"] = 5
        late = Amnesia.Store(conf=entries)
        self.addCleanup(late.close_sync)
        late.bind("number", self.widget, "number", Amnesia.BindFlags.AFTER_SYNC)
        self.widget.number = 6
        wait_for(lambda: late.state == Amnesia.State.SYNCED)
        wait_for(lambda: self.widget.number == 5)
        self.assertEqual(late.data, {"number": 5})


class MappingTest(unittest.TestCase):
    def setUp(self):
        self.store = Amnesia.Store()
        self.widget = Widget()
        self.problems = []
        hook, sys.excepthook = sys.excepthook, lambda *what: self.problems.append(what[1])
        self.addCleanup(setattr, sys, "excepthook", hook)

    def bind(self, get_mapping, set_mapping, key="key", property="text"):
        flags = Amnesia.BindFlags.DEFAULT
        self.store.bind_with_mapping(key, self.widget, property, flags, get_mapping, set_mapping)

    def test_values_of_python(self):
        self.store["key"] = ["a", 1, {"b": b"x"}]
        seen = []
        self.bind(lambda value: seen.append(value) or str(value), lambda text: {"text": text})
        self.assertEqual(seen, [["a", 1, {"b": b"x"}]])
        self.assertEqual(self.widget.text, "['a', 1, {'b': b'x'}]")
        self.widget.text = "typed"
        self.assertEqual(self.store["key"], {"text": "typed"})

    def test_whole_value(self):
        self.store.data = {"a": 1}
        self.bind(lambda data: str(data["a"]), lambda text: {"a": int(text)}, key=None)
        self.assertEqual(self.widget.text, "1")
        self.widget.text = "2"
        self.assertEqual(self.store.data, {"a": 2})

    def test_variants(self):
        self.bind(None, lambda text: GLib.Variant("u", len(text)))
        self.widget.text = "four"
        self.assertEqual(self.store.get_key("key").get_type_string(), "u")
        self.widget.data = GLib.Variant("u", 1)
        self.bind(lambda value: GLib.Variant("s", value), None, "other", "data")
        self.store["other"] = "x"
        self.assertEqual(self.widget.data.get_string(), "x")

    def test_one_way_by_default(self):
        self.store["key"] = "a"
        self.store.bind_with_mapping("key", self.widget, "text", GET, str.upper)
        self.assertEqual(self.widget.text, "A")
        self.widget.text = "B"
        self.assertEqual(self.store["key"], "a")
        self.store.bind_with_mapping("key", self.widget, "text", set_mapping=str.lower)
        self.assertEqual(self.widget.text, "a")
        self.widget.text = "C"
        self.assertEqual(self.store["key"], "c")

    def test_none_writes_nothing(self):
        self.bind(None, lambda text: None if text == "secret" else text)
        self.widget.text = "a"
        self.widget.text = "secret"
        self.assertEqual(self.store["key"], "a")
        self.assertEqual(self.problems, [])

    def test_exceptions(self):
        self.bind(lambda value: str(1 // value), lambda text: 1 // int(text))
        self.store["key"] = 1
        self.assertEqual(self.widget.text, "1")
        self.store["key"] = 0
        self.assertEqual(self.widget.text, "1")
        self.widget.text = "0"
        self.assertEqual(self.store["key"], 0)
        self.assertEqual([type(each) for each in self.problems], [ZeroDivisionError] * 2)

    def test_wrong_results(self):
        self.bind(lambda value: value, lambda text: object())
        self.widget.text = "a"
        self.assertIsNone(self.store.data)
        self.assertRegex(str(self.problems[0]), "^what set_mapping returned is of type object")


class ActionTest(unittest.TestCase):
    def setUp(self):
        self.store = Amnesia.Store()

    def test_switch(self):
        action = self.store.create_action("lamp", False)
        self.assertIsInstance(action, Gio.Action)
        self.assertEqual(action.get_name(), "lamp")
        self.assertIsNone(self.store.data)
        action.activate(None)
        self.assertIs(self.store["lamp"], True)
        self.store["lamp"] = False
        self.assertIs(action.get_state().unpack(), False)

    def test_choice(self):
        action = self.store.create_action("mode", "auto")
        self.assertEqual(action.get_state().unpack(), "auto")
        action.activate(GLib.Variant("s", "manual"))
        self.assertEqual(self.store["mode"], "manual")
        self.store["mode"] = 5
        self.assertFalse(action.get_enabled())

    def test_default(self):
        action = self.store.create_action("level", GLib.Variant("u", 5))
        self.assertEqual(action.get_state_type().dup_string(), "u")
        with self.assertRaisesRegex(TypeError, "^default_state is of type object"):
            self.store.create_action("level", object())
        with self.assertRaises(TypeError):
            self.store.create_action("level", None)

    def test_in_a_group(self):
        group = Gio.SimpleActionGroup()
        group.add_action(self.store.create_action("lamp", False))
        group.activate_action("lamp", None)
        self.assertIs(self.store["lamp"], True)


if __name__ == "__main__":
    unittest.main()
