# SPDX-License-Identifier: MIT
"""A screen that nobody sees, with boards on it, and a hand with a mouse and a keyboard."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import members

HERE = pathlib.Path(__file__).parent

WIDTH, HEIGHT = 840, 640
FRAME_S = 0.016
BOARD = members.EXAMPLES / "gtk" / "board.py"
PYTHON = os.environ["AMNESIA_PYTHON"]

SETTINGS = """[Settings]
gtk-font-name=Cantarell 11
gtk-enable-animations=0
gtk-cursor-blink=0
"""
# Without a window manager GTK draws a frame, which is none that anybody has.
STYLE = "window.solid-csd { border: none; box-shadow: none; margin: 0; padding: 0; }\n"


def find_missing():
    """What a test of windows needs and is not there, or None."""
    for program in ("Xvfb", "xdotool", "import", "convert"):
        if shutil.which(program) is None:
            return f"there is no {program}"
    check = "import gi; gi.require_version('Gtk', '4.0'); gi.require_version('Adw', '1')"
    if subprocess.run([PYTHON, "-c", check], stderr=subprocess.DEVNULL).returncode != 0:
        return "there is no typelib of GTK 4 and libadwaita"
    return None


NO_SCREEN = find_missing()
needs_screen = unittest.skipIf(NO_SCREEN, NO_SCREEN)


class Screen:
    def __init__(self, folder):
        tell, told = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(told), "-nolisten", "tcp", "-noreset",
             "-screen", "0", f"{2 * WIDTH}x{HEIGHT}x24"],
            pass_fds=[told],
            stderr=subprocess.DEVNULL,
        )
        os.close(told)
        with os.fdopen(tell) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise AssertionError("Xvfb did not start")
        config = pathlib.Path(folder, "gtk-4.0")
        config.mkdir()
        (config / "settings.ini").write_text(SETTINGS)
        (config / "gtk.css").write_text(STYLE)
        self.env = {
            **os.environ,
            "DISPLAY": f":{number}",
            "GDK_BACKEND": "x11",
            "GSK_RENDERER": "cairo",
            "GTK_A11Y": "none",
            "GSETTINGS_BACKEND": "memory",
            "ADW_DISABLE_PORTAL": "1",
            "XDG_CONFIG_HOME": os.fspath(folder),
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere",
        }

    def run(self, *command):
        """The program has to succeed."""
        words = [str(word) for word in command]
        subprocess.run(words, env=self.env, check=True, stdout=subprocess.DEVNULL)

    def hand(self, *actions):
        """What xdotool does, one action after the other."""
        self.run("xdotool", *actions)

    def destroy(self):
        self.process.kill()
        self.process.wait()


class Board(members.Process):
    """A board in a process of its own, at a place of the screen that is its own as well."""

    def __init__(self, screen, conf, place):
        self.screen = screen
        self.lines = []
        self.shown = {}
        self.told = {}
        self.left = place * WIDTH
        self.start([PYTHON, HERE / "watched_board.py", BOARD, conf], env=screen.env)

    def show(self):
        self.wait_told("window")
        self.window = self.told["window"][0]
        if self.left > 0:
            self.screen.hand("windowmove", "--sync", self.window, self.left, 0)
        self.draw()

    def __str__(self):
        shown = "\n".join(f"    {str(line)[:120]}" for line in self.lines[-12:])
        return f"board {self.pid}, {self.shown}:\n{shown}\n{self.errors()}"

    def note(self, line):
        what, *rest = json.loads(line)
        self.lines.append([what, *rest])
        self.told[what] = rest
        if what == "shows":
            self.shown[rest[0]] = rest[1]

    def ask(self, what, *command):
        """Says a line, and waits for what is told then."""
        self.told.pop(what, None)
        self.say(*command)
        self.wait_told(what)
        return self.told[what][0]

    def say(self, *command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def wait_told(self, what):
        self.wait(what, lambda: what in self.told)

    def draw(self):
        self.ask("drawn", "draw")

    def read(self):
        return self.ask("reads", "read")

    def see_state(self, state):
        self.wait(state, lambda: self.told.get("state", [None])[0] == state)

    def see(self, name, value):
        self.wait(f"{name} {value}", lambda: self.shown[name] == value)

    def all_told(self, *begin):
        """The rest of the lines that begin so."""
        n_words = len(begin)
        return [line[n_words:] for line in self.lines if line[:n_words] == list(begin)]

    def find(self, name):
        """Where a hand takes this control, on the screen."""
        self.ask("where", "where", name)
        _name, x, y, _time = self.told["where"]
        return round(self.left + x), round(y)

    def click(self, name):
        self.screen.hand("mousemove", *self.find(name), "click", 1)

    def type(self, text):
        self.screen.hand("windowfocus", "--sync", self.window)
        self.click("caption")
        self.screen.hand("key", "ctrl+a", "type", text)

    def pull(self, name, distance):
        """Moves a slider by that many pixels, one each frame, as a hand does with a mouse."""
        x, y = self.find(name)
        way = range(0, distance, 1 if distance > 0 else -1)
        moves = [word for step in way for word in ("mousemove", x + step, y, "sleep", FRAME_S)]
        self.told.pop("dropped", None)
        self.screen.hand("mousemove", x, y, "mousedown", 1, *moves, "mouseup", 1)
        self.wait_told("dropped")

    def close(self):
        self.say("close")
        if self.finish() != 0 or "closed" not in self.told:
            raise AssertionError(f"did not close in order; {self}")


class TestCase(members.TestCase):
    """A test with a screen, which is gone when it ends."""

    def setUp(self):
        super().setUp()
        self.screen = Screen(self._folder.name)
        self.addCleanup(self.screen.destroy)

    def start_board(self, conf, place):
        board = Board(self.screen, conf, place)
        self.addCleanup(board.destroy)
        board.show()
        return board

    def start_boards(self, conf):
        """Starts two, and waits until each is connected."""
        boards = [self.start_board(conf, place) for place in range(2)]
        for board in boards:
            board.see_state("synced")
        return boards

    def close_boards(self, boards):
        for board in boards:
            board.close()
            self.assertEqual(board.errors(), "", board)
