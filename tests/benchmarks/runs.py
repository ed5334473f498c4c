# SPDX-License-Identifier: MIT
"""Starts the processes of one measurement, and returns what they measured.

A measurement has its own address of the loopback network, so that no port can be taken.
"""

import itertools
import json
import mmap
import os
import pathlib
import select
import struct
import subprocess
import tempfile
import threading
import time

PATIENCE_S = 120
PORT = 7777
HERE = pathlib.Path(__file__).parent

# As in BenchBoard: the goal, the end, how many have it, how many must, the other process.
BOARD = struct.Struct("=qqIIi")

_hosts = itertools.count(1)


def new_host():
    pid = os.getpid()
    return f"127.{1 + next(_hosts) % 250}.{pid >> 8 & 255}.{pid & 255}"


def read_cpu(pid):
    """What a process has had of the processors, in ns: its clock, by the kernel's numbering."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def read_memory(pid):
    """The resident and the anonymous memory of a process, in kB."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        found[name] = rest.split()[:1]
    return int(found["Rss"][0]), int(found["Anonymous"][0])


class Programs:
    """Where the programs are, and what they can do."""

    def __init__(self, folder, python=None, gjs=None):
        self.member = str(pathlib.Path(folder, "benchmark-member"))
        self.baseline = str(pathlib.Path(folder, "benchmark-baseline"))
        self.python = python
        self.gjs = gjs
        self.can = json.loads(subprocess.check_output([self.member, "probe"]))

    def script(self, language):
        """The command for a member in that language, without its arguments; None if there is none."""
        if language == "python" and self.python:
            return [self.python, str(HERE / "member.py")]
        if language == "javascript" and self.gjs:
            return [self.gjs, "-m", str(HERE / "member.js")]
        return None


class Run:
    """The processes of one measurement, which all end with it."""

    def __init__(self, programs, way, peers=1, cpu=None, **values):
        self.programs = programs
        self.way = way
        self.peers = peers
        # when we are gone, they go
        self.prefix = ["setpriv", "--pdeathsig", "KILL"]
        if cpu is not None:
            self.prefix += ["taskset", "-c", str(cpu)]
        self.values = values
        self.host = new_host()
        self.processes = []

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="benchmarks-")
        self.errors = tempfile.TemporaryFile("w+")
        if self.way == "tls":
            self.make_certificate()
        self.board_fd = os.memfd_create("board")
        os.ftruncate(self.board_fd, mmap.PAGESIZE)
        self.board = mmap.mmap(self.board_fd, mmap.PAGESIZE)
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK)
        return self

    def __exit__(self, *_exception):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.communicate()
        self.errors.close()
        self.board.close()
        os.close(self.board_fd)
        os.close(self.event_fd)
        self.folder.cleanup()

    # --- starting ---

    def environment(self):
        """Members find each other's Unix sockets in a folder that no others look into."""
        env = {**os.environ, "XDG_RUNTIME_DIR": self.folder.name}
        if self.way != "local":
            del env["XDG_RUNTIME_DIR"]
        return env

    def make_certificate(self):
        """One for all, which vouches for itself."""
        subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
            " -subj /O=benchmark -addext subjectAltName=DNS:benchmark -keyout key.pem"
            " -out certificate.pem".split(),
            cwd=self.folder.name, check=True, capture_output=True)

    def conf(self, indices=None):
        """@indices: of the entries; else it is all of them."""
        indices = range(self.peers + 1) if indices is None else indices
        conf = {
            "peers": [{"host": self.host, "port": PORT + i} for i in indices],
            "max-size": 128 << 20,
        }
        if self.way != "local" and self.programs.can["can_be_turned_off"]:
            conf["local"] = False
        if self.way == "tls":
            certificate = os.path.join(self.folder.name, "certificate.pem")
            key = os.path.join(self.folder.name, "key.pem")
            conf["tls"] = {"certificate": certificate, "private-key": key,
                           "authorities": certificate, "names": ["benchmark"]}
        return json.dumps(conf)

    def arguments(self, is_library, **values):
        common = {
            "way": self.way,
            "peers": self.peers,
            "board": self.board_fd,
            "event": self.event_fd,
        }
        place = (
            {"conf": self.conf()}
            if is_library
            else {"host": self.host, "port": PORT, "path": f"{self.folder.name}/socket"}
        )
        return [f"{k}={v}" for k, v in {**common, **place, **self.values, **values}.items()]

    def command(self, program, role, **values):
        is_library = program == self.programs.member
        return [program, role, *self.arguments(is_library, **values)]

    def start(self, command):
        process = subprocess.Popen(
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=self.environment(),
            pass_fds=[self.board_fd, self.event_fd],
        )
        self.processes.append(process)
        return process

    # --- waiting ---

    def wait_line(self, process):
        """What it says next; if it says nothing for too long, it is killed."""
        timer = threading.Timer(PATIENCE_S, process.kill)
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        if not line:
            raise RuntimeError(f"has ended; {self.read_errors()}")
        return line.strip()

    def wait_word(self, process, word):
        line = self.wait_line(process)
        if line != word:
            raise RuntimeError(f"said {line}; {self.read_errors()}")

    def result(self, process):
        return json.loads(self.wait_line(process))

    def expect(self, goal):
        """What else the writer puts up on the board."""
        BOARD.pack_into(self.board, 0, goal, 0, 0, self.peers, 0)

    def wait_end(self):
        """When all had what was expected, in ns of the monotonic clock."""
        ready, _, _ = select.select([self.event_fd], [], [], PATIENCE_S)
        if not ready:
            raise RuntimeError(f"the last value has not come; {self.read_errors()}")
        _goal, end, *_ = BOARD.unpack_from(self.board, 0)
        return end

    def read_errors(self):
        self.errors.seek(0)
        return self.errors.read()
