# SPDX-License-Identifier: MIT
"""The checker itself: a good history passes, and each planted mistake is found by its rule."""

import pathlib
import unittest

import history
from history import find_wrongs, read_life

GOOD = {
    "a.1": """
        1000000 state syncing
        1100000 set a.1:1
        1100010 changed - a.1:1 local 500 a.1:1
        1200000 state synced
        1300000 changed a.1:1 b.1:1 remote 520 b.1:1
        1400000 set a.1:2
        1400010 changed b.1:1 a.1:2 local 520 a.1:2
        1500000 changed a.1:2 b.1:3 remote 530 b.1:3
        1600000 report b.1:3 530 9
    """,
    "b.1": """
        1000000 state syncing
        1250000 changed - a.1:1 remote 500 a.1:1
        1290000 set b.1:1
        1290010 changed a.1:1 b.1:1 local 520 b.1:1
        1450000 set b.1:2
        1450010 changed b.1:1 b.1:2 local 530 b.1:2
        1450020 set b.1:3
        1450030 changed b.1:2 b.1:3 local 530 b.1:3
        1600000 report b.1:3 530 9
    """,
}


class Histories(unittest.TestCase):
    def lives(self, **changes):
        """The good history with some lines replaced: `a` and `b` are lists of (old, new)."""
        texts = dict(GOOD)
        for name, replacements in changes.items():
            for old, new in replacements:
                self.assertIn(old, texts[f"{name}.1"])
                texts[f"{name}.1"] = texts[f"{name}.1"].replace(old, new)
        return [read_life(label, text) for label, text in texts.items()]

    def find(self, lives, bound=1):
        return list(find_wrongs(lives, lives, healed=1.4, bound=bound))

    def assert_found(self, rule, lives, bound=1):
        wrongs = self.find(lives, bound)
        self.assertIn(rule, {wrong.partition(":")[0] for wrong in wrongs}, wrongs)

    def test_good(self):
        self.assertEqual(self.find(self.lives()), [])

    def test_killed_while_writing(self):
        """Nobody knows what became of a write that its writer did not survive."""
        lives = [*self.lives(), read_life("c.1", "1000000 set c.1:1")]
        self.assertEqual(list(find_wrongs(lives, lives[:2], 1.4, 1)), [])

    def test_1_older_value_after_newer(self):
        late = "1550000 changed b.1:3 b.1:2 remote 530 b.1:2\n1600000 report b.1:2"
        self.assert_found("monotonic", self.lives(a=[("1600000 report b.1:3", late)]))

    def test_1_older_stamp_after_newer(self):
        lives = self.lives(a=[("a.1:2 local 520", "a.1:2 local 510")])
        self.assert_found("monotonic", lives)

    def test_2_own_write_not_seen(self):
        lives = self.lives(
            a=[
                ("1400010 changed b.1:1 a.1:2 local 520 a.1:2", ""),
                ("changed a.1:2 b.1:3", "changed b.1:1 b.1:3"),
            ]
        )
        self.assert_found("own_writes", lives)

    def test_3_other_stamp_elsewhere(self):
        lives = self.lives(b=[("a.1:1 remote 500", "a.1:1 remote 501")])
        self.assert_found("one_value_one_stamp", lives)

    def test_4_twice(self):
        line = "1300000 changed a.1:1 b.1:1 remote 520 b.1:1"
        self.assert_found("once", self.lives(a=[(line, f"{line}\n{line}")]))

    def test_4_equal(self):
        line = "1300000 changed a.1:1 b.1:1 remote 520 b.1:1"
        again = "1310000 changed b.1:1 b.1:1 remote 520 b.1:1"
        self.assert_found("once", self.lives(a=[(line, f"{line}\n{again}")]))

    def test_4_wrong_old(self):
        self.assert_found("once", self.lives(a=[("changed b.1:1 a.1:2", "changed a.1:1 a.1:2")]))

    def test_4_left_out(self):
        line = "1300000 changed a.1:1 b.1:1 remote 520 b.1:1"
        self.assert_found("once", self.lives(a=[(line, "")]))

    def test_4_told_before_stored(self):
        lives = self.lives(a=[("remote 530 b.1:3", "remote 530 a.1:2")])
        self.assert_found("once", lives)

    def test_5_echo_taken_for_remote(self):
        lives = self.lives(b=[("b.1:2 local", "b.1:2 remote")])
        self.assert_found("remote_flag", lives)

    def test_5_former_life_taken_for_local(self):
        before = read_life("a.0", "1000000 set a.0:1\n1000010 changed - a.0:1 local 1 a.0:1")
        now = read_life("a.1", "2000000 changed - a.0:1 local 1 a.0:1")
        self.assert_found("remote_flag", [before, now])

    def test_6_came_back(self):
        late = "1550000 changed b.1:3 a.1:1 remote 540 a.1:1\n1600000 report a.1:1"
        self.assert_found("no_resurrection", self.lives(a=[("1600000 report b.1:3", late)]))

    def test_11_differ(self):
        cut = [
            ("1500000 changed a.1:2 b.1:3 remote 530 b.1:3", ""),
            ("report b.1:3 530", "report a.1:2 520"),
        ]
        self.assert_found("converged", self.lives(a=cut))

    def test_11_late(self):
        self.assert_found("converged", self.lives(), bound=0.01)

    def test_12_lost(self):
        """Both agree, but on what one of them had replaced already."""
        late = "1550000 changed b.1:3 a.1:2 remote 520 a.1:2\n1600000 report a.1:2"
        lives = self.lives(
            a=[
                ("1500000 changed a.1:2 b.1:3 remote 530 b.1:3", ""),
                ("report b.1:3", "report a.1:2"),
            ],
            b=[("1600000 report b.1:3", late)],
        )
        self.assert_found("nothing_lost", lives)

    def test_12_own_write_lost(self):
        lost = [("1600000 report", "1590000 set a.1:3\n1600000 report")]
        self.assert_found("nothing_lost", self.lives(a=lost))

    def test_15_other_orders(self):
        """The two went on from each other's value: such a pair never agrees again."""
        text = """
            1000000 set {0}:1
            1000001 changed - {0}:1 local 9 {0}:1
            1100000 changed {0}:1 {1}:1 remote 9 {1}:1
        """
        lives = [read_life("l", text.format("l", "r")), read_life("r", text.format("r", "l"))]
        self.assert_found("one_order", lives)

    def test_15_replay(self):
        self.assert_found("replayed", self.lives(a=[("report b.1:3", "report a.1:2")]))

    def test_invented(self):
        self.assert_found("invented", self.lives(b=[("1450000 set b.1:2\n", "\n")]))

    def test_each_rule_has_a_test(self):
        rules = (*history.ALWAYS, history.converged, history.nothing_lost)
        names = {rule.__name__ for rule in rules}
        source = pathlib.Path(__file__).read_text(encoding="utf-8")
        for name in names:
            self.assertIn(f'assert_found("{name}"', source)


if __name__ == "__main__":
    unittest.main(verbosity=2)
