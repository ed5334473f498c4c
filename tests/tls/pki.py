# SPDX-License-Identifier: MIT
"""Certificates, good ones and such as nobody should have."""

import pathlib
import subprocess
import time

DAY_S = 86400

SETTINGS = """
[ca]
default_ca = authority
[authority]
database = {work}/index
new_certs_dir = {work}
rand_serial = yes
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = {name}
[root]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[member]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments[0]}: {done.stderr}")
    return done.stdout


def time_in(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * DAY_S))


def make_key(file):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file)
    return file


def is_address(name):
    return name.replace(".", "").isdigit()


class Authority:
    """Signs what it is asked to, with any names and any time."""

    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder, name)
        self.folder.mkdir(parents=True)
        self.key = make_key(self.folder / "key.pem")
        self.file = self.folder / "authority.pem"
        self._n_made = 0
        (self.folder / "index").touch()
        self._sign(self.key, self.file, name, "DNS:none", "root", -10, 100, "-selfsign")

    def _sign(self, key, file, name, names, section, start, end, *how):
        settings, request = self.folder / "settings", self.folder / "request"
        settings.write_text(SETTINGS.format(work=self.folder, name=name, names=names))
        openssl("req", "-new", "-config", settings, "-key", key, "-out", request)
        openssl(
            *("ca", "-batch", "-notext", "-config", settings, "-extensions", section),
            *("-startdate", time_in(start), "-enddate", time_in(end)),
            *("-in", request, "-out", file, "-keyfile", self.key, *how),
        )

    def make(self, *names, start=-1, end=60, key=None):
        """Returns a file with the certificate and its key. With `key`, this one is put in its place."""
        self._n_made += 1
        own_key = make_key(self.folder / f"key{self._n_made}.pem")
        file = self.folder / f"member{self._n_made}.pem"
        described = [("IP:" if is_address(name) else "DNS:") + name for name in names]
        self._sign(own_key, file, names[0], ",".join(described), "member", start, end,
                   "-cert", self.file)
        file.write_text(file.read_text() + (key or own_key).read_text())
        return file
