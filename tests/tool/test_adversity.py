# SPDX-License-Identifier: MIT
"""What goes wrong around the command: files, pipes, signals, and values that others made up."""

import fcntl
import os
import pty
import signal
import socket
import struct
import subprocess
import termios
import threading
import unittest

from commands import DONE, FAILED, NOBODY, TOOL, USAGE, CommandCase
from members import HOST, PATIENCE_S, entry, main, wait_until


class Output(CommandCase):
    """Nobody reads, or there is no room."""

    def setUp(self):
        super().setUp()
        self.member('{"a":1}')

    def sh(self, script):
        """What the command says on its standard error; its exit code."""
        said = subprocess.run(
            ["sh", "-c", script, TOOL],
            cwd=self.folder,
            capture_output=True,
            timeout=PATIENCE_S,
            encoding="utf-8",
        )
        return said.returncode, said.stderr

    def test_full_disk(self):
        for arguments in (
            ["get"],
            ["get", "--help"],
            ["help"],
            ["--version"],
            ["watch", "--initial"],
            ["check-conf"],
        ):
            code, errors = self.sh(f'"$0" {" ".join(arguments)} > /dev/full')
            self.assertEqual(code, FAILED, arguments)
            self.assertRegex(errors, "^amnesia: The result cannot be written: No space.*\n$")

    def test_full_disk_of_a_shell(self):
        code, errors = self.sh('printf "get a\\nset a 2\\n" | "$0" shell --guest > /dev/full')
        self.assertEqual(code, FAILED)
        self.assertRegex(errors, "^amnesia: The result cannot be written: No space.*\n$")
        # what follows is not done
        self.expect(DONE, "1", "get", "a")

    def test_closed(self):
        """What is opened later must not take the place of what was closed."""
        for closed in (">&-", "<&- >&-"):
            code, errors = self.sh(f'"$0" get {closed}')
            self.assertEqual(code, FAILED)
            self.assertRegex(errors, "^amnesia: The result cannot be written: Bad file desc.*\n$")
        self.assertEqual(self.sh('"$0" get <&- >&- 2>&-'), (FAILED, ""))
        self.assertEqual(self.sh('"$0" set a 2 <&- >&- 2>&-'), (DONE, ""))
        self.assertEqual(self.sh('"$0" set a - <&-')[0], FAILED)
        self.expect(DONE, "2", "get", "a")

    def test_signal_while_nobody_reads(self):
        """The pipe is full: it waits in the middle of a line."""
        self.expect(DONE, "", "set", "a", "-", input='"' + "x" * 500_000 + '"')
        for arguments, how in ((["get"], signal.SIGTERM), (["watch", "-i"], signal.SIGINT)):
            ours, theirs = os.pipe()
            process = subprocess.Popen(
                [TOOL, *arguments], cwd=self.folder, stdout=theirs, stderr=subprocess.PIPE
            )
            os.close(theirs)
            self.addCleanup(process.kill)
            wait_until("a full pipe", lambda ours=ours: is_full(ours))
            process.send_signal(how)
            self.assertEqual(process.wait(PATIENCE_S), 128 + how)
            self.assertEqual(process.stderr.read(), b"")
            process.stderr.close()
            os.close(ours)

    def test_pipe_that_does_not_wait(self):
        """Who has the other end may have made it so for all."""
        text = '"' + "x" * 500_000 + '"'
        self.expect(DONE, "", "set", "a", "-", input=text)
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        process = subprocess.Popen([TOOL, "get", "a"], cwd=self.folder, stdout=theirs)
        os.close(theirs)
        with open(ours) as file:
            self.assertEqual(file.read(), text + "\n")
        self.assertEqual(process.wait(PATIENCE_S), DONE)


def is_full(pipe):
    n_bytes = fcntl.ioctl(pipe, termios.FIONREAD, struct.pack("i", 0))
    return struct.unpack("i", n_bytes)[0] == fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)


