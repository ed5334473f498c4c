# SPDX-License-Identifier: MIT
"""Members that start together find an entry each, link with all, and hold one value."""

from members import LANGUAGES, LOCAL, ROUNDS, TestCase, languages_for, main, wait_until


class Together(TestCase):
    def assert_linked(self, members):
        """One connection from each to each, no more."""
        n_others = 0 if LOCAL else len(members) - 1
        n_nearby = len(members) * (len(members) - 1) // 2 if LOCAL else 0
        wait_until(
            f"{n_others} connections each, and {n_nearby} local ones",
            lambda: all(member.n_connections() == n_others for member in members)
            and sum(member.n_accepted_nearby() for member in members) == n_nearby,
        )

    def start_and_end(self, n_members, round_number):
        members = self.start_all(languages_for(n_members), self.conf_of(n_members))
        self.assert_distinct(members, n_members)
        self.assert_linked(members)
        members[round_number % n_members].set(f'"round {round_number}"')
        self.see_value(members, f'"round {round_number}"')
        self.end_all(members)

    def test_three_at_once(self):
        for round_number in range(ROUNDS):
            with self.subTest(round=round_number):
                self.start_and_end(3, round_number)

    def test_C6_four_at_once(self):
        for round_number in range(ROUNDS):
            with self.subTest(round=round_number):
                self.start_and_end(4, round_number)

    def test_C6_fifth_is_a_guest(self):
        members = self.start_all(languages_for(3), self.conf_of(3))
        guest = self.start(LANGUAGES[-1], self.conf_of(3))
        guest.wait_state("synced")
        self.assertEqual(guest.entry, "")
        guest.set('"from the guest"')
        self.see_value([*members, guest], '"from the guest"')
        members[0].set('"to the guest"')
        self.see_value([*members, guest], '"to the guest"')
        self.end_all([guest, *members])

    def test_simultaneous_writes(self):
        members = self.start_all(languages_for(3), self.conf_of(3))
        self.assert_linked(members)
        for round_number in range(ROUNDS):
            written = [f'"{round_number} by {index}"' for index in range(len(members))]
            for member, text in zip(members, written):
                member.set(text)
            # Who has the newest keeps it: once each has written, equal values are the last ones.
            for member, text in zip(members, written):
                member.wait(f"-> {text}", lambda: member.has_printed(f"-> {text}"))
            wait_until("one value", lambda: len({member.value for member in members}) == 1)
            self.assertIn(members[0].value, written)
        self.end_all(members)


if __name__ == "__main__":
    main()
