# SPDX-License-Identifier: MIT
"""Every file of the repository is as .editorconfig says."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

try:
    from editorconfig import get_properties
except ImportError:
    print("skipped: there is no module editorconfig for Python")
    sys.exit(77)

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
# A table in a comment cannot be broken.
TABLE = re.compile(r"\s*\*?\s*\|.*\|?")


def tracked():
    """All files that Git knows of, or would take."""
    listed = subprocess.run(
        ["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = [TOP / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


def faults(content, rules):
    """Yields what is wrong, each with the number of its line."""
    if rules.get("charset") == "utf-8":
        try:
            content.decode()
        except UnicodeDecodeError as error:
            yield content.count(b"\n", 0, error.start) + 1, "not UTF-8"
    text = content.decode(errors="replace")
    lines = text.split("\n")
    if rules.get("insert_final_newline") == "true" and text and lines[-1]:
        yield len(lines), "no newline at the end"
    for number, line in enumerate(lines, start=1):
        if rules.get("end_of_line") == "lf" and "\r" in line:
            yield number, "a carriage return"
        if rules.get("trim_trailing_whitespace") == "true" and line != line.rstrip():
            yield number, "white space at the end"
        if rules.get("indent_style") == "space" and re.match(r" *\t", line):
            yield number, "indented by a tab"
        longest = rules.get("max_line_length", "off")
        if longest.isdigit() and len(line) > int(longest) and not TABLE.fullmatch(line):
            yield number, f"{len(line)} columns"


class Tree(unittest.TestCase):
    def test_each_file(self):
        files = tracked()
        self.assertGreater(len(files), 500)
        for path in files:
            content = path.read_bytes()
            if path.suffix == ".png":
                continue
            rules = get_properties(str(path))
            self.assertTrue(rules)
            with self.subTest(file=str(path.relative_to(TOP))):
                self.assertEqual(list(faults(content, rules)), [])

    def test_faults_are_found(self):
        rules = get_properties(str(TOP / "amnesia" / "amnesia.h"))
        content = b"ok\n\tx\ny \nz\r\n\xff\n" + 111 * b"-"
        found = [number for number, _ in faults(content, rules)]
        self.assertEqual(sorted(set(found)), [2, 3, 4, 5, 6])
        self.assertEqual(found.count(6), 2)


if __name__ == "__main__":
    if not (TOP / ".git").exists() or not shutil.which("git"):
        print("skipped: this is no checkout of Git")
        sys.exit(77)
    unittest.main()
