# SPDX-License-Identifier: MIT
"""Keys that several processes write at once: none is lost, and what is written together stays together."""

import json
import os
import pathlib

from members import COMMANDS, LANGUAGES, Process, TestCase, main, wait_until

N_ROUNDS = 1000
N_PAIRS = 2000
PROGRAMS = {
    "c": [os.environ["AMNESIA_KEYS"]],
    "python": [COMMANDS.get("python", [""])[0], pathlib.Path(__file__).with_name("keys.py")],
}


class Writer(Process):
    PATIENCE_S = 60

    def __init__(self, language, conf, role, name, rounds):
        self.lines = []
        self.start([*PROGRAMS[language], conf, role, name, str(rounds)])
        self.wait("it to be ready", lambda: "ready" in self.lines)

    def __str__(self):
        return f"member {self.pid}: {self.lines[-5:]}\n{self.errors()}"

    def note(self, line):
        self.lines.append(line)

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def ask(self, command, begins):
        """The answer begins so; that it is done may be said in between."""
        n_lines = len(self.lines)

        def answers():
            return [line for line in self.lines[n_lines:] if line.startswith(begins)]

        self.tell(command)
        self.wait(command, answers)
        return answers()[0]

    def wait_done(self):
        """How long it has worked, in seconds."""
        self.wait("it to be done", lambda: any(line.startswith("done ") for line in self.lines))
        return int(next(line for line in self.lines if line.startswith("done ")).split()[1]) / 1e6

    def value(self):
        return json.loads(self.ask("show", "value ").removeprefix("value "))


def keys_of(name):
    return {f"{name}{index}": N_ROUNDS for index in range(10)}


class Keys(TestCase):
    def begin(self, language, *jobs):
        conf = self.conf_of(len(jobs))
        members = []
        for role, name, rounds in jobs:
            members.append(Writer(language, conf, role, name, rounds))
            self.addCleanup(members[-1].destroy)
        return members

    def work(self, title, members):
        """All of them at once."""
        for member in members:
            member.tell("go")
        times = ", ".join(f"{member.wait_done():.2f} s" for member in members)
        print(f"\n{title}: {times}", flush=True)

    def see_same(self, members, is_right):
        """Waits until all have one value, and that is right."""

        def is_same():
            values = [member.value() for member in members]
            return all(value == values[0] for value in values) and is_right(values[0])

        wait_until(f"one right value, {members}", is_same)

    def end(self, members):
        for member in members:
            member.process.stdin.close()
            self.assertEqual(member.finish(), 0, member)
            self.assertEqual(member.errors(), "", member)

    def test_V13_ten_keys_each(self):
        right = keys_of("a") | keys_of("b")
        for language in PROGRAMS.keys() & set(LANGUAGES):
            with self.subTest(language=language):
                members = self.begin(language, ("keys", "a", N_ROUNDS), ("keys", "b", N_ROUNDS))
                self.work(f"{language}, twice ten keys {N_ROUNDS} times", members)
                self.see_same(members, lambda value: value == right)
                self.end(members)

    def test_V13_keys_against_the_whole(self):
        """Each whole value ends all keys before it: what is left is what was set after the last."""

        def is_right(value):
            keys = {key: number for key, number in value.items() if key != "base"}
            return value["base"] == N_ROUNDS and keys.items() <= keys_of("a").items()

        for language in PROGRAMS.keys() & set(LANGUAGES):
            with self.subTest(language=language):
                members = self.begin(language, ("keys", "a", N_ROUNDS), ("base", "base", N_ROUNDS))
                self.work(f"{language}, ten keys and the whole, {N_ROUNDS} times", members)
                self.see_same(members, is_right)
                members[1].tell("go")
                self.see_same(members, lambda value: value == {"base": 2 * N_ROUNDS})
                self.end(members)

    def test_V13_pairs(self):
        """Two keys that are set at once are seen at once, by all, though two write them."""
        for language in PROGRAMS.keys() & set(LANGUAGES):
            with self.subTest(language=language):
                jobs = [("pairs", "a", N_PAIRS), ("pairs", "a", N_PAIRS), ("pairs", "a", 0)]
                members = self.begin(language, *jobs)
                self.work(f"{language}, a pair {N_PAIRS} times by two", members[:2])
                self.see_same(members, lambda value: value == {"a": N_PAIRS, "aa": N_PAIRS})
                for member in members:
                    faults, _, total = member.ask("faults", "faults ").split()[1:]
                    self.assertEqual(int(faults), 0, member)
                    self.assertGreater(int(total), 1)
                self.end(members)


if __name__ == "__main__":
    main()
