# SPDX-License-Identifier: MIT
"""Wall clocks that are wrong, jump and stand still; monotonic ones are left alone."""

import random
import time
import unittest

from clocks import FakeClock, NO_FAKE_CLOCK
from faults import BOUND_S, PORT, TestCase, main, new_host, say, short_or_long

HOUR = 3600


@unittest.skipIf(NO_FAKE_CLOCK, NO_FAKE_CLOCK)
class Clocks(TestCase):
    def clock(self, name, setting=0):
        return FakeClock(self.folder / f"{name}.clock", setting)

    def start_with(self, clocks, conf=None):
        conf = conf or self.local_conf(len(clocks))
        members = [self.start(f"m{i}", conf, env=clock.env) for i, clock in enumerate(clocks)]
        self.wait_meshed(members)
        return members

    def assert_links_lived(self, members):
        for member in members:
            self.assertFalse(member.said("disconnected"), member)

    def test_K1_ten_minutes_apart(self):
        """Whoever writes after having seen the other's value wins, 100 times by turns."""
        members = self.start_with([self.clock("now"), self.clock("behind", -600)])
        for turn in range(100):
            value = members[turn % 2].set()
            self.see(members, value)
        for member in members:
            self.assertTrue(member.said(r"its clock is \d+\.\d s (ahead of|behind) ours"), member)
        self.assert_links_lived(members)
        self.end(members)

    def test_K1_ten_minutes_apart_at_once(self):
        """When both write at once the clock that is ahead decides, and decides for both."""
        members = self.start_with([self.clock("now"), self.clock("behind", -600)])
        for member in members:
            member.load(count=300, milliseconds=3)
        for member in members:
            member.wait_kind("loaded")
        self.agree(members)
        self.end(members)

    def test_K3_restart_behind(self):
        """It comes back with a clock one hour behind the stamps that it made before."""
        clock = self.clock("m1", HOUR)
        conf = self.local_conf(2)
        stays, gone = members = self.start_with([self.clock("m0"), clock], conf)
        for _ in range(short_or_long(3, 20)):
            self.see(members, gone.set())
            former = gone.value
            gone.kill()
            clock.set(0)
            stays.wait_linked(0)
            # Before it knows any better: an hour older by its stamp, it must lose.
            back = self.start("m1", conf, env=clock.env, first="set")
            early = f"{back.label}:1"
            self.see([stays, back], former)
            self.assertNotIn(early, [change.new for change in stays.changes])
            self.assertIn((early, former, True), [(c.old, c.new, c.remote) for c in back.changes])
            back.wait_state("synced")
            # After it, it wins.
            self.see([stays, back], back.set())
            clock.set(HOUR)
            gone = back
            members = [stays, back]
        self.end(members)

    def test_jumps(self):
        """Clocks jump to and fro by up to an hour while all write: no link ends for it."""
        clocks = [self.clock(f"m{index}") for index in range(3)]
        members = self.start_with(clocks)
        for member in members:
            member.load(milliseconds=25)
        end = time.monotonic() + short_or_long(8, 60)
        while time.monotonic() < end:
            random.choice(clocks).set(random.choice([-HOUR, -20, -1, 0, 1, 20, 600, HOUR]))
            time.sleep(random.uniform(0, 0.5))
        for member in members:
            member.rest()
        rested = time.monotonic()
        self.agree(members)
        self.assert_links_lived(members)
        self.end(members, rested, BOUND_S)

    def test_jumps_while_starting(self):
        """Who starts anew, with whatever clock it has then, takes what is there, and can write."""
        clocks = [self.clock(f"m{index}") for index in range(3)]
        conf = self.local_conf(3)
        members = self.start_with(clocks, conf)
        for _ in range(short_or_long(8, 60)):
            index = random.randrange(3)
            members[index].kill()
            clocks[index].set(random.choice([-HOUR, -1, 0, 1, HOUR]))
            members[index] = self.start(f"m{index}", conf, env=clocks[index].env)
            self.wait_meshed(members)
            self.see(members, random.choice(members).set())
        self.end(members)

    def test_frozen(self):
        """Equal clocks that stand still: the counter goes on, and the ids decide."""
        clocks = [self.clock(f"m{index}", "2031-05-05 05:05:05") for index in range(3)]
        members = self.start_with(clocks)
        for member in members:
            member.load(count=short_or_long(200, 2000), milliseconds=3)
        for member in members:
            member.wait_kind("loaded", patience=120)
        self.agree(members)
        updated = {change.updated for member in members for change in member.changes}
        n_writes = sum(len(member.writes()) for member in members)
        say(f"frozen: {n_writes} writes in {len(updated)} milliseconds")
        self.assertEqual(len(updated), 1)
        self.end(members)

    def test_years_ahead(self):
        """What was written two years ahead is taken by nobody; set right, it is written anew."""
        host = new_host()
        peers = [{"host": host, "port": PORT + index} for index in range(2)]
        conf = self.conf({"peers": peers, "clock-limit": 0})
        clock = self.clock("m1", 2 * 365 * 24 * HOUR)
        right, wrong = self.start_with([self.clock("m0"), clock], conf)
        before = right.value
        value = wrong.set()
        refused = "more than a year in the future"
        right.wait("it to be refused", lambda: right.said(refused))
        self.assertEqual(right.value, before)
        clock.set(0)
        right.wait_value(value)
        for member in (right, wrong):
            self.see([right, wrong], member.set())
            self.assertFalse(member.said("disconnected"))
        for member in (right, wrong):
            member.close()

    def test_far_apart(self):
        """More than a day: refused, said on both sides, again and again but not in haste."""
        conf = self.local_conf(2)
        clocks = [self.clock("m0"), self.clock("m1", 26 * HOUR)]
        members = [self.start(f"m{i}", conf, env=clock.env) for i, clock in enumerate(clocks)]
        for member in members:
            member.wait("to be told", lambda: member.said(r"the clocks are \d+ hours apart"))
            member.wait_state("alone")
            member.set()
        clocks[1].set(0)
        for member in members:
            member.wait_linked(1)
        self.agree(members)
        self.end(members)


if __name__ == "__main__":
    main()
