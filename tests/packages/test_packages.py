# SPDX-License-Identifier: MIT
"""Each installed file is in one package, and what the packages say goes with the rest of the tree."""

import os
import pathlib
import re
import subprocess
import sysconfig
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
PACKAGES = SOURCE / ".packages"
DEBIAN = PACKAGES / "debian"
SPEC = (PACKAGES / "rpm" / "libamnesia.spec").read_text()
BUILD = pathlib.Path(os.environ["AMNESIA_BUILD"])
PREFIX = os.environ["AMNESIA_PREFIX"]
EVERY_PART = os.environ["AMNESIA_EVERY_PART"] != ""
# Debian's folder for libraries of one architecture.
LIB = f"lib/{sysconfig.get_config_var('MULTIARCH')}"

# What the macros of the spec are on Debian, below the prefix.
MACROS = {
    "_bindir": "bin",
    "_libdir": "lib/*",
    "_libexecdir": "libexec",
    "_includedir": "include",
    "_datadir": "share",
    "_mandir": "share/man",
    "python3_sitelib": "lib/python3/dist-packages",
}


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def read_paragraphs(path):
    """Of a file such as debian/control: each paragraph as a dictionary."""
    return [
        dict(re.findall(r"^([\w-]+):[ \n]*((?:.*\n?)(?:[ \t].*\n?)*)", part, re.MULTILINE))
        for part in path.read_text().strip().split("\n\n")
    ]


def read_debian_lists():
    """For each package the patterns of what it installs, below the prefix."""
    lists = {}
    for path in DEBIAN.glob("*.install"):
        words = [line.split()[0] for line in path.read_text().splitlines()]
        lists[path.stem] = [word.removeprefix("usr/") for word in words if word.startswith("usr/")]
    return lists


def read_rpm_lists():
    """The same of the spec."""
    lists = {}
    for head, body in re.findall(r"^%files *(.*)\n((?:[%/].+\n)+)", SPEC, re.MULTILINE):
        words = [
            line.split()[-1] for line in body.splitlines()
            if not line.startswith(("%dir", "%doc", "%license"))
        ]  # fmt: skip
        if "-f %{name}.lang" in head:
            words.append("%{_datadir}/locale")
        lists[head] = [re.sub(r"%\{(\w+)\}", lambda found: MACROS[found[1]], w) for w in words]
    return lists


def find_files(root, pattern):
    """The files that a pattern names, itself or by naming a folder above them."""
    for path in root.glob(pattern):
        yield from [path] if not path.is_dir() else (p for p in path.rglob("*") if not p.is_dir())


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", folder.name)
        cls.root = pathlib.Path(folder.name, PREFIX.lstrip("/"))
        if not (cls.root / LIB).is_dir():
            raise unittest.SkipTest("what is installed does not lie as on Debian")
        cls.files = {path for path in cls.root.rglob("*") if not path.is_dir()}

    def show(self, paths):
        return sorted(str(path.relative_to(self.root)) for path in paths)

    def check(self, lists):
        taken = [set().union(*(find_files(self.root, p) for p in patterns))
                 for patterns in lists.values()]  # fmt: skip
        every = set().union(*taken)
        self.assertEqual(self.show(self.files - every), [], "in no package")
        twice = [path for path in every if sum(path in files for files in taken) > 1]
        self.assertEqual(self.show(twice), [], "in more than one package")

    def check_found(self, lists):
        if not EVERY_PART:
            self.skipTest("this build leaves something out")
        found = {
            pattern: any(find_files(self.root, pattern))
            for patterns in lists.values()
            for pattern in patterns
        }
        if not (SOURCE / "po" / "LINGUAS").read_text().split():
            del found["share/locale"]
        self.assertEqual([pattern for pattern, is_there in found.items() if not is_there], [])

    def test_debian(self):
        self.check(read_debian_lists())

    def test_debian_found(self):
        self.check_found(read_debian_lists())

    def test_rpm(self):
        self.check(read_rpm_lists())

    def test_rpm_found(self):
        self.check_found(read_rpm_lists())

    def test_installed_tests(self):
        """Each of them starts a file that is there."""
        tests = list((self.root / "share" / "installed-tests").rglob("*.test"))
        if not tests:
            self.skipTest("this build installs no tests")
        for test in tests:
            script = re.search(r"^Exec=.* (/\S+)$", test.read_text(), re.MULTILINE)[1]
            path = self.root / script.removeprefix(PREFIX).lstrip("/")
            self.assertTrue(path.is_file(), test)
            self.assertTrue(path.suffix in (".py", ".js") or os.access(path, os.X_OK), test)


