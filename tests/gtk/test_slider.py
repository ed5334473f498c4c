# SPDX-License-Identifier: MIT
"""A slider that a hand moves in one window of the board, 60 times in a second, and in the other."""

import statistics

import screen
from screen import members

# No value of one hand is one of the other's, nor of the mouse, which has whole numbers.
UP = [0.5 + step / 2 for step in range(150)]
DOWN = [99.75 - step / 2 for step in range(150)]
# Who follows skips what is old when it is slow, but it does follow and not only arrive.
FEWEST = 20
# When a hand has rested for so long, the slider may go on to where others have it.
REST_S = 0.15


@screen.needs_screen
class SliderTest(screen.TestCase):
    def setUp(self):
        super().setUp()
        self.left, self.right = self.boards = self.start_boards(self.conf_of(2))
        for board in self.boards:
            board.see("volume", 40)
            board.lines.clear()

    def wait_dropped(self, *boards):
        for board in boards:
            board.wait_told("dropped")

    def shows(self, board, name):
        """What this slider has shown since the beginning, with the times."""
        return board.all_told("shows", name)

    def assert_rising(self, values):
        self.assertEqual(values, sorted(values))
        self.assertGreater(len(set(values)), FEWEST)

    def report_delay(self, what, hand, shown):
        """Prints how long a value took from the hand to what the other window shows."""
        moved = dict(hand.all_told("moves"))
        delays = sorted(1000 * (time - moved[value]) for value, time in shown)
        print(
            f"{what}: of {len(moved)} values {len(shown)} shown, after {delays[0]:.1f} ms at best,"
            f" {statistics.median(delays):.1f} ms mostly, {delays[-1]:.1f} ms at worst",
            flush=True,
        )

    def find_own(self, board, is_own):
        """What the slider of the volume has shown since a hand first moved it, which has to be its
        own all the time."""
        kinds = [line[0] for line in board.lines]
        held = board.lines[kinds.index("held") : kinds.index("dropped")]
        own, moved = [], None
        for *_name, value, time in (line for line in held if line[:2] == ["shows", "volume"]):
            if is_own(value):
                own.append(value)
                moved = time
            elif own:
                self.assertGreater(time - moved, REST_S, f"after {own}, it showed {value}")
        return own

    def see_same(self, *values):
        """After all hands are gone, both show what one of them had in the end."""
        left, right = (board.shown for board in self.boards)
        members.wait_until("the same", lambda: left["volume"] == right["volume"] in values)

    def test_one_hand(self):
        self.left.say("drag", "volume", *UP)
        self.wait_dropped(self.left)
        self.right.see("volume", UP[-1])
        shown = self.shows(self.right, "volume")
        self.assertLessEqual({value for value, _time in shown}, set(UP))
        self.assert_rising([value for value, _time in shown])
        self.assertEqual(self.find_own(self.left, UP.__contains__), UP)
        self.report_delay("one hand", self.left, shown)

    def test_hands_on_two_sliders(self):
        """Each window follows one slider while a hand is on the other one."""
        self.left.say("drag", "volume", *UP)
        self.right.say("drag", "brightness", *UP)
        self.wait_dropped(*self.boards)
        self.right.see("volume", UP[-1])
        self.left.see("brightness", UP[-1])
        volume, brightness = self.shows(self.right, "volume"), self.shows(self.left, "brightness")
        for shown in volume, brightness:
            self.assert_rising([value for value, _time in shown])
        self.report_delay("two sliders", self.left, volume)
        self.report_delay("two sliders", self.right, brightness)

    def test_hands_on_one_slider(self):
        """Two who pull in two directions: none takes it from the other's hand."""
        self.left.say("drag", "volume", *UP)
        self.right.say("drag", "volume", *DOWN)
        self.wait_dropped(*self.boards)
        self.assertEqual(self.find_own(self.left, UP.__contains__), UP)
        self.assertEqual(self.find_own(self.right, DOWN.__contains__), DOWN)
        self.see_same(UP[-1], DOWN[-1])

    def test_mouse_and_hand(self):
        """The same with a mouse on one side, which only goes to the right."""
        self.right.say("drag", "volume", *DOWN)
        self.left.pull("volume", 80)
        self.wait_dropped(self.right)
        shown = self.find_own(self.left, float.is_integer)
        self.assert_rising(shown)
        self.assertEqual(self.find_own(self.right, DOWN.__contains__), DOWN)
        self.see_same(shown[-1], DOWN[-1])


if __name__ == "__main__":
    members.main()
