# SPDX-License-Identifier: MIT
"""`amnesia shell`: what two people at two terminals see, and what goes through a pipe."""

import json
import os
import re
import signal
import subprocess
import unittest

from shells import TOOL, HOST, TestCase, name
from terminal import PATIENCE_S

UP = "\033[A"
HOME = "\033[H"
HOSTILE = "\033[2J\033]0;title\007\x9b31m\u202e\u2066\ufeff"


class Original(TestCase):
    def test_two_terminals(self):
        a, b = self.shells(2)
        a.enter("mem.data = {jsontest: 123}")
        b.wait_text('mem.data = {"jsontest":123}')
        b.enter("mem.data")
        b.wait_last("> mem.data", '{"jsontest":123}', ">")

    def test_who_is_told_at_the_start(self):
        a = self.shell()
        self.assertIn(f"{name(0)}, alone.", a.rows()[0])
        b = self.shell()
        self.assertIn(f"{name(1)}, synced.", b.rows()[0])
        guest = self.shell("--guest")
        self.assertIn("a guest, synced.", guest.rows()[0])

    def test_keys(self):
        a, b = self.shells(2)
        a.enter("mem.data = {volume: 1}")
        b.wait_text('mem.data = {"volume":1}')
        a.enter('mem.data["on-air"] = {since: \'noon\'};')
        b.wait_text('mem.data["on-air"] = {"since":"noon"}')
        b.enter("mem.data.volume = 0.4")
        a.wait_text(f"mem.data.volume = 0.4  ({name(1)})")
        a.enter("mem.data.volume")
        a.wait_last("> mem.data.volume", "0.4", ">")
        a.enter("delete mem.data.volume")
        b.wait_text("delete mem.data.volume")
        b.enter("get")
        b.wait_last("> get", '{"on-air":{"since":"noon"}}', ">")
        b.enter("mem.data = null")
        a.wait_text(f"delete mem.data  ({name(1)})")
        a.enter("get on-air")
        a.wait_last('there is no mem.data["on-air"]', ">")

    def test_numbers_stay_what_they_are(self):
        a = self.shell()
        a.enter("set {volume: 0.5}")
        a.enter("set volume 1")
        a.enter("get volume")
        a.wait_last("1.0", ">")
        a.enter("set {volume: 2}")
        a.enter("get")
        a.wait_last('{"volume":2.0}', ">")

    def test_a_wrong_line_does_nothing(self):
        a, b = self.shells(2)
        a.enter("set {a: 1}")
        a.enter("mem.data = {a: 2, b: x}")
        a.wait_last("column 22: a JSON value is needed, not “x”", ">")
        a.enter("mem.data.a 3")
        a.wait_last("column 12: nothing more is expected here", ">")
        self.assertEqual(self.ask("get"), '{"a":1}\n')

    def test_words(self):
        a, b = self.shells(2)
        b.enter("set {a: 1}")
        a.wait_text('mem.data = {"a":1}')
        a.enter("peers")
        a.wait("the other in sync", lambda rows: any(
            re.fullmatch(rf"{re.escape(name(1))} +in sync.*", row) for row in rows))
        a.enter("history")
        a.wait("what was changed", lambda rows: any(
            re.fullmatch(rf"20.*  {re.escape(name(1))}  mem.data.a = 1", row) for row in rows))
        a.enter("mem.updated")
        a.wait("the time", lambda rows: re.fullmatch(r"20\d\d-.*T.*", rows[-2]))
        a.enter("mem.state")
        a.wait_last(f"{name(0)}, synced", ">")
        a.enter("mem.conf")
        a.wait_last(*(f"{HOST} {7701 + i}" for i in range(3)), ">")
        a.enter("help")
        a.wait("ten lines", lambda rows: rows[-12:-11] == ["> help"] and rows[-1] == ">")
        self.assertTrue(all(len(row) < 80 for row in a.rows()))

    def test_other_conf(self):
        a = self.shell()
        a.enter(f"mem.conf = [{{host: '{HOST}', port: 7801}}]")
        a.enter("mem.conf")
        a.wait_last("> mem.conf", f"{HOST} 7801", ">")
        a.enter("mem.conf = [{host: '0.0.0.0', port: 7801}]")
        a.wait("what is wrong", lambda rows: "0.0.0.0" in rows[-2] and rows[-1] == ">")
        a.enter("mem.conf")
        a.wait_last("> mem.conf", f"{HOST} 7801", ">")


