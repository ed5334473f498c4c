# SPDX-License-Identifier: MIT
"""The script that makes certificates: what it makes is right, what it cannot make it says."""

import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import time
import unittest

SCRIPT = pathlib.Path(os.environ["AMNESIA_EXAMPLES"], "tls", "make-certificates")


def openssl(*arguments):
    return subprocess.run(
        ["openssl", *map(str, arguments)], check=True, capture_output=True, text=True
    ).stdout


def show(file, *what):
    return openssl("x509", "-in", file, "-noout", *what)


class Certificates(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name, "with a space")

    def call(self, *arguments, **how):
        return subprocess.run(
            [SCRIPT, *map(str, arguments)], capture_output=True, text=True, **how
        )

    def make(self, *arguments):
        done = self.call(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def assert_refused(self, message, *arguments, **how):
        done = self.call(*arguments, **how)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(message, done.stderr)
        self.assertEqual(done.stdout, "")

    def names(self):
        return sorted(os.listdir(self.folder))

    def check(self, file, purpose):
        authority = self.folder / "authority.pem"
        openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", authority, file)

    def test_what_is_made(self):
        self.make(self.folder, "10.0.1.2", "studio.lan,10.0.1.3", "fd00::1")
        members = {
            "10.0.1.2.pem": ["IP Address:10.0.1.2"],
            "fd00::1.pem": ["IP Address:FD00:0:0:0:0:0:0:1"],
            "studio.lan.pem": ["DNS:studio.lan", "IP Address:10.0.1.3"],
        }
        self.assertEqual(
            self.names(), sorted([*members, "authority.pem", "authority-key.pem"])
        )
        for name, expected in members.items():
            with self.subTest(member=name):
                file = self.folder / name
                self.check(file, "sslserver")
                self.check(file, "sslclient")
                self.assertIn(", ".join(expected), show(file, "-ext", "subjectAltName"))
                self.assertIn("CA:FALSE", show(file, "-ext", "basicConstraints"))
                usage = show(file, "-ext", "keyUsage").split("\n")[1].strip()
                self.assertEqual(usage, "Digital Signature")
                # the key is in it, and is its own
                self.assertEqual(show(file, "-pubkey"), openssl("pkey", "-in", file, "-pubout"))

    def test_authority_may_only_sign(self):
        self.make(self.folder, "a")
        authority = self.folder / "authority.pem"
        self.assertIn("CA:TRUE, pathlen:0", show(authority, "-ext", "basicConstraints"))
        self.assertIn("Certificate Sign, CRL Sign", show(authority, "-ext", "keyUsage"))
        self.assertNotIn("PRIVATE KEY", authority.read_text())

    def test_nobody_else_reads(self):
        self.make(self.folder, "a", "b")
        for file in self.folder.iterdir():
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600, file)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)

    def test_again(self):
        """The authority stays, and so does who is not named; the certificates are new."""
        self.make(self.folder, "a", "b")
        before = {file.name: file.read_text() for file in self.folder.iterdir()}
        self.make("--days", "30", self.folder, "a", "c")
        after = {file.name: file.read_text() for file in self.folder.iterdir()}
        for name in "authority.pem", "authority-key.pem", "b.pem":
            self.assertEqual(after[name], before[name])
        self.assertNotEqual(after["a.pem"], before["a.pem"])
        for name in "a", "b", "c":
            self.check(self.folder / f"{name}.pem", "sslserver")
        self.assertNotEqual(show(self.folder / "a.pem", "-serial"), show(self.folder / "c.pem", "-serial"))

    def test_days(self):
        self.make("--days=30", self.folder, "a")
        file = self.folder / "a.pem"
        hour, day = 3600, 86400
        show(file, "-checkend", 30 * day - hour)
        with self.assertRaises(subprocess.CalledProcessError):
            show(file, "-checkend", 30 * day + hour)

    def test_clock_behind(self):
        """Who is some minutes behind can use them at once."""
        self.make(self.folder, "a")
        half_an_hour_ago = str(int(time.time()) - 1800)
        authority = self.folder / "authority.pem"
        openssl("verify", "-attime", half_an_hour_ago, "-CAfile", authority, self.folder / "a.pem")

    def test_wrong_names(self):
        wrong = ["", ",a", "a,", "a,,b", "a b", "-a", "a_.", "../a", "a/b", "10.0.1", "10.0.1.256",
                 "fe80::1%eth0", "gg::1", "ä", "*", "a\nb", "x" * 64, "authority", "authority-key"]
        for name in wrong:
            with self.subTest(name=name):
                done = self.call(self.folder, "right", name)
                self.assertEqual(done.returncode, 1)
                self.assertTrue(done.stderr.startswith("make-certificates: "), done.stderr)
                self.assertFalse(self.folder.exists())

    def test_long_name(self):
        name = ".".join(["x" * 60] * 4)
        self.make(self.folder, name)
        self.assertIn(f"DNS:{name}", show(self.folder / f"{name}.pem", "-ext", "subjectAltName"))

    def test_wrong_days(self):
        for days in "0", "-1", "1.5", "ten", "", "10000":
            with self.subTest(days=days):
                self.assert_refused("a whole number from 1", "--days", days, self.folder, "a")

    def test_usage(self):
        self.assertEqual(self.call().returncode, 2)
        self.assertEqual(self.call(self.folder).returncode, 2)
        self.assertIn("Usage", self.make("--help"))
        self.assert_refused("unknown option --day", "--day", "3", self.folder, "a")
        self.assert_refused("--days needs a number", "--days")

    def test_half_an_authority(self):
        self.make(self.folder, "a")
        key = self.folder / "authority-key.pem"
        kept = key.rename(key.with_suffix(".kept"))
        self.assert_refused("authority-key.pem cannot be read", self.folder, "a")
        kept.rename(key)
        (self.folder / "authority.pem").unlink()
        self.assert_refused("authority.pem is missing", self.folder, "a")

    def test_foreign_key(self):
        other = self.folder.parent / "other"
        self.make(self.folder, "a")
        self.make(other, "a")
        shutil.copy(other / "authority-key.pem", self.folder)
        self.assert_refused("is not the key of", self.folder, "a")

    def test_garbage(self):
        self.make(self.folder, "a")
        (self.folder / "authority.pem").write_text("garbage")
        self.assert_refused("openssl: ", self.folder, "a")
        self.assertEqual(len(self.names()), 3)

    def test_authority_ends_before(self):
        self.make(self.folder, "a")
        self.assert_refused("expires within 9000 days", "--days", "9000", self.folder, "a")

    def test_no_folder(self):
        file = self.folder.parent / "file"
        file.write_text("")
        self.assert_refused("cannot be made", file, "a")

    def test_no_openssl(self):
        tools = self.folder.parent / "tools"
        tools.mkdir()
        for tool in "sh", "grep", "tr", "cat":
            (tools / tool).symlink_to(shutil.which(tool))
        self.assert_refused("openssl is missing", self.folder, "a", env={"PATH": str(tools)})

    @unittest.skipUnless(shutil.which("shellcheck"), "needs shellcheck")
    def test_shellcheck(self):
        scripts = [file for file in SCRIPT.parent.iterdir() if file.name in ("run", SCRIPT.name)]
        done = subprocess.run(["shellcheck", "-x", *scripts], cwd=SCRIPT.parent.parent.parent,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
