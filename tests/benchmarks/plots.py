# SPDX-License-Identifier: MIT
"""Plots, as SVG: lines over two axes, and no more."""

import html
import math

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 80, 230, 50, 60
COLOURS = {
    "plain TCP": "#777777",
    "plain Unix socket": "#b0a060",
    "libamnesia, TCP": "#1f77b4",
    "libamnesia, local": "#d62728",
    "libamnesia, TLS": "#ff7f0e",
    "libamnesia, TCP, mesh": "#99c2e6",
    "libamnesia, local, mesh": "#efa3a3",
    "libamnesia, TCP, Python": "#2ca02c",
    "libamnesia, TCP, JavaScript": "#9467bd",
}


class Axis:
    """From figures to places on the page."""

    def __init__(self, title, figures, start, end, is_log=False):
        self.title = title
        self.is_log = is_log
        self.start, self.end = start, end
        self.low = min(figures) if is_log else 0
        self.high = max(figures)
        if self.high <= self.low:
            self.high = self.low + 1

    def place(self, figure):
        low, high, figure = (
            [math.log(x) for x in (self.low, self.high, figure)]
            if self.is_log
            else (self.low, self.high, figure)
        )
        return self.start + (figure - low) / (high - low) * (self.end - self.start)

    def ticks(self):
        if self.is_log:
            exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = [m * 10.0**e for e in exponents for m in (1, 2, 5)]
            return [tick for tick in every if self.low <= tick <= self.high]
        step = 10.0 ** math.floor(math.log10(self.high))
        step = next(s for s in (step / 5, step / 2, step, step * 2) if self.high / s <= 6)
        return [step * i for i in range(int(self.high / step) + 1)]


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{html.escape(text)}</text>'


def _line(x1, y1, x2, y2, colour="#dddddd"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _axes(x, y):
    for tick in x.ticks():
        place = x.place(tick)
        yield _line(place, y.start, place, y.end)
        yield _text(place, y.start + 18, f"{tick:,g}")
    for tick in y.ticks():
        place = y.place(tick)
        yield _line(x.start, place, x.end, place)
        yield _text(x.start - 8, place + 4, f"{tick:,g}", "end")
    yield _text((x.start + x.end) / 2, HEIGHT - 16, x.title)
    middle = (y.start + y.end) / 2
    yield _text(18, middle, y.title, more=f' transform="rotate(-90 18 {middle})"')


def _series(index, name, points, x, y):
    colour = COLOURS.get(name, "black")
    places = [(x.place(a), y.place(b)) for a, b in points]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    if len(places) < 30:
        for a, b in places:
            yield f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>'
    height = y.end + 16 * index + 10
    yield _line(x.end + 14, height - 4, x.end + 34, height - 4, colour)
    yield _text(x.end + 40, height, name, "start")


def draw(title, x_title, y_title, series, is_log=False):
    """@series: points by name"""
    points = [point for of_one in series.values() for point in of_one]
    x = Axis(x_title, [a for a, _ in points], LEFT, WIDTH - RIGHT, is_log)
    y = Axis(y_title, [b for _, b in points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(WIDTH / 2, 24, title, more=' font-size="16"'),
        *_axes(x, y),
    ]
    for index, (name, of_one) in enumerate(series.items()):
        parts += _series(index, name, of_one, x, y)
    return "\n".join([*parts, "</svg>", ""])


# --- of what was measured ---


def _latency(quantiles):
    """How many of the round trips took no longer than that, without the slowest of a hundred."""
    title = quantiles[0]["case"]
    series = {
        entry["contestant"]: [(us, percent) for percent, us in enumerate(entry["us"][:100])]
        for entry in quantiles
        if entry["case"] == title
    }
    return draw(f"{title}: latency", "us", "% took no longer", series, is_log=True)


def _peers(rows, metric, title, per_peer=False):
    series = {}
    for row in rows:
        if row["workload"] == "peers" and row["metric"] == metric:
            peers = int(row["case"])
            cost = row["median"] / (peers if per_peer else 1)
            series.setdefault(row["contestant"], []).append((peers, cost))
    return draw(title, "peers", "us", series)


def write_plots(results, folder):
    """@results: as benchmarks.py writes them"""
    rows, written = results["rows"], {}
    if results["quantiles"]:
        written["latency.svg"] = _latency(results["quantiles"])
    if any(row["workload"] == "peers" for row in rows):
        for name, metric, title in [
            ("peers", "time", "From a set until the last peer has it"),
            ("peers-cpu", "CPU of the writer", "CPU time of the writer for a set"),
        ]:
            written[f"{name}.svg"] = _peers(rows, metric, title)
            written[f"{name}-each.svg"] = _peers(rows, metric, f"{title}, for each peer", True)
    for name, text in written.items():
        (folder / name).write_text(text)
    return [folder / name for name in written]
