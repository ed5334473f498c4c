# SPDX-License-Identifier: MIT
"""The command `amnesia`, run as a user would: in a folder that has an amnesia.json."""

import fcntl
import os
import pathlib
import pty
import signal
import socket
import struct
import subprocess
import termios
import threading

from members import HOST, PATIENCE_S, Member, Process, TestCase, entry

TOOL = os.environ["AMNESIA_TOOL"]
DONE, FAILED, USAGE, NOBODY, UNCONFIRMED, NO_VALUE = range(6)


class Neighbour(Member):
    """Prints what it has as JSON, and is not asked for what has none."""

    def note(self, line):
        if not line.endswith("(null)") and " (null) -> " not in line:
            super().note(line)


class Follower(Process):
    """A command that goes on, whose lines are waited for."""

    def __init__(self, folder, arguments, **how):
        self.lines = []
        self.start([TOOL, *arguments], cwd=folder, **how)

    def __str__(self):
        return f"amnesia {self.process.args[1:]}:\n" + "\n".join(self.lines) + "\n" + self.errors()

    def note(self, line):
        self.lines.append(line)

    def wait_lines(self, n):
        self.wait(f"{n} lines", lambda: len(self.lines) >= n)
        return self.lines

    def end(self, how=signal.SIGINT):
        """The exit code after a signal, or of its own accord."""
        if how is not None:
            self.process.send_signal(how)
        return self.finish()


class Terminal:
    """A command that believes to be looked at. All that is shown there is in `text`."""

    def __init__(self, folder, arguments, columns=80, input=None):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with open(folder / input) if input else open(os.devnull) as file:
            self.process = subprocess.Popen(
                [TOOL, *arguments], cwd=folder, stdin=file, stdout=theirs, stderr=theirs
            )
        os.close(theirs)
        self._ours = ours
        self._bytes = b""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _follow(self):
        try:
            while more := os.read(self._ours, 65536):
                with self._news:
                    self._bytes += more
                    self._news.notify_all()
        except OSError:
            pass  # the other end is closed

    @property
    def text(self):
        return self._bytes.decode(errors="replace").replace("\r\n", "\n")

    def wait(self, what):
        with self._news:
            if not self._news.wait_for(lambda: what in self.text, PATIENCE_S):
                raise AssertionError(f"waited in vain for {what!r} in {self.text!r}")

    def end(self, how=signal.SIGINT):
        if how is not None:
            self.process.send_signal(how)
        status = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status

    def destroy(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        os.close(self._ours)


class Relay:
    """Stands before an entry. What comes back passes; what goes there only up to a limit."""

    def __init__(self, port, to, limit):
        self._door = socket.create_server((HOST, port))
        self._to = to
        self._limit = limit
        self._sockets = []
        self.n_back = 0  # bytes
        self.full = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                near, _ = self._door.accept()
                far = socket.create_connection((HOST, self._to))
                self._sockets += [near, far]
                for pump in (self._there, self._back):
                    threading.Thread(target=pump, args=(near, far), daemon=True).start()
        except OSError:
            pass  # it is closed

    def _there(self, near, far):
        left = self._limit
        try:
            while more := near.recv(4096):
                far.sendall(more)
                left -= len(more)
                if left < 0:
                    self.full.set()
                    return
            far.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _back(self, near, far):
        try:
            while more := far.recv(4096):
                near.sendall(more)
                self.n_back += len(more)
            near.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        for one in [self._door, *self._sockets]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


class CommandCase(TestCase):
    """A folder with an amnesia.json of two entries, and what is run there."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self._folder.name)
        self.file = self.conf([entry(0), entry(1)], "amnesia.json")

    def member(self, value=None):
        """A program that shares by the same file; if wanted with a value."""
        member = Neighbour("c", self.file)
        self.addCleanup(member.destroy)
        member.wait_state("alone", "synced")
        if value is not None:
            member.set(value)
            member.wait_value(value)
        return member

    def relay(self, limit, *others):
        """A configuration whose first entry is a relay to that of a member."""
        relay = Relay(entry(2)["port"], entry(0)["port"], limit)
        self.addCleanup(relay.close)
        self.conf([entry(2), *others], "relayed.json")
        return relay

    def amnesia(self, *arguments, input=None, env=None, cwd=None):
        return subprocess.run(
            [TOOL, *arguments],
            cwd=cwd or self.folder,
            env=os.environ | (env or {}),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=PATIENCE_S,
            encoding="utf-8",
        )

    def expect(self, code, out, *arguments, **how):
        """Runs it; what it says, without the line feed, is to be this. Returns its errors."""
        said = self.amnesia(*arguments, **how)
        shown = f"amnesia {arguments}: {said.stderr}"
        self.assertEqual(said.returncode, code, shown)
        if out is not None:
            self.assertEqual(said.stdout, out + "\n" if out else "", shown)
        if code == DONE:
            self.assertEqual(said.stderr, "", shown)
        else:
            self.assertRegex(said.stderr, "^amnesia: ", shown)
        return said.stderr

    def follow(self, *arguments, **how):
        follower = Follower(self.folder, arguments, **how)
        self.addCleanup(follower.destroy)
        return follower

    def on_terminal(self, *arguments, **how):
        terminal = Terminal(self.folder, arguments, **how)
        self.addCleanup(terminal.destroy)
        return terminal
