# SPDX-License-Identifier: MIT
"""A network between machines, which are network namespaces, is cut."""

import time
import unittest

from machines import Network, cut, heal, why_not
from members import TestCase, languages_for, main, wait_until

REASON = why_not()


@unittest.skipIf(REASON, REASON)
class Cuts(TestCase):
    def setUp(self):
        super().setUp()
        network = Network()
        self.addCleanup(network.remove)
        self.machines = [network.add() for _ in range(3)]
        self.conf_file = self.conf([{"host": m.address, "port": 7777} for m in self.machines])

    def start_machines(self):
        members = [
            self.start(language, self.conf_file, machine.prefix)
            for language, machine in zip(languages_for(3), self.machines)
        ]
        for member in members:
            member.wait_state("synced")
        return members

    def cut(self, one, *others):
        for other in others:
            cut(one, other)

    def wait_meshed(self, members):
        wait_until("2 connections each", lambda: {m.n_connections() for m in members} == {2})

    def end_machines(self, members):
        self.assertEqual([m.entry for m in members], [f"{m.address}:7777" for m in self.machines])
        self.end_all(members)

    def test_cut_and_heal(self):
        members = self.start_machines()
        self.wait_meshed(members)
        self.cut(*self.machines)
        members[0].set('"by the one that is cut off"')
        members[1].set('"by the others"')
        members[0].wait_state("alone")
        self.assertEqual(members[0].value, '"by the one that is cut off"')
        members[0].set('"newest, while alone"')
        self.see_value(members[1:], '"by the others"')
        self.see_value(members[:1], '"newest, while alone"')
        heal(*self.machines)
        self.see_value(members, '"newest, while alone"')
        members[0].wait_state("synced")
        self.wait_meshed(members)
        self.end_machines(members)

    def test_short_cut(self):
        """Links live on when the cut is shorter than it takes to give up."""
        members = self.start_machines()
        self.wait_meshed(members)
        n_lines = [len(member.lines) for member in members]
        self.cut(*self.machines)
        members[0].set('"before"')
        self.see_value(members[:1], '"before"')
        # The order of writes that do not know of each other is that of their milliseconds.
        written = time.time()
        wait_until("a later time", lambda: time.time() > written + 0.002)
        members[1].set('"after"')
        self.see_value(members[1:], '"after"')
        heal(*self.machines)
        self.see_value(members, '"after"')
        for member, number in zip(members, n_lines):
            self.assertNotIn("* ", [line[:2] for line in member.lines[number:]])
        self.end_machines(members)

    def test_ends_cannot_reach_each_other(self):
        left, middle, right = self.machines
        cut(left, right)
        members = self.start_machines()
        for member in members:
            member.set(f'"from {member.entry}"')
            self.see_value(members, f'"from {member.entry}"')
        self.assertEqual([m.n_connections() for m in members], [1, 2, 1])
        self.end_machines(members)


if __name__ == "__main__":
    main()
