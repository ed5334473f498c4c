# SPDX-License-Identifier: MIT
"""amnesia get, set and unset."""

import subprocess

from commands import DONE, FAILED, NO_VALUE, NOBODY, TOOL, USAGE, CommandCase
from members import entry, main


class Values(CommandCase):
    def test_whole_value(self):
        member = self.member()
        self.expect(NO_VALUE, "", "get")
        for text in ("5", "1.5", '"a \\"word\\""', "[1,[true]]", '{"a":{"b":null}}', "-5", "-0.5"):
            with self.subTest(text=text):
                self.expect(DONE, "", "set", text)
                member.wait_value(text)
                self.expect(DONE, text, "get")
        self.expect(DONE, "", "unset")
        member.wait_value("null")
        self.expect(NO_VALUE, "", "get")
        self.expect(DONE, "", "set", "1")
        self.expect(DONE, "", "set", "null")
        self.expect(NO_VALUE, "", "get")

    def test_keys(self):
        member = self.member('{"a":1}')
        self.expect(DONE, "", "set", "b c", "[2]")
        member.wait_value('{"a":1,"b c":[2]}')
        self.expect(DONE, "[2]", "get", "b c")
        self.expect(DONE, "a\nb c", "get", "--keys")
        self.expect(DONE, "", "set", "a", "null")
        self.expect(DONE, "null", "get", "a")
        self.expect(DONE, "", "unset", "a")
        self.expect(DONE, "", "unset", "never there")
        self.assertIn("“a”", self.expect(NO_VALUE, "", "get", "a"))
        self.expect(DONE, '{"b c":[2]}', "get")

    def test_key_of_what_has_none(self):
        self.member("5")
        self.expect(NO_VALUE, "", "get", "a")
        self.assertIn("“x”", self.expect(FAILED, "", "set", "a", "1"))
        self.assertIn("“x”", self.expect(FAILED, "", "unset", "a"))
        self.expect(DONE, "5", "get")
        self.expect(DONE, "", "get", "-k")
        self.expect(FAILED, "", "set", "", "1")

    def test_gvariant(self):
        self.member()
        self.expect(DONE, "", "set", "--gvariant", "n", "<uint16 3>")
        self.expect(DONE, "<uint16 3>", "get", "--gvariant", "n")
        self.expect(DONE, "{'n': <<uint16 3>>}", "get", "--gvariant")
        self.expect(DONE, "3", "get", "n")
        self.expect(DONE, "", "set", "--gvariant", "inf")
        self.assertIn("--gvariant", self.expect(FAILED, "", "get"))
        self.expect(DONE, "inf", "get", "--gvariant")
        errors = self.expect(FAILED, "", "set", "--gvariant", "[1, 'a']")
        self.assertIn("^", errors)
        self.assertIn("handle", self.expect(FAILED, "", "set", "--gvariant", "handle 1"))

    def test_strings(self):
        self.member()
        self.expect(DONE, "", "set", "-s", "a", 'no "quotes"')
        self.expect(DONE, '"no \\"quotes\\""', "get", "a")
        self.expect(DONE, 'no "quotes"', "get", "--raw", "a")
        self.expect(DONE, "", "set", "--string", "b", "")
        self.expect(DONE, '""', "get", "b")
        self.expect(DONE, "", "set", "-s", "--", "c", "--string")
        self.expect(DONE, "--string", "get", "-r", "c")
        self.expect(DONE, "", "set", "d", "5")
        self.expect(DONE, "5", "get", "-r", "d")

    def test_standard_input(self):
        self.member()
        self.expect(DONE, "", "set", "a", "-", input='{"from": "a pipe"}\n')
        self.expect(DONE, '{"from":"a pipe"}', "get", "a")
        self.expect(DONE, "", "set", "-s", "b", "-", input="two\nlines\n")
        self.expect(DONE, "two\nlines", "get", "-r", "b")
        self.expect(DONE, "", "set", "--string", "b", "-", input="")
        self.expect(DONE, '""', "get", "b")
        self.expect(FAILED, "", "set", "b", "-", input="")
        self.expect(FAILED, "", "set", "-s", "b", "-", input="a\0b")
        self.expect(DONE, '""', "get", "b")
        large = '"' + "x" * 2_000_000 + '"'
        self.expect(DONE, "", "set", "-", input=large)
        self.expect(DONE, large, "get")

    def test_doubles_stay(self):
        self.member()
        self.expect(DONE, "", "set", '{"v": 0.5, "list": [0.5, 1], "deep": {"d": 0.5}}')
        self.expect(DONE, "", "set", "v", "1")
        self.expect(DONE, "1.0", "get", "--gvariant", "v")
        self.expect(DONE, "", "set", '{"v": 2, "list": [3, 4, 5], "deep": {"d": 6, "e": 7}}')
        self.expect(
            DONE,
            "{'v': <2.0>, 'list': <[<3.0>, <int64 4>, <int64 5>]>, "
            "'deep': <{'d': <6.0>, 'e': <int64 7>}>}",
            "get",
            "--gvariant",
        )
        self.expect(DONE, "", "set", "v", "9007199254740993")  # no double is that
        self.expect(DONE, "int64 9007199254740993", "get", "--gvariant", "v")
        self.expect(DONE, "", "set", "--gvariant", "deep", "{'d': <int64 1>}")
        self.expect(DONE, "{'d': <int64 1>}", "get", "--gvariant", "deep")

    def test_wrong_values(self):
        self.member("5")
        self.assertIn("column", self.expect(FAILED, "", "set", '{"a":}'))
        self.assertIn("--string", self.expect(FAILED, "", "set", "hello"))
        self.expect(FAILED, "", "set", "NaN")
        self.expect(DONE, "5", "get")

    def test_too_big(self):
        self.file = self.conf({"peers": [entry(0), entry(1)], "max-size": 2000}, "amnesia.json")
        self.member()
        self.assertIn("2000", self.expect(FAILED, "", "set", '"' + 3000 * "x" + '"'))
        self.expect(NO_VALUE, "", "get")

    def test_usage(self):
        for arguments in (
            ["set"],
            ["set", "a", "1", "2"],
            ["get", "a", "b"],
            ["get", "--nothing"],
            ["get", "-x"],
            ["get", "--conf"],
            ["get", "--timeout", "soon"],
            ["set", "--gvariant", "--string", "1"],
            ["unset", "a", "b"],
            ["get", "--json=1"],
        ):
            with self.subTest(arguments=arguments):
                self.assertIn(f"amnesia {arguments[0]} --help", self.expect(USAGE, "", *arguments))

    def test_as_member(self):
        self.expect(NOBODY, "", "set", "--member", "1")
        self.expect(NOBODY, "", "get", "-m")
        member = self.member("5")
        self.expect(DONE, "", "set", "--member", "6")
        member.wait_value("6")
        self.assertTrue(member.has_printed("* synced as"))

    def test_guests_take_no_entry(self):
        """Not even one that is free."""
        self.file = self.conf([entry(1), entry(0)], "amnesia.json")
        member = self.start("c", self.conf([entry(0), entry(1)], "other.json"))
        member.wait_state("alone")
        follower = self.follow("watch")
        member.wait_state("synced")
        second = self.start("c", self.file)
        second.wait_state("synced")
        self.assertEqual(second.entry, f"{entry(1)['host']}:{entry(1)['port']}")
        self.assertEqual(follower.end(), 130)


