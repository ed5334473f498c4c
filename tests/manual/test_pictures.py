# SPDX-License-Identifier: MIT
"""The pictures of the manual are those that the script draws, and can be seen by light and by dark."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from pages import INTROSPECTION, MANUAL

SVG = "{http://www.w3.org/2000/svg}"


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        subprocess.run(
            [sys.executable, INTROSPECTION / "pictures.py", folder.name], check=True, timeout=60
        )
        cls.drawn = {path.name: path.read_text() for path in pathlib.Path(folder.name).iterdir()}

    def test_up_to_date(self):
        self.assertGreater(len(self.drawn), 5)
        for name, text in self.drawn.items():
            self.assertEqual((INTROSPECTION / name).read_text(), text, f"run pictures.py: {name}")

    def test_readable(self):
        for name, text in self.drawn.items():
            with self.subTest(picture=name):
                root = xml.etree.ElementTree.fromstring(text)
                self.assertTrue(root.findtext(f"{SVG}title"))
                light, dark = root.findtext(f"{SVG}style").split("@media (prefers-color-scheme: dark)")
                classes = {
                    word for each in root.iter() for word in (each.get("class") or "").split()
                }
                for word in classes - {"middle", "name", "lane", "cutarea"}:
                    for scheme in light, dark:
                        self.assertRegex(scheme, rf"\.{word}[ ,]", f"{word} has no colour")

    def test_inside(self):
        """Nothing lies outside of the picture; text is taken to be as wide as it is at most."""
        for name, text in self.drawn.items():
            root = xml.etree.ElementTree.fromstring(text)
            width, height = int(root.get("width")), int(root.get("height"))
            for each in root.iter(f"{SVG}text"):
                x, y = float(each.get("x")), float(each.get("y"))
                half = 3.3 * len(each.text) * ("middle" in each.get("class"))
                with self.subTest(picture=name, text=each.text):
                    self.assertTrue(half <= x <= width - half and 0 < y < height)

    def test_shown(self):
        """Each picture is on a page, with words for who does not see it."""
        text = "".join(path.read_text() for path in MANUAL)
        for name in self.drawn:
            self.assertRegex(text, rf"!\[[^]]{{20,}}\]\({re.escape(name)}\)")


if __name__ == "__main__":
    unittest.main()
