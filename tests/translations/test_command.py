# SPDX-License-Identifier: MIT
"""What the command says, in each language.

A row of COMMANDS is a command line, its exit code, and messages of the sources that it is to print,
with what stands in the place of their formats: what they become is looked up in the catalogues.
"""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from catalogue import LANGUAGES, Translator

LOCALES = {"de": "de_DE", "fr": "fr_FR", "pt_BR": "pt_BR"}
FORMAT = re.compile(r"%[-+ 0#']*\d*(?:\.\d+)?(?:l|ll|z)?[a-zA-Z]")
CONF = '[{"host": "localhost", "port": 0}]'
# (arguments, exit code, messages)
COMMANDS = [
    (["help"], 0, ["Commands:", "“amnesia help COMMAND” tells more of one."]),
    (["get", "--help"], 0, ["Print the value, or what it has under a key", "[KEY]",
                            "How long joining and confirming may take", "SECONDS"]),
    (["shell", "--help"], 0, ["Read and set the value at a prompt"]),
    (["nothing"], 2, ["There is no command “%s”. “amnesia help” lists them."]),
    (["get", "a", "b"], 2, ["“%s” is one argument too many", "Try “amnesia %s --help”.\n"]),
    (["get"], 1, ["There is no configuration: neither ./%s nor %s is there. Name one with --conf FILE."]),
    (["check-conf", "wrong.json"], 1, ["%s is %s: %s is needed", "a whole number from 1 to 65535"]),
]  # fmt: skip


def pattern(message):
    """Any text where the message has a format, and any space where it has one: it may be wrapped."""
    pieces = [re.escape(piece) for piece in FORMAT.split(message)]
    return re.sub(r"(?:\\\s)+|\s+", r"\\s+", ".*".join(pieces))


@unittest.skipUnless("AMNESIA_TOOL" in os.environ, "this build has no command")
class Command(unittest.TestCase):
    def say(self, language, arguments):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "wrong.json").write_text(CONF)
            env = {
                **os.environ,
                "LC_ALL": f"{LOCALES[language]}.UTF-8",
                "LANGUAGE": "",
                "LD_PRELOAD": os.environ["AMNESIA_REDIRECT"],
                "ASAN_OPTIONS": "verify_asan_link_order=0",
                "XDG_CONFIG_HOME": folder,
            }
            command = os.environ["AMNESIA_TOOL"], *arguments
            done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder,
                                  timeout=30)  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def test_commands(self):
        for language in LANGUAGES:
            t = Translator(language)
            for arguments, code, messages in COMMANDS:
                with self.subTest(language=language, arguments=arguments):
                    returned, text = self.say(language, arguments)
                    self.assertEqual(returned, code, text)
                    for message in messages:
                        self.assertRegex(text, pattern(t(message)))


if __name__ == "__main__":
    unittest.main()
