# SPDX-License-Identifier: MIT
"""Members that are driven through pipes and write down what they see, and tests made of them.

Waiting has a deadline and says what was seen instead. Tests of one file run side by side in
threads, as most of their time is waiting; those of a class that is `ALONE` come first, one by one.
"""

import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time
import unittest

import history
from machines import Network, why_not
from members import Process, wait_until

LONG = os.environ.get("AMNESIA_LONG", "") not in ("", "0")
PATIENCE_S = 30
MEMBER = os.environ["AMNESIA_FAULT_MEMBER"]
PORT = 7777
MIB = 1024 * 1024

# After a heal: the largest back-off with its jitter, a dial, and a noisy machine.
BOUND_S = 5

NO_MACHINES = why_not()
needs_machines = unittest.skipIf(NO_MACHINES, NO_MACHINES)

# A sanitizer keeps what was given back: how much memory there is tells nothing then.
SANITIZED = "AMNESIA_SANITIZED" in os.environ

# Each test has addresses of the loopback network for itself: so no port can be taken.
_hosts = itertools.count(1)


def new_host():
    pid = os.getpid()
    return f"127.{1 + next(_hosts) % 250}.{pid >> 8 & 255}.{pid & 255}"


def short_or_long(short, long):
    return long if LONG else short


def say(*words):
    """A figure for the reader of the log."""
    print(*words, file=sys.stderr, flush=True)


class Member(history.Life, Process):
    """A process and its history."""

    PATIENCE_S = PATIENCE_S

    def __init__(self, label, conf, prefix=(), env=None, first=None):
        super().__init__(label)
        self.value = history.UNSET
        self.state = None
        self.linked = 0
        self.started = time.monotonic()
        self.start(
            [*prefix, MEMBER, label, conf, *([first] if first else [])],
            pipesize=MIB,
            env={**os.environ, **(env or {})},
        )

    def __str__(self):
        lines = [f"    {e.time:.3f} {e.kind} {' '.join(e.args)}" for e in self.events[-15:]]
        shown = "\n".join(lines)
        return f"{self.label}:\n{shown}\n{self.errors()}"

    def note(self, line):
        event = history.read_event(line)
        self.add(event)
        if event.kind == "changed":
            self.value = event.args[1]
        elif event.kind == "state":
            self.state = event.args[0]
        elif event.kind == "linked":
            self.linked = int(event.args[0])

    @property
    def pid(self):
        """Of the member itself, which may be the child of what it was started by."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int((children.read_text().split() or [self.process.pid])[0])

    # --- waiting ---

    def wait_value(self, value, patience=PATIENCE_S):
        self.wait(f"the value {value}", lambda: self.value == value, patience)

    def wait_state(self, *states, patience=PATIENCE_S):
        self.wait(" or ".join(states), lambda: self.state in states, patience)

    def wait_linked(self, number, patience=PATIENCE_S):
        self.wait(f"{number} links", lambda: self.linked == number, patience)

    def wait_kind(self, kind, since=0, patience=PATIENCE_S):
        """The next event of that kind after so many."""
        self.wait(kind, lambda: len(self.of_kind(kind)) > since, patience)
        return self.of_kind(kind)[since]

    def said(self, pattern):
        return [e for e in self.of_kind("log") if re.search(pattern, " ".join(e.args))]

    # --- commands ---

    def tell(self, command):
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def set(self, size=0):
        """Returns what it has written."""
        since = len(self.of_kind("set"))
        self.tell(f"set {size}")
        return self.wait_kind("set", since).args[0]

    def load(self, count=0, size=0, milliseconds=5):
        self.tell(f"load {count} {size} {milliseconds}")

    def rest(self):
        """Ends the load; returns when it has."""
        self.tell("rest")
        self.report()

    def report(self, patience=PATIENCE_S):
        """The value, the time of its stamp, and how many sources there are."""
        since = len(self.of_kind("report"))
        self.tell("report")
        value, updated, sources = self.wait_kind("report", since, patience).args
        return value, int(updated), int(sources)

    def close(self, may_miss=False):
        """With `may_miss` it may say that somebody has left before he had confirmed the value."""
        self.tell("close")
        self.wait_kind("end")
        status = self.finish()
        errors = [line for line in self.of_kind("error")
                  if not (may_miss and line.args[:2] == ["Closed", "before"])]
        if status != 0 or errors:
            raise AssertionError(f"ended with status {status}; {self}")

    # --- signals ---

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self):
        os.kill(self.pid, signal.SIGCONT)

    def kill(self):
        if self.process.poll() is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except (ProcessLookupError, FileNotFoundError):
                pass
            self.process.kill()
        self.finish()

    # --- what it uses ---

    def n_threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def memory(self, what="VmRSS"):
        """In bytes; VmHWM: the most that it ever was."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+)", text)[1]) * 1024

    def n_unsent(self):
        """The bytes that the kernel keeps as they are not sent or not acknowledged, of those who
        are from its host; connections that are closed but not gone count as well."""
        host = self.listening().rpartition(":")[0].split(".")
        local = "".join(f"{int(number):02X}" for number in reversed(host))
        with open(f"/proc/{self.pid}/net/tcp", encoding="ascii") as table:
            fields = [line.split() for line in table]
        queues = [f[4].partition(":")[0] for f in fields if local in (f[1][:8], f[2][:8])]
        return sum(int(queue, 16) for queue in queues)

    def listening(self):
        events = self.of_kind("listening")
        return events[-1].args[0] if events else None


