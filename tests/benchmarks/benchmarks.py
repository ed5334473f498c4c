# SPDX-License-Identifier: MIT
"""The library beside plain sockets, in the same run: prints a table, and writes JSON and plots."""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import sys
import time

import cases
import plots
import report
import runs


def read_arguments(words):
    parser = argparse.ArgumentParser(prog="tests/benchmarks/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few of each: shows that it works")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(cases.WORKLOADS),
        metavar="W1,W3",
        help="some of " + ", ".join(cases.WORKLOADS),
    )
    parser.add_argument("--repeats", type=int, metavar="N", help="how often each, by turns")
    parser.add_argument("--ways", type=lambda text: text.split(","), metavar="tcp,local,tls")
    parser.add_argument("--markdown", action="store_true", help="the ratios, as the manual has them")
    parser.add_argument("--show", type=pathlib.Path, metavar="FILE", help="results of an earlier run")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="where the results go")
    parser.add_argument(
        "--without-bbr", action="store_true", help="TCP that does not pace; needs root"
    )
    parser.add_argument("--cpu", type=int, help="for what is pinned; the last one by default")
    parser.add_argument("--folder", type=pathlib.Path, default=".", help="where the plots go")
    parser.add_argument("--programs", default=".", help=argparse.SUPPRESS)
    parser.add_argument("--python", help=argparse.SUPPRESS)
    parser.add_argument("--gjs", help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    for name in arguments.only:
        if name not in cases.WORKLOADS:
            parser.error(f"there is no {name}")
    return arguments


BBR = """TCP paces what it sends here (bbr): on loopback a large value then takes sometimes once and
sometimes twice its time, whoever sends it. --without-bbr measures without."""


def note(text):
    print(text, file=sys.stderr, flush=True)


def read_congestion():
    """How TCP finds its rate, which matters for large values."""
    return pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()


class Benchmarks:
    def __init__(self, programs, scale, cpu, ways=None):
        self.programs = programs
        self.scale = scale
        self.cpu = cpu
        self.ways = ways
        self.rows = []
        self.notes = [BBR] if read_congestion() == "bbr" else []
        self.failures = []
        self.quantiles = []

    def contestants(self, case):
        for contestant in case.contestants:
            if contestant.can_run(self.programs):
                if not self.ways or contestant.language == "plain" or contestant.way in self.ways:
                    yield contestant
            else:
                text = f"left out, as it is not available: {contestant.name}"
                if text not in self.notes:
                    self.notes.append(text)

    def run_case(self, case):
        results = {contestant: [] for contestant in self.contestants(case)}
        for _ in range(min(self.scale.repeats, case.max_repeats)):
            for contestant in list(results):
                try:
                    results[contestant].append(self.run_job(case, contestant))
                except Exception as error:
                    del results[contestant]
                    self.failures.append(f"FAILED: {case.title}, {contestant.name}: {error}")
        self.rows += report.make_rows(case, results)
        self.keep_quantiles(case, results)

    def run_job(self, case, contestant):
        cpu = self.cpu if case.pinned else None
        return case.job(self.programs, contestant, cpu=cpu, **case.values)

    def keep_quantiles(self, case, results):
        """Of the first repeat: where times lie, and not only the middle one."""
        self.quantiles += [
            {
                "case": case.title,
                "contestant": contestant.name,
                "us": [q / 1000 for q in of_it[0]["quantiles"]],
            }
            for contestant, of_it in results.items()
            if case.workload == "W1"
        ]

    def as_json(self):
        return {
            "when": time.strftime("%Y-%m-%d %H:%M:%S"),
            "machine": {
                "kernel": platform.release(),
                "processors": os.cpu_count(),
                "congestion": read_congestion(),
            },
            "repeats": self.scale.repeats,
            "scale": vars(self.scale),
            "rows": self.rows,
            "quantiles": self.quantiles,
            "notes": self.notes,
            "failures": self.failures,
        }


def measure(arguments):
    scale = cases.QUICK if arguments.quick else cases.FULL
    if arguments.repeats:
        scale = dataclasses.replace(scale, repeats=arguments.repeats)
    programs = runs.Programs(arguments.programs, arguments.python, shutil.which(arguments.gjs or ""))
    cpu = arguments.cpu if arguments.cpu is not None else max(os.sched_getaffinity(0))
    benchmarks = Benchmarks(programs, scale, cpu, arguments.ways)
    for case in cases.make_cases(scale, arguments.only):
        note(case.title)
        benchmarks.run_case(case)
    return benchmarks.as_json()


def write(results, arguments):
    path = arguments.json or arguments.folder / "results.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    for written in [path, *plots.write_plots(results, arguments.folder)]:
        note(f"written: {written}")


def main(words=None):
    arguments = read_arguments(words)
    if arguments.show:
        results = json.loads(arguments.show.read_text())
    else:
        results = measure(arguments)
        write(results, arguments)
    make = report.make_markdown if arguments.markdown else report.make_text
    print(make(results["rows"]))
    for text in results["notes"] + results["failures"]:
        print(f"\n{text}")
    return 1 if results["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
