# SPDX-License-Identifier: MIT
"""Adds up what the test logs of some build folders, or some logs, say: N passed, N failed.

Ends with an error if a test failed, or none passed.
"""

import json
import pathlib
import re
import sys
from collections import Counter

RESULTS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
TAP_LINE = re.compile(r"^(not )?ok\b[^#\n]*(# *SKIP)?", re.IGNORECASE | re.MULTILINE)
UNITTEST_SUMMARY = re.compile(
    r"^Ran (\d+) tests? in .*\n\n(?:OK|FAILED)(?: \((.*)\))?$", re.MULTILINE
)


def count_tap(text):
    return Counter(
        "failed" if failed else "skipped" if skipped else "passed"
        for failed, skipped in TAP_LINE.findall(text)
    )


def count_unittest(text):
    """What Python's unittest says at its end: Ran 7 tests in 0.1s, OK (skipped=2)."""
    counts = Counter()
    for ran, details in UNITTEST_SUMMARY.findall(text):
        kinds = Counter({kind: int(n) for kind, n in re.findall(r"(\w+)=(\d+)", details)})
        failed = kinds["failures"] + kinds["errors"]
        passed = max(0, int(ran) - failed - kinds["skipped"])
        counts += Counter(passed=passed, failed=failed, skipped=kinds["skipped"])
    return counts


def count_test(test):
    """The parts that a test tells of; if it tells of none, it is one."""
    result = RESULTS.get(test["result"], "failed")
    counts = count_tap(test.get("stdout", "")) + count_unittest(test.get("stderr", ""))
    if not counts or (result == "failed" and not counts["failed"]):
        counts[result] += 1
    return counts


def count_log(path):
    """Of a build folder, a log of meson test, or a file of TAP."""
    log = pathlib.Path(path)
    if log.is_dir():
        log = log / "meson-logs" / "testlog.json"
    if log.suffix == ".tap":
        return count_tap(log.read_text())
    return sum((count_test(json.loads(line)) for line in log.open()), Counter())


def main():
    counts = sum(map(count_log, sys.argv[1:]), Counter())
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    print(line + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    sys.exit(counts["failed"] > 0 or counts["passed"] == 0)


main()
