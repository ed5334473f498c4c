# SPDX-License-Identifier: MIT
"""Two interactive prompts share a value, and no main loop runs in either."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

from support import conf

PATIENCE_S = 30

# A link without a sign of life is given up after 6 s.
IDLE_S = 7

# Wide enough that no line is broken, so that what comes back is what was typed.
WINDOW = struct.pack("HHHH", 50, 500, 0, 0)

# An isolated Python has no Readline, and looks at no variable of the environment.
WITHOUT_READLINE = ("-I", "-i", "-c")
SEARCH_PATH = f"import sys; sys.path[:0] = {os.environ['PYTHONPATH'].split(':')};"


def have_terminals():
    try:
        for descriptor in pty.openpty():
            os.close(descriptor)
        return True
    except OSError:
        return False


class Prompt:
    """An interpreter on a pseudo-terminal."""

    def __init__(self, command):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, WINDOW)
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "dumb"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            start_new_session=True,
        )
        os.close(slave)
        self._output = ""
        self.wait(self.ready)
        for line in self.begin:
            self.type(line)

    def type(self, line):
        os.write(self._master, f"{line}\n".encode())

    def interrupt(self):
        os.write(self._master, b"\x03")

    def wait(self, pattern):
        """Waits for the pattern in the output, and forgets the output up to its end."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self._output)):
            if not select.select([self._master], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"waited in vain for {pattern}; there is: {self._output!r}")
            self._output += os.read(self._master, 65536).decode(errors="replace")
        self._output = self._output[found.end() :]
        return found

    def ask(self, expression):
        # what is typed is echoed: it must not look like the answer
        self.type(self.show % expression)
        return self.wait(r"answer=(.*?)=end")[1]

    def wait_for(self, expression, expected):
        deadline = time.monotonic() + PATIENCE_S
        while (answer := self.ask(expression)) != expected:
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {expected}; there is {answer}")

    def close(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)


class Python(Prompt):
    ready = ">>> "
    show = "print('ans' + 'wer=' + repr(%s) + '=end')"
    begin = (
        "import gi; gi.require_version('Amnesia', '1')",
        "from gi.repository import Amnesia, GLib",
        "mem = Amnesia.Store()",
    )
    jsontest = "{'jsontest': 123}"
    n_connected = "sum(peer.state == Amnesia.PeerState.CONNECTED for peer in mem.peers)"
    later = f"_ = GLib.timeout_add_seconds({IDLE_S}, lambda: %s)"

    def __init__(self, *options):
        super().__init__([sys.executable, *options])


class Gjs(Prompt):
    ready = "gjs> "
    show = "print('ans' + 'wer=' + JSON.stringify(%s) + '=end')"
    begin = (
        "imports.gi.versions.Amnesia = '1'; var {Amnesia, GLib} = imports.gi;",
        "var mem = new Amnesia.Store();",
    )
    jsontest = '{"jsontest":123}'
    n_connected = (
        "[...mem.peers].filter(peer => peer.state === Amnesia.PeerState.CONNECTED).length"
    )
    later = f"GLib.timeout_add_seconds(0, {IDLE_S}, () => %s);"

    def __init__(self):
        super().__init__([shutil.which("gjs")])


needs_gjs = unittest.skipUnless(shutil.which("gjs"), "there is no gjs")


@unittest.skipUnless(have_terminals(), "no pseudo-terminals: /dev/pts is missing")
class PromptTest(unittest.TestCase):
    def start(self, kind, *arguments):
        prompt = kind(*arguments)
        self.addCleanup(prompt.close)
        return prompt

    def start_all(self, *kinds):
        prompts = [self.start(kind) for kind in kinds]
        for prompt in prompts:
            prompt.type(f"mem.conf = {conf(len(kinds))}")
        return prompts

    def check_session(self, a, b):
        a.type("mem.data = {'jsontest': 123}")
        b.wait_for("mem.data", b.jsontest)
        b.type("mem.data = 'x'")
        a.wait_for("mem.data", a.ask("'x'"))

    def test_python(self):
        self.check_session(*self.start_all(Python, Python))

    @needs_gjs
    def test_gjs(self):
        self.check_session(*self.start_all(Gjs, Gjs))

    @needs_gjs
    def test_both(self):
        self.check_session(*self.start_all(Python, Gjs))

    @needs_gjs
    def test_idle(self):
        prompts = self.start_all(Python, Python, Gjs, Gjs)
        for prompt in prompts:
            prompt.wait_for(prompt.n_connected, "3")
        for prompt in prompts:
            prompt.type(prompt.later % prompt.show % prompt.n_connected)
        for prompt in prompts:
            self.assertEqual(prompt.wait(r"answer=(.*?)=end")[1], "3")
        self.check_session(prompts[0], prompts[3])

    def test_without_readline(self):
        a, b = (self.start(Python, *WITHOUT_READLINE, SEARCH_PATH) for _ in range(2))
        self.assertEqual(a.ask("'readline' in sys.modules"), "False")
        for prompt in a, b:
            prompt.type(f"mem.conf = {conf(2)}")
        self.check_session(a, b)
        self.check_interrupt(a)

    def test_pipe(self):
        lines = (*Python.begin, "mem.data = 5", "mem.data", "")
        process = subprocess.Popen(
            [sys.executable, *WITHOUT_READLINE, SEARCH_PATH],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        with process.stdin, process.stdout:
            # all of it is there at once, and the pipe stays open
            process.stdin.write("\n".join(lines))
            process.stdin.flush()
            self.assertTrue(select.select([process.stdout], [], [], PATIENCE_S)[0])
            self.assertEqual(process.stdout.readline(), "5\n")

    def check_idle(self, prompt):
        """Assures that the prompt waits for input, and lets others have their turn meanwhile."""
        prompt.type("_ = GLib.idle_add(lambda: print('ans' + 'wer=idle=end'))")
        prompt.wait("answer=idle=end")

    def check_interrupt(self, prompt):
        self.check_idle(prompt)
        prompt.interrupt()
        prompt.wait("KeyboardInterrupt")
        self.check_idle(prompt)

    def test_interrupt(self):
        self.check_interrupt(self.start(Python))

    def test_other_hook(self):
        program = (
            "import ctypes; other = ctypes.PYFUNCTYPE(ctypes.c_int)(lambda: 0);"
            "slot = ctypes.c_void_p.in_dll(ctypes.pythonapi, 'PyOS_InputHook');"
            "slot.value = mine = ctypes.cast(other, ctypes.c_void_p).value"
        )
        for options in ("-i", "-c"), WITHOUT_READLINE:
            prompt = self.start(Python, *options, SEARCH_PATH + program)
            self.assertEqual(prompt.ask("slot.value == mine"), "True")

    def test_no_prompt(self):
        program = (
            "import ctypes, gi; gi.require_version('Amnesia', '1');"
            "from gi.repository import Amnesia;"
            "print(ctypes.c_void_p.in_dll(ctypes.pythonapi, 'PyOS_InputHook').value)"
        )
        output = subprocess.check_output([sys.executable, "-c", program], text=True)
        self.assertEqual(output, "None\n")


if __name__ == "__main__":
    unittest.main()
