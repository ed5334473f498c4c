# SPDX-License-Identifier: MIT
"""The page on the command names the options that it has, and what it shows works."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest

import pages
from support import Amnesia, conf, wait_for

TOOL = pathlib.Path(os.environ["AMNESIA_BUILD"], "amnesia/tool/amnesia")
PAGE = (pages.INTROSPECTION / "command.md").read_text()
# These are said once, of all commands.
COMMON = {"help", "conf", "timeout", "member"}


def run_meanwhile(*command, **options):
    """A command, while the loop of the members in this process runs."""
    ended = []

    def work():
        ended.append(subprocess.run(command, capture_output=True, text=True, timeout=60, **options))

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: not thread.is_alive())
    thread.join()
    return ended[0]


def sections():
    """What stands below each heading that is the name of a command."""
    parts = re.split(r"^#{1,3} ", PAGE, flags=re.MULTILINE)
    found = [re.match(r"amnesia ([a-z-]+)\n(.*)", part, re.DOTALL) for part in parts]
    return {match[1]: match[2] for match in found if match}


def commands():
    listed = subprocess.run([TOOL, "help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  ([a-z][a-z-]+)  ", listed, re.MULTILINE)) - {"help"}


class Options(unittest.TestCase):
    def test_each_command(self):
        self.assertGreater(len(commands()), 5)
        self.assertEqual(set(sections()), commands())

    def test_options(self):
        for name, text in sections().items():
            done = subprocess.run([TOOL, name, "--help"], capture_output=True, text=True, check=True)
            has = re.findall(r"^  (?:-(\w), )?(?:    )?--([a-z-]+)", done.stdout, re.MULTILINE)
            said = re.findall(r"^\| `--([a-z-]+)`(?:, `-(\w)`)? \|", text, re.MULTILINE)
            with self.subTest(command=name):
                expected = {(long, short) for short, long in has if long not in COMMON}
                self.assertEqual(set(said), expected)


class Samples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        pathlib.Path(folder.name, "amnesia.json").write_text(json.dumps(conf(2)))
        self.env = {**os.environ, "PATH": f"{TOOL.parent}:{os.environ['PATH']}", "G_DEBUG": ""}

    def run_here(self, text):
        return run_meanwhile("sh", "-ec", text, cwd=self.folder, env=self.env)

    def open_member(self, **properties):
        store = Amnesia.Store(conf=conf(2), **properties)
        self.addCleanup(store.close_sync)
        wait_for(lambda: store.listening)
        return store

    def test_all(self):
        """One after the other, with somebody there."""
        store = self.open_member()
        told = [self.run_here(block.text) for block in pages.blocks_of("command.md", "sh")]
        for done in told:
            self.assertEqual(done.returncode, 0, done.args[-1] + done.stderr)
        first, second, watch, execute, shell = (done.stdout for done in told)
        self.assertEqual(first, '0.4\n{"volume":0.4}\n')
        self.assertEqual(second, "Soundcheck at ten\n")
        self.assertIn("volume", watch)
        self.assertEqual(execute, "volume is 0.4\n")
        self.assertIn("0.5", shell)
        note = {"text": "Break", "by": "Ada"}
        expected = {"board": "Soundcheck at ten", "name": "Ada", "note": note, "volume": 0.5}
        self.assertEqual(store.data, expected)

    def test_exit_codes(self):
        codes = re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
        self.assertEqual(codes, list("012345"))
        self.assertEqual(self.run_here("amnesia get --timeout 1").returncode, 3)
        self.open_member()
        self.assertEqual(self.run_here("amnesia get").returncode, 5)
        self.assertEqual(self.run_here("amnesia get --nonsense").returncode, 2)
        self.assertEqual(self.run_here("amnesia set x nonsense").returncode, 1)
        self.assertEqual(self.run_here("amnesia get").returncode, 5)

    def test_session(self):
        """What the page shows of the prompt."""
        (block,) = pages.blocks_of("command.md", "text")
        lines = block.text.splitlines()
        typed = "\n".join(line[2:] for line in lines if line.startswith("> "))
        self.open_member()
        done = run_meanwhile(
            TOOL, "shell", "--guest", cwd=self.folder, env=self.env, input=f"{typed}\n"
        )
        answers = [line for line in lines if not line.startswith("> ")]
        self.assertEqual(done.stdout.splitlines()[-len(answers) :], answers)


if __name__ == "__main__":
    if not TOOL.exists():
        print("skipped: this build has no command")
        sys.exit(77)
    unittest.main()
