# SPDX-License-Identifier: MIT
"""Who writes faster than others read may have values left out, never the last."""

import os
import subprocess

from members import PATIENCE_S, TestCase, languages_for, main


class Bursts(TestCase):
    def assert_ends_with(self, number):
        conf = self.conf_of(4)
        members = self.start_all(languages_for(3), conf)
        command = [os.environ["AMNESIA_BURST"], conf, str(number)]
        subprocess.run(command, check=True, timeout=PATIENCE_S)
        self.see_value(members, str(number))
        self.end_all(members)
        for member in members:
            seen = [int(line.split()[-1]) for line in member.lines if line.split()[1] == "remote"]
            self.assertEqual(seen, sorted(set(seen)), "older values after newer ones")

    def test_one(self):
        self.assert_ends_with(1)

    def test_twenty(self):
        self.assert_ends_with(20)

    def test_ten_thousand(self):
        self.assert_ends_with(10_000)

    def test_lines(self):
        """The same through a pipe: each value is a turn of the writer's loop, or several are."""
        members = self.start_all(languages_for(4), self.conf_of(4))
        for member in members:
            member.set("\n".join(f'"{member.entry} {index}"' for index in range(1000)))
            self.see_value(members, f'"{member.entry} 999"')
        self.end_all(members)


if __name__ == "__main__":
    main()
