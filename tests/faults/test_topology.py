# SPDX-License-Identifier: MIT
"""Who is where: many at once, one after the other, behind others, under other addresses."""

import random
import time

from faults import (
    BOUND_S,
    PORT,
    TestCase,
    main,
    needs_machines,
    say,
    short_or_long,
)
from machines import Machine


class Many(TestCase):
    ALONE = True

    def test_T16_fifty_at_once(self):
        """All are started in the same second; each has its own entry, and a link to each other."""
        number = short_or_long(20, 50)
        conf = self.local_conf(number)
        started = time.monotonic()
        members = [self.start(f"m{index}", conf) for index in range(number)]
        spawned = time.monotonic() - started
        for member in members:
            member.wait_linked(number - 1, 60)
        linked = max(member.of_kind("linked")[-1].time for member in members) - started
        entries = {member.listening() for member in members}
        self.assertEqual(len(entries), number)
        say(f"T16: {number} processes, started within {spawned:.2f} s: all linked after "
            f"{linked:.2f} s")
        # on a quiet machine it is a small part of this
        self.assertLess(linked, 20)
        for member in members:
            member.wait_state("synced")
        self.see(members, random.choice(members).set())
        self.end(members)


class Restarts(TestCase):
    def test_T12_rolling_restart(self):
        """One after the other ends, in order or not, and comes back: the value stays."""
        conf = self.local_conf(3)
        members = self.start_local(3, conf)
        value = members[0].set(1000)
        self.see(members, value)
        for turn in range(short_or_long(10, 50)):
            gone = members.pop(0)
            if turn % 3 == 2:
                gone.kill()
            else:
                gone.close()
            if turn % 4 == 3:
                value = members[0].set(1000)
            back = self.start(gone.label.partition(".")[0], conf)
            back.wait_state("synced")
            self.assertEqual(back.value, value, "not there when synced")
            members.append(back)
            self.see(members, value)
        self.end(members)

    def test_T13_whole_mesh_restarts(self):
        """The first one comes up empty and writes; old values do not come back from nowhere."""
        conf = self.local_conf(4)
        for _ in range(short_or_long(2, 10)):
            members = self.start_local(4, conf)
            self.see(members, members[1].set())
            for member in members:
                member.kill()
            first = self.start("first", conf)
            first.wait_state("alone")
            self.assertEqual(first.value, "-")
            value = first.set()
            members = [first, *(self.start(f"m{index}", conf) for index in range(3))]
            self.wait_meshed(members)
            self.see(members, value)
            for member in members:
                self.assertEqual([change.new for change in member.changes], [value])
            for member in members:
                member.close()
        self.check()


