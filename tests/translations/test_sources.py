# SPDX-License-Identifier: MIT
"""Each message that a user sees is marked in the sources, in a way that xgettext understands."""

import re
import tempfile
import pathlib
import unittest

from catalogue import MARKED, MARKS, PO, SOURCE, STRING, code, extract, read, sources

# What makes an error with a message.
ERRORS = re.compile(
    r"\b(?:g_set_error|g_set_error_literal|g_error_new|g_error_new_literal|amnesia_set_error) \("
)
# Where errors are told to the peer and to the log, and to nobody else: see po/README.
ENGLISH = {
    "amnesia/mesh/amnesia-frame.c",
    "amnesia/mesh/amnesia-frame-single.c",
    "amnesia/mesh/amnesia-frame-write.c",
    "amnesia/mesh/amnesia-local-socket.c",
    "amnesia/mesh/amnesia-repair.c",
    "amnesia/mesh/amnesia-tls-pipe.c",
}
WORDS = re.compile(r"[a-z]{2,} [a-z]|^[a-z]{3,}$")
# A macro beside a piece of a text: xgettext takes the first piece for all of it.
MACRO = re.compile(r'""\s*\w|\w\s*""')


def name_of(path):
    return str(path.relative_to(SOURCE))


def calls(text, pattern):
    """Yields each call: what stands between its parentheses."""
    for match in pattern.finditer(text):
        depth, end = 1, match.end()
        quoted = False
        while depth > 0:
            char = text[end]
            if char == "\\":
                end += 1
            elif char == '"':
                quoted = not quoted
            elif not quoted:
                depth += (char == "(") - (char == ")")
            end += 1
        yield text[match.end() : end - 1]


class Sources(unittest.TestCase):
    def test_potfiles_has_who_has_messages(self):
        listed = (PO / "POTFILES").read_text().split()
        with_messages = [
            name_of(path)
            for path in sources()
            if MARKED.search(code(path)) and name_of(path) not in MARKS and path.suffix == ".c"
        ]
        self.assertGreater(len(listed), 20)
        self.assertEqual(sorted(listed), with_messages)
        self.assertEqual(listed, sorted(listed))

    def test_no_header_has_messages(self):
        for path in sources():
            if path.suffix == ".h":
                with self.subTest(file=name_of(path)):
                    self.assertIsNone(MARKED.search(code(path)))

    def test_library_finds_its_translations(self):
        """GLib's macros look into a domain that nobody has bound."""
        tool = SOURCE / "amnesia" / "tool"
        for path in sources():
            if tool not in path.parents:
                with self.subTest(file=name_of(path)):
                    self.assertNotIn("gi18n", code(path))

    def test_extraction_without_warnings(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "now.pot"
            self.assertEqual(extract(path), "")
            texts = [entry.key[1] for entry in read(path)]
        self.assertGreater(len(texts), 100)

    def test_no_macro_hides_the_rest(self):
        marked = re.compile(r"\b(?:N?_ ?|ngettext |amnesia_set_error_plural )\(")
        for path in sources():
            for call in calls(code(path), marked):
                with self.subTest(file=name_of(path), call=call):
                    self.assertNotRegex(STRING.sub('""', call), MACRO)

    def test_errors_are_marked(self):
        """An error with words in it that nobody can translate."""
        found = 0
        for path in sources():
            for call in calls(code(path), ERRORS):
                found += 1
                bare = re.sub(r'\b(?:N?_ ?|ngettext )\(\s*(?:"(?:[^"\\]|\\.)*"\s*,?\s*)+', "", call)
                if name_of(path) in ENGLISH or "AMNESIA_ERROR_PROTOCOL" in call:
                    continue
                with self.subTest(file=name_of(path), call=call):
                    words = [text for text in STRING.findall(bare) if WORDS.search(text)]
                    self.assertEqual(words, [])
        self.assertGreater(found, 80)


if __name__ == "__main__":
    unittest.main()
