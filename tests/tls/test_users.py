# SPDX-License-Identifier: MIT
"""Members of one machine, by TLS and by local sockets, and another user of it who tries both."""

import os
import pathlib
import subprocess
import unittest

import members
from pki import Authority
from tlslib import MEMBER, TestCase

OTHER_USER = "1234"
AS_OTHER = ["setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups"]


def why_not():
    if os.geteuid() != 0:
        return "only the superuser can be another one"
    done = subprocess.run([*AS_OTHER, "test", "-x", MEMBER], capture_output=True)
    return None if done.returncode == 0 else "another user cannot run this program"


class Users(TestCase):
    def setUp(self):
        super().setUp()
        runtime = pathlib.Path(self._folder.name, "runtime")
        runtime.mkdir(0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        self.addCleanup(lambda: os.environ.update({"XDG_RUNTIME_DIR": ""}))
        self.runtime = runtime

    def start_two(self):
        both = [self.start_with(self.good, local=True, n_entries=3) for _ in range(2)]
        self.assert_works(*both)
        return both

    def test_S1_locally(self):
        """Members of one machine and one user have no need of TLS, and go on to find the short way; for
        who may not have it there is TLS."""
        both = self.start_two()
        for member in both:
            self.assertIn(["connected", "local"], list(member.peers.values()), member)
        third = self.start_with(self.good, local=False, n_entries=3)
        third.wait_linked(2)
        self.assert_works(*both, third)
        self.assertNotIn("local", [way for _, way in third.peers.values()], third)
        self.assert_end(third, *both)

    def open_to_all(self, conf):
        """All that a careless user could give away, but for our keys."""
        shared = [self._folder.name, self.runtime, self.runtime / "amnesia"]
        for path in [*shared, conf.parent, *conf.parent.iterdir()]:
            os.chmod(path, 0o755)
        for path in (self.runtime / "amnesia").iterdir():
            os.chmod(path, 0o777)

    @unittest.skipIf(why_not(), why_not())
    def test_L1_other_user(self):
        """Another user has our configuration and gets at our sockets; with no certificate, and with one
        of his own authority."""
        both = self.start_two()
        both[0].set('"ours"')
        both[1].wait_value('"ours"')
        rogue = Authority(self.scratch, "other user")
        for certificate in None, rogue.make(members.HOST):
            with self.subTest(certificate=certificate is not None):
                conf = self.write_conf(certificate, local=True, n_entries=3)
                self.open_to_all(conf)
                intruder = self.start_member(conf, AS_OTHER)
                intruder.set('"his"')
                intruder.wait_told("^error ")
                intruder.wait("alone", lambda: intruder.state == "alone")
                self.assertFalse(intruder.was_linked(), intruder)
                self.assertEqual(intruder.answers("value"), ['"his"'])
                intruder.kill()
                for member in both:
                    self.assertEqual(member.value, '"ours"', member)
                    self.assertEqual(member.n_linked(), 1)
        self.assert_works(*both)
        self.assert_end(*both)


if __name__ == "__main__":
    members.main()