class Terminals(CommandCase):
    """What others wrote does nothing to a terminal."""

    def setUp(self):
        super().setUp()
        self.member('{"begin":0}')
        self.expect(DONE, "", "set", "text", r'"\u001b]0;x\u0007\u009b31m\u202e\n\ty"')

    def seen(self, *arguments):
        terminal = self.on_terminal(*arguments)
        code = terminal.end(None)
        for c in terminal.text:
            self.assertTrue(c.isprintable() or c in "\n\t", repr(terminal.text))
        return code, terminal.text

    def test_raw(self):
        self.assertEqual(
            self.seen("get", "--raw", "text"), (DONE, "\\u001b]0;x\\u0007\\u009b31m\\u202e\n\ty\n")
        )
        # and a program has it as it is
        self.expect(DONE, "\x1b]0;x\x07\x9b31m\u202e\n\ty", "get", "--raw", "text")

    def test_all_else(self):
        self.expect(DONE, "", "set", "key\x1b[2J", "1")
        for arguments in (["get"], ["get", "--gvariant"], ["get", "-k"], ["watch", "-i", "-n", "3"]):
            self.assertEqual(self.seen(*arguments)[0], DONE, arguments)

    def test_marks(self):
        """There is no end of what may stand above a letter."""
        self.expect(DONE, "", "set", "text", "-", input='"' + "a" + "\u0301" * 100_000 + '"')
        terminal = self.on_terminal("watch", "-i", "-n", "2", columns=60)
        self.assertEqual(terminal.end(None), DONE)
        self.assertLess(len(terminal.text), 2000)

    def test_errors(self):
        for arguments in (["get", "no\x1b[2J\u202e"], ["no\x1b[2J"], ["get", "-\x1b[2J"]):
            self.seen(*arguments)


@unittest.skipUnless(os.environ["AMNESIA_HAVE_LIBEDIT"], "built without libedit")
class Hang(CommandCase):
    """A terminal is hung up while the changes of others are shown there."""

    def hang_up(self, prepare, expected):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen(
            [TOOL, "shell", "--guest"],
            cwd=self.folder,
            env=os.environ | {"TERM": "xterm", "XDG_STATE_HOME": str(self.folder)},
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=prepare,
        )
        self.addCleanup(process.kill)
        os.close(theirs)
        read_until(ours, b"> ")
        os.write(ours, b"what is typed")
        # several lines are shown at once: this is in the middle of them
        read_until(ours, b"mem.data[", 10)
        os.close(ours)
        self.assertIn(process.wait(PATIENCE_S), expected)
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()

    def test_hang_up(self):
        self.member("{}")
        storm = 'while echo set key-$((n % 8)) $((n += 1)); do sleep 0.01; done | "$0" shell --guest'
        writer = subprocess.Popen(
            ["sh", "-c", storm, TOOL],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.addCleanup(writer.wait)
        self.addCleanup(os.killpg, writer.pid, signal.SIGTERM)
        for _ in range(5):
            self.hang_up(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), [DONE, 128 + signal.SIGHUP])
            # nobody gets a signal if it is not the terminal of the session
            self.hang_up(None, [DONE])


def read_until(terminal, text, n=1):
    seen = b""
    while seen.count(text) < n:
        seen += os.read(terminal, 4096)


class Dumb(CommandCase):
    """Terminals that cannot move their cursor."""

    def test_nothing_moves(self):
        self.member("1")
        os.environ["TERM"] = "dumb"
        self.addCleanup(os.environ.__setitem__, "TERM", "xterm")
        for arguments in (["peers", "-w"], ["shell", "--guest"], ["get"]):
            terminal = self.on_terminal(*arguments)
            if "-w" in arguments:
                terminal.wait(" ms")
            terminal.end(signal.SIGTERM if "-w" in arguments else None)
            self.assertNotIn("\x1b", terminal.text)

    def test_long_value(self):
        self.member()
        self.expect(DONE, "", "set", "-s", "x" * 10_000)
        (self.folder / "lines").write_text("get\n")
        for name in ("dumb", "xterm"):
            os.environ["TERM"] = name
            self.addCleanup(os.environ.__setitem__, "TERM", "xterm")
            terminal = self.on_terminal("shell", "--guest", input="lines")
            self.assertEqual(terminal.end(None), DONE)
            self.assertRegex(terminal.text.replace("\x1b[2m", ""), r"x\n… \(10.0.kB in all\)")
            self.assertEqual("\x1b" in terminal.text, name == "xterm")

    def test_no_progress(self):
        door = socket.create_server((HOST, entry(0)["port"]))
        self.addCleanup(door.close)
        os.environ["TERM"] = "dumb"
        self.addCleanup(os.environ.__setitem__, "TERM", "xterm")
        terminal = self.on_terminal("get", "--timeout", "2")
        self.assertEqual(terminal.end(None), NOBODY)
        self.assertNotIn("\x1b", terminal.text)


class Locale(CommandCase):
    """What the character set of the locale does not have ends nothing."""

    ENV = {"LC_ALL": "de_DE.ISO-8859-1"}

    def setUp(self):
        super().setUp()
        env = os.environ | self.ENV
        if b"8859" not in subprocess.run(["locale", "charmap"], env=env, capture_output=True).stdout:
            self.skipTest("there is no such locale")
        self.member('{"k€y":"ä€"}')

    def seen(self, *arguments):
        said = subprocess.run(
            [TOOL, *arguments],
            cwd=self.folder,
            env=os.environ | self.ENV,
            capture_output=True,
            timeout=PATIENCE_S,
        )
        self.assertEqual((said.returncode, said.stderr), (DONE, b""))
        return said.stdout

    def test_lines(self):
        line = self.seen("watch", "-i", "-n", "1")
        self.assertTrue(line.endswith(b'  k\\u20acy  "\\u00e4\\u20ac"\n'), line)

    def test_command(self):
        key = self.seen("watch", "-i", "-n", "1", "-e", 'echo "$AMNESIA_KEY"')
        self.assertEqual(key, "k€y\n".encode())


