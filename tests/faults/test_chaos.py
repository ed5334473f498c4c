# SPDX-License-Identifier: MIT
"""All at once: networks, processes and clocks fail as chance has it, while everybody writes.

The same steps as the simulator's, for real. AMNESIA_SEED runs one seed again; as processes are not
to be had twice in the same way, that repeats the steps, not what came of them.
"""

import os
import random
import time

from clocks import FakeClock, NO_FAKE_CLOCK
from faults import PORT, TestCase, main, needs_machines, say, short_or_long
from history import settled_at, stirred_at
from machines import DROP, RESET

N_MEMBERS = 5
SECONDS = float(os.environ.get("AMNESIA_SECONDS", short_or_long(10, 60)))
# A dial and the largest back-off; two heartbeats that differ and an exchange; a noisy machine.
SETTLE_S = 12


class World:
    """Five machines, what is wrong between them, and who is stopped."""

    def __init__(self, test, seed):
        self.test = test
        self.rand = random.Random(seed)
        self.machines = test.network(N_MEMBERS).machines
        # those who are not listed are guests
        self.n_listed = self.rand.choice([N_MEMBERS, N_MEMBERS, 3, 2])
        peers = [{"host": m.address, "port": PORT} for m in self.machines[: self.n_listed]]
        self.conf = test.conf({"peers": peers, "allow": ["10.77.0.0/16"]})
        self.clocks = [
            FakeClock(test.folder / f"{index}.clock") if not NO_FAKE_CLOCK else None
            for index in range(N_MEMBERS)
        ]
        self.verdicts = [{} for _ in self.machines]
        self.stopped = set()
        self.members = [self.start(index) for index in range(N_MEMBERS)]

    def start(self, index):
        clock = self.clocks[index]
        first = self.rand.choice([None, "set", "set 100000"])
        env = clock.env if clock else {}
        return self.test.start(f"m{index}", self.conf, self.machines[index].prefix, env, first)

    def pick(self):
        return self.rand.randrange(N_MEMBERS)

    # --- the steps ---

    def write(self):
        index = self.pick()
        size = self.rand.choice([0, 0, 0, 1000, 70_000, 1_500_000])
        count = self.rand.choice([1, 1, 3, 30])
        self.members[index].load(count, size, self.rand.choice([0, 1, 20]))

    def cut(self):
        one, other = self.rand.sample(range(N_MEMBERS), 2)
        verdict = self.rand.choice([DROP, DROP, RESET])
        self.verdicts[one][self.machines[other]] = verdict
        if self.rand.random() < 0.7:
            self.verdicts[other][self.machines[one]] = verdict
        self.judge()

    def split(self):
        """Two parts that do not see each other."""
        half = self.rand.sample(range(N_MEMBERS), self.rand.choice([1, 2]))
        for one in half:
            for other in set(range(N_MEMBERS)) - set(half):
                self.verdicts[one][self.machines[other]] = DROP
                self.verdicts[other][self.machines[one]] = DROP
        self.judge()

    def heal(self):
        for verdicts in self.verdicts:
            for machine in list(verdicts):
                if self.rand.random() < 0.5:
                    del verdicts[machine]
        self.judge()

    def judge(self):
        for machine, verdicts in zip(self.machines, self.verdicts):
            machine.judge(verdicts, anew=True)

    def kill(self):
        index = self.pick()
        self.members[index].kill()
        self.stopped.discard(index)
        self.members[index] = self.start(index)

    def stop(self):
        index = self.pick()
        self.members[index].stop()
        self.stopped.add(index)

    def wake(self):
        if self.stopped:
            index = self.rand.choice(sorted(self.stopped))
            self.stopped.discard(index)
            self.members[index].wake()

    def turn_clock(self):
        clock = self.rand.choice(self.clocks)
        if clock:
            clock.set(self.rand.choice([-3600, -60, -1, 0, 0, 1, 60, 3600]))

    def step(self):
        steps = {
            self.write: 30,
            self.cut: 6,
            self.split: 4,
            self.heal: 5,
            self.kill: 3,
            self.stop: 3,
            self.wake: 5,
            self.turn_clock: 4,
        }
        step = self.rand.choices(list(steps), list(steps.values()))[0]
        step()
        time.sleep(self.rand.choice([0, 0.01, 0.05, self.rand.uniform(0, 0.5)]))

    def calm(self):
        """All is well again; returns since when."""
        for member in self.members:
            member.wake()
        for verdicts in self.verdicts:
            verdicts.clear()
        self.judge()
        healed = time.monotonic()
        for member in self.members:
            member.rest()
        return healed


@needs_machines
class Chaos(TestCase):
    def run_seed(self, seed):
        with self.subTest(seed=seed):
            world = World(self, seed)
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                world.step()
            calm = world.calm()
            self.agree(world.members)
            settled = settled_at(world.members) - max(calm, stirred_at(world.members))
            for member in world.members[: world.n_listed]:
                member.wait("its links", lambda: member.linked >= world.n_listed - 1)
            n_writes = sum(len(life.writes()) for life in self.lives)
            n_changes = sum(len(life.changes) for life in self.lives)
            say(f"seed {seed}: {world.n_listed} listed, {len(self.lives)} lives, "
                f"{n_writes} writes, {n_changes} changes seen, "
                f"equal {settled:.2f} s after it was over")
            # the connection to one who leaves may be one that the kernel has not got going again
            self.end(world.members, calm, SETTLE_S, may_miss=True)

    def seeds(self):
        return int(os.environ.get("AMNESIA_SEED", random.randrange(1_000_000)))


for number in range(short_or_long(2, 16)):
    setattr(Chaos, f"test_{number}", lambda self: self.run_seed(self.seeds()))

if __name__ == "__main__":
    main()
