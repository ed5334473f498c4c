# SPDX-License-Identifier: MIT
"""Runs the board as it is, and tells through a pipe what its controls show.

Each line is a JSON list that ends with the time. It takes lines as well: `["where", NAME]`,
`["read"]`, `["draw"]`, `["watch_peers"]`, `["choose", COLOUR]`, `["close"]`, and
`["drag", NAME, VALUE, ...]`, which moves a slider as a hand does, to 60 values in a second.
"""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(sys.argv[1]).parent))
import board

board.gi.require_version("GdkX11", "4.0")
from gi.repository import Gdk, GdkX11, Gio, GLib, Graphene, Gtk

FRAME_S = 1 / 60
CONTROLS = {
    "on_air": "active",
    "Talk": "active",
    "caption": "text",
    "lights": "active",
    "colour": "rgba",
    "brightness": "value",
    "volume": "value",
}


def tell(*parts):
    print(json.dumps([*parts, time.monotonic()]), flush=True)


def tell_control(control, spec, name):
    value = control.get_property(spec.name)
    tell("shows", name, board.write_colour(value) if name == "colour" else value)


def tell_state(mem, _spec):
    tell("state", mem.props.state.value_nick)


def tell_listening(mem, _spec):
    tell("listens", mem.props.listening)


def tell_hold(scale, before):
    now = scale.get_state_flags()
    if (now ^ before) & Gtk.StateFlags.ACTIVE:
        tell("held" if now & Gtk.StateFlags.ACTIVE else "dropped")


def walk(widget):
    yield widget
    child = widget.get_first_child()
    while child is not None:
        yield from walk(child)
        child = child.get_next_sibling()


class Hand:
    """Holds a slider, and moves it from value to value."""

    def __init__(self, scale, values):
        self.scale = scale
        self.values = values
        self.due = time.monotonic()
        scale.set_state_flags(Gtk.StateFlags.ACTIVE, False)
        self.move()

    def move(self):
        if not self.values:
            self.scale.unset_state_flags(Gtk.StateFlags.ACTIVE)
            return
        value = self.values.pop(0)
        tell("moves", value)
        self.scale.get_adjustment().set_value(value)
        self.due += FRAME_S
        GLib.timeout_add(max(0, round(1000 * (self.due - time.monotonic()))), self.move)


class Watched(board.Studio):
    def do_activate(self):
        board.Studio.do_activate(self)
        for name, prop in CONTROLS.items():
            control = getattr(self.board, name, None) or self.find_widget(name)
            control.connect(f"notify::{prop}", tell_control, name)
            tell_control(control, control.find_property(prop), name)
        for name in "brightness", "volume":
            self.find_widget(name).connect("state-flags-changed", tell_hold)
        mem = self.board.mem
        mem.connect("notify::state", tell_state)
        mem.connect("notify::listening", tell_listening)
        assert isinstance(self.board.get_surface(), GdkX11.X11Surface)
        tell("window", self.board.get_surface().get_xid())
        self.lines = Gio.DataInputStream.new(Gio.UnixInputStream.new(sys.stdin.fileno(), False))
        self.read_line()

    def find_widget(self, name):
        """The widget of this name, or the scale of this adjustment, or the button that says so."""
        named = getattr(self.board, name, None)
        if isinstance(named, Gtk.Widget):
            return named
        for part in walk(self.board):
            if isinstance(part, Gtk.Scale) and part.get_adjustment() == named:
                return part
            if isinstance(part, Gtk.Button) and part.get_label() == name:
                return part
        raise LookupError(name)

    def find_grip(self, name):
        """What a hand takes of it: of a slider its knob."""
        widget = self.find_widget(name)
        return next((part for part in walk(widget) if part.get_css_name() == "slider"), widget)

    def read_line(self):
        self.lines.read_line_async(GLib.PRIORITY_DEFAULT, None, self.on_line)

    def on_line(self, lines, result):
        line, _length = lines.read_line_finish_utf8(result)
        if line is not None:
            command, *arguments = json.loads(line)
            getattr(self, command)(*arguments)
            self.read_line()

    def where(self, name):
        grip = self.find_grip(name)
        middle = Graphene.Point().init(grip.get_width() / 2, grip.get_height() / 2)
        _found, point = grip.compute_point(self.board, middle)
        x, y = self.board.get_surface_transform()
        tell("where", name, point.x + x, point.y + y)

    def draw(self):
        """Tells when the window shows what the controls have."""
        self.board.queue_draw()
        clock = self.board.get_frame_clock()
        drawn = clock.connect("after-paint", lambda _clock: self.on_drawn(drawn))
        clock.request_phase(Gdk.FrameClockPhase.PAINT)

    def on_drawn(self, handler):
        self.board.get_frame_clock().disconnect(handler)
        self.board.get_display().sync()
        tell("drawn")

    def read(self):
        """Tells all that the window says in words."""
        labels = (part for part in walk(self.board) if isinstance(part, Gtk.Label))
        tell("reads", [label.get_text() for label in labels if label.get_mapped()])

    def watch_peers(self):
        """Tells from now on when a part of the list of participants becomes dim, or bright again."""
        for part in walk(self.board.peers_view):
            part.connect("notify::sensitive", lambda part, _spec: tell("dims", part.get_sensitive()))
        tell("watches")

    def choose(self, colour):
        """As the dialog of the button does."""
        chosen = Gdk.RGBA()
        chosen.parse(colour)
        self.board.colour.set_rgba(chosen)

    def drag(self, name, *values):
        Hand(self.find_widget(name), list(values))

    def close(self):
        self.board.close()


del sys.argv[0]
if error := board.main(Watched):
    sys.exit(error)
tell("closed")
