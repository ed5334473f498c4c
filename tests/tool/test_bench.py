# SPDX-License-Identifier: MIT
"""amnesia bench."""

import json
import os
import shutil
import signal
import tempfile

from commands import DONE, FAILED, USAGE, CommandCase
from members import main, wait_until

FIGURES = {
    "round-trip",
    "round-trip-99",
    "sets-per-second",
    "1-mebibyte",
    "16-mebibytes",
    "join",
}


class Bench(CommandCase):
    def setUp(self):
        super().setUp()
        self.runtime = tempfile.mkdtemp(prefix="amnesia-")
        self.addCleanup(shutil.rmtree, self.runtime)
        self.file.unlink()  # it needs none

    def measure(self, *arguments, runtime=""):
        said = self.amnesia(
            "bench", "-s", "0.02", *arguments, env={"XDG_RUNTIME_DIR": runtime}
        )
        self.assertEqual((said.returncode, said.stderr), (DONE, ""))
        return said.stdout

    def test_json(self):
        found = json.loads(self.measure("--json", runtime=self.runtime))
        self.assertEqual(set(found), {"tcp", "local"})
        for figures in found.values():
            self.assertEqual(set(figures), FIGURES)
            self.assertLessEqual(figures["round-trip"], figures["round-trip-99"])
            self.assertLess(figures["1-mebibyte"], figures["16-mebibytes"])
            self.assertGreater(figures["sets-per-second"], 1000)
            self.assertGreater(figures["join"], 0)

    def test_table(self):
        lines = self.measure(runtime=self.runtime).splitlines()
        self.assertEqual(lines[0].split(), ["TCP", "local"])
        self.assertEqual(len(lines), 1 + len(FIGURES))
        # nothing is there that could be local
        self.assertEqual(self.measure().splitlines()[0].split(), ["TCP"])

    def test_one_way(self):
        found = json.loads(self.measure("-j", "--way=local", runtime=self.runtime))
        self.assertEqual(set(found), {"local"})
        found = json.loads(self.measure("-j", "-w", "tcp", runtime=self.runtime))
        self.assertEqual(set(found), {"tcp"})
        errors = self.expect(FAILED, "", "bench", "-w", "local", env={"XDG_RUNTIME_DIR": ""})
        self.assertIn("XDG_RUNTIME_DIR", errors)

    def test_usage(self):
        for wrong in (["-w", "air"], ["-s", "0"], ["-s", "-1"], ["x"], ["--conf", "x"]):
            self.expect(USAGE, "", "bench", *wrong)

    def children(self, pid):
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return file.read().split()

    def test_second_process_ends_with_the_first(self):
        follower = self.follow("bench", "--seconds", "60")
        wait_until("a second process", lambda: self.children(follower.pid))
        second = self.children(follower.pid)[0]
        follower.end(signal.SIGKILL)
        wait_until("its end", lambda: not os.path.exists(f"/proc/{second}"))

    def test_first_process_notices_the_end(self):
        follower = self.follow("bench", "--seconds", "60")
        wait_until("a second process", lambda: self.children(follower.pid))
        os.kill(int(self.children(follower.pid)[0]), signal.SIGKILL)
        self.assertEqual(follower.end(None), FAILED)
        self.assertIn("second process", follower.errors())


if __name__ == "__main__":
    main()