class Reasons(CommandCase):
    """Why nobody is there."""

    def test_refused(self):
        errors = self.expect(NOBODY, "", "get").splitlines()
        self.assertEqual(len(errors), 3)
        self.assertRegex(errors[1], f"^amnesia: {HOST}:{entry(0)['port']}: .*refused$")

    def test_many(self):
        self.conf([entry(index) for index in range(50)], "many.json")
        errors = self.expect(NOBODY, "", "get", "-c", "many.json").splitlines()
        self.assertEqual(len(errors), 7)
        self.assertIn("amnesia peers", errors[-1])

    def test_other_group(self):
        self.member()
        self.conf({"peers": [entry(0)], "group": "another"}, "other.json")
        for arguments in (["get"], ["set", "1"], ["watch"], ["shell", "--guest"]):
            self.assertIn("another", self.expect(NOBODY, "", *arguments, "-c", "other.json"))

    def test_somebody_else(self):
        door = socket.create_server((HOST, entry(0)["port"]))
        self.addCleanup(door.close)

        def answer():
            near, _ = door.accept()
            near.sendall(b"HTTP/1.1 400 \x1b[2J\r\n\r\n" * 100)
            near.close()

        threading.Thread(target=answer, daemon=True).start()
        errors = self.expect(NOBODY, "", "get")
        self.assertIn("libamnesia", errors)
        self.assertNotIn("\x1b", errors)


class Usage(CommandCase):
    def test_timeout(self):
        for text in ("0", "-1", "nan", "-inf"):
            for command in (["get"], ["peers"], ["check-conf"], ["shell"]):
                self.assertIn("--timeout", self.expect(USAGE, "", *command, "--timeout", text))
        self.member("1")
        for text in ("1e300", "inf", "1e9"):
            self.expect(DONE, "1", "get", "--timeout", text)

    def test_numbers(self):
        for text in ("nan", "0", "-1", "inf"):
            self.expect(USAGE, "", "bench", "--seconds", text)
        for text in ("0", "-1"):
            self.expect(USAGE, "", "watch", "--count", text)

    def test_too_many(self):
        for arguments in (["--version"], ["help", "get"]):
            self.assertIn("extra", self.expect(USAGE, "", *arguments, "extra"))

    def test_options_of_get(self):
        for options in (["-r", "-k"], ["-r", "--gvariant"], ["-k", "key"]):
            self.expect(USAGE, "", "get", *options)


class Input(CommandCase):
    """Text that is no value."""

    def test_endless(self):
        """No more is read than a value could have. Nobody has to be there for that."""
        self.conf({"peers": [entry(0)], "max-size": 100_000}, "small.json")
        endless = f'yes | "{TOOL}" set -c small.json -'
        said = subprocess.run(
            ["sh", "-c", endless],
            cwd=self.folder,
            capture_output=True,
            timeout=PATIENCE_S,
            encoding="utf-8",
        )
        self.assertEqual(said.returncode, FAILED)
        self.assertIn("97.7", said.stderr)

    def test_much_text_of_little(self):
        self.conf({"peers": [entry(0)], "max-size": 100_000}, "small.json")
        self.start("c", self.folder / "small.json").wait_state("alone")
        text = '"' + r"\u0041" * 90_000 + '"' + " " * 500_000
        self.expect(DONE, "", "set", "-c", "small.json", "-", input=text)
        self.expect(DONE, "A" * 90_000, "get", "-r", "-c", "small.json")

    def test_deep(self):
        for option, text in (
            ("--", "[" * 100_000),
            ("--gvariant", "[" * 100_000),
            ("--gvariant", "<" * 100_000 + "1" + ">" * 100_000),
            ("--gvariant", "<" * 130 + "1" + ">" * 130),
        ):
            errors = self.expect(FAILED, "", "set", option, "-", input=text)
            self.assertLess(len(errors), 300)


class Files(CommandCase):
    def test_link_to_nothing(self):
        """The user's own configuration is not taken instead."""
        self.member("1")
        users = self.folder / "config"
        users.mkdir()
        self.file.rename(users / "amnesia.json")
        env = {"XDG_CONFIG_HOME": str(users)}
        self.expect(DONE, "1", "get", env=env)
        self.file.symlink_to("nothing")
        self.assertIn("amnesia.json", self.expect(FAILED, "", "get", env=env))


if __name__ == "__main__":
    main()
