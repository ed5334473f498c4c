# SPDX-License-Identifier: MIT
"""What is installed is what programs outside the tree need, and no more."""

import json
import os
import pathlib
import queue
import re
import subprocess
import tempfile
import threading
import unittest

import samples

HERE = pathlib.Path(__file__).parent
OUTSIDE = HERE / "outside"
SOURCE = HERE.parent.parent
BUILD = pathlib.Path(os.environ["AMNESIA_BUILD"])
PREFIX = os.environ["AMNESIA_PREFIX"].lstrip("/")
LANGUAGES = os.environ["AMNESIA_LANGUAGES"].split()
HELLO = '"outside" 0\n'
PATIENCE_S = 20

HEADERS = ["amnesia.h", "amnesia-version.h"] + [
    f"amnesia-{name}.h"
    for name in ("bind", "change", "conf", "error", "json", "peer", "prompt", "store")
]


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Program:
    """One that runs until it is told to end, and what it prints."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip())

    def next_line(self):
        return self.lines.get(timeout=PATIENCE_S)

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Symbols(unittest.TestCase):
    def test_symbols(self):
        """A symbol that is gone, or is there by accident, is seen before others depend on it."""
        lines = run("nm", "--dynamic", "--defined-only", os.environ["AMNESIA_LIBRARY"]).splitlines()
        expected = (HERE / "symbols.txt").read_text().split()
        self.assertEqual(sorted(line.split()[2] for line in lines), expected)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.root = cls.folder / "root"
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.root)
        cls.prefix = cls.root / PREFIX
        (pc,) = cls.find("*.pc")
        # The files are in another place than the one that they are made for.
        text = re.sub("^prefix=.*", f"prefix={cls.prefix}", pc.read_text(), flags=re.MULTILINE)
        pc.write_text(text)
        (library,) = cls.find("libamnesia-1.so")
        cls.env = {
            **os.environ,
            "PKG_CONFIG_PATH": str(pc.parent),
            "LD_LIBRARY_PATH": str(library.parent),
            "GI_TYPELIB_PATH": str(library.parent / "girepository-1.0"),
            "XDG_DATA_DIRS": f"{cls.prefix}/share:/usr/local/share:/usr/share",
        }

    @classmethod
    def find(cls, pattern):
        return sorted(cls.root.rglob(pattern))

    def run_outside(self, *command, **variables):
        return run(*command, env={**self.env, **variables})

    def require(self, language):
        if language not in LANGUAGES:
            self.skipTest(f"this build has no {language}")

    def test_headers(self):
        headers = [str(path.relative_to(self.prefix)) for path in self.find("*.h")]
        self.assertEqual(headers, sorted(f"include/amnesia-1/{name}" for name in HEADERS))

    def test_translations(self):
        """Where the library looks for them, and one for each language."""
        languages = (SOURCE / "po" / "LINGUAS").read_text().split()
        found = self.find("*.mo")
        (folder,) = {path.parents[2] for path in found}
        names = [f"{language}/LC_MESSAGES/libamnesia.mo" for language in languages]
        self.assertEqual([str(path.relative_to(folder)) for path in found], sorted(names))
        bound = f"/{folder.relative_to(self.root)}\0".encode()
        library = pathlib.Path(os.environ["AMNESIA_LIBRARY"]).read_bytes()
        self.assertTrue(bound in library, f"the library does not look into {folder}")

    def test_nothing_else(self):
        """Neither examples nor tests, and no library but the one."""
        files = [path for path in self.find("lib?*") if path.is_file()]
        libraries = [path.name for path in files if path.suffix != ".mo"]
        self.assertEqual([n for n in libraries if not n.startswith("libamnesia-1.so")], [])
        found = self.find("member*") + self.find("test*")
        self.assertEqual([path for path in found if "installed-tests" not in path.parts], [])

    def compile_c(self, source, *options):
        program = self.folder / f"{source.stem}-c"
        flags = self.run_outside("pkg-config", "--cflags", "--libs", "amnesia-1").split()
        run("cc", source, "-o", program, *options, *flags)
        return program

    def compile_vala(self, source, *options):
        program = self.folder / f"{source.stem}-vala"
        (vapi,) = self.find("amnesia-1.vapi")
        (gir,) = self.find("Amnesia-1.gir")
        folders = "--vapidir", vapi.parent, "--girdir", gir.parent
        self.run_outside("valac", *folders, "--pkg", "amnesia-1", "-X", "-w", source,
                         "-o", program, *options)  # fmt: skip
        return program

    def find_python(self):
        (override,) = self.find("Amnesia.py")
        return str(override.parents[2])

    def test_c(self):
        self.assertEqual(self.run_outside(self.compile_c(OUTSIDE / "outside.c")), HELLO)

    def test_meson(self):
        build = self.folder / "outside-meson"
        self.run_outside("meson", "setup", build, OUTSIDE)
        self.run_outside("meson", "compile", "-C", build)
        self.assertEqual(self.run_outside(build / "outside"), HELLO)

    def test_python(self):
        self.require("python")
        (override,) = self.find("Amnesia.py")
        self.assertEqual(override.parts[-3:-1], ("gi", "overrides"))
        self.assertEqual(self.find("__init__.py"), [])
        command = os.environ["AMNESIA_PYTHON"], OUTSIDE / "outside.py"
        self.assertEqual(self.run_outside(*command, PYTHONPATH=self.find_python()), HELLO)

    def test_javascript(self):
        self.require("js")
        self.assertEqual(self.run_outside("gjs", "-m", OUTSIDE / "outside.js"), HELLO)

    def test_vala(self):
        self.require("vala")
        program = self.compile_vala(OUTSIDE / "outside.vala")
        self.assertEqual(self.run_outside(program), HELLO)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def test_tutorial_c(self):
        source = self.write("tutorial.c", samples.make_tutorial("c"))
        self.compile_c(source, "-c", "-Wall", "-Werror")

    def test_tutorial_vala(self):
        self.require("vala")
        self.compile_vala(self.write("tutorial.vala", samples.make_tutorial("vala")), "-c")

    def start_readme(self, language):
        """Starts the ten lines that the README has for one language."""
        endings = {"python": "py"}
        source = self.write(f"readme.{endings.get(language, language)}",
                            samples.find_program(language))  # fmt: skip
        command = {
            "c": lambda: [self.compile_c(source, "-Wall", "-Werror")],
            "python": lambda: [os.environ["AMNESIA_PYTHON"], "-u", source],
            "js": lambda: ["gjs", "-m", source],
            "vala": lambda: [self.compile_vala(source)],
        }[language]()
        env = {**self.env, "PYTHONPATH": self.find_python()} if language == "python" else self.env
        program = Program(*command, cwd=self.folder, env=env)
        self.addCleanup(program.end)
        return program

    def test_readme(self):
        """They run as they stand, and share one variable."""
        pid = os.getpid()
        host = f"127.{1 + (pid >> 16) % 250}.{pid >> 8 & 255}.{pid & 255}"
        self.write("conf.json", json.dumps([{"host": host, "port": 7701 + i} for i in range(4)]))
        first = self.start_readme("c")
        self.assertEqual(first.next_line(), shown := "123")
        for language, own, value in (
            ("python", "{'jsontest': 123}", '{"jsontest":123}'),
            ("vala", "123", "123"),
            ("js", '{"jsontest":123}', '{"jsontest":123}'),
        ):
            if language in LANGUAGES:
                self.assertEqual(self.start_readme(language).next_line(), own)
                if value != shown:
                    self.assertEqual(first.next_line(), shown := value)


class Subproject(unittest.TestCase):
    def test_subproject(self):
        """An own copy in subprojects/ does as well as an installed one."""
        with tempfile.TemporaryDirectory() as folder:
            outside = pathlib.Path(folder, "outside")
            build = pathlib.Path(folder, "build")
            (outside / "subprojects").mkdir(parents=True)
            (outside / "subprojects" / "libamnesia").symlink_to(SOURCE)
            for name in ("meson.build", "outside.c"):
                (outside / name).write_text((OUTSIDE / name).read_text())
            run("meson", "setup", "--force-fallback-for=amnesia-1", "-Dlibamnesia:tests=false",
                "-Dlibamnesia:introspection=disabled", build, outside)
            run("meson", "compile", "-C", build)
            self.assertEqual(run(build / "outside"), HELLO)


if __name__ == "__main__":
    unittest.main(verbosity=2)
