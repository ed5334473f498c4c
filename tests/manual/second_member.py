# SPDX-License-Identifier: MIT
"""A member of a mesh, as the manual's page “The protocol” has it: with a thread and a loop of its own."""

import os
import selectors
import socket
import ssl
import threading
import time

from gi.repository import GLib

import second_frames as frames
from second_frames import ACK, BEAT, BYE, HELLO, LINKS, LIST, Broken
from second_order import Replica

MAX_SIZE = 16 * 1024 * 1024
BEAT_INTERVAL_S = 2
DEAD_AFTER_S = 6
LEAVING, DUPLICATE = 0, 1


def now_us():
    return time.monotonic_ns() // 1000


class Link:
    """One connection. All that it has to say is said at once: this is no example of restraint."""

    def __init__(self, member, connection, dialled):
        self.member = member
        self.socket = connection
        self.dialled = dialled
        self.reader = frames.Reader()
        self.serial = member.n_links
        member.n_links += 1
        self.hello = None
        self.peer_id = 0
        self.linked = set()
        self.n_taken = self.n_sent = self.n_acked = 0
        self.peer_empty = self.listed = False
        self.wanted = {}
        self.mismatches = 0
        self.n_repairs = 0  # lists that a side asked for, as the digests differed
        self.digest = None
        self.echo = (0, 0)
        self.round_trip = None
        self.next_beat = None
        self.bye = None
        self.said_bye = False
        self.heard = time.monotonic()
        self.out = bytearray(frames.PREAMBLE + member.make_hello())

    # --- what is sent ---

    def send(self, data):
        self.out += data

    def send_entries(self, entries):
        """All that is of one write goes in one frame."""
        writes = {}
        for entry in entries:
            writes.setdefault(entry.order, []).append(entry)
        for order in sorted(writes):
            self.send(frames.encode_write(writes[order]))
            self.n_sent += 1

    def send_list(self, ask):
        items = [(e.key, e.stamp, e.id, len(e.data)) for e in self.member.replica.list()]
        self.send(frames.encode(LIST, ("", "", True, ask, items, {})))

    def send_links(self):
        ids = {link.peer_id for link in self.member.links if link.peer_id}
        self.send(frames.encode(LINKS, (sorted(ids),)))

    def send_beat(self):
        echo, came = self.echo
        held = now_us() - came if came else 0
        wall = time.time_ns() // 1000
        digest = self.member.replica.digest()
        self.send(frames.encode(BEAT, (digest, wall, now_us(), echo, held, {})))
        self.next_beat = time.monotonic() + BEAT_INTERVAL_S

    def leave(self, reason, text):
        if not self.said_bye:
            self.send(frames.encode(BYE, (reason, text, {})))
        self.said_bye = True

    # --- what comes ---

    def receive(self, kind, header, payload):
        if (kind == HELLO) != (self.hello is None) and kind != BYE:
            raise Broken("a hello is first, and comes once")
        getattr(self, f"receive_{kind}")(header, payload)

    def receive_1(self, header, payload):
        low, high, self.peer_id, group, self.host, self.port, wall, self.max_size, more = header
        self.hello = header
        if not low <= 1 <= high or group != self.member.group or not self.peer_id:
            raise Broken("no peer of ours")
        self.peer_empty = more.get("empty", False)
        self.next_beat = time.monotonic() + BEAT_INTERVAL_S
        self.send_list(ask=False)
        if self.peer_empty:
            self.send_entries(self.member.replica.list())
        self.member.greet(self)

    def receive_2(self, header, payload):
        self.bye = header[:2]

    def receive_3(self, header, payload):
        self.n_taken += 1
        taken = [e for e in frames.decode_write(header, payload) if self.member.accept(e)]
        self.send(frames.encode(ACK, (self.n_taken,)))
        self.member.forward(taken, self)

    def receive_4(self, header, payload):
        if not self.n_acked <= header[0] <= self.n_sent:
            raise Broken(f"acknowledges {header[0]} of {self.n_sent}")
        self.n_acked = header[0]

    def receive_5(self, header, payload):
        self.linked = set(header[0])

    def receive_6(self, header, payload):
        self.digest, _, sent, echo, held, _ = header
        self.echo = sent, now_us()
        if echo:
            self.round_trip = now_us() - echo - held
        self.mismatches = self.mismatches + 1 if self.digest != self.member.replica.digest() else 0
        if self.mismatches == 2:
            self.mismatches = 0
            self.n_repairs += 1
            self.send_list(ask=True)

    def receive_7(self, header, payload):
        start, end, last, ask, items, _ = header
        theirs = {key: (stamp, ident) for key, stamp, ident, _ in items}
        replica = self.member.replica
        self.wanted.update((k, o) for k, o in theirs.items() if replica.beats(k, o))
        if self.peer_empty and not self.listed:
            lacking = []
        else:
            in_range = [e for e in replica.list() if e.key >= start and (last or e.key < end)]
            lacking = [e for e in in_range if e.order > theirs.get(e.key, (-1, -1))]
        self.send_entries(lacking)
        self.listed |= last
        if last and ask:
            self.n_repairs += 1
            self.send_list(ask=False)

    # --- what others ask ---

    @property
    def is_synced(self):
        """Whether all that the peer had when the link began is here."""
        beats = self.member.replica.beats
        return self.listed and not any(beats(key, order) for key, order in self.wanted.items())

    @property
    def is_in_sync(self):
        return self.is_synced and self.n_acked == self.n_sent


