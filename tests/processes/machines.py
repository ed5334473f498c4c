# SPDX-License-Identifier: MIT
"""Machines and a network between them that can be cut.

A machine is a network and a mount namespace without a name: it lives as long as a process in it
does, and the last one ends when we do, however that comes. So nothing is ever left behind.
"""

import os
import shutil
import subprocess

DROP = "drop"
# a reset is not answered with a reset, and gets through
RESET = "tcp flags & rst == 0 reject with tcp reset"


def run(*command, text=None):
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, input=text)
    except subprocess.CalledProcessError as error:
        raise AssertionError(f"{' '.join(command)}: {error.stderr.strip()}") from None
    return done.stdout


class Machine:
    """A machine with the address that it was given, not plugged in yet."""

    def __init__(self, address):
        self.address = address
        self._verdicts = {}
        self._files = set()
        holder = "echo; exec cat"
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation=private", "sh", "-c", holder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if self._holder.stdout.readline() != "\n":
            raise AssertionError(self._holder.stderr.read().strip())
        self.pid = self._holder.pid
        self.prefix = ["nsenter", f"--target={self.pid}", "--net", "--mount"]

    def setup(self):
        self.run("ip", "link", "set", "lo", "up")
        chains = "".join(
            f"add chain inet cut {chain} {{ type filter hook {chain} priority 0; }}\n"
            for chain in ("input", "forward", "output")
        )
        self.nft(f"add table inet cut\n{chains}")

    def run(self, *command, text=None):
        return run(*self.prefix, *command, text=text)

    def nft(self, script):
        self.run("nft", "-f", "-", text=script)

    def plug_into(self, hub, device="eth0", address=None):
        port = f"p{os.urandom(4).hex()}"
        peer = ["peer", "name", port, "netns", str(hub.pid)]
        self.run("ip", "link", "add", device, "type", "veth", *peer)
        self.run("ip", "address", "add", f"{address or self.address}/16", "dev", device)
        self.run("ip", "link", "set", device, "up")
        hub.run("ip", "link", "set", port, "master", "bridge", "up")

    # What comes from others does not arrive any more, and neither side is told; or is refused.

    def drop_from(self, *others):
        self.judge({other: DROP for other in others})

    def reset_from(self, *others):
        self.judge({other: RESET for other in others})

    def heal(self):
        self.judge({}, anew=True)

    def judge(self, verdicts, anew=False):
        """Adds these verdicts to those that there are, or has no others, all at one moment."""
        self._verdicts = {} if anew else self._verdicts
        self._verdicts.update(verdicts)
        rules = "".join(
            f"add rule inet cut input ip saddr {other.address} {verdict}\n"
            for other, verdict in self._verdicts.items()
        )
        self.nft(f"flush chain inet cut input\n{rules}")

    def slow_down(self, rate="1mbit"):
        self.run(*f"tc qdisc add dev eth0 root tbf rate {rate} burst 16kb latency 300ms".split())

    def count_dials(self):
        """From now on; returns a function that tells how many there were."""
        self.nft(
            "add counter inet cut dials\n"
            "add rule inet cut output tcp flags & (syn | ack) == syn counter name dials\n"
        )
        return lambda: int(self.run("nft", "list", "counter", "inet", "cut", "dials").split()[8])

    def replace(self, path, text):
        """Another text in this file, for the processes of this machine only."""
        if path in self._files:
            self.run("sh", "-c", f"cat > {path}", text=text)
            return
        self.run("sh", "-c", "mount -t tmpfs none /mnt && cat > /mnt/file", text=text)
        self.run("mount", "--bind", "/mnt/file", path)
        self.run("umount", "/mnt")
        self._files.add(path)

    def remove(self):
        """When its last process has ended, it is gone."""
        self._holder.kill()
        self._holder.communicate()


class Network:
    """Machines of 10.77.0.0/16, behind a bridge."""

    def __init__(self):
        self.machines = []
        self.hub = Machine(None)
        self.hub.setup()
        self.hub.run("ip", "link", "add", "bridge", "up", "type", "bridge")

    def add(self, address=None):
        number = len(self.machines) + 1
        machine = Machine(address or f"10.77.{number >> 8}.{number & 255}")
        self.machines.append(machine)
        machine.setup()
        machine.plug_into(self.hub)
        return machine

    def remove(self):
        for machine in [*self.machines, self.hub]:
            machine.remove()


def cut(one, other):
    one.drop_from(other)
    other.drop_from(one)


def reset(one, other):
    one.reset_from(other)
    other.reset_from(one)


def heal(*machines):
    for machine in machines:
        machine.heal()


def why_not():
    """Why there can be no machines here, if so."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    missing = [tool for tool in ("ip", "nft", "tc", "nsenter", "unshare") if not shutil.which(tool)]
    if missing:
        return f"needs {', '.join(missing)}"
    try:
        machine = Machine(None)
    except AssertionError as error:
        return f"no network namespace can be made here: {error}"
    try:
        machine.setup()
    except AssertionError as error:
        return f"nothing can be cut here: {error}"
    finally:
        machine.remove()
    return None
