#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the pictures of the manual: `introspection/pictures.py [FOLDER]`, beside itself by default.

Time goes to the right. Each member is a line, whose colour is the value that it has; an arrow is what it
sends.
"""

import pathlib
import sys
from xml.sax.saxutils import escape

LEFT, TOP, LANE, UNIT = 92, 46, 76, 62
COLOURS = {"1": "one", "2": "two", "3": "three", "": "none"}

STYLE = """
text { font: 13px sans-serif; fill: #2e3436; }
.name { font-weight: bold; }
.small { font-size: 12px; fill: #5e5c64; }
.middle { text-anchor: middle; }
.lane { stroke-width: 9; stroke-linecap: round; }
.arrow { stroke: #5e5c64; stroke-width: 1.5; fill: none; }
.head { fill: #5e5c64; }
.refused { stroke: #c01c28; stroke-width: 2; fill: none; }
.cut { stroke: #c01c28; stroke-width: 1.5; stroke-dasharray: 5 4; fill: none; }
.cutarea { fill: #c01c28; opacity: 0.08; }
.box { fill: #f6f5f4; stroke: #9a9996; }
.member { fill: #1c71d8; }
.guest { fill: #813d9c; }
.link { stroke: #5e5c64; stroke-width: 1.5; }
.near { stroke: #1c71d8; stroke-width: 3; }
.one { stroke: #1c71d8; fill: #1c71d8; }
.two { stroke: #e66100; fill: #e66100; }
.three { stroke: #813d9c; fill: #813d9c; }
.none { stroke: #c0bfbc; fill: #c0bfbc; }
.dot { stroke: #ffffff; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #f6f5f4; }
  .small { fill: #c0bfbc; }
  .arrow { stroke: #c0bfbc; }
  .link { stroke: #c0bfbc; }
  .head { fill: #c0bfbc; }
  .refused, .cut { stroke: #ff7b63; }
  .box { fill: #303030; stroke: #77767b; }
  .member { fill: #78aeed; }
  .near { stroke: #78aeed; }
  .guest { fill: #dc8add; }
  .one { stroke: #78aeed; fill: #78aeed; }
  .two { stroke: #ffbe6f; fill: #ffbe6f; }
  .three { stroke: #dc8add; fill: #dc8add; }
  .none { stroke: #5e5c64; fill: #5e5c64; }
  .dot { stroke: #1e1e1e; }
}
"""


class Picture:
    def __init__(self, title, width, height):
        self.title = title
        self.size = width, height
        self.parts = []

    def add(self, text):
        self.parts.append(text)

    def text(self, x, y, text, kind=""):
        self.add(f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.add(f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{kind}"/>')

    def write(self, file):
        width, height = self.size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" role="img">'
        )
        lines = [
            "<!-- SPDX-License-Identifier: MIT -->",
            "<!-- made by pictures.py -->",
            head,
            f"<title>{escape(self.title)}</title>",
            f"<style>{STYLE}</style>",
            *self.parts,
            "</svg>",
        ]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Timeline(Picture):
    """Members as lines, beside which time goes on."""

    def __init__(self, title, members, length):
        super().__init__(title, LEFT + length * UNIT + 20, TOP + (len(members) - 1) * LANE + 52)
        self.members = members
        self.length = length
        for name in members:
            self.text(12, self.y(name) + 5, name, "name")

    def x(self, time):
        return LEFT + time * UNIT

    def y(self, name):
        return TOP + self.members.index(name) * LANE

    def lane(self, name, *steps):
        """steps: (time, value), from then on; the value ... ends the line."""
        for (start, value), (end, _) in zip(steps, [*steps[1:], (self.length, "")]):
            if value is ...:
                continue
            y = self.y(name)
            self.line(self.x(start), y, self.x(end), y, f"lane {COLOURS[value]}")

    def mark(self, name, time, value, text, below=False):
        """Something that the member does."""
        x, y = self.x(time), self.y(name)
        self.add(f'<circle cx="{x:g}" cy="{y:g}" r="8" class="dot {COLOURS[value]}"/>')
        self.note(name, time, text, below)

    def note(self, name, time, text, below=False):
        if not text:
            return
        y = self.y(name) + (25 if below else -15)
        self.text(self.x(time), y, text, "small middle")

    def arrow(self, sender, start, receiver, end, refused=False):
        x1, y1, x2, y2 = self.x(start), self.y(sender), self.x(end), self.y(receiver)
        step = 9 if y2 > y1 else -9
        self.line(x1, y1 + step, x2, y2 - 2 * step, "arrow")
        self.add(
            f'<path d="M{x2 - 4:g} {y2 - 2 * step:g}h8l-4 {step:g}z" class="head"/>'
        )
        if refused:
            y = y2 - 2.6 * step
            self.add(
                f'<path d="M{x2 + 8:g} {y - 5:g}l10 10m0 -10l-10 10" class="refused"/>'
            )

    def cut(self, start, end, text):
        """No link between the first two members for that time."""
        y = (self.y(self.members[0]) + self.y(self.members[1])) / 2
        x, width = self.x(start), (end - start) * UNIT
        self.add(f'<rect x="{x:g}" y="{y - 14:g}" width="{width:g}" height="28" class="cutarea"/>')
        self.line(x, y, x + width, y, "cut")
        self.text(x + width / 2, y - 4, text, "small middle")


def two_at_once():
    picture = Timeline("Two members set a value at the same moment", ["A", "B"], 10)
    picture.lane("A", (0, ""), (2, "1"), (6, "2"))
    picture.lane("B", (0, ""), (2.6, "2"))
    picture.arrow("A", 2, "B", 5, refused=True)
    picture.arrow("B", 2.6, "A", 6)
    picture.mark("A", 2, "1", "sets 1 at 12:00:00.000")
    picture.mark("B", 2.6, "2", "sets 2 at 12:00:00.001", below=True)
    picture.note("A", 7, "changed, superseded")
    picture.note("B", 6, "the older one is not taken", below=True)
    return picture


def wrong_clock():
    picture = Timeline("A clock that is an hour ahead", ["A", "B"], 11)
    picture.lane("A", (0, ""), (1.6, "1"), (6, "2"))
    picture.lane("B", (0, ""), (3, "1"), (4.6, "2"))
    picture.arrow("A", 1.6, "B", 3)
    picture.arrow("B", 4.6, "A", 6)
    picture.mark("A", 1.6, "1", "12:00, its clock says 13:00")
    picture.mark("B", 4.6, "2", "12:05: stamped a count after 13:00", below=True)
    picture.note("A", 7.4, "takes it: B had seen A's")
    return picture


def network_cut():
    picture = Timeline("The network is cut and heals", ["A", "B", "C"], 11)
    picture.lane("A", (0, "1"), (3, "2"), (8.4, "3"))
    picture.lane("B", (0, "1"), (5, "3"))
    picture.lane("C", (0, "1"), (6, "3"))
    picture.cut(1.6, 7, "no connection to A")
    picture.mark("A", 3, "2", "sets 2")
    picture.mark("B", 5, "3", "sets 3, later", below=False)
    picture.arrow("B", 5, "C", 6)
    picture.arrow("A", 7.2, "B", 8)
    picture.arrow("B", 7.4, "A", 8.4)
    picture.note("A", 9.2, "changed, superseded")
    picture.note("B", 9.5, "the lists: A lacks 3", below=True)
    return picture


def late_start():
    picture = Timeline("Somebody starts late", ["A", "B"], 10)
    picture.lane("A", (0, "1"), (1.6, "2"))
    picture.lane("B", (4, ""), (6.4, "2"))
    picture.mark("A", 1.6, "2", "sets 2")
    picture.arrow("B", 4.4, "A", 5.2)
    picture.arrow("A", 5.4, "B", 6.4)
    picture.note("B", 4.4, "starts: syncing", below=True)
    picture.note("B", 7.2, "changed, synced", below=True)
    return picture


def slow_peer():
    picture = Timeline("A peer that is slow", ["B", "A", "C"], 12)
    sets = list(zip((1, 2.4, 3.8, 5.2, 6.6), "12321"))
    picture.lane("A", (0, ""), *sets)
    picture.lane("B", (0, ""), *((time + 0.5, value) for time, value in sets))
    picture.lane("C", (0, ""), (4.6, "1"), (8.2, "3"), (10.2, "1"))
    for number, (time, value) in enumerate(sets, 1):
        picture.arrow("A", time, "B", time + 0.5)
        picture.mark("A", time, value, "")
        picture.note("A", time - 0.15, str(number))
    for start, end, number in (1, 4.6, "1"), (4.6, 8.2, "3"), (8.2, 10.2, "5"):
        picture.arrow("A", start, "C", end)
        picture.note("C", end, number, below=True)
    picture.note("B", 9.5, "has had all five")
    return picture


def whole_and_keys():
    picture = Timeline("Keys and the whole", ["A", "B"], 11)
    picture.lane("A", (0, "1"), (4.2, "2"), (7, "3"))
    picture.lane("B", (0, "1"), (3.6, "2"), (8, "3"))
    picture.arrow("A", 2, "B", 3.6)
    picture.arrow("B", 2.6, "A", 4.2)
    picture.mark("A", 2, "1", 'sets key "lamp"')
    picture.mark("B", 2.6, "1", 'sets key "volume"', below=True)
    picture.note("A", 4.6, "both have both")
    picture.mark("A", 7, "3", "sets the whole")
    picture.arrow("A", 7, "B", 8)
    picture.note("B", 8.4, "what was under the keys has gone", below=True)
    return picture


def removal():
    picture = Timeline("A key that was removed does not come back", ["A", "B"], 11)
    picture.lane("A", (0, "1"), (3.6, ""))
    picture.lane("B", (0, "1"), (2, ...), (5.4, "1"), (8.2, ""))
    picture.note("B", 2, "is away", below=True)
    picture.mark("A", 3.6, "", 'removes key "lamp"')
    picture.arrow("B", 5.8, "A", 6.8, refused=True)
    picture.arrow("A", 7, "B", 8.2)
    picture.note("B", 5.6, "is back, with the old value", below=True)
    picture.note("B", 9.4, "removed here as well", below=True)
    return picture


def mesh():
    """Two machines with two members each, and a guest."""
    picture = Picture("Members on two machines, each linked with each, and a guest", 640, 270)
    boxes = {"10.0.1.2": 20, "10.0.1.3": 250, "a laptop": 480}
    for name, x in boxes.items():
        picture.add(f'<rect x="{x}" y="40" width="140" height="200" rx="10" class="box"/>')
        picture.text(x + 70, 28, name, "name middle")
    members = {"7777": (90, 90), "7778": (90, 190), "7777 ": (320, 90), "7778 ": (320, 190)}
    places = list(members.values())
    for index, (x1, y1) in enumerate(places):
        for x2, y2 in places[index + 1 :]:
            picture.line(x1, y1, x2, y2, "near" if x1 == x2 else "link")
    picture.line(320, 90, 550, 140, "link")
    for name, (x, y) in {**members, "guest": (550, 140)}.items():
        kind = "guest" if name == "guest" else "member"
        picture.add(f'<circle cx="{x}" cy="{y}" r="14" class="{kind}"/>')
        picture.text(x, y + (30 if y > 100 else -22), name.strip(), "small middle")
    picture.text(20, 262, "thick: by Unix socket; thin: by TCP or TLS", "small")
    return picture


PICTURES = {
    "mesh": mesh,
    "two-at-once": two_at_once,
    "wrong-clock": wrong_clock,
    "network-cut": network_cut,
    "late-start": late_start,
    "slow-peer": slow_peer,
    "whole-and-keys": whole_and_keys,
    "removal": removal,
}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
    folder = folder.parent if folder.is_file() else folder
    for name, draw in PICTURES.items():
        draw().write(folder / f"{name}.svg")


if __name__ == "__main__":
    main()
