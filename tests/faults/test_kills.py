# SPDX-License-Identifier: MIT
"""Processes that end without a word, at any moment, while everybody writes; stores that do."""

import os
import random
import time

from faults import MIB, PORT, SANITIZED, TestCase, main, new_host, say, short_or_long
from members import wait_until

KILLS = int(os.environ.get("AMNESIA_KILLS", short_or_long(25, 200)))
# Two heartbeats until a difference is seen, an exchange, and a noisy machine.
REPAIR_S = 10


class Usage:
    """What must not grow, however often others come and go."""

    def __init__(self, member):
        self.member = member
        self.sources = member.report()[2]
        self.descriptors = member.n_descriptors()
        self.threads = member.n_threads()
        self.memory = member.memory()

    def __str__(self):
        return (
            f"{self.descriptors} descriptors, {self.sources} sources, {self.threads} threads, "
            f"{self.memory // 1024} KiB"
        )

    def is_flat_since(self, before):
        return (
            self.descriptors <= before.descriptors
            and self.sources <= before.sources
            and self.threads <= before.threads
            and (SANITIZED or self.memory <= before.memory + MIB)
        )


class Kills(TestCase):
    ALONE = True

    def kill_and_restart(self, members, conf):
        index = random.randrange(2, len(members))
        name = members[index].label.partition(".")[0]
        time.sleep(random.choice([0, random.uniform(0, 0.05), random.uniform(0, 0.6)]))
        members[index].kill()
        members[index] = self.start(name, conf)
        members[index].load(size=random.choice([0, 100, 20_000]), milliseconds=25)

    def test_P1_kills_under_load(self):
        """The first two live on; the others are killed and started again, whatever they do."""
        conf = self.local_conf(5)
        members = self.start_local(5, conf)
        for member in members:
            member.load(size=1000, milliseconds=25)
        for _ in range(10):
            self.kill_and_restart(members, conf)
        self.wait_meshed(members)
        before = [Usage(member) for member in members[:2]]
        for _ in range(KILLS):
            self.kill_and_restart(members, conf)
        for member in members:
            member.rest()
        self.agree(members)
        self.wait_meshed(members)
        self.assert_flat(members[:2], before)
        self.end(members, bound=REPAIR_S)

    def assert_flat(self, members, before):
        for member, usage in zip(members, before):
            now = []

            def is_flat():
                now[:] = [Usage(member)]
                return now[0].is_flat_since(usage)

            try:
                wait_until("what is used to be as before", is_flat)
            finally:
                say(f"P1: {KILLS} kills: {member.label} had {usage}; has {now[0]}")

    def test_P2_kill_right_after_a_write(self):
        """Between the write and the frame: it may be lost, it is never half, and all agree."""
        conf = self.local_conf(3)
        first, second = self.start("m0", conf), self.start("m1", conf)
        n_seen = 0
        slowest = 0
        for _ in range(short_or_long(8, 60)):
            victim = self.start("v", conf)
            self.wait_meshed([first, second, victim])
            victim.tell(f"set {random.choice([10, 300_000, 4_000_000])}")
            time.sleep(random.uniform(0, 0.008))
            victim.kill()
            killed = time.monotonic()
            for member in (first, second):
                member.wait_linked(1)
            self.agree([first, second])
            changes = first.changes[-1:] + second.changes[-1:]
            slowest = max([slowest, *(change.time - killed for change in changes)])
            n_seen += first.value.startswith(victim.label + ":")
        say(f"P2: {n_seen} writes outlived their writers, all agreed after {slowest:.2f} s at most")
        self.assertLess(slowest, REPAIR_S)
        self.end([first, second])


class Left(TestCase):
    """P6: the last reference goes in the midst of everything."""

    def conf_with_holes(self):
        """Two entries that are here, one that nobody answers at, one that is refused."""
        host = new_host()
        hosts = [host, host, "198.51.100.7", "127.0.0.1"]
        return self.conf([{"host": h, "port": PORT + i} for i, h in enumerate(hosts)])

    def test_P6_last_unref_while_pending(self):
        conf = self.conf_with_holes()
        stays = self.start("stays", conf)
        for _ in range(short_or_long(15, 100)):
            leaves = self.start("leaves", conf, first=random.choice(["set", "set 1000000", "rest"]))
            time.sleep(random.choice([0, random.uniform(0, 0.02), random.uniform(0, 0.3)]))
            leaves.tell("drop")
            fate, sources = leaves.wait_kind("dropped").args
            self.assertEqual(fate, "gone")
            # its standard input is left, and what GLib watches the network with
            self.assertLessEqual(int(sources), 3)
            links = [
                link
                for link in self.sockets(leaves)
                if any(f":{PORT + index:04X}" in link for index in range(4))
            ]
            self.assertEqual(links, [], "sockets are left")
            stays.wait_linked(0)
            back = self.start("back", conf)
            back.wait_linked(1)
            self.assertNotEqual(back.listening(), stays.listening())
            self.agree([stays, back])
            back.close()
            stays.wait_linked(0)
            leaves.kill()
        self.end([stays])

    def sockets(self, member):
        """The addresses of its TCP sockets."""
        names = set()
        for name in os.listdir(f"/proc/{member.pid}/fd"):
            try:
                names.add(os.readlink(f"/proc/{member.pid}/fd/{name}"))
            except FileNotFoundError:
                pass
        with open(f"/proc/{member.pid}/net/tcp", encoding="ascii") as table:
            fields = [line.split() for line in table][1:]
        return [f"{f[1]} {f[2]} {f[3]}" for f in fields if f"socket:[{f[9]}]" in names]


if __name__ == "__main__":
    main()
