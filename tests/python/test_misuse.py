# SPDX-License-Identifier: MIT
"""What a program in Python may do with the wrong things, in handlers, threads, children and locales."""

import gc
import locale
import multiprocessing
import os
import sys
import threading
import time
import unittest
import weakref

from gi.repository import GLib

from support import Amnesia, conf, open_store, wait_for


def changes(store):
    """The list to which each transition of the store will be added."""
    seen = []
    store.connect("changed", lambda _, *seen_now: seen.append(tuple(map(unpack, seen_now))))
    return seen


def unpack(value):
    return value if isinstance(value, bool) else Amnesia.unpack(value)


class HandlerTest(unittest.TestCase):
    """V9: what handlers of `changed` may do. That they may raise is in test_store.py."""

    def setUp(self):
        self.store = Amnesia.Store()

    def test_V9_sets_again(self):
        for n in range(3):
            self.store.connect("changed", self.add_one)
        seen = changes(self.store)
        self.store.data = 0
        self.assertEqual(self.store.data, 30)
        values = [None, *[after for _, after, _ in seen]]
        self.assertEqual([before for before, _, _ in seen], values[:-1])
        self.assertEqual(values, [None, *range(31)])

    def add_one(self, store, old, new, remote):
        # the first of the three handlers that sees a value is to go on from there
        if store.data < 30 and store.data == new.unpack():
            store.data += 1

    def test_V9_removes_itself(self):
        calls = []

        def once(store, *_):
            calls.append(store.data)
            store.disconnect(handler)

        handler = self.store.connect("changed", once)
        seen = changes(self.store)
        self.store.data = 1
        self.store.data = 2
        self.assertEqual(calls, [1])
        self.assertEqual(len(seen), 2)

    def test_V9_drops_the_last_reference(self):
        stores = [Amnesia.Store(conf=conf(1))]
        gone = weakref.ref(stores[0])
        stores[0].open_sync()
        stores[0].connect("changed", lambda *_: stores.clear())
        calls = []
        stores[0].connect("changed", lambda *_: calls.append(1))
        stores[0].write(GLib.Variant("i", 1))
        self.assertEqual((stores, calls), ([], [1]))
        gc.collect()
        self.assertIsNone(gone())

    def test_V9_runs_a_nested_loop(self):
        a, b = (open_store(self, conf=entries) for entries in [conf(2)] * 2)

        def nest(store, old, new, remote):
            if new.unpack() == 1:
                wait_for(lambda: b.data == 1)
                b.data = 2
                wait_for(lambda: store.data == 2)

        wait_for(lambda: b.state == Amnesia.State.SYNCED)
        a.connect("changed", nest)
        seen = changes(a)
        a.data = 1
        self.assertEqual(seen, [(None, 1, False), (1, 2, True)])


class ValueTest(unittest.TestCase):
    """A6: what Python would let through, or cut, or round without a word."""

    def setUp(self):
        self.store = Amnesia.Store(data="before")

    def refuse(self, error, value):
        with self.assertRaises(error):
            self.store.data = value
        self.assertEqual(self.store.data, "before")

    def test_A6_numbers(self):
        for kind, number in (("u", -1), ("y", 256), ("x", 2**63), ("t", -1), ("i", 5 * 10**9)):
            with self.assertRaises(OverflowError):
                self.store.data = GLib.Variant(kind, number)
        for number in (2**64, -(2**63) - 1):
            self.refuse(OverflowError, number)
        for number in (1.7, -0.0, 2.0**63, 1e308):
            self.store.data = number
            self.assertIs(type(self.store.data), float)
            self.assertEqual(self.store.data, number)

    def test_A6_texts(self):
        for text in ("a\0b", "\0", "\ud800"):
            self.refuse(ValueError, text)
            self.refuse(ValueError, [{"a": text}])
            self.refuse(ValueError, {text: 1})

    def test_A6_none(self):
        seen = changes(self.store)
        self.store.data = None
        self.assertIsNone(self.store.data)
        self.assertEqual(seen, [("before", None, False)])
        self.store.data = {"a": None}
        self.assertEqual(self.store.data, {"a": None})

    def test_A6_objects_that_lie(self):
        class Lying(dict):
            def items(self):
                raise RuntimeError("on purpose")

        class Endless(list):
            def __iter__(self):
                while True:
                    yield self

        self.refuse(RuntimeError, Lying(a=1))
        self.refuse((ValueError, GLib.Error), Endless([1]))

    def test_V6_memory_that_changes(self):
        memory = bytearray(b"before")
        self.store.data = memory
        memory[:] = b"after!"
        self.assertEqual(self.store.data, b"before")
        inner = {"a": [1]}
        self.store.data = inner
        inner["a"].append(2)
        self.assertEqual(self.store.data, {"a": [1]})


