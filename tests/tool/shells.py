# SPDX-License-Identifier: MIT
"""Sessions of `amnesia shell`, on terminals and with pipes."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import pyte  # noqa: F401
except ImportError:
    print("skipped: there is no module pyte for Python")
    sys.exit(77)

from terminal import PATIENCE_S, Terminal, have_terminals

TOOL = os.environ["AMNESIA_TOOL"]

# An address of the loopback network that no other test process uses: so no port can be taken.
_pid = os.getpid()
HOST = f"127.{1 + (_pid >> 16) % 250}.{_pid >> 8 & 255}.{_pid & 255}"


def name(index):
    """How a member calls itself."""
    return f"{HOST}:{7701 + index}"


class TestCase(unittest.TestCase):
    """A test with a folder of its own, which has the configuration and what the shell remembers."""

    N_ENTRIES = 3

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.conf = self.folder / "amnesia.json"
        self.conf.write_text(
            json.dumps([{"host": HOST, "port": 7701 + i} for i in range(self.N_ENTRIES)])
        )
        self.environment = {
            "HOME": folder.name,
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
        }

    def terminal(self, command, **how):
        terminal = Terminal(command, **{**self.environment, **how})
        self.addCleanup(terminal.destroy)
        return terminal

    def shell(self, *arguments, **how):
        """A session on a terminal, with its prompt."""
        if not have_terminals():
            self.skipTest("no pseudo-terminals: /dev/pts is missing")
        if not os.environ["AMNESIA_HAVE_LIBEDIT"]:
            self.skipTest("built without libedit: there is no prompt")
        shell = self.terminal([TOOL, "shell", "--conf", self.conf, *arguments], **how)
        shell.wait("the prompt", lambda rows: rows[-1] == ">")
        return shell

    def shells(self, n):
        """As many sessions, each of which sees the others."""
        shells = []
        for index in range(n):
            shells.append(self.shell())
            for other in shells[:-1]:
                other.wait_text(f"{name(index)} is here")
        return shells

    def ask(self, *lines, arguments=(), status=0):
        """What a guest prints for these lines, which come by a pipe."""
        found = subprocess.run(
            [TOOL, "shell", "--guest", "--conf", self.conf, *arguments],
            input="".join(line + "\n" for line in lines),
            env={**os.environ, **self.environment},
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
        )
        self.assertEqual(found.returncode, status, found)
        if status == 0:
            self.assertEqual(found.stderr, "")
        return found.stdout if status == 0 else (found.stdout, found.stderr)
