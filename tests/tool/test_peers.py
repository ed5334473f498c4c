# SPDX-License-Identifier: MIT
"""amnesia peers."""

import json
import os
import shutil
import socket
import tempfile
import time

from commands import DONE, NOBODY, USAGE, CommandCase
from members import HOST, entry, main

A = f"{HOST}:{entry(0)['port']}"
B = f"{HOST}:{entry(1)['port']}"


class Peers(CommandCase):
    def test_table(self):
        self.member()
        said = self.amnesia("peers")
        self.assertEqual((said.returncode, said.stderr), (DONE, ""))
        head, here, away = said.stdout.splitlines()
        self.assertEqual(head.split("  ")[0], "ENTRY")
        self.assertRegex(here, rf"^{A}  here   TCP  \d+\.\d+ ms +-?\d+\.\d+ ms$")
        self.assertRegex(away, rf"^{B}  away .*refused$")
        # below each other
        self.assertEqual(head.index("STATE"), here.index("here"))
        self.assertEqual(head.index("NOTE"), away.index("Conn"))

    def test_nobody(self):
        said = self.amnesia("peers")
        self.assertEqual((said.returncode, said.stderr), (NOBODY, ""))
        self.assertEqual(said.stdout.count("away"), 2)

    def test_json(self):
        self.member()
        self.member()
        found = json.loads(self.amnesia("peers", "--json").stdout)
        for one, port in zip(found, (entry(0)["port"], entry(1)["port"])):
            self.assertGreater(one.pop("round-trip"), 0)
            self.assertLess(abs(one.pop("clock-offset")), 10)
            self.assertEqual(one, {"host": HOST, "port": port, "state": "here", "way": "tcp"})
        self.end_all(self.members)

    def member(self):
        self.members = getattr(self, "members", []) + [super().member()]

    def test_other_group(self):
        self.member()
        self.conf({"peers": [entry(0)], "group": "another"}, "other.json")
        said = self.amnesia("peers", "-c", "other.json", "-j")
        self.assertEqual(said.returncode, NOBODY)
        self.assertIn("group", json.loads(said.stdout)[0]["note"])

    def test_large_values_do_not_come(self):
        self.member()
        self.members[0].set('"' + "x" * 5_000_000 + '"')
        self.members[0].wait("the value", lambda: len(self.members[0].value) > 5_000_000)
        relay = self.relay(10_000_000)
        found = json.loads(self.amnesia("peers", "-j", "-c", "relayed.json").stdout)[0]
        self.assertEqual(found["state"], "here")
        self.assertNotIn("note", found)
        self.assertGreater(relay.n_back, 100)
        self.assertLess(relay.n_back, 100_000)

    def test_time(self):
        """Who takes connections and says nothing is not waited for longer than one likes."""
        door = socket.create_server((HOST, entry(0)["port"]))
        self.addCleanup(door.close)
        began = time.monotonic()
        said = self.amnesia("peers", "--timeout", "0.3", "--json")
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual(said.returncode, NOBODY)
        self.assertEqual([one["state"] for one in json.loads(said.stdout)], ["away", "away"])

    def test_quick(self):
        """The round trip is known long before the heartbeats that go every two seconds."""
        self.member()
        took = []
        for _ in range(3):
            began = time.monotonic()
            self.assertGreater(json.loads(self.amnesia("peers", "-j").stdout)[0]["round-trip"], 0)
            took.append(time.monotonic() - began)
        self.assertLess(min(took), 1.5)

    def test_usage(self):
        self.expect(USAGE, "", "peers", "x")
        self.expect(USAGE, "", "peers", "--member")

    def test_watch_on_a_pipe(self):
        follower = self.follow("peers", "--watch", "--json")
        lines = [json.loads(line) for line in follower.wait_lines(2)]
        self.assertEqual([line["state"] for line in lines], ["away", "away"])
        self.member()
        follower.wait("who has come", lambda: '"here"' in follower.lines[-1])
        self.end_all(self.members)
        follower.wait("who has gone", lambda: '"here"' not in follower.lines[-1])
        self.assertEqual(json.loads(follower.lines[-1])["port"], entry(0)["port"])
        self.assertEqual(follower.end(), 130)
        self.assertEqual(follower.errors(), "")

    def test_terminal(self):
        """What is known is shown at once, in place."""
        self.member()
        terminal = self.on_terminal("peers", "-w", columns=70)
        terminal.wait("refused"[:4])
        terminal.wait(" ms")
        self.member()
        terminal.wait(f"{B}  here")
        self.assertEqual(terminal.end(), 130)
        self.assertEqual(terminal.text.count("ENTRY"), terminal.text.count("\033[3A\033[J") + 1)
        for line in terminal.text.replace("\033[3A\033[J", "").split("\n"):
            self.assertLessEqual(len(line), 70)

    def test_local_way(self):
        folder = tempfile.mkdtemp(prefix="amnesia-")
        self.addCleanup(shutil.rmtree, folder)
        before = os.environ.get("XDG_RUNTIME_DIR", "")
        os.environ["XDG_RUNTIME_DIR"] = folder
        self.addCleanup(os.environ.__setitem__, "XDG_RUNTIME_DIR", before)
        self.member()
        self.assertEqual(json.loads(self.amnesia("peers", "-j").stdout)[0]["way"], "local")
        self.expect(DONE, "", "set", "5")
        self.expect(DONE, "5", "get")


if __name__ == "__main__":
    main()
