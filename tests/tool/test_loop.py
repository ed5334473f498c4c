# SPDX-License-Identifier: MIT
"""A loop of the shell sets a thousand times, and nothing is lost."""

import json
import subprocess
import time

from commands import NO_VALUE, TOOL, CommandCase
from members import main, wait_until

N = 1000
SCRIPT = """
for i in $(seq %d); do
  "$0" set counter-$i $i || exit 8
  test $((i %% 10)) != 0 || "$0" set last $i || exit 9
done
"""
# What one takes is far below; this is only so that no time-out is among them.
MOST_S = 0.25


class Loop(CommandCase):
    def setUp(self):
        super().setUp()
        # a member that has nothing to do but to be there
        self.follow("watch", "--member", "no such key")
        wait_until("a member", lambda: self.amnesia("get").returncode == NO_VALUE)

    def loop(self, script):
        return subprocess.Popen(["sh", "-c", script, TOOL], cwd=self.folder)

    def value(self):
        return json.loads(self.amnesia("get").stdout)

    def test_a_thousand(self):
        began = time.monotonic()
        self.assertEqual(self.loop(SCRIPT % N).wait(), 0)
        each = (time.monotonic() - began) / (1.1 * N)
        print(f"one `amnesia set` takes {each * 1000:.1f} ms")
        # no time for it to travel: it is there already when the loop has ended
        self.assertEqual(self.value(), {f"counter-{i}": i for i in range(1, N + 1)} | {"last": N})
        self.assertLess(each, MOST_S)

    def test_two_at_once(self):
        """Different keys: both loops keep all."""
        script = 'for i in $(seq 100); do "$0" set %s-$i $i || exit 9; done'
        loops = [self.loop(script % name) for name in "ab"]
        self.assertEqual([loop.wait() for loop in loops], [0, 0])
        self.assertEqual(self.value(), {f"{name}-{i}": i for name in "ab" for i in range(1, 101)})

    def test_twenty_at_once(self):
        script = 'for i in $(seq 10); do "$0" set %d-$i $i || exit 9; done'
        loops = [self.loop(script % n) for n in range(20)]
        self.assertEqual([loop.wait() for loop in loops], [0] * 20)
        self.assertEqual(self.value(), {f"{n}-{i}": i for n in range(20) for i in range(1, 11)})

    def test_who_comes_later_sees_it(self):
        """Whoever of two members is asked."""
        self.follow("watch", "--member", "no such key")
        wait_until("both members", lambda: self.n_here() == 2)
        script = """
            for i in $(seq 50); do
              "$0" set n $i || exit 8
              test "$("$0" get n)" = $i || exit 9
            done
        """
        self.assertEqual(self.loop(script).wait(), 0)

    def n_here(self):
        return self.amnesia("peers", "--json").stdout.count('"here"')


if __name__ == "__main__":
    main()
