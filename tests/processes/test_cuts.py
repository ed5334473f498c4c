# SPDX-License-Identifier: MIT
"""Machines, which are network namespaces, and a network between them that can be cut."""

import os
import shutil
import subprocess
import time
import unittest

from members import TestCase, languages_for, main, wait_until


def run(*command):
    subprocess.run(command, check=True, capture_output=True, text=True)


class Machine:
    """One address of 10.77.0.0/24, behind a bridge."""

    def __init__(self, index):
        self.name = f"amnesia-{os.getpid()}-{index}"
        self.address = f"10.77.0.{index}"
        self.prefix = ["ip", "netns", "exec", self.name]

    def add(self):
        chain = "add chain inet cut input { type filter hook input priority 0; }"
        run("ip", "netns", "add", self.name)
        self.run("ip", "link", "set", "lo", "up")
        self.run("nft", f"add table inet cut; {chain}")

    def run(self, *command):
        run(*self.prefix, *command)

    def plug_into(self, hub):
        port = f"port{self.address.rpartition('.')[2]}"
        peer = ["peer", "name", port, "netns", hub.name]
        self.run("ip", "link", "add", "eth0", "type", "veth", *peer)
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        hub.run("ip", "link", "set", port, "master", "bridge", "up")

    def cut_from(self, other):
        """Packets from there get lost from now on: neither side is told."""
        self.run("nft", f"add rule inet cut input ip saddr {other.address} drop")

    def heal(self):
        self.run("nft", "flush chain inet cut input")

    def remove(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=False)


def why_not():
    """Why there can be no machines here, if so."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if not shutil.which("ip") or not shutil.which("nft"):
        return "needs ip (iproute2) and nft (nftables)"
    machine = Machine(0)
    try:
        machine.add()
    except subprocess.CalledProcessError as error:
        return f"no network namespace can be made here: {error.stderr.strip()}"
    finally:
        machine.remove()
    return None


REASON = why_not()


@unittest.skipIf(REASON, REASON)
class Cuts(TestCase):
    def setUp(self):
        super().setUp()
        hub, *self.machines = [self.make_machine(index) for index in range(4)]
        hub.run("ip", "link", "add", "bridge", "up", "type", "bridge")
        for machine in self.machines:
            machine.plug_into(hub)
        self.conf_file = self.conf([{"host": m.address, "port": 7777} for m in self.machines])

    def make_machine(self, index):
        machine = Machine(index)
        self.addCleanup(machine.remove)
        machine.add()
        return machine

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
            one.cut_from(other)
            other.cut_from(one)

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
        for machine in self.machines:
            machine.heal()
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
        for machine in self.machines:
            machine.heal()
        self.see_value(members, '"after"')
        for member, number in zip(members, n_lines):
            self.assertNotIn("* ", [line[:2] for line in member.lines[number:]])
        self.end_machines(members)

    def test_ends_cannot_reach_each_other(self):
        left, middle, right = self.machines
        self.cut(left, right)
        members = self.start_machines()
        for member in members:
            member.set(f'"from {member.entry}"')
            self.see_value(members, f'"from {member.entry}"')
        self.assertEqual([m.n_connections() for m in members], [1, 2, 1])
        self.end_machines(members)


if __name__ == "__main__":
    main()