@needs_machines
class Addresses(TestCase):
    def test_T10_masquerade(self):
        """Two behind one address: the id tells them apart, each is linked with all it can be."""
        network = self.network(2)
        router, (outside, other) = Machine("10.77.9.1"), network.machines
        self.addCleanup(router.remove)
        router.setup()
        router.plug_into(network.hub)
        router.run("ip", "link", "add", "bridge", "up", "type", "bridge")
        router.run("ip", "address", "add", "10.78.0.254/16", "dev", "bridge")
        router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        router.nft(
            "add table ip nat\n"
            "add chain ip nat out { type nat hook postrouting priority 100; }\n"
            "add rule ip nat out oifname eth0 masquerade\n"
        )
        inside = [Machine(f"10.78.0.{number}") for number in (1, 2)]
        for machine in inside:
            self.addCleanup(machine.remove)
            machine.setup()
            machine.plug_into(router)
            machine.run("ip", "route", "add", "default", "via", "10.78.0.254")
        machines = [outside, other, *inside]
        entries = [{"host": machine.address, "port": PORT} for machine in machines]
        conf = self.conf({"peers": entries, "allow": [router.address]})
        members = [self.start(name, conf, m.prefix) for name, m in zip("abcd", machines)]
        self.wait_meshed(members)
        for member in members:
            self.see(members, member.set(1000))
        # whoever is behind it is known by the entry that he says is his
        members[2].kill()
        for member in (*members[:2], members[3]):
            member.wait_linked(2)
        members[2] = self.start("c", conf, machines[2].prefix)
        self.wait_meshed(members)
        self.see(members, members[2].set())
        self.end(members)

    def test_T17_address_changes(self):
        """The name of a peer that was given another address is looked up anew."""
        network = self.network(2)
        left, right = network.machines
        names = ["left.test", "right.test"]
        conf = self.conf([{"host": name, "port": PORT} for name in names])

        def name_them():
            lines = f"{left.address} left.test\n{right.address} right.test\n127.0.0.1 localhost\n"
            for machine in (left, right):
                machine.replace("/etc/hosts", lines)

        name_them()
        members = self.start_on(network.machines, conf)
        # from now on only the one that has to look for the other dials
        right.nft("add rule inet cut output tcp flags & (syn | ack) == syn drop")
        for turn in range(short_or_long(1, 5)):
            self.see(members, members[0].set())
            members[1].kill()
            right.run("ip", "address", "flush", "dev", "eth0")
            right.address = f"10.77.5.{turn + 1}"
            right.run("ip", "address", "add", f"{right.address}/16", "dev", "eth0")
            members[0].wait_state("alone")
            members[1] = self.start("b", conf, right.prefix)
            name_them()
            named = time.monotonic()
            self.agree(members)
            self.wait_meshed(members)
            took = max(member.of_kind("linked")[-1].time for member in members) - named
            say(f"T17: linked {took:.2f} s after the new address was known")
            self.assertLess(took, BOUND_S + 5)
        self.end(members)

    def test_C7_similar_address(self):
        """10.77.0.2 is an entry, 10.77.0.25 is this machine: that is not ours."""
        network = self.network()
        similar = network.add("10.77.0.25")
        listed = network.add("10.77.0.2")
        conf = self.conf(
            {
                "peers": [{"host": listed.address, "port": PORT}],
                "allow": [f"{similar.address}/32"],
            }
        )
        guest = self.start("guest", conf, similar.prefix)
        guest.wait_state("alone")
        self.assertIn(guest.listening(), (None, "-"))
        member = self.start("member", conf, listed.prefix)
        member.wait_linked(1)
        self.assertEqual(member.listening(), f"{listed.address}:{PORT}")
        self.see([guest, member], guest.set())
        self.end([guest, member])

    def test_C10_dead_name_server(self):
        """A name that nobody tells the address of: the others are dialled at once."""
        network = self.network(2)
        for machine in network.machines:
            # nobody is there, and nothing comes back
            machine.replace("/etc/resolv.conf", "nameserver 10.77.200.1\n")
            machine.nft("add rule inet cut output ip daddr 10.77.200.1 drop")
        entries = [{"host": machine.address, "port": PORT} for machine in network.machines]
        conf = self.conf([entries[0], {"host": "nobody.test", "port": PORT}, entries[1]])
        started = time.monotonic()
        members = [self.start(name, conf, m.prefix) for name, m in zip("ab", network.machines)]
        for member in members:
            member.wait_linked(1)
            # one that begins waits for a second for a name before an entry that may be its own
            self.assertLess(member.of_kind("linked")[0].time - started, 3)
        self.see(members, members[0].set())
        for member in members:
            member.wait_state("synced")
            member.wait("to be told", lambda: member.said("nobody.test:.*"), 20)
        usage = [(m.n_threads(), m.n_descriptors()) for m in members]
        time.sleep(short_or_long(5, 60))
        for member, (threads, descriptors) in zip(members, usage):
            # GLib cannot end a lookup that is under way
            self.assertLessEqual(member.n_threads(), threads + 10)
            self.assertLessEqual(member.n_descriptors(), descriptors + 10)
        say(f"C10: {[m.n_threads() for m in members]} threads, told: "
            f"{' '.join(members[0].said('nobody.test')[-1].args)}")
        self.end(members)


if __name__ == "__main__":
    main()
