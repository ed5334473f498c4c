# SPDX-License-Identifier: MIT
"""The catalogue in tests/README.md has each row once, and the tests that it names are there."""

import pathlib
import re
import unittest
from collections import Counter

TESTS = pathlib.Path(__file__).parent.parent
PAGE = TESTS / "README.md"

IDS = {
    "W": (1, 2, 3, 5, 6, 7, 8, *range(10, 22)),
    "C": range(1, 11),
    "V": range(3, 13),
    "K": (1, 3, 5, 6, 7, 8, 9),
    "T": (1, 2, 4, 6, 7, 8, 9, 10, *range(12, 18)),
    "P": (1, 2, 4, *range(6, 12)),
    "R": range(1, 13),
    "A": range(1, 13),
}

NOT_MERGED = "TODO"


def rows():
    """Yields the cells of all rows that begin with an id."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and re.fullmatch(r"[A-Z]\d+", cells[0]):
            yield cells


def tests_of(cell):
    """Yields the file and the name of each test in such as `a.c`: `X1-a`, `X1-b`; `b.py`: `test_X1`."""
    for part in cell.split(";"):
        file, *names = re.findall(r"`([^`]+)`", part)
        yield from ((file, name) for name in names)


def table():
    """Yields id and last cell of the rows that name tests."""
    for ident, _, cell in rows():
        if "`" in cell and not cell.startswith(NOT_MERGED):
            yield ident, cell


class Catalogue(unittest.TestCase):
    def test_each_row_once(self):
        expected = Counter(f"{kind}{n}" for kind, numbers in IDS.items() for n in numbers)
        self.assertEqual(Counter(ident for ident, _, _ in rows()), expected)

    def test_each_row_says_something(self):
        for ident, situation, cell in rows():
            with self.subTest(row=ident):
                self.assertTrue(situation)
                self.assertTrue(cell)

    def test_named_tests_are_there(self):
        for ident, cell in table():
            named = list(tests_of(cell))
            self.assertTrue(named, f"{ident} names no test")
            for file, name in named:
                with self.subTest(row=ident, file=file, test=name):
                    self.assertRegex(name, rf"(?<![A-Z]){ident}(?!\d)")
                    self.assertIn(name, (TESTS / file).read_text())

    def test_tests_with_an_id_are_named(self):
        """Who gives a test the id of a row wants it to be found."""
        cells = [cell for _, _, cell in rows() if "`" in cell]
        named = {name for cell in cells for _, name in tests_of(cell)}
        for path in sorted(TESTS.glob("c/test-*.c")):
            for name in re.findall(r'"/[^"]*/([A-Z]\d+-[^"%]+)"', path.read_text()):
                with self.subTest(file=path.name, test=name):
                    self.assertIn(name, named)

    def test_all_is_merged(self):
        left = [ident for ident, _, cell in rows() if cell.startswith(NOT_MERGED)]
        if left:
            self.skipTest(f"not merged yet: {', '.join(left)}")


if __name__ == "__main__":
    unittest.main()
