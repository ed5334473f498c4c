# SPDX-License-Identifier: MIT
"""What the tests of translations share: the sources, the messages in them, and what they become."""

import gettext
import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(os.environ["AMNESIA_SOURCE"])
BUILT = pathlib.Path(os.environ["AMNESIA_TRANSLATIONS"])
PO = SOURCE / "po"
DOMAIN = "libamnesia"
LANGUAGES = (PO / "LINGUAS").read_text().split()
# of what Meson's preset "glib" tells xgettext that which is of use here
PRESET = (
    "--from-code=UTF-8 --add-comments --keyword=_ --keyword=N_ --keyword=C_:1c,2 --keyword=NC_:1c,2 "
    "--keyword=g_dngettext:2,3 --flag=N_:1:pass-c-format --flag=g_set_error:4:c-format "
    "--flag=g_strdup_printf:1:c-format --flag=g_print:1:c-format --flag=g_printerr:1:c-format"
).split()
# what a message is marked with
MARKED = re.compile(r'\b(?:N?C?_ ?|ngettext |g_dngettext |amnesia_set_error_plural )\([^"();]*"')
# the two that are the marks themselves
MARKS = {"amnesia/amnesia-gettext.c", "amnesia/amnesia-error.c"}
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


class Entry:
    """One message of a catalogue."""

    def __init__(self, lines):
        self.flags, self.texts, self.obsolete = set(), {}, False
        field = None
        for line in lines:
            if line.startswith("#,"):
                self.flags |= set(line[2:].replace(",", " ").split())
            elif line.startswith("#~"):
                self.obsolete = True
            elif not line.startswith("#"):
                if word := re.match(r"msg\S+", line):
                    field = word[0]
                    self.texts[field] = ""
                self.texts[field] += "".join(map(unescape, STRING.findall(line)))

    @property
    def key(self):
        """What the sources say: context, text, and that in the plural."""
        return tuple(self.texts.get(name) for name in ("msgctxt", "msgid", "msgid_plural"))

    @property
    def translations(self):
        return [text for name, text in self.texts.items() if name.startswith("msgstr")]


def unescape(text):
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)


def read(path):
    """Returns the entries of a file: the header comes first, with the text ""."""
    blocks = re.split(r"\n\s*\n", path.read_text().strip())
    return [Entry(block.splitlines()) for block in blocks]


def extract(path):
    """Writes to `path` what is in the sources now. Returns what xgettext had to say about it."""
    command = ["xgettext", *PRESET, *os.environ["AMNESIA_XGETTEXT_ARGS"].split(), "--no-wrap",
               f"--directory={SOURCE}", f"--files-from={PO / 'POTFILES'}", f"--output={path}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def code(path):
    """The file without its comments."""
    return COMMENT.sub("", path.read_text())


def sources():
    return sorted(path for path in (SOURCE / "amnesia").rglob("*.[ch]"))


class Translator:
    """What gettext makes of a message; one that no source has is a mistake of the test."""

    def __init__(self, language):
        path = BUILT / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
        with path.open("rb") as file:
            self.catalogue = gettext.GNUTranslations(file)
        self.known = {entry.key[1:] for entry in read(PO / f"{language}.po")}

    def __call__(self, text):
        assert (text, None) in self.known, f"no source says “{text}”"
        return self.catalogue.gettext(text)

    def plural(self, one, many, n):
        assert (one, many) in self.known, f"no source says “{one}”"
        return self.catalogue.ngettext(one, many, n)


class English:
    """The same where nothing is translated."""

    def __call__(self, text):
        return text

    def plural(self, one, many, n):
        return one if n == 1 else many
