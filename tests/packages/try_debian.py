# SPDX-License-Identifier: MIT
"""The Debian packages in an empty system; run by .packages/try-debian.

try_debian.py PACKAGES ROOT FOLDER: the packages, where the empty system is or is to be made, and a
folder for the rest.
"""

import itertools
import json
import pathlib
import re
import shutil
import sys
import time
import unittest

import machines
import terminals

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
DEBIAN = SOURCE / ".packages" / "debian"
PACKAGES, BASE, FOLDER = map(pathlib.Path, sys.argv[1:4])
COUNTER = itertools.count()
TRY = "/root/source"


def read_dependencies(name):
    """What debian/tests/control says that the test needs."""
    text = (DEBIAN / "tests" / "control").read_text()
    (line,) = re.findall(rf"^Tests: {name}\nDepends: (.*)$", text, re.MULTILINE)
    return line.split(", ")


def find_sample(language):
    """The ten lines that the README has for one language."""
    return re.search(rf"^```{language}\n(.*?)^```", (SOURCE / "README.md").read_text(),
                     re.DOTALL | re.MULTILINE).group(1)  # fmt: skip


class TestCase(unittest.TestCase):
    def setUp(self):
        self.machine = machines.Machine(BASE, PACKAGES, FOLDER / "layers" / str(next(COUNTER)))
        self.addCleanup(self.machine.remove)

    def start(self, *command):
        program = self.machine.start(*command)
        self.addCleanup(program.end)
        return program


class Samples(TestCase):
    """Each language in a system of its own: what one package forgets another one cannot bring."""

    ENDINGS = {"python": "py", "javascript": "js"}
    FENCES = {"javascript": "js"}
    COMMANDS = {
        "c": lambda name: f"cc -Wall {name}.c -o {name} $(pkg-config --cflags --libs amnesia-1)"
        f" && exec ./{name}",
        "vala": lambda name: f"valac -X -w --pkg amnesia-1 {name}.vala -o {name} && exec ./{name}",
        "python": lambda name: f"exec python3 -u {name}.py",
        "javascript": lambda name: f"exec gjs -m {name}.js",
    }

    def start_sample(self, language, name, value):
        text = find_sample(self.FENCES.get(language, language))
        self.assertEqual(text.count("123"), 1)
        ending = self.ENDINGS.get(language, language)
        self.machine.write(f"{name}.{ending}", text.replace("123", value))
        return self.start("sh", "-c", self.COMMANDS[language](name))

    def check(self, language, shown):
        self.machine.install(*read_dependencies(language))
        conf = [{"host": machines.HOST, "port": 7701 + index} for index in range(2)]
        self.machine.write("conf.json", json.dumps(conf))
        first = self.start_sample(language, "first", "123")
        self.assertEqual(first.next_line(), shown.format("123"))
        second = self.start_sample(language, "second", "124")
        self.assertEqual(second.next_line(), shown.format("124"))
        self.assertEqual(first.next_line(), shown.format("124"))
        self.run_test(language)

    def run_test(self, name):
        """One of debian/tests, as autopkgtest runs it: at the top of the source."""
        source = self.machine.root / TRY.lstrip("/")
        shutil.copytree(SOURCE / "tests" / "install" / "outside", source / "tests/install/outside")
        shutil.copytree(DEBIAN, source / "debian")
        return self.machine.run("sh", "-c", f"cd {TRY} && exec debian/tests/{name}",
                                AUTOPKGTEST_TMP="/tmp")  # fmt: skip

    def test_c(self):
        self.check("c", "123".replace("123", "{}"))

    def test_vala(self):
        self.check("vala", "{}")

    def test_python(self):
        self.check("python", "{{'jsontest': {}}}")

    def test_javascript(self):
        self.check("javascript", '{{"jsontest":{}}}')

    def test_installed(self):
        """The tests that are packaged, by the runner that Debian has for them."""
        self.machine.install(*read_dependencies("installed"))
        report = self.run_test("installed")
        (passed,) = re.findall(r"^SUMMARY: total=(\d+); passed=\1; skipped=0; failed=0", report,
                               re.MULTILINE)  # fmt: skip
        self.assertGreater(int(passed), 20)


class Removal(TestCase):
    """What is purged has gone: every file of every package, and what was made since."""

    OURS = re.compile(r"^Package: (.*)$", re.MULTILINE)

    def test_purge(self):
        names = self.OURS.findall((self.machine.root / "packages" / "Packages").read_text())
        self.machine.run("apt-get", "-qq", "update")
        plan = self.machine.run("apt-get", "-s", "--no-install-recommends", "install", *names)
        others = set(re.findall(r"^Inst (\S+)", plan, re.MULTILINE)) - set(names)
        self.machine.install(*others, "doc-base", "gjs")
        before = self.machine.files()
        self.machine.install(*names)
        self.assertLess(set(before), set(self.machine.files()))
        # as root, so that Python keeps what it has compiled
        self.machine.run("python3", "-c", "import gi; gi.require_version('Amnesia', '1');"
                         "from gi.repository import Amnesia; Amnesia.Store ()")  # fmt: skip
        self.machine.run("apt-get", "-qq", "-y", "purge", *names)
        left = self.machine.files()
        self.assertEqual(sorted(set(left) ^ set(before)), [])
        self.assertEqual(self.machine.run("dpkg-query", "-l").count("amnesia"), 0)


class NewUser(TestCase):
    """From an empty system to two terminals that share a value, in four commands."""

    def test_new_user(self):
        user = terminals.NewUser(self.machine)
        self.addCleanup(user.leave)
        began = time.monotonic()
        lines = []
        for command, step in user.steps():
            start = time.monotonic()
            step()
            lines.append(f"  {time.monotonic() - start:5.1f} s  {command}")
        print("\nA new user's path:", *lines, sep="\n")
        print(f"  {time.monotonic() - began:5.1f} s  in all", flush=True)


def main():
    layers = FOLDER / "layers"
    layers.mkdir()
    # a layer cannot be on another one, which the disk of a container may be
    machines.run("mount", "-t", "tmpfs", "tmpfs", layers)
    began = time.monotonic()
    machines.bootstrap(BASE)
    print(f"The empty system took {time.monotonic() - began:.0f} s", file=sys.stderr)
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[4:]])


main()
