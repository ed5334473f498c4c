# SPDX-License-Identifier: MIT
"""Each sample of the README, of the manual's pages and of the comments that are part of it is compiled,
run, read or looked at by somebody. One that nobody takes is an error.
"""

import doctest
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import types
import unittest

import pages
import stages
from pages import SOURCE
from support import Amnesia, conf, host, wait_for
from test_tutorial import Widget

from gi.repository import Gio, GLib  # noqa: E402

BUILD = pathlib.Path(os.environ["AMNESIA_BUILD"])
LOOPBACK = "127.0.0.1"

# Taken by tests of other rooms: page, language, how many of the first (None: all), and the file.
ELSEWHERE = [
    ("tutorial.md", "python", None, "tests/python/test_tutorial.py"),
    ("tutorial.md", "js", None, "tests/gjs/test-tutorial.js"),
    ("tutorial.md", "c", None, "tests/install/samples.py"),
    ("tutorial.md", "vala", None, "tests/install/samples.py"),
    ("README.md", "python", 1, "tests/install/samples.py"),
    ("README.md", "js", 1, "tests/install/samples.py"),
    ("README.md", "vala", 1, "tests/install/samples.py"),
    ("README.md", "c", 1, "tests/install/samples.py"),
    ("protocol.md", "text", None, "tests/manual/test_protocol_page.py"),
    ("command.md", "text", None, "tests/manual/test_command.py"),
]
TAKERS = {
    "python": "Programs.test_python",
    "js": "Programs.test_javascript",
    "javascript": "Programs.test_node",
    "vala": "Programs.test_vala",
    "c": "Programs.test_c",
    "json": "Texts.test_json",
    "sh": "Texts.test_sh",
    "indented": "Texts.test_sh",
    "ini": "Texts.test_units",
    "nft": "Texts.test_nft",
}


def taker_of(block):
    same = pages.blocks_of(block.page, block.language)
    for page, language, first, file in ELSEWHERE:
        is_one = first is None or block in same[:first]
        if (page, language) == (block.page, block.language) and is_one:
            return file
    return TAKERS.get(block.language)


def blocks_for(taker):
    found = [block for block in pages.all_blocks() if taker_of(block) == taker]
    if not found:
        raise AssertionError(f"there is nothing for {taker}")
    return found


def by_page(blocks):
    found = {}
    for block in blocks:
        found.setdefault(block.page, []).append(block)
    return found


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}:\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


class Everything(unittest.TestCase):
    def test_each_is_taken(self):
        blocks = pages.all_blocks()
        self.assertGreater(len(blocks), 90)
        for block in blocks:
            self.assertIsNotNone(taker_of(block), f"{block}: no test takes it")

    def test_takers_are_there(self):
        for page, _, _, file in ELSEWHERE:
            self.assertTrue(page in (SOURCE / file).read_text(), f"{file} does not name {page}")
        for taker in TAKERS.values():
            name, method = taker.split(".")
            self.assertTrue(hasattr(globals()[name], method), taker)

    def test_fences_are_closed(self):
        for path in [pages.README, *pages.MANUAL]:
            text = pages.FENCE.sub("", pages.read_text(path))
            self.assertNotIn("```", text, path.name)

    def test_four_languages(self):
        """Who reads one language finds it at the same place everywhere: `tabs` counts on that."""
        for path in pages.MANUAL:
            text = pages.read_text(path)
            for group in find_groups(text, pages.find_blocks(path)):
                languages = tuple(block.language for block in group)
                if len(group) > 3:
                    self.assertTrue(is_group(languages), f"{group[0]}: {languages}")


def find_groups(text, blocks):
    """Blocks between which there is nothing."""
    groups = []
    for block in blocks:
        if groups and not text[groups[-1][-1].end : block.start].strip():
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def is_group(languages):
    return languages == pages.LANGUAGES


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        self.folder = pathlib.Path(folder.name)
        pathlib.Path("conf.json").write_text(json.dumps(conf(2)))


