# SPDX-License-Identifier: MIT
"""What travels between two who belong, and what becomes of it when others have a hand in it."""

import json
import shutil
import subprocess
import tempfile

import members
from pki import Authority
from tlslib import HOST, PATIENCE_S, Proxy, TestCase, dial

SECRET = '"a secret that nobody else may read"'
PORTS = [members.entry(index)["port"] for index in range(2)]
FRONT = 100  # where the proxy of each port is
MIB = 1 << 20


class Wire(TestCase):
    def start_proxies(self):
        proxies = [Proxy((HOST, port + FRONT), (HOST, port)) for port in PORTS]
        for proxy in proxies:
            self.addCleanup(proxy.close)
        return proxies

    def start_two(self, certificate, others=None, **how):
        """Each dials the other one by a proxy."""
        fronts = [{"host": HOST, "port": port + FRONT} for port in PORTS]
        both = []
        self.folders = []
        for number, port in enumerate(PORTS):
            listen = {"host": HOST, "port": port}
            shown = others if number and others else certificate
            conf = self.write_conf(shown, peers=fronts, listen=listen, **how)
            self.folders.append(conf.parent)
            both.append(self.start_member(conf))
            both[-1].wait_listening()
        self.assert_works(*both)
        return both

    def test_S1_nothing_in_clear(self):
        """The value is not seen on the way; without TLS it is."""
        for certificate in self.good, None:
            with self.subTest(tls=bool(certificate)):
                proxies = self.start_proxies()
                one, other = self.start_two(certificate)
                one.set(SECRET)
                other.wait_value(SECRET)
                recorded = b"".join(proxy.recorded() for proxy in proxies)
                self.assertEqual(SECRET.strip('"').encode() in recorded, certificate is None)
                self.assert_end(one, other)
                for proxy in proxies:
                    proxy.close()

    def test_S6_truncated(self):
        """A connection that ends with no word of it is a lost link: half a value is not taken, and
        the next link brings all of it."""
        proxies = self.start_proxies()
        one, other = self.start_two(self.good)
        for number in range(3):
            since = len(other.lines)
            value = json.dumps(f"{number}" + "x" * 8 * MIB)
            for proxy in proxies:
                proxy.cut_after(3 * MIB)
            one.set(value)
            other.wait_value(value)
            kinds = [line.split()[0] for line in other.lines[since:]]
            self.assertLess(kinds.index("error"), kinds.index("value"), other)
            self.assertEqual(kinds.count("value"), 1, other)
            other.wait_told("^error .*cut off")
        self.assertGreaterEqual(sum(proxy.n_cuts for proxy in proxies), 3)
        self.assert_works(one, other)
        self.assert_end(one, other)

    def test_S2_resumed(self):
        """Who was linked before its authority was removed does not come back by what it remembers."""
        rogue = Authority(self.scratch, "rogue")
        authorities = self.scratch / "both.pem"
        authorities.write_text(self.authority.file.read_text() + rogue.file.read_text())
        proxies = self.start_proxies()
        one, other = self.start_two(self.good, rogue.make(HOST), authorities=authorities)
        file = self.folders[0] / "authority.pem"
        shutil.copy(self.authority.file, file.with_suffix(".new"))
        file.with_suffix(".new").rename(file)
        one.wait_told("^log .*read again")
        since = len(other.lines)
        for proxy in proxies:
            proxy.cut_after(0)
        # the next heartbeat meets the cut; a value could overtake it
        one.wait_linked(0)
        other.wait_linked(0)
        one.set('"after that"')
        other.set('"told nobody"')
        one.wait(
            "both to be refused",
            lambda: sum("of none of the authorities" in line for line in one.answers("log")) >= 2,
        )
        self.assertFalse(any(" connected " in line for line in other.lines[since:]), other)
        self.assertEqual((one.value, other.value), ('"after that"', '"told nobody"'))
        self.assert_end(one, other)

    def test_S9_old_versions(self):
        """Who has none that is good, or none that the system takes, is refused, and it is logged."""
        member = self.start_with(self.good)
        heard = dial(HOST, PORTS[0], self.good, "1.1")
        self.assertEqual(heard.data, b"", heard)
        member.wait_told("^log .*TLS")
        self.assertFalse(member.was_linked(), member)
        self.assert_end(member)

    def test_S10_key_updates(self):
        """Somebody who belongs, and asks for new keys for ever, or for another handshake, keeps nobody
        waiting, and gets nowhere."""
        for version, command, word in ("-tls1_3", "K", b"KEYUPDATE"), ("-tls1_2", "R", b"RENEGOTIATING"):
            with self.subTest(version=version), tempfile.TemporaryFile() as said:
                member = self.start_with(self.good)
                peer = self.start_with(self.good)
                member.ask_late()
                flood = subprocess.Popen(
                    ["openssl", "s_client", version, "-cert", self.good, "-connect",
                     f"{HOST}:{PORTS[0]}"],
                    stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT,
                )
                self.addCleanup(flood.kill)
                try:
                    while flood.poll() is None:
                        flood.stdin.write(f"{command}\n".encode())
                        flood.stdin.flush()
                except BrokenPipeError:
                    pass
                flood.communicate(timeout=PATIENCE_S)
                said.seek(0)
                times = said.read().count(word)
                print(f"{times} times {word.decode()}")
                self.assertGreater(times, 0)
                self.assertLess(member.ask_late(), 0.2, member)
                self.assert_works(member, peer)
                self.assert_end(member, peer)


if __name__ == "__main__":
    members.main()
