# SPDX-License-Identifier: MIT
"""amnesia check-conf."""

import base64
import pathlib
import shutil
import socket
import subprocess
import unittest

from commands import DONE, FAILED, TOOL, USAGE, CommandCase
from members import EXAMPLES, HOST, entry, main


class CheckConf(CommandCase):
    def check(self, conf):
        self.conf(conf, "checked.json")
        said = self.amnesia("check-conf", "checked.json")
        self.assertEqual((said.returncode, said.stderr), (DONE, ""))
        lines = said.stdout.splitlines()
        self.assertEqual(lines[-1], "ok")
        return lines[:-1]

    def assert_line(self, lines, *words):
        for line in lines:
            if all(word in line for word in words):
                return
        self.fail(f"no line has {words}: {lines}")

    def test_list(self):
        self.member()
        lines = self.check([entry(0), entry(1), {"host": "192.0.2.1", "port": 1}])
        self.assert_line(lines[:1], f"{HOST}:7701", "this machine", "taken")
        self.assert_line(lines[1:2], f"{HOST}:7702", "this machine", "free")
        self.assert_line(lines[2:3], "192.0.2.1:1", "another machine")
        lines = self.check([entry(0)])
        self.assert_line(lines, "entries of this machine are taken")
        lines = self.check([{"host": "192.0.2.1", "port": 1}])
        self.assert_line(lines, "No entry is of this machine")

    def test_names(self):
        lines = self.check([{"host": "localhost", "port": 1234}, {"host": "a.invalid", "port": 5}])
        self.assert_line(lines, "localhost:1234", "127.0.0.1", "this machine")
        self.assert_line(lines, "a.invalid:5 cannot be found")

    def test_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("this machine has no ::1")
        self.assert_line(self.check([{"host": "::1", "port": 9}]), "[::1]:9", "this machine")

    @unittest.skipUnless(shutil.which("strace"), "there is no strace")
    def test_it_takes_no_port(self):
        """A program that is started at that moment has its entry all the same: nobody listens."""
        trace = self.folder / "trace"
        command = ["strace", "-f", "-o", trace, "-e", "trace=bind,listen", TOOL, "check-conf"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        self.assertIn("htons(7701)", trace.read_text())
        self.assertNotIn("listen(", trace.read_text())

    def test_all_else(self):
        lines = self.check(
            {
                "peers": [entry(0)],
                "group": "kitchen\u001b[31m",
                "allow": ["10.0.1.0/24", "fd00::/64"],
                "listen": {"host": "0.0.0.0", "port": 7777},
                "max-size": 1048576,
                "clock-limit": 0,
                "local": False,
            }
        )
        self.assert_line(lines, "group", "kitchen\\u001b[31m")
        self.assert_line(lines, "10.0.1.0/24, fd00::/64")
        self.assert_line(lines, "0.0.0.0:7777")
        self.assert_line(lines, "1.0\u00a0MiB")
        self.assert_line(lines, "clocks", "as they like")
        self.assert_line(lines, "Unix sockets", "not used")
        self.assert_line(lines, "TLS", "none")

    def test_errors(self):
        for conf, place in (
            ('[{"host": "h"}]', "[0].port"),
            ('{"peers": [{"host": "h", "port": 1}], "colour": 1}', "colour is"),
            ("[]", "empty"),
            ('[{"host": "h", "port": 1},', "line 1"),
            ('{"peers": [{"host": "h", "port": 1}], "tls": {"certificate": "none.pem"}}', "tls"),
        ):
            self.file.write_text(conf)
            for arguments in ([], ["amnesia.json"], ["-c", "amnesia.json"]):
                errors = self.expect(FAILED, "", "check-conf", *arguments)
                self.assertIn(place, errors)
                self.assertIn("amnesia.json", errors)
        self.assertIn("nowhere", self.expect(FAILED, "", "check-conf", "nowhere"))
        self.expect(USAGE, "", "check-conf", "a", "b")


@unittest.skipUnless(shutil.which("openssl"), "there is no openssl")
class Tls(CheckConf):
    def certify(self, folder, host):
        maker = EXAMPLES / "tls" / "make-certificates"
        subprocess.run([maker, self.folder / folder, host], check=True, capture_output=True)

    def with_tls(self, certificate, authorities):
        tls = {"certificate": certificate, "authorities": authorities}
        return self.check({"peers": [entry(0)], "tls": tls})

    def test_names_that_are_no_text(self):
        """Who makes a certificate may put any bytes in it."""
        made = subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            + ["-keyout", "odd.key", "-outform", "DER", "-subj", "/CN=odd-odd"]
            + ["-addext", "subjectAltName=DNS:odd.example"],
            cwd=self.folder,
            check=True,
            capture_output=True,
        ).stdout
        made = made.replace(b"odd-odd", b"o\x1b[2J\xff\xfc").replace(b"odd.example", b"o\x1b[2J\xffmple\xfc")
        text = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(made).decode()}-----END CERTIFICATE-----\n"
        (self.folder / "odd.pem").write_text(text)
        tls = {"certificate": "odd.pem", "private-key": "odd.key", "authorities": "odd.pem"}
        self.conf({"peers": [entry(0)], "tls": tls}, "amnesia.json")
        lines = self.amnesia("check-conf").stdout.splitlines()
        self.assert_line(lines, "certificate", "CN=o\\u001b[2J\ufffd\ufffd")
        self.assert_line(lines, "its names", "o\\u001b[2J\ufffdmple\ufffd")

    def test_certificate(self):
        self.certify("pki", HOST)
        self.certify("pki", "else.example")
        self.certify("other", HOST)
        own = f"pki/{HOST}.pem"
        lines = self.with_tls(own, "pki/authority.pem")
        self.assert_line(lines, "certificate", f"CN={HOST}")
        self.assert_line(lines, "its names", HOST)
        self.assertRegex("\n".join(lines), r"valid until +\d{4}-\d\d-\d\d")
        self.assertFalse([line for line in lines if "efuse" in line])
        self.assert_line(self.with_tls(own, "other/authority.pem"), "None of the authorities")
        lines = self.with_tls("pki/else.example.pem", "pki/authority.pem")
        self.assert_line(lines, "has no name of the list")

    def test_soon_over(self):
        self.certify("pki", HOST)
        pki = self.folder / "pki"
        key = pki / "authority-key.pem"
        csr = subprocess.run(
            ["openssl", "req", "-new", "-nodes", "-subj", f"/CN={HOST}", "-newkey", "ec"]
            + ["-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", pki / "short.key"],
            check=True,
            capture_output=True,
        ).stdout
        certificate = subprocess.run(
            ["openssl", "x509", "-req", "-days", "3", "-CA", pki / "authority.pem", "-CAkey", key],
            input=csr,
            check=True,
            capture_output=True,
        ).stdout
        pathlib.Path(pki / "short.pem").write_bytes(
            certificate + (pki / "short.key").read_bytes()
        )
        self.assert_line(self.with_tls("pki/short.pem", "pki/authority.pem"), "valid until", "only")


if __name__ == "__main__":
    main()