class Output(CommandCase):
    def test_broken_pipe(self):
        self.member('"' + "x" * 1_000_000 + '"')
        said = subprocess.run(
            f"'{TOOL}' get | head -c 10; echo ${{PIPESTATUS[0]}}",
            cwd=self.folder,
            shell=True,
            executable="/bin/bash",
            capture_output=True,
            text=True,
        )
        self.assertEqual((said.stdout, said.stderr), ('"xxxxxxxxx141\n', ""))

    def test_full_disk(self):
        self.member("5")
        with open("/dev/full", "w") as full:
            said = subprocess.run(
                [TOOL, "get"], cwd=self.folder, stdout=full, stderr=subprocess.PIPE, text=True
            )
        self.assertEqual(said.returncode, FAILED)
        self.assertIn("No space left", said.stderr)

    def test_character_sets(self):
        """What a value has is not lost, whatever the locale has."""
        self.member()
        name = "Grüße, 世界 \U0001f600"
        for locale in ("C", "C.UTF-8", "de_DE.UTF-8"):
            with self.subTest(locale=locale):
                env = {"LC_ALL": locale}
                self.expect(DONE, "", "set", "-s", name, f"{name} {locale}", env=env)
                self.expect(DONE, f'"{name} {locale}"', "get", name, env=env)
                self.expect(DONE, f"{name} {locale}", "get", "-r", name, env=env)
                self.expect(DONE, name, "get", "--keys", env=env)

    def test_what_is_no_text(self):
        self.member()
        said = subprocess.run(
            [TOOL, "set", "-s", b"\xff\xfe"], cwd=self.folder, capture_output=True, text=True
        )
        self.assertEqual(said.returncode, USAGE)
        self.assertIn("UTF-8", said.stderr)

    def test_commas(self):
        """A language that writes 0,5 changes no value."""
        self.member()
        env = {"LC_ALL": "de_DE.UTF-8"}
        self.expect(DONE, "", "set", "0.5", "-t", "5.5", env=env)
        self.expect(DONE, "0.5", "get", env=env)
        self.expect(DONE, "0.5", "get", "--gvariant", env=env)


if __name__ == "__main__":
    main()
