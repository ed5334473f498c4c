# SPDX-License-Identifier: MIT
"""Members leave, are killed, come back, and lose nothing that anybody still holds."""

import signal
import time

from members import EVERY, LANGUAGES, PATIENCE_S, TestCase, entry, languages_for, main, wait_until


class Life(TestCase):
    def test_last_write_before_the_end(self):
        conf = self.conf_of(2)
        for language in LANGUAGES:
            with self.subTest(language=language):
                stays = self.start("c", conf)
                stays.wait_state("alone")
                leaves = self.start(language, conf)
                leaves.set('"last"')
                leaves.leave()
                stays.wait_value('"last"')
                leaves.wait_gone()
                self.end_all([stays])

    def test_signals(self):
        # the C member is too short to take more than one
        others = [language for language in EVERY if language != "c"]
        ends = [(signal.SIGINT, EVERY)] + ([(signal.SIGTERM, others)] if others else [])
        for how, languages in ends:
            members = self.start_all(languages, self.conf_of(len(languages)))
            members[0].set(f'"{how}"')
            self.see_value(members, f'"{how}"')
            self.end_all(members, how)

    def test_bad_configuration(self):
        conf = self.conf([{"host": "127.0.0.1"}])
        for language in LANGUAGES:
            member = self.start(language, conf)
            self.assertEqual(member.process.wait(PATIENCE_S), 1)
            self.assertIn("[0].port", member.errors())

    def test_restart(self):
        conf = self.conf_of(3)
        members = self.start_all(languages_for(3), conf)
        for index, language in enumerate(LANGUAGES * 2):
            gone = members.pop(0)
            killed = index >= len(LANGUAGES)
            if killed:
                gone.kill()
            else:
                self.end_all([gone])
            text = f'"{index} while one was away"'
            members[0].set(text)
            back = self.start(language, conf)
            back.wait_value(text)
            back.wait_state("synced")
            self.assertEqual(back.entry, gone.entry)
            members.append(back)
            self.see_value(members, text)
        self.end_all(members)

    def test_what_was_killed_is_noticed(self):
        first, second = self.start_all(languages_for(2), self.conf_of(2))
        first.kill()
        second.wait_state("alone")
        wait_until("no connections", lambda: second.n_connections() == 0)
        self.end_all([second])

    def test_idle(self):
        """Who has nothing to do does nothing: there is no event to wait for, time has to pass."""
        members = self.start_all(EVERY, self.conf_of(len(EVERY)))
        members[0].set('"quiet now"')
        self.see_value(members, '"quiet now"')
        before = [member.cpu_seconds() for member in members]
        time.sleep(1)
        for member, seconds in zip(members, before):
            self.assertLess(member.cpu_seconds() - seconds, 0.3, member)
        self.end_all(members)

    def test_chain(self):
        """The ends do not know of each other: what one writes goes through the middle."""
        a, b, c = entry(0), entry(1), entry(2)
        ends = languages_for(2)
        left = self.start(ends[0], self.conf([a, b], "left.json"))
        left.wait_state("alone")
        middle = self.start("c", self.conf([a, b, c], "middle.json"))
        middle.wait_state("synced")
        right = self.start(ends[1], self.conf([b, c], "right.json"))
        right.wait_state("synced")
        started = time.monotonic()
        for index, member in enumerate([left, right, middle] * 5):
            text = f'"{index} from {member.entry}"'
            member.set(text)
            self.see_value([left, middle, right], text)
        # The repair would do it too, but takes more than two seconds each time.
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual([m.n_connections() for m in (left, middle, right)], [1, 2, 1])
        self.end_all([left, right, middle])


if __name__ == "__main__":
    main()