class ThreadTest(unittest.TestCase):
    """A7: other threads, and the lock of the interpreter held by a slow handler."""

    def test_A7_calls_while_the_loop_runs(self):
        a, b = (open_store(self, conf=entries) for entries in [conf(2)] * 2)
        ended = []
        seen = changes(b)

        def work():
            for number in range(100):
                # the way into the thread of the store
                GLib.idle_add(a.set_data, GLib.Variant("x", number))
            GLib.idle_add(ended.append, number)

        def be_slow(*_):
            time.sleep(0.002)  # with the interpreter's lock given back, and taken again

        b.connect("changed", be_slow)
        wait_for(lambda: b.state == Amnesia.State.SYNCED)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(ended) == len(threads))
        for thread in threads:
            thread.join()
        wait_for(lambda: b.data == a.data == 99)
        self.assertEqual(seen[-1][1], 99)

    def test_A7_a_store_in_a_thread(self):
        entries = conf(2)
        here = open_store(self, conf=entries)
        problems = []

        def work():
            context = GLib.MainContext.new()
            context.push_thread_default()
            try:
                store = Amnesia.Store(conf=entries)
                store.open_sync()
                store.data = "from the thread"
                while store.data != "from here":
                    context.iteration(True)
                store.close_sync()
            except Exception as error:
                problems.append(error)
            finally:
                context.pop_thread_default()

        thread = threading.Thread(target=work)
        thread.start()
        wait_for(lambda: here.data == "from the thread")
        here.data = "from here"
        wait_for(lambda: not thread.is_alive())
        thread.join()
        self.assertEqual(problems, [])

    def test_A7_the_wrong_thread(self):
        store = open_store(self, conf=conf(1))
        errors = []

        def block():
            try:
                store.close_sync()
            except GLib.Error as error:
                errors.append(error)

        thread = threading.Thread(target=block)
        context = GLib.MainContext.default()
        self.assertTrue(context.acquire())
        thread.start()
        thread.join()
        context.release()
        self.assertTrue(errors[0].matches(Amnesia.error_quark(), Amnesia.Error.WRONG_CONTEXT))


def use_in_child(store, results):
    """What a worker of multiprocessing does with a store of its parent, and one of its own."""

    def outcome(call):
        try:
            call()
        except GLib.Error as error:
            return error.matches(Amnesia.error_quark(), Amnesia.Error.FORKED)
        return "no error"

    results.put(outcome(lambda: setattr(store, "data", "from the child")))
    results.put(outcome(store.open_sync))
    results.put(outcome(store.close_sync))
    results.put(store.data == "from the parent")
    own = Amnesia.Store(conf=conf_of_parent())
    own.data = "own"
    results.put(own.data == "own")


def conf_of_parent():
    return [{"host": "127.0.0.1", "port": 1}]


class ForkTest(unittest.TestCase):
    def test_P7_multiprocessing(self):
        a, b = (open_store(self, conf=entries) for entries in [conf(2)] * 2)
        a.data = "from the parent"
        wait_for(lambda: b.data == "from the parent")
        seen = changes(b)
        lost = []
        a.connect("notify::state", lambda *_: lost.append(a.state))
        fork = multiprocessing.get_context("fork")
        results = fork.SimpleQueue()
        child = fork.Process(target=use_in_child, args=(a, results))
        child.start()
        wait_for(lambda: not child.is_alive())
        self.assertEqual(child.exitcode, 0)
        self.assertEqual([results.get() for _ in range(5)], [True] * 5)
        self.assertEqual((seen, lost), ([], []))
        a.data = "the mesh lives"
        wait_for(lambda: b.data == "the mesh lives")


class LocaleTest(unittest.TestCase):
    def test_A11_locales(self):
        self.addCleanup(locale.setlocale, locale.LC_ALL, "C.UTF-8")
        self.addCleanup(os.chdir, os.getcwd())
        a, b = (open_store(self, conf=entries) for entries in [conf(2)] * 2)
        for name in "de_DE.UTF-8", "tr_TR.UTF-8":
            with self.subTest(locale=name):
                try:
                    locale.setlocale(locale.LC_ALL, name)
                except locale.Error:
                    self.skipTest(f"there is no locale {name} here")
                os.chdir("/")
                self.assertEqual(locale.localeconv()["decimal_point"], ",")
                a.data = value = {"I": 1.5, "İ": [name, -0.25, 1234567]}
                wait_for(lambda: b.data == value)
                self.assertEqual(Amnesia.to_json(Amnesia.pack(0.5)), "0.5")
                self.assertEqual(Amnesia.from_json("1234.5").unpack(), 1234.5)
                store = Amnesia.Store(conf=[{"host": "I.EXAMPLE", "port": 7701}])
                self.assertEqual(store.conf.get_peer(0), (True, "i.example", 7701))


if __name__ == "__main__":
    unittest.main()
