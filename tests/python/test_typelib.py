# SPDX-License-Identifier: MIT
"""A12: every function, property and signal of the typelib, called with what does not belong there.

Each part runs in a process of its own, which must come to its end: exceptions are right, and so are
criticals, but nothing from Python may crash the process.
"""

import itertools
import os
import random
import subprocess
import sys
import unittest

import gi

gi.require_version("GIRepository", "2.0")
from gi.repository import Gio, GIRepository, GLib, GObject  # noqa: E402

from support import Amnesia, conf  # noqa: E402

SEED = 12
N_MIXTURES = 300
PATIENCE_S = 60


def infos():
    repository = GIRepository.Repository.get_default()
    for index in range(repository.get_n_infos("Amnesia")):
        yield repository.get_info("Amnesia", index)


def classes():
    return [info.get_name() for info in infos() if info.get_type() == GIRepository.InfoType.OBJECT]


def functions():
    """The names of all functions, and how many arguments they take in C."""
    return {
        info.get_name(): GIRepository.callable_info_get_n_args(info)
        for info in infos()
        if info.get_type() == GIRepository.InfoType.FUNCTION
    }


def methods(name):
    info = GIRepository.Repository.get_default().find_by_name("Amnesia", name)
    found = [
        GIRepository.object_info_get_method(info, index)
        for index in range(GIRepository.object_info_get_n_methods(info))
    ]
    return {each.get_name(): GIRepository.callable_info_get_n_args(each) for each in found}


def zoo():
    """What may come instead of the right thing; anew each time, as some of it is used up."""
    cancelled = Gio.Cancellable()
    cancelled.cancel()
    return [
        None, True, 0, -1, 2**31, 2**32 - 1, 2**63, 2**70, 1.5, float("nan"), "", "text", "a\0b",
        "\ud800", "%n%s", b"", b"\0\xff", [], [None], {}, {"a": None}, (), object(), int, print,
        lambda *_: 1 / 0, GLib.Variant("i", 1), GLib.Variant("h", 1), GLib.Variant("()", ()),
        GLib.VariantType("a*"), GLib.Bytes.new(b"x"), GLib.Error("x"), Gio.Cancellable(), cancelled,
        GObject.Object(), Amnesia.Conf(), Amnesia.Store(), Amnesia.Peer(), Amnesia.Store,
        Amnesia.State.ALONE, Amnesia.Error.FORKED,
    ]  # fmt: skip


def attempt(call, *arguments):
    try:
        call(*arguments)
    except Exception:  # whatever it is: it is an exception, and no crash
        pass


def drain():
    """What was begun goes on; the handlers and callbacks in the zoo are called."""
    for _ in range(20):
        GLib.MainContext.default().iteration(False)


def torment(call, n_arguments):
    """Calls with each kind alone, with all the same, and with mixtures of the right length.

    In Python there are fewer arguments than in C, where some are only there to return something.
    """
    chance = random.Random(SEED)
    for n in range(n_arguments + 2):
        for value in zoo():
            attempt(call, *[value] * n)
    for n in range(2, n_arguments + 1):
        for _ in range(N_MIXTURES):
            attempt(call, *chance.choices(zoo(), k=n))
    drain()


def targets(name):
    """Objects of a class, in more than one state."""
    made = [getattr(Amnesia, name)()]
    if name == "Store":
        made += [Amnesia.Store(data={"a": 1}), Amnesia.Store(conf=conf(2))]
        made[-1].open_sync()
    if name == "Peer":
        made.append(targets("Store")[-1].peers[0])
    return made


def run_functions():
    for name, n_arguments in functions().items():
        torment(getattr(Amnesia, name), n_arguments)


def run_constructors(name):
    kind = getattr(Amnesia, name)
    specs = [spec.name for spec in GObject.list_properties(kind)]
    for spec, value in itertools.product([*specs, "no-such"], zoo()):
        attempt(lambda: kind(**{spec.replace("-", "_"): value}))
        attempt(lambda: GObject.new(kind, **{spec: value}))
    drain()


def run_methods(name):
    for method, n_arguments in methods(name).items():
        call = getattr(getattr(Amnesia, name), method, None)
        if call is None:
            raise SystemExit(f"{name}.{method} is in the typelib and not in Python")
        torment(call, n_arguments + 1)
        for target in targets(name):
            torment(lambda *arguments: call(target, *arguments), n_arguments)


def run_properties(name):
    for target in targets(name):
        for spec in GObject.list_properties(target):
            getattr(target.props, spec.name.replace("-", "_"))
            for value in zoo():
                attempt(target.set_property, spec.name, value)
                attempt(setattr, target.props, spec.name.replace("-", "_"), value)
                attempt(setattr, target, spec.name.replace("-", "_"), value)
                attempt(target.bind_property, spec.name, GObject.Object(), spec.name, 3)
    drain()


def run_signals(name):
    for target in targets(name):
        for signal in GObject.signal_list_names(target):
            target.connect(signal, lambda *_: 1 / 0)
            torment(lambda *arguments: target.emit(signal, *arguments), 4)


PARTS = {
    "functions": run_functions,
    **{
        f"{part.__name__}-{name}": lambda part=part, name=name: part(name)
        for part in (run_constructors, run_methods, run_properties, run_signals)
        for name in classes()
    },
}


class TypelibTest(unittest.TestCase):
    def test_A12_nothing_crashes(self):
        # the criticals and warnings that Python's misuse brings about must not end the process
        environment = {**os.environ, "G_DEBUG": "", "PYTHONWARNINGS": "ignore"}
        for part in PARTS:
            with self.subTest(part=part):
                process = subprocess.run(
                    [sys.executable, __file__, part],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=PATIENCE_S,
                    text=True,
                    errors="replace",
                )
                self.assertEqual(process.returncode, 0, process.stdout[-2000:])

    def test_A12_all_are_there(self):
        self.assertEqual(set(classes()), {"Change", "Conf", "Peer", "Store"})
        self.assertIn("from_json", functions())
        self.assertIn("write", methods("Store"))


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in PARTS:
        PARTS[sys.argv[1]]()
    else:
        unittest.main()
