# SPDX-License-Identifier: MIT
"""What is measured: the cases, who takes part in each, what counts, and the goals."""

import dataclasses
import statistics

import jobs

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Contestant:
    name: str
    way: str
    language: str = "c"  # or python, javascript; plain: sockets alone
    mode: str = ""
    is_mesh: bool = False  # of many peers: all are linked with each other

    def program(self, programs):
        return programs.baseline if self.language == "plain" else programs.member

    @property
    def is_script(self):
        return self.language in ("python", "javascript")

    def can_run(self, programs):
        if self.is_script:
            return programs.script(self.language) is not None
        return self.way != "local" or programs.can["local"]


def plain(name="plain TCP", way="tcp", mode=""):
    return Contestant(name, way, "plain", mode)


WAYS = {"tcp": "TCP", "local": "local", "tls": "TLS"}


def libraries(mode=""):
    return [Contestant(f"libamnesia, {name}", way, mode=mode) for way, name in WAYS.items()]


SCRIPTS = [
    Contestant("libamnesia, TCP, Python", "tcp", "python"),
    Contestant("libamnesia, TCP, JavaScript", "tcp", "javascript"),
]


@dataclasses.dataclass(frozen=True)
class Metric:
    """A figure that can be had from a result, and its goals by way: ratios to the first contestant,
    or figures themselves."""

    name: str
    unit: str
    read: callable
    goals: dict = dataclasses.field(default_factory=dict)
    is_absolute: bool = False
    is_more_better: bool = False
    only: str = None  # the library; else of all

    def applies_to(self, contestant):
        return self.only is None or contestant.language == self.only


@dataclasses.dataclass(frozen=True)
class Case:
    workload: str
    name: str
    job: callable
    contestants: list
    metrics: list
    values: dict
    pinned: bool = False
    max_repeats: int = 100

    @property
    def title(self):
        return f"{self.workload} {self.name}" + (", one core" if self.pinned else "")


def _microseconds(result):
    return statistics.median(result["quantiles"]) / 1000


def _milliseconds(result):
    return _microseconds(result) / 1000


def _goals(tcp, local, if_=True):
    return {"tcp": tcp, "local": local} if if_ else {}


