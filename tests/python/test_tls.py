# SPDX-License-Identifier: MIT
"""TLS, as Python configures it: by files, and by objects."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from gi.repository import Gio, GLib

from support import Amnesia, conf, host, open_store, wait_for

SCRIPT = pathlib.Path(os.environ["G_TEST_SRCDIR"], "..", "examples", "tls", "make-certificates")


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        subprocess.run([SCRIPT, scratch.name, host()], check=True, stdout=subprocess.DEVNULL)
        cls.certificate = f"{scratch.name}/{host()}.pem"
        cls.authorities = f"{scratch.name}/authority.pem"

    def new_conf(self):
        made = Amnesia.Conf()
        for entry in conf(2):
            made.add_peer(entry["host"], entry["port"])
        return made

    def by_files(self):
        made = self.new_conf()
        made.set_tls_files(self.certificate, None, self.authorities)
        return made

    def by_objects(self):
        made = self.new_conf()
        made.props.tls_certificate = Gio.TlsCertificate.new_from_file(self.certificate)
        made.props.tls_database = Gio.TlsFileDatabase.new(self.authorities)
        made.props.require_tls = True
        return made

    def test_shared(self):
        a = open_store(self, conf=self.by_files())
        b = open_store(self, conf=self.by_objects())
        a.data = {"by": "files"}
        wait_for(lambda: b.data == {"by": "files"})
        self.assertEqual(b.props.peers[0].props.way, Amnesia.Way.TLS)

    def test_properties(self):
        made = self.by_objects()
        self.assertIsInstance(made.get_tls_certificate(), Gio.TlsCertificate)
        self.assertIsInstance(made.get_tls_database(), Gio.TlsDatabase)
        self.assertTrue(made.get_require_tls())
        made.set_require_tls(False)
        made.set_tls_names(["laptop.example"])
        self.assertEqual(made.get_tls_names(), ["laptop.example"])
        made.set_tls_certificate(None)
        made.set_tls_database(None)
        self.assertIsNone(made.props.tls_certificate)

    def test_wrong_file(self):
        with self.assertRaises(GLib.Error) as caught:
            self.new_conf().set_tls_files(self.authorities, None, self.authorities)
        self.assertEqual(caught.exception.code, int(Amnesia.Error.INVALID_CONF))
        self.assertIn("no private key", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