class PythonPage:
    """The samples of one page, one after the other in one program."""

    def __init__(self, test):
        self.test = test
        self.printed = []
        self.names = {
            "print": lambda *what: self.printed.append(" ".join(map(str, what))),
            "Amnesia": Amnesia, "GLib": GLib, "pathlib": pathlib, "threading": threading,
        }  # fmt: skip

    def run(self, blocks):
        for block in blocks:
            text = block.text.replace(LOOPBACK, host())
            if ">>>" in text:
                self.talk(block, text)
            else:
                exec(compile(text, str(block), "exec"), self.names)

    def talk(self, block, text):
        """As at a prompt: what stands below a line is what it answers."""
        for example in doctest.DocTestParser().get_examples(text, str(block)):
            if example.want:
                wait_for(lambda: repr(eval(example.source, self.names)) == example.want.strip())
            else:
                exec(compile(example.source, str(block), "exec"), self.names)

    # --- what a page needs, and what has to be true behind it ---

    def before_README(self):
        widgets = {name: Widget() for name in ("on_air", "volume")}
        group = Gio.SimpleActionGroup()
        other = Amnesia.Store(conf="conf.json", data={"jsontest": 123})
        self.names.update(
            self=types.SimpleNamespace(**widgets), switch=Widget(), adjustment=Widget(),
            action_map=group, other=other, mem=Amnesia.Store(data={"on-air": True}),
        )  # fmt: skip

    def after_README(self):
        self.test.assertEqual(self.names["mem"]["x"], 10)
        self.test.assertEqual(self.names["adjustment"].value, 0.4)
        self.test.assertTrue(self.names["action_map"].has_action("lamp"))
        self.test.assertIn("False False {", self.printed[-1])

    def before_conf(self):
        self.names["mem"] = Amnesia.Store()

    def after_conf(self):
        self.test.assertEqual(self.names["mem"].conf.get_n_peers(), 2)

    def before_deployment(self):
        loop = GLib.MainLoop()
        self.names.update(loop=loop, signal=signal, mem=Amnesia.Store(conf="conf.json"))
        GLib.idle_add(os.kill, os.getpid(), signal.SIGTERM)

    def after_deployment(self):
        self.test.assertEqual(self.names["mem"].state, Amnesia.State.CLOSED)

    def before_faq(self):
        self.names["mem"] = Amnesia.Store(conf="conf.json")
        self.names["mem"]["board"] = {"text": "Soundcheck"}
        self.names["switch"] = Widget()
        pathlib.Path("state.json").write_text('{"first": true}')

    def after_faq(self):
        mem = self.names["mem"]
        self.test.assertEqual(mem["board"]["text"], "Break")
        self.names["switch"].active = True
        self.test.assertIs(mem["lamp"], True)
        self.test.assertTrue(json.loads(pathlib.Path("state.json").read_text())["lamp"])

    def before_overview(self):
        pass

    def after_overview(self):
        self.test.assertEqual(self.printed, ["{'lamp': True}"])

    def before_threads(self):
        self.names["mem"] = Amnesia.Store(conf="conf.json")
        self.names["conf"] = conf(2)
        self.test.addCleanup(lambda: self.names["thread"].join())

    def after_threads(self):
        mem = self.names["mem"]
        self.test.assertEqual(mem.state, Amnesia.State.CLOSED)
        self.test.assertEqual(mem["greeting"], "good night")
        wait_for(lambda: mem.get("result") == 499500)
        wait_for(lambda: not self.names["thread"].is_alive())
        self.names["sound"].open_sync()
        self.names["sound"].close_sync()


class Programs(InFolder):
    def test_python(self):
        for page, blocks in by_page(blocks_for("Programs.test_python")).items():
            with self.subTest(page=page):
                program = PythonPage(self)
                stem = pathlib.Path(page).stem
                getattr(program, f"before_{stem}")()
                program.run(blocks)
                wait_for(lambda: not GLib.MainContext.default().pending())
                getattr(program, f"after_{stem}")()
                for value in program.names.values():
                    if isinstance(value, Amnesia.Store):
                        value.close_sync()

    @unittest.skipUnless(shutil.which("gjs"), "there is no gjs")
    def test_javascript(self):
        for page, blocks in by_page(blocks_for("Programs.test_javascript")).items():
            with self.subTest(page=page):
                texts = [block.text.replace(LOOPBACK, host()) for block in blocks]
                pathlib.Path("page.js").write_text(stages.wrap_js(page, texts))
                self.assertIn("all well", run("gjs", "-m", "page.js"))

    @unittest.skipUnless(shutil.which("gjs"), "there is no gjs")
    def test_node(self):
        """What is for Node is no more than read."""
        for block in blocks_for("Programs.test_node"):
            text = f"new Function('require', {json.dumps(block.text)}); print('all well');"
            self.assertIn("all well", run("gjs", "-c", text))

    def test_c(self):
        flags = run("pkg-config", "--cflags", "gio-2.0").split()
        flags += [f"-I{folder / 'amnesia'}" for folder in (SOURCE, BUILD)]
        warnings = "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-Wno-unused-parameter"
        for block in blocks_for("Programs.test_c"):
            with self.subTest(block=str(block)):
                pathlib.Path("part.c").write_text(stages.wrap_c(block.text))
                run("cc", "-fsyntax-only", *warnings, *flags, "part.c")

    @unittest.skipUnless(shutil.which("valac"), "there is no valac")
    def test_vala(self):
        texts = [block.text for block in blocks_for("Programs.test_vala")]
        pathlib.Path("samples.vala").write_text(stages.wrap_vala(texts))
        folder = BUILD / "introspection"
        if not (folder / "amnesia-1.vapi").exists():
            self.skipTest("this build has no VAPI")
        packages = "--pkg", "gio-2.0", "--pkg", "amnesia-1"
        run("valac", "-C", "--vapidir", folder, "--girdir", folder, *packages, "samples.vala")


