# SPDX-License-Identifier: MIT
"""Each feature of the store, as Python has it."""

import json
import os
import pathlib
import socket
import sys
import tempfile
import unittest
import unittest.mock

from gi.repository import Gio, GLib, GObject

from support import Amnesia, conf, host, open_store, wait_for


def matches(error, code):
    return error.matches(Amnesia.error_quark(), code)


class RefusalTest(unittest.TestCase):
    def assert_refused(self, code, call, *arguments):
        with self.assertRaises(GLib.Error) as caught:
            call(*arguments)
        self.assertTrue(matches(caught.exception, code), caught.exception)
        return caught.exception.message


class ConfTest(RefusalTest):
    def setUp(self):
        self.store = Amnesia.Store()

    def set_conf(self, value):
        self.store.conf = value

    def assert_peers(self, n):
        self.assertIsInstance(self.store.conf, Amnesia.Conf)
        self.assertEqual(self.store.conf.get_n_peers(), n)

    def test_list(self):
        self.store.conf = conf(2)
        self.assert_peers(2)
        self.assertEqual(self.store.conf.get_peer(1), (True, host(), 7702))

    def test_tuple(self):
        self.store.conf = tuple(conf(3))
        self.assert_peers(3)

    def test_dict(self):
        self.store.conf = {"peers": conf(1), "group": "küche", "max-size": 2048}
        self.assert_peers(1)
        self.assertEqual(self.store.conf.group, "küche")
        self.assertEqual(self.store.conf.max_size, 2048)

    def test_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "conf.json")
            path.write_text(json.dumps(conf(2)))
            self.store.conf = path
            self.assert_peers(2)
            self.store.conf = None
            self.store.conf = str(path)
            self.assert_peers(2)

    def test_object(self):
        built = Amnesia.Conf()
        built.add_peer(host(), 7701)
        self.store.conf = built
        self.assertIs(self.store.conf, built)

    def test_built(self):
        built = Amnesia.Conf(group="küche", max_size=2048)
        built.clock_limit = 60
        built.local = False
        built.add_peer("10.0.1.2", 7777)
        built.add_allow("10.0.1.0/24")
        built.set_listen("0.0.0.0", 7777)
        self.assertEqual(built.get_peer(0), (True, "10.0.1.2", 7777))
        self.assertEqual((built.group, built.max_size), ("küche", 2048))
        self.assertEqual((built.clock_limit, built.local), (60, False))
        code = Amnesia.Error.INVALID_CONF
        self.assertIn("10.0.1.2", self.assert_refused(code, built.add_peer, "10.0.1.2", 7777))
        self.assertIn("10.0.1.1/24", self.assert_refused(code, built.add_allow, "10.0.1.1/24"))
        self.assertIn("listen", self.assert_refused(code, built.set_listen, "localhost", 7777))

    def test_none(self):
        self.assertIsNone(self.store.conf)
        self.store.conf = conf(1)
        self.store.conf = None
        self.assertIsNone(self.store.conf)

    def test_constructor(self):
        self.assertEqual(Amnesia.Store(conf=conf(2)).conf.get_n_peers(), 2)
        self.assert_refused(Amnesia.Error.INVALID_CONF, lambda: Amnesia.Store(conf=[]))

    def test_wrong(self):
        code = Amnesia.Error.INVALID_CONF
        message = self.assert_refused(code, self.set_conf, [*conf(1), {"host": host()}])
        self.assertIn("[1].port", message)
        self.assertIn("peers", self.assert_refused(code, self.set_conf, {}))
        self.assertIn("prot", self.assert_refused(code, self.set_conf, {"prot": 1}))
        self.assertIsNone(self.store.conf)

    def test_no_file(self):
        with self.assertRaises(GLib.Error) as caught:
            self.store.conf = "no/such/file"
        self.assertTrue(caught.exception.matches(GLib.file_error_quark(), GLib.FileError.NOENT))
        self.assertIn("no/such/file", caught.exception.message)

    def test_other_type(self):
        for value in (5, b"x", True, {1, 2}):
            with self.assertRaisesRegex(TypeError, "conf is of type"):
                self.store.conf = value


