# SPDX-License-Identifier: MIT
"""Values arrive as they were sent, from each language in each."""

from members import EVERY, TestCase, main

VALUES = (
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1.0",
    "0.1",
    "-0.0",
    "1e+300",
    '""',
    "[]",
    "{}",
    "false",
    "true",
    "0",
    '{"a":null}',
    "[null]",
    '[[],{},"",[[1,1.0,true]]]',
    '{"deep":{"deeper":[{"deepest":"here"}]}}',
    '"\\u0001\\n\\"\\\\"',
    '"\U0001f600 \U00020000 ä"',
    "null",
)


class Values(TestCase):
    def setUp(self):
        super().setUp()
        self.members = self.start_all(EVERY, self.conf_of(len(EVERY)))

    def test_each_language_is_seen(self):
        for member in self.members:
            text = f'{{"from":"{member.language} as {member.entry}"}}'
            member.set(text)
            self.see_value(self.members, text)
            others = [other for other in self.members if other is not member]
            self.assertIn(" local ", member.lines[-1])
            for other in others:
                self.assertIn(" remote ", other.lines[-1])
        self.end_all(self.members)

    def test_values(self):
        for member in self.members:
            for text in VALUES:
                with self.subTest(language=member.language, value=text):
                    member.set(text)
                    self.see_value(self.members, text)
        self.end_all(self.members)

    def test_ten_mebibytes(self):
        """gjs 1.74 collects garbage in slices, and on a busy machine refuses callbacks between them:
        a member in JavaScript lives for two large values, and not for as many as there are."""
        others = [member for member in self.members if member.language != "js"]
        for member in self.members:
            if member not in others:
                member.leave()
                member.wait_gone()
        for member in others:
            text = f'"{member.entry}{"x" * (10 << 20)}"'
            member.set(text)
            self.see_value(others, text)
        if "js" in EVERY:
            latest = self.start("js", self.conf_of(len(EVERY)))
            latest.wait_value(text)
            text = f'"latest{"x" * (10 << 20)}"'
            latest.set(text)
            self.see_value([*others, latest], text)
            others.append(latest)
        self.end_all(others)

    def test_what_is_no_json(self):
        for member in self.members:
            member.set("")
            member.set("{nonsense")
            member.set('"after nonsense"')
            member.wait_value('"after nonsense"')
            self.assertIn("line 1, column 2", member.errors())
            member.set("null")
            member.wait_value("null")
            member.leave()
            member.wait_gone()


if __name__ == "__main__":
    main()
