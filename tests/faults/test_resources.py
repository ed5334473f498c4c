# SPDX-License-Identifier: MIT
"""Descriptors, memory and disks that run out; calls that fail for lack of them."""

import os
import random
import resource
import shutil
import socket
import subprocess
import time
import unittest

from faults import (
    BOUND_S,
    MIB,
    SANITIZED,
    TestCase,
    main,
    needs_machines,
    say,
    short_or_long,
)
from machines import heal, reset
from members import wait_until


def address_of(member):
    host, _, port = member.listening().rpartition(":")
    return host, int(port)


def entry_of(member):
    host, port = address_of(member)
    return {"host": host, "port": port}


def limit(member, what, soft):
    """The hard limit stays: who was under a low one could not be let go again."""
    _, hard = resource.prlimit(member.pid, what)
    resource.prlimit(member.pid, what, (hard if soft is None else soft, hard))


def why_no_injection():
    if not shutil.which("strace"):
        return "needs strace"
    command = ["strace", "-o", "/dev/null", "-e", "inject=getppid:error=EPERM", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"strace cannot inject faults here: {done.stderr.strip()}" if done.returncode else None


NO_INJECTION = why_no_injection()


class Injection:
    """While it lasts, system calls of a process fail as told."""

    def __init__(self, member, *faults):
        """A fault is as strace has it, such as `connect:error=ENOMEM`."""
        names = ",".join(fault.partition(":")[0] for fault in faults)
        self._strace = subprocess.Popen(
            ["strace", "-f", f"--attach={member.pid}", f"--trace={names}"]
            + [f"--inject={fault}" for fault in faults],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._text = self._strace.stderr.readline()
        if "attached" not in self._text:
            raise AssertionError(self._text)

    def end(self):
        """Returns how many calls failed."""
        self._strace.terminate()
        return self._strace.communicate()[1].count("(INJECTED)")


class Descriptors(TestCase):
    def spin(self, member, seconds, what):
        """It must not: the time that it uses in this time."""
        before = member.cpu_seconds()
        time.sleep(seconds)
        used = member.cpu_seconds() - before
        say(f"{what}: {used:.2f} s of CPU in {seconds} s")
        self.assertLess(used, 0.3 * seconds)

    def test_R1_no_descriptor_to_accept_with(self):
        """Callers come and there is none left: no spin, nobody else is hurt, and it ends."""
        members = self.start_local(2)
        victim = members[0]
        limit(victim, resource.RLIMIT_NOFILE, victim.n_descriptors() + 2)
        callers = []
        for _ in range(60):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(address_of(victim))
            callers.append(caller)
        self.spin(victim, 3, "R1: nothing to accept with")
        for member in members:
            self.see(members, member.set())
        for caller in callers:
            caller.close()
        limit(victim, resource.RLIMIT_NOFILE, None)
        third = self.start("m2", self.conf([entry_of(member) for member in members], "third.json"))
        third.wait_state("synced")
        self.see([*members, third], third.set())
        self.assertFalse(members[1].said("disconnected"))
        self.end([*members, third])

    def test_R1_started_with_few(self):
        """As many as it needs to begin with, not one for the link."""
        conf = self.local_conf(2)
        first = self.start("m0", conf)
        first.wait_state("alone")
        limit(first, resource.RLIMIT_NOFILE, first.n_descriptors())
        first.set()
        second = self.start("m1", conf)
        second.wait_state("alone", "syncing")
        self.spin(first, short_or_long(2, 20), "R1: no descriptor for the only peer")
        limit(first, resource.RLIMIT_NOFILE, None)
        freed = time.monotonic()
        self.agree([first, second])
        self.end([first, second], freed, BOUND_S)

    @unittest.skipIf(NO_INJECTION, NO_INJECTION)
    def test_R1_accept_fails(self):
        for error in ("EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ECONNABORTED", "EPERM"):
            with self.subTest(error=error):
                self.accept_fails(error)

    def accept_fails(self, error):
        conf = self.local_conf(2)
        first = self.start("m0", conf)
        first.wait_state("alone")
        injection = Injection(first, f"accept4:error={error}", f"accept:error={error}")
        # the greater one's dial would do it without accepting
        second = self.start("m1", self.conf([entry_of(first)], f"{error}.json"))
        value = second.set()
        self.spin(first, 2, f"R1: accept fails with {error}")
        n_failed = injection.end()
        self.assertGreater(n_failed, 1)
        # under strace a spin takes little of our time: it is seen by how often it is tried
        self.assertLess(n_failed, 60)
        self.see([first, second], value)
        first.close()
        second.close()

    @needs_machines
    @unittest.skipIf(NO_INJECTION, NO_INJECTION)
    def test_R2_dial_fails(self):
        """All that a dial is made of fails for a while, or each other time."""
        self.calls_fail(
            True,
            {
                "socket": ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EACCES"],
                "connect": ["ENOMEM", "EAGAIN", "EADDRNOTAVAIL", "EPERM"],
                "bind": ["ENOMEM"],
                "getsockname": ["ENOBUFS"],
                "getsockopt": ["ENOBUFS"],
                "setsockopt": ["ENOMEM"],
            },
        )

    @needs_machines
    @unittest.skipIf(NO_INJECTION, NO_INJECTION)
    def test_R2_link_fails(self):
        """The same for all that an accepted link is made of."""
        self.calls_fail(
            False,
            {
                "accept,accept4": ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"],
                "sendmsg": ["ENOMEM", "ENOBUFS", "EPERM"],
                "recvfrom": ["ENOMEM"],
                "getsockname": ["ENOBUFS"],
                "getpeername": ["ENOBUFS"],
                "setsockopt": ["ENOMEM"],
                "shutdown": ["ENOTCONN"],
            },
        )

    def calls_fail(self, dials, errors):
        """`dials`: only the one whose calls fail does so; else only the other one."""
        machines = self.network(2).machines
        left, right = members = self.start_on(machines, self.conf_of(machines))
        called = machines[1] if dials else machines[0]
        called.nft("add rule inet cut output tcp flags & (syn | ack) == syn drop")
        for calls, names in errors.items():
            for error in names:
                how = f"{error}{random.choice(['', ':when=1+2'])}"
                self.fail_once(machines, members, calls.split(","), how)
        self.end(members)

    def fail_once(self, machines, members, calls, how):
        left, right = members
        injection = Injection(left, *(f"{call}:error={how}" for call in calls))
        before = left.cpu_seconds()
        reset(*machines)
        for member in members:
            member.set()
        right.wait_state("alone")
        heal(*machines)
        time.sleep(short_or_long(0.7, 3))
        used = left.cpu_seconds() - before
        n_failed = injection.end()
        healed = time.monotonic()
        self.agree(members)
        for member in members:
            member.wait_linked(1)
        took = max(m.changes[-1].time for m in members) - healed
        say(f"R2: {'/'.join(calls)} failed {n_failed} times with {how}: {used:.2f} s of CPU, "
            f"equal {max(0, took):.2f} s after the end")
        self.assertLess(used, short_or_long(0.5, 1))
        self.assertLess(n_failed, 100)
        self.check(members, healed, BOUND_S)


# Large blocks go back to the system at once: what is measured is what is held, not what is kept
# for the next time.
MALLOC = {"GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={MIB}"}


@unittest.skipIf(SANITIZED, "a sanitizer has memory of its own")
class Memory(TestCase):
    ALONE = True

    def test_R6_large_value_to_many(self):
        """16 MiB to 20 peers: one copy of the bytes, not one for each."""
        n_peers = short_or_long(8, 20)
        size = 16 * MIB - 64
        conf = self.local_conf(n_peers + 1)
        members = [self.start(f"m{i}", conf, env=MALLOC) for i in range(n_peers + 1)]
        self.wait_meshed(members)
        writer = members[0]
        before = writer.memory("VmHWM")
        started = time.monotonic()
        for _ in range(short_or_long(2, 5)):
            self.see(members, writer.set(size), 60)
        took = time.monotonic() - started
        most = writer.memory("VmHWM") - before
        say(f"R6: 16 MiB to {n_peers} peers, {took:.1f} s: the writer had "
            f"{most / MIB:.1f} MiB more at most, has {(writer.memory() - before) / MIB:.1f} MiB more now")
        self.assertLess(most, 3 * size)
        for member in members[1:]:
            self.assertLess(member.memory("VmHWM") - before, 3 * size)
        # all is given back with the value
        self.see(members, writer.set())
        for member in members:
            wait_until("the memory back", lambda: member.memory() < before + 4 * MIB)
        self.end(members)

    def test_R7_no_memory_for_a_value(self):
        """The frame fails and the link; nothing aborts; a smaller value is taken."""
        writer, poor = members = self.start_local(2)
        self.see(members, writer.set(1000))
        limit(poor, resource.RLIMIT_AS, poor.memory("VmSize") + 6 * MIB)
        for _ in range(short_or_long(1, 5)):
            held = poor.value
            writer.set(12 * MIB)
            poor.wait("a link that ends", lambda: poor.said("no memory"))
            before = poor.cpu_seconds()
            time.sleep(short_or_long(2, 10))
            self.assertLess(poor.cpu_seconds() - before, short_or_long(1, 5))
            self.assertEqual(poor.value, held)
            self.see(members, writer.set(10))
            self.see(members, poor.set(10))
        limit(poor, resource.RLIMIT_AS, None)
        self.see(members, writer.set(12 * MIB))
        self.end(members)

    def test_R10_short_connections(self):
        """10,000 who come and go, some with a word, some with a reset: nothing stays of them."""
        members = self.start_local(2)
        victim = members[0]
        where = address_of(victim)
        number = short_or_long(2000, 10_000)
        self.warm_up(victim, where)
        victim.report()
        before = (victim.n_descriptors(), victim.report()[2], victim.n_threads())
        memory = victim.memory()
        started = time.monotonic()
        self.call(where, number)
        took = time.monotonic() - started
        wait_until("no descriptor more", lambda: victim.n_descriptors() <= before[0])
        after = (victim.n_descriptors(), victim.report()[2], victim.n_threads())
        say(f"R10: {number} connections in {took:.1f} s: descriptors, sources, threads {before} "
            f"then, {after} now; memory {(victim.memory() - memory) // 1024} KiB more")
        for now, then in zip(after, before):
            self.assertLessEqual(now, then)
        self.assertLess(victim.memory() - memory, MIB)
        self.assertFalse([m for m in members if m.said(r":\d+: disconnected")])
        self.see(members, victim.set())
        self.end(members)

    def warm_up(self, victim, where):
        """What it gets with the first of them and keeps: with many at once, a descriptor of epoll."""
        idle = victim.n_descriptors()
        callers = [socket.create_connection(where, timeout=20) for _ in range(8)]
        wait_until("all let in", lambda: victim.n_descriptors() >= idle + len(callers))
        for caller in callers:
            caller.close()
        self.call(where, 200)
        wait_until("all gone", lambda: victim.n_descriptors() <= idle + 1)

    def call(self, where, number):
        """With half a preamble, garbage, nothing; ended in order or with a reset."""
        for index in range(number):
            with socket.create_connection(where, timeout=20) as caller:
                words = [b"", b"\0amn", b"GET / HTTP/1.0\r\n\r\n", b"\0amnesia" + os.urandom(50)]
                try:
                    caller.sendall(words[index % 4])
                except OSError:
                    pass
                if index % 8 < 4:
                    linger = b"\1\0\0\0\0\0\0\0"
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@needs_machines
class Disk(TestCase):
    def test_R11_read_only(self):
        """Nothing can be written anywhere: it does not matter."""
        network = self.network(2)
        script = """
            awk '{ print $2 }' /proc/mounts | while read -r where; do
              mount -o remount,bind,ro "$where" 2>/dev/null || :
            done
            ! touch /tmp/x 2>/dev/null && ! touch /x 2>/dev/null && ! touch /dev/shm/x 2>/dev/null
        """
        for machine in network.machines:
            machine.run("sh", "-c", script)
        members = self.start_on(network.machines, self.conf_of(network.machines))
        for member in members:
            self.see(members, member.set(100_000))
        self.end(members)


if __name__ == "__main__":
    main()
