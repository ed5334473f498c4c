# SPDX-License-Identifier: MIT
"""First values, as Python has them: a default here, and what is set if nobody has set anything."""

import unittest

from gi.repository import Gio, GLib

from support import Amnesia, conf, open_store, wait_for


class DefaultTest(unittest.TestCase):
    def setUp(self):
        self.store = Amnesia.Store()
        self.seen = []
        self.store.connect("changed", self.see)

    def see(self, store, old, new, remote):
        self.seen.append((Amnesia.unpack(old), Amnesia.unpack(new), remote))

    def test_default(self):
        self.assertIsNone(self.store.default_data)
        self.store.default_data = {"volume": 0.5}
        self.assertEqual(self.store.default_data, {"volume": 0.5})
        self.assertEqual(self.store.data, {"volume": 0.5})
        self.store.data = 1
        self.assertEqual(self.store.data, 1)
        self.store.data = None
        self.store.default_data = None
        self.assertIsNone(self.store.data)
        expected = [
            (None, {"volume": 0.5}, False),
            ({"volume": 0.5}, 1, False),
            (1, {"volume": 0.5}, False),
            ({"volume": 0.5}, None, False),
        ]
        self.assertEqual(self.seen, expected)

    def test_keys_are_laid_over_it(self):
        self.store.default_data = {"a": 1, "b": 2}
        self.store["b"] = 3
        self.assertEqual(self.store.data, {"a": 1, "b": 3})
        self.assertEqual(list(self.store), ["a", "b"])
        del self.store["a"]
        self.assertEqual(self.store.data, {"b": 3})

    def test_is_not_sent(self):
        entries = conf(2)
        a = open_store(self, conf=entries, default_data={"a": 1})
        b = open_store(self, conf=entries)
        a["b"] = 2
        wait_for(lambda: b.data == {"b": 2})
        self.assertEqual(a.data, {"a": 1, "b": 2})
        b["c"] = 3
        wait_for(lambda: a.data == {"a": 1, "b": 2, "c": 3})

    def test_constructor(self):
        store = Amnesia.Store(default_data=5)
        self.assertEqual(store.data, 5)
        store = Amnesia.Store(default_data=5, data=6)
        self.assertEqual((store.data, store.default_data), (6, 5))

    def test_notify(self):
        names = []
        self.store.connect("notify::default-data", lambda _, spec: names.append(spec.name))
        self.store.default_data = [1]
        self.store.default_data = [1]
        self.assertEqual(names, ["default-data"])

    def test_accessors(self):
        self.store.set_default_data(GLib.Variant("i", 5))
        self.assertEqual(self.store.get_default_data().get_type_string(), "i")
        self.assertEqual(self.store.props.default_data.get_int32(), 5)

    def test_refused(self):
        with self.assertRaisesRegex(TypeError, "^default_data is of type object"):
            self.store.default_data = object()
        with self.assertRaisesRegex(TypeError, r"^default_data\['a'\] is of type object"):
            Amnesia.Store(default_data={"a": object()})
        self.assertIsNone(self.store.data)


class IfUnsetTest(unittest.TestCase):
    def finish(self, call, finish, *arguments):
        """Returns what came of it: whether the value is in force, or an error."""
        results = []

        def ended(store, result):
            try:
                results.append(finish(result))
            except GLib.Error as error:
                results.append(error)

        call(*arguments, ended)
        wait_for(lambda: results)
        return results[0]

    def set_if_unset(self, store, value, cancellable=None):
        call, finish = store.set_if_unset_async, store.set_if_unset_finish
        return self.finish(call, finish, value, cancellable)

    def set_key_if_unset(self, store, key, value, cancellable=None):
        call, finish = store.set_key_if_unset_async, store.set_key_if_unset_finish
        return self.finish(call, finish, key, value, cancellable)

    def assert_error(self, error, code):
        self.assertIsInstance(error, GLib.Error)
        self.assertTrue(error.matches(Amnesia.error_quark(), code), error)

    def make_store(self, n=1):
        store = Amnesia.Store(conf=conf(n))
        self.addCleanup(store.close_sync)
        return store

    def test_alone(self):
        store = self.make_store()
        self.assertIs(self.set_if_unset(store, {"volume": 0.5}), True)
        self.assertEqual(store.state, Amnesia.State.ALONE)
        self.assertEqual(store.data, {"volume": 0.5})
        self.assertIs(self.set_if_unset(store, 2), False)
        self.assertEqual(store.data, {"volume": 0.5})

    def test_key(self):
        store = self.make_store()
        self.assertIs(self.set_key_if_unset(store, "a", 1), True)
        self.assertIs(self.set_key_if_unset(store, "a", 2), False)
        self.assertIs(self.set_key_if_unset(store, "b", None), True)
        self.assertEqual(store.data, {"a": 1, "b": None})
        store["a"] = 3
        self.assertIs(self.set_key_if_unset(store, "a", 4), False)
        self.assertEqual(store["a"], 3)

    def test_removed_counts_as_written(self):
        store = self.make_store()
        store["a"] = 1
        del store["a"]
        self.assertIs(self.set_key_if_unset(store, "a", 2), False)
        self.assertNotIn("a", store)

    def test_newcomer(self):
        first = self.make_store(2)
        self.assertIs(self.set_if_unset(first, "first"), True)
        late = self.make_store(2)
        self.assertIs(self.set_if_unset(late, "late"), False)
        self.assertEqual(late.data, "first")

    def test_any_other_value_beats_it(self):
        a = Amnesia.Store(data="set before")
        self.addCleanup(a.close_sync)
        b = self.make_store(2)
        self.assertIs(self.set_if_unset(b, "first"), True)
        a.conf = conf(2)
        wait_for(lambda: b.data == "set before")

    def test_variant(self):
        store = self.make_store()
        self.assertIs(self.set_key_if_unset(store, "a", GLib.Variant("u", 1)), True)
        self.assertEqual(store.get_key("a").get_type_string(), "u")

    def test_errors(self):
        code = Amnesia.Error.NOT_CONFIGURED
        self.assert_error(self.set_if_unset(Amnesia.Store(), 1), code)
        store = self.make_store()
        handle = GLib.Variant("h", 0)
        self.assert_error(self.set_if_unset(store, handle), Amnesia.Error.INVALID_VALUE)
        code = Amnesia.Error.INVALID_KEY
        self.assert_error(self.set_key_if_unset(store, "", 1), code)
        store.data = 5
        code = Amnesia.Error.NOT_A_DICTIONARY
        self.assert_error(self.set_key_if_unset(store, "a", 1), code)

    def test_cancelled(self):
        store = self.make_store()
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        error = self.set_if_unset(store, 1, cancellable)
        self.assertTrue(error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        self.assertIsNone(store.data)

    def test_wrong_arguments(self):
        store = self.make_store()
        with self.assertRaisesRegex(TypeError, r"^data\['a'\] is of type object"):
            store.set_key_if_unset_async("a", object(), None, lambda *_: None)
        with self.assertRaisesRegex(TypeError, "^data is of type object"):
            store.set_if_unset_async(object(), None, lambda *_: None)
        with self.assertRaisesRegex(TypeError, "a key is of type int"):
            store.set_key_if_unset_async(5, 1, None, lambda *_: None)
        with self.assertRaises(TypeError):
            store.set_if_unset_async(None, None, lambda *_: None)


if __name__ == "__main__":
    unittest.main()
