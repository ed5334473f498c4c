# SPDX-License-Identifier: MIT
"""Where the translations are looked for, and that a program's own are none of the library's business."""

import os
import subprocess
import unittest

from catalogue import Translator

MESSAGE = "line 1, column 1: a number begins with 0; leave out the leading zeros"


class Domain(unittest.TestCase):
    def setUp(self):
        t = Translator("de")
        line = t("line %u, column %lu: %s").replace("%lu", "%u")
        self.german = line % (1, 1, t("a number begins with 0; leave out the leading zeros"))

    def run_case(self, name, **variables):
        env = {**os.environ, "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "", **variables}
        command = os.environ["AMNESIA_DOMAIN"], name
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
        return done.stdout.splitlines()

    def test_what_is_installed(self):
        said = self.run_case("folder")
        self.assertEqual(said[1:], [os.environ["AMNESIA_LOCALE_DIR"], "messages"])

    def test_program_binds_before(self):
        self.assertEqual(self.run_case("bind-before"), [self.german])

    def test_program_binds_after(self):
        self.assertEqual(self.run_case("bind-after")[1], self.german)

    def test_program_without_this_language(self):
        """Its user does not read two languages at once."""
        self.assertEqual(self.run_case("own-domain"), [MESSAGE, "a-program"])

    def test_threads(self):
        self.assertEqual(self.run_case("threads"), [self.german] * 8)

    def test_languages_of_the_user(self):
        """LANGUAGE is a list: the first that there is."""
        said = self.run_case("bind-before", LANGUAGE="xx:fr:de")
        self.assertEqual(said[0].split()[0], Translator("fr")("line %u, column %lu: %s").split()[0])

    def test_errors_in_both_languages(self):
        t = Translator("de")
        self.assertEqual(self.run_case("both"), [t("the file is empty"), "the file is empty"])

    def test_peers_are_told_in_english(self):
        """The log repeats the error as the user reads it."""
        text = Translator("de")("one side is of group “%s”, the other of “%s”") % ("theirs", "")
        log = [line for line in self.run_case("wire") if not line.startswith("#")]
        self.assertEqual([line.partition(": ")[2] for line in log], [text])


if __name__ == "__main__":
    unittest.main()
