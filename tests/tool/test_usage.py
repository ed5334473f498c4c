# SPDX-License-Identifier: MIT
"""What the command says of itself, and whether the manual page and the completions say the same."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from commands import DONE, TOOL, USAGE, CommandCase
from members import main

SOURCES = pathlib.Path(os.environ["AMNESIA_TOOL_SOURCES"])
PAGE = SOURCES / "amnesia.1"
BASH_COMPLETION = pathlib.Path("/usr/share/bash-completion/bash_completion")
# a line of --help that has an option: "  -c, --conf=FILE    The ..."
OPTION = re.compile(r"^  (?:(-\w), )?(--[a-z-]+)(?:=(\S+))?  +(\S.*)$", re.MULTILINE)
COMMON = {"--help", "--conf", "--timeout", "--member"}


class UsageCase(CommandCase):
    def commands(self):
        said = self.amnesia("help").stdout
        return re.findall(r"^  ([a-z-]+)  +\S", said.split("Commands:\n")[1], re.MULTILINE)

    def options(self, command):
        """{long name: short name or ""}"""
        found = OPTION.findall(self.amnesia(command, "--help").stdout)
        return {long: short for short, long, _, _ in found}


class Usage(UsageCase):
    def test_help(self):
        commands = self.commands()
        self.assertLessEqual({"get", "set", "unset", "watch", "peers", "check-conf", "bench"}, set(commands))
        listed = self.amnesia("help").stdout
        self.assertEqual(self.amnesia("--help").stdout, listed)
        self.assertEqual(self.amnesia("-h").stdout, listed)
        for command in commands:
            said = self.amnesia(command, "--help")
            self.assertEqual((said.returncode, said.stderr), (DONE, ""))
            self.assertIn(f"  amnesia {command} ", said.stdout)
            self.assertEqual(self.amnesia("help", command).stdout, said.stdout)
            self.assertEqual(self.amnesia(command, "-h").stdout, said.stdout)
            # the list says the same as the command itself
            summary = said.stdout.split("\n\n")[1]
            self.assertRegex(listed, rf"(?m)^  {command} +{re.escape(summary)}$")
            # every option is explained
            for line in re.findall(r"(?m)^  +-.*$", said.stdout):
                self.assertRegex(line, OPTION)

    def test_version(self):
        self.assertRegex(self.amnesia("--version").stdout, r"^amnesia \d+\.\d+\.\d+\n$")

    def test_no_such_command(self):
        for typed, meant in (("gte", "get"), ("pers", "peers"), ("chek-conf", "check-conf")):
            self.assertIn(f"“{meant}”", self.expect(USAGE, "", typed))
        self.assertIn("help", self.expect(USAGE, "", "something"))
        self.assertIn("help", self.expect(USAGE, "", "help", "something"))
        said = self.amnesia()
        self.assertEqual((said.returncode, said.stdout), (USAGE, ""))
        self.assertIn("Commands:", said.stderr)


class Page(UsageCase):
    """amnesia(1)"""

    def section(self, command):
        text = PAGE.read_text().replace("\\-", "-")
        part = re.search(rf"(?s)\n\.SS amnesia {command}\b(.*?)\n\.S[SH] ", text)
        self.assertIsNotNone(part, f"no section of {command}")
        return part[1]

    def page_options(self, text):
        """{long name: short name or ""} of the tagged paragraphs."""
        found = {}
        for tag in re.findall(r"(?m)^\.TP\n\.\w+ (-.*)$", text.replace("\\-", "-")):
            names = re.findall(r"--?[a-z][a-z-]*", tag)
            if names:
                found[names[-1]] = names[0] if len(names) > 1 else ""
        return found

    def test_each_option(self):
        page = PAGE.read_text()
        common = self.page_options(page.split(".SH COMMON OPTIONS")[1].split(".SH")[0])
        self.assertEqual(set(common), COMMON)
        for command in self.commands():
            with self.subTest(command=command):
                options = self.options(command)
                for name in COMMON & set(options):
                    self.assertEqual(options.pop(name), common[name])
                self.assertEqual(self.page_options(self.section(command)), options)

    def test_each_exit_code(self):
        codes = re.findall(r"(?m)^\.B (\d)$", PAGE.read_text().split(".SH EXIT STATUS")[1])
        self.assertEqual(codes, [str(code) for code in range(6)])

    @unittest.skipUnless(shutil.which("man"), "there is no man")
    def test_it_can_be_laid_out(self):
        said = subprocess.run(
            ["man", "--warnings", "-l", "-E", "UTF-8", "-Tutf8", PAGE],
            capture_output=True,
            text=True,
            env=os.environ | {"MANROFFSEQ": "", "MANWIDTH": "80"},
        )
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertIn("EXIT STATUS", re.sub(".\b", "", said.stdout))  # bold is struck twice

    @unittest.skipUnless(shutil.which("mandoc"), "there is no mandoc")
    def test_it_is_portable(self):
        said = subprocess.run(
            ["mandoc", "-Tlint", "-W", "warning", PAGE], capture_output=True, text=True
        )
        self.assertEqual(said.stdout + said.stderr, "")


BAD_KEYS = [
    "$(touch pwned)",
    "`touch pwned`",
    "a;touch pwned",
    "--exec=touch pwned",
    "-e",
    "x\n--exec=touch pwned",
    "\x1b[2J",
]


class Completion(UsageCase):
    """The shells'."""

    def complete(self, line):
        script = r"""
            . "$1"
            . "$2"
            COMP_LINE=$3 COMP_POINT=${#3}
            read -ra COMP_WORDS <<< "$3"
            [[ $3 == *" " ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _amnesia
            printf '%s\n' "${COMPREPLY[@]}"
        """
        path = f"{pathlib.Path(TOOL).parent}:{os.environ['PATH']}"
        said = subprocess.run(
            ["bash", "-c", script, "-", BASH_COMPLETION, SOURCES / "completions/amnesia.bash", line],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=os.environ | {"PATH": path},
        )
        # it may be called where no completion is under way
        self.assertEqual([x for x in said.stderr.splitlines() if "compopt" not in x], [])
        return said.stdout.strip("\n").split("\n") if said.stdout.strip() else []

    @unittest.skipUnless(BASH_COMPLETION.exists(), "there is no bash-completion")
    def test_bash(self):
        self.member('{"volume":1,"a b":2,"vo:x":3}')
        commands = self.commands()
        self.assertEqual(self.complete("amnesia "), [*commands, "help", "--help", "--version"])
        self.assertEqual(self.complete("amnesia un"), ["unset"])
        self.assertEqual(self.complete("amnesia help pee"), ["peers"])
        for command in commands:
            options = self.options(command)
            both = {name for pair in options.items() for name in pair if name}
            self.assertEqual(set(self.complete(f"amnesia {command} -")), both)
        self.assertEqual(self.complete("amnesia get v"), ["vo:x", "volume"])
        self.assertEqual(self.complete("amnesia set --member a"), ["a\\ b"])
        self.assertEqual(self.complete("amnesia unset x vol"), [])
        self.assertEqual(self.complete("amnesia watch volume vol"), ["volume"])
        self.assertEqual(self.complete("amnesia get -t 3 vol"), ["volume"])
        self.assertEqual(self.complete("amnesia bench --way "), ["tcp", "local"])
        self.assertEqual(self.complete("amnesia get --conf amn"), ["amnesia.json"])
        self.assertEqual(self.complete("amnesia check-conf am"), ["amnesia.json"])

        self.conf([{"host": "127.0.0.1", "port": 9}], "nobody.json")
        self.assertEqual(self.complete("amnesia get -c nobody.json v"), [])
        self.file.rename(self.folder / "elsewhere.json")
        self.assertEqual(self.complete("amnesia get v"), [])
        self.assertEqual(self.complete("amnesia get -c elsewhere.json vol"), ["volume"])
        self.assertEqual(self.complete("amnesia get --conf=elsewhere.json vol"), ["volume"])

    @unittest.skipUnless(BASH_COMPLETION.exists(), "there is no bash-completion")
    def test_bash_with_keys_of_others(self):
        """They become no options, and nothing that the shell would run."""
        self.member(json.dumps({key: 1 for key in BAD_KEYS}, separators=(",", ":")))
        self.assertEqual(
            self.complete("amnesia watch "),
            [r"$'\E[2J'", r"\$\(touch\ pwned\)", r"\`touch\ pwned\`", r"a\;touch\ pwned", "x"],
        )
        self.assertFalse((self.folder / "pwned").exists())

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh_with_keys_of_others(self):
        self.member(json.dumps({key: 1 for key in BAD_KEYS}, separators=(",", ":")))
        script = r"""
            typeset -A opt_args
            compadd () { print -rl -- "${(@q)keys}"; }
            _call_program () { shift; eval "$@"; }
            functions[load]="$(sed '$d' "$1")"
            load
            _amnesia_keys
        """
        path = f"{pathlib.Path(TOOL).parent}:{os.environ['PATH']}"
        said = subprocess.run(
            ["zsh", "-f", "-c", script, "-", SOURCES / "completions/_amnesia"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=os.environ | {"PATH": path},
        )
        self.assertEqual(said.stderr, "")
        self.assertEqual(len(said.stdout.splitlines()), 5)
        self.assertNotRegex(said.stdout, "(?m)^-")
        self.assertFalse((self.folder / "pwned").exists())

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh(self):
        file = SOURCES / "completions/_amnesia"
        said = subprocess.run(["zsh", "-n", file], capture_output=True, text=True)
        self.assertEqual((said.returncode, said.stderr), (0, ""))

    def test_zsh_has_all(self):
        text = (SOURCES / "completions/_amnesia").read_text()
        common = text.split("if ((CURRENT == 2))")[0]
        for command in self.commands():
            self.assertIn(f"'{command}:", text)
            part = re.search(rf"(?s)\n    {command}\)\n(.*?);;", text)[1]
            for group in re.findall(r"\$(help|conf|member|json)", part):
                part += re.search(rf"(?s)\n  {group}=\((.*?\n?)\)\n", common)[1]
            names = set(re.findall(r"--[a-z-]+(?==?[\[}])", part))
            self.assertEqual(names, set(self.options(command)), command)


if __name__ == "__main__":
    main()
