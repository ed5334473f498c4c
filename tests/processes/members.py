# SPDX-License-Identifier: MIT
"""Real processes that share a value: the members of examples/, driven through pipes.

Nothing here sleeps for an event: whoever waits has a deadline, and says what was seen instead.
"""

import atexit
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

PATIENCE_S = 20
ROUNDS = int(os.environ.get("AMNESIA_ROUNDS", "20"))

EXAMPLES = pathlib.Path(os.environ["AMNESIA_EXAMPLES"])
PROGRAMS = pathlib.Path(os.environ["AMNESIA_PROGRAMS"])

# What the build has: C always, the others if there are bindings.
COMMANDS = {
    language: command
    for language, command in {
        "c": [PROGRAMS / "member-c"],
        "python": [os.environ.get("AMNESIA_PYTHON", ""), EXAMPLES / "member.py"],
        "js": ["gjs", "-m", EXAMPLES / "member.js"],
        "vala": [PROGRAMS / "member-vala"],
    }.items()
    if language in os.environ["AMNESIA_LANGUAGES"].split()
}
LANGUAGES = list(COMMANDS)
# One member for each language, but two at least.
EVERY = LANGUAGES if len(LANGUAGES) > 1 else LANGUAGES * 2

# An address of the loopback network that no other test process uses: so no port can be taken.
_pid = os.getpid()
HOST = f"127.{1 + (_pid >> 16) % 250}.{_pid >> 8 & 255}.{_pid & 255}"


# The same over the local way: with a runtime directory, members of this machine find it.
LOCAL = os.environ.get("AMNESIA_LOCAL", "") not in ("", "0")
if LOCAL:
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="amnesia-")
    atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"])


def entry(index, host=HOST):
    return {"host": host, "port": 7701 + index}


def read_change(line):
    """The two values of a line such as `12:00:00 local "old" -> "new"`, as text."""
    values = line.split(" ", 2)[2]
    _, end = json.JSONDecoder().raw_decode(values)
    return values[:end], values[end + len(" -> ") :]


class Process:
    """A program that is driven through pipes. What it prints is followed by a thread of its own."""

    PATIENCE_S = PATIENCE_S

    def start(self, command, **how):
        self.ended = False
        self._news = threading.Condition()
        self._errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            **how,
        )
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self.process.pid

    def _follow(self):
        for line in self.process.stdout:
            # Who is killed may end in the middle of a line.
            if line.endswith("\n"):
                with self._news:
                    self.note(line.removesuffix("\n"))
                    self._news.notify_all()
        with self._news:
            self.ended = True
            self._news.notify_all()

    def note(self, line):
        raise NotImplementedError

    def errors(self):
        """But for those of who counts the lines that are run, and cannot write them down."""
        self._errors.seek(0)
        return "".join(line for line in self._errors if not line.startswith("profiling:"))

    def wait(self, what, condition, patience=None):
        """Waits until the condition holds, which is looked at whenever something is printed."""
        if patience is None:
            patience = self.PATIENCE_S
        with self._news:
            self._news.wait_for(lambda: condition() or self.ended, patience)
            if not condition():
                raise AssertionError(f"waited in vain for {what}; {self}")

    def kill(self):
        self.process.kill()
        self.finish()

    def finish(self):
        status = self.process.wait(self.PATIENCE_S)
        self._reader.join()
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return status

    def destroy(self):
        self.kill()
        self._errors.close()

    def n_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Member(Process):
    """One of examples/."""

    def __init__(self, language, conf, prefix=()):
        self.language = language
        self.value = "null"
        self.state = None
        self.entry = None
        self.lines = []
        self.start([*prefix, *COMMANDS[language], conf])

    def __str__(self):
        shown = "\n".join(f"    {line[:120]}" for line in self.lines[-12:])
        return f"{self.language} member {self.pid}:\n{shown}\n{self.errors()}"

    def note(self, line):
        self.lines.append(line)
        if line == "* closed":
            self.state = "closed"
        elif line.startswith("* "):
            self.state, _, self.entry = line[2:].partition(" as ")
        else:
            self.value = read_change(line)[1]

    def wait_value(self, text):
        self.wait(f"the value {text[:80]}", lambda: self.value == text)

    def wait_state(self, *states):
        self.wait(" or ".join(states), lambda: self.state in states)

    def has_printed(self, text):
        return any(text in line for line in self.lines)

    def set(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def leave(self, how=None):
        """Lets it close in order: at the end of its input, or by a signal."""
        if how is None:
            self.process.stdin.close()
        else:
            self.process.send_signal(how)

    def wait_gone(self):
        status = self.finish()
        if status != 0 or not self.has_printed("* closed"):
            raise AssertionError(f"ended with status {status}; {self}")

    def _sockets(self):
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                yield os.readlink(f"/proc/{self.pid}/fd/{name}")
            except FileNotFoundError:
                pass

    def n_connections(self):
        """How many established TCP connections it has."""
        established = set()
        for line in pathlib.Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "01":
                established.add(f"socket:[{fields[9]}]")
        return sum(name in established for name in self._sockets())

    def n_accepted_nearby(self):
        """How many of the local connections others have made: those that it made have no name."""
        accepted = set()
        for line in pathlib.Path(f"/proc/{self.pid}/net/unix").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[5] == "03" and "/amnesia/" in fields[-1]:
                accepted.add(f"socket:[{fields[6]}]")
        return sum(name in accepted for name in self._sockets())


def wait_until(what, condition, patience=PATIENCE_S):
    """For what prints nothing, such as the state of sockets: looks 100 times a second."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)


class TestCase(unittest.TestCase):
    """A test with members, which are gone when it ends."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)

    def conf(self, entries, name="conf.json"):
        path = pathlib.Path(self._folder.name, name)
        path.write_text(json.dumps(entries))
        return path

    def conf_of(self, n_entries):
        return self.conf([entry(index) for index in range(n_entries)])

    def start(self, language, conf, prefix=()):
        member = Member(language, conf, prefix)
        self.addCleanup(member.destroy)
        return member

    def start_all(self, languages, conf):
        """Starts the members at once, and waits until each is connected."""
        members = [self.start(language, conf) for language in languages]
        for member in members:
            member.wait_state("synced")
        return members

    def see_value(self, members, text):
        for member in members:
            member.wait_value(text)

    def end_all(self, members, how=None):
        for member in members:
            member.leave(how)
        for member in members:
            member.wait_gone()
            self.assert_quiet(member)

    def assert_quiet(self, member):
        self.assertEqual(member.errors(), "", member)

    def assert_distinct(self, members, n_entries):
        entries = sorted(member.entry for member in members)
        every = [f"{HOST}:{entry(index)['port']}" for index in range(n_entries)]
        self.assertEqual(len(set(entries)), len(members), entries)
        self.assertLessEqual(set(entries), set(every))


def languages_for(n_members):
    """A list of that length in which each language has its turn."""
    return [LANGUAGES[index % len(LANGUAGES)] for index in range(n_members)]


def main():
    # A member that is gone is an end of file here, not the end of the tests.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # Who waited in vain once will do so again, and the report is to be out before the time is.
    unittest.main(verbosity=2, failfast=True)