class Editing(TestCase):
    def test_news_above_what_is_typed(self):
        a, b = self.shells(2)
        a.enter("set {volume: 0}")
        b.wait_text('mem.data = {"volume":0}')
        for line, rows in (
            ("mem.data.half", ["> mem.data.half"]),
            ("größe 日本", ["> größe 日本"]),
            ("x" * 300, ["> " + "x" * 78, "x" * 80, "x" * 80, "x" * 62]),
            ("x" + "日" * 118, ["> x" + "日" * 38, "日" * 40, "日" * 40, ""]),
            ("x" * 78, ["> " + "x" * 78, ""]),
        ):
            b.type(line)
            b.wait_last(*rows)
            self.check_news(a, b, len(line))
            b.wait_last(*rows)
            b.type("\x01(")  # at the start, and not at the end of the last row
            b.wait("the changed line", lambda rows: rows[-1].startswith("> ("))
            self.check_news(a, b, -len(line))
            b.type("\x05)")
            b.wait("all of it", lambda rows: "".join(rows).endswith(f"> ({line})"))
            b.type("\x03")
            b.wait("the next prompt", lambda rows: rows[-1] == ">" and rows[-2].endswith("^C"))

    def check_news(self, a, b, value):
        """Assures that a change adds a row above the prompt of b, and does nothing else."""
        before = b.above_prompt()
        shown = b.past()[len(before) :]
        column = b.cursor()
        a.enter(f"mem.data.volume = {value}")
        news = f"mem.data.volume = {value}  ({name(0)})"
        b.wait_last(news, *shown)
        b.wait("the cursor where it was", lambda rows: b.cursor() == column)
        self.assertEqual(b.above_prompt(), before + [news])

    def test_news_while_searching(self):
        a, b = self.shells(2)
        b.enter("set {volume: 0}")
        # what is typed is echoed before it is done
        a.wait_text(f'mem.data = {{"volume":0}}  ({name(1)})')
        b.type("\x12vol")
        b.wait_last("> set {volume: 0}")
        a.enter("set volume 5")
        b.wait_last(f"mem.data.volume = 5  ({name(0)})", "> set {volume: 0}")
        b.enter("")
        a.wait_text(f"mem.data.volume = 0  ({name(1)})")

    def test_completion(self):
        a = self.shell()
        a.enter('set {vol: 1, volume: 2, "on-air": 3}')
        for typed, found in (
            ("mem.d\t", "> mem.data"),
            (".v\t", "> mem.data.vol"),
            ("u\t", "> mem.data.volume"),
            ("\x03delete mem.data[\t", '> delete mem.data["on-air"]'),
            ("\x03get vo\t", "> get vol"),
            ("\x03hi\t", "> history"),
        ):
            a.type(typed)
            a.wait_last(found)
        a.type("\x03get vol")
        a.wait_last("> get vol")
        a.type("\t")
        a.wait_last("vol  volume", "> get vol")

    def test_history(self):
        a = self.shell()
        a.enter("set {größe: 1}")
        a.enter("get größe")
        a.wait_last("1", ">")
        a.type("\x04")
        self.assertEqual(a.wait_end(), 0)
        file = self.folder / "state" / "amnesia" / "history"
        self.assertEqual(file.read_text(), "set {größe: 1}\nget größe\n")
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        b = self.shell()
        b.type(UP)
        b.wait_last("> get größe")
        b.type(UP)
        b.wait_last("> set {größe: 1}")
        b.type("\x03")
        b.type("\x12get")
        b.wait_last("> get größe")

    def test_history_is_bounded(self):
        file = self.folder / "state" / "amnesia" / "history"
        file.parent.mkdir(parents=True)
        file.write_text("".join(f"get k{i}\n" for i in range(3000)))
        a = self.shell()
        a.type(UP)
        a.wait_last("> get k2999")
        self.assertEqual(len(file.read_text().splitlines()), 1000)

    def test_keys_of_vi(self):
        (self.folder / ".editrc").write_text("bind -v\n")
        a = self.shell()
        a.type("bc\x1b0i")
        a.type("a")
        a.wait_last("> abc")
        a.type("\x03")
        a.type("m\t")
        a.wait_last("> mem.")

    def test_interrupt(self):
        a = self.shell()
        a.type("mem.data = 5")
        a.type("\x03")
        a.wait_last("> mem.data = 5^C", ">")
        a.type("\x03" * 100)  # as fast as nobody can: some come between two prompts
        a.enter("get")
        a.wait_last("> get", "null", ">")

    def test_end(self):
        a = self.shell()
        before = a.mode()
        a.type("ge\x04")  # no end in the middle of a line
        a.enter("t")
        a.wait_last("> get", "null", ">")
        a.type("\x04")
        self.assertEqual(a.wait_end(), 0)
        self.assertTrue(a.output.endswith(b"\033[?2004l"))
        self.assertNotEqual(a.mode(), before)
        self.assertEqual(a.mode(), a.mode_at_start)

    def test_signal(self):
        a, b = self.shells(2)
        a.type("half")
        a.wait_last("> half")
        a.process.send_signal(signal.SIGTERM)
        self.assertEqual(a.wait_end(), 128 + signal.SIGTERM)
        self.assertEqual(a.mode(), a.mode_at_start)
        b.wait_text(f"{name(0)} has gone")

    def test_suspend(self):
        sh = self.terminal(["sh", "-i"], PS1="$ ", ENV="")
        sh.wait_last("$")
        sh.enter(f"{TOOL} shell --conf {self.conf}")
        sh.wait_last(">")
        sh.type("half\x1a")
        sh.wait_text("Stopped")
        sh.wait_last("$")
        sh.enter("echo $((6 * 7))")  # which the terminal has to echo
        sh.wait_last("$ echo $((6 * 7))", "42", "$")
        sh.enter("fg")
        sh.wait("the line again", lambda rows: rows[-1] == "> half")
        sh.type("\x03")
        sh.enter("set 5")
        sh.enter("get")
        sh.wait_last("> get", "5", ">")

    def test_resize(self):
        a, b = self.shells(2)
        line = "z" * 100
        b.type(line)
        b.wait_last("> " + line[:78], line[78:])
        b.resize(50)
        b.type("y")
        b.wait_last("> " + line[:48], line[:50], "zzy")
        a.enter("set 7")
        b.wait_last(f"mem.data = 7  ({name(0)})", "> " + line[:48], line[:50], "zzy")
        b.resize(120)
        b.type("x")
        b.wait("one row", lambda rows: rows[-1] == "> " + line + "yx")

    def test_characters(self):
        a, b = self.shells(2)
        for text in "größe", "日本", "👍", "naïve ‘quotes’":
            a.enter(f"mem.data = '{text}'")
            b.wait_text(f'mem.data = "{text}"')
        a.type("mem.data = 'äöü'" + "\x02\x7f" + "ß" + "\r")
        b.wait_text('mem.data = "äöß"')

    def test_locale_without_characters(self):
        a = self.shell(LC_ALL="C")
        a.enter("set 'größe 日本'")
        a.enter("get")
        a.wait_last('> get', '"größe 日本"', ">")

    def test_paste(self):
        a = self.shell()
        a.paste("set {}\r" + "".join(f"\tmem.data.k{i} = {i}\r" for i in range(1000)))
        a.enter("mem.state")
        a.wait_last(f"{name(0)}, alone", ">")
        self.assertEqual(json.loads(self.ask("get")), {f"k{i}": i for i in range(1000)})
        self.assertEqual(sum(row.startswith("> ") for row in a.past()), 1002)
        # no tab in it has asked for words, but one that is typed does
        self.assertFalse([row for row in a.past() if "unset" in row])
        a.type("\t")
        a.wait_text("unset")

    def test_tab_in_a_paste(self):
        a = self.shell()
        a.type("\033[200~m\t")
        a.wait("a space", lambda rows: rows[-1] == "> m" and a.cursor() == 4)
        a.type("x")
        a.wait_last("> m x")
        a.type("\033[201~\x03m\t")
        a.wait_last("> mem.")

    def test_several_lines(self):
        a = self.shell()
        value = {"a": [1, {"b": "{"}], "c": "x"}
        a.type("mem.data = " + json.dumps(value, indent="\t").replace("\n", "\r") + "\r")
        a.enter("mem.data")
        a.wait_last('{"a":[1,{"b":"{"}],"c":"x"}', ">")
        a.type(UP + UP)
        a.wait("one line", lambda rows: rows[-1].startswith("> mem.data = {  "))
        a.type("\x03")
        a.enter("mem.data = {")
        a.wait_last("> mem.data = {", "|")
        a.type("\x03")
        a.wait_last("| ^C", ">")
        a.enter("mem.data = {")
        a.enter("")
        a.wait("what is missing", lambda rows: "column 13: " in rows[-2] and rows[-1] == ">")
        a.enter("mem.data = [\r1\r2")
        a.enter("]")
        a.wait("where", lambda rows: "line 3, column 1: " in rows[-2] and rows[-1] == ">")
        a.enter("mem.data")
        a.wait_last('{"a":[1,{"b":"{"}],"c":"x"}', ">")

    def test_long_line(self):
        a = self.shell()
        text = "".join(f"{i} " for i in range(10000))
        a.enter(f"set '{text}'")
        a.enter("mem.state")
        a.wait_last(f"{name(0)}, alone", ">")
        self.assertEqual(json.loads(self.ask("get")), text)
        self.assertLess(len((self.folder / "state" / "amnesia" / "history").read_text()), 1000)

    def test_dumb_terminal(self):
        a = self.terminal([TOOL, "shell", "--conf", self.conf], TERM="dumb")
        a.enter("set 5")
        a.enter("get")
        a.wait("the value", lambda rows: "5" in rows)
        self.assertNotIn(b"\033", a.output)


