# SPDX-License-Identifier: MIT
"""What is given out: one version everywhere, and a tarball that has all of it and can be built."""

import hashlib
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
PACKAGES = SOURCE / ".packages"
OUTSIDE = SOURCE / "tests" / "install" / "outside"
HELLO = '"outside" 0\n'


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def read(path, pattern):
    return re.search(pattern, (SOURCE / path).read_text(), re.MULTILINE)[1]


VERSION = read("meson.build", r"^  version: '(.*)'")
NAME = f"libamnesia-{VERSION}"


class Version(unittest.TestCase):
    def test_everywhere(self):
        for path, pattern in (
            ("NEWS", r"\Alibamnesia (.*)$"),
            (".packages/debian/changelog", r"\Alibamnesia \((.*)-\d+\)"),
            (".packages/rpm/libamnesia.spec", r"^Version: *(.*)$"),
            (".packages/wrap/libamnesia.wrap", r"^directory = libamnesia-(.*)$"),
            (".packages/wrap/libamnesia.wrap", r"^source_url = .*/libamnesia-(.*)\.tar\.xz$"),
            (".packages/wrap/libamnesia.wrap", r"^source_filename = libamnesia-(.*)\.tar\.xz$"),
        ):
            with self.subTest(path=path, pattern=pattern):
                self.assertEqual(read(path, pattern), VERSION)

    def test_changelogs(self):
        """The last entry of the spec is of this version too."""
        spec = ".packages/rpm/libamnesia.spec"
        self.assertEqual(read(spec, r"^%changelog\n.* - (.*)-\d+$"), VERSION)

    def test_spec(self):
        if not shutil.which("rpmspec"):
            self.skipTest("there is no rpmspec here")
        macros = PACKAGES / "rpm" / "fedora.macros"
        names = run("rpmspec", "--load", macros, "--query", "--queryformat", "%{name} ",
                    PACKAGES / "rpm" / "libamnesia.spec").split()  # fmt: skip
        self.assertIn("libamnesia-devel", names)
        self.assertEqual(len(names), len(set(names)))


class Tarball(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (SOURCE / ".git").exists():
            raise unittest.SkipTest("a release is made of what git knows")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        # of its own: meson dist writes into the folder of the build, where others are at work
        build = cls.folder / "build"
        run("meson", "setup", "-Dtests=false", "-Dintrospection=disabled", build, SOURCE)
        run("meson", "dist", "-C", build, "--no-tests", "--allow-dirty")
        cls.tarball = build / "meson-dist" / f"{NAME}.tar.xz"

    def test_complete(self):
        with tarfile.open(self.tarball) as tar:
            there = {member.name for member in tar if not member.isdir()}
        known = run("git", "-C", SOURCE, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
        self.assertEqual(there, {f"{NAME}/{name}" for name in known})

    def test_export(self):
        """What the packages are made of is the same, and what has changed since."""
        export = self.folder / "export.tar"
        with open(export, "wb") as file:
            subprocess.run([PACKAGES / "export", NAME], stdout=file, check=True, timeout=60)
        with tarfile.open(export) as tar:
            there = {member.name for member in tar if not member.isdir()}
        known = run("git", "-C", SOURCE, "ls-files").splitlines()
        self.assertEqual(there, {f"{NAME}/{name}" for name in known if (SOURCE / name).exists()})

    def write_wrap(self, subprojects):
        """The example, with where this release is and its checksum filled in."""
        text = (PACKAGES / "wrap" / "libamnesia.wrap").read_text()
        for member, value in {
            "source_url": self.tarball.as_uri(),
            "source_hash": hashlib.sha256(self.tarball.read_bytes()).hexdigest(),
        }.items():
            text, n = re.subn(f"^{member} = .*", f"{member} = {value}", text, flags=re.MULTILINE)
            self.assertEqual(n, 1)
        subprojects.mkdir()
        (subprojects / "libamnesia.wrap").write_text(text)

    def test_wrap(self):
        """A project that has the wrap gets the release, and builds it and itself."""
        project, build = self.folder / "project", self.folder / "project-build"
        project.mkdir()
        for path in OUTSIDE.glob("*.c"):
            shutil.copy(path, project)
        # it says nothing of where the dependency comes from: the wrap does
        text = (OUTSIDE / "meson.build").read_text()
        text, n = re.subn(r", fallback: '\w+'", "", text)
        self.assertEqual(n, 1)
        (project / "meson.build").write_text(text)
        self.write_wrap(project / "subprojects")
        run("meson", "setup", "--force-fallback-for=amnesia-1", "-Dlibamnesia:tests=false",
            "-Dlibamnesia:introspection=disabled", build, project)  # fmt: skip
        run("meson", "compile", "-C", build, "outside")
        self.assertEqual(run(build / "outside"), HELLO)
        self.assertTrue((project / "subprojects" / NAME / "meson.build").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
