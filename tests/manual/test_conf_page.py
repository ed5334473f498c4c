# SPDX-License-Identifier: MIT
"""The page on the configuration names each member that the reader knows, and no other; its defaults and
messages are what the library says. (That its samples are accepted is tested with all samples.)
"""

import re
import unittest

from pages import INTROSPECTION, SOURCE
from support import Amnesia, GLib

PAGE = (INTROSPECTION / "conf.md").read_text()
READER = (SOURCE / "amnesia/amnesia-conf-reader.c").read_text()
PEERS = '"peers": [{"host": "10.0.1.2", "port": 7777}]'


def rows_behind(heading):
    """The cells of the first table behind that heading."""
    table = PAGE.split(f"\n## {heading}\n", 1)[1]
    table = re.search(r"^\|.*?(?=\n[^|]|\n\n)", table, re.DOTALL | re.MULTILINE)[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    return rows[2:]


def known_members():
    """What the reader knows: {("", "peers"), ("tls", "certificate"), ...}."""
    known = set()
    tables = re.findall(r"Member (\w+)_members\[\] = \{(.*?)^\};", READER, re.DOTALL | re.MULTILINE)
    for table, text in tables:
        place = {"conf": "", "endpoint": "an entry"}.get(table, table)
        known |= {(place, name) for name in re.findall(r'^  \{ "([a-z-]+)"', text, re.MULTILINE)}
    return known


def described_members():
    described = set()
    for first, *_ in rows_behind("Members"):
        name = re.search(r"`([a-z-]+)`", first)[1]
        place = re.search(r", of (?:`(\w+)`|(an entry))", first)
        described.add((place[1] or place[2] if place else "", name))
    return described


class ConfPage(unittest.TestCase):
    def test_members(self):
        self.assertGreater(len(known_members()), 14)
        self.assertEqual(described_members(), known_members())

    def test_each_has_its_part(self):
        for place, name in known_members():
            if not place:
                self.assertIn(f"\n### {name}\n", PAGE)

    def test_long_form_has_all(self):
        """The sample of the long form leaves nothing out."""
        sample = PAGE.split("The long form is an object.", 1)[1].split("```")[1]
        for _, name in known_members():
            self.assertIn(f'"{name}":', sample)

    def test_defaults(self):
        conf = Amnesia.Conf()
        defaults = {re.search(r"`([a-z-]+)`", row[0])[1]: row[3] for row in rows_behind("Members")}
        for name in "max-size", "clock-limit":
            self.assertEqual(int(defaults[name].split()[0]), conf.get_property(name))
        self.assertEqual(defaults["local"], f"`{str(conf.local).lower()}`")
        self.assertEqual(defaults["require-tls"], f"`{str(conf.require_tls).lower()}`")
        self.assertEqual(defaults["group"], f'`"{conf.group}"`')

    def test_ranges(self):
        ranges = {re.search(r"`([a-z-]+)`", row[0])[1]: row[2] for row in rows_behind("Members")}
        for name in "max-size", "clock-limit":
            least, greatest = map(int, re.findall(r"\d+", ranges[name])[:2])
            for number in least, greatest:
                Amnesia.Conf.new_from_json(f'{{{PEERS}, "{name}": {number}}}')
            for number in least - 1, greatest + 1:
                with self.assertRaises(GLib.Error):
                    Amnesia.Conf.new_from_json(f'{{{PEERS}, "{name}": {number}}}')

    def test_messages(self):
        rows = rows_behind("What can be wrong")
        self.assertGreater(len(rows), 10)
        for sample, message in rows:
            text = sample.strip("`")
            if not text.startswith("["):
                text = f"{{{PEERS}, {text}}}"
            with self.subTest(sample=sample), self.assertRaises(GLib.Error) as caught:
                Amnesia.Conf.new_from_json(text)
            self.assertEqual(caught.exception.message, message)


if __name__ == "__main__":
    unittest.main()