class Others(TestCase):
    def test_coming_and_going(self):
        a, b = self.shells(2)
        c = self.shell(NO_COLOR="1")
        for shell in a, b:
            shell.wait_text(f"{name(2)} is here")
        a.enter("quit")
        self.assertEqual(a.wait_end(), 0)
        for shell in b, c:
            shell.wait_text(f"{name(0)} has gone")
        self.assertIn(f"\033[2m{name(0)} has gone\033[0m".encode(), b.output)
        self.assertNotIn(b"\033[2m", c.output)

    def test_many_changes(self):
        a = self.shell()
        n = 20000
        self.ask("set {n: 0}", *(f"mem.data.n = {i + 1}" for i in range(n)))
        a.wait("the last value", lambda rows: any(row.startswith(f"mem.data.n = {n}") for row in rows))
        shown = [row for row in a.past() if row.startswith("mem.data.n")]
        self.assertLess(len(shown), 300)

    def test_lost(self):
        a, b = self.shells(2)
        a.enter("set {n: 0}")
        b.wait_text('mem.data = {"n":0}')
        for shell in a, b:
            shell.type("".join(f"set n {i}\r" for i in range(300)))
        for shell in a, b:
            shell.enter("mem.state")
            shell.wait_text(", synced")
        shown = [row for shell in (a, b) for row in shell.past() if "has lost" in row]
        self.assertIn("What you wrote to mem.data.n has lost", shown[0])
        # what somebody has written is no news there
        self.assertFalse([row for row in a.past() if row.endswith(f"({name(0)})")])
        self.assertFalse([row for row in b.past() if row.endswith(f"({name(1)})")])

    def test_many_keys(self):
        a = self.shell()
        a.enter("set {}")
        self.ask(*(f"set k{i} 1" for i in range(500)))
        a.wait_text("more keys")
        self.assertLess(len(a.past()), 100)

    def test_hostile_values(self):
        a, b = self.shells(2)
        value = json.dumps(HOSTILE)
        self.ask("set {}", f"mem.data.text = {value}", f"mem.data[{value}] = 1")
        b.wait_text("\\u009b31m")
        b.enter("mem.data")
        b.enter("history")
        b.type("mem.data[\t")
        b.wait("the key", lambda rows: rows[-1].startswith('> mem.data["\\u001b[2J'))
        output = b.output.decode()
        for unwanted in "\033[2J", "\033]0", "\007", "\x9b", "\u202e", "\u2066", "\ufeff":
            self.assertNotIn(unwanted, output)

    def test_hostile_key_is_completed_to_itself(self):
        a = self.shell()
        a.enter("set {}")
        self.ask(f"mem.data[{json.dumps(HOSTILE)}] = 1")
        a.wait_text("\\u009b31m")
        a.type("mem.data[\t")
        a.wait("the key", lambda rows: rows[-1].endswith('"]'))
        a.enter(" = 2")
        a.enter("mem.state")
        a.wait_text(f"{name(0)}, ")
        self.assertEqual(json.loads(self.ask("get")), {HOSTILE: 2})

    def test_large_values(self):
        a, b = self.shells(2)
        self.ask(f"mem.data = '{'x' * 1000000}'")
        b.wait_text("mem.data = … (1.0\u00a0MB)")
        b.enter("mem.data")
        b.wait("the note", lambda rows: "MB in all)" in rows[-2] and rows[-1] == ">")
        self.assertLessEqual(len(b.past()), 26)

    def test_unconfirmed(self):
        a, b = self.shells(2)
        a.enter("quit")
        a.wait_end()
        a = self.shell("--timeout", "3")
        b.wait("who came back", lambda rows: rows[-2] == f"{name(0)} is here")
        b.process.send_signal(signal.SIGSTOP)
        self.addCleanup(b.process.send_signal, signal.SIGCONT)
        a.enter("set 5")
        a.enter("quit")
        self.assertEqual(a.wait_end(), 4)
        a.wait_text(name(1))


