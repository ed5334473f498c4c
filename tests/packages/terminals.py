# SPDX-License-Identifier: MIT
"""What somebody does who has just heard of it: four commands, the last two at a terminal each."""

import json
import os
import pty
import select
import subprocess
import time

import machines

TYPING_S = 0.2
PROMPT = "> "
SHELL = "amnesia shell"
# Until there is a command for it, Python's own prompt.
PYTHON = "python3 -q"
PYTHON_START = (
    "import gi; gi.require_version('Amnesia', '1'); from gi.repository import Amnesia; "
    "mem = Amnesia.Store(conf='amnesia.json')"
)


class Terminal:
    """A program at a pseudo-terminal of its own."""

    def __init__(self, command):
        self.own, other = pty.openpty()
        env = {**machines.ENVIRONMENT, "TERM": "xterm"}
        self.process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, env=env,
                                        start_new_session=True)  # fmt: skip
        os.close(other)
        self.seen = ""

    def type(self, line):
        self.seen = ""
        os.write(self.own, f"{line}\n".encode())

    def sees(self, text, patience):
        """Reads on until the text has been printed, and returns whether it has."""
        deadline = time.monotonic() + patience
        while text not in self.seen:
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.own], [], [], left)[0]:
                return False
            self.seen += os.read(self.own, 4096).decode(errors="replace")
        return True

    def wait(self, text):
        if not self.sees(text, machines.PATIENCE_S):
            raise AssertionError(f"waited in vain for {text!r}:\n{self.seen}")

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.own)


class NewUser:
    def __init__(self, machine):
        self.machine = machine
        self.terminals = []
        names = sorted(path.name for path in (machine.root / machines.PACKAGES).glob("*.deb"))
        self.has_command = any(name.startswith("amnesia-tools_") for name in names)
        self.needed = [
            name
            for name in names
            if name.startswith(("libamnesia-1-", "libamnesia-common_", "amnesia-tools_"))
            or not self.has_command and name.startswith(("gir1.2-", "python3-"))
        ]

        self.shown = [f"./{name.split('_')[0]}_*.deb" for name in self.needed]

    def steps(self):
        """The commands, and what each of them is here."""
        shell = SHELL if self.has_command else PYTHON
        files = " ".join(f"/{machines.PACKAGES}/{name}" for name in self.needed)
        install = f"apt-get install -y {files}"
        conf = [{"host": machines.HOST, "port": 7777 + index} for index in range(2)]
        write = f"echo '{json.dumps(conf)}' > amnesia.json"
        yield f"apt-get install {' '.join(self.shown)}", lambda: self.machine.run("sh", "-c", install)
        yield write, lambda: self.machine.run("sh", "-c", write)
        yield f"{shell}, and mem.data = {{jsontest: 123}}", lambda: self.open(shell, self.write_value)
        yield f"{shell}, and mem.data", lambda: self.open(shell, self.read_value)

    def open(self, shell, use):
        terminal = Terminal(self.machine.command(*shell.split()))
        self.terminals.append(terminal)
        if not self.has_command:
            terminal.wait(PROMPT)
            terminal.type(PYTHON_START)
        use(terminal)

    def write_value(self, terminal):
        terminal.wait(PROMPT)
        terminal.type('mem.data = {"jsontest": 123}')
        terminal.wait(PROMPT)

    def read_value(self, terminal):
        """Asks as often as it takes: whoever types is slower than what is asked for."""
        deadline = time.monotonic() + machines.PATIENCE_S
        terminal.wait(PROMPT)
        terminal.type("mem.data")
        while not terminal.sees("jsontest", TYPING_S):
            if time.monotonic() > deadline:
                raise AssertionError(f"the value was not there:\n{terminal.seen}")
            terminal.type("mem.data")

    def leave(self):
        for terminal in self.terminals:
            terminal.end()