class Fields(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source, *packages = read_paragraphs(DEBIAN / "control")
        cls.packages = {package["Package"].strip(): package for package in packages}

    def test_lists(self):
        """A package that is misspelt in a file's name would be empty."""
        named = {path.stem for path in DEBIAN.glob("*.install")}
        self.assertEqual(named, set(self.packages))
        for path in DEBIAN.iterdir():
            if path.suffix in (".docs", ".examples", ".links", ".doc-base", ".symbols", ".Debian"):
                name = path.name.removesuffix(".README.Debian").removesuffix(path.suffix)
                self.assertIn(name, self.packages)

    def test_each(self):
        for name, fields in self.packages.items():
            with self.subTest(package=name):
                synopsis, *rest = fields["Description"].splitlines()
                self.assertLessEqual(len(synopsis), 80)
                self.assertGreater(len(rest), 2)
                self.assertIn("${misc:Depends}", fields["Depends"])
                # what has no code is the same for all architectures
                has_code = "${shlibs:Depends}" in fields["Depends"] or name.endswith("-dev")
                self.assertEqual(fields["Architecture"].strip(), "any" if has_code else "all")

    def test_name(self):
        """As Debian's policy makes it of the SONAME."""
        dynamic = run("objdump", "-p", os.environ["AMNESIA_LIBRARY"])
        soname = re.search(r"SONAME +(\S+)", dynamic)[1]
        name = re.sub(r"\.so(\.|$)", "", re.sub(r"(\d)\.so\.", r"\1-", soname))
        self.assertIn(name, self.packages)
        head = (DEBIAN / f"{name}.symbols").read_text().split("\n")[0]
        self.assertEqual(head, f"{soname} {name} #MINVER#")

    def test_symbols(self):
        """What others may depend on; a new one comes with the version that brings it."""
        (path,) = DEBIAN.glob("*.symbols")
        listed = re.findall(r"^ (\w+)@Base [\d.]+$", path.read_text(), re.MULTILINE)
        expected = (SOURCE / "tests" / "install" / "symbols.txt").read_text().split()
        self.assertEqual(listed, expected, f"add what is new to {path}")

    def test_dependencies(self):
        """The least versions are those of meson.build."""
        build = (SOURCE / "meson.build").read_text()
        glib = re.search(r"glib_version = '>= ([\d.]+)'", build)[1]
        json_glib = re.search(r"'json-glib-1.0', version: '>= ([\d.]+)'", build)[1]
        meson = re.search(r"meson_version: '>= ([\d.]+)'", build)[1].removesuffix(".0")
        builds = self.source["Build-Depends"]
        self.assertIn(f"libglib2.0-dev (>= {glib})", builds)
        self.assertIn(f"libglib2.0-dev (>= {glib})", self.packages["libamnesia-dev"]["Depends"])
        self.assertIn(f"libjson-glib-dev (>= {json_glib})", builds)
        self.assertIn(f"meson (>= {meson})", builds)
        self.assertIn(f"pkgconfig(gio-2.0) >= {glib}\n", SPEC)
        self.assertIn(f"pkgconfig(json-glib-1.0) >= {json_glib}\n", SPEC)
        self.assertIn(f"meson >= {meson}\n", SPEC)

    def test_licence(self):
        licence = (SOURCE / "LICENSE").read_text().split("Permission", 1)[1].split()
        text = (DEBIAN / "copyright").read_text().rsplit("Permission", 1)[1]
        self.assertEqual([word for word in text.split() if word != "."], licence)

    def test_scripts(self):
        """Each test is there for autopkgtest, and can be started."""
        named = [fields["Tests"].strip() for fields in read_paragraphs(DEBIAN / "tests/control")]
        scripts = {path.name for path in (DEBIAN / "tests").iterdir()} - {"control"}
        self.assertEqual(set(named), scripts)
        for path in [DEBIAN / "rules", *(DEBIAN / "tests" / name for name in named)]:
            self.assertTrue(os.access(path, os.X_OK), path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