class Pipe(TestCase):
    def run_tool(self, *arguments, text="", **how):
        return subprocess.run(
            [TOOL, "shell", *arguments],
            input=text.encode() if isinstance(text, str) else text,
            env={**os.environ, **self.environment},
            capture_output=True,
            timeout=PATIENCE_S,
            **how,
        )

    def test_results(self):
        found = self.run_tool(text="mem.data = {a: 'größe'}\nget\nmem.data.a", cwd=self.folder)
        self.assertEqual(found.stdout.decode(), '{"a":"größe"}\n"größe"\n')
        self.assertEqual((found.returncode, found.stderr), (0, b""))
        self.assertFalse((self.folder / "state").exists())

    def test_errors(self):
        text = b"set 1\nset {\n\nset 'a\xff'\nset 5\0\nget\n"
        found = self.run_tool(text=text, cwd=self.folder)
        self.assertEqual(found.stdout.decode(), "1\n")
        self.assertEqual(found.returncode, 1)
        lines = found.stderr.decode().splitlines()
        self.assertEqual([line.split(": ")[1] for line in lines], ["line 2", "line 4", "line 5"])
        self.assertIn("column 6", lines[0])

    def test_quit(self):
        found = self.run_tool(text="set 1\nquit\nget\n", cwd=self.folder)
        self.assertEqual((found.stdout, found.returncode), (b"", 0))

    def test_file(self):
        script = self.folder / "script"
        script.write_text("set 5\nget\n")
        with script.open() as file:
            found = subprocess.run([TOOL, "shell", "--conf", self.conf], stdin=file,
                                   capture_output=True, timeout=PATIENCE_S)
        self.assertEqual((found.stdout, found.returncode), (b"5\n", 0))

    def test_value_of_others(self):
        a = self.shell()
        a.enter("mem.data = {jsontest: 123}")
        a.enter("mem.state")
        a.wait_last(f"{name(0)}, alone", ">")
        self.assertEqual(self.ask("mem.data"), '{"jsontest":123}\n')
        self.assertEqual(self.ask("mem.data.jsontest = 5"), "")
        a.wait_text("mem.data.jsontest = 5")

    def test_pipe_that_stays_open(self):
        process = subprocess.Popen([TOOL, "shell", "--conf", self.conf], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        with process.stdin, process.stdout:
            process.stdin.write("set 5\nget\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "5\n")
            # the main loop runs meanwhile: others can set, and a signal ends it in order
            self.assertEqual(self.ask("set 6"), "")
            process.stdin.write("get\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "6\n")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE_S), 128 + signal.SIGTERM)

    def test_no_conf(self):
        self.conf.unlink()
        found = self.run_tool(cwd=self.folder)
        self.assertEqual((found.returncode, found.stdout), (1, b""))
        text = found.stderr.decode()
        self.assertIn("./amnesia.json", text)
        self.assertEqual(len(json.loads(text[text.index("[") :])), 2)

    def test_nobody_for_a_guest(self):
        found = self.run_tool("--guest", cwd=self.folder)
        self.assertEqual(found.returncode, 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
