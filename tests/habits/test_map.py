# SPDX-License-Identifier: MIT
"""The rooms of amnesia/ know of each other as CONTRIBUTING.md says; no file or function is too long."""

import pathlib
import re
import unittest

TOP = pathlib.Path(__file__).parent.parent.parent
LIBRARY = TOP / "amnesia"
MAX_LINES = 800
MAX_FUNCTION = 60
INCLUDE = re.compile(r'^# *include (?:"([^"]+)"|<(amnesia[^>]*)>)', re.MULTILINE)
# as tests/format lays them out; the last line before is the name, or the last parameter
FUNCTION = re.compile(r"(.*\))\n\{\n((?:.*\n)*?)\}\n")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# What belongs to all rooms: errors, and their messages in the user's language.
FOR_ALL = {"amnesia-error.h", "amnesia-error-private.h", "amnesia-gettext-private.h"}
# room: the rooms further in that it may include
ROOMS = {"replica": [], "mesh": ["replica"], ".": ["mesh", "replica"]}
LANGUAGES = ("c", "h", "py", "js", "vala", "build", "sh")


def sources(room):
    return sorted((LIBRARY / room).glob("*.[ch]"))


def included(path):
    return [ours or theirs for ours, theirs in INCLUDE.findall(path.read_text())]


def functions(path):
    """Yields the last line of each function's head, and how many lines of code are in it."""
    for match in FUNCTION.finditer(path.read_text()):
        code = COMMENT.sub("", match[2]).splitlines()
        yield match[1].split("\n")[-1], sum(1 for line in code if line.strip())


class Map(unittest.TestCase):
    def test_includes_go_one_way(self):
        for room, inner in ROOMS.items():
            own = {path.name for path in sources(room)}
            self.assertGreater(len(own), 10)
            if room == ".":
                own |= {"amnesia-version.h", "amnesia-marshal.h"}  # these are generated
            allowed = own | FOR_ALL
            for name in inner:
                allowed |= {f"{name}/{path.name}" for path in sources(name)}
            for path in sources(room):
                for header in included(path):
                    with self.subTest(file=path.relative_to(TOP), header=header):
                        self.assertIn(header, allowed)

    def test_what_is_installed_includes_nothing_private(self):
        headers = [path for path in sources(".") if path.match("*.h")]
        for path in headers:
            if "-private" not in path.name:
                with self.subTest(file=path.name):
                    self.assertNotIn("-private", " ".join(included(path)))

    def test_the_command_uses_what_all_may_use(self):
        own = {path.name for path in sources("tool")}
        for path in sources("tool"):
            for header in included(path):
                with self.subTest(file=path.name, header=header):
                    self.assertIn(header, own | {"amnesia.h", "config.h"})

    def test_no_file_is_too_long(self):
        files = [
            path
            for folder in ("amnesia", "introspection", "examples", "tests", "po")
            for language in LANGUAGES
            for path in (TOP / folder).rglob(f"*.{language}")
        ]
        self.assertGreater(len(files), 300)
        for path in files:
            with self.subTest(file=path.relative_to(TOP)):
                self.assertLessEqual(len(path.read_text().splitlines()), MAX_LINES)

    def test_no_function_is_too_long(self):
        found = 0
        for path in sorted(LIBRARY.rglob("*.c")):
            for head, length in functions(path):
                found += 1
                with self.subTest(file=path.relative_to(TOP), function=head):
                    self.assertLessEqual(length, MAX_FUNCTION)
        self.assertGreater(found, 1000)


if __name__ == "__main__":
    unittest.main()