def _round_trips(scale, pinned):
    case = Case(
        "W1",
        "round trip",
        jobs.round_trip,
        [plain(), plain("plain Unix socket", "unix"), *libraries(), *SCRIPTS],
        [
            Metric("time", "us", _microseconds, _goals(1.35, 1.0, pinned)),
            Metric("CPU of both", "us", lambda r: r["cpu_both"] / 1000, _goals(1.35, 1.0, pinned)),
        ],
        {"count": scale.trips, "warm": max(1, scale.trips // 20)},
        pinned,
    )
    of_keys = dataclasses.replace(
        case,
        name="round trip, one of 100 keys",
        contestants=[plain(), *libraries("key")],
        metrics=[Metric("time", "us", _microseconds), Metric("CPU of both", "us", case.metrics[1].read)],
    )
    return [case, of_keys]


def _loops(scale, pinned):
    def rate(result):
        return result["sets"] / (statistics.median(result["quantiles"]) / 1e9)

    case = Case(
        "W2",
        f"{scale.sets:,} sets",
        jobs.write,
        [
            plain("plain TCP, newest only", mode="newest"),
            plain("plain TCP, one send each", mode="loop"),
            plain("plain Unix, one send each", "unix", mode="loop"),
            *libraries("loop"),
            *SCRIPTS,
        ],
        [
            Metric("sets", "/s", rate, _goals(5e6, 5e6, pinned), True, True),
            Metric("peak memory grown", "kB", lambda r: r["grown"], _goals(256, 256), True, only="c"),
        ],
        {"count": scale.loops, "warm": 1, "sets": scale.sets},
        pinned,
    )
    of_keys = dataclasses.replace(
        case,
        name=f"{scale.sets // 10:,} sets, one of 100 keys",
        contestants=[plain("plain TCP, newest only", mode="newest"), *libraries("key-loop")],
        metrics=[Metric("sets", "/s", rate, is_absolute=True, is_more_better=True)],
        values={**case.values, "sets": scale.sets // 10},
    )
    return [case, of_keys]


def _large(scale, pinned):
    goals = {1: (1.0, 0.9), 16: (1.0, 0.9), 64: (1.3, 1.0)}
    return [
        Case(
            "W3",
            f"{size} MiB",
            jobs.write,
            [
                plain(mode="large"),
                plain("plain TCP, fresh buffer", mode="fresh"),
                plain("plain Unix socket", "unix", "large"),
                *libraries("large"),
            ],
            [Metric("time", "ms", _milliseconds, _goals(*goals[size], not pinned))],
            {"count": max(2, scale.mebibytes // size), "warm": 2, "size": size * MIB},
            pinned,
        )
        for size in scale.sizes
    ]


def _fan_out(scale, pinned):
    goals = {8: (1.25, 1.0), 32: (1.15, 1.0)}
    return [
        Case(
            "W4",
            f"{peers} peers",
            jobs.write,
            [plain(), plain("plain Unix socket", "unix"), *libraries()],
            [
                Metric("time", "us", _microseconds, _goals(*goals[peers], not pinned)),
                Metric("CPU of the writer", "us", lambda r: r["cpu"] / 1000),
            ],
            {"count": scale.fans, "warm": max(1, scale.fans // 20), "peers": peers},
            pinned,
        )
        for peers in scale.others
    ]


def _joins(scale, pinned):
    case = Case(
        "W5",
        "join with 1 MiB",
        jobs.join,
        [plain(), plain("plain Unix socket", "unix"), *libraries()],
        [Metric("time", "ms", _milliseconds, _goals(1.8, 1.8, not pinned))],
        {"count": scale.joins, "warm": 1, "size": MIB},
        pinned,
    )
    return [case]


def _idle(scale):
    return [
        Case(
            "W6",
            f"{peers} peer{'s' if peers > 1 else ''}",
            jobs.idle,
            [plain(), *libraries()],
            [
                Metric("RSS", "kB", lambda r: r["rss"], _goals(5000, 5000, peers == 32), True),
                Metric("anonymous", "kB", lambda r: r["anonymous"], _goals(600, 600, peers == 32), True),
            ],
            {"settle": scale.settle, "peers": peers},
        )
        for peers in (1, scale.others[-1])
    ]


def meshes():
    return [dataclasses.replace(one, name=f"{one.name}, mesh", is_mesh=True) for one in libraries()]


def _many_peers(scale):
    """What it costs to have many peers, each of them a process. They are linked with the writer alone,
    and as far as two processors can hold it with each other too: 200 members have 20,000 links, and
    their heartbeats alone would take all of the machine."""
    return [
        Case(
            "peers",
            str(peers),
            jobs.write_to_many,
            [plain(), *libraries(), *(meshes() if peers <= 64 else [])],
            [
                Metric("time", "us", _microseconds),
                Metric("CPU of the writer", "us", lambda r: r["cpu"] / 1000),
            ],
            {"count": scale.crowd_fans, "warm": max(1, scale.crowd_fans // 20), "peers": peers},
            max_repeats=3,
        )
        for peers in scale.crowd
    ]


@dataclasses.dataclass(frozen=True)
class Scale:
    trips: int = 20000
    sets: int = 1000000
    loops: int = 1
    sizes: tuple = (1, 16, 64)
    mebibytes: int = 320
    others: tuple = (8, 32)
    fans: int = 2000
    joins: int = 20
    settle: float = 3.0
    crowd: tuple = (1, 2, 4, 8, 16, 32, 64, 128, 199)
    crowd_fans: int = 500
    repeats: int = 7


FULL = Scale()
QUICK = Scale(
    trips=500,
    sets=20000,
    loops=1,
    sizes=(1, 16),
    mebibytes=8,
    others=(8,),
    fans=50,
    joins=2,
    settle=0.0,
    crowd=(1, 4),
    crowd_fans=50,
    repeats=1,
)

WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W6", "peers")


def make_cases(scale, only=WORKLOADS):
    cases = []
    for pinned in (True, False):
        for make in (_round_trips, _loops, _large, _fan_out, _joins):
            cases += make(scale, pinned)
    cases += _idle(scale) + _many_peers(scale)
    cases.sort(key=lambda case: WORKLOADS.index(case.workload))
    return [case for case in cases if case.workload in only]
