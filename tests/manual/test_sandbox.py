# SPDX-License-Identifier: MIT
"""What deployment.md says of Flatpak, in the sandbox that Flatpak is made of: bubblewrap."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import Amnesia, GLib, conf, wait_for

MEMBER = pathlib.Path(os.environ["AMNESIA_BUILD"], "examples/member-c")
SANDBOX = "bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"


def can_run():
    return (
        shutil.which("bwrap") is not None
        and subprocess.run([*SANDBOX, "true"], capture_output=True).returncode == 0
    )


class Sandbox(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.runtime = self.folder / "run"
        self.runtime.mkdir(mode=0o700)
        (self.folder / "conf.json").write_text(json.dumps(conf(2)))
        before = os.environ["XDG_RUNTIME_DIR"]
        for set_variable in os.environ.__setitem__, lambda *what: GLib.setenv(*what, True):
            set_variable("XDG_RUNTIME_DIR", str(self.runtime))
            self.addCleanup(set_variable, "XDG_RUNTIME_DIR", before)
        self.store = Amnesia.Store(conf=conf(2))
        self.addCleanup(self.store.close_sync)
        self.store.data = "from outside"
        wait_for(lambda: self.store.listening)

    def start(self, *options, share_network=True, share_directory=True):
        """A member in a sandbox, which has the system, the configuration, and what is asked for."""
        if share_network:
            options += ("--share-net",)
        options += ("--tmpfs", self.folder, "--dir", self.runtime)
        if share_directory:
            options += ("--bind", *[self.runtime / "amnesia"] * 2)
        file = self.folder / "conf.json"
        options += ("--ro-bind", file, file)
        member = subprocess.Popen(
            [*SANDBOX, *options, "--", MEMBER, file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(self.end, member)
        os.set_blocking(member.stdout.fileno(), False)
        self.said = ""
        return member

    def end(self, member):
        member.stdin.close()
        wait_for(lambda: member.poll() is not None)
        member.stdout.close()
        self.assertEqual(member.returncode, 0)

    def hears(self, member, text):
        self.said += (member.stdout.read() or b"").decode()
        return text in self.said

    def share(self, member):
        wait_for(lambda: self.hears(member, '-> "from outside"'))
        member.stdin.write(b'"from inside"\n')
        member.stdin.flush()
        wait_for(lambda: self.store.data == "from inside")

    def test_network_and_directory(self):
        self.share(self.start())
        wait_for(lambda: self.store.peers[0].way == Amnesia.Way.LOCAL)

    def test_network_alone(self):
        self.share(self.start(share_directory=False))
        self.assertEqual(self.store.peers[0].way, Amnesia.Way.TCP)

    def test_nothing(self):
        member = self.start(share_network=False, share_directory=False)
        wait_for(lambda: self.hears(member, "alone"))
        self.assertNotEqual(self.store.peers[0].state, Amnesia.PeerState.CONNECTED)

    def test_directory_alone(self):
        """The network is part of the name of a socket: there is no way around it."""
        member = self.start(share_network=False)
        wait_for(lambda: self.hears(member, "alone"))
        self.assertNotIn("from outside", self.said)


if __name__ == "__main__":
    if not can_run():
        print("skipped: there is no bubblewrap, or it may not be used here")
        sys.exit(77)
    unittest.main()
