# SPDX-License-Identifier: MIT
"""Handshakes that stand still, or come by drops, keep nobody waiting, and are given up in time."""

import os
import pathlib
import selectors
import socket
import ssl
import threading
import time

import members
from tlslib import HOST, PATIENCE_S, TestCase, make_context

N_STALLED = 50
N_DRIBBLING = 10
DRIBBLE_S = 0.2
# What a member gives a peer until its hello, and what a machine with others on it adds.
DEADLINE_S = 5
SLACK_S = 3
SYNCED_S = 2
LATE_S = 0.2
SLOWNESS = 5 if "AMNESIA_SANITIZED" in os.environ else 1
PORT = members.entry(0)["port"]


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = make_context(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(incoming, outgoing)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Crowd:
    """Those who keep a handshake waiting. They are followed by a thread, which notes when each was
    hung up on, and adds a byte now and then for those who dribble."""

    def __init__(self):
        self.gone = {}  # after how many seconds, by socket
        self.answered = set()
        self._began = {}
        self._dribbling = {}  # what is left to be sent
        self._stop = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def dial(self, n_stalled, n_dribbling):
        hello = client_hello()
        for number in range(n_stalled + n_dribbling):
            sock = socket.create_connection((HOST, PORT), PATIENCE_S)
            if number >= n_stalled:
                self._dribbling[sock] = hello
            elif number % 3 == 1:
                # half of a record, which cannot be answered
                sock.sendall(hello[: len(hello) // 2])
            elif number % 3 == 2:
                # a whole one, which is answered, and that is not
                sock.sendall(hello)
                self.answered.add(sock)
            self.add(sock)

    def add(self, sock):
        sock.setblocking(False)
        self._began[sock] = time.monotonic()
        self._selector.register(sock, selectors.EVENT_READ)

    def start(self):
        self._thread.start()

    def _dribble(self):
        for sock, left in list(self._dribbling.items()):
            try:
                sock.send(left[:1])
                self._dribbling[sock] = left[1:]
            except OSError:
                del self._dribbling[sock]

    def _hear(self, sock):
        try:
            if sock.recv(4096):
                return
        except OSError:
            pass
        self.gone[sock] = time.monotonic() - self._began[sock]
        self._dribbling.pop(sock, None)
        self._selector.unregister(sock)

    def _run(self):
        due = time.monotonic()
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.05):
                self._hear(key.fileobj)
            if time.monotonic() >= due:
                due += DRIBBLE_S
                self._dribble()

    def n_left(self):
        return len(self._began) - len(self.gone)

    def close(self):
        self._stop.set()
        self._thread.join()
        for sock in self._began:
            sock.close()


class Stalled(TestCase):
    def crowd(self):
        crowd = Crowd()
        self.addCleanup(crowd.close)
        return crowd

    def assert_all_gone(self, crowd, number):
        members.wait_until("all to be gone", lambda: crowd.n_left() == 0,
                           DEADLINE_S + SLACK_S * SLOWNESS)
        self.assertEqual(len(crowd.gone), number)

    def assert_not_delayed(self, member, calm):
        """What GIO does for the application has not waited for handshakes; others of this machine may
        have had it wait before, and will again."""
        late = member.ask_late()
        print(f"late by {late * 1000:.0f} ms, and {calm * 1000:.0f} ms before")
        self.assertLess(late - calm, LATE_S * SLOWNESS, member)

    def test_S3_callers(self):
        """50 who say nothing, or stop in the midst of it, and 10 who dribble; then a good peer comes."""
        member = self.start_with(self.good)
        member.set('"kept"')
        member.wait_value('"kept"')
        calm = member.ask_late()
        crowd = self.crowd()
        crowd.dial(N_STALLED, N_DRIBBLING)
        crowd.start()
        began = time.monotonic()
        peer = self.start_member(self.write_conf(self.good))
        peer.wait_value('"kept"', SYNCED_S * SLOWNESS)
        peer.wait("synced", lambda: peer.state == "synced", SYNCED_S * SLOWNESS)
        took = time.monotonic() - began
        print(f"synced after {took * 1000:.0f} ms")
        self.assertLess(took, SYNCED_S * SLOWNESS)
        self.assertGreaterEqual(crowd.n_left(), N_STALLED + N_DRIBBLING - len(crowd.answered))
        self.assert_all_gone(crowd, N_STALLED + N_DRIBBLING)
        # not at once: they were let in, and waited for, if no one had to give up his place
        patient = [seconds for sock, seconds in crowd.gone.items() if sock not in crowd.answered]
        self.assertGreater(min(patient), DEADLINE_S / 2)
        self.assert_not_delayed(member, calm)
        members.wait_until("no connections but the good one", lambda: count_accepted(member) <= 2)
        self.assert_end(member, peer)

    def test_S3_dialled(self):
        """30 entries of the configuration where somebody takes the call and says nothing."""
        n_entries = 32
        crowd = self.crowd()
        doors = [socket.create_server((HOST, members.entry(i)["port"])) for i in range(2, n_entries)]
        for door in doors:
            self.addCleanup(door.close)
        conf = self.write_conf(self.good, n_entries=n_entries)
        member = self.start_member(conf)
        member.wait_listening()
        for door in doors:
            door.settimeout(PATIENCE_S)
            crowd.add(door.accept()[0])
        crowd.start()
        calm = member.ask_late()
        began = time.monotonic()
        peer = self.start_member(conf)
        peer.wait_linked(1, SYNCED_S * SLOWNESS)
        member.wait_linked(1, SYNCED_S * SLOWNESS)
        self.assertLess(time.monotonic() - began, SYNCED_S * SLOWNESS)
        member.set('"to the other"')
        peer.wait_value('"to the other"')
        self.assert_all_gone(crowd, len(doors))
        self.assert_not_delayed(member, calm)
        self.assert_end(member, peer)


def count_accepted(member):
    """How many TCP connections there are at the port of the first entry."""
    port = f":{PORT:04X}"
    host = "".join(f"{int(number):02X}" for number in reversed(HOST.split(".")))
    table = pathlib.Path(f"/proc/{member.pid}/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in table]
    return sum(f[1] == host + port and f[3] == "01" for f in fields)


if __name__ == "__main__":
    members.main()