class Member:
    """Shares one variable. Its values are GLib.Variants; None is nothing."""

    def __init__(self, group="", listen=None):
        self.group = group
        self.entry = ("", 0)
        self.replica = Replica(int.from_bytes(os.urandom(8), "little") | 1)
        self.links = []
        self.ended = []  # links that are no more
        self.n_links = 0
        self.deaf = False  # loses what it is sent, to see what comes of it
        self.lock = threading.RLock()
        self.selector = selectors.DefaultSelector()
        self.waker, self.woken = socket.socketpair()
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.listener = None
        if listen is not None:
            self.entry = listen
            self.listener = socket.create_server(listen)
            self.selector.register(self.listener, selectors.EVENT_READ)
        self.running = True
        self.failure = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    # --- for whoever uses it, from any thread ---

    def dial(self, address, tls=None):
        """tls: an ssl.SSLContext. Waits for the handshake."""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        connection = socket.socket(family)
        connection.connect(address)
        if tls is not None:
            connection = tls.wrap_socket(connection, server_hostname=address[0])
        with self.lock:
            link = self.add(connection, dialled=True)
        self.wake()
        return link

    def set(self, values):
        """Writes {key: value} at once; the key "" is the whole."""
        with self.lock:
            entries = self.replica.write(
                {
                    key: ("", b"") if v is None else (v.get_type_string(), frames.serialise(v))
                    for key, v in values.items()
                }
            )
            self.forward(entries, None)
        self.wake()

    def get(self):
        """The value, as a GLib.Variant or None."""
        with self.lock:
            entries = self.replica.list()
        base = entries.pop(0) if entries and entries[0].key == "" else None
        whole = frames.read_variant(base.type, base.data) if base and base.type else None
        if not entries:
            return whole
        values = {}
        if whole is not None and whole.get_type_string() == "a{sv}":
            for item in map(whole.get_child_value, range(whole.n_children())):
                values[item.get_child_value(0).get_string()] = item.get_child_value(1).get_variant()
        for entry in entries:
            values.pop(entry.key, None)
            if entry.type:
                values[entry.key] = frames.read_variant(entry.type, entry.data)
        return GLib.Variant("a{sv}", values)

    def leave(self):
        """Says bye to all; the thread ends when all have closed."""
        with self.lock:
            for link in self.links:
                link.leave(LEAVING, "the test is over")
            self.running = False
        self.wake()

    def wake(self):
        self.waker.send(b"x")

    # --- for the links ---

    def make_hello(self):
        host, port = self.entry
        more = {"empty": GLib.Variant("b", not self.replica.entries)}
        wall = time.time_ns() // 1000
        return frames.encode(
            HELLO, (1, 1, self.replica.id, self.group, host, port, wall, MAX_SIZE, more)
        )

    def accept(self, entry):
        return not self.deaf and self.replica.merge(entry)

    def forward(self, entries, giver):
        for link in self.links:
            if link is giver or not link.peer_id or not entries:
                continue
            if giver is None or giver.peer_id not in link.linked | {link.peer_id}:
                link.send_entries(entries)

    def greet(self, new):
        """A peer has said hello: two links to one are one too many."""
        for link in self.links:
            if link.peer_id:
                link.send_links()
        for old in self.links:
            if old is not new and old.peer_id == new.peer_id and not old.said_bye:
                loser = self.choose_loser(old, new)
                if loser.dialled:
                    loser.leave(DUPLICATE, "there is another link")

    def choose_loser(self, old, new):
        if old.dialled == new.dialled:
            return max(old, new, key=lambda link: link.serial)
        greater = self.replica.id > new.peer_id
        return next(link for link in (old, new) if link.dialled != greater)

    # --- the loop ---

    def add(self, connection, dialled):
        connection.setblocking(False)
        link = Link(self, connection, dialled)
        self.links.append(link)
        self.selector.register(connection, selectors.EVENT_READ, link)
        return link

    def drop(self, link):
        self.selector.unregister(link.socket)
        link.socket.close()
        self.links.remove(link)
        self.ended.append(link)
        for other in self.links:
            if other.peer_id:
                other.send_links()

    def run(self):
        try:
            while self.running or self.links:
                ready = self.selector.select(0.1)
                with self.lock:
                    for key, _ in ready:
                        self.serve(key.fileobj, key.data)
                    for link in list(self.links):
                        self.tend(link)
        except BaseException as error:  # for the test, which is in another thread
            self.failure = error
            raise
        finally:
            for each in (self.listener, self.waker, self.woken, self.selector):
                if each is not None:
                    each.close()

    def serve(self, fileobj, link):
        if link is not None:
            self.read(link)
        elif fileobj is self.woken:
            self.woken.recv(4096)
        elif self.running:
            self.add(self.listener.accept()[0], dialled=False)

    def read(self, link):
        """All that there is: TLS may have more than the kernel says."""
        try:
            while data := link.socket.recv(1 << 20):
                link.heard = time.monotonic()
                for frame in link.reader.feed(data):
                    link.receive(*frame)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except ConnectionError:
            pass
        self.drop(link)

    def tend(self, link):
        now = time.monotonic()
        if link.next_beat is not None and now >= link.next_beat and not link.said_bye:
            link.send_beat()
        if now > link.heard + DEAD_AFTER_S:
            raise Broken("the peer gave no sign of life")
        try:
            if link.out:
                sent = link.socket.send(link.out)
                del link.out[:sent]
            if link.said_bye and not link.out:
                end_stream(link.socket)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            return  # what it has said is still to be read


def end_stream(connection):
    """Nothing more comes from us; with TLS a close_notify says so."""
    if isinstance(connection, ssl.SSLSocket):
        connection.unwrap()
    else:
        connection.shutdown(socket.SHUT_WR)
