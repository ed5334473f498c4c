# SPDX-License-Identifier: MIT
"""Every function that is exported is used by the tests of every language."""

import pathlib
import re
import unittest

TESTS = pathlib.Path(__file__).parent.parent
SYMBOLS = (TESTS / "install" / "symbols.txt").read_text().split()
FILES = {
    "c": ["c/*.c", "processes/*.c"],
    "python": ["python/*.py", "processes/*.py"],
    "js": ["gjs/*.js"],
    "vala": ["vala/*.vala"],
}
# The overrides call it by themselves, as the tests of the prompts show.
ELSEWHERE = {"amnesia_enable_prompt", "amnesia_error_quark"}


def read(language):
    return "\n".join(
        path.read_text() for pattern in FILES[language] for path in sorted(TESTS.glob(pattern))
    )


def other_names(symbol):
    """What languages may call it that have properties, constructors and promises."""
    name = re.sub("^amnesia_((store|peer|change|conf)_)?", "", symbol)
    yield name
    if match := re.fullmatch("[gs]et_(.*)", name):
        yield match[1]
    if match := re.fullmatch("(.*)_(async|finish|closures)", name):
        yield match[1]
        yield f"{match[1]}_async"
    if match := re.fullmatch("new_(.*)", name):
        yield match[1]
    if name == "new":
        yield symbol.split("_")[1].capitalize()
    if name == "new_from_file":
        # Python and JavaScript take the name of the file as it is
        yield "conf.json"
        yield "XXXXXX.json"


class Languages(unittest.TestCase):
    def assert_used(self, language, names, text):
        pattern = "|".join(re.escape(name).replace("_", "[-_]") for name in names)
        # a member of something, or in a text, or an argument that is named
        form = rf"""[.'"]({pattern})\b|\b({pattern}) ?[=:(]"""
        self.assertTrue(re.search(form, text), f"no test in {language}")

    def test_each_call_in_each_language(self):
        texts = {language: read(language) for language in FILES}
        for symbol in SYMBOLS:
            if symbol.endswith("_get_type") or symbol in ELSEWHERE:
                continue
            for language, text in texts.items():
                with self.subTest(symbol=symbol, language=language):
                    names = [symbol] if language == "c" else list(other_names(symbol))
                    self.assert_used(language, names, text)


if __name__ == "__main__":
    unittest.main()
