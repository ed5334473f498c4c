# SPDX-License-Identifier: MIT
"""Two windows of examples/gtk/board.py, and a hand that works with them."""

import json
import os
import pathlib

import screen
from screen import HEIGHT, WIDTH, members

# The pictures go beside the other results, or where whoever wants those of the README says.
PICTURES = pathlib.Path(os.environ.get("AMNESIA_PICTURES") or os.environ["G_TEST_BUILDDIR"])

# round corners and a shadow, as desktops give them to a window
CORNERS = f"roundrectangle 0,0 {WIDTH - 1},{HEIGHT - 1} 12,12"
MASK = ["(", "-size", f"{WIDTH}x{HEIGHT}", "xc:none", "-fill", "white", "-draw", CORNERS, ")"]
SHADOW = ["(", "+clone", "-background", "black", "-shadow", "35x14+0+6", ")", "+swap"]


@screen.needs_screen
class BoardTest(screen.TestCase):
    def setUp(self):
        super().setUp()
        self.list = self.conf_of(4)
        self.member = self.start("c", self.list)
        self.left, self.right = self.boards = self.start_boards(self.list)
        self.member.wait_state("synced")

    def see_all(self, name, value):
        for board in self.boards:
            board.see(name, value)
        key = name.replace("_", "-")
        self.member.wait(f"{key} {value}", lambda: self.shared().get(key) == value)

    def shared(self):
        return json.loads(self.member.value) or {}

    def read_until(self, board, *texts):
        members.wait_until(f"{texts} in {board}", lambda: set(texts) <= set(board.read()))

    def take_picture(self):
        """Both windows, as they would look on a desktop."""
        windows = []
        for board in self.boards:
            board.draw()
            shot = pathlib.Path(self._folder.name, f"{board.window}.png")
            self.screen.run("import", "-window", board.window, shot)
            windows += ["(", shot, "-alpha", "set", *MASK, "-compose", "DstIn", "-composite",
                        "-compose", "Over", *SHADOW, "-background", "none", "-layers", "merge",
                        "+repage", ")"]  # fmt: skip
        self.screen.run("convert", *windows, "+append", "-strip", PICTURES / "board.png")

    def test_hands(self):
        """Each control by a hand, in one window or the other; then both are the same."""
        self.left.click("on_air")
        self.see_all("on_air", True)
        self.right.click("lights")
        self.see_all("lights", False)
        self.left.click("lights")
        self.see_all("lights", True)
        self.right.type("Doors at seven")
        self.see_all("caption", "Doors at seven")
        self.right.say("choose", "#c061cb")
        self.see_all("colour", "#c061cb")
        self.left.ask("watches", "watch_peers")
        self.left.pull("volume", 60)
        self.assertGreater(self.left.shown["volume"], 60)
        self.see_all("volume", self.left.shown["volume"])
        self.assertEqual(self.left.all_told("dims"), [])
        self.right.click("Talk")
        for board in self.boards:
            board.see("Talk", True)
        self.member.wait("the scene", lambda: self.shared().get("scene") == "talk")
        self.assertEqual(self.left.shown, self.right.shown)
        self.see_lists()
        self.take_picture()
        self.close_boards(self.boards)

    def see_lists(self):
        """Who is there, and what happened, which is the same for both."""
        addresses = [board.told["listens"][0] for board in self.boards]
        for board, other in zip(self.boards, reversed(addresses)):
            self.read_until(board, other, self.member.entry, "Scene  talk", "On air  on")

    def test_late_window(self):
        self.left.click("on_air")
        self.see_all("on_air", True)
        self.right.close()
        self.left.type("It goes on")
        self.left.see("caption", "It goes on")
        late = self.start_board(self.list, 1)
        late.see("caption", "It goes on")
        late.see("on_air", True)
        self.close_boards([self.left, late])

    def test_what_does_not_fit(self):
        """Others may share anything, of which the window makes what it can, without a warning."""
        misfits = [
            {"colour": "no colour", "volume": "loud", "brightness": 1e308, "caption": ["x"], "scene": 7},
            {"colour": "rgb(1,2,3)", "on-air": None, "lights": 5, "<b>": "<&", "volume": -1e308},
            {"colour": "</span><i>", "caption": "<b>" + 20000 * "x", "brightness": 2**64 - 1},
            {"colour": 5, "caption": "", "scene": {"": None}, "": ""},
            "text",
            [{}],
            {},
        ]
        for value in misfits:
            text = json.dumps(value, separators=(",", ":"))
            self.member.set(text)
            for board in self.boards:
                board.draw()
        self.member.set(json.dumps({"caption": "It went well", "volume": 40.0, "colour": "#c061cb"}))
        for name, value in ("caption", "It went well"), ("volume", 40), ("colour", "#c061cb"):
            for board in self.boards:
                board.see(name, value)
        for board in self.boards:
            self.read_until(board, "Caption  It went well")
            board.close()
            self.assertNotRegex(board.errors(), "WARNING|CRITICAL")


if __name__ == "__main__":
    members.main()
