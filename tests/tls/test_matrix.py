# SPDX-License-Identifier: MIT
"""Who belongs gets in, and who does not is told nothing: each kind of certificate, on both sides."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time

import members
from pki import DAY_S, Authority, make_key
from tlslib import HOST, PATIENCE_S, PREAMBLE, Door, TestCase, dial, make_context

IMPOSTOR = os.environ["AMNESIA_TLS_IMPOSTOR"]
SECRET = '"a secret that nobody else may read"'
PORTS = [members.entry(index)["port"] for index in range(3)]
SHORT_S = 8
OTHER_NAMES = "other.example", "192.0.2.1"

# What is said of each; who has none cannot listen.
WHY = {
    "none": "not send a certificate",
    "rogue": "of none of the authorities",
    "expired": "has expired",
    "not yet valid": "not valid yet",
    "wrong name": f"is for {OTHER_NAMES[0]}",
}


class Matrix(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rogue = Authority(cls.scratch, "rogue")
        cls.bad = {
            "none": None,
            "rogue": cls.rogue.make(HOST),
            "expired": cls.authority.make(HOST, start=-3, end=-1),
            "not yet valid": cls.authority.make(HOST, start=1, end=3),
            "wrong name": cls.authority.make(*OTHER_NAMES),
        }
        cls.foreign_key = cls.authority.make(HOST, key=make_key(cls.scratch / "foreign.pem"))

    def start_good(self, **how):
        """A member with a value, on the first entry."""
        member = self.start_with(self.good, **how)
        member.set(SECRET)
        member.wait_value(SECRET)
        return member

    def assert_kept(self, member, value=SECRET):
        self.assertFalse(member.was_linked(), member)
        self.assertEqual(member.value, value, member)

    def wait_log(self, member, since, pattern):
        member.wait(
            f"a line of the log like {pattern}",
            lambda: any(re.search(f"^log .*{pattern}", line) for line in member.lines[since:]),
        )

    # --- against peers that hear all that they are told ---

    def test_S1_told_to_who_belongs(self):
        """The other way round: these peers would hear it. The value is not told before their hello."""
        door = Door(HOST, PORTS[1], self.good)
        self.addCleanup(door.close)
        member = self.start_good()
        heard = dial(HOST, PORTS[0], self.good)
        door.wait_ended()
        for told in heard, door.heard[0]:
            self.assertTrue(told.data.startswith(PREAMBLE), told)
            self.assertNotIn(SECRET.strip('"').encode(), told.data)
        self.assert_kept(member)
        self.assert_end(member)

    def test_S2_who_dials(self):
        """Who dials without belonging is told nothing at all, and the log says why."""
        member = self.start_good()
        for case, certificate in self.bad.items():
            for version in "1.3", "1.2":
                with self.subTest(case=case, version=version):
                    since = len(member.lines)
                    heard = dial(HOST, PORTS[0], certificate, version)
                    self.assertEqual(heard.data, b"", heard)
                    self.assert_kept(member)
                    if version == "1.3":
                        self.wait_log(member, since, WHY[case])
        self.assert_end(member)

    def test_S2_who_is_dialled(self):
        """Nor is who listens in a member's place, and `last-error` says why."""
        for case, certificate in self.bad.items():
            for version in "1.3", "1.2":
                with self.subTest(case=case, version=version):
                    door = Door(HOST, PORTS[1], certificate, version)
                    member = self.start_good()
                    door.wait_ended()
                    member.wait_told("^error " if case == "none" else f"^error .*{WHY[case]}")
                    for heard in door.heard:
                        self.assertEqual(heard.data, b"", heard)
                    self.assert_kept(member)
                    self.assert_end(member)
                    door.close()

    def start_impostor(self, role, port):
        command = [IMPOSTOR, role, HOST, str(port), self.foreign_key]
        impostor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(impostor.stdout.close)
        self.addCleanup(impostor.wait)
        self.addCleanup(impostor.kill)
        return impostor

    def assert_told_nothing(self, impostor):
        data, reason = impostor.communicate(timeout=PATIENCE_S)[0].splitlines()[-2:]
        self.assertEqual(data, "")
        self.assertNotEqual(reason, "closed")

    def test_S2_wrong_key_dials(self):
        member = self.start_good()
        self.assert_told_nothing(self.start_impostor("dial", PORTS[0]))
        self.wait_log(member, 0, "")
        self.assert_kept(member)
        self.assert_end(member)

    def test_S2_wrong_key_is_dialled(self):
        impostor = self.start_impostor("listen", PORTS[1])
        self.assertEqual(impostor.stdout.readline(), "listening\n")
        member = self.start_good()
        self.assert_told_nothing(impostor)
        member.wait_told("^error ")
        self.assert_kept(member)
        self.assert_end(member)

    # --- members of the library on both sides ---

    def assert_refused(self, one, other, why, others_why):
        """Each of the two has a `last-error` of the other one, and neither was ever linked."""
        one.wait_told(f"^error .*{why}")
        other.wait_told(f"^error .*{others_why}")
        self.assert_kept(one)
        self.assert_kept(other, "null")
        self.assert_end(one, other)

    def test_S2_members(self):
        for case in "rogue", "wrong name":
            with self.subTest(case=case):
                good = self.start_good()
                self.assert_refused(good, self.start_with(self.bad[case]), WHY[case], "")

    def test_S2_two_authorities(self):
        """Two meshes of different authorities that meet: each says the same of the other."""
        good = self.start_good()
        rogue = self.start_with(self.bad["rogue"], authorities=self.rogue.file)
        self.assert_refused(good, rogue, WHY["rogue"], WHY["rogue"])

    def test_S5_plain_and_tls(self):
        """Whoever of them was first: both say that the other one does without TLS, or with it."""
        for first, second in (self.good, None), (None, self.good):
            with self.subTest(first="TLS" if first else "plain"):
                one = self.start_with(first)
                one.set(SECRET)
                one.wait_value(SECRET)
                self.assert_refused(one, self.start_with(second), "TLS", "TLS")

    def test_S2_removed_authority(self):
        """Files are replaced, and who was let in by the old authority is not let in any more."""
        both = self.scratch / "both.pem"
        both.write_text(self.authority.file.read_text() + self.rogue.file.read_text())
        conf = self.write_conf(self.good, authorities=both, n_entries=3)
        good = self.start_member(conf)
        good.wait_listening()
        other = self.start_with(self.bad["rogue"], authorities=both, n_entries=3)
        self.assert_works(good, other)
        shutil.copy(self.authority.file, conf.parent / "new.pem")
        os.rename(conf.parent / "new.pem", conf.parent / "authority.pem")
        members.wait_until("a refusal", lambda: dial(HOST, PORTS[0], self.bad["rogue"]).data == b"")
        other.kill()
        good.wait_linked(0)
        since = len(good.lines)
        again = self.start_with(self.bad["rogue"], authorities=both, n_entries=3)
        self.wait_log(good, since, WHY["rogue"])
        again.wait_told("^error ")
        self.assertFalse(again.was_linked(), again)
        self.assertEqual(again.value, "null")
        newcomer = self.start_with(self.good, n_entries=3)
        newcomer.wait_value(good.value)
        self.assert_end(good, again, newcomer)

    def test_S8_renewed(self):
        """New links use the new certificate, and those that are up stay."""
        conf = self.write_conf(self.authority.make(HOST, end=5))
        one, other = self.start_member(conf), None
        one.wait_listening()
        one.wait_told("^log .*expires on")
        other = self.start_with(self.good)
        self.assertFalse(other.told("expires"), other)
        self.assert_works(one, other)
        new = self.authority.make(HOST)
        shutil.copy(new, conf.parent / "new.pem")
        os.rename(conf.parent / "new.pem", conf.parent / "member.pem")
        ours = new.read_text().partition("-----BEGIN PRIVATE")[0].strip()
        members.wait_until("the new certificate", lambda: shown_by(PORTS[0]) == ours)
        self.assertEqual(one.n_linked(), 1)
        self.assert_works(one, other)
        self.assert_end(one, other)

    def test_S8_becomes_wrong(self):
        """Files that are replaced by something else, or are gone, change nothing, and it is logged."""
        conf = self.write_conf(self.good, n_entries=5)
        one = self.start_member(conf)
        one.wait_listening()
        for name in "member.pem", "authority.pem":
            for content in "garbage", "", None:
                with self.subTest(name=name, content=content):
                    file = conf.parent / name
                    kept = file.read_bytes()
                    since = len(one.lines)
                    if content is None:
                        file.unlink()
                    else:
                        file.write_text(content)
                    self.wait_log(one, since, name)
                    newcomer = self.start_with(self.good, n_entries=5)
                    self.assert_works(one, newcomer)
                    self.assertEqual(dial(HOST, PORTS[0], self.bad["rogue"]).data, b"")
                    self.assert_end(newcomer)
                    file.write_bytes(kept)
        self.assert_end(one)

    def test_S8_expires(self):
        """When a certificate expires, links that are up stay, and there are no new ones."""
        end = time.time() + SHORT_S
        short = self.authority.make(HOST, end=SHORT_S / DAY_S)
        one = self.start_with(short, n_entries=3)
        other = self.start_with(self.good, n_entries=3)
        self.assert_works(one, other)
        members.wait_until("the end of a certificate", lambda: time.time() > end + 1)
        newcomer = self.start_with(self.good, n_entries=3)
        newcomer.wait_told("^error .*has expired")
        newcomer.wait_linked(1)
        self.assertEqual(one.n_linked(), 1)
        one.set('"by who has expired"')
        other.wait_value('"by who has expired"')
        newcomer.wait_value('"by who has expired"')
        self.assert_end(newcomer, one, other)

    def test_S11_self(self):
        """Who dials himself by another entry is linked with nobody, and says nothing bad of it."""
        peers = [members.entry(0), {"host": "localhost", "port": PORTS[0]}]
        certificate = self.authority.make(HOST, "localhost")
        member = self.start_with(certificate, peers=peers)
        member.wait_told("^state alone")
        self.assertFalse(member.was_linked(), member)
        self.assert_end(member)

    def test_S11_one_certificate_for_all(self):
        """A peer that shows our own certificate, and has the key, is no stranger."""
        one, other = self.start_with(self.good), self.start_with(self.good)
        self.assert_works(one, other)
        self.assert_end(one, other)


def shown_by(port):
    """The certificate that a member shows."""
    context = make_context(ssl.PROTOCOL_TLS_CLIENT)
    with socket.create_connection((HOST, port), PATIENCE_S) as connection:
        with context.wrap_socket(connection) as tls:
            return ssl.DER_cert_to_PEM_cert(tls.getpeercert(True)).strip()


if __name__ == "__main__":
    members.main()
