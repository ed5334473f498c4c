# SPDX-License-Identifier: MIT
"""Which configuration, how long, and what becomes of a write that nobody confirms."""

import signal
import socket
import subprocess
import time

from commands import DONE, FAILED, NO_VALUE, NOBODY, TOOL, UNCONFIRMED, CommandCase
from members import HOST, PATIENCE_S, entry, main


class Configuration(CommandCase):
    def test_where_it_is(self):
        self.member("5")
        elsewhere = self.folder / "elsewhere"
        users = self.folder / "config"
        elsewhere.mkdir()
        users.mkdir()
        env = {"XDG_CONFIG_HOME": str(users)}

        errors = self.expect(FAILED, "", "get", cwd=elsewhere, env=env)
        self.assertIn("./amnesia.json", errors)
        self.assertIn(str(users / "amnesia.json"), errors)
        for conf in (["--conf=../amnesia.json"], ["-c", self.file], ["--conf", self.file]):
            self.expect(DONE, "5", "get", *conf, cwd=elsewhere, env=env)
        (users / "amnesia.json").write_text(self.file.read_text())
        self.expect(DONE, "5", "get", cwd=elsewhere, env=env)
        # the one that is here comes first
        (elsewhere / "amnesia.json").write_text("[]")
        self.assertIn("empty", self.expect(FAILED, "", "get", cwd=elsewhere, env=env))

    def test_what_is_wrong(self):
        for command in (["get"], ["set", "1"], ["unset"], ["watch"], ["peers"], ["check-conf"]):
            errors = self.expect(FAILED, "", *command, "-c", "not-there.json")
            self.assertIn("not-there.json", errors)
        self.file.write_text('[{"host": "127.0.0.1"}]')
        self.assertIn("[0].port", self.expect(FAILED, "", "get"))


class Patience(CommandCase):
    def test_nobody(self):
        began = time.monotonic()
        for command in (["get"], ["set", "1"], ["unset"], ["watch"]):
            self.assertIn("amnesia.json", self.expect(NOBODY, "", *command))
        # none of them waits for a time to pass
        self.assertLess(time.monotonic() - began, 2)

    def test_nobody_in_time(self):
        door = socket.create_server((HOST, entry(0)["port"]))  # takes connections, and says nothing
        self.addCleanup(door.close)
        began = time.monotonic()
        self.assertIn("0.3", self.expect(NOBODY, "", "set", "1", "--timeout", "0.3"))
        self.assertLess(time.monotonic() - began, 3)

    def set_large(self, *arguments):
        """Begins to set more than the relay lets pass."""
        large = '"' + "x" * 8_000_000 + '"'
        path = self.folder / "large.json"
        path.write_text(large)
        with open(path) as file:
            writer = subprocess.Popen(
                [TOOL, "set", "-c", "relayed.json", *arguments, "-"],
                cwd=self.folder,
                stdin=file,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
        self.addCleanup(writer.stderr.close)
        self.addCleanup(writer.kill)
        return writer

    def test_no_confirmation_in_time(self):
        self.member()
        self.relay(100_000)
        began = time.monotonic()
        writer = self.set_large("--timeout", "0.7")
        errors = writer.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(writer.returncode, UNCONFIRMED)
        self.assertIn(f"{HOST}:{entry(2)['port']}", errors)
        self.assertGreater(time.monotonic() - began, 0.6)
        self.expect(NO_VALUE, "", "get")

    def test_connection_lost(self):
        self.member()
        relay = self.relay(100_000)
        writer = self.set_large()
        self.assertTrue(relay.full.wait(PATIENCE_S))
        relay.close()
        errors = writer.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(writer.returncode, UNCONFIRMED, errors)
        self.assertIn("confirmed", errors)

    def test_too_big_for_the_other(self):
        """Who takes no value so large has not got it, and says nothing: that is no confirmation."""
        peers = [entry(0), entry(1)]
        self.file = self.conf({"peers": peers, "max-size": 2000}, "small.json")
        self.member("1")
        large = '"' + "x" * 3000 + '"'
        self.assertIn("2000", self.expect(UNCONFIRMED, "", "set", large))
        self.assertIn("2000", self.expect(UNCONFIRMED, "", "set", "--member", large))
        self.expect(DONE, "1", "get")
        self.expect(DONE, "", "set", "2")
        self.expect(DONE, "2", "get")

    def test_another_confirms(self):
        """Who was to confirm has gone, and another one has what was set: that is enough."""
        first = self.member()
        second = self.member()
        relay = self.relay(100_000, entry(1))
        writer = self.set_large()
        self.assertTrue(relay.full.wait(PATIENCE_S))
        relay.close()
        self.assertEqual(writer.communicate(timeout=PATIENCE_S)[1], "")
        self.assertEqual(writer.returncode, DONE)
        for member in (first, second):
            member.wait("the value", lambda: len(member.value) > 8_000_000)

    def test_interrupted(self):
        member = self.member()
        relay = self.relay(100_000)
        for how, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            writer = self.set_large()
            self.assertTrue(relay.full.wait(PATIENCE_S))
            relay.full.clear()
            writer.send_signal(how)
            self.assertEqual(writer.communicate(timeout=PATIENCE_S)[1], "")
            self.assertEqual(writer.returncode, code)
        self.assertEqual(member.value, "null")

    def test_interrupted_while_joining(self):
        door = socket.create_server((HOST, entry(0)["port"]))
        self.addCleanup(door.close)
        waits = self.follow("get")
        silent, _ = door.accept()
        self.addCleanup(silent.close)
        began = time.monotonic()
        self.assertEqual(waits.end(signal.SIGTERM), 143)
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual(waits.errors(), "")

    def test_interrupted_while_reading(self):
        """Who types a value and thinks better of it."""
        waits = self.follow("set", "-")
        # more than a pipe holds: so it is reading when this is through
        waits.process.stdin.write('"' + "x" * 200_000)
        waits.process.stdin.flush()
        self.assertEqual(waits.end(signal.SIGINT), -signal.SIGINT)

    def test_progress(self):
        """On a terminal there is something to look at, and afterwards it is gone."""
        self.member()
        relay = self.relay(4_000_000)
        (self.folder / "large.json").write_text('"' + "x" * 12_000_000 + '"')
        terminal = self.on_terminal("set", "-c", "relayed.json", "-", input="large.json")
        self.assertTrue(relay.full.wait(PATIENCE_S))
        terminal.wait("Confirming [#")
        terminal.wait(" %")
        self.assertEqual(terminal.end(), 130)
        self.assertTrue(terminal.text.endswith("\r\033[K"))

    def test_progress_without_a_number(self):
        door = socket.create_server((HOST, entry(0)["port"]))
        self.addCleanup(door.close)
        terminal = self.on_terminal("get")
        terminal.wait("Joining 2 s")
        self.assertEqual(terminal.end(), 130)
        self.assertTrue(terminal.text.endswith("\r\033[K"))

    def test_no_progress_elsewhere(self):
        door = socket.create_server((HOST, entry(0)["port"]))
        self.addCleanup(door.close)
        for line in self.expect(NOBODY, "", "get").splitlines():
            self.assertRegex(line, "^amnesia: .*\\S$")


if __name__ == "__main__":
    main()
