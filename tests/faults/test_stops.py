# SPDX-License-Identifier: MIT
"""Processes that are stopped for a while, and do not know it when they go on."""

import random
import time

from faults import BOUND_S, MIB, SANITIZED, TestCase, main, say, short_or_long
from members import wait_until

STOPPED_S = short_or_long(8, 20)
VALUES = short_or_long(3000, 10_000)
SIZE = 64 * 1024
# After waking: its old link is found to be dead, and one dial.
WAKE_S = 3


class Stopped(TestCase):
    ALONE = True

    def start_pair(self):
        conf = self.local_conf(2)
        return self.start_local(2, conf)

    def follow_memory(self, member, until):
        """The most that it uses until then, and that the kernel keeps for sending, in bytes."""
        most, kept = member.memory(), 0
        while not until():
            most = max(most, member.memory())
            kept = max(kept, member.n_unsent())
            time.sleep(0.05)
        return max(most, member.memory()), kept

    def test_stopped_peer(self):
        """The writer is not held up and does not grow; who wakes has the newest at once."""
        writer, peer = members = self.start_pair()
        # warmed up: one such value has gone over the wire
        self.see(members, writer.set(SIZE))
        before = writer.memory()
        peer.stop()
        stopped = time.monotonic()
        writer.load(VALUES, SIZE, 1)

        def is_over():
            return writer.of_kind("loaded") and time.monotonic() > stopped + STOPPED_S

        most, kept = self.follow_memory(writer, is_over)
        loaded = writer.wait_kind("loaded").time - stopped
        newest = writer.value
        self.assertEqual(newest, f"{writer.label}:{VALUES + 1}")
        peer.wake()
        woke = time.monotonic()
        peer.wait_value(newest)
        late = peer.changes[-1].time - woke
        say(f"stopped for {woke - stopped:.1f} s: {VALUES} values of 64 KiB in {loaded:.1f} s, the "
            f"writer grew by {(most - before) / MIB:.2f} MiB, the kernel kept "
            f"{kept / MIB:.2f} MiB of it, the peer had the newest {late:.2f} s after waking")
        if not SANITIZED:
            self.assertLess(most - before, 8 * MIB)
        self.assertLess(kept, 8 * MIB)
        self.assertLess(late, WAKE_S)
        self.end(members, woke, WAKE_S)

    def test_stopped_shortly(self):
        """Less than it takes to be given up: the link lives on, and brings the newest only."""
        writer, peer = members = self.start_pair()
        self.see(members, writer.set(SIZE))
        peer.stop()
        stopped = time.monotonic()
        writer.load(500, SIZE, 1)
        writer.wait_kind("loaded")
        wait_until("3 s have passed", lambda: time.monotonic() > stopped + 3)
        n_seen = len(peer.changes)
        peer.wake()
        woke = time.monotonic()
        peer.wait_value(writer.value)
        late = peer.changes[-1].time - woke
        say(f"stopped for 3 s: the newest {late:.2f} s after waking, "
            f"{len(peer.changes) - n_seen} values shown of 500")
        self.assertLess(late, 1)
        # what the kernel had taken before it was full; the rest is joined
        self.assertLess(len(peer.changes) - n_seen, 250)
        for member in members:
            self.assertEqual(member.linked, 1)
            self.assertFalse(member.said("disconnected"))
        self.end(members, woke, WAKE_S)


class Storm(TestCase):
    def test_storm(self):
        """All but one are stopped and woken at random, some for longer than they are waited for."""
        conf = self.local_conf(4)
        members = self.start_local(4, conf)
        for member in members:
            member.load(size=500, milliseconds=25)
        wakes = {}
        end = time.monotonic() + short_or_long(12, 90)
        while time.monotonic() < end:
            victim = random.choice(members[1:])
            if victim not in wakes:
                victim.stop()
                wakes[victim] = time.monotonic() + random.choice([0.3, 2, random.uniform(5, 9)])
            for sleeper in [m for m, wake in wakes.items() if time.monotonic() >= wake]:
                sleeper.wake()
                del wakes[sleeper]
            time.sleep(random.uniform(0, 0.7))
        for sleeper in wakes:
            sleeper.wake()
        for member in members:
            member.rest()
        woke = time.monotonic()
        self.agree(members)
        settled = max(member.changes[-1].time for member in members) - woke
        say(f"a storm of SIGSTOP: equal {settled:.2f} s after its end")
        self.wait_meshed(members)
        self.end(members, woke, BOUND_S)


if __name__ == "__main__":
    main()
