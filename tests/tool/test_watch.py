# SPDX-License-Identifier: MIT
"""amnesia watch."""

import json
import os
import signal
import subprocess

from commands import DONE, TOOL, USAGE, CommandCase
from members import HOST, PATIENCE_S, entry, main, wait_until

TIME = r"^\d\d:\d\d:\d\d  "


class Lines(CommandCase):
    def setUp(self):
        super().setUp()
        self.members = [self.member('{"volume":0.4}')]

    def watch(self, *arguments, n=1):
        """Follows, and has shown by now what was there: that is left out."""
        follower = self.follow("watch", "--initial", *arguments)
        follower.wait_lines(n)
        del follower.lines[:n]
        return follower

    def set(self, *arguments):
        self.expect(DONE, "", "set", *arguments)

    def write(self, text):
        self.members[0].set(text)

    def contents(self, follower, n):
        """The lines without their times."""
        lines = follower.wait_lines(n)
        for line in lines:
            self.assertRegex(line, TIME)
        return [line[10:] for line in lines]

    def test_keys_and_whole(self):
        follower = self.watch()
        by = f"  ({HOST}:{entry(0)['port']})"
        n_lines = 0
        for text, n in (
            ('{"volume":0.5}', 1),
            ('{"lamp":true}', 2),
            ("5", 1),
            ("null", 1),
            ('"\\u001b[31m"', 1),
        ):
            n_lines += n
            self.write(text)
            follower.wait_lines(n_lines)
        self.assertEqual(
            self.contents(follower, 6),
            [
                "volume  0.4 → 0.5" + by,
                "lamp  (none) → true" + by,
                "volume  0.5 → (none)" + by,
                '{"lamp":true} → 5' + by,
                "5 → (unset)" + by,
                '(unset) → "\\u001b[31m"' + by,
            ],
        )
        self.assertEqual(follower.end(), 130)
        self.assertEqual(follower.errors(), "")

    def test_who_is_not_known(self):
        follower = self.watch()
        self.set("volume", "1.5")
        self.assertEqual(self.contents(follower, 1), ["volume  0.4 → 1.5"])
        self.assertEqual(follower.end(signal.SIGTERM), 143)

    def test_some_keys(self):
        self.write('{"lamp":0}')
        self.members[0].wait_value('{"lamp":0}')
        follower = self.watch("lamp", "heat")
        n_lines = 0
        for text, n in (
            ('{"lamp":1}', 1),
            ("3", 1),
            ('{"lamp":2,"volume":1}', 1),
            ('{"heat":[1],"volume":2}', 2),
            ("null", 1),
        ):
            n_lines += n
            self.write(text)
            follower.wait_lines(n_lines)
        by = f"  ({HOST}:{entry(0)['port']})"
        self.assertEqual(
            self.contents(follower, 6),
            [
                line + by
                for line in (
                    "lamp  0 → 1",
                    "lamp  1 → (none)",
                    "lamp  (none) → 2",
                    "heat  (none) → [1]",
                    "lamp  2 → (none)",
                    "heat  [1] → (none)",
                )
            ],
        )

    def test_json(self):
        follower = self.watch("--json")
        self.write('{"volume":1}')
        follower.wait_lines(1)
        self.set("--gvariant", "volume", "inf")
        follower.wait_lines(2)
        self.expect(DONE, "", "unset")
        lines = [json.loads(line) for line in follower.wait_lines(3)]
        for line in lines:
            self.assertRegex(line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z$")
        writer = f"{HOST}:{entry(0)['port']}"
        self.assertEqual(
            lines,
            [
                {"key": "volume", "old": 0.4, "new": 1, "writer": writer},
                {"key": "volume", "old": 1, "new": "inf", "writer": None},
                {"key": "volume", "old": "inf", "new": None, "writer": None},
            ],
        )

    def test_initial(self):
        self.write('{"lamp":false,"volume":0.4}')
        self.members[0].wait_value('{"lamp":false,"volume":0.4}')
        follower = self.follow("watch", "-i")
        self.assertEqual(self.contents(follower, 2), ["lamp  false", "volume  0.4"])
        self.expect(DONE, "", "set", "7")
        said = self.amnesia("watch", "--initial", "--json", "-n", "1")
        self.assertEqual(said.returncode, DONE)
        self.assertEqual(json.loads(said.stdout)["new"], 7)

    def test_what_was_there_is_no_change(self):
        follower = self.follow("watch")
        n = 0
        while not follower.lines:
            n += 1
            self.set("n", str(n))
        self.assertIn("  n  ", follower.lines[0])

    def test_count(self):
        follower = self.watch("--count", "3")
        self.write('{"volume":1,"a":1}')
        self.assertEqual(follower.end(None), DONE)
        self.assertEqual(len(follower.lines), 2)
        self.assertIn("count", self.expect(USAGE, "", "watch", "-n", "-1"))

    def test_members_go_and_come(self):
        follower = self.watch()
        for _ in range(2):
            follower_errors = len(follower.errors())
            self.end_all(self.members)
            self.wait_errors(follower, "any more", follower_errors)
            self.members = [self.member()]
            self.wait_errors(follower, "again", follower_errors)
        self.set("back", "true")
        follower.wait("the change", lambda: any("back  (none) → true" in x for x in follower.lines))
        self.assertEqual(len(follower.errors().splitlines()), 4)
        self.assertEqual(follower.end(), 130)

    def wait_errors(self, follower, text, since):
        wait_until(text, lambda: text in follower.errors()[since:])

    def test_reader_goes_away(self):
        """It ends without a change that would show it."""
        ours, theirs = os.pipe()
        process = subprocess.Popen(
            [TOOL, "watch"], cwd=self.folder, stdout=theirs, stderr=subprocess.PIPE
        )
        os.close(theirs)
        self.members[0].wait_state("synced")
        os.close(ours)
        self.assertEqual(process.communicate(timeout=PATIENCE_S)[1], b"")
        self.assertEqual(process.returncode, 141)

    def test_as_member(self):
        follower = self.watch("--member")
        self.write('{"volume":1}')
        self.assertIn("volume  0.4 → 1", self.contents(follower, 1)[0])
        self.assertEqual(follower.end(), 130)
        self.end_all(self.members)
        # a member is there by itself, and waits for others
        follower = self.follow("watch", "-m")
        member = self.start("c", self.file)
        member.wait_state("synced")
        member.set("1")
        self.assertIn("(unset) → 1", self.contents(follower, 1)[0])

    def test_long_values(self):
        terminal = self.on_terminal("watch", "-i", columns=60)
        terminal.wait("volume")
        self.write(json.dumps({"volume": 0.4, "text": "x" * 200}))
        terminal.wait("…")
        self.write(json.dumps({"volume": 0.4, "text": "y世" * 200}))
        terminal.wait("y")
        self.write('{"text": "z"}')
        terminal.wait('"z"')
        self.assertEqual(terminal.end(), 130)
        lines = [line for line in terminal.text.split("\n") if line.strip()]
        for line in lines:
            wide = len(line) + line.count("世")
            self.assertLessEqual(wide, 60, line)
        self.assertGreater(max(len(line) for line in lines), 55)

    def test_hostile_keys(self):
        follower = self.watch()
        self.write(json.dumps({"volume": 0.4, "a\u001b[2J\n": 1}))
        self.assertIn("a\\u001b[2J\\u000a  (none) → 1", self.contents(follower, 1)[0])


class Exec(CommandCase):
    def setUp(self):
        super().setUp()
        self.member('{"begin":0}')

    def watch(self, command, *arguments, n=None):
        """Runs @command for @n changes; it has been run for the key `begin` by now."""
        count = [] if n is None else ["--count", str(n + 1)]
        command = f'test "$AMNESIA_KEY" = begin && echo begins && exit; {command}'
        follower = self.follow("watch", "--initial", "--exec", command, *count, *arguments)
        self.assertEqual(follower.wait_lines(1), ["begins"])
        del follower.lines[0]
        return follower

    def test_key_and_value(self):
        follower = self.watch('echo "${AMNESIA_KEY-whole}: $(cat)"', n=5)
        for n, arguments in enumerate(
            (["set", "b c", '"d"'], ["unset", "b c"], ["set", "5"], ["unset"], ["set", '"e"'])
        ):
            self.expect(DONE, "", *arguments)
            follower.wait_lines(n + 1)
        self.assertEqual(follower.end(None), DONE)
        self.assertEqual(follower.lines, ['b c: "d"', "b c: ", "whole: 5", "whole: ", 'whole: "e"'])
        self.assertEqual(follower.errors(), "")

    def test_one_at_a_time(self):
        """What changes while a command runs is joined, and its end is waited for."""
        gate = self.folder / "gate"
        os.mkfifo(gate)
        follower = self.watch(f"read line < {gate}; echo $AMNESIA_KEY $(cat)", n=5)
        for arguments in (("a", "2"), ("a", "3"), ("b", "1"), ("a", "4"), ("b", "2")):
            self.expect(DONE, "", "set", *arguments)
        for n in range(3):
            self.assertEqual(len(follower.lines), n)
            gate.write_text("go\n")
            follower.wait_lines(n + 1)
        self.assertEqual(follower.end(None), DONE)
        self.assertEqual(follower.lines, ["a 2", "a 4", "b 2"])

    def test_exit_codes(self):
        follower = self.watch("test $(cat) = 2 || kill -9 $$; exit 3", n=2)
        self.expect(DONE, "", "set", "a", "2")
        self.expect(DONE, "", "set", "b", "3")
        self.assertEqual(follower.end(None), DONE)
        errors = follower.errors().splitlines()
        self.assertEqual(len(errors), 2)
        self.assertRegex(errors[0], "code 3$")
        self.assertRegex(errors[1], "signal 9$")

    def test_reads_nothing(self):
        follower = self.watch("echo ran", n=1)
        self.expect(DONE, "", "set", "-s", "a", "x" * 100_000)
        self.assertEqual(follower.end(None), DONE)
        self.assertEqual((follower.lines, follower.errors()), (["ran"], ""))

    def test_signal_is_handed_on(self):
        follower = self.watch("trap 'echo trapped; kill $!; exit' TERM; echo runs; sleep 99 & wait")
        self.expect(DONE, "", "set", "a", "2")
        follower.wait_lines(1)
        self.assertEqual(follower.end(signal.SIGTERM), 143)
        self.assertEqual(follower.lines, ["runs", "trapped"])


if __name__ == "__main__":
    main()