class TestCase(unittest.TestCase):
    """A test with members, which are gone when it ends, and whose histories are checked."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.lives = []
        self._lives_of = collections.Counter()

    # --- the ground ---

    def network(self, n_machines=0):
        network = Network()
        self.addCleanup(network.remove)
        for _ in range(n_machines):
            network.add()
        return network

    def conf(self, conf, name="conf.json"):
        path = self.folder / name
        path.write_text(json.dumps(conf))
        return path

    def conf_of(self, machines, name="conf.json"):
        return self.conf([{"host": machine.address, "port": PORT} for machine in machines], name)

    def local_conf(self, n_entries):
        host = new_host()
        return self.conf([{"host": host, "port": PORT + i} for i in range(n_entries)])

    # --- members ---

    def start(self, name, conf, prefix=(), env=None, first=None):
        """Another life of that name begins, with the command `first` before all else."""
        self._lives_of[name] += 1
        member = Member(f"{name}.{self._lives_of[name]}", conf, prefix, env, first)
        self.lives.append(member)
        self.addCleanup(member.destroy)
        return member

    def start_on(self, machines, conf, names="abcdefgh"):
        """One on each machine; returns when all are linked with each other."""
        members = [self.start(name, conf, m.prefix) for name, m in zip(names, machines)]
        self.wait_meshed(members)
        return members

    def start_local(self, n_members, conf=None):
        conf = conf or self.local_conf(n_members)
        members = [self.start(f"m{index}", conf) for index in range(n_members)]
        self.wait_meshed(members)
        return members

    def wait_meshed(self, members):
        for member in members:
            member.wait_linked(len(members) - 1)
            member.wait_state("synced")

    # --- the end ---

    def see(self, members, value, patience=PATIENCE_S):
        deadline = time.monotonic() + patience
        for member in members:
            member.wait_value(value, deadline - time.monotonic())

    def agree(self, members, patience=PATIENCE_S):
        """Waits until all have the same; returns it."""
        wait_until("the same value", lambda: len({m.value for m in members}) == 1, patience)
        return members[0].value

    def check(self, alive=(), healed=0, bound=None, lives=None):
        """Judges the histories of all who lived in this test, or of some who had no others."""
        wrongs = history.find_wrongs(lives or self.lives, alive, healed, bound)
        wrongs = list(itertools.islice(wrongs, 20))
        self.assertEqual(wrongs, [])

    def end(self, members, healed=0, bound=None, may_miss=False):
        """All have the same, leave in order, and did nothing wrong all their lives."""
        self.agree(members)
        for member in members:
            member.report()
        self.check(members, healed, bound)
        for member in members:
            member.close(may_miss)
        for member in self.lives:
            self.assertEqual(member.errors(), "", member)
        self.check()


# --- running ---


class _Result(unittest.TextTestResult):
    """One that many threads may tell, and that says how long each took."""

    def __init__(self, stream, descriptions, verbosity):
        super().__init__(stream, descriptions, 0)
        self._lock = threading.RLock()
        self._started = {}

    def startTest(self, test):
        with self._lock:
            super().startTest(test)
            self._started[test] = time.monotonic()

    def _line(self, test, word):
        took = time.monotonic() - self._started.get(test, time.monotonic())
        self.stream.writeln(f"{test.id().removeprefix('__main__.')} ... {word} ({took:.1f} s)")
        self.stream.flush()

    def addSuccess(self, test):
        with self._lock:
            super().addSuccess(test)
            self._line(test, "ok")

    def addError(self, test, err):
        with self._lock:
            super().addError(test, err)
            self._line(test, "ERROR")

    def addFailure(self, test, err):
        with self._lock:
            super().addFailure(test, err)
            self._line(test, "FAIL")

    def addSkip(self, test, reason):
        with self._lock:
            super().addSkip(test, reason)
            self._line(test, f"skipped: {reason}")


def _flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flatten(test)
        else:
            yield test


class _Suite(unittest.TestSuite):
    def run(self, result, debug=False):
        tests = list(_flatten(self))
        for test in tests:
            if getattr(test, "ALONE", False):
                test(result)
        others = [test for test in tests if not getattr(test, "ALONE", False)]
        with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda test: test(result), others))
        return result


class _Loader(unittest.TestLoader):
    suiteClass = _Suite


def main():
    # A member that is gone is an end of file here, not the end of the tests.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    runner = unittest.TextTestRunner(resultclass=_Result, verbosity=2)
    unittest.main(testLoader=_Loader(), testRunner=runner)
