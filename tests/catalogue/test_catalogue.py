# SPDX-License-Identifier: MIT
"""tests/README.md: each room is named; the catalogue has each row once, and its tests are there."""

import pathlib
import re
import unittest
from collections import Counter

TESTS = pathlib.Path(__file__).parent.parent
PAGE = TESTS / "README.md"

IDS = {
    "W": (1, 2, 3, 5, 6, 7, 8, *range(10, 22)),
    "C": range(1, 11),
    "V": range(3, 14),
    "K": (1, 3, 5, 6, 7, 8, 9),
    "T": (1, 2, 4, 6, 7, 8, 9, 10, *range(12, 18)),
    "P": (1, 2, 4, *range(6, 12)),
    "R": range(1, 14),
    "S": (*range(1, 4), *range(5, 13)),
    "L": (1, 2, 7, 8, 9, 10, 13),
    "A": range(1, 13),
}


def rows():
    """Yields the cells of all rows that begin with an id."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and re.fullmatch(r"[A-Z]\d+", cells[0]):
            yield cells


def tests_of(cell):
    """Yields the file and the name of each test in such as `a.c`: `X1-a`, `X1-b`; `b.py`: `test_X1`."""
    for part in cell.split(";"):
        file, *names = re.findall(r"`([^`]+)`", part) or [None]
        yield from ((file, name) for name in names)


class Rooms(unittest.TestCase):
    def test_each_folder_is_in_the_table(self):
        table = re.findall(r"^\| (`.*?/`) \| \S", PAGE.read_text(), re.MULTILINE)
        named = Counter(name for cell in table for name in re.findall(r"`([\w-]+)/`", cell))
        folders = Counter(path.parent.name for path in TESTS.glob("*/meson.build"))
        self.assertGreater(len(folders), 10)
        self.assertEqual(named, folders)


class Catalogue(unittest.TestCase):
    def test_each_row_once(self):
        expected = Counter(f"{kind}{n}" for kind, numbers in IDS.items() for n in numbers)
        self.assertEqual(Counter(ident for ident, _, _ in rows()), expected)

    def test_each_row_says_something(self):
        shown, decided_against = PAGE.read_text().split("### What is not to be")
        for ident, situation, cell in rows():
            with self.subTest(row=ident):
                self.assertTrue(situation)
                self.assertTrue(cell)
                if f"| {ident} |" in shown:
                    self.assertTrue(list(tests_of(cell)), "names no test")
                else:
                    self.assertIn(f"| {ident} |", decided_against)

    def test_named_tests_are_there(self):
        for ident, _, cell in rows():
            for file, name in tests_of(cell):
                with self.subTest(row=ident, file=file, test=name):
                    self.assertRegex(name, rf"(?<![A-Z]){ident}(?!\d)")
                    self.assertTrue(name in (TESTS / file).read_text(), "there is no such test")

    def test_tests_with_an_id_are_named(self):
        """Who gives a test the id of a row wants it to be found."""
        named = {name for _, _, cell in rows() for _, name in tests_of(cell)}
        patterns = {
            "c/test-*.c": r'"/[^"]*/([A-Z]\d+-[^"%]+)"',
            "gjs/test-*.js": r"^test\(['`]([A-Z]\d+ [^'`]+)['`]",
            "vala/test-*.vala": r'"/[^"]*/([A-Z]\d+-[^"]+)"',
            "*/test_*.py": r"def (test_[A-Z]\d+_\w+)",
        }
        found = [(path, form) for glob, form in patterns.items() for path in TESTS.glob(glob)]
        self.assertGreater(len(found), 30)
        for path, form in found:
            for name in re.findall(form, path.read_text(), re.MULTILINE):
                with self.subTest(file=path.name, test=name):
                    self.assertTrue(name in named, "the page does not name it")


if __name__ == "__main__":
    unittest.main()
