# SPDX-License-Identifier: MIT
"""Members in all languages that share by TLS, on machines of their own as far as files go."""

import os
import subprocess

import members
from tlslib import HOST, MEMBER, TestCase


class Together(TestCase):
    def start_all_with_tls(self, languages):
        conf = [self.write_conf(self.good, n_entries=len(languages)) for _ in languages]
        started = [self.start(language, file) for language, file in zip(languages, conf)]
        for member in started:
            member.wait_state("synced")
        return started

    def test_S1_all_languages(self):
        """C, Python, JavaScript and Vala, as far as the build has them: each hears each."""
        for round_number in range(3):
            with self.subTest(round=round_number):
                together = self.start_all_with_tls(members.EVERY)
                self.assert_distinct(together, len(members.EVERY))
                for number, writer in enumerate(together):
                    text = f'"by {writer.language} {number} {round_number}"'
                    writer.set(text)
                    self.see_value(together, text)
                self.end_all(together)

    def test_S1_guest(self):
        """A guest has a certificate as well; its name is one of those that are let in."""
        guest_file = self.authority.make("guest.example")
        names = {"names": [HOST, "guest.example"]}
        one = self.start("c", self.write_conf(self.good, n_entries=1, tls=names))
        one.wait("an entry", lambda: one.entry)
        one.set('"for the guest"')
        for language in members.LANGUAGES:
            with self.subTest(language=language):
                guest = self.start(language, self.write_conf(guest_file, n_entries=1, tls=names))
                guest.wait_value('"for the guest"')
                self.assertFalse(guest.entry)
                guest.set('"by the guest"')
                one.wait_value('"by the guest"')
                one.set('"for the guest"')
                guest.wait_value('"for the guest"')
                self.end_all([guest])
        self.end_all([one])

    def test_no_glib_networking(self):
        """Where GIO has no TLS, the error says what to install."""
        ended = subprocess.run(
            [MEMBER, self.write_conf(self.good)],
            env={**os.environ, "GIO_USE_TLS": "dummy"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("glib-networking", ended.stderr)

    def test_S7_wrong_files(self):
        """It is told in each language, when the configuration is read, and names the member."""
        conf = self.write_conf(self.good)
        (conf.parent / "member.pem").write_text("garbage")
        for language in members.LANGUAGES:
            with self.subTest(language=language):
                member = self.start(language, conf)
                self.assertNotEqual(member.finish(), 0)
                self.assertIn("tls.certificate", member.errors())
                self.assertIn("member.pem", member.errors())

    def test_S12_required(self):
        """With require-tls a configuration without TLS is refused, whatever the language; but for
        one that is of this machine only."""
        peers = [{"host": "192.0.2.1", "port": 7777}]
        plain = self.write_conf(peers=peers, **{"require-tls": True})
        for language in members.LANGUAGES:
            with self.subTest(language=language):
                member = self.start(language, plain)
                self.assertNotEqual(member.finish(), 0)
                self.assertIn("require-tls", member.errors())
        nearby = self.start("c", self.write_conf(**{"require-tls": True}))
        nearby.wait_state("alone")
        self.end_all([nearby])
        secure = self.write_conf(self.good, **{"require-tls": True})
        other = self.write_conf(self.good, **{"require-tls": True})
        both = [self.start("c", secure), self.start("c", other)]
        for member in both:
            member.wait_state("synced")
        self.end_all(both)


if __name__ == "__main__":
    members.main()
