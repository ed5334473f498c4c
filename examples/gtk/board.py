#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Studio: a control board that everybody behind a show has open, and that is the same for all.

Takes the name of a configuration; without it, conf.json beside this file. Started twice on one
machine, it has two windows that follow each other.
"""

import pathlib
import sys

import gi

gi.require_version("Adw", "1")
gi.require_version("Amnesia", "1")
gi.require_version("Gtk", "4.0")
from gi.repository import Adw, Amnesia, Gdk, Gio, GLib, Gtk

HERE = pathlib.Path(__file__).parent


# --- how a colour is shared ---


def read_colour(text):
    colour = Gdk.RGBA()
    if not colour.parse(text):
        raise ValueError(f"{text} is no colour")
    return colour


def write_colour(colour):
    parts = (round(255 * part) for part in (colour.red, colour.green, colour.blue))
    return "#{:02x}{:02x}{:02x}".format(*parts)


# --- what the lists show: these are the functions that peer-row.ui and timeline-row.ui name ---


class Rows:
    @staticmethod
    def is_here(_row, state):
        """Not whether it is in sync: with each value that is set it is not, for a moment."""
        return state == Amnesia.PeerState.CONNECTED

    @staticmethod
    def describe_change(_row, key, new):
        value = Amnesia.unpack(new)
        text = GLib.markup_escape_text(Rows.describe_value(value))
        if key == "colour" and isinstance(value, str) and Gdk.RGBA().parse(value):
            text = f"<span foreground='{write_colour(read_colour(value))}' alpha='100%'>⬤</span>"
        name = key.capitalize().replace("-", " ") if key else "Everything"
        return f"<b>{GLib.markup_escape_text(name)}</b>  {text}"

    @staticmethod
    def describe_value(value):
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value:.0f}" if isinstance(value, float) else str(value)

    @staticmethod
    def describe_origin(_row, when, writer):
        return f"{when.to_local().format('%T')} · {writer or 'unknown'}" if when else ""


def make_factory(name):
    template = GLib.Bytes.new((HERE / name).read_bytes())
    scope = Gtk.Builder.BuilderScope(Rows)
    return Gtk.BuilderListItemFactory.new_from_bytes(scope, template)


@Gtk.Template(filename=str(HERE / "board.ui"))
class Board(Adw.ApplicationWindow):
    """The window. Each of its controls is bound to one key of the shared variable."""

    __gtype_name__ = "Board"

    mem = Gtk.Template.Child()
    on_air = Gtk.Template.Child()
    caption = Gtk.Template.Child()
    colour = Gtk.Template.Child()
    lights = Gtk.Template.Child()
    brightness = Gtk.Template.Child()
    volume = Gtk.Template.Child()
    peers_view = Gtk.Template.Child()
    timeline = Gtk.Template.Child()
    timeline_view = Gtk.Template.Child()
    toasts = Gtk.Template.Child()

    def __init__(self, conf, **properties):
        super().__init__(**properties)
        self.toast = None
        self.peers_view.set_factory(make_factory("peer-row.ui"))
        self.timeline_view.set_factory(make_factory("timeline-row.ui"))
        self.bind(self.mem)
        self.mem.conf = conf

    def bind(self, mem):
        mem.bind("on-air", self.on_air, "active")
        mem.bind("caption", self.caption, "text")
        mem.bind("lights", self.lights, "active")
        mem.bind("brightness", self.brightness, "value")
        mem.bind("volume", self.volume, "value")
        mem.bind_with_mapping(
            "colour", self.colour, "rgba", get_mapping=read_colour, set_mapping=write_colour
        )
        self.add_action(mem.create_action("scene", "welcome"))
        mem.history.connect("items-changed", self.on_history)
        mem.connect("superseded", self.on_superseded)

    @Gtk.Template.Callback()
    @staticmethod
    def describe_state(_board, listening, state):
        return f"{listening or 'guest'} · {Amnesia.State(state).value_nick}"

    @Gtk.Template.Callback()
    @staticmethod
    def make_light(_board, colour, brightness, lit):
        """A picture of one dot, which the window stretches."""
        light = brightness / 100 if lit else 0
        dark = 0.13
        parts = (dark + light * (part - dark) for part in (colour.red, colour.green, colour.blue))
        dot = GLib.Bytes.new(bytes(round(255 * part) for part in parts))
        return Gdk.MemoryTexture.new(1, 1, Gdk.MemoryFormat.R8G8B8, dot, 3)

    def on_history(self, history, position, _removed, added):
        """The newest comes first; what one hand does to one control is one line."""
        for change in history[position : position + added]:
            last = self.timeline.get_item(0)
            again = last and (last.key, last.writer) == (change.key, change.writer)
            self.timeline.splice(0, 1 if again else 0, [change])
        del self.timeline[self.mem.history_length :]
        self.timeline_view.activate_action("list.scroll-to-item", GLib.Variant("u", 0))

    def on_superseded(self, _mem, key, _lost, _winner):
        if self.toast is None:
            self.toast = Adw.Toast(title=f"Somebody else set “{key or 'all'}”")
            self.toast.connect("dismissed", lambda _toast: setattr(self, "toast", None))
            self.toasts.add_toast(self.toast)


class Studio(Adw.Application):
    def __init__(self, conf):
        # each start is a window of a process of its own, although they have one name
        super().__init__(application_id="com.example.Studio", flags=Gio.ApplicationFlags.NON_UNIQUE)
        self.conf = conf
        self.board = None

    def do_activate(self):
        css = Gtk.CssProvider()
        css.load_from_path(str(HERE / "board.css"))
        Gtk.StyleContext.add_provider_for_display(
            Gdk.Display.get_default(), css, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION
        )
        self.board = Board(self.conf, application=self)
        self.board.present()


def main(application=Studio):
    conf = sys.argv[1] if len(sys.argv) > 1 else HERE / "conf.json"
    try:
        studio = application(Amnesia.Conf.new_from_file(str(conf)))
        studio.run()
        if studio.board:
            studio.board.mem.close_sync()
    except GLib.Error as error:
        return error.message


if __name__ == "__main__":
    sys.exit(main())
