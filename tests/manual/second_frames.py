# SPDX-License-Identifier: MIT
"""The frames of the protocol, as its page in the manual has them."""

import struct

from gi.repository import GLib

from second_order import Entry

PREAMBLE = bytes.fromhex("00616d6e65736961")
PREFIX = struct.Struct("<BBHIQ")

HELLO, BYE, WRITE, ACK, LINKS, BEAT, LIST = range(1, 8)
TYPES = {
    HELLO: "(qqtssqxta{sv})",
    BYE: "(usa{sv})",
    WRITE: "(tta(tt)a(sst)a{sv})",
    ACK: "(t)",
    LINKS: "(at)",
    BEAT: "(txxxxa{sv})",
    LIST: "(ssbba(sttt)a{sv})",
}
IGNORABLE = 1


class Broken(Exception):
    """The other side did what it must not."""


def pad(data):
    return data + bytes(-len(data) % 8)


def serialise(variant):
    """The wire is little-endian, and so is this machine, or it would have to swap."""
    return variant.get_data_as_bytes().get_data() or b""


def read_variant(kind, data):
    return GLib.Variant.new_from_bytes(GLib.VariantType(kind), GLib.Bytes.new(data), False)


def encode(kind, header, payload=b"", flags=0):
    data = serialise(GLib.Variant(TYPES[kind], header))
    return PREFIX.pack(kind, flags, 0, len(data), len(payload)) + pad(data) + payload


def encode_write(entries):
    first = entries[0]
    items = [(entry.key, entry.type, len(entry.data)) for entry in entries]
    payload = b"".join(pad(entry.data) for entry in entries)
    return encode(WRITE, (first.stamp, first.id, list(first.seen), items, {}), payload)


def decode_write(header, payload):
    stamp, ident, seen, items, _ = header
    entries, at = [], 0
    for key, kind, size in items:
        data = payload[at : at + size]
        if kind and not read_variant(kind, data).is_normal_form():
            raise Broken(f"the value of {key!r} is not in normal form")
        entries.append(Entry(key, stamp, ident, tuple(map(tuple, seen)), kind, data))
        at += size + -size % 8
    if at != len(payload):
        raise Broken("the values are not the payload")
    return entries


class Reader:
    """Cuts a stream into frames."""

    def __init__(self):
        self.buffer = bytearray()
        self.opened = False

    def take(self, size):
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def feed(self, data):
        """Yields kind, header and payload of each frame that is whole."""
        self.buffer += data
        if not self.opened:
            if len(self.buffer) < len(PREAMBLE):
                return
            if self.take(len(PREAMBLE)) != PREAMBLE:
                raise Broken("not the preamble")
            self.opened = True
        while (frame := self.next()) is not None:
            if frame[0] in TYPES:
                yield frame

    def next(self):
        if len(self.buffer) < PREFIX.size:
            return None
        kind, flags, zero, n_header, n_payload = PREFIX.unpack_from(self.buffer)
        if zero or flags & ~IGNORABLE or not (kind in TYPES or flags & IGNORABLE):
            raise Broken(f"kind {kind}, flags {flags}")
        if len(self.buffer) < PREFIX.size + n_header + -n_header % 8 + n_payload:
            return None
        self.take(PREFIX.size)
        header = self.take(n_header + -n_header % 8)[:n_header]
        payload = self.take(n_payload)
        if kind not in TYPES:
            return kind, None, payload
        variant = read_variant(TYPES[kind], header)
        if not variant.is_normal_form():
            raise Broken(f"the header of a frame of kind {kind} is malformed")
        return kind, variant.unpack(), payload