class DataTest(RefusalTest):
    def setUp(self):
        self.store = Amnesia.Store()
        self.seen = []
        self.store.connect("changed", self.see)

    def see(self, store, old, new, remote):
        self.seen.append((Amnesia.unpack(old), Amnesia.unpack(new), remote))

    def test_changed(self):
        self.assertIsNone(self.store.data)
        self.store.data = {"jsontest": 123}
        self.assertEqual(self.store.data["jsontest"], 123)
        self.store.data = {"jsontest": 123}
        self.store.data = None
        expected = [(None, {"jsontest": 123}, False), ({"jsontest": 123}, None, False)]
        self.assertEqual(self.seen, expected)

    def test_arguments_are_variants(self):
        kinds = []
        self.store.connect("changed", lambda _, old, new, remote: kinds.append((old, type(new))))
        self.store.data = 1
        self.assertEqual(kinds, [(None, GLib.Variant)])

    def test_notify(self):
        values = []
        self.store.connect("notify::data", lambda store, _: values.append(store.data))
        self.store.data = 1
        self.store.data = 1
        self.store.data = 2
        self.assertEqual(values, [1, 2])

    def test_updated(self):
        self.assertIsNone(self.store.updated)
        before = GLib.get_real_time() // 1000
        self.store.data = 1
        updated = self.store.updated
        milliseconds = updated.to_unix() * 1000 + updated.get_microsecond() // 1000
        self.assertLessEqual(before, milliseconds)
        self.assertLessEqual(milliseconds, GLib.get_real_time() // 1000 + 1)

    def test_accessors(self):
        self.store.set_data(GLib.Variant("i", 5))
        self.assertEqual(self.store.props.data.get_type_string(), "i")
        self.assertTrue(self.store.write(GLib.Variant("s", "x")))
        self.assertEqual(self.store.get_data().get_string(), "x")

    def test_refused(self):
        self.store.data = 1

        def set_handle():
            self.store.data = GLib.Variant("h", 0)

        self.assert_refused(Amnesia.Error.INVALID_VALUE, set_handle)
        with self.assertRaises(TypeError):
            self.store.data = object()
        self.assertEqual(self.store.data, 1)

    def test_setter_logs(self):
        lines = []
        self.store.connect("log", lambda _, line: lines.append(line))
        self.store.set_data(GLib.Variant("h", 0))
        self.assertIsNone(self.store.data)
        self.assertIn("“h”", lines[0])

    def test_constructor(self):
        self.assertEqual(Amnesia.Store(data=[1]).data, [1])
        self.assertEqual(Amnesia.Store(data=False).data, False)
        with self.assertRaises(TypeError):
            Amnesia.Store(data=object())

    def test_V9_set_in_handler(self):
        self.store.connect("changed", lambda store, *_: store.data == 1 and self.set_two())
        self.store.data = 1
        self.assertEqual(self.store.data, 2)
        self.assertEqual(self.seen, [(None, 1, False), (1, 2, False)])

    def set_two(self):
        self.store.data = 2

    def test_V9_P8_handler_that_raises(self):
        problems, calls = [], []
        hook, sys.excepthook = sys.excepthook, lambda *problem: problems.append(problem[1])
        self.addCleanup(setattr, sys, "excepthook", hook)

        def fail(*_):
            raise RuntimeError("on purpose")

        self.store.connect("changed", fail)
        self.store.connect("changed", lambda *_: calls.append("next"))
        self.store.data = 1
        self.assertEqual(self.store.data, 1)
        self.assertEqual(calls, ["next"])
        self.assertEqual([str(problem) for problem in problems], ["on purpose"])


class Counter(Amnesia.Store):
    """A store with something of its own."""

    __gtype_name__ = "TestCounter"

    step = GObject.Property(type=int, default=1)

    def __init__(self, start, **properties):
        super().__init__(**properties)
        self.data = start

    def count(self):
        self.data += self.step
        return self.data


class SubclassTest(unittest.TestCase):
    def test_derived(self):
        store = Counter(5, step=2)
        self.assertEqual(store.count(), 7)
        self.assertIsInstance(store, Amnesia.Store)
        self.assertEqual(store.__gtype__.parent.name, "AmnesiaStore")

    def test_shares(self):
        entries = conf(2)
        counter = Counter(0, conf=entries)
        self.addCleanup(counter.close_sync)
        counter.open_sync()
        other = open_store(self, conf=entries)
        self.assertEqual(other.data, 0)
        counter.count()
        wait_for(lambda: other.data == 1)


class OpenTest(RefusalTest):
    def test_sync(self):
        store = Amnesia.Store(conf=conf(1))
        self.assertEqual(store.state, Amnesia.State.CLOSED)
        self.assertTrue(store.open_sync())
        self.assertEqual(store.state, Amnesia.State.ALONE)
        self.assertEqual(store.listening, f"{host()}:7701")
        self.assertTrue(store.close_sync())
        self.assertEqual(store.state, Amnesia.State.CLOSED)
        self.assertIsNone(store.listening)

    def test_in_the_background(self):
        store = Amnesia.Store()
        states = []
        store.connect("notify::state", lambda *_: states.append(store.state))
        store.conf = conf(1)
        wait_for(lambda: store.state == Amnesia.State.ALONE)
        store.conf = None
        wait_for(lambda: store.state == Amnesia.State.CLOSED)
        self.assertEqual(states[-2:], [Amnesia.State.ALONE, Amnesia.State.CLOSED])

    def finish(self, call, finish):
        results = []
        call(None, lambda store, result: results.append(finish(result)))
        wait_for(lambda: results)
        return results

    def test_async(self):
        store = Amnesia.Store(conf=conf(1))
        self.assertEqual(self.finish(store.open_async, store.open_finish), [True])
        self.assertEqual(self.finish(store.close_async, store.close_finish), [True])
        self.assertEqual(store.state, Amnesia.State.CLOSED)

    def test_A8_cancelled(self):
        store = Amnesia.Store(conf=conf(1))
        self.addCleanup(store.close_sync)
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        with self.assertRaises(GLib.Error) as caught:
            store.open_sync(cancellable)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

    def test_not_configured(self):
        self.assert_refused(Amnesia.Error.NOT_CONFIGURED, Amnesia.Store().open_sync)

    def test_A2_inside_a_loop(self):
        store = Amnesia.Store(conf=conf(1))
        loop = GLib.MainLoop()
        messages = []

        def block():
            code = Amnesia.Error.WRONG_CONTEXT
            try:
                messages.append(self.assert_refused(code, store.open_sync))
            finally:
                loop.quit()

        GLib.idle_add(block)
        loop.run()
        self.assertEqual(len(messages), 1)
        store.close_sync()

    def test_close_without_peers(self):
        store = Amnesia.Store()
        store.data = 1
        self.assertTrue(store.close_sync())
        self.assertEqual(store.data, 1)

    def test_P7_forked(self):
        store = open_store(self, conf=conf(1))
        child = os.fork()
        if child == 0:
            try:
                store.data = 1
            except GLib.Error as error:
                os._exit(0 if matches(error, Amnesia.Error.FORKED) else 1)
            os._exit(2)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


class ShareTest(RefusalTest):
    def open_two(self):
        entries = conf(2)
        return open_store(self, conf=entries), open_store(self, conf=entries)

    def test_both_ways(self):
        a, b = self.open_two()
        seen = []
        b.connect("changed", lambda _, old, new, remote: seen.append((old, new.unpack(), remote)))
        a.data = "x"
        wait_for(lambda: b.data == "x")
        self.assertEqual(seen, [(None, "x", True)])
        self.assertEqual(b.updated.to_unix(), a.updated.to_unix())
        b.data = ["y"]
        wait_for(lambda: a.data == ["y"])

    def test_late_member(self):
        a = open_store(self, conf=conf(2))
        a.data = {"a": 1}
        b = open_store(self, conf=conf(2))
        self.assertEqual(b.state, Amnesia.State.SYNCED)
        self.assertEqual(b.data, {"a": 1})

    def test_peers(self):
        a, b = self.open_two()
        self.assertIsInstance(a.peers, Gio.ListModel)
        (peer,) = a.peers
        self.assertEqual((peer.host, peer.port), (host(), 7702))
        wait_for(lambda: peer.state == Amnesia.PeerState.CONNECTED)
        self.assertEqual(peer.way, Amnesia.Way.TCP)
        a.data = 1
        wait_for(lambda: peer.in_sync)
        # the first heartbeat tells
        wait_for(lambda: peer.round_trip >= 0)
        self.assertEqual(peer.get_round_trip(), peer.round_trip)
        self.assertLess(abs(peer.clock_offset), 1000000)
        self.assertIsNone(peer.last_error)
        b.close_sync()
        wait_for(lambda: peer.state == Amnesia.PeerState.AWAY)
        wait_for(lambda: peer.last_error)
        self.assertTrue(peer.last_error.message)

    def test_local_way(self):
        with tempfile.TemporaryDirectory() as folder, \
                unittest.mock.patch.dict(os.environ, XDG_RUNTIME_DIR=folder):
            a, b = self.open_two()
            (peer,) = a.peers
            wait_for(lambda: peer.way == Amnesia.Way.LOCAL)
            a.data = 1
            wait_for(lambda: b.data == 1)
            b.close_sync()
            b.conf = {"peers": conf(2), "local": False}
            self.assertFalse(b.conf.local)
            wait_for(lambda: peer.way == Amnesia.Way.TCP)

    def test_log(self):
        lines = []
        entries = conf(2)
        a = Amnesia.Store(conf=entries)
        a.connect("log", lambda _, line: lines.append(line))
        self.addCleanup(a.close_sync)
        a.open_sync()
        open_store(self, conf=entries)
        wait_for(lambda: any(line.endswith("connected") for line in lines))
        self.assertTrue(any(f"{host()}:7702" in line for line in lines))

    def test_guest(self):
        a = open_store(self, conf=conf(2))
        a.data = 1
        guest = open_store(self, guest=True, conf=conf(2))
        self.assertTrue(guest.guest)
        self.assertEqual((guest.listening, guest.data), (None, 1))
        guest.guest = False
        self.assertFalse(guest.props.guest)

    def test_close_timeout(self):
        a, b = self.open_two()
        self.assertEqual(a.close_timeout, 5000)
        a.close_timeout = 0
        self.assertEqual(a.props.close_timeout, 0)
        a.data = "x" * (8 << 20)
        message = self.assert_refused(Amnesia.Error.NOT_IN_SYNC, a.close_sync)
        self.assertIn(f"{host()}:7702", message)

    def test_error(self):
        store = Amnesia.Store()
        with socket.socket() as other:
            other.bind((host(), 7799))
            other.listen()
            listen = {"host": host(), "port": 7799}
            store.conf = {"peers": conf(1), "listen": listen}
            wait_for(lambda: store.error)
        self.assertIn("7799", store.error.message)
        self.assertEqual(store.state, Amnesia.State.CLOSED)


if __name__ == "__main__":
    unittest.main()
