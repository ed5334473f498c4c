# SPDX-License-Identifier: MIT
"""The pages that people read, and the samples in them."""

import pathlib
import re
from typing import NamedTuple

SOURCE = pathlib.Path(__file__).resolve().parents[2]
INTROSPECTION = SOURCE / "introspection"
README = SOURCE / "README.md"
MANUAL = sorted(INTROSPECTION.glob("*.md"))
# What the manual has of the comments in the code.
COMMENTED = sorted([*SOURCE.glob("amnesia/*.c"), *SOURCE.glob("amnesia/*.h")])

LANGUAGES = ("python", "js", "vala", "c")
FENCE = re.compile(r"^```(\S*)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:\A|\n\n)((?: {4}[^\n]*\n)(?:(?: {4}[^\n]*)?\n)*)")


class Block(NamedTuple):
    page: str
    line: int
    language: str  # "indented" of what has no fence
    text: str
    start: int
    end: int

    def __str__(self):
        return f"{self.page}:{self.line} ({self.language})"


def read_text(path):
    """A page; of code, the comments alone, with as many lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    lines = [re.match(r" \* ?(.*)", line) for line in text.splitlines()]
    return "".join((match[1] if match else "") + "\n" for match in lines)


def make_block(path, text, match, language, sample):
    line = text.count("\n", 0, match.start(match.lastindex)) + 1
    return Block(path.name, line, language, sample, match.start(), match.end())


def find_blocks(path):
    text = read_text(path)
    found = [make_block(path, text, match, match[1], match[2]) for match in FENCE.finditer(text)]
    if path.suffix == ".md":
        rest = FENCE.sub(lambda match: re.sub(r"[^\n]", "#", match[0]), text)
        found += [
            make_block(path, text, match, "indented", re.sub(r"^ {4}", "", match[1], flags=re.M))
            for match in INDENTED.finditer(rest)
        ]
    return sorted(found, key=lambda block: block.start)


def all_blocks():
    return [block for path in [README, *MANUAL, *COMMENTED] for block in find_blocks(path)]


def blocks_of(page, language):
    return [b for b in all_blocks() if b.page == page and b.language == language]
