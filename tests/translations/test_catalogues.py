# SPDX-License-Identifier: MIT
"""Each catalogue has all that the sources say, translated, and nothing else."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from catalogue import BUILT, LANGUAGES, PO, extract, read

NO_BREAK = "\u00a0"
# the marks that a language quotes with, and those that it does not
QUOTES = {"de": ("„“", "”«»"), "fr": ("«»", "“”„"), "pt_BR": ("“”", "„«»")}


class Catalogues(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "now.pot"
            extract(path)
            cls.now = read(path)[1:]

    def for_each(self):
        for language in LANGUAGES:
            header, *entries = read(PO / f"{language}.po")
            yield language, header.translations[0], entries

    def test_linguas(self):
        self.assertEqual(sorted(path.stem for path in PO.glob("*.po")), LANGUAGES)
        self.assertGreaterEqual(set(LANGUAGES), {"de", "fr", "pt_BR"})

    def test_up_to_date(self):
        """Otherwise: ninja libamnesia-update-po, and translate what is new."""
        expected = sorted((entry.key for entry in self.now), key=str)
        for _, _, entries in self.for_each():
            self.assertEqual([entry.key for entry in entries if entry.obsolete], [])
            self.assertEqual(sorted((entry.key for entry in entries), key=str), expected)

    def test_complete(self):
        for _, header, entries in self.for_each():
            n_forms = int(re.search(r"nplurals=(\d+)", header)[1])
            for entry in entries:
                self.assertNotIn("fuzzy", entry.flags, entry.key)
                self.assertNotIn("", entry.translations, entry.key)
                forms = n_forms if entry.key[2] is not None else 1
                self.assertEqual(len(entry.translations), forms, entry.key)

    def test_header(self):
        for language, header, _ in self.for_each():
            self.assertIn(f"\nLanguage: {language}\n", header)
            self.assertIn("\nContent-Type: text/plain; charset=UTF-8\n", header)
            self.assertNotIn("@", header)

    def test_msgfmt_finds_nothing(self):
        """Above all: formats that want the same arguments as those of the sources."""
        for language, _, _ in self.for_each():
            command = "msgfmt", "--check", "--output-file=/dev/null", PO / f"{language}.po"
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_built(self):
        for language, _, _ in self.for_each():
            self.assertTrue((BUILT / language / "LC_MESSAGES" / "libamnesia.mo").is_file())

    def test_ends(self):
        """What is put before or behind something keeps its spaces; what is no sentence has no dot."""
        for _, _, entries in self.for_each():
            for entry in entries:
                for text in entry.translations:
                    for pattern in r"^\s*", r"\s*$", r"\.?$", r"\n?$":
                        ours, theirs = (re.search(pattern, t)[0] for t in (entry.key[1], text))
                        self.assertEqual(theirs, ours, text)

    def test_words_of_the_configuration(self):
        """They are the same in each language: what is quoted by “ ” and looks like a name."""
        for _, _, entries in self.for_each():
            for entry in entries:
                names = re.findall(r"“([a-z-]{3,}|%s|a\{sv\})”", entry.key[1])
                names += re.findall(r"max-size|clock-limit|libamnesia|glib-networking", entry.key[1])
                for name in names:
                    for text in entry.translations:
                        if name != "not a number":
                            self.assertIn(name, text)

    def test_quotes(self):
        for language, _, entries in self.for_each():
            (opening, closing), foreign = QUOTES[language]
            for text in (text for entry in entries for text in entry.translations):
                self.assertEqual(text.count(opening), text.count(closing), text)
                self.assertFalse(set(text) & set(foreign), text)

    def test_french_spaces(self):
        for text in (text for entry in read(PO / "fr.po")[1:] for text in entry.translations):
            words = re.sub(r'": |\{\w+: \w+\}', "", text)  # without what is JSON
            marks = re.findall(r"(.)(?:[;»?!](?=\s|$)|:(?=\s))", words)
            inside = re.findall(r"«(.)", text)
            self.assertEqual(set(marks + inside) - {NO_BREAK}, set(), text)


if __name__ == "__main__":
    unittest.main()
