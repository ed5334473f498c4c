# SPDX-License-Identifier: MIT
"""What does not speak our language, or comes and goes, changes nothing and costs nothing."""

import os
import random
import socket
import ssl

from members import PATIENCE_S, ROUNDS, TestCase, languages_for, main, wait_until


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="amnesia")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def reach(member):
    """Connects to a member, which need not have the first entry: the kernel may refuse an entry
    to both of two who ask for it at the same moment."""
    host, port = member.entry.split(":")
    return socket.create_connection((host, int(port)), PATIENCE_S)


def call(member, data):
    """Sends this to a member, and waits until it hangs up."""
    with reach(member) as stranger:
        try:
            stranger.sendall(data)
            while stranger.recv(4096):
                pass
        except ConnectionError:
            pass


class Strangers(TestCase):
    def setUp(self):
        super().setUp()
        self.members = self.start_all(languages_for(2), self.conf_of(3))
        self.members[0].set('"kept"')
        self.see_value(self.members, '"kept"')
        self.wait_links(1)

    def wait_links(self, number):
        wait_until(
            f"{number} connections each",
            lambda: all(member.n_connections() == number for member in self.members),
        )

    def count_descriptors(self):
        """The least in a while: they dial the absent third now and then, which takes one."""
        samples = []

        def sample():
            samples.append([member.n_descriptors() for member in self.members])
            return len(samples) == 20

        wait_until("20 samples", sample)
        return [min(column) for column in zip(*samples)]

    def assert_descriptors(self, before):
        wait_until(
            f"no more descriptors than {before}",
            lambda: all(m.n_descriptors() <= n for m, n in zip(self.members, before)),
        )

    def assert_unmoved(self, data):
        descriptors = self.count_descriptors()
        n_lines = [len(member.lines) for member in self.members]
        call(self.members[0], data)
        self.wait_links(1)
        self.assert_descriptors(descriptors)
        self.assertEqual([len(member.lines) for member in self.members], n_lines)
        newcomer = self.start("c", self.conf_of(3))
        newcomer.wait("the value at once", lambda: newcomer.value == '"kept"', 2)
        self.wait_links(2)
        self.end_all([newcomer])
        self.wait_links(1)

    def test_http(self):
        self.assert_unmoved(b"GET / HTTP/1.1\r\nHost: amnesia\r\n\r\n")

    def test_tls(self):
        self.assert_unmoved(client_hello())

    def test_random_bytes(self):
        seed = os.environ.get("AMNESIA_SEED", str(random.randrange(1 << 32)))
        print(f"AMNESIA_SEED={seed}")
        chance = random.Random(seed)
        for _ in range(5):
            self.assert_unmoved(chance.randbytes(chance.randrange(1, 5000)))

    def test_json(self):
        self.assert_unmoved(b'{"jsontest":123}')

    def test_silence(self):
        """One who says nothing is not heard, and does not keep others from being heard."""
        with reach(self.members[0]):
            newcomer = self.start("c", self.conf_of(3))
            newcomer.wait("the value at once", lambda: newcomer.value == '"kept"', 2)
            self.end_all([newcomer])

    def tearDown(self):
        self.end_all(self.members)

    def test_coming_and_going(self):
        def come_and_go():
            guest = self.start("c", self.conf_of(3))
            guest.wait_value('"kept"')
            self.wait_links(2)
            guest.kill()
            guest.destroy()
            self.wait_links(1)

        come_and_go()
        before = self.count_descriptors()
        for _ in range(10 * ROUNDS):
            come_and_go()
        self.assert_descriptors(before)


if __name__ == "__main__":
    main()
