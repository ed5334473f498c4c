# SPDX-License-Identifier: MIT
"""A quick run of the benchmarks: they work, whatever times they find."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest
import xml.etree.ElementTree

import benchmarks
import cases
import report
import runs

PLOTS = ("latency", "peers", "peers-each", "peers-cpu", "peers-cpu-each")


class QuickRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.kept.cleanup)
        cls.folder = pathlib.Path(cls.kept.name)
        cls.out = io.StringIO()
        runs.PATIENCE_S = 20
        words = ["--quick", "--folder", cls.kept.name]
        for name in ("programs", "python", "gjs"):
            words += ["--" + name, os.environ.get("AMNESIA_BENCHMARK_" + name.upper(), "")]
        with contextlib.redirect_stdout(cls.out):
            benchmarks.main(words)
        cls.results = json.loads((cls.folder / "results.json").read_text())

    def expected(self):
        """A row for each figure of each who takes part."""
        absent = {note.rpartition(": ")[2] for note in self.results["notes"]}
        return {
            (case.workload, case.name, case.pinned, metric.name, contestant.name)
            for case in cases.make_cases(cases.QUICK)
            for metric in case.metrics
            for contestant in case.contestants
            if metric.applies_to(contestant) and contestant.name not in absent
        }

    def test_failures(self):
        """The last value has arrived, and all else that is checked."""
        self.assertEqual(self.results["failures"], [])

    def test_rows(self):
        keys = ("workload", "case", "pinned", "metric", "contestant")
        found = {tuple(row[key] for key in keys) for row in self.results["rows"]}
        self.assertEqual(found, self.expected())

    def test_figures(self):
        for row in self.results["rows"]:
            with self.subTest(row=row):
                self.assertEqual(len(row["figures"]), cases.QUICK.repeats)
                if row["metric"] != "peak memory grown":
                    self.assertGreater(row["min"], 0)

    def test_available(self):
        """TCP is always there, and so is each language that the tests are built for."""
        notes = [note for note in self.results["notes"] if note.startswith("left out")]
        left_out = [note for note in notes if "libamnesia, local" not in note]
        for language in ("python", "gjs"):
            if not os.environ.get("AMNESIA_BENCHMARK_" + language.upper()):
                left_out = left_out[1:]
        self.assertEqual(left_out, [])

    def test_table(self):
        text = self.out.getvalue()
        for case in cases.make_cases(cases.QUICK):
            self.assertIn(case.title, text)

    def test_markdown(self):
        lines = report.make_markdown(self.results["rows"]).splitlines()
        self.assertEqual(len({line.count("|") for line in lines}), 1)
        for case in cases.make_cases(cases.QUICK):
            self.assertTrue(any(line.startswith(f"| {case.title}:") for line in lines), case.title)

    def test_show(self):
        """Results that were kept give the same table."""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            benchmarks.main(["--show", str(self.folder / "results.json")])
        self.assertEqual(out.getvalue(), self.out.getvalue())

    def test_plots(self):
        for name in PLOTS:
            with self.subTest(plot=name):
                root = xml.etree.ElementTree.parse(self.folder / f"{name}.svg").getroot()
                self.assertTrue(root.tag.endswith("svg"))
                self.assertTrue(root.findall("{*}polyline"))


if __name__ == "__main__":
    unittest.main()
