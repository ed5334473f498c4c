# SPDX-License-Identifier: MIT
"""The example does what it says, and so do the five lines of the manual."""

import json
import os
import pathlib
import re
import subprocess
import unittest

from members import EXAMPLES, LANGUAGES, PROGRAMS
from tlslib import TestCase, members

MANUAL = EXAMPLES.parent / "introspection" / "security.md"


@unittest.skipUnless({"python", "js"} <= set(LANGUAGES), "needs the bindings")
class Example(unittest.TestCase):
    def test_S1_demo(self):
        python = os.environ["AMNESIA_PYTHON"]
        command = [python, EXAMPLES / "tls" / "demo.py", PROGRAMS.parent]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertTrue(done.stdout.endswith("\nEvery step was seen.\n"))
        seen_by_stranger = re.findall(r"^ +Stranger +.* (?:local|remote) (.*)$", done.stdout, re.M)
        self.assertEqual(seen_by_stranger, ['null -> "by the stranger"'])


class Manual(TestCase):
    """ssh is not there for a test: three folders are the machines."""

    def test_S1_five_lines(self):
        lines, conf = re.findall(r"```(?:sh|json)\n(.*?)```", MANUAL.read_text(), re.S)[:2]
        self.assertEqual(len(lines.strip().splitlines()), 5)
        folder = pathlib.Path(self._folder.name)
        hosts = ["127.0.1.2", "127.0.1.3", "127.0.1.4"]
        (folder / "bin").mkdir()
        scp = folder / "bin" / "scp"
        scp.write_text('#!/bin/sh\nfor last; do :; done\nset -- "${last%%:*}" "${last#*:}" "$@"\n'
                       'mkdir -p "$1"; to=$1/$2; shift 2\n'
                       'while [ $# -gt 1 ]; do cp "$1" "$to"; shift; done\n')
        scp.chmod(0o755)
        peers = json.loads(conf)["peers"]
        for old, new in zip([peer["host"] for peer in peers], hosts):
            lines, conf = lines.replace(old, new), conf.replace(old, new)
        # no other test process uses this port
        conf = json.loads(conf)
        for peer in conf["peers"]:
            peer["port"] = 20000 + os.getpid() % 10000
        conf["local"] = False
        (folder / "conf.json").write_text(json.dumps(conf))
        (folder / "examples").symlink_to(EXAMPLES)
        env = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-euc", lines], cwd=folder, env=env, check=True, capture_output=True)
        three = []
        for host in hosts:
            # All are addresses of this machine: each takes the first that is free.
            three.append(self.start_member(folder / host / "conf.json"))
            three[-1].wait_listening()
        self.assert_works(*three)
        for member in three:
            self.assertEqual({way for _, way in member.peers.values()}, {"tls"}, member)
        self.assert_end(*three)


if __name__ == "__main__":
    members.main()
