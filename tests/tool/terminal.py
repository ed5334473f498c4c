# SPDX-License-Identifier: MIT
"""A program on a pseudo-terminal, and what a person would see on its screen."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pyte

PATIENCE_S = 30


def have_terminals():
    try:
        for descriptor in pty.openpty():
            os.close(descriptor)
        return True
    except OSError:
        return False


class Terminal:
    """Nothing here sleeps for an event: whoever waits has a deadline, and says what was seen instead."""

    def __init__(self, command, columns=80, rows=24, **environment):
        self._screen = pyte.HistoryScreen(columns, rows, history=100000)
        self._stream = pyte.ByteStream(self._screen)
        self._news = threading.Condition(threading.RLock())
        self._ended = False
        self.output = b""
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)
        self.mode_at_start = self.mode()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", **environment},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _set_size(self, columns, rows):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _follow(self):
        while True:
            try:
                found = os.read(self._master, 65536)
            except OSError:  # the program has gone
                found = b""
            with self._news:
                self.output += found
                self._stream.feed(found)
                self._ended = not found
                self._news.notify_all()
            if not found:
                return

    def resize(self, columns, rows=24):
        with self._news:
            self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def type(self, text):
        """Types it; the program may read as slowly as it likes."""
        left = text.encode()
        while left:
            select.select([], [self._master], [], PATIENCE_S)
            left = left[os.write(self._master, left[:512]) :]

    def enter(self, line):
        self.type(line + "\r")

    def paste(self, text):
        """As a terminal does it, if it was asked to tell."""
        with self._news:
            is_told = self.output.rfind(b"\033[?2004h") > self.output.rfind(b"\033[?2004l")
        self.type(f"\033[200~{text}\033[201~" if is_told else text)

    def _rows(self):
        return [row.rstrip() for row in self._screen.display]

    def rows(self):
        """The rows of the screen down to the one with the cursor."""
        with self._news:
            return self._rows()[: self._screen.cursor.y + 1]

    def cursor(self):
        with self._news:
            return self._screen.cursor.x

    def past(self):
        """The rows that have left the screen at its top, and those on it."""
        with self._news:
            gone = ["".join(row[x].data for x in range(self._screen.columns)).rstrip()
                    for row in self._screen.history.top]
            return gone + self._rows()[: self._screen.cursor.y + 1]

    def above_prompt(self):
        """All rows above the one with the last prompt."""
        rows = self.past()
        return rows[: max(i for i, row in enumerate(rows) if row.startswith(">"))]

    def __str__(self):
        shown = "\n".join(f"    |{row}" for row in self._rows())
        return f"process {self.process.pid}{' has ended' if self._ended else ''}:\n{shown}"

    def wait(self, what, condition):
        """Waits until the condition holds for the rows down to the cursor."""
        with self._news:
            def holds():
                return condition(self._rows()[: self._screen.cursor.y + 1])

            self._news.wait_for(lambda: holds() or self._ended, PATIENCE_S)
            if not holds():
                raise AssertionError(f"waited in vain for {what}; {self}")

    def wait_last(self, *last):
        """Waits until these are the last rows, the one with the cursor included."""
        self.wait(f"{last} as the last rows", lambda rows: rows[-len(last) :] == list(last))

    def wait_text(self, text):
        self.wait(repr(text), lambda rows: any(text in row for row in rows))

    def wait_end(self):
        """Waits for the end of the process, and returns its status."""
        status = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status

    def mode(self):
        """The flags of the terminal that say whether lines are cut, echoed, and interrupted."""
        return termios.tcgetattr(self._master)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def destroy(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.wait_end()
        os.close(self._master)
