# SPDX-License-Identifier: MIT
"""The order of writes, the merge rule and the digest, as the manual's page “The protocol” has them.

A second implementation, written from that page and not from the library, so that the page is shown to
say what has to be known. It is short, and not fast.
"""

import time
from typing import NamedTuple

NORMAL = 1 << 63
COUNT_BITS = 16
MASK_64 = (1 << 64) - 1
MAX_SEEN = 16
YEAR_MS = 365 * 24 * 3600 * 1000


class Entry(NamedTuple):
    key: str
    stamp: int
    id: int
    seen: tuple  # of (id, stamp)
    type: str  # "" is nothing: unset, or removed
    data: bytes

    @property
    def order(self):
        return self.stamp, self.id


NOTHING = (-1, -1)


def order_of(entry):
    return NOTHING if entry is None else entry.order


def hash_write(key, stamp, ident):
    """FNV-1a over key, a zero, stamp and id, and the finaliser of splitmix64."""
    h = 0xCBF29CE484222325
    bytes_ = key.encode() + b"\0" + stamp.to_bytes(8, "little") + ident.to_bytes(8, "little")
    for byte in bytes_:
        h = (h ^ byte) * 0x100000001B3 & MASK_64
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & MASK_64
    h = (h ^ h >> 27) * 0x94D049BB133111EB & MASK_64
    return h ^ h >> 31


def wall_ms():
    return time.time_ns() // 1_000_000


class Replica:
    """All entries in force of one member."""

    def __init__(self, ident):
        self.id = ident
        self.entries = {}
        self.seen = {}  # id: the greatest stamp of that writer
        self.last = 0  # what was issued or seen, without the top bit

    def next_stamp(self):
        self.last = max(wall_ms() << COUNT_BITS, self.last + 1)
        return NORMAL | self.last

    def write(self, values):
        """Writes {key: (type, bytes)} at once, and returns the entries."""
        stamp = self.next_stamp()
        newest = sorted(self.seen.items(), key=lambda item: -item[1])[:MAX_SEEN]
        entries = [
            Entry(key, stamp, self.id, tuple(newest), *values[key])
            for key in sorted(values, key=str.encode)
        ]
        for entry in entries:
            self.take(entry)
        return entries

    def beats(self, key, order):
        """Whether such an entry would be taken."""
        return order > order_of(self.entries.get(key)) and order > order_of(self.entries.get(""))

    def merge(self, entry):
        """Returns whether the entry is in force now."""
        moment = entry.stamp & ~NORMAL
        if moment >> COUNT_BITS > wall_ms() + YEAR_MS:
            return False
        self.last = max(self.last, moment)
        if entry.id != self.id:
            self.seen[entry.id] = max(self.seen.get(entry.id, 0), entry.stamp)
        if not self.beats(entry.key, entry.order):
            return False
        self.take(entry)
        return True

    def take(self, entry):
        self.entries[entry.key] = entry
        if entry.key == "":
            self.entries = {
                key: each
                for key, each in self.entries.items()
                if key == "" or each.order > entry.order
            }

    def list(self):
        return [self.entries[key] for key in sorted(self.entries, key=str.encode)]

    def digest(self):
        return sum(hash_write(e.key, e.stamp, e.id) for e in self.entries.values()) & MASK_64
