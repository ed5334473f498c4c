# SPDX-License-Identifier: MIT
"""The manual's tutorial: it has a place for all that a store has, and its examples work."""

import json
import os
import pathlib
import re
import tempfile
import unittest

import gi

gi.require_version("GIRepository", "2.0")
from gi.repository import GIRepository, GObject  # noqa: E402

from support import Amnesia, conf, wait_for  # noqa: E402

PAGE = pathlib.Path(os.environ["G_TEST_SRCDIR"], "../introspection/tutorial.md").read_text()


class Widget(GObject.Object):
    """Stands in for those of GTK."""

    __gtype_name__ = "TestTutorialWidget"

    value = GObject.Property(type=float, default=0.0)
    active = GObject.Property(type=bool, default=False)
    text = GObject.Property(type=str, default="")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


class ContentTest(unittest.TestCase):
    def assert_linked(self, kind, name):
        with self.subTest(kind=kind, name=name):
            self.assertIn(f"[{kind}@Amnesia.Store", PAGE)
            self.assertRegex(PAGE, rf"\[{kind}@Amnesia\.Store[.:]+{re.escape(name)}\]")

    def test_properties_and_signals(self):
        properties = [spec.name for spec in GObject.list_properties(Amnesia.Store)]
        self.assertIn("history-length", properties)
        for name in properties:
            self.assert_linked("property", name)
        for name in GObject.signal_list_names(Amnesia.Store):
            self.assert_linked("signal", name)

    def test_methods(self):
        properties = [spec.name.replace("-", "_") for spec in GObject.list_properties(Amnesia.Store)]
        accessors = {f"{verb}_{name}" for name in properties for verb in ("get", "set")}
        info = GIRepository.Repository.get_default().find_by_name("Amnesia", "Store")
        found = [
            GIRepository.object_info_get_method(info, index)
            for index in range(GIRepository.object_info_get_n_methods(info))
        ]
        self.assertGreater(len(found), 30)
        for method in found:
            name = method.get_name()
            if name not in accessors and name != "new":
                is_method = GIRepository.callable_info_is_method(method)
                self.assert_linked("method" if is_method else "func", name)

    def test_languages(self):
        """Where there is an example, there is one in each language."""
        counts = [len(blocks(language)) for language in ("python", "js", "vala", "c")]
        self.assertGreater(counts[0], 10)
        self.assertEqual(counts, [counts[0]] * 4)


class ExampleTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        pathlib.Path("conf.json").write_text(json.dumps(conf(2)))
        self.printed = []
        self.names = {
            "print": lambda *what: self.printed.append(" ".join(map(str, what))),
            "adjustment": Widget(),
            "switch": Widget(),
            "entry": Widget(),
        }

    def run_examples(self):
        for block in blocks("python"):
            exec(compile(block, "tutorial.md", "exec"), self.names)
        mem = self.names["mem"]
        self.addCleanup(mem.close_sync)
        return mem

    def test_python(self):
        mem = self.run_examples()
        wait_for(lambda: "too late" in self.printed)
        for line in (
            "{'volume': 0.4, 'lamp': True}",
            "0.5 absent",
            "board {'text': 'Soundcheck at ten', 'by': 'Ada'}",
            f"{mem.conf.get_peer(1)[1]}:7702 {mem.peers[0].status}",
        ):
            self.assertIn(line, self.printed)
        self.assertTrue(any(line.endswith(":7701 lamp True") for line in self.printed))
        self.assertNotIn("scene", mem)
        self.assertEqual(self.names["adjustment"].value, 0.5)
        self.assertEqual(self.names["entry"].text, "Soundcheck at ten")
        self.names["entry"].text = "Break"
        self.assertEqual(mem["board"], {"text": "Break", "by": "Ada"})
        self.names["adjustment"].value = 0.6
        self.assertEqual(self.printed[-1], "0.6")
        self.names["action"].activate(None)
        self.assertEqual((mem["lamp"], self.names["switch"].active), (False, False))


if __name__ == "__main__":
    unittest.main()