class Texts(InFolder):
    def make_certificates(self):
        run(SOURCE / "examples/tls/make-certificates", "pki", "10.0.1.2")
        shutil.copy("pki/authority.pem", "authority.pem")
        for name in "member.pem", "member.key", "this-host.pem", "this-host.key":
            shutil.copy("pki/10.0.1.2.pem", name)

    def test_json(self):
        self.make_certificates()
        for block in blocks_for("Texts.test_json"):
            with self.subTest(block=str(block)):
                if "app-id" in block.text:
                    self.check_manifest(json.loads(block.text))
                else:
                    self.check_conf(block.text)

    def check_conf(self, text):
        if text.lstrip()[0] not in "[{":
            text = '{"peers": [{"host": "10.0.1.2", "port": 7777}],' + text + "}"
        pathlib.Path("sample.json").write_text(text)
        self.assertGreater(Amnesia.Conf.new_from_file("sample.json").get_n_peers(), 0)

    def check_manifest(self, manifest):
        self.assertRegex(manifest["app-id"], r"^\w+(\.\w+){2,}$")
        self.assertLessEqual({"runtime", "sdk", "command", "modules"}, set(manifest))
        for argument in manifest["finish-args"]:
            self.assertRegex(argument, r"^--(share=network|filesystem=xdg-run/amnesia:create)$")
        (option,) = manifest["modules"][0]["config-opts"]
        name = re.fullmatch(r"-D([a-z-]+)=\w+", option)[1]
        self.assertIn(f"option ('{name}'", (SOURCE / "meson_options.txt").read_text())

    def test_sh(self):
        for block in blocks_for("Texts.test_sh"):
            with self.subTest(block=str(block)):
                run("sh", "-n", "-c", block.text)
                for path in re.findall(r"^((?:examples|tests)/\S+)", block.text, re.MULTILINE):
                    self.assertTrue(os.access(SOURCE / path, os.X_OK), path)
                if block.text.startswith("nft "):
                    tables = "nft add table inet filter; nft add chain inet filter input"
                    self.run_in_network("sh", "-ec", f"{tables}\n{block.text}")

    def run_in_network(self, *command, **options):
        """In a network of its own, where a firewall is nobody else's."""
        unshare = "unshare", "--map-root-user", "--net"
        if not shutil.which("nft"):
            self.skipTest("there is no nft")
        if subprocess.run([*unshare, "nft", "list", "ruleset"], capture_output=True).returncode != 0:
            self.skipTest("there is no network to try it in")
        run(*unshare, *command, **options)

    def test_nft(self):
        for block in blocks_for("Texts.test_nft"):
            with self.subTest(block=str(block)):
                self.run_in_network("nft", "-f", "-", input=block.text)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_units(self):
        for block in blocks_for("Texts.test_units"):
            with self.subTest(block=str(block)):
                text, n = re.subn("/usr/bin/studio", "/bin/true", block.text)
                self.assertEqual(n, 1)
                pathlib.Path("studio.service").write_text(text)
                who = "--user" if "default.target" in text else "--system"
                said = run(
                    *("systemd-analyze", "verify", who, "--man=no", "./studio.service"),
                    env={**os.environ, "XDG_RUNTIME_DIR": str(self.folder)},
                )
                self.assertNotIn("studio.service", said)


if __name__ == "__main__":
    unittest.main()
