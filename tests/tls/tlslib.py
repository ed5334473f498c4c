# SPDX-License-Identifier: MIT
"""Members that share by TLS, and peers that play by no rules.

A peer of the latter kind is Python's own TLS, which is OpenSSL: it can be anybody, it verifies nothing,
and what it is told it reads in clear. Members tell what comes of their peers: see member.c.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import tempfile
import threading
import warnings

import members
from pki import Authority

PATIENCE_S = members.PATIENCE_S
MEMBER = os.environ["AMNESIA_TLS_MEMBER"]
HOST = members.HOST
PREAMBLE = b"\0amnesia"
VERSIONS = {
    "1.3": ssl.TLSVersion.TLSv1_3,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.1": ssl.TLSVersion.TLSv1_1,
}


class Member(members.Process):
    def __init__(self, conf, prefix=()):
        self.lines = []
        self.peers = {}  # by name: state and way
        self.value = "null"
        self.state = None
        self.listening = "-"
        self.start([*prefix, MEMBER, conf])

    def __str__(self):
        told = [line for line in self.lines if not re.match("peer .*(away|connecting) none", line)]
        shown = "\n".join(f"    {line[:300]}" for line in told[-20:])
        return f"member {self.pid}:\n{shown}\n{self.errors()}"

    def note(self, line):
        self.lines.append(line)
        kind, _, rest = line.partition(" ")
        if kind == "peer":
            name, *state = rest.split()
            self.peers[name] = state
        elif kind in ("value", "state", "listening"):
            setattr(self, kind, rest)

    def told(self, pattern):
        """Whether a line is like that."""
        return any(re.search(pattern, line) for line in self.lines)

    def wait_told(self, pattern, patience=PATIENCE_S):
        self.wait(f"a line like {pattern}", lambda: self.told(pattern), patience)

    def n_linked(self):
        return sum(state == "connected" for state, _way in self.peers.values())

    def wait_linked(self, number, patience=PATIENCE_S):
        self.wait(f"{number} links", lambda: self.n_linked() == number, patience)

    def wait_value(self, text, patience=PATIENCE_S):
        self.wait(f"the value {text}", lambda: self.value == text, patience)

    def wait_listening(self):
        self.wait("an entry", lambda: self.listening != "-")

    def was_linked(self):
        return self.told("^peer .* connected ")

    def set(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def ask_late(self):
        """For how many seconds an operation of GIO was waited for at most since the last time."""
        n_before = len(self.answers("late"))
        self.set("late")
        self.wait("the answer", lambda: len(self.answers("late")) > n_before)
        return int(self.answers("late")[-1]) / 1e6

    def answers(self, kind):
        return [line.split(" ", 1)[1] for line in self.lines if line.startswith(kind + " ")]


class TestCase(members.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = pathlib.Path(scratch.name)
        cls.authority = Authority(cls.scratch)
        cls.good = cls.authority.make(HOST)

    def setUp(self):
        super().setUp()
        self._n_folders = 0

    def write_conf(self, certificate=None, authorities=None, n_entries=2, peers=None, **more):
        """Each member has a folder of its own, as if it had its machine for itself: the same
        conf.json, and its own files beside it. Without a certificate it is plain TCP."""
        self._n_folders += 1
        folder = pathlib.Path(self._folder.name, f"machine{self._n_folders}")
        folder.mkdir()
        conf = {"peers": peers or [members.entry(i) for i in range(n_entries)], "local": False}
        if certificate is not None:
            shutil.copy(certificate, folder / "member.pem")
            shutil.copy(authorities or self.authority.file, folder / "authority.pem")
            conf["tls"] = {"certificate": "member.pem", "authorities": "authority.pem"}
        tls = more.pop("tls", {})
        if tls:
            conf["tls"].update(tls)
        conf.update(more)
        file = folder / "conf.json"
        file.write_text(json.dumps(conf))
        return file

    def start_member(self, conf, prefix=()):
        member = Member(conf, prefix)
        self.addCleanup(member.destroy)
        return member

    def start_with(self, certificate, **how):
        member = self.start_member(self.write_conf(certificate, **how))
        member.wait_listening()
        return member

    def assert_works(self, *linked):
        """All of them are linked, and each can set."""
        for member in linked:
            member.wait_linked(len(linked) - 1)
        for number, writer in enumerate(linked):
            text = json.dumps(f"by {number}")
            writer.set(text)
            for member in linked:
                member.wait_value(text)

    def assert_end(self, *ending):
        for member in ending:
            member.process.stdin.close()
        for member in ending:
            self.assertEqual(member.finish(), 0, member)
            self.assert_quiet(member)


# --- peers that play by no rules ---


def make_context(side, certificate=None, version=None):
    context = ssl.SSLContext(side)
    if side == ssl.PROTOCOL_TLS_CLIENT:
        context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    if version == "1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")  # or it would not even ask
        warnings.simplefilter("ignore", DeprecationWarning)
    if version is not None:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


def close_door(door):
    """So that who waits in accept () does not wait any more; may be called again."""
    try:
        door.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    door.close()


class Heard:
    """What such a peer was told, in clear, and how it ended."""

    def __init__(self):
        self.handshake = False
        self.data = b""
        self.ended = False
        self.reason = None

    def __str__(self):
        shaken = "after" if self.handshake else "before the end of"
        return f"{self.data!r}, {shaken} the handshake: {self.reason}"


def listen_in(connection, make_tls, heard):
    """Does the handshake and reads to the end, whatever that is."""
    connection.settimeout(PATIENCE_S)
    try:
        with make_tls(connection) as tls:
            heard.handshake = True
            while True:
                data = tls.recv(4096)
                if not data:
                    break
                heard.data += data
        heard.reason = "closed"
    except TimeoutError:
        heard.reason = "nothing for too long"
        raise
    except OSError as error:
        heard.reason = str(error)
    heard.ended = True
    return heard


def dial(host, port, certificate=None, version=None):
    """Connects to a member, and hears what that one says to it."""
    context = make_context(ssl.PROTOCOL_TLS_CLIENT, certificate, version)
    with socket.create_connection((host, port), PATIENCE_S) as connection:
        return listen_in(connection, context.wrap_socket, Heard())


class Door:
    """Listens where a member would, in a thread of its own, and hears each who comes."""

    def __init__(self, host, port, certificate=None, version=None, answer=b""):
        context = make_context(ssl.PROTOCOL_TLS_SERVER, certificate, version)
        self._make_tls = lambda connection: context.wrap_socket(connection, server_side=True)
        self.heard = []
        self._socket = socket.create_server((host, port))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            heard = Heard()
            self.heard.append(heard)
            with connection:
                try:
                    listen_in(connection, self._make_tls, heard)
                except TimeoutError:
                    pass

    def wait_ended(self):
        """For one at least who has come and gone."""
        members.wait_until("somebody who has come and gone", lambda: any(h.ended for h in self.heard))

    def close(self):
        close_door(self._socket)
        self._thread.join()


class Proxy:
    """Passes on what two sides say, and writes it down. It can be told to end all connections after
    so many bytes more, with no word of TLS, as a router would that has had enough."""

    def __init__(self, front, back):
        self.back = back
        self.records = []
        self.n_cuts = 0
        self._left = None
        self._lock = threading.Lock()
        self._socket = socket.create_server(front)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(connection,), daemon=True).start()

    def _connect(self, connection):
        with connection:
            try:
                onward = socket.create_connection(self.back)
            except OSError:
                return
            with onward:
                records = bytearray(), bytearray()
                self.records += records
                back = threading.Thread(target=self._pass, args=(onward, connection, records[1]))
                back.start()
                self._pass(connection, onward, records[0])
                back.join()

    def cut_after(self, size):
        self._left = size

    def _take(self, data):
        """What may still be passed on, and whether the rest may not."""
        with self._lock:
            if self._left is None:
                return data, False
            part = data[: self._left]
            self._left -= len(part)
            if self._left > 0:
                return part, False
            self._left = None
            self.n_cuts += 1
            return part, True

    def _pass(self, one, other, record):
        try:
            while data := one.recv(65536):
                part, is_cut = self._take(data)
                record += part
                other.sendall(part)
                if is_cut:
                    one.shutdown(socket.SHUT_WR)
                    break
            other.shutdown(socket.SHUT_WR)
        except OSError:
            for sock in one, other:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def recorded(self):
        return b"".join(bytes(record) for record in self.records)

    def close(self):
        close_door(self._socket)
