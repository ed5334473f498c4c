# SPDX-License-Identifier: MIT
"""Members of several machines, which are network namespaces: needs root, and says so otherwise."""

import unittest

import members
from machines import Network, why_not
from tlslib import TestCase

PORT = 7777
NO_MACHINES = why_not()
PLAIN_TEXT = "^log .*plain text"


@unittest.skipIf(NO_MACHINES, NO_MACHINES)
class Machines(TestCase):
    def setUp(self):
        super().setUp()
        self.network = Network()
        self.addCleanup(self.network.remove)
        self.machines = [self.network.add() for _ in range(3)]
        # the third one is not in the list
        self.peers = [{"host": machine.address, "port": PORT} for machine in self.machines[:2]]

    def start_on(self, number, certificate=None, **how):
        """On that machine, with a certificate for its address if there is no other."""
        conf = self.write_conf(certificate, peers=self.peers, **how)
        return self.start_member(conf, self.machines[number].prefix)

    def certificate(self, number):
        return self.authority.make(self.machines[number].address)

    def start_two(self, certificates, **how):
        both = [self.start_on(i, certificates[i], **how) for i in range(2)]
        self.assert_works(*both)
        for number, member in enumerate(both):
            self.assertEqual(member.listening, f"{self.machines[number].address}:{PORT}")
        return both

    def test_S12_tls_is_enough(self):
        """By TLS, where it is required; nothing is said of plain text."""
        certificates = [self.certificate(number) for number in range(2)]
        both = self.start_two(certificates, **{"require-tls": True})
        for member in both:
            self.assertEqual([way for _, way in member.peers.values()], ["tls"], member)
            self.assertFalse(member.told(PLAIN_TEXT), member)
        self.assert_end(*both)

    def test_S12_plain_is_told(self):
        """By plain TCP: that the network can read it is told once, however many links there are."""
        both = self.start_two([None, None])
        guest = self.start_on(1)
        guest.wait_value(both[0].value)
        for member in both:
            member.wait_linked(2 if member is both[0] else member.n_linked())
            lines = [line for line in member.answers("log") if "plain text" in line]
            self.assertEqual(len(lines), 1, member)
        self.assert_end(guest, *both)

    def test_S12_plain_is_refused(self):
        """Where TLS is required, plain TCP to other machines is an error."""
        member = self.start_on(0, **{"require-tls": True})
        self.assertNotEqual(member.finish(), 0)
        self.assertIn("require-tls", member.errors())

    def test_S1_roaming(self):
        """Who has a certificate with a name that is let in may come from anywhere; who comes from
        anywhere with none is told nothing."""
        names = {"tls": {"names": ["laptop.example"]}}
        both = self.start_two([self.certificate(number) for number in range(2)], **names)
        laptop = self.start_on(2, self.authority.make("laptop.example"), **names)
        laptop.wait_value(both[0].value)
        laptop.set('"by the laptop"')
        for member in both:
            member.wait_value('"by the laptop"')
        stranger = self.start_on(2, self.authority.make("stranger.example"))
        stranger.wait_told("^error ")
        self.assertFalse(stranger.was_linked(), stranger)
        self.assertEqual(stranger.value, "null")
        self.assert_end(stranger, laptop, *both)

    def test_S2_another_machines_certificate(self):
        """The files of two machines were mixed up: who is dialled is not who was asked for, and it is
        told by which name he goes."""
        one = self.start_on(0, self.certificate(0))
        one.wait_listening()
        # who dials nobody, or he would be let in by the name that he has
        certificate = self.certificate(0)
        names = {"names": [self.machines[0].address]}
        self.peers = self.peers[1:]
        other = self.start_on(1, certificate, tls=names)
        mine, his = (machine.address for machine in self.machines[:2])
        one.wait_told(f"^error .*is for {mine}, not for {his}")
        self.assert_end(one, other)


if __name__ == "__main__":
    members.main()
